"""How long block spins of a frame take: 1024 x 1024 Ising spins, as bits and one by one."""

from typing import Any

import numpy as np
import pytest

from regrain.lattice import SpinFrames, Spins
from regrain.maps import BlockSpin

EDGE = 1024
RULES = {
    "coins": BlockSpin(b=2),
    "up": BlockSpin(b=2, ties="up"),
    "decimation": BlockSpin(b=2, rule="decimation"),
}


def spins() -> Spins:
    """Free ones."""
    return Spins(np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (EDGE, EDGE)))


@pytest.mark.parametrize("rule", RULES)
def test_bits(benchmark: Any, rule: str) -> None:
    state = spins()
    bits = SpinFrames(state.values[None], state).bits
    assert bits is not None
    benchmark(RULES[rule].bind(state).bits, bits[0], b"0")


@pytest.mark.parametrize("b", [2, 4])
def test_single_spins(benchmark: Any, b: int) -> None:
    state = spins()
    benchmark(BlockSpin(b=b).bind(state), state)
