"""Gauss-Newton structure inversion with the response of the hypernetted-chain closure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.problem import Potentials, Problem
from regrain.fits.structural.boltzmann import Inversion
from regrain.fits.structural.fluid import Answer, Fluid
from regrain.fits.structural.ibi import boltzmann_step
from regrain.fits.structural.loop import StructureFit, Types, Update
from regrain.fits.structural.newton import Steps, joint_errors
from regrain.fits.structural.records import Iteration, kirkwood_buff
from regrain.fits.structural.shape import Shape

__all__ = ["HNCGN"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class HNCGN(StructureFit):
    """Gauss-Newton inversion of g(r) of all pairs of types, with constraints that are met exactly.

    The first potentials are those whose hypernetted-chain (HNC) solution is the target. Each update
    ΔU is the least-squares solution of J ΔU = g* − g, all pairs and states together, where J =
    δg/δU of the HNC closure and the matrix Ornstein-Zernike relation at the targets, residuals
    weigh as their errors ask, a second-difference penalty holds back what is narrower than
    ``smoothing``, and every constraint is one linear row that is met exactly: for the pressure,
    what ΔU changes in the virial, directly and through all g(r). U and its slope go to zero at the
    cutoff.

    Of bonded particles the relation is the site-site one (RISM) with what the target's molecules do
    inside; bonded terms are updated beside by damped steps of Boltzmann inversion. Known potentials
    and charges stay as they are: J is that of the whole liquid, ΔU of what is fitted. With bonds or
    charges pairs start from their potential of mean force.

    The parameters are those of `StructureFit` (5 iterations at most), and:

    Parameters
    ----------
    accuracy : float
        Differences of g below this do not matter. Residuals weigh 1 / (s² + accuracy²), with
        s² ∝ g/r² the statistical error: r²/g where noise rules, and equally where a constraint
        leaves differences that no potential takes away. With 0 the long and well-sampled tail of
        g(r) is met at the expense of its first peak.
    kirkwood_buff : bool, or mapping of (str, str) to float
        Hold the Kirkwood-Buff integrals of the fitted pairs at those of the target, or of these
        pairs at these values (a volume). They need a box in which g(r) has decayed, and coarse
        runs long enough to know them; whether they are met is told by the history alone, not by
        ``converged``.
    bonded_step : float
        0 to 1: the part of a Boltzmann step by which bonded terms are changed.

    Loses / Assumes
    ---------------
    The direction of each step comes from a closure without bridge diagrams, the end point does not:
    it is where simulated and target g(r) agree. g(r) of the target must have reached 1 within half
    its box. What a cutoff takes away from the potential, the rest of it makes up for. The g(r) of
    few states: three-body order, dynamics and other states are not fitted, and at most one of
    structure, pressure and energy can be had beyond g(r). Molecules answer as if they were rigid
    and their sites of one type alike. That known charges and triples answer a change of g(r) is not
    in the row of the pressure: it takes an iteration or two more.

    References
    ----------
    F. Delbary, M. Hanke and D. Ivanizki, J. Inverse Ill-Posed Probl. 28, 487 (2020); M. P.
    Bernhardt, M. Hanke and N. F. A. van der Vegt, J. Chem. Phys. 154, 084118 (2021) and J. Chem.
    Theory Comput. 19, 580 (2023).

    Examples
    --------
    >>> import regrain as rg
    >>> form = rg.particles.Table(r_min=0.22, r_max=0.90, points=341)
    >>> fit = rg.fits.HNCGN(pairs={("W", "W"): form}, temperature=300.0, pressure=1.0, seed=7)
    >>> fit.iterations
    5
    """

    iterations: int = 5
    accuracy: float = 0.01
    kirkwood_buff: bool | Mapping[Types, float] = False
    bonded_step: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (np.isfinite(self.accuracy) and self.accuracy >= 0):
            raise RegrainError(f"HNCGN: accuracy is {self.accuracy}; give a number of 0 or more")
        if not 0 < self.bonded_step <= 1:
            raise RegrainError(
                f"HNCGN: bonded_step is {self.bonded_step}; give a number above 0 and up to 1"
            )

    def _update(self, problems: Sequence[Problem]) -> Update:
        for problem in problems:
            if not problem.of_kind("pair"):
                raise RegrainError(
                    "HNCGN inverts g(r), but no pair potential is to be fitted; give a pair form, "
                    "or use IBI for bonded terms"
                )
            if problem.external is not None and len(problem.external):
                raise RegrainError(
                    "HNCGN answers g(r) by a theory of homogeneous fluids, which they are not "
                    "beside fields and walls (external=...); use IBI or RelativeEntropy"
                )
        return _GaussNewton(self, problems)


class _GaussNewton(Update):
    """The least-squares problem of the targets; all but residuals is evaluated once."""

    def __init__(self, fit: HNCGN, problems: Sequence[Problem]) -> None:
        self.fit, self.problems = fit, problems
        self.inversion = Inversion(problems, fit.smoothing)
        self.bonded = {k: s for k, s in self.inversion.shapes.items() if s.term.kind != "pair"}
        self.fluids = [Fluid(problem) for problem in problems]
        self.kt = self.inversion.kt
        self.integrals = [self._integrals(fluid) for fluid in self.fluids]
        pairs = {k: s for k, s in self.inversion.shapes.items() if s.term.kind == "pair"}
        self.start = {label: self.inversion.start[label] for label in pairs}
        # Of molecules the closure says little, of charges known besides too much.
        self.closed = all(f.liquid.intra is None and not f.problem.charges for f in self.fluids)
        if self.closed:
            for label, shape in pairs.items():
                energy = self._inverted(label, len(shape.target.x))
                pairs[label] = Shape.of(shape.term, shape.target, energy, fit.smoothing)
                self.start[label] = pairs[label].finish(energy, self.kt)
        weights = [
            {k: self._weights(problem, pairs[k]) for k in pairs if k in problem.target}
            for problem in problems
        ]
        self.steps = Steps(problems, pairs, weights)
        self.answers = [Answer(fluid, self.steps, self.start) for fluid in self.fluids]
        self.system = self.steps.system([answer.jacobian for answer in self.answers])

    def _weights(self, problem: Problem, shape: Shape) -> Floats:
        """One over the variance of g in proportion to g / r², and what does not matter."""
        target = problem.target[shape.term.label]
        used = target.sampled("pair") & (target.x < problem.reach)
        counts = np.where(used, shape.term.counts(target), 1.0)
        variance = np.where(used, target.value**2 / counts, 1.0) + self.fit.accuracy**2
        return np.where(used, problem.weight / variance, 0.0)

    def _inverted(self, label: str, bins: int) -> Floats:
        """The potential of the bare closure, the weighted mean over the states."""
        total, weight = np.zeros(bins), np.zeros(bins)
        for fluid in self.fluids:
            if label in fluid.inverted:
                seen = fluid.seen[label][:bins]
                total[seen] += fluid.problem.weight * fluid.inverted[label][:bins][seen]
                weight[seen] += fluid.problem.weight
        return np.asarray(total / np.where(weight > 0, weight, 1.0))

    def first(self) -> Potentials:
        start = dict(self.inversion.start)
        start.update(self.start)
        if not self.closed:
            return start
        residuals = [answer.left_out for answer in self.answers]
        rows = [
            answer.pressure_row({}, self.start, answer.pressure({}, self.start))
            for answer in self.answers
            if answer.problem.pressure is not None and answer.fluid.only_pairs
        ]
        return self._changed(start, self.system.step(residuals, self.start, rows))

    def next(self, records: list[Iteration]) -> Potentials:
        runs = records[-len(self.problems) :]
        old = runs[-1].potentials
        rows = []
        for answer, integrals, run in zip(self.answers, self.integrals, runs, strict=True):
            if answer.problem.pressure is not None:
                present = run.pressure / answer.problem.units.pressure_factor
                rows.append(answer.pressure_row(run.measured, old, present))
            rows += [
                answer.integral_row(label, wanted - run.kirkwood_buff[label])
                for label, wanted in integrals.items()
            ]
        change = self.system.step(self.steps.residuals(runs), old, rows)
        for label, shape in self.bonded.items():
            change[label] = self.fit.bonded_step * boltzmann_step(self.problems, shape, runs)
        return self._changed(old, change)

    def _changed(self, old: Potentials, change: Potentials) -> Potentials:
        shapes = {**self.bonded, **self.steps.shapes}
        return {
            label: shapes[label].walled(old[label] + change[label], self.kt)
            if label in change
            else energy
            for label, energy in old.items()
        }

    def errors(self, records: list[Iteration]) -> Potentials:
        runs: Sequence[Iteration | None] = records[-len(self.problems) :]
        runs = runs or [None] * len(self.problems)
        errors = self.inversion.errors(records)
        joint = [joint_errors(p, run) for p, run in zip(self.problems, runs, strict=True)]
        errors.update(self.system.errors(joint))
        return errors

    def _integrals(self, fluid: Fluid) -> dict[str, float]:
        """The Kirkwood-Buff integrals to hold, by label."""
        asked, problem = self.fit.kirkwood_buff, fluid.problem
        if asked is False:
            return {}
        labels = [term.label for term in problem.of_kind("pair")]
        if asked is True:
            found = {k: kirkwood_buff(problem.target[k], problem.state.volume) for k in labels}
        else:
            found = {_label(types): float(value) for types, value in asked.items()}
        unknown = sorted(set(found) - set(labels))
        if unknown:
            raise RegrainError(
                f"kirkwood_buff: {', '.join(unknown)} is not fitted; this fit has "
                f"{', '.join(labels)}"
            )
        if not fluid.decayed:
            raise RegrainError(
                f"kirkwood_buff: g(r) of the target has not decayed at half its box, "
                f"{fluid.grid.r[-1]:.4g}, so its integrals are not known; give a larger box, or "
                "kirkwood_buff=False"
            )
        return found


def _label(types: Any) -> str:
    if not (isinstance(types, tuple) and len(types) == 2):
        raise RegrainError(
            f'kirkwood_buff: the key {types!r} is not a tuple of two types such as ("A", "B")'
        )
    return f"pair {'-'.join(sorted(types))}"
