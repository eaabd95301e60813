"""Where a noisy function of some parameters is what it should be: a search of few evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import least_squares

from regrain.fits.top_down.regression import Quadratic, fit_quadratic

__all__ = ["Found", "Search"]

Floats = NDArray[np.float64]

#: Points of the scan over one bracket, and how often it is made before it says "flat".
LEVELS, SCANS = np.linspace(0.0, 1.0, 5)[:, None], 4
#: A difference of so many standard errors is one; a level that differs by chance is rare.
SURE, RARE = 3.0, 0.01
#: Points so many half-widths from the middle of a star count; it is wider than this many times
#: the noise of one run, shrinks to a quarter at most per round, and begins with a quarter bracket.
WINDOW, NOISES, SHRINK, BEGIN, WIDEST, NARROWEST = 2.0, 2.0, 0.25, 0.25, 0.5, 1e-9
#: The error of the observable in parts of that of the target.
PRECISE = 0.5
#: Standard errors that a slope must be away from zero to be divided by, and to be seen at all.
STEEP, VISIBLE = 5.0, 2.0
#: Narrower stars that are no smoother, after which errors of runs are not believed.
BENDS = 3
#: Stars after which a parameter that changes nothing is given up.
BLIND = 12
#: Degrees of freedom with which scatter says how large the noise is.
ENOUGH = 5.0
MOST_REPEATS = 4


@dataclass(frozen=True, eq=False)
class Found:
    """Where a search ended, in units of the bracket.

    Attributes
    ----------
    point : ndarray, shape (d,)
    noise, total : ndarray, shape (d, d), or None
        Covariance by the noise of the runs, and by that and the errors of the goals; None where
        there is no root.
    values, errors : ndarray, shape (m,)
        The observables there.
    dof : float
        Degrees of freedom of the noise.
    converged : bool
    reason : str
    notes : tuple of str

    Examples
    --------
    See `Search`.

    >>> from regrain.fits.top_down.search import Found
    >>> Found.__name__
    'Found'
    """

    point: Floats
    noise: Floats | None
    total: Floats | None
    values: Floats
    errors: Floats
    dof: float
    converged: bool
    reason: str
    notes: tuple[str, ...]


class Search:
    """Tells which points it wants, is given what was found there, and so on until it stops.

    It is a function of what it was given: no state is hidden elsewhere, nothing is random.

    Parameters
    ----------
    goals, tolerances : ndarray, shape (m,)
        What the observables should be, and how well that is known.
    dimensions : int
        Of the unit box that is searched.
    budget : int
        Points at most.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from regrain.fits.top_down.search import Search
    >>> search = Search(np.array([0.25]), np.array([1e-6]), dimensions=1, budget=60)
    >>> while len(points := search.wanted()):
    ...     search.add(points, [SimpleNamespace(values={"y": x[0] ** 2}, errors={"y": 0.0})
    ...                         for x in points])
    >>> print(f"{search.found().point[0]:.6f}")
    0.500000
    """

    def __init__(self, goals: Floats, tolerances: Floats, *, dimensions: int, budget: int) -> None:
        self.goals, self.tolerances, self.budget = goals, tolerances, budget
        d, m = dimensions, len(goals)
        self.u, self.y, self.s = np.empty((0, d)), np.empty((0, m)), np.empty((0, m))
        self.reason: str | None = None
        self.converged = False
        self.notes: list[str] = []
        self.fits: list[Quadratic] = []
        self.scanning = d == 1 and m == 1
        self.inflation, self.bends = np.ones(m), 0
        self.extrema = 0
        self._move(np.full(d, 0.5), np.full(d, BEGIN))
        self.low, self.high = np.zeros(d), np.ones(d)
        self.curvature = np.full((m, d), np.inf)
        self.plan = LEVELS if self.scanning else self._star(1)

    # ------------------------------------------------------------------ what is asked and told

    def wanted(self) -> Floats:
        """The next points, shape (k, d); none when the search has ended."""
        left = self.budget - len(self.u)
        if self.reason is None and left < len(self.plan):
            self.plan = self.plan[: 2 * len(self.centre) + 1]
        if self.reason is None and left < len(self.plan):
            self.reason = f"{len(self.u)} runs were made"
        return np.empty((0, len(self.centre))) if self.reason else self.plan

    def add(self, points: Floats, found: Sequence[Any]) -> None:
        """What was found at these points: ``values`` and ``errors`` by name, None: not known."""
        rows = [list(one.values.values()) for one in found]
        errors = [[np.nan if e is None else e for e in one.errors.values()] for one in found]
        self.u = np.concatenate([self.u, points])
        self.y = np.concatenate([self.y, np.array(rows, dtype=float)])
        self.s = np.concatenate([self.s, np.array(errors, dtype=float)])
        if self.scanning:
            self._after_scan()
        else:
            self._after_star()

    def _errors(self) -> Floats:
        """Errors as given, but none so small that one run decides all."""
        return np.sqrt((self.inflation * self.s) ** 2 + (1e-3 * self.tolerances) ** 2)

    # ------------------------------------------------------------------ one parameter: the scan

    def _after_scan(self) -> None:
        noise = self._noise()
        if noise is None:
            if len(self.u) < SCANS * len(LEVELS):
                self.plan = LEVELS
            else:
                s = self._errors()[:, 0]
                s = np.full(len(s), max(float(self.y.std()), 1e-300)) if np.isnan(s).any() else s
                slope, error = self._slope(s)
                self.reason = (
                    "the observable does not depend on the parameter within its noise: it changes "
                    f"by {slope:.3g} ± {error:.2g} over the bracket; make runs longer or the "
                    "bracket wider"
                )
            return
        where = np.unique(self.u[:, 0])
        at = self.u[:, 0][:, None] == where
        weight = at / noise[:, None] ** 2
        away = (weight * (self.y - self.goals)).sum(axis=0) / weight.sum(axis=0)
        sigmas = away * np.sqrt(weight.sum(axis=0))
        pair = np.minimum(np.abs(sigmas[:-1]), np.abs(sigmas[1:]))
        change = away[:-1] * away[1:] <= 0
        if np.any(change):
            k = int(np.argmax(np.where(change, pair + 1e-9, -1.0)))
            left, right = where[k], where[k + 1]
            share = away[k] / (away[k] - away[k + 1]) if away[k] != away[k + 1] else 0.5
            for other in np.flatnonzero(change & (pair > SURE)):
                if other != k:
                    self.notes.append(
                        f"another root is between {{{where[other]:.6g}}} and "
                        f"{{{where[other + 1]:.6g}}}"
                    )
            if pair[k] > SURE:  # a root is between them
                self.low, self.high = where[k : k + 1], where[k + 1 : k + 2]
            self._begin(left + share * (right - left), 0.25 * (right - left))
            return
        k = int(np.argmin(np.abs(sigmas)))
        if abs(sigmas[k]) < SURE:
            self._begin(where[k], 0.5 * BEGIN)
            return
        vertex = _vertex(where, away, k)
        if vertex is not None and self.extrema < 2:
            self.extrema += 1
            self.plan = np.array([[vertex]])
            return
        closest = int(np.argmin(np.abs(away)))
        self.centre = where[closest : closest + 1]
        values = away + self.goals[0]
        self.reason = (
            f"no root in the bracket: the observable goes from {values.min():.4g} to "
            f"{values.max():.4g} in it and comes closest to {self.goals[0]:.4g} at "
            f"{{{where[closest]:.6g}}}; give another bracket, or another kind of model"
        )

    def _noise(self) -> Floats | None:
        """Standard error of each run of the scan, None where all may be the same number."""
        u, y, s = self.u[:, 0], self.y[:, 0], self._errors()[:, 0]
        if not np.any(np.isnan(s)):
            mean = np.average(y, weights=s**-2.0)
            chance = stats.chi2.sf(np.sum(((y - mean) / s) ** 2), len(y) - 1)
            slope, error = self._slope(s)
            return s if chance < RARE or abs(slope) > SURE * error else None
        total = float(np.sum((y - y.mean()) ** 2))
        for degree in (1, 2, 3):
            rest = float(np.sum((y - np.polyval(np.polyfit(u, y, degree), u)) ** 2))
            dof = len(y) - degree - 1
            ratio = (total - rest) / degree / max(rest / dof, 1e-24 * total, 1e-300)
            if total > 0 and stats.f.sf(ratio, degree, dof) < RARE:
                return np.full(len(y), max(np.sqrt(rest / dof), 1e-3 * float(self.tolerances[0])))
        return None

    def _slope(self, s: Floats) -> tuple[float, float]:
        """Change over the bracket by a straight line, with its error."""
        weight = s**-2.0
        away = self.u[:, 0] - np.average(self.u[:, 0], weights=weight)
        spread = float(np.sum(weight * away**2))
        return float(np.sum(weight * away * self.y[:, 0])) / spread, spread**-0.5

    def _begin(self, centre: float, h: float) -> None:
        self.scanning = False
        self._move(np.array([centre]), np.array([h]))
        self.plan = self._star(1)

    # ------------------------------------------------------------------ near the root

    def _star(self, repeats: int) -> Floats:
        """The middle, and a step both ways along each parameter, inside of the box."""
        d = len(self.centre)
        steps = np.concatenate([np.zeros((1, d)), np.diag(self.h), -np.diag(self.h)])
        return np.tile(self.centre + steps, (repeats, 1))

    def _move(self, guess: Floats, h: Floats) -> None:
        """Put the star around a guess, but not over the edge of the box."""
        self.guess, self.h = guess, np.clip(h, NARROWEST, WIDEST)
        self.centre = np.clip(guess, self.h, 1.0 - self.h)

    def _after_star(self) -> None:
        z = (self.u - self.centre) / self.h
        near = np.all(np.abs(z) <= WINDOW, axis=1) | np.all(self.h >= WIDEST)
        s = self._errors()[near]
        self.fits = [
            fit_quadratic(z[near], self.y[near, j], s[:, j], self.curvature[j])
            for j in range(len(self.goals))
        ]
        root = self._root()
        here = np.array([fit(root) for fit in self.fits])
        error = np.array([fit.error(root) for fit in self.fits])
        combined = np.hypot(error, self.tolerances)
        guessed = np.array([fit((self.guess - self.centre) / self.h) for fit in self.fits])
        agrees = bool(np.all(np.abs(guessed - here) <= combined))
        precise = bool(np.all(error <= PRECISE * self.tolerances))
        precise &= all(fit.dof >= ENOUGH for fit in self.fits)
        precise &= near.sum() > 3 * len(root) + 2  # something must check the errors that are told
        reached = bool(np.all(np.abs(here - self.goals) <= SURE * combined))
        seen = self._seen(root, VISIBLE)
        steep = self._seen(root, STEEP)
        factor, bent = self._factor(root, seen)
        self.bends += int(bent)
        if bent and self.bends >= BENDS:  # it is not the curvature
            factor = self._distrust(root)
        inside = bool(np.all(np.abs(root) < WINDOW - 1e-6))
        self.centre_before, self.h_before, self.root = self.centre, self.h, root
        if agrees and precise and np.all(steep) and inside and not bent:
            self.converged = reached
            self.reason = (
                "the targets lie within the combined errors"
                if reached
                else "no point of the brackets has all targets: what is closest misses by "
                + ", ".join(f"{v:.3g}" for v in here - self.goals)
            )
            return
        blind = ~seen & (self.h >= WIDEST - 1e-12)
        if np.any(blind) and len(self.u) >= min(BLIND * (2 * len(root) + 1), 0.8 * self.budget):
            self.blind = np.flatnonzero(blind)
            self.reason = "blind"
            return
        self.curvature = np.array([fit.curvature() for fit in self.fits]) * factor**2
        self._move(np.clip(self.centre + self.h * root, 0.0, 1.0), self.h * factor)
        settled = agrees and bool(np.all(seen) and np.all(factor > 0.6))
        self.plan = self._star(self._repeats(error, int(near.sum())) if settled else 1)

    def _repeats(self, error: Floats, runs: int) -> int:
        """How many stars at once, where only noise is left: towards the error that is wanted."""
        excess = min(float(np.max((error / (PRECISE * self.tolerances)) ** 2)), 1e6)
        more = (excess - 1.0) * runs / (2 * len(self.centre) + 1)
        return int(np.clip(np.ceil(more), 1, MOST_REPEATS))

    def _distrust(self, root: Floats) -> Floats:
        """Believe the scatter of the runs more than the errors that they say; a wider star."""
        self.bends = 0
        excess = np.array([fit.excess for fit in self.fits])
        self.inflation = self.inflation * np.maximum(excess, 1.0)
        self.notes = [note for note in self.notes if "scatter" not in note]
        self.notes.append(
            f"runs scatter {self.inflation.max():.2g} times more than their errors say"
        )
        noise = self._width(root, excess * np.array([fit.scatter for fit in self.fits]))
        return np.clip(NOISES * noise, SHRINK, 8.0)

    def _width(self, root: Floats, scatter: Floats) -> Floats:
        """What the noise of one run means for the parameters, in half-widths of the star."""
        slopes = np.array([fit.gradient(root) for fit in self.fits])
        weighted = slopes / np.maximum(scatter, 1e-300)[:, None]
        return np.sqrt(np.abs(np.diag(np.linalg.pinv(weighted.T @ weighted, hermitian=True))))

    def _root(self) -> Floats:
        """Where the quadratics are closest to the goals, in half-widths of the star."""
        middle = np.zeros(len(self.centre))
        error = np.array([min(fit.error(middle), 1e6 * t) if np.isfinite(fit.error(middle)) else t
                          for fit, t in zip(self.fits, self.tolerances, strict=True)])  # fmt: skip
        scale = np.hypot(error, self.tolerances)
        low = np.maximum(-WINDOW, (self.low - self.centre) / self.h) - 1e-12
        high = np.minimum(WINDOW, (self.high - self.centre) / self.h) + 1e-12
        found = least_squares(
            lambda z: (np.array([fit(z) for fit in self.fits]) - self.goals) / scale,
            np.clip(middle, low + 1e-9, high - 1e-9),
            jac=lambda z: np.array([fit.gradient(z) for fit in self.fits]) / scale[:, None],
            bounds=(low, high),
            xtol=1e-14,
            ftol=1e-14,
            gtol=1e-14,
        )
        return np.asarray(found.x)

    def _seen(self, root: Floats, sure: float) -> NDArray[np.bool_]:
        """Which parameters change an observable beyond its noise."""
        slopes = np.array([np.abs(fit.gradient(root)) for fit in self.fits])
        errors = np.array([fit.gradient_error(root) for fit in self.fits])
        return np.asarray(np.any((slopes > sure * errors) & (slopes > 0), axis=0))

    def _factor(self, root: Floats, seen: NDArray[np.bool_]) -> tuple[Floats, bool]:
        """By how much the star becomes wider, and whether a narrower one would be smoother."""
        noise = self._width(root, np.array([fit.scatter for fit in self.fits]))
        factor = np.maximum(np.maximum(NOISES * noise, 1.5 * np.abs(root)), SHRINK)
        factor = np.where(seen, np.minimum(factor, 2.0), 2.0)
        bent = any(fit.surprise < RARE for fit in self.fits) and bool(np.any(NOISES * noise < 0.7))
        return np.minimum(factor, 0.5) if bent else factor, bent

    # ------------------------------------------------------------------ the end

    def found(self) -> Found:
        """Where it ended."""
        m = len(self.goals)
        reason = self.reason or "not finished"
        if not self.fits or reason == "blind":
            if reason == "blind" and len(self.centre) == 1:
                reason = (
                    "near {" + f"{float(self.guess[0]):.6g}" + "} the observable hardly changes "
                    "with the parameter: an extremum that may not reach the target; make runs "
                    "longer, or give another bracket"
                )
            elif reason == "blind":
                which = ", ".join(f"[{k}]" for k in self.blind)
                reason = (
                    f"no observable depends on {which} within its noise; make runs longer, or give "
                    "it a wider bracket or an observable that it acts on"
                )
            nearest = np.argmin(np.sum(((self.y - self.goals) / self.tolerances) ** 2, axis=1))
            point = self.centre if self.scanning and "no root" in reason else self.u[nearest]
            return Found(point, None, None, self.y[nearest], np.zeros(m), np.inf, False, reason,
                         tuple(self.notes))  # fmt: skip
        root = self.root
        point = np.clip(self.centre_before + self.h_before * root, 0.0, 1.0)
        values = np.array([fit(root) for fit in self.fits])
        errors = np.array([fit.error(root) for fit in self.fits])
        finite = np.isfinite(errors).all()
        slopes = np.array([fit.gradient(root) for fit in self.fits]) / self.h_before
        both = errors**2 + self.tolerances**2
        answer = np.linalg.pinv(slopes / np.sqrt(both)[:, None]) / np.sqrt(both) if finite else None
        # A slope is noisy, too, and divided by: to second order of its relative error.
        doubt = np.array([fit.gradient_error(root) for fit in self.fits]) / self.h_before
        least = np.min(doubt / np.maximum(np.abs(slopes), 1e-300), axis=0)
        wider = 1.0 + 3.0 * min(float(np.max(least)), 1.0) ** 2
        if not self.converged:
            missing = errors > PRECISE * self.tolerances
            if reason.endswith("runs were made") and np.any(missing):
                j = int(np.argmax(errors / self.tolerances))
                reason += (
                    f"; the error of the observable is {errors[j]:.2g}, wanted is "
                    f"{PRECISE * self.tolerances[j]:.2g}: make runs longer, or more of them"
                )
        return Found(
            point=point,
            noise=None if answer is None else wider * (answer * errors**2) @ answer.T,
            total=None if answer is None else wider * (answer * both) @ answer.T,
            values=values,
            errors=errors,
            dof=min(fit.dof for fit in self.fits),
            converged=self.converged,
            reason=reason,
            notes=tuple(self.notes),
        )


def _vertex(where: Floats, away: Floats, k: int) -> float | None:
    """The extremum of the parabola through a point and its neighbours, if it lies between them."""
    if not 0 < k < len(where) - 1:
        return None
    curve, slope, _ = np.polyfit(where[k - 1 : k + 2] - where[k], away[k - 1 : k + 2], 2)
    if curve == 0 or curve * away[k] <= 0:  # a maximum of negative values, or the reverse
        return None
    at = float(where[k] - 0.5 * slope / curve)
    close = np.min(np.abs(where - at)) < 0.02
    return None if close or not where[k - 1] < at < where[k + 1] else at
