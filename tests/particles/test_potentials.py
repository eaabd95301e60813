"""Potentials as functions, as text and as data."""

import json
import pickle

import numpy as np
import pytest

from regrain import RegrainError
from regrain.particles import (
    WCA,
    CosineAngle,
    FENEBond,
    FourierDihedral,
    Gaussian,
    HarmonicAngle,
    HarmonicBond,
    HarmonicDihedral,
    LennardJones,
    PeriodicDihedral,
    Potential,
    Soft,
    StillingerWeberPair,
    Table,
    TableAngle,
    TableBond,
    TableDihedral,
    Yukawa,
)
from regrain.particles.parameters import law_from_dict

SHORT: list[Potential] = [
    LennardJones(epsilon=1.1, sigma=0.3, cutoff=0.9, mode="force-shifted"),
    StillingerWeberPair(epsilon=2.0, sigma=0.3),
    WCA(epsilon=1.1, sigma=0.3),
    Yukawa(epsilon=1.1, kappa=2.0, cutoff=0.9, mode="shifted"),
    Gaussian(epsilon=1.1, sigma=0.3, cutoff=0.9),
    Soft(a=25.0, cutoff=0.9),
    Table(r_min=0.5, r_max=1.0, points=4, energy=[3.0, 1.0, 0.25, 0.0]),
    Table(r_min=0.5, r_max=1.0, points=3),
    HarmonicBond(k=3.0, r0=0.1),
    FENEBond(k=30.0, r_max=1.5),
    TableBond(r_min=0.1, r_max=1.0, points=3, energy=[1.0, 0.0, 1.0]),
    HarmonicAngle(k=1.0, theta0=2.0),
    CosineAngle(k=1.0, theta0=2.0),
    TableAngle(points=3, energy=[1.0, 0.0, 1.0]),
    HarmonicDihedral(k=1.0, phi0=0.5),
    PeriodicDihedral(k=1.0, n=2, phi0=0.1),
    FourierDihedral(k=[1.0, 0.5], phi0=[0.1, -2.0]),
    TableDihedral(points=5, energy=[0.0, 1.0, 0.5, 1.0, 0.0]),
]


@pytest.mark.parametrize("potential", SHORT, ids=lambda p: type(p).__name__)
def test_a_potential_is_its_text_and_its_data(potential: Potential) -> None:
    assert eval(repr(potential)) == potential
    assert law_from_dict(potential.to_dict()) == potential
    copy = pickle.loads(pickle.dumps(potential))
    assert copy == potential
    assert hash(copy) == hash(potential)
    assert potential != HarmonicBond(k=9.0, r0=9.0)


