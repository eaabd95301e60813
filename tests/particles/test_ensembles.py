"""The averages that statistical mechanics demands, against exact numbers."""

import numpy as np
import pytest
from scipy import stats

from regrain import RegrainError
from regrain.particles import (
    NVE,
    CellRescale,
    ForceField,
    HarmonicAngle,
    HarmonicBond,
    Langevin,
    LennardJones,
    NoseHoover,
    Particles,
    PeriodicDihedral,
    Topology,
    fcc,
)

SMOOTH = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
LIQUID = ForceField({("A", "A"): SMOOTH}, temperature=1.0)
IDEAL = ForceField({("A", "A"): None}, temperature=1.3)


def gas(n: int, edge: float, masses: np.ndarray | None = None) -> Particles:
    """Particles anywhere in a cube."""
    positions = np.random.default_rng(5).uniform(0, edge, size=(n, 3))
    return Particles(positions, box=3 * [edge], topology=Topology(["A"] * n, masses=masses))


def test_langevin_gives_every_mass_its_share() -> None:
    masses = np.repeat([0.5, 1.0, 8.0], 200)
    trace = IDEAL.run(
        gas(600, 9.0, masses), time=100.0, dt=0.1, every=1.0, seed=2, dynamics=Langevin(friction=5)
    )
    v = np.array([s.velocities for s in trace])[5:]
    # Frames 5 relaxation times apart: independent numbers, chi-square for sums of squares.
    for mass in (0.5, 1.0, 8.0):
        x = v[:, masses == mass].ravel() * np.sqrt(mass / 1.3)
        assert (x**2).mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / x.size))
        assert (x**4).mean() == pytest.approx(3.0, abs=4 * np.sqrt(96 / x.size))
        assert x.mean() == pytest.approx(0.0, abs=4 / np.sqrt(x.size))


def dimers(n: int) -> Particles:
    """Bonded pairs, far apart from each other or not: they do not interact."""
    first = np.random.default_rng(6).uniform(0, 30, size=(n, 3))
    positions = np.stack([first, first + 0.1], axis=1).reshape(-1, 3)
    bonds = np.arange(2 * n).reshape(-1, 2)
    return Particles(positions, box=[30.0] * 3, topology=Topology(["A"] * 2 * n, bonds=bonds))


@pytest.mark.parametrize("omega_dt", [0.2, 1.0, 1.5])
def test_baoab_samples_a_spring_exactly_at_any_time_step(omega_dt: float) -> None:
    # Leimkuhler and Matthews (2013): positions are exact, the kinetic temperature of the spring
    # is low by the factor 1 - (omega dt)^2 / 4. Reduced mass 1/2: omega^2 = 2 k / m.
    k, temperature = 50.0, 0.7
    dt = omega_dt / np.sqrt(2 * k)
    field = ForceField(
        {("A", "A"): None}, bonds={("A", "A"): HarmonicBond(k=k, r0=0.0)}, temperature=temperature
    )
    friction = 0.3 * np.sqrt(2 * k)
    trace = field.run(
        dimers(400),
        time=12000 * dt,
        dt=dt,
        every=200 * dt,
        seed=4,
        dynamics=Langevin(friction=friction),
    )
    r = np.array([s.unwrapped[1::2] - s.unwrapped[::2] for s in trace])[5:]
    v = np.array([s.velocities for s in trace])[5:]
    x = r.ravel() * np.sqrt(k / temperature)
    tolerance = 4 * np.sqrt(2 / x.size)
    assert (x**2).mean() == pytest.approx(1.0, abs=tolerance)
    inner = ((v[:, 1::2] - v[:, ::2]) / np.sqrt(2 * temperature)).ravel()
    outer = ((v[:, 1::2] + v[:, ::2]) / np.sqrt(2 * temperature)).ravel()
    assert (inner**2).mean() == pytest.approx(1 - omega_dt**2 / 4, abs=tolerance)
    assert (outer**2).mean() == pytest.approx(1.0, abs=tolerance)


