"""Bonds, angles, dihedrals and neighbour angles against analytic densities and brute force."""

import numpy as np
import pytest

from regrain import Trace
from regrain.errors import RegrainError
from regrain.observables import Angles, BondAngles, BondLengths, Dihedrals
from regrain.particles import Particles, Topology

BOX = np.array([[6.0, 0, 0], [1.7, 5.5, 0], [-2.1, 0.9, 5.8]])


def trace_of(*states: Particles) -> Trace[Particles]:
    return Trace(states, times=np.arange(len(states), dtype=float))


def random_directions(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    v = rng.normal(size=(*shape, 3))
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def wrapped(positions: np.ndarray, box: np.ndarray) -> np.ndarray:
    return (positions @ np.linalg.inv(box) % 1.0) @ box


def test_harmonic_bonds_are_maxwellian_in_the_vector() -> None:
    # Ends joined by an isotropic Gaussian of width s: p(r) = sqrt(2/pi) r^2/s^3 exp(-r^2/2s^2).
    rng, s, n = np.random.default_rng(1), 0.3, 400
    topology = Topology(["A", "B"] * n, bonds=np.arange(2 * n).reshape(-1, 2))
    states = []
    for _ in range(60):
        first = rng.random((n, 3)) @ BOX
        pairs = np.stack([first, first + s * rng.normal(size=(n, 3))], axis=1).reshape(-1, 3)
        states.append(Particles(wrapped(pairs, BOX), box=BOX, topology=topology))
    p = BondLengths(r_min=0.0, r_max=2.0, bins=40)(trace_of(*states)).sel(bond="A-B")
    r = p.coords["r"]
    expected = np.sqrt(2 / np.pi) * r**2 / s**3 * np.exp(-(r**2) / (2 * s**2))
    seen = expected > 0.02
    # A bin of width h averages: h^2 / 24 times the curvature, below 0.01 here.
    assert np.all(np.abs(p.value - expected)[seen] < 4.5 * p.error[seen] + 0.01)
    assert np.sum(p.value) * 0.05 == pytest.approx(1.0, rel=1e-12)


def test_kinds_of_bonds_are_kept_apart() -> None:
    topology = Topology(["B", "A", "A"], bonds=[(0, 1), (1, 2)])
    state = Particles([[0, 0, 0], [0.3, 0, 0], [0.8, 0, 0]], box=[5.0] * 3, topology=topology)
    p = BondLengths(r_min=0.0, r_max=1.0, bins=10)(trace_of(state))
    assert p.coords["bond"].tolist() == ["A-A", "A-B"]
    assert p.value.argmax(axis=1).tolist() in ([5, 3], [4, 3], [5, 2], [4, 2])


def test_bond_out_of_range_is_named() -> None:
    topology = Topology(["A", "A"], bonds=[(0, 1)])
    near = Particles([[0, 0, 0], [0.3, 0, 0]], box=[5.0] * 3, topology=topology)
    far = Particles([[0, 0, 0], [2.0, 0, 0]], box=[5.0] * 3, topology=topology)
    with pytest.raises(RegrainError, match=r"frame 1: the bond \[0, 1\] has 2"):
        BondLengths()(trace_of(near, far))


def test_angles_of_free_directions_are_sin_theta_over_2() -> None:
    rng, n = np.random.default_rng(2), 300
    topology = Topology(["A"] * 3 * n, angles=np.arange(3 * n).reshape(-1, 3))
    states = []
    for _ in range(60):
        centre = rng.random((n, 1, 3)) @ BOX
        ends = centre + 0.5 * random_directions(rng, (n, 2))
        r = np.concatenate([ends[:, :1], centre, ends[:, 1:]], axis=1).reshape(-1, 3)
        states.append(Particles(wrapped(r, BOX), box=BOX, topology=topology))
    trace = trace_of(*states)
    p = BondAngles(bins=30)(trace).sel(angle="A-A-A")
    edges = np.linspace(0, np.pi, 31)
    expected = -np.diff(np.cos(edges)) / 2 / np.diff(edges)
    z = (p.value - expected) / p.error
    assert np.all(np.abs(z) < 4.5)
    assert 0.4 < np.mean(z**2) < 2.0


def test_dihedral_signs_are_those_of_iupac() -> None:
    topology = Topology(["A"] * 4, dihedrals=[(0, 1, 2, 3)])
    for phi in (-3.0, -1.0, 0.0, 0.5, 2.0, 3.1):
        # Looking from 1 to 2 (along +z), the far bond is turned clockwise by phi.
        far = [np.cos(phi), np.sin(phi), 1.0]
        state = Particles([[1, 0, 0], [0, 0, 0], [0, 0, 1], far], box=[9.0] * 3, topology=topology)
        p = Dihedrals(bins=360)(trace_of(state)).sel(dihedral="A-A-A-A")
        assert p.coords["phi"][p.value.argmax()] == pytest.approx(phi, abs=np.pi / 360 + 1e-9)


def test_free_dihedrals_are_uniform() -> None:
    rng, n = np.random.default_rng(3), 500
    topology = Topology(["A"] * 4 * n, dihedrals=np.arange(4 * n).reshape(-1, 4))
    states = []
    for _ in range(40):
        steps = 0.4 * random_directions(rng, (n, 4))
        chains = (rng.random((n, 1, 3)) @ BOX + np.cumsum(steps, axis=1)).reshape(-1, 3)
        states.append(Particles(wrapped(chains, BOX), box=BOX, topology=topology))
    p = Dihedrals(bins=24)(trace_of(*states)).sel(dihedral="A-A-A-A")
    assert np.all(np.abs(p.value - 1 / (2 * np.pi)) < 4.5 * p.error)


@pytest.mark.parametrize("observable", [BondLengths(), BondAngles(), Dihedrals()])
def test_no_terms_is_refused(observable) -> None:
    with pytest.raises(RegrainError, match="the topology has no"):
        observable(trace_of(Particles(np.eye(3), box=[5.0] * 3)))


def test_terms_without_an_angle_are_refused() -> None:
    line = Particles(
        [[0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 1, 0]],
        box=[9.0] * 3,
        topology=Topology(["A"] * 4, dihedrals=[(0, 1, 2, 3)], angles=[(0, 1, 2)]),
    )
    with pytest.raises(RegrainError, match=r"0, 1, 2 and 3 .*on a line"):
        Dihedrals()(trace_of(line))
    same = line.replace(positions=np.zeros((4, 3)))
    with pytest.raises(RegrainError, match="coincide"):
        BondAngles()(trace_of(same))


def brute_force_angles(state: Particles, r_max: float, types: tuple[str, str, str] | None):
    shifts = np.stack(np.meshgrid(*[[-2, -1, 0, 1, 2]] * 3, indexing="ij"), -1).reshape(-1, 3)
    names = state.topology.types
    found = []
    for i, centre in enumerate(state.positions):
        images = state.positions[:, None] + shifts @ state.box - centre
        r = np.linalg.norm(images, axis=-1)
        j, k = np.nonzero((r > 0) & (r < r_max))
        d = images[j, k] / r[j, k][:, None]
        for a in range(len(j)):
            for b in range(a):
                ends = (names[j[a]], names[j[b]])
                wanted = types is None or (
                    names[i] == types[1]
                    and (ends == (types[0], types[2]) or ends == (types[2], types[0]))
                )
                if wanted:
                    found.append(np.arccos(np.clip(d[a] @ d[b], -1, 1)))
    return np.array(found)


@pytest.mark.parametrize("types", [None, ("A", "A", "B"), ("B", "A", "B")])
def test_neighbour_angles_equal_brute_force(types) -> None:
    rng = np.random.default_rng(4)
    state = Particles(
        rng.random((80, 3)) @ BOX, box=BOX, topology=Topology(rng.choice(["A", "B"], 80))
    )
    p = Angles(r_max=1.8, bins=30, types=types)(trace_of(state))
    expected, _ = np.histogram(
        brute_force_angles(state, 1.8, types), np.linspace(0, np.pi, 31), density=True
    )
    np.testing.assert_allclose(p.value, expected, rtol=1e-10)


def test_neighbour_angles_of_an_ideal_gas_are_sin_theta_over_2() -> None:
    rng = np.random.default_rng(5)
    states = [Particles(rng.random((400, 3)) @ BOX, box=BOX) for _ in range(60)]
    p = Angles(r_max=1.0, bins=20)(trace_of(*states))
    edges = np.linspace(0, np.pi, 21)
    expected = -np.diff(np.cos(edges)) / 2 / np.diff(edges)
    assert np.all(np.abs(p.value - expected) < 4.5 * p.error)


def test_triplets_in_one_frame_only() -> None:
    corner = Particles([[0, 0, 0], [1, 0, 0], [0, 1, 0]], box=[5.0] * 3)
    apart = corner.replace(positions=np.eye(3) * 2.0)
    p = Angles(r_max=1.2, bins=3)(trace_of(corner, apart, apart))
    np.testing.assert_allclose(p.value, [0, 3 / np.pi, 0], rtol=1e-12)
    assert p.error[1] > 0.5 * p.value[1]


def test_simple_cubic_lattice_has_right_and_straight_angles() -> None:
    grid = np.stack(np.meshgrid(*[range(4)] * 3), -1).reshape(-1, 3)
    p = Angles(r_max=1.2, bins=9)(trace_of(Particles(grid, box=[4.0] * 3)))
    # 6 neighbours: 12 right angles (bin 4 holds 80 to 100 degrees) and 3 straight ones.
    np.testing.assert_allclose(p.value[[4, 8]] * np.pi / 9, [12 / 15, 3 / 15], rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Angles(r_max=0.0), "positive"),
        (lambda: Angles(r_max=1.0, bins=0), "bins"),
        (lambda: Angles(r_max=1.0, types=("A", "A")), "end, centre, end"),
        (lambda: Angles(r_max=1.0, types=("A", "X", "A"))(trace_of(ONE)), "types are A"),
        (lambda: Angles(r_max=3.0)(trace_of(ONE)), "half the smallest height"),
        (lambda: Angles(r_max=0.1)(trace_of(ONE)), "two neighbours"),
        (lambda: BondLengths(bins=0), "bins"),
    ],
)
def test_refusals(make, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        make()


ONE = Particles(np.eye(3), box=[5.0, 5.0, 5.0])
