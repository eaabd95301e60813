"""Thermodynamic averages: energy, temperature, pressure, density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain.errors import RegrainError
from regrain.observables.observable import Average, Measurement, Observable, Plan, Undefined
from regrain.particles import Particles
from regrain.trace import Trace
from regrain.units import units

__all__ = [
    "NO_VIRIAL",
    "Density",
    "Energy",
    "LogAverage",
    "Pressure",
    "Temperature",
    "pressure_tensors",
]

Floats = NDArray[np.float64]

#: Why there is no pressure.
NO_VIRIAL = "the log of the trace has no pressure_tensor: no virial was measured"


def pressure_tensors(trace: Trace[Any]) -> Floats | None:
    """Those of the log, shape (n_frames, 3, 3); None where it has none.

    Raises
    ------
    RegrainError
        Another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables.thermo import pressure_tensors
    >>> from regrain.particles import Particles
    >>> state = Particles(np.zeros((1, 3)), box=[2.0, 2.0, 2.0])
    >>> pressure_tensors(Trace([state], times=[0.0])) is None
    True
    """
    if "pressure_tensor" not in trace.log:
        return None
    tensor = np.asarray(trace.log["pressure_tensor"], dtype=float)
    if tensor.shape[1:] != (3, 3):
        raise RegrainError(f"pressure_tensor has shape {tensor.shape}, expected (n_frames, 3, 3)")
    return tensor


class LogAverage(Average):
    """The mean over frames of a column of the log; no frame is read.

    Examples
    --------
    >>> from regrain.observables import Density, LogAverage, Plan
    >>> LogAverage(Density(), Plan(), [0.5, 0.7], None).estimate().value.item()
    0.6
    """

    reads_states = False

    def __init__(
        self, observable: Observable, plan: Plan, column: ArrayLike, weights: Floats | None
    ) -> None:
        super().__init__(observable, plan)
        rows = np.asarray(column, dtype=float)
        heavy = np.ones(len(rows)) if weights is None else weights
        for k, (row, weight) in enumerate(zip(rows, heavy, strict=True)):
            if not np.all(np.isfinite(row)):
                raise RegrainError(
                    f"frame {k}: the log says {observable.name} = {row}, which is no finite number"
                )
            self.add_row(row, float(weight))


@dataclass(frozen=True)
class Density(Observable):
    """Number of particles per volume.

    Loses / Assumes
    ---------------
    The mean of the whole box: profiles, interfaces and coexisting phases are averaged out.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import Density
    >>> from regrain.particles import Particles
    >>> states = [Particles(np.zeros((8, 3)), box=[2.0, 2.0, edge]) for edge in (1.0, 2.0)]
    >>> float(Density()(Trace(states, times=[0.0, 1.0])))
    1.5
    """

    name: ClassVar[str] = "density"

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Settle the unit."""
        length = units(trace.units).length
        return Plan(unit=f"1/{length}^3" if length else "")

    def measure(self, state: Particles, plan: Plan) -> float:
        """Density of one frame."""
        return len(state) / state.volume


