"""Linear least squares from triangular factors: constraints, penalties, rank, and errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space, solve_triangular

from regrain import _core

__all__ = ["Reduced", "Solved", "free_directions", "jackknife"]

Floats = NDArray[np.float64]

#: Singular values below this part of the largest (columns of unit length) are no information.
SINGULAR = 1e-12


@dataclass(frozen=True, eq=False)
class Reduced:
    """A least-squares problem in the parameters that are free.

    Parameters
    ----------
    transform : ndarray, shape (columns, parameters)
        Coefficients of the columns from the parameters.
    free : ndarray, shape (parameters, directions)
        Parameters from what is free.
    penalty : ndarray, shape (rows, parameters)
        Rows that are to be zero, too; for each row of data as many as there are data.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import _core
    >>> from regrain.fits.forces.least_squares import Reduced
    >>> factor = _core.QrFactor(3)
    >>> factor.add([[1.0, 0.0, 1.0], [1.0, 1.0, 2.0], [1.0, 2.0, 4.0]])
    >>> line = Reduced(np.eye(2), np.eye(2), np.zeros((0, 2)))
    >>> line.solve(factor).values.round(12).tolist()
    [0.833333333333, 1.5]
    """

    transform: Floats
    free: Floats
    penalty: Floats

    def rows(self, factor: Any) -> tuple[Floats, Floats]:
        """The triangle of a factor in the free directions, and its right-hand side."""
        r = factor.r
        return r[:, :-1] @ (self.transform @ self.free), r[:, -1]

    def solve(self, factor: Any, *, look: bool = True) -> Solved:
        """The least-squares solution; without ``look`` the rank is taken for full."""
        data, side = self.rows(factor)
        penalty = self.penalty @ self.free
        matrix = np.vstack([data, penalty])
        target = np.concatenate([side, np.zeros(len(penalty))])
        scale = np.linalg.norm(matrix, axis=0)
        scale[scale == 0] = 1.0
        scaled = matrix / scale
        lost = np.zeros((0, matrix.shape[1]))
        if look:
            left, singular, right = np.linalg.svd(scaled, full_matrices=False)
            good = singular > SINGULAR * singular.max(initial=0.0)
            lost = right[~good]
            kept = (left[:, good].T @ target) / singular[good]
            found = right[good].T @ kept
        if not look or not len(lost):
            q, r = np.linalg.qr(scaled)
            found = solve_triangular(r, q.T @ target)
            # One step of refinement takes what the reduction left of the rounding.
            found = found + solve_triangular(r, q.T @ (target - scaled @ found))
        free = found / scale
        residual = data @ free - side
        return Solved(
            values=self.free @ free,
            chi2=float(residual @ residual),
            lost=np.abs(lost) @ np.abs(self.free.T) if len(lost) else np.zeros((0, len(self.free))),
            inverse=self._inverse(scaled, scale, singular_ok=not len(lost)),
        )

    def _inverse(self, scaled: Floats, scale: Floats, *, singular_ok: bool) -> Floats:
        """(AᵀA)⁻¹ of all parameters, from the triangle."""
        if not singular_ok:
            inverse = np.linalg.pinv(scaled, rcond=SINGULAR)
            half = (inverse / scale[:, None]).T
        else:
            half = solve_triangular(np.linalg.qr(scaled, mode="r"), np.eye(len(scale))).T / scale
        half = half @ self.free.T
        return np.asarray(half.T @ half)


@dataclass(frozen=True, eq=False)
class Solved:
    """A solution.

    Attributes
    ----------
    values : ndarray, shape (parameters,)
    chi2 : float
        Sum of squared residuals of the data.
    lost : ndarray, shape (k, parameters)
        Weights of the parameters in each direction that the data say nothing about.
    inverse : ndarray, shape (parameters, parameters)
        (AᵀA)⁻¹: their covariance for independent residuals of variance 1.

    Examples
    --------
    See `Reduced`.

    >>> from regrain.fits.forces.least_squares import Solved  # what Reduced.solve gives
    """

    values: Floats
    chi2: float
    lost: Floats
    inverse: Floats


def free_directions(rows: Floats, parameters: int) -> Floats:
    """Directions in which linear constraints (rows that are zero) leave parameters free.

    Parameters that no constraint names stay as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.forces.least_squares import free_directions
    >>> np.abs(free_directions(np.array([[1.0, 0.0, -1.0]]), 3)).round(3).tolist()
    [[0.0, 0.707], [1.0, 0.0], [0.0, 0.707]]
    """
    named = np.any(rows != 0.0, axis=0) if len(rows) else np.zeros(parameters, dtype=bool)
    free = np.eye(parameters)[:, ~named]
    if not np.any(named):
        return free
    within = null_space(rows[:, named])
    mixed = np.zeros((parameters, within.shape[1]))
    mixed[named] = within
    return np.hstack([free, mixed])


def jackknife(blocks: Sequence[Any], problem: Reduced) -> tuple[Floats, Floats]:
    """Covariance of the parameters, and of χ², from the solutions without each of the blocks.

    Parameters
    ----------
    blocks : sequence of QrFactor
        At least two.
    problem : Reduced

    Returns
    -------
    covariance : ndarray, shape (parameters, parameters)
    chi2 : ndarray, shape (blocks,)
        Sums of squared residuals without each block.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import _core
    >>> from regrain.fits.forces.least_squares import Reduced, jackknife
    >>> rng, blocks = np.random.default_rng(1), []
    >>> for _ in range(400):
    ...     block = _core.QrFactor(2)
    ...     block.add(np.stack([np.ones(4), rng.normal(size=4)], axis=1))
    ...     blocks.append(block)
    >>> mean = Reduced(np.eye(1), np.eye(1), np.zeros((0, 1)))
    >>> covariance, _ = jackknife(blocks, mean)
    >>> round(float(np.sqrt(1600 * covariance[0, 0])))  # the standard deviation of the samples
    1
    """
    count, columns = len(blocks), blocks[0].columns

    def summed(order: Sequence[Any]) -> list[Any]:
        sums = [_core.QrFactor(columns)]
        for block in order:
            new = _core.QrFactor(columns)
            new.combine(sums[-1])
            new.combine(block)
            sums.append(new)
        return sums

    before, after = summed(blocks), summed(blocks[::-1])
    values, chi2 = [], []
    shrunk = Reduced(
        problem.transform, problem.free, problem.penalty * np.sqrt((count - 1) / count)
    )
    for k in range(count):
        rest = _core.QrFactor(columns)
        rest.combine(before[k])
        rest.combine(after[count - 1 - k])
        solved = shrunk.solve(rest, look=False) if _full(shrunk, rest) else shrunk.solve(rest)
        values.append(solved.values)
        chi2.append(solved.chi2)
    spread = np.array(values) - np.mean(values, axis=0)
    return (count - 1) / count * spread.T @ spread, np.array(chi2)


def _full(problem: Reduced, factor: Any) -> bool:
    """Whether all columns are there, and none is a copy of others to the last digit."""
    data, _ = problem.rows(factor)
    matrix = np.vstack([data, problem.penalty @ problem.free])
    norms = np.linalg.norm(matrix, axis=0)
    if np.any(norms == 0):
        return False
    diagonal = np.abs(np.diag(np.linalg.qr(matrix / norms, mode="r")))
    return bool(diagonal.min(initial=1.0) > SINGULAR)
