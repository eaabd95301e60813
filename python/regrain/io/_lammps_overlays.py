"""What LAMMPS lays over its pair potentials: charges, and triples of particles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from regrain import _core
from regrain.errors import RegrainError
from regrain.io._lammps_styles import Row, Use, table_rows
from regrain.io._lammps_units import Scale
from regrain.io._sampled import Curve, arms
from regrain.particles import Ewald, Particles, StillingerWeber

__all__ = ["Overlay", "charges", "triples"]

# From so many particles on, a mesh is faster than the sum over wave vectors.
MANY = 3000


class Overlay(NamedTuple):
    """A pair style on all pairs, its files, and commands that go with it."""

    row: Row
    use: Use
    files: dict[str, list[str]]
    commands: list[str]


def charges(model: Any, state: Particles, scale: Scale) -> list[Overlay]:
    """The style of the charges, and the sum over what is beyond its cutoff."""
    law = model.charges
    if law is None or not np.any(state.topology.charges):
        return []
    if not isinstance(law, Ewald):
        raise RegrainError(
            f"LAMMPS has no reaction field that is {law!r}; use Ewald charges, or another engine"
        )
    bonds = model.exclude if model.scale_14 is None else 3
    excluded = state.topology.exclusions(bonds)
    farthest = _core.bond_lengths(state.positions, state.box, excluded).max(initial=0.0)
    if farthest > law.cutoff:
        raise RegrainError(
            f"two particles that bonds exclude are {farthest:g} apart, beyond the cutoff of the "
            f"charges, {law.cutoff:g}, where LAMMPS does not exclude them; give a longer one"
        )
    # LAMMPS counts errors of forces in those of two unit charges at distance 1.
    q2 = float(np.mean(state.topology.charges**2))
    density = len(state) / (state.volume * scale.length**3)
    error = law.accuracy * q2 * density ** (2 / 3)
    use = Use("coul/long", repr(law.cutoff * scale.length), "table 0")
    on_mesh = len(state) > MANY if law.mesh is None else law.mesh
    kspace = "pppm" if on_mesh else "ewald"
    commands = [f"kspace_style {kspace} {error!r}"]
    if law.dielectric != 1.0:
        commands += [f"dielectric {law.dielectric!r}"]
    return [Overlay(Row("* *", "coul/long", (), ("charges",)), use, {}, commands)]


def triples(
    model: Any, kinds: Sequence[tuple[str, float]], scale: Scale, points: int
) -> list[Overlay]:
    """One style for each kind of triple, as arms of LAMMPS know only their ends."""
    found: list[Overlay] = []
    for types, potential in model.triples.items():
        if potential is None or not set(types) <= {name for name, _ in kinds}:
            continue
        k = len(found) + 1
        native = isinstance(potential, StillingerWeber) and potential.epsilon >= 0
        file, table = f"triple_{k}.sw", f"triple_{k}.table"
        files = {file: _parameters(types, potential, scale, points, None if native else table)}
        if not native:
            files[table] = _angles(types, potential, scale, points)
        elements = [f"T{sorted(set(types)).index(name) + 1}" if name in types else "NULL"
                    for name, _ in kinds]  # fmt: skip
        style = "sw" if native else "sw/angle/table"
        row = Row("* *", f"triple {k}", (file, *elements), types)
        found.append(Overlay(row, Use(style, "", ""), files, []))
    return found


def _parameters(
    types: tuple[str, ...], potential: Any, scale: Scale, points: int, table: str | None
) -> list[str]:
    """A file of Stillinger-Weber parameters: three bodies only, and one kind of them."""
    names = sorted(set(types))
    arm = dict(zip((types[0], types[2]), arms(potential), strict=True))
    lines = [
        f"# UNITS: {scale.style}",
        f"# {'-'.join(types)!a}, written by regrain",
        "# centre end end epsilon sigma a lambda gamma cos(theta0) A B p q tol",
    ]
    for centre, one, other in product(names, repeat=3):
        acts = centre == types[1] and sorted((one, other)) == sorted((types[0], types[2]))
        here = centre == types[1] and one == other and one in arm
        length, fade = arm[one] if here else (1.0, 0.0)
        numbers = [
            potential.epsilon * scale.energy if acts and table is None else 0.0,
            *(length * scale.length, 1.0 if here else 0.0, 1.0, fade / length),
            np.cos(potential.theta0) if table is None else 0.0,
            *(0.0, 0.0, 0.0, 0.0, 0.0),
        ]
        words = [f"T{names.index(name) + 1}" for name in (centre, one, other)]
        words += [repr(float(x)) for x in numbers]
        if table is not None:
            words += [table, "ANGLE" if acts else "NOTHING", "spline", str(points)]
        lines.append(" ".join(words))
    return lines


def _angles(types: tuple[str, ...], potential: Any, scale: Scale, points: int) -> list[str]:
    """The angular part as a table, and a table of nothing."""
    curve = Curve(types, potential, 0.0, float(np.pi))
    theta = np.linspace(curve.low, curve.high, points)
    # An arm of no length has φ = exp(-decay / r_max), by which the derivative is divided.
    slope = -potential.gradient(0.0, 0.0, theta)[2]
    fade = np.exp(-sum(decay / reach for reach, decay in arms(potential)))
    degrees = np.degrees(theta)
    degrees[-1] = 180.0
    values = (potential.f(theta), slope / fade)
    zero = (np.zeros(points), np.zeros(points))
    lines = [f"# UNITS: {scale.style}"]
    for name, columns in (("ANGLE", values), ("NOTHING", zero)):
        rows = table_rows(degrees, columns, scale.energy, 180.0 / np.pi)
        lines += ["", name, f"N {points}", "", *rows]
    return lines
