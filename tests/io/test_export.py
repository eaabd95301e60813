"""Exported tables say what the force field says: asked of the engines themselves where they are
installed (LAMMPS, OpenMM), else interpolated as the engine's manual says."""

from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline, CubicSpline

import regrain as rg
from regrain.particles import ForceField, HarmonicBond, LennardJones, Particles, Table, Topology

KCAL, ANGSTROM = 4.184, 10.0
BOX = np.array([[3.0, 0.0, 0.0], [0.6, 2.9, 0.0], [-0.5, 0.7, 3.1]])


def water_like(core: str = "linear") -> Table:
    """A potential with a core, two wells and a smooth end, like that of one-site water."""
    form = Table(r_min=0.24, r_max=0.9, points=166, core=core)
    r = form.grid
    window = (1.0 - (r / 0.9) ** 2) ** 2
    return form.with_energy(
        window * (25.0 * np.exp(-((r - 0.24) / 0.02)) - 3.0 * np.exp(-(((r - 0.29) / 0.03) ** 2)))
        + window * 1.5 * np.cos(20.0 * r)
    )


def mixture(units: str = "md") -> ForceField:
    """Three types: tables with both kinds of core, Lennard-Jones, and pairs that do nothing."""
    lj = LennardJones(epsilon=0.8, sigma=0.3, cutoff=0.85, mode="force-shifted")
    return ForceField(
        pairs={
            ("A", "A"): water_like(),
            ("A", "B"): lj,
            ("B", "B"): water_like(core="error"),
            ("A", "C"): None,
            ("B", "C"): LennardJones(epsilon=1.0, sigma=0.25, cutoff=0.6),
            ("C", "C"): None,
        },
        exclude=0,
        units=units,
    )


def scattered(units: str = "md", closest: float = 0.245, n: int = 60) -> Particles:
    """Random particles, none closer than the tables allow."""
    rng = np.random.default_rng(2)
    places: list[np.ndarray] = []
    shifts = (np.array(list(np.ndindex(3, 3, 3))) - 1) @ BOX
    while len(places) < n:
        r = rng.random(3) @ BOX
        if all(np.linalg.norm(r - p + shifts, axis=1).min() > closest for p in places):
            places.append(r)
    types = np.array(["A", "B", "C"])[np.arange(n) % 3]
    return Particles(np.array(places), box=BOX, topology=Topology(types), units=units)


def run_lammps(module: ModuleType, path: Path, state: Particles, length: float) -> tuple:
    """Energy and forces of a state by the commands that stand in the head of the table file."""
    lines = path.read_text().splitlines()
    head = [line[1:].strip() for line in lines[: lines.index("")]]
    commands = [line for line in head if line.startswith(("units", "pair_"))]
    box = state.box * length
    types = state.topology.type_ids + 1
    engine = module.lammps(cmdargs=["-screen", "none", "-log", "none"])
    try:
        engine.command(commands[0])
        engine.commands_string(
            "atom_style atomic\natom_modify map array\nboundary p p p\n"
            f"region all prism 0 {box[0, 0]} 0 {box[1, 1]} 0 {box[2, 2]} "
            f"{box[1, 0]} {box[2, 0]} {box[2, 1]}\n"
            f"create_box {types.max()} all\nmass * 1.0"
        )
        inside = state.positions @ np.linalg.inv(state.box) % 1.0 @ box
        engine.create_atoms(len(state), None, list(types), list(inside.ravel()))
        for command in commands[1:]:
            engine.command(command.replace(path.name, str(path)))
        engine.command("neighbor 0.1 bin")
        engine.command("run 0 post no")
        forces = np.array(engine.gather_atoms("f", 1, 3)).reshape(-1, 3)
        return float(engine.get_thermo("pe")), forces
    finally:
        engine.close()


@pytest.mark.parametrize("units", ["md", "reduced"])
def test_lammps_gets_the_same_energy_and_forces(
    lammps: ModuleType, tmp_path: Path, units: str
) -> None:
    field, state = mixture(units), scattered(units)
    length, calorie = (ANGSTROM, KCAL) if units == "md" else (1.0, 1.0)
    (path,) = rg.export(field, tmp_path / "mixture.table")
    energy, forces = run_lammps(lammps, path, state, length)
    wanted = field.evaluate(state)
    # The thermodynamic output of "lj" units is per particle.
    per = len(state) if units == "reduced" else 1
    assert energy * per * calorie == pytest.approx(wanted.energy, rel=1e-5)
    scale = np.sqrt(np.mean(wanted.forces**2))
    assert forces * calorie * length == pytest.approx(wanted.forces, abs=1e-5 * scale)


