"""Block spins: the map of spins on a lattice to fewer spins on a coarser one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from math import isfinite, prod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError, unknown
from regrain.lattice import LatticeModel, SpinFrames, Spins
from regrain.maps.base import Map
from regrain.maps.blocks import BlockFrames, BoundBlocks, generator_of, sites_of
from regrain.maps.fibres import Fibres
from regrain.trace import Trace

__all__ = ["BlockSpin"]

_RULES = ("majority", "decimation", "average", "direction", "kadanoff")
_TIES = ("random", "first", "up", "down")
_REAL = ("average", "direction")


@dataclass(frozen=True, eq=False, repr=False)
class BlockSpin(Map):
    r"""One spin for each block of spins of a lattice.

    Lattice kind, boundaries, replicas and times stay; each length is divided by b. Blocks of the
    triangular lattice are rhombi of b x b sites, so that the coarse lattice is triangular, too.

    Parameters
    ----------
    b : int or sequence of int
        Sites along each axis of a block, the same for all axes or one for each.
    rule : {"majority", "decimation", "average", "direction", "kadanoff"}
        ``"majority"``: the most frequent state of the block (of Blume-Capel spins, too: 0 is a
        state like the others). ``"decimation"``: the first site of the block. ``"average"``: the
        sum over the block divided by (sites)^exponent, a real spin. ``"direction"``: for angles,
        that of the sum of the unit vectors. ``"kadanoff"``: for spins -1 and 1, S with a chance
        proportional to exp(strength S sum s).
    ties : {"random", "first", "up", "down"}
        What a majority does where several states are equally frequent: one of them by chance, the
        one that comes first in the block (in the order of C), the largest, the smallest.
    seed : int
        Random numbers are a function of it, the shape of the fine lattice, the time of the frame
        (of a state on its own: its values), the replica and the block; nothing else.
    exponent : float
        Of ``"average"``: 1 is the mean, 0 the sum, 1/2 keeps the variance of free spins, y_h / d
        keeps that of critical ones.
    strength : float, optional
        Of ``"kadanoff"``; majority with random ties is its limit.

    Raises
    ------
    RegrainError
        b below 2, unknown rules and ties, a strength that is missing or out of place. On calling:
        blocks that do not divide the lattice, a majority of real spins, directions of whole
        numbers.

    Notes
    -----
    Blocks of Niemeijer and van Leeuwen (triangles, b = sqrt 3) are not offered: their lattice is
    turned by 30 degrees, and its torus is not one of two lengths.

    Loses / Assumes
    ---------------
    All of a block but one spin: `fibre_entropy` says how much that is where all fine blocks are
    alike. Block spins of a model with few couplings have, in general, infinitely many.

    Sources
    -------
    L. P. Kadanoff, Physics 2, 263 (1966). R. H. Swendsen, Phys. Rev. Lett. 42, 859 (1979)
    (majority with random ties). L. P. Kadanoff and A. Houghton, Phys. Rev. B 11, 377 (1975)
    (a probabilistic rule).

    Examples
    --------
    >>> from regrain.lattice import Ising
    >>> from regrain.maps import BlockSpin
    >>> model = Ising((64, 64), couplings={"nn": 0.4406868})
    >>> trace = model.run(sweeps=10, seed=1)
    >>> coarse = (BlockSpin(b=2, seed=2) >> BlockSpin(b=2, seed=2))(trace)
    >>> coarse[0]
    Spins(16 x 16 square, periodic, int8)
    """

    b: int | Sequence[int] = 2
    _: KW_ONLY
    rule: Literal["majority", "decimation", "average", "direction", "kadanoff"] = "majority"
    ties: Literal["random", "first", "up", "down"] = "random"
    seed: int = 0
    exponent: float = 1.0
    strength: float | None = None

    takes: ClassVar[str] = "lattice"
    gives: ClassVar[str] = "lattice"
    _by_time: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "b", _lengths(self.b))
        if self.rule not in _RULES:
            raise unknown("rule", self.rule, _RULES)
        if self.ties not in _TIES:
            raise unknown("ties", self.ties, _TIES)
        if not _whole(self.seed) or self.seed < 0:
            raise RegrainError(f"seed: got {self.seed!r}, expected a whole number, 0 or more")
        if not _finite(self.exponent):
            raise RegrainError(f"exponent: got {self.exponent!r}, expected a finite number")
        if (self.rule == "kadanoff") != (self.strength is not None):
            raise RegrainError(
                f"strength: got {self.strength!r} with the rule {self.rule!r}; it belongs to "
                "'kadanoff', which needs it"
            )
        if self.strength is not None and not (_finite(self.strength) and self.strength >= 0):
            raise RegrainError(
                f"strength: got {self.strength!r}, expected a finite number, 0 or more"
            )
        for name, kind in (("seed", int), ("exponent", float), ("strength", float)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, kind(getattr(self, name)))

    def __repr__(self) -> str:
        shown = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if field.name in ("b", "rule") or getattr(self, field.name) != field.default
        ]
        return f"BlockSpin({', '.join(shown)})"

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON types."""
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        b = list(self.b) if isinstance(self.b, tuple) else self.b
        return {"map": "BlockSpin", **content, "b": b}

    @classmethod
    def _from_dict(cls, settings: dict[str, Any]) -> BlockSpin:
        try:
            return cls(**settings)
        except TypeError as error:
            raise RegrainError(f"BlockSpin does not have these settings: {error}") from error

    def block(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Sites of a block along each axis of a lattice of this shape.

        Raises
        ------
        RegrainError
            b has another number of axes.

        Examples
        --------
        >>> from regrain.maps import BlockSpin
        >>> BlockSpin(b=3).block((9, 9))
        (3, 3)
        """
        block = self.b if isinstance(self.b, tuple) else (int(self.b),) * len(shape)  # type: ignore[arg-type]
        if len(block) != len(shape):
            raise RegrainError(
                f"b: got {block} for a lattice of {len(shape)} axes; give one number for each"
            )
        return block

    def bind(self, fine: Any) -> Callable[[Any], Any]:
        """The map made ready for spins of the shape of this state."""
        self._need_level(fine)
        return BoundBlocks(self, fine)

    def _of_trace(self, fine: Trace[Any]) -> Trace[Any]:
        self._need_level(fine[0])
        frames = BlockFrames(fine.frames, fine.times, BoundBlocks(self, fine[0]))
        # Frames that are in memory are blocked at once: they are fewer bits than before.
        whole = isinstance(fine.frames, SpinFrames) and self.rule not in _REAL
        return Trace(
            frames.kept() if whole else frames,
            times=fine.times,
            weights=fine.weights,
            provenance=fine.provenance,
        )

    # ------------------------------------------------------------------ fibres

    def fibre_entropy(self, model: LatticeModel) -> dict[float, float]:
        """What a block spin does not tell of its block, if all fine configurations are alike.

        Parameters
        ----------
        model : LatticeModel
            A fine model, for its states and the number of its axes; couplings do not matter.

        Returns
        -------
        dict
            Coarse value -> entropy in nats per block: the logarithm of the number of blocks that
            are mapped to it; with chance in the rule, the entropy of the block given the value.

        Raises
        ------
        RegrainError
            Continuous spins, or states that the rule does not know.

        Examples
        --------
        >>> from regrain.lattice import Ising
        >>> from regrain.maps import BlockSpin
        >>> model = Ising((4, 4), couplings={"nn": 0.4})
        >>> {k: round(v, 4) for k, v in BlockSpin(b=2, ties="up").fibre_entropy(model).items()}
        {-1: 1.6094, 1: 2.3979}
        """
        states = self._states(model)
        n = prod(self.block(model.shape))
        if states is None or self.rule == "direction":
            raise RegrainError(
                "the fibres of continuous spins have no number of configurations; give a model "
                "whose spins have states"
            )
        if self.rule == "decimation":
            return dict.fromkeys(states, float((n - 1) * np.log(len(states))))
        return Fibres(self, n, states).entropies()

    def lift(self, coarse: Spins, *, model: LatticeModel | None = None, seed: int = 0) -> Spins:
        """A fine state drawn evenly from those that are mapped to this coarse one.

        Where the rule draws numbers, a fine state comes with the chance that the rule takes it to
        the coarse one. What is lifted has no correlations beyond those of the blocks; let it relax.

        Parameters
        ----------
        coarse : Spins
            Block spins, with replicas or not.
        model : LatticeModel, optional
            A fine model, for the states of its spins; -1 and 1 when omitted.
        seed : int
            Of the random numbers.

        Raises
        ------
        RegrainError
            Coarse values that no block has; averages of continuous spins and directions, whose
            fibres are not offered.

        Examples
        --------
        >>> from regrain.lattice import Ising
        >>> from regrain.maps import BlockSpin
        >>> halves = BlockSpin(b=2, ties="up")
        >>> coarse = Ising((8, 8), couplings={"nn": 0.3}).start("random", seed=1)
        >>> fine = halves.lift(coarse, seed=2)
        >>> fine, bool((halves(fine).values == coarse.values).all())
        (Spins(16 x 16 square, periodic, int8), True)
        """
        self._need_level(coarse)
        if not _whole(seed) or seed < 0:
            raise RegrainError(f"seed: got {seed!r}, expected a whole number, 0 or more")
        states = self._states(model)
        random = generator_of(int(seed), coarse.shape, b"lift")
        block = self.block(coarse.shape)
        flat = coarse.values.reshape(-1)
        blocks: NDArray[Any]
        if self.rule == "direction" or (self.rule == "average" and states is None):
            raise RegrainError(
                f"the fibres of the rule {self.rule!r} over continuous spins are not offered; "
                "lift by 'decimation', or give a model whose spins have states"
            )
        if self.rule == "decimation":
            blocks = _around(flat, states, prod(block), random)
        else:
            assert states is not None
            blocks = Fibres(self, prod(block), states).draw(flat.astype(float), random)
        dtype = np.float64 if states is None else np.int8
        lead = coarse.values.shape[: coarse.values.ndim - len(block)]
        lengths = [length * b for length, b in zip(coarse.shape, block, strict=True)]
        fine = np.zeros((*lead, *lengths), dtype)
        for k, site in enumerate(sites_of(fine, block)):
            site[...] = blocks[:, k].reshape(coarse.values.shape)
        return coarse.replace(values=fine)

    def _states(self, model: LatticeModel | None) -> tuple[int, ...] | None:
        """The states of a fine spin, None where it is continuous."""
        if model is None:
            return (-1, 1)
        if not isinstance(model, LatticeModel):
            raise RegrainError(
                f"model: got {type(model).__name__}, expected a lattice model such as Ising"
            )
        values = model.site_values
        states = None if values is None else tuple(int(v) for v in values)
        counted = self.rule in ("majority", "kadanoff")
        if (states is None and counted) or (self.rule == "kadanoff" and states != (-1, 1)):
            raise RegrainError(
                f"{self.rule} does not know the spins of {type(model).__name__}; take another rule"
            )
        return states


def _around(
    first: NDArray[Any], states: tuple[int, ...] | None, n: int, random: np.random.Generator
) -> NDArray[Any]:
    """Blocks whose first site is given and whose others are drawn evenly."""
    if states is None:
        others = random.uniform(-np.pi, np.pi, (len(first), n - 1))
    else:
        wrong = ~np.isin(first, states)
        if wrong.any():
            raise RegrainError(
                f"a coarse spin is {first[wrong][0]}, expected one of {states}; give model= for "
                "spins with other states"
            )
        others = np.array(states)[random.integers(0, len(states), (len(first), n - 1))]
    return np.column_stack([first, others])


def _whole(given: object) -> bool:
    return isinstance(given, int | np.integer) and not isinstance(given, bool)


def _finite(given: object) -> bool:
    number = isinstance(given, int | float | np.number) and not isinstance(given, bool)
    return number and isfinite(given)  # type: ignore[arg-type]


def _lengths(given: object) -> int | tuple[int, ...]:
    if _whole(given) and given >= 2:  # type: ignore[operator]
        return int(given)  # type: ignore[call-overload,no-any-return]
    if isinstance(given, list | tuple | np.ndarray) and len(given):
        good = all(_whole(b) and b >= 1 for b in given)
        if good and max(given) >= 2:
            return tuple(int(b) for b in given)
    raise RegrainError(
        f"b: got {given!r}, expected how many sites of each axis become one: 2 or more, or such a "
        "number for each axis (1 leaves an axis as it is)"
    )
