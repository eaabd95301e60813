"""Chains of spins as Markov chains: entropies, and what blocks of spins remember."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import asinh, exp, log, sinh
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError

__all__ = ["BlockProcess", "entropy_rate", "ising_markov", "markov", "relative_entropy_rate"]

Floats = NDArray[np.float64]


def markov(energy: Floats, vector: Floats) -> tuple[Floats, Floats]:
    """The infinite chain of a symmetric transfer matrix as a Markov chain.

    Parameters
    ----------
    energy : ndarray, shape (q, q)
        Logarithm of the transfer matrix, fields shared by both ends.
    vector : ndarray, shape (q,)
        Its dominant eigenvector, of any length; ones where all spins are alike.

    Returns
    -------
    ndarray, shape (q, q)
        The probability to go from the row to the column.
    ndarray, shape (q,)
        Of each spin.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.markov import markov
    >>> step, law = markov(np.array([[1.0, -1.0], [-1.0, 1.0]]), np.ones(2))
    >>> law.tolist(), round(float(step[0, 0] - step[0, 1]), 6), round(float(np.tanh(1.0)), 6)
    ([0.5, 0.5], 0.761594, 0.761594)
    """
    step = np.exp(energy - energy.max()) * vector / vector[:, None]
    return step / step.sum(axis=1, keepdims=True), vector**2 / np.sum(vector**2)


def ising_markov(k: float, h: float) -> tuple[Floats, Floats]:
    """An infinite Ising chain as a Markov chain, up first; see `markov`.

    Raises
    ------
    RegrainError
        Couplings beyond 150, where probabilities are too small for floats.

    Examples
    --------
    >>> from regrain.fits.renormalization.markov import ising_markov
    >>> ising_markov(0.0, 0.0)[0].tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    if not (abs(k) <= 150 and abs(h) <= 150):
        raise RegrainError(
            f"nn = {k:g} and field = {h:g}: beyond 150 one configuration has all the weight, and "
            "there is nothing to lose; give weaker couplings"
        )
    # The ratio of its components, [sinh h + √(sinh² h + e^-4K)] e^2K, keeps its digits so.
    half = 0.5 * asinh(sinh(h) * exp(2 * k))
    return markov(np.array([[k + h, -k], [-k, k - h]]), np.exp([half, -half]))


def entropy_rate(step: Floats, law: Floats) -> float:
    """Entropy per spin of a Markov chain, in nats.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.markov import entropy_rate
    >>> entropy_rate(np.full((2, 2), 0.5), np.full(2, 0.5))  # ln 2
    0.693147...
    """
    return float(-np.sum(law[:, None] * _xlogx(step)))


def relative_entropy_rate(step: Floats, law: Floats, other: Floats) -> float:
    """Relative entropy per spin of a Markov chain and another one, in nats.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.renormalization.markov import relative_entropy_rate
    >>> half = np.full((2, 2), 0.5)
    >>> relative_entropy_rate(half, np.full(2, 0.5), half)
    0.0
    """
    ratio = np.where(step > 0, np.log(np.maximum(step, 1e-300)) - np.log(other), 0.0)
    return max(float(np.sum(law[:, None] * step * ratio)), 0.0)


def _xlogx(p: Floats) -> Floats:
    return np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0)), 0.0)


