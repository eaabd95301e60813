"""Iterative Boltzmann inversion: where it is exact, mixtures, bonded terms, the ramp."""

from collections.abc import Callable

import numpy as np
import pytest

import regrain as rg
from regrain.fits.structural.records import Iteration, compressibility, kirkwood_buff
from regrain.fits.structure import Distribution
from regrain.particles import ForceField, Langevin, Particles, Table, Topology, fcc
from tests.fits.conftest import SOFT, simulate, soft


def record(label: str, energy: np.ndarray, found: Distribution, pressure: float = 0.0) -> Iteration:
    return Iteration({label: energy}, {label: found}, pressure, 0.1, 0, 0, {}, None, 0, 1, 0, 0)


def test_a_run_that_gave_the_target_changes_nothing(soft_liquid: rg.Trace[Particles]) -> None:
    fit = rg.fits.IBI(pairs={("A", "A"): SOFT}, temperature=1.0)
    problem = fit._problems(soft_liquid)[0]
    update = fit._update([problem])
    energy = update.first()["pair A-A"]
    new = update.next([record("pair A-A", energy, problem.target["pair A-A"])])["pair A-A"]
    seen = SOFT.grid > 0.4
    np.testing.assert_allclose(new[seen], energy[seen], atol=1e-9)


def test_a_step_is_the_logarithm_of_the_ratio(soft_liquid: rg.Trace[Particles]) -> None:
    fit = rg.fits.IBI(pairs={("A", "A"): SOFT}, temperature=1.0, step=0.5)
    problem = fit._problems(soft_liquid)[0]
    update = fit._update([problem])
    energy, target = update.first()["pair A-A"], problem.target["pair A-A"]
    wave = 0.2 * (2.5 - target.x).clip(0) ** 2
    found = Distribution(target.x, target.value * np.exp(wave), target.error, target.dof)
    new = update.next([record("pair A-A", energy, found)])["pair A-A"]
    seen = (SOFT.grid > 0.6) & (SOFT.grid < 2.3)
    wanted = 0.5 * 0.2 * (2.5 - SOFT.grid) ** 2
    np.testing.assert_allclose((new - energy)[seen], wanted[seen], atol=0.01)


@pytest.mark.parametrize("missing", [-0.4, 0.7])
def test_the_ramp_has_the_virial_that_is_missing(
    soft_liquid: rg.Trace[Particles], missing: float
) -> None:
    fit = rg.fits.IBI(pairs={("A", "A"): SOFT}, temperature=1.0, pressure=2.0)
    problem = fit._problems(soft_liquid)[0]
    target = problem.target["pair A-A"]
    ramp = fit._update([problem])._ramps([record("pair A-A", 0 * SOFT.grid, target, 2.0 - missing)])
    slope = np.gradient(np.interp(target.x, SOFT.grid, ramp["pair A-A"]), target.x)
    inside = target.x < SOFT.r_max
    integral = float(np.sum((target.value * slope * target.x**3)[inside]) * 0.02)
    assert -2 * np.pi / 3 * 0.5**2 * integral == pytest.approx(missing, rel=0.01)


@pytest.mark.slow
def test_the_potential_of_a_simulated_liquid_comes_back(
    soft_liquid: rg.Trace[Particles],
) -> None:
    fit = rg.fits.IBI(
        pairs={("A", "A"): SOFT}, temperature=1.0, seed=2, dt=0.05, time=100, iterations=6
    )
    result = fit(soft_liquid, progress=False)
    assert result.history[result.best].chi2 < 1.5
    seen = (SOFT.grid > 0.4) & (SOFT.grid < 2.4)

    def miss(table: Table) -> float:
        return float(np.max(np.abs(table.energy - soft().energy)[seen]))

    # g(r) agrees within its errors long before the potential does: a long wave is left.
    final = miss(result.model.pairs["A", "A"])
    assert final < min(0.7, miss(result.potentials[0]["pair A-A"]))


