"""Kirkwood-Buff integrals and the isothermal compressibility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.observables.observable import Average, Measurement, Observable, Plan, Undefined
from regrain.observables.rdf import type_pairs
from regrain.particles import Particles, Topology
from regrain.trace import Trace
from regrain.units import units

__all__ = ["Compressibility", "KirkwoodBuff"]

Floats = NDArray[np.float64]
TypePair = tuple[str, str]

BINS = 500


class _Integral:
    """Kirkwood-Buff integrals of single frames, corrected for a small closed system.

    The weight is that of a sphere of diameter L extrapolated to infinite size, u(x) = 1 - 23/8 x³
    + 3/4 x⁴ + 9/8 x⁵ with x = r/L (Krüger and Vlugt 2018), integrated exactly over each shell.
    A closed system of volume V has tails g - 1 = -G/V, which the weight counts with its own volume
    U: G = I + G U/V.
    """

    def __init__(self, topology: Topology, pairs: Sequence[TypePair] | None, r_max: float) -> None:
        found = type_pairs(topology, pairs)
        self.labels = [f"{a}-{b}" for (a, b), _ in found]
        self.ids = np.array([ids for _, ids in found])
        count = len(topology.type_names)
        self.numbers = np.bincount(topology.type_ids, minlength=count)
        same = self.ids[:, 0] == self.ids[:, 1]
        self.partners = self.numbers[self.ids[:, 0]] * (self.numbers[self.ids[:, 1]] - same)
        if not np.all(self.partners > 0):
            raise RegrainError(f"there is no pair {self.labels[int(np.argmin(self.partners))]}")
        none = np.empty((0, 2), dtype=np.int32)
        self.kernel = _core.PairHistogram(topology.type_ids, count, r_max, BINS, none)
        edges = np.linspace(0.0, 1.0, BINS + 1)
        primitive = edges**3 / 3 - 23 / 48 * edges**6 + 3 / 28 * edges**7 + 9 / 64 * edges**8
        self.weights = 4.0 * np.pi * r_max**3 * np.diff(primitive)
        self.shells = 4.0 / 3.0 * np.pi * r_max**3 * np.diff(edges**3)

    def of(self, state: Particles) -> Floats:
        counts = self.kernel.count(state.positions, state.box)[self.ids[:, 0], self.ids[:, 1]]
        g = counts * (state.volume / (self.partners[:, None] * self.shells))
        volume = self.weights.sum()
        integral: Floats = (g - 1.0) @ self.weights / (1.0 - volume / state.volume)
        return integral


def _constant_box(trace: Trace[Any]) -> bool:
    if "volume" in trace.log:
        return bool(np.ptp(trace.log["volume"]) <= 1e-9 * trace.log["volume"][0])
    some = np.unique(np.linspace(0, len(trace) - 1, 4).astype(int))
    boxes = [trace[int(k)].box for k in some]
    return all(np.allclose(box, boxes[0], rtol=1e-9, atol=0) for box in boxes)


def _reach(trace: Trace[Any], r_max: float | None) -> float:
    if r_max is not None:
        return r_max
    half = 0.5 / np.linalg.norm(np.linalg.inv(trace[0].box), axis=0).max()
    return float(half if _constant_box(trace) else 0.9 * half)


@dataclass(frozen=True)
class KirkwoodBuff(Observable):
    """Kirkwood-Buff integrals G = ∫ (g(r) - 1) 4πr² dr of pairs of types, for an infinite system.

    Parameters
    ----------
    r_max : float, optional
        Reach of the integral; half the smallest height of the box when omitted (0.9 of that where
        the box changes).
    pairs : sequence of (str, str), optional
        Pairs of types; all of them when omitted.

    Raises
    ------
    RegrainError
        r_max beyond half the box, no such pair.

    Loses / Assumes
    ---------------
    A homogeneous system, larger than its correlation length. A closed box sees
    g - 1 decay to -G/V instead of 0; that is corrected, higher orders in 1/V are not.

    References
    ----------
    P. Krüger et al., J. Phys. Chem. Lett. 4, 235 (2013); P. Krüger and T. J. H. Vlugt, Phys. Rev. E
    97, 051301 (2018).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import KirkwoodBuff
    >>> from regrain.particles import Particles
    >>> rng = np.random.default_rng(1)
    >>> gas = [Particles(rng.random((200, 3)) * 5, box=[5, 5, 5]) for _ in range(50)]
    >>> g = KirkwoodBuff()(Trace(gas, times=np.arange(50)))
    >>> bool(abs(g.value[0]) < 4 * g.error[0])
    True
    """

    r_max: float | None = None
    _: KW_ONLY
    pairs: Sequence[TypePair] | None = None

    name: ClassVar[str] = "Kirkwood-Buff integral"
    cite: ClassVar[str] = "Krüger & Vlugt, Phys. Rev. E 97, 051301 (2018)"

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Settle the pairs and the weights."""
        first: Particles = trace[0]
        integral = _Integral(first.topology, self.pairs, _reach(trace, self.r_max))
        length = units(first.units).length
        return Plan(
            coords={"pair": integral.labels}, unit=f"{length}^3" if length else "", data=integral
        )

    def measure(self, state: Particles, plan: Plan) -> Floats:
        """The integrals of one frame."""
        found: Floats = plan.data.of(state)
        return found


