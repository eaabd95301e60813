"""Boltzmann inversion: the potential of mean force of a distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.loop import StructureFit, Update
from regrain.fits.problem import Potentials, Problem
from regrain.fits.records import Iteration
from regrain.fits.shaping import extrapolate, hat_matrix, smooth_onto
from regrain.fits.structure import Distribution, Interaction

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

    def _update(self, problem: Problem) -> Update:
        return _Inversion(problem, self.smoothing)


@dataclass(frozen=True, eq=False)
class _Inversion(Update):
    problem: Problem
    smoothing: float

    def first(self) -> Potentials:
        return {
            term.label: invert(
                term, self.problem.target[term.label], self.problem.kt, self.smoothing
            )
            for term in self.problem.interactions
        }

    def next(self, records: list[Iteration]) -> Potentials:
        return records[-1].potentials

    def errors(self, records: list[Iteration]) -> Potentials:
        return {
            term.label: inversion_error(term, self.problem.target[term.label], self.problem.kt)
            for term in self.problem.interactions
        }


def invert(term: Interaction, distribution: Distribution, kt: float, smoothing: float) -> Floats:
    """−kT ln of a distribution at the nodes of a form, smooth, with walls where nothing was seen.

    A pair potential ends at zero with no slope; a bonded one has its minimum at zero.

    Raises
    ------
    RegrainError
        The table starts where particles still meet, or hardly anything was sampled in it.
    """
    seen = in_table(term, distribution)
    energy = -kt * np.log(np.where(seen, distribution.value, 1.0))
    return finish(term, distribution, energy, kt, smoothing)


def in_table(term: Interaction, distribution: Distribution) -> NDArray[np.bool_]:
    """Bins that were sampled and that the table covers; complains where it should cover more.

    Raises
    ------
    RegrainError
        See `invert`.
    """
    seen = distribution.sampled(term.kind)
    x, low, high = distribution.x, term.nodes[0], term.nodes[-1]
    half = 0.5 * term.spacing
    outside = seen & (x < low - half)
    if np.any(outside):
        raise RegrainError(
            f"{term.label}: the table starts at {low:g}, but the target has particles as close as "
            f"{x[outside][0]:.4g}; give a smaller r_min"
        )
    inside = seen & (x > low) & (x < high)
    if np.count_nonzero(inside) < 3:
        raise RegrainError(
            f"{term.label}: hardly anything was sampled between {low:g} and {high:g} "
            f"({np.count_nonzero(inside)} bins stand out of their errors); give more frames, wider "
            "bins (fewer points) or another range"
        )
    return np.asarray(inside)


def finish(
    term: Interaction, distribution: Distribution, energy: Floats, kt: float, smoothing: float
) -> Floats:
    """A potential at the nodes from one at the bins of a distribution: smooth, ended, walled in.

    Bins are weighed by how often they were visited; those outside of the sampled range are not
    read.
    """
    seen = in_table(term, distribution)
    weight = np.where(seen, distribution.value * term.volume(distribution.x), 0.0)
    end = {"pair": "zero", "dihedral": "periodic"}.get(term.kind, "free")
    width = smoothing * term.width
    if term.kind == "pair":  # what is left at the cutoff is a constant without a force
        last = seen & (distribution.x > term.nodes[-1] - max(width, 2.0 * term.spacing))
        energy = energy - np.mean(energy[last]) if np.any(last) else energy
    values = smooth_onto(term.nodes, distribution.x, energy, weight, width=width, end=end)
    return walls(term, distribution, values, kt, width)


def walls(
    term: Interaction, distribution: Distribution, values: Floats, kt: float, width: float
) -> Floats:
    """Potential with unsampled nodes replaced by walls; bonded ones get their zero."""
    seen = in_table(term, distribution)
    first, last = sampled_nodes(term, distribution)
    x = distribution.x
    if term.kind == "dihedral":
        # Around a circle there is no outside: a gap is a barrier at least as high as its borders.
        near = hat_matrix(term.nodes, x[seen]).sum(axis=0) > 0
        near[0] = near[-1] = near[0] or near[-1]
        filled = np.where(near, values, values[near].max())
        return np.asarray(filled - filled[near].min())
    weight = distribution.value * term.volume(x) * seen
    mean = np.average(x, weights=weight)
    spread = float(np.average((x - mean) ** 2, weights=weight))
    over = max(3, round(0.5 * width / term.spacing) + 1)
    end = len(values) - 1 if term.kind == "pair" else last
    filled = extrapolate(term.nodes, values, first, end, stiffness=kt / spread, over=over)
    return filled if term.kind == "pair" else filled - filled.min()


def sampled_nodes(term: Interaction, distribution: Distribution) -> tuple[int, int]:
    """First and last node between sampled bins."""
    x = distribution.x[in_table(term, distribution)]
    inside = np.flatnonzero((term.nodes >= x[0] - 1e-9) & (term.nodes <= x[-1] + 1e-9))
    return int(inside[0]), int(inside[-1])


def inversion_error(term: Interaction, distribution: Distribution, kt: float) -> Floats:
    """Standard error of −kT ln at the nodes, bin by bin; the last known one further out."""
    seen = in_table(term, distribution)
    relative = kt * distribution.error[seen] / distribution.value[seen]
    return np.asarray(np.interp(term.nodes, distribution.x[seen], relative))
