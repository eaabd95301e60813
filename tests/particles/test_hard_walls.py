"""Walls that particles bounce off: what they do is exact, and no energy comes or goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regrain import RegrainError, Trace, _core
from regrain.observables import Profile, WallPressure
from regrain.particles import (
    DPD,
    NVE,
    BounceBackWall,
    Brownian,
    CellRescale,
    Field,
    ForceField,
    GeneralizedLangevin,
    HarmonicWall,
    Langevin,
    LennardJones,
    LoweAndersen,
    NoseHoover,
    Particles,
    ReflectingWall,
    RigidBond,
    Shear,
    Soft,
    Topology,
    fcc,
)
from regrain.particles.dynamics import Dynamics
from regrain.particles.parameters import law_from_dict

NOTHING: dict[Any, Any] = {("A", "A"): None}
LJ = {("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")}
FLUID = {("A", "A"): Soft(a=25.0, cutoff=1.0)}


def closed(low: float, high: float, axis: str = "z", kind: Any = ReflectingWall) -> list[Any]:
    return [kind(f"+{axis}", at=low), kind(f"-{axis}", at=high)]


def gas(n: int, box: tuple[float, float, float], seed: int = 5) -> Particles:
    places = np.random.default_rng(seed).uniform(0.001, 0.999, size=(n, 3))
    return Particles(places * box, box=box)


def folded(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where free flight between two mirrors gets to, and how often it has turned."""
    room = high - low
    turns = np.floor((x - low) / room)
    inside = (x - low) - turns * room
    return np.where(turns % 2 == 0, low + inside, high - inside)


# ---------------------------------------------------------------------- one by one


def test_mirrors_fold_the_straight_path() -> None:
    """At faces of the box and inside of it, several at once, in other images, however fast."""
    rng = np.random.default_rng(1)
    n, box = 200, np.array([4.0, 5.0, 6.0])
    low, high = np.array([0.0, 0.5, 1.0]), np.array([4.0, 4.5, 6.0])
    places = low + rng.uniform(0.01, 0.99, (n, 3)) * (high - low)
    images = rng.integers(-2, 3, size=(n, 3))
    v = rng.normal(size=(n, 3)) * 2
    walls = [w for k, a in enumerate("xyz") for w in closed(low[k], high[k], a)]
    field = ForceField(NOTHING, external={"A": walls})
    start = Particles(places, box=box, velocities=v, images=images)
    shifted = start.replace(positions=places + images * box, images=None)
    for state in (start, shifted):
        trace = field.run(state, time=100.0, dt=0.1, every=10.0, dynamics=NVE())
        for time, frame in zip(trace.times, trace, strict=True):
            exact = folded(places + v * time, low, high)
            assert np.abs(frame.positions - exact).max() < 1e-9  # 1000 steps of rounding
            assert np.all(np.abs(frame.velocities) == np.abs(v))
        assert np.all(trace.log["conserved_energy"] == trace.log["conserved_energy"][0])
        assert np.all(trace[-1].images == images)


def test_bounce_back_returns_on_the_same_way_and_takes_the_wall_along() -> None:
    u = np.array([0.25, -0.5, 0.0])
    floor = BounceBackWall("+z", at=1.0)
    lid = BounceBackWall("-z", at=3.0, velocity=tuple(u))
    field = ForceField(NOTHING, external={"A": [floor, lid]})
    v = np.array([0.375, 0.125, 1.0])
    start = Particles([[2.0, 2.0, 1.5]], box=[8, 8, 4], velocities=[v])
    trace = field.run(start, time=4.0, dt=0.125, every=0.125, dynamics=NVE())
    # Up for 1.5, back with 2 u - v for 2, and up again: all are multiples of powers of two.
    at_lid, back = np.array([2.0, 2.0, 1.5]) + 1.5 * v, 2 * u - v
    at_floor = at_lid + 2.0 * back
    for time, frame in zip(trace.times, trace, strict=True):
        if time < 1.5:
            place, velocity = [2.0, 2.0, 1.5] + v * time, v
        elif time < 3.5:
            place, velocity = at_lid + back * (time - 1.5), back
        else:
            place, velocity = at_floor - back * (time - 3.5), -back
        if time not in (1.5, 3.5):
            assert np.allclose(frame.velocities[0], velocity, rtol=0, atol=1e-14)
        assert np.allclose(frame.unwrapped[0], place, rtol=0, atol=1e-13)
    gained = 0.5 * (back @ back - v @ v)
    assert trace.log["work"][-1] == pytest.approx(gained, rel=1e-13)
    assert np.ptp(trace.log["conserved_energy"]) < 1e-14
    impulse = trace.log["external_impulse"][-1]
    assert np.allclose(impulse, [-2 * back, back - v], rtol=1e-13)
    # The force of a frame is the mean since the one before.
    sums = np.cumsum(trace.log["external_force"] * 0.125, axis=0)
    assert np.allclose(sums, trace.log["external_impulse"], atol=1e-14)


