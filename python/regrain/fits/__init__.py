"""Coarse models from traces: forms and a target in, a model with its history and errors out."""

from regrain.fits.boltzmann import BoltzmannInversion
from regrain.fits.bonded_forms import BondedForms
from regrain.fits.elastic import ElasticNetwork
from regrain.fits.entropy import RelativeEntropy
from regrain.fits.force_matching import ForceMatching
from regrain.fits.force_matching_result import ForceMatchingResult
from regrain.fits.forms import Free
from regrain.fits.hncgn import HNCGN
from regrain.fits.ibi import IBI
from regrain.fits.imc import IMC
from regrain.fits.loop import StructureFit
from regrain.fits.result import History, Result
from regrain.fits.states import StatePoint
from regrain.fits.target import Target

__all__ = [
    "HNCGN",
    "IBI",
    "IMC",
    "BoltzmannInversion",
    "BondedForms",
    "ElasticNetwork",
    "ForceMatching",
    "ForceMatchingResult",
    "Free",
    "History",
    "RelativeEntropy",
    "Result",
    "StatePoint",
    "StructureFit",
    "Target",
]
