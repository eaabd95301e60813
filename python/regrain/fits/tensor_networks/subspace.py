"""Which directions of a bond are kept: the leading subspace of a matrix, and how it turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from regrain.errors import RegrainError
from regrain.fits.tensor_networks.jets import TERMS, dot

__all__ = ["Subspace", "blocks", "halves", "kept", "leading", "leading_of_gram"]

Floats = NDArray[np.float64]

#: Singular values closer than this, relatively, stay together: multiplets of a symmetry, and states
#: that are about to coexist, which a field would tear apart where only one of them is kept.
MULTIPLET = 0.05
#: Directions whose squared weights differ by less than this share of the largest do not turn.
_STILL = 1e-13
#: Singular values below this share of the largest are rounding.
_NOISE = 1e-14
#: Elements below this share of the largest are no link between sectors.
_ZERO = 1e-14
#: Factors of directions with less than this share are balanced without their derivatives.
_STIFF = 1e-7


@dataclass(frozen=True)
class Subspace:
    """Directions that are kept, as a jet.

    Attributes
    ----------
    span : numpy.ndarray, shape (terms, size, bond)
        Columns that are orthonormal to the order of the jet.
    values : numpy.ndarray, shape (bond,)
        Singular values of the directions.
    lost : float
        Norm of what is dropped, relative to the whole.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.subspace import leading
    >>> leading(np.diag([2.0, 1.0, 0.5])[None], 2).lost.__round__(3)
    0.218
    """

    span: Floats
    values: Floats
    lost: float


def kept(values: Floats, bond: int) -> int:
    """How many singular values are kept of those given in falling order: whole multiplets only.

    A multiplet that does not fit into the bond by itself is cut.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.subspace import kept
    >>> kept(np.array([3.0, 2.0, 1.0, 1.0, 0.5]), 3), kept(np.ones(5), 3)
    (2, 3)
    """
    if len(values) <= bond:
        return len(values)
    count = bond
    while count > 0 and values[count] > (1.0 - MULTIPLET) * values[count - 1]:
        count -= 1
    return count if 2 * count > bond else bond


def leading(matrix: Floats, bond: int) -> Subspace:
    """The left singular vectors of a matrix with the largest singular values.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (terms, rows, columns)
    bond : int
        The most directions to keep.

    Raises
    ------
    RegrainError
        Numbers that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.subspace import leading
    >>> leading(np.eye(3)[None] * [[[2.0], [1.0], [3.0]]], 1).span[0].ravel().round(9).tolist()
    [0.0, 0.0, 1.0]
    """
    _finite(matrix)
    rows = matrix.shape[1]
    vectors, values, right = _decomposed(matrix[0], full=len(matrix) > 1)
    rank = max(int(np.sum(values > _NOISE * values[0])), 1)
    values = np.pad(values, (0, max(rows - len(values), 0)))
    count = kept(values, min(bond, rank))
    gram = first = None
    if len(matrix) > 1 and count < rows:
        inside = np.stack([vectors.T @ term for term in matrix])
        gram = dot(inside, inside, ([1], [1]))
        first = [_first(term @ right.T, values, count) for term in inside[1:3]]
    return _subspace(vectors, values, gram, count, first)


def _decomposed(matrix: Floats, *, full: bool) -> tuple[Floats, Floats, Floats]:
    """Singular value decomposition, sector by sector; on the right only what has a partner."""
    sectors = blocks(matrix)
    if len(sectors) == 1:
        left, values, right = np.linalg.svd(matrix, full_matrices=full)
        return left, values, right[: len(values)]
    left, values = np.zeros((len(matrix),) * 2), np.zeros(len(matrix))
    right = np.zeros((len(matrix), matrix.shape[1]))
    at = 0
    for rows, columns in sectors:
        part = matrix[np.ix_(rows, columns)]
        none: Floats = np.zeros(0)
        u, s, v = np.linalg.svd(part) if len(columns) else (np.eye(len(rows)), none, part.T)
        end = at + len(rows)
        left[rows, at:end] = u
        values[at : at + len(s)] = s
        right[np.ix_(np.arange(at, at + len(s)), columns)] = v[: len(s)]
        at = end
    order = np.argsort(-values, kind="stable")
    return left[:, order], values[order], right[order]


def _first(inside: Floats, values: Floats, k: int) -> Floats:
    """How dropped directions mix into the kept ones, from a derivative in the singular bases."""
    rows, columns = inside.shape
    wide = np.zeros((rows, max(rows, columns)))
    wide[:, :columns] = inside
    big, small = values[None, :k], values[k:, None]
    gap = np.maximum((big - small) * (big + small), 1e-300)
    return np.asarray((wide[k:, :k] * big + small * wide[:k, k:rows].T) / gap)


def leading_of_gram(gram: Floats, bond: int) -> Subspace:
    """The same of a matrix M of which M Mᵀ is known.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.subspace import leading_of_gram
    >>> leading_of_gram(np.diag([4.0, 1.0])[None], 1).values.tolist()
    [2.0]
    """
    _finite(gram)
    # Block by block, so that directions belong to one sector of a symmetry even where those of
    # several sectors weigh the same: no state is preferred by rounding.
    squares, vectors = np.zeros(len(gram[0])), np.zeros(gram[0].shape)
    for rows, _ in blocks(gram[0]):
        squares[rows], vectors[np.ix_(rows, rows)] = np.linalg.eigh(gram[0][np.ix_(rows, rows)])
    order = np.argsort(-squares, kind="stable")
    squares, vectors = squares[order], vectors[:, order]
    inside = None
    if len(gram) > 1 and len(squares) > bond:
        inside = np.stack([vectors.T @ term @ vectors for term in gram])
    values = np.sqrt(np.maximum(squares, 0.0))
    return _subspace(vectors, values, inside, kept(values, bond), None)


def blocks(matrix: Floats) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows and columns that hang together by what is not zero, as the sectors of a symmetry do.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.subspace import blocks
    >>> [[x.tolist() for x in pair] for pair in blocks(np.array([[1.0, 0, 2], [0, 3, 0]]))]
    [[[0], [0, 2]], [[1], [1]]]
    """
    rows, columns = matrix.shape
    i, j = np.nonzero(np.abs(matrix) > _ZERO * np.max(np.abs(matrix)))
    joined = csr_array((np.ones(len(i)), (i, j + rows)), shape=(rows + columns,) * 2)
    count, label = connected_components(joined, directed=False)
    found = [
        (np.flatnonzero(label[:rows] == k), np.flatnonzero(label[rows:] == k)) for k in range(count)
    ]
    return [pair for pair in found if len(pair[0])]


