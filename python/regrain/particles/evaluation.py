"""What a force field says about one state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SYMMETRIC", "Evaluation"]

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
        Sum of r ⊗ F over all interactions: its trace is -dU/dlnλ of scaling all lengths by λ.
    terms : dict of str to float
        The energy by kind: "pair", "triple", "bond", "angle", "dihedral", "charge"; springs of a
        network are among the bonds.
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
