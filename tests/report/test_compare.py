"""rg.compare sees what differs, does not see what does not, and survives what fails."""

import numpy as np
import pytest

import regrain as rg
from regrain.errors import RegrainError
from regrain.observables import RDF, Density, Estimate
from tests.report.clouds import by_axis, cloud, failing, histogram, mean

OBSERVABLES = [mean, histogram, by_axis]


def constant(name, value, error=None, **more):
    def observable(trace):
        return Estimate(name, value, error, **more)

    return observable


def verdicts(report):
    return {row.name: report.verdict(row) for row in report.section("observables").rows}


def test_a_trace_is_not_different_from_itself():
    trace = cloud(1)
    report = rg.compare(trace, trace, OBSERVABLES)
    assert set(verdicts(report).values()) == {"same"}
    assert all(row.get("sigmas") == 0.0 for row in report.section("observables").rows)
    # But it says that this is too good to be true.
    assert any(check.name == "scatter" and not check.passed for check in report.check())


def test_two_seeds_of_one_law_are_rarely_called_different():
    alarms = 0
    for seed in range(100):
        report = rg.compare(cloud(2 * seed, frames=60), cloud(2 * seed + 1, frames=60), OBSERVABLES)
        alarms += not {"different", "close"}.isdisjoint(verdicts(report).values())
    # At most 5 % of the reports; 12 of 100 would happen with probability 0.4 %.
    assert alarms <= 11


def test_a_shift_is_seen_and_measured():
    report = rg.compare(cloud(1), cloud(2, shift=0.3), OBSERVABLES)
    row = report["x"]
    assert report.verdict(row) == "different"
    low, high = row["difference"].interval()
    assert low < 0.3 < high
    # 200 frames of 20 particles: the error of one side is 1/sqrt(4000), of the difference √2 more.
    assert float(row["difference"].error) == pytest.approx(np.sqrt(2 / 4000), rel=0.15)
    assert report.verdict(report["density"]) == "different"
    assert report["density"].get("chi2") > 3.0
    assert {report.verdict(report[f"mean {axis}"]) for axis in "xyz"} == {"different"}
    assert report.worst is not None


def test_a_significant_difference_below_the_tolerance_is_close():
    fine, coarse = constant("a", 100.0, 0.01), constant("a", 101.0, 0.01)
    trace = cloud(1)
    for tolerance, verdict in ((0.05, "close"), (0.001, "different")):
        both = iter([fine, coarse])
        report = rg.compare(trace, trace, [lambda t, b=both: next(b)(t)], tolerance=tolerance)
        assert report.verdict(report["a"]) == verdict


def test_exact_numbers_differ_or_not():
    sides = iter([Estimate("a", 3.0, kind="exact"), Estimate("a", 4.0, kind="exact")])
    report = rg.compare(cloud(1), cloud(2), [lambda trace: next(sides)])
    assert report.verdict(report["a"]) == "different"
    assert rg.Report.from_json(report.to_json()) == report
    assert "∞" in str(report)
    report.plot()


def test_labels_become_rows():
    report = rg.compare(cloud(1), cloud(2), [by_axis])
    assert [row.name for row in report.section("observables").rows] == [
        "mean x",
        "mean y",
        "mean z",
    ]


def test_a_failing_observable_costs_only_its_own_row():
    report = rg.compare(cloud(1), cloud(2), [failing, mean])
    assert report.verdict(report["failing"]) == "undefined"
    assert "ZeroDivisionError" in report["failing"].reason
    assert report["x"].defined


def test_an_observable_that_refuses_gives_its_reason():
    def pressure(trace):
        if "pressure" not in trace.log:
            raise RegrainError("the trace holds no virial")
        return Estimate("pressure", trace.log["pressure"].mean(), 1.0, unit="bar")

    fine, coarse = cloud(1), cloud(2, log={"pressure": np.full(200, -49.0)})
    report = rg.compare(fine, coarse, [pressure])
    assert report["pressure"].reason == "fine: the trace holds no virial"
    assert "the trace holds no virial" in str(report)
    as_list = rg.compare(fine, coarse, [pressure], known={"pressure": [-60.0, 20.0]})
    given = rg.compare(fine, coarse, [pressure], known={"pressure": (-60.0, 20.0)})
    assert given == as_list
    row = given["pressure"]
    assert float(row["difference"]) == 11.0
    assert float(row["difference"].error) == pytest.approx(np.hypot(20.0, 1.0))
    assert row.fine.unit == "bar"
    assert given.verdict(row) == "same"


def test_known_without_an_error_gives_a_difference_but_no_verdict():
    report = rg.compare(cloud(1), cloud(2), [mean], known={"x": 5.0})
    assert report.verdict(report["x"]) == ""
    assert "error bar" in str(report["x"].flags)


