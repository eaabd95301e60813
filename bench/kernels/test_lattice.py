"""How long sweeps of spins take, by model and method."""

from typing import Any

import pytest

from regrain.lattice import XY, BlumeCapel, Clock, Ising, LatticeModel, Potts
from regrain.lattice.samplers import make_sampler

SEVERAL = {"nn": 0.3, "nnn": 0.05, "third": 0.02, "plaquette": 0.05, "field": 0.01}
SWEEPS: dict[str, tuple[LatticeModel, str]] = {
    "bits, square": (Ising((1024, 1024), couplings={"nn": 0.44}), "metropolis"),
    "bits, square, heat bath": (Ising((1024, 1024), couplings={"nn": 0.44}), "heat bath"),
    "bits, cubic": (Ising((64, 64, 64), couplings={"nn": 0.2216}), "metropolis"),
    "Ising, five couplings": (Ising((512, 512), couplings=SEVERAL), "metropolis"),
    "Ising, five couplings, small": (Ising((64, 64), couplings=SEVERAL), "metropolis"),
    "Blume-Capel": (BlumeCapel((512, 512), couplings={"nn": 1.0, "crystal": -1.9}), "metropolis"),
    "Potts": (Potts((512, 512), q=3, couplings={"nn": 1.0}), "metropolis"),
    "Potts, heat bath": (Potts((256, 256), q=3, couplings={"nn": 1.0}), "heat bath"),
    "clock, heat bath": (Clock((256, 256), q=6, couplings={"nn": 1.0}), "heat bath"),
    "XY": (XY((256, 256), couplings={"nn": 1.0}), "metropolis"),
    "XY, heat bath": (XY((256, 256), couplings={"nn": 1.0}), "heat bath"),
    "Swendsen-Wang": (Ising((1024, 1024), couplings={"nn": 0.44}), "swendsen-wang"),
    "Swendsen-Wang, Potts": (Potts((512, 512), q=3, couplings={"nn": 1.0}), "swendsen-wang"),
    "Wolff": (Ising((512, 512), couplings={"nn": 0.44}), "wolff"),
    "Kawasaki": (Ising((256, 256), couplings={"nn": 0.44}), "kawasaki"),
}


@pytest.mark.parametrize("name", SWEEPS)
def test_sweep(benchmark: Any, name: str) -> None:
    model, method = SWEEPS[name]
    _, sampler = make_sampler(model, method, seed=1, replicas=1)
    sampler.assign(model.start().values, sweep=0)
    sampler.run(50 if method == "wolff" else 5)
    benchmark(sampler.run, 1)
    benchmark.extra_info["sites"] = model.size
