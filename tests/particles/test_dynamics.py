"""Langevin by type, Brownian and generalised Langevin dynamics against exact laws."""

from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from regrain import RegrainError
from regrain.particles import (
    Brownian,
    CellRescale,
    ForceField,
    GeneralizedLangevin,
    HarmonicAngle,
    HarmonicBond,
    Langevin,
    LennardJones,
    NoseHoover,
    Particles,
    PeriodicDihedral,
    RigidBond,
    Shear,
    Table,
    Topology,
    fcc,
)

KT = 1.3
TYPES = ("A", "B", "C")
NOTHING = {(a, b): None for a in TYPES for b in TYPES if a <= b}
IDEAL = ForceField(NOTHING, temperature=KT)
COLD = ForceField(NOTHING, temperature=0.0)


def gas(types: list[str], *, masses: Any = None, speed: float = 0.0) -> Particles:
    """Particles that do not interact, all with the same velocity along a diagonal."""
    n = len(types)
    positions = np.random.default_rng(5).uniform(0, 30, size=(n, 3))
    return Particles(
        positions,
        box=[30.0] * 3,
        topology=Topology(types, masses=masses),
        velocities=np.full((n, 3), speed),
    )


def dimers(n: int) -> Particles:
    """Bonded pairs at random places: they do not interact."""
    first = np.random.default_rng(6).uniform(0, 30, size=(n, 3))
    positions = np.stack([first, first + 0.1], axis=1).reshape(-1, 3)
    bonds = np.arange(2 * n).reshape(-1, 2)
    return Particles(positions, box=[30.0] * 3, topology=Topology(["A"] * 2 * n, bonds=bonds))


# ---------------------------------------------------------------------------- Langevin by type


def test_each_type_has_its_own_friction() -> None:
    # Without noise (T = 0) a velocity decays as exp(-friction t), to round-off.
    friction = {"C": 3.0, "A": 0.5, "B": 0.0}
    trace = COLD.run(
        gas(["A", "B", "C"] * 3, speed=2.0),
        time=2.0,
        dt=0.1,
        every=0.5,
        dynamics=Langevin(friction=friction),
    )
    for time, state in zip(trace.times, trace, strict=True):
        wanted = [2.0 * np.exp(-friction[kind] * time) for kind in state.topology.types]
        assert np.allclose(state.velocities, np.array(wanted)[:, None], rtol=1e-13, atol=0)


def test_the_same_friction_for_all_types_is_one_friction() -> None:
    start = gas(["A", "B"] * 8)
    runs = [
        IDEAL.run(start, time=3.0, dt=0.1, every=1.0, seed=4, dynamics=Langevin(friction=friction))
        for friction in (0.7, {"A": 0.7, "B": 0.7})
    ]
    assert np.array_equal(runs[0][-1].velocities, runs[1][-1].velocities)


def test_a_bath_for_some_types_warms_all_that_interact() -> None:
    # Half the particles feel the bath; the temperature is that of the bath for the others, too.
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
    field = ForceField({("A", "A"): lj, ("A", "B"): lj, ("B", "B"): lj}, temperature=0.9)
    start = fcc(4, density=0.8)
    types = np.where(np.arange(len(start)) % 2, "A", "B")
    start = start.replace(topology=Topology(types))
    trace = field.run(
        start, time=100.0, dt=0.004, every=0.5, seed=2, dynamics=Langevin(friction={"A": 5, "B": 0})
    )
    v = np.array([s.velocities for s in trace])[20:]
    for kind in ("A", "B"):
        of_frames = (v[:, types == kind] ** 2).mean(axis=(1, 2)).reshape(18, -1).mean(axis=1)
        error = of_frames.std(ddof=1) / np.sqrt(18)
        # BAOAB's kinetic temperature at this step is low by less than 0.002.
        assert of_frames.mean() == pytest.approx(0.9, abs=4 * error + 0.002)


