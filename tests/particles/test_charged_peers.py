"""Charges in other programs: forces that GROMACS wrote, and OpenMM and LAMMPS where they are."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import regrain as rg
from regrain.engines import Lammps, programs
from regrain.particles import Ewald, ForceField, LennardJones, Particles, ReactionField, Topology
from regrain.particles.charges import Coulomb
from tests.engines.lammps_static import need_lammps

Floats = NDArray[np.float64]

# SPC/E as GROMACS has it in gromos43a1: C6 and C12 of the oxygen.
C6, C12 = 0.0026173456, 2.634129e-06
OXYGEN = LennardJones(epsilon=C6**2 / (4 * C12), sigma=(C12 / C6) ** (1 / 6), cutoff=1.2)


def topology(molecules: int, *, bonded: bool = True) -> Topology:
    bonds = [(3 * i, 3 * i + k) for i in range(molecules) for k in (1, 2)]
    return Topology(
        ["O", "H", "H"] * molecules,
        masses=[15.9994, 1.008, 1.008] * molecules,
        charges=[-0.8476, 0.4238, 0.4238] * molecules,
        bonds=bonds if bonded else None,
    )


def water(charges: Coulomb, oxygen: LennardJones | None = None) -> ForceField:
    pairs = {("O", "O"): oxygen, ("H", "O"): None, ("H", "H"): None}
    return ForceField(pairs, bonds={("H", "O"): None}, charges=charges, units="md")


def frame(number: int) -> Particles:
    files = rg.io.example("spce")
    state = rg.load(files.trajectory, topology=files.topology)[number]
    return state.replace(topology=topology(len(state) // 3))


def few(molecules: int, *, bonded: bool = True) -> Particles:
    """Some of the molecules, far from each other, whole."""
    state = frame(0)
    positions = state.positions.reshape(-1, 3, 3)[:: 2180 // molecules][:molecules]
    edges = np.diag(state.box)
    from_oxygen = positions - positions[:, :1]
    positions = positions[:, :1] + from_oxygen - edges * np.round(from_oxygen / edges)
    return Particles(
        positions.reshape(-1, 3),
        box=state.box,
        topology=topology(molecules, bonded=bonded),
        units="md",
    )


def assert_near(mine: Floats, theirs: Floats, relative: float) -> None:
    rms = np.sqrt(np.mean(theirs**2))
    assert np.sqrt(np.mean((mine - theirs) ** 2)) < relative * rms


@pytest.mark.parametrize("number", [0, 20])
def test_the_forces_of_gromacs_on_water(number: int) -> None:
    # Reaction field of 80 beyond 1.2 nm. GROMACS works in single precision, wrote the forces
    # without those of constraints, and sees pairs right at the cutoff on either side of it, where
    # the force of the reaction field jumps: so single atoms may be off by more.
    state = frame(number)
    assert state.forces is not None
    found = water(ReactionField(cutoff=1.2, permittivity=80.0), OXYGEN).evaluate(state)
    assert_near(found.forces, state.forces, 5e-5)
    assert np.median(np.abs(found.forces - state.forces)) < 2e-6 * np.std(state.forces)
    # And its energy, -46.73 kJ/mol per molecule on average, with the tail of the dispersion.
    density = 2180 / state.volume
    tail = -8 / 3 * np.pi * density * OXYGEN.epsilon * OXYGEN.sigma**6 / 1.2**3
    assert found.energy / 2180 + tail == pytest.approx(-46.73, abs=0.4)


# ------------------------------------------------------------------ OpenMM


def openmm(state: Particles, method: str, **settings: float) -> tuple[float, Floats]:
    """Energy and forces of the charges alone, bonded atoms of a molecule excluded."""
    mm = pytest.importorskip("openmm")
    system = mm.System()
    system.setDefaultPeriodicBoxVectors(*(mm.Vec3(*row) for row in state.box))
    force = mm.NonbondedForce()
    force.setNonbondedMethod(getattr(mm.NonbondedForce, method))
    for name, value in settings.items():
        getattr(force, f"set{name}")(value)
    for charge in state.topology.charges:
        system.addParticle(1.0)
        force.addParticle(charge, 1.0, 0.0)
    for i, j in state.topology.exclusions(2):
        force.addException(i, j, 0.0, 1.0, 0.0)
    system.addForce(force)
    platform = mm.Platform.getPlatformByName("Reference")
    context = mm.Context(system, mm.VerletIntegrator(0.001), platform)
    context.setPositions(state.positions)
    found = context.getState(getForces=True, getEnergy=True)
    return found.getPotentialEnergy()._value, np.array(found.getForces(asNumpy=True)._value)


@pytest.mark.parametrize(("box", "method"), [("cube", "Ewald"), ("dodecahedron", "PME")])
def test_openmm_has_the_same_ewald_sum(box: str, method: str) -> None:
    state = few(40)
    if box == "dodecahedron":
        # The form of GROMACS; molecules stay as they are.
        cell = 4.031 * np.array([[1, 0, 0], [0, 1, 0], [0.5, 0.5, np.sqrt(0.5)]])
        squeezed = few(40).positions * [1, 1, np.sqrt(0.5)]
        whole = few(40).positions.reshape(-1, 3, 3)
        shift = (squeezed.reshape(-1, 3, 3) - whole)[:, :1]
        state = state.replace(positions=(whole + shift).reshape(-1, 3), box=cell)
    energy, forces = openmm(state, method, CutoffDistance=1.0, EwaldErrorTolerance=1e-7)
    found = water(Ewald(cutoff=1.0, accuracy=1e-8)).evaluate(state)
    assert found.energy == pytest.approx(energy, rel=1e-5)
    assert_near(found.forces, forces, 1e-5)


def test_openmm_has_the_same_reaction_field() -> None:
    # Of free charges: OpenMM leaves excluded pairs and charges themselves without what they do to
    # the medium, which is a constant.
    state = few(40, bonded=False)
    energy, forces = openmm(
        state, "CutoffPeriodic", CutoffDistance=1.3, ReactionFieldDielectric=60.0
    )
    found = water(ReactionField(cutoff=1.3, permittivity=60.0)).evaluate(state)
    own = 3 * 60 / (2 * 60 + 1) / 1.3 * (state.topology.charges**2).sum() / 2 * 138.935457644
    assert found.energy + own == pytest.approx(energy, rel=1e-9)
    assert_near(found.forces, forces, 1e-9)


# ------------------------------------------------------------------ LAMMPS

INPUT = """units lj
atom_style full
read_data now.data
pair_style lj/cut/coul/long 1.2
pair_modify table 0
pair_coeff * * 0.0 1.0
pair_coeff 1 1 {epsilon!r} {sigma!r} 1.2
bond_style zero
bond_coeff * 1.0
special_bonds lj/coul 0.0 0.0 1.0
kspace_style ewald 1e-8
thermo_style custom step pe
thermo_modify norm no format float %.17g
dump all all custom 1 now.dump id fx fy fz
dump_modify all sort id format float %.17g
run 0
"""


def lammps(state: Particles, directory: Path) -> tuple[float, Floats]:
    """Energy and forces; Coulomb's factor, 1 in its reduced units, goes into the charges."""
    need_lammps()
    scale = np.sqrt(138.935457644)
    which = np.where(state.topology.types == "O", 1, 2)
    lines = ["water", "", f"{len(state)} atoms", f"{len(state.topology.bonds)} bonds"]
    lines += ["2 atom types", "1 bond types"]
    lines += [
        f"0 {edge:.17g} {a}lo {a}hi" for edge, a in zip(np.diag(state.box), "xyz", strict=True)
    ]
    lines += ["", "Masses", "", "1 1", "2 1", "", "Atoms", ""]
    for i, (kind, q, r) in enumerate(
        zip(which, state.topology.charges * scale, state.positions, strict=True)
    ):
        lines.append(f"{i + 1} {i // 3 + 1} {kind} {q:.17g} " + " ".join(f"{x:.17g}" for x in r))
    lines += ["", "Bonds", ""]
    lines += [f"{k + 1} 1 {i + 1} {j + 1}" for k, (i, j) in enumerate(state.topology.bonds)]
    (directory / "now.data").write_text("\n".join(lines) + "\n")
    (directory / "now.in").write_text(INPUT.format(epsilon=OXYGEN.epsilon, sigma=OXYGEN.sigma))
    command, variables = Lammps()._started()
    status = programs.run(
        [*command, "-in", "now.in"],
        directory=directory,
        output=directory / "screen",
        environment=variables,
    )
    log = (directory / "log.lammps").read_text().splitlines()
    assert status == 0, "\n".join(log[-5:])
    row = next(k for k, line in enumerate(log) if line.split()[:1] == ["Step"]) + 1
    table = np.loadtxt((directory / "now.dump").read_text().splitlines()[9:])
    return float(log[row].split()[1]), table[:, 1:]


def test_lammps_has_the_same_ewald_sum(tmp_path: Path) -> None:
    state = few(200)
    energy, forces = lammps(state, tmp_path)
    found = water(Ewald(cutoff=1.2, accuracy=1e-8), OXYGEN).evaluate(state)
    # Its erfc is formula 7.1.26 of Abramowitz and Stegun, good to 1.5e-7, of the 1000 kJ/mol and
    # more that the excluded pairs of a molecule would have.
    assert found.energy == pytest.approx(energy, abs=1.5e-7 * 200 * 1000)
    assert_near(found.forces, forces, 1e-5)
