"""Differences are judged as their distribution says: uniform p-values, χ² of mean one, Holm."""

import numpy as np
import pytest
from scipy import stats

from regrain.errors import RegrainError
from regrain.observables import Estimate
from regrain.report.statistics import difference, holm, on_grid_of


def function(values, errors, x=None, **more):
    x = np.arange(len(values), dtype=float) if x is None else x
    return Estimate("f", values, errors, coords={"x": x}, **more)


def test_sigmas_of_known_gaussians_are_standard_normal():
    rng = np.random.default_rng(1)
    n = 5000
    fine = function(rng.normal(2.0, 0.3, n), np.full(n, 0.3))
    coarse = function(rng.normal(2.0, 0.4, n), np.full(n, 0.4))
    found = difference(fine, coarse)
    assert stats.kstest(found.sigmas, "norm").pvalue > 0.01
    assert stats.kstest(np.exp(found.log_p), "uniform").pvalue > 0.01
    # The mean of n squared normal numbers has variance 2 / n.
    assert abs(found.chi2 - 1.0) < 4.0 * np.sqrt(2.0 / n)


def test_p_is_uniform_when_the_errors_come_from_blocks():
    rng = np.random.default_rng(2)
    n, blocks = 4000, 20
    samples = rng.normal(size=(2, blocks, n))
    sides = [
        function(s.mean(axis=0), s.std(axis=0, ddof=1) / np.sqrt(blocks), dof=blocks - 1)
        for s in samples
    ]
    p = np.exp(difference(*sides).log_p)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    # Welch's degrees of freedom lie between those of one side and of both together.
    dof = difference(*sides).dof
    assert np.all(dof >= blocks - 1 - 1e-9)
    assert np.all(dof <= 2 * (blocks - 1) + 1e-9)
    # Squares of t with 19 degrees of freedom or more vary by less than those with 19.
    spread = np.sqrt((stats.t.stats(19, moments="k") + 2.0) / n)
    assert abs(difference(*sides).chi2 - 1.0) < 4.0 * spread


def test_equal_errors_have_the_degrees_of_freedom_of_both():
    sides = [Estimate("x", v, 0.5, dof=7) for v in (1.0, 2.0)]
    assert difference(*sides).dof == pytest.approx(14.0)


def test_a_function_is_called_different_at_most_as_often_as_asked():
    rng = np.random.default_rng(3)
    points, trials = 30, 2000
    zero = np.zeros(points)
    for correlated in (False, True):
        shape = (trials, 1) if correlated else (trials, points)
        noise = np.broadcast_to(rng.normal(size=shape), (trials, points))
        p = [difference(function(zero, zero), function(z, zero + 1.0)).p for z in noise]
        rate = np.mean(np.array(p) < 0.05)
        assert rate < 0.05 + 3.0 * np.sqrt(0.05 * 0.95 / trials)
        if not correlated:  # Bonferroni is all but exact for independent points
            assert rate > 0.04


def test_the_far_tail_stays_finite():
    # ln Q(60) from the asymptotic series of Mills' ratio, Abramowitz & Stegun 26.2.12.
    z = 60.0
    series = 1.0 - z**-2 + 3.0 * z**-4 - 15.0 * z**-6
    expected = np.log(2.0) - z**2 / 2.0 - np.log(z * np.sqrt(2.0 * np.pi)) + np.log(series)
    found = difference(Estimate("x", 0.0, 1.0), Estimate("x", z, 0.0))
    assert float(found.log_p) == pytest.approx(expected, abs=1e-9)


def test_holm_is_that_of_the_literature():
    # R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), method = "holm")
    found = holm({"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.04, "e": 0.05})
    assert list(found.values()) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm({}) == {}
    assert holm({"one": 0.7}) == {"one": 0.7}


def test_holm_keeps_the_rate_of_the_family():
    rng = np.random.default_rng(4)
    trials, tests = 3000, 8
    p = rng.random((trials, tests))
    p[:, 0] = 0.0  # one true difference takes nothing from the others' protection
    alarms = [min(holm(dict(enumerate(row)))[k] for k in range(1, tests)) < 0.05 for row in p]
    assert np.mean(alarms) < 0.05 + 3.0 * np.sqrt(0.05 * 0.95 / trials)
    assert np.mean(alarms) > 0.03


def test_zero_errors():
    exact = Estimate("x", 1.0, kind="exact")
    assert difference(exact, exact).p == 1.0
    assert difference(exact, Estimate("x", 2.0, kind="exact")).p == 0.0
    assert difference(exact, Estimate("x", 3.0, 1.0)).sigmas == 2.0
    assert difference(Estimate("x", 1.0), Estimate("x", 3.0, 1.0)) is None


def test_other_grids_are_interpolated_with_an_error_that_bounds():
    x, finer = np.linspace(0.0, 1.0, 11), np.linspace(0.05, 0.85, 17)
    fine = function(2.0 * finer, np.full(17, 0.1), finer, dof=9)
    coarse = function(2.0 * x, np.linspace(0.1, 0.2, 11), x, dof=19)
    one, two = on_grid_of(fine, coarse)
    assert one.value == pytest.approx(two.value)
    assert "interpolated" in two.flags[0]
    # Whatever their correlation c, the error of a weighted mean is at most that of c = 1.
    rng = np.random.default_rng(5)
    for w, a, b, c in rng.random((100, 4)):
        true = np.sqrt((w * a) ** 2 + ((1 - w) * b) ** 2 + 2 * c * w * (1 - w) * a * b)
        assert true <= w * a + (1 - w) * b + 1e-12


def test_only_what_overlaps_is_compared():
    fine = function([1.0, 1.0, 1.0, 1.0], None, np.array([0.0, 1.0, 2.0, 3.0]))
    coarse = function([1.0, 1.0], None, np.array([0.5, 2.5]))
    one, _ = on_grid_of(fine, coarse)
    assert one.coords["x"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("coarse", "message"),
    [
        (Estimate("f", [1.0], coords={"y": [0.0]}), "of x, the coarse one of y"),
        (Estimate("f", 1.0), "the coarse one of nothing"),
        (function([1.0, 1.0], None, np.array([7.0, 8.0])), "nothing overlaps"),
    ],
)
def test_grids_that_cannot_be_compared_are_refused(coarse, message):
    with pytest.raises(RegrainError, match=message):
        on_grid_of(function([1.0, 2.0], None), coarse)


def test_grids_of_two_axes_are_not_interpolated():
    sides = [
        Estimate("S", np.ones((2, 2)), coords={"k": [1.0, 2.0], "w": w})
        for w in ([0.0, 1.0], [0.0, 1.5])
    ]
    with pytest.raises(RegrainError, match="fix them"):
        on_grid_of(*sides)
