"""Means of correlated samples with errors that cover, also of functions of means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain import _core
from regrain.errors import RegrainError

__all__ = ["ENOUGH", "Summary", "mean_with_error", "summarise"]

Floats = NDArray[np.float64]
Reduce = Callable[[Floats], Floats]

#: Below so many effective samples an estimate is flagged. t-intervals cover with fewer (tested with
#: 10), but whether the series is long enough to show its slowest mode cannot be known.
ENOUGH = 50


@dataclass(frozen=True)
class Summary:
    """A mean (or a function of means), its error, and how well the error is known.

    Attributes
    ----------
    value : ndarray, shape (k,)
    error, dof : ndarray, shape (k,), or None
        Standard errors and their degrees of freedom; ``None`` for a single sample.
    n_eff : float
        Effective number of independent samples, weighted by the variances of the columns.
    samples : int
        Number of samples that came in.

    Examples
    --------
    >>> from regrain.observables.blocks import mean_with_error
    >>> mean_with_error([[1.0], [2.0], [6.0]]).value.tolist()
    [3.0]
    """

    value: Floats
    error: Floats | None
    dof: Floats | None
    n_eff: float
    samples: int

    @property
    def flags(self) -> tuple[str, ...]:
        """What a reader must know about the error."""
        if self.error is None:
            return ("one frame has no error bar",)
        if self.n_eff < ENOUGH:
            n = f"{self.n_eff:.2g} of {self.samples}"
            return (f"few effective samples ({n}): the error itself is uncertain",)
        return ()


def summarise(blocks: _core.Blocks, reduce: Reduce | None = None) -> Summary:
    """Mean of the samples that went into blocks, or a function of it, with its error.

    Parameters
    ----------
    blocks : _core.Blocks
        The samples, merged into rows.
    reduce : callable, optional
        Maps means, shape (..., width), to values, shape (..., k).

    Notes
    -----
    The error of a mean is that of its autocorrelation function (Wolff 2004: automatic window, bias
    correction, degrees of freedom). A function of means is expanded about the mean by leaving one
    row out at a time (jackknife); the pseudo-values are a series like any other. Coverage of the
    95 % interval on autoregressive processes of 100 to 5000 samples is tested to be 90 to 98 %.

    Examples
    --------
    >>> from regrain import _core
    >>> from regrain.observables.blocks import summarise
    >>> blocks = _core.Blocks(1)
    >>> for x in (1.0, 2.0, 6.0):
    ...     blocks.add([x])
    >>> squared = summarise(blocks, lambda mean: mean**2)
    >>> squared.value.tolist()
    [9.0]
    """
    if blocks.samples == 0:
        raise RegrainError("no samples went into the average; give a trace with frames")
    rows, weights = blocks.rows, blocks.weights
    mean, error, _, dof = _core.mean_errors(rows, weights)
    variance = blocks.variance
    value = mean
    if reduce is not None:
        value = np.asarray(reduce(mean), dtype=float).reshape(-1)
        if len(rows) > 1:
            series = _pseudo_values(rows, weights, value, reduce)
            _, error, _, dof = _core.mean_errors(series, weights)
            variance = np.average((series - value) ** 2, axis=0, weights=weights)
    if blocks.samples == 1:
        return Summary(value, None, None, 1.0, 1)
    total = float(np.sum(error**2))
    n_eff = float(np.sum(variance)) / total if total > 0 else float(blocks.samples)
    return Summary(value, error, dof, min(n_eff, float(blocks.samples)), blocks.samples)


def _pseudo_values(rows: Floats, weights: Floats, value: Floats, reduce: Reduce) -> Floats:
    """The value plus what each row changed in it, per unit of its weight."""
    total = weights.sum()
    sums = weights @ rows
    without = total - weights
    used = (weights > 0) & (without > 0)
    left = (sums - weights[used, None] * rows[used]) / without[used, None]
    reduced = np.asarray(reduce(left), dtype=float).reshape(len(left), -1)
    pseudo = np.tile(value, (len(rows), 1))
    pseudo[used] += (value - reduced) * (without[used] / weights[used])[:, None]
    return pseudo


def mean_with_error(
    samples: ArrayLike, *, weights: ArrayLike | None = None, reduce: Reduce | None = None
) -> Summary:
    """Mean over the first axis of correlated samples, or a function of it, with its error.

    Parameters
    ----------
    samples : array_like, shape (n,) or (n, width)
    weights : array_like, shape (n,), optional
    reduce : callable, optional
        Maps means, shape (..., width), to values, shape (..., k).

    Raises
    ------
    RegrainError
        Samples that are not finite, weights of another length, or negative ones.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.observables.blocks import mean_with_error
    >>> noise = np.random.default_rng(1).normal(size=1000)
    >>> found = mean_with_error(noise)
    >>> bool(abs(found.value[0]) < 4 * found.error[0])
    True
    """
    table = np.asarray(samples, dtype=float)
    if table.size == 0:
        raise RegrainError("mean_with_error: got no samples; give at least one")
    table = table.reshape(len(table), -1)
    heavy = np.ones(len(table)) if weights is None else np.asarray(weights, dtype=float)
    if heavy.shape != (len(table),):
        raise RegrainError(f"got {heavy.shape} weights for {len(table)} samples; give one each")
    blocks = _core.Blocks(table.shape[1])
    for row, weight in zip(table, heavy, strict=True):
        blocks.add(row, float(weight))
    return summarise(blocks, reduce)
