"""How particles move: Newton, thermostats, a barostat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.parameters import plain_numbers
from regrain.units import Units

__all__ = ["NVE", "CellRescale", "Dynamics", "Langevin", "NoseHoover"]


@dataclass(frozen=True)
class NVE:
    """Newton's equations, by velocity Verlet.

    The total momentum is taken out at the start, and 3 n - 3 degrees of freedom share the kinetic
    energy.

    Loses / Assumes
    ---------------
    The energy is conserved to order dt², if the forces are continuous: a Lennard-Jones potential of
    mode "cut" or a table with a jump has no conserved energy.

    Examples
    --------
    >>> from regrain.particles import NVE
    >>> NVE()
    NVE()
    """

    def _engine(self, temperature: float | None, units: Units) -> Any:
        return _core.Nve()


@dataclass(frozen=True, kw_only=True)
class Langevin:
    """Langevin's equation, by BAOAB: canonical averages, and good ones at long time steps.

    Parameters
    ----------
    friction : float
        Rate at which velocities are forgotten, 1 / time.
    temperature : float, optional
        That of the force field when omitted.

    Raises
    ------
    RegrainError
        A friction that is not positive, a negative temperature.

    Loses / Assumes
    ---------------
    Momentum is not conserved: hydrodynamics is screened, and diffusion is slowed down by the
    friction. Configurations are sampled to order dt² (exactly, in a harmonic potential), velocities
    too (Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34; J. Chem. Phys. 138, 174102
    (2013)).

    Examples
    --------
    >>> from regrain.particles import Langevin
    >>> Langevin(friction=0.5)
    Langevin(friction=0.5, temperature=None)
    """

    friction: float = 1.0
    temperature: float | None = None

    def __post_init__(self) -> None:
        plain_numbers(self)
        _positive(self, "friction")
        _temperature(self)

    def _engine(self, temperature: float | None, units: Units) -> Any:
        return _core.Langevin(kt=_kt(self, temperature, units), friction=self.friction)


@dataclass(frozen=True, kw_only=True)
class NoseHoover:
    """A chain of Nosé-Hoover thermostats: canonical averages from deterministic equations.

    The total momentum is taken out at the start, and 3 n - 3 degrees of freedom share the kinetic
    energy.

    Parameters
    ----------
    time : float
        Time of the thermostat's oscillation (over 2 π): Q = g k_B T time².
    chain : int
        Number of links.
    temperature : float, optional
        That of the force field when omitted.

    Raises
    ------
    RegrainError
        Parameters that are not positive.

    Loses / Assumes
    ---------------
    Canonical averages need ergodic dynamics, which chains give in practice and nothing guarantees
    for small or stiff systems (Martyna, Klein and Tuckerman, J. Chem. Phys. 97, 2635 (1992);
    integrated as in Martyna et al., Mol. Phys. 87, 1117 (1996)).

    Examples
    --------
    >>> from regrain.particles import NoseHoover
    >>> NoseHoover(time=0.5)
    NoseHoover(time=0.5, chain=3, temperature=None)
    """

    time: float
    chain: int = 3
    temperature: float | None = None

    def __post_init__(self) -> None:
        plain_numbers(self)
        _positive(self, "time", "chain")
        _temperature(self)

    def _engine(self, temperature: float | None, units: Units) -> Any:
        kt = _kt(self, temperature, units)
        return _core.NoseHoover(kt=kt, time=self.time, chain=self.chain)


Dynamics = NVE | Langevin | NoseHoover


@dataclass(frozen=True, kw_only=True)
class CellRescale:
    """A barostat: isotropic stochastic cell rescaling (Bernetti and Bussi, J. Chem. Phys. 153,
    114107 (2020)). Box, positions and (inversely) velocities are scaled together.

    Parameters
    ----------
    pressure : float
        In the pressure unit: bar in "md".
    time : float
        Relaxation time of the volume, right when ``compressibility`` is; many time steps.
    compressibility : float
        Of the system, 1 / pressure; a guess will do, as only ``time`` depends on it. 4.5e-5 per bar
        for water.
    every : int
        Time steps between scalings.

    Raises
    ------
    RegrainError
        Parameters that are not positive, or (in a run) dynamics without a thermostat.

    Loses / Assumes
    ---------------
    First order in ``every * dt / time``: the distribution of the volume is that of the ensemble
    when the volume hardly changes between scalings.

    Examples
    --------
    >>> from regrain.particles import CellRescale
    >>> CellRescale(pressure=1.0, time=5.0, compressibility=4.5e-5)
    CellRescale(pressure=1.0, time=5.0, compressibility=4.5e-05, every=10)
    """

    pressure: float
    time: float
    compressibility: float
    every: int = 10

    def __post_init__(self) -> None:
        plain_numbers(self)
        if not np.isfinite(self.pressure):
            raise RegrainError(f"{self!r}: pressure must be a finite number")
        _positive(self, "time", "compressibility", "every")

    def _engine(self, kt: float, units: Units) -> Any:
        return _core.CellRescale(
            kt=kt,
            pressure=self.pressure / units.pressure_factor,
            time=self.time,
            compressibility=self.compressibility * units.pressure_factor,
            every=self.every,
        )


def _positive(settings: Any, *names: str) -> None:
    for name in names:
        value = getattr(settings, name)
        if not (np.isfinite(value) and value > 0):
            raise RegrainError(f"{settings!r}: {name} must be a positive number")


def _temperature(settings: Any) -> None:
    value = settings.temperature
    if value is not None and not (np.isfinite(value) and value >= 0):
        raise RegrainError(f"{settings!r}: temperature must be zero or more")


def _kt(settings: Any, temperature: float | None, units: Units) -> float:
    chosen = temperature if settings.temperature is None else settings.temperature
    if chosen is None:
        raise RegrainError(
            f"{settings!r} needs a temperature: give it one, or the force field (temperature=...)"
        )
    return units.boltzmann * chosen
