"""Relative entropy minimisation: the potentials under which the target is likeliest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.forms import Free
from regrain.fits.problem import Potentials, Problem
from regrain.fits.relative_entropy.counting import Counter
from regrain.fits.relative_entropy.divergence import Comparison, Counts, Descent, Divergence
from regrain.fits.relative_entropy.path import change_along
from regrain.fits.relative_entropy.space import Space
from regrain.fits.relative_entropy.unknowns import table_twin, unknown_of
from regrain.fits.structural.boltzmann import Inversion
from regrain.fits.structural.loop import StructureFit, Update, too_hot
from regrain.fits.structural.records import Iteration
from regrain.fits.structure import Interaction
from regrain.observables import Estimate
from regrain.particles import Particles
from regrain.trace import Trace

__all__ = ["RelativeEntropy"]

Floats = NDArray[np.float64]

#: χ² of the structure beyond which it is said that the forms cannot give the target.
MISFIT = 2.0
#: Factor from its start beyond which a parameter has run away.
FAR = 300.0
#: Independent samples of a run per free parameter; runs are made longer for them, up to so much.
ENOUGH, LONGER = 10.0, 4.0
#: Share of the way to the last run that is taken at least when it went too far.
SHORTEST = 0.1


@dataclass(frozen=True, kw_only=True)
class RelativeEntropy(StructureFit):
    """Potentials that make the target likeliest: the minimum of S = β ⟨U⟩_target − β F(U).

    Newton steps on ∂S/∂λ = β ⟨∂U/∂λ⟩_target − β ⟨∂U/∂λ⟩_model, for parameters λ of any form:
    those that `Free` names, the energies of tables, the coefficients of B-splines. The frames of a
    coarse run are reweighted for as many steps as they are worth it (each lowers S), then the next
    run is made; where they say nothing about the next potentials, one Newton step is taken, held
    back where it is long (parameters by 25 %, energies by 3 kT), and taken back in part where the
    next run shows that it went too far. Positive parameters are moved on a logarithmic scale.

    The parameters are those of `StructureFit` (15 iterations at most), and:

    Parameters
    ----------
    tolerance : float
        Mean square of the gradient in units of its statistical error (of target and run) at which
        the fit has converged: 1 is noise alone. Only a run with the parameters of a reweighted
        minimum of the one before counts.
    overlap : float
        Least effective share of frames, (Σ w)² / (n Σ w²), that reweighting may come down to.

    Loses / Assumes
    ---------------
    The target is at equilibrium at the temperature of the fit. What the forms cannot say is lost:
    the minimum is then a compromise that keeps ⟨∂U/∂λ⟩ and nothing else, and the result says so.
    With tables or fine splines the minimum is where g(r) agrees, as in `IBI`; pressure, energy and
    three-body order are not asked for. Unsampled energies of a table are walls, not results;
    the last coefficient of a pair spline is zero, so that its force ends without a jump.

    References
    ----------
    M. S. Shell, J. Chem. Phys. 129, 144108 (2008); A. Chaimovich and M. S. Shell, J. Chem. Phys.
    134, 094112 (2011). The reweighted minimum is the Monte Carlo maximum likelihood of C. J. Geyer
    and E. A. Thompson, J. R. Stat. Soc. B 54, 657 (1992).

    Examples
    --------
    >>> import regrain as rg
    >>> start = rg.particles.LennardJones(epsilon=1.0, sigma=0.3, cutoff=0.9)
    >>> form = rg.fits.Free(start, "epsilon", "sigma")
    >>> fit = rg.fits.RelativeEntropy(pairs={("W", "W"): form}, temperature=300.0, seed=7)
    >>> fit.overlap
    0.3
    """

    fills: ClassVar[tuple[str, ...]] = ("energy", "coefficients", "parameters")

    iterations: int = 15
    tolerance: float = 1.5
    overlap: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.overlap < 1:
            raise RegrainError(
                f"RelativeEntropy: overlap is {self.overlap}; give a share of the frames above 0 "
                "and below 1"
            )
        if self.pressure is not None:
            raise RegrainError(_NO_PRESSURE)

    def _update(self, problems: Sequence[Problem]) -> Update:
        if any(problem.pressure is not None for problem in problems):
            raise RegrainError(_NO_PRESSURE)
        return _Descent(problems, self.smoothing, self.overlap)

    def _violation(self, problem: Problem, record: Iteration, *, fine: bool = True) -> float:
        """The gradient is that of all states, and is kept with the last run of a round."""
        sigmas = float(record.scores.get("gradient", 0.0))
        worst = sigmas**2 / self.tolerance
        if too_hot(problem, record):
            return max(worst, 1.0) * record.temperature / problem.temperature
        if fine and record.scores.get("by", "minimum") != "minimum":
            return max(worst, 1.0 + 1e-9)
        return worst

    def _stretch(self, problem: Problem, records: list[Iteration]) -> float:
        """As long as the last run should have been for so many parameters."""
        found = records[-1].scores.get("samples") if records else None
        if found is None:
            return 1.0
        factor = records[-1].time / records[0].time * ENOUGH / found
        return float(np.clip(factor, 1.0, LONGER))

    def _agreement(self, problems: Sequence[Problem], runs: Sequence[Iteration]) -> str:
        text = (
            "the gradient of the relative entropy is zero within its error "
            f"({runs[-1].scores['gradient']:.2g} sigma)"
        )
        worst = max(record.chi2 for record in runs)
        if worst > MISFIT:
            text += (
                f", but the structure is not that of the target (chi2 = {worst:.3g}): these forms "
                "cannot give it"
            )
        return text


_NO_PRESSURE = (
    "RelativeEntropy has no constraint on the pressure, about which the relative entropy says "
    "nothing; use IBI or HNCGN with pressure=..., or pressure=None"
)


class _Descent(Update):
    """Everything is evaluated from counts: those of the targets once, those of runs with each."""

    def __init__(
        self, problems: Sequence[Problem], smoothing: float | None, overlap: float
    ) -> None:
        self.problems, self.overlap = problems, overlap
        terms = problems[0].terms
        self.counter = Counter(terms, exclude=problems[0].exclude)
        self.targets = [self.counter.counts(cast(Any, problem.trace)) for problem in problems]
        inversion = _inverted(problems, smoothing)
        mean = np.sum(
            [p.weight / p.kt**2 * t.mean for p, t in zip(problems, self.targets, strict=True)],
            axis=0,
        )
        self.start: Potentials = {}
        unknowns = []
        ends = np.cumsum([len(x) for x in self.counter.x])
        for term, x, end in zip(terms, self.counter.x, ends, strict=True):
            unknown, start = unknown_of(term, x, mean[end - len(x) : end], inversion)
            unknowns.append(unknown)
            self.start[term.label] = start
        self.space = Space(unknowns)
        self._known: dict[int, tuple[Any, Divergence, Descent]] = {}

    def first(self) -> Potentials:
        return self.start

    def measure(self, trace: Trace[Particles], problem: Problem) -> dict[str, Any]:
        return {"counts": self.counter.rows(trace)}

    def next(self, records: list[Iteration]) -> Potentials:
        potentials = self._proposed(records)[0]
        before, after = self.space.theta(self.start), self.space.theta(potentials)
        for unknown, place in zip(self.space.unknowns, self.space.places, strict=True):
            moved = np.where(unknown.logarithmic, after[place] - before[place], 0.0)
            worst = int(np.argmax(np.abs(moved)))
            if abs(moved[worst]) > np.log(FAR):
                raise RegrainError(
                    f"{unknown.names[worst]} has moved by a factor of {np.exp(moved[worst]):.3g} "
                    "from its start, so the fit diverges: the target asks for no finite value of "
                    "it; keep it fixed, start elsewhere, or give another form"
                )
        return potentials

    def _proposed(self, records: list[Iteration]) -> tuple[Potentials, str]:
        """The next potentials, and how they were reached."""
        back = self._back(records)
        if back is not None:
            return back, "back"
        descent = self._descent(records)
        return descent.point.potentials, descent.end

    def _back(self, records: list[Iteration]) -> Potentials | None:
        """Part of the last leap, if S rose along it by the trapezoidal rule of its slopes.

        Steps within the reach of reweighting were seen to lower S.
        """
        count = len(self.problems)
        if len(records) < 2 * count or records[-1].scores.get("by") != "leap":
            return None
        before, after = self._divergence(records[:-count]).start, self._divergence(records).start
        step = after.theta - before.theta
        down, up = float(before.gradient @ step), float(after.gradient @ step)
        if up <= -down or up <= 0:
            return None
        part = max(-down / (up - down), SHORTEST)
        return self.space.potentials(before.theta + part * step, before.potentials)

    def _comparisons(self, runs: Sequence[Iteration]) -> list[Comparison]:
        return [
            Comparison(
                1.0 / problem.kt,
                target,
                Counts(run.extra["counts"], np.ones(len(run.extra["counts"]))),
                float(len(problem.state)),
                problem.weight,
            )
            for problem, target, run in zip(self.problems, self.targets, runs, strict=True)
        ]

    def _divergence(self, records: list[Iteration]) -> Divergence:
        return self._of(records)[0]

    def _descent(self, records: list[Iteration]) -> Descent:
        return self._of(records)[1]

    def _of(self, records: list[Iteration]) -> tuple[Divergence, Descent]:
        """Of the last round; those of the last two rounds are remembered, as they cost most."""
        last = records[-1]
        if id(last.potentials) not in self._known:
            runs = records[-len(self.problems) :]
            divergence = Divergence(self.space, last.potentials, self._comparisons(runs))
            backs = sum(record.scores.get("by") == "back" for record in records)
            descent = divergence.minimum(share=self.overlap, radius=0.5**backs)
            for old in list(self._known)[:-1]:
                del self._known[old]
            self._known[id(last.potentials)] = last.potentials, divergence, descent
        return self._known[id(last.potentials)][1:]

    def scores(self, records: list[Iteration]) -> dict[str, Any]:
        point = self._divergence(records).start
        before = records[: -len(self.problems)]
        scores: dict[str, Any] = {
            "by": self._proposed(before)[1] if before else "start",
            "gradient": point.sigmas(),
            "samples": point.samples / point.freedom,
        }
        if before:
            scores["share"] = self._divergence(before).at(point.theta).share
        (change,) = self.estimates(records)
        return {**scores, "dS/N": float(change), "dS/N_error": float(change.error or 0.0)}

    def estimates(self, records: list[Iteration]) -> list[Estimate]:
        """The change of relative entropy per particle since the first run."""
        count = len(self.problems)
        stops = [
            (records[k].potentials, self._comparisons(records[k : k + count]))
            for k in range(0, len(records), count)
        ]
        return [change_along(self.space, stops)] if stops else []

    def errors(self, records: list[Iteration]) -> Potentials:
        if not records:
            return {label: 0.0 * values for label, values in self.start.items()}
        point = self._divergence(records).start
        theta, errors = point.errors(), {}
        for unknown, place in zip(self.space.unknowns, self.space.places, strict=True):
            values = point.potentials[unknown.label]
            errors[unknown.label] = unknown.errors(theta[place], values)
        return errors


def _inverted(problems: Sequence[Problem], smoothing: float | None) -> Inversion | None:
    """Boltzmann inversion of all that is linear, on tables: what to begin with."""
    tables = [
        replace(
            problem,
            interactions=_tables(problem.interactions),
            everywhere=_tables(problem.terms),
        )
        for problem in problems
    ]
    return Inversion(tables, smoothing) if tables[0].terms else None


def _tables(terms: Sequence[Interaction]) -> tuple[Interaction, ...]:
    return tuple(
        replace(term, form=table_twin(term)) for term in terms if not isinstance(term.form, Free)
    )
