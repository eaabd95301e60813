"""Solvents of multi-particle collision dynamics for tests."""

from __future__ import annotations

import numpy as np

from regrain.particles import (
    SRD,
    WCA,
    ForceField,
    HarmonicBond,
    MPCAndersen,
    Particles,
    Topology,
)

BARE = ForceField(temperature=1.0)
RULES = {
    "SRD": SRD(solvent="S", cell=1.0, interval=0.1),
    "SRD, no thermostat": SRD(solvent="S", cell=1.0, interval=0.1, thermostat=False),
    "SRD+a": SRD(solvent="S", cell=1.0, interval=0.1, angular_momentum=True),
    "MPC-AT-a": MPCAndersen(solvent="S", cell=1.0, interval=0.1),
    "MPC-AT+a": MPCAndersen(solvent="S", cell=1.0, interval=0.1, angular_momentum=True),
}
Rule = SRD | MPCAndersen


def fluid(
    edges: tuple[float, float, float], per_cell: int = 10, seed: int = 1, beads: int = 0
) -> Particles:
    """Solvent at random places with Maxwell's velocities, and heavy bonded beads in the middle."""
    rng = np.random.default_rng(seed)
    n = int(np.prod(edges)) * per_cell
    r = rng.random((n + beads, 3)) * edges
    r[n:] = 0.5 * np.array(edges) + np.outer(np.arange(beads) - beads / 2, [0.0, 0.0, 0.97])
    masses = np.r_[np.ones(n), np.full(beads, 8.0)]
    v = rng.normal(size=r.shape) / np.sqrt(masses)[:, None]
    v -= (masses[:, None] * v).sum(0) / masses.sum()
    bonds = [(n + i, n + i + 1) for i in range(beads - 1)]
    topology = Topology(["S"] * n + ["A"] * beads, masses=masses, bonds=bonds)
    return Particles(r % edges, box=edges, velocities=v, topology=topology)


CHAIN = ForceField(
    {("A", "A"): WCA(epsilon=1.0, sigma=1.0)},
    bonds={("A", "A"): HarmonicBond(k=200.0, r0=0.97)},
    temperature=1.0,
)
