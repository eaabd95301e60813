"""Reports of real runs and a real fit."""

from itertools import combinations

import numpy as np
import pytest

import regrain as rg
from regrain.observables import RDF, Angles, Density, Diffusion, Energy, Pressure, measure
from regrain.particles import ForceField, LennardJones, Table, fcc
from regrain.report import Report, compare_estimates
from regrain.report.fitting import history_of
from regrain.report.measuring import parts

START = fcc(cells=4, density=0.7)
OBSERVABLES = [RDF(r_max=2.2, bins=44), Pressure(), Energy(), Density(), Diffusion()]


def liquid(seed, epsilon=1.0, time=40.0):
    pair = LennardJones(epsilon=epsilon, sigma=1.0, cutoff=2.2, mode="shifted")
    field = ForceField(pairs={("A", "A"): pair}, temperature=1.5)
    trace = field.run(START, time=time, dt=0.005, every=0.2, seed=seed, progress=False)
    return trace[len(trace) // 4 :]


@pytest.fixture(scope="module")
def reference():
    return liquid(seed=1)


def verdicts(report):
    return {row.name: report.verdict(row) for row in report.section("observables").rows}


def test_two_runs_of_one_model_agree(reference):
    report = rg.compare(reference, liquid(seed=2), OBSERVABLES)
    assert set(verdicts(report).values()) == {"same"}
    low, high = report["time scale"]["ratio"].interval()
    middle, reach = (low + high) / 2, (high - low) / 2
    assert abs(middle - 1.0) < 2.0 * reach
    assert report["wall time per sample"].get("speed-up") > 0
    failed = [check for check in report.check() if check.passed is False]
    assert [check.name for check in failed if check.name not in ("independent samples",)] == []


def test_another_model_does_not(reference):
    found = verdicts(report := rg.compare(reference, liquid(seed=3, epsilon=0.7), OBSERVABLES))
    # Less attraction by 30 %: the structure of this dense liquid hardly cares, the pressure does.
    assert found["pressure"] == "different"
    assert found["potential energy"] == "different"
    assert found["RDF A-A"] in ("close", "different")
    assert found["density"] == "same"
    assert any(line.startswith("For pressure") for line in report.limits)


@pytest.fixture(scope="module")
def fit(reference):
    form = Table(r_min=0.85, r_max=2.2, points=55)
    fit = rg.fits.IBI(
        pairs={("A", "A"): form}, temperature=1.5, iterations=2, time=5.0, dt=0.005, seed=1
    )
    return fit(reference, progress=False)


def test_a_fit_becomes_part_of_its_report(reference, fit, tmp_path):
    coarse = fit.model.run(START, time=10.0, dt=0.005, every=0.2, seed=4, progress=False)
    report = rg.compare(reference, coarse, [Density()], fit=fit)
    history = report.history
    assert history.iterations == 2
    assert history.columns["RMS"] == [record.rms for record in fit.history]
    curve = history.curves["pair A-A"]
    assert list(curve.coords) == ["iteration", "r"]
    assert np.allclose(curve.value[1], fit.potentials[1]["pair A-A"].energy, atol=1e-12)
    assert Report.from_json(report.to_json()) == report
    assert fit.reason in str(report).replace("\n  ", " ")
    source = report.save(tmp_path / "report.html").read_text()
    assert "Potential pair A-A" in source


def test_a_fit_without_runs_has_one_potential(reference):
    form = Table(r_min=0.85, r_max=2.2, points=55)
    fit = rg.fits.BoltzmannInversion(pairs={("A", "A"): form}, temperature=1.5)
    history = history_of(fit(reference, progress=False))
    assert history.iterations == 0
    assert history.curves["pair A-A"].value.shape == (1, 55)


@pytest.mark.slow
def test_equal_models_are_called_different_as_often_as_asked():
    pair = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.2, mode="shifted")
    field = ForceField(pairs={("A", "A"): pair}, temperature=1.5)
    melt = field.run(fcc(cells=3, density=0.7), time=10.0, dt=0.005, every=10.0, progress=False)
    start = melt[0].replace(velocities=None)
    wanted = [RDF(r_max=2.6, bins=130), Angles(r_max=1.5), Pressure(), Energy(), Diffusion()]
    runs = []
    for seed in range(40):
        trace = field.run(start, time=22.0, dt=0.005, every=0.2, seed=seed, progress=False)
        runs.append([part for e in measure(trace[10:], wanted) for part in parts(e)])
    for name, sides in zip([e.name for e in runs[0]], zip(*runs, strict=True), strict=True):
        p = np.array([compare_estimates(name, *two).p for two in combinations(sides, 2)])
        # 780 pairs of 40 runs: each run counts 39 times, so the rate scatters by 0.02.
        assert 0.005 < np.mean(p < 0.05) < 0.11, name
