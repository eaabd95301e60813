"""What the user knows of the fine model that its trace does not tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regrain.errors import RegrainError
from regrain.observables import Estimate
from regrain.report.rows import Check

# Names that are not those of observables.
FACTS = ("wall_time", "temperature")


class Known:
    """Values by name (of any case), checked when given, and which of them were used.

    Raises
    ------
    RegrainError
        A value that is neither ``(value, error)``, nor numbers, nor an Estimate; a name that no
        observable has, as far as all of them tell their names.
    """

    def __init__(self, given: Mapping[str, Any] | None, observables: Sequence[Any]) -> None:
        self.values = {name.lower(): _pair(name, value) for name, value in (given or {}).items()}
        self.used: set[str] = set()
        self.facts = {
            name: _positive(name, self.values[name]) for name in FACTS if name in self.values
        }
        names = [getattr(observable, "name", None) for observable in observables]
        bases = sorted(str(name).lower() for name in names)
        wrong = [k for k in sorted(self.values) if k not in FACTS and not _is_of(k, bases)]
        if wrong and None not in names:
            raise RegrainError(
                f"known: no observable is called {', '.join(wrong)}; there are "
                f"{', '.join(bases)}, and {', '.join(FACTS)}"
            )

    def replace(self, name: str, base: str | None, fine: Estimate, coarse: Estimate) -> Estimate:
        """The fine estimate of a row, or what is known instead of it.

        Parameters
        ----------
        name : str
            Of the row: that of the observable, with labels.
        base : str, optional
            Name of the observable, where it alone says which row is meant.
        """
        for key in dict.fromkeys((name.lower(), (base or name).lower())):
            if key in self.values:
                self.used.add(key)
                return _shaped(name, self.values[key], coarse if coarse.defined else fine)
        return fine

    def check(self) -> list[Check]:
        """Fails where something that was given belongs to no row."""
        idle = sorted(set(self.values) - self.used - set(FACTS))
        if not idle:
            return []
        return [Check("known", False, f"no row is called {', '.join(idle)}")]


def _is_of(key: str, bases: Sequence[str]) -> bool:
    """Whether a key is the name of an observable, or of one of its rows."""
    return any(key == base or key.startswith(f"{base} ") for base in bases)


def _pair(name: str, given: Any) -> Estimate | tuple[Any, Any]:
    if isinstance(given, Estimate):
        return given
    # A settings file has lists for tuples.
    is_pair = isinstance(given, tuple) or (isinstance(given, list) and len(given) == 2)
    pair = given if is_pair else (given, None)
    try:
        value, error = pair
        numbers = [np.asarray(v, dtype=float) for v in (value, error) if v is not None]
        good = all(np.all(np.isfinite(v)) for v in numbers) and value is not None
        if not good or (error is not None and np.any(numbers[1] < 0)):
            raise ValueError
    except (TypeError, ValueError):
        raise RegrainError(
            f"known[{name!r}]: got {given!r}, expected (value, error) with an error of 0 or more, "
            "a finite number, or an Estimate"
        ) from None
    return value, error


def _positive(name: str, given: Estimate | tuple[Any, Any]) -> float:
    value = given.value if isinstance(given, Estimate) else given[0]
    if np.ndim(value) or not float(value) > 0:
        raise RegrainError(f"known[{name!r}]: got {value!r}, expected a positive number")
    return float(value)


def _shaped(name: str, given: Estimate | tuple[Any, Any], like: Estimate) -> Estimate:
    """What was given, with the unit and the coordinates of what was measured."""
    if isinstance(given, Estimate):
        return given
    try:
        return Estimate(
            name,
            *given,
            unit=like.unit,
            coords=like.coords,
            coord_units=like.coord_units,
            flags=["given, not measured here"],
        )
    except RegrainError as error:
        return Estimate.undefined(name, f"what is known does not fit: {error}")
