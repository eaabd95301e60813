"""Gauss-Newton steps against a liquid that obeys HNC exactly, and in the engine."""

import numpy as np
import pytest

import regrain as rg
from regrain.fits.problem import Problem
from regrain.fits.structural.hnc import Liquid, RadialGrid, virial_pressure
from regrain.fits.structural.records import Iteration
from regrain.fits.structure import Distribution, Interaction
from regrain.particles import ForceField, Particles, Table, fcc
from tests.fits.conftest import SOFT, soft

DENSITY, KT = 0.7, 1.5
FORM = Table(r_min=0.8, r_max=2.5, points=86)
GRID = RadialGrid(spacing=0.02, points=256)


def fluid(table: Table) -> Liquid:
    """The HNC fluid of a table: bins see the mean of the potential over their ends."""
    r = GRID.r
    core = table.energy[0] + (r - table.r_min) * (table.energy[1] - table.energy[0]) / 0.02
    energy = np.where(r < table.r_min, core, np.interp(r, table.grid, table.energy, right=0.0))
    return Liquid.of_potential(GRID, energy / KT, density=DENSITY)


def lennard_jones() -> Table:
    lj = rg.particles.LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
    return FORM.with_energy(lj.u(np.minimum(FORM.grid, 2.4999999)))


def distribution(g: np.ndarray) -> Distribution:
    """Errors as of counting: s² ∝ g / r²."""
    error = 1e-4 * np.sqrt(np.maximum(g, 0)) / GRID.r
    return Distribution(GRID.r, g, error, np.full(len(g), 50.0))


def problem_of(g: np.ndarray, pressure: float | None = None) -> Problem:
    n = 10**6  # so many that counting pairs by N (N - 1) does not matter
    edge = (n / DENSITY) ** (1 / 3)
    state = Particles(np.zeros((n, 3)), box=[edge] * 3)
    term = Interaction("pair", ("A", "A"), FORM)
    return Problem(
        interactions=(term,),
        known={"pair": {}, "bond": {}, "angle": {}, "dihedral": {}},
        target={term.label: distribution(g)},
        state=state,
        temperature=KT,
        exclude=0,
        reach=3.3,
        pressure=pressure,
    )


def pressure_of(table: Table) -> float:
    force = table.force(np.clip(GRID.r, 0.81, 2.5)) * (GRID.r < 2.5)
    return virial_pressure(GRID.r, fluid(table).g, force, density=DENSITY, kt=KT)


def ran(problem: Problem, energy: np.ndarray, pressure: float) -> Iteration:
    g = fluid(FORM.with_energy(energy)).g
    label = problem.interactions[0].label
    return Iteration(
        {label: energy}, {label: distribution(g)}, pressure, 0.0, 0, 0, {}, None, 0, KT, 0, 0
    )


def test_the_first_potential_is_the_hnc_inversion() -> None:
    truth = lennard_jones()
    problem = problem_of(fluid(truth).g)
    fit = rg.fits.HNCGN(pairs={("A", "A"): FORM}, temperature=KT, smoothing=0.01)
    energy = fit._update([problem]).first()["pair A-A"]
    seen = (FORM.grid > 0.95) & (FORM.grid < 2.4)
    np.testing.assert_allclose(energy[seen], truth.energy[seen], atol=0.03)


@pytest.mark.parametrize("weigh", [0.0, 0.01])
def test_steps_lead_to_the_target(weigh: float) -> None:
    truth = lennard_jones()
    problem = problem_of(fluid(truth).g)
    fit = rg.fits.HNCGN(pairs={("A", "A"): FORM}, temperature=KT, smoothing=0.01, accuracy=weigh)
    update = fit._update([problem])
    energy = truth.energy + 0.5 * np.cos(3 * FORM.grid) * (FORM.grid > 0.9) * (2.5 - FORM.grid)
    records, misses = [], []
    for _ in range(5):
        records.append(ran(problem, energy, 0.0))
        g = records[-1].measured["pair A-A"].value
        misses.append(float(np.sqrt(np.mean((g - fluid(truth).g)[40:125] ** 2))))
        energy = update.next(records)["pair A-A"]
    assert misses[0] > 0.02
    assert misses[4] < 0.05 * misses[0]


