"""Every method that fits pairs, from settings to report."""

import warnings

import pytest

import regrain as rg
from regrain.particles import ForceField, LennardJones, fcc
from regrain.report import Report
from regrain.workflow import Config, square
from regrain.workflow.config import methods

TABLE = {"r_min": 0.85, "r_max": 1.6, "points": 26}
SPLINE = {"r_min": 0.85, "r_max": 1.6, "functions": 9}
RUNS = {"iterations": 1, "time": 2.0, "dt": 0.005, "every": 0.02}
SETTINGS = {
    "BoltzmannInversion": (TABLE, {}),
    "IBI": (TABLE, RUNS),
    "IMC": (TABLE, RUNS),
    "HNCGN": (TABLE, RUNS),
    "RelativeEntropy": (SPLINE, RUNS),
    "ForceMatching": (SPLINE, {}),
}


@pytest.fixture(scope="module")
def gas(tmp_path_factory):
    """A trajectory with forces, and its folder."""
    home = tmp_path_factory.mktemp("forced")
    pair = LennardJones(epsilon=1.0, sigma=1.0, cutoff=1.6, mode="shifted")
    law = ForceField({("A", "A"): pair}, temperature=2.0)
    trace = law.run(fcc(cells=3, density=0.4), time=8.0, dt=0.005, every=0.2, progress=False)
    rg.save(trace.map(lambda s: s.replace(forces=law.evaluate(s).forces)), home / "gas.gsd")
    return home


def test_all_methods_for_pairs_are_tried_here():
    assert set(methods()) - {"BondedForms", "ElasticNetwork"} == set(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_square_with_every_method(name, gas, tmp_path):
    form, more = SETTINGS[name]
    config = Config.from_dict(
        {
            "input": {"trajectory": "gas.gsd"},
            "map": {"by": "residue", "name": "G"},
            "fit": {"method": name, "temperature": 2.0, "pairs": {"G-G": form}, **more},
            "run": {"time": 4.0, "dt": 0.005, "every": 0.2, "seed": 1},
            "report": {"observables": {"RDF": {"r_max": 1.9, "bins": 19}, "Pressure": {}}},
            "transfer": {"temperatures": [2.5], "time": 2.0},
        },
        base=gas,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of functions that this short trace does not reach
        done = square(config, workdir=tmp_path, progress=False)
    report = Report.from_json(done.files["report, for programs"].read_text())
    assert report["RDF G-G"].get("rms") < 0.3
    assert report["pressure at T = 2.5"].coarse.defined
    assert report.history is not None
    assert "pair G-G" in report.history.curves
    assert ForceField.load(tmp_path / "model.json") == done.result.model


def test_a_misspelt_method_is_not_another_argument(tmp_path):
    file = tmp_path / "gas.toml"
    file.write_text(
        '[input]\ntrajectory = "gas.gsd"\n[map]\nby = "residue"\n[fit]\nmetod = "IBI"\n[run]\n'
    )
    with pytest.raises(rg.RegrainError, match=r"key of \[fit\]: got 'metod'.*mean 'method'"):
        Config.read(file)
