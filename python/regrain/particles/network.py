"""Springs between named particles: an elastic network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.parameters import Law

__all__ = ["Network"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Network(Law):
    """Harmonic springs k/2 (r - r0)² between particles given by index, each with its own numbers.

    Unlike bonds they are no matter of types and no part of the topology: pairs that are joined
    still feel their pair potential, no angles follow, and distributions do not know of them.

    Parameters
    ----------
    pairs : array_like of int, shape (n, 2)
        The particles of each spring.
    k : array_like, shape (n,)
        Energy / length²; mind the factor 1/2.
    r0 : array_like, shape (n,)
        Lengths at rest.

    Raises
    ------
    RegrainError
        Shapes that do not agree, a spring from a particle to itself, two between the same
        particles, numbers that are negative or not finite.

    Loses / Assumes
    ---------------
    The particles keep the structure that the lengths were taken from: nothing unfolds, no other
    structure is ever found.

    Examples
    --------
    >>> from regrain.particles import ForceField, Network, Particles
    >>> square = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    >>> network = Network(pairs=[(0, 2), (1, 3)], k=[2.0, 2.0], r0=[1.0, 1.0])
    >>> field = ForceField({("A", "A"): None}, network=network)
    >>> field.evaluate(Particles(square, box=[9, 9, 9]))
    Evaluation(energy 0.343146: bond 0.343146)
    """

    pairs: Ints
    k: Floats
    r0: Floats

    if TYPE_CHECKING:  # anything like an array comes in, arrays are kept

        def __init__(self, *, pairs: ArrayLike, k: ArrayLike, r0: ArrayLike) -> None: ...

    def _check(self) -> None:
        pairs = np.array(self.pairs, dtype=np.int64)
        pairs = pairs.reshape(0, 2) if pairs.size == 0 else pairs
        if pairs.ndim != 2 or pairs.shape[1] != 2:
            raise RegrainError(f"Network: pairs has shape {pairs.shape}, expected (n, 2)")
        wrong = (pairs < 0).any(axis=1) | (pairs[:, 0] == pairs[:, 1])
        if wrong.any():
            raise RegrainError(
                f"Network: spring {np.argmax(wrong)} joins {pairs[np.argmax(wrong)].tolist()}; "
                "give two different particles, counted from 0"
            )
        each, counts = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
        if (counts > 1).any():
            twice = each[np.argmax(counts > 1)].tolist()
            raise RegrainError(f"Network: two springs join {twice}; add up their k and give one")
        object.__setattr__(self, "pairs", _fixed(pairs))
        for name in ("k", "r0"):
            value = np.array(getattr(self, name), dtype=float).reshape(-1)
            if value.shape != (len(pairs),):
                raise RegrainError(
                    f"Network: {name} has {len(value)} numbers for {len(pairs)} springs; give one "
                    "each"
                )
            if not np.all(np.isfinite(value) & (value >= 0)):
                bad = int(np.argmin(np.isfinite(value) & (value >= 0)))
                raise RegrainError(
                    f"Network: {name} of the spring {pairs[bad].tolist()} is {value[bad]}, "
                    "expected zero or more"
                )
            object.__setattr__(self, name, _fixed(value))

    def __len__(self) -> int:
        return len(self.pairs)

    def __str__(self) -> str:
        return f"{len(self)} springs"

    def _engine(self) -> list[Any]:
        return [_core.Harmonic(k=k, x0=r0) for k, r0 in zip(self.k, self.r0, strict=True)]

    def repeated(self, copies: int, *, every: int) -> Network:
        """The same springs in so many copies of a molecule of ``every`` particles each.

        Examples
        --------
        >>> from regrain.particles import Network
        >>> Network(pairs=[(0, 2)], k=[1.0], r0=[1.0]).repeated(2, every=3).pairs.tolist()
        [[0, 2], [3, 5]]

        Raises
        ------
        RegrainError
            A spring that reaches beyond the molecule.
        """
        if len(self) and self.pairs.max() >= every:
            raise RegrainError(
                f"the network joins particle {self.pairs.max()}, but a copy has {every}, counted "
                "from 0"
            )
        shift = np.repeat(np.arange(copies) * every, len(self))[:, None]
        return Network(
            pairs=np.tile(self.pairs, (copies, 1)) + shift,
            k=np.tile(self.k, copies),
            r0=np.tile(self.r0, copies),
        )


def _fixed(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
