"""Exponents, which systems share."""

from __future__ import annotations

import numpy as np

from regrain.atlas.known import Known, System, exact
from regrain.errors import RegrainError

__all__ = ["Bootstrapped", "IsingPlane"]

ONSAGER = "L. Onsager, Phys. Rev. 65, 117 (1944)"
YANG = "C. N. Yang, Phys. Rev. 85, 808 (1952)"
BPZ = "A. A. Belavin, A. M. Polyakov and A. B. Zamolodchikov, Nucl. Phys. B 241, 333 (1984)"
WU = "T. T. Wu, Phys. Rev. 149, 380 (1966)"
BAROUCH = "T. T. Wu, B. M. McCoy, C. A. Tracy and E. Barouch, Phys. Rev. B 13, 316 (1976)"
CAMIA = "F. Camia, C. Garban and C. M. Newman, Probab. Theory Relat. Fields 160, 175 (2014)"


class IsingPlane(System):
    """The exponents of two-dimensional Ising models, and the dimensions of their fields.

    ξ ~ |t|^-ν, C ~ ln|t| (α = 0), M ~ |t|^β, χ ~ |t|^-γ, M ~ h^(1/δ), G(r) ~ r^(2 - d - η);
    a step by a factor b multiplies t and h by b^y_t and b^y_h.

    Examples
    --------
    >>> from regrain.atlas import ising_triangular
    >>> ising_triangular.y_h.formula
    '15/8'
    """

    __slots__ = ()
    nu = exact(1.0, ONSAGER)
    alpha = exact(0.0, ONSAGER)
    beta = exact(1 / 8, YANG, "1/8")
    gamma = exact(7 / 4, BAROUCH, "7/4")
    delta = exact(15.0, CAMIA)
    eta = exact(1 / 4, WU, "1/4")
    y_t = exact(1.0, ONSAGER)
    y_h = exact(15 / 8, YANG, "15/8")
    central_charge = exact(1 / 2, BPZ, "1/2")
    x_sigma = exact(1 / 8, BPZ, "1/8")
    x_epsilon = exact(1.0, BPZ)

    def scaling_dimensions(self, count: int = 11) -> tuple[float, ...]:
        """The lowest scaling dimensions of all fields, descendants too, each as often as it occurs.

        They are what the transfer matrix of a torus shows, -ln(λ_i/λ_0) ~ 2π x_i: the levels of
        |χ_0|² + |χ_1/2|² + |χ_1/16|², where χ_0 ± χ_1/2 = Π (1 ± q^(n + 1/2)) and
        χ_1/16 = Π (1 + q^(n + 1)).

        Raises
        ------
        RegrainError
            A count below 1.

        References
        ----------
        J. L. Cardy, Nucl. Phys. B 270, 186 (1986).

        Examples
        --------
        >>> from regrain.atlas import ising_square
        >>> ising_square.scaling_dimensions(9)
        (0.0, 0.125, 1.0, 1.125, 1.125, 2.0, 2.0, 2.0, 2.0)
        """
        if count < 1:
            raise RegrainError(f"count is {count}; give how many dimensions you want, 1 or more")
        depth = 4
        while True:
            found = _levels(depth)
            complete = [x for x in found if x < depth]  # all levels below are there
            if len(complete) >= count:
                return tuple(complete[:count])
            depth *= 2


def _levels(depth: int) -> list[float]:
    """Sums of two levels of the same sector, sorted."""
    half = _product(np.arange(1, 2 * depth + 2, 2), 2 * depth + 1)  # in powers of q^(1/2)
    whole = _product(np.arange(1, depth + 1), depth)
    sectors = [
        [(k / 2, int(m)) for k, m in enumerate(half) if k % 2 == 0],
        [(k / 2, int(m)) for k, m in enumerate(half) if k % 2 == 1],
        [(k + 1 / 16, int(m)) for k, m in enumerate(whole)],
    ]
    found: list[float] = []
    for sector in sectors:
        for x, many in sector:
            for y, more in sector:
                found += [x + y] * (many * more)
    return sorted(found)


def _product(powers: np.ndarray, top: int) -> np.ndarray:
    """Coefficients up to q^top of the product of 1 + q^k."""
    found = np.zeros(top + 1, dtype=np.int64)
    found[0] = 1
    for k in powers[powers <= top]:
        found[k:] = found[k:] + found[: top + 1 - k]
    return found


class Bootstrapped(System):
    """Exponents of a three-dimensional system from the dimensions of its spin and its energy.

    ν = 1/(3 - Δε), η = 2Δσ - 1, y_t = 3 - Δε, y_h = 3 - Δσ, and the scaling relations; errors are
    propagated as if they were independent.

    Examples
    --------
    >>> from regrain.atlas import ising_cubic
    >>> ising_cubic.nu
    0.629971(4) = 1/(3 - x_epsilon) [...]
    """

    __slots__ = ()
    x_sigma: Known
    x_epsilon: Known

    def _derived(self, value: float, sigma: float, epsilon: float, formula: str) -> Known:
        error = float(np.hypot(sigma * self.x_sigma.error, epsilon * self.x_epsilon.error))
        return Known(value, error=error, formula=formula, source=self.x_epsilon.source)

    @property
    def y_t(self) -> Known:
        """How the temperature scales."""
        return self._derived(3 - self.x_epsilon, 0, 1, "3 - x_epsilon")

    @property
    def y_h(self) -> Known:
        """How the field scales."""
        return self._derived(3 - self.x_sigma, 1, 0, "3 - x_sigma")

    @property
    def nu(self) -> Known:
        """Of the correlation length."""
        y = 3 - self.x_epsilon
        return self._derived(1 / y, 0, 1 / y**2, "1/(3 - x_epsilon)")

    @property
    def eta(self) -> Known:
        """Of the correlation function at the critical point."""
        return self._derived(2 * self.x_sigma - 1, 2, 0, "2 x_sigma - 1")

    @property
    def alpha(self) -> Known:
        """Of the specific heat."""
        y = 3 - self.x_epsilon
        return self._derived(2 - 3 / y, 0, 3 / y**2, "2 - 3/(3 - x_epsilon)")

    @property
    def beta(self) -> Known:
        """Of the magnetisation."""
        y = 3 - self.x_epsilon
        formula = "x_sigma/(3 - x_epsilon)"
        return self._derived(self.x_sigma / y, 1 / y, self.x_sigma / y**2, formula)

    @property
    def gamma(self) -> Known:
        """Of the susceptibility."""
        y, top = 3 - self.x_epsilon, 3 - 2 * self.x_sigma
        return self._derived(top / y, 2 / y, top / y**2, "(3 - 2 x_sigma)/(3 - x_epsilon)")

    @property
    def delta(self) -> Known:
        """Of the magnetisation in a field at the critical point."""
        x = float(self.x_sigma)
        return self._derived((3 - x) / x, 3 / x**2, 0, "(3 - x_sigma)/x_sigma")
