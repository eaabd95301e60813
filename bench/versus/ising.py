"""Sweeps of the square Ising model at its critical point against a checkerboard sweep by numba.

    pip install numba
    python bench/versus/ising.py [rounds]

Metropolis, nearest neighbours, one thread. Both sides work in turns, so that a busy machine slows
them alike, and medians of ratios of processor time are given. The sweep of numba is what one
writes: spins of one byte, a table of exponentials, a number of its generator where one is needed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from regrain import _core
from regrain.lattice import Ising
from regrain.lattice.samplers import make_sampler

CRITICAL = float(np.log(1 + np.sqrt(2)) / 2)
EDGES = (64, 256, 1024, 4096)

Sweeps = Callable[[int], Any]


def ours(edge: int) -> Sweeps:
    model = Ising((edge, edge), couplings={"nn": CRITICAL})
    _, sampler = make_sampler(model, "metropolis", seed=1, replicas=1)
    sampler.assign(model.start().values, sweep=0)
    return sampler.run


def of_numba(edge: int) -> Sweeps:
    from numba import njit

    @njit
    def sweep(spins: Any, chances: Any, times: int) -> None:
        n = spins.shape[0]
        for _ in range(times):
            for colour in range(2):
                for i in range(n):
                    up, down = (i - 1) % n, (i + 1) % n
                    for j in range((i + colour) % 2, n, 2):
                        left, right = (j - 1) % n, (j + 1) % n
                        around = spins[up, j] + spins[down, j] + spins[i, left] + spins[i, right]
                        loss = spins[i, j] * around
                        if loss <= 0 or np.random.random() < chances[loss // 2]:  # noqa: NPY002
                            spins[i, j] = -spins[i, j]

    spins = Ising((edge, edge), couplings={}).start().values.copy()
    chances = np.exp(-2 * CRITICAL * np.array([0.0, 2.0, 4.0]))
    sweep(spins, chances, 1)
    return lambda times: sweep(spins, chances, times)


def seconds(sweeps: Sweeps, times: int) -> float:
    begin = time.process_time()
    sweeps(times)
    return (time.process_time() - begin) / times


def main(rounds: int) -> None:
    _core.set_threads(1)
    print(f"{_core.simd_level()}; flips per nanosecond, one thread")
    print(f"{'edge':>6} {'regrain':>9} {'numba':>9} {'ratio':>7}")
    for edge in EDGES:
        mine, other = ours(edge), of_numba(edge)
        sites = edge * edge
        few, many = max(1, 2_000_000 // sites), max(4, 50_000_000 // sites)
        taken = [(seconds(mine, many), seconds(other, few)) for _ in range(rounds + 1)][1:]
        a, b = (median(column) for column in zip(*taken, strict=True))
        ratio = median(y / x for x, y in taken)
        print(f"{edge:6d} {sites / a / 1e9:9.2f} {sites / b / 1e9:9.3f} {ratio:7.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
