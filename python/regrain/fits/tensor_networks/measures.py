"""What a network says at one size: its partition function, its levels, its charge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.tensor_networks.initial import Start
from regrain.fits.tensor_networks.jets import dot, logarithm
from regrain.fits.tensor_networks.network import Network, Spectrum, layer, oblique, spectrum

__all__ = ["Follow", "Scale", "shortest"]

Floats = NDArray[np.float64]
Closed = tuple[Floats, tuple[int, ...], float, float, float]

#: Partition functions below this share of what is added up have lost too many digits.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Scale:
    """What a coarse-graining knows at one of its steps.

    Attributes
    ----------
    step : int
        From 0, the lattice itself.
    sites : int
        How many sites a tensor stands for.
    bonds : tuple of int
        Sizes of the bonds of a tensor, along each axis.
    lost : float
        Norm of what this step has dropped from a tensor, relative to the tensor.
    shape : tuple of int
        The periodic lattice that is closed here, of two tensors (four of a checkerboard).
    log_partition : numpy.ndarray, shape (terms,), or None
        ln Z per site of that lattice and its derivatives, as a jet. None where boundaries frustrate
        it so much that its weight is lost in rounding (an antiferromagnet of odd edges).
    ratio : float or None
        Z(one lattice)² / Z(two beside each other), the X₁ of Gu and Wen: the number of phases away
        from a transition.
    central_charge : float or None
        None where it is not defined: in three dimensions, for lattices whose shape at long
        distances is not known, and at the first two steps.
    dimensions : numpy.ndarray or None
        Scaling dimensions in rising order, without that of the identity.

    Examples
    --------
    >>> import regrain as rg
    >>> ising = rg.lattice.Ising((4, 4), couplings={"nn": 0.3})
    >>> rg.fits.TRG(bond=4, steps=2)(ising).scales[2].shape
    (4, 2)
    """

    step: int
    sites: int
    bonds: tuple[int, ...]
    lost: float
    shape: tuple[int, ...]
    log_partition: Floats | None
    ratio: float | None
    central_charge: float | None
    dimensions: Floats | None

    @property
    def size(self) -> int:
        """Number of sites of the lattice that is closed."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def free_energy(self) -> float:
        """Reduced free energy per site, -ln Z / N.

        Raises
        ------
        RegrainError
            The lattice that is closed here is lost in rounding.
        """
        if self.log_partition is None:
            raise RegrainError(
                f"step {self.step}: the boundaries of {self.shape} frustrate the couplings so much "
                "that the partition function is lost in rounding; look at another step"
            )
        return -float(self.log_partition[0])


