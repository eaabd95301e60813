"""Surface tension of flat interfaces, from the pressure tensor that a run logged."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.observables.observable import Measurement, Observable, Plan, Undefined
from regrain.observables.slabs import AXES, check_axis
from regrain.observables.thermo import NO_VIRIAL, LogAverage, pressure_tensors
from regrain.trace import Trace
from regrain.units import units

__all__ = ["SurfaceTension"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SurfaceTension(Observable):
    """Tension γ of flat interfaces across an axis, from the anisotropy of the pressure.

    γ = L (P_n - P_t) / interfaces, L being the edge of the box along the axis, P_n the pressure
    along it and P_t the mean of the two along the interfaces.

    Parameters
    ----------
    axis : str
        The normal of the interfaces.
    interfaces : int
        How many there are in the box: a slab of liquid has two.

    Returns
    -------
    Estimate
        On calling it, in the unit of pressure times length: 1 bar nm = 0.1 mN/m. Undefined where
        the log has no pressure tensor.

    Raises
    ------
    RegrainError
        Another axis, no interface, a box that is skewed along the axis.

    Loses / Assumes
    ---------------
    Interfaces that are flat and cross the whole box, in equilibrium, with bulk phases between them
    that are fluids: a solid is under stress of its own. What potentials have beyond their cutoffs
    is not in it, and at interfaces that is a lot: a Lennard-Jones liquid cut at 2.5 σ has about
    half the tension of the whole one. Small boxes suppress waves and have oscillations of γ with
    their width (Orea, López-Lemus and Alejandre, J. Chem. Phys. 123, 114702 (2005)): take 10 σ.

    References
    ----------
    J. G. Kirkwood and F. P. Buff, J. Chem. Phys. 17, 338 (1949); G. A. Chapela, G. Saville, S. M.
    Thompson and J. S. Rowlinson, J. Chem. Soc. Faraday Trans. 2 73, 1133 (1977).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import SurfaceTension
    >>> from regrain.particles import Particles
    >>> state = Particles(np.zeros((1, 3)), box=[2.0, 2.0, 8.0])
    >>> tensor = np.tile(np.diag([0.1, 0.3, 0.3]), (5, 1, 1))
    >>> trace = Trace([state] * 5, times=range(5), log={"pressure_tensor": tensor})
    >>> print(f"{float(SurfaceTension()(trace)):.1f}")
    0.4
    """

    axis: str = "z"
    _: KW_ONLY
    interfaces: int = 2

    name: ClassVar[str] = "surface tension"
    cite: ClassVar[str] = "Kirkwood & Buff, J. Chem. Phys. 17, 338 (1949)"

    def __post_init__(self) -> None:
        check_axis(self, "axis")
        if self.interfaces < 1 or self.interfaces != int(self.interfaces):
            raise RegrainError(f"{self!r}: interfaces is a number of 1 or more; a slab has 2")

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement on the log."""
        tensor = pressure_tensors(trace)
        if tensor is None:
            return Undefined(self.name, NO_VIRIAL)
        normal = AXES.index(self.axis)
        diagonal = tensor[:, range(3), range(3)]
        tangential = (diagonal.sum(axis=1) - diagonal[:, normal]) / 2
        edges = self._edges(trace, normal)
        system = units(trace.units)
        unit = f"{system.pressure} {system.length}".strip()
        column = edges * (diagonal[:, normal] - tangential) / self.interfaces
        return LogAverage(self, Plan(unit=unit), column, trace.weights)

    def _edges(self, trace: Trace[Any], normal: int) -> Floats:
        """Of the box along the axis, of all frames; these are read only where they differ."""
        volume = trace.log.get("volume")
        steady = volume is not None and np.ptp(np.asarray(volume, dtype=float)) == 0
        boxes = [trace[0].box] if steady else [state.box for state in trace]
        for box in boxes:
            if np.any(np.delete(box[:, normal], normal)):
                raise RegrainError(
                    f"{self!r}: the box is skewed along {self.axis}, so that no plane across it "
                    f"goes through the box; its vectors are {box.tolist()}"
                )
        return np.array([box[normal, normal] for box in boxes])
