"""Differences of relative entropy against their closed forms."""

import numpy as np
import pytest

from regrain.errors import RegrainError
from regrain.report.overlap import regret


def test_laws_without_overlap_give_bounds_that_hold():
    # One-dimensional Gaussians, many of them: nothing overlaps, and the exact value is known.
    rng = np.random.default_rng(1)
    n, s = 400, 1.5
    exact = 0.5 * n * (1 / s**2 - 1 + 2 * np.log(s))  # KL(N(0,1) || N(0,s²)), n times
    fine, own, reference = (
        np.sum(rng.normal(0, width, (300, n)) ** 2, axis=1) for width in (1.0, s, 1.0)
    )
    change = 0.5 / s**2 - 0.5
    found = regret(*(change * x for x in (fine, own, reference)))
    assert found.overlap < 1e-3
    low, high = found.bounds
    assert low < exact < high
    # The cubic is much nearer than the bounds, and its error says how near.
    assert found.error < 0.3 * (high - low)
    assert abs(found.value - exact) < 2.0 * found.error
    assert "Gibbs" in found.per(n).flags[0]


def test_the_estimate_of_a_difference_covers():
    rng, misses, sizes = np.random.default_rng(2), 0, (120, 80, 200)
    for _ in range(200):
        centres = (0.3, 0.0, 1.0)  # P, Q, R of unit width: KL(P||Q) - KL(P||R) = (0.09 - 0.49) / 2
        x = (rng.normal(c, 1.0, n) for c, n in zip(centres, sizes, strict=True))
        found = regret(*(a - 0.5 for a in x))
        assert found.bounds is None
        misses += abs(found.value + 0.2) > 1.96 * found.error
    assert 2 <= misses <= 20  # 5 % of 200, three sigmas either way


def test_one_frame_is_not_enough():
    with pytest.raises(RegrainError, match="two frames of each trace"):
        regret([1.0], [1.0, 2.0], [1.0, 2.0])
