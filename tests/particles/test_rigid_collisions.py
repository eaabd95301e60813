"""Rigid bonds among thermostats that give pairs or cells of particles new velocities."""

from __future__ import annotations

import numpy as np
import pytest

from regrain import RegrainError
from regrain.particles import (
    DPD,
    SRD,
    ForceField,
    LoweAndersen,
    MPCAndersen,
    Particles,
    RigidBond,
    Topology,
)
from regrain.particles.dynamics import Dynamics

KT, EDGE, ROD, MASSES = 1.7, 6.0, 0.9, (1.0, 4.0)
FIELD = ForceField(
    {("A", "A"): None}, bonds={("A", "A"): RigidBond(r0=ROD)}, temperature=KT, exclude=0
)


def gas(dumbbells: int, solvent: int = 0) -> Particles:
    """Rods with two masses at random places, and solvent."""
    random = np.random.default_rng(3)
    centre = random.uniform(0, EDGE, (dumbbells, 1, 3))
    axis = random.normal(size=(dumbbells, 1, 3))
    axis *= ROD / np.linalg.norm(axis, axis=2)[:, :, None]
    rods = (centre + axis * np.array([[0.0], [1.0]])).reshape(-1, 3)
    places = np.concatenate([rods, random.uniform(0, EDGE, (solvent, 3))])
    topology = Topology(
        ["A"] * (2 * dumbbells) + ["S"] * solvent,
        masses=[*MASSES * dumbbells, *[1.0] * solvent],
        bonds=np.arange(2 * dumbbells).reshape(-1, 2),
    )
    return Particles(places, box=[EDGE] * 3, topology=topology)


PAIRS: list[Dynamics] = [
    LoweAndersen(rate=0.5, cutoff=1.5),
    DPD(friction=10.0, cutoff=1.5, integrator="shardlow"),
    DPD(friction=1.0, cutoff=1.5),
]
CELLS: list[Dynamics] = [
    rule
    for angular in (False, True)
    for rule in (
        SRD(solvent="S", cell=1.0, interval=0.1, angular_momentum=angular),
        MPCAndersen(solvent="S", cell=1.0, interval=0.1, angular_momentum=angular),
    )
]


def name_of(dynamics: Dynamics) -> str:
    angular = "+a" if getattr(dynamics, "angular_momentum", False) else ""
    return type(dynamics).__name__ + angular + getattr(dynamics, "integrator", "")


# Collisions that take velocities along rods for those of free particles leave the rods at 0.88
# (Lowe and Andersen) or 0.8 (SRD) of the temperature. The errors of both temperatures, from 300
# rods and at least 30 independent frames, are below 0.8 %.
@pytest.mark.parametrize("dynamics", [*PAIRS, *CELLS], ids=name_of)
def test_rods_have_the_temperature_in_all_they_do(dynamics: Dynamics) -> None:
    start = gas(300, 0 if dynamics in PAIRS else 1080)
    dt = 0.05 if dynamics in PAIRS else 0.1
    trace = FIELD.run(start, time=18.0, dt=dt, every=0.3, seed=5, dynamics=dynamics)[10:]
    v = np.array([state.velocities[:600] for state in trace]).reshape(-1, 2, 3)  # type: ignore[index]
    total = sum(MASSES)
    centre = np.einsum("a,nad->nd", MASSES, v) / total
    turning = (v[:, 1] - v[:, 0]) * np.sqrt(np.prod(MASSES) / total)
    assert total * np.mean(np.sum(centre**2, 1)) / 3 == pytest.approx(KT, rel=0.03)
    assert np.mean(np.sum(turning**2, 1)) / 2 == pytest.approx(KT, rel=0.03)
    assert np.mean(trace.log["temperature"]) == pytest.approx(KT, rel=0.02)
    for state in (trace[0], trace[-1]):  # as solved for
        rods = state.unwrapped[:600].reshape(-1, 2, 3)
        assert np.abs(np.linalg.norm(rods[:, 1] - rods[:, 0], axis=1) / ROD - 1).max() < 1e-11
        momentum = state.topology.masses @ state.velocities
        assert np.abs(momentum).max() < 1e-9
    # Nothing but thermostats works here, so that what they give is booked to round-off.
    assert np.ptp(trace.log["conserved_energy"]) < 1e-8 * len(start) * KT


def test_a_solvent_that_keeps_its_energy_has_no_rigid_bonds() -> None:
    solvent = SRD(solvent="S", cell=1.0, interval=0.1, thermostat=False)
    with pytest.raises(RegrainError, match=r"rigid bonds take energy out of collisions.*springs"):
        FIELD.run(gas(10, 1080), time=1.0, dt=0.1, dynamics=solvent)


# A heavy particle alone in its cell has a tensor of inertia of nothing but rounding errors, as
# m r² − (m r)² / m is no exact zero for all masses.
@pytest.mark.parametrize("mass", [2.5, 0.3, 7.7])
def test_angular_momentum_of_particles_that_are_alone_in_their_cell(mass: float) -> None:
    random = np.random.default_rng(1)
    n = 3000  # of 20³ cells
    topology = Topology(["S"] * n, masses=np.full(n, mass))
    start = Particles(random.uniform(0, 20, (n, 3)), box=[20] * 3, topology=topology)
    rule = MPCAndersen(solvent="S", cell=1.0, interval=0.1, angular_momentum=True)
    trace = ForceField(temperature=1.0).run(start, time=1.0, dt=0.1, seed=2, dynamics=rule)
    speeds = np.abs(trace[-1].velocities)  # type: ignore[arg-type]
    assert speeds.max() < 7.0 / np.sqrt(mass)
