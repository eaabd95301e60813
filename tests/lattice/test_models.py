"""Models of spins: sums and energies by other means, what they hold, what they refuse."""

import itertools
import json
import math
import pickle

import numpy as np
import pytest

import regrain as rg
from regrain.lattice import (
    XY,
    BlumeCapel,
    Clock,
    Coupling,
    Geometry,
    Ising,
    LatticeModel,
    Potts,
    Spins,
    model_from_dict,
)
from regrain.lattice.geometry import orbit, shell
from regrain.lattice.sums import reference_sums

MODELS = [
    Ising(
        (4, 6), couplings={"nn": 0.3, "nnn": -0.1, "three": 0.05, "plaquette": 0.2, "field": 0.1}
    ),
    Ising((6, 5), couplings={"nn": 0.3, "third": 0.1}, periodic=(True, False)),
    Ising((5, 4, 3), couplings={"nn": 0.3, "cube": 0.1, "plaquette": 0.1}, periodic=False),
    Ising((6, 6), couplings={"nn": 0.3, "three": 0.1, "plaquette": 0.4}, lattice="triangular"),
    Ising((7,), couplings={"nn": 0.3, "nnn": 0.1, "three": 0.1}),
    Ising((3, 4, 3, 3), couplings={"nn": 0.3, "nnn": 0.1}),
    Ising((5, 6), couplings={Coupling([(0, 0), (1, 2)], symmetric=False): 0.3, "nn": 1.0}),
    Potts((4, 5), q=3, couplings={"nn": 0.7, "field": 0.2, "plaquette": -0.3}),
    BlumeCapel((4, 5), couplings={"nn": 0.7, "crystal": -0.4, "biquadratic": 0.3, "three": 0.1}),
    Clock((4, 5), q=5, couplings={"nn": 0.7, "field": 0.2, "nnn": -0.3}),
    XY((4, 5), couplings={"nn": 0.7, "field": 0.2}, lattice="triangular"),
]


def value(model: LatticeModel, spins: list[float]) -> float:
    """What a cluster adds, written down anew."""
    if isinstance(model, Potts):
        return float(set(spins) == {0} if len(spins) == 1 else len(set(spins)) == 1)
    if isinstance(model, Clock | XY):
        unit = 2 * math.pi / model.q if isinstance(model, Clock) else 1.0
        return math.cos(unit * (spins[0] - (spins[1] if len(spins) == 2 else 0.0)))
    return math.prod(spins)


