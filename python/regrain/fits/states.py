"""Several states at once: one set of potentials for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from regrain.errors import RegrainError
from regrain.fits.problem import Forms, Problem, pose
from regrain.fits.structure import Distribution, Interaction
from regrain.trace import Trace

__all__ = ["StatePoint"]


@dataclass(frozen=True, eq=False)
class StatePoint:
    """A target, and the state it was sampled at.

    A fit that is called with a sequence of these finds one set of potentials for all of them: one
    coarse run per state and iteration. States may differ in temperature, density, size and
    composition; a pair of types needs to be there in one of them only.

    Parameters
    ----------
    trace : Trace
        Of coarse particles.
    temperature : float, optional
        That of the fit when omitted.
    pressure : float, optional
        Wanted of the coarse model at this state; that of the fit when omitted.
    weight : float
        How much this state counts beside the others.

    Raises
    ------
    RegrainError
        A temperature or weight that is not positive, a pressure that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> rng = np.random.default_rng(1)
    >>> gas = [rg.particles.Particles(rng.random((200, 3)) * 5, box=[5, 5, 5]) for _ in range(20)]
    >>> trace = rg.Trace(gas, times=np.arange(20))
    >>> form = rg.particles.Table(r_min=0.0, r_max=2.0, points=21)
    >>> fit = rg.fits.BoltzmannInversion(pairs={("A", "A"): form}, temperature=1.0)
    >>> cold, hot = rg.fits.StatePoint(trace), rg.fits.StatePoint(trace, temperature=1.5)
    >>> [problem.temperature for problem in fit([cold, hot]).problems]
    [1.0, 1.5]
    """

    trace: Any
    _: KW_ONLY
    temperature: float | None = None
    pressure: float | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        for key in ("temperature", "weight"):
            value = getattr(self, key)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise RegrainError(f"StatePoint: {key} is {value}; give a positive number")
        if self.pressure is not None and not np.isfinite(self.pressure):
            raise RegrainError(
                f"StatePoint: pressure is {self.pressure}; give a finite number, or None"
            )


def pose_all(
    target: Any, forms: Forms, *, temperature: float, pressure: float | None, exclude: int
) -> tuple[Problem, ...]:
    """One problem per state, from a trace or a sequence of state points.

    Raises
    ------
    RegrainError
        What `pose` refuses, and states of different units.

    Examples
    --------
    >>> from regrain.fits.states import pose_all  # a fit calls it
    """
    points = _points(target)
    traces = [point.trace for point in points]
    problems = tuple(
        pose(
            point.trace,
            forms,
            temperature=temperature if point.temperature is None else point.temperature,
            pressure=pressure if point.pressure is None else point.pressure,
            weight=point.weight,
            exclude=exclude,
            beside=traces,
        )
        for point in points
    )
    unlike = sorted({problem.state.units for problem in problems})
    if len(unlike) > 1:
        raise RegrainError(
            f"the states are in different units ({', '.join(unlike)}); convert them to one"
        )
    return problems


def _points(target: Any) -> list[StatePoint]:
    if isinstance(target, StatePoint):
        return [target]
    if isinstance(target, Trace) or not isinstance(target, Sequence):
        return [StatePoint(target)]
    if not target or not all(isinstance(point, StatePoint) for point in target):
        raise RegrainError(
            "several states are given as a sequence of fits.StatePoint(trace, temperature=…), got "
            f"{[type(point).__name__ for point in target]}"
        )
    return list(target)


def fitted(problems: Sequence[Problem]) -> dict[str, Interaction]:
    """All interactions of these states by label, in the order of the forms.

    Examples
    --------
    >>> from regrain.fits.states import fitted
    >>> fitted([])
    {}
    """
    return {term.label: term for problem in problems[:1] for term in problem.terms}


def merged(problems: Sequence[Problem], label: str) -> Distribution:
    """The weighted mean of a distribution over the states that have it, as far as the shortest.

    Examples
    --------
    >>> from regrain.fits.states import merged  # an update calls it
    """
    having = [problem for problem in problems if label in problem.target]
    if len(having) == 1:
        return having[0].target[label]
    bins = min(len(problem.target[label].x) for problem in having)
    parts = [problem.target[label] for problem in having]
    weights = np.array([problem.weight for problem in having])
    weights /= weights.sum()
    return Distribution(
        parts[0].x[:bins],
        np.asarray(weights @ [part.value[:bins] for part in parts]),
        np.sqrt(weights**2 @ [part.error[:bins] ** 2 for part in parts]),
        np.min([part.dof[:bins] for part in parts], axis=0),
    )
