"""Higher-order tensor renormalization group: neighbours are joined, bonds keep what they need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from regrain.fits.tensor_networks.jets import dot, product
from regrain.fits.tensor_networks.measures import shortest
from regrain.fits.tensor_networks.network import Network
from regrain.fits.tensor_networks.scheme import TensorScheme
from regrain.fits.tensor_networks.subspace import Subspace, blocks, leading_of_gram

__all__ = ["HOTRG", "bond_space", "stacked"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class HOTRG(TensorScheme):
    """Higher-order tensor renormalization group, in two and three dimensions.

    Two neighbours are joined; of their bonds side by side the directions are kept that weigh most
    in the pair. Axes take turns, each step doubles the sites that a tensor stands for.

    Parameters
    ----------
    bond : int
        How many values a bond may have. Costs grow as its seventh power in two dimensions, as its
        eleventh in three.
    steps : int
        A tensor stands for 2**steps sites in the end.
    derivatives : int, optional
        Up to which order: 0, 1 or 2. 2 in two dimensions, 0 in three when omitted (11 times the
        work of 0).

    Raises
    ------
    RegrainError
        Settings out of range; on calling, a model that is not on a periodic square, triangular or
        cubic lattice, or couplings that do not fit into a cell of 2 x 2 sites (in three dimensions
        other couplings than single sites and nearest neighbours).

    Loses / Assumes
    ---------------
    As `TRG`: no bounds, loops of short-range entanglement stay, multiplets are whole, the lattice
    is endless. At the same bond the free energy is ten times better.

    References
    ----------
    Z. Y. Xie, J. Chen, M. P. Qin, J. W. Zhu, L. P. Yang and T. Xiang, Phys. Rev. B 86, 045139
    (2012).

    Examples
    --------
    >>> import regrain as rg
    >>> cube = rg.lattice.Ising((4, 4, 4), couplings={"nn": 0.1})
    >>> result = rg.fits.HOTRG(bond=4, steps=12)(cube)
    >>> result.scales[-1].shape, round(float(result.free_energy), 4)
    ((32, 16, 16), -0.7084)
    """

    axes: ClassVar[tuple[int, ...]] = (2, 3)

    def _coarse(self, network: Network) -> Network:
        tensor = network.tensors[0]
        d = len(network.cell)
        axis = shortest(network)
        # The axis along which tensors are joined goes last.
        others = [other for other in range(d) if other != axis]
        order = [*others, axis]
        legs = [*order, *(leg + d for leg in order)]
        tensor = tensor.transpose(0, *(leg + 1 for leg in legs))
        spaces = [bond_space(tensor, side, self.bond) for side in range(d - 1)]
        tensor = stacked(tensor, spaces)
        back = np.argsort(legs)
        tensor = tensor.transpose(0, *(leg + 1 for leg in back))
        cell = network.cell.copy()
        cell[axis] *= 2
        return network.coarse([tensor], cell, max(space.lost for space in spaces))


def bond_space(tensor: Floats, side: int, bond: int) -> Subspace:
    """What is kept of the two bonds, side by side, of two tensors joined along the last axis.

    Of the spaces that the halves below and above such a pair of bonds ask for, the one that drops
    less.

    Parameters
    ----------
    tensor : numpy.ndarray, shape (terms, *legs)
        Lower legs along all axes, then upper ones.
    side : int
        The axis of the bonds.
    bond : int

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.hotrg import bond_space
    >>> bond_space(np.ones((1, 2, 2, 2, 2)), 0, 4).span.shape
    (1, 4, 4)
    """
    d = (tensor.ndim - 1) // 2
    size = tensor.shape[1 + side]
    if size * size <= bond:
        whole = np.eye(size * size)[None]
        return Subspace(whole, np.ones(size * size), 0.0)
    found = []
    for leg in (side, side + d):
        rest = [k for k in range(2 * d) if k not in (leg, 2 * d - 1)]
        lower = dot(tensor, tensor, (rest, rest))  # below: (leg, upper joint, again)
        rest = [k for k in range(2 * d) if k not in (leg, d - 1)]
        upper = dot(tensor, tensor, (rest, rest))
        if leg > d - 1:  # the joint comes first
            upper = upper.transpose(0, 2, 1, 4, 3)
        # lower, upper: (leg, joint, leg', joint')
        gram = dot(lower, upper, ([1, 3], [1, 3])).transpose(0, 1, 3, 2, 4)
        found.append(leading_of_gram(gram.reshape(len(gram), size * size, -1), bond))
    return min(found, key=lambda space: space.lost)


def stacked(tensor: Floats, spaces: list[Subspace]) -> Floats:
    """Two tensors joined along the last axis, their other bonds in the spaces that are kept.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.hotrg import bond_space, stacked
    >>> tensor = np.ones((1, 2, 3, 2, 3))
    >>> stacked(tensor, [bond_space(tensor, 0, 4)]).shape
    (1, 4, 3, 4, 3)
    """
    return _stacked_2(tensor, spaces[0]) if len(spaces) == 1 else _stacked_3(tensor, spaces)


def _pairs(space: Subspace, size: int) -> Floats:
    """What is kept, with the two bonds apart: (terms, lower, upper, kept)."""
    return space.span.reshape(len(space.span), size, size, -1)


def _stacked_2(tensor: Floats, space: Subspace) -> Floats:
    span = _pairs(space, tensor.shape[1])
    slices = []
    for k in range(span.shape[-1]):  # one at a time: arrays of four legs fit into the cache
        turned = dot(span[..., k], tensor, ([0], [0]))  # (l2, d, r1, m)
        both = dot(turned, tensor, ([0, 3], [0, 1]))  # (d, r1, r2, u)
        slices.append(dot(both, span, ([1, 2], [0, 1])))  # (d, u, right)
    return np.stack(slices, axis=1).transpose(0, 1, 2, 4, 3)


def _stacked_3(tensor: Floats, spaces: list[Subspace]) -> Floats:
    # Legs (x, y, z, x', y', z'); z of the upper tensor is z' of the lower one.
    span_x = _pairs(spaces[0], tensor.shape[1])
    span_y = _pairs(spaces[1], tensor.shape[2])
    terms, sizes = len(tensor), tensor.shape[1:]
    upper = tensor.reshape(terms, int(np.prod(sizes[:3])), -1)  # (x2 y2 m, x2' y2' z')
    sectors = blocks(np.max(np.abs(upper), axis=0))
    slices = []
    for k in range(span_x.shape[-1]):
        one = dot(span_x[..., k], tensor, ([0], [0]))  # (x2, y1, z, x1', y1', m)
        one = dot(one, span_y, ([1], [0]))  # (x2, z, x1', y1', m, y2, Y)
        one = one.transpose(0, 2, 3, 4, 7, 1, 6, 5)  # (z, x1', y1', Y, x2, y2, m)
        shape = one.shape[1:5]
        both = product(
            lambda a, b: _in_sectors(a, b, sectors),
            one.reshape(len(one), -1, upper.shape[1]),
            upper,
        )
        both = both.reshape(len(both), *shape, *sizes[3:])  # (z, x1', y1', Y, x2', y2', z')
        both = dot(both, span_x, ([1, 4], [0, 1]))  # (z, y1', Y, y2', z', X')
        both = dot(both, span_y, ([1, 3], [0, 1]))  # (z, Y, z', X', Y')
        slices.append(both)
    return np.stack(slices, axis=1).transpose(0, 1, 3, 2, 5, 6, 4)


def _in_sectors(
    a: Floats, b: Floats, sectors: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> Floats:
    """Product of two matrices, block by block of the second one and what meets it."""
    if len(sectors) == 1:
        return a @ b
    found = np.zeros((len(a), b.shape[1]))
    for inner, columns in sectors:
        part = np.ascontiguousarray(a[:, inner])
        rows = np.flatnonzero(part.any(axis=1))
        found[np.ix_(rows, columns)] = part[rows] @ b[np.ix_(inner, columns)]
    return found
