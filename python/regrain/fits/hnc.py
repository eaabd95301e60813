"""The hypernetted-chain theory of a simple liquid, and how g(r) answers a change of potential.

All functions of the distance live on a half-shifted grid, r_i = (i + 1/2) dr: its points are the
centres of histogram bins, so that a measured g(r) enters as it was measured. There the radial
Fourier transform is a type-IV sine transform, which is its own inverse to round-off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dst
from scipy.linalg import solve

from regrain.errors import RegrainError

__all__ = ["Liquid", "RadialGrid", "short_ranged_factor", "virial_pressure"]

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
    >>> from regrain.fits.hnc import RadialGrid
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
    """A homogeneous one-component liquid seen through the HNC closure.

    The Ornstein-Zernike relation defines the direct correlation function c from h = g - 1, in
    Fourier space ĉ = ĥ / (1 + ρ ĥ); the closure sets βu = h - c - ln g, that is, it drops the
    bridge function.

    Parameters
    ----------
    grid : RadialGrid
    g : ndarray, shape (grid.points,)
        Radial distribution function; taken to be 1 beyond the grid.
    density : float
        Particles per volume.
    factor : ndarray, shape (grid.points,), optional
        Structure factor, where it is known better than as the transform of g.

    Raises
    ------
    RegrainError
        The structure factor of g is not positive: g is not that of a homogeneous liquid.

    Notes
    -----
    J.-P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed., ch. 3 and 4. The derivative
    is what F. Delbary, M. Hanke and D. Ivanizki, J. Inverse Ill-Posed Probl. 28 (2020), and
    M. P. Bernhardt, M. Hanke and N. F. A. van der Vegt, J. Chem. Phys. 154, 084118 (2021) iterate
    with.

    Loses / Assumes
    ---------------
    Bridge diagrams: exact to first order in the density, good for soft particles and dense simple
    liquids, bad near a spinodal. g must have decayed to 1 at the end of the grid.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.hnc import Liquid, RadialGrid
    >>> grid = RadialGrid(spacing=0.05, points=400)
    >>> energy = np.exp(-(grid.r**2))  # Gaussian core, in units of kT
    >>> liquid = Liquid.of_potential(grid, energy, density=0.3)
    >>> bool(np.allclose(liquid.potential(), energy, atol=1e-9))
    True
    """

    grid: RadialGrid
    g: Floats
    density: float
    factor: Floats | None = None

    def __post_init__(self) -> None:
        factor = self.structure_factor()
        if not np.all(factor > 0):
            worst = int(np.argmin(factor))
            raise RegrainError(
                f"the structure factor from g(r) is {factor[worst]:.3g} at k = "
                f"{self.grid.k[worst]:.3g}, but it must be positive everywhere; g(r) is too noisy "
                "or too short: give more frames or a larger box"
            )

    @classmethod
    def of_potential(
        cls,
        grid: RadialGrid,
        energy: Floats,
        *,
        density: float,
        tolerance: float = 1e-12,
        steps: int = 200,
    ) -> Liquid:
        """Solve the HNC equation for a potential in units of kT, by Newton steps in γ = h - c.

        The density is raised in stages when the full step does not converge.

        Raises
        ------
        RegrainError
            No solution is found (inside the spinodal there is none).
        """
        gamma = np.zeros(grid.points)
        reached, stage = 0.0, density
        for _ in range(steps):
            trial = _solve_hnc(grid, energy, min(reached + stage, density), gamma, tolerance)
            if trial is None:
                stage *= 0.5
                if stage < 1e-4 * density:
                    break
                continue
            gamma, reached = trial, min(reached + stage, density)
            if reached == density:
                return cls(grid, np.exp(gamma - energy), density)
        raise RegrainError(
            f"the HNC equation has no solution that could be reached beyond density {reached:.4g} "
            f"(asked: {density:g}); the potential may be unstable or inside its spinodal"
        )

    def structure_factor(self) -> Floats:
        """S(k) = 1 + ρ ĥ(k) on ``grid.k``."""
        if self.factor is not None:
            return self.factor
        return np.asarray(1.0 + self.density * self.grid.to_k(self.g - 1.0))

    def direct_correlation(self) -> Floats:
        """c(r) of the Ornstein-Zernike relation."""
        return self.grid.to_r((1.0 - 1.0 / self.structure_factor()) / self.density)

    def potential(self) -> Floats:
        """βu(r) whose HNC solution is g; infinite where g is 0."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.g - 1.0 - self.direct_correlation() - np.log(self.g))

    def response(self) -> Floats:
        """δg(r_i) / δ(βu(r_j)), shape (points, points): the linearised HNC equation.

        From δc = F⁻¹ S⁻² F δh and δh = g (−δβu + δh − δc); the form used here, ``(1 − g) δh + g δc
        = −g δβu``, needs no division by g and so is right in the core, where nothing moves.
        """
        n = self.grid.points
        inverse_square = self.structure_factor() ** -2.0
        dc_dh = self.grid.to_r(inverse_square[:, None] * self.grid.to_k(np.eye(n)))
        system = np.diag(1.0 - self.g) + self.g[:, None] * dc_dh
        return np.asarray(solve(system, -np.diag(self.g)))


