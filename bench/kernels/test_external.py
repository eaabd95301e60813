"""How long fields by formulas take beside the pair forces of a Lennard-Jones liquid."""

import pytest

from regrain.particles import (
    NVE,
    BounceBackWall,
    Coordination,
    Distance,
    Field,
    FieldTable,
    ForceField,
    LennardJones,
    LennardJonesWall,
    Restraint,
    fcc,
)

CELLS = 20  # 32 000 particles
START = fcc(cells=CELLS, density=0.8442)
EDGE = float(START.box[0, 0])
LJ = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
SOFT = {"epsilon": 1e-6, "sigma": 1e-2, "cutoff": 1.0}
CASES = {
    "none": {},
    "constant force": {"external": {"*": Field(force=("f", "0", "0"), f=1e-3)}},
    "harmonic": {"external": {"*": Field("0.5*k*(z - z0)^2", k=1e-6, z0=1.0)}},
    "wave": {"external": {"*": Field("a*sin(2*pi*x/l)*exp(-(z - z0)^2)", a=1e-3, l=EDGE, z0=9.0)}},
    "table": {"external": {"*": FieldTable("+z", low=0.0, high=EDGE, energy=[0, 1e-3, 0])}},
    "wall": {"external": {"*": LennardJonesWall("+z", at=-1.0, **SOFT)}},
    "restraint": {"biases": [Restraint(Distance(a=range(10), b=range(20, 30)), center=1.0, k=1.0)]},
    "coordination": {
        "biases": [Restraint(Coordination(a=0, b=range(10, 200), r0=1.5), center=9.0, k=1.0)]
    },
}


@pytest.mark.parametrize("interaction", ["lj", "ideal"])
@pytest.mark.parametrize("name", CASES)
def test_fifty_steps(benchmark, name, interaction):
    pairs = {("A", "A"): LJ if interaction == "lj" else None}
    run = ForceField(pairs, temperature=1.0, **CASES[name]).run
    benchmark(run, START, time=0.1, dt=0.002, every=0.1, seed=1, dynamics=NVE())


def test_fifty_steps_between_hard_walls(benchmark):
    """What they cost beside "none" of the ideal gas."""
    walls = [BounceBackWall("+z", at=0.0), BounceBackWall("-z", at=EDGE)]
    gas = ForceField({("A", "A"): None}, external={"*": walls}, temperature=1.0)
    start = START.replace(positions=START.positions + 0.1)
    benchmark(gas.run, start, time=0.1, dt=0.002, every=0.1, seed=1, dynamics=NVE())
