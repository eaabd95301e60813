"""Elastic networks: springs that hold the structure of a bead model together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from regrain import _core
from regrain.errors import RegrainError
from regrain.fits.springs.elastic_result import NetworkResult
from regrain.fits.springs.fluctuations import match_fluctuations
from regrain.fits.springs.modes import floppy
from regrain.fits.structure import bonded_terms
from regrain.observables.blocks import summarise
from regrain.particles import ForceField, Network, Particles, Topology, neighbor_list
from regrain.trace import Trace
from regrain.units import units

__all__ = ["ElasticNetwork"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ElasticNetwork:
    """Springs between beads that are near each other in a structure, but not along the chain.

    Parameters
    ----------
    cutoff : float
        Beads closer than this in the structure are joined.
    k : float or callable, optional
        Force constant (energy / length², with the factor 1/2 of `Network`), or a function of the
        distances, such as ``lambda r: 500 * np.exp(-a * (r - r1))`` (martinize) or
        ``lambda r: k * (r1 / r) ** 6``. Without it every spring gets its own, such that distances
        fluctuate as they do in the trace (a heterogeneous network, hENM).
    lower : float
        Beads closer than this are not joined.
    separation : int
        Beads fewer than so many bonds (or residues) apart along the chain are not joined.
    by : {"bonds", "residues"}
        What the separation counts.
    within : {"molecule", "all"}
        Whether only beads of one molecule (joined by bonds) are joined, or all.
    select : sequence of str, optional
        Names of the beads that take part, such as ``["BB"]``; all when omitted.
    temperature : float, optional
        Needed to match fluctuations, and to predict them.
    model : ForceField, optional
        What the network is put on; no other interactions when omitted.

    Raises
    ------
    RegrainError
        Settings that make no sense; on calling, no pair of beads to be joined, names that are not
        there, and for matched fluctuations a single frame or a network that is floppy.

    Loses / Assumes
    ---------------
    Springs keep the structure they were made from: it cannot unfold or change. Matched
    fluctuations are those of small vibrations about the mean structure by the network alone
    (Gaussian): what the model has besides makes it stiffer, and slow motions that the trace has
    not sampled are not in it. Springs that would have to push are left out (k = 0).

    References
    ----------
    X. Periole et al., J. Chem. Theory Comput. 5, 2531 (2009) (springs on a bead model, 0.9 nm and
    500 kJ/mol/nm²); E. Lyman, J. Pfaendtner and G. A. Voth, Biophys. J. 95, 4183 (2008) (hENM).
    Instead of its iteration with a step size, the concave problem that it solves is solved by
    Newton's method: see `regrain.fits.springs.fluctuations`.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> helix = [[0.23 * np.cos(1.75 * i), 0.23 * np.sin(1.75 * i), 0.15 * i] for i in range(12)]
    >>> chain = rg.particles.Topology(["BB"] * 12, bonds=[(i, i + 1) for i in range(11)])
    >>> protein = rg.particles.Particles(np.add(helix, 2.0), box=[6, 6, 6], topology=chain)
    >>> network = rg.fits.ElasticNetwork(cutoff=0.9, k=500.0)
    >>> network(protein).network
    Network(...)
    >>> print(network(protein))
    24 springs between 12 beads, lengths 0.504 to 0.867
    k 500
      ! floppy by itself: 6 motions cost no energy
    """

    cutoff: float
    k: float | Callable[[Floats], Any] | None = None
    lower: float = 0.0
    separation: int = 3
    by: Literal["bonds", "residues"] = "bonds"
    within: Literal["molecule", "all"] = "molecule"
    select: Sequence[str] | None = None
    temperature: float | None = None
    model: ForceField | None = None

    def __post_init__(self) -> None:
        for name, least in (("cutoff", self.lower), ("lower", -1e-300), ("temperature", 0.0)):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > least):
                more = "of 0 or more" if name == "lower" else f"above {max(least, 0.0):g}"
                raise RegrainError(f"ElasticNetwork: {name} is {value}; give a number {more}")
        if not callable(self.k) and self.k is not None and not (np.isfinite(self.k) and self.k > 0):
            raise RegrainError(f"ElasticNetwork: k is {self.k}; give a positive number")
        if self.separation < 1 or int(self.separation) != self.separation:
            raise RegrainError(f"ElasticNetwork: separation is {self.separation}; give 1 or more")
        for name, known in (("by", ("bonds", "residues")), ("within", ("molecule", "all"))):
            if getattr(self, name) not in known:
                raise RegrainError(
                    f"ElasticNetwork: {name} is {getattr(self, name)!r}; give {' or '.join(known)}"
                )
        if isinstance(self.select, str):
            raise RegrainError(f"ElasticNetwork: select is {self.select!r}; give a list of names")
        if self.k is None and self.temperature is None:
            raise RegrainError(
                "ElasticNetwork: without k it is found from fluctuations, which needs temperature="
            )

    def __call__(self, target: Any) -> NetworkResult:
        """Make the network.

        Parameters
        ----------
        target : Particles or Trace
            The structure; of a trace its mean. Without k a trace.

        Raises
        ------
        RegrainError
            A target that does not fit the settings.
        """
        trace = target if isinstance(target, Trace) else None
        if trace is not None and trace.level == "particles":
            first = trace[0]
        elif isinstance(target, Particles):
            first = target
        else:
            raise RegrainError(
                f"an elastic network needs Particles or a Trace of them, got {target!r}"
            )
        if self.k is None and (trace is None or len(trace) < 2):
            raise RegrainError(
                "fluctuations need a trace of many frames, got one structure; give k, or a trace"
            )
        if self.model is not None and self.model.units != first.units:
            raise RegrainError(
                f"the model is in {self.model.units!r} units, the structure in {first.units!r}; "
                "convert one of them"
            )
        pairs = self._pairs(first)
        moved = Motion(first, pairs)
        if trace is not None:
            for k, state in enumerate(trace):
                try:
                    moved.add(state, 1.0 if trace.weights is None else float(trace.weights[k]))
                except RegrainError as error:
                    raise RegrainError(f"frame {k}: {error}") from error
        return self._result(first, pairs, moved)

    def _result(self, first: Particles, pairs: Ints, moved: Motion) -> NetworkResult:
        beads, inside = np.unique(pairs, return_inverse=True)
        local = inside.reshape(-1, 2)
        places = moved.places[beads]
        system = units(first.units)
        kt = None if self.temperature is None else system.boltzmann * self.temperature
        rest = np.linalg.norm(places[local[:, 1]] - places[local[:, 0]], axis=1)
        errors = np.zeros(len(pairs))
        if self.k is None:
            assert kt is not None
            count, which = floppy(places, local, np.ones(len(pairs)))
            if count:
                shown = ", ".join(str(beads[i]) for i in which[:8])
                raise RegrainError(
                    f"the network is floppy: {count} motions cost no energy beside those of a "
                    f"rigid body, most of all of the particles {shown}; give a longer cutoff, or "
                    'within="all"'
                )
            k, response = match_fluctuations(places, local, moved.variances, kt=kt)
            errors = moved.errors(response)
        else:
            given = self.k(rest) if callable(self.k) else np.full(len(rest), self.k)
            k = np.broadcast_to(np.asarray(given, dtype=float), rest.shape)
            if not np.all(np.isfinite(k) & (k >= 0)):
                raise RegrainError(
                    f"k(r) gave {k.min()} to {k.max()} for distances {rest.min():.3g} to "
                    f"{rest.max():.3g}; it must be finite and not negative"
                )
        network = Network(pairs=pairs[k > 0], k=k[k > 0], r0=rest[k > 0])
        model = self._base(first) if self.model is None else self.model
        return NetworkResult(
            network=network,
            model=model.replace(network=network),
            errors={"network": errors[k > 0]},
            beads=beads,
            places=places,
            measured=moved.rmsf(beads) if moved.frames > 1 else None,
            kt=kt,
            unused=pairs[k <= 0],
            units=system,
        )

    def _base(self, first: Particles) -> ForceField:
        """No interaction at all."""
        topology = first.topology
        names = topology.type_names
        pairs: dict[tuple[str, ...], Any] = {(a, b): None for a in names for b in names if a <= b}
        terms: dict[str, Any] = {
            f"{kind}s": dict.fromkeys(found) for kind, found in bonded_terms(first).items()
        }
        return ForceField(pairs, **terms, temperature=self.temperature, units=first.units)

    # ------------------------------------------------------------------ which beads are joined

    def _pairs(self, state: Particles) -> Ints:
        topology = state.topology
        chosen = self._chosen(topology)
        if self.within == "molecule" and not len(topology.bonds):
            raise RegrainError(
                'the structure has no bonds, so it has no molecules; give within="all", or a '
                "topology with bonds"
            )
        near = neighbor_list(state, cutoff=self.cutoff)
        pairs = np.stack([near.i, near.j], axis=1).astype(np.int64)
        keep = chosen[pairs].all(axis=1) & (near.distances >= self.lower)
        keep &= pairs[:, 0] != pairs[:, 1]
        molecule = molecules(topology)
        together = molecule[pairs[:, 0]] == molecule[pairs[:, 1]]
        if self.within == "molecule":
            keep &= together
        if self.by == "residues":
            apart = np.abs(topology.residues[pairs[:, 0]] - topology.residues[pairs[:, 1]])
            along = together if len(topology.bonds) else np.ones(len(pairs), dtype=bool)
            keep &= ~along | (apart >= self.separation)
        elif self.separation > 1 and len(topology.bonds):
            n = len(topology)
            close = topology.exclusions(self.separation - 1).astype(np.int64)
            ordered = np.sort(pairs, axis=1)
            keep &= ~np.isin(ordered[:, 0] * n + ordered[:, 1], close[:, 0] * n + close[:, 1])
        found = np.unique(np.sort(pairs[keep], axis=1), axis=0)
        if not len(found):
            raise RegrainError(
                f"no two beads are between {self.lower:g} and {self.cutoff:g} apart and "
                f"{self.separation} {self.by} along the chain; check the cutoff and its unit "
                f"({state.units}), and select="
            )
        return found

    def _chosen(self, topology: Topology) -> NDArray[np.bool_]:
        if self.select is None:
            return np.ones(len(topology), dtype=bool)
        unknown = sorted(set(self.select) - set(topology.names.tolist()))
        if unknown:
            names = ", ".join(np.unique(topology.names)[:12].tolist())
            raise RegrainError(
                f"select names {', '.join(unknown)}, but the beads are called {names}"
            )
        return np.isin(topology.names, list(self.select))


def molecules(topology: Topology) -> Ints:
    """Which molecule each particle belongs to, by its bonds.

    Examples
    --------
    >>> from regrain.fits.springs.elastic import molecules
    >>> from regrain.particles import Topology
    >>> molecules(Topology(["A"] * 4, bonds=[(0, 2)])).tolist()
    [0, 1, 0, 2]
    """
    n, (i, j) = len(topology), topology.bonds.T
    linked = csr_array((np.ones(len(i)), (i, j)), shape=(n, n))
    return np.asarray(connected_components(linked, directed=False)[1], dtype=np.int64)


def levels(linked: Any) -> list[tuple[Ints, Ints]]:
    """Beads by the number of springs between them and the first one, and which ones they hang on.

    Parts that are not joined have a first one each.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from regrain.fits.springs.elastic import levels
    >>> path = csr_array(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    >>> [(beads.tolist(), parents.tolist()) for beads, parents in levels(path)]
    [([1], [0]), ([2], [1])]
    """
    parts, part = connected_components(linked, directed=False)
    depth = np.zeros(linked.shape[0], dtype=np.int64)
    parent = np.full(linked.shape[0], -1)
    for p in range(parts):
        order, before = breadth_first_order(linked, int(np.argmax(part == p)), directed=False)
        for bead in order[1:]:
            parent[bead], depth[bead] = before[bead], depth[before[bead]] + 1
    found = []
    for level in range(1, int(depth.max(initial=0)) + 1):
        beads = np.flatnonzero(depth == level)
        found.append((beads, parent[beads]))
    return found


class Motion:
    """The mean structure of the beads of a network, and how distances and places fluctuate.

    Frames are made whole along the network and laid over the first one.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.springs.elastic import Motion
    >>> from regrain.particles import Particles
    >>> pair = Particles([[0.2, 0, 0], [4.9, 0, 0]], box=[5, 5, 5])
    >>> motion = Motion(pair, np.array([[0, 1]]))
    >>> np.ptp(motion.places, axis=0).round(3).tolist()  # across the border of the box
    [0.3, 0.0, 0.0]
    """

    def __init__(self, first: Particles, pairs: Ints) -> None:
        self.pairs, self.frames = pairs, 0
        self.beads, inside = np.unique(pairs, return_inverse=True)
        local, n = inside.reshape(-1, 2), len(self.beads)
        linked = csr_array((np.ones(len(local)), (local[:, 0], local[:, 1])), shape=(n, n))
        linked = linked + linked.T
        self.levels = levels(linked)
        self.reference = self._whole(first)
        self.lengths = self._lengths(self.reference, local)
        self.local = local
        self.blocks = _core.Blocks(2 * len(pairs))
        self.sum = np.zeros_like(self.reference)
        self.squares = np.zeros(n)
        self.weight = 0.0
        self._all = first

    @staticmethod
    def _lengths(places: Floats, local: Ints) -> Floats:
        return np.asarray(np.linalg.norm(places[local[:, 1]] - places[local[:, 0]], axis=1))

    def _whole(self, state: Particles) -> Floats:
        """Places of the beads, without a jump across the box between beads that are joined."""
        places = state.positions[self.beads].copy()
        box, heights = state.box, np.diag(state.box)
        for beads, parents in self.levels:
            d = places[beads] - places[parents]
            for axis in (2, 1, 0):
                d -= np.round(d[:, axis] / heights[axis])[:, None] * box[axis]
            places[beads] = places[parents] + d
        return np.asarray(places)

    def add(self, state: Particles, weight: float) -> None:
        """Take in a frame."""
        places = self._whole(state)
        away = self._lengths(places, self.local) - self.lengths
        self.blocks.add(np.concatenate([away, away**2]), weight)
        laid = superposed(places, self.reference)
        self.sum += weight * (laid - self.reference)
        self.squares += weight * np.sum((laid - self.reference) ** 2, axis=1)
        self.weight += weight
        self.frames += 1

    @property
    def places(self) -> Floats:
        """Mean places, of all particles; those that are not joined are where they were."""
        found = np.array(self._all.positions)
        mean = self.sum / self.weight if self.weight > 0 else 0.0
        found[self.beads] = self.reference + mean
        return found

    @property
    def variances(self) -> Floats:
        """Of the distances that are joined."""
        mean = summarise(self.blocks).value
        m = len(self.pairs)
        return np.asarray(mean[m:] - mean[:m] ** 2)

    def errors(self, response: Floats) -> Floats:
        """Standard errors of what answers to the variances linearly."""
        mean, m = summarise(self.blocks).value, len(self.pairs)

        def answer(means: Floats) -> Floats:
            away = means - mean
            return np.asarray((away[..., m:] - 2.0 * mean[:m] * away[..., :m]) @ response.T)

        found = summarise(self.blocks, answer).error
        return np.zeros(m) if found is None else found

    def rmsf(self, beads: Ints) -> Floats:
        """Root mean square fluctuation of each bead about its mean place."""
        mean = self.sum / self.weight
        square = self.squares / self.weight - np.sum(mean**2, axis=1)
        return np.asarray(np.sqrt(np.maximum(square, 0.0)))


def superposed(places: Floats, onto: Floats) -> Floats:
    """Places moved and turned to lie over others (W. Kabsch, Acta Cryst. A 32, 922 (1976)).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.springs.elastic import superposed
    >>> corner = np.eye(3)
    >>> turned = corner[:, [1, 2, 0]] + 5.0
    >>> bool(np.allclose(superposed(turned, corner), corner))
    True
    """
    a, b = places - places.mean(axis=0), onto - onto.mean(axis=0)
    left, _, right = np.linalg.svd(a.T @ b)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    return np.asarray(a @ (left @ flip @ right) + onto.mean(axis=0))
