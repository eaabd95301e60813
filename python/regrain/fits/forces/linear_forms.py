"""Forms whose force is linear in its parameters, as splines over equal intervals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.fits.structure import Interaction
from regrain.particles import (
    BSpline,
    BSplineAngle,
    BSplineBond,
    BSplineDihedral,
    Table,
    TableAngle,
    TableBond,
    TableDihedral,
)
from regrain.particles.spline_force import SplineForce

__all__ = ["LinearForm"]

Floats = NDArray[np.float64]

# Tables of energies are made so much finer than their nodes that their force is the spline fitted.
FINER = 32
#: Intervals before and beyond the range, which the core counts, too.
OUTSIDE = 2


@dataclass(frozen=True, eq=False)
class LinearForm:
    """A form as a linear function of its parameters.

    For B-splines the parameters are their coefficients; for tables the values of the force at the
    nodes (of f(θ) for triples), between which it is a natural cubic spline, periodic for dihedrals.

    Parameters
    ----------
    term : Interaction

    Raises
    ------
    RegrainError
        A form that is not linear in what is to be fitted.

    Examples
    --------
    >>> from regrain.fits.forces.linear_forms import LinearForm
    >>> from regrain.fits.structure import Interaction
    >>> from regrain.particles import Table
    >>> form = LinearForm(Interaction("pair", ("A", "A"), Table(r_min=0.5, r_max=1.5, points=11)))
    >>> len(form), form.columns
    (11, 13)
    >>> form.basis([0.6])[0].round(12).tolist()[:3]  # the second node
    [0.0, 1.0, 0.0]
    """

    term: Interaction

    def __post_init__(self) -> None:
        form = self.term.form
        if isinstance(form, SplineForce | Table | TableBond | TableAngle | TableDihedral):
            return
        if self.term.kind == "triple" and form.missing in ("energy", "coefficients"):
            return
        raise RegrainError(
            f"{self.term.label}: {form!r} is not linear in its parameters, and forces are matched "
            "by linear least squares; give a BSpline or Table form (RelativeEntropy fits others)"
        )

    @cached_property
    def spline(self) -> SplineForce:
        """The B-splines that the form is made of; of triples those of f(θ)."""
        form, kind = self.term.form, self.term.kind
        if isinstance(form, SplineForce):
            return form
        if kind == "triple" and hasattr(form, "functions"):
            return BSplineAngle(functions=form.functions, degree=form.degree)
        if kind == "dihedral":
            return BSplineDihedral(functions=form.points - 1)
        if kind in ("angle", "triple"):
            return BSplineAngle(functions=form.points + 2)
        which = BSpline if kind == "pair" else BSplineBond
        return which(r_min=form.r_min, r_max=form.r_max, functions=form.points + 2)

    @property
    def periodic(self) -> bool:
        """Whether it goes round a circle."""
        return isinstance(self.spline, BSplineDihedral)

    @cached_property
    def nodal(self) -> bool:
        """Whether its parameters are values at nodes."""
        return hasattr(self.term.form, "points")

    @cached_property
    def coefficients(self) -> Floats:
        """Coefficients of the B-splines from the parameters, shape (functions, parameters)."""
        spline = self.spline
        if not self.nodal:
            return np.eye(spline.functions)
        if self.periodic:
            return np.asarray(np.linalg.inv(spline.basis(spline.breaks[:-1])))
        ends = spline.breaks[[0, -1]]
        scale = (ends[1] - ends[0]) ** 2 / spline.intervals**2
        rows = np.vstack([spline.basis(spline.breaks), scale * spline.basis(ends, order=2)])
        return np.asarray(np.linalg.solve(rows, np.eye(len(rows))[:, :-2]))

    @cached_property
    def transform(self) -> Floats:
        """Coefficients of clamped B-splines from the parameters, shape (columns, parameters)."""
        if not self.periodic:
            return self.coefficients
        spline = self.spline
        clamped = BSpline(
            r_min=0.0,
            r_max=2 * np.pi,
            functions=spline.intervals + spline.degree,
            degree=spline.degree,
        )
        steps = 2 * spline.degree + 2
        x = (np.arange(steps * spline.intervals) + 0.5) * 2 * np.pi / (steps * spline.intervals)
        around = spline.basis(x - np.pi) @ self.coefficients
        return np.asarray(np.linalg.lstsq(clamped.basis(x), around, rcond=None)[0])

    def __len__(self) -> int:
        return int(self.coefficients.shape[1])

    @property
    def columns(self) -> int:
        """Number of clamped B-splines."""
        return self.spline.intervals + self.spline.degree

    @property
    def engine(self) -> Any:
        """The clamped B-splines, as the core knows them."""
        breaks = self.spline.breaks
        return _core.UniformSpline(
            low=breaks[0],
            high=breaks[-1],
            intervals=self.spline.intervals,
            degree=self.spline.degree,
        )

    @cached_property
    def places(self) -> Floats:
        """Where each parameter belongs: nodes, or means of inner knots (Greville abscissae)."""
        spline = self.spline
        if self.nodal:
            return spline.breaks[: len(self)]
        p = spline.degree
        if p == 0:
            return 0.5 * (spline.breaks[1:] + spline.breaks[:-1])
        windows = np.lib.stride_tricks.sliding_window_view(spline.knots[1:-1], p)
        return np.asarray(windows.mean(axis=1)[: len(self)])

    @cached_property
    def support(self) -> NDArray[np.bool_]:
        """Which intervals each parameter acts on, shape (parameters, intervals)."""
        n, p = self.spline.intervals, self.spline.degree
        if self.nodal:
            first, last = np.arange(len(self)) - 1, np.arange(len(self))
        else:
            first, last = np.arange(len(self)) - p, np.arange(len(self))
        reach = np.zeros((len(self), n), dtype=bool)
        for k, (low, high) in enumerate(zip(first, last, strict=True)):
            inside = np.arange(low, high + 1)
            if self.periodic:
                reach[k, inside % n] = True
            else:
                reach[k, inside[(inside >= 0) & (inside < n)]] = True
        return reach

    def range_of(self, parameter: int) -> tuple[float, float]:
        """Where a parameter acts."""
        inside = np.flatnonzero(self.support[parameter])
        breaks = self.spline.breaks
        return float(breaks[inside[0]]), float(breaks[inside[-1] + 1])

    def sampled(self, counts: NDArray[Any]) -> NDArray[Any]:
        """How often each parameter was met, from the counts of the core by interval."""
        inner = counts[1:-1].copy()
        inner[0] += counts[0]
        inner[-1] += counts[-1]
        return np.asarray(self.support @ inner)

    def basis(self, x: ArrayLike) -> Floats:
        """Force of each parameter at points, shape (n, parameters); of triples f."""
        return self.spline.basis(x) @ self.coefficients

    def energy_basis(self, x: ArrayLike) -> Floats:
        """Energy of each parameter at points, zero at the end of the range; of triples f."""
        if self.term.kind == "triple":
            return self.basis(x)
        return self.spline.energy_basis(x) @ self.coefficients

    def potential(self, values: Floats) -> Any:
        """The form with its numbers.

        Tables come back with more points than they were given with, so that what runs is the spline
        of the force that was fitted, not a new one through energies at its nodes.
        """
        form = self.term.form
        if self.term.kind == "triple":
            if self.nodal:
                return form.with_energy(values)
            return form.with_coefficients(values)
        found = self.coefficients @ values
        if self.periodic:
            found = found - found.mean()
        spline = self.spline.with_coefficients(found)
        if not self.nodal:
            return spline
        if isinstance(spline, BSpline):
            return BSpline(
                r_min=form.r_min, r_max=form.r_max, functions=spline.functions,
                coefficients=found, core=form.core,
            ).table()  # fmt: skip
        finer = _finer(form)
        return finer.with_energy(spline.u(finer.grid))


def _finer(form: Any) -> Any:
    points = FINER * (form.points - 1) + 1
    if isinstance(form, TableBond):
        return TableBond(r_min=form.r_min, r_max=form.r_max, points=points)
    return type(form)(points=points)
