"""What the settings of particles have in common: their numbers are plain ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import index
from typing import Any

from regrain.errors import RegrainError

__all__ = ["plain_numbers"]

_PLAIN: dict[str, tuple[Callable[[Any], float], str]] = {
    "float": (float, "a number"),
    "int": (index, "a whole number"),
}


def plain_numbers(settings: Any) -> None:
    """Make the numbers of a dataclass those of Python: NumPy's have another text and no JSON.

    Raises
    ------
    RegrainError
        A parameter that is no number, or not a whole one where one is needed.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles import HarmonicBond
    >>> HarmonicBond(k=np.float64(2), r0=1)
    HarmonicBond(k=2.0, r0=1.0)
    """
    for field in fields(settings):
        kind = str(field.type).removesuffix(" | None")
        value = getattr(settings, field.name)
        if kind not in _PLAIN or value is None:
            continue
        convert, wanted = _PLAIN[kind]
        try:
            object.__setattr__(settings, field.name, convert(value))
        except (TypeError, ValueError) as error:
            raise RegrainError(
                f"{type(settings).__name__}: {field.name} is {value!r}, expected {wanted}"
            ) from error
