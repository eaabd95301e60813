"""Potentials whose force is a B-spline."""

import json
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from regrain import RegrainError
from regrain.particles import (
    BSpline,
    BSplineAngle,
    BSplineBond,
    BSplineDihedral,
    ForceField,
    Particles,
)
from regrain.particles.parameters import law_from_dict
from regrain.particles.spline_force import SplineForce

FORMS: list[SplineForce] = [
    BSpline(r_min=0.3, r_max=1.2, functions=12, degree=3),
    BSpline(r_min=0.3, r_max=1.2, functions=9, degree=0),
    BSplineBond(r_min=0.3, r_max=0.7, functions=9, degree=1),
    BSplineAngle(functions=11, degree=5),
    BSplineDihedral(functions=9, degree=3),
    BSplineDihedral(functions=6, degree=2),
]
NAMES = [f"{type(f).__name__}-{f.degree}" for f in FORMS]
rng = np.random.default_rng(4)


def filled(form: SplineForce) -> SplineForce:
    coefficients = rng.normal(size=form.functions) * 10.0
    return form.with_coefficients(coefficients - coefficients.mean())


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
def test_the_functions_add_up_to_one(form: SplineForce) -> None:
    x = rng.uniform(*form.domain(), 200)
    values = form.basis(x)
    assert values.shape == (200, form.functions)
    np.testing.assert_allclose(values.sum(axis=1), 1.0, atol=1e-14)
    assert np.all(values >= -1e-16)
    assert len(form.knots) == form.functions + form.degree + 1 + (
        form.degree if isinstance(form, BSplineDihedral) else 0
    )


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
def test_energies_are_exact_integrals(form: SplineForce) -> None:
    low, high = form.domain()
    for x in np.concatenate([rng.uniform(low, high, 3), [low, high]]):
        wanted = np.zeros(form.functions)
        ends = np.unique(np.concatenate([[x], form.breaks[form.breaks > x]]))
        gauss, weight = np.polynomial.legendre.leggauss(6)
        for a, b in pairwise(ends):
            points = 0.5 * (a + b) + 0.5 * (b - a) * gauss
            wanted += 0.5 * (b - a) * weight @ form.basis(points)
        np.testing.assert_allclose(form.energy_basis([x])[0], wanted, atol=2e-14)


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
def test_what_runs_is_the_spline(form: SplineForce) -> None:
    potential = filled(form)
    x = rng.uniform(*form.domain(), 2000)
    if form.degree == 0:  # the table spreads the jumps
        width = form.breaks[1] - form.breaks[0]
        x = x[np.abs(x[:, None] - form.breaks).min(axis=1) > width / 64]
    force = form.basis(x) @ potential.coefficients
    energy = form.energy_basis(x) @ potential.coefficients
    scale = np.abs(force).max()
    np.testing.assert_allclose(potential.force(x), force, atol=1e-8 * scale)
    shift = potential.u(x[0]) - energy[0]
    np.testing.assert_allclose(potential.u(x) - shift, energy, atol=1e-8 * scale)
    grid = np.linspace(*form.domain(), 5001)
    if isinstance(form, BSpline):
        assert potential.u(form.r_max) == pytest.approx(0.0, abs=1e-12)
        assert potential.u(form.r_max + 0.1) == potential.force(form.r_max + 0.1) == 0.0
    else:
        assert -1e-6 * scale < potential.u(grid).min() < 1e-4 * scale


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
def test_a_spline_is_its_text_and_its_data(form: SplineForce) -> None:
    assert form.missing == "coefficients"
    assert eval(repr(form)) == form
    potential = filled(form).with_coefficients(np.resize([1.0, -1.0, 0.0], form.functions))
    if isinstance(form, BSplineDihedral):
        assert abs(potential.coefficients.sum()) < 1e-12  # type: ignore[union-attr]
    assert potential.missing is None
    data = json.loads(json.dumps(potential.to_dict()))
    assert law_from_dict(data) == potential
    assert hash(law_from_dict(data)) == hash(potential)
    assert potential != form


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_polynomials_are_in_the_space(degree: int) -> None:
    """Marsden: least squares of a polynomial of the degree returns it everywhere."""
    form = BSpline(r_min=0.2, r_max=1.0, functions=degree + 7, degree=degree)
    polynomial = np.polynomial.Polynomial(rng.normal(size=degree + 1))
    x = np.linspace(0.2, 1.0, 300)
    found = np.linalg.lstsq(form.basis(x), polynomial(x), rcond=None)[0]
    fresh = rng.uniform(0.2, 1.0, 50)
    np.testing.assert_allclose(form.basis(fresh) @ found, polynomial(fresh), atol=1e-12)
    np.testing.assert_allclose(
        form.basis(fresh, order=1) @ found, polynomial.deriv()(fresh), atol=1e-10
    )
    integral = polynomial.integ()
    np.testing.assert_allclose(
        form.energy_basis(fresh) @ found, integral(1.0) - integral(fresh), atol=1e-12
    )


