"""Bonds of fixed length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from regrain.errors import RegrainError
from regrain.particles.potentials import Floats, Kind, Potential

__all__ = ["RigidBond", "refuse_rigid_bonds"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RigidBond(Potential):
    """A bond of a length that never changes: a constraint in place of a potential.

    Stands among the ``bonds`` of a force field. Three of them in a triangle keep the angle too, as
    in rigid water. Lengths are solved for after every move, to one part in 10¹², and velocities
    along bonds are taken out. A start whose bonds are a little off is moved to the right lengths,
    with the masses as weights.

    Parameters
    ----------
    r0 : float
        The length.

    Raises
    ------
    RegrainError
        A length that is not positive. In a run: bonds that are off by a quarter or more at the
        start, that follow from each other (three in a line, a flat ring with its diagonals), or
        that cannot be solved for, with the worst of them by name. Where an energy is asked for.

    Loses / Assumes
    ---------------
    Vibrations of the bond, their energy and their heat capacity; and a rigid bond is not the limit
    of a stiff one: the weight of configurations differs by the metric of the constraints (Fixman,
    Proc. Natl. Acad. Sci. USA 71, 3050 (1974)), which matters for the angles of flexible chains.

    Notes
    -----
    SHAKE solved by Newton's method (Kräutler, van Gunsteren and Hünenberger, J. Comput. Chem. 22,
    501 (2001)), RATTLE for velocities (Andersen, J. Comput. Phys. 52, 24 (1983)), and with Langevin
    dynamics g-BAOAB (Leimkuhler and Matthews, Proc. R. Soc. A 472, 20160138 (2016)). A barostat
    moves the centres of mass of what rigid bonds join.

    Examples
    --------
    >>> from regrain.particles import RigidBond
    >>> RigidBond(r0=0.1)
    RigidBond(r0=0.1)
    """

    r0: float

    kind: ClassVar[Kind] = "bond"

    def _check(self) -> None:
        self._positive("r0")

    def domain(self) -> tuple[float, float]:
        """An error: there is no energy to look at."""
        raise self._no_energy()

    def _values(self, points: Floats) -> tuple[Floats, Floats]:
        raise self._no_energy()

    def _no_energy(self) -> RegrainError:
        return RegrainError(
            f"{self!r} is a constraint and has no energy or force; where a potential is needed "
            "take a stiff HarmonicBond"
        )

    def scaled(self, factor: float) -> Self:
        """Itself: it has no energy."""
        return self


def refuse_rigid_bonds(bonds: Mapping[Any, Any], who: str) -> None:
    """An error where something else than a run of the engine meets rigid bonds.

    Raises
    ------
    RegrainError
        Some bond is rigid.

    Examples
    --------
    >>> from regrain.particles import HarmonicBond
    >>> from regrain.particles.rigid import refuse_rigid_bonds
    >>> refuse_rigid_bonds({("A", "A"): HarmonicBond(k=1.0, r0=1.0)}, "GROMACS")
    """
    for key, law in bonds.items():
        if isinstance(law, RigidBond):
            raise RegrainError(
                f"bonds[{'-'.join(key)}]: {who} does not take {law!r}; replace it by a stiff "
                "HarmonicBond there, or run with the engine of regrain"
            )
