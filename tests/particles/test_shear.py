"""Shear flow: equal to sliding images in the laboratory, exact solutions, energy, bits."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from regrain import RegrainError, Trace, _core
from regrain.observables import Profile, Temperature, Viscosity
from regrain.particles import (
    NVE,
    CellRescale,
    Field,
    ForceField,
    Langevin,
    LennardJones,
    NoseHoover,
    Particles,
    Shear,
    Topology,
    fcc,
)

WCA = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2 ** (1 / 6), mode="shifted")
LJ = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
LIQUID = ForceField({("A", "A"): LJ}, temperature=1.0)
IDEAL = ForceField({("A", "A"): None}, temperature=1.5)


def gradient(plane: str, rate: float) -> np.ndarray:
    """v = r G for rows r."""
    g = np.zeros((3, 3))
    g["xyz".index(plane[1]), "xyz".index(plane[0])] = rate
    return g


# ---------------------------------------------------------------------- against Lees and Edwards


def wca_forces(r: np.ndarray, box: np.ndarray) -> np.ndarray:
    """By the sum over many images of every pair."""
    d = r[:, None] - r[None, :]
    d = d - np.round(d @ np.linalg.inv(box)) @ box
    shifts = np.array(list(itertools.product((-2, -1, 0, 1, 2), repeat=3))) @ box
    d = d[:, :, None] + shifts
    r2 = np.sum(d**2, axis=-1)
    near = (r2 < 2 ** (1 / 3)) & (r2 > 1e-9)
    inverse6 = np.where(near, np.where(near, r2, 1.0) ** -3, 0.0)
    return np.sum(
        (24 * (2 * inverse6**2 - inverse6) / np.where(near, r2, 1))[..., None] * d, (1, 2)
    )


def in_the_laboratory(
    state: Particles, flow: np.ndarray, steps: int, dt: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Newton's equations by velocity Verlet, with images that slide as Lees and Edwards have it.

    Places and velocities beside the flow after each step.
    """
    r, m = state.positions.copy(), state.topology.masses[:, None]
    v = state.velocities + r @ flow
    force, way = wca_forces(r, state.box), []
    for k in range(1, steps + 1):
        v += 0.5 * dt * force / m
        r += dt * v
        force = wca_forces(r, state.box @ (np.eye(3) + k * dt * flow))
        v += 0.5 * dt * force / m
        way.append((r.copy(), v - r @ flow))
    return way


def small_fluid(box: np.ndarray | None = None) -> Particles:
    """32 particles of two masses without a momentum."""
    rng = np.random.default_rng(4)
    start = fcc(cells=2, density=0.7)
    masses = np.where(np.arange(32) % 3 == 0, 2.5, 1.0)
    v = rng.normal(size=(32, 3)) / np.sqrt(masses)[:, None]
    v -= masses @ v / masses.sum()
    edges = start.box if box is None else start.box @ box
    return Particles(
        start.positions @ np.linalg.inv(start.box) @ edges,
        box=edges,
        topology=Topology(["A"] * 32, masses=masses),
        velocities=v,
    )


SKEWED = np.array([[1.0, 0, 0], [0.3, 1.1, 0], [-0.4, 0.2, 0.9]])


@pytest.mark.parametrize("box", [None, SKEWED], ids=["cube", "skewed"])
@pytest.mark.parametrize(("plane", "rate"), [("xy", 1.0), ("xz", -1.5), ("yz", 0.8)])
def test_it_is_newtons_motion_between_sliding_images(plane, rate, box) -> None:
    # 150 steps are strains of 1.2, -1.8 and 0.96: the cell is renamed at least once.
    start, dt = small_fluid(box), 0.008
    field = ForceField({("A", "A"): WCA})
    flow = Shear(rate=rate, plane=plane)
    trace = field.run(start, time=1.2, dt=dt, every=0.4, dynamics=NVE(), flow=flow)
    way = in_the_laboratory(start, gradient(plane, rate), 150, dt)
    for k, frame in enumerate(trace, 1):
        r, v = way[50 * k - 1]
        # Round-off grows by some powers of ten in this time.
        assert frame.unwrapped == pytest.approx(r, abs=1e-7)
        assert frame.velocities == pytest.approx(v, abs=1e-7)
        tilts = frame.box[np.tril_indices(3, -1)] / np.diag(frame.box)[[0, 0, 1]]
        assert np.all(np.abs(tilts) <= 0.5)
        # The same lattice as the one that was never renamed.
        sheared = start.box @ (np.eye(3) + 50 * k * dt * gradient(plane, rate))
        names = frame.box @ np.linalg.inv(sheared)
        assert names == pytest.approx(np.round(names), abs=1e-9)
        assert np.linalg.det(names) == pytest.approx(1.0)