def test_lammps_follows_the_core_of_a_table(lammps: ModuleType, tmp_path: Path) -> None:
    field = ForceField(pairs={("A", "A"): water_like()}, exclude=0, units="md")
    (path,) = rg.export(field, tmp_path / "core.table")
    for r in (0.1, 0.2, 0.239, 0.241):
        state = Particles([[0, 0, 0], [r, 0, 0]], box=BOX, units="md")
        energy, forces = run_lammps(lammps, path, state.replace(topology=Topology(["A"] * 2)), 10.0)
        wanted = field.evaluate(state)
        assert energy * KCAL == pytest.approx(wanted.energy, rel=1e-5)
        assert forces[1, 0] * KCAL * 10.0 == pytest.approx(wanted.forces[1, 0], rel=1e-4)


def test_lammps_refuses_the_table_in_other_units(lammps: ModuleType, tmp_path: Path) -> None:
    (path,) = rg.export(mixture(), tmp_path / "mixture.table")
    path.write_text(path.read_text().replace("units      real", "units      lj"))
    with pytest.raises(Exception, match=r"(?i)unit"):
        run_lammps(lammps, path, scattered(), 10.0)


def read_table(path: Path) -> dict[str, np.ndarray]:
    """Sections of a LAMMPS table by name: rows of index, r, u, f."""
    found: dict[str, np.ndarray] = {}
    blocks = path.read_text().split("\n\n")
    for head, body in zip(blocks[1::2], blocks[2::2], strict=True):
        name, settings = head.split("\n")
        words = settings.split()
        rows = np.loadtxt(body.splitlines())
        assert words[0] == "N"
        assert int(words[1]) == len(rows)
        assert [float(w) for w in words[3:]] == pytest.approx(rows[[0, -1], 1], rel=1e-15)
        found[name] = rows
    return found


def test_lammps_tables_by_reading_them(tmp_path: Path) -> None:
    field = mixture()
    (path,) = rg.export(field, tmp_path / "mixture.table", points=501)
    sections = read_table(path)
    assert sorted(sections) == ["A-A", "A-B", "A-C", "B-B", "B-C", "C-C"]
    for name, rows in sections.items():
        potential = field.pairs[tuple(name.split("-"))]
        r = rows[:-1, 1] / ANGSTROM
        wanted = (
            (np.zeros_like(r),) * 2 if potential is None else (potential.u(r), potential.force(r))
        )
        assert rows[:-1, 2] * KCAL == pytest.approx(wanted[0], rel=1e-12, abs=1e-12)
        assert rows[:-1, 3] * KCAL * ANGSTROM == pytest.approx(wanted[1], rel=1e-9, abs=1e-9)
        assert np.array_equal(rows[:, 0], np.arange(1, 502))
    # The jump of a cut potential: the last point is the limit from within.
    cut = field.pairs["B", "C"]
    assert sections["B-C"][-1, 2] * KCAL == pytest.approx(cut.u(0.6 - 1e-12), rel=1e-9)


@pytest.mark.parametrize("pair", [("A", "A"), ("A", "B"), ("B", "B"), ("B", "C")])
def test_gromacs_tables(tmp_path: Path, pair: tuple[str, str]) -> None:
    field = mixture()
    files = rg.export(field, tmp_path / "table.xvg")
    assert [f.name for f in files[:3]] == ["table.xvg", "table_A_A.xvg", "table_A_B.xvg"]
    assert len(files) == 7
    rows = np.loadtxt(tmp_path / f"table_{pair[0]}_{pair[1]}.xvg")
    r, u, f = rows[:, 0], rows[:, 5], rows[:, 6]
    assert not rows[:, 1:5].any()
    assert r[0] == 0.0
    assert np.diff(r) == pytest.approx(np.full(len(r) - 1, r[1]), abs=1e-9)
    assert r[-1] >= 0.9 + 1.0
    potential = field.pairs[pair]
    assert not u[r > potential.cutoff].any()
    # Between the points GROMACS has the cubics that meet value and slope at both ends.
    x = np.random.default_rng(1).uniform(0.25, potential.cutoff - 2 * r[1], 500)
    table = CubicHermiteSpline(r, u, -f)
    assert table(x) == pytest.approx(potential.u(x), rel=1e-6, abs=1e-6)
    assert -table(x, 1) == pytest.approx(potential.force(x), rel=1e-5, abs=1e-4)


