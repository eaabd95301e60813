"""Elastic networks: which beads are joined, exact vibrations, and force constants found again."""

import pickle
from typing import Any

import numpy as np
import pytest

import regrain as rg
from regrain.fits.springs.fluctuations import match_fluctuations
from regrain.fits.springs.modes import covariance, directions, floppy, hessian, rigid_motions
from regrain.particles import (
    ForceField,
    HarmonicBond,
    Langevin,
    LennardJones,
    Network,
    Particles,
    Topology,
)

RNG = np.random.default_rng(4)
N = 10
PLACES = RNG.random((N, 3)) * 1.2
CHAIN = Topology(["BB"] * N, bonds=[(i, i + 1) for i in range(N - 1)])
ALL = np.stack(np.triu_indices(N, 1), axis=1)
APART = ALL[ALL[:, 1] - ALL[:, 0] >= 3]


def state(places: np.ndarray = PLACES, **more: Any) -> Particles:
    return Particles((places + 0.5) % 4.0, **{"box": [4.0] * 3, "topology": CHAIN, **more})


def sampled(
    places: np.ndarray, pairs: np.ndarray, k: np.ndarray, frames: int, seed: int, size: float = 1e-4
) -> Any:
    """Frames drawn from the Gaussian of a network, with kT = size² so that all is linear."""
    whole = covariance(places, pairs, k, kt=size**2)
    values, vectors = np.linalg.eigh(whole)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    moves = np.random.default_rng(seed).normal(size=(frames, whole.shape[0])) @ root.T
    frames_at = places + moves.reshape(frames, -1, 3)
    topology = Topology(["BB"] * len(places), bonds=[(i, i + 1) for i in range(len(places) - 1)])
    return rg.Trace([state(x, topology=topology) for x in frames_at], times=np.arange(frames))


# ------------------------------------------------------------------ vibrations


def test_the_hessian_is_that_of_the_anisotropic_network_model() -> None:
    # Atilgan et al. 2001, eq. 5: off-diagonal blocks -k r r^T / r², diagonal ones minus their sum.
    k = RNG.uniform(1, 5, len(ALL))
    found = hessian(PLACES, ALL, k).reshape(N, 3, N, 3)
    for (i, j), stiffness in zip(ALL, k, strict=True):
        r = PLACES[j] - PLACES[i]
        block = -stiffness * np.outer(r, r) / (r @ r)
        assert np.allclose(found[i, :, j], block, atol=1e-12)
    assert np.allclose(found.sum(axis=2), 0.0, atol=1e-12)
    values = np.linalg.eigvalsh(found.reshape(3 * N, 3 * N))
    assert np.sum(np.abs(values) < 1e-9 * values[-1]) == 6
    # And that of the engine: forces of small displacements.
    network = Network(
        pairs=ALL, k=k, r0=np.linalg.norm(PLACES[ALL[:, 1]] - PLACES[ALL[:, 0]], axis=1)
    )
    field = ForceField({("BB", "BB"): None}, bonds={("BB", "BB"): None}, network=network)
    step = 1e-6
    for coordinate in (0, 4, 29):
        moved = PLACES.reshape(-1).copy()
        moved[coordinate] += step
        forces = field.evaluate(state(moved.reshape(N, 3))).forces.reshape(-1)
        assert np.allclose(-forces / step, found.reshape(3 * N, 3 * N)[coordinate], atol=1e-3)


