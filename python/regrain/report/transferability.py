"""``rg.transfer``: the same coarse model at other temperatures, beside the fine one there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from regrain.errors import RegrainError
from regrain.observables import Estimate
from regrain.particles import NVE, Langevin, Particles
from regrain.particles.run import Settings
from regrain.report import cost, sanity
from regrain.report.comparison import compare_estimates
from regrain.report.known import Known
from regrain.report.measuring import checked, evaluated, name_of, paired
from regrain.report.moving import Arrival, Journey, energies, travel
from regrain.report.overlap import regret
from regrain.report.rows import Check, Row, Section
from regrain.report.words import CLOCK
from regrain.trace import Trace
from regrain.units import units

__all__ = ["transfer"]

#: Name of the quantity that tells how much worse one model describes the fine states than another.
REGRET = "relative entropy"
#: Temperatures this close, relatively, are the same.
SAME = 1e-9


@dataclass(frozen=True)
class Candidate:
    """One law at one temperature."""

    label: str
    model: Any
    made_for: float | None


def transfer(
    model: Any,
    state: Any,
    *,
    temperatures: Sequence[float],
    observables: Sequence[Callable[[Trace[Any]], Estimate]],
    time: float,
    dt: float,
    fine: Mapping[float, Trace[Any]] | None = None,
    known: Mapping[float, Mapping[str, Any]] | None = None,
    scaled: bool = False,
    every: float | None = None,
    equilibration: float | None = None,
    dynamics: Any = None,
    barostat: Any = None,
    engine: Any = None,
    seed: int = 0,
    workdir: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> Section:
    """Run a coarse model at other temperatures and compare with the fine one there.

    Parameters
    ----------
    model : ForceField, or mapping of str to ForceField
        The potential is the same at every temperature. Several models, by name, are each run at
        each temperature: fitted at T_i, used at T_j.
    state : Particles, or mapping of float to Particles
        Where runs start; a mapping gives every temperature its own box, as at constant pressure.
        Velocities are drawn anew.
    temperatures : sequence of float
    observables : sequence of Observable
        One that has a ``temperature``, as `Compressibility`, gets that of the run.
    time, dt : float
        Of each run, after ``equilibration``.
    fine : mapping of float to Trace, optional
        Temperature -> trace of the fine model there, on the coarse level (mapped).
    known : mapping of float to mapping, optional
        Temperature -> what is known of the fine model there, as in ``rg.compare``:
        ``{280.0: {"pressure": (12.0, 20.0)}}``.
    scaled : bool
        Also with all energies times T / T_fit, which keeps u/kT: a potential of mean force that is
        all entropy (hard bodies) scales so, one that is all energy stays as it is.
    every, equilibration : float, optional
        Time between frames, a two-hundredth of ``time`` when omitted; time that is cut off before,
        a tenth.
    dynamics, barostat, engine, seed
        As in ``ForceField.run``; the thermostat takes the temperature of the run. Each run has
        random numbers of its own, which do not depend on the others.
    workdir : path, optional
        Keeps the checkpoint of every run; the same call goes on where it was, to the same bits.
        Other engines leave none.
    executor : concurrent.futures.Executor, optional
        Does the runs; one after the other when omitted. Each run uses several cores already.
    progress : bool, optional
        Tell on stderr which run is on; when stderr is a terminal, if omitted.

    Returns
    -------
    Section
        Of slot ``"transfer"``: ``report.with_section(...)`` puts it into a report. A row per
        quantity, temperature and model. Where the fine model is not known, the fine side is
        undefined. Where there are a fine trace and several laws, rows ``"relative entropy"`` tell
        how much worse each describes the fine states than the reference: the unscaled model made
        for that temperature, else the first.

    Raises
    ------
    RegrainError
        Temperatures, settings, states or fine traces that make no sense, before anything runs. A
        run that goes wrong costs its own rows only.

    Loses / Assumes
    ---------------
    Differences of relative entropy only: KL(P || Q) itself asks for the probabilities of fine
    states. A fine trace in another box, or of another size, is compared as it is; a density that
    differs fails a self-check.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.observables import Pressure
    >>> from regrain.particles import ForceField, LennardJones, fcc
    >>> lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
    >>> gas = ForceField({("A", "A"): lj}, temperature=2.0)
    >>> moved = rg.transfer(gas, fcc(cells=2, density=0.1), temperatures=[1.5, 3.0],
    ...                     observables=[Pressure()], known={1.5: {"pressure": 0.12}},
    ...                     time=4.0, dt=0.01)
    >>> [row.name for row in moved.rows]
    ['pressure at T = 1.5', 'pressure at T = 3']
    >>> moved["pressure at T = 3"].reason
    'fine: no fine trace at T = 3 was given'
    """
    show = sys.stderr.isatty() if progress is None else progress
    points = temperatures_of(temperatures)
    models = _models(model)
    starts = _starts(state, points, models)
    traces = by_temperature("fine", fine, points)
    told = by_temperature("known", known, points)
    measures = {t: [_at_temperature(o, t) for o in checked(observables)] for t in points}
    knowns = {t: Known(told.get(t), measures[t]) for t in points}
    for t, trace in traces.items():
        check_fine(trace, starts[t], _name(t, starts[t].units))
    run = _settings(time, dt, every, equilibration, dynamics, barostat)
    run["engine"] = engine
    candidates = {t: _candidates(models, t, scaled=scaled) for t in points}
    home = None if workdir is None else Path(workdir)
    if home is not None:
        if home.exists() and not home.is_dir():
            raise RegrainError(f"workdir: {home} is a file; give a directory")
        home.mkdir(parents=True, exist_ok=True)
    journeys = {
        (t, k): Journey(
            model=law.model,
            start=starts[t],
            run={**run, "seed": _seed(seed, t, law.label), "progress": show and executor is None},
            discard=run["time"] - time,
            observables=measures[t],
            laws=[c.model for c in candidates[t]] if t in traces else [],
            label=_name(t, starts[t].units) + law.label,
            workdir=home,
        )
        for t in points
        for k, law in enumerate(candidates[t])
    }
    arrivals = dict(zip(journeys, _all(journeys.values(), executor, show), strict=True))
    rows: list[Row] = []
    checks: list[Check] = []
    for t in points:
        where = _name(t, starts[t].units)
        reason = f"no fine trace at {where} was given"
        lost = [Estimate.undefined(name_of(o), reason) for o in measures[t]]
        known_there = evaluated(measures[t], traces[t]) if t in traces else lost
        for k, law in enumerate(candidates[t]):
            found = arrivals[t, k]
            rows += _rows(t, where, law.label, known_there, found.estimates, knowns[t])
            checks += found.checks
            if t in traces:
                checks += _agreement(traces[t], found, where + law.label)
        if t in traces and len(candidates[t]) > 1:
            here = [arrivals[t, k] for k in range(len(candidates[t]))]
            comparable = _same_ensemble(traces[t], starts[t], barostat)
            rows += _regrets(t, where, candidates[t], traces[t], here, starts[t], comparable)
        checks += knowns[t].check()
    return Section("transfer", _by_quantity(rows), [_told(run, time, starts)], _gathered(checks))


# ------------------------------------------------------------------- what was given


def temperatures_of(given: Any) -> list[float]:
    """Temperatures in order, checked."""
    try:
        found = [float(t) for t in given]
    except (TypeError, ValueError):
        found = []
    if not found or not all(np.isfinite(t) and t > 0 for t in found):
        raise RegrainError(
            f"temperatures: got {given!r}, expected positive numbers such as [280, 300, 320]"
        )
    if len(set(found)) < len(found):
        raise RegrainError(f"temperatures: got {given!r}, where one is named twice")
    return sorted(found)


def _models(given: Any) -> dict[str, Any]:
    models = dict(given) if isinstance(given, Mapping) else {"": given}
    for name, model in models.items():
        if not callable(getattr(model, "run", None)) or not hasattr(model, "scaled"):
            raise RegrainError(
                f"model: got {type(model).__name__}, expected a ForceField such as result.model, "
                "or a mapping of name to ForceField"
            )
        if isinstance(given, Mapping) and not (isinstance(name, str) and name.strip()):
            raise RegrainError(f"model: got the name {name!r}, expected a text such as 'IBI'")
    if not models:
        raise RegrainError("model: the mapping is empty; give at least one model")
    return models


def _starts(given: Any, points: Sequence[float], models: Mapping[str, Any]) -> dict[float, Any]:
    found = (
        by_temperature("state", given, points)
        if isinstance(given, Mapping)
        else dict.fromkeys(points, given)
    )
    missing = [f"{t:g}" for t in points if t not in found]
    if missing:
        raise RegrainError(
            f"state: nothing to start from at {', '.join(missing)}; give a state for each "
            "temperature, or one for all"
        )
    for state in found.values():
        for model in models.values():
            model.compile(state)  # refuses states of another kind, unit tag or types
    return {
        t: s.replace(velocities=None, forces=None, images=None)
        for t, s in found.items()
        if isinstance(s, Particles)
    }


def by_temperature(what: str, given: Any, points: Sequence[float]) -> dict[float, Any]:
    """The mapping with its keys as those of ``points``."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise RegrainError(
            f"{what}: got {type(given).__name__}, expected a mapping from temperature, such as "
            f"{{{points[0]:g}: ...}}"
        )
    found = {}
    for key, value in given.items():
        try:
            nearest = min(points, key=lambda t: abs(t - float(key)))
            same = abs(nearest - float(key)) <= SAME * nearest
        except (TypeError, ValueError):
            same = False
        if not same:
            raise RegrainError(
                f"{what}: {key!r} is not one of the temperatures "
                f"{', '.join(f'{t:g}' for t in points)}"
            )
        found[nearest] = value
    return found


