"""What a report says in sentences: its headline, and where its model must not be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regrain.report.rows import Row
from regrain.report.text import pretty, short, side, sigmas

if TYPE_CHECKING:
    from regrain.report.report import Report

#: Name of the row of the cost section that compares clocks.
CLOCK = "time scale"


def headline(report: Report) -> tuple[str, ...]:
    """Kept, lost, open, clock, cost, transfer, unknown: a line each where there is something."""
    compared = [row for row in report.rows if row.p is not None and not row.at]
    verdicts = {row.name: report.verdict(row) for row in compared}
    kept = [row for row in compared if verdicts[row.name] in ("same", "close")]
    lost = sorted(
        (row for row in compared if verdicts[row.name] == "different"), key=lambda row: row.p or 0.0
    )
    lines = []
    if kept:
        lines.append("Kept: " + "; ".join(_kept(row) for row in kept) + ".")
    if lost:
        lines.append("Lost: " + "; ".join(_lost(row) for row in lost) + ".")
    open_ = [row for row in compared if verdicts[row.name] == "undecided"]
    if open_:
        lines.append("Undecided: " + "; ".join(_lost(row) for row in open_) + "; run for longer.")
    lines += [text for row in report.rows if (text := _ratio(row))]
    lines += _transfer(report)
    unknown = [row.name for row in _observables(report) if not row.defined]
    if unknown:
        lines.append(f"Not compared: {', '.join(unknown)}.")
    return tuple(lines)


def limits(report: Report) -> tuple[str, ...]:
    """One sentence per reason."""
    found = [
        f"For {row.name}: {_lost(row, name=False)}."
        for row in report.rows
        if report.verdict(row) == "different" and not row.at
    ]
    clock = next((row for row in report.rows if row.name == CLOCK and row.defined), None)
    if clock is not None and clock.losses:
        low, high = clock.losses[0].interval()
        if not low <= 1.0 <= high:
            found.append(
                f"For times and rates as they are: its clock runs {_times(clock)} too fast by "
                "diffusion, and no one factor corrects every process."
                if float(clock.losses[0]) > 1.0
                else f"For times and rates as they are: by diffusion it moves at {_times(clock)} "
                "the speed of the fine model."
            )
    found += [
        f"For {row.name}: not known, {row.reason}."
        for row in report.rows
        if not row.defined and row.name in {r.name for r in _observables(report)}
    ]
    found += _elsewhere(report)
    found += [f"{c.name}: {c.text}." for c in report.check() if c.passed is False]
    return tuple(found)


def _moved(report: Report) -> dict[str, dict[float, list[Row]]]:
    """Rows of the transfer section by model and temperature."""
    found: dict[str, dict[float, list[Row]]] = {}
    for row in report.rows:
        if "temperature" in row.at:
            of_model = found.setdefault(str(row.at.get("model", "")), {})
            of_model.setdefault(float(row.at["temperature"]), []).append(row)
    return found


def _transfer(report: Report) -> list[str]:
    """One line per model: where it kept what was compared, and where it did not."""
    lines = []
    for model, points in _moved(report).items():
        texts = []
        for rows in points.values():
            judged = [(row, report.verdict(row)) for row in rows if row.p is not None]
            lost = [str(row.at["quantity"]) for row, verdict in judged if verdict == "different"]
            if judged:
                texts.append(
                    f"{rows[0].at['where']} {'lost ' + ', '.join(lost) if lost else 'kept'}"
                )
        if texts:
            lines.append(f"Transfer{f' ({model})' if model else ''}: {'; '.join(texts)}.")
    return lines


def _elsewhere(report: Report) -> list[str]:
    """What the transfer section says against the use at other state points."""
    moved = _moved(report)
    if not moved:
        return [f"Away from where it was compared{_state_point(report)}: never tested there."]
    found = []
    for model, points in moved.items():
        label = f" ({model})" if model else ""
        for rows in points.values():
            bad = [
                f"{row.at['quantity']} {_lost(row, name=False)}"
                for row in rows
                if report.verdict(row) == "different"
            ]
            if bad:
                found.append(f"At {rows[0].at['where']}{label}: {'; '.join(bad)}.")
        unknown: dict[str, list[str]] = {}
        for rows in points.values():
            for row in rows:
                if not row.defined and not row.losses:
                    unknown.setdefault(str(row.at["quantity"]), []).append(str(row.at["where"]))
        grouped: dict[tuple[str, ...], list[str]] = {}
        for quantity, places in unknown.items():
            grouped.setdefault(tuple(places), []).append(quantity)
        found += [
            f"At {', '.join(places)}{label}: not known for {', '.join(quantities)}."
            for places, quantities in grouped.items()
        ]
    every = {t: rows[0].at["where"] for points in moved.values() for t, rows in points.items()}
    found.append(
        f"Below {every[min(every)]}, above {every[max(every)]}, and at densities "
        "other than those of the runs: never tested there."
    )
    return found


def _observables(report: Report) -> tuple[Row, ...]:
    return tuple(r for s in report.sections if s.slot == "observables" for r in s.rows)


def _state_point(report: Report) -> str:
    state = report.coarse.state
    return f" ({', '.join(f'{name} {text}' for name, text in state.items())})" if state else ""


def _kept(row: Row) -> str:
    rms = row.get("rms")
    if rms is not None:
        return f"{row.name} to RMS {short(rms)}"
    coarse, fine = side(row.coarse), side(row.fine)
    return f"{row.name} ({coarse if coarse == fine else f'{coarse}, was {fine}'}{_unit(row)})"


def _unit(row: Row) -> str:
    unit = "" if row.fine is None else pretty(row.fine.unit)
    return f" {unit}" if unit else ""


def _lost(row: Row, *, name: bool = True) -> str:
    rms, relative = row.get("rms"), row.get("relative")
    start = f"{row.name} " if name else ""
    if rms is not None:
        share = "" if relative is None else f", {100.0 * relative:.0f} % of its spread"
        return f"{start}off by RMS {short(rms)}{share}"
    return f"{start}{side(row.coarse)} instead of {side(row.fine, unit=True)} ({sigmas(row)} σ)"


def _times(row: Row) -> str:
    return f"{side(row.losses[0])} ×"


def _ratio(row: Row) -> str:
    """The clock and the speed-up, each in a sentence."""
    if not row.defined or not row.losses:
        return ""
    if row.name == CLOCK:
        faster = float(row.losses[0]) > 1.0
        return f"Clock: diffuses {_times(row)} {'faster' if faster else 'as fast'} than fine."
    factor = row.get("speed-up")
    if factor is not None:
        return f"Cost: {short(factor)} × less wall time per effective sample."
    return ""
