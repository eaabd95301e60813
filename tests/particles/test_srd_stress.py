"""What collisions of a solvent carry across their cells, in the pressure of the log."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from regrain import Trace, _core
from regrain.observables import Pressure, Profile, Viscosity
from regrain.particles import SRD, ForceField, Particles
from tests.particles.solvent import BARE, CHAIN, RULES, fluid

INTERVAL = 0.1


@pytest.mark.parametrize("walls", ["", "z"], ids=["periodic", "walls"])
@pytest.mark.parametrize("name", RULES)
def test_the_stress_is_that_of_momenta_and_places(name: str, walls: str) -> None:
    """Of cells that stay where they are, from the frames alone; beads are free here."""
    edges = (4.0, 5.0, 6.0)
    # So many that no cell has two particles or one, which cannot keep an angular momentum.
    start = fluid(edges, per_cell=20, beads=0 if walls else 4)
    start = start.replace(topology=type(start.topology)(start.topology.types,
                                                        masses=start.topology.masses))  # fmt: skip
    rule = replace(RULES[name], shift=False, walls=walls)
    trace = ForceField({("A", "A"): None}, temperature=1.0).run(
        start, time=0.6, dt=0.02, every=0.1, seed=3, dynamics=rule
    )
    m = start.topology.masses[:, None]
    carried = np.asarray(trace.log["collisional_pressure"])
    kinetic = np.array([(m * s.velocities).T @ s.velocities for s in trace]) / start.volume
    for n, (old, new) in enumerate(pairwise(trace), start=1):
        before = old.velocities.copy()
        if walls:
            height = old.positions[:, 2] + before[:, 2] * INTERVAL
            before[(height < 0) | (height >= edges[2])] *= -1
        gained = m * (new.velocities - before)
        virial = gained.T @ (np.mod(new.positions, 1.0) - 0.5) / INTERVAL / start.volume
        assert np.allclose(carried[n], virial, atol=1e-10 * np.abs(virial).max())
        # What moves is the mean of before and after; turning round changes no product of two.
        all_of_it = 0.5 * (kinetic[n - 1] + kinetic[n]) + virial
        assert np.allclose(trace.log["pressure_tensor"][n], all_of_it, rtol=1e-10, atol=1e-9)
        symmetric = np.abs(virial - virial.T).max() < 1e-9 * np.abs(virial).max()
        assert symmetric == rule.angular_momentum


def at_rest(name: str, frames: int, seed: int, edge: float = 6.0) -> Trace[Particles]:
    rule = RULES[name]
    return BARE.run(
        fluid((edge,) * 3, seed=seed), time=frames * INTERVAL, dt=INTERVAL, every=INTERVAL,
        seed=seed, dynamics=rule,
    )  # fmt: skip


def square_of_one_cell(cells: int, seed: int) -> float:
    """⟨W_xy²⟩ of Andersen's rule with angular momentum, from its definition, cell by cell."""
    rng = np.random.default_rng(seed)
    total = 0.0
    for n in rng.poisson(10.0, cells):
        if n == 0:
            continue
        r, v, drawn = rng.random((n, 3)), rng.normal(size=(n, 3)), rng.normal(size=(n, 3))
        r -= r.mean(axis=0)
        missing = v - drawn
        new = drawn + missing.mean(axis=0)
        if n > 2:
            inertia = np.sum(r * r) * np.eye(3) - r.T @ r
            new += np.cross(np.linalg.solve(inertia, np.cross(r, missing).sum(axis=0)), r)
        total += np.mean(((new - v).T @ r)[~np.eye(3, dtype=bool)] ** 2)
    return total / cells


@pytest.mark.parametrize("name", ["SRD", "MPC-AT-a", "MPC-AT+a"])
def test_the_pressure_is_that_of_an_ideal_gas_and_its_fluctuations_are_the_viscosity(
    name: str,
) -> None:
    """Green and Kubo for what one collision carries: η_col = ⟨W_xy²⟩ / (2 V kT h).

    That is the theory of molecular chaos (Kikuchi et al., J. Chem. Phys. 119, 6388 (2003)), without
    approximation but for MPC-AT+a.
    """
    trace = at_rest(name, 3000, 1)
    volume = 6.0**3
    pressure = Pressure()(trace)
    assert abs(float(pressure) - 10.0) < 3 * pressure.error
    assert pressure.error < 0.05
    carried = np.asarray(trace.log["collisional_pressure"])
    diagonal = np.trace(carried, axis1=1, axis2=2) / 3
    # One collision hardly knows of the next; twice the error of independent ones is ample.
    assert abs(diagonal.mean()) < 6 * diagonal.std() / np.sqrt(len(diagonal))
    virial = carried[:, ~np.eye(3, dtype=bool)]
    found = volume * INTERVAL * np.mean(virial**2) / 2
    if RULES[name].angular_momentum:  # a symmetric tensor: three numbers; and a sum of 20 000 cells
        expected = square_of_one_cell(20000, 7) / (2 * INTERVAL)
        error = np.sqrt(2 / (virial.size / 2) + 0.01**2)
    else:
        expected = 10.0 * RULES[name].theory(density=10.0, temperature=1.0).collisional_viscosity
        error = np.sqrt(2 / virial.size)
    assert abs(found / expected - 1) < 3 * error


