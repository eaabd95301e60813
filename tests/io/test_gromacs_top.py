"""Topologies and bonded tables of GROMACS, and those of HOOMD-blue, read as their manuals say.

All fields of tests/engines/systems.py but triples were run once through ``gmx_d mdrun -rerun`` of
GROMACS 2022.5 (with Lennard-Jones pairs, as tables of pairs ended in 2019): forces agreed to 1e-6
of their root mean square, with a reaction field to 6e-6; positions in a TRR have seven digits.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline

import regrain as rg
from regrain.particles import (
    Ewald,
    ForceField,
    FourierDihedral,
    HarmonicBond,
    LennardJones,
    Network,
    Particles,
    ReactionField,
    Topology,
)
from tests.engines.systems import chains, charged, formulas, fourier, splines, tables, triples

SYSTEM = "\n[ system ]"


def sections(path: Path) -> dict[str, list[list[str]]]:
    """Rows of words by section; those of several molecules one after the other."""
    found: dict[str, list[list[str]]] = {}
    for line in path.read_text().splitlines():
        line = line.partition(";")[0].strip()
        if line.startswith("["):
            name = line.strip("[] ")
            found.setdefault(name, [])
        elif line and not line.startswith("#"):
            found[name].append(line.split())
    return found


def test_molecules_and_functions(tmp_path: Path) -> None:
    files = rg.export(formulas(exclude=3), tmp_path / "a.top", state=charged())
    assert [file.name for file in files] == ["a.top", "a.itp"]
    top, itp = sections(files[0]), sections(files[1])
    # Chains begin with A and with B in turn.
    assert itp["moleculetype"] == [["A", "3"], ["B", "3"]]
    assert top["molecules"] == [["A", "1"], ["B", "1"]] * 10
    assert itp["atoms"][0] == ["1", "A", "1", "A", "A", "1", "0.5", "2.0"]
    assert itp["bonds"][:2] == [["1", "2", "1", "0.28", "300.0"], ["2", "3", "1", "0.28", "300.0"]]
    theta0 = repr(float(np.degrees(1.9)))
    assert itp["angles"][0] == ["1", "2", "3", "2", theta0, "3.0"]
    # B-A-B has no potential.
    assert len(itp["angles"]) == 4
    phi0 = repr(float(np.degrees(0.5)))
    assert itp["dihedrals"][0] == ["1", "2", "3", "4", "9", phi0, "2.0", "2"]
    # 4 ε σ⁶ and 4 ε σ¹² of ε = 0.1, σ = 0.1.
    pairs = {tuple(row[:2]): [float(x) for x in row[3:]] for row in top["nonbond_params"]}
    assert pairs["A", "A"] == pytest.approx([4e-7, 4e-13])
    assert pairs["B", "B"] == [0.0, 0.0]
    assert "vdw-modifier = None, rvdw = 0.6" in files[0].read_text()


@pytest.mark.parametrize("make", [tables, splines])
def test_bonded_tables(tmp_path: Path, make: object) -> None:
    field = make()
    files = {f.name: f for f in rg.export(field, tmp_path / "a.top", state=chains())}
    assert "mdrun -tableb a_b0.xvg a_a0.xvg a_d0.xvg" in files["a.top"].read_text()
    assert sections(files["a.itp"])["bonds"][0] == ["1", "2", "8", "0", "1.0"]
    degree = np.pi / 180.0
    cases = {
        "a_b0.xvg": (field.bonds["A", "B"], 1.0, (0.15, 0.55), 0.0),
        "a_a0.xvg": (field.angles["A", "B", "A"], degree, (0.1, 3.0), 0.0),
        "a_d0.xvg": (field.dihedrals["A", "B", "A", "B"], degree, (-3.1, 3.1), -180.0),
    }
    for name, (potential, unit, (low, high), first) in cases.items():
        x, u, f = np.loadtxt(files[name]).T
        assert x[0] == pytest.approx(first)
        assert np.diff(x) == pytest.approx(np.full(len(x) - 1, x[1] - x[0]), rel=1e-6)
        # Cubics between points that have the value and the slope of both.
        table = CubicHermiteSpline(x, u, -f)
        at = np.random.default_rng(1).uniform(low, high, 200)
        scale = np.abs(potential.force(at)).max()
        assert table(at / unit) == pytest.approx(potential.u(at), abs=1e-6 * scale)
        assert -table(at / unit, 1) / unit == pytest.approx(potential.force(at), abs=1e-4 * scale)
    x, u, _ = np.loadtxt(files["a_d0.xvg"]).T
    assert x[-1] == pytest.approx(180.0)
    assert u[-1] == pytest.approx(u[0], abs=1e-9)


def test_sums_of_modes_have_a_line_each(tmp_path: Path) -> None:
    files = rg.export(fourier(), tmp_path / "a.top", state=chains())
    rows = sections(files[1])["dihedrals"][:3]
    assert [row[4] for row in rows] == ["9", "9", "9"]
    assert [float(row[6]) for row in rows] == [1.0, 2.0, 3.0]
    assert [row[7] for row in rows] == ["1", "2", "3"]
    assert isinstance(fourier().dihedrals["A", "B", "A", "B"], FourierDihedral)


def test_springs_constraints_and_molecules_they_join(tmp_path: Path) -> None:
    topology = Topology(["A", "A", "B", "B", "W", "W"], bonds=[(0, 1), (2, 3)])
    state = Particles(np.eye(6, 3), [3.0] * 3, topology=topology, units="md")
    names = ("A", "B", "W")
    field = ForceField(
        pairs={(a, b): None for a in names for b in names if a <= b},
        bonds={("A", "A"): HarmonicBond(k=1.0, r0=0.5), ("B", "B"): None},
        network=Network(pairs=[(0, 2)], k=[3.0], r0=[0.7]),
        units="md",
    )
    top = tmp_path / "a.top"
    files = rg.export(field, top, state=state, constraints={("A", "A"): 0.47})
    itp = sections(files[1])
    assert itp["constraints"] == [["1", "2", "1", "0.47"]]
    assert itp["bonds"] == [["3", "4", "5"], ["1", "3", "6", "0.7", "3.0"]]
    assert sections(files[0])["molecules"] == [["A", "1"], ["W", "2"]]
    with pytest.raises(rg.RegrainError, match="constraints: the force field has no bond A-C"):
        rg.export(field, top, state=state, constraints={("A", "C"): 1.0})
    with pytest.raises(rg.RegrainError, match=r"constraints are for \.top files only"):
        rg.export(field, tmp_path / "a.xml", state=state, constraints={("A", "A"): 1.0})


def test_pairs_that_are_no_lennard_jones_become_tables(tmp_path: Path) -> None:
    files = rg.export(tables(), tmp_path / "a.top", state=chains())
    assert {f.name for f in files} >= {"a.xvg", "a_A_A.xvg", "a_A_B.xvg", "a_B_B.xvg"}
    assert sections(files[0])["nonbond_params"][0] == ["A", "A", "1", "0.0", "1.0"]
    assert "vdwtype = User" in files[0].read_text()


def test_charges_are_told(tmp_path: Path) -> None:
    for law, wanted in (
        (Ewald(cutoff=0.9, dielectric=15.0), "coulombtype = PME, rcoulomb = 0.9, epsilon-r = 15.0"),
        (
            ReactionField(cutoff=0.9),
            "coulombtype = Reaction-Field, rcoulomb = 0.9, epsilon-r = 1.0",
        ),
    ):
        files = rg.export(formulas().replace(charges=law), tmp_path / "a.top", state=charged())
        assert wanted in files[0].read_text()


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        (formulas(), {}, r"a\.top: this needs a state"),
        (triples(), {"state": chains()}, "GROMACS has no potentials of triples"),
        (formulas(units="reduced"), {"state": chains("reduced")}, "GROMACS works in nm"),
        (ForceField({("A b", "A b"): LennardJones(epsilon=1, sigma=1, cutoff=2)}, units="md"),
         {"state": chains()}, "'A b' does not fit"),
    ],
)  # fmt: skip
def test_what_gromacs_cannot_have(
    tmp_path: Path, field: ForceField, given: dict, message: str
) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        rg.export(field, tmp_path / "a.top", **given)
    assert list(tmp_path.iterdir()) == []


def test_bonded_tables_of_hoomd(tmp_path: Path) -> None:
    field = tables(units="reduced")
    (path,) = rg.export(field, tmp_path / "a.npz", points=2001)
    with np.load(path) as file:
        content = dict(file)
    assert content["bonds"].tolist() == [["A", "B"]]
    assert content["angles"].tolist() == [["A", "B", "A"], ["B", "A", "B"]]
    assert (content["bonds_r_min"][0], content["bonds_r_max"][0]) == (0.1, 0.6)
    # Both ends are points of these grids.
    for name, low, high, force in (
        ("bonds", 0.1, 0.6, "F"),
        ("angles", 0.0, np.pi, "tau"),
        ("dihedrals", -np.pi, np.pi, "tau"),
    ):
        x = np.linspace(low, high, 2001)
        potential = getattr(field, name)[tuple(content[name][0])]
        assert content[f"{name}_U"][0] == pytest.approx(potential.u(x), abs=1e-12)
        assert content[f"{name}_{force}"][0] == pytest.approx(potential.force(x), abs=1e-12)
