"""Rigid bonds: lengths, energies, pressures and distributions that are known exactly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from regrain import RegrainError, _core
from regrain.particles import (
    NVE,
    WCA,
    CellRescale,
    ForceField,
    HarmonicBond,
    Langevin,
    LennardJones,
    NoseHoover,
    Particles,
    ReactionField,
    RigidBond,
    Topology,
)

Floats = NDArray[np.float64]
FREE = {("A", "A"): None}


def dumbbells(count: int, *, edge: float = 20.0, off: float = 0.0) -> Particles:
    """An ideal gas of two unequal masses on a rod of length 1."""
    random = np.random.default_rng(5)
    centre = random.uniform(0, edge, (count, 3))
    axis = random.normal(size=(count, 3))
    axis /= np.linalg.norm(axis, axis=1)[:, None]
    places = np.stack([centre - 0.75 * axis, centre + 0.25 * axis], axis=1).reshape(-1, 3)
    topology = Topology(
        ["A", "A"] * count,
        masses=[1.0, 3.0] * count,
        bonds=np.arange(2 * count).reshape(-1, 2),
    )
    places += random.normal(scale=off, size=places.shape) if off else 0.0
    return Particles(places, box=[edge] * 3, topology=topology)


GAS = ForceField(FREE, bonds={("A", "A"): RigidBond(r0=1.0)}, temperature=1.0)


def lengths(state: Particles) -> Floats:
    i, j = state.topology.bonds.T
    places = state.unwrapped
    return np.asarray(np.linalg.norm(places[i] - places[j], axis=1))


def centres(state: Particles) -> Floats:
    """Velocities of the centres of mass of dumbbells."""
    assert state.velocities is not None
    mass = state.topology.masses.reshape(-1, 2, 1)
    return np.asarray((mass * state.velocities.reshape(-1, 2, 3)).sum(axis=1) / 4.0)


def pressures(trace: Any) -> Floats:
    return np.asarray(np.trace(trace.log["pressure_tensor"], axis1=1, axis2=2) / 3)


# ------------------------------------------------------------------ what is known exactly


def test_free_dumbbells_have_the_pressure_of_their_centres() -> None:
    # P V = 2/3 of the kinetic energy of the centres of mass, at each instant: the rods' tension is
    # the centrifugal force. And a free rotor keeps its energy at any time step.
    trace = GAS.run(dumbbells(60, off=0.01), time=10.0, dt=0.02, every=1.0, dynamics=NVE(), seed=1)
    kinetic = trace.log["kinetic_energy"]
    assert np.abs(kinetic / kinetic[0] - 1).max() < 1e-12
    for state, pressure in zip(trace, pressures(trace), strict=True):
        expected = 4 * np.sum(centres(state) ** 2) / 3
        assert pressure * state.volume == pytest.approx(expected, rel=1e-9)
        assert np.abs(lengths(state) - 1).max() < 1e-11
    # 6 n coordinates, n rods, the momentum: 2 K = (5 n - 3) kT.
    assert trace.log["temperature"][0] == pytest.approx(2 * kinetic[0] / (5 * 60 - 3), rel=1e-12)


def test_a_rotor_turns_with_its_frequency() -> None:
    # Speed 2 at a distance of 0.75 from the centre: 8 / 3 per time. The angle of RATTLE is off by
    # (ω dt)² / 12 or less, relative, as arcsin is.
    state = Particles(
        [[1.25, 2, 2], [2.25, 2, 2]],
        box=[4.0] * 3,
        topology=Topology(["A", "A"], masses=[1.0, 3.0], bonds=[(0, 1)]),
        velocities=[[0, 2, 0], [0, -2 / 3, 0]],
    )
    dt = 0.01
    end = GAS.run(state, time=10.0, dt=dt, every=10.0, dynamics=NVE())[-1]
    rod = end.unwrapped[0] - end.unwrapped[1]
    angle = 10 * 8 / 3
    expected = -np.array([np.cos(angle), -np.sin(angle), 0])
    assert np.abs(rod - expected).max() < angle * (8 / 3 * dt) ** 2 / 4
    assert np.abs(rod - expected).max() > 1e-7  # it is not exact


@pytest.mark.parametrize("dynamics", [Langevin(friction=1.0), NoseHoover(time=0.5)], ids=repr)
def test_thermostats_know_the_degrees_of_freedom(dynamics: Any) -> None:
    state = dumbbells(400)
    trace = GAS.run(state, time=60.0, dt=0.05, every=1.0, dynamics=dynamics, seed=2)
    degrees = 2000 if isinstance(dynamics, Langevin) else 1997
    # Fluctuations of the temperature of a canonical gas: sqrt(2 / degrees), 55 frames after the
    # start, each independent at a friction of 1.
    four_sigma = 4 * np.sqrt(2 / degrees / 55)
    assert trace.log["temperature"][5:].mean() == pytest.approx(1.0, abs=four_sigma)
    # Translation alone: 1200 of them, and P V = n kT.
    pv = pressures(trace)[5:].mean() * state.volume / 400
    assert pv == pytest.approx(1.0, abs=4 * np.sqrt(2 / 1200 / 55))
    # No forces: all that is not heat is conserved.
    conserved = trace.log["conserved_energy"]
    limit = 1e-10 if isinstance(dynamics, Langevin) else 1e-4
    assert np.abs(conserved / conserved[0] - 1).max() < limit


def test_a_barostat_moves_bodies_and_keeps_their_shape() -> None:
    # P(V) goes as V^n exp(-P V / kT): the mean volume is (n + 1) kT / P, with a spread of
    # sqrt(n + 1) kT / P. The gas forgets its volume in a time of 2: 4 sigma of 150 values.
    n, pressure = 50, 0.05
    trace = GAS.run(
        dumbbells(n, edge=10.0),
        time=620.0,
        dt=0.05,
        every=1.0,
        seed=3,
        dynamics=Langevin(friction=1.0),
        barostat=CellRescale(pressure=pressure, time=2.0, compressibility=1 / pressure),
    )
    volume = trace.log["volume"][20:]
    expected = (n + 1) / pressure
    assert volume.mean() == pytest.approx(expected, rel=4 / np.sqrt(n + 1) / np.sqrt(150))
    assert np.abs(lengths(trace[-1]) - 1).max() < 1e-11
    conserved = trace.log["conserved_energy"]
    assert np.abs(conserved - conserved[0]).max() < 1e-9 * conserved[0]


def test_jointed_rods_have_the_angles_of_their_metric() -> None:
    # Three equal masses on two rods: the density of cos(theta) goes as sqrt(4 - cos²), not as that
    # of springs, which is flat (Fixman 1974).
    n = 1500
    places = np.random.default_rng(1).uniform(0, 30, (n, 1, 3))
    places = places + np.array([[1.0, 0, 0], [0, 0, 0], [0, 1.0, 0]])
    bonds = [(3 * i + k, 3 * i + k + 1) for i in range(n) for k in (0, 1)]
    state = Particles(
        places.reshape(-1, 3), box=[30.0] * 3, topology=Topology(["A"] * 3 * n, bonds=bonds)
    )
    trace = GAS.run(state, time=80.0, dt=0.1, every=2.0, seed=4, dynamics=Langevin(friction=1.0))

    def squares(frame: Particles) -> Floats:
        r = frame.unwrapped.reshape(-1, 3, 3)
        return np.asarray(np.sum((r[:, 0] - r[:, 1]) * (r[:, 2] - r[:, 1]), axis=1) ** 2)

    found = np.array([squares(frame).mean() for frame in trace[5:]])
    c = np.linspace(-1, 1, 2001)
    weight = np.sqrt(4 - c**2)
    expected = np.sum(c**2 * weight) / np.sum(weight)
    assert expected < 0.325  # springs: 1/3
    # 52 500 values with a spread of 0.3, frames a free turn apart.
    assert found.mean() == pytest.approx(expected, abs=4 * 0.3 / np.sqrt(1500 * 35))


# ------------------------------------------------------------------ a plain reference

SHAPES = {
    "water": ([(0, 1), (0, 2), (1, 2)], 3),
    "star": ([(0, 1), (0, 2), (0, 3), (4, 0)], 5),
    "chain": ([(i, i + 1) for i in range(11)], 12),
    "ring": ([(i, (i + 1) % 5) for i in range(5)], 5),
    "tetrahedron": ([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], 4),
    "two rings": ([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 2), (4, 5), (5, 6), (6, 3)], 7),
}
SKEWED = np.array([[9.0, 0.0, 0.0], [3.3, 8.5, 0.0], [-3.1, 3.9, 8.8]])


def cluster(shape: str, random: np.random.Generator) -> tuple[Particles, ForceField]:
    """Bodies of one shape with sites of their own types, so that each bond has its own length."""
    bonds, n = SHAPES[shape]
    one = np.cumsum(random.normal(scale=0.5, size=(n, 3)), axis=0)
    copies = 11
    places, types, all_bonds = [], [], []
    for k in range(copies):
        turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
        places.append(one @ turn.T + random.uniform(0, 9, 3))
        types += [f"{i:02}" for i in range(n)]
        all_bonds += [(k * n + i, k * n + j) for i, j in bonds]
    topology = Topology(types, masses=random.uniform(1, 4, n * copies), bonds=all_bonds)
    state = Particles(
        np.concatenate(places),
        box=SKEWED,
        topology=topology,
        velocities=random.normal(size=(n * copies, 3)),
    )
    names = [f"{i:02}" for i in range(n)]
    rigid = {
        (names[min(i, j)], names[max(i, j)]): RigidBond(r0=float(np.linalg.norm(one[i] - one[j])))
        for i, j in bonds
    }
    pairs = {(a, b): None for a in names for b in names if a <= b}
    return state, ForceField(pairs, bonds=rigid)


def shake(state: Particles, r0: Floats, dt: float) -> tuple[Floats, Floats]:
    """One free step of RATTLE as Ryckaert and Andersen have it: one bond after the other."""
    assert state.velocities is not None
    mass = state.topology.masses
    i, j = state.topology.bonds.T
    before = state.positions[i] - state.positions[j]
    places, velocities = state.positions.copy(), state.velocities.copy()
    places += dt * velocities
    for _ in range(3000):
        for k, (a, b) in enumerate(zip(i, j, strict=True)):
            d = places[a] - places[b]
            g = (d @ d - r0[k] ** 2) / (2 * (d @ before[k]) * (1 / mass[a] + 1 / mass[b]))
            places[a] -= g * before[k] / mass[a]
            places[b] += g * before[k] / mass[b]
    velocities = (places - state.positions) / dt
    for _ in range(3000):
        for a, b in zip(i, j, strict=True):
            d = places[a] - places[b]
            g = d @ (velocities[a] - velocities[b]) / (d @ d) / (1 / mass[a] + 1 / mass[b])
            velocities[a] -= g * d / mass[a]
            velocities[b] += g * d / mass[b]
    return places, velocities


@pytest.mark.parametrize("shape", ["water", "star", "chain", "tetrahedron"])
def test_a_step_is_that_of_plain_shake(shape: str) -> None:
    random = np.random.default_rng(8)
    state, field = cluster(shape, random)
    # The first body alone: the reference is slow. Velocities along bonds are taken out first.
    n = SHAPES[shape][1]
    bonds = SHAPES[shape][0]
    one = Particles(
        state.positions[:n],
        box=SKEWED,
        topology=Topology(state.topology.types[:n], masses=state.topology.masses[:n], bonds=bonds),
        velocities=state.velocities[:n],  # type: ignore[index]
    )
    mean = one.topology.masses @ one.velocities / one.topology.masses.sum()  # type: ignore[operator]
    one = one.replace(velocities=one.velocities - mean)
    first = field.run(one, time=1e-9, dt=1e-9, every=1e-9, dynamics=NVE())[0]
    start = first.replace(positions=first.unwrapped, images=None)
    r0 = np.linalg.norm(
        start.positions[[i for i, _ in bonds]] - start.positions[[j for _, j in bonds]], axis=1
    )
    end = field.run(start, time=0.02, dt=0.02, every=0.02, dynamics=NVE())[0]
    places, velocities = shake(start, r0, 0.02)
    assert np.abs(end.unwrapped - places).max() < 1e-10
    assert np.abs(end.velocities - velocities).max() < 1e-8


@pytest.mark.parametrize("shape", SHAPES)
def test_bodies_of_any_shape_keep_it(shape: str) -> None:
    state, field = cluster(shape, np.random.default_rng(9))
    trace = field.run(state, time=2.0, dt=0.02, every=0.5, dynamics=NVE())
    r0 = lengths(state.replace(positions=whole(state)))
    energy = trace.log["kinetic_energy"]
    # No forces but those of constraint: an error of order dt², not a drift.
    assert np.abs(energy / energy[0] - 1).max() < 2e-3
    for frame in trace:
        assert np.abs(lengths(frame) / r0 - 1).max() < 1e-10
    momentum = state.topology.masses @ trace[-1].velocities
    assert np.abs(momentum).max() < 1e-10


def whole(state: Particles) -> Floats:
    return state.positions  # they were never folded


# ------------------------------------------------------------------ forces, bits, water


def water(side: int) -> tuple[Particles, ForceField]:
    """Rigid SPC/E (Berendsen et al., J. Phys. Chem. 91, 6269 (1987)) on a lattice."""
    n = side**3
    edge = 0.3105 * side
    sites = np.stack(np.meshgrid(*3 * [np.arange(side)], indexing="ij"), -1).reshape(-1, 1, 3)
    half = np.deg2rad(109.47 / 2)
    one = 0.1 * np.array(
        [[0, 0, 0], [np.sin(half), np.cos(half), 0], [-np.sin(half), np.cos(half), 0]]
    )
    random = np.random.default_rng(2)
    turns = np.linalg.qr(random.normal(size=(n, 3, 3)))[0]
    places = (sites + 0.5) * edge / side + one @ turns
    bonds = [(3 * i + a, 3 * i + b) for i in range(n) for a, b in ((0, 1), (0, 2), (1, 2))]
    topology = Topology(
        ["O", "H", "H"] * n,
        masses=[15.9994, 1.008, 1.008] * n,
        charges=[-0.8476, 0.4238, 0.4238] * n,
        bonds=bonds,
    )
    state = Particles(places.reshape(-1, 3), box=[edge] * 3, topology=topology, units="md")
    oxygen = LennardJones(epsilon=0.650, sigma=0.3166, cutoff=0.75, mode="force-shifted")
    field = ForceField(
        {("O", "O"): oxygen, ("H", "O"): None, ("H", "H"): None},
        bonds={
            ("H", "O"): RigidBond(r0=0.1),
            ("H", "H"): RigidBond(r0=float(0.2 * np.sin(half))),
        },
        charges=ReactionField(cutoff=0.75),
        temperature=300.0,
        units="md",
    )
    return state, field


def test_rigid_water_at_two_femtoseconds() -> None:
    start, field = water(5)
    hot = field.run(start, time=2.0, dt=0.001, every=2.0, dynamics=Langevin(friction=10.0))[-1]
    drifts = []
    for dt in (0.001, 0.002):
        trace = field.run(hot, time=1.0, dt=dt, every=0.02, dynamics=NVE())
        energy = trace.log["conserved_energy"]
        drifts.append(np.std(energy))
        assert np.abs(lengths(trace[-1]) / lengths(hot) - 1).max() < 1e-10
    # 750 degrees of freedom, kT = 2.5: the energy stays within a few kJ/mol, and its error goes as
    # dt².
    assert drifts[1] < 0.02 * 750 * 2.5 / 2
    assert 2.0 < drifts[1] / drifts[0] < 8.0
    # A liquid: its potential energy is that of water, about -41 to -47 kJ/mol (the reaction field
    # of a short cutoff), 300 K within 4 sigma of one molecule's share.
    assert -50 < trace.log["potential_energy"].mean() / 125 < -35


def test_the_same_bits_for_any_number_of_threads_cut_and_resumed(tmp_path: Path) -> None:
    start, field = water(7)
    settings: dict[str, Any] = {"dt": 0.002, "every": 0.02, "seed": 7, "progress": False}
    settings["dynamics"] = Langevin(friction=2.0)
    settings["barostat"] = CellRescale(pressure=1.0, time=0.5, compressibility=4.5e-5, every=3)
    before = _core.threads()
    ends = []
    try:
        for threads in (1, 2, 3):
            _core.set_threads(threads)
            ends.append(field.run(start, time=0.04, **settings)[-1])
        cut = tmp_path / "run.npz"
        field.run(start, time=0.04, checkpoint=cut, **settings)
        ends.append(field.run(start, time=0.04, checkpoint=cut, **settings)[-1])
    finally:
        _core.set_threads(before)
    for end in ends[1:]:
        assert np.array_equal(end.positions, ends[0].positions)
        assert np.array_equal(end.velocities, ends[0].velocities)


def test_snapshots_go_on_to_the_same_bits() -> None:
    start, field = water(5)

    def simulation() -> Any:
        made = _core.Simulation(
            field.compile(start),
            types=start.topology.type_ids,
            masses=start.topology.masses,
            dt=0.002,
            dynamics=_core.Langevin(kt=2.5, friction=2.0),
            barostat=None,
            seed=3,
            skin=0.05,
            frozen=np.empty(0, np.uint32),
            precision=_core.Precision.full,
        )
        made.assign(positions=start.positions, images=None, velocities=None, kt=2.5, box=start.box)
        return made

    whole_run, first, second = simulation(), simulation(), simulation()
    whole_run.run(40)
    first.run(17)
    first.measure()
    second.restore(first.snapshot())
    second.run(23)
    assert np.array_equal(whole_run.places()[0], second.places()[0])
    assert np.array_equal(whole_run.velocities(), second.velocities())


# ------------------------------------------------------------------ frozen ends, errors


def test_a_pendulum_hangs_on_a_frozen_particle() -> None:
    # Two rods, the first at a particle that never moves; a light spring pulls the end aside.
    topology = Topology(["A", "A", "A"], bonds=[(0, 1), (1, 2)])
    state = Particles([[5, 5, 5], [6, 5, 5], [6, 6, 5]], box=[10.0] * 3, topology=topology)
    trace = GAS.run(state, time=5.0, dt=0.01, every=0.5, dynamics=NVE(), frozen=[0], seed=2)
    assert np.array_equal(trace[-1].positions[0], state.positions[0])
    assert np.abs(lengths(trace[-1]) - 1).max() < 1e-11
    energy = trace.log["kinetic_energy"]
    assert np.ptp(energy) < 1e-3 * energy[0]
    assert trace.log["temperature"][0] == pytest.approx(2 * energy[0] / (6 - 2), rel=1e-12)
    with pytest.raises(
        RegrainError, match=r"particles 0 and 1 is 1\.0*5?.* both particles are frozen"
    ):
        GAS.replace(bonds={("A", "A"): RigidBond(r0=0.995)}).run(
            state, time=1.0, dt=0.01, frozen=[0, 1], progress=False
        )


def run_briefly(state: Particles, r0: float = 1.0, dt: float = 0.01) -> None:
    field = ForceField(FREE, bonds={("A", "A"): RigidBond(r0=r0)}, temperature=1.0)
    field.run(state, time=10 * dt, dt=dt, progress=False)


def joined(places: Any, bonds: Any) -> Particles:
    return Particles(places, box=[20.0] * 3, topology=Topology(["A"] * len(places), bonds=bonds))


def test_starts_that_are_off() -> None:
    near = joined([[0, 0, 0], [1.05, 0, 0]], [(0, 1)])
    run_briefly(near)
    far = joined([[0, 0, 0], [1.1, 0, 0], [1.1, 1.4, 0]], [(0, 1), (1, 2)])
    with pytest.raises(RegrainError, match=r"cannot be satisfied.* particles 1 and 2 is 1\.4"):
        run_briefly(far)


def test_bonds_that_follow_from_others() -> None:
    line = joined([[0, 0, 0], [1, 0, 0], [2, 0, 0]], [(0, 1), (1, 2), (0, 2)])
    field = ForceField(
        {(a, b): None for a in "AB" for b in "AB" if a <= b},
        bonds={("A", "B"): RigidBond(r0=1.0), ("A", "A"): RigidBond(r0=2.0)},
        temperature=1.0,
    )
    line = line.replace(topology=Topology(["A", "B", "A"], bonds=line.topology.bonds))
    with pytest.raises(RegrainError, match="some rigid bonds follow from others"):
        field.run(line, time=1.0, dt=0.01, progress=False)
    twice = joined([[0, 0, 0], [1, 0, 0]], [(0, 1), (1, 0)])
    with pytest.raises(RegrainError, match="joined by two rigid bonds"):
        run_briefly(twice)


def test_what_is_no_length() -> None:
    with pytest.raises(RegrainError, match="r0 must be a positive number"):
        RigidBond(r0=0.0)


def test_a_rigid_bond_beside_others_in_one_force_field() -> None:
    # A rod and a spring: the spring has the energy that it has without the rod.
    topology = Topology(["A", "A", "B"], bonds=[(0, 1), (1, 2)])
    state = Particles([[0, 0, 0], [1, 0, 0], [1, 1.5, 0]], box=[20.0] * 3, topology=topology)
    field = ForceField(
        {("A", "A"): WCA(epsilon=1.0, sigma=1.0), ("A", "B"): None, ("B", "B"): None},
        bonds={("A", "A"): RigidBond(r0=1.0), ("A", "B"): HarmonicBond(k=8.0, r0=1.0)},
    )
    found = field.evaluate(state)
    assert found.energy == pytest.approx(1.0, rel=1e-14)
    assert found.pressure_tensor is None
    assert field.scaled(2.0).bonds["A", "A"] == RigidBond(r0=1.0)
    assert ForceField.from_dict(field.to_dict()) == field
    assert eval(repr(field.bonds["A", "A"])) == RigidBond(r0=1.0)
