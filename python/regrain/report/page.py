"""A report as one HTML page that needs nothing else: no network, no scripts, no other files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from regrain.errors import MissingPackageError
from regrain.report.rows import Check, History, Row, Section, Source
from regrain.report.text import history_table, measures, notes_of, pretty, side, sigmas

if TYPE_CHECKING:
    from regrain.report.report import Report

MARKS = {True: "✓", False: "✗", None: "–"}
CLASSES = {True: "same", False: "different", None: "undefined"}


def page(report: Report) -> str:
    """The whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n"
        "<style>body { margin: 0 } @media (prefers-color-scheme: dark) { body { background: "
        "#16181a } }</style>\n"
        f"</head>\n<body>\n{fragment(report)}\n</body>\n</html>\n"
    )


def fragment(report: Report) -> str:
    """The page without its frame, as a notebook shows it."""
    style = files("regrain.report").joinpath("page.css").read_text(encoding="utf-8")
    parts = [
        f"<style>\n{style}</style>",
        f"<h1>{escape(report.title)}</h1>",
        *(_source(source) for source in (report.fine, report.coarse)),
        _list("headline", report.headline),
        *(_section(section, report) for section in report.sections),
        _titled("Where this model must not be used", _list("limits", report.limits)),
        _figures(report),
        _history(report.history),
        _titled("Self-checks", _checks(report.check())),
        f'<div class="screen">{_titled("Where it comes from", _provenance(report))}</div>',
        _footer(report),
    ]
    body = "\n".join(part for part in parts if part)
    return f'<div class="regrain">\n{body}\n</div>'


def _source(source: Source) -> str:
    return f'<p class="source">{escape(str(source))}</p>'


def _titled(title: str, body: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{body}" if body else ""


def _list(kind: str, texts: Iterable[str]) -> str:
    items = "".join(f"<li>{_emphasised(text)}</li>" for text in texts)
    return f'<ul class="{kind}">{items}</ul>' if items else ""


def _emphasised(text: str) -> str:
    """The words up to the first colon in bold."""
    head, colon, rest = text.partition(": ")
    return f"<strong>{escape(head)}</strong>: {escape(rest)}" if colon else escape(text)


def _section(section: Section, report: Report) -> str:
    heads = "".join(
        f'<th scope="col">{head}</th>'
        for head in ("", "fine", "coarse", "difference", "sigmas", "verdict")
    )
    told: set[str] = set()
    body = "\n".join(_row(r, report.verdict(r), notes_of(r, told)) for r in section.rows)
    notes = "".join(f'<p class="source">{escape(note)}</p>' for note in section.notes)
    return _titled(
        section.title,
        f'{notes}<div class="scroll"><table>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>",
    )


def _row(row: Row, verdict: str, notes: Sequence[str]) -> str:
    unit = next((e.unit for e in (row.fine, row.coarse) if e is not None and e.unit), "")
    name = escape(row.name) + (
        f' <span class="unit">/ {escape(pretty(unit))}</span>' if unit else ""
    )
    if row.get("rms") is not None:
        cells = f'<td class="words" colspan="3">{escape(measures(row))}</td>'
    else:
        texts = (side(row.fine), side(row.coarse), measures(row))
        cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
    return (
        f'<tr><th scope="row">{name}</th>{cells}<td>{escape(sigmas(row))}</td>'
        f'<td class="verdict {verdict}">{verdict}</td></tr>'
    ) + "".join(f'\n<tr class="note"><td colspan="6">{escape(note)}</td></tr>' for note in notes)


def _figures(report: Report) -> str:
    try:
        from regrain.report.figures import figures, svg

        shown = [
            f"<figure>{svg(figure, prefix=f'f{k}', description=text)}"
            f"<figcaption>{escape(caption)}</figcaption></figure>"
            for k, (caption, text, figure) in enumerate(figures(report))
        ]
    except MissingPackageError as error:
        return _titled("Figures", f"<p>{escape(str(error))}</p>")
    return _titled("Figures", f'<div class="figures">{"".join(shown)}</div>') if shown else ""


def _history(history: History | None) -> str:
    if history is None:
        return ""
    heads, *body = history_table(history)
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heads)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>" for cells in body
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _titled(
        "The fit",
        f'<p class="source">{escape(history.method)}</p><div class="scroll">{table}</div>',
    )


def _checks(checks: Iterable[Check]) -> str:
    items = "".join(
        f'<li><span class="{CLASSES[c.passed]}">{MARKS[c.passed]}</span> '
        f"<strong>{escape(c.name)}</strong>: {escape(c.text)}</li>"
        for c in checks
    )
    return f'<ul class="checks">{items}</ul>' if items else ""


def _provenance(report: Report) -> str:
    return "".join(
        f"<details><summary>{source.label}</summary><pre>"
        f"{escape(json.dumps(source.provenance, indent=1, ensure_ascii=False))}</pre></details>"
        for source in (report.fine, report.coarse)
        if source.provenance
    )


def _footer(report: Report) -> str:
    share = f"{100.0 * report.tolerance:g} %"
    version = f" {escape(report.version)}" if report.version else ""
    return (
        "<footer>Numbers are value ± one standard error. sigmas: the difference over its standard "
        "error, at the worst point for functions. different: beyond doubt (5 % for the whole "
        "report, Holm's correction; Bonferroni over the points of a function); close: so too, but "
        f"by less than {share} of the fine value or of its spread; same: within the errors; "
        "undecided: chance may have done it, longer runs will tell. "
        f"Made by regrain{version}.</footer>"
    )
