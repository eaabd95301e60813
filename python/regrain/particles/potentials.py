"""Potentials between particles: what they are as functions, and tables of pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.parameters import Law
from regrain.plotting import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Potential", "Table"]

Floats = NDArray[np.float64]
Kind = Literal["pair", "bond", "angle", "dihedral"]

_EVALUATE: dict[Kind, Any] = {
    "pair": _core.evaluate_pair,
    "bond": _core.evaluate_bond,
    "angle": _core.evaluate_angle,
    "dihedral": _core.evaluate_dihedral,
}
_COORDINATE = {"pair": "r", "bond": "r", "angle": "theta", "dihedral": "phi"}


class Potential(Law):
    """A function of one coordinate: a distance, or an angle in radians. Immutable.

    ``u`` and ``force`` run the very code that the engine runs.

    Examples
    --------
    >>> from regrain.particles import HarmonicBond
    >>> HarmonicBond(k=2.0, r0=1.0).u(2.0)
    1.0
    """

    kind: ClassVar[Kind]

    def domain(self) -> tuple[float, float]:
        """A range of the coordinate worth looking at, for plots."""
        raise NotImplementedError

    def u(self, x: ArrayLike) -> Any:
        """Energy at the points x; a scalar for a scalar, else an array of the shape of x."""
        return self._evaluate(x)[0]

    def force(self, x: ArrayLike) -> Any:
        """-du/dx at the points x; a scalar for a scalar, else an array of the shape of x."""
        return self._evaluate(x)[1]

    def _evaluate(self, x: ArrayLike) -> tuple[Any, Any]:
        points = np.asarray(x, dtype=float)
        if not np.all(np.isfinite(points)):
            raise RegrainError("a potential was asked for at a coordinate that is not finite")
        shaped = tuple(a.reshape(points.shape) for a in self._values(points.reshape(-1)))
        return shaped if points.ndim else tuple(float(a) for a in shaped)  # type: ignore[return-value]

    def _values(self, points: Floats) -> tuple[Floats, Floats]:
        return cast(tuple[Floats, Floats], _EVALUATE[self.kind](self._engine(), points))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the energy; returns the axes.

        Raises
        ------
        MissingPackageError
            matplotlib is not installed.
        """
        ax = axes(ax)
        x = np.linspace(*self.domain(), 400)
        ax.plot(x, self.u(x))
        ax.set_xlabel(_COORDINATE[self.kind])
        ax.set_ylabel("u")
        return ax


def grid_values(owner: Law, name: str, given: Any, points: int) -> Any:
    """Values on the grid of a table as a read-only array, checked; None stays None."""
    if given is None:
        return None
    values = np.array(given, dtype=float)
    if values.shape != (points,):
        raise RegrainError(f"{name} has shape {values.shape}, expected ({points},): one per point")
    if not np.all(np.isfinite(values)):
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
        raise RegrainError(
            f"{name}[{bad}] of a {type(owner).__name__} is {values[bad]}; extrapolate it to a "
            "finite number"
        )
    values.flags.writeable = False
    return values


