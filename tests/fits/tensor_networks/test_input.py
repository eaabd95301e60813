"""What cannot be a network is refused with words; results print, draw and know their limits."""

import pickle

import numpy as np
import pytest

from regrain.errors import RegrainError
from regrain.fits import HOTRG, TRG, LoopTNR
from regrain.fits.tensor_networks.subspace import kept
from regrain.lattice import XY, Coupling, Ising, Potts

MODEL = Ising((4, 4), couplings={"nn": 0.3})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bond": 1}, "bond is 1; give a whole number, 2 or more"),
        ({"bond": 2.5}, "bond is 2.5"),
        ({"steps": 0}, "steps is 0; give a whole number, 1 or more"),
        ({"derivatives": 3}, "derivatives is 3; give a whole number, 0 to 2"),
    ],
)
@pytest.mark.parametrize("scheme", [TRG, HOTRG, LoopTNR])
def test_settings(scheme, settings, words) -> None:
    with pytest.raises(RegrainError, match=words.replace("0 to 2", "0 to")):
        scheme(**settings)


@pytest.mark.parametrize("name", ["sweeps", "tolerance"])
def test_settings_of_the_fit(name) -> None:
    with pytest.raises(RegrainError, match=f"{name} is -1"):
        LoopTNR(**{name: -1})


@pytest.mark.parametrize(
    ("scheme", "model", "words"),
    [
        (TRG, "ising", "a lattice model, got 'ising'"),
        (TRG, Ising((8,), couplings={"nn": 1.0}), "'chain'.*square, triangular, cubic"),
        (HOTRG, Ising((3, 3, 3, 3), couplings={"nn": 0.1}), "'hypercubic', of 4 axes"),
        (TRG, Ising((4, 4, 4), couplings={"nn": 0.2}), "2 dimensions, the model has 3.*HOTRG"),
        (TRG, MODEL.replace(periodic=False), "open ends.*periodic=True"),
        (TRG, Ising((8, 8), couplings={"third": 0.1}), "does not fit.*one cell of 2 x 2 sites"),
        (HOTRG, Ising((4, 4, 4), couplings={"nnn": 0.1}), "cubic.*single sites and nearest"),
        (TRG, Potts((4, 4), q=9, couplings={"nnn": 0.1}), "81 values.*at most 64"),
        (TRG, XY((4, 4), couplings={"nn": 1.0}, lattice="triangular"), "at most 64"),
    ],
)
def test_models(scheme, model, words) -> None:
    with pytest.raises(RegrainError, match=words):
        scheme(bond=4, steps=2)(model)


def test_couplings_that_overflow() -> None:
    with pytest.raises(RegrainError, match=r"energies of 1e\+308.*beyond"):
        TRG(bond=4, steps=4)(Ising((4, 4), couplings={"nn": 1e308}))


def test_names_and_sizes_of_results() -> None:
    result = TRG(bond=4, steps=8, derivatives=1)(MODEL)
    with pytest.raises(RegrainError, match="did you mean 'free_energy'"):
        result.curve("free_enrgy")
    assert result.curve("internal_energy").coords["sites"].tolist() == [2**n for n in range(1, 10)]
    assert not result.specific_heat.defined
    assert "derivatives=2" in str(result.specific_heat)
    assert "take TRG or HOTRG" in str(LoopTNR(bond=4, steps=4)(MODEL).internal_energy)
    assert "7 steps or more" in str(TRG(bond=4, steps=3)(MODEL).central_charge)
    assert (
        pickle.loads(pickle.dumps(result)).scales[-1].free_energy == result.scales[-1].free_energy
    )
    assert repr(result.fit) == "TRG(bond=4, steps=8, derivatives=1)"
    assert "neither a lower nor an upper bound" in str(result)
    assert len(str(result).splitlines()) == 12


def test_frustrated_boundaries() -> None:
    result = TRG(bond=4, steps=2)(Ising((4, 4), couplings={"nn": -200.0}))
    with pytest.raises(RegrainError, match=r"step 0.*\(2, 1\) frustrate"):
        _ = result.scales[0].free_energy
    assert "frustrated" in str(result)
    assert result.curve("free_energy").coords["sites"].tolist() == [4, 8]


def test_multiplets_stay_together() -> None:
    assert kept(np.array([1.0, 0.9, 0.5, 0.5, 0.1]), 3) == 2
    assert kept(np.array([1.0, 0.9, 0.9, 0.9, 0.9]), 3) == 3  # too large to be dropped
    # Four states: three of them alike, so 1 + 3 values, and then four together.
    potts = Potts((4, 4), q=4, couplings={"nn": 1.0})
    bonds = [TRG(bond=b, steps=4, derivatives=0)(potts).scales[-1].bonds for b in (6, 8, 10)]
    assert bonds == [(4, 4), (8, 8), (8, 8)]


def test_results_are_drawn() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    result = TRG(bond=6, steps=8)(MODEL)
    for what in ("dimensions", "central_charge", "ratio", "lost", "free_energy", "specific_heat"):
        ax = result.plot(what=what)
        assert ax.lines
        assert ax.get_ylabel()
    with pytest.raises(RegrainError, match="expected one of"):
        result.plot(what="energies")
    cube = HOTRG(bond=3, steps=3)(Ising((4, 4, 4), couplings={"nn": 0.1}))
    with pytest.raises(RegrainError, match="not defined for this model"):
        cube.plot()


def test_a_field_is_a_coupling_of_one_site() -> None:
    single = Coupling([(0, 0)])
    named = TRG(bond=4, steps=4)(Ising((4, 4), couplings={"nn": 0.3, "field": 0.2}))
    given = TRG(bond=4, steps=4)(Ising((4, 4), couplings={"nn": 0.3, single: 0.2}))
    assert float(named.free_energy) == float(given.free_energy)
