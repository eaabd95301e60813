"""Energy and forces of an exported directory, asked of LAMMPS."""

from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain.engines import Lammps, programs
from regrain.io.lammps import UNITS
from regrain.particles import Particles

SCRIPT = """include model.in
thermo_style custom step pe
thermo_modify norm no format float %.17g
dump all all custom 1 now.dump id type x y z ix iy iz vx vy vz fx fy fz
dump_modify all units yes format float %.17g
run 0
"""


def need_lammps() -> None:
    """Skip where LAMMPS is not installed."""
    try:
        Lammps()._started()
    except rg.errors.MissingPackageError as missing:
        pytest.skip(str(missing))


def evaluate(directory: Path, state: Particles) -> tuple[float, Particles]:
    """The energy, and the state as LAMMPS sees it, with forces."""
    (directory / "now.in").write_text(SCRIPT)
    command, variables = Lammps()._started()
    status = programs.run(
        [*command, "-in", "now.in"],
        directory=directory,
        output=directory / "screen",
        environment=variables,
    )
    lines = (directory / "log.lammps").read_text().splitlines()
    assert status == 0, "\n".join(lines[-5:])
    row = next(k for k, line in enumerate(lines) if line.split()[:1] == ["Step"]) + 1
    energy = float(lines[row].split()[1]) / UNITS[state.units].energy
    return energy, rg.load(directory / "now.dump", topology=state.topology)[0]


def assert_agrees(directory: Path, field: rg.particles.ForceField, state: Particles) -> None:
    """That LAMMPS has the energy and the forces of the force field, and the same state."""
    energy, seen = evaluate(directory, state)
    wanted = field.evaluate(state)
    assert energy == pytest.approx(wanted.energy, rel=1e-5)
    scale = np.sqrt(np.mean(wanted.forces**2))
    assert seen.forces == pytest.approx(wanted.forces, abs=1e-5 * scale)
    assert seen.unwrapped == pytest.approx(state.unwrapped, abs=1e-9)
    assert seen.box == pytest.approx(state.box, abs=1e-12)
    if state.velocities is not None:
        assert seen.velocities == pytest.approx(state.velocities, abs=1e-9)
