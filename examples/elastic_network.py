"""An elastic network from one structure, and one whose springs are taken from a trajectory.

python examples/elastic_network.py [beads]
"""

import sys

import numpy as np

import regrain as rg
from regrain.particles import ForceField, HarmonicBond, Langevin, Network, Particles, Topology

beads = max(8, int(sys.argv[1])) if len(sys.argv) > 1 else 40

# A helical chain of backbone beads (nm), which a network of unlike springs holds together.
turn = 1.75 * np.arange(beads)
places = np.stack([0.23 * np.cos(turn), 0.23 * np.sin(turn), 0.15 * np.arange(beads)], axis=1)
chain = Topology(
    ["BB"] * beads, masses=[72.0] * beads, bonds=[(i, i + 1) for i in range(beads - 1)]
)
box = [0.15 * beads + 4.0] * 3
helix = Particles(places + 2.0, box, chain, units="md")
backbone = ForceField(
    {("BB", "BB"): None},
    bonds={("BB", "BB"): HarmonicBond(k=1250.0, r0=0.38)},
    temperature=300.0,
    units="md",
)

# Rubber bands as martinize puts them: one constant, from the structure alone.
bands = rg.fits.ElasticNetwork(cutoff=0.9, k=500.0, separation=2, model=backbone)(helix)
print(bands)

# What stands for the fine trajectory here: springs that get weaker along the chain.
near = rg.fits.ElasticNetwork(cutoff=0.9, k=1.0, separation=1)(helix).network
stiff = 3000.0 * np.exp(-near.pairs.mean(axis=1) / beads)
truth = ForceField(
    {("BB", "BB"): None},
    bonds={("BB", "BB"): None},
    network=Network(pairs=near.pairs, k=stiff, r0=near.r0),
    temperature=300.0,
    units="md",
)
trace = truth.run(helix, time=400.0, dt=0.02, every=1.0, seed=1, dynamics=Langevin(friction=0.5))

# Every spring from the fluctuations of its distance (hENM).
matched = rg.fits.ElasticNetwork(cutoff=0.9, separation=1, temperature=300.0)(trace[20:])
print(matched)
coarse = matched.model.run(helix, time=10.0, dt=0.02, every=1.0, seed=2)
print(f"potential energy {coarse.log['potential_energy'].mean():.4g} kJ/mol")
