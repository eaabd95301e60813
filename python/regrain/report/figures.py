"""Figures of a report. They are built on the Agg canvas, so that no global state is touched."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from regrain.errors import RegrainError, need
from regrain.observables import Estimate
from regrain.report.rows import History, Row
from regrain.report.text import pretty, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from regrain.report.report import Report

# Told apart by the colour-blind and in grey (Okabe & Ito); in a page they become variables, so that
# a dark one can brighten them.
FINE, COARSE = "#0072b2", "#d55e00"
#: Of several coarse models, the first in the colour of the coarse side.
MODELS = (COARSE, "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
INK, RULE = "#222222", "#cccccc"
STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9.0,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextmanager
def _styled() -> Iterator[None]:
    matplotlib = need("matplotlib", extra="plot", purpose="a figure")
    with matplotlib.rc_context(STYLE):
        yield


def _figure(width: float = 4.6, height: float = 3.2) -> Figure:
    figure_module = need("matplotlib.figure", extra="plot", purpose="a figure")
    backend = need("matplotlib.backends.backend_agg", extra="plot", purpose="a figure")
    figure = figure_module.Figure(figsize=(width, height), layout="constrained")
    backend.FigureCanvasAgg(figure)
    return cast("Figure", figure)


def _axes(ax: Axes | None, width: float = 4.6, height: float = 3.2) -> Axes:
    return _figure(width, height).add_subplot() if ax is None else ax


def _label(name: str, unit: str) -> str:
    return f"{name} / {pretty(unit)}" if unit else name


def _band(ax: Axes, estimate: Estimate, color: str, label: str, dashed: bool = False) -> None:
    """A line with a band of two standard errors."""
    ((_, x),) = estimate.coords.items()
    ax.plot(x, estimate.value, color=color, label=label, lw=1.5, ls="--" if dashed else "-")
    if estimate.error is not None:
        low, high = estimate.value - 2 * estimate.error, estimate.value + 2 * estimate.error
        ax.fill_between(x, low, high, color=color, alpha=0.25, lw=0)


def overlay(row: Row, ax: Axes | None = None) -> Axes:
    """Fine and coarse of a row, with bands (bars, for scalars) of two standard errors."""
    sides = [
        (side, label, color)
        for side, label, color in ((row.fine, "fine", FINE), (row.coarse, "coarse", COARSE))
        if side is not None and side.defined
    ]
    if not sides:
        raise RegrainError(f"{row.name} cannot be drawn: {row.reason or 'it has no sides'}")
    with _styled():
        ax = _axes(ax)
        for k, (side, label, color) in enumerate(sides):
            if len(side.coords) > 1:
                raise RegrainError(f"{row.name} has {len(side.coords)} axes; only one can be drawn")
            if side.coords:
                _band(ax, side, color, label, dashed=label == "coarse")
            else:
                reach = None if side.error is None else 2.0 * float(side.error)
                ax.errorbar([k], [float(side)], reach, fmt="o", capsize=3, color=color, label=label)
        first = sides[0][0]
        if first.coords:
            ((axis, _),) = first.coords.items()
            ax.set_xlabel(_label(axis, first.coord_units.get(axis, "")))
            ax.legend()
        else:
            ax.set_xticks(range(len(sides)), [label for _, label, _ in sides])
        ax.set_ylabel(_label(row.name, first.unit))
    return ax


def difference(row: Row, ax: Axes | None = None) -> Axes:
    """Coarse minus fine of a function, over the band that the errors alone would fill."""
    from regrain.report.statistics import error_of, on_grid_of

    if row.fine is None or row.coarse is None:
        raise RegrainError(f"{row.name} has one side only, so no difference")
    fine, coarse = on_grid_of(row.fine, row.coarse)
    ((axis, x),) = fine.coords.items()
    with _styled():
        ax = _axes(ax, height=1.4)
        one, two = error_of(fine), error_of(coarse)
        if one is not None and two is not None:
            reach = 2.0 * np.hypot(one, two)
            ax.fill_between(x, -reach, reach, color=INK, alpha=0.15, lw=0)
        ax.axhline(0.0, color=INK, lw=0.6)
        ax.plot(x, coarse.value - fine.value, color=COARSE, lw=1.2)
        ax.set_xlabel(_label(axis, fine.coord_units.get(axis, "")))
        ax.set_ylabel("coarse − fine")
    return ax


def _both(row: Row) -> Figure:
    """The overlay above the difference, on one axis."""
    with _styled():
        figure = _figure(4.6, 4.0)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        overlay(row, upper)
        difference(row, lower)
        upper.set_xlabel("")
        figure.align_ylabels()
    return figure


def quantities(rows: Sequence[Row]) -> list[str]:
    """What can be drawn against temperature."""
    found = {str(r.at["quantity"]): None for r in rows if "temperature" in r.at and _heights(r)}
    return list(found)


def _heights(row: Row) -> dict[str, Estimate]:
    """What of a row is drawn at its temperature, by its legend."""
    for name in ("rms", "regret", "ratio"):
        loss = next((e for e in row.losses if e.name == name and e.defined), None)
        if loss is not None:
            noise = next((e for e in row.losses if e.name == "noise" and e.defined), None)
            return {"": loss} if noise is None else {"": loss, "noise": noise}
    sides = {"fine": row.fine, "": row.coarse}
    return {k: e for k, e in sides.items() if e is not None and e.defined and not e.coords}


def against_temperature(
    rows: Sequence[Row], quantity: str | None = None, ax: Axes | None = None
) -> Axes:
    """One quantity of the transfer section: fine, coarse, and other models."""
    known = quantities(rows)
    if not known:
        raise RegrainError(
            "no row was compared at another temperature, so there is nothing to draw"
        )
    if quantity is not None and quantity not in known:
        raise RegrainError(
            f"there is no {quantity!r} at other temperatures, but {', '.join(known)}"
        )
    mine = [r for r in rows if r.at.get("quantity") == (quantity or known[0])]
    series: dict[str, list[tuple[float, Estimate]]] = {"fine": []}  # first in the legend
    for row in mine:
        model = str(row.at["model"])
        for kind, estimate in _heights(row).items():
            label = kind or model or "coarse"
            place = series.setdefault(label, [])
            if all(t != row.at["temperature"] for t, _ in place):  # the fine side of every model
                place.append((float(row.at["temperature"]), estimate))
    series = {label: points for label, points in series.items() if points}
    others = [label for label in series if label not in ("fine", "noise")]
    with _styled():
        ax = _axes(ax)
        for label, points in series.items():
            rank = others.index(label) if label in others else 0
            color = {"fine": FINE, "noise": INK}.get(label, MODELS[rank % len(MODELS)])
            _points(ax, points, color, label, "osD^v<>"[rank % 7], filled=rank == 0)
        first = next(iter(series.values()))[0][1]
        what = first.name if first.name in ("rms", "regret", "ratio", "noise") else ""
        ax.set_ylabel(_label(f"{quantity or known[0]} {what}".strip(), first.unit))
        unit = str(mine[0].at["where"]).partition(" ")[2]
        ax.set_xlabel(_label("temperature", "" if unit.startswith("=") else unit))
        places = sorted({t for points in series.values() for t, _ in points})
        if len(places) <= 8:
            ax.set_xticks(places)
        ax.legend()
    return ax


def _points(
    ax: Axes,
    points: Sequence[tuple[float, Estimate]],
    color: str,
    label: str,
    marker: str,
    *,
    filled: bool,
) -> None:
    t = [x for x, _ in points]
    y = [float(e) for _, e in points]
    reach = [0.0 if e.error is None else 2.0 * float(e.error) for _, e in points]
    line = ":" if label == "noise" else "--" if not filled else "-"
    ax.errorbar(t, y, reach, color=color, label=label, marker=marker, ls=line, lw=1.0, ms=4.5,
                capsize=2.5, markerfacecolor=color if filled else "none")  # fmt: skip


def overview(report: Report, ax: Axes | None = None) -> Axes:
    """Each compared row in sigmas; what is significant after Holm's correction is filled."""
    rows = [row for row in report.rows if row.p is not None and not row.at]
    if not rows:
        raise RegrainError("no row of the report was compared, so there is nothing to draw")
    with _styled():
        ax = _axes(ax, height=0.9 + 0.28 * len(rows))
        ax.axvspan(-2, 2, color=INK, alpha=0.08, lw=0)
        for k, row in enumerate(rows):
            color = COARSE if report.verdict(row) in ("different", "close") else FINE
            fill = color if color == COARSE else "none"
            ax.plot([_reach(row)], [k], "o", color=color, markerfacecolor=fill)
        ax.axvline(0.0, color=INK, lw=0.6)
        ax.set_yticks(range(len(rows)), [row.name for row in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xscale("symlog", linthresh=4.0)
        ticks = [-1e5, -1e4, -1e3, -100, -10, -2, 0, 2, 10, 100, 1e3, 1e4, 1e5]
        reach = 1.3 * max(4.0, *(abs(float(x)) for x in ax.get_xlim()))
        ax.set_xticks([t for t in ticks if abs(t) < reach], minor=False)
        ax.set_xticks([], minor=True)
        ax.xaxis.set_major_formatter("{x:.0f}")
        ax.set_xlim(-reach, reach)
        ax.set_xlabel("coarse − fine, in standard errors")
    return ax


def _reach(row: Row) -> float:
    """The sigmas of a row, within what can be drawn; exact numbers that differ are far apart."""
    sigmas = row.get("sigmas")
    if sigmas is None:
        sigmas = np.inf if row.p == 0.0 else 0.0
    return float(np.clip(sigmas, -1e5, 1e5))


def potentials(curves: Estimate, ax: Axes | None = None, name: str = "u") -> Axes:
    """A potential at each iteration of a fit, from pale to dark."""
    (_, steps), (axis, x) = curves.coords.items()
    with _styled():
        ax = _axes(ax)
        lines = curves.value
        for k, line in enumerate(lines):
            last = k == len(lines) - 1
            shade = 0.25 + 0.6 * k / max(len(lines) - 1, 1)
            label = f"run {steps[k]}" if len(lines) <= 8 or k in (0, len(lines) - 1) else None
            ax.plot(x, line, color=COARSE if last else INK, alpha=1.0 if last else shade, lw=1.2,
                    label=label)  # fmt: skip
        low = float(np.min(lines))
        ax.set_ylim(low - 0.1 * abs(low), _ceiling(lines))
        ax.axhline(0.0, color=RULE, lw=0.6, zorder=0)
        ax.set_xlabel(_label(axis, curves.coord_units.get(axis, "")))
        ax.set_ylabel(_label(name, curves.unit))
        ax.legend()
    return ax


def _ceiling(lines: Any) -> float:
    """High enough to show wells and barriers, not the whole repulsive wall."""
    low = abs(float(np.min(lines)))
    inner = lines[:, np.argmin(np.abs(lines[-1] - lines[-1].min())) :]
    return max(2.0 * low, 1.5 * float(np.max(inner)), 1e-12)


def convergence(history: History, most: int = 3) -> Figure:
    """The first numbers of a fit, each by iteration on an axis of its own."""
    wanted = tuple(history.columns)[:most]
    columns = {
        k: history.columns[k] for k in wanted if any(v is not None for v in history.columns[k])
    }
    with _styled():
        figure = _figure(4.6, 0.6 + 1.0 * len(columns))
        panels = np.atleast_1d(figure.subplots(len(columns), 1, sharex=True))
        for ax, (name, column) in zip(panels, columns.items(), strict=True):
            points = [(k, value) for k, value in enumerate(column, 1) if value is not None]
            ax.plot(*zip(*points, strict=True), "o-", color=COARSE, ms=4, lw=1.2)
            ax.set_ylabel(name)
            if all(value > 0 for _, value in points) and _decades(points) > 1:
                ax.set_yscale("log")
        panels[-1].set_xlabel("run")
        panels[-1].set_xticks(range(1, history.iterations + 1))
        figure.align_ylabels()
    return figure


def _decades(points: list[tuple[int, float]]) -> float:
    values = [value for _, value in points]
    return float(np.log10(max(values) / min(values)))


def figures(report: Report) -> Iterator[tuple[str, str, Figure]]:
    """(Caption, description for those who cannot see it, figure) of everything worth drawing."""
    for row in report.rows:
        if row.at or row.axis is None or not row.defined or None in (row.fine, row.coarse):
            continue
        yield _caption(row), _description(row), _both(row)
    for quantity in quantities(report.rows):
        text = f"{quantity} against temperature, with bars of two standard errors."
        yield text, text, cast("Figure", against_temperature(report.rows, quantity).figure)
    if any(row.p is not None and not row.at for row in report.rows):
        text = "Differences in standard errors; filled where significant (Holm), grey within two."
        yield text, text, cast("Figure", overview(report).figure)
    if report.history is not None:
        for name, curves in report.history.curves.items():
            text = f"Potential {name} at each iteration of the fit, the last one in colour."
            yield text, text, cast("Figure", potentials(curves, name=name).figure)
        if report.history.iterations > 1:
            text = f"The fit, run by run: {', '.join(list(report.history.columns)[:3])}."
            yield text, text, convergence(report.history)


def _caption(row: Row) -> str:
    return (
        f"{row.name}: fine (line) and coarse (dashed) with bands of two standard errors; below, "
        "their difference over the band that the errors alone would fill."
    )


def _description(row: Row) -> str:
    rms, top, at = row.get("rms"), row.get("max"), row.get("at")
    parts = [f"Curves of {row.name} against {row.axis}, fine and coarse"]
    if rms is not None and top is not None and at is not None:
        parts.append(f"RMS difference {short(rms)}, largest {short(top)} at {short(at)}")
    return "; ".join(parts) + "."


def svg(figure: Figure, *, prefix: str, description: str) -> str:
    """A figure as an SVG element to stand in a page: nothing to fetch, colours as variables.

    Parameters
    ----------
    prefix : str
        Put before every id, so that several figures fit in one page.
    description : str
        Alternative text.
    """
    buffer = io.BytesIO()
    with _styled():
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue().decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'href="#', f'href="#{prefix}-', text)
    text = text.replace("url(#", f"url(#{prefix}-")
    for color, variable in ((FINE, "fine"), (COARSE, "coarse"), (INK, "ink"), (RULE, "rule")):
        text = text.replace(color, f"var(--{variable})")
    opening = f'<svg role="img" aria-label="{_escaped(description)}"'
    return text.replace("<svg", opening, 1)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
