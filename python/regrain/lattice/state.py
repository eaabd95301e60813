"""Spins on a lattice: the state, and frames of many of them in one array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain.errors import RegrainError
from regrain.lattice.geometry import Geometry
from regrain.units import units as unit_system

__all__ = ["SpinFrames", "Spins"]


@dataclass(frozen=True, eq=False, repr=False)
class Spins:
    """Values on the sites of a lattice, of one system or of several replicas of it: a State.

    Parameters
    ----------
    values : array_like, shape (*shape) or (n_replicas, *shape)
        Whole numbers are kept as int8 (spins, states), others as float64 (angles, block averages).
    lattice : str, optional
        As in `Geometry`: by the number of axes when omitted.
    periodic : bool or sequence of bool
        Whether the lattice closes on itself, for all axes or for each.
    replicas : bool
        Whether the first axis of ``values`` counts independent systems.
    units : str
        ``"reduced"``; there are no others on lattices.

    Raises
    ------
    RegrainError
        Values that are no numbers, not finite or out of range, a shape that is none of the lattice.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.lattice import Spins
    >>> Spins(np.ones((4, 4), np.int8))
    Spins(4 x 4 square, periodic, int8)
    >>> Spins(np.ones((3, 4, 4), np.int8), replicas=True)
    Spins(3 replicas of 4 x 4 square, periodic, int8)
    """

    values: NDArray[Any]
    lattice: str | None = None
    periodic: bool | tuple[bool, ...] = True
    replicas: bool = False
    units: str = "reduced"

    level: ClassVar[str] = "lattice"

    if TYPE_CHECKING:  # anything like an array comes in, arrays are kept

        def __init__(
            self,
            values: ArrayLike,
            lattice: str | None = None,
            periodic: bool | Sequence[bool] = True,
            replicas: bool = False,
            units: str = "reduced",
        ) -> None: ...

    def __post_init__(self) -> None:
        values = plain_values(self.values)
        shape = values.shape[1:] if self.replicas else values.shape
        if self.replicas and (values.ndim < 2 or not len(values)):
            raise RegrainError(
                f"values has shape {values.shape}, expected (n_replicas, ...): the first axis "
                "counts replicas"
            )
        geometry = Geometry(shape, self.lattice, self.periodic)
        if unit_system(self.units).name != "reduced":
            raise RegrainError(f"units: got {self.units!r}; spins are in reduced units")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "lattice", geometry.lattice)
        object.__setattr__(self, "periodic", geometry.periodic)
        object.__setattr__(self, "replicas", bool(self.replicas))

    @property
    def shape(self) -> tuple[int, ...]:
        """Sites along each axis."""
        return self.values.shape[1:] if self.replicas else self.values.shape

    @property
    def geometry(self) -> Geometry:
        """Shape, kind and boundaries of the lattice."""
        return Geometry(self.shape, self.lattice, self.periodic)

    @property
    def n_replicas(self) -> int:
        """Number of independent systems."""
        return len(self.values) if self.replicas else 1

    def __len__(self) -> int:
        return self.geometry.size

    def __repr__(self) -> str:
        geometry = self.geometry
        edges = " x ".join(map(str, geometry.shape))
        count = f"{self.n_replicas} replicas of " if self.replicas else ""
        return f"Spins({count}{edges} {geometry.name}, {_ends(geometry)}, {self.values.dtype})"

    def replace(self, **changes: Any) -> Spins:
        """A copy with some attributes changed."""
        return replace(self, **changes)

    def arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Name -> (dimension names, array), as ``Trace.to_xarray`` needs."""
        axes = tuple(f"axis_{k}" for k in range(len(self.shape)))
        return {"values": (("replica", *axes) if self.replicas else axes, self.values)}


def _ends(geometry: Geometry) -> str:
    if all(geometry.axes):
        return "periodic"
    if not any(geometry.axes):
        return "open"
    return "periodic along " + ", ".join(str(k) for k, on in enumerate(geometry.axes) if on)