def test_who_is_on_a_plane_at_the_start_goes_away_from_it() -> None:
    start = fcc(cells=2, density=0.5)
    start = start.replace(positions=start.positions - start.positions.min(axis=0))
    edge = float(start.box[0, 0])
    v = np.random.default_rng(4).normal(size=(len(start), 3))
    field = ForceField(NOTHING, external={"A": closed(0.0, edge)})
    trace = field.run(start.replace(velocities=v), time=20.0, dt=0.05, every=1.0, dynamics=NVE())
    on_it = start.positions[:, 2] == 0
    assert on_it.sum() == 8
    v[on_it, 2] = np.abs(v[on_it, 2])
    path = start.positions[:, 2] + v[:, 2] * 20.0
    assert np.abs(trace[-1].positions[:, 2] - folded(path, 0.0, edge)).max() < 1e-10
    assert np.all(trace.log["external_impulse"][:, 0, 2] >= 0)


def test_walls_act_on_their_types_and_say_what_they_conserve() -> None:
    rng = np.random.default_rng(2)
    start = Particles(
        rng.uniform(2, 4, (50, 3)), box=[9, 9, 9], velocities=rng.normal(size=(50, 3)),
        topology=Topology(["A", "B"] * 25),
    )  # fmt: skip
    pairs: Any = {("A", "A"): None, ("A", "B"): None, ("B", "B"): None}
    field = ForceField(pairs, external={"A": closed(1.0, 5.0)})
    trace = field.run(start, time=40.0, dt=0.1, every=1.0, dynamics=NVE())
    heights = np.array([state.positions[:, 2] for state in trace])
    assert heights[:, ::2].min() > 1.0
    assert heights[:, ::2].max() < 5.0
    assert heights[:, 1::2].min() < 1.0
    assert heights[:, 1::2].max() > 5.0
    momentum = np.array([state.velocities.sum(axis=0) for state in trace])
    assert np.all(momentum[:, :2] == momentum[0, :2])
    temperature = np.array([np.sum(state.velocities**2) for state in trace]) / (3 * 50 - 2)
    assert np.allclose(trace.log["temperature"], temperature, rtol=1e-12)
    field = ForceField(pairs, external={"A": closed(1.0, 5.0, kind=BounceBackWall)})
    trace = field.run(start, time=4.0, dt=0.1, every=1.0, dynamics=NVE())
    squares = np.array([np.sum(state.velocities**2) for state in trace])
    assert np.allclose(trace.log["temperature"], squares / (3 * 50), rtol=1e-12)


# ---------------------------------------------------------------------- ensembles


@pytest.mark.parametrize("kind", [ReflectingWall, BounceBackWall])
def test_an_ideal_gas_presses_with_its_density_times_kt(kind: Any) -> None:
    n, box = 2000, (10.0, 10.0, 10.0)
    walls = closed(0.0, 10.0, kind=kind)
    field = ForceField(NOTHING, external={"A": walls}, temperature=1.3)
    free = field.run(gas(n, box), time=200.0, dt=0.1, every=1.0, seed=2, dynamics=NVE())
    v = free[0].velocities[:, 2]
    for wall in walls:
        pressure = WallPressure(wall)(free)
        # Each hits with 2 m |v| in every 20 / |v|: so the sum is known but for one hit of each.
        assert abs(float(pressure) - v @ v / 1000) * 100 * 200 <= 2 * np.abs(v).sum()
    assert np.ptp(free.log["conserved_energy"]) < 1e-12 * free.log["conserved_energy"][0]
    # With a bath between two half drifts: ρ kT, within three standard errors.
    bath = Langevin(friction=1.0)
    trace = field.run(gas(n, box), time=200.0, dt=0.1, every=1.0, seed=3, dynamics=bath)
    for wall in walls:
        pressure = WallPressure(wall)(trace[20:])
        assert pressure.error < 0.015 * 2.6
        assert abs(float(pressure) - n / 1000 * 1.3) < 3 * pressure.error
    # Nothing is drawn to the walls: all tenths are as full, by a chi squared of nine.
    heights = np.array([state.positions[:, 2] for state in trace[20::20]])
    counts = np.histogram(heights, bins=10, range=(0, 10))[0]
    assert np.sum((counts - counts.mean()) ** 2 / counts.mean()) < 27.9  # 0.1 %


