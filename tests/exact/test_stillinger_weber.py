"""Silicon and water of Stillinger and Weber: exact and published numbers, and LAMMPS itself."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.optimize import brentq

from regrain.observables import Density, Energy
from regrain.particles import (
    CellRescale,
    ForceField,
    Langevin,
    Particles,
    StillingerWeber,
    StillingerWeberPair,
    Topology,
    fcc,
)

COSINE = -1.0 / 3.0
# Of the minimum of the pair part, where A and B put it at depth 1 (Stillinger and Weber, Phys. Rev.
# B 31, 5262 (1985), eq. 2.5).
REST = 2.0 ** (1.0 / 6.0)


def silicon() -> ForceField:
    """In units of ε and σ."""
    return ForceField(
        pairs={("Si", "Si"): StillingerWeberPair(epsilon=1.0, sigma=1.0)},
        triples={
            ("Si", "Si", "Si"): StillingerWeber(
                epsilon=21.0, theta0=float(np.arccos(COSINE)), r_max=1.8, decay=1.2
            )
        },
    )


def diamond(a: float, cells: int = 2) -> Particles:
    """The cubic crystal with lattice constant a; a box of one cell is smaller than two cutoffs."""
    fcc_sites = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    basis = np.concatenate([fcc_sites, fcc_sites + 0.25])
    shifts = np.array(list(np.ndindex(cells, cells, cells)))
    places = (basis[None] + shifts[:, None]).reshape(-1, 3) * a
    return Particles(places, box=[a * cells] * 3, topology=Topology(["Si"] * len(places)))


def strained(state: Particles, strain: np.ndarray) -> Particles:
    """The same fractions of a box r' = r (1 + strain), strain lower triangular."""
    by = np.eye(3) + strain
    return state.replace(positions=state.positions @ by, box=state.box @ by)


@pytest.mark.parametrize("cells", [1, 2])
def test_the_crystal_has_two_bonds_per_atom_and_no_stress(cells: int) -> None:
    # At rest every atom has half of four bonds of depth 1, and all angles are tetrahedral: -2 ε to
    # the ten digits of A and B. Second neighbours, at 1.833 σ, are beyond the cutoff.
    state = diamond(4.0 * REST / np.sqrt(3.0), cells)
    found = silicon().evaluate(state)
    assert found.energy / len(state) == pytest.approx(-2.0, abs=2e-9)
    assert found.terms["triple"] == pytest.approx(0.0, abs=1e-25)
    assert np.abs(found.virial).max() / len(state) < 1e-7
    assert np.abs(found.forces).max() < 1e-12
    # With ε = 2.1683 eV and σ = 2.0951 Å: 4.3366 eV, and the lattice constant of silicon, 5.431 Å.
    assert found.energy / len(state) * 2.1683 == pytest.approx(-4.3366, abs=1e-6)
    assert state.box[0, 0] / cells * 2.0951 == pytest.approx(5.431, abs=5e-4)


