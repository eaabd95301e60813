"""Iterative Boltzmann inversion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.boltzmann import Inversion
from regrain.fits.loop import StructureFit, Update
from regrain.fits.problem import Potentials, Problem
from regrain.fits.records import Iteration
from regrain.fits.shape import Shape
from regrain.fits.structure import Distribution

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


class _Iterated(Inversion):
    def __init__(
        self, problem: Problem, smoothing: float | None, alpha: float, pressure: float | None
    ) -> None:
        super().__init__(problem, smoothing)
        self.alpha, self.pressure = alpha, pressure

    def next(self, records: list[Iteration]) -> Potentials:
        last = records[-1]
        new = {
            label: last.potentials[label] + self._step(shape, last.measured[label])
            for label, shape in self.shapes.items()
        }
        if self.pressure is not None:
            for label, ramp in self._ramps(last).items():
                new[label] = new[label] + ramp
        return {
            label: shape.walled(new[label], self.problem.kt) for label, shape in self.shapes.items()
        }

    def _step(self, shape: Shape, found: Distribution) -> Floats:
        """α kT ln(g / g*) at the nodes; constant beyond where both were sampled."""
        n = len(found.x)
        wanted = shape.target.value[:n]
        both = shape.seen[:n] & (found.value > 0)
        change = np.zeros(n)
        change[both] = self.problem.kt * np.log(found.value[both] / wanted[both])
        a, b = shape.term.counts(found), shape.counts[:n]
        counts = np.where(both & (a > 0), a * b / np.maximum(a + b, 1e-300), 0.0)
        if not np.any(counts > 0):
            raise RegrainError(
                f"{shape.term.label}: the coarse run and the target have no common range left; "
                "give a smaller step, or longer runs"
            )
        smooth = shape.smooth(change, counts)
        smooth[: shape.first] = smooth[shape.first]
        if shape.term.kind in ("bond", "angle"):
            smooth[shape.last + 1 :] = smooth[shape.last]
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
        errors = super().errors(records)
        if records:
            for label, shape in self.shapes.items():
                own = self.problem.kt * shape.relative_error(records[-1].measured[label])
                errors[label] = np.hypot(errors[label], own)
        return errors
