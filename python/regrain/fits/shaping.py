"""Potentials from noisy numbers: smoothing, and what to do where there are no numbers.

Nodes are the points of a table; data live elsewhere (centres of histogram bins). Between the nodes
a potential is taken as linear, which is enough for a change of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["bandwidth_penalty", "extrapolate", "hat_matrix", "hat_slopes", "smooth_onto"]

Floats = NDArray[np.float64]

#: Weight of a node without data relative to the heaviest: it follows its neighbours.
_NO_DATA = 1e-6


def hat_matrix(nodes: Floats, x: Floats) -> Floats:
    """Linear interpolation from equally spaced nodes to x, zero outside, shape (x, nodes).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.shaping import hat_matrix
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
    >>> from regrain.fits.shaping import hat_slopes
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


def bandwidth_penalty(weight: Floats, spacing: float, width: float, *, end: str = "free") -> Floats:
    """Second-difference penalty, shape (n, n), that leaves features wider than ``width``.

    A feature of wavelength ``width`` is halved at any node, whatever the weight of the data there:
    the penalty of each second difference is the local weight times (width / 2π spacing)⁴.

    Parameters
    ----------
    weight : ndarray, shape (n,)
        Of the data at each node.
    spacing : float
        Between the nodes.
    width : float
        0 gives no penalty.
    end : {"free", "zero", "periodic"}
        "zero": beyond the last node the function is zero, so value and slope go to zero there.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.shaping import bandwidth_penalty
    >>> line = np.arange(5.0)
    >>> penalty = bandwidth_penalty(np.ones(5), 0.1, 0.5)
    >>> bool(abs(line @ penalty @ line) < 1e-12)
    True
    """
    n = len(weight)
    if end == "periodic":
        bends = np.roll(np.eye(n), 1, axis=1) - 2 * np.eye(n) + np.roll(np.eye(n), -1, axis=1)
        local = weight
    elif end == "zero":
        bends = np.diff(np.eye(n + 2), 2, axis=0)[:, :n]
        local = np.append(weight[1:], weight[-1])
    else:
        bends = np.diff(np.eye(n), 2, axis=0)
        local = weight[1:-1]
    strength = (width / (2.0 * np.pi * spacing)) ** 4 * local
    penalty: Floats = bends.T @ (strength[:, None] * bends)
    return penalty


def smooth_onto(
    nodes: Floats, x: Floats, y: Floats, weight: Floats, *, width: float, end: str = "free"
) -> Floats:
    """Values at the nodes of the smooth function through weighted data.

    Minimises Σ weight (y - u(x))² plus `bandwidth_penalty`; nodes without data continue their
    neighbours (straight on, or to zero at the end).

    Parameters
    ----------
    nodes : ndarray, shape (n,)
        Equally spaced; with ``end="periodic"`` the first and the last are the same point.
    x, y, weight : ndarray, shape (m,)
        Weight 0: no datum, y is not read.
    width : float
        Features narrower than this are noise.
    end : {"free", "zero", "periodic"}
        "zero": the last node is 0, and the slope goes to 0 towards it.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.shaping import smooth_onto
    >>> nodes, x = np.linspace(0, 1, 11), np.linspace(0.05, 0.95, 10)
    >>> u = smooth_onto(nodes, x, 2 * x + 1, np.ones(10), width=0.3)
    >>> bool(np.allclose(u, 2 * nodes + 1))
    True
    """
    spacing = (nodes[-1] - nodes[0]) / (len(nodes) - 1)
    used = weight > 0
    matrix = hat_matrix(nodes, x[used])
    if end == "periodic":
        matrix[:, 0] += matrix[:, -1]
        matrix = matrix[:, :-1]
    elif end == "zero":
        matrix = matrix[:, :-1]
    data = weight[used] @ matrix
    local = np.maximum(data, _NO_DATA * data.max())
    penalty = bandwidth_penalty(local, spacing, max(width, 1e-2 * spacing), end=end)
    normal = matrix.T @ (weight[used, None] * matrix) + penalty
    values = np.linalg.solve(normal, matrix.T @ (weight[used] * y[used]))
    if end == "free":
        return np.asarray(values)
    return np.append(values, values[0] if end == "periodic" else 0.0)


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
    >>> from regrain.fits.shaping import extrapolate
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
