"""In fields and between walls averages are those of statistical mechanics, and work counts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from regrain import Trace, _core
from regrain.observables import WallPressure
from regrain.particles import (
    NVE,
    Field,
    FieldTable,
    ForceField,
    HarmonicWall,
    Langevin,
    LennardJones,
    LennardJonesWall,
    NoseHoover,
    Particles,
    Topology,
    fcc,
)


def gas(n: int, box: float, height: float, low: float = 0.0) -> Particles:
    """Particles at random places of a slab in a box of that height."""
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 1, size=(n, 3)) * [box, box, height] + [0, 0, low]
    return Particles(places, box=[box, box, low + height + low])


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
    trace = field.run(start, time=400, dt=0.02, every=0.5, seed=3, dynamics=Langevin(friction=1.0))
    boltzmann = quad(
        lambda z: np.exp(-(walls[0].u(z - 1) + walls[1].u(9 - z)) / 1.2), 1.001, 10.9, limit=200
    )[0]
    exact = 400 * 1.2 / (36 * boltzmann)
    for wall in walls:
        pressure = WallPressure(wall)(trace[40:])
        assert float(pressure) == pytest.approx(exact, abs=4 * float(pressure.error))
        assert float(pressure.error) < 0.05 * exact
    # That of the particles is without the walls: the kinetic one, divided by the whole box.
    inside = np.mean(np.trace(trace.log["pressure_tensor"], axis1=1, axis2=2)) / 3
    assert inside == pytest.approx(400 * 1.2 / (36 * 11), rel=4 * np.sqrt(2 / 3 / 400 / 150))


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
