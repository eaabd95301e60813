"""How coarse runs are made when nothing is said, and what happens to hot ones."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain.fits.structural.records import Iteration
from regrain.fits.structural.sampling import Sampling, frequency
from regrain.particles import ForceField, Particles, TableBond, Topology
from regrain.particles.run import Settings, run
from tests.fits.conftest import BOND, LENGTH, SOFT, soft


def test_the_einstein_frequency_is_the_mean_curvature(soft_liquid: rg.Trace[Particles]) -> None:
    problem = rg.fits.IBI(pairs={("A", "A"): SOFT}, temperature=1.0)._problems(soft_liquid)[0]
    term = problem.interactions[0]
    r, g = problem.target[term.label].x, problem.target[term.label].value
    laplacian = 2.0 * (4 * r**2 - 6) * np.exp(-(r**2))  # of 2 exp(-r²)
    inside = r < SOFT.r_max
    curvature = 0.5 * float(np.sum((laplacian * g * 4 * np.pi * r**2)[inside]) * 0.02)
    # The force ends with a small step at the cutoff, which is curvature, too.
    step = 4.0 * SOFT.r_max * np.exp(-(SOFT.r_max**2))
    curvature += 0.5 * 4 * np.pi * SOFT.r_max**2 * step
    got = frequency(problem, term, soft().energy)
    assert got == pytest.approx(np.sqrt(curvature / 3), rel=0.03)


def test_bonds_have_the_frequency_of_their_spring(
    chains: Callable[[int], rg.Trace[Particles]],
) -> None:
    form = TableBond(r_min=0.6, r_max=1.4, points=161)
    known = {"pairs": {("A", "A"): None, ("A", "B"): None, ("B", "B"): None},
             "angles": {("A", "B", "A"): None, ("B", "A", "B"): None},
             "dihedrals": {("A", "B", "A", "B"): None}}  # fmt: skip
    fit = rg.fits.IBI(bonds={("A", "B"): form}, temperature=1.0, **known)
    problem = fit._problems(chains(40))[0]
    term = problem.interactions[0]
    spring = 0.5 * BOND * (form.grid - LENGTH) ** 2
    # Two unit masses on a spring: ω² = 2 k / m.
    assert frequency(problem, term, spring) == pytest.approx(np.sqrt(2 * BOND), rel=0.03)


def test_defaults_scale_with_the_units(soft_liquid: rg.Trace[Particles]) -> None:
    fit = rg.fits.IBI(pairs={("A", "A"): SOFT}, temperature=1.0)
    light = fit._problems(soft_liquid)[0]
    heavy = replace(
        light,
        state=light.state.replace(topology=Topology(["A"] * 256, masses=np.full(256, 100.0))),
    )
    first = {"pair A-A": soft().energy}
    a, b = Sampling.plan(fit, light, first), Sampling.plan(fit, heavy, first)
    assert b.dt == pytest.approx(10 * a.dt, rel=0.1)  # rounded down to one or two digits
    assert b.friction == pytest.approx(a.friction / 10)
    assert round(a.time / a.dt) == 312500  # 8e7 particle steps


def test_what_is_said_is_done(soft_liquid: rg.Trace[Particles]) -> None:
    fit = rg.fits.IBI(
        pairs={("A", "A"): SOFT},
        temperature=1.0,
        time=3.0,
        dt=0.02,
        equilibration=1.0,
        every=0.1,
        friction=0.7,
        seed=9,
    )
    problem = fit._problems(soft_liquid)[0]
    plan = Sampling.plan(fit, problem, {"pair A-A": soft().energy})
    assert plan == Sampling(time=3.0, dt=0.02, equilibration=1.0, every=0.1, friction=0.7, seed=9)
    trace = plan.run(problem, {"pair A-A": soft().energy}, 0, time=3.0, refine=2.0, progress=False)
    assert len(trace) == 30
    assert trace.provenance["dt"] == 0.01
    assert "friction=0.7" in trace.provenance["dynamics"]
    other = plan.run(problem, {"pair A-A": soft().energy}, 1, time=3.0, progress=False)
    assert not np.array_equal(other[-1].positions, trace[-1].positions)


def test_hot_runs_do_not_count(soft_liquid: rg.Trace[Particles]) -> None:
    fit = rg.fits.IBI(pairs={("A", "A"): SOFT}, temperature=1.0)
    problem = fit._problems(soft_liquid)[0]
    cold = Iteration({}, {}, 0.0, 0.1, 0.0, 1.0, {}, None, 0.0, 1.001, 1.0, 1.0)
    hot = replace(cold, temperature=1.05)
    assert fit._stop([problem], [cold]) is not None
    assert fit._stop([problem], [hot]) is None
    assert fit._best([problem], [hot, cold, hot]) == 1


def test_the_best_run_is_not_the_one_with_the_luckiest_pressure(
    soft_liquid: rg.Trace[Particles],
) -> None:
    fit = rg.fits.IBI(pairs={("A", "A"): SOFT}, temperature=1.0, pressure=1.0, pressure_error=0.01)
    problem = fit._problems(soft_liquid)[0]
    lucky = Iteration({}, {}, 1.0, 0.001, 0.0, 5.0, {}, None, 0.0, 1.0, 1.0, 1.0)
    better = replace(lucky, pressure=1.005, chi2=1.3)
    assert fit._stop([problem], [lucky, better]) is None  # 5 errors off
    assert fit._best([problem], [lucky, better]) == 1
    assert fit._best([problem], [lucky, replace(better, pressure=1.5)]) == 0
    reached = replace(better, pressure=1.001, chi2=1.1)
    assert fit._best([problem], [replace(reached, chi2=0.9), better, reached]) == 2
    assert fit._stop([problem], [reached]) is not None


class Here:
    """An engine that is not another one, but counts."""

    def __init__(self) -> None:
        self.runs = 0

    def __repr__(self) -> str:
        return "Here()"

    def run(
        self, model: ForceField, state: Particles, settings: Settings, *, progress: bool
    ) -> rg.Trace[Particles]:
        self.runs += 1
        return run(model, state, settings, progress=progress)


def test_coarse_runs_by_another_engine(soft_liquid: rg.Trace[Particles], tmp_path: Path) -> None:
    engine = Here()
    given = {"pairs": {("A", "A"): SOFT}, "temperature": 1.0, "time": 3.0, "iterations": 1}
    result = rg.fits.IBI(**given, engine=engine)(soft_liquid, workdir=tmp_path / "fit")
    assert engine.runs == 2  # equilibration and run
    assert result.history[0].time == 3.0
    with pytest.raises(rg.RegrainError, match=r"engine was Here\(\), is None"):
        rg.fits.IBI(**given)(soft_liquid, workdir=tmp_path / "fit")
    with pytest.raises(rg.RegrainError, match=r"engine: got 'gromacs', expected one of lammps"):
        rg.fits.IBI(**given, engine="gromacs")
