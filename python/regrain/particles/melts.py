"""Melts of bead-spring chains: the model of Kremer and Grest, and a place to start from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.particles.bonded import FENEBond, HarmonicBond
from regrain.particles.dynamics import Langevin
from regrain.particles.force_field import ForceField
from regrain.particles.pair_potentials import WCA
from regrain.particles.parameters import number
from regrain.particles.potentials import Table
from regrain.particles.state import Particles, Topology

__all__ = ["bead_spring", "bead_spring_melt"]

Floats = NDArray[np.float64]

_CUTOFF = 2 ** (1 / 6)
# The bond length of the melt, and the least cosine between neighbouring bonds for which a walk that
# is free otherwise has the characteristic ratio of the melt, 1.88: it is (1 + c) / (1 - c) with c
# the mean cosine.
_BOND, _LEAST_COSINE = 0.97, -0.389


def bead_spring() -> ForceField:
    """The force field of Kremer and Grest: beads that repel each other, on springs that end.

    Beads "A" repel each other, bonded ones too, as Lennard-Jones particles do up to the minimum at
    2^(1/6) σ; bonds are FENE bonds of k = 30 ε/σ² and R = 1.5 σ. Units are σ, ε and the mass of a
    bead, and the temperature is 1.

    Returns
    -------
    ForceField

    Loses / Assumes
    ---------------
    All chemistry. Chains are flexible and do not cross each other; what they have in common with
    those of a polymer is said by the entanglement length, about 85 beads (Hoy, Foteinopoulou and
    Kröger, Phys. Rev. E 80, 031803 (2009)).

    Notes
    -----
    Kremer and Grest, J. Chem. Phys. 92, 5057 (1990).

    Examples
    --------
    >>> from regrain.particles import bead_spring
    >>> bead_spring().bonds["A", "A"]
    FENEBond(k=30.0, r_max=1.5)
    """
    return ForceField(
        pairs={("A", "A"): WCA(epsilon=1.0, sigma=1.0)},
        bonds={("A", "A"): FENEBond(k=30.0, r_max=1.5)},
        temperature=1.0,
        exclude=0,
    )


def bead_spring_melt(
    chains: int, *, length: int, density: float = 0.85, seed: int = 0, settling: float = 10.0
) -> Particles:
    """Chains of the model of Kremer and Grest (`bead_spring`), grown as walks and pushed apart.

    The walks have the stiffness of chains in the melt, start anywhere, and go through each other. A
    soft repulsion that grows from nothing takes the overlaps away so slowly that the walks
    keep their shape on all but the smallest scale; then they run with the force field itself.

    Parameters
    ----------
    chains : int
        How many.
    length : int
        Beads of a chain.
    density : float
        Beads per volume; 0.85 is the melt of most publications.
    seed : int
        Of walks and noise: the same seed gives the same bits.
    settling : float
        Time that the finished melt runs for.

    Returns
    -------
    Particles
        With velocities and images, so that chains are whole when unwrapped; residues are chains.

    Raises
    ------
    RegrainError
        No chains or beads, a density that is not positive or above 1.2.

    Loses / Assumes
    ---------------
    A start, and not yet equilibrium: the fluctuations of the density on long scales are those of
    walks that do not know of each other. They relax within the Rouse time of a chain, 1.5
    length² or so, and longer above the entanglement length.

    Notes
    -----
    The slow push-off of Auhl, Everaers, Grest, Kremer and Plimpton, J. Chem. Phys. 119, 12718
    (2003), with a soft repulsion in place of a capped one.

    Examples
    --------
    >>> from regrain.particles import bead_spring_melt
    >>> bead_spring_melt(5, length=10, seed=1)
    Particles(50 particles: 50 A; 45 bonds; box 3.88911 x 3.88911 x 3.88911)
    """
    who = "bead_spring_melt"
    chains, length = (
        number(f"{who}: chains", chains, "int"),
        number(f"{who}: length", length, "int"),
    )
    density, settling = number(f"{who}: density", density), number(f"{who}: settling", settling)
    if chains < 1 or length < 1 or not 0 < density <= 1.2 or not settling > 0:
        raise RegrainError(
            f"bead_spring_melt: got {chains} chains of {length} beads, density {density} and "
            f"settling {settling}, expected at least one of each, a density of at most 1.2, and a "
            "time to settle"
        )
    n = chains * length
    i = np.arange(n)
    inside = i[:-1][(i[:-1] + 1) % length != 0]
    topology = Topology(
        np.full(n, "A"), residues=i // length, bonds=np.stack([inside, inside + 1], axis=1)
    )
    edge = (n / density) ** (1 / 3)
    places = _walks(chains, length, edge, np.random.default_rng(seed))
    images = np.floor(places / edge)
    state = Particles(
        places - images * edge, box=[edge] * 3, topology=topology, images=images.astype(np.int32)
    )
    return _pushed_apart(state, seed, settling)


def _walks(chains: int, length: int, edge: float, random: np.random.Generator) -> Floats:
    """Chains whose bonds turn by random angles, not too sharply, shape (chains length, 3)."""
    step = random.normal(size=(chains, 3))
    step /= np.linalg.norm(step, axis=1)[:, None]
    place = random.uniform(0, edge, size=(chains, 3))
    places = [place]
    for _ in range(length - 1):
        place = place + _BOND * step
        places.append(place)
        cosine = random.uniform(_LEAST_COSINE, 1.0, size=(chains, 1))
        across = np.cross(step, random.normal(size=(chains, 3)))
        across /= np.linalg.norm(across, axis=1)[:, None]
        step = cosine * step + np.sqrt(1 - cosine**2) * across
    return np.stack(places, axis=1).reshape(-1, 3)


def _pushed_apart(state: Particles, seed: int, settling: float) -> Particles:
    field = bead_spring()
    # First bonds of the length they will have, and pairs that may be anywhere.
    r = np.linspace(0, _CUTOFF, 201)
    angle = np.pi * r / _CUTOFF
    soft = Table(r_min=0.0, r_max=_CUTOFF, points=len(r)).with_energy(1 + np.cos(angle))
    stiff = {("A", "A"): HarmonicBond(k=400.0, r0=_BOND)}
    stages = [
        field.replace(pairs={("A", "A"): soft.scaled(a)}, bonds=stiff, exclude=1)
        for a in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
    ]
    # Then the potentials themselves, without the steep end of the repulsion.
    r = np.linspace(0.85, _CUTOFF, 201)
    blunt = Table(r_min=0.85, r_max=_CUTOFF, points=len(r))
    wca = field.pairs["A", "A"]
    stages.append(field.replace(pairs={("A", "A"): blunt.with_energy(wca.u(r))}))
    for stage in stages:
        state = _settled(stage, state, seed, time=1.0, dt=0.005, friction=2.0)
    return _settled(field, state, seed, time=settling, dt=0.01, friction=0.5)


def _settled(
    field: ForceField, state: Particles, seed: int, *, time: float, dt: float, friction: float
) -> Particles:
    trace = field.run(
        state,
        time=time,
        dt=dt,
        every=time,
        seed=seed,
        dynamics=Langevin(friction=friction),
        progress=False,
        skin=0.4,
    )
    return trace[-1]