@pytest.mark.parametrize("potential", SHORT, ids=lambda p: type(p).__name__)
def test_a_scaled_potential_has_so_much_of_every_energy(potential: Potential) -> None:
    if potential.missing:
        with pytest.raises(RegrainError, match=f"cannot be scaled: it has no {potential.missing}"):
            potential.scaled(2.0)
        return
    low, high = potential.domain()
    x = np.linspace(low, high, 9)[1:-1]
    scaled = potential.scaled(0.75)
    np.testing.assert_allclose(scaled.u(x), 0.75 * potential.u(x), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(scaled.force(x), 0.75 * potential.force(x), rtol=1e-12, atol=1e-12)


def test_numbers_are_plain() -> None:
    table = Table(r_min=np.float32(0.5), r_max=np.float64(1), points=np.int64(3))
    assert repr(table) == "Table(r_min=0.5, r_max=1.0, points=3)"
    assert json.loads(json.dumps(table.to_dict())) == table.to_dict()


def test_long_tables_are_abbreviated() -> None:
    table = Table(r_min=0.1, r_max=1.0, points=1000, energy=np.zeros(1000))
    assert repr(table) == ("Table(r_min=0.1, r_max=1.0, points=1000, energy=[0., 0., ..., 0., 0.])")


def test_lennard_jones_has_its_textbook_values() -> None:
    lj = LennardJones(epsilon=2.0, sigma=0.5, cutoff=1.25)
    minimum = 2 ** (1 / 6) * 0.5
    assert lj.u(0.5) == pytest.approx(0.0, abs=1e-14)
    assert lj.u(minimum) == pytest.approx(-2.0)
    assert lj.force(minimum) == pytest.approx(0.0, abs=1e-12)
    assert lj.u(1.25) == 0.0
    end = lj.u(1.25 - 1e-12)
    shifted = LennardJones(epsilon=2.0, sigma=0.5, cutoff=1.25, mode="shifted")
    assert shifted.u(0.6) == pytest.approx(lj.u(0.6) - end)
    assert shifted.force(0.6) == lj.force(0.6)
    smooth = LennardJones(epsilon=2.0, sigma=0.5, cutoff=1.25, mode="force-shifted")
    assert smooth.u(1.25 - 1e-6) == pytest.approx(0.0, abs=1e-10)
    assert smooth.force(1.25 - 1e-9) == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize(("p", "q", "a"), [(4.0, 0.0, 1.8), (12.0, 6.0, 2.5), (5.0, 0.5, 1.2)])
def test_stillinger_weber_is_its_formula(p: float, q: float, a: float) -> None:
    pair = StillingerWeberPair(epsilon=2.0, sigma=0.3, A=7.0, B=0.6, p=p, q=q, a=a)
    assert pair.cutoff == 0.3 * a
    x = np.linspace(0.5, a - 1e-3, 5000)
    decay = 7.0 * np.exp(1 / (x - a))
    u = decay * (0.6 * x**-p - x**-q)
    slope = decay * (q * x ** (-q - 1) - 0.6 * p * x ** (-p - 1)) - u / (x - a) ** 2
    size = np.maximum(np.abs(slope), 1.0)
    # Of the table that the engine runs.
    assert np.abs(pair.u(0.3 * x) / 2 - u).max() < 1e-8 * np.abs(u).max()
    assert np.abs(-pair.force(0.3 * x) * 0.15 - slope).max() < 1e-7 * size.max()
    near = x > 0.8
    assert np.abs((-pair.force(0.3 * x) * 0.15 - slope)[near]).max() < 1e-8 * size[near].max()
    assert pair.u(0.3 * a) == pair.force(0.3 * a) == 0.0
    with pytest.raises(RegrainError, match="outside of its table"):
        pair.u(0.02)


def test_a_table_is_a_natural_spline() -> None:
    from scipy.interpolate import CubicSpline

    r = np.linspace(0.5, 2.0, 31)
    u = np.sin(3 * r) / r
    table = Table(r_min=0.5, r_max=2.0, points=31, energy=u)
    spline = CubicSpline(r, u, bc_type="natural")
    x = np.linspace(0.5, 1.9999, 500)
    assert np.allclose(table.u(x), spline(x), atol=1e-12)
    assert np.allclose(table.force(x), -spline(x, 1), atol=1e-10)


def test_a_periodic_table_closes_without_a_kink() -> None:
    from scipy.interpolate import CubicSpline

    random = np.random.default_rng(0)
    for points in (4, 5, 37, 361):
        u = random.normal(size=points)
        u[-1] = u[0]
        phi = np.linspace(-np.pi, np.pi, points)
        table = TableDihedral(points=points, energy=u)
        spline = CubicSpline(phi, u, bc_type="periodic")
        x = np.linspace(-np.pi, np.pi, 400)
        assert np.allclose(table.u(x), spline(x), atol=1e-9)
        assert np.allclose(table.force(x), -spline(x, 1), atol=1e-7)


@pytest.mark.parametrize("with_forces", [False, True])
@pytest.mark.parametrize("r_min", [0.4, 0.5, 0.37])
def test_the_core_continues_energy_and_force(r_min: float, with_forces: bool) -> None:
    r = np.linspace(r_min, 1.2, 161)
    u, f = np.exp(-6 * r), 6 * np.exp(-6 * r)
    table = Table(r_min=r_min, r_max=1.2, points=161, energy=u, forces=f if with_forces else None)
    h = 1e-7
    assert table.u(r_min - h) == pytest.approx(table.u(r_min + h), abs=1e-5)
    assert table.force(r_min - h) == pytest.approx(table.force(r_min + h), abs=1e-4)
    inside = np.linspace(0.02, r_min, 50)
    force = table.force(inside)
    assert (force > 0).all()
    assert (np.diff(force) < 0).all()
    # Linear in force: second differences vanish.
    assert np.abs(np.diff(force, 2)).max() < 1e-9
    # The table itself is what it is without a core.
    bare = Table(
        r_min=r_min,
        r_max=1.2,
        points=161,
        energy=u,
        forces=f if with_forces else None,
        core="error",
    )
    x = np.linspace(r_min + 1e-9, 1.1999, 300)
    assert np.allclose(bare.u(x), table.u(x), atol=1e-12)
    with pytest.raises(RegrainError, match="outside of its table"):
        bare.u(r_min - 0.01)


def test_the_core_of_a_table_in_any_unit() -> None:
    r = np.linspace(3.0, 9.0, 61)
    table = Table(r_min=3.0, r_max=9.0, points=61, energy=(r - 9) ** 2)
    assert table.force([3.0, 5.0, 8.5]) == pytest.approx([12.0, 8.0, 1.0], rel=2e-2)
    # A natural spline ends with less curvature than this function has.
    assert 12.5 < table.force(2.0) < 14.1
    assert table.u(2.5) - table.u(3.0) == pytest.approx(0.5 * 12.25, rel=3e-2)


def test_the_core_turns_a_table_that_ends_in_attraction() -> None:
    r = np.linspace(0.5, 1.2, 71)
    table = Table(r_min=0.5, r_max=1.2, points=71, energy=(r - 1.2) ** 2 * (r - 2))
    assert table.force(0.51) < 0
    assert table.force(0.01) > 0


WRONG = [
    (lambda: LennardJones(epsilon=1, sigma=-1, cutoff=2), "sigma must be a positive"),
    (lambda: StillingerWeberPair(epsilon=1, sigma=0), "sigma must be a positive"),
    (lambda: StillingerWeberPair(epsilon=1, sigma=1, B=np.nan), "B must be a finite"),
    (lambda: LennardJones(epsilon=1, sigma=1, cutoff=np.nan), "cutoff must be a positive"),
    (lambda: LennardJones(epsilon=1, sigma=1, cutoff=2, mode="smooth"), 'expected "cut"'),
    (lambda: Table(r_min=2, r_max=1, points=9), "r_min must be"),
    (lambda: Table(r_min=0.1, r_max=1, points=2), "at least 3 points"),
    (lambda: Table(r_min=0.1, r_max=1, points=3, energy=[1, 2]), r"shape \(2,\), expected \(3,\)"),
    (lambda: Table(r_min=0.1, r_max=1, points=3, energy=[1, np.inf, 2]), r"energy\[1\].* is inf"),
    (lambda: Table(r_min=0.1, r_max=1, points=3, forces=[1, 2, 3]), "needs energies"),
    (lambda: Table(r_min=0.1, r_max=1, points=3, core="hard"), 'expected "linear" or "error"'),
    (lambda: Table(r_min=0.1, r_max=1, points=3).u(0.5), "a form to be fitted"),
    (lambda: HarmonicBond(k=-1.0, r0=1.0), "k must be zero or more"),
    (lambda: FENEBond(k=30.0, r_max=1.5).u(1.5), "longer than its limit"),
    (lambda: FENEBond(k=30.0, r_max=0.0), "r_max must be a positive"),
    (lambda: TableBond(r_min=0.5, r_max=1, points=3, energy=[1, 0, 1]).u(0.4), "outside"),
    (lambda: HarmonicAngle(k=1.0, theta0=109.5), "radians from 0"),
    (lambda: HarmonicDihedral(k=1.0, phi0=180.0), "radians from -π"),
    (lambda: PeriodicDihedral(k=1.0, n=0), "whole number of at least 1"),
    (lambda: PeriodicDihedral(k=1.0, n=2.5), "n is 2.5, expected a whole number"),
    (lambda: HarmonicBond(k="stiff", r0=1.0), "k is 'stiff', expected a number"),
    (lambda: TableAngle(points=2), "at least 3 points"),
    (lambda: TableDihedral(points=5, energy=[0, 1, 2, 3, 4]), "same angle"),
    (lambda: LennardJones(epsilon=1, sigma=1, cutoff=2).u(np.nan), "not finite"),
    (lambda: law_from_dict({"potential": "Buckingham"}), "unknown potential"),
    (lambda: law_from_dict({"potential": "FENEBond", "k": 1.0}), "r_max"),
]


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_wrong_potentials_are_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RegrainError, match=message):
        make()


def test_a_potential_is_drawn() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    ax = SHORT[0].plot()
    assert CosineAngle(k=1.0, theta0=2.0).plot(ax) is ax
    assert len(ax.lines) == 2
