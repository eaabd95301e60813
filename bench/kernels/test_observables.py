"""How long one frame takes to measure, and the error bars of a long run."""

import numpy as np
import pytest

from regrain import Trace
from regrain.observables import RDF, Angles, Profile, StructureFactor, Viscosity
from regrain.observables.blocks import mean_with_error
from regrain.particles import Particles

N, EDGE = 2180, 4.031


@pytest.fixture(scope="module")
def beads() -> Particles:
    """As many as there are waters in the example, at their density."""
    rng = np.random.default_rng(1)
    return Particles(rng.random((N, 3)) * EDGE, box=[EDGE] * 3, units="md")


@pytest.mark.parametrize(
    "observable",
    [RDF(r_max=1.0), Angles(r_max=0.37), StructureFactor(q_max=20.0), Profile(bins=50)],
    ids=lambda o: o.name,
)
def test_frame(benchmark, beads, observable):
    plan = observable.prepare(Trace([beads], times=[0.0]))
    benchmark(observable.measure, beads, plan)


def test_green_kubo_of_a_long_run(benchmark, beads):
    tensor = np.random.default_rng(1).normal(size=(20_003, 3, 3))
    smooth = sum(tensor[k : k + 20_000] for k in range(4))  # keeps 3/4 from frame to frame
    log = {"pressure_tensor": smooth, "temperature": np.ones(20_000)}
    trace = Trace([beads] * 20_000, times=np.arange(20_000.0), log=log)
    assert benchmark(Viscosity(), trace).defined


def test_errors_of_a_long_run(benchmark):
    rows = np.random.default_rng(1).normal(size=(5000, 200))
    benchmark(mean_with_error, rows)
