"""One step of each scheme, at the bond where its contractions and decompositions dominate."""

import numpy as np
import pytest

from regrain.fits import HOTRG, TRG, LoopTNR
from regrain.fits.tensor_networks.network import normalised

BOND = {TRG: 24, HOTRG: 24, LoopTNR: 12}


@pytest.mark.parametrize("scheme", list(BOND))
def test_step(benchmark, scheme) -> None:
    bond = BOND[scheme]
    # A positive tensor with singular values that fall like those of a critical one.
    legs = np.exp(-0.3 * np.arange(bond))
    tensor = np.random.default_rng(1).random((bond,) * 4)
    for axis in range(4):
        tensor *= legs.reshape([-1 if k == axis else 1 for k in range(4)])
    network = normalised(
        [tensor[None]] * scheme.sublattices, np.zeros(1), np.eye(2, dtype=int), 0.0
    )
    benchmark(scheme(bond=bond)._coarse, network)


def test_step_in_three_dimensions(benchmark) -> None:
    tensor = np.random.default_rng(1).random((6,) * 6)
    network = normalised([tensor[None]], np.zeros(1), np.eye(3, dtype=int), 0.0)
    benchmark(HOTRG(bond=6)._coarse, network)
