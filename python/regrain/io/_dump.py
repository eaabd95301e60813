"""Dumps of LAMMPS (``dump custom``, ``dump atom``): text, any columns, any order of atoms."""

from __future__ import annotations

import mmap
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain.errors import unknown
from regrain.io._frames import Bytes, FileError, Floats, Frame, broken, lower_triangular
from regrain.io._lammps_units import STYLES
from regrain.particles import Topology

__all__ = ["KNOWN", "Dump"]

MARK = b"ITEM: TIMESTEP"
TIME = re.compile(rb"ITEM: TIME\s*\n\s*(\S+)\s*\n\s*\Z")
HEADER = re.compile(
    rb"ITEM: TIMESTEP\s*\n\s*(?P<step>-?\d+)\s*\n"
    rb"ITEM: NUMBER OF ATOMS\s*\n\s*(?P<atoms>\d+)\s*\n"
    rb"ITEM: BOX BOUNDS(?P<kind>[^\n]*)\n(?P<box>[^\n]*\n[^\n]*\n[^\n]*)\n"
    rb"ITEM: ATOMS(?P<columns>[^\n]*)\n"
)
# No header is longer.
HEAD = 4096
# Columns that may hold words.
WORDS = ("element", "type", "typelabel")
# Whether a set of coordinates is in parts of the box, and whether it is wrapped into it.
PLACES = {
    ("xu", "yu", "zu"): (False, False),
    ("xsu", "ysu", "zsu"): (True, False),
    ("x", "y", "z"): (False, True),
    ("xs", "ys", "zs"): (True, True),
}


# What units may be said to be. "md" says that lengths are Å, and nothing of time and energy.
KNOWN = {**STYLES, "reduced": STYLES["lj"], "md": STYLES["real"]}


@dataclass(frozen=True)
class Block:
    """The head of a frame, and where its rows are in the file."""

    start: int
    end: int
    time: float
    atoms: int
    kind: str
    box: Floats
    columns: tuple[str, ...]