class Follow:
    """Measures networks one after the other, in the order of their steps.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> from regrain.fits.tensor_networks.initial import initial_tensor
    >>> from regrain.fits.tensor_networks.measures import Follow
    >>> from regrain.fits.tensor_networks.network import normalised
    >>> start = initial_tensor(rg.lattice.Ising((4, 4), couplings={"nn": 0.0}), order=0)
    >>> first = normalised([start.tensor], start.log_factor, np.eye(2, dtype=int), 0.0)
    >>> round(float(Follow(start).measure(first).free_energy + np.log(2)), 12)
    0.0
    """

    def __init__(self, start: Start) -> None:
        self.start = start
        self._spectra: list[list[Spectrum]] = []
        self._norms: list[float] = []
        self._aspect = 1.0

    def measure(self, network: Network) -> Scale:
        """Everything at one step."""
        flat = len(network.cell) == 2
        pair = len(network.tensors) > 1
        layers = [layer(network)] if flat else []
        closed, shape, one, two, whole = (_pair if pair else _single)(network, layers)
        sound = min(float(closed[0]), two) > _ROUNDING * whole
        size = int(np.prod(shape, dtype=np.int64))
        self._norms.append(network.log_norm)
        charge = dimensions = None
        if flat and self.start.angle is not None:
            if self.start.stretched:
                layers.append(layer(network, swapped=True))
            self._spectra.append([spectrum(one[0]) for one in layers])
            charge, dimensions = self._conformal(network, self.start.angle)
        return Scale(
            step=len(self._norms) - 1,
            sites=network.sites,
            bonds=network.tensors[0].shape[1 : 1 + len(network.cell)],
            lost=network.lost,
            shape=shape,
            log_partition=network.log_weight + logarithm(closed) / size if sound else None,
            ratio=one**2 / two if sound else None,
            central_charge=charge,
            dimensions=dimensions,
        )

    def _conformal(self, network: Network, angle: float) -> tuple[float | None, Floats]:
        """Central charge and scaling dimensions from the layers along one or both axes.

        A layer round a ring w, as high as h, has the eigenvalues exp(-2π Im(h/w) (x - c/12)) times
        exp(-f area). Where lengths along the axes are not alike, the levels of both directions
        say by how much.
        """
        spectra = self._spectra[-1]
        count = min(len(one.levels) for one in spectra)
        if self.start.stretched and count and not oblique(network):
            # Im(h/w) is the ratio of the lengths here, its inverse there.
            self._aspect = float(np.sqrt(spectra[0].levels[0] / spectra[1].levels[0]))
            self._aspect *= float(np.linalg.norm(network.cell[0]) / np.linalg.norm(network.cell[1]))
        x, y = network.cell @ np.array([1.0, self._aspect * np.exp(1j * angle)])
        heights = [abs((y / (2 * x)).imag), abs((x / (2 * y)).imag)]
        dimensions = np.ones(count)
        charge = 1.0
        for k, one in enumerate(spectra):
            share = 1.0 / len(spectra)
            dimensions *= (one.levels[:count] / (2.0 * np.pi * heights[k])) ** share
            if len(self._spectra) > 2:
                # The same shape two steps before, of a quarter of the area: f drops out.
                grown = 2.0 * (2.0 * self._norms[-2] + self._norms[-1])
                rest = 4.0 * self._spectra[-3][k].top - one.top - grown
                part = 2.0 * rest / (np.pi * heights[k])
                charge *= np.sign(part) * abs(part) ** share
        return (float(charge) if len(self._spectra) > 2 else None), dimensions


def shortest(network: Network) -> int:
    """The axis along which tensors lie closest, of those that are alike the first.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.measures import shortest
    >>> from regrain.fits.tensor_networks.network import Network
    >>> shortest(Network((np.ones((1, 1, 1, 1, 1)),), np.zeros(1), 0.0, np.diag([2, 1])))
    1
    """
    return int(np.argmin(np.abs(network.cell).sum(axis=1)))


def _shape(vectors: NDArray[np.int64]) -> tuple[int, ...]:
    """Edges of the brick that vectors along the axes span."""
    return tuple(np.abs(vectors).sum(axis=0).tolist())


def _single(network: Network, layers: list[Floats]) -> Closed:
    """Two tensors: their partition function (a jet), its lattice, the sums for X₁ (of one tensor
    and of two beside each other), and the size of what is added up.
    """
    tensor, d = network.tensors[0], len(network.cell)
    axis = shortest(network)
    line = tensor
    for other in reversed([k for k in range(d) if k != axis]):
        half = (line.ndim - 1) // 2
        line = np.trace(line, axis1=1 + other, axis2=1 + other + half)
    closed = dot(line, line, ([0, 1], [1, 0]))
    sums = float(np.trace(line[0])), float(closed[0]), float(np.sum(line[0] ** 2))
    if oblique(network):  # the square of two is upright
        x, y = network.cell
        upright = np.einsum("taabb->t", layers[0])
        return upright, _shape(np.stack([x + y, y - x])), *sums
    vectors = network.cell.copy()
    vectors[axis] *= 2
    return closed, _shape(vectors), *sums


def _pair(network: Network, layers: list[Floats]) -> Closed:
    """The same of a checkerboard, whose lattice has two tensors or, if it is upright, four."""
    two = np.einsum("taabb->t", layers[0])
    four = dot(layers[0], layers[0], ([0, 1, 2, 3], [1, 0, 3, 2]))
    sums = float(two[0]), float(four[0]), float(np.sum(layers[0][0] ** 2))
    x, y = network.cell
    if oblique(network):
        return two, _shape(np.stack([x + y, y - x])), *sums
    return four, _shape(2 * network.cell), *sums
