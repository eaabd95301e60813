"""Particles and Topology: defaults, derived quantities, and what they refuse."""

import itertools
import pickle

import numpy as np
import pytest

from regrain.errors import RegrainError
from regrain.particles import Particles, Topology

BOX = [4.0, 4.0, 4.0]


def test_defaults_are_one_type_of_unit_mass_and_no_charge() -> None:
    state = Particles(np.zeros((3, 3)), box=BOX)
    assert state.topology.type_names == ("A",)
    assert state.topology.masses.tolist() == [1.0, 1.0, 1.0]
    assert state.topology.charges.tolist() == [0.0, 0.0, 0.0]
    assert state.volume == 64.0


def test_type_ids_point_into_the_sorted_names() -> None:
    topology = Topology(["W", "A", "W", "B"])
    assert topology.type_names == ("A", "B", "W")
    assert topology.type_ids.tolist() == [2, 0, 2, 1]


def test_exclusions_reach_as_many_bonds_as_asked() -> None:
    # On a ring of six, the distance along bonds is min(d, 6 - d).
    ring = Topology(["C"] * 6, bonds=[(i, (i + 1) % 6) for i in range(6)])
    for reach in range(4):
        expected = [
            [i, j]
            for i, j in itertools.combinations(range(6), 2)
            if min(j - i, 6 - (j - i)) <= reach
        ]
        assert ring.exclusions(reach).tolist() == expected


def test_unwrapped_adds_the_images_times_the_lattice() -> None:
    box = [[4.0, 0.0, 0.0], [1.0, 3.0, 0.0], [0.0, 0.5, 5.0]]
    state = Particles([[1.0, 1.0, 1.0]], box=box, images=[[1, -2, 1]])
    assert state.unwrapped.tolist() == [[1 + 4 - 2, 1 - 6 + 0.5, 1 + 5]]
    assert Particles([[1.0, 1.0, 1.0]], box=box).unwrapped.tolist() == [[1.0, 1.0, 1.0]]


def test_topology_is_read_only_and_survives_pickling() -> None:
    topology = Topology(["A", "B"], masses=[1.0, 2.0], bonds=[(0, 1)])
    with pytest.raises(ValueError, match="read-only"):
        topology.masses[0] = 3.0
    again = pickle.loads(pickle.dumps(topology))
    assert again.masses.tolist() == [1.0, 2.0]
    assert again.bonds.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"masses": [1.0]}, r"masses has shape \(1,\), expected \(2,\)"),
        ({"masses": [1.0, -1.0]}, "particle 1 has mass -1"),
        ({"masses": [1.0, np.nan]}, "particle 1 has mass nan"),
        ({"masses": [1.0, np.inf]}, "particle 1 has mass inf"),
        ({"charges": [0.0, np.nan]}, "particle 1 has charge nan"),
        ({"bonds": [(0, 2)]}, "bonds name particle 2, but there are 2"),
        ({"bonds": [(-1, 1)]}, "bonds name particle -1, but there are 2"),
        ({"bonds": [(1, 1)]}, "repeats a particle"),
        ({"bonds": [(0, 1, 0)]}, r"bonds has shape \(1, 3\), expected \(k, 2\)"),
    ],
)
def test_a_topology_that_contradicts_itself_is_refused(
    arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(RegrainError, match=message):
        Topology(["A", "B"], **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"positions": np.zeros((2, 2))}, r"positions has shape \(2, 2\)"),
        ({"positions": [[0, 0, 0], [0, np.nan, 0]]}, "positions of particle 1"),
        ({"velocities": np.zeros((3, 3))}, r"velocities has shape \(3, 3\), expected \(2, 3\)"),
        ({"forces": [[0, 0, 0], [0, 0, np.inf]]}, "forces of particle 1"),
        ({"images": [[0, 0, 0]]}, r"images has shape \(1, 3\)"),
        ({"box": [1.0, 2.0]}, "box"),
        ({"box": [1.0, 2.0, 0.0]}, "positive diagonal"),
        ({"box": [1.0, 2.0, np.nan]}, "box"),
        ({"box": [[1, 1, 0], [0, 1, 0], [0, 0, 1]]}, "rotate the system"),
        ({"units": "real"}, "units: got 'real'"),
        ({"topology": Topology(["A"])}, "topology has 1 particles, the positions 2"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(arguments: dict[str, object], message: str) -> None:
    good = {"positions": np.zeros((2, 3)), "box": BOX}
    with pytest.raises(RegrainError, match=message):
        Particles(**{**good, **arguments})  # type: ignore[arg-type]
