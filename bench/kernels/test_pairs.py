"""How long pair forces and neighbour lists take, and where the time goes."""

import numpy as np
import pytest

from regrain.particles import (
    NVE,
    WCA,
    ForceField,
    Gaussian,
    LennardJones,
    Particles,
    Soft,
    Table,
    Topology,
    Yukawa,
    fcc,
    neighbor_list,
)

LJ = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)


def table() -> Table:
    r = np.linspace(0.7, 2.5, 400)
    return Table(r_min=0.7, r_max=2.5, points=400, energy=LJ.u(r))


@pytest.fixture(scope="module")
def melt() -> Particles:
    """4000 particles that have forgotten their crystal."""
    field = ForceField({("A", "A"): LJ}, temperature=1.44)
    start = fcc(10, density=0.8442)
    return field.run(start, time=1.0, dt=0.005, every=1.0, seed=1)[-1]


FIELDS = {
    "lennard-jones": ForceField({("A", "A"): LJ}),
    "table": ForceField({("A", "A"): table()}),
    "WCA": ForceField({("A", "A"): WCA(epsilon=1.0, sigma=1.0)}),
    "soft": ForceField({("A", "A"): Soft(a=25.0, cutoff=1.5)}),
    "Yukawa": ForceField({("A", "A"): Yukawa(epsilon=1.0, kappa=1.0, cutoff=2.5)}),
    "Gaussian": ForceField({("A", "A"): Gaussian(epsilon=1.0, sigma=0.8, cutoff=2.5)}),
    "two types": ForceField({("A", "A"): LJ, ("A", "B"): LJ, ("B", "B"): LJ}),
    "two types, LJ and table": ForceField({("A", "A"): LJ, ("A", "B"): table(), ("B", "B"): LJ}),
}


@pytest.mark.parametrize("precision", ["double", "mixed"])
@pytest.mark.parametrize("name", FIELDS)
def test_hundred_steps(benchmark, melt, name, precision):
    field = FIELDS[name]
    if name.startswith("two"):
        melt = melt.replace(topology=Topology(np.tile(["A", "B"], len(melt) // 2)))
    run = {"time": 0.5, "dt": 0.005, "every": 0.5, "dynamics": NVE(), "precision": precision}
    benchmark(field.run, melt, **run)


@pytest.mark.parametrize("half", [True, False], ids=["half", "full"])
def test_neighbor_list(benchmark, melt, half):
    benchmark(neighbor_list, melt, cutoff=2.8, half=half)
