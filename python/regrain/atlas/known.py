"""Numbers that know where they come from, and systems as collections of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import floor, inf, isfinite, log10
from typing import Any, NoReturn

from regrain.errors import RegrainError, unknown

__all__ = ["Known", "System", "Systems", "exact", "published"]


class Known(float):
    """A number with its source; calculates like a float, prints what it is. Immutable.

    Results of calculations are plain floats.

    Parameters
    ----------
    value : float
    error : float
        Standard error, or half the width of what is proven; 0: exact.
    formula : str
        Where the number comes from, as in "ln(1 + √2)/2".
    source : str
        Who found it.

    Attributes
    ----------
    error, formula, source

    Raises
    ------
    RegrainError
        A value or an error that is not finite, or a negative error.

    Examples
    --------
    >>> from regrain.atlas import Known, ising_square
    >>> ising_square.nu
    1 (exact) [L. Onsager, Phys. Rev. 65, 117 (1944)]
    >>> ising_square.nu + 1
    2.0
    >>> Known(0.75, error=0.02, source="a measurement")
    0.75(2) [a measurement]
    """

    __slots__ = ("error", "formula", "source")
    error: float
    formula: str
    source: str

    def __new__(
        cls, value: float, *, error: float = 0.0, formula: str = "", source: str = ""
    ) -> Known:
        made = super().__new__(cls, value)
        if not (isfinite(made) and isfinite(error) and error >= 0):
            raise RegrainError(f"a known number is finite, as is its error; got {value} ± {error}")
        for name, item in (("error", float(error)), ("formula", formula), ("source", source)):
            object.__setattr__(made, name, item)
        return made

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a known number does not change; {name} cannot be set")

    def __reduce__(self) -> tuple[Any, ...]:
        return _known, (float(self), self.error, self.formula, self.source)

    @property
    def is_exact(self) -> bool:
        """Whether it is known without an error."""
        return self.error == 0.0

    @property
    def text(self) -> str:
        """The value, with the error of its last digits in brackets."""
        if self.is_exact:
            return f"{float(self):.15g}"
        digits = 1 - floor(log10(self.error))
        if round(self.error * 10**digits) % 10 == 0:  # 0.10 says no more than 0.1
            digits -= 1
        if digits < 1:
            return f"{float(self):.0f}({self.error:.0f})"
        return f"{float(self):.{digits}f}({round(self.error * 10**digits)})"

    def __repr__(self) -> str:
        words = [self.text]
        if self.formula and self.formula != self.text:
            words.append(f"= {self.formula}")
        if self.is_exact:
            words.append("(exact)")
        return " ".join(words) + (f" [{self.source}]" if self.source else "")

    __str__ = __repr__


def _known(value: float, error: float, formula: str, source: str) -> Known:
    return Known(value, error=error, formula=formula, source=source)


def exact(value: float, source: str, formula: str = "") -> Known:
    """An exact number.

    Examples
    --------
    >>> from regrain.atlas.known import exact
    >>> exact(15 / 8, "a proof", "15/8")
    1.875 = 15/8 (exact) [a proof]
    """
    return Known(value, formula=formula, source=source)


def published(text: str, source: str, formula: str = "") -> Known:
    """A number as papers print it, with the error of the last digits in brackets.

    Raises
    ------
    RegrainError
        A text that is none.

    Examples
    --------
    >>> from regrain.atlas.known import published
    >>> published("0.221654626(5)", "a simulation").error
    5e-09
    """
    found = re.fullmatch(r"(-?\d+(?:\.(\d+))?)\((\d+)\)", text)
    if found is None:
        raise RegrainError(f"got {text!r}; expected a number with its error such as '0.2216(5)'")
    error = int(found[3]) * 10.0 ** -len(found[2] or "")
    return Known(float(found[1]), error=float(f"{error:.6g}"), formula=formula, source=source)


class System:
    """What is known of one system: numbers as attributes, functions as methods; prints a table.

    Examples
    --------
    >>> import regrain as rg
    >>> print(rg.atlas.ising_square)
    Ising model on the square lattice
      K_c ...
    >>> rg.atlas.ising_square.numbers["eta"]
    0.25 = 1/4 (exact) ...
    """

    __slots__ = ()
    title: str = ""

    @property
    def numbers(self) -> dict[str, Known]:
        """All numbers by their names, in the order of their definition."""
        names = dict.fromkeys(
            name for kind in type(self).__mro__ for name in vars(kind) if name[0] != "_"
        )
        names.pop("numbers", None)
        found = {name: getattr(self, name, None) for name in names}
        return {name: value for name, value in found.items() if isinstance(value, Known)}

    def __str__(self) -> str:
        rows = [
            (
                name,
                value.text,
                value.formula or ("" if value.error else "exact"),
                value.source,
            )
            for name, value in self.numbers.items()
        ]
        widths = [max((len(row[k]) for row in rows), default=0) for k in range(3)]
        lines = [
            "  " + "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3]])
            for row in rows
        ]
        return "\n".join([self.title, *lines])

    __repr__ = __str__


class Systems(Mapping[str, Any]):
    """The systems of the atlas by name; prints as a list of them.

    Examples
    --------
    >>> import regrain as rg
    >>> print(rg.atlas.systems)
      ising_chain ...
    >>> rg.atlas.systems["ising_square"] is rg.atlas.ising_square
    True
    """

    def __init__(self, systems: Mapping[str, Any]) -> None:
        self._systems = dict(systems)

    def __getitem__(self, name: str) -> Any:
        if name not in self._systems:
            raise _MissingError(str(unknown("system", name, self._systems)))
        return self._systems[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._systems)

    def __len__(self) -> int:
        return len(self._systems)

    def __str__(self) -> str:
        shown = [
            (
                (name, value.title, ", ".join(value.numbers))
                if isinstance(value, System)
                else (f"{name}(q)", (value.__doc__ or "").splitlines()[0].rstrip("."), "")
            )
            for name, value in self._systems.items()
        ]
        widths = [max(len(row[k]) for row in shown) for k in range(2)]
        return "\n".join(
            f"  {a.ljust(widths[0])}  {b.ljust(widths[1])}  {c}".rstrip() for a, b, c in shown
        )

    __repr__ = __str__


class _MissingError(RegrainError, KeyError):
    """A name that is not there, for those who expect either error."""

    __str__ = ValueError.__str__


def coupling(value: float, name: str = "coupling", *, least: float = -100.0) -> float:
    """A reduced coupling K = J/kT that formulas can stand.

    Raises
    ------
    RegrainError
        It is not a number, below ``least``, or beyond 100, where a system is in its ground state
        to all digits of a float and formulas overflow.

    Examples
    --------
    >>> from regrain.atlas.known import coupling
    >>> coupling(0.5)
    0.5
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = inf
    if not isfinite(number) or number < least or number > 100.0:
        raise RegrainError(
            f"{name} is {value!r}; give a reduced coupling J/kT between {least:g} and 100"
        )
    return number
