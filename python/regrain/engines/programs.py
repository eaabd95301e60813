"""Programs of packages and their processes: found, watched, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

__all__ = ["of_package", "run"]

# Between two looks at a process, which a short run should not wait for.
SHORTEST, LONGEST = 0.005, 0.2
# How long a process may take to end when it is asked to, before it is ended.
PATIENCE = 5.0
# Linux ends a process with its parent if it is asked to (PR_SET_PDEATHSIG), which the process has
# to do itself: this becomes the program. (preexec_fn is not for processes with threads.)
TIED = (
    "import ctypes, os, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGTERM); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


def of_package(package: str, *names: str) -> Path | None:
    """The first file of these names (with the end of their path) that a package brought.

    Examples
    --------
    >>> from regrain.engines.programs import of_package
    >>> of_package("numpy", "numpy/version.py").name
    'version.py'
    >>> of_package("no-such-package", "lmp")
    """
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        return None
    for name in names:
        for file in files:
            found = Path(str(file.locate())).resolve() if file.match(name) else None
            if found is not None and found.is_file():
                return found
    return None


def run(
    command: Sequence[str],
    *,
    directory: Path,
    output: Path,
    environment: Mapping[str, str] | None = None,
    watch: Callable[[], None] | None = None,
) -> int:
    """Run a program to its end; whatever stops us ends it, too, and all that it started.

    Parameters
    ----------
    command : sequence of str
    directory : path
        Where it runs.
    output : path
        Gets what it prints.
    environment : mapping, optional
        Variables in addition to ours.
    watch : callable, optional
        Called now and then.

    Returns
    -------
    int
        Its exit status.

    Examples
    --------
    >>> from pathlib import Path
    >>> from regrain.engines.programs import run
    >>> run(["echo", "done"], directory=Path("."), output=Path("out.txt"))
    0
    >>> Path("out.txt").read_text()
    'done\\n'
    """
    tied = [sys.executable, "-I", "-S", "-c", TIED] if sys.platform == "linux" else []
    with open(output, "wb") as screen:
        # In a session of its own, so that the group can be ended whole, and Ctrl-C is ours alone.
        process = subprocess.Popen(
            [*tied, *command],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=screen,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        pause = SHORTEST
        try:
            while True:
                try:
                    return process.wait(pause)
                except subprocess.TimeoutExpired:
                    pause = min(2.0 * pause, LONGEST)
                if watch is not None:
                    watch()
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children, if it still runs."""
    if process.poll() is not None:
        return
    for order in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, order)
        except ProcessLookupError:
            break
        try:
            process.wait(PATIENCE)
            break
        except subprocess.TimeoutExpired:
            continue
