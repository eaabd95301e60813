"""What acts on particles from outside: fields given by formulas or tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.parameters import Law, floats

__all__ = ["AXES", "External", "Field", "FieldTable", "Normal", "Planar"]

Floats = NDArray[np.float64]
Normal = str | tuple[float, float, float]

#: What formulas know of a particle and of the run.
VARIABLES = ("x", "y", "z", "q", "m", "t")
AXES = "xyz"


class External(Law):
    """Something that acts on each particle by itself. Immutable.

    Examples
    --------
    >>> from regrain.particles import Field
    >>> from regrain.particles.external import External
    >>> isinstance(Field("0.5*x^2"), External)
    True
    """

    kind: ClassVar[str] = "external"

    @property
    def axes(self) -> str:
        """The axes that it knows: those it does not are free to be scaled by a barostat."""
        raise NotImplementedError

    def _term(self) -> dict[str, Any]:
        """What the core has of it, without the types."""
        raise NotImplementedError

    def _energy(self, places: Floats, charge: float, mass: float) -> Floats:
        """Energies at places in the cell at the start; NaN where there is none."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Field(External):
    """A field given by a formula: the energy of one particle, or the force on it.

    Formulas have ``+ - * / ^``, comparisons (1 or 0), ``pi``, and the functions sqrt, exp, log,
    sin, cos, tan, asin, acos, atan, atan2, sinh, cosh, tanh, abs, floor, min, max, step (1 from 0
    on) and select(condition, if_true, if_false). They know the place ``x``, ``y``, ``z`` in the
    box, the charge ``q`` and the mass ``m`` of the topology, the time ``t`` since the start of the
    run, and constants by the names that they are given under. The force is the exact derivative of
    the energy, and of an energy that changes in time the work is part of the conserved energy.

    Parameters
    ----------
    energy : str
        The energy of one particle.
    force : sequence of three str
        Instead of an energy the three components of a force: where none exists, as for one that
        drives a flow. It contributes no energy; its work is part of the conserved energy.
    **constants : float
        The constants of the formulas.

    Raises
    ------
    RegrainError
        A formula that is none (with the position in the text, and what there is in place of an
        unknown name), both an energy and a force or none of them; in use, a particle where the
        energy is no finite number.

    Loses / Assumes
    ---------------
    The place is that in the box, each coordinate in 0 ≤ x < edge (in a skewed box, each fractional
    coordinate in 0 ≤ s < 1). An energy that is not the same on opposite faces jumps where particles
    pass them, and energy is not conserved: keep particles away from there, or give a force. Where a
    formula has a jump of its own (step, floor, select) no force tells.

    Fields have no part in the virial: the pressure of a run is what particles do to each other.

    Examples
    --------
    >>> from regrain.particles import Field, ForceField, Particles
    >>> well = Field("0.5*k*(z - z0)^2", k=2.0, z0=4.0)
    >>> well
    Field('0.5*k*(z - z0)^2', k=2.0, z0=4.0)
    >>> field = ForceField({("A", "A"): None}, external={"A": well})
    >>> found = field.evaluate(Particles([[0, 0, 1.0]], box=[9, 9, 9]))
    >>> found, found.forces.tolist()
    (Evaluation(energy 9: external 9), [[0.0, 0.0, 6.0]])
    >>> Field(force=("f", "0", "0"), f=0.1)
    Field(force=('f', '0', '0'), f=0.1)
    >>> Field("0.5*k*r^2", k=1.0)
    Traceback (most recent call last):
        ...
    regrain.errors.RegrainError: formula "0.5*k*r^2", position 7: there is no "r"; there are...
    """

    energy: str | None
    force: tuple[str, str, str] | None
    constants: Mapping[str, float]

    fitted: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        energy: str | None = None,
        *,
        force: Iterable[str] | None = None,
        **constants: float,
    ) -> None:
        if (energy is None) == (force is None):
            raise RegrainError(
                'Field: give an energy, Field("0.5*k*z^2", k=1.0), or three components of a force, '
                'Field(force=("f", "0", "0"), f=1.0)'
            )
        texts = [energy] if force is None else [force] if isinstance(force, str) else list(force)
        if len(texts) not in (1, 3) or not all(isinstance(text, str) for text in texts):
            raise RegrainError(
                f"Field: got {energy if force is None else force!r}, expected a formula as text, "
                "or three of a force"
            )
        if force is not None and len(texts) != 3:
            raise RegrainError(f"Field: force={force!r}: give three formulas, of x, y and z")
        numbers = {}
        for name, value in constants.items():
            try:
                numbers[name] = float(value)
            except (TypeError, ValueError) as error:
                raise RegrainError(
                    f"Field: the constant {name} is {value!r}, expected a number"
                ) from error
        object.__setattr__(self, "energy", energy)
        object.__setattr__(self, "force", None if force is None else tuple(texts))
        object.__setattr__(self, "constants", numbers)
        self._expression()

    @property
    def texts(self) -> tuple[str, ...]:
        """The formula of the energy, or those of the three components of the force."""
        return self.force if self.energy is None else (self.energy,)  # type: ignore[return-value]

    def _expression(self) -> Any:
        return _core.Expression(
            list(self.texts), variables=list(VARIABLES), constants=dict(self.constants), by=[]
        )

    @property
    def axes(self) -> str:
        """The axes that it knows."""
        formula = self._expression()
        pushed = (
            ""
            if self.force is None
            else "".join(
                axis for axis, text in zip(AXES, self.force, strict=True) if text.strip() != "0"
            )
        )
        known = [axis for k, axis in enumerate(AXES) if formula.uses(k) or axis in pushed]
        return "".join(known)

    def scaled(self, factor: float) -> Field:
        """The same with the energy, or the force, times a factor."""
        texts = [f"{float(factor)!r}*({text})" for text in self.texts]
        given = {"energy": texts[0]} if self.force is None else {"force": texts}
        arguments: dict[str, Any] = {**given, **self.constants}
        return Field(**arguments)

    def to_dict(self) -> dict[str, Any]:
        """The formulas and the constants under their names: JSON-able."""
        held: dict[str, Any] = {"potential": "Field"}
        held |= {"energy": self.energy} if self.force is None else {"force": list(self.force)}
        return held | dict(self.constants)

    def __repr__(self) -> str:
        shown = [repr(self.energy) if self.force is None else f"force={self.force!r}"]
        shown += [f"{name}={value!r}" for name, value in self.constants.items()]
        return f"Field({', '.join(shown)})"

    def _energy(self, places: Floats, charge: float, mass: float) -> Floats:
        if self.energy is None:
            return np.zeros(len(places))
        others = np.tile([charge, mass, 0.0], (len(places), 1))
        points = np.concatenate([places, others], axis=1)
        energies: Floats = self._expression().evaluate(points)[:, 0]
        return energies

    def _term(self) -> dict[str, Any]:
        law = _core.FormulaField(texts=list(self.texts), constants=dict(self.constants))
        return {"field": law, "name": repr(self), "remedy": ""}


