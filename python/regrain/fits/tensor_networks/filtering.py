"""Taking loops of short-range entanglement out of a square of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["filtered", "overlap", "projectors", "square_of"]

Floats = NDArray[np.float64]

#: Rounds of a loop after which the projectors are tried, most of them first: fewer cut less.
_ROUNDS = (200, 8, 1)
_SETTLED = 1e-12
_NEGLIGIBLE = 1e-12
#: What filtering may change of a square, as the square of a share of its norm.
_HARMLESS = 1e-12


def square_of(a: Floats, b: Floats) -> list[Floats]:
    """Four tensors around a square, each as (bond in, outer leg, outer leg, bond out).

    They follow each other counterclockwise, from the lower left one.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.filtering import square_of
    >>> [len(x) for x in square_of(np.ones((1, 2, 3, 4)), np.ones((3, 4, 1, 2)))]
    [4, 3, 2, 1]
    """
    return [a.transpose(3, 0, 1, 2), b, a.transpose(1, 2, 3, 0), b.transpose(2, 3, 0, 1)]


def filtered(a: Floats, b: Floats) -> tuple[Floats, Floats, float]:
    """Two tensors of a checkerboard without what only goes round a square.

    A loop that is joined to nothing else becomes a number. Where spins are shared by all tensors
    of a square (a domain, say) the rarer ones die out after many rounds, too, but they count: what
    changes more of the square than its norm is filtered less, or not at all.

    Returns
    -------
    a, b : numpy.ndarray
    lost : float
        Norm of the change of a square, relative to the square.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.filtering import filtered
    >>> corner = np.diag([1.0, 0.5])  # lines that turn at each tensor
    >>> loops = np.einsum("ah,bc,eg,fi->abcefghi", *[corner] * 4).reshape([4] * 4)
    >>> [one.shape for one in filtered(loops, loops)[:2]]
    [(2, 2, 2, 2), (2, 2, 2, 2)]
    """
    square = square_of(a, b)
    own = overlap(square, square)
    for rounds in _ROUNDS:
        into, out_of = projectors(square, rounds)
        inner = [
            np.tensordot(into[i], np.tensordot(tensor, out_of[(i + 1) % 4], ([3], [0])), ([1], [0]))
            for i, tensor in enumerate(square)
        ]
        common, theirs = overlap(square, inner), overlap(inner, inner)
        change = 1.0 - common**2 / (own * theirs)
        if common > 0.0 and change < _HARMLESS:
            # There is one such square for every two tensors.
            factor = np.sqrt(common / theirs)
            a = _applied(a, (out_of[3].T, into[2], out_of[1].T, into[0])) * factor
            b = _applied(b, (into[1], out_of[0].T, into[3], out_of[2].T)) * factor
            whole = all(len(one) == one.shape[1] for one in into)
            return a, b, 0.0 if whole else float(np.sqrt(max(change, 1e-16)))
    return a, b, 0.0


def overlap(one: Sequence[Floats], other: Sequence[Floats]) -> float:
    """Scalar product of two loops over all their outer legs.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.filtering import overlap
    >>> overlap([np.ones((1, 2, 2, 1))] * 4, [np.ones((1, 2, 2, 1))] * 4)
    256.0
    """
    loop: Floats | None = None
    for x, y in zip(one, other, strict=True):
        layer = np.tensordot(x, y, ([1, 2], [1, 2])).transpose(0, 2, 1, 3)
        loop = layer if loop is None else np.tensordot(loop, layer, ([2, 3], [0, 1]))
    assert loop is not None
    return float(np.einsum("abab", loop))


def _applied(tensor: Floats, matrices: Sequence[Floats]) -> Floats:
    for matrix in matrices:  # each takes the first leg and puts the new one last
        tensor = np.tensordot(tensor, matrix, ([0], [1]))
    return tensor


def projectors(square: Sequence[Floats], rounds: int) -> tuple[list[Floats], list[Floats]]:
    """Pairs of matrices for the bonds before each tensor of a loop.

    Their product is the identity on whatever has come through so many rounds of the loop.

    Returns
    -------
    into : list of numpy.ndarray, shape (kept, bond)
        Acts on the beginning of each tensor.
    out_of : list of numpy.ndarray, shape (bond, kept)
        Acts on the end of the one before.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.filtering import projectors
    >>> into, out_of = projectors([np.ones((2, 1, 1, 2))] * 4, 3)
    >>> out_of[0].shape, (out_of[0] @ into[0]).round(9).tolist()
    ((2, 1), [[0.5, 0.5], [0.5, 0.5]])
    """
    left = _settled(square, rounds)
    back = [tensor.transpose(3, 2, 1, 0) for tensor in reversed(square)]
    right = _settled(back, rounds)
    count = len(square)
    into, out_of = [], []
    for i in range(count):
        # back[j] is square[count - 1 - j]: the bond before square[i] is that before back[count - i]
        after = right[(count - i) % count].T
        u, values, v = np.linalg.svd(left[i] @ after)
        keep = values > _NEGLIGIBLE * values[0]
        scale = np.sqrt(values[keep])
        into.append((u[:, keep] / scale).T @ left[i])
        out_of.append(after @ (v[keep].T / scale))
    return into, out_of


def _settled(tensors: Sequence[Floats], rounds: int) -> list[Floats]:
    """What many rounds of a loop look like from each bond: the triangle of its QR decomposition."""
    triangles = [np.eye(len(tensor)) for tensor in tensors]
    before = np.zeros(0)
    triangle: NDArray[Any] = triangles[0]
    for _ in range(rounds):
        for i, tensor in enumerate(tensors):
            triangles[i] = triangle
            moved = np.tensordot(triangle, tensor, ([1], [0]))
            whole = np.asarray(np.linalg.qr(moved.reshape(-1, tensor.shape[-1]), mode="r"))
            triangle = whole / float(np.linalg.norm(whole))
        values: Floats = np.linalg.svd(triangle, compute_uv=False)
        if len(before) == len(values) and np.max(np.abs(values - before)) < _SETTLED:
            break
        before = values
    triangles[0] = triangle
    return triangles