class Dump:
    """A LAMMPS dump by frame.

    Parameters
    ----------
    path : path-like
    units : str, optional
        ``"real"``, ``"metal"`` or ``"lj"``, in place of what the file says. Where nobody says,
        lengths are Å, and other numbers are not given out.

    Raises
    ------
    FileError
        Not a dump, or one whose number of atoms changes.
    """

    log: ClassVar[dict[str, NDArray[Any]]] = {}

    def __init__(self, path: Path, *, units: str | None) -> None:
        self.name = str(path)
        self.damage: FileError | None = None
        self._bytes = Bytes(path)
        self._blocks: list[Block] = []
        clock = self._index(path)
        if not self._blocks:
            raise self.damage or FileError(f"{self.name}: is not a text dump of LAMMPS")
        head = self._bytes.read(0, HEAD)
        told = re.match(rb"\s*ITEM: UNITS\s*\n\s*(\S+)", head)
        style = units or (told[1].decode() if told else "md")
        if style not in KNOWN:
            raise unknown(f"{self.name}: units", style, KNOWN)
        self.scale, self._sure = KNOWN[style], style != "md"
        self.units = self.scale.ours
        self.times: Floats = np.array([b.time for b in self._blocks])
        if clock and self._sure:
            self.times = self.times / self.scale.time
        self.atoms = self._blocks[0].atoms
        first = self._table(0)
        self._ids = np.sort(first["id"]) if "id" in first else None

    def topology(self) -> Topology:
        """What the columns of the first frame say about the particles."""
        table = self._sorted(0)
        kinds = table.get("typelabel", table.get("type", np.ones(self.atoms)))
        if kinds.dtype.kind != "U":
            kinds = kinds.astype(int).astype(str)
        molecules = table.get("mol")
        fields: dict[str, Any] = {
            "masses": table.get("mass", np.zeros(self.atoms)),
            "charges": table.get("q"),
            "names": table["element"].astype(str) if "element" in table else None,
            "residues": None if molecules is None else molecules.astype(np.int32),
        }
        return Topology(kinds, **fields)

    def read(self, i: int) -> Frame:
        """Frame i, its atoms in the order of their ids and its box at the origin."""
        table, scale = self._sorted(i), self.scale
        box, origin, rotation = self._box(i)
        positions, images = self._places(table, i, box, origin)
        vectors = {
            "velocities": _three(table, ("vx", "vy", "vz"), scale.velocity),
            "forces": _three(table, ("fx", "fy", "fz"), scale.force),
        }
        doubtful = tuple(k for k, v in vectors.items() if v is not None and not self._sure)
        if rotation is not None:
            positions = positions @ rotation
            vectors = {k: v if v is None else v @ rotation for k, v in vectors.items()}
            box = box @ rotation
        return Frame(
            positions=positions / scale.length,
            box=np.tril(box) / scale.length,
            images=images,
            doubtful=doubtful,
            remedy='give units="real", "metal" or "lj", as LAMMPS was told',
            **vectors,
        )

    # ------------------------------------------------------------------ the file

    def _index(self, path: Path) -> bool:
        """Find the whole frames; what stands behind them becomes the damage. Whether they have
        times, which are step numbers otherwise."""
        size = path.stat().st_size
        if size == 0:
            raise FileError(f"{self.name}: the file is empty")
        starts = []
        with (
            open(path, "rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            at = content.find(MARK)
            while at >= 0:
                starts.append(at)
                at = content.find(MARK, at + len(MARK))
        timed = []
        for i, (start, end) in enumerate(zip(starts, [*starts, size][1:], strict=True)):
            head = HEADER.match(self._bytes.read(start, HEAD))
            before = self._bytes.read(max(0, start - 64), min(64, start))
            time = TIME.search(before)
            timed.append(time is not None)
            block = None if head is None else self._block(head, start, end, time)
            if block is None or (end == size and not self._whole(block)):
                why = "the file ends in it" if end == size else "its header cannot be read"
                self.damage = broken(self.name, i, why)
                break
            if self._blocks and block.atoms != self._blocks[0].atoms:
                raise FileError(
                    f"{self.name}, frame {i}: holds {block.atoms} atoms, the frames before it "
                    f"{self._blocks[0].atoms}; every frame needs the same"
                )
            self._blocks.append(block)
        return bool(timed) and all(timed)

    def _block(self, head: re.Match[bytes], start: int, end: int, time: Any) -> Block | None:
        text = {k: v.decode("utf-8", "replace") for k, v in head.groupdict().items()}
        try:
            box = np.array([line.split() for line in text["box"].splitlines()], dtype=float)
            clock = float(text["step"] if time is None else time[1])
        except ValueError:
            return None
        kind = "tilted" if "xy" in text["kind"] else "plain"
        kind = "general" if "abc" in text["kind"] else kind
        if box.shape != (3, {"plain": 2, "tilted": 3, "general": 4}[kind]):
            return None
        columns = tuple(text["columns"].split())
        return Block(start + head.end(), end, clock, int(text["atoms"]), kind, box, columns)

    def _whole(self, block: Block) -> bool:
        """Whether a frame at the end of the file has all its rows."""
        rows = self._bytes.read(block.start, block.end - block.start)
        words = len(rows.split())
        return rows.endswith(b"\n") and words >= block.atoms * len(block.columns)

    # ------------------------------------------------------------------ a frame

    def _table(self, i: int) -> dict[str, NDArray[Any]]:
        """The columns of frame i by name, in the order of the file."""
        block = self._blocks[i]
        text = self._bytes.read(block.start, block.end - block.start).partition(b"ITEM:")[0]
        names = block.columns
        found: dict[str, NDArray[Any]] = {}
        words = text.split()
        if len(words) != block.atoms * len(names):
            raise FileError(
                f"{self.name}, frame {i}: {block.atoms} atoms of {len(names)} columns expected, "
                f"but there are {len(words)} words"
            )
        try:
            rows: NDArray[Any] = np.array(words, dtype=np.float64).reshape(block.atoms, len(names))
        except ValueError:
            rows = np.array(words).reshape(block.atoms, len(names))
        for k, name in enumerate(names):
            column = rows[:, k]
            text_too = name in WORDS and column.dtype.kind == "S"
            found[name] = np.char.decode(column) if text_too else self._numbers(column, i, name)
        return found

    def _numbers(self, words: Any, i: int, column: str) -> Floats:
        try:
            return np.asarray(words, dtype=np.float64)
        except ValueError as error:
            raise FileError(f"{self.name}, frame {i}: column {column}: {error}") from error

    def _sorted(self, i: int) -> dict[str, NDArray[Any]]:
        """The columns of frame i, its atoms in the order of their ids."""
        table = self._table(i)
        if self._ids is None:
            return table
        order = np.argsort(table.get("id", np.zeros(0)), kind="stable")
        if not np.array_equal(table.get("id", np.zeros(0))[order], self._ids):
            raise FileError(f"{self.name}, frame {i}: lists other atoms than the first frame")
        return {name: column[order] for name, column in table.items()}

    def _box(self, i: int) -> tuple[Floats, Floats, Floats | None]:
        """Lattice vectors, origin, and how to turn them so that they are lower triangular."""
        block = self._blocks[i]
        if block.kind == "general":
            vectors = block.box[:, :3]
            return vectors, block.box[:, 3], lower_triangular(vectors)[1]
        low, high = block.box[:, 0].copy(), block.box[:, 1].copy()
        xy, xz, yz = block.box[:, 2] if block.kind == "tilted" else np.zeros(3)
        # The bounds are those of the box around the tilted one.
        low[:2] -= min(0.0, xy, xz, xy + xz), min(0.0, yz)
        high[:2] -= max(0.0, xy, xz, xy + xz), max(0.0, yz)
        box = np.diag(high - low)
        box[1, 0], box[2, 0], box[2, 1] = xy, xz, yz
        return box, low, None

    def _places(
        self, table: dict[str, NDArray[Any]], i: int, box: Floats, origin: Floats
    ) -> tuple[Floats, NDArray[np.int32] | None]:
        """Positions from the origin of the box; wrapped into it where it is known how often."""
        names = next((names for names in PLACES if all(name in table for name in names)), None)
        if names is None:
            raise FileError(f"{self.name}, frame {i}: no columns x y z, xu yu zu, xs ys zs or xsu")
        scaled, wrapped = PLACES[names]
        places = _three(table, names)
        positions = places @ box if scaled else places - origin
        images = _three(table, ("ix", "iy", "iz"))
        if wrapped and images is None:
            return positions, None
        crossed = np.floor(positions @ np.linalg.inv(box))
        positions = positions - crossed @ box
        if wrapped and images is not None:
            crossed += images
        return positions, crossed.astype(np.int32)


def _three(
    table: Mapping[str, NDArray[Any]], names: tuple[str, str, str], unit: float = 1.0
) -> Any:
    """Three columns as vectors in parts of a unit, if they are there."""
    if any(name not in table for name in names):
        return None
    vectors = np.column_stack([table[name] for name in names])
    return vectors / unit
