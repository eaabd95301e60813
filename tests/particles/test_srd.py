"""Multi-particle collision dynamics against kinetic theory, and where it must fail."""

from __future__ import annotations

from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pytest

from regrain import _core
from regrain.errors import RegrainError
from regrain.observables import PoiseuilleViscosity
from regrain.particles import (
    SRD,
    ForceField,
    HarmonicBond,
    Langevin,
    MPCAndersen,
    Particles,
    Topology,
)
from tests.particles.solvent import BARE, CHAIN, RULES, Rule, fluid

# ------------------------------------------------------------------ theory


def test_theory_is_that_of_published_parameter_sets() -> None:
    # Padding and Louis, Phys. Rev. E 74, 031402 (2006), table III: 5 per cell, 90 degrees, h = 0.1:
    # viscosity 2.50, of which 0.4451 * 5 is collisional.
    rule = SRD(solvent="S", cell=1.0, interval=0.1, angle=90.0)
    theory = rule.theory(density=5.0, temperature=1.0)
    assert theory.viscosity == pytest.approx(2.50, abs=0.005)
    # By hand: N = 4 + exp(-5), cos = 0, cos 2 = -1.
    n = 4 + exp(-5)
    assert theory.kinetic_viscosity == pytest.approx(0.05 * (25 / (3 * n) - 1), rel=1e-12)
    assert theory.collisional_viscosity == pytest.approx(n / 5 / 1.8, rel=1e-12)
    assert theory.diffusion == pytest.approx(0.05 * (15 / n - 1), rel=1e-12)
    assert theory.mean_free_path == pytest.approx(0.1)
    assert theory.schmidt == pytest.approx(theory.kinematic_viscosity / theory.diffusion)


def test_theory_has_the_units_of_its_arguments() -> None:
    # The same fluid with lengths of 0.5 nm, masses of 10 u at 300 K.
    kt = 8.31446261815324e-3 * 300.0
    time = 0.5 * sqrt(10.0 / kt)
    rule = MPCAndersen(solvent="S", cell=0.5, interval=0.1 * time, temperature=300.0)
    found = rule.theory(density=10.0 / 0.125, mass=10.0, units="md")
    plain = RULES["MPC-AT-a"].theory(density=10.0, temperature=1.0)
    assert found.kinematic_viscosity == pytest.approx(plain.kinematic_viscosity * 0.25 / time)
    assert found.viscosity == pytest.approx(
        plain.viscosity * 10.0 / (0.5 * time) * 16.6053906717, rel=1e-9
    )


def test_theory_says_what_it_does_not_know() -> None:
    with pytest.raises(RegrainError, match="no closed theory of SRD"):
        RULES["SRD+a"].theory(density=10.0, temperature=1.0)
    with pytest.raises(RegrainError, match="needs a temperature"):
        RULES["SRD"].theory(density=10.0)
    with pytest.raises(RegrainError, match="density: got -1"):
        RULES["SRD"].theory(density=-1.0, temperature=1.0)
    with pytest.raises(RegrainError, match="expansion for many"):
        RULES["MPC-AT+a"].theory(density=2.0, temperature=1.0)


# ------------------------------------------------------------------ viscosity


