"""Gauss-Newton steps of mixtures: against HNC fluids, which they solve, and in the engine."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import regrain as rg
from regrain.fits.problem import Problem
from regrain.fits.structural.hnc import Liquid, RadialGrid
from regrain.fits.structural.records import Iteration, kirkwood_buff
from regrain.fits.structure import Distribution, Interaction
from regrain.observables import Pressure
from regrain.particles import (
    ForceField,
    HarmonicBond,
    Langevin,
    LennardJones,
    Particles,
    Table,
    TableBond,
    Topology,
    fcc,
)
from tests.fits.conftest import SOFT, soft

FORM = Table(r_min=0.0, r_max=2.4, points=61)
GRID = RadialGrid(spacing=0.04, points=110)
TYPES = [("A", "A"), ("A", "B"), ("B", "B")]
LABELS = ["pair A-A", "pair A-B", "pair B-B"]
SHAPE = np.exp(-(FORM.grid**2)) - np.exp(-(2.4**2))
TRUTH = {"pair A-A": 3.0 * SHAPE, "pair A-B": 1.5 * SHAPE, "pair B-B": 2.0 * SHAPE}
DENSITIES = (0.4, 0.25)
Potentials = dict[str, np.ndarray]


def fluid(potentials: Potentials, kt: float, densities: tuple[float, ...] = DENSITIES) -> Liquid:
    energies = [np.interp(GRID.r, FORM.grid, potentials[k], right=0.0) for k in LABELS]
    return Liquid.of_potential(GRID, np.array(energies) / kt, density=densities)


def distributions(liquid: Liquid) -> dict[str, Distribution]:
    error = 1e-4 / GRID.r
    return {
        label: Distribution(GRID.r, g, error * np.sqrt(g), np.full(len(g), 50.0))
        for label, g in zip(LABELS, liquid.g, strict=True)
    }


def problem(kt: float = 1.0, densities: tuple[float, ...] = DENSITIES) -> Problem:
    n = 2 * 10**5  # so many that counting pairs by N (N - 1) does not matter
    first = round(n * densities[0] / sum(densities))
    state = Particles(
        np.zeros((n, 3)),
        box=[(n / sum(densities)) ** (1 / 3)] * 3,
        topology=Topology(["A"] * first + ["B"] * (n - first)),
    )
    return Problem(
        interactions=tuple(Interaction("pair", types, FORM) for types in TYPES),
        known={"pair": {}, "bond": {}, "angle": {}, "dihedral": {}},
        target=distributions(fluid(TRUTH, kt, densities)),
        state=state,
        temperature=kt,
        exclude=0,
        reach=3.2,
    )


def ran(one: Problem, potentials: Potentials, densities: tuple[float, ...] = DENSITIES) -> Any:
    measured = distributions(fluid(potentials, one.temperature, densities))
    integrals = {label: kirkwood_buff(g, one.state.volume) for label, g in measured.items()}
    return Iteration(potentials, measured, 0.0, 0.0, 0, 0, integrals, None, 0, 1.0, 0, 0)


def fit(**changes: Any) -> rg.fits.HNCGN:
    settings = {"pairs": dict.fromkeys(TYPES, FORM), "temperature": 1.0, "smoothing": 0.01}
    return rg.fits.HNCGN(**{**settings, **changes})


def off(potentials: Potentials) -> float:
    return max(float(np.max(np.abs(potentials[k] - TRUTH[k])[5:])) for k in LABELS)


def test_the_first_potentials_are_the_hnc_inversion() -> None:
    assert off(fit()._update([problem()]).first()) < 0.02


def test_steps_lead_to_all_potentials_at_once() -> None:
    one = problem()
    update = fit(accuracy=0.0)._update([one])
    wave = 0.4 * np.cos(3 * FORM.grid) * (1 - FORM.grid / 2.4) ** 2
    energies = {k: TRUTH[k] + s * wave for k, s in zip(LABELS, (1, -1, 0.5), strict=True)}
    misses, records = [off(energies)], []
    for _ in range(4):
        records.append(ran(one, energies))
        energies = update.next(records)
        misses.append(off(energies))
    assert misses[0] > 0.15
    assert misses[4] < 0.03


def test_rows_of_two_states_are_stacked() -> None:
    # Two densities and temperatures; each alone would do, together they must not disagree.
    dense = (0.6, 0.1)
    one, two = problem(), replace(problem(0.8, dense), weight=0.5)
    update = fit(accuracy=0.0)._update([one, two])
    wave = 0.4 * np.cos(3 * FORM.grid) * (1 - FORM.grid / 2.4) ** 2
    energies: Potentials = {k: TRUTH[k] + wave for k in LABELS}
    records: list[Iteration] = []
    for _ in range(3):
        records += [ran(one, energies), replace(ran(two, energies, dense), state=1)]
        energies = update.next(records)
    assert off(energies) < 0.03
    assert off(update.first()) < 0.05


def test_the_row_of_an_integral_is_its_derivative() -> None:
    one = problem()
    update = fit(kirkwood_buff=True)._update([one])
    bump = np.exp(-((FORM.grid - 1.3) ** 2) / 0.05)
    for changed in LABELS:
        up, down = (
            ran(one, {**TRUTH, changed: TRUTH[changed] + s * 1e-3 * bump}).kirkwood_buff
            for s in (1, -1)
        )
        steps = update.steps
        for label in LABELS:
            row = update.answers[0].integral_row(label, 0.0).row[steps.columns[changed]]
            wanted = (up[label] - down[label]) / 2e-3
            assert row @ bump[steps.free[changed]] == pytest.approx(wanted, rel=0.05, abs=5e-3)


def test_integrals_are_led_to_given_values() -> None:
    one = problem()
    asked = {("B", "A"): ran(one, TRUTH).kirkwood_buff["pair A-B"] + 0.05}
    update = fit(kirkwood_buff=asked)._update([one])
    energies, records = dict(TRUTH), []
    for _ in range(4):
        records.append(ran(one, energies))
        energies = update.next(records)
    found = ran(one, energies).kirkwood_buff["pair A-B"]
    assert found == pytest.approx(asked["B", "A"], abs=2e-3)


def test_one_liquid_under_two_names_is_one_liquid() -> None:
    same = dict.fromkeys(LABELS, 3.0 * SHAPE)
    two = replace(problem(), target=distributions(fluid(same, 1.0)))
    names = Topology(["A"] * len(two.state))
    one = replace(
        two,
        interactions=two.interactions[:1],
        state=two.state.replace(topology=names),
        target={"pair A-A": two.target["pair A-A"]},
    )
    alone = fit(pairs={("A", "A"): FORM})._update([one]).first()["pair A-A"]
    for energy in fit()._update([two]).first().values():
        np.testing.assert_allclose(energy[3:], alone[3:], atol=1e-3)


# ---------------------------------------------------------------- what cannot be


def test_forms_of_different_spacings_are_refused() -> None:
    one = problem()
    other = Interaction("pair", ("A", "B"), Table(r_min=0.0, r_max=2.4, points=41))
    mixed = replace(one, interactions=(one.interactions[0], other, one.interactions[2]))
    with pytest.raises(
        rg.RegrainError, match=r"one spacing, but they have pair A-A 0.04, pair A-B"
    ):
        fit()._update([mixed])


def test_integrals_that_cannot_be_held() -> None:
    one = problem()
    with pytest.raises(rg.RegrainError, match="kirkwood_buff: pair A-C is not fitted"):
        fit(kirkwood_buff={("A", "C"): 1.0})._update([one])
    with pytest.raises(rg.RegrainError, match="'A-B' is not a tuple of two types"):
        fit(kirkwood_buff={"A-B": 1.0})._update([one])
    waves = {
        label: replace(d, value=d.value + 0.05 * np.sin(6 * d.x) * (d.x > 2))
        for label, d in one.target.items()
    }
    with pytest.raises(rg.RegrainError, match=r"has not decayed at half its box, 4\.38"):
        fit(kirkwood_buff=True)._update([replace(one, target=waves)])


def test_structure_factors_that_no_liquid_has() -> None:
    one = problem()
    deep = {
        label: replace(d, value=np.where(d.x < 2.0, 0.05 * d.value, d.value))
        for label, d in one.target.items()
    }
    with pytest.raises(rg.RegrainError, match="structure factor from g"):
        fit()._update([replace(one, target=deep)])


def test_one_molecule_is_no_liquid() -> None:
    n = 8
    chain = Topology(["A"] * n, bonds=[(k, k + 1) for k in range(n - 1)])
    rng = np.random.default_rng(3)
    states = []
    for step in rng.normal(size=(60, n, 3)):
        step *= rng.uniform(0.7, 1.3, (n, 1)) / np.linalg.norm(step, axis=1, keepdims=True)
        states.append(Particles(np.cumsum(step, axis=0), box=[30.0] * 3, topology=chain))
    single = rg.fits.HNCGN(
        pairs={("A", "A"): Table(r_min=0.0, r_max=4.0, points=17)},
        bonds={("A", "A"): TableBond(r_min=0.5, r_max=1.5, points=11)},
        temperature=1.0,
        exclude=1,
    )
    with pytest.raises(rg.RegrainError, match="all particles of the target are one molecule"):
        single(rg.Trace(states, times=np.arange(60.0)))


def test_a_lone_particle_of_its_type_has_no_pair(gas: rg.Trace[Particles]) -> None:
    names = Topology(["A"] * 299 + ["B"])
    mixed = gas.map(lambda state: state.replace(topology=names))
    form = Table(r_min=0.0, r_max=2.0, points=21)
    pairs = {("A", "A"): form, ("A", "B"): form, ("B", "B"): None}
    few = rg.fits.HNCGN(pairs=pairs, temperature=1.0)
    potentials = few._update(few._problems(mixed)).first()
    assert np.max(np.abs(potentials["pair A-A"][3:])) < 0.1


def test_settings() -> None:
    with pytest.raises(rg.RegrainError, match="bonded_step is 0; give a number above 0"):
        fit(bonded_step=0)


def test_bonds_alone_are_not_for_hncgn(chains: Callable[[int], Any]) -> None:
    bonded = rg.fits.HNCGN(
        pairs={("A", "A"): None, ("A", "B"): None, ("B", "B"): None},
        bonds={("A", "B"): TableBond(r_min=0.5, r_max=1.5, points=51)},
        angles={("A", "B", "A"): None, ("B", "A", "B"): None},
        dihedrals={("A", "B", "A", "B"): None},
        temperature=1.0,
    )
    with pytest.raises(rg.RegrainError, match="no pair potential is to be fitted"):
        bonded(chains(3))


# ---------------------------------------------------------------- in the engine


EPSILON = {("A", "A"): 1.0, ("A", "B"): 1.3, ("B", "B"): 0.8}
SIGMA = {("A", "A"): 1.0, ("A", "B"): 0.9, ("B", "B"): 0.9}


def binary_lj() -> dict[tuple[str, str], LennardJones]:
    """Neither energies nor diameters follow a mixing rule."""
    return {
        types: LennardJones(
            epsilon=EPSILON[types], sigma=SIGMA[types], cutoff=2.5, mode="force-shifted"
        )
        for types in EPSILON
    }


@pytest.fixture(scope="module")
def mixture() -> rg.Trace[Particles]:
    """500 particles at liquid density."""
    start = fcc(cells=5, density=0.85)
    types = np.random.default_rng(3).permutation(["A", "B"] * (len(start) // 2))
    field = ForceField(binary_lj(), temperature=1.2)
    start = start.replace(topology=Topology(types))
    settings: dict[str, Any] = {"dt": 0.004, "dynamics": Langevin(friction=1.0)}
    first = field.run(start, time=20, every=20, seed=1, **settings)
    return field.run(first[-1], time=120, every=0.2, seed=2, **settings).in_memory()


LJ = Table(r_min=0.7, r_max=2.5, points=91)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "iterations", "most", "rms"),
    [(rg.fits.HNCGN, 3, 0.25, 0.1), (rg.fits.IMC, 5, 0.25, 0.1), (rg.fits.IBI, 6, 0.3, 0.15)],
)
def test_the_lennard_jones_potentials_of_a_mixture_come_back(
    mixture: rg.Trace[Particles], method: Any, iterations: int, most: float, rms: float
) -> None:
    wanted = Pressure()(mixture)
    result = method(
        pairs=dict.fromkeys(EPSILON, LJ),
        temperature=1.2,
        pressure=float(wanted),
        pressure_error=0.03,
        seed=5,
        dt=0.004,
        time=60,
        every=0.2,
        iterations=iterations,
    )(mixture, progress=False)
    best = result.history[result.best]
    assert best.pressure == pytest.approx(float(wanted), abs=0.15)
    for types, truth in binary_lj().items():
        label = f"pair {types[0]}-{types[1]}"
        target = result.problem.target[label]
        seen = (np.interp(LJ.grid, target.x, target.value) > 0.5) & (LJ.grid < 2.45)
        error = (result.model.pairs[types].energy - truth.u(LJ.grid))[seen] / 1.2
        assert np.max(np.abs(error)) < most  # kT
        assert np.sqrt(np.mean(error**2)) < rms


@pytest.mark.slow
def test_dimers_with_a_known_interaction() -> None:
    count = 170  # g(r) of fewer ends visibly below 1
    index = np.arange(2 * count).reshape(-1, 2)
    topology = Topology(["A", "B"] * count, bonds=index)
    rng = np.random.default_rng(2)
    a = rng.random((count, 3)) * 9.5
    positions = np.stack([a, a + np.array([0.6, 0.0, 0.0])], axis=1).reshape(-1, 3)
    start = Particles(positions, box=[9.5] * 3, topology=topology)
    bond = HarmonicBond(k=60.0, r0=0.6)
    field = ForceField(
        {("A", "A"): soft(2.0), ("A", "B"): soft(1.0), ("B", "B"): None},
        bonds={("A", "B"): bond},
        temperature=1.0,
        exclude=1,
    )
    settings: dict[str, Any] = {"dt": 0.03, "dynamics": Langevin(friction=1.0)}
    first = field.run(start, time=30, every=30, seed=1, **settings)
    target = field.run(first[-1], time=450, every=0.6, seed=2, **settings).in_memory()
    form = TableBond(r_min=0.0, r_max=1.4, points=71)
    result = rg.fits.HNCGN(
        pairs={("A", "A"): SOFT, ("A", "B"): SOFT, ("B", "B"): None},
        bonds={("A", "B"): form},
        temperature=1.0,
        exclude=1,
        dt=0.03,
        time=450,
        seed=4,
        iterations=4,
    )(target, progress=False)
    for types, height in {("A", "A"): 2.0, ("A", "B"): 1.0}.items():
        seen = (SOFT.grid > 0.5) & (SOFT.grid < 2.4)
        error = (result.model.pairs[types].energy - soft(height).energy)[seen]
        assert np.max(np.abs(error)) < 0.15
    table = result.model.bonds["A", "B"]
    near = np.abs(table.grid - 0.6) < 0.2
    curve = np.polyfit(table.grid[near] - 0.6, table.energy[near], 2)
    assert 2 * curve[0] == pytest.approx(60.0, rel=0.1)
