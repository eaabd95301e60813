"""Triples against a plain sum over all of them, their gradients, and published numbers."""

import itertools
import json
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from scipy.interpolate import BSpline, CubicSpline

from regrain import RegrainError, _core
from regrain.particles import (
    NVE,
    BSplineTriple,
    ForceField,
    HarmonicBond,
    LennardJones,
    Particles,
    StillingerWeber,
    TableTriple,
    Topology,
    TriplePotential,
)
from regrain.particles.parameters import law_from_dict

SKEWED = np.array([[3.4, 0.0, 0.0], [1.1, 3.1, 0.0], [-1.2, 0.9, 3.3]])
TINY = np.array([[1.3, 0.0, 0.0], [0.4, 1.2, 0.0], [-0.5, 0.3, 1.4]])
THETA = np.linspace(0.0, np.pi, 41)
WAVES = 2.0 * np.cos(3 * THETA) + 0.5 * np.cos(THETA)
ONE = {("A", "A", "A"): StillingerWeber(epsilon=3.0, theta0=1.9, r_max=1.5, decay=0.8)}
HEIGHTS = np.random.default_rng(6).normal(size=13)
SPLINE = {("A", "A", "A"): BSplineTriple(functions=13, r_max=1.5, decay=0.8, coefficients=HEIGHTS)}
TABLE = {("A", "A", "A"): TableTriple(points=41, r_max=1.5, decay=0.8, energy=WAVES)}
# Arms of several lengths at one centre, one type in two roles, types without triples.
MANY: dict[tuple[str, ...], TriplePotential | None] = {
    ("A", "A", "A"): StillingerWeber(epsilon=3.0, theta0=1.9, r_max=1.5, decay=0.8),
    ("B", "A", "A"): StillingerWeber(epsilon=-2.0, theta0=1.0, r_max=(1.1, 1.4), decay=(0.5, 0.3)),
    ("B", "A", "B"): TableTriple(points=41, r_max=1.3, decay=0.4, energy=WAVES),
    ("A", "B", "C"): TableTriple(points=41, r_max=(1.2, 0.9), decay=(1.0, 0.2), energy=-WAVES),
    ("C", "C", "C"): None,
}


def angular(potential: TriplePotential) -> Callable[[float], tuple[float, float]]:
    """f(θ) and its derivative, from the definition."""
    if isinstance(potential, StillingerWeber):
        e, c0 = potential.epsilon, np.cos(potential.theta0)
        return lambda t: (e * (np.cos(t) - c0) ** 2, -2 * e * (np.cos(t) - c0) * np.sin(t))
    if isinstance(potential, BSplineTriple):
        f = BSpline(potential.knots, potential.coefficients, potential.degree)
        return lambda t: (float(f(t)), float(f(t, 1)))
    assert isinstance(potential, TableTriple)
    spline = CubicSpline(potential.grid, potential.energy, bc_type="natural")
    return lambda t: (float(spline(t)), float(spline(t, 1)))


def arm(r: float, r_max: float, decay: float) -> tuple[float, float]:
    phi = np.exp(decay / (r - r_max)) if r < r_max else 0.0
    return phi, (-decay / (r - r_max) ** 2 * phi if r < r_max else 0.0)


