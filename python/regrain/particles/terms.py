"""Which potential acts between which types: what a force field says of one kind of interaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.network import Network
from regrain.particles.parameters import Law
from regrain.particles.rigid import RigidBond
from regrain.particles.scale_14 import Scale14
from regrain.particles.state import Topology

__all__ = ["KINDS", "Terms", "Types", "canonical", "check_triples", "checked", "compiled", "found"]

Types = tuple[str, ...]
Terms = Mapping[Types, Any]

#: How many types name an interaction of each kind.
KINDS = {"pair": 2, "bond": 2, "angle": 3, "dihedral": 4, "triple": 3}


def canonical(types: Types) -> Types:
    """Of the two directions in which an interaction can be read, the one under which it is kept.

    Examples
    --------
    >>> from regrain.particles.terms import canonical
    >>> canonical(("B", "A", "A"))
    ('A', 'A', 'B')
    """
    return min(types, types[::-1])


def checked(kind: str, given: Terms | None) -> dict[Types, Any]:
    """Potentials by canonical types, sorted.

    Raises
    ------
    RegrainError
        Keys of a wrong length, one interaction named twice, a potential of another kind or one that
        is still a form.

    Examples
    --------
    >>> from regrain.particles.terms import checked
    >>> checked("bond", {("B", "A"): None})
    {('A', 'B'): None}
    """
    terms: dict[Types, Any] = {}
    example = tuple("ABCD"[: KINDS[kind]])
    if not isinstance(given, Mapping | None):
        raise RegrainError(
            f"{kind}s: got {given!r}, expected potentials by types, such as {{{example}: ...}}"
        )
    for key, potential in (given or {}).items():
        if (
            not isinstance(key, tuple)
            or len(key) != KINDS[kind]
            or not all(isinstance(name, str) for name in key)
        ):
            raise RegrainError(
                f"{kind}s: got the key {key!r}, expected {KINDS[kind]} type names, such as "
                f"{example}"
            )
        types = tuple(str(name) for name in key)
        ordered = canonical(types)
        if ordered in terms:
            raise RegrainError(f"{kind}s name {'-'.join(ordered)} twice; give it once")
        _check_potential(kind, ordered, potential)
        other_way = None if potential is None else potential.reversed()
        if ordered == ordered[::-1] and other_way is not potential:
            raise RegrainError(
                f"{kind}s[{'-'.join(ordered)}]: {potential!r} tells apart the ends, but they are "
                "of one type; give it equal ends"
            )
        terms[ordered] = potential if types == ordered else other_way
    return dict(sorted(terms.items()))


def _check_potential(kind: str, key: Types, potential: Any) -> None:
    where = f"{kind}s[{'-'.join(key)}]"
    if potential is None:
        return
    own = getattr(potential, "kind", None)
    if not isinstance(potential, Law) or own is None:
        raise RegrainError(f"{where}: got {potential!r}, expected a potential or None")
    if own != kind:
        raise RegrainError(
            f"{where}: {type(potential).__name__} is a {own} potential, expected one of a {kind}"
        )
    if potential.missing:
        raise RegrainError(
            f"{where}: {potential!r} has no {potential.missing}, it is a form to be fitted; give "
            f"{potential.missing}=..."
        )


def check_triples(terms: Mapping[str, Terms]) -> None:
    """Triples are asked for by no state, so that a name that is misspelt would go unnoticed.

    Raises
    ------
    RegrainError
        A triple of a type that no pair names, and that therefore no state can have.

    Examples
    --------
    >>> from regrain.particles.terms import check_triples
    >>> check_triples({"pair": {("A", "A"): None}, "triple": {}})
    """
    known = {name for key in terms["pair"] for name in key}
    for key, potential in terms["triple"].items():
        unknown = sorted(set(key) - known)
        if potential is not None and unknown:
            raise RegrainError(
                f"triples[{'-'.join(key)}]: no pair names the type {', '.join(unknown)} (they "
                f"name: {', '.join(sorted(known)) or 'none'}); give the pairs of all types, None "
                "for no interaction"
            )


def found(kind: str, terms: Terms, types: Types) -> Any:
    """The potential of these types, None where they do not interact.

    Raises
    ------
    RegrainError
        The force field says nothing about them.

    Examples
    --------
    >>> from regrain.particles.terms import found
    >>> found("bond", {("A", "B"): None}, ("B", "A")) is None
    True
    """
    key = canonical(types)
    if key not in terms:
        named = ", ".join("-".join(k) for k in terms) or "none"
        raise RegrainError(
            f"the state has a {kind} {'-'.join(types)}, for which the force field has no "
            f"potential (it has: {named}); give {kind}s={{{key!r}: ...}}, or None for no "
            "interaction"
        )
    return terms[key]


def compiled(
    terms: Mapping[str, Terms],
    topology: Topology,
    *,
    exclude: int,
    network: Network | None = None,
    scale_14: Scale14 | None = None,
) -> Any:
    """The force field of the C++ core for the particles of a topology.

    Raises
    ------
    RegrainError
        Types or bonded terms that are not named.

    Examples
    --------
    >>> from regrain.particles import Topology
    >>> from regrain.particles.terms import KINDS, compiled
    >>> nothing = {kind: {} for kind in KINDS} | {"pair": {("A", "A"): None}}
    >>> compiled(nothing, Topology(["A", "A"]), exclude=2).cutoff
    0.0
    """
    names = topology.type_names
    field = _core.ForceField(types=len(names), **_pairs(terms["pair"], names))
    field.set_triples(**_triples(terms["triple"], names))
    for kind in ("bond", "angle", "dihedral"):
        particles = getattr(topology, f"{kind}s")
        acting = _by_particles(kind, terms[kind], particles, topology)
        if kind == "bond" and network is not None:
            acting = _with_network(acting, network, topology)
        if len(acting["particles"]):
            getattr(field, f"set_{kind}s")(**acting)
    _set_rigid_bonds(field, terms["bond"], topology)
    if len(topology.bonds) and (exclude or scale_14 is not None):
        _set_exclusions(field, topology, exclude, scale_14)
    return field


def _pairs(terms: Terms, names: Types) -> dict[str, Any]:
    """The pair potentials, and which of them, or -1, acts between two types."""
    potentials = [p for p in terms.values() if p is not None]
    which = np.full((len(names), len(names)), -1)
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            potential = found("pair", terms, (a, b))
            if potential is not None:
                which[i, j] = next(k for k, p in enumerate(potentials) if p is potential)
    return {"pair_of_types": which, "pair_potentials": [p._engine() for p in potentials]}


def _triples(terms: Terms, names: Types) -> dict[str, Any]:
    """The potentials of triples whose types there are, and these types."""
    acting = {key: p for key, p in terms.items() if p is not None and set(key) <= set(names)}
    types = [[names.index(name) for name in key] for key in acting]
    return {
        "potentials": [p._engine() for p in acting.values()],
        "types": np.array(types, dtype=np.uint32).reshape(-1, 3),
    }


def _by_particles(
    kind: str, terms: Terms, particles: NDArray[Any], topology: Topology
) -> dict[str, Any]:
    """The potentials of a kind that the topology lists, and which of them acts on each entry."""
    types, which = np.unique(topology.type_ids[particles], axis=0, return_inverse=True)
    all_found = [found(kind, terms, tuple(topology.type_names[k] for k in key)) for key in types]
    acts = np.array([p is not None and not isinstance(p, RigidBond) for p in all_found], dtype=bool)
    of_term, place = which.reshape(-1), np.cumsum(acts) - 1
    return {
        "potentials": [p._engine() for p, acting in zip(all_found, acts, strict=True) if acting],
        "particles": particles[acts[of_term]],
        "which": place[of_term][acts[of_term]],
    }


def _set_rigid_bonds(field: Any, terms: Terms, topology: Topology) -> None:
    """Give the force field of the core the bonds of fixed length."""
    if not any(isinstance(law, RigidBond) for law in terms.values()):
        return
    types = [[topology.type_names[k] for k in row] for row in topology.type_ids[topology.bonds]]
    laws = [found("bond", terms, tuple(names)) for names in types]
    rigid = np.array([isinstance(law, RigidBond) for law in laws], dtype=bool)
    field.set_rigid_bonds(
        particles=topology.bonds[rigid],
        lengths=[law.r0 for law in laws if isinstance(law, RigidBond)],
    )


def _set_exclusions(field: Any, topology: Topology, exclude: int, scale_14: Scale14 | None) -> None:
    """Which pairs bonds exclude; those three bonds apart are scaled by being excluded first."""
    excluded = {tuple(pair) for pair in topology.exclusions(exclude).tolist()}
    if scale_14 is not None:
        near = {tuple(pair) for pair in topology.exclusions(2).tolist()}
        scaled = [pair for pair in topology.exclusions(3).tolist() if tuple(pair) not in near]
        excluded |= {tuple(pair) for pair in scaled}
        field.set_scaled_pairs(
            pairs=np.array(scaled, np.uint32).reshape(-1, 2),
            pair_factor=scale_14.pairs,
            charge_factor=scale_14.charges,
        )
    field.set_exclusions(np.array(sorted(excluded), np.uint32).reshape(-1, 2))


def _with_network(bonds: dict[str, Any], network: Network, topology: Topology) -> dict[str, Any]:
    """The bonds and, after them, springs that have a potential each."""
    if len(network) and network.pairs.max() >= len(topology):
        raise RegrainError(
            f"the network joins particle {network.pairs.max()}, but the state has "
            f"{len(topology)}, counted from 0; it belongs to another system, or to one copy of a "
            "molecule (network.repeated)"
        )
    first = len(bonds["potentials"])
    return {
        "potentials": bonds["potentials"] + network._engine(),
        "particles": np.concatenate([bonds["particles"], network.pairs]),
        "which": np.concatenate([bonds["which"], first + np.arange(len(network))]),
    }
