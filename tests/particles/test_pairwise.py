"""Thermostats of pairs against exact and published numbers of dissipative particle dynamics."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from regrain import RegrainError, _core
from regrain.particles import (
    DPD,
    NVE,
    CellRescale,
    ForceField,
    Langevin,
    LoweAndersen,
    Particles,
    Shear,
    Soft,
    Topology,
    fcc,
    neighbor_list,
)
from regrain.particles.dynamics import Dynamics
from regrain.trace import Trace

WATER = ForceField({("A", "A"): Soft(a=25.0, cutoff=1.0)}, temperature=1.0)
IDEAL = ForceField({("A", "A"): None}, temperature=1.0)
SHARDLOW = DPD(integrator="shardlow")
ALL = (DPD(), DPD(predictor=0.5), SHARDLOW, LoweAndersen(rate=10.0))


def run(field: ForceField, dynamics: Dynamics, dt: float, steps: int = 2000) -> Trace[Particles]:
    """Some steps of 2048 particles at density 3 that have forgotten the crystal."""
    start = field.run(
        fcc(8, density=3.0), time=4.0, dt=0.02, every=4.0, dynamics=DPD(predictor=0.5), seed=1
    )[-1]
    return field.run(start, time=steps * dt, dt=dt, every=10 * dt, dynamics=dynamics, seed=2)


def mean(values: NDArray[np.float64]) -> tuple[float, float]:
    """With the standard error of ten blocks, the first tenth left out."""
    kept = values[len(values) // 10 :]
    blocks = kept[: len(kept) // 10 * 10].reshape(10, -1).mean(axis=1)
    return float(blocks.mean()), float(blocks.std(ddof=1) / math.sqrt(10))


def temperature(trace: Trace[Particles]) -> tuple[float, float]:
    return mean(trace.log["temperature"])


def pressure(trace: Trace[Particles]) -> tuple[float, float]:
    return mean(np.trace(trace.log["pressure_tensor"], axis1=1, axis2=2) / 3)


def structure(trace: Trace[Particles]) -> NDArray[np.float64]:
    """g(r) below the cutoff, in eight shells of equal volume."""
    edges = np.cbrt(np.linspace(0.0, 1.0, 9))
    states = trace[len(trace) // 10 :: 4]
    counts = sum(
        np.histogram(neighbor_list(s, cutoff=1.0).distances, bins=edges)[0] for s in states
    )
    n, volume = len(states[0]), np.prod(np.diag(states[0].box))
    ideal = 0.5 * n * (n - 1) / volume * 4 / 3 * np.pi * np.diff(edges**3)
    return np.asarray(counts / (ideal * len(states)))


def diffusion(trace: Trace[Particles], early: float, late: float) -> float:
    """From the growth of the mean square displacement between two times."""
    unwrapped = np.array([s.positions + s.images @ s.box for s in trace])
    spacing = trace.times[1] - trace.times[0]
    msd = [
        ((unwrapped[lag:] - unwrapped[:-lag]) ** 2).sum(axis=2).mean()
        for lag in (round(early / spacing), round(late / spacing))
    ]
    return float((msd[1] - msd[0]) / (6 * (late - early)))


@pytest.mark.slow
def test_the_fluid_of_groot_and_warren() -> None:
    trace = run(WATER, DPD(), 0.04, steps=3000)
    measured, error = temperature(trace)
    assert error < 0.004
    assert abs(measured - 1.0) < 0.01
    # p = rho kT + alpha a rho^2 with alpha = 0.101 +- 0.001 at high densities (J. Chem. Phys. 107,
    # 4423, eq. 16); their figure 4 shows that at rho = 3 it is still lower by up to a tenth.
    p, error = pressure(trace)
    assert error < 0.05
    assert 0.09 < (p - 3.0) / (25.0 * 9.0) < 0.102
    # A gas at this friction has more than 0.53 (their eq. 37); repulsion leaves about 0.3.
    assert abs(diffusion(trace, 4.0, 12.0) - 0.30) < 0.02


@pytest.mark.slow
def test_the_equation_of_state_at_a_higher_density() -> None:
    start = fcc(8, density=6.0)
    trace = WATER.run(start, time=24.0, dt=0.02, every=0.2, dynamics=DPD(), seed=3)
    p, error = pressure(trace)
    assert error < 0.2
    assert abs((p - 6.0) / (25.0 * 36.0) - 0.101) < 0.002


@pytest.mark.slow
def test_how_wrong_the_temperature_is() -> None:
    # Without a repulsion Shardlow's exchanges leave the distribution of Maxwell as it is at any
    # time step; forces of predicted velocities do not.
    for dynamics in (SHARDLOW, LoweAndersen(rate=3.0)):
        measured, error = temperature(run(IDEAL, dynamics, 0.1, steps=1000))
        assert error < 0.005
        assert abs(measured - 1.0) < 4 * error
    for predictor, low, high in ((0.5, 0.08, 0.14), (0.65, 0.05, 0.10)):
        measured, error = temperature(run(IDEAL, DPD(predictor=predictor), 0.1, steps=1000))
        assert low < measured - 1.0 < high
    # With it, lambda = 1/2 is some 2 % too hot at 0.04 (Groot and Warren's figure 1).
    measured, error = temperature(run(WATER, DPD(predictor=0.5), 0.04, steps=1000))
    assert 0.015 < measured - 1.0 < 0.04


@pytest.mark.slow
def test_an_ideal_gas_has_no_structure() -> None:
    # 8 shells of some 1.2e6 pairs in 180 frames, few of which are independent.
    for dynamics in (SHARDLOW, LoweAndersen(rate=3.0)):
        assert np.abs(structure(run(IDEAL, dynamics, 0.1)) - 1.0).max() < 0.012
    # Forces that depend on how long the step is make one (Vattulainen, Karttunen, Besold and
    # Polson, J. Chem. Phys. 116, 3967 (2002)): 3 % in the first shell, give or take 0.4 %.
    assert np.abs(structure(run(IDEAL, DPD(predictor=0.5), 0.1)) - 1.0).max() > 0.02


@pytest.mark.slow
def test_what_is_sampled_does_not_depend_on_the_thermostat() -> None:
    cases: tuple[tuple[Dynamics, float], ...] = (
        (Langevin(friction=1.0), 0.01),
        (DPD(friction=4.5), 0.01),
        (DPD(friction=20.0), 0.01),
        (SHARDLOW, 0.01),
        (LoweAndersen(rate=10.0), 0.01),
    )
    traces = [run(WATER, dynamics, dt) for dynamics, dt in cases]
    energies = [mean(t.log["potential_energy"] / 2048) for t in traces]
    shapes = [structure(t) for t in traces]
    for (u, error), shape in zip(energies[1:], shapes[1:], strict=True):
        u0, error0 = energies[0]
        assert max(error, error0) < 0.006
        assert abs(u - u0) < 4 * math.hypot(error, error0)
        assert np.abs(shape - shapes[0]).max() < 0.02


@pytest.mark.slow
def test_diffusion_is_that_of_theory_where_friction_is_weak() -> None:
    # D = 45 kT / (2 pi gamma rho rc^3) (Groot and Warren, eq. 37, after Marsh) is the mean field of
    # many weak encounters.
    theory = 45 / (2 * np.pi * 0.6 * 3.0)
    for dynamics in (DPD(friction=0.6), DPD(friction=0.6, integrator="shardlow")):
        trace = run(IDEAL, dynamics, 0.04, steps=5000)
        # 2048 particles for 8 times the 12 of a displacement: 2 % in the square.
        assert abs(diffusion(trace, 12.0, 24.0) / theory - 1.0) < 0.08


@pytest.mark.slow
def test_pressure_holds_under_a_barostat() -> None:
    barostat = CellRescale(pressure=23.65, time=2.0, compressibility=0.02)
    trace = WATER.run(
        fcc(6, density=3.0),
        time=60.0,
        dt=0.04,
        every=0.4,
        dynamics=DPD(),
        barostat=barostat,
        seed=4,
    )
    density, error = mean(864 / trace.log["volume"])
    assert error < 0.01
    assert abs(density - 3.0) < 0.03


@pytest.mark.parametrize("dynamics", ALL, ids=repr)
def test_the_same_bits_with_threads_and_checkpoints(dynamics: Dynamics, tmp_path: Path) -> None:
    start = fcc(12, density=3.0)  # more than one chunk of work
    before = _core.threads()
    ends = []
    for threads, times in ((1, (0.4,)), (2, (0.2, 0.4)), (3, (0.4,))):
        _core.set_threads(threads)
        path = tmp_path / f"{threads}.npz"
        for time in times:
            trace = WATER.run(
                start, time=time, dt=0.02, every=0.1, dynamics=dynamics, seed=5, checkpoint=path
            )
        ends.append(trace)
    _core.set_threads(before)
    for one, other in itertools.pairwise(ends):
        assert np.array_equal(one[-1].positions, other[-1].positions)
        assert np.array_equal(one[-1].velocities, other[-1].velocities)
        for name in one.log:
            assert np.array_equal(one.log[name], other.log[name])


@pytest.mark.parametrize("dynamics", ALL, ids=repr)
def test_momentum_is_conserved(dynamics: Dynamics) -> None:
    trace = WATER.run(fcc(6, density=3.0), time=4.0, dt=0.04, every=4.0, dynamics=dynamics)
    assert trace[-1].velocities is not None
    assert np.abs(trace[-1].velocities.sum(axis=0)).max() < 1e-11


def test_friction_by_pair_of_types() -> None:
    field = ForceField(dict.fromkeys((("A", "A"), ("A", "B"), ("B", "B"))), temperature=1.0)
    start = fcc(4, density=3.0)
    types = np.where(np.arange(len(start)) % 2, "A", "B")
    mixed = start.replace(topology=Topology(types))
    by_types = DPD(friction={("B", "A"): 4.5, ("A", "A"): 4.5, ("B", "B"): 4.5})
    assert by_types == DPD(friction={("A", "A"): 4.5, ("A", "B"): 4.5, ("B", "B"): 4.5})
    assert eval(repr(by_types)) == by_types
    ends = [
        field.run(mixed, time=0.2, dt=0.01, every=0.2, dynamics=dynamics)[-1].positions
        for dynamics in (by_types, DPD(friction=4.5), DPD(friction=9.0))
    ]
    assert np.array_equal(ends[0], ends[1])
    assert not np.array_equal(ends[0], ends[2])
    with pytest.raises(RegrainError, match="says nothing of the pair A-B"):
        field.run(
            mixed,
            time=1.0,
            dt=0.01,
            every=1.0,
            dynamics=DPD(friction={("A", "A"): 4.5, ("B", "B"): 4.5}),
        )


def test_bad_input() -> None:
    with pytest.raises(RegrainError, match=r"friction: got -1\.0"):
        DPD(friction=-1.0)
    with pytest.raises(RegrainError, match=r"friction\[A-B\]: got nan"):
        DPD(friction={("A", "B"): math.nan})
    with pytest.raises(RegrainError, match="friction names A-B twice"):
        DPD(friction={("A", "B"): 1.0, ("B", "A"): 1.0})
    with pytest.raises(RegrainError, match="two type names"):
        DPD(friction={("A", "B", "C"): 1.0})  # type: ignore[dict-item]
    with pytest.raises(RegrainError, match="integrator: got 'euler', expected one of verlet"):
        DPD(integrator="euler")
    with pytest.raises(RegrainError, match="predictor"):
        DPD(predictor=1.5)
    with pytest.raises(RegrainError, match="cutoff"):
        DPD(cutoff=0.0)
    with pytest.raises(RegrainError, match="exponent"):
        DPD(exponent=0.0)
    with pytest.raises(RegrainError, match="rate"):
        LoweAndersen(rate=0.0)

    def refused(message: str, field: ForceField, dynamics: Dynamics, dt: float = 0.01) -> None:
        with pytest.raises(RegrainError, match=message):
            field.run(fcc(3, density=3.0), time=1.0, dt=dt, every=1.0, dynamics=dynamics)

    refused("DPD noise with a zero temperature", WATER, DPD(temperature=0.0))
    refused("zero temperature", WATER, LoweAndersen(rate=1.0, temperature=0.0))
    no_temperature = ForceField({("A", "A"): None})
    refused("needs a temperature", no_temperature, DPD())
    refused("more than half of the box", WATER, DPD(cutoff=1.8))
    refused("more than half of the box", WATER, LoweAndersen(rate=1.0, cutoff=1.8))
    refused("rate \\* dt", WATER, LoweAndersen(rate=200.0))
    twice = fcc(3, density=3.0)
    places = twice.positions.copy()
    places[5] = places[9]
    with pytest.raises(RegrainError, match="particles 5 and 9 are at the same place"):
        WATER.run(twice.replace(positions=places), time=1.0, dt=0.01, every=1.0, dynamics=DPD())
    with pytest.raises(RegrainError, match=r"barostat|thermostat"):
        WATER.run(
            fcc(3, density=3.0),
            time=1.0,
            dt=0.01,
            every=1.0,
            dynamics=NVE(),
            barostat=CellRescale(pressure=1.0, time=1.0, compressibility=0.1),
        )


# An exchange changes velocities beside the flow; counted as heat of those in the laboratory, what
# the viscosity of the thermostat takes from the flow would be missing: 0.01 kT per particle and
# step.
@pytest.mark.parametrize(
    "dynamics", [LoweAndersen(rate=5.0), DPD(friction=10.0, integrator="shardlow")]
)
def test_the_heat_of_exchanges_under_a_flow(dynamics: LoweAndersen | DPD) -> None:
    trace = IDEAL.run(
        fcc(5, density=4.0), time=1.0, dt=0.02, every=0.1, seed=3, dynamics=dynamics,
        flow=Shear(rate=1.0),
    )  # fmt: skip
    assert np.ptp(trace.log["conserved_energy"]) < 1e-9 * 500


# In the middle of a step velocities hold half a kick of noise too much: a barostat that took those
# for the pressure kept this gas 0.16 below what it was asked for.
def test_a_barostat_sees_velocities_without_half_a_kick_of_noise() -> None:
    gas = ForceField({("A", "A"): Soft(a=5.0, cutoff=1.0)}, temperature=1.0)
    trace = gas.run(
        fcc(4, density=2.6), time=160.0, dt=0.04, every=0.2, seed=1, dynamics=DPD(friction=9.0),
        barostat=CellRescale(pressure=6.0, time=1.0, compressibility=0.1, every=2),
    )  # fmt: skip
    value, error = pressure(trace)
    assert error < 0.05
    assert value == pytest.approx(6.0, abs=3 * error)
