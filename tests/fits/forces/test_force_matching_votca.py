"""Force matching against csg_fmatch of VOTCA, where it is installed (Debian: apt install votca)."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from bench.versus import force_matching as versus

#: nm, and kJ/mol/nm.
RECORDED = [
    (0.23, 3412.937383),
    (0.25, 1150.104373),
    (0.264, 357.0682158),
    (0.27, 185.7388806),
    (0.29, -33.80523464),
    (0.33, 27.99447463),
    (0.35, 26.6038994),
    (0.41, 5.165816354),
    (0.5, -8.412037961),
    (0.57, 1.936620327),
    (0.63, -0.8005436443),
    (0.75, -0.1025226298),
    (0.85, -0.1356294541),
    (0.89, 0.6322917757),
]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("csg_fmatch") is None, reason="VOTCA is not installed")
def test_water_has_the_forces_of_csg_fmatch() -> None:
    files = rg.io.example("spce")
    gro, trr = Path(files.topology), Path(files.trajectory)
    _, frames, result = versus.ours(gro, trr)
    _, curve = versus.theirs(gro, trr, frames, 2180)
    found = result.force(x=curve[:, 0]).value
    # csg_fmatch writes ten digits.
    np.testing.assert_allclose(found, curve[:, 1], atol=1e-9 * np.abs(curve[:, 1]).max())


def test_water_has_the_forces_that_csg_fmatch_had() -> None:
    """Of csg_fmatch 2022.1 (Debian 12), constrainedLS, on the 34 frames of water in the package."""
    files = rg.io.example("spce")
    _, _, result = versus.ours(Path(files.topology), Path(files.trajectory))
    recorded = np.array(RECORDED)
    found = result.force(x=recorded[:, 0]).value
    np.testing.assert_allclose(found, recorded[:, 1], atol=1e-9 * recorded[0, 1])
