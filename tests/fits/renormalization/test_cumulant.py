"""The cumulant expansion against its publication, its formulas, enumeration, and bad input."""

from itertools import product

import numpy as np
import pytest

import regrain as rg
from regrain.atlas import ising_triangular
from regrain.errors import RegrainError
from regrain.fits import Cumulant
from regrain.fits.renormalization.cumulant import CELL, STEPS, _counts


def published(k: np.ndarray) -> np.ndarray:
    """The recursion of Niemeijer and van Leeuwen, worked out by hand.

    With f1 and f2 the means of a spin and of a product of two in a cell whose majority is up.
    """
    x = np.exp(4 * k[0])
    f1, f2 = (x + 1) / (x + 3), (x - 1) / (x + 3)
    f = f1**2
    return np.array(
        [
            2 * f * k[0] + 4 * f * (1 + f2 - 2 * f) * k[0] ** 2 + 3 * f * k[1] + 2 * f * k[2],
            f * (1 + 7 * f2 - 8 * f) * k[0] ** 2 + f * k[2],
            4 * f * (f2 - f) * k[0] ** 2,
        ]
    )


def test_first_order() -> None:
    # Th. Niemeijer and J. M. J. van Leeuwen, Phys. Rev. Lett. 31, 1411 (1973).
    flow = Cumulant(order=1).flow(field=True)
    point = flow.fixed_points().critical
    # f1^2 = 1/2 at the fixed point, so K* = ln(2 √2 + 1)/4.
    assert point.couplings["nn"] == pytest.approx(np.log(2 * np.sqrt(2) + 1) / 4, abs=1e-12)
    assert point.couplings["nn"] == pytest.approx(0.3356, abs=5e-5)
    y_h, y_t = point.exponents
    assert y_t == pytest.approx(0.882, abs=5e-4)
    assert 1 / y_t == pytest.approx(1.133, abs=1e-3)
    assert point.eigenvalues[0] == pytest.approx(3 / np.sqrt(2))
    assert y_h == pytest.approx(np.log(3 / np.sqrt(2)) / np.log(np.sqrt(3)))
    # It is not the triangular lattice.
    assert abs(point.couplings["nn"] - ising_triangular.K_c) > 0.06
    assert abs(y_t - ising_triangular.y_t) > 0.1


def test_second_order() -> None:
    # Th. Niemeijer and J. M. J. van Leeuwen, Physica 71, 17 (1974): K* = (0.2789, -0.0143, -0.0152)
    flow = Cumulant(order=2).flow(field=True)
    point = flow.fixed_points().critical
    np.testing.assert_allclose(point.array()[:3], [0.2789, -0.0143, -0.0152], atol=6e-5)
    y_h, y_t, *rest = point.exponents
    assert all(y < 0 for y in rest)
    # Their largest eigenvalue is 1.7835 (y_T = 1.053). The recursion linearised has 1.7728; theirs
    # comes out to all digits if the derivative of f1² in the part f1² K3 of K2' is left out.
    matrix = flow.jacobian(point)[:3, :3]
    assert point.eigenvalues[1] == pytest.approx(1.7835, rel=0.007)
    x = np.exp(4 * point.couplings["nn"])
    slope = 2 * (x + 1) / (x + 3) * 2 / (x + 3) ** 2 * 4 * x  # d(f1²)/dK
    matrix[1, 0] -= slope * point.couplings["third"]
    assert max(np.linalg.eigvals(matrix).real) == pytest.approx(1.7835, abs=5e-5)
    # Second order is closer to the exact answers than first order.
    first = Cumulant(order=1).flow(field=True).fixed_points().critical
    assert abs(y_t - 1) < abs(first.exponents[1] - 1)
    assert abs(y_h - 15 / 8) < abs(first.exponents[0] - 15 / 8)
    critical = flow.critical("nn", point=point, between=(0.1, 0.5))
    distance = abs(critical - ising_triangular.K_c)
    assert 0.01 < distance < abs(first.couplings["nn"] - ising_triangular.K_c)


def test_cells_and_bonds_that_were_counted_give_the_published_recursion() -> None:
    flow = Cumulant(order=2).flow()
    assert flow.names == ("nn", "nnn", "third")
    for k in ([0.3, 0.0, 0.0], [0.1, 0.05, -0.02], [0.6, -0.1, 0.1], [0.2789, -0.0143, -0.0152]):
        np.testing.assert_allclose(flow.step(k), published(np.array(k)), atol=1e-14)
        hot = 2 * (np.exp(4 * k[0]) + 1) / (np.exp(4 * k[0]) + 3)
        assert Cumulant().flow().step(k[0]) == pytest.approx(hot**2 / 2 * k[0])


