"""How long steps of dissipative particle dynamics take: forces, exchanges, collisions."""

from typing import Any

import numpy as np
import pytest

from regrain import _core
from regrain.particles import ForceField, Soft, fcc

WATER = ForceField({("A", "A"): Soft(a=25.0, cutoff=1.0)})
DPD = {"kt": 1.0, "cutoff": 1.0, "friction": [4.5], "exponent": 2.0}
DYNAMICS = {
    "verlet": _core.Dpd(**DPD, splitting=False, predictor=0.5),
    "predicted": _core.Dpd(**DPD, splitting=False, predictor=0.65),
    "shardlow": _core.Dpd(**DPD, splitting=True, predictor=0.5),
    "Lowe-Andersen": _core.LoweAndersen(kt=1.0, cutoff=1.0, rate=5.0),
}


@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_pairwise(benchmark: Any, dynamics: str) -> None:
    start = fcc(18, density=3.0)
    n = len(start)
    running = _core.Simulation(
        WATER.compile(start),
        types=np.zeros(n),
        masses=np.ones(n),
        dt=0.02,
        dynamics=DYNAMICS[dynamics],
        barostat=None,
        seed=1,
        skin=0.3,
    )
    running.assign(positions=start.positions, images=None, velocities=None, kt=1.0, box=start.box)
    running.run(50)
    benchmark(running.run, 20)
