"""The one error of the package, and the check for optional packages."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__all__ = ["MissingPackageError", "RegrainError", "need"]


class RegrainError(ValueError):
    """Something given to regrain is wrong: what was given, what was expected, what to do."""


class MissingPackageError(RegrainError, ImportError):
    """A feature was asked for whose optional package is not installed."""


def need(package: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional package, or say which extra brings it.

    Parameters
    ----------
    package : str
        Name of the module to import.
    extra : str
        The extra of this project that installs it.
    purpose : str
        What it is needed for, as in "reading trajectories".

    Raises
    ------
    MissingPackageError
        The package is not installed.

    Examples
    --------
    >>> from regrain.errors import need
    >>> need("json", extra="io", purpose="an example").__name__
    'json'
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != package.split(".")[0]:
            raise
        raise MissingPackageError(
            f'{purpose} needs the package {package}: pip install "regrain[{extra}]"'
        ) from error
