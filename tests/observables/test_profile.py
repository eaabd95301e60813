"""Profiles along an axis, and the viscosity of a driven channel."""

import numpy as np
import pytest

from regrain import Trace
from regrain.errors import RegrainError
from regrain.observables import PoiseuilleViscosity, Profile
from regrain.particles import Particles, Topology
from regrain.units import MD


def gas(n, box, rng, velocities=None, **more) -> Particles:
    r = rng.random((n, 3)) @ np.asarray(box, dtype=float)
    return Particles(r, box=box, velocities=None if velocities is None else velocities(r), **more)


def trace_of(states, **more) -> Trace[Particles]:
    return Trace(states, times=np.arange(float(len(states))), **more)


def test_density_of_known_places_in_a_skewed_box() -> None:
    # Slabs lie along the two other lattice vectors, and images do not matter.
    box = np.array([[4.0, 0, 0], [1.5, 4.0, 0], [0.7, -1.1, 5.0]])
    fractions = np.array([[0.1, 0.05, 0.9], [0.1, 0.30, 0.1], [0.6, 0.35, 0.4], [0.9, 0.80, 0.2]])
    images = [[0, 1, 0], [-2, 0, 1], [0, 0, 3], [1, -1, 0]]
    shifted = (fractions + np.array(images)) @ box
    found = Profile("density", axis="y", bins=4)(trace_of([Particles(shifted, box=box)] * 3))
    height = 1.0 / np.linalg.norm(np.linalg.inv(box)[:, 1])
    assert found.coords["y"] == pytest.approx((np.arange(4)[[0, 1, 3]] + 0.5) * height / 4)
    assert found.value == pytest.approx(np.array([1, 2, 1]) / (80.0 / 4))
    assert "1 of 4 slabs left out" in found.flags[0]


def test_mean_velocity_is_that_of_the_centre_of_mass() -> None:
    topology = Topology(["A", "B"], masses=[1.0, 3.0])
    state = Particles(
        [[0, 0, 0.2], [0, 0, 0.3]],
        box=[2, 2, 2],
        topology=topology,
        velocities=[[4, 0, 0], [0] * 3],
    )
    found = Profile("velocity", component="x", bins=2)(trace_of([state] * 2))
    assert found.value.tolist() == [1.0]
    only_a = Profile("velocity", component="x", bins=2, types=["A"])(trace_of([state] * 2))
    assert only_a.value.tolist() == [4.0]


def test_temperature_and_pressure_are_those_of_the_motion_beside_the_slab() -> None:
    # Slabs that stream at their own speed, hotter in the upper half; md units.
    rng = np.random.default_rng(5)
    box, n, m = [4.0, 4.0, 4.0], 500, 18.0
    topology = Topology(["W"] * n, masses=np.full(n, m))

    def velocities(r):
        upper = r[:, 2] > 2.0
        kt = MD.boltzmann * np.where(upper, 400.0, 300.0)
        drift = np.where(upper, 3.0, -1.0)[:, None] * [1.0, 0.5, 0.0]
        return rng.normal(size=(n, 3)) * np.sqrt(kt / m)[:, None] + drift

    states = [
        gas(n, np.diag(box), rng, velocities, topology=topology, units="md") for _ in range(99)
    ]
    trace = trace_of(states)
    hot = Profile("temperature", bins=2)(trace)
    assert hot.unit == "K"
    assert np.all(np.abs(hot.value - [300, 400]) < 4 * hot.error)
    assert hot.error == pytest.approx(hot.value * np.sqrt(2 / 3 / (n / 2 * 99)), rel=0.3)
    along = Profile("temperature", bins=2, component="x")(trace)
    assert np.all(np.abs(along.value - [300, 400]) < 4 * along.error)
    ideal = n / 64.0 * MD.boltzmann * np.array([300, 400]) * MD.pressure_factor
    for component, expected in ((None, ideal), ("yy", ideal), ("xy", 0.0)):
        p = Profile("kinetic pressure", component=component, bins=2)(trace)
        assert p.unit == "bar"
        assert np.all(np.abs(p.value - expected) < 4 * p.error)
        assert np.all(p.error < 0.05 * ideal)


def test_shear_flow_is_put_back() -> None:
    # Frames of a run under shear hold velocities beside the flow.
    rng = np.random.default_rng(6)
    box = np.array([[4.0, 0, 0], [1.0, 4.0, 0], [0, 0, 4.0]])
    states = [gas(200, box, rng, lambda r: rng.normal(size=r.shape) * 0.1) for _ in range(50)]
    flow = {"flow": {"rate": 0.5, "plane": "xy"}}
    sheared = trace_of(states, provenance=flow)
    u = Profile("velocity", component="x", axis="y", bins=4)(sheared)
    assert np.all(np.abs(u.value - 0.5 * u.coords["y"]) < 4 * u.error)
    across = Profile("velocity", component="x", axis="z", bins=4)(sheared)
    assert np.all(np.abs(across.value - 0.5 * 2.0) < 4 * across.error)
    beside = Profile("velocity", component="y", axis="y", bins=4)(sheared)
    assert np.all(np.abs(beside.value) < 4 * beside.error)
    at_rest = Profile("velocity", component="x", axis="y", bins=4)(trace_of(states))
    assert np.all(np.abs(at_rest.value) < 4 * at_rest.error)


