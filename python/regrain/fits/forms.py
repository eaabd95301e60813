"""What is fitted of a form: its parameters, and how the energy answers to them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from regrain.errors import RegrainError, unknown
from regrain.particles.potentials import Potential

__all__ = ["Free", "Parameters", "is_form", "parameters_of"]

Floats = NDArray[np.float64]

#: Steps of differences, relative to the parameter: errors of fourth order, 1e-9 for r^-12.
STEP = 1e-3
_CENTRAL, _ONE_SIDED = np.arange(-2, 3), np.arange(5)
#: What is a choice of the model and no parameter: the energy is no smooth function of it.
_CHOICES = ("cutoff",)


class Parameters(ABC):
    """The numbers of a form that a fit is after, for one potential.

    Attributes
    ----------
    names : tuple of str
        Of the numbers.
    linear : bool
        Whether the energy is linear in them.

    Examples
    --------
    >>> from regrain.fits.forms import parameters_of
    >>> from regrain.particles import TableAngle
    >>> parameters_of(TableAngle(points=3)).names
    ('u(0)', 'u(1.571)', 'u(3.142)')
    """

    names: tuple[str, ...]
    linear: bool = True

    @property
    def positive(self) -> NDArray[np.bool_]:
        """Which of them must stay above zero."""
        return np.zeros(len(self.names), dtype=bool)

    @abstractmethod
    def with_values(self, values: Floats) -> Potential:
        """The potential with these numbers."""

    @abstractmethod
    def slopes(self, values: Floats, x: Floats) -> Floats:
        """∂u/∂λ at the points x, shape (points, parameters)."""

    @abstractmethod
    def force_slopes(self, values: Floats, x: Floats) -> Floats:
        """∂(−du/dx)/∂λ, shape (points, parameters)."""

    def bends(self, values: Floats, x: Floats) -> Floats:
        """∂²u/∂λ∂λ, shape (points, parameters, parameters)."""
        count = len(self.names)
        return np.zeros((len(x), count, count))


class Free(Parameters):
    """A potential with start values, some of whose parameters are to be fitted.

    Parameters
    ----------
    potential : Potential
        Of any kind; its numbers are where the fit starts.
    *names : str
        The parameters that are free; the others stay as they are.

    Raises
    ------
    RegrainError
        No name, one twice, one that the potential does not have, or one that is not a number to be
        fitted: modes, whole numbers, cutoffs.

    Loses / Assumes
    ---------------
    That the potential looks like this: what its form cannot say is lost, and the report shows it.
    Parameters of pair potentials, and others that must not be negative, keep their sign.

    Examples
    --------
    >>> import regrain as rg
    >>> start = rg.particles.LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)
    >>> form = rg.fits.Free(start, "epsilon", "sigma")
    >>> form
    Free(LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5), 'epsilon', 'sigma')
    >>> form.with_values([1.2, 0.9])
    LennardJones(epsilon=1.2, sigma=0.9, cutoff=2.5)
    """

    linear = False
    #: What a fit has to find, as `Law.missing` of other forms.
    missing = "parameters"

    def __init__(self, potential: Potential, *names: str) -> None:
        if not isinstance(potential, Potential):
            raise RegrainError(
                f"Free: got {potential!r}; give a potential of pairs, bonds, angles or dihedrals "
                "with start values and the names of its free parameters, such as "
                'Free(LennardJones(...), "epsilon")'
            )
        numbers = _numbers(potential)
        have = ", ".join(numbers) or "none"
        if not names:
            raise RegrainError(
                f"Free({potential!r}): no parameter is named, so nothing is free; name one or more "
                f"of {have}, or give the potential itself to keep it"
            )
        for name in names:
            if any(field.name == name for field in fields(potential)) and name not in numbers:  # type: ignore[arg-type]
                raise RegrainError(
                    f"Free: {name} of a {type(potential).__name__} is not a number to be fitted; "
                    f"it has {have}"
                )
            if name not in numbers:
                raise unknown(f"Free: parameter of a {type(potential).__name__}", name, numbers)
        if len(set(names)) < len(names):
            raise RegrainError(f"Free: {', '.join(names)} names a parameter twice; give it once")
        self.potential, self.names = potential, names
        at_zero = self.positive & (self.values == 0)
        if np.any(at_zero):
            raise RegrainError(
                f"Free({potential!r}): {names[int(np.argmax(at_zero))]} starts at zero and cannot "
                "leave it, as it keeps its sign; start with a positive number"
            )

    @property
    def kind(self) -> str:
        """That of the potential: "pair", "bond", "angle" or "dihedral"."""
        return self.potential.kind

    @property
    def values(self) -> Floats:
        """Of the free parameters at the start, shape (parameters,)."""
        return np.array([getattr(self.potential, name) for name in self.names])

    @cached_property
    def positive(self) -> NDArray[np.bool_]:
        """Which of them keep their sign."""
        return np.array([self._keeps_sign(name) for name in self.names])

    def _keeps_sign(self, name: str) -> bool:
        value = getattr(self.potential, name)
        if value < 0:
            return False
        if self.potential.kind == "pair":
            return True
        try:
            replace(self.potential, **{name: -max(value, 1e-6)})  # type: ignore[type-var]
        except RegrainError:
            # Angles are bounded too, but zero is nothing special for them.
            return not name.endswith("0") or name == "r0"
        return False

    def with_values(self, values: Any) -> Potential:
        """The potential with these numbers.

        Raises
        ------
        RegrainError
            Numbers that the potential refuses.
        """
        given = {name: float(value) for name, value in zip(self.names, values, strict=True)}
        changed: Potential = replace(self.potential, **given)  # type: ignore[type-var]
        return changed

    def slopes(self, values: Floats, x: Floats) -> Floats:
        """∂u/∂λ at the points x by differences, shape (points, parameters)."""
        return self._slopes(lambda potential: potential.u(x), values)

    def force_slopes(self, values: Floats, x: Floats) -> Floats:
        """∂(−du/dx)/∂λ by differences, shape (points, parameters)."""
        return self._slopes(lambda potential: potential.force(x), values)

    def bends(self, values: Floats, x: Floats) -> Floats:
        """∂²u/∂λ∂λ by differences, shape (points, parameters, parameters)."""
        count = len(self.names)
        bends = np.empty((len(x), count, count))
        stencils = [self._stencil(values, k) for k in range(count)]
        for i, (steps, first, second) in enumerate(stencils):
            bends[:, i, i] = sum(
                weight * self._moved(values, {i: step}).u(x)
                for step, weight in zip(steps, second, strict=True)
                if weight
            )
            for j, (others, weights, _) in enumerate(stencils[:i]):
                mixed = sum(
                    a * b * self._moved(values, {i: step, j: other}).u(x)
                    for step, a in zip(steps, first, strict=True)
                    for other, b in zip(others, weights, strict=True)
                    if a and b
                )
                bends[:, i, j] = bends[:, j, i] = mixed
        return bends

    def _slopes(self, evaluate: Callable[[Potential], Floats], values: Floats) -> Floats:
        columns = []
        for k in range(len(self.names)):
            steps, first, _ = self._stencil(values, k)
            columns.append(
                sum(
                    weight * evaluate(self._moved(values, {k: step}))
                    for step, weight in zip(steps, first, strict=True)
                    if weight
                )
            )
        return np.stack(columns, axis=-1)

    def _stencil(self, values: Floats, k: int) -> tuple[Floats, Floats, Floats]:
        """Steps of a parameter with the weights of its first and second derivative.

        To one side where the potential ends, as for an angle at rest of π.
        """
        size = STEP * (abs(values[k]) if self.positive[k] else max(abs(values[k]), 1.0))
        for offsets in (_CENTRAL, _ONE_SIDED, -_ONE_SIDED):
            try:
                for end in (offsets[0], offsets[-1]):
                    self._moved(values, {k: size * end})
            except RegrainError:
                continue
            powers = np.vander(offsets.astype(float), increasing=True).T
            first, second = np.linalg.solve(powers, np.eye(5)[:, 1:3]).T
            first[np.abs(first) < 1e-12] = 0.0
            return size * offsets, first / size, 2.0 * second / size**2
        raise RegrainError(
            f"{self.with_values(values)!r}: {self.names[k]} cannot be moved to either side"
        )

    def _moved(self, values: Floats, steps: dict[int, float]) -> Potential:
        moved = np.array(values, dtype=float)
        for k, step in steps.items():
            moved[k] += step
        return self.with_values(moved)

    def to_dict(self) -> dict[str, Any]:
        """The potential and the names: JSON-able."""
        return {"free": list(self.names), **self.potential.to_dict()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Free) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.potential, self.names))

    def __repr__(self) -> str:
        return f"Free({self.potential!r}, {', '.join(map(repr, self.names))})"


def _numbers(potential: Potential) -> list[str]:
    """Names of the parameters that can be fitted."""
    return [
        field.name
        for field in fields(potential)  # type: ignore[arg-type]
        if str(field.type) == "float"
        and field.name not in _CHOICES
        and not hasattr(potential, "grid")
    ]


class _Nodes(Parameters):
    """The energies of a table at its nodes, a cubic spline between them."""

    def __init__(self, form: Any) -> None:
        self.form = form
        grid = form.grid
        self.names = tuple(f"u({x:.4g})" for x in grid)
        values = np.eye(len(grid))
        if form.kind == "dihedral":  # both ends are one angle
            values[-1, 0], values[-1, -1] = 1.0, 0.0
        ends = "periodic" if form.kind == "dihedral" else "natural"
        self.spline = CubicSpline(grid, values, bc_type=ends)

    def with_values(self, values: Floats) -> Potential:
        filled: Potential = self.form.with_energy(values)
        return filled

    def slopes(self, values: Floats, x: Floats) -> Floats:
        return np.asarray(self.spline(self._inside(x)))

    def force_slopes(self, values: Floats, x: Floats) -> Floats:
        return np.asarray(-self.spline(self._inside(x), 1))

    def _inside(self, x: Floats) -> Floats:
        return np.clip(x, self.form.grid[0], self.form.grid[-1])


class _Coefficients(Parameters):
    """The coefficients of a B-spline of the force."""

    def __init__(self, form: Any) -> None:
        self.form = form
        self.names = tuple(f"c{k}" for k in range(form.functions))

    def with_values(self, values: Floats) -> Potential:
        filled: Potential = self.form.with_coefficients(values)
        return filled

    def slopes(self, values: Floats, x: Floats) -> Floats:
        return np.asarray(self.form.energy_basis(x))

    def force_slopes(self, values: Floats, x: Floats) -> Floats:
        return np.asarray(self.form.basis(x))


def is_form(given: Any) -> bool:
    """Whether something among the potentials of a fit is to be fitted.

    Examples
    --------
    >>> from regrain.fits.forms import is_form
    >>> from regrain.particles import HarmonicBond, TableAngle
    >>> is_form(TableAngle(points=9)), is_form(HarmonicBond(k=1.0, r0=1.0)), is_form(None)
    (True, False, False)
    """
    return getattr(given, "missing", None) is not None


def parameters_of(form: Any) -> Parameters:
    """What is fitted of a form: energies at nodes, coefficients, or the parameters set free.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.forms import parameters_of
    >>> from regrain.particles import Table
    >>> nodes = parameters_of(Table(r_min=1.0, r_max=3.0, points=3))
    >>> nodes.slopes(np.zeros(3), np.array([1.0, 2.5])).round(2).tolist()
    [[1.0, 0.0, 0.0], [-0.09, 0.69, 0.41]]
    """
    if isinstance(form, Free):
        return form
    return _Coefficients(form) if hasattr(form, "with_coefficients") else _Nodes(form)
