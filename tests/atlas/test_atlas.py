"""The numbers of the atlas against each other, against publications and enumeration."""

import copy
import json
import pickle
from itertools import product

import numpy as np
import pytest
from scipy.integrate import dblquad

import regrain as rg
from regrain.atlas import Known, ising_chain, ising_square, ising_triangular, potts_square
from regrain.errors import RegrainError

K_C = float(ising_square.K_c)


def slope(function, at: float, h: float = 1e-3) -> float:
    near = function(at + h) - function(at - h)
    far = function(at + 2 * h) - function(at - 2 * h)
    return (8 * near - far) / (12 * h)


# ---------------------------------------------------------------- numbers that know their source


def test_numbers_calculate_print_and_stay() -> None:
    k = ising_square.K_c
    assert isinstance(k, float)
    assert k == pytest.approx(np.log(1 + np.sqrt(2)) / 2, abs=1e-15)
    assert type(k * 1) is float
    assert f"{k:.4f}" == "0.4407"
    assert json.dumps(k) == json.dumps(float(k))
    for same in (pickle.loads(pickle.dumps(k)), copy.deepcopy(k)):
        assert (same, same.source, same.formula) == (k, k.source, k.formula)
    with pytest.raises(AttributeError):
        k.error = 0.1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        ising_square.K_c = 0.44  # type: ignore[misc]
    with pytest.raises(RegrainError, match="finite"):
        Known(float("nan"))


def test_every_number_has_a_source_and_every_system_prints() -> None:
    listing = str(rg.atlas.systems)
    assert len(listing.splitlines()) == len(rg.atlas.systems) >= 10
    for name, system in rg.atlas.systems.items():
        assert name in listing
        system = system(3) if callable(system) else system
        assert len(system.numbers) >= 1
        assert all(number.source for number in system.numbers.values())
        assert all(key in str(system) for key in system.numbers)
        assert pickle.loads(pickle.dumps(system)).numbers == system.numbers
    with pytest.raises(RegrainError, match="did you mean 'ising_square'"):
        rg.atlas.systems["ising_sqare"]


@pytest.mark.parametrize(
    "system",
    [
        ising_square,
        rg.atlas.ising_cubic,
        rg.atlas.heisenberg_cubic,
        *map(potts_square, (1, 2, 3, 4)),
    ],
    ids=lambda system: system.title,
)
def test_exponents_obey_the_scaling_laws(system) -> None:
    d = 3 if "cubic" in system.title else 2
    n = system.numbers
    assert n["nu"] * n["y_t"] == pytest.approx(1)
    assert n["alpha"] == pytest.approx(2 - d * n["nu"], abs=1e-12)
    assert n["alpha"] + 2 * n["beta"] + n["gamma"] == pytest.approx(2)
    assert n["gamma"] == pytest.approx(n["nu"] * (2 - n["eta"]))
    assert n["beta"] * (n["delta"] - 1) == pytest.approx(n["gamma"])
    assert n["y_h"] == pytest.approx((d + 2 - n["eta"]) / 2)


# ---------------------------------------------------------------- Ising on planes


def test_published_numbers_of_the_square_lattice() -> None:
    assert pytest.approx(0.4406867935, abs=1e-10) == K_C
    assert -ising_square.free_energy_c == pytest.approx(0.929695398341610, abs=1e-14)
    assert ising_square.free_energy(K_C) == pytest.approx(ising_square.free_energy_c, abs=1e-14)
    assert ising_square.energy(K_C) == pytest.approx(ising_square.energy_c, abs=1e-13)
    assert np.isinf(ising_square.specific_heat(K_C))
    assert np.isinf(ising_square.correlation_length(K_C))


@pytest.mark.parametrize("k", [1e-4, 0.2, 0.43, 0.4406, 0.4408, 0.6, 2.0, -0.5])
def test_onsager_is_the_double_integral_and_its_derivatives(k: float) -> None:
    def inside(a: float, b: float) -> float:
        return np.log(np.cosh(2 * k) ** 2 - np.sinh(2 * k) * (np.cos(a) + np.cos(b)))

    if abs(abs(k) - K_C) > 5e-3:
        double = dblquad(inside, 0, np.pi, 0, np.pi, epsabs=1e-11)[0]
        exact = -np.log(2) - double / (2 * np.pi**2)
        assert ising_square.free_energy(k) == pytest.approx(exact, abs=1e-10)
    h = min(1e-3, abs(abs(k) - K_C) / 20)
    assert ising_square.energy(k) == pytest.approx(slope(ising_square.free_energy, k, h), abs=1e-7)
    c = -(k**2) * slope(ising_square.energy, k, h)
    assert ising_square.specific_heat(k) == pytest.approx(c, rel=1e-5, abs=1e-10)


