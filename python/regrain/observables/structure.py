"""The static structure factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.observables.observable import Observable, Plan
from regrain.particles import Particles
from regrain.trace import Trace
from regrain.units import units

__all__ = ["StructureFactor"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StructureFactor(Observable):
    """S(q) = |Σ exp(i q·r)|² / N over the reciprocal vectors of the box, averaged in shells of q.

    A direct sum: no grid, no g(r), no window. Exactly 1 on average for an ideal gas and exactly N
    on the Bragg peaks of a perfect lattice. Its limit q → 0 is k_B T κ_T N / V.

    Parameters
    ----------
    q_max : float, optional
        Largest wave number; 4π (N/V)^(1/3), which takes in two peaks of a liquid, when omitted, but
        no more than about 20 000 wave vectors.
    dq : float, optional
        Width of the shells; the smallest wave number of the first box when omitted.
    types : sequence of str, optional
        Particles that count; all of them when omitted.

    Raises
    ------
    RegrainError
        No wave vector up to q_max, too many of them, no such type, no particle of it.

    Loses / Assumes
    ---------------
    Directions are averaged. Where the box changes, the indices (h, k, l) of the
    first frame stay and their wave vectors scale along; ``q`` is that of the first frame.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import StructureFactor
    >>> from regrain.particles import Particles
    >>> grid = np.stack(np.meshgrid(*[range(4)] * 3), -1).reshape(-1, 3)
    >>> crystal = Particles(grid, box=[4.0, 4.0, 4.0])
    >>> s = StructureFactor(q_max=2 * np.pi, dq=0.1)(Trace([crystal], times=[0.0]))
    >>> float(s.sel(q=2 * np.pi)).__round__(6) > 10 and float(s.sel(q=np.pi / 2)).__round__(6) == 0
    True
    """

    q_max: float | None = None
    _: KW_ONLY
    dq: float | None = None
    types: Sequence[str] | None = None

    name: ClassVar[str] = "structure factor"
    cite: ClassVar[str] = "Hansen & McDonald, Theory of Simple Liquids (2013), sec. 4.1"

    def __post_init__(self) -> None:
        for name, value in (("q_max", self.q_max), ("dq", self.dq)):
            if value is not None and not (value > 0 and np.isfinite(value)):
                raise RegrainError(f"StructureFactor: {name} is {value}; give a positive number")

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Settle wave vectors and shells."""
        first: Particles = trace[0]
        chosen = self._chosen(first)
        indices = _core.reciprocal_indices(first.box, self.q_max or _two_peaks(first))
        if len(indices) == 0:
            raise RegrainError(
                f"{self!r}: the smallest wave number of the box is above q_max; give a larger one"
            )
        q = np.linalg.norm(_core.wave_vectors(first.box, indices), axis=1)
        # Half a shell off zero, so that the shortest wave vectors are in the middle of theirs.
        width = q.min() if self.dq is None else self.dq
        _, shell = np.unique(np.floor(q / width + 0.5), return_inverse=True)
        shell = shell.reshape(-1)
        counts = np.bincount(shell)
        length = units(first.units).length
        return Plan(
            coords={"q": np.bincount(shell, q) / counts},
            coord_units={"q": f"1/{length}" if length else ""},
            data=(chosen, indices, shell, 1.0 / (counts * len(chosen))),
        )

    def _chosen(self, state: Particles) -> NDArray[np.intp]:
        if self.types is None:
            return np.arange(len(state))
        unknown = set(self.types) - set(state.topology.type_names)
        if unknown:
            raise RegrainError(
                f"{self!r}: got {sorted(unknown)}, the types are "
                f"{', '.join(state.topology.type_names)}"
            )
        return np.flatnonzero(np.isin(state.topology.types, list(self.types)))

    def measure(self, state: Particles, plan: Plan) -> Floats:
        """S(q) of one frame, shape (shells,)."""
        chosen, indices, shell, norm = plan.data
        modes = _core.density_modes(state.positions[chosen], state.box, indices)
        s: Floats = np.bincount(shell, np.abs(modes) ** 2) * norm
        return s


def _two_peaks(state: Particles) -> float:
    density = len(state) / state.volume
    affordable = (12 * np.pi**2 * 20_000 / state.volume) ** (1 / 3)
    return float(min(4 * np.pi * density ** (1 / 3), affordable))
