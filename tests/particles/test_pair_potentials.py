"""Pair potentials that are formulas: values, ends, and what the engine makes of them."""

import numpy as np
import pytest

from regrain import RegrainError
from regrain.particles import (
    WCA,
    ForceField,
    Gaussian,
    LennardJones,
    Particles,
    Potential,
    Soft,
    Table,
    Topology,
    Yukawa,
    fcc,
)

MODES = ("cut", "shifted", "force-shifted")


def formulas(r: np.ndarray) -> list[tuple[Potential, np.ndarray, np.ndarray]]:
    """Potentials with the energies and forces that their papers write."""
    decay = 2.0 * np.exp(-1.5 * r) / r
    bell = -3.0 * np.exp(-(r**2) / (2 * 0.4**2))
    s6 = (0.3 / r) ** 6
    inside = r < 0.3 * 2 ** (1 / 6)
    return [
        (Yukawa(epsilon=2.0, kappa=1.5, cutoff=2.0), decay, decay * (1.5 + 1 / r)),
        (Yukawa(epsilon=2.0, kappa=0.0, cutoff=2.0), 2.0 / r, 2.0 / r**2),
        (Gaussian(epsilon=-3.0, sigma=0.4, cutoff=2.0), bell, bell * r / 0.4**2),
        (Soft(a=25.0, cutoff=2.0), 25.0 * (1 - r / 2) ** 2, 25.0 * (1 - r / 2)),
        (
            WCA(epsilon=0.7, sigma=0.3),
            np.where(inside, 2.8 * (s6**2 - s6) + 0.7, 0.0),
            np.where(inside, 2.8 * (12 * s6**2 - 6 * s6) / r, 0.0),
        ),
    ]


