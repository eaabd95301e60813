"""A bead mapping made ready for one topology: weights, coarse topology, and the kernel."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError, RegrainWarning
from regrain.maps.bonded import bonds_between, paths
from regrain.maps.members import Members
from regrain.particles import Particles, Topology

__all__ = ["BoundBeads"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
# Bonds, angles or dihedrals: by bead, by position in templates, or those that are found.
Terms = Mapping[str, Sequence[tuple[int, ...]]] | Sequence[tuple[int, ...]] | None


@dataclass(frozen=True, eq=False, repr=False)
class BoundBeads:
    """What ``Beads`` does to the states of one topology; called with a state.

    ``print`` shows which beads there are and what became of the atoms and the forces.

    Attributes
    ----------
    fine, topology : Topology
        Of the atoms, and of the beads.
    members : Members
        The atoms of each bead.
    weights : ndarray, shape (n_entries,)
        c, those of the positions; they add up to 1 in each bead.
    force_weights : ndarray, shape (n_entries,)
        b, those of the forces; see ``Beads``.
    no_forces : str
        Why forces are not mapped; empty if they are.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.maps import Beads
    >>> from regrain.particles import Particles, Topology
    >>> water = Topology(["O", "H", "H"], masses=[16.0, 1.0, 1.0], residues=[0, 0, 0])
    >>> print(Beads(by="residue", name="W").bind(Particles(np.eye(3), [5.0] * 3, topology=water)))
    1 bead from 3 of 3 atoms
    name  beads  atoms  mass  charge
    W         1      3    18       0
    forces: mapped where the fine states have them
    """

    fine: Topology
    topology: Topology
    members: Members
    weights: Floats
    force_weights: Floats
    no_forces: str

    @classmethod
    def make(
        cls,
        fine: Topology,
        members: Members,
        *,
        weights: str,
        masses: str,
        terms: Mapping[str, Terms],
        forces: bool | None,
    ) -> BoundBeads:
        """Weights and coarse topology from the members; see ``Beads`` for the equations."""
        listed = np.bincount(members.atoms, minlength=len(fine))
        share = 1.0 / listed[members.atoms]
        c = _weights(fine, members, weights, share)
        b, no_forces = _force_weights(members, c, listed)
        if forces is False:
            no_forces = "the mapping was told not to (forces=False)"
        elif no_forces and forces:
            raise RegrainError(f"forces=True, but {no_forces}; use other beads, or forces=False")
        topology = _coarse_topology(fine, members, c, share, masses, terms)
        return cls(fine, topology, members, c, b, no_forces)

    @cached_property
    def _kernel(self) -> _core.BeadMapping:
        return _core.BeadMapping(
            len(self.fine),
            offsets=self.members.offsets,
            atoms=self.members.atoms,
            weights=self.weights,
            force_weights=self.force_weights,
            bonds=self.fine.bonds,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_kernel"}

    @property
    def unused(self) -> Ints:
        """Indices of the atoms that are part of no bead."""
        used = np.zeros(len(self.fine), dtype=bool)
        used[self.members.atoms] = True
        return np.flatnonzero(~used).astype(np.int32)

    def __call__(self, state: Particles) -> Particles:
        if state.topology is not self.fine:
            _need_same(state.topology, self.fine)
        kernel = self._kernel
        positions, images = kernel.positions(state.box, state.positions, state.images)
        velocities = None if state.velocities is None else kernel.average(state.velocities)
        forces = None if self.no_forces or state.forces is None else kernel.forces(state.forces)
        return Particles(
            positions,
            state.box,
            topology=self.topology,
            velocities=velocities,
            forces=forces,
            images=None if state.images is None else images,
            units=state.units,
        )

    def warn_of_lost_forces(self, state: Particles) -> None:
        """Say why, if the state has forces and the mapping loses them unasked."""
        if state.forces is not None and self.no_forces and "forces=False" not in self.no_forces:
            warnings.warn(f"forces are not mapped: {self.no_forces}", RegrainWarning, stacklevel=4)

    def __str__(self) -> str:
        n, unused = len(self.members), self.unused
        lines = [
            f"{n} bead{'' if n == 1 else 's'} from {len(self.fine) - len(unused)} of "
            f"{len(self.fine)} atoms",
            *_table(self),
        ]
        if len(unused):
            names = zip(self.fine.residue_names[unused], self.fine.names[unused], strict=True)
            kinds = sorted({f"{residue}:{name}" for residue, name in names})
            more = ", ..." if len(kinds) > 8 else ""
            lines.append(f"in no bead: {len(unused)} atoms ({', '.join(kinds[:8])}{more})")
        terms = [f"{len(getattr(self.topology, k))} {k}" for k in ("bonds", "angles", "dihedrals")]
        if len(self.topology.bonds):
            lines.append("bonded: " + ", ".join(terms))
        if self.no_forces:
            lines.append(f"forces: not mapped, because {self.no_forces}")
        else:
            lines.append("forces: mapped where the fine states have them")
        return "\n".join(lines)


def _table(bound: BoundBeads) -> list[str]:
    """One line for each kind of bead."""
    sizes = np.diff(bound.members.offsets)
    columns = [
        np.array(bound.members.names),
        sizes,
        np.round(bound.topology.masses, 9),
        np.round(bound.topology.charges, 9),
    ]
    counts: dict[tuple[str, int, float, float], int] = {}
    for kind in zip(*(column.tolist() for column in columns), strict=True):
        counts[kind] = counts.get(kind, 0) + 1
    rows = [("name", "beads", "atoms", "mass", "charge")] + [
        (name, str(count), str(size), f"{mass:g}", f"{charge:g}")
        for (name, size, mass, charge), count in counts.items()
    ]
    widths = [max(len(row[k]) for row in rows) for k in range(5)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(row[k].rjust(widths[k]) for k in range(1, 5))])
        for row in rows
    ]


def _weights(fine: Topology, members: Members, kind: str, share: Floats) -> Floats:
    """c, normalised: as given, else by the kind, an atom of n beads counting 1/n in each."""
    owner = members.owner
    source = {"mass": fine.masses, "charge": np.abs(fine.charges), "geometric": np.ones(len(fine))}
    raw = np.where(np.isnan(members.weights), source[kind][members.atoms] * share, members.weights)
    total = np.bincount(owner, raw, minlength=len(members))
    if np.any(total == 0):
        label = members.label(int(np.flatnonzero(total == 0)[0]))
        raise RegrainError(
            f"{label} has no {kind} centre, as the {kind} of all its atoms is zero; give the "
            f'topology its {kind}{"es" if kind == "mass" else "s"}, or use weights="geometric"'
        )
    normalised: Floats = raw / total[owner]
    return normalised


def _force_weights(members: Members, c: Floats, listed: NDArray[np.intp]) -> tuple[Floats, str]:
    """b, and why there is none if the mapping breaks the conditions of consistent forces."""
    moves = np.bincount(members.atoms, c > 0, minlength=len(listed))[members.atoms]
    own = np.where(c > 0, moves == 1, (moves == 0) & (listed[members.atoms] == 1))
    total = np.bincount(members.owner, c * own, minlength=len(members))
    given = ~np.isnan(members.force_shares)
    shares = np.where(given, members.force_shares, 0.0)
    added = np.bincount(members.owner, shares, minlength=len(members))
    b = own / np.where(total == 0, 1.0, total)[members.owner]
    moving = given & (c > 0)
    b[given] = 0.0
    b[moving] = (shares / np.where(added == 0, 1.0, added)[members.owner])[moving] / c[moving]
    total[members.owner[given]] = 1.0
    if np.any(total == 0):
        lost = np.flatnonzero(total == 0)
        return np.zeros(len(c)), (
            f"{members.label(int(lost[0]))} shares every atom that moves it with other beads"
            + (f", as do {len(lost) - 1} more" if len(lost) > 1 else "")
            + ", so that no forces satisfy Noid's conditions"
        )
    return b, ""


def _coarse_topology(
    fine: Topology,
    members: Members,
    c: Floats,
    share: Floats,
    masses: str,
    terms: Mapping[str, Terms],
) -> Topology:
    owner, atoms = members.owner, members.atoms
    leading = atoms[members.offsets[:-1]]
    mass: Floats
    if masses == "noid":
        mass = _consistent_masses(fine, members, c)
    else:
        mass = np.bincount(owner, fine.masses[atoms] * share, len(members)).astype(float)
    charge = np.bincount(owner, fine.charges[atoms] * share, minlength=len(members))
    found = bonds_between(fine.bonds, owner, atoms, (len(members), len(fine)))
    links = _given(members, terms["bonds"], found)
    angles = _given(members, terms["angles"], paths(links, 2))
    dihedrals = _given(members, terms["dihedrals"], paths(links, 3))
    return Topology(
        np.array(members.names),
        masses=mass,
        charges=np.round(charge, 12),  # a neutral molecule is neutral
        residues=fine.residues[leading],
        residue_names=fine.residue_names[leading],
        bonds=links,
        angles=angles,
        dihedrals=dihedrals,
    )


def _consistent_masses(fine: Topology, members: Members, c: Floats) -> Floats:
    m = fine.masses[members.atoms]
    if np.any((m == 0) & (c > 0)):
        bead = int(members.owner[np.flatnonzero((m == 0) & (c > 0))[0]])
        raise RegrainError(
            f'{members.label(bead)} is moved by an atom without mass, so that masses="noid" is not '
            'defined; use masses="sum"'
        )
    inverse = np.divide(c**2, m, out=np.zeros_like(c), where=c > 0)
    consistent: Floats = 1.0 / np.bincount(members.owner, inverse, minlength=len(members))
    return consistent


def _given(members: Members, given: Terms, found: Ints) -> Ints:
    """The terms found between beads, or those given in their place."""
    width = found.shape[1]
    if given is None:
        return found
    if not isinstance(given, Mapping):
        return _once(np.array(given, dtype=np.int32).reshape(-1, width))
    # What has given terms keeps those found that reach out of it.
    named = np.zeros(len(members), dtype=bool)
    for name in given:
        named |= np.isin(members.blocks, members.blocks[members.first[name]])
    blocks = members.blocks[found]
    inside = named[found].all(axis=1) & (blocks == blocks[:, :1]).all(axis=1)
    rows = [found[~inside]]
    for name, terms in given.items():
        starts = np.array(members.first[name], dtype=np.int32)[:, None, None]
        rows.append(
            (starts + np.array(terms, dtype=np.int32).reshape(-1, width)).reshape(-1, width)
        )
    return _once(np.concatenate(rows))


def _once(terms: Ints) -> Ints:
    """Each term once, from its end with the lower index."""
    backwards = terms[:, 0] > terms[:, -1]
    turned = np.where(backwards[:, None], terms[:, ::-1], terms)
    return np.unique(turned, axis=0)


def _need_same(given: Topology, expected: Topology) -> None:
    """Topologies that came from elsewhere (another process) must be equal."""
    for name in ("types", "names", "residues", "residue_names", "masses", "charges", "bonds"):
        if not np.array_equal(getattr(given, name), getattr(expected, name)):
            raise RegrainError(
                f"the {name} of this state are not those the map was made ready for; give states "
                "of one topology, or map them separately"
            )
