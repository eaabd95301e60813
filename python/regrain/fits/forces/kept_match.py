"""What force matching keeps in its workdir: all that the frames came to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regrain import _core
from regrain.checkpoint import load_arrays, save_arrays
from regrain.fits.checks import FrameWatch
from regrain.fits.forces.fibre import FibreNoise
from regrain.fits.forces.matching import Matched
from regrain.fits.states import StatePoint
from regrain.fits.structural.workdir import Workdir

__all__ = ["KeptMatch"]

_FILE = "factors.npz"


class KeptMatch:
    """``settings.json`` and ``factors.npz``, written once all frames were seen.

    Parameters
    ----------
    path : path
    settings : mapping
        JSON-able: what decides the factors, such as forms and blocks.
    points : sequence of StatePoint
        The target; its first and last frames, times and weights stand for all.

    Raises
    ------
    RegrainError
        A directory of another fit, or a damaged one.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.fits.forces.kept_match import KeptMatch
    >>> from regrain.particles import Particles
    >>> frame = Particles(np.eye(3), box=[9, 9, 9], forces=np.eye(3))
    >>> KeptMatch("fit", {"blocks": 2}, [StatePoint(Trace([frame], times=[0]))]).load() is None
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        settings: Mapping[str, Any],
        points: Sequence[StatePoint],
    ) -> None:
        content = {"method": "ForceMatching", **settings, "target": _fingerprint(points)}
        self.path = Workdir(path, content).path / _FILE

    def load(self) -> Matched | None:
        """What was kept, if it is there."""
        if not self.path.exists():
            return None
        arrays, numbers = load_arrays(self.path)
        boxes = np.split(arrays["boxes"], np.cumsum(arrays["boxes_of"])[:-1])
        return Matched(
            blocks=[_core.QrFactor.from_r(r) for r in arrays["blocks"]],
            counts={k.removeprefix("counts/"): v for k, v in arrays.items() if "counts/" in k},
            noise=FibreNoise.of(arrays["squares"], arrays["dof"]),
            watches=[FrameWatch(forces=True, boxes=list(b)) for b in boxes],
            **numbers,
        )

    def save(self, matched: Matched) -> None:
        """Keep it; atomic."""
        squares, dof = matched.noise.groups()
        arrays = {
            "blocks": np.array([block.r for block in matched.blocks]),
            "squares": squares,
            "dof": dof,
            "boxes": np.concatenate([np.array(w.boxes) for w in matched.watches]),
            "boxes_of": np.array([len(w.boxes) for w in matched.watches]),
            **{f"counts/{label}": counts for label, counts in matched.counts.items()},
        }
        numbers = {name: getattr(matched, name) for name in ("frames", "forces", "square")}
        save_arrays(self.path, arrays, meta=numbers)


def _fingerprint(points: Sequence[StatePoint]) -> str:
    digest = hashlib.sha256()
    for point in points:
        trace, weights = point.trace, point.trace.weights
        digest.update(trace.times.tobytes())
        digest.update(np.array(point.weight).tobytes())
        digest.update(b"" if weights is None else weights.tobytes())
        for state in (trace[0], trace[-1]):
            for array in (state.positions, state.box, state.forces, state.topology.types):
                digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
            digest.update(state.topology.bonds.tobytes())
    return digest.hexdigest()
