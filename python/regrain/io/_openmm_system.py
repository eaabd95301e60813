"""A force field and a state as a System of OpenMM, in the XML that its XmlSerializer reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from xml.etree import ElementTree as Xml

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.io._sampled import BONDED, Floats, arms, bonded_curve, pair_curve
from regrain.io._to_openmm import Function, energy, functions, place
from regrain.particles import (
    CosineAngle,
    Ewald,
    FENEBond,
    FourierDihedral,
    HarmonicAngle,
    HarmonicBond,
    HarmonicDihedral,
    Particles,
    PeriodicDihedral,
    RigidBond,
)
from regrain.particles.terms import found
from regrain.units import units as unit_system

__all__ = ["system"]

Row = Mapping[str, float | int | str]
COORDINATE = {
    "bond": "distance(p1,p2)",
    "angle": "angle(p1,p2,p3)",
    "dihedral": "dihedral(p1,p2,p3,p4)",
}
WIDTH = {"bond": 2, "angle": 3, "dihedral": 4}
# Forces of OpenMM that are exactly a potential of ours: their element, version, and parts.
NATIVE = {
    "bond": ("HarmonicBondForce", "2", "Bonds", "Bond"),
    "angle": ("HarmonicAngleForce", "2", "Angles", "Angle"),
    "dihedral": ("PeriodicTorsionForce", "2", "Torsions", "Torsion"),
}
# Methods of its non-bonded forces.
PERIODIC, PME = 2, 4


def system(model: Any, state: Particles, *, points: int) -> bytes:
    """A ``<System>`` that is complete but for positions and velocities."""
    model.compile(state)  # says what is missing
    topology = state.topology
    near = topology.exclusions(model.exclude)
    scaled = _scaled_pairs(model, state)
    excluded = np.unique(np.concatenate([near, scaled]), axis=0)
    root = Xml.Element("System", openmmVersion="8.0", type="System", version="1")
    _box(Xml.SubElement(root, "PeriodicBoxVectors"), state.box)
    particles = Xml.SubElement(root, "Particles")
    for mass in topology.masses.tolist():
        Xml.SubElement(particles, "Particle", mass=repr(mass))
    rows: list[Row] = [
        {"d": law.r0, "p1": i, "p2": j}
        for i, j in topology.bonds.tolist()
        for law in [found("bond", model.bonds, (str(topology.types[i]), str(topology.types[j])))]
        if isinstance(law, RigidBond)
    ]
    _list(root, "Constraints", "Constraint", rows)
    forces = Xml.SubElement(root, "Forces")
    _pairs(forces, model, state, excluded, points)
    for kind in BONDED:
        _bonded(forces, kind, model, state, points)
    _charges(forces, model, state, excluded, scaled)
    _scaled(forces, model, state, scaled, points)
    _triples(forces, model, state, excluded, points)
    Xml.indent(root)
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _box(element: Xml.Element, box: Floats) -> None:
    """The same lattice by the vectors that OpenMM wants: tilted by at most half an edge."""
    a, b, c = (vector.copy() for vector in box)
    c -= b * np.round(c[1] / b[1])
    c -= a * np.round(c[0] / a[0])
    b -= a * np.round(b[0] / a[0])
    for name, vector in zip("ABC", (a, b, c), strict=True):
        values = dict(zip("xyz", map(repr, vector.tolist()), strict=True))
        Xml.SubElement(element, name, values)


def _force(forces: Xml.Element, type: str, version: str, **attributes: str) -> Xml.Element:
    return Xml.SubElement(
        forces, "Force", {"type": type, "version": version, "forceGroup": "0", **attributes}
    )


def _list(force: Xml.Element, name: str, each: str, rows: Iterable[Row]) -> None:
    element = Xml.SubElement(force, name)
    for row in rows:
        Xml.SubElement(element, each, {key: _text(value) for key, value in row.items()})


def _text(value: float | int | str) -> str:
    return str(value) if isinstance(value, int | str) else repr(float(value))


def _exclusions(force: Xml.Element, excluded: NDArray[Any]) -> None:
    _list(force, "Exclusions", "Exclusion", ({"p1": i, "p2": j} for i, j in excluded.tolist()))


def _table(parent: Xml.Element, name: str, function: Function, *, periodic: bool = False) -> None:
    """A function on a uniform grid: a natural cubic spline in OpenMM, or a periodic one."""
    first, last, values, _ = function
    element = Xml.SubElement(
        parent,
        "Function",
        {
            **{"name": name, "type": "Continuous1DFunction", "version": "2"},
            **{"min": repr(first), "max": repr(last), "periodic": str(int(periodic))},
        },
    )
    _values(element, values)


def _values(element: Xml.Element, values: NDArray[Any]) -> None:
    inside = Xml.SubElement(element, "Values")
    for value in values.ravel().tolist():
        Xml.SubElement(inside, "Value", v=repr(value))


# ---------------------------------------------------------------------- pairs and charges


def _nonbonded(
    forces: Xml.Element,
    expression: str,
    cutoff: float,
    parameters: Sequence[str],
    rows: Iterable[Row],
    excluded: NDArray[Any],
) -> Xml.Element:
    """A CustomNonbondedForce; the element of its functions."""
    force = _force(
        forces,
        "CustomNonbondedForce",
        "3",
        **{"energy": expression, "method": str(PERIODIC), "cutoff": repr(cutoff)},
        **{"useSwitchingFunction": "0", "switchingDistance": "-1", "useLongRangeCorrection": "0"},
    )
    _list(force, "PerParticleParameters", "Parameter", ({"name": p} for p in parameters))
    for name in ("GlobalParameters", "ComputedValues", "EnergyParameterDerivatives"):
        Xml.SubElement(force, name)
    _list(force, "Particles", "Particle", rows)
    _exclusions(force, excluded)
    found = Xml.SubElement(force, "Functions")
    Xml.SubElement(force, "InteractionGroups")
    return found


def _pairs(
    forces: Xml.Element, model: Any, state: Particles, excluded: NDArray[Any], points: int
) -> None:
    names = state.topology.type_names
    tables = {
        types: function
        for types, function in functions(model, points).items()
        if set(types) <= set(names)
    }
    if not tables:
        return
    cutoff = max(function[1] for function in tables.values())
    kinds: list[Row] = [{"param1": float(k)} for k in state.topology.type_ids.tolist()]
    found = _nonbonded(forces, energy(tables), cutoff, ["kind"], kinds, excluded)
    size = str(len(names))
    which = Xml.SubElement(
        found,
        "Function",
        {"name": "which", "type": "Discrete2DFunction", "version": "1", "xsize": size,
         "ysize": size},
    )  # fmt: skip
    order = list(tables)
    _values(which, np.array([[float(place(order, a, b)) for a in names] for b in names]))
    for k, function in enumerate(tables.values()):
        _table(found, f"u{k}", function)


def _scaled_pairs(model: Any, state: Particles) -> NDArray[Any]:
    """Pairs three bonds apart, if they are something special."""
    if model.scale_14 is None:
        return np.empty((0, 2), dtype=np.int32)
    near = set(map(tuple, state.topology.exclusions(2).tolist()))
    pairs = [p for p in state.topology.exclusions(3).tolist() if tuple(p) not in near]
    return np.array(pairs, dtype=np.int32).reshape(-1, 2)


def _scaled(
    forces: Xml.Element, model: Any, state: Particles, scaled: NDArray[Any], points: int
) -> None:
    """Their pair potentials times the factor, one force for each two types."""
    keys = [tuple(sorted(names)) for names in state.topology.types[scaled].tolist()]
    for types in sorted(set(keys)):
        potential = model.pairs[types]
        if potential is None:
            continue
        curve = pair_curve(types, potential.scaled(model.scale_14.pairs), model.cutoff)
        r = np.linspace(curve.low, curve.high, points)
        u, f = curve.values(r)
        low, high = repr(curve.low), repr(curve.high)
        inside = f"u(min(max(x,{low}),{high}))-({float(f[0])!r})*min(0,x-{low})"
        chosen = scaled[[key == types for key in keys]]
        found = _compound(forces, f"step({high}-x)*({inside});x=distance(p1,p2)", chosen)
        _table(found, "u", (curve.low, curve.high, u, f))


def _charges(
    forces: Xml.Element,
    model: Any,
    state: Particles,
    excluded: NDArray[Any],
    scaled: NDArray[Any],
) -> None:
    law = model.charges
    factor = {tuple(pair): model.scale_14.charges for pair in scaled.tolist()}
    if law is None or not np.any(state.topology.charges):
        return
    charges = state.topology.charges
    if isinstance(law, Ewald):
        force = _force(
            forces,
            "NonbondedForce",
            "4",
            **{"method": str(PME), "cutoff": repr(law.cutoff), "alpha": "0"},
            **{"ewaldTolerance": repr(law.accuracy), "nx": "0", "ny": "0", "nz": "0"},
            **{"ljAlpha": "0", "ljnx": "0", "ljny": "0", "ljnz": "0", "rfDielectric": "1"},
            **{"dispersionCorrection": "0", "useSwitchingFunction": "0"},
            **{"switchingDistance": "-1", "recipForceGroup": "-1"},
            **{"exceptionsUsePeriodic": "1", "includeDirectSpace": "1"},
        )
        for name in ("GlobalParameters", "ParticleOffsets", "ExceptionOffsets"):
            Xml.SubElement(force, name)
        q = (charges / np.sqrt(law.dielectric)).tolist()
        _list(force, "Particles", "Particle", ({"q": x, "sig": 1.0, "eps": 0.0} for x in q))
        rows = (
            {"p1": i, "p2": j, "q": factor.get((i, j), 0.0) * q[i] * q[j], "sig": 1.0, "eps": 0.0}
            for i, j in excluded.tolist()
        )
        _list(force, "Exceptions", "Exception", rows)
        return
    inside = law.dielectric / law.permittivity
    k = (1.0 - inside) / (2.0 + inside) / law.cutoff**3
    c = 1.0 / law.cutoff + k * law.cutoff**2
    strength = unit_system(model.units).coulomb / law.dielectric
    field = f"{strength!r}*q1*q2*({{}}{k!r}*r^2-{c!r})"
    particles: list[Row] = [{"param1": q} for q in charges.tolist()]
    _nonbonded(forces, field.format("1/r+"), law.cutoff, ["q"], particles, excluded)
    # What excluded pairs and single charges do to the medium.
    _compound(
        forces,
        f"{strength!r}*qq*({k!r}*min(distance(p1,p2),{law.cutoff!r})^2-{c!r})",
        excluded,
        ["qq"],
        [charges[i] * charges[j] for i, j in excluded.tolist()],
    )
    if len(scaled):
        _compound(
            forces,
            f"{strength!r}*qq/distance(p1,p2)",
            scaled,
            ["qq"],
            [factor[i, j] * charges[i] * charges[j] for i, j in scaled.tolist()],
        )
    own = -0.5 * c * strength * float(np.sum(charges**2))
    _compound(forces, f"0*x1+{own!r}", np.zeros((1, 1), dtype=int))


# ---------------------------------------------------------------------- bonded terms


def _compound(
    forces: Xml.Element,
    expression: str,
    terms: NDArray[Any],
    parameters: Sequence[str] = (),
    values: Sequence[float] = (),
) -> Xml.Element:
    """A CustomCompoundBondForce; the element of its functions."""
    force = _force(
        forces,
        "CustomCompoundBondForce",
        "3",
        energy=expression,
        particles=str(terms.shape[1]),
        usesPeriodic="1",
    )
    _list(force, "PerBondParameters", "Parameter", ({"name": p} for p in parameters))
    for name in ("GlobalParameters", "EnergyParameterDerivatives"):
        Xml.SubElement(force, name)
    rows = [_particles(term) for term in terms.tolist()]
    for row, value in zip(rows, values, strict=False):
        row["param1"] = value
    _list(force, "Bonds", "Bond", rows)
    return Xml.SubElement(force, "Functions")


def _particles(term: Sequence[int]) -> dict[str, float | int]:
    return {f"p{k + 1}": i for k, i in enumerate(term)}


def _bonded(forces: Xml.Element, kind: str, model: Any, state: Particles, points: int) -> None:
    """All terms of a kind: what OpenMM has itself in one force, the rest in one per potential."""
    topology = state.topology
    terms: NDArray[Any] = getattr(topology, BONDED[kind])
    keys = [min(k, k[::-1]) for k in map(tuple, topology.types[terms].tolist())]
    native: list[Row] = []
    for types in sorted(set(keys)):
        potential = getattr(model, BONDED[kind])[types]
        chosen = terms[[key == types for key in keys]]
        if potential is None or isinstance(potential, RigidBond):
            continue
        rows = _native(potential)
        if rows is not None:
            native += [{**_particles(term), **row} for term in chosen.tolist() for row in rows]
            continue
        expression = _formula(potential)
        if expression is None:
            curve = bonded_curve(types, potential)
            _tabulated(forces, kind, curve.low, curve.high, curve, chosen, points)
        else:
            _compound(forces, f"{expression};x={COORDINATE[kind]}", chosen)
    if kind == "bond" and model.network is not None:
        springs = model.network
        columns = (springs.pairs.tolist(), springs.k.tolist(), springs.r0.tolist())
        native += [
            {**_particles(pair), "k": k, "d": r0} for pair, k, r0 in zip(*columns, strict=True)
        ]
    if native:
        type, version, group, each = NATIVE[kind]
        _list(_force(forces, type, version, usesPeriodic="1"), group, each, native)


def _native(potential: Any) -> list[Row] | None:
    """The terms of a force of OpenMM that are exactly this potential."""
    if isinstance(potential, HarmonicBond):
        return [{"k": potential.k, "d": potential.r0}]
    if isinstance(potential, HarmonicAngle):
        return [{"k": potential.k, "a": potential.theta0}]
    if isinstance(potential, PeriodicDihedral):
        return [{"k": potential.k, "periodicity": potential.n, "phase": potential.phi0}]
    if isinstance(potential, FourierDihedral):
        waves = zip(potential.k.tolist(), cast(Floats, potential.phi0).tolist(), strict=True)
        return [{"k": k, "periodicity": n + 1, "phase": p} for n, (k, p) in enumerate(waves)]
    return None


def _formula(potential: Any) -> str | None:
    """Other potentials as formulas of their coordinate x."""
    if isinstance(potential, FENEBond):
        return f"{-0.5 * potential.k * potential.r_max**2!r}*log(1-(x/{potential.r_max!r})^2)"
    if isinstance(potential, CosineAngle):
        return f"{0.5 * potential.k!r}*(cos(x)-{float(np.cos(potential.theta0))!r})^2"
    if isinstance(potential, HarmonicDihedral):
        turn = float(2 * np.pi)
        return f"{0.5 * potential.k!r}*min(d,{turn!r}-d)^2;d=abs(x-{potential.phi0!r})"
    return None


def _tabulated(
    forces: Xml.Element,
    kind: str,
    low: float,
    high: float,
    curve: Any,
    terms: NDArray[Any],
    points: int,
) -> None:
    """A table, which goes on in straight lines beyond its ends."""
    x = np.linspace(low, high, points)
    u, f = curve.values(x)
    beyond = "" if kind != "bond" else (
        f"-({f[0]!s})*min(0,x-{low!r})-({f[-1]!s})*max(0,x-{high!r})"
    )  # fmt: skip
    inside = f"u(min(max(x,{low!r}),{high!r})){beyond};x={COORDINATE[kind]}"
    if kind == "dihedral":
        u[-1] = u[0]
        inside = f"u(x);x={COORDINATE[kind]}"
    found = _compound(forces, inside, terms)
    _table(found, "u", (float(low), float(high), u, f), periodic=kind == "dihedral")


# ---------------------------------------------------------------------- triples


def _triples(
    forces: Xml.Element, model: Any, state: Particles, excluded: NDArray[Any], points: int
) -> None:
    """A CustomManyParticleForce for each kind of triple."""
    names = state.topology.type_names
    for types, potential in model.triples.items():
        if potential is None or not set(types) <= set(names):
            continue
        if len(excluded):
            raise RegrainError(
                "OpenMM leaves out triples of which any two particles are excluded, not only those "
                "whose arms are; use exclude=0, or another engine"
            )
        fades = []
        for end, (reach, decay) in zip(("p2", "p3"), arms(potential), strict=True):
            shorter = reach * (1 - 1e-6)
            fades.append(f"exp({decay!r}/(min(distance(p1,{end}),{shorter!r})-{reach!r}))")
        force = _force(
            forces,
            "CustomManyParticleForce",
            "1",
            **{"energy": f"f(angle(p2,p1,p3))*{'*'.join(fades)}", "method": str(PERIODIC)},
            **{"cutoff": repr(potential.reach), "particlesPerSet": "3", "permutationMode": "1"},
        )
        for name in ("PerParticleParameters", "GlobalParameters"):
            Xml.SubElement(force, name)
        ids = state.topology.type_ids.tolist()
        _list(force, "Particles", "Particle", ({"type": k} for k in ids))
        Xml.SubElement(force, "Exclusions")
        filters = (types[1], types[0], types[2])
        rows = ({"index": k, "types": names.index(name)} for k, name in enumerate(filters))
        _list(force, "TypeFilters", "Filter", rows)
        theta = np.linspace(0.0, np.pi, points)
        f = potential.f(theta)
        _table(Xml.SubElement(force, "Functions"), "f", (0.0, float(np.pi), f, f))
