"""A measured target as an infinite liquid, although its g(r) end at half its box."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regrain.fits.structural.hnc import Liquid, RadialGrid, _Relation

__all__ = ["liquid_of", "short_ranged_factor"]

Floats = NDArray[np.float64]

#: The last part of the known g(r), over which it is led to 1, so that a cut through its waves does
#: not become a false compressibility.
TAPER = 0.25
#: Smallest structure factor that is believed, at the few longest waves.
LEAST_FACTOR, LONG_WAVES = 0.01, 4
#: How far below zero noise may bring it.
NOISE = 0.5
#: Root mean square of g - 1 there, beyond noise, up to which g has decayed.
DECAYED = 0.005


def liquid_of(
    grid: RadialGrid,
    g: Floats,
    error: Floats,
    *,
    densities: Sequence[float],
    cutoffs: Sequence[float],
    intra: Floats | None = None,
) -> Liquid:
    """The liquid of measured g(r), shape (pairs, points), with their errors.

    Where g(r) have decayed they are led to 1 over the last part of their range. As a box says
    little about waves as long as itself, the structure factors there are continued from the next
    two wave numbers as a + b k², and kept positive. Where some g(r) still has waves at its end, the
    structure factors are those of direct correlation functions which end with the potentials (of
    unbonded particles).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.hnc import RadialGrid
    >>> from regrain.fits.structural.hnc_target import liquid_of
    >>> grid = RadialGrid(spacing=0.05, points=100)
    >>> ideal = liquid_of(grid, np.ones((1, 100)), np.zeros((1, 100)), densities=[1], cutoffs=[2])
    >>> bool(np.allclose(ideal.structure_factor(), 1.0))
    True
    """
    relation = _Relation(grid, np.asarray(densities, dtype=float), intra)
    begin = (1.0 - TAPER) * grid.r[-1]
    if not decayed(grid, g, error):
        if intra is None:
            factors = short_ranged_factor(grid, g, densities=densities, cutoffs=cutoffs)
            return Liquid(grid, g, densities, factors)
        warnings.warn(
            f"g(r) of the target has not decayed to 1 at {grid.r[-1]:.4g}, half its box; what "
            "reaches further is cut there: give a larger box",
            UserWarning,
            stacklevel=2,
        )
    phase = np.clip((grid.r - begin) / (grid.r[-1] - begin), 0.0, 1.0)
    factors = relation.factors_of_h((g - 1.0) * np.cos(0.5 * np.pi * phase) ** 2)
    k = grid.k**2
    if intra is None:
        factors[0] = factors[1] + (factors[2] - factors[1]) / (k[2] - k[1]) * (k[0] - k[1])
    if np.min(np.linalg.eigvalsh(factors[:LONG_WAVES])) > -NOISE:  # else it is refused below
        factors[:LONG_WAVES] = _kept_positive(factors[:LONG_WAVES], LEAST_FACTOR)
    return Liquid(grid, g, densities, factors, intra)


def decayed(grid: RadialGrid, g: Floats, error: Floats, *, least: float = DECAYED) -> bool:
    """Whether all g(r), shape (pairs, points), are 1 over the last part of the grid, but for noise.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.hnc import RadialGrid
    >>> from regrain.fits.structural.hnc_target import decayed
    >>> grid = RadialGrid(spacing=0.05, points=100)
    >>> decayed(grid, 1.0 + 0.05 * np.sin(6 * grid.r)[None], np.zeros((1, 100)))
    False
    """
    last = grid.r > (1.0 - TAPER) * grid.r[-1]
    waves = np.mean((g - 1.0)[:, last] ** 2, axis=1) - np.mean(error[:, last] ** 2, axis=1)
    return bool(np.all(waves <= least**2))


def _kept_positive(matrices: Floats, least: float) -> Floats:
    values, vectors = np.linalg.eigh(matrices)
    kept = np.maximum(values, least)
    return np.asarray((vectors * kept[:, None, :]) @ np.swapaxes(vectors, 1, 2))


def short_ranged_factor(
    grid: RadialGrid,
    g: Floats,
    *,
    densities: Sequence[float],
    cutoffs: Sequence[float],
    steps: int = 20,
) -> Floats:
    """Structure factors of a liquid whose g(r) are known only as far as they still have waves.

    Cutting the waves off would make false long ones. What is short-ranged is c(r): beyond the
    cutoff of the potential it is h - ln(1 + h) in the closure, which is of second order. Inside it
    is found by Gauss-Newton steps so that the h(r) it gives, far beyond the grid as well, agrees
    with g(r) on the grid, errors weighing as those of counts.

    Parameters
    ----------
    grid : RadialGrid
    g : ndarray, shape (pairs, points)
    densities : sequence of float
        Of each type.
    cutoffs : sequence of float
        Of each pair.
    steps : int
        At most.

    Returns
    -------
    ndarray, shape (points, types, types)
        Positive, on ``grid.k``.

    Notes
    -----
    After L. Verlet, Phys. Rev. 165, 201 (1968).

    Loses / Assumes
    ---------------
    Potentials that end at their cutoffs, and a closure that holds beyond them: right for simple
    liquids, not for g(r) of molecules, where c(r) reaches further.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.hnc import Liquid, RadialGrid
    >>> from regrain.fits.structural.hnc_target import short_ranged_factor
    >>> grid = RadialGrid(spacing=0.05, points=400)
    >>> energy = 5 * np.exp(-(grid.r**2)) * (grid.r < 2.5)
    >>> liquid = Liquid.of_potential(grid, energy, density=1.0)
    >>> near = RadialGrid(spacing=0.05, points=70)
    >>> factor = short_ranged_factor(near, liquid.g[None, :70], densities=[1.0], cutoffs=[2.5])
    >>> exact = np.interp(near.k, grid.k, liquid.structure_factor())
    >>> bool(np.max(np.abs(factor[:, 0, 0] - exact)) < 2e-3)
    True
    """
    inside = [int(np.sum(grid.r < cutoff)) for cutoff in cutoffs]
    search = _ShortRanged(grid, g, np.asarray(densities, dtype=float), inside)
    c = search.start()
    for _ in range(steps):
        better = search.improved(c)
        if better is None:
            break
        c = better
    matrices = search.near.matrices(c[:, : grid.points])
    inverse = _kept_positive(np.eye(len(search.densities)) - matrices, 1e-3)
    return np.asarray(np.linalg.inv(inverse))


class _ShortRanged:
    """Least squares for c(r) inside the cutoffs, on a grid twice as wide as the data."""

    def __init__(
        self, grid: RadialGrid, g: Floats, densities: Floats, inside: Sequence[int]
    ) -> None:
        self.grid, self.g, self.densities, self.inside = grid, g, densities, inside
        self.near = _Relation(grid, densities)
        self.wide = _Relation(RadialGrid(grid.spacing, 2 * grid.points), densities)
        self.weight = self.near.scale[:, None] * grid.r  # one over the error of counts

    def start(self) -> Floats:
        """c(r) from structure factors that are kept positive, with the tail of the closure."""
        h, rest = self.g - 1.0, np.zeros_like(self.g)
        factors = self.wide.factors_of_h(np.concatenate([h, rest], axis=1))
        c = self.wide.c_of_factors(_kept_positive(factors, 0.05))
        tail = h - np.log(np.maximum(self.g, 1e-3))
        for pair, inside in enumerate(self.inside):
            c[pair, inside:] = np.append(tail[pair, inside:], rest[pair])
        while self.wide.factors_of_c(c, 0.02) is None:
            for pair, inside in enumerate(self.inside):
                c[pair, :inside] *= 0.9
        return c

    def misfit(self, c: Floats) -> tuple[Floats, Floats] | None:
        """Weighted difference from the data, and the structure factors; None if they diverge."""
        factors = self.wide.factors_of_c(c, 1e-3)
        if factors is None:
            return None
        h = self.wide.h(c, factors)[:, : self.grid.points]
        return ((self.g - 1.0 - h) * self.weight).reshape(-1), factors

    def improved(self, c: Floats) -> Floats | None:
        """c(r) after a Gauss-Newton step, shortened until it helps; None when it hardly does."""
        found = self.misfit(c)
        if found is None:
            return None
        left, factors = found
        slope = self.wide.h_of_c(factors, self.inside, self.grid.points)
        slope *= self.weight.reshape(-1, 1)
        normal = slope.T @ slope
        normal[np.diag_indices(len(normal))] += 1e-8 * np.trace(normal) / len(normal)
        change = np.split(np.linalg.solve(normal, slope.T @ left), np.cumsum(self.inside)[:-1])
        for part in 0.5 ** np.arange(10):
            trial = c.copy()
            for pair, inside in enumerate(self.inside):
                trial[pair, :inside] += part * change[pair]
            better = self.misfit(trial)
            if better is not None and better[0] @ better[0] < left @ left:
                return trial if better[0] @ better[0] < 0.99 * (left @ left) else None
        return None
