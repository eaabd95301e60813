"""Where particles are, and what they are: kept apart, because the one changes with every frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from regrain.errors import RegrainError
from regrain.particles.parameters import floats, whole_numbers
from regrain.units import units as unit_system

__all__ = ["Particles", "Topology", "box_vectors"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array = array.view()
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Topology:
    """What the particles of a system are; shared by all frames of a trace. Immutable.

    Parameters
    ----------
    types : sequence of str, length n
        Name of the type of each particle: what force fields and distributions are keyed by.
    masses : array_like, shape (n,), optional
        1 when omitted.
    charges : array_like, shape (n,), optional
        0 when omitted.
    names : sequence of str, length n, optional
        Name of each particle (an atom name); the types when omitted.
    residues : array_like of int, shape (n,), optional
        Which residue (molecule, chain link) each particle belongs to; each its own when omitted.
    residue_names : sequence of str, length n, optional
        Name of the residue of each particle.
    bonds, angles, dihedrals : array_like of int, shape (k, 2), (k, 3), (k, 4), optional
        Bonded particles by index.

    Raises
    ------
    RegrainError
        Lengths that do not agree, a negative mass, a bond to a particle that is not there or to
        itself.

    Examples
    --------
    >>> from regrain.particles import Topology
    >>> chain = Topology(["A", "B", "A"], bonds=[(0, 1), (1, 2)])
    >>> chain
    Topology(3 particles: 2 A, 1 B; 2 bonds)
    >>> chain.exclusions(2).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """

    types: NDArray[np.str_]
    masses: Floats = None  # type: ignore[assignment]
    charges: Floats = None  # type: ignore[assignment]
    names: NDArray[np.str_] = None  # type: ignore[assignment]
    residues: Ints = None  # type: ignore[assignment]
    residue_names: NDArray[np.str_] = None  # type: ignore[assignment]
    bonds: Ints = None  # type: ignore[assignment]
    angles: Ints = None  # type: ignore[assignment]
    dihedrals: Ints = None  # type: ignore[assignment]

    if TYPE_CHECKING:  # anything like an array comes in, arrays are kept

        def __init__(
            self,
            types: Sequence[str] | NDArray[np.str_],
            masses: ArrayLike | None = None,
            charges: ArrayLike | None = None,
            names: Sequence[str] | NDArray[np.str_] | None = None,
            residues: ArrayLike | None = None,
            residue_names: Sequence[str] | NDArray[np.str_] | None = None,
            bonds: ArrayLike | None = None,
            angles: ArrayLike | None = None,
            dihedrals: ArrayLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        types = np.asarray(self.types, dtype=np.str_)
        if types.ndim != 1:
            raise RegrainError(
                f"types: got {self.types!r}, expected a sequence of names, one per particle, such "
                'as ["A", "A", "B"]'
            )
        n = len(types)
        filled = {
            "types": types,
            "masses": self._per_particle("masses", self.masses, np.ones(n), n),
            "charges": self._per_particle("charges", self.charges, np.zeros(n), n),
            "names": self._per_particle("names", self.names, types, n),
            "residues": self._per_particle("residues", self.residues, np.arange(n, dtype="i4"), n),
            "residue_names": self._per_particle("residue_names", self.residue_names, types, n),
            "bonds": self._terms("bonds", self.bonds, 2, n),
            "angles": self._terms("angles", self.angles, 3, n),
            "dihedrals": self._terms("dihedrals", self.dihedrals, 4, n),
        }
        for name, array in filled.items():
            object.__setattr__(self, name, _frozen(array))
        self._refuse(
            "mass", self.masses, ~np.isfinite(self.masses) | (self.masses < 0), "0 or more"
        )
        self._refuse("charge", self.charges, ~np.isfinite(self.charges), "a finite number")

    @staticmethod
    def _refuse(what: str, values: Floats, bad: NDArray[np.bool_], expected: str) -> None:
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            raise RegrainError(f"particle {i} has {what} {values[i]}, expected {expected}")

    @staticmethod
    def _per_particle(name: str, given: Any, default: NDArray[Any], n: int) -> NDArray[Any]:
        if given is None:
            array = default
        elif default.dtype.kind == "f":
            array = floats(name, given, "one number per particle")
        elif default.dtype.kind == "i":
            array = whole_numbers(name, given, "one whole number per particle")
        else:
            array = np.asarray(given, dtype=np.str_)
        if array.shape != (n,):
            raise RegrainError(f"{name} has shape {array.shape}, expected ({n},): one per particle")
        return array

    @staticmethod
    def _terms(name: str, given: Any, width: int, n: int) -> Ints:
        indices = np.empty((0, width)) if given is None else given
        array = whole_numbers(name, indices, f"rows of {width} indices of particles")
        if array.size == 0:
            array = array.reshape(0, width)
        if array.ndim != 2 or array.shape[1] != width:
            raise RegrainError(f"{name} has shape {array.shape}, expected (k, {width})")
        outside = array[(array < 0) | (array >= n)]
        if outside.size:
            raise RegrainError(
                f"{name} name particle {outside[0]}, but there are {n}, counted from 0"
            )
        ordered = np.sort(array, axis=1)
        repeated = np.flatnonzero(np.any(ordered[:, 1:] == ordered[:, :-1], axis=1))
        if repeated.size:
            raise RegrainError(f"{name}[{repeated[0]}] = {array[repeated[0]]} repeats a particle")
        return array

    def __len__(self) -> int:
        return len(self.types)

    def __repr__(self) -> str:
        kinds, counts = np.unique(self.types, return_counts=True)
        shown = ", ".join(f"{c} {k}" for k, c in zip(kinds[:6], counts[:6], strict=True))
        more = f", and {len(kinds) - 6} more types" if len(kinds) > 6 else ""
        terms = "".join(
            f"; {len(t)} {name}"
            for name, t in (
                ("bonds", self.bonds),
                ("angles", self.angles),
                ("dihedrals", self.dihedrals),
            )
            if len(t)
        )
        return f"Topology({len(self)} particles: {shown}{more}{terms})"

    @cached_property
    def type_names(self) -> tuple[str, ...]:
        """The distinct types, sorted."""
        return tuple(str(name) for name in np.unique(self.types))

    @cached_property
    def type_ids(self) -> Ints:
        """Position of each particle's type in ``type_names``, shape (n,)."""
        ids = np.searchsorted(np.asarray(self.type_names), self.types).astype(np.int32)
        return _frozen(ids)

    def exclusions(self, bonds: int) -> Ints:
        """Pairs i < j that are at most this many bonds apart, sorted, shape (k, 2)."""
        n = len(self)
        i, j = self.bonds.T
        ones = np.ones(len(self.bonds), dtype=bool)
        linked = csr_array((ones, (i, j)), shape=(n, n))
        linked = linked + linked.T
        reached = csr_array((n, n), dtype=bool)
        for _ in range(bonds):
            reached = reached + reached @ linked + linked
        pairs = np.stack(reached.nonzero(), axis=1)
        pairs = pairs[pairs[:, 0] < pairs[:, 1]]
        return pairs[np.lexsort(pairs.T[::-1])].astype(np.int32)


