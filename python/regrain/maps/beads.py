"""Atoms to beads: the map of particles to fewer particles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar

from regrain.errors import RegrainError, unknown
from regrain.maps import files
from regrain.maps.base import Map
from regrain.maps.bound import BoundBeads
from regrain.maps.members import Bead, Members, Name
from regrain.particles import Particles, Topology

__all__ = ["Beads"]

Template = Bead | tuple[Any, ...] | Mapping[str, Any]
Pairs = Sequence[tuple[int, int]]

_BY = ("residue", "molecule")
_WEIGHTS = ("mass", "geometric", "charge")
_MASSES = ("sum", "noid")


class Beads(Map):
    r"""Puts beads at weighted centres of groups of atoms.

    Which atoms make a bead is said in one of three ways: ``by`` takes whole residues or molecules,
    ``residues`` gives each kind of residue a template with atoms by name, ``beads`` lists every
    bead with its atoms by index. With none of them, ``by="residue"``.

    Parameters
    ----------
    by : {"residue", "molecule"}, optional
        One bead per residue, or per set of atoms connected by bonds.
    beads : sequence of Bead, optional
        All beads, with atom indices.
    residues : mapping of str to sequence of Bead, optional
        For each residue name its beads, with atom names; ``("C", ["C1", "C2"])`` and
        ``("C", ["C1", "C2"], [1, 1])`` are taken as beads. Residues that are not named are left
        out.
    weights : {"mass", "geometric", "charge"}
        What the centres are weighted by, where a bead gives no weights of its own: masses, nothing,
        or absolute charges.
    name : str or mapping of str to str, optional
        With ``by``: the name of the beads, or for each residue name that of its bead; the residue
        name when omitted.
    bonds : sequence of pairs or mapping of str to sequence of pairs, optional
        Bonds of the coarse topology. Pairs of bead indices instead of all found ones; or, with
        ``residues``, for residue names the pairs of positions in the template, instead of those
        found inside such residues. Found are: two beads with atoms that are bonded to each other.
    masses : {"sum", "noid"}
        Masses of the beads: those of their atoms added up, or those that make the momenta of the
        beads consistent (see Notes); the same for mass centres without shared atoms.
    forces : bool, optional
        True insists on forces (an error if the mapping admits none or a trace has none), False
        drops them. When omitted they are mapped where the fine states have them, with a
        ``RegrainWarning`` if the mapping admits none.

    Raises
    ------
    RegrainError
        Settings that contradict each other; when it meets a state: residues or atoms that are not
        there, centres without weight, beads across half the box or more, forces that are wanted
        but not to be had.

    Notes
    -----
    With normalised weights :math:`\sum_i c_{Ii} = 1` positions and velocities are
    :math:`R_I = \sum_i c_{Ii} r_i` and :math:`V_I = \sum_i c_{Ii} v_i`. An atom that n beads list
    counts 1/n in each of their weights (unless given), masses and charges.

    Forces are those of Noid et al., J. Chem. Phys. 128, 244114 (2008), Eqs. 25 and 40:
    :math:`F_I = \sum_{i \in S_I} (d_{Ii} / c_{Ii}) f_i` over the atoms :math:`S_I` that move no
    other bead, with :math:`\sum_{i \in S_I} d_{Ii} = 1`. The choice made here,
    :math:`d_{Ii} \propto c_{Ii}`, gives every atom of a bead the same factor
    :math:`b_I = 1 / \sum_{i \in S_I} c_{Ii}`: one without shared atoms, so that the force on a bead
    is the sum of the forces on its atoms and rigid constraints inside a bead drop out. Atoms of
    weight zero in one bead alone are summed with that factor too; shared atoms have none; a bead
    all of whose atoms are shared has no consistent force. Momenta are consistent with masses
    :math:`M_I = (\sum_i c_{Ii}^2 / m_i)^{-1}` (their Eq. 30) if no atom is shared and nothing is
    rigid.

    Each bead is made whole along bonds, else by the images nearest to its first atom, in boxes of
    any shape. Positions are wrapped; images are kept where the fine states have them, and unwrapped
    beads then move without jumps. Angles and dihedrals of the coarse topology are all paths of two
    and three of its bonds.

    Loses / Assumes
    ---------------
    All that happens inside a bead: its shape, its orientation, its share of heat capacity, friction
    and viscosity. Forces assume that no constraint ties an atom of a bead to one outside of it;
    name rigidly bound partners as members with weight 0. Without bonds, beads must be narrower than
    half the smallest height of the box.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.maps import Beads
    >>> from regrain.particles import Particles, Topology
    >>> water = Topology(["O", "H", "H"], masses=[16.0, 1.0, 1.0], residues=[0, 0, 0])
    >>> atoms = Particles([[0.1, 0, 0], [4.9, 0, 0], [0.3, 0.9, 0]], [5.0] * 3, topology=water)
    >>> beads = Beads(by="residue", weights="mass", name="W")
    >>> beads(atoms).positions.round(6).tolist()
    [[0.1, 0.05, 0.0]]
    >>> beads
    Beads(by='residue', name='W')
    """

    takes: ClassVar[str] = "particles"
    gives: ClassVar[str] = "particles"

    def __init__(
        self,
        by: str | None = None,
        *,
        beads: Sequence[Template] | None = None,
        residues: Mapping[str, Sequence[Template]] | None = None,
        weights: str = "mass",
        name: Name = None,
        bonds: Pairs | Mapping[str, Pairs] | None = None,
        masses: str = "sum",
        forces: bool | None = None,
    ) -> None:
        given = {"by": by, "beads": beads, "residues": residues}
        ways = [way for way, value in given.items() if value is not None]
        if len(ways) > 1:
            raise RegrainError(f"got {' and '.join(ways)}; say in one way what the beads are")
        self.by = by if ways else "residue"
        self.beads = None if beads is None else tuple(_bead(bead, int) for bead in beads)
        self.residues = None if residues is None else _templates(residues)
        self.weights, self.masses, self.forces = weights, masses, forces
        self.name = dict(name) if isinstance(name, Mapping) else name
        self.bonds = _pairs(bonds, self.residues)
        self._check()
        self._last: tuple[Topology, BoundBeads] | None = None

    def _check(self) -> None:
        choices = (
            ("by", self.by, (*_BY, None)),
            ("weights", self.weights, _WEIGHTS),
            ("masses", self.masses, _MASSES),
        )
        for setting, given, known in choices:
            if given not in known:
                raise unknown(setting, given, [k for k in known if k])
        if self.forces not in (None, True, False):
            raise RegrainError(f"forces: got {self.forces!r}, expected True, False or None")
        if self.name is not None and self.by is None:
            raise RegrainError("name goes with by; beads and templates carry their own names")
        names = self.name.values() if isinstance(self.name, dict) else [self.name or "W"]
        if not all(isinstance(name, str) and name for name in names):
            raise RegrainError(f"name: got {self.name!r}, expected names of beads")
        if not (self.by or self.beads or self.residues):
            raise RegrainError("the mapping has no beads; give at least one")

    def bind(self, fine: Particles) -> BoundBeads:
        """The mapping of all states with the topology of this one; ``print`` it for a summary.

        Raises
        ------
        RegrainError
            The mapping does not fit the topology, or forces are insisted on that are not there.
        """
        self._need_level(fine)
        if self.forces and fine.forces is None:
            raise RegrainError(
                "forces=True, but the fine states have no forces; load a trajectory that has them "
                "(.trr, not .xtc), or leave forces out"
            )
        if self._last is None or self._last[0] is not fine.topology:
            self._last = fine.topology, self._make(fine.topology)
            self._last[1].warn_of_lost_forces(fine)
        return self._last[1]

    def _make(self, topology: Topology) -> BoundBeads:
        if self.beads is not None:
            members = Members.explicit(topology, self.beads)
        elif self.residues is not None:
            members = Members.templates(topology, self.residues)
        else:
            members = Members.by_group(topology, str(self.by), self.name)
        return BoundBeads.make(
            topology,
            members,
            weights=self.weights,
            masses=self.masses,
            bonds=self.bonds,
            forces=self.forces,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_last": None}

    def _settings(self) -> dict[str, Any]:
        """Everything that is not at its default."""
        defaults = {"weights": "mass", "masses": "sum"}
        names = ("by", "beads", "residues", "weights", "name", "bonds", "masses", "forces")
        given = {name: getattr(self, name) for name in names}
        return {k: v for k, v in given.items() if v is not None and v != defaults.get(k)}

    def __repr__(self) -> str:
        return f"Beads({', '.join(f'{k}={v!r}' for k, v in self._settings().items())})"

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON types, those at their defaults left out."""
        settings = self._settings()
        if self.beads is not None:
            settings["beads"] = [_as_dict(bead) for bead in self.beads]
        if self.residues is not None:
            settings["residues"] = {k: [_as_dict(b) for b in v] for k, v in self.residues.items()}
        if isinstance(self.bonds, dict):
            settings["bonds"] = {k: [list(pair) for pair in v] for k, v in self.bonds.items()}
        elif self.bonds is not None:
            settings["bonds"] = [list(pair) for pair in self.bonds]
        return {"map": "Beads", **settings}

    @classmethod
    def _from_dict(cls, settings: dict[str, Any]) -> Beads:
        known = ("by", "beads", "residues", "weights", "name", "bonds", "masses", "forces")
        for key in settings:
            if key not in known:
                raise unknown("setting of Beads", key, known)
        return cls(**settings)

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Beads:
        """A mapping from a TOML or JSON file.

        The keys are the parameters of ``Beads``; a bead is a table with ``name``, ``atoms`` and, if
        wanted, ``weights``::

            weights = "mass"

            [[residues.HEX]]
            name = "A"
            atoms = ["C1", "C2", "C3"]

            [[residues.HEX]]
            name = "B"
            atoms = ["C4", "C5", "C6"]
            weights = [1.0, 1.0, 2.0]

            [bonds]
            HEX = [[0, 1]]

        Raises
        ------
        RegrainError
            No such file, another format, a key that is not known, settings that are wrong.
        """
        return files.read(path, cls._from_dict)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the mapping to a ``.toml`` or ``.json`` file that ``read`` understands.

        Raises
        ------
        RegrainError
            Another suffix.
        """
        settings = self.to_dict()
        settings.pop("map")
        files.write(path, settings)


def _bead(given: Template, kind: type) -> Bead:
    if isinstance(given, Mapping):
        for key in given:
            if key not in ("name", "atoms", "weights"):
                raise unknown("key of a bead", key, ("name", "atoms", "weights"))
        name, atoms = given.get("name", ""), given.get("atoms", ())
        bead = Bead(name, atoms=atoms, weights=given.get("weights"))
    elif isinstance(given, Bead):
        bead = given
    elif isinstance(given, Sequence) and not isinstance(given, str) and 2 <= len(given) <= 3:
        name, atoms, *rest = given
        bead = Bead(name, atoms=atoms, weights=rest[0] if rest else None)
    else:
        raise RegrainError(f"got {given!r} for a bead, expected Bead(name, atoms=...)")
    if not isinstance(bead.atoms[0], kind):
        wanted = "atom indices in a list of beads" if kind is int else "atom names in a template"
        raise RegrainError(f"bead {bead.name!r} has atoms {bead.atoms}; give {wanted}")
    return bead


def _templates(given: Mapping[str, Sequence[Template]]) -> dict[str, tuple[Bead, ...]]:
    for residue, beads in given.items():
        if isinstance(beads, str | Bead | Mapping) or not beads:
            raise RegrainError(
                f"residues: {residue!r} has {beads!r}, expected a list of beads, at least one"
            )
    return {name: tuple(_bead(bead, str) for bead in beads) for name, beads in given.items()}


def _pairs(
    given: Pairs | Mapping[str, Pairs] | None, residues: dict[str, tuple[Bead, ...]] | None
) -> tuple[tuple[int, int], ...] | dict[str, tuple[tuple[int, int], ...]] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return _checked_pairs("bonds", given, None)
    if residues is None:
        raise RegrainError("bonds by residue name go with residues; give pairs of bead indices")
    for residue in given:
        if residue not in residues:
            raise unknown("residue of bonds", residue, residues)
    return {
        name: _checked_pairs(f"bonds of {name}", pairs, len(residues[name]))
        for name, pairs in given.items()
    }


def _checked_pairs(what: str, pairs: Pairs, size: int | None) -> tuple[tuple[int, int], ...]:
    for pair in pairs:
        good = isinstance(pair, Sequence) and len(pair) == 2 and pair[0] != pair[1]
        if not good or not all(isinstance(k, int) and k >= 0 for k in pair):
            raise RegrainError(f"{what}: got {pair!r}, expected a pair of two beads by index")
        if size is not None and max(pair) >= size:
            raise RegrainError(
                f"{what}: got {tuple(pair)}, but the template has {size} beads, counted from 0"
            )
    return tuple((int(i), int(j)) for i, j in pairs)


def _as_dict(bead: Bead) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": bead.name, "atoms": list(bead.atoms)}
    return fields if bead.weights is None else {**fields, "weights": list(bead.weights)}
