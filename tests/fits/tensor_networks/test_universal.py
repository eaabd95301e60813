"""At a transition: free energies of infinite lattices, central charges, scaling dimensions."""

import numpy as np
import pytest

from regrain.atlas import ising_square, ising_triangular
from regrain.errors import RegrainError
from regrain.fits import HOTRG, TRG, LoopTNR
from regrain.lattice import Coupling, Ising, Potts

K_C = float(ising_square.K_c)
CRITICAL = Ising((4, 4), couplings={"nn": K_C})
# sigma, epsilon and their descendants (Di Francesco, Mathieu, Senechal, ch. 12)
ISING = [0.125, 1.0, 1.125, 1.125]


@pytest.mark.parametrize(
    ("scheme", "bond", "error"),
    [(TRG, 4, 3e-4), (TRG, 8, 7e-5), (TRG, 16, 5e-6), (HOTRG, 8, 2e-5), (LoopTNR, 4, 1e-5)],
)
def test_free_energy_at_the_transition(scheme, bond, error) -> None:
    result = scheme(bond=bond, steps=20, derivatives=0)(CRITICAL)
    assert abs(float(result.free_energy) / ising_square.free_energy(K_C) - 1) < error
    assert not result.exact
    assert "neither" in result.free_energy.flags[0]


def test_loop_tnr_stays_at_the_fixed_point_where_trg_leaves_it() -> None:
    stays = LoopTNR(bond=8, steps=18)(CRITICAL)
    for scale in stays.scales[7:]:
        assert scale.central_charge == pytest.approx(0.5, rel=0.01)
        np.testing.assert_allclose(scale.dimensions[:2], ISING[:2], rtol=0.01)
        np.testing.assert_allclose(scale.dimensions[:4], ISING, rtol=0.03)
    assert float(stays.central_charge) == pytest.approx(0.5, rel=2e-3)
    np.testing.assert_allclose(stays.dimensions.value[:2], ISING[:2], rtol=0.01)
    leaves = TRG(bond=8, steps=16, derivatives=0)(CRITICAL)
    assert abs(leaves.scales[12].dimensions[1] - 1.0) > 0.05
    assert abs(leaves.scales[14].dimensions[0] - 0.125) > 0.05
    assert abs(leaves.scales[16].central_charge - 0.5) > 0.1


def test_three_states() -> None:
    # c = 4/5, x = 2/15 twice, 4/5 (Dotsenko 1984); K_c = ln(1 + √3) by duality.
    model = Potts((4, 4), q=3, couplings={"nn": np.log(1 + np.sqrt(3))})
    result = LoopTNR(bond=10, steps=9, sweeps=15)(model)
    assert float(result.central_charge) == pytest.approx(0.8, rel=0.01)
    np.testing.assert_allclose(result.dimensions.value[:2], [2 / 15, 2 / 15], rtol=0.02)
    # Corrections fall only as L to the power -4/5: at 16 sites there is some of it left.
    assert result.dimensions.value[2] == pytest.approx(4 / 5, rel=0.05)


def test_anisotropic_and_triangular_lattices_have_the_same_exponents() -> None:
    # sinh 2K_x sinh 2K_y = 1; lengths differ along the axes, the geometric mean does not.
    k_x = 0.3
    k_y = 0.5 * np.arcsinh(1 / np.sinh(2 * k_x))
    along_x = Coupling([(0, 0), (1, 0)], symmetric=False)
    along_y = Coupling([(0, 0), (0, 1)], symmetric=False)
    stretched = Ising((4, 4), couplings={along_x: k_x, along_y: k_y})
    result = LoopTNR(bond=8, steps=8, sweeps=20)(stretched)
    for scale in result.scales[6:]:  # upright and standing on a corner
        assert scale.central_charge == pytest.approx(0.5, rel=0.02)
        np.testing.assert_allclose(scale.dimensions[:2], ISING[:2], rtol=0.03)
    triangular = Ising((4, 4), couplings={"nn": ising_triangular.K_c}, lattice="triangular")
    result = TRG(bond=14, steps=7, derivatives=0)(triangular)
    np.testing.assert_allclose(result.scales[3].dimensions[:2], ISING[:2], rtol=0.025)
    np.testing.assert_allclose(result.scales[5].dimensions[:2], ISING[:2], rtol=0.025)
    assert result.scales[5].central_charge == pytest.approx(0.5, rel=0.02)
    crossed = Ising((4, 4), couplings={"nn": 0.3, Coupling([(0, 0), (1, 1)], symmetric=False): 0.1})
    result = TRG(bond=8, steps=8, derivatives=0)(crossed)
    assert not result.central_charge.defined
    assert "shape" in str(result.central_charge)


