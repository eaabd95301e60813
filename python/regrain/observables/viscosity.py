"""Shear viscosity from the pressure tensor that a run logged."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.observables.blocks import mean_with_error
from regrain.observables.estimate import Estimate
from regrain.observables.observable import Measurement, Observable, Plan, Undefined
from regrain.observables.slabs import AXES, imposed_flow
from regrain.observables.thermo import NO_VIRIAL, LogAverage, pressure_tensors
from regrain.trace import Trace
from regrain.units import units

__all__ = ["Viscosity"]

Floats = NDArray[np.float64]

#: The integral goes to so many relaxation times of the stress, unless said otherwise.
RELAXATIONS = 10.0
#: Least correlation of the stress with that of the next frame: below, too few frames see it decay.
DENSE_ENOUGH = 0.5
#: Beyond so many standard errors from zero a mean shear stress is not noise.
AT_REST = 5.0


@dataclass(frozen=True)
class Viscosity(Observable):
    """Shear viscosity η from the pressure tensor in the log of a run.

    In a run under shear (``flow=Shear(...)``) it is the stress over the rate, η = -⟨P_xy⟩ / γ̇, at
    that rate. In a run at rest it is Green and Kubo's integral η = V / (k_B T) ∫ ⟨σ(t) σ(0)⟩ dt,
    averaged over the five independent shear stresses σ of an isotropic liquid: P_xy, P_xz, P_yz,
    (P_xx - P_yy) / 2 and (P_xx + P_yy - 2 P_zz) / √12. Where the tensor is not symmetric (solvents
    that collide without keeping angular momentum) they are its six elements off the diagonal.
    The estimate says by which.

    Parameters
    ----------
    max_lag : float, optional
        To where Green and Kubo's integral goes; ten times the relaxation time that it gives
        (integral of the correlation over its value at zero) when omitted.
    temperature : float, optional
        From the log of the trace when omitted.

    Returns
    -------
    Estimate
        On calling it, in the unit of pressure times time: 1 bar ps = 1e-4 mPa s. Undefined where
        the log has no pressure tensor, and at rest: where frames are so far apart that their
        stresses hardly know each other, the trace is too short for the integral, no temperature is
        known, or the mean stress is not zero (a solid, or a flow that the trace does not tell of).

    Raises
    ------
    RegrainError
        A max_lag or temperature that is not positive, a trace with weights or uneven times.

    Notes
    -----
    One number per time origin, the integral that begins there, is a series whose mean is η and
    whose autocorrelation gives the error. It is flagged where an integral twice as long differs by
    more than three standard errors of the difference.

    Loses / Assumes
    ---------------
    At rest: dynamics that conserve momentum, and thermostats that hardly touch it (friction of
    Langevin's kind damps what is to be measured). Random forces have a share in the stress that no
    correlation of momentary values holds, so for DPD measure under shear instead. Under shear: the
    steady state, without the frames before it; at high rates liquids get thinner, so extrapolate
    to zero.

    References
    ----------
    M. S. Green, J. Chem. Phys. 22, 398 (1954); P. J. Daivis and D. J. Evans, J. Chem. Phys. 100,
    541 (1994) (all components of the tensor); D. J. Evans and G. P. Morriss, Statistical Mechanics
    of Nonequilibrium Liquids (2008), ch. 6.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import Viscosity
    >>> from regrain.particles import Particles
    >>> state = Particles(np.zeros((1, 3)), box=[2.0, 2.0, 2.0])
    >>> tensor = np.zeros((5, 3, 3))
    >>> tensor[:, 0, 1] = tensor[:, 1, 0] = [-1.0, -1.2, -0.8, -1.1, -0.9]
    >>> trace = Trace([state] * 5, times=range(5), log={"pressure_tensor": tensor},
    ...               provenance={"flow": {"rate": 0.5, "plane": "xy"}})
    >>> float(Viscosity()(trace))
    2.0
    """

    max_lag: float | None = None
    _: KW_ONLY
    temperature: float | None = None

    name: ClassVar[str] = "viscosity"
    cite: ClassVar[str] = (
        "Green, J. Chem. Phys. 22, 398 (1954); Daivis & Evans, ibid. 100, 541 (1994)"
    )

    def __post_init__(self) -> None:
        for name in ("max_lag", "temperature"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise RegrainError(f"{self!r}: {name} must be a positive number")

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement on the log, under shear or at rest."""
        tensor = pressure_tensors(trace)
        if tensor is None:
            return Undefined(self.name, NO_VIRIAL)
        system = units(trace.units)
        unit = f"{system.pressure} {system.time}".strip()
        plane, rate = imposed_flow(trace)
        if rate != 0:
            a, b = (AXES.index(letter) for letter in plane)
            return LogAverage(_UnderShear(), Plan(unit=unit), -tensor[:, a, b] / rate,
                              trace.weights)  # fmt: skip
        temperature = self.temperature
        if temperature is None and "temperature" in trace.log:
            temperature = float(np.mean(trace.log["temperature"]))
        if temperature is None:
            return Undefined(
                self.name,
                "the log of the trace has no temperature; give Viscosity(temperature=300.0)",
            )
        if trace.weights is not None:
            raise RegrainError(
                f"{self!r}: a time correlation needs every frame once; this trace has weights"
            )
        volume = float(np.mean(trace.log.get("volume", trace[0].volume)))
        factor = volume / (system.boltzmann * temperature * system.pressure_factor)
        measured = _AtRest(self, _shear_stresses(tensor), factor, trace.spacing, unit)
        # Between two collisions nothing changes, so that a frame for each of them leaves nothing
        # out: the trapezoidal rule is exact.
        interval = trace.provenance.get("collision_interval")
        measured.complete = interval is not None and bool(np.isclose(trace.spacing, interval))
        return measured


def _shear_stresses(tensor: Floats) -> Floats:
    """The independent ones, which have the same variance; shape (n_frames, 5 or 6)."""
    if not np.all(np.isfinite(tensor)):
        bad = int(np.flatnonzero(~np.isfinite(tensor).all(axis=(1, 2)))[0])
        raise RegrainError(f"frame {bad}: the log has a pressure tensor that is not finite")
    if not np.allclose(tensor, tensor.swapaxes(1, 2), rtol=1e-9, atol=1e-9 * np.abs(tensor).max()):
        off: Floats = tensor[:, ~np.eye(3, dtype=bool)]
        return off
    xx, yy, zz = (tensor[:, k, k] for k in range(3))
    normal = ((xx - yy) / 2.0, (xx + yy - 2.0 * zz) / np.sqrt(12.0))
    return np.stack([tensor[:, 0, 1], tensor[:, 0, 2], tensor[:, 1, 2], *normal], axis=1)


class _UnderShear(Observable):
    name: ClassVar[str] = "viscosity"
    method: ClassVar[str] = "shear stress over shear rate"
    cite: ClassVar[str] = "Evans & Morriss, Statistical Mechanics of Nonequilibrium Liquids (2008)"


class _AtRest(Measurement):
    """Green and Kubo's integral from the log."""

    reads_states = False

    def __init__(
        self, observable: Viscosity, stress: Floats, factor: float, spacing: float, unit: str
    ) -> None:
        self.observable, self.stress, self.factor = observable, stress, factor
        self.spacing, self.unit = spacing, unit
        self.complete = False  # whether frames are all that happens to the stress

    def add(self, state: Any, weight: float) -> None:
        """Take in the next frame: nothing to do."""

    def estimate(self) -> Estimate:
        """The integral, or why there is none."""
        reason = self._unfit()
        if reason:
            return Estimate.undefined(self.observable.name, reason)
        frames, given = len(self.stress), self.observable.max_lag
        lag = self._window() if given is None else max(1, round(given / self.spacing))
        if 4 * lag > frames:
            span = frames * self.spacing
            return Estimate.undefined(
                self.observable.name,
                f"the trace spans {span:g}, and the stress takes {lag * self.spacing:g} to be "
                "forgotten; a trace of twenty times that is a start",
            )
        found = mean_with_error(self._integrals(lag))
        flags = list(found.flags)
        longer = self._integrals(2 * lag)
        bend = mean_with_error(longer - self._integrals(lag)[: len(longer)])
        if bend.error is not None and abs(bend.value[0]) > 3.0 * bend.error[0]:
            flags.append(
                f"the integral still changes beyond {lag * self.spacing:g}, by {bend.value[0]:.2g} "
                f"up to {2 * lag * self.spacing:g}; give a longer max_lag"
            )
        return Estimate(
            self.observable.name,
            found.value[0],
            None if found.error is None else found.error[0],
            unit=self.unit,
            n_eff=found.n_eff,
            dof=None if found.dof is None else found.dof[0],
            tier="T3",
            method=f"Green-Kubo integral of {self.stress.shape[1]} shear stresses to "
            f"{lag * self.spacing:g}; error from the autocorrelation over time origins "
            "(Wolff 2004)",
            cite=self.observable.cite,
            flags=flags,
        )

    def _unfit(self) -> str:
        """Why these stresses have no viscosity, if so."""
        mean = mean_with_error(self.stress)
        if mean.error is None or len(self.stress) < 20:
            return "fewer than 20 frames; log the pressure tensor more often or longer"
        if not np.any(self.stress):
            return "the shear stress is zero in all frames"
        off = np.abs(mean.value) / np.maximum(mean.error, 1e-300)
        if off.max() > AT_REST:
            return (
                f"the mean shear stress is {off.max():.2g} standard errors off zero: a solid, or a "
                'flow, of which the provenance does not tell ({"flow": {"rate": ..., "plane": '
                '"xy"}})'
            )
        kept = self._correlation(1) / self._correlation(0)
        if kept < DENSE_ENOUGH and not self.complete:
            return (
                f"frames are {self.spacing:g} apart, and {100 * kept:.0f} % of the shear stress is "
                "kept from one to the next: too little to integrate; run with a smaller every"
            )
        return ""

    def _correlation(self, lag: int) -> float:
        x = self.stress
        return float(np.mean(x[lag:] * x[: len(x) - lag]))

    def _window(self) -> int:
        """The first lag beyond so many relaxation times as the integral up to it gives."""
        total, at_zero = 0.5 * self._correlation(0), self._correlation(0)
        for lag in range(1, len(self.stress) // 4 + 1):
            total += self._correlation(lag)
            if lag >= RELAXATIONS * max(total / at_zero, 0.5):
                return lag
        return len(self.stress)

    def _integrals(self, lag: int) -> Floats:
        """V/kT σ(t) ∫ σ(t + s) ds, from 0 to the lag by trapezoids, mean of components, by t."""
        x = self.stress
        sums = np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
        origins = len(x) - lag
        ahead = sums[lag + 1 :] - sums[:origins] - 0.5 * (x[:origins] + x[lag:])
        products: Floats = (x[:origins] * ahead).mean(axis=1) * (self.factor * self.spacing)
        return products
