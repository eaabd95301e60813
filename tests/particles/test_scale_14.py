"""Factors between particles three bonds apart: sums by hand, other programs, gradients."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import regrain as rg
from regrain import RegrainError
from regrain.particles import (
    Ewald,
    ForceField,
    HarmonicAngle,
    HarmonicBond,
    LennardJones,
    Particles,
    ReactionField,
    Scale14,
    StillingerWeber,
    Table,
    Topology,
)
from tests.engines.lammps_static import assert_agrees, need_lammps

Floats = NDArray[np.float64]
LJ = LennardJones(epsilon=1.3, sigma=0.9, cutoff=2.2, mode="force-shifted")
WELL = Table(r_min=0.3, r_max=2.0, points=18).with_energy((2.0 - np.linspace(0.3, 2.0, 18)) ** 3)
# A ring of five, where any two are at most two bonds apart by the shorter way, and a tail of three.
BONDS = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (2, 5), (5, 6), (6, 7)]
THREE_APART = {(0, 5), (1, 6), (3, 6), (2, 7), (4, 5)}
TYPES = list("ABBABABA")


def state(charges: bool = False) -> Particles:
    random = np.random.default_rng(3)
    q = random.normal(size=8)
    topology = Topology(
        TYPES,
        bonds=BONDS,
        charges=q - q.mean() if charges else None,
    )
    angle = 2 * np.pi * np.arange(5) / 5
    ring = 0.85 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    tail = ring[2] * np.array([[1.0], [0.4], [-0.3]]) + [[0, 0, 0.8], [0, 0, 1.4], [0, 0.3, 1.9]]
    places = np.concatenate([ring, tail]) + 0.05 * random.normal(size=(8, 3)) + [5.9, 0.2, 3.0]
    return Particles(places % 6.0, box=[6.0] * 3, topology=topology)


def field(scale: Any, charges: Any = None, **more: Any) -> ForceField:
    settings: dict[str, Any] = {"exclude": 2, **more}
    return ForceField(
        {("A", "A"): LJ, ("A", "B"): WELL, ("B", "B"): None},
        bonds={("A", "A"): None, ("A", "B"): None, ("B", "B"): None},
        charges=charges,
        scale_14=scale,
        **settings,
    )


def distances(at: Particles) -> Floats:
    d = at.positions[:, None] - at.positions[None]
    return np.asarray(np.linalg.norm(d - 6.0 * np.round(d / 6.0), axis=-1))


def by_hand(at: Particles, scale: Scale14, exclude: int) -> float:
    near = {tuple(pair) for pair in at.topology.exclusions(exclude).tolist()}
    r = distances(at)
    laws = {"AA": LJ, "AB": WELL, "BB": None}
    energy = 0.0
    for i in range(8):
        for j in range(i + 1, 8):
            law = laws["".join(sorted(TYPES[i] + TYPES[j]))]
            if law is not None and (i, j) not in near and r[i, j] < law.cutoff:
                energy += (scale.pairs if (i, j) in THREE_APART else 1.0) * law.u(r[i, j])
    return energy


@pytest.mark.parametrize("exclude", [0, 1, 2])
def test_pairs_by_hand(exclude: int) -> None:
    at, scale = state(), Scale14(pairs=0.4, charges=1.0)
    found = field(scale, exclude=exclude).evaluate(at)
    assert found.terms["pair"] == pytest.approx(by_hand(at, scale, exclude), rel=1e-12)
    # They matter here, and a factor of 1 is as none.
    plain = field(None, exclude=exclude).evaluate(at)
    assert abs(plain.energy - found.energy) > 0.01
    one = field(1.0, exclude=exclude).evaluate(at)
    assert one.energy == pytest.approx(plain.energy, rel=1e-12)
    assert np.abs(one.forces - plain.forces).max() < 1e-11 * np.abs(plain.forces).max()
    assert np.abs(one.virial - plain.virial).max() < 1e-11 * np.abs(plain.virial).max()


@pytest.mark.parametrize(
    "charges", [Ewald(cutoff=2.9, accuracy=1e-10), ReactionField(cutoff=2.9, permittivity=60.0)]
)
def test_charges_by_hand(charges: Any) -> None:
    # Beside what all others do, (factor - 1) q q' / r of the nearest images.
    at = state(charges=True)
    q, r = at.topology.charges, distances(at)
    plain = field(None, charges).evaluate(at).terms["charge"]
    found = field({"pairs": 1.0, "charges": 0.3}, charges).evaluate(at).terms["charge"]
    expected = sum((0.3 - 1.0) * q[i] * q[j] / r[i, j] for i, j in THREE_APART)
    assert found - plain == pytest.approx(expected, rel=1e-9)
    one = field(1.0, charges).evaluate(at)
    assert one.terms["charge"] == pytest.approx(plain, rel=1e-12)


def test_forces_and_virial_are_derivatives() -> None:
    at = state(charges=True)
    model = field({"pairs": 0.4, "charges": 0.7}, Ewald(cutoff=2.9, accuracy=1e-9))
    found = model.evaluate(at)
    h = 1e-5
    for i, axis in ((0, 0), (5, 1), (7, 2)):
        shift = np.zeros((8, 3))
        shift[i, axis] = h
        up, down = (
            model.evaluate(at.replace(positions=at.positions + s)).energy for s in (shift, -shift)
        )
        assert -(up - down) / (2 * h) == pytest.approx(found.forces[i, axis], rel=1e-6)
    up, down = (
        model.evaluate(at.replace(positions=at.positions * s, box=at.box * s)).energy
        for s in (1 + h, 1 - h)
    )
    assert -(up - down) / (2 * h) == pytest.approx(np.trace(found.virial), rel=1e-6)


def test_a_run_conserves_energy() -> None:
    at = state(charges=True)
    bonds = {types: HarmonicBond(k=100.0, r0=1.0) for types in (("A", "A"), ("A", "B"), ("B", "B"))}
    names = "AB"
    angles = {
        (a, b, c): HarmonicAngle(k=20.0, theta0=1.9) for a in names for b in names for c in names
        if a <= c
    }  # fmt: skip
    model = field(0.5, Ewald(cutoff=2.9, accuracy=1e-6), temperature=0.5).replace(
        bonds=bonds, angles=angles
    )
    settings: dict[str, Any] = {"dt": 0.002, "every": 0.1, "dynamics": rg.particles.NVE()}
    trace = model.run(at, time=2.0, **settings)
    energy = trace.log["conserved_energy"]
    assert np.ptp(energy) < 2e-2 * trace.log["kinetic_energy"].mean()


# ------------------------------------------------------------------ as data


def test_how_it_is_given() -> None:
    scale = Scale14(pairs=0.5, charges=1 / 1.2)
    model = field({"pairs": 0.5, "charges": 1 / 1.2})
    assert model.scale_14 == scale
    assert field(0.5).scale_14 == Scale14(pairs=0.5, charges=0.5)
    assert ForceField.from_dict(model.to_dict()) == model
    assert "scale_14=Scale14(pairs=0.5, charges=0.8333333333333334)" in repr(model)
    assert model.scaled(3.0).scale_14 == scale
    assert model.replace(scale_14=None) == field(None)


def test_what_makes_no_sense() -> None:
    with pytest.raises(RegrainError, match=r"scale_14: got 'half', expected a factor"):
        field("half")
    with pytest.raises(RegrainError, match=r"scale_14: got \{'pairs': 0.5\}"):
        field({"pairs": 0.5})
    with pytest.raises(RegrainError, match="exclude=3 leaves out the pairs three bonds apart"):
        field(0.5, exclude=3)
    with pytest.raises(RegrainError, match="charges must be a finite number"):
        Scale14(pairs=0.5, charges=np.nan)
    water = StillingerWeber(epsilon=1.0, theta0=1.9, r_max=1.5, decay=1.0)
    with pytest.raises(RegrainError, match="beside triples"):
        field(0.5).replace(triples={("A", "A", "A"): water})


# ------------------------------------------------------------------ other programs


def md() -> tuple[Particles, ForceField]:
    """Without the force-shifted potential, which OpenMM has as a table only, and in nm."""
    lj = LennardJones(epsilon=1.3, sigma=0.9, cutoff=2.2, mode="shifted")
    at = state(charges=True)
    model = field(
        {"pairs": 0.4, "charges": 0.7}, Ewald(cutoff=2.9, accuracy=1e-7), units="md"
    ).replace(pairs={("A", "A"): lj, ("A", "B"): lj, ("B", "B"): None})
    return at.replace(units="md"), model


def test_openmm_has_the_same(tmp_path: Path) -> None:
    at, model = md()
    (file,) = rg.export(model, tmp_path / "system.xml", state=at, points=4000)
    mm = pytest.importorskip("openmm")
    system = mm.XmlSerializer.deserialize(file.read_text())
    platform = mm.Platform.getPlatformByName("Reference")
    context = mm.Context(system, mm.VerletIntegrator(0.001), platform)
    context.setPositions(at.positions)
    found = context.getState(getForces=True, getEnergy=True)
    mine = model.evaluate(at)
    assert found.getPotentialEnergy()._value == pytest.approx(mine.energy, rel=1e-4)
    theirs = np.array(found.getForces(asNumpy=True)._value)
    assert np.abs(theirs - mine.forces).max() < 1e-3 * np.abs(mine.forces).max()


def test_lammps_has_the_same(tmp_path: Path) -> None:
    need_lammps()
    at, model = md()
    rg.export(model, tmp_path / "now.lammps", state=at)
    assert_agrees(tmp_path / "now.lammps", model, at)


def test_who_refuses_it(tmp_path: Path) -> None:
    at, model = md()
    with pytest.raises(RegrainError, match="1-4 pairs without the cutoff"):
        rg.export(model, tmp_path / "x.top", state=at)
    with pytest.warns(UserWarning, match="scale_14"):
        rg.export(model, tmp_path / "x.table")