def test_the_reference_knows_a_wrong_sign() -> None:
    start = small_fluid()
    r, _ = in_the_laboratory(start, gradient("xy", 1.0), 30, 0.008)[-1]
    other, _ = in_the_laboratory(start, gradient("xy", -1.0), 30, 0.008)[-1]
    assert np.abs(r - other).max() > 0.1


# ---------------------------------------------------------------------- exact solutions


def cloud(n: int, seed: int, edge: float = 5.0) -> Particles:
    rng = np.random.default_rng(seed)
    v = rng.normal(size=(n, 3)) * np.sqrt(1.5)
    return Particles(rng.random((n, 3)) * edge, box=[edge] * 3, velocities=v - v.mean(axis=0))


def test_free_particles_fly_straight() -> None:
    start, rate = cloud(200, seed=1), 0.7
    flow = Shear(rate=rate, plane="xy")
    trace = IDEAL.run(start, time=8.0, dt=0.05, every=0.05, dynamics=NVE(), flow=flow)
    g = gradient("xy", rate)
    for t, frame in zip(trace.times, trace, strict=True):
        straight = start.positions + t * (start.velocities + start.positions @ g)
        assert frame.unwrapped == pytest.approx(straight, abs=1e-10)
        there = start.velocities + (start.positions - straight) @ g
        assert frame.velocities == pytest.approx(there, abs=1e-11)
    # Work is all there is: the temperature rises, and the log accounts for it.
    kinetic, conserved = trace.log["kinetic_energy"], trace.log["conserved_energy"]
    assert kinetic[-1] > 5.0 * kinetic[0]
    assert np.ptp(conserved) < 1e-11 * kinetic[-1]


def test_steady_state_of_free_particles_in_a_bath() -> None:
    # d<v_x v_y>/dt = -2 g <v_x v_y> - rate <v_y^2>, d<v_x^2>/dt = -2 g (<v_x^2> - kT) - 2 rate
    # <v_x v_y>: exact for the continuous equation; the split step is good to second order.
    n, rate, friction, kt, dt = 4000, 1.2, 0.8, 1.5, 0.05
    trace = IDEAL.run(
        cloud(n, seed=2), time=40.0, dt=dt, every=1.0, seed=3,
        dynamics=Langevin(friction=friction), flow=Shear(rate=rate, plane="xy"),
    )[8:]  # fmt: skip
    v = np.array([frame.velocities for frame in trace])
    frames = len(v)  # hardly correlated: exp(-2 * 0.8)
    for a, b, expected in (
        (0, 1, -rate * kt / (2 * friction)),
        (0, 0, kt * (1 + rate**2 / (2 * friction**2))),
        (1, 1, kt),
        (2, 2, kt),
        (1, 2, 0.0),
    ):
        products = v[..., a] * v[..., b]
        error = products.std() * np.sqrt(1.6 / (frames * n))
        assert abs(products.mean() - expected) < 4 * error + 0.5 * (friction * dt) ** 2 * kt


def test_a_bath_in_the_middle_is_of_second_order() -> None:
    # The bath and the deformation do not commute: applied one after the other <v_x v_y> would be
    # off by rate kT dt / 2, eleven standard errors here.
    n, rate, friction, kt, dt = 20_000, 1.0, 1.0, 1.5, 0.1
    trace = IDEAL.run(
        cloud(n, seed=5), time=60.0, dt=dt, every=1.5, seed=6,
        dynamics=Langevin(friction=friction), flow=Shear(rate=rate, plane="xy"),
    )[4:]  # fmt: skip
    products = np.array([np.mean(f.velocities[:, 0] * f.velocities[:, 1]) for f in trace])
    error = products.std(ddof=1) * np.sqrt(1.2 / len(products))
    assert error < 0.5 * rate * kt * dt / 2 / 5
    # To second order -rate kT / 2 g (1 - (g dt)^2 / 12 ...): below 0.1 %.
    assert abs(products.mean() + rate * kt / (2 * friction)) < 4 * error


# ---------------------------------------------------------------------- energy


