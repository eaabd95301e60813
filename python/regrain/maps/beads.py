"""Atoms to beads: the map of particles to fewer particles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from regrain.errors import RegrainError, unknown
from regrain.maps import files, votca
from regrain.maps.base import Map
from regrain.maps.bound import BoundBeads
from regrain.maps.members import Bead, Members, Name
from regrain.particles import Particles, Topology

__all__ = ["Beads"]

Template = Bead | tuple[Any, ...] | Mapping[str, Any]
Terms = Sequence[tuple[int, ...]]
GivenTerms = Terms | Mapping[str, Terms] | None

_BY = ("residue", "molecule")
_WEIGHTS = ("mass", "geometric", "charge")
_MASSES = ("sum", "noid")
_BEAD = ("name", "atoms", "weights", "force_shares")
SETTINGS = (
    *("by", "beads", "residues", "molecules", "weights", "name"),
    *("bonds", "angles", "dihedrals", "masses", "forces"),
)


class Beads(Map):
    r"""Puts beads at weighted centres of groups of atoms.

    Which atoms make a bead is said in one of four ways: ``by`` takes whole residues or molecules,
    ``residues`` gives each kind of residue a template with atoms by name, ``molecules`` does so for
    molecules of several residues, ``beads`` lists every bead with its atoms by index. With none of
    them, ``by="residue"``.

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
    molecules : mapping of str to sequence of Bead, optional
        Templates of molecules (atoms connected by bonds), with atoms by residue in the molecule
        (counted from 1), residue name and atom name: ``("B", ["1:ALA:CA", "2:GLY:CA"])``. The names
        of the templates are free; each molecule has the first all of whose atoms it has, those
        that have none are left out.
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
    angles, dihedrals : sequence or mapping, optional
        The same, with three and four beads. Found are: all paths of two and three bonds.
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
        molecules: Mapping[str, Sequence[Template]] | None = None,
        weights: str = "mass",
        name: Name = None,
        bonds: GivenTerms = None,
        angles: GivenTerms = None,
        dihedrals: GivenTerms = None,
        masses: str = "sum",
        forces: bool | None = None,
    ) -> None:
        given = {"by": by, "beads": beads, "residues": residues, "molecules": molecules}
        ways = [way for way, value in given.items() if value is not None]
        if len(ways) > 1:
            raise RegrainError(f"got {' and '.join(ways)}; say in one way what the beads are")
        self.by = by if ways else "residue"
        self.beads = None if beads is None else tuple(_bead(bead, int) for bead in beads)
        self.residues = None if residues is None else _templates("residues", residues)
        self.molecules = None if molecules is None else _templates("molecules", molecules)
        self.weights, self.masses, self.forces = weights, masses, forces
        self.name = dict(name) if isinstance(name, Mapping) else name
        templates = self.residues or self.molecules
        self.bonds = _terms("bonds", bonds, templates, 2)
        self.angles = _terms("angles", angles, templates, 3)
        self.dihedrals = _terms("dihedrals", dihedrals, templates, 4)
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
        if not (self.by or self.beads or self.residues or self.molecules):
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
        elif self.molecules is not None:
            members = Members.of_molecules(topology, self.molecules)
        else:
            members = Members.by_group(topology, str(self.by), self.name)
        return BoundBeads.make(
            topology,
            members,
            weights=self.weights,
            masses=self.masses,
            terms={"bonds": self.bonds, "angles": self.angles, "dihedrals": self.dihedrals},
            forces=self.forces,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_last": None}

    def _settings(self) -> dict[str, Any]:
        """Everything that is not at its default."""
        defaults = {"weights": "mass", "masses": "sum"}
        given = {name: getattr(self, name) for name in SETTINGS}
        return {k: v for k, v in given.items() if v is not None and v != defaults.get(k)}

    def __repr__(self) -> str:
        return f"Beads({', '.join(f'{k}={v!r}' for k, v in self._settings().items())})"

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON types, those at their defaults left out."""
        settings = self._settings()
        if self.beads is not None:
            settings["beads"] = [_as_dict(bead) for bead in self.beads]
        for way in ("residues", "molecules"):
            templates = getattr(self, way)
            if templates is not None:
                settings[way] = {k: [_as_dict(b) for b in v] for k, v in templates.items()}
        for kind in ("bonds", "angles", "dihedrals"):
            terms = getattr(self, kind)
            if isinstance(terms, dict):
                settings[kind] = {k: [list(term) for term in v] for k, v in terms.items()}
            elif terms is not None:
                settings[kind] = [list(term) for term in terms]
        return {"map": "Beads", **settings}

    @classmethod
    def _from_dict(cls, settings: dict[str, Any]) -> Beads:
        for key in settings:
            if key not in SETTINGS:
                raise unknown("setting of Beads", key, SETTINGS)
        return cls(**settings)

    @classmethod
    def read(cls, path: str | PathLike[str] | Sequence[str | PathLike[str]]) -> Beads:
        """A mapping from a TOML or JSON file, or from mapping files of VOTCA (XML).

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

        A file of VOTCA (``<cg_molecule>``) describes one kind of molecule; several are given as a
        list. Its bead types become the names of the beads, its weights and bonded terms are taken
        as they are, and its forces, too: Σ (d/c) f over the atoms of weight above 0, with d the
        weights where there is no ``<d>`` (see the page about maps).

        Raises
        ------
        RegrainError
            No such file, another format, a key that is not known, settings that are wrong.
        """
        if not isinstance(path, str | PathLike):
            return cls(**votca.read(path))
        if Path(path).suffix.lower() == ".xml":
            return cls(**votca.read([path]))
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
            if key not in _BEAD:
                raise unknown("key of a bead", key, _BEAD)
        numbers = {key: given.get(key) for key in ("weights", "force_shares")}
        bead = Bead(given.get("name", ""), atoms=given.get("atoms", ()), **numbers)
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


def _templates(way: str, given: Mapping[str, Sequence[Template]]) -> dict[str, tuple[Bead, ...]]:
    for name, beads in given.items():
        if isinstance(beads, str | Bead | Mapping) or not beads:
            raise RegrainError(
                f"{way}: {name!r} has {beads!r}, expected a list of beads, at least one"
            )
    return {name: tuple(_bead(bead, str) for bead in beads) for name, beads in given.items()}


def _terms(
    kind: str, given: GivenTerms, templates: dict[str, tuple[Bead, ...]] | None, width: int
) -> tuple[tuple[int, ...], ...] | dict[str, tuple[tuple[int, ...], ...]] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return _checked_terms(kind, given, None, width)
    if templates is None:
        raise RegrainError(
            f"{kind} by residue name go with residues; give {_GROUPS[width]} of bead indices"
        )
    for name in given:
        if name not in templates:
            raise unknown(f"residue of {kind}", name, templates)
    return {
        name: _checked_terms(f"{kind} of {name}", terms, len(templates[name]), width)
        for name, terms in given.items()
    }


_GROUPS = {2: "pairs", 3: "triples", 4: "fours"}
_COUNTS = {2: "a pair of two beads", 3: "three beads", 4: "four beads"}


def _checked_terms(
    what: str, terms: Terms, size: int | None, width: int
) -> tuple[tuple[int, ...], ...]:
    for term in terms:
        good = isinstance(term, Sequence) and len(term) == width and len(set(term)) == width
        if not good or not all(isinstance(k, int) and k >= 0 for k in term):
            raise RegrainError(f"{what}: got {term!r}, expected {_COUNTS[width]} by index")
        if size is not None and max(term) >= size:
            raise RegrainError(
                f"{what}: got {tuple(term)}, but the template has {size} beads, counted from 0"
            )
    return tuple(tuple(int(k) for k in term) for term in terms)


def _as_dict(bead: Bead) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": bead.name, "atoms": list(bead.atoms)}
    for key in ("weights", "force_shares"):
        numbers = getattr(bead, key)
        fields |= {} if numbers is None else {key: list(numbers)}
    return fields