@pytest.mark.parametrize(
    ("friction", "message"),
    [
        ({"A": 1.0, "B": -1.0}, "friction must be a positive number"),
        ({"A": 0.0, "B": 0.0}, "friction must be a positive number"),
        (0.0, "friction must be a positive number"),
        ({"A": float("nan")}, "friction must be a positive number"),
        ("fast", "friction is 'fast', expected a number, or one by type"),
        ({}, "friction must be a positive number"),
    ],
)
def test_bad_frictions(friction: Any, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        Langevin(friction=friction)


def test_a_type_without_a_friction_is_named() -> None:
    with pytest.raises(RegrainError, match="friction names no type 'B'"):
        IDEAL.run(gas(["A", "B"]), time=1.0, dt=0.1, dynamics=Langevin(friction={"A": 1.0}))


# ---------------------------------------------------------------------------- Brownian


@pytest.mark.parametrize(
    ("dynamics", "wanted"),
    [
        (Brownian(friction=5.0), {"A": KT / (0.5 * 5.0), "B": KT / (2.0 * 5.0)}),
        (Brownian(friction={"A": 5.0, "B": 20.0}), {"A": KT / (0.5 * 5), "B": KT / (2.0 * 20)}),
        (Brownian(diffusion={"A": 0.3, "B": 0.7}), {"A": 0.3, "B": 0.7}),
    ],
    ids=["friction", "friction by type", "diffusion by type"],
)
def test_free_particles_diffuse(dynamics: Brownian, wanted: dict[str, float]) -> None:
    # Noise (R + R') / 2 of steps in a row: after n steps the variance is 2 D dt (n - 1/2), and
    # displacements of neighbouring frames have a covariance of 2 D dt / 4.
    types = np.repeat(["A", "B"], 3000)
    start = gas(list(types), masses=np.where(types == "A", 0.5, 2.0))
    n, dt = 4, 0.05
    trace = IDEAL.run(start, time=10 * n * dt, dt=dt, every=n * dt, seed=3, dynamics=dynamics)
    moves = np.diff(np.array([s.unwrapped for s in trace]), axis=0)
    for kind, d in wanted.items():
        x = moves[:, types == kind] / np.sqrt(2 * d * dt)
        assert (x**2).mean() == pytest.approx(n - 0.5, rel=4 * np.sqrt(2 / x.size))
        together = x[1:] * x[:-1]
        assert together.mean() == pytest.approx(0.25, abs=4 * n / np.sqrt(together.size))


@pytest.mark.parametrize("stiffness", [0.1, 0.5, 1.0])
def test_brownian_dynamics_samples_a_spring_exactly_at_any_time_step(stiffness: float) -> None:
    # Leimkuhler and Matthews (2013), section 3: the variance is kT / k for any stable step, where
    # Euler's scheme gives kT / k / (1 - stiffness / 2): 2 at the largest of these.
    k, friction, temperature = 50.0, 10.0, 0.7
    dt = stiffness * friction / (2 * k)
    field = ForceField(
        {("A", "A"): None}, bonds={("A", "A"): HarmonicBond(k=k, r0=0.0)}, temperature=temperature
    )
    trace = field.run(
        dimers(400),
        time=4000 * dt,
        dt=dt,
        every=100 * dt,
        seed=4,
        dynamics=Brownian(friction=friction),
    )
    r = np.array([s.unwrapped[1::2] - s.unwrapped[::2] for s in trace])[1:]
    x = r.ravel() * np.sqrt(k / temperature)
    assert (x**2).mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / x.size))


def test_brownian_dynamics_has_no_velocities_and_a_mean_pressure() -> None:
    start = gas(["A"] * 50)
    trace = IDEAL.run(start, time=1.0, dt=0.1, every=0.5, dynamics=Brownian(diffusion=1.0))
    assert sorted(trace.log) == ["potential_energy", "pressure_tensor", "volume"]
    assert all(state.velocities is None for state in trace)
    ideal = 50 * KT / start.volume * np.eye(3)
    assert np.allclose(trace.log["pressure_tensor"], ideal, rtol=1e-13, atol=1e-15)