def test_known_may_be_a_measured_function_on_another_grid():
    x = np.linspace(2.5, 7.5, 50)
    # 20 particles of a normal distribution of spread 1, counted in bins of 0.2.
    law = 20 * 0.2 * np.exp(-0.5 * (x - 5.0) ** 2) / np.sqrt(2 * np.pi)
    law = Estimate("density", law, kind="exact", coords={"x": x}, coord_units={"x": "nm"})
    report = rg.compare(cloud(1), cloud(2), [histogram], known={"density": law})
    assert report.verdict(report["density"]) == "same"
    assert report["density"].get("chi2") == pytest.approx(1.0, abs=0.6)


def test_known_names_one_of_several_labels():
    report = rg.compare(cloud(1), cloud(2), [by_axis], known={"mean y": (9.0, 0.1)})
    assert report.verdict(report["mean x"]) == "same"
    assert report.verdict(report["mean y"]) == "different"


def test_observables_of_one_name_are_told_apart():
    report = rg.compare(cloud(1), cloud(2), [constant("a", 1.0), constant("a", 2.0)])
    assert float(report["a"].fine) == 1.0
    assert float(report["a (2)"].fine) == 2.0


def test_other_units_or_shapes_of_an_observable_are_undefined():
    def odd(trace):
        return Estimate("a", 1.0, unit="nm" if trace[0].positions[0, 0] > limit else "bar")

    fine, coarse = cloud(1), cloud(2)
    limit = (fine[0].positions[0, 0] + coarse[0].positions[0, 0]) / 2
    row = rg.compare(fine, coarse, [odd])["a"]
    assert "unit" in row.reason


def test_speed_up_is_wall_time_per_effective_sample():
    fine = cloud(1, provenance={"wall_time": 100.0})
    coarse = cloud(2, frames=400, provenance={"wall_time": 5.0})
    row = rg.compare(fine, coarse, [mean])["wall time per sample"]
    assert float(row.fine) == 0.5
    assert float(row.coarse) == 5.0 / 400
    assert float(row["speed-up"]) == pytest.approx(40.0)


def test_half_of_a_run_costs_half_of_its_time():
    run = {"wall_time": 8.0, "steps": 2000, "dt": 0.1}  # 200 frames, one per unit of time
    coarse = cloud(2, provenance=run)
    fine = cloud(1, provenance={"wall_time": 8.0})
    for part, seconds in ((coarse, 8.0), (coarse[100:], 4.0), (coarse[::2], 8.0)):
        row = rg.compare(fine, part, [mean])["wall time per sample"]
        assert float(row.coarse) * len(part) == pytest.approx(seconds)


def test_speed_up_without_times_says_why_and_can_be_given_one():
    fine, coarse = cloud(1), cloud(2, provenance={"wall_time": 2.0})
    row = rg.compare(fine, coarse, [mean])["wall time per sample"]
    assert "known={'wall_time'" in row.reason
    row = rg.compare(fine, coarse, [mean], known={"wall_time": 20})["wall time per sample"]
    assert float(row["speed-up"]) == pytest.approx(10.0)


def test_the_clock_is_the_ratio_of_diffusion_constants():
    sides = iter([(0.0025, 0.0001), (0.0100, 0.0003)])

    def diffusion(trace):
        return Estimate("diffusion", *next(sides), unit="nm^2/ps")

    report = rg.compare(cloud(1), cloud(2), [diffusion])
    ratio = report["time scale"]["ratio"]
    assert float(ratio) == pytest.approx(4.0)
    # d ln(a/b) = sqrt((da/a)² + (db/b)²)
    assert float(ratio.error) == pytest.approx(4.0 * np.hypot(0.04, 0.03))
    assert any("4.0" in line and "Clock" in line for line in report.headline)
    assert any("times and rates" in line for line in report.limits)


def test_a_clock_that_cannot_be_told_is_undefined():
    report = rg.compare(cloud(1), cloud(2), [mean])
    assert "Diffusion()" in report["time scale"].reason
    report = rg.compare(cloud(1), cloud(2), [constant("diffusion", 0.1, 0.2)])
    assert "not clearly above zero" in report["time scale"].reason


def test_another_state_point_fails_a_check():
    report = rg.compare(cloud(1), cloud(2, n=30), [mean])
    failed = {check.name for check in report.check() if check.passed is False}
    assert failed == {"density", "mass", "particles"}
    assert any("density" in line for line in report.limits)


def test_temperatures_are_compared_where_they_are_known():
    hot = cloud(1, log={"temperature": np.random.default_rng(1).normal(350.0, 5.0, 200)})
    named = {"temperature": 300.0}
    by_name = {c.name: c for c in rg.compare(cloud(2), hot, [mean], known=named).check()}
    assert by_name["temperature"].passed is False
    by_name = {c.name: c for c in rg.compare(cloud(2), hot, [mean]).check()}
    assert by_name["temperature"].passed is None


@pytest.mark.parametrize(("temperature", "passed"), [(302.0, True), (309.0, False)])
def test_a_run_that_heats_up_fails_a_check(temperature, passed):
    log = {"temperature": np.full(200, temperature)}
    hot = cloud(2, log=log, provenance={"model": {"temperature": 300.0}})
    by_name = {c.name: c for c in rg.compare(cloud(1), hot, [mean]).check()}
    assert by_name["thermostat"].passed is passed