def _subspace(
    vectors: Floats, values: Floats, gram: Floats | None, k: int, first: list[Floats] | None
) -> Subspace:
    """The first k of all singular vectors, and M Mᵀ as a jet in their basis."""
    total = float(np.sum(values**2))
    lost = float(np.sqrt(np.sum(values[k:] ** 2) / total)) if total > 0.0 else 0.0
    span = vectors[None, :, :k]
    if gram is None or k == len(values):
        return Subspace(span, values[:k], lost)
    turns = _turns(gram, values, k, first)
    rest = vectors[:, k:]
    tilted = np.concatenate([span, np.stack([rest @ turn for turn in turns])])
    if len(gram) == TERMS[2]:  # YᵀY is 1 + XᵀX to second order
        for term, turn in enumerate(turns[:2], start=3):
            tilted[term] -= 0.5 * span[0] @ (turn.T @ turn)
    return Subspace(tilted, values[:k], lost)


def _turns(gram: Floats, values: Floats, k: int, first: list[Floats] | None) -> list[Floats]:
    """Coefficients of dropped directions that mix into the kept ones, term by term.

    The span of U + U' X is left alone by G = M Mᵀ if G' X - X G + B = 0, where G and G' are its
    blocks of kept and dropped directions and B is the one between them, which is of first order
    (so that the term X Bᵀ X is of third).
    """
    squares = values**2
    gap = squares[None, :k] - squares[k:, None]
    inverse = np.where(gap > _STILL * squares[0], 1.0 / np.maximum(gap, 1e-300), 0.0)
    if first is None:
        first = [inverse * gram[term][k:, :k] for term in (1, 2)]
    if len(gram) < TERMS[2]:
        return first
    second = [
        inverse * (gram[term + 2][k:, :k] + gram[term][k:, k:] @ x - x @ gram[term][:k, :k])
        for term, x in zip((1, 2), first, strict=True)
    ]
    return first + second


def halves(matrix: Floats, bond: int) -> tuple[Floats, Floats, float]:
    """A matrix as a product of two balanced factors: U √S and √S Vᵀ, up to a rotation.

    Returns
    -------
    first : numpy.ndarray, shape (terms, rows, bond)
    second : numpy.ndarray, shape (terms, bond, columns)
    lost : float
        Norm of what is dropped, relative to that of the matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.subspace import halves
    >>> first, second, lost = halves(np.array([[[4.0, 0.0], [0.0, 1.0]]]), 2)
    >>> (first[0] @ second[0]).tolist(), np.abs(first[0]).tolist()
    ([[4.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 1.0]])
    """
    found = leading(matrix, bond)
    inside = dot(found.span, matrix, ([0], [0]))
    # With K = S² in the basis of the span, the factors are U K^(1/4) and K^(-1/4) Uᵀ M.
    scale = np.sqrt(found.values)
    roots = _root(_root(dot(inside, inside, ([1], [1])), found.values), scale)
    inverse = np.stack([np.diag(1.0 / scale)] + [0.0 * term for term in roots[1:]])
    for term in range(1, len(roots)):
        change = roots[term] / scale
        if term > 2:
            change = change + roots[term - 2] @ inverse[term - 2]
        inverse[term] = -change / scale[:, None]
    first = dot(found.span, roots, ([1], [0]))
    return first, dot(inverse, inside, ([1], [0])), found.lost


def _root(square: Floats, values: Floats) -> Floats:
    """Square root of a symmetric matrix whose constant term is the diagonal of values squared."""
    sums = values[:, None] + values
    sums[sums < _STIFF * values[0]] = np.inf  # rounding; any gauge will do there
    root = np.stack([np.diag(values)] + [0.0 * term for term in square[1:]])
    for term in range(1, len(square)):
        rest = square[term] if term < 3 else square[term] - root[term - 2] @ root[term - 2]
        root[term] = rest / sums
    return root


def _finite(matrix: Floats) -> None:
    if not np.all(np.isfinite(matrix)):
        raise RegrainError(
            "a tensor has numbers that are not finite: the couplings are too large for this scheme"
        )
