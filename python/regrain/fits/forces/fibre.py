"""The noise of forces: how much they differ between fine states of the same coarse positions."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrain.observables import Estimate

__all__ = ["FibreNoise"]

Floats = NDArray[np.float64]

#: Memory for the sums of coarse states that may come again.
ROOM = 64_000_000


@dataclass
class _Group:
    count: int
    mean: Floats
    squares: float

    def add(self, forces: Floats) -> None:
        step = forces - self.mean
        self.count += 1
        self.mean = self.mean + step / self.count
        self.squares += float(np.sum(step * (forces - self.mean)))


class FibreNoise:
    """Variance of the forces within groups of frames that share their coarse positions.

    The fine states over one coarse state are its fibre; the mean of their forces is what a coarse
    model can have, the rest is noise to it (W. G. Noid et al., J. Chem. Phys. 128, 244114 (2008),
    eq. 48). Groups are kept for as long as there is room, the least recent one goes first.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.forces.fibre import FibreNoise
    >>> noise, rng = FibreNoise(), np.random.default_rng(1)
    >>> for group in range(200):
    ...     for _ in range(3):
    ...         noise.add(bytes([group]), group + rng.normal(size=(10, 3)))
    >>> noise.estimate(unit="").value.round(2).item()  # mean square per component
    0.99
    """

    def __init__(self) -> None:
        self._open: OrderedDict[bytes, _Group] = OrderedDict()
        # Of finished groups: sums of squares within, and degrees of freedom.
        self._squares: list[float] = []
        self._dof: list[int] = []

    def add(self, mark: bytes, forces: Floats) -> None:
        """Forces of one more frame at the coarse positions of that mark."""
        if mark in self._open:
            self._open[mark].add(forces)
            self._open.move_to_end(mark)
            return
        self._open[mark] = _Group(1, forces, 0.0)
        if len(self._open) * forces.nbytes > ROOM:
            self._close()

    def _close(self) -> None:
        """Finish the group that was not met for longest."""
        _, group = self._open.popitem(last=False)
        if group.count > 1:
            self._squares.append(group.squares)
            self._dof.append((group.count - 1) * group.mean.size)

    def groups(self) -> tuple[Floats, NDArray[np.int64]]:
        """Sum of squares within each group of two and more, and its degrees of freedom."""
        while self._open:
            self._close()
        return np.array(self._squares), np.array(self._dof, dtype=np.int64)

    @classmethod
    def of(cls, squares: Floats, dof: NDArray[np.int64]) -> FibreNoise:
        """What ``groups`` told of."""
        noise = cls()
        noise._squares, noise._dof = squares.tolist(), dof.tolist()
        return noise

    def estimate(self, *, unit: str) -> Estimate:
        """Mean square of the noise per component of a force.

        Undefined, with the reason, where no two frames share their coarse positions.
        """
        squares, dof = self.groups()
        if not len(dof):
            return Estimate.undefined(
                "fibre noise",
                "no two frames share their coarse positions, so model error and noise cannot be "
                "told apart; add frames of fine states restrained to the same beads",
            )
        value = squares.sum() / dof.sum()
        count = len(dof)
        error = None
        if count > 1:  # the ratio of two sums over groups
            spread = squares - value * dof
            error = np.sqrt(count / (count - 1) * np.sum(spread**2)) / dof.sum()
        return Estimate(
            "fibre noise", value, error, unit=unit, dof=count - 1 if count > 1 else None,
            n_eff=count, tier="T2", method="variance of the forces at the same coarse positions",
            flags=() if count > 1 else ("one group of frames gives no error bar",),
        )  # fmt: skip
