"""Coarse models from traces: forms and a target in, a model with its history and errors out."""

from regrain.fits.bonded_terms.bonded_forms import BondedForms
from regrain.fits.forces.force_matching import ForceMatching
from regrain.fits.forces.force_matching_result import ForceMatchingResult
from regrain.fits.forms import Free
from regrain.fits.relative_entropy.entropy import RelativeEntropy
from regrain.fits.renormalization.cumulant import Cumulant
from regrain.fits.renormalization.decimation import BlockChain, Decimation
from regrain.fits.renormalization.fixed_point import FixedPoint, FixedPoints
from regrain.fits.renormalization.flow import Flow
from regrain.fits.renormalization.migdal_kadanoff import MigdalKadanoff
from regrain.fits.renormalization.momentum_shell import MomentumShell
from regrain.fits.renormalization.result import Renormalized
from regrain.fits.springs.elastic import ElasticNetwork
from regrain.fits.states import StatePoint
from regrain.fits.structural.boltzmann import BoltzmannInversion
from regrain.fits.structural.hncgn import HNCGN
from regrain.fits.structural.ibi import IBI
from regrain.fits.structural.imc import IMC
from regrain.fits.structural.loop import StructureFit
from regrain.fits.structural.result import History, Result
from regrain.fits.tensor_networks.hotrg import HOTRG
from regrain.fits.tensor_networks.loop_tnr import LoopTNR
from regrain.fits.tensor_networks.result import TensorResult
from regrain.fits.tensor_networks.trg import TRG
from regrain.fits.top_down.target import Target

__all__ = [
    "HNCGN",
    "HOTRG",
    "IBI",
    "IMC",
    "TRG",
    "BlockChain",
    "BoltzmannInversion",
    "BondedForms",
    "Cumulant",
    "Decimation",
    "ElasticNetwork",
    "FixedPoint",
    "FixedPoints",
    "Flow",
    "ForceMatching",
    "ForceMatchingResult",
    "Free",
    "History",
    "LoopTNR",
    "MigdalKadanoff",
    "MomentumShell",
    "RelativeEntropy",
    "Renormalized",
    "Result",
    "StatePoint",
    "StructureFit",
    "Target",
    "TensorResult",
]
