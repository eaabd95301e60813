"""Pair forces in mixed precision: how close to double, how well energy is kept, the same bits."""

from pathlib import Path

import numpy as np
import pytest

from regrain import RegrainError, _core
from regrain.particles import (
    NVE,
    FENEBond,
    ForceField,
    Langevin,
    LennardJones,
    Particles,
    ReactionField,
    Soft,
    StillingerWeber,
    StillingerWeberPair,
    Table,
    Topology,
    fcc,
)

SMOOTH = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
MELT = ForceField({("A", "A"): SMOOTH}, temperature=1.0)


def forces(field: ForceField, state: Particles, precision: _core.Precision) -> np.ndarray:
    """By id, as a run has them."""
    n = len(state)
    running = _core.Simulation(
        field.compile(state),
        types=state.topology.type_ids,
        masses=np.ones(n),
        dt=0.001,
        dynamics=_core.Nve(),
        barostat=None,
        seed=1,
        skin=0.3,
        precision=precision,
    )
    still = np.zeros((n, 3))
    running.assign(positions=state.positions, images=None, velocities=still, kt=0.0, box=state.box)
    return running.forces()


def crystal(cells: int = 5) -> Particles:
    start = fcc(cells, density=0.8)
    off = np.random.default_rng(2).normal(scale=0.06, size=(len(start), 3))
    return start.replace(positions=start.positions + off)


def charged() -> tuple[ForceField, Particles]:
    start = crystal(6)
    charges = np.where(np.arange(len(start)) % 2, 1.0, -1.0)
    field = MELT.replace(charges=ReactionField(cutoff=2.5))
    return field, start.replace(topology=Topology(["A"] * len(start), charges=charges))


def chained() -> tuple[ForceField, Particles]:
    start = crystal(6)
    bonds = np.arange(len(start)).reshape(-1, 4)[:, :2]
    field = MELT.replace(bonds={("A", "A"): FENEBond(k=30.0, r_max=2.0)})
    return field, start.replace(topology=Topology(["A"] * len(start), bonds=bonds))


def silicon() -> tuple[ForceField, Particles]:
    pair = StillingerWeberPair(epsilon=1.0, sigma=1.0)
    triple = StillingerWeber(epsilon=1.0, theta0=1.9, r_max=1.5, decay=0.8)
    field = ForceField({("A", "A"): pair}, triples={("A", "A", "A"): triple})
    return field, crystal()


def table() -> tuple[ForceField, Particles]:
    form = Table(r_min=0.6, r_max=2.5, points=500)
    return ForceField({("A", "A"): form.with_energy(SMOOTH.u(form.grid))}), crystal()


SYSTEMS = {
    "Lennard-Jones": lambda: (MELT, crystal()),
    "soft": lambda: (ForceField({("A", "A"): Soft(a=25.0, cutoff=1.5)}), crystal()),
    "table": table,
    "charges": charged,
    "excluded bonds": chained,
    "triples": silicon,
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_forces_are_those_of_double(name: str) -> None:
    field, state = SYSTEMS[name]()
    full = forces(field, state, _core.Precision.full)
    mixed = forces(field, state, _core.Precision.mixed)
    relative = np.sqrt(np.mean((mixed - full) ** 2) / np.mean(full**2))
    # Places within 3 of the origin of a group are rounded to 2^-24 of that; the steepest force goes
    # as r^-13 and is felt at r = 0.9: 13 * 3 / 0.9 units of 2^-24 for the largest single pair. In
    # a crystal pairs compensate each other up to a factor of five.
    assert relative < 5 * 13 * 3 / 0.9 * 2.0**-24
    assert relative > 1e-9  # it is not double


@pytest.mark.slow
def test_the_drift_of_energy_in_both_precisions() -> None:
    """NVE of 500 particles over 10 000 steps: the energy per particle wanders by less than 1e-5."""
    start = MELT.run(fcc(5, density=0.8), time=5.0, dt=0.005, every=5.0, seed=1)[-1]
    drift = {}
    for precision in ("double", "mixed"):
        run = MELT.run(start, time=20.0, dt=0.002, every=0.1, dynamics=NVE(), precision=precision)
        energy = (run.log["potential_energy"] + run.log["kinetic_energy"]) / len(start)
        times = np.arange(len(energy)) * 0.1
        drift[precision] = np.polyfit(times, energy, 1)[0] * 20.0
    # A rounding of 1e-6 of every force (30 in size) does work that adds up like a random walk:
    # 30e-6 * v dt sqrt(steps / particles), v = 1.7: 5e-7; velocity Verlet of force-shifted
    # Lennard-Jones leaves a fluctuation of some 1e-5 whose fitted slope is smaller.
    assert abs(drift["double"]) < 1e-5
    assert abs(drift["mixed"]) < 1e-5


def test_a_run_in_mixed_precision_has_the_same_bits_however_it_is_done(tmp_path: Path) -> None:
    field = ForceField({("A", "A"): SMOOTH}, temperature=1.0)
    start = crystal(6)
    run = {"dt": 0.005, "every": 0.25, "seed": 4, "precision": "mixed"}
    dynamics = Langevin(friction=1.0)
    results = []
    before = _core.threads()
    try:
        for threads in (1, 2, 3):
            _core.set_threads(threads)
            results.append(field.run(start, time=0.5, dynamics=dynamics, **run)[-1].positions)
    finally:
        _core.set_threads(before)
    file = tmp_path / "run.npz"
    field.run(start, time=0.25, dynamics=dynamics, checkpoint=file, **run)
    results.append(
        field.run(start, time=0.5, dynamics=dynamics, checkpoint=file, **run)[-1].positions
    )
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)
    double = field.run(start, time=0.5, dynamics=dynamics, **{**run, "precision": "double"})
    assert (double[-1].positions != results[0]).any()


def test_numbers_that_single_precision_has_no_room_for() -> None:
    tiny = LennardJones(epsilon=1.6e-21, sigma=3.4e-10, cutoff=8.5e-10)
    start = fcc(5, density=0.8 / 3.4e-10**3)
    field = ForceField({("A", "A"): tiny}, temperature=1.6e-21)
    with pytest.raises(RegrainError, match="single precision has no room; use units"):
        field.run(start, time=1.0, dt=0.1, every=1.0, precision="mixed")
    with pytest.raises(RegrainError, match="'double' or 'mixed'"):
        MELT.run(crystal(), time=1.0, dt=0.1, every=1.0, precision="single")
