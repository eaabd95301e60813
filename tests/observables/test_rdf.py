"""g(r) against brute force, an ideal gas, a perfect crystal and a pair."""

import numpy as np
import pytest

from regrain import Trace, _core
from regrain.errors import RegrainError
from regrain.observables import RDF
from regrain.particles import Particles, Topology

TRICLINIC = [[6.0, 0, 0], [1.7, 5.5, 0], [-2.1, 0.9, 5.8]]

THREE = Particles(np.eye(3), box=[5.0, 5.0, 5.0])


def trace_of(*states: Particles) -> Trace[Particles]:
    return Trace(states, times=np.arange(len(states), dtype=float))


def brute_force(state: Particles, a: str, b: str, edges: np.ndarray) -> np.ndarray:
    """Ordered pairs per shell over 27 images, the definition of g."""
    shifts = np.stack(np.meshgrid(*[[-2, -1, 0, 1, 2]] * 3, indexing="ij"), -1).reshape(-1, 3)
    inverse = np.linalg.inv(state.box)
    wrapped = state.positions @ inverse % 1.0 @ state.box
    d = wrapped[None, :] - wrapped[:, None]
    r = np.linalg.norm(d[:, :, None] + shifts @ state.box, axis=-1)
    is_a, is_b = state.topology.types == a, state.topology.types == b
    chosen = r[is_a][:, is_b]
    counts = np.histogram(chosen[chosen > 0], edges)[0]
    partners = is_a.sum() * (is_b.sum() - (a == b))
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    return counts * state.volume / partners / shells


@pytest.mark.parametrize("box", [[6.0, 5.5, 7.0], TRICLINIC])
def test_equals_brute_force_for_all_pairs_of_types(box) -> None:
    rng = np.random.default_rng(3)
    topology = Topology(rng.choice(["A", "B", "C"], 60))
    positions = rng.normal(size=(60, 3)) * 8.0  # far outside of the box, too
    state = Particles(positions, box=box, topology=topology)
    rdf = RDF(r_max=2.4, bins=24)
    g = rdf(trace_of(state))
    assert g.coords["pair"].tolist() == ["A-A", "A-B", "A-C", "B-B", "B-C", "C-C"]
    for pair in g.coords["pair"]:
        a, b = str(pair).split("-")
        np.testing.assert_allclose(
            g.sel(pair=pair).value, brute_force(state, a, b, rdf.edges), rtol=1e-12
        )


def test_ideal_gas_is_one() -> None:
    rng = np.random.default_rng(1)
    states = [
        Particles(rng.random((300, 3)) @ np.array(TRICLINIC), box=TRICLINIC) for _ in range(200)
    ]
    g = RDF(r_max=2.4, bins=30)(trace_of(*states)).sel(pair="A-A")
    z = (g.value - 1) / g.error
    assert np.all(np.abs(z) < 4.5)
    assert 0.5 < np.mean(z[3:] ** 2) < 2.0


def test_ideal_gas_in_a_changing_box() -> None:
    rng = np.random.default_rng(2)
    edges = 5.0 + rng.random(300)
    states = [Particles(rng.random((50, 3)) * L, box=[L, L, L]) for L in edges]
    g = RDF(r_max=2.4, bins=4)(trace_of(*states))
    assert np.all(np.abs(g.value - 1) < 4.5 * g.error)


def test_fcc_shells_hold_12_6_24_12_24_8_48() -> None:
    cell = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    corners = np.stack(np.meshgrid(*[range(5)] * 3, indexing="ij"), -1).reshape(-1, 3)
    positions = (corners[:, None] + cell).reshape(-1, 3)
    state = Particles(positions, box=[5.0, 5.0, 5.0])
    rdf = RDF(r_max=2.0, bins=160)
    g = rdf(trace_of(state)).sel(pair="A-A")
    shells = 4 / 3 * np.pi * np.diff(rdf.edges**3)
    around = g.value * shells * (len(positions) - 1) / state.volume
    radii = np.sqrt(np.arange(1, 8) / 2.0)
    counts = [around[np.abs(g.coords["r"] - r) < 0.02].sum() for r in radii]
    np.testing.assert_allclose(counts, [12, 6, 24, 12, 24, 8, 48], rtol=1e-12)
    assert around.sum() == pytest.approx(134, rel=1e-12)


