"""A network of one tensor, or of two in a checkerboard, and what its transfer matrices say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import eigs

from regrain.errors import RegrainError
from regrain.fits.tensor_networks.jets import dot, logarithm, power, times

__all__ = ["Network", "Spectrum", "layer", "normalised", "oblique", "spectrum"]

Floats = NDArray[np.float64]

#: Elements below this, of tensors of norm 1, are rounding.
_ROUNDING = 1e-15
#: Matrices up to this size are diagonalised whole.
_WHOLE = 256
#: How many eigenvalues are looked for in larger ones.
_LEVELS = 16


@dataclass(frozen=True)
class Network:
    """Where a coarse-graining has come to.

    Attributes
    ----------
    tensors : tuple of numpy.ndarray, shape (terms, *legs)
        One, or two in a checkerboard; their norm is 1.
    log_weight : numpy.ndarray, shape (terms,)
        ln Z per site, as far as it was taken out of the tensors.
    log_norm : float
        What was taken out of one tensor (the mean of two) by the last step.
    cell : numpy.ndarray of int, shape (axes, axes)
        Vectors between neighbouring tensors, in sites.
    lost : float
        Norm of what the last step has dropped, relative to what it had.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.network import Network
    >>> Network((np.ones((1, 2, 2, 2, 2)) / 4,), np.zeros(1), 0.0, np.eye(2, dtype=int)).sites
    1
    """

    tensors: tuple[Floats, ...]
    log_weight: Floats
    log_norm: float
    cell: NDArray[np.int64]
    lost: float = 0.0

    @property
    def sites(self) -> int:
        """How many sites a tensor stands for."""
        return round(abs(float(np.linalg.det(self.cell))))

    def coarse(self, tensors: Sequence[Floats], cell: NDArray[np.int64], lost: float) -> Network:
        """The network of coarser tensors, normalised."""
        return normalised(tensors, self.log_weight, cell, lost)


def normalised(
    tensors: Sequence[Floats], log_weight: Floats, cell: NDArray[np.int64], lost: float
) -> Network:
    """A network whose tensors have norm 1, also along its derivatives.

    Raises
    ------
    RegrainError
        Tensors of zeros, or with numbers that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.network import normalised
    >>> two = np.full((1, 1, 1, 1, 1), 2.0)
    >>> normalised([two], np.zeros(1), np.eye(2, dtype=int), 0.0).log_weight.round(6).tolist()
    [0.693147]
    """
    done, log_norm = [], 0.0
    sites = round(abs(float(np.linalg.det(cell))))
    for tensor in tensors:
        top = float(np.max(np.abs(tensor[0])))
        if not (np.isfinite(top) and top > 0.0 and np.all(np.isfinite(tensor))):
            raise RegrainError(
                f"the tensor of {sites} sites has {'no weight left' if top == 0 else 'numbers'} "
                "that no double can hold; give smaller couplings, a larger bond or fewer steps"
            )
        scaled = tensor / top
        legs = list(range(scaled.ndim - 1))
        square = dot(scaled, scaled, (legs, legs))
        taken = 0.5 * logarithm(square)
        taken[0] += np.log(top)
        made = times(scaled, power(square, -0.5))
        made[0][np.abs(made[0]) < _ROUNDING] = 0.0  # so that symmetries stay what they are
        done.append(made)
        log_weight = log_weight + taken / (sites * len(tensors))
        log_norm += float(taken[0]) / len(tensors)
    return Network(tuple(done), log_weight, log_norm, cell, lost)


def oblique(network: Network) -> bool:
    """Whether neighbouring tensors lie along the diagonals of the lattice.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.network import Network, oblique
    >>> tensor = np.ones((1, 1, 1, 1, 1))
    >>> oblique(Network((tensor,), np.zeros(1), 0.0, np.array([[1, 1], [-1, 1]])))
    True
    """
    return bool(np.all(network.cell[0] != 0))


def layer(network: Network, *, swapped: bool = False) -> Floats:
    """Two tensors in a ring along the first axis (the second), and a shift by one of them.

    The shift makes a layer of a checkerboard meet the next one.

    Returns
    -------
    numpy.ndarray, shape (terms, in, out, in', out')

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.network import Network, layer
    >>> tensor = np.ones((1, 2, 3, 2, 3))
    >>> layer(Network((tensor,), np.zeros(1), 0.0, np.eye(2, dtype=int))).shape
    (1, 3, 3, 3, 3)
    """
    a, b = network.tensors[0], network.tensors[-1]
    if swapped:
        a, b = a.transpose(0, 2, 1, 4, 3), b.transpose(0, 2, 1, 4, 3)
    return dot(a, b, ([2, 0], [0, 2])).transpose(0, 1, 4, 3, 2)


@dataclass(frozen=True)
class Spectrum:
    """Logarithms of the eigenvalues of a transfer matrix.

    Attributes
    ----------
    top : float
        Of the largest one.
    levels : numpy.ndarray
        How far the others lie below it, in rising order.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.network import Spectrum
    >>> Spectrum(0.0, np.array([0.4])).levels.tolist()
    [0.4]
    """

    top: float
    levels: Floats


def spectrum(closed: Floats) -> Spectrum:
    """Of a `layer` without derivatives; phases are left out.

    Parameters
    ----------
    closed : numpy.ndarray, shape (in, out, in', out')

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.network import spectrum
    >>> round(float(np.exp(spectrum(np.ones((2, 2, 2, 2))).top)), 9)
    4.0
    """
    size = closed.shape[0] * closed.shape[2]
    matrix = closed.transpose(0, 2, 1, 3).reshape(size, size)
    if size <= _WHOLE:
        values = np.linalg.eigvals(matrix)
    else:  # a start that is the same every time, and in no sector alone
        start = 1.0 + np.cos(np.arange(size, dtype=float) ** 2)
        values = eigs(matrix, k=_LEVELS, v0=start, return_eigenvectors=False, tol=1e-10)
    sizes = np.sort(np.abs(values))[::-1]
    sizes = sizes[sizes > 1e-12 * sizes[0]][:_LEVELS]
    logs = np.log(sizes)
    return Spectrum(float(logs[0]), logs[0] - logs[1:])
