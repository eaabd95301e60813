"""The pressure on a wall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from regrain.errors import RegrainError
from regrain.observables.observable import Measurement, Observable, Plan, Undefined
from regrain.observables.thermo import LogAverage
from regrain.particles import ForceField
from regrain.particles.external import Planar
from regrain.trace import Trace
from regrain.units import units

__all__ = ["WallPressure"]


@dataclass(frozen=True)
class WallPressure(Observable):
    """Force per area that particles exert on a wall, from the log of the run.

    Walls that particles bounce off are known by all bounces since the frame before, others by what
    they do on frames.

    Parameters
    ----------
    wall : LennardJonesWall, HarmonicWall, ReflectingWall, BounceBackWall or FieldTable
        One of those of the force field that made the trace, with its normal along an axis.

    Returns
    -------
    Estimate
        On calling it; undefined where the log does not say.

    Raises
    ------
    RegrainError
        Something that is no wall, or none of those of the run.

    Loses / Assumes
    ---------------
    The area is that of a face of the box: the wall goes all the way.

    Examples
    --------
    >>> from regrain.observables import WallPressure
    >>> from regrain.particles import ForceField, HarmonicWall, fcc
    >>> floor = HarmonicWall("+z", at=0.5, k=100.0, cutoff=1.0)
    >>> lid = HarmonicWall("-z", at=9.0, k=100.0, cutoff=1.0)
    >>> gas = ForceField({("A", "A"): None}, external={"A": [floor, lid]}, temperature=1.0)
    >>> start = fcc(cells=2, density=0.1)
    >>> start = start.replace(positions=start.positions + [0, 0, 0.8], box=[10, 10, 10])
    >>> trace = gas.run(start, time=20.0, dt=0.01, every=0.1, seed=1)
    >>> pressure = WallPressure(floor)(trace)
    >>> bool(abs(float(pressure) - 32 / (100 * 7)) < 0.02)
    True
    """

    wall: Planar

    name: ClassVar[str] = "wall pressure"

    def __post_init__(self) -> None:
        if not isinstance(self.wall, Planar):
            raise RegrainError(f"WallPressure: got {self.wall!r}, expected a wall of the run")

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement on the log."""
        if "external_force" not in trace.log or "model" not in trace.provenance:
            return Undefined(self.name, "the log of the trace has no external_force")
        terms = ForceField.from_dict(trace.provenance["model"]).external or ()
        mine = [k for k, (_, law) in enumerate(terms) if law == self.wall]
        if not mine:
            raise RegrainError(
                f"the run had no {self.wall!r}; it had {[law for _, law in terms]!r}"
            )
        if len(self.wall.axes) != 1:
            raise RegrainError(
                f"{self.wall!r}: its area is not known; its normal is not along an axis"
            )
        # Nothing stretches the box across a wall, and that is the edge that gives its area.
        axis = "xyz".index(self.wall.axes)
        area = np.asarray(trace.log["volume"], dtype=float) / trace[0].box[axis, axis]
        force = np.asarray(trace.log["external_force"])[:, mine].sum(axis=1) @ self.wall.direction
        system = units(trace.units)
        column = force / area * system.pressure_factor
        return LogAverage(self, Plan(unit=system.pressure), column, trace.weights)
