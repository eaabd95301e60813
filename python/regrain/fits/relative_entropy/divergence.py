"""Relative entropy as a function of parameters, from histograms of a target and of one run.

With counts n_t of the coordinates of frame t in bins, every energy is n_t · u, so that all of

    S(θ) − S(θ₀) = β ⟨U − U₀⟩_target + ln ⟨exp(−β (U − U₀))⟩_run
    ∂S/∂θ = β ⟨∂U⟩_target − β ⟨∂U⟩
    ∂²S/∂θ∂θ = β ⟨∂²U⟩_target − β ⟨∂²U⟩ + β² cov(∂U, ∂U)

follows from the counts, with ⟨⟩ the mean over the frames of the run under their weights at θ
(M. S. Shell, J. Chem. Phys. 129, 144108 (2008); A. Chaimovich and M. S. Shell, J. Chem. Phys. 134,
094112 (2011)). With several states the sum over states counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from regrain import _core
from regrain.errors import RegrainError
from regrain.fits.problem import Potentials
from regrain.fits.relative_entropy.reweighting import Reweighted, reweight
from regrain.fits.relative_entropy.space import Space

__all__ = ["Comparison", "Counts", "Descent", "Divergence", "Point"]

Floats = NDArray[np.float64]

#: Curvature of S that is trusted, relative to that of the Fisher metric: less is taken for this.
LEAST_CURVATURE = 0.1
#: Samples per degree of freedom (parameters, but for what the penalty holds) below which the
#: off-diagonal part of the metric is held back.
SAMPLES_PER_PARAMETER = 3.0
#: By how much a step may raise the repulsive energy of the target per particle, in kT.
RISE = 1.0


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each bin of the coordinates is occupied, frame by frame.

    Parameters
    ----------
    rows : ndarray, shape (frames, bins)
    weights : ndarray, shape (frames,)

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.relative_entropy.divergence import Counts
    >>> Counts(np.array([[1, 0], [0, 1]]), np.array([3.0, 1.0])).mean.tolist()
    [0.75, 0.25]
    """

    rows: Floats
    weights: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", np.asarray(self.rows, dtype=float))

    @cached_property
    def mean(self) -> Floats:
        """Shape (bins,)."""
        return np.asarray(self.weights @ self.rows / self.weights.sum())

    def project(self, columns: Floats) -> Floats:
        """Sums of functions on the bins per frame, shape (frames, functions)."""
        return np.asarray(self.rows @ columns)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Target and run at one state.

    Parameters
    ----------
    beta : float
        1 / kT.
    target, run : Counts
    size : float
        Number of particles.
    weight : float
        Of the state among others.

    Examples
    --------
    >>> from regrain.fits.relative_entropy.divergence import Divergence  # its example makes them
    """

    beta: float
    target: Counts
    run: Counts
    size: float = 1.0
    weight: float = 1.0


class Divergence:
    """Relative entropy in nats (of the whole system), measured from the potentials that ran.

    Parameters
    ----------
    space : Space
    potentials : dict of str to ndarray
        That the runs were made with.
    states : sequence of Comparison

    Raises
    ------
    RegrainError
        A free parameter that neither target nor run says anything about.

    Loses / Assumes
    ---------------
    Energies are taken at the centres of the bins. Where the model can give the target, that moves
    no parameter however wide the bins are: both sides are measured with the same.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits import Free
    >>> from regrain.fits.relative_entropy.divergence import Comparison, Counts, Divergence
    >>> from regrain.fits.relative_entropy.space import Space, Unknown
    >>> from regrain.particles import HarmonicBond
    >>> rng, edges = np.random.default_rng(1), np.linspace(0.0, 4.0, 401)
    >>> def springs(k):  # in one dimension
    ...     x = 2.0 + rng.normal(size=(500, 50)) / np.sqrt(k)
    ...     return Counts(np.stack([np.histogram(row, edges)[0] for row in x]), np.ones(500))
    >>> form = Free(HarmonicBond(k=4.0, r0=2.0), "k")
    >>> space = Space([Unknown("bond A-A", "bond", form, 0.5 * (edges[1:] + edges[:-1]))])
    >>> start = {"bond A-A": form.values}
    >>> states = [Comparison(1.0, target=springs(5.0), run=springs(4.0), size=50)]
    >>> point = Divergence(space, start, states).minimum(share=0.3).point
    >>> bool(abs(np.exp(point.theta[0]) - 5.0) < 4 * 5.0 * point.errors()[0])
    True
    """

    def __init__(self, space: Space, potentials: Potentials, states: Sequence[Comparison]) -> None:
        self.space, self.ran, self.states = space, potentials, list(states)
        self.used = np.zeros(len(states[0].target.mean), dtype=bool)
        for state in states:
            self.used |= (state.target.mean > 0) | (state.run.mean > 0)
        self.before = space.energies(potentials, self.used)
        self.start = self.at(space.theta(potentials))
        self._check()

    def _check(self) -> None:
        silent = ~(np.diag(self.start.information) > 0)
        if np.any(silent):
            names = [name for name, bad in zip(self.space.names, silent, strict=True) if bad]
            raise RegrainError(
                f"{', '.join(names[:5])}: no sample of the coarse run depends on it, so it cannot "
                "be fitted; keep it fixed, start elsewhere, or give a target that has what it acts "
                "on"
            )

    def at(self, theta: Floats) -> Point:
        """Everything at these parameters; refuses those that make no potential."""
        potentials = self.space.potentials(theta, self.ran)
        energies = self.space.energies(potentials, self.used)
        change = energies - self.before
        weighed = [
            reweight(state.beta * state.run.project(change), weights=state.run.weights)
            for state in self.states
        ]
        return Point(self, theta, potentials, change, weighed)

    def minimum(self, *, share: float, radius: float = 1.0, steps: int = 30) -> Descent:
        """Reweighted Newton steps towards the minimum, while the frames are worth it.

        Parameters
        ----------
        share : float
            Least effective share of the frames.
        radius : float
            Longest step, in units of what is trusted.
        steps : int
            At most.
        """
        point, taken = self.start, 0
        while taken < steps:
            step = point.newton()
            if -float(point.gradient @ step) < 1e-3 * point.noise():
                return Descent(point, taken, "minimum")
            step = point.damped(radius)
            found, whole = self._search(point, step, share)
            if found is None or (taken == 0 and not whole):
                if taken == 0 and not _near(point):
                    return Descent(self._leap(point, step), 1, "leap")
                return Descent(found or point, taken, _end(found or point))
            point, taken = found, taken + 1
            if not whole:
                return Descent(point, taken, _end(point))
        return Descent(point, taken, "steps")

    def _search(self, point: Point, step: Floats, share: float) -> tuple[Point | None, bool]:
        """The longest of halved steps that lowers S and keeps the share; whether all kept it."""
        whole, gain = True, -float(point.gradient @ step)
        for halving in range(8):
            part = 0.5**halving
            try:
                trial = self.at(point.theta + part * step)
            except RegrainError:
                continue
            if trial.share < share:
                whole = False
            elif trial.value <= point.value - 1e-4 * part * gain:
                return trial, whole
        return None, whole

    def _leap(self, point: Point, step: Floats) -> Point:
        """A Newton step beyond what the frames can tell: the next run has to."""
        for halving in range(8):
            try:
                return self.at(point.theta + 0.5**halving * step)
            except RegrainError:
                continue
        raise RegrainError(
            f"{', '.join(self.space.names[:5])}: no step towards the target gives potentials that "
            "can be evaluated on its samples; start from parameters nearer to it"
        )


def _near(point: Point) -> bool:
    """Whether the minimum is closer than noise lets it be known: half an error."""
    return -float(point.gradient @ point.newton()) < 0.25 * point.noise()


def _end(point: Point) -> str:
    return "minimum" if _near(point) else "share"


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a descent ended, after how many steps, and why.

    Attributes
    ----------
    point : Point
    steps : int
    end : {"minimum", "share", "leap", "steps"}
        At the minimum, but for less than noise; where the frames of the run stopped being worth it;
        beyond that, in one step from the start; or after as many steps as were allowed.

    Examples
    --------
    >>> from regrain.fits.relative_entropy.divergence import Divergence  # its example makes them
    """

    point: Point
    steps: int
    end: str


