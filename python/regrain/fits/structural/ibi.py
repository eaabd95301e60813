"""Iterative Boltzmann inversion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.problem import Potentials, Problem
from regrain.fits.structural.boltzmann import Inversion
from regrain.fits.structural.loop import StructureFit, Update
from regrain.fits.structural.records import Iteration
from regrain.fits.structural.shape import Shape

__all__ = ["IBI"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class IBI(StructureFit):
    """Iterative Boltzmann inversion: U ← U + α kT ln(g / g*), for pairs and bonded terms.

    The parameters are those of `StructureFit`, and:

    Parameters
    ----------
    step : float
        α, 0 to 1: smaller steps where the iteration oscillates (several types, bonded terms).

    Loses / Assumes
    ---------------
    The response of g(r) at a distance to the potential at that distance is taken to be the whole
    response. It converges because liquids are mostly like that, but slowly in what is not: the
    pressure and the compressibility may be far off when g(r) agrees. With ``pressure`` given, a
    linear ramp A (1 - r / r_max) is added in every step, A from the virial with the present g(r);
    the ramp leaves a kink at the cutoff of A / r_max.

    References
    ----------
    D. Reith, M. Pütz and F. Müller-Plathe, J. Comput. Chem. 24, 1624 (2003); the ramp: H. Wang,
    C. Junghans and K. Kremer, Eur. Phys. J. E 28, 221 (2009).

    Examples
    --------
    >>> import regrain as rg
    >>> form = rg.particles.Table(r_min=0.9, r_max=2.5, points=161)
    >>> fit = rg.fits.IBI(pairs={("A", "A"): form}, temperature=1.0, iterations=8, seed=3)
    >>> fit.step
    1.0
    """

    step: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.step <= 1:
            raise RegrainError(f"IBI: step is {self.step}; give a number above 0 and up to 1")

    def _update(self, problems: Sequence[Problem]) -> Update:
        return _Iterated(problems, self.smoothing, self.step)


class _Iterated(Inversion):
    def __init__(self, problems: Sequence[Problem], smoothing: float | None, alpha: float) -> None:
        super().__init__(problems, smoothing)
        self.alpha = alpha

    def next(self, records: list[Iteration]) -> Potentials:
        runs = records[-len(self.problems) :]
        new = {
            label: runs[-1].potentials[label]
            + self.alpha * boltzmann_step(self.problems, shape, runs)
            for label, shape in self.shapes.items()
        }
        for label, ramp in self._ramps(runs).items():
            new[label] = new[label] + ramp
        return {label: shape.walled(new[label], self.kt) for label, shape in self.shapes.items()}

    def _ramps(self, runs: Sequence[Iteration]) -> Potentials:
        """A (1 - r / r_max) for every pair, with the A that suits the wanted pressures best."""
        above = below = 0.0
        for problem, run in zip(self.problems, runs, strict=True):
            if problem.pressure is None:
                continue
            missing = (problem.pressure - run.pressure) / problem.units.pressure_factor
            response = _ramp_response(problem, run)
            above += problem.weight * response * missing
            below += problem.weight * response**2
        if below == 0.0:
            return {}
        return {
            label: above / below * (1.0 - shape.term.nodes / shape.term.nodes[-1])
            for label, shape in self.shapes.items()
            if shape.term.kind == "pair"
        }

    def errors(self, records: list[Iteration]) -> Potentials:
        errors = super().errors(records)
        for run in records[-len(self.problems) :]:
            for label, found in run.measured.items():
                own = self.kt * self.shapes[label].relative_error(found)
                errors[label] = np.hypot(errors[label], own / len(self.problems))
        return errors


def _ramp_response(problem: Problem, run: Iteration) -> float:
    """dP/dA of ramps A (1 - r / r_max) on all pairs, at the present g(r)."""
    response = 0.0
    for term in problem.of_kind("pair"):
        found = run.measured[term.label]
        r, cutoff = found.x, term.nodes[-1]
        integral = float(np.sum((found.value * r**3)[r < cutoff]) * term.spacing)
        a, b = (problem.densities[name] for name in term.types)
        times = 1.0 if term.types[0] == term.types[1] else 2.0
        response += times * 2.0 * np.pi / 3.0 * a * b * integral / cutoff
    return response


def boltzmann_step(problems: Sequence[Problem], shape: Shape, runs: Sequence[Iteration]) -> Floats:
    """kT ln(g / g*) at the nodes, of the states; constant beyond where both were sampled.

    Examples
    --------
    >>> from regrain.fits.structural.ibi import boltzmann_step  # an update calls it
    """
    label = shape.term.label
    n = min(len(run.measured[label].x) for run in runs if label in run.measured)
    change, weight, counts = np.zeros(n), np.zeros(n), np.zeros(n)
    for problem, run in zip(problems, runs, strict=True):
        if label not in run.measured:
            continue
        found, target = run.measured[label], problem.target[label]
        g, wanted = found.value[:n], target.value[:n]
        both = (target.sampled(shape.term.kind) & shape.term.inside(target.x))[:n] & (g > 0)
        a, b = shape.term.counts(found)[:n], shape.term.counts(target)[:n]
        known = both & (a > 0)
        change[both] += problem.weight * problem.kt * np.log(g[both] / wanted[both])
        weight[both] += problem.weight
        counts[known] += (a * b / np.maximum(a + b, 1e-300))[known]
    if not np.any(counts > 0):
        raise RegrainError(
            f"{label}: the coarse run and the target have no common range left; give a smaller "
            "step, or longer runs"
        )
    smooth = shape.smooth(change / np.where(weight > 0, weight, 1.0), counts)
    smooth[: shape.first] = smooth[shape.first]
    if shape.term.kind in ("bond", "angle"):
        smooth[shape.last + 1 :] = smooth[shape.last]
    return smooth