def test_a_liquid_between_mirrors_keeps_its_energy() -> None:
    start = fcc(cells=4, density=0.6)
    edge = float(start.box[0, 0])
    start = start.replace(positions=start.positions + 0.3, box=[edge, edge, edge + 3.1])
    field = ForceField(LJ, external={"A": closed(0.0, edge + 0.3)}, temperature=1.0)
    warm = field.run(start, time=10.0, dt=0.004, seed=1, dynamics=Langevin(friction=1.0))[-1]
    changes = []
    for dt in (0.004, 0.001):
        trace = field.run(warm, time=10.0, dt=dt, every=0.02, dynamics=NVE())
        energy = np.asarray(trace.log["conserved_energy"])
        changes.append(np.diff(energy).std())
        momentum = np.array([state.velocities.sum(axis=0) for state in trace])
        assert np.ptp(momentum[:, :2]) < 1e-11
        assert np.ptp(momentum[:, 2]) > 1.0
    # A force at the wall turns round with the particle, at some time between two kicks: an error of
    # first order in the step at each bounce, at random, beside those of second order everywhere.
    assert 3.5 < changes[0] / changes[1] < 18.0
    assert changes[1] < 1e-4 * len(start)
    # Both walls carry the same, whatever the liquid does in between.
    low, high = (WallPressure(wall)(trace) for _, wall in field.external)
    assert abs(float(low) - float(high)) < 4 * np.hypot(low.error, high.error)
    assert low.error < 0.2 * float(low)


def test_memory_and_chains_go_with_walls() -> None:
    for dynamics in (
        GeneralizedLangevin(strengths=(4.0, 1.0), times=(0.2, 1.0)),
        NoseHoover(time=0.5),
    ):
        field = ForceField(NOTHING, external={"A": closed(0.0, 5.0)}, temperature=0.7)
        start = gas(800, (5, 5, 5))
        trace = field.run(start, time=100, dt=0.05, every=1, seed=1, dynamics=dynamics)
        pressure = WallPressure(field.external.terms["A"][0])(trace[10:])
        assert abs(float(pressure) - 800 / 125 * 0.7) < 3.5 * pressure.error
        assert pressure.error < 0.15


# ---------------------------------------------------------------------- fluids that flow


