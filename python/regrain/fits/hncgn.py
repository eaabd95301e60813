"""Gauss-Newton structure inversion with the response of the hypernetted-chain closure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.hnc import Liquid, RadialGrid, short_ranged_factor
from regrain.fits.loop import StructureFit, Update
from regrain.fits.problem import Potentials, Problem
from regrain.fits.records import Iteration
from regrain.fits.shape import Shape
from regrain.fits.shaping import bandwidth_penalty, hat_matrix, hat_slopes
from regrain.fits.structure import Distribution

__all__ = ["HNCGN"]

Floats = NDArray[np.float64]

#: The last part of the known g(r), over which it is led to 1, so that a cut through its waves does
#: not become a false compressibility.
TAPER = 0.25
#: Smallest structure factor that is believed, at the few longest waves.
LEAST_FACTOR, LONG_WAVES = 0.01, 4
#: Root mean square of g - 1 there, beyond noise, up to which g has decayed.
DECAYED = 0.005


@dataclass(frozen=True, kw_only=True)
class HNCGN(StructureFit):
    """Gauss-Newton inversion of g(r), with the pressure as a constraint; one type of particles.

    The first potential is that whose hypernetted-chain (HNC) solution is the target. Each update
    ΔU is the least-squares solution of J ΔU = g* − g, where J = δg/δU of the HNC closure at the
    target, residuals weigh as their errors ask, a second-difference penalty holds back what is
    narrower than ``smoothing``, and the pressure is one linear row that is met exactly: what ΔU
    changes in the virial, directly and through g(r). U and its slope go to zero at the cutoff.

    The parameters are those of `StructureFit` (5 iterations at most), and:

    Parameters
    ----------
    accuracy : float
        Differences of g below this do not matter. Residuals weigh 1 / (s² + accuracy²), with
        s² ∝ g/r² the statistical error: r²/g where noise rules, and equally where a constraint
        leaves differences that no potential takes away. With 0 the long and well-sampled tail of
        g(r) is met at the expense of its first peak.

    Loses / Assumes
    ---------------
    The direction of each step comes from a closure without bridge diagrams, the end point does not:
    it is where simulated and target g(r) agree. g(r) of the target must have reached 1 within half
    its box. What a cutoff takes away from the potential, the rest of it makes up for. One g(r) at
    one state: three-body order, dynamics and other states are not fitted, and at most one of
    structure, pressure and energy can be had beyond g(r).

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

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (np.isfinite(self.accuracy) and self.accuracy >= 0):
            raise RegrainError(f"HNCGN: accuracy is {self.accuracy}; give a number of 0 or more")

    def _update(self, problems: Sequence[Problem]) -> Update:
        if len(problems) > 1:
            raise RegrainError(
                f"HNCGN fits one state, {len(problems)} are given; use IBI for several"
            )
        (problem,) = problems
        names = problem.state.topology.type_names
        if len(names) != 1 or not problem.of_kind("pair"):
            raise RegrainError(
                f"HNCGN fits one type of particles, the target has {', '.join(names)}; use IBI for "
                "mixtures"
            )
        if problem.state.topology.bonds.size:
            raise RegrainError(
                "HNCGN fits particles without bonds, the target has "
                f"{len(problem.state.topology.bonds)}; use IBI for chains"
            )
        pressure = problem.pressure
        if pressure is not None:
            pressure /= problem.units.pressure_factor
        return _Newton(problem, self.smoothing, pressure, self.accuracy)


