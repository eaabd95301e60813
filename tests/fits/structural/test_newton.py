"""Steps with linear conditions: met to round-off, and refused where they cannot be."""

import numpy as np
import pytest

import regrain as rg
from regrain.fits.structural.newton import Row, Steps, System
from regrain.fits.structural.shape import Shape
from regrain.fits.structure import Distribution, Interaction
from regrain.particles import Particles, Table
from tests.fits.conftest import SOFT


@pytest.fixture(scope="module")
def system(soft_liquid: rg.Trace[Particles]) -> System:
    problem = rg.fits.IBI(pairs={("A", "A"): SOFT}, temperature=1.0)._problems(soft_liquid)[0]
    term = problem.interactions[0]
    target = problem.target[term.label]
    shape = Shape(term, target, width=0.3)
    weights = np.where(target.sampled("pair"), 1e4, 0.0)
    steps = Steps([problem], {term.label: shape}, [{term.label: weights}])
    # A gas: g answers only where U changes.
    jacobian = -target.value[:, None] * steps.hats(term.label, target.x)
    return steps.system([{term.label: jacobian}])


def step(system: System, rows: list[Row]) -> np.ndarray:
    target = system.steps.problems[0].target["pair A-A"]
    wave = 0.1 * target.value * np.sin(3 * target.x)
    old = {"pair A-A": np.zeros(len(SOFT.grid))}
    return system.step([{"pair A-A": wave}], old, rows)["pair A-A"]


def test_without_conditions_a_gas_is_inverted_point_by_point(system: System) -> None:
    seen = (SOFT.grid > 0.3) & (SOFT.grid < 2.0)
    found = step(system, [])[seen]
    np.testing.assert_allclose(found, -0.1 * np.sin(3 * SOFT.grid[seen]), atol=0.005)


def test_conditions_are_met_to_round_off(system: System) -> None:
    rng = np.random.default_rng(1)
    free = system.steps.free["pair A-A"]
    rows = [Row(name, rng.normal(size=len(free)) * 10.0**k, 0.3 * 10.0**k)
            for k, name in ((0, "one"), (6, "another"))]  # fmt: skip
    change = step(system, rows)[free]
    for row in rows:
        assert row.row @ change == pytest.approx(row.missing, rel=1e-10)
    # and nowhere is there a better step: the gradient is a combination of the rows
    assert np.max(np.abs(change - step(system, [])[free])) > 1e-3


def test_conditions_that_cannot_be_met(system: System) -> None:
    row = np.ones(system.steps.unknowns)
    with pytest.raises(rg.RegrainError, match="the pressure: nothing that is fitted changes it"):
        step(system, [Row("the pressure", 0 * row, 1.0)])
    with pytest.raises(rg.RegrainError, match="one and two cannot be asked for independently"):
        step(system, [Row("one", row, 1.0), Row("two", 2 * row, 1.0)])


def test_errors_of_a_gas_are_those_of_counts() -> None:
    # dU = kT dg / g at each node, without smoothing: hats spread one bin over two nodes.
    form = Table(r_min=0.0, r_max=2.0, points=41)
    term = Interaction("pair", ("A", "A"), form)
    x = 0.025 + 0.05 * np.arange(60)
    target = Distribution(x, np.ones(60), np.full(60, 0.02), np.full(60, 99.0))
    state = Particles(np.zeros((1000, 3)), box=[10.0] * 3)
    problem = rg.fits.problem.Problem((term,), {}, {term.label: target}, state, 1.0, 0, 2.6)
    steps = Steps([problem], {term.label: Shape(term, target, 0.2)}, [{term.label: np.ones(60)}])
    found = steps.system([{term.label: -steps.hats(term.label, x)}])
    error = found.errors([{term.label: target.error}])[term.label]
    one_bin = 0.02 / np.sqrt(0.2 / 0.05)
    assert 0.5 * one_bin < error[20] < 2.0 * one_bin
