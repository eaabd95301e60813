"""A run on a lattice: slices of sweeps, frames, checkpoints, progress."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.lattice.model import LatticeModel
from regrain.lattice.models import Ising
from regrain.lattice.samplers import make_sampler
from regrain.lattice.state import SpinFrames, Spins
from regrain.slices import SlicedRun, checkpoint_path
from regrain.trace import Trace

__all__ = ["Settings", "run", "start_of_run"]


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
    return _Run(model, state, settings, checkpoint_path(checkpoint)).finish(progress)


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
    whole = isinstance(replicas, int | np.integer) and not isinstance(replicas, bool)
    if not whole or replicas < 1:
        raise RegrainError(f"replicas: got {replicas!r}, expected a whole number from 1 on")
    count = None if replicas == 1 else int(replicas)
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


class _Run(SlicedRun[NDArray[Any]]):
    """All that is held while spins move."""

    FORMAT = "regrain lattice run 1"
    NAME = "a run on a lattice"
    UNIT = "sweep"

    def __init__(
        self, model: LatticeModel, state: Spins, settings: Settings, path: Path | None
    ) -> None:
        super().__init__(path)
        self.model, self.start, self.settings = model, state, settings
        self.method, self.sampler = make_sampler(
            model, settings.method, seed=settings.seed, replicas=state.n_replicas
        )
        self.packed = isinstance(model, Ising)
        if not self._restore(self._take):
            self.sampler.assign(state.values, sweep=0)

    @property
    def _now(self) -> int:
        return int(self.sampler.sweep)

    @property
    def _total(self) -> int:
        return self.settings.total

    @property
    def _due(self) -> int:
        return self.settings.burn_in + (len(self.frames) + 1) * self.settings.every

    def _move(self, steps: int) -> None:
        self.sampler.run(steps)

    def finish(self, progress: bool) -> Trace[Spins]:
        self._run(progress)
        return self._trace()

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

    def _kept(self) -> tuple[dict[str, Any], dict[str, Any]]:
        arrays = {"spins": self._values()}
        if self.frames:
            arrays["frames"] = np.stack(self.frames)
        return arrays, {"sweep": self.sampler.sweep}

    def _take(self, arrays: dict[str, Any], meta: dict[str, Any]) -> None:
        self.sampler.assign(arrays["spins"], sweep=meta["sweep"])
        self.frames = list(arrays.get("frames", ()))

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
                **self._provenance(),
            },
        )
