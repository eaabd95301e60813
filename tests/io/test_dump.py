"""LAMMPS dumps: written by hand with numbers that are known, and by LAMMPS itself."""

import pickle
from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain.io import FileError
from regrain.particles import ForceField, LennardJones, Particles, Topology
from tests.engines.lammps_static import evaluate, need_lammps
from tests.engines.systems import chains, tables

TWO = Topology(["A", "B"], masses=[1.0, 2.0])


def dump(
    columns: str, rows: list[str], *, box: str = "pp pp pp\n0 10\n0 10\n0 10", head: str = ""
) -> str:
    """One frame."""
    return (
        f"{head}ITEM: TIMESTEP\n100\nITEM: NUMBER OF ATOMS\n{len(rows)}\nITEM: BOX BOUNDS {box}\n"
        f"ITEM: ATOMS {columns}\n" + "".join(f"{row}\n" for row in rows)
    )


def load(tmp_path: Path, text: str, **given: object) -> rg.Trace:
    path = tmp_path / "a.lammpstrj"
    path.write_text(text)
    return rg.load(path, **{"topology": TWO, **given})


# Å to nm; Å/fs, Å/ps to nm/ps; kcal/mol and eV per Å to kJ/(mol nm).
SCALES = {
    "real": (0.1, 100.0, 4.184 * 10),
    "metal": (0.1, 0.1, 96.48533212 * 10),
    "lj": (1.0, 1.0, 1.0),
}


@pytest.mark.parametrize("told", ["by the file", "by the reader"])
@pytest.mark.parametrize("units", SCALES)
def test_units(tmp_path: Path, units: str, told: str) -> None:
    rows = ["2 1 2 3 4 0.5 0 -0.25 -1 0 2", "1 2 9 8 7 0.125 1 0 1 0 -2"]
    text = dump("id type x y z vx vy vz fx fy fz", rows)
    if told == "by the file":
        trace = load(tmp_path, f"ITEM: UNITS\n{units}\n{text}")
    else:
        trace = load(tmp_path, text, units=units)
    length, velocity, force = SCALES[units]
    assert trace.units == ("reduced" if units == "lj" else "md")
    state = trace[0]
    # In the order of the ids.
    assert state.positions == pytest.approx(np.array([[9, 8, 7], [2, 3, 4]]) * length)
    assert state.velocities == pytest.approx(np.array([[0.125, 1, 0], [0.5, 0, -0.25]]) * velocity)
    assert state.forces == pytest.approx(np.array([[1, 0, -2], [-1, 0, 2]]) * force)
    assert state.box == pytest.approx(np.eye(3) * 10 * length)
    assert state.images is None


@pytest.mark.parametrize(
    ("columns", "rows", "images"),
    [
        ("id x y z", ["1 -3 9 5", "2 4 1 6"], None),
        ("id xs ys zs", ["1 0.2 0.95 0", "2 0.9 0.15 0.1"], None),
        ("id x y z ix iy iz", ["1 -3 9 5 1 0 -2", "2 4 1 6 0 0 0"], [[1, 0, -2], [0, 0, 0]]),
        ("id xs ys zs ix iy iz", ["1 0.2 0.95 0 1 0 -2", "2 0.9 0.15 0.1 0 0 0"],
         [[1, 0, -2], [0, 0, 0]]),
        ("id xu yu zu", ["1 7 9 -15", "2 4 1 6"], [[1, 0, -2], [0, 0, 0]]),
        ("id xsu ysu zsu", ["1 1.2 0.95 -2", "2 0.9 0.15 0.1"], [[1, 0, -2], [0, 0, 0]]),
        # What left the box since LAMMPS wrapped it.
        ("id x y z ix iy iz", ["1 7 9 5 0 0 -2", "2 -6 1 6 1 0 0"], [[1, 0, -2], [0, 0, 0]]),
    ],
)  # fmt: skip
def test_scaled_wrapped_and_unwrapped(
    tmp_path: Path, columns: str, rows: list[str], images: list | None
) -> None:
    # The origin of the box is at (-5, -0.5, 5).
    box = "pp pp pp\n-5 5\n-0.5 9.5\n5 15"
    state = load(tmp_path, dump(columns, rows, box=box), units="lj")[0]
    assert state.positions == pytest.approx(np.array([[2, 9.5, 0], [9, 1.5, 1]]), abs=1e-12)
    assert (None if state.images is None else state.images.tolist()) == images


