"""A solvent of multi-particle collision dynamics: SRD and MPC-AT."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from math import pi, radians
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.dynamics import Dynamics
from regrain.particles.parameters import floats, plain_numbers, positive
from regrain.particles.srd_theory import (
    SolventState,
    SolventTheory,
    andersen_theory,
    srd_theory,
)
from regrain.particles.state import Particles, Topology
from regrain.units import units as unit_system

if TYPE_CHECKING:
    from regrain.particles.force_field import ForceField
    from regrain.particles.run import Settings

__all__ = ["SRD", "MPCAndersen"]

_AXES = "xyz"
Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class _Collisions(Dynamics):
    """What both rules share."""

    solvent: str | tuple[str, ...]
    cell: float
    interval: float
    angular_momentum: bool = False
    shift: bool = True
    walls: str = ""
    wall_velocity: Vector | None = None
    acceleration: Vector | None = None
    reverse: str | None = None
    temperature: float | None = None

    def __post_init__(self) -> None:
        plain_numbers(self)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "bool" and not isinstance(value, bool | np.bool_):
                raise RegrainError(f"{self!r}: {field.name} is True or False")
            if field.type == "bool":
                object.__setattr__(self, field.name, bool(value))
        self._check_names()
        positive(self, "cell", "interval")
        if self.temperature is not None and not (
            np.isfinite(self.temperature) and self.temperature >= 0
        ):
            raise RegrainError(f"{self!r}: temperature must be zero or more")
        if self.reverse is not None and self.reverse not in tuple(_AXES):
            raise RegrainError(f'{self!r}: reverse is the axis across the flow, such as "z"')
        for name in ("wall_velocity", "acceleration"):
            self._check_vector(name)
        across = [axis for axis in _AXES if axis in self.walls or axis == self.reverse]
        for name in ("wall_velocity", "acceleration"):
            given = getattr(self, name) or (0.0, 0.0, 0.0)
            if any(given[_AXES.index(axis)] != 0 for axis in across):
                raise RegrainError(
                    f"{self!r}: {name} must be along walls, and across the axis of reverse"
                )
        if self.wall_velocity is not None and not self.walls:
            raise RegrainError(f"{self!r}: there are no walls to move")
        if self.reverse is not None and (self.reverse in self.walls or self.acceleration is None):
            raise RegrainError(
                f"{self!r}: reverse needs an acceleration, and no walls across that axis"
            )

    def _check_names(self) -> None:
        """Types of the solvent, and axes."""
        if not isinstance(self.solvent, str):
            names = tuple(self.solvent) if isinstance(self.solvent, Iterable) else ()
            if not names or not all(isinstance(name, str) for name in names):
                raise RegrainError(
                    f"{type(self).__name__}: solvent is {self.solvent!r}, expected the name of a "
                    'type, such as "S", or several'
                )
            object.__setattr__(self, "solvent", tuple(str(name) for name in names))
        walls = self.walls if isinstance(self.walls, str) else "?"
        if len(set(walls)) != len(walls) or set(walls) - set(_AXES):
            raise RegrainError(
                f'{self!r}: walls are axes to be closed, such as "z" or "yz"; "" are none'
            )

    def _check_vector(self, name: str) -> None:
        given = getattr(self, name)
        if given is None:
            return
        array = floats(f"{type(self).__name__}: {name}", given, "three finite numbers")
        if array.shape != (3,) or not np.isfinite(array).all():
            raise RegrainError(f"{self!r}: {name} must be three finite numbers")
        object.__setattr__(self, name, tuple(float(x) for x in array))

    # ------------------------------------------------------------------ a run

    def _rule(self) -> dict[str, Any]:
        raise NotImplementedError

    def _simulation(self, field: ForceField, start: Particles, settings: Settings) -> Any:
        units = unit_system(field.units)
        for name, value in (
            ("barostat", settings.barostat),
            ("flow", settings.flow),
            ("frozen", settings.frozen),
        ):
            if value is not None:
                raise RegrainError(
                    f"{type(self).__name__} does not go with {name}={value!r}: the cells of the "
                    "solvent stay what they are; leave it out"
                )
        topology = start.topology
        solvent = self._mark(topology)
        beads = start.replace(
            positions=start.positions[~solvent],
            topology=_without(topology, solvent),
            velocities=None,
            forces=None,
            images=None,
        )
        self._check_field(field)
        if field.charges is not None and topology.charges[solvent].any():
            raise RegrainError(
                f"particles of the solvent have charges, which {field.charges!r} would leave out: "
                "the solvent has no interactions; give it charges of zero"
            )
        rule = self._rule()
        temperature = self._temperature(field)
        if temperature is None and (rule["thermostat"] or self.walls):
            raise RegrainError(
                f"{self!r} needs a temperature: give it one, or the force field (temperature=...)"
            )
        zero = (0.0, 0.0, 0.0)
        return _core.SolventSimulation(
            field.compile(beads),
            types=beads.topology.type_ids,
            masses=topology.masses,
            solvent=solvent,
            dt=settings.dt,
            every=self._steps(settings.dt),
            cell=(self.cell,) * 3,
            angular_momentum=self.angular_momentum,
            shift=self.shift,
            kt=units.boltzmann * (temperature or 0.0),
            walls=tuple(axis in self.walls for axis in _AXES),
            wall_velocity=self.wall_velocity or zero,
            acceleration=self.acceleration or zero,
            reverse=-1 if self.reverse is None else _AXES.index(self.reverse),
            measured_every=settings.frame_steps,
            seed=settings.seed,
            skin=settings.skin_for(field.cutoff),
            precision=settings.core_precision,
            **rule,
        )

    @property
    def _types(self) -> tuple[str, ...]:
        return (self.solvent,) if isinstance(self.solvent, str) else self.solvent

    def _mark(self, topology: Topology) -> NDArray[np.bool_]:
        missing = [name for name in self._types if name not in topology.type_names]
        if missing:
            raise RegrainError(
                f"{self!r}: no particle has the type {missing[0]!r}; there are "
                f"{', '.join(topology.type_names)}"
            )
        return np.isin(topology.types, self._types)

    def _check_field(self, field: ForceField) -> None:
        for pair, potential in field.pairs.items():
            named = [name for name in pair if name in self._types]
            if named and potential is not None:
                raise RegrainError(
                    f"type {named[0]!r} is solvent, which has no interactions, but the force field "
                    f"has {potential!r} between {pair[0]!r} and {pair[1]!r}; take it out"
                )
        for name, law in field.external or ():
            if name in (*self._types, "*"):
                raise RegrainError(
                    f"external[{name!r}]: {law!r} would act on the solvent, which feels no fields; "
                    "name the types of the beads (a flow of the solvent is driven by "
                    "acceleration=..., and its walls are walls=...)"
                )
        if field.biases is not None:
            raise RegrainError(
                "biases name particles by index, which are others without the solvent; leave them "
                "out"
            )
        if field.network is not None:
            raise RegrainError(
                "a network names particles by index, which are others without the solvent; give "
                "the springs as bonds"
            )

    def _steps(self, dt: float) -> int:
        steps = round(self.interval / dt)
        if steps < 1 or abs(steps * dt - self.interval) > 1e-6 * dt:
            raise RegrainError(
                f"{self!r}: the time between collisions, {self.interval:g}, is not a multiple of "
                f"the time step dt={dt:g}"
            )
        return steps

    def _state(
        self, density: float, mass: float, temperature: float | None, units: str
    ) -> SolventState:
        chosen = self.temperature if temperature is None else temperature
        if chosen is None:
            raise RegrainError(f"{self!r}: theory needs a temperature")
        return SolventState(density, mass, chosen, self.cell, self.interval, unit_system(units))


@dataclass(frozen=True, kw_only=True)
class SRD(_Collisions):
    """Stochastic rotation dynamics: a solvent that carries momentum, for little work.

    Particles of the solvent stream freely, and after every ``interval`` those in a cell turn their
    velocities, relative to the mean of the cell, by ``angle`` about one random axis. All other
    particles move by Newton's equations in the force field between collisions, and take part in
    these with their masses.

    Parameters
    ----------
    solvent : str or sequence of str
        Types of the particles that are solvent.
    cell : float
        Edge of a collision cell; the box is a whole number of them.
    interval : float
        Time between collisions, a multiple of the time step.
    angle : float
        In degrees.
    angular_momentum : bool
        Conserve the angular momentum of each cell, too (SRD+a): where torques matter, as for
        rotating bodies and liquids side by side. The energy is kept by a scaling.
    thermostat : bool
        Draw the energy of each cell from its distribution: needed where work is done on the
        solvent.
    shift : bool
        Shift the cells by a random vector in each collision. Without it a solvent with a short mean
        free path depends on how fast it moves through the cells (see Notes).
    walls : str
        Axes across which there are no-slip walls at both ends of the box, such as ``"z"``.
    wall_velocity : tuple of three float, optional
        Of the upper walls; the lower ones move the other way. At rest when omitted.
    acceleration : tuple of three float, optional
        Of the solvent, along walls: Poiseuille flow.
    reverse : str, optional
        Axis along which the acceleration has the opposite sign in the upper half of the box:
        reverse Poiseuille flow without walls.
    temperature : float, optional
        Of the thermostat and the walls; that of the force field when omitted.

    Raises
    ------
    RegrainError
        Numbers that are not positive, an angle outside (0, 180], directions that do not go
        together; and in a run: cells that do not fit the box, walls less than two cells apart, a
        time between collisions that is no multiple of the time step, fewer than 3 particles per
        cell with a thermostat, solvent with interactions or bonds, masses of zero.

    Notes
    -----
    Malevanets and Kapral, J. Chem. Phys. 110, 8605 (1999); shift: Ihle and Kroll, Phys. Rev. E 63,
    020201 (2001); thermostat: Huang et al., J. Comput. Phys. 229, 168 (2010); walls: Lamura et al.,
    EPL 56, 319 (2001); SRD+a: Noguchi and Gompper, Phys. Rev. E 78, 016706 (2008). Velocities of
    the state are taken as they are, a flow for instance; drawn ones have no total momentum. The
    pressure of the log has what collisions carry across cells, by itself in
    ``collisional_pressure`` (docs/srd.md says how).

    Loses / Assumes
    ---------------
    The equation of state of an ideal gas: the solvent is compressible, and speeds must stay below
    that of sound, √(5 k_B T / 3 m). No structure, and hydrodynamics only beyond a cell. Beads see
    the solvent through collisions alone and are permeable.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import SRD, ForceField, Particles, Topology
    >>> r = np.random.default_rng(1).random((640, 3)) * 4
    >>> fluid = Particles(r, box=[4, 4, 4], topology=Topology(["S"] * 640))
    >>> field = ForceField(temperature=1.0)
    >>> field.run(fluid, time=5.0, dt=0.1, every=1.0, dynamics=SRD(
    ...     solvent="S", cell=1.0, interval=0.1, angle=130.0))
    Trace(5 frames of particles, times 1 to 5)
    """

    angle: float = 130.0
    thermostat: bool = True  # type: ignore[misc]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.angle <= 180:
            raise RegrainError(f"{self!r}: the angle is above 0 and at most 180 degrees")

    def _rule(self) -> dict[str, Any]:
        return {
            "rule": _core.CollisionRule.rotation,
            "angle": min(radians(self.angle), pi),
            "thermostat": self.thermostat,
        }

    def theory(
        self,
        *,
        density: float,
        mass: float = 1.0,
        temperature: float | None = None,
        units: str = "reduced",
    ) -> SolventTheory:
        """Viscosity and diffusion of the solvent, from kinetic theory in three dimensions.

        Parameters
        ----------
        density : float
            Particles of the solvent per volume.
        mass : float
            Of each.
        temperature : float, optional
            That of the dynamics when omitted.
        units : str
            ``"reduced"`` or ``"md"``.

        Returns
        -------
        SolventTheory

        Raises
        ------
        RegrainError
            Numbers that are not positive, no temperature, or ``angular_momentum=True``, for which
            there is no closed form.

        Notes
        -----
        Of n particles per cell of edge a, at intervals h (Kikuchi, Pooley, Ryder and Yeomans, J.
        Chem. Phys. 119, 6388 (2003); Tüzel, Strauss, Ihle and Kroll, Phys. Rev. E 68, 036701
        (2003); Gompper et al., Adv. Polym. Sci. 221, 1 (2009)), with N = n - 1 + exp(-n):

        ν_kin = k_B T h / 2m (5 n / (N (2 - cos α - cos 2α)) - 1),
        ν_col = a² (1 - cos α) N / 18 h n,
        D = k_B T h / 2m (3 n / (N (1 - cos α)) - 1).

        Molecular chaos is assumed: at mean free paths well below a cell the true diffusion is
        larger, as neighbours meet again.

        Examples
        --------
        >>> from regrain.particles import SRD
        >>> water = SRD(solvent="S", cell=1.0, interval=0.1, angle=90.0)
        >>> round(water.theory(density=5.0, temperature=1.0).viscosity, 2)
        2.5
        """
        if self.angular_momentum:
            raise RegrainError(
                f"{self!r}: there is no closed theory of SRD+a; measure the viscosity, as with "
                "PoiseuilleViscosity"
            )
        return srd_theory(self._state(density, mass, temperature, units), radians(self.angle))


@dataclass(frozen=True, kw_only=True)
class MPCAndersen(_Collisions):
    """Multi-particle collisions with Andersen's thermostat: MPC-AT-a, and MPC-AT+a.

    As `SRD`, but in a collision the particles of a cell draw new velocities from the Maxwell
    distribution, and get back the momentum of the cell (MPC-AT-a), with ``angular_momentum=True``
    also its angular momentum (MPC-AT+a).

    Parameters
    ----------
    solvent, cell, interval, shift, walls, wall_velocity, acceleration, reverse
        As of `SRD`.
    angular_momentum : bool
        Conserve the angular momentum of each cell, too.
    temperature : float, optional
        Of the velocities; that of the force field when omitted.

    Raises
    ------
    RegrainError
        As of `SRD`.

    Notes
    -----
    Noguchi, Kikuchi and Gompper, EPL 78, 10005 (2007).

    Loses / Assumes
    ---------------
    As `SRD`. The energy is not conserved: temperature is held everywhere, heat does not flow.

    Examples
    --------
    >>> from regrain.particles import MPCAndersen
    >>> rule = MPCAndersen(solvent="S", cell=1.0, interval=0.1)
    >>> round(rule.theory(density=10.0, temperature=1.0).viscosity, 3)
    8.111
    """

    thermostat: ClassVar[bool] = True

    def _rule(self) -> dict[str, Any]:
        return {"rule": _core.CollisionRule.andersen, "angle": 0.0, "thermostat": False}

    def theory(
        self,
        *,
        density: float,
        mass: float = 1.0,
        temperature: float | None = None,
        units: str = "reduced",
    ) -> SolventTheory:
        """Viscosity and diffusion of the solvent, from kinetic theory in three dimensions.

        Parameters
        ----------
        density : float
            Particles of the solvent per volume.
        mass : float
            Of each.
        temperature : float, optional
            That of the dynamics when omitted.
        units : str
            ``"reduced"`` or ``"md"``.

        Returns
        -------
        SolventTheory

        Raises
        ------
        RegrainError
            Numbers that are not positive, no temperature, fewer than three particles per cell of
            MPC-AT+a.

        Notes
        -----
        Of n particles per cell of edge a, at intervals h (Noguchi and Gompper, Phys. Rev. E 78,
        016706 (2008)): ν_kin = k_B T h / m (1 / s - 1/2), ν_col = a² c / 12 h, D = k_B T h / m
        (1 / d - 1/2). MPC-AT-a: s = c = d = (n - 1 + exp(-n)) / n. MPC-AT+a, to first order in
        1 / n: s = 1 - 5 / 4n, c = (1 - 7 / 5n) / 2, d = 1 - 2 / n.

        Examples
        --------
        >>> from regrain.particles import MPCAndersen
        >>> rule = MPCAndersen(solvent="S", cell=1.0, interval=0.1, angular_momentum=True)
        >>> round(rule.theory(density=10.0, temperature=1.0).kinematic_viscosity, 4)
        0.4226
        """
        state = self._state(density, mass, temperature, units)
        return andersen_theory(state, angular_momentum=self.angular_momentum)


def _without(topology: Topology, left_out: NDArray[np.bool_]) -> Topology:
    """The topology of the other particles; refuses bonds to those that are left out."""
    number = np.cumsum(~left_out) - 1
    terms = {}
    for name in ("bonds", "angles", "dihedrals"):
        given: NDArray[np.int32] = getattr(topology, name)
        touched = np.flatnonzero(left_out[given].any(axis=1))
        if len(touched):
            raise RegrainError(
                f"{name}[{touched[0]}] = {given[touched[0]]} has a particle of the solvent, which "
                "has no interactions"
            )
        terms[name] = number[given]
    kept: dict[str, Sequence[Any]] = {
        name: getattr(topology, name)[~left_out]
        for name in ("types", "masses", "charges", "names", "residues", "residue_names")
    }
    return Topology(**kept, **terms)  # type: ignore[arg-type]
