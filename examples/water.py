"""Atomistic water in, one bead per molecule out, and a report of what was lost.

python examples/water.py [time of all coarse runs in ps]

Works on the SPC/E trajectory that comes with the package; put your own files in its place.
"""

import sys

import regrain as rg
from regrain.observables import RDF, Angles, Compressibility, Diffusion, Pressure

short = float(sys.argv[1]) if len(sys.argv) > 1 else None

files = rg.io.example("spce")
fine = rg.load(files.trajectory, topology=files.topology, select="resname SOL")
beads = rg.maps.Beads(by="residue", weights="mass", name="W")
target = beads(fine)

fit = rg.fits.HNCGN(
    pairs={("W", "W"): rg.particles.Table(r_min=0.22, r_max=0.90, points=341)},
    temperature=300.0,
    pressure=1.0,
    seed=7,
    time=short,
    iterations=1 if short else 5,
)
result = fit(target, workdir="water-fit")  # start again with the same folder and it goes on
print(result)

coarse = result.model.run(target[0], time=short or 400.0, dt=0.004, seed=8)
report = rg.compare(
    target,
    coarse,
    [RDF(r_max=1.2), Angles(r_max=0.37), Pressure(), Compressibility(300.0), Diffusion()],
    known={"pressure": (-60.0, 20.0)},  # of the atomistic run: the beads' trace has no virial
    title="SPC/E water, one bead per molecule",
    fit=result,
)
print(report)
report.save("water.html")
rg.export(result.model, "water.table")
rg.save(coarse, "coarse.gsd")
