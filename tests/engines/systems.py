"""Systems that have a bit of everything, and force fields for them."""

from dataclasses import replace

import numpy as np

from regrain import _core
from regrain.particles import (
    WCA,
    BSpline,
    BSplineAngle,
    BSplineBond,
    BSplineDihedral,
    CosineAngle,
    FENEBond,
    ForceField,
    FourierDihedral,
    Gaussian,
    HarmonicAngle,
    HarmonicBond,
    HarmonicDihedral,
    LennardJones,
    Network,
    Particles,
    PeriodicDihedral,
    StillingerWeber,
    Table,
    TableAngle,
    TableBond,
    TableDihedral,
    TableTriple,
    Topology,
    Yukawa,
)

# Skewed, and each height longer than two cutoffs.
BOX = np.array([[3.0, 0.0, 0.0], [0.7, 2.8, 0.0], [-0.5, 0.9, 3.1]])
LENGTH, CHAINS = 6, 20
NOTHING = {("A", "A"): None, ("A", "B"): None, ("B", "B"): None}


def chains(units: str = "md") -> Particles:
    """Chains A-B-A-B-… in a skewed box, crumpled, with velocities."""
    rng = np.random.default_rng(1)
    places = []
    for _ in range(CHAINS):
        here, way = rng.random(3) @ BOX, rng.normal(size=3)
        for _ in range(LENGTH):
            places.append(here)
            way = way / np.linalg.norm(way) + 0.9 * rng.normal(size=3)
            here = here + 0.3 * way / np.linalg.norm(way)
    starts = np.arange(CHAINS)[:, None, None] * LENGTH

    def along(width: int) -> np.ndarray:
        links = np.arange(LENGTH - width + 1)[:, None] + np.arange(width)
        return (starts + links).reshape(-1, width)

    kinds = np.array([(k + c) % 2 for c in range(CHAINS) for k in range(LENGTH)])
    topology = Topology(
        np.array(["A", "B"])[kinds],
        masses=np.array([2.0, 3.0])[kinds],
        residues=np.repeat(np.arange(CHAINS), LENGTH),
        bonds=along(2),
        angles=along(3),
        dihedrals=along(4),
    )
    velocities = rng.normal(size=(len(kinds), 3))
    return Particles(np.array(places), BOX, topology=topology, units=units, velocities=velocities)


def tables(**settings: object) -> ForceField:
    """Tables of all kinds, and Lennard-Jones with its ends."""
    pair = Table(r_min=0.24, r_max=0.8, points=281)
    bond, angle = TableBond(r_min=0.1, r_max=0.6, points=51), TableAngle(points=61)
    dihedral = TableDihedral(points=73)
    turn = np.cos(dihedral.grid) + 0.4 * np.sin(2 * dihedral.grid)
    turn[-1] = turn[0]
    lj = {"epsilon": 0.1, "sigma": 0.1}
    return ForceField(
        pairs={
            ("A", "A"): pair.with_energy(20 * np.exp(-10 * pair.grid) * (1 - pair.grid / 0.8) ** 2),
            ("A", "B"): LennardJones(**lj, cutoff=0.6, mode="shifted"),
            ("B", "B"): LennardJones(**lj, cutoff=0.7, mode="force-shifted"),
        },
        bonds={("A", "B"): bond.with_energy(500 * (bond.grid - 0.29) ** 2)},
        angles={
            ("A", "B", "A"): angle.with_energy(3 * np.cos(angle.grid) + np.cos(2 * angle.grid)),
            ("B", "A", "B"): HarmonicAngle(k=3.0, theta0=2.0),
        },
        dihedrals={("A", "B", "A", "B"): dihedral.with_energy(turn)},
        **{"units": "md", **settings},
    )


def formulas(**settings: object) -> ForceField:
    """Formulas that engines have themselves, and Lennard-Jones with a jump."""
    return ForceField(
        pairs={**NOTHING, ("A", "A"): LennardJones(epsilon=0.1, sigma=0.1, cutoff=0.6)},
        bonds={("A", "B"): HarmonicBond(k=300.0, r0=0.28)},
        angles={("A", "B", "A"): CosineAngle(k=3.0, theta0=1.9), ("B", "A", "B"): None},
        dihedrals={("A", "B", "A", "B"): PeriodicDihedral(k=2.0, n=2, phi0=0.5)},
        **{"units": "md", **settings},
    )


