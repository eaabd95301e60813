"""The Ising model on the square lattice: what Onsager, Kaufman and Yang found."""

from __future__ import annotations

from math import asinh, cosh, exp, inf, log, log1p, pi, sinh, sqrt, tanh

import numpy as np
from scipy.special import ellipe, ellipkm1

from regrain.atlas.counting import count_states
from regrain.atlas.integration import integral
from regrain.atlas.known import coupling, exact, published
from regrain.atlas.torus import Torus
from regrain.atlas.universality import ONSAGER, IsingPlane
from regrain.errors import RegrainError

__all__ = ["IsingSquare"]

KRAMERS = "H. A. Kramers and G. H. Wannier, Phys. Rev. 60, 252 (1941)"
SALAS = "J. Salas and A. D. Sokal, J. Stat. Phys. 98, 551 (2000)"
KAMIENIARZ = "G. Kamieniarz and H. W. J. Blöte, J. Phys. A 26, 201 (1993)"
CATALAN = 0.915965594177219015


class IsingSquare(IsingPlane):
    """The Ising model on the square lattice, weight exp(K Σ s s'), K = J/kT, without field.

    Functions take the coupling along rows and, where it differs, the one along columns. Energies
    are per spin in units of the coupling along rows, free energies f/kT = -ln Z per spin.

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.ising_square.K_c
    0.440686793509772 = ln(1 + √2)/2 (exact) [...]
    >>> rg.atlas.ising_square.energy(0.4)
    -1.10607...
    """

    __slots__ = ()
    title = "Ising model on the square lattice"
    K_c = exact(0.5 * log1p(sqrt(2.0)), KRAMERS, "ln(1 + √2)/2")
    T_c = exact(2.0 / log1p(sqrt(2.0)), KRAMERS, "2/ln(1 + √2)")
    energy_c = exact(-sqrt(2.0), ONSAGER, "-√2")
    free_energy_c = exact(-0.5 * log(2.0) - 2 * CATALAN / pi, ONSAGER, "-ln(2)/2 - 2 G/π")
    correlation_ratio_c = published("0.9050488292(4)", SALAS, "ξ₂/L on the torus")
    binder_moment_c = published(
        "1.1679296(14)",
        KAMIENIARZ,
        "<m⁴>/<m²>² on the torus",
    )

    def free_energy(self, k_x: float, k_y: float | None = None) -> float:
        """Free energy over kT of the infinite lattice, -ln Z per spin.

        Examples
        --------
        >>> from regrain.atlas import ising_square
        >>> ising_square.free_energy(0.0)  # -ln 2
        -0.693147...
        """
        x, y = sorted(map(abs, _couplings(k_x, k_y)))
        if y < 1e-5:
            return -log(2.0) - 0.5 * (x**2 + y**2)
        low, ratio = x + 0.5 * log(tanh(y)), sinh(2 * x) / sinh(2 * y)

        def gamma(q: float) -> float:
            return 2 * asinh(sqrt(sinh(low) ** 2 + ratio * np.sin(0.5 * q) ** 2))

        knee = min(max(2 * abs(sinh(low)) / sqrt(ratio), 1e-9), 3.0) if ratio else 1.0
        value = integral(gamma, 0.0, knee, pi)
        return -y - 0.5 * log1p(-exp(-4 * y)) - value / (2 * pi)

    def energy(self, k_x: float, k_y: float | None = None) -> float:
        """Mean energy per spin in units of the coupling along rows; -2 in the ground state.

        Examples
        --------
        >>> from regrain.atlas import ising_square
        >>> ising_square.energy(ising_square.K_c)  # -√2
        -1.414213...
        """
        x, y = _couplings(k_x, k_y)
        if x == y:
            k = abs(x)
            if k < 1e-5:
                return -2.0 * x
            near = 2 * tanh(2 * k) ** 2 - 1
            u = (1 + 2 / pi * near * self._elliptic(k)) / tanh(2 * k)
            return -u if x > 0 else u
        bonds = self.bonds(x, y)
        return -(x * bonds[0] + y * bonds[1]) / (x or y)

    def bonds(self, k_x: float, k_y: float | None = None) -> tuple[float, float]:
        """Mean product of neighbouring spins, along a row and along a column.

        Examples
        --------
        >>> from regrain.atlas import ising_square
        >>> ising_square.bonds(0.3, 0.0)[0], float(np.tanh(0.3))
        (0.29131..., 0.29131...)
        """
        x, y = _couplings(k_x, k_y)
        if x == y:
            each = -0.5 * self.energy(x)
            return each, each
        along_x, along_y = _bond(abs(x), abs(y)), _bond(abs(y), abs(x))
        return (along_x if x > 0 else -along_x), (along_y if y > 0 else -along_y)

    def specific_heat(self, k: float) -> float:
        """Heat capacity per spin over k_B, K² d²(ln Z)/dK²; infinite at the critical point.

        Examples
        --------
        >>> from regrain.atlas import ising_square
        >>> ising_square.specific_heat(0.4)
        0.86169...
        """
        k = abs(coupling(k, "k"))
        if k < 1e-3:
            return 2.0 * k**2 + 10.0 * k**4
        near = 2 * tanh(2 * k) ** 2 - 1
        if abs(near) < 1e-15:
            return inf
        first, second = self._elliptic(k), float(ellipe(1 - near**2))
        bracket = 2 * (first - second) - (1 - near) * (pi / 2 + near * first)
        return max(2 / pi * (k / tanh(2 * k)) ** 2 * bracket, 0.0)

    def magnetisation(self, k_x: float, k_y: float | None = None) -> float:
        """Spontaneous magnetisation per spin, (1 - (sinh 2K_x sinh 2K_y)^-2)^(1/8), or 0 above T_c.

        References
        ----------
        C. N. Yang, Phys. Rev. 85, 808 (1952); C. H. Chang, Phys. Rev. 88, 1422 (1952).

        Examples
        --------
        >>> from regrain.atlas import ising_square
        >>> ising_square.magnetisation(0.5), ising_square.magnetisation(0.4)
        (0.91131..., 0.0)
        """
        x, y = _couplings(k_x, k_y)
        if x < 0 or y < 0:
            raise RegrainError(
                f"the couplings are {x:g} and {y:g}; an antiferromagnet has no magnetisation, its "
                "sublattices have that of the ferromagnet"
            )
        size = sinh(2 * x) * sinh(2 * y)
        return (1 - size**-2) ** 0.125 if size > 1 else 0.0

    def correlation_length(self, k: float) -> float:
        """Along rows, in lattice constants: 1/ξ = |2K + ln tanh K|, and twice that below T_c.

        Infinite at the critical point.

        References
        ----------
        B. M. McCoy and T. T. Wu, The Two-Dimensional Ising Model (Harvard, 1973).

        Examples
        --------
        >>> from regrain.atlas import ising_square
        >>> ising_square.correlation_length(0.4)
        5.96237...
        """
        k = abs(coupling(k, "k"))
        if k == 0.0:
            return 0.0
        rate = 2 * k + log(tanh(k))
        rate = 2 * rate if rate > 0 else -rate
        return 1 / rate if rate > 1e-15 else inf

    def surface_tension(self, k: float) -> float:
        """Free energy over kT of a wall along a row, per length: 2K + ln tanh K, or 0 above T_c.

        References
        ----------
        L. Onsager, Phys. Rev. 65, 117 (1944).

        Examples
        --------
        >>> from regrain.atlas import ising_square
        >>> ising_square.surface_tension(1.0)
        1.727...
        """
        k = coupling(k, "k", least=0.0)
        return max(2 * k + log(tanh(k)), 0.0) if k else 0.0

    def torus(self, shape: tuple[int, int], k_x: float, k_y: float | None = None) -> Torus:
        """The periodic lattice of so many rows and columns, exactly.

        Examples
        --------
        >>> from regrain.atlas import ising_square
        >>> ising_square.torus((64, 64), ising_square.K_c).energy
        -1.42...
        """
        return Torus(shape, k_x, k_y)

    def states(self, shape: tuple[int, int]) -> dict[int, int]:
        """How many configurations of a torus have each energy -Σ s s': its density of states.

        Counted site by site with exact integers; the smaller side at most 8.

        Raises
        ------
        RegrainError
            A torus too wide to be counted.

        Examples
        --------
        >>> from regrain.atlas import ising_square
        >>> ising_square.states((2, 2))
        {-8: 2, 0: 12, 8: 2}
        """
        return count_states(shape)

    @staticmethod
    def _elliptic(k: float) -> float:
        """K of modulus 2 sinh 2K / cosh² 2K, times a factor that is zero where it diverges."""
        near = (2 * tanh(2 * k) ** 2 - 1) ** 2
        return float(ellipkm1(near)) if near > 1e-300 else 0.0


def _couplings(k_x: float, k_y: float | None) -> tuple[float, float]:
    x = coupling(k_x, "k_x")
    return x, x if k_y is None else coupling(k_y, "k_y")


def _bond(x: float, y: float) -> float:
    """d(ln Z)/dK_x per spin: ∫ dq/2π of dγ/dK_x over [0, π], with y across."""
    if x == 0.0:
        return 0.0
    if y < 1e-12:
        return tanh(x)
    sx, cx, sy, cy = sinh(2 * x), cosh(2 * x), sinh(2 * y), cosh(2 * y)
    low = x + 0.5 * log(tanh(y))

    def slope(q: float) -> float:
        half = sinh(low) ** 2 + sx / sy * np.sin(0.5 * q) ** 2
        return float((sx * cy - np.cos(q) * cx) / sy / sqrt(half * (1 + half))) if half else 0.0

    knee = min(max(2 * abs(sinh(low)) / sqrt(sx / sy), 1e-9), 3.0)
    return integral(slope, 0.0, knee, pi) / (2 * pi)
