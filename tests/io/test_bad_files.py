"""Files that are wrong: one message that names file and frame, and a way on where there is one."""

import pickle
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import gsd.fl
import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest

import regrain as rg
from regrain.io import FileError
from regrain.particles import Topology

N, FRAMES = 12, 5

XYZ = '2\nLattice="4 0 0 0 4 0 0 0 4"\nA 0.0 0.0 0.0\nB 1.0 1.0 1.0\n'


def says(*words: str) -> str:
    """A pattern: these words in this order."""
    return ".*".join(re.escape(word) for word in words)


@pytest.fixture
def topology(folder: Path) -> dict[str, Path]:
    return {"topology": folder / "water.gro"}


@pytest.fixture
def cut(folder: Path, tmp_path: Path) -> Callable[[str, float], Path]:
    """A file of the folder, or one that save wrote, without its end."""

    def make(extension: str, part: float) -> Path:
        content = (folder / f"water.{extension}").read_bytes()
        path = tmp_path / f"cut.{extension}"
        path.write_bytes(content[: int(len(content) * part)])
        return path

    return make


def xyz(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.xyz"
    path.write_text(text)
    return path


# Not there, not readable


def test_no_such_file(tmp_path: Path, topology: dict[str, Path]) -> None:
    with pytest.raises(FileError, match=says("none.trr", "no such file")):
        rg.load(tmp_path / "none.trr", **topology)


def test_no_such_topology(folder: Path) -> None:
    with pytest.raises(FileError, match=says("none.gro", "no such file")):
        rg.load(folder / "water.trr", topology=folder / "none.gro")


@pytest.mark.parametrize("extension", ["trr", "xtc", "dcd"])
def test_a_trajectory_without_topology(folder: Path, extension: str) -> None:
    with pytest.raises(FileError, match=says(f"water.{extension}", "but not what", "topology=")):
        rg.load(folder / f"water.{extension}")


def test_a_universe_without_coordinates() -> None:
    with pytest.raises(FileError, match=says("the Universe", "not where")):
        rg.load(MDAnalysis.Universe.empty(3))


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=says(tmp_path.name, "is not a file")):
        rg.load(tmp_path)


def test_not_a_source() -> None:
    with pytest.raises(rg.RegrainError, match=says("int", "expected a path")):
        rg.load(3)


