"""An Estimate keeps its shape, its error and its reasons."""

import json

import numpy as np
import pytest
from scipy import stats

from regrain.errors import RegrainError
from regrain.observables import Estimate


def function() -> Estimate:
    return Estimate(
        "g",
        [[0.0, 2.0, 1.0], [0.0, 3.0, 1.0]],
        [[0.0, 0.2, 0.1], [0.0, 0.3, 0.1]],
        coords={"pair": ["A-A", "A-B"], "r": [0.1, 0.3, 0.5]},
        coord_units={"r": "nm"},
        n_eff=12.0,
        dof=19,
        method="blocks",
        cite="a paper",
        flags=["few effective samples"],
    )


def test_interval_is_that_of_students_t():
    low, high = Estimate("x", 2.0, 0.5, dof=4).interval(0.9)
    reach = 0.5 * stats.t.ppf(0.95, 4)
    np.testing.assert_allclose([low, high], [2.0 - reach, 2.0 + reach])


def test_interval_without_dof_is_normal():
    low, high = Estimate("x", 0.0, 1.0).interval(0.95)
    np.testing.assert_allclose([low, high], [-1.959964, 1.959964], rtol=1e-6)


def test_json_round_trip_keeps_everything():
    for estimate in (function(), Estimate.undefined("p", "no virial", unit="bar")):
        again = Estimate.from_dict(json.loads(json.dumps(estimate.to_dict())))
        assert again.to_dict() == estimate.to_dict()
        assert str(again) == str(estimate)


def test_sel_by_label_number_and_slice():
    g = function()
    assert g.sel(pair="A-B").value.tolist() == [0.0, 3.0, 1.0]
    assert g.sel(pair="A-B").name == "g A-B"
    assert float(g.sel(pair="A-A", r=0.33)) == 2.0
    assert g.sel(r=slice(0.2, 0.6)).value.shape == (2, 2)
    assert g.sel(r=0.3).dof.tolist() == [19, 19]


@pytest.mark.parametrize("chosen", [{"q": 1.0}, {"pair": "B-B"}])
def test_sel_of_what_is_not_there(chosen):
    with pytest.raises(RegrainError, match=r"has no"):
        function().sel(**chosen)


def test_undefined_has_a_reason_and_no_value():
    pressure = Estimate.undefined("pressure", "the trace holds no virial")
    assert not pressure.defined
    for read in (lambda: pressure.value, lambda: float(pressure), pressure.interval):
        with pytest.raises(RegrainError, match="no virial"):
            read()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"value": np.nan}, "not finite"),
        ({"value": [1.0, 2.0]}, "coordinates"),
        ({"value": 1.0, "error": -1.0}, "negative"),
        ({"value": 1.0, "error": np.inf}, "not finite"),
        ({"value": 1.0, "kind": "guess"}, "kind"),
    ],
)
def test_nonsense_is_refused(arguments, message):
    with pytest.raises(RegrainError, match=message):
        Estimate("x", **arguments)


def test_no_error_bar_says_why():
    with pytest.raises(RegrainError, match="one frame"):
        Estimate("x", 1.0, flags=["one frame has no error bar"]).interval()


def test_prints_digits_that_mean_something():
    assert str(Estimate("E", -48213.7, 1250.0, unit="kJ/mol")) == "E = -48200 ± 1200 kJ/mol"
    assert str(Estimate("k", 1.23456e-7, 3.2e-9)) == "k = (1.235 ± 0.032)e-7"
    assert "! few effective samples" in str(function())
    assert len(str(Estimate("f", np.arange(1e4), coords={"x": np.arange(1e4)})).split("\n")) < 20


def test_plots_functions_and_scalars():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    ax = function().plot()
    assert [line.get_label() for line in ax.lines] == ["A-A", "A-B"]
    assert ax.get_xlabel() == "r / nm"
    assert Estimate("x", 1.0, 0.1).plot(plt.figure().add_subplot()).get_ylabel() == "x"


def test_to_xarray():
    pytest.importorskip("xarray")
    data = function().to_xarray()
    assert float(data["value"].sel(pair="A-B", r=0.3)) == 3.0
    assert data["r"].attrs["unit"] == "nm"
