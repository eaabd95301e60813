"""The hypernetted-chain theory: exact limits, inversions, derivatives."""

import numpy as np
import pytest

from regrain import RegrainError
from regrain.fits.structural.hnc import Liquid, RadialGrid, virial_pressure

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


# ---------------------------------------------------------------- mixtures and molecules

COARSE = RadialGrid(spacing=0.06, points=150)
X = COARSE.r
CORES = np.array([2.0 * np.exp(-(X**2)), 3.0 * np.exp(-1.3 * X**2), 1.5 * np.exp(-0.8 * X**2)])
DENSITIES = (0.35, 0.2)


def inside(length: float) -> np.ndarray:
    """Ω(k) of rigid A-B with this bond."""
    omega = np.tile(np.eye(2), (COARSE.points, 1, 1))
    omega[:, 0, 1] = omega[:, 1, 0] = np.sinc(COARSE.k * length / np.pi)
    return omega


@pytest.mark.parametrize("intra", [None, inside(0.7)])
def test_inversion_returns_the_potentials_of_a_mixture(intra: np.ndarray | None) -> None:
    rho = DENSITIES if intra is None else (0.3, 0.3)
    liquid = Liquid.of_potential(COARSE, CORES, density=rho, intra=intra)
    np.testing.assert_allclose(liquid.potential(), CORES, atol=1e-9)


@pytest.mark.parametrize("intra", [None, inside(0.7)])
def test_the_response_of_a_mixture_is_the_derivative(intra: np.ndarray | None) -> None:
    rho = DENSITIES if intra is None else (0.3, 0.3)
    liquid = Liquid.of_potential(COARSE, CORES, density=rho, intra=intra)
    for changed in range(3):
        bump = np.zeros_like(CORES)
        bump[changed] = np.exp(-((X - 1.2) ** 2) / 0.1)
        up, down = (
            Liquid.of_potential(COARSE, CORES + s * 1e-4 * bump, density=rho, intra=intra).g
            for s in (1, -1)
        )
        wanted = (up - down) / 2e-4
        got = liquid.response(bump.reshape(-1, 1)).reshape(3, -1)
        np.testing.assert_allclose(got, wanted, atol=1e-6 * np.abs(wanted).max())


def test_names_make_no_difference() -> None:
    one = Liquid.of_potential(COARSE, CORES[0], density=0.5)
    two = Liquid.of_potential(COARSE, np.tile(CORES[0], (3, 1)), density=(0.2, 0.3))
    np.testing.assert_allclose(two.g, np.tile(one.g, (3, 1)), atol=1e-11)
    np.testing.assert_allclose(two.direct_correlation()[1], one.direct_correlation(), atol=1e-10)
    # All pairs changed together, each g changes as that of the one liquid.
    bump = np.exp(-((X - 1.2) ** 2) / 0.1)
    together = two.response(np.tile(bump, 3)[:, None]).reshape(3, -1)
    np.testing.assert_allclose(together, np.tile(one.response() @ bump, (3, 1)), atol=1e-9)


def test_molecules_obey_the_site_site_relation() -> None:
    # D. Chandler and H. C. Andersen (1972): h = w c w + w c rho h, w the intramolecular functions.
    liquid = Liquid.of_potential(COARSE, CORES, density=(0.3, 0.3), intra=inside(0.7))
    h, c = (COARSE.to_k(f.T) for f in (liquid.g - 1.0, liquid.direct_correlation()))
    h, c = (m[:, [[0, 1], [1, 2]]] for m in (h, c))
    w = inside(0.7)
    np.testing.assert_allclose(h, w @ c @ w + 0.3 * w @ c @ h, atol=1e-8)


def test_a_bond_without_correlation_is_none() -> None:
    far = inside(1.0)
    far[:, 0, 1] = far[:, 1, 0] = 0.0
    bonded = Liquid.of_potential(COARSE, CORES, density=DENSITIES, intra=far)
    free = Liquid.of_potential(COARSE, CORES, density=DENSITIES)
    np.testing.assert_allclose(bonded.g, free.g, atol=1e-12)


def test_integrals_of_a_mixture_have_its_compressibility() -> None:
    # Kirkwood and Buff (1951) against 1 / (rho kT kappa) = 1 - sum rho_a rho_b c_ab(0) / rho.
    liquid = Liquid.of_potential(COARSE, CORES, density=DENSITIES)
    volume = 4 * np.pi * X**2 * COARSE.spacing
    h, c = (liquid.g - 1.0) @ volume, liquid.direct_correlation() @ volume
    rho = np.array(DENSITIES)
    fluctuations = np.diag(rho) + np.outer(rho, rho) * h[[[0, 1], [1, 2]]]
    kirkwood_buff = rho @ np.linalg.inv(fluctuations) @ rho
    direct = rho.sum() - rho @ c[[[0, 1], [1, 2]]] @ rho
    assert kirkwood_buff == pytest.approx(direct, rel=1e-6)


def test_a_mixture_that_separates_has_no_solution() -> None:
    grid = RadialGrid(spacing=0.12, points=60)
    apart = np.array([[1.0], [8.0], [1.0]]) * np.exp(-(grid.r**2))
    with pytest.raises(RegrainError, match="no solution"):
        Liquid.of_potential(grid, apart, density=(2.0, 2.0))
