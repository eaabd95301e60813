"""Spins on lattices: their state, their models, their dynamics."""

from regrain.lattice.couplings import Coupling, Term
from regrain.lattice.geometry import Geometry
from regrain.lattice.model import LatticeModel, model_from_dict
from regrain.lattice.models import XY, BlumeCapel, Clock, Ising, Potts
from regrain.lattice.state import SpinFrames, Spins

__all__ = [
    "XY",
    "BlumeCapel",
    "Clock",
    "Coupling",
    "Geometry",
    "Ising",
    "LatticeModel",
    "Potts",
    "SpinFrames",
    "Spins",
    "Term",
    "model_from_dict",
]
