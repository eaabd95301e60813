"""Shear viscosity from how a channel flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.observables.blocks import summarise
from regrain.observables.estimate import Estimate
from regrain.observables.observable import Average, Measurement, Observable, Plan
from regrain.observables.slabs import AXES, Slabs, check_axis, check_bins, height_of, ratio
from regrain.particles import Particles
from regrain.trace import Trace
from regrain.units import units

__all__ = ["PoiseuilleViscosity"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PoiseuilleViscosity(Observable):
    """Shear viscosity from the parabola that a constant force drives between walls, or between
    halves of a periodic box that are driven against each other.

    With the force f on each of n particles per volume, momentum balance gives the curvature
    v'' = -n f / η.

    Parameters
    ----------
    force : float
        On every driven particle, along ``flow``, in energy / length.
    reverse : bool
        ``True``: reverse Poiseuille flow in a periodic box, +``force`` in its lower half along
        ``axis`` and -``force`` in the upper. ``False``: a channel, ``force`` everywhere.
    flow, axis : str
        Direction of the force, and that across the channel.
    fit : tuple of two float, optional
        Part of the channel that the parabola is fitted to, from 0 to 1 across it (of reverse flow:
        of each half), such as ``fit=(0.2, 0.8)``; all of it when omitted. Between walls leave out
        where the liquid is layered.
    bins : int
        Slabs across the box.
    types : sequence of str, optional
        The particles that are driven; all of them when omitted.

    Raises
    ------
    RegrainError
        A force of zero, an axis along the flow, a fit range with fewer than four slabs.

    Notes
    -----
    Between walls the parabola has a curvature, a slope and an offset (slip). In reverse flow the
    velocity vanishes by symmetry where the force changes its sign, and one number is fitted: the
    amplitude of the parabolas v = ± n f y (D - y) / 2η of halves of width D, with the parabola's
    mean over each slab. That makes the viscosity too large by a share of about 8 l² / D², where l
    is how far stress reaches (half a cell of SRD, or half a cutoff): the bend is rounded off. With
    a ``fit`` that leaves the bends out the parabolas may be offset, which takes this out and makes
    the error 2.5 times as large or more. The estimate is flagged where the velocity is further off
    the parabola than its noise.

    Loses / Assumes
    ---------------
    A Newtonian liquid of even density, at the linear response and laminar: halve the force and see.
    What the force heats must be taken out without taking out momentum. Layers within a molecule's
    diameter of a wall, or of where the force changes sign, do not obey a local viscosity.

    References
    ----------
    J. A. Backer, C. P. Lowe, H. C. J. Hoefsloot and P. D. Iedema, J. Chem. Phys. 122, 154503
    (2005).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import PoiseuilleViscosity
    >>> from regrain.particles import Particles
    >>> rng = np.random.default_rng(1)
    >>> def frame():
    ...     r = rng.random((800, 3)) * [4, 4, 8]
    ...     s = r[:, 2] % 4
    ...     v = rng.normal(size=(800, 3)) * 0.2
    ...     v[:, 0] += np.where(r[:, 2] < 4, 1, -1) * 0.5 * s * (4 - s) * 6.25 * 0.1 / 2.5
    ...     return Particles(r, box=[4, 4, 8], velocities=v)
    >>> trace = Trace([frame() for _ in range(60)], times=np.arange(60))
    >>> eta = PoiseuilleViscosity(force=0.1, reverse=True)(trace)
    >>> bool(abs(eta.value - 2.5) < 4 * eta.error)
    True
    """

    _: KW_ONLY
    force: float
    reverse: bool = False
    flow: str = "x"
    axis: str = "z"
    fit: tuple[float, float] | None = None
    bins: int = 40
    types: Sequence[str] | None = None

    name: ClassVar[str] = "viscosity"
    needs: ClassVar[tuple[str, ...]] = ("velocities",)
    cite: ClassVar[str] = "Backer et al., J. Chem. Phys. 122, 154503 (2005)"
    method: ClassVar[str] = "parabola of the velocity that a force drives; jackknife"

    def __post_init__(self) -> None:
        check_axis(self, "flow", "axis")
        check_bins(self, 8)
        if self.flow == self.axis:
            raise RegrainError(f"{self!r}: flow and axis must differ")
        if not (np.isfinite(self.force) and self.force != 0):
            raise RegrainError(f"{self!r}: the force must be a number other than 0")
        if self.reverse and self.bins % 2:
            raise RegrainError(
                f"{self!r}: reverse flow has two halves; give an even number of bins"
            )
        low, high = self._range
        if not 0 <= low < high <= 1 or self._fitted.sum() < 4:
            raise RegrainError(
                f"{self!r}: the fit goes from 0 to 1 across the channel and takes 4 slabs or more"
            )

    @property
    def _range(self) -> tuple[float, float]:
        return (0.0, 1.0) if self.fit is None else self.fit

    @property
    def _across(self) -> Floats:
        """Where each slab is in its channel, from 0 to 1."""
        channel = self.bins // 2 if self.reverse else self.bins
        across: Floats = (np.arange(self.bins) % channel + 0.5) / channel
        return across

    @property
    def _fitted(self) -> NDArray[np.bool_]:
        low, high = self._range
        return (self._across >= low) & (self._across <= high)

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement that looks at what the parabola leaves."""
        return _Parabola(self, self.prepare(trace))

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Settle the slabs and the fit."""
        slabs = Slabs(trace, self.axis, self.bins, self.types)
        system = units(trace.units)
        width = height_of(trace[0], slabs.axis) / (2.0 if self.reverse else 1.0)
        unit = f"{system.pressure} {system.time}".strip()
        return Plan(unit=unit, data=(slabs, width, system))

    def measure(self, state: Particles, plan: Plan) -> Floats:
        """Density, mass and momentum of each slab, shape (3, bins)."""
        slabs = plan.data[0]
        slab, _ = slabs.of(state)
        v = slabs.velocities(state)[:, AXES.index(self.flow)]
        m, dense = slabs.masses, np.full(len(slab), slabs.bins / state.volume)
        sums: Floats = slabs.sums(slab, dense, m, m * v)
        return sums

    def curves(self, means: Floats, plan: Plan) -> tuple[Floats, Floats, Floats]:
        """Curvature, velocities of the fitted slabs, and what the parabola leaves of them."""
        _, width, _ = plan.data
        fitted = self._fitted
        rows = means.reshape(*means.shape[:-1], 3, self.bins)[..., fitted]
        v = ratio(rows[..., 2, :], rows[..., 1, :])
        across = self._across[fitted]
        each = 1.0 / (self.bins // 2 if self.reverse else self.bins)
        square = across**2 + each**2 / 12.0  # the mean of the square over a slab
        if self.reverse:
            sign = np.where(np.arange(self.bins)[fitted] < self.bins // 2, 1.0, -1.0)
            basis = (sign * 0.5 * (across - square))[:, None]
            if self.fit is not None:
                basis = np.column_stack([basis, sign])
        else:
            basis = np.stack([-0.5 * square, across, np.ones_like(across)], axis=1)
        coefficients = v @ np.linalg.pinv(basis).T
        curvature: Floats = coefficients[..., 0] / width**2
        return curvature, v, v - coefficients @ basis.T

    def reduce(self, means: Floats, plan: Plan) -> Floats:
        """The viscosity from the mean sums, and the rest of the fit for `_Parabola`."""
        curvature, _, left = self.curves(means, plan)
        density = means.reshape(*means.shape[:-1], 3, self.bins)[..., 0, self._fitted].mean(axis=-1)
        viscosity = density * self.force / curvature * plan.data[2].pressure_factor
        return np.concatenate([viscosity[..., None], left], axis=-1)


class _Parabola(Average):
    """A viscosity, and whether the velocities are those of a parabola."""

    def estimate(self) -> Estimate:
        """What the frames so far say."""
        assert self.blocks is not None
        observable, plan = self.observable, self.plan
        assert isinstance(observable, PoiseuilleViscosity)
        rows = self.blocks.rows.reshape(len(self.blocks.rows), 3, -1)
        occupied = np.count_nonzero(rows[:, 1], axis=0) >= min(2, len(rows))
        if not occupied[observable._fitted].all():
            return Estimate.undefined(
                observable.name, "slabs of the fit are empty; fit a smaller part, or use fewer bins"
            )
        found = summarise(self.blocks, lambda means: observable.reduce(means, plan))
        flags = [*plan.flags, *found.flags]
        if found.error is not None and found.dof is not None:
            noise = found.error[1:]
            off = float(np.mean((found.value[1:] / np.maximum(noise, 1e-300)) ** 2))
            # Mean of k squares about one each, of numbers that go together in pairs or so.
            if off > 1.0 + 6.0 * np.sqrt(2.0 / len(noise)):
                flags.append(
                    f"no parabola: velocities are {np.sqrt(off):.2g} standard errors off it; use a "
                    "weaker force, a longer run to get steady, or fit the middle only"
                )
        return Estimate(
            observable.name,
            found.value[0],
            None if found.error is None else found.error[0],
            unit=plan.unit,
            n_eff=found.n_eff,
            dof=None if found.dof is None else found.dof[0],
            tier="T2",
            method=observable.method,
            cite=observable.cite,
            flags=flags,
        )
