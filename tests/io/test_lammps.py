"""A force field and a state as a directory of LAMMPS: asked of LAMMPS where it is installed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain.particles import (
    Ewald,
    ForceField,
    LennardJones,
    Particles,
    ReactionField,
    Table,
    Topology,
)
from tests.engines.lammps_static import assert_agrees, need_lammps
from tests.engines.systems import BOX, FIELDS, bonded, chains, charged, formulas, tables, triples


@pytest.fixture(scope="module")
def lammps() -> None:
    need_lammps()


@pytest.mark.parametrize("name", FIELDS)
def test_energy_and_forces(lammps: None, tmp_path: Path, name: str) -> None:
    field, state = FIELDS[name](), chains()
    rg.export(field, tmp_path / "a.lammps", state=state)
    assert_agrees(tmp_path / "a.lammps", field, state)


@pytest.mark.parametrize("exclude", [0, 1, 3])
def test_exclusions(lammps: None, tmp_path: Path, exclude: int) -> None:
    field, state = tables(exclude=exclude), chains()
    assert field.evaluate(state).terms["pair"] != tables().evaluate(state).terms["pair"]
    rg.export(field, tmp_path / "a.lammps", state=state)
    assert_agrees(tmp_path / "a.lammps", field, state)


@pytest.mark.parametrize("exclude", [0, 2])
@pytest.mark.parametrize("make", [formulas, bonded])
def test_charges(
    lammps: None, tmp_path: Path, make: Callable[..., ForceField], exclude: int
) -> None:
    # Both sums are good to 1e-7 of the mean force between charges.
    ewald = Ewald(cutoff=0.9, accuracy=1e-7, dielectric=2.5)
    field, state = make(exclude=exclude).replace(charges=ewald), charged()
    rg.export(field, tmp_path / "a.lammps", state=state)
    assert_agrees(tmp_path / "a.lammps", field, state)


@pytest.mark.parametrize("grid", ["r", "rsq"])
def test_reduced_units_and_both_grids(lammps: None, tmp_path: Path, grid: str) -> None:
    field, state = tables(units="reduced"), chains("reduced")
    rg.export(field, tmp_path / "a.lammps", state=state, grid=grid)
    assert_agrees(tmp_path / "a.lammps", field, state)


def test_water_beads(lammps: None, tmp_path: Path) -> None:
    files = rg.io.example("spce")
    fine = rg.load(files.trajectory, topology=files.topology, masses={"OW": 15.9994})
    beads = rg.maps.Beads(by="residue", name="W")(fine[0])
    form = Table(r_min=0.22, r_max=0.9, points=341)
    window = (1.0 - (form.grid / 0.9) ** 2) ** 2
    wells = np.cos(20.0 * form.grid) + 25.0 * np.exp((0.24 - form.grid) / 0.02)
    field = ForceField({("W", "W"): form.with_energy(window * wells)}, units="md")
    rg.export(field, tmp_path / "water.lammps", state=beads)
    assert_agrees(tmp_path / "water.lammps", field, beads)


def test_masses_that_differ_within_a_type_and_images(lammps: None, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    topology = Topology(["A\nrun 10", "&", "A\nrun 10"] * 9, masses=rng.permutation(27) + 1.0)
    cells = np.array(list(np.ndindex(3, 3, 3))) / 3.0
    state = Particles(
        (cells + 0.05 * rng.random((27, 3))) @ BOX,
        BOX,
        topology=topology,
        images=rng.integers(-3, 4, size=(27, 3)),
    )
    lj = LennardJones(epsilon=1.0, sigma=0.8, cutoff=1.3, mode="shifted")
    name, other = topology.type_names[::-1]
    field = ForceField({(name, name): lj, (name, other): lj, (other, other): None})
    rg.export(field, tmp_path / "a.lammps", state=state)
    assert_agrees(tmp_path / "a.lammps", field, state)


def test_the_script_runs_as_it_is(lammps: None, tmp_path: Path) -> None:
    from regrain.engines import Lammps, programs

    field, state = formulas(temperature=50.0), chains()
    rg.export(field, tmp_path / "a.lammps", state=state.replace(velocities=None))
    command, variables = Lammps()._started()
    home = tmp_path / "a.lammps"
    command += ["-in", "run.in", "-var", "steps", "20", "-var", "every", "10"]
    output = tmp_path / "screen"
    assert programs.run(command, directory=home, output=output, environment=variables) == 0
    trace = rg.load(home / "frames.lammpstrj", topology=state.topology)
    # The file says its units and times: 10 steps of 1 fs.
    assert trace.times == pytest.approx([0.0, 0.01, 0.02])
    assert trace[0].positions.shape == trace[0].velocities.shape == (120, 3)


def test_files_and_what_they_say(tmp_path: Path) -> None:
    written = rg.export(tables(), tmp_path / "a.lammps", state=chains(), points=101)
    assert [path.name for path in written] == [
        "model.in", "system.data", "run.in", "pairs.table", "bonds.table", "angles.table",
        "dihedrals.table",
    ]  # fmt: skip
    model = written[0].read_text()
    # Harmonic terms of LAMMPS have no factor 1/2, and angles are in degrees.
    k, theta0 = 1.5 / 4.184, float(np.degrees(2.0))
    assert f"angle_coeff 2 harmonic {k!r} {theta0!r}  # B-A-B" in model
    assert "special_bonds lj/coul 0 0 1" in model
    angles = np.loadtxt(written[5].read_text().splitlines()[5:])
    assert angles[[0, -1], 1].tolist() == [0.0, 180.0]
    dihedrals = np.loadtxt(written[6].read_text().splitlines()[5:])
    # A turn without its end, as both ends are the same angle.
    assert dihedrals[[0, -1], 1] == pytest.approx([-180.0, 180.0 - 360.0 / 101])
    degree = np.degrees(1.0)
    wanted = tables().dihedrals["A", "B", "A", "B"].force(np.radians(dihedrals[7, 1]))
    assert dihedrals[7, 3] == pytest.approx(wanted / degree / 4.184, rel=1e-9)


# What export refuses, leaving nothing behind


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        (formulas(), {}, r"a\.lammps.*needs a state.*state="),
        (formulas(), {"state": "water.gro"}, r"needs a state.*got 'water\.gro'"),
        (formulas(exclude=4), {"state": chains()}, r"exclude=4: LAMMPS.*3 bonds"),
        (formulas().replace(charges=ReactionField(cutoff=0.9)), {"state": charged()},
         "LAMMPS has no reaction field"),
        (formulas().replace(charges=Ewald(cutoff=0.2)), {"state": charged()},
         "beyond the cutoff of the charges, 0.2, where LAMMPS does not exclude"),
        (triples().replace(charges=Ewald(cutoff=0.9)), {"state": charged()},
         r"with charges LAMMPS keeps the pairs.*use exclude=0"),
        (bonded(units="reduced"), {"state": chains()}, r"'reduced' units, the state in 'md'"),
        (formulas(), {"state": chains(), "grid": "log"}, r"grid: got 'log', expected \"r\" or"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported(
    tmp_path: Path, field: ForceField, given: dict, message: str
) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        rg.export(field, tmp_path / "a.lammps", **given)
    assert list(tmp_path.iterdir()) == []


def test_particles_without_mass(tmp_path: Path) -> None:
    state = Particles(np.zeros((1, 3)), [3.0] * 3, topology=Topology(["A"], masses=[0.0]))
    with pytest.raises(rg.RegrainError, match=r"particle 0 \(A\) has no mass"):
        rg.export(ForceField({("A", "A"): None}), tmp_path / "a.lammps", state=state)


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "a.lammps").write_text("")
    with pytest.raises(rg.RegrainError, match=r"a\.lammps cannot be written.*directory"):
        rg.export(formulas(), tmp_path / "a.lammps", state=chains())
