"""Small trajectories, written by other programs than ours where the format allows it."""

import warnings
from pathlib import Path
from types import SimpleNamespace

import MDAnalysis
import numpy as np
import pytest

from regrain import Trace
from regrain.particles import Particles, Topology

N, FRAMES = 12, 5
BOX = np.array([[3.0, 0.0, 0.0], [0.5, 3.1, 0.0], [-0.4, 0.8, 3.2]])
NAMES = ["OW", "HW1", "HW2"] * (N // 3)


def states(units: str = "md") -> Trace:
    """Waters with everything a state can hold, in a triclinic box."""
    rng = np.random.default_rng(5)
    topology = Topology(
        ["O", "H", "H"] * (N // 3),
        masses=[15.9994, 1.008, 1.008] * (N // 3),
        charges=[-0.8476, 0.4238, 0.4238] * (N // 3),
        names=NAMES,
        residues=np.repeat(np.arange(N // 3), 3),
        residue_names=["SOL"] * N,
        bonds=[(i, i + k) for i in range(0, N, 3) for k in (1, 2)],
        angles=[(i + 1, i, i + 2) for i in range(0, N, 3)],
        dihedrals=[(0, 1, 2, 3)],
    )
    frames = [
        Particles(
            rng.random((N, 3)) * 9.0 - 3.0,
            box=BOX * (1.0 + 0.01 * i),
            topology=topology,
            velocities=rng.normal(size=(N, 3)),
            forces=rng.normal(size=(N, 3)) * 1000.0,
            images=rng.integers(-3, 4, size=(N, 3)),
            units=units,
        )
        for i in range(FRAMES)
    ]
    energy = rng.normal(size=FRAMES)
    pressure = rng.normal(size=(FRAMES, 3, 3))
    return Trace(
        frames,
        times=np.arange(FRAMES) * 2.0,
        log={"potential_energy": energy, "pressure_tensor": pressure},
    )


def universe_of(trace: Trace) -> MDAnalysis.Universe:
    """The same in MDAnalysis, in its units."""
    first = trace[0].topology
    universe = MDAnalysis.Universe.empty(
        len(first),
        n_residues=N // 3,
        atom_resindex=first.residues,
        trajectory=True,
        velocities=True,
        forces=True,
    )
    universe.add_TopologyAttr("names", list(first.names))
    universe.add_TopologyAttr("types", list(first.types))
    universe.add_TopologyAttr("resnames", ["SOL"] * (N // 3))
    universe.add_TopologyAttr("resids", np.arange(1, N // 3 + 1))
    universe.add_TopologyAttr("masses", first.masses)
    universe.add_TopologyAttr("charges", first.charges)
    universe.add_TopologyAttr("bonds", first.bonds)
    universe.add_TopologyAttr("angles", first.angles)
    universe.add_TopologyAttr("dihedrals", first.dihedrals)
    return universe


def write(trace: Trace, path: Path) -> Path:
    """Write a trajectory (or one structure) with MDAnalysis."""
    universe = universe_of(trace)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with MDAnalysis.Writer(str(path), n_atoms=N) as writer:
            for state, time in zip(trace, trace.times, strict=True):
                step = universe.trajectory.ts
                step.positions = state.positions * 10.0
                step.velocities = state.velocities * 10.0
                step.forces = state.forces / 10.0
                step.dimensions = MDAnalysis.lib.mdamath.triclinic_box(*(state.box * 10.0))
                step.time = time
                step.frame = int(time)
                writer.write(universe.atoms)
    return path


@pytest.fixture(scope="session")
def water() -> SimpleNamespace:
    """The functions above: tests of a folder named like a standard module cannot import them."""
    return SimpleNamespace(states=states, universe_of=universe_of, write=write)


@pytest.fixture
def trace() -> Trace:
    return states()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """water.gro, water.trr, water.xtc, water.dcd of one trajectory. Not to be written to."""
    path = tmp_path_factory.mktemp("water")
    trace = states()
    write(trace[:1], path / "water.gro")
    for extension in ("trr", "xtc", "dcd"):
        write(trace, path / f"water.{extension}")
    return path
