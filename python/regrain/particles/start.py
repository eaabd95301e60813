"""Places to start a simulation from."""

from __future__ import annotations

import numpy as np

from regrain.errors import RegrainError
from regrain.particles.parameters import number
from regrain.particles.state import Particles, Topology

__all__ = ["fcc"]


def fcc(
    cells: int, *, density: float, type: str = "A", mass: float = 1.0, units: str = "reduced"
) -> Particles:
    """4 cells³ particles on a face-centred cubic lattice that fills a cubic box.

    Parameters
    ----------
    cells : int
        Unit cells per edge of the box.
    density : float
        Particles per volume.
    type : str
        Name of their type.
    mass : float
        Mass of each.
    units : str
        ``"reduced"`` or ``"md"``.

    Raises
    ------
    RegrainError
        No cells, or a density that is not positive.

    Examples
    --------
    >>> from regrain.particles import fcc
    >>> fcc(cells=2, density=0.5)
    Particles(32 particles: 32 A; box 4 x 4 x 4)
    """
    cells, density = number("fcc: cells", cells, "int"), number("fcc: density", density)
    if cells < 1 or not (density > 0 and np.isfinite(density)):
        raise RegrainError(
            f"fcc: got cells={cells}, density={density}, expected at least 1 and a positive number"
        )
    edge = (4.0 / density) ** (1.0 / 3.0)
    corners = np.stack(np.meshgrid(*3 * [np.arange(cells)], indexing="ij"), axis=-1).reshape(
        -1, 1, 3
    )
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) + 0.25
    positions = ((corners + basis) * edge).reshape(-1, 3)
    n = len(positions)
    topology = Topology(np.full(n, type), masses=np.full(n, mass))
    return Particles(positions, box=np.full(3, cells * edge), topology=topology, units=units)
