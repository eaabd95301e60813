"""How long collisions of a solvent take, by rule, and with walls."""

from typing import Any

import numpy as np
import pytest

from regrain import _core
from regrain.particles import SRD, ForceField, MPCAndersen, Particles, Topology
from regrain.particles.run import Settings

STEPS = 20
COMMON: dict[str, Any] = {"solvent": "S", "cell": 1.0, "interval": 0.1}
RULES = {
    "SRD": SRD(thermostat=False, **COMMON),
    "SRD with thermostat": SRD(**COMMON),
    "SRD between walls": SRD(walls="z", acceleration=(0.01, 0.0, 0.0), **COMMON),
    "SRD+a": SRD(thermostat=False, angular_momentum=True, **COMMON),
    "MPC-AT-a": MPCAndersen(**COMMON),
    "MPC-AT+a": MPCAndersen(angular_momentum=True, **COMMON),
}


def collisions(benchmark: Any, rule: SRD | MPCAndersen, edge: int) -> None:
    """Runs of a warm solvent of ten particles per cell."""
    n = 10 * edge**3
    r = np.random.default_rng(1).random((n, 3)) * edge
    fluid = Particles(r, box=[edge] * 3, topology=Topology(["S"] * n))
    field = ForceField(temperature=1.0)
    running = rule._simulation(field, fluid, Settings(time=1.0, dt=0.1, every=1.0, dynamics=rule))
    running.assign(positions=r, images=None, velocities=None, kt=1.0, box=fluid.box)
    running.run(STEPS)
    benchmark.extra_info["particle steps"] = STEPS * n
    benchmark(running.run, STEPS)


@pytest.mark.parametrize("rule", RULES)
def test_collisions(benchmark: Any, rule: str) -> None:
    _core.set_threads(1)
    collisions(benchmark, RULES[rule], 32)


@pytest.mark.parametrize("edge", [10, 22, 46, 74])
def test_sizes_from_ten_thousand_to_four_million(benchmark: Any, edge: int) -> None:
    _core.set_threads(1)
    collisions(benchmark, RULES["SRD"], edge)
