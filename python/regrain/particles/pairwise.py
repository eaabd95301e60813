"""Thermostats that act between pairs of particles and conserve momentum: fluids that flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.dynamics import Context, Dynamics
from regrain.particles.parameters import plain_numbers, positive
from regrain.particles.state import Topology
from regrain.particles.terms import canonical

__all__ = ["DPD", "LoweAndersen"]

_INTEGRATORS = ("verlet", "shardlow")

#: One friction for all pairs, or one for each pair of types.
Frictions = float | Mapping[tuple[str, str], float]


@dataclass(frozen=True, kw_only=True)
class DPD(Dynamics):
    """Dissipative particle dynamics: friction and noise between near particles, along the line that
    joins them. Momentum and angular momentum are conserved, so that the fluid flows as fluids do.

    Beside the forces of the force field a pair closer than ``cutoff`` feels, along e = r_ij / r,
    -γ w (e·v_ij) + √(2 γ k_B T w) ξ with w = (1 - r / cutoff)^exponent and white noise ξ
    (Español and Warren, Europhys. Lett. 30, 191 (1995)). The usual repulsion is
    ``Soft(a=25.0, cutoff=1.0)`` in the force field; with the cutoff of the thermostat, and unless
    bonds exclude pairs, both are computed in one pass.

    Parameters
    ----------
    friction : float or mapping
        γ, mass / time: one for all pairs, or one for each pair of types, such as
        ``{("A", "A"): 4.5, ("A", "B"): 9.0, ("B", "B"): 4.5}``; 0 for a pair of types that feels
        neither.
    cutoff : float
        Where friction and noise end; at most half of the height of the box.
    exponent : float
        Of w; 2 as in Groot and Warren. Smaller ones make the fluid more viscous (Fan,
        Phan-Thien, Chen, Wu and Ng, Phys. Fluids 18, 063102 (2006)).
    temperature : float, optional
        That of the force field when omitted.
    integrator : str
        "verlet": friction and noise are forces, from velocities that velocity Verlet predicts
        (Groot and Warren, J. Chem. Phys. 107, 4423 (1997)), with noise from a uniform
        distribution. "shardlow": after each step of velocity Verlet the relative velocity of one
        pair after the other goes through the step by itself (Shardlow, SIAM J. Sci. Comput. 24,
        1267 (2003)), exactly and with Gaussian noise, which leaves the distribution of Maxwell as
        it is at any time step; slower.
    predictor : float
        λ of Groot and Warren: the part of a step's acceleration in the predicted velocities, for
        "verlet". They recommend 0.65 for their fluid at a time step of 0.06.

    Raises
    ------
    RegrainError
        A negative friction, a pair of types without one, an exponent or cutoff that is not
        positive, an unknown integrator, a predictor beyond [0, 1]. In a run: no temperature or one
        of zero, a cutoff larger than half of the box.

    Loses / Assumes
    ---------------
    With "verlet" the temperature is wrong to order dt: Groot and Warren's fluid (ρ = 3, a = 25, γ =
    4.5) is 1 % too hot at dt = 0.04 and falls apart above 0.1. With "shardlow" configurations are
    wrong to order dt, as those of velocity Verlet are. Pairs that bonds exclude from pair
    potentials feel friction and noise too. A barostat sees the pressure of the forces without that
    of friction and noise, whose mean is zero; the pressure tensor of the log has both.

    Noise is a function of two particles, the step and the seed, and pairs that ``shardlow`` takes
    one after the other are ordered by where they are: the same bits with any number of threads.

    Examples
    --------
    >>> from regrain.particles import DPD, ForceField, Soft, fcc
    >>> water = ForceField({("A", "A"): Soft(a=25.0, cutoff=1.0)}, temperature=1.0)
    >>> trace = water.run(
    ...     fcc(4, density=3.0), time=4.0, dt=0.04, every=2.0, dynamics=DPD(friction=4.5)
    ... )
    >>> trace
    Trace(2 frames of particles, times 2 to 4)
    >>> bool(abs(trace[-1].velocities.sum()) < 1e-10)
    True
    """

    friction: Frictions = 4.5
    cutoff: float = 1.0
    exponent: float = 2.0
    temperature: float | None = None
    integrator: str = "verlet"
    predictor: float = 0.65

    def __post_init__(self) -> None:
        plain_numbers(self)
        object.__setattr__(self, "friction", _plain_friction(self.friction))
        positive(self, "cutoff", "exponent")
        _temperature(self)
        if self.integrator not in _INTEGRATORS:
            raise RegrainError(
                f"integrator: got {self.integrator!r}, expected one of {', '.join(_INTEGRATORS)}"
            )
        if not 0.0 <= self.predictor <= 1.0:
            raise RegrainError(f"predictor: got {self.predictor}, expected a number from 0 to 1")

    def _engine(self, context: Context) -> Any:
        kt = context.kt(self)
        if kt == 0.0:
            raise RegrainError(
                f"{self!r}: DPD noise with a zero temperature; give a positive one, or use NVE()"
            )
        return _core.Dpd(
            kt=kt,
            cutoff=self.cutoff,
            friction=_by_types(self.friction, context.topology).ravel().tolist(),
            exponent=self.exponent,
            splitting=self.integrator == "shardlow",
            predictor=self.predictor,
        )


@dataclass(frozen=True, kw_only=True)
class LoweAndersen(Dynamics):
    """Lowe's thermostat: pairs that are closer than the cutoff collide at a given rate, and get a
    new relative velocity along the line that joins them from the distribution of the temperature.
    Momentum and angular momentum are conserved (Lowe, Europhys. Lett. 47, 145 (1999)).

    Parameters
    ----------
    rate : float
        Collisions of each pair per time; times dt at most 1. The viscosity grows with it.
    cutoff : float
        Of pairs that collide; at most half of the height of the box.
    temperature : float, optional
        That of the force field when omitted.

    Raises
    ------
    RegrainError
        A rate or a cutoff that is not positive. In a run: no temperature or one of zero, a rate
        above 1 / dt, a cutoff larger than half of the box.

    Loses / Assumes
    ---------------
    The distribution of velocities is left as it is at any time step; configurations are wrong to
    order dt², as those of velocity Verlet are. Collisions come after each step, one after the other
    in an order that is the same with any number of threads.

    Examples
    --------
    >>> from regrain.particles import LoweAndersen
    >>> LoweAndersen(rate=5.0)
    LoweAndersen(rate=5.0, cutoff=1.0, temperature=None)
    """

    rate: float
    cutoff: float = 1.0
    temperature: float | None = None

    def __post_init__(self) -> None:
        plain_numbers(self)
        positive(self, "rate", "cutoff")
        _temperature(self)

    def _engine(self, context: Context) -> Any:
        kt = context.kt(self)
        if kt == 0.0:
            raise RegrainError(f"{self!r}: collisions with a zero temperature; give a positive one")
        return _core.LoweAndersen(kt=kt, cutoff=self.cutoff, rate=self.rate)


def _temperature(settings: Any) -> None:
    value = settings.temperature
    if value is not None and not (np.isfinite(value) and value >= 0):
        raise RegrainError(f"{settings!r}: temperature must be zero or more")


def _plain_friction(given: Any) -> float | dict[tuple[str, str], float]:
    """A number, or numbers by canonical pairs of types."""
    if not isinstance(given, Mapping):
        return _friction("friction", given)
    by_types: dict[tuple[str, str], float] = {}
    for key, value in given.items():
        if not isinstance(key, tuple) or len(key) != 2 or not all(isinstance(k, str) for k in key):
            raise RegrainError(
                f"friction: got the key {key!r}, expected two type names, such as ('A', 'B')"
            )
        first, second = canonical(tuple(key))
        if (first, second) in by_types:
            raise RegrainError(f"friction names {first}-{second} twice; give it once")
        by_types[first, second] = _friction(f"friction[{first}-{second}]", value)
    return dict(sorted(by_types.items()))


def _friction(where: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise RegrainError(f"{where}: got {value!r}, expected a number") from None
    if not (np.isfinite(number) and number >= 0.0):
        raise RegrainError(f"{where}: got {number}, expected zero or a positive number")
    return number


def _by_types(friction: Frictions, topology: Topology) -> NDArray[np.float64]:
    """Types x types, as the core has it."""
    names = topology.type_names
    table = np.empty((len(names), len(names)))
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            if not isinstance(friction, Mapping):
                table[i, j] = friction
            elif (key := canonical((a, b))) in friction:
                table[i, j] = friction[key[0], key[1]]
            else:
                raise RegrainError(
                    f"friction says nothing of the pair {key[0]}-{key[1]}; give it a number, 0 if "
                    "it feels neither friction nor noise"
                )
    return table