@dataclass(frozen=True, eq=False)
class Point:
    """Relative entropy and its derivatives at some parameters.

    Attributes
    ----------
    theta : ndarray, shape (free,)
        Free parameters, positive ones as logarithms.
    potentials : dict of str to ndarray
    change : ndarray, shape (bins,)
        Energies minus those of the run.
    weighed : list of Reweighted
        The frames of the run of each state.

    Examples
    --------
    >>> from regrain.fits.relative_entropy.divergence import Divergence  # its example makes them
    """

    owner: Divergence
    theta: Floats
    potentials: Potentials
    change: Floats
    weighed: list[Reweighted]

    @property
    def share(self) -> float:
        """Effective share of the frames, at the state where it is smallest."""
        return min(weighed.share for weighed in self.weighed)

    @property
    def value(self) -> float:
        """S minus that of the run, with the penalty."""
        total = 0.0
        for state, weighed in zip(self.owner.states, self.weighed, strict=True):
            energy = state.beta * float(state.target.mean @ self.change)
            total += state.weight * (energy + weighed.log_ratio)
        return total + 0.5 * float(self.theta @ self.owner.space.penalty @ self.theta)

    @property
    def _as_at_start(self) -> bool:
        """Whether ∂u/∂θ is the same everywhere, and known."""
        start = getattr(self.owner, "start", self)
        return self.owner.space.linear and self is not start

    @cached_property
    def slopes(self) -> Floats:
        """∂u/∂θ, shape (bins, free)."""
        if self._as_at_start:
            return self.owner.start.slopes
        return self.owner.space.slopes(self.potentials, self.owner.used)

    @cached_property
    def _series(self) -> list[tuple[Floats, Floats]]:
        """∂U/∂θ per frame, of target and run of each state."""
        if self._as_at_start:
            return self.owner.start._series
        return [
            (state.target.project(self.slopes), state.run.project(self.slopes))
            for state in self.owner.states
        ]

    @cached_property
    def gradient(self) -> Floats:
        """∂S/∂θ with the penalty, shape (free,)."""
        total = self.owner.space.penalty @ self.theta
        for state, weighed, (_, run) in zip(
            self.owner.states, self.weighed, self._series, strict=True
        ):
            excess = state.target.mean @ self.slopes - weighed.mean(run)
            total = total + state.weight * state.beta * excess
        return np.asarray(total)

    @cached_property
    def information(self) -> Floats:
        """Fisher information β² cov(∂U, ∂U), shape (free, free)."""
        total = np.zeros((self.owner.space.size,) * 2)
        for state, weighed, (_, run) in zip(
            self.owner.states, self.weighed, self._series, strict=True
        ):
            away = run - weighed.mean(run)
            total += state.weight * state.beta**2 * (away.T @ (weighed.weights[:, None] * away))
        return total

    @cached_property
    def metric(self) -> Floats:
        """The information, safe to invert: with the penalty, held back where undersampled."""
        information, diagonal = self.information, np.diag(np.diag(self.information))
        shrink = np.clip(SAMPLES_PER_PARAMETER * self.freedom / self.samples - 1.0, 1e-9, 0.5)
        held = (1.0 - shrink) * information + shrink * diagonal
        return np.asarray(held + self.owner.space.penalty)

    @cached_property
    def freedom(self) -> float:
        """Number of parameters, but for what the penalty holds."""
        information = self.information
        held = information + self.owner.space.penalty + 1e-9 * np.diag(np.diag(information))
        return float(np.trace(np.linalg.solve(held, information)))

    @cached_property
    def samples(self) -> float:
        """Independent samples of the run, by the autocorrelation of ∂U/∂θ, at the poorest state."""
        found = []
        for weighed, (_, run) in zip(self.weighed, self._series, strict=True):
            spread = run.std(axis=0)
            moving = run[:, spread > 0] / spread[spread > 0]
            if moving.shape[1] == 0:
                continue
            error = _core.mean_errors(np.ascontiguousarray(moving), np.ones(len(run)))[1]
            found.append(min(moving.shape[1] / float(np.sum(error**2)), len(run)) * weighed.share)
        return max(min(found, default=1.0), 1.0)

    @cached_property
    def _curvature(self) -> Floats:
        """Of S, with less than the least curvature taken for that, shape (free, free)."""
        used, space = self.owner.used, self.owner.space
        if space.linear:
            return self.metric
        curvature = np.array(self.metric)
        for state, weighed in zip(self.owner.states, self.weighed, strict=True):
            excess = state.target.mean - weighed.weights @ state.run.rows
            bends = space.bends(self.potentials, used, excess)
            curvature += state.weight * state.beta * bends
        values, vectors = eigh(curvature, self.metric)
        back = self.metric @ vectors
        return np.asarray((back * np.maximum(values, LEAST_CURVATURE)) @ back.T)

    @cached_property
    def _inverse(self) -> Floats:
        inverse = np.linalg.inv(self._curvature)
        return np.asarray(0.5 * (inverse + inverse.T))

    def newton(self) -> Floats:
        """The step to where the quadratic expansion of S has its minimum."""
        return np.asarray(-self._inverse @ self.gradient)

    def damped(self, radius: float = 1.0) -> Floats:
        """Newton's step, held back within what is trusted (Levenberg and Marquardt).

        Soft directions are held back first: in stiff ones the step stays Newton's.
        """
        if self.largest(self.newton()) <= radius:
            return self.newton()
        units = self._units
        values, vectors = eigh(self._curvature * np.outer(units, units))
        force = vectors.T @ (units * self.gradient)

        def step(damping: float) -> Floats:
            return np.asarray(-units * (vectors @ (force / (values + damping))))

        low, high = 1e-12 * float(values.max()), float(values.max())
        while self.largest(step(high)) > radius:
            high *= 10.0
        for _ in range(40):
            middle = float(np.sqrt(low * high))
            low, high = (middle, high) if self.largest(step(middle)) > radius else (low, middle)
        return step(high)

    @cached_property
    def _units(self) -> Floats:
        """The largest step of each parameter alone, shape (free,)."""
        return np.array([1.0 / max(self._length(row), 1e-6) for row in np.eye(len(self.theta))])

    def largest(self, step: Floats) -> float:
        """A step in units of the largest that is trusted."""
        return max(self._length(step), self._rise(step))

    def _length(self, step: Floats) -> float:
        space, worst = self.owner.space, 0.0
        for state in self.owner.states:
            for unknown, bins, place in zip(space.unknowns, space.bins, space.places, strict=True):
                seen = state.target.mean[bins] > 0
                worst = max(
                    worst, unknown.largest(step[place], self.slopes[bins, place][seen], state.beta)
                )
        return worst

    def _rise(self, step: Floats) -> float:
        """By how much the repulsion in the target would rise, over what is trusted.

        Potentials that keep apart what meets in the target are steeper than any expansion says.
        """
        owner = self.owner
        try:
            after = owner.space.energies(
                owner.space.potentials(self.theta + step, self.potentials), owner.used
            )
        except RegrainError:
            return np.inf
        now = owner.before + self.change
        rise = np.maximum(after, 0.0) - np.maximum(now, 0.0)
        return max(
            state.beta * float(state.target.mean @ rise) / (RISE * state.size)
            for state in owner.states
        )

    def _influence(self, columns: Floats, *, runs: float = 1.0) -> Floats:
        """Variance of columns · gradient from the sampling of both sides, one per column.

        That of the run counts so many times.
        """
        total = np.zeros(columns.shape[1])
        for state, weighed, (target, run) in zip(
            self.owner.states, self.weighed, self._series, strict=True
        ):
            scale = state.weight * state.beta
            own = np.ascontiguousarray(target @ columns)
            total += (scale * _core.mean_errors(own, state.target.weights)[1]) ** 2
            total += runs * (scale * weighed.error(run @ columns)) ** 2
        return total

    def errors(self) -> Floats:
        """Standard errors of θ at a minimum, from the sampling of target and run, shape (free,).

        The inverse Hessian takes the noise of the gradient, with its autocorrelations, to θ. That
        holds also where the model cannot give the target, as the inverse Hessian alone does not.
        """
        return np.sqrt(self._influence(self._inverse))

    def noise(self, *, runs: float = 1.0) -> float:
        """What a Newton step gains on average from noise alone: tr(H⁻¹ cov(gradient))."""
        root: Floats = np.asarray(np.linalg.cholesky(self._inverse), dtype=np.float64)
        return float(np.sum(self._influence(root, runs=runs)))

    def sigmas(self) -> float:
        """Length of the gradient in units of its noise, in the metric of Newton's step.

        The noise is that of the target, of the run, and of one like it that the parameters are
        from: where they are its minimum the gradient has both.
        """
        noise = self.noise(runs=2.0)
        return float(np.sqrt(self.gradient @ self._inverse @ self.gradient / noise))
