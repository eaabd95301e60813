"""Decimation and blocks of chains: exact recursions, free energies, losses, and bad input."""

from itertools import pairwise, product

import numpy as np
import pytest

import regrain as rg
from regrain.atlas import ising_chain
from regrain.errors import RegrainError
from regrain.fits import BlockChain, Decimation
from regrain.fits.renormalization.bonds import (
    clock_series,
    ising_series,
    ising_series_in_field,
    potts_series,
    series_rate,
)
from regrain.fits.renormalization.markov import BlockProcess


def chain(k: float, field: float = 0.0, n: int = 60) -> rg.lattice.Ising:
    couplings = {"nn": k} | ({"field": field} if field else {})
    return rg.lattice.Ising(shape=(n,), couplings=couplings)


# ---------------------------------------------------------------- rows of bonds


@pytest.mark.parametrize("b", [2, 3, 4, 7])
@pytest.mark.parametrize(
    ("k", "h"), [(0.5, 0.1), (-0.5, 0.1), (2.0, 0.01), (20.0, 0.01), (-1.0, 2.0), (0.0, 0.3)]
)
def test_series_of_ising_bonds_are_matrix_powers(k: float, h: float, b: int) -> None:
    bond = np.array([[k + 2 * h, -k], [-k, k - 2 * h]])
    log_power = np.log(np.linalg.matrix_power(np.exp(bond - abs(k)), b)) + b * abs(k)
    (up, across), (_, down) = log_power
    exact = [(up + down - 2 * across) / 4, (up - down) / 4, (up + down + 2 * across) / 4]
    np.testing.assert_allclose(ising_series_in_field(k, h, b), exact, rtol=0, atol=2e-13)


@pytest.mark.parametrize("k", [1e-12, 1e-3, 0.4, 3.0, 19.0])
def test_tanh_to_the_power_of_b(k: float) -> None:
    for b in (2, 3, 2.5):
        after, _ = ising_series(k, b)
        assert np.tanh(after) == pytest.approx(np.tanh(k) ** b, rel=1e-12, abs=1e-300)
    # So cold that tanh is 1 in a float: K - ln(b)/2.
    assert ising_series(400.0, 3)[0] == pytest.approx(400 - np.log(3) / 2, abs=1e-12)
    assert ising_series(140.0, 3)[0] == pytest.approx(140 - np.log(3) / 2, abs=1e-12)