def test_a_volume_under_brownian_dynamics() -> None:
    # An ideal gas has V^n exp(-P V / kT): mean n + 1 in kT / P, variance n + 1. The relaxation of
    # the volume takes about 30, so that frames 90 apart are independent.
    n, pressure = 8, KT * 8 / 27000.0
    trace = IDEAL.run(
        gas(["A"] * n),
        time=40_000.0,
        dt=0.5,
        every=90.0,
        seed=3,
        dynamics=Brownian(diffusion=0.1),
        barostat=CellRescale(pressure=pressure, time=30.0, compressibility=1 / pressure, every=1),
    )
    x = trace.log["volume"][5:] * pressure / KT
    assert x.mean() == pytest.approx(n + 1, abs=4 * np.sqrt((n + 1) / len(x)))
    # Of a gamma distribution the fourth central moment is 3 a^2 + 6 a.
    assert x.var() == pytest.approx(
        n + 1, abs=4 * np.sqrt((2 * (n + 1) ** 2 + 6 * (n + 1)) / len(x))
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give either friction or diffusion"),
        ({"friction": 1.0, "diffusion": 1.0}, "give either friction or diffusion"),
        ({"friction": {"A": 1.0, "B": 0.0}}, "friction must be a positive number"),
        ({"diffusion": -1.0}, "diffusion must be a positive number"),
    ],
)
def test_bad_brownian_dynamics(given: dict[str, Any], message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        Brownian(**given)


def test_diffusion_without_a_temperature_has_no_mobility() -> None:
    with pytest.raises(RegrainError, match="temperature must be positive"):
        COLD.run(gas(["A"]), time=1.0, dt=0.1, dynamics=Brownian(diffusion=1.0))


# ---------------------------------------------------------------------------- a memory

KERNELS = [((4.0,), (0.5,)), ((0.3,), (5.0,)), ((9.0, 0.5), (0.1, 3.0))]


def response(strengths: tuple[float, ...], times: tuple[float, ...], t: float) -> float:
    """Of a free particle: what is left of its mean velocity after a time."""
    n = len(strengths) + 1
    matrix = np.zeros((n, n))
    matrix[0, 1:] = np.sqrt(strengths)
    matrix[1:, 0] = -np.sqrt(strengths)
    matrix[np.arange(1, n), np.arange(1, n)] = -1 / np.array(times)
    return float(expm(matrix * t)[0, 0])


def test_the_response_of_one_term_is_that_of_the_textbook() -> None:
    # v' = -c int exp(-(t - s) / tau) v(s) ds: v'' + v' / tau + c v = 0, v'(0) = 0.
    c, tau, t = 4.0, 0.5, 0.8
    omega = np.sqrt(c - 0.25 / tau**2)
    exact = np.exp(-0.5 * t / tau) * (np.cos(omega * t) + np.sin(omega * t) / (2 * tau * omega))
    assert response((c,), (tau,), t) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(("strengths", "times"), KERNELS)
def test_a_free_particle_remembers_as_its_kernel_says(
    strengths: tuple[float, ...], times: tuple[float, ...]
) -> None:
    # Without noise, and at a time step that no scheme could follow but an exact one.
    trace = COLD.run(
        gas(["A"], masses=[3.0], speed=2.0),
        time=3.0,
        dt=0.5,
        every=0.5,
        dynamics=GeneralizedLangevin(strengths=strengths, times=times),
    )
    for time, state in zip(trace.times, trace, strict=True):
        assert np.allclose(state.velocities, 2.0 * response(strengths, times, time), atol=1e-12)


def test_velocities_with_a_memory_are_thermal_and_correlated_as_they_respond() -> None:
    # The second fluctuation-dissipation theorem makes the autocorrelation the response.
    strengths, times = KERNELS[2]
    masses = np.repeat([0.5, 4.0], 2000)
    trace = IDEAL.run(
        gas(["A"] * 4000, masses=masses).replace(velocities=None),
        time=4.0,
        dt=0.2,
        every=0.2,
        seed=6,
        dynamics=GeneralizedLangevin(strengths=strengths, times=times),
    )
    x = np.array([s.velocities for s in trace]) * np.sqrt(masses / KT)[:, None]
    for lag in (0, 1, 2, 5, 15):
        wanted = response(strengths, times, 0.2 * lag)
        # Different particles and axes are independent; frames of one are not.
        means = (x[: len(x) - lag] * x[lag:]).mean(axis=0).ravel()
        error = means.std(ddof=1) / np.sqrt(means.size)
        assert means.mean() == pytest.approx(wanted, abs=4 * error)


@pytest.mark.parametrize("omega_dt", [0.2, 1.0, 1.5])
def test_a_memory_samples_a_spring_exactly_at_any_time_step(omega_dt: float) -> None:
    # As the exchange keeps the Maxwell distribution of velocity and auxiliaries, what holds for
    # BAOAB holds: exact positions, velocities of a spring short by 1 - (omega dt)^2 / 4.
    k, temperature = 50.0, 0.7
    omega = np.sqrt(2 * k)
    dt = omega_dt / omega
    field = ForceField(
        {("A", "A"): None}, bonds={("A", "A"): HarmonicBond(k=k, r0=0.0)}, temperature=temperature
    )
    trace = field.run(
        dimers(400),
        time=12000 * dt,
        dt=dt,
        every=200 * dt,
        seed=4,
        dynamics=GeneralizedLangevin(
            strengths=(0.3 * omega**2, 0.2 * omega**2), times=(1 / omega, 0.2 / omega)
        ),
    )
    r = np.array([s.unwrapped[1::2] - s.unwrapped[::2] for s in trace])[5:]
    v = np.array([s.velocities for s in trace])[5:]
    x = r.ravel() * np.sqrt(k / temperature)
    tolerance = 4 * np.sqrt(2 / x.size)
    assert (x**2).mean() == pytest.approx(1.0, abs=tolerance)
    inner = ((v[:, 1::2] - v[:, ::2]) / np.sqrt(2 * temperature)).ravel()
    assert (inner**2).mean() == pytest.approx(1 - omega_dt**2 / 4, abs=tolerance)


def test_a_memory_reports_the_heat_it_exchanges() -> None:
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
    field = ForceField({("A", "A"): lj}, temperature=1.0)
    log = field.run(
        fcc(4, density=0.8),
        time=20.0,
        dt=0.002,
        every=0.2,
        seed=5,
        dynamics=GeneralizedLangevin(strengths=(20.0, 1.0), times=(0.1, 2.0)),
    ).log
    total = log["potential_energy"] + log["kinetic_energy"]
    assert total.std() > 20 * log["conserved_energy"].std()


@pytest.mark.parametrize(
    ("strengths", "times", "message"),
    [
        ((), (), "one strength and one time for each term"),
        ((1.0,), (1.0, 2.0), "one strength and one time for each term"),
        ((1.0,), (0.0,), "times must be positive numbers"),
        ((-1.0,), (1.0,), "strengths must be positive numbers"),
        (1.0, (1.0,), "strengths is 1.0, expected numbers"),
    ],
)
def test_bad_kernels(strengths: Any, times: Any, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        GeneralizedLangevin(strengths=strengths, times=times)


@pytest.mark.parametrize(
    "dynamics", [Brownian(friction=1.0), GeneralizedLangevin(strengths=(1.0,), times=(1.0,))]
)
def test_rigid_bonds_need_other_dynamics(dynamics: Brownian | GeneralizedLangevin) -> None:
    field = ForceField({("A", "A"): None}, bonds={("A", "A"): RigidBond(r0=0.2)}, temperature=1.0)
    with pytest.raises(RegrainError, match="have no rigid bonds; give the bonds a spring"):
        field.run(dimers(2), time=1.0, dt=0.01, dynamics=dynamics)


# ---------------------------------------------------------------------------- beside frozen ones


def test_a_chain_of_thermostats_beside_frozen_particles() -> None:
    # Those that move have 3 degrees of freedom each: their momentum is not kept.
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
    field = ForceField({("A", "A"): lj}, temperature=1.0)
    start = fcc(4, density=0.8)
    frozen = np.arange(0, len(start), 4)
    trace = field.run(
        start,
        time=100.0,
        dt=0.004,
        every=0.25,
        seed=1,
        dynamics=NoseHoover(time=0.3),
        frozen=frozen,
    )
    temperature = trace.log["temperature"][-360:]
    blocks = temperature.reshape(20, -1).mean(axis=1)
    error = blocks.std(ddof=1) / np.sqrt(20)
    assert temperature.mean() == pytest.approx(1.0, abs=4 * error + 1e-3)
    moving = 3 * (len(start) - len(frozen))
    assert temperature.var() == pytest.approx(2 / moving, rel=0.3)
    v = np.array([s.velocities for s in trace])[40:]
    momentum = v.sum(axis=1)
    assert (momentum**2).mean() == pytest.approx(moving / 3, rel=0.5)
    drift = np.polyfit(np.linspace(0, 1, len(trace)), trace.log["conserved_energy"], 1)[0]
    assert abs(drift) / len(start) < 1e-3


# ---------------------------------------------------------------------------- steps that heat


def rotors(n: int) -> tuple[ForceField, Particles]:
    """Molecules whose fast torsion has a bounded energy: too long a step heats without an end."""
    corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    centres = np.random.default_rng(1).uniform(0, 50, size=(n, 1, 3))
    i = np.arange(4 * n).reshape(n, 4)
    topology = Topology(
        ["A"] * 4 * n,
        bonds=np.concatenate([i[:, :2], i[:, 1:3], i[:, 2:]]),
        angles=np.concatenate([i[:, :3], i[:, 1:]]),
        dihedrals=i,
    )
    field = ForceField(
        {("A", "A"): None},
        bonds={("A", "A"): HarmonicBond(k=50.0, r0=1.0)},
        angles={("A",) * 3: HarmonicAngle(k=30.0, theta0=np.pi / 2)},
        dihedrals={("A",) * 4: PeriodicDihedral(k=5.0, n=6, phi0=0.0)},
        temperature=1.0,
    )
    start = Particles((centres + corners).reshape(-1, 3), box=[50.0] * 3, topology=topology)
    return field, start


def test_a_step_that_heats_more_than_the_bath_cools_is_stopped() -> None:
    field, start = rotors(60)
    with pytest.raises(RegrainError, match=r"hotter than the bath.*the hottest is particle \d+ at"):
        field.run(start, time=40.0, dt=0.07, seed=1, dynamics=Langevin(friction=1.0))
    trace = field.run(start, time=40.0, dt=0.04, every=0.4, seed=1, dynamics=Langevin(friction=1.0))
    assert trace.log["temperature"][50:].mean() == pytest.approx(1.0, abs=0.1)


LJ = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
LIQUID = ForceField({("A", "A"): LJ}, temperature=1.0)


@pytest.mark.parametrize("friction", [0.2, 2.0])
def test_a_start_that_gives_off_heat_is_not_stopped(friction: float) -> None:
    # Velocities of 25 times the temperature, over eight windows of the watch (5 / friction each).
    start = fcc(3, density=0.8)
    hot = np.random.default_rng(1).normal(scale=5.0, size=(len(start), 3))
    trace = LIQUID.run(
        start.replace(velocities=hot),
        time=40 / friction,
        dt=0.002,
        every=0.5 / friction,
        seed=1,
        dynamics=Langevin(friction=friction),
    )
    assert trace.log["temperature"][0] > 3.0
    assert trace.log["temperature"][-40:].mean() == pytest.approx(1.0, abs=0.1)


def test_a_start_with_overlaps_is_not_stopped() -> None:
    # A fine configuration in a field that lets particles come close: 50 kT for each is given off.
    grid = Table(r_min=0.9, r_max=2.5, points=200)
    table = grid.with_energy(LennardJones(epsilon=1, sigma=1, cutoff=3).u(grid.grid))
    field = ForceField({("A", "A"): table}, temperature=1.0)
    places = np.random.default_rng(3).uniform(0, 5.0, size=(60, 3))
    start = Particles(places, box=[5.0] * 3)
    before = field.evaluate(start).energy
    trace = field.run(start, time=60.0, dt=0.0015, every=1.0, dynamics=Langevin(friction=0.5))
    assert before - trace.log["potential_energy"][-1] > 50 * len(start)


def test_a_flow_may_heat() -> None:
    # What shear gives and a weak bath takes keeps the liquid hot: no fault of the time step.
    trace = LIQUID.run(
        fcc(3, density=0.8),
        time=60.0,
        dt=0.002,
        every=1.0,
        dynamics=Langevin(friction=0.5),
        flow=Shear(rate=2.0),
    )
    assert trace.log["temperature"][-30:].mean() > 2.0
