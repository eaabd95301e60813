"""Kaufman's torus against enumeration, against the infinite lattice, and where it refuses."""

from itertools import product

import numpy as np
import pytest

from regrain.atlas import Torus, ising_square
from regrain.errors import RegrainError


def enumerated(shape: tuple[int, int], x: float, y: float) -> list[float]:
    """ln Z, both mean bonds, energy per spin over the coupling, specific heat per spin."""
    m, n = shape
    spins = np.array(list(product([-1, 1], repeat=m * n))).reshape(-1, m, n)
    along = (spins * np.roll(spins, -1, axis=2)).sum(axis=(1, 2))
    down = (spins * np.roll(spins, -1, axis=1)).sum(axis=(1, 2))
    reduced = x * along + y * down
    weight = np.exp(reduced - reduced.max())
    z = weight.sum()
    mean = weight @ reduced / z
    return [
        np.log(z) + reduced.max(),
        weight @ along / z / (m * n),
        weight @ down / z / (m * n),
        -mean / x / (m * n),
        weight @ (reduced - mean) ** 2 / z / (m * n),
    ]


K_C = float(ising_square.K_c)


@pytest.mark.parametrize(
    ("shape", "x", "y"),
    [
        ((3, 4), 0.3, 0.3),
        ((4, 3), 0.3, 0.5),  # a transposed lattice with its couplings
        ((3, 3), K_C, K_C),  # where one factor is zero
        ((4, 4), K_C, K_C),
        ((2, 5), 0.7, 0.2),  # two bonds between the same neighbours
        ((1, 4), 0.3, 0.4),  # spins that are their own neighbours
        ((4, 4), -0.4, 0.3),
        ((4, 4), -0.4, -0.4),
        ((3, 4), -0.4, 0.9),  # an odd ring only of the ferromagnetic coupling
        ((3, 4), 2.0, 3.0),
        ((3, 4), 0.5, 1e-9),
        ((4, 4), 1e-7, 1e-6),
    ],
)
def test_torus_is_the_sum_over_all_configurations(
    shape: tuple[int, int], x: float, y: float
) -> None:
    torus = Torus(shape, x, y)
    found = [torus.log_partition, *torus.bonds, torus.energy, torus.specific_heat]
    np.testing.assert_allclose(found, enumerated(shape, x, y), rtol=1e-12, atol=1e-12)


def test_torus_is_the_sum_over_the_density_of_states() -> None:
    states = ising_square.states((6, 6))
    energies = np.array(list(states), dtype=float)
    counts = np.array(list(states.values()), dtype=float)
    assert sum(states.values()) == 2**36
    for k in (0.1, K_C, 0.9):
        exact = np.log(np.sum(counts * np.exp(-k * (energies - energies.min()))))
        exact -= k * energies.min()
        assert Torus((6, 6), k).log_partition == pytest.approx(exact, abs=1e-11)


def test_density_of_states_of_four_by_four() -> None:
    # Enumerated here; a known table too, e.g. P. D. Beale, Phys. Rev. Lett. 76, 78 (1996).
    spins = np.array(list(product([-1, 1], repeat=16))).reshape(-1, 4, 4)
    energy = -(spins * np.roll(spins, -1, 1)).sum((1, 2)) - (spins * np.roll(spins, -1, 2)).sum(
        (1, 2)
    )
    values, counts = np.unique(energy, return_counts=True)
    assert ising_square.states((4, 4)) == dict(zip(values.tolist(), counts.tolist(), strict=True))


def test_large_tori_are_safe_and_reach_the_infinite_lattice() -> None:
    for k in (0.3, 0.5):
        torus = Torus((500, 400), k)
        assert torus.free_energy == pytest.approx(ising_square.free_energy(k), abs=1e-5)
        assert torus.energy == pytest.approx(ising_square.energy(k), abs=1e-12)
        assert torus.specific_heat == pytest.approx(ising_square.specific_heat(k), abs=1e-9)
    # At the critical point energies approach their limit as 1/L, with an amplitude of theta
    # functions, -0.6217 (A. E. Ferdinand and M. E. Fisher, Phys. Rev. 185, 832 (1969)).
    size = 2000
    off = (Torus((size, size), K_C).energy + np.sqrt(2)) * size
    assert off == pytest.approx(-0.6217, abs=2e-3)


def test_couplings_of_both_directions_are_derivatives() -> None:
    x, y, h = 0.41, 0.52, 1e-4
    torus = Torus((30, 20), x, y)
    up, down = Torus((30, 20), x + h, y), Torus((30, 20), x - h, y)
    slope = (up.log_partition - down.log_partition) / (2 * h * 600)
    assert torus.bonds[0] == pytest.approx(slope, abs=1e-6)
    x_infinite, y_infinite = ising_square.bonds(x, y)
    large = Torus((300, 300), x, y)
    assert large.bonds == pytest.approx((x_infinite, y_infinite), abs=1e-10)


@pytest.mark.parametrize(
    ("shape", "coupling", "message"),
    [
        ((3, 3), -0.4, "antiferromagnet on an odd ring is frustrated"),
        ((0, 3), 0.4, "two whole numbers"),
        ((3, 3, 3), 0.4, "two whole numbers"),
        ((4, 4), float("nan"), "give a reduced coupling"),
        ((4, 4), 1e4, "between -100 and 100"),
    ],
)
def test_bad_tori(shape: tuple[int, int], coupling: float, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        Torus(shape, coupling)


def test_states_of_wide_lattices_are_refused() -> None:
    with pytest.raises(RegrainError, match="up to 64 spins"):
        ising_square.states((9, 9))