@pytest.mark.parametrize("extension", ["foo", "gro", "pdb", "psf"])
def test_unknown_or_senseless_structures(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    path.write_text("this is\nno structure\n")
    with pytest.raises(FileError, match=says(f"a.{extension}")):
        rg.load(path)


@pytest.mark.parametrize("extension", ["trr", "xtc", "dcd", "gsd", "xyz"])
@pytest.mark.parametrize("content", [b"", b"this is no trajectory, and not short of it either" * 9])
def test_senseless_trajectories(
    tmp_path: Path, topology: dict[str, Path], extension: str, content: bytes
) -> None:
    path = tmp_path / f"a.{extension}"
    path.write_bytes(content)
    with pytest.raises(FileError, match=says(f"a.{extension}")):
        rg.load(path, **topology)


def test_a_topology_without_coordinates(tmp_path: Path) -> None:
    (tmp_path / "a.itp").write_text(
        "[ defaults ]\n1 2 no 1.0 1.0\n[ moleculetype ]\nA 1\n[ atoms ]\n"
        "1 A 1 A A 1 0.0 1.0\n[ system ]\nA\n[ molecules ]\nA 4\n"
    )
    with pytest.raises(FileError, match=says("a.itp", "not where")):
        rg.load(tmp_path / "a.itp")


# Cut in the middle


@pytest.mark.parametrize("extension", ["trr", "xtc", "dcd"])
@pytest.mark.parametrize("part", [0.5, 0.99])
def test_cut_trajectories_offer_the_frames_before(
    cut: Callable[[str, float], Path], topology: dict[str, Path], extension: str, part: float
) -> None:
    path = cut(extension, part)
    # The header of a DCD file takes some of the first half.
    whole = 4 if part > 0.9 else {"dcd": 1}.get(extension, 2)
    with pytest.raises(FileError, match=says(path.name, f"frame {whole}", f"slice({whole})")):
        rg.load(path, **topology)
    assert len(list(rg.load(path, **topology, frames=slice(whole)))) == whole


@pytest.mark.parametrize("extension", ["trr", "xtc"])
def test_cut_in_the_first_header(
    cut: Callable[[str, float], Path], topology: dict[str, Path], extension: str
) -> None:
    path = cut(extension, 0.008)
    with pytest.raises(FileError, match=says(path.name, "frame 0", "ends in it")):
        rg.load(path, **topology, select="name OW")


DUMP = (
    "ITEM: TIMESTEP\n{0}\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS xy xz yz pp pp pp\n"
    "0 11.0 1.0\n0 10.5 0\n0 10 0.5\nITEM: ATOMS id type x y z fx fy fz\n"
    "2 1 {0}.5 1 1 0 0 0\n1 1 2 2 2 1.0 2.0 3.0\n"
)


@pytest.mark.parametrize("removed", [1, 5, 30, 60, 140])
def test_cut_lammps_dumps(tmp_path: Path, removed: int) -> None:
    text = "".join(DUMP.format(i) for i in range(4))
    path = tmp_path / "a.lammpstrj"
    path.write_text(text)
    given = {"topology": Topology(["A"] * 2), "units": "reduced"}
    whole = rg.load(path, **given)
    assert whole.times.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert whole[3].positions[1] == pytest.approx([3.5, 1.0, 1.0])
    assert whole[3].forces[0] == pytest.approx([1.0, 2.0, 3.0])
    assert whole[3].box == pytest.approx(np.array([[10, 0, 0], [1, 10, 0], [0, 0.5, 10]]), abs=1e-5)
    path.write_text(text[:-removed])
    with pytest.raises(FileError, match=says("a.lammpstrj", "frame 3", "slice(3)")):
        rg.load(path, **given)
    assert len(list(rg.load(path, **given, frames=slice(3)))) == 3


def test_cut_models_of_a_pdb_file(water: SimpleNamespace, tmp_path: Path, trace: rg.Trace) -> None:
    path = water.write(trace, tmp_path / "a.pdb")
    path.write_text(path.read_text()[:-500])
    with pytest.raises(FileError, match=says("a.pdb", "frame 4", "slice(4)")):
        rg.load(path)
    assert len(list(rg.load(path, frames=slice(4), box=[9, 9, 9]))) == 4


@pytest.mark.parametrize("at", [3, 10, 40, 50, 57])
def test_cut_xyz(tmp_path: Path, at: int) -> None:
    path = xyz(tmp_path, XYZ + XYZ[:at] if at > 3 else XYZ + "2\n")
    with pytest.raises(FileError, match=says("a.xyz", "frame 1", "slice(1)")):
        rg.load(path, units="reduced")
    assert len(rg.load(path, frames=slice(1), units="reduced")) == 1


def test_cut_gsd(tmp_path: Path, trace: rg.Trace) -> None:
    path = rg.save(trace, tmp_path / "a.gsd")
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(FileError, match=says("a.gsd")):
        rg.load(path)


def test_noise_between_frames(folder: Path, tmp_path: Path, topology: dict[str, Path]) -> None:
    content = (folder / "water.trr").read_bytes()
    size = len(content) // FRAMES
    (tmp_path / "a.trr").write_bytes(content[: 2 * size] + b"\0" * 200 + content[2 * size :])
    with pytest.raises(FileError, match=says("a.trr", "frame 2", "no frame begins", "slice(2)")):
        rg.load(tmp_path / "a.trr", **topology)


def test_a_file_that_shrinks_after_it_was_opened(
    folder: Path, tmp_path: Path, topology: dict[str, Path]
) -> None:
    path = tmp_path / "a.trr"
    path.write_bytes((folder / "water.trr").read_bytes())
    loaded = rg.load(path, **topology)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FileError, match=says("a.trr", "frame 4", "shorter")):
        _ = loaded[4]


