"""Ewald's sum on a mesh: exact sums, the accuracy asked for, gradients, and what runs need."""

from typing import Any

import numpy as np
import pytest

from regrain import RegrainError, _core
from regrain.particles import NVE, Ewald, ForceField, LennardJones, Particles, Topology
from tests.particles.test_charges import (
    BONDED,
    LATTICES,
    SHAPES,
    SKEWED,
    charged,
    field,
    ions,
)


def on_mesh(cutoff: float, accuracy: float, **more: Any) -> ForceField:
    return field(Ewald(cutoff=cutoff, accuracy=accuracy, mesh=True, **more))


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("accuracy", [1e-4, 1e-9])
def test_madelung_constants(name: str, accuracy: float) -> None:
    # The energy's error is not that of forces: of a few charges that only have themselves it is
    # that of the self energy beyond its first harmonics.
    cell, basis, neighbour, madelung = LATTICES[name]
    shifted = np.add(basis, [0.123, 0.456, 0.789])
    found = on_mesh(3.0, accuracy).evaluate(charged(shifted, cell, [1, -1]))
    assert found.energy * neighbour == pytest.approx(-madelung, abs=accuracy)
    assert np.allclose(found.forces, 0, atol=2 * accuracy)
    assert np.allclose(found.virial, np.eye(3) * found.energy / 3, atol=20 * accuracy)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("accuracy", [1e-1, 1e-2, 1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("large", [False, True])
def test_the_error_of_forces_is_what_was_asked_for(
    shape: str, accuracy: float, large: bool
) -> None:
    # With one large charge, too, whose own field on the mesh must not count.
    state = ions(400, SHAPES[shape], 6)
    charges = state.topology.charges.copy()
    if not large:
        signs = np.where(np.arange(400) % 2, 1.0, -1.0)
        charges = signs * np.random.default_rng(3).uniform(0.5, 1.5, 400)
        charges[::2] *= -charges[1::2].sum() / charges[::2].sum()
    state = charged(state.positions, state.box, charges)
    exact = field(Ewald(cutoff=2.0, accuracy=1e-11, mesh=False)).evaluate(state)
    n = np.count_nonzero(charges)
    unit = (charges**2).sum() / n * (n / state.volume) ** (2 / 3)
    for cutoff in (1.2, 2.6):
        found = on_mesh(cutoff, accuracy).evaluate(state)
        error = np.sqrt(((found.forces - exact.forces) ** 2).sum() / n) / unit
        assert 0.2 * accuracy < error < accuracy
        assert found.energy == pytest.approx(exact.energy, rel=accuracy)


@pytest.mark.parametrize("accuracy", [1e-2, 1e-5])
@pytest.mark.parametrize("background", [False, True])
def test_forces_and_virial_are_exact_derivatives(accuracy: float, background: bool) -> None:
    # However coarse the mesh is; of the forces but for the push of the whole that is taken out.
    state = ions(12, SKEWED, 3, **BONDED)
    charges = state.topology.charges + (0.2 if background else 0.0)
    state = charged(state.positions, SKEWED, charges, **BONDED)
    method = Ewald(cutoff=2.4, accuracy=accuracy, background=background, mesh=True)
    law = field(method, bonds={("A", "A"): None})
    found = law.evaluate(state)
    h = 1e-5
    slopes = np.empty_like(found.forces)
    for i in range(len(state)):
        for k in range(3):
            energies = []
            for step in (h, -h):
                moved = state.positions.copy()
                moved[i, k] += step
                energies.append(law.evaluate(state.replace(positions=moved)).energy)
            slopes[i, k] = (energies[1] - energies[0]) / (2 * h)
    assert np.allclose(found.forces, slopes - slopes.mean(axis=0), atol=3e-7)
    # The push is an error of the mesh.
    assert np.abs(slopes.sum(axis=0)).max() < 20 * accuracy
    assert np.allclose(found.forces.sum(axis=0), 0, atol=1e-12)
    for a in range(3):
        for b in range(a + 1):
            energies = []
            for step in (h, -h):
                strain = np.eye(3)
                strain[a, b] += step
                energies.append(
                    law.evaluate(
                        charged(state.positions @ strain, SKEWED @ strain, charges, **BONDED)
                    ).energy
                )
            slope = (energies[0] - energies[1]) / (2 * h)
            assert found.virial[a, b] == pytest.approx(-slope, abs=1e-6)


def test_where_charges_are_on_the_mesh_does_not_matter() -> None:
    state = ions(60, SKEWED, 7)
    energies, forces = [], []
    for shift in np.random.default_rng(1).random((6, 3)) * 10:
        found = on_mesh(2.0, 1e-6).evaluate(state.replace(positions=state.positions + shift))
        energies.append(found.energy)
        forces.append(found.forces)
    assert np.ptp(energies) < 1e-5 * abs(energies[0])
    assert np.ptp(energies) > 0.0  # it does, beyond the accuracy
    assert np.abs(np.array(forces) - forces[0]).max() < 1e-4


def test_by_size() -> None:
    few, many = ions(20, SKEWED, 5), ions(2000, SKEWED * 2, 5)
    for state, mesh in ((few, False), (many, True)):
        default = Ewald(cutoff=2.0, accuracy=1e-4)
        said = Ewald(cutoff=2.0, accuracy=1e-4, mesh=mesh)
        assert ("points" in default.resolution(state)) == mesh
        assert default.resolution(state) == said.resolution(state)
        assert field(default).evaluate(state).energy == field(said).evaluate(state).energy
    found = Ewald(cutoff=2.0, accuracy=1e-4, mesh=True).resolution(many)
    assert found["alpha"] == pytest.approx(np.sqrt(np.log(4e4)) / 2.0)
    assert 4 <= found["order"] <= 8
    assert all(n == _core.good_length(n) for n in found["points"])


def test_a_mesh_that_changes_with_the_box_changes_little_else() -> None:
    # Through several numbers of points: along the way the energy goes as it does wave by wave.
    state = ions(200, SKEWED, 8)
    points = set()
    for scale in np.linspace(0.9, 1.1, 15):
        now = charged(state.positions * scale, SKEWED * scale, state.topology.charges)
        method = Ewald(cutoff=2.0, accuracy=1e-4, mesh=True)
        points.add(method.resolution(now)["points"])
        exact = field(Ewald(cutoff=2.0, accuracy=1e-10, mesh=False)).evaluate(now)
        assert field(method).evaluate(now).energy == pytest.approx(exact.energy, rel=1e-4)
    assert len(points) > 2


def salt(n: int) -> tuple[Particles, dict[Any, Any]]:
    """Ions of two masses on a lattice of n in each direction, and what keeps them apart."""
    grid = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    plus = grid.sum(axis=1) % 2 == 0
    top = Topology(
        np.where(plus, "+", "-"),
        charges=np.where(plus, 1.0, -1.0),
        masses=np.where(plus, 1.0, 4.0),
    )
    soft = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2 ** (1 / 6), mode="shifted")
    pairs = {("+", "+"): soft, ("+", "-"): soft, ("-", "-"): soft}
    return Particles(grid * 1.3, box=[1.3 * n] * 3, topology=top), pairs


def test_a_run_conserves_energy_and_momentum() -> None:
    # As well as wave by wave at the same accuracy of what is left out beyond the cutoff.
    start, pairs = salt(6)
    drift: dict[bool, float] = {}
    for mesh in (False, True):
        law = ForceField(
            pairs, charges=Ewald(cutoff=3.0, accuracy=1e-5, mesh=mesh), temperature=0.5
        )
        trace = law.run(start, time=3.0, dt=0.003, every=0.1, seed=4, dynamics=NVE())
        energy = trace.log["potential_energy"] + trace.log["kinetic_energy"]
        drift[mesh] = float(np.std(energy)) / len(start)
        velocities = trace[-1].velocities
        assert velocities is not None
        momentum = start.topology.masses @ velocities
        assert np.allclose(momentum, 0, atol=1e-11)
    assert drift[True] < 1.5 * drift[False] + 1e-6
    assert drift[True] < 2e-4


def test_bits_do_not_depend_on_threads() -> None:
    start, pairs = salt(10)
    law = ForceField(pairs, charges=Ewald(cutoff=2.0, accuracy=1e-4, mesh=True))
    moved = start.replace(
        positions=start.positions + np.random.default_rng(2).normal(0, 0.05, (1000, 3))
    )
    before = _core.threads()
    found = []
    try:
        for count in (1, 2, 3):
            _core.set_threads(count)
            found.append(law.evaluate(moved))
    finally:
        _core.set_threads(before)
    for other in found[1:]:
        assert other.energy == found[0].energy
        assert np.array_equal(other.forces, found[0].forces)
        assert np.array_equal(other.virial, found[0].virial)


def test_as_text_and_data(tmp_path: Any) -> None:
    for mesh in (True, False, None):
        law = field(Ewald(cutoff=1.2, mesh=mesh))
        assert eval(repr(law)) == law
        law.save(tmp_path / "law.json")
        assert ForceField.load(tmp_path / "law.json") == law
    older = field(Ewald(cutoff=1.2)).to_dict()
    older["charges"].pop("mesh", None)
    assert ForceField.from_dict(older) == field(Ewald(cutoff=1.2))


def test_meshes_that_cannot_be() -> None:
    with pytest.raises(RegrainError, match=r"mesh: got 'fine', expected True, False or None"):
        Ewald(cutoff=1.0, mesh="fine")  # type: ignore[arg-type]
    far = charged([[1, 1, 1], [2, 1, 1]], [3000.0] * 3, [1, -1])
    with pytest.raises(RegrainError, match="no mesh is fine enough"):
        on_mesh(1.0, 1e-6).evaluate(far)
