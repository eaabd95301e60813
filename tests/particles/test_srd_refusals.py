"""What multi-particle collision dynamics refuses, and what it says."""

from __future__ import annotations

import numpy as np
import pytest

from regrain.errors import RegrainError
from regrain.particles import (
    NVE,
    SRD,
    CellRescale,
    ForceField,
    LennardJones,
    Network,
    Shear,
    Topology,
)
from tests.particles.solvent import BARE, CHAIN, RULES, fluid


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"angle": 0.0}, "above 0 and at most 180"),
        ({"angle": 200.0}, "above 0 and at most 180"),
        ({"cell": 0.0}, "cell must be a positive number"),
        ({"interval": -1.0}, "interval must be a positive number"),
        ({"walls": "w"}, 'such as "z"'),
        ({"walls": "zz"}, 'such as "z"'),
        ({"shift": 1}, "shift is True or False"),
        ({"reverse": "z"}, "reverse needs an acceleration"),
        ({"reverse": "z", "acceleration": (0.0, 0.0, 1.0)}, "across the axis of reverse"),
        ({"walls": "z", "acceleration": (0.0, 0.0, 1.0)}, "must be along walls"),
        ({"acceleration": (0.0, float("nan"), 1.0)}, "three finite numbers"),
        ({"wall_velocity": (1.0, 0.0, 0.0)}, "no walls to move"),
        ({"temperature": -1.0}, "zero or more"),
    ],
)
def test_settings_that_make_no_sense(change: dict[str, object], message: str) -> None:
    given = {"solvent": "S", "cell": 1.0, "interval": 0.1} | change
    with pytest.raises(RegrainError, match=message):
        SRD(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dt": 0.03}, "not a multiple of the time step"),
        ({"dt": 0.5}, "not a multiple of the time step"),
        ({"dynamics": SRD(solvent="T", cell=1.0, interval=0.1)}, "no particle has the type 'T'"),
        ({"dynamics": SRD(solvent="S", cell=0.7, interval=0.1)}, "do not fit the box"),
        ({"dynamics": SRD(solvent="S", cell=0.5, interval=0.1)}, "1.25.* per cell, and a therm"),
        (
            {"dynamics": SRD(solvent="S", cell=4.0, interval=0.1, walls="x")},
            "less than two cells",
        ),
        ({"barostat": CellRescale(pressure=1.0, time=1.0, compressibility=0.1)}, "does not go"),
        ({"flow": Shear(rate=1.0)}, "does not go with flow"),
        ({"frozen": [0]}, "does not go with frozen"),
    ],
)
def test_runs_that_make_no_sense(change: dict[str, object], message: str) -> None:
    given = {"time": 1.0, "dt": 0.1, "dynamics": RULES["SRD"], "progress": False} | change
    with pytest.raises(RegrainError, match=message):
        BARE.run(fluid((4.0, 4.0, 4.0)), **given)  # type: ignore[arg-type]


def test_solvent_that_interacts_is_refused() -> None:
    start = fluid((4.0, 4.0, 4.0), beads=2)
    run = {"time": 0.1, "dt": 0.1, "dynamics": RULES["SRD"], "progress": False}
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=1.2)
    with pytest.raises(RegrainError, match="is solvent, which has no interactions"):
        CHAIN.replace(pairs={("A", "A"): lj, ("A", "S"): lj}).run(start, **run)  # type: ignore[arg-type]
    bonded = Topology(start.topology.types, bonds=[(0, 640)])
    with pytest.raises(RegrainError, match="has a particle of the solvent"):
        CHAIN.run(start.replace(topology=bonded), **run)  # type: ignore[arg-type]
    massless = Topology(start.topology.types, masses=np.r_[0.0, np.ones(641)])
    with pytest.raises(RegrainError, match="particle 0 has mass 0"):
        CHAIN.run(start.replace(topology=massless), **run)  # type: ignore[arg-type]
    springs = CHAIN.replace(network=Network(pairs=[(0, 1)], k=1.0, r0=1.0))
    with pytest.raises(RegrainError, match="without the solvent"):
        springs.run(start, **run)  # type: ignore[arg-type]


def test_skewed_boxes_and_particles_behind_walls_are_refused() -> None:
    start = fluid((4.0, 4.0, 4.0))
    run = {"time": 0.1, "dt": 0.1, "progress": False}
    skewed = start.replace(box=[[4.0, 0.0, 0.0], [1.0, 4.0, 0.0], [0.0, 0.0, 4.0]])
    with pytest.raises(RegrainError, match="orthorhombic"):
        BARE.run(skewed, dynamics=RULES["SRD"], **run)  # type: ignore[arg-type]
    outside = start.replace(positions=start.positions + np.array([0.0, 0.0, 0.5]))
    walled = SRD(solvent="S", cell=1.0, interval=0.1, walls="z")
    with pytest.raises(RegrainError, match="on the other side of the walls"):
        BARE.run(outside, dynamics=walled, **run)  # type: ignore[arg-type]
    cold = ForceField()
    with pytest.raises(RegrainError, match="needs a temperature"):
        cold.run(start, dynamics=walled, **run)  # type: ignore[arg-type]
    # Newton's equations in the force field alone know nothing of the solvent.
    with pytest.raises(RegrainError, match="S"):
        BARE.run(start, dynamics=NVE(), **run)  # type: ignore[arg-type]
