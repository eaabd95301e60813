"""Migdal and Kadanoff's recursion: where it is exact, what it is known to give, bad input."""

from itertools import product

import numpy as np
import pytest

import regrain as rg
from regrain.atlas import ising_chain, ising_square, potts_square
from regrain.errors import RegrainError
from regrain.fits import Decimation, MigdalKadanoff


def test_published_numbers_in_two_dimensions() -> None:
    # Tables of textbooks, e.g. N. Goldenfeld, Lectures on Phase Transitions (1992), chapter 9, and
    # A. N. Berker and S. Ostlund, J. Phys. C 12, 4961 (1979): K* = 0.30469 and nu = 1.338.
    point = MigdalKadanoff(b=2).flow(dimension=2, field=True).fixed_points().critical
    assert point.couplings["nn"] == pytest.approx(0.30469, abs=5e-6)
    y_h, y_t = point.exponents
    assert 1 / y_t == pytest.approx(1.338, abs=5e-4)
    assert y_h == pytest.approx(1.879, abs=5e-4)
    # It is not the square lattice.
    assert abs(point.couplings["nn"] - ising_square.K_c) > 0.13
    assert abs(y_t - ising_square.y_t) > 0.2
    # In closed form: with x = tanh K* of the moved bonds, tanh K = x^2, tanh 2K = x.
    x = np.tanh(2 * point.couplings["nn"])
    assert np.tanh(point.couplings["nn"]) == pytest.approx(x**2)


def test_published_numbers_in_three_dimensions() -> None:
    # nu = 1.07 (y_t = 0.939), K* = 0.0653 with bonds moved first (L. P. Kadanoff, 1976).
    point = MigdalKadanoff(b=2).flow(dimension=3).fixed_points().critical
    assert point.couplings["nn"] == pytest.approx(0.0653, abs=5e-5)
    assert point.exponents[0] == pytest.approx(0.9391, abs=5e-4)


def test_order_of_both_halves_changes_couplings_only() -> None:
    for d in (2, 2.5, 3):
        moved = MigdalKadanoff(b=2).flow(dimension=d, field=True).fixed_points().critical
        summed = MigdalKadanoff(b=2, first="series").flow(dimension=d, field=True)
        other = summed.fixed_points().critical
        ratio = other.couplings["nn"] / moved.couplings["nn"]
        assert ratio == pytest.approx(2 ** (d - 1), rel=1e-9)
        np.testing.assert_allclose(moved.exponents, other.exponents, atol=1e-8)


def test_infinitesimal_steps_find_the_exact_critical_point() -> None:
    # Migdal's recursion for b -> 1 keeps the duality of the square lattice, for any q.
    flow = MigdalKadanoff(b=1).flow(dimension=2)
    point = flow.fixed_points().critical
    assert point.couplings["nn"] == pytest.approx(float(ising_square.K_c), abs=1e-12)
    assert point.exponents[0] == pytest.approx(2 + np.sqrt(2) * np.log(np.sqrt(2) - 1), abs=1e-9)
    for q in (2, 3, 4.5):
        potts = MigdalKadanoff(b=1).flow(dimension=2, states=q).fixed_points().critical
        assert potts.couplings["nn"] == pytest.approx(float(potts_square(q).K_c), abs=1e-12)
    # Small whole steps come close to it.
    y = MigdalKadanoff(b=1.01).flow(dimension=2).fixed_points().critical
    assert y.couplings["nn"] == pytest.approx(float(ising_square.K_c), abs=0.005)
    assert y.exponents[0] == pytest.approx(point.exponents[0], abs=1e-3)
    # Exponents stay beside the exact ones.
    assert abs(1 / point.exponents[0] - ising_square.nu) > 0.3
    assert flow.step(0.44) < 0.44 < flow.step(float(ising_square.K_c) + 1e-3)


def test_near_one_dimension_the_transition_goes_to_zero_temperature() -> None:
    # A. A. Migdal (1975): in 1 + eps dimensions T* = 2 eps and nu = 1/eps to leading order.
    for eps in (0.02, 0.01):
        point = MigdalKadanoff(b=1).flow(dimension=1 + eps).fixed_points().critical
        assert 1 / point.couplings["nn"] == pytest.approx(2 * eps, rel=1e-6)
        assert point.exponents[0] == pytest.approx(eps, rel=1e-6)


def test_one_dimension_is_exact() -> None:
    for b in (2, 3):
        k = np.array([0.7, 0.2])
        moved = MigdalKadanoff(b=b).flow(dimension=1, field=True)
        np.testing.assert_allclose(
            moved.step(k), Decimation(b=b).flow(field=True).step(k), atol=1e-14
        )
        assert moved.free_energy(k) == pytest.approx(ising_chain.free_energy(0.7, 0.2), abs=1e-13)
    result = MigdalKadanoff(b=2)(rg.lattice.Ising(shape=(8,), couplings={"nn": 0.7}))
    assert float(result.lost["closure"]) == 0.0