def test_unequal_couplings() -> None:
    x, y = 0.3, 0.7
    assert ising_square.free_energy(x, y) == pytest.approx(
        ising_square.free_energy(y, x), abs=1e-13
    )
    along, down = ising_square.bonds(x, y)
    assert along == pytest.approx(
        -slope(lambda k: ising_square.free_energy(k, y), x, 2e-4), abs=1e-10
    )
    assert down == pytest.approx(
        -slope(lambda k: ising_square.free_energy(x, k), y, 2e-4), abs=1e-10
    )
    assert ising_square.energy(x, y) == pytest.approx(-(x * along + y * down) / x)
    assert ising_square.bonds(0.5, 0.5 + 1e-9) == pytest.approx(ising_square.bonds(0.5), abs=1e-8)
    # sinh 2K_x sinh 2K_y = 1 is where the magnetisation ends.
    edge = np.arcsinh(1 / np.sinh(2 * x)) / 2
    assert ising_square.magnetisation(x, edge - 1e-6) == 0.0
    assert 0 < ising_square.magnetisation(x, edge + 1e-6) < 0.3


def test_walls_and_lengths_are_dual() -> None:
    for k in (0.3, 0.4):
        dual = -0.5 * np.log(np.tanh(k))
        wall = ising_square.surface_tension(dual)
        assert 1 / ising_square.correlation_length(k) == pytest.approx(wall)
        assert ising_square.correlation_length(dual) == pytest.approx(1 / (2 * wall))


def test_triangular_lattice() -> None:
    k_c = float(ising_triangular.K_c)
    assert ising_triangular.free_energy(k_c) == pytest.approx(-0.8795853862, abs=1e-10)
    assert ising_triangular.energy(k_c) == pytest.approx(-2.0, abs=1e-9)
    for k in (0.2, 0.4, -0.7):
        derivative = slope(ising_triangular.free_energy, k)
        assert ising_triangular.energy(k) == pytest.approx(derivative, abs=1e-8)
    # The antiferromagnet keeps Wannier's entropy; its energy is -|J| per spin.
    cold = ising_triangular.free_energy(-30.0) + 30.0
    assert -cold == pytest.approx(ising_triangular.ground_entropy, abs=1e-8)
    # A torus by brute force, deep in the hot phase where size does not matter.
    spins = np.array(list(product([-1, 1], repeat=16))).reshape(-1, 4, 4)
    bonds = sum((spins * np.roll(spins, s, (1, 2))).sum((1, 2)) for s in ((0, 1), (1, 0), (1, 1)))
    hot = -np.log(np.exp(0.03 * bonds).sum()) / 16
    assert ising_triangular.free_energy(0.03) == pytest.approx(hot, abs=2e-6)


def test_critical_points_of_star_and_triangle_agree() -> None:
    # The star-triangle relation turns one lattice into the other.
    honeycomb, triangle = rg.atlas.ising_honeycomb.K_c, ising_triangular.K_c
    star = np.cosh(3 * honeycomb) / np.cosh(honeycomb)
    assert np.exp(4 * triangle) == pytest.approx(star)


def test_dimensions_of_the_ising_fields() -> None:
    found = ising_square.scaling_dimensions(40)
    values, counts = np.unique(found, return_counts=True)
    # |chi_0|^2 + |chi_1/2|^2 + |chi_1/16|^2 to third order, expanded by hand.
    assert values[:7].tolist() == [0, 0.125, 1, 1.125, 2, 2.125, 3]
    assert counts[:7].tolist() == [1, 1, 1, 2, 4, 3, 5]
    with pytest.raises(RegrainError, match="1 or more"):
        ising_square.scaling_dimensions(0)


# ---------------------------------------------------------------- the chain


