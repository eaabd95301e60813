"""Fluctuations that are known exactly, and what steps make of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import regrain as rg
from regrain.fits.structural.imc import Bins, fluctuations
from regrain.fits.structural.records import Iteration
from regrain.fits.structure import Distribution
from regrain.particles import (
    ForceField,
    HarmonicBond,
    Particles,
    Table,
    TableBond,
    Topology,
)
from tests.fits.conftest import SOFT, simulate, soft

EDGE, N = 5.0, 60
GAS = Table(r_min=0.0, r_max=2.0, points=17)


@pytest.fixture(scope="module")
def points() -> rg.Trace[Particles]:
    """4000 frames of 60 points that do not see each other."""
    rng = np.random.default_rng(7)
    states = [Particles(rng.random((N, 3)) * EDGE, box=[EDGE] * 3) for _ in range(4000)]
    return rg.Trace(states, times=np.arange(4000.0))


def test_pairs_of_a_gas_fluctuate_as_if_thrown(points: rg.Trace[Particles]) -> None:
    # Distances of random points in a periodic box are independent in pairs, so counts have the
    # covariance of a multinomial: M p_a (δ_ab - p_b), with M = N (N - 1) / 2.
    fit = rg.fits.IMC(pairs={("A", "A"): GAS}, temperature=1.0)
    bins = Bins(fit._problems(points)[0])
    found = fluctuations(bins, points, np.zeros(len(points)))
    edges = 0.125 * np.arange(bins.size + 1)
    p = 4 / 3 * np.pi * np.diff(edges**3) / EDGE**3
    pairs = N * (N - 1) / 2
    assert np.all(np.abs(found["counts"] - pairs * p) < 4 * np.sqrt(pairs * p / 4000))
    wanted = pairs * (np.diag(p) - np.outer(p, p))
    own = np.diag(wanted)  # the variance of a Poisson variance is λ + 2 λ²
    scale = np.sqrt((np.outer(own, own) + np.diag(own + own**2)) / 4000)
    assert np.max(np.abs(found["covariance"][:-1, :-1] - wanted) / scale) < 5.0


def test_the_pressure_of_a_gas_answers_by_its_second_virial_coefficient(
    points: rg.Trace[Particles],
) -> None:
    # P = rho kT + 2 pi rho^2 ∫ u r² dr to first order in u.
    fit = rg.fits.IMC(pairs={("A", "A"): GAS}, temperature=1.0, pressure=1.0)
    problems = fit._problems(points)
    update = fit._update(problems)
    extra = fluctuations(update.bins[0], points, np.zeros(len(points)))
    run = Iteration({}, {}, 1.0, 0.0, 0, 0, {}, None, 0, 1.0, 0, 0, extra=extra)
    r = GAS.grid
    energy = 0.1 * (1 - r / 2) ** 2
    row = update._pressure_row(update.bins[0], run, {"pair A-A": 0 * r}).row
    fine = np.linspace(0, 2, 20001)
    u = np.interp(fine, r, energy)
    wanted = 2 * np.pi * (N / EDGE**3) ** 2 * np.trapezoid(u * fine**2, fine)
    got = row @ energy[update.steps.free["pair A-A"]]
    assert got == pytest.approx(wanted, rel=0.02)  # bins are 1/16 of the range wide


def test_a_step_finds_the_potential_of_independent_bonds() -> None:
    """From bonds of one spring to those of another: kT ln of the two densities, to first order."""
    count, rng = 400, np.random.default_rng(4)
    index = np.arange(2 * count).reshape(-1, 2)
    topology = Topology(["A", "B"] * count, bonds=index)

    log = {"pressure_tensor": np.zeros((300, 3, 3))}

    def dimers(k: float) -> rg.Trace[Particles]:
        r = np.linspace(0.5, 1.5, 4001)
        total = np.cumsum(r**2 * np.exp(-k / 2 * (r - 1) ** 2))
        states = []
        for _ in range(300):
            bond = np.interp(rng.random(count) * total[-1], total, r)
            a = 5 + 10 * rng.random((count, 3))
            b = a + bond[:, None] * [1.0, 0.0, 0.0]
            positions = np.stack([a, b], axis=1).reshape(-1, 3)
            states.append(Particles(positions, box=[30.0] * 3, topology=topology))
        return rg.Trace(states, times=np.arange(300.0), log=log)

    form = TableBond(r_min=0.6, r_max=1.4, points=41)
    fit = rg.fits.IMC(
        pairs={("A", "A"): None, ("A", "B"): None, ("B", "B"): None},
        bonds={("A", "B"): form},
        temperature=1.0,
        damping=0.0,
    )
    problem = fit._problems(dimers(60.0))[0]
    update = fit._update([problem])
    coarse = dimers(50.0)
    label = "bond A-B"
    measured = {label: fit._problems(coarse)[0].target[label]}
    old = {label: 25.0 * (form.grid - 1) ** 2}
    extra = update.measure(coarse, problem)
    run = Iteration(old, measured, 0.0, 0.0, 0, 0, {}, None, 0, 1.0, 0, 0, extra=extra)
    new = update.next([run])[label]
    near = np.abs(form.grid - 1) < 0.25
    curve = np.polyfit(form.grid[near] - 1, new[near], 2)
    assert 2 * curve[0] == pytest.approx(60.0, rel=0.06)  # ln(60/50) = 0.18: second order is 0.02
    error = update.errors([run])[label]
    step = np.abs(new - old[label])[near]  # not there yet: an error says so
    assert np.all(error[near] > step)
    assert np.all(error[near] < step + 0.2)


def test_more_damping_makes_smaller_steps(soft_liquid: rg.Trace[Particles]) -> None:
    steps = []
    for damping in (0.3, 30.0):
        fit = rg.fits.IMC(pairs={("A", "A"): SOFT}, temperature=1.0, damping=damping)
        problem = fit._problems(soft_liquid)[0]
        update = fit._update([problem])
        target = problem.target["pair A-A"]
        g = target.value * (1 + 0.1 * np.sin(4 * target.x))
        found = Distribution(target.x, g, target.error, target.dof)
        old = soft().energy
        run = Iteration({"pair A-A": old}, {"pair A-A": found}, 0.0, 0.0, 0, 0, {}, None, 0, 1.0,
                        0, 0, extra=update.measure(soft_liquid, problem))  # fmt: skip
        steps.append(np.std(update.next([run])["pair A-A"] - old))
    assert steps[1] < 0.3 * steps[0]


def test_what_cannot_be(soft_liquid: rg.Trace[Particles]) -> None:
    with pytest.raises(rg.RegrainError, match="IMC: damping is -1; give a number of 0 or more"):
        rg.fits.IMC(pairs={("A", "A"): SOFT}, temperature=1.0, damping=-1)
    fit = rg.fits.IMC(
        pairs={("A", "A"): SOFT}, temperature=1.0, dt=0.05, time=2.0, every=0.5, equilibration=0
    )
    with (
        pytest.raises(rg.RegrainError, match="the fluctuations of a coarse run, but it has 4 fra"),
        pytest.warns(UserWarning, match="unknown energies is from 4 frames"),
    ):
        fit(soft_liquid, progress=False)


def test_it_resumes_with_what_it_measured(soft_liquid: rg.Trace[Particles], tmp_path: Any) -> None:
    settings = {"pairs": {("A", "A"): SOFT}, "temperature": 1.0, "dt": 0.05, "time": 20.0,
                "every": 0.1, "seed": 1, "tolerance": 1e-3}  # fmt: skip
    first = rg.fits.IMC(**settings, iterations=1)(soft_liquid, workdir=tmp_path, progress=False)
    more = rg.fits.IMC(**settings, iterations=2)(soft_liquid, workdir=tmp_path, progress=False)
    whole = rg.fits.IMC(**settings, iterations=2)(soft_liquid, progress=False)
    assert "covariance" in first.history[0].extra
    np.testing.assert_array_equal(
        more.history[1].potentials["pair A-A"], whole.history[1].potentials["pair A-A"]
    )


@pytest.mark.slow
def test_pairs_and_bonds_are_found_in_one_matrix(
    chains: Callable[[int], rg.Trace[Particles]],
) -> None:
    count = 80
    index = np.arange(3 * count).reshape(-1, 3)
    topology = Topology(["A"] * (3 * count), bonds=np.concatenate([index[:, :2], index[:, 1:]]))
    rng = np.random.default_rng(2)
    middle = rng.random((count, 3)) * 7.0
    positions = np.stack([middle - [0.9, 0, 0], middle, middle + np.array([0, 0.9, 0])], axis=1)
    start = Particles(positions.reshape(-1, 3), box=[7.0] * 3, topology=topology)
    field = ForceField(
        {("A", "A"): soft(2.0)},
        bonds={("A", "A"): HarmonicBond(k=30.0, r0=0.9)},
        temperature=1.0,
        exclude=1,
    )
    target = simulate(field, start, time=400, seed=1)
    fit = rg.fits.IMC(
        pairs={("A", "A"): SOFT},
        bonds={("A", "A"): TableBond(r_min=0.0, r_max=2.0, points=81)},
        temperature=1.0,
        exclude=1,
        dt=0.05,
        time=300,
        every=0.5,
        seed=3,
        iterations=4,
    )
    result = fit(target, progress=False)
    seen = (SOFT.grid > 0.5) & (SOFT.grid < 2.4)
    error = (result.model.pairs["A", "A"].energy - soft(2.0).energy)[seen]
    assert np.max(np.abs(error)) < 0.2
    table = result.model.bonds["A", "A"]
    near = np.abs(table.grid - 0.9) < 0.25
    curve = np.polyfit(table.grid[near] - 0.9, table.energy[near], 2)
    assert 2 * curve[0] == pytest.approx(30.0, rel=0.1)
