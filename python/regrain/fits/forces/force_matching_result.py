"""What force matching gives: the model, its coefficients with errors, and what is left over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain.errors import RegrainError
from regrain.fits.forces.least_squares import Solved
from regrain.fits.forces.linear_forms import LinearForm
from regrain.fits.forces.matching import Matched
from regrain.fits.forces.unsampled import Unsampled, split
from regrain.observables import Estimate
from regrain.observables.text import number
from regrain.particles import ForceField
from regrain.plotting import axes
from regrain.units import units

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ForceMatchingResult", "Matching"]

Floats = NDArray[np.float64]

_AXES = {"pair": "r", "bond": "r", "angle": "theta", "dihedral": "phi", "triple": "theta"}


@dataclass(frozen=True)
class Matching:
    """The one entry of the history of a force matching.

    Attributes
    ----------
    rms : float
        Root mean square of what is left of a component of a force.
    seconds : float

    Examples
    --------
    >>> from regrain.fits.forces.force_matching_result import Matching
    >>> Matching(rms=1.5, seconds=0.2).rms
    1.5
    """

    rms: float
    seconds: float


@dataclass(frozen=True, eq=False, repr=False)
class ForceMatchingResult:
    """A model fitted to forces, and how good it is.

    Attributes
    ----------
    model : ForceField
        With the known interactions; it can be run.
    coefficients : dict of str to ndarray
        Parameters of each form by label ("pair A-B"): coefficients of B-splines, values of the
        force at the nodes of tables; of f(θ) for triples.
    errors : dict of str to ndarray
        Their standard errors, by the jackknife over blocks of frames; empty for a single frame.
    covariance : ndarray, shape (parameters, parameters), or None
        Of all parameters, in the order of ``coefficients``.
    unsampled : tuple of Unsampled
        Functions that were not fitted, where they act and what became of them.
    residual : dict of str to Estimate
        "total": mean square of what is left per component of a force (χ² per degree of freedom);
        "relative": over that of the forces; "fibre noise": what no coarse model could have; "model
        error": the rest; "chi2": total over noise, 1 for a perfect model. The last three are
        undefined, with the reason, unless frames share coarse positions.
    history, converged, reason
        As of every fit.

    Examples
    --------
    See `ForceMatching`.

    >>> from regrain.fits.forces.force_matching_result import ForceMatchingResult  # what it gives
    """

    model: ForceField
    coefficients: dict[str, Floats]
    errors: dict[str, Floats]
    covariance: Floats | None
    unsampled: tuple[Unsampled, ...]
    residual: dict[str, Estimate]
    history: tuple[Matching, ...]
    converged: bool
    reason: str
    blocks: int
    frames: int
    _forms: tuple[LinearForm, ...]

    @classmethod
    def of(
        cls,
        *,
        model: ForceField,
        forms: Sequence[LinearForm],
        values: Floats,
        solved: Solved,
        covariance: Floats | None,
        without: Floats | None,
        unsampled: tuple[Unsampled, ...],
        matched: Matched,
        directions: int,
        seconds: float,
    ) -> ForceMatchingResult:
        """From the parts of the fit."""
        labels = [form.term.label for form in forms]
        errors: dict[str, Floats] = {}
        if covariance is not None:
            sigma = np.sqrt(np.diag(covariance))
            errors = dict(zip(labels, split(sigma, forms), strict=True))
        residual = _residual(model.units, solved.chi2, without, matched, directions)
        named = f"{sum(len(u.functions) for u in unsampled)} functions were not sampled"
        return cls(
            model=model,
            coefficients=dict(zip(labels, split(values, forms), strict=True)),
            errors=errors,
            covariance=covariance,
            unsampled=unsampled,
            residual=residual,
            history=(Matching(float(np.sqrt(residual["total"].value)), seconds),),
            converged=not len(solved.lost),
            reason="the least squares are solved" + (f"; {named}" if unsampled else ""),
            blocks=len(matched.blocks),
            frames=matched.frames,
            _forms=tuple(forms),
        )

    @property
    def potentials(self) -> list[dict[str, Any]]:
        """The fitted potentials by label, one dict as there is one entry in the history."""
        found = {}
        for form in self._forms:
            terms: Mapping[Any, Any] = getattr(self.model, f"{form.term.kind}s")
            found[form.term.label] = terms[form.term.types]
        return [found]

    # ------------------------------------------------------------------ curves

    def force(self, label: str | None = None, x: ArrayLike | None = None) -> Estimate:
        """The force -du/dx as a function with its error; f(θ) of triples.

        Parameters
        ----------
        label : str, optional
            Which interaction; the first one when omitted.
        x : array_like, shape (n,), optional
            Where; equally spaced points of the form when omitted.

        Raises
        ------
        RegrainError
            No such interaction.
        """
        form, index = self._find(label)
        what = "f" if form.term.kind == "triple" else "force"
        return self._curve(form, index, x, form.basis, what)

    def energy(self, label: str | None = None, x: ArrayLike | None = None) -> Estimate:
        """The energy as a function with its error, zero where the form ends; see `force`."""
        form, index = self._find(label)
        return self._curve(form, index, x, form.energy_basis, "energy")

    def _find(self, label: str | None) -> tuple[LinearForm, slice]:
        labels = [form.term.label for form in self._forms]
        label = labels[0] if label is None else label
        if label not in labels:
            raise RegrainError(f"there is no {label!r} in this fit; it has {', '.join(labels)}")
        k = labels.index(label)
        begin = sum(len(form) for form in self._forms[:k])
        return self._forms[k], slice(begin, begin + len(self._forms[k]))

    def _curve(self, form: LinearForm, index: slice, x: Any, basis: Any, what: str) -> Estimate:
        where = form.spline.grid if x is None else np.asarray(x, dtype=float).reshape(-1)
        rows = basis(where)
        error, names = None, units(self.model.units)
        if self.covariance is not None:
            own = self.covariance[index, index]
            error = np.sqrt(np.maximum(np.einsum("nk,kl,nl->n", rows, own, rows), 0.0))
        axis = _AXES[form.term.kind]
        length = names.length if axis == "r" else "rad"
        per = f"{names.energy}/{length}" if names.energy else ""
        return Estimate(
            f"{what} of {form.term.label}",
            rows @ self.coefficients[form.term.label],
            error,
            unit=per if what == "force" else names.energy,
            coords={axis: where},
            coord_units={axis: length} if length and names.energy else {},
            dof=self.blocks - 1 if error is not None else None,
            tier="T2",
            method="force matching, errors by the jackknife over blocks of frames",
            cite="Noid et al., J. Chem. Phys. 128, 244114 (2008)",
            flags=() if error is not None else ("one frame gives no error bar",),
        )

    def plot(self, ax: Axes | None = None, *, label: str | None = None) -> Axes:
        """Draw the force with a band of its standard error.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        label : str, optional
            Which interaction; the first one when omitted.

        Raises
        ------
        RegrainError
            No such interaction.
        """
        curve = self.force(label)
        ax = axes(ax)
        (axis, x), unit = next(iter(curve.coords.items())), curve.unit
        error = np.zeros(len(x)) if curve.error is None else curve.error
        ax.plot(x, curve.value, label=self._find(label)[0].term.label)
        ax.fill_between(x, curve.value - error, curve.value + error, alpha=0.3, linewidth=0)
        length = curve.coord_units.get(axis, "")
        ax.set_xlabel(f"{axis} / {length}" if length else axis)
        ax.set_ylabel(f"{curve.name.split(' ')[0]} / {unit}" if unit else curve.name.split(" ")[0])
        ax.legend()
        return ax

    # ------------------------------------------------------------------ text

    def __str__(self) -> str:
        rows = [("interaction", "parameters", "sampled", "largest", "median error")]
        for form in self._forms:
            label = form.term.label
            out = sum(len(u.functions) for u in self.unsampled if u.label == label)
            value = self.coefficients[label]
            error = f"{np.median(self.errors[label]):.3g}" if self.errors else ""
            rows.append((label, f"{len(value)}", f"{len(value) - out}",
                         f"{np.abs(value).max():.5g}", error))  # fmt: skip
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                [row[0].ljust(widths[0])]
                + [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
            ).rstrip()
            for row in rows
        ]
        lines.append(f"{self.frames} frames in {self.blocks} blocks; {self.reason}")
        lines += [f"  ! {gap}" for gap in self.unsampled]
        undefined = [n for n, estimate in self.residual.items() if estimate.kind == "undefined"]
        for name, estimate in self.residual.items():
            if name in undefined:
                continue
            wrong = None if estimate.error is None else float(estimate.error)
            shown = number(float(estimate.value), wrong)
            lines.append(f"{name}: {shown}{' ' if estimate.unit else ''}{estimate.unit}")
        if undefined:
            reason = self.residual[undefined[0]].flags[0]
            lines.append(f"{', '.join(undefined)}: undefined ({reason})")
        return "\n".join(lines)

    __repr__ = __str__


def _residual(
    tag: str, chi2: float, without: Floats | None, matched: Matched, directions: int
) -> dict[str, Estimate]:
    """What is left of the forces, and of whom it is."""
    names = units(tag)
    unit = f"({names.energy}/{names.length})^2" if names.energy else ""
    freedom = max(matched.forces - directions, 1)
    method = "residual of the least squares"

    def estimate(name: str, value: float, scale: float, unit: str) -> Estimate:
        error = None
        if without is not None:
            count = len(without)
            error = scale * np.sqrt((count - 1) / count * np.sum((without - without.mean()) ** 2))
            error *= count / (count - 1) if count > 1 else 1.0
        dof = None if without is None else len(without) - 1
        flags = () if error is not None else ("one frame gives no error bar",)
        return Estimate(name, value, error, unit=unit, dof=dof, tier="T2", method=method,
                        flags=flags)  # fmt: skip

    total = estimate("total", chi2 / freedom, 1.0 / freedom, unit)
    square = max(matched.square, 1e-300)
    found = {
        "total": total,
        "relative": estimate("relative", chi2 / square, 1.0 / square, ""),
        "fibre noise": matched.noise.estimate(unit=unit),
    }
    noise = found["fibre noise"]
    if noise.kind == "undefined":
        reason = noise.flags[0]
        found["model error"] = Estimate.undefined("model error", reason)
        found["chi2"] = Estimate.undefined("chi2", reason)
        return found
    left = float(total.value - noise.value)
    both = [e.error for e in (total, noise)]
    error = None if None in both else float(np.hypot(*both))  # type: ignore[arg-type]
    ratio = float(total.value / noise.value) if noise.value else 0.0
    relative = None if error is None or not noise.value else error / float(noise.value)
    found["model error"] = Estimate(
        "model error", left, error, unit=unit, tier="T2", method="total minus fibre noise",
        flags=("below zero by chance: no model error is seen",) if left < 0 else (),
    )  # fmt: skip
    found["chi2"] = (
        Estimate("chi2", ratio, relative, tier="T2", method="total over fibre noise")
        if noise.value
        else Estimate.undefined("chi2", "the forces have no noise")
    )
    return found
