"""Fields and walls: forces are gradients, and what makes no sense is refused."""

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regrain import RegrainError, export
from regrain.engines import Lammps
from regrain.observables import WallPressure
from regrain.particles import (
    NVE,
    SRD,
    CellRescale,
    Distance,
    Field,
    FieldTable,
    ForceField,
    HarmonicWall,
    LennardJones,
    LennardJonesWall,
    Particles,
    Restraint,
    Topology,
    fcc,
)
from regrain.particles.run import Settings

BOX = np.array([[6.0, 0.0, 0.0], [1.7, 5.5, 0.0], [-2.1, 1.3, 5.8]])
GRID = np.linspace(0.0, 6.0, 301)
NOTHING: dict[Any, Any] = {("A", "A"): None, ("A", "B"): None, ("B", "B"): None}
FIELDS = [
    Field("0.5*k*((x - 3)^2 + 2*(y - 2.5)^2) + q*z", k=3.0),
    Field("exp(-0.3*(x^2 + y^2 + z^2))*sin(x*y) + m*atan2(z, 1 + x)"),
    Field("select(z > 3, (z - 3)^4, 0) + cos(2*pi*x/6)"),
    FieldTable("+z", low=0.0, high=6.0, energy=np.sin(GRID)),
    FieldTable((1.0, 2.0, -1.0), low=-9, high=12, energy=np.cos(np.linspace(-9, 12, 500))),
    FieldTable("-y", at=7.0, low=0, high=8, energy=np.linspace(0, 8, 9) ** 2, forces=range(9)),
    LennardJonesWall("+z", at=-0.9, epsilon=1.5, sigma=1.1, cutoff=4.0),
    LennardJonesWall("-z", at=7.0, epsilon=1.5, sigma=1.1, cutoff=5.0, form="10-4"),
    LennardJonesWall((1, 1, 1), at=-3.0, epsilon=0.5, sigma=1.3, cutoff=9.0, form="12-6"),
    HarmonicWall("-x", at=8.0, k=5.0, cutoff=6.0),
]


def mixture() -> Particles:
    """Away from the faces of a skewed box, in other images of it too."""
    rng = np.random.default_rng(3)
    n = 12
    places = rng.uniform(0.1, 0.9, size=(n, 3)) + rng.integers(-2, 3, size=(n, 3))
    topology = Topology(
        ["A", "B"] * (n // 2), masses=rng.uniform(1, 2, n), charges=rng.normal(size=n)
    )
    return Particles(places @ BOX, box=BOX, topology=topology)


def gas(n: int, box: float, height: float, low: float = 0.0) -> Particles:
    """Particles at random places of a slab in a box of that height."""
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 1, size=(n, 3)) * [box, box, height] + [0, 0, low]
    return Particles(places, box=[box, box, low + height + low])


# ---------------------------------------------------------------------- forces


@pytest.mark.parametrize("law", FIELDS, ids=lambda law: type(law).__name__)
def test_the_force_is_the_gradient_of_the_energy(law: Any) -> None:
    state = mixture()
    field = ForceField(NOTHING, external={"A": law, "*": [law.scaled(0.5)]})
    found = field.evaluate(state)
    h = 1e-5
    for i in range(4):
        for k in range(3):
            shift = np.zeros((len(state), 3))
            shift[i, k] = h
            ends = [
                field.evaluate(state.replace(positions=state.positions + s * shift)).energy
                for s in (1, -1)
            ]
            # Central differences: h² u'''/6 and rounding of u/h, for numbers up to some hundred.
            slope = (ends[0] - ends[1]) / (2 * h)
            assert -found.forces[i, k] == pytest.approx(slope, rel=2e-6, abs=2e-6)
    assert found.terms["external"] == found.energy != 0
    assert np.all(found.virial == 0)


def test_types_charges_and_masses_are_those_of_the_topology() -> None:
    state = mixture()
    topology = state.topology
    field = ForceField(NOTHING, external={"B": Field("q + 10*m")})
    mine = topology.types == "B"
    energy = np.sum(topology.charges[mine] + 10 * topology.masses[mine])
    assert field.evaluate(state).energy == pytest.approx(energy, rel=1e-14)


def test_places_are_those_in_the_box() -> None:
    box = np.diag([4.0, 5.0, 6.0])
    field = ForceField({("A", "A"): None}, external={"*": Field("x + 10*y + 100*z")})
    state = Particles([[-1.0, 12.0, 5.5], [4.0, 0.0, 13.0]], box=box)
    assert field.evaluate(state).energy == pytest.approx((3 + 20 + 550) + (0 + 0 + 100), rel=1e-14)


