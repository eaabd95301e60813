"""Which atoms make which bead: the rows of a mapping, found in a topology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from regrain.errors import RegrainError, unknown
from regrain.particles import Topology

__all__ = ["Bead", "Members"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Name = str | Mapping[str, str] | None


@dataclass(frozen=True)
class Bead:
    """One bead: its name, its atoms and how much each counts in its position.

    Parameters
    ----------
    name : str
        Becomes the type of the bead; many beads may have the same.
    atoms : sequence of int or of str
        Indices of atoms in an explicit list of beads; names of atoms in the template of a residue.
        An atom may be part of several beads.
    weights : sequence of float, optional
        One per atom, >= 0; only their ratios matter. What ``Beads`` says when omitted. An atom of
        weight 0 does not move the bead, but its force counts: name the atoms that are rigidly bound
        to those that carry the bead.

    Raises
    ------
    RegrainError
        No name, no atoms, an atom twice, weights that are negative, not finite, all zero or of
        another number.

    Examples
    --------
    >>> from regrain.maps import Bead
    >>> Bead("W", atoms=["OW", "HW1", "HW2"], weights=[1, 0, 0])
    Bead(name='W', atoms=('OW', 'HW1', 'HW2'), weights=(1.0, 0.0, 0.0))
    """

    name: str
    atoms: tuple[int, ...] | tuple[str, ...] = field(kw_only=True)
    weights: tuple[float, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise RegrainError(f"the name of a bead must be a string, not {self.name!r}")
        object.__setattr__(self, "atoms", self._checked_atoms())
        if self.weights is not None:
            object.__setattr__(self, "weights", self._checked_weights())

    def _checked_atoms(self) -> tuple[int, ...] | tuple[str, ...]:
        given = [self.atoms] if isinstance(self.atoms, str) else list(self.atoms)
        if not given:
            raise RegrainError(f"bead {self.name!r} has no atoms; give it at least one")
        for atom in given:
            if given.count(atom) > 1:
                raise RegrainError(f"bead {self.name!r} names atom {atom!r} twice; name it once")
        if all(isinstance(atom, str) for atom in given):
            return tuple(str(atom) for atom in given)
        if all(isinstance(a, int | np.integer) and not isinstance(a, bool) for a in given):
            return tuple(np.array(given, dtype=int).tolist())
        raise RegrainError(
            f"bead {self.name!r}: atoms must be all indices or all names, not {given!r}"
        )

    def _checked_weights(self) -> tuple[float, ...]:
        try:
            weights = np.asarray(self.weights, dtype=float).reshape(-1)
        except (TypeError, ValueError):
            raise RegrainError(
                f"bead {self.name!r}: weights must be numbers, not {self.weights!r}"
            ) from None
        if len(weights) != len(self.atoms):
            raise RegrainError(
                f"bead {self.name!r} has {len(self.atoms)} atoms and {len(weights)} weights; give "
                "one weight per atom"
            )
        if not np.all(np.isfinite(weights)) or np.any(weights < 0) or weights.sum() == 0:
            raise RegrainError(
                f"bead {self.name!r} has weights {weights.tolist()}; give finite numbers >= 0 that "
                "are not all zero"
            )
        return tuple(weights.tolist())


@dataclass(frozen=True)
class Members:
    """The atoms of all beads of a system, in compressed rows.

    Attributes
    ----------
    names : tuple of str
        Of the beads.
    offsets : ndarray, shape (n_beads + 1,)
        The entries of a bead are those from its offset to the next one.
    atoms : ndarray, shape (n_entries,)
        Index of the atom of each entry.
    weights : ndarray, shape (n_entries,)
        As given; NaN where they are left to be chosen.
    first : dict of str to list of int
        For each residue with a template, the indices of the first beads of these residues.

    Examples
    --------
    >>> from regrain.maps.members import Members
    >>> from regrain.particles import Topology
    >>> Members.by_group(Topology(["A"] * 4, residues=[7, 7, 2, 2]), "residue", "B").offsets
    array([0, 2, 4], dtype=int32)
    """

    names: tuple[str, ...]
    offsets: Ints
    atoms: Ints
    weights: Floats
    first: dict[str, list[int]]

    @classmethod
    def by_group(cls, topology: Topology, by: str, name: Name) -> Members:
        """One bead per residue or per molecule, in the order of their first atoms."""
        groups = _groups(topology, by)
        residues = [str(topology.residue_names[atoms[0]]) for atoms in groups]
        names = [_bead_name(residue, name) for residue in residues]
        return cls._join(names, groups, [None] * len(groups), {})

    @classmethod
    def explicit(cls, topology: Topology, beads: Sequence[Bead]) -> Members:
        """The beads as listed."""
        n = len(topology)
        for position, bead in enumerate(beads):
            for atom in bead.atoms:
                if not isinstance(atom, int) or not 0 <= atom < n:
                    raise RegrainError(
                        f"bead {position} ({bead.name}) names atom {atom}, but there are {n}, "
                        "counted from 0"
                    )
        atoms = [np.array(bead.atoms, dtype=np.int32) for bead in beads]
        return cls._join([bead.name for bead in beads], atoms, [b.weights for b in beads], {})

    @classmethod
    def templates(cls, topology: Topology, residues: Mapping[str, Sequence[Bead]]) -> Members:
        """Beads of every residue that has a template; the others are left out."""
        present = set(topology.residue_names.tolist())
        for residue in residues:
            if residue not in present:
                raise unknown("residue of the mapping", residue, present)
        names: list[str] = []
        atoms: list[Ints] = []
        weights: list[tuple[float, ...] | None] = []
        first: dict[str, list[int]] = {residue: [] for residue in residues}
        places: dict[tuple[str, ...], list[Ints]] = {}
        for block in _groups(topology, "residue"):
            residue = str(topology.residue_names[block[0]])
            if residue not in residues:
                continue
            key = (residue, *topology.names[block].tolist())
            if key not in places:
                where = f"residue {residue} {topology.residues[block[0]]}"
                places[key] = [_find(bead, key[1:], where) for bead in residues[residue]]
            first[residue].append(len(names))
            names += [bead.name for bead in residues[residue]]
            weights += [bead.weights for bead in residues[residue]]
            atoms += [block[found] for found in places[key]]
        return cls._join(names, atoms, weights, first)

    @classmethod
    def _join(
        cls,
        names: Sequence[str],
        atoms: Sequence[Ints],
        weights: Sequence[tuple[float, ...] | None],
        first: dict[str, list[int]],
    ) -> Members:
        sizes = np.array([len(members) for members in atoms])
        filled = [
            np.full(len(members), np.nan) if given is None else np.array(given)
            for members, given in zip(atoms, weights, strict=True)
        ]
        return cls(
            tuple(names),
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
            np.concatenate(atoms).astype(np.int32),
            np.concatenate(filled),
            first,
        )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def owner(self) -> Ints:
        """The bead of each entry, shape (n_entries,)."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.offsets))

    def label(self, bead: int) -> str:
        """What an error calls a bead."""
        atoms = self.atoms[self.offsets[bead] : self.offsets[bead + 1]]
        return f"bead {bead} ({self.names[bead]}, atoms {', '.join(map(str, atoms[:4]))}" + (
            ", ...)" if len(atoms) > 4 else ")"
        )


