"""Errors of whole observables: runs repeated from other seeds scatter as their error bars say."""

import numpy as np
import pytest

from regrain import Trace
from regrain.observables import (
    MSD,
    RDF,
    Angles,
    Diffusion,
    Energy,
    Pressure,
    StructureFactor,
    measure,
)
from regrain.particles import ForceField, Langevin, LennardJones, Particles, Topology


def slow_gas(seed: int, n: int = 30, frames: int = 150, step: float = 0.4) -> Trace[Particles]:
    """An ideal gas whose particles diffuse: g = 1, S = 1, frames that remember each other."""
    rng = np.random.default_rng(seed)
    r = rng.random((1, n, 3)) * 4 + np.cumsum(step * rng.normal(size=(frames, n, 3)), axis=0)
    topology = Topology(["A"] * n)
    states = [Particles(x % 4.0, box=[4.0] * 3, topology=topology) for x in r]
    return Trace(states, times=np.arange(frames))


def test_structure_of_a_slow_ideal_gas_covers() -> None:
    edges = np.linspace(0.0, np.pi, 7)
    sines = -np.diff(np.cos(edges)) / 2 / np.diff(edges)
    hits: list[list[np.ndarray]] = [[], [], []]
    for seed in range(60):
        found = measure(
            slow_gas(seed),
            [RDF(r_max=2.0, bins=6), StructureFactor(q_max=3.5), Angles(r_max=1.5, bins=6)],
        )
        truths = (1.0, 1.0, sines)
        for k, (estimate, truth) in enumerate(zip(found, truths, strict=True)):
            low, high = estimate.interval()
            if k == 0:  # the first shell meets no pair in many a run: no Gaussian, no coverage
                low, high = low[:, 1:], high[:, 1:]
            hits[k].append((low <= truth) & (truth <= high))
    rates = [np.mean(h) for h in hits]
    assert all(0.90 <= rate <= 0.98 for rate in rates), rates


@pytest.mark.slow
def test_runs_of_a_liquid_scatter_as_their_errors_say() -> None:
    edge = (64 / 0.8) ** (1 / 3)
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3), -1).reshape(-1, 3) * edge / 4
    field = ForceField(
        pairs={("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")},
        temperature=1.0,
    )
    start = Particles(grid, box=[edge] * 3)
    thermostat = Langevin(friction=2.0)
    observables = [
        Pressure(),
        Energy(),
        Diffusion(),
        MSD(),
        RDF(r_max=2.1, bins=12),
        StructureFactor(q_max=9.0),
    ]
    runs = []
    for seed in range(20):
        warm = field.run(start, time=20.0, dt=0.006, every=20.0, seed=seed, dynamics=thermostat)
        trace = field.run(
            warm[-1], time=36.0, dt=0.006, every=0.3, seed=100 + seed, dynamics=thermostat
        )
        runs.append(measure(trace, observables))
    for k, observable in enumerate(observables):
        values = np.array([np.atleast_1d(run[k].value).ravel() for run in runs])
        errors = np.array([np.atleast_1d(run[k].error).ravel() for run in runs])
        seen = errors.mean(axis=0) > 1e-3 * np.abs(values).max()
        ratio = values.var(axis=0, ddof=1)[seen].sum() / (errors**2).mean(axis=0)[seen].sum()
        # 20 runs know a standard deviation to 16 %.
        assert 0.6 < np.sqrt(ratio) < 1.5, (observable.name, np.sqrt(ratio))