def test_the_pressure_row_is_the_derivative_of_the_pressure() -> None:
    truth = lennard_jones()
    problem = problem_of(fluid(truth).g, 1.0)
    fit = rg.fits.HNCGN(pairs={("A", "A"): FORM}, temperature=KT, pressure=1.0)
    update = fit._update([problem])
    bump = np.exp(-((FORM.grid - 1.5) ** 2) / 0.05)
    up, down = (FORM.with_energy(truth.energy + s * 1e-3 * bump) for s in (1, -1))
    wanted = (pressure_of(up) - pressure_of(down)) / 2e-3
    row = update.answers[0].pressure_row({}, {"pair A-A": truth.energy}, 0.0).row
    assert row @ bump[update.steps.free["pair A-A"]] == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("extra", [-0.5, 0.3])
def test_the_constraint_moves_the_pressure_and_hardly_the_structure(extra: float) -> None:
    truth = lennard_jones()
    wanted = pressure_of(truth) + extra
    problem = problem_of(fluid(truth).g, wanted)
    fit = rg.fits.HNCGN(pairs={("A", "A"): FORM}, temperature=KT, pressure=wanted, smoothing=0.02)
    update = fit._update([problem])
    energy, records = update.first()["pair A-A"], []
    for _ in range(6):
        records.append(ran(problem, energy, pressure_of(FORM.with_energy(energy))))
        energy = update.next(records)["pair A-A"]
    g = records[-1].measured["pair A-A"].value
    assert records[-1].pressure == pytest.approx(wanted, abs=0.02 * abs(extra))
    assert np.sqrt(np.mean((g - fluid(truth).g)[40:125] ** 2)) < 0.02


def test_without_measured_pressure_the_virial_of_the_first_potential_is_met() -> None:
    truth = lennard_jones()
    problem = problem_of(fluid(truth).g, 2.0)
    fit = rg.fits.HNCGN(pairs={("A", "A"): FORM}, temperature=KT, pressure=2.0, smoothing=0.02)
    update = fit._update([problem])
    assert update.answers[0].pressure({}, update.first()) == pytest.approx(2.0, abs=0.3)


@pytest.mark.slow
def test_the_potential_of_a_simulated_liquid_comes_back(
    soft_liquid: rg.Trace[Particles],
) -> None:
    fit = rg.fits.HNCGN(
        pairs={("A", "A"): SOFT}, temperature=1.0, seed=2, dt=0.05, time=150, iterations=3
    )
    result = fit(soft_liquid, progress=False)
    truth, found = soft().energy, result.model.pairs["A", "A"].energy
    error = result.errors["pair A-A"]
    seen = (SOFT.grid > 0.3) & (SOFT.grid < 2.4)
    assert result.converged
    assert 0.7 < result.history[result.best].chi2 < 1.3
    assert np.max(np.abs(found - truth)[seen]) < 0.1
    assert np.mean(np.abs(found - truth)[seen] < 4 * error[seen] + 0.02) > 0.9


@pytest.mark.slow
def test_the_lennard_jones_potential_comes_back_from_its_g_alone() -> None:
    truth = rg.particles.LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
    field = ForceField({("A", "A"): truth}, temperature=1.5)
    start = field.run(fcc(cells=4, density=0.6), time=5, dt=0.005, every=5, seed=1)[-1]
    target = field.run(start, time=60, dt=0.005, every=0.25, seed=2).in_memory()
    form = Table(r_min=0.8, r_max=2.5, points=69)
    fit = rg.fits.HNCGN(
        pairs={("A", "A"): form}, temperature=1.5, seed=3, time=40, dt=0.005, iterations=3
    )
    result = fit(target, progress=False)
    table, error = result.model.pairs["A", "A"], result.errors["pair A-A"]
    seen = (form.grid > 0.98) & (form.grid < 2.45)
    miss = (table.energy - truth.u(np.minimum(form.grid, 2.4999)))[seen]
    assert result.history[result.best].chi2 < 2.0
    assert np.max(np.abs(miss)) < 0.25  # of kT = 1.5
    assert np.mean(np.abs(miss) < 2 * error[seen]) > 0.9
    # What g(r) says about the pressure is what the liquid has, to the error of the potential.
    pressure = rg.observables.Pressure()(target)
    assert result.history[result.best].pressure == pytest.approx(float(pressure), abs=0.8)
