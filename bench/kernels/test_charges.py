"""How long time steps with charges take: as many ions as atoms in water, at their best cutoffs."""

from typing import Any

import numpy as np
import pytest

from regrain import _core
from regrain.particles import Ewald, ForceField, Particles, ReactionField, Topology, fcc
from regrain.particles.charges import Coulomb

STEPS = 5
DENSITY = 100.0  # atoms of water per nm^3


def simulation(cells: int, charges: Coulomb) -> Any:
    """Ions on a lattice that is so slow that the list holds."""
    lattice = fcc(cells, density=DENSITY)
    n = len(lattice)
    signs = np.where(np.arange(n) % 2, 0.5, -0.5)
    start = Particles(
        lattice.positions, box=lattice.box, topology=Topology(["A"] * n, charges=signs), units="md"
    )
    field = ForceField({("A", "A"): None}, charges=charges, units="md")
    running = _core.Simulation(
        field.compile(start),
        types=np.zeros(n),
        masses=np.ones(n),
        dt=1e-9,
        dynamics=_core.Nve(),
        barostat=None,
        seed=1,
        skin=0.1,
        frozen=[],
        precision=_core.Precision.full,
    )
    running.assign(positions=start.positions, images=None, velocities=None, kt=1.0, box=start.box)
    running.run(2)
    return running


@pytest.mark.parametrize("cutoff", [0.9, 1.2])
def test_reaction_field(benchmark: Any, cutoff: float) -> None:
    benchmark(simulation(12, ReactionField(cutoff=cutoff)).run, STEPS)


@pytest.mark.parametrize("accuracy", [1e-3, 1e-5])
@pytest.mark.parametrize(("cells", "cutoff"), [(6, 0.7), (9, 0.85), (12, 1.0), (18, 1.3)])
def test_ewald_wave_by_wave(benchmark: Any, cells: int, cutoff: float, accuracy: float) -> None:
    charges = Ewald(cutoff=cutoff, accuracy=accuracy, mesh=False)
    benchmark(simulation(cells, charges).run, STEPS)


@pytest.mark.parametrize("accuracy", [1e-3, 1e-4, 1e-5])
@pytest.mark.parametrize("cutoff", [0.6, 0.8, 1.0])
@pytest.mark.parametrize("cells", [6, 9, 12, 18, 26, 36])
def test_ewald_on_a_mesh(benchmark: Any, cells: int, cutoff: float, accuracy: float) -> None:
    charges = Ewald(cutoff=cutoff, accuracy=accuracy, mesh=True)
    benchmark(simulation(cells, charges).run, STEPS)
