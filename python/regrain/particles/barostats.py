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


@dataclass(frozen=True, kw_only=True)
class CellRescale:
    """A barostat: isotropic stochastic cell rescaling (Bernetti and Bussi, J. Chem. Phys. 153,
    114107 (2020)). Box, positions and (inversely) velocities are scaled together.

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

    Raises
    ------
    RegrainError
        Parameters that are not positive, or (in a run) dynamics without a thermostat.

    Loses / Assumes
    ---------------
    First order in ``every * dt / time``: the distribution of the volume is that of the ensemble
    when the volume hardly changes between scalings.

    Examples
    --------
    >>> from regrain.particles import CellRescale
    >>> CellRescale(pressure=1.0, time=5.0, compressibility=4.5e-5)
    CellRescale(pressure=1.0, time=5.0, compressibility=4.5e-05, every=10)
    """

    pressure: float
    time: float
    compressibility: float
    every: int = 10

    def __post_init__(self) -> None:
        plain_numbers(self)
        if not np.isfinite(self.pressure):
            raise RegrainError(f"{self!r}: pressure must be a finite number")
        positive(self, "time", "compressibility", "every")

    def _engine(self, context: Context) -> Any:
        factor = context.units.pressure_factor
        return _core.CellRescale(
            kt=context.kt(self),
            pressure=self.pressure / factor,
            time=self.time,
            compressibility=self.compressibility * factor,
            every=self.every,
        )
