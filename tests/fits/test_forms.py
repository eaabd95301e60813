"""Free parameters: derivatives, and what cannot be free."""

import pickle
from typing import Any

import numpy as np
import pytest

import regrain as rg
from regrain.fits import Free
from regrain.fits.forms import parameters_of
from regrain.particles import (
    BSpline,
    BSplineAngle,
    BSplineBond,
    BSplineDihedral,
    CosineAngle,
    FENEBond,
    HarmonicAngle,
    HarmonicBond,
    LennardJones,
    PeriodicDihedral,
    Table,
    TableAngle,
    TableBond,
    TableDihedral,
)

LJ = LennardJones(epsilon=1.3, sigma=0.9, cutoff=2.5, mode="shifted")


def test_derivatives_of_lennard_jones_are_those_of_the_formula() -> None:
    form = Free(LJ, "epsilon", "sigma")
    r = np.linspace(0.75, 2.45, 60)

    def shifted(f: Any) -> np.ndarray:
        return f(r) - f(2.5)

    s6 = lambda x: (0.9 / x) ** 6  # noqa: E731
    by_epsilon = shifted(lambda x: 4 * (s6(x) ** 2 - s6(x)))
    by_sigma = shifted(lambda x: 4 * 1.3 / 0.9 * (12 * s6(x) ** 2 - 6 * s6(x)))
    twice = shifted(lambda x: 4 * 1.3 / 0.81 * (132 * s6(x) ** 2 - 30 * s6(x)))
    force = 4 * 1.3 / 0.9 * (144 * s6(r) ** 2 - 36 * s6(r)) / r
    slopes, bends = form.slopes(form.values, r), form.bends(form.values, r)
    scale = 1 + np.abs(twice)
    assert np.max(np.abs(slopes[:, 0] - by_epsilon) / scale) < 1e-7
    assert np.max(np.abs(slopes[:, 1] - by_sigma) / scale) < 1e-7
    assert np.max(np.abs(bends[:, 0, 0]) / scale) < 1e-7
    assert np.max(np.abs(bends[:, 0, 1] - by_sigma / 1.3) / scale) < 1e-7
    assert np.max(np.abs(bends[:, 1, 1] - twice) / scale) < 1e-7
    found = form.force_slopes(form.values, r)[:, 1]
    assert np.max(np.abs(found - force) / (1 + np.abs(force))) < 1e-7


@pytest.mark.parametrize("theta0", [1.0, np.pi])
def test_derivatives_at_the_end_of_what_a_parameter_may_be(theta0: float) -> None:
    form = Free(CosineAngle(k=3.0, theta0=theta0), "k", "theta0")
    theta = np.linspace(0.2, 3.0, 9)
    off = np.cos(theta) - np.cos(theta0)
    slopes, bends = form.slopes(form.values, theta), form.bends(form.values, theta)
    np.testing.assert_allclose(slopes[:, 0], 0.5 * off**2, atol=1e-9)
    np.testing.assert_allclose(slopes[:, 1], 3.0 * off * np.sin(theta0), atol=1e-9)
    wanted = 3.0 * (np.sin(theta0) ** 2 + off * np.cos(theta0))
    np.testing.assert_allclose(bends[:, 1, 1], wanted, atol=1e-5)


LINEAR = [
    (Table(r_min=0.5, r_max=2.0, points=9), 9),
    (TableBond(r_min=0.5, r_max=2.0, points=9), 9),
    (TableAngle(points=7), 7),
    (TableDihedral(points=9), 9),
    (BSpline(r_min=0.5, r_max=2.0, functions=8), 8),
    (BSpline(r_min=0.5, r_max=2.0, functions=8, degree=1), 8),
    (BSplineBond(r_min=0.5, r_max=2.0, functions=8), 8),
    (BSplineAngle(functions=8), 8),
    (BSplineDihedral(functions=8), 8),
]


@pytest.mark.parametrize(("form", "count"), LINEAR, ids=lambda v: type(v).__name__)
def test_linear_forms_are_the_sum_of_their_slopes(form: Any, count: int) -> None:
    parameters = parameters_of(form)
    assert parameters.linear
    assert len(parameters.names) == count
    rng = np.random.default_rng(3)
    values = rng.normal(size=count)
    if form.kind == "dihedral":
        values = values - values.mean()
        if isinstance(form, TableDihedral):
            values[-1] = values[0]
    low, high = form.domain()
    x = np.linspace(low + 0.03, high - 0.03, 40)
    potential = parameters.with_values(values)
    found, wanted = parameters.slopes(values, x) @ values, potential.u(x)
    if form.kind != "pair":  # up to a constant
        found, wanted = found - found[0], wanted - wanted[0]
    np.testing.assert_allclose(found, wanted, atol=1e-7)
    np.testing.assert_allclose(
        parameters.force_slopes(values, x) @ values, potential.force(x), atol=1e-6
    )
    assert not np.any(parameters.bends(values, x))


def test_what_keeps_its_sign() -> None:
    assert Free(LJ, "epsilon", "sigma").positive.tolist() == [True, True]
    assert Free(HarmonicBond(k=1.0, r0=1.0), "k", "r0").positive.tolist() == [True, True]
    assert Free(HarmonicAngle(k=1.0, theta0=0.1), "k", "theta0").positive.tolist() == [True, False]
    assert Free(PeriodicDihedral(k=1.0, n=2), "k", "phi0").positive.tolist() == [False, False]
    assert Free(FENEBond(k=30.0, r_max=1.5), "r_max").positive.tolist() == [True]


def test_text_equality_and_copies() -> None:
    form = Free(LJ, "epsilon")
    assert eval(repr(form)) == form == pickle.loads(pickle.dumps(form))
    assert form != Free(LJ, "sigma")
    assert len({form, Free(LJ, "epsilon")}) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Free(LJ), "nothing is free; name one or more of epsilon, sigma"),
        (lambda: Free(LJ, "sigm"), "expected one of epsilon, sigma; did you mean 'sigma'"),
        (lambda: Free(LJ, "mode"), "mode of a LennardJones is not a number to be fitted"),
        (lambda: Free(LJ, "cutoff"), "cutoff of a LennardJones is not a number to be fitted"),
        (lambda: Free(LJ, "sigma", "sigma"), "names a parameter twice"),
        (lambda: Free(PeriodicDihedral(k=1.0, n=3), "n"), "n of a PeriodicDihedral is not a num"),
        (lambda: Free(Table(r_min=0, r_max=1, points=9), "r_max"), "it has none"),
        (
            lambda: Free("LennardJones", "sigma"),
            "give a potential of pairs, bonds, angles or dihedrals",
        ),  # type: ignore[arg-type]
        (lambda: Free(HarmonicBond(k=0.0, r0=1.0), "k"), "k starts at zero and cannot leave it"),
    ],
)
def test_what_cannot_be_free(make: Any, message: str) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        make()


@pytest.mark.parametrize("form", [Free(LJ, "sigma"), BSpline(r_min=0.5, r_max=2.0, functions=9)])
@pytest.mark.parametrize("method", [rg.fits.BoltzmannInversion, rg.fits.IBI, rg.fits.HNCGN])
def test_methods_that_fit_tables_say_so(method: Any, form: Any, gas: Any) -> None:
    fit = method(pairs={("A", "A"): form}, temperature=1.0)
    with pytest.raises(rg.RegrainError, match=f"{method.__name__} fits tables, pair A-A is"):
        fit(gas)
