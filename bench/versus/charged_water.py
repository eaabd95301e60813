"""Charges of water against OpenMM's PME: time and error of one evaluation of forces.

    pip install openmm
    python bench/versus/charged_water.py [rounds]

The 6540 charges of a frame of SPC/E water (2180 molecules, 4.031 nm), and eight copies of it side
by side (52 320 charges, 8.062 nm); charges of a molecule excluded; nothing but charges acts. Ours
is `Ewald` on a mesh in double precision, theirs particle-mesh Ewald on the platform CPU, which
works in single precision with a double mesh. Both take turns in one run. Times are for a step of
dynamics with a neighbour list that holds: of the processor on one thread, of the wall on two.
Errors are rms ones of the forces, relative to their rms, against a sum of accuracy 1e-10. What each
was asked for means different things: compare times at equal errors.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import openmm as mm

import regrain as rg
from regrain import _core
from regrain.particles import Ewald, ForceField, Particles, Topology

# Cutoff, what we are asked for, and what OpenMM is for about the same error.
CASES = [
    (0.7, 1e-3, 3e-4),
    (0.9, 1e-3, 3e-4),
    (0.9, 1e-4, 3e-5),
    (1.1, 1e-3, 3e-4),
    (1.1, 1e-4, 3e-5),
]
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


def copies(state: Particles, n: int) -> Particles:
    """n x n x n of a state side by side."""
    if n == 1:
        return state
    shifts = np.stack(np.meshgrid(*[np.arange(n)] * 3), axis=-1).reshape(-1, 3) @ state.box
    top = state.topology
    bonds = np.concatenate([top.bonds + k * len(state) for k in range(n**3)])
    topology = Topology(
        ["A"] * (len(state) * n**3),
        masses=np.tile(top.masses, n**3),
        charges=np.tile(top.charges, n**3),
        bonds=bonds,
    )
    positions = (state.positions + shifts[:, None]).reshape(-1, 3)
    return Particles(positions, box=state.box * n, topology=topology, units="md")


def milliseconds(work: Callable[[], object], threads: int) -> float:
    """Of one step."""
    clock = time.process_time if threads == 1 else time.perf_counter
    before = clock()
    work()
    return (clock() - before) / STEPS * 1e3


def field(cutoff: float, accuracy: float) -> ForceField:
    charges = Ewald(cutoff=cutoff, accuracy=accuracy, mesh=True)
    return ForceField({("A", "A"): None}, bonds={("A", "A"): None}, charges=charges, units="md")


Round = tuple[Callable[[], object], np.ndarray]


def ours(state: Particles, law: ForceField, threads: int) -> Round:
    """Some steps, and the forces."""
    running = _core.Simulation(
        law.compile(state),
        types=state.topology.type_ids,
        masses=state.topology.masses,
        dt=SMALL,
        dynamics=_core.Nve(),
        barostat=None,
        seed=0,
        skin=0.1,
        frozen=[],
        precision=_core.Precision.full,
    )
    running.assign(
        positions=state.positions,
        images=None,
        velocities=state.positions * 0,
        kt=0.0,
        box=state.box,
    )

    def steps() -> None:
        _core.set_threads(threads)
        running.run(STEPS)

    steps()
    return steps, running.forces()


def theirs(state: Particles, cutoff: float, tolerance: float, threads: int) -> Round:
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
    context = mm.Context(system, integrator, platform, {"Threads": str(threads)})
    context.setPositions(state.positions)
    integrator.step(STEPS)
    found = context.getState(getForces=True).getForces(asNumpy=True)

    def steps(keep: object = context) -> None:
        integrator.step(STEPS)

    return steps, np.array(found._value)


def main(rounds: int) -> None:
    print(f"{_core.simd_level()}; milliseconds of a step; errors in brackets")
    print(
        f"{'charges':>8} {'threads':>7} {'cutoff':>6} {'asked':>7} {'regrain':>17} {'OpenMM':>17}"
    )
    for n in (1, 2):
        state = copies(water(), n)
        exact = field(1.2, 1e-10).evaluate(state).forces

        def error(forces: np.ndarray, exact: np.ndarray = exact) -> float:
            return float(np.sqrt(np.mean((forces - exact) ** 2) / np.mean(exact**2)))

        for threads in (1, 2):
            for cutoff, asked, tolerance in CASES:
                mine, mine_forces = ours(state, field(cutoff, asked), threads)
                their, their_forces = theirs(state, cutoff, tolerance, threads)
                times = np.array(
                    [
                        (milliseconds(mine, threads), milliseconds(their, threads))
                        for _ in range(rounds)
                    ]
                )
                a, b = (median(column) for column in times.T.tolist())
                print(
                    f"{len(state):>8} {threads:>7} {cutoff:>6} {asked:>7.0e} "
                    f"{a:>7.2f} ({error(mine_forces):.1e}) {b:>7.2f} ({error(their_forces):.1e}) "
                    f"{np.median(times[:, 1] / times[:, 0]):>6.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
