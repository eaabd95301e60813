"""Charges in time: conserved energy, the same bits again, and how ions screen each other."""

from pathlib import Path

import numpy as np
import pytest

from regrain import RegrainError, _core
from regrain.particles import (
    NVE,
    CellRescale,
    Ewald,
    ForceField,
    HarmonicAngle,
    HarmonicBond,
    Langevin,
    LennardJones,
    NoseHoover,
    Particles,
    Topology,
    fcc,
)

SOFT = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2 ** (1 / 6), mode="shifted")


def melt(cells: int) -> Particles:
    """As many positive as negative ions, at random on a lattice."""
    lattice = fcc(cells=cells, density=0.3)
    n = len(lattice)
    signs = np.where(np.random.default_rng(2).permutation(n) < n // 2, 1.0, -1.0)
    types = np.where(signs > 0, "+", "-")
    return Particles(lattice.positions, box=lattice.box, topology=Topology(types, charges=signs))


def salt(ewald: Ewald) -> ForceField:
    pairs = {("+", "+"): SOFT, ("+", "-"): SOFT, ("-", "-"): SOFT}
    return ForceField(pairs, charges=ewald, temperature=1.0)


def spc_fw(edge: int, box: float) -> tuple[ForceField, Particles]:
    """The water of Wu, Tepper and Voth, J. Chem. Phys. 124, 024503 (2006), on a lattice."""
    rng = np.random.default_rng(1)
    length, angle = 0.1012, np.radians(113.24)
    arms = [[length, 0, 0], [length * np.cos(angle), length * np.sin(angle), 0]]
    positions = []
    for place in np.ndindex(edge, edge, edge):
        oxygen = (np.array(place) + 0.5) * box / edge
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        positions += [oxygen, *(oxygen + turn @ arm for arm in np.array(arms))]
    n = edge**3
    topology = Topology(
        ["O", "H", "H"] * n,
        masses=[15.9994, 1.008, 1.008] * n,
        charges=[-0.82, 0.41, 0.41] * n,
        bonds=[(3 * i, 3 * i + k) for i in range(n) for k in (1, 2)],
        angles=[(3 * i + 1, 3 * i, 3 * i + 2) for i in range(n)],
    )
    oxygen_pair = LennardJones(epsilon=0.650299, sigma=0.3165492, cutoff=0.6, mode="force-shifted")
    field = ForceField(
        {("O", "O"): oxygen_pair, ("H", "O"): None, ("H", "H"): None},
        bonds={("H", "O"): HarmonicBond(k=443153.3, r0=length)},
        angles={("H", "O", "H"): HarmonicAngle(k=317.5656, theta0=angle)},
        charges=Ewald(cutoff=0.6, accuracy=1e-4),
        temperature=300.0,
        units="md",
    )
    return field, Particles(np.array(positions), box=[box] * 3, topology=topology, units="md")


def test_flexible_water_conserves_its_energy() -> None:
    field, lattice = spc_fw(4, 1.2428)
    warm = field.run(lattice, time=1.0, dt=0.0005, seed=1, dynamics=Langevin(friction=5.0))[-1]
    spread = []
    for dt in (0.0005, 0.00025):
        trace = field.run(warm, time=1.0, dt=dt, every=0.01, seed=1, dynamics=NVE())
        energy = trace.log["conserved_energy"]
        drift = np.polyfit(trace.times, energy, 1)[0]
        # In a picosecond, less than 1/1000 of the kinetic energy.
        assert abs(drift) < 1e-3 * trace.log["kinetic_energy"].mean()
        spread.append(energy.std())
    # The error of velocity Verlet is of second order: 4, were it not for the cutoff's own noise.
    assert 3.0 < spread[0] / spread[1] < 5.0


@pytest.mark.parametrize("accuracy", [1e-3, 1e-5])
def test_ions_conserve_their_energy(accuracy: float) -> None:
    field = salt(Ewald(cutoff=2.4, accuracy=accuracy))
    warm = field.run(melt(3), time=3.0, dt=0.005, seed=1)[-1]
    trace = field.run(warm, time=10.0, dt=0.002, every=0.1, seed=1, dynamics=NVE())
    energy = trace.log["conserved_energy"]
    drift = np.polyfit(trace.times, energy, 1)[0] * 10.0
    assert abs(drift) < 3e-4 * trace.log["kinetic_energy"].mean()
    # The pressure of the log is that of the state.
    last = field.evaluate(trace[-1])
    assert last.pressure_tensor is not None
    assert np.allclose(last.pressure_tensor, trace.log["pressure_tensor"][-1], atol=1e-10)
    assert last.energy == pytest.approx(trace.log["potential_energy"][-1], abs=1e-10)


def test_the_barostat_knows_of_charges() -> None:
    # Its conserved quantity counts heat and work: wrong where the virial lacks something.
    field = salt(Ewald(cutoff=2.4, accuracy=1e-6))
    warm = field.run(melt(3), time=3.0, dt=0.005, seed=1)[-1]
    barostat = CellRescale(pressure=0.5, time=1.0, compressibility=0.3)
    trace = field.run(
        warm,
        time=10.0,
        dt=0.002,
        every=0.1,
        seed=2,
        dynamics=NoseHoover(time=0.5),
        barostat=barostat,
    )
    assert trace.log["volume"].std() > 5.0
    assert trace.log["conserved_energy"].std() < 0.02


def test_the_same_bits_with_threads_and_after_a_restart(tmp_path: Path) -> None:
    field, state = salt(Ewald(cutoff=2.4, accuracy=1e-4)), melt(5)
    settings = {"dt": 0.005, "every": 0.05, "seed": 3}
    whole = field.run(state, time=0.2, **settings)  # type: ignore[arg-type]
    before = _core.threads()
    _core.set_threads(2)
    try:
        path = tmp_path / "run.npz"
        field.run(state, time=0.1, checkpoint=path, **settings)  # type: ignore[arg-type]
        resumed = field.run(state, time=0.2, checkpoint=path, **settings)  # type: ignore[arg-type]
    finally:
        _core.set_threads(before)
    assert np.array_equal(whole[-1].positions, resumed[-1].positions)
    for name, values in whole.log.items():
        assert np.array_equal(values, resumed.log[name]), name
    other = state.replace(topology=Topology(state.topology.types, charges=-state.topology.charges))
    with pytest.raises(RegrainError, match="another start"):
        field.run(other, time=0.2, checkpoint=path, **settings)  # type: ignore[arg-type]


@pytest.mark.slow
def test_ions_screen_each_other_as_stillinger_and_lovett_say() -> None:
    # In any conducting liquid S_ZZ(k) -> k^2 / kappa^2, kappa^2 = 4 pi rho q^2 / kT (Stillinger and
    # Lovett, J. Chem. Phys. 49, 1991 (1968)), whatever the ions do to each other at short range.
    state = melt(4)
    trace = salt(Ewald(cutoff=2.4, accuracy=1e-3)).run(
        state, time=320.0, dt=0.008, every=0.16, seed=3, dynamics=Langevin(friction=0.5)
    )[100:]
    box, charges = state.box[0, 0], state.topology.charges
    waves = np.array([w for w in np.ndindex(3, 3, 3) if 0 < sum(k * k for k in w) <= 4])
    shell = (waves**2).sum(axis=1)
    k2 = (2 * np.pi / box) ** 2 * np.arange(1, 5)
    kappa2 = 4 * np.pi * 0.3
    rows = []
    for frame in trace:
        modes = charges @ np.exp(2j * np.pi / box * (frame.positions @ waves.T))
        s = np.abs(modes) ** 2 / len(state)
        rows.append([kappa2 / k2[m - 1] * s[shell == m].mean() for m in range(1, 5)])
    blocks = np.array(rows).reshape(19, 100, 4).mean(axis=1)
    limits = np.array([np.polyfit(k2, block, 1)[1] for block in blocks])
    error = limits.std(ddof=1) / np.sqrt(len(limits))
    assert error < 0.08
    assert abs(limits.mean() - 1.0) < 3 * error