def plain_values(given: ArrayLike) -> NDArray[Any]:
    """Whole numbers as int8, others as float64, in the order of C."""
    values = np.asarray(given)
    if values.dtype.kind in "iu":
        if values.size and (values.min() < -128 or values.max() > 127):
            raise RegrainError(
                f"values run from {values.min()} to {values.max()}, expected whole numbers from "
                "-128 to 127, or floats"
            )
        return np.ascontiguousarray(values, dtype=np.int8)
    if values.dtype.kind != "f":
        raise RegrainError(
            f"values have the type {values.dtype}, expected whole numbers (spins, states) or floats"
        )
    values = np.ascontiguousarray(values, dtype=np.float64)
    if not np.isfinite(values).all():
        bad = np.argwhere(~np.isfinite(values))[0]
        raise RegrainError(
            f"the value at {tuple(bad.tolist())} is {values[tuple(bad)]}; every value must be "
            "finite"
        )
    return values


class SpinFrames(Sequence[Spins]):
    """Frames of a trace that share one array; spins of two values are kept as bits.

    Parameters
    ----------
    values : ndarray, shape (n_frames, *shape) or (n_frames, n_replicas, *shape)
        int8 or float64. Where it is int8 and holds only -1 and 1, an eighth of it is kept.
    like : Spins
        A state with the lattice of all frames, and replicas if they have any.

    Attributes
    ----------
    bits : ndarray of uint8, shape (n_frames, ceil(values per frame / 8)), or None
        Bit k of byte n is set where value 8 n + k of the frame, in the order of C, is 1.

    Raises
    ------
    RegrainError
        Frames of another shape than the state.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.lattice import SpinFrames, Spins
    >>> up = np.ones((4, 4), np.int8)
    >>> frames = SpinFrames(np.stack([up, -up]), Spins(up))
    >>> len(frames), frames.bits.nbytes, frames.stacked("values").sum(axis=(1, 2)).tolist()
    (2, 4, [16, -16])
    """

    def __init__(self, values: NDArray[Any], like: Spins) -> None:
        if values.shape[1:] != like.values.shape:
            raise RegrainError(
                f"frames have shape {values.shape[1:]}, expected that of the state, "
                f"{like.values.shape}"
            )
        self.like = like
        self.bits: NDArray[np.uint8] | None = None
        self._values: NDArray[Any] | None = None
        if values.dtype == np.int8 and bool((np.abs(values) == 1).all()):
            self.bits = pack(values)
        else:
            self._values = values

    @classmethod
    def of_bits(cls, bits: NDArray[np.uint8], like: Spins) -> SpinFrames:
        """Frames of what ``bits`` of others are, without unpacking them."""
        frames = cls.__new__(cls)
        frames.like, frames.bits, frames._values = like, bits, None
        return frames

    def __len__(self) -> int:
        return len(self.bits if self._values is None else self._values)  # type: ignore[arg-type]

    def __getitem__(self, i: Any) -> Any:
        return self.like.replace(values=self._some(int(i)))

    def _some(self, chosen: Any) -> NDArray[Any]:
        if self._values is not None:
            some: NDArray[Any] = self._values[chosen]
            return some
        assert self.bits is not None
        return unpack(self.bits[chosen], self.like.values.shape)

    def stacked(self, name: str, chosen: Any = slice(None)) -> NDArray[Any]:
        """The values of all (or some) frames in one array; see ``Trace.stacked``."""
        if name != "values":
            raise RegrainError(f"spins have no array {name!r}, only 'values'")
        return self._some(chosen)


def pack(values: NDArray[np.int8]) -> NDArray[np.uint8]:
    """One bit per value of each frame (set where it is positive), the lowest first."""
    flat = values.reshape(len(values), -1)
    return np.packbits(flat > 0, axis=1, bitorder="little")


def unpack(bits: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.int8]:
    """The values, -1 and 1, of which `pack` made bits."""
    size = int(np.prod(shape, dtype=np.int64))
    flat = np.unpackbits(bits, axis=-1, count=size, bitorder="little")
    values: NDArray[np.int8] = (2 * flat.view(np.int8) - 1).reshape(*bits.shape[:-1], *shape)
    return values
