"""Kaufman's partition function of the Ising model on a finite torus, and its derivatives.

With n columns joined by K_x and m rows joined by K_y,

    Z = ½ (2 sinh 2K_y)^(nm/2) [Π 2cosh(mγ_{2r+1}/2) + Π 2sinh(mγ_{2r+1}/2)
                                + Π 2cosh(mγ_{2r}/2) + Π 2sinh(mγ_{2r}/2)],   r = 0 … n - 1,
    cosh γ_k = cosh 2K_x coth 2K_y - cos(πk/n) sinh 2K_x / sinh 2K_y,

where γ_0 = 2K_x + ln tanh K_y has a sign: the last product is negative above the critical point
(B. Kaufman, Phys. Rev. 76, 1232 (1949)). Products are kept as logarithms and derivatives are taken
of logarithms, about their mean, so that nothing overflows and little cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from regrain.atlas.known import coupling
from regrain.errors import RegrainError

__all__ = ["Torus"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Torus:
    """The Ising model on a periodic lattice of m rows and n columns without field; exact.

    Parameters
    ----------
    shape : tuple of int
        (m, n): rows and columns, as the shape of an array of spins. A side of 2 has two bonds
        between the same neighbours, a side of 1 a bond of a spin with itself.
    k_x : float
        Reduced coupling J/kT between neighbours in a row. Negative ones (antiferromagnets) need
        an even number of columns.
    k_y : float, optional
        Between neighbours in a column; as in the row when omitted.

    Raises
    ------
    RegrainError
        Sides that are no numbers of spins, couplings that are none, or an antiferromagnet on an
        odd ring, which is frustrated.

    Examples
    --------
    >>> from regrain.atlas import Torus
    >>> torus = Torus((2, 2), 0.3)
    >>> float(np.exp(torus.log_partition)), float(2 * np.exp(2.4) + 12 + 2 * np.exp(-2.4))
    (34.2277..., 34.2277...)
    """

    shape: tuple[int, int]
    k_x: float
    k_y: float | None = None

    def __post_init__(self) -> None:
        sides = tuple(self.shape) if np.iterable(self.shape) else (self.shape,)
        if len(sides) != 2 or not all(int(side) == side and side >= 1 for side in sides):
            raise RegrainError(f"shape is {self.shape}; give two whole numbers, rows and columns")
        object.__setattr__(self, "shape", (int(sides[0]), int(sides[1])))
        down = self.k_x if self.k_y is None else self.k_y
        for name, value, side in (("k_x", self.k_x, sides[1]), ("k_y", down, sides[0])):
            object.__setattr__(self, name, coupling(value, name))
            if value < 0 and side % 2:
                raise RegrainError(
                    f"{name} is {value:g} on a ring of {side}: an antiferromagnet on an odd ring "
                    "is frustrated, which this formula does not cover; give an even side"
                )

    @property
    def sites(self) -> int:
        """How many spins there are."""
        return self.shape[0] * self.shape[1]

    @property
    def log_partition(self) -> float:
        """ln Z of the whole lattice."""
        return self._derivatives(0.0, 0.0)[0]

    @property
    def free_energy(self) -> float:
        """Free energy over kT per spin, -ln Z / N."""
        return -self.log_partition / self.sites

    @property
    def bonds(self) -> tuple[float, float]:
        """Mean product of neighbouring spins, along a row and along a column."""
        x = self._derivatives(1.0, 0.0)[1]
        y = x if self._isotropic else self._derivatives(0.0, 1.0)[1]
        return x / self.sites, y / self.sites

    @property
    def energy(self) -> float:
        """Mean energy per spin in units of the coupling, -Σ K s s' / (N K_x); at least -2.

        With k_x = 0 in units of the other coupling.
        """
        x, y = self._couplings
        mean = self._derivatives(x, y)[1] / self.sites
        return -mean / (x or y) if (x or y) else 0.0

    @property
    def specific_heat(self) -> float:
        """Heat capacity per spin over k_B: the variance of the reduced energy per spin."""
        return self._derivatives(*self._couplings)[2] / self.sites

    @property
    def _couplings(self) -> tuple[float, float]:
        return self.k_x, self.k_x if self.k_y is None else self.k_y

    @property
    def _isotropic(self) -> bool:
        return self._couplings[0] == self._couplings[1] and self.shape[0] == self.shape[1]

    def _derivatives(self, dx: float, dy: float) -> tuple[float, float, float]:
        """Of ln Z: itself, the first and the second derivative along (dx, dy)."""
        (m, n), (x, y) = self.shape, self._couplings
        # A change of the sign of every other spin of a ring changes that of its coupling.
        x, y, dx, dy = abs(x), abs(y), dx * (1 - 2 * (x < 0)), dy * (1 - 2 * (y < 0))
        if x > y:  # the lattice on its side
            m, n, x, y, dx, dy = n, m, y, x, dy, dx
        if y < 1e-5:
            return _hot(((n, x, dx), (m, y, dy)), self.sites)
        return Modes(n, x, y, dx, dy).sum(m)


def _hot(
    directions: tuple[tuple[int, float, float], ...], sites: int
) -> tuple[float, float, float]:
    """ln Z and its derivatives to leading order, where the formula divides by small numbers."""
    total = np.array([log(2.0), 0.0, 0.0])
    for side, k, along in directions:
        if side == 1:  # each spin with itself
            total += [k, along, 0.0]
        else:
            many = 2 if side == 2 else 1  # bonds between the same two spins
            total += [0.5 * many * k**2, many * k * along, many * along**2]
    return float(sites * total[0]), float(sites * total[1]), float(sites * total[2])


class Modes:
    """The angles γ_k of the transfer matrix of rings of n spins, with their derivatives.

    Examples
    --------
    >>> from regrain.atlas.torus import Modes
    >>> Modes(4, 0.4, 0.4, 1.0, 1.0).gamma.shape
    (8,)
    """

    def __init__(self, n: int, x: float, y: float, dx: float, dy: float) -> None:
        k = np.arange(2 * n)
        sine, cosine = np.sin(np.pi * k / (2 * n)) ** 2, np.cos(np.pi * k / n)
        sx, cx, sy, cy = np.sinh(2 * x), np.cosh(2 * x), np.sinh(2 * y), np.cosh(2 * y)
        low = x + 0.5 * np.log(np.tanh(y))  # γ_0 / 2
        gamma = 2 * np.arcsinh(np.sqrt(np.sinh(low) ** 2 + sx / sy * sine))
        gamma[0] = 2 * low
        cosh, sinh = np.cosh(gamma), np.sinh(gamma)
        first = 2 * dx * (sx * cy - cosine * cx) / sy + 2 * dy * (cosine * sx * cy - cx) / sy**2
        mixed = 4 * (cosine * cx * cy - sx) / sy**2
        down = 4 * (2 * cx * cy - cosine * sx * (cy**2 + 1)) / sy**3
        second = 4 * dx**2 * (cx * cy - cosine * sx) / sy + 2 * dx * dy * mixed + dy**2 * down
        self.n, self.gamma = n, gamma
        with np.errstate(divide="ignore", invalid="ignore"):
            self.first = first / sinh
            self.second = (second - cosh * self.first**2) / sinh
        self.first[0] = 2 * dx + 2 * dy / sy
        self.second[0] = -4 * dy**2 * cy / sy**2
        # (nm/2) ln(2 sinh 2K_y), for one row
        self.base = 0.5 * n * (2 * y + np.log(-np.expm1(-4 * y)))
        self.base_first = n * dy * cy / sy
        self.base_second = -2 * n * dy**2 / sy**2

    def sum(self, m: int) -> tuple[float, float, float]:
        """ln Z of m rows, with its derivatives."""
        kinds = ((1, False), (1, True), (0, False))
        products = [self._product(m, slice(start, None, 2), sinh) for start, sinh in kinds]
        logs, firsts, seconds = np.array(products).T
        # The last product has a factor that goes through zero, of which there is no logarithm.
        rest, rest_first, rest_second = self._product(m, slice(2, None, 2), True)
        half = 0.5 * m * self.gamma[0]
        grow = rest + abs(float(half))
        small = np.exp(-2 * abs(half))
        sine = float(np.copysign(1.0 - small, half))  # 2 sinh and 2 cosh over exp(|half|)
        cosine = float(1.0 + small)
        top = max(float(logs.max()), grow)
        weights = np.exp(logs - top)
        scale = float(np.exp(grow - top))
        one, two = 0.5 * m * self.first[0], 0.5 * m * self.second[0]
        total = float(weights.sum()) + scale * sine
        mean = float(weights @ firsts) + scale * (sine * rest_first + cosine * one)
        mean /= total
        off = rest_first - mean
        more = float(weights @ (seconds + (firsts - mean) ** 2))
        more += scale * sine * (rest_second + off**2 + one**2)
        more += scale * cosine * (two + 2 * one * off)
        return (
            float(m * self.base + top + np.log(0.5 * total)),
            float(m * self.base_first + mean),
            float(m * self.base_second + more / total),
        )

    def _product(self, m: int, which: slice, sinh: bool) -> tuple[float, float, float]:
        """ln of the product of 2cosh(mγ/2) or 2sinh(mγ/2), with derivatives."""
        g, one, two = self.gamma[which], self.first[which], self.second[which]
        half = 0.5 * m * np.abs(g)
        small = np.exp(-2 * half)
        sign = -1.0 if sinh else 1.0
        slope = np.sign(g) * (1 - small) / (1 + small)
        if sinh:
            slope = 1 / slope
            bend = -4 * small / (1 - small) ** 2
        else:
            bend = 4 * small / (1 + small) ** 2
        log_of = float(np.sum(half + np.log1p(sign * small)))
        first = float(np.sum(0.5 * m * one * slope))
        second = float(np.sum(0.5 * m * two * slope + (0.5 * m * one) ** 2 * bend))
        return log_of, first, second
