"""Trace: slices, laziness, and what it refuses."""

import pickle

import numpy as np
import pytest

from regrain.errors import RegrainError
from regrain.particles import Particles, Topology
from regrain.trace import Trace


def particles(x: float) -> Particles:
    return Particles([[x, 0.0, 0.0]], box=[10.0, 10.0, 10.0])


class Reader:
    """Frames made when read; counts how often."""

    def __init__(self, n: int) -> None:
        self.n, self.reads = n, 0

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> Particles:
        if not 0 <= i < self.n:
            raise IndexError(i)
        self.reads += 1
        return particles(float(i))


def shifted(state: Particles) -> Particles:
    return state.replace(positions=state.positions + 1.0)


def x_of(trace: Trace[Particles]) -> list[float]:
    return [float(state.positions[0, 0]) for state in trace]


def test_slices_are_traces_and_read_nothing() -> None:
    reader = Reader(10)
    trace = Trace(reader, times=np.arange(10) * 0.5, log={"e": np.arange(10) ** 2})
    part = trace[2:9:3]
    assert reader.reads == 0
    assert part.times.tolist() == [1.0, 2.5, 4.0]
    assert part.log["e"].tolist() == [4, 25, 64]
    assert x_of(part) == [2.0, 5.0, 8.0]
    assert x_of(part[1:]) == [5.0, 8.0]
    assert x_of(trace[np.array([7, 8])]) == [7.0, 8.0]
    assert float(trace[-1].positions[0, 0]) == 9.0
    with pytest.raises(IndexError, match="frame 10 of a trace of 10 frames"):
        trace[10]


def test_map_is_lazy_and_in_memory_reads_once() -> None:
    reader = Reader(5)
    mapped = Trace(reader, times=np.arange(5.0)).map(shifted, note="moved")
    assert reader.reads == 0
    assert x_of(mapped) == [1.0, 2.0, 3.0, 4.0, 5.0]
    kept = mapped.in_memory()
    before = reader.reads
    assert x_of(kept) == x_of(kept[:])
    assert reader.reads == before
    assert mapped.provenance["note"] == "moved"


def test_a_trace_travels_to_another_process() -> None:
    trace = Trace([particles(1.0), particles(2.0)], times=[0.0, 1.0]).map(shifted)
    assert x_of(pickle.loads(pickle.dumps(trace))) == [2.0, 3.0]


def test_spacing_needs_equal_steps() -> None:
    frames = [particles(0.0)] * 3
    assert Trace(frames, times=[0.0, 0.25, 0.5]).spacing == pytest.approx(0.25)
    with pytest.raises(RegrainError, match="not equally spaced"):
        _ = Trace(frames, times=[0.0, 1.0, 3.0]).spacing
    with pytest.raises(RegrainError, match="not equally spaced"):
        _ = Trace(frames[:1], times=[0.0]).spacing


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"times": [0.0]}, "holds 2 frames, but times has 1"),
        ({"times": [1.0, 0.0]}, "must not decrease"),
        ({"times": [0.0, np.nan]}, "finite"),
        ({"times": [0.0, 1.0], "weights": [1.0]}, "weights has 1"),
        ({"times": [0.0, 1.0], "weights": [0.0, 0.0]}, "not all zero"),
        ({"times": [0.0, 1.0], "weights": [-1.0, 2.0]}, ">= 0"),
        ({"times": [0.0, 1.0], "log": {"e": [1.0]}}, "e has 1"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        Trace([particles(0.0), particles(1.0)], **arguments)  # type: ignore[arg-type]


def test_no_frames_are_refused() -> None:
    with pytest.raises(RegrainError, match="no frames"):
        Trace([], times=[])


def test_xarray_has_the_arrays_and_the_log() -> None:
    pytest.importorskip("xarray")
    topology = Topology(["A"])
    frames = [
        Particles([[float(k), 0, 0]], box=[4, 5, 6], topology=topology, velocities=[[0, k, 0]])
        for k in range(3)
    ]
    trace = Trace(frames, times=[0, 1, 2], log={"pressure_tensor": np.ones((3, 3, 3))})
    data = trace.to_xarray()
    assert data["positions"].dims == ("time", "particle", "xyz")
    assert data["velocities"].sel(time=2.0).values.tolist() == [[0.0, 2.0, 0.0]]
    assert data["pressure_tensor"].shape == (3, 3, 3)
    assert data["box"].values[0].tolist() == [[4, 0, 0], [0, 5, 0], [0, 0, 6]]
    assert data.attrs["units"] == "reduced"
