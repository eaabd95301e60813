import itertools

import numpy as np
import pytest

from regrain import RegrainError
from regrain.particles import Particles, Topology, neighbor_list

BOXES = {
    "cubic": np.diag([4.0, 4.0, 4.0]),
    "flat": np.diag([5.0, 1.2, 3.0]),
    "smaller than the cutoff": np.diag([0.8, 0.6, 0.9]),
    "triclinic": np.array([[4.0, 0, 0], [1.5, 3.5, 0], [-1.2, 0.9, 3.0]]),
    "strongly skewed": np.array([[3.0, 0, 0], [7.5, 3.5, 0], [-9.2, 11.0, 3.0]]),
}


def brute_force(state: Particles, cutoff: float) -> set[tuple[int, ...]]:
    """Every (i, j, shift) closer than the cutoff, by trying all images."""
    heights = 1 / np.linalg.norm(np.linalg.inv(state.box), axis=0)
    spread = np.ptp(state.positions @ np.linalg.inv(state.box), axis=0)
    reach = np.ceil(cutoff / heights + spread).astype(int) + 1
    found = set()
    for shift in itertools.product(*(range(-r, r + 1) for r in reach)):
        d = state.positions[None] - state.positions[:, None] + np.array(shift) @ state.box
        for i, j in np.argwhere((d**2).sum(-1) < cutoff**2):
            if i != j or any(shift):
                found.add((int(i), int(j), *shift))
    return found


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("cutoff", [0.5, 1.3])
def test_equals_brute_force(name: str, cutoff: float) -> None:
    rng = np.random.default_rng(3)
    box = BOXES[name]
    state = Particles((rng.random((40, 3)) * 2 - 0.7) @ box, box=box)
    expected = brute_force(state, cutoff)

    full = neighbor_list(state, cutoff=cutoff, half=False)
    assert {(i, j, *s) for i, j, s in zip(full.i, full.j, full.shifts, strict=True)} == expected
    assert len(full) == len(expected)

    half = neighbor_list(state, cutoff=cutoff)
    assert 2 * len(half) == len(full)
    own = half.i == half.j
    assert np.all((half.i < half.j) | own)
    d = state.positions[half.j] + half.shifts @ box - state.positions[half.i]
    np.testing.assert_allclose(half.vectors, d, atol=1e-12)
    np.testing.assert_allclose(half.distances, np.linalg.norm(d, axis=1), atol=1e-12)
    assert np.all(half.distances < cutoff)


def test_exclusions_follow_the_bonds() -> None:
    chain = Topology(["A"] * 4, bonds=[(0, 1), (1, 2), (2, 3)])
    state = Particles([[x, 0.0, 0.0] for x in range(4)], box=[20.0, 20.0, 20.0], topology=chain)

    def pairs(exclude: int) -> list[tuple[int, int]]:
        near = neighbor_list(state, cutoff=5.0, exclude=exclude)
        return sorted(zip(near.i.tolist(), near.j.tolist(), strict=True))

    assert len(pairs(0)) == 6
    assert pairs(1) == [(0, 2), (0, 3), (1, 3)]
    assert pairs(2) == [(0, 3)]
    assert pairs(3) == []


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf, 1e6])
def test_a_bad_cutoff_is_refused(cutoff: float) -> None:
    state = Particles(np.zeros((2, 3)), box=[1.0, 1.0, 1.0])
    with pytest.raises(RegrainError, match=r"cutoff|reach"):
        neighbor_list(state, cutoff=cutoff)


def test_negative_exclusion_is_refused() -> None:
    with pytest.raises(RegrainError, match="exclude"):
        neighbor_list(Particles(np.zeros((2, 3)), box=[1.0, 1.0, 1.0]), cutoff=0.5, exclude=-1)


def test_no_particles_have_no_neighbors() -> None:
    near = neighbor_list(Particles(np.zeros((0, 3)), box=[1.0, 1.0, 1.0]), cutoff=0.5)
    assert len(near) == 0
    assert near.vectors.shape == (0, 3)
