"""How particles move: mean squared displacement, diffusion, velocity autocorrelation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.observables.blocks import Summary
from regrain.observables.correlations import Record, curves_with_errors
from regrain.observables.estimate import Estimate
from regrain.observables.observable import Measurement, Observable
from regrain.trace import Trace
from regrain.units import units

__all__ = ["MSD", "Diffusion", "VelocityAutocorrelation"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

BY_PARTICLES = "all time origins; error from the spread over molecules and their common motion"
BY_TIME = "all time origins; error from their autocorrelation (Wolff 2004)"


class _Correlation(Observable):
    """A function of the time between two frames, averaged over origins and particles."""

    quantity: ClassVar[str]
    types: Sequence[str] | None

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement that keeps positions or velocities of all frames."""
        if trace.weights is not None:
            raise RegrainError(
                f"{self!r}: a time correlation needs every frame once; this trace has weights"
            )
        record = Record(trace, self.quantity, self.types)
        return _Correlated(self, record, self.lags(record))

    @abstractmethod
    def lags(self, record: Record) -> Ints:
        """Lags in frames."""

    @abstractmethod
    def finish(self, record: Record, lags: Ints) -> Estimate:
        """The estimate from the whole record."""


class _Correlated(Measurement):
    def __init__(self, observable: _Correlation, record: Record, lags: Ints) -> None:
        self.observable, self.record, self.lags = observable, record, lags

    def add(self, state: Any, weight: float) -> None:
        self.record.add(state)

    def estimate(self) -> Estimate:
        return self.observable.finish(self.record, self.lags)


