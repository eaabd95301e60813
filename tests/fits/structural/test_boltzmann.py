"""Boltzmann inversion where it is exact: dilute pairs, and bonded terms of independent chains."""

from collections.abc import Callable

import numpy as np
import pytest

import regrain as rg
from regrain.particles import Particles, Table, TableAngle, TableBond, TableDihedral
from tests.fits.conftest import ANGLE, BOND, LENGTH, THETA, TWIST

FORMS = {
    "pairs": {("A", "A"): None, ("A", "B"): None, ("B", "B"): None},
    "bonds": {("A", "B"): TableBond(r_min=0.7, r_max=1.3, points=61)},
    "angles": {("A", "B", "A"): TableAngle(points=91), ("B", "A", "B"): TableAngle(points=91)},
    "dihedrals": {("A", "B", "A", "B"): TableDihedral(points=73)},
}


@pytest.fixture(scope="module")
def inverted(chains: Callable[[int], rg.Trace[Particles]]) -> rg.fits.Result:
    return rg.fits.BoltzmannInversion(**FORMS, temperature=1.0)(chains(100))


def test_bonds_come_back_with_their_jacobian(inverted: rg.fits.Result) -> None:
    table = inverted.model.bonds["A", "B"]
    near = np.abs(table.grid - LENGTH) < 0.12
    x = table.grid[near] - LENGTH
    curve = np.polyfit(x, table.energy[near], 2)
    assert 2 * curve[0] == pytest.approx(BOND, rel=0.03)
    # Without r² the minimum would be off by 2 kT / (k r0) = 0.01.
    assert -curve[1] / (2 * curve[0]) == pytest.approx(0.0, abs=2e-3)


def test_angles_come_back_with_their_jacobian(inverted: rg.fits.Result) -> None:
    for types in (("A", "B", "A"), ("B", "A", "B")):
        table = inverted.model.angles[types]
        near = np.abs(table.grid - THETA) < 0.35
        curve = np.polyfit(table.grid[near] - THETA, table.energy[near], 2)
        assert 2 * curve[0] == pytest.approx(ANGLE, rel=0.06)
        # Without sin θ it would be off by cot(θ) kT / k = -0.018.
        assert -curve[1] / (2 * curve[0]) == pytest.approx(0.0, abs=6e-3)


def test_dihedrals_come_back(inverted: rg.fits.Result) -> None:
    table = inverted.model.dihedrals["A", "B", "A", "B"]
    wanted = TWIST * (1 + np.cos(2 * table.grid))
    error = inverted.errors["dihedral A-B-A-B"]
    miss = table.energy - table.energy.mean() - (wanted - wanted.mean())
    assert np.mean((miss / error) ** 2) < 1.5
    assert table.energy[0] == table.energy[-1]


def test_unsampled_ends_of_bonds_are_walls(inverted: rg.fits.Result) -> None:
    table = inverted.model.bonds["A", "B"]
    assert np.all(np.diff(table.energy[:20]) < 0)
    assert np.all(np.diff(table.energy[-20:]) > 0)
    assert np.all(np.isfinite(table.energy))


def test_an_ideal_gas_has_no_potential_within_its_errors(gas: rg.Trace[Particles]) -> None:
    form = Table(r_min=0.0, r_max=2.0, points=41)
    result = rg.fits.BoltzmannInversion(pairs={("A", "A"): form}, temperature=2.0)(gas)
    energy, error = result.model.pairs["A", "A"].energy, result.errors["pair A-A"]
    assert np.all(np.abs(energy[10:]) < 4 * error[10:])
    assert result.history.records == []
    assert not result.converged
    assert result.reason == "no coarse run was asked for"


def test_known_potentials_stay_as_they_are(gas: rg.Trace[Particles]) -> None:
    known = rg.particles.LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.0)
    with pytest.raises(rg.RegrainError, match="nothing to fit"):
        rg.fits.BoltzmannInversion(pairs={("A", "A"): known}, temperature=1.0)(gas)


def test_types_may_be_named_in_either_order(
    chains: Callable[[int], rg.Trace[Particles]],
) -> None:
    forms = {**FORMS, "bonds": {("B", "A"): FORMS["bonds"]["A", "B"]}}
    result = rg.fits.BoltzmannInversion(**forms, temperature=1.0)(chains(4))
    assert list(result.model.bonds) == [("A", "B")]
    assert result.model.pairs["A", "B"] is None