def decay(rule: Rule, per_cell: int, seed: int) -> float:
    """Kinematic viscosity from how fast a sine of the velocity decays."""
    edges = (16.0, 16.0, 32.0)
    start = fluid(edges, per_cell, seed)
    k = 2 * np.pi / edges[2]
    velocities = start.velocities + np.outer(np.sin(k * start.positions[:, 2]), [1.0, 0.0, 0.0])
    expected = rule.theory(density=per_cell, temperature=1.0).kinematic_viscosity
    time = round(0.7 / (expected * k * k) / rule.interval) * rule.interval
    trace = BARE.run(
        start.replace(velocities=velocities),
        time=time,
        dt=rule.interval,
        every=time,
        seed=seed,
        dynamics=rule,
        progress=False,
    )
    end = trace[-1]
    assert end.velocities is not None
    before = np.mean(velocities[:, 0] * np.sin(k * start.positions[:, 2]))
    after = np.mean(end.velocities[:, 0] * np.sin(k * end.positions[:, 2]))
    return -log(after / before) / (k * k * time)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "per_cell"),
    [
        (SRD(solvent="S", cell=1.0, interval=0.1, angle=130.0), 10),
        (SRD(solvent="S", cell=1.0, interval=1.0, angle=130.0), 10),
        (SRD(solvent="S", cell=1.0, interval=0.2, angle=90.0), 10),
        (MPCAndersen(solvent="S", cell=1.0, interval=0.2), 10),
        (MPCAndersen(solvent="S", cell=1.0, interval=1.0, angular_momentum=True), 10),
    ],
    ids=lambda p: repr(p).replace("solvent='S', cell=1.0, ", "")[:40],
)
def test_shear_waves_decay_as_kinetic_theory_says(rule: Rule, per_cell: int) -> None:
    # The amplitude at the end, 0.5, has the noise sqrt(2 / 81920) = 0.005: 1 % of it, 1.4 % of the
    # exponent 0.7; two runs, three sigmas, and 2 % for what molecular chaos and the finite wave
    # (k a = 0.2) leave out.
    expected = rule.theory(density=per_cell, temperature=1.0).kinematic_viscosity
    found = np.mean([decay(rule, per_cell, seed) for seed in (1, 2)])
    assert found == pytest.approx(expected, rel=3 * 0.014 / sqrt(2) + 0.02)


def test_shear_waves_tell_viscosities_apart() -> None:
    # Half the collisional viscosity, as MPC-AT+a has it at short paths, is not mistaken for all.
    rule = MPCAndersen(solvent="S", cell=1.0, interval=0.2, angular_momentum=True)
    other = MPCAndersen(solvent="S", cell=1.0, interval=0.2)
    expected = other.theory(density=5, temperature=1.0).kinematic_viscosity
    assert decay(rule, 5, 1) < 0.8 * expected


@pytest.mark.slow
@pytest.mark.parametrize("walls", [False, True], ids=["reverse", "walls"])
@pytest.mark.parametrize(("interval", "angle"), [(0.1, 130.0), (0.3, 90.0)])
def test_poiseuille_flow_has_the_viscosity_of_theory(
    walls: bool, interval: float, angle: float
) -> None:
    # A half, or the channel, is 12 cells wide; speeds up to 0.3, momentum spreads in
    # 144 / (pi^2 nu) = 17 ... 25. Half a per cent of the statistics, 4 % for slip and for cells
    # that average over a twelfth of the profile.
    g, width = 0.015, 12.0
    rule = SRD(
        solvent="S",
        cell=1.0,
        interval=interval,
        angle=angle,
        acceleration=(g, 0.0, 0.0),
        walls="z" if walls else "",
        reverse=None if walls else "z",
    )
    edges = (10.0, 10.0, width if walls else 2 * width)
    run = {"dt": interval, "dynamics": rule, "progress": False}
    begin = BARE.run(fluid(edges), time=90.0, every=90.0, **run)[-1]  # type: ignore[arg-type]
    trace = BARE.run(begin, time=360.0, every=1.5, seed=2, **run)  # type: ignore[arg-type]
    bins = 24 if walls else 48
    found = PoiseuilleViscosity(force=g, reverse=not walls, bins=bins, fit=(0.1, 0.9))(trace)
    expected = rule.theory(density=10.0, temperature=1.0).viscosity
    assert found.error / expected < 0.03
    assert abs(found.value - expected) < 3 * found.error + 0.04 * expected


