"""Kinetic theory of solvents that collide in cells."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, exp, sqrt

import numpy as np

from regrain.errors import RegrainError
from regrain.particles.parameters import plain_numbers
from regrain.units import Units

__all__ = ["SolventState", "SolventTheory", "andersen_theory", "srd_theory"]


@dataclass(frozen=True, kw_only=True)
class SolventTheory:
    """What kinetic theory says of a solvent: see the method ``theory`` of `SRD` and `MPCAndersen`.

    Attributes
    ----------
    kinetic_viscosity, collisional_viscosity : float
        Parts of the kinematic viscosity, length² / time: of streaming, of collisions.
    kinematic_viscosity : float
        Their sum ν.
    viscosity : float
        ρ ν, in the unit of pressure times time.
    diffusion : float
        Of a particle of the solvent, without the flow that it drags along: length² / time.
    schmidt : float
        ν / diffusion: about 1 in a gas, far above in a liquid.
    mean_free_path : float
        Interval times √(k_B T / m).

    Examples
    --------
    >>> from regrain.particles import SRD
    >>> theory = SRD(solvent="S", cell=1.0, interval=0.1).theory(density=10.0, temperature=1.0)
    >>> round(theory.kinematic_viscosity, 2)
    0.87
    """

    kinetic_viscosity: float
    collisional_viscosity: float
    kinematic_viscosity: float
    viscosity: float
    diffusion: float
    schmidt: float
    mean_free_path: float


@dataclass(frozen=True)
class SolventState:
    """What the formulas need.

    Raises
    ------
    RegrainError
        Numbers that are not positive.

    Examples
    --------
    >>> from regrain.particles.srd_theory import SolventState
    >>> from regrain.units import units
    >>> SolventState(10.0, 1.0, 1.0, cell=1.0, interval=0.1, units=units("reduced")).per_cell
    10.0
    """

    density: float
    mass: float
    temperature: float
    cell: float
    interval: float
    units: Units

    def __post_init__(self) -> None:
        plain_numbers(self)
        for name in ("density", "mass", "temperature"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise RegrainError(f"{name}: got {value}, expected a positive number")

    @property
    def per_cell(self) -> float:
        """Particles in a cell."""
        return self.density * self.cell**3

    @property
    def streaming(self) -> float:
        """k_B T h / m, length² / time."""
        return self.units.boltzmann * self.temperature / self.mass * self.interval

    @property
    def carrying(self) -> float:
        """Cell² / interval, length² / time."""
        return self.cell**2 / self.interval

    def result(self, kinetic: float, collisional: float, diffusion: float) -> SolventTheory:
        """With what follows from these."""
        total = kinetic + collisional
        return SolventTheory(
            kinetic_viscosity=kinetic,
            collisional_viscosity=collisional,
            kinematic_viscosity=total,
            viscosity=total * self.density * self.mass * self.units.pressure_factor,
            diffusion=diffusion,
            schmidt=total / diffusion,
            mean_free_path=sqrt(self.streaming * self.interval),
        )


def srd_theory(state: SolventState, angle: float) -> SolventTheory:
    """Of SRD with an angle in radians: see ``SRD.theory``.

    Examples
    --------
    >>> from math import pi
    >>> from regrain.particles.srd_theory import SolventState, srd_theory
    >>> from regrain.units import units
    >>> state = SolventState(5.0, 1.0, 1.0, cell=1.0, interval=0.1, units=units("reduced"))
    >>> round(srd_theory(state, pi / 2).viscosity, 2)
    2.5
    """
    n = state.per_cell
    c, c2 = cos(angle), cos(2 * angle)
    rest = (n - 1 + exp(-n)) / n
    return state.result(
        0.5 * state.streaming * (5 / (rest * (2 - c - c2)) - 1),
        state.carrying * (1 - c) * rest / 18,
        0.5 * state.streaming * (3 / (rest * (1 - c)) - 1),
    )


def andersen_theory(state: SolventState, *, angular_momentum: bool) -> SolventTheory:
    """Of MPC-AT-a or MPC-AT+a: see ``MPCAndersen.theory``.

    Raises
    ------
    RegrainError
        Fewer than three particles per cell of MPC-AT+a.

    Examples
    --------
    >>> from regrain.particles.srd_theory import SolventState, andersen_theory
    >>> from regrain.units import units
    >>> state = SolventState(10.0, 1.0, 1.0, cell=1.0, interval=0.1, units=units("reduced"))
    >>> round(andersen_theory(state, angular_momentum=True).kinematic_viscosity, 4)
    0.4226
    """
    n = state.per_cell
    if not angular_momentum:
        stress = carried = velocity = (n - 1 + exp(-n)) / n
    elif n < 3:
        raise RegrainError(
            f"{n:g} particles per cell, and the theory of MPC-AT+a is an expansion for many"
        )
    else:
        stress, carried, velocity = 1 - 1.25 / n, 0.5 * (1 - 1.4 / n), 1 - 2 / n
    return state.result(
        state.streaming * (1 / stress - 0.5),
        state.carrying * carried / 12,
        state.streaming * (1 / velocity - 0.5),
    )
