"""Tensors as short Taylor series, so that sums over spins come with their derivatives.

A *jet* is an array whose first axis counts the terms of an expansion in two directions: how strong
all couplings are (a), and a field (b). One term is the tensor alone, three have first derivatives
(1, a, b), five second ones as well (1, a, b, a², b²); a jet of fewer terms than its partner is
constant in what it does not have. Coefficients are those of the powers, without factorials.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["TERMS", "compose", "dot", "logarithm", "power", "product", "times"]

Floats = NDArray[np.float64]

#: Number of terms by the order of the derivatives.
TERMS = {0: 1, 1: 3, 2: 5}

# Which pairs of terms make a term of a product.
_PAIRS = (
    ((0, 0),),
    ((0, 1), (1, 0)),
    ((0, 2), (2, 0)),
    ((0, 3), (1, 1), (3, 0)),
    ((0, 4), (2, 2), (4, 0)),
)


def product(multiply: Callable[[Floats, Floats], Floats], a: Floats, b: Floats) -> Floats:
    """The jet of a product that is linear in both factors.

    Parameters
    ----------
    multiply : callable
        The product of two arrays.
    a, b : numpy.ndarray, shape (terms, ...)

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.jets import product
    >>> one_plus_a = np.array([1.0, 1.0, 0.0, 0.0, 0.0])
    >>> product(lambda x, y: x * y, one_plus_a, one_plus_a).tolist()  # 1 + 2 a + a²
    [1.0, 2.0, 0.0, 1.0, 0.0]
    """
    terms = []
    for pairs in _PAIRS[: max(len(a), len(b))]:
        total: Floats | None = None
        for i, j in pairs:
            if i < len(a) and j < len(b):
                part = multiply(a[i], b[j])
                total = part if total is None else total + part
        assert total is not None
        terms.append(total)
    return np.stack(terms)


def dot(a: Floats, b: Floats, axes: tuple[Sequence[int], Sequence[int]]) -> Floats:
    """`numpy.tensordot` of two jets; the axes are counted without that of the terms.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.jets import dot
    >>> dot(np.ones((3, 2, 4)), np.ones((1, 4)), ([1], [0])).shape
    (3, 2)
    """
    return product(lambda x, y: np.tensordot(x, y, axes), a, b)


def times(a: Floats, scalar: Floats) -> Floats:
    """A jet times the jet of a number.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.jets import times
    >>> times(np.ones((1, 2)), np.array([2.0, 1.0, 0.0])).tolist()
    [[2.0, 2.0], [1.0, 1.0], [0.0, 0.0]]
    """
    return product(lambda x, y: np.asarray(x * y), a, scalar)


def compose(jet: Floats, value: float, first: float, second: float) -> Floats:
    """A function of the jet of a number, from its value and derivatives at the constant term.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.jets import compose
    >>> compose(np.array([3.0, 1.0, 0.0, 0.0, 0.0]), 9.0, 6.0, 2.0).tolist()  # (3 + a)²
    [9.0, 6.0, 0.0, 1.0, 0.0]
    """
    out = first * np.asarray(jet, dtype=float)
    out[0] = value
    if len(jet) == TERMS[2]:
        out[3:] += 0.5 * second * jet[1:3] ** 2
    return out


def logarithm(jet: Floats) -> Floats:
    """Logarithm of the jet of a positive number.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.jets import logarithm
    >>> logarithm(np.array([1.0, 1.0, 0.0, 0.0, 0.0])).tolist()  # a - a²/2
    [0.0, 1.0, 0.0, -0.5, 0.0]
    """
    x = float(jet[0])
    return compose(jet, float(np.log(x)), 1.0 / x, -1.0 / x**2)


def power(jet: Floats, exponent: float) -> Floats:
    """A power of the jet of a positive number.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.jets import power
    >>> power(np.array([4.0, 4.0, 0.0]), 0.5).tolist()
    [2.0, 1.0, 0.0]
    """
    x, p = float(jet[0]), exponent
    return compose(jet, x**p, p * x ** (p - 1), p * (p - 1) * x ** (p - 2))
