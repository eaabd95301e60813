"""Surface tension from the pressure tensor."""

import numpy as np
import pytest

from regrain import Trace
from regrain.errors import RegrainError
from regrain.observables import SurfaceTension
from regrain.particles import Particles
from regrain.units import MD


def logged(boxes, tensors, units: str = "reduced") -> Trace[Particles]:
    states = [Particles(np.zeros((1, 3)), box=b, units=units) for b in boxes]
    log = {"pressure_tensor": tensors, "volume": [s.volume for s in states]}
    return Trace(states, times=np.arange(len(tensors), dtype=float), log=log)


def test_it_is_the_anisotropy_times_the_length() -> None:
    rng = np.random.default_rng(1)
    tensors = rng.normal(size=(50, 3, 3))
    trace = logged([[3.0, 4.0, 10.0]] * 50, tensors)
    for k, axis in enumerate("xyz"):
        others = [n for n in range(3) if n != k]
        edge = (3.0, 4.0, 10.0)[k]
        normal, along = tensors[:, k, k], tensors[:, others, others].mean(axis=1)
        found = SurfaceTension(axis)(trace)
        assert float(found) == pytest.approx(edge / 2 * np.mean(normal - along), rel=1e-12)
        # Fifty numbers that know nothing of each other.
        exact = edge / 2 * np.std(normal - along) / np.sqrt(50)
        assert 0.6 * exact < found.error < 1.6 * exact
        one = SurfaceTension(axis, interfaces=1)(trace)
        assert float(one) == pytest.approx(2 * float(found), rel=1e-12)


def test_edges_are_those_of_each_frame_and_units_those_of_the_trace() -> None:
    tensors = np.tile(np.diag([1.0, 1.0, 3.0]), (3, 1, 1))
    boxes = [[2.0, 2.0, edge] for edge in (4.0, 5.0, 9.0)]
    found = SurfaceTension()(logged(boxes, tensors, units="md"))
    assert float(found) == pytest.approx(6.0)
    assert found.unit == f"{MD.pressure} {MD.length}" == "bar nm"


def test_what_is_not_there_or_makes_no_sense() -> None:
    state = Particles(np.zeros((1, 3)), box=[2.0, 2.0, 2.0])
    assert "no pressure_tensor" in SurfaceTension()(Trace([state], times=[0.0])).flags[0]
    with pytest.raises(RegrainError, match="axis is 'w'"):
        SurfaceTension("w")
    with pytest.raises(RegrainError, match="a slab has 2"):
        SurfaceTension(interfaces=0)
    skewed = [[4.0, 0, 0], [1.0, 4.0, 0], [0, 0, 9.0]]
    trace = logged([skewed] * 2, np.zeros((2, 3, 3)))
    SurfaceTension("z")(trace)
    with pytest.raises(RegrainError, match="skewed along x"):
        SurfaceTension("x")(trace)
    with pytest.raises(RegrainError, match=r"expected \(n_frames, 3, 3\)"):
        SurfaceTension()(logged([[2.0] * 3] * 2, np.zeros((2, 6))))
