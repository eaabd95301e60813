"""A Lennard-Jones liquid: run it, check it against NIST, see what cutting its tail changes.

python examples/lj_liquid.py [time]
"""

import sys

import regrain as rg
from regrain.observables import RDF, Density
from regrain.particles import ForceField, LennardJones, fcc

time = float(sys.argv[1]) if len(sys.argv) > 1 else 200.0


def liquid(cutoff: float, seed: int) -> rg.Trace:
    """T* = 0.9, rho* = 0.776, cut without a shift."""
    pair = LennardJones(epsilon=1.0, sigma=1.0, cutoff=cutoff)
    field = ForceField(pairs={("A", "A"): pair}, temperature=0.9)
    trace = field.run(fcc(cells=6, density=0.776), time=time, dt=0.004, every=time / 200, seed=seed)
    return trace[40:]  # the lattice has melted


fine, coarse = liquid(3.0, seed=1), liquid(2.0, seed=2)
energy = fine.log["potential_energy"].mean() / len(fine[0])
# NIST Standard Reference Simulation Website, linear force cut at 3 sigma: see tests/exact.
print(f"potential energy per particle at a cutoff of 3: {energy:.3f}")
report = rg.compare(fine, coarse, [RDF(r_max=3.0), Density()], title="Cutoff 3 against 2")
print(report)
report.save("lj.html")