def test_elastic_constants() -> None:
    # Published (Balamane, Halicioglu and Tiller, Phys. Rev. B 46, 2250 (1992)): C11 = 151.4, C12 =
    # 76.4, C44 = 56.4 GPa.
    # The bulk modulus is exact: uniform strain leaves the angles as they are, E = 2 u(r) per atom,
    # so that B = V E''(V) = 2 u'' r² / 9 V.
    field, rest = silicon(), diamond(4.0 * REST / np.sqrt(3.0))
    unit = 2.1683 * 1.602176634e-19 / 2.0951e-10**3 * 1e-9  # ε / σ³ in GPa
    h = 1e-4

    def stress(strain: np.ndarray) -> np.ndarray:
        state = strained(rest, strain)
        return -field.evaluate(state).virial / state.volume * unit

    def slope(a: int, b: int) -> np.ndarray:
        strain = np.zeros((3, 3))
        strain[a, b] = h
        return (stress(strain) - stress(-strain)) / (2 * h)

    along = slope(0, 0)
    c11, c12 = along[0, 0], along[1, 1]
    assert c11 == pytest.approx(151.4, abs=0.1)
    assert c12 == pytest.approx(76.4, abs=0.1)
    u = field.pairs["Si", "Si"].force  # type: ignore[union-attr]
    curvature = -(u(REST + 1e-3) - u(REST - 1e-3)) / 2e-3
    volume = rest.volume / len(rest)
    exact = 2 * curvature * REST**2 / (9 * volume) * unit
    assert (c11 + 2 * c12) / 3 == pytest.approx(exact, rel=1e-4)

    # Under shear the two sublattices move along z against each other until they feel no force.
    sheared = strained(rest, np.array([[0, 0, 0], [h, 0, 0], [0, 0, 0]]))
    second = np.arange(len(rest)) % 8 >= 4

    def relaxed(z: float) -> Particles:
        return sheared.replace(positions=sheared.positions + np.outer(second, [0, 0, z]))

    def force(z: float) -> float:
        return float(field.evaluate(relaxed(z)).forces[second, 2].sum())

    state = relaxed(brentq(force, -h, h, xtol=1e-14))
    c44 = -field.evaluate(state).virial[0, 1] / state.volume * unit / h
    assert c44 == pytest.approx(56.4, abs=0.1)


# ---------------------------------------------------------------------- LAMMPS

PAIRS = {  # epsilon, sigma, A, B, p, q, a: the same from both sides
    ("A", "A"): (2.1683, 2.0951, 7.0496, 0.6022, 4.0, 0.0, 1.80),
    ("A", "B"): (1.5, 2.4, 6.5, 0.55, 5.0, 0.5, 1.75),
    ("B", "B"): (1.1, 2.2, 5.0, 0.6, 4.0, 1.0, 1.70),
}
GAMMA = {"AA": 1.2, "AB": 1.0, "BA": 0.9, "BB": 1.4}  # of (centre, end)
BEND = {  # λ ε and cos θ0 of (centre, end, end)
    **{"AAA": (45.0, COSINE), "AAB": (25.0, -0.2), "ABB": (0.0, -0.5)},
    **{"BAA": (9.0, -0.6), "BAB": (30.0, 0.1), "BBB": (18.0, -0.25)},
}


def pair_of(a: str, b: str) -> StillingerWeberPair:
    names = ("epsilon", "sigma", "A", "B", "p", "q", "a")
    return StillingerWeberPair(**dict(zip(names, PAIRS[min(a, b), max(a, b)], strict=True)))


def mixture() -> ForceField:
    """What the numbers above say, in eV and Å."""
    triples = {}
    for (centre, *ends), (strength, cosine) in BEND.items():
        arms = [(pair_of(centre, end), GAMMA[centre + end]) for end in ends]
        triples[ends[0], centre, ends[1]] = StillingerWeber(
            epsilon=strength,
            theta0=float(np.arccos(cosine)),
            r_max=(arms[0][0].cutoff, arms[1][0].cutoff),
            decay=(arms[0][1] * arms[0][0].sigma, arms[1][1] * arms[1][0].sigma),
        )
    return ForceField({key: pair_of(*key) for key in PAIRS}, triples=triples)


def lammps_file() -> str:
    """The same for LAMMPS: one line for each (centre, end, end)."""
    lines = []
    for centre, j, k in (a + b + c for a in "AB" for b in "AB" for c in "AB"):
        strength, cosine = BEND.get(centre + j + k) or BEND[centre + k + j]
        epsilon, sigma, big_a, big_b, p, q, a = PAIRS[min(centre, j), max(centre, j)]
        bend = (strength / epsilon, GAMMA[centre + j], cosine)
        numbers = (epsilon, sigma, a, *bend, big_a, big_b, p, q, 0.0)
        lines.append(f"{centre} {j} {k} " + " ".join(f"{x!r}" for x in numbers))
    return "\n".join(lines) + "\n"


