"""What a structural fit compares: the distribution that belongs to each interaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.bonded import BondedHistogram
from regrain.fits.forms import parameters_of
from regrain.observables import RDF, Estimate, Observable, measure
from regrain.particles import Particles, Topology
from regrain.trace import Trace

__all__ = ["Distribution", "Interaction", "bonded_terms"]

Floats = NDArray[np.float64]
Kind = Literal["pair", "bond", "angle", "dihedral", "triple"]

#: Distances beyond the cutoff up to which g(r) is compared, in cutoffs: the structure out there
#: still tells about the potential inside.
BEYOND = 4.0 / 3.0
#: Points over the span of a form without a grid.
POINTS = 181


@dataclass(frozen=True)
class Interaction:
    """A potential that is fitted: between which types, and where its coordinate is looked at.

    Parameters
    ----------
    kind : {"pair", "bond", "angle", "dihedral", "triple"}
    types : tuple of str
        Two, three or four types.
    form : Table, BSpline, Free and so on
        Without the numbers that are to be fitted.
    span : (float, float), optional
        Range of the coordinate, for forms that have none of their own.

    Examples
    --------
    >>> from regrain.fits.structure import Interaction
    >>> from regrain.particles import Table
    >>> Interaction("pair", ("W", "W"), Table(r_min=0.2, r_max=0.9, points=351)).label
    'pair W-W'
    """

    kind: Kind
    types: tuple[str, ...]
    form: Any
    span: tuple[float, float] | None = None

    @property
    def label(self) -> str:
        """Kind and types, as in "bond A-B"."""
        return f"{self.kind} {'-'.join(self.types)}"

    @property
    def nodes(self) -> Floats:
        """The grid of the form, or one over its span."""
        if self.span is not None:
            return np.linspace(*self.span, POINTS)
        grid: Floats = self.form.grid
        return grid

    def potential(self, values: Floats) -> Any:
        """The form with the numbers that a fit found."""
        return parameters_of(self.form).with_values(values)

    def energies(self, values: Floats) -> Floats:
        """Energies at the nodes of the form with these numbers."""
        return np.asarray(self.potential(values).u(self.nodes))

    @property
    def spacing(self) -> float:
        """Distance between the nodes, and the width of the bins."""
        return float((self.nodes[-1] - self.nodes[0]) / (len(self.nodes) - 1))

    @property
    def width(self) -> float:
        """What fractions of the form's range are of: its end for pairs, else its extent."""
        return float(self.nodes[-1] - (0.0 if self.kind == "pair" else self.nodes[0]))

    def inside(self, x: Floats) -> NDArray[np.bool_]:
        """Whether the form covers x."""
        return np.asarray((x > self.nodes[0]) & (x < self.nodes[-1]))

    def volume(self, x: Floats) -> Floats:
        """Configuration space per length of the coordinate, up to a factor: r², sin θ, or 1."""
        if self.kind == "angle":
            return np.asarray(np.sin(x))
        return np.ones_like(x) if self.kind == "dihedral" else x**2

    def counts(self, distribution: Distribution) -> Floats:
        """Independent samples that each bin of a distribution rests on, 0 where it does not count.

        As many as the errors say on the whole; single errors are too noisy to weigh with.
        """
        seen = distribution.sampled(self.kind)
        expected = np.where(seen, distribution.value * self.volume(distribution.x), 0.0)
        known = seen & (distribution.error > 0)
        if not np.any(known):
            return expected / max(float(expected.max()), 1e-300)
        found = (distribution.value[known] / distribution.error[known]) ** 2
        return np.asarray(expected * np.median(found / expected[known]))


@dataclass(frozen=True, eq=False)
class Distribution:
    """A measured distribution per volume of configuration space: 1 or flat without interactions.

    For pairs g(r); for bonds, angles and dihedrals the probability density divided by r², sin θ
    and 1.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Centres of the bins.
    value, error, dof : ndarray, shape (n,)
        With standard errors and their degrees of freedom.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structure import Distribution
    >>> x = np.array([0.1, 0.2, 0.3, 0.4])
    >>> g = np.array([0.0, 1.0, 2.0, 1.0])
    >>> Distribution(x, g, 0.1 * g, np.full(4, 9.0)).sampled("pair").tolist()
    [False, True, True, True]
    """

    x: Floats
    value: Floats
    error: Floats
    dof: Floats

    def sampled(self, kind: Kind, *, floor: float = 0.01) -> NDArray[np.bool_]:
        """Bins with more than ``floor`` of the maximum and more than 3 errors.

        What lies beyond a gap says nothing about the potential in the gap, so for pairs the core
        ends at the first gap below the maximum, and bonds and angles end on both sides.
        """
        good = (self.value > floor * self.value.max()) & (self.value > 3.0 * self.error)
        peak = int(np.argmax(self.value))
        below, above = np.flatnonzero(~good[:peak]), np.flatnonzero(~good[peak:])
        if kind != "dihedral" and below.size:
            good[: int(below[-1]) + 1] = False
        if kind in ("bond", "angle") and above.size:
            good[peak + int(above[0]) :] = False
        return np.asarray(good)

    @classmethod
    def of(cls, estimate: Estimate, name: str, row: int = 0) -> Distribution:
        """From an Estimate over one axis, or one row of one that has pairs before it.

        Raises
        ------
        RegrainError
            The estimate has no error: it is from a single frame.
        """
        if estimate.error is None:
            raise RegrainError(
                f"{name}: one frame gives no error bar, and a fit weighs by errors; give a trace "
                "of 10 frames or more"
            )
        x = np.asarray(list(estimate.coords.values())[-1], dtype=float)
        dof = np.broadcast_to(
            np.inf if estimate.dof is None else estimate.dof, estimate.value.shape
        )
        parts = (estimate.value, estimate.error, dof)
        return cls(x, *(np.array(part, dtype=float).reshape(-1, len(x))[row] for part in parts))


