"""Viscosity from logged pressure tensors: processes whose answer is known."""

import numpy as np
import pytest

from regrain import Trace
from regrain.errors import RegrainError
from regrain.observables import Viscosity
from regrain.observables.viscosity import _shear_stresses
from regrain.particles import ForceField, LennardJones, NoseHoover, Particles, fcc
from regrain.units import MD

BASIS = np.zeros((5, 3, 3))  # of the symmetric tensors without trace, all of square 2
for _k, (_a, _b) in enumerate(((0, 1), (0, 2), (1, 2))):
    BASIS[_k, _a, _b] = BASIS[_k, _b, _a] = 1.0
BASIS[3] = np.diag([1.0, -1.0, 0.0])
BASIS[4] = np.diag([1.0, 1.0, -2.0]) / np.sqrt(3.0)


def liquid(
    frames: int, *, spacing: float, tau: float, seed: int, units: str = "reduced"
) -> Trace[Particles]:
    """Shear stresses of variance 4 that decay exponentially, in a volume of 8 at temperature 2."""
    rng = np.random.default_rng(seed)
    keep = np.exp(-spacing / tau)
    x = np.empty((frames, 5))
    x[0] = 2.0 * rng.normal(size=5)
    for k in range(1, frames):
        x[k] = keep * x[k - 1] + 2.0 * np.sqrt(1 - keep**2) * rng.normal(size=5)
    tensor = np.einsum("fk,kab->fab", x, BASIS) + 7.0 * np.eye(3)
    state = Particles(np.zeros((1, 3)), box=[2.0] * 3, units=units)
    log = {
        "pressure_tensor": tensor,
        "temperature": np.full(frames, 2.0),
        "volume": np.full(frames, 8.0),
    }
    return Trace([state] * frames, times=spacing * np.arange(frames), log=log)


def exact(spacing: float, tau: float) -> float:
    """V/kT times the variance times the trapezoidal sum over exponentials."""
    return 8.0 / 2.0 * 4.0 * spacing / 2.0 / np.tanh(spacing / (2.0 * tau))


def test_five_independent_stresses_of_any_orientation() -> None:
    found = _shear_stresses(BASIS + 3.0 * np.eye(3))
    assert found == pytest.approx(np.eye(5), abs=1e-12)
    q, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    turned = _shear_stresses(np.einsum("ab,kbc,dc->kad", q, BASIS, q))
    assert turned @ turned.T == pytest.approx(np.eye(5), abs=1e-12)


def test_green_kubo_of_exponential_decay() -> None:
    spacing, tau = 0.1, 0.7
    eta = Viscosity()(liquid(40_000, spacing=spacing, tau=tau, seed=1))
    assert abs(float(eta) - exact(spacing, tau)) < 4 * eta.error
    # An integrated autocorrelation has a relative variance of 4 lag / T (Wolff 2004, eq. 42), here
    # to a lag of 10 tau and of five components.
    assert eta.error == pytest.approx(float(eta) * np.sqrt(4 * 7.0 / 4000 / 5), rel=0.2)
    assert "to 7" in eta.method
    assert not eta.flags


def test_errors_of_green_kubo_cover() -> None:
    spacing, tau = 0.1, 0.4
    found = [Viscosity()(liquid(4000, spacing=spacing, tau=tau, seed=s)) for s in range(40)]
    pulls = np.array([(float(e) - exact(spacing, tau)) / e.error for e in found])
    assert abs(pulls.mean()) < 4 / np.sqrt(40)
    assert 1 - 3 * np.sqrt(2 / 40) < np.mean(pulls**2) < 1 + 4 * np.sqrt(2 / 40)


def test_md_units() -> None:
    trace = liquid(2000, spacing=0.1, tau=0.7, seed=2)
    as_md = liquid(2000, spacing=0.1, tau=0.7, seed=2, units="md")
    eta = Viscosity()(as_md)
    assert eta.unit == "bar ps"
    factor = MD.boltzmann * MD.pressure_factor
    assert float(eta) == pytest.approx(float(Viscosity()(trace)) / factor)


