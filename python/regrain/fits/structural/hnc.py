"""The hypernetted-chain theory of liquids, and how g(r) answers a change of potential.

All functions of the distance live on a half-shifted grid, r_i = (i + 1/2) dr: its points are the
centres of histogram bins, so that a measured g(r) enters as it was measured. There the radial
Fourier transform is a type-IV sine transform, which is its own inverse to round-off.

Of a mixture, functions have a row for each pair of types, (0, 0), (0, 1), … (n-1, n-1), and
matrices between types are written with the square roots of the densities, D = diag(√ρ), on both
sides: the structure factors are S = Ω + D ĥ D, where Ω is what particles of one molecule do (the
unit matrix without bonds), and the Ornstein-Zernike relation is S⁻¹ = Ω⁻¹ - D ĉ D.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dst
from scipy.linalg import solve

from regrain.errors import RegrainError

__all__ = ["Liquid", "RadialGrid", "pairs_of", "virial_pressure"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RadialGrid:
    """Distances r_i = (i + 1/2) dr and wave numbers k_j = (j + 1/2) π / (points dr).

    Parameters
    ----------
    spacing : float
        dr.
    points : int
        Number of distances, and of wave numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.hnc import RadialGrid
    >>> grid = RadialGrid(spacing=0.05, points=400)
    >>> transform = grid.to_k(np.exp(-(grid.r**2)))
    >>> bool(np.allclose(transform, np.pi**1.5 * np.exp(-(grid.k**2) / 4), atol=1e-12))
    True
    """

    spacing: float
    points: int

    @property
    def r(self) -> Floats:
        """Distances, shape (points,)."""
        return np.asarray((np.arange(self.points) + 0.5) * self.spacing, dtype=np.float64)

    @property
    def k(self) -> Floats:
        """Wave numbers, shape (points,)."""
        step = np.pi / (self.points * self.spacing)
        return np.asarray((np.arange(self.points) + 0.5) * step, dtype=np.float64)

    def to_k(self, f: Floats) -> Floats:
        """Three-dimensional Fourier transform of a radial function, along the first axis."""
        r, k = self._columns(f)
        transform: Floats = dst(r * f, type=4, axis=0)
        return np.asarray(2.0 * np.pi * self.spacing / k * transform, dtype=np.float64)

    def to_r(self, f: Floats) -> Floats:
        """Inverse of `to_k`."""
        r, k = self._columns(f)
        step = np.pi / (self.points * self.spacing)
        transform: Floats = dst(k * f, type=4, axis=0)
        return np.asarray(step / (4.0 * np.pi**2 * r) * transform, dtype=np.float64)

    def _columns(self, f: Floats) -> tuple[Floats, Floats]:
        shape = (-1,) + (1,) * (f.ndim - 1)
        return self.r.reshape(shape), self.k.reshape(shape)


@dataclass(frozen=True, eq=False)
class Liquid:
    """A homogeneous liquid of one or several types seen through the HNC closure.

    The Ornstein-Zernike relation defines the direct correlation functions c from h = g - 1; the
    closure sets βu = h - c - ln g for every pair, that is, it drops the bridge functions.

    Parameters
    ----------
    grid : RadialGrid
    g : ndarray, shape (points,) for one type, else (pairs, points)
        Radial distribution functions, between molecules; taken to be 1 beyond the grid. Pairs are
        in the order of `pairs_of`.
    density : float, or sequence of float
        Particles per volume, of each type.
    factor : ndarray, shape (points,) or (points, types, types), optional
        Structure factors, where they are known better than as the transform of g.
    intra : ndarray, shape (points, types, types), optional
        Ω_ab = Σ_ij ⟨sin kr_ij / kr_ij⟩ / √(N_a N_b) over i of type a and j of type b in one
        molecule, i = j included. Unbonded when omitted.

    Raises
    ------
    RegrainError
        The structure factor of g is not positive: g is not that of a homogeneous liquid.

    Notes
    -----
    J.-P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed., ch. 3, 4 and 11 (molecules:
    the site-site relation, RISM, of D. Chandler and H. C. Andersen, J. Chem. Phys. 57, 1930
    (1972)). The derivative is what F. Delbary, M. Hanke and D. Ivanizki, J. Inverse Ill-Posed
    Probl. 28 (2020), M. P. Bernhardt, M. Hanke and N. F. A. van der Vegt, J. Chem. Phys. 154,
    084118 (2021) and J. Chem. Theory Comput. 19, 580 (2023) iterate with.

    Loses / Assumes
    ---------------
    Bridge diagrams: exact to first order in the density, good for soft particles and dense simple
    liquids, bad near a spinodal. g must have decayed to 1 at the end of the grid. Of molecules, all
    sites of one type are taken to be alike, and their shape does not answer.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.hnc import Liquid, RadialGrid
    >>> grid = RadialGrid(spacing=0.05, points=200)
    >>> energy = np.exp(-(grid.r**2))  # Gaussian core, in units of kT
    >>> liquid = Liquid.of_potential(grid, energy, density=0.3)
    >>> bool(np.allclose(liquid.potential(), energy, atol=1e-9))
    True
    >>> energies = np.array([energy, 2 * energy, energy])
    >>> mixed = Liquid.of_potential(grid, energies, density=[0.2, 0.1])
    >>> mixed.g.shape, mixed.structure_factor().shape
    ((3, 200), (200, 2, 2))
    """

    grid: RadialGrid
    g: Floats
    density: float | Sequence[float]
    factor: Floats | None = None
    intra: Floats | None = None

    def __post_init__(self) -> None:
        least = np.linalg.eigvalsh(self._matrices)[:, 0]
        if not np.all(least > 0):
            worst = int(np.argmin(least))
            raise RegrainError(
                f"the structure factor from g(r) is {least[worst]:.3g} at k = "
                f"{self.grid.k[worst]:.3g}, but it must be positive everywhere; g(r) is too noisy "
                "or too short: give more frames or a larger box"
            )

    @classmethod
    def of_potential(
        cls,
        grid: RadialGrid,
        energy: Floats,
        *,
        density: float | Sequence[float],
        intra: Floats | None = None,
        tolerance: float = 1e-12,
        steps: int = 200,
    ) -> Liquid:
        """Solve the HNC equation for potentials in units of kT, by Newton steps in γ = h - c.

        ``energy`` is of the shape of ``g``. The densities are raised in stages when the full step
        does not converge.

        Raises
        ------
        RegrainError
            No solution is found (inside the spinodal there is none).
        """
        rho, u = np.atleast_1d(np.asarray(density, dtype=float)), np.atleast_2d(energy)
        gamma = np.zeros_like(u)
        reached, stage = 0.0, 1.0
        for _ in range(steps):
            part = min(reached + stage, 1.0)
            trial = _solve_hnc(_Relation(grid, part * rho, intra), u, gamma, tolerance)
            if trial is None:
                stage *= 0.5
                if stage < 1e-4:
                    break
                continue
            gamma, reached = trial, part
            if reached == 1.0:
                g = np.exp(gamma - u).reshape(np.shape(energy))
                return cls(grid, g, density, intra=intra)
        raise RegrainError(
            f"the HNC equation has no solution that could be reached beyond density "
            f"{reached * rho.sum():.4g} (asked: {rho.sum():g}); the potential may be unstable or "
            "inside its spinodal"
        )

    @cached_property
    def relation(self) -> _Relation:
        """The Ornstein-Zernike relation at these densities."""
        rho = np.atleast_1d(np.asarray(self.density, dtype=float))
        return _Relation(self.grid, rho, self.intra)

    @cached_property
    def _matrices(self) -> Floats:
        if self.factor is None:
            return self.relation.factors_of_h(np.atleast_2d(self.g - 1.0))
        return np.reshape(self.factor, (self.grid.points, self.relation.types, -1))

    def structure_factor(self) -> Floats:
        """S(k) on ``grid.k``: shape (points,) for one type, else (points, types, types)."""
        return self._matrices[:, 0, 0] if np.ndim(self.density) == 0 else self._matrices

    def direct_correlation(self) -> Floats:
        """c(r) of the Ornstein-Zernike relation."""
        return self.relation.c_of_factors(self._matrices).reshape(self.g.shape)

    def potential(self) -> Floats:
        """βu(r) whose HNC solution is g; infinite where g is 0."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.g - 1.0 - self.direct_correlation() - np.log(self.g))

    def response(self, directions: Floats | None = None) -> Floats:
        """δg(r_i) / δ(βu(r_j)), or how g answers given changes of βu: the linearised HNC equation.

        Parameters
        ----------
        directions : ndarray, shape (pairs * points, n), optional
            Changes of βu, pair after pair; each single value when omitted.

        Returns
        -------
        ndarray, shape (pairs * points, n)

        Notes
        -----
        δ(DĥD) = S δ(DĉD) S and δh = g (−δβu + δh − δc). The form used here, ``(1 − g) δh + g δc =
        −g δβu`` with δc as the unknown, needs no division by g or by S and so is right in the core,
        where nothing moves, and for rigid molecules, whose Ω cannot be inverted at small k.
        """
        g = np.atleast_2d(self.g).reshape(-1)
        answer = self.relation.h_of_c(self._matrices)
        system = (1.0 - g)[:, None] * answer
        system[np.diag_indices(len(g))] += g
        asked = np.diag(-g) if directions is None else -g[:, None] * directions
        return np.asarray(answer @ solve(system, asked, overwrite_a=True, overwrite_b=True))


