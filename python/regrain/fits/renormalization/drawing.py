"""Pictures of flows."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError, unknown
from regrain.fits.renormalization.fixed_point import FixedPoint
from regrain.plotting import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from regrain.fits.renormalization.flow import Flow

__all__ = ["draw"]

Floats = NDArray[np.float64]
Bounds = Mapping[str, tuple[float, float]]

RELEVANT, IRRELEVANT, GREY = "tab:red", "tab:blue", "0.6"


def draw(
    flow: Flow, given: Axes | None, x: str | None, y: str | None, between: Bounds | None
) -> Axes:
    """Draw a flow; see `Flow.plot`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import regrain as rg
    >>> from regrain.fits.renormalization.drawing import draw
    >>> draw(rg.fits.MigdalKadanoff(b=2).flow(dimension=2), None, None, None, None).get_xlabel()
    'nn'
    """
    names = list(flow.names)
    for name in (x, y, *(between or ())):
        if name is not None and name not in names:
            raise unknown("coupling of this flow", name, names)
    if y is not None and y == x:
        raise RegrainError(f"x and y are both {x!r}; give two couplings")
    bounds = dict(flow.bounds) | dict(between or {})
    ax = axes(given)
    first = x or next(name for name in names if name != y)
    if len(names) == 1:
        _line(flow, ax, bounds[first])
        return ax
    _plane(flow, ax, first, y or next(name for name in names if name != first), bounds)
    return ax


def _line(flow: Flow, ax: Axes, bounds: tuple[float, float]) -> None:
    """The change per step over the coupling, with arrows along the axis."""
    points = [p for p in flow.fixed_points() if p.is_finite]
    away = [abs(float(p.array()[0])) for p in points if np.any(p.array())]
    low, high = bounds
    if away:  # what happens happens around the fixed points
        high = min(high, 2.5 * max(away))
        low = max(low, -2.5 * max(away))
    places = np.linspace(low, high, 301)
    change = np.array([flow._change(np.array([k]))[0] for k in places])
    ax.axhline(0.0, color=GREY, lw=0.8)
    ax.plot(places, change, color="black", lw=1.2)
    inner = sorted({low, high, *(float(p.array()[0]) for p in points)})
    inner = [k for k in inner if low <= k <= high]
    leaving = {float(p.array()[0]) for p in points if p.relevant}
    for a, b in pairwise(inner):
        middle = 0.5 * (a + b)
        ahead = float(flow._change(np.array([middle]))[0]) > 0
        reach = 0.12 * (b - a) * (1 if ahead else -1)
        color = RELEVANT if (a if ahead else b) in leaving else IRRELEVANT
        ax.annotate(
            "",
            (middle + reach, 0.0),
            (middle - reach, 0.0),
            arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.5},
        )
    for point in points:
        _mark(ax, (float(point.array()[0]), 0.0), point)
    shown = change[np.isfinite(change)]
    if len(shown):
        floor, ceiling = min(np.percentile(shown, 2), 0.0), max(np.percentile(shown, 98), 0.0)
        room = 0.15 * (ceiling - floor) or 1.0
        ax.set_ylim(floor - room, ceiling + room)
    ax.set_xlabel(flow.names[0])
    ax.set_ylabel("d/d ln b" if flow.continuous else "change per step")
    _title(flow, ax)


def _plane(flow: Flow, ax: Axes, x: str, y: str, bounds: dict[str, tuple[float, float]]) -> None:
    """Stream lines in a plane of two couplings, with what the fixed points in it say."""
    i, j = list(flow.names).index(x), list(flow.names).index(y)
    points = [p for p in flow.fixed_points() if p.is_finite]
    base = _base(flow, points, (i, j))
    xs, ys = np.linspace(*bounds[x], 41), np.linspace(*bounds[y], 41)
    u, v = np.full((2, len(ys), len(xs)), np.nan)
    for row, b in enumerate(ys):
        for column, a in enumerate(xs):
            k = base.copy()
            k[i], k[j] = a, b
            change = flow._change(k)
            u[row, column], v[row, column] = change[i], change[j]
    # Only the direction counts, in units of the picture.
    wide, high = np.ptp(xs), np.ptp(ys)
    size = np.hypot(u / wide, v / high)
    with np.errstate(all="ignore"):
        u, v = u / size, v / size
    u, v = np.where(np.isfinite(u), u, 0.0), np.where(np.isfinite(v), v, 0.0)
    ax.streamplot(xs, ys, u, v, color=GREY, linewidth=0.7, arrowsize=0.8, density=1.1)
    shown = [p for p in points if _in_plane(p, base, (i, j)) and _visible(p, (i, j), xs, ys)]
    for point in shown:
        if np.any(point.array()):
            _surface(flow, ax, point, base, (i, j), (xs, ys))
        _directions(ax, point, (i, j), (wide, high))
        _mark(ax, (float(point.array()[i]), float(point.array()[j])), point)
    ax.set_xlim(*bounds[x])
    ax.set_ylim(*bounds[y])
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    _title(flow, ax)


def _base(flow: Flow, points: list[FixedPoint], plane: tuple[int, int]) -> Floats:
    """The couplings out of the plane: those of the critical fixed point."""
    near = [p for p in points if p.relevant and np.any(p.array())]
    base = np.zeros(len(flow.names))
    if near:
        base = min(near, key=lambda p: p.relevant).array().copy()
    base[list(plane)] = 0.0
    return base


def _in_plane(point: FixedPoint, base: Floats, plane: tuple[int, int]) -> bool:
    rest = [k for k in range(len(base)) if k not in plane]
    return bool(np.allclose(point.array()[rest], base[rest], atol=1e-6))


def _visible(point: FixedPoint, plane: tuple[int, int], xs: Floats, ys: Floats) -> bool:
    a, b = point.array()[list(plane)]
    return bool(xs[0] <= a <= xs[-1] and ys[0] <= b <= ys[-1])


def _mark(ax: Axes, place: tuple[float, float], point: FixedPoint) -> None:
    face = "white" if point.relevant else "black"
    ax.plot(*place, "o", mfc=face, mec="black", ms=7, zorder=5, clip_on=False)


def _directions(
    ax: Axes, point: FixedPoint, plane: tuple[int, int], size: tuple[float, float]
) -> None:
    """Relevant directions as arrows that leave the point, irrelevant ones that come in."""
    place = point.array()[list(plane)]
    for kind, vector in zip(point.kinds, point.vectors.T, strict=True):
        along = np.real(vector[list(plane)])
        if np.iscomplexobj(vector) or kind == "marginal":
            continue
        length = np.hypot(along[0] / size[0], along[1] / size[1])
        if length < 1e-6:
            continue
        reach = 0.13 * along / length
        near = 0.15 * reach
        color = RELEVANT if kind == "relevant" else IRRELEVANT
        for sign in (1.0, -1.0):
            ends = (place + sign * reach, place + sign * near)
            tip, tail = ends if kind == "relevant" else ends[::-1]
            ax.annotate(
                "",
                tuple(tip),
                tuple(tail),
                arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.8},
                zorder=4,
            )


def _surface(
    flow: Flow,
    ax: Axes,
    point: FixedPoint,
    base: Floats,
    plane: tuple[int, int],
    grid: tuple[Floats, Floats],
) -> None:
    """The critical surface in the plane: where the side to which couplings flow changes."""
    (i, j), (xs, ys) = plane, grid
    try:
        side = flow._sides(point, [flow.names[i], flow.names[j]], digits=4)
    except RegrainError:  # more than one direction leaves it: it is no surface, but a point
        return
    found = []

    def where(a: float, b: float) -> float:
        k = base.copy()
        k[i], k[j] = a, b
        return side(k)

    for b in ys[::2]:
        signs = [where(a, b) for a in xs[::4]]
        for column in range(len(signs) - 1):
            if signs[column] != signs[column + 1]:
                low, high = xs[::4][column], xs[::4][column + 1]
                for _ in range(12):
                    middle = 0.5 * (low + high)
                    if where(middle, b) == signs[column]:
                        low = middle
                    else:
                        high = middle
                found.append((0.5 * (low + high), b))
                break
    if len(found) > 1:
        ax.plot(*np.array(found).T, "--", color="black", lw=1.5, zorder=3)


def _title(flow: Flow, ax: Axes) -> None:
    if flow.title:
        ax.set_title(flow.title, fontsize=10)
