"""Units: constants against CODATA 2018, and unknown tags."""

import pytest

from regrain.errors import MissingPackageError, RegrainError, need
from regrain.units import MD, REDUCED, units

AVOGADRO = 6.02214076e23
BOLTZMANN = 1.380649e-23
CHARGE = 1.602176634e-19
EPSILON_0 = 8.8541878128e-12


def test_md_constants_follow_from_codata() -> None:
    assert MD.boltzmann == pytest.approx(BOLTZMANN * AVOGADRO / 1e3, rel=1e-14)
    assert MD.pressure_factor == pytest.approx(1e3 / AVOGADRO / 1e-27 / 1e5, rel=1e-11)
    coulomb = CHARGE**2 * AVOGADRO / (4 * 3.14159265358979 * EPSILON_0) / 1e3 * 1e9
    assert MD.coulomb == pytest.approx(coulomb, rel=1e-9)


def test_tags_and_systems_are_both_taken() -> None:
    assert units("md") is MD
    assert units(REDUCED) is REDUCED
    with pytest.raises(RegrainError, match='got \'lj\', expected "reduced" or "md"'):
        units("lj")


def test_a_missing_package_names_its_extra() -> None:
    with pytest.raises(MissingPackageError, match=r'pip install "regrain\[io\]"'):
        need("no_such_package_at_all", extra="io", purpose="reading trajectories")
    assert issubclass(MissingPackageError, ImportError)
