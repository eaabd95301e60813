"""Which atoms make which bead: the rows of a mapping, found in a topology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
        An atom may be part of several beads. In the template of a molecule, residue (counted from
        1), residue name and atom name: ``"1:ALA:CB"``.
    weights : sequence of float, optional
        One per atom, >= 0; only their ratios matter. What ``Beads`` says when omitted. An atom of
        weight 0 does not move the bead, but its force counts: name the atoms that are rigidly bound
        to those that carry the bead.
    force_shares : sequence of float, optional
        d, one per atom, only their ratios matter: the force on the bead is Σ (d/c) f, with both
        normalised. What ``Beads`` says when omitted. An atom of weight 0 must have the share 0.

    Raises
    ------
    RegrainError
        No name, no atoms, an atom twice, weights that are negative, not finite, all zero or of
        another number; shares that are not finite, add up to zero or are for atoms without weight.

    Examples
    --------
    >>> from regrain.maps import Bead
    >>> Bead("W", atoms=["OW", "HW1", "HW2"], weights=[1, 0, 0])
    Bead(name='W', atoms=('OW', 'HW1', 'HW2'), weights=(1.0, 0.0, 0.0))
    """

    name: str
    atoms: tuple[int, ...] | tuple[str, ...] = field(kw_only=True)
    weights: tuple[float, ...] | None = field(default=None, kw_only=True)
    force_shares: tuple[float, ...] | None = field(default=None, kw_only=True)

    def __repr__(self) -> str:
        shown = [f"name={self.name!r}", f"atoms={self.atoms!r}"]
        for name in ("weights", "force_shares"):
            value = getattr(self, name)
            shown += [] if value is None else [f"{name}={value!r}"]
        return f"Bead({', '.join(shown)})"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise RegrainError(f"the name of a bead must be a string, not {self.name!r}")
        object.__setattr__(self, "atoms", self._checked_atoms())
        for name in ("weights", "force_shares"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, self._numbers(name))
        weights, shares = self.weights, self.force_shares
        if weights is not None and not (min(weights) >= 0 and sum(weights) > 0):
            raise RegrainError(
                f"bead {self.name!r} has weights {list(weights)}; give finite numbers >= 0 that "
                "are not all zero"
            )
        if shares is not None and sum(shares) == 0:
            raise RegrainError(f"bead {self.name!r} has force_shares that add up to zero")
        if shares is not None and weights is not None:
            for atom, c, d in zip(self.atoms, weights, shares, strict=True):
                if c == 0 and d != 0:
                    raise RegrainError(
                        f"bead {self.name!r}: atom {atom!r} has weight 0, but a share {d:g} of the "
                        "force; atoms that do not move a bead have the share 0"
                    )

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

    def _numbers(self, name: str) -> tuple[float, ...]:
        """One finite number per atom."""
        given = getattr(self, name)
        try:
            numbers = np.asarray(given, dtype=float).reshape(-1)
        except (TypeError, ValueError):
            raise RegrainError(
                f"bead {self.name!r}: {name} must be numbers, not {given!r}"
            ) from None
        if len(numbers) != len(self.atoms):
            raise RegrainError(
                f"bead {self.name!r} has {len(self.atoms)} atoms and {len(numbers)} {name}; give "
                "one per atom"
            )
        if not np.all(np.isfinite(numbers)):
            raise RegrainError(
                f"bead {self.name!r} has {name} {numbers.tolist()}; give finite numbers"
                + (" >= 0" if name == "weights" else "")
            )
        return tuple(numbers.tolist())


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
    force_shares : ndarray, shape (n_entries,)
        As given; NaN where they are left to be chosen.
    blocks : ndarray, shape (n_beads,)
        Which residue or molecule each bead was made of.
    first : dict of str to list of int
        For each template, the indices of the first beads it made.

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
    force_shares: Floats
    blocks: Ints
    first: dict[str, list[int]]

    @classmethod
    def by_group(cls, topology: Topology, by: str, name: Name) -> Members:
        """One bead per residue or per molecule, in the order of their first atoms."""
        groups = _groups(topology, by)
        residues = [str(topology.residue_names[atoms[0]]) for atoms in groups]
        names = [_bead_name(residue, name) for residue in residues]
        plain = [Bead(name, atoms=(0,)) for name in names]
        return cls._join(plain, groups, np.arange(len(groups)), {})

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
        return cls._join(beads, atoms, np.zeros(len(beads)), {})

    @classmethod
    def templates(cls, topology: Topology, residues: Mapping[str, Sequence[Bead]]) -> Members:
        """Beads of every residue that has a template; the others are left out."""
        present = set(topology.residue_names.tolist())
        for residue in residues:
            if residue not in present:
                raise unknown("residue of the mapping", residue, present)
        blocks = _groups(topology, "residue")
        made: list[tuple[str | None, Sequence[str], str]] = []
        for block in blocks:
            residue = str(topology.residue_names[block[0]])
            names = topology.names[block].tolist()
            where = f"residue {residue} {topology.residues[block[0]]}"
            made.append((residue if residue in residues else None, names, where))
        return cls._fill(residues, blocks, made)

    @classmethod
    def of_molecules(cls, topology: Topology, molecules: Mapping[str, Sequence[Bead]]) -> Members:
        """Beads of every molecule that has all atoms of a template; the others are left out."""
        wanted = {
            name: {str(atom) for bead in beads for atom in bead.atoms}
            for name, beads in molecules.items()
        }
        blocks = _groups(topology, "molecule")
        made: list[tuple[str | None, Sequence[str], str]] = []
        for block in blocks:
            names = _in_molecule(topology, block)
            fit = (name for name, atoms in wanted.items() if atoms <= set(names))
            made.append((next(fit, None), names, f"the molecule of atom {block[0]}"))
        for name in molecules:
            if all(used != name for used, _, _ in made):
                shown = ", ".join(_in_molecule(topology, blocks[0])[:6])
                raise RegrainError(
                    f"no molecule has all atoms of the template {name!r}; those of the first "
                    f"molecule are {shown}, ..."
                )
        return cls._fill(molecules, blocks, made)

    @classmethod
    def _fill(
        cls,
        templates: Mapping[str, Sequence[Bead]],
        blocks: Sequence[Ints],
        made: Sequence[tuple[str | None, Sequence[str], str]],
    ) -> Members:
        """Beads from blocks of atoms, for each its template (or None), names, and what it is."""
        beads: list[Bead] = []
        atoms: list[Ints] = []
        origin: list[int] = []
        first: dict[str, list[int]] = {name: [] for name in templates}
        places: dict[tuple[str, ...], list[Ints]] = {}
        for k, (block, (template, names, where)) in enumerate(zip(blocks, made, strict=True)):
            if template is None:
                continue
            key = (template, *names)
            if key not in places:
                places[key] = [_find(bead, names, where) for bead in templates[template]]
            first[template].append(len(beads))
            beads += templates[template]
            atoms += [block[found] for found in places[key]]
            origin += [k] * len(templates[template])
        return cls._join(beads, atoms, np.array(origin), first)

    @classmethod
    def _join(
        cls,
        beads: Sequence[Bead],
        atoms: Sequence[Ints],
        blocks: NDArray[Any],
        first: dict[str, list[int]],
    ) -> Members:
        def filled(name: str) -> Floats:
            given = [getattr(bead, name) for bead in beads]
            return np.concatenate(
                [
                    np.full(len(members), np.nan) if row is None else np.array(row)
                    for members, row in zip(atoms, given, strict=True)
                ]
            )

        sizes = np.array([len(members) for members in atoms])
        return cls(
            tuple(bead.name for bead in beads),
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
            np.concatenate(atoms).astype(np.int32),
            filled("weights"),
            filled("force_shares"),
            blocks.astype(np.int32),
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


def _in_molecule(topology: Topology, atoms: Ints) -> list[str]:
    """Residue (from 1 in the molecule), residue name and name of each atom."""
    number = np.unique(topology.residues[atoms], return_inverse=True)[1].reshape(-1) + 1
    parts = (number, topology.residue_names[atoms], topology.names[atoms])
    return [":".join(map(str, row)) for row in zip(*(p.tolist() for p in parts), strict=True)]


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
