"""A run of the engine: slices of steps, frames, checkpoints, progress."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.barostats import CellRescale
from regrain.particles.dynamics import Dynamics, Langevin
from regrain.particles.evaluation import SYMMETRIC
from regrain.particles.external_terms import warn_of_jumps
from regrain.particles.flow import Shear
from regrain.particles.parameters import plain_numbers
from regrain.particles.state import Particles, Topology
from regrain.slices import SlicedRun, checkpoint_path
from regrain.trace import Trace
from regrain.units import units as unit_system

if TYPE_CHECKING:
    from regrain.particles.force_field import ForceField

__all__ = ["Frozen", "Settings", "run"]

#: Particles that never move: indices (or a mask), or names of types.
Frozen = str | Sequence[str] | Sequence[int] | NDArray[Any] | None

_PRECISIONS = {"double": _core.Precision.full, "mixed": _core.Precision.mixed}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to run: the arguments of ``ForceField.run``, in whole steps.

    Examples
    --------
    >>> from regrain.particles.run import Settings
    >>> Settings(time=1.0, dt=0.01, every=0.1).steps
    100
    """

    time: float
    dt: float
    every: float
    seed: int = 0
    dynamics: Dynamics | None = None
    barostat: CellRescale | None = None
    skin: float | None = None
    frozen: Frozen = None
    precision: str = "double"
    flow: Shear | None = None

    def __post_init__(self) -> None:
        plain_numbers(self)
        _expect("dynamics", self.dynamics, Dynamics, "dynamics such as Langevin(friction=1.0)")
        _expect("barostat", self.barostat, CellRescale, "a barostat such as CellRescale(...)")
        _expect("flow", self.flow, Shear, "a flow such as Shear(rate=1.0)")
        if self.precision not in _PRECISIONS:
            raise RegrainError(f"precision: got {self.precision!r}, expected 'double' or 'mixed'")
        object.__setattr__(self, "frozen", _plain_frozen(self.frozen))
        for name in ("time", "dt", "every"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise RegrainError(f"{name}: got {value}, expected a positive number")
        if self.time < 0.5 * self.dt:
            raise RegrainError(f"time {self.time} is less than a time step of {self.dt}")
        if not 0 <= self.seed < 2**64:
            raise RegrainError(f"seed: got {self.seed}, expected a whole number from 0 to 2^64")
        if self.frame_steps > self.steps:
            raise RegrainError(
                f"every={self.every} is longer than time={self.time}: no frame would be kept"
            )

    @property
    def steps(self) -> int:
        """Time steps in all."""
        return round(self.time / self.dt)

    @property
    def frame_steps(self) -> int:
        """Time steps between frames."""
        return max(1, round(self.every / self.dt))

    @property
    def core_precision(self) -> _core.Precision:
        """The precision by the name that the core has for it."""
        return _PRECISIONS[self.precision]

    def skin_for(self, cutoff: float) -> float:
        """The skin, by default one that suits most fluids with this cutoff."""
        return 0.15 * cutoff if self.skin is None else self.skin

    def frozen_ids(self, topology: Topology) -> NDArray[np.uint32]:
        """Which particles never move.

        Raises
        ------
        RegrainError
            A type that no particle has, or a particle that is not there.
        """
        given = () if self.frozen is None else self.frozen
        ids: set[int] = set()
        for one in given:
            if isinstance(one, str):
                found = np.flatnonzero(topology.types == one)
                if not len(found):
                    raise RegrainError(f"frozen: no particle has the type {one!r}")
                ids.update(found.tolist())
            elif 0 <= one < len(topology):
                ids.add(one)
            else:
                raise RegrainError(
                    f"frozen: there is no particle {one} among {len(topology)}, counted from 0"
                )
        return np.array(sorted(ids), np.uint32)


def run(
    field: ForceField,
    state: Particles,
    settings: Settings,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Trace[Particles]:
    """Move the particles of a state: see ``ForceField.run``.

    Examples
    --------
    >>> from regrain.particles import ForceField, fcc
    >>> from regrain.particles.run import Settings, run
    >>> ideal = ForceField({("A", "A"): None}, temperature=1.0)
    >>> run(ideal, fcc(cells=2, density=0.1), Settings(time=1.0, dt=0.1, every=0.5))
    Trace(2 frames of particles, times 0.5 to 1)
    """
    return _Run(field, state, settings, checkpoint_path(checkpoint)).finish(progress)


@dataclass
class _Frame:
    arrays: dict[str, Any]
    log: dict[str, Any]


class _Run(SlicedRun[_Frame]):
    """All that is held while particles move."""

    FORMAT = "regrain run 1"

    def __init__(
        self, field: ForceField, state: Particles, settings: Settings, path: Path | None
    ) -> None:
        super().__init__(path)
        self.field, self.start, self.settings = field, state, settings
        self.units = unit_system(field.units)
        self.dynamics = Langevin() if settings.dynamics is None else settings.dynamics
        self._check_fixed()
        self._warn_of_jumps()
        self.simulation = self.dynamics._simulation(field, state, settings)
        if not self._restore(self._take):
            self._assign()

    # ------------------------------------------------------------------ the start

    def _check_fixed(self) -> None:
        """That nothing fixed in space stands along an axis that a barostat or a flow moves."""
        barostat, flow = self.settings.barostat, self.settings.flow
        if self.field.external is not None:  # friction between pairs must not reach through, either
            self.field.external.check_walls(self.start, getattr(self.dynamics, "cutoff", 0.0))
        laws: list[Any] = [law for _, law in self.field.external or ()]
        laws += getattr(self.field.biases, "variables", ())
        for law in laws:
            if flow is not None and flow.plane[0] in law.axes:
                raise RegrainError(
                    f"{flow!r} slides images along {flow.plane[0]}, where {law!r} is fixed in "
                    "space; leave it out, or the flow"
                )
            stretched = () if barostat is None else barostat.axes
            shared = [axis for axis in stretched if axis in law.axes]
            if shared:
                raise RegrainError(
                    f"{barostat!r} stretches the box along {', '.join(shared)}, where {law!r} is "
                    "fixed in space: the pressure there is what that makes it; use a barostat that "
                    "leaves this axis alone, or none"
                )

    def _warn_of_jumps(self) -> None:
        """Where fields are not the same on opposite faces of the box."""
        temperature = self.dynamics._temperature(self.field)
        if self.field.external is not None and temperature:
            kt = self.units.boltzmann * temperature
            warn_of_jumps(self.field.external, self.start, kt)

    def _assign(self) -> None:
        temperature = self.dynamics._temperature(self.field)
        if self.start.velocities is None and temperature is None:
            raise RegrainError(
                "the state has no velocities, and there is no temperature to draw them for; give "
                "the force field a temperature, or the state velocities"
            )
        self.simulation.assign(
            positions=self.start.positions,
            images=self.start.images,
            velocities=self.start.velocities,
            kt=self.units.boltzmann * (temperature or 0.0),
            box=self.start.box,
        )

    def _fingerprint(self) -> dict[str, Any]:
        """What a checkpoint must agree with to be one of this run."""
        s, start, topology = self.settings, self.start, self.start.topology
        digest = hashlib.sha256()
        arrays: tuple[Any, ...] = (
            *(start.positions, start.box, start.velocities, start.images),
            *(topology.types, topology.masses, topology.charges),
            *(topology.bonds, topology.angles, topology.dihedrals),
        )
        for array in arrays:
            digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
        field = json.dumps(self.field.to_dict(), sort_keys=True)
        return {
            "force field": hashlib.sha256(field.encode()).hexdigest(),
            "start": digest.hexdigest(),
            "dt": s.dt,
            "steps between frames": s.frame_steps,
            "seed": int(s.seed),
            "dynamics": repr(self.dynamics),
            "barostat": repr(s.barostat),
            "skin": s.skin,
            "choice of frozen particles": None if s.frozen is None else list(s.frozen),
            "precision": s.precision,
            "flow": repr(s.flow),
        }

    # ------------------------------------------------------------------ time

    @property
    def _now(self) -> int:
        return int(self.simulation.step)

    @property
    def _total(self) -> int:
        return self.settings.steps

    @property
    def _due(self) -> int:
        return (len(self.frames) + 1) * self.settings.frame_steps

    def _move(self, steps: int) -> None:
        self.simulation.run(steps)

    def finish(self, progress: bool) -> Trace[Particles]:
        try:
            self._run(progress)
        except RegrainError as error:
            raise RegrainError(f"{error}{self._where()}") from error
        return self._trace()

    def _where(self) -> str:
        done = self.simulation.step
        time = f"{done * self.settings.dt:g}{_space(self.units.time)}"
        text = f" (after step {done}, time {time})"
        if self.last_checkpoint is not None:
            kept = self.last_checkpoint * self.settings.dt
            text += f"; the last checkpoint, {self.path}, is of time {kept:g}"
        elif self.path is not None:
            text += "; there is no checkpoint yet"
        return text

    def _frame(self) -> _Frame:
        sim, units = self.simulation, self.units
        measured = sim.measure()
        box = sim.box
        volume = float(np.prod(np.diag(box)))
        positions, images = sim.places()
        tensor = np.array(measured.virial) + np.array(measured.kinetic_tensor)
        log = {
            "potential_energy": measured.potential,
            "volume": volume,
            "pressure_tensor": tensor[SYMMETRIC] / volume * units.pressure_factor,
            **self._outside(measured),
        }
        if measured.collisional:
            carried = np.reshape(measured.collisional, (3, 3)) / volume * units.pressure_factor
            log["collisional_pressure"] = carried
            log["pressure_tensor"] = log["pressure_tensor"] + carried
        if not np.isfinite(measured.potential + measured.kinetic):
            raise RegrainError(
                f"step {sim.step}: the energy is not a number any more; use a smaller time step"
            )
        arrays = {"positions": positions, "images": images, "box": box}
        if self.dynamics.has_velocities:
            arrays["velocities"] = sim.velocities()
            log["kinetic_energy"] = measured.kinetic
            log["temperature"] = 2 * measured.kinetic / (sim.degrees_of_freedom * units.boltzmann)
            log["conserved_energy"] = measured.conserved
        return _Frame(arrays, log)

    def _outside(self, measured: Any) -> dict[str, Any]:
        """What fields and biases did, where there are any."""
        log: dict[str, Any] = {}
        energies = dict(measured.energies)
        external, biases = self.field.external, self.field.biases
        if external is not None:
            force = measured.external + self._bounces(measured, log)
            log |= {"external_energy": energies["external"], "external_force": force}
        if biases is not None:
            log |= {"bias_energy": energies["bias"]}
            log |= dict(zip(biases.columns, measured.variables, strict=True))
        if log:
            log["work"] = measured.work
        return log

    def _bounces(self, measured: Any, log: dict[str, Any]) -> Any:
        """Mean force of walls that particles bounce off since the frame before."""
        if not len(measured.impulses):
            return 0.0
        before = self.frames[-1].log["external_impulse"] if self.frames else 0.0
        log["external_impulse"] = measured.impulses
        return (measured.impulses - before) / (self.settings.frame_steps * self.settings.dt)

    # ------------------------------------------------------------------ keeping

    def _kept(self) -> tuple[dict[str, Any], dict[str, Any]]:
        arrays = {f"engine.{name}": np.asarray(a) for name, a in self.simulation.snapshot().items()}
        for group in ("arrays", "log"):
            columns = [getattr(frame, group) for frame in self.frames]
            for name in columns[0] if columns else ():
                arrays[f"{group}.{name}"] = np.stack([column[name] for column in columns])
        return arrays, {"frames": len(self.frames)}

    def _take(self, arrays: dict[str, Any], meta: dict[str, Any]) -> None:
        self.simulation.restore(
            {k.removeprefix("engine."): a for k, a in arrays.items() if k.startswith("engine.")}
        )
        for k in range(meta["frames"]):
            self.frames.append(
                _Frame(
                    *(
                        {n.removeprefix(p): a[k] for n, a in arrays.items() if n.startswith(p)}
                        for p in ("arrays.", "log.")
                    )
                )
            )

    # ------------------------------------------------------------------ the result

    def _trace(self) -> Trace[Particles]:
        s = self.settings
        frames = self.frames[: s.steps // s.frame_steps]
        states = [
            Particles(
                positions=frame.arrays["positions"],
                velocities=frame.arrays.get("velocities"),
                images=frame.arrays["images"],
                box=frame.arrays["box"],
                topology=self.start.topology,
                units=self.field.units,
            )
            for frame in frames
        ]
        return Trace(
            states,
            times=s.dt * s.frame_steps * np.arange(1, len(frames) + 1),
            log={name: np.array([frame.log[name] for frame in frames]) for name in frames[0].log},
            provenance={
                "model": self.field.to_dict(),
                "dynamics": repr(self.dynamics),
                "barostat": repr(s.barostat),
                "flow": None if s.flow is None else asdict(s.flow),
                "frozen": None if s.frozen is None else list(s.frozen),
                "precision": s.precision,
                "collision_interval": getattr(self.dynamics, "interval", None),
                "dt": s.dt,
                "seed": int(s.seed),
                "steps": s.steps,
                **self._provenance(),
            },
        )


def _expect(name: str, given: Any, kind: type, example: str) -> None:
    if given is not None and not isinstance(given, kind):
        raise RegrainError(f"{name}: got {given!r}, expected {example}")


def _plain_frozen(given: Frozen) -> tuple[str | int, ...] | None:
    """Type names and indices of particles; a mask becomes indices."""
    if given is None:
        return None
    if isinstance(given, str):
        return (given,)
    values = np.asarray(given).ravel()
    if values.dtype == bool:
        values = np.flatnonzero(values)
    if values.dtype.kind not in "iuU" and values.size:
        raise RegrainError(f"frozen: got {given!r}, expected indices of particles or type names")
    return tuple(values.tolist()) or None


def _space(unit: str) -> str:
    return f" {unit}" if unit else ""
