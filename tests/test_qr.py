"""Least squares of rows that come in blocks, against NumPy."""

import numpy as np
import pytest

from regrain import RegrainError, _core


def solve(factor: _core.QrFactor) -> np.ndarray:
    """The solution of the columns before the last for the last one."""
    r = factor.r
    return np.linalg.solve(r[:-1, :-1], r[:-1, -1])


def test_the_factor_is_that_of_numpy() -> None:
    rows = np.random.default_rng(1).normal(size=(1000, 36))
    factor = _core.QrFactor(36)
    for part in np.array_split(rows, 7):
        factor.add(part)
    wanted = np.linalg.qr(rows, mode="r")
    signs = np.sign(np.diag(wanted) * np.diag(factor.r))
    np.testing.assert_allclose(signs[:, None] * factor.r, wanted, atol=1e-12)


def test_ill_conditioned_columns_keep_their_digits() -> None:
    """Where the condition of AᵀA is beyond the last digit, normal equations fail and QR does not.

    Powers of x on a short interval far from zero: the condition number is above 1e9. The error of
    Householder's least squares goes as the condition times the unit round-off (Golub and Van Loan,
    Matrix Computations, 4th ed., 5.3.8), that of normal equations as its square.
    """
    x = np.linspace(1.0, 1.2, 5000)
    design = x[:, None] ** np.arange(7)
    condition = np.linalg.cond(design)
    assert condition > 1e9
    truth = np.array([1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 7.0])
    factor = _core.QrFactor(8)
    for part in np.array_split(np.column_stack([design, design @ truth]), 11):
        factor.add(part)
    error = np.abs(solve(factor) - truth).max()
    assert error < 100 * condition * np.finfo(float).eps * np.abs(truth).max()
    numpy_error = np.abs(np.linalg.lstsq(design, design @ truth, rcond=None)[0] - truth).max()
    assert error < 100 * numpy_error
    normal = np.linalg.solve(design.T @ design, design.T @ (design @ truth))
    assert np.abs(normal - truth).max() > 1000 * error


def test_the_residual_is_kept() -> None:
    rng = np.random.default_rng(2)
    design, noise = rng.normal(size=(400, 5)), rng.normal(size=400)
    factor = _core.QrFactor(6)
    factor.add(np.column_stack([design, noise]))
    fitted = design @ np.linalg.lstsq(design, noise, rcond=None)[0]
    assert abs(factor.r[-1, -1]) == pytest.approx(np.linalg.norm(noise - fitted), rel=1e-13)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(RegrainError, match=r"rows must have shape \(n, 3\)"):
        _core.QrFactor(3).add(np.ones((4, 4)))
    with pytest.raises(RegrainError, match="row 1, column 2 is not finite"):
        _core.QrFactor(3).add([[1.0, 2.0, 3.0], [1.0, 2.0, np.inf]])
