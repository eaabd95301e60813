"""Simple bonded forms: exact distributions back to their numbers, and what has no simple form."""

import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

import regrain as rg
from regrain.fits.bonded_terms.families import Family
from regrain.fits.bonded_terms.simple import likely, quadrature, statistics
from regrain.particles import (
    CosineAngle,
    ForceField,
    FourierDihedral,
    HarmonicAngle,
    HarmonicBond,
    HarmonicDihedral,
    Langevin,
    LennardJones,
    Particles,
    PeriodicDihedral,
    Potential,
    TableBond,
    Topology,
)
from regrain.report.fitting import history_of
from tests.fits.conftest import ANGLE, BOND, LENGTH, THETA, TWIST

JACOBIAN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bond": lambda r: r**2,
    "angle": np.sin,
    "dihedral": np.ones_like,
}
RNG = np.random.default_rng(12)
RANGE = {"bond": (0.0, 4.0), "angle": (0.0, np.pi), "dihedral": (-np.pi, np.pi)}


def drawn(potential: Potential, shape: tuple[int, ...], seed: int, kt: float = 1.0) -> np.ndarray:
    """Values of p(x) ∝ J(x) exp(-u/kT), by inverting its integral."""
    x = np.linspace(*RANGE[potential.kind], 200_001)
    density = JACOBIAN[potential.kind](x) * np.exp(-(potential.u(x) - potential.u(x).min()) / kt)
    total = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    return np.interp(np.random.default_rng(seed).random(shape) * total[-1], total, x)


def trace_of(kind: str, values: np.ndarray, *, units: str = "reduced", mass: float = 1.0) -> Any:
    """Frames (rows) of molecules (columns) that have just these bonds, angles or dihedrals."""
    frames, count = values.shape
    width = {"bond": 2, "angle": 3, "dihedral": 4}[kind]
    atoms = np.zeros((frames, count, width, 3))
    if kind == "bond":
        atoms[:, :, 1, 0] = values
    elif kind == "angle":
        atoms[:, :, 0, 0] = 1.0
        atoms[:, :, 2, 0], atoms[:, :, 2, 1] = np.cos(values), np.sin(values)
    else:
        atoms[:, :, 0, 1] = atoms[:, :, 2, 0] = atoms[:, :, 3, 0] = 1.0
        atoms[:, :, 3, 1], atoms[:, :, 3, 2] = np.cos(values), np.sin(values)
    index = np.arange(count * width).reshape(count, width)
    terms: Any = {f"{kind}s": index}
    topology = Topology(list("ABCD"[:width]) * count, masses=np.full(index.size, mass), **terms)
    return rg.Trace(
        [Particles(x.reshape(-1, 3) + 5.0, [30.0] * 3, topology, units=units) for x in atoms],
        times=np.arange(float(frames)),
    )


CASES: list[Potential] = [
    HarmonicBond(k=200.0, r0=1.0),
    HarmonicBond(k=8.0, r0=0.5),  # wide: r² shifts the mean by 40 %
    HarmonicAngle(k=25.0, theta0=2.0),
    HarmonicAngle(k=4.0, theta0=2.8),  # cut off at π
    CosineAngle(k=25.0, theta0=2.0),
    HarmonicDihedral(k=50.0, phi0=3.1),  # across ±π
    PeriodicDihedral(k=1.5, n=3, phi0=0.4),
]


