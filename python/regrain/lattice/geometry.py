"""Lattices: which sites there are, which directions are alike, what is a neighbour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from operator import index

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError, unknown

__all__ = ["Cluster", "Geometry", "orbit", "shell"]

#: Sites of a cluster relative to each other: the smallest component along each axis is zero.
Cluster = tuple[tuple[int, ...], ...]

_DIMENSIONS = {"chain": 1, "square": 2, "triangular": 2, "cubic": 3}
_NAMES = {1: "chain", 2: "square", 3: "cubic"}
_MOST_DIMENSIONS = 8


@dataclass(frozen=True)
class Geometry:
    """Shape, kind and boundaries of a lattice.

    Parameters
    ----------
    shape : sequence of int
        Sites along each axis.
    lattice : str, optional
        ``"chain"``, ``"square"``, ``"triangular"``, ``"cubic"`` or ``"hypercubic"``; by the
        number of axes when omitted. Sites of the triangular lattice are those of the square one,
        with (1, 1) as the third direction to a nearest neighbour.
    periodic : bool or sequence of bool
        Whether the lattice closes on itself, for all axes or for each; else it ends.

    Raises
    ------
    RegrainError
        A shape that has not the dimensions of the lattice, lengths that are not positive.

    Examples
    --------
    >>> from regrain.lattice import Geometry
    >>> Geometry((4, 6))
    Geometry(shape=(4, 6), lattice='square', periodic=(True, True))
    """

    shape: tuple[int, ...]
    lattice: str | None = None
    periodic: bool | tuple[bool, ...] = True

    def __post_init__(self) -> None:
        shape = _shape(self.shape)
        d = len(shape)
        name = self.lattice
        if name is None or name == "hypercubic":
            name = _NAMES.get(d, "hypercubic")
        if name not in (*_DIMENSIONS, "hypercubic"):
            raise unknown("lattice", name, (*_DIMENSIONS, "hypercubic"))
        if d != _DIMENSIONS.get(name, d):
            raise RegrainError(
                f"shape: got {shape} for a {name} lattice, expected {_DIMENSIONS[name]} lengths"
            )
        given = self.periodic
        axes = (given,) * d if isinstance(given, bool | np.bool_) else tuple(given)
        if len(axes) != d or not all(isinstance(axis, bool | np.bool_) for axis in axes):
            raise RegrainError(
                f"periodic: got {given!r}, expected True or False, or one of them for each of the "
                f"{d} axes"
            )
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "lattice", name)
        object.__setattr__(self, "periodic", tuple(bool(axis) for axis in axes))

    @property
    def name(self) -> str:
        """The lattice by its shortest name: a hypercubic one in two dimensions is square."""
        assert self.lattice is not None
        return self.lattice

    @property
    def axes(self) -> tuple[bool, ...]:
        """Whether it is periodic, for each axis."""
        assert isinstance(self.periodic, tuple)
        return self.periodic

    @property
    def dimension(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of sites."""
        return int(np.prod(self.shape, dtype=np.int64))


def _shape(given: Sequence[int] | int) -> tuple[int, ...]:
    try:
        values = (given,) if isinstance(given, int) else tuple(given)
        shape = tuple(index(length) for length in values)
    except TypeError:
        raise RegrainError(
            f"shape: got {given!r}, expected the number of sites along each axis, as in (64, 64)"
        ) from None
    if not 1 <= len(shape) <= _MOST_DIMENSIONS or min(shape) < 1:
        raise RegrainError(
            f"shape: got {shape}, expected one to {_MOST_DIMENSIONS} positive numbers of sites"
        )
    if np.prod(shape, dtype=float) >= 2**31:
        raise RegrainError(f"shape: {shape} is more than the 2^31 sites that a lattice may have")
    return shape


def normal(sites: Iterable[Sequence[int]]) -> Cluster:
    """The same cluster moved to where its smallest components are zero, sites in order."""
    places = [tuple(site) for site in sites]
    low = [min(axis) for axis in zip(*places, strict=True)]
    return tuple(sorted(tuple(x - a for x, a in zip(site, low, strict=True)) for site in places))


def _generators(lattice: str, dimension: int) -> list[NDArray[np.int64]]:
    """Operations from which the point group of a lattice follows."""
    if lattice == "triangular":  # a turn by 60 degrees, and a mirror
        return [np.array([[1, -1], [1, 0]]), np.array([[0, 1], [1, 0]])]
    one = np.eye(dimension, dtype=np.int64)
    mirror = one.copy()
    mirror[0, 0] = -1
    swaps = []
    for axis in range(dimension - 1):
        swap = one.copy()
        swap[[axis, axis + 1]] = swap[[axis + 1, axis]]
        swaps.append(swap)
    return [mirror, *swaps]


def orbit(sites: Iterable[Sequence[int]], lattice: str) -> tuple[Cluster, ...]:
    """All clusters that the point group of a lattice makes of one, each once, in order.

    Examples
    --------
    >>> from regrain.lattice.geometry import orbit
    >>> orbit([(0, 0), (0, 1)], "square")
    (((0, 0), (0, 1)), ((0, 0), (1, 0)))
    """
    first = normal(sites)
    generators = _generators(lattice, len(first[0]))
    found, fresh = {first}, [first]
    while fresh:
        cluster = np.array(fresh.pop())
        for operation in generators:
            other = normal((cluster @ operation.T).tolist())
            if other not in found:
                found.add(other)
                fresh.append(other)
    return tuple(sorted(found))


def distance2(offset: Sequence[int], lattice: str) -> int:
    """Square of the length of an offset, in units of the distance of nearest neighbours."""
    total = sum(x * x for x in offset)
    return total - offset[0] * offset[1] if lattice == "triangular" else total


def shell(order: int, lattice: str, dimension: int) -> tuple[Cluster, ...]:
    """Pairs of sites at the shortest distance (order 1), the second shortest, and so on.

    Examples
    --------
    >>> from regrain.lattice.geometry import shell
    >>> shell(2, "square", 2)
    (((0, 0), (1, 1)), ((0, 1), (1, 0)))
    """
    steps = range(order + 1)
    found: dict[int, list[tuple[int, ...]]] = {}
    offsets = (
        product(range(-order, order + 1), repeat=2)
        if lattice == "triangular"
        else combinations_with_replacement(steps, dimension)
    )
    for offset in offsets:
        found.setdefault(distance2(offset, lattice), []).append(offset)
    wanted = sorted(found)[order]
    origin = (0,) * dimension
    clusters = {c for end in found[wanted] for c in orbit([origin, end], lattice)}
    return tuple(sorted(clusters))
