"""Finding fixed points, and what maps do near them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eig
from scipy.optimize import brentq, root
from scipy.stats import qmc

if TYPE_CHECKING:
    from regrain.fits.renormalization.chart import Chart

__all__ = ["differences", "eigen", "search", "search_infinity"]

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]


def differences(function: Function, k: Floats, *, scale: float = 1e-3) -> Floats:
    """The matrix of derivatives by differences of fourth order, shape (n, n).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.search import differences
    >>> differences(np.sin, np.array([0.5])).round(10), float(np.cos(0.5).round(10))
    (array([[0.87758256]]), 0.8775825619)
    """
    columns = []
    for j in range(len(k)):
        h = scale * max(1.0, abs(k[j]))
        step = np.zeros(len(k))
        step[j] = h
        near = function(k + step) - function(k - step)
        far = function(k + 2 * step) - function(k - 2 * step)
        column = (8 * near - far) / (12 * h)
        for sign in (1.0, -1.0):  # at an edge, from the side where there is something
            if not np.all(np.isfinite(column)):
                values = [function(k + m * sign * step) for m in range(5)]
                column = sign * np.tensordot([-25, 48, -36, 16, -3], values, axes=1) / (12 * h)
        columns.append(column)
    return np.stack(columns, axis=1)


def eigen(matrix: Floats) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Eigenvalues, right vectors as columns, left vectors as rows; real where they can be.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.search import eigen
    >>> values, right, left = eigen(np.array([[2.0, 1.0], [0.0, 0.5]]))
    >>> values.tolist()
    [2.0, 0.5]
    >>> float(abs(left[0] @ right[:, 1]))
    0.0
    """
    values, left, right = eig(matrix, left=True, right=True)
    left = left.conj().T
    if np.max(np.abs(values.imag), initial=0.0) < 1e-9 * np.max(np.abs(values), initial=1e-300):
        values, left, right = values.real, left.real, right.real
    # The sign by which the largest entry of a direction is positive.
    top = np.argmax(np.abs(right), axis=0)
    sign = np.where(np.real(right[top, np.arange(len(top))]) < 0, -1.0, 1.0)
    right = right * sign
    overlap = np.einsum("ij,ji->i", left, right)
    turned = np.where(np.real(overlap) < 0, -1.0, 1.0)
    return values, right, left * turned[:, None]


