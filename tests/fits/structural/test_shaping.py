"""Smoothing, widths and walls."""

import numpy as np
import pytest

from regrain.fits.structural.shaping import (
    bandwidth_penalty,
    best_width,
    extrapolate,
    hat_matrix,
    hat_slopes,
    smooth_onto,
)

NODES = np.linspace(0.5, 2.5, 101)
X = 0.01 + 0.02 * np.arange(130)


def test_hats_interpolate_and_differentiate_straight_lines() -> None:
    inside = (NODES[0] < X) & (NODES[-1] > X)
    line = 3.0 * NODES - 1.0
    np.testing.assert_allclose((hat_matrix(NODES, X) @ line)[inside], 3 * X[inside] - 1)
    np.testing.assert_allclose((hat_slopes(NODES, X) @ line)[inside], 3.0)
    assert np.all(hat_matrix(NODES, X)[~inside] == 0)
    assert np.all(hat_slopes(NODES, X)[~inside] == 0)


@pytest.mark.parametrize("wavelength", [0.2, 0.4, 0.8])
def test_a_wave_as_long_as_the_width_is_halved(wavelength: float) -> None:
    # With unit weights the gain at wavelength L is 1 / (1 + (width/L)^4) where L >> spacing.
    nodes = np.arange(800) * 0.005
    wave = np.cos(2 * np.pi * nodes / wavelength)
    penalty = bandwidth_penalty(np.ones(800), np.full(800, 1e9), 0.005, 0.4)
    got = np.linalg.solve(np.eye(800) + penalty, wave)
    middle = slice(250, 550)
    gain = float(got[middle] @ wave[middle] / (wave[middle] @ wave[middle]))
    assert gain == pytest.approx(1 / (1 + (0.4 / wavelength) ** 4), abs=0.01)


def test_where_there_are_few_counts_the_width_grows() -> None:
    rng = np.random.default_rng(2)
    counts = np.where(X < 1.2, 1.0, 1e4)
    noise = rng.normal(size=len(X)) / np.sqrt(counts)
    u = smooth_onto(NODES, X, noise, counts * (NODES[0] < X), width=0.03)
    bends = np.abs(np.diff(u, 2))
    assert bends[NODES[1:-1] < 1.0].max() < 0.05  # the noise has 1, and second differences of 2.4


def test_a_pair_potential_ends_with_zero_value_and_slope() -> None:
    counts = np.where(NODES[-1] > X, 1e4, 0.0)
    u = smooth_onto(NODES, X, np.full(len(X), 0.3), counts, width=0.3, end="zero")
    assert u[-1] == 0.0
    steps = np.abs(np.diff(u))
    assert steps[-1] < 0.8 * steps.max()  # a cliff would have its steepest step at the end
    np.testing.assert_allclose(u[5:60], 0.3, atol=0.01)


def test_a_dihedral_closes() -> None:
    phi = np.linspace(-np.pi, np.pi, 73)
    x = 0.5 * (phi[1:] + phi[:-1])
    u = smooth_onto(phi, x, np.cos(x), np.full(72, 1e4), width=0.05, end="periodic")
    assert u[0] == u[-1]
    np.testing.assert_allclose(u, np.cos(phi), atol=2e-3)


def test_more_noise_asks_for_a_larger_width() -> None:
    rng = np.random.default_rng(3)
    widths = []
    for count in (1e2, 1e4, 1e6):
        noise = rng.normal(size=len(X)) / np.sqrt(count)
        inside = np.where((NODES[0] < X) & (NODES[-1] > X), count, 0.0)
        widths.append(best_width(NODES, X, np.sin(4 * X) + noise, inside))
    assert widths[0] > widths[1] > widths[2]


def test_the_chosen_width_is_about_the_best_there_is() -> None:
    rng = np.random.default_rng(4)
    counts = np.where((X > 0.5) & (X < 2.5), 2e3, 0.0)
    y = np.sin(5 * X) + rng.normal(size=len(X)) / np.sqrt(2e3)
    truth = np.sin(5 * NODES)

    def miss(width: float) -> float:
        return float(np.std(smooth_onto(NODES, X, y, counts, width=width) - truth))

    chosen = miss(best_width(NODES, X, y, counts))
    assert chosen < 1.3 * min(miss(width) for width in np.geomspace(0.03, 1.0, 30))


def test_walls_rise_from_where_samples_end() -> None:
    u = extrapolate(NODES, (NODES - 1.5) ** 2, 20, 80, stiffness=1.0, over=5)
    np.testing.assert_allclose(u, (NODES - 1.5) ** 2, atol=1e-12)
    falling = extrapolate(NODES, NODES.copy(), 20, 100, stiffness=2.0, over=5)
    np.testing.assert_allclose(falling[:20], NODES[20] + (NODES[:20] - NODES[20]) ** 2)
