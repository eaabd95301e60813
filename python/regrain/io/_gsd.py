"""GSD, HOOMD schema: compact, with random access, read by OVITO, VMD, freud and MDAnalysis.

Read and written through the file layer of the gsd package, because only that tells what a file
really holds: the layer above it fills in zeros where there are no velocities.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError, need
from regrain.io._frames import FileError, Floats, Frame
from regrain.particles import Particles, Topology
from regrain.units import units as unit_system

__all__ = ["Gsd", "GsdWriter"]

# Where this package keeps, as JSON, what the schema has no place for.
EXTRA = "log/regrain"
FORCES = "log/particles/net_force"
TIME = "log/regrain/time"
NOT_LOGGED = (EXTRA, FORCES, TIME)
OPTIONAL = ("velocities", "forces")
TERMS = {"bonds": 2, "angles": 3, "dihedrals": 4}


def layer() -> Any:
    """The file layer of gsd, or an error that says how to get it."""
    return need("gsd.fl", extra="io", purpose="a GSD file")


def box_of(numbers: NDArray[Any]) -> Floats:
    """Lattice vectors as rows from the lengths and tilt factors of HOOMD.

    Examples
    --------
    >>> box_of([2.0, 4.0, 5.0, 0.5, 0.0, 0.2]).tolist()
    [[2.0, 0.0, 0.0], [2.0, 4.0, 0.0], [0.0, 1.0, 5.0]]
    """
    lx, ly, lz, xy, xz, yz = np.asarray(numbers, dtype=float)
    return np.array([[lx, 0.0, 0.0], [xy * ly, ly, 0.0], [xz * lz, yz * lz, lz]])


def numbers_of(box: Floats) -> NDArray[np.float32]:
    """Lengths and tilt factors of lattice vectors: the inverse of ``box_of``."""
    (lx, _, _), (bx, ly, _), (cx, cy, lz) = box
    return np.array([lx, ly, lz, bx / ly, cx / lz, cy / lz], dtype=np.float32)


class Gsd:
    """A GSD file by frame.

    Parameters
    ----------
    path : path-like
    units : str, optional
        In place of the tag of the file; "reduced" where there is none.

    Raises
    ------
    FileError
        Not a GSD file of the HOOMD schema, no frames, a number of particles that changes.
    """

    def __init__(self, path: Path, *, units: str | None) -> None:
        self.name = str(path)
        self.damage: FileError | None = None
        self._handle: Any = None
        file = self._file()
        if file.schema != "hoomd":
            raise FileError(f"{self.name}: is GSD, but of the schema {file.schema!r}, not hoomd")
        if file.nframes == 0:
            raise FileError(f"{self.name}: holds no frames")
        self.atoms = int(self._chunk(0, "particles/N", [0])[0])
        self._extra = self._read_extra()
        self.units = unit_system(units or self._extra.get("units", "reduced")).name
        self.times: Floats = self._series(TIME, "configuration/step")
        self.log: Mapping[str, NDArray[Any]] = self._read_log()

    def topology(self) -> Topology:
        """What the first frame says about the particles."""
        names = _strings(self._chunk(0, "particles/types", None), ["A"])
        n = self.atoms
        ids = self._chunk(0, "particles/typeid", np.zeros(n, dtype=int))
        fields: dict[str, Any] = {kind: self._chunk(0, f"{kind}/group", None) for kind in TERMS}
        for field in ("names", "residues", "residue_names"):
            fields[field] = self._extra.get(field)
        return Topology(
            np.asarray(names)[ids],
            masses=self._chunk(0, "particles/mass", np.ones(n)),
            charges=self._chunk(0, "particles/charge", np.zeros(n)),
            **fields,
        )

    def read(self, i: int) -> Frame:
        """Frame i."""
        n = int(self._chunk(i, "particles/N", [self.atoms])[0])
        if n != self.atoms:
            raise FileError(
                f"{self.name}, frame {i}: holds {n} particles, the first frame {self.atoms}; "
                "every frame needs the same"
            )
        box = self._chunk(i, "configuration/box", None)
        images = self._chunk(i, "particles/image", None)
        return Frame(
            positions=self._chunk(i, "particles/position", np.zeros((n, 3))),
            box=None if box is None else box_of(box),
            velocities=self._chunk(i, "particles/velocity", None),
            forces=self._chunk(i, FORCES, None),
            images=images if self._extra.get("images", True) else None,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None}

    def _file(self) -> Any:
        if self._handle is None:
            try:
                self._handle = layer().open(self.name, "r")
            except (RuntimeError, OSError) as error:
                raise FileError(f"{self.name}: cannot be read as GSD: {error}") from error
        return self._handle

    def _chunk(self, frame: int, name: str, default: Any) -> Any:
        """A chunk of a frame, else that of the first frame, else the default."""
        file = self._file()
        at = next((f for f in (frame, 0) if file.chunk_exists(frame=f, name=name)), None)
        if at is None:
            return default
        try:
            return file.read_chunk(frame=at, name=name)
        except (RuntimeError, OSError, KeyError) as error:
            raise FileError(f"{self.name}, frame {frame}: {name}: {error}") from error

    def _read_extra(self) -> dict[str, Any]:
        chunk = self._chunk(0, EXTRA, None)
        if chunk is None:
            return {}
        try:
            found: dict[str, Any] = json.loads(bytes(chunk))
        except ValueError as error:
            raise FileError(f"{self.name}, frame 0: {EXTRA} is damaged: {error}") from error
        return found

    def _series(self, *names: str) -> NDArray[Any]:
        """One number per frame from the first of these chunks that the file has."""
        file = self._file()
        name = next((n for n in names if file.chunk_exists(frame=0, name=n)), names[-1])
        return np.array(
            [float(self._chunk(i, name, [i])[0]) for i in range(file.nframes)], dtype=float
        )

    def _read_log(self) -> dict[str, NDArray[Any]]:
        """Logged quantities that every frame has in the same shape; per-particle ones stay out."""
        found = {}
        for name in self._file().find_matching_chunk_names("log/"):
            if name in NOT_LOGGED or name.startswith("log/particles/"):
                continue
            values = [self._chunk(i, name, None) for i in range(self._file().nframes)]
            shapes = {getattr(value, "shape", None) for value in values}
            if len(shapes) == 1 and None not in shapes and values[0].dtype.kind in "fiu":
                stacked = np.array(values)
                found[name.removeprefix("log/")] = (
                    stacked[:, 0] if stacked.shape[1:] == (1,) else stacked
                )
        return found


def _strings(chunk: Any, default: list[str]) -> list[str]:
    """Names from the rows of zero-padded bytes in which GSD keeps them."""
    if chunk is None:
        return default
    return [bytes(row).rstrip(b"\0").decode() for row in chunk.view(np.uint8)]


def _bytes(names: list[str]) -> NDArray[np.uint8]:
    words = [name.encode() + b"\0" for name in names]
    return np.frombuffer(
        b"".join(word.ljust(max(map(len, words)), b"\0") for word in words), np.uint8
    ).reshape(len(words), -1)


class GsdWriter:
    """Writes the states of one trace to a GSD file.

    Parameters
    ----------
    path : path-like
    topology : Topology
        Of every state.
    units : str
    """

    def __init__(self, path: Path, first: Particles) -> None:
        self._topology, self._units = first.topology, first.units
        self._images = first.images is not None
        self._file = layer().open(
            str(path), "w", application="regrain", schema="hoomd", schema_version=[1, 4]
        )
        self._frames = 0
        # What a frame does not hold is taken from the first one: a rule of GSD.
        self._held = {name for name in OPTIONAL if getattr(first, name) is not None}

    def write(self, state: Particles, *, time: float, log: Mapping[str, NDArray[Any]]) -> None:
        """Append a state; ``log`` holds what was measured on it."""
        missing = [name for name in sorted(self._held) if getattr(state, name) is None]
        if missing:
            raise RegrainError(
                f"frame {self._frames} of the trace has no {missing[0]}, but frame 0 has, which "
                "GSD cannot hold; save as .xyz, or leave them out"
            )
        chunks: dict[str, NDArray[Any]] = {}
        if self._frames == 0:
            chunks |= self._identity()
        chunks["configuration/step"] = np.array([self._frames], dtype=np.uint64)
        chunks["configuration/box"] = numbers_of(state.box)
        positions, images = _centred(state)
        chunks["particles/position"] = positions
        chunks["particles/image"] = images
        if state.velocities is not None:
            chunks["particles/velocity"] = state.velocities.astype(np.float32)
        if state.forces is not None:
            chunks[FORCES] = state.forces.astype(np.float32)
        chunks[TIME] = np.array([time])
        for name, value in log.items():
            chunks[f"log/{name}"] = np.atleast_1d(np.asarray(value, dtype=float))
        for name, chunk in chunks.items():
            self._file.write_chunk(name, np.ascontiguousarray(chunk))
        self._file.end_frame()
        self._frames += 1

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def _identity(self) -> dict[str, NDArray[Any]]:
        """The chunks of the first frame that hold for all."""
        topology = self._topology
        chunks: dict[str, NDArray[Any]] = {
            "particles/N": np.array([len(topology)], dtype=np.uint32),
            "particles/types": _bytes(list(topology.type_names)),
            "particles/typeid": topology.type_ids.astype(np.uint32),
            "particles/mass": topology.masses.astype(np.float32),
            "particles/charge": topology.charges.astype(np.float32),
            EXTRA: np.frombuffer(json.dumps(self._extra()).encode(), np.uint8),
        }
        for kind in TERMS:
            terms = getattr(topology, kind)
            if len(terms):
                names, ids = _term_types(topology, terms)
                chunks[f"{kind}/N"] = np.array([len(terms)], dtype=np.uint32)
                chunks[f"{kind}/types"] = _bytes(names)
                chunks[f"{kind}/typeid"] = ids
                chunks[f"{kind}/group"] = terms.astype(np.uint32)
        return chunks

    def _extra(self) -> dict[str, Any]:
        topology = self._topology
        found: dict[str, Any] = {"units": self._units, "images": self._images}
        if not np.array_equal(topology.names, topology.types):
            found["names"] = topology.names.tolist()
        if not np.array_equal(topology.residues, np.arange(len(topology))):
            found["residues"] = topology.residues.tolist()
        if not np.array_equal(topology.residue_names, topology.types):
            found["residue_names"] = topology.residue_names.tolist()
        return found


def _centred(state: Particles) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Positions in the cell around the origin, where HOOMD wants them, and their images."""
    unwrapped = state.unwrapped
    shifts = np.floor(np.linalg.solve(state.box.T, unwrapped.T).T + 0.5)
    return (unwrapped - shifts @ state.box).astype(np.float32), shifts.astype(np.int32)


def _term_types(
    topology: Topology, terms: NDArray[np.int32]
) -> tuple[list[str], NDArray[np.uint32]]:
    """Names like A-B for bonded terms from the types of their particles, the same both ways."""
    labels = []
    for term in topology.types[terms].tolist():
        labels.append("-".join(min(term, term[::-1])))
    names, ids = np.unique(labels, return_inverse=True)
    return names.tolist(), ids.astype(np.uint32)
