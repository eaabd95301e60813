"""Named measurements on a trace, each an Estimate with an error bar."""

from regrain.observables.estimate import Estimate
from regrain.observables.observable import (
    Average,
    Measurement,
    Observable,
    Plan,
    Undefined,
    measure,
)
from regrain.observables.rdf import RDF
from regrain.observables.thermo import Density

__all__ = [
    "RDF",
    "Average",
    "Density",
    "Estimate",
    "Measurement",
    "Observable",
    "Plan",
    "Undefined",
    "measure",
]
