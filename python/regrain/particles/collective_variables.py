"""Numbers that tell how a few particles stand to each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.parameters import Law

__all__ = [
    "Angle",
    "CollectiveVariable",
    "Coordination",
    "Dihedral",
    "Distance",
    "EndToEnd",
    "Position",
    "RadiusOfGyration",
]

Group = int | Iterable[int]

# Names of columns that every log has.
_TAKEN = (
    "potential_energy",
    "kinetic_energy",
    "temperature",
    "volume",
    "pressure_tensor",
    "conserved_energy",
    "external_energy",
    "external_force",
    "bias_energy",
    "work",
)


class CollectiveVariable(Law):
    """A number that tells how a few particles stand to each other. Immutable; use one of its kinds.

    Particles are given by their index, one or several; a group stands for its centre of mass. It is
    followed from each of its particles to the nearest image of the next, so that it may lie across
    the faces of the box.

    Loses / Assumes
    ---------------
    Particles that stand next to each other in a group are less than half a box apart; a run where
    they are not stops with an error.

    Examples
    --------
    >>> from regrain.particles import Distance
    >>> from regrain.particles.bias import CollectiveVariable
    >>> isinstance(Distance(a=0, b=[1, 2]), CollectiveVariable)
    True
    """

    kind: ClassVar[str] = "variable"
    #: The parameters that are groups.
    groups: ClassVar[tuple[str, ...]] = ("a", "b")
    name: str

    @property
    def axes(self) -> str:
        """The axes of the box that it knows, beyond distances of particles."""
        return ""

    def _check(self) -> None:
        for which in self.groups:
            group = getattr(self, which)
            if group is not None:
                object.__setattr__(self, which, _group(self, which, group))
        given = [getattr(self, which) for which in self.groups]
        groups = [frozenset(group) for group in given if group is not None]
        if len(set(groups)) < len(groups) and not isinstance(self, Coordination):
            raise RegrainError(f"{self!r} names one group twice; give different particles")
        if not isinstance(self.name, str) or self.name in ("", *_TAKEN):
            raise RegrainError(
                f"{type(self).__name__}: name is {self.name!r}, expected one of its own for the "
                "log of the run"
            )

    def _core(self, masses: Any) -> Any:
        groups = [getattr(self, which) for which in self.groups]
        groups = [list(group) for group in groups if group is not None]
        highest = max(max(group) for group in groups)
        if highest >= len(masses):
            raise RegrainError(
                f"{self!r} names particle {highest}, but the state has {len(masses)}, counted from "
                "0"
            )
        weights = [masses[group] for group in groups]
        if not all(np.all(weight > 0) for weight in weights):
            raise RegrainError(f"{self!r} has a particle without mass; give all some")
        return _core.CollectiveVariable(
            kind=getattr(_core.CollectiveVariableKind, self._kind()),
            groups=groups,
            weights=[list(weight / weight.sum()) for weight in weights],
            name=self.name,
            **self._numbers(),
        )

    def _kind(self) -> str:
        letters = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in letters).strip("_")

    def _numbers(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Position(CollectiveVariable):
    """Where a centre is along an axis: in the box, or seen from another centre.

    Parameters
    ----------
    particles : int or sequence of int
    axis : {"x", "y", "z"}
    origin : int or sequence of int, optional
        The particles whose centre it is measured from, by the nearest image; without it the place
        is that in the box, 0 ≤ z < edge.
    name : str
        Of its column in the log.

    Raises
    ------
    RegrainError
        Groups, an axis or a name that are none; in use, an axis of a skewed box that has no period.

    Loses / Assumes
    ---------------
    The particles of each group are neighbours: see `CollectiveVariable`. Without an origin the
    total momentum is not conserved, and it has no part in the virial.

    Examples
    --------
    >>> from regrain.particles import Position
    >>> Position(particles=0, axis="z", origin=[1, 2])
    Position(particles=(0,), origin=(1, 2))
    """

    particles: tuple[int, ...]
    axis: str = "z"
    origin: tuple[int, ...] | None = None
    name: str = "position"

    groups: ClassVar[tuple[str, ...]] = ("particles", "origin")

    if TYPE_CHECKING:  # one particle or any sequence comes in

        def __init__(
            self,
            *,
            particles: Group,
            axis: str = "z",
            origin: Group | None = None,
            name: str = "position",
        ) -> None: ...

    @property
    def axes(self) -> str:
        """Its axis, where it is a place in the box."""
        return self.axis if self.origin is None else ""

    def _check(self) -> None:
        super()._check()
        if self.axis not in ("x", "y", "z"):
            raise RegrainError(f"Position: axis is {self.axis!r}, expected 'x', 'y' or 'z'")

    def _numbers(self) -> dict[str, Any]:
        return {"axis": "xyz".index(self.axis)}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Distance(CollectiveVariable):
    """The distance of two centres, between nearest images.

    Parameters
    ----------
    a, b : int or sequence of int
    name : str
        Of its column in the log.

    Raises
    ------
    RegrainError
        Groups or a name that are none.

    Loses / Assumes
    ---------------
    The particles of each group are neighbours: see `CollectiveVariable`. Beyond half the box it is
    the distance of another image, and its force turns round.

    Examples
    --------
    >>> from regrain.particles import Distance
    >>> Distance(a=0, b=range(1, 4))
    Distance(a=(0,), b=(1, 2, 3))
    """

    a: tuple[int, ...]
    b: tuple[int, ...]
    name: str = "distance"

    if TYPE_CHECKING:

        def __init__(self, *, a: Group, b: Group, name: str = "distance") -> None: ...


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Angle(CollectiveVariable):
    """The angle at the second of three centres, from 0 to π.

    Parameters
    ----------
    a, b, c : int or sequence of int
    name : str
        Of its column in the log.

    Raises
    ------
    RegrainError
        Groups or a name that are none.

    Loses / Assumes
    ---------------
    Where the centres are in a line there is no direction, and no force.

    Examples
    --------
    >>> from regrain.particles import Angle
    >>> Angle(a=0, b=1, c=2)
    Angle(a=(0,), b=(1,), c=(2,))
    """

    a: tuple[int, ...]
    b: tuple[int, ...]
    c: tuple[int, ...]
    name: str = "angle"

    groups: ClassVar[tuple[str, ...]] = ("a", "b", "c")

    if TYPE_CHECKING:

        def __init__(self, *, a: Group, b: Group, c: Group, name: str = "angle") -> None: ...


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dihedral(CollectiveVariable):
    """The dihedral of four centres, from -π to π, 0 for cis.

    Parameters
    ----------
    a, b, c, d : int or sequence of int
    name : str
        Of its column in the log.

    Raises
    ------
    RegrainError
        Groups or a name that are none.

    Loses / Assumes
    ---------------
    Where three of the centres are in a line there is no dihedral, and no force.

    Examples
    --------
    >>> from regrain.particles import Dihedral
    >>> Dihedral(a=0, b=1, c=2, d=3)
    Dihedral(a=(0,), b=(1,), c=(2,), d=(3,))
    """

    a: tuple[int, ...]
    b: tuple[int, ...]
    c: tuple[int, ...]
    d: tuple[int, ...]
    name: str = "dihedral"

    groups: ClassVar[tuple[str, ...]] = ("a", "b", "c", "d")

    if TYPE_CHECKING:

        def __init__(
            self, *, a: Group, b: Group, c: Group, d: Group, name: str = "dihedral"
        ) -> None: ...


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RadiusOfGyration(CollectiveVariable):
    """The radius of gyration of a group, each particle with the weight of its mass.

    Parameters
    ----------
    particles : sequence of int
        In the order of neighbours, such as along a chain.
    name : str
        Of its column in the log.

    Raises
    ------
    RegrainError
        A group or a name that is none.

    Loses / Assumes
    ---------------
    Particles next to each other in the group are neighbours: see `CollectiveVariable`.

    Examples
    --------
    >>> from regrain.particles import RadiusOfGyration
    >>> RadiusOfGyration(particles=range(3))
    RadiusOfGyration(particles=(0, 1, 2))
    """

    particles: tuple[int, ...]
    name: str = "radius_of_gyration"

    groups: ClassVar[tuple[str, ...]] = ("particles",)

    if TYPE_CHECKING:

        def __init__(self, *, particles: Group, name: str = "radius_of_gyration") -> None: ...


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EndToEnd(CollectiveVariable):
    """The distance from the first to the last particle of a chain, followed along the chain.

    It may be longer than the box, which a `Distance` cannot.

    Parameters
    ----------
    particles : sequence of int
        Along the chain.
    name : str
        Of its column in the log.

    Raises
    ------
    RegrainError
        A group or a name that is none.

    Loses / Assumes
    ---------------
    Particles next to each other along the chain are neighbours: see `CollectiveVariable`.

    Examples
    --------
    >>> from regrain.particles import EndToEnd
    >>> EndToEnd(particles=range(3))
    EndToEnd(particles=(0, 1, 2))
    """

    particles: tuple[int, ...]
    name: str = "end_to_end"

    groups: ClassVar[tuple[str, ...]] = ("particles",)

    if TYPE_CHECKING:

        def __init__(self, *, particles: Group, name: str = "end_to_end") -> None: ...


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Coordination(CollectiveVariable):
    """How many particles of one group are around those of another: the sum of 1 / (1 + (r/r0)ⁿ).

    Parameters
    ----------
    a, b : int or sequence of int
        Every pair of one of each counts, by nearest images.
    r0 : float
        Where a pair counts half.
    n : int
        How sharply the count ends.
    name : str
        Of its column in the log.

    Raises
    ------
    RegrainError
        Groups or numbers that are none.

    Loses / Assumes
    ---------------
    Each pair costs time, near or far: for groups of up to a few hundred particles.

    Examples
    --------
    >>> from regrain.particles import Coordination
    >>> Coordination(a=0, b=[1, 2], r0=1.5)
    Coordination(a=(0,), b=(1, 2), r0=1.5)
    """

    a: tuple[int, ...]
    b: tuple[int, ...]
    r0: float
    n: int = 6
    name: str = "coordination"

    if TYPE_CHECKING:

        def __init__(
            self, *, a: Group, b: Group, r0: float, n: int = 6, name: str = "coordination"
        ) -> None: ...

    def _check(self) -> None:
        super()._check()
        self._positive("r0", "n")

    def _numbers(self) -> dict[str, Any]:
        return {"r0": self.r0, "n": self.n}


def _group(variable: CollectiveVariable, which: str, given: Any) -> tuple[int, ...]:
    """Indices of particles, each once and in their order."""
    try:
        group = (index(given),) if not isinstance(given, Iterable) else tuple(map(index, given))
    except TypeError:
        group = ()
    if not group or min(group) < 0 or len(set(group)) < len(group):
        raise RegrainError(
            f"{type(variable).__name__}: {which} is {given!r}, expected the index of a particle, "
            "counted from 0, or different ones"
        )
    return group