def test_tilted_boxes(tmp_path: Path) -> None:
    # Bounds are those of the box around: x from 0 + min(0, xy, xz, xy + xz) on.
    box = "xy xz yz pp pp pp\n-2.0 11.0 1.0\n0.0 10.5 -2.0\n1.0 11.0 0.5"
    for columns, rows in (
        ("id xs ys zs", ["1 0.5 0.25 0.75", "2 0 0 0"]),
        ("id x y z", [f"1 {0.5 * 10 + 0.25 - 0.75 * 2} {0.25 * 10 + 0.75 * 0.5} 8.5", "2 0 0 1"]),
    ):
        state = load(tmp_path, dump(columns, rows, box=box), units="lj")[0]
        vectors = np.array([[10.0, 0, 0], [1.0, 10.0, 0], [-2.0, 0.5, 10.0]])
        assert state.box == pytest.approx(vectors)
        assert state.positions == pytest.approx(np.array([[0.5, 0.25, 0.75], [0, 0, 0]]) @ vectors)


def test_boxes_of_any_orientation(tmp_path: Path) -> None:
    # a along -y, b along x: everything is turned, and lengths and angles are kept.
    box = "abc origin pp pp pp\n0 -4 0 1\n5 0 0 1\n0 0 6 1"
    rows = ["1 2 1 1 1 0 0 0 2 0", "2 1 0 4 0 1 0 0 0 3"]
    state = load(tmp_path, dump("id x y z vx vy vz fx fy fz", rows, box=box), units="lj")[0]
    assert state.box == pytest.approx(np.diag([4.0, 5.0, 6.0]))
    # From the origin (1, 1, 1): (1, 0, 0) lies along b, (0, -1, 3) along a and c.
    assert state.positions == pytest.approx(np.array([[0, 1, 0], [1, 0, 3]]), abs=1e-12)
    assert state.forces == pytest.approx(np.array([[-2, 0, 0], [0, 0, 3]]), abs=1e-12)


def test_times_and_frames(tmp_path: Path) -> None:
    one = dump("id x y z", ["1 0 0 0", "2 1 1 1"])
    steps = "".join(one.replace("100", str(k)) for k in (0, 50, 100))
    assert load(tmp_path, steps).times.tolist() == [0.0, 50.0, 100.0]
    assert load(tmp_path, steps, times=0.5).times.tolist() == [0.0, 0.5, 1.0]
    timed = "".join(
        f"ITEM: TIME\n{100.0 * k}\n" + one.replace("100", str(50 * k)) for k in range(3)
    )
    trace = load(tmp_path, "ITEM: UNITS\nreal\n" + timed)
    assert trace.times == pytest.approx([0.0, 0.1, 0.2])
    assert len(pickle.loads(pickle.dumps(trace))[1:]) == 2


def test_what_the_columns_say_without_a_topology(tmp_path: Path) -> None:
    path = tmp_path / "dump.any"  # told by its first line
    rows = ["3 2 1 O 16 -0.8 0 0 0", "1 1 1 H 1 0.4 1 0 0", "2 1 1 H 1 0.4 0 1 0"]
    path.write_text(dump("id type mol element mass q x y z", rows))
    topology = rg.load(path)[0].topology
    assert topology.types.tolist() == ["1", "1", "2"]
    assert topology.names.tolist() == ["H", "H", "O"]
    assert topology.masses.tolist() == [1.0, 1.0, 16.0]
    assert topology.charges.tolist() == [0.4, 0.4, -0.8]
    assert topology.residues.tolist() == [1, 1, 1]


def test_labels_in_place_of_types(tmp_path: Path) -> None:
    path = tmp_path / "a.dump"
    path.write_text(dump("id type mass x y z", ["2 OW 16 1 0 0", "1 HW 1 0 1 0"]))
    topology = rg.load(path)[0].topology
    assert topology.types.tolist() == ["HW", "OW"]
    assert topology.masses.tolist() == [1.0, 16.0]


