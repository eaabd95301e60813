"""Distributions of bond lengths, angles and dihedrals between given types."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.observables import Observable, Plan
from regrain.particles import Particles, Topology
from regrain.trace import Trace

__all__ = ["BondedHistogram", "coordinates", "members_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BondedHistogram(Observable):
    """Density of a bonded coordinate, divided by the measure of free particles.

    Bins of equal width; each holds the number of terms in it divided by the number of all terms and
    by the integral over the bin of r² (bonds), sin θ (angles) or 1 (dihedrals). So minus its
    logarithm times kT is the potential of mean force of that coordinate.

    Parameters
    ----------
    kind : {"bond", "angle", "dihedral"}
    types : tuple of str
        Of the particles of a term, in either direction.
    low, high : float
        Range; angles in radians.
    bins : int

    Loses / Assumes
    ---------------
    The coordinate is taken as independent of all others: correlations of neighbouring terms
    are lost.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.fits.bonded import BondedHistogram
    >>> from regrain.particles import Particles, Topology
    >>> pair = Topology(["A", "A"], bonds=[(0, 1)])
    >>> state = Particles([[0, 0, 0], [0, 0, 1.2]], box=[9, 9, 9], topology=pair)
    >>> histogram = BondedHistogram("bond", ("A", "A"), low=0.0, high=2.0, bins=2)
    >>> histogram(Trace([state], times=[0])).value.round(4).tolist()
    [0.0, 0.4286]
    """

    kind: str
    types: tuple[str, ...]
    _: KW_ONLY
    low: float
    high: float
    bins: int

    name: ClassVar[str] = "bonded distribution"

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Find the terms between these types."""
        chosen = members_of(trace[0].topology, self.kind, self.types)
        if len(chosen) == 0:
            raise RegrainError(
                f"{self.kind}s: the target has no {self.kind} {'-'.join(self.types)}; check the "
                "types, and whether the mapping kept its bonds"
            )
        edges = np.linspace(self.low, self.high, self.bins + 1)
        volume = np.diff({"bond": edges**3 / 3, "angle": -np.cos(edges)}.get(self.kind, edges))
        return Plan(
            coords={"x": 0.5 * (edges[1:] + edges[:-1])},
            data=(chosen, edges, 1.0 / (len(chosen) * volume)),
        )

    def measure(self, state: Particles, plan: Plan) -> Floats:
        """The densities of one frame, shape (bins,)."""
        members, edges, norm = plan.data
        return np.asarray(np.histogram(coordinates(self.kind, state, members), edges)[0] * norm)


def members_of(topology: Topology, kind: str, types: tuple[str, ...]) -> NDArray[np.int32]:
    """The bonds, angles or dihedrals between these types, in either direction, shape (n, width).

    Examples
    --------
    >>> from regrain.fits.bonded import members_of
    >>> from regrain.particles import Topology
    >>> members_of(Topology(["A", "B"], bonds=[(0, 1)]), "bond", ("B", "A")).tolist()
    [[0, 1]]
    """
    members: NDArray[np.int32] = getattr(topology, f"{kind}s")
    names = topology.types[members].reshape(len(members), -1)
    wanted = np.array(types)
    same = np.all(names == wanted, axis=1) | np.all(names == wanted[::-1], axis=1)
    return np.asarray(members[same])


def coordinates(kind: str, state: Particles, members: NDArray[np.int32]) -> Floats:
    """Lengths of bonds, angles or dihedrals of a state, shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.bonded import coordinates
    >>> from regrain.particles import Particles, Topology
    >>> state = Particles([[0, 0, 0], [0, 0, 8]], box=[9, 9, 9])
    >>> coordinates("bond", state, np.array([[0, 1]], dtype=np.int32)).tolist()
    [1.0]
    """
    return np.asarray(COORDINATES[kind](state.positions, state.box, members))


COORDINATES = {
    "bond": _core.bond_lengths,
    "angle": _core.bond_angles,
    "dihedral": _core.dihedral_angles,
}
