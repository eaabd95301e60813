"""Potentials of three particles in space: two arms and the angle between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.parameters import Law
from regrain.particles.potentials import Floats, energy_of, grid_values
from regrain.particles.spline_force import MOST_POINTS, TABLE_ERROR, Splined, dense
from regrain.plotting import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BSplineTriple", "StillingerWeber", "TableTriple", "TriplePotential"]

#: One number for both arms, or one for each.
Arms = float | tuple[float, float]


class TriplePotential(Law):
    """u(r1, r2, θ) = f(θ) φ(r1) φ(r2) of two arms from a centre to its ends. Immutable.

    φ(r) = exp(decay / (r - r_max)) for r < r_max, else 0 (Stillinger and Weber, Phys. Rev. B 31,
    5262 (1985)): smooth to all orders where an arm ends. Potentials differ in f. The base of all
    potentials of triples.

    Examples
    --------
    >>> from regrain.particles import StillingerWeber, TriplePotential
    >>> isinstance(StillingerWeber(epsilon=1.0, theta0=1.9, r_max=1.8, decay=1.2), TriplePotential)
    True
    """

    kind: ClassVar[str] = "triple"

    r_max: Arms
    decay: Arms

    def _check(self) -> None:
        for name in ("r_max", "decay"):
            object.__setattr__(self, name, _arms(self, name))

    def _angle(self) -> Any:
        """The angular part in the core."""
        raise NotImplementedError

    def _engine(self) -> Any:
        return _core.TriplePotential(
            angle=self._angle(), r_max=_both(self.r_max), decay=_both(self.decay)
        )

    @property
    def reach(self) -> float:
        """The longer of the two r_max."""
        return max(_both(self.r_max))

    def reversed(self) -> Self:
        """The same with its ends, and so its arms, exchanged."""
        if not isinstance(self.r_max, tuple) and not isinstance(self.decay, tuple):
            return self
        arms = {"r_max": _both(self.r_max)[::-1], "decay": _both(self.decay)[::-1]}
        return replace(self, **arms)  # type: ignore[type-var]

    def f(self, theta: ArrayLike) -> Any:
        """The angular part at angles in radians; a scalar for a scalar, else of their shape.

        Raises
        ------
        RegrainError
            An angle outside of 0 to π.
        """
        angles = _angles(theta)
        value = _core.evaluate_angle(self._angle(), angles.reshape(-1))[0].reshape(angles.shape)
        return value if angles.ndim else float(value)

    def u(self, r1: ArrayLike, r2: ArrayLike, theta: ArrayLike) -> Any:
        """Energy for lengths of the arms and angles in radians, which are broadcast.

        Raises
        ------
        RegrainError
            A length that is not finite, an angle outside of 0 to π.
        """
        return self._evaluate(r1, r2, theta)[0]

    def gradient(self, r1: ArrayLike, r2: ArrayLike, theta: ArrayLike) -> tuple[Any, Any, Any]:
        """Derivatives of u by r1, r2 and θ, of the shape of u."""
        _, by_r1, by_r2, by_theta = self._evaluate(r1, r2, theta)
        return by_r1, by_r2, by_theta

    def _evaluate(self, *coordinates: ArrayLike) -> list[Any]:
        given = (*coordinates[:2], _angles(coordinates[2]))
        r1, r2, theta = np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in given))
        rows = np.stack([r1.reshape(-1), r2.reshape(-1), theta.reshape(-1)], axis=1)
        if not np.all(np.isfinite(rows)):
            raise RegrainError("a potential was asked for at a coordinate that is not finite")
        values = self._engine().evaluate(rows)
        shaped = [values[:, k].reshape(r1.shape) for k in range(4)]
        return shaped if r1.ndim else [float(v) for v in shaped]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw f(θ); returns the axes.

        Raises
        ------
        MissingPackageError
            matplotlib is not installed.
        """
        ax = axes(ax)
        theta = np.linspace(0.0, np.pi, 400)
        ax.plot(theta, self.f(theta))
        ax.set_xlabel("theta")
        ax.set_ylabel("f")
        return ax


