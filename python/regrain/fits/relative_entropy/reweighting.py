"""What the frames of one run say about parameters that it did not run with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from regrain import _core
from regrain.errors import RegrainError

__all__ = ["Reweighted", "log_ratio", "reweight", "series_error"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reweighted:
    """Frames of a run with the weights that they have under other potentials.

    Attributes
    ----------
    weights : ndarray, shape (frames,)
        They add up to one.
    log_ratio : float
        ln Z_new / Z_old, with Z the configurational integrals.
    share : float
        Kish's effective share of the frames, (Σ w)² / (frames Σ w²): 1 for equal weights, and
        1 / frames where one frame has it all.

    Examples
    --------
    >>> from regrain.fits.relative_entropy.reweighting import reweight
    >>> other = reweight([0.0, 0.0, 20.0, 20.0])
    >>> round(other.share, 6), round(float(other.mean([1.0, 3.0, 9.0, 9.0])), 6)
    (0.5, 2.0)
    """

    weights: Floats
    log_ratio: float
    share: float

    def mean(self, samples: ArrayLike) -> Floats:
        """Mean under the new potentials; frames along the first axis."""
        return np.asarray(np.tensordot(self.weights, np.asarray(samples, dtype=float), axes=1))

    def error(self, samples: ArrayLike) -> Floats:
        """Standard error of that mean, of a ratio of two correlated means.

        To first order: the error of the mean of w (a − ⟨a⟩), with its autocorrelations.
        """
        values = np.asarray(samples, dtype=float)
        flat = values.reshape(len(values), -1)
        spread = len(flat) * self.weights[:, None] * (flat - self.mean(flat))
        return series_error(spread).reshape(values.shape[1:])


def reweight(change: ArrayLike, *, weights: ArrayLike | None = None) -> Reweighted:
    """Weights of frames under potentials other than those that ran.

    Parameters
    ----------
    change : array_like, shape (frames,)
        β (U_new − U_old) of each frame.
    weights : array_like, shape (frames,), optional
        That the frames have already.

    Raises
    ------
    RegrainError
        No frame, or energies that are not finite.

    Loses / Assumes
    ---------------
    What the run did not visit has no weight whatever it has under the new potentials: where
    ``share`` is small, means are biased towards the old ones and their errors too small.

    References
    ----------
    A. M. Ferrenberg and R. H. Swendsen, Phys. Rev. Lett. 61, 2635 (1988); L. Kish, Survey Sampling
    (1965), section 11.7.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.relative_entropy.reweighting import reweight
    >>> x = np.random.default_rng(1).normal(size=100_000)  # U = x²/2, then (x - 0.5)²/2
    >>> other = reweight(0.125 - 0.5 * x)
    >>> bool(abs(other.mean(x) - 0.5) < 4 * other.error(x)), bool(abs(other.log_ratio) < 0.01)
    (True, True)
    """
    exponent = -np.asarray(change, dtype=float)
    if exponent.ndim != 1 or exponent.size == 0:
        raise RegrainError(f"reweight: got energies of shape {exponent.shape}; give one per frame")
    if not np.all(np.isfinite(exponent)):
        bad = int(np.flatnonzero(~np.isfinite(exponent))[0])
        raise RegrainError(f"reweight: the change of energy of frame {bad} is {-exponent[bad]}")
    old = np.ones(len(exponent)) if weights is None else np.asarray(weights, dtype=float)
    top = float(exponent.max())
    new = old * np.exp(exponent - top)
    total = float(new.sum())
    share = total**2 / (len(new) * float(np.sum(new**2)))
    return Reweighted(new / total, top + float(np.log(total / old.sum())), share)


def series_error(series: Floats, weights: Floats | None = None) -> Floats:
    """Standard errors of the means of correlated series, shape (frames, ...), one per column.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.relative_entropy.reweighting import series_error
    >>> noise = np.random.default_rng(1).normal(size=(10_000, 2))
    >>> bool(np.allclose(series_error(noise), 0.01, rtol=0.1))
    True
    """
    flat = np.ascontiguousarray(series.reshape(len(series), -1), dtype=float)
    error = _core.mean_errors(flat, np.ones(len(flat)) if weights is None else weights)[1]
    return np.asarray(error).reshape(series.shape[1:])


def log_ratio(forward: ArrayLike, backward: ArrayLike) -> tuple[float, float]:
    """ln Z_1 / Z_0 from runs with both potentials, and its standard error.

    Parameters
    ----------
    forward : array_like, shape (n,)
        β (U_1 − U_0) on frames of the run with U_0.
    backward : array_like, shape (m,)
        β (U_1 − U_0) on frames of the run with U_1.

    Raises
    ------
    RegrainError
        Energies that are not finite.

    Loses / Assumes
    ---------------
    That the runs overlap: where they do not, the error says so by becoming large, but not reliably.

    References
    ----------
    C. H. Bennett, J. Comput. Phys. 22, 245 (1976).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.relative_entropy.reweighting import log_ratio
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.normal(size=(2, 20_000)) * [[1.0], [0.5]]  # U = x²/2, then 2 x²
    >>> value, error = log_ratio(1.5 * x**2, 1.5 * y**2)
    >>> bool(abs(value - np.log(0.5)) < 4 * error), bool(error < 0.01)
    (True, True)
    """
    a, b = np.asarray(forward, dtype=float), np.asarray(backward, dtype=float)
    if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b)) and a.size and b.size):
        raise RegrainError("log_ratio: needs finite changes of energy from both runs")
    log_share = float(np.log(len(a) / len(b)))

    def parts(shift: float) -> tuple[Floats, Floats]:
        return _fermi(a + shift + log_share), _fermi(-(b + shift + log_share))

    def excess(shift: float) -> float:
        up, down = parts(shift)
        return float(up.sum() - down.sum())

    # Falls with the shift, and has its sign at both ends of where any sample matters.
    low, high = -float(max(a.max(), b.max())) - 60.0, -float(min(a.min(), b.min())) + 60.0
    low, high = low - abs(log_share), high + abs(log_share)
    found = float(brentq(excess, low, high, xtol=1e-10))
    up, down = parts(found)
    one, other = (float(series_error(p[:, None])[0] / max(p.mean(), 1e-300)) for p in (up, down))
    return found, float(np.hypot(one, other))


def _fermi(x: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 - np.tanh(0.5 * x)))