def test_two_and_three_beads_in_closed_form() -> None:
    pair, spring = np.array([[0.0, 0, 0], [0.3, 0.4, 0]]), np.array([[0, 1]])
    whole = covariance(pair, spring, np.array([4.0]), kt=2.0)
    row = directions(pair, spring)[0]
    assert row @ whole @ row == pytest.approx(0.5)  # kT / k
    # Each of two equal beads has half of the displacement: <u²> = kT / 4 k.
    assert np.trace(whole[:3, :3]) == pytest.approx(2.0 / 16.0)
    # A triangle has three inner motions and three springs: each is alone, <Δl²> = kT / k.
    triangle, sides = RNG.random((3, 3)), np.array([[0, 1], [0, 2], [1, 2]])
    k = np.array([2.0, 5.0, 11.0])
    whole, rows = covariance(triangle, sides, k, kt=3.0), directions(triangle, sides)
    assert np.diag(rows @ whole @ rows.T) == pytest.approx(3.0 / k, rel=1e-9)


def test_b_factors_of_a_linear_chain() -> None:
    # n beads on a line, springs k: along the line <u_i²> = kT/k · (L⁺)_ii, and for a path
    # (L⁺)_ii = (n + 1)(2 n + 1)/(6 n) − i (n + 1 − i)/n with i = 1 … n (from the cosine modes).
    n, k, kt = 9, 3.0, 2.0
    line, springs = np.zeros((n, 3)), np.stack([np.arange(n - 1), np.arange(1, n)], axis=1)
    line[:, 0] = np.arange(n)
    along = hessian(line, springs, np.full(n - 1, k))[::3, ::3]
    found = kt * np.diag(np.linalg.pinv(along))
    i = np.arange(1, n + 1)
    wanted = kt / k * ((n + 1) * (2 * n + 1) / (6 * n) - i * (n + 1 - i) / n)
    assert np.allclose(found, wanted)
    # As a body in space it is floppy: it bends across both ways.
    count, _ = floppy(line, springs, np.full(n - 1, k))
    assert count == 3 * n - 5 - (n - 1)
    with pytest.raises(rg.RegrainError, match="the network is floppy: 14 motions cost no energy"):
        covariance(line, springs, np.full(n - 1, k), kt=kt)


def test_rigid_motions_of_points_lines_and_bodies() -> None:
    assert rigid_motions(PLACES).shape == (3 * N, 6)
    assert rigid_motions(np.outer(np.arange(4.0), [1.0, 2.0, 3.0])).shape == (12, 5)
    assert rigid_motions(np.ones((1, 3))).shape == (3, 3)
    assert np.abs(directions(PLACES, ALL) @ rigid_motions(PLACES)).max() < 1e-12


# ------------------------------------------------------------------ one structure


def test_which_beads_are_joined() -> None:
    found = rg.fits.ElasticNetwork(cutoff=0.8, lower=0.2, k=500.0, separation=3)(state())
    length = np.linalg.norm(PLACES[ALL[:, 1]] - PLACES[ALL[:, 0]], axis=1)
    wanted = (length <= 0.8) & (length >= 0.2) & (ALL[:, 1] - ALL[:, 0] >= 3)
    assert found.network.pairs.tolist() == ALL[wanted].tolist()
    assert np.allclose(found.network.r0, length[wanted])
    assert set(found.network.k.tolist()) == {500.0}
    assert found.model.network == found.network
    assert found.model.evaluate(state()).energy == pytest.approx(0.0, abs=1e-18)
    assert pickle.loads(pickle.dumps(found.model)) == found.model
    assert ForceField.from_dict(found.model.to_dict()) == found.model
    every = rg.fits.ElasticNetwork(cutoff=9.0, k=1.0, separation=1)
    assert len(every(state(box=[30.0] * 3)).network) == len(ALL)


def test_a_function_of_the_distance() -> None:
    # martinize: k exp(-a (r - lower)^p); others: k (r1 / r)^p.
    for law in (lambda r: 500 * np.exp(-2.0 * (r - 0.2)), lambda r: 300 * (0.4 / r) ** 6):
        found = rg.fits.ElasticNetwork(cutoff=0.8, lower=0.2, k=law)(state())
        assert np.allclose(found.network.k, law(found.network.r0))
    with pytest.raises(rg.RegrainError, match="finite and not negative"):
        rg.fits.ElasticNetwork(cutoff=0.8, k=lambda r: r - 10)(state())