def test_a_drifting_run_fails_a_check():
    drift = np.random.default_rng(1).normal(size=200) + np.linspace(0, 3, 200)
    report = rg.compare(cloud(1), cloud(2, log={"potential_energy": drift}), [mean])
    assert any(c.name == "stationary" and c.passed is False for c in report.check())


GOOD = cloud(1, frames=3)


class Named:
    """An observable that tells its name before it is evaluated."""

    name = "pressure"

    def __call__(self, trace):
        raise AssertionError("the names are checked before the work")


NAMED = Named()


def test_what_is_known_must_fit_or_costs_its_own_row_only():
    report = rg.compare(
        cloud(1), cloud(2), [mean, histogram], known={"density": (1.0, 0.1), "y": 2}
    )
    assert "shape" in report["density"].reason
    assert report["x"].defined
    assert any(c.name == "known" and not c.passed and "y" in c.text for c in report.check())


@pytest.mark.parametrize(
    ("fine", "coarse", "observables", "more", "message"),
    [
        (GOOD[0], GOOD, [mean], {}, "fine: got Particles, expected a Trace"),
        (GOOD, [GOOD[0]], [mean], {}, "coarse: got list, expected a Trace"),
        (GOOD, cloud(1, frames=3, units="reduced"), [mean], {}, "units 'md', the coarse"),
        (cloud(1, frames=3, types="OW"), GOOD, [mean], {}, "map the fine trace first"),
        (GOOD, GOOD, [], {}, "the list is empty"),
        (GOOD, GOOD, mean, {}, "expected a list"),
        (GOOD, GOOD, [Estimate], {}, "Estimate is a class; give an instance"),
        (GOOD, GOOD, ["rdf"], {}, "'rdf' cannot be called"),
        (GOOD, GOOD, [NAMED], {"known": {"presure": 1.0}}, "no observable is called presure"),
        (GOOD, GOOD, [mean], {"known": {"x": "low"}}, r"expected \(value, error\)"),
        (GOOD, GOOD, [mean], {"known": {"x": (1.0, -2.0)}}, "expected .value, error."),
        (GOOD, GOOD, [mean], {"known": {"x": float("nan")}}, "expected .value, error."),
        (GOOD, GOOD, [mean], {"known": {"x": (1.0, 2.0, 3.0)}}, "expected .value, error."),
        (GOOD, GOOD, [mean], {"known": {"wall_time": -3.0}}, "expected a positive number"),
        (GOOD, GOOD, [mean], {"known": {"temperature": (0.0, 1.0)}}, "expected a positive"),
        (GOOD, GOOD, [mean], {"tolerance": 5}, "a share of the fine value"),
        (GOOD, GOOD, [mean], {"fit": 3}, "expected the Result of a fit"),
    ],
)
def test_bad_input_is_refused_in_words(fine, coarse, observables, more, message):
    with pytest.raises(RegrainError, match=message):
        rg.compare(fine, coarse, observables, **more)


def test_an_observable_that_gives_no_estimate_is_undefined():
    def number(trace):
        return 3.0

    row = rg.compare(GOOD, GOOD, [number])["number"]
    assert "float, not an Estimate" in row.reason


def test_observables_share_one_pass_and_one_that_fails_leaves_it():
    class Counted(list):
        reads = 0

        def __iter__(self):
            Counted.reads += 1
            return super().__iter__()

    def counted(seed):
        trace = cloud(seed, frames=20)
        return rg.Trace(Counted(trace.frames), times=trace.times)

    report = rg.compare(counted(1), counted(2), [RDF(r_max=4.0), Density()])
    assert Counted.reads == 2
    assert report.verdict(report["density"]) == "same"
    report = rg.compare(
        counted(1), counted(2), [RDF(r_max=40.0), Density()], known={"Density": 0.02}
    )
    assert report["RDF"].reason.startswith("fine: ")
    assert float(report["density"].fine) == 0.02


def test_what_only_a_family_of_rows_excuses_is_undecided():
    # 2.5 sigma have p = 0.0124: different alone, but not as the worst of ten rows (Holm: 0.124).
    def fixed(name, value):
        return lambda trace: Estimate(name, value if trace is coarse else 0.0, 1.0 / np.sqrt(2.0))

    fine, coarse = cloud(1), cloud(2)
    shifted = fixed("shifted", 2.5)
    alone = rg.compare(fine, coarse, [shifted])
    assert alone.verdict(alone["shifted"]) == "different"
    many = rg.compare(fine, coarse, [shifted, *(fixed(f"row {k}", 0.1) for k in range(9))])
    assert many.verdict(many["shifted"]) == "undecided"
    assert many.verdict(many["row 3"]) == "same"
    assert any(line.startswith("Undecided: shifted") for line in many.headline)
