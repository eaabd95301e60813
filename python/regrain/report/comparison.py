"""``rg.compare``: every observable on both traces, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from regrain.errors import RegrainError
from regrain.observables import Estimate
from regrain.report import cost, sanity
from regrain.report.fitting import history_of
from regrain.report.known import Known
from regrain.report.measuring import checked, measured
from regrain.report.report import Report, share
from regrain.report.rows import Row, Section
from regrain.report.statistics import difference, error_of, on_grid_of
from regrain.trace import Trace

__all__ = ["compare", "compare_estimates"]


def compare(
    fine: Trace[Any],
    coarse: Trace[Any],
    observables: Sequence[Callable[[Trace[Any]], Estimate]],
    *,
    known: Mapping[str, Any] | None = None,
    title: str | None = None,
    fit: Any = None,
    tolerance: float = 0.05,
) -> Report:
    """Evaluate observables on a fine and a coarse trace and report what differs.

    Parameters
    ----------
    fine, coarse : Trace
        On the same level and in the same units: map the fine one first.
    observables : sequence of Observable
        Anything callable that takes a Trace and gives an Estimate.
    known : mapping, optional
        What is known of the fine model but not in its trace: name of an observable -> ``(value,
        error)``, a number (no error), or an Estimate, such as a measured g(r). A mapped trace has
        no virial, so ``known={"pressure": (-60.0, 20.0)}``. Also ``"wall_time"``, the seconds
        that the fine trace took, and its ``"temperature"``.
    title : str, optional
        What the report is headed with.
    fit : Result, optional
        What the fit returned: its history becomes part of the report.
    tolerance : float
        A significant difference below this share of the fine value (of its spread over the
        coordinate, for a function) is called "close", not "different".

    Returns
    -------
    Report
        An observable that fails on one side is a row "undefined (reason)".

    Raises
    ------
    RegrainError
        Not two traces of one level, unit system and set of types; no observables; something in
        ``known`` that is no value, or belongs to none of them.

    Loses / Assumes
    ---------------
    Assumes independent traces, each in its stationary state. The significance of a function is
    that of its worst point, Bonferroni over its points, so that small differences spread over many
    points count in χ² but not in the verdict.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> from regrain.observables import Estimate
    >>> from regrain.particles import Particles
    >>> def first_x(trace):
    ...     x = np.array([state.positions[0, 0] for state in trace])
    ...     return Estimate("x", x.mean(), x.std() / 10.0, n_eff=100, dof=99)
    >>> def cloud(seed, shift):
    ...     points = np.random.default_rng(seed).normal(shift, 1.0, (100, 1, 3))
    ...     return rg.Trace([Particles(p, box=[9, 9, 9]) for p in points], times=np.arange(100.0))
    >>> report = rg.compare(cloud(1, 0.0), cloud(2, 1.0), [first_x])
    >>> report.verdict(report["x"])
    'different'
    """
    sanity.refuse(fine, coarse)
    share(tolerance)
    observables = checked(observables)
    told = Known(known, observables)
    history = None if fit is None else history_of(fit)
    pairs = measured(observables, fine, coarse, told)
    rows = [compare_estimates(name, *sides) for name, sides in pairs.items()]
    times = [cost.wall_time(fine, told.facts.get("wall_time")), cost.wall_time(coarse)]
    sections = [
        Section("observables", rows),
        Section("cost", [cost.clock(rows), cost.speed_up(rows, times[0], times[1])]),
    ]
    from regrain._core import __version__

    return Report(
        title="Fine against coarse" if title is None else title,
        fine=sanity.source_of(fine, "fine", told.facts),
        coarse=sanity.source_of(coarse, "coarse", {}),
        sections=sections,
        checks=[
            *told.check(),
            *sanity.checks_of(fine, coarse, told.facts),
            *sanity.thermostat(coarse, "coarse"),
            *sanity.stationary(fine, "fine"),
            *sanity.stationary(coarse, "coarse"),
        ],
        history=history,
        tolerance=tolerance,
        units=fine.units,
        version=__version__,
    )


def compare_estimates(name: str, fine: Estimate, coarse: Estimate) -> Row:
    """The row of two estimates of one quantity.

    Scalars get the losses ``difference``, ``relative`` and ``sigmas``; functions ``rms``, ``noise``
    (the RMS that the errors alone would give), ``max``, ``at``, ``relative`` (RMS over the spread
    of the fine one), ``chi2`` per point and ``sigmas`` of the worst point.

    Parameters
    ----------
    name : str
        Name of the row.
    fine, coarse : Estimate
        With numeric coordinates, or none.

    Examples
    --------
    >>> from regrain.observables import Estimate
    >>> from regrain.report import compare_estimates
    >>> row = compare_estimates("T", Estimate("T", 300.0, 3.0), Estimate("T", 310.0, 4.0))
    >>> row["difference"], row["sigmas"]
    (difference = 10 ± 5, sigmas = 2)
    """
    if not (fine.defined and coarse.defined):
        return Row(name=name, fine=fine, coarse=coarse, flags=_flags(fine, coarse))
    if fine.unit != coarse.unit:
        reason = f"unit {coarse.unit!r} is not that of the fine one, {fine.unit!r}"
        return Row(name=name, fine=fine, coarse=Estimate.undefined(name, reason))
    try:
        one, two = on_grid_of(fine, coarse)
    except RegrainError as error:
        return Row(name=name, fine=fine, coarse=Estimate.undefined(name, str(error)))
    losses = _of_function(one, two) if one.coords else _of_scalar(one, two)
    flags = [*_flags(fine, coarse), *(f for f in two.flags if f not in coarse.flags)]
    found = difference(one, two)
    if found is None:
        flags.append("no verdict: an error bar is missing")
    elif np.isfinite(most := float(found.sigmas[found.worst])):
        losses.append(Estimate("sigmas", most))
    return Row(
        name=name,
        fine=fine,
        coarse=coarse,
        losses=losses,
        p=None if found is None else found.p,
        flags=flags,
    )


def _flags(fine: Estimate, coarse: Estimate) -> list[str]:
    sides = (("fine", fine), ("coarse", coarse))
    notes = [(label, flag) for label, e in sides if e.defined for flag in e.flags]
    shared = {flag for label, flag in notes if label == "fine"} & {
        flag for label, flag in notes if label == "coarse"
    }
    texts = [flag if flag in shared else f"{label}: {flag}" for label, flag in notes]
    return list(dict.fromkeys(texts))


def _of_scalar(fine: Estimate, coarse: Estimate) -> list[Estimate]:
    one, two = error_of(fine), error_of(coarse)
    error = None if one is None or two is None else float(np.hypot(one, two))
    found = difference(fine, coarse)
    dof = None if found is None or not np.isfinite(found.dof) else float(found.dof)
    value = float(coarse) - float(fine)
    losses = [Estimate("difference", value, error, unit=fine.unit, dof=dof)]
    if float(fine) != 0.0:
        share = None if error is None else error / abs(float(fine))
        losses.append(Estimate("relative", value / abs(float(fine)), share))
    return losses


def _of_function(fine: Estimate, coarse: Estimate) -> list[Estimate]:
    value = coarse.value - fine.value
    rms = float(np.sqrt(np.mean(value**2)))
    worst = np.unravel_index(int(np.argmax(np.abs(value))), value.shape)
    losses = [
        Estimate("rms", rms, unit=fine.unit, method="over all points, equal weights"),
        Estimate("max", float(np.abs(value[worst])), unit=fine.unit),
    ]
    if len(fine.coords) == 1:
        ((axis, where),) = fine.coords.items()
        unit = fine.coord_units.get(axis, "")
        losses.append(Estimate("at", float(where[worst[0]]), unit=unit, method="where max is"))
    spread = float(np.std(fine.value))
    if spread > 0:
        losses.append(Estimate("relative", rms / spread, method="rms over spread of fine"))
    found = difference(fine, coarse)
    if found is not None:
        noise = float(np.sqrt(np.mean(found.error**2)))
        losses.append(Estimate("noise", noise, unit=fine.unit, method="rms of the errors"))
        if found.chi2 is not None:
            losses.append(Estimate("chi2", found.chi2, method="per point with an error bar"))
    return losses
