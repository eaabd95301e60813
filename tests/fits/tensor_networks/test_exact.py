"""Small periodic lattices, where bonds are large enough that nothing is dropped."""

import numpy as np
import pytest

from regrain.atlas import ising_square, ising_triangular
from regrain.fits import HOTRG, TRG, LoopTNR
from regrain.lattice import XY, BlumeCapel, Clock, Coupling, Ising, Potts
from tests.fits.tensor_networks.exact import by_enumeration, log_partition

ALONG_X = Coupling([(0, 0), (1, 0)], symmetric=False)
ALONG_Y = Coupling([(0, 0), (0, 1)], symmetric=False)
ACROSS = Coupling([(0, 0), (1, 1)], symmetric=False)

MODELS = [
    Ising((4, 4), couplings={"nn": 0.4, "field": 0.1}),
    Ising((4, 4), couplings={"nn": -0.7, "field": 0.3}),
    Ising((4, 4), couplings={ALONG_X: 0.3, ALONG_Y: 0.7, "field": 0.02}),
    Ising((5, 5), couplings={"nn": 0.2, "field": -0.1}, lattice="triangular"),
    Ising((5, 5), couplings={"nn": 0.4, "nnn": -0.2, "plaquette": 0.3, "three": 0.1, "field": 0.1}),
    Ising((5, 5), couplings={"nn": 0.2, ACROSS: 0.5}),
    Potts((4, 4), q=3, couplings={"nn": 1.0, "field": 0.1}),
    Potts((4, 4), q=4, couplings={"nn": -1.3}),
    BlumeCapel((4, 4), couplings={"nn": 1.0, "crystal": -1.9, "biquadratic": 0.2, "field": 0.1}),
    Clock((4, 4), q=4, couplings={"nn": 0.8, "field": 0.1}),
    Clock((4, 4), q=5, couplings={"nn": 1.1, "field": 0.3}),
    Clock((4, 4), q=6, couplings={"nn": -0.8}),
]


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("scheme", [TRG, HOTRG])
def test_free_energy_and_its_slopes_without_truncation(model, scheme) -> None:
    steps = 1 if len(model.site_values) > 4 else 2 if len(model.terms[0].clusters) > 2 else 3
    steps = min(steps, 2) if {"nnn", "(0,0)(1,1)!"} & set(model.names) else steps
    result = scheme(bond=36, steps=steps, derivatives=1)(model)
    compared = []
    for scale in result.scales:
        if scale.lost > 1e-13:
            break
        exact = log_partition(model, *scale.shape)
        # Roundings of a sum over the states of a few tensors.
        np.testing.assert_allclose(scale.log_partition, exact, rtol=0, atol=3e-14)
        compared.append(scale.shape)
    assert len(compared) >= 2
    assert result.scales[0].shape == (2, 1)


def test_sizes_are_those_of_the_lattices_that_are_closed() -> None:
    model = Ising((4, 4), couplings={"nn": 0.4})
    shapes = {s: [x.shape for x in s(bond=4, steps=4)(model).scales] for s in (TRG, HOTRG, LoopTNR)}
    assert shapes[TRG] == shapes[HOTRG] == [(2, 1), (2, 2), (4, 2), (4, 4), (8, 4)]
    assert shapes[LoopTNR] == [(2, 2), (2, 2), (4, 4), (4, 4), (8, 8)]


@pytest.mark.parametrize("scheme", [TRG, HOTRG])
def test_second_derivatives_of_a_small_torus(scheme) -> None:
    model = Ising((4, 4), couplings={"nn": 0.43, "field": 0.05})
    result = scheme(bond=16, steps=3)(model)
    assert result.exact
    log_z, mean, variance = by_enumeration(model, (4, 4))
    assert float(result.free_energy) == pytest.approx(-log_z, abs=1e-13)
    assert float(result.internal_energy) == pytest.approx(-mean, abs=1e-13)
    assert float(result.specific_heat) == pytest.approx(variance, abs=1e-12)
    h = 1e-4
    slopes = [
        log_partition(Ising((4, 4), couplings={"nn": 0.43, "field": 0.05 + x}), 4, 4)[2]
        for x in (-2 * h, -h, h, 2 * h)
    ]
    slope = (slopes[0] - 8 * slopes[1] + 8 * slopes[2] - slopes[3]) / (12 * h)
    # Differences of rounded numbers: 1e-16 / h, and h⁴ times the fifth derivative.
    assert float(result.susceptibility) == pytest.approx(slope, abs=1e-10)
    mean_square = float(result.susceptibility) / 16 + float(result.magnetisation) ** 2
    assert float(result.order_parameter) ** 2 == pytest.approx(mean_square, abs=1e-13)
    assert result.free_energy.kind == "exact"


