"""What MDAnalysis reads: topologies of every format, trajectories of all but a few."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError, need
from regrain.io._frames import FileError, Floats, Frame, broken
from regrain.io._gromacs import scan_xtc
from regrain.particles import Particles, Topology

__all__ = [
    "Trajectory",
    "Writer",
    "choose",
    "guessed_masses",
    "open_topology",
    "open_trajectory",
    "package",
    "quiet",
    "topology_of",
    "universe_of",
]

# From what MDAnalysis converts every format to (Å, Å/ps, kJ/(mol Å)) to nm. Its readers do the
# first step, although that rounds in single precision, because they know best what a file holds.
TO_MD = {"length": 0.1, "velocity": 0.1, "force": 10.0}
# Extensions in use that MDAnalysis does not know.
FORMATS = {".lammpstrj": "LAMMPSDUMP", ".dump": "LAMMPSDUMP", ".lmp": "DATA"}


def package() -> Any:
    """MDAnalysis, or an error that says how to get it."""
    return need("MDAnalysis", extra="io", purpose="reading this file")


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings about guessed masses, missing boxes and offset files: what matters of
    them is checked here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_topology(path: Path, *, units: str) -> Any:
    """The Universe of a topology or structure file; its numbers as they are if "reduced"."""
    mda = package()
    try:
        with quiet():
            form = FORMATS.get(path.suffix.lower())
            return mda.Universe(
                str(path), topology_format=form, format=form, convert_units=units == "md"
            )
    except RegrainError:
        raise
    except Exception as error:  # Each parser of MDAnalysis fails in its own way.
        raise FileError(
            f"{path}: MDAnalysis cannot read this as a topology: {_reason(error)}"
        ) from error


def topology_of(atoms: Any, *, types: str) -> Topology:
    """The Topology of an AtomGroup, with the bonded terms that lie within it.

    Parameters
    ----------
    atoms : AtomGroup
    types : str
        Which attribute of the atoms becomes their type, such as ``"types"`` or ``"names"``.
    """
    names = _labels(atoms, "names") or ["X"] * len(atoms)
    kinds = _labels(atoms, types)
    if kinds is None and types == "types":
        kinds = names
    if kinds is None:
        raise RegrainError(
            f"types={types!r}: the atoms have no such attribute; they have "
            + ", ".join(a for a in ("names", "types", "elements", "resnames") if hasattr(atoms, a))
        )
    fields: dict[str, Any] = {
        "types": [kind or name for kind, name in zip(kinds, names, strict=True)],
        "masses": getattr(atoms, "masses", np.zeros(len(atoms))),
        "charges": getattr(atoms, "charges", None),
        "names": names,
        "residues": np.unique(atoms.resindices, return_inverse=True)[1],
        "residue_names": _labels(atoms, "resnames"),
    }
    for kind, width in (("bonds", 2), ("angles", 3), ("dihedrals", 4)):
        fields[kind] = _terms(atoms, kind, width)
    return Topology(**fields)


def universe_of(topology: Topology) -> Any:
    """A Universe that knows what a Topology knows; residues are counted from 1 as in files."""
    residues, of_atom = np.unique(topology.residues, return_inverse=True)
    first = np.unique(of_atom, return_index=True)[1]
    universe = package().Universe.empty(
        len(topology), n_residues=len(residues), atom_resindex=of_atom, trajectory=True
    )
    for attribute, values in (
        ("names", topology.names.astype(object)),
        ("types", topology.types.astype(object)),
        ("masses", topology.masses),
        ("charges", topology.charges),
        ("resids", residues + 1),
        ("resnames", topology.residue_names[first].astype(object)),
    ):
        universe.add_TopologyAttr(attribute, values)
    if len(topology.bonds):
        universe.add_TopologyAttr("bonds", topology.bonds)
    return universe


def guessed_masses(types: NDArray[np.str_]) -> Floats:
    """Masses that MDAnalysis knows for types that are elements; 0 for others."""
    universe = package().Universe.empty(len(types))
    universe.add_TopologyAttr("types", types.astype(object))
    with quiet():
        universe.guess_TopologyAttrs(to_guess=["masses"])
    return np.asarray(universe.atoms.masses, dtype=float)


def choose(atoms: Any, select: str, *, where: Frame | None = None, length: float = 1.0) -> Any:
    """The atoms of an AtomGroup that a selection string names, in frame ``where`` if it is given.

    Parameters
    ----------
    atoms : AtomGroup
        With ``where``, of all atoms.
    select : str
    where : Frame, optional
        Where all atoms of the Universe are, for geometric selections.
    length : float
        Å per length unit of the frame.
    """
    mda = package()
    if where is not None:
        # A copy, as the Universe may be the user's.
        universe = atoms.universe.copy()
        atoms = universe.atoms
        universe.load_new(where.positions * length, order="fac", convert_units=False)
        if where.box is not None and np.any(where.box):
            universe.dimensions = mda.lib.mdamath.triclinic_box(*(where.box * length))
    try:
        with quiet():
            found = atoms.select_atoms(select)
    except (mda.SelectionError, mda.NoDataError, AttributeError, ValueError) as error:
        raise FileError(
            f"select={select!r} is no selection that MDAnalysis understands here: {_reason(error)}"
        ) from error
    if len(found) == 0:
        names = ", ".join(sorted({str(name) for name in getattr(atoms, "resnames", ())})[:8])
        known = f"; their residues are {names}" if names else ""
        raise FileError(f"select={select!r} matches none of the {len(atoms)} atoms{known}")
    return found


def open_trajectory(path: Path, *, atoms: int, units: str) -> Any:
    """A reader of a trajectory file; its numbers as they are if "reduced"."""
    mda = package()
    _check_beginning(path)
    try:
        with quiet():
            reader = mda.coordinates.core.reader(
                str(path),
                format=FORMATS.get(path.suffix.lower()),
                n_atoms=atoms,
                convert_units=units == "md",
            )
    except Exception as error:  # Each reader of MDAnalysis fails in its own way.
        raise FileError(f"{path}: MDAnalysis cannot read this: {_reason(error)}") from error
    if reader.n_atoms != atoms:
        raise FileError(
            f"{path}, frame 0: holds {reader.n_atoms} atoms, the topology {atoms}; give the "
            "topology of this trajectory"
        )
    return reader


def _labels(atoms: Any, attribute: str) -> list[str] | None:
    if not hasattr(atoms, attribute):
        return None
    return [str(label) for label in getattr(atoms, attribute)]


def _terms(atoms: Any, kind: str, width: int) -> NDArray[np.int32]:
    """Bonds, angles or dihedrals among the atoms, numbered within the group."""
    everything = getattr(atoms.universe, kind, None)
    if everything is None or len(everything) == 0:
        return np.empty((0, width), dtype=np.int32)
    new = np.full(len(atoms.universe.atoms), -1, dtype=np.int32)
    new[atoms.indices] = np.arange(len(atoms), dtype=np.int32)
    found: NDArray[np.int32] = new[np.asarray(everything.indices, dtype=np.intp)]
    kept: NDArray[np.int32] = found[np.all(found >= 0, axis=1)]
    return kept


class Trajectory:
    """A trajectory through a reader of MDAnalysis.

    Parameters
    ----------
    reader : MDAnalysis reader
        Of its own: it is moved about.
    name : str
        For messages.
    units : str
        ``"md"`` converts; ``"reduced"`` leaves every number as it is.
    """

    log: ClassVar[dict[str, NDArray[Any]]] = {}

    def __init__(self, reader: Any, *, name: str, units: str) -> None:
        self.reader, self.name, self.units = reader, name, units
        self.damage: FileError | None = None
        self._factor = {kind: to_md if units == "md" else 1.0 for kind, to_md in TO_MD.items()}
        self._evenly = False
        path = Path(name)
        if path.suffix.lower() == ".xtc" and path.is_file():
            self.times, self.damage = scan_xtc(path)
        else:
            self.times = self._times()
            missing = _missing_frames(path, len(self.times))
            if missing is not None and self.damage is None:
                whole, why = missing
                self.times, self.damage = self.times[:whole], broken(name, whole, why)

    def _times(self) -> Floats:
        """Times without reading everything, where three frames say that they are even."""
        n, first = len(self.reader), self._time(0)
        try:
            last = self._time(n - 1)
        except FileError as error:
            self.damage, n = error, n - 1
            last = self._time(n - 1)
        if n < 3:
            return np.array([first, last][:n])
        even = np.linspace(first, last, n)
        if even[1] > first and np.isclose(self._time(1), even[1], rtol=1e-4):
            self._evenly = True
            return even
        return np.array([self._time(i) for i in range(n)])

    def _time(self, i: int) -> float:
        step = self._go(i)
        with quiet():
            return float(step.time)

    def _go(self, i: int) -> Any:
        """The reader's time step, moved to frame i."""
        reader = self.reader
        try:
            with quiet():
                if reader.ts.frame == i:
                    return reader.ts
                return reader.next() if reader.ts.frame + 1 == i else reader[i]
        except Exception as error:  # Each reader of MDAnalysis fails in its own way.
            raise broken(self.name, i, f"cannot be read: {_reason(error)}") from error

    def read(self, i: int) -> Frame:
        """Frame i."""
        step = self._go(i)
        if not step.has_positions:
            raise FileError(
                f"{self.name}, frame {i}: holds no positions; choose those that do with frames="
            )
        if self._evenly:
            self._check_time(i)
        box = None
        if step.dimensions is not None and np.all(step.dimensions[:3] > 0):
            box = self._vectors(step.dimensions.astype(float)) * self._factor["length"]
        return Frame(
            positions=self._scaled(step.positions, "length"),
            box=box,
            velocities=self._scaled(step.velocities, "velocity") if step.has_velocities else None,
            forces=self._scaled(step.forces, "force") if step.has_forces else None,
        )

    def _check_time(self, i: int) -> None:
        time = self._time(i)
        spacing = self.times[1] - self.times[0]
        if abs(time - self.times[i]) > 0.01 * spacing:
            raise FileError(
                f"{self.name}, frame {i}: its time is {time:g}, but evenly spaced frames would "
                f"have {self.times[i]:g} here; give the times of all frames with times="
            )

    def _scaled(self, array: NDArray[Any], kind: str) -> Floats:
        # In one pass and in double precision: a factor of ten is not exact in single.
        scaled: Floats = np.multiply(array, self._factor[kind], dtype=np.float64)
        return scaled

    @staticmethod
    def _vectors(dimensions: Floats) -> Floats:
        """Lower-triangular lattice vectors from lengths and angles, right angles exactly."""
        a, b, c = dimensions[:3]
        cosines = np.where(dimensions[3:] == 90.0, 0.0, np.cos(np.radians(dimensions[3:])))
        ca, cb, cg = cosines
        sg = np.sqrt(1.0 - cg**2)
        cy = c * (ca - cb * cg) / sg
        cz = np.sqrt(max(c**2 - (c * cb) ** 2 - cy**2, 0.0))
        return np.array([[a, 0.0, 0.0], [b * cg, b * sg, 0.0], [c * cb, cy, cz]])


