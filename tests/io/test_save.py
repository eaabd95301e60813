"""What is saved comes back, and other programs read it."""

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest

import regrain as rg
from regrain.particles import Particles, Topology

N = 12
BOX = [3.0, 3.1, 3.2]
FIELDS = ("types", "masses", "charges", "names", "residues", "residue_names")


def assert_same(loaded: rg.Trace, trace: rg.Trace, *, rel: float) -> None:
    assert loaded.units == trace.units
    assert np.array_equal(loaded.times, trace.times)
    for got, wanted in zip(loaded, trace, strict=True):
        scale = np.abs(wanted.unwrapped).max()
        assert got.unwrapped == pytest.approx(wanted.unwrapped, rel=rel, abs=rel * scale)
        assert got.box == pytest.approx(wanted.box, rel=rel, abs=rel)
        assert got.velocities == pytest.approx(wanted.velocities, rel=rel)
        assert got.forces == pytest.approx(wanted.forces, rel=rel)
    for name in FIELDS:
        got, wanted = getattr(loaded[0].topology, name), getattr(trace[0].topology, name)
        assert np.array_equal(got, wanted) or got == pytest.approx(wanted, rel=rel), name


@pytest.mark.parametrize("units", ["md", "reduced"])
def test_gsd_round_trip(water: SimpleNamespace, tmp_path: Path, units: str) -> None:
    trace = water.states(units)
    loaded = rg.load(rg.save(trace, tmp_path / "a.gsd"))
    assert_same(loaded, trace, rel=4e-7)
    for name in ("bonds", "angles", "dihedrals"):
        terms = getattr(loaded[0].topology, name)
        assert np.array_equal(terms, getattr(trace[0].topology, name)), name
    assert loaded.log["potential_energy"] == pytest.approx(trace.log["potential_energy"])
    assert loaded.log["pressure_tensor"] == pytest.approx(trace.log["pressure_tensor"])


@pytest.mark.parametrize("units", ["md", "reduced"])
@pytest.mark.parametrize("extension", ["xyz", "extxyz"])
def test_xyz_round_trip(water: SimpleNamespace, tmp_path: Path, units: str, extension: str) -> None:
    trace = water.states(units)
    loaded = rg.load(rg.save(trace, tmp_path / f"a.{extension}"))
    assert_same(loaded, trace, rel=4e-16)
    for got, wanted in zip(loaded, trace, strict=True):
        assert np.array_equal(got.images, wanted.images)


def test_units_can_be_overruled(trace: rg.Trace, tmp_path: Path) -> None:
    for extension, factor in (("gsd", 1.0), ("xyz", 10.0)):
        path = rg.save(trace, tmp_path / f"a.{extension}")
        loaded = rg.load(path, units="reduced")
        assert loaded.units == "reduced"
        assert loaded[0].volume == pytest.approx(trace[0].volume * factor**3, rel=1e-6)


def test_a_state_is_a_trace_of_one_frame(trace: rg.Trace, tmp_path: Path) -> None:
    bare = Particles(trace[0].positions, box=trace[0].box)
    loaded = rg.load(rg.save(bare, tmp_path / "a.xyz"))
    assert len(loaded) == 1
    assert np.array_equal(loaded[0].positions, bare.positions)
    assert loaded[0].velocities is None
    assert loaded[0].forces is None
    assert loaded[0].images is None


def test_without_images_gsd_wraps_and_makes_none_up(trace: rg.Trace, tmp_path: Path) -> None:
    bare = trace[0].replace(images=None)
    loaded = rg.load(rg.save(bare, tmp_path / "a.gsd"))[0]
    assert loaded.images is None
    shift = (loaded.positions - bare.positions) @ np.linalg.inv(bare.box)
    assert shift == pytest.approx(np.round(shift), abs=1e-5)
    inside = loaded.positions @ np.linalg.inv(bare.box)
    assert np.abs(inside).max() <= 0.5 + 1e-6


