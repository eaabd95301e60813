"""Data files of LAMMPS as topologies, by hand and as export writes them."""

from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain.io import FileError
from tests.engines.systems import charged, formulas

HEAD = (
    "LAMMPS\n\n3 atoms\n2 atom types\n1 bonds\n1 bond types\n\n"
    "0 9 xlo xhi\n0 9 ylo yhi\n0 9 zlo zhi\n"
)
MASSES = "\nMasses\n\n1 15.99\n2 1.0\n"
BONDS = "\nBonds\n\n1 1 3 1\n"
ROWS = {
    "atomic": ["3 2 1 1 1", "1 1 2 2 2", "2 1 3 3 3"],
    "charge": ["3 2 -0.5 1 1 1", "1 1 0.25 2 2 2", "2 1 0.25 3 3 3"],
    "molecular": ["3 7 2 1 1 1", "1 7 1 2 2 2", "2 8 1 3 3 3"],
    "bond": ["3 7 2 1 1 1", "1 7 1 2 2 2", "2 8 1 3 3 3"],
    "full": ["3 7 2 -0.5 1 1 1", "1 7 1 0.25 2 2 2", "2 8 1 0.25 3 3 3"],
}
DUMP = (
    "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n3\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\n"
    "ITEM: ATOMS id x y z\n3 1 1 1\n1 2 2 2\n2 3 3 3\n"
)


def load(tmp_path: Path, text: str, **given: object) -> rg.particles.Topology:
    (tmp_path / "data.water").write_text(text)
    (tmp_path / "a.dump").write_text(DUMP)
    return rg.load(tmp_path / "a.dump", topology=tmp_path / "data.water", **given)[0].topology


@pytest.mark.parametrize("images", ["", " 0 0 -1"])
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("style", ROWS)
def test_styles(tmp_path: Path, style: str, told: bool, images: str) -> None:
    rows = "".join(f"{row}{images}\n" for row in ROWS[style])
    text = f"{HEAD}{MASSES}\nAtoms{f'  # {style}' if told else ''}\n\n{rows}{BONDS}"
    topology = load(tmp_path, text)
    assert topology.types.tolist() == ["1", "1", "2"]
    assert topology.masses.tolist() == [15.99, 15.99, 1.0]
    assert topology.bonds.tolist() == [[2, 0]]
    charges = [0.25, 0.25, -0.5] if style in ("charge", "full") else [0.0] * 3
    assert topology.charges.tolist() == charges
    if style in ("molecular", "bond", "full"):
        assert topology.residues.tolist() == [7, 8, 7]


def test_comments_of_masses_and_labels_are_names(tmp_path: Path) -> None:
    atoms = "\nAtoms # atomic\n\n" + "\n".join(ROWS["atomic"]) + "\n"
    masses = "\nMasses\n\n1 15.99 # OW\n2 1.0 # HW\n"
    topology = load(tmp_path, HEAD + masses + atoms + BONDS)
    assert topology.types.tolist() == ["1", "1", "2"]
    assert topology.names.tolist() == ["OW", "OW", "HW"]
    named = load(tmp_path, HEAD + masses + atoms + BONDS, types="names")
    assert named.types.tolist() == ["OW", "OW", "HW"]
    labels = "\nAtom Type Labels\n\n1 O\n2 H\n"
    labelled = load(tmp_path, HEAD + labels + MASSES + atoms + BONDS, types="names")
    assert labelled.types.tolist() == ["O", "O", "H"]


def test_what_export_writes_comes_back(tmp_path: Path) -> None:
    state = charged()
    rg.export(formulas(), tmp_path / "a.lammps", state=state)
    rg.save(state.replace(velocities=None), tmp_path / "a.trr")
    data = tmp_path / "a.lammps" / "system.data"
    found = rg.load(tmp_path / "a.trr", topology=data, types="names")[0].topology
    for name in ("types", "masses", "charges", "bonds", "angles", "dihedrals"):
        assert np.array_equal(getattr(found, name), getattr(state.topology, name)), name


def test_a_data_file_alone_is_a_frame(tmp_path: Path) -> None:
    state = charged()
    rg.export(formulas(), tmp_path / "a.lammps", state=state)
    frame = rg.load(tmp_path / "a.lammps" / "system.data", velocities=False)[0]
    inside = state.positions @ np.linalg.inv(state.box) % 1.0 @ state.box
    found = frame.positions @ np.linalg.inv(state.box) % 1.0 @ state.box
    assert found == pytest.approx(inside, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}{MASSES}", "without the section Atoms"),
        (f"{HEAD}{MASSES}\nAtoms # dipole\n\n1 1 0 0 0\n", "atom style 'dipole' is none of atomic"),
        (f"{HEAD}{MASSES}\nAtoms # full\n\n1 x 1 0 0 0 0\n", "cannot be read as a data file"),
        (f"{HEAD}{MASSES}\nAtoms # atomic\n\n1 1 0 0 0\n{BONDS}", "cannot be read as a data file"),
        (f"{HEAD}{MASSES}\nAtoms # atomic\n\n1 1 0 0 0\n", "holds 3 atoms, the topology 1"),
    ],
)
def test_bad_data_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        load(tmp_path, text)
