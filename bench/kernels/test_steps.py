"""How long time steps take with each of the dynamics, and what bonded terms add."""

from typing import Any

import numpy as np
import pytest

from regrain import _core
from regrain.particles import (
    CosineAngle,
    FENEBond,
    ForceField,
    LennardJones,
    Particles,
    Topology,
    fcc,
)

STEPS = 20
LJ = ForceField({("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)})
WCA = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2 ** (1 / 6), mode="shifted")
BARE = ForceField({("A", "A"): WCA}, exclude=0)
CHAINS = ForceField({("A", "A"): WCA}, bonds={("A", "A"): FENEBond(k=30.0, r_max=1.5)}, exclude=0)
STIFF = CHAINS.replace(angles={("A", "A", "A"): CosineAngle(k=1.0, theta0=np.pi)})
DYNAMICS = {
    "NVE": _core.Nve(),
    "Langevin": _core.Langevin(kt=1.0, friction=[1.0]),
    "Brownian": _core.Brownian(kt=1.0, friction=[100.0], diffusion=[]),
    "GeneralizedLangevin": _core.GeneralizedLangevin(
        kt=1.0, strengths=[10.0, 1.0], times=[0.1, 1.0]
    ),
    "NoseHoover": _core.NoseHoover(kt=1.0, time=0.5, chain=3),
}


def simulation(field: ForceField, start: Particles, dynamics: Any, **more: Any) -> Any:
    """A warm simulation of the core."""
    n = len(start)
    running = _core.Simulation(
        field.compile(start),
        types=np.zeros(n),
        masses=np.ones(n),
        dt=0.004,
        dynamics=dynamics,
        barostat=None,
        seed=1,
        skin=0.375,
        **{"frozen": np.empty(0), "precision": _core.Precision.full, **more},
    )
    running.assign(positions=start.positions, images=None, velocities=None, kt=1.0, box=start.box)
    running.run(200)
    return running


@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_dynamics(benchmark: Any, dynamics: str) -> None:
    running = simulation(LJ, fcc(10, density=0.8442), DYNAMICS[dynamics])
    benchmark(running.run, STEPS)


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_shear(benchmark: Any, rate: float) -> None:
    flow = _core.FlowGradient(yx=rate, zx=0.0, zy=0.0)
    start = fcc(10, density=0.8442)
    benchmark(simulation(LJ, start, DYNAMICS["NVE"], flow=flow).run, STEPS)


def chains(length: int, edge: int, spacing: float) -> Particles:
    """Chains along a line that winds through a cubic lattice, a little off its sites."""
    i = np.arange(edge**3)
    layer, row, column = i // edge**2, (i // edge) % edge, i % edge
    row = np.where(layer % 2, edge - 1 - row, row)
    column = np.where((i // edge) % 2, edge - 1 - column, column)
    sites = np.stack([column, row, layer], axis=1) + 0.0
    sites += np.random.default_rng(1).normal(scale=0.03, size=sites.shape)
    inside = i[:-1][(i[:-1] + 1) % length != 0]
    twice = i[:-2][((i[:-2] + 1) % length != 0) & ((i[:-2] + 2) % length != 0)]
    topology = Topology(
        np.full(len(i), "A"),
        bonds=np.stack([inside, inside + 1], axis=1),
        angles=np.stack([twice, twice + 1, twice + 2], axis=1),
    )
    return Particles(sites * spacing, box=[edge * spacing] * 3, topology=topology)


@pytest.mark.parametrize("terms", ["pairs", "bonds", "bonds and angles"])
def test_bonded(benchmark: Any, terms: str) -> None:
    start = chains(length=50, edge=20, spacing=1.05)
    field = {
        "pairs": BARE.replace(bonds={("A", "A"): None}, angles={("A", "A", "A"): None}),
        "bonds": CHAINS.replace(angles={("A", "A", "A"): None}),
        "bonds and angles": STIFF,
    }[terms]
    benchmark(simulation(field, start, DYNAMICS["Langevin"]).run, STEPS)
