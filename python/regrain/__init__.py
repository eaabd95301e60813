"""Choose the grain. Keep the physics. Know what you lost.

The names of the public vocabulary are loaded at their first use, so that ``import regrain`` costs
nothing, and finding the C++ package of an installed regrain does not load its core.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regrain._core import __version__
    from regrain.errors import RegrainError

__all__ = ["RegrainError", "__version__"]

# Where each name lives; a module of the package is its own home and is not listed.
_HOMES = {
    "RegrainError": "regrain.errors",
    "__version__": "regrain._core",
}
_MODULES = frozenset({"errors"})


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value: object = getattr(import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = import_module(f"regrain.{name}")
    else:
        raise AttributeError(f"module 'regrain' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES})