def test_walls_hold_the_fluid_and_moving_ones_drag_it() -> None:
    # Couette flow: a line from -U to U, seen halfway between the middle and the walls.
    rule = SRD(
        solvent="S", cell=1.0, interval=0.2, walls="z", wall_velocity=(0.4, 0.0, 0.0), angle=130.0
    )
    trace = BARE.run(
        fluid((8.0, 8.0, 8.0)), time=120.0, dt=0.2, every=2.0, dynamics=rule, progress=False
    )
    low, high = [], []
    for frame in list(trace)[20:]:
        assert frame.velocities is not None
        z = frame.positions[:, 2]
        low.append(frame.velocities[(z > 1.5) & (z < 2.5), 0].mean())
        high.append(frame.velocities[(z > 5.5) & (z < 6.5), 0].mean())
    # 640 particles in each slab, 40 frames that are correlated over 64 / (pi^2 nu) = 10: sigma is
    # below sqrt(1 / 640 / 8) = 0.014.
    assert np.mean(low) == pytest.approx(-0.2, abs=0.04)
    assert np.mean(high) == pytest.approx(0.2, abs=0.04)


# ------------------------------------------------------------------ equilibrium


@pytest.mark.parametrize("name", RULES)
def test_velocities_become_maxwells_and_beads_share_the_energy(name: str) -> None:
    start = fluid((8.0, 8.0, 8.0), beads=8)
    rng = np.random.default_rng(3)
    # Far from equilibrium: all along x, of two speeds.
    signs = rng.choice([-1.0, 1.0], size=(len(start), 3)) * [sqrt(3.0), 0.0, 0.0]
    masses = start.topology.masses[:, None]
    v = signs / np.sqrt(masses)
    v -= (masses * v).sum(0) / masses.sum()
    trace = CHAIN.run(
        start.replace(velocities=v),
        time=60.0,
        dt=0.01,
        every=0.5,
        dynamics=RULES[name],
        seed=5,
        progress=False,
    )
    late = [frame.velocities * np.sqrt(masses) for frame in list(trace)[40:]]
    w = np.stack(late)[:, :-8]
    temperature = np.mean(w**2)
    # 15 360 components: a standard error of sqrt(2 / 15360) = 0.011 in a frame; the energy of a
    # run without a thermostat goes to the bonds, too, where it is a thousandth.
    assert temperature == pytest.approx(1.0, abs=0.012)
    by_axis = np.mean(w**2, axis=(0, 1)) / temperature
    assert by_axis == pytest.approx(np.ones(3), abs=0.01)
    assert np.mean(w**4) / temperature**2 == pytest.approx(3.0, abs=0.03)
    # 24 components, 80 frames half a time apart, several of them per correlation time of a bead:
    # about 24 * 80 / 4 values, so 0.065 is one sigma.
    assert np.mean(np.stack(late)[:, -8:] ** 2) == pytest.approx(1.0, abs=0.2)


def test_entropy_of_the_speeds_does_not_fall() -> None:
    # Boltzmann's H of v_x on a grid, from a distribution of two speeds: H falls to that of Maxwell.
    start = fluid((16.0, 16.0, 16.0))
    rng = np.random.default_rng(1)
    v = rng.choice([-1.0, 1.0], size=(len(start), 3)) + 0.01 * rng.normal(size=(len(start), 3))
    trace = BARE.run(
        start.replace(velocities=v - v.mean(0)),
        time=1.0,
        dt=0.1,
        every=0.1,
        dynamics=RULES["SRD, no thermostat"],
        progress=False,
    )
    h = []
    for found in (v, *(frame.velocities for frame in trace)):
        p, edges = np.histogram(found[:, 0], bins=80, range=(-4, 4), density=True)
        h.append(np.sum(p[p > 0] * np.log(p[p > 0])) * (edges[1] - edges[0]))
    maxwell = -0.5 * log(2 * np.pi * np.e)
    # ln p of a Maxwell distribution varies by sqrt(1 / 2), over 40 960 particles.
    noise = 5 * sqrt(0.5 / 40960)
    assert np.all(np.diff(h) < noise)
    assert h[0] > maxwell + 1.0
    assert h[-1] == pytest.approx(maxwell, abs=noise)