def test_a_worker_that_does_not_find_the_file(
    folder: Path, tmp_path: Path, topology: dict[str, Path]
) -> None:
    path = tmp_path / "a.trr"
    path.write_bytes((folder / "water.trr").read_bytes())
    copy = pickle.dumps(rg.load(path, **topology))
    path.unlink()
    with pytest.raises(FileError, match=says("a.trr", "No such file")):
        _ = pickle.loads(copy)[0]


# Not what the topology says


@pytest.mark.parametrize("extension", ["trr", "xtc", "dcd", "gsd", "xyz"])
def test_topology_of_another_size(
    folder: Path, tmp_path: Path, trace: rg.Trace, extension: str
) -> None:
    path = folder / f"water.{extension}"
    if extension in ("gsd", "xyz"):
        path = rg.save(trace, tmp_path / f"water.{extension}")
    with pytest.raises(FileError, match=says(path.name, "frame 0", f"{N} atoms", "topology 7")):
        rg.load(path, topology=Topology(["A"] * 7))


def test_number_of_atoms_that_changes(tmp_path: Path) -> None:
    three = XYZ.replace("2\n", "3\n", 1) + "B 2.0 2.0 2.0\n"
    with pytest.raises(FileError, match=says("a.xyz", "frame 1", "3 atoms")):
        rg.load(xyz(tmp_path, XYZ + three))
    with gsd.hoomd.open(tmp_path / "a.gsd", "w") as file:
        for n in (2, 3):
            frame = gsd.hoomd.Frame()
            frame.particles.N = n
            frame.configuration.box = [4, 4, 4, 0, 0, 0]
            file.append(frame)
    with pytest.raises(FileError, match=says("a.gsd", "frame 1", "3 particles")):
        list(rg.load(tmp_path / "a.gsd"))


def test_atoms_that_change_their_order(tmp_path: Path) -> None:
    swapped = XYZ.replace("A 0", "B 0").replace("B 1", "A 1")
    with pytest.raises(FileError, match=says("a.xyz", "frame 1", "other atoms")):
        list(rg.load(xyz(tmp_path, XYZ + swapped), units="reduced"))


# Boxes and numbers


def test_no_box(tmp_path: Path, folder: Path) -> None:
    lines = (folder / "water.gro").read_text().splitlines()
    (tmp_path / "a.gro").write_text("\n".join([*lines[:-1], "   0.0 0.0 0.0"]) + "\n")
    with pytest.raises(FileError, match=says("a.gro", "frame 0", "no periodic box", "box=")):
        rg.load(tmp_path / "a.gro")
    assert rg.load(tmp_path / "a.gro", box=[3, 3, 3])[0].volume == pytest.approx(27.0)
    plain = xyz(tmp_path, "1\n\nHe 0.0 0.0 0.0\n")
    with pytest.raises(FileError, match=says("a.xyz", "frame 0", "no periodic box")):
        rg.load(plain)


def test_a_flat_box(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=says("a.xyz", "frame 0", "Lattice", "independent")):
        rg.load(xyz(tmp_path, XYZ.replace('0 0 4"', '0 4 0"')), units="reduced")
    with pytest.raises(FileError, match=says("a.xyz", "frame 0", "Lattice")):
        rg.load(xyz(tmp_path, XYZ.replace('0 0 4"', '0 0"')), units="reduced")


