"""Slabs of a box: which particles are in each, and sums over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.observables.correlations import chosen_particles
from regrain.particles import Particles
from regrain.trace import Trace

__all__ = ["Slabs"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

AXES = "xyz"


class Slabs:
    """Which slab of the box each particle is in, and the sums that one frame has in the slabs.

    Parameters
    ----------
    trace : Trace
    axis : str
        Slabs are parallel to the two other lattice vectors.
    bins : int
        How many slabs.
    types : sequence of str, optional
        Particles that count; all of them when omitted.

    Raises
    ------
    RegrainError
        No such type.

    Examples
    --------
    >>> from regrain import Trace
    >>> from regrain.observables.slabs import Slabs
    >>> from regrain.particles import Particles
    >>> state = Particles([[0, 0, 0.1], [0, 0, 0.9], [0, 0, 1.2]], box=[1.0, 1.0, 1.0])
    >>> slab, fraction = Slabs(Trace([state], times=[0]), "z", 4, None).of(state)
    >>> slab.tolist()
    [0, 3, 0]
    """

    def __init__(
        self, trace: Trace[Any], axis: str, bins: int, types: Sequence[str] | None
    ) -> None:
        first: Particles = trace[0]
        self.axis, self.bins = AXES.index(axis), bins
        self.chosen = chosen_particles(first.topology, types)
        self.masses = first.topology.masses[self.chosen]
        height = height_of(first, self.axis)
        self.centres: Floats = (np.arange(bins) + 0.5) * height / bins
        self.flow = imposed_flow(trace)

    def of(self, state: Particles) -> tuple[Ints, Floats]:
        """Slab of each chosen particle, and how high each is above the face, from 0 to 1."""
        fractions = state.positions[self.chosen] @ np.linalg.inv(state.box)[:, self.axis]
        fractions -= np.floor(fractions)
        slab = np.minimum((fractions * self.bins).astype(np.intp), self.bins - 1)
        return slab, fractions

    def velocities(self, state: Particles) -> Floats:
        """Of the chosen particles; under shear those beside the flow."""
        if state.velocities is None:
            raise RegrainError("the state has no velocities, those of other frames do")
        found: Floats = state.velocities[self.chosen]
        return found

    def sums(self, slab: Ints, *columns: Floats) -> Floats:
        """Sums over the particles of each slab, shape (columns, bins)."""
        return np.stack([np.bincount(slab, column, self.bins) for column in columns])


def height_of(state: Particles, axis: int) -> float:
    """Of the box between the faces that the axis connects."""
    return float(1.0 / np.linalg.norm(np.linalg.inv(state.box)[:, axis]))


def imposed_flow(trace: Trace[Any]) -> tuple[str, float]:
    """Plane and rate of the shear flow that the run imposed; ("xy", 0) without one."""
    flow = trace.provenance.get("flow")
    return ("xy", 0.0) if not flow else (str(flow["plane"]), float(flow["rate"]))


def check_axis(observable: Any, *names: str) -> None:
    """Refuse fields that do not name an axis."""
    for name in names:
        value = getattr(observable, name)
        if value not in AXES or len(value) != 1:
            raise RegrainError(f"{observable!r}: {name} is {value!r}; give 'x', 'y' or 'z'")


def check_bins(observable: Any, least: int) -> None:
    """Refuse too few slabs."""
    if observable.bins < least or observable.bins != int(observable.bins):
        raise RegrainError(f"{observable!r}: give {least} bins or more")


def ratio(a: Floats, b: Floats) -> Floats:
    """a / b, and zero where b is."""
    found: Floats = np.divide(a, b, out=np.zeros_like(a), where=b > 0)
    return found
