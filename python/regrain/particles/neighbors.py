"""Which particles are close to which."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.state import Particles

__all__ = ["NeighborList", "neighbor_list"]


@dataclass(frozen=True, eq=False, repr=False)
class NeighborList:
    """Pairs of particles closer than a cutoff, as arrays; made by :func:`neighbor_list`.

    Parameters
    ----------
    i, j : array of int32, shape (n_pairs,)
        The particles, sorted by ``i``.
    shifts : array of int32, shape (n_pairs, 3)
        How many lattice vectors are added to the position of ``j``.
    vectors : array, shape (n_pairs, 3)
        ``positions[j] + shifts @ box - positions[i]``.
    cutoff : float
    half : bool
        Whether a pair is there once, or from both sides.

    Examples
    --------
    >>> from regrain.particles import Particles, neighbor_list
    >>> near = neighbor_list(Particles([[0, 0, 0], [2.5, 0, 0]], box=[3, 3, 3]), cutoff=1.0)
    >>> near
    NeighborList(1 pair closer than 1, each once)
    >>> near.distances
    array([0.5])
    """

    i: NDArray[np.int32]
    j: NDArray[np.int32]
    shifts: NDArray[np.int32]
    vectors: NDArray[np.float64]
    cutoff: float
    half: bool

    def __len__(self) -> int:
        return len(self.i)

    def __repr__(self) -> str:
        pairs = "1 pair" if len(self) == 1 else f"{len(self)} pairs"
        sides = "each once" if self.half else "each from both sides"
        return f"NeighborList({pairs} closer than {self.cutoff:g}, {sides})"

    @cached_property
    def distances(self) -> NDArray[np.float64]:
        """Lengths of the vectors, shape (n_pairs,)."""
        lengths: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", self.vectors, self.vectors))
        return lengths


def neighbor_list(
    state: Particles, *, cutoff: float, half: bool = True, exclude: int = 0
) -> NeighborList:
    """Find all pairs of particles closer than a cutoff, counting every periodic image.

    Parameters
    ----------
    state : Particles
        In a box of any shape. In one smaller than twice the cutoff a pair appears once for each
        image within the cutoff, and a particle may be a neighbour of its own image.
    cutoff : float
        Pairs with a distance below it are found.
    half : bool
        Each pair once, with ``i < j`` (or ``i == j`` for a particle and its own image), or from
        both sides.
    exclude : int
        Leave out pairs up to so many bonds apart, with all their images.

    Returns
    -------
    NeighborList
        The same on any number of threads. From both sides, vectors are each other's negative to
        the last bit.

    Raises
    ------
    RegrainError
        A cutoff that is not a positive number, or so long that the images do not fit in memory.

    Examples
    --------
    >>> from regrain.particles import Particles, neighbor_list
    >>> cube = Particles([[0.0, 0.0, 0.0]], box=[1.0, 1.0, 1.0])
    >>> neighbor_list(cube, cutoff=1.1).shifts.tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """
    if exclude < 0:
        raise RegrainError(f"exclude is {exclude}; give the number of bonds, 0 for no exclusions")
    excluded = state.topology.exclusions(exclude) if exclude else np.empty((0, 2), np.int32)
    i, j, shifts, vectors = _core.neighbor_list(
        state.positions, state.box, float(cutoff), bool(half), excluded
    )
    return NeighborList(i, j, shifts, vectors, float(cutoff), bool(half))