def test_velocity_verlet_swings_at_its_own_frequency() -> None:
    # The discrete oscillator has cos(omega' dt) = 1 - (omega dt)^2 / 2 exactly.
    k, dt = 50.0, 0.05
    start = Particles(
        [[1.0, 1.0, 1.0], [1.5, 1.0, 1.0]],
        box=[9.0] * 3,
        topology=Topology(["A", "A"], bonds=[(0, 1)]),
        velocities=np.zeros((2, 3)),
    )
    field = ForceField({("A", "A"): None}, bonds={("A", "A"): HarmonicBond(k=k, r0=0.0)})
    trace = field.run(start, time=50.0, dt=dt, every=dt, dynamics=NVE())
    length = np.array([s.unwrapped[1, 0] - s.unwrapped[0, 0] for s in trace])
    omega = np.arccos(1 - 2 * k * dt**2 / 2) / dt
    assert np.allclose(length, 0.5 * np.cos(omega * trace.times), atol=1e-10)


def equilibrated(seed: int) -> Particles:
    return LIQUID.run(
        fcc(cells=4, density=0.75), time=10.0, dt=0.005, every=10.0, seed=seed, progress=False
    )[-1]


def drift(trace_log: np.ndarray, n: int) -> float:
    """Slope of the total energy per particle, over the length of the run."""
    return float(np.polyfit(np.linspace(0, 1, len(trace_log)), trace_log / n, 1)[0])


def test_newton_conserves_the_energy() -> None:
    start = equilibrated(1)
    trace = LIQUID.run(start, time=200.0, dt=0.002, every=0.5, dynamics=NVE())
    energy = trace.log["conserved_energy"]
    assert abs(drift(energy, len(start))) < 1e-5  # in 100 000 steps
    total = trace.log["potential_energy"] + trace.log["kinetic_energy"]
    assert np.array_equal(total, energy)
    momentum = trace[-1].velocities.sum(axis=0)
    assert np.abs(momentum).max() < 1e-9
    # The error of the step is of second order.
    spread = {
        dt: LIQUID.run(start, time=5.0, dt=dt, every=0.05, dynamics=NVE())
        .log["conserved_energy"]
        .std()
        for dt in (0.002, 0.004)
    }
    assert spread[0.004] / spread[0.002] == pytest.approx(4.0, rel=0.25)


def test_newton_conserves_the_energy_of_a_molecule() -> None:
    # Bonds, angles and dihedrals of a chain that keeps away from straight angles.
    n = 12
    bend, turn = 1.95, np.linspace(0.8, 2.4, n)
    positions = [np.zeros(3), np.array([1.0, 0, 0]), np.array([1 - np.cos(bend), np.sin(bend), 0])]
    for phi in turn[3:]:
        b = positions[-1] - positions[-2]
        normal = np.cross(positions[-2] - positions[-3], b)
        normal /= np.linalg.norm(normal)
        across = np.cross(normal, b)
        step = -np.cos(bend) * b + np.sin(bend) * (np.cos(phi) * across + np.sin(phi) * normal)
        positions.append(positions[-1] + step)
    chain = np.arange(n)
    topology = Topology(
        ["A"] * n,
        bonds=np.stack([chain[:-1], chain[1:]], 1),
        angles=np.stack([chain[:-2], chain[1:-1], chain[2:]], 1),
        dihedrals=np.stack([chain[:-3], chain[1:-2], chain[2:-1], chain[3:]], 1),
    )
    field = ForceField(
        {("A", "A"): None},
        bonds={("A", "A"): HarmonicBond(k=500.0, r0=1.0)},
        angles={("A",) * 3: HarmonicAngle(k=60.0, theta0=bend)},
        dihedrals={("A",) * 4: PeriodicDihedral(k=1.0, n=3, phi0=0.3)},
        temperature=0.5,
    )
    start = Particles(positions, box=[40.0] * 3, topology=topology)
    spread = {}
    for dt in (0.001, 0.002):
        log = field.run(start, time=20.0, dt=dt, every=0.02, dynamics=NVE(), seed=3).log
        spread[dt] = log["conserved_energy"].std()
        assert log["potential_energy"].std() > 100 * spread[dt]
    assert spread[0.002] / spread[0.001] == pytest.approx(4.0, rel=0.25)


