"""How much relative entropy changed along the runs of a fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.problem import Potentials
from regrain.fits.relative_entropy.divergence import Comparison
from regrain.fits.relative_entropy.reweighting import log_ratio, reweight, series_error
from regrain.fits.relative_entropy.space import Space
from regrain.observables import Estimate

__all__ = ["Stop", "change_along"]

Floats = NDArray[np.float64]
#: Potentials, and target and run of every state with them.
Stop = tuple[Potentials, Sequence[Comparison]]

#: Effective frames of one run under the potentials of the next, in either direction, that make a
#: free energy difference by reweighting.
OVERLAPPING = 20.0


def change_along(space: Space, stops: Sequence[Stop]) -> Estimate:
    """Relative entropy of the last potentials minus that of the first, per particle.

    S = β ⟨U⟩_target + ln Z, up to the entropy of the target, which is the same everywhere. ln Z
    changes from run to run by what frames of both say (Bennett 1976); where these do not overlap,
    by the trapezoidal rule along U + t ΔU, corrected by the variances of ΔU at both ends.

    Parameters
    ----------
    space : Space
    stops : sequence of (potentials, sequence of Comparison)
        In the order of the runs.

    Loses / Assumes
    ---------------
    The errors of neighbouring differences are added as if they were independent.

    Examples
    --------
    >>> from regrain.fits.relative_entropy.path import change_along  # a fit calls it
    """
    value = variance = 0.0
    particles = sum(state.weight * state.size for state in stops[0][1])
    jumps = []
    for k in range(len(stops[0][1])):
        states = [comparisons[k] for _, comparisons in stops]
        weight, beta, target = states[0].weight, states[0].beta, states[0].target
        seen = target.mean > 0
        for state in states:
            seen = seen | (state.run.mean > 0)
        energies = [space.energies(potentials, seen) for potentials, _ in stops]
        total = beta * target.project((energies[-1] - energies[0])[:, None])
        value += weight * float(target.weights @ total[:, 0]) / float(target.weights.sum())
        if len(total) > 1:
            variance += (weight * float(series_error(total, target.weights)[0])) ** 2
        for i in range(1, len(stops)):
            change = beta * (energies[i] - energies[i - 1])
            forward, backward = (s.run.rows @ change for s in (states[i - 1], states[i]))
            found, error, overlap = _free_energy(forward, backward)
            value += weight * found
            variance += (weight * error) ** 2
            if not overlap:
                jumps.append(i)
    flags = ["difference from the potentials of the first run"]
    if jumps:
        runs = ", ".join(f"{i} to {i + 1}" for i in sorted(set(jumps)))
        flags.append(f"runs {runs} do not overlap: by the trapezoidal rule")
    return Estimate(
        "change of relative entropy per particle",
        np.array(value / particles),
        np.array(np.sqrt(variance) / particles),
        unit="kB",
        method="free energies between runs by Bennett's acceptance ratio",
        cite="C. H. Bennett, J. Comput. Phys. 22, 245 (1976)",
        flags=flags,
    )


def _free_energy(forward: Floats, backward: Floats) -> tuple[float, float, bool]:
    """ln Z_1 / Z_0, its error, and whether the runs overlap."""
    worth = [reweight(change).share * len(change) for change in (forward, -backward)]
    if max(worth) >= OVERLAPPING:
        try:
            return (*log_ratio(forward, backward), True)
        except (RegrainError, ValueError):
            pass
    ends = -0.5 * (forward.mean() + backward.mean())
    bend = (forward.var() - backward.var()) / 12.0
    one, other = (float(series_error(change[:, None])[0]) for change in (forward, backward))
    noise = 0.5 * np.hypot(one, other)
    return float(ends + bend), float(np.hypot(noise, bend)), False
