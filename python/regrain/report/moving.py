"""A coarse model run at another state point, and measured there: what one worker does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.observables import Estimate
from regrain.report import sanity
from regrain.report.measuring import Observable, evaluated, name_of
from regrain.report.rows import Check
from regrain.report.sanity import Fact
from regrain.trace import Trace

Floats = NDArray[np.float64]

#: Frames whose energy under several laws is asked for, at most.
MOST_FRAMES = 200


@dataclass(frozen=True)
class Journey:
    """A model at one temperature, from one start.

    Parameters
    ----------
    model : ForceField
        At the temperature of the run.
    start : Particles
    run : mapping
        Arguments of ``model.run``.
    discard : float
        Time at the beginning that does not count.
    observables : sequence
    laws : sequence of ForceField
        Under which the energies of the frames are wanted; none when nothing is to be weighed.
    label : str
        What to call the run.
    workdir : Path or None
        Where its checkpoint goes.
    """

    model: Any
    start: Any
    run: Mapping[str, Any]
    discard: float
    observables: Sequence[Observable]
    laws: Sequence[Any]
    label: str
    workdir: Path | None

    @property
    def checkpoint(self) -> Path | None:
        """The file that belongs to these settings; a longer run goes on in it."""
        if self.workdir is None or self.run.get("engine") is not None:
            return None
        settings = {
            k: repr(v) for k, v in sorted(self.run.items()) if k not in ("time", "progress")
        }
        settings["model"] = json.dumps(self.model.to_dict(), sort_keys=True)
        digest = hashlib.sha256(json.dumps(settings).encode())
        for array in (self.start.positions, self.start.box, self.start.topology.masses):
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update("\0".join(self.start.topology.types).encode())
        return self.workdir / f"run-{digest.hexdigest()[:12]}.npz"


@dataclass(frozen=True)
class Arrival:
    """What a journey brought back: estimates, or the reason why there are none."""

    estimates: Sequence[Estimate]
    energies: Floats | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    checks: Sequence[Check] = ()


def travel(journey: Journey) -> Arrival:
    """Run and measure; a run that goes wrong costs its own numbers only."""
    try:
        trace = journey.model.run(journey.start, **journey.run, checkpoint=journey.checkpoint)
        trace = trace[np.flatnonzero(trace.times > journey.discard * (1.0 + 1e-9))]
    except RegrainError as error:
        reason = f"the run at {journey.label} failed: {error}"
        lost = [Estimate.undefined(name_of(o), reason) for o in journey.observables]
        return Arrival(lost, checks=[Check("run", False, reason)])
    return Arrival(
        evaluated(journey.observables, trace),
        energies(trace, journey.laws),
        sanity.facts(trace, {}),
        [*sanity.thermostat(trace, journey.label), *sanity.stationary(trace, journey.label)],
    )


def energies(trace: Trace[Any], laws: Sequence[Any]) -> Floats | None:
    """Energies of frames of a trace under each law, shape (laws, frames)."""
    if len(laws) < 2:
        return None
    some = np.unique(np.linspace(0, len(trace) - 1, MOST_FRAMES).astype(int))
    frames = [trace[int(k)] for k in some]
    return np.array([[law.evaluate(state).energy for state in frames] for law in laws])
