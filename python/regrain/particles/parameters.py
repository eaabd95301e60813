"""What the parts of a force field have in common: plain numbers, text and data of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from operator import index
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError

__all__ = ["Law", "floats", "law_from_dict", "number", "plain_numbers", "positive", "whole_numbers"]

_LAWS: dict[str, type[Law]] = {}

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
        if kind not in _PLAIN or (value is None and kind != field.type):
            continue
        what = f"{type(settings).__name__}: {field.name}"
        object.__setattr__(settings, field.name, number(what, value, kind))


def number(what: str, value: Any, kind: str = "float") -> Any:
    """A number of Python, ``float`` or ``int``, from anything that is one.

    Raises
    ------
    RegrainError
        It is no number, or not a whole one where one is needed.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.particles.parameters import number
    >>> number("cells", np.int64(3), "int")
    3
    """
    convert, wanted = _PLAIN[kind]
    try:
        return convert(value)
    except (TypeError, ValueError) as error:
        raise RegrainError(f"{what} is {value!r}, expected {wanted}") from error


def floats(what: str, given: Any, expected: str) -> NDArray[np.float64]:
    """An array of numbers from anything that is one.

    Raises
    ------
    RegrainError
        Something in it is no number, or rows have different lengths.

    Examples
    --------
    >>> from regrain.particles.parameters import floats
    >>> floats("energy", [1, 2], "numbers")
    array([1., 2.])
    """
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise RegrainError(f"{what}: got {_cut(given)}, expected {expected}") from error


def whole_numbers(what: str, given: Any, expected: str) -> NDArray[np.int32]:
    """An array of whole numbers, also from floats that are whole.

    Raises
    ------
    RegrainError
        Something in it is no whole number or has more than 32 bits, or rows have different lengths.

    Examples
    --------
    >>> from regrain.particles.parameters import whole_numbers
    >>> whole_numbers("bonds", [(0, 1.0)], "pairs").tolist()
    [[0, 1]]
    """
    try:
        array = np.asarray(given)
        if array.dtype == np.int32:
            return array
        plain = array.astype(float)
        good = np.abs(plain) < 2**31
        if array.dtype.kind in "iufb" and np.all(good) and np.all(plain == np.rint(plain)):
            return array.astype(np.int32)
    except (TypeError, ValueError):
        pass
    raise RegrainError(f"{what}: got {_cut(given)}, expected {expected}")


def _cut(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else text[:57] + "..."


def positive(settings: Any, *names: str) -> None:
    """See that some numbers of a dataclass are positive.

    Raises
    ------
    RegrainError
        One is not.

    Examples
    --------
    >>> from regrain.particles import Langevin
    >>> from regrain.particles.parameters import positive
    >>> positive(Langevin(friction=1.0), "friction")
    """
    for name in names:
        value = getattr(settings, name)
        if not (np.isfinite(value) and value > 0):
            raise RegrainError(f"{settings!r}: {name} must be a positive number")


class Law:
    """A part of a force field that is known by its parameters. Immutable.

    The base of all potentials and of all that stands in a `ForceField` as an object; each is a
    frozen dataclass whose ``repr`` is its constructor call, and whose parameters, under their
    names, are its data. They are equal when their parameters are.

    Examples
    --------
    >>> from regrain.particles import HarmonicBond
    >>> from regrain.particles.parameters import Law
    >>> isinstance(HarmonicBond(k=2.0, r0=1.0), Law)
    True
    """

    #: Parameters that are numbers to be fitted; without them it is a form.
    fitted: ClassVar[tuple[str, ...]] = ("energy", "coefficients")
    #: Parameters that the energy is proportional to, all of those that are there together.
    strengths: ClassVar[tuple[str, ...]] = ("epsilon", "k", "energy", "forces", "coefficients")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _LAWS[cls.__name__] = cls

    def __post_init__(self) -> None:
        plain_numbers(self)
        self._check()

    def _check(self) -> None:
        """An error for parameters that make no law."""

    def _engine(self) -> Any:
        """What the core has of it."""
        raise NotImplementedError

    @property
    def missing(self) -> str | None:
        """Which parameter is still to be fitted, if it is a form and not yet a law."""
        return next((name for name in self.fitted if getattr(self, name, 0) is None), None)

    def scaled(self, factor: float) -> Self:
        """The same law with all energies times a factor.

        Raises
        ------
        RegrainError
            It has no parameter that its energies are proportional to, or none yet.

        Examples
        --------
        >>> from regrain.particles import HarmonicBond
        >>> HarmonicBond(k=2.0, r0=1.0).scaled(1.5)
        HarmonicBond(k=3.0, r0=1.0)
        """
        names = [f.name for f in fields(self) if f.name in self.strengths]  # type: ignore[arg-type]
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if not given:
            raise RegrainError(
                f"{self!r} cannot be scaled: it has no {', '.join(names) or 'strength'} of its own"
            )
        changed = {name: float(factor) * np.asarray(value) for name, value in given.items()}
        return replace(self, **changed)  # type: ignore[type-var]

    def reversed(self) -> Self:
        """What it is when its types are read the other way round; itself if that is the same."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """The parameters under their names, and the name of the potential: JSON-able."""
        content: dict[str, Any] = {"potential": type(self).__name__}
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            content[field.name] = value.tolist() if isinstance(value, np.ndarray) else value
        return content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Law) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict(), sort_keys=True))

    def __repr__(self) -> str:
        shown = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.default is not MISSING and value is field.default:
                continue
            shown.append(f"{field.name}={_short(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _positive(self, *names: str) -> None:
        positive(self, *names)

    def _finite(self, *names: str) -> None:
        for name in names:
            if not np.isfinite(getattr(self, name)):
                raise RegrainError(f"{self!r}: {name} must be a finite number")


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return np.array2string(value, threshold=8, edgeitems=2, separator=", ")
    return repr(value)


def law_from_dict(content: Mapping[str, Any]) -> Any:
    """The potential that ``to_dict`` of it gave.

    Raises
    ------
    RegrainError
        An unknown potential, or parameters that do not belong to it.

    Examples
    --------
    >>> from regrain.particles import HarmonicBond
    >>> from regrain.particles.parameters import law_from_dict
    >>> law_from_dict(HarmonicBond(k=2.0, r0=1.0).to_dict())
    HarmonicBond(k=2.0, r0=1.0)
    """
    parameters = dict(content)
    name = parameters.pop("potential", None)
    if name not in _LAWS:
        raise RegrainError(f"unknown potential {name!r}; known are {', '.join(sorted(_LAWS))}")
    try:
        return _LAWS[name](**parameters)
    except TypeError as error:
        raise RegrainError(f"{name} does not have these parameters: {error}") from error
