"""Boltzmann inversion: the potential of mean force of a distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regrain.fits.loop import StructureFit, Update
from regrain.fits.problem import Potentials, Problem
from regrain.fits.records import Iteration
from regrain.fits.shape import Shape

__all__ = ["BoltzmannInversion"]


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

    def _update(self, problem: Problem) -> Update:
        return Inversion(problem, self.smoothing)


class Inversion(Update):
    """Also what other methods begin with."""

    def __init__(self, problem: Problem, smoothing: float | None) -> None:
        self.problem, kt = problem, problem.kt
        self.shapes: dict[str, Shape] = {}
        self.start: Potentials = {}
        for term in problem.interactions:
            found = problem.target[term.label]
            with np.errstate(divide="ignore"):
                energy = np.where(found.value > 0, -kt * np.log(found.value), 0.0)
            shape = Shape.of(term, found, energy, smoothing)
            self.shapes[term.label] = shape
            self.start[term.label] = shape.finish(energy, kt)

    def first(self) -> Potentials:
        return self.start

    def next(self, records: list[Iteration]) -> Potentials:
        return records[-1].potentials

    def errors(self, records: list[Iteration]) -> Potentials:
        return {
            label: self.problem.kt * shape.relative_error(shape.target)
            for label, shape in self.shapes.items()
        }