def test_forces_that_lammps_wrote(tmp_path: Path) -> None:
    need_lammps()
    for units in ("md", "reduced"):
        field, start = tables(units=units), chains(units)
        files = rg.export(field, tmp_path / f"{units}.lammps", state=start)
        evaluate(files[0].parent, start)
        given = {"topology": files[0].parent / "system.data", "units": "lj"}
        if units == "md":
            given["units"] = "real"
        path = files[0].parent / "now.dump"
        text = path.read_text()
        path.write_text(text.split("\n", 2)[2])  # without its units
        state = rg.load(path, **given)[0]
        wanted = field.evaluate(start).forces
        assert state.forces == pytest.approx(wanted, abs=1e-6 * abs(wanted).max())
        assert len(state.topology.bonds) == 100
        assert state.topology.masses == pytest.approx(start.topology.masses)


def test_frames_of_a_run_have_its_forces(tmp_path: Path) -> None:
    need_lammps()
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
    field = ForceField({("A", "A"): lj}, temperature=1.0)
    start = rg.particles.fcc(cells=3, density=0.7)
    engine = rg.engines.Lammps(directory=tmp_path / "run")
    field.run(start, time=1.0, dt=0.005, every=0.1, seed=1, progress=False, engine=engine)
    trace = rg.load(tmp_path / "run" / "frames.lammpstrj", topology=start.topology)
    assert trace.units == "reduced"
    for state in trace:
        assert state.forces == pytest.approx(field.evaluate(state).forces, abs=1e-9)


# What is wrong with a file


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        (dump("id x y z fx fy fz", ["1 0 0 0 1 1 1", "2 1 1 1 0 0 0"]), {},
         r'frame 0: holds forces.*units="real", "metal" or "lj".*forces=False'),
        (dump("id x y z", ["1 0 0 0", "2 1 1 1"]), {"units": "si"}, "units: got 'si'"),
        (dump("id x y z", ["1 0 0 0", "2 1 1 1"], head="ITEM: UNITS\nsi\n"), {},
         "units: got 'si', expected one of lj, "),
        (dump("id x y", ["1 0 0", "2 1 1"]), {}, "no columns x y z"),
        (dump("id x y z", ["1 0 0 nan", "2 1 1 1"]), {}, "particle 0.*finite"),
        (dump("id x y z", ["1 0 0 a", "2 1 1 1"]), {}, "frame 0: column z: could not convert"),
        (dump("id x y z", ["1 0 0 0", "2 1 1 1 1"]), {}, "there are 9 words"),
        (dump("id x y z", ["1 0 0 0"]), {}, "holds 1 atoms, the topology 2"),
        (dump("id x y z", ["1 0 0 0", "2 1 1 1"]) * 2, {}, "frame 1: its time is 100"),
        (dump("id x y z", ["1 0 0 0", "2 1 1 1"])
         + dump("id x y z", ["1 0 0 0", "3 1 1 1"]).replace("100", "200"), {"frames": [1]},
         "frame 1: lists other atoms"),
        (dump("id x y z", ["1 0 0 0", "2 1 1 1"])
         + dump("id x y z", ["1 0 0 0"]).replace("100", "200"), {}, "frame 1: holds 1 atoms"),
        ("ITEM: TIMESTEP\n", {}, "frame 0: the file ends in it"),
        (dump("id x y z", ["1 0 0 0", "2 1 1 1"])
         + dump("id x y z", ["1 0 0 0", "2 1 1 1"], box="pp pp pp\n0 x\n0 1\n0 1")
         + dump("id x y z", ["1 0 0 0", "2 1 1 1"]), {}, "frame 1: its header cannot be read"),
        ("ITEM: nothing\n", {}, "is not a text dump of LAMMPS"),
    ],
)  # fmt: skip
def test_bad_dumps(tmp_path: Path, text: str, given: dict, message: str) -> None:
    with pytest.raises((FileError, rg.RegrainError), match=message):
        load(tmp_path, text, **given)


def test_left_out_forces_need_no_units(tmp_path: Path) -> None:
    text = dump("id x y z fx fy fz", ["1 0 0 0 1 1 1", "2 1 1 1 0 0 0"])
    assert load(tmp_path, text, forces=False)[0].forces is None


def test_units_of_lammps_are_for_its_dumps(tmp_path: Path) -> None:
    state = Particles(np.zeros((1, 3)), [3.0] * 3)
    rg.save(rg.Trace([state], times=[0.0]), tmp_path / "a.xyz")
    with pytest.raises(rg.RegrainError, match=r"units='real' are those of a text dump of LAMMPS"):
        rg.load(tmp_path / "a.xyz", units="real")