def test_gromacs_tables_of_one_type(tmp_path: Path) -> None:
    field = ForceField(pairs={("W", "W"): water_like()}, units="md")
    (path,) = rg.export(field, tmp_path / "table.xvg", points=1001)
    rows = np.loadtxt(path)
    assert path.name == "table.xvg"
    at = int(np.argmin(np.abs(rows[:, 0] - 0.3)))
    assert rows[at, 5] == pytest.approx(water_like().u(rows[at, 0]), rel=1e-8)
    assert np.isfinite(rows).all()


def test_tables_go_on_below_the_range_as_the_linear_core_does(tmp_path: Path) -> None:
    field = ForceField(pairs={("A", "A"): water_like()}, units="md")
    core = water_like()
    r = np.random.default_rng(2).uniform(0.01, 0.24, 200)
    (xvg,) = rg.export(field, tmp_path / "core.xvg")
    rows = np.loadtxt(xvg)
    gromacs = CubicHermiteSpline(rows[:, 0], rows[:, 5], -rows[:, 6])
    assert gromacs(r) == pytest.approx(core.u(r), rel=1e-6)
    assert -gromacs(r, 1) == pytest.approx(core.force(r), rel=1e-6)
    (npz,) = rg.export(field, tmp_path / "core.npz")
    with np.load(npz) as tables:
        at = tables["r_min"][0] + np.arange(4001) / 4001 * (tables["r_cut"] - tables["r_min"])[0]
        assert at[0] < 0.01
        # The force is a straight line there, and lines are what HOOMD-blue has between points.
        assert np.interp(r, at, tables["F"][0]) == pytest.approx(core.force(r), rel=1e-3)
        inside = at < 0.24
        assert tables["F"][0][inside] == pytest.approx(core.force(at[inside]), rel=1e-9)


def test_hoomd_tables(tmp_path: Path) -> None:
    field = mixture("reduced")
    (path,) = rg.export(field, tmp_path / "mixture.npz", points=20001)
    with np.load(path) as tables:
        content = dict(tables)
    assert str(content["units"]) == "reduced"
    for k, types in enumerate(content["pairs"]):
        potential = field.pairs[tuple(map(str, types))]
        if potential is None:
            assert not content["U"][k].any()
            continue
        start, end = content["r_min"][k], content["r_cut"][k]
        assert end == potential.cutoff
        # As md.pair.Table does it: points r_min + i (r_cut - r_min) / N, straight lines between.
        r = start + (end - start) * np.arange(20001) / 20001
        x = np.random.default_rng(1).uniform(0.25, r[-1], 500)
        slope = np.abs(np.gradient(content["F"][k], r)).max()
        error = slope * (r[1] - r[0]) ** 2
        assert np.interp(x, r, content["U"][k]) == pytest.approx(potential.u(x), abs=error)
        scale = np.abs(potential.force(x)).max()
        assert np.interp(x, r, content["F"][k]) == pytest.approx(
            potential.force(x), abs=1e-3 * scale
        )


def test_openmm_file_by_reading_it(tmp_path: Path) -> None:
    field = mixture()
    (path,) = rg.export(field, tmp_path / "mixture.xml")
    force = Xml.parse(path).getroot().find("CustomNonbondedForce")
    assert force is not None
    assert force.get("bondCutoff") == "0"
    kinds = {atom.get("type"): int(atom.get("kind", "")) for atom in force.findall("Atom")}
    functions = {f.get("name"): f for f in force.findall("Function")}
    which = np.array((functions["which"].text or "").split(), float).reshape(3, 3).astype(int)
    assert np.array_equal(which, which.T)
    for (a, b), potential in field.pairs.items():
        k = which[kinds[a], kinds[b]]
        assert (k == -1) == (potential is None)
        if potential is None:
            continue
        values = np.array((functions[f"u{k}"].text or "").split(), float)
        start, end = (float(functions[f"u{k}"].get(key, "")) for key in ("min", "max"))
        spline = CubicSpline(np.linspace(start, end, len(values)), values, bc_type="natural")
        x = np.random.default_rng(1).uniform(0.25, potential.cutoff, 500)
        assert spline(x) == pytest.approx(potential.u(x), rel=1e-6, abs=1e-6)
        assert -spline(x, 1) == pytest.approx(potential.force(x), rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_openmm_gets_the_same_energy_and_forces(tmp_path: Path, platform: str) -> None:
    openmm = pytest.importorskip("openmm")
    app = pytest.importorskip("openmm.app")
    field, state = mixture(), scattered()
    (path,) = rg.export(field, tmp_path / "mixture.xml", topology=state.topology)
    topology = app.Topology()
    topology.setPeriodicBoxVectors(state.box)
    chain = topology.addChain()
    for name in state.topology.types:
        topology.addAtom(str(name), None, topology.addResidue(str(name), chain))
    system = app.ForceField(str(path)).createSystem(
        topology,
        nonbondedMethod=app.CutoffPeriodic,
        nonbondedCutoff=0.9,
        residueTemplates={residue: residue.name for residue in topology.residues()},
    )
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName(platform)
    )
    context.setPositions(state.positions)
    got = context.getState(getEnergy=True, getForces=True)
    wanted = field.evaluate(state)
    energy = got.getPotentialEnergy().value_in_unit(openmm.unit.kilojoule_per_mole)
    forces = got.getForces(asNumpy=True) / (openmm.unit.kilojoule_per_mole / openmm.unit.nanometer)
    scale = np.sqrt(np.mean(wanted.forces**2))
    assert energy == pytest.approx(wanted.energy, rel=1e-5)
    assert np.asarray(forces) == pytest.approx(wanted.forces, abs=1e-4 * scale)


