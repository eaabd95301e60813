"""The Potts model on the square lattice, for any number of states."""

from __future__ import annotations

from math import acos, acosh, exp, gamma, log, log1p, pi, sqrt, tanh

import numpy as np

from regrain.atlas.integration import integral
from regrain.atlas.known import Known, System, exact
from regrain.errors import RegrainError

__all__ = ["PottsSquare", "potts_square"]

POTTS = "R. B. Potts, Proc. Camb. Phil. Soc. 48, 106 (1952)"
BAXTER = "R. J. Baxter, J. Phys. C 6, L445 (1973)"
DEN_NIJS = "M. P. M. den Nijs, J. Phys. A 12, 1857 (1979)"
NIENHUIS = "B. Nienhuis, E. K. Riedel and M. Schick, J. Phys. A 13, L189 (1980)"
DOTSENKO = "V. S. Dotsenko and V. A. Fateev, Nucl. Phys. B 240, 312 (1984)"


class PottsSquare(System):
    """The Potts model on the square lattice, weight exp(K Σ δ(s, s')); q may be any real number.

    Up to q = 4 the transition is continuous, with the exponents of the Coulomb gas; above, it has
    a latent heat and no exponents. Numbers are of the critical (or transition) point.

    Parameters
    ----------
    q : float
        Number of states, above 0; 1 is percolation.

    Raises
    ------
    RegrainError
        Another q; exponents where there are none.

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.potts_square(3).nu
    0.833333333333333 = (2 - u)/(3 - 3u), cos(πu/2) = √q/2 (exact) [...]
    >>> rg.atlas.potts_square(10).latent_heat
    0.696049...
    >>> rg.atlas.potts_square(10).nu
    Traceback (most recent call last):
    ...
    regrain.errors.RegrainError: with q = 10 states the transition is of first order ...
    """

    __slots__ = ("K_c", "T_c", "q")
    q: float
    K_c: Known
    T_c: Known

    def __init__(self, q: float) -> None:
        if not (np.isfinite(q) and q > 0):
            raise RegrainError(f"q is {q}; give a number of states above 0")
        inverse = log1p(sqrt(q))
        object.__setattr__(self, "q", q)
        object.__setattr__(self, "K_c", exact(inverse, POTTS, "ln(1 + √q)"))
        object.__setattr__(self, "T_c", exact(1 / inverse, POTTS, "1/ln(1 + √q)"))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"the atlas does not change; {name} cannot be set")

    def __reduce__(self) -> tuple[object, ...]:
        return potts_square, (self.q,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PottsSquare) and other.q == self.q

    def __hash__(self) -> int:
        return hash((PottsSquare, self.q))

    @property
    def title(self) -> str:  # type: ignore[override]
        """What it is."""
        return f"{self.q:g}-state Potts model on the square lattice"

    @property
    def _u(self) -> float:
        if self.q > 4:
            raise RegrainError(
                f"with q = {self.q:g} states the transition is of first order and has no "
                "exponents; ask for its latent_heat"
            )
        return 2 / pi * acos(sqrt(self.q) / 2)

    def _gas(self, value: float, formula: str, source: str) -> Known:
        return exact(value, source, f"{formula}, cos(πu/2) = √q/2")

    @property
    def energy_c(self) -> Known:
        """Per spin in units of J at the transition; the mean of both phases where two coexist."""
        return exact(-1 - 1 / sqrt(self.q), POTTS, "-1 - 1/√q")

    @property
    def free_energy_c(self) -> Known:
        """Free energy over kT per spin at the transition, -ln Z / N."""
        return exact(-_log_z(float(self.q)), BAXTER)

    @property
    def latent_heat(self) -> Known:
        """Per spin in units of J; zero up to q = 4."""
        return exact(_latent_heat(float(self.q)), BAXTER)

    @property
    def y_t(self) -> Known:
        """How the temperature scales."""
        u = self._u
        return self._gas(3 * (1 - u) / (2 - u), "3(1 - u)/(2 - u)", DEN_NIJS)

    @property
    def y_h(self) -> Known:
        """How the field scales."""
        u = self._u
        return self._gas((3 - u) * (5 - u) / (4 * (2 - u)), "(3 - u)(5 - u)/(8 - 4u)", NIENHUIS)

    @property
    def nu(self) -> Known:
        """Of the correlation length, 1/y_t."""
        u = self._u
        if u == 1:
            raise RegrainError("without states (q = 0) there is no correlation length")
        return self._gas((2 - u) / (3 * (1 - u)), "(2 - u)/(3 - 3u)", DEN_NIJS)

    @property
    def alpha(self) -> Known:
        """Of the specific heat, 2 - 2ν."""
        return self._gas(2 - 2 * self.nu, "2 - 2ν", DEN_NIJS)

    @property
    def beta(self) -> Known:
        """Of the magnetisation, (1 + u)/12."""
        return self._gas((1 + self._u) / 12, "(1 + u)/12", NIENHUIS)

    @property
    def gamma(self) -> Known:
        """Of the susceptibility, (2 y_h - 2)/y_t."""
        return self._gas((2 * self.y_h - 2) / self.y_t, "(2 y_h - 2)/y_t", NIENHUIS)

    @property
    def delta(self) -> Known:
        """Of the magnetisation in a field, y_h/(2 - y_h)."""
        return self._gas(self.y_h / (2 - self.y_h), "y_h/(2 - y_h)", NIENHUIS)

    @property
    def eta(self) -> Known:
        """Of the correlation function, 4 - 2 y_h."""
        return self._gas(4 - 2 * self.y_h, "4 - 2 y_h", NIENHUIS)

    @property
    def central_charge(self) -> Known:
        """1 - 6/(m(m + 1)) with √q = 2 cos(π/(m + 1))."""
        u = self._u
        return self._gas(1 - 3 * u**2 / (2 - u), "1 - 3u²/(2 - u)", DOTSENKO)

    @property
    def x_sigma(self) -> Known:
        """Scaling dimension of the order parameter, 2 - y_h."""
        return self._gas(2 - self.y_h, "2 - y_h", NIENHUIS)

    @property
    def x_epsilon(self) -> Known:
        """Scaling dimension of the energy, 2 - y_t."""
        return self._gas(2 - self.y_t, "2 - y_t", DEN_NIJS)

    @property
    def numbers(self) -> dict[str, Known]:
        """Those that there are at this q."""
        names = ["K_c", "T_c", "energy_c", "free_energy_c", "latent_heat"]
        if self.q <= 4:
            names += ["nu", "alpha", "beta", "gamma", "delta", "eta", "y_t", "y_h"]
            names += ["central_charge", "x_sigma", "x_epsilon"]
        return {name: getattr(self, name) for name in names}


