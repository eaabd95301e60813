"""Runs: reproducible to the bit, resumable to the bit, and stopped with a reason."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regrain import RegrainError, Trace, _core
from regrain.particles import (
    NVE,
    Brownian,
    CellRescale,
    ForceField,
    GeneralizedLangevin,
    Langevin,
    LennardJones,
    NoseHoover,
    Particles,
    Table,
    fcc,
)
from regrain.particles.dynamics import Dynamics

LJ = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
LIQUID = ForceField({("A", "A"): LJ}, temperature=1.2)
BAROSTAT = CellRescale(pressure=1.0, time=0.5, compressibility=0.1)
CASES = [
    (NVE(), None),
    (Langevin(friction=2.0), None),
    (NoseHoover(time=0.3), None),
    (Langevin(friction=2.0), BAROSTAT),
    (NoseHoover(time=0.3), BAROSTAT),
    (Langevin(friction={"A": 2.0}), replace(BAROSTAT, coupling="anisotropic")),
    (Brownian(diffusion=0.01), None),
    (Brownian(friction=100.0), replace(BAROSTAT, coupling="semi-isotropic", tension=1.0)),
    (GeneralizedLangevin(strengths=(20.0, 1.0), times=(0.1, 2.0)), None),
    (GeneralizedLangevin(strengths=(5.0,), times=(0.2,)), BAROSTAT),
]


def bits(trace: Trace[Particles]) -> bytes:
    """All that a trace holds, as bytes."""
    parts = [np.asarray(array).tobytes() for s in trace for _, array in s.arrays().values()]
    logs = [column.tobytes() for _, column in sorted(trace.log.items())]
    return b"".join(parts + logs)


@pytest.mark.parametrize(("dynamics", "barostat"), CASES)
def test_the_bits_do_not_depend_on_threads(
    dynamics: Dynamics, barostat: CellRescale | None
) -> None:
    def go() -> bytes:
        start = fcc(cells=3, density=0.7)
        return bits(
            LIQUID.run(
                start,
                time=0.5,
                dt=0.005,
                every=0.1,
                seed=3,
                dynamics=dynamics,
                barostat=barostat,
                skin=0.1,
            )
        )

    before = _core.threads()
    try:
        _core.set_threads(1)
        one = go()
        _core.set_threads(3)
        assert go() == one
    finally:
        _core.set_threads(before)


@pytest.mark.parametrize(("dynamics", "barostat"), CASES)
def test_a_resumed_run_has_the_bits_of_one_that_never_stopped(
    dynamics: Dynamics, barostat: CellRescale | None, tmp_path: Path
) -> None:
    # A thin skin, so that the stop falls between rebuilds of the neighbour list.
    start = fcc(cells=3, density=0.7)

    def go(time: float, checkpoint: Path | None) -> Trace[Particles]:
        return LIQUID.run(
            start,
            time=time,
            dt=0.005,
            every=0.1,
            seed=3,
            dynamics=dynamics,
            barostat=barostat,
            skin=0.1,
            checkpoint=checkpoint,
        )

    whole = go(0.8, None)
    path = tmp_path / "run.npz"
    assert bits(go(0.335, path)) == bits(whole[:3])
    continued = go(0.8, path)
    assert continued.provenance["continued"] == 1
    assert bits(continued) == bits(whole)
    # A third call has nothing left to do.
    assert bits(go(0.8, path)) == bits(whole)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    start = fcc(cells=2, density=0.1)
    path = tmp_path / "run.npz"
    LIQUID.run(start, time=0.1, dt=0.01, checkpoint=path)
    with pytest.raises(RegrainError, match=r"another run.*another dt"):
        LIQUID.run(start, time=0.1, dt=0.005, every=0.1, checkpoint=path)
    with pytest.raises(RegrainError, match="another force field"):
        LIQUID.replace(temperature=2.0).run(start, time=0.1, dt=0.01, checkpoint=path)
    with pytest.raises(RegrainError, match="another start"):
        LIQUID.run(fcc(cells=2, density=0.2), time=0.1, dt=0.01, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RegrainError, match="damaged"):
        LIQUID.run(start, time=0.1, dt=0.01, checkpoint=path)


def test_a_full_disk_does_not_cost_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = fcc(cells=2, density=0.1)
    with pytest.raises(RegrainError, match="there is no directory"):
        LIQUID.run(start, time=0.1, dt=0.01, checkpoint=tmp_path / "nowhere" / "run.npz")

    def full(*_: object, **__: object) -> None:
        raise RegrainError("run.npz cannot be written: No space left on device")

    monkeypatch.setattr("regrain.slices.save_arrays", full)
    with pytest.warns(RuntimeWarning, match="No space left"):
        trace = LIQUID.run(start, time=0.1, dt=0.01, checkpoint=tmp_path / "run.npz")
    assert len(trace) == 10


@pytest.mark.parametrize("coupling", ["isotropic", "anisotropic"])
@pytest.mark.parametrize(("density", "pressure"), [(0.3, 8.0), (0.9, 0.3)])
def test_neighbours_are_right_while_the_box_changes(
    density: float, pressure: float, coupling: str
) -> None:
    # Twice as dense or half as dense in the end, and skewed: the lists of the run against fresh
    # ones of each frame.
    shear = np.array([[1.0, 0.0, 0.0], [0.4, 1.0, 0.0], [-0.3, 0.2, 1.0]])
    start = fcc(4, density=density)
    start = start.replace(positions=start.positions @ shear, box=start.box @ shear)
    barostat = CellRescale(
        pressure=pressure, time=0.4, compressibility=0.15, every=2, coupling=coupling
    )
    trace = LIQUID.run(start, time=5.0, dt=0.004, every=0.1, seed=1, barostat=barostat)
    assert not 0.7 < trace.log["volume"][-1] / start.volume < 1.4
    fresh = [LIQUID.evaluate(state).energy for state in trace]
    assert np.allclose(fresh, trace.log["potential_energy"], rtol=1e-12)


def test_a_step_that_throws_a_particle_far_is_named() -> None:
    pair = Particles([[0.0, 0.0, 0.0], [0.3, 0.0, 0.0]], box=[9.0, 9.0, 9.0])
    with pytest.raises(RegrainError, match=r"step 1: particle \d at .* moves by"):
        LIQUID.run(pair, time=1.0, dt=0.005)


def test_a_fine_start_survives_in_the_core_of_a_table() -> None:
    grid = Table(r_min=0.9, r_max=2.5, points=200)
    table = grid.with_energy(LennardJones(epsilon=1, sigma=1, cutoff=3).u(grid.grid))
    close = Particles([[0.0, 0.0, 0.0], [0.6, 0.0, 0.0]], box=[9.0, 9.0, 9.0])
    field = ForceField({("A", "A"): table}, temperature=1.0)
    trace = field.run(close, time=1.0, dt=0.002, seed=1)
    assert np.isfinite(trace[-1].positions).all()
    hard = field.replace(pairs={("A", "A"): Table(**{**vars(table), "core": "error"})})
    with pytest.raises(RegrainError, match=r"0.6"):
        hard.run(close, time=1.0, dt=0.002, seed=1)


def test_a_late_mishap_names_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two particles fly towards each other for a while, at a speed that no time step survives.
    monkeypatch.setattr("regrain.slices._CHECKPOINT_SECONDS", 0.0)
    pair = Particles(
        [[0.0, 0.0, 0.0], [400.0, 0.0, 0.0]],
        box=[1000.0] * 3,
        velocities=[[20.0, 0.0, 0.0], [-20.0, 0.0, 0.0]],
    )
    path = tmp_path / "run.npz"
    with pytest.raises(RegrainError) as caught:
        LIQUID.run(pair, time=20.0, dt=0.01, every=1.0, dynamics=NVE(), checkpoint=path)
    message = str(caught.value)
    assert re.search(r"after step (9\d\d|10\d\d), time", message)
    assert f"the last checkpoint, {path}, is of time" in message
    assert 0 < float(message.rsplit(" ", 1)[1]) < 10
    assert path.exists()


def test_frames_and_their_log_belong_together() -> None:
    trace = LIQUID.run(fcc(cells=3, density=0.7), time=0.5, dt=0.005, every=0.1, seed=3)
    assert np.allclose(trace.times, [0.1, 0.2, 0.3, 0.4, 0.5])
    for k, state in enumerate(trace):
        found = LIQUID.evaluate(state)
        assert found.energy == pytest.approx(trace.log["potential_energy"][k], rel=1e-12)
        assert found.pressure_tensor is not None
        assert np.allclose(found.pressure_tensor, trace.log["pressure_tensor"][k], atol=1e-12)
        assert state.images is not None
        fractional = state.positions / np.diag(state.box)
        assert (fractional >= 0).all()
        assert (fractional < 1).all()
    assert trace.provenance["wall_time"] > 0
    assert ForceField.from_dict(trace.provenance["model"]) == LIQUID


def test_the_trajectory_does_not_depend_on_how_often_it_is_looked_at() -> None:
    start = fcc(cells=3, density=0.7)
    often = LIQUID.run(start, time=0.4, dt=0.005, every=0.005, seed=3, barostat=BAROSTAT)
    once = LIQUID.run(start, time=0.4, dt=0.005, every=0.4, seed=3, barostat=BAROSTAT)
    assert np.array_equal(often[-1].positions, once[-1].positions)
    assert np.array_equal(often[-1].velocities, once[-1].velocities)


@pytest.mark.parametrize("dynamics", [NVE(), Langevin(friction=2.0), NoseHoover(time=0.3)])
def test_frozen_particles_stay_and_have_no_degrees_of_freedom(dynamics: Dynamics) -> None:
    start = fcc(cells=3, density=0.7)
    which = np.arange(0, len(start), 3)
    trace = LIQUID.run(
        start, time=0.5, dt=0.005, every=0.1, seed=3, dynamics=dynamics, frozen=which
    )
    moving = np.setdiff1d(np.arange(len(start)), which)
    for k, state in enumerate(trace):
        assert np.allclose(state.unwrapped[which], start.unwrapped[which], rtol=0, atol=1e-12)
        assert np.all(state.velocities[which] == 0.0)
        assert np.all(np.abs(state.unwrapped - start.unwrapped)[moving].max(axis=1) > 1e-3)
        kinetic = 0.5 * (state.velocities**2).sum()
        # Frozen ones take up momentum, so that all of the others' components are free.
        assert trace.log["temperature"][k] == pytest.approx(2 * kinetic / (3 * len(moving)))
    assert trace.provenance["frozen"] == which.tolist()


def test_what_to_freeze_is_checked() -> None:
    start = fcc(cells=2, density=0.1)

    def go(**settings: Any) -> Trace[Particles]:
        return LIQUID.run(start, time=0.1, dt=0.01, **settings)

    for frozen, message in (
        ("B", r"no particle has the type 'B'"),
        ([0, 32], r"there is no particle 32 among 32"),
        ([-1], r"there is no particle -1"),
        ([0.5], r"expected indices of particles or type names"),
        ("A", r"all particles are frozen"),
    ):
        with pytest.raises(RegrainError, match=message):
            go(frozen=frozen)
    with pytest.raises(RegrainError, match="a barostat would move frozen particles"):
        go(frozen=[0], barostat=BAROSTAT)
    mask = np.arange(32) < 3
    assert bits(go(frozen=mask)) == bits(go(frozen=[2, 0, 1]))
    with pytest.raises(RegrainError, match="precision: got 'half'"):
        go(precision="half")
    with pytest.raises(RegrainError, match="dynamics: got 'NVE', expected dynamics such as"):
        go(dynamics="NVE")
