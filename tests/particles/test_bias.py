"""Collective variables and their potentials: gradients, virial, work, and free energies."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regrain import RegrainError, Trace, _core
from regrain.particles import (
    NVE,
    Angle,
    CellRescale,
    Coordination,
    Dihedral,
    Distance,
    EndToEnd,
    Field,
    ForceField,
    FormulaBias,
    HarmonicBond,
    Langevin,
    LennardJones,
    NoseHoover,
    Particles,
    Position,
    RadiusOfGyration,
    Restraint,
    Topology,
    fcc,
)

BOX = np.array([[6.0, 0.0, 0.0], [1.7, 5.5, 0.0], [-2.1, 1.3, 5.8]])
NONE: dict[Any, Any] = {("A", "A"): None}
VARIABLES = [
    Position(particles=[0, 1, 2], axis="z"),
    Position(particles=[0, 1], axis="z", origin=[2, 3]),
    Distance(a=0, b=5),
    Distance(a=[0, 1, 2], b=[4, 5]),
    Angle(a=[0, 1], b=3, c=[5, 6]),
    Dihedral(a=0, b=[1, 2], c=4, d=[6, 7]),
    RadiusOfGyration(particles=range(8)),
    EndToEnd(particles=range(8)),
    Coordination(a=[0, 1, 2], b=[2, 5, 6, 7], r0=1.4, n=8),
]
NAMES = {law.__name__: law for law in (*map(type, VARIABLES), ForceField, FormulaBias, Restraint)}


def chain(wrapped: bool = True) -> Particles:
    """Eight particles in a row that is longer than the box, folded into it."""
    rng = np.random.default_rng(4)
    places = np.cumsum(rng.normal(size=(8, 3)) * 0.5 + [0.5, 0.3, 0.4], axis=0)
    if wrapped:
        fractions = places @ np.linalg.inv(BOX)
        places = (fractions - np.floor(fractions)) @ BOX
    return Particles(places, box=BOX, topology=Topology(["A"] * 8, masses=rng.uniform(1, 3, 8)))


def values(state: Particles, *variables: Any) -> list[float]:
    """What the log of a run would say."""
    named = {f"v{k}": v for k, v in enumerate(variables)}
    found = []
    for name, variable in named.items():
        field = ForceField(NONE, biases=[FormulaBias(name, variables={name: variable})])
        found.append(field.evaluate(state).energy)
    return found


# ---------------------------------------------------------------------- values


def test_values_are_those_of_the_whole_chain() -> None:
    whole, folded = chain(wrapped=False), chain()
    m, r = whole.topology.masses, whole.positions

    def centre(*group: int) -> Any:
        return np.average(r[list(group)], axis=0, weights=m[list(group)])

    gyration = np.sqrt(np.average(np.sum((r - centre(*range(8))) ** 2, axis=1), weights=m))
    arms = centre(0, 1) - r[3], centre(5, 6) - r[3]
    cosine = arms[0] @ arms[1] / np.linalg.norm(arms[0]) / np.linalg.norm(arms[1])
    wanted = {
        1: centre(0, 1)[2] - centre(2, 3)[2],
        3: np.linalg.norm(centre(0, 1, 2) - centre(4, 5)),
        4: np.arccos(cosine),
        6: gyration,
        7: np.linalg.norm(r[7] - r[0]),
    }
    for k, value in wanted.items():
        assert values(folded, VARIABLES[k])[0] == pytest.approx(value, rel=1e-12)
    assert wanted[7] > 0.5 * np.linalg.norm(BOX[1])  # further than a nearest image could be
    z = values(folded, VARIABLES[0])[0]
    assert 0 <= z < 5.8
    assert (z - centre(0, 1, 2)[2]) / 5.8 == pytest.approx(round((z - centre(0, 1, 2)[2]) / 5.8))


def test_a_dihedral_has_the_sign_of_a_bonded_term() -> None:
    places = [[1, 0, 0], [0, 0, 0], [0, 1, 0], [0.3, 1, 0.8]]
    state = Particles(places, box=[9, 9, 9])
    # Seen along y, x turns to -z clockwise: the sign of IUPAC.
    assert values(state, Dihedral(a=0, b=1, c=2, d=3))[0] == pytest.approx(-np.arctan2(0.8, 0.3))


def test_coordination_counts_pairs() -> None:
    state = Particles([[0, 0, 0], [1, 0, 0], [0, 2, 0], [8.5, 0, 0]], box=[9, 9, 9])
    found = values(state, Coordination(a=0, b=[0, 1, 2, 3], r0=1.0, n=6))[0]
    assert found == pytest.approx(1 / 2 + 1 / 65 + 1 / (1 + 0.5**6), rel=1e-14)


# ---------------------------------------------------------------------- forces


def biased(variable: Any) -> ForceField:
    formula = FormulaBias("k*(v - 0.3)^2 + sin(v)", variables={"v": variable}, k=1.5)
    return ForceField(NONE, biases=[formula, Restraint(variable, center=0.7, k=0.8)])


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda v: type(v).__name__)
def test_the_force_is_the_gradient_of_the_energy(variable: Any) -> None:
    state, field = chain(), biased(variable)
    found = field.evaluate(state)
    h = 1e-5
    for i in range(8):
        for k in range(3):
            shift = np.zeros((8, 3))
            shift[i, k] = h
            ends = [
                field.evaluate(state.replace(positions=state.positions + s * shift)).energy
                for s in (1, -1)
            ]
            slope = (ends[0] - ends[1]) / (2 * h)
            assert -found.forces[i, k] == pytest.approx(slope, rel=1e-6, abs=1e-6)
    assert found.terms["bias"] == found.energy


@pytest.mark.parametrize("variable", VARIABLES[1:], ids=lambda v: type(v).__name__)
def test_the_virial_is_the_derivative_by_strain(variable: Any) -> None:
    state, field = chain(), biased(variable)
    found = field.evaluate(state)
    h = 1e-5
    for k in range(3):
        ends = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[k, k] += sign * h
            ends.append(
                field.evaluate(
                    state.replace(positions=state.positions @ strain, box=state.box @ strain)
                ).energy
            )
        slope = (ends[0] - ends[1]) / (2 * h)
        assert -found.virial[k, k] == pytest.approx(slope, rel=1e-6, abs=1e-6)
    assert np.allclose(found.forces.sum(axis=0), 0, atol=1e-12)
    if isinstance(variable, RadiusOfGyration | EndToEnd):
        dyad = np.einsum("ia,ib->ab", chain(wrapped=False).positions, found.forces)
        assert np.allclose(found.virial, dyad, atol=1e-10)


def test_dihedrals_and_positions_are_restrained_by_the_shorter_way_round() -> None:
    places = [[1, 0, 0], [0, 0, 0], [0, 1, 0], [-1, 1, 0.1]]
    state = Particles(places, box=[9, 9, 9])
    phi = np.arctan2(0.1, -1.0)
    field = ForceField(NONE, biases=[Restraint(Dihedral(a=0, b=1, c=2, d=3), center=-np.pi, k=2.0)])
    assert field.evaluate(state).energy == pytest.approx((phi - np.pi) ** 2, rel=1e-12)
    field = ForceField(NONE, biases=[Restraint(Position(particles=0, axis="x"), center=8.5, k=2.0)])
    assert field.evaluate(state).energy == pytest.approx(1.5**2, rel=1e-12)


def test_laws_survive_text_json_and_pickle(tmp_path: Path) -> None:
    each = [Restraint(v, center=0.1, k=2.0, speed=0.1) for v in VARIABLES[3:]]
    both = {"d": VARIABLES[3], "z": VARIABLES[0]}
    field = ForceField(NONE, biases=[*each, FormulaBias("d*z + far*t", variables=both, far=1.0)])
    assert eval(repr(field), NAMES) == field
    assert ForceField.from_dict(json.loads(json.dumps(field.to_dict()))) == field
    assert pickle.loads(pickle.dumps(field)) == field
    field.save(tmp_path / "field.json")
    assert ForceField.load(tmp_path / "field.json") == field != field.replace(biases=None)
    state = chain()
    assert field.scaled(0.5).evaluate(state).energy == pytest.approx(
        0.5 * field.evaluate(state).energy, rel=1e-14
    )


# ---------------------------------------------------------------------- free energies


def window(center: float, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Distances of two particles in a known potential, restrained."""
    pair = HarmonicBond(k=4.0, r0=2.0)
    topology = Topology(["A", "A"], bonds=[(0, 1)])
    field = ForceField(
        NONE,
        bonds={("A", "A"): pair},
        biases=[Restraint(Distance(a=0, b=1), center=center, k=15.0)],
        temperature=1.0,
    )
    start = Particles([[4, 4, 4], [4 + center, 4, 4]], box=[12, 12, 12], topology=topology)
    trace = field.run(
        start, time=1500, dt=0.05, every=0.5, seed=seed, dynamics=Langevin(friction=2.0)
    )
    found = np.asarray(trace.log["distance"][100:])
    r = np.array([np.linalg.norm(state.positions[1] - state.positions[0]) for state in trace[100:]])
    assert np.allclose(np.minimum(r, found), found, rtol=1e-12)
    assert np.allclose(trace.log["bias_energy"][100:], 7.5 * (found - center) ** 2, rtol=1e-12)
    return found


