"""What cannot be fitted: one clear message each, before anything runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regrain as rg
from regrain.particles import Particles, Table, TableBond, Topology

FORM = Table(r_min=0.0, r_max=2.0, points=21)
FITS = [rg.fits.BoltzmannInversion, rg.fits.IBI, rg.fits.HNCGN]


def fit(**changes: Any) -> rg.fits.StructureFit:
    return rg.fits.IBI(**{"pairs": {("A", "A"): FORM}, "temperature": 1.0, **changes})


@pytest.mark.parametrize("method", FITS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": 0.0}, "temperature is 0.0; give a positive"),
        ({"temperature": -300.0}, "temperature is -300.0"),
        ({"temperature": np.nan}, "temperature is nan"),
        ({"pressure": np.inf}, "pressure is inf"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"smoothing": -0.1}, "smoothing is -0.1"),
        ({"iterations": -1}, "iterations is -1"),
        ({"dt": 0.0}, "dt is 0.0"),
        ({"time": np.nan}, "time is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5; give a whole number"),
    ],
)
def test_settings(method: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        method(**{"pairs": {("A", "A"): FORM}, "temperature": 1.0, **changes})


def test_settings_of_single_methods() -> None:
    with pytest.raises(rg.RegrainError, match="step is 0"):
        rg.fits.IBI(pairs={("A", "A"): FORM}, temperature=1.0, step=0.0)
    with pytest.raises(rg.RegrainError, match="accuracy is -1"):
        rg.fits.HNCGN(pairs={("A", "A"): FORM}, temperature=1.0, accuracy=-1.0)


def test_a_state_is_not_a_trace(gas: rg.Trace[Particles]) -> None:
    with pytest.raises(rg.RegrainError, match="needs a Trace, got Particles"):
        fit()(gas[0])


def test_one_frame(gas: rg.Trace[Particles]) -> None:
    with pytest.raises(rg.RegrainError, match="one frame, which gives no error bars"):
        fit()(gas[:1])


def test_a_pair_of_types_is_missing(gas: rg.Trace[Particles]) -> None:
    names = Topology(["A"] * 100 + ["B"] * 200)
    mixed = gas.map(lambda state: state.replace(topology=names))
    with pytest.raises(rg.RegrainError, match="pairs: nothing is given for A-B, B-B"):
        fit()(mixed)


def test_a_type_that_the_target_does_not_have(gas: rg.Trace[Particles]) -> None:
    with pytest.raises(rg.RegrainError, match="pairs name the type W, but the target has A"):
        fit(pairs={("W", "W"): FORM})(gas)


def test_bonds_that_the_target_does_not_have(gas: rg.Trace[Particles]) -> None:
    form = TableBond(r_min=0.0, r_max=1.0, points=11)
    with pytest.raises(rg.RegrainError, match="bonds: the target has no bond A-A"):
        fit(bonds={("A", "A"): form})(gas)


def test_bonds_that_nothing_is_given_for(chains: Callable[[int], Any]) -> None:
    pairs = {("A", "A"): FORM, ("A", "B"): FORM, ("B", "B"): FORM}
    with pytest.raises(rg.RegrainError, match="bonds: nothing is given for A-B"):
        fit(pairs=pairs)(chains(3))


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({("A",): FORM}, "not a tuple of 2 types"),
        ({"AA": FORM}, "not a tuple of 2 types"),
        ({("A", "A"): TableBond(r_min=0.0, r_max=1.0, points=11)}, "is not a pair potential"),
        ({("A", "A"): 3.0}, "is not a pair potential"),
        ({("A", "B"): FORM, ("B", "A"): FORM}, "are the same; give it once"),
        ({("A", "A"): None}, "nothing to fit"),
    ],
)
def test_pairs_that_make_no_sense(
    gas: rg.Trace[Particles], pairs: dict[Any, Any], message: str
) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        fit(pairs=pairs)(gas)


def test_a_table_beyond_half_the_box(gas: rg.Trace[Particles]) -> None:
    form = Table(r_min=0.0, r_max=3.5, points=36)
    with pytest.raises(rg.RegrainError, match="only up to half its box, 3; give a smaller r_max"):
        fit(pairs={("A", "A"): form})(gas)


def test_a_table_where_there_is_nobody(soft_liquid: rg.Trace[Particles]) -> None:
    scaled = soft_liquid[:20].map(
        lambda s: s.replace(positions=s.positions * 10, box=np.asarray(s.box) * 10)
    )
    form = Table(r_min=0.0, r_max=0.1, points=11)
    with pytest.raises(rg.RegrainError, match=r"zero everywhere in the table.*check the range"):
        fit(pairs={("A", "A"): form})(scaled)


def test_a_table_that_starts_where_particles_still_meet(gas: rg.Trace[Particles]) -> None:
    form = Table(r_min=1.0, r_max=2.0, points=21)
    with pytest.raises(rg.RegrainError, match=r"particles as close as.*give a smaller r_min"):
        fit(pairs={("A", "A"): form})(gas)


def test_too_little_was_sampled() -> None:
    rng = np.random.default_rng(1)
    few = [Particles(rng.random((3, 3)) * 9, box=[9, 9, 9]) for _ in range(3)]
    with pytest.raises(rg.RegrainError, match=r"hardly anything was sampled|zero everywhere"):
        fit(pairs={("A", "A"): Table(r_min=0.0, r_max=2.0, points=201)})(
            rg.Trace(few, times=[0, 1, 2])
        )


def test_a_pressure_without_a_pair_to_change(chains: Callable[[int], Any]) -> None:
    none = {("A", "A"): None, ("A", "B"): None, ("B", "B"): None}
    with pytest.raises(rg.RegrainError, match="the pressure is constrained through pair"):
        fit(
            pairs=none,
            bonds={("A", "B"): TableBond(r_min=0.5, r_max=1.5, points=51)},
            angles={("A", "B", "A"): None, ("B", "A", "B"): None},
            dihedrals={("A", "B", "A", "B"): None},
            pressure=1.0,
        )(chains(3))


def test_a_pressure_out_of_reach(soft_liquid: rg.Trace[Particles]) -> None:
    form = Table(r_min=0.0, r_max=2.5, points=126)
    impossible = rg.fits.HNCGN(
        pairs={("A", "A"): form}, temperature=1.0, pressure=-1e4, dt=0.05, time=10, iterations=3
    )
    with pytest.raises(rg.RegrainError, match=r"kT|coarse run 1"):
        impossible(soft_liquid, progress=False)


def test_a_workdir_that_is_a_file(gas: rg.Trace[Particles], tmp_path: Path) -> None:
    path = tmp_path / "fit"
    path.write_text("mine")
    with pytest.raises(rg.RegrainError, match="is a file; give a directory"):
        fit(iterations=0)(gas, workdir=path)
    assert path.read_text() == "mine"


def test_a_workdir_of_another_fit(gas: rg.Trace[Particles], tmp_path: Path) -> None:
    fit(iterations=0)(gas, workdir=tmp_path)
    with pytest.raises(rg.RegrainError, match=r"temperature was 1.0, is 2.0"):
        fit(iterations=0, temperature=2.0)(gas, workdir=tmp_path)
    with pytest.raises(rg.RegrainError, match=r"holds another fit .*target was"):
        fit(iterations=0)(gas[:20], workdir=tmp_path)
    with pytest.raises(rg.RegrainError, match="method was IBI, is BoltzmannInversion"):
        rg.fits.BoltzmannInversion(pairs={("A", "A"): FORM}, temperature=1.0)(gas, workdir=tmp_path)
    fit(iterations=0)(gas, workdir=tmp_path)  # and the right one still resumes


def test_a_damaged_iteration_is_named(soft_liquid: rg.Trace[Particles], tmp_path: Path) -> None:
    form = Table(r_min=0.0, r_max=2.5, points=51)
    short = fit(pairs={("A", "A"): form}, iterations=1, dt=0.05, time=5.0)
    short(soft_liquid, workdir=tmp_path, progress=False)
    (tmp_path / "iteration-001.npz").write_bytes(b"PK\x03\x04 half")
    with pytest.raises(rg.RegrainError, match=r"iteration-001.npz is damaged"):
        short(soft_liquid, workdir=tmp_path, progress=False)


def test_frames_that_cannot_be_measured_are_named(gas: rg.Trace[Particles]) -> None:
    states = list(gas)
    states[7] = states[7].replace(box=[3.0, 3.0, 3.0])
    with (
        pytest.warns(UserWarning, match="volume of the target changes from 27 to 216"),
        pytest.raises(rg.RegrainError, match=r"half its box, 1.5"),
    ):
        fit()(rg.Trace(states, times=gas.times))


def test_a_run_too_short_for_an_error_bar(soft_liquid: rg.Trace[Particles]) -> None:
    form = Table(r_min=0.0, r_max=2.5, points=51)
    short = fit(pairs={("A", "A"): form}, dt=0.05, time=0.5, every=0.5, equilibration=0.0)
    with pytest.raises(rg.RegrainError, match=r"one frame gives no error bar"):
        short(soft_liquid, progress=False)


def test_a_run_that_goes_wrong_names_the_iteration(soft_liquid: rg.Trace[Particles]) -> None:
    form = Table(r_min=0.0, r_max=2.5, points=51)
    wild = fit(pairs={("A", "A"): form}, dt=5.0, time=500.0, every=50.0)
    with pytest.raises(rg.RegrainError, match=r"coarse run 1 of the fit: .*step"):
        wild(soft_liquid, progress=False)


def test_massless_beads(gas: rg.Trace[Particles]) -> None:
    massless = Topology(["A"] * 300, masses=np.zeros(300))
    with pytest.raises(rg.RegrainError, match="a mass is 0; dynamics needs positive masses"):
        fit()(gas.map(lambda state: state.replace(topology=massless)), progress=False)
