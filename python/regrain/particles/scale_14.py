"""What particles three bonds apart feel of each other beside the dihedral between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from regrain.errors import RegrainError
from regrain.particles.parameters import Law

__all__ = ["Scale14", "scale_14_of"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scale14(Law):
    """Factors of pair potentials and charges between particles exactly three bonds apart.

    Between nearest images of them potentials act times the factor, up to the cutoffs they have
    elsewhere, and charges have the factor times q q' / r in place of q q' / r: at any distance with
    Ewald's sum, within the cutoff with a reaction field. Other images act in full.

    Parameters
    ----------
    pairs : float
        Of pair potentials: 0.5 in AMBER and OPLS, 1 with 1-4 potentials that are as all others.
    charges : float
        Of products of charges: 1/1.2 in AMBER, 0.5 in OPLS.

    Raises
    ------
    RegrainError
        Factors that are not numbers; in a force field that excludes pairs three bonds apart, or
        has triples.

    Loses / Assumes
    ---------------
    One factor for all types. Force fields with Lennard-Jones parameters of their own for 1-4 pairs
    (CHARMM, GROMOS) need these given as tables of dihedrals.

    Examples
    --------
    >>> from regrain.particles import Scale14
    >>> Scale14(pairs=0.5, charges=0.5)
    Scale14(pairs=0.5, charges=0.5)
    """

    pairs: float
    charges: float

    def _check(self) -> None:
        self._finite("pairs", "charges")

    def scaled(self, factor: float) -> Self:
        """Itself: energies are proportional to those it is a factor of."""
        return self


def scale_14_of(
    given: Any, *, exclude: int = 2, triples: Mapping[Any, Any] | None = None
) -> Scale14 | None:
    """A `Scale14` from what stands for it: itself, one number for both factors, or both by name.

    Raises
    ------
    RegrainError
        Something else; or what it is for is excluded, or may be an arm of a triple.

    Examples
    --------
    >>> from regrain.particles.scale_14 import scale_14_of
    >>> scale_14_of({"pairs": 0.5, "charges": 0.8333})
    Scale14(pairs=0.5, charges=0.8333)
    >>> scale_14_of(0.5)
    Scale14(pairs=0.5, charges=0.5)
    """
    found = _scale_14(given)
    if found is not None and exclude > 2:
        raise RegrainError(
            f"exclude={exclude} leaves out the pairs three bonds apart that {found!r} is for; "
            "give exclude=2 or less"
        )
    if found is not None and any((triples or {}).values()):
        raise RegrainError(
            f"{found!r} beside triples: it is not defined what particles three bonds apart are "
            "as arms; leave out one of the two"
        )
    return found


def _scale_14(given: Any) -> Scale14 | None:
    if given is None or isinstance(given, Scale14):
        return given
    if isinstance(given, Mapping) and set(given) == {"pairs", "charges"}:
        return Scale14(**given)
    if isinstance(given, int | float) and not isinstance(given, bool):
        return Scale14(pairs=given, charges=given)
    raise RegrainError(
        f"scale_14: got {given!r}, expected a factor, or Scale14(pairs=..., charges=...), for "
        "particles three bonds apart"
    )
