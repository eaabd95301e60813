"""The Ising model at its transition by tensor networks: where TRG leaves the fixed point.

python examples/tensor_networks.py [bond]

Draws the scaling dimensions of two schemes side by side into tensor_networks.png.
"""

import sys

import regrain as rg

bond = max(4, int(sys.argv[1])) if len(sys.argv) > 1 else 8
steps = 16 if bond > 4 else 10

# Exact: nothing is dropped from a lattice of 4 x 4 sites as long as bonds may have 16 values.
small = rg.fits.HOTRG(bond=16, steps=3)(rg.lattice.Ising((4, 4), couplings={"nn": 0.4}))
kaufman = rg.atlas.ising_square.torus((4, 4), 0.4)
print(f"4 x 4: {float(small.free_energy):.12f}, Kaufman {kaufman.free_energy:.12f}")

# Beside the transition: energies, specific heats and magnetisations of an endless lattice.
for k in (0.4, 0.5):
    cold = rg.fits.TRG(bond=2 * bond, steps=20)(rg.lattice.Ising((4, 4), couplings={"nn": k}))
    exact = rg.atlas.ising_square.specific_heat(k)
    print(f"K = {k}: C = {float(cold.specific_heat):.5f} (exact {exact:.5f}), m = "
          f"{float(cold.order_parameter):.5f}")  # fmt: skip

# At the transition TRG fills its bonds with loops around squares; LoopTNR takes them out.
critical = rg.lattice.Ising((4, 4), couplings={"nn": rg.atlas.ising_square.K_c})
trg = rg.fits.TRG(bond=bond, steps=steps, derivatives=0)(critical)
loop = rg.fits.LoopTNR(bond=bond, steps=steps, sweeps=20)(critical)
print(loop)
print(loop.central_charge)
print("dimensions", loop.dimensions.value[:4].round(3), "(exact 1/8, 1, 9/8, 9/8)")

# Three dimensions: bisection of the flow, at a bond that is small enough for a minute.
found = rg.fits.HOTRG(bond=4, steps=40).critical(
    lambda k: rg.lattice.Ising((4, 4, 4), couplings={"nn": k}),
    between=(0.2, 0.25),
    tolerance=2e-3 if bond < 8 else 5e-4,
)
print(f"cubic lattice, bond 4: K_c = {float(found):.4f} (limit of large bonds 0.22165)")

try:
    from matplotlib import pyplot

    figure, sides = pyplot.subplots(1, 2, sharey=True, figsize=(8, 4))
    for side, result in zip(sides, (trg, loop), strict=True):
        result.plot(side).set_title(type(result.fit).__name__)
        for exact in (0.125, 1.0, 1.125, 2.0):
            side.axhline(exact, linewidth=0.5, color="0.6")
    figure.savefig("tensor_networks.png", dpi=120)
except ImportError:
    print("no figure without matplotlib")
