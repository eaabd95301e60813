"""What acts from outside in a force field: which fields and walls on which types."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.external import AXES, External
from regrain.particles.parameters import Law, law_from_dict
from regrain.particles.state import Particles
from regrain.particles.walls import HardWall, Wall

__all__ = ["ExternalTerms", "warn_of_jumps"]

Floats = NDArray[np.float64]

# Places at which faces of the box are looked at.
_SAMPLES = 500
# In kT: what particles do not climb, and a jump that nobody would notice.
_BARRIER, _JUMP = 15.0, 0.01


@dataclass(frozen=True, eq=False, repr=False)
class ExternalTerms(Law):
    """What acts from outside on particles of each type; ``"*"`` is all of them.

    A `ForceField` makes it of its argument ``external``.

    Parameters
    ----------
    terms : mapping of str to External or sequence of External

    Raises
    ------
    RegrainError
        Something that is no field or wall.

    Examples
    --------
    >>> from regrain.particles import Field
    >>> from regrain.particles.external_terms import ExternalTerms
    >>> ExternalTerms({"A": Field("x^2"), "*": [Field(force=("1", "0", "0"))]})
    {'*': [Field(force=('1', '0', '0'))], 'A': [Field('x^2')]}
    """

    terms: Mapping[str, tuple[External, ...]]

    if TYPE_CHECKING:

        def __init__(self, terms: Any) -> None: ...

    def _check(self) -> None:
        given: Any = self.terms
        if not isinstance(given, Mapping):
            raise RegrainError(
                f"external: got {given!r}, expected fields and walls by type, such as "
                '{"A": [Field("0.5*k*z^2", k=1.0)]}, or "*" for all types'
            )
        kept = {}
        for name, laws in sorted(given.items(), key=lambda item: str(item[0])):
            each = [laws] if isinstance(laws, Law | Mapping) else list(laws)
            each = [law_from_dict(law) if isinstance(law, Mapping) else law for law in each]
            wrong = [law for law in each if not isinstance(law, External)]
            if not isinstance(name, str) or wrong:
                raise RegrainError(
                    f"external[{name!r}]: got {(wrong or [name])[0]!r}, expected a type name (or "
                    '"*") with fields and walls'
                )
            kept[name] = tuple(each)
        object.__setattr__(self, "terms", kept)

    @classmethod
    def of(cls, given: Any, pairs: Mapping[tuple[str, ...], Any]) -> ExternalTerms | None:
        """What an argument of a force field with these pairs means; None for nothing.

        Raises
        ------
        RegrainError
            A type that no pair names, and that therefore no state can have: no state asks for a
            field, so that a name that is misspelt would go unnoticed.
        """
        made = given if given is None or isinstance(given, cls) else cls(given)
        if made is None or not len(made):
            return None
        known = {name for key in pairs for name in key}
        unknown = sorted(set(made.terms) - known - {"*"})
        if unknown:
            raise RegrainError(
                f"external[{unknown[0]!r}]: no pair names this type (they name: "
                f'{", ".join(sorted(known)) or "none"}); give one of them, or "*" for all'
            )
        return made

    def __iter__(self) -> Iterator[tuple[str, External]]:
        return iter([(name, law) for name, laws in self.terms.items() for law in laws])

    def __len__(self) -> int:
        return sum(len(laws) for laws in self.terms.values())

    def __repr__(self) -> str:
        return repr({name: list(laws) for name, laws in self.terms.items()})

    def __str__(self) -> str:
        return repr(self)

    def scaled(self, factor: float) -> ExternalTerms:
        """The same with all energies and forces times a factor."""
        return ExternalTerms(
            {name: [law.scaled(factor) for law in laws] for name, laws in self.terms.items()}
        )

    def to_dict(self) -> dict[str, Any]:
        """The laws by type: JSON-able."""
        terms = {name: [law.to_dict() for law in laws] for name, laws in self.terms.items()}
        return {"potential": "ExternalTerms", "terms": terms}

    def attach(self, field: Any, state: Particles, *, cutoff: float) -> None:
        """Give it to a force field of the core, for the particles of a state.

        Raises
        ------
        RegrainError
            Walls that overlap, particles beyond a wall.
        """
        topology = state.topology
        self.check_walls(state, cutoff)
        terms = []
        for name, law in self:
            acts_on = [1 if name in (each, "*") else 0 for each in topology.type_names]
            terms.append(_core.ExternalTerm(acts_on=acts_on, **law._term()))
        field.set_external(terms, charges=topology.charges, masses=topology.masses)

    def check_walls(self, state: Particles, cutoff: float) -> None:
        """That walls leave room for the particles, and are further apart than something reaches.

        Raises
        ------
        RegrainError
            Walls that overlap, particles beyond a wall.

        Examples
        --------
        >>> from regrain.particles import Particles, ReflectingWall
        >>> from regrain.particles.external_terms import ExternalTerms
        >>> walls = ExternalTerms({"A": ReflectingWall("+z", at=1.0)})
        >>> walls.check_walls(Particles([[1, 1, 3]], box=[9, 9, 9]), cutoff=1.0)
        """
        _check_walls(self, state, cutoff)


def _check_walls(terms: ExternalTerms, state: Particles, cutoff: float) -> None:
    walls = [(name, law) for name, law in terms if isinstance(law, Wall)]
    types = state.topology.types
    for _, wall in walls:
        if isinstance(wall, HardWall):
            wall.check_box(state.box)
    for k, (name, wall) in enumerate(walls):
        for other_name, other in walls[:k]:
            shared = name == other_name or "*" in (name, other_name)
            if not shared or not np.allclose(wall.direction, -other.direction, atol=1e-12):
                continue
            room = -(wall.offset + other.offset)
            if room <= 0:
                raise RegrainError(
                    f"{other!r} and {wall!r} leave no room between them: their planes are "
                    f"{-room:g} too far into each other; the normal points to where particles are"
                )
            _check_outside(wall, other, room, state, cutoff)
    for name, wall in walls:
        mine = np.flatnonzero((types == name) | (name == "*"))
        distances = wall.distances(_in_cell(state)[mine])
        # On its plane a wall with an energy has none; one to bounce off sends particles away.
        beyond = mine[distances < 0 if isinstance(wall, HardWall) else distances <= 0]
        if len(beyond):
            raise RegrainError(
                f"{wall!r}: {len(beyond)} of {len(mine)} particles are beyond the wall, the first "
                f"is {beyond[0]} at {_in_cell(state)[beyond[0]].tolist()} in the box; begin with "
                "all on its side"
            )


def _check_outside(wall: Wall, other: Wall, room: float, state: Particles, cutoff: float) -> None:
    """That particles at one wall do not feel those at the other across the face of the box."""
    along = np.flatnonzero(wall.direction)
    upright = np.count_nonzero(state.box - np.diag(np.diag(state.box))) == 0
    if len(along) != 1 or not (upright or along[0] == 2):
        return
    edge = float(state.box[along[0], along[0]])
    outside = edge - room
    if outside < 0:
        raise RegrainError(
            f"{other!r} and {wall!r} do not fit into the box, whose edge along {AXES[along[0]]} is "
            f"{edge:g}: their planes are {room:g} apart"
        )
    if outside < cutoff:
        raise RegrainError(
            f"{other!r} and {wall!r} leave {outside:g} of the box outside of them, less than the "
            f"cutoff of {cutoff:g}: particles at one wall would feel those at the other through "
            f"the face of the box; make the box longer along {AXES[along[0]]}, "
            f"by {cutoff - outside:g}"
        )


def warn_of_jumps(terms: ExternalTerms, state: Particles, kt: float) -> None:
    """A warning where energies jump at faces of the box that particles get to.

    Examples
    --------
    >>> from regrain.particles import Field, Particles
    >>> from regrain.particles.external_terms import ExternalTerms, warn_of_jumps
    >>> periodic = ExternalTerms({"A": Field("sin(2*pi*x/9)")})
    >>> warn_of_jumps(periodic, Particles([[1, 1, 1]], box=[9, 9, 9]), kt=1.0)
    """
    generator = np.random.default_rng(1)
    topology = state.topology
    for name in topology.type_names:
        laws = [law for key, law in terms if key in (name, "*")]
        mine = topology.types == name
        charge, mass = topology.charges[mine].mean(), topology.masses[mine].mean()

        def energy(places: Floats, laws: Any = laws, q: float = charge, m: float = mass) -> Floats:
            total = sum((law._energy(places, q, m) for law in laws), np.zeros(len(places)))
            return np.where(np.isfinite(total), total, np.inf)

        inside = generator.uniform(size=(_SAMPLES, 3)) @ state.box
        lowest = min(energy(inside).min(), energy(_in_cell(state)[mine]).min())
        for k, axis in enumerate(AXES):
            fractions = generator.uniform(size=(_SAMPLES, 3))
            ends = []
            for face in (0.0, 1.0 - 1e-12):
                fractions[:, k] = face
                ends.append(energy(fractions @ state.box))
            low, high = (np.minimum(end, lowest + 2 * _BARRIER * kt) for end in ends)
            reached = np.maximum(low, high) < lowest + _BARRIER * kt
            jump = np.where(reached, np.abs(high - low), 0.0)
            if jump.max() > _JUMP * kt:
                at = (fractions @ state.box)[np.argmax(jump)].round(3).tolist()
                warnings.warn(
                    f"the energy of {name} in external fields jumps by {jump.max():.3g} for "
                    f"particles that pass the face of the box along {axis} at {at}, where no force "
                    "tells: it is a function of the place in the box; make it periodic, put walls "
                    "there, or give a force (Field(force=...))",
                    RuntimeWarning,
                    stacklevel=2,
                )


def _in_cell(state: Particles) -> Floats:
    fractions = state.positions @ np.linalg.inv(state.box)
    return cast(Floats, (fractions - np.floor(fractions)) @ state.box)
