"""What is kept of an iteration, and how far it is from the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.problem import Potentials, Problem
from regrain.fits.structure import Distribution, Interaction, measure_structure
from regrain.particles import Particles
from regrain.trace import Trace

__all__ = ["Iteration", "kirkwood_buff"]

Floats = NDArray[np.float64]

#: Frames of a coarse run that Kirkwood-Buff integrals are from.
FRAMES = 300


@dataclass(frozen=True, eq=False)
class Iteration:
    """One coarse run: the potentials that ran, and what they gave.

    Attributes
    ----------
    potentials : dict of str to ndarray
        Energies at the nodes, by label.
    measured : dict of str to Distribution
        By label.
    pressure, pressure_error : float
    rms, chi2 : float
        See the functions of these names.
    kirkwood_buff : dict of str to float
        By label of the pair.
    compressibility : float or None
        None where it does not follow from g(r): bonded particles.
    change : float
        Largest change of an energy (where there are samples) from the potentials before.
    temperature : float
        Kinetic; more than the one asked for means that the time step was too long.
    time, seconds : float
        Length of the run, and how long it took.
    extra : dict of str to ndarray
        What the method measured besides.
    state : int
        Index of the state that was run, where there are several.
    scores : dict of str to number or str
        What the method says about this iteration; where there are several states, with the last.

    Examples
    --------
    >>> from regrain.fits.structural.records import Iteration
    >>> run = Iteration({}, {}, 1.2, 0.1, 0.01, 1.1, {}, None, 0.2, 1.0, 100.0, 8.5)
    >>> run.numbers()["pressure"]
    1.2
    """

    potentials: Potentials
    measured: dict[str, Distribution]
    pressure: float
    pressure_error: float
    rms: float
    chi2: float
    kirkwood_buff: dict[str, float]
    compressibility: float | None
    change: float
    temperature: float
    time: float
    seconds: float
    extra: dict[str, Floats] = field(default_factory=dict)
    state: int = 0
    scores: dict[str, Any] = field(default_factory=dict)

    def numbers(self) -> dict[str, Any]:
        """Everything that is not an array, JSON-able."""
        names = ("pressure", "pressure_error", "rms", "chi2", "kirkwood_buff", "compressibility",
                 "change", "temperature", "time", "seconds", "state", "scores")  # fmt: skip
        return {name: getattr(self, name) for name in names}


def rms(problem: Problem, measured: Mapping[str, Distribution]) -> float:
    """Root mean square difference from the target inside the tables.

    Of g(r); bonded distributions are divided by their maximum first.
    """
    squares = [
        _difference(term, problem.target[term.label], measured[term.label]) ** 2
        for term in problem.interactions
    ]
    return float(np.sqrt(np.mean(np.concatenate(squares))))


def _difference(term: Interaction, wanted: Distribution, found: Distribution) -> Floats:
    x = found.x
    inside = (x > term.nodes[0]) & (x < term.nodes[-1])
    scale = 1.0 if term.kind == "pair" else 1.0 / float(wanted.value.max())
    return np.asarray(scale * (found.value - wanted.value[: len(x)])[inside])


def chi_squared(problem: Problem, measured: Mapping[str, Distribution]) -> float:
    """Mean of (g − g*)² / (s² + s*²) over the sampled bins, 1 when only noise is left.

    The errors s are themselves estimates: with ν degrees of freedom the ratio is F-distributed and
    has the mean ν / (ν − 2), which is divided out (ν of the sum by Welch and Satterthwaite).
    """
    ratios = []
    for term in problem.interactions:
        found = measured[term.label]
        n = len(found.x)
        wanted = problem.target[term.label]
        x = found.x
        used = wanted.sampled(term.kind)[:n] & (x > term.nodes[0]) & (x < term.nodes[-1])
        used &= found.error + wanted.error[:n] > 0
        a, b = found.error[used] ** 2, wanted.error[:n][used] ** 2
        spread = a**2 / found.dof[used] + b**2 / wanted.dof[:n][used]
        dof = np.where(spread > 0, (a + b) ** 2 / np.where(spread > 0, spread, 1.0), np.inf)
        dof = np.maximum(dof, 3.0)
        squared = (found.value[used] - wanted.value[:n][used]) ** 2 / (a + b)
        ratios.append(squared * (1.0 - 2.0 / dof))
    every = np.concatenate(ratios)
    if every.size == 0:
        raise RegrainError(
            "no bin of a distribution has an error; give a longer run, or frames further apart"
        )
    return float(np.mean(every))


def kirkwood_buff(distribution: Distribution, volume: float = np.inf) -> float:
    """∫ (g − 1) 4πr² dr, from a g(r) of finite range.

    The weight is that of a spherical subvolume, extrapolated to an infinite one (P. Krüger and
    T. J. H. Vlugt, Phys. Rev. E 97, 051301 (2018)): it converges where the cut-off integral
    oscillates. In a closed box of some volume g tends to 1 - G / volume, which is put right.

    Loses / Assumes
    ---------------
    g has decayed within the range, if not by itself then under the weight.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.records import kirkwood_buff
    >>> from regrain.fits.structure import Distribution
    >>> r = np.arange(0.005, 8.0, 0.01)
    >>> hole = Distribution(r, np.where(r < 1.0, 0.0, 1.0), 0 * r, 0 * r)
    >>> print(f"{kirkwood_buff(hole):.2f}")  # -4 pi / 3
    -4.18
    """
    r = distribution.x
    weight = integral_weight(r, r[1] - r[0], volume)
    return float(np.sum((distribution.value - 1.0) * weight))


def integral_weight(r: Floats, spacing: float, volume: float = np.inf) -> Floats:
    """What g - 1 is summed with in `kirkwood_buff`.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.records import integral_weight
    >>> integral_weight(np.array([0.5, 1.5]), 1.0).round(3).tolist()
    [3.013, 8.239]
    """
    x = r / (r[-1] + 0.5 * spacing)
    weight = 1.0 - 23.0 / 8.0 * x**3 + 3.0 / 4.0 * x**4 + 9.0 / 8.0 * x**5
    weight = 4.0 * np.pi * r**2 * weight * spacing
    return np.asarray(weight / (1.0 - np.sum(weight) / volume))


def kirkwood_buff_of(problem: Problem, trace: Trace[Particles]) -> dict[str, float]:
    """The integrals of a coarse run by label, from g(r) as far as that of the target.

    They need a longer reach than the fit, and fewer frames.
    """
    pairs = problem.of_kind("pair")
    if not pairs:
        return {}
    target = problem.target[pairs[0].label]
    thin = trace[:: max(1, len(trace) // FRAMES)]
    reach = float(target.x[-1] + 0.5 * pairs[0].spacing)
    found, _ = measure_structure(thin, pairs, exclude=problem.exclude, reach=reach)
    return {label: kirkwood_buff(g, problem.state.volume) for label, g in found.items()}


def compressibility(problem: Problem, integrals: Mapping[str, float]) -> float | None:
    """Isothermal compressibility of a mixture from its Kirkwood-Buff integrals.

    κ kT = 1 / (ρᵀ B⁻¹ ρ) with B_ab = ρ_a δ_ab + ρ_a ρ_b G_ab (J. G. Kirkwood and F. P. Buff,
    J. Chem. Phys. 19, 774 (1951)), per pressure unit; None for bonded particles, or where not all
    pairs were measured.
    """
    densities = problem.densities
    names = sorted(densities)
    if problem.state.topology.bonds.size or len(integrals) != len(names) * (len(names) + 1) // 2:
        return None
    rho = np.array([densities[name] for name in names])
    fluctuations = np.diag(rho)
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            fluctuations[i, j] += rho[i] * rho[j] * integrals[f"pair {min(a, b)}-{max(a, b)}"]
    inverse = np.linalg.pinv(fluctuations)
    return float(1.0 / (rho @ inverse @ rho) / problem.kt / problem.units.pressure_factor)
