"""Particles: their state, their force fields, their dynamics."""

from regrain.particles.barostats import CellRescale
from regrain.particles.bias import FormulaBias, Restraint
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
from regrain.particles.collective_variables import (
    Angle,
    Coordination,
    Dihedral,
    Distance,
    EndToEnd,
    Position,
    RadiusOfGyration,
)
from regrain.particles.dynamics import (
    NVE,
    Brownian,
    GeneralizedLangevin,
    Langevin,
    NoseHoover,
)
from regrain.particles.evaluation import Evaluation
from regrain.particles.external import Field, FieldTable
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
from regrain.particles.pairwise import DPD, LoweAndersen
from regrain.particles.potentials import Potential, Table
from regrain.particles.rigid import RigidBond
from regrain.particles.scale_14 import Scale14
from regrain.particles.srd import SRD, MPCAndersen
from regrain.particles.srd_theory import SolventTheory
from regrain.particles.start import fcc
from regrain.particles.state import Particles, Topology
from regrain.particles.triples import BSplineTriple, StillingerWeber, TableTriple, TriplePotential
from regrain.particles.walls import (
    BounceBackWall,
    HarmonicWall,
    LennardJonesWall,
    ReflectingWall,
)

__all__ = [
    "DPD",
    "NVE",
    "SRD",
    "WCA",
    "Angle",
    "BSpline",
    "BSplineAngle",
    "BSplineBond",
    "BSplineDihedral",
    "BSplineTriple",
    "BounceBackWall",
    "Brownian",
    "CellRescale",
    "Coordination",
    "CosineAngle",
    "Dihedral",
    "Distance",
    "EndToEnd",
    "Evaluation",
    "Ewald",
    "FENEBond",
    "Field",
    "FieldTable",
    "ForceField",
    "FormulaBias",
    "FourierDihedral",
    "Gaussian",
    "GeneralizedLangevin",
    "HarmonicAngle",
    "HarmonicBond",
    "HarmonicDihedral",
    "HarmonicWall",
    "Langevin",
    "LennardJones",
    "LennardJonesWall",
    "LoweAndersen",
    "MPCAndersen",
    "NeighborList",
    "Network",
    "NoseHoover",
    "Particles",
    "PeriodicDihedral",
    "Position",
    "Potential",
    "RadiusOfGyration",
    "ReactionField",
    "ReflectingWall",
    "Restraint",
    "RigidBond",
    "Scale14",
    "Shear",
    "Soft",
    "SolventTheory",
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
