"""The command line: single steps do what the library does, and every mistake is one line."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain import cli
from regrain.observables import RDF

SPCE = rg.io.example("spce")
INPUT = [str(SPCE.trajectory), "--topology", str(SPCE.topology), "--frames", ":3"]


@pytest.fixture
def water():
    """Three frames of the shipped water, mapped."""
    fine = rg.load(SPCE.trajectory, topology=SPCE.topology, frames=slice(3))
    return rg.maps.Beads(by="residue", name="W")(fine)


def test_info_names_versions_threads_and_packages(capsys, monkeypatch):
    monkeypatch.setitem(cli.EXTRAS, "no-such-package", "io")
    assert cli.main(["info"]) == 0
    told = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert told["regrain"] == rg.__version__
    assert told["threads"].split()[0] == str(rg._core.threads())
    assert told["no-such-package"] == 'not installed: pip install "regrain[io]"'


def test_fits_are_told_by_name(capsys):
    assert cli.main(["fits"]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = dict(line.split(None, 1) for line in lines)
    assert {"HNCGN", "IBI", "BoltzmannInversion"} <= set(told)
    assert told["HNCGN"].startswith("Gauss-Newton inversion of g(r)")
    assert cli.main(["fits", "IBI"]) == 0
    out = capsys.readouterr().out
    assert "Loses / Assumes" in out
    assert "temperature        must be given\n" in out
    assert "pressure           None\n" in out
    assert "pairs              {}\n" in out
    assert cli.main(["fits", "IBY"]) == 2
    assert "got 'IBY', expected one of" in (err := capsys.readouterr().err)
    assert "did you mean 'IBI'?" in err


def test_cmake_dir_holds_the_package(capsys):
    assert cli.main(["cmake-dir"]) == 0
    prefix = Path(capsys.readouterr().out.strip())
    assert (prefix / "lib/cmake/regrain/regrainConfig.cmake").is_file()


def test_map_writes_what_the_map_gives(tmp_path, capsys, water):
    out = tmp_path / "beads.gsd"
    assert cli.main(["map", *INPUT, "--by", "residue", "--name", "W", "-o", str(out)]) == 0
    told = capsys.readouterr().out
    assert "2180 beads from 6540 of 6540 atoms" in told
    written = rg.load(out)
    apart = (written[2].positions - water[2].positions) / water[2].box.diagonal()
    np.testing.assert_allclose(apart, np.rint(apart), atol=1e-6)  # a GSD box is centred at 0
    assert written[0].topology.type_names == ("W",)


def test_map_takes_a_mapping_file(tmp_path):
    mapping = tmp_path / "oxygen.toml"
    mapping.write_text('[[residues.SOL]]\nname = "O"\natoms = ["OW"]\n')
    out = tmp_path / "oxygen.xyz"
    assert cli.main(["map", *INPUT, "--mapping", str(mapping), "-o", str(out)]) == 0
    fine = rg.load(SPCE.trajectory, topology=SPCE.topology)
    np.testing.assert_allclose(
        rg.load(out)[0].positions % fine[0].box.diagonal(), fine[0].positions[::3], atol=1e-9
    )


def test_rdf_is_that_of_the_library(tmp_path, water):
    table, image = tmp_path / "g.csv", tmp_path / "g.png"
    options = ["--by", "residue", "--name", "W", "--r-max", "1.0", "--bins", "50"]
    assert cli.main(["rdf", *INPUT, *options, "-o", str(table), "--plot", str(image)]) == 0
    rows = list(csv.reader(table.read_text().splitlines()))
    assert rows[0] == ["r / nm", "g W-W", "error W-W"]
    expected = RDF(r_max=1.0, bins=50)(water)
    np.testing.assert_allclose([float(r[1]) for r in rows[1:]], expected.value[0], rtol=1e-8)
    np.testing.assert_allclose([float(r[2]) for r in rows[1:]], expected.error[0], rtol=1e-5)
    assert image.read_bytes().startswith(b"\x89PNG")


def test_rdf_of_atoms_goes_to_stdout_as_far_as_the_box_allows(capsys):
    assert cli.main(["rdf", *INPUT, "--pairs", "O-O", "O-H", "--bins", "10"]) == 0
    rows = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert rows[0] == ["r / nm", "g O-O", "error O-O", "g O-H", "error O-H"]
    assert float(rows[-1][0]) == pytest.approx(1.93 * 0.95, abs=1e-9)


MISTAKES = {
    "nothing": ([], "the following arguments are required: command"),
    "unknown command": (["rum"], "invalid choice: 'rum'"),
    "no trajectory": (["map", "missing.xtc", "--by", "residue", "-o", "a.gsd"], "no such file"),
    "no beads": (["map", *INPUT, "-o", "a.gsd"], "say what the beads are"),
    "no output": (["map", *INPUT, "--by", "residue"], "arguments are required: -o"),
    "output of another kind": (["map", *INPUT, "--by", "residue", "-o", "a.pdf"], "save writes"),
    "two mappings": (["rdf", *INPUT, "--by", "residue", "--mapping", "m.toml"], "not allowed with"),
    "mapping and name": (["rdf", *INPUT, "--mapping", "m.toml", "--name", "W"], "leave out --name"),
    "no mapping file": (["rdf", *INPUT, "--mapping", "missing.toml"], "cannot read missing.toml"),
    "unknown pair": (["rdf", *INPUT, "--pairs", "O-X"], "two of the types H, O"),
    "half a pair": (["rdf", *INPUT, "--pairs", "O"], "two of the types H, O"),
    "beyond half the box": (["rdf", *INPUT, "--r-max", "2.5"], "half"),
    "no numbers": (["rdf", *INPUT, "--r-max", "far"], "invalid float value: 'far'"),
    "frames by name": (["rdf", *INPUT[:3], "--frames", "first"], 'expected "start:stop"'),
    "no threads": (["rdf", *INPUT, "--threads", "0"], "expected a number of at least 1"),
    "selection of nothing": (["rdf", *INPUT, "--select", "resname XYZ"], "XYZ"),
    "folder that is not there": (["rdf", *INPUT, "-o", "no/where.csv"], "no/where.csv: No such"),
    "no such engine": (["demo", "--engine", "lamps"], "--engine: engine: got 'lamps'"),
    "no config": (["run", "missing.toml"], "cannot read missing.toml: No such file"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_one_line(case, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, message = MISTAKES[case]
    assert cli.main(arguments) == 2
    told = capsys.readouterr()
    lines = told.err.splitlines()
    assert len(lines) == 1, told.err
    assert lines[0].startswith("regrain: ")
    assert message in lines[0]
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("default")
def test_notes_are_one_line_each(tmp_path, capsys):
    twins = tmp_path / "twins.toml"
    bead = '[[residues.SOL]]\nname = "{}"\natoms = ["OW"]\n'
    twins.write_text(bead.format("A") + bead.format("B"))
    out = str(tmp_path / "twins.gsd")
    assert cli.main(["map", *INPUT, "--mapping", str(twins), "-o", out]) == 0
    notes = capsys.readouterr().err.splitlines()
    assert [n for n in notes if n.startswith("regrain: note: forces are not mapped: bead 0 (A")]


def test_an_interrupt_ends_with_130():
    # A process of its own, interrupted as a terminal does it.
    code = (
        "import sys, time; from regrain import cli\n"
        "def slow(_):\n    print('on', flush=True)\n    time.sleep(30)\n"
        "cli._info = slow\nsys.exit(cli.main(['info']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "on\n"
    start = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told == "regrain: interrupted; what was finished is kept\n"
    assert time.monotonic() - start < 5


def test_a_bar_changes_nothing(tmp_path, capsys, monkeypatch):
    plain, shown = tmp_path / "plain.csv", tmp_path / "shown.csv"
    options = ["rdf", *INPUT, "--r-max", "1.0", "-o"]
    assert cli.main([*options, str(plain)]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert cli.main([*options, str(shown)]) == 0
    assert "frame" in capsys.readouterr().err
    assert shown.read_text() == plain.read_text()
