"""Beads: where they are, what pulls them, and what they are bonded to."""

import numpy as np
import pytest

from regrain import _core
from regrain.maps import Bead, Beads
from regrain.particles import Particles, Topology

SKEWED = np.array([[5.0, 0.0, 0.0], [2.1, 4.6, 0.0], [-1.9, 2.0, 5.3]])
BOXES = [np.diag([5.0, 6.0, 4.5]), SKEWED]


def molecules(seed, *, n=12, box=SKEWED, bonds=True):
    """Chains of five atoms with everything at random, whole, some across the faces of the box."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(n, 5, 3))
    steps *= 0.35 / np.linalg.norm(steps, axis=2, keepdims=True)
    steps[:, 0] = rng.random((n, 3)) @ box
    links = np.array([(0, 1), (1, 2), (2, 3), (3, 4)])
    names = np.tile(["A1", "A2", "A3", "A4", "A5"], n)
    topology = Topology(
        names,
        masses=rng.uniform(1, 20, 5 * n),
        charges=rng.normal(size=5 * n),
        residues=np.repeat(np.arange(n), 5),
        residue_names=np.repeat("MOL", 5 * n),
        bonds=(links + 5 * np.arange(n)[:, None, None]).reshape(-1, 2) if bonds else None,
    )
    return Particles(
        np.cumsum(steps, axis=1).reshape(-1, 3),
        box,
        topology=topology,
        velocities=rng.normal(size=(5 * n, 3)),
        forces=rng.normal(size=(5 * n, 3)),
    )


def moved(state, seed):
    """The same state with every atom shifted by lattice vectors of its own."""
    shifts = np.random.default_rng(seed).integers(-3, 4, size=(len(state), 3))
    return state.replace(positions=state.positions + shifts @ state.box, images=-shifts)


def assert_same_places(given, expected, box):
    """Equal up to lattice vectors."""
    apart = np.linalg.solve(box.T, (given - expected).T).T
    np.testing.assert_allclose(apart - np.rint(apart), 0, atol=1e-12)


def centres(state, weights):
    """Weighted means of whole five-atom molecules, the plain way."""
    w = weights.reshape(-1, 5, 1)
    return (w * state.positions.reshape(-1, 5, 3)).sum(1) / w.sum(1)


@pytest.mark.parametrize("box", BOXES, ids=["orthorhombic", "skewed"])
@pytest.mark.parametrize("kind", ["mass", "geometric", "charge"])
@pytest.mark.parametrize("bonds", [True, False], ids=["bonds", "no bonds"])
def test_centres_of_broken_molecules(box, kind, bonds):
    fine = molecules(1, box=box, bonds=bonds)
    if not bonds:  # held together by nearest images only: must be narrow
        first = np.repeat(fine.positions[::5], 5, axis=0)
        fine = fine.replace(positions=first + 0.5 * (fine.positions - first))
    top = fine.topology
    weights = {"mass": top.masses, "geometric": np.ones(60), "charge": np.abs(top.charges)}[kind]
    coarse = Beads(by="residue", weights=kind)(moved(fine, 2))
    assert_same_places(coarse.positions, centres(fine, weights), box)
    inside = np.linalg.solve(box.T, coarse.positions.T)
    assert np.all((inside >= 0) & (inside < 1))


def test_unwrapped_beads_are_means_of_unwrapped_atoms():
    fine = moved(molecules(3), 4)
    whole = fine.replace(positions=fine.unwrapped, images=None)
    coarse = Beads(by="residue")(fine)
    expected = centres(whole, fine.topology.masses)
    np.testing.assert_allclose(coarse.unwrapped, expected, atol=1e-11)
    assert Beads(by="residue")(whole).images is None


def test_beads_move_without_jumps_while_atoms_cross_the_faces():
    rng = np.random.default_rng(5)
    fine = molecules(6)
    drift = np.repeat(rng.normal(size=(12, 3)), 5, axis=0)  # each molecule its own way
    beads = Beads(by="residue")
    path = []
    for step in range(40):
        at = fine.positions + 0.4 * step * drift
        images = np.floor(np.linalg.solve(fine.box.T, at.T).T).astype(int)
        frame = fine.replace(positions=at - images @ fine.box, images=images)
        path.append(beads(frame).unwrapped)
    np.testing.assert_allclose(np.diff(path, axis=0), 0.4 * drift[None, ::5] * np.ones((39, 1, 1)))


def test_lattice_translations_change_nothing():
    fine = molecules(7)
    shifted = fine.replace(positions=fine.positions + np.array([2, -1, 3]) @ fine.box)
    a, b = Beads(by="residue")(fine), Beads(by="residue")(shifted)
    assert_same_places(a.positions, b.positions, fine.box)
    np.testing.assert_array_equal(a.forces, b.forces)


def test_permuted_molecules_give_permuted_beads():
    fine = molecules(8)
    order = np.random.default_rng(9).permutation(12)
    atoms = (5 * order[:, None] + np.arange(5)).ravel()
    top = fine.topology
    permuted = Particles(
        fine.positions[atoms],
        fine.box,
        topology=Topology(
            top.types[atoms],
            masses=top.masses[atoms],
            residues=top.residues[atoms],
            residue_names=top.residue_names[atoms],
            bonds=top.bonds,
        ),
    )
    a, b = Beads(by="residue")(fine), Beads(by="residue")(permuted)
    np.testing.assert_array_equal(a.positions[order], b.positions)
    np.testing.assert_array_equal(a.topology.masses[order], b.topology.masses)


def test_totals_are_kept_when_every_atom_is_used_once():
    fine = molecules(10)
    top = fine.topology
    mapping = Beads(residues={"MOL": [("A", ["A1", "A2"]), ("B", ["A3", "A4", "A5"])]})
    coarse = mapping(fine)
    assert coarse.topology.masses.sum() == pytest.approx(top.masses.sum(), rel=1e-14)
    assert coarse.topology.charges.sum() == pytest.approx(top.charges.sum(), rel=1e-9)
    np.testing.assert_allclose(coarse.forces.sum(0), fine.forces.sum(0), atol=1e-13)
    np.testing.assert_allclose(
        coarse.topology.masses @ coarse.velocities, top.masses @ fine.velocities, atol=1e-11
    )


def test_beads_of_beads_are_the_beads():
    fine = moved(molecules(11), 12)
    parts = Beads(residues={"MOL": [("A", ["A1", "A2"]), ("B", ["A3", "A4", "A5"])]})
    twice = (parts >> Beads(by="molecule", name="M"))(fine)
    once = Beads(by="residue", name="M")(fine)
    assert_same_places(twice.positions, once.positions, fine.box)
    assert_same_places(twice.unwrapped, once.unwrapped, fine.box)
    np.testing.assert_allclose(twice.velocities, once.velocities, atol=1e-13)
    np.testing.assert_allclose(twice.forces, once.forces, atol=1e-13)
    np.testing.assert_allclose(twice.topology.masses, once.topology.masses)
    np.testing.assert_allclose(twice.topology.charges, once.topology.charges, atol=1e-11)
    assert twice.topology.types.tolist() == once.topology.types.tolist()


def test_long_molecules_are_followed_along_their_bonds():
    # Twice as long as the box: only bonds know which images belong together.
    n = 41
    whole = np.outer(np.arange(n), [0.2, 0.13, 0.0])
    box = np.array([4.0, 4.0, 4.0])
    top = Topology(["C"] * n, residues=[0] * n, bonds=[(i, i + 1) for i in range(n - 1)])
    fine = Particles(whole % box, box, topology=top)
    assert_same_places(Beads(by="residue")(fine).positions, whole.mean(0), np.diag(box))


def test_bonds_outside_the_bead_lead_to_its_atoms():
    # Both ends of a chain that spans most of the box: their nearest images are the wrong ones.
    whole = np.outer(np.arange(9), [0.45, 0.0, 0.0])
    box = np.array([4.0, 4.0, 4.0])
    top = Topology(["C"] * 9, bonds=[(i, i + 1) for i in range(8)])
    fine = Particles(whole, box, topology=top)
    ends = Beads(beads=[Bead("E", atoms=[0, 8])])(fine)
    assert ends.positions[0, 0] == pytest.approx(1.8)
    loose = Particles(whole, box)
    assert Beads(beads=[Bead("E", atoms=[0, 8])])(loose).positions[0, 0] == pytest.approx(3.8)


def quadratic(seed, n=5):
    """A stiff positive definite quadratic energy of n particles, and a box far larger than them."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(3 * n, 3 * n))
    return root @ root.T / n + np.eye(3 * n)


