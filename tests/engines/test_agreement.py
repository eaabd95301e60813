"""Both engines sample the same ensemble: g(r), pressure and energy within their errors."""

import numpy as np
import pytest

import regrain as rg
from regrain.observables import RDF, Pressure
from regrain.particles import ForceField, Langevin, NoseHoover, Table
from tests.engines.lammps_static import need_lammps
from tests.engines.systems import chains, formulas


def water() -> ForceField:
    """A bead of water with a core and a well."""
    form = Table(r_min=0.24, r_max=0.8, points=281)
    window = (1.0 - (form.grid / 0.8) ** 2) ** 2
    energy = window * (30 * np.exp((0.24 - form.grid) / 0.03) - 3 * np.exp(-form.grid / 0.3))
    return ForceField({("W", "W"): form.with_energy(energy)}, temperature=300.0, units="md")


@pytest.mark.slow
@pytest.mark.parametrize("dynamics", [Langevin(friction=2.0), NoseHoover(time=0.5)], ids=str)
def test_structure_and_pressure_of_a_liquid(dynamics: object) -> None:
    need_lammps()
    lattice = rg.particles.fcc(cells=5, density=33.0)
    topology = rg.particles.Topology(["W"] * len(lattice), masses=[18.0] * len(lattice))
    start = lattice.replace(topology=topology, units="md")
    given = {"time": 60.0, "dt": 0.006, "every": 0.3, "dynamics": dynamics, "progress": False}
    runs = [water().run(start, **given, seed=1)[40:]]
    runs.append(water().run(start, **given, seed=2, engine="lammps")[40:])
    for observable in (RDF(r_max=0.9, bins=60), Pressure()):
        one, other = (observable(run) for run in runs)
        error = np.sqrt(one.error**2 + other.error**2)
        known = error > 0
        sigmas = np.abs(one.value - other.value)[known] / error[known]
        # Of 60 numbers the largest stays below 4.5 with a probability of 0.9996; those of few
        # effective samples have wider tails.
        assert sigmas.max() < 4.5
        if sigmas.size > 20:  # of one number it says nothing more
            assert np.sqrt(np.mean(sigmas**2)) < 1.6
    first, second = (run.log["potential_energy"].reshape(-1, 16).mean(axis=1) for run in runs)
    error = np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))
    assert abs(first.mean() - second.mean()) < 4 * error
    assert error < 0.015 * abs(first.mean())


@pytest.mark.slow
def test_bonded_chains_in_a_skewed_box() -> None:
    need_lammps()
    field = formulas(temperature=300.0, exclude=3)
    given = {"dt": 0.001, "dynamics": Langevin(friction=5.0), "progress": False}
    start = field.run(chains().replace(velocities=None), time=5.0, **given, seed=1)[-1]
    runs = [
        field.run(start, time=40.0, every=0.1, **given, seed=2)[50:],
        field.run(start, time=40.0, every=0.1, **given, seed=3, engine="lammps")[50:],
    ]
    for name in ("potential_energy", "kinetic_energy"):
        blocks = [run.log[name].reshape(-1, 25).mean(axis=1) for run in runs]
        error = np.sqrt(sum(b.var(ddof=1) / len(b) for b in blocks))
        assert abs(blocks[0].mean() - blocks[1].mean()) < 4 * error
        assert error < 0.015 * abs(blocks[0].mean())