@pytest.mark.slow
def test_the_log_of_a_solvent_at_rest_has_all_of_its_viscosity() -> None:
    # As from shear waves (docs/srd.md): 1.013 ± 0.006 of theory.
    trace = at_rest("SRD", 8000, 2)
    found = Viscosity(max_lag=2.0)(trace)
    theory = RULES["SRD"].theory(density=10.0, temperature=1.0)
    assert found.error < 0.05 * theory.viscosity
    assert abs(float(found) - 1.013 * theory.viscosity) < 3 * found.error
    # What moves with the particles is the tenth part.
    kinetic = Trace(
        list(trace), times=trace.times, provenance=trace.provenance, log=dict(trace.log) | {
            "pressure_tensor": trace.log["pressure_tensor"] - trace.log["collisional_pressure"]
        },
    )  # fmt: skip
    part = Viscosity(max_lag=2.0)(kinetic)
    assert float(part) < 0.3 * theory.viscosity


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SRD", "MPC-AT+a"])
def test_the_stress_between_moving_walls_is_viscosity_times_shear_rate(name: str) -> None:
    u, height = 0.4, 8.0
    rule = replace(RULES[name], walls="z", wall_velocity=(u, 0.0, 0.0))
    begin = BARE.run(fluid((8.0, 8.0, height)), time=30.0, dt=0.1, every=30.0, dynamics=rule)[-1]
    trace = BARE.run(begin, time=300.0, dt=0.1, every=0.2, seed=2, dynamics=rule)
    theory = rule.theory(density=10.0, temperature=1.0)
    flow = Profile("velocity", axis="z", component="x", bins=16)(trace[::10])
    z, v = np.asarray(flow.coords["z"])[2:-2], flow.value[2:-2]
    rate = np.polyfit(z, v, 1)[0]
    stress = -np.asarray(trace.log["pressure_tensor"])[:, 0, 2].reshape(20, -1).mean(axis=1)
    error = stress.std(ddof=1) / np.sqrt(20)
    assert error < 0.03 * theory.viscosity * rate
    # 3 % for what theory leaves out (docs/srd.md) and for the slope of the profile.
    assert abs(stress.mean() / rate - theory.viscosity) < (
        3 * error / rate + 0.04 * theory.viscosity
    )
    collisional = -np.asarray(trace.log["collisional_pressure"])[:, 0, 2].mean() / stress.mean()
    share = theory.collisional_viscosity / theory.kinematic_viscosity
    assert collisional == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize("name", RULES)
def test_the_log_has_the_same_bits_on_any_threads_and_after_a_checkpoint(
    name: str, tmp_path: Path
) -> None:
    start = fluid((8.0, 8.0, 24.0), beads=6)

    def logs(time: float, path: Path | None = None, every: float = 0.12) -> list[bytes]:
        trace = CHAIN.run(start, time=time, dt=0.02, every=every, dynamics=RULES[name], seed=3,
                          checkpoint=path)  # fmt: skip
        return [column.tobytes() for _, column in sorted(trace.log.items())]

    threads = _core.threads()
    try:
        _core.set_threads(1)
        whole = logs(0.96)
        for team in (2, 3):
            _core.set_threads(team)
            path = tmp_path / f"{team}.npz"
            logs(0.48, path)
            assert logs(0.96, path) == whole
    finally:
        _core.set_threads(threads)


def test_looking_does_not_disturb() -> None:
    start = fluid((4.0, 4.0, 4.0))
    rule = SRD(solvent="S", cell=1.0, interval=0.1)
    often = BARE.run(start, time=2.0, dt=0.05, every=0.05, seed=1, dynamics=rule)
    once = BARE.run(start, time=2.0, dt=0.05, every=2.0, seed=1, dynamics=rule)
    assert np.array_equal(often[-1].velocities, once[-1].velocities)
    tensors = [np.asarray(trace.log["pressure_tensor"])[-1] for trace in (often, once)]
    assert np.array_equal(*tensors)
