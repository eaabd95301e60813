"""Density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from regrain.observables.observable import Observable, Plan
from regrain.particles import Particles
from regrain.trace import Trace
from regrain.units import units

__all__ = ["Density"]


@dataclass(frozen=True)
class Density(Observable):
    """Number of particles per volume.

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
