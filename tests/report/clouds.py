"""Clouds of independent Gaussian particles: every number about them is known."""

from typing import Any

import numpy as np

import regrain as rg
from regrain.observables import Estimate
from regrain.particles import Particles, Topology

BOX = 10.0


def cloud(
    seed: int,
    *,
    shift: float = 0.0,
    frames: int = 200,
    n: int = 20,
    units: str = "md",
    types: str = "W",
    **trace: Any,
) -> rg.Trace[Particles]:
    """Positions around the middle of the box, spread 1, independent in every frame."""
    rng = np.random.default_rng(seed)
    topology = Topology(np.full(n, types), masses=np.full(n, 18.0))
    states = [
        Particles(p, box=[BOX] * 3, topology=topology, units=units)
        for p in rng.normal(BOX / 2 + shift, 1.0, (frames, n, 3))
    ]
    return rg.Trace(states, times=np.arange(float(frames)), **trace)


def mean(trace: rg.Trace[Particles]) -> Estimate:
    """Mean x per frame: a scalar."""
    x = np.array([state.positions[:, 0].mean() for state in trace])
    n = len(x)
    return Estimate("x", x.mean(), x.std(ddof=1) / np.sqrt(n), unit="nm", n_eff=n, dof=n - 1)


def histogram(trace: rg.Trace[Particles]) -> Estimate:
    """Distribution of x: a function."""
    edges = np.linspace(BOX / 2 - 3, BOX / 2 + 3, 31)
    counts = np.array([np.histogram(s.positions[:, 0], edges)[0] for s in trace], dtype=float)
    blocks = np.array([block.mean(axis=0) for block in np.array_split(counts, 20)])
    return Estimate(
        "density",
        blocks.mean(axis=0),
        blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks)),
        coords={"x": 0.5 * (edges[1:] + edges[:-1])},
        coord_units={"x": "nm"},
        n_eff=len(trace),
        dof=len(blocks) - 1,
    )


def by_axis(trace: rg.Trace[Particles]) -> Estimate:
    """Mean of each component: one scalar per label."""
    means = np.array([state.positions.mean(axis=0) for state in trace])
    error = means.std(axis=0, ddof=1) / np.sqrt(len(means))
    return Estimate("mean", means.mean(axis=0), error, coords={"axis": ["x", "y", "z"]}, unit="nm")


def failing(trace: rg.Trace[Particles]) -> Estimate:
    """An observable with a mistake in it."""
    return Estimate("ratio", 1.0 / 0)