@pytest.mark.parametrize("extension", ["trr", "xyz", "gsd"])
def test_nan(
    water: SimpleNamespace,
    tmp_path: Path,
    topology: dict[str, Path],
    trace: rg.Trace,
    extension: str,
) -> None:
    path = tmp_path / f"a.{extension}"
    if extension == "trr":
        water.write(trace, path)
        content = bytearray(path.read_bytes())
        size = len(content) // FRAMES
        # The forces end a frame: those of particle 11 of frame 3.
        content[4 * size - 4 : 4 * size] = np.array([np.nan], ">f4").tobytes()
        path.write_bytes(content)
        pattern = says("a.trr", "frame 3", "forces of particle 11", "nan")
        loaded = rg.load(path, **topology)
    elif extension == "xyz":
        xyz(tmp_path, XYZ * 3 + XYZ.replace("1.0 1.0 1.0", "1.0 nan 1.0"))
        pattern = says("a.xyz", "frame 3", "positions of particle 1", "nan")
        loaded = rg.load(path, units="reduced")
    else:
        with gsd.hoomd.open(path, "w") as file:
            for i in range(4):
                frame = gsd.hoomd.Frame()
                frame.particles.N = 2
                frame.particles.position = [[0, 0, 0], [1, np.nan if i == 3 else 1, 1]]
                frame.configuration.step = i
                frame.configuration.box = [4, 4, 4, 0, 0, 0]
                file.append(frame)
        pattern = says("a.gsd", "frame 3", "positions of particle 1", "nan")
        loaded = rg.load(path)
    assert len(list(loaded[:3])) == 3
    with pytest.raises(FileError, match=pattern):
        _ = loaded[3]


def test_a_word_where_a_number_should_be(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=says("a.xyz", "frame 0", "column pos", "1.o")):
        rg.load(xyz(tmp_path, XYZ.replace("1.0 1.0 1.0", "1.0 1.o 1.0")))
    with pytest.raises(FileError, match=says("a.xyz", "frame 0", "2 atoms of 4 columns")):
        rg.load(xyz(tmp_path, XYZ.replace("1.0 1.0 1.0", "1.0 1.0")))


# Times


@pytest.mark.parametrize("extension", ["trr", "xtc", "xyz", "gsd"])
@pytest.mark.parametrize(("times", "bad"), [([0, 1, 1, 2, 3], 2), ([0, 1, 2, 1.5, 3], 3)])
def test_frames_that_repeat_or_go_back(
    water: SimpleNamespace,
    tmp_path: Path,
    topology: dict[str, Path],
    trace: rg.Trace,
    extension: str,
    times: list[float],
    bad: int,
) -> None:
    path = tmp_path / f"a.{extension}"
    trace.times[:] = times
    if extension in ("trr", "xtc"):
        water.write(trace, path)
    else:
        rg.save(trace, path)
    given = topology if extension in ("trr", "xtc") else {}
    with pytest.raises(FileError, match=says(path.name, f"frame {bad}", "frames=", "times=")):
        rg.load(path, **given)
    keep = [i for i in range(FRAMES) if i != bad]
    assert len(rg.load(path, **given, frames=keep)) == FRAMES - 1
    assert rg.load(path, **given, times=2.0).times[-1] == 8.0


# What was asked for


@pytest.mark.parametrize("what", ["forces", "velocities"])
def test_forces_that_are_not_there(folder: Path, topology: dict[str, Path], what: str) -> None:
    with pytest.raises(FileError, match=says("water.xtc", "frame 0", f"no {what}", f"{what}=True")):
        rg.load(folder / "water.xtc", **topology, **{what: True})


def test_frames_that_are_not_there(folder: Path, topology: dict[str, Path]) -> None:
    with pytest.raises(FileError, match=says("water.trr", "[3, 99]", "holds 5")):
        rg.load(folder / "water.trr", **topology, frames=[3, 99])
    with pytest.raises(FileError, match=says("water.trr", "none of the 5")):
        rg.load(folder / "water.trr", **topology, frames=slice(5, 9))


@pytest.mark.parametrize("source", ["trr", "xtc", "universe"])
def test_selections_that_are_wrong_or_empty(
    folder: Path, topology: dict[str, Path], source: str
) -> None:
    files = (folder / f"water.{source}", topology)
    if source == "universe":
        files = (MDAnalysis.Universe(str(folder / "water.gro"), str(folder / "water.xtc")), {})
    with pytest.raises(FileError, match=says("name ABC", "none of the 12", "SOL")):
        rg.load(files[0], **files[1], select="name ABC")
    with pytest.raises(FileError, match=says("nome OW", "no selection")):
        rg.load(files[0], **files[1], select="nome OW")


