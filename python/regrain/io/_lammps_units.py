"""The unit systems of LAMMPS, and ours in them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["STYLES", "UNITS", "Scale"]


@dataclass(frozen=True)
class Scale:
    """A unit system of LAMMPS: its name, and what our units are in its own.

    Examples
    --------
    >>> from regrain.io.lammps import UNITS
    >>> UNITS["md"].style, UNITS["md"].length  # one nm is so many Å
    ('real', 10.0)
    """

    style: str
    ours: str
    length: float
    energy: float
    time: float

    @property
    def velocity(self) -> float:
        """Our unit of velocity in theirs."""
        return self.length / self.time

    @property
    def force(self) -> float:
        """Our unit of force in theirs."""
        return self.energy / self.length


# Å, kcal/mol and fs; Å, eV (96.48533212 kJ/mol, CODATA 2018) and ps; numbers as they are.
STYLES = {
    "real": Scale("real", "md", 10.0, 1.0 / 4.184, 1000.0),
    "metal": Scale("metal", "md", 10.0, 1.0 / 96.48533212, 1.0),
    "lj": Scale("lj", "reduced", 1.0, 1.0, 1.0),
}
# Those that are written, by the tag of our units.
UNITS = {"md": STYLES["real"], "reduced": STYLES["lj"]}
