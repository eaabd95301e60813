"""A run on a lattice: slices of sweeps, frames, checkpoints, progress."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import warnings
from dataclasses import dataclass
from operator import index
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.checkpoint import load_arrays, save_arrays
from regrain.errors import RegrainError
from regrain.lattice.model import LatticeModel
from regrain.lattice.models import Ising
from regrain.lattice.samplers import make_sampler
from regrain.lattice.state import SpinFrames, Spins
from regrain.progress import progress_bar
from regrain.trace import Trace

__all__ = ["Settings", "run", "start_of_run"]

_FORMAT = "regrain lattice run 1"
# Between two looks at the keyboard.
_SLICE_SECONDS = 0.2
# Between two checkpoints, unless writing takes long: then as long as keeps it below 2 %.
_CHECKPOINT_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to run: the arguments of ``model.run``.

    Examples
    --------
    >>> from regrain.lattice.run import Settings
    >>> Settings(sweeps=100, every=10, burn_in=50).total
    150
    """

    sweeps: int
    every: int = 1
    burn_in: int = 0
    method: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("sweeps", 1), ("every", 1), ("burn_in", 0), ("seed", 0)):
            given = getattr(self, name)
            try:
                value = index(given)
            except TypeError:
                value = -1
            if not least <= value < 2 ** (64 if name == "seed" else 48):
                raise RegrainError(
                    f"{name}: got {given!r}, expected a whole number from {least} on"
                )
            object.__setattr__(self, name, value)
        if self.every > self.sweeps:
            raise RegrainError(
                f"every={self.every} is more than sweeps={self.sweeps}: no frame would be kept"
            )

    @property
    def total(self) -> int:
        """Sweeps in all."""
        return self.burn_in + self.sweeps


