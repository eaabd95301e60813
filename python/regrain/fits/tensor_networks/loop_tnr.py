"""Loop-TNR of Yang, Gu and Wen: short-range entanglement goes, octagons are fitted whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from regrain.errors import RegrainError
from regrain.fits.tensor_networks.filtering import filtered, overlap, square_of
from regrain.fits.tensor_networks.network import Network
from regrain.fits.tensor_networks.scheme import TensorScheme
from regrain.fits.tensor_networks.trg import cut, turned, turned_cell

__all__ = ["LoopTNR", "Octagon"]

Floats = NDArray[np.float64]

#: What keeps a part where it is, of the mean weight of its directions.
_RIDGE = 1e-12
#: Where cutting drops no more than this there is nothing to fit.
_WHOLE = 1e-13


@dataclass(frozen=True, kw_only=True)
class LoopTNR(TensorScheme):
    """Loop-TNR: tensor renormalization without short-range entanglement, in two dimensions.

    Before each step loops that go round single squares are removed from the bonds; then the four
    tensors around a square are fitted by eight halves all at once (by alternating least squares),
    so that what only concerns the square takes no room. At a transition the flow comes to a fixed
    point and stays there.

    Parameters
    ----------
    bond : int
        How many values a bond may have. Costs grow as its sixth power, times the sweeps.
    steps : int
        A tensor stands for 2**steps sites in the end.
    derivatives : int, optional
        0: this scheme gives free energies, and what is universal, but no derivatives.
    sweeps : int
        At most so many rounds of least squares per step.
    tolerance : float
        Rounds end when one of them makes the squared distance smaller by less than this share.

    Raises
    ------
    RegrainError
        Settings out of range; on calling, a model as in `TRG`.

    Loses / Assumes
    ---------------
    The fit finds a minimum, not always the lowest one. ``lost`` is the distance of the eight halves
    from the four tensors of a square. Deviations from the critical coupling grow as everywhere:
    K_c in double precision is left after some thirty steps, and truncations shift it.

    References
    ----------
    S. Yang, Z.-C. Gu and X.-G. Wen, Phys. Rev. Lett. 118, 110504 (2017).

    Examples
    --------
    >>> import regrain as rg
    >>> critical = rg.lattice.Ising((4, 4), couplings={"nn": rg.atlas.ising_square.K_c})
    >>> result = rg.fits.LoopTNR(bond=6, steps=12)(critical)
    >>> abs(float(result.central_charge) - 0.5) < 0.005
    True
    """

    sweeps: int = 40
    tolerance: float = 1e-7

    sublattices: ClassVar[int] = 2
    most_derivatives: ClassVar[int] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._whole("sweeps", 1)
        if not 0.0 < self.tolerance < 1.0:
            raise RegrainError(
                f"LoopTNR: tolerance is {self.tolerance!r}; give a number between 0 and 1"
            )

    def _coarse(self, network: Network) -> Network:
        a, b = (tensor[0] for tensor in network.tensors)
        a, b, lost = filtered(a, b)
        octagon = Octagon(square_of(a, b), self.bond)
        lost = max(lost, octagon.fit(self.sweeps, self.tolerance))
        tensors = [turned(tensor[None], network) for tensor in joined(octagon.parts)]
        return network.coarse(tensors, turned_cell(network), lost)


def joined(parts: Sequence[Floats]) -> tuple[Floats, Floats]:
    """The two tensors between octagons: on their right, and above them."""
    right = _around(parts[3], parts[0], parts[7], parts[4])
    below = np.tensordot(parts[6], parts[5], ([0], [2]))  # (b, m3, m2, e)
    top = np.tensordot(parts[1], parts[2], ([2], [0]))  # (m0, b, e, m1)
    other = np.tensordot(below, top, ([0, 3], [1, 2]))  # (m3, m2, m0, m1)
    return right, other.transpose(0, 1, 3, 2)


def _around(s3: Floats, s0: Floats, s7: Floats, s4: Floats) -> Floats:
    below = np.tensordot(s3, s0, ([1], [1]))  # (m1, b, e, m0)
    top = np.tensordot(s7, s4, ([1], [1]))  # (m3, e, b, m2)
    found = np.tensordot(below, top, ([1, 2], [2, 1]))  # (m1, m0, m3, m2)
    return found


class Octagon:
    """Eight tensors of three legs around a loop that stand for four of four legs.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.tensor_networks.filtering import square_of
    >>> from regrain.fits.tensor_networks.loop_tnr import Octagon
    >>> tensor = np.random.default_rng(1).random((3, 3, 3, 3))
    >>> octagon = Octagon(square_of(tensor, tensor), bond=4)
    >>> octagon.fit(1, 1e-6) > octagon.fit(20, 1e-6)
    True
    """

    def __init__(self, square: Sequence[Floats], bond: int) -> None:
        self.square = list(square)
        self.parts: list[Floats] = []
        self.lost = 0.0
        for tensor in square:
            first, second, lost = cut(tensor[None], (0, 1, 2, 3), bond)
            self.parts += [first[0], second[0]]
            self.lost = max(self.lost, lost)
        self.norm = overlap(square, square)

    def _layer(self, k: int) -> Floats:
        """A part with itself: (in, in', out, out')."""
        part = self.parts[k]
        return np.tensordot(part, part, ([1], [1])).transpose(0, 2, 1, 3)

    def _mixed(self, i: int) -> Floats:
        """A corner of the square with its two parts: (in, in', out, out')."""
        left = np.tensordot(self.square[i], self.parts[2 * i], ([1], [1]))  # (a, p2, b, a', m)
        both = np.tensordot(left, self.parts[2 * i + 1], ([4, 1], [0, 1]))  # (a, b, a', b')
        return both.transpose(0, 2, 1, 3)

    def fit(self, sweeps: int, tolerance: float) -> float:
        """Sweep until the distance no longer falls; the distance relative to the square's norm."""
        if self.lost < _WHOLE:
            return self.lost
        before = np.inf
        distance = self.norm
        for _ in range(sweeps):
            distance = self._sweep()
            if distance <= 1e-14 * self.norm or before - distance < tolerance * distance:
                break
            before = distance
        return float(np.sqrt(max(distance / self.norm, 1e-16)))  # that much is rounding

    def _sweep(self) -> float:
        layers = [self._layer(k) for k in range(8)]
        mixes = [self._mixed(i) for i in range(4)]
        after_b = _suffixes(layers)
        after_a = _suffixes(mixes)
        left_b: Floats | None = None
        left_a: Floats | None = None
        for i in range(4):
            around = _after(after_a[i], left_a)  # (out, out', in, in') of corner i
            pulled = np.tensordot(self.square[i], around, ([0, 3], [2, 0]))  # (p1, p2, out', in')
            for half in (0, 1):
                k = 2 * i + half
                other = self.parts[2 * i + 1 - half]
                if half == 0:  # other: (m, p2, out')
                    wanted = np.tensordot(pulled, other, ([1, 2], [1, 2]))  # (p1, in', m)
                    wanted = wanted.transpose(1, 0, 2)
                else:  # other: (in', p1, m)
                    wanted = np.tensordot(other, pulled, ([0, 1], [3, 0]))  # (m, p2, out')
                metric = _after(after_b[k], left_b)  # (out, out', in, in')
                self.parts[k] = _solved(metric, wanted, self.parts[k])
                left_b = _after(left_b, self._layer(k))
            left_a = _after(left_a, self._mixed(i))
        own = float(np.einsum("abab", _after(left_b, None)))
        common = float(np.einsum("abab", _after(left_a, None)))
        return self.norm + own - 2.0 * common