@pytest.mark.slow
def test_umbrella_sampling_gives_back_the_potential_of_mean_force() -> None:
    """Windows on a bond, joined by their mean forces (Kästner and Thiel, J. Chem. Phys. 123, 144104
    (2005)): -ln p'(r) + beta k (r - center) is dF/dr of u(r) - 2 kT ln r."""
    for k, center in enumerate((1.2, 1.7, 2.3, 2.8)):
        r = window(center, seed=k + 1)
        # Exact moments of r² exp(-u - w) by quadrature.
        grid = np.linspace(0.01, 6.0, 6000)
        p = grid**2 * np.exp(-2 * (grid - 2) ** 2 - 7.5 * (grid - center) ** 2)
        p /= p.sum()
        mean, variance = p @ grid, p @ (grid - p @ grid) ** 2
        # The relative coordinate relaxes within some 2 units of time (k = 38 at reduced mass 1/2
        # and a friction of 2): of its square, two samples make one at worst.
        count = len(r) / 2
        assert r.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / count))
        assert r.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / count))


def test_a_moving_restraint_does_the_work_that_its_log_says() -> None:
    """Dragged slowly through an empty box with friction: the force is friction times speed."""
    friction, speed, mass = 2.0, 0.5, 3.0
    pull = Restraint(Position(particles=0, axis="x"), center=1.0, k=40.0, speed=speed)
    topology = Topology(["A"], masses=[mass])
    field = ForceField(NONE, biases=[pull], temperature=0.0)
    start = Particles([[1.0, 1, 1]], box=[50, 50, 50], topology=topology, velocities=[[0, 0, 0]])
    dynamics = Langevin(friction=friction, temperature=0.0)
    trace = field.run(start, time=40, dt=0.01, every=1, dynamics=dynamics)
    power = np.diff(trace.log["work"])[20:]
    assert np.allclose(power, mass * friction * speed**2, rtol=1e-4)
    lag = 1.0 + speed * trace.times - trace.log["position"]
    assert lag[-1] == pytest.approx(mass * friction * speed / 40.0, rel=1e-4)
    assert np.ptp(trace.log["conserved_energy"]) < 1e-3


