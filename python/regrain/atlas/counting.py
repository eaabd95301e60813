"""Counting configurations: exact densities of states of small tori."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError

__all__ = ["count_states"]

Counts = NDArray[np.uint64]


def count_states(shape: tuple[int, int]) -> dict[int, int]:
    """How many configurations of Ising spins on a torus have each energy -Σ s s'.

    The lattice is built site by site for every first row; what is carried along is the number of
    configurations by the row at the border and the number of unlike neighbours. First rows that
    are alike by a rotation, a reflection or a flip are done once.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns; the smaller at most 8, at most 64 spins (their 2^64 configurations are
        counted in integers of 64 bits).

    Raises
    ------
    RegrainError
        Another shape.

    Examples
    --------
    >>> from regrain.atlas.counting import count_states
    >>> count_states((3, 3))
    {-18: 2, -10: 18, -6: 48, -2: 198, 2: 144, 6: 102}
    """
    rows, columns = max(shape), min(shape)
    if columns < 1 or columns > 8 or rows * columns > 64:
        raise RegrainError(
            f"shape is {shape}; states are counted for up to 64 spins, 8 in the smaller direction"
        )
    bonds = 2 * rows * columns
    total = np.zeros(bonds + 1, dtype=np.uint64)
    for first, many in _classes(columns).items():
        counts = _built(rows, columns, first)
        for row, of_row in enumerate(counts):
            closing = (row ^ first).bit_count()
            total[closing:] += np.uint64(many) * of_row[: bonds + 1 - closing]
    return {2 * int(k) - bonds: int(total[k]) for k in np.flatnonzero(total)}


def _classes(n: int) -> dict[int, int]:
    """Rows of n spins that stand for all others, and for how many."""
    full = (1 << n) - 1
    found: dict[int, int] = {}
    for row in range(1 << n):
        mirrored = int(f"{row:0{n}b}"[::-1], 2)
        alike = [
            ((start << k) | (start >> (n - k))) & full
            for start in (row, row ^ full, mirrored, mirrored ^ full)
            for k in range(n)
        ]
        found[min(alike)] = found.get(min(alike), 0) + 1
    return found


def _built(rows: int, columns: int, first: int) -> Counts:
    """Configurations by last row and number of unlike neighbours, without the closing bonds."""
    counts = np.zeros((1 << columns, 2 * rows * columns + 1), dtype=np.uint64)
    turned = (first >> 1) | ((first & 1) << (columns - 1))
    counts[first, (first ^ turned).bit_count()] = 1
    for _ in range(rows - 1):
        for j in range(columns):
            before = counts.reshape(-1, 2, 1 << j, counts.shape[1])
            # The new spin below the old one: alike, or one unlike bond more.
            counts = (before + _one_more(before[:, ::-1])).reshape(counts.shape)
            if j > 0:
                _along(counts, j, j - 1)
            if j == columns - 1 and j > 0:
                _along(counts, j, 0)
    return counts


def _one_more(counts: Counts) -> Counts:
    moved = np.zeros_like(counts)
    moved[..., 1:] = counts[..., :-1]
    return moved


def _along(counts: Counts, i: int, j: int) -> None:
    """The bond between the spins i and j of a row, in place."""
    rows = np.arange(len(counts))
    unlike = ((rows >> i) ^ (rows >> j)) & 1 == 1
    counts[unlike] = _one_more(counts[unlike])