def by_hand(model: LatticeModel, values: np.ndarray) -> list[float]:
    """Sums over the set of all clusters, each as the sorted numbers of its sites."""
    sums = []
    for term in model.terms:
        found = set()
        for cluster in term.clusters:
            for place in itertools.product(*map(range, model.shape)):
                sites = []
                for site in cluster:
                    at = [p + s for p, s in zip(place, site, strict=True)]
                    inside = all(
                        on or x < n
                        for x, n, on in zip(at, model.shape, model.geometry.axes, strict=True)
                    )
                    if inside:
                        sites.append(tuple(x % n for x, n in zip(at, model.shape, strict=True)))
                if len(sites) == len(cluster):
                    found.add(tuple(sorted(sites)))
        sums.append(sum(value(model, [values[s] for s in sites]) for sites in found))
    return sums


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_sums_are_those_over_the_set_of_clusters(model: LatticeModel) -> None:
    for seed in range(3):
        spins = model.start(seed=seed)
        expected = by_hand(model, spins.values)
        np.testing.assert_allclose(model.sums(spins), expected, atol=1e-12)
        np.testing.assert_allclose(reference_sums(model, spins.values), expected, atol=1e-12)
        assert model.energy(spins) == pytest.approx(-np.dot(expected, model.strengths))


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_many_states_at_once(model: LatticeModel) -> None:
    states = [model.start(seed=seed) for seed in range(4)]
    stacked = np.stack([s.values for s in states])
    expected = np.stack([model.sums(s) for s in states])
    np.testing.assert_array_equal(model.sums(stacked), expected)
    np.testing.assert_array_equal(model.sums(model.spins(stacked, replicas=True)), expected)
    trace = rg.Trace(states, times=range(4))
    np.testing.assert_array_equal(model.sums(trace), expected)
    assert model.energy(stacked).shape == (4,)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_long_traces_are_summed_in_parts_and_by_threads(model, monkeypatch) -> None:
    from regrain import _core
    from regrain.lattice import sums

    large = model.replace(shape=tuple(7 * length for length in model.shape[:2]) + model.shape[2:])
    states = [large.start(replicas=3, seed=seed) for seed in range(4)]
    expected = reference_sums(large, np.stack([s.values for s in states]))
    monkeypatch.setattr(sums, "_CHUNK_VALUES", 3 * large.size)
    before = _core.threads()
    try:
        found = []
        for threads in (1, 2, 3):
            _core.set_threads(threads)
            found.append(large.sums(rg.Trace(states, times=range(4))))
    finally:
        _core.set_threads(before)
    np.testing.assert_allclose(found[0], expected, rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_a_model_is_its_text_its_data_and_its_pickle(model: LatticeModel) -> None:
    names = {c.__name__: c for c in (Ising, Potts, BlumeCapel, Clock, XY, Coupling)}
    assert eval(repr(model), names) == model
    assert model_from_dict(json.loads(json.dumps(model.to_dict()))) == model
    again = pickle.loads(pickle.dumps(model))
    assert again == model
    assert hash(again) == hash(model)
    assert again != model.with_strengths(2 * model.strengths)


def test_neighbours_are_those_of_the_lattices() -> None:
    # Coordination numbers of the shells: Domb (1974), Phase Transitions and Critical Phenomena 3.
    known = {
        ("chain", 1): [2, 2, 2],
        ("square", 2): [4, 4, 4, 8, 4],
        ("triangular", 2): [6, 6, 6, 12, 6],
        ("cubic", 3): [6, 12, 8, 6, 24],
        ("hypercubic", 4): [8, 24, 32, 24],
    }
    for (lattice, dimension), counts in known.items():
        for order, count in enumerate(counts, start=1):
            found = 2 * len(shell(order, lattice, dimension))
            # (2, 0, 0, 0) and (1, 1, 1, 1) are equally far in four dimensions.
            assert found == (count if (dimension, order) != (4, 4) else 8 + 16)


def test_clusters_of_lattices() -> None:
    counts = {
        ("square", "three"): 4,
        ("square", "plaquette"): 1,
        ("triangular", "three"): 2,
        ("triangular", "plaquette"): 3,
        ("cubic", "three"): 12,
        ("cubic", "plaquette"): 3,
        ("cubic", "cube"): 1,
        ("chain", "three"): 1,
    }
    for (lattice, name), count in counts.items():
        shape = (6,) * {"chain": 1, "cubic": 3}.get(lattice, 2)
        assert len(Ising(shape, couplings={name: 1.0}, lattice=lattice).terms[0].clusters) == count
    assert len(orbit([(0, 0), (1, 2)], "square")) == 4
    assert len(orbit([(0, 0), (1, 0), (3, 0)], "triangular")) == 6


def test_parity() -> None:
    ising = Ising((8, 8), couplings={"nn": 1, "field": 1, "three": 1, "plaquette": 1})
    assert [term.even for term in ising.terms] == [True, False, False, True]
    potts = Potts((8, 8), q=3, couplings={"nn": 1, "field": 1, "three": 1})
    assert [term.even for term in potts.terms] == [True, False, True]
    blume = BlumeCapel((8, 8), couplings={"crystal": 1, "field": 1, "biquadratic": 1})
    assert [term.even for term in blume.terms] == [True, False, True]


def test_nothing_of_a_model_changes() -> None:
    given = {"nn": 0.4}
    model = Ising((4, 4), couplings=given)
    given["nn"] = 0.5
    assert model.couplings["nn"] == 0.4
    with pytest.raises(TypeError):
        model.couplings["nn"] = 0.5  # type: ignore[index]
    with pytest.raises(AttributeError):
        model.shape = (5, 5)  # type: ignore[misc]


def test_a_hypercubic_lattice_in_two_dimensions_is_square() -> None:
    assert Ising((4, 4), couplings={}, lattice="hypercubic") == Ising((4, 4), couplings={})
    assert Geometry((4, 4, 4, 4)).name == "hypercubic"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ising((2, 4), couplings={"nn": 1}), "reach 1 sites along axis 0.*at least 3"),
        (lambda: Ising((8, 4), couplings={"third": 1}), "axis 1.*at least 5"),
        (lambda: Ising((2, 1), couplings={"plaquette": 1}, periodic=False), "has room"),
        (lambda: Ising((4, 4), couplings={"n": 1}), "did you mean 'nn'"),
        (lambda: Ising((4, 4), couplings={"cube": 1}), "a square lattice has none"),
        (lambda: Ising((4, 4), couplings={"nn": float("nan")}), "'nn' is nan"),
        (lambda: Ising((4, 4), couplings={"nn": "x"}), "'nn' is 'x'"),
        (lambda: Ising((4, 4), couplings=0.4), "expected a value by name"),
        (lambda: Ising((4, 4), couplings={3: 0.4}), "got the name 3"),
        (lambda: Ising((4, 4), couplings={"nn": 1, Coupling([(0, 0), (1, 0)]): 1}), "both hold"),
        (lambda: Ising((4, 4), couplings={Coupling([(0, 0, 0)]): 1}), "offsets of 3 numbers"),
        (lambda: Ising((4, 4), couplings={"crystal": 1}), "names a site twice"),
        (lambda: BlumeCapel((4,), couplings={Coupling([(0,)] * 3): 1}), "more than twice"),
        (lambda: Clock((4, 4), q=3, couplings={"plaquette": 1}), "couple in pairs"),
        (lambda: XY((4, 4), couplings={"three": 1}), "couple in pairs"),
        (lambda: Potts((4, 4), q=1, couplings={}), "q: got 1 states"),
        (lambda: Potts((4, 4), q=2.5, couplings={}), "q: got 2.5 states"),
        (lambda: Clock((4, 4), q=200, couplings={}), "from 2 to 127"),
        (lambda: Ising((4, 0), couplings={}), "positive numbers of sites"),
        (lambda: Ising("44", couplings={}), "expected the number of sites"),
        (lambda: Ising((4, 4), couplings={}, lattice="cubic"), "expected 3 lengths"),
        (lambda: Ising((4, 4), couplings={}, lattice="kagome"), "expected one of"),
        (lambda: Ising((4, 4), couplings={}, periodic=(True,)), "each of the 2 axes"),
        (lambda: Ising((4, 4), couplings={}, periodic="x"), "expected True or False"),
        (lambda: Ising((2**16, 2**16), couplings={}), "2\\^31"),
        (lambda: Coupling([]), "at least one site"),
        (lambda: Coupling([(0, 0), (1,)]), "as many numbers"),
        (lambda: Coupling([(0, 0.5)]), "whole numbers"),
        (lambda: model_from_dict({"model": "Isng"}), "did you mean 'Ising'"),
        (lambda: model_from_dict({"model": "Ising"}), "does not have these parameters"),
    ],
)
def test_models_that_make_no_sense(make, message: str) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        make()


