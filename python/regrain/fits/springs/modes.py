"""Small vibrations of a network of springs: Hessian, modes, and what moves freely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError

__all__ = ["covariance", "directions", "floppy", "hessian", "rigid_motions"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Eigenvalues below this part of the largest are zero.
ZERO = 1e-9


def directions(places: Floats, pairs: Ints) -> Floats:
    """How the length of each spring changes with all coordinates, shape (springs, 3 n).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.springs.modes import directions
    >>> directions(np.array([[0.0, 0, 0], [2, 0, 0]]), np.array([[0, 1]])).tolist()
    [[-1.0, 0.0, 0.0, 1.0, 0.0, 0.0]]
    """
    vectors = places[pairs[:, 1]] - places[pairs[:, 0]]
    lengths = np.linalg.norm(vectors, axis=1)
    if np.any(lengths == 0):
        i, j = pairs[np.argmin(lengths)]
        raise RegrainError(
            f"particles {i} and {j} are at the same place; a spring has no direction"
        )
    units = vectors / lengths[:, None]
    rows = np.zeros((len(pairs), len(places), 3))
    each = np.arange(len(pairs))
    rows[each, pairs[:, 0]] = -units
    rows[each, pairs[:, 1]] = units
    return rows.reshape(len(pairs), -1) + 0.0  # no negative zeros


def hessian(places: Floats, pairs: Ints, k: Floats) -> Floats:
    """Second derivatives of springs at rest, shape (3 n, 3 n): that of the anisotropic network
    model (A. R. Atilgan et al., Biophys. J. 80, 505 (2001), eq. 5).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.springs.modes import hessian
    >>> pair = np.array([[0.0, 0, 0], [2, 0, 0]])
    >>> hessian(pair, np.array([[0, 1]]), np.array([3.0]))[0].tolist()
    [3.0, 0.0, 0.0, -3.0, 0.0, 0.0]
    """
    rows = directions(places, pairs)
    return rows.T @ (k[:, None] * rows) + 0.0


def rigid_motions(places: Floats) -> Floats:
    """Orthonormal displacements that keep all distances: 6 (5 of a line, 3 of a point).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.springs.modes import rigid_motions
    >>> rigid_motions(np.eye(3)).shape, rigid_motions(np.array([[0.0, 0, 0], [1, 0, 0]])).shape
    ((9, 6), (6, 5))
    """
    away = places - places.mean(axis=0)
    size = max(float(np.abs(away).max()), 1e-300)
    shifts = np.tile(np.eye(3), (len(places), 1))
    turns = np.concatenate([np.cross(axis, away / size)[:, :, None] for axis in np.eye(3)], axis=2)
    motions = np.concatenate([shifts, turns.reshape(-1, 3)], axis=1)
    left, values, _ = np.linalg.svd(motions, full_matrices=False)
    return np.asarray(left[:, values > 1e-9 * values[0]])


def floppy(places: Floats, pairs: Ints, k: Floats) -> tuple[int, Ints]:
    """How many motions cost no energy beside those of a rigid body, and which particles they move.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.springs.modes import floppy
    >>> square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    >>> sides = np.array([[0, 1], [1, 2], [2, 3], [0, 3]])
    >>> floppy(square, sides, np.ones(4))[0]  # a shear, and out of the plane
    2
    """
    used = np.unique(pairs)
    if not len(used):
        return 3 * len(places) - rigid_motions(places).shape[1], np.arange(len(places))
    values, vectors = np.linalg.eigh(hessian(places, pairs, k))
    free = vectors[:, values < ZERO * values[-1]]
    rigid = rigid_motions(places)
    inner = free - rigid @ (rigid.T @ free)
    left, sizes, _ = np.linalg.svd(inner, full_matrices=False)
    inner = left[:, sizes > 0.5]
    moved = np.linalg.norm(inner.reshape(len(places), 3, -1), axis=(1, 2))
    return inner.shape[1], np.flatnonzero(moved > 0.5 * moved.max()) if inner.size else used[:0]


def covariance(places: Floats, pairs: Ints, k: Floats, *, kt: float) -> Floats:
    """Covariance of the displacements in the harmonic approximation, shape (3 n, 3 n).

    kT times the inverse of the Hessian without the motions of a rigid body.

    Raises
    ------
    RegrainError
        Motions that cost no energy: how many, and of which particles.

    Examples
    --------
    Two particles on a spring: <(Δl)²> = kT / k.

    >>> import numpy as np
    >>> from regrain.fits.springs.modes import covariance, directions
    >>> pair, spring = np.array([[0.0, 0, 0], [2, 0, 0]]), np.array([[0, 1]])
    >>> b = directions(pair, spring)[0]
    >>> c = covariance(pair, spring, np.array([4.0]), kt=2.0)
    >>> print(f"{b @ c @ b:.6f}")
    0.500000
    """
    count, which = floppy(places, pairs, k)
    if count:
        shown = ", ".join(map(str, which[:8])) + (", ..." if len(which) > 8 else "")
        raise RegrainError(
            f"the network is floppy: {count} motions cost no energy beside those of a rigid body, "
            f"most of all of the particles {shown}; give a longer cutoff, or more springs to them"
        )
    rigid = rigid_motions(places)
    held = hessian(places, pairs, k)
    scale = float(np.trace(held)) / len(held)
    projector = rigid @ rigid.T
    return np.asarray(kt * (np.linalg.inv(held + scale * projector) - projector / scale))
