"""GROMACS trajectories: TRR is read here, because it is the format with forces and so worth speed;
of XTC only the frame headers, which tell times and damage without decompressing anything.

Both are XDR (big-endian) streams. A TRR frame is a header with the size of each array in bytes and
then the arrays; an XTC frame is a fixed header and a counted run of compressed coordinates
(GROMACS reference manual, file formats).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain.io._frames import Bytes, FileError, Floats, Frame, broken

__all__ = ["Trr", "scan_xtc"]

TRR_MAGIC = 1993
TRR_HEAD = struct.Struct(">iii12s13i")
# Sizes in bytes of what follows a header, in this order; then come atoms, step, nre.
ARRAYS = ("ir", "e", "box", "vir", "pres", "top", "sym", "x", "v", "f")

XTC_MAGIC, XTC_BIG_MAGIC = 1995, 2023
XTC_HEAD = struct.Struct(">iiif")
XTC_BOX = 9 * 4
# Up to this many atoms are not compressed.
XTC_PLAIN = 9


class Trr:
    """A TRR file by frame: single and double precision, any of its arrays absent.

    Parameters
    ----------
    path : path-like
    atoms : int
        How many there should be.
    units : str
        The tag of the states; no number is changed either way.

    Raises
    ------
    FileError
        Not a TRR file, or one of another number of atoms.
    """

    log: ClassVar[dict[str, NDArray[Any]]] = {}

    def __init__(self, path: Path, *, atoms: int, units: str) -> None:
        self.name, self.units = str(path), units
        self.damage: FileError | None = None
        self._bytes = Bytes(path)
        heads = self._scan(path.stat().st_size, atoms)
        if not heads and self.damage is None:
            raise FileError(f"{self.name}: the file is empty")
        self.times: Floats = np.array([time for time, _, _ in heads], dtype=float)
        self._bodies = np.array([at for _, at, _ in heads], dtype=np.int64)
        self._sizes = np.array([sizes for _, _, sizes in heads], dtype=np.int64).reshape(-1, 10)
        self._atoms = atoms

    def read(self, i: int) -> Frame:
        """Frame i, in nm, ps and kJ/(mol nm)."""
        arrays = self._arrays(i)
        if "x" not in arrays:
            raise FileError(
                f"{self.name}, frame {i}: holds no positions; choose those that do with frames="
            )
        return Frame(
            positions=arrays["x"],
            box=arrays.get("box"),
            velocities=arrays.get("v"),
            forces=arrays.get("f"),
        )

    def span(self, i: int) -> slice:
        """The bytes of frame i in the file."""
        ends = self._bodies + self._sizes.sum(axis=1)
        return slice(int(ends[i - 1]) if i else 0, int(ends[i]))

    def _arrays(self, i: int) -> dict[str, NDArray[Any]]:
        sizes = dict(zip(ARRAYS, self._sizes[i].tolist(), strict=True))
        body = self._bytes.read(int(self._bodies[i]), sum(sizes.values()))
        if len(body) < sum(sizes.values()):
            raise broken(self.name, i, "the file has become shorter since it was opened")
        found, at = {}, 0
        for name, size in sizes.items():
            values = {"box": 9, "x": 3 * self._atoms, "v": 3 * self._atoms, "f": 3 * self._atoms}
            if size and name in values:
                real = ">f8" if size == 8 * values[name] else ">f4"
                array = np.frombuffer(body, real, values[name], at)
                found[name] = array.astype(np.float64).reshape(-1, 3)
            at += size
        return found

    def _scan(self, end: int, atoms: int) -> list[tuple[float, int, tuple[int, ...]]]:
        """Time, start of the arrays and their sizes of every whole frame."""
        heads: list[tuple[float, int, tuple[int, ...]]] = []
        at = 0
        while at < end:
            frame = len(heads)
            # The longest header: with time and lambda in double precision.
            data = self._bytes.read(at, TRR_HEAD.size + 16)
            head = TRR_HEAD.unpack_from(data) if len(data) >= TRR_HEAD.size else None
            if head is not None and (head[0] != TRR_MAGIC or head[3] != b"GMX_trn_file"):
                if not frame:
                    raise FileError(f"{self.name}: is not a TRR file")
                self.damage = broken(self.name, frame, f"no frame begins at byte {at}")
                break
            sizes = head[4:14] if head is not None else ()
            if head is not None and head[14] != atoms:
                raise FileError(
                    f"{self.name}, frame {frame}: holds {head[14]} atoms, the topology {atoms}; "
                    "give the topology of this trajectory"
                )
            wide = head is not None and _is_double(sizes, atoms)
            body = at + TRR_HEAD.size + (16 if wide else 8)
            after = body + sum(sizes)
            if head is None or after > end:
                self.damage = broken(self.name, frame, f"the file ends in it, at byte {end}")
                break
            time = struct.unpack_from(">d" if wide else ">f", data, TRR_HEAD.size)[0]
            heads.append((time, body, sizes))
            at = after
        return heads


def _is_double(sizes: tuple[int, ...], atoms: int) -> bool:
    """Whether a TRR frame is in double precision, which only the sizes of its arrays tell."""
    by_name = dict(zip(ARRAYS, sizes, strict=True))
    if by_name["box"]:
        return by_name["box"] == 9 * 8
    return any(by_name[name] == 3 * atoms * 8 for name in ("x", "v", "f"))


def scan_xtc(path: Path, *, most: int | None = None) -> tuple[Floats, FileError | None]:
    """The time of every whole frame of an XTC file, and what is wrong with the one behind them.

    ``most`` ends the scan after so many frames.
    """
    times: list[float] = []
    end, at = path.stat().st_size, 0
    with open(path, "rb") as file:
        while at < end and len(times) != most:
            file.seek(at)
            # Up to the byte count of the compressed coordinates, 64 bits wide in big files.
            data = file.read(XTC_HEAD.size + XTC_BOX + 4 + 4 + 3 * 4 + 3 * 4 + 4 + 8)
            magic, atoms, _, time = (
                XTC_HEAD.unpack_from(data) if len(data) >= XTC_HEAD.size else (None, 0, 0, 0.0)
            )
            if magic is not None and magic not in (XTC_MAGIC, XTC_BIG_MAGIC):
                if not times:
                    raise FileError(f"{path}: is not an XTC file")
                return np.array(times), broken(
                    str(path), len(times), f"no frame begins at byte {at}"
                )
            after = _xtc_end(at, atoms, data, big=magic == XTC_BIG_MAGIC)
            if magic is None or after is None or after > end:
                return np.array(times), broken(
                    str(path), len(times), f"the file ends in it, at byte {end}"
                )
            times.append(time)
            at = after
    if not times:
        raise FileError(f"{path}: the file is empty")
    return np.array(times), None


def _xtc_end(at: int, atoms: int, data: bytes, *, big: bool) -> int | None:
    """Where the XTC frame that begins at ``at`` ends; None when its header is cut."""
    plain = XTC_HEAD.size + XTC_BOX + 4
    if atoms <= XTC_PLAIN:
        return at + plain + 12 * atoms
    count = plain + 4 + 12 + 12 + 4
    width = 8 if big else 4
    if len(data) < count + width:
        return None
    size = int.from_bytes(data[count : count + width], "big")
    return at + count + width + (size + 3) // 4 * 4