@dataclass(frozen=True)
class Compressibility(Observable):
    """Isothermal compressibility κ_T = -(∂V/∂p)/V.

    Where the box of the trace changes, from the fluctuations of the volume,
    κ = (⟨V²⟩ - ⟨V⟩²) / (k_B T ⟨V⟩); else from the Kirkwood-Buff integrals of g(r),
    1 / (k_B T κ) = Σ n_i (B⁻¹)_ij n_j with B_ij = n_i δ_ij + n_i n_j G_ij and the number densities
    n; for one type κ = (1 + n G) / (n k_B T). The estimate says by which.

    Parameters
    ----------
    temperature : float, optional
        From the log of the trace when omitted.
    r_max : float, optional
        Reach of the integral; half the smallest height of the box when omitted.
    types : sequence of str, optional
        Particles that count for the second way; all when omitted.

    Returns
    -------
    Estimate
        On calling it; undefined where the temperature is not known, or where types bound to each
        other would make B singular (map molecules to beads, or name one type of each).

    Raises
    ------
    RegrainError
        A temperature that is not positive.

    Loses / Assumes
    ---------------
    Volume fluctuations need a barostat that samples the isothermal-isobaric
    ensemble (Berendsen's does not). The second way assumes a homogeneous system larger than its
    correlation length; see `KirkwoodBuff`.

    References
    ----------
    J. G. Kirkwood and F. P. Buff, J. Chem. Phys. 19, 774 (1951).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import Compressibility
    >>> from regrain.particles import Particles
    >>> rng = np.random.default_rng(1)
    >>> gas = [Particles(rng.random((200, 3)) * 5, box=[5, 5, 5]) for _ in range(50)]
    >>> kappa = Compressibility(temperature=2.0)(Trace(gas, times=np.arange(50)))
    >>> bool(abs(kappa.value - 1 / (200 / 125 * 2.0)) < 4 * kappa.error)
    True
    """

    temperature: float | None = None
    _: KW_ONLY
    r_max: float | None = None
    types: Sequence[str] | None = None

    name: ClassVar[str] = "compressibility"
    cite: ClassVar[str] = "Kirkwood & Buff, J. Chem. Phys. 19, 774 (1951)"

    def __post_init__(self) -> None:
        if self.temperature is not None and not self.temperature > 0:
            raise RegrainError(f"{self!r}: the temperature must be positive")

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement by volumes or by integrals, as the trace allows."""
        system, temperature = units(trace.units), self.temperature
        if temperature is None and "temperature" in trace.log:
            temperature = float(np.average(trace.log["temperature"], weights=trace.weights))
        if temperature is None:
            return Undefined(
                self.name, "the log of the trace has no temperature; give Compressibility(300.0)"
            )
        energy = system.boltzmann * temperature * system.pressure_factor
        unit = f"1/{system.pressure}" if system.pressure else ""
        if not _constant_box(trace):
            origin = trace[0].volume
            return Average(_ByVolume(), Plan(unit=unit, data=(energy, origin)))
        topology: Topology = trace[0].topology
        chosen = list(self.types or topology.type_names)
        ends = topology.types[topology.bonds]
        if len(chosen) > 1 and np.any(np.isin(ends, chosen).all(axis=1)):
            return Undefined(
                self.name, "types that are bound to each other; map molecules to beads, or name one"
            )
        pairs = [(a, b) for k, a in enumerate(chosen) for b in chosen[k:]]
        integral = _Integral(topology, pairs, _reach(trace, self.r_max))
        return Average(_ByIntegral(), Plan(unit=unit, data=(energy, integral, chosen)))


class _ByVolume(Observable):
    name: ClassVar[str] = "compressibility"
    method: ClassVar[str] = "volume fluctuations; jackknife"
    cite: ClassVar[str] = "Allen & Tildesley, Computer Simulation of Liquids (2017), sec. 2.5"

    def measure(self, state: Particles, plan: Plan) -> list[float]:
        change = state.volume - plan.data[1]
        return [change, change**2]

    def reduce(self, means: Floats, plan: Plan) -> Floats:
        energy, origin = plan.data
        variance = means[..., 1:] - means[..., :1] ** 2
        kappa: Floats = variance / (energy * (origin + means[..., :1]))
        return kappa


class _ByIntegral(Observable):
    name: ClassVar[str] = "compressibility"
    method: ClassVar[str] = "Kirkwood-Buff integrals of g(r) with finite-size weights; jackknife"
    cite: ClassVar[str] = (
        "Kirkwood & Buff, J. Chem. Phys. 19, 774 (1951); Krüger & Vlugt, PRE 97, 051301 (2018)"
    )

    def measure(self, state: Particles, plan: Plan) -> Floats:
        _, integral, chosen = plan.data
        names = state.topology.type_names
        rho = integral.numbers[[names.index(t) for t in chosen]] / state.volume
        return np.concatenate([rho, integral.of(state)])

    def reduce(self, means: Floats, plan: Plan) -> Floats:
        energy, _, chosen = plan.data
        n = len(chosen)
        rho = means[..., :n]
        b = np.zeros((*means.shape[:-1], n, n))
        upper = np.triu_indices(n)
        b[..., upper[0], upper[1]] = means[..., n:]
        b[..., upper[1], upper[0]] = means[..., n:]
        b *= rho[..., :, None] * rho[..., None, :]
        b[..., range(n), range(n)] += rho
        solved = np.linalg.solve(b, rho[..., None])[..., 0]
        kappa: Floats = 1.0 / (energy * np.sum(rho * solved, axis=-1, keepdims=True))
        return kappa
