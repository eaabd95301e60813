"""Every way in gives the same numbers."""

import pickle
import struct
from pathlib import Path
from types import SimpleNamespace

import MDAnalysis
import numpy as np
import pytest

import regrain as rg
from regrain.particles import Topology

N, FRAMES = 12, 5

# Largest rounding of each format in nm: single precision of Å at 100, and 0.01 Å steps of XTC.
PRECISION = {"trr": 1e-6, "dcd": 1e-6, "xtc": 0.00051}


@pytest.mark.parametrize("extension", PRECISION)
def test_trajectory_files_come_in_nm_and_ps(
    water: SimpleNamespace, folder: Path, extension: str
) -> None:
    expected = water.states()
    loaded = rg.load(folder / f"water.{extension}", topology=folder / "water.gro")
    assert loaded.units == "md"
    assert loaded.times == pytest.approx(expected.times if extension != "dcd" else range(FRAMES))
    for state, wanted in zip(loaded, expected, strict=True):
        assert state.positions == pytest.approx(wanted.positions, abs=PRECISION[extension])
        assert state.box == pytest.approx(wanted.box, abs=2e-6)
        assert np.all(np.triu(state.box, 1) == 0)


def test_trr_brings_velocities_and_forces(water: SimpleNamespace, folder: Path) -> None:
    for state, wanted in zip(
        rg.load(folder / "water.trr", topology=folder / "water.gro"), water.states(), strict=True
    ):
        assert state.velocities == pytest.approx(wanted.velocities, rel=1e-6)
        assert state.forces == pytest.approx(wanted.forces, rel=1e-6)


def test_trr_read_here_equals_trr_read_by_mdanalysis(folder: Path) -> None:
    ours = rg.load(folder / "water.trr", topology=folder / "water.gro")
    theirs = rg.load(MDAnalysis.Universe(str(folder / "water.gro"), str(folder / "water.trr")))
    assert np.array_equal(ours.times, theirs.times)
    for a, b in zip(ours, theirs, strict=True):
        for name in ("positions", "velocities", "forces"):
            assert getattr(a, name) == pytest.approx(getattr(b, name), rel=3e-7, abs=1e-7)
        assert a.box == pytest.approx(b.box, rel=1e-6, abs=2e-6)


def test_trr_in_double_precision_without_forces(
    water: SimpleNamespace, tmp_path: Path, folder: Path
) -> None:
    state = water.states()[0]
    sizes = [0, 0, 72, 0, 0, 0, 0, 24 * N, 24 * N, 0]
    head = struct.pack(">iii12s13i2d", 1993, 13, 12, b"GMX_trn_file", *sizes, N, 7, 0, 1.25, 0.0)
    body = b"".join(
        a.astype(">f8").tobytes() for a in (state.box, state.positions, state.velocities)
    )
    (tmp_path / "double.trr").write_bytes(head + body)
    loaded = rg.load(tmp_path / "double.trr", topology=folder / "water.gro")
    assert loaded.times.tolist() == [1.25]
    assert np.array_equal(loaded[0].positions, state.positions)
    assert np.array_equal(loaded[0].velocities, state.velocities)
    assert np.array_equal(loaded[0].box, state.box)
    assert loaded[0].forces is None


def test_a_structure_file_is_a_trace_of_one_frame(water: SimpleNamespace, folder: Path) -> None:
    loaded = rg.load(folder / "water.gro")
    assert len(loaded) == 1
    assert loaded.times.tolist() == [0.0]
    assert loaded[0].positions == pytest.approx(water.states()[0].positions, abs=0.00051)
    assert loaded[0].topology.residue_names.tolist() == ["SOL"] * N


def test_universe_brings_its_topology_and_stays_where_it_was(
    water: SimpleNamespace, folder: Path
) -> None:
    universe = water.universe_of(water.states())
    universe.load_new(str(folder / "water.trr"))
    _ = universe.trajectory[2]
    loaded = rg.load(universe)
    assert len(list(loaded)) == FRAMES
    assert universe.trajectory.frame == 2
    wanted = water.states()[0].topology
    for name in ("types", "names", "masses", "charges", "residues", "residue_names"):
        assert np.array_equal(getattr(loaded[0].topology, name), getattr(wanted, name)), name
    for name in ("bonds", "angles", "dihedrals"):
        got = {tuple(min(t, t[::-1])) for t in getattr(loaded[0].topology, name).tolist()}
        assert got == {tuple(min(t, t[::-1])) for t in getattr(wanted, name).tolist()}, name


