"""Runs in slices: a look at the keyboard in between, frames when they are due, checkpoints."""

from __future__ import annotations

import os
import platform
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from regrain import _core
from regrain.checkpoint import load_arrays, save_arrays
from regrain.errors import RegrainError
from regrain.progress import progress_bar

__all__ = ["SlicedRun", "checkpoint_path"]

F = TypeVar("F")

# Between two looks at the keyboard.
_SLICE_SECONDS = 0.2
# Between two checkpoints, unless writing takes long: then as long as keeps it below 2 %.
_CHECKPOINT_SECONDS = 10.0


def checkpoint_path(given: Any) -> Path | None:
    """Where to write, if anywhere.

    Raises
    ------
    RegrainError
        What is no name of a file, a directory, or a file in a directory that does not exist.

    Examples
    --------
    >>> from regrain.slices import checkpoint_path
    >>> checkpoint_path(None) is None
    True
    """
    if given is None:
        return None
    if not isinstance(given, str | os.PathLike):
        raise RegrainError(f"checkpoint: got {given!r}, expected the name of a file")
    path = Path(given)
    if not path.absolute().parent.is_dir():
        raise RegrainError(
            f"checkpoint: there is no directory {path.absolute().parent}; make it first"
        )
    if path.is_dir():
        raise RegrainError(f"checkpoint: {path} is a directory; give the name of a file in it")
    return path


class SlicedRun(ABC, Generic[F]):
    """All that is held while something moves, whose frames are ``F``.

    Where a run is cut, watched or stopped must not change a bit of what it does.

    Parameters
    ----------
    path : Path, optional
        Of the checkpoint.

    Examples
    --------
    >>> from regrain.slices import SlicedRun  # runs of each level are made of it
    """

    #: What its checkpoints call themselves, and what a message calls the run.
    FORMAT: ClassVar[str]
    NAME: ClassVar[str] = "a run"
    #: What is counted, for the bar.
    UNIT: ClassVar[str] = "step"

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.frames: list[F] = []
        self.wall_time = 0.0
        self.continued = 0
        self.last_checkpoint: int | None = None

    # ------------------------------------------------------------------ what each of them has

    @property
    @abstractmethod
    def _now(self) -> int:
        """The step that it has come to."""

    @property
    @abstractmethod
    def _total(self) -> int:
        """The last step."""

    @property
    @abstractmethod
    def _due(self) -> int:
        """The step after which the next frame is taken."""

    @abstractmethod
    def _move(self, steps: int) -> None:
        """Take so many steps."""

    @abstractmethod
    def _frame(self) -> F:
        """What is kept of the present step."""

    @abstractmethod
    def _fingerprint(self) -> dict[str, Any]:
        """What a checkpoint must agree with to be one of this run."""

    @abstractmethod
    def _kept(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Arrays of a checkpoint, and what else it says."""

    # ------------------------------------------------------------------ time

    def _run(self, progress: bool) -> None:
        """To the end, with a checkpoint there and when it is interrupted."""
        bar = progress_bar(self._total, self._now, unit=self.UNIT) if progress else None
        try:
            self._advance(bar)
        except KeyboardInterrupt:
            self._save()
            raise
        finally:
            if bar is not None:
                bar.close()
        self._save()

    def _advance(self, bar: Any) -> None:
        most, pause, last_save = 1, _CHECKPOINT_SECONDS, monotonic()
        before = monotonic()
        while True:
            # An interrupt may come between any two lines: a frame that is due is taken here, also
            # after a restart, and appending it is one operation.
            if self._now == self._due:
                self.frames.append(self._frame())
            if self._now >= self._total:
                break
            steps = min(most, min(self._total, self._due) - self._now)
            started = monotonic()
            self._move(steps)
            now = monotonic()
            self.wall_time, before = self.wall_time + now - before, now
            wanted = int(steps * _SLICE_SECONDS / (now - started + 1e-9))
            most = max(1, min(2 * most, wanted))
            if bar is not None:
                bar.update(steps)
            if self.path is not None and now - last_save > pause:
                self._save()
                before = last_save = monotonic()
                pause = max(_CHECKPOINT_SECONDS, 50 * (last_save - now))
        self.wall_time += monotonic() - before

    # ------------------------------------------------------------------ keeping

    def _save(self) -> None:
        if self.path is None:
            return
        arrays, more = self._kept()
        meta = {
            "format": self.FORMAT,
            "settings": self._fingerprint(),
            "wall_time": self.wall_time,
            "continued": self.continued,
            **more,
        }
        try:
            save_arrays(self.path, arrays, meta=meta)
        except RegrainError as error:
            # A full disk must not cost the run itself.
            warnings.warn(f"no checkpoint: {error}", RuntimeWarning, stacklevel=2)
        else:
            self.last_checkpoint = self._now

    def _restore(self, take: Callable[[dict[str, Any], dict[str, Any]], None]) -> bool:
        """Hand what is in the checkpoint to ``take``; False if there is none."""
        if self.path is None or not self.path.exists():
            return False
        arrays, meta = load_arrays(self.path)
        if meta.get("format") != self.FORMAT:
            raise RegrainError(f"{self.path} is not a checkpoint of {self.NAME}; give another path")
        mine, its = self._fingerprint(), meta["settings"]
        wrong = [name for name in mine if mine[name] != its.get(name)]
        if wrong:
            raise RegrainError(
                f"{self.path} is a checkpoint of another run, with another "
                f"{', another '.join(wrong)}; delete it, or give this run another path"
            )
        take(arrays, meta)
        self.wall_time, self.continued = meta["wall_time"], meta["continued"] + 1
        self.last_checkpoint = self._now
        return True

    def _provenance(self) -> dict[str, Any]:
        """How it was run, for the trace."""
        return {
            "wall_time": self.wall_time,
            "continued": self.continued,
            "threads": _core.threads(),
            "versions": {
                "regrain": _core.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        }
