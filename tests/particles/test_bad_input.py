"""Things of another kind than expected: one message that says what was given and what to give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regrain import RegrainError
from regrain.particles import (
    DPD,
    NVE,
    SRD,
    Angle,
    CellRescale,
    Coordination,
    Distance,
    Ewald,
    Field,
    FieldTable,
    ForceField,
    HarmonicWall,
    LennardJones,
    NoseHoover,
    Particles,
    RigidBond,
    Topology,
    bead_spring_melt,
    fcc,
)

LIQUID = ForceField(
    {("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")}, temperature=1.0
)
START = fcc(3, density=0.7)
ANY: Any = None  # arguments of types that are checked when they run


def run(**changes: Any) -> object:
    return LIQUID.run(**{"state": START, "time": 0.1, "dt": 0.005} | changes)


def srd(**changes: Any) -> object:
    return SRD(**{"solvent": "S", "cell": 1.0, "interval": 0.1} | changes)


def case(message: str, make: Callable[[], object]) -> Any:
    return pytest.param(message, make, id=message)


CASES = [
    # ------------------------------------------------------------------ a run
    case("got None, expected Particles", lambda: run(state=None)),
    case("got 'A', expected Particles", lambda: run(state="A")),
    case("of a trace take a frame", lambda: run(state=run())),
    case("dt is None, expected a number", lambda: run(dt=None)),
    case("time is 'long', expected a number", lambda: run(time="long")),
    case("seed is None, expected a whole number", lambda: run(seed=None)),
    case("checkpoint: got 1, expected the name of a file", lambda: run(checkpoint=1)),
    case("is a directory; give the name of a file in it", lambda: run(checkpoint=Path())),
    case("a mask of shape (2,) for 108 particles", lambda: run(frozen=[True, False])),
    # ------------------------------------------------------------------ states
    case("positions: got 'abc', expected three numbers", lambda: Particles("abc", box=[1, 1, 1])),
    case("got [[1, 2, 3], [1, 2]]", lambda: Particles([[1, 2, 3], [1, 2]], box=[1, 1, 1])),
    case("positions: got None", lambda: Particles(ANY, box=[1, 1, 1])),
    case("box: got 'abc', expected three edge", lambda: Particles([[1, 2, 3]], box="abc")),
    case(
        "topology: got ['A'], expected a Topology",
        lambda: Particles([[1, 2, 3]], box=[1, 1, 1], topology=["A"]),  # type: ignore[arg-type]
    ),
    case(
        "images: got [[0.5, 0, 0]], expected three whole",
        lambda: Particles([[1, 2, 3]], box=[1, 1, 1], images=[[0.5, 0, 0]]),
    ),
    case("types: got 'AB', expected a sequence of names", lambda: Topology("AB")),
    case("types: got None", lambda: Topology(ANY)),
    case("masses: got ['x'], expected one number", lambda: Topology(["A"], masses=["x"])),
    case(
        "bonds: got [(0.4, 1.7)], expected rows of 2 indices",
        lambda: Topology(["A", "A"], bonds=[(0.4, 1.7)]),
    ),
    case("bonds: got [(nan, 1)]", lambda: Topology(["A", "A"], bonds=[(np.nan, 1)])),
    case("bonds: got [(0, 1099511627776)]", lambda: Topology(["A"] * 2, bonds=[(0, 2**40)])),
    case("bonds: got [(0, 1), (0,)]", lambda: Topology(["A", "A"], bonds=[(0, 1), (0,)])),
    case("residues: got [1.5], expected one whole", lambda: Topology(["A"], residues=[1.5])),
    case("cells is 1.5, expected a whole number", lambda: fcc(1.5, density=1.0)),  # type: ignore[arg-type]
    case("density is 'high', expected a number", lambda: fcc(2, density="high")),  # type: ignore[arg-type]
    case("density=inf, expected", lambda: fcc(2, density=np.inf)),
    case("chains is 'many', expected a whole", lambda: bead_spring_melt("many", length=5)),  # type: ignore[arg-type]
    case("length is 2.5, expected a whole", lambda: bead_spring_melt(2, length=2.5)),  # type: ignore[arg-type]
    # ------------------------------------------------------------------ force fields
    case("pairs: got 'LJ', expected potentials by types", lambda: ForceField("LJ")),  # type: ignore[arg-type]
    case("pairs: got the key 1, expected 2 type names", lambda: ForceField({1: None})),  # type: ignore[dict-item]
    case("temperature is 'hot', expected a number", lambda: ForceField(temperature="hot")),  # type: ignore[arg-type]
    case("exclude is nan, expected a whole", lambda: ForceField(exclude=np.nan)),  # type: ignore[arg-type]
    case("exclude is None, expected a whole", lambda: ForceField(exclude=ANY)),
    case(
        "epsilon is None, expected a number",
        lambda: LennardJones(epsilon=ANY, sigma=1.0, cutoff=2.5),
    ),
    case("at is None, expected a number", lambda: HarmonicWall("+z", at=ANY, k=1.0, cutoff=1.0)),
    case('position 2: expected an operator or the end, found "·"', lambda: Field("x·2")),
    case('expected a number, a name or a parenthesis, found "ξ"', lambda: Field("ξ")),
    case(
        "energy: got 'abc', expected a number for each point",
        lambda: FieldTable("+z", low=0.0, high=1.0, energy="abc"),
    ),
    case(
        "energy has shape (2, 2), expected one number per point",
        lambda: FieldTable("+z", low=0.0, high=1.0, energy=[[1, 2], [3, 4]]),
    ),
    case("names one group twice", lambda: Distance(a=0, b=0)),
    case("names one group twice", lambda: Angle(a=0, b=[1, 2], c=[2, 1])),
    # ------------------------------------------------------------------ dynamics
    case("got the key 1, expected two type names", lambda: DPD(friction={1: 1.0})),  # type: ignore[dict-item]
    case(
        "coupling: got ['isotropic'], expected one of",
        lambda: CellRescale(pressure=1, time=1, compressibility=1, coupling=["isotropic"]),  # type: ignore[arg-type]
    ),
    case("must be no less than the time step", lambda: run(dynamics=NoseHoover(time=0.001))),
    case("solvent is 1, expected the name of a type", lambda: srd(solvent=1)),
    case("solvent is [], expected the name of a type", lambda: srd(solvent=[])),
    case('walls are axes to be closed, such as "z"', lambda: srd(walls=True)),
    case("wall_velocity: got 'up', expected three", lambda: srd(walls="z", wall_velocity="up")),
    case("reverse is the axis across", lambda: srd(reverse=2, acceleration=(1, 0, 0))),
    case(
        "density is 'x', expected a number",
        lambda: SRD(solvent="S", cell=1.0, interval=0.1).theory(density="x", temperature=1.0),  # type: ignore[arg-type]
    ),
]


@pytest.mark.parametrize(("message", "make"), CASES)
def test_one_message_says_what_was_given(message: str, make: Callable[[], object]) -> None:
    with pytest.raises(RegrainError) as error:
        make()
    assert message in str(error.value)


def test_numbers_of_numpy_are_numbers() -> None:
    state = Particles(
        np.float32([[1, 2, 3], [2, 2, 3]]), box=np.int64([9, 9, 9]), images=np.zeros((2, 3)),
        topology=Topology(np.array(["A", "A"]), bonds=np.array([[0.0, 1.0]])),
    )  # fmt: skip
    assert state.images is not None
    assert state.images.dtype == state.topology.bonds.dtype == np.int32
    assert fcc(np.int64(2), density=np.float32(0.5)) is not None
    assert SRD(solvent=["S"], cell=np.float32(1), interval=1, shift=np.bool_(False)).shift is False  # type: ignore[arg-type]
    assert ForceField(temperature=np.float32(2), exclude=np.int8(1)).exclude == 1
    assert Coordination(a=[0, 1], b=[0, 1], r0=1.0).n == 6


def test_charges_of_a_solvent_are_not_left_out_silently() -> None:
    random = np.random.default_rng(1)
    topology = Topology(["S"] * 320, charges=np.tile([1.0, -1.0], 160))
    fluid = Particles(random.random((320, 3)) * 4, box=[4, 4, 4], topology=topology)
    field = ForceField(charges=Ewald(cutoff=1.5), temperature=1.0)
    solvent = SRD(solvent="S", cell=1.0, interval=0.1)
    with pytest.raises(RegrainError, match="particles of the solvent have charges"):
        field.run(fluid, time=1.0, dt=0.1, dynamics=solvent)


def test_a_rigid_bond_longer_than_half_of_the_box() -> None:
    field = ForceField({("A", "A"): None}, bonds={("A", "A"): RigidBond(r0=5.0)}, temperature=1.0)
    pair = Particles(
        [[1, 1, 1], [6, 1, 1]], box=[9, 9, 9], topology=Topology(["A", "A"], bonds=[(0, 1)])
    )
    with pytest.raises(RegrainError, match=r"half the height of the box, 4.5.*use a larger box"):
        field.run(pair, time=1.0, dt=0.01)


def test_a_rigid_bond_that_turns_too_far_in_a_step() -> None:
    field = ForceField({("A", "A"): None}, bonds={("A", "A"): RigidBond(r0=1.0)}, temperature=1.0)
    pair = Particles(
        [[1, 1, 1], [2, 1, 1]], box=[9, 9, 9], topology=Topology(["A", "A"], bonds=[(0, 1)])
    )
    with pytest.raises(RegrainError, match=r"particles 0 and 1 is .* long.*a smaller time step"):
        field.run(pair, time=50.0, dt=5.0, dynamics=NVE(), seed=1)


# The first link of a chain is as heavy as all particles: at twice the temperature it throws
# the second further than one step of the chain can follow.
def test_a_chain_of_thermostats_far_from_its_temperature() -> None:
    random = np.random.default_rng(1)
    hot = Particles(
        random.random((9000, 3)) * 20, box=[20] * 3,
        velocities=random.normal(size=(9000, 3)) * np.sqrt(2.0),
    )  # fmt: skip
    gas = ForceField({("A", "A"): None}, temperature=1.0)
    trace = gas.run(hot, time=10.0, dt=0.05, every=1.0, dynamics=NoseHoover(time=0.5))
    # Fluctuations of the temperature: √(2 / 27000) = 0.9 %.
    assert trace.log["temperature"][5:] == pytest.approx(np.ones(5), abs=0.04)
    assert np.ptp(trace.log["conserved_energy"]) < 1e-3 * 9000
