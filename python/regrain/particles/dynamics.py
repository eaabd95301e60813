"""How particles move: Newton, thermostats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

__all__ = [
    "NVE",
    "Brownian",
    "Context",
    "Dynamics",
    "GeneralizedLangevin",
    "Langevin",
    "NoseHoover",
]


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

    def per_type(self, who: Any, name: str) -> list[float]:
        """A number that is given for all particles or by type: one, or one for each type.

        Raises
        ------
        RegrainError
            A type of the particles is missing.
        """
        given = getattr(who, name)
        if not isinstance(given, Mapping):
            return [given]
        missing = [kind for kind in self.topology.type_names if kind not in given]
        if missing:
            raise RegrainError(
                f"{who!r}: {name} names no type {missing[0]!r}, which is one of the state; give it "
                "a number"
            )
        return [given[kind] for kind in self.topology.type_names]

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
    #: Whether particles have velocities, so that frames and the log have what comes of them.
    has_velocities: ClassVar[bool] = True

    def _engine(self, context: Context) -> Any:
        """What the core has of it."""
        raise NotImplementedError

    def _temperature(self, law: ForceField) -> float | None:
        """Its own, else that of the force field."""
        own = getattr(self, "temperature", None)
        return law.temperature if own is None else float(own)

    def _simulation(self, law: ForceField, start: Particles, settings: Settings) -> Any:
        """What moves the particles: a simulation of the core, or something with its face."""
        s, units = settings, unit_system(law.units)
        context = Context(self._temperature(law), units, start.topology)
        if s.barostat is not None and (context.temperature is None or not self.thermostat):
            raise RegrainError(
                f"{s.barostat!r} needs a thermostat with a temperature; use Langevin or "
                "NoseHoover dynamics, and give it or the force field a temperature"
            )
        return _core.Simulation(
            law.compile(start),
            types=start.topology.type_ids,
            masses=start.topology.masses,
            dt=s.dt,
            dynamics=self._engine(context),
            barostat=None if s.barostat is None else s.barostat._engine(context),
            seed=s.seed,
            skin=s.skin_for(law.cutoff),
            frozen=s.frozen_ids(start.topology),
            precision=s.core_precision,
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
    friction : float or mapping of str to float
        Rate at which velocities are forgotten, 1 / time. By type, ``{"W": 1.0, "P": 0.0}``, zero
        says that particles of a type feel the bath only through others.
    temperature : float, optional
        That of the force field when omitted.

    Raises
    ------
    RegrainError
        A friction that is not positive (of a type: negative), a negative temperature; in a run, a
        type of the state without a friction, and particles that stay much hotter than the bath:
        a time step that heats faster than the friction cools.

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

    friction: float | Mapping[str, float] = field(default=1.0, hash=False)
    temperature: float | None = None

    def __post_init__(self) -> None:
        plain_numbers(self)
        _plain_by_type(self, "friction", zero_for_some=True)
        _temperature(self)

    def _engine(self, context: Context) -> Any:
        return _core.Langevin(kt=context.kt(self), friction=context.per_type(self, "friction"))


@dataclass(frozen=True, kw_only=True)
class Brownian(Dynamics):
    """Langevin's equation without inertia: for particles whose momentum is lost at once.

    A step is dx = (D / kT) F dt + √(2 D dt) (R + R') / 2, where the noise R' of a step is the R of
    the next: averages over configurations are of second order in dt for the price of one force
    (Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34, section 3).

    There are no velocities: frames have none, and the log has no kinetic energy, temperature and
    conserved energy. The pressure has the mean of the kinetic part, n kT / V, in it.

    Parameters
    ----------
    friction : float or mapping of str to float, optional
        Of the Langevin equation that this is the limit of, 1 / time: D = kT / (m friction).
    diffusion : float or mapping of str to float, optional
        Diffusion coefficient of a free particle, length² / time, instead of a friction; masses do
        not matter then.
    temperature : float, optional
        That of the force field when omitted.

    Raises
    ------
    RegrainError
        Both of friction and diffusion or none, numbers that are not positive, in a run a type of
        the state that is missing.

    Loses / Assumes
    ---------------
    Momentum and what it carries: there is no hydrodynamics. Right for times much longer than
    1 / friction, over which a particle moves by √(kT / m) / friction; steps must be short compared
    to m friction / k, k being the largest curvature of the energy.

    Examples
    --------
    >>> from regrain.particles import Brownian
    >>> Brownian(diffusion={"colloid": 0.1, "polymer": 0.5})
    Brownian(friction=None, diffusion={'colloid': 0.1, 'polymer': 0.5}, temperature=None)
    """

    has_velocities: ClassVar[bool] = False

    friction: float | Mapping[str, float] | None = field(default=None, hash=False)
    diffusion: float | Mapping[str, float] | None = field(default=None, hash=False)
    temperature: float | None = None

    def __post_init__(self) -> None:
        plain_numbers(self)
        if (self.friction is None) == (self.diffusion is None):
            raise RegrainError(f"{self!r}: give either friction or diffusion")
        _plain_by_type(self, "friction" if self.diffusion is None else "diffusion")
        _temperature(self)

    def _engine(self, context: Context) -> Any:
        return _core.Brownian(
            kt=context.kt(self),
            friction=[] if self.friction is None else context.per_type(self, "friction"),
            diffusion=[] if self.diffusion is None else context.per_type(self, "diffusion"),
        )


@dataclass(frozen=True, kw_only=True)
class GeneralizedLangevin(Dynamics):
    """Langevin's equation with a memory: friction by past velocities, noise of the same colour.

    m dv/dt = F - m ∫ K(t - s) v(s) ds + R with K(t) = Σ strengths[k] exp(-t / times[k]) and
    ⟨R(t) R(0)⟩ = m kT K(t), by auxiliary velocities (Baczewski and Bond, J. Chem. Phys. 139, 044107
    (2013)). Their exchange with the velocity is solved exactly in the middle of the step, where
    Langevin dynamics has its bath, so that averages are as good as those of `Langevin`.

    Parameters
    ----------
    strengths : sequence of float
        K(0) of each term, 1 / time².
    times : sequence of float
        How long each term remembers. The friction of slow motion is Σ strengths[k] times[k].
    temperature : float, optional
        That of the force field when omitted.

    Raises
    ------
    RegrainError
        No terms, numbers of strengths and times that differ, numbers that are not positive.

    Loses / Assumes
    ---------------
    The memory is one of single particles, the same for all: momentum is not conserved, and what a
    particle did to its neighbours does not come back from them.

    Examples
    --------
    >>> from regrain.particles import GeneralizedLangevin
    >>> GeneralizedLangevin(strengths=(20.0, 1.0), times=(0.1, 2.0))
    GeneralizedLangevin(strengths=(20.0, 1.0), times=(0.1, 2.0), temperature=None)
    """

    strengths: Sequence[float]
    times: Sequence[float]
    temperature: float | None = None

    def __post_init__(self) -> None:
        plain_numbers(self)
        for name in ("strengths", "times"):
            given = getattr(self, name)
            try:
                values = tuple(float(x) for x in given)
            except (TypeError, ValueError) as error:
                raise RegrainError(
                    f"GeneralizedLangevin: {name} is {given!r}, expected numbers"
                ) from error
            object.__setattr__(self, name, values)
            if not all(np.isfinite(x) and x > 0 for x in values):
                raise RegrainError(f"{self!r}: {name} must be positive numbers")
        if not self.strengths or len(self.strengths) != len(self.times):
            raise RegrainError(f"{self!r}: give one strength and one time for each term")
        _temperature(self)

    def _engine(self, context: Context) -> Any:
        return _core.GeneralizedLangevin(
            kt=context.kt(self), strengths=list(self.strengths), times=list(self.times)
        )


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


def _plain_by_type(settings: Any, name: str, *, zero_for_some: bool = False) -> None:
    """A positive number for all, or one for each type."""
    given = getattr(settings, name)
    kinds = given if isinstance(given, Mapping) else {None: given}
    try:
        plain = {kind: float(value) for kind, value in kinds.items()}
    except (TypeError, ValueError) as error:
        raise RegrainError(
            f"{type(settings).__name__}: {name} is {given!r}, expected a number, or one by type "
            'such as {"A": 1.0, "B": 2.0}'
        ) from error
    object.__setattr__(settings, name, plain if isinstance(given, Mapping) else plain[None])
    least = 0.0 if zero_for_some and isinstance(given, Mapping) else np.nextafter(0.0, 1.0)
    if not all(np.isfinite(x) and x >= least for x in plain.values()) or not any(plain.values()):
        raise RegrainError(f"{settings!r}: {name} must be a positive number")


def _temperature(settings: Any) -> None:
    value = settings.temperature
    if value is not None and not (np.isfinite(value) and value >= 0):
        raise RegrainError(f"{settings!r}: temperature must be zero or more")
