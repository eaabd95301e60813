"""Particles: their state, their force fields, their dynamics."""

from regrain.particles.barostats import CellRescale
from regrain.particles.bonded import (
    CosineAngle,
    FENEBond,
    HarmonicAngle,
    HarmonicBond,
    HarmonicDihedral,
    PeriodicDihedral,
    TableAngle,
    TableBond,
    TableDihedral,
)
from regrain.particles.bspline import BSpline, BSplineAngle, BSplineBond, BSplineDihedral
from regrain.particles.charges import Ewald, ReactionField
from regrain.particles.dynamics import (
    NVE,
    Brownian,
    GeneralizedLangevin,
    Langevin,
    NoseHoover,
)
from regrain.particles.evaluation import Evaluation
from regrain.particles.flow import Shear
from regrain.particles.force_field import ForceField
from regrain.particles.fourier import FourierDihedral
from regrain.particles.melts import bead_spring, bead_spring_melt
from regrain.particles.neighbors import NeighborList, neighbor_list
from regrain.particles.network import Network
from regrain.particles.pair_potentials import (
    WCA,
    Gaussian,
    LennardJones,
    Soft,
    StillingerWeberPair,
    Yukawa,
)
from regrain.particles.potentials import Potential, Table
from regrain.particles.rigid import RigidBond
from regrain.particles.start import fcc
from regrain.particles.state import Particles, Topology
from regrain.particles.triples import BSplineTriple, StillingerWeber, TableTriple, TriplePotential

__all__ = [
    "NVE",
    "WCA",
    "BSpline",
    "BSplineAngle",
    "BSplineBond",
    "BSplineDihedral",
    "BSplineTriple",
    "Brownian",
    "CellRescale",
    "CosineAngle",
    "Evaluation",
    "Ewald",
    "FENEBond",
    "ForceField",
    "FourierDihedral",
    "Gaussian",
    "GeneralizedLangevin",
    "HarmonicAngle",
    "HarmonicBond",
    "HarmonicDihedral",
    "Langevin",
    "LennardJones",
    "NeighborList",
    "Network",
    "NoseHoover",
    "Particles",
    "PeriodicDihedral",
    "Potential",
    "ReactionField",
    "RigidBond",
    "Shear",
    "Soft",
    "StillingerWeber",
    "StillingerWeberPair",
    "Table",
    "TableAngle",
    "TableBond",
    "TableDihedral",
    "TableTriple",
    "Topology",
    "TriplePotential",
    "Yukawa",
    "bead_spring",
    "bead_spring_melt",
    "fcc",
    "neighbor_list",
]