@pytest.mark.parametrize("variable", [VARIABLES[k] for k in (3, 5, 6, 7)])
def test_energy_and_work_are_conserved(variable: Any) -> None:
    state = chain()
    bonds = {("A", "A"): HarmonicBond(k=20.0, r0=1.0)}
    topology = Topology(["A"] * 8, bonds=[(i, i + 1) for i in range(7)])
    state = state.replace(topology=topology)
    bias = FormulaBias("0.5*k*(v - 1 - 0.2*sin(t))^2", variables={"v": variable}, k=3.0)
    field = ForceField(NONE, bonds=bonds, biases=[bias], temperature=0.2)
    spread = []
    for dt in (0.01, 0.005):
        trace = field.run(state, time=10, dt=dt, every=0.5, seed=2, dynamics=NVE())
        spread.append(np.std(trace.log["conserved_energy"]))
        momentum = [s.velocities.sum(axis=0) for s in trace if s.velocities is not None]
        assert np.abs(momentum).max() < 1e-12
        assert np.ptp(trace.log["work"]) > 0.05
    assert spread[1] < 0.02
    assert 3 < spread[0] / spread[1] < 5


@pytest.mark.slow
def test_a_barostat_feels_a_restraint() -> None:
    """Two particles of an ideal gas on a spring count as one: n - 1 free ones, so that volumes
    have the distribution V^(n - 1) exp(-PV/kT) dV with the mean n kT/P."""
    n, pressure = 12, 0.4
    rng = np.random.default_rng(1)
    places = rng.uniform(0, 3, size=(n, 3))
    places[1] = places[0]
    start = Particles(places, box=[3, 3, 3])
    field = ForceField(
        NONE, biases=[Restraint(Distance(a=0, b=1), center=0.0, k=200.0)], temperature=1.0
    )
    trace = field.run(
        start,
        time=6000,
        dt=0.02,
        every=2,
        seed=5,
        dynamics=Langevin(friction=1.0),
        barostat=CellRescale(pressure=pressure, time=4.0, compressibility=1 / pressure, every=2),
    )
    volume = np.asarray(trace.log["volume"])[100:]
    # The variance is n (kT/P)². The volume relaxes at the rate of the barostat, 1/4, times the
    # guessed compressibility over that of the gas, which is 1/P too: two frames.
    count = len(volume) / 6
    assert volume.mean() * pressure == pytest.approx(n, abs=4 * np.sqrt(n / count))
    assert abs(volume.mean() * pressure - (n + 1)) > 6 * np.sqrt(n / count)


