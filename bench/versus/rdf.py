"""RDF against freud in one run: the same positions, reach, shells and threads.

    python bench/versus/rdf.py

Prints medians over rounds that take turns, so that a busy machine slows both, and their ratio.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import freud
import numpy as np

from regrain import _core

SHELLS, REACH, DENSITY, ROUNDS = 200, 1.0, 33.3, 7


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(n: int, threads: int) -> str:
    edge = (n / DENSITY) ** (1 / 3)
    positions = np.random.default_rng(1).random((n, 3)) * edge
    _core.set_threads(threads)
    freud.parallel.set_num_threads(threads)
    ours = _core.PairHistogram(np.zeros(n, int), 1, REACH, SHELLS, np.empty((0, 2), np.int32))
    theirs = freud.density.RDF(SHELLS, REACH)
    system = (freud.box.Box.cube(edge), (positions - edge / 2).astype(np.float32))
    box = np.diag([edge] * 3)
    check(ours.count(positions, box)[0, 0], theirs.compute(system), n)
    rounds = [
        (seconds(lambda: ours.count(positions, box)), seconds(lambda: theirs.compute(system)))
        for _ in range(ROUNDS)
    ]
    a, b = (median(times) for times in zip(*rounds, strict=True))
    return f"{n:>9} {threads:>7} {a * 1e3:>12.2f} {b * 1e3:>12.2f} {b / a:>7.1f}"


def check(counts: np.ndarray, theirs: freud.density.RDF, n: int) -> None:
    """The same work: as many pairs per shell, up to the single precision of freud's positions."""
    different = np.abs(counts.astype(float) - theirs.bin_counts).sum()
    assert different < 1e-3 * counts.sum(), (different, counts.sum(), n)


if __name__ == "__main__":
    print(f"{'particles':>9} {'threads':>7} {'regrain / ms':>12} {'freud / ms':>12} {'ratio':>7}")
    for n in (2_180, 10_000, 100_000):
        for threads in (1, 2):
            print(compare(n, threads))
