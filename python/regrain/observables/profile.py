"""How density, velocity, temperature and kinetic pressure vary along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.observables.blocks import summarise
from regrain.observables.estimate import Estimate
from regrain.observables.observable import Average, Measurement, Observable, Plan
from regrain.observables.slabs import AXES, Slabs, check_axis, check_bins, ratio
from regrain.particles import Particles
from regrain.trace import Trace
from regrain.units import Units, units

__all__ = ["Profile"]

Floats = NDArray[np.float64]

QUANTITIES = ("density", "velocity", "temperature", "kinetic pressure")


class _Occupied(Average):
    """The mean over frames in those slabs that particles came into."""

    def estimate(self) -> Estimate:
        """What the frames so far say."""
        assert self.blocks is not None  # measure() calls add on every frame
        plan, bins = self.plan, len(self.plan.data[0].centres)
        visits = np.count_nonzero(
            self.blocks.rows.reshape(len(self.blocks.rows), -1, bins)[:, 0], 0
        )
        kept = visits >= min(2, len(self.blocks.rows))  # the jackknife leaves one row out
        if not kept.any():
            return Estimate.undefined(self.observable.name, "no particle came into any slab")
        found = summarise(self.blocks, lambda means: self.observable.reduce(means, plan)[..., kept])
        flags = (*plan.flags, *found.flags)
        if not kept.all():
            flags = (f"{bins - kept.sum()} of {bins} slabs left out: nobody is there", *flags)
        (axis, centres), *_ = plan.coords.items()
        return Estimate(
            self.observable.name,
            found.value,
            found.error,
            unit=plan.unit,
            coords={axis: centres[kept]},
            coord_units=plan.coord_units,
            n_eff=found.n_eff,
            dof=found.dof,
            tier="T2",
            method=self.observable.method,
            cite=self.observable.cite,
            flags=flags,
        )


@dataclass(frozen=True)
class Profile(Observable):
    """Density, velocity, temperature or kinetic pressure in slabs along an axis of the box.

    Parameters
    ----------
    quantity : str
        ``"density"``: particles per volume. ``"velocity"``: that of the centre of mass of a slab,
        in the laboratory. ``"temperature"``: of the motion relative to the slab's mean velocity.
        ``"kinetic pressure"``: Σ m u_a u_b over the volume of the slab, of that same motion.
    axis : str
        ``"x"``, ``"y"`` or ``"z"``. Slabs are parallel to the two other lattice vectors.
    component : str, optional
        Of a velocity ``"x"``, ``"y"`` or ``"z"``; of a temperature the same, or all three when
        omitted; of a kinetic pressure two, such as ``"xy"``, or a third of the trace when omitted.
    bins : int
        Number of slabs.
    types : sequence of str, optional
        Particles that count; all of them when omitted.

    Raises
    ------
    RegrainError
        Another quantity, axis or component, no bins, no such type.

    Notes
    -----
    The mean velocity of a slab is that over the whole trace, weighted by mass. In a run under
    shear (``flow=Shear(...)``) frames hold velocities beside the flow, and a profile of the
    velocity has the flow put back in. Coordinates are the centres of the slabs in the first frame;
    they scale with a box that changes. Slabs that no particle came into are left out.

    Loses / Assumes
    ---------------
    Slabs at rest in a box that keeps its place: an interface that wanders is smeared out. The
    mean velocity of a slab is known from few particles where there are few frames: a share of 1/n
    of the temperature is lost with n particles seen there in all. Forces have no share in a kinetic
    pressure.

    References
    ----------
    B. D. Todd and P. J. Daivis, Nonequilibrium Molecular Dynamics (2017), ch. 4.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import Profile
    >>> from regrain.particles import Particles
    >>> rng = np.random.default_rng(1)
    >>> gas = [Particles(rng.random((400, 3)) * 4, box=[4, 4, 4]) for _ in range(60)]
    >>> density = Profile("density", axis="z", bins=4)(Trace(gas, times=np.arange(60)))
    >>> density.coords["z"].tolist()
    [0.5, 1.5, 2.5, 3.5]
    >>> bool(np.all(np.abs(density.value - 400 / 64) < 4 * density.error))
    True
    """

    quantity: str = "density"
    _: KW_ONLY
    axis: str = "z"
    component: str | None = None
    bins: int = 50
    types: Sequence[str] | None = None

    cite: ClassVar[str] = "Todd & Daivis, Nonequilibrium Molecular Dynamics (2017), ch. 4"

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise RegrainError(
                f"Profile: got {self.quantity!r}, expected one of {', '.join(QUANTITIES)}"
            )
        check_axis(self, "axis")
        check_bins(self, 1)
        letters = {"density": 0, "velocity": 1, "temperature": 1, "kinetic pressure": 2}
        wanted = letters[self.quantity]
        if self.component is None:
            if self.quantity == "velocity":
                raise RegrainError(f"{self!r}: say which component, as in component='x'")
        elif len(self.component) != wanted or any(c not in AXES for c in self.component):
            what = {0: "none", 1: "'x', 'y' or 'z'", 2: "two letters, such as 'xy'"}[wanted]
            raise RegrainError(f"{self!r}: the component of a {self.quantity} is {what}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """What reports call it."""
        part = "" if self.component is None else f" {self.component}"
        return f"{self.quantity} profile{part}"

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the states must have."""
        return () if self.quantity == "density" else ("velocities",)

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement that leaves empty slabs out."""
        return _Occupied(self, self.prepare(trace))

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Settle the slabs and units."""
        slabs = Slabs(trace, self.axis, self.bins, self.types)
        system = units(trace.units)
        unit = self._unit(system)
        return Plan(
            coords={self.axis: slabs.centres},
            coord_units={self.axis: system.length},
            unit=unit,
            data=(slabs, self._pairs(), system),
        )

    def _unit(self, system: Units) -> str:
        if not system.length:
            return ""
        return {
            "density": f"1/{system.length}^3",
            "velocity": f"{system.length}/{system.time}",
            "temperature": system.temperature,
            "kinetic pressure": system.pressure,
        }[self.quantity]

    def _pairs(self) -> list[tuple[int, int]]:
        """Which products of velocity components are summed; one for a velocity."""
        if self.quantity == "density":
            return []
        if self.component is None:
            return [(a, a) for a in range(3)]
        letters = [AXES.index(c) for c in self.component]
        return [(letters[0], letters[-1])]

    def measure(self, state: Particles, plan: Plan) -> Floats:
        """Particles in each slab, then mass, momenta and products: shape (columns, bins)."""
        slabs, pairs, _ = plan.data
        slab, _ = slabs.of(state)
        ones = np.ones(len(slab))
        per_volume = slabs.bins / state.volume
        if self.quantity == "density":
            dense: Floats = slabs.sums(slab, ones) * per_volume
            return dense
        v, m = slabs.velocities(state), slabs.masses
        if self.quantity == "velocity":
            speed = v[:, pairs[0][0]] + self._shear(slabs, state)
            moved: Floats = slabs.sums(slab, ones, m, m * speed)
            return moved
        columns = [ones, m]
        for a, b in pairs:
            columns += [m * v[:, a], m * v[:, b], m * v[:, a] * v[:, b]]
        sums: Floats = slabs.sums(slab, *columns)
        return np.vstack([sums, np.full((1, slabs.bins), per_volume)])

    def _shear(self, slabs: Slabs, state: Particles) -> Floats:
        """Velocity of the imposed flow where each particle is."""
        plane, rate = slabs.flow
        across = AXES.index(plane[1])
        y: Floats = state.positions[slabs.chosen, across]
        edge = state.box[across, across]
        rate = rate if self.component == plane[0] else 0.0
        speed: Floats = rate * (y - np.floor(y / edge) * edge)
        return speed

    def reduce(self, means: Floats, plan: Plan) -> Floats:
        """The profile from the mean sums; zero where nobody is."""
        _, pairs, system = plan.data
        rows = means.reshape(*means.shape[:-1], -1, self.bins)
        number: Floats = rows[..., 0, :]
        if self.quantity == "density":
            return number
        mass = rows[..., 1, :]
        if self.quantity == "velocity":
            return ratio(rows[..., 2, :], mass)
        total = np.zeros_like(number)
        for k in range(len(pairs)):
            p, q, pq = (rows[..., 2 + 3 * k + i, :] for i in range(3))
            total = total + (pq - ratio(p * q, mass)) / len(pairs)
        found: Floats = total * rows[..., -1, :] * system.pressure_factor
        if self.quantity == "temperature":
            found = ratio(total, number) / system.boltzmann
        return found
