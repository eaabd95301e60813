"""Cells that follow the pressure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.dynamics import Context
from regrain.particles.parameters import plain_numbers, positive

__all__ = ["CellRescale"]


_COUPLINGS = {
    "isotropic": _core.Coupling.isotropic,
    "semi-isotropic": _core.Coupling.semiisotropic,
    "anisotropic": _core.Coupling.anisotropic,
    "lateral": _core.Coupling.lateral,
}


@dataclass(frozen=True, kw_only=True)
class CellRescale:
    """A barostat: stochastic cell rescaling (Bernetti and Bussi, J. Chem. Phys. 153, 114107 (2020);
    Del Tatto, Raiteri, Bernetti and Bussi, Appl. Sci. 12, 1139 (2022)). Box, positions and
    (inversely) velocities are scaled together.

    Parameters
    ----------
    pressure : float
        In the pressure unit: bar in "md".
    time : float
        Relaxation time of the volume, right when ``compressibility`` is; many time steps.
    compressibility : float
        Of the system, 1 / pressure; a guess will do, as only ``time`` depends on it. 4.5e-5 per bar
        for water.
    every : int
        Time steps between scalings.
    coupling : str
        ``"isotropic"``: the shape of the cell stays. ``"semi-isotropic"``: x and y are scaled
        alike, z apart, as for membranes and films. ``"anisotropic"``: x, y and z each apart, as
        for crystals. ``"lateral"``: x and y alike, z stays, as between walls. Lattice vectors of a
        skewed cell follow the scaling of the axes.
    tension : float
        Surface tension of the plane xy, in pressure times length: the normal pressure is
        ``pressure``, the lateral one less by ``tension / L_z``. Of a slab with two surfaces it is
        twice the tension of one. Not with isotropic coupling.

    Raises
    ------
    RegrainError
        Parameters that are not positive, an unknown coupling, a tension of an isotropic cell, or
        (in a run) dynamics without a thermostat, or frozen particles, which would have to move with
        the cell.

    Loses / Assumes
    ---------------
    First order in ``every * dt / time``: the distribution of the cell is that of the ensemble when
    it hardly changes between scalings. That is V^N exp(-(U + pressure V - tension A) / kT) for
    each length that is free: V, or A and L_z, or the three edges. A liquid does not resist a change
    of shape: coupled so that it can, its cell gets thin sooner or later.

    Examples
    --------
    >>> from regrain.particles import CellRescale
    >>> CellRescale(pressure=1.0, time=5.0, compressibility=4.5e-5).every
    10
    >>> membrane = CellRescale(
    ...     pressure=1.0, time=5.0, compressibility=4.5e-5, coupling="semi-isotropic"
    ... )
    """

    pressure: float
    time: float
    compressibility: float
    every: int = 10
    coupling: str = "isotropic"
    tension: float = 0.0

    def __post_init__(self) -> None:
        plain_numbers(self)
        for name in ("pressure", "tension"):
            if not np.isfinite(getattr(self, name)):
                raise RegrainError(f"{self!r}: {name} must be a finite number")
        positive(self, "time", "compressibility", "every")
        if self.coupling not in tuple(_COUPLINGS):
            known = ", ".join(repr(name) for name in _COUPLINGS)
            raise RegrainError(f"coupling: got {self.coupling!r}, expected one of {known}")
        if self.tension != 0.0 and self.coupling == "isotropic":
            raise RegrainError(
                f"{self!r}: a surface tension needs a cell whose height changes apart from its "
                'area; use coupling="semi-isotropic"'
            )

    @property
    def axes(self) -> str:
        """The axes that it stretches."""
        return "xy" if self.coupling == "lateral" else "xyz"

    def _engine(self, context: Context) -> Any:
        factor = context.units.pressure_factor
        return _core.CellRescale(
            kt=context.kt(self),
            pressure=self.pressure / factor,
            time=self.time,
            compressibility=self.compressibility * factor,
            every=self.every,
            coupling=_COUPLINGS[self.coupling],
            tension=self.tension / factor,
        )