def test_openmm_templates_of_molecules(tmp_path: Path) -> None:
    topology = Topology(
        ["A", "B", "A"] * 2 + ["A"],
        masses=[2.0, 3.0, 2.0] * 2 + [2.0],
        residues=[0, 0, 0, 1, 1, 1, 2],
        residue_names=["MOL"] * 6 + ["ONE"],
        bonds=[(0, 1), (1, 2), (3, 4), (4, 5), (5, 6)][:4],
    )
    pairs = {("A", "A"): water_like(), ("A", "B"): None, ("B", "B"): None}
    field = ForceField(pairs=pairs, units="md", exclude=1)
    (path,) = rg.export(field, tmp_path / "a.xml", topology=topology)
    root = Xml.parse(path).getroot()
    assert [t.get("mass") for t in root.findall("AtomTypes/Type")] == ["2.0", "3.0"]
    templates = {r.get("name"): r for r in root.findall("Residues/Residue")}
    assert len(templates["MOL"].findall("Atom")) == 3
    bonds = [(b.get("atomName1"), b.get("atomName2")) for b in templates["MOL"].findall("Bond")]
    assert bonds == [("A0", "B1"), ("B1", "A2")]
    assert len(templates["ONE"].findall("Atom")) == 1


# What export refuses, leaving nothing behind


@pytest.mark.parametrize(
    ("name", "field", "message"),
    [
        ("a.gro", mixture(), r"a\.gro.*\.lammps, \.table, \.top, \.xvg, \.xml, \.npz"),
        ("a.xvg", mixture("reduced"), r"a\.xvg.*GROMACS.*'reduced'"),
        ("a.xml", mixture("reduced"), r"a\.xml.*OpenMM.*'reduced'"),
        ("a.table", ForceField(pairs={("A", "A"): None}), r"a\.table.*no pair potential"),
        ("a.table", water_like(), r"a\.table.*ForceField, got Table"),
        ("none/a.table", mixture(), r"a\.table cannot be written"),
        (
            "a.table",
            ForceField(pairs={("a b", "a b"): water_like()}),
            r"a\.table.*'a b'.*rename",
        ),
    ],
)
def test_what_cannot_be_exported(tmp_path: Path, name: str, field: object, message: str) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        rg.export(field, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_too_few_points(tmp_path: Path) -> None:
    with pytest.raises(rg.RegrainError, match="got 3, expected at least 10"):
        rg.export(mixture(), tmp_path / "a.table", points=3)


def test_topologies_that_openmm_cannot_hold(tmp_path: Path) -> None:
    field = ForceField(pairs={("A", "A"): water_like()}, units="md")
    two_masses = Topology(["A", "A"], masses=[1.0, 2.0])
    with pytest.raises(rg.RegrainError, match="type 'A' have masses from 1 to 2"):
        rg.export(field, tmp_path / "a.xml", topology=two_masses)
    unlike = Topology(["A"] * 3, residues=[0, 0, 1], residue_names=["R"] * 3)
    with pytest.raises(rg.RegrainError, match="residues called 'R' differ"):
        rg.export(field, tmp_path / "a.xml", topology=unlike)
    assert list(tmp_path.iterdir()) == []


def test_bonded_potentials_are_missed_aloud(tmp_path: Path) -> None:
    field = ForceField(
        pairs={("A", "A"): water_like()}, bonds={("A", "A"): HarmonicBond(k=1.0, r0=1.0)}
    )
    with pytest.warns(UserWarning, match="pair potentials only; the bonds"):
        rg.export(field, tmp_path / "a.table")