def test_the_expansion_is_right_for_weak_couplings() -> None:
    # The coupling of two cells and a common neighbour, from all configurations of their spins: the
    # expansion must be off by one order more than it keeps.
    k = 0.05
    cells = [(0, 0), (1, 0), (1, 1)]
    sites = [
        (i * STEPS[0][0] + j * STEPS[1][0] + x, i * STEPS[0][1] + j * STEPS[1][1] + y)
        for i, j in cells
        for x, y in CELL
    ]
    spins = np.array(list(product([-1, 1], repeat=9)))
    bonds = [
        (a, c)
        for a in range(9)
        for c in range(a)
        if (sites[a][0] - sites[c][0], sites[a][1] - sites[c][1])
        in {(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)}
    ]
    weight = np.exp(k * sum(spins[:, a] * spins[:, c] for a, c in bonds))
    blocks = np.sign(spins.reshape(-1, 3, 3).sum(axis=2))

    def log_weight(signs: tuple[int, ...]) -> float:
        return float(np.log(weight[(blocks == signs).all(axis=1)].sum()))

    configurations = list(product([-1, 1], repeat=3))
    exact = np.mean([s[0] * s[1] * log_weight(s) for s in configurations])
    x = np.exp(4 * k)
    f1, f2 = (x + 1) / (x + 3), (x - 1) / (x + 3)
    chain = _through_one(f1, f2)
    first, second = 2 * f1**2 * k, chain * k**2
    assert exact == pytest.approx(first + second, abs=20 * k**3)
    assert abs(exact - first) > 3 * abs(exact - first - second)


def _through_one(f1: float, f2: float) -> float:
    """The part of second order in K1' that goes through one common neighbour of two cells."""
    spread = np.full((3, 3), f2 - f1**2)
    np.fill_diagonal(spread, 1 - f1**2)
    one = _counts((1, 1), "nn")  # from the cell at the origin to the third
    two = _counts((0, -1), "nn")  # from the third to the second
    return float(f1**2 * one.sum(axis=0) @ spread @ two.sum(axis=1))


def test_free_energy_is_right_where_it_is_hot() -> None:
    for k in (0.02, 0.05, 0.1):
        exact = ising_triangular.free_energy(k)
        off = [Cumulant(order=n).flow().free_energy({"nn": k}) - exact for n in (1, 2)]
        # What is left out is of second and of third order in K.
        assert abs(off[0]) < 3 * k**2
        assert abs(off[1]) < 10 * k**3
        assert abs(off[1]) < 0.3 * abs(off[0])


def test_models_have_a_third_of_the_spins() -> None:
    model = rg.lattice.Ising(shape=(27, 27), couplings={"nn": 0.3}, lattice="triangular")
    once = Cumulant(order=1)(model)
    assert once.model.shape == (27, 9)
    assert once.model.lattice == "triangular"
    assert Cumulant(order=1)(once.model).model.shape == (9, 9)
    twice = Cumulant(order=2)(model)
    assert set(twice.model.couplings) == {"nn", "nnn", "third"}
    again = Cumulant(order=2)(twice.model)
    np.testing.assert_allclose(
        list(again.couplings.values()), twice.flow.run({"nn": 0.3}, steps=2)[-1]
    )
    assert not once.lost["closure"].defined
    field = Cumulant(order=1)(model.replace(couplings={"nn": 0.3, "field": 0.01}))
    assert field.model.couplings["field"] > 0.02


def test_bad_input() -> None:
    with pytest.raises(RegrainError, match="order is 3; give 1 or 2"):
        Cumulant(order=3)
    with pytest.raises(RegrainError, match="triangular lattices, got a square one"):
        Cumulant()(rg.lattice.Ising(shape=(9, 9), couplings={"nn": 0.3}))
    model = rg.lattice.Ising(shape=(10, 9), couplings={"nn": 0.3}, lattice="triangular")
    with pytest.raises(RegrainError, match="three spins do not tile"):
        Cumulant()(model).model  # noqa: B018
    with pytest.raises(RegrainError, match="got nnn too"):
        Cumulant(order=1)(model.replace(couplings={"nn": 0.3, "nnn": 0.1}))
    with pytest.raises(RegrainError, match="got three too"):
        Cumulant(order=2)(model.replace(couplings={"nn": 0.3, "three": 0.1}))
