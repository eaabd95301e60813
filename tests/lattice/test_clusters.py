"""Moves of clusters and exchanges of spins against enumeration of all configurations."""

import numpy as np
import pytest
from scipy.special import iv

import regrain as rg
from regrain.lattice import XY, BlumeCapel, Clock, Coupling, Ising, LatticeModel, Potts
from tests.lattice.enumeration import configurations, deviations, exact, measured, same_bits

METHODS = ("swendsen-wang", "wolff")
MODELS = [
    Ising((4, 4), couplings={"nn": 0.4}),
    Ising((4, 4), couplings={"nn": 0.3, "nnn": -0.15, "field": 0.1}),
    Ising((4, 4), couplings={"nn": 0.4, "nnn": 0.1, "field": -0.2}, periodic=False),
    Ising((3, 4), couplings={"nn": 0.25, "field": 0.05}, lattice="triangular"),
    Ising((3, 5), couplings={"nn": -0.3}, periodic=(True, False)),
    Ising((4, 4), couplings={Coupling([(0, 0), (0, 1)], symmetric=False): 0.6}),
    Ising((2, 2, 3), couplings={"nn": 0.3}, periodic=(False, False, True)),
    Ising((9,), couplings={"nn": 0.7, "nnn": 0.2}),
    Potts((3, 3), q=3, couplings={"nn": 0.8, "field": 0.1}),
    Potts((2, 4), q=4, couplings={"nn": 0.9, "nnn": 0.2}, periodic=False),
    Clock((3, 3), q=4, couplings={"nn": 0.7}),
    Clock((2, 3), q=5, couplings={"nn": 0.9, "nnn": -0.2}, periodic=False),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_averages_are_those_over_all_configurations(model: LatticeModel, method: str) -> None:
    expected = exact(model)
    # A sweep of Wolff is one cluster.
    every = 1 if method == "swendsen-wang" else 3
    run = {"sweeps": 400 * every, "every": every, "burn_in": 60, "replicas": 128, "method": method}
    # Some two hundred numbers in all: one in 10^5 is beyond 4.5 sigma.
    assert np.abs(deviations(model, expected, **run, seed=3)).max() < 4.5
    wrong = model.with_strengths(1.3 * model.strengths)
    assert np.abs(deviations(wrong, expected, **run, seed=4)).max() > 8


@pytest.mark.parametrize("method", METHODS)
def test_rings_of_angles(method: str) -> None:
    # See test_single_spin.
    n, m, coupling = 6, np.arange(-60, 61), 2.0
    slope = (iv(m - 1, coupling) + iv(m + 1, coupling)) / 2
    expected = np.sum(iv(m, coupling) ** (n - 1) * slope) / np.sum(iv(m, coupling) ** n)
    model = XY((n,), couplings={"nn": coupling})
    trace = model.run(sweeps=2000, every=4, burn_in=100, replicas=128, seed=1, method=method)
    means = model.sums(trace).mean(axis=0)[:, 0] / n
    error = means.std(ddof=1) / np.sqrt(len(means))
    assert error < 0.005
    assert abs(means.mean() - expected) < 4 * error


def bonds_of_words(bits: np.ndarray) -> np.ndarray:
    """Bonds per site of frames of 64 sites per row, whose rows are whole words."""
    rows = bits.view(np.uint64).reshape(*bits.shape[:-1], -1, 64)
    unlike = [rows ^ np.roll(rows, 1, axis=-1), rows ^ ((rows << 1) | (rows >> 63))]
    ones = np.array([bin(k).count("1") for k in range(256)], np.uint8)
    broken = sum(ones[x.view(np.uint8)].sum(axis=-1, dtype=np.int64) for x in unlike)
    return 2 - 2 * broken / 64**2


@pytest.mark.parametrize("method", ["metropolis", "heat bath", "replica metropolis"])
@pytest.mark.parametrize("coupling", [0.35, -0.25])
def test_energies_are_those_of_kaufman(coupling: float, method: str) -> None:
    # Kaufman, Phys. Rev. 76, 1232 (1949): the energy of a finite torus, here to 10^-4.
    model = Ising((64, 64), couplings={"nn": coupling})
    replicas = 64 if method == "replica metropolis" else 16
    trace = model.run(
        sweeps=800_000 // replicas,
        every=8,
        burn_in=300,
        replicas=replicas,
        method=method,
        seed=11,
    )
    bonds = bonds_of_words(trace.frames.bits.reshape(len(trace), replicas, -1))[..., 0]
    # Blocks in time, as the replicas of the last method know a little of each other.
    blocks = bonds.mean(axis=1)[: len(bonds) // 25 * 25].reshape(25, -1).mean(axis=1)
    error = blocks.std(ddof=1) / 5
    assert error < 1.4e-4 if method != "replica metropolis" else error < 4e-4
    expected = rg.atlas.Torus(model.shape, coupling).energy
    assert abs(-blocks.mean() - expected) < 3 * error


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (Ising((64, 64), couplings={"nn": 0.44}), "swendsen-wang"),
        (Ising((30, 46), couplings={"nn": 0.44}), "wolff"),
        (Ising((30, 46), couplings={"nn": 0.30}), "metropolis"),
    ],
    ids=str,
)
def test_energies_of_other_methods_are_those_of_kaufman(model, method) -> None:
    expected = rg.atlas.Torus(model.shape, model.couplings["nn"]).energy
    trace = model.run(sweeps=400, every=4, burn_in=200, replicas=16, method=method, seed=11)
    bonds = model.sums(trace).mean(axis=0)[:, 0] / model.size
    error = bonds.std(ddof=1) / 4
    assert error < 5e-3
    assert abs(-bonds.mean() - expected) < 3 * error


