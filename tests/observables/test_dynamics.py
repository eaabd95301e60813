"""MSD, diffusion and velocity autocorrelation of processes with known answers."""

import numpy as np
import pytest
from scipy import signal

from regrain import Trace
from regrain.errors import RegrainError
from regrain.observables import MSD, Diffusion, VelocityAutocorrelation
from regrain.particles import Particles, Topology

BOX = np.array([[6.0, 0, 0], [1.7, 5.5, 0], [-2.1, 0.9, 5.8]])
TWICE = np.diag([9.0, 9.0, 9.0])


def brownian(n: int, frames: int, step: float, seed: int, box: np.ndarray = BOX, **fields):
    """Free diffusion with variance step^2 per axis and frame, wrapped into the box."""
    rng = np.random.default_rng(seed)
    r = rng.random((1, n, 3)) @ box + np.cumsum(step * rng.normal(size=(frames, n, 3)), axis=0)
    wrapped = (r @ np.linalg.inv(box) % 1.0) @ box
    fields.setdefault("topology", Topology(["A"] * n))
    return Trace([Particles(x, box=box, **fields) for x in wrapped], times=0.5 * np.arange(frames))


@pytest.mark.parametrize("n", [3, 300])
def test_brownian_msd_is_linear(n: int) -> None:
    msd = MSD(max_lag=10.0)(brownian(n, 400, 0.1, seed=n))
    expected = 3 * 0.1**2 * msd.coords["t"] / 0.5
    low, high = msd.interval(0.9999)
    assert msd.coords["t"].tolist() == [0.5 * k for k in range(1, 21)]
    assert np.all((low < expected) & (expected < high))
    np.testing.assert_allclose(msd.value, expected, rtol=0.6 if n == 3 else 0.1)


def test_brownian_diffusion_covers() -> None:
    # D = step^2 / (2 dt) = 0.01; particles as samples, and time origins as samples.
    for n, frames in ((64, 40), (2, 600)):
        hits = []
        for seed in range(80):
            low, high = Diffusion(fit=(0.5, 5.0))(brownian(n, frames, 0.1, seed)).interval()
            hits.append(low <= 0.01 <= high)
        assert 0.86 <= np.mean(hits) <= 1.0, (n, np.mean(hits))  # 80 repeats: +-2.5 % each


def test_diffusion_says_what_it_does_not_correct() -> None:
    d = Diffusion()(brownian(50, 60, 0.1, seed=1))
    assert any("Yeh-Hummer" in flag for flag in d.flags)
    assert not any("not diffusive" in flag for flag in d.flags)


def test_confined_motion_is_flagged() -> None:
    # Ornstein-Uhlenbeck positions: the MSD saturates at 2 * 3 * variance.
    rng, phi, var = np.random.default_rng(3), 0.9, 0.04
    noise = rng.normal(size=(200, 100, 3)) * np.sqrt(var)
    noise[1:] *= np.sqrt(1 - phi**2)
    r = signal.lfilter([1.0], [1.0, -phi], noise, axis=0) + 4.5
    trace = Trace([Particles(x, box=TWICE) for x in r], times=np.arange(200.0))
    msd = MSD(max_lag=60.0)(trace)
    expected = 6 * var * (1 - phi ** msd.coords["t"])
    assert np.all(np.abs(msd.value - expected) < 4.5 * msd.error)
    d = Diffusion(fit=(1.0, 40.0))(trace)
    assert any("not diffusive" in flag for flag in d.flags)


@pytest.mark.parametrize("n", [4, 200])
def test_velocity_autocorrelation_of_ornstein_uhlenbeck(n: int) -> None:
    rng, phi, var = np.random.default_rng(n), 0.8, 2.0
    noise = rng.normal(size=(2000, n, 3)) * np.sqrt(var)
    noise[1:] *= np.sqrt(1 - phi**2)
    v = signal.lfilter([1.0], [1.0, -phi], noise, axis=0)
    zeros = np.zeros((n, 3))
    trace = Trace(
        [Particles(zeros, box=TWICE, velocities=x) for x in v], times=0.1 * np.arange(2000)
    )
    c = VelocityAutocorrelation(max_lag=2.0)(trace)
    expected = 3 * var * phi ** np.arange(21)
    assert np.all(np.abs(c.value - expected) < 5 * c.error)
    direct = [np.mean(np.sum(v[: 2000 - k] * v[k:], axis=2)) for k in range(21)]
    np.testing.assert_allclose(c.value, direct, rtol=1e-9, atol=1e-9)


def test_molecules_are_the_independent_units() -> None:
    # Ten copies of each walker bound to it carry no further information.
    walk = brownian(40, 60, 0.1, seed=5)
    copies = np.repeat(np.arange(40), 10)
    bonds = [(i, i + 1) for i in range(399) if (i + 1) % 10]
    topology = Topology(["A"] * 400, bonds=bonds)
    many = Trace(
        [Particles(s.positions[copies], box=BOX, topology=topology) for s in walk],
        times=walk.times,
    )
    one, ten = MSD()(walk), MSD()(many)
    np.testing.assert_allclose(ten.value, one.value, rtol=1e-9)
    np.testing.assert_allclose(ten.error, one.error, rtol=1e-9)


def test_images_unwrap_long_steps() -> None:
    flight = np.arange(6.0)[:, None, None] * np.array([[[4.0, 0, 0]]])
    states = [
        Particles(x % 5.0, box=[5.0] * 3, images=np.floor(x / 5.0).astype(int)) for x in flight
    ]
    msd = MSD()(Trace(states, times=np.arange(6.0)))
    np.testing.assert_allclose(msd.value, (4.0 * msd.coords["t"]) ** 2)


def test_a_breathing_box_adds_no_motion() -> None:
    # A particle at rest in Cartesian space, many images away, while the box changes.
    states = [
        Particles([[1.0, 1, 1]], box=[edge] * 3, images=[[50, 0, 0]]) for edge in (5.0, 5.1, 4.9, 5)
    ]
    msd = MSD(max_lag=1.0)(Trace(states, times=np.arange(4.0)))
    assert msd.value[0] == pytest.approx(0.0, abs=1e-12)


def test_too_long_steps_are_refused_and_long_ones_flagged() -> None:
    def jump(size: float) -> Trace[Particles]:
        states = [Particles([[size * k % 5.0, 0, 0]], box=[5.0] * 3) for k in range(4)]
        return Trace(states, times=np.arange(4.0))

    with pytest.raises(RegrainError, match=r"frame 1: a particle moves .* cannot be known"):
        MSD()(jump(2.4))
    assert "unwrapping may be wrong" in MSD()(jump(1.5)).flags[0]
    assert not any("unwrapping" in flag for flag in MSD()(jump(0.5)).flags)


def test_refusals() -> None:
    walk = brownian(5, 10, 0.1, seed=1)
    uneven = Trace(list(walk), times=np.arange(10.0) ** 2)
    weighted = Trace(list(walk), times=walk.times, weights=np.ones(10))
    cases = [
        (MSD(), uneven, "not equally spaced"),
        (MSD(), walk[:1], "not equally spaced"),
        (MSD(), weighted, "weights"),
        (MSD(max_lag=100.0), walk, "max_lag"),
        (MSD(types=["X"]), walk, "types"),
        (Diffusion(fit=(1.0, 1.0)), walk, "fit range"),
        (Diffusion(), walk[:2], "fit range"),
        (VelocityAutocorrelation(), walk, "needs velocities"),
    ]
    for observable, trace, message in cases:
        with pytest.raises(RegrainError, match=message):
            observable(trace)