def _angles(theta: ArrayLike) -> Floats:
    angles = np.asarray(theta, dtype=float)
    if not np.all((angles >= -1e-9) & (angles <= np.pi + 1e-9)):
        raise RegrainError(
            f"an angle of a triple is {angles[~((angles >= 0) & (angles <= np.pi))].flat[0]}, "
            "expected radians from 0 to π; numpy.deg2rad converts degrees"
        )
    return angles


def _both(arms: Any) -> tuple[float, float]:
    return arms if isinstance(arms, tuple) else (arms, arms)


def _arms(potential: TriplePotential, name: str) -> Arms:
    """One positive number, or two that differ."""
    given = getattr(potential, name)
    try:
        numbers = [float(x) for x in np.atleast_1d(given)]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) not in (1, 2) or not all(np.isfinite(x) and x > 0 for x in numbers):
        raise RegrainError(
            f"{type(potential).__name__}: {name} is {given!r}, expected a positive number, or two "
            "of them: that of the arm to the first end and that to the second"
        )
    return numbers[0] if numbers[0] == numbers[-1] else (numbers[0], numbers[-1])


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StillingerWeber(TriplePotential):
    """ε (cos θ - cos θ0)² φ(r1) φ(r2) (Stillinger and Weber, Phys. Rev. B 31, 5262 (1985)).

    Parameters
    ----------
    epsilon : float
        Energy; their λ ε.
    theta0 : float
        Angle without energy in radians, 0 to π; their cos θ0 is -1/3.
    r_max : float or (float, float)
        Where the arms end, their a σ: one number, or one for the arm to the first and one for that
        to the second of the ends that the force field names.
    decay : float or (float, float)
        Length over which φ goes to zero, their γ σ; for both arms or for each.

    Raises
    ------
    RegrainError
        An angle outside of 0 to π, an energy that is not finite, lengths that are not positive.

    Loses / Assumes
    ---------------
    What four and more particles do together. All triples prefer one angle.

    Examples
    --------
    Of silicon, in its own units:

    >>> import numpy as np
    >>> from regrain.particles import StillingerWeber
    >>> silicon = StillingerWeber(epsilon=21.0, theta0=np.arccos(-1 / 3), r_max=1.8, decay=1.2)
    >>> round(silicon.u(1.2, 1.2, np.pi / 2), 4)
    0.0427
    """

    epsilon: float
    theta0: float
    r_max: Arms
    decay: Arms

    def _check(self) -> None:
        super()._check()
        self._finite("epsilon")
        if not 0 <= self.theta0 <= np.pi + 1e-9:
            raise RegrainError(
                f"{self!r}: theta0 must be an angle in radians from 0 to π; numpy.deg2rad converts "
                "degrees"
            )

    def _angle(self) -> Any:
        return _core.CosineSquared(k=2 * self.epsilon, theta0=self.theta0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TableTriple(TriplePotential):
    """f(θ) φ(r1) φ(r2) with f on a uniform grid from 0 to π, a natural cubic spline between.

    Parameters
    ----------
    points : int
        Number of points, at least 3.
    r_max, decay : float or (float, float)
        Of φ, for both arms or for each; see `StillingerWeber`.
    energy : array_like, shape (points,), optional
        f at the points; without it, a form to be fitted.

    Raises
    ------
    RegrainError
        Too few points, values that are not finite, lengths that are not positive.

    Loses / Assumes
    ---------------
    How the preferred angle depends on the lengths of the arms. Where three particles are in a line
    the force across it has no direction and is zero: f should be flat there.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import TableTriple
    >>> form = TableTriple(points=181, r_max=0.37, decay=0.1)
    >>> form.missing
    'energy'
    >>> table = form.with_energy(25.0 * (np.cos(form.grid) + 1 / 3) ** 2)
    >>> round(table.f(np.pi / 2), 3)
    2.778
    """

    points: int
    r_max: Arms
    decay: Arms
    energy: Floats | None = None

    def _check(self) -> None:
        super()._check()
        if self.points < 3:
            raise RegrainError(f"{self!r}: a table needs at least 3 points")
        values = grid_values(self, "energy", self.energy, self.points)
        object.__setattr__(self, "energy", values)

    @property
    def grid(self) -> Floats:
        """The angles, shape (points,)."""
        return np.linspace(0.0, np.pi, self.points)

    def with_energy(self, energy: ArrayLike) -> TableTriple:
        """The same grid with energies."""
        return replace(self, energy=np.asarray(energy, dtype=float))

    def _angle(self) -> Any:
        return _core.TabulatedBonded(x_min=0.0, x_max=np.pi, values=energy_of(self))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BSplineTriple(Splined, TriplePotential):
    """f(θ) φ(r1) φ(r2) with f a sum of B-splines; without coefficients, a form to fit.

    Parameters
    ----------
    functions : int
        Number of basis functions: equal intervals between 0 and π plus the degree.
    r_max, decay : float or (float, float)
        Of φ, for both arms or for each; see `StillingerWeber`.
    degree : int
        1: hats, 3: cubic, 5: quintic splines, and what lies between.
    coefficients : array_like, shape (functions,), optional
        Of f itself, one per B-spline: unlike those of other potentials they are energies, as the
        height of f matters and not only its slope. The first and the last are f(0) and f(π).

    Raises
    ------
    RegrainError
        A number of functions that makes no basis, coefficients that are not finite, lengths that
        are not positive.

    Loses / Assumes
    ---------------
    See `TableTriple`. The engine runs a table of cubics, exact for degrees 2 and 3, and so fine
    that it keeps f' to 1e-8 of the largest beyond; the kinks between hats are rounded over a 32nd
    of their width.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import BSplineTriple
    >>> form = BSplineTriple(functions=11, r_max=0.37, decay=0.1)
    >>> ones = form.with_coefficients(np.ones(11))
    >>> round(ones.f(1.0), 12)
    1.0
    """

    functions: int
    r_max: Arms
    decay: Arms
    degree: int = 3
    coefficients: Floats | None = None

    least_degree: ClassVar[int] = 1

    def _range(self) -> tuple[float, float]:
        return 0.0, float(np.pi)

    def basis(self, theta: ArrayLike, *, order: int = 0) -> Floats:
        """The functions of f at angles in [0, π], or their derivatives, shape (n, functions)."""
        angles = np.clip(np.asarray(theta, dtype=float).reshape(-1), 0.0, np.pi)
        if order > self.degree:
            return np.zeros((len(angles), self.functions))
        return dense(self.knots, self.degree, angles, order)

    def _angle(self) -> Any:
        c = self._given()
        angles = np.linspace(0.0, np.pi, self._per_interval(c) * self.intervals + 1)
        slopes = self.basis(angles, order=1) @ c
        if self.degree == 1:  # on a kink the mean of both sides
            kinks = angles[1:-1]
            slopes[1:-1] = 0.5 * (
                self.basis(kinks - 1e-9, order=1) @ c + self.basis(kinks + 1e-9, order=1) @ c
            )
        return _core.TabulatedBonded(
            x_min=0.0, x_max=np.pi, values=self.basis(angles) @ c, slopes=slopes
        )

    def _per_interval(self, c: Floats) -> int:
        """Cubics per interval: one is exact, where f is one and has no kinks."""
        if self.degree in (2, 3):
            return 1
        wanted = 64.0
        if self.degree > 3:
            slope, fourth = (np.max(np.abs(self.basis(self.grid, order=k) @ c)) for k in (1, 4))
            # The slope of the cubic through values and slopes is off by h³ f⁗ √3 / 216.
            spacing = np.cbrt(TABLE_ERROR * slope * 216.0 / np.sqrt(3.0) / max(fourth, 1e-300))
            wanted = np.pi / self.intervals / max(spacing, 1e-300)
        return int(np.clip(np.ceil(wanted), 1, max(1, MOST_POINTS // self.intervals)))
