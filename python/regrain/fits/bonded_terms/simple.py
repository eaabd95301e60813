"""Simple forms of bonded potentials, and which of them the samples make likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.fits.bonded_terms.families import Family, Likeliest
from regrain.fits.forms import Free
from regrain.particles import (
    CosineAngle,
    FourierDihedral,
    HarmonicAngle,
    HarmonicBond,
    HarmonicDihedral,
    PeriodicDihedral,
    Potential,
)

__all__ = ["FORMS", "Simple", "likely", "measure_of", "quadrature", "statistics"]

Floats = NDArray[np.float64]

#: What can be fitted to each kind of bonded term; all of them compete where none is asked for.
FORMS: dict[str, tuple[type[Potential], ...]] = {
    "bond": (HarmonicBond,),
    "angle": (HarmonicAngle, CosineAngle),
    "dihedral": (HarmonicDihedral, PeriodicDihedral, FourierDihedral),
}
#: Modes of dihedrals.
MODES = 6
#: A window of so many standard deviations on both sides holds all that integrals see.
WINDOW, POINTS = 12.0, 600
#: Improper dihedrals are narrow, or their cusp is seen.
NARROW = 0.6


@dataclass(frozen=True, eq=False)
class Simple:
    """A form with its most likely numbers.

    Attributes
    ----------
    potential : Potential
    names : tuple of str
        Of the numbers that were fitted.
    values : ndarray, shape (f,)
    response : ndarray, shape (f, p)
        Derivative of the values by the means of the statistics.
    eta : ndarray, shape (p,)
        Of the density exp(η·s).
    likelihood : float
        Mean of ln p.
    free : int
        Numbers that were free.
    at_limit : bool
        Whether a number is at the end of what is allowed.

    Examples
    --------
    See `likely`.

    >>> from regrain.fits.bonded_terms.simple import FORMS
    >>> [form.__name__ for form in FORMS["bond"]]
    ['HarmonicBond']
    """

    potential: Potential
    names: tuple[str, ...]
    values: Floats
    response: Floats
    eta: Floats
    likelihood: float
    free: int
    at_limit: bool = False


def measure_of(kind: str, x: Floats) -> Floats:
    """Configuration space per length of a bonded coordinate: r², sin θ, or 1.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.bonded_terms.simple import measure_of
    >>> measure_of("bond", np.array([2.0]))
    array([4.])
    """
    if kind == "angle":
        return np.asarray(np.sin(x))
    return np.asarray(x) ** 2 if kind == "bond" else np.ones_like(x)


def statistics(kind: str, x: Floats, reference: float) -> Floats:
    """All that the forms of a kind need to know of values x: shape (n, p).

    First and second power of the distance to a reference (of angles also of their cosine, of
    dihedrals on the circle), and for dihedrals cos nφ and sin nφ.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.bonded_terms.simple import statistics
    >>> statistics("bond", np.array([1.5]), 1.0)
    array([[0.5 , 0.25]])
    """
    away = [x - reference]
    if kind == "angle":
        away.append(np.cos(x) - np.cos(reference))
    if kind == "dihedral":
        away = [np.angle(np.exp(1j * (x - reference)))]
    columns = [part for d in away for part in (d, d * d)]
    if kind == "dihedral":
        columns += [f(n * x) for n in range(1, MODES + 1) for f in (np.cos, np.sin)]
    return np.stack(columns, axis=-1)


def quadrature(kind: str, mean: float, spread: float) -> tuple[Floats, Floats]:
    """Points, and their weights with the measure of free particles, for values around a mean.

    Examples
    --------
    >>> from regrain.fits.bonded_terms.simple import quadrature
    >>> x, weight = quadrature("angle", 2.0, 9.0)  # all of 0 to pi
    >>> print(f"{weight.sum():.6f}")
    2.000000
    """
    if kind == "dihedral":
        x = -np.pi + 2.0 * np.pi * (np.arange(4 * POINTS) + 0.5) / (4 * POINTS)
        return x, np.full(len(x), 2.0 * np.pi / len(x))
    low = max(0.0, mean - WINDOW * spread)
    high = mean + WINDOW * spread
    if kind == "angle":
        high = min(np.pi, high)
    nodes, weights = _gauss()
    x = 0.5 * (high + low) + 0.5 * (high - low) * nodes
    return x, 0.5 * (high - low) * weights * measure_of(kind, x)


@cache
def _gauss() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    return nodes, weights


def likely(
    form: Any, family: Family, means: Floats, *, reference: float, kt: float, n: float
) -> Simple | None:
    """The most likely potential of a form, None where the form makes no sense.

    Parameters
    ----------
    form : type or Free
        One of `FORMS`, or a potential of which k is free and the rest is free or not.
    family : Family
        With the statistics of the kind.
    means : ndarray, shape (p,)
        Of the statistics.
    reference : float
        Of the statistics.
    kt : float
    n : float
        Independent samples: modes of a dihedral come in as long as BIC gains.

    Examples
    --------
    Bonds of a given mean and width:

    >>> import numpy as np
    >>> from regrain.fits.bonded_terms.families import Family
    >>> from regrain.fits.bonded_terms.simple import likely, quadrature, statistics
    >>> from regrain.particles import HarmonicBond
    >>> x, weight = quadrature("bond", 1.0, 0.1)
    >>> family = Family(weight, statistics("bond", x, 1.0))
    >>> means = np.array([0.0, 0.01])
    >>> found = likely(HarmonicBond, family, means, reference=1.0, kt=1.0, n=100)
    >>> found.potential  # a Gaussian fit would say k = 100, r0 = 1
    HarmonicBond(k=97.93..., r0=0.979...)
    """
    if isinstance(form, Free) and isinstance(form.potential, PeriodicDihedral):
        return _mode(form, family, means, kt=kt)
    if isinstance(form, Free):
        kind = type(form.potential)
        at = None if len(form.names) > 1 else float(getattr(form.potential, _SQUARES[kind][1]))
        return _harmonic(kind, family, means, reference=reference, kt=kt, at=at)
    if form in (PeriodicDihedral, FourierDihedral):
        return _modes(form, family, means, kt=kt, n=n)
    if form is HarmonicDihedral and np.sqrt(max(means[1] - means[0] ** 2, 0.0)) > NARROW:
        return None
    return _harmonic(form, family, means, reference=reference, kt=kt)


#: First column of the statistics, name of the position, and its limits in the variable that the
#: energy is a square in.
_SQUARES: dict[type[Potential], tuple[int, str, tuple[float, float]]] = {
    HarmonicBond: (0, "r0", (0.0, np.inf)),
    HarmonicAngle: (0, "theta0", (0.0, np.pi)),
    CosineAngle: (2, "theta0", (-1.0, 1.0)),
    HarmonicDihedral: (0, "phi0", (-np.inf, np.inf)),
}


def _harmonic(
    form: type[Any],
    family: Family,
    means: Floats,
    *,
    reference: float,
    kt: float,
    at: float | None = None,
) -> Simple:
    """k/2 (y − y0)² with y0 given or inside of its limits, and k not negative."""
    first, name, limits = _SQUARES[form]
    origin = float(np.cos(reference)) if form is CosineAngle else reference
    chosen = np.zeros((len(means), 2))
    chosen[first, 0] = chosen[first + 1, 1] = 1.0
    m = means[first : first + 2]
    width = max(float(m[1] - m[0] ** 2), 1e-300)
    start = np.array([m[0] / width, -0.5 / width])
    found = family.likeliest(means, within=chosen, start=start)
    slope, curve = found.eta[first : first + 2]
    free, position = 2, origin + (-0.5 * slope / curve if curve < 0 else np.inf)
    if at is not None:
        away = np.cos(at) - origin if form is CosineAngle else at - origin
        away = np.angle(np.exp(1j * away)) if form is HarmonicDihedral else away
        (found, position), free = _fixed(family, means, chosen, origin + float(away), origin), 1
    elif not limits[0] <= position <= limits[1]:
        options = [_fixed(family, means, chosen, p, origin) for p in limits if np.isfinite(p)]
        found, position = max(options, key=lambda option: option[0].likelihood)
        free = 1
    slope, curve = found.eta[first : first + 2]
    k = max(0.0, -2.0 * kt * curve)
    by_eta = np.zeros((2, len(means)))
    by_eta[0, first + 1] = -2.0 * kt
    if free == 2:
        by_eta[1, first] = -0.5 / curve
        by_eta[1, first + 1] = 0.5 * slope / curve**2
    if form is CosineAngle:
        by_eta[1] *= -1.0 / max(np.sqrt(max(1.0 - position**2, 0.0)), 1e-300)
        position = float(np.arccos(np.clip(position, -1.0, 1.0)))
    if form is HarmonicDihedral:
        position = float(np.angle(np.exp(1j * position)))
    fitted = 2 if at is None else 1
    return Simple(
        form(**{"k": k, name: position if at is None else at}),
        ("k", name)[:fitted],
        np.array([k, position])[:fitted],
        (by_eta @ found.response)[:fitted],
        found.eta,
        found.likelihood,
        free,
        at_limit=free < fitted,
    )


def _fixed(
    family: Family, means: Floats, chosen: Floats, position: float, origin: float
) -> tuple[Likeliest, float]:
    """The most likely k >= 0 with the position fixed."""
    along = chosen @ np.array([[-2.0 * (position - origin)], [1.0]])
    found = family.likeliest(means, within=along)
    if along[:, 0] @ found.eta > 0:  # a negative k
        found = family.at(np.zeros(len(means)), means, within=along)
    return found, position


def _mode(form: Free, family: Family, means: Floats, *, kt: float) -> Simple:
    """One mode of given n, whose phase is free or not."""
    start = form.potential
    assert isinstance(start, PeriodicDihedral)
    within = _columns(len(means), [start.n])
    if len(form.names) > 1:
        return _of_modes([start.n], family.likeliest(means, within=within), kt)
    along = within @ -np.array([[np.cos(start.phi0)], [np.sin(start.phi0)]])
    found = family.likeliest(means, within=along)
    k = kt * float(along[:, 0] @ found.eta)
    return Simple(
        PeriodicDihedral(k=k, n=start.n, phi0=start.phi0),
        ("k",),
        np.array([k]),
        kt * along.T @ found.response,
        found.eta,
        found.likelihood,
        1,
    )


def _modes(form: type[Any], family: Family, means: Floats, *, kt: float, n: float) -> Simple:
    """Modes of a dihedral one after the other, the most likely first, as long as BIC gains."""
    most = 1 if form is PeriodicDihedral else MODES
    modes: list[int] = []
    best: Likeliest | None = None
    while len(modes) < most:
        trials = {
            mode: family.likeliest(means, within=_columns(len(means), [*modes, mode]))
            for mode in range(1, MODES + 1)
            if mode not in modes
        }
        mode, found = max(trials.items(), key=lambda item: item[1].likelihood)
        if best is not None and n * (found.likelihood - best.likelihood) < np.log(n):
            break
        modes, best = sorted([*modes, mode]), found
    assert best is not None
    return _of_modes(modes, best, kt)


def _of_modes(modes: list[int], best: Likeliest, kt: float) -> Simple:
    """As k and phase of each mode."""
    cos, sin = best.eta[2::2], best.eta[3::2]
    k, phi0 = kt * np.hypot(cos, sin), np.arctan2(-sin, -cos)
    by_eta = np.zeros((2 * len(modes), len(best.eta)))
    for row, mode in enumerate(modes):
        a, b = cos[mode - 1], sin[mode - 1]
        size2 = max(a * a + b * b, 1e-300)
        column = 2 * mode
        by_eta[2 * row, column : column + 2] = kt * np.array([a, b]) / np.sqrt(size2)
        by_eta[2 * row + 1, column : column + 2] = np.array([-b, a]) / size2
    potential: Potential
    if len(modes) == 1:
        at = modes[0] - 1
        potential = PeriodicDihedral(k=k[at], n=modes[0], phi0=phi0[at])
        names: tuple[str, ...] = ("k", "phi0")
    else:
        kept = np.isin(np.arange(1, modes[-1] + 1), modes)
        potential = FourierDihedral(
            k=np.where(kept, k[: modes[-1]], 0.0), phi0=np.where(kept, phi0[: modes[-1]], 0.0)
        )
        names = tuple(name for mode in modes for name in (f"k_{mode}", f"phi_{mode}"))
    values = np.array([part[mode - 1] for mode in modes for part in (k, phi0)])
    return Simple(
        potential,
        names,
        values,
        by_eta @ best.response,
        best.eta,
        best.likelihood,
        2 * len(modes),
    )


def _columns(width: int, modes: Sequence[int]) -> Floats:
    chosen = np.zeros((width, 2 * len(modes)))
    for i, mode in enumerate(modes):
        chosen[2 * mode, 2 * i] = chosen[2 * mode + 1, 2 * i + 1] = 1.0
    return chosen
