"""Metropolis and heat bath against enumeration of all configurations of small lattices."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from scipy.special import iv

import regrain as rg
from regrain.lattice import XY, BlumeCapel, Clock, Coupling, Ising, LatticeModel, Potts
from tests.lattice.enumeration import deviations, exact, same_bits

METHODS = ("metropolis", "heat bath")
ALL = {"nn": 0.25, "nnn": -0.1, "three": 0.07, "plaquette": 0.1, "field": 0.1}
MODELS = [
    Ising((4, 4), couplings=ALL),
    Ising((4, 4), couplings=ALL, periodic=False),
    Ising((5, 3), couplings={"nn": -0.3, "third": 0.2}, periodic=(True, False)),
    Ising((5, 3), couplings={"nn": 0.3, "plaquette": 0.2}, periodic=(False, True)),
    Ising((3, 4), couplings={"nn": 0.2, "three": 0.1}, lattice="triangular"),
    Ising((2, 2, 3), couplings={"nn": 0.3, "cube": 0.2}, periodic=(False, False, True)),
    Ising((2, 2, 2, 2), couplings={"nn": 0.2, "field": 0.1}, periodic=False),
    Ising((13,), couplings={"nn": 0.5, "nnn": 0.2, "three": 0.1}),
    Ising((1,), couplings={"field": 0.4}),
    Ising((4, 4), couplings={Coupling([(0, 0), (0, 1)], symmetric=False): 0.6, "field": 0.1}),
    BlumeCapel((3, 3), couplings={"nn": 0.5, "crystal": -0.6, "biquadratic": 0.2, "field": 0.1}),
    BlumeCapel((2, 4), couplings={"nn": 0.6, "plaquette": 0.3}, periodic=False),
    Potts((3, 3), q=3, couplings={"nn": 0.6, "field": 0.2, "plaquette": 0.3}),
    Potts((2, 4), q=4, couplings={"nn": -0.6, "three": 0.2}, periodic=False),
    Clock((3, 3), q=4, couplings={"nn": 0.5, "field": 0.2}),
    Clock((2, 3), q=5, couplings={"nn": 0.6, "nnn": -0.3}, periodic=False),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_averages_are_those_over_all_configurations(model: LatticeModel, method: str) -> None:
    expected = exact(model)
    run = {"sweeps": 600, "every": 2, "burn_in": 50, "replicas": 128, "method": method}
    # Some three hundred numbers in all: one in 10^5 is beyond 4.5 sigma.
    assert np.abs(deviations(model, expected, **run, seed=3)).max() < 4.5
    # The same numbers must notice a law that is off by a few percent.
    wrong = model.with_strengths(1.3 * model.strengths)
    assert np.abs(deviations(wrong, expected, **run, seed=4)).max() > 8


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("coupling", [0.5, 2.0])
def test_rings_of_angles(coupling: float, method: str) -> None:
    # Transfer matrix of a ring of n XY spins: eigenvalues are modified Bessel functions I_m(K), so
    # <cos> of a bond = sum_m I_m^(n-1) I_m' / sum_m I_m^n.
    n, m = 6, np.arange(-60, 61)
    slope = (iv(m - 1, coupling) + iv(m + 1, coupling)) / 2
    expected = np.sum(iv(m, coupling) ** (n - 1) * slope) / np.sum(iv(m, coupling) ** n)
    model = XY((n,), couplings={"nn": coupling})
    trace = model.run(sweeps=1000, every=2, burn_in=100, replicas=128, seed=1, method=method)
    means = model.sums(trace).mean(axis=0)[:, 0] / n
    error = means.std(ddof=1) / np.sqrt(len(means))
    assert error < 0.005
    assert abs(means.mean() - expected) < 4 * error


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("field", [0.01, 1.0, 30.0])
def test_angles_in_a_field(field: float, method: str) -> None:
    model = XY((40,), couplings={"field": field})
    trace = model.run(sweeps=600, every=2, burn_in=100, replicas=32, seed=1, method=method)
    values = trace.stacked("values")
    assert np.abs(values).max() <= np.pi
    for power in (1, 2):
        means = np.cos(power * values).mean(axis=(0, 2))
        error = means.std(ddof=1) / np.sqrt(len(means))
        assert abs(means.mean() - iv(power, field) / iv(0, field)) < 4 * error
    sines = np.sin(values).mean(axis=(0, 2))
    assert abs(sines.mean()) < 4 * sines.std(ddof=1) / np.sqrt(len(sines))


def test_angles_on_a_torus_are_those_of_a_clock_of_many_hours() -> None:
    # A clock of 64 angles differs from XY at this coupling by less than I_64(K), nothing.
    couplings = {"nn": 0.8, "field": 0.1}
    pair = (XY((4, 4), couplings=couplings), Clock((4, 4), q=64, couplings=couplings))
    means, errors = [], []
    for model in pair:
        trace = model.run(
            sweeps=600, every=2, burn_in=100, replicas=128, seed=2, method="heat bath"
        )
        found = model.sums(trace).mean(axis=0)
        means.append(found.mean(axis=0))
        errors.append(found.std(axis=0, ddof=1) / np.sqrt(len(found)))
    assert np.all(np.abs(means[0] - means[1]) < 4 * np.hypot(*errors))


def test_a_table_that_would_be_too_large_is_not_needed() -> None:
    # Eight couplings of up to 13 sums each; with most of them zero the model is that without them.
    names = ("nn", "nnn", "third", "fourth", "fifth", "three", "plaquette", "field")
    many = dict.fromkeys(names, 0.0) | {"nn": 0.2, "third": -0.1}
    few = Ising((12, 12), couplings={"nn": 0.2, "third": -0.1})
    found = []
    for model in (Ising((12, 12), couplings=many), few):
        trace = model.run(sweeps=200, every=2, burn_in=50, replicas=64, seed=5, method="metropolis")
        sums = few.sums(trace).mean(axis=0)
        found.append((sums.mean(axis=0), sums.std(axis=0) / 8))
    (a, da), (b, db) = found
    assert np.all(np.abs(a - b) < 4 * np.hypot(da, db))


def test_strong_couplings_freeze_and_none_leave_free() -> None:
    cold = Ising((8, 8), couplings={"nn": 1000.0})
    assert np.all(cold.run("up", sweeps=10, seed=1, method="metropolis")[-1].values == 1)
    hot = Ising((64, 64), couplings={})
    means = hot.run(sweeps=200, seed=1, method="heat bath").stacked("values").mean(axis=(1, 2))
    assert abs(means.mean()) < 4 * means.std() / np.sqrt(len(means))
    assert means.std() == pytest.approx(1 / 64, rel=0.2)


RUNS = [
    (Ising((40, 70), couplings=ALL), "metropolis"),
    (Ising((40, 70), couplings=ALL), "heat bath"),
    (BlumeCapel((40, 70), couplings={"nn": 0.5, "crystal": -0.5}), "metropolis"),
    (Potts((40, 70), q=5, couplings={"nn": 1.0}), "metropolis"),
    (Potts((40, 70), q=5, couplings={"nn": 1.0}), "heat bath"),
    (Clock((40, 70), q=5, couplings={"nn": 1.0}), "heat bath"),
    (XY((40, 70), couplings={"nn": 1.0}), "metropolis"),
    (XY((40, 70), couplings={"nn": 1.0}), "heat bath"),
]


@pytest.mark.parametrize(("model", "method"), RUNS)
@pytest.mark.parametrize("replicas", [1, 3])
def test_threads_and_interruptions_change_no_bit(model, method, replicas, tmp_path) -> None:
    model = model.replace(shape=(400, 70)) if replicas == 1 else model
    settings = {"every": 2, "burn_in": 1, "method": method, "replicas": replicas, "seed": 2}
    values = same_bits(model, tmp_path / "run.npz", **settings)
    other = model.run(sweeps=8, **settings | {"seed": 3})
    assert not np.array_equal(other.stacked("values"), values)
    if replicas > 1:
        assert not np.array_equal(values[-1, 0], values[-1, 1])


def test_wrong_settings_say_so(tmp_path) -> None:
    model = Ising((8, 8), couplings={"nn": 0.4})
    good = model.start()
    for change, message in [
        ({"sweeps": 0}, "sweeps: got 0"),
        ({"sweeps": 2.5}, "sweeps: got 2.5"),
        ({"every": 0}, "every: got 0"),
        ({"every": 11}, "no frame would be kept"),
        ({"burn_in": -1}, "burn_in: got -1"),
        ({"seed": -1}, "seed: got -1"),
        ({"method": "metro"}, "did you mean .metropolis"),
        ({"replicas": 0}, "replicas: got 0"),
        ({"state": "cold"}, "expected one of random, up"),
        ({"state": np.zeros((8, 8))}, "expected -1 or 1"),
        ({"state": np.ones((4, 4))}, r"expected \(8, 8\)"),
        ({"state": model.start(replicas=3), "replicas": 2}, "the state has 3 replicas"),
        ({"checkpoint": tmp_path / "none" / "run.npz"}, "no directory"),
    ]:
        with pytest.raises(rg.RegrainError, match=message):
            model.run(**{"state": good, "sweeps": 10} | change)
    path = tmp_path / "run.npz"
    model.run(good, sweeps=4, checkpoint=path)
    with pytest.raises(rg.RegrainError, match="another run, with another seed"):
        model.run(good, sweeps=4, checkpoint=path, seed=1)
    with pytest.raises(rg.RegrainError, match="another run, with another model"):
        model.with_strengths([0.3]).run(good, sweeps=4, checkpoint=path)


def test_a_run_starts_where_it_is_told_to() -> None:
    frozen = Ising((8, 8), couplings={"nn": 1000.0})
    assert np.all(frozen.run("up", sweeps=1, method="metropolis")[0].values == 1)
    one = Ising((8, 8), couplings={"nn": 0.4}).start(seed=3)
    three = frozen.with_strengths([0.4]).run(one, sweeps=1, replicas=3, seed=1)
    assert three[0].n_replicas == 3
    again = frozen.with_strengths([0.4]).run(one, sweeps=1, seed=1)
    np.testing.assert_array_equal(again[0].values, three[0].values[0])


def test_an_interrupt_leaves_a_checkpoint_that_goes_on(tmp_path, monkeypatch) -> None:
    from regrain.lattice import run as running

    model = Ising((16, 16), couplings={"nn": 0.4})
    whole = model.run(sweeps=30, every=3, seed=1).stacked("values")
    path = tmp_path / "run.npz"
    frame = running._Run._frame
    taken = []

    def interrupted(self):
        taken.append(1)
        if len(taken) == 4:
            raise KeyboardInterrupt
        return frame(self)

    monkeypatch.setattr(running._Run, "_frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.run(sweeps=30, every=3, seed=1, checkpoint=path)
    monkeypatch.undo()
    resumed = model.run(sweeps=30, every=3, seed=1, checkpoint=path)
    assert resumed.provenance["continued"] == 1
    np.testing.assert_array_equal(resumed.stacked("values"), whole)


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path) -> None:
    path = tmp_path / "run.npz"
    script = f"""
import os, signal
from regrain import slices
from regrain.lattice import Ising, run
slices._CHECKPOINT_SECONDS = 0.0
frame, taken = run._Run._frame, []
def killed(self):
    taken.append(1)
    if len(taken) == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return frame(self)
run._Run._frame = killed
Ising((16, 16), couplings={{"nn": 0.4}}).run(sweeps=30, every=3, seed=1, checkpoint={str(path)!r})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert path.exists()
    model = Ising((16, 16), couplings={"nn": 0.4})
    resumed = model.run(sweeps=30, every=3, seed=1, checkpoint=path)
    assert resumed.provenance["continued"] == 1
    whole = model.run(sweeps=30, every=3, seed=1)
    np.testing.assert_array_equal(resumed.stacked("values"), whole.stacked("values"))