SHARED = [
    Bead("A", atoms=[0, 1, 2], weights=[3, 1, 2]),
    Bead("B", atoms=[2, 3, 4], weights=[1, 1, 5]),
]
MAPPINGS = {
    "mass": Beads(beads=[Bead("A", atoms=[0, 1]), Bead("B", atoms=[2, 3, 4])]),
    "geometric": Beads(weights="geometric", beads=[Bead("A", atoms=[0, 1, 4])]),
    "shared": Beads(beads=SHARED),
    "shared, split": Beads(beads=[Bead("A", atoms=[0, 1, 2]), Bead("B", atoms=[2, 3, 4])]),
    "zero weights": Beads(
        beads=[
            Bead("A", atoms=[0, 1, 2], weights=[1, 0, 0]),
            Bead("B", atoms=[2, 3, 4], weights=[2, 1, 0]),
        ]
    ),
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_mean_force_is_that_of_the_exact_free_energy(name):
    # For U = r K r / 2 the free energy of R = C r is R (C K^-1 C^T)^-1 R / 2, and forces are linear
    # in r, so that their mean at given R is their value at the conditional mean of r.
    hessian = quadratic(13)
    masses = np.array([16.0, 1.0, 12.0, 1.0, 14.0])
    fine = Particles(
        np.full((5, 3), 50.0), [100.0] * 3, topology=Topology(["X"] * 5, masses=masses)
    )
    bound = MAPPINGS[name].bind(fine)
    n = len(bound.members)
    c = np.zeros((n, 5))
    c[bound.members.owner, bound.members.atoms] = bound.weights
    c3 = np.kron(c, np.eye(3))
    stiffness = np.linalg.inv(c3 @ np.linalg.solve(hessian, c3.T))
    target = np.random.default_rng(14).normal(size=3 * n)
    mean = np.linalg.solve(hessian, c3.T @ stiffness @ target)
    state = fine.replace(
        positions=50.0 + mean.reshape(5, 3), forces=-(hessian @ mean).reshape(5, 3)
    )
    coarse = bound(state)
    np.testing.assert_allclose(coarse.positions - 50.0, target.reshape(n, 3), atol=1e-11)
    exact = -(stiffness @ target).reshape(n, 3)
    np.testing.assert_allclose(coarse.forces, exact, atol=1e-10)
    if "shared" in name:  # adding up everything that is listed would be wrong
        listed = np.zeros((n, 5))
        listed[bound.members.owner, bound.members.atoms] = 1.0
        assert np.abs(listed @ state.forces - exact).max() > 0.1


def test_forces_along_constraints_inside_a_bead_drop_out():
    water = Topology(["O", "H", "H"], masses=[16, 1, 1], residues=[0] * 3)
    at = np.array([[1.0, 1.0, 1.0], [1.1, 1.0, 1.0], [1.0, 1.1, 1.0]])
    free = Particles(at, [5.0] * 3, topology=water, forces=np.arange(9.0).reshape(3, 3))
    tension = np.zeros((3, 3))
    for i, j, size in ((0, 1, 7.0), (0, 2, -3.0), (1, 2, 11.0)):
        tension[i] += size * (at[j] - at[i])
        tension[j] -= size * (at[j] - at[i])
    tied = free.replace(forces=free.forces + tension)
    oxygen = Beads(beads=[Bead("W", atoms=[0, 1, 2], weights=[1, 0, 0])])
    for mapping in (Beads(by="residue"), oxygen):
        np.testing.assert_allclose(mapping(free).forces, mapping(tied).forces, atol=1e-13)
    alone = Beads(beads=[Bead("W", atoms=[0])])
    assert np.abs(alone(free).forces - alone(tied).forces).max() > 0.1
    np.testing.assert_array_equal(oxygen(free).positions, free.positions[:1])


def test_consistent_masses_give_the_beads_their_temperature():
    # Independent atoms have <v_i^2> = kT/m_i per direction, hence <V^2> = kT sum c_i^2/m_i.
    water = Topology(["O", "H", "H"], masses=[16, 1, 1], residues=[0] * 3)
    fine = Particles(np.zeros((3, 3)), [5.0] * 3, topology=water)
    geometric = Beads(by="residue", weights="geometric", masses="noid")(fine).topology
    assert geometric.masses[0] == pytest.approx(9 / (1 / 16 + 2))
    centre = Beads(by="residue", masses="noid")(fine).topology
    assert centre.masses[0] == pytest.approx(18.0)
    assert Beads(by="residue", weights="geometric")(fine).topology.masses[0] == 18.0


def test_shared_atoms_are_split():
    fine = molecules(15, n=1)
    top = fine.topology
    halves = Beads(residues={"MOL": [("A", ["A1", "A2", "A3"]), ("B", ["A3", "A4", "A5"])]})
    coarse = halves(fine).topology
    m, q = top.masses, top.charges
    np.testing.assert_allclose(coarse.masses, [m[0] + m[1] + m[2] / 2, m[2] / 2 + m[3] + m[4]])
    np.testing.assert_allclose(coarse.charges, [q[0] + q[1] + q[2] / 2, q[2] / 2 + q[3] + q[4]])
    expected = m[0] * fine.positions[0] + m[1] * fine.positions[1] + m[2] / 2 * fine.positions[2]
    assert_same_places(halves(fine).positions[0], expected / coarse.masses[0], fine.box)


def test_bonded_terms_follow_the_fine_bonds():
    # A chain of ten atoms, two a bead: a chain of five beads.
    top = Topology(["C"] * 10, residues=[0] * 10, bonds=[(i, i + 1) for i in range(9)])
    fine = Particles(np.outer(np.arange(10), [0.1, 0, 0]), [5.0] * 3, topology=top)
    coarse = Beads(beads=[("P", [2 * k, 2 * k + 1]) for k in range(5)])(fine).topology
    assert coarse.bonds.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert coarse.angles.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert coarse.dihedrals.tolist() == [[0, 1, 2, 3], [1, 2, 3, 4]]


def test_given_bonds_replace_those_inside_residues():
    # Two residues of three beads each, linked from the last bead of one to the first of the next.
    top = Topology(
        ["C"] * 6,
        names=["C1", "C2", "C3"] * 2,
        residues=[0, 0, 0, 1, 1, 1],
        residue_names=["R"] * 6,
        bonds=[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)],
    )
    fine = Particles(np.outer(np.arange(6), [0.1, 0, 0]), [5.0] * 3, topology=top)
    beads = [("A", ["C1"]), ("B", ["C2"]), ("C", ["C3"])]
    triangle = Beads(residues={"R": beads}, bonds={"R": [(0, 1), (1, 2), (0, 2)]})(fine).topology
    pairs = {tuple(pair) for pair in triangle.bonds.tolist()}
    assert pairs == {(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 5), (3, 5)}
    none = Beads(residues={"R": beads}, bonds={"R": []})(fine).topology
    assert none.bonds.tolist() == [[2, 3]]
    listed = Beads(by="residue", bonds=[(1, 0)])(fine).topology
    assert listed.bonds.tolist() == [[0, 1]]


def test_any_number_of_threads_gives_the_same_bits():
    fine = molecules(16, n=8000, bonds=False)
    first = np.repeat(fine.positions[::5], 5, axis=0)
    fine = fine.replace(positions=first + 0.05 * fine.forces)
    before = _core.threads()
    try:
        results = []
        for count in (1, 3):
            _core.set_threads(count)
            results.append(Beads(by="residue")(fine))
    finally:
        _core.set_threads(before)
    for name in ("positions", "velocities", "forces"):
        np.testing.assert_array_equal(getattr(results[0], name), getattr(results[1], name))
