"""The free energy of stretching a chain by umbrella sampling, and a figure of it.

python examples/umbrella_sampling.py [time units per window]
"""

import sys

import numpy as np

from regrain.particles import (
    EndToEnd,
    ForceField,
    HarmonicBond,
    Langevin,
    Particles,
    Restraint,
    Topology,
)

time = max(200.0, float(sys.argv[1])) if len(sys.argv) > 1 else 3000.0
beads, bond, kt = 6, 3.0, 1.0

# Springs without rest length: the end-to-end vector is Gaussian, so that the answer is known.
places = np.full((beads, 3), 10.0) + np.linspace(0, 1, beads)[:, None]
topology = Topology(["A"] * beads, bonds=[(i, i + 1) for i in range(beads - 1)])
start = Particles(places, box=[20, 20, 20], topology=topology)
chain = ForceField(
    {("A", "A"): None}, bonds={("A", "A"): HarmonicBond(k=bond, r0=0.0)}, temperature=kt
)

# Windows along the distance; each begins where the one before ended.
k = 4.0
centers = np.arange(0.5, 5.1, 0.5)
samples = []
for seed, center in enumerate(centers):
    restraint = Restraint(EndToEnd(particles=range(beads)), center=center, k=k)
    window = chain.replace(biases=[restraint])
    trace = window.run(
        start, time=time, dt=0.1, every=time / 1500, seed=seed, dynamics=Langevin(friction=1.0)
    )
    samples.append(np.asarray(trace.log["end_to_end"])[len(trace) // 10 :])
    start = trace[-1]
    print(f"window at {center:.1f}: {samples[-1].mean():.3f} ± {samples[-1].std():.3f}")

# All windows together: the multistate Bennett acceptance ratio (Shirts and Chodera, J. Chem. Phys.
# 129, 124105 (2008)), here by its fixed point; pymbar does the same and knows errors.
count = np.array([len(r) for r in samples])
r = np.concatenate(samples)
bias = 0.5 * k * (r - centers[:, None]) ** 2 / kt  # of each sample in each window
f = np.zeros(len(centers))
for _ in range(3000):
    weight = -np.logaddexp.reduce((np.log(count) + f)[:, None] - bias, axis=0)
    new = -np.logaddexp.reduce(weight - bias, axis=1)
    new -= new[0]
    if np.abs(new - f).max() < 1e-9:
        break
    f = new
weight = np.exp(weight - weight.max())

edges = np.linspace(0.4, 5.0, 24)
middle = 0.5 * (edges[1:] + edges[:-1])
density = np.histogram(r, edges, weights=weight)[0]
middle, density = middle[density > 0], density[density > 0]
free = -kt * np.log(density / middle**2)  # of the vector: without the room of a shell
exact = 0.5 * bond / (beads - 1) * middle**2
free -= np.mean(free - exact)
print(f"free energy against the exact one: rms difference {np.std(free - exact):.3f} kT")

try:
    import matplotlib.pyplot as plt
except ModuleNotFoundError:
    sys.exit()
figure, ax = plt.subplots()
ax.plot(middle, exact, label="exact")
ax.plot(middle, free, "o", label="umbrella sampling")
ax.set(xlabel="end-to-end distance", ylabel="free energy of the vector / kT")
ax.legend()
figure.savefig("umbrella_sampling.png")