def test_hoomd_schema_as_gsd_itself_reads_it(trace: rg.Trace, tmp_path: Path) -> None:
    path = rg.save(trace, tmp_path / "a.gsd")
    with gsd.hoomd.open(path, "r") as file:
        frame = file[2]
        frame.validate()
    state = trace[2]
    assert frame.particles.types == ["H", "O"]
    assert np.array(frame.particles.types)[frame.particles.typeid].tolist() == list(
        state.topology.types
    )
    lx, ly, lz, xy, xz, yz = frame.configuration.box
    assert [lx, ly, lz] == pytest.approx(np.diag(state.box))
    assert [xy * ly, xz * lz, yz * lz] == pytest.approx(
        [state.box[1, 0], state.box[2, 0], state.box[2, 1]]
    )
    assert frame.particles.velocity == pytest.approx(state.velocities, rel=1e-6)
    assert frame.bonds.types == ["H-O"]
    assert frame.bonds.group.tolist() == state.topology.bonds.tolist()
    assert frame.angles.types == ["H-O-H"]
    assert frame.log["pressure_tensor"] == pytest.approx(
        state.box * 0 + trace.log["pressure_tensor"][2]
    )


def test_what_hoomd_writes(tmp_path: Path) -> None:
    path = tmp_path / "hoomd.gsd"
    with gsd.hoomd.open(path, "w") as file:
        for step in (0, 500):
            frame = gsd.hoomd.Frame()
            frame.configuration.step = step
            frame.configuration.box = [4.0, 5.0, 6.0, 0.1, -0.2, 0.3]
            frame.particles.N = 3
            frame.particles.types = ["polymer", "solvent"]
            frame.particles.typeid = [0, 0, 1]
            frame.particles.position = np.arange(9).reshape(3, 3) * 0.1
            frame.particles.image = [[step // 500, 0, 0]] * 3
            frame.bonds.N = 1
            frame.bonds.types = ["b"]
            frame.bonds.group = [[0, 1]]
            frame.log["energy"] = [step * 2.0]
            file.append(frame)
    loaded = rg.load(path)
    assert loaded.units == "reduced"
    assert loaded.times.tolist() == [0.0, 500.0]
    assert loaded.log["energy"].tolist() == [0.0, 1000.0]
    assert loaded[1].box == pytest.approx(np.array([[4, 0, 0], [0.5, 5, 0], [-1.2, 1.8, 6]]))
    assert loaded[1].unwrapped[0] == pytest.approx([4.0, 0.1, 0.2])
    assert loaded[0].topology.types.tolist() == ["polymer", "polymer", "solvent"]
    assert loaded[0].topology.bonds.tolist() == [[0, 1]]
    assert loaded[0].velocities is None
    assert rg.load(path, times=[0.0, 0.5], units="md").units == "md"


def test_xyz_as_mdanalysis_reads_it(trace: rg.Trace, tmp_path: Path) -> None:
    universe = MDAnalysis.Universe(str(rg.save(trace, tmp_path / "a.xyz")))
    assert len(universe.trajectory) == len(trace)
    _ = universe.trajectory[3]
    assert universe.atoms.positions == pytest.approx(trace[3].positions * 10.0, rel=1e-5)
    assert list(universe.atoms.names) == list(trace[3].topology.types)


def distances(state: Particles) -> np.ndarray:
    """Of all pairs, to all images within two cells: whatever way the system is turned."""
    shifts = np.array(list(np.ndindex(5, 5, 5))) - 2
    d = state.positions[:, None] - state.positions
    return np.sort(np.linalg.norm(d[..., None, :] + shifts @ state.box, axis=-1).min(-1).ravel())


def chirality(state: Particles) -> float:
    """A number that a rotation leaves alone and a reflection turns around."""
    return float(np.linalg.det([state.velocities[0], state.velocities[1], state.forces[2]]))


@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_lattices_of_any_orientation_are_turned_with_all_that_goes_with_them(
    trace: rg.Trace, tmp_path: Path, mirror: float
) -> None:
    state = trace[0].replace(images=None)
    q, r = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    q[:, 0] *= np.sign(np.linalg.det(q))
    assert np.linalg.det(q) == pytest.approx(1.0)
    # The lattice may also be left-handed: the same lattice with c the other way round.
    lattice = (state.box @ q) * [[1.0], [1.0], [mirror]]
    rows = np.hstack([state.positions @ q, state.velocities @ q, state.forces @ q])
    text = [
        str(N),
        f'Lattice="{" ".join(map(str, lattice.ravel()))}" '
        "Properties=species:S:1:pos:R:3:velo:R:3:forces:R:3",
        *(f"A {' '.join(map(str, row))}" for row in rows),
    ]
    (tmp_path / "a.xyz").write_text("\n".join(text))
    turned = rg.load(tmp_path / "a.xyz", units="reduced")[0]
    if mirror == 1.0:
        assert turned.box == pytest.approx(state.box)
        assert turned.positions == pytest.approx(state.positions)
        assert turned.velocities == pytest.approx(state.velocities)
        assert turned.forces == pytest.approx(state.forces)
    assert turned.volume == pytest.approx(state.volume)
    assert distances(turned) == pytest.approx(distances(state), abs=1e-9)
    assert chirality(turned) == pytest.approx(chirality(state))


def test_xyz_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("2\nhello\nO 0 0 0\nH 1.0 0 0\n2\nhello\nO 0 0 0\nH 2.0 0 0")
    with pytest.raises(rg.RegrainError, match="frame 1"):
        rg.load(tmp_path / "a.xyz", box=[2, 2, 2])
    with open(tmp_path / "a.xyz", "a") as file:
        file.write("\n")
    loaded = rg.load(tmp_path / "a.xyz", box=[2, 2, 2])
    assert loaded.units == "md"
    assert loaded[1].positions[1].tolist() == [0.2, 0.0, 0.0]
    assert loaded[0].topology.masses == pytest.approx([15.999, 1.008])


@pytest.mark.parametrize("extension", ["trr", "xtc", "dcd", "pdb", "gro"])
def test_formats_of_mdanalysis(trace: rg.Trace, tmp_path: Path, extension: str) -> None:
    # What the formats hold: 0.001 nm in GRO, PDB and XTC, single precision in TRR and DCD.
    if extension == "gro":
        trace = trace[:1]
    path = rg.save(trace, tmp_path / f"a.{extension}")
    rg.save(trace[0], tmp_path / "a.gro")
    loaded = rg.load(path, topology=tmp_path / "a.gro", box=BOX if extension == "pdb" else None)
    assert len(loaded) == len(trace)
    digits = 1e-6 if extension in ("trr", "dcd") else 0.00051
    for got, wanted in zip(loaded, trace, strict=True):
        assert got.positions == pytest.approx(wanted.positions, abs=digits)
        if extension in ("trr", "xtc", "dcd"):
            assert got.box == pytest.approx(wanted.box, abs=5e-6)
    if extension in ("trr", "xtc"):
        assert np.array_equal(loaded.times, trace.times)
    if extension == "trr":
        assert loaded[2].forces == pytest.approx(trace[2].forces, rel=1e-6)
        assert loaded[2].velocities == pytest.approx(trace[2].velocities, rel=1e-6)
    assert loaded[0].topology.names.tolist() == trace[0].topology.names.tolist()
    assert loaded[0].topology.residues.tolist() == trace[0].topology.residues.tolist()


# What save refuses, and that it leaves nothing behind


@pytest.mark.parametrize("name", ["a.cif", "a", "a.table"])
def test_extensions_that_save_does_not_know(trace: rg.Trace, tmp_path: Path, name: str) -> None:
    with pytest.raises(rg.RegrainError, match=rf"{name}.*\.gsd, \.xyz"):
        rg.save(trace, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_folders_that_are_not_there(trace: rg.Trace, tmp_path: Path) -> None:
    with pytest.raises(rg.RegrainError, match=r"a\.gsd.*none is not there"):
        rg.save(trace, tmp_path / "none" / "a.gsd")
    (tmp_path / "b.gsd").mkdir()
    with pytest.raises(rg.RegrainError, match=r"b\.gsd.*is a folder"):
        rg.save(trace, tmp_path / "b.gsd")


@pytest.mark.parametrize("extension", ["gsd", "xyz"])
def test_a_failure_leaves_the_old_file_and_no_other(
    trace: rg.Trace, tmp_path: Path, extension: str
) -> None:
    path = rg.save(trace, tmp_path / f"a.{extension}")
    before = path.read_bytes()

    def breaks(state: Particles) -> Particles:
        if state is trace[3]:
            raise rg.RegrainError("frame 3 is bad")
        return state

    with pytest.raises(rg.RegrainError, match="frame 3 is bad"):
        rg.save(trace.map(breaks), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


KILLED = """
import os, signal, sys
import regrain as rg
def dies(state):
    if state.positions[0, 0] == trace[3].positions[0, 0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return state
trace = rg.load(sys.argv[1])
rg.save(trace.map(dies), sys.argv[1])
"""


@pytest.mark.parametrize("extension", ["gsd", "xyz"])
def test_a_kill_leaves_the_old_file(trace: rg.Trace, tmp_path: Path, extension: str) -> None:
    path = rg.save(trace, tmp_path / f"a.{extension}")
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert len(rg.load(path)) == len(trace)


@pytest.mark.parametrize("extension", ["gsd", "xyz"])
def test_a_file_can_be_loaded_and_saved_over(
    trace: rg.Trace, tmp_path: Path, extension: str
) -> None:
    path = rg.save(trace, tmp_path / f"a.{extension}")
    rg.save(rg.load(path)[1:3], path)
    assert rg.load(path).times.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("extension", ["gsd", "xyz"])
def test_states_of_two_systems(trace: rg.Trace, tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    fewer = Particles(np.zeros((3, 3)), box=[3, 3, 3], units="md")
    with pytest.raises(rg.RegrainError, match=r"frame 1.*3 particles.*frame 0 12"):
        rg.save(rg.Trace([trace[0], fewer], times=[0, 1]), path)
    other = trace[1].replace(topology=Topology(["X"] * N))
    with pytest.raises(rg.RegrainError, match=r"frame 1.*other types"):
        rg.save(rg.Trace([trace[0], other], times=[0, 1]), path)
    assert list(tmp_path.iterdir()) == []


def test_formats_that_need_units_or_hold_one_frame(
    water: SimpleNamespace, trace: rg.Trace, tmp_path: Path
) -> None:
    with pytest.raises(rg.RegrainError, match=r"\.trr.*'reduced'.*\.gsd"):
        rg.save(water.states("reduced"), tmp_path / "a.trr")
    with pytest.raises(rg.RegrainError, match=r"\.gro.*one frame, not 5"):
        rg.save(trace, tmp_path / "a.gro")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to(trace: rg.Trace) -> None:
    for name in ("a.xyz", "a.gsd", "a.trr"):
        with pytest.raises(rg.RegrainError, match=r"a\.\w+.*cannot be written"):
            rg.save(trace, Path("/proc") / name)


def test_forces_that_stop(trace: rg.Trace, tmp_path: Path) -> None:
    mixed = rg.Trace([trace[0], trace[1].replace(forces=None)], times=[0, 1])
    with pytest.raises(rg.RegrainError, match=r"frame 1.*no forces.*\.xyz"):
        rg.save(mixed, tmp_path / "a.gsd")
    assert rg.load(rg.save(mixed, tmp_path / "a.xyz"))[0].forces is not None


def test_names_with_blanks(trace: rg.Trace, tmp_path: Path) -> None:
    state = trace[0].replace(topology=Topology(["type one"] * N))
    with pytest.raises(rg.RegrainError, match=r"species.*blanks.*\.gsd"):
        rg.save(state, tmp_path / "a.xyz")
    assert rg.load(rg.save(state, tmp_path / "a.gsd"))[0].topology.types[0] == "type one"