def test_a_jump_at_the_cutoff_does_not_conserve_the_energy() -> None:
    # Which is why the test above needs "force-shifted": what must fail, fails.
    start = equilibrated(1)
    jumps = ForceField({("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="cut")})
    log = jumps.run(start, time=20.0, dt=0.002, every=0.1, dynamics=NVE()).log
    smooth = LIQUID.run(start, time=20.0, dt=0.002, every=0.1, dynamics=NVE()).log
    assert log["conserved_energy"].std() > 20 * smooth["conserved_energy"].std()


def test_nose_hoover_chains_conserve_and_sample() -> None:
    start = equilibrated(2)
    n = len(start)
    trace = LIQUID.run(
        start, time=150.0, dt=0.003, every=0.3, dynamics=NoseHoover(time=0.3), seed=1
    )
    assert abs(drift(trace.log["conserved_energy"], n)) < 1e-4
    assert trace.log["conserved_energy"].std() / n < 2e-4
    temperature = trace.log["temperature"]
    blocks = temperature[: len(temperature) // 20 * 20].reshape(20, -1).mean(axis=1)
    error = blocks.std(ddof=1) / np.sqrt(20)
    assert temperature.mean() == pytest.approx(1.0, abs=4 * error + 1e-3)
    # Canonical fluctuations of the kinetic energy: variance 2 T^2 / (3 n - 3).
    assert temperature.var() == pytest.approx(2 / (3 * n - 3), rel=0.25)


@pytest.mark.parametrize(
    "dynamics", [Langevin(friction=2.0), NoseHoover(time=0.4)], ids=["Langevin", "NoseHoover"]
)
def test_the_barostat_gives_an_ideal_gas_its_volume_distribution(
    dynamics: Langevin | NoseHoover,
) -> None:
    # V^n exp(-P V / kT): a gamma distribution of shape n + 1. With n = 8 the "+ 1", the
    # stochastic part of the drift and the missing centre of mass all show.
    n, pressure = 8, 1.3 * 8 / 1000.0
    trace = IDEAL.run(
        gas(n, 10.0),
        time=60_000.0,
        dt=0.1,
        every=90.0,
        seed=3,
        dynamics=dynamics,
        barostat=CellRescale(pressure=pressure, time=30.0, compressibility=1 / pressure, every=1),
        skin=50.0,
        progress=False,
    )
    volume = trace.log["volume"][10:] * pressure / 1.3
    test = stats.kstest(volume, stats.gamma(n + 1).cdf)
    assert test.pvalue > 1e-3, (volume.mean(), volume.var(), test)


def test_the_barostat_reports_what_it_put_in() -> None:
    # Two thermostats and a barostat exchange hundreds of epsilon; their sum is conserved.
    start = equilibrated(3)
    barostat = CellRescale(pressure=2.0, time=1.0, compressibility=0.05)
    for dynamics in (Langevin(friction=1.0), NoseHoover(time=0.3)):
        log = LIQUID.run(
            start, time=20.0, dt=0.002, every=0.2, seed=5, dynamics=dynamics, barostat=barostat
        ).log
        total = log["potential_energy"] + log["kinetic_energy"]
        assert log["volume"].std() / log["volume"].mean() > 5e-3
        assert total.std() > 20 * log["conserved_energy"].std()


def test_a_barostat_without_a_thermostat_is_refused() -> None:
    barostat = CellRescale(pressure=1.0, time=1.0, compressibility=0.1)
    with pytest.raises(RegrainError, match="needs a thermostat"):
        LIQUID.run(fcc(2, density=0.5), time=1.0, dt=0.01, dynamics=NVE(), barostat=barostat)
    hasty = CellRescale(pressure=1000.0, time=0.01, compressibility=10.0)
    with pytest.raises(RegrainError, match=r"the volume by .* percent"):
        LIQUID.run(fcc(2, density=0.5), time=1.0, dt=0.01, barostat=hasty)


def test_drawn_velocities_are_thermal_and_at_rest() -> None:
    start = gas(2000, 20.0, np.repeat([1.0, 4.0], 1000))
    trace = IDEAL.run(start, time=1e-6, dt=1e-6, dynamics=NVE(), seed=8)
    v, m = trace[0].velocities, start.topology.masses
    assert np.abs((m[:, None] * v).sum(axis=0)).max() < 1e-9
    x = (v * np.sqrt(m / 1.3)[:, None]).ravel()
    assert (x**2).mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / x.size))