def search(
    change: Function,
    bounds: Floats,
    starts: int,
    seed: int,
    *,
    first: Floats | None = None,
    tolerance: float = 1e-10,
) -> list[Floats]:
    """Zeros of a function, to a tolerance, within bounds of shape (n, 2), each once.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.search import search
    >>> [k.round(6).tolist() for k in search(lambda k: k**2 - 1, np.array([[-3.0, 3.0]]), 50, 0)]
    [[-1.0], [1.0]]
    """
    low, high = bounds.T
    n = len(bounds)

    def safe(k: Floats) -> Floats:
        value = change(np.asarray(k, dtype=np.float64))
        return value if np.all(np.isfinite(value)) else np.full(n, 1e6)

    tries: list[Floats] = [] if first is None else [first]
    zeros: list[Floats] = []
    if n == 1:
        # Couplings that matter may be small beside the bounds.
        fine = max(abs(low[0]), abs(high[0])) * np.geomspace(1e-8, 1.0, starts)
        even = np.linspace(low[0], high[0], 4 * starts + 1)
        grid = np.unique(np.concatenate([even, fine, -fine, [0.0]]))
        grid = grid[(grid >= low[0]) & (grid <= high[0])]
        values = np.array([safe(np.array([k]))[0] for k in grid])
        for k in range(len(grid) - 1):
            if values[k] * values[k + 1] < 0 and max(abs(values[k : k + 2])) < 1e6:
                zeros.append(
                    np.array(
                        [brentq(lambda v: safe(np.array([v]))[0], *grid[k : k + 2], xtol=1e-15)]
                    )
                )
        size = np.abs(values)
        dips = (size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:])
        tries += [grid[k + 1 : k + 2] for k in np.flatnonzero(dips)]
        tries += [grid[:1], grid[-1:]]
    else:
        tries.append(np.clip(np.zeros(n), low, high))
        # Couplings that matter are often small beside the bounds: half of the starts are close.
        cube = qmc.Sobol(n, seed=seed).random_base2(int(np.ceil(np.log2(max(starts, 2)))))
        wide = low + (high - low) * cube
        tries += list(wide[: starts // 2]) + list(0.2 * wide[starts // 2 : starts])
    for start in tries:
        zeros += _from(safe, start, tolerance)
    found = [k for k in zeros if _is_zero(safe, k, tolerance) and _within(k, low, high)]
    return _distinct(found, max(1e-6, 30 * tolerance))


def _from(change: Function, start: Floats, tolerance: float) -> list[Floats]:
    # The step of its own differences: what rounding, or the noise of the map, allows.
    options = {"eps": max(1e-8, float(np.cbrt(tolerance)) if tolerance > 1e-10 else 0.0)}
    with np.errstate(all="ignore"):
        found = root(change, start, method="hybr", options={"xtol": 1e-13, **options})
        if np.max(np.abs(found.fun)) > max(1e-8, tolerance):
            return []
        # Where the matrix is singular the method stops early; from there once more.
        again = root(change, found.x, method="hybr", options={"xtol": 1e-15, **options})
    better = np.max(np.abs(again.fun)) <= np.max(np.abs(found.fun))
    return [np.asarray(again.x if better else found.x, dtype=np.float64)]


def _is_zero(change: Function, k: Floats, tolerance: float) -> bool:
    if not np.all(np.isfinite(k)):
        return False
    here = np.max(np.abs(change(k)))
    return bool(here < tolerance * max(1.0, float(np.max(np.abs(k)))))


def _within(k: Floats, low: Floats, high: Floats) -> bool:
    slack = 1e-9 * (high - low)
    return bool(np.all((k >= low - slack) & (k <= high + slack)))


def _distinct(zeros: list[Floats], apart: float) -> list[Floats]:
    kept: list[Floats] = []
    for k in zeros:
        clean = np.where(np.abs(k) < 1e-9, 0.0, k)
        if all(
            np.max(np.abs(clean - other)) > apart * (1 + np.max(np.abs(other))) for other in kept
        ):
            kept.append(clean)
    return sorted(kept, key=lambda k: tuple(k))


def search_infinity(
    step: Function, chart: Chart, j: int, sign: float, bounds: Floats
) -> list[tuple[Floats, Floats]]:
    """Fixed points where coupling j is infinite: the other couplings, and the linearised step.

    With u, the variable that vanishes there, the step is looked at for small u and carried on to
    zero. Only points with u' ~ u, or less, are fixed.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.chart import Chart
    >>> from regrain.fits.renormalization.search import search_infinity
    >>> found = search_infinity(lambda k: 2 * k, Chart.inverse(), 0, 1.0, np.array([[0.0, 3.0]]))
    >>> found[0][1]
    array([[0.5]])
    """
    n, rest = len(bounds), np.arange(len(bounds)) != j

    def mapped(u: float, others: Floats) -> tuple[float, Floats]:
        k = np.empty(n)
        k[j], k[rest] = sign * chart.back(u), others
        after = step(k)
        if not (np.all(np.isfinite(after)) and sign * after[j] > 0):
            return np.nan, np.full(n - 1, np.nan)
        return chart.of(sign * float(after[j])), after[rest]

    u = chart.small
    if n == 1:
        candidates = [np.zeros(0)]
    else:
        candidates = search(lambda o: mapped(u, o)[1] - o, bounds[rest], 40, 0)
    found = []
    for others in candidates:
        one, half = mapped(u, others)[0] / u, mapped(u / 2, others)[0] / (u / 2)
        rate = 2 * half - one  # linear in u, carried on to zero
        if not np.isfinite(rate) or abs(half) > 1.5 * abs(one) or abs(rate) > 1e3:
            continue
        matrix = np.zeros((n, n))
        matrix[j, j] = 0.0 if abs(rate) < 1e-3 * abs(one) + 1e-9 else rate
        if n > 1:
            drift = (mapped(u, others)[1] - mapped(u / 2, others)[1]) / (u / 2)
            matrix[np.ix_(rest, [j])] = np.where(abs(drift) < 1e-9, 0.0, drift)[:, None]
            far = differences(lambda o: mapped(u, o)[1], others)
            near = differences(lambda o: mapped(u / 2, o)[1], others)
            matrix[np.ix_(rest, rest)] = 2 * near - far
        found.append((others, matrix))
    return found
