"""Distributions of bonds, angles and dihedrals, and of the angles between neighbours."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.observables.observable import Observable, Plan
from regrain.particles import Particles, Topology
from regrain.trace import Trace
from regrain.units import units

__all__ = ["Angles", "BondAngles", "BondLengths", "Dihedrals"]

Floats = NDArray[np.float64]


def term_types(topology: Topology, terms: NDArray[np.int32]) -> tuple[list[str], NDArray[np.intp]]:
    """Names of the kinds of bonded terms, and the kind of each term.

    The kind is the sequence of types, read from the end that comes first in the alphabet.

    Examples
    --------
    >>> from regrain.particles import Topology
    >>> from regrain.observables.angles import term_types
    >>> chain = Topology(["B", "A", "A"], bonds=[(0, 1), (1, 2)])
    >>> kinds, which = term_types(chain, chain.bonds)
    >>> kinds, which.tolist()
    (['A-A', 'A-B'], [1, 0])
    """
    labels = []
    for row in topology.types[terms].tolist():
        labels.append("-".join(min(row, row[::-1])))
    kinds, which = np.unique(np.asarray(labels), return_inverse=True)
    return kinds.tolist(), which.reshape(-1)


class _Terms(Observable):
    """Probability density of a number that each bonded term has, one curve per kind of term."""

    terms: ClassVar[str]
    axis: ClassVar[str]

    @abstractmethod
    def values(self, state: Particles, terms: NDArray[np.int32]) -> Floats:
        """The number of each term in a frame."""

    @abstractmethod
    def edges(self, first: Floats) -> Floats:
        """Borders of the bins, given the values in the first frame."""

    @abstractmethod
    def symbol(self, trace: Trace[Any]) -> str:
        """Unit of the axis."""

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Settle the kinds of terms and the bins."""
        state: Particles = trace[0]
        terms = getattr(state.topology, self.terms)
        if len(terms) == 0:
            raise RegrainError(
                f"{self!r}: the topology has no {self.terms}; give it some, or load a topology file"
            )
        kinds, which = term_types(state.topology, terms)
        edges = self.edges(self.values(state, terms))
        unit = self.symbol(trace)
        counts = np.bincount(which)
        return Plan(
            coords={self.terms.removesuffix("s"): kinds, self.axis: 0.5 * (edges[1:] + edges[:-1])},
            coord_units={self.axis: unit},
            unit=f"1/{unit}" if unit else "",
            data=(terms, which, edges, 1.0 / (counts[:, None] * np.diff(edges))),
        )

    def measure(self, state: Particles, plan: Plan) -> Floats:
        """The densities of one frame, shape (kinds, bins)."""
        terms, which, edges, norm = plan.data
        values = self.values(state, terms)
        bins = len(edges) - 1
        # Equal bins; the last one includes its upper border.
        where = np.floor((values - edges[0]) / (edges[-1] - edges[0]) * bins).astype(np.intp)
        where[(where == bins) & (values <= edges[-1])] = bins - 1
        bad = np.flatnonzero((where < 0) | (where >= bins))
        if bad.size:
            raise RegrainError(
                f"the {self.terms.removesuffix('s')} {terms[bad[0]].tolist()} has "
                f"{values[bad[0]]:.6g}, outside of [{edges[0]:.6g}, {edges[-1]:.6g}]; give a wider "
                "range"
            )
        counts = np.bincount(which * bins + where, minlength=norm.shape[0] * bins)
        density: Floats = counts.reshape(-1, bins) * norm
        return density