def test_kaufman_on_tori_beyond_enumeration() -> None:
    result = HOTRG(bond=16, steps=4, derivatives=2)(Ising((4, 4), couplings={"nn": 0.44}))
    assert result.exact
    torus = ising_square.torus((8, 4), 0.44)
    assert float(result.free_energy) == pytest.approx(torus.free_energy, abs=1e-13)
    assert float(result.internal_energy) == pytest.approx(0.44 * torus.energy, abs=1e-12)
    assert float(result.specific_heat) == pytest.approx(torus.specific_heat, abs=1e-11)
    anisotropic = Ising((4, 4), couplings={ALONG_X: 0.3, ALONG_Y: 0.6})
    torus = ising_square.torus((8, 4), 0.6, 0.3)  # its x runs along rows
    result = HOTRG(bond=16, steps=4, derivatives=0)(anisotropic)
    assert float(result.free_energy) == pytest.approx(torus.free_energy, abs=1e-13)


def test_derivatives_of_truncated_free_energies_are_their_slopes() -> None:
    def run(k: float, field: float, derivatives: int = 0):
        model = Ising((4, 4), couplings={"nn": k, "field": field})
        return TRG(bond=8, steps=9, derivatives=derivatives)(model)

    k, field, h = 0.42, 0.01, 1e-4
    jet = run(k, field, 2).scales[-1].log_partition
    lies = [[], []]
    for x in (-2 * h, -h, 0.0, h, 2 * h):
        lies[0].append(-float(run(k * (1 + x), field * (1 + x)).free_energy))
        lies[1].append(-float(run(k, field + x).free_energy))
    for direction in (0, 1):
        f = lies[direction]
        first = (f[0] - 8 * f[1] + 8 * f[3] - f[4]) / (12 * h)
        second = (-f[0] + 16 * f[1] - 30 * f[2] + 16 * f[3] - f[4]) / (12 * h * h)
        # Rounding: 1e-15 / h and 1e-15 / h².
        assert jet[1 + direction] == pytest.approx(first, abs=1e-9)
        assert 2 * jet[3 + direction] == pytest.approx(second, rel=1e-5)


@pytest.mark.parametrize(
    ("model", "known"),
    [
        (Ising((4, 4), couplings={"nn": 0.0}), np.log(2)),
        (Potts((4, 4), q=5, couplings={"nn": 0.0, "field": 0.7}), np.log(4 + np.exp(0.7))),
        (XY((4, 4), couplings={"nn": 0.0, "field": 1.0}), np.log(2 * np.pi * np.i0(1.0))),
        (Ising((4, 4, 4), couplings={"nn": 0.0, "field": 0.3}), np.log(2 * np.cosh(0.3))),
        # Far below every transition: the ground states, of 2, 3 and 2 kinds.
        (Ising((4, 4), couplings={"nn": 300.0}), 600.0 + np.log(2) / 512),
        (Potts((4, 4), q=3, couplings={"nn": 400.0}), 800.0 + np.log(3) / 512),
        (Ising((4, 4), couplings={"nn": -300.0}), 600.0 + np.log(2) / 512),
        (Ising((4, 4), couplings={"nn": 200.0, "field": 50.0}), 450.0),
    ],
    ids=str,
)
@pytest.mark.parametrize("scheme", [TRG, HOTRG, LoopTNR])
def test_free_spins_and_ground_states(model, known, scheme) -> None:
    if len(model.shape) == 3 and scheme is not HOTRG:
        pytest.skip("two dimensions only")
    result = scheme(bond=6, steps=8, derivatives=0)(model)
    shape = result.scales[-1].shape
    if known > 100 and np.prod(shape) != 512:  # the checkerboard closes four tensors
        known = known + np.log(round(np.exp((known - round(known)) * 512))) * (1 / 1024 - 1 / 512)
    assert -float(result.free_energy) == pytest.approx(known, rel=1e-13)


@pytest.mark.parametrize(("scheme", "bond"), [(TRG, 10), (HOTRG, 8)])
def test_onsager_at_several_temperatures(scheme, bond) -> None:
    for k in (0.2, 0.6):
        result = scheme(bond=bond, steps=16)(Ising((4, 4), couplings={"nn": k}))
        assert float(result.free_energy) == pytest.approx(ising_square.free_energy(k), rel=2e-5)
        assert float(result.internal_energy) == pytest.approx(k * ising_square.energy(k), rel=5e-4)
        assert float(result.specific_heat) == pytest.approx(ising_square.specific_heat(k), rel=5e-3)
        order = ising_square.magnetisation(k) if k > ising_square.K_c else 0.0
        assert float(result.order_parameter) == pytest.approx(order, rel=1e-4, abs=0.02)


def test_houtappel_on_the_triangular_lattice() -> None:
    for k in (0.1, 0.3):
        model = Ising((5, 5), couplings={"nn": k}, lattice="triangular")
        result = HOTRG(bond=10, steps=16, derivatives=0)(model)
        assert float(result.free_energy) == pytest.approx(ising_triangular.free_energy(k), rel=1e-4)
