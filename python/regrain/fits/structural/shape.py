"""How energies at the bins of a distribution become a potential at the nodes of a form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.structural.shaping import best_width, extrapolate, hat_matrix, smooth_onto
from regrain.fits.structure import Distribution, Interaction

__all__ = ["Shape"]

Floats = NDArray[np.float64]

# What becomes of each kind of potential at the end of its table.
ENDS = {"pair": "zero", "bond": "free", "angle": "free", "dihedral": "periodic"}


@dataclass(frozen=True, eq=False)
class Shape:
    """What the target says about where a potential can be known, and how finely.

    Parameters
    ----------
    term : Interaction
    target : Distribution
    width : float
        Features narrower than this are noise.

    Raises
    ------
    RegrainError
        The table starts where particles still meet, or hardly anything was sampled in it.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.shape import Shape
    >>> from regrain.fits.structure import Distribution, Interaction
    >>> from regrain.particles import Table
    >>> term = Interaction("pair", ("A", "A"), Table(r_min=0.5, r_max=1.5, points=11))
    >>> r = 0.05 + 0.1 * np.arange(20)
    >>> g = np.where(r < 0.8, 0.0, 1.0)
    >>> shape = Shape(term, Distribution(r, g, 0.01 * g, np.full(20, 9.0)), width=0.2)
    >>> shape.first, shape.last  # of the nodes 0.5, 0.6, ... 1.5
    (4, 9)
    """

    term: Interaction
    target: Distribution
    width: float

    def __post_init__(self) -> None:
        term, x = self.term, self.target.x
        low, high = term.nodes[0], term.nodes[-1]
        outside = self.target.sampled(term.kind) & (x < low - 0.5 * term.spacing)
        if np.any(outside):
            raise RegrainError(
                f"{term.label}: the table starts at {low:g}, but the target has particles as close "
                f"as {x[outside][0]:.4g}; give a smaller r_min"
            )
        if np.count_nonzero(self.seen) < 3:
            raise RegrainError(
                f"{term.label}: hardly anything was sampled between {low:g} and {high:g} "
                f"({np.count_nonzero(self.seen)} bins stand out of their errors); give more "
                "frames, wider bins (fewer points) or another range"
            )

    @classmethod
    def of(
        cls, term: Interaction, target: Distribution, energy: Floats, smoothing: float | None
    ) -> Shape:
        """With the width that is asked for, or the one that suits these energies best."""
        shape = cls(term, target, 0.0 if smoothing is None else smoothing * term.width)
        if smoothing is not None:
            return shape
        width = best_width(
            term.nodes, target.x, shape._ended(energy), shape.counts, end=ENDS[term.kind]
        )
        return replace(shape, width=width)

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Bins that were sampled and that the table covers."""
        return self.target.sampled(self.term.kind) & self.term.inside(self.target.x)

    @cached_property
    def counts(self) -> Floats:
        """Independent samples of each bin, 0 where it was not seen."""
        return np.where(self.seen, self.term.counts(self.target), 0.0)

    @cached_property
    def first(self) -> int:
        """First node between sampled bins."""
        return int(np.flatnonzero(self.term.nodes >= self.target.x[self.seen][0] - 1e-9)[0])

    @cached_property
    def last(self) -> int:
        """Last node between sampled bins."""
        return int(np.flatnonzero(self.term.nodes <= self.target.x[self.seen][-1] + 1e-9)[-1])

    def smooth(self, energy: Floats, counts: Floats | None = None) -> Floats:
        """Energies at the nodes from those at the bins; ``counts`` of the target if omitted."""
        x = self.target.x[: len(energy)]
        counts = self.counts[: len(x)] if counts is None else counts
        return smooth_onto(
            self.term.nodes, x, energy, counts, width=self.width, end=ENDS[self.term.kind]
        )

    def finish(self, energy: Floats, kt: float) -> Floats:
        """A potential: smooth, ended at the cutoff, walled in."""
        return self.walled(self.smooth(self._ended(energy)), kt)

    def _ended(self, energy: Floats) -> Floats:
        """A pair potential without what is left at the cutoff: a constant without a force."""
        if self.term.kind != "pair":
            return energy
        reach = self.term.nodes[-1] - max(self.width, 5.0 * self.term.spacing)
        last = self.seen & (self.target.x > reach)
        return energy - np.mean(energy[last]) if np.any(last) else energy

    def walled(self, values: Floats, kt: float) -> Floats:
        """Walls at the nodes where nothing was seen; bonded potentials get their zero."""
        term, nodes = self.term, self.term.nodes
        if term.kind == "dihedral":
            # Around a circle there is no outside: a gap is a barrier as high as the highest seen.
            near = hat_matrix(nodes, self.target.x[self.seen]).sum(axis=0) > 0
            near[0] = near[-1] = near[0] or near[-1]
            filled = np.where(near, values, values[near].max())
            return np.asarray(filled - filled[near].min())
        mean = np.average(self.target.x, weights=self.counts)
        spread = float(np.average((self.target.x - mean) ** 2, weights=self.counts))
        end = len(values) - 1 if term.kind == "pair" else self.last
        filled = extrapolate(
            nodes,
            values,
            self.first,
            end,
            stiffness=kt / spread,
            over=max(3, round(0.5 * self.width / term.spacing) + 1),
        )
        return filled if term.kind == "pair" else filled - filled.min()

    def relative_error(self, found: Distribution) -> Floats:
        """Error of a distribution over itself at the nodes, bin by bin; the end ones go on."""
        n = min(len(found.x), len(self.seen))
        good = np.flatnonzero(self.seen[:n] & (found.value[:n] > 0))
        relative = found.error[good] / found.value[good]
        return np.asarray(np.interp(self.term.nodes, found.x[good], relative))
