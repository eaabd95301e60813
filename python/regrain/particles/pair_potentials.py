"""Pair potentials that are formulas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.potentials import Kind, Potential

__all__ = ["WCA", "Gaussian", "LennardJones", "Soft", "StillingerWeberPair", "Yukawa"]

_MODES = ("cut", "shifted", "force-shifted")


def _check_mode(mode: str) -> None:
    if mode not in _MODES:
        raise RegrainError(f'mode: got {mode!r}, expected "cut", "shifted" or "force-shifted"')


def _cutoff(mode: str) -> Any:
    return _core.Cutoff[mode.replace("-", "_")]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LennardJones(Potential):
    """4 ε ((σ/r)¹² - (σ/r)⁶) up to a cutoff.

    Parameters
    ----------
    epsilon : float
        Depth; energy.
    sigma : float
        Where it is zero; length.
    cutoff : float
        Length.
    mode : {"cut", "shifted", "force-shifted"}
        At the cutoff the energy jumps to zero; or is shifted to zero (same forces); or energy and
        force both go to zero there (a linear term is added).

    Raises
    ------
    RegrainError
        A parameter that is not positive, or another mode.

    Loses / Assumes
    ---------------
    What lies beyond the cutoff is left out; `tail` estimates it for a uniform fluid. Only
    "force-shifted" conserves the energy to the order of the integrator: with "cut" it jumps
    whenever a pair crosses the cutoff, with "shifted" its slope does.

    Examples
    --------
    >>> from regrain.particles import LennardJones
    >>> lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)
    >>> lj.u([1.0, 2.0, 3.0])
    array([ 0.        , -0.06152344,  0.        ])
    """

    epsilon: float
    sigma: float
    cutoff: float
    mode: str = "cut"

    kind: ClassVar[Kind] = "pair"

    def _check(self) -> None:
        self._positive("sigma", "cutoff")
        self._finite("epsilon")
        _check_mode(self.mode)

    def _engine(self) -> Any:
        return _core.LennardJones(
            epsilon=self.epsilon,
            sigma=self.sigma,
            cutoff=self.cutoff,
            mode=_cutoff(self.mode),
        )

    def domain(self) -> tuple[float, float]:
        """From inside the core to the cutoff."""
        return 0.9 * self.sigma, self.cutoff

    def tail(self, density: float) -> tuple[float, float]:
        """Energy per particle and pressure (energy / length³) of what lies beyond the cutoff.

        Loses / Assumes
        ---------------
        g(r) = 1 beyond the cutoff, one type of particles, mode "cut" (Allen and Tildesley, Computer
        Simulation of Liquids, 2nd ed. (2017), eq. 2.144 and 2.147).

        Examples
        --------
        >>> from regrain.particles import LennardJones
        >>> u, p = LennardJones(epsilon=1.0, sigma=1.0, cutoff=3.0).tail(0.8)
        >>> round(u, 4), round(p, 4)
        (-0.2481, -0.3968)
        """
        s3 = (self.sigma / self.cutoff) ** 3
        scale = np.pi * self.epsilon * density * self.sigma**3
        energy = scale * (8 / 9 * s3**3 - 8 / 3 * s3)
        pressure = density * scale * (32 / 9 * s3**3 - 16 / 3 * s3)
        return float(energy), float(pressure)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WCA(Potential):
    """The repulsive part of Lennard-Jones: 4 ε ((σ/r)¹² - (σ/r)⁶) + ε up to the minimum at
    2^(1/6) σ, where energy and force are zero (Weeks, Chandler and Andersen, J. Chem. Phys. 54,
    5237 (1971)).

    Parameters
    ----------
    epsilon : float
        Energy at the distance σ.
    sigma : float
        Length.

    Raises
    ------
    RegrainError
        A length that is not positive, an energy that is not finite.

    Loses / Assumes
    ---------------
    No attraction: a fluid of such particles has no liquid of its own. The second derivative jumps
    at the cutoff, which NVE at a usual time step does not see.

    Examples
    --------
    >>> from regrain.particles import WCA
    >>> wca = WCA(epsilon=1.0, sigma=1.0)
    >>> wca.u([1.0, 1.2])
    array([1., 0.])
    """

    epsilon: float
    sigma: float

    kind: ClassVar[Kind] = "pair"

    def _check(self) -> None:
        self._positive("sigma")
        self._finite("epsilon")

    @property
    def cutoff(self) -> float:
        """Where the potential ends: 2^(1/6) σ."""
        return float(2 ** (1 / 6) * self.sigma)

    @property
    def lennard_jones(self) -> LennardJones:
        """The same as a cut Lennard-Jones potential."""
        return LennardJones(
            epsilon=self.epsilon, sigma=self.sigma, cutoff=self.cutoff, mode="shifted"
        )

    def _engine(self) -> Any:
        return self.lennard_jones._engine()

    def domain(self) -> tuple[float, float]:
        """From inside the core to the cutoff."""
        return 0.85 * self.sigma, self.cutoff


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Yukawa(Potential):
    """ε exp(-κ r) / r up to a cutoff: charges in a salt solution, or charged colloids.

    Parameters
    ----------
    epsilon : float
        Strength; energy times length. Of two charges in a medium with the Bjerrum length b it is
        z z' b kT.
    kappa : float
        One over the length of screening; zero leaves ε / r.
    cutoff : float
        Length.
    mode : {"cut", "shifted", "force-shifted"}
        What happens at the cutoff, as for `LennardJones`.

    Raises
    ------
    RegrainError
        A cutoff that is not positive, a negative κ, or another mode. In a run: two particles at the
        same place.

    Loses / Assumes
    ---------------
    What lies beyond the cutoff is left out: exp(-κ cutoff) should be small. The ions that screen
    are not there (linear Debye-Hückel theory: weak charges, dilute salt).

    Examples
    --------
    >>> from regrain.particles import Yukawa
    >>> Yukawa(epsilon=2.0, kappa=0.0, cutoff=3.0).u([1.0, 2.0, 3.0])
    array([2., 1., 0.])
    """

    epsilon: float
    kappa: float
    cutoff: float
    mode: str = "cut"

    kind: ClassVar[Kind] = "pair"

    def _check(self) -> None:
        self._positive("cutoff")
        self._finite("epsilon", "kappa")
        if self.kappa < 0:
            raise RegrainError(f"{self!r}: kappa must be zero or positive")
        _check_mode(self.mode)

    def _engine(self) -> Any:
        return _core.Yukawa(
            epsilon=self.epsilon, kappa=self.kappa, cutoff=self.cutoff, mode=_cutoff(self.mode)
        )

    def domain(self) -> tuple[float, float]:
        """From a tenth of the cutoff to it."""
        return 0.1 * self.cutoff, self.cutoff


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Gaussian(Potential):
    """ε exp(-r² / (2 σ²)) up to a cutoff: what polymer coils in a good solvent feel of each other
    as wholes (Louis, Bolhuis, Hansen and Meijer, Phys. Rev. Lett. 85, 2522 (2000)).

    Parameters
    ----------
    epsilon : float
        Energy at contact; negative for a well.
    sigma : float
        Width; length.
    cutoff : float
        Length.
    mode : {"cut", "shifted", "force-shifted"}
        What happens at the cutoff, as for `LennardJones`.

    Raises
    ------
    RegrainError
        A length that is not positive, or another mode.

    Loses / Assumes
    ---------------
    What lies beyond the cutoff is left out: 1 % of ε at 3 σ, 4e-6 at 5 σ.

    Examples
    --------
    >>> from regrain.particles import Gaussian
    >>> coils = Gaussian(epsilon=2.0, sigma=1.0, cutoff=5.0)
    >>> round(coils.u(1.0), 6), round(coils.force(1.0), 6)
    (1.213061, 1.213061)
    """

    epsilon: float
    sigma: float
    cutoff: float
    mode: str = "cut"

    kind: ClassVar[Kind] = "pair"

    def _check(self) -> None:
        self._positive("sigma", "cutoff")
        self._finite("epsilon")
        _check_mode(self.mode)

    def _engine(self) -> Any:
        return _core.Gaussian(
            epsilon=self.epsilon, sigma=self.sigma, cutoff=self.cutoff, mode=_cutoff(self.mode)
        )

    def domain(self) -> tuple[float, float]:
        """From contact to the cutoff."""
        return 0.0, self.cutoff


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Soft(Potential):
    """a rc / 2 (1 - r / rc)²: the conservative force a (1 - r / rc) of dissipative particle
    dynamics (Groot and Warren, J. Chem. Phys. 107, 4423 (1997), eq. 5).

    Parameters
    ----------
    a : float
        The force at contact; energy / length.
    cutoff : float
        rc, where energy and force end at zero; length.

    Raises
    ------
    RegrainError
        A cutoff that is not positive, a force that is not finite. In a run: two particles at
        exactly the same place, where the force has no direction.

    Loses / Assumes
    ---------------
    Particles may pass through each other: they stand for several molecules of a fluid, whose
    compressibility `a` is chosen for.

    Examples
    --------
    >>> from regrain.particles import Soft
    >>> water = Soft(a=25.0, cutoff=1.0)
    >>> water.u([0.0, 0.5, 1.0]), water.force(0.5)
    (array([12.5  ,  3.125,  0.   ]), 12.5)
    """

    a: float
    cutoff: float

    kind: ClassVar[Kind] = "pair"
    strengths: ClassVar[tuple[str, ...]] = ("a",)

    def _check(self) -> None:
        self._positive("cutoff")
        self._finite("a")

    def _engine(self) -> Any:
        return _core.Soft(a=self.a, cutoff=self.cutoff)

    def domain(self) -> tuple[float, float]:
        """From contact to the cutoff."""
        return 0.0, self.cutoff


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StillingerWeberPair(Potential):
    """ε A (B (σ/r)^p - (σ/r)^q) exp(σ / (r - a σ)) for r < a σ (Stillinger and Weber, Phys. Rev. B
    31, 5262 (1985), eq. 2.3): smooth to all orders at its cutoff.

    Parameters
    ----------
    epsilon : float
        Energy.
    sigma : float
        Length.
    A, B, p, q, a : float
        Numbers; those of silicon are the default, which make the minimum ε deep.

    Raises
    ------
    RegrainError
        A length that is not positive, numbers that are not finite. In ``u``, ``force`` and in a
        run: a pair closer than a tenth of σ.

    Loses / Assumes
    ---------------
    With these numbers silicon is held in tetrahedra only by triples: see `StillingerWeber`. The
    engine runs a table of 8001 points, which keeps u and its slope to 1e-8 of the largest.

    Examples
    --------
    >>> from regrain.particles import StillingerWeberPair
    >>> silicon = StillingerWeberPair(epsilon=1.0, sigma=1.0)
    >>> round(silicon.u(2 ** (1 / 6)), 6)
    -1.0
    """

    epsilon: float
    sigma: float
    A: float = 7.049556277
    B: float = 0.6022245584
    p: float = 4.0
    q: float = 0.0
    a: float = 1.8

    kind: ClassVar[Kind] = "pair"

    def _check(self) -> None:
        self._positive("sigma", "a")
        self._finite("epsilon", "A", "B", "p", "q")

    @property
    def cutoff(self) -> float:
        """Beyond it the potential is zero: a σ."""
        return self.a * self.sigma

    def _engine(self) -> Any:
        low = 0.1 * min(1.0, self.a)
        x = np.linspace(low, self.a, 8001)[:-1]
        damped = self.epsilon * self.A * np.exp(1.0 / (x - self.a))
        repulsive, attractive = self.B * x**-self.p, x**-self.q
        energy = damped * (repulsive - attractive)
        slope = damped * (self.q * attractive - self.p * repulsive) / x
        slope -= energy / (x - self.a) ** 2
        return _core.TabulatedPair(
            x_min=low * self.sigma,
            x_max=self.cutoff,
            values=np.append(energy, 0.0),
            slopes=np.append(slope / self.sigma, 0.0),
        )

    def domain(self) -> tuple[float, float]:
        """From inside the core to the cutoff."""
        return 0.8 * self.sigma, self.cutoff
