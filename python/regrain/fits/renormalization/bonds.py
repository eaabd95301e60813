"""Bonds in series: what is left of a row of bonds when the spins between are summed.

Formulas are written with what is small, exp(-2K), so that couplings may be as large as a flow to
low temperatures makes them.
"""

from __future__ import annotations

from math import atanh, cosh, exp, expm1, inf, log, log1p, sinh, tanh

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError

__all__ = [
    "clock_series",
    "ising_series",
    "ising_series_in_field",
    "potts_series",
    "series_rate",
]

Floats = NDArray[np.float64]

#: Beyond this exp(-2K) is close to what a float can hold.
COLD = 150.0


def _signed_power(base_is_negative: bool, b: float) -> float:
    if not base_is_negative:
        return 1.0
    if b != int(b):
        raise RegrainError(
            f"an antiferromagnetic coupling has no rescaling by b = {b:g}: the sign of "
            "neighbours alternates, so b must be whole"
        )
    return -1.0 if int(b) % 2 else 1.0


def ising_series(k: float, b: float) -> tuple[float, float]:
    """b Ising bonds in series: their coupling K', tanh K' = tanh^b K, and ln A, the constant.

    The sum over the spins between is A exp(K' s s').

    Raises
    ------
    RegrainError
        A negative coupling with a b that is not whole.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.bonds import ising_series
    >>> ising_series(1.0, 2), float(np.arctanh(np.tanh(1.0) ** 2))
    ((0.66250..., 1.35564...), 0.66250...)
    """
    sign, size = _signed_power(k < 0, b), abs(k)
    if size == 0.0:
        return 0.0, (b - 1) * log(2.0)
    if size > COLD:
        return sign * (size - 0.5 * log(b)), (b - 1) * size + 0.5 * log(b)
    small = exp(-2 * size)
    # -ln tanh |K|, to all digits on both sides
    rate = -log(tanh(size)) if size < 0.5 else log1p(small) - log1p(-small)
    half = 0.5 * b * rate
    after = -0.5 * log(tanh(half)) if half < 0.5 else atanh(exp(-2 * half))
    constant = b * (size + log1p(small)) - log(2.0) + 0.5 * log(-expm1(-4 * half))
    return sign * after, constant


def ising_series_in_field(k: float, h: float, b: float) -> tuple[float, float, float]:
    """b Ising bonds in series, each with a field h on both of its ends: K', h' and ln A.

    Raises
    ------
    RegrainError
        A negative coupling with a b that is not whole.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.bonds import ising_series_in_field
    >>> k, h, a = ising_series_in_field(0.5, 0.1, 2)
    >>> bond = np.exp([[0.5 + 0.2, -0.5], [-0.5, 0.5 - 0.2]])
    >>> float(np.log((bond @ bond)[0, 0])), a + k + 2 * h
    (1.48683..., 1.48683...)
    """
    if h == 0.0:
        after, constant = ising_series(k, b)
        return after, 0.0, constant
    if abs(h) > COLD or k < -COLD:
        return inf, inf, inf  # beyond what exponentials hold: the flow has run away
    if k == 0.0:
        return 0.0, h, (b - 1) * log(2 * cosh(2 * h))
    s, small = sinh(2 * h), exp(-2 * k)
    root = float(np.hypot(s, small))
    # ln of the larger eigenvalue over e^K, and of the ratio of both, (1 - e^-4K)/(c + root)²
    top = log1p(2 * sinh(h) ** 2 + root)
    sign = _signed_power(k < 0, b)
    power = b * (log(abs(expm1(-4 * k))) - 2 * top)
    r = sign * exp(power)
    one_less = -expm1(power) if sign > 0 else 1 - r  # 1 - r
    m = s / root
    rest = (small / root) ** 2 / (1 + abs(m))  # 1 - |m|
    plus, minus = (2 - rest, rest) if m > 0 else (rest, 2 - rest)
    log_g = -2 * k - log(root)
    if sign > 0:
        up, down = log(0.5 * (plus + r * minus)), log(0.5 * (minus + r * plus))
    else:
        one_more = -expm1(power)
        up = log(0.5 * (one_more + m * one_less))
        down = log(0.5 * (one_more - m * one_less))
    across = log_g + log(0.5 * one_less)
    largest = b * (k + top)
    return (
        0.25 * (up + down - 2 * across),
        0.25 * (up - down),
        largest + 0.25 * (up + down + 2 * across),
    )


