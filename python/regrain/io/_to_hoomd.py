"""Force fields as arrays for the tables of HOOMD-blue."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.io._sampled import BONDED, Curve, Floats, bonded_curve, pair_curves

__all__ = ["tables"]


def tables(model: Any, *, points: int) -> bytes:
    """An NPZ file of arrays."""
    content: dict[str, NDArray[Any]] = {"units": np.array(model.units)}
    pairs = pair_curves(model) if model.pairs else []
    # The points of pairs end one spacing before the cutoff.
    grids = [np.linspace(p.low, p.high, points, endpoint=False) for p in pairs]
    content |= {
        "pairs": np.array([pair.types for pair in pairs]),
        "r_min": np.array([pair.low for pair in pairs]),
        "r_cut": np.array([pair.high for pair in pairs]),
    }
    content["U"], content["F"] = _rows(pairs, grids)
    for kind, name in BONDED.items():
        curves = [
            bonded_curve(types, potential)
            for types, potential in getattr(model, name).items()
            if potential is not None
        ]
        if not curves:
            continue
        content[name] = np.array([curve.types for curve in curves])
        grids = [np.linspace(curve.low, curve.high, points) for curve in curves]
        if kind == "bond":
            content[f"{name}_r_min"] = np.array([curve.low for curve in curves])
            content[f"{name}_r_max"] = np.array([curve.high for curve in curves])
        force = "F" if kind == "bond" else "tau"
        content[f"{name}_U"], content[f"{name}_{force}"] = _rows(curves, grids)
    file = io.BytesIO()
    np.savez_compressed(file, **content)  # type: ignore[arg-type]
    return file.getvalue()


def _rows(curves: list[Curve], grids: list[Floats]) -> tuple[Floats, Floats]:
    sampled = [curve.values(x) for curve, x in zip(curves, grids, strict=True)]
    return np.array([u for u, _ in sampled]), np.array([f for _, f in sampled])