def drift(dt: float, dynamics) -> float:
    """Of the conserved energy over a fixed time, per particle: the worst of the frames."""
    smooth = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
    field = ForceField({("A", "A"): smooth}, temperature=1.0)
    melted = field.run(fcc(cells=3, density=0.7), time=3.0, dt=0.004, every=3.0, seed=1)[-1]
    flow = Shear(rate=1.0)
    trace = field.run(melted, time=2.0, dt=dt, every=0.02, dynamics=dynamics, flow=flow)
    energy = trace.log["conserved_energy"] / len(melted)
    return float(np.abs(energy - energy[0]).max())


@pytest.mark.parametrize("dynamics", [NVE(), NoseHoover(time=0.2, chain=1)])
def test_energy_balance_is_of_second_order(dynamics) -> None:
    # dE/dt = -V P_xy rate: the conserved energy has that work taken off. In NVE the kinetic energy
    # rises by 2 per particle meanwhile.
    coarse, fine = drift(0.004, dynamics), drift(0.002, dynamics)
    assert coarse < 4e-3
    # Of one trajectory and its worst frame; first order would give 2, third 8.
    assert 2.8 < coarse / fine < 5.7


def test_work_is_stress_times_rate() -> None:
    # The same balance from what the log says of the stress: dE/dt = -V P_xy rate by trapezoids.
    trace = LIQUID.run(
        fcc(cells=3, density=0.7), time=2.0, dt=0.002, every=0.004, seed=2, dynamics=NVE(),
        flow=Shear(rate=0.8),
    )  # fmt: skip
    log = trace.log
    energy = log["potential_energy"] + log["kinetic_energy"]
    power = -log["volume"] * log["pressure_tensor"][:, 0, 1] * 0.8
    work = np.sum(0.5 * (power[1:] + power[:-1])) * 0.004
    gained = energy[-1] - energy[0]
    assert gained > 50.0
    assert work == pytest.approx(gained, rel=2e-3)


def test_heat_of_a_bath_is_accounted_for() -> None:
    trace = LIQUID.run(
        fcc(cells=3, density=0.7), time=10.0, dt=0.002, every=0.5, seed=2,
        dynamics=Langevin(friction=1.0), flow=Shear(rate=1.0),
    )  # fmt: skip
    # A bath of friction 1 takes out the work of ten units of time: about 10 per particle.
    assert np.ptp(trace.log["conserved_energy"]) < 0.01 * 108


# ---------------------------------------------------------------------- bits


CASES = [NVE(), Langevin(friction=2.0), NoseHoover(time=0.3, chain=1)]


def bits(trace: Trace[Particles]) -> bytes:
    """All that a trace holds, as bytes."""
    parts = [
        s.positions.tobytes() + s.velocities.tobytes() + s.images.tobytes() + s.box.tobytes()
        for s in trace
    ]
    return b"".join(parts + [column.tobytes() for _, column in sorted(trace.log.items())])


def sheared(dynamics, **more) -> Trace[Particles]:
    settings = {"time": 0.6, "dt": 0.005, "every": 0.1, "seed": 3, **more}
    start = fcc(cells=3, density=0.7)
    return LIQUID.run(start, dynamics=dynamics, flow=Shear(rate=2.0), **settings)


@pytest.mark.parametrize("dynamics", CASES)
def test_the_bits_do_not_depend_on_threads(dynamics) -> None:
    before = _core.threads()
    found = []
    try:
        for threads in (1, 2, 3):
            _core.set_threads(threads)
            found.append(bits(sheared(dynamics)))
    finally:
        _core.set_threads(before)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("dynamics", CASES)
def test_a_resumed_run_has_the_bits_of_one_that_never_stopped(dynamics, tmp_path: Path) -> None:
    # Stopped at strains of 0.2, 0.4 and so on, before and after the cell is renamed.
    path = tmp_path / "run.npz"
    for time in (0.1, 0.2, 0.3, 0.4, 0.5):
        sheared(dynamics, time=time, checkpoint=path)
    resumed = sheared(dynamics, checkpoint=path)
    assert resumed.provenance["continued"] == 5
    assert bits(resumed) == bits(sheared(dynamics))


# ---------------------------------------------------------------------- what a trace tells


def test_provenance_and_profiles_know_the_flow() -> None:
    trace = sheared(NoseHoover(time=0.3, chain=1), time=4.0)[20:]
    assert trace.provenance["flow"] == {"rate": 2.0, "plane": "xy"}
    u = Profile("velocity", component="x", axis="y", bins=6)(trace)
    assert np.all(np.abs(u.value - 2.0 * u.coords["y"]) < 5 * u.error)
    eta = Viscosity()(trace)
    expected = -trace.log["pressure_tensor"][:, 0, 1].mean() / 2.0
    assert float(eta) == pytest.approx(expected)
    at_rest = LIQUID.run(fcc(cells=3, density=0.7), time=0.1, dt=0.005, every=0.1, seed=1)
    assert at_rest.provenance["flow"] is None


