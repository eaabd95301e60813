"""Functions of a basis that the target says nothing about: found, named, and given a value."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from regrain.fits.forces.least_squares import Solved
from regrain.fits.forces.linear_forms import LinearForm

__all__ = ["Unsampled"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: A function met less often than this, whose error is larger than the largest force, is not known.
FEW = 5.0


@dataclass(frozen=True)
class Unsampled:
    """Neighbouring functions that were not fitted.

    Attributes
    ----------
    label : str
        Of the interaction.
    functions : tuple of int
        Their indices.
    low, high : float
        Where they act.
    never : bool
        Whether nobody was there at all, or only a few.
    left : str
        What became of them.

    Examples
    --------
    >>> from regrain.fits.forces.unsampled import Unsampled
    >>> print(Unsampled("pair A-A", (0, 1), 0.2, 0.23, True, "linear"))
    pair A-A: functions 0-1 (0.2 to 0.23) never sampled, linear
    """

    label: str
    functions: tuple[int, ...]
    low: float
    high: float
    never: bool
    left: str

    def __str__(self) -> str:
        first, last = self.functions[0], self.functions[-1]
        which = f"function {first}" if first == last else f"functions {first}-{last}"
        what = "never sampled" if self.never else "hardly sampled"
        return f"{self.label}: {which} ({self.low:.4g} to {self.high:.4g}) {what}, {self.left}"


def split(values: NDArray[Any], forms: Sequence[LinearForm]) -> list[NDArray[Any]]:
    """What belongs to each form of an array over all parameters.

    Examples
    --------
    >>> from regrain.fits.forces.unsampled import split
    >>> split(np.zeros(0), [])
    []
    """
    borders = np.cumsum([len(form) for form in forms])[:-1]
    return list(np.split(values, borders)) if forms else []


def stacked(parts: Sequence[Floats]) -> Floats:
    """A block-diagonal matrix; parts without rows keep their columns.

    Examples
    --------
    >>> from regrain.fits.forces.unsampled import stacked
    >>> stacked([np.ones((1, 1)), np.zeros((0, 2))]).tolist()
    [[1.0, 0.0, 0.0]]
    """
    return np.asarray(block_diag(*parts))


def _runs(out: Bools) -> list[NDArray[np.intp]]:
    at = np.flatnonzero(out)
    return [run for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if len(run)]


def _end(form: LinearForm, run: NDArray[np.intp]) -> str:
    """Which end of the form a run of functions belongs to."""
    if len(run) == len(form):
        return "all"
    if form.periodic:
        return "gap"
    if run[0] == 0:
        return "start"
    return "end" if run[-1] == len(form) - 1 else "gap"


def continued(form: LinearForm, out: Bools) -> Floats:
    """Constraints that give functions which are not fitted a value, shape (k, parameters).

    The force goes on linearly from the functions that are fitted, beyond the tail of a pair
    potential it is zero. And the force of a dihedral drives nothing round and round.

    Examples
    --------
    >>> from regrain.fits.structure import Interaction
    >>> from regrain.fits.forces.unsampled import continued
    >>> from regrain.particles import BSpline
    >>> form = BSpline(r_min=0.0, r_max=3.0, functions=4, degree=1)
    >>> out = np.array([True, False, False, True])
    >>> continued(LinearForm(Interaction("pair", ("A", "A"), form)), out).tolist()
    [[1.0, -2.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """
    n, rows = len(form), []
    unit = np.eye(n)
    for run in _runs(out):
        end = _end(form, run)
        for k in run:
            if end == "all" or (end == "end" and form.term.kind == "pair"):
                rows.append(unit[k])
                continue
            centre = k + 1 if end == "start" else k - 1 if end == "end" else k
            if 0 < centre < n - 1 or form.periodic:
                rows.append(_line(form, int(centre)))
            else:  # a single function is left: constant
                rows.append(unit[k] - unit[centre])
    if form.periodic:
        weights = form.coefficients.sum(axis=0)
        rows.append(weights)
    return np.array(rows).reshape(len(rows), n)


def _line(form: LinearForm, centre: int) -> Floats:
    """Second difference of a parameter and its neighbours, for their places."""
    n, row = len(form), np.zeros(len(form))
    if form.periodic:
        for k, weight in ((centre - 1, 1.0), (centre, -2.0), (centre + 1, 1.0)):
            row[k % n] += weight
        return row
    x = form.places[centre - 1 : centre + 2]
    left, right = x[1] - x[0], x[2] - x[1]
    mean = 0.5 * (left + right)
    row[centre - 1 : centre + 2] = [mean / left, -mean / left - mean / right, mean / right]
    return row


def second_differences(form: LinearForm) -> Floats:
    """How far each parameter is from the line through its neighbours.

    Examples
    --------
    >>> from regrain.fits.structure import Interaction
    >>> from regrain.fits.forces.unsampled import second_differences
    >>> from regrain.particles import BSpline
    >>> form = BSpline(r_min=0.0, r_max=2.0, functions=3, degree=1)
    >>> second_differences(LinearForm(Interaction("pair", ("A", "A"), form))).tolist()
    [[1.0, -2.0, 1.0]]
    """
    centres = range(len(form)) if form.periodic else range(1, len(form) - 1)
    return np.array([_line(form, k) for k in centres]).reshape(-1, len(form))


def too_weak(forms: Sequence[LinearForm], norms: Floats, values: Floats, error: Floats) -> Bools:
    """Functions met by a few only, whose error is larger than the largest force.

    ``norms`` are those of the columns: squared, half of them are the number of times that a
    function of height one was met at its top.

    Examples
    --------
    >>> from regrain.fits.forces.unsampled import too_weak
    >>> too_weak([], np.zeros(0), np.zeros(0), np.zeros(0)).tolist()
    []
    """
    parts = [np.zeros(0, dtype=bool)]
    cut = (split(array, forms) for array in (norms, values, error))
    for form, norm, value, wrong in zip(forms, *cut, strict=True):
        top = form.basis(form.spline.grid).max(axis=0)
        met = 0.5 * (norm / top) ** 2
        parts.append((met < FEW) & (wrong > np.abs(value[met >= FEW]).max(initial=0.0)))
    return np.concatenate(parts)


def named(forms: Sequence[LinearForm], never: Bools, weak: Bools) -> list[Unsampled]:
    """What was not fitted, by name.

    Examples
    --------
    >>> from regrain.fits.forces.unsampled import named
    >>> named([], np.zeros(0, dtype=bool), np.zeros(0, dtype=bool))
    []
    """
    left = {"start": "the force goes on linearly", "end": "the force goes on linearly",
            "gap": "the force is a line across the gap", "all": "no force"}  # fmt: skip
    found = []
    for form, out, few in zip(forms, split(never, forms), split(weak, forms), strict=True):
        ends = {int(k): _end(form, run) for run in _runs(out | few) for k in run}
        for which, is_never in ((out, True), (few, False)):
            for run in _runs(which):
                end = ends[int(run[0])]
                zero = end == "end" and form.term.kind == "pair"
                text = "no force" if zero else left[end]
                found.append(
                    Unsampled(
                        form.term.label,
                        tuple(int(k) for k in run),
                        form.range_of(int(run[0]))[0],
                        form.range_of(int(run[-1]))[1],
                        is_never,
                        text.replace("the force", "f") if form.term.kind == "triple" else text,
                    )
                )
    return found


def tell(found: Sequence[Unsampled], solved: Solved, forms: Sequence[LinearForm]) -> None:
    """Warn of what was not fitted, and of what the data cannot tell apart.

    Examples
    --------
    >>> from regrain.fits.forces.unsampled import tell  # a fit calls it
    """
    if found:
        warnings.warn(
            "the target says nothing about some functions: "
            + "; ".join(map(str, found))
            + ". Choose ranges that were sampled, or give more frames",
            UserWarning,
            stacklevel=4,
        )
    if not len(solved.lost):
        return
    names = [f"{form.term.label} {k}" for form in forms for k in range(len(form))]
    weight = solved.lost.max(axis=0)
    worst = [names[k] for k in np.argsort(-weight)[:6] if weight[k] > 0.1 * weight.max()]
    warnings.warn(
        f"the data leave {len(solved.lost)} combination(s) of functions undetermined, mainly of "
        f"{', '.join(worst)}: the smallest coefficients were taken. Fewer functions, frames that "
        "differ more, or ridge=1e-6 make them definite",
        UserWarning,
        stacklevel=4,
    )


def repelling(
    values: Floats, forms: Sequence[LinearForm], unsampled: Sequence[Unsampled]
) -> Floats:
    """Values with cores of pair potentials that repel: where nobody was, nobody shall go.

    Where the force does not grow inwards by itself it gets the stiffness 2 abs(F) / r, as below the
    range of a `Table`.

    Examples
    --------
    >>> from regrain.fits.forces.unsampled import repelling
    >>> repelling(np.zeros(0), [], [])
    array([], dtype=float64)
    """
    parts = []
    for form, own in zip(forms, split(values, forms), strict=True):
        out = {k for u in unsampled if u.label == form.term.label for k in u.functions}
        first = next((k for k in range(len(own)) if k not in out), 0)
        changed = own.copy()
        if form.term.kind == "pair" and 0 < first < len(own) - 1:
            x = form.places
            slope = (own[first] - own[first + 1]) / (x[first + 1] - x[first])
            if slope <= 0 or own[first] <= 0:
                slope = max(slope, 2 * abs(own[first]) / x[first])
                changed[:first] = own[first] + slope * (x[first] - x[:first])
        parts.append(changed)
    return np.concatenate(parts) if parts else values
