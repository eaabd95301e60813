"""Potentials between particles: what they are as functions, and pairs of them in particular."""

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

__all__ = ["LennardJones", "Potential", "StillingerWeberPair", "Table"]

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


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LennardJones(Potential):
    """4 ε ((σ/r)¹² - (σ/r)⁶) up to a cutoff.

    Parameters
    ----------
    epsilon : float
        Depth; energy.
    sigma : float
        Where it is zero; length.
    cutoff : float
        Length.
    mode : {"cut", "shifted", "force-shifted"}
        At the cutoff the energy jumps to zero; or is shifted to zero (same forces); or energy and
        force both go to zero there (a linear term is added).

    Raises
    ------
    RegrainError
        A parameter that is not positive, or another mode.

    Loses / Assumes
    ---------------
    What lies beyond the cutoff is left out; `tail` estimates it for a uniform fluid. Only
    "force-shifted" conserves the energy to the order of the integrator: with "cut" it jumps
    whenever a pair crosses the cutoff, with "shifted" its slope does.

    Examples
    --------
    >>> from regrain.particles import LennardJones
    >>> lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)
    >>> lj.u([1.0, 2.0, 3.0])
    array([ 0.        , -0.06152344,  0.        ])
    """

    epsilon: float
    sigma: float
    cutoff: float
    mode: str = "cut"

    kind: ClassVar[Kind] = "pair"

    def _check(self) -> None:
        self._positive("sigma", "cutoff")
        self._finite("epsilon")
        if self.mode not in ("cut", "shifted", "force-shifted"):
            raise RegrainError(
                f'mode: got {self.mode!r}, expected "cut", "shifted" or "force-shifted"'
            )

    def _engine(self) -> Any:
        return _core.LennardJones(
            epsilon=self.epsilon,
            sigma=self.sigma,
            cutoff=self.cutoff,
            mode=_core.Cutoff[self.mode.replace("-", "_")],
        )

    def domain(self) -> tuple[float, float]:
        """From inside the core to the cutoff."""
        return 0.9 * self.sigma, self.cutoff

    def tail(self, density: float) -> tuple[float, float]:
        """Energy per particle and pressure (energy / length³) of what lies beyond the cutoff.

        Loses / Assumes
        ---------------
        g(r) = 1 beyond the cutoff, one type of particles, mode "cut" (Allen and Tildesley, Computer
        Simulation of Liquids, 2nd ed. (2017), eq. 2.144 and 2.147).

        Examples
        --------
        >>> from regrain.particles import LennardJones
        >>> u, p = LennardJones(epsilon=1.0, sigma=1.0, cutoff=3.0).tail(0.8)
        >>> round(u, 4), round(p, 4)
        (-0.2481, -0.3968)
        """
        s3 = (self.sigma / self.cutoff) ** 3
        scale = np.pi * self.epsilon * density * self.sigma**3
        energy = scale * (8 / 9 * s3**3 - 8 / 3 * s3)
        pressure = density * scale * (32 / 9 * s3**3 - 16 / 3 * s3)
        return float(energy), float(pressure)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StillingerWeberPair(Potential):
    """ε A (B (σ/r)^p - (σ/r)^q) exp(σ / (r - a σ)) for r < a σ (Stillinger and Weber, Phys. Rev. B
    31, 5262 (1985), eq. 2.3): smooth to all orders at its cutoff.

    Parameters
    ----------
    epsilon : float
        Energy.
    sigma : float
        Length.
    A, B, p, q, a : float
        Numbers; those of silicon are the default, which make the minimum ε deep.

    Raises
    ------
    RegrainError
        A length that is not positive, numbers that are not finite. In ``u``, ``force`` and in a
        run: a pair closer than a tenth of σ.

    Loses / Assumes
    ---------------
    With these numbers silicon is held in tetrahedra only by triples: see `StillingerWeber`. The
    engine runs a table of 8001 points, which keeps u and its slope to 1e-8 of the largest.

    Examples
    --------
    >>> from regrain.particles import StillingerWeberPair
    >>> silicon = StillingerWeberPair(epsilon=1.0, sigma=1.0)
    >>> round(silicon.u(2 ** (1 / 6)), 6)
    -1.0
    """

    epsilon: float
    sigma: float
    A: float = 7.049556277
    B: float = 0.6022245584
    p: float = 4.0
    q: float = 0.0
    a: float = 1.8

    kind: ClassVar[Kind] = "pair"

    def _check(self) -> None:
        self._positive("sigma", "a")
        self._finite("epsilon", "A", "B", "p", "q")

    @property
    def cutoff(self) -> float:
        """Beyond it the potential is zero: a σ."""
        return self.a * self.sigma

    def _engine(self) -> Any:
        low = 0.1 * min(1.0, self.a)
        x = np.linspace(low, self.a, 8001)[:-1]
        damped = self.epsilon * self.A * np.exp(1.0 / (x - self.a))
        repulsive, attractive = self.B * x**-self.p, x**-self.q
        energy = damped * (repulsive - attractive)
        slope = damped * (self.q * attractive - self.p * repulsive) / x
        slope -= energy / (x - self.a) ** 2
        return _core.TabulatedPair(
            x_min=low * self.sigma,
            x_max=self.cutoff,
            values=np.append(energy, 0.0),
            slopes=np.append(slope / self.sigma, 0.0),
        )

    def domain(self) -> tuple[float, float]:
        """From inside the core to the cutoff."""
        return 0.8 * self.sigma, self.cutoff


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
