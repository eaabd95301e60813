"""Neighbour lists against vesin, freud and matscipy in one run: the same positions and cutoff.

    pip install vesin freud-analysis matscipy
    python bench/versus/neighbor_list.py

Each library gives pairs, image shifts (freud: none) and vectors. Rounds take turns, so that a busy
machine slows all, and medians are compared. On one thread the time is that of the processor. vesin
and matscipy have one thread only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import freud
import numpy as np
import vesin
from matscipy.neighbours import neighbour_list
from numpy.typing import NDArray

from regrain import _core
from regrain.particles import Particles, neighbor_list

CUTOFF, DENSITY, ROUNDS = 2.8, 0.8442, 5
PEERS = ("vesin", "freud", "matscipy")

Search = Callable[[], int]


def seconds(work: Callable[[], object], threads: int) -> float:
    clock = time.process_time if threads == 1 else time.perf_counter
    begin = clock()
    work()
    return clock() - begin


def searches(positions: NDArray[np.float64], edge: float, half: bool) -> dict[str, Search]:
    """What each library does to find the pairs; gives their number."""
    state = Particles(positions, box=[edge] * 3)
    found: dict[str, Search] = {
        "regrain": lambda: len(neighbor_list(state, cutoff=CUTOFF, half=half)),
    }
    its = vesin.NeighborList(cutoff=CUTOFF, full_list=not half)
    found["vesin"] = lambda: len(
        its.compute(points=positions, box=state.box, periodic=True, quantities="ijSD")[0]
    )
    if not half:
        box, points = freud.box.Box.cube(edge), (positions - edge / 2).astype(np.float32)
        query = {"r_max": CUTOFF, "exclude_ii": True}
        found["matscipy"] = lambda: len(
            neighbour_list(
                "ijSD",
                cutoff=CUTOFF,
                positions=positions,
                cell=state.box,
                pbc=[True] * 3,
                numbers=np.ones(len(positions), dtype=np.int32),
            )[0]
        )
        found["freud"] = lambda: len(
            freud.locality.AABBQuery(box, points).query(points, query).toNeighborList()
        )
    return found


def compare(n: int, threads: int, half: bool) -> str:
    edge = (n / DENSITY) ** (1 / 3)
    positions = np.random.default_rng(1).random((n, 3)) * edge
    _core.set_threads(threads)
    freud.parallel.set_num_threads(threads)
    work = searches(positions, edge, half)
    pairs = {name: search() for name, search in work.items()}
    for name, count in pairs.items():  # the same work, up to the single precision of freud
        assert abs(count - pairs["regrain"]) <= (1e-5 * count if name == "freud" else 0), pairs
    if threads > 1:
        del work["vesin"], work["matscipy"]
    rounds = [[seconds(search, threads) for search in work.values()] for _ in range(ROUNDS)]
    times = dict(zip(work, (median(t) for t in zip(*rounds, strict=True)), strict=True))
    peers = [
        f"{times[name] / times['regrain']:>8.1f}" if name in times else f"{'-':>8}"
        for name in PEERS
    ]
    speed = pairs["regrain"] / times["regrain"] * 1e-6
    return f"{n:>9} {'half' if half else 'full':>5} {threads:>7} {speed:>10.1f} {' '.join(peers)}"


if __name__ == "__main__":
    print("regrain in million pairs per second, the time of the others as a multiple of its own")
    heads = " ".join(f"{name:>8}" for name in PEERS)
    print(f"{'particles':>9} {'list':>5} {'threads':>7} {'regrain':>10} {heads}")
    for n in (10_000, 100_000, 1_000_000):
        for half, threads in ((True, 1), (False, 1), (False, 2)):
            print(compare(n, threads, half), flush=True)
