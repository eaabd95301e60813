"""Relative entropy from histograms: exact where one coordinate is all there is."""

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

import regrain as rg
from regrain.fits import Free
from regrain.fits.forms import parameters_of
from regrain.fits.relative_entropy.divergence import Comparison, Counts, Divergence
from regrain.fits.relative_entropy.space import Space, Unknown
from regrain.particles import HarmonicAngle, HarmonicBond, TableBond

EDGES = np.linspace(0.0, 3.0, 601)
X = 0.5 * (EDGES[1:] + EDGES[:-1])
FORM = Free(HarmonicBond(k=30.0, r0=1.0), "k", "r0")
LABEL = "bond A-A"


def bonds(
    rng: np.random.Generator, k: float, r0: float, *, frames: int = 200, each: int = 20
) -> Counts:
    """Exact samples of r² exp(-k/2 (r - r0)²)."""
    density = X**2 * np.exp(-0.5 * k * (X - r0) ** 2)
    return Counts(rng.multinomial(each, density / density.sum(), size=frames), np.ones(frames))


def divergence(target: Counts, run: Counts, values: Any, form: Any = FORM) -> Divergence:
    space = Space([Unknown(LABEL, "bond", parameters_of(form), X)])
    return Divergence(space, {LABEL: np.asarray(values, float)}, [Comparison(1.0, target, run, 20)])


def test_gradient_and_hessian_are_those_of_the_value() -> None:
    """Also away from the parameters that ran, where frames are reweighted."""
    rng = np.random.default_rng(1)
    whole = divergence(bonds(rng, 33.0, 1.02), bonds(rng, 30.0, 1.0), [30.0, 1.0])
    for moved in ([0.0, 0.0], [0.1, 0.01]):
        theta, step = whole.start.theta + moved, 1e-4
        point = whole.at(theta)
        rows = []
        for k in range(2):
            ends = [whole.at(theta + sign * step * np.eye(2)[k]) for sign in (1, -1)]
            slope = (ends[0].value - ends[1].value) / (2 * step)
            assert point.gradient[k] == pytest.approx(slope, rel=1e-5, abs=1e-5)
            rows.append((ends[0].gradient - ends[1].gradient) / (2 * step))
        wanted = 0.5 * (np.array(rows) + np.array(rows).T)
        np.testing.assert_allclose(np.linalg.inv(point._inverse), wanted, rtol=1e-3, atol=1e-2)


def solved(target: Counts, rng: np.random.Generator) -> Any:
    values = FORM.values
    for _ in range(10):
        descent = divergence(target, bonds(rng, *values), values).minimum(share=0.3)
        values = descent.point.potentials[LABEL]
        if descent.end == "minimum" and descent.point.share > 0.8:
            return descent.point
    raise AssertionError("no minimum in ten runs")


def likeliest(r: np.ndarray) -> np.ndarray:
    """Parameters of the greatest likelihood of r² exp(-k/2 (r - r0)²), by quadrature."""

    def loss(p: np.ndarray) -> float:
        k, r0 = np.exp(p)
        norm = quad(lambda x: x**2 * np.exp(-0.5 * k * (x - r0) ** 2), 0.0, 3.0, points=[r0])[0]
        return float(0.5 * k * np.mean((r - r0) ** 2) + np.log(norm))

    found = minimize(loss, np.log([30.0, 1.0]), method="Nelder-Mead",
                     options={"xatol": 1e-7, "fatol": 1e-12, "maxiter": 2000})  # fmt: skip
    return np.asarray(found.x)


def test_the_minimum_is_the_maximum_of_the_likelihood() -> None:
    rng = np.random.default_rng(2)
    target = bonds(rng, 40.0, 1.1)
    exact = likeliest(np.repeat(X, target.rows.sum(axis=0).astype(int)))
    # A long run makes its own noise small: its share of the error bar is then all that is left.
    run = bonds(rng, 40.0, 1.1, frames=20_000)
    point = divergence(target, run, [40.0, 1.1]).minimum(share=0.3).point
    own = np.sqrt(point._influence(point._inverse) / 101)  # target and run are as 100 to 1
    assert np.all(np.abs(point.theta - exact) < 4 * own)
    assert np.all(own < 0.2 * point.errors())


def test_errors_of_parameters_cover() -> None:
    """From 30 % off, each run drawn anew with the parameters of the last, 200 times."""
    truth, off = np.log([40.0, 1.1]), []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        point = solved(bonds(rng, 40.0, 1.1, frames=100), rng)
        off.append((point.theta - truth) / point.errors())
    within = np.mean(np.abs(off) < 1.96, axis=0)
    assert np.all((within >= 0.90) & (within <= 0.985)), within
    assert np.all(np.abs(np.mean(off, axis=0)) < 4 / np.sqrt(200))