def energy_of(table: Any) -> Floats:
    """The energies of a table; an error for one that is still a form."""
    if table.energy is None:
        raise RegrainError(
            f"{table!r} has no energies yet: it is a form to be fitted; give energy=..., one value "
            "per point of its grid"
        )
    energy: Floats = table.energy
    return energy


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Table(Potential):
    """A pair potential on a uniform grid of distances; without energies, a form to be fitted.

    Between the points it is a natural cubic spline, or, when forces are given, the cubic Hermite
    interpolant of both; the force that runs is the gradient of that energy. Beyond ``r_max`` it is
    zero: shift the energies so that they end with zero, or a jump is left there whose force no
    integrator sees.

    Parameters
    ----------
    r_min, r_max : float
        First and last point of the grid; r_max is the cutoff.
    points : int
        Number of points, at least 3.
    energy, forces : array_like, shape (points,), optional
        Energies, and -du/dr.
    core : {"linear", "error"}
        What holds below ``r_min``: a force that goes on linearly with the slope it has at r_min
        (where the table does not end in a repulsion that grows inwards, steeply enough to be
        repulsive below half of r_min: stiffness 2 abs(F) / r_min); or an error that names the pair.

    Raises
    ------
    RegrainError
        A range or number of points that makes no grid, values that are not finite.

    Loses / Assumes
    ---------------
    The linear core is a way to get out of a bad start, not physics: a run that visits it often
    needs a table from smaller distances.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import Table
    >>> form = Table(r_min=0.5, r_max=1.5, points=101)
    >>> table = form.with_energy((1.5 - form.grid) ** 2)
    >>> round(table.u(1.0), 6), round(table.force(1.0), 6)
    (0.25, 1.0)
    """

    r_min: float
    r_max: float
    points: int
    energy: Floats | None = None
    forces: Floats | None = None
    core: str = "linear"

    kind: ClassVar[Kind] = "pair"

    def _check(self) -> None:
        self._positive("r_max")
        if not (np.isfinite(self.r_min) and 0 <= self.r_min < self.r_max):
            raise RegrainError(f"{self!r}: r_min must be at least 0 and below r_max")
        if self.points < 3:
            raise RegrainError(f"{self!r}: a table needs at least 3 points")
        if self.core not in ("linear", "error"):
            raise RegrainError(f'core: got {self.core!r}, expected "linear" or "error"')
        for name in ("energy", "forces"):
            values = grid_values(self, name, getattr(self, name), self.points)
            object.__setattr__(self, name, values)
        if self.forces is not None and self.energy is None:
            raise RegrainError("a table with forces needs energies, too: give energy=...")

    @property
    def grid(self) -> Floats:
        """The distances, shape (points,)."""
        return np.linspace(self.r_min, self.r_max, self.points)

    @property
    def cutoff(self) -> float:
        """Beyond it the potential is zero."""
        return self.r_max

    def with_energy(self, energy: ArrayLike, *, forces: ArrayLike | None = None) -> Table:
        """The same grid with energies (and forces)."""
        return replace(self, energy=np.asarray(energy, dtype=float), forces=cast(Any, forces))

    def _engine(self) -> Any:
        r_min, energy, forces = self._extended()
        slopes = None if forces is None else -forces
        return _core.TabulatedPair(x_min=r_min, x_max=self.r_max, values=energy, slopes=slopes)

    def _extended(self) -> tuple[float, Floats, Floats | None]:
        """The table with the core added in front, on a grid of the same spacing."""
        energy = energy_of(self)
        spacing = (self.r_max - self.r_min) / (self.points - 1)
        added = int(self.r_min / spacing * (1 + 1e-12))
        if self.core == "error" or added == 0:
            return self.r_min, energy, self.forces
        forces = self._forces_at_grid()
        stiffness = (forces[0] - forces[1]) / spacing
        if stiffness <= 0 or forces[0] <= 0:
            stiffness = max(stiffness, 2 * abs(forces[0]) / self.r_min)
        depth = spacing * np.arange(added, 0, -1)
        inside = energy[0] + forces[0] * depth + 0.5 * stiffness * depth**2
        return (
            max(0.0, self.r_min - added * spacing),  # not -1e-17 where it begins at contact
            np.concatenate([inside, energy]),
            np.concatenate([forces[0] + stiffness * depth, forces]),
        )

    def _forces_at_grid(self) -> Floats:
        if self.forces is not None:
            return self.forces
        spline = _core.TabulatedBonded(x_min=self.r_min, x_max=self.r_max, values=energy_of(self))
        return _core.evaluate_bond(spline, self.grid)[1]

    def domain(self) -> tuple[float, float]:
        """The range of the table."""
        return self.r_min, self.r_max
