"""Inverse Monte Carlo: Newton steps with the response that fluctuations of a coarse run tell."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.problem import Potentials, Problem
from regrain.fits.structural.boltzmann import Inversion
from regrain.fits.structural.loop import StructureFit, Update
from regrain.fits.structural.newton import Row, Steps, System
from regrain.fits.structural.records import Iteration
from regrain.fits.structural.shape import Shape
from regrain.fits.structure import observables
from regrain.particles import Particles
from regrain.trace import Trace

__all__ = ["IMC"]

Floats = NDArray[np.float64]

#: Frames that are multiplied at a time, and those without which there is nothing to multiply.
CHUNK, LEAST_FRAMES = 256, 10


@dataclass(frozen=True, kw_only=True)
class IMC(StructureFit):
    """Inverse Monte Carlo: Newton steps for all pairs and bonded terms in one matrix.

    How the number S_a of pairs (bonds, angles, …) in a bin answers the potential in another is told
    by the fluctuations of the coarse run, ∂⟨S_a⟩/∂U_b = −Cov(S_a, S_b)/kT, without any theory of
    liquids: cross effects of all interactions are in it. Each update solves Cov ΔU = kT (S − S*),
    the Newton step of the relative entropy, where a second-difference penalty holds back what is
    narrower than ``smoothing``. The pressure is one linear row that is met exactly, from the same
    fluctuations. It starts from Boltzmann inversion. `Result.errors` hold what the next step would
    change, besides noise.

    The parameters are those of `StructureFit`, and:

    Parameters
    ----------
    damping : float
        Holds back what fluctuations tell little about: so much of the response of independent
        particles is added to Cov, divided by the number of runs that Cov is the mean of (the later
        half of all). 0 is the bare Newton step, large values are steps like those of `IBI`.

    Loses / Assumes
    ---------------
    A covariance is noisy: runs need several times more independent frames than there are features
    in the potentials, or more ``damping``. What g(r) hardly tells, such as a ramp up to the cutoff,
    it takes many iterations to find: give the pressure.

    References
    ----------
    A. P. Lyubartsev and A. Laaksonen, Phys. Rev. E 52, 3730 (1995).

    Examples
    --------
    >>> import regrain as rg
    >>> form = rg.particles.Table(r_min=0.9, r_max=2.5, points=161)
    >>> fit = rg.fits.IMC(pairs={("A", "A"): form}, temperature=1.0, iterations=5, seed=3)
    >>> fit.damping
    0.3
    """

    damping: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (np.isfinite(self.damping) and self.damping >= 0):
            raise RegrainError(f"IMC: damping is {self.damping}; give a number of 0 or more")

    def _update(self, problems: Sequence[Problem]) -> Update:
        return _Fluctuations(self, problems)


class _Fluctuations(Inversion):
    def __init__(self, fit: IMC, problems: Sequence[Problem]) -> None:
        super().__init__(problems, fit.smoothing)
        self.damping = fit.damping
        self.bins = [Bins(problem) for problem in problems]
        self.steps = Steps(problems, self.shapes, [bins.weights(self.shapes) for bins in self.bins])

    def measure(self, trace: Trace[Particles], problem: Problem) -> dict[str, Any]:
        bins = self.bins[next(k for k, own in enumerate(self.problems) if own is problem)]
        if len(trace) < self.steps.unknowns:
            warnings.warn(
                f"IMC: the covariance of {self.steps.unknowns} unknown energies is from "
                f"{len(trace)} frames, so much of it is noise; give a smaller every, a longer "
                "time, or more damping",
                UserWarning,
                stacklevel=2,
            )
        pressures = np.trace(trace.log["pressure_tensor"], axis1=1, axis2=2) / 3.0
        return fluctuations(bins, trace, pressures / problem.units.pressure_factor)

    def next(self, records: list[Iteration]) -> Potentials:
        runs = records[-len(self.problems) :]
        old = runs[-1].potentials
        rows = [
            self._pressure_row(bins, run, old)
            for bins, run in zip(self.bins, runs, strict=True)
            if bins.problem.pressure is not None
        ]
        change = self._system(records, self.damping).step(self.steps.residuals(runs), old, rows)
        return {
            label: shape.walled(old[label] + change[label], self.kt)
            for label, shape in self.shapes.items()
        }

    def _hats(self, bins: Bins) -> Floats:
        """From the unknowns to the energies in all bins, and nothing for the pressure."""
        hats = np.zeros((bins.size + 1, self.steps.unknowns))
        for label, rows in bins.rows.items():
            hats[rows, self.steps.columns[label]] = self.steps.hats(label, bins.x[label])
        return hats

    def _system(self, records: list[Iteration], damping: float = 0.0) -> System:
        """Of which a step without noise and penalty is the solution of Cov ΔU = kT (S - S*).

        The covariance is that of the later half of all runs.
        """
        rounds = len(records) // len(self.problems)
        used = rounds - rounds // 2
        normal = self.steps.penalty + np.diag(self.steps.gauge + damping / used * self.steps.local)
        adjoints = []
        for state, bins in enumerate(self.bins):
            problem, hats = bins.problem, self._hats(bins)
            runs = records[state :: len(self.problems)][-used:]
            covariance = np.mean([run.extra["covariance"] for run in runs], axis=0)
            share = problem.weight / problem.kt**2
            normal = normal + share * hats.T @ covariance @ hats
            adjoints.append(
                {
                    label: -share * problem.kt * hats[rows].T / bins.norms[label]
                    for label, rows in bins.rows.items()
                }
            )
        return System(self.steps, normal, adjoints)

    def _pressure_row(self, bins: Bins, run: Iteration, old: Potentials) -> Row:
        """dP/dU: what the potential adds to the virial, and what its change of structure does."""
        problem = bins.problem
        row = -run.extra["covariance"][-1] @ self._hats(bins) / problem.kt
        for label, rows in bins.rows.items():
            if self.shapes[label].term.kind in ("pair", "bond"):  # angles have no virial
                x = bins.x[label]
                virial = run.extra["counts"][rows] * x / (3.0 * problem.state.volume)
                row[self.steps.columns[label]] -= virial @ self.steps.slopes(label, x)
        assert problem.pressure is not None
        missing = (problem.pressure - run.pressure) / problem.units.pressure_factor
        return Row("the pressure", row, missing)

    def errors(self, records: list[Iteration]) -> Potentials:
        """Noise, and what the next step would change: soft directions are found slowly.

        Counts of a run of n samples vary by their covariance over n, target and run alike.
        """
        runs = records[-len(self.problems) :]
        if not runs:
            return super().errors(records)
        system = self._system(records)
        noise = np.zeros_like(system.normal)
        for bins, run in zip(self.bins, runs, strict=True):
            problem, hats = bins.problem, self._hats(bins)
            share = (problem.weight / problem.kt) ** 2 * bins.per_samples(run)
            noise += share * hats.T @ run.extra["covariance"] @ hats
        left = self.next(records)
        return {
            label: np.hypot(error, left[label] - runs[-1].potentials[label])
            for label, error in system.errors_of(noise).items()
        }


class Bins:
    """All bins of all distributions of a problem in one row, and how to count into them.

    Examples
    --------
    >>> from regrain.fits.structural.imc import Bins  # an update makes one per state
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.rows: dict[str, slice] = {}
        self.x: dict[str, Floats] = {}
        self.norms: dict[str, Floats] = {}
        self.groups = []
        self.size = 0
        for terms, observable in observables(problem.interactions, problem.exclude, problem.reach):
            plan = observable.prepare(Trace([problem.state], times=[0.0]))
            x = np.asarray(list(plan.coords.values())[-1], dtype=float)
            norms = np.reshape(plan.data[2], (len(terms), len(x)))
            self.groups.append((slice(self.size, self.size + norms.size), observable, plan))
            for term, norm in zip(terms, norms, strict=True):
                if term.kind == "pair":  # pairs of a kind are met twice
                    both = 2.0 if term.types[0] == term.types[1] else 1.0
                    norm = norm * problem.state.volume * both
                self.rows[term.label] = slice(self.size, self.size + len(x))
                self.x[term.label], self.norms[term.label] = x, norm
                self.size += len(x)
        self.norm = np.concatenate(list(self.norms.values()))
        self.pairs = np.concatenate(
            [np.full(len(x), label.startswith("pair ")) for label, x in self.x.items()]
        )

    def count(self, state: Particles) -> Floats:
        """Of one frame, shape (bins,): pairs and bonded terms, each once."""
        found = np.empty(self.size)
        for rows, observable, plan in self.groups:
            found[rows] = np.reshape(observable.measure(state, plan), -1)
        volume = np.where(self.pairs, state.volume / self.problem.state.volume, 1.0)
        return np.asarray(found / (self.norm * volume))

    def weights(self, shapes: Mapping[str, Shape]) -> dict[str, Floats]:
        """One over the variance of g in a frame where counts are independent, by label."""
        found = {}
        for label, rows in self.rows.items():
            target, n = self.problem.target[label], rows.stop - rows.start
            used = target.sampled(shapes[label].term.kind)[:n]
            expected = np.where(used, target.value[:n], 1.0) * self.norms[label]
            found[label] = np.zeros(len(target.x))
            found[label][:n] = self.problem.weight * np.where(used, 1.0 / expected, 0.0)
        return found

    def per_samples(self, run: Iteration) -> float:
        """One over the independent samples of the target, and of a run, as their errors tell."""
        share = 0.0
        for found in (self.problem.target, run.measured):
            ratios = []
            for label, rows in self.rows.items():
                variance = np.diag(run.extra["covariance"])[rows] * self.norms[label] ** 2
                error = found[label].error[: len(variance)]
                used = (variance > 0) & (error > 0)
                ratios.append((error**2)[used] / variance[used])
            share += float(np.median(np.concatenate(ratios)))
        return share


def fluctuations(bins: Bins, trace: Trace[Particles], pressures: Floats) -> dict[str, Floats]:
    """Mean counts, and the covariance of counts and (last) the pressure.

    Examples
    --------
    >>> from regrain.fits.structural.imc import fluctuations  # an update calls it
    """
    n, size = len(trace), bins.size + 1
    if n < LEAST_FRAMES:
        raise RegrainError(
            f"IMC needs the fluctuations of a coarse run, but it has {n} frames; give a longer "
            "time, or a smaller every"
        )
    center = np.append(bins.count(trace[0]), pressures[0])  # near the mean, so sums stay small
    total, square = np.zeros(size), np.zeros((size, size))
    for start in range(0, n, CHUNK):
        part = slice(start, start + CHUNK)
        counts = np.array([bins.count(state) for state in trace[part]])
        block = np.column_stack([counts, pressures[part]]) - center
        total += block.sum(axis=0)
        square += block.T @ block
    covariance = (square - np.outer(total, total) / n) / (n - 1)
    return {"counts": (total / n + center)[:-1], "covariance": covariance}
