"""Forces are the gradient of the energy, the virial its derivative by strain, in skewed boxes."""

from collections.abc import Callable

import numpy as np
import pytest

from regrain import RegrainError
from regrain.particles import (
    CosineAngle,
    FENEBond,
    ForceField,
    FourierDihedral,
    HarmonicAngle,
    HarmonicBond,
    HarmonicDihedral,
    LennardJones,
    Particles,
    PeriodicDihedral,
    Potential,
    Table,
    TableAngle,
    TableBond,
    TableDihedral,
    Topology,
)

N = 8
BOX = np.array([[6.0, 0.0, 0.0], [1.7, 5.5, 0.0], [-2.1, 1.3, 5.8]])
CHAIN = Topology(
    list("ABAABBAB"),
    bonds=[(i, i + 1) for i in range(N - 1)],
    angles=[(i, i + 1, i + 2) for i in range(N - 2)],
    dihedrals=[(i, i + 1, i + 2, i + 3) for i in range(N - 3)],
)
R = np.linspace(0.5, 2.2, 341)
PHI = np.linspace(-np.pi, np.pi, 721)
THETA = np.linspace(0, np.pi, 361)
# A smooth well that goes to zero at 2.2 with its slope.
WELL = 3.0 * np.exp(-2 * (R - 0.7)) * (R - 2.2) ** 2
WELL_FORCE = 3.0 * np.exp(-2 * (R - 0.7)) * (2 * (R - 2.2) ** 2 - 2 * (R - 2.2))
POTENTIALS: list[Potential] = [
    LennardJones(epsilon=1.3, sigma=0.9, cutoff=2.2, mode="cut"),
    LennardJones(epsilon=1.3, sigma=0.9, cutoff=2.2, mode="shifted"),
    LennardJones(epsilon=1.3, sigma=0.9, cutoff=2.2, mode="force-shifted"),
    Table(r_min=0.5, r_max=2.2, points=341, energy=WELL),
    Table(r_min=0.5, r_max=2.2, points=341, energy=WELL, forces=WELL_FORCE),
    Table(r_min=0.8 + 5e-8, r_max=2.2, points=281, energy=WELL[60:]),
    HarmonicBond(k=30.0, r0=0.9),
    FENEBond(k=30.0, r_max=1.6),
    TableBond(r_min=0.5, r_max=2.2, points=341, energy=WELL),
    HarmonicAngle(k=5.0, theta0=1.9),
    HarmonicAngle(k=5.0, theta0=np.pi),
    CosineAngle(k=5.0, theta0=2.2),
    TableAngle(points=361, energy=np.cos(2 * THETA) + 0.3 * THETA**2),
    HarmonicDihedral(k=2.0, phi0=2.5),
    PeriodicDihedral(k=1.5, n=3, phi0=0.4),
    FourierDihedral(k=[1.5, 0.0, -0.7], phi0=[0.4, 0.0, 2.0]),
    TableDihedral(points=721, energy=np.sin(PHI) + 0.5 * np.cos(2 * PHI)),
]


def field_of(potential: Potential) -> ForceField:
    """A force field of one potential, for all types; the rest does not interact."""
    types = ("A", "B")
    given: dict[str, dict[tuple[str, ...], Potential | None]] = {}
    for kind, width in (("pair", 2), ("bond", 2), ("angle", 3), ("dihedral", 4)):
        keys = np.stack(np.meshgrid(*width * [types], indexing="ij"), -1).reshape(-1, width)
        canonical = {min(tuple(k), tuple(k)[::-1]) for k in keys.tolist()}
        given[f"{kind}s"] = dict.fromkeys(canonical, potential if kind == potential.kind else None)
    return ForceField(given.pop("pairs"), **given, exclude=1)  # type: ignore[arg-type]


def random_chain(seed: int, potential: Potential) -> Particles:
    """A self-avoiding chain with no pair on the edge of a cutoff or a knot of a dihedral."""
    random = np.random.default_rng(seed)
    cutoff = getattr(potential, "cutoff", 2.2)
    while True:
        steps = random.normal(size=(N, 3))
        steps *= random.uniform(0.9, 1.2, size=(N, 1)) / np.linalg.norm(steps, axis=1)[:, None]
        state = Particles(np.cumsum(steps, axis=0) + 2.0, box=BOX, topology=CHAIN)
        distances = np.linalg.norm(nearest(state), axis=-1)[np.triu_indices(N, 1)]
        if distances.min() > 0.86 and np.abs(distances - cutoff).min() > 0.01:
            return state


