"""Bonds, angles and dihedrals among beads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu

__all__ = ["bonds_between", "paths"]

Ints = NDArray[np.int32]


def bonds_between(bonds: Ints, owner: Ints, atoms: Ints, shape: tuple[int, int]) -> Ints:
    """Pairs of beads I < J where an atom of I is bonded to an atom of J, shape (k, 2), sorted.

    ``owner`` and ``atoms`` name the bead and the atom of each membership; ``shape`` is
    (n_beads, n_atoms).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.maps.bonded import bonds_between
    >>> chain = np.array([(0, 1), (1, 2), (2, 3)])
    >>> bonds_between(chain, np.array([0, 0, 1, 1]), np.arange(4), (2, 4)).tolist()
    [[0, 1]]
    """
    n_atoms = shape[1]
    members = csr_array((np.ones(len(atoms)), (owner, atoms)), shape=shape)
    one_way = csr_array((np.ones(len(bonds)), (bonds[:, 0], bonds[:, 1])), shape=(n_atoms, n_atoms))
    linked = members @ one_way @ members.T
    found = triu(linked + linked.T, k=1).tocoo()
    return _sorted(np.column_stack([found.row, found.col]))


def paths(bonds: Ints, length: int) -> Ints:
    """All paths of so many bonds that visit no particle twice, shape (k, length + 1), sorted.

    Each is given once, from its end with the lower index.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.maps.bonded import paths
    >>> ring = np.array([(0, 1), (1, 2), (2, 3), (0, 3)])
    >>> paths(ring, 2).tolist()
    [[0, 1, 2], [0, 3, 2], [1, 0, 3], [1, 2, 3]]
    """
    ways = np.concatenate([bonds, bonds[:, ::-1]]).astype(np.int32)
    ways = ways[np.argsort(ways[:, 0], kind="stable")]
    n = int(ways.max(initial=-1)) + 1
    starts, neighbors = np.searchsorted(ways[:, 0], np.arange(n + 1)), ways[:, 1]
    for _ in range(length - 1):
        last = ways[:, -1]
        counts = starts[last + 1] - starts[last]
        rows = np.repeat(np.arange(len(ways)), counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        following = neighbors[starts[last[rows]] + within]
        new = (ways[rows] != following[:, None]).all(axis=1)
        ways = np.column_stack([ways[rows[new]], following[new]])
    return _sorted(ways[ways[:, 0] < ways[:, -1]])


def _sorted(rows: NDArray[np.integer]) -> Ints:
    return rows[np.lexsort(rows.T[::-1])].astype(np.int32)
