"""S(q): an ideal gas, a lattice, the definition."""

import numpy as np
import pytest

from regrain import Trace, _core
from regrain.errors import RegrainError
from regrain.observables import StructureFactor
from regrain.particles import Particles, Topology

BOX = np.array([[6.0, 0, 0], [1.7, 5.5, 0], [-2.1, 0.9, 5.8]])


def trace_of(*states: Particles) -> Trace[Particles]:
    return Trace(states, times=np.arange(len(states), dtype=float))


def test_modes_are_the_sum_they_say() -> None:
    rng = np.random.default_rng(1)
    positions = rng.normal(size=(1500, 3)) * 9.0
    indices = _core.reciprocal_indices(BOX, 9.0)
    q = _core.wave_vectors(BOX, indices)
    expected = np.exp(1j * positions @ q.T).sum(axis=0)
    np.testing.assert_allclose(_core.density_modes(positions, BOX, indices), expected, atol=1e-9)


def test_wave_vectors_are_half_of_the_reciprocal_lattice() -> None:
    indices = _core.reciprocal_indices(BOX, 5.0)
    reciprocal = 2 * np.pi * np.linalg.inv(BOX).T
    np.testing.assert_allclose(_core.wave_vectors(BOX, indices), indices @ reciprocal, atol=1e-12)
    every = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3, indexing="ij"), -1).reshape(-1, 3)
    lengths = np.linalg.norm(every @ reciprocal, axis=1)
    assert 2 * len(indices) == np.sum((lengths > 0) & (lengths <= 5.0))
    both = {tuple(i) for i in indices.tolist()} | {tuple(-i) for i in indices}
    assert len(both) == 2 * len(indices)


def test_ideal_gas_is_one() -> None:
    rng = np.random.default_rng(2)
    states = [Particles(rng.random((200, 3)) @ BOX, box=BOX) for _ in range(200)]
    s = StructureFactor(q_max=8.0)(trace_of(*states))
    z = (s.value - 1.0) / s.error
    assert np.all(np.abs(z) < 4.5)
    assert 0.3 < np.mean(z**2) < 2.0


def test_lattice_scatters_only_into_bragg_peaks() -> None:
    grid = np.stack(np.meshgrid(*[range(5)] * 3), -1).reshape(-1, 3)
    s = StructureFactor(q_max=2 * np.pi * 1.01, dq=1e-6)(trace_of(Particles(grid, box=[5.0] * 3)))
    assert s.sel(q=2 * np.pi).coords == {}
    # The shell |q| = 2 pi holds the 6 Bragg peaks (5, 0, 0) and the 24 vectors (4, 3, 0).
    assert float(s.sel(q=2 * np.pi)) == pytest.approx(6 * 125 / 30, rel=1e-10)
    np.testing.assert_allclose(np.delete(s.value, s.value.argmax()), 0.0, atol=1e-20)


def test_types_select_particles() -> None:
    rng = np.random.default_rng(3)
    state = Particles(
        rng.random((60, 3)) @ BOX, box=BOX, topology=Topology(rng.choice(["A", "B"], 60))
    )
    alone = Particles(state.positions[state.topology.types == "B"], box=BOX)
    s = StructureFactor(q_max=5.0, types=["B"])(trace_of(state))
    np.testing.assert_allclose(s.value, StructureFactor(q_max=5.0)(trace_of(alone)).value)


def test_reach_that_is_not_given_takes_in_two_peaks_at_a_bounded_cost() -> None:
    rng = np.random.default_rng(5)
    small = Particles(rng.random((100, 3)) * 5, box=[5.0] * 3)
    s = StructureFactor()(trace_of(small))
    assert s.coords["q"].max() == pytest.approx(4 * np.pi * 0.8 ** (1 / 3), rel=0.15)
    large = Particles(rng.random((4000, 3)) * 17, box=[17.0] * 3)
    plan = StructureFactor().prepare(trace_of(large))
    assert 15_000 < len(plan.data[1]) < 25_000


def test_same_bits_at_any_number_of_threads() -> None:
    rng = np.random.default_rng(4)
    trace = trace_of(Particles(rng.random((3000, 3)) @ BOX, box=BOX))
    before, results = _core.threads(), []
    for threads in (1, 2, 3):
        _core.set_threads(threads)
        results.append(StructureFactor(q_max=6.0)(trace).value.tobytes())
    _core.set_threads(before)
    assert len(set(results)) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StructureFactor(q_max=0.0), "q_max"),
        (lambda: StructureFactor(q_max=1.0, dq=-1.0), "dq"),
        (lambda: StructureFactor(q_max=0.1)(trace_of(ONE)), "smallest wave number"),
        (lambda: StructureFactor(q_max=1e4)(trace_of(ONE)), "wave vectors"),
        (lambda: StructureFactor(q_max=3.0, types=["X"])(trace_of(ONE)), "types are A"),
    ],
)
def test_refusals(make, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        make()


ONE = Particles(np.eye(3), box=[5.0, 5.0, 5.0])
