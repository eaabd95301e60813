"""Block spins of arrays: what becomes of the sites of each block, one function for each rule."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from hashlib import blake2b
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.lattice import SpinFrames, Spins

if TYPE_CHECKING:
    from regrain.maps.block_spin import BlockSpin

__all__ = ["BlockFrames", "BoundBlocks", "generator_of", "sites_of"]

_COUNTED = ("majority", "kadanoff")


def sites_of(values: NDArray[Any], block: Sequence[int]) -> list[NDArray[Any]]:
    """Views of one site of all blocks, for each site of a block in the order of C.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.maps.blocks import sites_of
    >>> [site.tolist() for site in sites_of(np.arange(6), (3,))]
    [[0, 3], [1, 4], [2, 5]]
    """
    places = product(*map(range, block))
    found = []
    for place in places:
        cut: list[Any] = [slice(at, None, b) for at, b in zip(place, block, strict=True)]
        found.append(values[(..., *cut)])
    return found


def generator_of(seed: int, shape: Sequence[int], moment: bytes) -> np.random.Generator:
    """Random numbers of one frame: a function of the seed, the lattice and the moment.

    The lattice is part of it so that the coins of a second step are not those of the first.

    Examples
    --------
    >>> from regrain.maps.blocks import generator_of
    >>> generator_of(1, (4, 4), b"a").random() == generator_of(1, (4, 4), b"a").random()
    True
    """
    digest = blake2b(repr((seed, tuple(shape))).encode() + moment, digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, np.uint64)))


def _coins(random: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """Random bits as bytes, at least as many as asked for, in whole words."""
    words: NDArray[np.uint64] = random.bit_generator.random_raw(-(-count // 64))
    return words.view(np.uint8)


class BoundBlocks:
    """A `BlockSpin` made ready for spins of one shape: a function of a state.

    Parameters
    ----------
    rule : BlockSpin
        The map.
    fine : Spins
        A state of the lattice.

    Raises
    ------
    RegrainError
        Blocks that do not divide the lattice, spins that the rule is not for.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.lattice import Spins
    >>> from regrain.maps import BlockSpin
    >>> from regrain.maps.blocks import BoundBlocks
    >>> fine = Spins(np.array([1, 1, -1, -1, 1, -1], np.int8))
    >>> BoundBlocks(BlockSpin(b=3), fine)(fine).values.tolist()
    [1, -1]
    """

    def __init__(self, rule: BlockSpin, fine: Spins) -> None:
        self.rule = rule
        self.shape = fine.shape
        self.block = rule.block(fine.shape)
        for length, b in zip(fine.shape, self.block, strict=True):
            if length % b:
                raise RegrainError(
                    f"blocks of {_edges(self.block)} do not divide a lattice of "
                    f"{_edges(fine.shape)}; take lengths that are multiples of b"
                )
        real = fine.values.dtype.kind == "f"
        if real and rule.rule in _COUNTED:
            raise RegrainError(
                f"{rule.rule} counts the states of spins, but these are real (angles, averages); "
                "take rule 'average', 'direction' (of angles) or 'decimation'"
            )
        if not real and rule.rule == "direction":
            raise RegrainError(
                "direction adds up angles, but these spins are whole numbers; take rule 'majority'"
            )

    def __call__(self, state: Spins) -> Spins:
        return self.at(state, state.values.tobytes())

    def at(self, state: Spins, moment: bytes) -> Spins:
        """The block spins of a state, with the random numbers of that moment."""
        if state.shape != self.shape:
            raise RegrainError(
                f"the lattice has shape {state.shape}, expected {self.shape}, as in the first frame"
            )
        return state.replace(values=self._values(state.values, moment))

    def _values(self, values: NDArray[Any], moment: bytes) -> NDArray[Any]:
        sites = sites_of(values, self.block)
        rule = self.rule
        if rule.rule == "decimation":
            return sites[0]
        if rule.rule == "average":
            total = reduce(np.add, sites[1:], sites[0].astype(float))
            averages: NDArray[np.float64] = total / float(len(sites)) ** rule.exponent
            return averages
        if rule.rule == "direction":
            directions: NDArray[np.float64] = np.arctan2(
                reduce(np.add, map(np.sin, sites)), reduce(np.add, map(np.cos, sites))
            )
            return directions
        random = generator_of(rule.seed, self.shape, moment)
        two = bool((np.abs(values) == 1).all())
        if rule.rule == "kadanoff":
            if not two:
                raise RegrainError(
                    "kadanoff is for spins -1 and 1, and there are others; take rule 'majority'"
                )
            return self._kadanoff(sites, random)
        return self._of_two(sites, random) if two else self._plural(sites, random)

    def _kadanoff(self, sites: list[NDArray[Any]], random: np.random.Generator) -> NDArray[np.int8]:
        assert self.rule.strength is not None
        total = reduce(np.add, sites[1:], sites[0].astype(float))
        up = random.random(total.shape) < 0.5 * (1 + np.tanh(self.rule.strength * total))
        return np.where(up, 1, -1).astype(np.int8)

    def _of_two(self, sites: list[NDArray[Any]], random: np.random.Generator) -> NDArray[np.int8]:
        """The majority of spins -1 and 1; coins are bits, in the order of blocks."""
        total = reduce(np.add, sites[1:], sites[0].astype(np.int32))
        if self.rule.ties == "first":
            tied = sites[0] > 0
        elif self.rule.ties == "random":
            bits = np.unpackbits(_coins(random, total.size), count=total.size, bitorder="little")
            tied = bits.reshape(total.shape) > 0
        else:
            tied = np.full(total.shape, self.rule.ties == "up")
        return np.where((total > 0) | ((total == 0) & tied), 1, -1).astype(np.int8)

    def _plural(self, sites: list[NDArray[Any]], random: np.random.Generator) -> NDArray[np.int8]:
        """The most frequent of any states."""
        known = reduce(np.union1d, sites)
        counts = np.zeros((len(known), *sites[0].shape), np.int32)
        for site in sites:
            for count, value in zip(counts, known, strict=True):
                count += site == value
        tied = counts == counts.max(axis=0)
        ties = self.rule.ties
        if ties == "first":
            chosen = np.zeros(sites[0].shape, np.intp)
            for site in reversed(sites):
                index = np.searchsorted(known, site)
                here = np.take_along_axis(tied, index[None], axis=0)[0]
                chosen = np.where(here, index, chosen)
        else:
            rank = tied.cumsum(axis=0)
            if ties == "random":
                draws = random.integers(0, 2**32, size=sites[0].shape, dtype=np.uint64)
                wanted = 1 + ((draws * rank[-1].astype(np.uint64)) >> np.uint64(32)).astype(int)
            else:
                wanted = rank[-1] if ties == "up" else np.ones_like(rank[-1])
            chosen = (tied & (rank == wanted)).argmax(axis=0)
        return known[chosen].astype(np.int8)

    @property
    def by_words(self) -> bool:
        """Whether bits of spins need not be unpacked: 2 x 2 blocks of rows of whole words."""
        known = self.rule.rule in ("majority", "decimation")
        return known and self.block == (2, 2) and self.shape[-1] % 64 == 0

    def bits(self, fine: NDArray[np.uint8], moment: bytes) -> NDArray[np.uint8]:
        """The same for the bits of one frame, 64 spins at a time, with the same coins."""
        rows = np.ascontiguousarray(fine).view("<u8").reshape(-1, 2, self.shape[-1] // 64)
        a, c = rows[:, 0], rows[:, 1]
        if self.rule.rule == "decimation":
            return _even_bits(a).view(np.uint8).reshape(-1)
        b, d = a >> _ONE, c >> _ONE
        both, other = a & b, c & d
        any_, some = a | b, c | d
        above = _even_bits((both & some) | (other & any_))  # three or four are up
        least = _even_bits(both | other | (any_ & some))  # two or more are
        ties = self.rule.ties
        if ties == "down":
            up = above
        elif ties == "up":
            up = least
        elif ties == "first":
            up = above | (least & _even_bits(a))
        else:
            random = generator_of(self.rule.seed, self.shape, moment)
            coins = _coins(random, 32 * least.size).view("<u4")[: least.size]
            up = above | (least & coins.reshape(least.shape))
        return up.view(np.uint8).reshape(-1)


_ONE = np.uint64(1)
_FOLDS = [
    (np.uint64(shift), np.uint64(mask))
    for shift, mask in (
        (1, 0x3333333333333333),
        (2, 0x0F0F0F0F0F0F0F0F),
        (4, 0x00FF00FF00FF00FF),
        (8, 0x0000FFFF0000FFFF),
        (16, 0x00000000FFFFFFFF),
    )
]


def _even_bits(words: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Bits 0, 2, 4 ... of each word, side by side."""
    x = words & np.uint64(0x5555555555555555)
    for shift, mask in _FOLDS:
        x |= x >> shift
        x &= mask
    return x.astype("<u4")