def channel(walls: list[Any], *more: Any, time: float, seed: int) -> Trace[Particles]:
    """Groot and Warren's fluid between walls 8 apart, with room for nothing to reach around."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0.01, 0.99, (1152, 3)) * [6, 8, 8]
    start = Particles(places, box=[6.0, 8.0, 9.0])
    field = ForceField(FLUID, external={"A": [*walls, *more]}, temperature=1.0)
    return field.run(start, time=time, dt=0.04, every=0.4, seed=seed, dynamics=DPD(friction=4.5))


@pytest.mark.slow
def test_couette_and_poiseuille_flow_between_walls_that_hold() -> None:
    """Viscosity 0.84 of this fluid (tests/particles/test_fluids.py, docs/top_down.md)."""
    u, g, area, density = 0.8, 0.06, 48.0, 1152 / (48 * 8)
    walls = [BounceBackWall("+z", at=0.0, velocity=(-u, 0, 0)),
             BounceBackWall("-z", at=8.0, velocity=(u, 0, 0))]  # fmt: skip
    trace = channel(walls, time=300.0, seed=1)[100:]
    flow = Profile("velocity", axis="z", component="x", bins=18)(trace)
    z, v = np.asarray(flow.coords["z"])[2:14], flow.value[2:14]
    slope, centre = np.polyfit(z - 4.0, v, 1)
    assert abs(centre) < 4 * flow.error[2:14].mean()
    force = np.asarray(trace.log["external_force"])[:, :, 0] / area
    stress = 0.5 * (force[:, 1] - force[:, 0])
    error = stress.std() / np.sqrt(len(stress))
    assert stress.mean() / slope == pytest.approx(0.84, abs=3 * error / slope + 0.04)
    # No slip: the straight line gets to the velocity of the walls within a fifth of the cutoff.
    assert u / slope == pytest.approx(4.0, abs=0.2)
    # What the walls do goes into the bath, and their work is their force times their way.
    assert trace.log["work"][-1] - trace.log["work"][0] == pytest.approx(
        2 * u * area * stress[1:].sum() * 0.4, rel=1e-9
    )
    drive = Field(force=("g", "0", "0"), g=g)
    trace = channel(closed(0.0, 8.0, kind=BounceBackWall), drive, time=300.0, seed=2)[100:]
    flow = Profile("velocity", axis="z", component="x", bins=18)(trace)
    z, v = np.asarray(flow.coords["z"])[2:14], flow.value[2:14]
    bend = np.polyfit(z - 4.0, v, 2)
    error = 3 * flow.error[2:14].mean() / (0.5 * (z[-1] - 4.0) ** 2)
    assert -density * g / (2 * bend[0]) == pytest.approx(0.84, rel=error / -bend[0] + 0.04)
    # All that drives is taken up by the walls.
    force = np.asarray(trace.log["external_force"])[:, :2, 0].sum(axis=1)
    assert -force.mean() == pytest.approx(1152 * g, abs=4 * force.std() / np.sqrt(len(force)))


def test_a_fluid_between_mirrors_slips() -> None:
    drive = Field(force=("g", "0", "0"), g=0.06)
    trace = channel(closed(0.0, 8.0), drive, time=20.0, seed=2)
    mean = np.array([state.velocities[:, 0].mean() for state in trace])
    assert np.allclose(mean, mean[0] + 0.06 * (trace.times - trace.times[0]), atol=1e-10)


# ---------------------------------------------------------------------- bits


def bits(trace: Trace[Particles]) -> bytes:
    parts = [state.positions.tobytes() + state.velocities.tobytes() for state in trace]
    return b"".join(parts + [column.tobytes() for _, column in sorted(trace.log.items())])


def driven(dynamics: Dynamics, **arguments: Any) -> Trace[Particles]:
    """More particles than fit into one chunk of work, in a corner of walls that move."""
    start = fcc(cells=11, density=3.0)
    edge = float(start.box[0, 0])
    walls = [
        BounceBackWall("+z", at=0.0, velocity=(0.5, 0, 0)), BounceBackWall("-z", at=edge),
        *closed(0.0, edge, "y"),
    ]  # fmt: skip
    start = start.replace(positions=start.positions + 0.1, box=[edge, edge + 1, edge + 1])
    field = ForceField(FLUID, external={"*": walls}, temperature=1.0)
    arguments = {"time": 0.8} | arguments
    return field.run(start, dt=0.04, every=0.2, seed=3, dynamics=dynamics, **arguments)


KINDS = [
    NVE(),
    NoseHoover(time=0.5),
    Langevin(friction=1.0),
    DPD(friction=4.5),
    DPD(friction=4.5, integrator="shardlow"),
    LoweAndersen(rate=2.0),
]


@pytest.mark.parametrize("dynamics", KINDS, ids=repr)
def test_the_same_bits_on_any_threads_and_after_a_checkpoint(
    dynamics: Dynamics, tmp_path: Path
) -> None:
    before = _core.threads()
    try:
        found = []
        for count in (1, 2, 3):
            _core.set_threads(count)
            found.append(bits(driven(dynamics)))
    finally:
        _core.set_threads(before)
    assert found[0] == found[1] == found[2]
    driven(dynamics, time=0.4, checkpoint=tmp_path / "run.npz")
    assert bits(driven(dynamics, checkpoint=tmp_path / "run.npz")) == found[0]


# ---------------------------------------------------------------------- what makes no sense


def run(walls: list[Any], state: Particles | None = None, pairs: Any = NOTHING, **more: Any) -> Any:
    state = Particles([[2.0, 2.0, 2.0]], box=[8, 8, 8], velocities=[[0, 0, 0.5]]) if state is None \
        else state  # fmt: skip
    arguments = {"time": 20.0, "dt": 0.1, "every": 1.0, "dynamics": NVE()} | more
    return ForceField(pairs, external={"A": walls}, temperature=1.0).run(state, **arguments)


def test_walls_that_make_no_sense_are_refused() -> None:
    with pytest.raises(RegrainError, match="leave no room between them"):
        run([ReflectingWall("+z", at=5.0), ReflectingWall("-z", at=5.0)])
    with pytest.raises(RegrainError, match="leave no room between them"):
        run([ReflectingWall("+z", at=5.0), HarmonicWall("-z", at=4.0, k=1.0, cutoff=1.0)])
    with pytest.raises(RegrainError, match=r"1 of 1 particles are beyond the wall.*begin with all"):
        run(closed(3.0, 5.0))
    with pytest.raises(RegrainError, match=r"particle 0 .* left the box by the face .* another"):
        run([ReflectingWall("+z", at=1.0)])
    with pytest.raises(RegrainError, match="is outside of the box, which is from 0 to 8 along z"):
        run([ReflectingWall("+z", at=-1.0)])
    with pytest.raises(RegrainError, match="outside of the box"):
        run([ReflectingWall("-z", at=8.1)])
    with pytest.raises(RegrainError, match='stand across an axis; give a normal such as "\\+z"'):
        ReflectingWall((1, 1, 0), at=1.0)
    with pytest.raises(RegrainError, match="velocity along z must be zero"):
        BounceBackWall("+z", at=1.0, velocity=(0, 0, 1))
    with pytest.raises(RegrainError, match="three finite numbers"):
        BounceBackWall("+z", at=1.0, velocity=(0, np.nan, 1))
    skew = Particles([[2.0, 2.0, 2.0]], box=[[8, 0, 0], [1, 8, 0], [0, 0, 8]])
    with pytest.raises(RegrainError, match="skewed along x"):
        run(closed(1.0, 7.0, "x"), skew)
    run(closed(1.0, 7.0, "y"), skew)
    near = fcc(cells=3, density=0.5)
    edge = float(near.box[0, 0])
    near = near.replace(positions=near.positions + 0.1)
    with pytest.raises(RegrainError, match="feel those at the other through the face"):
        run(closed(0.0, edge), near, LJ)
    # Friction reaches as forces do.
    with pytest.raises(RegrainError, match="feel those at the other through the face"):
        run(closed(0.0, edge), near, dynamics=DPD(friction=1.0, cutoff=1.0))


def test_what_does_not_go_with_walls_says_so() -> None:
    walls = closed(0.0, 8.0)
    with pytest.raises(RegrainError, match=r"do not go with Brownian dynamics.*HarmonicWall"):
        run(walls, dynamics=Brownian(friction=1.0))
    with pytest.raises(RegrainError, match="do not go with a flow"):
        run(walls, dynamics=Langevin(), flow=Shear(rate=0.1, plane="xy"))
    barostat = CellRescale(pressure=1.0, time=1.0, compressibility=0.1)
    with pytest.raises(RegrainError, match="stretches the box along z"):
        run(walls, dynamics=Langevin(), barostat=barostat)
    pair = Particles(
        [[2, 2, 2], [3, 2, 2]], box=[8, 8, 8], topology=Topology(["A", "A"], bonds=[(0, 1)])
    )
    field = ForceField(
        NOTHING, bonds={("A", "A"): RigidBond(r0=1.0)}, external={"A": walls}, temperature=1.0
    )
    with pytest.raises(RegrainError, match="do not go with rigid bonds"):
        field.run(pair, time=1.0, dt=0.01, dynamics=NVE())
    with pytest.raises(RegrainError, match="bounces to and fro without end"):
        run(closed(2.0 - 1e-4, 2.0 + 1e-4), dynamics=NVE(), dt=1.0)


def test_walls_are_data() -> None:
    for wall in (ReflectingWall("-y", at=2), BounceBackWall((0, 0, -2), at=-3, velocity=[1, 0, 0])):
        assert eval(repr(wall)) == wall
        assert law_from_dict(json.loads(json.dumps(wall.to_dict()))) == wall
        assert wall.scaled(0.5) == wall
    assert BounceBackWall((0, 0, -2), at=-3).distances([[0, 0, 1.0]]).tolist() == [2.0]
    state = Particles([[2.0, 2.0, 2.0]], box=[8, 8, 8])
    field = ForceField(NOTHING, external={"A": closed(0.0, 8.0)})
    found = field.evaluate(state)
    assert found.energy == 0
    assert np.all(found.forces == 0)
