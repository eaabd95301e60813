"""Iterative Boltzmann inversion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.boltzmann import in_table, inversion_error, invert, sampled_nodes, walls
from regrain.fits.loop import StructureFit, Update
from regrain.fits.problem import Potentials, Problem
from regrain.fits.records import Iteration
from regrain.fits.shaping import smooth_onto
from regrain.fits.structure import Distribution, Interaction

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

    def _update(self, problem: Problem) -> Update:
        return _Iterated(problem, self.smoothing, self.step, self.pressure)


@dataclass(frozen=True, eq=False)
class _Iterated(Update):
    problem: Problem
    smoothing: float
    alpha: float
    pressure: float | None

    def first(self) -> Potentials:
        return {
            term.label: invert(
                term, self.problem.target[term.label], self.problem.kt, self.smoothing
            )
            for term in self.problem.interactions
        }

    def next(self, records: list[Iteration]) -> Potentials:
        problem, last = self.problem, records[-1]
        new = {
            term.label: last.potentials[term.label] + self._step(term, last.measured[term.label])
            for term in problem.interactions
        }
        if self.pressure is not None:
            for label, ramp in self._ramps(last).items():
                new[label] = new[label] + ramp
        return {
            term.label: walls(
                term,
                problem.target[term.label],
                new[term.label],
                problem.kt,
                self.smoothing * term.width,
            )
            for term in problem.interactions
        }

    def _step(self, term: Interaction, found: Distribution) -> Floats:
        """α kT ln(g / g*) at the nodes; constant beyond where both were sampled."""
        n = len(found.x)
        wanted = self.problem.target[term.label]
        seen = in_table(term, wanted)[:n] & (found.value > 0)
        here, there = found.value[seen], wanted.value[:n][seen]
        change = np.zeros(n)
        change[seen] = self.problem.kt * np.log(here / there)
        # As good as the worse sampled of the two.
        weight = np.zeros(n)
        weight[seen] = term.volume(found.x[seen]) / (1.0 / here + 1.0 / there)
        end = {"pair": "zero", "dihedral": "periodic"}.get(term.kind, "free")
        width = self.smoothing * term.width
        smooth = smooth_onto(term.nodes, found.x, change, weight, width=width, end=end)
        first, last = sampled_nodes(term, wanted)
        if term.kind == "pair":
            last = len(smooth) - 1
        smooth[:first], smooth[last + 1 :] = smooth[first], smooth[last]
        return self.alpha * smooth

    def _ramps(self, last: Iteration) -> Potentials:
        """A (1 - r / r_max) for every pair, with the one A that gives the wanted pressure."""
        assert self.pressure is not None
        problem = self.problem
        per_energy, shapes = 0.0, {}
        for term in problem.of_kind("pair"):
            found = last.measured[term.label]
            r, cutoff = found.x, term.nodes[-1]
            inside = r < cutoff
            integral = float(np.sum((found.value * r**3)[inside]) * term.spacing)
            a, b = (problem.densities[name] for name in term.types)
            times = 1.0 if term.types[0] == term.types[1] else 2.0
            per_energy += times * 2.0 * np.pi / 3.0 * a * b * integral / cutoff
            shapes[term.label] = 1.0 - term.nodes / cutoff
        missing = (self.pressure - last.pressure) / problem.units.pressure_factor
        height = missing / per_energy
        return {label: height * shape for label, shape in shapes.items()}

    def errors(self, records: list[Iteration]) -> Potentials:
        problem, errors = self.problem, {}
        for term in problem.interactions:
            parts = [inversion_error(term, problem.target[term.label], problem.kt)]
            if records:
                found = records[-1].measured[term.label]
                parts.append(_relative(term, problem.target[term.label], found) * problem.kt)
            errors[term.label] = np.sqrt(np.sum(np.square(parts), axis=0))
        return errors


def _relative(term: Interaction, wanted: Distribution, found: Distribution) -> Floats:
    """Relative error of a coarse distribution at the nodes."""
    seen = in_table(term, wanted)[: len(found.x)] & (found.value > 0)
    return np.asarray(np.interp(term.nodes, found.x[seen], found.error[seen] / found.value[seen]))
