"""The two unit systems a State can be tagged with."""

from __future__ import annotations

from dataclasses import dataclass

from regrain.errors import RegrainError

__all__ = ["MD", "REDUCED", "Units", "units"]


@dataclass(frozen=True)
class Units:
    """Names of the units and the constants that connect them.

    Inside a system, energy = mass length² / time² holds without a factor ("md": 1 kJ/mol =
    1 u nm²/ps²), so only pressure, temperature and charge need constants.

    Attributes
    ----------
    name : str
        The tag, ``"md"`` or ``"reduced"``.
    length, time, energy, mass, temperature, pressure, charge : str
        Unit symbols, empty in reduced units.
    boltzmann : float
        k_B in energy / temperature.
    pressure_factor : float
        Pressure unit per energy / length³.
    coulomb : float
        1 / (4 π ε₀) in energy length / charge².

    Notes
    -----
    CODATA 2018: k_B N_A = 8.31446261815324 J/(mol K) (exact), 1 kJ/mol/nm³ = 16.6053906717 bar,
    e² N_A / (4 π ε₀) = 138.935457644 kJ mol⁻¹ nm.

    Examples
    --------
    >>> from regrain.units import units
    >>> md = units("md")
    >>> round(md.boltzmann * 300.0, 4), md.energy
    (2.4943, 'kJ/mol')
    """

    name: str
    length: str
    time: str
    energy: str
    mass: str
    temperature: str
    pressure: str
    charge: str
    boltzmann: float
    pressure_factor: float
    coulomb: float


MD = Units(
    name="md",
    length="nm",
    time="ps",
    energy="kJ/mol",
    mass="u",
    temperature="K",
    pressure="bar",
    charge="e",
    boltzmann=8.31446261815324e-3,
    pressure_factor=16.6053906717,
    coulomb=138.935457644,
)
REDUCED = Units(
    name="reduced",
    length="",
    time="",
    energy="",
    mass="",
    temperature="",
    pressure="",
    charge="",
    boltzmann=1.0,
    pressure_factor=1.0,
    coulomb=1.0,
)


def units(tag: str | Units) -> Units:
    """The unit system of a tag.

    Raises
    ------
    RegrainError
        The tag is neither ``"md"`` nor ``"reduced"``.

    Examples
    --------
    >>> from regrain.units import units
    >>> units("reduced").boltzmann
    1.0
    """
    if isinstance(tag, Units):
        return tag
    for system in (REDUCED, MD):
        if system.name == tag:
            return system
    raise RegrainError(
        f'units: got {tag!r}, expected "reduced" or "md" (nm, ps, u, kJ/mol, K, e, bar)'
    )
