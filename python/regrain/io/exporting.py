"""``export``: pair potentials as tables that other engines read."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from regrain.checkpoint import write_atomically
from regrain.errors import RegrainError
from regrain.io import _openmm
from regrain.particles import LennardJones, Table, Topology

__all__ = ["export"]

Floats = NDArray[np.float64]

# Å per nm; kJ per kcal.
ANGSTROM, CALORIE = 10.0, 4.184
# Of the units command of LAMMPS: what its length and energy are in ours.
LAMMPS = {"md": ("real", ANGSTROM, CALORIE), "reduced": ("lj", 1.0, 1.0)}
# A table of GROMACS goes on behind the cutoff by table-extension; this is the default of that.
EXTENSION = 1.0
# Where no potential says what a short distance is, in parts of the cutoff.
SHORT = 1e-3


def export(
    model: Any,
    path: str | PathLike[str],
    *,
    points: int = 4001,
    topology: Topology | None = None,
) -> tuple[Path, ...]:
    """Write the pair potentials of a force field as tables for another engine.

    Parameters
    ----------
    model : ForceField
    path : path-like
        Its extension names the engine:

        ``.table``
            LAMMPS ``pair_style table``: one section per pair of types, called ``A-B``; the commands
            that read them stand at the top. "md" becomes LAMMPS units "real" (Å, kcal/mol),
            "reduced" becomes "lj".
        ``.xvg``
            GROMACS user tables (nm, kJ/mol): columns r, f, -f', g, -g', h, -h'. The potential is h,
            so the topology needs C6 = 0 and C12 = 1; f and g are zero. Of several types,
            ``name.xvg`` is zero and ``name_A_B.xvg`` holds the pair of energy groups A and B.
        ``.xml``
            OpenMM force field (nm, kJ/mol): a CustomNonbondedForce of tabulated functions.
            OpenMM tells residues apart by elements, which beads have not: give ``createSystem`` the
            argument ``residueTemplates={r: r.name for r in topology.residues()}``.
        ``.npz``
            HOOMD-blue ``md.pair.Table``: arrays ``pairs``, ``r_min``, ``r_cut``, ``U``, ``F``, one
            row per pair; no number is changed.
    points : int
        Number of points of each table; between them LAMMPS and OpenMM use splines, GROMACS cubics,
        HOOMD-blue straight lines.
    topology : Topology, optional
        For ``.xml``: with it the file also says what the atom types and residues are, so that it is
        complete; without it another file has to.

    Returns
    -------
    tuple of pathlib.Path
        What was written, each file moved to its place when it was whole.

    Raises
    ------
    RegrainError
        Another extension, not a force field, no pair potentials, type names that the format cannot
        hold, fewer than 10 points.

    Notes
    -----
    A table begins where the potential does: a ``Table`` with its core nearly at 0, a Lennard-Jones
    potential at half its sigma. Below, LAMMPS stops, HOOMD-blue has no force, and for GROMACS and
    OpenMM the first force goes on as a constant.

    **Loses / Assumes**: bonded potentials, triples and temperature are not written (a warning says
    so), nor which pairs are excluded, except in ``.xml``. A jump at the cutoff is kept by LAMMPS
    and OpenMM, smeared over one interval by the others.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> from regrain.particles import ForceField, LennardJones
    >>> lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
    >>> [file.name for file in rg.export(ForceField(pairs={("A", "A"): lj}), "lj.table")]
    ['lj.table']
    """
    path = Path(path)
    writers: dict[str, Callable[..., dict[Path, bytes]]] = {
        ".table": _lammps,
        ".xvg": _gromacs,
        ".xml": _xml,
        ".npz": _hoomd,
    }
    write = writers.get(path.suffix.lower())
    if write is None:
        raise RegrainError(
            f"{path}: export writes {', '.join(writers)}, got the extension {path.suffix!r}; a "
            "trajectory is written by save"
        )
    if not hasattr(model, "pairs"):
        raise RegrainError(f"{path}: export writes a ForceField, got {type(model).__name__}")
    if not any(model.pairs.values()):
        raise RegrainError(f"{path}: the force field has no pair potential to write")
    if points < 10:
        raise RegrainError(f"points: got {points}, expected at least 10")
    _warn_of_losses(model, path)
    contents = write(model, path, points, topology)
    for file, content in contents.items():
        write_atomically(file, partial(_put, content))
    return tuple(contents)


@dataclass(frozen=True)
class Pair:
    """A pair potential and the range over which it is worth a table."""

    types: tuple[str, str]
    potential: Any
    r_min: float
    cutoff: float

    @property
    def name(self) -> str:
        """The types, joined."""
        return "-".join(self.types)

    def sampled(self, r: Floats) -> tuple[Floats, Floats]:
        """Energy and force; a constant force below r_min, at the cutoff the limit from within."""
        if self.potential is None:
            return np.zeros_like(r), np.zeros_like(r)
        inside = np.clip(r, self.r_min, np.nextafter(self.cutoff, 0.0))
        force = self.potential.force(inside)
        energy = self.potential.u(inside) + force * (inside - r) * (r < self.r_min)
        beyond = r > self.cutoff
        return np.where(beyond, 0.0, energy), np.where(beyond, 0.0, force)


def _pairs(model: Any) -> list[Pair]:
    """All pairs of a force field, in the order of their sorted type names."""
    longest = max(p.cutoff for p in model.pairs.values() if p is not None)
    found = []
    for types, potential in sorted(model.pairs.items()):
        cutoff = longest if potential is None else potential.cutoff
        r_min = max(SHORT * cutoff, _beginning(potential))
        found.append(Pair((types[0], types[1]), potential, r_min, cutoff))
    return found


def _beginning(potential: Any) -> float:
    """The distance from which on a potential says something worth a table."""
    if isinstance(potential, LennardJones):
        return potential.sigma / 2.0
    if isinstance(potential, Table) and potential.core == "linear":
        # The core goes on in steps of the grid while they are positive.
        spacing = (potential.r_max - potential.r_min) / (potential.points - 1)
        return float(potential.r_min % spacing)
    return 0.0 if potential is None else float(potential.domain()[0])


def _types(pairs: Iterable[Pair]) -> list[str]:
    return sorted({name for pair in pairs for name in pair.types})


def _warn_of_losses(model: Any, path: Path) -> None:
    kinds = ("bonds", "angles", "dihedrals", "triples")
    others = [kind for kind in kinds if getattr(model, kind, None)]
    if others:
        warnings.warn(
            f"{path}: holds the pair potentials only; the {', '.join(others)} of the force field "
            "have to be set up in the engine",
            stacklevel=3,
        )


def _check_names(pairs: Iterable[Pair], path: Path) -> None:
    for name in _types(pairs):
        if name.split() != [name] or "#" in name or "/" in name:
            raise RegrainError(
                f"{path}: the type name {name!r} does not fit into this format; rename the type "
                "(no blanks, no # and no /)"
            )


def _lammps(model: Any, path: Path, points: int, _: Topology | None) -> dict[Path, bytes]:
    pairs = _pairs(model)
    _check_names(pairs, path)
    style, length, calorie = LAMMPS[model.units]
    number = {name: i + 1 for i, name in enumerate(_types(pairs))}
    lines = [
        f"# UNITS: {style}",
        "# Pair potentials written by regrain. To read them:",
        f"#   units      {style}",
        f"#   pair_style table spline {points}",
    ]
    for pair in pairs:
        i, j = sorted(number[name] for name in pair.types)
        lines.append(f"#   pair_coeff {i} {j} {path.name} {pair.name} {pair.cutoff * length!r}")
    for pair in pairs:
        r = np.linspace(pair.r_min, pair.cutoff, points)
        u, f = pair.sampled(r)
        rows = zip(r * length, u / calorie, f / (calorie * length), strict=True)
        numbers = [(float(a), float(b), float(c)) for a, b, c in rows]
        lines += ["", pair.name, f"N {points} R {numbers[0][0]!r} {numbers[-1][0]!r}", ""]
        lines += [f"{k + 1} {a!r} {b!r} {c!r}" for k, (a, b, c) in enumerate(numbers)]
    return {path: _text(lines)}


def _gromacs(model: Any, path: Path, points: int, _: Topology | None) -> dict[Path, bytes]:
    if model.units != "md":
        raise RegrainError(
            f"{path}: GROMACS works in nm and kJ/mol, but the force field is in {model.units!r} "
            'units; give it units="md" if its numbers are that'
        )
    pairs = _pairs(model)
    _check_names(pairs, path)
    longest = max(pair.cutoff for pair in pairs)
    # The longest cutoff is a point of the grid, which the extension does not make coarser.
    spacing = longest / (points - 1)
    r: Floats = spacing * np.arange(points + int(np.ceil(EXTENSION / spacing)), dtype=float)
    if len(pairs) == 1:
        return {path: _xvg(r, pairs[0])}
    nothing = Pair(("all", "others"), None, 0.0, longest)
    files = {path: _xvg(r, nothing)}
    for pair in pairs:
        a, b = pair.types
        files[path.with_name(f"{path.stem}_{a}_{b}{path.suffix}")] = _xvg(r, pair)
    return files


def _xvg(r: Floats, pair: Pair) -> bytes:
    u, f = pair.sampled(r)
    lines = [
        f"# {pair.name}, written by regrain: r f -f' g -g' h -h' in nm and kJ/mol",
        f"# vdwtype = user; C6 = 0 and C12 = 1 in the topology; the cutoff is {pair.cutoff!r} nm",
    ]
    lines += [f"{a:.10e} 0 0 0 0 {b:.10e} {c:.10e}" for a, b, c in zip(r, u, f, strict=True)]
    return _text(lines)


def _xml(model: Any, path: Path, points: int, topology: Topology | None) -> dict[Path, bytes]:
    if model.units != "md":
        raise RegrainError(
            f"{path}: OpenMM works in nm and kJ/mol, but the force field is in {model.units!r} "
            'units; give it units="md" if its numbers are that'
        )
    functions = {}
    for pair in _pairs(model):
        if pair.potential is not None:
            r = np.linspace(pair.r_min, pair.cutoff, points)
            functions[pair.types] = (float(r[0]), float(r[-1]), *pair.sampled(r))
    types = _types(_pairs(model))
    return {path: _openmm.force_field(types, functions, exclude=model.exclude, topology=topology)}


def _hoomd(model: Any, path: Path, points: int, _: Topology | None) -> dict[Path, bytes]:
    pairs = _pairs(model)
    # The points of HOOMD-blue end one spacing before the cutoff.
    grids = [np.linspace(p.r_min, p.cutoff, points, endpoint=False) for p in pairs]
    sampled = [pair.sampled(r) for pair, r in zip(pairs, grids, strict=True)]
    file = io.BytesIO()
    np.savez_compressed(
        file,
        pairs=np.array([pair.types for pair in pairs]),
        r_min=np.array([pair.r_min for pair in pairs]),
        r_cut=np.array([pair.cutoff for pair in pairs]),
        U=np.array([u for u, _ in sampled]),
        F=np.array([f for _, f in sampled]),
        units=np.array(model.units),
    )
    return {path: file.getvalue()}


def _put(content: bytes, file: IO[bytes]) -> None:
    file.write(content)


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