def diffusion(rule: Rule, drift: float, time: float, seed: int = 1) -> float:
    """Of the solvent, beside a drift along x."""
    start = fluid((10.0, 10.0, 10.0), seed=seed)
    v = start.velocities + np.array([drift, 0.0, 0.0])
    trace = BARE.run(
        start.replace(velocities=v),
        time=2 * time,
        dt=rule.interval,
        every=time,
        dynamics=rule,
        seed=seed,
        progress=False,
    )
    path = trace[1].unwrapped - trace[0].unwrapped
    return float(np.mean((path - path.mean(0))[:, 1:] ** 2)) / (2 * time)


def test_self_diffusion_is_that_of_theory_where_chaos_holds() -> None:
    # 20 000 squared displacements: one per cent is one sigma; h / 2 of the ballistic start is the
    # -1 of the theory. Ripoll, Mussawisade, Winkler and Gompper, Phys. Rev. E 72, 016701 (2005):
    # theory holds at paths of a cell, and diffusion is faster at short ones.
    for rule in (
        SRD(solvent="S", cell=1.0, interval=1.5, angle=130.0),
        MPCAndersen(solvent="S", cell=1.0, interval=1.5),
    ):
        expected = rule.theory(density=10.0, temperature=1.0).diffusion
        assert diffusion(rule, 0.0, 45.0) == pytest.approx(expected, rel=0.05)
    short = SRD(solvent="S", cell=1.0, interval=0.1, angle=130.0)
    expected = short.theory(density=10.0, temperature=1.0).diffusion
    assert diffusion(short, 0.0, 20.0) > 1.08 * expected


def test_only_shifted_cells_do_not_see_how_fast_the_fluid_moves() -> None:
    # Ihle and Kroll, Phys. Rev. E 63, 020201 (2001): at a mean free path of 0.05, particles meet
    # the same others again and again unless the cells move; a drift of half a cell per collision
    # mixes them.
    def ratio(shift: bool) -> float:
        rule = SRD(solvent="S", cell=1.0, interval=0.05, angle=130.0, thermostat=False, shift=shift)
        return diffusion(rule, 10.0, 10.0) / diffusion(rule, 0.0, 10.0)

    # 20 000 displacements each: 1.4 % is one sigma of a ratio.
    assert ratio(True) == pytest.approx(1.0, abs=0.06)
    assert abs(ratio(False) - 1.0) > 0.15


# ------------------------------------------------------------------ a chain in the solvent


def relaxation(dynamics: Rule | Langevin, time: float) -> float:
    """Exponent of the relaxation times of the first four modes of ideal chains of 16 beads,
    against sin(p pi / 32): -2 of Rouse's model, -3/2 of Zimm's (p small against 16)."""
    edge, n, chains, beads = 16.0, 5 * 16**3, 20, 16
    solvent = not isinstance(dynamics, Langevin)
    rng = np.random.default_rng(1)
    walks = rng.normal(size=(chains, beads, 3)).cumsum(axis=1) / sqrt(3.0)
    r = (walks + rng.random((chains, 1, 3)) * edge).reshape(-1, 3)
    first = n if solvent else 0
    bonds = [(first + c + i, first + c + i + 1) for c in range(0, 320, 16) for i in range(15)]
    types, masses = ["A"] * 320, np.full(320, 5.0)
    if solvent:
        r = np.concatenate([rng.random((n, 3)) * edge, r])
        types, masses = ["S"] * n + types, np.r_[np.ones(n), masses]
    images = np.floor(r / edge).astype(int)
    start = Particles(
        r - images * edge,
        box=[edge] * 3,
        images=images,
        topology=Topology(types, masses=masses, bonds=bonds),
    )
    field = ForceField(
        {("A", "A"): None}, bonds={("A", "A"): HarmonicBond(k=3.0, r0=0.0)}, temperature=1.0
    )
    trace = field.run(
        start, time=time, dt=0.1, every=2.0, dynamics=dynamics, seed=2, progress=False
    )
    x = np.stack([frame.unwrapped[first:].reshape(chains, beads, 3) for frame in trace])
    p, i = np.arange(1, 5), np.arange(beads) + 0.5
    times = []
    for mode in p:
        amplitude = np.einsum("tcik,i->tck", x, np.cos(np.pi * mode * i / beads))
        spectrum = np.abs(np.fft.rfft(amplitude, 2 * len(x), axis=0)) ** 2
        kept = np.fft.irfft(spectrum, axis=0)[: len(x)].sum((1, 2)) / np.arange(len(x), 0, -1)
        last = max(2, int(np.argmax(kept < 0.4 * kept[0])))
        lag = np.arange(last) * 2.0
        times.append(-np.sum(lag**2) / np.sum(lag * np.log(kept[:last] / kept[0])))
    return float(np.polyfit(np.log(np.sin(np.pi * p / 2 / beads)), np.log(times), 1)[0])