@dataclass(frozen=True, eq=False)
class _Relation:
    """The Ornstein-Zernike relation between rows of pairs, by way of matrices of types."""

    grid: RadialGrid
    densities: Floats
    intra: Floats | None = None

    @property
    def types(self) -> int:
        return len(self.densities)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        return pairs_of(self.types)

    @cached_property
    def own(self) -> Floats:
        """Ω, shape (points or 1, types, types)."""
        return np.eye(self.types)[None] if self.intra is None else self.intra

    @cached_property
    def scale(self) -> Floats:
        """√(ρ_a ρ_b) of every pair."""
        return np.array([np.sqrt(self.densities[a] * self.densities[b]) for a, b in self.pairs])

    def matrices(self, rows: Floats) -> Floats:
        """D f̂ D, shape (points, types, types), of functions of r, shape (pairs, points)."""
        transforms = self.grid.to_k(rows.T) * self.scale
        found = np.empty((len(transforms), self.types, self.types))
        for row, (a, b) in zip(transforms.T, self.pairs, strict=True):
            found[:, a, b] = found[:, b, a] = row
        return found

    def rows(self, matrices: Floats) -> Floats:
        """Back from `matrices`."""
        upper = np.stack([matrices[:, a, b] for a, b in self.pairs], axis=1)
        return self.grid.to_r(upper / self.scale).T

    def factors_of_h(self, h: Floats) -> Floats:
        """S from h."""
        return self.own + self.matrices(h)

    def factors_of_c(self, c: Floats, least: float = 0.0) -> Floats | None:
        """S from c; None where it diverges (an eigenvalue of S⁻¹ Ω is not above ``least``)."""
        inverse = np.eye(self.types) - self.own @ self.matrices(c)
        if np.min(np.linalg.eigvals(inverse).real) <= least:
            return None
        return np.asarray(np.linalg.solve(inverse, np.broadcast_to(self.own, inverse.shape)))

    def c_of_factors(self, factors: Floats) -> Floats:
        """c from S."""
        return self.rows(np.linalg.inv(self.own) - np.linalg.inv(factors))

    def h(self, c: Floats, factors: Floats) -> Floats:
        """h from c and the S that goes with it; exact also where S hardly differs from Ω."""
        return self.rows(self.own @ self.matrices(c) @ factors)

    def h_of_c(
        self, factors: Floats, columns: Sequence[int] | None = None, rows: int | None = None
    ) -> Floats:
        """δh / δc as a matrix between all pairs and distances, or the first so many of them."""
        n, pairs = self.grid.points, self.pairs
        columns = [n] * len(pairs) if columns is None else columns
        waves = self.grid.to_k(np.eye(n)[:, : max(columns)])
        rows = n if rows is None else rows
        found = np.empty((len(pairs) * rows, sum(columns)))
        starts = np.cumsum([0, *columns])
        for p, (a, b) in enumerate(pairs):
            for q, (c, d) in enumerate(pairs):
                kernel = factors[:, a, c] * factors[:, d, b]
                if c != d:
                    kernel = kernel + factors[:, a, d] * factors[:, c, b]
                kernel = kernel * (self.scale[q] / self.scale[p])
                block = self.grid.to_r(kernel[:, None] * waves[:, : columns[q]])
                found[p * rows : (p + 1) * rows, starts[q] : starts[q + 1]] = block[:rows]
        return found