@dataclass(frozen=True)
class BlockProcess:
    """Blocks of b spins of an infinite Ising chain, each with one spin of its own.

    Block spins are a hidden Markov process: they remember further back than their neighbour. How
    far is bounded on both sides, H(Y_n | Y_1 … Y_n-1, s_0) <= h <= H(Y_n | Y_1 … Y_n-1), where
    s_0 is the fine spin before the first block (T. M. Cover and J. A. Thomas, Elements of
    Information Theory, section 4.5); both are sums over all sequences, n is raised until they meet.

    Parameters
    ----------
    k, field : float
        Reduced couplings of the fine chain.
    b : int
        Spins in a block.
    rule : {"majority", "decimation"}
        Majority, where a tie of an even block is decided by a coin, or the last spin of the block.

    Raises
    ------
    RegrainError
        A block of fewer than 2 spins, an unknown rule.

    Examples
    --------
    >>> from regrain.fits.renormalization.markov import BlockProcess
    >>> blocks = BlockProcess(1.0, 0.0, 3, "majority")
    >>> f"{blocks.closure_loss[0]:.5e}"  # nats per block
    '2.15346e-04'
    """

    k: float
    field: float
    b: int
    rule: Literal["majority", "decimation"] = "majority"
    #: The longest sequences are 2 to this power.
    longest: int = 16

    def __post_init__(self) -> None:
        if self.rule not in ("majority", "decimation"):
            raise RegrainError(f"rule is {self.rule!r}; give 'majority' or 'decimation'")
        if int(self.b) != self.b or self.b < 2:
            raise RegrainError(f"b is {self.b}; a block has 2 spins or more, and a whole number")

    @cached_property
    def fine(self) -> tuple[Floats, Floats]:
        """Transition probabilities and law of the fine spins, up first."""
        return ising_markov(self.k, self.field)

    @cached_property
    def _paths(self) -> Floats:
        """Probabilities of the last spin of a block, given the spin before it.

        By the number of its spins that are up, shape (b + 1, 2, 2).
        """
        step, b = self.fine[0], int(self.b)
        paths = np.zeros((b + 1, 2, 2))
        paths[0] = np.eye(2)
        for _ in range(b):
            after = np.zeros_like(paths)
            after[1:, :, 0] = paths[:-1] @ step[:, 0]
            after[:, :, 1] = paths @ step[:, 1]
            paths = after
        return paths

    @cached_property
    def operators(self) -> Floats:
        """Probabilities of the last fine spin and the block spin, given the fine spin before.

        Shape (2, 2, 2): block spin, spin before, last spin; up first.
        """
        paths = self._paths
        if self.rule == "decimation":
            last = paths.sum(axis=0)
            return np.stack([last * [1.0, 0.0], last * [0.0, 1.0]])
        up = 2 * np.arange(len(paths)) - int(self.b)
        share = np.where(up > 0, 1.0, np.where(up == 0, 0.5, 0.0))
        return np.stack([np.tensordot(s, paths, axes=1) for s in (share, 1 - share)])

    @cached_property
    def pairs(self) -> Floats:
        """Joint law of two neighbouring block spins, shape (2, 2), up first."""
        law, ops = self.fine[1], self.operators
        return np.asarray(np.einsum("s,ast,btu->ab", law, ops, ops))

    @cached_property
    def entropy_bounds(self) -> tuple[float, float]:
        """Lower and upper bound of the entropy per block spin, in nats."""
        law, ops = self.fine[1], self.operators
        # Joint probabilities of the first fine spin, the sequence, and the last fine spin.
        joint = np.diag(law)[:, None, :]
        before, low, high = (_entropy(law), 0.0), 0.0, log(2.0)
        for n in range(1, self.longest + 1):
            joint = np.einsum("isx,axy->isay", joint, ops).reshape(2, -1, 2)
            known = joint.sum(axis=2)
            now = (_entropy(known), _entropy(known.sum(axis=0)))
            # The first entry of before is that of the sequence with s_0, the second without.
            low = now[0] - before[0]
            high = now[1] - (before[1] if n > 1 else 0.0)
            before = now
            if high - low < 1e-15:
                break
        return min(low, high), max(low, high)

    @property
    def closure_loss(self) -> tuple[float, float]:
        """Relative entropy per block of the block spins and the chain with their pairs; its error.

        Of all chains with couplings of nearest neighbours and a field the one with the same law of
        pairs is closest; what is lost is H(Y_2 | Y_1) - h. The error is half of what h may be off.
        """
        single = self.pairs.sum(axis=1)
        of_pairs = _entropy(self.pairs) - _entropy(single)
        low, high = self.entropy_bounds
        rounding = 4e-15
        return max(of_pairs - 0.5 * (low + high), 0.0), 0.5 * (high - low) + rounding

    @property
    def resolution_loss(self) -> float:
        """Entropy of the fine spins given the block spins, per fine spin."""
        low, high = self.entropy_bounds
        coarse = 0.5 * (low + high)
        if self.rule == "majority" and self.b % 2 == 0:
            # A coin is no part of the fine spins: H(X|Y) = H(X) + H(Y|X) - H(Y).
            coarse -= float(np.sum(self.fine[1] @ self._paths[int(self.b) // 2])) * log(2.0)
        return max(entropy_rate(*self.fine) - coarse / self.b, 0.0)

    @property
    def couplings(self) -> tuple[float, float]:
        """K' and h' of the Ising chain with the same law of pairs."""
        p = self.pairs
        single = p.sum(axis=1)
        across = log(p[0, 1]) + log(p[1, 0])
        k = 0.25 * (log(p[0, 0]) + log(p[1, 1]) - across)
        h = 0.5 * (log(p[0, 0]) - log(p[1, 1]) - log(single[0]) + log(single[1]))
        return k, h


def _entropy(p: Floats) -> float:
    return float(-np.sum(_xlogx(p)))