def bonded(**settings: object) -> ForceField:
    """No pair potential, but springs that exclude nothing."""
    return ForceField(
        pairs=NOTHING,
        bonds={("A", "B"): FENEBond(k=300.0, r_max=0.6)},
        angles={("A", "B", "A"): None, ("B", "A", "B"): None},
        dihedrals={("A", "B", "A", "B"): HarmonicDihedral(k=2.0, phi0=2.5)},
        network=springs(),
        **{"units": "md", **settings},
    )


def splines(**settings: object) -> ForceField:
    """B-splines and Fourier series."""
    rng = np.random.default_rng(4)
    wave = rng.normal(size=12)
    pair = np.linspace(10.0, 0.0, 20) + rng.normal(size=20)
    bond, angle = 30 * rng.normal(size=10), rng.normal(size=12)
    return ForceField(
        pairs={
            ("A", "A"): BSpline(r_min=0.3, r_max=0.9, functions=20, coefficients=pair),
            ("A", "B"): None,
            ("B", "B"): BSpline(r_min=0.25, r_max=0.8, functions=20, coefficients=pair),
        },
        bonds={("A", "B"): BSplineBond(r_min=0.2, r_max=0.5, functions=10, coefficients=bond)},
        angles={
            ("A", "B", "A"): BSplineAngle(functions=12, coefficients=angle),
            ("B", "A", "B"): None,
        },
        dihedrals={
            ("A", "B", "A", "B"): BSplineDihedral(functions=12, coefficients=wave - wave.mean())
        },
        **{"units": "md", **settings},
    )


def fourier(**settings: object) -> ForceField:
    """A dihedral of several modes, and nothing else but angles."""
    field = formulas(**settings)
    wave = FourierDihedral(k=[1.0, 2.0, 3.0], phi0=[0.3, 1.0, -0.4])
    return field.replace(dihedrals={("A", "B", "A", "B"): wave})


def triples(**settings: object) -> ForceField:
    """Arms that differ, angles of all forms, and triples that do nothing."""
    one = TableTriple(points=91, r_max=(0.5, 0.55), decay=(0.1, 0.2))
    two = TableTriple(points=91, r_max=0.6, decay=0.2)
    wave = 3 * np.cos(one.grid) + np.sin(one.grid) ** 2
    return formulas(**settings).replace(
        triples={
            ("A", "A", "B"): StillingerWeber(
                epsilon=20.0, theta0=1.9, r_max=(0.5, 0.6), decay=(0.15, 0.1)
            ),
            ("B", "B", "B"): StillingerWeber(epsilon=20.0, theta0=1.9, r_max=0.7, decay=0.15),
            ("A", "A", "A"): two.with_energy(wave),
            ("A", "B", "B"): one.with_energy(wave),
            ("A", "B", "A"): None,
            ("B", "A", "B"): None,
        }
    )


def charged() -> Particles:
    """Chains whose beads have charges, neutral on the whole."""
    state = chains()
    charges = np.where(state.topology.types == "A", 0.5, -0.5)
    return state.replace(topology=replace(state.topology, charges=charges))


def springs() -> Network:
    """Between particles that are near each other."""
    rng = np.random.default_rng(3)
    state = chains()
    pairs = np.array([(i, j) for i in range(0, 120, 7) for j in range(i + 2, 120, 5)])
    near = pairs[_core.bond_lengths(state.positions, state.box, pairs) < 0.9]
    return Network(pairs=near, k=10 * rng.random(len(near)), r0=rng.random(len(near)))


def pair_formulas(**settings: object) -> ForceField:
    """Pairs that are formulas, without bonded terms."""
    return ForceField(
        pairs={
            ("A", "A"): Yukawa(epsilon=2.0, kappa=3.0, cutoff=0.8, mode="force-shifted"),
            ("A", "B"): Gaussian(epsilon=3.0, sigma=0.2, cutoff=0.7, mode="shifted"),
            ("B", "B"): WCA(epsilon=0.1, sigma=0.1),
        },
        bonds={("A", "B"): None},
        angles={("A", "B", "A"): None, ("B", "A", "B"): None},
        dihedrals={("A", "B", "A", "B"): None},
        **{"units": "md", **settings},
    )


FIELDS = {
    "tables": tables,
    "formulas": formulas,
    "bonded": bonded,
    "splines": splines,
    "fourier": fourier,
    "triples": triples,
    "pair formulas": pair_formulas,
}
