"""Frames of spins in one array, and traces of them."""

import numpy as np
import pytest

import regrain as rg
from regrain.lattice import XY, Ising, Potts, SpinFrames, Spins


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (5,), (3, 3, 3)])
@pytest.mark.parametrize("replicas", [None, 3])
def test_bits_give_the_spins_back(shape, replicas) -> None:
    model = Ising(shape, couplings={"field": 1.0})
    states = [model.start(replicas=replicas, seed=k) for k in range(5)]
    values = np.stack([s.values for s in states])
    frames = SpinFrames(values, states[0])
    assert frames.bits is not None
    assert frames.bits.shape == (5, -(-states[0].values.size // 8))
    np.testing.assert_array_equal(frames.stacked("values"), values)
    for frame, state in zip(frames, states, strict=True):
        np.testing.assert_array_equal(frame.values, state.values)
        assert frame.geometry == state.geometry
    again = SpinFrames.of_bits(frames.bits, states[0])
    np.testing.assert_array_equal(again.stacked("values"), values)
    flat = values.reshape(5, -1)
    assert (frames.bits[2, 0] >> 3) & 1 == (flat[2, 3] > 0)


def test_a_trace_reads_frames_at_once_also_when_it_is_sliced() -> None:
    model = Potts((4, 4), q=3, couplings={"nn": 1.0})
    states = [model.start(seed=k) for k in range(6)]
    values = np.stack([s.values for s in states])
    for frames in (SpinFrames(values, states[0]), states):
        trace = rg.Trace(frames, times=range(6))
        np.testing.assert_array_equal(trace.stacked("values"), values)
        np.testing.assert_array_equal(trace[1::2].stacked("values"), values[1::2])
        np.testing.assert_array_equal(trace[1::2][[0, 2]].stacked("values"), values[[1, 5]])
        np.testing.assert_array_equal(trace[3].values, values[3])
        assert repr(trace) == "Trace(6 frames of lattice, times 0 to 5)"
    with pytest.raises(rg.RegrainError, match="no array 'positions', only values"):
        trace.stacked("positions")


def test_to_xarray_has_an_axis_of_replicas() -> None:
    pytest.importorskip("xarray")
    model = Ising((4, 6), couplings={"nn": 0.1})
    state = model.start(replicas=2)
    data = rg.Trace([state, state], times=[1, 2]).to_xarray()
    assert dict(data.sizes) == {"time": 2, "replica": 2, "axis_0": 4, "axis_1": 6}


def test_frames_of_another_shape() -> None:
    with pytest.raises(rg.RegrainError, match="frames have shape"):
        SpinFrames(np.ones((3, 4, 4), np.int8), Spins(np.ones((5, 5), np.int8)))
    with pytest.raises(rg.RegrainError, match="no array 'x'"):
        SpinFrames(np.ones((3, 4), np.int8), Spins(np.ones(4, np.int8))).stacked("x")


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize(
    "model",
    [
        Ising((5, 7), couplings={"nn": 0.3}, lattice="triangular", periodic=(True, False)),
        Potts((6,), q=3, couplings={"nn": 0.3}),
        XY((4, 4), couplings={"nn": 0.3}),
    ],
    ids=repr,
)
def test_files_give_traces_back(model, replicas, tmp_path) -> None:
    run = model.run(sweeps=12, every=2, replicas=replicas, method="metropolis", seed=1)
    weights = np.arange(1.0, 7.0)
    trace = rg.Trace(
        run.frames,
        times=run.times,
        weights=weights,
        log={"energy": model.energy(run)},
        provenance=run.provenance,
    )
    again = rg.load(rg.save(trace, tmp_path / "spins.npz"))
    np.testing.assert_array_equal(again.stacked("values"), trace.stacked("values"))
    np.testing.assert_array_equal(again.times, trace.times)
    np.testing.assert_array_equal(again.weights, weights)
    np.testing.assert_array_equal(again.log["energy"], trace.log["energy"])
    assert again.provenance == trace.provenance
    assert again[0].geometry == model.geometry
    assert again[0].n_replicas == replicas
    some = rg.load(tmp_path / "spins.npz", frames=slice(0, None, 2))
    np.testing.assert_array_equal(some.stacked("values"), trace.stacked("values")[::2])
    one = rg.load(rg.save(trace[0], tmp_path / "one.npz"))
    np.testing.assert_array_equal(one[0].values, trace[0].values)


def test_files_that_hold_no_spins(tmp_path) -> None:
    model = Ising((4, 4), couplings={"nn": 0.3})
    trace = model.run(sweeps=2, checkpoint=tmp_path / "run.npz")
    with pytest.raises(rg.RegrainError, match="holds no trace of spins"):
        rg.load(tmp_path / "run.npz")
    with pytest.raises(rg.RegrainError, match=r"kept in \.npz files"):
        rg.save(trace, tmp_path / "spins.xyz")
