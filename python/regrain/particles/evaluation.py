"""What a force field says about one state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.particles.state import Particles
from regrain.units import units

__all__ = ["SYMMETRIC", "Evaluation", "evaluate"]

Floats = NDArray[np.float64]

# Where the core's xx yy zz xy xz yz go in a symmetric matrix.
SYMMETRIC = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What a force field says about one state.

    Attributes
    ----------
    energy : float
        Potential energy.
    forces : ndarray, shape (n, 3)
    virial : ndarray, shape (3, 3)
        Sum of r ⊗ F over all interactions between particles: its trace is -dU/dlnλ of scaling all
        their distances by λ. External fields and walls have no part in it.
    terms : dict of str to float
        The energy by kind: "pair", "triple", "bond", "angle", "dihedral", "charge", "external",
        "bias"; springs of a network are among the bonds.
    pressure_tensor : ndarray, shape (3, 3), or None
        (Σ m v ⊗ v + virial) / volume in the pressure unit; None for a state without velocities or
        with rigid bonds, whose part in it the log of a run has.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import ForceField, LennardJones, Particles
    >>> field = ForceField(pairs={("A", "A"): LennardJones(epsilon=1, sigma=1, cutoff=3)})
    >>> field.evaluate(Particles([[0, 0, 0], [1.5, 0, 0]], box=[9, 9, 9]))
    Evaluation(energy -0.320337: pair -0.320337)
    """

    energy: float
    forces: Floats
    virial: Floats
    terms: dict[str, float]
    pressure_tensor: Floats | None

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {value:g}" for name, value in self.terms.items() if value)
        return f"Evaluation(energy {self.energy:g}{': ' + parts if parts else ''})"


def evaluate(field: Any, state: Particles, *, rigid: bool = False) -> Evaluation:
    """What a force field of the core says about a state: see ``ForceField.evaluate``.

    Bonds that are rigid are left out; their part of the pressure is not known.

    Examples
    --------
    >>> from regrain.particles import ForceField, Particles
    >>> from regrain.particles.evaluation import evaluate
    >>> state = Particles([[0, 0, 0]], box=[9, 9, 9])
    >>> evaluate(ForceField({("A", "A"): None}).compile(state), state)
    Evaluation(energy 0)
    """
    n = len(state)
    field.set_rigid_bonds(particles=np.empty((0, 2), np.uint32), lengths=[])
    simulation = _core.Simulation(
        field,
        types=state.topology.type_ids,
        masses=np.ones(n),
        dt=1.0,
        dynamics=_core.Nve(),
        barostat=None,
        seed=0,
        skin=0.0,
    )
    simulation.assign(
        positions=state.positions,
        images=None,
        velocities=np.zeros((n, 3)),
        kt=0.0,
        box=state.box,
    )
    measured = simulation.measure()
    virial = np.array(measured.virial)[SYMMETRIC]
    pressure = None
    if state.velocities is not None and not rigid:
        momentum = state.topology.masses[:, None] * state.velocities
        factor = units(state.units).pressure_factor / state.volume
        pressure = (momentum.T @ state.velocities + virial) * factor
    return Evaluation(
        energy=measured.potential,
        forces=simulation.forces(),
        virial=virial,
        terms=dict(measured.energies),
        pressure_tensor=pressure,
    )