def test_lammps_agrees(lammps: ModuleType, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    box = np.array([[13.0, 0.0, 0.0], [2.1, 12.5, 0.0], [-1.7, 3.0, 13.5]])
    shifts = (np.array(list(np.ndindex(3, 3, 3))) - 1) @ box
    places: list[np.ndarray] = []
    while len(places) < 90:
        r = random.random(3) @ box
        if all(np.linalg.norm(r - p + shifts, axis=1).min() > 1.7 for p in places):
            places.append(r)
    state = Particles(places, box=box, topology=Topology(random.choice(["A", "B"], size=90)))
    (tmp_path / "ab.sw").write_text(lammps_file())
    engine = lammps.lammps(cmdargs=["-screen", "none", "-log", "none"])
    try:
        engine.commands_string(
            "units metal\natom_style atomic\natom_modify map array\nboundary p p p\n"
            "region all prism 0 13 0 12.5 0 13.5 2.1 -1.7 3.0\ncreate_box 2 all\nmass * 1.0"
        )
        types = list(state.topology.type_ids + 1)
        engine.create_atoms(len(state), None, types, list(state.positions.ravel()))
        engine.commands_string(
            f"pair_style sw\npair_coeff * * {tmp_path / 'ab.sw'} A B\nneighbor 0.3 bin\nrun 0"
        )
        energy = engine.get_thermo("pe")
        forces = np.array(engine.gather_atoms("f", 1, 3)).reshape(-1, 3)
        axes = ("pxx", "pyy", "pzz", "pxy", "pxz", "pyz")
        pressure = np.array([engine.get_thermo(name) for name in axes])
    finally:
        engine.close()
    found = mixture().evaluate(state)
    assert abs(found.terms["triple"]) > 100
    assert found.energy == pytest.approx(energy, rel=1e-9)
    scale = np.abs(forces).max()
    assert found.forces == pytest.approx(forces, abs=1e-8 * scale)
    virial = found.virial[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    bars = 1.602176634e6  # of eV/Å³; LAMMPS has eight digits of it
    assert virial / state.volume * bars == pytest.approx(
        pressure, abs=1e-7 * np.abs(pressure).max()
    )


# ---------------------------------------------------------------------- water

KCAL = 4.184


def water() -> ForceField:
    """mW of Molinero and Moore, J. Phys. Chem. B 113, 4008 (2009), in kJ/mol and nm."""
    epsilon, sigma = 6.189 * KCAL, 0.23925
    return ForceField(
        pairs={("W", "W"): StillingerWeberPair(epsilon=epsilon, sigma=sigma)},
        triples={
            ("W", "W", "W"): StillingerWeber(
                epsilon=23.15 * epsilon,
                theta0=float(np.arccos(COSINE)),
                r_max=1.8 * sigma,
                decay=1.2 * sigma,
            )
        },
        temperature=298.0,
        units="md",
    )


@pytest.mark.slow
def test_water_has_its_published_density_and_heat_of_vaporization() -> None:
    # Molinero and Moore: 0.997 g/cm³ and 10.65 kcal/mol at 298 K and 1 atm, no errors given. The
    # heat is RT minus the energy of the liquid. 2 ns of this run gave 0.9977(3) and 10.673(2): the
    # heat is tested to half a percent.
    start = fcc(5, density=33.3, type="W", mass=18.015, units="md")
    trace = water().run(
        start,
        time=700.0,
        dt=0.01,
        every=1.0,
        seed=1,
        dynamics=Langevin(friction=2.0),
        barostat=CellRescale(pressure=1.01325, time=1.0, compressibility=4.5e-5),
        progress=False,
    )
    grams = 18.015 * 1.66053907e-3
    density = Density()(trace[100:])
    assert density.error * grams < 1.5e-3
    assert float(density) * grams == pytest.approx(0.997, abs=5e-4 + 3 * density.error * grams)
    energy = Energy()(trace[100:])
    assert energy.error / 500 / KCAL < 0.01
    assert 0.5922 - float(energy) / 500 / KCAL == pytest.approx(10.65, abs=0.05)