@dataclass(frozen=True)
class BondLengths(_Terms):
    """Probability density of the bond lengths, one curve per pair of bonded types.

    The density p(r) integrates to 1 over r; it is not divided by r².

    Parameters
    ----------
    r_min, r_max : float, optional
        Range; from half the shortest to 1.5 times the longest bond of the first frame when omitted.
    bins : int

    Raises
    ------
    RegrainError
        No bonds, or a bond outside of the range (it is named, with its frame).

    Loses / Assumes
    ---------------
    One density for all terms of a kind: how neighbouring bonds, angles and dihedrals depend on each
    other is lost, and so is where in the molecule the term is.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import BondLengths
    >>> from regrain.particles import Particles, Topology
    >>> pair = Topology(["A", "B"], bonds=[(0, 1)])
    >>> state = Particles([[0.1, 0, 0], [4.8, 0, 0]], box=[5.0, 5.0, 5.0], topology=pair)
    >>> p = BondLengths(r_min=0.0, r_max=1.0, bins=4)(Trace([state], times=[0.0]))
    >>> p.sel(bond="A-B").value.tolist()
    [0.0, 4.0, 0.0, 0.0]
    """

    _: KW_ONLY
    r_min: float | None = None
    r_max: float | None = None
    bins: int = 100

    name: ClassVar[str] = "bond lengths"
    terms: ClassVar[str] = "bonds"
    axis: ClassVar[str] = "r"

    def __post_init__(self) -> None:
        _check_bins(self, self.bins)

    def values(self, state: Particles, terms: NDArray[np.int32]) -> Floats:
        """The number of each term in a frame."""
        return _core.bond_lengths(state.positions, state.box, terms)

    def edges(self, first: Floats) -> Floats:
        """Borders of the bins, given the bond lengths of the first frame."""
        low = 0.5 * first.min() if self.r_min is None else self.r_min
        high = 1.5 * first.max() if self.r_max is None else self.r_max
        if not 0 <= low < high:
            raise RegrainError(f"{self!r}: the range [{low}, {high}] is empty; give r_min < r_max")
        return np.linspace(low, high, self.bins + 1)

    def symbol(self, trace: Trace[Any]) -> str:
        """Unit of the axis."""
        return units(trace.units).length


@dataclass(frozen=True)
class BondAngles(_Terms):
    """Probability density of the bond angles in [0, π], one curve per kind of angle.

    Free directions give sin θ / 2: the density is not divided by sin θ.

    Parameters
    ----------
    bins : int

    Raises
    ------
    RegrainError
        No angles in the topology, or particles that coincide.

    Loses / Assumes
    ---------------
    One density for all terms of a kind: how neighbouring bonds, angles and dihedrals depend on each
    other is lost, and so is where in the molecule the term is.

    Examples
    --------
    >>> from regrain import Trace
    >>> from regrain.observables import BondAngles
    >>> from regrain.particles import Particles, Topology
    >>> water = Topology(["H", "O", "H"], angles=[(0, 1, 2)])
    >>> state = Particles([[1, 0, 0], [0, 0, 0], [0, 1, 0]], box=[5.0] * 3, topology=water)
    >>> p = BondAngles(bins=3)(Trace([state], times=[0.0]))
    >>> p.sel(angle="H-O-H").value.round(3).tolist()
    [0.0, 0.955, 0.0]
    """

    _: KW_ONLY
    bins: int = 90

    name: ClassVar[str] = "bond angles"
    terms: ClassVar[str] = "angles"
    axis: ClassVar[str] = "theta"

    def __post_init__(self) -> None:
        _check_bins(self, self.bins)

    def values(self, state: Particles, terms: NDArray[np.int32]) -> Floats:
        """The number of each term in a frame."""
        return _core.bond_angles(state.positions, state.box, terms)

    def edges(self, first: Floats) -> Floats:
        """Borders of the bins."""
        return np.linspace(0.0, np.pi, self.bins + 1)

    def symbol(self, trace: Trace[Any]) -> str:
        """Unit of the axis."""
        return "rad"


@dataclass(frozen=True)
class Dihedrals(_Terms):
    """Probability density of the dihedral angles in [-π, π], one curve per kind of dihedral.

    The IUPAC sign: 0 is cis, positive when the far bond is turned clockwise from the near one.

    Parameters
    ----------
    bins : int

    Raises
    ------
    RegrainError
        No dihedrals in the topology, or three particles on a line.

    Loses / Assumes
    ---------------
    One density for all terms of a kind: how neighbouring bonds, angles and dihedrals depend on each
    other is lost, and so is where in the molecule the term is.

    Examples
    --------
    >>> from regrain import Trace
    >>> from regrain.observables import Dihedrals
    >>> from regrain.particles import Particles, Topology
    >>> butane = Topology(["C"] * 4, dihedrals=[(0, 1, 2, 3)])
    >>> trans = [[0, 1, 0], [0, 0, 0], [1, 0, 0], [1, -1, 1e-3]]
    >>> state = Particles(trans, box=[9.0] * 3, topology=butane)
    >>> p = Dihedrals(bins=4)(Trace([state], times=[0.0]))
    >>> p.coords["phi"].round(2).tolist(), p.value.argmax().item()
    ([-2.36, -0.79, 0.79, 2.36], 3)
    """

    _: KW_ONLY
    bins: int = 120

    name: ClassVar[str] = "dihedrals"
    terms: ClassVar[str] = "dihedrals"
    axis: ClassVar[str] = "phi"

    def __post_init__(self) -> None:
        _check_bins(self, self.bins)

    def values(self, state: Particles, terms: NDArray[np.int32]) -> Floats:
        """The number of each term in a frame."""
        return _core.dihedral_angles(state.positions, state.box, terms)

    def edges(self, first: Floats) -> Floats:
        """Borders of the bins."""
        return np.linspace(-np.pi, np.pi, self.bins + 1)

    def symbol(self, trace: Trace[Any]) -> str:
        """Unit of the axis."""
        return "rad"


