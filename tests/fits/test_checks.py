"""What a fit notices about its target."""

import warnings

import numpy as np
import pytest

import regrain as rg
from regrain.fits.checks import FrameWatch, look_over, warn_unexcluded
from regrain.particles import Particles, Topology

rng = np.random.default_rng(8)


def gas(frames: int, n: int = 60, edge: float = 4.0) -> list[Particles]:
    return [
        Particles(rng.random((n, 3)) * edge, box=[edge] * 3, forces=rng.normal(size=(n, 3)))
        for _ in range(frames)
    ]


def trace(states: list[Particles]) -> rg.Trace[Particles]:
    return rg.Trace(states, times=np.arange(float(len(states))))


def silent(function: object, *args: object, **settings: object) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function(*args, **settings)  # type: ignore[operator]


def test_independent_frames_pass_in_silence() -> None:
    assert silent(look_over, trace(gas(5)), forces=True, one_density=True).frames == 5  # type: ignore[attr-defined]


def test_duplicated_frames_are_counted() -> None:
    states = gas(4)
    with pytest.warns(UserWarning, match="2 of the 6 frames are exact copies of others"):
        look_over(trace([*states, states[1], states[3]]))


def test_other_forces_at_the_same_positions_are_no_duplicates() -> None:
    state = gas(1)[0]
    again = state.replace(forces=rng.normal(size=(60, 3)))
    watch = FrameWatch(forces=True)
    assert watch.see(state) == watch.see(again)
    rounded = again.replace(positions=state.positions.astype(np.float32), forces=again.forces + 1)
    assert watch.see(rounded) == watch.see(state.replace(forces=again.forces + 2))
    moved = state.replace(positions=state.positions + 1e-4)
    assert watch.see(moved) != watch.see(again.replace(forces=again.forces + 3))
    assert watch.duplicates == 0
    with pytest.warns(UserWarning, match="1 of the 2 frames"):
        look_over(trace([state, again]))


def test_frames_without_forces_are_refused() -> None:
    states = gas(3)
    states[2] = states[2].replace(forces=None)
    with pytest.raises(rg.RegrainError, match="frame 2 has no forces"):
        look_over(trace(states), forces=True)


def test_other_particles_are_refused() -> None:
    states = [*gas(2), *gas(1, n=61)]
    with pytest.raises(rg.RegrainError, match="frame 2 has other particles"):
        look_over(trace(states))


def test_a_box_that_changes_matters_only_to_structure() -> None:
    states = gas(2) + gas(2, edge=4.1)
    silent(look_over, trace(states))
    with pytest.warns(UserWarning, match=r"from 64 to 68.921 \(8 %\)"):
        look_over(trace(states), one_density=True)
    near = gas(2) + gas(2, edge=4.02)  # the fluctuations of a barostat
    silent(look_over, trace(near), one_density=True)


def dimers(frames: int, stiff: float) -> list[Particles]:
    """Forty dumbbells that jump about, bonds of length 0.5."""
    states = []
    for _ in range(frames):
        centre = rng.random((40, 3)) * 4
        axis = rng.normal(size=(40, 3))
        axis /= np.linalg.norm(axis, axis=1)[:, None]
        length = 0.5 + stiff * rng.normal(size=(40, 1))
        both = np.stack([centre, centre + axis * length], axis=1).reshape(-1, 3)
        states.append(Particles(both, box=[4.0] * 3))
    return states


def test_forgotten_exclusions_show_as_pairs_that_stay_together() -> None:
    target = trace(dimers(12, 0.02))
    with pytest.warns(UserWarning, match=r"40 pairs of particles stay 0.49\d* ± 0.0\d* apart"):
        warn_unexcluded(target, exclude=2, reach=1.0)
    bonds = np.arange(80).reshape(-1, 2)
    bonded = target.map(lambda s: s.replace(topology=Topology(["A"] * 80, bonds=bonds)))
    silent(warn_unexcluded, bonded, exclude=2, reach=1.0)
    with pytest.warns(UserWarning, match="Were exclusions forgotten"):
        warn_unexcluded(bonded, exclude=0, reach=1.0)
    silent(warn_unexcluded, target, exclude=2, reach=0.3)  # the peak is beyond the potential


def test_a_liquid_and_a_crystal_are_no_molecules() -> None:
    silent(warn_unexcluded, trace(gas(12)), exclude=2, reach=1.5)
    lattice = rg.particles.fcc(cells=3, density=1.0)
    crystal = [
        lattice.replace(positions=lattice.positions + 0.06 * rng.normal(size=(108, 3)))
        for _ in range(12)
    ]
    silent(warn_unexcluded, trace(crystal), exclude=2, reach=1.5)
    silent(warn_unexcluded, trace(dimers(3, 0.02)), exclude=2, reach=1.0)  # too few frames to tell
