"""Traces of spins in one NPZ file: frames, times, log and provenance, exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from regrain.checkpoint import load_arrays, save_arrays
from regrain.errors import RegrainError
from regrain.lattice import SpinFrames, Spins
from regrain.trace import Trace

_FORMAT = "regrain spins 1"


def save_spins(path: Path, trace: Trace[Any]) -> None:
    """Write a trace of spins; those of two values as bits."""
    if path.suffix.lower() != ".npz":
        raise RegrainError(
            f"{path}: traces of spins are kept in .npz files, got the extension {path.suffix!r}"
        )
    like: Spins = trace[0]
    frames = SpinFrames(trace.stacked("values"), like)
    arrays = {f"log.{name}": values for name, values in trace.log.items()}
    arrays["times"] = trace.times
    if trace.weights is not None:
        arrays["weights"] = trace.weights
    if frames.bits is None:
        arrays["values"] = frames.stacked("values")
    else:
        arrays["bits"] = frames.bits
    meta = {
        "format": _FORMAT,
        "shape": list(like.values.shape),
        "lattice": like.lattice,
        "periodic": list(like.geometry.axes),
        "replicas": like.replicas,
        "provenance": trace.provenance,
    }
    save_arrays(path, arrays, meta=meta)


def load_spins(path: Path) -> Trace[Spins]:
    """Read what `save_spins` wrote."""
    arrays, meta = load_arrays(path)
    if meta.get("format") != _FORMAT:
        raise RegrainError(f"{path} holds no trace of spins; it may be a checkpoint or of a fit")
    packed = "bits" in arrays
    like = Spins(
        np.ones(meta["shape"], np.int8) if packed else arrays["values"][0],
        lattice=meta["lattice"],
        periodic=meta["periodic"],
        replicas=meta["replicas"],
    )
    return Trace(
        SpinFrames.of_bits(arrays["bits"], like) if packed else SpinFrames(arrays["values"], like),
        times=arrays["times"],
        weights=arrays.get("weights"),
        log={n.removeprefix("log."): a for n, a in arrays.items() if n.startswith("log.")},
        provenance=meta["provenance"],
    )
