"""Potentials from noisy numbers: smoothing, and what to do where there are no numbers.

Nodes are the points of a table; data live elsewhere (centres of histogram bins). Between the nodes
a potential is taken as linear, which is enough for a change of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "bandwidth_penalty",
    "best_width",
    "extrapolate",
    "hat_matrix",
    "hat_slopes",
    "smooth_onto",
]

Floats = NDArray[np.float64]

#: Weight of a node without data relative to the heaviest: it follows its neighbours.
_NO_DATA = 1e-6
#: Counts that a feature must rest on: a tenth of kT of noise in an energy.
ENOUGH = 100.0
#: Widths that are tried.
WIDTHS = 16


def hat_matrix(nodes: Floats, x: Floats) -> Floats:
    """Linear interpolation from equally spaced nodes to x, zero outside, shape (x, nodes).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.shaping import hat_matrix
    >>> hat_matrix(np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.75, 3.0])).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.25, 0.75], [0.0, 0.0, 0.0]]
    """
    left, part, inside = _locate(nodes, x)
    matrix = np.zeros((len(x), len(nodes)))
    rows = np.flatnonzero(inside)
    matrix[rows, left] = 1.0 - part
    matrix[rows, left + 1] = part
    return matrix


def hat_slopes(nodes: Floats, x: Floats) -> Floats:
    """Derivative of the same interpolation, shape (x, nodes); at a node, that of the right side.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.shaping import hat_slopes
    >>> hat_slopes(np.array([0.0, 2.0, 4.0]), np.array([1.0])).tolist()
    [[-0.5, 0.5, 0.0]]
    """
    left, _, inside = _locate(nodes, x)
    slope = (len(nodes) - 1) / (nodes[-1] - nodes[0])
    matrix = np.zeros((len(x), len(nodes)))
    rows = np.flatnonzero(inside)
    matrix[rows, left] = -slope
    matrix[rows, left + 1] = slope
    return matrix


def _locate(nodes: Floats, x: Floats) -> tuple[NDArray[np.intp], Floats, NDArray[np.bool_]]:
    """Interval of each x that lies inside, how far into it, and which x those are."""
    spacing = (nodes[-1] - nodes[0]) / (len(nodes) - 1)
    place = (x - nodes[0]) / spacing
    inside = (place >= -1e-9) & (place <= len(nodes) - 1 + 1e-9)
    left = np.clip(np.floor(place[inside]), 0, len(nodes) - 2).astype(np.intp)
    return left, place[inside] - left, inside


def bandwidth_penalty(
    weight: Floats, counts: Floats, spacing: float, width: float, *, end: str = "free"
) -> Floats:
    """Second-difference penalty, shape (n, n), that leaves features wider than ``width``.

    A feature of wavelength ``width`` is halved at any node, whatever the weight of the data there:
    the penalty of each second difference is the local weight times (width / 2π spacing)⁴. Where
    fewer than `ENOUGH` counts fall into a width, it grows until they do.

    Parameters
    ----------
    weight : ndarray, shape (n,)
        Of the data at each node.
    counts : ndarray, shape (n,)
        Independent samples at each node.
    spacing : float
        Between the nodes.
    width : float
    end : {"free", "zero", "periodic"}
        "zero": beyond the last node the function is zero, so value and slope go to zero there.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.shaping import bandwidth_penalty
    >>> line = np.arange(5.0)
    >>> penalty = bandwidth_penalty(np.ones(5), np.full(5, 99.0), 0.1, 0.5)
    >>> bool(abs(line @ penalty @ line) < 1e-12)
    True
    """
    n = len(weight)
    needed = spacing * ENOUGH / np.maximum(counts, 1e-3 * ENOUGH)
    local_width = np.clip(needed, max(width, 1e-2 * spacing), max(width, 0.25 * n * spacing))
    strength = weight * (local_width / (2.0 * np.pi * spacing)) ** 4
    if end == "periodic":
        bends = np.roll(np.eye(n), 1, axis=1) - 2 * np.eye(n) + np.roll(np.eye(n), -1, axis=1)
    elif end == "zero":
        bends = np.diff(np.eye(n + 2), 2, axis=0)[:, :n]
        strength = np.append(strength[1:], strength[-1])
    else:
        bends = np.diff(np.eye(n), 2, axis=0)
        strength = strength[1:-1]
    penalty: Floats = bends.T @ (strength[:, None] * bends)
    return penalty


def smooth_onto(
    nodes: Floats, x: Floats, y: Floats, counts: Floats, *, width: float, end: str = "free"
) -> Floats:
    """Values at the nodes of the smooth function through counted data.

    Minimises Σ counts (y - u(x))² plus `bandwidth_penalty`; nodes without data continue their
    neighbours (straight on, or to zero at the end).

    Parameters
    ----------
    nodes : ndarray, shape (n,)
        Equally spaced; with ``end="periodic"`` the first and the last are the same point.
    x, y, counts : ndarray, shape (m,)
        Where, what, and on how many independent samples it rests: none, and y is not read.
    width : float
        Features narrower than this are noise.
    end : {"free", "zero", "periodic"}
        "zero": the last node is 0, and the slope goes to 0 towards it.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.shaping import smooth_onto
    >>> nodes, x = np.linspace(0, 1, 11), np.linspace(0.05, 0.95, 10)
    >>> u = smooth_onto(nodes, x, 2 * x + 1, np.full(10, 99.0), width=0.3)
    >>> bool(np.allclose(u, 2 * nodes + 1))
    True
    """
    matrix, penalty, used = _smoother(nodes, x, counts, width, end)
    normal = matrix.T @ (counts[used, None] * matrix) + penalty
    values = np.linalg.solve(normal, matrix.T @ (counts[used] * y[used]))
    if end == "free":
        return np.asarray(values)
    return np.append(values, values[0] if end == "periodic" else 0.0)


def best_width(nodes: Floats, x: Floats, y: Floats, counts: Floats, *, end: str = "free") -> float:
    """The width with which `smooth_onto` predicts left-out data best.

    By generalised cross-validation, Σ counts (y - u)² / (1 - tr H / m)² with H the matrix that
    takes y to u (G. Wahba, Spline Models for Observational Data, SIAM 1990, ch. 4).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.shaping import best_width
    >>> nodes = np.linspace(0.0, 6.0, 121)
    >>> x = 0.5 * (nodes[1:] + nodes[:-1])
    >>> noise = 0.1 * np.random.default_rng(1).normal(size=120)
    >>> 1.0 < best_width(nodes, x, np.sin(x) + noise, np.full(120, 100.0)) < 4.0
    True
    """
    spacing = (nodes[-1] - nodes[0]) / (len(nodes) - 1)
    scores = {}
    for width in np.geomspace(1.5 * spacing, 0.5 * (nodes[-1] - nodes[0]), WIDTHS):
        matrix, penalty, used = _smoother(nodes, x, counts, float(width), end)
        weighted = matrix.T * counts[used]
        gain = np.linalg.solve(weighted @ matrix + penalty, weighted)
        left = y[used] - matrix @ (gain @ y[used])
        freedom = 1.0 - np.sum(matrix * gain.T) / len(left)
        scores[float(width)] = float(np.sum(counts[used] * left**2)) / max(freedom, 1e-3) ** 2
    return min(scores, key=lambda width: scores[width])


def _smoother(
    nodes: Floats, x: Floats, counts: Floats, width: float, end: str
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """From the unknowns to the data that are used, their penalty, and which data those are."""
    spacing = (nodes[-1] - nodes[0]) / (len(nodes) - 1)
    used = counts > 0
    matrix = hat_matrix(nodes, x[used])
    if end == "periodic":
        matrix[:, 0] += matrix[:, -1]
    if end != "free":
        matrix = matrix[:, :-1]
    data = counts[used] @ matrix
    local = np.maximum(data, _NO_DATA * data.max())
    return matrix, bandwidth_penalty(local, data, spacing, width, end=end), used


def extrapolate(
    nodes: Floats, values: Floats, first: int, last: int, *, stiffness: float, over: int
) -> Floats:
    """Repulsive walls outside of the nodes first..last: parabolas with the slope at the edge.

    Parameters
    ----------
    nodes, values : ndarray, shape (n,)
    first, last : int
        The sampled nodes; values outside of them are replaced.
    stiffness : float
        Least curvature of the walls.
    over : int
        Slope and curvature at an edge are those of the parabola through so many nodes.

    Notes
    -----
    A wall always pushes back to where samples are: at an edge where the potential falls outwards,
    its slope is taken to be zero.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.shaping import extrapolate
    >>> x = np.linspace(0, 1, 11)
    >>> u = extrapolate(x, np.where(x < 0.3, 0, (x - 1) ** 2), 3, 10, stiffness=0.1, over=4)
    >>> bool(np.allclose(u, (x - 1) ** 2))
    True
    """
    filled = values.copy()
    for edge, away in ((first, -1), (last, 1)):
        outside = np.arange(first) if away < 0 else np.arange(last + 1, len(nodes))
        if outside.size == 0:
            continue
        inward = edge - away * np.arange(min(max(over, 3), last - first + 1))
        depth = (nodes[inward] - nodes[edge]) * away
        curve = np.polyfit(depth, values[inward], min(2, len(inward) - 1))
        slope = max(float(np.polyder(curve)[-1]), 0.0) if len(curve) > 1 else 0.0
        bend = max(2.0 * float(curve[0]) if len(curve) == 3 else 0.0, stiffness)
        out = (nodes[outside] - nodes[edge]) * away
        filled[outside] = values[edge] + slope * out + 0.5 * bend * out**2
    return filled