def test_spins_that_are_none() -> None:
    model = Ising((4, 4), couplings={"nn": 1.0})
    good = np.ones((4, 4), np.int8)
    bad = good.copy()
    bad[1, 2] = 0
    for spins, message in [
        (bad, r"spin at \(1, 2\) is 0, expected -1 or 1"),
        (np.ones((4, 5)), r"have shape \(4, 5\), expected \(4, 4\)"),
        (good * np.nan, "finite"),
        (good.astype(int) * 1000, "from -128 to 127"),
        (good.astype(complex), "have the type complex"),
        (Spins(good, lattice="triangular"), "live on.*triangular"),
        (Spins(good, periodic=False), "live on"),
    ]:
        with pytest.raises(rg.RegrainError, match=message):
            model.sums(spins)
    with pytest.raises(rg.RegrainError, match="expected 0 to 2"):
        Potts((4, 4), q=3, couplings={}).sums(3 * good)
    with pytest.raises(rg.RegrainError, match="angles in radians"):
        XY((4, 4), couplings={}).sums(good)
    with pytest.raises(rg.RegrainError, match="expected one of random, up"):
        model.start("down")
    with pytest.raises(rg.RegrainError, match="strengths: got shape"):
        model.with_strengths([1.0, 2.0])
    with pytest.raises(rg.RegrainError, match="first axis counts replicas"):
        Spins(np.ones(4), replicas=True)
    with pytest.raises(rg.RegrainError, match="reduced units"):
        Spins(good, units="md")