def test_walls_are_those_of_their_formulas() -> None:
    d = np.array([0.8, 1.0, 1.7, 3.0])
    for form, u in (
        ("9-3", lambda r: 2 / 15 * r**9 - r**3),
        ("10-4", lambda r: 2 * np.pi * (0.4 * r**10 - r**4)),
        ("12-6", lambda r: 4 * (r**12 - r**6)),
    ):
        wall = LennardJonesWall("+z", at=0, epsilon=1.3, sigma=0.9, cutoff=2.5, form=form)
        wanted = np.where(d < 2.5, 1.3 * (u(0.9 / d) - u(0.9 / 2.5)), 0.0)
        assert np.allclose(wall.u(d), wanted, rtol=1e-13, atol=1e-14)
    # The minimum of 9-3 is at (2/5)^(1/6) sigma and sqrt(10)/3 epsilon deep.
    wall = LennardJonesWall("+z", at=0, epsilon=1.0, sigma=1.0, cutoff=1e3)
    assert wall.u(0.4 ** (1 / 6)) == pytest.approx(-np.sqrt(10) / 3, rel=1e-8)
    assert np.isnan(wall.u(-0.1))


def test_laws_survive_text_json_and_pickle(tmp_path: Path) -> None:
    field = ForceField(
        NOTHING, external={"A": FIELDS[:3], "*": [FIELDS[7], Field(force=("1", "y", "t"))]}
    )
    names = {law.__name__: law for law in (Field, ForceField, LennardJonesWall)}
    assert eval(repr(field), names) == field
    assert ForceField.from_dict(json.loads(json.dumps(field.to_dict()))) == field
    assert pickle.loads(pickle.dumps(field)) == field
    tables = ForceField(NOTHING, external={"B": FIELDS[3:]})
    tables.save(tmp_path / "field.json")
    assert ForceField.load(tmp_path / "field.json") == tables != field
    assert field.replace(external=None).external is None