def test_they_are_their_formulas() -> None:
    r = np.linspace(0.2, 1.999, 700)
    for potential, energy, force in formulas(r):
        np.testing.assert_allclose(potential.u(r), energy, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(potential.force(r), force, rtol=1e-13, atol=1e-13)
        assert potential.u(2.0) == potential.force(2.0) == 0.0


@pytest.mark.parametrize("kind", [Yukawa, Gaussian])
def test_their_ends_are_as_their_modes_say(kind: type) -> None:
    numbers = {"epsilon": 2.0, "kappa" if kind is Yukawa else "sigma": 1.0, "cutoff": 1.5}
    cut, shifted, smooth = (kind(**numbers, mode=mode) for mode in MODES)
    r, last = np.linspace(0.1, 1.4999, 50), np.nextafter(1.5, 0)
    assert cut.u(last) > 0.2
    np.testing.assert_allclose(shifted.u(r), cut.u(r) - cut.u(last), atol=1e-14)
    np.testing.assert_array_equal(shifted.force(r), cut.force(r))
    np.testing.assert_allclose(smooth.force(r), cut.force(r) - cut.force(last), atol=1e-14)
    straight = (r - last) * cut.force(last)
    np.testing.assert_allclose(smooth.u(r), shifted.u(r) + straight, atol=1e-13)
    assert abs(smooth.u(last)) < 1e-14
    assert abs(smooth.force(last)) < 1e-14


def test_soft_spheres_overlap_wholly_and_no_others() -> None:
    assert Soft(a=25.0, cutoff=2.0).u(0.0) == 25.0
    assert Gaussian(epsilon=2.0, sigma=1.0, cutoff=5.0).u(0.0) == 2.0
    # A dimer at a point: the Gaussian has no force there, the soft sphere no direction for its own.
    state = Particles([[1.0, 1.0, 1.0]] * 2, box=[9.0] * 3)
    field = ForceField({("A", "A"): Gaussian(epsilon=2.0, sigma=1.0, cutoff=3.0)})
    assert field.evaluate(state).energy == 2.0
    assert (field.evaluate(state).forces == 0.0).all()
    for potential in (Soft(a=25.0, cutoff=2.0), Yukawa(epsilon=1.0, kappa=1.0, cutoff=3.0)):
        with pytest.raises(RegrainError, match="particles 0 and 1 are at the same place"):
            ForceField({("A", "A"): potential}).evaluate(state)


def fluid(n: int = 400) -> Particles:
    """A disordered fluid of three types in a skewed box, with no close pairs."""
    box = np.array([[5.0, 0.0, 0.0], [1.2, 5.5, 0.0], [-1.0, 0.7, 5.2]])
    sites = np.stack(np.meshgrid(*[np.arange(8)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)[:n]
    rng = np.random.default_rng(5)
    places = (sites / 8) @ box + rng.uniform(-0.12, 0.12, size=(n, 3))
    topology = Topology(np.array(["A", "B", "C"])[rng.integers(3, size=n)])
    return Particles(places, box, topology=topology)


#: Every kind of potential in one field.
MIXTURE: dict[tuple[str, str], Potential] = {
    ("A", "A"): Yukawa(epsilon=2.0, kappa=1.5, cutoff=2.1, mode="force-shifted"),
    ("A", "B"): Gaussian(epsilon=3.0, sigma=0.5, cutoff=1.7, mode="shifted"),
    ("A", "C"): Soft(a=25.0, cutoff=1.3),
    ("B", "B"): WCA(epsilon=1.0, sigma=0.6),
    ("B", "C"): LennardJones(epsilon=0.5, sigma=0.6, cutoff=1.9),
    ("C", "C"): Yukawa(epsilon=-0.3, kappa=0.0, cutoff=1.1),
}


def tabulated(potential: Potential) -> Table:
    """The same as a fine table; of the mode it takes the values at the cutoff from within."""
    low, high = 0.3, float(potential.cutoff)  # type: ignore[attr-defined]
    form = Table(r_min=low, r_max=high, points=20001)
    r = np.minimum(form.grid, np.nextafter(high, 0))
    return form.with_energy(potential.u(r), forces=potential.force(r))


def test_a_mixture_of_all_kinds_is_that_of_their_tables() -> None:
    state = fluid()
    exact = ForceField(MIXTURE).evaluate(state)
    tables = {types: tabulated(potential) for types, potential in MIXTURE.items()}
    table = ForceField(tables).evaluate(state)
    # Cubics on a grid of h = 1e-4: h^4 / 384 times the fourth derivative (below 1e6) for energies,
    # h^3 for forces.
    assert exact.energy == pytest.approx(table.energy, rel=1e-11)
    size = np.abs(exact.forces).max()
    np.testing.assert_allclose(exact.forces, table.forces, atol=1e-8 * size)
    np.testing.assert_allclose(exact.virial, table.virial, atol=1e-8 * np.abs(exact.virial).max())


def test_the_pressure_of_soft_spheres_at_weak_coupling() -> None:
    """Uncorrelated particles (a -> 0): p = rho kT + (pi / 30) a rho^2 rc^4, by the virial integral
    with g = 1; from sums over random places, whose spread is known from blocks.
    """
    rng = np.random.default_rng(3)
    field = ForceField({("A", "A"): Soft(a=1.0, cutoff=1.0)})
    edge, n = 8.0, 1536
    pressures = []
    for _ in range(20):
        state = Particles(rng.random((n, 3)) * edge, box=[edge] * 3)
        pressures.append(np.trace(field.evaluate(state).virial) / (3 * edge**3))
    expected = np.pi / 30 * (n / edge**3) ** 2 * (1 - 1 / n)
    error = np.std(pressures, ddof=1) / np.sqrt(len(pressures))
    assert abs(np.mean(pressures) - expected) < 4 * error
    assert error < 0.005 * expected


WRONG = [
    (lambda: WCA(epsilon=1, sigma=0), "sigma must be a positive"),
    (lambda: Yukawa(epsilon=1, kappa=-1, cutoff=2), "kappa must be zero or positive"),
    (lambda: Yukawa(epsilon=1, kappa=1, cutoff=2, mode="smooth"), 'expected "cut"'),
    (lambda: Gaussian(epsilon=np.nan, sigma=1, cutoff=2), "epsilon must be a finite"),
    (lambda: Gaussian(epsilon=1, sigma=1, cutoff=2, mode=""), 'expected "cut"'),
    (lambda: Soft(a=np.inf, cutoff=1), "a must be a finite"),
    (lambda: Soft(a=25, cutoff=0), "cutoff must be a positive"),
]


@pytest.mark.parametrize(("make", "match"), WRONG, ids=[match for _, match in WRONG])
def test_parameters_that_make_no_potential(make: object, match: str) -> None:
    with pytest.raises(RegrainError, match=match):
        make()  # type: ignore[operator]


def test_a_wca_crystal_runs_and_is_a_shifted_lennard_jones() -> None:
    start = fcc(4, density=0.6)
    run = {"time": 0.5, "dt": 0.005, "every": 0.5, "seed": 3}
    wca = ForceField({("A", "A"): WCA(epsilon=1.0, sigma=1.0)}, temperature=1.0)
    lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2 ** (1 / 6), mode="shifted")
    one = wca.run(start, **run)[-1]
    other = wca.replace(pairs={("A", "A"): lj}).run(start, **run)[-1]
    np.testing.assert_array_equal(one.positions, other.positions)