def _solve_hnc(
    grid: RadialGrid, energy: Floats, density: float, gamma: Floats, tolerance: float
) -> Floats | None:
    """γ of the HNC solution at one density, from a guess; None when Newton's method fails."""
    n = grid.points
    for _ in range(30):
        boltzmann = np.exp(np.minimum(gamma - energy, 50.0))
        c = boltzmann - 1.0 - gamma
        transform = grid.to_k(c)
        denominator = 1.0 - density * transform
        if np.any(denominator <= 0):
            return None
        residual = grid.to_r(density * transform**2 / denominator) - gamma
        if np.max(np.abs(residual)) < tolerance:
            return gamma
        # d(residual)/d(gamma) = F^-1 [rho c (2 - rho c) / (1 - rho c)^2] F dc/dgamma - 1
        weight = 1.0 / denominator**2 - 1.0
        slope = grid.to_r(weight[:, None] * grid.to_k(np.diag(boltzmann - 1.0)))
        gamma = gamma - np.linalg.solve(slope - np.eye(n), residual)
        if not np.all(np.isfinite(gamma)):
            return None
    return None


def short_ranged_factor(
    grid: RadialGrid, g: Floats, *, density: float, cutoff: float, steps: int = 20
) -> Floats:
    """Structure factor of a liquid whose g(r) is known only as far as it still has waves.

    Cutting the waves off would make false long ones. What is short-ranged is c(r): beyond the
    cutoff of the potential it is h - ln(1 + h) in the closure, which is of second order. Inside it
    is found by Gauss-Newton steps so that the h(r) it gives, far beyond the grid as well, agrees
    with g(r) on the grid, errors weighing as those of counts.

    Parameters
    ----------
    grid : RadialGrid
    g : ndarray, shape (grid.points,)
    density, cutoff : float
    steps : int
        At most.

    Returns
    -------
    ndarray, shape (grid.points,)
        Positive, on ``grid.k``.

    Notes
    -----
    After L. Verlet, Phys. Rev. 165, 201 (1968).

    Loses / Assumes
    ---------------
    A potential that ends at the cutoff, and a closure that holds beyond it: right for simple
    liquids, not for g(r) of molecules, where c(r) reaches further.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.hnc import Liquid, RadialGrid, short_ranged_factor
    >>> grid = RadialGrid(spacing=0.05, points=400)
    >>> energy = 5 * np.exp(-(grid.r**2)) * (grid.r < 2.5)
    >>> liquid = Liquid.of_potential(grid, energy, density=1.0)
    >>> near = RadialGrid(spacing=0.05, points=70)
    >>> factor = short_ranged_factor(near, liquid.g[:70], density=1.0, cutoff=2.5)
    >>> exact = np.interp(near.k, grid.k, liquid.structure_factor())
    >>> bool(np.max(np.abs(factor - exact)) < 2e-3)
    True
    """
    search = _ShortRanged(grid, g, density, int(np.sum(grid.r < cutoff)))
    c = search.start()
    for _ in range(steps):
        better = search.improved(c)
        if better is None:
            break
        c = better
    return np.asarray(1.0 / np.maximum(1.0 - density * grid.to_k(c[: grid.points]), 1e-3))


class _ShortRanged:
    """Least squares for c(r) inside a cutoff, on a grid twice as wide as the data."""

    def __init__(self, grid: RadialGrid, g: Floats, density: float, inside: int) -> None:
        self.grid, self.g, self.density, self.inside = grid, g, density, inside
        self.wide = RadialGrid(grid.spacing, 2 * grid.points)
        self.waves = self.wide.to_k(np.eye(2 * grid.points)[:, :inside])

    def start(self) -> Floats:
        """c(r) from a structure factor that is kept positive, with the tail of the closure."""
        h, rest = self.g - 1.0, np.zeros(self.grid.points)
        factor = np.maximum(1.0 + self.density * self.wide.to_k(np.append(h, rest)), 0.05)
        c = self.wide.to_r((1.0 - 1.0 / factor) / self.density)
        tail = (h - np.log(np.maximum(self.g, 1e-3)))[self.inside :]
        c[self.inside :] = np.append(tail, rest)
        while np.any(1.0 - self.density * self.wide.to_k(c) < 0.02):
            c[: self.inside] *= 0.9
        return c

    def misfit(self, c: Floats) -> tuple[Floats, Floats] | None:
        """Weighted difference from the data, and the structure factor; None if it diverges."""
        transform = self.wide.to_k(c)
        inverse = 1.0 - self.density * transform
        if np.any(inverse <= 1e-3):
            return None
        h = self.wide.to_r(transform / inverse)[: self.grid.points]
        return (self.g - 1.0 - h) * self.grid.r, 1.0 / inverse

    def improved(self, c: Floats) -> Floats | None:
        """c(r) after a Gauss-Newton step, shortened until it helps; None when it hardly does."""
        found = self.misfit(c)
        if found is None:
            return None
        left, factor = found
        answer = self.wide.to_r((factor**2)[:, None] * self.waves)[: self.grid.points]
        slope = answer * self.grid.r[:, None]
        normal = slope.T @ slope
        normal += 1e-8 * np.trace(normal) / self.inside * np.eye(self.inside)
        change = np.linalg.solve(normal, slope.T @ left)
        for part in 0.5 ** np.arange(10):
            trial = c.copy()
            trial[: self.inside] += part * change
            better = self.misfit(trial)
            if better is not None and better[0] @ better[0] < left @ left:
                return trial if better[0] @ better[0] < 0.99 * (left @ left) else None
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
    >>> from regrain.fits.hnc import virial_pressure
    >>> r = np.linspace(0.0, 3.0, 301)
    >>> virial_pressure(r, np.ones(301), np.zeros(301), density=0.5, kt=2.0)
    1.0
    """
    integral = float(np.sum(g * force * r**3) * (r[1] - r[0]))
    return density * kt + 2.0 * np.pi / 3.0 * density**2 * integral
