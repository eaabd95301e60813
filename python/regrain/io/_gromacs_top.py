"""A force field and a state as a topology of GROMACS, with tables where it has no function."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.io._sampled import BONDED, Curve, Floats, bonded_curve
from regrain.io._to_gromacs import pair_tables
from regrain.particles import (
    CosineAngle,
    Ewald,
    FENEBond,
    FourierDihedral,
    HarmonicAngle,
    HarmonicBond,
    HarmonicDihedral,
    LennardJones,
    Particles,
    PeriodicDihedral,
    RigidBond,
)

__all__ = ["topology"]

Types = tuple[str, ...]
Lengths = Mapping[tuple[str, str], float]
# Function types: a bond that only excludes, a spring that does not, a table.
CONNECTION, SPRING, TABLE = 5, 6, 8
MODIFIERS = {"cut": "None", "shifted": "Potential-shift"}
# Letters of the files of bonded tables.
LETTERS = {"bond": "b", "angle": "a", "dihedral": "d"}


def topology(
    model: Any, state: Particles, stem: str, *, points: int, constraints: Lengths | None
) -> dict[str, str]:
    """The files of a system: ``.top``, ``.itp`` with its molecules, and tables."""
    return _Top(model, state, stem, points, constraints or {}).files()


class _Top:
    """A force field and a state in the terms of GROMACS."""

    def __init__(
        self, model: Any, state: Particles, stem: str, points: int, constraints: Lengths
    ) -> None:
        model.compile(state)  # says what is missing
        if any(p is not None for p in model.triples.values()):
            raise RegrainError("GROMACS has no potentials of triples; use another engine")
        if model.scale_14 is not None:
            raise RegrainError(
                "GROMACS has 1-4 pairs without the cutoff of other pairs, so that "
                f"{model.scale_14!r} is not written for it; use LAMMPS or OpenMM"
            )
        self.model, self.state, self.stem, self.points = model, state, stem, points
        self.tables: dict[str, str] = {}
        self.numbers: dict[tuple[str, Types], int] = {}
        self.constraints = {tuple(sorted(types)): d for types, d in constraints.items()}
        for types in self.constraints:
            if types not in {tuple(sorted(key)) for key in model.bonds}:
                raise RegrainError(
                    f"constraints: the force field has no bond {'-'.join(types)}; it has "
                    + (", ".join("-".join(key) for key in model.bonds) or "none")
                )

    def files(self) -> dict[str, str]:
        """All files by name."""
        top, itp = f"{self.stem}.top", f"{self.stem}.itp"
        molecules = self._molecules()
        pairs = {} if self.analytic else pair_tables(self.model, self.stem, points=self.points)
        system = [*self._head(), f'#include "{itp}"', "", *molecules[1]]
        return {
            top: "\n".join(system) + "\n",
            itp: "\n".join(molecules[0]) + "\n",
            **pairs,
            **self.tables,
        }

    # ------------------------------------------------------------------ pairs

    @cached_property
    def analytic(self) -> bool:
        """Whether all pairs are Lennard-Jones functions that end in the same way."""
        pairs = [p for p in self.model.pairs.values() if p is not None]
        ends = {(p.mode, p.cutoff) if isinstance(p, LennardJones) else None for p in pairs}
        modes = {end[0] for end in ends if end is not None}
        return len(ends) <= 1 and None not in ends and modes <= set(MODIFIERS)

    def _head(self) -> list[str]:
        topology = self.state.topology
        lines = [
            "; A force field and a state, written by regrain. Settings of grompp that go with it:",
            *(f";   {line}" for line in self._settings()),
            "",
            *("[ defaults ]", "; C6 and C12 of every pair stand below", "1 1 no 1.0 1.0", ""),
            "[ atomtypes ]",
        ]
        for name in topology.type_names:
            mass = float(topology.masses[topology.types == name][0])
            lines.append(f"{name} {mass!r} 0.0 A 0.0 0.0")
        lines += ["", "[ nonbond_params ]"]
        for types, potential in self.model.pairs.items():
            if set(types) <= set(topology.type_names):
                c6, c12 = self._coefficients(potential)
                lines.append(f"{types[0]} {types[1]} 1 {c6!r} {c12!r}")
        return [*lines, ""]

    def _coefficients(self, potential: Any) -> tuple[float, float]:
        if potential is None:
            return 0.0, 0.0
        if not self.analytic:
            return 0.0, 1.0
        depth, s6 = 4.0 * potential.epsilon, potential.sigma**6
        return depth * s6, depth * s6**2

    def _settings(self) -> list[str]:
        """What a parameter file must say so that the model is this one."""
        pairs = [p for p in self.model.pairs.values() if p is not None]
        lines = []
        if self.analytic and pairs:
            modifier = MODIFIERS[pairs[0].mode]
            lines += [f"vdwtype = Cut-off, vdw-modifier = {modifier}, rvdw = {pairs[0].cutoff!r}"]
        if not self.analytic:
            longest = max(p.cutoff for p in pairs)
            lines += [
                f"vdwtype = User, rvdw = {longest!r}, cutoff-scheme = group (GROMACS to 2019)"
            ]
        law = self.model.charges
        if isinstance(law, Ewald):
            lines += [
                f"coulombtype = PME, rcoulomb = {law.cutoff!r}, epsilon-r = {law.dielectric!r}"
            ]
        elif law is not None:
            beyond = 0.0 if np.isinf(law.permittivity) else law.permittivity
            lines += [
                f"coulombtype = Reaction-Field, rcoulomb = {law.cutoff!r}, "
                f"epsilon-r = {law.dielectric!r}, epsilon-rf = {beyond!r}"
            ]
        if self.tables:
            lines += [f"mdrun -tableb {' '.join(self.tables)}"]
        return lines

    # ------------------------------------------------------------------ molecules

    def _molecules(self) -> tuple[list[str], list[str]]:
        """The molecule types, and the list of molecules."""
        topology = self.state.topology
        known: dict[Hashable, str] = {}
        order: list[list[Any]] = []
        lines = [f"; Molecules, written by regrain; part of {self.stem}.top"]
        for start, end in self._segments():
            text = self._molecule(start, end)
            key = "\n".join(text)
            if key not in known:
                residue = str(topology.residue_names[start])
                plain = "".join(c if c.isalnum() else "_" for c in residue)
                taken = list(known.values())
                name = plain if plain not in taken else f"{plain}_{len(taken) + 1}"
                known[key] = name
                lines += ["", "[ moleculetype ]", f"{name} {self.model.exclude}", *text]
            if order and order[-1][0] == known[key]:
                order[-1][1] += 1
            else:
                order.append([known[key], 1])
        counted = ["[ system ]", "A state, written by regrain", "", "[ molecules ]"]
        return lines, [*counted, *(f"{name} {count}" for name, count in order)]

    def _segments(self) -> Iterable[tuple[int, int]]:
        """The shortest runs of particles that no bonded term leaves."""
        topology = self.state.topology
        covered = np.zeros(len(topology) + 1, dtype=int)
        groups = [getattr(topology, name) for name in BONDED.values()]
        for terms in [*groups, *([self._springs[0]] if len(self._springs[0]) else [])]:
            if len(terms):
                np.add.at(covered, terms.min(axis=1), 1)
                np.add.at(covered, terms.max(axis=1), -1)
        ends = np.flatnonzero(np.cumsum(covered)[: len(topology)] == 0) + 1
        return zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)

    @cached_property
    def _springs(self) -> tuple[NDArray[Any], Floats, Floats]:
        network = self.model.network
        if network is None:
            return np.empty((0, 2), dtype=int), np.empty(0), np.empty(0)
        return network.pairs, network.k, network.r0

    def _molecule(self, start: int, end: int) -> list[str]:
        topology = self.state.topology
        lines = ["", "[ atoms ]", "; nr type residue name atom group charge mass"]
        residues = np.unique(topology.residues[start:end], return_inverse=True)[1].reshape(-1) + 1
        for k, i in enumerate(range(start, end)):
            names = (str(topology.residue_names[i]), str(topology.names[i]))
            lines.append(
                f"{k + 1} {topology.types[i]} {residues[k]} {names[0]} {names[1]} {k + 1} "
                f"{float(topology.charges[i])!r} {float(topology.masses[i])!r}"
            )
        for kind, name in BONDED.items():
            rows, fixed = self._rows(kind, start, end)
            lines += ["", f"[ {name} ]", *rows] if rows else []
            lines += ["", "[ constraints ]", *fixed] if fixed else []
        return lines

    def _rows(self, kind: str, start: int, end: int) -> tuple[list[str], list[str]]:
        """Lines of a section of a molecule, and those of its constraints."""
        topology = self.state.topology
        terms = getattr(topology, BONDED[kind])
        inside = terms[(terms[:, 0] >= start) & (terms[:, 0] < end)]
        rows: list[str] = []
        fixed: list[str] = []
        for term in inside.tolist():
            where = " ".join(str(i - start + 1) for i in term)
            types = tuple(topology.types[term].tolist())
            key = min(types, types[::-1])
            length = self._length(key) if kind == "bond" else None
            if length is not None:
                fixed.append(f"{where} 1 {float(length)!r}")
                continue
            rows += [f"{where} {words}" for words in self._function(kind, key)]
        if kind == "bond":
            pairs, k, r0 = self._springs
            chosen = (pairs.min(axis=1, initial=end) >= start) & (pairs[:, 0] < end)
            columns = (pairs[chosen] - start + 1, r0[chosen], k[chosen])
            for (i, j), length, stiff in zip(*(c.tolist() for c in columns), strict=True):
                rows.append(f"{i} {j} {SPRING} {length!r} {stiff!r}")
        return rows, fixed

    def _length(self, types: Types) -> float | None:
        """Of a bond that is a constraint."""
        law = self.model.bonds[types]
        if isinstance(law, RigidBond):
            return law.r0
        return self.constraints.get(tuple(sorted(types)))

    def _function(self, kind: str, types: Types) -> list[str]:
        """Function type and parameters of a term; several for a sum."""
        potential = getattr(self.model, BONDED[kind])[types]
        if potential is None:
            return [str(CONNECTION)] if kind == "bond" else []
        known = _native(potential)
        if known is not None:
            return [" ".join(_word(x) for x in words) for words in known]
        number = self.numbers.get((kind, types))
        if number is None:
            number = sum(k == kind for k, _ in self.numbers)
            self.numbers[kind, types] = number
            file = f"{self.stem}_{LETTERS[kind]}{number}.xvg"
            self.tables[file] = _table(kind, bonded_curve(types, potential), self.points)
        return [f"{TABLE} {number} 1.0"]


def _native(potential: Any) -> list[tuple[float | int, ...]] | None:
    """The functions of GROMACS that are exactly this potential; angles in degrees."""
    if isinstance(potential, HarmonicBond):
        return [(1, potential.r0, potential.k)]
    if isinstance(potential, FENEBond):
        return [(7, potential.r_max, potential.k)]
    if isinstance(potential, HarmonicAngle):
        return [(1, np.degrees(potential.theta0), potential.k)]
    if isinstance(potential, CosineAngle):
        return [(2, np.degrees(potential.theta0), potential.k)]
    if isinstance(potential, HarmonicDihedral):
        return [(2, np.degrees(potential.phi0), potential.k)]
    if isinstance(potential, PeriodicDihedral):
        return [(9, np.degrees(potential.phi0), potential.k, potential.n)]
    if isinstance(potential, FourierDihedral):
        phases = np.degrees(cast(Floats, potential.phi0)).tolist()
        modes = enumerate(zip(phases, potential.k.tolist(), strict=True))
        return [(9, phase, k, n + 1) for n, (phase, k) in modes]
    return None


def _word(x: float | int) -> str:
    return str(x) if isinstance(x, int) else repr(float(x))


def _table(kind: str, curve: Curve, points: int) -> str:
    """x, f and -f'; bonds from 0 on, angles in degrees."""
    low = 0.0 if kind == "bond" else curve.low
    x = np.linspace(low, curve.high, points)
    u, f = curve.values(x)
    scale = 1.0 if kind == "bond" else 180.0 / np.pi
    unit = "nm" if kind == "bond" else "degrees"
    lines = [f"# {curve.name}, written by regrain: x f -f' in {unit} and kJ/mol"]
    columns = ((x * scale).tolist(), u.tolist(), (f / scale).tolist())
    lines += [f"{a:.12e} {b:.12e} {c:.12e}" for a, b, c in zip(*columns, strict=True)]
    return "\n".join(lines) + "\n"
