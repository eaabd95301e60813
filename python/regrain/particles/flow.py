"""Flows that carry the cell along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.parameters import plain_numbers

__all__ = ["Shear"]

#: Flow direction and gradient, such that lattice vectors stay lower triangular.
PLANES = ("xy", "xz", "yz")


@dataclass(frozen=True, kw_only=True)
class Shear:
    """Steady shear flow of a bulk fluid: what a run takes as ``flow``.

    The velocity of the flow is ``rate`` times the place along the gradient. The cell is carried
    along: a lattice vector tilts, which is the same as images that slide past each other (Lees and
    Edwards, J. Phys. C 5, 1921 (1972)), and when it has tilted by half the edge another vector of
    the same lattice takes over. Particles obey the SLLOD equations,

    dr/dt = v + γ̇ y x̂,    dv/dt = F/m - γ̇ v_y x̂,

    with velocities v beside the flow, which are those of frames, thermostats and temperatures.

    Parameters
    ----------
    rate : float
        Shear rate γ̇, 1 / time; negative for the other way.
    plane : str
        Direction of the flow and of its gradient: ``"xy"``, ``"xz"`` or ``"yz"``.

    Raises
    ------
    RegrainError
        A rate that is not finite, another plane; in a run: with a barostat, frozen particles, rigid
        bonds or a chain of several Nosé-Hoover thermostats (whose second link damps what removes
        the heat: A. C. Brańka, Phys. Rev. E 61, 4769 (2000)), a rate that shears the cell by more
        than a tenth in one step, or a box that would get lower than two cutoffs where bonded
        particles are excluded.

    Notes
    -----
    The split step is reversible and of second order (as in G. Pan, J. F. Ely, C. McCabe and D. J.
    Isbister, J. Chem. Phys. 122, 094114 (2005)): without forces it is exact, and without a
    thermostat it is velocity Verlet in the laboratory. The conserved energy of the log has the work
    -V P_xy γ̇ taken off. The provenance of the trace holds rate and plane, from which `Viscosity`
    and `Profile` know the flow.

    Loses / Assumes
    ---------------
    A linear profile: shear bands cannot form where the thermostat holds them back, and a
    thermostat that takes the flow to be linear makes it so at high rates. The work of the flow ends
    up in the thermostat; without one the fluid heats. Start velocities are those beside the flow,
    and the first frames are those of a flow that sets in.

    References
    ----------
    D. J. Evans and G. P. Morriss, Statistical Mechanics of Nonequilibrium Liquids (2008), ch. 6.

    Examples
    --------
    >>> from regrain.observables import Viscosity
    >>> from regrain.particles import ForceField, LennardJones, NoseHoover, Shear, fcc
    >>> lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
    >>> field = ForceField({("A", "A"): lj}, temperature=1.0)
    >>> trace = field.run(fcc(cells=3, density=0.7), time=4.0, dt=0.005, every=0.1, seed=1,
    ...                   dynamics=NoseHoover(time=0.3, chain=1), flow=Shear(rate=1.0))
    >>> eta = Viscosity()(trace[10:])
    >>> 0.5 < float(eta) < 2.5
    True
    """

    rate: float
    plane: str = "xy"

    def __post_init__(self) -> None:
        plain_numbers(self)
        if not np.isfinite(self.rate):
            raise RegrainError(f"{self!r}: rate must be a finite number")
        if self.plane not in PLANES:
            raise RegrainError(
                f"{self!r}: plane must be 'xy', 'xz' or 'yz' (flow along the first axis, faster "
                "along the second), so that the box stays lower triangular; rename the axes"
            )

    def _engine(self) -> Any:
        """What the core has of it."""
        place = {"xy": "yx", "xz": "zx", "yz": "zy"}[self.plane]
        return _core.FlowGradient(**{"yx": 0.0, "zx": 0.0, "zy": 0.0, place: self.rate})
