"""Potentials as functions on a range, which is what the tables of all engines are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.particles import WCA, FENEBond, LennardJones, StillingerWeberPair

__all__ = [
    "BONDED",
    "OUTSIDE",
    "Curve",
    "arms",
    "bonded_curve",
    "pair_curve",
    "pair_curves",
    "refuse_outside",
    "types_of",
]

Floats = NDArray[np.float64]

# Kinds of bonded potentials, and where the force field and the topology keep them.
BONDED = {"bond": "bonds", "angle": "angles", "dihedral": "dihedrals"}
# What acts from outside: no format has it.
OUTSIDE = ("external", "biases")
# Where no potential says what a short distance is, in parts of the cutoff.
SHORT = 1e-3
# Of the way to where a potential is not defined any more: to the last digits.
HALVINGS = 50


@dataclass(frozen=True)
class Curve:
    """A potential and the range over which it is worth a table.

    ``ends`` says that nothing acts above ``high``: a cutoff.
    """

    types: tuple[str, ...]
    potential: Any
    low: float
    high: float
    ends: bool = False

    @property
    def name(self) -> str:
        """The types, joined."""
        return "-".join(self.types)

    def values(self, x: Floats) -> tuple[Floats, Floats]:
        """Energy and force; outside of the range straight on, or zero above a cutoff.

        At the cutoff itself they are the limits from within.
        """
        if self.potential is None:
            return np.zeros_like(x), np.zeros_like(x)
        last = np.nextafter(self.high, 0.0) if self.ends else self.high
        inside = np.clip(x, self.low, last)
        force = self.potential.force(inside)
        outside = (x < self.low) | (x > self.high)
        energy = self.potential.u(inside) + np.where(outside, force * (inside - x), 0.0)
        beyond = self.ends & (x > self.high)
        return np.where(beyond, 0.0, energy), np.where(beyond, 0.0, force)


def refuse_outside(model: Any, engine: str) -> None:
    """Stop if there is what no file for another program can hold."""
    held = [kind for kind in OUTSIDE if getattr(model, kind, None)]
    if held:
        changes = ", ".join(f"{kind}=None" for kind in held)
        raise RegrainError(
            f"the force field has {held[0]}={getattr(model, held[0])!r}, which is not written for "
            f"{engine}; leave it out (model.replace({changes})) and set it up there, or run with "
            "regrain itself"
        )


def pair_curves(model: Any) -> list[Curve]:
    """All pairs of a force field, in the order of their sorted type names."""
    return [
        pair_curve((types[0], types[1]), potential, model.cutoff)
        for types, potential in sorted(model.pairs.items())
    ]


def pair_curve(types: tuple[str, str], potential: Any, longest: float) -> Curve:
    """One pair potential; ``longest`` is the cutoff of a pair that does nothing."""
    cutoff = longest if potential is None else float(potential.cutoff)
    return Curve(types, potential, max(SHORT * cutoff, _beginning(potential)), cutoff, ends=True)


def bonded_curve(types: tuple[str, ...], potential: Any) -> Curve:
    """The potential of a bond, an angle or a dihedral over all that can occur."""
    low, high = map(float, potential.domain())
    if potential.kind == "bond" and not isinstance(potential, FENEBond):
        # As far as it is defined: bonds that are beyond its domain occur, too.
        low, high = _edge(potential, low, 0.0), _edge(potential, high, 2.0 * high)
    return Curve(types, potential, low, high)


def arms(potential: Any) -> list[tuple[float, float]]:
    """r_max and decay of the arm of a triple to its first end, and of that to its second."""
    values = [np.broadcast_to(getattr(potential, name), 2).tolist() for name in ("r_max", "decay")]
    return list(zip(*values, strict=True))


def types_of(curves: Iterable[Curve]) -> list[str]:
    """The type names that occur, sorted."""
    return sorted({name for curve in curves for name in curve.types})


def _beginning(potential: Any) -> float:
    """The distance from which on a pair potential has values worth a table."""
    if potential is None:
        return 0.0
    if isinstance(potential, LennardJones | WCA | StillingerWeberPair):
        return potential.sigma / 2.0
    nearest = SHORT * float(potential.cutoff)
    first = _edge(potential, float(potential.domain()[0]), nearest)
    return 0.0 if first == nearest else first


def _edge(potential: Any, inside: float, outside: float) -> float:
    """How far a potential is defined on the way from inside to outside."""
    if _has(potential, outside):
        return outside
    for _ in range(HALVINGS):
        middle = 0.5 * (inside + outside)
        if _has(potential, middle):
            inside = middle
        else:
            outside = middle
    return inside


def _has(potential: Any, r: float) -> bool:
    try:
        potential.u(r)
    except RegrainError:
        return False
    return True
