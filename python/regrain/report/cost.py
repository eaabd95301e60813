"""How much cheaper the coarse model is, and how much faster its clock runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import stats

from regrain.observables import Estimate
from regrain.report.rows import Row
from regrain.report.words import CLOCK
from regrain.trace import Trace


def wall_time(trace: Trace[Any], given: float | None = None) -> Estimate:
    """Wall-clock seconds that the frames of a trace cost, undefined when nobody wrote them down.

    Where the provenance tells how long the run was, a slice of it costs its share.
    """
    found = trace.provenance.get("wall_time") if given is None else given
    if not isinstance(found, int | float) or not np.isfinite(found) or found <= 0:
        return Estimate.undefined(
            "wall time", "its provenance has no wall_time; give known={'wall_time': seconds}"
        )
    seconds = float(found) * (_share(trace) if given is None else 1.0)
    return Estimate("wall time", seconds, unit="s", kind="exact", method="measured")


def _share(trace: Trace[Any]) -> float:
    """How much of the run that it comes from a trace covers."""
    steps, dt = trace.provenance.get("steps"), trace.provenance.get("dt")
    if not isinstance(steps, int) or not isinstance(dt, float) or len(trace) < 2:
        return 1.0
    covered = (trace.times[-1] - trace.times[0]) * len(trace) / (len(trace) - 1)
    return float(min(1.0, covered / (steps * dt)))


def speed_up(rows: Iterable[Row], fine: Estimate, coarse: Estimate) -> Row:
    """Wall time per effective sample on both sides, of the observable slowest to sample.

    Parameters
    ----------
    rows : iterable of Row
        The compared observables.
    fine, coarse : Estimate
        Wall times of both traces.

    Loses / Assumes
    ---------------
    One observable stands for all; both runs on machines of the same speed.
    """
    name = "wall time per sample"
    counted = [
        row
        for row in rows
        if all(e is not None and e.defined and e.n_eff for e in (row.fine, row.coarse))
    ]
    if not counted:
        reason = "no observable has an effective number of samples on both sides"
        sides = [Estimate.undefined(name, reason)] * 2
        return Row(name=name, fine=sides[0], coarse=sides[1])
    slowest = min(counted, key=lambda row: _samples(row.fine))
    sides = [
        Estimate.undefined(name, time.flags[0])
        if not time.defined
        else Estimate(name, float(time) / _samples(side), unit="s", n_eff=_samples(side))
        for time, side in ((fine, slowest.fine), (coarse, slowest.coarse))
    ]
    losses: Sequence[Estimate] = ()
    if all(side.defined for side in sides):
        method = f"wall time per effective sample of {slowest.name}, fine over coarse"
        ratio = float(sides[0]) / float(sides[1])
        losses = [Estimate("speed-up", ratio, method=method, flags=["machines taken as equal"])]
    flags = [f"of {slowest.name}, the slowest to sample; both runs taken to be on equal machines"]
    return Row(
        name=name,
        fine=sides[0],
        coarse=sides[1],
        losses=losses,
        within={"speed-up": (0.0, None)},
        flags=flags,
    )


def _samples(estimate: Estimate | None) -> float:
    return (estimate.n_eff or 0.0) if estimate is not None else 0.0


def clock(rows: Iterable[Row]) -> Row:
    """Ratio of the diffusion constants, coarse over fine: how much faster the coarse model moves.

    With several diffusing types it is the geometric mean of their ratios.

    Loses / Assumes
    ---------------
    One factor for all processes; there is none in general.
    """
    found = [row for row in rows if f"{row.name} ".startswith("diffusion ")]
    if not found:
        reason = "no diffusion constant was compared; add Diffusion() to the observables"
        return _no_clock(reason)
    logs, variances = [], []
    for row in found:
        if not row.defined or row.fine is None or row.coarse is None:
            return _no_clock(f"{row.name}: {row.reason}")
        shares = []
        for side in (row.fine, row.coarse):
            if side.coords or side.error is None or float(side) <= 2.0 * float(side.error):
                return _no_clock(f"{row.name} is not clearly above zero: {side}")
            shares.append(float(side.error) / float(side))
        logs.append(np.log(float(row.coarse) / float(row.fine)))
        variances.append(shares[0] ** 2 + shares[1] ** 2)
    log, error = float(np.mean(logs)), float(np.sqrt(np.sum(variances)) / len(logs))
    reach = float(stats.norm.ppf(0.975)) * error
    ratio = Estimate(
        "ratio",
        np.exp(log),
        np.exp(log) * error,
        bounds=(np.exp(log - reach), np.exp(log + reach)),
        method="ratio of diffusion constants, coarse over fine",
    )
    only = found[0] if len(found) == 1 else Row(name="")
    return Row(
        name=CLOCK,
        fine=only.fine,
        coarse=only.coarse,
        losses=[ratio],
        within={"ratio": (0.0, None)},
    )


def _no_clock(reason: str) -> Row:
    return Row(name=CLOCK, losses=[Estimate.undefined("ratio", reason)])