def _at_temperature(observable: Any, t: float) -> Any:
    settings = fields(observable) if is_dataclass(observable) else ()
    if any(item.name == "temperature" for item in settings):
        return replace(observable, temperature=t)
    return observable


def check_fine(trace: Any, start: Any, where: str) -> None:
    """Stop for a fine trace that a run from this start cannot be compared with."""
    try:
        sanity.refuse(trace, Trace([start], times=[0.0]))
    except RegrainError as error:
        raise RegrainError(f"fine at {where}: {error}") from error


def _settings(
    time: float,
    dt: float,
    every: float | None,
    equilibration: float | None,
    dynamics: Any,
    barostat: Any,
) -> dict[str, Any]:
    """Arguments of a run, checked before the first one begins."""
    before = 0.1 * time if equilibration is None else equilibration
    if not (np.isfinite(before) and before >= 0):
        raise RegrainError(f"equilibration: got {equilibration}, expected a time of 0 or more")
    mover = Langevin() if dynamics is None else dynamics
    if isinstance(mover, NVE) or getattr(mover, "temperature", None) is not None:
        raise RegrainError(
            f"dynamics: {mover!r} does not follow the temperature of the run; give a thermostat "
            "without a temperature of its own, such as Langevin(friction=1.0)"
        )
    given: dict[str, Any] = {"dt": dt, "every": max(time / 200, dt) if every is None else every}
    Settings(time=time, **given)
    run = {**given, "time": time + before, "dynamics": mover, "barostat": barostat}
    Settings(**run)
    return run


