"""What force matching says about its own errors, and what it leaves to nobody."""

import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import regrain as rg
from regrain import _core
from regrain.fits import ForceMatching, StatePoint
from regrain.fits.checks import FOLLOWED
from regrain.particles import (
    BSpline,
    BSplineBond,
    ForceField,
    HarmonicBond,
    LennardJones,
    Particles,
    Table,
    Topology,
)
from tests.fits.forces.matching_systems import exact_forces, gas, trace

AA = ("A", "A")
FORM = BSpline(r_min=0.0, r_max=1.5, functions=8)
TRUTH = np.array([8.0, 6.0, 3.0, 1.0, -1.0, -0.5, 0.0, 0.0])


def noisy(frames: int, sigma: float, seed: int) -> rg.Trace[Particles]:
    rng = np.random.default_rng(seed)
    return trace([
        s.replace(forces=exact_forces(s, FORM, TRUTH) + sigma * rng.normal(size=(60, 3)))
        for s in gas(frames, seed=seed + 1000)
    ])  # fmt: skip


# ---------------------------------------------------------------------- error bars


def test_error_bars_cover_the_truth() -> None:
    """Of 95 % intervals, 90 to 98 % hold the truth: 120 fits, forces with Gaussian noise."""
    x = np.array([0.5, 0.8, 1.1, 1.4])
    exact, inside = FORM.basis(x) @ TRUTH, []
    covered = []
    for seed in range(120):
        result = ForceMatching(pairs={AA: FORM})(noisy(24, 2.0, seed))
        low, high = result.force(x=x).interval(0.95)
        inside.append((low <= exact) & (exact <= high))
        miss = np.abs(result.coefficients["pair A-A"] - TRUTH)[2:]
        covered.append(miss < stats.t.ppf(0.975, 23) * result.errors["pair A-A"][2:])
    assert 0.90 < np.mean(inside) < 0.98
    assert 0.90 < np.mean(covered) < 0.98


def test_errors_are_those_of_least_squares() -> None:
    """Where noise is white, the jackknife gives what (AᵀA)⁻¹ σ² gives, within its own scatter."""
    target = noisy(100, 2.0, 7)
    result = ForceMatching(pairs={AA: FORM}, blocks=100)(target)
    gram = np.zeros((8, 8))
    design = _core.ForceDesign(
        types=np.zeros(60, dtype=np.int32), n_types=1, exclusions=np.empty((0, 2), dtype=np.int32)
    )
    design.add_pairs(_core.UniformSpline(low=0.0, high=1.5, intervals=5, degree=3), (0, 0))
    for s in target:
        rows = design.rows(s.positions, s.box, s.forces)[:, :-1]
        gram += rows.T @ rows
    wanted = 2.0 * np.sqrt(np.diag(np.linalg.inv(gram)))
    np.testing.assert_allclose(result.errors["pair A-A"][1:], wanted[1:], rtol=0.3)
    assert result.residual["total"].value == pytest.approx(4.0, rel=0.03)  # 18 000 components
    low, high = result.residual["total"].interval()
    assert low < 4.0 < high


def test_the_bits_do_not_depend_on_threads() -> None:
    target = noisy(20, 1.0, 5)
    before, found = _core.threads(), []
    try:
        for count in (1, 2, 3):
            _core.set_threads(count)
            found.append(ForceMatching(pairs={AA: FORM})(target))
    finally:
        _core.set_threads(before)
    for other in found[1:]:
        np.testing.assert_array_equal(
            other.coefficients["pair A-A"], found[0].coefficients["pair A-A"]
        )
        np.testing.assert_array_equal(other.errors["pair A-A"], found[0].errors["pair A-A"])


def test_neither_order_nor_blocks_nor_copies_of_a_state_matter() -> None:
    target = noisy(20, 1.0, 6)
    whole = ForceMatching(pairs={AA: FORM})(target)
    mixed = trace([target[int(k)] for k in np.random.default_rng(1).permutation(20)])
    halves = [StatePoint(target[:8]), StatePoint(target[8:])]
    for result in (
        ForceMatching(pairs={AA: FORM})(mixed),
        ForceMatching(pairs={AA: FORM}, blocks=3)(target),
        ForceMatching(pairs={AA: FORM})(halves),
        ForceMatching(pairs={AA: FORM})([target[:8], target[8:]]),
    ):
        np.testing.assert_allclose(
            result.coefficients["pair A-A"], whole.coefficients["pair A-A"], rtol=1e-11
        )


