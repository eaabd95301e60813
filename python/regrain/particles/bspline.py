"""Potentials whose force is a B-spline: the forms that linear fits of forces are made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.potentials import Floats, Kind, Table
from regrain.particles.spline_force import SplineForce

__all__ = ["BSpline", "BSplineAngle", "BSplineBond", "BSplineDihedral"]


def _distances(form: Any) -> None:
    form._positive("r_max")
    if not (np.isfinite(form.r_min) and 0 <= form.r_min < form.r_max):
        raise RegrainError(f"{form!r}: r_min must be at least 0 and below r_max")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BSpline(SplineForce):
    """A pair potential whose force is a sum of B-splines; without coefficients, a form to fit.

    Parameters
    ----------
    r_min, r_max : float
        The range; r_max is the cutoff, where the energy is zero.
    functions : int
        Number of basis functions: equal intervals plus the degree.
    degree : int
        0: bins, 1: hats, 3: cubic, 5: quintic splines, and what lies between.
    coefficients : array_like, shape (functions,), optional
        Of the force -du/dr, one per B-spline. The knots at both ends are repeated (clamped), so the
        first and the last coefficient are the forces at r_min and r_max.
    core : {"linear", "error"}
        What holds below ``r_min``, see `Table`.

    Raises
    ------
    RegrainError
        A range or a number of functions that makes no basis, coefficients that are not finite.

    Loses / Assumes
    ---------------
    The force jumps to zero at r_max unless the last coefficient is zero. The engine runs a table of
    cubics, exact for degrees 1 and 2, and so fine that it keeps energy and force to 1e-8 of the
    largest force from degree 3 on (at most 65536 points); the jumps between bins are spread over a
    32nd of their width.

    Examples
    --------
    >>> from regrain.particles import BSpline
    >>> form = BSpline(r_min=0.5, r_max=1.5, functions=3, degree=1)
    >>> hats = form.with_coefficients([4.0, 2.0, 0.0])
    >>> round(hats.force(0.75), 6), round(hats.u(0.5), 6)
    (3.0, 2.0)
    """

    r_min: float
    r_max: float
    functions: int
    degree: int = 3
    coefficients: Floats | None = None
    core: str = "linear"

    kind: ClassVar[Kind] = "pair"

    def _check(self) -> None:
        _distances(self)
        if self.core not in ("linear", "error"):
            raise RegrainError(f'core: got {self.core!r}, expected "linear" or "error"')
        super()._check()

    def _range(self) -> tuple[float, float]:
        return self.r_min, self.r_max

    def _absent(self, points: Floats) -> NDArray[np.bool_]:
        return points > self.r_max

    @property
    def cutoff(self) -> float:
        """Beyond it the potential is zero."""
        return self.r_max

    def table(self) -> Table:
        """The table of energies and forces that the engine runs."""
        points = self._points()
        return Table(
            r_min=self.r_min,
            r_max=self.r_max,
            points=len(points),
            energy=self.energy_basis(points) @ self._given(),
            forces=self._forces_on(points),
            core=self.core,
        )

    def _engine(self) -> Any:
        return self.table()._engine()


class _Bonded(SplineForce):
    """What bonds and angles share: a table that may go on beside the range."""

    def _limits(self) -> tuple[float, float]:
        """How far the table goes: the forces go on linearly up to there."""
        return self._range()

    def _engine(self) -> Any:
        points = self._points()
        spacing = points[1] - points[0]
        low, high = self._limits()
        below = int((points[0] - low) / spacing * (1 + 1e-12))
        above = int(np.ceil((high - points[-1]) / spacing * (1 - 1e-12)))
        x = points[0] + spacing * np.arange(-below, len(points) + above)
        x[below : below + len(points)] = points
        return _core.TabulatedBonded(
            x_min=max(x[0], 0.0), x_max=x[-1], values=self._energy(x), slopes=-self._forces_on(x)
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BSplineBond(_Bonded):
    """A bond potential whose force is a sum of B-splines; without coefficients, a form to fit.

    Parameters
    ----------
    r_min, r_max : float
        The range.
    functions, degree, coefficients
        See `BSpline`; the energy is zero at its minimum.

    Raises
    ------
    RegrainError
        A range or a number of functions that makes no basis, coefficients that are not finite; in
        ``u``, ``force`` and in a run: a bond longer than twice r_max.

    Loses / Assumes
    ---------------
    The bond does not depend on what is beside it. Outside of the range its force goes on linearly,
    which holds it only where it was restoring at the ends.

    Examples
    --------
    >>> from regrain.particles import BSplineBond
    >>> form = BSplineBond(r_min=0.5, r_max=1.5, functions=2, degree=1)
    >>> spring = form.with_coefficients([50.0, -50.0])
    >>> round(spring.u(1.1), 6), round(spring.force(1.8), 6)
    (0.5, -80.0)
    """

    r_min: float
    r_max: float
    functions: int
    degree: int = 3
    coefficients: Floats | None = None

    kind: ClassVar[Kind] = "bond"

    def _check(self) -> None:
        _distances(self)
        super()._check()

    def _range(self) -> tuple[float, float]:
        return self.r_min, self.r_max

    def _limits(self) -> tuple[float, float]:
        return 0.0, 2.0 * self.r_max


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BSplineAngle(_Bonded):
    """An angle potential whose force is a sum of B-splines from 0 to π; or a form to fit.

    Parameters
    ----------
    functions, degree, coefficients
        See `BSpline`; of -du/dθ, energy per radian. The energy is zero at its minimum.

    Raises
    ------
    RegrainError
        A number of functions that makes no basis, coefficients that are not finite.

    Loses / Assumes
    ---------------
    The angle is independent of the bonds that make it and of the angles beside it.

    Examples
    --------
    >>> from regrain.particles import BSplineAngle
    >>> import numpy as np
    >>> bend = BSplineAngle(functions=2, degree=1, coefficients=[np.pi / 2, -np.pi / 2])
    >>> round(bend.u(np.pi / 2 + 0.2), 6)  # (θ - π/2)² / 2
    0.02
    """

    functions: int
    degree: int = 3
    coefficients: Floats | None = None

    kind: ClassVar[Kind] = "angle"

    def _range(self) -> tuple[float, float]:
        return 0.0, float(np.pi)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BSplineDihedral(SplineForce):
    """A dihedral potential whose force is a sum of periodic B-splines; or a form to fit.

    Parameters
    ----------
    functions : int
        Number of basis functions, and of equal intervals between -π and π; more than the degree.
    degree, coefficients
        See `BSpline`; of -du/dφ, energy per radian. Function k begins at the break k - degree. The
        coefficients add up to zero, as the energy is the same after a turn. The energy is zero at
        its minimum.

    Raises
    ------
    RegrainError
        A number of functions that makes no basis, coefficients that are not finite or whose sum is
        not zero.

    Loses / Assumes
    ---------------
    The dihedral is independent of its neighbours; correlated rotations need more. It has no value
    where three of its particles are in a line, and its force diverges near there: let an angle
    potential keep them from it.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import BSplineDihedral
    >>> form = BSplineDihedral(functions=48)
    >>> sine = np.sin(form.knots[:48] + 2 * (form.breaks[1] - form.breaks[0]))
    >>> round(form.with_coefficients(sine).u(0.0), 2)  # nearly cos φ + 1
    1.99...
    """

    functions: int
    degree: int = 3
    coefficients: Floats | None = None

    kind: ClassVar[Kind] = "dihedral"

    def _check(self) -> None:
        super()._check()
        if self.functions <= self.degree:
            raise RegrainError(f"{self!r}: functions must be more than the degree")
        c = self.coefficients
        if c is not None and abs(c.sum()) > 1e-9 * np.abs(c).sum():
            raise RegrainError(
                f"the coefficients of a BSplineDihedral add up to {c.sum():g}, a force that drives "
                "the dihedral round and round; subtract their mean"
            )

    @property
    def intervals(self) -> int:
        """Number of equal intervals."""
        return self.functions

    @property
    def knots(self) -> Floats:
        """The knots, equally spaced, ``degree`` of them beyond either end."""
        steps = np.arange(-self.degree, self.functions + self.degree + 1)
        return -np.pi + 2.0 * np.pi * steps / self.functions

    def _range(self) -> tuple[float, float]:
        return -float(np.pi), float(np.pi)

    def _inside(self, points: Floats) -> Floats:
        turns = np.round(points / (2.0 * np.pi))
        return np.clip(points - 2.0 * np.pi * turns, *self._range())

    def basis(self, x: ArrayLike, *, order: int = 0) -> Floats:
        """The functions of the force at angles, or their derivatives, shape (n, functions)."""
        return self._raw(self._inside(np.asarray(x, dtype=float).reshape(-1)), order)

    def energy_basis(self, x: ArrayLike) -> Floats:
        """Integrals of the functions from x to π, exact, shape (n, functions)."""
        points = self._inside(np.asarray(x, dtype=float).reshape(-1))
        return self._integrals(np.array([np.pi])) - self._integrals(points)

    def _fold(self, raw: Floats) -> Floats:
        folded = raw[:, : self.functions].copy()
        folded[:, : self.degree] += raw[:, self.functions :]
        return folded

    def _forces_on(self, points: Floats) -> Floats:
        forces = super()._forces_on(points)
        if self.degree == 0:
            forces[[0, -1]] = 0.5 * (forces[0] + forces[-1])
        return forces

    def _engine(self) -> Any:
        points = self._points()
        return _core.TabulatedBonded(
            x_min=-np.pi,
            x_max=np.pi,
            values=self._energy(points),
            slopes=-self._forces_on(points),
        )
