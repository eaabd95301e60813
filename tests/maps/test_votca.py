"""Mapping files of VOTCA give the beads that csg_map gives."""

from pathlib import Path

import numpy as np
import pytest

from regrain.errors import RegrainError
from regrain.maps import Beads, Map
from regrain.particles import Particles, Topology

MAPPING = """<cg_molecule>
  <name>propane</name>
  <ident>PRO</ident>
  <topology>
    <cg_beads>
      <cg_bead>
        <name>A1</name><type>A</type><mapping>end</mapping><beads>1:PRO:C1 1:PRO:H1</beads>
      </cg_bead>
      <cg_bead>
        <name>B1</name><type>B</type><symmetry>1</symmetry><mapping>middle</mapping>
        <beads>
          1:PRO:C2
          1:PRO:H2 1:PRO:H3
        </beads>
      </cg_bead>
      <cg_bead>
        <name>A2</name><type>A</type><mapping>end</mapping><beads>1:PRO:C3 1:PRO:H4</beads>
      </cg_bead>
    </cg_beads>
    <cg_bonded>
      <bond><name>bond</name><beads>A1 B1 B1 A2</beads></bond>
      <angle><name>angle</name><beads>A1 B1 A2</beads></angle>
    </cg_bonded>
  </topology>
  <maps>
    <map><name>end</name><weights>12 1</weights></map>
    <map><name>middle</name><weights>12 0 1</weights><d>2 0 1</d></map>
  </maps>
</cg_molecule>
"""
NAMES = ["C1", "H1", "C2", "H2", "H3", "C3", "H4"]
MASSES = [12.0, 1.0, 12.0, 1.0, 1.0, 12.0, 1.0]
BONDS = [(0, 1), (0, 2), (2, 3), (2, 4), (2, 5), (5, 6)]
PLACES = [
    *([0.5, 0.5, 0.5], [0.5, 0.6, 0.5], [0.65, 0.5, 0.5], [0.65, 0.6, 0.5]),
    *([0.65, 0.4, 0.52], [0.8, 0.51, 0.5], [0.9, 0.5, 0.55]),
]
FORCES = [
    *([3.5, 8.2, 3.3], [-13.0, 9.1, 4.5], [-5.4, 5.8, 3.6], [2.9, 0.3, 5.5]),
    *([-7.4, -1.6, -4.8], [6.0, 0.4, -2.9], [-7.8, -2.6, 0.1]),
]


def molecule(**changes: object) -> Particles:
    fields = {
        "types": [name[0] for name in NAMES],
        "names": NAMES,
        "masses": MASSES,
        "residues": [0] * 7,
        "residue_names": ["PRO"] * 7,
        "bonds": BONDS,
    }
    topology = Topology(**{**fields, **changes})
    return Particles(PLACES, [2.0] * 3, topology=topology, forces=FORCES, units="md")


def write(directory: Path, text: str, name: str = "map.xml") -> Path:
    (directory / name).write_text(text)
    return directory / name


def test_the_beads_of_csg_map(tmp_path: Path) -> None:
    beads = Beads.read(write(tmp_path, MAPPING))
    coarse = beads(molecule())
    # Weights c: (12, 1)/13 and (12, 0, 1)/13, as csg_map 2022.1 has them.
    wanted = [
        [0.5, 0.5076923, 0.5],
        [0.65, 0.4923077, 0.5015385],
        [0.8076923, 0.5092308, 0.5038462],
    ]
    assert coarse.positions == pytest.approx(np.array(wanted), abs=1e-7)
    # F = Σ (d/c) f: the sum of the forces where d = c, else (2/3)/(12/13) and (1/3)/(1/13) of them
    # and nothing of the atom without weight. csg_map writes them in kcal(IT)/mol/Å: times 41.868.
    f = np.array(FORCES)
    ends, middle = f[[0, 5]] + f[[1, 6]], (2 / 3 * 13 / 12) * f[2] + (1 / 3 * 13) * f[4]
    assert coarse.forces == pytest.approx(np.array([ends[0], middle, ends[1]]), abs=1e-12)
    csg_map = [
        *([-0.226904, 0.413203, 0.186300], [-0.859049, -0.065550, -0.434700]),
        [-0.042992, -0.052546, -0.066877],
    ]
    assert coarse.forces == pytest.approx(np.array(csg_map) * 41.868, abs=3e-5)
    assert coarse.topology.types.tolist() == ["A", "B", "A"]
    assert coarse.topology.masses.tolist() == [13.0, 14.0, 13.0]
    assert coarse.topology.bonds.tolist() == [[0, 1], [1, 2]]
    assert coarse.topology.angles.tolist() == [[0, 1, 2]]
    assert Map.from_dict(beads.to_dict()).to_dict() == beads.to_dict()