def test_weights_count_as_copies() -> None:
    target = noisy(6, 1.0, 8)
    weighed = rg.Trace(list(target), times=target.times, weights=[1, 1, 1, 2, 2, 2])
    copied = trace([*target, *target[3:]])
    with pytest.warns(UserWarning, match="3 of the 9 frames are exact copies"):
        twice = ForceMatching(pairs={AA: FORM})(copied)
    once = ForceMatching(pairs={AA: FORM})(weighed)
    by_state = ForceMatching(pairs={AA: FORM})(
        [StatePoint(target[:3]), StatePoint(target[3:], weight=2.0)]
    )
    for result in (once, by_state):
        np.testing.assert_allclose(
            result.coefficients["pair A-A"], twice.coefficients["pair A-A"], rtol=1e-10
        )


# ---------------------------------------------------------------------- residual


def test_noise_and_model_error_are_told_apart() -> None:
    """A spring between two beads inside a fluctuating medium: both known exactly.

    The force on each end is -k (r - r0) - a cos(6 r) along the bond, plus noise of variance s²; the
    form is a straight line, so its error is what a line cannot have of the cosine, by quadrature.
    """
    rng = np.random.default_rng(4)
    k, r0, a, s = 30.0, 1.0, 40.0, 3.0
    states, n = [], 50
    topology = Topology(["A"] * (2 * n), bonds=np.arange(2 * n).reshape(-1, 2))
    for _ in range(60):
        start = np.indices((5, 5, 2)).reshape(3, -1).T * 5.0
        axis = rng.normal(size=(n, 3))
        axis /= np.linalg.norm(axis, axis=1)[:, None]
        r = rng.uniform(0.5, 1.5, (n, 1))
        both = np.stack([start, start + r * axis], axis=1).reshape(-1, 3)
        pull = (-k * (r - r0) - a * np.cos(6 * r)) * axis
        mean = np.stack([-pull, pull], axis=1).reshape(-1, 3)
        states += [
            Particles(both, box=[25.0, 25.0, 10.0], topology=topology,
                      forces=mean + s * rng.normal(size=mean.shape))
            for _ in range(4)
        ]  # fmt: skip
    form = BSplineBond(r_min=0.5, r_max=1.5, functions=2, degree=1)
    result = ForceMatching(pairs={AA: None}, bonds={AA: form}, blocks=60)(trace(states))
    x = np.linspace(0.5, 1.5, 20001)
    wave = -a * np.cos(6 * x)
    left = wave - np.polynomial.Polynomial.fit(x, wave, 1)(x)
    wanted = np.mean(left**2) / 3.0  # per component: the bond points anywhere
    for name, value in (("fibre noise", s**2), ("model error", wanted)):
        estimate = result.residual[name]
        assert abs(estimate.value - value) < 4 * estimate.error, name
        assert estimate.error < 0.2 * value
    assert result.residual["chi2"].value == pytest.approx(1 + wanted / s**2, rel=0.05)


def test_without_repeated_positions_noise_is_undefined() -> None:
    result = ForceMatching(pairs={AA: FORM})(noisy(12, 1.0, 9))
    for name in ("fibre noise", "model error", "chi2"):
        assert result.residual[name].kind == "undefined"
        assert "no two frames share their coarse positions" in str(result.residual[name])
    assert "total: 1.0" in str(result)


# ---------------------------------------------------------------------- what was not sampled


def lattice(frames: int = 30) -> rg.Trace[Particles]:
    """Pairs no closer than 0.7: a lattice that shakes; the soft truth reaches to 1.5."""
    rng = np.random.default_rng(2)
    sites = np.indices((4, 4, 4)).reshape(3, -1).T.astype(float)
    states = [Particles(sites + 0.3 * (rng.random((64, 3)) - 0.5), box=[4.0] * 3)
              for _ in range(frames)]  # fmt: skip
    return trace([s.replace(forces=exact_forces(s, FORM, TRUTH)) for s in states])