@pytest.mark.parametrize("potential", CASES, ids=repr)
def test_numbers_come_back_and_their_errors_cover(potential: Potential) -> None:
    given = {name: value for name, value in potential.to_dict().items() if name in
             ("k", "r0", "theta0", "phi0")}  # fmt: skip
    repeats, covered = 50, dict.fromkeys(given, 0)
    values = drawn(potential, (repeats, 40, 25), seed=3, kt=2.0)
    for sample in values:
        trace = trace_of(potential.kind, sample)
        terms = rg.fits.BondedForms(
            **{f"{potential.kind}s": {tuple("ABCD"[: trace[0].topology.types.size // 25]):
                                      type(potential)}}, temperature=2.0,
        )(trace).terms  # fmt: skip
        numbers = next(iter(terms.values())).numbers
        for name, value in given.items():
            low, high = numbers[name].interval(0.95)
            covered[name] += int(low <= value <= high)
    # Binomial: 0.95 of 50 is 47.5 ± 1.5.
    assert min(covered.values()) >= 42, covered


def test_a_gaussian_fit_would_be_wrong() -> None:
    truth = HarmonicBond(k=8.0, r0=0.5)
    values = drawn(truth, (100, 50), seed=1)
    naive_k, naive_r0 = 1.0 / values.var(), values.mean()
    found = rg.fits.BondedForms(temperature=1.0)(trace_of("bond", values)).terms["bond A-B"]
    k, r0 = found.numbers["k"], found.numbers["r0"]
    assert abs(float(k) - truth.k) < 4 * float(k.error) < 2.0
    assert abs(float(r0) - truth.r0) < 4 * float(r0.error) < 0.2
    assert naive_r0 - truth.r0 > 10 * float(r0.error)
    assert naive_k - truth.k > 4 * float(k.error)
    # The bias by quadrature: the mean of r² exp(-u) is not r0.
    weight = [quad(lambda r, n=n: r ** (2 + n) * np.exp(-truth.u(r)), 0, 4)[0] for n in (0, 1)]
    assert naive_r0 == pytest.approx(weight[1] / weight[0], abs=5 * values.std() / np.sqrt(5000))


def test_moments_of_the_exact_density_give_the_exact_numbers() -> None:
    # No samples: the likelihood is maximal at the truth to the precision of the quadrature.
    for truth in (HarmonicBond(k=300.0, r0=0.4), HarmonicBond(k=9.0, r0=0.4)):
        x, weight = quadrature("bond", 0.5, 0.2)
        s = statistics("bond", x, 0.45)
        p = weight * np.exp(-truth.u(x) / 2.5)
        means = p @ s / p.sum()
        found = likely(HarmonicBond, Family(weight, s), means, reference=0.45, kt=2.5, n=100)
        assert found is not None
        assert np.allclose(found.values, [truth.k, truth.r0], rtol=1e-9)


def test_a_spring_through_the_origin_is_maxwells() -> None:
    # p ∝ r² exp(-k r²/2): k = 3 kT / <r²> exactly, r0 = 0 is the end of what is allowed.
    values = np.linalg.norm(np.random.default_rng(2).normal(size=(200, 30, 3)), axis=-1)
    found = rg.fits.BondedForms(temperature=1.0)(trace_of("bond", values)).terms["bond A-B"]
    assert found.numbers["r0"].value < 0.05
    if "r0 at its limit" in found.flags:
        assert float(found.numbers["k"]) == pytest.approx(3.0 / np.mean(values**2), rel=1e-6)
    assert "too soft: less than kT" not in found.flags


def test_straight_angles_end_at_pi() -> None:
    values = drawn(HarmonicAngle(k=30.0, theta0=np.pi), (200, 30), seed=4)
    result = rg.fits.BondedForms(angles={("A", "B", "C"): HarmonicAngle}, temperature=1.0)
    found = result(trace_of("angle", values)).terms["angle A-B-C"]
    theta0, k = found.numbers["theta0"], found.numbers["k"]
    assert float(theta0) > np.pi - 0.1
    assert abs(float(k) - 30.0) < 4 * float(k.error) + 3.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("form", [HarmonicAngle, CosineAngle])
def test_the_form_that_made_the_angles_is_chosen(form: Any, seed: int) -> None:
    values = drawn(form(k=12.0, theta0=2.3), (100, 100), seed=seed)
    result = rg.fits.BondedForms(temperature=1.0)(trace_of("angle", values))
    assert isinstance(result.model.angles["A", "B", "C"], form)
    assert result.converged


def test_several_modes_of_a_dihedral_are_found() -> None:
    truth = FourierDihedral(k=[1.0, 0.0, 2.0], phi0=[0.5, 0.0, -1.0])
    values = drawn(truth, (100, 100), seed=6)
    found = rg.fits.BondedForms(temperature=1.0)(trace_of("dihedral", values))
    numbers = found.terms["dihedral A-B-C-D"].numbers
    assert set(numbers) == {"k_1", "phi_1", "k_3", "phi_3"}
    for name, value in {"k_1": 1.0, "phi_1": 0.5, "k_3": 2.0, "phi_3": -1.0}.items():
        assert abs(float(numbers[name]) - value) < 4 * float(numbers[name].error)
    fitted = found.model.dihedrals["A", "B", "C", "D"]
    assert isinstance(fitted, FourierDihedral)
    assert np.ptp(fitted.u(np.linspace(-3, 3)) - truth.u(np.linspace(-3, 3))) < 0.4


def test_a_position_may_be_kept() -> None:
    truth = HarmonicAngle(k=30.0, theta0=np.pi)
    for form in (truth, CosineAngle(k=30.0, theta0=2.0)):
        trace = trace_of("angle", drawn(form, (100, 50), seed=4))
        free = rg.fits.Free(form.__class__(k=1.0, theta0=form.theta0), "k")
        found = rg.fits.BondedForms(angles={("A", "B", "C"): free}, temperature=1.0)(trace)
        numbers = found.terms["angle A-B-C"].numbers
        assert set(numbers) == {"k"}
        assert float(numbers["k"].error) < 2.0
        assert abs(float(numbers["k"]) - 30.0) < 4 * float(numbers["k"].error)
        assert found.model.angles["A", "B", "C"].theta0 == form.theta0
        assert found.terms["angle A-B-C"].flags == ()
    twist = PeriodicDihedral(k=1.5, n=3, phi0=0.4)
    trace = trace_of("dihedral", drawn(twist, (100, 50), seed=5))
    for names in (("k",), ("k", "phi0")):
        free = rg.fits.Free(PeriodicDihedral(k=0.5, n=3, phi0=0.4), *names)
        found = rg.fits.BondedForms(dihedrals={("A", "B", "C", "D"): free}, temperature=1.0)(trace)
        numbers = found.terms["dihedral A-B-C-D"].numbers
        assert tuple(numbers) == names
        assert abs(float(numbers["k"]) - 1.5) < 4 * float(numbers["k"].error) < 0.4
    with pytest.raises(rg.RegrainError, match="keeps k, but k is what is fitted"):
        rg.fits.BondedForms(
            bonds={("A", "B"): rg.fits.Free(HarmonicBond(k=1.0, r0=1.0), "r0")}, temperature=1.0
        )


def test_errors_know_of_correlations() -> None:
    # One value held for 20 frames: the error must be that of 50 values, not of 1000.
    values = np.repeat(drawn(HarmonicBond(k=200.0, r0=1.0), (50, 4), seed=7), 20, axis=0)
    found = rg.fits.BondedForms(temperature=1.0)(trace_of("bond", values)).terms["bond A-B"]
    expected = 200.0 * np.sqrt(2 / 200)
    assert 0.6 * expected < float(found.numbers["k"].error) < 1.6 * expected


def test_two_maxima_are_flagged_and_one_is_not() -> None:
    rng = np.random.default_rng(8)
    two = np.where(rng.random((100, 50)) < 0.3, rng.normal(1.6, 0.1, (100, 50)),
                   rng.normal(2.4, 0.15, (100, 50)))  # fmt: skip
    result = rg.fits.BondedForms(temperature=1.0)(trace_of("angle", two))
    assert "bimodal" in result.terms["angle A-B-C"].flags
    assert not result.converged
    assert "angle A-B-C" in result.reason
    false = 0
    for seed in range(100):
        kind, potential = [("bond", CASES[1]), ("angle", CASES[3])][seed % 2]
        one = rg.fits.BondedForms(temperature=1.0)(
            trace_of(kind, drawn(potential, (20, 30), seed=100 + seed))
        )
        false += sum("bimodal" in term.flags for term in one.terms.values())
    assert false == 0  # five standard errors, some twenty valleys each


def test_soft_angles_are_flagged() -> None:
    free = np.arccos(np.random.default_rng(9).uniform(-1, 1, (100, 30)))
    found = rg.fits.BondedForms(temperature=1.0)(trace_of("angle", free)).terms["angle A-B-C"]
    assert any("too soft" in flag for flag in found.flags)
    assert found.numbers["k"].value < 0.5


def test_stiff_bonds_are_suggested_as_constraints() -> None:
    # Two beads of 72 u: period 2π √(36 / k) below ten steps of 0.02 ps from k = 35 531 on.
    for k, stiff in ((30_000.0, False), (42_000.0, True)):
        kt = 2.4943387854
        values = drawn(HarmonicBond(k=k, r0=0.35), (100, 20), seed=10, kt=kt)
        trace = trace_of("bond", values, units="md", mass=72.0)
        result = rg.fits.BondedForms(temperature=300.0)(trace)
        term = result.terms["bond A-B"]
        fitted = float(term.numbers["k"])
        assert term.period == pytest.approx(2 * np.pi * np.sqrt(36.0 / fitted))
        assert ("stiff: constrain" in term.flags) is stiff
        assert set(result.constraints) == ({("A", "B")} if stiff else set())
    assert result.constraints["A", "B"] == pytest.approx(values.mean(), abs=1e-3)
    assert "kJ/mol/nm^2" in str(result)
    slow = rg.fits.BondedForms(temperature=300.0, dt=0.005)(trace)
    assert slow.constraints == {}


def test_a_rigid_bond_is_a_constraint() -> None:
    result = rg.fits.BondedForms(temperature=1.0)(trace_of("bond", np.full((20, 5), 0.4)))
    assert result.constraints == {("A", "B"): pytest.approx(0.4)}
    assert result.model.bonds["A", "B"] is None
    assert "rigid: constrain" in str(result)
    # As a file of single precision has it: the rounding of places is no spring of k = 1e12.
    rounded = np.float32(0.4 + 4.0 + np.zeros((20, 5))) + RNG.normal(scale=2e-7, size=(20, 5)) - 4.0
    result = rg.fits.BondedForms(temperature=1.0)(trace_of("bond", rounded))
    assert result.model.bonds["A", "B"] is None


def test_few_samples_are_not_taken_for_a_wrong_form() -> None:
    misses = 0
    for seed in range(20):
        values = drawn(PeriodicDihedral(k=0.5, n=2), (20, 10), seed=seed)
        misses += not rg.fits.BondedForms(temperature=1.0)(trace_of("dihedral", values)).converged
    assert misses <= 1


def test_simulated_tetramers_give_back_their_force_field() -> None:
    truth = ForceField(
        {("A", "A"): None},
        bonds={("A", "A"): HarmonicBond(k=60.0, r0=1.0)},
        angles={("A", "A", "A"): HarmonicAngle(k=12.0, theta0=1.9)},
        dihedrals={("A", "A", "A", "A"): FourierDihedral(k=[1.2, 0.0, 0.8], phi0=[0.3, 0, 0])},
        temperature=1.0,
    )
    count = 125
    index = np.arange(4 * count).reshape(-1, 4)
    topology = Topology(
        ["A"] * 4 * count,
        bonds=np.concatenate([index[:, k : k + 2] for k in range(3)]),
        angles=np.concatenate([index[:, k : k + 3] for k in range(2)]),
        dihedrals=index,
    )
    shape = np.array([[0, 1, 0], [0, 0, 0], [1, 0, 0], [1.3, 0.9, 0.3]])
    places = 4.0 * np.stack(np.meshgrid(*3 * [np.arange(5.0)]), -1).reshape(-1, 1, 3) + shape
    start = Particles(places.reshape(-1, 3), [20.0] * 3, topology)
    trace = truth.run(start, time=150, dt=0.02, every=0.5, seed=1, dynamics=Langevin(friction=0.5))
    result = rg.fits.BondedForms(temperature=1.0)(trace[40:])
    wanted = {"bond A-A": {"k": 60.0, "r0": 1.0}, "angle A-A-A": {"k": 12.0, "theta0": 1.9},
              "dihedral A-A-A-A": {"k_1": 1.2, "phi_1": 0.3, "k_3": 0.8, "phi_3": 0.0}}  # fmt: skip
    for label, numbers in wanted.items():
        for name, value in numbers.items():
            found = result.terms[label].numbers[name]
            # The time step adds less than (ω dt)² / 12 to stiffnesses, 0.4 % here.
            assert abs(float(found) - value) < 4 * float(found.error) + 0.004 * value
            assert float(found.error) < 0.04 * max(value, 1.0)


def test_the_result_is_as_of_any_fit(chains: Callable[[int], rg.Trace[Particles]]) -> None:
    pair = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.0)
    none = {("A", "A"): pair, ("A", "B"): None, ("B", "B"): None}
    kept = HarmonicBond(k=BOND, r0=LENGTH)
    result = rg.fits.BondedForms(
        pairs=none, bonds={("B", "A"): kept}, dihedrals={("B", "A", "B", "A"): None},
        angles={("A", "B", "A"): HarmonicAngle}, temperature=1.0,
    )(chains(50))  # fmt: skip
    assert result.model.bonds["A", "B"] is kept
    assert result.model.pairs["A", "A"] == pair
    assert result.model.dihedrals["A", "B", "A", "B"] is None
    assert set(result.terms) == set(result.errors) == {"angle A-B-A", "angle B-A-B"}
    found = result.terms["angle A-B-A"].numbers
    assert float(found["k"]) == pytest.approx(ANGLE, abs=4 * float(found["k"].error))
    assert float(found["theta0"]) == pytest.approx(THETA, abs=4 * float(found["theta0"].error))
    assert result.potentials[0]["angle A-B-A"] is result.model.angles["A", "B", "A"]
    assert json.loads(json.dumps(result.model.to_dict())) == result.model.to_dict()
    assert pickle.loads(pickle.dumps(result.model)) == result.model
    full = rg.fits.BondedForms(temperature=1.0)(chains(50))
    twist = full.model.dihedrals["A", "B", "A", "B"]
    assert isinstance(twist, PeriodicDihedral)
    assert twist.n == 2
    assert twist.k == pytest.approx(TWIST, rel=0.1)
    fitting = history_of(full)
    assert fitting.columns["RMS"] == [full.history[0].rms]
    curve = fitting.curves["angle A-B-A"]
    assert curve.value.shape == (1, len(curve.coords["theta"]))
    ax = full.plot(label="dihedral A-B-A-B")
    assert len(ax.lines) == 2
    with pytest.raises(rg.RegrainError, match="there is no 'pair A-A'"):
        full.plot(label="pair A-A")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -1.0}, "temperature is -1.0; give a positive"),
        ({"dt": 0.0}, "dt is 0.0"),
        ({"bonds": {"AB": HarmonicBond}}, "the key 'AB' is not a tuple of 2"),
        ({"bonds": {("A", "B"): HarmonicAngle}}, "expected of HarmonicBond"),
        ({"bonds": {("A", "B"): (HarmonicBond, None)}}, "expected of HarmonicBond"),
        ({"bonds": {("A", "B"): TableBond(r_min=0.1, r_max=1, points=9)}}, "BoltzmannInversion"),
        ({"bonds": {("A", "B"): CosineAngle(k=1.0, theta0=2.0)}}, "a potential of a bond"),
    ],
)
def test_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        rg.fits.BondedForms(**{"temperature": 1.0, **settings})


