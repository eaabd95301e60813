"""Forces of atomistic water in, the force between two molecules out, and what pair forces miss.

python examples/force_matching.py [time of the coarse run in ps]

Works on the SPC/E trajectory that comes with the package; put your own files in its place.
"""

import sys

import numpy as np

import regrain as rg
from regrain.observables import RDF, Angles, Pressure

time = float(sys.argv[1]) if len(sys.argv) > 1 else 100.0

files = rg.io.example("spce")
fine = rg.load(files.trajectory, topology=files.topology, select="resname SOL")
target = rg.maps.Beads(by="residue", weights="mass", name="W")(fine)  # sums the forces, too

form = rg.particles.BSpline(r_min=0.23, r_max=0.90, functions=34)
fit = rg.fits.ForceMatching(pairs={("W", "W"): form}, temperature=300.0)
result = fit(target, workdir="water-forces")
print(result)
print(result.force(x=np.arange(0.25, 0.9, 0.05)))

# "relative" is what pair forces leave of the mean square force: forces of many bodies, and noise.
# So g(r) and pressure of the coarse model are not those of water: a fit to structure mends that.
coarse = result.model.run(target[0], time=time, dt=0.004, every=time / 50, seed=8)
report = rg.compare(
    target, coarse, [RDF(r_max=1.2), Angles(r_max=0.37), Pressure()],
    known={"pressure": (-60.0, 20.0)}, title="SPC/E water by force matching", fit=result,
)  # fmt: skip
print(report)
report.save("water-forces.html")