def _groups(topology: Topology, by: str) -> list[Ints]:
    """Atoms of each residue or molecule, ascending, in the order of the first atoms."""
    n = len(topology)
    labels: NDArray[np.int32] = topology.residues
    if by == "molecule":
        if len(topology.bonds) == 0:
            raise RegrainError(
                'by="molecule" joins atoms along bonds, but the topology has none; give it bonds, '
                'or use by="residue"'
            )
        ones = np.ones(len(topology.bonds), dtype=np.int8)
        graph = coo_array((ones, (topology.bonds[:, 0], topology.bonds[:, 1])), shape=(n, n))
        labels = connected_components(graph, directed=False)[1]
    order = np.argsort(labels, kind="stable").astype(np.int32)
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    return sorted(np.split(order, cuts), key=lambda atoms: int(atoms[0]))


def _bead_name(residue: str, name: Name) -> str:
    if isinstance(name, str):
        return name
    if name is None:
        return residue
    if residue not in name:
        raise RegrainError(
            f"name gives no bead name for residue {residue!r}, only for {', '.join(name)}; add it, "
            "or leave these residues out when loading (select=...)"
        )
    return name[residue]


def _find(bead: Bead, names: Sequence[str], where: str) -> Ints:
    """Positions of a template's atoms among the names of a residue's atoms."""
    found = []
    for atom in bead.atoms:
        if atom not in names:
            raise unknown(f"atom of bead {bead.name!r} in {where}", atom, names)
        if names.count(str(atom)) > 1:
            raise RegrainError(
                f"bead {bead.name!r} names atom {atom!r}, of which {where} has "
                f"{names.count(str(atom))}; give the beads as a list of atom indices"
            )
        found.append(names.index(str(atom)))
    return np.array(found, dtype=np.int32)
