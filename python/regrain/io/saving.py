"""``save``: states and traces to GSD and XYZ files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.io import _mdanalysis as mdanalysis
from regrain.io._gsd import GsdWriter
from regrain.io._spins import save_spins
from regrain.io._xyz import write_xyz
from regrain.lattice import Spins
from regrain.particles import Particles
from regrain.trace import Trace

__all__ = ["beside", "save"]


def save(trace: Trace[Any] | Particles | Spins, path: str | PathLike[str]) -> Path:
    """Write a trace or a state; the file appears when it is whole.

    Parameters
    ----------
    trace : Trace of Particles or Spins, or one of them
        Frames of particles are read and written one at a time.
    path : path-like
        ``.gsd``: HOOMD schema, single precision, with bonds, log, images and unit tag. ``.xyz`` or
        ``.extxyz``: extended XYZ, every digit, without bonds and log; Å in "md" units. In "md"
        units also what MDAnalysis writes: ``.gro`` (one frame), ``.pdb``, ``.trr``, ``.xtc``,
        ``.dcd``. Spins: ``.npz``, with everything that the trace has.

    Returns
    -------
    pathlib.Path
        The file, which ``load`` gives back.

    Raises
    ------
    RegrainError
        Another extension, a folder that is not there or a full disk, states that are not particles
        or that do not share one topology.

    Notes
    -----
    **Loses / Assumes**: GSD keeps seven digits and wraps positions into a cell around the origin
    (``unwrapped`` is kept where there are images); XYZ drops bonded terms and the log; both drop
    weights and provenance. Of the other formats each keeps what it has a place for: TRR positions,
    velocities and forces, XTC positions to 0.001 nm, none of them masses, charges or images.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> from regrain.particles import Particles
    >>> state = Particles(np.array([[0.5, 1.0, 1.5]]), box=[2.0, 2.0, 2.0])
    >>> rg.load(rg.save(state, "one.xyz"))[0].positions.tolist()
    [[0.5, 1.0, 1.5]]
    """
    path = Path(path)
    if isinstance(trace, Particles | Spins):
        trace = Trace([trace], times=[0.0])
    if trace.level == "lattice":
        save_spins(path, trace)
        return path
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise RegrainError(
            f"{path}: save writes {', '.join(WRITERS)}, got the extension {path.suffix!r}; a "
            "potential is written by export"
        )
    if trace.level != "particles":
        raise RegrainError(f"{path}: can hold particles, got {trace!r}")
    with beside(path) as unfinished:
        write(unfinished, trace)
    return path


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write to; it is moved over ``path`` when all went well.

    Examples
    --------
    >>> from pathlib import Path
    >>> with beside(Path("notes.txt")) as unfinished:
    ...     _ = unfinished.write_text("whole or not at all")
    >>> Path("notes.txt").read_text()
    'whole or not at all'
    """
    if not path.parent.is_dir():
        raise RegrainError(f"{path}: the folder {path.parent} is not there; make it first")
    if path.is_dir():
        raise RegrainError(f"{path}: is a folder; give the name of a file")
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        # Whether it can be written shows here: not every writer fails cleanly.
        unfinished.touch()
        yield unfinished
        with open(unfinished, "rb") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        raise RegrainError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _states(trace: Trace[Any]) -> Iterator[tuple[Particles, float, Mapping[str, NDArray[Any]]]]:
    """Every state with its time and log, checked to be of one system."""
    first: Particles | None = None
    for i, state in enumerate(trace):
        first = state if first is None else first
        if len(state) != len(first) or state.units != first.units:
            raise RegrainError(
                f"frame {i} of the trace has {len(state)} particles in {state.units!r} units, "
                f"frame 0 {len(first)} in {first.units!r}; one file holds one system"
            )
        if state.topology is not first.topology and not np.array_equal(
            state.topology.types, first.topology.types
        ):
            raise RegrainError(f"frame {i} of the trace has other types than frame 0")
        yield state, float(trace.times[i]), {name: v[i] for name, v in trace.log.items()}


def _save_gsd(path: Path, trace: Trace[Any]) -> None:
    writer: GsdWriter | None = None
    try:
        for state, time, log in _states(trace):
            writer = writer or GsdWriter(path, state)
            writer.write(state, time=time, log=log)
    finally:
        if writer is not None:
            writer.close()


def _save_xyz(path: Path, trace: Trace[Any]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for state, time, _ in _states(trace):
            write_xyz(file, state, time=time)


def _save_mdanalysis(path: Path, trace: Trace[Any]) -> None:
    if trace.units != "md":
        raise RegrainError(
            f"{path.suffix} files hold nm or Å, but the trace is in {trace.units!r} units; save it "
            "as .gsd or .xyz"
        )
    if path.suffix.lower() == ".gro" and len(trace) > 1:
        raise RegrainError(f".gro files hold one frame, not {len(trace)}; save one state of it")
    writer: Any = None
    try:
        with mdanalysis.quiet():
            for state, time, _ in _states(trace):
                writer = writer or mdanalysis.Writer(path, state, frames=len(trace))
                writer.write(state, time)
    finally:
        if writer is not None:
            writer.close()


WRITERS = {
    ".gsd": _save_gsd,
    ".xyz": _save_xyz,
    ".extxyz": _save_xyz,
    **dict.fromkeys((".gro", ".pdb", ".trr", ".xtc", ".dcd"), _save_mdanalysis),
}