def _after(first: Floats | None, second: Floats | None) -> Floats:
    """One stretch of a loop after another, of which one may be empty."""
    if first is None:
        assert second is not None
        return second
    if second is None:
        return first
    return np.tensordot(first, second, ([2, 3], [0, 1]))


def _suffixes(layers: Sequence[Floats]) -> list[Floats | None]:
    """Of each layer, what comes after it up to the end."""
    found: list[Floats | None] = [None]
    for layer in reversed(layers[1:]):
        found.append(_after(layer, found[-1]))
    return found[::-1]


def _solved(metric: Floats, wanted: Floats, old: Floats) -> Floats:
    """The part that is nearest, given all others; what does not matter stays as it was."""
    left, middle, right = old.shape
    # metric: (out, out', in, in') -> rows (in', out'), columns (in, out)
    matrix = metric.transpose(3, 1, 2, 0).reshape(left * right, left * right)
    matrix = 0.5 * (matrix + matrix.T)
    ridge = _RIDGE * float(np.trace(matrix))
    for _ in range(8):
        target = (wanted + ridge * old).transpose(0, 2, 1).reshape(left * right, middle)
        try:
            factor = cho_factor(matrix + ridge * np.eye(len(matrix)), check_finite=False)
        except LinAlgError:  # not positive by rounding
            ridge *= 100.0
            continue
        found: Floats = cho_solve(factor, target).reshape(left, right, middle)
        return found.transpose(0, 2, 1)
    return old