class Planar(External):
    """What depends on the distance from a plane. Immutable; use one of its kinds.

    Examples
    --------
    >>> from regrain.particles import HarmonicWall
    >>> from regrain.particles.external import Planar
    >>> isinstance(HarmonicWall("+z", at=1.0, k=10.0, cutoff=1.0), Planar)
    True
    """

    normal: Normal
    at: float

    def _check_plane(self) -> None:
        given: Any = self.normal
        if isinstance(given, str):
            if given.lstrip("+-") not in tuple(AXES) or len(given) > 2:
                raise RegrainError(
                    f'{type(self).__name__}: normal is {given!r}, expected "+x", "-z" and the '
                    "like, or three components"
                )
        else:
            try:
                vector = tuple(float(v) for v in given)
            except (TypeError, ValueError):
                vector = ()
            if len(vector) != 3 or not np.isfinite(vector).all() or not any(vector):
                raise RegrainError(
                    f"{type(self).__name__}: normal is {given!r}, expected three numbers, not all "
                    'zero, or "+x", "-z" and the like'
                )
            object.__setattr__(self, "normal", vector)
        self._finite("at")

    @property
    def direction(self) -> Floats:
        """The unit vector from the plane to where particles are."""
        if isinstance(self.normal, str):
            sign = -1.0 if self.normal.startswith("-") else 1.0
            vector = sign * np.eye(3)[AXES.index(self.normal[-1])]
        else:
            vector = np.array(self.normal, dtype=float)
        unit: Floats = vector / float(np.linalg.norm(vector))
        return unit

    @property
    def offset(self) -> float:
        """The plane is where direction · r is this."""
        turned = isinstance(self.normal, str) and self.normal.startswith("-")
        return -self.at if turned else self.at

    @property
    def axes(self) -> str:
        """The axes that it knows."""
        return "".join(axis for axis, part in zip(AXES, self.direction, strict=True) if part)

    def distances(self, positions: ArrayLike) -> Floats:
        """How far from the plane places in the box are.

        Examples
        --------
        >>> from regrain.particles import HarmonicWall
        >>> HarmonicWall("-z", at=9.0, k=1.0, cutoff=1.0).distances([[0, 0, 7]]).tolist()
        [2.0]
        """
        along: Floats = np.asarray(positions, dtype=float) @ self.direction
        distances: Floats = along - self.offset
        return distances