def test_bad_profiles() -> None:
    for settings, match in (
        ({"quantity": "charge"}, "expected one of density, velocity"),
        ({"quantity": "velocity"}, "say which component"),
        ({"quantity": "velocity", "component": "xy"}, "'x', 'y' or 'z'"),
        ({"quantity": "kinetic pressure", "component": "x"}, "two letters"),
        ({"quantity": "density", "component": "x"}, "none"),
        ({"axis": "w"}, "give 'x', 'y' or 'z'"),
        ({"bins": 0}, "1 bins or more"),
    ):
        with pytest.raises(RegrainError, match=match):
            Profile(**settings)
    trace = trace_of([Particles(np.zeros((1, 3)), box=[2.0] * 3)])
    with pytest.raises(RegrainError, match="needs velocities"):
        Profile("temperature")(trace)
    with pytest.raises(RegrainError, match=r"got \['B'\]"):
        Profile(types=["B"])(trace)


# ---------------------------------------------------------------------- Poiseuille


def channel(velocity, *, noise: float, frames: int = 60, seed: int = 1) -> Trace[Particles]:
    """600 particles in a box of height 10 that go along x as a function of z says."""
    rng = np.random.default_rng(seed)

    def velocities(r):
        v = rng.normal(size=r.shape) * noise
        v[:, 0] += velocity(r[:, 2])
        return v

    return trace_of([gas(600, np.diag([3.0, 2.0, 10.0]), rng, velocities) for _ in range(frames)])


ETA, FORCE, DENSITY = 2.5, 0.1, 10.0


def between_walls(z):
    return DENSITY * FORCE / (2 * ETA) * z * (10.0 - z)


def reverse(z):
    s = z % 5.0
    return np.where(z < 5.0, 1, -1) * DENSITY * FORCE / (2 * ETA) * s * (5.0 - s)


@pytest.mark.parametrize(
    ("profile", "settings"),
    [
        (between_walls, {}),
        (lambda z: between_walls(z) + 0.7 + 0.2 * z, {"fit": (0.2, 0.8)}),
        (reverse, {"reverse": True}),
        (reverse, {"reverse": True, "fit": (0.1, 0.9)}),
        (lambda z: reverse(z) - 0.05 * np.sign(5.0 - z), {"reverse": True, "fit": (0.1, 0.9)}),
    ],
)
def test_viscosity_of_a_parabola(profile, settings) -> None:
    eta = PoiseuilleViscosity(force=FORCE, **settings)(channel(profile, noise=1.0))
    assert abs(float(eta) - ETA) < 4 * eta.error
    assert eta.error < 0.1 * ETA
    assert not any("no parabola" in flag for flag in eta.flags)


def test_errors_of_poiseuille_viscosities_cover() -> None:
    found = [
        PoiseuilleViscosity(force=FORCE, reverse=True, bins=20)(
            channel(reverse, noise=1.0, frames=40, seed=seed)
        )
        for seed in range(24)
    ]
    pulls = np.array([(float(e) - ETA) / e.error for e in found])
    # The mean square of 24 normal numbers: 1 with a standard deviation of sqrt(2 / 24).
    assert 1 - 3 * np.sqrt(2 / 24) < np.mean(pulls**2) < 1 + 4 * np.sqrt(2 / 24)


def test_what_is_no_parabola_is_flagged() -> None:
    plug = channel(lambda z: np.minimum(z, 10 - z) ** 0.3, noise=0.1)
    eta = PoiseuilleViscosity(force=FORCE)(plug)
    assert any("no parabola" in flag for flag in eta.flags)


def test_poiseuille_in_md_units() -> None:
    trace = channel(reverse, noise=0.1)
    md = trace_of([s.replace(units="md") for s in trace])
    settings = PoiseuilleViscosity(force=FORCE, reverse=True)
    assert settings(md).unit == "bar ps"
    assert float(settings(md)) == pytest.approx(float(settings(trace)) * MD.pressure_factor)


def test_bad_channels() -> None:
    for settings, match in (
        ({"force": 0.0}, "other than 0"),
        ({"force": np.nan}, "other than 0"),
        ({"force": 1.0, "flow": "z"}, "must differ"),
        ({"force": 1.0, "bins": 9, "reverse": True}, "even number"),
        ({"force": 1.0, "fit": (0.5, 0.52)}, "4 slabs"),
        ({"force": 1.0, "fit": (0.5, 1.2)}, "0 to 1"),
        ({"force": 1.0, "bins": 4}, "8 bins"),
    ):
        with pytest.raises(RegrainError, match=match):
            PoiseuilleViscosity(**settings)
    half = channel(between_walls, noise=0.1, frames=3)
    kept = [s.replace(positions=s.positions * [1, 1, 0.5]) for s in half]
    assert "empty" in PoiseuilleViscosity(force=1.0)(trace_of(kept)).flags[0]