def test_targets_that_cannot_be_fitted(
    gas: rg.Trace[Particles], chains: Callable[[int], rg.Trace[Particles]]
) -> None:
    fit = rg.fits.BondedForms(temperature=1.0)
    with pytest.raises(TypeError, match="temperature"):
        rg.fits.BondedForms()  # type: ignore[call-arg]
    with pytest.raises(rg.RegrainError, match="no bonds, angles or dihedrals"):
        fit(gas)
    with pytest.raises(rg.RegrainError, match="one frame"):
        fit(chains(1))
    with pytest.raises(rg.RegrainError, match="needs a Trace of particles"):
        fit(gas[0])
    with pytest.raises(rg.RegrainError, match="no bond A-C; it has A-B"):
        rg.fits.BondedForms(bonds={("C", "A"): HarmonicBond}, temperature=1.0)(chains(2))
    wide = drawn(PeriodicDihedral(k=0.5, n=1), (20, 9), seed=1)
    with pytest.raises(rg.RegrainError, match="must stay on one side"):
        rg.fits.BondedForms(
            dihedrals={("A", "B", "C", "D"): HarmonicDihedral}, temperature=1.0
        )(trace_of("dihedral", wide))  # fmt: skip
    with pytest.raises(rg.RegrainError, match="nothing to fit"):
        rg.fits.BondedForms(bonds={("A", "B"): None}, temperature=1.0)(
            trace_of("bond", np.ones((3, 2)))
        )
