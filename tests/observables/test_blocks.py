"""Error bars cover: the true mean lies in the 95 % interval in 90 to 98 % of 300 repeats."""

import numpy as np
import pytest
from scipy import signal, stats

from regrain import _core
from regrain.errors import RegrainError
from regrain.observables.blocks import mean_with_error

REPEATS = 300


def autoregressive(tau: float, n: int, repeats: int, seed: int) -> np.ndarray:
    """Stationary AR(1) of unit variance and integrated autocorrelation time tau (iid: 1/2)."""
    phi = (2 * tau - 1) / (2 * tau + 1)
    noise = np.random.default_rng(seed).normal(size=(repeats, n))
    noise[:, 1:] *= np.sqrt(1 - phi**2)
    return signal.lfilter([1.0], [1.0, -phi], noise, axis=1)


def covered(found, truth) -> np.ndarray:
    return np.abs(found.value - truth) <= stats.t.ppf(0.975, found.dof) * found.error


@pytest.mark.parametrize(
    ("tau", "n"), [(0.5, 100), (1, 100), (2, 100), (5, 100), (0.5, 5000), (5, 5000), (50, 5000)]
)
def test_mean_of_autoregressive_process(tau: float, n: int) -> None:
    series = autoregressive(tau, n, REPEATS, seed=int(10 * tau) + n + 1)
    rate = np.mean([covered(mean_with_error(x), 0.0) for x in series])
    assert 0.90 <= rate <= 0.98


def test_vector_whose_components_have_different_memories() -> None:
    taus = (0.5, 2.0, 8.0)
    parts = [autoregressive(tau, 2000, REPEATS, seed=9 + k) for k, tau in enumerate(taus)]
    rows = np.stack(parts, axis=-1)
    rates = np.mean([covered(mean_with_error(x), 0.0) for x in rows], axis=0)
    assert np.all((rates >= 0.90) & (rates <= 0.98))


@pytest.mark.parametrize("n", [100, 5000])
def test_function_of_means(n: int) -> None:
    # The variance of an AR(1) with tau = 2, from the means of x and x^2.
    series = autoregressive(2.0, n, REPEATS, seed=3 + n)

    def variance(m):
        return m[..., 1:] - m[..., :1] ** 2

    found = [mean_with_error(np.stack([x, x**2], axis=1), reduce=variance) for x in series]
    rate = np.mean([covered(f, 1.0) for f in found])
    assert 0.88 <= rate <= 0.98  # at n = 100 the estimator itself is biased by -4 %


def test_weighted_means_cover() -> None:
    rng = np.random.default_rng(5)
    hits = []
    for x in autoregressive(2.0, 1000, REPEATS, seed=6):
        w = rng.exponential(size=len(x))
        hits.append(covered(mean_with_error(x + 3.0, weights=w), 3.0))
    assert 0.90 <= np.mean(hits) <= 0.98


def test_effective_samples_are_those_of_the_correlation_time() -> None:
    found = [mean_with_error(x).n_eff for x in autoregressive(5.0, 5000, 40, seed=8)]
    assert np.mean(found) == pytest.approx(5000 / 10, rel=0.1)


def test_few_effective_samples_are_flagged() -> None:
    slow, fast = autoregressive(20.0, 500, 1, seed=1)[0], autoregressive(0.5, 500, 1, seed=1)[0]
    assert "few effective samples" in mean_with_error(slow).flags[0]
    assert mean_with_error(fast).flags == ()


def test_one_sample_has_no_error() -> None:
    found = mean_with_error([[1.0, 2.0]])
    assert found.error is None
    assert found.value.tolist() == [1.0, 2.0]
    assert "one frame" in found.flags[0]


def test_linear_reduce_is_the_plain_error() -> None:
    x = autoregressive(3.0, 400, 1, seed=2)[0]
    plain, reduced = mean_with_error(x), mean_with_error(x, reduce=lambda m: 2.0 * m)
    np.testing.assert_allclose(reduced.error, 2.0 * plain.error, rtol=1e-9)
    np.testing.assert_allclose(reduced.n_eff, plain.n_eff, rtol=1e-9)


def test_same_error_at_any_number_of_threads() -> None:
    rows = np.random.default_rng(1).normal(size=(500, 40))
    results = []
    before = _core.threads()
    for threads in (1, 2, 3):
        _core.set_threads(threads)
        results.append(np.concatenate(_core.mean_errors(rows, np.ones(500))).tobytes())
    _core.set_threads(before)
    assert len(set(results)) == 1


@pytest.mark.parametrize("samples", [[], [1.0, np.nan], [np.inf]])
def test_bad_samples(samples: list[float]) -> None:
    with pytest.raises(RegrainError):
        mean_with_error(samples)


def test_bad_weights() -> None:
    with pytest.raises(RegrainError, match="weights"):
        mean_with_error([1.0, 2.0], weights=[1.0])
    with pytest.raises(RegrainError, match="weight"):
        mean_with_error([1.0, 2.0], weights=[1.0, -1.0])
