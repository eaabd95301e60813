"""The one error of the package, and the check for optional packages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType

__all__ = ["MissingPackageError", "RegrainError", "RegrainWarning", "need", "unknown"]


class RegrainError(ValueError):
    """Something given to regrain is wrong: what was given, what was expected, what to do."""


class RegrainWarning(UserWarning):
    """Something is left out that could be missed, and why; the rest goes on."""


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


def unknown(kind: str, given: object, known: Iterable[object]) -> RegrainError:
    """The error for a name that is none of those known; it shows the nearest of them.

    Examples
    --------
    >>> from regrain.errors import unknown
    >>> print(unknown("weights", "mas", ["mass", "geometric"]))
    weights: got 'mas', expected one of geometric, mass; did you mean 'mass'?
    """
    names = sorted({str(name) for name in known})
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    near = get_close_matches(str(given), names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return RegrainError(f"{kind}: got {given!r}, expected one of {shown}{hint}")