class _Newton(Update):
    """The least-squares problem of one target; all but residuals is evaluated once."""

    def __init__(
        self,
        problem: Problem,
        smoothing: float | None,
        pressure: float | None,
        accuracy: float,
    ) -> None:
        self.problem, self.wanted = problem, pressure
        (self.term,) = problem.of_kind("pair")
        self.distribution = problem.target[self.term.label]
        self.kt = problem.kt
        n = len(problem.state)
        self.density = n / problem.state.volume
        self.r = self.distribution.x
        # Pairs were counted per N (N - 1); the liquid's own g(r) tends to 1 with N².
        self.target = self.distribution.value
        g = self.target * (1.0 - 1.0 / n)
        self.liquid = _liquid(self.distribution, g, self.density, self.term.nodes[-1])
        self.seen = self.distribution.sampled("pair")
        closure = self.target - 1.0 - self.liquid.direct_correlation()
        logarithm = np.log(np.where(self.seen, self.target, 1.0))
        self.inverted = np.where(self.seen, self.kt * (closure - logarithm), 0.0)
        self.shape = Shape.of(self.term, self.distribution, self.inverted, smoothing)
        self._assemble(problem.reach, accuracy)

    def _assemble(self, reach: float, accuracy: float) -> None:
        nodes, target = self.term.nodes, self.target
        self.free = np.arange(self.shape.first, len(nodes) - 1)
        self.hats, self.slopes = hat_matrix(nodes, self.r), hat_slopes(nodes, self.r)
        self.response = self.liquid.response() / self.kt
        self.jacobian = self.response @ self.hats
        weighed = self.seen & (self.r < reach)
        counts = self.term.counts(self.distribution)  # in proportion to g r²
        variance = np.where(weighed, target**2 / np.where(weighed, counts, 1.0), 1.0) + accuracy**2
        self.weight = np.where(weighed, 1.0 / variance, 0.0)
        # What the normal matrix would be if g answered only where U changes.
        local = np.interp(nodes[self.free], self.r, self.weight * target**2) / self.kt**2
        counts = np.interp(nodes[self.free], self.r, counts)
        penalty = bandwidth_penalty(local, counts, self.term.spacing, self.shape.width, end="zero")
        jacobian = self.jacobian[:, self.free]
        self.penalty = penalty
        self.normal = jacobian.T @ (self.weight[:, None] * jacobian) + penalty
        self.adjoint = jacobian.T * self.weight

    def first(self) -> Potentials:
        energy = self.shape.finish(self.inverted, self.kt)  # of the bare closure
        step = self._step(self._left_out(energy), self.target, energy)
        return {self.term.label: self.shape.walled(energy + step, self.kt)}

    def next(self, records: list[Iteration]) -> Potentials:
        last, label = records[-1], self.term.label
        energy, measured = last.potentials[label], last.measured[label].value
        g = self.target.copy()  # nothing is asked for beyond what was measured
        g[: len(measured)] = measured
        present = last.pressure / self.problem.units.pressure_factor
        step = self._step(self.target - g, g, energy, present)
        return {label: self.shape.walled(energy + step, self.kt)}

    def errors(self, records: list[Iteration]) -> Potentials:
        variance = self.distribution.error**2
        if records:
            found = records[-1].measured[self.term.label].error
            variance[: len(found)] += found**2
        gain = np.linalg.solve(self.normal, self.adjoint)
        errors = np.zeros(len(self.term.nodes))
        errors[self.free] = np.sqrt(gain**2 @ variance)
        errors[: self.free[0]] = errors[self.free[0]]
        return {self.term.label: errors}

    def _left_out(self, energy: Floats) -> Floats:
        """Change of g that brings back what this potential leaves out of the HNC inversion."""
        return np.asarray(
            self.response @ (self.inverted - np.where(self.seen, self.hats @ energy, 0.0))
        )

    def _pressure(self, g: Floats, energy: Floats) -> float:
        """Virial pressure of a potential with this g, in energy per volume."""
        return float(self.density * self.kt - self._virial() @ (g * (self.slopes @ energy)))

    def _pressure_row(self, g: Floats, energy: Floats) -> Floats:
        """dP/dU at each node: directly, and through the answer of g."""
        direct = (self._virial() * g) @ self.slopes
        through_g = (self._virial() * (self.slopes @ energy)) @ self.jacobian
        return -(direct + through_g)

    def _virial(self) -> Floats:
        factor = 2.0 * np.pi / 3.0 * self.density**2 * self.term.spacing
        return np.where(self.seen, factor * self.r**3, 0.0)

    def _step(
        self, residual: Floats, g: Floats, energy: Floats, present: float | None = None
    ) -> Floats:
        """ΔU at the nodes: the least residual, on condition of the pressure if there is one.

        ``present`` is the pressure now; that of the virial, if it was not measured.
        """
        # The penalty is on the new potential, or noise would pile up from step to step.
        right = self.adjoint @ residual - self.penalty @ energy[self.free]
        change = np.zeros(len(self.term.nodes))
        if self.wanted is None:
            change[self.free] = np.linalg.solve(self.normal, right)
            return change
        missing = self.wanted - (self._pressure(g, energy) if present is None else present)
        row = self._pressure_row(g, energy)[self.free]
        least, softest = np.linalg.solve(self.normal, np.stack([right, row], axis=1)).T
        gain = float(row @ softest)
        if not gain > 0:
            raise RegrainError(
                f"{self.term.label}: the pressure does not depend on this potential; give a longer "
                "table, or pressure=None"
            )
        change[self.free] = least + softest * ((missing - float(row @ least)) / gain)
        return change


def _liquid(distribution: Distribution, g: Floats, density: float, cutoff: float) -> Liquid:
    """The target as a liquid of infinite size, although g(r) ends at half its box.

    Where g(r) has decayed it is led to 1 over the last part of its range. As a box says little
    about waves as long as itself, the structure factor there is continued from the next two wave
    numbers as a + b k², and kept positive. Where g(r) still has waves at its end, the structure
    factor is that of a direct correlation function which ends with the potential.
    """
    spacing = distribution.x[1] - distribution.x[0]
    grid = RadialGrid(spacing=spacing, points=len(g))
    begin = (1.0 - TAPER) * grid.r[-1]
    last = grid.r > begin
    waves = np.mean((g - 1.0)[last] ** 2) - np.mean(distribution.error[last] ** 2)
    if waves > DECAYED**2:
        factor = short_ranged_factor(grid, g, density=density, cutoff=cutoff)
        return Liquid(grid, g, density, factor)
    phase = np.clip((grid.r - begin) / (grid.r[-1] - begin), 0.0, 1.0)
    transform = grid.to_k((g - 1.0) * np.cos(0.5 * np.pi * phase) ** 2)
    factor = 1.0 + density * transform
    k = grid.k**2
    bend = (factor[2] - factor[1]) / (k[2] - k[1])
    factor[0] = factor[1] + bend * (k[0] - k[1])
    factor[:LONG_WAVES] = np.maximum(factor[:LONG_WAVES], LEAST_FACTOR)
    return Liquid(grid, g, density, factor)
