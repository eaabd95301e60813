"""Named measurements on a trace, each an Estimate with an error bar."""

from regrain.observables.angles import Angles, BondAngles, BondLengths, Dihedrals
from regrain.observables.compressibility import Compressibility, KirkwoodBuff
from regrain.observables.dynamics import MSD, Diffusion, VelocityAutocorrelation
from regrain.observables.estimate import Estimate
from regrain.observables.observable import (
    Average,
    Measurement,
    Observable,
    Plan,
    Undefined,
    measure,
)
from regrain.observables.poiseuille import PoiseuilleViscosity
from regrain.observables.profile import Profile
from regrain.observables.rdf import RDF
from regrain.observables.structure import StructureFactor
from regrain.observables.surface_tension import SurfaceTension
from regrain.observables.thermo import Density, Energy, LogAverage, Pressure, Temperature
from regrain.observables.viscosity import Viscosity
from regrain.observables.wall_pressure import WallPressure

__all__ = [
    "MSD",
    "RDF",
    "Angles",
    "Average",
    "BondAngles",
    "BondLengths",
    "Compressibility",
    "Density",
    "Diffusion",
    "Dihedrals",
    "Energy",
    "Estimate",
    "KirkwoodBuff",
    "LogAverage",
    "Measurement",
    "Observable",
    "Plan",
    "PoiseuilleViscosity",
    "Pressure",
    "Profile",
    "StructureFactor",
    "SurfaceTension",
    "Temperature",
    "Undefined",
    "VelocityAutocorrelation",
    "Viscosity",
    "WallPressure",
    "measure",
]
