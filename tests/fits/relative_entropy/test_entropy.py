"""Relative entropy with coarse runs: exact for molecules alone, and liquids that come back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

import regrain as rg
from regrain.fits import Free, RelativeEntropy, StatePoint
from regrain.fits.relative_entropy.counting import Counter
from regrain.fits.relative_entropy.divergence import Counts
from regrain.fits.relative_entropy.reweighting import reweight
from regrain.fits.structural.sampling import Sampling
from regrain.fits.structure import Interaction
from regrain.observables.blocks import mean_with_error
from regrain.particles import (
    BSpline,
    ForceField,
    HarmonicAngle,
    HarmonicBond,
    Langevin,
    LennardJones,
    Particles,
    PeriodicDihedral,
    Table,
    TableBond,
    Topology,
    fcc,
)
from tests.fits.conftest import ANGLE, BOND, LENGTH, SOFT, THETA, TWIST, simulate, soft

LIQUID = {"cutoff": 2.0, "mode": "force-shifted"}
T = 1.5


def dimers(frames: int, *, k: float, r0: float, count: int = 50, seed: int = 1) -> Any:
    """Exact frames of two-bead molecules far from each other."""
    rng = np.random.default_rng(seed)
    r = np.linspace(0.0, 3.0, 30001)
    total = np.cumsum(r**2 * np.exp(-0.5 * k * (r - r0) ** 2))
    topology = Topology(["A"] * (2 * count), bonds=np.arange(2 * count).reshape(-1, 2))
    states = []
    for _ in range(frames):
        length = np.interp(rng.random(count) * total[-1], total, r)
        way = rng.normal(size=(count, 3))
        one = rng.random((count, 3)) * 30
        other = one + way * (length / np.linalg.norm(way, axis=1))[:, None]
        beads = np.stack([one, other], axis=1).reshape(-1, 3)
        states.append(Particles(beads, box=[40.0] * 3, topology=topology))
    return rg.Trace(states, times=np.arange(float(frames)))


def entropy(k: float, r0: float, truth: tuple[float, float]) -> float:
    """β ⟨U⟩ + ln Z of a bond, ⟨⟩ under the true parameters; by quadrature."""

    def integral(of: Any, at: tuple[float, float]) -> float:
        weight = lambda r: r**2 * np.exp(-0.5 * at[0] * (r - at[1]) ** 2)  # noqa: E731
        return float(quad(lambda r: of(r) * weight(r), 0.0, 4.0, points=[at[1]])[0])

    energy = integral(lambda r: 0.5 * k * (r - r0) ** 2, truth) / integral(lambda r: 1.0, truth)
    return energy + np.log(integral(lambda r: 1.0, (k, r0)))


def test_dimers_alone_give_their_spring_and_the_exact_relative_entropy() -> None:
    form = Free(HarmonicBond(k=28.0, r0=0.9), "k", "r0")
    fit = RelativeEntropy(
        pairs={("A", "A"): None}, bonds={("A", "A"): form}, temperature=1.0, seed=2, time=400.0
    )
    result = fit(dimers(200, k=40.0, r0=1.1), progress=False)
    assert result.converged, result
    values, errors = result.history[-1].potentials["bond A-A"], result.errors["bond A-A"]
    assert np.all(np.abs(values - [40.0, 1.1]) < 4 * errors)
    assert np.all(errors < [2.0, 0.01])
    (found,) = result.estimates
    exact = 0.5 * (entropy(*values, (40.0, 1.1)) - entropy(28.0, 0.9, (40.0, 1.1)))
    assert abs(float(found) - exact) < 4 * float(found.error)
    assert found.flags[0] == "difference from the potentials of the first run"
    assert "k of bond A-A = " in str(result)
    assert "change of relative entropy per particle" in str(result)


@pytest.mark.slow
def test_chains_give_bonds_angles_and_dihedrals(
    chains: Callable[[int], rg.Trace[Particles]],
) -> None:
    none = {("A", "A"): None, ("A", "B"): None, ("B", "B"): None}
    angle = Free(HarmonicAngle(k=0.7 * ANGLE, theta0=2.2), "k", "theta0")
    fit = RelativeEntropy(
        pairs=none,
        bonds={("A", "B"): Free(HarmonicBond(k=1.3 * BOND, r0=0.9), "k", "r0")},
        angles={("A", "B", "A"): angle, ("B", "A", "B"): angle},
        dihedrals={("A", "B", "A", "B"): Free(PeriodicDihedral(k=0.5, n=2), "k", "phi0")},
        temperature=1.0,
        seed=4,
        time=150.0,
    )
    result = fit(chains(60), progress=False)
    assert result.converged, result
    wanted = {
        "bond A-B": [BOND, LENGTH],
        "angle A-B-A": [ANGLE, THETA],
        "angle B-A-B": [ANGLE, THETA],
        "dihedral A-B-A-B": [TWIST, 0.0],
    }
    for label, values in wanted.items():
        off = result.history[-1].potentials[label] - values
        assert np.all(np.abs(off) < 4 * result.errors[label]), (label, off, result.errors[label])


@pytest.fixture(scope="module")
def liquid() -> rg.Trace[Particles]:
    """108 Lennard-Jones particles at density 0.6."""
    field = ForceField({("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, **LIQUID)}, temperature=T)
    return run(field, fcc(cells=3, density=0.6), time=100, seed=1)


def run(field: ForceField, start: Particles, *, time: float, seed: int) -> rg.Trace[Particles]:
    dynamics = Langevin(friction=1.0)
    first = field.run(start, time=5, dt=0.005, every=5, seed=seed, dynamics=dynamics)
    return field.run(
        first[-1], time=time, dt=0.005, every=0.1, seed=seed + 1, dynamics=dynamics
    ).in_memory()


def lj_fit(epsilon: float, sigma: float, **changes: Any) -> RelativeEntropy:
    form = Free(LennardJones(epsilon=epsilon, sigma=sigma, **LIQUID), "epsilon", "sigma")
    settings = {"pairs": {("A", "A"): form}, "temperature": T, "seed": 3, "time": 60, "dt": 0.005}
    return RelativeEntropy(**{**settings, **changes})


def test_a_liquid_gives_its_parameters_back(liquid: rg.Trace[Particles]) -> None:
    result = lj_fit(1.1, 0.97)(liquid, progress=False)
    assert result.converged, result
    off = result.history[-1].potentials["pair A-A"] - [1.0, 1.0]
    assert np.all(np.abs(off) < 4 * result.errors["pair A-A"])
    assert np.all(result.errors["pair A-A"] < [0.1, 0.005])
    assert isinstance(result.model.pairs["A", "A"], LennardJones)
    assert result.history[-1].chi2 < 1.5
    assert "gradient" in result.history.head
    assert result.plot(label="pair A-A").get_ylabel() == "u"


@pytest.mark.slow
@pytest.mark.parametrize("start", [(0.7, 0.7), (1.3, 1.3), (1.3, 0.7), (0.7, 1.3)])
def test_a_liquid_from_a_start_30_percent_off(
    liquid: rg.Trace[Particles], start: tuple[float, float]
) -> None:
    result = lj_fit(*start)(liquid, progress=False)
    assert result.converged, result
    off = result.history[-1].potentials["pair A-A"] - [1.0, 1.0]
    assert np.all(np.abs(off) < 4 * result.errors["pair A-A"])


def test_a_form_that_cannot_give_the_target_says_so(liquid: rg.Trace[Particles]) -> None:
    """Only a repulsion: its mean energy derivative is met, g(r) is not."""
    cutoff = 2 ** (1 / 6)
    form = Free(LennardJones(epsilon=0.2, sigma=0.97, cutoff=cutoff, mode="shifted"), "sigma")
    result = lj_fit(1.0, 1.0, pairs={("A", "A"): form})(liquid, progress=False)
    assert result.converged, result
    assert result.history[-1].chi2 > 2.0
    assert "these forms cannot give it" in result.reason


@pytest.mark.slow
@pytest.mark.parametrize("form", [SOFT, BSpline(r_min=0.0, r_max=2.5, functions=17)])
def test_tables_and_splines_give_the_force_of_a_liquid(
    soft_liquid: rg.Trace[Particles], form: Any
) -> None:
    """Henderson: the potential that gives g(r) is one, the one that IBI looks for, too."""
    fit = RelativeEntropy(
        pairs={("A", "A"): form}, temperature=1.0, seed=2, dt=0.05, time=150, every=0.5
    )
    result = fit(soft_liquid, progress=False)
    assert result.converged, result
    assert result.history[-1].chi2 < 1.5
    r = np.linspace(0.5, 2.3, 37)
    off = result.model.pairs["A", "A"].u(r) - soft().u(r)
    assert np.max(np.abs(off)) < 0.1
    if form is SOFT:  # splines have errors of coefficients
        error = np.interp(r, SOFT.grid, result.errors["pair A-A"])
        assert np.max(error) < 0.05
        # Neighbouring nodes move together: a few independent numbers only.
        assert 0.3 < np.sqrt(np.mean((off / error) ** 2)) < 2.0
    assert np.sqrt(np.mean((result.model.pairs["A", "A"].force(r) - soft().force(r)) ** 2)) < 0.2


def test_at_low_density_a_table_is_the_boltzmann_inversion(gas: rg.Trace[Particles]) -> None:
    form = Table(r_min=0.0, r_max=2.0, points=11)
    settings: dict[str, Any] = {"pairs": {("A", "A"): form}, "temperature": 1.0}
    fit = RelativeEntropy(**settings, seed=1, dt=0.05, time=100, friction=1.0)
    result = fit(gas, progress=False)
    inverted = rg.fits.BoltzmannInversion(**settings)(gas)
    r = np.linspace(0.3, 1.9, 9)
    error = np.interp(r, form.grid, result.errors["pair A-A"])
    found = result.model.pairs["A", "A"].u(r)
    assert np.all(np.abs(found - inverted.model.pairs["A", "A"].u(r)) < 5 * error)
    assert np.all(np.abs(found) < 5 * error)  # points that do not see each other


@pytest.mark.slow
def test_a_mixture_of_soft_particles() -> None:
    names = np.random.default_rng(9).permutation(["A"] * 128 + ["B"] * 128)
    start = fcc(cells=4, density=0.4).replace(topology=Topology(names))
    truth = {("A", "A"): soft(2.0), ("A", "B"): soft(1.0), ("B", "B"): None}
    target = simulate(ForceField(truth, temperature=1.0), start, time=100, seed=1)
    form = BSpline(r_min=0.0, r_max=2.5, functions=11)
    fit = RelativeEntropy(
        pairs={("A", "A"): form, ("B", "A"): form, ("B", "B"): None},
        temperature=1.0,
        seed=4,
        dt=0.05,
        time=100,
    )
    result = fit(target, progress=False)
    assert result.converged, result
    r = np.linspace(0.5, 2.3, 19)
    for types, height in ((("A", "A"), 2.0), (("A", "B"), 1.0)):
        off = result.model.pairs[types].u(r) - soft(height).u(r)
        assert np.max(np.abs(off)) < 0.15, types


def test_reweighting_agrees_with_a_run_of_its_own(liquid: rg.Trace[Particles]) -> None:
    """From ε = 1 to 0.97 by counts in bins; far away the share of the frames falls."""
    lj = Free(LennardJones(epsilon=1.0, sigma=1.0, **LIQUID), "epsilon")
    counter = Counter([Interaction("pair", ("A", "A"), lj, (0.01, 2.0))], exclude=2)
    counts = Counts(counter.rows(liquid), np.ones(len(counter.rows(liquid))))

    def energies(epsilon: float) -> np.ndarray:
        u = np.zeros(len(counter.x[0]))
        u[counts.mean > 0] = lj.with_values([epsilon]).u(counter.x[0][counts.mean > 0])
        return counts.project(u)

    # The bins are fine enough: the energy is that of the engine, but for less than its error.
    exact = liquid.log["potential_energy"][:: len(liquid) // len(counts.rows)][: len(counts.rows)]
    assert np.std(energies(1.0) - exact) < 0.02 * np.std(exact)
    other = reweight((energies(0.97) - energies(1.0)) / T)
    field = ForceField({("A", "A"): lj.with_values([0.97])}, temperature=T)
    own = run(field, liquid[-1].replace(velocities=None), time=60, seed=11)
    direct = mean_with_error(own.log["potential_energy"])
    assert other.share > 0.7
    miss = other.mean(energies(0.97)) - direct.value[0]
    assert abs(miss) < 4 * np.hypot(other.error(energies(0.97)), direct.error[0])
    assert reweight((energies(0.5) - energies(1.0)) / T).share < 0.05


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.3])
def test_time_steps_do_not_depend_on_bad_starts(liquid: rg.Trace[Particles], sigma: float) -> None:
    """Neither forbidden distances of the target nor a start that is too soft decide on them."""
    fit = lj_fit(1.0, sigma, dt=None, time=None)
    (problem,) = fit._problems(liquid)
    plan = Sampling.plan(fit, problem, fit._update([problem]).first())
    assert 0.004 <= plan.dt <= 0.012


def test_two_states_at_once() -> None:
    """One spring from dimers at two temperatures."""
    form = Free(HarmonicBond(k=35.0, r0=1.0), "k", "r0")
    fit = RelativeEntropy(
        pairs={("A", "A"): None}, bonds={("A", "A"): form}, temperature=1.0, seed=2, time=100.0
    )
    cold = StatePoint(dimers(100, k=80.0, r0=1.1), temperature=0.5)
    hot = StatePoint(dimers(100, k=20.0, r0=1.1), temperature=2.0, weight=2.0)
    result = fit([cold, hot], progress=False)
    assert result.converged, result
    off = result.history[-1].potentials["bond A-A"] - [40.0, 1.1]
    assert np.all(np.abs(off) < 4 * result.errors["bond A-A"])


def test_a_fit_resumes_to_the_same_bits(tmp_path: Path) -> None:
    form = Free(HarmonicBond(k=28.0, r0=0.9), "k", "r0")
    target = dimers(60, k=40.0, r0=1.1)

    def fit(iterations: int, **where: Any) -> Any:
        return RelativeEntropy(
            pairs={("A", "A"): None}, bonds={("A", "A"): form}, temperature=1.0, seed=2,
            time=20.0, tolerance=1e-9, iterations=iterations,
        )(target, progress=False, **where)  # fmt: skip

    fit(2, workdir=tmp_path)
    resumed, straight = fit(4, workdir=tmp_path), fit(4)
    for one, other in zip(resumed.history, straight.history, strict=True):
        np.testing.assert_array_equal(one.potentials["bond A-A"], other.potentials["bond A-A"])
        assert one.scores == other.scores


@pytest.mark.parametrize("names", [["epsilon"], ["epsilon", "sigma"]])
def test_a_parameter_that_runs_away_is_named(gas: rg.Trace[Particles], names: list[str]) -> None:
    """Points that do not see each other: no attraction and no repulsion is little enough."""
    form = Free(LennardJones(epsilon=0.2, sigma=0.05, cutoff=1.0, mode="shifted"), *names)
    fit = RelativeEntropy(
        pairs={("A", "A"): form}, temperature=1.0, time=2.0, dt=0.002, seed=1, iterations=30
    )
    with pytest.raises(rg.RegrainError, match=r"has moved by a factor of .* the fit diverges"):
        fit(gas, progress=False)


@pytest.mark.slow
def test_bonds_and_pairs_of_a_liquid_of_dimers() -> None:
    """Forms of two kinds at once; the first runs are too short for so many nodes."""
    index = np.arange(256).reshape(-1, 2)
    state = fcc(cells=4, density=0.2).replace(topology=Topology(["A"] * 256, bonds=index))
    spring = HarmonicBond(k=30.0, r0=1.0)
    truth = ForceField({("A", "A"): soft()}, bonds={("A", "A"): spring}, temperature=1.0)
    settings: dict[str, Any] = {"dt": 0.02, "dynamics": Langevin(friction=1.0)}
    hot = truth.run(state, time=20, every=20, seed=1, **settings)
    target = truth.run(hot[-1], time=100, every=0.5, seed=2, **settings).in_memory()
    fit = RelativeEntropy(
        pairs={("A", "A"): BSpline(r_min=0.0, r_max=2.5, functions=10)},
        bonds={("A", "A"): TableBond(r_min=0.0, r_max=2.4, points=97)},
        temperature=1.0,
        seed=5,
        dt=0.02,
        time=60,
    )
    result = fit(target, progress=False)
    assert result.converged, result
    assert result.history[0].scores["samples"] < 10.0
    assert max(run.time for run in result.history) > 60.0
    r = np.linspace(0.7, 2.3, 9)
    off = result.model.pairs["A", "A"].u(r) - soft().u(r)
    assert np.max(np.abs(off)) < 0.15
    x = np.linspace(0.75, 1.25, 9)
    bond = result.model.bonds["A", "A"].u(x) - spring.u(x)
    assert np.ptp(bond) < 0.3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"overlap": 0.0}, "overlap is 0.0; give a share"),
        ({"overlap": 1.0}, "overlap is 1.0"),
        ({"tolerance": -1.0}, "tolerance is -1.0"),
        ({"pressure": 1.0}, "no constraint on the pressure"),
    ],
)
def test_settings(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        lj_fit(1.0, 1.0, **changes)


def test_what_cannot_be_fitted(liquid: rg.Trace[Particles]) -> None:
    lj = LennardJones(epsilon=1.0, sigma=1.0, **LIQUID)
    with pytest.raises(rg.RegrainError, match=r"nothing to fit: .* fits\.Free"):
        lj_fit(1.0, 1.0, pairs={("A", "A"): lj})(liquid)
    with pytest.raises(rg.RegrainError, match="no constraint on the pressure"):
        lj_fit(1.0, 1.0)(StatePoint(liquid, pressure=1.0))
    far = Free(LennardJones(epsilon=1.0, sigma=1.0, cutoff=4.0), "epsilon")
    with pytest.raises(rg.RegrainError, match="r_max = 4, but g\\(r\\) of the target"):
        lj_fit(1.0, 1.0, pairs={("A", "A"): far})(liquid)
    with pytest.raises(rg.RegrainError, match=r"coarse run 1 of the fit: .* no overlaps"):
        lj_fit(1.0, 3.0)(liquid, progress=False)


def test_parameters_without_samples_are_named(liquid: rg.Trace[Particles]) -> None:
    """No particle comes as close as this potential reaches."""
    short = Free(LennardJones(epsilon=1.0, sigma=0.3, cutoff=0.4, mode="shifted"), "epsilon")
    with pytest.raises(rg.RegrainError, match="its distribution is zero everywhere"):
        lj_fit(1.0, 1.0, pairs={("A", "A"): short})(liquid, progress=False)
