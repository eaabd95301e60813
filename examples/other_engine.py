"""The same coarse model here and in LAMMPS, and a report that says whether they agree.

pip install "regrain[engines,io]"
python examples/other_engine.py [time in ps] [processes]
"""

import sys

import numpy as np

import regrain as rg
from regrain.observables import RDF, Density, Pressure
from regrain.particles import ForceField, NoseHoover, Table

time = float(sys.argv[1]) if len(sys.argv) > 1 else 200.0
processes = int(sys.argv[2]) if len(sys.argv) > 2 else 1

files = rg.io.example("spce")
fine = rg.load(files.trajectory, topology=files.topology, frames=slice(1))
start = rg.maps.Beads(by="residue", name="W")(fine)[0].replace(forces=None)

# A bead of water with a core and a well; what a fit would give.
form = Table(r_min=0.24, r_max=0.8, points=281)
window = (1.0 - (form.grid / 0.8) ** 2) ** 2
energy = window * (30.0 * np.exp((0.24 - form.grid) / 0.03) - 3.0 * np.exp(-form.grid / 0.3))
model = ForceField({("W", "W"): form.with_energy(energy)}, temperature=300.0, units="md")


def run(seed: int, engine: rg.engines.Engine | None = None) -> rg.Trace:
    bath = NoseHoover(time=0.5)
    trace = model.run(
        start, time=time, dt=0.008, every=time / 100, dynamics=bath, seed=seed, engine=engine
    )
    return trace[20:]


here, there = run(seed=1), run(seed=2, engine=rg.engines.Lammps(processes=processes))
print(f"regrain {here.provenance['wall_time']:.1f} s, LAMMPS {there.provenance['wall_time']:.1f} s")

report = rg.compare(here, there, [RDF(r_max=0.9), Density(), Pressure()], title="Two engines")
print(report)