def test_frames_without_positions(folder: Path, tmp_path: Path, topology: dict[str, Path]) -> None:
    content = bytearray((folder / "water.trr").read_bytes())
    size = len(content) // FRAMES
    frame = bytearray(content[size : 2 * size])
    # The sizes start after magic, length, length, name; x is the eighth. Cut x out.
    frame[24 + 7 * 4 : 24 + 8 * 4] = bytes(4)
    body = len(frame) - 3 * 12 * N
    frame = frame[:body] + frame[body + 12 * N :]
    (tmp_path / "a.trr").write_bytes(content[:size] + frame + content[2 * size :])
    loaded = rg.load(tmp_path / "a.trr", **topology)
    assert loaded[2].positions.shape == (N, 3)
    with pytest.raises(FileError, match=says("a.trr", "frame 1", "no positions", "frames=")):
        _ = loaded[1]


def test_masses_of_atoms_that_are_not_there(folder: Path) -> None:
    with pytest.raises(rg.RegrainError, match=says("masses", "OX", "HW1, HW2, OW")):
        rg.load(folder / "water.gro", masses={"OX": 16.0})
    with pytest.raises(rg.RegrainError, match=says("masses", "(3,)", "(12,)")):
        rg.load(folder / "water.gro", masses=[1.0, 2.0, 3.0])
    with pytest.raises(rg.RegrainError, match=says("mass -1")):
        rg.load(folder / "water.gro", masses={"O": -1.0})


def test_types_that_are_no_attribute(folder: Path) -> None:
    with pytest.raises(rg.RegrainError, match=says("types='colour'", "names")):
        rg.load(folder / "water.gro", types="colour")


def test_units_that_are_no_units(folder: Path) -> None:
    with pytest.raises(rg.RegrainError, match=says("'real'", "md")):
        rg.load(folder / "water.gro", units="real")


def test_forces_of_unknown_unit(tmp_path: Path) -> None:
    text = XYZ.replace("\nA", " Properties=species:S:1:pos:R:3:forces:R:3\nA")
    text = text.replace("0.0\n", "0.0 1 1 1\n").replace("1.0\n", "1.0 2 2 2\n")
    path = xyz(tmp_path, text)
    with pytest.raises(FileError, match=says("a.xyz", "frame 0", "units", 'units="reduced"')):
        rg.load(path, masses=[1.0, 1.0])
    assert rg.load(path, units="reduced")[0].forces[1].tolist() == [2.0, 2.0, 2.0]
    assert rg.load(path, units="md", masses=[1.0, 1.0])[0].forces[1].tolist() == [20.0] * 3
    assert rg.load(path, forces=False, masses=[1.0, 1.0])[0].forces is None


def test_a_gsd_file_of_another_schema(tmp_path: Path) -> None:
    with gsd.fl.open(
        str(tmp_path / "a.gsd"), "w", application="x", schema="other", schema_version=[1, 0]
    ) as file:
        file.end_frame()
    with pytest.raises(FileError, match=says("a.gsd", "'other'", "hoomd")):
        rg.load(tmp_path / "a.gsd")


@pytest.mark.parametrize("missing", ["MDAnalysis", "gsd"])
def test_packages_that_are_not_installed(
    folder: Path,
    tmp_path: Path,
    trace: rg.Trace,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
) -> None:
    saved = rg.save(trace, tmp_path / "a.gsd")
    for name in [name for name in sys.modules if name.split(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(rg.RegrainError, match=says(missing, 'pip install "regrain[io]"')):
        rg.load(saved if missing == "gsd" else folder / "water.gro")
    # What needs no other package goes on.
    if missing == "MDAnalysis":
        assert len(rg.load(saved)) == FRAMES
    topology = Topology(["A"] * N)
    assert rg.load(folder / "water.trr", topology=topology)[1].forces is not None


def test_no_such_example() -> None:
    with pytest.raises(rg.RegrainError, match=says("'argon'", "spce")):
        rg.io.example("argon")