@pytest.mark.slow
def test_modes_of_a_chain_relax_as_zimm_says_in_a_solvent_and_as_rouse_without() -> None:
    # 20 chains for 4 of the longest times (SRD), for 8 (Langevin): 80 values, 11 % of the first
    # mode, less of the others; over ln(sin 4 / sin 1) = 1.36 that is 0.08 of the exponent. Zimm's
    # theory is one of long chains: of 16 beads Kirkwood's formula has 1.45 to 1.6.
    zimm = relaxation(SRD(solvent="S", cell=1.0, interval=0.1), 600.0)
    rouse = relaxation(Langevin(friction=10.0), 3600.0)
    assert zimm == pytest.approx(-1.5, abs=0.24)
    assert rouse == pytest.approx(-2.0, abs=0.24)


# ------------------------------------------------------------------ conservation, bits


@pytest.mark.parametrize("name", RULES)
def test_momentum_stays_and_the_log_tells_the_drift_of_the_beads_alone(name: str) -> None:
    start = fluid((8.0, 8.0, 8.0), beads=7)
    trace = CHAIN.run(
        start, time=10.0, dt=0.005, every=1.0, dynamics=RULES[name], seed=1, progress=False
    )
    masses = start.topology.masses[:, None]
    for frame in trace:
        # 5127 momenta of order 1, rounded in each of 100 collisions: 1e-16 sqrt(5e5) = 1e-13.
        assert np.abs((masses * frame.velocities).sum(0)).max() < 1e-11
    energy = trace.log["conserved_energy"]
    # Velocity Verlet at dt omega = 0.005 sqrt(2 * 200 / 8) = 0.035: 1e-3 of the bonds' energy.
    assert np.ptp(energy) < 0.05
    assert trace.log["temperature"] == pytest.approx(np.ones(10), abs=0.06)


@pytest.mark.parametrize("name", RULES)
def test_the_same_bits_on_any_threads_and_after_a_checkpoint(name: str, tmp_path: Path) -> None:
    start = fluid((8.0, 8.0, 24.0), beads=6)
    threads = _core.threads()

    def run(time: float, path: Path | None = None) -> Particles:
        return CHAIN.run(
            start,
            time=time,
            dt=0.02,
            every=0.1,
            dynamics=RULES[name],
            seed=3,
            checkpoint=path,
            progress=False,
        )[-1]

    try:
        _core.set_threads(1)
        whole = run(1.3)
        for team in (2, 3):
            _core.set_threads(team)
            path = tmp_path / f"{team}.npz"
            run(0.7, path)
            again = run(1.3, path)
            assert np.array_equal(again.positions, whole.positions)
            assert np.array_equal(again.velocities, whole.velocities)
            assert np.array_equal(again.images, whole.images)
    finally:
        _core.set_threads(threads)


def test_a_checkpoint_of_other_collisions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    start = fluid((4.0, 4.0, 4.0))
    run = {"dt": 0.1, "every": 0.1, "checkpoint": path, "progress": False}
    BARE.run(start, time=0.1, dynamics=RULES["SRD"], **run)  # type: ignore[arg-type]
    with pytest.raises(RegrainError, match="another dynamics"):
        BARE.run(start, time=0.2, dynamics=RULES["MPC-AT-a"], **run)  # type: ignore[arg-type]
