"""A dihedral potential of several Fourier modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.potentials import Floats, Kind, Potential

__all__ = ["FourierDihedral"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FourierDihedral(Potential):
    """Sum over n = 1, 2, … of k_n (1 + cos(n φ - φ_n)).

    A `PeriodicDihedral` per n on the same four particles; so are the series of Ryckaert and
    Bellemans and the several lines of function type 9 of GROMACS.

    Parameters
    ----------
    k : array_like, shape (m,)
        Energies of n = 1 … m; zero for a mode that is not there.
    phi0 : array_like, shape (m,), optional
        Phases in radians, 0 when omitted.

    Raises
    ------
    RegrainError
        No mode, numbers that are not finite, or not one phase per mode.

    Loses / Assumes
    ---------------
    The dihedral is independent of its neighbours, and has no value where three of its particles
    are in a line: the force there is taken as zero, and diverges nearby.

    Examples
    --------
    >>> from regrain.particles import FourierDihedral
    >>> FourierDihedral(k=[1.0, 0.0, 0.5]).u(0.0)
    3.0
    """

    k: Floats
    phi0: Floats | None = None

    kind: ClassVar[Kind] = "dihedral"

    if TYPE_CHECKING:  # anything like an array comes in, arrays are kept

        def __init__(self, *, k: ArrayLike, phi0: ArrayLike | None = None) -> None: ...

    def _check(self) -> None:
        k = np.asarray(self.k, dtype=float)
        phi0 = np.zeros_like(k) if self.phi0 is None else np.asarray(self.phi0, dtype=float)
        if k.ndim != 1 or k.shape != phi0.shape or not len(k):
            raise RegrainError(
                f"FourierDihedral: k has shape {k.shape} and phi0 {phi0.shape}, expected one "
                "number each per n = 1, 2, ..."
            )
        if not (np.isfinite(k).all() and np.isfinite(phi0).all()):
            raise RegrainError("FourierDihedral: k and phi0 must be finite numbers")
        for name, value in (("k", k), ("phi0", phi0)):
            value = value.copy()
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    def _engine(self) -> Any:
        return _core.Fourier(k=self.k.tolist(), phi0=cast(Floats, self.phi0).tolist())

    def domain(self) -> tuple[float, float]:
        """-π to π."""
        return -float(np.pi), float(np.pi)
