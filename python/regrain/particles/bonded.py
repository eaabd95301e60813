"""Potentials of bonds, angles and dihedrals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.potentials import Floats, Kind, Potential, energy_of, grid_values

__all__ = [
    "CosineAngle",
    "FENEBond",
    "HarmonicAngle",
    "HarmonicBond",
    "HarmonicDihedral",
    "PeriodicDihedral",
    "TableAngle",
    "TableBond",
    "TableDihedral",
]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class HarmonicBond(Potential):
    """k/2 (r - r0)².

    Parameters
    ----------
    k : float
        Energy / length²; mind the factor 1/2.
    r0 : float
        Length at rest.

    Raises
    ------
    RegrainError
        k or r0 negative or not finite.

    Loses / Assumes
    ---------------
    Small vibrations: the bond never breaks and its stiffness does not depend on its length.

    Examples
    --------
    >>> from regrain.particles import HarmonicBond
    >>> HarmonicBond(k=100.0, r0=1.0).force(1.1)
    -10.0...
    """

    k: float
    r0: float

    kind: ClassVar[Kind] = "bond"

    def _check(self) -> None:
        _not_negative(self, "k", "r0")

    def _engine(self) -> Any:
        return _core.Harmonic(k=self.k, x0=self.r0)

    def domain(self) -> tuple[float, float]:
        """Around the length at rest."""
        return 0.5 * self.r0, 1.5 * self.r0 or 1.0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FENEBond(Potential):
    """-k/2 R² ln(1 - (r/R)²), a spring of finite length (Kremer and Grest, J. Chem. Phys. 92, 5057
    (1990)); the repulsion between bonded particles is a pair potential (``exclude=0``).

    Parameters
    ----------
    k : float
        Energy / length²; 30 ε/σ² in the model of Kremer and Grest.
    r_max : float
        R, the length that is never reached; 1.5 σ there.

    Raises
    ------
    RegrainError
        Parameters that are not positive. In ``u``, ``force`` and in a run: a longer bond.

    Loses / Assumes
    ---------------
    The bond cannot break, however strong the pull.

    Examples
    --------
    >>> from regrain.particles import FENEBond
    >>> round(FENEBond(k=30.0, r_max=1.5).u(0.97), 3)
    18.279
    """

    k: float
    r_max: float

    kind: ClassVar[Kind] = "bond"

    def _check(self) -> None:
        self._positive("k", "r_max")

    def _engine(self) -> Any:
        return _core.Fene(k=self.k, r_max=self.r_max)

    def domain(self) -> tuple[float, float]:
        """From contact to nearly the greatest length."""
        return 0.0, 0.98 * self.r_max


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TableBond(Potential):
    """A bond potential on a uniform grid of lengths, a natural cubic spline between the points.

    Parameters
    ----------
    r_min, r_max : float
        First and last point.
    points : int
        Number of points, at least 3.
    energy : array_like, shape (points,), optional
        Without it, a form to be fitted.

    Raises
    ------
    RegrainError
        A range that makes no grid, values that are not finite; in ``u``, ``force`` and in a run: a
        bond outside of the table.

    Loses / Assumes
    ---------------
    The bond cannot break, and lengths outside of the table have no energy: they stop the run.

    Examples
    --------
    >>> from regrain.particles import TableBond
    >>> TableBond(r_min=0.0, r_max=2.0, points=3, energy=[1.0, 0.0, 1.0]).u(1.0)
    0.0
    """

    r_min: float
    r_max: float
    points: int
    energy: Floats | None = None

    kind: ClassVar[Kind] = "bond"

    def _check(self) -> None:
        self._positive("r_max")
        if not 0 <= self.r_min < self.r_max:
            raise RegrainError(f"{self!r}: r_min must be at least 0 and below r_max")
        _set_energy(self, least=3)

    @property
    def grid(self) -> Floats:
        """The lengths, shape (points,)."""
        return np.linspace(self.r_min, self.r_max, self.points)

    def with_energy(self, energy: ArrayLike) -> TableBond:
        """The same grid with energies."""
        return replace(self, energy=np.asarray(energy, dtype=float))

    def _engine(self) -> Any:
        return _core.TabulatedBonded(x_min=self.r_min, x_max=self.r_max, values=energy_of(self))

    def domain(self) -> tuple[float, float]:
        """The range of the table."""
        return self.r_min, self.r_max


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class HarmonicAngle(Potential):
    """k/2 (θ - θ0)².

    Parameters
    ----------
    k : float
        Energy / rad².
    theta0 : float
        Angle at rest in radians, 0 to π.

    Raises
    ------
    RegrainError
        k negative, or an angle outside of 0 to π.

    Loses / Assumes
    ---------------
    Unless theta0 is 0 or π the potential has a cusp where the three particles are in a line; the
    force there, which has no direction, is zero.

    Examples
    --------
    >>> from regrain.particles import HarmonicAngle
    >>> HarmonicAngle(k=5.0, theta0=2.0).u(3.0)
    2.5
    """

    k: float
    theta0: float

    kind: ClassVar[Kind] = "angle"

    def _check(self) -> None:
        _not_negative(self, "k")
        _angle(self, "theta0", 0.0)

    def _engine(self) -> Any:
        return _core.Harmonic(k=self.k, x0=self.theta0)

    def domain(self) -> tuple[float, float]:
        """0 to π."""
        return 0.0, float(np.pi)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CosineAngle(Potential):
    """k/2 (cos θ - cos θ0)², smooth also where the three particles are in a line (GROMOS).

    Parameters
    ----------
    k : float
        Energy.
    theta0 : float
        Angle at rest in radians, 0 to π.

    Raises
    ------
    RegrainError
        k negative, or an angle outside of 0 to π.

    Loses / Assumes
    ---------------
    The stiffness against θ goes as sin² θ0: an angle at rest of 0 or π has a quartic minimum.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import CosineAngle
    >>> CosineAngle(k=2.0, theta0=np.pi).u(0.0)
    4.0
    """

    k: float
    theta0: float

    kind: ClassVar[Kind] = "angle"

    def _check(self) -> None:
        _not_negative(self, "k")
        _angle(self, "theta0", 0.0)

    def _engine(self) -> Any:
        return _core.CosineSquared(k=self.k, theta0=self.theta0)

    def domain(self) -> tuple[float, float]:
        """0 to π."""
        return 0.0, float(np.pi)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TableAngle(Potential):
    """An angle potential on a uniform grid from 0 to π, a natural cubic spline between the points.

    Parameters
    ----------
    points : int
        Number of points, at least 3.
    energy : array_like, shape (points,), optional
        Without it, a form to be fitted.

    Raises
    ------
    RegrainError
        Too few points, values that are not finite.

    Loses / Assumes
    ---------------
    The angle is independent of the bonds that make it and of the angles beside it.

    Examples
    --------
    >>> from regrain.particles import TableAngle
    >>> TableAngle(points=3, energy=[1.0, 0.0, 1.0]).grid.round(2).tolist()
    [0.0, 1.57, 3.14]
    """

    points: int
    energy: Floats | None = None

    kind: ClassVar[Kind] = "angle"

    def _check(self) -> None:
        _set_energy(self, least=3)

    @property
    def grid(self) -> Floats:
        """The angles, shape (points,)."""
        return np.linspace(0.0, np.pi, self.points)

    def with_energy(self, energy: ArrayLike) -> TableAngle:
        """The same grid with energies."""
        return replace(self, energy=np.asarray(energy, dtype=float))

    def _engine(self) -> Any:
        return _core.TabulatedBonded(x_min=0.0, x_max=np.pi, values=energy_of(self))

    def domain(self) -> tuple[float, float]:
        """0 to π."""
        return 0.0, float(np.pi)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class HarmonicDihedral(Potential):
    """k/2 (φ - φ0)², the difference taken on the circle: an improper dihedral.

    Parameters
    ----------
    k : float
        Energy / rad².
    phi0 : float
        Angle at rest in radians, -π to π; 0 is cis.

    Raises
    ------
    RegrainError
        k negative, or an angle outside of -π to π.

    Loses / Assumes
    ---------------
    There is a cusp opposite of phi0: keep k so large that it is never reached.

    Examples
    --------
    >>> from regrain.particles import HarmonicDihedral
    >>> round(HarmonicDihedral(k=2.0, phi0=3.0).u(-3.0), 4)
    0.0802
    """

    k: float
    phi0: float

    kind: ClassVar[Kind] = "dihedral"

    def _check(self) -> None:
        _not_negative(self, "k")
        _angle(self, "phi0", -np.pi)

    def _engine(self) -> Any:
        return _core.Harmonic(k=self.k, x0=self.phi0)

    def domain(self) -> tuple[float, float]:
        """-π to π."""
        return -float(np.pi), float(np.pi)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PeriodicDihedral(Potential):
    """k (1 + cos(n φ - φ0)).

    Parameters
    ----------
    k : float
        Energy.
    n : int
        Minima per turn, at least 1.
    phi0 : float
        Phase in radians, -π to π.

    Raises
    ------
    RegrainError
        n below 1, or parameters that are not finite.

    Loses / Assumes
    ---------------
    One Fourier mode. Where three of the particles are on a line φ is undefined; there the force is
    taken as zero.

    Loses / Assumes
    ---------------
    A dihedral has no value where three of its particles are in a line, and its force diverges near
    there: let an angle potential keep them from it.

    Examples
    --------
    >>> from regrain.particles import PeriodicDihedral
    >>> PeriodicDihedral(k=1.0, n=3, phi0=0.0).u(0.0)
    2.0
    """

    k: float
    n: int
    phi0: float = 0.0

    kind: ClassVar[Kind] = "dihedral"

    def _check(self) -> None:
        self._finite("k")
        _angle(self, "phi0", -np.pi)
        if self.n < 1:
            raise RegrainError(f"{self!r}: n must be a whole number of at least 1")

    def _engine(self) -> Any:
        return _core.Periodic(k=self.k, phi0=self.phi0, n=self.n)

    def domain(self) -> tuple[float, float]:
        """-π to π."""
        return -float(np.pi), float(np.pi)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TableDihedral(Potential):
    """A dihedral potential on a uniform grid from -π to π, a periodic cubic spline.

    Parameters
    ----------
    points : int
        Number of points, both ends counted, at least 4.
    energy : array_like, shape (points,), optional
        The first and the last are the same angle and must be equal. Without it, a form to be
        fitted.

    Raises
    ------
    RegrainError
        Too few points, values that are not finite, ends that differ.

    Loses / Assumes
    ---------------
    The dihedral is independent of its neighbours; correlated rotations need more than a table.

    Loses / Assumes
    ---------------
    A dihedral has no value where three of its particles are in a line, and its force diverges near
    there: let an angle potential keep them from it.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import TableDihedral
    >>> phi = np.linspace(-np.pi, np.pi, 73)
    >>> round(TableDihedral(points=73, energy=np.cos(phi)).force(0.5), 4)
    0.4794
    """

    points: int
    energy: Floats | None = None

    kind: ClassVar[Kind] = "dihedral"

    def _check(self) -> None:
        _set_energy(self, least=4)
        if self.energy is not None:
            self._engine()

    @property
    def grid(self) -> Floats:
        """The angles, shape (points,)."""
        return np.linspace(-np.pi, np.pi, self.points)

    def with_energy(self, energy: ArrayLike) -> TableDihedral:
        """The same grid with energies."""
        return replace(self, energy=np.asarray(energy, dtype=float))

    def _engine(self) -> Any:
        return _core.TabulatedBonded.periodic(energy_of(self))

    def domain(self) -> tuple[float, float]:
        """-π to π."""
        return -float(np.pi), float(np.pi)


def _not_negative(potential: Potential, *names: str) -> None:
    for name in names:
        value = getattr(potential, name)
        if not (np.isfinite(value) and value >= 0):
            raise RegrainError(f"{potential!r}: {name} must be zero or more")


def _angle(potential: Potential, name: str, least: float) -> None:
    value = getattr(potential, name)
    if not least - 1e-9 <= value <= np.pi + 1e-9:
        lowest = "0" if least == 0 else "-π"
        raise RegrainError(
            f"{potential!r}: {name} must be an angle in radians from {lowest} to π; "
            "numpy.deg2rad converts degrees"
        )


def _set_energy(table: Any, *, least: int) -> None:
    if table.points < least:
        raise RegrainError(f"{table!r}: a table needs at least {least} points")
    object.__setattr__(table, "energy", grid_values(table, "energy", table.energy, table.points))
