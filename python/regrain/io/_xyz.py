"""Extended XYZ: text that people read and every viewer opens.

A frame is the number of atoms, a line of ``key=value`` pairs, and a line per atom whose columns the
key ``Properties`` names (a plain XYZ file has the defaults: a symbol and a position). Files in "md"
units hold Å, Å/ps and kJ/(mol Å), so that viewers show the right lengths; a key ``units`` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, TextIO

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.io import _mdanalysis as mdanalysis
from regrain.io._frames import Bytes, FileError, Floats, Frame, broken, lower_triangular
from regrain.particles import Particles, Topology
from regrain.units import units as unit_system

__all__ = ["Xyz", "write_xyz"]

# Length and force of the file in each unit system; velocities go with the length.
LENGTH = {"md": 0.1, "reduced": 1.0}
PLAIN = "species:S:1:pos:R:3"
KINDS = {"S": np.str_, "R": np.float64, "I": np.int32}
KEY = re.compile(r'([^\s="]+)\s*=\s*("[^"]*"|\'[^\']*\'|\S+)')


@dataclass(frozen=True)
class Block:
    """Where a frame is in the file, and what its comment line says."""

    start: int
    end: int
    keys: Mapping[str, str]

    @property
    def columns(self) -> list[tuple[str, Any, int, int]]:
        """Name, dtype, first column and number of columns of each property."""
        words = self.keys.get("properties", PLAIN).split(":")
        found, at = [], 0
        for name, kind, count in zip(words[::3], words[1::3], words[2::3], strict=True):
            found.append((name.lower(), KINDS.get(kind, np.str_), at, int(count)))
            at += int(count)
        return found


class Xyz:
    """An XYZ file by frame.

    Parameters
    ----------
    path : path-like
    units : str, optional
        In place of the tag of the file; "md" where there is none.

    Raises
    ------
    FileError
        Not an XYZ file, or one whose number of atoms changes.
    """

    log: ClassVar[dict[str, NDArray[Any]]] = {}

    def __init__(self, path: Path, *, units: str | None) -> None:
        self.name = str(path)
        self.damage: FileError | None = None
        self._bytes = Bytes(path)
        self.atoms = 0
        with open(path, "rb") as file:
            self._blocks = list(self._scan(file))
        if not self._blocks:
            raise self.damage or FileError(f"{self.name}: the file is empty")
        keys = self._blocks[0].keys
        self._sure = units is not None or "units" in keys
        self.units = unit_system(units or keys.get("units", "md")).name
        self.times: Floats = np.array(
            [float(block.keys.get("time", i)) for i, block in enumerate(self._blocks)]
        )
        first = self._table(0)
        self._species = first["species"]

    def topology(self) -> Topology:
        """What the columns of the first frame say about the particles."""
        table = self._table(0)
        masses = table.get("mass", table.get("masses"))
        if masses is None and self.units == "md":
            masses = mdanalysis.guessed_masses(self._species)
        fields: dict[str, Any] = {
            "masses": masses,
            "charges": table.get("charge", table.get("charges")),
            "names": table.get("name"),
            "residues": table.get("residue"),
            "residue_names": table.get("resname"),
        }
        return Topology(self._species, **fields)

    def read(self, i: int) -> Frame:
        """Frame i, turned so that its box is lower triangular."""
        table = self._table(i)
        if not np.array_equal(table["species"], self._species):
            raise FileError(f"{self.name}, frame {i}: lists other atoms than the first frame")
        scale = LENGTH[self.units]
        vectors: dict[str, Any] = {
            "positions": table["pos"] * scale,
            "velocities": _first(table, ("velo", "velocities"), scale),
            "forces": _first(table, ("forces", "force"), 1.0 / scale),
        }
        box, images = None, table.get("image")
        lattice = self._blocks[i].keys.get("lattice")
        if lattice is not None:
            box, rotation = self._lattice(lattice, i)
            box = box * scale
            if not np.array_equal(rotation, np.eye(3)):
                vectors = {k: v if v is None else v @ rotation for k, v in vectors.items()}
        untold = () if self._sure else ("velocities", "forces")
        doubtful = tuple(name for name in untold if vectors[name] is not None)
        return Frame(box=box, images=images, doubtful=doubtful, **vectors)

    def _lattice(self, text: str, i: int) -> tuple[Floats, Floats]:
        try:
            vectors = np.array(text.split(), dtype=float).reshape(3, 3)
            return lower_triangular(vectors)
        except ValueError as error:
            raise FileError(
                f'{self.name}, frame {i}: Lattice="{text}" is not three lattice vectors: {error}'
            ) from error

    def _table(self, i: int) -> dict[str, NDArray[Any]]:
        """The columns of frame i by name."""
        block = self._blocks[i]
        words = np.array(self._bytes.read(block.start, block.end - block.start).split())
        columns = block.columns
        width = columns[-1][2] + columns[-1][3]
        # A plain file may have more columns than anybody names.
        if "properties" not in block.keys and len(words) % self.atoms == 0:
            width = max(width, len(words) // self.atoms)
        if len(words) != width * self.atoms:
            raise FileError(
                f"{self.name}, frame {i}: {self.atoms} atoms of {width} columns expected, but "
                f"there are {len(words)} words"
            )
        rows = words.reshape(self.atoms, width)
        found = {}
        for name, kind, at, count in columns:
            part = rows[:, at] if count == 1 else rows[:, at : at + count]
            try:
                found[name] = np.char.decode(part) if kind is np.str_ else part.astype(kind)
            except ValueError as error:
                raise FileError(f"{self.name}, frame {i}: column {name}: {error}") from error
        if "species" not in found or found.get("pos", np.empty(0)).shape != (self.atoms, 3):
            raise FileError(f"{self.name}, frame {i}: no columns species:S:1 and pos:R:3")
        return found

    def _scan(self, file: BinaryIO) -> Iterator[Block]:
        """The whole frames; what stands behind them becomes the damage."""
        frame = 0
        while line := file.readline():
            if not line.strip():
                continue
            if not line.strip().isdigit():
                where = broken(self.name, frame, f"expected a number of atoms, got {line[:40]!r}")
                self.damage = where
                return
            atoms = int(line)
            if frame and atoms != self.atoms:
                raise FileError(
                    f"{self.name}, frame {frame}: holds {atoms} atoms, the frames before it "
                    f"{self.atoms}; every frame needs the same"
                )
            self.atoms = atoms
            keys = _keys(file.readline().decode("utf-8", "replace"))
            start = file.tell()
            rows = [file.readline() for _ in range(atoms)]
            last = rows[-1] if rows else b""
            # Programs end every line; only a single frame may be the work of an editor.
            short = len(last.split()) < len(rows[0].split())
            if not last.endswith(b"\n") and (frame or short or not last):
                self.damage = broken(self.name, frame, "the file ends in it")
                return
            yield Block(start, file.tell(), keys)
            frame += 1


def _first(table: Mapping[str, NDArray[Any]], names: tuple[str, ...], scale: float) -> Any:
    """The first of these columns that there is, scaled."""
    return next((table[name] * scale for name in names if name in table), None)


def _keys(comment: str) -> dict[str, str]:
    """The key=value pairs of a comment line; keys in lower case."""
    return {key.lower(): value.strip("\"'") for key, value in KEY.findall(comment)}


def write_xyz(file: TextIO, state: Particles, *, time: float) -> None:
    """Append one state to a text file as a frame of extended XYZ."""
    scale = LENGTH[state.units]
    topology = state.topology
    columns: dict[str, tuple[str, NDArray[Any] | None]] = {
        "species:S": ("types", topology.types),
        "pos:R": ("positions", state.positions / scale),
        "velo:R": ("velocities", None if state.velocities is None else state.velocities / scale),
        "forces:R": ("forces", None if state.forces is None else state.forces * scale),
        "image:I": ("images", state.images),
        "mass:R": ("masses", topology.masses),
        "charge:R": ("charges", topology.charges if np.any(topology.charges) else None),
        **_identity_columns(topology),
    }
    present = {name: array for name, (_, array) in columns.items() if array is not None}
    for name, array in present.items():
        if array.dtype.kind == "U" and any(not word or word.split() != [word] for word in array):
            raise RegrainError(
                f"{name.split(':')[0]}: XYZ separates its columns by blanks, so no type or name "
                "may be empty or hold one; save as .gsd or rename"
            )
    properties = ":".join(
        f"{name}:{1 if array.ndim == 1 else array.shape[1]}" for name, array in present.items()
    )
    lattice = " ".join(map(repr, (state.box / scale).ravel().tolist()))
    file.write(
        f'{len(state)}\nLattice="{lattice}" Properties={properties} pbc="T T T" '
        f"Time={time!r} units={state.units}\n"
    )
    cells = [array.reshape(len(state), -1).tolist() for array in present.values()]
    for row in zip(*cells, strict=True):
        file.write(" ".join(str(cell) for part in row for cell in part) + "\n")


def _identity_columns(topology: Topology) -> dict[str, tuple[str, NDArray[Any] | None]]:
    """Names and residues, where they say more than the types."""
    each_its_own = np.array_equal(topology.residues, np.arange(len(topology)))
    named = not np.array_equal(topology.names, topology.types)
    other = not np.array_equal(topology.residue_names, topology.types)
    return {
        "name:S": ("names", topology.names if named else None),
        "residue:I": ("residues", None if each_its_own else topology.residues),
        "resname:S": ("residue names", topology.residue_names if other else None),
    }
