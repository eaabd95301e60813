"""Force fields as arrays for the tables of HOOMD-blue."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from regrain.io._sampled import pair_curves

__all__ = ["tables"]


def tables(model: Any, *, points: int) -> bytes:
    """An NPZ file of arrays."""
    pairs = pair_curves(model)
    # The points of HOOMD-blue end one spacing before the cutoff.
    grids = [np.linspace(p.low, p.high, points, endpoint=False) for p in pairs]
    sampled = [pair.values(r) for pair, r in zip(pairs, grids, strict=True)]
    file = io.BytesIO()
    np.savez_compressed(
        file,
        pairs=np.array([pair.types for pair in pairs]),
        r_min=np.array([pair.low for pair in pairs]),
        r_cut=np.array([pair.high for pair in pairs]),
        U=np.array([u for u, _ in sampled]),
        F=np.array([f for _, f in sampled]),
        units=np.array(model.units),
    )
    return file.getvalue()
