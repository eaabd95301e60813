"""Make python/regrain/data/spce from the full trajectory.

    python tools/make_spce.py <folder with spce_2180.gro and spce_2180.trr>

Takes every third frame, bit for bit as GROMACS wrote it: a TRR file is a row of frames that know
nothing of each other, so that the chosen ones are copied as they are.
"""

import sys
from pathlib import Path

from regrain.io._gromacs import Trr

DATA = Path(__file__).parents[1] / "python" / "regrain" / "data" / "spce"
EVERY = 3


def main(source: Path) -> None:
    structure = (source / "spce_2180.gro").read_text().splitlines()
    atoms = int(structure[1])
    structure[0] = "2180 SPC/E waters; atom names and residues of spce.trr"
    DATA.mkdir(parents=True, exist_ok=True)
    (DATA / "spce.gro").write_text("\n".join(structure[: atoms + 3]) + "\n")
    full = source / "spce_2180.trr"
    trajectory, content = Trr(full, atoms=atoms, units="md"), full.read_bytes()
    frames = range(0, len(trajectory.times), EVERY)
    (DATA / "spce.trr").write_bytes(b"".join(content[trajectory.span(i)] for i in frames))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
