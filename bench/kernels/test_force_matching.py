"""Force matching of a frame of 2180 waters with 34 nodes, and its parts."""

import numpy as np
import pytest

import regrain as rg
from regrain import _core

N, EDGE = 2180, 4.031


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    side = np.ceil(N ** (1 / 3))
    sites = np.indices((int(side),) * 3).reshape(3, -1).T[:N] + 0.4 * rng.random((N, 3))
    return sites * EDGE / side, np.diag([EDGE] * 3), rng.normal(size=(N, 3))


@pytest.fixture(scope="module")
def design():
    design = _core.ForceDesign(
        types=np.zeros(N, np.int32), n_types=1, exclusions=np.empty((0, 2), np.int32)
    )
    design.add_pairs(_core.UniformSpline(low=0.2, high=0.9, intervals=33, degree=3), (0, 0))
    return design


def test_design_and_factor(benchmark, frame, design):
    positions, box, forces = frame
    benchmark(design.factors, [positions], [box], [forces])


def test_factor_alone(benchmark, frame, design):
    positions, box, forces = frame
    rows = design.rows(positions, box, forces)
    benchmark(lambda: _core.QrFactor(rows.shape[1]).add(rows))


def test_combining_two_factors(benchmark):
    factor = _core.QrFactor(37)
    factor.add(np.random.default_rng(2).normal(size=(100, 37)))
    benchmark(_core.QrFactor(37).combine, factor)


@pytest.mark.filterwarnings("ignore:the target says nothing:UserWarning")  # the core, in ten frames
def test_read_map_and_match_ten_frames(benchmark):
    """The goal is 150 frames per second and core: below 67 ms."""
    files = rg.io.example("spce")
    fine = rg.load(files.trajectory, topology=files.topology, frames=slice(10))
    target = rg.maps.Beads(by="residue", name="W")(fine)
    form = rg.particles.Table(r_min=0.22, r_max=0.9, points=34)
    fit = rg.fits.ForceMatching(pairs={("W", "W"): form}, blocks=5)
    before = _core.threads()
    _core.set_threads(1)
    try:
        benchmark(fit, target)
    finally:
        _core.set_threads(before)