@pytest.mark.parametrize("form", FORMS[:4], ids=NAMES[:4])
def test_outside_the_functions_go_on_linearly(form: SplineForce) -> None:
    low, high = form.domain()
    x = np.array([low - 0.02, low - 0.01, low])
    forces = form.basis(x)
    np.testing.assert_allclose(forces[0] - 2 * forces[1] + forces[2], 0.0, atol=1e-12)
    energies = form.energy_basis(x)
    between = quad(lambda s: float(form.basis([s])[0, 0]), low - 0.02, low)[0]
    assert energies[0, 0] - energies[2, 0] == pytest.approx(between, abs=1e-10)
    beyond = form.basis([high + 0.01])[0]
    if isinstance(form, BSpline):
        assert not beyond.any()
    else:
        slope = form.basis([high], order=1)[0]
        np.testing.assert_allclose(beyond, form.basis([high])[0] + 0.01 * slope, atol=1e-12)


def test_a_core_is_repulsive() -> None:
    """Below r_min the force goes on linearly; where that would not repel, it is made to."""
    rising = BSpline(r_min=0.3, r_max=1.2, functions=5, coefficients=[9.0, 6.0, 2.0, 1.0, 0.0])
    slope = rising.basis([0.3], order=1)[0] @ rising.coefficients
    assert rising.force(0.25) == pytest.approx(9.0 - 0.05 * slope, rel=1e-3)
    falling = BSpline(r_min=0.3, r_max=1.2, functions=5, coefficients=[-9.0, -6.0, 2.0, 1.0, 0.0])
    assert falling.force(0.05) > 0.0


def test_a_dihedral_goes_round() -> None:
    form = BSplineDihedral(functions=12, degree=3)
    potential = filled(form)
    x = np.linspace(-3.0, 3.0, 20)
    np.testing.assert_allclose(form.basis(x), form.basis(x + 2 * np.pi), atol=1e-12)
    assert potential.u(np.pi) == pytest.approx(potential.u(-np.pi), abs=1e-10)
    assert potential.force(np.pi) == pytest.approx(potential.force(-np.pi), abs=1e-7)
    for order in (0, 1, 2):  # the derivatives meet, too
        ends = form.basis([-np.pi, np.pi], order=order) @ potential.coefficients
        assert ends[0] == pytest.approx(ends[1], abs=1e-9)
    # A table of the same function shifted by one interval has its coefficients shifted.
    shifted = form.with_coefficients(np.roll(potential.coefficients, 1))  # type: ignore[arg-type]
    step = 2 * np.pi / 12
    np.testing.assert_allclose(
        shifted.basis(x + step) @ shifted.coefficients,
        form.basis(x) @ potential.coefficients,
        atol=1e-11,
    )


def test_the_engine_runs_it() -> None:
    pair = filled(BSpline(r_min=0.3, r_max=1.2, functions=12))
    field = ForceField({("A", "A"): pair})
    state = Particles([[0, 0, 0], [0.7, 0, 0]], box=[5, 5, 5])
    found = field.evaluate(state)
    assert found.energy == pytest.approx(pair.u(0.7), rel=1e-9)
    assert found.forces[1, 0] == pytest.approx(pair.force(0.7), rel=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BSpline(r_min=0.5, r_max=0.4, functions=8), "r_min must be at least 0 and below"),
        (lambda: BSpline(r_min=0.5, r_max=1.0, functions=3), "need at least 4 functions"),
        (lambda: BSpline(r_min=0.5, r_max=1.0, functions=30, degree=-1), "degree must be 0"),
        (lambda: BSpline(r_min=0.5, r_max=1.0, functions=30, degree=10), "degree must be 0"),
        (lambda: BSpline(r_min=0.5, r_max=1.0, functions=8, core="soft"), "core: got 'soft'"),
        (
            lambda: BSpline(r_min=0.5, r_max=1.0, functions=4, coefficients=[1.0, 2.0]),
            r"coefficients has shape \(2,\), expected \(4,\)",
        ),
        (
            lambda: BSplineAngle(functions=4, coefficients=[1.0, np.nan, 0.0, 0.0]),
            r"coefficients\[1\] of a BSplineAngle is nan",
        ),
        (lambda: BSplineDihedral(functions=4, coefficients=np.ones(4)), "add up to 4"),
        (lambda: BSplineDihedral(functions=3), "functions must be more than the degree"),
        (lambda: BSplineAngle(functions=4).u(1.0), "no coefficients yet"),
        (
            lambda: ForceField({("A", "A"): BSpline(r_min=0.5, r_max=1.0, functions=4)}),
            "it is a form to be fitted; give coefficients",
        ),
    ],
)
def test_bad_input(make: object, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        make()  # type: ignore[operator]