def test_a_thermostat_holds_the_temperature_of_what_the_flow_heats() -> None:
    trace = sheared(NoseHoover(time=0.3, chain=1), time=40.0)[20:]
    temperature = Temperature()(trace)
    assert temperature.error < 0.015
    assert abs(float(temperature) - 1.0) < 4 * temperature.error


def test_a_rate_of_zero_is_no_flow() -> None:
    quiet = LIQUID.run(
        fcc(cells=3, density=0.7), time=0.6, dt=0.005, every=0.1, seed=3,
        dynamics=NVE(), flow=Shear(rate=0.0),
    )  # fmt: skip
    plain = LIQUID.run(
        fcc(cells=3, density=0.7), time=0.6, dt=0.005, every=0.1, seed=3, dynamics=NVE()
    )
    assert quiet[-1].positions == pytest.approx(plain[-1].positions, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "time", "expected", "known_to"),
    [
        # The Newtonian value: Ferrario, Ciccotti, Holian and Ryckaert, Phys. Rev. A 44, 6936
        # (1991), less the 3 % by which the liquid is thinner at this rate.
        (0.1, 150.0, 3.24 * 0.97, 0.1),
        # LAMMPS of July 2025, 864 particles, with a thermostat of the velocities beside the flow:
        # fix nvt with compute temp/deform, fix deform with remap v. (Its fix nvt/sllod takes
        # rate v_y off velocities of the laboratory, too, and gives 2.195.)
        (1.0, 60.0, 2.109, 0.0073),
    ],
)
def test_viscosity_of_the_lennard_jones_liquid_at_its_triple_point(
    rate, time, expected, known_to
) -> None:
    field = ForceField({("A", "A"): LJ}, temperature=0.722)
    trace = field.run(
        fcc(cells=5, density=0.8442), time=time, dt=0.005, every=0.1, seed=1,
        dynamics=NoseHoover(time=0.5, chain=1), flow=Shear(rate=rate),
    )  # fmt: skip
    trace = trace[len(trace) // 5 :]
    eta, temperature = Viscosity()(trace), Temperature()(trace)
    assert abs(float(temperature) - 0.722) < 4 * temperature.error
    assert eta.error < 0.05 * expected
    assert abs(float(eta) - expected) < 3.5 * np.hypot(eta.error, known_to)


# ---------------------------------------------------------------------- bad input


def test_bad_flows() -> None:
    for settings, match in (
        ({"rate": np.nan}, "finite"),
        ({"rate": np.inf}, "finite"),
        ({"rate": 1.0, "plane": "yx"}, "'xy', 'xz' or 'yz'"),
        ({"rate": 1.0, "plane": "x"}, "'xy', 'xz' or 'yz'"),
    ):
        with pytest.raises(RegrainError, match=match):
            Shear(**settings)


def test_what_does_not_go_with_a_flow() -> None:
    start = fcc(cells=3, density=0.7)
    run = {"time": 0.1, "dt": 0.005, "every": 0.1, "flow": Shear(rate=1.0)}
    barostat = CellRescale(pressure=1.0, time=0.5, compressibility=0.1)
    with pytest.raises(RegrainError, match="barostat"):
        LIQUID.run(start, barostat=barostat, **run)
    with pytest.raises(RegrainError, match="frozen"):
        LIQUID.run(start, frozen=[0], **run)
    with pytest.raises(RegrainError, match="use a chain of one"):
        LIQUID.run(start, dynamics=NoseHoover(time=0.5), **run)
    with pytest.raises(RegrainError, match="smaller time step or rate"):
        LIQUID.run(start, **{**run, "flow": Shear(rate=100.0)})
    for axis, refused in (("x", True), ("y", False)):
        held = ForceField(
            {("A", "A"): LJ},
            temperature=1.0,
            external={"A": [Field(f"cos(2*pi*{axis}/h)", h=5.36)]},
        )
        if refused:
            with pytest.raises(RegrainError, match="slides images along x"):
                held.run(start, **run)
        else:
            held.run(start, **run)
    with pytest.raises(RegrainError, match=r"flow: got 1\.0"):
        LIQUID.run(start, **{**run, "flow": 1.0})
