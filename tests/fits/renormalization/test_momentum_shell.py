"""The momentum-shell flow against the epsilon expansion and the bootstrap."""

import numpy as np
import pytest

import regrain as rg
from regrain.errors import RegrainError
from regrain.fits import MomentumShell


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10])
@pytest.mark.parametrize("epsilon", [0.01, 0.5, 1.0])
def test_wilson_fisher_fixed_point(n: int, epsilon: float) -> None:
    # K. G. Wilson and M. E. Fisher, Phys. Rev. Lett. 28, 240 (1972).
    shell = MomentumShell(epsilon=epsilon, components=n)
    points = shell.flow().fixed_points()
    assert len(points) == 2
    point = points.critical
    assert point.couplings["u"] == pytest.approx(2 * np.pi**2 * epsilon / (n + 8))
    assert point.couplings == pytest.approx(shell.wilson_fisher, abs=1e-10)
    y_h, y_t, omega = point.exponents
    assert y_t == pytest.approx(2 - (n + 2) / (n + 8) * epsilon)
    assert omega == pytest.approx(-epsilon)
    assert y_h == pytest.approx(3 - epsilon / 2)
    assert point.kinds == ("relevant", "relevant", "irrelevant")
    gaussian = next(p for p in points if not np.any(p.array()))
    np.testing.assert_allclose(gaussian.exponents, [3 - epsilon / 2, 2, epsilon], atol=1e-9)


def test_above_four_dimensions_the_gaussian_point_is_stable() -> None:
    flow = MomentumShell(epsilon=-0.5).flow()
    gaussian = flow.linearised([0.0, 0.0, 0.0])
    assert gaussian.kinds.count("irrelevant") == 1
    assert MomentumShell(epsilon=-0.5).wilson_fisher["u"] < 0


def test_exponents_to_first_order() -> None:
    # K. G. Wilson and J. Kogut, Phys. Rep. 12, 75 (1974), and any textbook.
    found = MomentumShell(epsilon=1.0, components=1).exponents()
    expected = {"nu": 7 / 12, "alpha": 1 / 6, "beta": 1 / 3, "gamma": 7 / 6, "delta": 4.0}
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert found["eta"] == 0.0
    assert found["eta_2"] == pytest.approx(1 / 54)
    # Scaling laws hold to the order of the expansion, and no further.
    for n in (1, 2, 3):
        small = MomentumShell(epsilon=1e-4, components=n).exponents()
        d = 4 - 1e-4
        assert small["alpha"] == pytest.approx(2 - d * small["nu"], abs=1e-8)
        assert small["alpha"] + 2 * small["beta"] + small["gamma"] == pytest.approx(2, abs=1e-8)
        assert small["nu"] * small["y_t"] == pytest.approx(1, abs=1e-8)
        assert small["beta"] * (small["delta"] - 1) == pytest.approx(small["gamma"], abs=1e-8)
    large = MomentumShell(epsilon=1.0, components=1).exponents()
    assert abs(large["nu"] * large["y_t"] - 1) > 0.02


def test_one_loop_is_not_three_dimensions() -> None:
    for n, system in ((1, rg.atlas.ising_cubic), (2, rg.atlas.xy_cubic)):
        nu = MomentumShell(epsilon=1.0, components=n).exponents()["nu"]
        assert 0.02 < system.nu - nu < 0.08
        # Better than mean field all the same.
        assert abs(system.nu - nu) < abs(system.nu - 0.5)


def test_the_critical_surface() -> None:
    flow = MomentumShell(epsilon=1.0).flow()
    point = flow.fixed_points().critical
    u = 0.002
    r = flow.critical("r", at={"u": u}, between=(-1.0, 0.5), point=point)
    # Near the Gaussian point along its direction: r = -4(n + 2)Ku / (2 - ε).
    assert r == pytest.approx(-12 * u / (8 * np.pi**2), rel=0.01)
    above, below = flow.run([r + 1e-3, u, 0.0], steps=8), flow.run([r - 1e-3, u, 0.0], steps=8)
    assert above[-1, 0] > 0.5
    assert below[-1, 0] < -0.5


def test_bad_input() -> None:
    with pytest.raises(RegrainError, match="epsilon is 5"):
        MomentumShell(epsilon=5)
    with pytest.raises(RegrainError, match="components is -3"):
        MomentumShell(components=-3)
    with pytest.raises(RegrainError, match="'wilson-fisher' or 'gaussian'"):
        MomentumShell().exponents(at="ising")
