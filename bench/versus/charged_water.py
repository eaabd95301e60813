"""Charges of water against OpenMM's PME on one thread: time and error of one evaluation of forces.

    pip install openmm
    python bench/versus/charged_water.py [rounds]

The 6540 charges of a frame of SPC/E water (2180 molecules, 4.031 nm), those of a molecule excluded;
nothing but charges acts. Ours is the direct Ewald sum of `Ewald`, theirs particle-mesh Ewald on the
platform CPU, which works in single precision with a double mesh. Times are of the processor, for a
step of dynamics with a neighbour list that holds. Errors are rms ones of the forces, relative to
their rms, against a sum of accuracy 1e-11. What each was asked for means different things: compare
times at equal errors.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from statistics import median

os.environ["OPENMM_CPU_THREADS"] = "1"

import numpy as np
import openmm as mm

import regrain as rg
from regrain import _core
from regrain.particles import Ewald, ForceField, Particles, Topology

SMALL = 1e-9  # a time step in which nothing moves
STEPS = 10


def water() -> Particles:
    files = rg.io.example("spce")
    frame = rg.load(files.trajectory, topology=files.topology)[0]
    n = len(frame) // 3
    whole = frame.positions.reshape(n, 3, 3)
    edges = np.diag(frame.box)
    arms = whole - whole[:, :1]
    topology = Topology(
        ["A"] * (3 * n),
        masses=np.full(3 * n, 10.0),
        charges=[-0.8476, 0.4238, 0.4238] * n,
        bonds=[(3 * i, 3 * i + k) for i in range(n) for k in (1, 2)],
    )
    positions = (whole[:, :1] + arms - edges * np.round(arms / edges)).reshape(-1, 3)
    return Particles(positions, box=frame.box, topology=topology, units="md")


def timed(work: Callable[[], object], rounds: int) -> float:
    """Milliseconds per step."""
    taken = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return median(taken) / STEPS * 1e3


def field(cutoff: float, accuracy: float) -> ForceField:
    charges = Ewald(cutoff=cutoff, accuracy=accuracy)
    return ForceField({("A", "A"): None}, bonds={("A", "A"): None}, charges=charges, units="md")


def ours(state: Particles, law: ForceField, rounds: int) -> tuple[float, np.ndarray]:
    running = _core.Simulation(
        law.compile(state),
        types=state.topology.type_ids,
        masses=state.topology.masses,
        dt=SMALL,
        dynamics=_core.Nve(),
        barostat=None,
        seed=0,
        skin=0.1,
    )
    running.assign(
        positions=state.positions,
        images=None,
        velocities=state.positions * 0,
        kt=0.0,
        box=state.box,
    )
    return timed(lambda: running.run(STEPS), rounds), running.forces()


def theirs(
    state: Particles, cutoff: float, tolerance: float, rounds: int
) -> tuple[float, np.ndarray]:
    system = mm.System()
    system.setDefaultPeriodicBoxVectors(*(mm.Vec3(*row) for row in state.box))
    force = mm.NonbondedForce()
    force.setNonbondedMethod(mm.NonbondedForce.PME)
    force.setCutoffDistance(cutoff)
    force.setEwaldErrorTolerance(tolerance)
    for charge, mass in zip(state.topology.charges, state.topology.masses, strict=True):
        system.addParticle(mass)
        force.addParticle(charge, 1.0, 0.0)
    for i, j in state.topology.exclusions(2):
        force.addException(i, j, 0.0, 1.0, 0.0)
    system.addForce(force)
    integrator = mm.VerletIntegrator(SMALL)
    platform = mm.Platform.getPlatformByName("CPU")
    context = mm.Context(system, integrator, platform, {"Threads": "1"})
    context.setPositions(state.positions)
    integrator.step(STEPS)
    found = context.getState(getForces=True).getForces(asNumpy=True)
    return timed(lambda: integrator.step(STEPS), rounds), np.array(found._value)


def main(rounds: int) -> None:
    _core.set_threads(1)
    state = water()
    exact = field(1.2, 1e-11).evaluate(state).forces
    print(f"{_core.simd_level()}, {len(state)} charges, one thread")
    print(f"{'':<8} {'cutoff':>6} {'asked':>7} {'error':>8} {'ms':>7}")
    for cutoff in (0.9, 1.1):
        for asked in (1e-3, 1e-4, 1e-5):
            for name, (taken, forces) in (
                ("regrain", ours(state, field(cutoff, asked), rounds)),
                ("OpenMM", theirs(state, cutoff, asked, rounds)),
            ):
                error = np.sqrt(np.mean((forces - exact) ** 2) / np.mean(exact**2))
                print(
                    f"{name:<8} {cutoff:>6} {asked:>7.0e} {error:>8.1e} {taken:>7.2f}", flush=True
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
