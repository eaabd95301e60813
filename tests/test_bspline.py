"""The B-splines of the core against those of SciPy."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from regrain import RegrainError, _core

KNOTS = np.array([-1.0, -0.7, -0.1, 0.0, 0.0, 0.2, 0.9, 0.9, 1.3, 2.0, 2.5, 3.0, 3.5, 3.6, 4.0])


def dense(basis: _core.BSplineBasis, x: np.ndarray, order: int = 0) -> np.ndarray:
    first, values = basis.evaluate(x, order=order)
    matrix = np.zeros((len(x), len(basis)))
    columns = first[:, None] + np.arange(basis.degree + 1)
    np.put_along_axis(matrix, columns, values, axis=1)
    return matrix


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_values_and_derivatives_are_those_of_scipy(degree: int, order: int) -> None:
    knots = np.unique(KNOTS) if degree == 0 else KNOTS  # steps cannot have repeated knots
    basis = _core.BSplineBasis(knots, degree=degree)
    low, high = knots[degree], knots[-degree - 1]
    x = np.random.default_rng(1).uniform(low, high, 500)
    got = dense(basis, x, order)
    for j in range(len(basis)):
        wanted = BSpline(knots, np.eye(len(basis))[j], degree)(x, nu=order)
        scale = max(1.0, float(np.max(np.abs(wanted))))
        np.testing.assert_allclose(got[:, j], wanted, atol=1e-11 * scale)


def test_clamped_uniform_knots_are_those_of_scipy() -> None:
    basis = _core.BSplineBasis.uniform(0.2, 0.9, intervals=7, degree=3)
    x = np.linspace(0.2, 0.9, 101)
    wanted = BSpline.design_matrix(x, basis.knots, 3).toarray()
    np.testing.assert_allclose(dense(basis, x), wanted, atol=1e-14)


def test_a_spline_goes_on_with_its_end_polynomials() -> None:
    basis = _core.BSplineBasis.uniform(0.0, 1.0, intervals=4, degree=3)
    greville = np.array([basis.knots[j + 1 : j + 4].mean() for j in range(len(basis))])
    x = np.array([-0.5, 0.3, 1.7])
    np.testing.assert_allclose(dense(basis, x) @ greville, x, atol=1e-13)


def test_knots_that_decrease_are_refused() -> None:
    with pytest.raises(RegrainError, match="must not decrease"):
        _core.BSplineBasis([0.0, 1.0, 0.5, 2.0], degree=1)
