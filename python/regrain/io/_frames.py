"""A trajectory file as a sequence of particle states, whatever wrote the file."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain.errors import RegrainError
from regrain.particles import Particles, Topology
from regrain.particles.state import box_vectors

__all__ = [
    "Bytes",
    "FileError",
    "Frame",
    "FrameFile",
    "Frames",
    "broken",
    "lower_triangular",
    "part_of",
    "usable",
    "with_values",
]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class FileError(RegrainError):
    """A file is not there, cannot be read, or does not hold what was asked for."""


@dataclass(frozen=True)
class Frame:
    """The arrays of one frame as they stand in the file, in the units of the state.

    ``doubtful`` names arrays whose unit the file does not tell; ``remedy`` says what to do then.
    """

    positions: NDArray[Any]
    box: NDArray[Any] | None
    velocities: NDArray[Any] | None = None
    forces: NDArray[Any] | None = None
    images: NDArray[Any] | None = None
    doubtful: tuple[str, ...] = ()
    remedy: str = (
        'give units="md" if they are Å, ps and kJ/mol, units="reduced" to take every number as it '
        "is"
    )


class Bytes:
    """Any part of a file, from any thread; pickled, it opens the file again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def read(self, at: int, size: int) -> bytes:
        """The bytes from ``at`` on; fewer at the end of the file."""
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self._path, os.O_RDONLY)
            except OSError as error:
                raise FileError(f"{self._path}: {error.strerror}") from error
            weakref.finalize(self, os.close, self._descriptor)
        return os.pread(self._descriptor, size, at)

    def __getstate__(self) -> dict[str, Any]:
        return {"_path": self._path, "_descriptor": None}


class FrameFile(Protocol):
    """What a reader of a format offers; it can be pickled and then opens its file again."""

    @property
    def name(self) -> str:
        """The file, for messages."""
        ...

    @property
    def units(self) -> str:
        """Unit tag of the numbers that ``read`` gives."""
        ...

    @property
    def times(self) -> Floats:
        """Time of every whole frame."""
        ...

    @property
    def damage(self) -> FileError | None:
        """What is wrong with the frame behind the whole ones, if there is one."""
        ...

    @property
    def log(self) -> Mapping[str, NDArray[Any]]:
        """What the file says was measured on each frame."""
        ...

    def read(self, i: int) -> Frame:
        """Frame i; a FileError that names file and frame when it cannot be read."""
        ...


def broken(name: str, frame: int, why: str) -> FileError:
    """The error of a frame that cannot be read, and how to go on without it."""
    before = f"; frames=slice({frame}) reads the {frame} before it" if frame else ""
    return FileError(f"{name}, frame {frame}: {why}{before}")


@dataclass(frozen=True)
class Frames(Sequence[Particles]):
    """The states in a file, read when asked for, with one topology.

    Parameters
    ----------
    file : FrameFile
    topology : Topology
        Of the chosen atoms.
    chosen : array of int
        Which frames of the file.
    atoms : array of int or None
        Which particles of the file; all when None.
    box : (3, 3) array or None
        In place of what the file says.
    velocities, forces : bool or None
        Whether to read them; None takes them where they are, True insists on them.
    """

    file: FrameFile
    topology: Topology
    chosen: Indices
    atoms: Indices | None = None
    box: Floats | None = None
    velocities: bool | None = None
    forces: bool | None = None

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return replace(self, chosen=self.chosen[i])
        return self._state(int(self.chosen[i]))

    def __iter__(self) -> Iterator[Particles]:
        return map(self._state, self.chosen.tolist())

    def _state(self, frame: int) -> Particles:
        read = self.file.read(frame)
        where = f"{self.file.name}, frame {frame}"
        try:
            return Particles(
                self._of_atoms(read.positions),
                box=usable(read.box) if self.box is None else self.box,
                topology=self.topology,
                velocities=self._wanted("velocities", read, self.velocities),
                forces=self._wanted("forces", read, self.forces),
                images=self._of_atoms(read.images),
                units=self.file.units,
            )
        except RegrainError as error:
            raise FileError(f"{where}: {error}") from error

    def _of_atoms(self, array: NDArray[Any] | None) -> Any:
        return array if array is None or self.atoms is None else array[self.atoms]

    def _wanted(self, name: str, read: Frame, wanted: bool | None) -> Any:
        if wanted is False:
            return None
        if name in read.doubtful:
            raise RegrainError(
                f"holds {name}, but does not say in which units; {read.remedy}, or {name}=False"
            )
        array = getattr(read, name)
        if wanted and array is None:
            raise RegrainError(f"holds no {name}, which {name}=True asks for")
        return self._of_atoms(array)


