"""Block spins against loops over blocks, exact laws, and what must be refused."""

import json
import pickle
from collections import Counter
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2

import regrain as rg
from regrain.lattice import XY, BlumeCapel, Ising, Potts, SpinFrames, Spins
from regrain.maps import BlockSpin, Map

MODELS = {
    "ising": Ising((6, 12), couplings={"field": 0.1}),
    "blume-capel": BlumeCapel((6, 12), couplings={"field": 0.1}),
    "potts": Potts((6, 12), q=4, couplings={"field": 0.1}),
}


def blocks_of(values: NDArray, b: tuple[int, ...]) -> dict[tuple[int, ...], list]:
    """The sites of each block, by plain loops."""
    found: dict[tuple[int, ...], list] = {}
    for site in np.ndindex(values.shape):
        place = tuple(x // step for x, step in zip(site, b, strict=True))
        found.setdefault(place, []).append(values[site])
    return found


def most(sites: list) -> list:
    """The most frequent states, in the order in which they come."""
    counts = Counter(sites)
    return [s for s in counts if counts[s] == max(counts.values())]


def chi_square(counts: NDArray, expected: NDArray) -> float:
    """The chance of a larger deviation."""
    assert expected.min() > 5
    value = ((counts - expected) ** 2 / expected).sum()
    return float(chi2.sf(value, len(expected) - 1))


def states(model: rg.lattice.LatticeModel, count: int, **settings: object) -> rg.Trace:
    frames = [model.start("random", seed=k, **settings) for k in range(count)]  # type: ignore[arg-type]
    return rg.Trace(frames, times=np.arange(count))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("ties", ["random", "first", "up", "down"])
@pytest.mark.parametrize("b", [(2, 2), (3, 4), (1, 2), (3, 3)])
def test_majority_is_that_of_a_loop(name, ties, b) -> None:
    choose = {"first": lambda tied: tied[0], "up": max, "down": min}
    trace = states(MODELS[name], 5)
    coarse = BlockSpin(b=b, ties=ties, seed=2)(trace)
    for fine, made in zip(trace, coarse, strict=True):
        assert made.values.dtype == np.int8
        for place, sites in blocks_of(fine.values, b).items():
            if ties == "random":
                assert made.values[place] in most(sites)
            else:
                assert made.values[place] == choose[ties](most(sites))


@pytest.mark.parametrize("shape", [(12,), (4, 6), (4, 6, 2)])
def test_other_rules_are_those_of_a_loop(shape) -> None:
    rng = np.random.default_rng(1)
    angles = Spins(rng.uniform(-3, 3, shape))
    spins = Spins(rng.choice([-1, 1], shape).astype(np.int8))
    b = (2,) * len(shape)
    n = 2 ** len(shape)
    made = {
        "first": BlockSpin(b=2, rule="decimation")(angles).values,
        "mean": BlockSpin(b=2, rule="average")(angles).values,
        "scaled": BlockSpin(b=2, rule="average", exponent=15 / 16)(spins).values,
        "direction": BlockSpin(b=2, rule="direction")(angles).values,
    }
    for place, sites in blocks_of(angles.values, b).items():
        assert made["first"][place] == sites[0]
        assert made["mean"][place] == pytest.approx(np.mean(sites), abs=1e-14)
        wanted = np.angle(np.exp(1j * np.array(sites)).sum())
        assert made["direction"][place] == pytest.approx(wanted, abs=1e-12)
    for place, sites in blocks_of(spins.values, b).items():
        assert made["scaled"][place] == pytest.approx(np.sum(sites) / n ** (15 / 16), abs=1e-14)


@pytest.mark.parametrize("replicas", [None, 3])
@pytest.mark.parametrize(
    "settings",
    [{"rule": "decimation"}, *({"ties": ties} for ties in ("random", "first", "up", "down"))],
)
def test_bits_in_words_are_blocked_as_single_spins(settings, replicas) -> None:
    model = Ising((6, 128), couplings={"field": 0.1})
    plain = states(model, 4, replicas=replicas)
    packed = rg.Trace(SpinFrames(plain.stacked("values"), plain[0]), times=plain.times)
    map_ = BlockSpin(b=2, seed=7, **settings)
    coarse = map_(packed)
    assert isinstance(coarse.frames, SpinFrames)
    assert coarse.frames.bits is not None
    np.testing.assert_array_equal(coarse.stacked("values"), map_(plain).stacked("values"))
    assert coarse[0].shape == (3, 64)
    assert coarse[0].replicas == (replicas is not None)


def test_coins_belong_to_seed_time_replica_and_block() -> None:
    model = Ising((8, 64), couplings={"field": 0.0})
    trace = states(model, 6, replicas=3)
    map_ = BlockSpin(b=2, seed=3)
    whole = map_(trace).stacked("values")
    np.testing.assert_array_equal(map_(trace[2::2]).stacked("values"), whole[2::2])
    np.testing.assert_array_equal(map_(trace)[[1, 4]].stacked("values"), whole[[1, 4]])
    fewer = trace.map(lambda s: s.replace(values=s.values[:2]))
    np.testing.assert_array_equal(map_(fewer).stacked("values"), whole[:, :2])
    assert (BlockSpin(b=2, seed=4)(trace).stacked("values") != whole).any()
    # The same state at other times has other coins; on its own it always has the same.
    still = rg.Trace([trace[0]] * 2, times=[0, 1])
    first, second = map_(still)
    assert (first.values != second.values).any()
    np.testing.assert_array_equal(map_(trace[0]).values, map_(trace[0]).values)


@pytest.mark.parametrize(
    ("settings", "up"),
    [
        ({"ties": "random"}, [0, 0, 0.5, 1, 1]),
        ({"ties": "up"}, [0, 0, 1, 1, 1]),
        (
            {"rule": "kadanoff", "strength": 0.4},
            [1 / (1 + np.exp(-0.8 * m)) for m in (-4, -2, 0, 2, 4)],
        ),
    ],
)
def test_all_configurations_of_a_small_lattice_have_the_exact_law(settings, up) -> None:
    # All 2^16 configurations of 4 x 4 spins, four blocks each: the law of the four block spins
    # is a product, as the fine spins are independent.
    bits = (np.arange(2**16)[:, None] >> np.arange(16)) & 1
    every = Spins((2 * bits - 1).reshape(-1, 4, 4).astype(np.int8), replicas=True)
    coarse = BlockSpin(b=2, seed=5, **settings)(every).values.reshape(-1, 4)
    chance = np.array([1, 4, 6, 4, 1]) @ np.array(up) / 16
    law = np.array([np.prod([chance if s else 1 - chance for s in c])
                    for c in product((0, 1), repeat=4)])  # fmt: skip
    counts = np.bincount((coarse > 0) @ [8, 4, 2, 1], minlength=16)
    if settings.get("ties") == "up":
        np.testing.assert_array_equal(counts, np.rint(law * 2**16).astype(int))
    else:
        # Not wider than free draws: fine configurations come once each.
        assert chi_square(counts, law * 2**16) > 1e-3
    # Ties alone: each block with two up.
    tied = (every.values.reshape(-1, 2, 2, 2, 2).sum(axis=(2, 4)) == 0).reshape(-1, 4)
    n = tied.sum()
    expected = {"up": n}.get(str(settings.get("ties")), n / 2)
    assert abs((coarse[tied] > 0).sum() - expected) <= 4 * np.sqrt(n / 4) * (expected != n)


def test_majority_of_a_chain_has_the_pairs_of_its_exact_process() -> None:
    model = Ising((3 * 4096,), couplings={"nn": 1.0})
    trace = model.run(sweeps=60, every=2, burn_in=30, replicas=8, method="swendsen-wang", seed=3)
    coarse = BlockSpin(b=3)(trace).stacked("values").astype(float)
    pairs = (coarse * np.roll(coarse, 1, axis=-1)).mean(axis=(0, 2))
    # The closed chain of BlockChain has the law of neighbouring block spins.
    closed = rg.fits.BlockChain(b=3)(model.replace(shape=(90,))).model
    error = pairs.std(ddof=1) / np.sqrt(len(pairs))
    assert error < 0.002
    assert abs(pairs.mean() - np.tanh(closed.strengths[0])) < 3.5 * error


@pytest.mark.parametrize("b", [2, 3])
def test_decimation_of_a_chain_has_the_exact_coupling(b) -> None:
    model = Ising((6 * 2048,), couplings={"nn": 0.8})
    trace = model.run(sweeps=60, every=2, burn_in=20, replicas=8, method="swendsen-wang", seed=4)
    coarse = BlockSpin(b=b, rule="decimation")(trace).stacked("values").astype(float)
    pairs = (coarse * np.roll(coarse, 1, axis=-1)).mean(axis=(0, 2))
    error = pairs.std(ddof=1) / np.sqrt(len(pairs))
    assert error < 0.003
    assert abs(pairs.mean() - np.tanh(0.8) ** b) < 3 * error


def test_steps_compose() -> None:
    trace = states(Ising((16, 128), couplings={"field": 0.0}), 3)
    one = BlockSpin(b=2, seed=2)
    twice = (one >> one)(trace)
    np.testing.assert_array_equal(twice.stacked("values"), one(one(trace)).stacked("values"))
    assert twice[0].shape == (4, 32)
    assert twice.provenance["maps"] == [(one >> one).to_dict()]
    np.testing.assert_array_equal(twice.times, trace.times)
    # The coins of both steps are not the same ones: where all blocks are tied, they are seen.
    coins = []
    for edge in (128, 64):
        tied = Spins(np.tile(np.array([1, -1], np.int8), (edge, edge // 2)))
        coins.append(one(rg.Trace([tied], times=[0]))[0].values.reshape(-1)[:1024].astype(int))
    assert abs((coins[0] * coins[1]).sum()) < 4 * 32
    # Decimations compose to one.
    site = BlockSpin(b=2, rule="decimation")
    np.testing.assert_array_equal(
        (site >> site)(trace).stacked("values"),
        BlockSpin(b=4, rule="decimation")(trace).stacked("values"),
    )


def test_lattice_and_boundaries_stay() -> None:
    fine = Spins(np.ones((2, 4, 6), np.int8), "triangular", (True, False), replicas=True)
    coarse = BlockSpin(b=(2, 3))(fine)
    assert (coarse.lattice, coarse.periodic, coarse.replicas) == (
        *("triangular", (True, False)),
        True,
    )
    assert coarse.shape == (2, 2)


LIFTS = [
    ({"b": 2, "ties": "random"}, Ising((4, 4), couplings={"field": 0})),
    ({"b": 2, "ties": "first"}, Ising((4, 4), couplings={"field": 0})),
    ({"b": 2, "ties": "down"}, Ising((4, 4), couplings={"field": 0})),
    ({"b": 3, "ties": "first"}, Potts((9,), q=3, couplings={"field": 0})),
    ({"b": 4, "ties": "first"}, BlumeCapel((8,), couplings={"field": 0})),
    ({"b": 4, "ties": "random"}, Potts((8,), q=3, couplings={"field": 0})),
    ({"b": 4, "rule": "average", "exponent": 0.5}, BlumeCapel((8,), couplings={"field": 0})),
    ({"b": 2, "rule": "kadanoff", "strength": 0.3}, Ising((4, 4), couplings={"field": 0})),
    ({"b": 2, "rule": "decimation"}, Potts((4, 4), q=3, couplings={"field": 0})),
]


@pytest.mark.parametrize(("settings", "model"), LIFTS)
def test_lifts_are_even_in_the_fibre_and_entropies_are_theirs(settings, model) -> None:
    map_ = BlockSpin(**settings)
    block = map_.block(model.shape)
    n = int(np.prod(block))
    # The chance of each coarse value for each of all blocks, from the definition of the rule.
    every = list(product(model.site_values.tolist(), repeat=n))
    chances: dict[float, dict[tuple, float]] = {}
    for sites in every:
        tied = most(list(sites))
        law: dict[float, float]
        if map_.rule == "average":
            law = {sum(sites) / n**0.5: 1.0}
        elif map_.rule == "decimation":
            law = {sites[0]: 1.0}
        elif map_.rule == "kadanoff":
            law = {s: 1 / (1 + np.exp(-0.6 * s * sum(sites))) for s in (-1, 1)}
        elif map_.ties == "random":
            law = {s: 1 / len(tied) for s in tied}
        else:
            law = {(tied[0] if map_.ties == "first" else min(tied)): 1.0}
        for value, chance in law.items():
            chances.setdefault(value, {})[sites] = chance
    entropies = map_.fibre_entropy(model)
    assert sorted(entropies) == pytest.approx(sorted(chances))
    for value, fibre in chances.items():
        p = np.array(list(fibre.values()))
        p /= p.sum()
        found = entropies[min(entropies, key=lambda known: abs(known - value))]
        assert found == pytest.approx(-(p * np.log(p)).sum(), abs=1e-12)
        # A lattice of blocks that all have this value.
        count = 20000
        dtype = float if map_.rule == "average" else np.int8
        coarse = Spins(
            np.full((count, *(1 for _ in block)), value, dtype), model.lattice, replicas=True
        )
        lifted = map_.lift(coarse, model=model, seed=1)
        model.replace(shape=lifted.shape, periodic=False)._check_values(lifted.values)
        drawn = Counter(map(tuple, lifted.values.reshape(count, n).tolist()))
        assert set(drawn) <= set(fibre)
        counts = np.array([drawn[sites] for sites in fibre])
        if len(p) > 1:
            assert chi_square(counts, p * count) > 1e-4
        again = map_(lifted).values
        if map_.rule != "kadanoff" and (map_.rule, map_.ties) != ("majority", "random"):
            np.testing.assert_allclose(again, coarse.values, atol=1e-12)


def test_lifts_go_back_and_are_functions_of_their_seed() -> None:
    coarse = Potts((4, 6), q=3, couplings={"field": 0}).start("random", replicas=2, seed=3)
    fine_model = Potts((12, 12), q=3, couplings={"nn": 1.0})
    map_ = BlockSpin(b=(3, 2), ties="first")
    fine = map_.lift(coarse, model=fine_model, seed=9)
    assert fine.shape == (12, 12)
    assert fine.replicas
    np.testing.assert_array_equal(map_(fine).values, coarse.values)
    np.testing.assert_array_equal(map_.lift(coarse, model=fine_model, seed=9).values, fine.values)
    assert (map_.lift(coarse, model=fine_model, seed=8).values != fine.values).any()
    angles = XY((4, 4), couplings={"nn": 1.0}).start("random", seed=1)
    site = BlockSpin(b=2, rule="decimation")
    lifted = site.lift(angles, model=XY((8, 8), couplings={"nn": 1.0}))
    np.testing.assert_array_equal(site(lifted).values, angles.values)


def test_large_blocks_have_finite_entropies_and_lifts() -> None:
    model = Ising((41 * 41,), couplings={"field": 0})
    n = 41 * 41
    for value in BlockSpin(b=n).fibre_entropy(model).values():
        assert value == pytest.approx((n - 1) * np.log(2), rel=1e-12)
    total = BlockSpin(b=n, rule="average", exponent=0.0)
    for value in (-n, n, n - 2):
        fine = total.lift(Spins(np.array([float(value)])), seed=1)
        assert fine.values.sum(dtype=int) == value


@pytest.mark.parametrize(
    "map_",
    [
        BlockSpin(),
        BlockSpin((2, 3), ties="first", seed=2),
        BlockSpin(b=3, rule="kadanoff", strength=0.5),
        BlockSpin(b=2, rule="average", exponent=0.9),
        BlockSpin(b=np.array([2, 3]), seed=np.int64(3), exponent=np.float64(1)),
    ],
)
def test_maps_are_text_and_data(map_) -> None:
    assert eval(repr(map_)) == map_
    assert Map.from_dict(json.loads(json.dumps(map_.to_dict()))) == map_
    assert pickle.loads(pickle.dumps(map_)) == map_


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"b": 1}, "b: got 1, expected"),
        ({"b": 2.0}, "b: got 2.0, expected"),
        ({"b": (1, 1)}, "2 or more, or such a number for each axis"),
        ({"b": (0, 2)}, r"b: got \(0, 2\)"),
        ({"rule": "majorty"}, "did you mean 'majority'"),
        ({"ties": "coin"}, "ties: got 'coin', expected one of"),
        ({"seed": -1}, "seed: got -1"),
        ({"rule": "kadanoff"}, "'kadanoff', which needs it"),
        ({"strength": 1.0}, "strength: got 1.0 with the rule 'majority'"),
        ({"rule": "kadanoff", "strength": np.nan}, "strength: got nan"),
        ({"rule": "average", "exponent": np.inf}, "exponent: got inf"),
    ],
)
def test_bad_settings_are_refused(settings, message) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        BlockSpin(**settings)


