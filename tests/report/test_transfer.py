"""The same model at other temperatures: exact answers, and what must not be called equal."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pytest

import regrain as rg
from regrain.errors import RegrainError
from regrain.observables import (
    RDF,
    BondLengths,
    Compressibility,
    Density,
    Diffusion,
    Energy,
    Pressure,
)
from regrain.particles import (
    NVE,
    ForceField,
    HarmonicBond,
    Langevin,
    LennardJones,
    Particles,
    TableBond,
    Topology,
    fcc,
)
from regrain.report import Report

DIMERS, BOX = 60, 40.0
CHAIN = Topology(
    ["A"] * (2 * DIMERS), bonds=[(2 * i, 2 * i + 1) for i in range(DIMERS)]
)  # no pair potential: every dimer is alone
LENGTHS = BondLengths(r_min=0.0, r_max=14.0, bins=140)


def dimers(lengths, seed):
    """Frames of dimers of these lengths, shape (frames, DIMERS), turned at random."""
    rng = np.random.default_rng(seed)
    frames = []
    for row in lengths:
        way = rng.normal(size=(DIMERS, 3))
        way *= row[:, None] / np.linalg.norm(way, axis=1)[:, None]
        first = rng.random((DIMERS, 3)) * BOX
        places = np.stack([first, first + way], axis=1).reshape(-1, 3)
        frames.append(Particles(places, box=[BOX] * 3, topology=CHAIN))
    return rg.Trace(frames, times=np.arange(len(frames)))


def drawn(u, t, seed, frames=150):
    """Independent frames of the density r² exp(-u/t), by the inverse of its integral."""
    r = np.linspace(1e-6, 14.0, 8001)
    weight = r**2 * np.exp(-(u(r) - u(r).min()) / t)
    share = np.cumsum(weight) / weight.sum()
    uniform = np.random.default_rng(seed).random((frames, DIMERS))
    return dimers(np.interp(uniform, share, r), seed)


def moment(u, t):
    """<r²> of that density."""
    r = np.linspace(1e-6, 14.0, 8001)
    weight = r**2 * np.exp(-(u(r) - u(r).min()) / t)
    return np.sum(r**2 * weight) / np.sum(weight)


def hidden(r, t, c=2.0):
    """Free energy of a bond of stiffness 1 with a hidden unit vector n of energy -c r n·e, at t.

    Averaging over n gives sinh(x) / x, x = c r / t, exactly: part energy, part entropy.
    """
    x = c * np.asarray(r) / t
    return 0.5 * r**2 - t * (x + np.log1p(-np.exp(-2 * x)) - np.log(2 * x))


def bond_model(u, t):
    grid = np.linspace(0.0, 14.0, 701)
    energy = u(np.maximum(grid, 1e-6))
    bond = TableBond(r_min=0.0, r_max=14.0, points=701, energy=energy)
    return ForceField({("A", "A"): None}, bonds={("A", "A"): bond}, temperature=t)


def start(seed=1, length=1.0):
    return dimers(np.full((1, DIMERS), length), seed)[0]


RUN = {"dt": 0.03, "dynamics": Langevin(friction=1.0), "progress": False}


def verdicts(section, quantity):
    report = of_section(section)
    rows = [row for row in section.rows if row.at["quantity"] == quantity]
    return {(row.at["temperature"], row.at["model"]): report.verdict(row) for row in rows}


def of_section(section):
    trace = rg.Trace([fcc(2, density=0.1)] * 2, times=[0.0, 1.0])
    return rg.compare(trace, trace, [Density()]).with_section(section)


# ------------------------------------------------------------------- liquids


LJ = ForceField(
    {("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.2, mode="shifted")}, temperature=1.5
)
LIQUID = fcc(cells=3, density=0.7)
POINTS = [1.2, 1.5, 1.8, 2.2]
LIQUID_OBSERVABLES = [RDF(r_max=1.8, bins=36), Pressure(), Energy(), Diffusion()]


@pytest.fixture(scope="module")
def references():
    def run(t, seed):
        law = LJ.replace(temperature=t)
        return law.run(LIQUID, time=44.0, dt=0.005, every=0.2, seed=seed, progress=False)[20:]

    return {t: run(t, 100 + k) for k, t in enumerate(POINTS)}


@pytest.fixture(scope="module")
def same_law(references):
    return rg.transfer(
        LJ,
        LIQUID,
        temperatures=POINTS,
        observables=LIQUID_OBSERVABLES,
        fine=references,
        time=40.0,
        dt=0.005,
        every=0.2,
        seed=5,
        scaled=True,
        progress=False,
    )


def test_a_potential_that_is_all_energy_is_the_same_at_all_temperatures(same_law):
    # 4 temperatures x 4 observables, unscaled: Holm keeps the chance of one false alarm at 5 %.
    rows = [row for row in same_law.rows if row.at["model"] == ""]
    found = of_section(rg.report.Section("transfer", rows))
    judged = [row for row in rows if row.p is not None]
    assert len(judged) == 16
    assert {found.verdict(row) for row in judged} <= {"same", "undecided"}
    ratios = [row["ratio"] for row in rows if row.at["quantity"] == "time scale"]
    assert len(ratios) == 4
    for ratio in ratios:
        assert abs(float(ratio) - 1.0) < 4.0 * float(ratio.error)


def test_scaled_with_temperature_it_is_not(same_law):
    found = verdicts(same_law, "pressure")
    assert found[2.2, "scaled"] == "different"
    # Where it was made there is nothing to scale, and nothing is run twice.
    assert (1.5, "scaled") not in found
    # The relative entropy says so, too, where the runs overlap.
    row = same_law["relative entropy at T = 1.8, scaled"]
    low, _ = row["regret"].interval()
    assert low > 0.0
    # By definition the integral of the coupling: second order in the change of u/kT, so that the
    # far temperature loses more.
    far = same_law["relative entropy at T = 2.2, scaled"]
    assert float(far["regret"]) > float(row["regret"])


def test_a_report_with_it_prints_saves_and_comes_back(references, same_law, tmp_path):
    report = rg.compare(references[1.5], references[1.5], [Pressure()]).with_section(same_law)
    again = Report.from_json(report.to_json())
    assert again == report
    assert again.to_json() == report.to_json()
    assert again.check() == report.check()
    assert again.section("transfer").notes == same_law.notes
    text = str(report)
    assert str(again) == text
    assert max(map(len, text.splitlines())) <= 100
    assert max(map(len, str(same_law).splitlines())) <= 100
    untested = [line for line in report.limits if "never tested there" in line]
    assert len(untested) == 1
    assert untested[0].startswith("Below T = 1.2, above T = 2.2")
    assert any(line.startswith("At T = 2.2 (scaled): ") for line in report.limits)
    assert not any(line.startswith("At T = 2.2: ") for line in report.limits)
    assert "Transfer: T = 1.2 kept; T = 1.5 kept; T = 1.8 kept; T = 2.2 kept." in report.headline
    source = report.save(tmp_path / "report.html").read_text()
    for quantity in ("RDF A-A", "pressure", "diffusion", "relative entropy", "time scale"):
        assert f"{quantity} against temperature" in source


def test_figures_show_both_sides_against_temperature(same_law):
    axes = same_law.plot(quantity="pressure")
    points = {bars.get_label(): len(bars.lines[0].get_xdata()) for bars in axes.containers}
    assert points == {"fine": 4, "coarse": 4, "scaled": 3}
    assert axes.get_ylabel() == "pressure"
    assert same_law.plot().get_ylabel() == "RDF A-A rms"
    assert (
        same_law.plot(quantity="relative entropy").get_ylabel() == "relative entropy regret / nats"
    )
    with pytest.raises(RegrainError, match="no 'viscosity' at other temperatures, but RDF A-A"):
        same_law.plot(quantity="viscosity")


# ------------------------------------------------------------------- exact answers


def test_a_hidden_degree_of_freedom_makes_the_potential_depend_on_temperature():
    made, warm = 0.5, 2.0
    exact = {t: partial(hidden, t=t) for t in (made, warm)}
    fine = {t: drawn(exact[t], t, seed=7 + k) for k, t in enumerate(exact)}
    moved = rg.transfer(
        bond_model(exact[made], made),
        start(length=1.7),
        temperatures=[made, warm],
        observables=[LENGTHS, squared_length],
        fine=fine,
        time=900.0,
        every=3.0,
        seed=2,
        scaled=True,
        **RUN,
    )
    found = verdicts(moved, "squared length")
    assert found == {(made, ""): "same", (warm, ""): "different", (warm, "scaled"): "different"}
    curves = verdicts(moved, "bond lengths A-A")
    assert curves[made, ""] == "same"
    assert curves[warm, ""] == "different"
    # Each side is what it must be by quadrature: the fine with its own free energy, the coarse with
    # that of the other temperature, scaled or not.
    row = moved[f"squared length at T = {warm:g}"]
    scaled = moved[f"squared length at T = {warm:g}, scaled"]
    for side, value in (
        (row.fine, moment(exact[warm], warm)),
        (row.coarse, moment(exact[made], warm)),
        (scaled.coarse, moment(exact[made], made)),
    ):
        assert abs(float(side) - value) < 4.0 * float(side.error)
        assert float(side.error) < 0.06 * value
    said = [line for line in of_section(moved).limits if line.startswith("At T = 2")]
    assert len(said) == 2
    assert all("squared length" in line for line in said)


def squared_length(trace):
    """<r²> of the dimers: one number per frame, frames nearly independent."""
    found = []
    for state in trace:
        way = state.positions[1::2] - state.positions[::2]
        way -= BOX * np.round(way / BOX)
        found.append(np.mean(np.sum(way**2, axis=1)))
    mean, spread, n = np.mean(found), np.std(found, ddof=1), len(found)
    return rg.Estimate("squared length", mean, spread / np.sqrt(n), n_eff=n, dof=n - 1)


def gaussian(t, b2=1.0):
    """The spring of an ideal chain, all entropy: u = 3 t r² / 2 b², the same lengths at any t."""
    return ForceField(
        {("A", "A"): None}, bonds={("A", "A"): HarmonicBond(k=3.0 * t / b2, r0=0.0)}, temperature=t
    )


@pytest.fixture(scope="module")
def springs():
    fine = {t: drawn(lambda r, t=t: 1.5 * t * r**2, t, seed=3) for t in (1.0, 1.2)}
    return rg.transfer(
        {"spring": gaussian(1.0)},
        start(),
        temperatures=[1.2],
        observables=[LENGTHS],
        fine={1.2: fine[1.2]},
        time=900.0,
        every=3.0,
        seed=4,
        scaled=True,
        **RUN,
    )


def test_a_potential_that_is_all_entropy_has_to_be_scaled(springs):
    found = verdicts(springs, "bond lengths A-A")
    assert found[1.2, "spring, scaled"] == "same"
    regret = springs["relative entropy at T = 1.2, spring, scaled"]["regret"]
    # KL of two Gaussians whose variances differ by s = T2 / T1, in three dimensions; per particle,
    # two of which are a dimer. The scaled spring is exact, so its regret is minus that.
    s = 1.2
    exact = -0.5 * 1.5 * (1.0 / s - 1.0 + np.log(s))
    assert abs(float(regret) - exact) < 3.0 * float(regret.error)
    assert float(regret.error) < 0.3 * abs(exact)
    assert not regret.flags


def test_models_by_name_are_told_apart_and_the_one_made_there_is_the_reference():
    fine = {
        t: drawn(lambda r, t=t: 1.5 * t * r**2, t, seed=9 + k) for k, t in enumerate((1.0, 2.0))
    }
    moved = rg.transfer(
        {"cold": gaussian(1.0), "warm": gaussian(2.0)},
        start(),
        temperatures=[1.0, 2.0],
        observables=[LENGTHS],
        fine=fine,
        time=600.0,
        every=3.0,
        seed=4,
        **RUN,
    )
    found = verdicts(moved, "bond lengths A-A")
    assert found == {
        (1.0, "cold"): "same",
        (1.0, "warm"): "different",
        (2.0, "cold"): "different",
        (2.0, "warm"): "same",
    }
    names = [row.name for row in moved.rows if row.at["quantity"] == "relative entropy"]
    assert names == ["relative entropy at T = 1, warm", "relative entropy at T = 2, cold"]
    for name, s in zip(names, (0.5, 2.0), strict=True):
        row = moved[name]
        exact = 0.5 * 1.5 * (s - 1.0 - np.log(s)) if s < 1 else 0.5 * 1.5 * (1 / s - 1 + np.log(s))
        low, high = row["regret"].interval()
        assert low - 0.02 < exact < high + 0.02
        assert any("beyond that of" in flag for flag in row.flags)


# ------------------------------------------------------------------- runs


def short(**changes):
    given = {
        "temperatures": [1.0, 2.0],
        "observables": [LENGTHS, Energy()],
        "time": 20.0,
        "every": 0.3,
        "seed": 1,
        **RUN,
    }
    return rg.transfer(gaussian(1.0), start(), **{**given, **changes})


def test_a_run_that_goes_wrong_costs_its_own_rows_only():
    grid = np.linspace(0.0, 2.0, 101)
    bond = TableBond(r_min=0.0, r_max=2.0, points=101, energy=10.0 * grid**2)
    brittle = ForceField({("A", "A"): None}, bonds={("A", "A"): bond}, temperature=1.0)
    moved = rg.transfer(
        brittle,
        start(length=0.3),
        temperatures=[1.0, 20.0],
        observables=[LENGTHS, Energy()],
        known={20.0: {"potential energy": 10.0}},
        time=20.0,
        seed=1,
        **RUN,
    )
    assert moved["potential energy at T = 1"].coarse.defined
    row = moved["potential energy at T = 20"]
    assert row.fine.defined
    assert "the run at T = 20 failed: " in row.reason
    report = of_section(moved)
    assert report.verdict(row) == "undefined"
    assert any("the run at T = 20 failed" in line for line in report.limits)
    assert Report.from_json(report.to_json()) == report


def test_a_workdir_is_gone_on_with_to_the_same_bits(tmp_path, monkeypatch):
    whole = short()
    work = tmp_path / "moved"
    run = ForceField.run
    calls = []

    def stopped(self, state, **given):
        calls.append(given["seed"])
        if len(calls) == 2:  # the second run is interrupted half way
            run(self, state, **{**given, "time": 0.5 * given["time"]})
            raise KeyboardInterrupt
        return run(self, state, **given)

    monkeypatch.setattr(ForceField, "run", stopped)
    with pytest.raises(KeyboardInterrupt):
        short(workdir=work)
    monkeypatch.setattr(ForceField, "run", run)
    assert len(list(work.glob("run-*.npz"))) == 2
    assert short(workdir=work).to_dict() == whole.to_dict()
    # Another temperature leaves the others as they were; another seed is another run.
    more = short(workdir=work, temperatures=[1.0, 1.5, 2.0])
    assert len(list(work.glob("run-*.npz"))) == 3
    for row in whole.rows:
        assert more[row.name].to_dict() == row.to_dict()
    short(workdir=work, seed=2)
    assert len(list(work.glob("run-*.npz"))) == 5


def test_an_executor_does_the_same():
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert short(executor=pool).to_dict() == short().to_dict()


def test_an_observable_with_a_temperature_gets_that_of_the_run():
    gas = ForceField({("A", "A"): None}, temperature=1.0)
    rng = np.random.default_rng(5)
    cloud = [Particles(rng.random((108, 3)) * 6.0, box=[6.0] * 3) for _ in range(200)]
    moved = rg.transfer(
        gas,
        cloud[0],
        temperatures=[2.0],
        observables=[Compressibility(1.0)],
        fine={2.0: rg.Trace(cloud, times=np.arange(200.0))},
        **{**RUN, "time": 400.0},
    )
    row = moved["compressibility at T = 2"]
    for side in (row.fine, row.coarse):  # of an ideal gas: one over its pressure
        assert abs(float(side) - 0.5 * 216 / 108) < 4.0 * float(side.error)
        assert float(side.error) < 0.1


def test_each_temperature_has_the_box_of_its_state():
    gas = ForceField({("A", "A"): None}, temperature=1.0)
    states = {1.0: fcc(cells=3, density=0.2), 2.0: fcc(cells=3, density=0.1)}
    moved = rg.transfer(
        gas,
        states,
        temperatures=[2.0, 1.0],
        observables=[Density(), Pressure()],
        fine={2: rg.Trace([fcc(cells=3, density=0.3)] * 20, times=np.arange(20.0))},
        known={1: {"pressure": (0.2, 0.001)}},
        **{**RUN, "time": 50.0},
    )
    assert float(moved["density at T = 1"].coarse) == pytest.approx(0.2)
    assert float(moved["density at T = 2"].coarse) == pytest.approx(0.1)
    assert verdicts(moved, "pressure")[1.0, ""] == "same"  # an ideal gas: density times temperature
    failed = [check for check in moved.checks if check.passed is False]
    assert [check.name for check in failed] == ["density"]
    assert "T = 2: fine 0.3, coarse 0.1" in failed[0].text
    assert moved["density at T = 1"].reason == "fine: no fine trace at T = 1 was given"


# ------------------------------------------------------------------- what is given wrong

OTHER = rg.Trace(
    [Particles([[0, 0, 0], [1, 1, 1]], box=[9] * 3, topology=Topology(["B", "B"]))] * 2,
    times=[0, 1],
)
MISTAKES = {
    "no temperature": ({"temperatures": []}, r"temperatures: got \[\], expected positive numbers"),
    "negative": ({"temperatures": [1.0, -1.0]}, r"temperatures: got \[1.0, -1.0\]"),
    "a number": ({"temperatures": 300.0}, "temperatures: got 300.0, expected positive numbers"),
    "twice": ({"temperatures": [1.0, 1.0]}, "one is named twice"),
    "words": ({"temperatures": ["cold"]}, "temperatures: got"),
    "fine of other types": (
        {"fine": {1.0: OTHER}},
        "fine at T = 1: the fine trace has particles of",
    ),
    "fine elsewhere": ({"fine": {3.0: OTHER}}, "fine: 3.0 is not one of the temperatures 1, 2"),
    "fine is a trace": ({"fine": OTHER}, "fine: got Trace, expected a mapping from temperature"),
    "known elsewhere": ({"known": {3.0: {}}}, "known: 3.0 is not one of the temperatures 1, 2"),
    "known by name": ({"known": {"pressure": 1.0}}, "known: 'pressure' is not one of the temp"),
    "known of nothing": ({"known": {1.0: {"pressure": 1.0}}}, "no observable is called pressure"),
    "no observables": ({"observables": []}, "observables: the list is empty"),
    "no thermostat": ({"dynamics": NVE()}, r"NVE\(\) does not follow the temperature"),
    "fixed": ({"dynamics": Langevin(temperature=1.0)}, "does not follow the temperature"),
    "no time": ({"time": 0.0}, "time: got 0.0, expected a positive number"),
    "before": ({"equilibration": -1.0}, "equilibration: got -1.0"),
    "every": ({"every": 50.0}, "no frame would be kept"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_told_before_anything_runs(case, monkeypatch):
    changes, message = MISTAKES[case]
    monkeypatch.setattr(ForceField, "run", lambda *_, **__: pytest.fail("it ran"))
    with pytest.raises(RegrainError, match=message):
        short(**changes)


def test_mistakes_in_model_and_state(tmp_path):
    more = {"temperatures": [1.0, 2.0], "observables": [LENGTHS], "time": 1.0, **RUN}
    with pytest.raises(RegrainError, match="model: got LennardJones, expected a ForceField"):
        rg.transfer(LennardJones(epsilon=1, sigma=1, cutoff=2), start(), **more)
    with pytest.raises(RegrainError, match="the mapping is empty"):
        rg.transfer({}, start(), **more)
    with pytest.raises(RegrainError, match=r"got the name 1\.0, expected a text"):
        rg.transfer({1.0: gaussian(1.0)}, start(), **more)
    with pytest.raises(RegrainError, match="nothing to start from at 2; give a state for each"):
        rg.transfer(gaussian(1.0), {1.0: start()}, **more)
    with pytest.raises(RegrainError, match="expected Particles; of a trace take a frame"):
        rg.transfer(gaussian(1.0), OTHER, **more)
    with pytest.raises(RegrainError, match="pair B-B, for which the force field has no potential"):
        rg.transfer(gaussian(1.0), OTHER[0], **more)
    with pytest.raises(RegrainError, match="does not say which temperature it was made for"):
        rg.transfer(gaussian(1.0).replace(temperature=None), start(), scaled=True, **more)
    (tmp_path / "file").touch()
    with pytest.raises(RegrainError, match="is a file; give a directory"):
        rg.transfer(gaussian(1.0), start(), workdir=tmp_path / "file", **more)


def test_names_of_models_may_be_long():
    where = {"temperatures": [1.5], "observables": [Pressure()], "time": 0.3, "dt": 0.003}
    moved = rg.transfer({"x" * 75: LJ}, LIQUID, progress=False, **where)
    assert moved.rows[0].coarse.defined
