"""The free energy of stretching a chain by umbrella sampling, and a figure of it.

pip install "regrain[plot,reweighting]"
python examples/umbrella_sampling.py [time units per window]
"""

import logging
import sys

import numpy as np

from regrain.errors import need
from regrain.particles import (
    EndToEnd,
    ForceField,
    HarmonicBond,
    Langevin,
    Particles,
    Restraint,
    Topology,
)

logging.getLogger("pymbar").setLevel(logging.ERROR)  # it has advice at every import
pymbar = need("pymbar", extra="reweighting", purpose="joining the windows")

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

# All windows together, by the multistate Bennett acceptance ratio of pymbar (Shirts and Chodera, J.
# Chem. Phys. 129, 124105 (2008)), of samples far enough apart to be independent.
samples = [r[pymbar.timeseries.subsample_correlated_data(r)] for r in samples]
r = np.concatenate(samples)
bias = 0.5 * k * (r - centers[:, None]) ** 2 / kt  # of each sample in each window
surface = pymbar.FES(bias, np.array([len(found) for found in samples]))
edges = np.linspace(0.4, 5.0, 24)
surface.generate_fes(np.zeros(len(r)), r, histogram_parameters={"bin_edges": [edges]})
middle = 0.5 * (edges[1:] + edges[:-1])
middle = middle[np.histogram(r, edges)[0] > 0]
found = surface.get_fes(middle, uncertainty_method="analytical")
free = kt * (found["f_i"] + 2 * np.log(middle))  # of the vector: without the room of a shell
exact = 0.5 * bond / (beads - 1) * middle**2
free -= np.mean(free - exact)
error = kt * found["df_i"]
rms = [f"{np.sqrt(np.mean(x**2)):.3f} kT" for x in (free - exact, error)]
print(f"free energy against the exact one: rms difference {rms[0]}, standard error {rms[1]}")

try:
    import matplotlib.pyplot as plt
except ModuleNotFoundError:
    sys.exit()
figure, ax = plt.subplots()
ax.plot(middle, exact, label="exact")
ax.errorbar(middle, free, error, fmt="o", label="umbrella sampling")
ax.set(xlabel="end-to-end distance", ylabel="free energy of the vector / kT")
ax.legend()
figure.savefig("umbrella_sampling.png")
