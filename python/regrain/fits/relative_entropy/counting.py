"""How often coordinates fall into fine bins, frame by frame: all that energies are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.fits.bonded import coordinates, members_of
from regrain.fits.relative_entropy.divergence import Counts
from regrain.fits.structure import Interaction
from regrain.particles import Particles
from regrain.trace import Trace

__all__ = ["Counter"]

Floats = NDArray[np.float64]

#: Bins of the longest pair potential, of bonds, and of angles.
PAIR_BINS, BOND_BINS, ANGLE_BINS = 800, 1000, 720
#: Frames of a coarse run that are counted at most: frames closer to each other are much alike.
FRAMES = 3000
#: Bonds without a range of their own are counted up to so many times the longest of the target.
LONGER = 2.0


class Counter:
    """Bins for the coordinates of some interactions; what is outside counts in the end bins.

    Parameters
    ----------
    terms : sequence of Interaction
    exclude : int
        Pairs up to so many bonds apart do not count.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> from regrain.fits.relative_entropy.counting import Counter
    >>> from regrain.fits.structure import Interaction
    >>> pair = rg.particles.LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.0)
    >>> term = Interaction("pair", ("A", "A"), rg.fits.Free(pair, "epsilon"), (0.1, 2.0))
    >>> three = rg.particles.Particles([[0, 0, 0], [0, 0, 1], [0, 0, 3.5]], box=[9, 9, 9])
    >>> trace = rg.Trace([three], times=[0])
    >>> counter = Counter([term], exclude=2)
    >>> int(counter.rows(trace).sum()), float(counter.x[0][400])
    (1, 1.00125)
    """

    def __init__(self, terms: Sequence[Interaction], *, exclude: int) -> None:
        self.terms, self.exclude = list(terms), exclude
        self.reach = max((t.nodes[-1] for t in terms if t.kind == "pair"), default=0.0)
        self.edges = [self._edges(term) for term in terms]
        self.x = [0.5 * (edges[1:] + edges[:-1]) for edges in self.edges]

    def _edges(self, term: Interaction) -> Floats:
        if term.kind == "pair":
            width = self.reach / PAIR_BINS
            bins = int(np.ceil(term.nodes[-1] / width - 1e-9))
            return np.asarray(width * np.arange(bins + 1))
        if term.kind == "angle":
            return np.linspace(0.0, np.pi, ANGLE_BINS + 1)
        if term.kind == "dihedral":
            return np.linspace(-np.pi, np.pi, ANGLE_BINS + 1)
        low, high = term.nodes[0], term.nodes[-1]
        if term.span is not None:  # of the target: coarse runs may go beyond
            low, high = 0.0, LONGER * high
        return np.linspace(low, high, BOND_BINS + 1)

    def rows(self, trace: Trace[Particles], *, most: int = FRAMES) -> NDArray[np.uint32]:
        """Counts of frames, all interactions in one row each, shape (frames, bins)."""
        count = _Frames(self, trace[0])
        return np.stack([count(state) for state in trace[:: max(1, -(-len(trace) // most))]])

    def counts(self, trace: Trace[Particles]) -> Counts:
        """Those of a trace of any length and weights, neighbouring frames merged to blocks."""
        count = _Frames(self, trace[0])
        blocks = _core.Blocks(sum(len(x) for x in self.x))
        weights = np.ones(len(trace)) if trace.weights is None else trace.weights
        for state, weight in zip(trace, weights, strict=True):
            blocks.add(count(state), float(weight))
        return Counts(blocks.rows, blocks.weights)


class _Frames:
    """Counts the frames of one topology."""

    def __init__(self, counter: Counter, first: Particles) -> None:
        self.counter, topology = counter, first.topology
        self.members = [
            None if term.kind == "pair" else members_of(topology, term.kind, term.types)
            for term in counter.terms
        ]
        self.ids = {name: k for k, name in enumerate(topology.type_names)}
        self.kernel = None
        if counter.reach > 0:
            self.kernel = _core.PairHistogram(
                topology.type_ids,
                len(topology.type_names),
                counter.reach,
                PAIR_BINS,
                topology.exclusions(counter.exclude),
            )

    def __call__(self, state: Particles) -> NDArray[np.uint32]:
        pairs = None if self.kernel is None else self.kernel.count(state.positions, state.box)
        found = []
        for term, edges, members in zip(
            self.counter.terms, self.counter.edges, self.members, strict=True
        ):
            if members is None:
                found.append(self._pairs(pairs, term.types, len(edges) - 1))
            else:
                inside = np.clip(coordinates(term.kind, state, members), edges[0], edges[-1])
                found.append(np.histogram(inside, edges)[0])
        return np.concatenate(found).astype(np.uint32)

    def _pairs(self, counts: Any, types: tuple[str, ...], bins: int) -> Floats:
        if not all(name in self.ids for name in types):
            return np.zeros(bins)
        a, b = (self.ids[name] for name in types)
        return np.asarray(counts[a, b, :bins] // (2 if a == b else 1))
