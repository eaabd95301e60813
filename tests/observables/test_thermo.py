"""Energy, temperature, pressure, density, compressibility, Kirkwood-Buff integrals."""

import numpy as np
import pytest

from regrain import Trace
from regrain.errors import RegrainError
from regrain.observables import (
    RDF,
    Compressibility,
    Density,
    Energy,
    KirkwoodBuff,
    Pressure,
    Temperature,
    measure,
)
from regrain.particles import Particles, Topology
from regrain.units import MD

ONE = Particles(np.eye(3), box=[5.0, 5.0, 5.0], units="md")


def logged(**log) -> Trace[Particles]:
    n = len(next(iter(log.values())))
    return Trace([ONE] * n, times=np.arange(n, dtype=float), log=log)


def gas(n: int, edge: float, frames: int, seed: int, units: str = "reduced") -> Trace[Particles]:
    rng = np.random.default_rng(seed)
    box = [edge] * 3
    states = [Particles(rng.random((n, 3)) * edge, box=box, units=units) for _ in range(frames)]
    return Trace(states, times=np.arange(frames, dtype=float))


def test_log_columns() -> None:
    tensor = np.tile(np.diag([1.0, 2.0, 3.0]), (4, 1, 1)) * np.arange(1, 5)[:, None, None]
    trace = logged(
        potential_energy=[1.0, 2.0, 3.0, 4.0],
        kinetic_energy=[1.0, 1.0, 2.0, 2.0],
        pressure_tensor=tensor,
        temperature=[299.0, 301.0, 300.0, 300.0],
    )
    found = measure(trace, [Energy(), Energy("total"), Pressure(), Temperature()])
    assert [float(e) for e in found] == [2.5, 4.0, 5.0, 300.0]
    assert [e.unit for e in found] == ["kJ/mol", "kJ/mol", "bar", "K"]
    assert [e.name for e in found][:2] == ["potential energy", "total energy"]
    assert all(e.error > 0 for e in found)


@pytest.mark.parametrize("observable", [Energy(), Energy("total"), Pressure(), Temperature()])
def test_what_was_not_measured_is_undefined(observable) -> None:
    estimate = observable(Trace([ONE], times=[0.0]))
    assert estimate.kind == "undefined"
    assert "the" in estimate.flags[0]


def test_one_frame_has_a_value_but_no_error() -> None:
    for estimate in measure(Trace([ONE], times=[0.0]), [Density(), RDF(r_max=2.0, bins=3)]):
        assert estimate.defined
        assert estimate.error is None
        assert "one frame" in estimate.flags[0]
        with pytest.raises(RegrainError, match="no error bar"):
            estimate.interval()


def test_temperature_from_velocities() -> None:
    rng = np.random.default_rng(1)
    masses = np.array([1.0, 16.0] * 50)
    topology = Topology(["H", "O"] * 50, masses=masses)
    scale = np.sqrt(MD.boltzmann * 300.0 / masses)[:, None]
    states = [
        Particles(
            np.zeros((100, 3)),
            box=[5.0] * 3,
            topology=topology,
            velocities=scale * rng.normal(size=(100, 3)),
            units="md",
        )
        for _ in range(200)
    ]
    t = Temperature()(Trace(states, times=np.arange(200.0)))
    assert abs(float(t) - 300.0) < 4 * t.error
    assert t.error == pytest.approx(300 * np.sqrt(2 / 300 / 200), rel=0.3)


def test_bad_log_is_named() -> None:
    with pytest.raises(RegrainError, match=r"frame 2: .*nan"):
        Energy()(logged(potential_energy=[1.0, 2.0, np.nan]))
    with pytest.raises(RegrainError, match="shape"):
        Pressure()(logged(pressure_tensor=[1.0, 2.0]))
    with pytest.raises(RegrainError, match="expected 'potential'"):
        Energy("free")


