"""A run that is killed or interrupted loses nothing that it had written."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regrain.checkpoint import load_arrays

SCRIPT = """
import sys
import regrain.slices as slices
from regrain.particles import CellRescale, ForceField, LennardJones, fcc
slices._CHECKPOINT_SECONDS = {pause}
lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
field = ForceField({{("A", "A"): lj}}, temperature=1.2)
barostat = CellRescale(pressure=1.0, time=1.0, compressibility=0.1)
print("ready", flush=True)
trace = field.run(fcc(4, density=0.7), time={time}, dt=0.004, every=0.4, seed=9,
                  barostat=barostat, checkpoint=sys.argv[1])
import hashlib
digest = hashlib.sha256()
for state in trace:
    digest.update(state.positions.tobytes() + state.velocities.tobytes())
digest.update(trace.log["pressure_tensor"].tobytes() + trace.log["conserved_energy"].tobytes())
print(digest.hexdigest(), trace.provenance["continued"])
"""


def start(path: Path, duration: float, pause: float = 0.0) -> subprocess.Popen[str]:
    """A run in a process of its own, which checkpoints as often as it can."""
    script = SCRIPT.format(time=duration, pause=pause)
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.split()


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole = finish(start(tmp_path / "whole.npz", duration=12.0))
    path = tmp_path / "killed.npz"
    kills = 0
    while kills < 3:
        process = start(path, duration=12.0)
        deadline = time.monotonic() + 60
        changed = path.stat().st_mtime_ns if path.exists() else None
        while time.monotonic() < deadline and process.poll() is None:
            if path.exists() and path.stat().st_mtime_ns != changed:
                break
            time.sleep(0.01)
        time.sleep(0.05 * kills)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        kills += 1
    digest, continued = finish(start(path, duration=12.0))
    assert digest == whole[0]
    assert int(continued) >= 1
    assert whole[1] == "0"


def test_ctrl_c_leaves_a_checkpoint_within_a_second(tmp_path: Path) -> None:
    path = tmp_path / "interrupted.npz"
    process = start(path, duration=200.0, pause=1e9)
    time.sleep(0.5)
    assert not path.exists()
    process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    _, err = process.communicate(timeout=60)
    # A second is the promise; a busy machine is given more.
    assert time.monotonic() - asked < 5.0
    assert "KeyboardInterrupt" in err
    arrays, meta = load_arrays(path)
    assert 0 < arrays["engine.step"] < 50_000
    # The frame of the last step may not have been taken yet: it is when the run goes on.
    assert 0 <= arrays["engine.step"] // 100 - meta["frames"] <= 1
    continued = finish(start(path, duration=200.0))
    assert continued[1] == "1"
    assert continued[0] == finish(start(tmp_path / "whole.npz", duration=200.0, pause=1e9))[0]


@pytest.mark.parametrize("left", [b"", b"PK\x03\x04 half of a zip file"])
def test_a_write_that_was_killed_is_overwritten(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "run.npz"
    path.with_name("run.npz.part").write_bytes(left)
    digest = finish(start(path, duration=0.8))[0]
    assert path.exists()
    assert not path.with_name("run.npz.part").exists()
    assert finish(start(path, duration=0.8))[0] == digest