def _check_beginning(path: Path) -> None:
    """That a file is what its extension says: a reader that fails to open cannot clean up."""
    if path.suffix.lower() == ".xtc":
        times, damage = scan_xtc(path, most=1)
        if damage is not None and not len(times):
            raise damage
    if path.suffix.lower() == ".dcd":
        _frames_promised(path)


def _frames_promised(path: Path) -> int:
    """How many frames the header of a DCD file says there are; 0 if it does not know."""
    with open(path, "rb") as file:
        head = file.read(12)
    # A Fortran record of 84 bytes: "CORD", then the number. The length tells the byte order.
    for order in "<>":
        if len(head) == 12 and head[:8] == struct.pack(order + "i", 84) + b"CORD":
            return int(struct.unpack_from(order + "i", head, 8)[0])
    raise FileError(f"{path}: is not a DCD file" if head else f"{path}: the file is empty")


class Writer:
    """Writes states of one system in a format of MDAnalysis.

    Parameters
    ----------
    path : path-like
    first : Particles
        In "md" units; the other states have its particles.
    frames : int
        How many there will be.
    """

    def __init__(self, path: Path, first: Particles, *, frames: int) -> None:
        self._universe = universe_of(first.topology)
        step = self._universe.trajectory.ts
        step.has_velocities = first.velocities is not None
        step.has_forces = first.forces is not None
        self._file = package().Writer(str(path), n_atoms=len(first), multiframe=frames > 1)

    def write(self, state: Particles, time: float) -> None:
        """Append a state."""
        step = self._universe.trajectory.ts
        step.positions = state.positions / TO_MD["length"]
        if state.velocities is not None:
            step.velocities = state.velocities / TO_MD["velocity"]
        if state.forces is not None:
            step.forces = state.forces / TO_MD["force"]
        step.dimensions = package().lib.mdamath.triclinic_box(*(state.box / TO_MD["length"]))
        step.time = time
        self._file.write(self._universe.atoms)
        step.frame += 1

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def _missing_frames(path: Path, found: int) -> tuple[int, str] | None:
    """Number of whole frames of a file that is cut behind them, which its reader keeps quiet."""
    extension = path.suffix.lower()
    if extension == ".dcd" and path.is_file():
        promised = _frames_promised(path)
        if promised > found:
            why = f"the file ends in it, but its header says {promised} frames"
            return found, why
    if FORMATS.get(extension) == "LAMMPSDUMP" and path.is_file():
        begun, whole = _dumps_begun(path)
        if begun > found or not whole:
            return begun - 1, "the file ends in it"
    return None


def _dumps_begun(path: Path) -> tuple[int, bool]:
    """How many frames of a LAMMPS dump begin, and whether the last line ends."""
    mark, begun, tail = b"ITEM: TIMESTEP", 0, b""
    with open(path, "rb") as file:
        while block := file.read(1 << 24):
            seen = tail + block
            begun += seen.count(mark)
            # Not long enough to hold a mark that was counted.
            tail = seen[1 - len(mark) :]
    return begun, tail.endswith(b"\n")


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:200] if text else type(error).__name__
