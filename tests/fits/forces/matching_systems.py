"""Particles whose forces are known, for tests of force matching."""

from collections.abc import Sequence

import numpy as np

import regrain as rg
from regrain.particles import BSpline, ForceField, Langevin, LennardJones, Particles, Topology, fcc

LJ = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)


def trace(states: Sequence[Particles]) -> rg.Trace[Particles]:
    return rg.Trace(list(states), times=np.arange(float(len(states))))


def forced(field: ForceField, states: rg.Trace[Particles]) -> rg.Trace[Particles]:
    """The states with the forces that a field has there."""
    return states.map(lambda s: s.replace(forces=field.evaluate(s).forces)).in_memory()


def liquid(field: ForceField, topology: Topology | None = None) -> rg.Trace[Particles]:
    """Twenty frames of 256 particles from our own engine, and their forces."""
    start = fcc(cells=4, density=0.8)
    if topology is not None:
        start = start.replace(topology=topology)
    run = field.run(start, time=5.0, dt=0.004, every=0.2, seed=1, dynamics=Langevin(friction=1.0))
    return forced(field, run[5:])


def gas(frames: int, n: int = 60, edge: float = 4.0, seed: int = 3) -> list[Particles]:
    """Independent frames of points, any two of which may be close."""
    rng = np.random.default_rng(seed)
    return [Particles(rng.random((n, 3)) * edge, box=[edge] * 3) for _ in range(frames)]


def exact_forces(state: Particles, form: BSpline, coefficients: np.ndarray) -> np.ndarray:
    """Forces of a spline to the last digit, where the engine has a table of it."""
    none = np.empty((0, 2), dtype=np.int32)
    i, _, _, d = rg._core.neighbor_list(state.positions, state.box, form.r_max, False, none)
    r = np.linalg.norm(d, axis=1)
    force = np.zeros((len(state), 3))
    np.add.at(force, i, -d * (form.basis(r) @ coefficients / r)[:, None])
    return force
