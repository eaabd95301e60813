"""Force matching against csg_fmatch of VOTCA (Debian: apt install votca) in one run.

The same frames of water, the same mapping, the same spline of 34 nodes:

    python bench/versus/force_matching.py [structure.gro trajectory.trr]

Without files it takes the water that comes with the package. Prints frames per second of CPU time
on one thread, reading and mapping included, their ratio, and by how much the forces differ.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import regrain as rg
from regrain import _core

LOW, HIGH, NODES = 0.23, 0.89, 34

TOPOLOGY = """<topology base="{gro}">
<molecules><define name="SOL" first="1" nbeads="3" nmols="{molecules}"/></molecules></topology>"""
MAPPING = """<cg_molecule><name>SOL</name><ident>SOL</ident><topology><cg_beads><cg_bead>
<name>W</name><type>W</type><mapping>A</mapping><beads>1:SOL:OW 1:SOL:HW1 1:SOL:HW2</beads>
</cg_bead></cg_beads></topology><maps><map><name>A</name><weights>15.999 1.008 1.008</weights>
</map></maps></cg_molecule>"""
OPTIONS = """<cg><fmatch><frames_per_block>{frames}</frames_per_block>
<constrainedLS>true</constrainedLS></fmatch><non-bonded><name>W-W</name><type1>W</type1>
<type2>W</type2><fmatch><min>{low}</min><max>{high}</max><step>{step:.12g}</step>
<out_step>0.002</out_step></fmatch></non-bonded></cg>"""


def ours(gro: Path, trr: Path) -> tuple[float, int, rg.fits.ForceMatchingResult]:
    """CPU seconds, frames, and the result."""
    fit = rg.fits.ForceMatching(
        pairs={("W", "W"): rg.particles.Table(r_min=LOW, r_max=HIGH, points=NODES)}
    )
    start = time.process_time()
    fine = rg.load(trr, topology=gro)
    result = fit(rg.maps.Beads(by="residue", weights="mass", name="W")(fine))
    return time.process_time() - start, len(fine), result


def theirs(gro: Path, trr: Path, frames: int, molecules: int) -> tuple[float, np.ndarray]:
    """CPU seconds, and distances and forces."""
    with tempfile.TemporaryDirectory() as folder:
        step = (HIGH - LOW) / (NODES - 1)
        for name, text in (
            ("topology.xml", TOPOLOGY.format(gro=gro, molecules=molecules)),
            ("water.xml", MAPPING),
            ("options.xml", OPTIONS.format(frames=frames, low=LOW, high=HIGH, step=step)),
        ):
            Path(folder, name).write_text(text)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            ["csg_fmatch", "--top", "topology.xml", "--trj", str(trr), "--cg", "water.xml",
             "--options", "options.xml"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, np.loadtxt(Path(folder, "W-W.force"), usecols=(0, 1))


def main(gro: Path, trr: Path) -> None:
    _core.set_threads(1)
    ours(gro, trr)  # what is imported and compiled at first use
    seconds, frames, result = ours(gro, trr)
    print(f"regrain     {frames / seconds:8.1f} frames / s")
    if shutil.which("csg_fmatch") is None:
        print("csg_fmatch is not installed")
        return
    molecules = len(rg.load(trr, topology=gro)[0]) // 3
    slow, curve = theirs(gro, trr, frames, molecules)
    print(f"csg_fmatch  {frames / slow:8.1f} frames / s")
    print(f"ratio       {slow / seconds:8.1f}")
    difference = np.abs(result.force(x=curve[:, 0]).value - curve[:, 1]).max()
    print(f"forces differ by {difference / np.abs(curve[:, 1]).max():.1e} of the largest")


if __name__ == "__main__":
    files = rg.io.example("spce")
    given = [Path(name).resolve() for name in sys.argv[1:3]]
    main(*(given or [Path(files.topology), Path(files.trajectory)]))
