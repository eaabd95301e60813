"""Chains: every b-th spin kept, exactly, or blocks of b spins, with what their neighbours know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from regrain.errors import RegrainError
from regrain.fits.renormalization.bonds import (
    clock_series,
    ising_series_in_field,
    potts_series,
)
from regrain.fits.renormalization.chart import Chart
from regrain.fits.renormalization.flow import Flow
from regrain.fits.renormalization.markov import (
    BlockProcess,
    entropy_rate,
    ising_markov,
    markov,
    relative_entropy_rate,
)
from regrain.fits.renormalization.result import Renormalized, given, smaller, stepped
from regrain.lattice import LatticeModel
from regrain.observables import Estimate

__all__ = ["BlockChain", "Decimation"]

Floats = NDArray[np.float64]

NELSON = "D. R. Nelson and M. E. Fisher, Ann. Phys. 91, 226 (1975)"
KINDS = {"Ising": ("nn", "field"), "Potts": ("nn",), "Clock": ("nn",)}


def _block(b: Any, fit: str) -> int:
    if not (np.isfinite(b) and int(b) == b and b >= 2):
        raise RegrainError(f"{fit}: b is {b}; give how many spins become one, 2 or more, and whole")
    return int(b)


def loss(name: str, value: float, error: float = 0.0, *, method: str, cite: str = "") -> Estimate:
    """A loss in nats that is known exactly, or to an error that is bounded.

    Examples
    --------
    >>> from regrain.fits.renormalization.decimation import loss
    >>> loss("closure", 2.2e-4, method="transfer matrices")
    closure = 0.00022 ± 0 nats per coarse spin (exact)
    """
    per = "fine" if name == "resolution" else "coarse"
    return Estimate(
        name,
        value,
        error,
        unit=f"nats per {per} spin",
        kind="exact",
        tier="T0",
        method=method,
        cite=cite,
    )


@dataclass(frozen=True, kw_only=True)
class Decimation:
    """Exact decimation of a chain: of b spins one is kept, the others are summed.

    Ising chains with "nn" and "field" (tanh K' = tanh^b K without a field), Potts chains, clocks.
    The constant that comes out of a step is kept, so that the free energy is the sum of all.

    Parameters
    ----------
    b : int
        How many spins become one.

    Raises
    ------
    RegrainError
        b below 2 or not whole; on calling, another model or lattice, or other couplings.

    Loses / Assumes
    ---------------
    Of the law of the kept spins nothing: ``lost["closure"]`` is zero, the free energy is exact.
    What is lost is the entropy of the summed spins given the kept ones, ``lost["resolution"]``.
    Clocks of five or more hands do not stay within cos θ: the flow has all harmonics, the coarse
    model the first one alone, of the same mean, and "closure" says what that costs. Losses are
    those of an infinite chain.

    References
    ----------
    D. R. Nelson and M. E. Fisher, Ann. Phys. 91, 226 (1975).

    Examples
    --------
    >>> import regrain as rg
    >>> chain = rg.lattice.Ising(shape=(90,), couplings={"nn": 1.0})
    >>> result = rg.fits.Decimation(b=3)(chain)
    >>> result.couplings["nn"], float(np.arctanh(np.tanh(1.0) ** 3))
    (0.47439..., 0.47439...)
    >>> -result.flow.free_energy(1.0), float(np.log(2 * np.cosh(1.0)))
    (1.12692..., 1.12692...)
    """

    b: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "b", _block(self.b, "Decimation"))

    def flow(
        self, *, states: int | None = None, hands: int | None = None, field: bool = False
    ) -> Flow:
        """The flow of the Ising chain, or of one of Potts or clocks.

        Parameters
        ----------
        states : int, optional
            q of a Potts chain.
        hands : int, optional
            q of a chain of clocks.
        field : bool
            Whether the Ising chain has a field.

        Raises
        ------
        RegrainError
            More than one of these, or fewer than two states.

        Examples
        --------
        >>> import regrain as rg
        >>> print(rg.fits.Decimation(b=2).flow(field=True))
        decimation of a chain (b = 2) of nn, field
        fixed point nn = 0, field = 0 (one of a line)
          λ          1  y         0  marginal    along field
          λ          0  y      -inf  irrelevant  along nn
        fixed point nn = inf, field = 0
          λ          2  y         1  relevant    along exp(-2 nn)
          λ          2  y         1  relevant    along field
        """
        if (states is not None) + (hands is not None) + field > 1:
            raise RegrainError(
                "Decimation: give the states of a Potts chain, or the hands of clocks, or the "
                "field of an Ising chain"
            )
        for name, q in (("states", states), ("hands", hands)):
            if q is not None and (int(q) != q or q < 2):
                raise RegrainError(f"Decimation: {name} is {q}; give 2 or more")
        if states is not None:
            return _potts_flow(self.b, int(states))
        return _ising_flow(self.b, field) if hands is None else _clock_flow(self.b, int(hands))

    def __call__(self, model: LatticeModel) -> Renormalized:
        """Decimate a chain.

        Parameters
        ----------
        model : Ising, Potts or Clock
            On a periodic chain; with "nn", and of Ising spins with "field".

        Raises
        ------
        RegrainError
            Another model or lattice, or other couplings.
        """
        before = given("Decimation", model, kinds=KINDS, lattices=("chain",))
        kind = type(model).__name__
        q = int(getattr(model, "q", 2))
        flow = self.flow(
            states=q if kind == "Potts" else None,
            hands=q if kind == "Clock" else None,
            field="field" in before,
        )
        step, law = _chain(kind, q, flow.array(before))
        coarse = np.linalg.matrix_power(step, self.b)
        closure, nearest = 0.0, None
        if kind == "Clock" and q > 4:
            nearest = {"nn": _same_mean(q, coarse)}
            other = _chain("Clock", q, np.array([nearest["nn"]]))[0]
            closure = relative_entropy_rate(coarse, law, other)
        resolution = entropy_rate(step, law) - entropy_rate(coarse, law) / self.b
        transfer = "transfer matrix"
        return stepped(
            model,
            flow,
            before,
            lost={
                "resolution": loss("resolution", max(resolution, 0.0), method=transfer),
                "closure": loss("closure", closure, method=transfer, cite=NELSON),
            },
            make=lambda couplings: smaller(model, self.b, nearest or _of(kind, couplings)),
        )


def _of(kind: str, couplings: dict[str, float]) -> dict[str, float]:
    """The couplings that a model knows."""
    return {name: k for name, k in couplings.items() if name in KINDS[kind]}


def _chain(kind: str, q: int, k: Floats) -> tuple[Floats, Floats]:
    """The infinite chain as a Markov chain."""
    if kind == "Ising":
        return ising_markov(float(k[0]), float(k[1]) if len(k) > 1 else 0.0)
    energy = np.diag(np.full(q, k[0]))
    if kind == "Clock":
        apart = np.subtract.outer(np.arange(q), np.arange(q))
        energy = np.zeros((q, q))
        for m, strength in enumerate(k, start=1):
            energy += strength * np.cos(2 * np.pi * m * apart / q)
    return markov(energy, np.ones(q))


def _same_mean(q: int, step: Floats) -> float:
    """The coupling of cos θ alone that gives neighbouring clocks the mean cosine of a chain."""
    cosine = np.cos(2 * np.pi * np.arange(q) / q)
    wanted = float(step[0] @ cosine)

    def off(k: float) -> float:
        weight = np.exp(k * (cosine - 1)) if k > 0 else np.exp(k * (cosine + 1))
        return float(weight @ cosine / weight.sum() - wanted)

    ends = (-300.0, 300.0)  # as cold as a mean cosine can tell
    if off(ends[0]) * off(ends[1]) >= 0:
        return ends[0] if wanted < 0 else ends[1]
    return float(brentq(off, *ends, xtol=1e-14))


def _ising_flow(b: int, field: bool) -> Flow:
    # Both bonds of a spin carry half of its field.
    def end(k: Floats) -> float:
        return float(k[1]) / 2 if field else 0.0

    def step(k: Floats) -> Floats:
        after, half, _ = ising_series_in_field(float(k[0]), end(k), b)
        return np.array([after, 2 * half] if field else [after])

    def constant(k: Floats) -> float:
        return ising_series_in_field(float(k[0]), end(k), b)[2] / b

    return Flow(
        step,
        names=("nn", "field") if field else ("nn",),
        b=float(b),
        bounds={"nn": (-3.0 if b % 2 else 0.0, 3.0), "field": (-2.0, 2.0)},
        charts={"nn": Chart.exponential(2)},
        constant=constant,
        dimension=1.0,
        title="decimation of a chain",
    )


def _potts_flow(b: int, q: int) -> Flow:
    return Flow(
        lambda k: np.array([potts_series(k[0], q, b)[0]]),
        names=("nn",),
        b=float(b),
        bounds={"nn": (-3.0 if b % 2 else 0.0, 5.0)},
        charts={"nn": Chart.exponential(1)},
        constant=lambda k: potts_series(k[0], q, b)[1] / b,
        dimension=1.0,
        title=f"decimation of a {q}-state Potts chain",
    )


def _clock_flow(b: int, q: int) -> Flow:
    names = ("nn", *(f"cos {m}" for m in range(2, q // 2 + 1)))
    return Flow(
        lambda k: clock_series(k, q, b)[0],
        names=names,
        b=float(b),
        bounds=dict.fromkeys(names, (-2.0, 2.0)),
        constant=lambda k: clock_series(k, q, b)[1] / b,
        dimension=1.0,
        title=f"decimation of a chain of {q}-state clocks",
    )


@dataclass(frozen=True, kw_only=True)
class BlockChain:
    """Blocks of an Ising chain by majority, closed with couplings of nearest neighbours.

    Block spins are no Markov chain; of all chains with "nn" and "field" the coarse model is the
    closest (in relative entropy), which is the one with the same law of neighbouring pairs.

    Parameters
    ----------
    b : int
        Spins in a block.
    rule : {"majority", "decimation"}
        Majority, with a coin for ties, or the last spin of the block, for which all is exact.

    Raises
    ------
    RegrainError
        b below 2 or not whole, an unknown rule; on calling, another model or lattice.

    Loses / Assumes
    ---------------
    ``lost["closure"]``: the relative entropy per block spin between the true law of block spins,
    a hidden Markov process, and the coarse model; between bounds that meet. ``lost["resolution"]``:
    the entropy of fine spins given the block spins. Both are those of an infinite chain.

    Examples
    --------
    >>> import regrain as rg
    >>> chain = rg.lattice.Ising(shape=(90,), couplings={"nn": 1.0})
    >>> result = rg.fits.BlockChain(b=3)(chain)
    >>> print(result)
    blocks of a chain by majority, b = 3
      nn  1 -> 0.516929
    lost: resolution 0.173577 nats per fine spin, closure 0.000215346 nats per coarse spin
    """

    b: int = 3
    rule: Literal["majority", "decimation"] = "majority"

    def __post_init__(self) -> None:
        object.__setattr__(self, "b", _block(self.b, "BlockChain"))
        BlockProcess(0.0, 0.0, self.b, self.rule)

    def flow(self, *, field: bool = False) -> Flow:
        """The flow of the closed step.

        Parameters
        ----------
        field : bool
            Whether the chain has a field.

        Examples
        --------
        >>> import regrain as rg
        >>> round(rg.fits.BlockChain(b=3).flow().step(1.0), 6)
        0.516929
        """

        def step(k: Floats) -> Floats:
            process = BlockProcess(float(k[0]), float(k[1]) if field else 0.0, self.b, self.rule)
            return np.array(process.couplings)[: len(k)]

        return Flow(
            step,
            names=("nn", "field") if field else ("nn",),
            b=float(self.b),
            bounds={"nn": (0.0, 3.0), "field": (-2.0, 2.0)},
            charts={"nn": Chart.exponential(2)},
            title=f"blocks of a chain by {self.rule}",
        )

    def __call__(self, model: LatticeModel) -> Renormalized:
        """Block a chain.

        Parameters
        ----------
        model : Ising
            On a periodic chain, with "nn" and "field".

        Raises
        ------
        RegrainError
            Another model or lattice, or other couplings.
        """
        before = given("BlockChain", model, kinds={"Ising": ("nn", "field")}, lattices=("chain",))
        flow = self.flow(field="field" in before)
        process = BlockProcess(before.get("nn", 0.0), before.get("field", 0.0), self.b, self.rule)
        method = "bounds of the entropy of a hidden Markov process"
        return stepped(
            model,
            flow,
            before,
            lost={
                "resolution": loss("resolution", process.resolution_loss, method=method),
                "closure": loss("closure", *process.closure_loss, method=method),
            },
            make=lambda couplings: smaller(model, self.b, couplings),
        )