# ------------------------------------------------------------------- the runs


def _candidates(models: Mapping[str, Any], t: float, *, scaled: bool) -> list[Candidate]:
    found = []
    for name, model in models.items():
        made_for = model.temperature
        label = f", {name}" if name else ""
        found.append(Candidate(label, model.replace(temperature=t), made_for))
        if not scaled:
            continue
        if not made_for:
            raise RegrainError(
                "scaled: the model does not say which temperature it was made for; give "
                "model.replace(temperature=...)"
            )
        if abs(made_for - t) > SAME * t:
            law = model.scaled(t / made_for).replace(temperature=t)
            found.append(Candidate(f"{label}, scaled", law, None))
    return found


def _seed(seed: int, t: float, label: str) -> int:
    name = label.encode()
    padded = name.ljust(max(64, -(-len(name) // 4) * 4), b"\0")  # whole words
    words = np.frombuffer(np.float64(t).tobytes() + padded, np.uint32)
    return int(np.random.SeedSequence([int(seed), *words.tolist()]).generate_state(1)[0])


def _all(journeys: Iterable[Journey], executor: Executor | None, show: bool) -> Iterable[Arrival]:
    if executor is not None:
        yield from executor.map(travel, journeys)
        return
    for journey in journeys:
        if show:
            print(f"transfer: the coarse model at {journey.label}", file=sys.stderr, flush=True)
        yield travel(journey)


# ------------------------------------------------------------------- the rows


def _name(t: float, tag: str) -> str:
    unit = units(tag).temperature
    return f"{t:g} {unit}" if unit else f"T = {t:g}"


def _at(quantity: str, t: float, where: str, label: str) -> dict[str, str | float]:
    model = label.removeprefix(", ")
    return {"quantity": quantity, "temperature": t, "where": where, "model": model}


def _rows(
    t: float,
    where: str,
    label: str,
    fine: Sequence[Estimate],
    coarse: Sequence[Estimate],
    known: Known,
) -> list[Row]:
    pairs = paired(fine, coarse, known)
    rows = [compare_estimates(name, *sides) for name, sides in pairs.items()]
    if any(f"{row.name} ".startswith("diffusion ") and row.defined for row in rows):
        clock = cost.clock(rows)
        rows.append(replace(clock, fine=None, coarse=None))  # they are rows of their own
    return [
        replace(row, name=f"{row.name} at {where}{label}", at=_at(row.name, t, where, label))
        for row in rows
    ]


def _by_quantity(rows: Sequence[Row]) -> list[Row]:
    """Rows of one quantity beside each other, in the order in which quantities come."""
    order = list(dict.fromkeys(row.at["quantity"] for row in rows))
    for last in (CLOCK, REGRET):
        if last in order:
            order.append(order.pop(order.index(last)))
    return sorted(rows, key=lambda row: order.index(row.at["quantity"]))


def _gathered(checks: Sequence[Check]) -> list[Check]:
    """Those that failed, and one line for all of a name that passed."""
    found = [check for check in checks if check.passed is False]
    passed = [check.name for check in checks if check.passed]
    for name in dict.fromkeys(passed):
        found.append(Check(name, True, f"of {passed.count(name)} runs at other temperatures"))
    return found


def _agreement(trace: Trace[Any], found: Arrival, where: str) -> list[Check]:
    """Whether both sides are at the same density and temperature, as far as both tell."""
    pairs = sanity.agreement(sanity.facts(trace, {}), found.facts)
    wanted = [c for c in pairs if c.name in ("density", "temperature") and c.passed is not None]
    return [replace(check, text=f"{where}: {check.text}") for check in wanted]


def _same_ensemble(trace: Trace[Any], start: Any, barostat: Any) -> str:
    """Why the fine and the coarse frames are not of one ensemble; empty when they are."""
    fine = trace[0]
    if barostat is not None:
        return "the box of the coarse runs changes"
    if len(fine) != len(start):
        return f"the fine trace has {len(fine)} particles, the coarse runs {len(start)}"
    if not np.allclose(fine.box, start.box, rtol=1e-3):
        return "the fine trace and the coarse runs have different boxes"
    return ""


def _regrets(
    t: float,
    where: str,
    laws: Sequence[Candidate],
    trace: Trace[Any],
    found: Sequence[Arrival],
    start: Any,
    obstacle: str,
) -> list[Row]:
    """How much worse each law describes the fine states than the reference."""
    fitted_here = [k for k, c in enumerate(laws) if c.made_for and abs(c.made_for - t) <= SAME * t]
    best = fitted_here[0] if fitted_here else 0
    kt = units(start.units).boltzmann * t
    name = laws[best].label.removeprefix(", ")
    reference = f"the reference ({name})" if name else "the model as fitted"
    rows = []
    for k, law in enumerate(laws):
        if k == best:
            continue
        try:
            own, other = found[k].energies, found[best].energies
            if obstacle or own is None or other is None:
                raise RegrainError(obstacle or "a run failed")
            on_fine = energies(trace, [law.model, laws[best].model])
            assert on_fine is not None
            shifts = ((e[0] - e[1]) / kt for e in (on_fine, own[[k, best]], other[[k, best]]))
            loss = regret(*shifts).per(len(start))
        except RegrainError as error:
            loss = Estimate.undefined("regret", str(error))
        rows.append(
            Row(
                name=f"{REGRET} at {where}{law.label}",
                losses=[loss],
                flags=[f"beyond that of {reference}, per particle", *loss.flags],
                at=_at(REGRET, t, where, law.label),
            )
        )
    return rows


def _told(run: Mapping[str, Any], time: float, starts: Mapping[float, Any]) -> str:
    """How the runs were made."""
    any_start = next(iter(starts.values()))
    names = units(any_start.units)
    per = {s.volume / len(s) for s in starts.values()}
    unit = f" {names.time}" if names.time else ""
    density = f"1/{names.length}³" if names.length else ""
    dense = ", ".join(f"{1.0 / v:.4g}" for v in sorted(per, reverse=True))
    barostat = "" if run["barostat"] is None else f", {run['barostat']!r}"
    return (
        f"Coarse runs of {len(any_start)} particles for {time:g}{unit} after "
        f"{run['time'] - time:g}{unit}, dt {run['dt']:g}{unit}, {run['dynamics']!r}{barostat}; "
        f"density {dense} {density}".rstrip()
        + "."
    )
