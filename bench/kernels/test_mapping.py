"""How long one frame of 2180 waters takes to map: kernel, and with all that Python adds."""

import numpy as np
import pytest

import regrain as rg
from regrain import _core
from regrain.maps import Beads
from regrain.observables import RDF
from regrain.particles import Particles, Topology

N = 2180


@pytest.fixture(scope="module")
def water() -> Particles:
    """Water at its density; every molecule wrapped atom by atom, as trajectories are."""
    rng = np.random.default_rng(1)
    box = np.diag([4.031] * 3)
    atoms = np.repeat(rng.random((N, 3)) * 4.031, 3, axis=0) + 0.06 * rng.normal(size=(3 * N, 3))
    topology = Topology(
        ["OW", "HW1", "HW2"] * N,
        masses=[15.9994, 1.008, 1.008] * N,
        residues=np.repeat(np.arange(N), 3),
        residue_names=["SOL"] * (3 * N),
    )
    forces = rng.normal(size=atoms.shape)
    return Particles(atoms % 4.031, box, topology=topology, forces=forces, units="md")


def test_kernel(benchmark, water):
    bound = Beads(by="residue", name="W").bind(water)
    kernel = bound._kernel

    def frame():
        return kernel.positions(water.box, water.positions), kernel.forces(water.forces)

    benchmark(frame)


def test_frame(benchmark, water):
    benchmark(Beads(by="residue", name="W").bind(water), water)


def test_topology(benchmark, water):
    benchmark(lambda: Beads(by="residue", name="W").bind(water))


def test_load_map_and_rdf_of_ten_frames(benchmark):
    """The goal is 300 frames per second and core: below 33 ms."""
    files = rg.io.example("spce")
    fine = rg.load(files.trajectory, topology=files.topology, frames=slice(10))
    mapped = Beads(by="residue", name="W")(fine)
    before = _core.threads()
    _core.set_threads(1)
    try:
        benchmark(RDF(r_max=1.0), mapped)
    finally:
        _core.set_threads(before)
