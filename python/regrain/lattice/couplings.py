"""Couplings: which clusters of sites act together, each counted once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from regrain.errors import RegrainError, unknown
from regrain.lattice.geometry import Cluster, Geometry, normal, orbit, shell

__all__ = ["Coupling", "Couplings", "Term", "check_room", "named_clusters", "plain_couplings"]

_SHELLS = {"nn": 1, "nnn": 2, "third": 3, "fourth": 4, "fifth": 5}
_NAMES = ("field", *_SHELLS, "three", "plaquette", "cube", "crystal", "biquadratic")


@dataclass(frozen=True)
class Coupling:
    """A kind of clusters, given by the sites of one of them.

    Parameters
    ----------
    offsets : sequence of sequence of int
        The sites relative to any one of them, along the axes of the lattice. Where spins may be 0
        (Blume-Capel), a site that is named twice counts as the square of its spin.
    symmetric : bool
        Whether all clusters that the point group of the lattice makes of this one belong to it
        (default), or only its translations.

    Raises
    ------
    RegrainError
        No offsets, or offsets that are no whole numbers or not of the same number of axes.

    Examples
    --------
    A knight's move, to all eight sides, as a coupling of a model:

    >>> from regrain.lattice import Coupling, Ising
    >>> knight = Coupling([(0, 0), (1, 2)])
    >>> Ising((8, 8), couplings={"nn": 0.3, knight: 0.05}).names
    ('nn', '(0,0)(1,2)')
    """

    offsets: tuple[tuple[int, ...], ...]
    symmetric: bool = True

    if TYPE_CHECKING:  # any sequences come in, tuples are kept

        def __init__(self, offsets: Sequence[Sequence[int]], symmetric: bool = True) -> None: ...

    def __post_init__(self) -> None:
        try:
            sites = tuple(tuple(index(x) for x in _site(site)) for site in self.offsets)
        except TypeError:
            raise RegrainError(
                f"Coupling: got the offsets {self.offsets!r}, expected whole numbers for each "
                "site, as in [(0, 0), (1, 0)]"
            ) from None
        if not sites or not sites[0] or len({len(site) for site in sites}) > 1:
            raise RegrainError(
                f"Coupling: got the offsets {self.offsets!r}, expected at least one site, and as "
                "many numbers for each as the lattice has axes"
            )
        object.__setattr__(self, "offsets", normal(sites))
        object.__setattr__(self, "symmetric", bool(self.symmetric))

    @property
    def name(self) -> str:
        """The offsets as text, what the coupling is called where names are needed."""
        text = "".join(f"({','.join(map(str, site))})" for site in self.offsets)
        return text if self.symmetric else text + "!"

    @property
    def even(self) -> bool:
        """Whether it has an even number of spins, so that their common sign does not matter."""
        return len(self.offsets) % 2 == 0

    def clusters(self, geometry: Geometry) -> tuple[Cluster, ...]:
        """One of each set of clusters that are translations of each other.

        Raises
        ------
        RegrainError
            Offsets of another number of dimensions.
        """
        if len(self.offsets[0]) != geometry.dimension:
            raise RegrainError(
                f"{self!r} has offsets of {len(self.offsets[0])} numbers, expected "
                f"{geometry.dimension} on a {geometry.name} lattice of shape {geometry.shape}"
            )
        return orbit(self.offsets, geometry.name) if self.symmetric else (self.offsets,)


def _site(site: Any) -> Iterable[Any]:
    return (site,) if isinstance(site, int) else site


def named_clusters(name: str, geometry: Geometry) -> tuple[Cluster, ...]:
    """The clusters of a named coupling, one of each set of translations.

    Raises
    ------
    RegrainError
        An unknown name, or one that this lattice does not have.

    Examples
    --------
    >>> from regrain.lattice import Geometry
    >>> from regrain.lattice.couplings import named_clusters
    >>> named_clusters("plaquette", Geometry((4, 4)))
    (((0, 0), (0, 1), (1, 0), (1, 1)),)
    """
    d, lattice = geometry.dimension, geometry.name
    origin = (0,) * d
    if name == "field":
        return ((origin,),)
    if name == "crystal":
        return ((origin, origin),)
    if name in _SHELLS:
        return shell(_SHELLS[name], lattice, d)
    if name == "biquadratic":
        return tuple(tuple(sorted(pair * 2)) for pair in shell(1, lattice, d))
    if name not in _NAMES:
        raise unknown("coupling", name, _NAMES)

    def unit(*ones: int) -> tuple[int, ...]:
        return tuple(int(axis in ones) for axis in range(d))

    if name == "three" and d == 1:
        return orbit([(0,), (1,), (2,)], lattice)
    if name == "three":
        corner = unit(0, 1) if lattice == "triangular" else unit(1)
        return orbit([origin, unit(0), corner], lattice)
    if name == "plaquette" and d > 1:
        return orbit([origin, unit(0), unit(1), unit(0, 1)], lattice)
    if name == "cube" and d > 2:
        corners = [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
        return orbit([unit(*ones) for ones in corners], lattice)
    raise RegrainError(
        f"coupling {name!r}: a {lattice} lattice has none; name another one, or give its sites as "
        "Coupling(offsets=[…])"
    )


#: Reduced couplings by name, or by the clusters themselves.
Couplings = Mapping[str | Coupling, float]


@dataclass(frozen=True)
class Term:
    """One coupling of a model on its lattice.

    Parameters
    ----------
    name : str
        What it is called.
    strength : float
        The reduced coupling.
    clusters : tuple of Cluster
        One of each set of clusters that are translations of each other.
    even : bool
        Whether it is left alone by the symmetry of the spins (all signs, all colours, all angles).

    Examples
    --------
    >>> from regrain.lattice import Ising
    >>> Ising((4, 4), couplings={"field": 0.1}).terms
    (Term(name='field', strength=0.1, clusters=(((0, 0),),), even=False),)
    """

    name: str
    strength: float
    clusters: tuple[Cluster, ...]
    even: bool

    @property
    def range(self) -> tuple[int, ...]:
        """How many sites a cluster reaches along each axis, beyond its first."""
        columns = zip(*(site for cluster in self.clusters for site in cluster), strict=True)
        return tuple(max(column) for column in columns)


def check_room(term: Term, geometry: Geometry) -> None:
    """An error where clusters of a term have no room on a lattice, or fall onto each other.

    Raises
    ------
    RegrainError
        The lattice is too small.

    Examples
    --------
    >>> from regrain.lattice import Geometry, Ising
    >>> from regrain.lattice.couplings import check_room
    >>> check_room(Ising((4, 4), couplings={"nn": 1.0}).terms[0], Geometry((3, 3)))
    """
    reach = term.range
    for axis, (far, length) in enumerate(zip(reach, geometry.shape, strict=True)):
        if geometry.axes[axis] and far and length <= 2 * far:
            raise RegrainError(
                f"shape {geometry.shape} is too small for the coupling {term.name!r}: its "
                f"clusters reach {far} sites along axis {axis}, so a periodic lattice needs "
                f"at least {2 * far + 1} sites there, or different ones would fall onto each "
                "other; make it larger, or open"
            )
    fits = any(
        all(
            on or max(site[axis] for site in cluster) < length
            for axis, (on, length) in enumerate(zip(geometry.axes, geometry.shape, strict=True))
        )
        for cluster in term.clusters
    )
    if not fits:
        raise RegrainError(
            f"shape {geometry.shape} is too small for the coupling {term.name!r}: no cluster "
            f"of it, {tuple(far + 1 for far in reach)} sites wide, has room; make it larger"
        )


def plain_couplings(couplings: Any) -> dict[str | Coupling, float]:
    """Couplings as a dictionary of floats.

    Raises
    ------
    RegrainError
        Names or values that are none.

    Examples
    --------
    >>> from regrain.lattice.couplings import plain_couplings
    >>> plain_couplings({"nn": 1})
    {'nn': 1.0}
    """
    if not isinstance(couplings, Mapping):
        raise RegrainError(
            f"couplings: got {couplings!r}, expected a value by name, as in {{'nn': 0.44}}"
        )
    plain: dict[str | Coupling, float] = {}
    for key, strength in couplings.items():
        if not isinstance(key, str | Coupling):
            raise RegrainError(
                f"couplings: got the name {key!r}, expected text such as 'nn', or Coupling(offsets)"
            )
        try:
            value = float(strength)
        except (TypeError, ValueError):
            value = np.nan
        if not np.isfinite(value):
            raise RegrainError(f"couplings: {key!r} is {strength!r}, expected a finite number")
        plain[key] = value
    return plain
