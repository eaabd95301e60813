"""``rg.compare``: every observable on both traces, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from regrain.errors import RegrainError
from regrain.observables import Estimate
from regrain.report import cost, sanity
from regrain.report.fitting import history_of
from regrain.report.report import Report
from regrain.report.rows import Row, Section
from regrain.report.statistics import difference, error_of, on_grid_of
from regrain.trace import Trace

__all__ = ["compare", "compare_estimates"]

#: Names that `known` may hold besides those of the observables.
FACTS = ("wall_time", "temperature")


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
        Not two traces of one level, unit system and set of types; no observables; a name in
        ``known`` that none of them has.

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
    known = dict(known or {})
    facts = _facts(known)
    observables = _checked(observables)
    _check_known(known, observables)
    pairs = _measured(observables, fine, coarse, known)
    rows = [compare_estimates(name, *sides) for name, sides in pairs.items()]
    times = [cost.wall_time(fine, facts.get("wall_time")), cost.wall_time(coarse)]
    sections = [
        Section("observables", rows),
        Section("cost", [cost.clock(rows), cost.speed_up(rows, times[0], times[1])]),
    ]
    from regrain._core import __version__

    return Report(
        title="Fine against coarse" if title is None else title,
        fine=sanity.source_of(fine, "fine", facts),
        coarse=sanity.source_of(coarse, "coarse", {}),
        sections=sections,
        checks=[
            *sanity.checks_of(fine, coarse, facts),
            *sanity.stationary(fine, "fine"),
            *sanity.stationary(coarse, "coarse"),
        ],
        history=None if fit is None else history_of(fit),
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
    else:
        losses.append(Estimate("sigmas", float(found.sigmas[found.worst])))
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


def _facts(known: Mapping[str, Any]) -> dict[str, float]:
    found = {}
    for name in FACTS:
        if name in known:
            value = known[name][0] if isinstance(known[name], tuple) else known[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise RegrainError(f"known[{name!r}]: got {value!r}, expected a positive number")
            found[name] = float(value)
    return found


def _checked(observables: Any) -> list[Callable[[Trace[Any]], Estimate]]:
    if callable(observables) or isinstance(observables, str):
        raise RegrainError(
            f"observables: got {observables!r}, expected a list of them: [{observables!r}]"
        )
    found = list(observables)
    if not found:
        raise RegrainError("observables: the list is empty; give at least one, such as RDF()")
    for observable in found:
        if isinstance(observable, type):
            name = observable.__name__
            raise RegrainError(f"observables: {name} is a class; give an instance, {name}()")
        if not callable(observable):
            raise RegrainError(
                f"observables: {observable!r} cannot be called; expected something that takes a "
                "Trace and gives an Estimate"
            )
    return found


def _check_known(known: Mapping[str, Any], observables: Sequence[Any]) -> None:
    """Before the long work: a name that cannot match any observable that tells its own."""
    names = [getattr(observable, "name", None) for observable in observables]
    if all(isinstance(name, str) for name in names):
        bases = {str(name) for name in names}
        _unmatched(
            {k for k in known if k.split(" ")[0] not in {b.split(" ")[0] for b in bases}}, bases
        )


def _unmatched(keys: set[str], names: Any) -> None:
    wrong = sorted(keys - set(FACTS))
    if wrong:
        raise RegrainError(
            f"known: no observable is called {', '.join(wrong)}; there are "
            f"{', '.join(sorted(names))}, and {', '.join(FACTS)}"
        )


def _measured(
    observables: Sequence[Callable[[Trace[Any]], Estimate]],
    fine: Trace[Any],
    coarse: Trace[Any],
    known: Mapping[str, Any],
) -> dict[str, tuple[Estimate, Estimate]]:
    """Row name -> (fine, coarse), what is known put in place of what was measured."""
    found: dict[str, tuple[Estimate, Estimate]] = {}
    used: set[str] = set()
    for observable in observables:
        sides = _sides(_measure(observable, fine), _measure(observable, coarse))
        for name, (one, two) in sides.items():
            keys = [k for k in (name, name.split(" ")[0]) if k in known]
            if keys and (keys[0] == name or len(sides) == 1):
                used.add(keys[0])
                one = _given(name, known[keys[0]], one, two)
            found[_free(name, found)] = (one, two)
    _unmatched(set(known) - used, found)
    return found


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """The name, numbered when an observable before it has the same one."""
    if name not in taken:
        return name
    return next(new for k in range(2, 1000) if (new := f"{name} ({k})") not in taken)


def _measure(observable: Callable[[Trace[Any]], Estimate], trace: Trace[Any]) -> Estimate:
    """The estimate, or why there is none: one observable that fails must not cost the others."""
    name = _name(observable)
    try:
        found = observable(trace)
    except Exception as error:
        text = str(error) if isinstance(error, RegrainError) else f"{type(error).__name__}: {error}"
        return Estimate.undefined(name, text)
    if not isinstance(found, Estimate):
        return Estimate.undefined(name, f"it gave {type(found).__name__}, not an Estimate")
    return found


def _name(observable: Any) -> str:
    given = getattr(observable, "name", None) or getattr(observable, "__name__", None)
    return given if isinstance(given, str) else type(observable).__name__.lower()


def _sides(fine: Estimate, coarse: Estimate) -> dict[str, tuple[Estimate, Estimate]]:
    """Both estimates cut into one per combination of labels, matched by name."""
    one, two = dict(_parts(fine)), dict(_parts(coarse))
    if not (fine.defined and coarse.defined):
        named = one if fine.defined else two if coarse.defined else {fine.name: fine}
        return {name: (one.get(name, fine), two.get(name, coarse)) for name in named}
    missing = "the other side has no such entry"
    return {
        name: (
            one.get(name, Estimate.undefined(name, missing)),
            two.get(name, Estimate.undefined(name, missing)),
        )
        for name in one | two
    }


def _parts(estimate: Estimate) -> Iterator[tuple[str, Estimate]]:
    if not estimate.defined:
        return
    labelled = {k: v.tolist() for k, v in estimate.coords.items() if v.dtype.kind not in "fiu"}
    for labels in product(*labelled.values()):
        part = estimate.sel(**dict(zip(labelled, labels, strict=True))) if labels else estimate
        yield part.name, part


def _given(name: str, given: Any, fine: Estimate, coarse: Estimate) -> Estimate:
    """What the user knows of the fine model, shaped like what was measured."""
    if isinstance(given, Estimate):
        return given
    like = coarse if coarse.defined else fine
    pair = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    try:
        return Estimate(
            name,
            pair[0],
            pair[1],
            unit=like.unit,
            coords=like.coords,
            coord_units=like.coord_units,
            flags=["given, not measured here"],
        )
    except (RegrainError, TypeError, ValueError) as error:
        raise RegrainError(
            f"known[{name!r}]: got {given!r}, expected (value, error), a number or an Estimate "
            f"of the same shape ({error})"
        ) from error
