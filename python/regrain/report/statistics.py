"""What a difference of two estimates is worth: sigmas, chi squared, and how surprising it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from regrain.errors import RegrainError
from regrain.observables import Estimate

if TYPE_CHECKING:
    from regrain.report.rows import Row

__all__ = ["Difference", "difference", "holm", "on_grid_of"]

Floats = NDArray[np.float64]

#: Probability that a report calls any equal pair different.
SIGNIFICANCE = 0.05


@dataclass(frozen=True, eq=False)
class Difference:
    """Coarse minus fine, point by point, with what it takes to judge it.

    Attributes
    ----------
    value, error : ndarray
        The difference and its standard error, one per point.
    sigmas : ndarray
        ``value / error``; 0 where both are 0, infinite where only the error is.
    log_p : ndarray
        Natural logarithm of the two-sided p-value of each point.
    dof : ndarray
        Degrees of freedom of the error; infinite where it is known exactly.

    Examples
    --------
    >>> from regrain.observables import Estimate
    >>> from regrain.report.statistics import difference
    >>> found = difference(Estimate("T", 300.0, 3.0), Estimate("T", 310.0, 4.0))
    >>> float(found.sigmas), round(found.p, 4)
    (2.0, 0.0455)
    """

    value: Floats
    error: Floats
    sigmas: Floats
    log_p: Floats
    dof: Floats

    @property
    def chi2(self) -> float | None:
        """Mean squared difference in sigmas, over the points that have an error bar: 1 by chance.

        With errors that are estimates themselves the square of a point has the mean ν / (ν - 2) of
        an F distribution (ν degrees of freedom); that is divided out.
        """
        fuzzy = self.error > 0
        if not fuzzy.any():
            return None
        excess = 1.0 - 2.0 / np.maximum(self.dof[fuzzy], 3.0)
        return float(np.mean(self.sigmas[fuzzy] ** 2 * excess))

    @property
    def worst(self) -> tuple[int, ...]:
        """Index of the point that differs most, judged by its p-value."""
        flat = np.lexsort((-np.abs(self.sigmas).ravel(), self.log_p.ravel()))[0]
        return tuple(int(i) for i in np.unravel_index(flat, self.value.shape))

    @property
    def p(self) -> float:
        """Probability of a difference like the worst one, were both laws the same.

        Bonferroni over the points: valid however they are correlated.
        """
        return float(min(1.0, np.exp(self.log_p.min() + np.log(max(self.value.size, 1)))))


def difference(fine: Estimate, coarse: Estimate) -> Difference | None:
    """Coarse minus fine on the same coordinates; ``None`` where an error bar is missing.

    The degrees of freedom of the difference are those of Welch (1947), eq. 28.

    Parameters
    ----------
    fine, coarse : Estimate
        Independent measurements of the same shape.

    Loses / Assumes
    ---------------
    Assumes that the two are independent, and that block means are close to normal.

    Examples
    --------
    >>> from regrain.observables import Estimate
    >>> from regrain.report.statistics import difference
    >>> x = {"x": [0.0, 1.0]}
    >>> found = difference(Estimate("f", [1.0, 2.0], [0.3, 0.3], coords=x),
    ...                    Estimate("f", [1.5, 2.0], [0.4, 0.4], coords=x))
    >>> found.sigmas.tolist(), found.chi2
    ([1.0, 0.0], 0.5)
    """
    one, two = error_of(fine), error_of(coarse)
    if one is None or two is None:
        return None
    value = np.asarray(coarse.value - fine.value)
    variance = np.asarray(one**2 + two**2)
    error = np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        sigmas = np.where(value == 0, 0.0, value / error)
        lost = one**4 / _dof(fine) + two**4 / _dof(coarse)
        dof = np.where(lost > 0, variance**2 / lost, np.inf)
    return Difference(value, error, np.asarray(sigmas), _log_p(sigmas, dof), np.asarray(dof))


def error_of(estimate: Estimate) -> Floats | None:
    """Standard errors; zero for what is exact, ``None`` where they are not known."""
    if estimate.error is None:
        return np.zeros_like(estimate.value) if estimate.kind == "exact" else None
    return np.asarray(estimate.error)


def _dof(estimate: Estimate) -> Floats:
    if estimate.dof is None:
        return np.full(estimate.value.shape, np.inf)
    return np.asarray(estimate.dof)


def _log_p(sigmas: ArrayLike, dof: ArrayLike) -> Floats:
    """Two-sided, of Student's t; finite far out in the tail of the normal distribution."""
    z = np.abs(np.asarray(sigmas))
    with np.errstate(divide="ignore"):
        student = stats.t.logsf(z, np.asarray(dof))
    normal = special.log_ndtr(-z)
    return np.asarray(np.minimum(0.0, np.log(2.0) + np.where(np.isinf(dof), normal, student)))


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Adjust the p-values of a family of tests, Holm (1979).

    With the adjusted values compared to 0.05, the chance of calling even one equal pair different
    is at most 5 %, whatever the dependence between the tests.

    Parameters
    ----------
    p : mapping of str to float
        Name of a test -> its p-value.

    Returns
    -------
    dict
        Name -> adjusted p-value, in the order given.

    Examples
    --------
    >>> from regrain.report.statistics import holm
    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    {'a': 0.03, 'b': 0.06, 'c': 0.06, 'd': 0.02}
    """
    ordered = sorted(p, key=lambda name: p[name])
    adjusted, running = {}, 0.0
    for rank, name in enumerate(ordered):
        running = max(running, min(1.0, (len(p) - rank) * p[name]))
        adjusted[name] = running
    return {name: adjusted[name] for name in p}


def adjusted(rows: Iterable[Row]) -> dict[str, float]:
    """Name -> p-value of every row that has one, adjusted together."""
    return holm({row.name: row.p for row in rows if row.p is not None})


def verdict(row: Row, family: Mapping[str, float], tolerance: float) -> str:
    """What to call the difference of a row among a family of adjusted p-values: see ``Report``."""
    if not row.defined:
        return "undefined"
    if row.name not in family:
        return ""
    if family[row.name] >= SIGNIFICANCE:
        return "same" if row.p is None or row.p >= SIGNIFICANCE else "undecided"
    relative = row.get("relative")
    small = relative is not None and abs(relative) < tolerance
    return "close" if small else "different"


def on_grid_of(fine: Estimate, coarse: Estimate) -> tuple[Estimate, Estimate]:
    """Both estimates on the coordinates of the fine one that the coarse one covers.

    Coordinates that agree are left alone. Otherwise, and with one axis, the coarse one is
    interpolated linearly; so is its error, which bounds that of the interpolated value from above
    whatever the correlation between neighbouring points.

    Raises
    ------
    RegrainError
        Different axes, or grids that do not overlap.

    Examples
    --------
    >>> from regrain.observables import Estimate
    >>> from regrain.report.statistics import on_grid_of
    >>> fine = Estimate("f", [0.0, 1.0, 2.0], coords={"t": [0.0, 1.0, 2.0]})
    >>> coarse = Estimate("f", [0.0, 3.0], coords={"t": [0.0, 1.5]})
    >>> [e.value.tolist() for e in on_grid_of(fine, coarse)]
    [[0.0, 1.0], [0.0, 2.0]]
    """
    if list(fine.coords) != list(coarse.coords):
        raise RegrainError(
            f"{fine.name}: the fine one is a function of {_axes(fine)}, the coarse one of "
            f"{_axes(coarse)}; they cannot be compared"
        )
    if all(_same(fine.coords[axis], coarse.coords[axis]) for axis in fine.coords):
        return fine, coarse
    if len(fine.coords) != 1:
        raise RegrainError(
            f"{fine.name}: the grids over {_axes(fine)} differ between fine and coarse; fix them "
            "in the observable (its range and number of points)"
        )
    return _interpolated(fine, coarse)


def _interpolated(fine: Estimate, coarse: Estimate) -> tuple[Estimate, Estimate]:
    ((axis, wanted),) = fine.coords.items()
    given = coarse.coords[axis]
    slack = 1e-9 * np.ptp(given)
    inside = (wanted >= given[0] - slack) & (wanted <= given[-1] + slack)
    if not inside.any():
        raise RegrainError(
            f"{fine.name}: fine covers {axis} from {wanted[0]:g} to {wanted[-1]:g}, coarse from "
            f"{given[0]:g} to {given[-1]:g}; nothing overlaps"
        )
    points = wanted[inside]

    def at(values: Any) -> Floats | None:
        return None if values is None else np.interp(points, given, values)

    flag = f"coarse interpolated to the {len(points)} of {len(wanted)} fine points that it covers"
    new = coarse.replace(
        value=at(coarse.value),
        error=at(coarse.error),
        dof=at(coarse.dof),
        bounds=None,
        coords={axis: points},
        flags=(*coarse.flags, flag),
    )

    def kept(values: Any) -> Floats | None:
        return None if values is None else values[inside]

    old = fine.replace(
        value=fine.value[inside],
        error=kept(fine.error),
        dof=kept(fine.dof),
        bounds=None,
        coords={axis: points},
    )
    return old, new


def _same(one: NDArray[Any], two: NDArray[Any]) -> bool:
    if one.shape != two.shape:
        return False
    if one.dtype.kind in "fiu" and two.dtype.kind in "fiu":
        return bool(np.allclose(one, two, rtol=1e-6, atol=1e-9 * float(np.ptp(one) or 1.0)))
    return bool(np.all(one == two))


def _axes(estimate: Estimate) -> str:
    return ", ".join(estimate.coords) or "nothing"