def test_diamonds_are_exact() -> None:
    # Two generations of the diamond lattice, every bond two rows of two bonds, summed over all
    # configurations of its inner spins for given ends.
    k, b, rows = 0.45, 2, 2
    bonds = [(0, 1)]
    spins = 2
    for _ in range(2):
        finer = []
        for i, j in bonds:
            for _ in range(rows):
                finer += [(i, spins), (spins, j)]
                spins += 1
        bonds = finer
    assert (len(bonds), spins) == (16, 12)
    log_sums = {}
    for ends in ((1, 1), (1, -1)):
        inner = np.array(list(product([-1, 1], repeat=spins - 2)))
        both = np.hstack([np.tile(ends, (len(inner), 1)), inner])
        energy = k * sum(both[:, i] * both[:, j] for i, j in bonds)
        log_sums[ends] = np.log(np.exp(energy).sum())
    exact = (log_sums[1, 1] - log_sums[1, -1]) / 2
    flow = MigdalKadanoff(b=b, first="series").flow(dimension=2)
    assert flow.run(k, steps=2)[-1, 0] == pytest.approx(exact, abs=1e-12)
    # The other order is the lattice of rows of bundles, not this one.
    assert abs(MigdalKadanoff(b=b).flow(dimension=2).run(k, steps=2)[-1, 0] - exact) > 0.05


@pytest.mark.parametrize("k", [0.1, 0.3, float(ising_square.K_c), 0.7])
def test_free_energy_is_a_lower_bound(k: float) -> None:
    # Moved bonds change the energy by what vanishes on average: Z cannot become smaller.
    exact = ising_square.free_energy(k)
    for b in (2, 3):
        assert MigdalKadanoff(b=b).flow(dimension=2).free_energy(k) < exact
    # Each step leaves a quarter of the spins without bonds, so even the ground state is wrong.
    near = MigdalKadanoff(b=2).flow(dimension=2).free_energy(k)
    assert near == pytest.approx(exact, abs=np.log(2) / 3)


def test_cold_and_hot_ends_are_phases() -> None:
    flow = MigdalKadanoff(b=2).flow(dimension=3, field=True)
    hot, _, cold = flow.fixed_points()
    assert hot.couplings["nn"] == 0.0
    assert cold.couplings["nn"] == np.inf
    assert cold.coordinates == ("1/nn", "field")
    # T' = T/b^(d - 1); the field of an ordered phase scales with the volume.
    np.testing.assert_allclose(sorted(cold.exponents), [-2.0, 3.0], atol=1e-5)
    assert (hot.exponents == -np.inf).any()


def test_potts_of_two_states_is_ising() -> None:
    ising = MigdalKadanoff(b=3).flow(dimension=2).fixed_points().critical
    potts = MigdalKadanoff(b=3).flow(dimension=2, states=2).fixed_points().critical
    assert potts.couplings["nn"] == pytest.approx(2 * ising.couplings["nn"])
    assert potts.exponents[0] == pytest.approx(ising.exponents[0])
    # More states, a larger y_t, as on the square lattice.
    y = [
        MigdalKadanoff(b=2).flow(dimension=2, states=q).fixed_points().critical.exponents[0]
        for q in (2, 3, 4)
    ]
    assert y[0] < y[1] < y[2]


def test_models_come_out_smaller() -> None:
    model = rg.lattice.Ising(shape=(12, 24), couplings={"nn": 0.3, "field": 0.02})
    result = MigdalKadanoff(b=3)(model)
    assert result.model.shape == (4, 8)
    assert dict(result.model.couplings) == result.couplings
    assert not result.lost["closure"].defined
    assert "bonds were moved" in str(result)
    four = rg.lattice.Potts(q=4, shape=(8, 8, 8), couplings={"nn": 0.3})
    assert type(MigdalKadanoff(b=2)(four).model) is rg.lattice.Potts
    assert result.converged
    assert result.history == ()


def test_bad_input() -> None:
    square = rg.lattice.Ising(shape=(9, 9), couplings={"nn": 0.4})
    for b in (0.5, -1, float("inf")):
        with pytest.raises(RegrainError, match="give a number above 1"):
            MigdalKadanoff(b=b)
    with pytest.raises(RegrainError, match="'move' or 'series'"):
        MigdalKadanoff(first="both")  # type: ignore[arg-type]
    with pytest.raises(RegrainError, match=r"dimension is 0\.5"):
        MigdalKadanoff().flow(dimension=0.5)
    with pytest.raises(RegrainError, match=r"states is 1\.5; give 2 or more"):
        MigdalKadanoff().flow(dimension=2, states=1.5)
    with pytest.raises(RegrainError, match="field of a Potts model"):
        MigdalKadanoff().flow(dimension=2, states=3, field=True)
    triangular = rg.lattice.Ising(shape=(9, 9), couplings={"nn": 0.4}, lattice="triangular")
    with pytest.raises(RegrainError, match="got a triangular one"):
        MigdalKadanoff()(triangular)
    with pytest.raises(RegrainError, match="got plaquette too"):
        MigdalKadanoff()(square.replace(couplings={"nn": 0.4, "plaquette": 0.1}))
    for b in (2, 1.5, 1):
        result = MigdalKadanoff(b=b)(square)  # couplings, but no lattice
        with pytest.raises(RegrainError, match="does not divide the lattice"):
            result.model  # noqa: B018