def test_atom_groups_keep_their_order_and_renumber_their_bonds(
    water: SimpleNamespace, folder: Path
) -> None:
    universe = water.universe_of(water.states())
    universe.load_new(str(folder / "water.trr"))
    order = [5, 3, 4, 9]
    loaded = rg.load(universe.atoms[order])
    assert loaded[1].positions == pytest.approx(water.states()[1].positions[order], abs=1e-6)
    assert loaded[1].forces == pytest.approx(water.states()[1].forces[order], rel=1e-5)
    bonds = {tuple(sorted(b)) for b in loaded[0].topology.bonds.tolist()}
    assert bonds == {(0, 1), (1, 2)}
    assert loaded[0].topology.residues.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("source", ["trr", "xtc", "universe", "gsd", "xyz"])
def test_selections(water: SimpleNamespace, folder: Path, tmp_path: Path, source: str) -> None:
    if source == "universe":
        universe = water.universe_of(water.states())
        universe.load_new(str(folder / "water.trr"))
        loaded = rg.load(universe, select="name OW")
    elif source in ("gsd", "xyz"):
        loaded = rg.load(rg.save(water.states(), tmp_path / f"w.{source}"), select="name OW")
    else:
        loaded = rg.load(
            folder / f"water.{source}", topology=folder / "water.gro", select="name OW"
        )
    assert set(loaded[0].topology.names) == {"OW"}
    assert loaded[3].unwrapped.shape == (N // 3, 3)
    assert loaded[3].forces is None or loaded[3].forces == pytest.approx(
        water.states()[3].forces[::3], rel=1e-5
    )


@pytest.mark.parametrize("source", ["trr", "gsd", "xyz"])
def test_geometric_selections_see_the_first_frame_in_angstrom(
    water: SimpleNamespace, folder: Path, tmp_path: Path, source: str
) -> None:
    if source == "trr":
        loaded = rg.load(folder / "water.trr", topology=folder / "water.gro", select="prop x < 5.0")
    else:
        bare = water.states().map(lambda s: s.replace(images=None))
        loaded = rg.load(rg.save(bare, tmp_path / f"w.{source}"), select="prop x < 5.0")
    whole = rg.load(folder / "water.trr", topology=folder / "water.gro")[0]
    if source == "gsd":
        whole = rg.load(tmp_path / "w.gsd")[0]
    assert len(loaded[0]) == int(np.sum(whole.positions[:, 0] < 0.5)) > 0


def test_selecting_leaves_the_universe_given_as_topology_alone(folder: Path) -> None:
    universe = MDAnalysis.Universe(str(folder / "water.gro"), str(folder / "water.xtc"))
    loaded = rg.load(folder / "water.trr", topology=universe, select="around 10 (resid 1)")
    assert universe.trajectory.n_frames == FRAMES
    assert len(loaded[0]) < N


def test_a_part_of_a_universe_is_the_topology_of_a_trajectory_of_that_part(
    water: SimpleNamespace, folder: Path, tmp_path: Path
) -> None:
    universe = MDAnalysis.Universe(str(folder / "water.gro"), str(folder / "water.trr"))
    oxygens = universe.select_atoms("name OW")
    oxygens.write(str(tmp_path / "oxygens.xtc"), frames="all")
    loaded = rg.load(tmp_path / "oxygens.xtc", topology=oxygens, select="resid 1 3")
    assert loaded[2].positions == pytest.approx(water.states()[2].positions[[0, 6]], abs=0.00051)


def test_a_topology_needs_no_file(folder: Path) -> None:
    loaded = rg.load(folder / "water.trr", topology=Topology(["X"] * N))
    assert loaded[0].topology.type_names == ("X",)


def test_types_are_what_was_asked_for(folder: Path) -> None:
    by = {t: rg.load(folder / "water.gro", types=t)[0].topology for t in ("types", "names")}
    assert by["types"].type_names == ("H", "O")
    assert by["names"].type_names == ("HW1", "HW2", "OW")


def test_masses_and_charges_by_name_before_type_or_whole(folder: Path) -> None:
    loaded = rg.load(
        folder / "water.gro",
        masses={"H": 2.0, "HW2": 3.0},
        charges=np.arange(N, dtype=float),
    )[0].topology
    assert loaded.masses[:3].tolist() == [15.999, 2.0, 3.0]
    assert loaded.charges.tolist() == list(range(N))


def test_unknown_masses_are_warned_of(
    water: SimpleNamespace, tmp_path: Path, trace: rg.Trace
) -> None:
    bead = trace[0].replace(
        topology=Topology(["Q7"] * N, residues=[0] * N, residue_names=["DPP"] * N), images=None
    )
    universe = MDAnalysis.Universe.empty(N, trajectory=True)
    universe.add_TopologyAttr("names", ["Q7"] * N)
    universe.add_TopologyAttr("resnames", ["DPP"])
    universe.add_TopologyAttr("resids", [1])
    universe.atoms.positions = bead.positions * 10.0
    universe.dimensions = [30, 30, 30, 90, 90, 90]
    universe.atoms.write(str(tmp_path / "beads.gro"))
    with pytest.warns(UserWarning, match=r"no mass is known.*Q"):
        loaded = rg.load(tmp_path / "beads.gro")
    kind = loaded[0].topology.type_names[0]
    assert rg.load(tmp_path / "beads.gro", masses={kind: 72.0})[0].topology.masses[0] == 72.0


def test_a_universe_that_knows_little() -> None:
    universe = MDAnalysis.Universe.empty(3, trajectory=True)
    universe.dimensions = [30, 30, 30, 90, 90, 90]
    with pytest.warns(UserWarning, match="no mass is known for the types X"):
        assert rg.load(universe)[0].topology.type_names == ("X",)
    universe.add_TopologyAttr("names", ["a", "b", "c"])
    loaded = rg.load(universe, masses=[2.0, 3.0], select="name b c")
    assert loaded[0].topology.types.tolist() == ["b", "c"]


def test_frames_times_box_velocities_and_forces_can_be_chosen(
    water: SimpleNamespace, folder: Path
) -> None:
    files = {"topology": folder / "water.gro"}
    loaded = rg.load(
        folder / "water.trr",
        **files,
        frames=slice(None, None, 2),
        times=0.5,
        box=[4.0, 4.0, 4.0],
        velocities=False,
    )
    assert loaded.times.tolist() == [0.0, 1.0, 2.0]
    assert loaded[1].positions == pytest.approx(water.states()[2].positions, abs=1e-6)
    assert loaded[1].box.tolist() == np.diag([4.0] * 3).tolist()
    assert loaded[1].velocities is None
    assert loaded[1].forces is not None
    assert rg.load(folder / "water.trr", **files, frames=[4])[0].positions == pytest.approx(
        water.states()[4].positions, abs=1e-6
    )
    assert rg.load(folder / "water.trr", **files, frames=-1).times.tolist() == [8.0]
    assert rg.load(folder / "water.trr", **files, frames=[0, 1], times=[3, 9]).times[1] == 9.0


@pytest.mark.parametrize("extension", ["trr", "xtc", "gsd", "xyz"])
def test_order_of_reading_does_not_matter_and_workers_open_again(
    water: SimpleNamespace, folder: Path, tmp_path: Path, extension: str
) -> None:
    if extension in ("gsd", "xyz"):
        loaded = rg.load(rg.save(water.states(), tmp_path / f"w.{extension}"))
    else:
        loaded = rg.load(folder / f"water.{extension}", topology=folder / "water.gro")
    in_order = [state.positions for state in loaded]
    _ = loaded[1]
    copy = pickle.loads(pickle.dumps(loaded))
    for i in (3, 0, 4, 2, 1):
        assert np.array_equal(loaded[i].positions, in_order[i])
        assert np.array_equal(copy[i].positions, in_order[i])
    assert loaded[3].topology is loaded[0].topology


def test_reduced_units_change_no_number(water: SimpleNamespace, folder: Path) -> None:
    loaded = rg.load(folder / "water.dcd", topology=Topology(["A"] * N), units="reduced")
    assert loaded.units == "reduced"
    assert loaded[1].positions == pytest.approx(water.states()[1].positions * 10.0, abs=1e-5)


def test_unevenly_spaced_times(water: SimpleNamespace, tmp_path: Path, folder: Path) -> None:
    uneven = rg.Trace(water.states().frames, times=[0.0, 1.0, 5.0, 6.0, 20.0])
    for extension in ("trr", "xtc"):
        water.write(uneven, tmp_path / f"u.{extension}")
        loaded = rg.load(tmp_path / f"u.{extension}", topology=folder / "water.gro")
        assert loaded.times == pytest.approx(uneven.times)


def test_the_shipped_water() -> None:
    files = rg.io.example("spce")
    water = rg.load(files.trajectory, topology=files.topology, masses={"OW": 15.9994})
    assert len(water) == 34
    assert water.spacing == pytest.approx(3.0)
    first, last = water[0], water[-1]
    assert len(first) == 6540
    assert first.topology.masses.sum() == pytest.approx(2180 * 18.0154)
    # Rigid SPC/E: OH 0.1 nm (Berendsen 1987), to the rounding of single precision; the forces of a
    # simulation with cutoffs add up to zero to that of their sum.
    image = np.diag(last.box)
    bond = last.positions[1::3] - last.positions[0::3]
    bond -= image * np.round(bond / image)
    assert np.linalg.norm(bond, axis=1) == pytest.approx(0.1, abs=2e-5)
    assert np.abs(last.forces.sum(axis=0)).max() < 1e-4 * np.abs(last.forces).sum()
    assert first.positions == pytest.approx(rg.load(files.topology)[0].positions, abs=0.00051)
    assert "Berendsen" in files.readme.read_text()


def test_box_of_the_fixture_is_skewed(trace: rg.Trace) -> None:
    # What the tests above rest on.
    assert np.count_nonzero(np.tril(trace[0].box, -1)) == 3