def nearest(state: Particles) -> np.ndarray:
    """Vectors between all particles, nearest images by trying all."""
    shifts = np.stack(np.meshgrid(*3 * [np.arange(-3, 4)]), -1).reshape(-1, 3) @ state.box
    d = state.positions[:, None] - state.positions[None]
    all_images = d[:, :, None] + shifts
    best = np.argmin(np.linalg.norm(all_images, axis=-1), axis=-1)
    return np.take_along_axis(all_images, best[:, :, None, None], axis=2)[:, :, 0]


def derivative(f: Callable[[float], float], h: float = 4e-4) -> float:
    """Five-point central difference at 0, error h^4."""
    return float((8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h))


@pytest.mark.parametrize("potential", POTENTIALS, ids=repr)
def test_forces_are_the_gradient(potential: Potential) -> None:
    field = field_of(potential)
    state = random_chain(1, potential)
    forces = field.evaluate(state).forces
    assert np.abs(forces).max() > 0.1

    def energy(i: int, k: int, x: float) -> float:
        moved = state.positions.copy()
        moved[i, k] += x
        return field.evaluate(state.replace(positions=moved)).energy

    numeric = np.array(
        [
            [-derivative(lambda x, i=i, k=k: energy(i, k, x)) for k in range(3)]  # type: ignore[misc]
            for i in range(N)
        ]
    )
    assert np.abs(numeric - forces).max() < 1e-7 * np.abs(forces).max()
    assert np.abs(forces.sum(axis=0)).max() < 1e-12 * np.abs(forces).max()


@pytest.mark.parametrize("potential", POTENTIALS, ids=repr)
def test_the_virial_is_the_derivative_by_strain(potential: Potential) -> None:
    field = field_of(potential)
    state = random_chain(2, potential)
    virial = field.evaluate(state).virial

    def energy(a: int, b: int, x: float) -> float:
        strain = np.eye(3)
        strain[a, b] += x
        return field.evaluate(
            state.replace(positions=state.positions @ strain, box=state.box @ strain)
        ).energy

    for a in range(3):
        for b in range(a + 1):
            numeric = -derivative(lambda x, a=a, b=b: energy(a, b, x))  # type: ignore[misc]
            assert numeric == pytest.approx(virial[a, b], abs=2e-7 * np.abs(virial).max())
    assert np.array_equal(virial, virial.T)


@pytest.mark.parametrize("potential", POTENTIALS[:6], ids=repr)
def test_pairs_add_up_over_all_images(potential: Potential) -> None:
    # A box much smaller than two cutoffs: each particle sees many images, its own too.
    box = np.array([[1.9, 0.0, 0.0], [0.6, 1.7, 0.0], [-0.5, 0.4, 1.8]])
    positions = np.array([[0.1, 0.2, 0.3], [1.0, 1.1, 1.2]])
    field = ForceField({("A", "A"): potential}, exclude=0)
    found = field.evaluate(Particles(positions, box=box))
    shifts = np.stack(np.meshgrid(*3 * [np.arange(-4, 5)]), -1).reshape(-1, 3) @ box
    d = (positions[:, None, None] - positions[None, :, None] + shifts).reshape(-1, 3)
    r = np.linalg.norm(d, axis=1)
    r = r[(r > 1e-9) & (r < 2.2)]
    assert found.energy == pytest.approx(0.5 * potential.u(r).sum(), rel=1e-12)
    trace = 0.5 * (potential.force(r) * r).sum()
    assert np.trace(found.virial) == pytest.approx(trace, rel=1e-12)


@pytest.mark.parametrize("potential", POTENTIALS, ids=repr)
def test_force_is_minus_the_slope_of_u(potential: Potential) -> None:
    low, high = potential.domain()
    x = np.linspace(low, high, 57)[5:-5] + 1e-4
    if isinstance(potential, HarmonicDihedral):
        x = x[np.abs(x - potential.phi0 + np.pi) > 0.01]  # its cusp
    h = 1e-4 * (high - low)
    u = [potential.u(x + k * h) for k in (-2, -1, 1, 2)]
    numeric = -(8 * (u[2] - u[1]) - (u[3] - u[0])) / (12 * h)
    force = potential.force(x)
    assert np.abs(numeric - force).max() < 1e-7 * np.abs(force).max()


