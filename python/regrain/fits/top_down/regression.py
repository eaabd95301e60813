"""Noisy functions near a point: weighted quadratics whose curvature is known roughly beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["Quadratic", "fit_quadratic"]

Floats = NDArray[np.float64]

#: Scatter that reported errors explain less often than this is believed more than them.
RARE = 0.01
#: Degrees of freedom without which scatter cannot be told.
LEAST = 0.9


@dataclass(frozen=True, eq=False)
class Quadratic:
    """c + g·z + Σ q_i z_i², fitted to noisy values.

    Attributes
    ----------
    coefficients : ndarray, shape (1 + 2 d,)
    covariance : ndarray, shape (1 + 2 d, 1 + 2 d)
    scatter : float
        Standard deviation of a typical value, as given or else as found.
    dof : float
        Degrees of freedom of the errors; infinite where the errors were given.
    surprise : float
        Probability of residuals as large as these, 1 where nothing tells.
    excess : float
        How many times larger than the given errors they are.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.top_down.regression import fit_quadratic
    >>> z = np.array([[-1.0], [0.0], [1.0]])
    >>> line = fit_quadratic(z, np.array([1.0, 2.0, 3.0]), np.full(3, 0.1), np.array([0.0]))
    >>> f"{line.gradient(np.zeros(1))[0]:.4f} {line.error(np.zeros(1)):.4f}"
    '1.0000 0.0577'
    """

    coefficients: Floats
    covariance: Floats
    scatter: float
    dof: float
    surprise: float
    excess: float = 1.0

    @property
    def dimensions(self) -> int:
        """Of z."""
        return (len(self.coefficients) - 1) // 2

    def row(self, z: Floats) -> Floats:
        """What the coefficients are multiplied with at z."""
        return np.concatenate([[1.0], z, z * z])

    def __call__(self, z: Floats) -> float:
        return float(self.row(z) @ self.coefficients)

    def error(self, z: Floats) -> float:
        """Standard error of the value at z."""
        row = self.row(z)
        if not np.all(np.isfinite(self.covariance)):
            return float("inf")
        return float(np.sqrt(max(float(row @ self.covariance @ row), 0.0)))

    def gradient(self, z: Floats) -> Floats:
        """Slopes at z."""
        d = self.dimensions
        return self.coefficients[1 : 1 + d] + 2.0 * self.coefficients[1 + d :] * z

    def gradient_error(self, z: Floats) -> Floats:
        """Standard errors of the slopes at z."""
        d = self.dimensions
        if not np.all(np.isfinite(self.covariance)):
            return np.full(d, np.inf)
        line, both = self.covariance[1 : 1 + d, 1 : 1 + d], self.covariance[1 : 1 + d, 1 + d :]
        bend = self.covariance[1 + d :, 1 + d :]
        variance = np.diag(line) + 4.0 * z * np.diag(both) + 4.0 * z**2 * np.diag(bend)
        return np.sqrt(np.maximum(variance, 0.0))

    def curvature(self) -> Floats:
        """How large the quadratic coefficients may be: their size and error."""
        d = self.dimensions
        error = np.sqrt(np.maximum(np.diag(self.covariance)[1 + d :], 0.0))
        return np.abs(self.coefficients[1 + d :]) + error


def fit_quadratic(z: Floats, y: Floats, errors: Floats, curvature: Floats) -> Quadratic:
    """Weighted least squares.

    Parameters
    ----------
    z : ndarray, shape (n, d)
    y : ndarray, shape (n,)
    errors : ndarray, shape (n,)
        Standard errors; NaN in any of them: not known, but the same for all.
    curvature : ndarray, shape (d,)
        Quadratic coefficients are zero within this, beforehand; infinite where nothing is known.

    Examples
    --------
    See `Quadratic`.

    >>> import numpy as np
    >>> from regrain.fits.top_down.regression import fit_quadratic
    >>> z = np.linspace(-1, 1, 9)[:, None]
    >>> parabola = fit_quadratic(z, z[:, 0] ** 2, np.full(9, np.nan), np.array([np.inf]))
    >>> f"{parabola.coefficients[2]:.6f}"
    '1.000000'
    """
    n, d = z.shape
    design = np.column_stack([np.ones(n), z, z * z])
    known = not np.any(np.isnan(errors))
    floor = 1e-12 * max(float(np.abs(y).max()), 1e-300)
    s = np.array(errors) if known else np.full(n, max(float(y.std()), floor))
    for _ in range(1 if known else 20):
        weighted = design / s[:, None]
        # Far below the noise is zero; an infinite curvature says nothing.
        tight = np.where(curvature > 1e-3 * s.min(), curvature, 1e-3 * s.min())
        prior = np.diag(np.concatenate([np.zeros(1 + d), 1.0 / tight**2]))
        inverse = np.linalg.pinv(weighted.T @ weighted + prior, hermitian=True, rcond=1e-13)
        coefficients = inverse @ (weighted.T @ (y / s))
        residual = y - design @ coefficients
        dof = n - float(np.sum((weighted @ inverse) * weighted))
        if known or dof < LEAST:
            break
        s = np.full(n, max(float(np.sqrt(residual @ residual / dof)), floor))
    chi2 = float(np.sum((residual / s) ** 2))
    scatter = float(np.median(s))
    if not known:
        if dof < LEAST:
            inverse = np.diag(np.full(1 + 2 * d, np.inf))
        return Quadratic(coefficients, inverse, scatter, max(dof, LEAST), 1.0)
    surprise = float(stats.chi2.sf(chi2, dof)) if dof >= LEAST else 1.0
    if surprise < RARE:  # the errors that were given are too small
        scale = chi2 / dof
        return Quadratic(
            coefficients, inverse * scale, scatter, dof, surprise, float(np.sqrt(scale))
        )
    return Quadratic(coefficients, inverse, scatter, np.inf, surprise)