@dataclass(frozen=True, eq=False, repr=False)
class FieldTable(Planar):
    """An energy on a uniform grid of distances from a plane: a profile, or a wall.

    Between the points it is a natural cubic spline, or, when forces are given, the cubic Hermite
    interpolant of both; the force that runs is the gradient of that energy.

    Parameters
    ----------
    normal : str or sequence of three float
        The direction in which distances grow: ``"+z"`` upwards, ``"-z"`` downwards.
    low, high : float
        First and last point of the grid.
    energy : array_like, shape (points,)
        Energies of one particle, at least 3.
    forces : array_like, shape (points,), optional
        Minus the derivatives of the energy.
    at : float
        Where the plane is: x, y or z for a normal along an axis, else normal · r with the normal
        made a unit vector.
    beyond : {"error", "zero"}
        What is above ``high``: nothing that is allowed, or a wall that does not act there any more
        (shift its energies so that they end with zero). Below ``low`` is an error.

    Raises
    ------
    RegrainError
        A range that makes no grid, values that are not finite; in use, a particle outside.

    Loses / Assumes
    ---------------
    The place is that in the box: an energy that is not the same on opposite faces jumps where
    particles pass them. Nothing is known between the points but that it is smooth.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import FieldTable, ForceField, Particles
    >>> z = np.linspace(0, 9, 91)
    >>> wave = FieldTable("+z", low=0.0, high=9.0, energy=np.sin(2 * np.pi * z / 9))
    >>> field = ForceField({("A", "A"): None}, external={"A": wave})
    >>> field.evaluate(Particles([[1, 2, 2.25]], box=[9, 9, 9]))
    Evaluation(energy 1: external 1)
    """

    normal: Normal
    _: KW_ONLY
    low: float
    high: float
    energy: Floats
    forces: Floats | None = None
    at: float = 0.0
    beyond: str = "error"

    if TYPE_CHECKING:  # anything like an array comes in, arrays are kept

        def __init__(
            self,
            normal: Normal,
            *,
            low: float,
            high: float,
            energy: ArrayLike,
            forces: ArrayLike | None = None,
            at: float = 0.0,
            beyond: str = "error",
        ) -> None: ...

    def _check(self) -> None:
        self._check_plane()
        self._finite("low", "high")
        if self.beyond not in ("error", "zero"):
            raise RegrainError(f'beyond: got {self.beyond!r}, expected "error" or "zero"')
        for name in ("energy", "forces"):
            given = getattr(self, name)
            if given is None:
                continue
            values = floats(f"FieldTable: {name}", given, "a number for each point").copy()
            if values.ndim != 1:
                raise RegrainError(
                    f"FieldTable: {name} has shape {values.shape}, expected one number per point"
                )
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        self._term()

    def _energy(self, places: Floats, charge: float, mass: float) -> Floats:
        s = self.distances(places)
        slopes = None if self.forces is None else -self.forces
        table = _core.TabulatedBonded(
            x_min=self.low, x_max=self.high, values=self.energy, slopes=slopes
        )
        inside = _core.evaluate_bond(table, np.clip(s, self.low, self.high))[0]
        above = 0.0 if self.beyond == "zero" else np.nan
        return np.where(s < self.low, np.nan, np.where(s > self.high, above, inside))

    def _term(self) -> dict[str, Any]:
        law = _core.TableField(
            normal=self.direction.tolist(),
            offset=self.offset,
            x_min=self.low,
            x_max=self.high,
            values=self.energy,
            slopes=None if self.forces is None else -self.forces,
            ends=self.beyond == "zero",
        )
        return {"field": law, "name": repr(self), "remedy": "give a table of all places, or walls"}
