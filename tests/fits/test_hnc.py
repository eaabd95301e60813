"""The hypernetted-chain theory: exact limits, inversions, derivatives."""

import numpy as np
import pytest

from regrain import RegrainError
from regrain.fits.hnc import Liquid, RadialGrid, virial_pressure

GRID = RadialGrid(spacing=0.02, points=512)
R = GRID.r
LENNARD_JONES = 4 / 1.5 * (R**-12.0 - R**-6.0)
GAUSSIAN = 4.0 * np.exp(-(R**2))


def test_the_transform_is_its_own_inverse() -> None:
    f = np.random.default_rng(1).normal(size=(512, 3))
    np.testing.assert_allclose(GRID.to_r(GRID.to_k(f)), f, atol=1e-12)


def test_the_transform_of_a_yukawa_potential() -> None:
    # F[exp(-r)/r] = 4 pi / (1 + k^2); the midpoint rule adds spacing^2 (1 + k^2) / 24 of it.
    grid = RadialGrid(spacing=0.005, points=6000)
    k = grid.k[:300]
    exact = 4 * np.pi / (1 + k**2)
    got = grid.to_k(np.exp(-grid.r) / grid.r)[:300]
    np.testing.assert_allclose(got, exact * (1 + 0.005**2 * (1 + k**2) / 24), rtol=1e-6)


@pytest.mark.parametrize(
    ("energy", "density"), [(GAUSSIAN, 0.5), (GAUSSIAN, 2.0), (LENNARD_JONES, 0.7)]
)
def test_inversion_returns_the_potential(energy: np.ndarray, density: float) -> None:
    liquid = Liquid.of_potential(GRID, energy, density=density)
    seen = liquid.g > 1e-8
    np.testing.assert_allclose(liquid.potential()[seen], energy[seen], atol=1e-6)


@pytest.mark.parametrize(("energy", "density"), [(GAUSSIAN, 0.5), (LENNARD_JONES, 0.8)])
def test_the_response_is_the_derivative_of_the_solution(energy: np.ndarray, density: float) -> None:
    bump = np.exp(-((R - 1.4) ** 2) / 0.1) * (R < 2.5)
    step = 1e-4
    up = Liquid.of_potential(GRID, energy + step * bump, density=density).g
    down = Liquid.of_potential(GRID, energy - step * bump, density=density).g
    wanted = (up - down) / (2 * step)
    got = Liquid.of_potential(GRID, energy, density=density).response() @ bump
    np.testing.assert_allclose(got, wanted, atol=1e-7 * np.abs(wanted).max())


def test_at_low_density_g_is_the_boltzmann_factor() -> None:
    liquid = Liquid.of_potential(GRID, GAUSSIAN, density=1e-7)
    np.testing.assert_allclose(liquid.g, np.exp(-GAUSSIAN), atol=1e-6)
    response = liquid.response()
    np.testing.assert_allclose(np.diag(response), -liquid.g, atol=1e-6)


def test_virial_pressure_of_a_dilute_gas_has_the_second_virial_coefficient() -> None:
    boltzmann, density, kt = np.exp(-GAUSSIAN), 1e-3, 1.3
    force = 8.0 * R * np.exp(-(R**2)) * kt
    second = 2 * np.pi * float(np.sum((1 - boltzmann) * R**2)) * GRID.spacing
    pressure = virial_pressure(R, boltzmann, force, density=density, kt=kt)
    assert pressure == pytest.approx(density * kt * (1 + second * density), rel=1e-6)


def test_the_structure_factor_at_zero_is_the_compressibility() -> None:
    # HNC is not consistent: its virial and compressibility routes agree only to second order.
    grid = RadialGrid(spacing=0.05, points=400)
    energy = 0.5 * np.exp(-(grid.r**2))

    def pressure(density: float) -> float:
        g = Liquid.of_potential(grid, energy, density=density).g
        return virial_pressure(grid.r, g, grid.r * np.exp(-(grid.r**2)), density=density, kt=1.0)

    slope = (pressure(0.0201) - pressure(0.0199)) / 2e-4
    factor = Liquid.of_potential(grid, energy, density=0.02).structure_factor()[0]
    assert 1 / factor == pytest.approx(slope, rel=1e-3)


def test_a_liquid_that_has_no_solution_says_so() -> None:
    well = np.where(R < 1.0, 1e3, np.where(R < 2.0, -5.0, 0.0))  # far inside its spinodal
    with pytest.raises(RegrainError, match="no solution"):
        Liquid.of_potential(GRID, well, density=0.3)


def test_a_g_that_no_liquid_has_is_refused() -> None:
    with pytest.raises(RegrainError, match="structure factor"):
        Liquid(GRID, np.where(R < 2.0, 0.0, 1.0), density=0.9)
