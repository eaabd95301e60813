"""Integrals to nearly all digits, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from scipy.integrate import quad

from regrain.errors import RegrainError

__all__ = ["integral"]


def integral(function: Callable[[float], float], *edges: float) -> float:
    """The integral from the first edge to the last; where it bends sharply should be an edge.

    Raises
    ------
    RegrainError
        It does not converge to seven digits.

    Examples
    --------
    >>> from math import sin
    >>> from regrain.atlas.integration import integral
    >>> round(integral(sin, 0.0, 1.0, 3.141592653589793), 14)
    2.0
    """
    total = 0.0
    for a, b in pairwise(edges):
        # With full_output it says nothing of rounding at the fifteenth digit.
        value, error, *_ = quad(
            function, a, b, epsabs=1e-14, epsrel=1e-13, limit=400, full_output=1
        )
        if not error < 1e-7 * max(1.0, abs(value)):
            raise RegrainError(f"an integral from {a:g} to {b:g} does not converge: {value}")
        total += float(value)
    return total
