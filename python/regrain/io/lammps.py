"""Force fields as LAMMPS has them: tables of pairs, or a whole system ready to run."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.io._lammps_overlays import charges, triples
from regrain.io._lammps_styles import (
    Row,
    Style,
    Use,
    bonded_rows,
    commands,
    harmonic,
    native,
    pair_rows,
    pair_tables,
    plain,
)
from regrain.io._lammps_units import UNITS, Scale
from regrain.io._sampled import BONDED, bonded_curve, pair_curve, refuse_outside
from regrain.particles import WCA, LennardJones, Particles
from regrain.particles.rigid import refuse_rigid_bonds

__all__ = ["MODEL", "UNITS", "Scale", "pair_tables", "system"]

H = TypeVar("H", bound=Hashable)
Places = NDArray[np.intp]
Types = tuple[str, ...]

# Pairs up to so many bonds apart are what LAMMPS can leave out.
FARTHEST = 3
LENNARD_JONES = {
    "cut": "lj/cut",
    "shifted": "lj/cut shift yes",
    "force-shifted": "lj/smooth/linear",
}
MODEL, DATA, RUN, NETWORK = "model.in", "system.data", "run.in", "network.in"


def system(model: Any, state: Particles, *, points: int = 4001, grid: str = "r") -> dict[str, str]:
    """The files of a directory in which ``lmp -in run.in`` runs, by their names.

    ``model.in`` says all of the force field and reads ``system.data``, the state; tables are where
    LAMMPS has no style that is exactly the potential.

    Parameters
    ----------
    model : ForceField
    state : Particles
    points, grid
        As in ``export``.

    Raises
    ------
    RegrainError
        Particles without mass, exclusions beyond three bonds, and what ``evaluate`` refuses.

    Examples
    --------
    >>> from regrain.io.lammps import system
    >>> from regrain.particles import ForceField, LennardJones, fcc
    >>> lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
    >>> files = system(ForceField({("A", "A"): lj}), fcc(cells=3, density=0.8))
    >>> list(files)
    ['model.in', 'system.data', 'run.in']
    >>> print("\\n".join(line for line in files["model.in"].splitlines() if "pair" in line))
    pair_style lj/cut 2.5
    pair_coeff 1 1 1.0 1.0 2.5  # A-A
    pair_modify shift yes
    """
    return _System(model, state, points, grid).files()


class _System:
    """A force field and a state in the terms of LAMMPS."""

    def __init__(self, model: Any, state: Particles, points: int, grid: str) -> None:
        refuse_outside(model, "LAMMPS")
        model.compile(state)  # says what is missing
        self.model, self.state, self.points, self.grid = model, state, points, grid
        self.scale = UNITS[model.units]
        self.tables: dict[str, list[str]] = {}
        refuse_rigid_bonds(model.bonds, "what is written for LAMMPS")
        excluded = state.topology.exclusions(model.exclude)
        if model.exclude > FARTHEST and len(excluded):
            raise RegrainError(
                f"exclude={model.exclude}: LAMMPS leaves out pairs of particles that are at most "
                f"{FARTHEST} bonds apart, not more"
            )
        if model.charges is not None and any(model.triples.values()) and len(excluded):
            raise RegrainError(
                "with charges LAMMPS keeps the pairs that bonds exclude in its lists, where "
                "triples would find them; leave out one of the two, or use exclude=0"
            )

    def files(self) -> dict[str, str]:
        """All files by name; tables only where there are any."""
        files = {MODEL: self._model(), DATA: self._data(), RUN: self._run(), **self.tables}
        return {name: "\n".join(lines) + "\n" for name, lines in files.items()}

    # ------------------------------------------------------------------ what there is

    @cached_property
    def kinds(self) -> tuple[list[tuple[str, float]], Places]:
        """Types of LAMMPS, which have one mass each, and which of them each particle is."""
        topology = self.state.topology
        massless = np.flatnonzero(topology.masses <= 0)
        if len(massless):
            i = int(massless[0])
            raise RegrainError(
                f"particle {i} ({topology.types[i]}) has no mass, which LAMMPS refuses; give the "
                "topology masses"
            )
        pairs = list(zip(topology.types.tolist(), topology.masses.tolist(), strict=True))
        return _numbered(pairs)

    @cached_property
    def terms(self) -> dict[str, tuple[list[Types], Places]]:
        """Of each kind of bonded terms the types that occur, and which of them each term has."""
        topology = self.state.topology
        found = {}
        for kind, name in BONDED.items():
            rows = topology.types[getattr(topology, name)].tolist()
            found[kind] = _numbered([min(k, k[::-1]) for k in map(tuple, rows)])
        return found

    @cached_property
    def reach(self) -> float:
        """The longest bond of the state, in our units."""
        return self._longest(self.state.topology.bonds)

    @cached_property
    def springs(self) -> tuple[list[tuple[float, float]], Places]:
        """The distinct springs of a network, k and r0, and which of them each one is."""
        network = self.model.network
        if network is None:
            return [], np.empty(0, dtype=np.intp)
        return _numbered(list(zip(network.k.tolist(), network.r0.tolist(), strict=True)))

    @cached_property
    def longest(self) -> float:
        """The longest spring of the network, stretched or at rest."""
        if not self.springs[0]:
            return 0.0
        network = self.model.network
        return max(self._longest(network.pairs), float(network.r0.max()))

    def _longest(self, pairs: NDArray[Any]) -> float:
        lengths = _core.bond_lengths(self.state.positions, self.state.box, pairs)
        return float(lengths.max(initial=0.0))

    # ------------------------------------------------------------------ the model

    def _model(self) -> list[str]:
        triclinic = np.any(np.tril(self.state.box, -1) != 0)
        return [
            "# A force field and a state, written by regrain; run.in shows how to use them.",
            f"units {self.scale.style}",
            "atom_style full",
            *(["box tilt large"] if triclinic else []),
            self._special_bonds(),
            f"read_data {DATA}{self._room()}",
            *self._pairs(),
            *(line for kind in BONDED for line in self._bonded(kind)),
            *self._joined(),
            *self._ghosts(),
        ]

    def _special_bonds(self) -> str:
        """What pairs one, two and three bonds apart feel of each other."""
        weights = ["0" if k < self.model.exclude else "1" for k in range(FARTHEST)]
        scale = self.model.scale_14
        if scale is None:
            return f"special_bonds lj/coul {' '.join(weights)}"
        near = " ".join(weights[:2])
        return f"special_bonds lj {near} {scale.pairs!r} coul {near} {scale.charges!r}"

    def _room(self) -> str:
        """Room for the springs that are to come."""
        if not self.springs[0]:
            return ""
        most = int(np.bincount(self.model.network.pairs.ravel()).max())
        return f" extra/bond/per/atom {most}"

    def _pairs(self) -> list[str]:
        kinds, rows = self.kinds[0], []
        known: dict[tuple[str, str], Style] = {}
        for j, (b, _) in enumerate(kinds):
            for i, (a, _) in enumerate(kinds[: j + 1]):
                types = (min(a, b), max(a, b))
                if types not in known:  # types of several masses share a table
                    known[types] = self._pair(types, self.model.pairs[types])
                rows.append(Row(f"{i + 1} {j + 1}", *known[types], types))
        longest = repr(self.model.cutoff * self.scale.length)
        uses = {
            key: Use(key.split()[0], longest, key.partition(" ")[2])
            for key in LENNARD_JONES.values()
        }
        uses["table"] = Use("table", f"spline {self.points}", "")
        overlays = [
            *charges(self.model, self.state, self.scale),
            *triples(self.model, kinds, self.scale, self.points),
        ]
        if not overlays and all(row.style == "none" for row in rows):
            nothing = 2.0 * self.scale.length * max(self.reach, self.longest) or 1.0
            return [f"pair_style zero {nothing!r}", "pair_coeff * *"]
        for overlay in overlays:
            uses[overlay.row.style] = overlay.use
            self.tables.update(overlay.files)
        lines = commands("pair", [*rows, *(overlay.row for overlay in overlays)], uses)
        return [*lines, *(line for overlay in overlays for line in overlay.commands)]

    def _pair(self, types: tuple[str, str], potential: Any) -> Style:
        if potential is None:
            return "none", ()
        length, energy = self.scale.length, self.scale.energy
        if isinstance(potential, WCA):
            potential = potential.lennard_jones
        if isinstance(potential, LennardJones):
            numbers = (potential.epsilon * energy, potential.sigma * length)
            return LENNARD_JONES[potential.mode], (*numbers, potential.cutoff * length)
        curve = pair_curve(types, potential, 0.0)
        table = self._table("pair", pair_rows(curve, self.points, self.grid, self.scale))
        return "table", (*table, curve.high * length)

    def _bonded(self, kind: str) -> list[str]:
        rows: list[Row] = []
        for types in self.terms[kind][0]:
            potential = getattr(self.model, BONDED[kind])[types]
            style = native(potential, self.scale)
            if style is None:
                curve = bonded_curve(types, potential)
                table = bonded_rows(kind, curve, self.points, self.scale)
                style = "table", self._table(kind, table)
            rows.append(Row(str(len(rows) + 1), *style, types))
        if kind == "bond":
            for k, r0 in self.springs[0]:
                style = harmonic(k, r0, self.scale)
                rows.append(Row(str(len(rows) + 1), *style, ("spring",)))
        return commands(kind, rows, {"table": Use("table", f"spline {self.points}", "")})

    def _joined(self) -> list[str]:
        """Springs, which are bonds that exclude nothing: made after what bonds exclude is known."""
        if not self.springs[0]:
            return []
        first = len(self.terms["bond"][0]) + 1
        pairs = (self.model.network.pairs + 1).tolist()
        self.tables[NETWORK] = [
            f"create_bonds single/bond {first + kind} {i} {j} special no"
            for (i, j), kind in zip(pairs, self.springs[1].tolist(), strict=True)
        ]
        return [f"include {NETWORK}"]

    def _table(self, kind: str, rows: tuple[str, list[str]]) -> tuple[str, str]:
        """Add a section to the tables of a kind; the file and the section."""
        file = f"{kind}s.table"
        lines = self.tables.setdefault(file, [f"# UNITS: {self.scale.style}"])
        name = f"{kind}_{sum(line.startswith(kind) for line in lines) + 1}"
        lines += ["", name, rows[0], "", *rows[1]]
        return file, name

    def _ghosts(self) -> list[str]:
        """Partners of bonded terms are found even where no pair potential reaches as far."""
        needed = max(3.0 * self.reach, 1.5 * self.longest)
        return [f"comm_modify cutoff {needed * self.scale.length!r}"] * (needed > self.model.cutoff)

    # ------------------------------------------------------------------ the state

    def _data(self) -> list[str]:
        state, topology, s = self.state, self.state.topology, self.scale
        kinds, which = self.kinds
        lines = [
            "A state, written by regrain",
            "",
            f"{len(state)} atoms",
            f"{len(kinds)} atom types",
        ]
        for kind, name in BONDED.items():
            types = len(self.terms[kind][0]) + (len(self.springs[0]) if kind == "bond" else 0)
            if types:
                lines += [f"{len(getattr(topology, name))} {name}", f"{types} {kind} types"]
        box = (state.box * s.length).tolist()
        lines += ["", *(f"0.0 {box[k][k]!r} {x}lo {x}hi" for k, x in enumerate("xyz"))]
        if np.any(np.tril(state.box, -1) != 0):
            lines += [f"{box[1][0]!r} {box[2][0]!r} {box[2][1]!r} xy xz yz"]
        lines += ["", "Masses", ""]
        lines += [f"{k + 1} {mass!r}  # {plain(name)}" for k, (name, mass) in enumerate(kinds)]
        images = np.zeros((len(state), 3), int) if state.images is None else state.images
        molecules = np.unique(topology.residues, return_inverse=True)[1] + 1
        columns = (molecules, which + 1, topology.charges, state.positions * s.length, images)
        lines += _rows("Atoms # full", *columns)
        if state.velocities is not None:
            lines += _rows("Velocities", state.velocities * s.velocity)
        for kind, name in BONDED.items():
            if len(getattr(topology, name)):
                lines += _rows(name.title(), self.terms[kind][1] + 1, getattr(topology, name) + 1)
        return lines

    def _run(self) -> list[str]:
        """A short run, to be changed by its user."""
        s, warm = self.scale, self.model.temperature
        lines = [
            "# lmp -in run.in, or with other numbers: lmp -in run.in -var steps 100000",
            "variable steps index 10000",
            "variable every index 100",
            f"variable dt index {0.001 * s.time!r}"
            if s.style == "real"
            else "variable dt index 0.005",
        ]
        if warm is not None:
            lines += [f"variable temperature index {warm!r}", "variable seed index 1"]
        lines += [f"include {MODEL}"]
        if self.state.velocities is None and warm is not None:
            lines += ["velocity all create ${temperature} ${seed} mom yes rot no dist gaussian"]
        lines += ["fix move all nve"]
        if warm is not None:
            damping = f"{s.time!r}"
            lines += [
                f"fix bath all langevin ${{temperature}} ${{temperature}} {damping} ${{seed}}"
            ]
        # Not the forces: those that LAMMPS writes have the noise of the bath in them.
        columns = "id type x y z ix iy iz vx vy vz"
        return [
            *lines,
            f"dump frames all custom ${{every}} frames.lammpstrj {columns}",
            "dump_modify frames sort id units yes time yes",
            "thermo ${every}",
            "thermo_modify norm no",
            "timestep ${dt}",
            "run ${steps}",
        ]


def _rows(title: str, *columns: NDArray[Any]) -> list[str]:
    """A section of a data file, its rows numbered from 1."""
    parts = [np.asarray(c).reshape(len(c), -1).tolist() for c in columns]
    lines = ["", title, ""]
    for k, row in enumerate(zip(*parts, strict=True)):
        lines.append(f"{k + 1} " + " ".join(repr(x) for part in row for x in part))
    return lines


def _numbered(given: Sequence[H]) -> tuple[list[H], Places]:
    """The distinct items in order, and the place of each."""
    distinct = sorted(set(given))  # type: ignore[type-var]
    place = {item: k for k, item in enumerate(distinct)}
    return distinct, np.array([place[item] for item in given], dtype=np.intp)
