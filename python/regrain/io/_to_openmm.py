"""OpenMM force field files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.io._sampled import pair_curves, types_of
from regrain.particles import Topology

__all__ = ["Function", "energy", "force_field", "functions", "place"]

Floats = NDArray[np.float64]
# First and last distance, energies and forces on the uniform grid between them.
Function = tuple[float, float, Floats, Floats]


def force_field(model: Any, *, points: int, topology: Topology | None) -> bytes:
    """A ForceField file with one tabulated function per pair of types.

    Atom types and residues come from the topology, if there is one.
    """
    types, tables = types_of(pair_curves(model)), functions(model, points)
    root = Xml.Element("ForceField")
    if topology is not None:
        _add_types(root, topology)
        _add_residues(root, topology)
    force = Xml.SubElement(
        root, "CustomNonbondedForce", energy=energy(tables), bondCutoff=str(model.exclude)
    )
    Xml.SubElement(force, "PerParticleParameter", name="kind")
    for kind, name in enumerate(types):
        Xml.SubElement(force, "Atom", type=name, kind=str(kind))
    order = list(tables)
    table = [[place(order, a, b) for a in types] for b in types]
    _function(force, "which", np.array(table), type="Discrete2D", size=len(types))
    for k, (first, last, u, _) in enumerate(tables.values()):
        _function(force, f"u{k}", u, type="Continuous1D", min=first, max=last)
    Xml.indent(root)
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def functions(model: Any, points: int) -> dict[tuple[str, ...], Function]:
    """By sorted pair of types; pairs that are not named do not interact."""
    found = {}
    for pair in pair_curves(model):
        if pair.potential is not None:
            r = np.linspace(pair.low, pair.high, points)
            found[pair.types] = (float(r[0]), float(r[-1]), *pair.values(r))
    return found


def energy(tables: Mapping[tuple[str, ...], Function]) -> str:
    """The expression: of all functions that of the pair; below its first point a straight line."""
    terms = []
    for k, (first, _, _, forces) in enumerate(tables.values()):
        core = f"{float(forces[0])!r}*max(0,{first!r}-r)"
        terms.append(f"delta(w-{k})*(u{k}(max(r,{first!r}))+{core})")
    return "+".join(terms) + "; w=which(kind1,kind2)"


def place(order: list[tuple[str, ...]], a: str, b: str) -> int:
    """Which of the functions a pair of types has; -1 for none."""
    pair = (min(a, b), max(a, b))
    return order.index(pair) if pair in order else -1


def _function(
    force: Xml.Element, name: str, values: Floats, *, type: str, size: int = 0, **range: float
) -> None:
    keys = {key: repr(float(value)) for key, value in range.items()}
    if size:
        keys = {"xsize": str(size), "ysize": str(size)}
    element = Xml.SubElement(force, "Function", {"name": name, "type": type, **keys})
    element.text = " ".join(map(repr, values.ravel().tolist()))


def _add_types(root: Xml.Element, topology: Topology) -> None:
    element = Xml.SubElement(root, "AtomTypes")
    for name in topology.type_names:
        masses = np.unique(topology.masses[topology.types == name])
        if len(masses) > 1:
            raise RegrainError(
                f"the particles of type {name!r} have masses from {masses[0]:g} to "
                f"{masses[-1]:g}; OpenMM needs one mass per type, so give them types of their own"
            )
        Xml.SubElement(
            element, "Type", {"name": name, "class": name, "mass": repr(float(masses[0]))}
        )


def _add_residues(root: Xml.Element, topology: Topology) -> None:
    """One template per residue name, from the first residue of that name."""
    element = Xml.SubElement(root, "Residues")
    templates: dict[str, bytes] = {}
    for members in _residues(topology):
        name = str(topology.residue_names[members[0]])
        template = _template(name, topology, members)
        text = Xml.tostring(template)
        if name not in templates:
            element.append(template)
        elif templates[name] != text:
            raise RegrainError(
                f"residues called {name!r} differ in their particles or bonds; OpenMM needs one "
                "template per name, so give them different residue names"
            )
        templates[name] = text


def _residues(topology: Topology) -> list[NDArray[np.intp]]:
    order = np.argsort(topology.residues, kind="stable")
    borders = np.flatnonzero(np.diff(topology.residues[order])) + 1
    return np.split(order, borders)


def _template(name: str, topology: Topology, members: NDArray[np.intp]) -> Xml.Element:
    element = Xml.Element("Residue", name=name)
    names = [str(topology.names[i]) for i in members]
    if len(set(names)) < len(names):
        names = [f"{label}{k}" for k, label in enumerate(names)]
    called = dict(zip(members.tolist(), names, strict=True))
    for i, label in called.items():
        Xml.SubElement(element, "Atom", name=label, type=str(topology.types[i]))
    touching = topology.bonds[np.isin(topology.bonds, members).any(axis=1)]
    for i, j in touching.tolist():
        if i in called and j in called:
            Xml.SubElement(element, "Bond", atomName1=called[i], atomName2=called[j])
        else:
            inside = called[i if i in called else j]
            Xml.SubElement(element, "ExternalBond", atomName=inside)
    return element
