"""``export``: force fields, and states with them, as other engines read them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import IO, Any

from regrain.checkpoint import write_atomically
from regrain.errors import RegrainError
from regrain.io import _gromacs_top, _openmm_system, _to_gromacs, _to_hoomd, _to_openmm, lammps
from regrain.io._sampled import BONDED, OUTSIDE, refuse_outside
from regrain.particles import Particles, Topology

__all__ = ["export"]

Files = Mapping[str, str | bytes]
GRIDS = ("r", "rsq")


def export(
    model: Any,
    path: str | PathLike[str],
    *,
    state: Particles | None = None,
    topology: Topology | None = None,
    points: int = 4001,
    grid: str = "r",
    constraints: Mapping[tuple[str, str], float] | None = None,
) -> tuple[Path, ...]:
    """Write a force field, or a system that it acts on, for another engine.

    Parameters
    ----------
    model : ForceField
    path : path-like
        Its extension names the engine:

        ``.lammps``
            A directory for LAMMPS that is complete: ``run.in`` (a short run, to be changed),
            ``model.in`` (the force field; include it in scripts of your own), ``system.data`` (the
            state), and tables. Where LAMMPS has a style that is exactly the potential it is used,
            with its factors of two, else a table. "md" becomes LAMMPS units "real" (Å, kcal/mol,
            fs), "reduced" becomes "lj". Types are numbered by name and mass.
        ``.table``
            LAMMPS ``pair_style table``: one section per pair of types, called ``A-B``; the commands
            that read them stand at the top. "md" becomes LAMMPS units "real" (Å, kcal/mol),
            "reduced" becomes "lj".
        ``.xvg``
            GROMACS user tables (nm, kJ/mol): columns r, f, -f', g, -g', h, -h'. The potential is h,
            so the topology needs C6 = 0 and C12 = 1; f and g are zero. Of several types,
            ``name.xvg`` is zero and ``name_A_B.xvg`` holds the pair of energy groups A and B.
        ``.top``
            A topology of GROMACS: ``name.top``, ``name.itp`` with one molecule type for each kind
            of molecule (runs of particles that no bonded term leaves), and tables of what GROMACS
            has no function for: ``name_b0.xvg``, ``name_a0.xvg``, ``name_d0.xvg`` of bonded terms
            (``mdrun -tableb``), and those of ``.xvg`` unless all pairs are Lennard-Jones. The
            settings for grompp that belong to the model stand at its top.
        ``.xml``, with a state
            A System of OpenMM, complete but for the positions and velocities:
            ``openmm.XmlSerializer.deserialize(text)``.
        ``.xml``
            OpenMM force field (nm, kJ/mol): a CustomNonbondedForce of tabulated functions.
            OpenMM tells residues apart by elements, which beads have not: give ``createSystem`` the
            argument ``residueTemplates={r: r.name for r in topology.residues()}``.
        ``.npz``
            HOOMD-blue: arrays ``pairs``, ``r_min``, ``r_cut``, ``U``, ``F`` for ``md.pair.Table``,
            one row per pair; ``bonds``, ``bonds_r_min``, ``bonds_r_max``, ``bonds_U``, ``bonds_F``
            for ``md.bond.Table``; ``angles``, ``angles_U``, ``angles_tau`` (0 to π) and
            ``dihedrals``, ``dihedrals_U``, ``dihedrals_tau`` (-π to π) for ``md.angle.Table`` and
            ``md.dihedral.Table``. No number is changed.
    state : Particles, optional
        What it acts on: box, bonds, masses, charges (and, for LAMMPS, positions and velocities).
        For ``.lammps``, ``.top`` and ``.xml``.
    points : int
        Number of points of each table; between them LAMMPS and OpenMM use splines, GROMACS cubics,
        HOOMD-blue straight lines.
    topology : Topology, optional
        For ``.xml``: with it the file also says what the atom types and residues are, so that it is
        complete; without it another file has to.
    grid : {"r", "rsq"}
        For LAMMPS: points of pair tables equally spaced in r, or in r² as LAMMPS keeps them.
    constraints : mapping of (str, str) to float, optional
        For ``.top``: bonds of these types become constraints of these lengths, such as
        ``BondedForms(...)(trace).constraints``.

    Returns
    -------
    tuple of pathlib.Path
        What was written, each file moved to its place when it was whole.

    Raises
    ------
    RegrainError
        Another extension, not a force field, no pair potentials, no state where one is needed,
        fields, walls or biases (no format has them), type names that the format cannot hold, fewer
        than 10 points, particles without mass or exclusions that LAMMPS cannot have.

    Notes
    -----
    A table begins where the potential does: a ``Table`` with its core nearly at 0, a Lennard-Jones
    or Stillinger-Weber potential at half its sigma. Below, LAMMPS stops, HOOMD-blue has no force,
    and for GROMACS and OpenMM the first force goes on as a constant.

    **Loses / Assumes**: without a state files hold the pair potentials only: bonded potentials and
    triples are not written (a warning says so), nor which pairs are excluded, except in ``.xml``.
    A jump at the cutoff is kept by LAMMPS and OpenMM, smeared over one interval by the others.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> from regrain.particles import ForceField, LennardJones
    >>> lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
    >>> [file.name for file in rg.export(ForceField(pairs={("A", "A"): lj}), "lj.table")]
    ['lj.table']
    >>> start = rg.particles.fcc(cells=3, density=0.8)
    >>> files = rg.export(ForceField(pairs={("A", "A"): lj}), "lj.lammps", state=start)
    >>> [file.name for file in files]
    ['model.in', 'system.data', 'run.in']
    """
    job = _Job(model, Path(path), state, topology, points, grid, constraints)
    form = job.form()
    job.check(form)
    contents = form.write(job)
    if form.directory:
        _make(job.path)
    for file, content in contents.items():
        data = content if isinstance(content, bytes) else content.encode()
        write_atomically(file, partial(_put, data))
    return tuple(contents)


@dataclass(frozen=True)
class _Job:
    """What is to be written, and where."""

    model: Any
    path: Path
    state: Particles | None
    topology: Topology | None
    points: int
    grid: str
    constraints: Mapping[tuple[str, str], float] | None

    def form(self) -> _Form:
        """The format that the extension names."""
        form = FORMS.get(self.path.suffix.lower())
        if form is None:
            raise RegrainError(
                f"{self.path}: export writes {', '.join(FORMS)}, got the extension "
                f"{self.path.suffix!r}; a trajectory is written by save"
            )
        return form

    def check(self, form: _Form) -> None:
        """That there is what the format needs, and a warning of what it leaves out."""
        model, path = self.model, self.path
        if not hasattr(model, "pairs"):
            raise RegrainError(f"{path}: export writes a ForceField, got {type(model).__name__}")
        if self.points < 10:
            raise RegrainError(f"points: got {self.points}, expected at least 10")
        if self.constraints and self.path.suffix.lower() != ".top":
            raise RegrainError(f"{path}: constraints are for .top files only; leave them out")
        if self.grid not in GRIDS:
            raise RegrainError(f'grid: got {self.grid!r}, expected "r" or "rsq"')
        if form.units is not None and model.units != form.units:
            raise RegrainError(
                f"{path}: {form.engine} works in nm and kJ/mol, but the force field is in "
                f'{model.units!r} units; give it units="md" if its numbers are that'
            )
        whole = form.whole or (form.either and self.state is not None)
        if whole:
            self.whole()
            refuse_outside(model, form.engine)
        held = ("pairs", *(BONDED.values() if form.bonded else ()))
        if not whole and not any(any(getattr(model, kind).values()) for kind in held):
            raise RegrainError(f"{path}: the force field has no pair potential to write")
        if not whole:
            self._warn_of_losses(form)

    def whole(self) -> Particles:
        """The state, which must be there."""
        if not isinstance(self.state, Particles):
            raise RegrainError(
                f"{self.path}: this needs a state, too, for its box, bonds and masses; give "
                f"state=, such as a frame of a trace (got {self.state!r})"
            )
        return self.state

    def _warn_of_losses(self, form: _Form) -> None:
        bonded = () if form.bonded else tuple(BONDED.values())
        kinds = (*bonded, "triples", "charges", "network", "scale_14", *OUTSIDE)
        lost = [kind for kind in kinds if getattr(self.model, kind, None)]
        if lost:
            held = "pair and bonded potentials" if form.bonded else "pair potentials"
            warnings.warn(
                f"{self.path}: holds the {held} only; the {', '.join(lost)} of the force field "
                "have to be set up in the engine",
                stacklevel=4,
            )

    def beside(self, files: Files) -> dict[Path, str | bytes]:
        """Files by their names, in the directory of the path."""
        return {self.path.with_name(name): content for name, content in files.items()}

    def within(self, files: Files) -> dict[Path, str | bytes]:
        """Files by their names, in a directory that is the path."""
        return {self.path / name: content for name, content in files.items()}


@dataclass(frozen=True)
class _Form:
    """A format: who reads it, how it is written, and what it needs and holds."""

    engine: str
    write: Callable[[_Job], dict[Path, str | bytes]]
    units: str | None = None  # the only ones that the engine has
    whole: bool = False  # a system with its state
    either: bool = False  # whole if there is a state, else pair potentials
    bonded: bool = False  # bonded potentials, too, without a state
    directory: bool = False


def _table(job: _Job) -> dict[Path, str | bytes]:
    _check_names(job)
    text = lammps.pair_tables(job.model, job.path.name, points=job.points, grid=job.grid)
    return {job.path: text}


def _lammps(job: _Job) -> dict[Path, str | bytes]:
    return job.within(lammps.system(job.model, job.whole(), points=job.points, grid=job.grid))


def _xvg(job: _Job) -> dict[Path, str | bytes]:
    _check_names(job)
    return job.beside(_to_gromacs.pair_tables(job.model, job.path.stem, points=job.points))


def _top(job: _Job) -> dict[Path, str | bytes]:
    _check_names(job)
    files = _gromacs_top.topology(
        job.model, job.whole(), job.path.stem, points=job.points, constraints=job.constraints
    )
    return job.beside(files)


def _xml(job: _Job) -> dict[Path, str | bytes]:
    if job.state is not None:
        return {job.path: _openmm_system.system(job.model, job.whole(), points=job.points)}
    return {job.path: _to_openmm.force_field(job.model, points=job.points, topology=job.topology)}


def _npz(job: _Job) -> dict[Path, str | bytes]:
    return {job.path: _to_hoomd.tables(job.model, points=job.points)}


FORMS = {
    ".lammps": _Form("LAMMPS", _lammps, whole=True, directory=True),
    ".table": _Form("LAMMPS", _table),
    ".top": _Form("GROMACS", _top, units="md", whole=True),
    ".xvg": _Form("GROMACS", _xvg, units="md"),
    ".xml": _Form("OpenMM", _xml, units="md", either=True),
    ".npz": _Form("HOOMD-blue", _npz, bonded=True),
}


def _check_names(job: _Job) -> None:
    for name in sorted({name for types in job.model.pairs for name in types}):
        if name.split() != [name] or "#" in name or "/" in name:
            raise RegrainError(
                f"{job.path}: the type name {name!r} does not fit into this format; rename the "
                "type (no blanks, no # and no /)"
            )


def _make(directory: Path) -> None:
    try:
        directory.mkdir(exist_ok=True)
    except OSError as error:
        raise RegrainError(
            f"{directory} cannot be written: it is to be a directory: {error.strerror}"
        ) from error


def _put(content: bytes, file: IO[bytes]) -> None:
    file.write(content)