def test_bins_move_parameters_less_than_noise_does() -> None:
    """The same samples in bins four times as wide: an eighth of the width of the distribution."""
    rng = np.random.default_rng(5)
    target, run = bonds(rng, 40.0, 1.1), bonds(rng, 38.0, 1.09)
    fine = divergence(target, run, [38.0, 1.09]).minimum(share=0.3).point
    wide = [Counts(c.rows.reshape(len(c.rows), -1, 4).sum(axis=2), c.weights)
            for c in (target, run)]  # fmt: skip
    space = Space([Unknown(LABEL, "bond", FORM, X.reshape(-1, 4).mean(axis=1))])
    start = {LABEL: np.array([38.0, 1.09])}
    coarse = Divergence(space, start, [Comparison(1.0, *wide, 20)]).minimum(share=0.3).point
    assert np.all(np.abs(coarse.theta - fine.theta) < 0.1 * fine.errors())


def test_a_table_finds_the_potential_of_mean_force() -> None:
    """One coordinate alone: the minimum is −ln of its distribution, without its Jacobian."""
    rng = np.random.default_rng(3)
    form = TableBond(r_min=0.7, r_max=1.5, points=9)
    target = bonds(rng, 40.0, 1.1, frames=500, each=100)
    seen = (X > 0.7) & (X < 1.5)
    target = Counts(target.rows * seen, target.weights)
    spread = lambda u: np.exp(-np.interp(X, form.grid, u)) * X**2 * seen  # noqa: E731
    values = np.zeros(9)
    for _ in range(8):
        density = spread(values)
        run = Counts(rng.multinomial(100, density / density.sum(), size=500), np.ones(500))
        whole = divergence(target, run, values, form)
        descent = whole.minimum(share=0.3)
        values = descent.point.potentials[LABEL]
    # The natural spline itself is not what was drawn from; at the nodes of a smooth well it is.
    wanted = 20.0 * (form.grid - 1.1) ** 2
    inner = slice(2, 7)
    np.testing.assert_allclose((values - values[4])[inner], (wanted - wanted[4])[inner], atol=0.12)


def test_two_states_share_the_parameters() -> None:
    """Targets at two temperatures determine one spring, better than either."""
    rng = np.random.default_rng(8)
    cold, hot = bonds(rng, 80.0, 1.1), bonds(rng, 20.0, 1.1)  # k = 40 at β = 2 and 1/2
    runs = bonds(rng, 78.0, 1.1), bonds(rng, 19.5, 1.1)
    states = [Comparison(2.0, cold, runs[0], 20), Comparison(0.5, hot, runs[1], 20)]
    space, start = Space([Unknown(LABEL, "bond", FORM, X)]), {LABEL: np.array([39.0, 1.1])}
    both = Divergence(space, start, states).minimum(share=0.3).point
    alone = [Divergence(space, start, [s]).minimum(share=0.3).point for s in states]
    assert np.all(np.abs(both.theta - np.log([40.0, 1.1])) < 4 * both.errors())
    for one in alone:
        assert np.all(both.errors() < one.errors())


def test_parameters_that_nothing_depends_on_are_named() -> None:
    angle = Free(HarmonicAngle(k=1e-300, theta0=1.0), "theta0")
    counts = bonds(np.random.default_rng(1), 40.0, 1.1)
    with pytest.raises(rg.RegrainError, match="theta0 of bond A-A: no sample"):
        divergence(counts, counts, [1.0], angle)


def test_a_target_that_nothing_overlaps_with_is_walked_to() -> None:
    """From k = 3000 around 0.6 to 40 around 1.1: steps held back, then reweighting takes over."""
    rng = np.random.default_rng(7)
    target, values, ends = bonds(rng, 40.0, 1.1), np.array([3000.0, 0.6]), []
    for _ in range(40):
        descent = divergence(target, bonds(rng, *values), values).minimum(share=0.3)
        assert np.all(np.abs(np.log(descent.point.potentials[LABEL] / values)) < 3.0)
        values = descent.point.potentials[LABEL]
        ends.append(descent.end)
        if descent.end == "minimum":
            break
    assert ends[0] == "leap"
    assert ends[-1] == "minimum"
    np.testing.assert_allclose(values, [40.0, 1.1], rtol=0.1)
