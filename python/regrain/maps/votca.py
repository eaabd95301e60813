"""Mapping files of VOTCA: XML, one kind of molecule each."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from regrain.errors import RegrainError, unknown
from regrain.maps.members import Bead

__all__ = ["read"]

# What VOTCA calls bonded terms, and the beads of each.
TERMS = {"bond": 2, "angle": 3, "dihedral": 4}


def read(paths: Sequence[str | PathLike[str]]) -> dict[str, Any]:
    """The settings of ``Beads`` that mapping files say.

    Molecules that are one residue become templates of ``residues``, others of ``molecules``.

    Raises
    ------
    RegrainError
        A file that is not there or no mapping of VOTCA; beads, atoms or maps that do not fit
        together; molecules of one and of several residues in one mapping.

    Examples
    --------
    >>> from pathlib import Path
    >>> from regrain.maps.votca import read
    >>> _ = Path("water.xml").write_text(
    ...     "<cg_molecule><name>SOL</name><ident>SOL</ident><topology><cg_beads><cg_bead>"
    ...     "<name>W1</name><type>W</type><mapping>M</mapping>"
    ...     "<beads>1:SOL:OW 1:SOL:HW1 1:SOL:HW2</beads></cg_bead></cg_beads></topology>"
    ...     "<maps><map><name>M</name><weights>16 1 1</weights></map></maps></cg_molecule>"
    ... )
    >>> read(["water.xml"])["residues"]["SOL"]
    [Bead(name='W', atoms=('OW', 'HW1', 'HW2'), weights=(16.0, 1.0, 1.0))]
    """
    found = [_Molecule(Path(path)) for path in paths]
    if len({molecule.residue is None for molecule in found}) > 1:
        raise RegrainError(
            "some molecules of the mapping are one residue, others several; map them one after the "
            "other, or split the residues"
        )
    way = "molecules" if found[0].residue is None else "residues"
    settings: dict[str, Any] = {way: {}, "bonds": {}, "angles": {}, "dihedrals": {}}
    for molecule in found:
        name = molecule.residue or molecule.name
        if name in settings[way]:
            raise RegrainError(f"{molecule.path}: there is a mapping of {name!r} already; give one")
        settings[way][name] = molecule.beads
        for kind, width in TERMS.items():
            settings[f"{kind}s"][name] = molecule.terms(kind, width)
    return settings


class _Molecule:
    """One ``<cg_molecule>``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            root = Xml.parse(path).getroot()
        except OSError as error:
            raise RegrainError(
                f"cannot read {path}: {error.strerror}; give a mapping file"
            ) from error
        except Xml.ParseError as error:
            raise RegrainError(f"{path} is not XML: {error}") from error
        if root.tag != "cg_molecule":
            raise RegrainError(
                f"{path}: is <{root.tag}>, expected <cg_molecule>, a mapping of VOTCA"
            )
        self.root = root
        self.name = self._text(root, "name")
        elements = root.findall("topology/cg_beads/cg_bead")
        if not elements:
            raise RegrainError(f"{path}: there is no <cg_bead> in <topology><cg_beads>")
        maps = {self._text(m, "name"): m for m in root.findall("maps/map")}
        atoms = [self._atoms(element) for element in elements]
        residues = {(number, residue) for row in atoms for number, residue, _ in row}
        alone = len(residues) == 1 and next(iter(residues))[0] == "1"
        self.residue = next(iter(residues))[1] if alone else None
        self.names = [self._text(element, "name") for element in elements]
        if len(set(self.names)) < len(self.names):
            raise RegrainError(f"{path}: two beads have the same name; names must differ")
        self.beads = [
            self._bead(element, [row[-1] if alone else ":".join(row) for row in rows], maps)
            for element, rows in zip(elements, atoms, strict=True)
        ]

    def terms(self, kind: str, width: int) -> list[tuple[int, ...]]:
        """Bonded terms of a kind by the places of their beads."""
        found: list[tuple[int, ...]] = []
        for element in self.root.findall(f"topology/cg_bonded/{kind}"):
            beads = self._text(element, "beads").split()
            if len(beads) % width:
                raise RegrainError(
                    f"{self.path}: <{kind}> lists {len(beads)} beads, expected {width} for each"
                )
            for name in beads:
                if name not in self.names:
                    raise unknown(f"{self.path}: bead of a <{kind}>", name, self.names)
            places = [self.names.index(name) for name in beads]
            found += [tuple(places[k : k + width]) for k in range(0, len(places), width)]
        return found

    def _bead(self, element: Xml.Element, atoms: list[str], maps: dict[str, Xml.Element]) -> Bead:
        mapping = self._text(element, "mapping")
        if mapping not in maps:
            raise unknown(f"{self.path}: map of a bead", mapping, maps)
        weights = self._numbers(maps[mapping], "weights")
        shares = self._numbers(maps[mapping], "d")
        if weights is None:
            raise RegrainError(f"{self.path}: the map {mapping!r} has no <weights>")
        if shares is None and 0.0 in weights:
            shares = weights  # atoms that do not move the bead give it no force
        kind = element.findtext("type", "").strip() or self._text(element, "name")
        try:
            return Bead(kind, atoms=tuple(atoms), weights=weights, force_shares=shares)
        except RegrainError as error:
            raise RegrainError(f"{self.path}: map {mapping!r}: {error}") from error

    def _atoms(self, element: Xml.Element) -> list[tuple[str, ...]]:
        rows = [tuple(word.split(":")) for word in self._text(element, "beads").split()]
        for row in rows:
            if len(row) != 3 or not row[0].isdigit():
                raise RegrainError(
                    f"{self.path}: got the atom {':'.join(row)!r}, expected residue number, "
                    "residue name and atom name, such as 1:SOL:OW"
                )
        return rows

    def _numbers(self, element: Xml.Element, tag: str) -> tuple[float, ...] | None:
        text = element.findtext(tag)
        if text is None or not text.strip():
            return None
        try:
            return tuple(float(word) for word in text.split())
        except ValueError as error:
            raise RegrainError(f"{self.path}: <{tag}>: {error}") from error

    def _text(self, element: Xml.Element, tag: str) -> str:
        text = element.findtext(tag, "").strip()
        if not text:
            raise RegrainError(f"{self.path}: <{element.tag}> has no <{tag}>")
        return text
