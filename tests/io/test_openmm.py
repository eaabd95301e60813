"""A force field and a state as a System of OpenMM: asked of OpenMM."""

from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

import regrain as rg
from regrain.particles import Ewald, ForceField, LennardJones, Particles, ReactionField
from tests.engines.systems import FIELDS, chains, charged, formulas, tables, triples


@pytest.fixture(scope="module")
def openmm() -> ModuleType:
    return pytest.importorskip("openmm")


def assert_agrees(
    openmm: ModuleType, path: Path, field: ForceField, state: Particles, to: float = 1e-5
) -> None:
    """That OpenMM has the energy and the forces of the force field."""
    system = openmm.XmlSerializer.deserialize(path.read_text())
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    context.setPositions(state.positions)
    seen = context.getState(getEnergy=True, getForces=True)
    unit = openmm.unit.kilojoule_per_mole
    wanted = field.evaluate(state)
    scale = np.sqrt(np.mean(wanted.forces**2))
    assert seen.getPotentialEnergy() / unit == pytest.approx(wanted.energy, rel=to)
    forces = np.array(seen.getForces(asNumpy=True) / (unit / openmm.unit.nanometer))
    assert forces == pytest.approx(wanted.forces, abs=to * scale)
    masses = [system.getParticleMass(i)._value for i in range(len(state))]
    assert masses == state.topology.masses.tolist()


@pytest.mark.parametrize("exclude", [0, 2, 4])
@pytest.mark.parametrize("name", FIELDS)
def test_energy_and_forces(openmm: ModuleType, tmp_path: Path, name: str, exclude: int) -> None:
    field, state = FIELDS[name](exclude=exclude), chains()
    if name == "triples" and exclude:
        with pytest.raises(rg.RegrainError, match="OpenMM leaves out triples of which any two"):
            rg.export(field, tmp_path / "a.xml", state=state)
        return
    (path,) = rg.export(field, tmp_path / "a.xml", state=state)
    assert_agrees(openmm, path, field, state)


@pytest.mark.parametrize("exclude", [0, 2])
def test_charges(openmm: ModuleType, tmp_path: Path, exclude: int) -> None:
    state = charged()
    # The errors of PME are those of the forces between charges, which are larger than the sum.
    ewald = Ewald(cutoff=0.9, accuracy=1e-6, dielectric=2.5)
    reaction = ReactionField(cutoff=0.9, permittivity=70.0, dielectric=2.0)
    for law in (ewald, reaction):
        field = formulas(exclude=exclude).replace(charges=law)
        (path,) = rg.export(field, tmp_path / "a.xml", state=state)
        assert_agrees(openmm, path, field, state)


def test_a_lattice_that_is_skewed_by_more_than_half(openmm: ModuleType, tmp_path: Path) -> None:
    state = rg.particles.fcc(cells=3, density=0.7)
    skewed = np.array([[1.0, 0, 0], [0.8, 1.0, 0], [-0.9, 0.7, 1.0]]) * state.box[0, 0]
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.2, mode="shifted")
    field = ForceField({("A", "A"): lj}, units="md")
    rng = np.random.default_rng(1)
    moved = state.positions + 0.05 * rng.normal(size=state.positions.shape)
    state = state.replace(positions=moved, box=skewed, units="md")
    (path,) = rg.export(field, tmp_path / "a.xml", state=state)
    assert_agrees(openmm, path, field, state)


def test_what_the_file_says(tmp_path: Path) -> None:
    (path,) = rg.export(tables(), tmp_path / "a.xml", state=chains(), points=101)
    root = Xml.parse(path).getroot()
    assert root.get("type") == "System"
    forces = {force.get("type"): force for force in root.findall("Forces/Force")}
    excluded = forces["CustomNonbondedForce"].findall("Exclusions/Exclusion")
    assert len(excluded) == len(chains().topology.exclusions(2))
    assert len(forces["CustomNonbondedForce"].findall("Functions/Function")) == 4
    angles = forces["HarmonicAngleForce"].findall("Angles/Angle")
    assert {(a.get("k"), a.get("a")) for a in angles} == {("3.0", "2.0")}


def test_types_that_the_state_has_not(openmm: ModuleType, tmp_path: Path) -> None:
    field = tables()
    lj = LennardJones(epsilon=1.0, sigma=0.3, cutoff=1.4)
    more = field.replace(pairs={**field.pairs, ("C", "C"): lj, ("A", "C"): lj})
    (path,) = rg.export(more, tmp_path / "a.xml", state=chains())
    assert_agrees(openmm, path, field, chains())


def test_what_openmm_cannot_have(tmp_path: Path) -> None:
    with pytest.raises(rg.RegrainError, match=r"a\.xml: OpenMM works in nm and kJ/mol"):
        rg.export(tables(units="reduced"), tmp_path / "a.xml", state=chains("reduced"))
    with pytest.raises(rg.RegrainError, match="use exclude=0, or another engine"):
        rg.export(triples(), tmp_path / "a.xml", state=chains())
    assert list(tmp_path.iterdir()) == []
