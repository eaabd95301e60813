"""Force fields as GROMACS has them: user tables, and topologies of molecules."""

from __future__ import annotations

from typing import Any

import numpy as np

from regrain.io._sampled import Curve, Floats, pair_curves

__all__ = ["pair_tables"]

# A table of GROMACS goes on behind the cutoff by table-extension; this is the default of that.
EXTENSION = 1.0


def pair_tables(model: Any, stem: str, *, points: int) -> dict[str, str]:
    """User tables of the non-bonded potentials by file name."""
    pairs = pair_curves(model)
    longest = max(pair.high for pair in pairs)
    # The longest cutoff is a point of the grid, which the extension does not make coarser.
    spacing = longest / (points - 1)
    r: Floats = spacing * np.arange(points + int(np.ceil(EXTENSION / spacing)), dtype=float)
    if len(pairs) == 1:
        return {f"{stem}.xvg": _xvg(r, pairs[0])}
    nothing = Curve(("all", "others"), None, 0.0, longest)
    files = {f"{stem}.xvg": _xvg(r, nothing)}
    for pair in pairs:
        a, b = pair.types
        files[f"{stem}_{a}_{b}.xvg"] = _xvg(r, pair)
    return files


def _xvg(r: Floats, pair: Curve) -> str:
    u, f = pair.values(r)
    lines = [
        f"# {pair.name}, written by regrain: r f -f' g -g' h -h' in nm and kJ/mol",
        f"# vdwtype = user; C6 = 0 and C12 = 1 in the topology; the cutoff is {pair.high!r} nm",
    ]
    lines += [f"{a:.10e} 0 0 0 0 {b:.10e} {c:.10e}" for a, b, c in zip(r, u, f, strict=True)]
    return "\n".join(lines) + "\n"