def test_chains_residues_and_names() -> None:
    # Two chains of five; side beads "SC" are bonded to every second "BB".
    names = np.array(["BB", "SC"] * 5)
    bonds = [(0, 2), (2, 4), (6, 8), (0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
    topology = Topology(names, bonds=bonds, residues=np.arange(10) // 2)
    start = state(topology=topology)
    inner = rg.fits.ElasticNetwork(cutoff=2.0, k=1.0, separation=1, select=["BB"])(start)
    assert inner.network.pairs.tolist() == [[0, 2], [0, 4], [2, 4], [6, 8]]
    apart = rg.fits.ElasticNetwork(cutoff=2.0, k=1.0, separation=2, by="residues")(start)
    assert [2, 4] not in apart.network.pairs.tolist()
    assert [0, 4] in apart.network.pairs.tolist()
    assert [4, 6] not in apart.network.pairs.tolist()
    across = rg.fits.ElasticNetwork(cutoff=2.0, k=1.0, select=["BB"], within="all")(start)
    assert [4, 6] in across.network.pairs.tolist()
    assert [0, 2] not in across.network.pairs.tolist()


def test_it_goes_on_top_of_a_model() -> None:
    wca = LennardJones(epsilon=1.0, sigma=0.2, cutoff=0.2245, mode="shifted")
    below = ForceField({("BB", "BB"): wca}, bonds={("BB", "BB"): HarmonicBond(k=9.0, r0=0.4)})
    found = rg.fits.ElasticNetwork(cutoff=0.8, k=500.0, model=below)(state())
    assert found.model == below.replace(network=found.network)
    alone = below.evaluate(state())
    assert found.model.evaluate(state()).energy == pytest.approx(alone.energy)


def test_across_the_border_of_the_box() -> None:
    fit = rg.fits.ElasticNetwork(cutoff=1.2, k=5.0, temperature=1.0, separation=1)
    whole, split = fit(state()), fit(state(PLACES + 2.9))
    assert np.array_equal(split.network.pairs, whole.network.pairs)
    assert np.allclose(split.network.r0, whole.network.r0)
    assert np.allclose(split.predicted, whole.predicted)


# ------------------------------------------------------------------ matched fluctuations


def test_matched_fluctuations_are_exact() -> None:
    k = RNG.uniform(1.0, 9.0, len(ALL))
    whole, rows = covariance(PLACES, ALL, k, kt=2.5), directions(PLACES, ALL)
    found, _ = match_fluctuations(PLACES, ALL, np.diag(rows @ whole @ rows.T), kt=2.5)
    assert np.allclose(found, k, rtol=1e-9)


def test_where_a_spring_would_have_to_push_there_is_none() -> None:
    k = RNG.uniform(1.0, 9.0, len(ALL))
    whole, rows = covariance(PLACES, ALL, k, kt=1.0), directions(PLACES, ALL)
    wanted = np.diag(rows @ whole @ rows.T) * RNG.uniform(0.5, 2.0, len(ALL))
    found, _ = match_fluctuations(PLACES, ALL, wanted, kt=1.0)
    on = found > 0
    assert 0 < on.sum() < len(ALL)
    has = np.diag(rows @ covariance(PLACES, ALL[on], found[on], kt=1.0) @ rows.T)
    assert np.allclose(has[on], wanted[on], rtol=1e-8)
    assert np.all(has[~on] < wanted[~on])  # so a spring would make it worse: the best there is
    # The iteration of Lyman et al. goes to the same place, slowly.
    slow = np.ones(len(ALL))
    for _ in range(20000):
        now = np.diag(rows @ covariance(PLACES, ALL, np.maximum(slow, 1e-12), kt=1.0) @ rows.T)
        slow = np.maximum(slow - 0.3 * (1.0 / now - 1.0 / wanted), 1e-12)
        if np.abs(now[on] / wanted[on] - 1).max() < 1e-4:
            break
    assert np.allclose(slow[on], found[on], rtol=0.02, atol=0.02)


def test_the_response_is_the_derivative() -> None:
    variances = RNG.uniform(0.5, 1.5, len(APART)) * 1e-2
    pairs = ALL
    variances = np.full(len(pairs), 0.1)
    k, response = match_fluctuations(PLACES, pairs, variances, kt=1.0)
    moved = variances.copy()
    moved[3] *= 1.0 + 1e-5
    after, _ = match_fluctuations(PLACES, pairs, moved, kt=1.0)
    on = (k > 1e-6) & (after > 1e-6)
    assert np.allclose(
        (after - k)[on] / (1e-5 * 0.1), response[on, 3], rtol=2e-3, atol=1e-3 * k.max()
    )


def test_a_known_network_comes_back_and_its_errors_cover() -> None:
    k = RNG.uniform(20.0, 60.0, len(ALL))
    sigmas: list[float] = []
    for seed in range(6):
        trace = sampled(PLACES, ALL, k, frames=2000, seed=seed)
        found = rg.fits.ElasticNetwork(cutoff=2.5, separation=1, temperature=1e-8)(trace)
        index = {tuple(p): i for i, p in enumerate(ALL.tolist())}
        which = [index[tuple(p)] for p in found.network.pairs.tolist()]
        sigmas += ((found.network.k - k[which]) / found.errors["network"]).tolist()
        assert found.correlation > 0.98
    assert len(sigmas) > 200
    assert 0.9 < np.mean(np.abs(sigmas) < 2.0) < 0.99
    assert abs(np.mean(sigmas)) < 0.35
    # Beads as the trace has them: laid over each other, but for what sampling leaves.
    assert np.allclose(found.predicted, found.measured, rtol=0.08)


def test_a_simulated_network_comes_back() -> None:
    # kT so small that the springs are nearly linear; masses and friction as they come.
    k = np.linspace(200.0, 500.0, len(ALL))
    r0 = np.linalg.norm(PLACES[ALL[:, 1]] - PLACES[ALL[:, 0]], axis=1)
    field = ForceField({("BB", "BB"): None}, bonds={("BB", "BB"): None},
                       network=Network(pairs=ALL, k=k, r0=r0), temperature=1e-3)  # fmt: skip
    trace = field.run(
        state(), time=600, dt=0.01, every=0.2, seed=2, dynamics=Langevin(friction=2.0)
    )
    found = rg.fits.ElasticNetwork(cutoff=2.5, separation=1, temperature=1e-3)(trace[100:])
    index = {tuple(p): i for i, p in enumerate(ALL.tolist())}
    which = [index[tuple(p)] for p in found.network.pairs.tolist()]
    sigmas = (found.network.k - k[which]) / found.errors["network"]
    assert len(which) > 35
    assert np.mean(np.abs(sigmas) < 2.0) > 0.8
    total = found.network.k.sum() / k[which].sum()
    assert total == pytest.approx(1.0, abs=0.06)


def test_a_uniform_network_predicts_and_compares() -> None:
    trace = sampled(PLACES, ALL, np.full(len(ALL), 10.0), frames=400, seed=9)
    found = rg.fits.ElasticNetwork(cutoff=2.5, k=10.0, separation=1, temperature=1e-8)(trace)
    assert found.correlation > 0.9  # all fluctuate nearly alike
    assert np.allclose(found.b_factors, 8 * np.pi**2 / 3 * found.predicted**2)
    assert "correlation" in str(found)
    assert found.converged
    assert found.history == ()
    ax = found.plot()
    assert len(ax.lines) == 2
    assert found.plot(label="springs").get_ylabel() == "k"
    with pytest.raises(rg.RegrainError, match="no 'x' in this fit"):
        found.plot(label="x")


# ------------------------------------------------------------------ what cannot be made


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cutoff": 0.0}, "cutoff is 0.0; give a number above 0"),
        ({"cutoff": 0.3, "lower": 0.4}, "cutoff is 0.3; give a number above 0.4"),
        ({"lower": -0.1}, "lower is -0.1"),
        ({"k": -3.0}, "k is -3.0; give a positive"),
        ({"k": np.nan}, "k is nan"),
        ({"separation": 0}, "separation is 0"),
        ({"by": "atoms"}, "by is 'atoms'; give bonds or residues"),
        ({"within": "box"}, "within is 'box'"),
        ({"select": "BB"}, "give a list of names"),
        ({"k": None}, "needs temperature="),
        ({"temperature": 0.0}, "temperature is 0.0"),
    ],
)
def test_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        rg.fits.ElasticNetwork(**{"cutoff": 0.9, "k": 500.0, **settings})


def test_targets_that_make_no_network() -> None:
    fit = rg.fits.ElasticNetwork(cutoff=0.8, k=500.0)
    with pytest.raises(rg.RegrainError, match="needs Particles or a Trace"):
        fit([1, 2])
    with pytest.raises(rg.RegrainError, match="no bonds, so it has no molecules"):
        fit(state(topology=Topology(["BB"] * N)))
    with pytest.raises(rg.RegrainError, match="select names CA, but the beads are called BB"):
        rg.fits.ElasticNetwork(cutoff=0.8, k=500.0, select=["CA"])(state())
    with pytest.raises(rg.RegrainError, match=r"no two beads are between 0 and 0\.01 apart"):
        rg.fits.ElasticNetwork(cutoff=0.01, k=500.0)(state())
    with pytest.raises(rg.RegrainError, match="the model is in 'reduced' units"):
        rg.fits.ElasticNetwork(cutoff=0.8, k=5.0, model=ForceField({("BB", "BB"): None}))(
            state(units="md")
        )
    matched = rg.fits.ElasticNetwork(cutoff=0.8, temperature=1.0)
    with pytest.raises(rg.RegrainError, match="a trace of many frames, got one structure"):
        matched(state())
    with pytest.raises(rg.RegrainError, match="a trace of many frames"):
        matched(rg.Trace([state()], times=[0.0]))
    still = rg.Trace([state()] * 5, times=np.arange(5.0))
    with pytest.raises(rg.RegrainError, match="does not fluctuate: it is a constraint"):
        rg.fits.ElasticNetwork(cutoff=2.5, separation=1, temperature=1.0)(still)
    far = np.concatenate([PLACES[:5], PLACES[5:] + 1.9])
    two = Topology(
        ["BB"] * N, bonds=[(0, 1), (1, 2), (2, 3), (3, 4), (5, 6), (6, 7), (7, 8), (8, 9)]
    )
    moving = rg.Trace(
        [state(far + 0.01 * RNG.normal(size=far.shape), topology=two, box=[9.0] * 3)
         for _ in range(9)], times=np.arange(9.0),
    )  # fmt: skip
    with pytest.raises(rg.RegrainError, match="the network is floppy: 6 motions"):
        rg.fits.ElasticNetwork(cutoff=1.9, separation=1, temperature=1.0)(moving)
    loose = rg.fits.ElasticNetwork(cutoff=1.9, separation=1, k=5.0, temperature=1.0)(moving)
    assert loose.floppy == 6  # on top of a model two chains may be two networks
    assert "! floppy by itself: 6 motions" in str(loose)
    with pytest.raises(rg.RegrainError, match="floppy"):
        _ = loose.predicted
    single = rg.fits.ElasticNetwork(cutoff=0.8, k=5.0)(state())
    with pytest.raises(rg.RegrainError, match="fluctuations need a temperature"):
        _ = single.b_factors
    with pytest.raises(rg.RegrainError, match="one structure has no fluctuations"):
        _ = single.correlation
