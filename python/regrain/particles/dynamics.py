"""How particles move: Newton, thermostats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.parameters import plain_numbers, positive
from regrain.particles.state import Particles, Topology
from regrain.units import Units
from regrain.units import units as unit_system

if TYPE_CHECKING:
    from regrain.particles.force_field import ForceField
    from regrain.particles.run import Settings

__all__ = ["NVE", "Context", "Dynamics", "Langevin", "NoseHoover"]


@dataclass(frozen=True)
class Context:
    """What the parts of a run may need to know of it when they are made for the core.

    Examples
    --------
    >>> from regrain.particles import Topology
    >>> from regrain.particles.dynamics import Context
    >>> from regrain.units import units
    >>> Context(temperature=300.0, units=units("md"), topology=Topology(["A"])).kt("this")
    2.494338785445972
    """

    temperature: float | None
    units: Units
    topology: Topology

    def kt(self, who: Any) -> float:
        """Thermal energy in the units of the core.

        Raises
        ------
        RegrainError
            There is no temperature: ``who`` needs one.
        """
        if self.temperature is None:
            raise RegrainError(
                f"{who!r} needs a temperature: give it one, or the force field (temperature=...)"
            )
        return self.units.boltzmann * self.temperature


class Dynamics:
    """What a run takes as ``dynamics``: the base of all.

    Examples
    --------
    >>> from regrain.particles import NVE
    >>> from regrain.particles.dynamics import Dynamics
    >>> isinstance(NVE(), Dynamics)
    True
    """

    #: Whether it holds a temperature, as a barostat needs.
    thermostat: ClassVar[bool] = True

    def _engine(self, context: Context) -> Any:
        """What the core has of it."""
        raise NotImplementedError

    def _temperature(self, field: ForceField) -> float | None:
        """Its own, else that of the force field."""
        own = getattr(self, "temperature", None)
        return field.temperature if own is None else float(own)

    def _simulation(self, field: ForceField, start: Particles, settings: Settings) -> Any:
        """What moves the particles: a simulation of the core, or something with its face."""
        s, units = settings, unit_system(field.units)
        context = Context(self._temperature(field), units, start.topology)
        if s.barostat is not None and (context.temperature is None or not self.thermostat):
            raise RegrainError(
                f"{s.barostat!r} needs a thermostat with a temperature; use Langevin or "
                "NoseHoover dynamics, and give it or the force field a temperature"
            )
        return _core.Simulation(
            field.compile(start),
            types=start.topology.type_ids,
            masses=start.topology.masses,
            dt=s.dt,
            dynamics=self._engine(context),
            barostat=None if s.barostat is None else s.barostat._engine(context),
            seed=s.seed,
            skin=0.15 * field.cutoff if s.skin is None else s.skin,
            frozen=s.frozen_ids(start.topology),
            precision={"double": _core.Precision.full, "mixed": _core.Precision.mixed}[s.precision],
            flow=None if s.flow is None else s.flow._engine(),
        )


@dataclass(frozen=True)
class NVE(Dynamics):
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

    thermostat: ClassVar[bool] = False

    def _engine(self, context: Context) -> Any:
        return _core.Nve()


@dataclass(frozen=True, kw_only=True)
class Langevin(Dynamics):
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
        positive(self, "friction")
        _temperature(self)

    def _engine(self, context: Context) -> Any:
        return _core.Langevin(kt=context.kt(self), friction=self.friction)


@dataclass(frozen=True, kw_only=True)
class NoseHoover(Dynamics):
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
        positive(self, "time", "chain")
        _temperature(self)

    def _engine(self, context: Context) -> Any:
        return _core.NoseHoover(kt=context.kt(self), time=self.time, chain=self.chain)


def _temperature(settings: Any) -> None:
    value = settings.temperature
    if value is not None and not (np.isfinite(value) and value >= 0):
        raise RegrainError(f"{settings!r}: temperature must be zero or more")
