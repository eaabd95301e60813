"""Force constants of a network from the fluctuations of its distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from regrain.errors import RegrainError
from regrain.fits.springs.modes import directions, rigid_motions

__all__ = ["match_fluctuations"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS, TOLERANCE, MOST = 200, 1e-10, 6000


def match_fluctuations(
    places: Floats, pairs: Ints, variances: Floats, *, kt: float
) -> tuple[Floats, Floats]:
    """The springs whose distances fluctuate as they should, in the harmonic approximation.

    Maximises ln det⁺ H(k) − Σ k_i v_i / kT over k ≥ 0, with H the Hessian: that is concave, so
    there is one answer, and there the variance of each distance is v_i where k_i > 0, and at most
    v_i where k_i = 0. It is what the iteration of heterogeneous elastic networks converges to, and
    the Gaussian of greatest entropy (covariance selection). By Newton's method with an active set.

    Parameters
    ----------
    places : ndarray, shape (n, 3)
    pairs : ndarray, shape (m, 2)
    variances : ndarray, shape (m,)
        Of the distances.
    kt : float

    Returns
    -------
    k : ndarray, shape (m,)
    response : ndarray, shape (m, m)
        Derivative of k by the variances, zero for springs at zero.

    Raises
    ------
    RegrainError
        A variance that is not positive, more springs than the method is meant for, a network that
        is floppy.

    References
    ----------
    E. Lyman, J. Pfaendtner and G. A. Voth, Biophys. J. 95, 4183 (2008). A. P. Dempster,
    Biometrics 28, 157 (1972).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.springs.fluctuations import match_fluctuations
    >>> triangle, sides = np.eye(3), np.array([[0, 1], [0, 2], [1, 2]])
    >>> k, _ = match_fluctuations(triangle, sides, np.array([0.5, 0.25, 0.125]), kt=1.0)
    >>> k.round(6).tolist()  # three springs, three inner motions: each is on its own
    [2.0, 4.0, 8.0]
    """
    if len(pairs) > MOST:
        raise RegrainError(
            f"{len(pairs)} springs are too many for matched fluctuations ({MOST} at most); give a "
            "shorter cutoff or larger beads"
        )
    if not np.all(variances > 0):
        i, j = pairs[int(np.argmin(variances))]
        raise RegrainError(
            f"the distance of the particles {i} and {j} does not fluctuate: it is a constraint; "
            "leave this pair out by a larger separation or lower cutoff"
        )
    # Dimensionless: each row over √v, so that k v / kT is searched and starts at one.
    rows = directions(places, pairs) / np.sqrt(variances)[:, None]
    rigid = rigid_motions(places)
    scale = float(np.mean(np.sum(rows**2, axis=1)))
    held = scale * (rigid @ rigid.T)
    x = np.ones(len(pairs))
    value, cov = _state(rows, held, x)
    for _ in range(STEPS):
        # Variances over those wanted, of all; the gradient of the objective is that minus one.
        gradient = np.diag(cov) - 1.0
        free = (x > 0) | (gradient > 0)
        if np.max(np.abs(gradient[free]), initial=0.0) < TOLERANCE:
            break
        step = np.zeros_like(x)
        step[free] = _solved(cov[np.ix_(free, free)] ** 2, gradient[free])
        size, moved = 1.0, False
        while size > 1e-10:
            new = np.maximum(x + size * step, 0.0)
            gain = float(gradient @ (new - x))
            after = _state(rows, held, new)
            if after[0] >= value + 1e-4 * max(gain, 0.0) and gain >= 0:
                moved = True
                break
            size *= 0.5
        if not moved:
            break
        x, (value, cov) = new, after
    on = x > 0
    response = np.zeros((len(pairs), len(pairs)))
    response[np.ix_(on, on)] = -_solved(cov[np.ix_(on, on)] ** 2, np.eye(int(on.sum())))
    units = kt / variances
    return x * units, response * units[:, None] / variances[None, :]


def _state(rows: Floats, held: Floats, x: Floats) -> tuple[float, Floats]:
    """The objective, and the covariance of the (scaled) distances."""
    matrix = rows.T @ (x[:, None] * rows) + held
    try:
        factor = cho_factor(matrix, lower=True)
    except np.linalg.LinAlgError:
        return -np.inf, np.zeros((len(rows), len(rows)))
    value = 2.0 * float(np.sum(np.log(np.diag(factor[0])))) - float(x.sum())
    return value, rows @ cho_solve(factor, rows.T)


def _solved(matrix: Floats, right: Floats) -> Floats:
    """By Cholesky, or by least squares where that fails: springs that answer alike."""
    try:
        return np.asarray(cho_solve(cho_factor(matrix, lower=True), right))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, right, rcond=1e-12)[0])
