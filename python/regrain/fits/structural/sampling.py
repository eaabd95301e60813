"""How the coarse runs of a fit are made, in time scales of the model itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.problem import Potentials, Problem
from regrain.fits.structure import Interaction
from regrain.particles import Langevin, Particles
from regrain.trace import Trace

__all__ = ["Sampling"]

Floats = NDArray[np.float64]

PARTICLE_STEPS = 8e7
LEAST_STEPS, MOST_STEPS = 5_000, 500_000
#: Frames this often, but no more than memory is for.
FRAME_STEPS, PARTICLE_FRAMES = 25, 1e7
#: Time step and friction in terms of the fastest frequency. A noisy potential is rough, and heats
#: what moves in it with long steps and little friction.
STEP, FRICTION = 0.15, 0.2
#: g(r) of a liquid is at most so many times exp(-βu) where it is large.
CROWDED = 3.0
#: Soft particles must not jump either: this many time scales per distance between particles.
CROSSINGS = 3.0


@dataclass(frozen=True)
class Sampling:
    """Length, time step and so on of every coarse run.

    Examples
    --------
    >>> from regrain.fits.structural.sampling import Sampling
    >>> Sampling(time=100.0, dt=0.005, equilibration=10.0, every=0.2, friction=1.0, seed=1).dt
    0.005
    """

    time: float
    dt: float
    equilibration: float
    every: float
    friction: float
    seed: int
    engine: Any = None

    @classmethod
    def plan(cls, fit: Any, problem: Problem, first: Potentials) -> Sampling:
        """What the fit says, and defaults for what it leaves open."""
        fastest = CROSSINGS * crossing_rate(problem)
        for term in problem.interactions:
            fastest = max(fastest, frequency(problem, term, first[term.label]))
        dt = fit.dt or _rounded(STEP / fastest)
        n = len(problem.state)
        time = fit.time or dt * round(min(max(PARTICLE_STEPS / n, LEAST_STEPS), MOST_STEPS))
        stride = max(FRAME_STEPS, round(time / dt * n / PARTICLE_FRAMES))
        return cls(
            time=time,
            dt=dt,
            equilibration=0.1 * time if fit.equilibration is None else fit.equilibration,
            every=min(fit.every or stride * dt, time),
            friction=fit.friction or FRICTION * fastest,
            seed=fit.seed,
            engine=fit.engine,
        )

    def run(
        self,
        problem: Problem,
        potentials: Potentials,
        index: int,
        *,
        time: float,
        refine: float = 1.0,
        progress: bool,
    ) -> Trace[Particles]:
        """The coarse run of one iteration; its random numbers belong to the seed and the index.

        ``refine`` divides the time step.
        """
        model, state, dt = problem.model(potentials), problem.state, self.dt / refine
        seeds = np.random.SeedSequence([self.seed, index]).generate_state(2, np.uint32)
        dynamics = Langevin(friction=self.friction)
        if self.equilibration >= dt:
            before = model.run(
                state,
                time=self.equilibration,
                dt=dt,
                every=self.equilibration,
                seed=int(seeds[0]),
                dynamics=dynamics,
                progress=progress,
                engine=self.engine,
            )
            state = before[-1].replace(images=None)
        return model.run(
            state,
            time=time,
            dt=dt,
            every=self.every,
            seed=int(seeds[1]),
            dynamics=dynamics,
            progress=progress,
            engine=self.engine,
        )


def crossing_rate(problem: Problem) -> float:
    """How often the lightest particle covers the mean distance to the next one, thermally."""
    masses = problem.state.topology.masses
    if not np.all(masses > 0):
        raise RegrainError(f"a mass is {masses.min():g}; dynamics needs positive masses")
    density = len(masses) / problem.state.volume
    return float(np.sqrt(problem.kt / masses.min()) * np.cbrt(density))


def frequency(problem: Problem, term: Interaction, values: Floats) -> float:
    """Angular frequency that an interaction makes a particle move with.

    For pairs that of Einstein, Ω² = Σ ρ ∫ ∇²u g d³r / 3m, the lightest particle counting; for bonds
    and angles that of a harmonic spring of the width the target has.
    """
    masses = dict(zip(problem.state.topology.types, problem.state.topology.masses, strict=True))
    lightest = min(float(masses[name]) for name in term.types)
    found = problem.target[term.label]
    if term.kind == "pair":
        r, energy = found.x, term.energies(values)
        inside = (r > term.nodes[0]) & (r < term.nodes[-1])
        slope = np.interp(r, term.nodes, np.gradient(energy, term.spacing))
        g = found.value
        least = 0.0
        if term.form.missing == "parameters":
            # Start values are not from the target. Where they forbid what it has, nothing will be;
            # and in the end the potential of mean force, u' = -kT g'/g, says how steep it is.
            seen = found.sampled("pair") & inside
            steep = np.gradient(g, r)[seen] ** 2 / g[seen]
            least = problem.kt * float(np.sum(r[seen] ** 2 * steep)) * term.spacing
            g = np.minimum(g, CROWDED * np.exp(-np.interp(r, term.nodes, energy) / problem.kt))
        # By parts, so that only first derivatives are taken: the integral of (r² u')' g.
        integral = -np.sum((r**2 * slope * np.gradient(g, r))[inside]) * term.spacing
        integral = max(float(integral), least)
        density = max(problem.densities[name] for name in term.types)
        return float(np.sqrt(max(4.0 * np.pi * density * integral / (3.0 * lightest), 0.0)))
    weight = found.value * term.volume(found.x)
    mean = np.average(found.x, weights=weight)
    stiffness = problem.kt / float(np.average((found.x - mean) ** 2, weights=weight))
    if term.kind == "bond":
        return float(np.sqrt(2.0 * stiffness / lightest))
    arm = min((_mean(problem, t) for t in problem.of_kind("bond")), default=problem.reach or 1.0)
    return float(np.sqrt(6.0 * stiffness / lightest) / arm)


def _mean(problem: Problem, term: Interaction) -> float:
    found = problem.target[term.label]
    return float(np.average(found.x, weights=found.value * term.volume(found.x)))


def _rounded(value: float) -> float:
    """Down to one significant digit (two below 2), so that settings read well."""
    power = floor(log10(value))
    digits = 0 if value / 10.0**power >= 2 else 1
    scale = 10.0 ** (power - digits)
    return float(f"{floor(value / scale + 1e-9) * scale:.3g}")
