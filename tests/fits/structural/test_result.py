"""What a fit hands back, and when it stops."""

import matplotlib as mpl
import numpy as np
import pytest

import regrain as rg
from regrain.fits.structural.records import chi_squared
from regrain.fits.structure import Distribution
from regrain.particles import Particles
from tests.fits.conftest import SOFT

mpl.use("Agg")


@pytest.fixture(scope="module")
def result(soft_liquid: rg.Trace[Particles]) -> rg.fits.Result:
    fit = rg.fits.HNCGN(
        pairs={("A", "A"): SOFT}, temperature=1.0, pressure=1.0, dt=0.05, time=20, iterations=2
    )
    return fit(soft_liquid, progress=False)


def test_the_history_is_a_table(result: rg.fits.Result) -> None:
    lines = str(result.history).splitlines()
    assert len(lines) == 2 + len(result.history)
    heads = ["run", "RMS", "chi2", "pressure", "compressibility", "KB A-A", "max |dU|", "time", "s"]
    assert lines[0].split() == " ".join(heads).split()
    assert lines[1].split()[:2] == ["target", "1"]
    assert all(len(line) == len(lines[0]) for line in lines)
    assert result.history.column("rms").shape == (len(result.history),)
    assert repr(result) == str(result)
    assert result.reason in str(result)


def test_potentials_by_iteration(result: rg.fits.Result) -> None:
    assert len(result.potentials) == len(result.history)
    last = result.potentials[result.best]["pair A-A"]
    assert last == result.model.pairs["A", "A"]
    assert result.errors["pair A-A"].shape == SOFT.grid.shape
    assert np.all(result.errors["pair A-A"] >= 0)
    assert last.energy[-1] == 0.0
    assert result.sampling.dt == 0.05


def test_the_plot_has_one_line_per_iteration(result: rg.fits.Result) -> None:
    ax = result.plot()
    assert len(ax.lines) == len(result.history) + 1
    assert ax.get_xlabel() == "r"
    with pytest.raises(rg.RegrainError, match="there is no 'pair B-B' in this fit"):
        result.plot(label="pair B-B")


def test_a_pressure_that_is_not_known_well_makes_runs_longer(
    soft_liquid: rg.Trace[Particles],
) -> None:
    fit = rg.fits.HNCGN(
        pairs={("A", "A"): SOFT},
        temperature=1.0,
        pressure=1.7,
        pressure_error=1e-4,
        dt=0.05,
        time=5,
        equilibration=0,
        iterations=2,
        tolerance=50,
    )
    found = fit(soft_liquid, progress=False)
    assert not found.converged
    assert found.history.column("time").tolist() == [5.0, 20.0]


@pytest.mark.parametrize("dof", [4.0, 9.0, 1e6])
def test_chi_squared_of_noise_is_one_however_few_the_blocks(
    soft_liquid: rg.Trace[Particles], dof: float
) -> None:
    """Normal values with errors from dof + 1 samples: t-distributed, and yet 1 on average."""
    fit = rg.fits.IBI(pairs={("A", "A"): SOFT}, temperature=1.0)
    problem = fit._problems(soft_liquid)[0]
    target = problem.target["pair A-A"]
    rng = np.random.default_rng(8)
    n = len(target.x)
    values = []
    for _ in range(300):
        exact = Distribution(target.x, target.value, np.full(n, 1e-9), np.full(n, 1e9))
        problem.target["pair A-A"] = exact
        error = 0.01 * np.sqrt(rng.chisquare(dof, n) / dof)
        value = target.value + 0.01 * rng.normal(size=n)
        values.append(
            chi_squared(
                problem, {"pair A-A": Distribution(target.x, value, error, np.full(n, dof))}
            )
        )
    # 300 x ~125 bins; the variance of F(1, 4) is infinite, its mean converges slowly.
    assert np.median(values) == pytest.approx(1.0, abs=0.15)
    if dof > 4:
        assert np.mean(values) == pytest.approx(1.0, abs=0.03)


def test_progress_is_written_line_by_line(
    soft_liquid: rg.Trace[Particles], capsys: pytest.CaptureFixture[str]
) -> None:
    fit = rg.fits.IBI(
        pairs={("A", "A"): SOFT}, temperature=1.0, dt=0.05, time=5, equilibration=0, iterations=1
    )
    found = fit(soft_liquid, progress=True)
    written = capsys.readouterr().err
    assert "RMS" in written
    assert found.history.line(0) in written