@pytest.mark.parametrize(("k", "h"), [(0.7, 0.0), (0.7, 0.3), (-0.6, 0.2), (0.0, 0.5)])
def test_rings_are_the_sum_over_all_configurations(k: float, h: float) -> None:
    for n in (1, 2, 5, 10):
        spins = np.array(list(product([-1, 1], repeat=n)))
        weight = np.exp(k * (spins * np.roll(spins, -1, 1)).sum(1) + h * spins.sum(1))
        assert ising_chain.log_partition(n, k, h) == pytest.approx(np.log(weight.sum()), abs=1e-12)
        p = weight / weight.sum()
        mean, bond = p @ spins[:, 0], p @ (spins[:, 0] * spins[:, 1 % n])
        assert ising_chain.magnetisation(k, h, n=n) == pytest.approx(mean, abs=1e-12)
        assert ising_chain.energy(k, h, n=n) == pytest.approx(-bond, abs=1e-12)
        far = p @ (spins[:, 0] * spins[:, n // 2]) - mean**2
        assert ising_chain.correlation(n // 2, k, h, n=n) == pytest.approx(far, abs=1e-12)
    m = -slope(lambda field: ising_chain.free_energy(k, field), h)
    assert ising_chain.magnetisation(k, h) == pytest.approx(m, abs=1e-10)
    bond = -slope(lambda coupling: ising_chain.free_energy(coupling, h), k)
    assert ising_chain.energy(k, h) == pytest.approx(-bond, abs=1e-10)


@pytest.mark.parametrize(("k", "h"), [(0.5, 0.0), (-0.5, 0.2)])
def test_correlations_of_a_chain(k: float, h: float) -> None:
    spins = np.array(list(product([-1, 1], repeat=16)), dtype=np.int8)
    weight = np.exp(k * (spins * np.roll(spins, -1, 1)).sum(1) + h * spins.sum(1))
    p = weight / weight.sum()
    found = p @ (spins[:, 0] * spins[:, 2]) - (p @ spins[:, 0]) ** 2
    # Around the ring the other way it is 14 sites: tanh^14(0.5) = 2e-5.
    assert ising_chain.correlation(2, k, h) == pytest.approx(found, abs=1e-4)


def test_chain_without_field() -> None:
    assert ising_chain.correlation(4, 0.8) == pytest.approx(np.tanh(0.8) ** 4)
    assert ising_chain.entropy(0.8) == pytest.approx(np.log(2 * np.cosh(0.8)) - 0.8 * np.tanh(0.8))
    c = 0.8**2 * slope(lambda k: -ising_chain.energy(k), 0.8)
    assert ising_chain.specific_heat(0.8) == pytest.approx(c)
    assert ising_chain.susceptibility(0.8) == pytest.approx(
        slope(lambda h: ising_chain.magnetisation(0.8, h), 0.0, 1e-4), rel=1e-6
    )
    with pytest.raises(RegrainError, match="1 or more"):
        ising_chain.log_partition(0, 0.5)


# ---------------------------------------------------------------- Potts, clocks and the rest


def test_published_exponents_of_potts() -> None:
    # F. Y. Wu, Rev. Mod. Phys. 54, 235 (1982), table: y_t and y_h of q = 1 to 4.
    table = {1: (3 / 4, 91 / 48), 2: (1, 15 / 8), 3: (6 / 5, 28 / 15), 4: (3 / 2, 15 / 8)}
    for q, (y_t, y_h) in table.items():
        assert potts_square(q).y_t == pytest.approx(y_t)
        assert potts_square(q).y_h == pytest.approx(y_h)
    charges = [potts_square(q).central_charge for q in (1, 2, 3, 4)]
    assert charges == pytest.approx([0, 1 / 2, 4 / 5, 1], abs=1e-12)


def test_potts_of_two_states_is_ising() -> None:
    two = potts_square(2)
    assert two.K_c == pytest.approx(2 * K_C)
    # K δ = K/2 s s' + K/2 for each of two bonds
    assert two.free_energy_c == pytest.approx(ising_square.free_energy_c - 2 * K_C, abs=1e-12)
    assert two.energy_c == pytest.approx(ising_square.energy_c / 2 - 1)
    assert potts_square(1).free_energy_c == pytest.approx(-2 * np.log(2), abs=1e-12)


def test_potts_goes_smoothly_through_four_states() -> None:
    at = potts_square(4).free_energy_c
    assert potts_square(4 - 1e-9).free_energy_c == pytest.approx(at, abs=1e-8)
    assert potts_square(4 + 1e-9).free_energy_c == pytest.approx(at, abs=1e-8)


def test_latent_heats_of_potts() -> None:
    # As printed from Baxter's formula by W. Janke, Phys. Rev. B 47, 14757 (1993).
    assert potts_square(10).latent_heat == pytest.approx(0.69605, abs=1e-5)
    assert potts_square(5).latent_heat == pytest.approx(0.05292, abs=1e-5)
    assert potts_square(4).latent_heat == 0.0
    with pytest.raises(RegrainError, match="first order"):
        potts_square(5).y_t  # noqa: B018
    assert "nu" not in potts_square(5).numbers


def test_bad_potts_and_clocks() -> None:
    for q in (0, -1, float("inf")):
        with pytest.raises(RegrainError, match="above 0"):
            potts_square(q)
    with pytest.raises(RegrainError, match="2, 3 and 4"):
        rg.atlas.clock_square(6)
    # Three hands: cos takes 1 and -1/2, so K_Potts = 3/2 K.
    assert 1.5 * rg.atlas.clock_square(3).K_c == pytest.approx(potts_square(3).K_c)


def test_bad_couplings() -> None:
    for bad in (float("nan"), float("inf"), 1e3, "cold"):
        with pytest.raises(RegrainError, match="give a reduced coupling"):
            ising_square.energy(bad)
    with pytest.raises(RegrainError, match="no magnetisation"):
        ising_square.magnetisation(-0.5)