def test_strips_of_bits_have_the_energy_of_their_torus() -> None:
    # Shapes that are done as bits, in both dimensions, against single spins one by one.
    cubic = Ising((32, 4, 64), couplings={"nn": 0.15})
    open_ended = cubic.replace(shape=(34, 4, 62))  # has no place for whole words
    found = []
    for model in (cubic, open_ended):
        trace = model.run(sweeps=300, every=3, burn_in=50, replicas=16, method="metropolis", seed=2)
        means = model.sums(trace).mean(axis=0)[:, 0] / model.size
        found.append((means.mean(), means.std(ddof=1) / 4))
    (a, da), (b, db) = found
    assert abs(a - b) < 4 * np.hypot(da, db)


CONSERVED = [
    Ising((4, 4), couplings={"nn": 0.3, "plaquette": 0.2, "three": 0.1}),
    Ising((4, 3), couplings={"nn": -0.4, "field": 0.3}, periodic=(False, True)),
    Ising((3, 4), couplings={"nn": 0.3}, lattice="triangular"),
    BlumeCapel((3, 3), couplings={"nn": 0.5, "crystal": 0.3, "biquadratic": 0.4}),
    BlumeCapel((2, 4), couplings={Coupling([(0, 0), (0, 0), (0, 1)]): 0.6}, periodic=False),
    Potts((3, 3), q=3, couplings={"nn": 0.6, "plaquette": 0.3}),
    Clock((2, 4), q=4, couplings={"nn": 0.8}, periodic=False),
]


@pytest.mark.parametrize("model", CONSERVED, ids=repr)
def test_exchanges_sample_what_has_the_spins_of_the_start(model: LatticeModel) -> None:
    start = model.start(seed=5)
    assert model.site_values is not None
    every = configurations(tuple(model.site_values.tolist()), model.shape)
    axes = tuple(range(1, every.ndim))
    same = np.all(
        [(every == v).sum(axis=axes) == (start.values == v).sum() for v in model.site_values],
        axis=0,
    )
    weights = np.exp(-model.energy(every[same]))
    expected = weights @ measured(model, every[same]) / weights.sum()
    run = {"sweeps": 600, "every": 3, "burn_in": 50, "replicas": 128, "method": "kawasaki"}
    found = deviations(model, expected, state=start, **run, seed=3)
    assert np.abs(found).max() < 4.5
    wrong = model.with_strengths(1.5 * model.strengths)
    assert np.abs(deviations(wrong, expected, state=start, **run, seed=4)).max() > 8
    values = np.sort(model.run(start, sweeps=20, method="kawasaki")[-1].values.ravel())
    np.testing.assert_array_equal(values, np.sort(start.values.ravel()))


RUNS = [
    (Ising((100, 70), couplings={"nn": 0.44}), "swendsen-wang"),
    (Ising((100, 70), couplings={"nn": 0.44, "field": 0.01}), "swendsen-wang"),
    (Potts((100, 70), q=5, couplings={"nn": 1.17}), "swendsen-wang"),
    (XY((100, 70), couplings={"nn": 1.1}), "swendsen-wang"),
    (Ising((100, 70), couplings={"nn": 0.44}), "wolff"),
    (XY((100, 70), couplings={"nn": 1.1}), "wolff"),
    (Ising((100, 70), couplings={"nn": 0.44}), "kawasaki"),
    (Ising((256, 256), couplings={"nn": 0.44}), "metropolis"),
    (Ising((32, 6, 64), couplings={"nn": 0.22}), "heat bath"),
    (Ising((100, 70), couplings={"nn": 0.44}), "replica metropolis"),
]


