"""Real Fourier transforms, forward and back, against SciPy, FFTW, and ducc where they are.

    pip install pyfftw ducc0
    python bench/versus/fft.py [rounds]

Double precision; all work on the same arrays in turns, so that a busy machine slows them alike, and
medians are compared. FFTW runs with measured plans on aligned arrays, and may destroy its input on
the way back as ours does. Times of one thread are of the processor, of two of the wall. The last
columns are what 2.5 n log2 n operations each way are of the 141e9 per second and core that were
measured for multiply-adds of AVX-512 in double, and the bandwidth if the array is read and written
once each way.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from regrain import _core

SHAPES = [(64,) * 2, (256,) * 2, (512,) * 2, (1024,) * 2]
SHAPES += [(32,) * 3, (64,) * 3, (128,) * 3, (256,) * 3, (120, 125, 126)]
LIMIT = 141e9  # per core

Trip = Callable[[], Any]


def ours(values: NDArray[Any], threads: int) -> Trip:
    plan = _core.RealTransform(values.shape)
    spectrum = np.empty(plan.spectrum_size, complex)
    back = np.empty_like(values)

    def trip() -> None:
        _core.set_threads(threads)
        plan.forward(values, spectrum)
        plan.backward(spectrum, back)

    return trip


def of_scipy(values: NDArray[Any], threads: int) -> Trip:
    def trip() -> None:
        spectrum = scipy.fft.rfftn(values, workers=threads)
        scipy.fft.irfftn(spectrum, s=values.shape, workers=threads, overwrite_x=True)

    return trip


def of_fftw(values: NDArray[Any], threads: int) -> Trip:
    import pyfftw

    axes = tuple(range(values.ndim))
    start = pyfftw.empty_aligned(values.shape, "float64")
    middle = pyfftw.empty_aligned((*values.shape[:-1], values.shape[-1] // 2 + 1), "complex128")
    end = pyfftw.empty_aligned(values.shape, "float64")
    settings: Any = {"axes": axes, "threads": threads}
    there = pyfftw.FFTW(start, middle, flags=("FFTW_MEASURE",), **settings)
    back = pyfftw.FFTW(
        middle,
        end,
        direction="FFTW_BACKWARD",
        flags=("FFTW_MEASURE", "FFTW_DESTROY_INPUT"),
        **settings,
    )
    start[:] = values

    def trip() -> None:
        there.execute()
        back.execute()

    return trip


def of_ducc(values: NDArray[Any], threads: int) -> Trip:
    import ducc0

    spectrum = ducc0.fft.r2c(values)
    back = np.empty_like(values)

    def trip() -> None:
        ducc0.fft.r2c(values, out=spectrum, nthreads=threads)
        ducc0.fft.c2r(spectrum, lastsize=values.shape[-1], out=back, nthreads=threads, inorm=2)

    return trip


def seconds(trip: Trip, times: int, threads: int) -> float:
    clock = time.process_time if threads == 1 else time.perf_counter
    begin = clock()
    for _ in range(times):
        trip()
    return (clock() - begin) / times


def main(rounds: int) -> None:
    rng = np.random.default_rng(1)
    others = {"SciPy": of_scipy, "FFTW": of_fftw, "ducc": of_ducc}
    print(f"{_core.simd_level()}; milliseconds of a round trip, and how many times ours it is")
    for threads in (1, 2):
        head = "".join(f"{name:>9} {'ratio':>6}" for name in others)
        print(f"{threads} thread(s){'':>5} {'regrain':>9}{head} {'limit':>6} {'GB/s':>6}")
        for shape in SHAPES:
            values = rng.normal(size=shape)
            trips: dict[str, Trip] = {"regrain": ours(values, threads)}
            for name, make in others.items():
                try:
                    trips[name] = make(values, threads)
                except ImportError:
                    continue
            times = max(1, int(2e6 / values.size))
            taken: dict[str, list[float]] = {name: [] for name in trips}
            for _ in range(rounds + 1):
                for name, trip in trips.items():
                    taken[name].append(seconds(trip, times, threads))
            mine = np.array(taken["regrain"][1:])
            row = f"{'x'.join(map(str, shape)):<15} {median(mine.tolist()) * 1e3:>9.4f}"
            for name in others:
                if name not in trips:
                    row += f"{'-':>9} {'-':>6}"
                    continue
                theirs = np.array(taken[name][1:])
                row += f"{median(theirs.tolist()) * 1e3:>9.4f} {np.median(theirs / mine):>6.2f}"
            work = 5.0 * values.size * np.log2(values.size)
            best = median(mine.tolist())
            bandwidth = 4 * values.nbytes / best * 1e-9
            row += f" {work / best / (threads * LIMIT):>6.1%} {bandwidth:>6.1f}"
            print(row, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