@pytest.mark.parametrize("kind", ["spline", "table"])
def test_a_core_that_nobody_entered_goes_on_linearly(kind: str) -> None:
    if kind == "spline":
        form: Any = BSpline(r_min=0.0, r_max=1.5, functions=17, degree=2)
    else:
        form = Table(r_min=0.0, r_max=1.5, points=16)
    with pytest.warns(UserWarning, match=r"pair A-A: functions 0-\d+ \(0 to 0.\d+\) never sampled"):
        result = ForceMatching(pairs={AA: form})(lattice())
    (gap,) = result.unsampled
    assert gap.never
    assert gap.functions[0] == 0
    assert 0.5 < gap.high < 0.75
    x = np.linspace(0.1, 0.4, 30)
    force = result.force(x=x).value
    bend = 1e-9 if kind == "spline" else 1e-5  # a natural spline straightens within intervals
    np.testing.assert_allclose(np.diff(force, 2), 0.0, atol=bend * np.abs(force).max())
    assert np.all(np.diff(force) < 0)  # it repels, and the more the closer
    model = result.model.pairs[AA]
    np.testing.assert_allclose(model.force(x), force, rtol=1e-6)
    near = np.linspace(0.8, 1.45, 30)
    np.testing.assert_allclose(
        result.force(x=near).value, FORM.basis(near) @ TRUTH, atol=0.02 * TRUTH.max()
    )


def test_a_core_whose_force_attracts_is_made_to_repel() -> None:
    target = lattice().map(lambda s: s.replace(forces=-s.forces))
    form = BSpline(r_min=0.1, r_max=1.5, functions=15)
    with pytest.warns(UserWarning, match="never sampled"):
        result = ForceMatching(pairs={AA: form})(target)
    assert result.model.pairs[AA].force(0.2) > 0.0


def test_a_gap_and_a_tail() -> None:
    rng = np.random.default_rng(3)
    bonds = Topology(["A"] * 40, bonds=np.arange(40).reshape(-1, 2))
    states = []
    for _ in range(20):
        r = np.where(rng.random((20, 1)) < 0.5, rng.uniform(0.5, 0.8, (20, 1)),
                     rng.uniform(1.3, 1.6, (20, 1)))  # fmt: skip
        start = np.stack([np.arange(20) * 5.0, np.zeros(20), np.zeros(20)], axis=1)
        both = np.stack([start, start + r * [0.0, 1.0, 0.0]], axis=1).reshape(-1, 3)
        states.append(Particles(both, box=[100.0, 9.0, 9.0], topology=bonds))
    spring = ForceField({AA: None}, bonds={AA: HarmonicBond(k=10.0, r0=1.0)})
    target = trace([s.replace(forces=spring.evaluate(s).forces) for s in states])
    form = BSplineBond(r_min=0.4, r_max=2.4, functions=41, degree=1)
    with pytest.warns(UserWarning, match=r"line across the gap.*goes on linearly"):
        result = ForceMatching(pairs={AA: None}, bonds={AA: form})(target)
    x = np.linspace(0.4, 2.4, 100)
    # Of a straight line all continuations are the line itself.
    np.testing.assert_allclose(result.force(x=x).value, -10.0 * (x - 1.0), atol=1e-8)
    # The tail of a pair potential that nobody reached is zero.
    pairs = trace([s.replace(topology=Topology(["A"] * 40)) for s in target])
    pair = BSpline(r_min=0.4, r_max=2.4, functions=41, degree=1)
    with pytest.warns(UserWarning, match=r"never sampled, no force"):
        tail = ForceMatching(pairs={AA: pair})(pairs)
    assert np.all(tail.force(x=np.linspace(1.75, 2.4, 20)).value == 0.0)


def test_regularisation() -> None:
    target = noisy(3, 5.0, 11)
    fine = BSpline(r_min=0.0, r_max=1.5, functions=40)
    settings: list[dict[str, float]] = [{}, {"ridge": 0.1}, {"smoothness": 1.0}]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain, ridged, smooth = (
            ForceMatching(pairs={AA: fine}, **s)(target).coefficients["pair A-A"]  # type: ignore[arg-type]
            for s in settings
        )
    assert np.sum(ridged**2) < 0.5 * np.sum(plain**2)
    roughness = [np.sum(np.diff(c, 2) ** 2) for c in (plain, smooth)]
    assert roughness[1] < 0.05 * roughness[0]
    # A penalty for bending leaves straight lines alone: forces of hats that are a line.
    line = BSpline(r_min=0.0, r_max=1.5, functions=10, degree=1)
    truth = 3.0 - 2.0 * line.breaks
    straight = trace([s.replace(forces=exact_forces(s, line, truth)) for s in gas(5)])
    bent = ForceMatching(pairs={AA: line}, smoothness=10.0)(straight)
    np.testing.assert_allclose(bent.coefficients["pair A-A"], truth, atol=1e-10)