def run(
    model: LatticeModel,
    state: Spins,
    settings: Settings,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Trace[Spins]:
    """Move the spins of a state: see ``model.run``.

    Examples
    --------
    >>> from regrain.lattice import Ising
    >>> from regrain.lattice.run import Settings, run
    >>> model = Ising((8, 8), couplings={"nn": 0.4})
    >>> run(model, model.start(), Settings(sweeps=20, every=10))
    Trace(2 frames of lattice, times 10 to 20)
    """
    path = None if checkpoint is None else Path(checkpoint)
    return _Run(model, state, settings, path).finish(progress)


def start_of_run(model: LatticeModel, state: Spins | str | None, replicas: int, seed: int) -> Spins:
    """What a run starts from, as it was asked for.

    Raises
    ------
    RegrainError
        A number of replicas that is none, or not that of the state.

    Examples
    --------
    >>> from regrain.lattice import Ising
    >>> from regrain.lattice.run import start_of_run
    >>> start_of_run(Ising((4, 4), couplings={"nn": 0.4}), "up", 2, 0)
    Spins(2 replicas of 4 x 4 square, periodic, int8)
    """
    if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 1:
        raise RegrainError(f"replicas: got {replicas!r}, expected a whole number from 1 on")
    count = None if replicas == 1 else replicas
    if state is None or isinstance(state, str):
        return model.start(state or "random", replicas=count, seed=seed)
    start = model.spins(state)
    if count is None or start.n_replicas == count:
        return start
    if start.replicas:
        raise RegrainError(
            f"the state has {start.n_replicas} replicas, but replicas={replicas}; leave one "
            "of them out, or make them agree"
        )
    values = np.broadcast_to(start.values, (count, *model.shape))
    return model.spins(values, replicas=True)


class _Run:
    """All that is held while spins move."""

    def __init__(
        self, model: LatticeModel, state: Spins, settings: Settings, path: Path | None
    ) -> None:
        self.model, self.start, self.settings, self.path = model, state, settings, path
        if path is not None and not path.absolute().parent.is_dir():
            raise RegrainError(
                f"checkpoint: there is no directory {path.absolute().parent}; make it first"
            )
        self.method, self.sampler = make_sampler(
            model, settings.method, seed=settings.seed, replicas=state.n_replicas
        )
        self.packed = isinstance(model, Ising)
        self.frames: list[NDArray[Any]] = []
        self.wall_time, self.continued = 0.0, 0
        self.last_checkpoint: int | None = None
        if path is not None and path.exists():
            self._restore(path)
        else:
            self.sampler.assign(state.values, sweep=0)

    def finish(self, progress: bool) -> Trace[Spins]:
        s = self.settings
        bar = progress_bar(s.total, self.sampler.sweep, unit="sweep") if progress else None
        try:
            self._advance(bar)
        except KeyboardInterrupt:
            self._save()
            raise
        finally:
            if bar is not None:
                bar.close()
        self._save()
        return self._trace()

    def _due(self) -> int:
        """The sweep after which the next frame is taken."""
        return self.settings.burn_in + (len(self.frames) + 1) * self.settings.every

    def _advance(self, bar: Any) -> None:
        sampler, total = self.sampler, self.settings.total
        most, pause = 1, _CHECKPOINT_SECONDS
        last_save = before = monotonic()
        while True:
            # An interrupt may come between any two lines: a frame that is due is taken here, also
            # after a restart, and appending it is one operation.
            if sampler.sweep == self._due():
                self.frames.append(self._frame())
            if sampler.sweep >= total:
                break
            sweeps = min(most, min(total, self._due()) - sampler.sweep)
            started = monotonic()
            sampler.run(sweeps)
            now = monotonic()
            self.wall_time, before = self.wall_time + now - before, now
            wanted = int(sweeps * _SLICE_SECONDS / (now - started + 1e-9))
            most = max(1, min(2 * most, wanted))
            if bar is not None:
                bar.update(sweeps)
            if self.path is not None and now - last_save > pause:
                self._save()
                before = last_save = monotonic()
                pause = max(_CHECKPOINT_SECONDS, 50 * (last_save - now))
        self.wall_time += monotonic() - before

    def _values(self) -> NDArray[Any]:
        shape = list(self.start.values.shape)
        whole = self.start.values.dtype == np.int8
        values: NDArray[Any] = (self.sampler.values if whole else self.sampler.angles)(shape)
        return values

    def _frame(self) -> NDArray[Any]:
        return self.sampler.bits(self.start.values.size) if self.packed else self._values()

    # ------------------------------------------------------------------ keeping

    def _fingerprint(self) -> dict[str, Any]:
        """What a checkpoint must agree with to be one of this run."""
        s = self.settings
        model = json.dumps(self.model.to_dict(), sort_keys=True)
        return {
            "model": hashlib.sha256(model.encode()).hexdigest(),
            "start": hashlib.sha256(self.start.values.tobytes()).hexdigest(),
            "shape": list(self.start.values.shape),
            "every": s.every,
            "burn_in": s.burn_in,
            "method": self.method,
            "seed": s.seed,
        }

    def _save(self) -> None:
        if self.path is None:
            return
        arrays = {"spins": self._values()}
        if self.frames:
            arrays["frames"] = np.stack(self.frames)
        meta = {
            "format": _FORMAT,
            "settings": self._fingerprint(),
            "sweep": self.sampler.sweep,
            "wall_time": self.wall_time,
            "continued": self.continued,
        }
        try:
            save_arrays(self.path, arrays, meta=meta)
        except RegrainError as error:
            # A full disk must not cost the run itself.
            warnings.warn(f"no checkpoint: {error}", RuntimeWarning, stacklevel=2)
        else:
            self.last_checkpoint = self.sampler.sweep

    def _restore(self, path: Path) -> None:
        arrays, meta = load_arrays(path)
        if meta.get("format") != _FORMAT:
            raise RegrainError(
                f"{path} is not a checkpoint of a run on a lattice; give another path"
            )
        mine, its = self._fingerprint(), meta["settings"]
        wrong = [name for name in mine if mine[name] != its.get(name)]
        if wrong:
            raise RegrainError(
                f"{path} is a checkpoint of another run, with another {', another '.join(wrong)}; "
                "delete it, or give this run another path"
            )
        self.sampler.assign(arrays["spins"], sweep=meta["sweep"])
        self.frames = list(arrays.get("frames", ()))
        self.wall_time, self.continued = meta["wall_time"], meta["continued"] + 1
        self.last_checkpoint = meta["sweep"]

    # ------------------------------------------------------------------ the result

    def _trace(self) -> Trace[Spins]:
        s = self.settings
        kept = np.stack(self.frames[: s.sweeps // s.every])
        frames = (
            SpinFrames.of_bits(kept, self.start) if self.packed else SpinFrames(kept, self.start)
        )
        return Trace(
            frames,
            times=s.every * np.arange(1, len(kept) + 1),
            provenance={
                "model": self.model.to_dict(),
                "method": self.method,
                "seed": s.seed,
                "sweeps": s.sweeps,
                "burn_in": s.burn_in,
                "replicas": self.start.n_replicas,
                "wall_time": self.wall_time,
                "continued": self.continued,
                "threads": _core.threads(),
                "versions": {
                    "regrain": _core.__version__,
                    "numpy": np.__version__,
                    "python": platform.python_version(),
                },
            },
        )
