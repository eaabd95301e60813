"""What every measurement gives: a number, or a function, with its error and where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from regrain.errors import RegrainError, need
from regrain.observables.text import number, table
from regrain.plotting import axes

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

__all__ = ["KINDS", "Estimate"]

Floats = NDArray[np.float64]

#: What an estimate can claim to be.
KINDS = ("exact", "estimate", "lower bound", "undefined")


class Estimate:
    """A measured value with its standard error, coordinates and origin. Immutable.

    Parameters
    ----------
    name : str
        What was measured.
    value : array_like
        Shape: the lengths of the coordinates, in their order; a scalar without any.
    error : array_like, optional
        Standard errors, one per value. ``None``: not known (say why in ``flags``).
    unit : str
        Symbol of the unit of the value, empty for pure numbers and reduced units.
    coords : mapping of str to sequence
        Name of each axis -> its labels (strings) or positions (numbers).
    coord_units : mapping of str to str
        Unit symbols of the axes that have one.
    n_eff : float, optional
        How many independent samples the value is worth.
    dof : array_like, optional
        Degrees of freedom of the error, for t-intervals; one or one per value. ``None``: the error
        itself is known exactly, the interval is normal.
    kind : str
        ``"exact"``, ``"estimate"``, ``"lower bound"`` or ``"undefined"``.
    tier : str
        What it was computed from: ``"T0"`` exact, ``"T1"`` densities known up to constants,
        ``"T2"`` samples, ``"T3"`` one long series; empty where the distinction says nothing.
    method, cite : str
        How it was computed, and the source.
    flags : sequence of str
        What a reader must know before believing the number.
    bounds : tuple of two array_like, optional
        (low, high) at 95 %, where the interval is not that of a t-distribution.

    Raises
    ------
    RegrainError
        Shapes that do not agree, numbers that are not finite, an unknown kind, a negative error.

    Examples
    --------
    >>> from regrain.observables import Estimate
    >>> density = Estimate("density", 33.4172, 0.0123, unit="1/nm^3", n_eff=80, dof=79)
    >>> density
    density = 33.417 ± 0.012 1/nm^3
    >>> low, high = density.interval(0.95)
    >>> print(f"{low:.3f} {high:.3f}")
    33.393 33.442
    >>> g = Estimate("g", [[0.0, 2.5, 1.0], [0.0, 1.5, 1.0]], [[0.0, 0.1, 0.05]] * 2,
    ...              coords={"pair": ["A-A", "A-B"], "r": [0.1, 0.3, 0.5]})
    >>> g.sel(pair="A-B", r=0.3).value.item()
    1.5
    >>> g
    g
        r          A-A          A-B
      0.1        0 ± 0        0 ± 0
      0.3    2.5 ± 0.1    1.5 ± 0.1
      0.5  1.00 ± 0.05  1.00 ± 0.05
    """

    __slots__ = (
        "_value",
        "bounds",
        "cite",
        "coord_units",
        "coords",
        "dof",
        "error",
        "flags",
        "kind",
        "method",
        "n_eff",
        "name",
        "tier",
        "unit",
    )

    def __init__(
        self,
        name: str,
        value: ArrayLike,
        error: ArrayLike | None = None,
        *,
        unit: str = "",
        coords: Mapping[str, Sequence[Any] | NDArray[Any]] | None = None,
        coord_units: Mapping[str, str] | None = None,
        n_eff: float | None = None,
        dof: ArrayLike | None = None,
        kind: str = "estimate",
        tier: str = "",
        method: str = "",
        cite: str = "",
        flags: Sequence[str] = (),
        bounds: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> None:
        if kind not in KINDS:
            raise RegrainError(f"{name}: kind {kind!r} is not one of {', '.join(KINDS)}")
        self.name, self.unit, self.kind, self.tier = name, unit, kind, tier
        self.method, self.cite = method, cite
        self.flags: tuple[str, ...] = tuple(flags)
        self.n_eff = None if n_eff is None else float(n_eff)
        self.coords: Mapping[str, NDArray[Any]] = MappingProxyType(
            {k: _read_only(np.asarray(v)) for k, v in (coords or {}).items()}
        )
        self.coord_units: Mapping[str, str] = MappingProxyType(dict(coord_units or {}))
        self._value = self._numbers("value", value)
        self.error = None if error is None else self._numbers("error", error)
        self.bounds = None if bounds is None else tuple(self._numbers("bound", b) for b in bounds)
        self.dof = None if dof is None else self._numbers("dof", dof, spread=True)
        if self.error is not None and np.any(self.error < 0):
            raise RegrainError(f"{name}: an error is negative; give standard errors of 0 or more")

    def _numbers(self, what: str, given: ArrayLike, *, spread: bool = False) -> Floats:
        shape = tuple(len(axis) for axis in self.coords.values())
        array = np.array(given, dtype=float)
        if spread and array.ndim == 0:
            array = np.full(shape, float(array))
        if self.kind != "undefined" and array.shape != shape:
            axes = ", ".join(self.coords) or "none"
            raise RegrainError(
                f"{self.name}: the {what} has shape {array.shape}, the coordinates ({axes}) ask "
                f"for {shape}"
            )
        if not np.all(np.isfinite(array)):
            raise RegrainError(
                f"{self.name}: the {what} is not finite; an estimate that cannot be made is "
                "Estimate.undefined(name, reason)"
            )
        return _read_only(array)

    @classmethod
    def undefined(cls, name: str, reason: str, **fields: Any) -> Estimate:
        """An estimate that does not exist, and why; its value cannot be read.

        Examples
        --------
        >>> from regrain.observables import Estimate
        >>> Estimate.undefined("pressure", "the trace holds no virial")
        pressure: undefined (the trace holds no virial)
        """
        flags = (reason, *fields.pop("flags", ()))
        fields.pop("coords", None)
        return cls(name, np.empty(0), kind="undefined", flags=flags, **fields)

    @property
    def defined(self) -> bool:
        """Whether there is a value."""
        return self.kind != "undefined"

    @property
    def value(self) -> Floats:
        """The value, an array with one axis per coordinate (no axis: a scalar).

        Raises
        ------
        RegrainError
            The estimate is undefined; the message says why.
        """
        if not self.defined:
            raise RegrainError(f"{self.name} is undefined: {self.flags[0]}")
        return self._value

    def __float__(self) -> float:
        if self.value.ndim:
            raise RegrainError(
                f"{self.name} is a function of {', '.join(self.coords)}; pick one value with .sel()"
            )
        return float(self.value)

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper end of the central confidence interval.

        Parameters
        ----------
        level : float
            Probability that the interval holds the true value.

        Raises
        ------
        RegrainError
            No value, no error, or a level that is not in (0, 1).
        """
        if not 0.0 < level < 1.0:
            raise RegrainError(f"level: got {level}, expected a probability such as 0.95")
        value = self.value
        if self.bounds is not None and level == 0.95:
            return self.bounds[0], self.bounds[1]
        if self.error is None:
            why = self.flags[0] if self.flags else "no error was given"
            raise RegrainError(f"{self.name} has no error bar: {why}")
        p = 0.5 + 0.5 * level
        factor = stats.norm.ppf(p) if self.dof is None else stats.t.ppf(p, self.dof)
        reach = np.asarray(factor * self.error)
        return value - reach, value + reach

    def sel(self, **chosen: Any) -> Estimate:
        """The estimate at a label, at the grid point nearest to a number, or in a slice of numbers.

        Examples
        --------
        >>> from regrain.observables import Estimate
        >>> line = Estimate("u", [3.0, 2.0, 1.0], coords={"r": [0.1, 0.2, 0.3]})
        >>> line.sel(r=0.21).value.item()
        2.0
        >>> line.sel(r=slice(0.15, None)).coords["r"].tolist()
        [0.2, 0.3]

        Raises
        ------
        RegrainError
            There is no such axis or label.
        """
        unknown = set(chosen) - set(self.coords)
        if unknown:
            raise RegrainError(
                f"{self.name} has no axis {', '.join(sorted(unknown))}; it has "
                f"{', '.join(self.coords) or 'none'}"
            )
        index = tuple(
            _index(self.name, axis, where, chosen[axis]) if axis in chosen else slice(None)
            for axis, where in self.coords.items()
        )
        kept = {
            axis: where[i]
            for (axis, where), i in zip(self.coords.items(), index, strict=True)
            if not isinstance(i, int)
        }

        def pick(array: Floats | None) -> Floats | None:
            return None if array is None else np.asarray(array[index])

        fields = self._fields()
        fields.update(value=pick(self.value), error=pick(self.error), dof=pick(self.dof))
        if self.bounds is not None:
            fields["bounds"] = (pick(self.bounds[0]), pick(self.bounds[1]))
        fields["coords"] = kept
        fields["coord_units"] = {k: v for k, v in self.coord_units.items() if k in kept}
        labels = [f"{v}" for v in chosen.values() if isinstance(v, str)]
        fields["name"] = " ".join([self.name, *labels])
        return Estimate(**fields)

    def replace(self, **changes: Any) -> Estimate:
        """A copy with some attributes changed."""
        return Estimate(**{**self._fields(), **changes})

    def _fields(self) -> dict[str, Any]:
        names = (name.removeprefix("_") for name in self.__slots__)
        return {name: self._value if name == "value" else getattr(self, name) for name in names}

    def __reduce__(self) -> tuple[Any, ...]:
        return Estimate.from_dict, (self.to_dict(),)  # its read-only mappings know no pickle

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain Python lists, strings and numbers: JSON-able, exact."""

        def plain(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                return value.tolist()
            if isinstance(value, Mapping):
                return {k: plain(v) for k, v in value.items()}
            if isinstance(value, tuple):
                return [plain(v) for v in value]
            return value

        return {k: plain(v) for k, v in self._fields().items()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Estimate:
        """The estimate that ``to_dict`` wrote.

        Examples
        --------
        >>> from regrain.observables import Estimate
        >>> Estimate.from_dict(Estimate("T", 300.2, 0.4, unit="K").to_dict())
        T = 300.2 ± 0.4 K
        """
        return cls(**fields)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        notes = "".join(f"\n  ! {flag}" for flag in self.flags)
        if not self.defined:
            return f"{self.name}: undefined ({'; '.join(self.flags)})"
        kind = "" if self.kind == "estimate" else f" ({self.kind})"
        unit = f" {self.unit}" if self.unit else ""
        if not self.coords:
            error = None if self.error is None else float(self.error)
            return f"{self.name} = {number(float(self.value), error)}{unit}{kind}{notes}"
        head = f"{self.name}{f' / {self.unit}' if self.unit else ''}{kind}"
        return f"{head}\n{table(self.coords, self.coord_units, self.value, self.error)}{notes}"

    def plot(self, ax: Axes | None = None, **style: Any) -> Axes:
        """Draw the value with a band of one standard error; one line per label.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when omitted.
        **style
            Passed on to ``Axes.plot`` or ``Axes.errorbar``.

        Returns
        -------
        Axes

        Raises
        ------
        MissingPackageError
            matplotlib is not installed.
        """
        ax = axes(ax)
        numeric = [k for k, where in self.coords.items() if where.dtype.kind in "fiu"]
        if not numeric:
            labels = ["-".join(map(str, k)) for k in _labels(list(self.coords.values()))]
            ax.errorbar(
                np.arange(self.value.size),
                self.value.ravel(),
                None if self.error is None else self.error.ravel(),
                **{"fmt": "o", "capsize": 3, "label": self.name, **style},
            )
            ax.set_xticks(np.arange(self.value.size), labels or [self.name])
        else:
            self._plot_lines(ax, numeric[-1], style)
        ax.set_ylabel(f"{self.name} / {self.unit}" if self.unit else self.name)
        return ax

    def _plot_lines(self, ax: Axes, along: str, style: dict[str, Any]) -> None:
        axis = list(self.coords).index(along)
        x = self.coords[along]
        others = [where for k, where in self.coords.items() if k != along]
        lines = np.moveaxis(self.value, axis, -1).reshape(-1, len(x))
        bands = (
            None if self.error is None else np.moveaxis(self.error, axis, -1).reshape(-1, len(x))
        )
        for k, label in enumerate(_labels(others)):
            text = " ".join(map(str, label)) or self.name
            (line,) = ax.plot(x, lines[k], **{"label": text, **style})
            if bands is not None:
                low, high = lines[k] - bands[k], lines[k] + bands[k]
                ax.fill_between(x, low, high, color=line.get_color(), alpha=0.3, linewidth=0)
        unit = self.coord_units.get(along, "")
        ax.set_xlabel(f"{along} / {unit}" if unit else along)
        if len(lines) > 1:
            ax.legend()

    def to_xarray(self) -> xarray.Dataset:
        """Value and error as a labelled data set.

        Raises
        ------
        MissingPackageError
            xarray is not installed.
        """
        xr = need("xarray", extra="xarray", purpose="a labelled data set")
        dims = tuple(self.coords)
        columns = {"value": (dims, self.value)}
        if self.error is not None:
            columns["error"] = (dims, self.error)
        attrs = {"name": self.name, "unit": self.unit, "kind": self.kind, "method": self.method}
        coords = {k: (k, v) for k, v in self.coords.items()}
        data = xr.Dataset(columns, coords=coords, attrs={**attrs, "flags": list(self.flags)})
        for axis, unit in self.coord_units.items():
            data[axis].attrs["unit"] = unit
        return cast("xarray.Dataset", data)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array = np.array(array)
    array.flags.writeable = False
    return array


def _labels(axes: list[NDArray[Any]]) -> list[tuple[Any, ...]]:
    """All combinations of the entries of some axes, the last running fastest."""
    combos: list[tuple[Any, ...]] = [()]
    for axis in axes:
        combos = [(*c, entry) for c in combos for entry in axis.tolist()]
    return combos


def _index(name: str, axis: str, where: NDArray[Any], wanted: Any) -> int | NDArray[np.intp]:
    if isinstance(wanted, slice):
        low = -np.inf if wanted.start is None else wanted.start
        high = np.inf if wanted.stop is None else wanted.stop
        return np.flatnonzero((where >= low) & (where <= high))
    if where.dtype.kind in "fiu" and isinstance(wanted, int | float | np.number):
        return int(np.argmin(np.abs(where - float(wanted))))
    found = np.flatnonzero(where == wanted)
    if found.size == 0:
        raise RegrainError(
            f"{name}: {axis} has no {wanted!r}; it has {', '.join(map(str, where.tolist()[:20]))}"
        )
    return int(found[0])
