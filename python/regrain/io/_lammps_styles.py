"""The styles of LAMMPS: its commands and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from regrain.io._lammps_units import UNITS, Scale
from regrain.io._sampled import Curve, Floats, pair_curves, types_of
from regrain.particles import (
    CosineAngle,
    FENEBond,
    FourierDihedral,
    HarmonicAngle,
    HarmonicBond,
    HarmonicDihedral,
    PeriodicDihedral,
)

__all__ = [
    "Row",
    "Style",
    "Use",
    "bonded_rows",
    "commands",
    "harmonic",
    "native",
    "pair_rows",
    "pair_tables",
    "plain",
    "table_rows",
]

# Which use of a style (its name, if there is one only), and the coefficients.
Style = tuple[str, tuple[float | int | str, ...]]


class Use(NamedTuple):
    """How a style is used: its name, its arguments, and what pair_modify says of it."""

    name: str
    arguments: str
    modified: str


class Row(NamedTuple):
    """The style and the coefficients of one type, or pair of types."""

    where: str
    style: str
    numbers: tuple[float | int | str, ...]
    types: tuple[str, ...]


def pair_tables(model: Any, name: str, *, points: int = 4001, grid: str = "r") -> str:
    """A file of pair tables, with the commands that read it at its top.

    Parameters
    ----------
    model : ForceField
    name : str
        What the file will be called.
    points, grid
        As in ``export``.

    Examples
    --------
    >>> from regrain.io.lammps import pair_tables
    >>> from regrain.particles import ForceField, LennardJones
    >>> lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)
    >>> text = pair_tables(ForceField({("A", "A"): lj}), "lj.table", points=11)
    >>> text.splitlines()[-1]  # number, r, energy, force
    '11 2.5 -0.016316891136000006 -0.03899947745279999'
    """
    curves, scale = pair_curves(model), UNITS[model.units]
    number = {kind: i + 1 for i, kind in enumerate(types_of(curves))}
    lines = [
        f"# UNITS: {scale.style}",
        "# Pair potentials written by regrain. To read them:",
        f"#   units      {scale.style}",
        f"#   pair_style table spline {points}",
    ]
    for curve in curves:
        i, j = sorted(number[kind] for kind in curve.types)
        lines.append(f"#   pair_coeff {i} {j} {name} {curve.name} {curve.high * scale.length!r}")
    for curve in curves:
        head, rows = pair_rows(curve, points, grid, scale)
        lines += ["", curve.name, head, "", *rows]
    return "\n".join(lines) + "\n"


def commands(kind: str, rows: Sequence[Row], uses: Mapping[str, Use]) -> list[str]:
    """The style and the coefficients; a hybrid of several styles where one will not do."""
    if not rows:
        return []
    styles = sorted({row.style for row in rows} - {"none"})
    alone = len(styles) == 1 and all(row.style == styles[0] for row in rows)
    # What acts on all pairs is laid over what acts on some.
    overlaid = any(row.where == "* *" for row in rows)
    used = {style: uses.get(style, Use(style, "", "")) for style in styles}
    names = [use.name for use in used.values()]
    told = {"none": "none"}
    for k, (style, name) in enumerate(zip(styles, names, strict=True)):
        place = names[: k + 1].count(name)
        told[style] = name if names.count(name) == 1 else f"{name} {place}"
    words = [f"{use.name} {use.arguments}".strip() for use in used.values()]
    hybrid = "" if alone else "hybrid/overlay " if overlaid else "hybrid "
    lines = [f"{kind}_style {hybrid}{' '.join(words)}"]
    for row in rows:
        words = [row.where, *([] if alone else [told[row.style]]), *map(_word, row.numbers)]
        lines.append(f"{kind}_coeff {' '.join(words)}  # {'-'.join(map(plain, row.types))}")
    for style, use in used.items():
        if use.modified:
            lines.append(f"pair_modify {'' if alone else f'pair {told[style]} '}{use.modified}")
    return lines


def _word(x: float | int | str) -> str:
    return str(x) if isinstance(x, str | int) else repr(float(x))


def native(potential: Any, s: Scale) -> Style | None:
    """The style of LAMMPS that is exactly this bonded potential, if there is one."""
    if potential is None:
        return "zero", ()
    if isinstance(potential, HarmonicBond):
        return harmonic(potential.k, potential.r0, s)
    if isinstance(potential, FENEBond):
        # Its own repulsion (epsilon, sigma) is a pair potential here.
        stiffness, longest = potential.k * s.energy / s.length**2, potential.r_max * s.length
        return "fene", (stiffness, longest, 0.0, longest)
    if isinstance(potential, HarmonicAngle):
        return "harmonic", (0.5 * potential.k * s.energy, np.degrees(potential.theta0))
    if isinstance(potential, CosineAngle):
        return "cosine/squared", (0.5 * potential.k * s.energy, np.degrees(potential.theta0))
    if isinstance(potential, HarmonicDihedral):
        return "quadratic", (0.5 * potential.k * s.energy, np.degrees(potential.phi0))
    if isinstance(potential, FourierDihedral):
        phases = np.degrees(
            np.zeros_like(potential.k) if potential.phi0 is None else potential.phi0
        )
        modes = enumerate(zip((potential.k * s.energy).tolist(), phases.tolist(), strict=True))
        numbers = (x for n, (k, phase) in modes for x in (k, n + 1, phase))
        return "fourier", (len(potential.k), *numbers)
    if isinstance(potential, PeriodicDihedral):
        return "fourier", (1, potential.k * s.energy, potential.n, np.degrees(potential.phi0))
    return None


def harmonic(k: float, r0: float, s: Scale) -> Style:
    return "harmonic", (0.5 * k * s.energy / s.length**2, r0 * s.length)


def pair_rows(curve: Curve, points: int, grid: str, scale: Scale) -> tuple[str, list[str]]:
    """Head and rows of the table of a pair, on a grid that is even in r or in r²."""
    r = np.linspace(curve.low, curve.high, points)
    if grid == "rsq":
        r = np.sqrt(np.linspace(curve.low**2, curve.high**2, points))
        r[[0, -1]] = curve.low, curve.high
    x = r * scale.length
    head = f"N {points} {grid.upper()} {float(x[0])!r} {float(x[-1])!r}"
    return head, table_rows(x, curve.values(r), scale.energy, scale.length)


def bonded_rows(kind: str, curve: Curve, points: int, scale: Scale) -> tuple[str, list[str]]:
    """Head and rows of the table of a bonded term; angles in degrees, a turn without its end."""
    x = np.linspace(curve.low, curve.high, points, endpoint=kind != "dihedral")
    values = curve.values(x)
    if kind == "bond":
        length, head = scale.length, f"N {points}"
        return head, table_rows(x * length, values, scale.energy, length)
    degree = 180.0 / np.pi
    angles = np.degrees(x)
    if kind == "angle":
        angles[[0, -1]] = 0.0, 180.0
        return f"N {points}", table_rows(angles, values, scale.energy, degree)
    return f"N {points} DEGREES", table_rows(angles, values, scale.energy, degree)


def table_rows(x: Floats, values: tuple[Floats, Floats], energy: float, length: float) -> list[str]:
    """Index, coordinate, energy, force; ``length`` is theirs per unit of our coordinate."""
    columns = (x, values[0] * energy, values[1] * (energy / length))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [f"{k + 1} {a!r} {b!r} {c!r}" for k, (a, b, c) in enumerate(rows)]


def plain(name: str) -> str:
    """A type name that cannot end a comment, or go on in the next line."""
    return name if name.isprintable() and "&" not in name else ascii(name)
