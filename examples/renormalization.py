"""Flows of couplings: a chain exactly, a square by moving bonds, a triangle by cumulants, a field.

python examples/renormalization.py [points]

Writes flows.png.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot

import regrain as rg
from regrain.fits import BlockChain, Cumulant, Decimation, MigdalKadanoff, MomentumShell

points = int(sys.argv[1]) if len(sys.argv) > 1 else 9

# A chain: every other spin summed, exactly, and blocks of three by majority, which is not.
chain = rg.lattice.Ising(shape=(96,), couplings={"nn": 1.0})
print(Decimation(b=2)(chain))
print(BlockChain(b=3)(chain))
print("\n K      majority of 3 loses, nats per block")
for k in np.linspace(0.2, 2.0, points):
    lost = BlockChain(b=3)(chain.replace(couplings={"nn": float(k)})).lost["closure"]
    print(f"{k:5.2f}  {float(lost):.3e}")

# Two dimensions: what moving bonds and cumulants give, beside what is exact.
square, triangular = rg.atlas.ising_square, rg.atlas.ising_triangular
moved = MigdalKadanoff(b=2).flow(dimension=2, field=True)
cells = Cumulant(order=2).flow(field=True)
for name, flow, exact in (
    ("Migdal-Kadanoff, square", moved, square),
    ("cumulants, triangular", cells, triangular),
):
    point = flow.fixed_points().critical
    y_h, y_t = point.exponents[:2]
    k_c = point.couplings["nn"] if flow is moved else flow.critical("nn", point=point)
    print(
        f"\n{name}: K_c {k_c:.4f} ({exact.K_c:.4f}), "
        f"y_t {y_t:.3f} ({exact.y_t:g}), y_h {y_h:.3f} ({exact.y_h:.3f})"
    )

# The field theory near four dimensions, where ε = 1 is a bold step.
shell = MomentumShell(epsilon=1.0, components=1)
print(f"\nφ⁴, one loop: ν {shell.exponents()['nu']:.4f}, bootstrap {rg.atlas.ising_cubic.nu.text}")

figure, axes = pyplot.subplots(2, 2, figsize=(9.5, 8.0), layout="constrained")
MigdalKadanoff(b=2).flow(dimension=2).plot(axes[0, 0])
moved.plot(axes[0, 1], between={"nn": (0.0, 0.8), "field": (-0.5, 0.5)})
cells.plot(axes[1, 0], between={"nn": (0.1, 0.45), "nnn": (-0.1, 0.1)})
shell.flow().plot(axes[1, 1], between={"r": (-0.8, 0.6), "u": (0.0, 4.0)})
figure.savefig("flows.png", dpi=110)