def _edges(lengths: Sequence[int]) -> str:
    return " x ".join(map(str, lengths))


class BlockFrames(Sequence[Spins]):
    """Frames blocked when they are read, each with the random numbers of its time.

    Parameters
    ----------
    frames : sequence of Spins
        The fine frames.
    times : ndarray, shape (n_frames,)
        Theirs.
    bound : BoundBlocks
        What is done with each.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.lattice import Spins
    >>> from regrain.maps import BlockSpin
    >>> from regrain.maps.blocks import BlockFrames, BoundBlocks
    >>> fine = Spins(np.array([1, 1, -1, -1, 1, -1], np.int8))
    >>> frames = BlockFrames([fine], np.zeros(1), BoundBlocks(BlockSpin(b=3), fine))
    >>> frames.stacked("values").tolist()
    [[1, -1]]
    """

    def __init__(
        self, frames: Sequence[Spins], times: NDArray[np.float64], bound: BoundBlocks
    ) -> None:
        self.frames, self.times, self.bound = frames, times, bound

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, i: Any) -> Any:
        state = self.frames[int(i)]
        try:
            return self.bound.at(state, self._moment(int(i)))
        except RegrainError as error:
            raise type(error)(f"frame {int(i) % len(self)}: {error}") from error

    def _moment(self, i: int) -> bytes:
        return np.float64(self.times[i] + 0.0).tobytes()

    def stacked(self, name: str, chosen: Any = slice(None)) -> NDArray[Any]:
        """The values of all (or some) frames in one array; see ``Trace.stacked``."""
        if name != "values":
            raise RegrainError(f"spins have no array {name!r}, only 'values'")
        return np.stack([self[i].values for i in np.arange(len(self))[chosen]])

    def kept(self) -> SpinFrames:
        """All of them, blocked now; as bits where the fine ones are."""
        like, fine = self[0], self.frames
        if isinstance(fine, SpinFrames) and fine.bits is not None and self.bound.by_words:
            bits = [self.bound.bits(row, self._moment(i)) for i, row in enumerate(fine.bits)]
            return SpinFrames.of_bits(np.stack(bits), like)
        return SpinFrames(self.stacked("values"), like)
