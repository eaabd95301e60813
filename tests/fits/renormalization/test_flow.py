"""Flows as such: forms of couplings, search, linearisation, surfaces, pictures, bad input."""

import matplotlib
import numpy as np
import pytest

import regrain as rg
from regrain.errors import RegrainError
from regrain.fits import Cumulant, Decimation, Flow, MigdalKadanoff, MomentumShell

matplotlib.use("Agg")


def linear(matrix: np.ndarray, *, b: float = 2.0, at: tuple[float, float] = (0.3, -0.2)) -> Flow:
    """A flow whose answer is known: linear about one fixed point."""
    centre = np.array(at)
    return Flow(
        lambda k: centre + matrix @ (k - centre),
        names=["a", "c"],
        b=b,
        bounds={"a": (-1.0, 1.0), "c": (-1.0, 1.0)},
    )


def test_linear_flows_are_understood() -> None:
    matrix = np.array([[1.7, 0.4], [0.1, 0.3]])
    points = linear(matrix).fixed_points()
    assert len(points) == 1
    point = points[0]
    np.testing.assert_allclose(point.array(), [0.3, -0.2], atol=1e-12)
    values = np.sort(np.linalg.eigvals(matrix))[::-1]
    np.testing.assert_allclose(point.eigenvalues, values, rtol=1e-10)
    np.testing.assert_allclose(point.exponents, np.log(values) / np.log(2), rtol=1e-9)
    assert point.kinds == ("relevant", "irrelevant")
    for value, right, left in zip(
        point.eigenvalues, point.vectors.T, point.left_vectors, strict=True
    ):
        np.testing.assert_allclose(matrix @ right, value * right, atol=1e-9)
        np.testing.assert_allclose(left @ matrix, value * left, atol=1e-9)


def test_turning_flows_have_complex_eigenvalues() -> None:
    turn = np.array([[0.0, -1.2], [1.2, 0.0]])
    point = linear(turn).fixed_points()[0]
    assert np.iscomplexobj(point.eigenvalues)
    np.testing.assert_allclose(np.abs(point.eigenvalues), 1.2)
    np.testing.assert_allclose(point.exponents, np.log(1.2) / np.log(2), rtol=1e-9)
    assert "j" in str(point)


def test_all_of_many_fixed_points_are_found() -> None:
    # x + x(x² - 1/4)(x² - 1)/5 on both axes: twenty-five points, of all kinds.
    def step(k: np.ndarray) -> np.ndarray:
        return k + k * (k**2 - 0.25) * (k**2 - 1) / 5

    flow = Flow(step, names=["a", "c"], b=2.0, bounds={"a": (-1.5, 1.5), "c": (-1.5, 1.5)})
    found = {tuple(np.round(p.array(), 9) + 0.0) for p in flow.fixed_points(starts=400)}
    values = (-1.0, -0.5, 0.0, 0.5, 1.0)
    assert found == {(a, c) for a in values for c in values}
    one = Flow(step, names=["a"], b=2.0, bounds={"a": (-1.5, 1.5)}).fixed_points()
    np.testing.assert_allclose([p.array()[0] for p in one], values, atol=1e-12)


def test_points_where_the_change_only_touches_zero_are_found() -> None:
    flow = Flow(lambda k: k + (k - 0.3) ** 2, names=["a"], b=2.0, bounds={"a": (-1.0, 1.0)})
    points = flow.fixed_points()
    assert len(points) == 1
    assert points[0].array()[0] == pytest.approx(0.3, abs=1e-4)  # a double zero: half the digits
    assert points[0].kinds == ("marginal",)
    # One that comes close to zero has none.
    assert (
        len(
            Flow(
                lambda k: k + k**2 + 1e-3, names=["a"], b=2.0, bounds={"a": (-1.0, 1.0)}
            ).fixed_points()
        )
        == 0
    )


def test_maps_that_were_measured() -> None:
    # The answer of the linear flow with an error of 10⁻⁴ that is no function of anything smooth.
    matrix = np.array([[1.7, 0.4], [0.1, 0.3]])
    exact = linear(matrix)

    def measured(k: np.ndarray) -> np.ndarray:
        return exact.step(k) + 1e-4 * np.sin(1e7 * k[::-1] + [0.3, 0.7])

    flow = Flow(measured, names=["a", "c"], b=2.0, bounds=exact.bounds, tolerance=2e-4)
    points = flow.fixed_points()
    assert len(points) == 1
    np.testing.assert_allclose(points[0].array(), [0.3, -0.2], atol=2e-3)
    np.testing.assert_allclose(flow.jacobian([0.3, -0.2]), matrix, atol=4e-3)
    known = Flow(
        measured,
        names=["a", "c"],
        b=2.0,
        bounds=exact.bounds,
        tolerance=2e-4,
        derivative=lambda k: matrix,
    )
    assert known.fixed_points()[0].eigenvalues == pytest.approx(np.linalg.eigvals(matrix))
    with pytest.raises(RegrainError, match="small positive number"):
        Flow(measured, names=["a", "c"], b=2.0, bounds=exact.bounds, tolerance=0.0)


def test_couplings_come_back_in_the_form_in_which_they_came() -> None:
    flow = MigdalKadanoff(b=2).flow(dimension=2, field=True)
    as_dict = flow.step({"nn": 0.3})
    assert set(as_dict) == {"nn", "field"}
    as_array = flow.step([0.3, 0.0])
    assert isinstance(as_array, np.ndarray)
    assert as_dict["nn"] == as_array[0]
    assert isinstance(MigdalKadanoff(b=2).flow(dimension=2).step(0.3), float)
    path = flow.run({"nn": 0.31}, steps=6)
    assert path.shape == (7, 2)
    np.testing.assert_array_equal(path[1], flow.step(path[0]))