def test_two_particles() -> None:
    state = Particles([[0.1, 0, 0], [4.85, 0, 0]], box=[5.0, 5.0, 5.0])
    g = RDF(r_max=1.0, bins=10)(trace_of(state, state)).sel(pair="A-A")
    expected = np.zeros(10)
    expected[2] = 2 * 125.0 / 2 / (4 / 3 * np.pi * (0.3**3 - 0.2**3))
    np.testing.assert_allclose(g.value, expected, rtol=1e-12, atol=0)
    assert g.error.max() == 0.0


def test_excluded_pairs_are_left_out_with_their_images() -> None:
    topology = Topology(["A"] * 4, bonds=[(0, 1), (1, 2)])
    positions = [[0, 0, 0], [0.5, 0, 0], [1.0, 0, 0], [4.5, 0, 0]]
    state = Particles(positions, box=[5.0, 5.0, 5.0], topology=topology)

    def pairs(exclude: int) -> float:
        rdf = RDF(r_max=2.0, bins=4, exclude=exclude)
        shells = 4 / 3 * np.pi * np.diff(rdf.edges**3)
        return float((rdf(trace_of(state)).value[0] * shells).sum() * 12 / 125 / 2)

    assert [pairs(k) for k in (0, 1, 2)] == pytest.approx([6, 4, 3], rel=1e-12)


def test_one_pair_of_types_only() -> None:
    topology = Topology(["A", "B", "B"])
    state = Particles(np.eye(3), box=[5.0] * 3, topology=topology)
    g = RDF(r_max=2.0, dr=0.5, pairs=[("B", "A")])(trace_of(state))
    assert g.coords["pair"].tolist() == ["B-A"]
    assert g.value.shape == (1, 4)


def test_same_bits_at_any_number_of_threads() -> None:
    rng = np.random.default_rng(4)
    trace = trace_of(Particles(rng.random((4000, 3)) * 10, box=[10.0] * 3))
    before = _core.threads()
    results = []
    for threads in (1, 2, 3):
        _core.set_threads(threads)
        results.append(RDF(r_max=2.0)(trace).value.tobytes())
    _core.set_threads(before)
    assert len(set(results)) == 1


def test_weights_of_frames() -> None:
    near = Particles([[0.0, 0, 0], [0.3, 0, 0]], box=[5.0] * 3)
    far = Particles([[0.0, 0, 0], [1.3, 0, 0]], box=[5.0] * 3)
    trace = Trace([near, far], times=[0.0, 1.0], weights=[3.0, 1.0])
    g = RDF(r_max=2.0, bins=2)(trace).value[0]
    one = RDF(r_max=2.0, bins=2)(trace_of(near)).value[0]
    assert g[0] == pytest.approx(0.75 * one[0], rel=1e-12)


def test_beyond_half_the_box_is_refused_and_the_frame_named() -> None:
    large = Particles(np.eye(3), box=[5.0] * 3)
    small = Particles(np.eye(3), box=[5.0, 5.0, 3.9])
    with pytest.raises(
        RegrainError, match=r"frame 1: .*half the smallest height of the box, 1\.95"
    ):
        RDF(r_max=2.0)(trace_of(large, small))
    skewed = Particles(np.eye(3), box=[[5.0, 0, 0], [0, 5, 0], [4.9, 0, 5.0]])
    with pytest.raises(RegrainError, match="half the smallest height"):
        RDF(r_max=2.0)(trace_of(skewed))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RDF(r_max=-1.0), "positive"),
        (lambda: RDF(r_max=float("nan")), "positive"),
        (lambda: RDF(r_max=1.0, bins=10, dr=0.1), "either"),
        (lambda: RDF(r_max=1.0, dr=0.3), "divide"),
        (lambda: RDF(r_max=1.0, exclude=-1), "exclude"),
        (
            lambda: RDF(r_max=1.0, pairs=[("A", "X")])(
                trace_of(Particles(np.eye(3), box=[5.0] * 3))
            ),
            "types",
        ),
        (lambda: RDF(r_max=1.0)(trace_of(Particles(np.zeros((1, 3)), box=[5.0] * 3))), "no pair"),
    ],
)
def test_refusals(make, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        make()


def test_repr_is_the_constructor_call() -> None:
    rdf = RDF(r_max=1.2, bins=10, exclude=2)
    assert eval(repr(rdf)) == rdf