# ---------------------------------------------------------------------- bits


def pulled(**arguments: Any) -> Trace[Particles]:
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=1.3, mode="shifted")
    biases = [
        Restraint(Distance(a=0, b=1, name="d"), center=1.0, k=5.0, speed=0.3),
        Restraint(Coordination(a=5, b=range(100, 140), r0=2.0), center=4.0, k=1.0),
    ]
    field = ForceField({("A", "A"): lj}, biases=biases, temperature=1.0)
    arguments = {"time": 0.1, "dynamics": NoseHoover(time=0.5)} | arguments
    return field.run(fcc(cells=11, density=0.6), dt=0.005, every=0.05, seed=3, **arguments)


def bits(trace: Trace[Particles]) -> bytes:
    parts = [state.positions.tobytes() + state.velocities.tobytes() for state in trace]
    return b"".join(parts + [column.tobytes() for _, column in sorted(trace.log.items())])


def test_the_same_bits_for_any_number_of_threads_and_after_a_cut(tmp_path: Path) -> None:
    before = _core.threads()
    try:
        found = []
        for count in (1, 3):
            _core.set_threads(count)
            found.append(bits(pulled()))
    finally:
        _core.set_threads(before)
    assert found[0] == found[1]
    pulled(time=0.05, checkpoint=tmp_path / "run.npz")
    assert bits(pulled(checkpoint=tmp_path / "run.npz")) == found[0]


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Distance(a=-1, b=1), "a is -1, expected the index of a particle"),
        (lambda: Distance(a=[], b=1), r"a is \[\], expected"),
        (lambda: Distance(a=[1, 1], b=0), "different ones"),
        (lambda: Distance(a="x", b=0), "a is 'x', expected"),
        (lambda: Distance(a=0, b=1, name="volume"), "name is 'volume', expected one of its own"),
        (lambda: Position(particles=0, axis="w"), "axis is 'w'"),
        (lambda: Coordination(a=0, b=1, r0=0), "r0 must be a positive number"),
        (lambda: Restraint(3, center=0, k=1), "got 3, expected a collective variable"),  # type: ignore[arg-type]
        (lambda: Restraint(VARIABLES[2], center=0, k=0), "k must be a positive number"),
        (lambda: FormulaBias("q^2", variables={"v": VARIABLES[2]}), 'there is no "q"'),
        (lambda: FormulaBias("1", variables={}), "expected a formula as text and variables"),
        (lambda: FormulaBias("1", variables={"t": VARIABLES[2]}), 'the name "t" means something'),
        (lambda: ForceField(NONE, biases=[Field("x")]), "belongs into external"),
        (lambda: ForceField(NONE, external={"A": biased(VARIABLES[2]).biases}), "expected a type"),
        (
            lambda: ForceField(
                NONE,
                biases=[Restraint(Distance(a=0, b=k), center=0, k=1) for k in (1, 2)],
            ),
            "two collective variables have the name 'distance'",
        ),
    ],
)
def test_what_makes_no_bias_is_refused(make: Any, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        make()


def test_what_is_not_defined_in_a_state_is_named() -> None:
    state = chain()

    def evaluate(variable: Any, at: Particles = state) -> None:
        ForceField(NONE, biases=[Restraint(variable, center=0, k=1)]).evaluate(at)

    with pytest.raises(RegrainError, match="names particle 9, but the state has 8"):
        evaluate(Distance(a=0, b=9))
    far = Particles([[0, 0, 0], [4, 0, 0], [8, 0, 0]], box=[9, 9, 9])
    evaluate(RadiusOfGyration(particles=[0, 1]), far)
    wide = far.replace(positions=[[0, 0, 0], [4.5, 0, 0], [8, 0, 0]])
    with pytest.raises(RegrainError, match=r"particles 0 and 1, .* 4.5.* not less than half the b"):
        evaluate(RadiusOfGyration(particles=[0, 1]), wide)
    with pytest.raises(RegrainError, match="the skewed box has no period"):
        evaluate(Position(particles=0, axis="x"))
    massless = state.replace(topology=Topology(["A"] * 8, masses=[1] * 7 + [0]))
    with pytest.raises(RegrainError, match="has a particle without mass"):
        evaluate(EndToEnd(particles=[6, 7]), massless)
    bad = ForceField(NONE, biases=[FormulaBias("log(d - 9)", variables={"d": Distance(a=0, b=1)})])
    with pytest.raises(RegrainError, match=r"not a number at .*Distance|distance = "):
        bad.evaluate(state)


def test_a_barostat_and_a_place_in_the_box_do_not_go_together() -> None:
    place = Restraint(Position(particles=0, axis="z"), center=1.0, k=1.0)
    field = ForceField(NONE, biases=[place], temperature=1.0)
    barostat = CellRescale(pressure=1.0, time=1.0, compressibility=1.0)
    state = Particles(np.random.default_rng(1).uniform(size=(5, 3)) * 5, box=[5, 5, 5])
    with pytest.raises(RegrainError, match="along z, where Position"):
        field.run(state, time=1, dt=0.1, barostat=barostat)
    within = Restraint(Position(particles=0, axis="z", origin=1), center=1.0, k=1.0)
    slow = CellRescale(pressure=1.0, time=1000.0, compressibility=1.0)
    field.replace(biases=[within]).run(state, time=1, dt=0.1, barostat=slow)