@pytest.mark.slow
def test_a_mixture_with_a_known_interaction() -> None:
    rng = np.random.default_rng(9)
    start = fcc(cells=4, density=0.4)
    types = rng.permutation(["A"] * 128 + ["B"] * 128)
    start = start.replace(topology=Topology(types))
    truth = {("A", "A"): soft(2.0), ("A", "B"): soft(1.0), ("B", "B"): None}
    target = simulate(ForceField(truth, temperature=1.0), start, time=150, seed=1)
    fit = rg.fits.IBI(
        pairs={("A", "A"): SOFT, ("B", "A"): SOFT, ("B", "B"): None},
        temperature=1.0,
        seed=4,
        dt=0.05,
        time=150,
        iterations=3,
    )
    result = fit(target, progress=False)
    assert result.model.pairs["B", "B"] is None
    best = result.history[result.best]
    assert best.chi2 < 1.5
    seen = (SOFT.grid > 0.4) & (SOFT.grid < 2.4)
    for types, height in ((("A", "A"), 2.0), (("A", "B"), 1.0)):
        miss = result.model.pairs[types].energy - soft(height).energy
        assert np.max(np.abs(miss[seen])) < 0.5
    assert best.compressibility is None  # B-B was not measured


@pytest.mark.slow
def test_bonds_of_a_chain_in_a_liquid_of_its_own() -> None:
    """Dimers: bond and pair are fitted together, the pair of a dimer is left out of g(r)."""
    start = fcc(cells=4, density=0.2)
    index = np.arange(256).reshape(-1, 2)
    state = start.replace(topology=Topology(["A"] * 256, bonds=index))
    bond = rg.particles.HarmonicBond(k=30.0, r0=1.0)
    field = ForceField({("A", "A"): soft()}, bonds={("A", "A"): bond}, temperature=1.0)
    hot = field.run(state, time=20, dt=0.02, every=20, seed=1, dynamics=Langevin(friction=1.0))
    target = field.run(
        hot[-1], time=100, dt=0.02, every=0.5, seed=2, dynamics=Langevin(friction=1.0)
    ).in_memory()
    form = rg.particles.TableBond(r_min=0.0, r_max=2.4, points=97)
    fit = rg.fits.IBI(
        pairs={("A", "A"): SOFT},
        bonds={("A", "A"): form},
        temperature=1.0,
        seed=5,
        dt=0.02,
        time=100,
        iterations=4,
    )
    result = fit(target, progress=False)
    best = result.history[result.best]
    assert best.chi2 < 1.5
    assert best.compressibility is None
    table = result.model.bonds["A", "A"]
    near = np.abs(table.grid - 1.0) < 0.25
    curve = np.polyfit(table.grid[near] - 1.0, table.energy[near], 2)
    assert 2 * curve[0] == pytest.approx(30.0, rel=0.1)
    assert -curve[1] / (2 * curve[0]) == pytest.approx(0.0, abs=0.02)


def test_the_compressibility_of_a_mixture_is_that_of_the_whole(
    gas: rg.Trace[Particles],
) -> None:
    # An ideal gas of two names is an ideal gas: κ kT ρ = 1, whatever the names.
    names = Topology(["A"] * 100 + ["B"] * 200)
    mixed = gas.map(lambda state: state.replace(topology=names))
    form = Table(r_min=0.0, r_max=1.0, points=11)
    pairs = {("A", "A"): form, ("A", "B"): form, ("B", "B"): form}
    problem = rg.fits.IBI(pairs=pairs, temperature=2.0)._problems(mixed)[0]
    value = compressibility(problem, {t.label: 0.0 for t in problem.interactions})
    assert value == pytest.approx(1 / (300 / 216 * 2.0))


def test_kirkwood_buff_of_hard_spheres_without_correlations() -> None:
    r = np.arange(0.005, 10.0, 0.01)
    hole = Distribution(r, np.where(r < 2.0, 0.0, 1.0), 0 * r, 0 * r)
    assert kirkwood_buff(hole) == pytest.approx(-4 / 3 * np.pi * 8, rel=0.02)


def test_chains_are_posed_with_all_their_terms(
    chains: Callable[[int], rg.Trace[Particles]],
) -> None:
    trace = chains(3)
    with pytest.raises(rg.RegrainError, match="angles: nothing is given for A-B-A, B-A-B"):
        rg.fits.IBI(
            pairs={("A", "A"): None, ("A", "B"): None, ("B", "B"): None},
            bonds={("A", "B"): rg.particles.TableBond(r_min=0.5, r_max=1.5, points=51)},
            temperature=1.0,
        )(trace)
