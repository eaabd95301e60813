"""Boltzmann inversion: the potential of mean force of a distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrain.fits.problem import Potentials, Problem
from regrain.fits.states import fitted, merged
from regrain.fits.structural.loop import StructureFit, Update
from regrain.fits.structural.records import Iteration
from regrain.fits.structural.shape import Shape

__all__ = ["BoltzmannInversion"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class BoltzmannInversion(StructureFit):
    """−kT ln of every distribution: bonded terms with their Jacobians, pairs as they are.

    The parameters are those of `StructureFit`; no coarse run is made unless ``iterations`` says so
    (one run measures what the potentials give, more do not change them).

    Loses / Assumes
    ---------------
    Every coordinate is taken to be independent of all others. That is exact for bonded terms of a
    stiff chain without neighbours and for pairs at vanishing density; in a liquid the potential of
    mean force of a pair holds the pressure of all neighbours as well, and a model made from it is
    too structured. Features narrower than ``smoothing`` times the range of a table are taken for
    noise.

    References
    ----------
    W. Tschöp et al., Acta Polym. 49, 61 (1998).

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> rng = np.random.default_rng(1)
    >>> gas = [rg.particles.Particles(rng.random((200, 3)) * 5, box=[5, 5, 5]) for _ in range(20)]
    >>> trace = rg.Trace(gas, times=np.arange(20))
    >>> form = rg.particles.Table(r_min=0.0, r_max=2.0, points=21)
    >>> result = rg.fits.BoltzmannInversion(pairs={("A", "A"): form}, temperature=1.0)(trace)
    >>> bool(abs(result.model.pairs["A", "A"].u(1.0)) < 0.2)  # an ideal gas has no forces
    True
    """

    iterations: int = 0

    def _update(self, problems: Sequence[Problem]) -> Update:
        return Inversion(problems, self.smoothing)


class Inversion(Update):
    """Also what other methods begin with; of several states the weighted mean."""

    def __init__(self, problems: Sequence[Problem], smoothing: float | None) -> None:
        self.problems = problems
        self.kt = float(np.mean([problem.kt for problem in problems]))
        self.shapes: dict[str, Shape] = {}
        self.start: Potentials = {}
        for label, term in fitted(problems).items():
            target = merged(problems, label)
            energy = self._mean(label, lambda p, g: -p.kt * np.log(g), len(target.x))
            shape = Shape.of(term, target, energy, smoothing)
            self.shapes[label] = shape
            self.start[label] = shape.finish(energy, self.kt)

    def _mean(self, label: str, of: Callable[[Problem, Floats], Floats], bins: int) -> Floats:
        """Weighted mean over the states of a function of g, where g is not zero."""
        total, weight = np.zeros(bins), np.zeros(bins)
        for problem in self.problems:
            if label in problem.target:
                g = problem.target[label].value[:bins]
                seen = g > 0
                total[seen] += problem.weight * of(problem, g[seen])
                weight[seen] += problem.weight
        return np.asarray(total / np.maximum(weight, 1e-300))

    def first(self) -> Potentials:
        return self.start

    def next(self, records: list[Iteration]) -> Potentials:
        return records[-1].potentials

    def errors(self, records: list[Iteration]) -> Potentials:
        return {
            label: self.kt * shape.relative_error(shape.target)
            for label, shape in self.shapes.items()
        }
