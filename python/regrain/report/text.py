"""A report as a table for the terminal, 100 columns wide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from math import floor, log10
from textwrap import wrap
from typing import TYPE_CHECKING

from regrain.observables import Estimate
from regrain.observables.text import number
from regrain.report.rows import History, Row, Section
from regrain.report.statistics import adjusted, verdict

if TYPE_CHECKING:
    from regrain.report.report import Report

WIDTH = 100
#: Widths of name, fine, coarse, difference, sigmas and verdict; two spaces between them.
COLUMNS = (21, 18, 18, 18, 6, 9)
HEADS = ("", "fine", "coarse", "difference", "sigmas", "verdict")


def short(value: float, digits: int = 3) -> str:
    """A number with a few significant digits and no needless exponent.

    Examples
    --------
    >>> from regrain.report.text import short
    >>> short(0.00761234), short(48213.7), short(4.6), short(1.2e-7)
    ('0.00761', '48200', '4.6', '1.2e-07')
    """
    if value != 0 and 1e-4 <= abs(value) < 1e6:
        text = f"{float(f'{value:.{digits}g}'):f}" if abs(value) >= 10**digits else ""
        return text.rstrip("0").rstrip(".") if text else f"{value:.{digits}g}"
    return f"{value:.{digits}g}"


def side(estimate: Estimate | None, *, unit: bool = False) -> str:
    """Value and error of one side in a cell; a function is too long for one."""
    if estimate is None:
        return "–"
    if not estimate.defined:
        return "undefined"
    if estimate.coords:
        return f"{estimate.value.size} points"
    value = float(estimate)
    text = short(value) if estimate.error is None else _with_error(value, float(estimate.error))
    return f"{text} {pretty(estimate.unit)}" if unit and estimate.unit else text


def _with_error(value: float, error: float) -> str:
    """``value ± error``, with an exponent where zeros would fill the cell."""
    size = max(abs(value), error)
    if not 0.0 < size < 0.01:
        return number(value, error)
    power = floor(log10(size))
    return f"({number(value / 10.0**power, error / 10.0**power)})e{power}"


def pretty(unit: str) -> str:
    """A unit with raised exponents: 1/nm³ for 1/nm^3."""
    for digit, raised in (("-1", "⁻¹"), ("-2", "⁻²"), ("-3", "⁻³"), ("2", "²"), ("3", "³")):
        unit = unit.replace(f"^{digit}", raised)
    return unit


def sigmas(row: Row) -> str:
    """The difference in standard errors, signed."""
    found = row.get("sigmas")
    if found is None:  # exact numbers that differ are infinitely many errors apart
        return "∞" if row.p == 0.0 else ""
    text = f"{found:+.1f}" if abs(found) < 99.95 else f"{found:+.0f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def measures(row: Row) -> str:
    """All losses of a row in words, those of a function in one phrase."""
    rms, noise = row.get("rms"), row.get("noise")
    if rms is None:
        shown = [loss for loss in row.losses if loss.name not in ("sigmas", "relative")]
        return ", ".join(
            side(loss) if loss.name == "difference" else _named(loss) for loss in shown
        )
    at = next((loss for loss in row.losses if loss.name == "at" and loss.defined), None)
    where = ""
    if at is not None:
        where = f" at {short(float(at))}{f' {pretty(at.unit)}' if at.unit else ''}"
    parts = [f"RMS {short(rms, 2)}" + ("" if noise is None else f" (noise {short(noise, 2)})")]
    parts.append(f"max {short(row.get('max') or 0.0, 2)}{where}")
    if (chi2 := row.get("chi2")) is not None:
        parts.append(f"χ² {short(chi2, 2)}")
    return ", ".join(parts)


def _named(loss: Estimate) -> str:
    return f"{loss.name} {side(loss, unit=True)}"


def as_text(report: Report) -> str:
    """The whole report for a terminal."""
    lines = [report.title, "=" * min(len(report.title), WIDTH)]
    for source in (report.fine, report.coarse):
        lines += wrap(str(source), WIDTH, subsequent_indent="  ")
    lines += ["", *_bullets(report.headline)]
    for section in report.sections:
        lines += ["", section.title, "-" * WIDTH, *_section(section, report.verdict)]
    if report.limits:
        lines += ["", "Where this model must not be used", "-" * WIDTH, *_bullets(report.limits)]
    if report.history is not None:
        head = wrap(f"Fit: {report.history.method}", WIDTH, subsequent_indent="  ")
        lines += ["", *head, "-" * WIDTH, *_history(report.history)]
    if checks := report.check():
        lines += ["", "Self-checks", "-" * WIDTH]
        lines += [line for c in checks for line in wrap(str(c), WIDTH, subsequent_indent="  ")]
    return "\n".join(lines)


def _bullets(texts: Sequence[str]) -> list[str]:
    return [
        line
        for text in texts
        for line in wrap(text, WIDTH, initial_indent="* ", subsequent_indent="  ")
    ]


def _section(section: Section, verdict_of: Callable[[Row], str]) -> list[str]:
    lines = [line for note in section.notes for line in wrap(note, WIDTH)]
    lines += _line(HEADS)
    told: set[str] = set()
    for row in section.rows:
        lines += _row(row, verdict_of(row), notes_of(row, told))
    return lines


def notes_of(row: Row, told: set[str]) -> list[str]:
    """What stands below a row; rows of several temperatures do not repeat each other."""
    notes = [row.reason] if not row.defined else []
    notes += [flag for flag in row.flags if flag not in notes]
    notes = [note for note in notes if not (row.at and note in told)]
    told.update(notes)
    return notes


def section_as_text(section: Section, tolerance: float = 0.05) -> str:
    """One section as a report of its own would print it."""
    family = adjusted(section.rows)
    body = _section(section, lambda row: verdict(row, family, tolerance))
    failed = [str(check) for check in section.checks if check.passed is False]
    return "\n".join([section.title, "-" * WIDTH, *body, *_bullets(failed)])


def _row(row: Row, verdict: str, notes: Sequence[str]) -> list[str]:
    unit = next((e.unit for e in (row.fine, row.coarse) if e is not None and e.unit), "")
    name = f"{row.name} ({pretty(unit)})" if unit else row.name
    if row.get("rms") is not None:
        lines = _spanned(name, measures(row), sigmas(row), verdict)
    else:
        cells = (name, side(row.fine), side(row.coarse), measures(row), sigmas(row), verdict)
        lines = _line(cells)
    for note in notes:
        lines += wrap(note, WIDTH, initial_indent="    ! ", subsequent_indent="      ")
    return lines


def _line(cells: Sequence[str]) -> list[str]:
    columns = [wrap(cell, width) or [""] for cell, width in zip(cells, COLUMNS, strict=True)]
    lines = []
    for parts in zip_longest(*columns, fillvalue=""):
        aligned = [parts[0].ljust(COLUMNS[0])]
        aligned += [p.rjust(w) for p, w in zip(parts[1:5], COLUMNS[1:5], strict=True)]
        lines.append("  ".join([*aligned, parts[5]]).rstrip())
    return lines


def _spanned(name: str, text: str, sigma: str, verdict: str) -> list[str]:
    span = sum(COLUMNS[1:4]) + 4
    lines: list[str] = []
    for first, middle in zip_longest(wrap(name, COLUMNS[0]), wrap(text, span), fillvalue=""):
        end = [sigma.rjust(COLUMNS[4]), verdict] if not lines else []
        lines.append("  ".join([first.ljust(COLUMNS[0]), middle.rjust(span), *end]).rstrip())
    return lines


def history_table(history: History) -> list[list[str]]:
    """The numbers of a fit as rows of cells, heads first."""
    heads = ["run", *history.columns]
    body = [
        [
            str(i + 1),
            *(
                "" if i >= len(column) or (value := column[i]) is None else short(value, 4)
                for column in history.columns.values()
            ),
        ]
        for i in range(history.iterations)
    ]
    return [heads, *body]


def _history(history: History) -> list[str]:
    cells = history_table(history)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