def test_flows_that_run_away_stop() -> None:
    flow = Flow(lambda k: np.exp(np.exp(k)), names=["a"], b=2.0, bounds={"a": (0.0, 1.0)})
    path = flow.run(1.0, steps=20)
    assert len(path) < 6
    assert np.all(np.isfinite(path))
    with pytest.raises(RegrainError, match="run away"):
        flow.step(10.0)


def test_steps_of_a_continuous_flow_compose() -> None:
    flow = MomentumShell(epsilon=0.5).flow()
    start = np.array([0.1, 1.0, 0.01])
    # dh/dl = (3 - ε/2) h, and u has a closed form.
    after = flow.step(start)
    assert after[2] == pytest.approx(0.01 * np.exp(2.75))
    star = MomentumShell(epsilon=0.5).wilson_fisher["u"]
    grown = np.exp(0.5)
    assert after[1] == pytest.approx(star * grown / (grown - 1 + star / 1.0))
    near = flow.linearised(MomentumShell(epsilon=0.5).wilson_fisher)
    np.testing.assert_allclose(near.eigenvalues, np.exp(near.exponents))


def test_critical_couplings_by_flowing() -> None:
    flow = MigdalKadanoff(b=2).flow(dimension=2)
    found = flow.critical("nn", between=(0.1, 1.0))
    assert found == pytest.approx(flow.fixed_points().critical.couplings["nn"], abs=1e-12)
    with pytest.raises(RegrainError, match="same side"):
        flow.critical("nn", between=(0.5, 1.0))
    both = MigdalKadanoff(b=2).flow(dimension=2, field=True)
    with pytest.raises(RegrainError, match="change one relevant direction of it, but change 0"):
        both.critical("nn", point=both.fixed_points()[0])


def test_improving_a_guess_and_refusing_a_wrong_one() -> None:
    flow = MigdalKadanoff(b=2).flow(dimension=2)
    assert flow.linearised(0.3).couplings["nn"] == pytest.approx(0.304689, abs=1e-6)
    with pytest.raises(RegrainError, match="no fixed point, and none is near"):
        flow.linearised(1.0)
    with pytest.raises(RegrainError, match="infinity come from fixed_points"):
        flow.linearised(np.inf)


@pytest.mark.parametrize(
    "flow",
    [
        MigdalKadanoff(b=2).flow(dimension=2),
        MigdalKadanoff(b=2).flow(dimension=2, field=True),
        MigdalKadanoff(b=1).flow(dimension=2),
        Decimation(b=2).flow(field=True),
        Decimation(b=2).flow(hands=4),
        Cumulant(order=2).flow(),
        MomentumShell().flow(),
    ],
    ids=lambda flow: flow.title,
)
def test_every_flow_draws_itself(flow: Flow) -> None:
    from matplotlib import pyplot

    ax = flow.plot()
    assert ax.get_xlabel() == flow.names[0]
    assert ax.get_title() == flow.title
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(marks) >= 1
    pyplot.close("all")


def test_the_critical_surface_is_drawn_where_it_is() -> None:
    from matplotlib import pyplot

    flow = Cumulant(order=2).flow()
    ax = flow.plot(between={"nn": (0.1, 0.45), "nnn": (-0.1, 0.1)})
    dashes = next(line for line in ax.lines if line.get_linestyle() == "--")
    x, y = np.array(dashes.get_data())
    third = flow.fixed_points().critical.couplings["third"]
    row = int(np.argmin(np.abs(y)))
    exact = flow.critical("nn", at={"nnn": float(y[row]), "third": third}, between=(0.1, 0.45))
    assert x[row] == pytest.approx(exact, abs=1e-4)
    pyplot.close("all")


def test_results_draw_their_step() -> None:
    from matplotlib import pyplot

    square = rg.lattice.Ising(shape=(8, 8), couplings={"nn": 0.35})
    assert MigdalKadanoff(b=2)(square).plot().get_xlabel() == "nn"
    chain = rg.lattice.Potts(q=3, shape=(8,), couplings={"nn": 0.35})
    assert Decimation(b=2)(chain).plot().get_xlabel() == "nn"
    pyplot.close("all")


def test_bad_input() -> None:
    flow = MigdalKadanoff(b=2).flow(dimension=2)
    with pytest.raises(RegrainError, match=r"coupling of this flow: got 'nm'.*did you mean 'nn'"):
        flow.step({"nm": 0.3})
    with pytest.raises(RegrainError, match="got 2 couplings, expected 1: nn"):
        flow.step([0.3, 0.1])
    with pytest.raises(RegrainError, match="not all numbers"):
        flow.step(float("nan"))
    with pytest.raises(RegrainError, match="steps is -1"):
        flow.run(0.3, steps=-1)
    with pytest.raises(RegrainError, match="does not carry the free energy"):
        MigdalKadanoff(b=1).flow(dimension=2).free_energy(0.3)
    with pytest.raises(RegrainError, match="coupling of this flow: got 'field'"):
        flow.plot(x="field")
    with pytest.raises(RegrainError, match="two couplings"):
        MigdalKadanoff(b=2).flow(dimension=2, field=True).plot(x="nn", y="nn")
    with pytest.raises(RegrainError, match="factor above 1"):
        Flow(lambda k: k, names=["a"], b=1.0, bounds={"a": (0.0, 1.0)})
    with pytest.raises(RegrainError, match="needs the names"):
        Flow(lambda k: k, names=[], b=2.0, bounds={})
    with pytest.raises(RegrainError, match="bounds say nothing of c"):
        Flow(lambda k: k, names=["a", "c"], b=2.0, bounds={"a": (0.0, 1.0)})