def test_scaling_scales_all_energies() -> None:
    state = mixture()
    field = ForceField(NOTHING, external={"*": FIELDS[:7]})
    one, half = field.evaluate(state), field.scaled(0.5).evaluate(state)
    assert half.energy == pytest.approx(0.5 * one.energy, rel=1e-14)
    assert np.allclose(half.forces, 0.5 * one.forces, rtol=1e-13, atol=1e-13)


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Field("0.5*k*z^2"), r'position 5: there is no "k"; there are the variables x, y'),
        (lambda: Field("x +"), "position 4: expected a number"),
        (lambda: Field("x", z=1.0), 'the name "z" means something else'),
        (lambda: Field("k*x", k="stiff"), "the constant k is 'stiff', expected a number"),
        (lambda: Field("k*x", k=np.inf), 'the constant "k" is inf'),
        (lambda: Field(), "give an energy, .* or three components of a force"),
        (lambda: Field("x", force=("1", "0", "0")), "give an energy, .* or three components"),
        (lambda: Field(force=("1", "0")), "expected a formula as text, or three of a force"),
        (lambda: Field(force="x"), "give three formulas"),
        (lambda: HarmonicWall("up", at=0, k=1, cutoff=1), "normal is 'up', expected"),
        (lambda: HarmonicWall((0, 0, 0), at=0, k=1, cutoff=1), "not all zero"),
        (lambda: HarmonicWall("z", at=0, k=-1, cutoff=1), "k must be a positive number"),
        (lambda: HarmonicWall("z", at=np.nan, k=1, cutoff=1), "at must be a finite number"),
        (lambda: LennardJonesWall("z", at=0, epsilon=1, sigma=1, cutoff=0), "cutoff must be"),
        (lambda: LennardJonesWall("z", at=0, epsilon=1, sigma=1, cutoff=1, form="8-4"), "9-3, 10"),
        (lambda: FieldTable("z", low=0, high=1, energy=[1, 2]), "at least 3 points"),
        (lambda: FieldTable("z", low=1, high=0, energy=[1, 2, 3]), "increasing range"),
        (lambda: FieldTable("z", low=0, high=1, energy=[1, np.nan, 3]), "not finite at x = 0.5"),
        (lambda: FieldTable("z", low=0, high=1, energy=[1, 2, 3], forces=[1]), "1 slopes"),
        (lambda: FieldTable("z", low=0, high=1, energy=[1, 2, 3], beyond="?"), "beyond: got"),
        (lambda: ForceField(NOTHING, external=Field("x")), "expected fields and walls by type"),
        (lambda: ForceField(NOTHING, external={"A": "x"}), "expected a type name"),
        (lambda: WallPressure(Field("x")), "expected a wall of the run"),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_field_is_refused(make: Any, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        make()


def test_the_particle_is_named_where_the_energy_is_no_number() -> None:
    state = Particles([[1, 1, 1], [2, 0, 3]], box=[9, 9, 9])
    field = ForceField({("A", "A"): None}, external={"A": Field("1/y")})
    with pytest.raises(RegrainError, match=r"particle 1 at \(2.0.*, 3.0.*inf.* in Field\('1/y'\)"):
        field.evaluate(state)
    table = FieldTable("+x", low=0, high=1.5, energy=[1, 2, 3])
    with pytest.raises(RegrainError, match=r"particle 1 .* the table is from 0.0* to 1.5"):
        ForceField({("A", "A"): None}, external={"A": table}).evaluate(state)
    zero = FieldTable("+x", low=0, high=1.5, energy=[1, 2, 3], beyond="zero")
    found = ForceField({("A", "A"): None}, external={"A": zero}).evaluate(state)
    assert found.forces[1].tolist() == [0, 0, 0] != found.forces[0].tolist()


def test_a_particle_that_gets_through_a_wall_is_named() -> None:
    wall = LennardJonesWall("+z", at=2.0, epsilon=1e-3, sigma=0.1, cutoff=1.0)
    field = ForceField({("A", "A"): None}, external={"A": [wall]})
    start = Particles([[1, 1, 5]], box=[9, 9, 9], velocities=[[0, 0, -10.0]])
    with pytest.raises(RegrainError, match=r"particle 0 .* LennardJonesWall.*beyond the wall"):
        field.run(start, time=1, dt=0.1, dynamics=NVE())


def test_walls_that_leave_no_room_are_refused() -> None:
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)
    state = Particles([[1, 1, 5.0]], box=[9, 9, 9])

    def evaluate(low: float, high: float) -> None:
        walls = [
            HarmonicWall("+z", at=low, k=1, cutoff=1),
            HarmonicWall("-z", at=high, k=1, cutoff=1),
        ]
        ForceField({("A", "A"): lj}, external={"A": walls[:1], "*": walls[1:]}).evaluate(state)

    evaluate(3.0, 7.0)
    with pytest.raises(RegrainError, match=r"beyond the wall, the first is 0 at .* begin with all"):
        evaluate(6.0, 7.0)
    with pytest.raises(RegrainError, match="leave 1 of the box outside of them, less than the cut"):
        evaluate(0.5, 8.5)
    with pytest.raises(RegrainError, match="do not fit into the box, whose edge along z is 9"):
        evaluate(-1.0, 8.5)
    apart = [HarmonicWall("+z", at=7.0, k=1, cutoff=1), HarmonicWall("-z", at=6.0, k=1, cutoff=1)]
    nobody = state.replace(positions=[[1, 1, 6.5]])
    with pytest.raises(RegrainError, match="no room between them: their planes are 1 too far"):
        ForceField({("A", "A"): lj}, external={"A": apart}).evaluate(nobody)


def test_a_type_that_nothing_names_is_refused_and_one_that_a_state_lacks_is_not() -> None:
    well = {"B": Field("x^2")}
    with pytest.raises(RegrainError, match=r"external\['B'\]: no pair names this type .* A\)"):
        ForceField({("A", "A"): None}, external=well)
    state = Particles([[1, 1, 5.0]], box=[9, 9, 9])
    assert ForceField(NOTHING, external=well).evaluate(state).energy == 0


def test_a_solvent_feels_no_fields() -> None:
    state = Particles(np.zeros((2, 3)), box=[4, 4, 4], topology=Topology(["A", "B"]))
    solvent = SRD(solvent="B", cell=1.0, interval=0.1, angle=130.0)
    for name in ("B", "*"):
        field = ForceField(NOTHING, external={name: Field("0.1*cos(2*pi*x/4)")}, temperature=1.0)
        with pytest.raises(RegrainError, match=r"would act on the solvent, which feels no fields"):
            field.run(state, time=1, dt=0.1, dynamics=solvent)
    biased = ForceField(NOTHING, biases=[Restraint(Distance(a=0, b=1), center=0, k=1)])
    with pytest.raises(RegrainError, match="others without the solvent"):
        biased.run(state, time=1, dt=0.1, dynamics=solvent)


