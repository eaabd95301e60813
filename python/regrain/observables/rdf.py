"""The radial distribution function."""

from __future__ import annotations

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

__all__ = ["RDF", "type_pairs"]

Floats = NDArray[np.float64]
TypePair = tuple[str, str]


def type_pairs(
    topology: Topology, pairs: Sequence[TypePair] | None = None
) -> list[tuple[TypePair, tuple[int, int]]]:
    """Pairs of type names with their type ids; all pairs of types when none are named.

    Raises
    ------
    RegrainError
        A type that the topology does not have.

    Examples
    --------
    >>> from regrain.particles import Topology
    >>> from regrain.observables.rdf import type_pairs
    >>> [names for names, _ in type_pairs(Topology(["B", "A", "A"]))]
    [('A', 'A'), ('A', 'B'), ('B', 'B')]
    """
    names = topology.type_names
    if pairs is None:
        pairs = [(a, b) for k, a in enumerate(names) for b in names[k:]]
    found = []
    for pair in pairs:
        unknown = [name for name in pair if name not in names]
        if len(pair) != 2 or unknown:
            raise RegrainError(f"pairs: got {pair!r}, expected two of the types {', '.join(names)}")
        found.append(((pair[0], pair[1]), (names.index(pair[0]), names.index(pair[1]))))
    return found


@dataclass(frozen=True)
class RDF(Observable):
    """Radial distribution function g(r) of each pair of types.

    Each frame gives n_ab(k) V / (N_a (N_b - δ_ab) v_k): ordered pairs in shell k, the volume V of
    that very frame, and the exact volume v_k of the shell; g is its mean. The factor N_b - δ_ab
    makes g = 1 for an ideal gas of any size; excluded pairs do not change it.

    Parameters
    ----------
    r_max : float
        Up to which distance; at most half the smallest height of the box.
    bins : int, optional
        Number of shells; 200 unless ``dr`` is given.
    dr : float, optional
        Width of the shells instead of their number; must divide r_max.
    pairs : sequence of (str, str), optional
        Pairs of types; all of them when omitted.
    exclude : int
        Leaves out pairs up to so many bonds apart.

    Returns
    -------
    Estimate
        On calling it; axes ``pair`` ("A-B") and ``r`` (centres of the shells).

    Raises
    ------
    RegrainError
        r_max beyond half the box (in any frame), no such type, a ``dr`` that does not divide
        r_max.

    Loses / Assumes
    ---------------
    A homogeneous system (it averages over positions and directions), and within a
    shell over r. In a closed system g tends to 1 - O(1/N) rather than 1 where the correlations of
    the infinite system do.

    References
    ----------
    M. P. Allen and D. J. Tildesley, Computer Simulation of Liquids, 2nd ed. (2017), section 8.2.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import RDF
    >>> from regrain.particles import Particles
    >>> rng = np.random.default_rng(1)
    >>> gas = [Particles(rng.random((500, 3)) * 5, box=[5, 5, 5]) for _ in range(20)]
    >>> g = RDF(r_max=2.5, bins=5)(Trace(gas, times=np.arange(20)))
    >>> g.coords["pair"].tolist(), g.coords["r"].tolist()
    (['A-A'], [0.25, 0.75, 1.25, 1.75, 2.25])
    >>> bool(np.all(abs(g.value - 1) < 4 * g.error))
    True
    """

    r_max: float
    _: KW_ONLY
    bins: int | None = None
    dr: float | None = None
    pairs: Sequence[TypePair] | None = None
    exclude: int = 0

    name: ClassVar[str] = "RDF"
    cite: ClassVar[str] = "Allen & Tildesley, Computer Simulation of Liquids (2017), sec. 8.2"

    def __post_init__(self) -> None:
        if not (self.r_max > 0 and np.isfinite(self.r_max)):
            raise RegrainError(f"RDF: r_max is {self.r_max}; give a positive length")
        if self.bins is not None and (self.dr is not None or self.bins < 1):
            raise RegrainError("RDF: give either bins (1 or more) or dr")
        if self.dr is not None:
            count = self.r_max / self.dr if self.dr > 0 else 0.0
            if round(count) < 1 or abs(count - round(count)) > 1e-6 * count:
                raise RegrainError(
                    f"RDF: dr = {self.dr} does not divide r_max = {self.r_max} into whole shells"
                )
        if self.exclude < 0:
            raise RegrainError(f"RDF: exclude is {self.exclude}; give a number of bonds, 0 or more")

    @property
    def edges(self) -> Floats:
        """Borders of the shells, one more than there are shells."""
        if self.dr is not None:
            return np.linspace(0.0, self.r_max, round(self.r_max / self.dr) + 1)
        return np.linspace(0.0, self.r_max, (self.bins or 200) + 1)

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Settle the pairs and the shells."""
        first: Particles = trace[0]
        topology, edges = first.topology, self.edges
        pairs = type_pairs(topology, self.pairs)
        numbers = np.bincount(topology.type_ids, minlength=len(topology.type_names))
        shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
        ids = np.array([pair for _, pair in pairs]).reshape(-1, 2)
        partners = numbers[ids[:, 0]] * (numbers[ids[:, 1]] - (ids[:, 0] == ids[:, 1]))
        if not np.all(partners > 0):
            a, b = pairs[int(np.argmin(partners))][0]
            raise RegrainError(f"RDF: there is no pair of {a} and {b} in {topology!r}")
        kernel = _core.PairHistogram(
            topology.type_ids,
            len(topology.type_names),
            self.r_max,
            len(shells),
            topology.exclusions(self.exclude),
        )
        return Plan(
            coords={
                "pair": [f"{a}-{b}" for (a, b), _ in pairs],
                "r": 0.5 * (edges[1:] + edges[:-1]),
            },
            coord_units={"r": units(first.units).length},
            data=(kernel, ids, 1.0 / (partners[:, None] * shells)),
        )

    def measure(self, state: Particles, plan: Plan) -> Floats:
        """g(r) of one frame, shape (pairs, shells)."""
        kernel, ids, norm = plan.data
        counts = kernel.count(state.positions, state.box)
        g: Floats = counts[ids[:, 0], ids[:, 1]] * (norm * state.volume)
        return g
