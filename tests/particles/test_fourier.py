"""Dihedrals of several modes against the sum of single ones, and against Ryckaert and Bellemans."""

import numpy as np
import pytest

from regrain import RegrainError
from regrain.particles import FourierDihedral, PeriodicDihedral

PHI = np.linspace(-np.pi, np.pi, 41)


def test_it_is_the_sum_of_its_modes() -> None:
    k, phi0 = [1.5, 0.0, -0.7, 0.2], [0.4, 0.0, 2.0, -3.0]
    modes = [PeriodicDihedral(k=k[i], n=i + 1, phi0=phi0[i]) for i in range(len(k))]
    whole = FourierDihedral(k=k, phi0=phi0)
    assert np.allclose(whole.u(PHI), sum(p.u(PHI) for p in modes), atol=1e-13)
    assert np.allclose(whole.force(PHI), sum(p.force(PHI) for p in modes), atol=1e-13)


def test_butane_of_ryckaert_and_bellemans() -> None:
    # U = sum of c_n cos^n(psi), psi = phi - pi (Faraday Discuss. 66, 95 (1978), kJ/mol as in the
    # reference manual of GROMACS); cos^n in multiples of the angle is elementary.
    c = [9.28, 12.16, -13.12, -3.06, 26.24, -31.5]
    series = np.polynomial.chebyshev.poly2cheb(c)  # of cos(n psi)
    signs = (-1.0) ** np.arange(6)  # cos(n psi) = (-1)^n cos(n phi)
    potential = FourierDihedral(k=(series * signs)[1:])
    wanted = np.polynomial.polynomial.polyval(np.cos(PHI - np.pi), c)
    found = potential.u(PHI)
    assert np.allclose(found - found[0], wanted - wanted[0], atol=1e-12)


@pytest.mark.parametrize(
    ("k", "phi0", "message"),
    [
        ([], None, "expected one number each"),
        ([1.0], [0.0, 1.0], "expected one number each"),
        (1.0, None, "expected one number each"),
        ([np.nan], None, "must be finite"),
        ([1.0], [np.inf], "must be finite"),
    ],
)
def test_what_is_no_series(k: list[float], phi0: list[float] | None, message: str) -> None:
    with pytest.raises(RegrainError, match=message):
        FourierDihedral(k=k, phi0=phi0)