def usable(box: ArrayLike | None) -> Floats:
    """The lattice vectors of a box that a file gave, which may have given none."""
    if box is None or not np.any(np.asarray(box)):
        raise RegrainError("no periodic box; give one as box=[a, b, c] or as lattice vectors")
    return box_vectors(box)


def lower_triangular(vectors: ArrayLike) -> tuple[Floats, Floats]:
    """Turn lattice vectors so that a is along x and b in the xy plane.

    Returns
    -------
    box : (3, 3) array
        Lower triangular, positive diagonal.
    rotation : (3, 3) array
        Turns every vector of the system: ``new = old @ rotation``. A proper rotation: a left-handed
        lattice is the same lattice with c reversed.

    Examples
    --------
    >>> box, rotation = lower_triangular([[0.0, 2.0, 0.0], [-3.0, 0.0, 0.0], [0.0, 0.0, 4.0]])
    >>> box.tolist()
    [[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 4.0]]
    """
    given = np.asarray(vectors, dtype=float)
    if not np.all(np.isfinite(given)) or np.linalg.det(given) == 0:
        raise RegrainError(f"box: got {given.tolist()}, expected three independent vectors")
    if np.linalg.det(given) < 0:
        given = given * [[1.0], [1.0], [-1.0]]
    q, r = np.linalg.qr(given.T)
    signs = np.sign(np.diag(r))
    return np.tril((signs[:, None] * r).T) + 0.0, q * signs


def part_of(topology: Topology, atoms: Indices) -> Topology:
    """The topology of some of the particles, with the bonded terms among them."""
    new = np.full(len(topology), -1, dtype=np.int32)
    new[atoms] = np.arange(len(atoms), dtype=np.int32)

    def among(terms: NDArray[np.int32]) -> NDArray[np.int32]:
        kept = new[terms]
        return kept[np.all(kept >= 0, axis=1)]

    per_particle = ("types", "masses", "charges", "names", "residues", "residue_names")
    fields: dict[str, Any] = {name: getattr(topology, name)[atoms] for name in per_particle}
    for name in ("bonds", "angles", "dihedrals"):
        fields[name] = among(getattr(topology, name))
    return Topology(**fields)


def with_values(
    topology: Topology, what: str, given: Mapping[str, float] | ArrayLike
) -> NDArray[np.float64]:
    """Masses or charges, changed where ``given`` names an atom or a type (a name goes first)."""
    if not isinstance(given, Mapping):
        return np.asarray(given, dtype=float)
    values = np.array(getattr(topology, what))
    names, types = topology.names, topology.types
    unknown = sorted(set(given) - set(names.tolist()) - set(types.tolist()))
    if unknown:
        raise RegrainError(
            f"{what} names {', '.join(unknown)}, but the atoms are {_some(names)} "
            f"of the types {_some(types)}"
        )
    for kind in (types, names):
        for name in set(given) & set(kind.tolist()):
            values[kind == name] = given[name]
    return values


def _some(names: NDArray[np.str_]) -> str:
    known = np.unique(names).tolist()
    return ", ".join(known[:8]) + (" ..." if len(known) > 8 else "")