@dataclass(frozen=True)
class Energy(Observable):
    """Energy of the whole system, from the log of the run.

    Parameters
    ----------
    kind : str
        ``"potential"``, ``"kinetic"`` or ``"total"``.

    Returns
    -------
    Estimate
        On calling it; undefined where the log does not say.

    Raises
    ------
    RegrainError
        Another kind.

    Loses / Assumes
    ---------------
    What the run logged, with its cutoffs. Energies of two levels are not comparable as such: the
    coarse one is a free energy that holds the entropy of what was averaged out, up to a constant.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import Energy
    >>> from regrain.particles import Particles
    >>> state = Particles(np.zeros((1, 3)), box=[2.0, 2.0, 2.0])
    >>> trace = Trace([state] * 4, times=range(4), log={"potential_energy": [1.0, 3.0, 1.0, 3.0]})
    >>> float(Energy()(trace))
    2.0
    >>> Energy("kinetic")(trace)
    kinetic energy: undefined (the log of the trace has no kinetic_energy)
    """

    kind: str = "potential"

    def __post_init__(self) -> None:
        if self.kind not in ("potential", "kinetic", "total"):
            raise RegrainError(
                f"Energy: got {self.kind!r}, expected 'potential', 'kinetic' or 'total'"
            )

    @property
    def name(self) -> str:  # type: ignore[override]
        """What reports call it."""
        return f"{self.kind} energy"

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement on the log."""
        kinds = ("potential", "kinetic") if self.kind == "total" else (self.kind,)
        columns = [f"{kind}_energy" for kind in kinds]
        for column in columns:
            if column not in trace.log:
                return Undefined(self.name, f"the log of the trace has no {column}")
        total = np.sum([trace.log[column] for column in columns], axis=0)
        return LogAverage(self, Plan(unit=units(trace.units).energy), total, trace.weights)


@dataclass(frozen=True)
class Pressure(Observable):
    """Scalar pressure, the mean of the diagonal of the pressure tensor in the log of the run.

    Returns
    -------
    Estimate
        On calling it; undefined where the trace carries no virial: positions alone do not say the
        pressure, and a map takes the virial away with the particles that it was measured on.

    Loses / Assumes
    ---------------
    The potential does not depend on the density. One that was derived at a density does, and
    what that adds to the pressure is not in the virial of its pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import Pressure
    >>> from regrain.particles import Particles
    >>> state = Particles(np.zeros((1, 3)), box=[2.0, 2.0, 2.0])
    >>> tensor = np.tile(np.diag([1.0, 2.0, 6.0]), (5, 1, 1))
    >>> float(Pressure()(Trace([state] * 5, times=range(5), log={"pressure_tensor": tensor})))
    3.0
    """

    name: ClassVar[str] = "pressure"

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement on the log."""
        tensor = pressure_tensors(trace)
        if tensor is None:
            return Undefined(self.name, NO_VIRIAL)
        column = np.trace(tensor, axis1=1, axis2=2) / 3.0
        return LogAverage(self, Plan(unit=units(trace.units).pressure), column, trace.weights)


@dataclass(frozen=True)
class Temperature(Observable):
    """Temperature: from the log of the run, else from the velocities.

    Parameters
    ----------
    constraints : int
        Degrees of freedom that the 3 N Cartesian ones lose to rigid bonds and conserved momentum;
        used only with velocities (the log knows).

    Loses / Assumes
    ---------------
    Velocities count every one of the 3 N degrees of freedom but ``constraints``; a
    rigid molecule (SPC/E water: 3 per molecule) measured without them seems too cold.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import Temperature
    >>> from regrain.particles import Particles
    >>> v = np.random.default_rng(2).normal(size=(20000, 3))
    >>> gas = Particles(np.zeros((20000, 3)), box=[2.0, 2.0, 2.0], velocities=v)
    >>> print(f"{float(Temperature()(Trace([gas], times=[0.0]))):.1f}")
    1.0
    """

    constraints: int = 0

    name: ClassVar[str] = "temperature"

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement on the log or on the velocities."""
        plan = self.prepare(trace)
        if "temperature" in trace.log:
            return LogAverage(self, plan, trace.log["temperature"], trace.weights)
        if trace[0].velocities is None:
            return Undefined(self.name, "the trace has neither velocities nor a temperature log")
        return Average(self, plan)

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Settle the unit."""
        system = units(trace.units)
        return Plan(unit=system.temperature, data=system.boltzmann)

    def measure(self, state: Particles, plan: Plan) -> float:
        """Temperature of one frame."""
        freedom = 3 * len(state) - self.constraints
        if freedom <= 0:
            raise RegrainError(
                f"{self!r} leaves {freedom} degrees of freedom for {len(state)} particles"
            )
        if state.velocities is None:
            raise RegrainError("the state has no velocities, those of other frames do")
        squares = np.sum(state.velocities**2, axis=1)
        return float(state.topology.masses @ squares) / (freedom * float(plan.data))