def test_terms_are_those_of_the_file(tmp_path: Path) -> None:
    text = MAPPING.replace("<angle><name>angle</name><beads>A1 B1 A2</beads></angle>", "")
    assert len(Beads.read(write(tmp_path, text))(molecule()).topology.angles) == 0


def test_weight_zero_without_d_means_no_force(tmp_path: Path) -> None:
    text = MAPPING.replace("<d>2 0 1</d>", "")
    coarse = Beads.read(write(tmp_path, text))(molecule())
    assert coarse.forces[1] == pytest.approx(np.array(FORCES)[[2, 4]].sum(axis=0))


def test_molecules_of_several_residues(tmp_path: Path) -> None:
    text = MAPPING.replace("1:PRO:C3 1:PRO:H4", "2:END:C3 2:END:H4")
    two = molecule(residues=[5] * 5 + [6] * 2, residue_names=["PRO"] * 5 + ["END"] * 2)
    beads = Beads.read(write(tmp_path, text))
    assert list(beads.molecules) == ["propane"]
    wanted = Beads.read(write(tmp_path, MAPPING))(molecule())
    got = beads(two)
    assert got.positions == pytest.approx(wanted.positions)
    assert got.forces == pytest.approx(wanted.forces)
    assert got.topology.bonds.tolist() == [[0, 1], [1, 2]]
    with pytest.raises(RegrainError, match="no molecule has all atoms of the template 'propane'"):
        beads(molecule())


def test_several_files_make_one_mapping(tmp_path: Path) -> None:
    water = MAPPING.replace("PRO", "SOL").replace("propane", "water")
    paths = [write(tmp_path, MAPPING), write(tmp_path, water, "water.xml")]
    assert sorted(Beads.read(paths).residues) == ["PRO", "SOL"]
    with pytest.raises(RegrainError, match=r"map\.xml: there is a mapping of 'PRO' already"):
        Beads.read([paths[0], paths[0]])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<cg_molecule>", "<cg>", "is not XML"),
        ("12 0 1", "12 0", "'middle': bead 'B' has 3 atoms and 2 weights"),
        ("<d>2 0 1", "<d>2 1 1", "atom 'H2' has weight 0, but a share 1 of the force"),
        ("12 1<", "12 x<", "<weights>: could not convert"),
        ("<weights>12 1</weights>", "", "the map 'end' has no <weights>"),
        ("<mapping>end", "<mapping>ends", "map of a bead: got 'ends'.*did you mean 'end'"),
        ("1:PRO:H3", "PRO:H3", "got the atom 'PRO:H3', expected residue number"),
        ("A1 B1 A2</beads>", "A1 B1</beads>", "<angle> lists 2 beads, expected 3 for each"),
        ("A1 B1 A2</beads>", "A1 B1 A3</beads>", "bead of a <angle>: got 'A3'"),
        ("<name>A2</name>", "<name>A1</name>", "two beads have the same name"),
        ("<name>B1</name>", "", "<cg_bead> has no <name>"),
        ("<d>2 0 1", "<d>1 0 -1", "force_shares that add up to zero"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(RegrainError, match=message) as caught:
        Beads.read(write(tmp_path, MAPPING.replace(old, new, 1)))
    assert "map.xml" in str(caught.value)


def test_files_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(RegrainError, match="is <top>, expected <cg_molecule>"):
        Beads.read(write(tmp_path, "<top/>"))
    with pytest.raises(RegrainError, match="no <cg_bead>"):
        Beads.read(write(tmp_path, "<cg_molecule><name>a</name></cg_molecule>"))
    with pytest.raises(RegrainError, match=r"cannot read .*none"):
        Beads.read(tmp_path / "none.xml")


def test_shares_and_terms_in_toml(tmp_path: Path) -> None:
    beads = Beads.read(write(tmp_path, MAPPING))
    beads.save(tmp_path / "map.toml")
    assert Beads.read(tmp_path / "map.toml").to_dict() == beads.to_dict()
    with pytest.raises(RegrainError, match=r"angles of PRO: got .*three beads by index"):
        Beads(residues={"PRO": [("A", ["C1"])]}, angles={"PRO": [(0, 1)]})
