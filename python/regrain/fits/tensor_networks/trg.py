"""Tensor renormalization group of Levin and Nave: tensors are cut in two, halves are joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrain.fits.tensor_networks.jets import dot
from regrain.fits.tensor_networks.network import Network, oblique
from regrain.fits.tensor_networks.scheme import TensorScheme
from regrain.fits.tensor_networks.subspace import halves

__all__ = ["TRG", "cut", "turned"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TRG(TensorScheme):
    """Tensor renormalization group: cut every tensor in two, join four halves around each square.

    Each step doubles the sites that a tensor stands for. At every size the fit gives the free
    energy, its first and second derivatives (which are those of the truncated free energy, not
    differences), and from the transfer matrix central charge and scaling dimensions.

    Parameters
    ----------
    bond : int
        How many values a bond may have. Costs grow as its sixth power.
    steps : int
        A tensor stands for 2**steps sites in the end.
    derivatives : int, optional
        Up to which order: 0, 1 or 2. 2 when omitted (3 to 11 times the work of 0).

    Raises
    ------
    RegrainError
        Settings out of range; on calling, a model that is not on a periodic square or triangular
        lattice, or couplings that do not fit into a cell of 2 x 2 sites.

    Loses / Assumes
    ---------------
    Each step drops singular values of single tensors, whatever surrounds them. Free energies are
    neither upper nor lower bounds. Loops of short-range entanglement are kept for ever, so at a
    transition the fixed point is none: scaling dimensions go bad after some ten steps, where
    `LoopTNR` keeps them. Singular values within 5 % of each other are kept or dropped together
    (multiplets, and states that are about to coexist), so bonds may have less than ``bond``
    values. The lattice is endless: of the model's shape only the number
    of axes counts.

    References
    ----------
    M. Levin and C. P. Nave, Phys. Rev. Lett. 99, 120601 (2007).

    Examples
    --------
    >>> import regrain as rg
    >>> K = 0.42
    >>> result = rg.fits.TRG(bond=16, steps=20)(rg.lattice.Ising((4, 4), couplings={"nn": K}))
    >>> abs(float(result.free_energy) / rg.atlas.ising_square.free_energy(K) - 1) < 1e-5
    True
    >>> abs(float(result.specific_heat) / rg.atlas.ising_square.specific_heat(K) - 1) < 1e-3
    True
    """

    def _coarse(self, network: Network) -> Network:
        tensor = network.tensors[0]
        lower, upper, one = cut(tensor, (0, 1, 2, 3), self.bond)
        left, right, other = cut(tensor, (0, 3, 2, 1), self.bond)
        below = dot(upper, left, ([1], [0]))  # (m, up of left neighbour, up of right, m')
        above = dot(right, lower, ([1], [0]))  # (m, down of left, down of right, m')
        # upper: (m, r, u); left: (l, u, m); right: (m, r, d); lower: (l, d, m)
        tensor = dot(below, above, ([1, 2], [1, 2]))  # (left, lower, upper, right)
        tensor = tensor.transpose(0, 1, 2, 4, 3)
        return network.coarse([turned(tensor, network)], turned_cell(network), max(one, other))


def cut(
    tensor: Floats, order: tuple[int, int, int, int], bond: int
) -> tuple[Floats, Floats, float]:
    """Two halves of a tensor with a bond between them: the first two of its legs, and the others.

    Returns
    -------
    first : numpy.ndarray, shape (terms, leg, leg, bond)
    second : numpy.ndarray, shape (terms, bond, leg, leg)
    lost : float
        Norm of what is dropped, relative to that of the tensor.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.trg import cut
    >>> first, second, lost = cut(np.ones((1, 2, 2, 2, 2)), (0, 1, 2, 3), bond=4)
    >>> first.shape, second.shape, round(lost, 9)
    ((1, 2, 2, 1), (1, 1, 2, 2), 0.0)
    """
    moved = tensor.transpose(0, *(leg + 1 for leg in order))
    terms, a, b, c, d = moved.shape
    matrix = moved.reshape(terms, a * b, c * d)
    first, second, lost = halves(matrix, bond)
    return first.reshape(len(first), a, b, -1), second.reshape(terms, -1, c, d), lost


def turned(tensor: Floats, network: Network) -> Floats:
    """The tensor of the next lattice with its legs along the axes again, every second time.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.network import Network
    >>> from regrain.fits.tensor_networks.trg import turned
    >>> corner = Network((np.ones((1, 1, 1, 1, 1)),), np.zeros(1), 0.0, np.array([[1, 1], [-1, 1]]))
    >>> turned(np.ones((1, 2, 3, 4, 5)), corner).shape
    (1, 5, 2, 3, 4)
    """
    return tensor.transpose(0, 4, 1, 2, 3) if oblique(network) else tensor


def turned_cell(network: Network) -> NDArray[np.int64]:
    """Vectors between the tensors of the next lattice."""
    x, y = network.cell
    right, up = x + y, y - x
    return np.stack([-up, right] if oblique(network) else [right, up])