def plain_sum(
    state: Particles, terms: Mapping[tuple[str, ...], TriplePotential | None]
) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy, forces and virial from all triples one by one, ends in all images."""
    named = {}
    for key, p in terms.items():
        if p is not None:
            r_max = p.r_max if isinstance(p.r_max, tuple) else (p.r_max, p.r_max)
            decay = p.decay if isinstance(p.decay, tuple) else (p.decay, p.decay)
            arms = list(zip(r_max, decay, strict=True))
            named[key] = (angular(p), arms)
            named[key[::-1]] = (angular(p), arms[::-1])
    types = state.topology.types
    shifts = np.stack(np.meshgrid(*3 * [np.arange(-3, 4)]), -1).reshape(-1, 3) @ state.box
    inside = np.linalg.solve(state.box.T, state.positions.T).T % 1.0 @ state.box
    energy, forces, virial = 0.0, np.zeros((len(state), 3)), np.zeros((3, 3))
    for i in range(len(state)):
        d = inside[:, None] + shifts - inside[i]
        r = np.linalg.norm(d, axis=-1)
        near = [(j, d[j, s], r[j, s]) for j, s in np.argwhere((r < 1.5) & (r > 0))]
        for (j, dj, rj), (k, dk, rk) in itertools.combinations(near, 2):
            found = named.get((types[j], types[i], types[k]))
            if found is None:
                continue
            f, arms = found
            (pj, gj), (pk, gk) = arm(rj, *arms[0]), arm(rk, *arms[1])
            cosine = dj @ dk / (rj * rk)
            sine = np.linalg.norm(np.cross(dj, dk)) / (rj * rk)
            value, slope = f(float(np.arctan2(sine, cosine)))
            energy += value * pj * pk
            by_cosine = -slope / sine * pj * pk if sine > 1e-14 else 0.0
            fj = -value * gj * pk * dj / rj - by_cosine * (dk / rk - cosine * dj / rj) / rj
            fk = -value * pj * gk * dk / rk - by_cosine * (dj / rj - cosine * dk / rk) / rk
            forces[j] += fj
            forces[k] += fk
            forces[i] -= fj + fk
            virial += np.outer(dj, fj) + np.outer(dk, fk)
    return energy, forces, virial


def field_of(terms: Mapping[tuple[str, ...], TriplePotential | None]) -> ForceField:
    names = sorted({name for key in terms for name in key})
    pairs = dict.fromkeys(itertools.combinations_with_replacement(names, 2))
    return ForceField(pairs, triples=terms)


def scattered(seed: int, n: int, box: np.ndarray, types: str) -> Particles:
    """Random particles, wrapped or not, that are not too close to each other or to an image."""
    random = np.random.default_rng(seed)
    shifts = np.stack(np.meshgrid(*3 * [np.arange(-1, 2)]), -1).reshape(-1, 3) @ box
    places: list[np.ndarray] = []
    while len(places) < n:
        r = random.random(3) @ box
        if all(np.linalg.norm(r - p + shifts, axis=1).min() > 0.35 for p in places):
            places.append(r)
    moved = np.array(places) + random.integers(-2, 3, size=(n, 3)) @ box
    names = [types[k % len(types)] for k in range(n)]
    return Particles(moved, box=box, topology=Topology(names))


@pytest.mark.parametrize(
    ("terms", "types"),
    [(ONE, "A"), (TABLE, "A"), (SPLINE, "A"), (MANY, "ABC")],
    ids=["one", "table", "spline", "many"],
)
@pytest.mark.parametrize(
    ("box", "n"), [(np.diag([4.0, 3.5, 3.1]), 40), (SKEWED, 30), (TINY, 4)], ids=str
)
def test_it_is_the_sum_of_all_triples(terms, types: str, box: np.ndarray, n: int) -> None:  # type: ignore[no-untyped-def]
    state = scattered(1, n, box, types)
    found = field_of(terms).evaluate(state)
    energy, forces, virial = plain_sum(state, terms)
    size = np.abs(forces).max()
    assert size > 0.1
    assert found.energy == found.terms["triple"] == pytest.approx(energy, rel=1e-11)
    assert np.abs(found.forces - forces).max() < 1e-10 * size
    assert np.abs(found.virial - virial).max() < 1e-10 * np.abs(virial).max()


def derivative(f: Callable[[float], float], h: float = 2e-4) -> float:
    """Five-point central difference at 0, error h^4."""
    return float((8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h))


@pytest.mark.parametrize("terms", [ONE, TABLE, MANY], ids=["one", "table", "many"])
def test_forces_and_virial_are_derivatives(terms) -> None:  # type: ignore[no-untyped-def]
    field, state = field_of(terms), scattered(2, 24, SKEWED, "ABC" if terms is MANY else "A")
    found = field.evaluate(state)

    def moved(i: int, k: int, x: float) -> float:
        positions = state.positions.copy()
        positions[i, k] += x
        return field.evaluate(state.replace(positions=positions)).energy

    def strained(a: int, b: int, x: float) -> float:
        # r' = r + x r_a e_b, so that dU/dx = -W_ab; only strains that keep the box triangular.
        strain = np.eye(3)
        strain[a, b] += x
        return field.evaluate(
            state.replace(positions=state.positions @ strain, box=state.box @ strain)
        ).energy

    size = np.abs(found.forces).max()
    for i, k in itertools.product((0, 7, 23), range(3)):
        numeric = -derivative(lambda x, i=i, k=k: moved(i, k, x))  # type: ignore[misc]
        assert numeric == pytest.approx(found.forces[i, k], abs=1e-7 * size)
    for a, b in ((0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)):
        numeric = -derivative(lambda x, a=a, b=b: strained(a, b, x))  # type: ignore[misc]
        assert numeric == pytest.approx(found.virial[a, b], abs=1e-7 * np.abs(found.virial).max())
    assert np.abs(found.forces.sum(axis=0)).max() < 1e-12 * size
    assert np.abs(found.virial - found.virial.T).max() < 1e-12 * np.abs(found.virial).max()


@pytest.mark.parametrize("potential", [p for p in MANY.values() if p is not None], ids=repr)
def test_u_and_gradient_are_what_runs(potential: TriplePotential) -> None:
    # The ends do not see each other, so one triple is all there is.
    field = field_of(
        {("A", "C", "B"): potential}
        if isinstance(potential.r_max, tuple) or isinstance(potential.decay, tuple)
        else {("A", "C", "A"): potential}
    )
    names = [max(field.triples)[0], "C", max(field.triples)[2]]
    at = np.random.default_rng(3).uniform([0.3, 0.3, 0.1], [0.85, 0.85, 3.1], size=(20, 3))
    for r1, r2, theta in at:
        ends = [[r1, 0, 0], [0, 0, 0], [r2 * np.cos(theta), r2 * np.sin(theta), 0]]
        state = Particles(np.add(ends, 5.0), box=[9.0] * 3, topology=Topology(names))
        found = field.evaluate(state)
        assert found.energy == pytest.approx(potential.u(r1, r2, theta), rel=1e-12)
        by_r1, by_r2, by_theta = potential.gradient(r1, r2, theta)
        assert found.forces[0] == pytest.approx([-by_r1, by_theta / r1, 0], rel=1e-10, abs=1e-12)
        along = found.forces[2] @ [np.cos(theta), np.sin(theta), 0]
        assert along == pytest.approx(-by_r2, rel=1e-10, abs=1e-12)
        assert potential.reversed().u(r2, r1, theta) == potential.u(r1, r2, theta)
    assert np.shape(potential.u(0.5, [0.5, 9.0], [[1.0], [2.0], [3.0]])) == (3, 2)
    assert potential.u(0.5, 9.0, 1.0) == 0.0
    assert potential.u(0.5, 0.6, 1.0) == pytest.approx(
        potential.f(1.0) * arm(0.5, *both(potential)[0])[0] * arm(0.6, *both(potential)[1])[0]
    )


@pytest.mark.parametrize("potential", [p for p in MANY.values() if p is not None], ids=repr)
def test_a_triple_scales_is_drawn_and_is_its_data(potential: TriplePotential) -> None:
    assert potential.scaled(0.5).u(0.5, 0.6, 1.0) == pytest.approx(0.5 * potential.u(0.5, 0.6, 1.0))
    assert law_from_dict(json.loads(json.dumps(potential.to_dict()))) == potential
    pyplot = pytest.importorskip("matplotlib.pyplot")
    axes = potential.plot(pyplot.figure().subplots())
    x, y = axes.lines[0].get_data()
    assert y == pytest.approx(potential.f(x))
    pyplot.close(axes.figure)


def both(p: TriplePotential) -> list[tuple[float, float]]:
    """(r_max, decay) of the two arms."""
    return list(zip(np.resize(p.r_max, 2).tolist(), np.resize(p.decay, 2).tolist(), strict=True))


@pytest.mark.parametrize(("degree", "error"), [(1, 0.05), (2, 1e-12), (3, 1e-12), (5, 1e-8)])
def test_splines_of_any_degree_run_as_they_are(degree: int, error: float) -> None:
    form = BSplineTriple(functions=13, degree=degree, r_max=1.5, decay=(0.8, 0.5))
    assert form.missing == "coefficients"
    assert form.grid[[0, -1]].tolist() == [0.0, np.pi]
    spline = form.with_coefficients(HEIGHTS)
    theta = np.linspace(0.0, np.pi, 999)
    exact = BSpline(form.knots, HEIGHTS, degree)
    assert form.basis(theta) @ HEIGHTS == pytest.approx(exact(theta), abs=1e-12)
    assert form.basis(theta).sum(axis=1) == pytest.approx(1.0)
    # Hats round their kinks within a 32nd of an interval.
    assert spline.f(theta) == pytest.approx(exact(theta), abs=error)
    phi = np.exp(0.8 / (0.5 - 1.5)) * np.exp(0.5 / (0.6 - 1.5))
    slopes = spline.gradient(0.5, 0.6, theta)[2] / phi
    away = np.abs(theta[:, None] - np.unique(form.knots)).min(axis=1) > np.pi / 12 / 32
    scale = np.abs(exact(theta, 1)).max()
    assert slopes[away] == pytest.approx(exact(theta[away], 1), abs=max(1e-8, 1e-12) * scale)


def test_a_straight_triple_has_no_direction_across() -> None:
    # f'(π) = 0 of the cosine, and a natural spline that has a slope there: finite forces in both.
    line = Particles([[1.0, 1, 1], [2.0, 1, 1], [3.0, 1, 1]], box=[9.0] * 3)
    for potential in (
        StillingerWeber(epsilon=1.0, theta0=1.0, r_max=1.5, decay=0.2),
        TableTriple(points=41, r_max=1.5, decay=0.2, energy=THETA),
    ):
        forces = field_of({("A", "A", "A"): potential}).evaluate(line).forces
        by_r1 = potential.gradient(1.0, 1.0, np.pi)[0]
        assert forces == pytest.approx(np.outer([1, 0, -1], [by_r1, 0, 0]), abs=1e-14)


def test_excluded_pairs_are_no_arms() -> None:
    places = [[1.0, 1, 1], [1.8, 1, 1], [1.3, 1.7, 1]]
    bonded = Topology(["A"] * 3, bonds=[(0, 1)])
    state = Particles(places, box=[9.0] * 3, topology=bonded)
    p = ONE["A", "A", "A"]
    r = [float(np.linalg.norm(np.subtract(places[a], places[b]))) for a, b in ((0, 2), (1, 2))]
    cosine = np.dot(np.subtract(places[0], places[2]), np.subtract(places[1], places[2]))
    angle = float(np.arccos(cosine / r[0] / r[1]))
    bonds = {("A", "A"): HarmonicBond(k=0.0, r0=1.0)}
    field = ForceField({("A", "A"): None}, bonds=bonds, triples=ONE, exclude=1)
    assert field.evaluate(state).energy == pytest.approx(p.u(r[0], r[1], angle), rel=1e-12)
    assert field.replace(exclude=2).evaluate(state).energy == pytest.approx(
        p.u(r[0], r[1], angle), rel=1e-12
    )
    free = field.replace(exclude=0).evaluate(state).energy
    assert free == pytest.approx(plain_sum(state, ONE)[0], rel=1e-12)


LIQUID = ForceField(
    {("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=1.9, mode="force-shifted")},
    triples={
        ("A", "A", "A"): StillingerWeber(epsilon=3.0, theta0=1.9, r_max=1.7, decay=0.6),
    },
    temperature=1.0,
)


def liquid() -> Particles:
    side = np.arange(9) * 1.15
    places = np.stack(np.meshgrid(side, side, side), -1).reshape(-1, 3)
    jitter = np.random.default_rng(4).normal(scale=0.05, size=places.shape)
    return Particles(places + jitter, box=[9 * 1.15] * 3)


def test_energy_is_conserved_to_second_order() -> None:
    drift = []
    for dt in (0.004, 0.002):
        log = LIQUID.run(liquid(), time=2.0, dt=dt, every=0.02, seed=1, dynamics=NVE()).log
        total = log["potential_energy"] + log["kinetic_energy"]
        assert np.ptp(log["potential_energy"]) > 100  # it melts
        drift.append(np.std(total))
    # A symplectic integrator: fluctuations of order dt^2, no drift.
    assert drift[0] / drift[1] == pytest.approx(4.0, rel=0.35)
    assert drift[1] < 1e-4 * 729


def test_same_bits_at_any_number_of_threads_and_after_a_stop(tmp_path) -> None:  # type: ignore[no-untyped-def]
    before = _core.threads()
    try:
        runs = []
        for threads in (1, 2, 3):
            _core.set_threads(threads)
            runs.append(LIQUID.run(liquid(), time=0.4, dt=0.004, every=0.2, seed=2))
    finally:
        _core.set_threads(before)
    for other in runs[1:]:
        assert np.array_equal(runs[0][-1].positions, other[-1].positions)
        assert np.array_equal(runs[0].log["pressure_tensor"], other.log["pressure_tensor"])
    for time in (0.2, 0.4):
        path = tmp_path / "run.npz"
        stopped = LIQUID.run(liquid(), time=time, dt=0.004, every=0.2, seed=2, checkpoint=path)
    assert np.array_equal(runs[0][-1].positions, stopped[-1].positions)


def test_the_log_is_that_of_evaluate() -> None:
    trace = LIQUID.run(liquid(), time=0.2, dt=0.004, every=0.1, seed=2)
    again = LIQUID.evaluate(trace[-1])
    assert again.terms["triple"] > 1
    assert trace.log["potential_energy"][-1] == pytest.approx(again.energy, rel=1e-12)
    assert trace.log["pressure_tensor"][-1] == pytest.approx(again.pressure_tensor, rel=1e-9)


def test_a_long_arm_is_found_beyond_a_short_cutoff() -> None:
    lj = LennardJones(epsilon=1.0, sigma=0.3, cutoff=0.5)
    state = scattered(5, 30, SKEWED, "A")
    field = ForceField({("A", "A"): lj}, triples=ONE)
    assert field.cutoff == 1.5
    both = field.evaluate(state)
    assert both.terms["triple"] == pytest.approx(plain_sum(state, ONE)[0], rel=1e-11)
    assert both.terms["pair"] == ForceField({("A", "A"): lj}).evaluate(state).energy


def test_keys_are_read_in_either_direction() -> None:
    p = StillingerWeber(epsilon=1.0, theta0=1.0, r_max=(1.5, 1.2), decay=0.3)
    assert p.reversed() == StillingerWeber(epsilon=1.0, theta0=1.0, r_max=(1.2, 1.5), decay=0.3)
    assert p.reversed().reversed() == p
    one = field_of({("B", "C", "A"): p})
    assert one.triples["A", "C", "B"] == p.reversed()
    assert one == field_of({("A", "C", "B"): p.reversed()})
    assert ForceField.from_dict(one.to_dict()) == one == eval(repr(one))
    assert StillingerWeber(epsilon=1, theta0=1, r_max=[2, 2], decay=np.float64(1)) == (
        StillingerWeber(epsilon=1, theta0=1, r_max=2, decay=1)
    )


SW = {"epsilon": 1.0, "theta0": 1.0, "r_max": 1.5, "decay": 0.3}
WRONG = [
    (lambda: StillingerWeber(**{**SW, "r_max": -1.0}), "r_max is -1.0, expected a positive number"),
    (lambda: StillingerWeber(**{**SW, "decay": (1.0, 2.0, 3.0)}), "or two of them"),
    (lambda: StillingerWeber(**{**SW, "decay": "long"}), "decay is 'long'"),
    (lambda: StillingerWeber(**{**SW, "decay": (0.3, np.nan)}), "decay is"),
    (lambda: StillingerWeber(**{**SW, "theta0": 109.5}), "numpy.deg2rad"),
    (lambda: StillingerWeber(**{**SW, "epsilon": np.inf}), "epsilon must be a finite"),
    (lambda: BSplineTriple(functions=3, r_max=1.0, decay=1.0), "at least 4 functions"),
    (lambda: BSplineTriple(functions=3, r_max=1.0, decay=1.0, degree=0), "degree must be 1"),
    (lambda: BSplineTriple(functions=5, r_max=1.0, decay=1.0).f(1.0), "to be fitted"),
    (lambda: TableTriple(points=2, r_max=1.0, decay=1.0), "at least 3 points"),
    (lambda: TableTriple(points=5, r_max=1.0, decay=1.0, energy=[1, 2, 3]), r"expected \(5,\)"),
    (lambda: TableTriple(points=3, r_max=1.0, decay=1.0).u(1, 1, 1), "to be fitted"),
    (lambda: field_of({("A", "A", "A"): TableTriple(points=3, r_max=1, decay=1)}), "to be fitted"),
    (lambda: StillingerWeber(**SW).u(1.0, np.nan, 1.0), "not finite"),
    (lambda: StillingerWeber(**SW).u(1.0, 1.0, [1.0, 109.5]), "is 109.5, expected radians"),
    (lambda: StillingerWeber(**SW).f(np.nan), "is nan, expected radians"),
    (
        lambda: ForceField({("Si", "Si"): None}, triples={("Si", "SI", "Si"): ONE["A", "A", "A"]}),
        r"no pair names the type SI \(they name: Si\)",
    ),
    (lambda: ForceField(triples={("A", "A", "A"): HarmonicBond(k=1, r0=1)}), "is a bond potential"),
    (lambda: ForceField({("A", "A"): StillingerWeber(**SW)}), "is a triple potential"),
    (
        lambda: field_of({("A", "B", "A"): StillingerWeber(**{**SW, "r_max": (1, 2)})}),
        "A-B-A.*tells apart the ends",
    ),
    (
        lambda: field_of(ONE).evaluate(Particles([[1, 1, 1], [1, 1, 1]], box=[9, 9, 9])),
        "0 and 1 are at the same place",
    ),
]


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_what_is_wrong_is_said(make: Callable[[], object], message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        make()
