"""Cells that follow the pressure by their edges, against exact laws."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from regrain import RegrainError
from regrain.particles import (
    Brownian,
    CellRescale,
    ForceField,
    Langevin,
    LennardJones,
    Particles,
    Topology,
    fcc,
)

KT = 1.3
IDEAL = ForceField({("A", "A"): None}, temperature=KT)
SMOOTH = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")
CRYSTAL = ForceField({("A", "A"): SMOOTH}, temperature=0.4)


def gas(n: int, edge: float) -> Particles:
    """Particles anywhere in a cube."""
    positions = np.random.default_rng(5).uniform(0, edge, size=(n, 3))
    return Particles(positions, box=3 * [edge], topology=Topology(["A"] * n))


@pytest.mark.parametrize("coupling", ["semi-isotropic", "anisotropic"])
def test_nothing_holds_the_shape_of_an_ideal_gas(coupling: str) -> None:
    # Its logarithm diffuses with 2 kT beta / (3 tau V) per time, along (1, 1, -2) / sqrt(6) and
    # (1, -1, 0) / sqrt(2): under Brownian dynamics, where no kinetic energy fluctuates, these are
    # independent normal numbers.
    n, dt, tau = 200, 0.1, 30.0
    pressure = KT * n / 1000.0
    beta = 1 / pressure
    trace = IDEAL.run(
        gas(n, 10.0),
        time=2000 * dt,
        dt=dt,
        every=dt,
        seed=3,
        dynamics=Brownian(diffusion=0.1),
        barostat=CellRescale(
            pressure=pressure, time=tau, compressibility=beta, every=1, coupling=coupling
        ),
    )
    edges = np.log(np.array([np.diag(s.box) for s in trace]))
    spread = np.sqrt(2 * KT * beta * dt / (3 * tau * trace.log["volume"][:-1]))
    flat = np.diff(edges @ [1, 1, -2]) / (np.sqrt(6) * spread)
    assert stats.kstest(flat, "norm").pvalue > 1e-3
    skew = np.diff(edges @ [1, -1, 0]) / (np.sqrt(2) * spread)
    if coupling == "anisotropic":
        assert stats.kstest(skew, "norm").pvalue > 1e-3
        assert abs((flat * skew).mean()) < 4 / np.sqrt(len(flat))
    else:
        assert np.abs(skew).max() < 1e-9


def test_a_lateral_cell_keeps_its_height() -> None:
    # V^n exp(-P V / kT), a gamma distribution of shape n + 1, as for all edges together.
    n, pressure = 8, KT * 8 / 1000.0
    trace = IDEAL.run(
        gas(n, 10.0),
        time=60_000.0,
        dt=0.1,
        every=90.0,
        seed=3,
        dynamics=Langevin(friction=2.0),
        barostat=CellRescale(
            pressure=pressure, time=30.0, compressibility=1 / pressure, every=1, coupling="lateral"
        ),
        progress=False,
    )
    boxes = np.array([s.box for s in trace])
    assert np.allclose(boxes[:, 2, 2], 10.0, rtol=1e-9)
    assert np.allclose(boxes[:, 0, 0], boxes[:, 1, 1], rtol=1e-9)
    volume = trace.log["volume"][10:] * pressure / KT
    assert stats.kstest(volume, stats.gamma(n + 1).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("coupling", "tension"),
    [("isotropic", 0.0), ("semi-isotropic", 2.0), ("anisotropic", -2.0), ("lateral", 2.0)],
)
def test_a_crystal_feels_pressure_and_tension(coupling: str, tension: float) -> None:
    # The density of states V^N exp(-(U + P V - tension A) / kT) has no mean slope along a free
    # logarithm of an edge: <V (P_kk - P) + tension A + kT> = 0 along x and y, without the tension
    # along z; or the mean of these over edges that go together.
    pressure = 1.0
    trace = CRYSTAL.run(
        fcc(3, density=1.0),
        time=120.0,
        dt=0.004,
        every=0.1,
        seed=7,
        dynamics=Langevin(friction=2.0),
        barostat=CellRescale(
            pressure=pressure,
            time=0.2,
            compressibility=0.02,
            every=2,
            coupling=coupling,
            tension=tension,
        ),
    )[100:]
    volume = trace.log["volume"]
    edges = np.array([np.diag(s.box) for s in trace])
    slope = np.array([np.diag(p) for p in trace.log["pressure_tensor"]]) - pressure
    slope = slope * volume[:, None] + 0.4
    slope[:, :2] += tension * (volume / edges[:, 2])[:, None]
    together = {
        "isotropic": [[0, 1, 2]],
        "semi-isotropic": [[0, 1], [2]],
        "anisotropic": [[0], [1], [2]],
        "lateral": [[0, 1]],
    }[coupling]
    for axes in together:
        x = slope[:, axes].mean(axis=1)
        blocks = x[: len(x) // 20 * 20].reshape(20, -1).mean(axis=1)
        error = blocks.std(ddof=1) / np.sqrt(20)
        # Small beside what tension, pressure and kinetic energy give, 46, 107 and 43.
        assert error < 8.0
        assert abs(x.mean()) < 4 * error
    # Tension widens the crystal, and the sides go together or apart as they should.
    wide = (edges[:, 0] / edges[:, 2]).mean()
    if coupling == "isotropic":
        assert np.allclose(edges, edges[:, :1], rtol=1e-9)
    else:
        assert (wide - 1) * tension > 0.002


def test_the_exchange_of_work_is_reported_for_every_edge() -> None:
    log = CRYSTAL.run(
        fcc(3, density=1.0),
        time=20.0,
        dt=0.002,
        every=0.2,
        seed=5,
        barostat=CellRescale(
            pressure=1.0, time=0.5, compressibility=0.05, coupling="anisotropic", tension=1.0
        ),
    ).log
    total = log["potential_energy"] + log["kinetic_energy"]
    assert log["volume"].std() / log["volume"].mean() > 3e-3
    assert total.std() > 20 * log["conserved_energy"].std()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"coupling": "cubic"}, "coupling: got 'cubic', expected one of 'isotropic', 'semi-iso"),
        ({"tension": 1.0}, 'use coupling="semi-isotropic"'),
        ({"tension": float("nan"), "coupling": "lateral"}, "tension must be a finite number"),
        ({"time": 0.0}, "time must be a positive number"),
    ],
)
def test_bad_barostats(given: dict[str, Any], message: str) -> None:
    usual = {"pressure": 1.0, "time": 1.0, "compressibility": 0.1}
    with pytest.raises(RegrainError, match=message):
        CellRescale(**{**usual, **given})
