"""A fit that is killed at any moment goes on, to the same bits."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain.particles import Particles
from tests.fits.conftest import SOFT

SCRIPT = """
import pickle, sys
import regrain as rg
from regrain.particles import Table
target = pickle.load(open("target.pkl", "rb"))
form = Table(r_min=0.0, r_max=2.5, points=126)
fit = rg.fits.HNCGN(pairs={("A", "A"): form}, temperature=1.0, pressure=1.9, seed=7, dt=0.05,
                    time=100.0, iterations=5, tolerance=1e-3)
result = fit(target, workdir="fit", progress=False)
pickle.dump([record.potentials for record in result.history], open("result.pkl", "wb"))
"""


def same_fit(**changes: object) -> rg.fits.HNCGN:
    settings: dict[str, object] = {
        "pairs": {("A", "A"): SOFT},
        "temperature": 1.0,
        "pressure": 1.9,
        "seed": 7,
        "dt": 0.05,
        "time": 100.0,
        "iterations": 5,
        "tolerance": 1e-3,
    }
    return rg.fits.HNCGN(**{**settings, **changes})


@pytest.mark.slow
def test_a_killed_fit_resumes_to_the_same_bits(
    soft_liquid: rg.Trace[Particles], tmp_path: Path
) -> None:
    import pickle

    target = soft_liquid[:60].in_memory()
    (tmp_path / "target.pkl").write_bytes(pickle.dumps(target))
    rng = np.random.default_rng(int(time.time()))  # another moment in every test run
    kills = 0
    for attempt in range(30):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=tmp_path)
        # Wait for one more iteration than there was, then kill anywhere in the next one.
        done = len(list(tmp_path.glob("fit/iteration-*.npz")))
        deadline = time.monotonic() + 60
        while (
            attempt < 3
            and process.poll() is None
            and len(list(tmp_path.glob("fit/iteration-*.npz"))) <= done
            and time.monotonic() < deadline
        ):
            time.sleep(0.01)
        if attempt < 3:
            time.sleep(rng.uniform(0.0, 0.15))
            process.kill()
            kills += process.wait() == -signal.SIGKILL
        elif process.wait() == 0:
            break
    assert kills >= 1
    resumed = pickle.loads((tmp_path / "result.pkl").read_bytes())
    whole = same_fit()(target, progress=False)
    assert len(resumed) == len(whole.history) == 5
    for one, other in zip(resumed, whole.history, strict=True):
        np.testing.assert_array_equal(one["pair A-A"], other.potentials["pair A-A"])


def test_a_finished_fit_is_read_back_and_can_go_on(
    soft_liquid: rg.Trace[Particles], tmp_path: Path
) -> None:
    target = soft_liquid[:60]
    short = {"time": 5.0, "equilibration": 0.0}
    first = same_fit(iterations=1, **short)(target, workdir=tmp_path, progress=False)
    again = same_fit(iterations=1, **short)(target, workdir=tmp_path, progress=False)
    assert str(again) == str(first)
    longer = same_fit(iterations=2, **short)(target, workdir=tmp_path, progress=False)
    assert len(longer.history) == 2
    assert longer.history[0].numbers() == first.history[0].numbers()
    straight = same_fit(iterations=2, **short)(target, progress=False)
    np.testing.assert_array_equal(
        longer.history[1].potentials["pair A-A"], straight.history[1].potentials["pair A-A"]
    )
    np.testing.assert_array_equal(
        longer.history[1].measured["pair A-A"].value,
        straight.history[1].measured["pair A-A"].value,
    )


def test_half_written_files_do_not_count(soft_liquid: rg.Trace[Particles], tmp_path: Path) -> None:
    short = {"time": 5.0, "equilibration": 0.0, "iterations": 1}
    first = same_fit(**short)(soft_liquid[:60], workdir=tmp_path, progress=False)
    (tmp_path / "iteration-002.npz.part").write_bytes(b"half")
    again = same_fit(**short)(soft_liquid[:60], workdir=tmp_path, progress=False)
    assert len(again.history) == 1
    assert again.model == first.model