@pytest.mark.parametrize(("k", "q"), [(1.0, 3), (5.0, 4), (-1.0, 3), (0.01, 10)])
def test_series_of_potts_and_clocks(k: float, q: int) -> None:
    for b in (2, 3):
        log_power = np.log(np.linalg.matrix_power(np.exp(k * np.eye(q)), b))
        after, constant = potts_series(k, q, b)
        assert after == pytest.approx(log_power[0, 0] - log_power[0, 1], abs=1e-13)
        assert constant == pytest.approx(log_power[0, 1], abs=1e-13)
        angle = 2 * np.pi * np.subtract.outer(range(q), range(q)) / q
        harmonics = np.linspace(k, 0.3, q // 2)
        energy = sum(m * np.cos((i + 1) * angle) for i, m in enumerate(harmonics))
        log_power = np.log(np.linalg.matrix_power(np.exp(energy), b))
        found, constant = clock_series(harmonics, q, b)
        again = constant + sum(m * np.cos((i + 1) * angle) for i, m in enumerate(found))
        np.testing.assert_allclose(again, log_power, atol=1e-12)


def test_infinitesimal_series_are_derivatives() -> None:
    for k, h in ((0.4, 0.0), (0.4, 0.2), (1.5, -0.3)):
        up, down = ising_series_in_field(k, h, 1 + 1e-5), ising_series_in_field(k, h, 1 - 1e-5)
        slope = (np.array(up) - down)[:2] / 2e-5
        np.testing.assert_allclose(series_rate(k, h), slope, atol=1e-9)


# ---------------------------------------------------------------- decimation


def test_decimation_keeps_the_law_of_the_kept_spins() -> None:
    # Every third spin of a ring of nine against the ring of three, configuration by configuration.
    k, h, b = 0.6, 0.25, 3
    result = Decimation(b=b)(chain(k, h, n=9))
    spins = np.array(list(product([-1, 1], repeat=9)))
    weight = np.exp(k * (spins * np.roll(spins, -1, 1)).sum(1) + h * spins.sum(1))
    kept = spins[:, ::b]
    coarse = result.model
    assert coarse.shape == (3,)
    assert result.constant is not None
    for configuration in product([-1, 1], repeat=3):
        total = weight[(kept == configuration).all(axis=1)].sum()
        energy = float(coarse.energy(np.array(configuration)))
        assert np.log(total) == pytest.approx(-energy + 9 * result.constant, abs=1e-12)


@pytest.mark.parametrize(("k", "h"), [(1.0, 0.0), (0.3, 0.5), (2.5, 0.01)])
def test_free_energy_is_the_sum_of_the_constants(k: float, h: float) -> None:
    for b in (2, 3):
        flow = Decimation(b=b).flow(field=True)
        found = flow.free_energy({"nn": k, "field": h})
        assert found == pytest.approx(ising_chain.free_energy(k, h), abs=1e-13)
    potts = Decimation(b=2).flow(states=5).free_energy(k)
    assert potts == pytest.approx(-np.log(np.exp(k) + 4), abs=1e-13)


def test_decimation_of_other_chains() -> None:
    potts = rg.lattice.Potts(q=3, shape=(12,), couplings={"nn": 1.2})
    result = Decimation(b=2)(potts)
    assert type(result.model) is rg.lattice.Potts
    assert result.couplings["nn"] == pytest.approx(potts_series(1.2, 3, 2)[0])
    assert float(result.lost["closure"]) == 0.0
    four = Decimation(b=2)(rg.lattice.Clock(q=4, shape=(12,), couplings={"nn": 1.0}))
    assert four.couplings["nn"] == pytest.approx(2 * np.arctanh(np.tanh(0.5) ** 2))  # two Ising
    assert float(four.lost["closure"]) == 0.0
    assert dict(four.model.couplings) == {"nn": four.couplings["nn"]}
    # Five hands do not stay within the first harmonic; that costs little, and not nothing.
    five = Decimation(b=2)(rg.lattice.Clock(q=5, shape=(12,), couplings={"nn": 2.0}))
    assert abs(five.couplings["cos 2"]) > 1e-3
    assert 1e-6 < float(five.lost["closure"]) < 1e-2
    cosine = np.cos(2 * np.pi * np.arange(5) / 5)
    weight = np.exp(2.0 * cosine)
    two = np.fft.irfft(np.fft.rfft(weight) ** 2, 5)
    model = np.exp(dict(five.model.couplings)["nn"] * cosine)
    assert weight.sum() > 0
    assert model @ cosine / model.sum() == pytest.approx(two @ cosine / two.sum(), abs=1e-12)


def test_decimation_loses_the_entropy_of_the_summed_spins() -> None:
    result = Decimation(b=2)(chain(1.0))
    lost = result.lost["resolution"]
    # H(fine) = H(kept) + H(fine | kept), with entropies from free energies and energies.
    k = result.couplings["nn"]
    exact = ising_chain.entropy(1.0) - ising_chain.entropy(k) / 2
    assert float(lost) == pytest.approx(exact, abs=1e-13)
    assert float(lost) == pytest.approx(0.1083640189, abs=1e-10)
    assert lost.kind == "exact"
    assert float(result.lost["closure"]) == 0.0


def test_fixed_points_of_decimation() -> None:
    points = Decimation(b=3).flow(field=True).fixed_points()
    assert [p.couplings["nn"] for p in points] == [-np.inf, 0.0, np.inf]
    frozen, free, cold = points
    # Without coupling a field stays as it is: one of a line of fixed points.
    assert free.line
    assert free.exponents.tolist() == [0.0, -np.inf]
    assert free.kinds == ("marginal", "irrelevant")
    # tanh^b K with u = exp(-2K): u' = b u; a field on b aligned spins is b times as strong.
    np.testing.assert_allclose(cold.eigenvalues, [3.0, 3.0], rtol=1e-6)
    assert set(cold.coordinates) == {"exp(-2 nn)", "field"}
    np.testing.assert_allclose(sorted(frozen.eigenvalues), [1 / 3, 3], rtol=1e-6)


# ---------------------------------------------------------------- blocks by majority


def test_majority_of_three_loses_what_it_should() -> None:
    result = BlockChain(b=3)(chain(1.0))
    closure = result.lost["closure"]
    assert float(closure) == pytest.approx(2.1534601e-4, abs=5e-12)
    assert float(closure.error) < 1e-14
    assert closure.kind == "exact"
    assert "0.000215346 nats" in str(result)
    assert BlockChain(b=3).flow().step(1.0) == result.couplings["nn"]
    both = BlockChain(b=3).flow(field=True).step([1.0, 0.2])
    assert both == pytest.approx(BlockProcess(1.0, 0.2, 3).couplings)


@pytest.mark.parametrize(
    ("k", "h", "b"), [(1.0, 0.0, 3), (0.5, 0.3, 3), (0.8, 0.1, 4), (0.8, 0.0, 2)]
)
def test_block_process_by_enumeration(k: float, h: float, b: int) -> None:
    # All configurations of four blocks of an infinite chain, block by block.
    process = BlockProcess(k, h, b)
    step, law = process.fine
    spins = np.array(list(product([0, 1], repeat=4 * b)))
    p = law[spins[:, 0]] * np.prod(step[spins[:, :-1], spins[:, 1:]], axis=1)
    up = (1 - 2 * spins).reshape(len(spins), 4, b).sum(axis=2)
    share = np.where(up > 0, 1.0, np.where(up == 0, 0.5, 0.0))
    joint = np.zeros((2,) * 4)
    for y in product([0, 1], repeat=4):
        joint[y] = p @ np.prod([np.abs(i - share[:, n]) for n, i in enumerate(y)], axis=0)  # up: 0
    np.testing.assert_allclose(process.pairs, joint.sum(axis=(2, 3)), atol=1e-14)

    def entropy(q: np.ndarray) -> float:
        return float(-np.sum(q * np.log(q)))

    upper = entropy(joint) - entropy(joint.sum(axis=3))
    low, high = process.entropy_bounds
    assert low <= high <= upper + 1e-14
    assert upper - low < 3e-5
    # The closure has the same pairs, and is the closest: any other coupling is further away.
    kk, hh = process.couplings
    weight = np.exp([[kk + hh, -kk], [-kk, kk - hh]])
    values, vectors = np.linalg.eigh(weight)
    v = vectors[:, -1]
    np.testing.assert_allclose(weight * np.outer(v, v) / values[-1], process.pairs, atol=1e-12)


def test_the_block_law_is_a_shuffle_of_bounds() -> None:
    # The bounds close in from both sides with the length of the sequences, and hold each time.
    ranges = []
    for longest in (2, 3, 4, 16):
        ranges.append(BlockProcess(1.0, 0.0, 3, "majority", longest).entropy_bounds)
    for (low, high), (nearer_low, nearer_high) in pairwise(ranges):
        assert low <= nearer_low + 1e-15
        assert nearer_high <= high + 1e-15
    assert ranges[0][1] - ranges[0][0] > 1e-5
    assert ranges[-1][1] - ranges[-1][0] < 1e-14


def test_decimation_as_blocks_loses_no_closure() -> None:
    for k, h in ((1.0, 0.0), (0.7, 0.1)):
        exact = Decimation(b=3)(chain(k, h))
        blocks = BlockChain(b=3, rule="decimation")(chain(k, h))
        assert float(blocks.lost["closure"]) < 1e-13
        assert blocks.couplings == pytest.approx(exact.couplings, abs=1e-12)
        assert float(blocks.lost["resolution"]) == pytest.approx(float(exact.lost["resolution"]))
        # Majority tells more about the fine spins than one of them does.
        majority = BlockChain(b=3)(chain(k, h))
        assert float(majority.lost["closure"]) > 1e-6


def test_cold_chains_and_strong_fields_keep_their_digits() -> None:
    for k in (10.0, 40.0, 140.0):
        for b in (3, 5):
            blocks = BlockProcess(k, 0.0, b)
            # Walls between blocks are as likely as in b bonds of the chain: K' = K - ln(b)/2.
            assert blocks.couplings == pytest.approx((k - np.log(b) / 2, 0.0), abs=1e-8)
            assert 0 <= blocks.closure_loss[0] < 1e-8
            assert 0 <= blocks.resolution_loss < 1e-7
    strong = ising_series_in_field(1.0, 40.0, 3)
    bond = np.array([[81.0, -1.0], [-1.0, -79.0]])
    mixed = np.logaddexp(bond[0, 0] * 2 + bond[0, 1], bond[0, 0] + bond[0, 1] + bond[1, 1])
    assert strong[0] + 2 * strong[1] + strong[2] == pytest.approx(243.0, abs=1e-12)
    assert strong[2] - strong[0] == pytest.approx(mixed, abs=1e-9)
    with pytest.raises(RegrainError, match="beyond 150"):
        BlockChain()(chain(200.0))


def test_free_spins_lose_nothing_but_themselves() -> None:
    process = BlockProcess(0.0, 0.0, 3)
    assert process.closure_loss[0] < 1e-14
    assert process.resolution_loss == pytest.approx(np.log(2) * 2 / 3)
    assert BlockProcess(0.0, 0.0, 2).resolution_loss == pytest.approx(
        np.log(2) * 0.75  # both spins given the block: 3/4 of what they had
    )


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("fit", [Decimation, BlockChain])
@pytest.mark.parametrize("b", [1, 0, 2.5, float("nan")])
def test_bad_b(fit: type, b: float) -> None:
    with pytest.raises(RegrainError, match="2 or more, and whole"):
        fit(b=b)


def test_bad_models() -> None:
    with pytest.raises(RegrainError, match="chain lattices, got a square one"):
        Decimation()(rg.lattice.Ising(shape=(8, 8), couplings={"nn": 0.4}))
    with pytest.raises(RegrainError, match="couplings nn, field of an Ising model, got nnn too"):
        Decimation()(rg.lattice.Ising(shape=(8,), couplings={"nn": 0.4, "nnn": 0.1}))
    with pytest.raises(RegrainError, match="got BlumeCapel"):
        Decimation()(rg.lattice.BlumeCapel(shape=(8,), couplings={"nn": 0.4}))
    with pytest.raises(RegrainError, match="couplings nn of a Potts model, got field too"):
        Decimation()(rg.lattice.Potts(q=3, shape=(8,), couplings={"nn": 0.4, "field": 0.1}))
    with pytest.raises(RegrainError, match="periodic"):
        Decimation()(rg.lattice.Ising(shape=(8,), couplings={"nn": 0.4}, periodic=False))
    with pytest.raises(RegrainError, match=r"such as rg\.lattice\.Ising, got str"):
        Decimation()("a chain")
    with pytest.raises(RegrainError, match="got Potts"):
        BlockChain()(rg.lattice.Potts(q=3, shape=(9,), couplings={"nn": 0.4}))
    result = Decimation(b=3)(chain(1.0, n=20))  # couplings do not mind
    with pytest.raises(RegrainError, match=r"b = 3 does not divide the lattice \(20,\)"):
        result.model  # noqa: B018
    with pytest.raises(RegrainError, match="'majority' or 'decimation'"):
        BlockChain(rule="average")  # type: ignore[arg-type]
    with pytest.raises(RegrainError, match="states is 1"):
        Decimation().flow(states=1)
    with pytest.raises(RegrainError, match="states of a Potts chain, or the hands"):
        Decimation().flow(states=3, hands=3)
    with pytest.raises(RegrainError, match="field of an Ising chain"):
        Decimation().flow(states=3, field=True)
    with pytest.raises(RegrainError, match="b must be whole"):
        ising_series(-1.0, 2.5)
