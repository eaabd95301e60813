"""The parameters of several potentials in one vector, and what their energies are on bins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regrain.fits.forms import Parameters
from regrain.fits.problem import Potentials

__all__ = ["Space", "Unknown"]

Floats = NDArray[np.float64]

#: Largest step that is trusted: of the logarithm of a positive parameter, and of an energy in kT
#: where the target is.
FACTOR, ENERGY = 0.25, 3.0


@dataclass(frozen=True, eq=False)
class Unknown:
    """One fitted potential: which of its numbers are free, and where its coordinate was counted.

    Parameters
    ----------
    label, kind : str
        Of the interaction.
    parameters : Parameters
    x : ndarray, shape (bins,)
        Centres of its bins.
    free : ndarray of int
        Indices of the parameters that are fitted; all if omitted.
    fill : callable, optional
        Gives the parameters that are not free from those that are.
    penalty : ndarray, shape (free, free), optional
        Added to the curvature; of S in nats.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits import Free
    >>> from regrain.fits.relative_entropy.space import Unknown
    >>> from regrain.particles import HarmonicBond
    >>> form = Free(HarmonicBond(k=4.0, r0=1.0), "k", "r0")
    >>> Unknown("bond A-A", "bond", form, np.array([0.5, 1.5])).names
    ['k of bond A-A', 'r0 of bond A-A']
    """

    label: str
    kind: str
    parameters: Parameters
    x: Floats
    free: NDArray[np.intp] | None = None
    fill: Callable[[Floats], Floats] | None = None
    penalty: Floats | None = None

    @cached_property
    def index(self) -> NDArray[np.intp]:
        """Of the free parameters."""
        return np.arange(len(self.parameters.names)) if self.free is None else self.free

    @cached_property
    def logarithmic(self) -> NDArray[np.bool_]:
        """Which of them are moved on a logarithmic scale."""
        return self.parameters.positive[self.index]

    @property
    def names(self) -> list[str]:
        """Of the free parameters."""
        return [f"{self.parameters.names[k]} of {self.label}" for k in self.index]

    def theta(self, values: Floats) -> Floats:
        """Where the free parameters are, on their scales."""
        free = np.array(values, dtype=float)[self.index]
        free[self.logarithmic] = np.log(free[self.logarithmic])
        return free

    def values(self, theta: Floats, like: Floats) -> Floats:
        """All parameters; those that are neither free nor filled as they are in ``like``."""
        values = np.array(like, dtype=float)
        values[self.index] = self._bare(theta)
        return values if self.fill is None else self.fill(values)

    def errors(self, theta: Floats, values: Floats) -> Floats:
        """Standard errors of all parameters from those of θ; the others as their next."""
        own = theta * self.scale(values)
        return np.asarray(np.interp(np.arange(len(values)), self.index, own))

    def _bare(self, theta: Floats) -> Floats:
        with np.errstate(over="ignore"):  # potentials refuse what is not finite
            grown = np.exp(np.where(self.logarithmic, theta, 0.0))
        return np.where(self.logarithmic, grown, theta)

    def scale(self, values: Floats) -> Floats:
        """∂λ/∂θ of the free parameters."""
        return np.where(self.logarithmic, values[self.index], 1.0)

    def slopes(self, values: Floats, at: NDArray[np.bool_]) -> Floats:
        """∂u/∂θ on some of the bins, shape (bins, free)."""
        slopes = self.parameters.slopes(values, self.x[at])
        return np.asarray(slopes[:, self.index] * self.scale(values))

    def virial_slopes(self, values: Floats, at: NDArray[np.bool_]) -> Floats:
        """∂(−x du/dx)/∂θ on some of the bins, shape (bins, free)."""
        x = self.x[at]
        slopes = x[:, None] * self.parameters.force_slopes(values, x)
        return np.asarray(slopes[:, self.index] * self.scale(values))

    def bends(self, values: Floats, at: NDArray[np.bool_], counts: Floats) -> Floats:
        """Σ counts ∂²u/∂θ∂θ over bins, shape (free, free)."""
        if self.parameters.linear:
            return np.zeros((len(self.index), len(self.index)))
        scale = self.scale(values)
        bends = self.parameters.bends(values, self.x[at])[:, self.index][:, :, self.index]
        curved = np.tensordot(counts, bends, axes=1) * np.outer(scale, scale)
        first = counts @ self.slopes(values, at)
        return np.asarray(curved + np.diag(np.where(self.logarithmic, first, 0.0)))

    def largest(self, step: Floats, slopes: Floats, beta: float) -> float:
        """The step in units of the largest trusted one; ``slopes`` on the bins of the target."""
        worst = float(np.max(np.abs(step[self.logarithmic]), initial=0.0)) / FACTOR
        change = slopes[:, ~self.logarithmic] @ step[~self.logarithmic]
        if self.kind != "pair" and len(change):  # their number is fixed, and so is no constant
            change = change - change.mean()
        return max(worst, beta * float(np.max(np.abs(change), initial=0.0)) / ENERGY)


class Space:
    """All unknowns in one vector θ, and their bins in one row.

    Parameters
    ----------
    unknowns : sequence of Unknown

    Examples
    --------
    >>> from regrain.fits.relative_entropy.space import Space
    >>> Space([]).size
    0
    """

    def __init__(self, unknowns: Sequence[Unknown]) -> None:
        self.unknowns = list(unknowns)
        self.linear = all(unknown.parameters.linear for unknown in unknowns)
        self.names = [name for unknown in unknowns for name in unknown.names]
        self.bins = _slices([len(unknown.x) for unknown in unknowns])
        self.places = _slices([len(unknown.index) for unknown in unknowns])

    @property
    def size(self) -> int:
        """Number of free parameters."""
        return len(self.names)

    def theta(self, potentials: Potentials) -> Floats:
        """The free parameters of potentials."""
        return np.concatenate([u.theta(potentials[u.label]) for u in self.unknowns])

    def potentials(self, theta: Floats, like: Potentials) -> Potentials:
        """The potentials with these free parameters; what is not free as in ``like``."""
        return {
            u.label: u.values(theta[place], like[u.label])
            for u, place in zip(self.unknowns, self.places, strict=True)
        }

    @cached_property
    def penalty(self) -> Floats:
        """Curvature of the penalties, shape (free, free)."""
        matrix = np.zeros((self.size, self.size))
        for unknown, place in zip(self.unknowns, self.places, strict=True):
            if unknown.penalty is not None:
                matrix[place, place] = unknown.penalty
        return matrix

    def energies(self, potentials: Potentials, used: NDArray[np.bool_]) -> Floats:
        """u on the used bins, zero on the others, shape (bins,)."""
        energies = np.zeros(len(used))
        for unknown, bins in zip(self.unknowns, self.bins, strict=True):
            at = used[bins]
            potential = unknown.parameters.with_values(potentials[unknown.label])
            energies[bins][at] = potential.u(unknown.x[at])
        return energies

    def slopes(self, potentials: Potentials, used: NDArray[np.bool_]) -> Floats:
        """∂u/∂θ on the used bins, shape (bins, free)."""
        return self._slopes(lambda u, at: u.slopes(potentials[u.label], at), used)

    def virial_slopes(self, potentials: Potentials, used: NDArray[np.bool_]) -> Floats:
        """∂(−r du/dr)/∂θ on the used bins of distances, shape (bins, free)."""

        def of(unknown: Unknown, at: NDArray[np.bool_]) -> Floats:
            if unknown.kind not in ("pair", "bond"):  # turning is no stretching
                return np.zeros((np.count_nonzero(at), len(unknown.index)))
            return unknown.virial_slopes(potentials[unknown.label], at)

        return self._slopes(of, used)

    def _slopes(
        self, of: Callable[[Unknown, NDArray[np.bool_]], Floats], used: NDArray[np.bool_]
    ) -> Floats:
        slopes = np.zeros((len(used), self.size))
        for unknown, bins, place in zip(self.unknowns, self.bins, self.places, strict=True):
            at = used[bins]
            slopes[bins, place][at] = of(unknown, at)
        return slopes

    def bends(self, potentials: Potentials, used: NDArray[np.bool_], counts: Floats) -> Floats:
        """Σ counts ∂²u/∂θ∂θ, shape (free, free)."""
        matrix = np.zeros((self.size, self.size))
        for unknown, bins, place in zip(self.unknowns, self.bins, self.places, strict=True):
            at = used[bins]
            values = potentials[unknown.label]
            matrix[place, place] = unknown.bends(values, at, counts[bins][at])
        return matrix


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]