def potts_series(k: float, q: float, b: float) -> tuple[float, float]:
    """b bonds exp(K δ(s, s')) of q states in series: K' and ln A.

    With t = (e^K - 1)/(e^K + q - 1), t' = t^b.

    Raises
    ------
    RegrainError
        A negative coupling with a b that is not whole.

    Examples
    --------
    >>> from regrain.fits.renormalization.bonds import ising_series, potts_series
    >>> potts_series(2.0, 2, 3)[0] / 2, ising_series(1.0, 3)[0]  # two states are Ising's
    (0.47439..., 0.47439...)
    """
    sign = _signed_power(k < 0, b)
    if k == 0.0:
        return 0.0, (b - 1) * log(q)
    if k > 0:
        small = exp(-k)
        if k < 0.5:
            rate = -log(expm1(k) / (expm1(k) + q))  # -ln t
        else:
            rate = -log1p(-q * small / (1 + (q - 1) * small))
        if rate == 0.0:  # too cold for the difference from 1
            return k - log(b), (b - 1) * k + log(b)
        largest = k + log1p((q - 1) * small)
    else:
        rate = -log(-expm1(k) / (exp(k) + q - 1))
        largest = log(exp(k) + q - 1)
    power = exp(-b * rate)
    less = -expm1(-b * rate) if sign > 0 else 1 + power  # 1 - t'
    same = 1 + (q - 1) * sign * power
    if same <= 0.0:
        return -inf, inf
    return log(same) - log(less), b * largest + log(less) - log(q)


def clock_series(harmonics: Floats, q: int, b: int) -> tuple[Floats, float]:
    """b bonds exp(Σ K_m cos(2πm n/q)) of clocks in series: K'_m, m = 1 … q//2, and ln A.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.bonds import clock_series
    >>> clock_series(np.array([0.9, 0.0]), 4, 2)[0].round(12)  # four hands: two Ising models
    array([0.35983043, 0.        ])
    """
    n = np.arange(q)
    m = np.arange(1, q // 2 + 1)
    waves = np.cos(2 * np.pi * np.outer(n, m) / q)
    energy = waves @ harmonics
    top = float(energy.max())
    # Sums of positive numbers: small weights keep all their digits, which those of a Fourier
    # transform would not.
    bond = np.exp(energy - top)[np.subtract.outer(n, n) % q]
    weight = np.linalg.matrix_power(bond, b)[0]
    if np.any(weight <= 0):
        return np.full(len(m), np.nan), inf
    found = np.log(weight)
    norm = np.where(2 * m == q, 1.0, 2.0) / q
    return norm * (waves.T @ found), float(found.mean()) + b * top


def series_rate(k: float, h: float) -> tuple[float, float]:
    """d/db of the coupling and the end field of b Ising bonds in series, at b = 1, for K >= 0.

    Without a field dK/db = ½ sinh 2K ln tanh K.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.bonds import series_rate
    >>> series_rate(0.7, 0.0)[0], float(0.5 * np.sinh(1.4) * np.log(np.tanh(0.7)))
    (-0.47947..., -0.47947...)
    """
    if k == 0.0:
        return 0.0, 0.0
    c, s, small = cosh(2 * h), sinh(2 * h), exp(-2 * k)
    root = float(np.hypot(s, small))
    if root / c < 1e-12:
        return -0.5, 0.0
    power = log1p(-root / c) - log1p(root / c) if root < c else -inf
    if power == -inf:
        return 0.0, 0.0
    r, m = exp(power), s / root
    up = (1 - m) / ((1 + m) + r * (1 - m))
    down = (1 + m) / ((1 - m) + r * (1 + m))
    scale = 0.25 * r * power
    return scale * (up + down - 2 / expm1(power)), scale * (up - down)
