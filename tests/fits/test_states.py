"""Several states at once: one set of potentials, a coarse run for each state."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regrain as rg
from regrain.fits import StatePoint
from regrain.observables import Pressure
from regrain.particles import ForceField, LennardJones, Particles, Table, Topology, fcc

from .conftest import SOFT

FORM = Table(r_min=0.0, r_max=2.0, points=21)
QUICK = {"dt": 0.05, "time": 5.0, "equilibration": 0.0, "seed": 3, "iterations": 2}


def two(trace: rg.Trace[Particles]) -> list[StatePoint]:
    return [
        StatePoint(trace, pressure=1.5),
        StatePoint(trace[::2], temperature=1.4, weight=0.5),
    ]


def ibi(**changes: Any) -> rg.fits.IBI:
    return rg.fits.IBI(**{"pairs": {("A", "A"): SOFT}, "temperature": 1.0, **QUICK, **changes})


def test_one_run_per_state_and_iteration(soft_liquid: rg.Trace[Particles]) -> None:
    result = ibi()(two(soft_liquid), progress=False)
    history = result.history
    assert [record.state for record in history] == [0, 1, 0, 1]
    assert len(history.at(1)) == 2
    np.testing.assert_array_equal(history[2].potentials["pair A-A"],
                                  history[3].potentials["pair A-A"])  # fmt: skip
    assert not np.array_equal(history[0].measured["pair A-A"].value,
                              history[1].measured["pair A-A"].value)  # fmt: skip
    lines = str(history).splitlines()
    assert lines[0].split()[:3] == ["run", "state", "T"]
    assert [line.split()[:3] for line in lines[1:3]] == [["target", "0", "1"],
                                                         ["target", "1", "1.4"]]  # fmt: skip
    assert [line.split()[:2] for line in lines[3:]] == [["1", "0"], ["1", "1"],
                                                        ["2", "0"], ["2", "1"]]  # fmt: skip
    assert [problem.pressure for problem in result.problems] == [1.5, None]
    assert len(result.potentials) == 4
    assert result.model.temperature == 1.0


def test_one_state_is_that_trace(soft_liquid: rg.Trace[Particles]) -> None:
    plain = ibi(iterations=1)(soft_liquid, progress=False)
    point = ibi(iterations=1)([StatePoint(soft_liquid)], progress=False)
    one, other = (fit.history[0].measured["pair A-A"].value for fit in (plain, point))
    np.testing.assert_array_equal(one, other)
    assert str(plain.history).splitlines()[0] == str(point.history).splitlines()[0]


def test_a_fit_stopped_between_two_states_goes_on(
    soft_liquid: rg.Trace[Particles], tmp_path: Path
) -> None:
    whole = ibi()(two(soft_liquid), workdir=tmp_path / "fit", progress=False)
    (tmp_path / "fit" / "iteration-004.npz").unlink()
    again = ibi()(two(soft_liquid), workdir=tmp_path / "fit", progress=False)
    np.testing.assert_array_equal(
        whole.history[3].measured["pair A-A"].value, again.history[3].measured["pair A-A"].value
    )
    with pytest.raises(rg.RegrainError, match=r"holds another fit.*states was"):
        ibi()(two(soft_liquid)[::-1], workdir=tmp_path / "fit", progress=False)


def test_the_boltzmann_step_is_the_weighted_mean(soft_liquid: rg.Trace[Particles]) -> None:
    # With the same g at both states, -kT ln g of each differs by kT alone.
    points = [StatePoint(soft_liquid), StatePoint(soft_liquid, temperature=2.0, weight=3.0)]
    settings = {"pairs": {("A", "A"): SOFT}, "temperature": 1.0, "smoothing": 0.02}
    both = rg.fits.BoltzmannInversion(**settings)(points).model.pairs["A", "A"]
    one = rg.fits.BoltzmannInversion(**settings)(soft_liquid).model.pairs["A", "A"]
    seen = SOFT.grid > 0.3
    np.testing.assert_allclose(both.energy[seen], 1.75 * one.energy[seen], atol=1e-9)


def test_a_pair_needs_to_be_at_one_state_only(gas: rg.Trace[Particles]) -> None:
    names = Topology(["A"] * 100 + ["B"] * 200)
    mixed = gas.map(lambda state: state.replace(topology=names))
    pairs = {("A", "A"): FORM, ("A", "B"): FORM, ("B", "B"): FORM}
    fit = rg.fits.IBI(pairs=pairs, temperature=1.0, dt=0.01, time=0.5, every=0.02, iterations=1)
    result = fit([StatePoint(gas), StatePoint(mixed)], progress=False)
    assert list(result.problems[0].target) == ["pair A-A"]
    assert set(result.model.pairs) == set(pairs)
    assert set(result.errors) == {"pair A-A", "pair A-B", "pair B-B"}
    with pytest.raises(rg.RegrainError, match="pairs name the type B"):
        fit([StatePoint(gas)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": -1.0}, "StatePoint: temperature is -1.0"),
        ({"weight": 0.0}, "StatePoint: weight is 0.0; give a positive"),
        ({"pressure": np.nan}, "StatePoint: pressure is nan"),
    ],
)
def test_settings_of_a_state(
    gas: rg.Trace[Particles], changes: dict[str, float], message: str
) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        StatePoint(gas, **changes)


def test_what_is_no_sequence_of_states(gas: rg.Trace[Particles]) -> None:
    fit = rg.fits.IBI(pairs={("A", "A"): FORM}, temperature=1.0)
    with pytest.raises(rg.RegrainError, match=r"fits.StatePoint\(trace, temperature=…\), got"):
        fit([gas, gas])
    with pytest.raises(rg.RegrainError, match=r"sequence of fits.StatePoint"):
        fit([])
    other = gas.map(lambda s: Particles(s.positions, box=s.box, units="md"))
    with pytest.raises(rg.RegrainError, match=r"different units \(md, reduced\)"):
        fit([StatePoint(gas), StatePoint(other)])
    with pytest.raises(rg.RegrainError, match="there is no state 2"):
        fit.__class__(pairs=fit.pairs, temperature=1.0, iterations=0)(gas).history.at(2)


LJ = Table(r_min=0.8, r_max=2.5, points=69)


def liquid(epsilon: float, temperature: float) -> rg.Trace[Particles]:
    pair = LennardJones(epsilon=epsilon, sigma=1.0, cutoff=2.5, mode="force-shifted")
    field = ForceField({("A", "A"): pair}, temperature=temperature)
    start = field.run(fcc(cells=4, density=0.6), time=5, dt=0.005, every=5, seed=1)[-1]
    return field.run(start, time=50, dt=0.005, every=0.25, seed=2).in_memory()


def fitted(points: list[StatePoint], iterations: int) -> rg.fits.Result:
    fit = rg.fits.IBI(
        pairs={("A", "A"): LJ},
        temperature=1.5,
        seed=3,
        time=40,
        dt=0.005,
        every=0.25,
        iterations=iterations,
        pressure_error=0.05,
    )
    return fit(points, progress=False)


@pytest.mark.slow
def test_one_potential_for_two_temperatures_comes_back() -> None:
    points = [
        StatePoint(trace, temperature=t, pressure=float(Pressure()(trace)))
        for t, trace in ((t, liquid(1.0, t)) for t in (1.5, 1.1))
    ]
    result = fitted(points, 8)
    assert max(result.history.at(k)[-1].chi2 for k in (0, 1)) < 1.8
    truth = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
    seen = (LJ.grid > 0.97) & (LJ.grid < 2.4)
    error = result.model.pairs["A", "A"].energy[seen] - truth.u(LJ.grid[seen])
    assert np.max(np.abs(error)) < 0.15  # kT 1.5 and 1.1
    assert np.sqrt(np.mean(error**2)) < 0.06


@pytest.mark.slow
def test_targets_of_different_potentials_cannot_both_be_met() -> None:
    points = [StatePoint(liquid(1.0, 1.5)), StatePoint(liquid(0.7, 1.1), temperature=1.1)]
    result = fitted(points, 3)
    assert not result.converged
    last = [result.history.at(state)[-1].chi2 for state in (0, 1)]
    assert min(last) > 3.0
