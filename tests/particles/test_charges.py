"""Charges against exact lattice sums, and their sums against themselves: gradients, accuracy."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import regrain as rg
from regrain import RegrainError
from regrain.particles import (
    Ewald,
    ForceField,
    HarmonicBond,
    LennardJones,
    Particles,
    ReactionField,
    Topology,
)
from regrain.particles.charges import Coulomb

Floats = NDArray[np.float64]
FREE = {("A", "A"): None}
FCC = np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
BCC = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.5]])


def charged(positions: Any, box: Any, charges: Any, **topology: Any) -> Particles:
    top = Topology(["A"] * len(charges), charges=charges, **topology)
    return Particles(positions, box=box, topology=top)


def field(charges: Coulomb, **more: Any) -> ForceField:
    return ForceField(FREE, charges=charges, **more)


# ------------------------------------------------------------------ lattices

# Madelung constants, over the distance of neighbours: OEIS A085469, A181152 and A182566 (Crandall
# and Buhler, J. Phys. A 20, 5497 (1987)).
LATTICES = {
    "NaCl": (FCC, [[0, 0, 0], [1, 0, 0]], 1.0, 1.747564594633182),
    "CsCl": (np.eye(3), [[0, 0, 0], [0.5, 0.5, 0.5]], np.sqrt(0.75), 1.762674773070988),
    "ZnS": (FCC, [[0, 0, 0], [0.5, 0.5, 0.5]], np.sqrt(0.75), 1.638055053388789),
}


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("cutoff", [0.9, 3.0, 5.0])
def test_madelung_constants(name: str, cutoff: float) -> None:
    cell, basis, neighbour, madelung = LATTICES[name]
    found = field(Ewald(cutoff=cutoff, accuracy=1e-12)).evaluate(charged(basis, cell, [1, -1]))
    assert found.terms["charge"] * neighbour == pytest.approx(-madelung, abs=1e-11)
    assert np.allclose(found.forces, 0, atol=1e-13)
    # Energies of charges alone are those of lengths: -dU/dlnλ = U; and the crystal is cubic.
    assert np.allclose(found.virial, np.eye(3) * found.energy / 3, atol=2e-9)


def test_the_cell_of_a_crystal_does_not_matter() -> None:
    # Rock salt in its primitive cell, in a cubic one of eight ions, in a skewed one of two of them.
    i = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
    signs = (-1.0) ** i.sum(axis=1)
    cube = charged(i, 2 * np.eye(3), signs)
    long = charged(
        np.concatenate([i, i + np.array([2, 0, 0])]),
        [[4, 0, 0], [2, 2, 0], [-6, 4, 2]],
        np.tile(signs, 2),
    )
    ewald = field(Ewald(cutoff=2.0, accuracy=1e-10))
    for state in (cube, long):
        per_pair = 2 * ewald.evaluate(state).energy / len(state)
        assert per_pair == pytest.approx(-1.747564594633182, abs=1e-9)


@pytest.mark.parametrize(
    ("cell", "ions", "expected"),
    # Energy per ion of Wigner's lattices in a neutralising background, in units of (Ze)^2 over the
    # radius of its volume (Slattery, Doolen and DeWitt, Phys. Rev. A 21, 2087 (1980)).
    [(BCC, 2, -0.895929255682), (FCC, 4, -0.895873615195)],
)
@pytest.mark.parametrize("cutoff", [1.0, 3.0])
def test_wigner_lattices_in_a_background(
    cell: Floats, ions: int, expected: float, cutoff: float
) -> None:
    radius = (3 * np.linalg.det(cell) / (4 * np.pi)) ** (1 / 3)
    ewald = field(Ewald(cutoff=cutoff, accuracy=1e-12, background=True))
    found = ewald.evaluate(charged([[0.1, 0.2, 0.3]], cell, [2.0]))
    assert found.energy * radius / 4 == pytest.approx(expected, abs=1e-11)
    assert np.allclose(found.virial, np.eye(3) * found.energy / 3, atol=1e-8)


def test_two_charges_in_a_large_box_attract_by_coulombs_law() -> None:
    # In a conductor all images of the pair add 4 pi d / 3 V, and 12.4 d^3 / L^5 by cubic harmonics.
    length, d = 40.0, 1.3
    pair = charged([[1, 1, 1], [1 + d, 1, 1]], [length] * 3, [1, -1])
    force = field(Ewald(cutoff=5.0, accuracy=1e-10)).evaluate(pair).forces
    assert force[0, 0] == pytest.approx(
        1 / d**2 - 4 * np.pi * d / (3 * length**3), abs=20 * d**3 / length**5
    )
    assert np.allclose(force[0], -force[1], atol=1e-12)


# ------------------------------------------------------------------ gradients and accuracy

SKEWED = np.array([[6.0, 0.0, 0.0], [1.7, 5.5, 0.0], [-2.1, 1.3, 5.8]])
SHAPES = {
    "cube": np.eye(3) * 6.0,
    "flat": np.diag([4.0, 9.0, 6.5]),
    "skewed": SKEWED,
}


def ions(n: int, box: Floats, seed: int, **topology: Any) -> Particles:
    """Charges of several sizes, neutral in all, anywhere in the box."""
    rng = np.random.default_rng(seed)
    charges = rng.uniform(-1.5, 1.5, n)
    charges[::5] = 0.0
    charges[1] -= charges.sum()
    return charged(rng.random((n, 3)) @ box, box, charges, **topology)


BONDED = {"bonds": [(i, i + 1) for i in range(0, 11, 2)] + [(1, 2)]}
METHODS: list[Coulomb] = [
    Ewald(cutoff=2.4, accuracy=1e-11),
    Ewald(cutoff=2.4, accuracy=1e-11, dielectric=3.0, background=True),
    ReactionField(cutoff=2.4),
]


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_forces_are_the_gradient_of_the_energy(method: Coulomb) -> None:
    state = ions(12, SKEWED, 3, **BONDED)
    if getattr(method, "background", False):
        charges = state.topology.charges + 0.2
        state = charged(state.positions, SKEWED, charges, **BONDED)
    law = field(method, bonds={("A", "A"): None})
    found = law.evaluate(state)
    assert found.terms["pair"] == 0.0
    h = 1e-5
    for i in range(len(state)):
        for k in range(3):
            energies = []
            for step in (h, -h):
                moved = state.positions.copy()
                moved[i, k] += step
                energies.append(law.evaluate(state.replace(positions=moved)).energy)
            slope = (energies[0] - energies[1]) / (2 * h)
            assert found.forces[i, k] == pytest.approx(-slope, abs=3e-7)
    # And the virial is its derivative by a strain of box and positions.
    for a in range(3):
        for b in range(a + 1):
            energies = []
            for step in (h, -h):
                strain = np.eye(3)
                strain[a, b] += step  # of rows, so the box stays lower triangular
                moved_state = charged(
                    state.positions @ strain, SKEWED @ strain, state.topology.charges, **BONDED
                )
                energies.append(law.evaluate(moved_state).energy)
            slope = (energies[0] - energies[1]) / (2 * h)
            assert found.virial[a, b] == pytest.approx(-slope, abs=1e-6)


def test_the_trace_of_the_virial_is_the_energy() -> None:
    found = field(Ewald(cutoff=2.5, accuracy=1e-12)).evaluate(ions(40, SKEWED, 4))
    assert np.trace(found.virial) == pytest.approx(found.energy, abs=1e-8)
    assert np.allclose(found.forces.sum(axis=0), 0, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_energies_do_not_depend_on_the_cutoff(shape: str) -> None:
    state = ions(30, SHAPES[shape], 5)
    found = [field(Ewald(cutoff=c, accuracy=1e-11)).evaluate(state) for c in (0.8, 1.5, 2.9, 7.0)]
    for other in found[1:]:
        assert other.energy == pytest.approx(found[0].energy, abs=1e-8)
        assert np.allclose(other.forces, found[0].forces, atol=1e-8)
        assert np.allclose(other.virial, found[0].virial, atol=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("accuracy", [1e-2, 1e-3, 1e-5, 1e-7])
def test_the_error_of_forces_is_what_was_asked_for(shape: str, accuracy: float) -> None:
    state = ions(400, SHAPES[shape], 6)
    exact = field(Ewald(cutoff=2.0, accuracy=1e-12, mesh=False)).evaluate(state).forces
    square = (state.topology.charges**2).sum()
    n = np.count_nonzero(state.topology.charges)
    unit = square / n * (n / state.volume) ** (2 / 3)
    for cutoff in (1.2, 2.6):
        forces = field(Ewald(cutoff=cutoff, accuracy=accuracy, mesh=False)).evaluate(state).forces
        error = np.sqrt(((forces - exact) ** 2).sum() / n) / unit
        assert 0.05 * accuracy < error < accuracy


def test_how_many_waves_there_are() -> None:
    found = Ewald(cutoff=1.5, accuracy=1e-4, mesh=False).resolution(ions(50, SKEWED, 2))
    assert found["alpha"] == pytest.approx(np.sqrt(np.log(4e4)) / 1.5)
    sphere = found["q_max"] ** 3 * np.linalg.det(SKEWED) / (12 * np.pi**2)
    assert found["wave_vectors"] == pytest.approx(sphere, rel=0.03)
    with pytest.raises(RegrainError, match="add up to"):
        Ewald(cutoff=1.5).resolution(charged([[0, 0, 0]], SKEWED, [1.0]))


# ------------------------------------------------------------------ exclusions


def test_an_excluded_pair_feels_its_far_images_only() -> None:
    # Two charges: those of neighbouring boxes act, as if the pair had been taken out of the sum.
    state = charged([[1, 1, 1], [2.1, 1, 1]], [9.0] * 3, [1, -1], bonds=[(0, 1)])
    method = Ewald(cutoff=4.0, accuracy=1e-11)
    whole = field(method, bonds={("A", "A"): None}, exclude=0).evaluate(state)
    less = field(method, bonds={("A", "A"): None}, exclude=1).evaluate(state)
    assert less.energy - whole.energy == pytest.approx(1 / 1.1, abs=1e-10)
    assert (less.forces - whole.forces)[0, 0] == pytest.approx(-1 / 1.1**2, abs=1e-9)
    assert (less.virial - whole.virial)[0, 0] == pytest.approx(1 / 1.1, abs=1e-9)
    # Longer than the cutoff, and at the same place, where no force has a direction.
    apart = state.replace(positions=[[0.3, 1, 1], [4.6, 1, 1]])
    energies = [
        field(method, bonds={("A", "A"): None}, exclude=e).evaluate(apart).energy for e in (0, 1)
    ]
    assert energies[1] - energies[0] == pytest.approx(1 / 4.3, abs=1e-10)
    together = field(method, bonds={("A", "A"): None}).evaluate(
        state.replace(positions=[[1, 1, 1], [1, 1, 1]])
    )
    # Nothing is left of the pair and its images: a crystal of neutral points.
    assert together.energy == pytest.approx(0.0, abs=1e-9)
    assert np.allclose(together.forces, 0, atol=1e-12)


def test_the_nearest_image_of_an_excluded_pair_is_excluded() -> None:
    across = charged([[0.2, 1, 1], [8.7, 1, 1]], [9.0] * 3, [1, -1], bonds=[(0, 1)])
    inside = across.replace(positions=[[4.2, 1, 1], [3.7, 1, 1]])
    law = field(Ewald(cutoff=4.0, accuracy=1e-11), bonds={("A", "A"): None})
    assert law.evaluate(across).energy == pytest.approx(law.evaluate(inside).energy, abs=1e-10)


# ------------------------------------------------------------------ reaction field


@pytest.mark.parametrize("permittivity", [2.0, 80.0, np.inf])
@pytest.mark.parametrize("dielectric", [1.0, 2.0])
def test_the_reaction_field_is_that_of_the_page(permittivity: float, dielectric: float) -> None:
    cutoff, ratio = 2.5, permittivity / dielectric
    k = (1 - 1 / ratio) / (2 + 1 / ratio) / cutoff**3
    c = 1 / cutoff + k * cutoff**2
    method = ReactionField(cutoff=cutoff, permittivity=permittivity, dielectric=dielectric)
    own = -c / 2 * (1 + 4) / dielectric
    for r in (0.3, 1.0, 2.4999, 2.5001):
        state = charged([[0, 0, 0], [0, r, 0]], [9.0] * 3, [1, -2], bonds=[(0, 1)])
        for exclude in (0, 1):
            law = field(method, bonds={("A", "A"): None}, exclude=exclude)
            found = law.evaluate(state)
            inside = 1.0 if r < cutoff else 0.0
            free = (1 - exclude) * inside
            u = -2 / dielectric * (free / r + inside * (k * r**2 - c))
            f = -2 / dielectric * (free / r**2 - inside * 2 * k * r)
            assert found.energy == pytest.approx(u + own, abs=1e-12)
            assert found.forces[1, 1] == pytest.approx(f, abs=1e-12)
            assert found.virial[1, 1] == pytest.approx(f * r, abs=1e-12)


def test_units_and_dielectric() -> None:
    # 138.935457644 kJ nm / (mol e^2): CODATA 2018.
    top = Topology(["A", "A"], charges=[1, -1])
    state = Particles([[0, 0, 0], [0.5, 0, 0]], box=[4.0] * 3, topology=top, units="md")
    for method, inside in (
        (ReactionField(cutoff=1.0), 1),
        (ReactionField(cutoff=1.0, dielectric=15.0), 15),
    ):
        law = ForceField(FREE, charges=method, units="md")
        expected = 138.935457644 / inside * (1 / 0.5**2 - 0.5)
        assert law.evaluate(state).forces[0, 0] == pytest.approx(expected, rel=1e-12)
    law = ForceField(FREE, charges=Ewald(cutoff=1.0, accuracy=1e-9), units="md")
    water = ForceField(FREE, charges=Ewald(cutoff=1.0, accuracy=1e-9, dielectric=78.0), units="md")
    assert water.evaluate(state).energy * 78 == pytest.approx(law.evaluate(state).energy)


# ------------------------------------------------------------------ with the rest


def test_neutral_particles_and_other_interactions_are_left_alone() -> None:
    rng = np.random.default_rng(8)
    grid = np.stack(np.meshgrid(*[np.arange(5) * 1.1] * 3), axis=-1).reshape(-1, 3)
    positions = grid + rng.normal(0, 0.03, grid.shape)
    types = np.where(np.arange(125) % 3 == 0, "ion", "solvent")
    charges = np.where(types == "ion", 1.0, 0.0)
    charges[np.flatnonzero(charges)[::2]] = -1.0
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=1.6)
    pairs = {("ion", "ion"): lj, ("ion", "solvent"): lj, ("solvent", "solvent"): None}
    state = Particles(positions, box=[5.5] * 3, topology=Topology(types, charges=charges))
    ewald = Ewald(cutoff=2.2, accuracy=1e-8)
    both = ForceField(pairs, charges=ewald).evaluate(state)
    bare = ForceField(pairs).evaluate(state)
    ion = types == "ion"
    alone = field(ewald).evaluate(charged(positions[ion], [5.5] * 3, charges[ion]))
    assert both.terms["pair"] == pytest.approx(bare.energy, rel=1e-13)
    assert both.terms["charge"] == pytest.approx(alone.energy, rel=1e-13)
    assert np.allclose(both.forces[~ion], bare.forces[~ion], atol=1e-12)
    assert np.allclose(both.forces[ion], bare.forces[ion] + alone.forces, atol=1e-12)
    assert np.allclose(both.virial, bare.virial + alone.virial, atol=1e-10)


def test_beads_carry_the_charges_of_their_atoms() -> None:
    top = Topology(["O", "H", "H"] * 2, charges=[-0.8, 0.4, 0.5] * 2, residues=[0, 0, 0, 1, 1, 1])
    fine = Particles(np.arange(18).reshape(6, 3) * 0.1, box=[4.0] * 3, topology=top)
    beads = rg.maps.Beads(by="residue", name="W")(fine)
    assert beads.topology.charges.tolist() == [0.1, 0.1]


def test_as_text_and_data(tmp_path: Any) -> None:
    for method in (
        Ewald(cutoff=1.2),
        Ewald(cutoff=np.float64(1.2), accuracy=1e-7, dielectric=15, background=True),
        ReactionField(cutoff=1.2),
        ReactionField(cutoff=1.2, permittivity=80.0),
    ):
        law = field(method, bonds={("A", "A"): HarmonicBond(k=1.0, r0=1.0)}, temperature=1.0)
        assert eval(repr(law)) == law
        assert "cutoff=1.2" in str(law)
        law.save(tmp_path / "law.json")
        assert ForceField.load(tmp_path / "law.json") == law
        assert law.cutoff == 1.2
        assert law.replace(charges=None).cutoff == 0.0
    older = ForceField(FREE).to_dict()
    del older["charges"]
    assert ForceField.from_dict(older) == ForceField(FREE)
    state = ions(10, SKEWED, 9)
    for method in METHODS:
        once = field(method).evaluate(state).energy
        assert field(method).scaled(1.5).evaluate(state).energy == pytest.approx(1.5 * once)


# ------------------------------------------------------------------ what users do wrong

EWALD = Ewald(cutoff=1.0)
PAIR = [[0, 0, 0], [1.0, 0, 0]]
WRONG = [
    (lambda: Ewald(cutoff=0.0), "cutoff must be a positive number"),
    (lambda: Ewald(cutoff="far"), "expected a number"),
    (lambda: Ewald(cutoff=1.0, accuracy=0.5), "expected 1e-13 to 0.1"),
    (lambda: Ewald(cutoff=1.0, accuracy=0.0), "expected 1e-13 to 0.1"),
    (lambda: Ewald(cutoff=1.0, dielectric=-1.0), "dielectric must be a positive number"),
    (lambda: Ewald(cutoff=1.0, background="yes"), "expected True or False"),
    (lambda: ReactionField(cutoff=1.0, permittivity=0.5), "at least that of the medium"),
    (lambda: ReactionField(cutoff=1.0, permittivity=np.nan), "at least that of the medium"),
    (lambda: ForceField(FREE, charges=[1, -1]), "the charges themselves are those of the topology"),
    (lambda: field(EWALD).evaluate(charged(PAIR, [4] * 3, [1, 1])), "add up to 2.000000"),
    (lambda: field(EWALD).evaluate(charged(PAIR, [4] * 3, [1, 1])), "background=True"),
    (
        lambda: field(EWALD).evaluate(charged([[0, 0, 0], [0, 0, 0]], [4] * 3, [1, -1])),
        "particles 0 and 1 are at the same place",
    ),
    (
        lambda: field(Ewald(cutoff=0.01)).evaluate(charged(PAIR, [40] * 3, [1, -1])),
        "wave vectors; give it a mesh, a longer cutoff",
    ),
    (
        lambda: field(EWALD, bonds={("A", "A"): None}).evaluate(
            charged(PAIR, [1.9] * 3, [1, -1], bonds=[(0, 1)])
        ),
        "less than two cutoffs",
    ),
]


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_what_is_wrong_is_said(make: Any, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        make()


def test_forgotten_charges_are_noticed() -> None:
    with pytest.warns(UserWarning, match="no particle has a charge"):
        found = field(EWALD).evaluate(charged(PAIR, [4] * 3, [0, 0]))
    assert found.energy == 0.0
    # Rounded charges of a neutral molecule are neutral.
    rounded = np.tile(np.array([-0.834, 0.417, 0.417], dtype=np.float32), 30)
    rng = np.random.default_rng(1)
    field(EWALD).evaluate(charged(rng.random((90, 3)) * 4, [4] * 3, rounded))