def pairs_of(types: int) -> list[tuple[int, int]]:
    """The order of the pairs of types in rows.

    Examples
    --------
    >>> from regrain.fits.structural.hnc import pairs_of
    >>> pairs_of(2)
    [(0, 0), (0, 1), (1, 1)]
    """
    return [(a, b) for a in range(types) for b in range(a, types)]


def _solve_hnc(
    relation: _Relation, energy: Floats, gamma: Floats, tolerance: float
) -> Floats | None:
    """γ of the HNC solution at one density, from a guess; None when Newton's method fails."""
    for _ in range(30):
        boltzmann = np.exp(np.minimum(gamma - energy, 50.0))
        c = boltzmann - 1.0 - gamma
        factors = relation.factors_of_c(c)
        if factors is None:
            return None
        residual = relation.h(c, factors) - c - gamma
        if np.max(np.abs(residual)) < tolerance:
            return gamma
        # d(residual) = (dh/dc - 1) dc - dgamma, and dc = (exp(gamma - u) - 1) dgamma
        slope = relation.h_of_c(factors)
        slope[np.diag_indices(slope.shape[0])] -= 1.0
        slope *= (boltzmann - 1.0).reshape(-1)
        slope[np.diag_indices(slope.shape[0])] -= 1.0
        step = solve(slope, residual.reshape(-1), overwrite_a=True)
        gamma = gamma - step.reshape(gamma.shape)
        if not np.all(np.isfinite(gamma)):
            return None
    return None


def virial_pressure(r: Floats, g: Floats, force: Floats, *, density: float, kt: float) -> float:
    """Pressure of a pair potential from g(r): ρ kT + (2π/3) ρ² ∫ g f r³ dr, f = −du/dr.

    Parameters
    ----------
    r, g, force : ndarray, shape (n,)
        Equally spaced distances, and there g and the force.
    density, kt : float

    Returns
    -------
    float
        In energy per volume.

    Loses / Assumes
    ---------------
    Pair forces only, all of them inside the grid.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.hnc import virial_pressure
    >>> r = np.linspace(0.0, 3.0, 301)
    >>> virial_pressure(r, np.ones(301), np.zeros(301), density=0.5, kt=2.0)
    1.0
    """
    integral = float(np.sum(g * force * r**3) * (r[1] - r[0]))
    return density * kt + 2.0 * np.pi / 3.0 * density**2 * integral
