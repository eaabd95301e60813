"""Planes that hold particles on one side."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.external import AXES, Normal, Planar

__all__ = [
    "BounceBackWall",
    "HardWall",
    "HarmonicWall",
    "LennardJonesWall",
    "ReflectingWall",
    "SoftWall",
    "Wall",
]

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

    def _check(self) -> None:
        self._check_plane()


class SoftWall(Wall):
    """A wall with an energy: a function of the distance. Immutable; use one of its kinds.

    Examples
    --------
    >>> from regrain.particles import HarmonicWall
    >>> from regrain.particles.walls import SoftWall
    >>> isinstance(HarmonicWall("+z", at=1.0, k=10.0, cutoff=1.0), SoftWall)
    True
    """

    cutoff: float

    def _formula(self, d: str) -> tuple[str, dict[str, float]]:
        """The energy at a distance, and its constants."""
        raise NotImplementedError

    def _check(self) -> None:
        super()._check()
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
class LennardJonesWall(SoftWall):
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
class HarmonicWall(SoftWall):
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


class HardWall(Wall):
    """A plane that particles bounce off, without energy or range. Immutable; use one of its kinds.

    Examples
    --------
    >>> from regrain.particles import ReflectingWall
    >>> from regrain.particles.walls import HardWall
    >>> isinstance(ReflectingWall("+z", at=0.0), HardWall)
    True
    """

    #: Whether the velocity turns round, or only its component across the wall.
    _turns_round: ClassVar[bool]

    def _check(self) -> None:
        super()._check()
        if len(self.axes) != 1:
            raise RegrainError(
                f"{self!r}: walls that particles bounce off stand across an axis; give a normal "
                'such as "+z", or use a wall with an energy, such as HarmonicWall'
            )

    @property
    def _velocity(self) -> tuple[float, float, float]:
        return (0.0, 0.0, 0.0)

    def check_box(self, box: Floats) -> None:
        """That it stands in a box, and is a plane there.

        Raises
        ------
        RegrainError
            The plane is outside, or the box is skewed so that its image is another plane.

        Examples
        --------
        >>> import numpy as np
        >>> from regrain.particles import ReflectingWall
        >>> ReflectingWall("+z", at=0.0).check_box(np.diag([5.0, 5.0, 5.0]))
        """
        axis = AXES.index(self.axes)
        others = [k for k in range(3) if k != axis]
        if np.any(box[others, axis]):
            raise RegrainError(
                f"{self!r}: the box is skewed along {self.axes}, so that the images of this wall "
                f"are other planes; its vectors are {box.tolist()}; use a box that is upright there"
            )
        edge = float(box[axis, axis])
        if not 0 <= self.offset * self.direction[axis] <= edge:
            raise RegrainError(
                f"{self!r} is outside of the box, which is from 0 to {edge:g} along {self.axes}"
            )

    def scaled(self, factor: float) -> Self:
        """The same: it has no energy."""
        return self

    def _energy(self, places: Floats, charge: float, mass: float) -> Floats:
        return np.where(self.distances(places) > 0, 0.0, np.nan)

    def _term(self) -> dict[str, Any]:
        axis = AXES.index(self.axes)
        upper = bool(self.direction[axis] < 0)
        law = _core.HardWall(
            axis=axis,
            upper=upper,
            at=-self.offset if upper else self.offset,
            turns_round=self._turns_round,
            velocity=self._velocity,
        )
        remedy = (
            "begin with all particles in front of it, and close the box with another wall at the "
            "other side"
        )
        return {"field": law, "name": repr(self), "remedy": remedy}


@dataclass(frozen=True, eq=False, repr=False)
class ReflectingWall(HardWall):
    """A mirror: a particle that meets it gets the opposite velocity across it. Perfect slip.

    Between two forces a particle flies straight; so it is found behind the wall, and put to where a
    reflection on its way would have brought it, to the last digit. The energy is that of before.

    Parameters
    ----------
    normal : str or sequence of three float
        Where particles are, seen from the plane: ``"+z"`` is above it, ``"-z"`` below. Along an
        axis.
    at : float
        Where the plane is on that axis: anywhere in the box, its faces included.

    Raises
    ------
    RegrainError
        A normal that is along no axis; in use, a particle that is beyond it at the start or gets
        there through a face of the box (close the other side with another wall), two walls without
        room between them, and Brownian dynamics, rigid bonds or a flow beside it.

    Loses / Assumes
    ---------------
    Particles do not feel it before they touch it, and are points to it: a dense fluid piles up in
    layers. Nothing is exchanged along it, nor heat. Where other forces push at the wall they turn
    round with a particle that bounces between two kicks: an error of the energy of first order in
    the time step at each bounce, at random, where velocity Verlet has second order. For NVE over
    long times in dense fluids use a wall with an energy.

    Notes
    -----
    The log has its force (``external_force``) as the mean since the frame before, and the momentum
    that it has given to particles since the start (``external_impulse``).

    Examples
    --------
    >>> from regrain.observables import WallPressure
    >>> from regrain.particles import NVE, ForceField, ReflectingWall, fcc
    >>> floor, lid = ReflectingWall("+z", at=0.0), ReflectingWall("-z", at=10.0)
    >>> gas = ForceField({("A", "A"): None}, external={"A": [floor, lid]}, temperature=1.0)
    >>> start = fcc(cells=2, density=0.1)
    >>> start = start.replace(positions=start.positions + 1.0, box=[10, 10, 10])
    >>> trace = gas.run(start, time=400.0, dt=0.1, every=1.0, seed=1, dynamics=NVE())
    >>> bool(abs(float(WallPressure(floor)(trace)) - 32 * 1.0 / 10**3) < 0.01)
    True
    >>> energy = trace.log["conserved_energy"]
    >>> bool(energy.max() - energy.min() < 1e-12 * energy.max())
    True
    """

    _turns_round: ClassVar[bool] = False

    normal: Normal
    _: KW_ONLY
    at: float


@dataclass(frozen=True, eq=False, repr=False)
class BounceBackWall(HardWall):
    """A wall that does not let slip: a particle that meets it goes back the way it came.

    Its velocity relative to the wall turns round, so that the mean of what comes and goes is that
    of the wall. A wall that moves along itself drags the fluid with it, and works on it.

    Parameters
    ----------
    normal : str or sequence of three float
        Where particles are, seen from the plane: ``"+z"`` is above it, ``"-z"`` below. Along an
        axis.
    at : float
        Where the plane is on that axis: anywhere in the box, its faces included.
    velocity : tuple of three float, optional
        Of the wall, along it; at rest when omitted.

    Raises
    ------
    RegrainError
        A normal that is along no axis, a velocity that is not along the wall; in use what is an
        error of `ReflectingWall`.

    Loses / Assumes
    ---------------
    Heat is not exchanged: keep a thermostat where walls work. A fluid whose friction acts between
    particles (DPD) lacks neighbours behind the wall, and slips a little all the same: docs/external
    has numbers.

    Notes
    -----
    What a moving wall does is ``work`` in the log and taken out of ``conserved_energy``.
    Bounce-back in particle fluids: Revenga, Zúñiga, Español and Pagonabarraga, Int. J. Mod. Phys. C
    9, 1319 (1998); Pivkin and Karniadakis, J. Comput. Phys. 207, 114 (2005).

    Examples
    --------
    >>> from regrain.particles import BounceBackWall
    >>> BounceBackWall("-z", at=10.0, velocity=(0.5, 0, 0))
    BounceBackWall(normal='-z', at=10.0, velocity=(0.5, 0.0, 0.0))
    """

    _turns_round: ClassVar[bool] = True

    normal: Normal
    _: KW_ONLY
    at: float
    velocity: tuple[float, float, float] | None = None

    def _check(self) -> None:
        super()._check()
        if self.velocity is None:
            return
        try:
            vector = tuple(float(v) for v in self.velocity)
        except (TypeError, ValueError):
            vector = ()
        if len(vector) != 3 or not np.isfinite(vector).all():
            raise RegrainError(f"{self!r}: velocity must be three finite numbers")
        if vector[AXES.index(self.axes)] != 0:
            raise RegrainError(
                f"{self!r}: a wall moves along itself; its velocity along {self.axes} must be zero"
            )
        object.__setattr__(self, "velocity", vector)

    @property
    def _velocity(self) -> tuple[float, float, float]:
        return (0.0, 0.0, 0.0) if self.velocity is None else self.velocity