@dataclass(frozen=True)
class Angles(Observable):
    """Probability density of the angle between two neighbours of a particle: 3-body structure.

    Every pair of neighbours within ``r_max`` of a centre counts once. Free directions give
    sin θ / 2. A pair potential fitted to g(r) alone does not know this function, which is why it
    shows what one bead per molecule loses.

    Parameters
    ----------
    r_max : float
        Distance of neighbours from the centre, e.g. the first minimum of g(r); at most half the
        smallest height of the box.
    bins : int
        Of equal width in θ over [0, π].
    types : tuple of three str, optional
        Types of (end, centre, end); any when omitted.

    Raises
    ------
    RegrainError
        r_max beyond half the box, no such type, or no triplet in the whole trace.

    Loses / Assumes
    ---------------
    A sharp cutoff; the lengths of the two sides are averaged out.

    Examples
    --------
    >>> from regrain import Trace
    >>> from regrain.observables import Angles
    >>> from regrain.particles import Particles
    >>> corner = Particles([[0, 0, 0], [1, 0, 0], [0, 1, 0]], box=[5.0, 5.0, 5.0])
    >>> p = Angles(r_max=1.2, bins=3)(Trace([corner], times=[0.0]))
    >>> p.value.round(3).tolist()
    [0.0, 0.955, 0.0]
    """

    r_max: float
    _: KW_ONLY
    bins: int = 90
    types: Sequence[str] | None = None

    name: ClassVar[str] = "angles"

    def __post_init__(self) -> None:
        _check_bins(self, self.bins)
        if not (self.r_max > 0 and np.isfinite(self.r_max)):
            raise RegrainError(f"Angles: r_max is {self.r_max}; give a positive length")
        if self.types is not None and len(self.types) != 3:
            raise RegrainError(f"Angles: types is {self.types!r}; give those of end, centre, end")

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Settle the types and the bins."""
        topology: Topology = trace[0].topology
        names = topology.type_names
        unknown = set(self.types or ()) - set(names)
        if unknown:
            raise RegrainError(f"{self!r}: got {sorted(unknown)}, the types are {', '.join(names)}")
        triplet = [-1, -1, -1] if self.types is None else [names.index(t) for t in self.types]
        edges = np.linspace(0.0, np.pi, self.bins + 1)
        return Plan(
            coords={"theta": 0.5 * (edges[1:] + edges[:-1])},
            coord_units={"theta": "rad"},
            unit="1/rad",
            data=_core.AngleHistogram(topology.type_ids, triplet, self.r_max, self.bins),
        )

    def measure(self, state: Particles, plan: Plan) -> NDArray[np.uint64]:
        """Counts of one frame, shape (bins,)."""
        counts: NDArray[np.uint64] = plan.data.count(state.positions, state.box)
        return counts

    def reduce(self, means: Floats, plan: Plan) -> Floats:
        """The mean counts as a density: every triplet has the same weight, not every frame."""
        total = means.sum(axis=-1, keepdims=True)
        if means.ndim == 1 and total[0] <= 0:
            raise RegrainError(
                f"{self!r}: no particle has two neighbours within r_max; give a larger r_max"
            )
        # Without its only frame with triplets a trace says nothing, and the error becomes large.
        density: Floats = means / np.where(total > 0, total, 1.0) * (self.bins / np.pi)
        return density


def _check_bins(observable: Observable, bins: int) -> None:
    if bins < 1:
        raise RegrainError(f"{observable.name}: bins is {bins}; give 1 or more")