def longest_reach(interactions: Iterable[Interaction], boxes: Floats) -> float:
    """Half the smallest height of boxes, shape (n, 3, 3); checked against the cutoffs.

    Raises
    ------
    RegrainError
        A table that ends beyond it: g(r) is not known there.
    """
    heights = 1.0 / np.linalg.norm(np.linalg.inv(boxes), axis=1)
    half = float(0.5 * heights.min())
    for term in interactions:
        if term.kind == "pair" and term.nodes[-1] > half:
            raise RegrainError(
                f"{term.label}: the table ends at r_max = {term.nodes[-1]:g}, but g(r) of the "
                f"target is known only up to half its box, {half:.4g}; give a smaller r_max or a "
                "larger target"
            )
    return half


def observables(
    interactions: Sequence[Interaction], exclude: int, reach: float
) -> list[tuple[list[Interaction], Observable]]:
    """What measures the distributions: pairs of one spacing are counted together, up to ``reach``.

    Examples
    --------
    >>> from regrain.fits.structure import Interaction, observables
    >>> from regrain.particles import Table
    >>> form = Table(r_min=0.2, r_max=0.9, points=351)
    >>> terms = [Interaction("pair", types, form) for types in (("A", "A"), ("A", "B"))]
    >>> [len(together) for together, _ in observables(terms, 0, 1.2)]
    [2]
    """
    found: list[tuple[list[Interaction], Observable]] = []
    pairs: dict[float, list[Interaction]] = {}
    for term in interactions:
        if term.kind == "pair":
            pairs.setdefault(round(term.spacing, 12), []).append(term)
            continue
        low, high, bins = term.nodes[0], term.nodes[-1], len(term.nodes) - 1
        histogram = BondedHistogram(term.kind, term.types, low=low, high=high, bins=bins)
        found.append(([term], histogram))
    for terms in pairs.values():
        spacing = terms[0].spacing
        bins = int(reach / spacing + 1e-6)
        types = [(term.types[0], term.types[1]) for term in terms]
        rdf = RDF(r_max=bins * spacing, bins=bins, pairs=types, exclude=exclude)
        found.append((terms, rdf))
    return found


def measure_structure(
    trace: Trace[Any],
    interactions: Sequence[Interaction],
    *,
    exclude: int,
    reach: float,
    extra: Sequence[Observable] = (),
) -> tuple[dict[str, Distribution], list[Estimate]]:
    """The distribution of each interaction by label, and extra observables, in one pass.

    Raises
    ------
    RegrainError
        No errors (one frame), or a distribution that is zero everywhere.
    """
    groups = observables(interactions, exclude, reach)
    estimates = measure(trace, [*(observable for _, observable in groups), *extra])
    found = {}
    for term, estimate, row in (
        (term, estimate, row)
        for (terms, _), estimate in zip(groups, estimates, strict=False)
        for row, term in enumerate(terms)
    ):
        distribution = Distribution.of(estimate, term.label, row)
        inside = (distribution.x >= term.nodes[0]) & (distribution.x <= term.nodes[-1])
        if not np.any(distribution.value[inside] > 0):
            raise RegrainError(
                f"{term.label}: its distribution is zero everywhere in the table, "
                f"{term.nodes[0]:g} to {term.nodes[-1]:g}; check the range and its unit "
                f"({trace.units}), and the types"
            )
        found[term.label] = distribution
    return {term.label: found[term.label] for term in interactions}, estimates[len(groups) :]


def bonded_terms(state: Particles) -> Mapping[str, set[tuple[str, ...]]]:
    """Types of the bonds, angles and dihedrals that a state has, each in one direction.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structure import bonded_terms
    >>> from regrain.particles import Particles, Topology
    >>> chain = Topology(["B", "A", "B"], bonds=[(0, 1), (1, 2)])
    >>> dict(bonded_terms(Particles(np.zeros((3, 3)), box=[9, 9, 9], topology=chain)))
    {'bond': {('A', 'B')}, 'angle': set(), 'dihedral': set()}
    """
    topology: Topology = state.topology
    lists = {"bond": topology.bonds, "angle": topology.angles, "dihedral": topology.dihedrals}
    return {
        kind: {one_direction(tuple(map(str, row))) for row in topology.types[members]}
        for kind, members in lists.items()
    }


def one_direction(types: tuple[str, ...]) -> tuple[str, ...]:
    """Types read in the direction that sorts first: a bond A-B is a bond B-A."""
    return min(types, types[::-1])
