"""Exponential families on an interval: the most likely parameters of simple bonded potentials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError

__all__ = ["Family", "Likeliest"]

Floats = NDArray[np.float64]

STEPS, TOLERANCE = 200, 1e-11


@dataclass(frozen=True, eq=False)
class Likeliest:
    """What `Family.likeliest` found.

    Attributes
    ----------
    eta : ndarray, shape (p,)
        Natural parameters.
    likelihood : float
        Mean of ln p over the samples, with p per configuration space.
    response : ndarray, shape (p, p)
        Derivative of ``eta`` by the means.

    Examples
    --------
    See `Family`.

    >>> from regrain.fits.bonded_terms.families import Likeliest
    >>> Likeliest.__name__
    'Likeliest'
    """

    eta: Floats
    likelihood: float
    response: Floats


@dataclass(frozen=True, eq=False)
class Family:
    """Densities J(x) exp(η·s(x)) / Z: those of energies that are linear in η.

    Their likelihood is concave, and its maximum is where the means of the statistics s are those
    of the samples. So only these means are needed of the samples, and errors of η follow from
    errors of the means, whatever the correlations.

    Parameters
    ----------
    weight : ndarray, shape (q,)
        Of the points of a quadrature, times J.
    statistics : ndarray, shape (q, p)
        s at the points.

    Examples
    --------
    An exponential distribution of mean 2:

    >>> import numpy as np
    >>> from regrain.fits.bonded_terms.families import Family
    >>> x = np.arange(0.005, 100, 0.01)
    >>> found = Family(np.full(len(x), 0.01), x[:, None]).likeliest(np.array([2.0]))
    >>> print(f"{found.eta[0]:.3f}")
    -0.500
    """

    weight: Floats
    statistics: Floats

    def likeliest(
        self, means: Floats, *, within: Floats | None = None, start: Floats | None = None
    ) -> Likeliest:
        """The η of greatest likelihood, by Newton's method.

        Parameters
        ----------
        means : ndarray, shape (p,)
            Of the statistics over the samples.
        within : ndarray, shape (p, f), optional
            η = within @ t with free t; all of η is free when omitted.
        start : ndarray, shape (f,), optional

        Raises
        ------
        RegrainError
            No maximum: the samples lie at an edge of what the statistics can be.
        """
        basis = np.eye(len(means)) if within is None else within
        scale = np.maximum(np.abs(self.statistics @ basis).max(axis=0), 1e-300)
        s, wanted = (self.statistics @ basis) / scale, (means @ basis) / scale
        t = np.zeros(len(wanted)) if start is None else start * scale
        value, mean, cov = self._moments(s, t, wanted)
        for _ in range(STEPS):
            if not np.any(cov):  # a single point of the quadrature is left
                break
            gradient = wanted - mean
            step = np.linalg.lstsq(cov, gradient, rcond=1e-14)[0]
            gain = float(gradient @ step)
            if gain < TOLERANCE**2:
                return self.at(basis @ (t / scale), means, within=basis)
            size = 1.0
            while size > 1e-8:
                new = self._moments(s, t + size * step, wanted)
                if new[0] >= value + 1e-4 * size * gain or gain < 1e-14:
                    break
                size *= 0.5
            t = t + size * step
            value, mean, cov = new
        raise RegrainError(
            "the likelihood has no maximum within reach: the samples hardly vary, or lie at the "
            "edge of the range"
        )

    def at(self, eta: Floats, means: Floats, *, within: Floats) -> Likeliest:
        """Likelihood and response of an η that is known, moving in the columns of ``within``."""
        scale = np.maximum(np.abs(self.statistics @ within).max(axis=0), 1e-300)
        directions = within / scale
        _, _, cov = self._moments(self.statistics, eta, means)
        inverse = np.linalg.pinv(directions.T @ cov @ directions, hermitian=True)
        value = float(eta @ means) - self.log_partition(eta)
        return Likeliest(eta, value, directions @ inverse @ directions.T)

    def _moments(self, s: Floats, t: Floats, wanted: Floats) -> tuple[float, Floats, Floats]:
        exponent = s @ t
        top = float(exponent.max())
        p = self.weight * np.exp(exponent - top)
        total = float(p.sum())
        p /= total
        mean = p @ s
        away = s - mean
        return float(t @ wanted) - top - float(np.log(total)), mean, (away.T * p) @ away

    def log_partition(self, eta: Floats) -> float:
        """ln Z."""
        exponent = self.statistics @ eta
        top = float(exponent.max())
        return top + float(np.log(self.weight @ np.exp(exponent - top)))
