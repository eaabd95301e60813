"""Reweighting against Gaussians, whose answers are known."""

import numpy as np
import pytest

import regrain as rg
from regrain.fits.relative_entropy.reweighting import log_ratio, reweight


def correlated(rng: np.random.Generator, n: int, memory: float) -> np.ndarray:
    """A series of standard normal numbers, each with that correlation with the one before."""
    x = rng.normal(size=n)
    for k in range(1, n):
        x[k] = memory * x[k - 1] + np.sqrt(1 - memory**2) * x[k]
    return x


def test_the_share_is_that_of_kish() -> None:
    assert reweight(np.zeros(8)).share == pytest.approx(1.0)
    assert reweight([0.0, *[700.0] * 7]).share == pytest.approx(1 / 8)
    # Weights 1 and 3: (4 n)² / (2 n (1 + 9) n).
    assert reweight([np.log(3.0), 0.0] * 5).share == pytest.approx(16 / 20)
    assert reweight([-2000.0, -2000.0]).log_ratio == pytest.approx(2000.0)  # no overflow


def test_the_mean_of_another_spring_with_errors_that_cover() -> None:
    """x²/2 to x²/2 - 0.6 x: mean 0.6, ln Z ratio 0.18, share exp(-0.36)."""
    rng, within = np.random.default_rng(4), 0
    for _ in range(200):
        x = correlated(rng, 1000, 0.7)
        other = reweight(-0.6 * x)
        within += abs(other.mean(x) - 0.6) < 1.96 * other.error(x)
    assert 0.90 <= within / 200 <= 0.98
    x = rng.normal(size=100_000)
    other = reweight(-0.6 * x)
    assert other.share == pytest.approx(np.exp(-0.36), abs=0.02)
    assert other.log_ratio == pytest.approx(0.18, abs=0.01)


def test_far_away_the_share_falls_and_the_mean_is_wrong() -> None:
    x = np.random.default_rng(5).normal(size=1000)
    other = reweight(-6.0 * x)  # the mean is 6, where no sample is
    assert other.share < 0.01
    assert other.mean(x) < 4.5


def test_frames_that_have_weights_already() -> None:
    change = np.array([0.3, -0.2, 0.3])
    twice, weighed = reweight(change), reweight(change[:2], weights=[2.0, 1.0])
    assert weighed.log_ratio == pytest.approx(twice.log_ratio)
    assert weighed.mean([5.0, 7.0]) == pytest.approx(twice.mean([5.0, 7.0, 5.0]))


def test_free_energy_differences_have_errors_that_cover() -> None:
    """Springs of 1 and 4: ln Z ratio -ln 2 (Bennett 1976), with unequal numbers of samples."""
    rng, found = np.random.default_rng(6), []
    for _ in range(200):
        x, y = correlated(rng, 600, 0.5), 0.5 * correlated(rng, 300, 0.5)
        value, error = log_ratio(1.5 * x**2, 1.5 * y**2)
        found.append((value + np.log(2.0)) / error)
    assert abs(np.mean(found)) < 4 / np.sqrt(200)
    assert 0.90 <= np.mean(np.abs(found) < 1.96) <= 0.98


def test_nothing_that_is_not_finite_comes_in() -> None:
    with pytest.raises(rg.RegrainError, match="energy of frame 1 is nan"):
        reweight([0.0, np.nan])
    with pytest.raises(rg.RegrainError, match="shape \\(2, 2\\); give one per frame"):
        reweight(np.zeros((2, 2)))
    with pytest.raises(rg.RegrainError, match="finite changes of energy from both"):
        log_ratio([0.0], [np.inf])