def test_states_that_do_not_fit_are_refused() -> None:
    ising = Ising((6, 8), couplings={"field": 0})
    up = ising.start("up")
    angles = XY((6, 8), couplings={"nn": 1.0}).start("random", seed=1)
    zeros = Spins(np.zeros((6, 8), np.int8))
    with pytest.raises(rg.RegrainError, match="blocks of 4 x 4 do not divide a lattice of 6 x 8"):
        BlockSpin(b=4)(up)
    with pytest.raises(rg.RegrainError, match=r"got \(2,\) for a lattice of 2 axes"):
        BlockSpin(b=(2,))(up)
    with pytest.raises(rg.RegrainError, match="majority counts the states of spins, but these are"):
        BlockSpin(b=2)(angles)
    with pytest.raises(rg.RegrainError, match="direction adds up angles"):
        BlockSpin(b=2, rule="direction")(up)
    with pytest.raises(rg.RegrainError, match="frame 1: kadanoff is for spins -1 and 1"):
        BlockSpin(b=2, rule="kadanoff", strength=1.0)(rg.Trace([up, zeros], times=[0, 1]))[1]
    with pytest.raises(rg.RegrainError, match="maps states of lattice; it was given ndarray"):
        BlockSpin(b=2)(up.values)  # type: ignore[call-overload]
    with pytest.raises(rg.RegrainError, match="no block of 4 spins"):
        BlockSpin(b=2, rule="average").lift(Spins(np.full((2, 2), 0.3)))
    with pytest.raises(rg.RegrainError, match="no block of 4 spins"):
        BlockSpin(b=2).lift(zeros)
    with pytest.raises(rg.RegrainError, match="give model= for"):
        BlockSpin(b=2, rule="decimation").lift(zeros)
    with pytest.raises(rg.RegrainError, match="over continuous spins are not offered"):
        BlockSpin(b=2, rule="direction").lift(angles)
    with pytest.raises(rg.RegrainError, match="majority does not know the spins of XY"):
        BlockSpin(b=2).fibre_entropy(XY((6, 8), couplings={"nn": 1.0}))
    with pytest.raises(rg.RegrainError, match="no number of configurations"):
        BlockSpin(b=2, rule="average").fibre_entropy(XY((6, 8), couplings={"nn": 1.0}))
    with pytest.raises(rg.RegrainError, match="take smaller blocks"):
        BlockSpin(b=6).fibre_entropy(Potts((6, 12), q=20, couplings={"field": 0}))
