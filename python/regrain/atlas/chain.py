"""The Ising chain in a field."""

from __future__ import annotations

from math import cosh, exp, expm1, inf, log, log1p, sinh

import numpy as np

from regrain.atlas.known import System, coupling, exact
from regrain.errors import RegrainError

__all__ = ["IsingChain"]

ISING = "E. Ising, Z. Phys. 31, 253 (1925)"


class IsingChain(System):
    """Ising spins on a line, weight exp(K Σ s s' + h Σ s), infinite or a ring.

    Exponents are those of the variable exp(-2K), which vanishes at the critical point T = 0.

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.ising_chain.energy(1.0)  # -tanh K
    -0.76159...
    """

    __slots__ = ()
    title = "Ising chain"
    T_c = exact(0.0, ISING)
    nu = exact(1.0, ISING, "of exp(-2K)")
    y_t = exact(1.0, ISING, "of exp(-2K)")
    y_h = exact(1.0, ISING)
    eta = exact(1.0, ISING)

    def free_energy(self, k: float, field: float = 0.0) -> float:
        """Free energy over kT, -ln Z per spin of the infinite chain.

        Examples
        --------
        >>> from regrain.atlas import ising_chain
        >>> ising_chain.free_energy(1.0), -float(np.log(2 * np.cosh(1.0)))
        (-1.12692..., -1.12692...)
        """
        return -_log_eigenvalues(k, field)[0]

    def energy(self, k: float, field: float = 0.0, *, n: int | None = None) -> float:
        """Mean of -s s' of neighbours, the energy of bonds per spin in units of J.

        Of a ring of n spins, or of the infinite chain.

        Examples
        --------
        >>> from regrain.atlas import ising_chain
        >>> ising_chain.energy(0.5, field=0.2)
        -0.55161...
        """
        mean = self.magnetisation(k, field, n=n)
        return -self.correlation(1, k, field, n=n) - mean**2

    def magnetisation(self, k: float, field: float = 0.0, *, n: int | None = None) -> float:
        """Per spin: sinh h / √(sinh² h + e^-4K), on a ring times (λ_1^n - λ_2^n)/(λ_1^n + λ_2^n).

        Examples
        --------
        >>> from regrain.atlas import ising_chain
        >>> ising_chain.magnetisation(0.0, field=0.3), float(np.tanh(0.3))
        (0.29131..., 0.29131...)
        """
        k, h = coupling(k, "k"), coupling(field, "field")
        bulk = float(np.sign(h) / np.hypot(1.0, exp(-2 * k) / sinh(abs(h)))) if h else 0.0
        around = _around(k, h, n)
        return bulk * (1 - around) / (1 + around) if bulk else 0.0

    def correlation(
        self, distance: int, k: float, field: float = 0.0, *, n: int | None = None
    ) -> float:
        """<s_0 s_r> - <s>² on a ring of n spins, or of the infinite chain.

        Examples
        --------
        >>> from regrain.atlas import ising_chain
        >>> ising_chain.correlation(3, 0.7), float(np.tanh(0.7) ** 3)
        (0.2207..., 0.2207...)
        """
        r = abs(int(distance))
        high, low, sign = _log_eigenvalues(k, field)
        ratio = sign * exp(low - high)
        bulk = self.magnetisation(k, field)
        across = 1 - bulk**2
        if n is None:
            return across * ratio**r
        around = _around(k, field, n)
        if around == -1:
            raise RegrainError("an odd ring has no ground state so cold; give a weaker coupling")
        both = ratio**r + ratio ** abs(int(n) - r)
        return across * both / (1 + around) + bulk**2 * 4 * around / (1 + around) ** 2

    def correlation_length(self, k: float, field: float = 0.0) -> float:
        """1/ln(λ_1/|λ_2|), in lattice constants.

        Examples
        --------
        >>> from regrain.atlas import ising_chain
        >>> ising_chain.correlation_length(1.0), -1 / float(np.log(np.tanh(1.0)))
        (3.67186..., 3.67186...)
        """
        high, low, _ = _log_eigenvalues(k, field)
        return 1 / (high - low) if high > low else inf

    def susceptibility(self, k: float) -> float:
        """dM/dh at h = 0, exp(2K).

        Examples
        --------
        >>> from regrain.atlas import ising_chain
        >>> ising_chain.susceptibility(0.0)
        1.0
        """
        return exp(2 * coupling(k, "k"))

    def specific_heat(self, k: float) -> float:
        """Per spin over k_B without a field: (K / cosh K)².

        Examples
        --------
        >>> from regrain.atlas import ising_chain
        >>> ising_chain.specific_heat(1.0)
        0.41997...
        """
        k = coupling(k, "k")
        return (k / cosh(k)) ** 2

    def entropy(self, k: float, field: float = 0.0) -> float:
        """In nats per spin of the infinite chain.

        Examples
        --------
        >>> from regrain.atlas import ising_chain
        >>> ising_chain.entropy(0.0)  # ln 2
        0.693147...
        """
        inside = k * self.energy(k, field) - field * self.magnetisation(k, field)
        return inside - self.free_energy(k, field)

    def log_partition(self, n: int, k: float, field: float = 0.0) -> float:
        """ln Z of a ring of n spins, λ_1^n + λ_2^n; a ring of two has two bonds.

        Raises
        ------
        RegrainError
            No spins.

        Examples
        --------
        >>> from regrain.atlas import ising_chain
        >>> ising_chain.log_partition(2, 0.5), float(np.log(4 * np.cosh(1.0)))
        (1.82007..., 1.82007...)
        """
        small = _around(k, field, n)
        return n * _log_eigenvalues(k, field)[0] + (log1p(small) if small > -1 else -inf)


def _around(k: float, field: float, n: int | None) -> float:
    """(λ_2/λ_1)^n: how much of a ring knows that it is one."""
    if n is None:
        return 0.0
    if int(n) != n or n < 1:
        raise RegrainError(f"n is {n}; give a number of spins, 1 or more")
    high, low, sign = _log_eigenvalues(k, field)
    return float(sign ** int(n) * exp(n * (low - high)))


def _log_eigenvalues(k: float, field: float) -> tuple[float, float, float]:
    """Logarithms of the sizes of λ_1 and λ_2, and the sign of λ_2; λ_1 λ_2 = 2 sinh 2K."""
    k, h = coupling(k, "k"), coupling(field, "field")
    a, root = cosh(h), float(np.hypot(sinh(h), exp(-2 * k)))
    high = k + log(a + root)
    if k == 0.0:
        return high, -inf, 1.0
    size = 2 * abs(k) + log(-expm1(-4 * abs(k)))  # ln |2 sinh 2K|
    return high, size - high, float(np.sign(k))
