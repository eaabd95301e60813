"""Data files of LAMMPS, as far as they say what particles are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.io._frames import FileError
from regrain.particles import Topology

__all__ = ["is_data", "read_topology"]

# Every data file says how many atoms there are, and how wide the box is, near its beginning.
BEGINNING = 1 << 16
COUNT = re.compile(rb"^\s*\d+\s+atoms\s*(#.*)?$", re.MULTILINE)
WIDTH = re.compile(rb"\bxlo\s+xhi\b")
SECTION = re.compile(r"^([A-Z][A-Za-z ]*?)\s*(?:#\s*(.*?)\s*)?$")
# The columns of the atom styles that have no more than these; positions and images follow.
STYLES = {
    "atomic": ("id", "type"),
    "charge": ("id", "type", "q"),
    "bond": ("id", "mol", "type"),
    "angle": ("id", "mol", "type"),
    "molecular": ("id", "mol", "type"),
    "full": ("id", "mol", "type", "q"),
}
TERMS = {"Bonds": 2, "Angles": 3, "Dihedrals": 4}


def is_data(path: Path) -> bool:
    """Whether a file begins like a data file of LAMMPS."""
    with open(path, "rb") as file:
        head = file.read(BEGINNING)
    return COUNT.search(head) is not None and WIDTH.search(head) is not None


def read_topology(path: Path) -> Topology:
    """Types, masses, charges, molecules and bonded terms, in the order of the ids.

    Types are the numbers of the file; names are what stands behind the masses as comments, where
    every mass has one, or the labels of types.

    Raises
    ------
    FileError
        A section that cannot be read, an atom style that is not known.
    """
    sections = _sections(path)
    if "Atoms" not in sections:
        raise FileError(f"{path}: a data file of LAMMPS without the section Atoms")
    style, rows = sections["Atoms"]
    words = [row.split("#")[0].split() for row in rows]
    try:
        return _topology(path, sections, style, words)
    except (ValueError, IndexError, KeyError) as error:
        if isinstance(error, RegrainError):
            raise
        raise FileError(f"{path}: cannot be read as a data file of LAMMPS: {error}") from error


def _topology(
    path: Path,
    sections: dict[str, tuple[str, list[str]]],
    style: str,
    words: list[list[str]],
) -> Topology:
    columns = STYLES.get(style.split()[0] if style else _guess(words))
    if columns is None:
        raise FileError(
            f"{path}: the atom style {style!r} is none of {', '.join(STYLES)}; give the topology "
            "as a Topology, or let LAMMPS write the file in one of these styles"
        )
    ids = np.array([int(row[0]) for row in words])
    order = np.argsort(ids)
    place = {int(i): k for k, i in enumerate(ids[order].tolist())}

    def column(name: str) -> list[str]:
        at = columns.index(name)
        return [words[k][at] for k in order]

    kinds = column("type")
    masses, names = _masses(sections)
    fields: dict[str, Any] = {
        "masses": [masses.get(kind, 0.0) for kind in kinds],
        "names": [names.get(kind, kind) for kind in kinds],
        "charges": [float(q) for q in column("q")] if "q" in columns else None,
        "residues": [int(m) for m in column("mol")] if "mol" in columns else None,
    }
    for section, width in TERMS.items():
        rows = sections.get(section, ("", []))[1]
        terms = [[place[int(i)] for i in row.split()[2 : 2 + width]] for row in rows]
        fields[section.lower()] = np.array(terms, dtype=np.int32).reshape(-1, width)
    return Topology(kinds, **fields)


def _sections(path: Path) -> dict[str, tuple[str, list[str]]]:
    """The rows of each section by its name, with the comment behind the name."""
    found: dict[str, tuple[str, list[str]]] = {}
    rows: list[str] | None = None
    for line in path.read_text(errors="replace").splitlines()[1:]:
        text = line.strip()
        head = SECTION.match(text) if text else None
        if head is not None:
            rows = []
            found[head[1]] = (head[2] or "", rows)
        elif text and rows is not None:
            rows.append(text)
    return found


def _masses(sections: dict[str, tuple[str, list[str]]]) -> tuple[dict[str, float], dict[str, str]]:
    """Masses and names by type."""
    masses: dict[str, float] = {}
    names: dict[str, str] = {}
    for row in sections.get("Masses", ("", []))[1]:
        values, _, comment = row.partition("#")
        kind, mass = values.split()
        masses[kind] = float(mass)
        if comment.strip():
            names[kind] = comment.strip()
    for row in sections.get("Atom Type Labels", ("", []))[1]:
        kind, label = row.split()
        names[kind] = label
        if label in masses:
            masses[kind] = masses[label]
    return masses, names if len(names) >= len(masses) else {}


def _guess(words: list[list[str]]) -> str:
    """The style by the number of columns, without and with images."""
    width = len(words[0]) - (3 if len(words[0]) > 7 else 0)
    if width == 6:
        whole: NDArray[np.bool_] = np.array([row[2].isdigit() and row[2] != "0" for row in words])
        return "molecular" if whole.all() else "charge"
    return {5: "atomic", 7: "full"}.get(width, "unknown")