def test_energies_add_up_from_the_functions_of_the_coordinates() -> None:
    field = ForceField(
        {("A", "A"): None, ("A", "B"): None, ("B", "B"): POTENTIALS[1]},
        bonds={("B", "A"): POTENTIALS[6], ("A", "A"): None, ("B", "B"): POTENTIALS[7]},
        angles=dict.fromkeys(
            [("A", "B", "A"), ("A", "A", "B"), ("A", "B", "B"), ("B", "A", "B")], POTENTIALS[11]
        ),
        dihedrals=dict.fromkeys(
            [tuple(CHAIN.types[i : i + 4]) for i in range(N - 3)], POTENTIALS[14]
        ),
        exclude=2,
    )
    state = random_chain(3, POTENTIALS[1])
    d, types = nearest(state), CHAIN.types
    r = np.linalg.norm(d, axis=-1)
    kinds = ("pair", "triple", "bond", "angle", "dihedral", "charge", "external", "bias")
    expected = dict.fromkeys(kinds, 0.0)
    for i in range(N):
        for j in range(i + 3, N):
            if types[i] == types[j] == "B":
                expected["pair"] += POTENTIALS[1].u(r[i, j])
    for i, j in CHAIN.bonds:
        if types[i] != types[j]:
            expected["bond"] += POTENTIALS[6].u(r[i, j])
        elif types[i] == "B":
            expected["bond"] += POTENTIALS[7].u(r[i, j])
    for i, j, k in CHAIN.angles:
        cosine = d[i, j] @ d[k, j] / r[i, j] / r[k, j]
        expected["angle"] += POTENTIALS[11].u(np.arccos(cosine))
    for i, j, k, m in CHAIN.dihedrals:
        # IUPAC: looking along j-k, clockwise from i to m is positive; cis is 0.
        n1, n2 = np.cross(d[j, i], d[k, j]), np.cross(d[k, j], d[m, k])
        phi = np.arctan2(np.cross(n1, n2) @ d[k, j] / r[k, j], n1 @ n2)
        expected["dihedral"] += POTENTIALS[14].u(phi)
    found = field.evaluate(state)
    assert found.terms == pytest.approx(expected, rel=1e-12)
    assert found.energy == pytest.approx(sum(expected.values()), rel=1e-12)


def test_degenerate_angles_and_dihedrals_give_no_nan() -> None:
    line = Particles(
        [[1.0 * i, 0.0, 0.0] for i in range(4)],
        box=[20.0, 20.0, 20.0],
        topology=Topology(
            ["A"] * 4,
            bonds=[(0, 1), (1, 2), (2, 3)],
            angles=[(0, 1, 2), (1, 2, 3)],
            dihedrals=[(0, 1, 2, 3)],
        ),
    )
    folded = line.replace(positions=[[0.0, 0, 0], [1.0, 0, 0], [0.0, 0, 0.0], [1.0, 0, 0]])
    met = line.replace(positions=[[1.0, 0, 0], [1.0, 0, 0], [1.0, 0, 0.0], [2.0, 1, 0]])
    for angle in (POTENTIALS[9], POTENTIALS[10], POTENTIALS[11], POTENTIALS[12]):
        for dihedral in POTENTIALS[13:16]:
            field = ForceField(
                {("A", "A"): None},
                bonds={("A", "A"): None},
                angles={("A", "A", "A"): angle},
                dihedrals={("A", "A", "A", "A"): dihedral},
            )
            for state in (line, folded):
                found = field.evaluate(state)
                assert np.isfinite(found.energy)
                assert np.array_equal(found.forces, np.zeros((4, 3)))
            found = field.evaluate(met)
            assert np.isfinite(found.energy)
            assert np.isfinite(found.forces).all()


def test_a_nearly_straight_angle_feels_the_right_force() -> None:
    # The force of k/2 (theta - theta0)^2 does not vanish at pi: its size is k (pi - theta0) / r.
    bend = 1e-9
    state = Particles(
        [[-1.0, 0.0, 0.0], [0.0, bend, 0.0], [1.0, 0.0, 0.0]],
        box=[9.0, 9.0, 9.0],
        topology=Topology(["A"] * 3, angles=[(0, 1, 2)]),
    )
    field = ForceField(
        {("A", "A"): None}, angles={("A", "A", "A"): HarmonicAngle(k=2.0, theta0=2.0)}
    )
    forces = field.evaluate(state).forces
    size = 2.0 * (np.pi - 2.0)
    assert np.allclose(forces[:, 1], [-size, 2 * size, -size], rtol=1e-6)


def test_an_overstretched_bond_is_named() -> None:
    state = Particles(
        [[0.0, 0, 0], [1.0, 0, 0], [2.7, 0, 0]],
        box=[9.0, 9.0, 9.0],
        topology=Topology(["A"] * 3, bonds=[(0, 1), (1, 2)]),
    )
    field = ForceField({("A", "A"): None}, bonds={("A", "A"): FENEBond(k=30.0, r_max=1.5)})
    with pytest.raises(RegrainError, match=r"particles 1 and 2: a FENE bond of length 1\.7"):
        field.evaluate(state)
    table = TableBond(r_min=0.5, r_max=1.5, points=11, energy=np.zeros(11))
    with pytest.raises(RegrainError, match=r"particles 1 and 2: a bond length of 1\.7.*outside"):
        field.replace(bonds={("A", "A"): table}).evaluate(state)