def box_vectors(box: ArrayLike) -> Floats:
    """Lattice vectors as rows, lower triangular, from three lengths or a 3x3 matrix.

    Raises
    ------
    RegrainError
        Another shape, entries that are not finite, not lower triangular, no volume.

    Examples
    --------
    >>> box_vectors([2.0, 3.0, 4.0])
    array([[2., 0., 0.],
           [0., 3., 0.],
           [0., 0., 4.]])
    """
    given = floats("box", box, "three edge lengths or three lattice vectors")
    vectors = np.diag(given) if given.shape == (3,) else given
    if vectors.shape != (3, 3) or not np.all(np.isfinite(vectors)):
        raise RegrainError(
            f"box: got {given.tolist()}, expected three edge lengths or three lattice vectors"
        )
    if np.any(np.triu(vectors, 1) != 0) or np.any(np.diag(vectors) <= 0):
        raise RegrainError(
            f"box: got {vectors.tolist()}, expected lower-triangular lattice vectors with a "
            "positive diagonal; rotate the system so that a is along x and b in the xy plane"
        )
    return np.array(vectors)


@dataclass(frozen=True, eq=False, repr=False)
class Particles:
    """Positions (and what goes with them) of n particles in a periodic box: a State.

    Parameters
    ----------
    positions : array_like, shape (n, 3)
    box : array_like, shape (3,) or (3, 3)
        Edge lengths, or lattice vectors as rows, lower triangular.
    topology : Topology, optional
        One type "A" of mass 1 when omitted.
    velocities, forces : array_like, shape (n, 3), optional
    images : array_like of int, shape (n, 3), optional
        How often each particle was wrapped: ``positions + images @ box`` is its unwrapped position.
    units : str
        ``"reduced"`` or ``"md"``.

    Raises
    ------
    RegrainError
        Shapes that do not agree, numbers that are not finite (the particle is named), a bad box.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import Particles
    >>> Particles(np.zeros((4, 3)), box=[3.0, 3.0, 3.0], units="md")
    Particles(4 particles: 4 A; box 3 x 3 x 3 nm)
    """

    positions: Floats
    box: Floats
    topology: Topology = None  # type: ignore[assignment]
    velocities: Floats | None = None
    forces: Floats | None = None
    images: Ints | None = None
    units: str = "reduced"

    level: ClassVar[str] = "particles"

    if TYPE_CHECKING:  # anything like an array comes in, arrays are kept

        def __init__(
            self,
            positions: ArrayLike,
            box: ArrayLike,
            topology: Topology | None = None,
            velocities: ArrayLike | None = None,
            forces: ArrayLike | None = None,
            images: ArrayLike | None = None,
            units: str = "reduced",
        ) -> None: ...

    def __post_init__(self) -> None:
        if self.positions is None:
            raise RegrainError("positions: got None, expected three coordinates per particle")
        positions = self._vectors("positions", self.positions, None)
        n = len(positions)
        topology = Topology(np.full(n, "A")) if self.topology is None else self.topology
        if not isinstance(topology, Topology):
            raise RegrainError(
                f"topology: got {topology!r}, expected a Topology, such as "
                'Topology(["A", "B"], masses=[1.0, 2.0])'
            )
        if len(topology) != n:
            raise RegrainError(
                f"the topology has {len(topology)} particles, the positions {n}; give those of the "
                "same system"
            )
        images = None
        if self.images is not None:
            images = np.ascontiguousarray(
                whole_numbers("images", self.images, "three whole numbers per particle")
            )
            if images.shape != (n, 3):
                raise RegrainError(f"images has shape {images.shape}, expected ({n}, 3)")
        filled = {
            "positions": positions,
            "box": box_vectors(self.box),
            "topology": topology,
            "velocities": self._vectors("velocities", self.velocities, n),
            "forces": self._vectors("forces", self.forces, n),
            "images": images,
            "units": unit_system(self.units).name,
        }
        for name, value in filled.items():
            object.__setattr__(self, name, value)

    @staticmethod
    def _vectors(name: str, given: Any, n: int | None) -> Any:
        if given is None:
            return None
        array = np.ascontiguousarray(floats(name, given, "three numbers per particle"))
        if array.ndim != 2 or array.shape[1] != 3 or (n is not None and len(array) != n):
            expected = "(n, 3)" if n is None else f"({n}, 3)"
            raise RegrainError(f"{name} has shape {array.shape}, expected {expected}")
        if not np.all(np.isfinite(array)):
            bad = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
            raise RegrainError(
                f"{name} of particle {bad} are {array[bad].tolist()}; every number must be finite"
            )
        return array

    def __len__(self) -> int:
        return len(self.positions)

    def __repr__(self) -> str:
        edges = " x ".join(f"{v:g}" for v in np.linalg.norm(self.box, axis=1))
        unit = unit_system(self.units).length
        what = repr(self.topology).removeprefix("Topology(").removesuffix(")")
        return f"Particles({what}; box {edges}{' ' + unit if unit else ''})"

    @property
    def volume(self) -> float:
        """Volume of the box."""
        return float(np.prod(np.diag(self.box)))

    @property
    def unwrapped(self) -> Floats:
        """Positions with the images added, shape (n, 3); the positions where there are none."""
        if self.images is None:
            return self.positions
        return self.positions + self.images @ self.box

    def replace(self, **changes: Any) -> Particles:
        """A copy with some attributes changed."""
        return replace(self, **changes)

    def arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Name -> (dimension names, array), as ``Trace.to_xarray`` needs."""
        vector = ("particle", "xyz")
        found: dict[str, tuple[Sequence[str], NDArray[Any]]] = {
            "positions": (vector, self.positions),
            "box": (("lattice", "xyz"), self.box),
        }
        for name in ("velocities", "forces", "images"):
            array = getattr(self, name)
            if array is not None:
                found[name] = (vector, array)
        return {k: (tuple(dims), array) for k, (dims, array) in found.items()}