def _longest(observable: _Correlation, record: Record, max_lag: float | None) -> int:
    """The longest lag in frames: a third of the trace unless said otherwise."""
    longest = max(1, record.frames // 3) if max_lag is None else round(max_lag / record.spacing)
    if not 1 <= longest < record.frames:
        raise RegrainError(
            f"{observable!r}: the frames are {record.spacing:g} apart and span "
            f"{record.spacing * (record.frames - 1):g}; give a max_lag in between"
        )
    return longest


def _spread(first: int, longest: int, points: int) -> Ints:
    """All lags where they are few, else about so many, evenly spread over the decades."""
    if longest - first < points:
        return np.arange(first, longest + 1)
    return np.unique(np.round(np.geomspace(max(first, 1), longest, points)).astype(np.intp))


def _curve(
    observable: _Correlation, record: Record, lags: Ints, found: Summary, unit: str
) -> Estimate:
    system = units(record.units)
    return Estimate(
        observable.name,
        found.value,
        found.error,
        unit=unit,
        coords={"t": lags * record.spacing},
        coord_units={"t": system.time},
        n_eff=found.n_eff,
        dof=found.dof,
        tier="T3",
        method=BY_PARTICLES if record.independent else BY_TIME,
        cite=observable.cite,
        flags=(*record.flags, *found.flags),
    )


@dataclass(frozen=True)
class MSD(_Correlation):
    """Mean squared displacement ⟨|r(t) - r(0)|²⟩ over time origins and particles.

    Parameters
    ----------
    max_lag : float, optional
        Longest time; a third of the trace when omitted.
    types : sequence of str, optional
        Particles that count; all of them when omitted.

    Raises
    ------
    RegrainError
        Frames not equally spaced, a weighted trace, particles that move half the box between
        frames (their way cannot be known).

    Notes
    -----
    Positions are unwrapped by their images, or by the shortest step between frames. The error is
    that of the spread over molecules, times the factor by which their common motion raises it at
    short times; below 20 molecules, that over time origins.

    Loses / Assumes
    ---------------
    The factor is the same at long times (in a Lennard-Jones liquid it grows by a
    fifth up to a third of the trace). Drift of the whole system counts.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import MSD
    >>> from regrain.particles import Particles
    >>> flight = [Particles([[0.5 * t, 0, 0]], box=[3.0, 3.0, 3.0]) for t in range(9)]
    >>> msd = MSD()(Trace(flight, times=np.arange(9.0)))
    >>> msd.value.round(9).tolist()
    [0.25, 1.0, 2.25]
    """

    max_lag: float | None = None
    _: KW_ONLY
    types: Sequence[str] | None = None

    name: ClassVar[str] = "MSD"
    quantity: ClassVar[str] = "positions"
    cite: ClassVar[str] = "Allen & Tildesley, Computer Simulation of Liquids (2017), sec. 8.5"

    def lags(self, record: Record) -> Ints:
        """Lags in frames."""
        return _spread(1, _longest(self, record, self.max_lag), 200)

    def finish(self, record: Record, lags: Ints) -> Estimate:
        """The curve."""
        length = units(record.units).length
        found = curves_with_errors(record, lags)
        return _curve(self, record, lags, found, f"{length}^2" if length else "")


@dataclass(frozen=True)
class VelocityAutocorrelation(_Correlation):
    """Velocity autocorrelation function ⟨v(t)·v(0)⟩ over time origins and particles.

    Parameters
    ----------
    max_lag : float, optional
        Longest time; a third of the trace when omitted.
    types : sequence of str, optional
        Particles that count; all of them when omitted.

    Raises
    ------
    RegrainError
        No velocities, frames not equally spaced, a weighted trace.

    Notes
    -----
    At t = 0 it is 3 k_B T / m for one kind of particle; its time integral over 3 is the diffusion
    coefficient. By fast Fourier transforms.

    Loses / Assumes
    ---------------
    An error as that of `MSD`.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import VelocityAutocorrelation
    >>> from regrain.particles import Particles
    >>> def state(t):
    ...     v = [[np.cos(t), np.sin(t), 0.0]]
    ...     return Particles([[0, 0, 0]], box=[3.0, 3.0, 3.0], velocities=v)
    >>> times = np.linspace(0, 4 * np.pi, 9)
    >>> trace = Trace([state(t) for t in times], times=times)
    >>> c = VelocityAutocorrelation(max_lag=2 * np.pi)(trace)
    >>> (c.value.round(9) + 0.0).tolist()
    [1.0, 0.0, -1.0, 0.0, 1.0]
    """

    max_lag: float | None = None
    _: KW_ONLY
    types: Sequence[str] | None = None

    name: ClassVar[str] = "velocity autocorrelation"
    quantity: ClassVar[str] = "velocities"
    needs: ClassVar[tuple[str, ...]] = ("velocities",)
    cite: ClassVar[str] = "Allen & Tildesley, Computer Simulation of Liquids (2017), sec. 8.5"

    def lags(self, record: Record) -> Ints:
        """Lags in frames."""
        return np.append(0, _spread(1, _longest(self, record, self.max_lag), 500))

    def finish(self, record: Record, lags: Ints) -> Estimate:
        """The curve."""
        system = units(record.units)
        unit = f"{system.length}^2/{system.time}^2" if system.length else ""
        return _curve(self, record, lags, curves_with_errors(record, lags), unit)


@dataclass(frozen=True)
class Diffusion(_Correlation):
    """Self-diffusion coefficient by Einstein's relation: slope of the MSD over 6.

    Parameters
    ----------
    fit : tuple of two float, optional
        Between which times the straight line is fitted; from a tenth to a third of the trace when
        omitted.
    types : sequence of str, optional
        Particles that count; all of them when omitted.

    Raises
    ------
    RegrainError
        As for `MSD`; a fit range with fewer than two frames in it.

    Notes
    -----
    Least squares with an intercept, which takes up what is ballistic or caged at short times. Where
    the slopes of the first and the second half of the range differ by more than three standard
    errors, the estimate is flagged: the motion is not diffusive yet.

    Loses / Assumes
    ---------------
    Nothing is corrected for the periodic box. Yeh and Hummer (J. Phys. Chem. B
    108, 15873 (2004)): D(∞) - D(L) = 2.837 k_B T / (6 π η L), which for water in a box of 4 nm is
    about 10 %.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import Diffusion
    >>> from regrain.particles import Particles
    >>> steps = np.random.default_rng(1).normal(size=(200, 500, 3)) * 0.1
    >>> walk = [Particles(r % 10.0, box=[10.0] * 3) for r in np.cumsum(steps, axis=0)]
    >>> d = Diffusion()(Trace(walk, times=np.arange(200.0)))
    >>> bool(abs(float(d) - 0.1**2 / 2) < 4 * d.error)
    True
    """

    fit: tuple[float, float] | None = None
    _: KW_ONLY
    types: Sequence[str] | None = None

    name: ClassVar[str] = "diffusion"
    quantity: ClassVar[str] = "positions"
    cite: ClassVar[str] = "Einstein relation; Frenkel & Smit (2002), sec. 4.4"

    def lags(self, record: Record) -> Ints:
        """Lags in frames."""
        longest = record.frames // 3
        first = max(1, record.frames // 10)
        if self.fit is not None:
            first, longest = (round(t / record.spacing) for t in self.fit)
        if not 1 <= first < longest < record.frames:
            raise RegrainError(
                f"{self!r}: the frames are {record.spacing:g} apart and span "
                f"{record.spacing * (record.frames - 1):g}; give a fit range with at least two "
                "frames in it, or a longer trace"
            )
        step = max(1, (longest - first) // 100)
        return np.arange(first, longest + 1, step)

    def finish(self, record: Record, lags: Ints) -> Estimate:
        """The coefficient."""
        t: Floats = np.asarray(lags, dtype=float) * record.spacing
        half = len(t) // 2
        functionals = [_slope(t, slice(None))]
        if half >= 2:  # two further numbers: the slopes of the halves
            functionals += [_slope(t, slice(None, half)) - _slope(t, slice(half, None))]
        found = curves_with_errors(record, lags, np.stack(functionals) / 6.0)
        flags = list(record.flags) + list(found.flags)
        if len(functionals) > 1 and found.error is not None:
            bend, doubt = found.value[1], found.error[1]
            if abs(bend) > 3.0 * doubt and abs(bend) > 0.05 * abs(found.value[0]):
                flags.append(f"not diffusive yet: the MSD bends between {t[0]:g} and {t[-1]:g}")
        flags.append("finite box: no Yeh-Hummer correction")
        system = units(record.units)
        return Estimate(
            self.name,
            found.value[0],
            None if found.error is None else found.error[0],
            unit=f"{system.length}^2/{system.time}" if system.length else "",
            n_eff=found.n_eff,
            dof=None if found.dof is None else found.dof[0],
            tier="T3",
            method=f"slope of the MSD from {t[0]:g} to {t[-1]:g}; "
            + (BY_PARTICLES if record.independent else BY_TIME),
            cite=self.cite,
            flags=flags,
        )


def _slope(t: Floats, part: slice) -> Floats:
    """The least-squares slope as weights of the values at t, zero outside of the part."""
    weights = np.zeros(len(t))
    centred = t[part] - t[part].mean()
    weights[part] = centred / np.sum(centred**2)
    return weights
