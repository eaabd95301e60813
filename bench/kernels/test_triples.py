"""How long forces of triples take beside those of pairs."""

import numpy as np
import pytest

from regrain.particles import (
    NVE,
    ForceField,
    Langevin,
    Particles,
    StillingerWeber,
    StillingerWeberPair,
    TableTriple,
    fcc,
)

EPSILON, SIGMA = 6.189 * 4.184, 0.23925  # mW, see bench/versus/stillinger_weber.py
ARMS = {"r_max": 1.8 * SIGMA, "decay": 1.2 * SIGMA}
BEND = StillingerWeber(epsilon=23.15 * EPSILON, theta0=float(np.arccos(-1 / 3)), **ARMS)
FORM = TableTriple(points=361, **ARMS)
PAIRS = {("W", "W"): StillingerWeberPair(epsilon=EPSILON, sigma=SIGMA)}
FIELDS = {
    name: ForceField(PAIRS, triples={("W", "W", "W"): triple}, temperature=298.0, units="md")
    for name, triple in {"cosine": BEND, "table": FORM.with_energy(BEND.f(FORM.grid))}.items()
}


@pytest.fixture(scope="module")
def water() -> Particles:
    """4000 molecules of liquid water."""
    start = fcc(10, density=33.3, type="W", mass=18.015, units="md")
    melting = Langevin(friction=5.0)
    run = FIELDS["cosine"].run
    return run(start, time=5.0, dt=0.01, every=5.0, seed=1, dynamics=melting)[-1]


@pytest.mark.parametrize("name", FIELDS)
def test_hundred_steps(benchmark, water, name):
    run = FIELDS[name].run
    benchmark(run, water, time=0.5, dt=0.005, every=0.5, dynamics=NVE(), skin=0.1)