def test_level_is_checked() -> None:
    class Walkers:
        level, units = "jumps", "reduced"

    with pytest.raises(RegrainError, match="measures particles, but the trace holds jumps"):
        Density()(Trace([Walkers()], times=[0.0]))


def test_ideal_gas_compressibility_by_integrals() -> None:
    trace = gas(300, 3.0, 150, seed=2, units="md")
    kappa = Compressibility(300.0)(trace)
    expected = 27.0 / 300 / (MD.boltzmann * 300.0) / MD.pressure_factor
    assert kappa.unit == "1/bar"
    assert abs(float(kappa) - expected) < 4 * kappa.error
    assert kappa.error < 0.1 * expected


def test_ideal_gas_compressibility_by_volumes() -> None:
    # Isothermal-isobaric: V is Gamma distributed, and kappa = 1/p exactly.
    rng, pressure, temperature, n = np.random.default_rng(3), 2.0, 1.5, 50
    volumes = rng.gamma(n + 1, temperature / pressure, size=2000)
    states = [Particles(np.eye(3), box=[v ** (1 / 3)] * 3) for v in volumes]
    kappa = Compressibility(temperature)(Trace(states, times=np.arange(2000.0)))
    assert "volume" in kappa.method
    assert abs(float(kappa) - 1 / pressure) < 4 * kappa.error
    assert kappa.error < 0.05


def test_temperature_comes_from_the_log() -> None:
    trace = gas(100, 5.0, 20, seed=4)
    assert Compressibility()(trace).kind == "undefined"
    with_log = Trace(trace.frames, times=trace.times, log={"temperature": np.full(20, 2.0)})
    assert float(Compressibility()(with_log)) == float(Compressibility(2.0)(trace))
    with pytest.raises(RegrainError, match="positive"):
        Compressibility(-1.0)


def clusters(pairs: int, frames: int, seed: int, length: float = 0.4) -> Trace[Particles]:
    """Dumbbells of fixed length, placed at random: G = V / N to the bit, S(0) = 2."""
    rng = np.random.default_rng(seed)
    states = []
    for _ in range(frames):
        d = rng.normal(size=(pairs, 3))
        d *= length / np.linalg.norm(d, axis=1)[:, None]
        r = rng.random((pairs, 3)) * 5
        states.append(Particles(np.concatenate([r, r + d]), box=[5.0] * 3))
    return Trace(states, times=np.arange(frames, dtype=float))


def test_kirkwood_buff_integral_of_dumbbells() -> None:
    # Each particle has one partner more than an ideal gas: n G = 1, up to 23/8 (0.4/2.5)^3 = 1 %
    # of the weight and terms of order 1/N.
    trace = clusters(150, 400, seed=5)
    g = KirkwoodBuff()(trace).sel(pair="A-A")
    n = 300 / 125
    assert abs(n * float(g) - 1.0) < 4 * n * g.error + 0.02
    kappa = Compressibility(1.0)(trace)
    assert abs(float(kappa) * n - 2.0) < 4 * n * kappa.error + 0.03


def test_compressibility_does_not_depend_on_naming_half_of_the_particles() -> None:
    trace = gas(200, 5.0, 100, seed=6)
    topology = Topology(["A", "B"] * 100)
    named = Trace([s.replace(topology=topology) for s in trace], times=trace.times)
    one, two = Compressibility(1.0)(trace), Compressibility(1.0)(named)
    assert float(two) == pytest.approx(float(one), abs=2 * float(one.error))
    assert abs(float(two) - 125 / 200) < 4 * two.error


def test_bound_types_are_undefined() -> None:
    topology = Topology(["O", "H"], bonds=[(0, 1)])
    state = Particles([[0, 0, 0], [0.1, 0, 0]], box=[3.0] * 3, topology=topology)
    kappa = Compressibility(300.0)(Trace([state] * 3, times=[0, 1, 2]))
    assert "map molecules to beads" in kappa.flags[0]
