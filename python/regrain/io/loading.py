"""``load``: any trajectory as a Trace."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from regrain.errors import RegrainError
from regrain.io import _dump
from regrain.io import _mdanalysis as mdanalysis
from regrain.io._dump import Dump
from regrain.io._frames import (
    FileError,
    Floats,
    FrameFile,
    Frames,
    Indices,
    part_of,
    usable,
    with_values,
)
from regrain.io._gromacs import Trr
from regrain.io._gsd import Gsd
from regrain.io._lammps_data import is_data, read_topology
from regrain.io._spins import load_spins
from regrain.io._xyz import Xyz
from regrain.particles import Topology
from regrain.trace import Trace
from regrain.units import units as unit_system

__all__ = ["load"]

OWN: dict[str, type[Gsd | Xyz | Dump]] = {
    ".gsd": Gsd,
    ".xyz": Xyz,
    ".extxyz": Xyz,
    ".lammpstrj": Dump,
    ".dump": Dump,
}
# Dumps of LAMMPS have any name.
DUMPED = b"ITEM: "
# MDAnalysis would take these as topologies of nameless atoms.
BARE = (".trr", ".xtc", ".dcd", ".nc", ".ncdf", ".trj", ".mdcrd", ".trz", ".tng")
# Å, the unit of selection strings, in each unit system.
ANGSTROM = {"md": 10.0, "reduced": 1.0}


def load(
    source: Any,
    *,
    topology: Any = None,
    select: str | None = None,
    frames: slice | Sequence[int] | int | None = None,
    types: str = "types",
    masses: Mapping[str, float] | ArrayLike | None = None,
    charges: Mapping[str, float] | ArrayLike | None = None,
    box: ArrayLike | None = None,
    times: float | ArrayLike | None = None,
    velocities: bool | None = None,
    forces: bool | None = None,
    units: str | None = None,
) -> Trace[Any]:
    """Open a trajectory: frames are read when they are asked for.

    Parameters
    ----------
    source : path, MDAnalysis Universe or AtomGroup
        A file that MDAnalysis reads, a GSD file (HOOMD schema) or an extended XYZ file. A structure
        file without a trajectory is a trace of one frame. Or an NPZ file of spins, of which only
        ``frames`` may be chosen.
    topology : path, MDAnalysis Universe or AtomGroup, or Topology, optional
        What the atoms are, where the source does not say it or says too little.
    select : str, optional
        Selection string of MDAnalysis (lengths in Å), evaluated in the first frame, of a Universe
        in the frame it is at. It is the same atoms in all frames.
    frames : slice, sequence of int, or int, optional
        Which frames of the file.
    types : str
        The attribute that becomes the type of an atom. ``"types"`` are the types of the topology
        or, where it has none (a GRO or PDB file), the elements that MDAnalysis guesses from the
        names; ``"names"``, ``"resnames"``, ``"elements"`` and so on are taken as they are. Of GSD
        and XYZ files it is always what they call type.
    masses, charges : mapping of str to float, or array_like, shape (n_chosen,), optional
        In place of those of the topology, for the atoms whose name or type is named, or one for
        each chosen atom.
    box : array_like, shape (3,) or (3, 3), optional
        In place of what the file says.
    times : float, or array_like, shape (n_chosen,), optional
        In place of what the file says: the time between frames of the file, or the time of every
        chosen frame.
    velocities, forces : bool, optional
        True: an error where there are none. False: left out. By default taken where present.
    units : str, optional
        ``"md"`` or ``"reduced"``. By default the tag that ``save`` wrote, else ``"reduced"`` for
        GSD and ``"md"`` for everything else. In ``"reduced"`` units no number is changed. Of a
        LAMMPS dump, ``"real"``, ``"metal"`` or ``"lj"``, what LAMMPS was told; dumps do not say it
        (but for those with ``dump_modify units yes``), and without it velocities and forces are
        an error.

    Returns
    -------
    Trace of Particles (or of Spins)
        In nm, ps, kJ/(mol nm) if the units are ``"md"``. Molecules are not made whole. It can be
        pickled: a worker opens the files again.

    Raises
    ------
    FileError
        A file that is not there, is cut or cannot be read; another number of atoms than in the
        topology; no box, numbers that are not finite; frames that repeat or go back in time; a
        selection that is wrong or empty. The message names file and frame.

    Notes
    -----
    Masses of a GRO or PDB file are those of the guessed elements (15.999 for oxygen), and 0 where
    none is guessed (a coarse-grained bead), which is warned of. Times of a GSD file that was not
    written by ``save`` are step numbers.

    **Loses / Assumes**: occupancies, segments, impropers and constraints are not read. A box of
    another orientation (XYZ) is turned, and positions, velocities and forces with it.

    Examples
    --------
    >>> import regrain as rg
    >>> files = rg.io.example("spce")
    >>> water = rg.load(files.trajectory, topology=files.topology, frames=slice(0, 10))
    >>> water[0]
    Particles(6540 particles: 4360 H, 2180 O; box 4.031 x 4.031 x 4.031 nm)
    """
    if isinstance(source, str | PathLike) and Path(source).suffix.lower() == ".npz":
        spins = load_spins(Path(source))
        return spins if frames is None else spins[np.atleast_1d(np.arange(len(spins))[frames])]
    _check_units(source, units)
    file, known, atoms = _open(source, topology, select=select, types=types, units=units)
    for what, given in (("masses", masses), ("charges", charges)):
        if given is not None:
            known = _with(known, what, with_values(known, what, given))
    _warn_of_missing_masses(known)
    chosen = _chosen(file, frames)
    found = Frames(
        file,
        known,
        chosen,
        atoms,
        box=None if box is None else usable(box),
        velocities=velocities,
        forces=forces,
    )
    clock = _clock(file, chosen, times)
    # A file without a box, forces or sense says so here and not in the middle of the work.
    _ = found[0]
    return Trace(
        found,
        times=clock,
        log={name: values[chosen] for name, values in file.log.items()},
        provenance={
            "source": file.name,
            "topology": str(topology) if isinstance(topology, str | PathLike) else None,
            "select": select,
            "frames": len(chosen),
        },
    )


def _check_units(source: Any, units: str | None) -> None:
    """That the units are ours or, of a dump, those of LAMMPS."""
    if units in _dump.KNOWN and units not in ("md", "reduced"):
        if isinstance(source, str | PathLike) and _own(_existing(source)) is Dump:
            return
        raise RegrainError(
            f'units={units!r} are those of a text dump of LAMMPS, which {source} is not; give "md" '
            'or "reduced"'
        )
    if units is not None:
        unit_system(units)


def _own(path: Path) -> type[Gsd | Xyz | Dump] | None:
    """The reader of our own, if there is one for this file."""
    with open(path, "rb") as file:
        return Dump if file.read(len(DUMPED)) == DUMPED else OWN.get(path.suffix.lower())


def _open(
    source: Any, topology: Any, *, select: str | None, types: str, units: str | None
) -> tuple[FrameFile, Topology, Indices | None]:
    """The file, the topology of the chosen atoms, and which atoms of the file they are."""
    if hasattr(source, "atoms"):
        return _open_group(source.atoms, select=select, types=types, units=units)
    if not isinstance(source, str | PathLike):
        raise RegrainError(
            f"source: got {type(source).__name__}, expected a path, a Universe or an AtomGroup"
        )
    path = _existing(source)
    own: type[Gsd | Xyz | Dump] | None = _own(path)
    if own is not None:
        own_file = own(path, units=units)
        described = (
            own_file.topology()
            if topology is None
            else _known(topology, types=types, units=own_file.units)
        )
        _same_size(own_file.name, own_file.atoms, described)
        return _chosen_atoms(own_file, described, select=select, types=types)
    units = units or "md"
    if topology is None and path.suffix.lower() in BARE:
        raise FileError(
            f"{path}: says where the atoms are, but not what; give topology= (a .gro, .pdb, .tpr "
            "or .psf file, a Universe, or a Topology)"
        )
    if topology is None:
        known = mdanalysis.open_topology(path, units=units).atoms
    else:
        known = _known(topology, types=types, units=units)
    if path.suffix.lower() == ".trr":
        trr = Trr(path, atoms=len(known), units=units)
        return _chosen_atoms(trr, known, select=select, types=types)
    if topology is None:
        reader = _trajectory_of(known.universe, str(path))
    else:
        reader = mdanalysis.open_trajectory(path, atoms=len(known), units=units)
    file = mdanalysis.Trajectory(reader, name=str(path), units=units)
    return _chosen_atoms(file, known, select=select, types=types)


def _open_group(
    group: Any, *, select: str | None, types: str, units: str | None
) -> tuple[FrameFile, Topology, Indices | None]:
    """From an AtomGroup: with a reader of its own, so that the frame the user is at stays."""
    trajectory = _trajectory_of(group.universe, "the Universe")
    name = getattr(trajectory, "filename", None) or "the Universe"
    file = mdanalysis.Trajectory(trajectory.copy(), name=str(name), units=units or "md")
    if select is not None:
        group = mdanalysis.choose(group, select)
    return file, mdanalysis.topology_of(group, types=types), _indices(group)


def _trajectory_of(universe: Any, name: str) -> Any:
    if not hasattr(universe, "trajectory"):
        raise FileError(
            f"{name}: says what the atoms are, but not where; load a trajectory and give this as "
            "its topology"
        )
    return universe.trajectory


def _existing(path: str | PathLike[str]) -> Path:
    found = Path(path)
    if not found.exists():
        raise FileError(f"{found}: there is no such file")
    if not found.is_file():
        raise FileError(f"{found}: is not a file")
    return found


def _known(topology: Any, *, types: str, units: str) -> Any:
    """A Topology, or all atoms of a Universe, which more selections understand."""
    if isinstance(topology, Topology):
        return topology
    if hasattr(topology, "atoms"):
        whole = len(topology.atoms) == len(topology.universe.atoms)
        return (
            topology.universe.atoms
            if whole
            else mdanalysis.topology_of(topology.atoms, types=types)
        )
    path = _existing(topology)
    if is_data(path):
        data = read_topology(path)
        return data if types != "names" else replace(data, types=data.names)
    return mdanalysis.open_topology(path, units=units).atoms


def _same_size(name: str, atoms: int, known: Any) -> None:
    if len(known) != atoms:
        raise FileError(
            f"{name}, frame 0: holds {atoms} atoms, the topology {len(known)}; give the topology "
            "of this trajectory"
        )


def _chosen_atoms(
    file: FrameFile, known: Any, *, select: str | None, types: str
) -> tuple[FrameFile, Topology, Indices | None]:
    if isinstance(known, Topology):
        if select is None:
            return file, known, None
        group = mdanalysis.universe_of(known).atoms
        atoms = _indices(_choose_in(file, group, select))
        return file, known if atoms is None else part_of(known, atoms), atoms
    group = known if select is None else _choose_in(file, known, select)
    return file, mdanalysis.topology_of(group, types=types), _indices(group)


def _choose_in(file: FrameFile, group: Any, select: str) -> Any:
    if len(file.times) == 0:
        raise file.damage or FileError(f"{file.name}: holds no frames")
    return mdanalysis.choose(group, select, where=file.read(0), length=ANGSTROM[file.units])


def _indices(group: Any) -> Indices | None:
    """Which atoms of the Universe; None when they are all, in order."""
    indices = np.asarray(group.indices, dtype=np.intp)
    if len(np.unique(indices)) < len(indices):
        raise RegrainError("the AtomGroup holds an atom twice; use group.unique")
    everything = np.arange(len(group.universe.atoms))
    return None if np.array_equal(indices, everything) else indices


def _with(topology: Topology, what: str, values: Floats) -> Topology:
    changes: dict[str, Any] = {what: values}
    return replace(topology, **changes)


def _warn_of_missing_masses(topology: Topology) -> None:
    unknown = np.unique(topology.types[topology.masses == 0]).tolist()
    if unknown:
        warnings.warn(
            f"no mass is known for the types {', '.join(unknown[:8])}: they have mass 0; give "
            f"masses={{{unknown[0]!r}: ...}} if they are not virtual sites",
            stacklevel=3,
        )


def _chosen(file: FrameFile, frames: Any) -> Indices:
    """Which frames of the file; an error when they reach into a damaged part."""
    whole = len(file.times)
    everything = np.arange(whole + (file.damage is not None))
    try:
        chosen = np.atleast_1d(everything[slice(None) if frames is None else frames])
    except IndexError as error:
        raise FileError(
            f"{file.name}: frames={frames!r} asks for frames that are not there; it holds {whole}"
        ) from error
    if file.damage is not None and whole in chosen:
        raise file.damage
    if len(chosen) == 0:
        raise FileError(f"{file.name}: frames={frames!r} chooses none of the {whole} frames")
    return chosen.astype(np.intp)


def _clock(file: FrameFile, chosen: Indices, times: Any) -> Floats:
    """The time of every chosen frame."""
    if times is not None:
        given = np.asarray(times, dtype=float)
        return chosen * given if given.ndim == 0 else given
    clock = file.times[chosen]
    back = np.flatnonzero(~(np.diff(clock) > 0))
    if len(back):
        i = int(back[0])
        raise FileError(
            f"{file.name}, frame {chosen[i + 1]}: its time is {clock[i + 1]:g}, that of frame "
            f"{chosen[i]} before it {clock[i]:g}; choose frames that go forward with frames=, or "
            "number them with times="
        )
    return clock
