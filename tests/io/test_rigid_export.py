"""Rigid bonds in files for other engines: written as constraints, or refused by name."""

from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

import regrain as rg
from regrain import RegrainError
from regrain.fits import ForceMatching
from regrain.particles import (
    BSpline,
    ForceField,
    HarmonicBond,
    LennardJones,
    Particles,
    RigidBond,
    Topology,
)

STATE = Particles(
    [[0.1, 0.1, 0.1], [0.2, 0.1, 0.1], [0.2, 0.25, 0.1]],
    box=[3.0] * 3,
    topology=Topology(["A", "B", "B"], masses=[2.0, 1.0, 1.0], bonds=[(0, 1), (1, 2)]),
    units="md",
)
LJ = LennardJones(epsilon=1.0, sigma=0.3, cutoff=0.9)
MODEL = ForceField(
    {("A", "A"): LJ, ("A", "B"): LJ, ("B", "B"): LJ},
    bonds={("A", "B"): RigidBond(r0=0.1), ("B", "B"): HarmonicBond(k=300.0, r0=0.15)},
    units="md",
)


def test_openmm_has_them_as_constraints(tmp_path: Path) -> None:
    (file,) = rg.export(MODEL, tmp_path / "system.xml", state=STATE)
    root = Xml.parse(file).getroot()
    found = [c.attrib for c in root.iter("Constraint")]
    assert found == [{"d": "0.1", "p1": "0", "p2": "1"}]
    assert len(list(root.iter("Bond"))) == 1
    mm = pytest.importorskip("openmm")
    system = mm.XmlSerializer.deserialize(file.read_text())
    assert system.getNumConstraints() == 1
    i, j, length = system.getConstraintParameters(0)
    assert (i, j, length._value) == (0, 1, 0.1)


def test_gromacs_has_them_as_constraints(tmp_path: Path) -> None:
    rg.export(MODEL, tmp_path / "mixed.top", state=STATE)
    text = (tmp_path / "mixed.itp").read_text()
    assert "[ constraints ]\n1 2 1 0.1\n" in text
    assert "[ bonds ]\n2 3 1 0.15 300.0\n" in text


def test_who_refuses_them(tmp_path: Path) -> None:
    with pytest.raises(RegrainError, match=r"bonds\[A-B\]: what is written for LAMMPS does not"):
        rg.export(MODEL, tmp_path / "x.lammps", state=STATE)
    with pytest.raises(RegrainError, match="is a constraint and has no energy"):
        rg.export(MODEL, tmp_path / "x.npz")
    with pytest.raises(RegrainError, match="take a stiff HarmonicBond"):
        MODEL.bonds["A", "B"].u(0.1)
    form = BSpline(r_min=0.2, r_max=0.9, functions=8)
    frames = [STATE.replace(forces=np.zeros((3, 3)))] * 3
    matching = ForceMatching(
        pairs={("A", "A"): form, ("A", "B"): None, ("B", "B"): None},
        bonds={("A", "B"): RigidBond(r0=0.1), ("B", "B"): None},
    )
    with pytest.raises(RegrainError, match="force matching, which has no forces of constraint"):
        matching(rg.Trace(frames, times=[0, 1, 2]))