def test_what_the_data_cannot_tell_apart_is_said() -> None:
    """All pairs at one distance: of two hats only one combination is known."""
    states = []
    for k in range(12):
        sites = np.array([[0, 0, 0], [0.6, 0, 0], [5, 5, 5], [5, 5.6, 5]]) + 0.01 * k
        states.append(Particles(sites, box=[9.0] * 3, forces=[[1, 0, 0], [-1, 0, 0], [0, 1, 0],
                                                              [0, -1, 0]]))  # fmt: skip
    form = BSpline(r_min=0.5, r_max=0.7, functions=2, degree=1)
    with pytest.warns(UserWarning, match=r"1 combination\(s\) of functions undetermined.*pair A-A"):
        result = ForceMatching(pairs={AA: form})(trace(states))
    assert not result.converged
    assert result.force(x=[0.6]).value.item() == pytest.approx(-1.0)


# ---------------------------------------------------------------------- bad input


def test_bad_targets() -> None:
    target = noisy(3, 0.0, 1)
    fit = ForceMatching(pairs={AA: FORM})
    bare = target.map(lambda s: s.replace(forces=None))
    with pytest.raises(rg.RegrainError, match="frame 0 has no forces, which forces cannot"):
        fit(bare)
    with pytest.raises(rg.RegrainError, match="a fit needs a Trace, got Particles"):
        fit(target[0])
    with pytest.raises(rg.RegrainError, match="the target is empty"):
        fit([])
    with pytest.raises(rg.RegrainError, match="nothing is given for A-B"):
        fit(target.map(lambda s: s.replace(topology=Topology(["A", "B"] * 30))))
    with pytest.warns(UserWarning, match="one frame, so there are no error bars"):
        one = fit(target[:1])
    assert one.errors == {}
    assert one.force().error is None
    mixed = [target, target.map(lambda s: s.replace(units="md"))]
    with pytest.raises(rg.RegrainError, match=r"different units \(md, reduced\)"):
        fit(mixed)


def test_bad_forms() -> None:
    target = noisy(3, 1.0, 1)
    with pytest.raises(rg.RegrainError, match="there is nothing to fit"):
        ForceMatching(pairs={AA: LennardJones(epsilon=1.0, sigma=1.0, cutoff=1.5)})(target)
    core = Table(r_min=0.5, r_max=1.5, points=3, energy=[1.0, 0.5, 0.0], core="error")
    mixed = target.map(lambda s: s.replace(topology=Topology(["A", "B"] * 30)))
    with pytest.raises(rg.RegrainError, match="frame 0, known interactions: "):
        ForceMatching(pairs={AA: core, ("A", "B"): FORM, ("B", "B"): None})(mixed)
    high = BSpline(r_min=0.0, r_max=1.5, functions=20, degree=9)
    with pytest.raises(rg.RegrainError, match="splines of degree 0 to 7, got 9"):
        ForceMatching(pairs={AA: high})(target)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"ridge": -1.0}, "ridge is -1.0; give a number of 0 or more"),
        ({"smoothness": np.nan}, "smoothness is nan"),
        ({"blocks": 1}, "blocks is 1; give a whole number of 2 or more"),
        ({"exclude": -1}, "exclude is -1"),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        ForceMatching(pairs={AA: FORM}, **settings)


def test_ranges_that_do_not_fit_the_target() -> None:
    target = noisy(4, 1.0, 1)
    with pytest.warns(UserWarning, match="shorter than the form, which begins at 0.5"):
        ForceMatching(pairs={AA: BSpline(r_min=0.5, r_max=1.5, functions=8)})(target)
    with pytest.warns(UserWarning, match=r"ends at 2.5, beyond half the box \(2\)"):
        ForceMatching(pairs={AA: BSpline(r_min=0.0, r_max=2.5, functions=8)})(target)


def test_nobody_is_in_range() -> None:
    target = lattice(3).map(lambda s: s.replace(positions=s.positions * 2, box=s.box * 2))
    short = BSpline(r_min=0.05, r_max=0.15, functions=8)
    with pytest.raises(rg.RegrainError, match=r"nobody within .*pair A-A 0.05 to 0.15.*unit"):
        ForceMatching(pairs={AA: short})(target)


