"""Fibres of block spins: the fine blocks that may stand behind a coarse spin, and draws of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from regrain.errors import RegrainError

if TYPE_CHECKING:
    from regrain.maps.block_spin import BlockSpin

__all__ = ["Fibres"]

_MOST_COUNTS = 1_000_000


@dataclass(frozen=True)
class Fibres:
    """Blocks of n sites whose coarse spin depends on how many sites have which state.

    Parameters
    ----------
    rule : BlockSpin
        With the rule "majority", "kadanoff" or "average".
    n : int
        Sites of a block.
    states : tuple of int
        The states of a fine spin, in order.

    Raises
    ------
    RegrainError
        More than a million ways to spread the sites over the states.

    Examples
    --------
    >>> from regrain.maps import BlockSpin
    >>> from regrain.maps.fibres import Fibres
    >>> fibres = Fibres(BlockSpin(b=3), 3, (-1, 1))  # three of four blocks that are not all up
    >>> {value: round(entropy / 0.6931472, 3) for value, entropy in fibres.entropies().items()}
    {-1: 2.0, 1: 2.0}
    """

    rule: BlockSpin
    n: int
    states: tuple[int, ...]

    def __post_init__(self) -> None:
        ways = comb(self.n + len(self.states) - 1, len(self.states) - 1)
        if ways > _MOST_COUNTS:
            raise RegrainError(
                f"blocks of {self.n} sites with {len(self.states)} states have {ways} "
                f"compositions, expected at most {_MOST_COUNTS}; take smaller blocks"
            )

    def counts(self) -> NDArray[np.int64]:
        """Sites in each state, for all compositions of a block; shape (n_compositions, q)."""
        found = np.zeros((1, 0), np.int64)
        for _ in self.states[1:]:
            left = self.n - found.sum(axis=1)
            parts = [np.column_stack([found[left >= k], np.full((left >= k).sum(), k)])
                     for k in range(self.n + 1)]  # fmt: skip
            found = np.concatenate(parts)
        return np.column_stack([found, self.n - found.sum(axis=1)])

    def laws(self) -> dict[float, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """For each coarse value: the log of the number of blocks of each composition, and the
        chance that such a block has this value."""
        counts = self.counts()
        ways = gammaln(self.n + 1) - gammaln(counts + 1).sum(axis=1)
        states = np.array(self.states)
        if self.rule.rule == "average":
            totals = counts @ states
            scale = float(self.n) ** self.rule.exponent
            return {
                float(t / scale): (ways, (totals == t).astype(float)) for t in np.unique(totals)
            }
        if self.rule.rule == "kadanoff":
            assert self.rule.strength is not None
            up = 0.5 * (1 + np.tanh(self.rule.strength * (counts @ states)))
            return {-1: (ways, 1 - up), 1: (ways, up)}
        tied = counts == counts.max(axis=1, keepdims=True)
        if self.rule.ties in ("up", "down"):
            last = self.rule.ties == "up"
            only = tied[:, ::-1].argmax(axis=1) if last else tied.argmax(axis=1)
            tied = np.arange(len(states)) == (len(states) - 1 - only if last else only)[:, None]
        share = tied / tied.sum(axis=1, keepdims=True)
        return {int(s): (ways, share[:, k]) for k, s in enumerate(states)}

    def entropies(self) -> dict[float, float]:
        """Entropy in nats of a block given its coarse value, all fine blocks being alike."""
        return {value: self._entropy(*law) for value, law in self.laws().items()}

    def _entropy(self, ways: NDArray[np.float64], chance: NDArray[np.float64]) -> float:
        weights, log_total = _normal(ways, chance)
        if self.rule.rule == "majority" and self.rule.ties == "first":
            return log_total  # a share of the blocks of a composition, each for sure
        some = weights > 0
        return log_total - float(weights[some] @ np.log(chance[some]))

    def draw(self, coarse: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.int64]:
        """Blocks drawn from the fibres of coarse values; shape (n_blocks, n).

        Raises
        ------
        RegrainError
            A value that no block has.
        """
        laws, counts, states = self.laws(), self.counts(), np.array(self.states)
        known = np.array(sorted(laws))
        above = np.searchsorted(known, coarse).clip(1, len(known) - 1)
        nearest = above - (coarse - known[above - 1] < known[above] - coarse)
        far = np.abs(coarse - known[nearest]) > 1e-9 * np.maximum(1, np.abs(known[nearest]))
        if far.any():
            raise RegrainError(
                f"no block of {self.n} spins out of {self.states} has the coarse value "
                f"{coarse[far][0]:g}"
            )
        blocks = np.zeros((len(coarse), self.n), np.int64)
        for k, value in enumerate(known):
            here = np.flatnonzero(nearest == k)
            ways, chance = laws[value]
            weights, _ = _normal(ways, chance)
            which = random.choice(len(weights), size=len(here), p=weights)
            ends = counts[which].cumsum(axis=1)
            sorted_ = (np.arange(self.n)[:, None] >= ends[:, None, :]).sum(axis=-1)
            drawn = random.permuted(sorted_, axis=1)
            if self.rule.rule == "majority" and self.rule.ties == "first":
                drawn = self._led_by(drawn, counts[which], int(np.searchsorted(states, value)))
            blocks[here] = states[drawn]
        return blocks

    def _led_by(
        self, drawn: NDArray[np.int64], counts: NDArray[np.int64], state: int
    ) -> NDArray[np.int64]:
        """Of states that tie, the first is swapped with the one that must lead: one to one."""
        tied = counts == counts.max(axis=1, keepdims=True)
        first = np.take_along_axis(tied, drawn, axis=1).argmax(axis=1)
        leader = drawn[np.arange(len(drawn)), first][:, None]
        return np.where(drawn == leader, state, np.where(drawn == state, leader, drawn))


def _normal(
    ways: NDArray[np.float64], chance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """The law of compositions, and the log of its sum before; large blocks have 2^n ways."""
    top = ways[chance > 0].max()
    weights = np.where(chance > 0, np.exp(np.minimum(ways - top, 0.0)) * chance, 0.0)
    total = weights.sum()
    return weights / total, float(np.log(total) + top)
