"""What all potentials whose force is a B-spline have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.parameters import Law
from regrain.particles.potentials import Floats, Potential, grid_values

__all__ = ["SplineForce", "Splined", "dense"]

Form = TypeVar("Form", bound="Splined")

# What the tables of the engine may be off by, over the largest force; and their size at most.
TABLE_ERROR = 0.8e-8
MOST_POINTS = 65536
# Points of `grid` per interval: enough to draw by, and to bin by.
PER_INTERVAL = 8


class Splined(Law):
    """What laws whose numbers are the coefficients of B-splines on equal intervals share.

    Examples
    --------
    >>> from regrain.particles import BSplineAngle
    >>> BSplineAngle(functions=4, degree=1).breaks.round(2).tolist()
    [0.0, 1.05, 2.09, 3.14]
    """

    functions: int
    degree: int
    coefficients: Floats | None
    least_degree: ClassVar[int] = 0

    def _range(self) -> tuple[float, float]:
        raise NotImplementedError

    def _check(self) -> None:
        super()._check()
        if not self.least_degree <= self.degree <= 9:
            bins = "0 (bins), " if self.least_degree == 0 else ""
            raise RegrainError(f"{self!r}: degree must be {bins}1 (hats), 3 (cubic) up to 9")
        if self.intervals < 1:
            raise RegrainError(
                f"{self!r}: splines of degree {self.degree} need at least {self.degree + 1} "
                "functions: the number of intervals plus the degree"
            )
        given = grid_values(self, "coefficients", self.coefficients, self.functions)
        object.__setattr__(self, "coefficients", given)

    # ------------------------------------------------------------------ the basis

    @property
    def intervals(self) -> int:
        """Number of equal intervals."""
        return self.functions - self.degree

    @property
    def breaks(self) -> Floats:
        """The ends of the intervals, shape (intervals + 1,)."""
        return np.linspace(*self._range(), self.intervals + 1)

    @property
    def knots(self) -> Floats:
        """The knots, shape (functions + degree + 1,): the breaks, the end ones repeated."""
        low, high = self._range()
        ends = np.ones(self.degree)
        return np.concatenate([low * ends, self.breaks, high * ends])

    @property
    def grid(self) -> Floats:
        """Equally spaced points of the range, some in every interval: to draw or bin by."""
        return np.linspace(*self._range(), PER_INTERVAL * self.intervals + 1)

    def with_coefficients(self: Form, coefficients: ArrayLike) -> Form:
        """The same functions with coefficients, shape (functions,)."""
        given = np.asarray(coefficients, dtype=float)
        return replace(self, coefficients=given)  # type: ignore[type-var]

    def _given(self) -> Floats:
        if self.coefficients is None:
            raise RegrainError(
                f"{self!r} has no coefficients yet: it is a form to be fitted; give "
                "coefficients=..., one value per function"
            )
        return self.coefficients


class SplineForce(Splined, Potential):
    """A potential whose force -du/dx is a sum of B-splines; the base of all of them.

    The coefficients are those of the force, B-splines on equal intervals: degree 0 are bins (also
    called delta basis), 1 hats (linear basis), 3 cubic, 5 quintic splines. The energy is their
    exact integral. Without coefficients it is a form to be fitted. Outside of their range the
    functions go on linearly, except pairs beyond ``r_max``, which do not interact.

    Loses / Assumes
    ---------------
    Nothing finer than an interval.

    Examples
    --------
    >>> from regrain.particles import BSpline
    >>> form = BSpline(r_min=0.5, r_max=1.5, functions=4)
    >>> form.basis([0.5, 1.0]).tolist()
    [[1.0, 0.0, 0.0, 0.0], [0.125, 0.375, 0.375, 0.125]]
    """

    def _fold(self, raw: Floats) -> Floats:
        """Values of the functions between all knots as those of the functions of the form."""
        return raw

    def basis(self, x: ArrayLike, *, order: int = 0) -> Floats:
        """The functions of the force at points, or their derivatives of an order.

        Parameters
        ----------
        x : array_like, shape (n,)
        order : int

        Returns
        -------
        ndarray, shape (n, functions)
        """
        points = np.asarray(x, dtype=float).reshape(-1)
        inside = self._inside(points)
        depth = points - inside
        values = self._raw(inside, order)
        outside = depth != 0
        if order <= 1 and np.any(outside):
            slope = self._raw(inside[outside], 1)
            values[outside] = slope if order else values[outside] + depth[outside, None] * slope
        elif order > 1:
            values[outside] = 0.0
        values[self._absent(points)] = 0.0
        return values

    def energy_basis(self, x: ArrayLike) -> Floats:
        """Integrals of the functions from x to the end of the range, exact.

        Parameters
        ----------
        x : array_like, shape (n,)

        Returns
        -------
        ndarray, shape (n, functions)
            Its product with the coefficients is the energy that is zero at the end of the range.
        """
        points = np.asarray(x, dtype=float).reshape(-1)
        inside = self._inside(points)
        depth = (points - inside)[:, None]
        end = self._integrals(np.array([self._range()[1]]))
        values = end - self._integrals(inside)
        if np.any(depth):
            values -= depth * self._raw(inside, 0) + 0.5 * depth**2 * self._raw(inside, 1)
        values[self._absent(points)] = 0.0
        return values

    def _inside(self, points: Floats) -> Floats:
        return np.clip(points, *self._range())

    def _absent(self, points: Floats) -> NDArray[np.bool_]:
        """Where the potential is zero whatever the coefficients."""
        return np.zeros(len(points), dtype=bool)

    def _raw(self, points: Floats, order: int) -> Floats:
        if order > self.degree:
            return np.zeros((len(points), self.functions))
        return self._fold(dense(self.knots, self.degree, points, order))

    def _integrals(self, points: Floats) -> Floats:
        """From the first knot to points inside of the range."""
        knots, p = self.knots, self.degree
        before, after = knots[1] - knots[0], knots[-1] - knots[-2]
        wider = np.concatenate([[knots[0] - before], knots, [knots[-1] + after]])
        above = dense(wider, p + 1, points, 0)
        lengths = (knots[p + 1 :] - knots[: -p - 1]) / (p + 1)
        return self._fold(lengths * np.cumsum(above[:, ::-1], axis=1)[:, -2::-1])

    # ------------------------------------------------------------------ with numbers

    def _points(self) -> Floats:
        """A grid that holds the breaks, so fine that cubics through it keep energy and force."""
        # Bins: a jump of the force is spread over two spacings. Up to degree 2 cubics are exact.
        per_interval = 64 if self.degree == 0 else PER_INTERVAL
        if self.degree > 2:
            c = self._given()
            scale = np.max(np.abs(self._raw(self.grid, 0) @ c))
            third = np.max(np.abs(self._raw(self.grid, 3) @ c))
            # The force of the cubic through energies and slopes is off by h³ f''' √3 / 216.
            if third > 0:
                spacing = np.cbrt(TABLE_ERROR * scale / (third * np.sqrt(3.0) / 216.0))
                needed = (self.breaks[1] - self.breaks[0]) / max(spacing, 1e-300)
                per_interval = int(min(max(np.ceil(needed), per_interval), MOST_POINTS))
        per_interval = min(per_interval, max(1, MOST_POINTS // self.intervals))
        return np.linspace(*self._range(), per_interval * self.intervals + 1)

    def _forces_on(self, points: Floats) -> Floats:
        """Forces where the table has them: halfway on the jumps between bins."""
        forces = self.basis(points) @ self._given()
        if self.degree == 0:
            inner = self.breaks[1:-1]
            at = np.searchsorted(points, inner - 1e-9 * (points[1] - points[0]))
            forces[at] = 0.5 * (self._given()[1:] + self._given()[:-1])
        return forces

    def _energy(self, points: Floats) -> Floats:
        """Energies whose minimum in the range is zero."""
        c, grid = self._given(), self.grid
        force = self.basis(grid) @ c
        at = np.flatnonzero((force[:-1] < 0) != (force[1:] < 0))
        share = force[at] / (force[at] - force[at + 1])
        turning = grid[at] + share * (grid[at + 1] - grid[at])
        lowest = np.min(self.energy_basis(np.concatenate([grid, turning])) @ c)
        return np.asarray(self.energy_basis(points) @ c - lowest)

    def domain(self) -> tuple[float, float]:
        """The range of the functions."""
        return self._range()


def dense(knots: Floats, degree: int, points: Floats, order: int) -> Floats:
    """Values of all B-splines over knots, or their derivatives, shape (points, functions).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles.spline_force import dense
    >>> dense(np.array([0.0, 0.0, 1.0, 1.0]), 1, np.array([0.25]), 0).tolist()
    [[0.75, 0.25]]
    """
    basis = _core.BSplineBasis(knots, degree=degree)
    first, values = basis.evaluate(points, order=order)
    dense = np.zeros((len(points), len(basis)))
    np.put_along_axis(dense, first[:, None] + np.arange(degree + 1), values, axis=1)
    return dense
