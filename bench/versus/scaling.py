"""How the cost per particle grows from 10 000 to 4 million particles, and what memory each takes.

    python bench/versus/scaling.py [largest]

A Lennard-Jones melt (density 0.8442, cutoff 2.5, skin 0.3) in both precisions, each size in a
process of its own. Times are of the processor on one thread; memory is the peak of the process less
what it took before the first particle, and holds the state that the run began with.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np

from regrain import _core
from regrain.particles import ForceField, LennardJones, fcc

CELLS = (14, 20, 29, 43, 63, 100)  # 10 976 to 4 000 000 particles
FIELD = ForceField({("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)})
PRECISIONS = {"double": _core.Precision.full, "mixed": _core.Precision.mixed}


def peak() -> float:
    """Bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def measure(cells: int, precision: str) -> None:
    """Prints particles, nanoseconds per particle and step, and bytes per particle."""
    _core.set_threads(1)
    before = peak()
    start = fcc(cells, density=0.8442)
    n = len(start)
    running = _core.Simulation(
        FIELD.compile(start),
        types=np.zeros(n, dtype=np.int32),
        masses=np.ones(n),
        dt=0.005,
        dynamics=_core.Nve(),
        barostat=None,
        seed=1,
        skin=0.3,
        precision=PRECISIONS[precision],
    )
    running.assign(positions=start.positions, images=None, velocities=None, kt=1.44, box=start.box)
    steps = int(max(20, 4e6 // n))
    running.run(60)  # out of the crystal
    times = []
    for _ in range(3):
        begin = time.process_time()
        running.run(steps)
        times.append((time.process_time() - begin) / (n * steps))
    print(n, sorted(times)[1] * 1e9, (peak() - before) / n)


def main(largest: float) -> None:
    print(f"{_core.simd_level()}, one thread; nanoseconds per particle-step, bytes per particle")
    print(f"{'particles':>9} {'double':>8} {'mixed':>8} {'bytes':>7} {'bytes':>7}")
    for cells in CELLS:
        if 4 * cells**3 > largest:
            break
        rows = []
        for precision in PRECISIONS:
            command = [sys.executable, __file__, "one", str(cells), precision]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append([float(word) for word in done.stdout.split()])
        (n, double, double_bytes), (_, mixed, mixed_bytes) = rows
        print(
            f"{n:>9.0f} {double:>8.1f} {mixed:>8.1f} {double_bytes:>7.0f} {mixed_bytes:>7.0f}",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        measure(int(sys.argv[2]), sys.argv[3])
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 4e6)