def test_forgotten_exclusions() -> None:
    rng = np.random.default_rng(5)
    states = []
    for state in gas(24, n=40):
        axis = rng.normal(size=(40, 3))
        axis *= 0.4 / np.linalg.norm(axis, axis=1)[:, None]
        both = np.concatenate([state.positions, state.positions + axis])
        together = Particles(both, box=[4.0] * 3)
        states.append(together.replace(forces=exact_forces(together, FORM, TRUTH)))
    with pytest.warns(UserWarning, match="40 pairs of particles stay 0.4 ± .* forgotten"):
        ForceMatching(pairs={AA: FORM})(trace(states))


def test_states_may_differ_in_composition() -> None:
    rng = np.random.default_rng(6)
    hats = BSpline(r_min=0.0, r_max=1.5, functions=9, degree=1)
    keys = [AA, ("A", "B"), ("B", "B")]
    truth = {key: hats.with_coefficients(rng.normal(size=9)) for key in keys}

    def of(types: list[str]) -> rg.Trace[Particles]:
        field = ForceField({k: v for k, v in truth.items() if set(k) <= set(types)})
        states = [s.replace(topology=Topology(types)) for s in gas(6, n=len(types))]
        return trace([s.replace(forces=field.evaluate(s).forces) for s in states])

    targets = [of(["A"] * 60), of(["B"] * 50), of(["A"] * 30 + ["B"] * 25)]
    result = ForceMatching(pairs=dict.fromkeys(keys, hats))(targets)
    for key in keys:
        np.testing.assert_allclose(
            result.coefficients[f"pair {'-'.join(key)}"], truth[key].coefficients, atol=1e-10
        )


def test_a_box_that_changes_is_fine() -> None:
    states = gas(4) + gas(4, edge=5.0, seed=9)
    target = trace([s.replace(forces=exact_forces(s, FORM, TRUTH)) for s in states])
    result = ForceMatching(pairs={AA: FORM})(target)
    np.testing.assert_allclose(result.coefficients["pair A-A"], TRUTH, atol=1e-8)


# ---------------------------------------------------------------------- workdir


def test_a_workdir_keeps_what_the_frames_came_to(tmp_path: Path) -> None:
    target = noisy(12, 1.0, 3)
    fresh = ForceMatching(pairs={AA: FORM}, ridge=0.1)(target)
    ForceMatching(pairs={AA: FORM})(target, workdir=tmp_path)
    read: list[int] = []

    def counting(s: Particles) -> Particles:
        read.append(1)
        return s

    again = ForceMatching(pairs={AA: FORM}, ridge=0.1)(target.map(counting), workdir=tmp_path)
    # Besides the first and last frames, and those in which pairs are followed, none is read.
    assert len(read) < 12 + FOLLOWED
    np.testing.assert_array_equal(again.coefficients["pair A-A"], fresh.coefficients["pair A-A"])
    np.testing.assert_array_equal(again.errors["pair A-A"], fresh.errors["pair A-A"])
    assert str(again.residual["total"]) == str(fresh.residual["total"])
    with pytest.raises(rg.RegrainError, match=r"holds another fit \(blocks was 40, is 3\)"):
        ForceMatching(pairs={AA: FORM}, blocks=3)(target, workdir=tmp_path)
    with pytest.raises(rg.RegrainError, match=r"holds another fit .*target was"):
        ForceMatching(pairs={AA: FORM})(target[:6], workdir=tmp_path)


# ---------------------------------------------------------------------- what it costs


def test_memory_does_not_grow_with_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each frame a mark is kept, and forces for the noise as far as there is room for them."""
    monkeypatch.setattr("regrain.fits.forces.fibre.ROOM", 100_000)
    base = trace(gas(240, n=400, edge=8.0))
    lazy = base.map(lambda s: s.replace(forces=exact_forces(s, FORM, TRUTH)))
    fit = ForceMatching(pairs={AA: FORM}, blocks=10)
    fit(lazy[:5])  # what is loaded once
    peaks = []
    for n in (30, 240):
        tracemalloc.start()
        fit(lazy[:n])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    frame = 2 * 400 * 3 * 8  # positions and forces
    assert peaks[1] - peaks[0] < 210 * 0.05 * frame