def test_an_integral_that_stops_early_is_flagged() -> None:
    trace = liquid(40_000, spacing=0.1, tau=1.0, seed=3)
    eta = Viscosity(1.0)(trace)
    assert float(eta) < 0.75 * exact(0.1, 1.0)
    assert "give a longer max_lag" in eta.flags[0]


def test_where_there_is_no_viscosity() -> None:
    def reason(trace, **settings):
        found = Viscosity(**settings)(trace)
        assert found.kind == "undefined"
        return found.flags[0]

    good = liquid(400, spacing=0.1, tau=0.4, seed=4)

    def logged(**log):
        return Trace(good.frames, times=good.times, log={**good.log, **log})

    assert "run with a smaller every" in reason(liquid(400, spacing=1.0, tau=0.5, seed=4))
    assert "the trace spans 4" in reason(good[:40], max_lag=2.0)
    assert "fewer than 20 frames" in reason(good[:10])
    assert "off zero: a solid, or a flow" in reason(
        logged(pressure_tensor=good.log["pressure_tensor"] + 3.0 * BASIS[0])
    )
    assert "zero in all frames" in reason(logged(pressure_tensor=np.tile(np.eye(3), (400, 1, 1))))
    assert "no pressure_tensor" in reason(Trace(good.frames, times=good.times))
    tensor = {"pressure_tensor": good.log["pressure_tensor"]}
    bare = Trace(good.frames, times=good.times, log=tensor)
    assert "no temperature" in reason(bare)
    assert Viscosity(temperature=2.0)(bare).defined


def test_bad_viscosities() -> None:
    for settings in ({"max_lag": 0.0}, {"max_lag": np.nan}, {"temperature": -1.0}):
        with pytest.raises(RegrainError, match="must be a positive number"):
            Viscosity(**settings)
    good = liquid(100, spacing=0.1, tau=0.4, seed=4)
    tensor = good.log["pressure_tensor"].copy()
    tensor[3, 0, 1] = np.nan
    with pytest.raises(RegrainError, match="frame 3"):
        Viscosity(temperature=1.0)(
            Trace(good.frames, times=good.times, log={"pressure_tensor": tensor})
        )
    with pytest.raises(RegrainError, match="weights"):
        Viscosity()(Trace(good.frames, times=good.times, log=good.log, weights=np.ones(100)))
    with pytest.raises(RegrainError, match="shape"):
        Viscosity()(Trace(good.frames, times=good.times, log={"pressure_tensor": good.times}))


@pytest.mark.parametrize(("plane", "place"), [("xy", (0, 1)), ("xz", (0, 2)), ("yz", (1, 2))])
def test_stress_over_rate_under_shear(plane, place) -> None:
    rng = np.random.default_rng(7)
    tensor = rng.normal(size=(500, 3, 3))
    tensor[:, place[0], place[1]] -= 3.0
    state = Particles(np.zeros((1, 3)), box=[2.0] * 3)
    provenance = {"flow": {"rate": 0.5, "plane": plane}}
    trace = Trace(
        [state] * 500, times=np.arange(500.0), log={"pressure_tensor": tensor},
        provenance=provenance,
    )  # fmt: skip
    eta = Viscosity()(trace)
    assert float(eta) == pytest.approx(-tensor[:, place[0], place[1]].mean() / 0.5)
    assert eta.error == pytest.approx(2.0 / np.sqrt(500), rel=0.2)
    assert "over shear rate" in eta.method


@pytest.mark.slow
def test_lennard_jones_liquid_at_its_triple_point() -> None:
    # Ferrario, Ciccotti, Holian and Ryckaert, Phys. Rev. A 44, 6936 (1991): 3.24 +- 0.04.
    pair = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
    field = ForceField({("A", "A"): pair}, temperature=0.722)
    start = fcc(cells=4, density=0.8442)
    melted = field.run(start, time=20.0, dt=0.005, every=20.0, seed=1)[-1]
    thermostat = NoseHoover(time=0.5)
    trace = field.run(melted, time=200.0, dt=0.005, every=0.025, seed=2, dynamics=thermostat)
    eta = Viscosity()(trace)
    assert abs(float(eta) - 3.24) < 3 * np.hypot(eta.error, 0.04)
    assert eta.error < 0.3
