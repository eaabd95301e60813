"""What users of force matching bring: a dump of LAMMPS with forces, and its data file."""

from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain.particles import BSpline, ForceField, LennardJones, fcc
from tests.engines.lammps_static import need_lammps


@pytest.mark.slow
def test_force_matching_of_a_dump_finds_the_force(tmp_path: Path) -> None:
    need_lammps()
    lj = LennardJones(epsilon=1.0, sigma=0.3, cutoff=0.75, mode="force-shifted")
    field = ForceField({("1", "1"): lj}, temperature=300.0, units="md")
    start = fcc(cells=4, density=22.0)
    topology = rg.particles.Topology(["1"] * len(start), masses=[40.0] * len(start))
    start = start.replace(topology=topology, units="md")
    field.run(start, time=10.0, dt=0.002, every=0.25, seed=1, progress=False,
              engine=rg.engines.Lammps(directory=tmp_path / "run"))  # fmt: skip
    dump = tmp_path / "run" / "frames.lammpstrj"
    dump.write_text(dump.read_text().split("\n", 2)[2])  # as most dumps are: without units
    trace = rg.load(dump, topology=tmp_path / "run" / "system.data", units="real")
    form = BSpline(r_min=0.255, r_max=0.75, functions=43)
    result = rg.fits.ForceMatching(pairs={("1", "1"): form}, temperature=300.0)(trace[10:])
    r = np.linspace(0.29, 0.74, 200)
    scale = np.abs(lj.force(r)).max()
    found = result.model.pairs["1", "1"]
    assert found.force(r) == pytest.approx(lj.force(r), abs=2e-3 * scale)