def test_phases() -> None:
    for k, phases in ((0.3, 1.0), (0.6, 2.0)):
        for scheme in (TRG, HOTRG, LoopTNR):
            last = scheme(bond=6, steps=16, derivatives=0)(Ising((4, 4), couplings={"nn": k}))
            assert last.scales[-1].ratio == pytest.approx(phases, abs=1e-6)
            assert last.scales[-1].central_charge == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("scheme", [TRG, HOTRG])
def test_symmetries_survive_rounding(scheme) -> None:
    # A field grows twofold per step: without sectors, rounding picks a phase after some 50 steps.
    ordered = scheme(bond=6, steps=60, derivatives=0)(Ising((4, 4), couplings={"nn": 0.5}))
    assert ordered.scales[-1].ratio == pytest.approx(2.0, abs=1e-9)
    picked = scheme(bond=6, steps=60, derivatives=0)(
        Ising((4, 4), couplings={"nn": 0.5, "field": 1e-6})
    )
    assert picked.scales[-1].ratio == pytest.approx(1.0, abs=1e-9)


def test_critical_couplings() -> None:
    def ising(k: float) -> Ising:
        return Ising((4, 4), couplings={"nn": k})

    found = TRG(bond=8, steps=40).critical(ising, between=(0.3, 0.6), tolerance=1e-4)
    assert float(found) == pytest.approx(K_C, abs=4e-3)
    assert float(found.error) < 1e-4
    with pytest.raises(RegrainError, match="one phase"):
        TRG(bond=4).critical(ising, between=(0.1, 0.2))
    with pytest.raises(RegrainError, match="more steps"):
        TRG(bond=4, steps=12).critical(ising, between=(0.3, 0.6), tolerance=1e-6)
    with pytest.raises(RegrainError, match="between"):
        TRG(bond=4).critical(ising, between=(0.3, 0.3))


def test_three_dimensions() -> None:
    # Bisection at a small bond; 0.22165 is the limit of large ones (Ferrenberg et al. 2018).
    def ising(k: float) -> Ising:
        return Ising((4, 4, 4), couplings={"nn": k})

    found = HOTRG(bond=4, steps=40).critical(ising, between=(0.2, 0.25), tolerance=2e-3)
    assert float(found) == pytest.approx(0.2217, abs=0.004)
    hot = HOTRG(bond=6, steps=9, derivatives=1)(ising(0.05))
    # Closed loops on the cubic lattice, per site: 3 v⁴ + 22 v⁶ + ... with v = tanh K (Domb 1974).
    v = np.tanh(0.05)
    series = np.log(2) + 3 * np.log(np.cosh(0.05)) + 3 * v**4 + 22 * v**6
    assert -float(hot.free_energy) == pytest.approx(series, abs=3e-6)
    energy = -0.05 * (3 * v + (12 * v**3 + 132 * v**5) * (1 - v * v))
    assert float(hot.internal_energy) == pytest.approx(energy, abs=1e-5)
    assert not hot.central_charge.defined


@pytest.mark.slow
def test_three_dimensions_with_a_larger_bond() -> None:
    # 0.2216546 (Ferrenberg, Xu and Landau 2018); a bond of 8 comes within 2 in a thousand.
    found = HOTRG(bond=8, steps=45).critical(
        lambda k: Ising((4, 4, 4), couplings={"nn": k}), between=(0.219, 0.224), tolerance=1e-4
    )
    assert float(found) == pytest.approx(0.2216546, rel=2.5e-3)
