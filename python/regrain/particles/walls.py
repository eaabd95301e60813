"""Planes that hold particles on one side."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.external import AXES, Normal, Planar

__all__ = ["HarmonicWall", "LennardJonesWall", "Wall"]

Floats = NDArray[np.float64]

# Energies of walls of Lennard-Jones particles at a distance d, in units of epsilon.
_WALLS = {
    "9-3": "2/15*(s/d)^9 - (s/d)^3",
    "10-4": "2*pi*(2/5*(s/d)^10 - (s/d)^4)",
    "12-6": "4*((s/d)^12 - (s/d)^6)",
}


class Wall(Planar):
    """A plane that holds particles on one side. Immutable; use one of its kinds.

    Examples
    --------
    >>> from regrain.particles import HarmonicWall
    >>> from regrain.particles.walls import Wall
    >>> isinstance(HarmonicWall("+z", at=1.0, k=10.0, cutoff=1.0), Wall)
    True
    """

    cutoff: float

    def _formula(self, d: str) -> tuple[str, dict[str, float]]:
        """The energy at a distance, and its constants."""
        raise NotImplementedError

    def _check(self) -> None:
        self._check_plane()
        self._positive("cutoff")

    def u(self, distance: ArrayLike) -> Floats:
        """The energy at distances from the plane; not a number beyond it, if it has no end there.

        Examples
        --------
        >>> from regrain.particles import HarmonicWall
        >>> float(HarmonicWall("+z", at=1.0, k=10.0, cutoff=1.0).u(0.5))
        1.25
        """
        text, constants = self._formula("d")
        formula = _core.Expression([text], variables=["d"], constants=constants, by=[])
        d = np.asarray(distance, dtype=float)
        return formula.evaluate(d.reshape(-1, 1)).reshape(d.shape)

    def _energy(self, places: Floats, charge: float, mass: float) -> Floats:
        return self.u(self.distances(places))

    def _term(self) -> dict[str, Any]:
        parts = [(axis, part) for axis, part in zip(AXES, self.direction, strict=True) if part]
        plane = " + ".join(f"n{axis}*{axis}" for axis, _ in parts)
        text, constants = self._formula(f"({plane} - offset)")
        constants |= {f"n{axis}": float(part) for axis, part in parts}
        law = _core.FormulaField(texts=[text], constants=constants | {"offset": self.offset})
        remedy = (
            "the particle is beyond the wall; begin with all particles on its side, and use a "
            "smaller time step if it got there"
        )
        return {"field": law, "name": repr(self), "remedy": remedy}


@dataclass(frozen=True, eq=False, repr=False)
class LennardJonesWall(Wall):
    """A wall of Lennard-Jones particles, at a distance d > 0 from its plane.

    Parameters
    ----------
    normal : str or sequence of three float
        Where particles are, seen from the plane: ``"+z"`` is above it, ``"-z"`` below.
    at : float
        Where the plane is: x, y or z for a normal along an axis, else normal · r with the normal
        made a unit vector.
    epsilon, sigma : float
        Energy and length.
    cutoff : float
        Distance beyond which it does not act; the energy is shifted to zero there.
    form : {"9-3", "10-4", "12-6"}
        A half space filled with particles, ε (2/15 (σ/d)⁹ - (σ/d)³), where ε is 2/3 π ρ σ³ times
        that of one; one layer of them, 2 π ε (2/5 (σ/d)¹⁰ - (σ/d)⁴), where ε is σ² times their
        number per area times that of one; or one particle, 4 ε ((σ/d)¹² - (σ/d)⁶).

    Raises
    ------
    RegrainError
        Parameters that make no wall; in use, a particle beyond it, or two walls without room
        between them.

    Loses / Assumes
    ---------------
    The wall is smooth: nothing is exchanged along it, so that fluids slip, unless something else
    holds them.

    Notes
    -----
    9-3 and 10-4 are integrals of 12-6 over a half space and over a plane (Steele, Surf. Sci. 36,
    317 (1973)).

    Examples
    --------
    >>> from regrain.particles import LennardJonesWall
    >>> wall = LennardJonesWall("+z", at=1.0, epsilon=1.0, sigma=1.0, cutoff=2.5)
    >>> wall
    LennardJonesWall(normal='+z', at=1.0, epsilon=1.0, sigma=1.0, cutoff=2.5)
    >>> float(wall.u(2.5))
    0.0
    """

    normal: Normal
    _: KW_ONLY
    at: float
    epsilon: float
    sigma: float
    cutoff: float
    form: str = "9-3"

    def _check(self) -> None:
        super()._check()
        self._finite("epsilon")
        self._positive("sigma")
        if self.form not in _WALLS:
            raise RegrainError(f"form: got {self.form!r}, expected {', '.join(_WALLS)}")

    def _formula(self, d: str) -> tuple[str, dict[str, float]]:
        shape = _WALLS[self.form]
        shift = shape.replace("d", "cutoff")
        inside = f"epsilon*({shape.replace('d', d)} - ({shift}))"
        constants = {"epsilon": self.epsilon, "s": self.sigma, "cutoff": self.cutoff}
        return f"select({d} < cutoff, select({d} > 0, {inside}, 0/0), 0)", constants


@dataclass(frozen=True, eq=False, repr=False)
class HarmonicWall(Wall):
    """A soft wall: k/2 (cutoff - d)² at distances d below the cutoff, also beyond its plane.

    Parameters
    ----------
    normal : str or sequence of three float
        Where particles are, seen from the plane: ``"+z"`` is above it, ``"-z"`` below.
    at : float
        Where the plane is: x, y or z for a normal along an axis, else normal · r with the normal
        made a unit vector.
    k : float
        Energy / length²; mind the factor 1/2.
    cutoff : float
        Distance below which it pushes.

    Raises
    ------
    RegrainError
        Parameters that make no wall; in use, a particle that is beyond its plane at the start, or
        two walls without room between them.

    Loses / Assumes
    ---------------
    Particles get through the plane with a probability of exp(-k cutoff² / 2 k_B T), and where it is
    at a face of the box they are at the other side then: keep it away from there.

    Examples
    --------
    >>> from regrain.particles import HarmonicWall
    >>> HarmonicWall("-z", at=9.0, k=100.0, cutoff=1.0)
    HarmonicWall(normal='-z', at=9.0, k=100.0, cutoff=1.0)
    """

    normal: Normal
    _: KW_ONLY
    at: float
    k: float
    cutoff: float

    def _check(self) -> None:
        super()._check()
        self._positive("k")

    def _formula(self, d: str) -> tuple[str, dict[str, float]]:
        return f"0.5*k*max(cutoff - {d}, 0)^2", {"k": self.k, "cutoff": self.cutoff}
