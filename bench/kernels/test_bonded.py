"""How long bonded forces and rigid bonds take: one evaluation, one solution."""

from typing import Any

import numpy as np
import pytest

from regrain import _core
from regrain.particles import (
    NVE,
    CosineAngle,
    FENEBond,
    ForceField,
    FourierDihedral,
    HarmonicAngle,
    HarmonicBond,
    HarmonicDihedral,
    Particles,
    Potential,
    RigidBond,
    TableAngle,
    TableBond,
    TableDihedral,
    Topology,
)
from regrain.particles.run import Settings

CHAINS, LENGTH = 200, 100
PHI = np.linspace(-np.pi, np.pi, 201)
THETA = np.linspace(0, np.pi, 101)
R = np.linspace(0.1, 2.5, 101)
LAWS: list[Potential] = [
    HarmonicBond(k=100.0, r0=1.0),
    FENEBond(k=30.0, r_max=2.5),
    TableBond(r_min=0.1, r_max=2.5, points=101, energy=50 * (R - 1) ** 2),
    HarmonicAngle(k=5.0, theta0=1.9),
    CosineAngle(k=5.0, theta0=1.9),
    TableAngle(points=101, energy=(THETA - 1.9) ** 2),
    HarmonicDihedral(k=1.0, phi0=1.0),
    FourierDihedral(k=[1.0, 0.5, 0.3], phi0=[0.0, np.pi, 0.0]),
    TableDihedral(points=201, energy=np.cos(PHI)),
]


def walks() -> Particles:
    """Chains of free joints that do not interact."""
    random = np.random.default_rng(1)
    steps = random.normal(size=(CHAINS, LENGTH, 3))
    steps /= np.linalg.norm(steps, axis=2)[:, :, None]
    places = np.cumsum(steps, axis=1) + random.uniform(0, 30, (CHAINS, 1, 3))
    i = np.arange(CHAINS * LENGTH).reshape(CHAINS, LENGTH)
    rows = [
        np.stack([i[:, k : LENGTH - w + k + 1] for k in range(w)], axis=-1).reshape(-1, w)
        for w in (2, 3, 4)
    ]
    topology = Topology(np.full(i.size, "A"), bonds=rows[0], angles=rows[1], dihedrals=rows[2])
    return Particles(places.reshape(-1, 3), box=[30.0] * 3, topology=topology)


def simulation(field: ForceField, start: Particles, dt: float) -> Any:
    """Free of all but the terms of the field, so that steps cost nothing else."""
    settings = Settings(time=1.0, dt=dt, every=1.0, dynamics=NVE(), skin=0.3)
    running = NVE()._simulation(field, start, settings)
    running.assign(positions=start.positions, images=None, velocities=None, kt=1.0, box=start.box)
    return running


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_terms(benchmark: Any, law: Potential) -> None:
    start = walks()
    keys = {"bond": ("A", "A"), "angle": ("A", "A", "A"), "dihedral": ("A", "A", "A", "A")}
    terms = {f"{kind}s": {key: law if kind == law.kind else None} for kind, key in keys.items()}
    field = ForceField({("A", "A"): None}, **terms)  # type: ignore[arg-type]
    _core.set_threads(1)
    benchmark(simulation(field, start, 1e-4).run, 10)


@pytest.mark.parametrize("shape", ["water", "chain"])
def test_rigid(benchmark: Any, shape: str) -> None:
    if shape == "chain":
        start = walks()
        bonds = start.topology.bonds
    else:
        first = np.arange(0, 3 * 6666, 3)
        bonds = np.concatenate([[[i, i + 1], [i, i + 2], [i + 1, i + 2]] for i in first])
        one = np.array([[0, 0, 0], [1, 0, 0], [0.5, np.sqrt(0.75), 0]])
        places = np.random.default_rng(1).uniform(0, 30, (6666, 1, 3)) + one
        start = Particles(places.reshape(-1, 3), box=[30.0] * 3)
    start = start.replace(topology=Topology(np.full(len(start), "A"), bonds=bonds))
    field = ForceField({("A", "A"): None}, bonds={("A", "A"): RigidBond(r0=1.0)})
    _core.set_threads(1)
    benchmark(simulation(field, start, 0.01).run, 10)
