"""Springs by index: what they do, where they are kept, and what they refuse."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regrain import RegrainError
from regrain.particles import (
    NVE,
    ForceField,
    HarmonicBond,
    LennardJones,
    Network,
    Particles,
    Topology,
)

WCA = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2 ** (1 / 6), mode="shifted")
NETWORK = Network(pairs=[(0, 2), (3, 1), (0, 3)], k=[5.0, 7.0, 0.0], r0=[1.1, 0.9, 2.0])
FIELD = ForceField(
    {("A", "A"): WCA}, bonds={("A", "A"): HarmonicBond(k=30.0, r0=1.0)}, network=NETWORK
)
CHAIN = Topology(["A"] * 4, bonds=[(0, 1), (1, 2), (2, 3)])
PLACES = np.array([[0.0, 0, 0], [1, 0.2, 0], [1.3, 1.1, 0], [0.4, 1.2, 0.7]])


def state(shift: float = 0.0) -> Particles:
    box = [6.0, 6.0, 6.0]
    return Particles((PLACES + shift) % 6.0, box=box, topology=CHAIN)


@pytest.mark.parametrize("shift", [0.0, 5.5])  # 5.5: across the border of the box
def test_energy_and_forces_are_those_of_springs(shift: float) -> None:
    without = FIELD.replace(network=None).evaluate(state(shift))
    found = FIELD.evaluate(state(shift))
    energy, forces = 0.0, np.zeros((4, 3))
    for (i, j), k, r0 in zip(NETWORK.pairs, NETWORK.k, NETWORK.r0, strict=True):
        d = PLACES[j] - PLACES[i]
        r = np.linalg.norm(d)
        energy += 0.5 * k * (r - r0) ** 2
        forces[i] += k * (r - r0) * d / r
        forces[j] -= k * (r - r0) * d / r
    assert found.energy - without.energy == pytest.approx(energy, rel=1e-12)
    assert found.terms["bond"] - without.terms["bond"] == pytest.approx(energy, rel=1e-12)
    assert np.allclose(found.forces - without.forces, forces, atol=1e-12)


def test_springs_exclude_nothing() -> None:
    pair = Particles([[0, 0, 0], [1, 0, 0]], box=[6.0] * 3)
    spring = Network(pairs=[(0, 1)], k=[2.0], r0=[1.5])
    found = ForceField({("A", "A"): WCA}, network=spring).evaluate(pair)
    assert found.terms["pair"] == pytest.approx(1.0)
    assert found.terms["bond"] == pytest.approx(0.25)


def test_a_force_field_keeps_its_network(tmp_path: Path) -> None:
    FIELD.save(tmp_path / "field.json")
    assert ForceField.load(tmp_path / "field.json") == FIELD
    assert pickle.loads(pickle.dumps(FIELD)) == FIELD
    assert eval(repr(FIELD)) == FIELD
    assert FIELD.replace(network=None) != FIELD
    assert FIELD.replace(exclude=1).network == NETWORK
    assert "network 3 springs" in str(FIELD)
    with pytest.raises(ValueError, match="read-only"):
        NETWORK.k[0] = 1.0


def test_energy_is_conserved() -> None:
    soft = FIELD.replace(pairs={("A", "A"): None}, temperature=0.5)
    trace = soft.run(state(), time=20.0, dt=0.002, every=0.2, dynamics=NVE(), seed=1)
    total = trace.log["potential_energy"] + trace.log["kinetic_energy"]
    assert np.ptp(trace.log["kinetic_energy"]) > 0.1
    assert np.ptp(total) < 1e-3


def test_copies() -> None:
    twice = NETWORK.repeated(2, every=4)
    assert twice.pairs.tolist() == [[0, 2], [3, 1], [0, 3], [4, 6], [7, 5], [4, 7]]
    assert twice.k.tolist() == 2 * NETWORK.k.tolist()
    with pytest.raises(RegrainError, match="joins particle 3, but a copy has 3"):
        NETWORK.repeated(2, every=3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pairs": [(0, 1, 2)]}, r"shape \(1, 3\), expected \(n, 2\)"),
        ({"pairs": [(1, 1)]}, "two different particles"),
        ({"pairs": [(-1, 1)]}, "counted from 0"),
        ({"pairs": [(0, 1), (1, 0)], "k": [1, 1], "r0": [1, 1]}, "two springs join"),
        ({"k": [1.0, 2.0]}, "k has 2 numbers for 1 springs"),
        ({"k": [-1.0]}, "k of the spring .0, 1. is -1.0"),
        ({"r0": [np.nan]}, "r0 of the spring .0, 1. is nan"),
    ],
)
def test_what_is_no_network(given: dict[str, Any], message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        Network(**{"pairs": [(0, 1)], "k": [1.0], "r0": [1.0], **given})


def test_a_network_of_another_system() -> None:
    pair = Particles([[0, 0, 0], [1, 0, 0]], box=[6.0] * 3)
    with pytest.raises(RegrainError, match="joins particle 3, but the state has 2"):
        ForceField({("A", "A"): None}, network=NETWORK).evaluate(pair)
    with pytest.raises(RegrainError, match="expected a Network"):
        ForceField({("A", "A"): None}, network=[(0, 1)])  # type: ignore[arg-type]


def test_no_springs_at_all() -> None:
    none = Network(pairs=[], k=[], r0=[])
    pair = Particles([[0, 0, 0], [1, 0, 0]], box=[6.0] * 3)
    assert ForceField({("A", "A"): None}, network=none).evaluate(pair).energy == 0.0