def potts_square(q: float) -> PottsSquare:
    """The Potts model of q states on the square lattice.

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.potts_square(3).central_charge.text
    '0.8'
    """
    return PottsSquare(q)


def _log_z(q: float) -> float:
    """ln Z per spin at the transition.

    ½ ln q + 2 ∫_0^∞ dx/x sinh((π - μ)x) tanh(μx) / sinh(πx) with 2 cos μ = √q below q = 4, and
    ½ ln q + θ + 2 Σ_n exp(-nθ) tanh(nθ)/n with 2 cosh θ = √q above (R. J. Baxter, 1973).
    """
    if q > 4:
        theta = acosh(sqrt(q) / 2)
        n = np.arange(1, 2 + int(40 / theta))
        terms = np.exp(-n * theta) * np.tanh(n * theta) / n
        return 0.5 * log(q) + theta + 2 * float(terms.sum())
    if q == 4:
        # The limit of μ -> 0: ∫_0^∞ dx/x exp(-x) tanh(x) = 2 ln(Γ(1/4)/(2 Γ(3/4)))
        return 0.5 * log(q) + 4 * log(gamma(0.25) / (2 * gamma(0.75)))
    mu = acos(sqrt(q) / 2)

    def part(x: float) -> float:
        if x == 0.0:
            return (pi - mu) * mu / pi
        # sinh((π - μ)x)/sinh(πx) without overflow
        ratio = exp(-mu * x) * np.expm1(-2 * (pi - mu) * x) / np.expm1(-2 * pi * x)
        return float(ratio * tanh(mu * x) / x)

    edge = 40 / mu
    return 0.5 * log(q) + 2 * integral(part, 0.0, 1.0, min(10.0, edge), edge)


def _latent_heat(q: float) -> float:
    if q <= 4:
        return 0.0
    theta = acosh(sqrt(q) / 2)
    n = np.arange(1, 2 + int(20 / theta))
    product = float(np.exp(2 * np.sum(np.log(np.tanh(n * theta)))))
    return 2 * (1 + 1 / sqrt(q)) * tanh(theta / 2) * product
