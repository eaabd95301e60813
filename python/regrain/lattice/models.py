"""Ising, Potts, Blume-Capel, clock and XY models with couplings of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.lattice.couplings import Couplings
from regrain.lattice.geometry import Cluster
from regrain.lattice.model import LatticeModel

__all__ = ["XY", "BlumeCapel", "Clock", "Ising", "Potts"]

_MOST_STATES = 127


def _refuse(values: NDArray[Any], bad: NDArray[np.bool_], expected: str) -> None:
    if bad.any():
        place = tuple(np.argwhere(bad)[0].tolist())
        raise RegrainError(f"the spin at {place} is {values[place]}, expected {expected}")


@dataclass(frozen=True, eq=False, repr=False)
class Ising(LatticeModel):
    """Spins -1 and 1; a cluster adds the product of its spins.

    Parameters
    ----------
    shape : sequence of int
        Sites along each axis.
    couplings : mapping of str or Coupling to float
        Reduced couplings (J / k_B T; positive favours alignment). Names: ``"field"``; pairs by
        distance ``"nn"``, ``"nnn"``, ``"third"``, ``"fourth"``, ``"fifth"``; ``"three"`` (a corner
        of two bonds, on a triangular lattice the elementary triangle, on a chain three in a row),
        ``"plaquette"`` (the square, on a triangular lattice the rhombus), ``"cube"``; or a
        `Coupling` for any other cluster. Each distinct cluster counts once.
    lattice : str, optional
        ``"chain"``, ``"square"``, ``"triangular"``, ``"cubic"`` or ``"hypercubic"``; by the number
        of axes when omitted.
    periodic : bool or sequence of bool
        Whether the lattice closes on itself, for all axes or for each.

    Raises
    ------
    RegrainError
        Unknown names, couplings that are no finite numbers or that hold the same cluster twice, a
        lattice that is too small for their range.

    Examples
    --------
    >>> from regrain.lattice import Ising
    >>> model = Ising((64, 64), couplings={"nn": 0.4406868, "field": 0.01})
    >>> model
    Ising(shape=(64, 64), couplings={'nn': 0.4406868, 'field': 0.01})
    >>> float(model.energy(model.start("up"))) / model.size
    -0.8913736
    """

    if TYPE_CHECKING:  # sequences come in, tuples are kept

        def __init__(
            self,
            shape: Sequence[int] | int,
            *,
            couplings: Couplings,
            lattice: str | None = None,
            periodic: bool | Sequence[bool] = True,
        ) -> None: ...

    def _check_values(self, values: NDArray[Any]) -> None:
        _refuse(values, np.abs(values) != 1, "-1 or 1")

    def cluster_values(self, spins: Sequence[NDArray[Any]] | NDArray[Any]) -> NDArray[Any]:
        """The products of the spins of each cluster."""
        return reduce(np.multiply, spins)

    @property
    def site_values(self) -> NDArray[np.int8] | None:
        """The values that a spin may have, in order."""
        return np.array([-1, 1], np.int8)

    def _random(self, generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        return (2 * generator.integers(0, 2, shape, dtype=np.int8) - 1).astype(np.int8)

    def _ordered(self, shape: tuple[int, ...]) -> NDArray[Any]:
        return np.ones(shape, np.int8)


@dataclass(frozen=True, eq=False, repr=False)
class BlumeCapel(LatticeModel):
    """Spins -1, 0 and 1; a cluster adds the product of its spins.

    Parameters
    ----------
    shape, couplings, lattice, periodic
        As in `Ising`, with the further names ``"crystal"``, the sum of squares of spins (minus
        the crystal field), and ``"biquadratic"``, that over nearest neighbours of their products
        (Blume-Emery-Griffiths). A `Coupling` that names a site twice has the square of its spin.

    Raises
    ------
    RegrainError
        As in `Ising`; a site that is named more than twice.

    Examples
    --------
    >>> from regrain.lattice import BlumeCapel
    >>> model = BlumeCapel((4, 4), couplings={"nn": 1.0, "crystal": -1.9})
    >>> model.sums(model.start("up")).tolist()
    [32.0, 16.0]
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            shape: Sequence[int] | int,
            *,
            couplings: Couplings,
            lattice: str | None = None,
            periodic: bool | Sequence[bool] = True,
        ) -> None: ...

    def _check_clusters(self, name: str, clusters: Sequence[Cluster]) -> None:
        for cluster in clusters:
            if any(cluster.count(site) > 2 for site in cluster):
                raise RegrainError(
                    f"coupling {name!r} names a site more than twice; the third power of a spin "
                    "is the spin itself, so name it once"
                )

    def _check_values(self, values: NDArray[Any]) -> None:
        _refuse(values, (np.abs(values) != 1) & (values != 0), "-1, 0 or 1")

    def cluster_values(self, spins: Sequence[NDArray[Any]] | NDArray[Any]) -> NDArray[Any]:
        """The products of the spins of each cluster."""
        return reduce(np.multiply, spins)

    @property
    def site_values(self) -> NDArray[np.int8] | None:
        """The values that a spin may have, in order."""
        return np.array([-1, 0, 1], np.int8)

    def _random(self, generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        return generator.integers(-1, 2, shape, dtype=np.int8)

    def _ordered(self, shape: tuple[int, ...]) -> NDArray[Any]:
        return np.ones(shape, np.int8)


class _Symmetric(LatticeModel):
    """Models whose symmetry is broken by a field alone."""

    def _even(self, cluster: Cluster) -> bool:
        return len(cluster) > 1


@dataclass(frozen=True, eq=False, repr=False)
class Potts(_Symmetric):
    """Spins of q states; a cluster adds 1 if all its spins are in the same state, else 0.

    Parameters
    ----------
    shape, couplings, lattice, periodic
        As in `Ising`; the ``"field"`` adds 1 for each spin in state 0.
    q : int
        Number of states, 2 to 127; spins are 0 ... q - 1.

    Raises
    ------
    RegrainError
        As in `Ising`; a number of states out of range.

    Examples
    --------
    >>> from regrain.lattice import Potts
    >>> Potts((8, 8), q=3, couplings={"nn": 1.005})
    Potts(shape=(8, 8), couplings={'nn': 1.005}, q=3)
    """

    q: int = field(kw_only=True)

    if TYPE_CHECKING:

        def __init__(
            self,
            shape: Sequence[int] | int,
            *,
            couplings: Couplings,
            q: int,
            lattice: str | None = None,
            periodic: bool | Sequence[bool] = True,
        ) -> None: ...

    def _check(self) -> None:
        object.__setattr__(self, "q", _states(self))

    def _check_values(self, values: NDArray[Any]) -> None:
        _refuse_states(values, self.q)

    def cluster_values(self, spins: Sequence[NDArray[Any]] | NDArray[Any]) -> NDArray[Any]:
        """Whether all spins of each cluster are alike; whether a single one is in state 0."""
        if len(spins) == 1:
            first: NDArray[Any] = spins[0] == 0
            return first
        return reduce(np.logical_and, [other == spins[0] for other in spins[1:]])

    @property
    def site_values(self) -> NDArray[np.int8] | None:
        """The values that a spin may have, in order."""
        return np.arange(self.q, dtype=np.int8)

    def _random(self, generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        return generator.integers(0, self.q, shape, dtype=np.int8)

    def _ordered(self, shape: tuple[int, ...]) -> NDArray[Any]:
        return np.zeros(shape, np.int8)


class _Planar(_Symmetric):
    """Spins that are angles: a pair adds the cosine of their difference, a field that of each."""

    def _check_clusters(self, name: str, clusters: Sequence[Cluster]) -> None:
        super()._check_clusters(name, clusters)
        if len(clusters[0]) > 2:
            raise RegrainError(
                f"coupling {name!r} has {len(clusters[0])} sites; angles of {type(self).__name__} "
                "spins couple in pairs, or to a field"
            )

    def _angles(self, spins: NDArray[Any]) -> NDArray[Any]:
        return spins

    def cluster_values(self, spins: Sequence[NDArray[Any]] | NDArray[Any]) -> NDArray[Any]:
        """Cosines of the differences of two angles, or of single ones."""
        angles = [self._angles(one) for one in spins]
        cosines: NDArray[Any] = np.cos(angles[0] - angles[1] if len(angles) == 2 else angles[0])
        return cosines


@dataclass(frozen=True, eq=False, repr=False)
class Clock(_Planar):
    """Spins of q angles 2πs/q; a pair adds the cosine of their difference.

    Parameters
    ----------
    shape, couplings, lattice, periodic
        As in `Ising`, but for pairs of sites and the ``"field"``, which adds the cosine of each
        angle.
    q : int
        Number of angles, 2 to 127; spins are 0 ... q - 1.

    Raises
    ------
    RegrainError
        As in `Ising`; a number of states out of range, a coupling of more than two sites.

    Examples
    --------
    >>> from regrain.lattice import Clock
    >>> model = Clock((4, 4), q=6, couplings={"nn": 1.0})
    >>> float(model.energy(model.start("up")))
    -32.0
    """

    q: int = field(kw_only=True)

    if TYPE_CHECKING:

        def __init__(
            self,
            shape: Sequence[int] | int,
            *,
            couplings: Couplings,
            q: int,
            lattice: str | None = None,
            periodic: bool | Sequence[bool] = True,
        ) -> None: ...

    def _check(self) -> None:
        object.__setattr__(self, "q", _states(self))

    def _check_values(self, values: NDArray[Any]) -> None:
        _refuse_states(values, self.q)

    def _angles(self, spins: NDArray[Any]) -> NDArray[Any]:
        return (2 * np.pi / self.q) * spins

    @property
    def site_values(self) -> NDArray[np.int8] | None:
        """The values that a spin may have, in order."""
        return np.arange(self.q, dtype=np.int8)

    def _random(self, generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        return generator.integers(0, self.q, shape, dtype=np.int8)

    def _ordered(self, shape: tuple[int, ...]) -> NDArray[Any]:
        return np.zeros(shape, np.int8)


@dataclass(frozen=True, eq=False, repr=False)
class XY(_Planar):
    """Spins that are angles; a pair adds the cosine of their difference.

    Parameters
    ----------
    shape, couplings, lattice, periodic
        As in `Ising`, but for pairs of sites and the ``"field"``, which adds the cosine of each
        angle.
        Spins are floats, in radians.

    Raises
    ------
    RegrainError
        As in `Ising`; a coupling of more than two sites.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.lattice import XY
    >>> model = XY((4, 4), couplings={"nn": 1.0})
    >>> float(model.energy(np.full((4, 4), 0.3)))
    -32.0
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            shape: Sequence[int] | int,
            *,
            couplings: Couplings,
            lattice: str | None = None,
            periodic: bool | Sequence[bool] = True,
        ) -> None: ...

    def _check_values(self, values: NDArray[Any]) -> None:
        if values.dtype != np.float64:
            raise RegrainError("the spins are whole numbers, expected angles in radians, as floats")

    @property
    def site_values(self) -> NDArray[np.int8] | None:
        """The values that a spin may have, in order: none, as they are continuous."""
        return None

    def _random(self, generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        return generator.uniform(-np.pi, np.pi, shape)

    def _ordered(self, shape: tuple[int, ...]) -> NDArray[Any]:
        return np.zeros(shape)


def _states(model: Any) -> int:
    try:
        q = index(model.q)
    except TypeError:
        q = 0
    if not 2 <= q <= _MOST_STATES:
        raise RegrainError(
            f"q: got {model.q!r} states, expected a whole number from 2 to {_MOST_STATES}"
        )
    return q


def _refuse_states(values: NDArray[Any], q: int) -> None:
    if values.dtype != np.int8:
        _refuse(values, values != np.rint(values), "a whole number")
    _refuse(values, (values < 0) | (values >= q), f"0 to {q - 1}")
