"""Fields and walls: forces are gradients, averages those of statistical mechanics, work counts."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from regrain import RegrainError, Trace, _core, export
from regrain.engines import Lammps
from regrain.observables import WallPressure
from regrain.particles import (
    NVE,
    CellRescale,
    Distance,
    Field,
    FieldTable,
    ForceField,
    HarmonicWall,
    Langevin,
    LennardJones,
    LennardJonesWall,
    NoseHoover,
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


# ---------------------------------------------------------------------- ensembles


def test_a_harmonic_well_has_the_variance_and_energy_of_equipartition() -> None:
    well = Field("0.5*k*((x - 8)^2 + (y - 8)^2 + (z - 8)^2)", k=4.0)
    field = ForceField({("A", "A"): None}, external={"A": well}, temperature=1.5)
    n = 400
    start = Particles(np.full((n, 3), 8.0), box=[16, 16, 16])
    trace = field.run(start, time=300, dt=0.1, every=3, seed=1, dynamics=Langevin(friction=1.5))
    places = np.array([state.positions - 8.0 for state in trace][10:])
    # BAOAB samples the positions of an oscillator exactly. <x(0) x(3)>/<x²> is below
    # exp(-0.75 * 3) = 0.11 in a damped oscillator, so that squares are independent but for 1 %.
    count = places.size
    assert places.var() == pytest.approx(1.5 / 4.0, rel=4 * np.sqrt(2 / count))
    energy = np.mean(trace.log["external_energy"][10:]) / (3 * n)
    assert energy == pytest.approx(0.5 * 1.5, rel=4 * np.sqrt(2 / count))
    # Third and fourth moment of a Gaussian, with standard errors sqrt(15/N) and sqrt(96/N).
    z = places.ravel() / places.std()
    assert abs(np.mean(z**3)) < 4 * np.sqrt(15 / count)
    assert np.mean(z**4) == pytest.approx(3, abs=4 * np.sqrt(96 / count))


def barometer(seed: int) -> tuple[Trace[Particles], LennardJonesWall]:
    floor = LennardJonesWall("+z", at=1.0, epsilon=1.0, sigma=1.0, cutoff=2.0)
    weight = Field("m*g*z", g=0.5)
    field = ForceField({("A", "A"): None}, external={"*": [weight, floor]}, temperature=1.0)
    state = gas(300, 5.0, 6.0, low=2.5)
    start = state.replace(box=[5, 5, 60], topology=Topology(["A"] * 300, masses=[2.0] * 300))
    dynamics = Langevin(friction=1.0)
    return field.run(start, time=400, dt=0.02, every=4, seed=seed, dynamics=dynamics), floor


@pytest.mark.slow
def test_an_atmosphere_is_exponential_and_the_floor_carries_it() -> None:
    trace, floor = barometer(2)
    heights = np.array([state.positions[:, 2] for state in trace][20:])
    above = heights[heights > 3.0] - 3.0  # the wall ends at 3, and m g / kT is 1
    # Diffusion with D = kT/(m friction) = 1/2 and a drift of g/friction = 1/2 forgets a height at
    # the rate drift²/4D = 1/8: frames are correlated by exp(-1/2), four or five make one sample.
    independent = len(above) / 5
    assert above.mean() == pytest.approx(1.0, abs=4 / np.sqrt(independent))
    assert np.mean(above**2) == pytest.approx(2.0, abs=4 * np.sqrt(20 / independent))
    # Balance of momentum: over time the floor gives what gravity takes, N m g = 300.
    pressure = WallPressure(floor)(trace[20:])
    assert float(pressure) * 25 == pytest.approx(300, abs=4 * float(pressure.error) * 25)
    assert float(pressure.error) * 25 < 15


def test_an_ideal_gas_presses_on_walls_with_its_density_times_kt() -> None:
    walls = [
        LennardJonesWall("+z", at=1.0, epsilon=0.6, sigma=1.0, cutoff=2.5),
        HarmonicWall("-z", at=9.0, k=30.0, cutoff=1.5),
    ]
    field = ForceField({("A", "A"): None}, external={"A": walls}, temperature=1.2)
    start = gas(400, 6.0, 3.0, low=3.0).replace(box=[6, 6, 11])
    trace = field.run(start, time=300, dt=0.02, every=1, seed=3, dynamics=Langevin(friction=1.0))
    boltzmann = quad(
        lambda z: np.exp(-(walls[0].u(z - 1) + walls[1].u(9 - z)) / 1.2), 1.001, 10.9, limit=200
    )[0]
    exact = 400 * 1.2 / (36 * boltzmann)
    for wall in walls:
        pressure = WallPressure(wall)(trace[20:])
        assert float(pressure) == pytest.approx(exact, abs=4 * float(pressure.error))
        assert float(pressure.error) < 0.04 * exact
    # That of the particles is without the walls: the kinetic one, divided by the whole box.
    inside = np.mean(np.trace(trace.log["pressure_tensor"], axis1=1, axis2=2)) / 3
    assert inside == pytest.approx(400 * 1.2 / (36 * 11), rel=4 * np.sqrt(2 / 3 / 400 / 200))


def test_fluids_between_walls_keep_off_them_and_press_on_both_alike() -> None:
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
    floor = LennardJonesWall("+z", at=1.0, epsilon=1.0, sigma=1.0, cutoff=2.5)
    lid = LennardJonesWall("-z", at=10.0, epsilon=1.0, sigma=1.0, cutoff=2.5)
    field = ForceField({("A", "A"): lj}, external={"A": [floor, lid]}, temperature=2.0)
    start = fcc(cells=4, density=0.5)
    edge = start.box[0, 0]
    start = start.replace(positions=start.positions * [1, 1, 6 / edge] + [0, 0, 2.2])
    start = start.replace(box=[edge, edge, 11.6])
    trace = field.run(start, time=60, dt=0.004, every=0.04, seed=4, dynamics=Langevin(friction=1.0))
    bottom, top = WallPressure(floor)(trace[250:]), WallPressure(lid)(trace[250:])
    error = np.hypot(float(bottom.error), float(top.error))
    assert float(bottom) == pytest.approx(float(top), abs=4 * error)
    # Virial theorem: <sum m v² + virial of the pairs> is minus that of the walls. Fifty blocks of
    # frames tell the error.
    alone = ForceField({("A", "A"): None}, external={"A": [floor, lid]})
    walls = [state.positions[:, 2] @ alone.evaluate(state).forces[:, 2] for state in trace]
    inside = np.asarray(trace.log["pressure_tensor"])[:, 2, 2] * start.volume
    both = np.add(walls, inside)[250:].reshape(50, -1).mean(axis=1)
    assert np.mean(both) == pytest.approx(0, abs=4 * both.std() / np.sqrt(50))
    assert both.std() / np.sqrt(50) < 0.05 * np.mean(inside)
    heights = np.array([state.positions[:, 2] for state in trace])
    assert heights.min() > 1.5
    assert heights.max() < 9.5


# ---------------------------------------------------------------------- energy, work, momentum


def fluctuation(dt: float, **arguments: Any) -> float:
    """The spread of the conserved energy of a gas between walls."""
    walls = [
        LennardJonesWall("+z", at=1.0, epsilon=1.0, sigma=1.0, cutoff=2.5),
        HarmonicWall("-z", at=9.0, k=50.0, cutoff=1.0),
        Field("m*g*z + 0.3*cos(2*pi*x/6)", g=0.3),
        *arguments.pop("more", ()),
    ]
    field = ForceField({("A", "A"): None}, external={"A": walls}, temperature=1.0)
    start = gas(50, 6.0, 3.0, low=3.0).replace(box=[6, 6, 12])
    trace = field.run(start, time=20, dt=dt, every=0.5, seed=6, dynamics=NVE(), **arguments)
    return float(np.std(trace.log["conserved_energy"]))


@pytest.mark.parametrize(
    "more",
    [
        (),
        (Field("0.5*k*(1 + 0.5*sin(w*t))*(z - 5)^2", k=0.5, w=2.0),),
        (Field(force=("f", "0", "0"), f=0.4),),
        (Field(force=("0.3*sin(z)", "0.2*cos(x) + 0.1*t", "0")),),
    ],
    ids=["static", "changing", "driven", "swirling"],
)
def test_energy_and_work_are_conserved_to_second_order(more: tuple[Field, ...]) -> None:
    coarse, fine = fluctuation(0.01, more=more), fluctuation(0.005, more=more)
    # Velocity Verlet: halving the step leaves a quarter. The spread itself is that of a few
    # collisions with walls, of the order of (omega dt)²/8 kT each.
    assert fine < 0.02
    assert 2.5 < coarse / fine < 6.5


def test_a_constant_force_does_the_work_of_its_path() -> None:
    field = ForceField({("A", "A"): None}, external={"A": Field(force=("f", "0", "0"), f=0.4)})
    start = Particles(np.zeros((1, 3)), box=[5, 5, 5], velocities=[[0.3, 0.2, 0.0]])
    trace = field.run(start, time=10, dt=0.1, every=1, dynamics=NVE())
    way = 0.3 * trace.times + 0.2 * trace.times**2
    unwrapped = [state.positions[0, 0] + 5 * state.images[0, 0] for state in trace]
    assert np.allclose(unwrapped, way, rtol=1e-12)
    assert np.allclose(trace.log["work"], 0.4 * way, rtol=1e-12)
    assert np.all(trace.log["external_energy"] == 0)
    assert np.allclose(trace.log["external_force"], [[[0.4, 0, 0]]])


def test_degrees_of_freedom_are_those_that_nothing_outside_touches() -> None:
    def count(*laws: Any) -> int:
        field = ForceField({("A", "A"): None}, external={"A": laws} if laws else None)
        state = gas(4, 5.0, 5.0, low=3.0)
        simulation = _core.Simulation(
            field.compile(state),
            types=state.topology.type_ids,
            masses=np.ones(4),
            dt=0.1,
            dynamics=_core.Nve(),
            barostat=None,
            seed=0,
            skin=0.1,
            frozen=np.empty(0, np.uint32),
            precision=_core.Precision.full,
        )
        return int(simulation.degrees_of_freedom)

    assert count() == 9
    assert count(HarmonicWall("+z", at=1.0, k=1.0, cutoff=1.0)) == 10
    assert count(Field("x^2"), Field(force=("0", "1", "0"))) == 11
    assert count(Field("sin(x + y + z)")) == 12


def test_momentum_along_walls_is_conserved() -> None:
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
    walls = [
        LennardJonesWall("+z", at=0.5, epsilon=1.0, sigma=1.0, cutoff=2.5),
        LennardJonesWall("-z", at=9.0, epsilon=1.0, sigma=1.0, cutoff=2.5),
    ]
    field = ForceField({("A", "A"): lj}, external={"A": walls}, temperature=1.0)
    start = fcc(cells=3, density=0.4)
    start = start.replace(
        positions=start.positions + np.array([0, 0, 1.9]), box=[*start.box.diagonal()[:2], 12]
    )
    trace = field.run(start, time=5, dt=0.004, every=0.5, seed=8, dynamics=NVE())
    momentum = np.array([state.velocities.sum(axis=0) for state in trace])
    assert np.abs(momentum[:, :2]).max() < 1e-11
    assert np.abs(momentum[:, 2]).max() > 0.1


@pytest.mark.slow
def test_jarzynskis_equality_for_a_dragged_trap() -> None:
    """The work of dragging a harmonic trap is Gaussian, and its mean is half its variance over kT.

    Mazonka and Jarzynski, arXiv:cond-mat/9912121 (1999); for the mean itself the deterministic
    equation of motion of the lag is integrated.
    """
    kt, k, friction, speed, time, dt = 1.0, 5.0, 2.0, 0.4, 2.0, 0.02
    n = 4000
    trap = Field("0.5*k*((x - 4 - v*t)^2 + (y - 4)^2 + (z - 4)^2)", k=k, v=speed)
    field = ForceField({("A", "A"): None}, external={"A": trap}, temperature=kt)
    rng = np.random.default_rng(9)
    start = Particles(4 + np.sqrt(kt / k) * rng.normal(size=(n, 3)), box=[16, 16, 16])
    trace = field.run(start, time=time, dt=dt, seed=9, dynamics=Langevin(friction=friction))
    mean = float(trace.log["work"][-1]) / n
    steps = 20000
    lag, rate, exact = 0.0, speed, 0.0  # of the particle behind the trap, v t - x
    for _ in range(steps):
        h = time / steps
        rate += h * (-k * lag - friction * (rate - speed))
        lag += h * rate
        exact += h * k * speed * lag
    spread = np.sqrt(2 * kt * exact)
    assert mean == pytest.approx(exact, abs=4 * spread / np.sqrt(n) + 0.005 * exact)
    # One particle at a time: <exp(-W/kT)> = 1.
    works = []
    for seed in range(400):
        one = start.replace(positions=start.positions[seed : seed + 1], topology=None)
        run = field.run(
            one, time=time, dt=dt, every=time, seed=seed, dynamics=Langevin(friction=friction)
        )
        works.append(float(run.log["work"][-1]))
    assert np.mean(works) == pytest.approx(exact, abs=4 * spread / 20)
    assert np.var(works) == pytest.approx(2 * kt * exact, rel=4 * np.sqrt(2 / 400))
    weights = np.exp(-np.array(works) / kt)
    # Its variance is exp(spread²) - 1 for a Gaussian.
    assert weights.mean() == pytest.approx(1, abs=4 * np.sqrt(np.expm1(spread**2 / kt**2) / 400))
    assert exact > 0.5  # far from a reversible drag


# ---------------------------------------------------------------------- bits


def bits(trace: Trace[Particles]) -> bytes:
    parts = [state.positions.tobytes() + state.velocities.tobytes() for state in trace]
    return b"".join(parts + [column.tobytes() for _, column in sorted(trace.log.items())])


def driven(seed: int = 3, **arguments: Any) -> Trace[Particles]:
    """More particles than fit into one chunk of work, in all kinds of fields."""
    start = fcc(cells=11, density=0.6)
    edge = float(start.box[0, 0])
    laws = [
        Field("0.1*sin(2*pi*x/a + t)", a=edge),
        Field(force=("0.1*cos(y)", "0", "0")),
        FieldTable("+z", low=0, high=edge, energy=0.1 * np.cos(np.linspace(0, 2 * np.pi, 50))),
    ]
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=1.2, mode="shifted")
    field = ForceField({("A", "A"): lj}, external={"*": laws}, temperature=1.0)
    arguments = {"time": 0.1, "dynamics": NoseHoover(time=0.5)} | arguments
    return field.run(start, dt=0.005, every=0.05, seed=seed, **arguments)


def test_the_same_bits_for_any_number_of_threads() -> None:
    before = _core.threads()
    try:
        found = []
        for count in (1, 2, 3):
            _core.set_threads(count)
            found.append(bits(driven()))
    finally:
        _core.set_threads(before)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("dynamics", [NoseHoover(time=0.5), Langevin(friction=1.0), NVE()])
def test_a_resumed_run_has_the_bits_of_one_that_never_stopped(
    dynamics: Any, tmp_path: Path
) -> None:
    whole = driven(dynamics=dynamics)
    driven(dynamics=dynamics, time=0.05, checkpoint=tmp_path / "run.npz")
    assert bits(driven(dynamics=dynamics, checkpoint=tmp_path / "run.npz")) == bits(whole)


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
    with pytest.raises(RegrainError, match="beyond the wall"):
        ForceField({("A", "A"): lj}, external={"A": apart}).evaluate(nobody)
    other = Topology(["B"])
    with pytest.raises(RegrainError, match=r"has no particles of this type .it has: B"):
        ForceField({("B", "B"): None}, external={"A": apart}).evaluate(
            Particles([[0, 0, 0]], box=[9, 9, 9], topology=other)
        )


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