def test_a_jump_at_a_face_that_particles_reach_is_warned_of() -> None:
    def run(law: Any) -> None:
        field = ForceField({("A", "A"): None}, external={"A": law}, temperature=1.0)
        field.run(gas(4, 5.0, 5.0), time=0.1, dt=0.1)

    with pytest.warns(RuntimeWarning, match=r"A .*jumps by 1 .* along y .*Field\(force"):
        run(Field("-0.2*y"))
    with pytest.warns(RuntimeWarning, match="jumps by 0.5"):
        run(FieldTable("+x", low=0, high=5, energy=[0.5, 0.0, 0.0]))
    run(Field("-0.2*min(y, 5 - y)"))
    run(Field("40*(y - 2)^2"))  # nobody gets there
    run(Field(force=("0", "0.2", "0")))


def test_a_barostat_does_not_stretch_what_is_fixed_in_space() -> None:
    field = ForceField({("A", "A"): None}, external={"A": Field("0.1*z^2")}, temperature=1.0)
    barostat = CellRescale(pressure=1.0, time=1.0, compressibility=1.0)
    with pytest.raises(RegrainError, match=r"along z, where Field.* is fixed in space"):
        field.run(gas(4, 5.0, 5.0), time=1, dt=0.1, barostat=barostat)
    held = ForceField(
        {("A", "A"): None},
        external={
            "A": [
                HarmonicWall("+z", at=1.0, k=50.0, cutoff=1.0),
                HarmonicWall("-z", at=9.0, k=50.0, cutoff=1.0),
            ]
        },
        temperature=1.0,
    )
    lateral = replace(barostat, time=50.0, coupling="lateral")
    start = gas(40, 5.0, 5.0, low=2.5)
    trace = held.run(start, time=1, dt=0.01, barostat=lateral)
    assert trace[-1].box[2, 2] == start.box[2, 2] != trace[-1].box[0, 0] != start.box[0, 0]


def test_the_pressure_on_what_is_no_wall_of_the_run() -> None:
    wall = HarmonicWall("+z", at=0.5, k=1.0, cutoff=1.0)
    lid = HarmonicWall("-z", at=6.5, k=1.0, cutoff=1.0)
    field = ForceField({("A", "A"): None}, external={"A": [wall, lid]})
    start = gas(4, 5.0, 5.0, low=1.0).replace(velocities=np.zeros((4, 3)))
    trace = field.run(start, time=1, dt=0.1, dynamics=NVE())
    with pytest.raises(RegrainError, match=r"the run had no HarmonicWall.*at=0.7"):
        WallPressure(HarmonicWall("+z", at=0.7, k=1.0, cutoff=1.0))(trace)
    bare = ForceField({("A", "A"): None}, temperature=1.0).run(gas(4, 5.0, 5.0), time=1, dt=0.1)
    assert WallPressure(wall)(bare).kind == "undefined"


# ---------------------------------------------------------------------- other programs


@pytest.mark.parametrize("suffix", [".lammps", ".top", ".xml"])
@pytest.mark.parametrize("kind", ["external", "biases"])
def test_no_file_of_a_whole_system_drops_what_acts_from_outside(
    suffix: str, kind: str, tmp_path: Path
) -> None:
    lj = LennardJones(epsilon=1.0, sigma=0.3, cutoff=0.9, mode="shifted")
    outside = {
        "external": {"A": Field("0.1*z^2")},
        "biases": [Restraint(Distance(a=0, b=1), center=1.0, k=1.0)],
    }
    field = ForceField({("A", "A"): lj}, units="md", **{kind: outside[kind]})  # type: ignore[arg-type]
    state = fcc(cells=3, density=20.0).replace(units="md")
    with pytest.raises(RegrainError, match=f"{kind}=.*not written for .*replace.{kind}=None"):
        export(field, tmp_path / f"out{suffix}", state=state)
    export(field.replace(**{kind: None}), tmp_path / f"out{suffix}", state=state)


def test_tables_of_pairs_say_that_they_leave_out_the_rest(tmp_path: Path) -> None:
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
    field = ForceField({("A", "A"): lj}, external={"A": Field("0.1*z^2")})
    with pytest.warns(UserWarning, match="the external of the force field have to be set up"):
        export(field, tmp_path / "pairs.table")


def test_lammps_does_not_run_without_the_fields() -> None:
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
    field = ForceField({("A", "A"): lj}, external={"A": Field("0.1*z^2")}, temperature=1.0)
    with pytest.raises(RegrainError, match=r"external=.*not written for LAMMPS"):
        Lammps(command=["true"]).run(
            field, fcc(cells=3, density=0.8), Settings(time=1.0, dt=0.1, every=0.5)
        )
