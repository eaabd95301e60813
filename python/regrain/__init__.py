"""Choose the grain. Keep the physics. Know what you lost.

The names of the public vocabulary are loaded at their first use, so that ``import regrain`` costs
nothing, and finding the C++ package of an installed regrain does not load its core.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regrain import (
        atlas,
        engines,
        errors,
        fits,
        io,
        lattice,
        maps,
        observables,
        particles,
        report,
        trace,
        units,
    )
    from regrain._core import __version__
    from regrain.errors import RegrainError
    from regrain.io import export, load, save
    from regrain.observables import Estimate
    from regrain.report import Report, compare, transfer
    from regrain.trace import Trace

# The modules are their own home; where each of the other names lives is said below.
__all__ = [
    "Estimate",
    "RegrainError",
    "Report",
    "Trace",
    "__version__",
    "atlas",
    "compare",
    "engines",
    "errors",
    "export",
    "fits",
    "io",
    "lattice",
    "load",
    "maps",
    "observables",
    "particles",
    "report",
    "save",
    "trace",
    "transfer",
    "units",
]

_HOMES = {
    "Estimate": "regrain.observables",
    "RegrainError": "regrain.errors",
    "Report": "regrain.report",
    "Trace": "regrain.trace",
    "__version__": "regrain._core",
    "compare": "regrain.report",
    "export": "regrain.io",
    "load": "regrain.io",
    "save": "regrain.io",
    "transfer": "regrain.report",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value: object = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    if not name.startswith("_"):
        try:
            return import_module(f"regrain.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"regrain.{name}":
                raise
    raise AttributeError(f"module 'regrain' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
