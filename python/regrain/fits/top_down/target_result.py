"""What a top-down search gives: the parameters with errors, the model, and every run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.top_down.search import Found
from regrain.observables import Estimate
from regrain.observables.text import number
from regrain.plotting import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Evaluation", "TargetResult"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """One run of a search.

    Attributes
    ----------
    index : int
        From 0.
    parameters : dict of str to float
    values : dict of str to float
        Of the observables.
    errors : dict of str to float or None
        Their standard errors; None: not known.
    seed : int
    seconds : float

    Examples
    --------
    >>> from regrain.fits.top_down.target_result import Evaluation
    >>> Evaluation(0, {"k": 1.0}, {"p": 2.0}, {"p": None}, seed=7, seconds=0.1).to_dict()["seed"]
    7
    """

    index: int
    parameters: dict[str, float]
    values: dict[str, float]
    errors: dict[str, float | None]
    seed: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Everything, JSON-able."""
        return asdict(self)


@dataclass(frozen=True, eq=False, repr=False)
class TargetResult:
    """Parameters at which the observables are what they should be; prints as a table.

    Attributes
    ----------
    model : object
        What ``make`` gives for the parameters.
    parameters : dict of str to Estimate
        With errors from both the noise of the runs and the errors of the targets, through the
        slopes.
    noise : dict of str to Estimate
        The same parameters with errors from the noise of the runs alone.
    observables : dict of str to Estimate
        At these parameters, by the regression.
    goals : dict of str to (float, float)
        What they should be: value and error.
    history : tuple of Evaluation
        All runs, in order.
    converged : bool
    reason : str
        Why it stopped.
    notes : tuple of str
        What else was seen, such as another root.

    Examples
    --------
    See `Target`, which makes them.

    >>> from regrain.fits.top_down.target_result import TargetResult
    >>> TargetResult.potentials.__doc__
    'None: a search fits parameters of any model.'
    """

    model: Any
    parameters: Mapping[str, Estimate]
    noise: Mapping[str, Estimate]
    observables: Mapping[str, Estimate]
    goals: Mapping[str, tuple[float, float]]
    history: tuple[Evaluation, ...]
    converged: bool
    reason: str
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls, fit: Any, found: Found, history: list[Evaluation], low: Floats, high: Floats
    ) -> TargetResult:
        """From where a search ended."""
        names, size = list(fit.parameters), high - low
        best = dict(zip(names, map(float, low + found.point * size), strict=True))

        def estimates(covariance: Floats | None, dof: Any) -> dict[str, Estimate]:
            if covariance is None:
                return {k: Estimate(k, v, flags=("no root was found",)) for k, v in best.items()}
            error = np.sqrt(np.diag(covariance)) * size
            return {
                name: Estimate(name, best[name], error[i], dof=dof[i], tier="T2",
                               method="root of a local regression over noisy runs")
                for i, name in enumerate(names)
            }  # fmt: skip

        finite = found.noise is not None and np.isfinite(found.dof)
        own = np.full(len(names), found.dof) if finite else [None] * len(names)
        both = own
        if finite:  # Welch and Satterthwaite: the errors of the targets are known
            part = np.diag(cast(Floats, found.noise)) / np.diag(cast(Floats, found.total))
            both = np.minimum(found.dof / np.maximum(part, 1e-6) ** 2, 1e12)
        observables = {
            name: Estimate(name, found.values[j],
                           None if found.noise is None else found.errors[j])
            for j, name in enumerate(fit.goals)
        }  # fmt: skip
        return cls(
            fit.make(**best), estimates(found.total, both), estimates(found.noise, own),
            observables, fit.goals, tuple(history), found.converged,
            _named(found.reason, names, low, size),
            tuple(_named(note, names, low, size) for note in found.notes),
        )  # fmt: skip

    @property
    def errors(self) -> dict[str, Floats]:
        """Standard errors of the parameters, by name; none where there is no root."""
        return {k: e.error for k, e in self.parameters.items() if e.error is not None}

    @property
    def potentials(self) -> list[dict[str, Any]]:
        """None: a search fits parameters of any model."""
        return []

    def __str__(self) -> str:
        names, goals = list(self.parameters), list(self.goals)
        rows = [["run", *names, *goals, "s"]]
        rows.append(["target", *([""] * len(names)),
                     *(number(*self.goals[name]) for name in goals), ""])  # fmt: skip
        for one in self.history:
            rows.append([str(one.index + 1), *(f"{one.parameters[n]:.6g}" for n in names),
                         *(number(one.values[n], one.errors[n]) for n in goals),
                         f"{one.seconds:.1f}"])  # fmt: skip
        best = [
            number(float(e), None if e.error is None else float(e.error))
            for e in (*self.parameters.values(), *self.observables.values())
        ]
        rows.append(["found", *best, f"{sum(one.seconds for one in self.history):.1f}"])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(c.rjust(w) for c, w in zip(r, widths, strict=True)) for r in rows]
        state = "converged" if self.converged else "not converged"
        return "\n".join([*lines, f"{state}: {self.reason}", *(f"  ! {n}" for n in self.notes)])

    __repr__ = __str__

    def plot(
        self, ax: Axes | None = None, *, parameter: str | None = None, label: str | None = None
    ) -> Axes:
        """Draw all runs, the target and the parameter, with their errors.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        parameter, label : str, optional
            Which parameter along x, which observable along y; the first ones when omitted.

        Raises
        ------
        RegrainError
            No such parameter or observable.
        """
        parameter = next(iter(self.parameters)) if parameter is None else parameter
        label = next(iter(self.goals)) if label is None else label
        for name, known in ((parameter, self.parameters), (label, self.goals)):
            if name not in known:
                raise RegrainError(
                    f"there is no {name!r} in this search; it has {', '.join(known)}"
                )
        ax = axes(ax)
        x = [one.parameters[parameter] for one in self.history]
        y = [one.values[label] for one in self.history]
        error = [one.errors[label] or 0.0 for one in self.history]
        ax.errorbar(x, y, error, fmt="o", markersize=3, capsize=2, color="0.4", label="runs")
        value, known_to = self.goals[label]
        ax.axhspan(value - known_to, value + known_to, alpha=0.3, label="target")
        found = self.parameters[parameter]
        ax.axvline(float(found), linewidth=0.8)
        if found.error is not None:
            reach = float(found.error)
            ax.axvspan(float(found) - reach, float(found) + reach, alpha=0.15)
        ax.set_xlabel(parameter)
        ax.set_ylabel(label)
        ax.legend()
        return ax


def _named(text: str, names: list[str], low: Floats, size: Floats) -> str:
    """Places of the unit box, in braces, as values of the first parameter; [k] as its name."""

    def value(found: re.Match[str]) -> str:
        return f"{names[0]} = {low[0] + float(found[1]) * size[0]:.4g}"

    text = re.sub(r"\{([^}]*)\}", value, text)
    return re.sub(r"\[(\d+)\]", lambda found: names[int(found[1])], text)
