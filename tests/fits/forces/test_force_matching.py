"""Force matching of particles whose forces are known."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import regrain as rg
from regrain import _core
from regrain.fits import ForceMatching
from regrain.particles import (
    BSpline,
    BSplineAngle,
    BSplineBond,
    BSplineDihedral,
    BSplineTriple,
    CosineAngle,
    Distance,
    Ewald,
    Field,
    ForceField,
    HarmonicBond,
    LennardJones,
    Particles,
    PeriodicDihedral,
    ReactionField,
    Restraint,
    StillingerWeber,
    Table,
    TableAngle,
    TableBond,
    TableDihedral,
    TableTriple,
    Topology,
)
from tests.fits.forces.matching_systems import LJ, exact_forces, forced, gas, liquid, trace

AA = ("A", "A")


@pytest.fixture(scope="module")
def lennard_jones() -> rg.Trace[Particles]:
    return liquid(ForceField({AA: LJ}, temperature=1.0))


def worst(result: Any, truth: Any, label: str, x: np.ndarray) -> float:
    """Largest error of the force over the largest force."""
    wanted = truth.force(x)
    return float(np.abs(result.force(label, x).value - wanted).max() / np.abs(wanted).max())


# ---------------------------------------------------------------------- pairs


@pytest.mark.parametrize(("degree", "bound"), [(5, 1e-5), (3, 1e-4)])
def test_lennard_jones_is_returned(
    lennard_jones: rg.Trace[Particles], degree: int, bound: float
) -> None:
    form = BSpline(r_min=0.88, r_max=2.5, functions=60, degree=degree)
    result = ForceMatching(pairs={AA: form}, temperature=1.0)(lennard_jones)
    x = np.linspace(0.92, 2.4999, 2000)
    assert worst(result, LJ, "pair A-A", x) < bound
    assert result.residual["relative"].value < 1e-8
    shifted = LJ.u(x) - LJ.u(2.4999999)
    energy = result.energy(x=x).value
    np.testing.assert_allclose(energy, shifted, atol=1e-4 * np.abs(shifted).max())
    np.testing.assert_allclose(result.model.pairs[AA].u(x), energy, atol=1e-7)
    assert result.model.temperature == 1.0


@pytest.mark.parametrize(("degree", "order"), [(0, 1), (1, 2)])
def test_bins_and_hats_converge_as_they_must(
    lennard_jones: rg.Trace[Particles], degree: int, order: int
) -> None:
    """The error of splines of a degree goes as the spacing to the power degree + 1."""
    x = np.linspace(0.95, 2.4999, 2000)
    errors = []
    for intervals in (40, 80):
        form = BSpline(r_min=0.88, r_max=2.5, functions=intervals + degree, degree=degree)
        result = ForceMatching(pairs={AA: form})(lennard_jones)
        difference = result.force(x=x).value - LJ.force(x)
        errors.append(np.sqrt(np.mean(difference**2)))
    assert errors[0] / errors[1] == pytest.approx(2.0**order, rel=0.2)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4, 5, 7])
def test_a_force_in_the_space_is_returned_to_the_last_digits(degree: int) -> None:
    form = BSpline(r_min=0.0, r_max=1.5, functions=12, degree=degree)
    truth = np.random.default_rng(degree).normal(size=12)
    states = [s.replace(forces=exact_forces(s, form, truth)) for s in gas(8)]
    result = ForceMatching(pairs={AA: form})(trace(states))
    # Functions of high degree that end at r = 0 are hardly met there.
    np.testing.assert_allclose(result.coefficients["pair A-A"], truth, atol=1e-9)
    np.testing.assert_allclose(result.coefficients["pair A-A"][3:], truth[3:], atol=2e-12)


def test_a_table_is_a_natural_spline_of_the_force() -> None:
    """What csg_fmatch fits; here by a dense design of SciPy's natural splines."""
    form = Table(r_min=0.1, r_max=1.5, points=15)
    rng = np.random.default_rng(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some pairs are closer than r_min
        states = [s.replace(forces=rng.normal(size=(60, 3))) for s in gas(30)]
        result = ForceMatching(pairs={AA: form})(trace(states))
    cardinal = CubicSpline(form.grid, np.eye(15), bc_type="natural")
    rows = []
    for s in states:
        i, _, _, d = _core.neighbor_list(
            s.positions, s.box, 1.5, False, np.empty((0, 2), dtype=np.int32)
        )
        r = np.linalg.norm(d, axis=1)
        line = cardinal(form.grid[:1]) + (r[:, None] - 0.1) * cardinal(form.grid[:1], 1)
        values = np.where(r[:, None] < 0.1, line, cardinal(r))
        block = np.zeros((60, 3, 15))
        np.add.at(block, i, -values[:, None, :] * (d / r[:, None])[:, :, None])
        rows.append(block.reshape(180, 15))
    wanted = np.linalg.lstsq(
        np.concatenate(rows), np.concatenate([s.forces.ravel() for s in states]), rcond=None
    )[0]
    np.testing.assert_allclose(result.coefficients["pair A-A"], wanted, atol=1e-11)
    model = result.model.pairs[AA]
    x = rng.uniform(0.1, 1.5, 200)
    np.testing.assert_allclose(model.force(x), cardinal(x) @ wanted, atol=1e-6)


def test_a_binary_mixture_and_known_interactions() -> None:
    pairs = {
        AA: LJ,
        ("A", "B"): LennardJones(epsilon=1.5, sigma=0.9, cutoff=2.2),
        ("B", "B"): LennardJones(epsilon=0.5, sigma=0.95, cutoff=2.0),
    }
    mixed = Topology(["A", "A", "A", "B"] * 64)
    target = liquid(ForceField(pairs, temperature=1.2), mixed)
    forms = {
        AA: BSpline(r_min=0.88, r_max=2.5, functions=60, degree=5),
        ("B", "A"): BSpline(r_min=0.78, r_max=2.2, functions=60, degree=5),
        ("B", "B"): BSpline(r_min=0.8, r_max=2.0, functions=50, degree=5),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cores that nobody enters
        result = ForceMatching(pairs=forms)(target)
        partly = ForceMatching(pairs={**forms, AA: LJ})(target)
    for label, types, low in (
        ("pair A-A", AA, 0.93), ("pair A-B", ("A", "B"), 0.83), ("pair B-B", ("B", "B"), 0.92)
    ):  # fmt: skip
        x = np.linspace(low, pairs[types].cutoff - 1e-4, 1000)
        assert worst(result, pairs[types], label, x) < 1e-4
        if types != AA:
            assert worst(partly, pairs[types], label, x) < 1e-4
    assert partly.model.pairs[AA] == LJ
    assert list(partly.coefficients) == ["pair A-B", "pair B-B"]
    state = target[0]
    np.testing.assert_allclose(
        result.model.evaluate(state).forces, state.forces, atol=1e-4 * np.abs(state.forces).max()
    )


@pytest.mark.parametrize(
    "charges", [ReactionField(cutoff=1.8, permittivity=80.0), Ewald(cutoff=1.8)]
)
def test_charges_are_known(charges: Any) -> None:
    form = BSpline(r_min=0.0, r_max=1.5, functions=9, degree=2)
    truth = form.with_coefficients(np.linspace(3.0, 0.0, 9))
    salt = Topology(["A"] * 60, charges=[1.0, -1.0] * 30)
    field = ForceField({AA: truth}, charges=charges)
    target = forced(field, trace([s.replace(topology=salt) for s in gas(10)]))
    result = ForceMatching(pairs={AA: form}, charges=charges)(target)
    np.testing.assert_allclose(result.coefficients["pair A-A"], truth.coefficients, atol=1e-11)
    assert result.model.charges == charges
    without = ForceMatching(pairs={AA: form})(target)
    assert without.residual["relative"].value > 0.01


def test_fields_and_biases_are_known() -> None:
    form = BSpline(r_min=0.0, r_max=1.5, functions=9, degree=2)
    truth = form.with_coefficients(np.linspace(3.0, 0.0, 9))
    outside: dict[str, Any] = {
        "external": {"A": Field("3*sin(2*pi*x/6)"), "*": Field(force=("1", "0", "0"))},
        "biases": [Restraint(Distance(a=0, b=1), center=1.0, k=2.0)],
    }
    target = forced(ForceField({AA: truth}, **outside), trace(gas(10)))
    result = ForceMatching(pairs={AA: form}, **outside)(target)
    np.testing.assert_allclose(result.coefficients["pair A-A"], truth.coefficients, atol=1e-11)
    assert result.model == ForceField({AA: truth}, **outside).replace(pairs=result.model.pairs)
    without = ForceMatching(pairs={AA: form})(target)
    assert without.residual["relative"].value > 0.01


def test_forms_that_are_not_linear_are_refused() -> None:
    form = rg.fits.Free(LJ, "epsilon")
    with pytest.raises(rg.RegrainError, match=r"pair A-A: Free\(.* is not linear in its param"):
        ForceMatching(pairs={AA: form})(trace(gas(3)))


# ---------------------------------------------------------------------- bonded

BOND, ANGLE, TWIST = (
    HarmonicBond(k=200.0, r0=1.0),
    CosineAngle(k=25.0, theta0=2.0),
    PeriodicDihedral(k=1.5, n=2, phi0=0.3),
)
SOFT = BSpline(
    r_min=0.0, r_max=1.6, functions=9, degree=2, coefficients=[6, 5, 4, 3, 1, 0, 0, 0, 0]
)


@pytest.fixture(scope="module")
def chains(chains: Callable[[int], Any]) -> rg.Trace[Particles]:
    """Soft chains A-B-A-B with bonds, angles and dihedrals."""
    field = ForceField(
        dict.fromkeys((AA, ("A", "B"), ("B", "B")), SOFT),
        bonds={("A", "B"): BOND},
        angles={("A", "B", "A"): ANGLE, ("A", "B", "B"): None, ("B", "A", "B"): ANGLE},
        dihedrals={("A", "B", "A", "B"): TWIST},
    )
    packed = chains(30).map(lambda s: s.replace(box=[7.0] * 3))
    return forced(field, packed)


@pytest.mark.parametrize("kind", ["splines", "tables"])
def test_chains(chains: rg.Trace[Particles], kind: str) -> None:
    splines = kind == "splines"
    pair = BSpline(r_min=0.0, r_max=1.6, functions=9, degree=2)
    fit = ForceMatching(
        pairs=dict.fromkeys((AA, ("A", "B"), ("B", "B")), pair),
        bonds={
            ("B", "A"): BSplineBond(r_min=0.7, r_max=1.3, functions=5)
            if splines
            else TableBond(r_min=0.7, r_max=1.3, points=7)
        },
        angles={
            ("A", "B", "A"): BSplineAngle(functions=26, degree=5)
            if splines
            else TableAngle(points=40),
            ("B", "A", "B"): ANGLE,
        },
        dihedrals={
            ("A", "B", "A", "B"): BSplineDihedral(functions=40, degree=5)
            if splines
            else TableDihedral(points=60)
        },
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # angles that no chain has
        result = fit(chains)
    bound = 1e-4 if splines else 2e-3
    assert worst(result, BOND, "bond A-B", np.linspace(0.8, 1.2, 100)) < bound
    assert worst(result, ANGLE, "angle A-B-A", np.linspace(1.5, 2.5, 100)) < bound
    assert worst(result, TWIST, "dihedral A-B-A-B", np.linspace(-np.pi, np.pi, 100)) < bound
    assert worst(result, SOFT, "pair A-A", np.linspace(0.5, 1.6, 100)) < 10 * bound
    values = result.force("dihedral A-B-A-B", np.linspace(-np.pi, np.pi, 2001)[:-1]).value
    assert abs(values.mean()) < 1e-10 * np.abs(values).max()  # no work in a turn
    potentials = result.potentials[0]
    for label, truth, x in (
        ("bond A-B", BOND, np.linspace(0.85, 1.15, 50)),
        ("angle A-B-A", ANGLE, np.linspace(1.6, 2.4, 50)),
        ("dihedral A-B-A-B", TWIST, np.linspace(-np.pi, np.pi, 50)),
    ):
        wanted = truth.u(x)
        found = potentials[label].u(x)
        np.testing.assert_allclose(
            found - found.min(), wanted - wanted.min(), atol=5 * bound * np.ptp(wanted)
        )
        assert (
            isinstance(potentials[label], BSplineBond | BSplineAngle | BSplineDihedral) == splines
        )


# ---------------------------------------------------------------------- triples


@pytest.fixture(scope="module")
def bent() -> rg.Trace[Particles]:
    """Particles with two- and three-body forces."""
    field = ForceField(
        {AA: SOFT},
        triples={("A", "A", "A"): StillingerWeber(epsilon=4.0, theta0=1.9, r_max=1.4, decay=0.8)},
    )
    return forced(field, trace(gas(12)))


@pytest.mark.parametrize(
    "form",
    [
        BSplineTriple(functions=20, degree=5, r_max=1.4, decay=0.8),
        TableTriple(points=40, r_max=1.4, decay=0.8),
    ],
)
def test_triples(bent: rg.Trace[Particles], form: Any) -> None:
    pair = BSpline(r_min=0.0, r_max=1.6, functions=9, degree=2)
    result = ForceMatching(pairs={AA: pair}, triples={("A", "A", "A"): form})(bent)
    theta = np.linspace(0.3, 3.1, 100)
    wanted = 4.0 * (np.cos(theta) - np.cos(1.9)) ** 2
    bound = 1e-4 if isinstance(form, BSplineTriple) else 3e-3
    found = result.force("triple A-A-A", theta).value
    np.testing.assert_allclose(found, wanted, atol=bound * wanted.max())
    np.testing.assert_allclose(
        result.model.triples[("A", "A", "A")].f(theta), found, atol=1e-7 * wanted.max()
    )
    assert worst(result, SOFT, "pair A-A", np.linspace(0.3, 1.6, 100)) < 10 * bound


def test_triples_of_unlike_arms() -> None:
    """Water-like O-H-X triples with arms of two lengths, named from either end."""
    truth = StillingerWeber(epsilon=3.0, theta0=1.2, r_max=(1.4, 1.1), decay=(0.8, 0.5))
    names = Topology(["A", "B", "C"] * 20)
    none = dict.fromkeys([("A", "A"), ("A", "B"), ("A", "C"), ("B", "B"), ("B", "C"), ("C", "C")])
    field = ForceField(none, triples={("A", "B", "C"): truth})
    target = forced(field, trace([s.replace(topology=names) for s in gas(12)]))
    form = BSplineTriple(functions=12, degree=5, r_max=(1.1, 1.4), decay=(0.5, 0.8))
    result = ForceMatching(pairs=none, triples={("C", "B", "A"): form})(target)
    theta = np.linspace(0.4, 2.9, 50)
    wanted = 3.0 * (np.cos(theta) - np.cos(1.2)) ** 2
    found = result.force("triple A-B-C", theta).value
    np.testing.assert_allclose(found, wanted, atol=2e-3 * wanted.max())


def test_pairs_cannot_stand_for_triples(bent: rg.Trace[Particles]) -> None:
    pair = BSpline(r_min=0.3, r_max=1.6, functions=16)
    with pytest.warns(UserWarning, match="shorter than the form"):
        two_body = ForceMatching(pairs={AA: pair})(bent)
    pair = BSpline(r_min=0.0, r_max=1.6, functions=9, degree=2)
    both = ForceMatching(
        pairs={AA: pair},
        triples={("A", "A", "A"): BSplineTriple(functions=20, degree=5, r_max=1.4, decay=0.8)},
    )(bent)
    assert two_body.residual["relative"].value > 0.1
    assert both.residual["relative"].value < 1e-5


# ---------------------------------------------------------------------- as every fit


def test_a_report_takes_the_result(bent: rg.Trace[Particles], tmp_path: Path) -> None:
    fit = ForceMatching(
        pairs={AA: BSpline(r_min=0.0, r_max=1.6, functions=9, degree=2)},
        triples={("A", "A", "A"): BSplineTriple(functions=20, degree=5, r_max=1.4, decay=0.8)},
    )
    result = fit(bent)
    report = rg.compare(bent, bent, [rg.observables.RDF(r_max=1.9)], fit=result)
    page = tmp_path / "report.html"
    report.save(page)
    assert "least squares are solved" in page.read_text()
    assert "triple A-A-A" in str(result)


def test_the_result_draws_and_prints(lennard_jones: rg.Trace[Particles]) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    form = BSpline(r_min=0.88, r_max=2.5, functions=40)
    result = ForceMatching(pairs={AA: form}, temperature=1.0)(lennard_jones)
    ax = result.plot(label="pair A-A")
    assert ax.get_xlabel() == "r"
    assert ax.get_ylabel() == "force"
    assert len(ax.collections) == 1  # the band of the errors
    text = str(result)
    assert "pair A-A             40       40" in text
    assert "20 frames in 20 blocks" in text
    with pytest.raises(rg.RegrainError, match="there is no 'pair B-B' in this fit; it has pair A"):
        result.force("pair B-B")
    field = result.model
    assert ForceField.from_dict(field.to_dict()) == field
    state = lennard_jones[0]
    moved = field.run(state, time=0.1, dt=0.002, every=0.1)
    assert np.all(np.isfinite(moved[0].positions))
