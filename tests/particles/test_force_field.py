"""What a force field holds, refuses, and writes."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from regrain import RegrainError, Trace
from regrain.particles import (
    NVE,
    Distance,
    Field,
    ForceField,
    HarmonicAngle,
    HarmonicBond,
    LennardJones,
    Network,
    Particles,
    PeriodicDihedral,
    ReactionField,
    Restraint,
    Table,
    Topology,
    fcc,
)
from regrain.particles.run import Settings

LJ = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)
TABLE = Table(r_min=0.5, r_max=1.0, points=11, energy=1 / np.linspace(0.5, 1.0, 11) - 1)
FIELD = ForceField(
    {("B", "A"): LJ, ("A", "A"): TABLE, ("B", "B"): None},
    bonds={("B", "A"): HarmonicBond(k=3.0, r0=1.0)},
    angles={("B", "A", "A"): HarmonicAngle(k=3.0, theta0=1.0)},
    temperature=300.0,
    exclude=3,
    units="md",
)


def test_a_scaled_force_field_has_so_much_of_every_term() -> None:
    rng = np.random.default_rng(4)
    topology = Topology(
        ["A", "B", "A", "B"],
        bonds=[(0, 1), (1, 2), (2, 3)],
        angles=[(0, 1, 2), (1, 2, 3)],
        dihedrals=[(0, 1, 2, 3)],
        charges=[1.0, -0.5, 0.0, 0.2],
    )
    state = Particles(rng.random((4, 3)) * 2, box=[9, 9, 9], topology=topology)
    field = ForceField(
        {
            ("A", "A"): LennardJones(epsilon=1, sigma=1, cutoff=3),
            ("A", "B"): None,
            ("B", "B"): None,
        },
        bonds={("A", "B"): HarmonicBond(k=3, r0=1)},
        angles={("A", "B", "A"): HarmonicAngle(k=2, theta0=2), ("B", "A", "B"): None},
        dihedrals={("A", "B", "A", "B"): PeriodicDihedral(k=1, n=1)},
        network=Network(pairs=[(0, 3)], k=[2.0], r0=[1.0]),
        charges=ReactionField(cutoff=3.0, permittivity=4.0),
        external={"A": Field("x")},
        biases=[Restraint(Distance(a=0, b=3), center=0.0, k=1.0)],
        temperature=1.5,
        exclude=0,
    )
    whole, part = field.evaluate(state), field.scaled(0.5).evaluate(state)
    assert all(value != 0 for name, value in whole.terms.items() if name != "triple")
    assert part.terms == pytest.approx({name: 0.5 * value for name, value in whole.terms.items()})
    np.testing.assert_allclose(part.forces, 0.5 * whole.forces, rtol=1e-12)
    assert field.scaled(0.5).temperature == 1.5


def pair(a: str = "A", b: str = "A", **topology: object) -> Particles:
    types = Topology([a, b], **topology)  # type: ignore[arg-type]
    return Particles([[1.0, 1.0, 1.0], [2.0, 1.0, 1.0]], box=[9.0] * 3, topology=types)


def test_it_is_its_data(tmp_path: Path) -> None:
    FIELD.save(tmp_path / "field.json")
    assert ForceField.load(tmp_path / "field.json") == FIELD
    assert pickle.loads(pickle.dumps(FIELD)) == FIELD
    assert hash(ForceField.from_dict(FIELD.to_dict())) == hash(FIELD)
    assert FIELD.replace(temperature=301.0) != FIELD
    short = ForceField({("A", "A"): LJ}, bonds={("A", "A"): None}, exclude=1)
    assert eval(repr(short)) == short
    assert FIELD.pairs[("A", "B")] == LJ
    with pytest.raises(TypeError):
        FIELD.pairs[("A", "B")] = None  # type: ignore[index]
    assert "bond   A-B    HarmonicBond(k=3.0, r0=1.0)" in str(FIELD)
    assert str(FIELD).endswith("temperature 300 K, exclude 3, units md")


def test_triples_are_named_if_there_are_any() -> None:
    none = {("B", "C", "A"): None}
    field = ForceField({("A", "A"): LJ}, triples=none)
    assert dict(field.triples) == {("A", "C", "B"): None}
    assert eval(repr(field)) == field == ForceField.from_dict(field.to_dict())
    assert "triple  A-C-B  None" in str(field)
    assert field.evaluate(pair()).energy == LJ.u(1.0)
    with pytest.raises(RegrainError, match="expected 3 type names"):
        field.replace(triples={("A", "A"): None})
    older = FIELD.to_dict()
    del older["triples"]
    assert ForceField.from_dict(older) == FIELD


def test_exclusions_follow_the_bonds() -> None:
    chain = Particles(
        [[1.0 * i, 0.0, 0.0] for i in range(5)],
        box=[20.0] * 3,
        topology=Topology(["A"] * 5, bonds=[(i, i + 1) for i in range(4)]),
    )
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=9.0)
    for exclude in range(5):
        field = ForceField({("A", "A"): lj}, bonds={("A", "A"): None}, exclude=exclude)
        expected = sum((5 - d) * lj.u(float(d)) for d in range(exclude + 1, 5))
        assert field.evaluate(chain).energy == pytest.approx(expected, abs=1e-14)


def test_exclusions_in_a_box_below_two_cutoffs_are_refused() -> None:
    tight = Particles(
        [[1.0, 1.0, 1.0], [2.2, 1.0, 1.0]],
        box=[4.5] * 3,
        topology=Topology(["A", "A"], bonds=[(0, 1)]),
    )
    bonds = {("A", "A"): HarmonicBond(k=1.0, r0=1.0)}
    with pytest.raises(RegrainError, match="less than two cutoffs"):
        ForceField({("A", "A"): LJ}, bonds=bonds).evaluate(tight)
    assert ForceField({("A", "A"): LJ}, bonds=bonds, exclude=0).evaluate(tight).energy != 0


def test_pressure_is_that_of_the_units() -> None:
    # An ideal gas of one particle pair: P = m v^2 / V along x, 16.6053906717 bar nm^3 / (kJ/mol).
    state = pair().replace(units="md", velocities=[[2.0, 0, 0], [0, 1.0, 0]])
    found = ForceField({("A", "A"): None}, units="md").evaluate(state)
    assert found.pressure_tensor is not None
    assert np.allclose(np.diag(found.pressure_tensor), np.array([4, 1, 0]) * 16.6053906717 / 729)
    assert ForceField({("A", "A"): None}).evaluate(pair()).pressure_tensor is None


IDEAL = ForceField({("A", "A"): None}, temperature=1.0)
WRONG = [
    (lambda: ForceField({("A",): LJ}), "expected 2 type names"),
    (lambda: ForceField({"AB": LJ}), "expected 2 type names"),
    (lambda: ForceField({("A", "B"): LJ, ("B", "A"): LJ}), "A-B twice"),
    (lambda: ForceField({("A", "A"): HarmonicBond(k=1, r0=1)}), "is a bond potential"),
    (lambda: ForceField(bonds={("A", "A"): LJ}), "is a pair potential"),
    (lambda: ForceField({("A", "A"): "lj"}), "expected a potential or None"),
    (lambda: ForceField({("A", "A"): Table(r_min=0.1, r_max=1, points=9)}), "to be fitted"),
    (lambda: ForceField({("A", "A"): LJ}, temperature=-1.0), "expected zero or more"),
    (lambda: ForceField({("A", "A"): LJ}, exclude=-1), "a number of bonds"),
    (lambda: ForceField({("A", "A"): LJ}, units="real"), "units"),
    (lambda: IDEAL.evaluate(pair("A", "C")), r"a pair A-C.*\('A', 'C'\)"),
    (lambda: IDEAL.evaluate(pair(bonds=[(0, 1)])), "a bond A-A, for which"),
    (lambda: IDEAL.evaluate(pair().replace(units="md")), "'md'; convert"),
    (
        lambda: ForceField({("A", "A"): None}).run(pair(), time=1, dt=0.1, dynamics=NVE()),
        "no velocities",
    ),
    (
        lambda: ForceField({("A", "A"): None}).run(
            pair().replace(velocities=np.zeros((2, 3))), time=1, dt=0.1
        ),
        "needs a temperature",
    ),
    (lambda: IDEAL.run(pair(masses=[1.0, 0.0]), time=1, dt=0.1), "particle 1 has mass 0"),
    (lambda: IDEAL.run(pair(), time=1, dt=-0.1), "dt: got -0.1"),
    (lambda: IDEAL.run(pair(), time=0.01, dt=0.1), "less than a time step"),
    (lambda: IDEAL.run(pair(), time=1, dt=0.1, every=2), "no frame would be kept"),
    (lambda: IDEAL.run(pair(), time=1, dt=0.1, seed=-1), "seed: got -1"),
    (
        lambda: ForceField({("A", "A"): LJ}).evaluate(
            Particles([[1, 1, 1], [1, 1, 1]], box=[9, 9, 9])
        ),
        r"0 and 1|1 and 0",
    ),
    (lambda: fcc(0, density=1.0), "at least 1"),
    (lambda: IDEAL.evaluate(Trace([pair()], times=[0.0])), r"take a frame, such as trace\[0\]"),
    (lambda: ForceField.from_dict({"pairs": []}), "not a force field"),
    (lambda: ForceField.load("nowhere.json"), "cannot be read"),
]


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_what_is_wrong_is_said(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RegrainError, match=message):
        make()


def test_whole_steps() -> None:
    settings = Settings(time=2000.0, dt=0.008, every=0.3)
    assert (settings.steps, settings.frame_steps) == (250_000, 38)


def test_fcc_has_the_density_and_the_neighbors() -> None:
    state = fcc(4, density=0.8)
    assert len(state) == 256
    assert len(state) / state.volume == pytest.approx(0.8)
    d = state.positions[1:] - state.positions[0]
    d -= np.round(d / state.box[0, 0]) * state.box[0, 0]
    nearest = (4 / 0.8) ** (1 / 3) / np.sqrt(2)
    assert np.sum(np.abs(np.linalg.norm(d, axis=1) - nearest) < 1e-9) == 12