@pytest.mark.parametrize(("model", "method"), RUNS)
@pytest.mark.parametrize("replicas", [1, 3])
def test_threads_and_interruptions_change_no_bit(model, method, replicas, tmp_path) -> None:
    settings = {"every": 2, "burn_in": 1, "method": method, "replicas": replicas, "seed": 2}
    same_bits(model, tmp_path / "run.npz", **settings)


@pytest.mark.parametrize("shape", [(4, 4), (4, 6)])
@pytest.mark.parametrize("replicas", [3, 64, 300])
def test_replicas_in_the_bits_of_words(shape, replicas) -> None:
    # Each replica alone must sample the right weight; blocks in time give the error.
    for strength in (0.35, -0.3):
        model = Ising(shape, couplings={"nn": strength})
        exactly = exact(Ising((4, 4), couplings=model.couplings)) if shape == (4, 4) else None
        trace = model.run(
            sweeps=4000, every=4, burn_in=50, replicas=replicas, method="replica metropolis", seed=1
        )
        found = measured(model, trace.stacked("values"))
        if exactly is None:
            bonds = -rg.atlas.Torus(shape, strength).energy * model.size
            found, exactly = found[..., :1], np.array([bonds])
        for one in (found.mean(axis=1), found[:, 0], found[:, -1]):
            blocks = one.reshape(20, 50, -1).mean(axis=1)
            error = blocks.std(axis=0, ddof=1) / np.sqrt(20)
            assert np.all(np.abs(blocks.mean(axis=0) - exactly) < 4.5 * error)


def test_replicas_that_share_draws_stay_different() -> None:
    # One draw for all replicas at a site would let them run together.
    model = Ising((16, 16), couplings={"nn": 0.2})
    last = model.run("up", sweeps=400, replicas=128, method="replica metropolis", seed=1)[-1]
    flat = last.values.reshape(128, -1).astype(float)
    overlaps = (flat @ flat.T / flat.shape[1])[np.triu_indices(128, 1)]
    # Independent systems have a mean overlap of zero and a variance of sum_r <s_0 s_r>^2 / n.
    assert abs(overlaps.mean()) < 0.03
    assert overlaps.std() < 2 / 16


def test_methods_refuse_models_that_they_cannot_serve() -> None:
    for model, message in [
        (Ising((4, 4), couplings={"plaquette": 0.1}), "a coupling has 4 sites"),
        (BlumeCapel((4, 4), couplings={"nn": 0.1}), "never change where zeros are"),
        (Clock((4, 4), q=5, couplings={"nn": 0.1, "field": 0.1}), "know nothing of a field"),
        (XY((4, 4), couplings={"nn": 0.1, "field": 0.1}), "know nothing of a field"),
    ]:
        for method in METHODS:
            with pytest.raises(rg.RegrainError, match=message):
                model.run(sweeps=1, method=method)
    for model in (
        Ising((4, 5), couplings={"nn": 0.1}),
        Ising((4, 4), couplings={"nn": 0.1}, periodic=False),
        Ising((4, 4), couplings={"nn": 0.1, "field": 0.1}),
        Ising((4, 4), couplings={"nn": 0.1}, lattice="triangular"),
    ):
        with pytest.raises(rg.RegrainError, match="replicas share draws in"):
            model.run(sweeps=1, method="replica metropolis")
    with pytest.raises(rg.RegrainError, match="at most 512"):
        Ising((4, 4), couplings={"nn": 0.1}).run(
            sweeps=1, replicas=513, method="replica metropolis"
        )


def test_automatic_choices() -> None:
    def chosen(model: LatticeModel) -> str:
        return model.run(sweeps=1).provenance["method"]

    assert chosen(Ising((4, 4), couplings={"nn": 0.4, "plaquette": 0.0})) == "swendsen-wang"
    assert chosen(Potts((4, 4), q=3, couplings={"nn": 0.4})) == "swendsen-wang"
    assert chosen(Ising((4, 4), couplings={"nn": 0.4, "nnn": -0.1})) == "metropolis"
    assert chosen(Ising((4, 4), couplings={"nn": 0.4, "field": 0.1})) == "metropolis"
    assert chosen(BlumeCapel((4, 4), couplings={"nn": 0.4})) == "metropolis"
    assert chosen(Ising((4, 4), couplings={})) == "metropolis"
