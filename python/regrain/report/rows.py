"""The parts a report is made of, the same for every kind of loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from regrain.errors import RegrainError
from regrain.observables import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SLOTS", "Check", "History", "Row", "Section", "Source"]

#: The questions a report can answer, in the order they are printed: slot -> title.
SLOTS: Mapping[str, str] = {
    "resolution": "Resolution: what the map forgets",
    "kept": "Kept: information about the future",
    "reconstruction": "Reconstruction: what a backmapper must invent",
    "static": "Static model: the distribution of states",
    "memory": "Memory: what the past still tells",
    "mismatch": "Dynamic mismatch: wrong rates",
    "irreversibility": "Irreversibility: dissipation seen and hidden",
    "observables": "Observables",
    "transfer": "Transfer: use at another state point",
    "cost": "Cost and clock",
    "validity": "Validity: separation of scales",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One quantity on the fine side, on the coarse side, and what their difference costs.

    Either side may be missing: the memory of a coarse process has no fine partner. ``losses`` are
    scalar estimates, each named after a measure of the difference; the slots of a report differ in
    which measures they use, not in shape.

    Parameters
    ----------
    name : str
        What is compared; unique in its section.
    fine, coarse : Estimate, optional
        The quantity on both sides, undefined (with the reason) where it cannot be had.
    losses : sequence of Estimate
        Measures of the difference: ``"difference"``, ``"sigmas"``, ``"rms"``, ``"ratio"``,
        ``"memory"``, ...
    p : float, optional
        Probability of a difference like this one, were there none; what Holm's correction of the
        report works on.
    within : mapping of str to pair
        Name of a loss -> (lowest, highest) value it can have, ``None`` where open: a violation by
        more than three standard errors fails the report's self-check.
    flags : sequence of str
        What a reader must know before believing the row.
    at : mapping of str to str or float
        For a row that is not of the state point or the model of the report: its ``"quantity"``,
        ``"temperature"``, that in words (``"where"``), ``"model"``. Rows of one quantity become one
        figure.

    Raises
    ------
    RegrainError
        A loss that is not a scalar, two losses of one name, or a p-value outside [0, 1].

    Examples
    --------
    >>> from regrain.observables import Estimate
    >>> from regrain.report import Row
    >>> row = Row(name="memory", losses=[Estimate("M", 0.12, 0.01, unit="nats")],
    ...           within={"M": (0.0, None)})
    >>> row["M"]
    M = 0.12 ± 0.01 nats
    """

    name: str
    fine: Estimate | None = None
    coarse: Estimate | None = None
    losses: Sequence[Estimate] = ()
    p: float | None = None
    within: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    flags: Sequence[str] = ()
    at: Mapping[str, str | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "losses", tuple(self.losses))
        object.__setattr__(self, "flags", tuple(self.flags))
        names = [loss.name for loss in self.losses]
        if len(set(names)) < len(names):
            raise RegrainError(f"{self.name}: two losses have the same name in {', '.join(names)}")
        for loss in self.losses:
            if loss.coords:
                raise RegrainError(f"{self.name}: the loss {loss.name} is not a scalar")
        if self.p is not None and not 0.0 <= self.p <= 1.0:
            raise RegrainError(f"{self.name}: p is {self.p}, expected a probability")

    def __getitem__(self, name: str) -> Estimate:
        for loss in self.losses:
            if loss.name == name:
                return loss
        have = ", ".join(loss.name for loss in self.losses) or "none"
        raise RegrainError(f"{self.name} has no loss {name!r}; it has {have}")

    def get(self, name: str) -> float | None:
        """Value of a loss, ``None`` where it is missing or undefined."""
        for loss in self.losses:
            if loss.name == name and loss.defined:
                return float(loss)
        return None

    @property
    def defined(self) -> bool:
        """Whether every side that the row has is defined, and every loss."""
        sides = [e for e in (self.fine, self.coarse) if e is not None]
        return all(e.defined for e in (*sides, *self.losses))

    @property
    def reason(self) -> str:
        """Why the row is undefined, empty where it is not."""
        for side, name in ((self.fine, "fine"), (self.coarse, "coarse")):
            if side is not None and not side.defined:
                return f"{name}: {side.flags[0]}"
        return next((loss.flags[0] for loss in self.losses if not loss.defined), "")

    @property
    def axis(self) -> str | None:
        """Name of the one coordinate that the row is a function of, if it is."""
        for side in (self.fine, self.coarse):
            if side is not None and side.defined and len(side.coords) == 1:
                return next(iter(side.coords))
        return None

    def plot(self, ax: Axes | None = None) -> Axes:
        """Fine and coarse in one picture, with bands of two standard errors.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when omitted.

        Raises
        ------
        MissingPackageError
            matplotlib is not installed.
        RegrainError
            Neither side is defined.
        """
        from regrain.report.figures import overlay

        return overlay(self, ax)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists, strings and numbers."""
        return {
            "name": self.name,
            "fine": None if self.fine is None else self.fine.to_dict(),
            "coarse": None if self.coarse is None else self.coarse.to_dict(),
            "losses": [loss.to_dict() for loss in self.losses],
            "p": self.p,
            "within": {k: list(v) for k, v in self.within.items()},
            "flags": list(self.flags),
            "at": dict(self.at),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Row:
        """The row that ``to_dict`` wrote."""
        sides = {
            side: None if fields[side] is None else Estimate.from_dict(fields[side])
            for side in ("fine", "coarse")
        }
        return cls(
            name=fields["name"],
            losses=[Estimate.from_dict(loss) for loss in fields["losses"]],
            p=fields["p"],
            within={k: (v[0], v[1]) for k, v in fields["within"].items()},
            flags=fields["flags"],
            at=fields.get("at", {}),
            **sides,
        )


@dataclass(frozen=True)
class Section:
    """The rows that answer one question.

    Parameters
    ----------
    slot : str
        Which question: a key of ``SLOTS``.
    rows : sequence of Row
    notes : sequence of str
        How the numbers were made, for the reader of the whole section.
    checks : sequence of Check
        What was checked on the traces behind it.

    Raises
    ------
    RegrainError
        No such slot, or two rows of one name.

    Examples
    --------
    >>> from regrain.report import Row, Section
    >>> Section("memory", [Row(name="M")]).title
    'Memory: what the past still tells'
    """

    slot: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    checks: Sequence[Check] = ()

    def __post_init__(self) -> None:
        for name in ("rows", "notes", "checks"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.slot not in SLOTS:
            raise RegrainError(
                f"a report has no slot {self.slot!r}; the slots are {', '.join(SLOTS)}"
            )
        names = [row.name for row in self.rows]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise RegrainError(f"two rows of {self.slot} are named {', '.join(twice)}; rename one")

    @property
    def title(self) -> str:
        """What the section is headed with."""
        return SLOTS[self.slot]

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        have = ", ".join(row.name for row in self.rows) or "none"
        raise RegrainError(f"{self.slot} has no row {name!r}; it has {have}")

    def __str__(self) -> str:
        from regrain.report.text import section_as_text

        return section_as_text(self)

    def plot(self, ax: Axes | None = None, *, quantity: str | None = None) -> Axes:
        """One quantity against temperature, fine and coarse with bars of two standard errors.

        Of a function the RMS difference is drawn, with what the errors alone would give.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when omitted.
        quantity : str, optional
            Which of them; the first one when omitted.

        Raises
        ------
        MissingPackageError
            matplotlib is not installed.
        RegrainError
            No such quantity, or nothing of it is defined.
        """
        from regrain.report.figures import against_temperature

        return against_temperature(self.rows, quantity, ax)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists, strings and numbers."""
        return {
            "slot": self.slot,
            "rows": [row.to_dict() for row in self.rows],
            "notes": list(self.notes),
            "checks": [vars(check) for check in self.checks],
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Section:
        """The section that ``to_dict`` wrote."""
        return cls(
            fields["slot"],
            [Row.from_dict(row) for row in fields["rows"]],
            fields.get("notes", ()),
            [Check(**check) for check in fields.get("checks", ())],
        )


@dataclass(frozen=True)
class Check:
    """Something that must hold if the report is to be believed.

    Parameters
    ----------
    name : str
        What was checked.
    passed : bool or None
        ``None``: it could not be checked, ``text`` says why.
    text : str
        What was found.

    Examples
    --------
    >>> from regrain.report import Check
    >>> print(Check("density", True, "33.4 on both sides"))
    [ok] density: 33.4 on both sides
    """

    name: str
    passed: bool | None
    text: str

    def __str__(self) -> str:
        mark = {True: "ok", False: "FAILED", None: "not checked"}[self.passed]
        return f"[{mark}] {self.name}: {self.text}"


@dataclass(frozen=True, kw_only=True)
class Source:
    """What one side of the comparison was computed from.

    Parameters
    ----------
    label : str
        What to call this side.
    frames : int
        Number of frames.
    times : (float, float)
        First and last.
    system : str
        The first state in words.
    state : mapping of str to str
        The state point: density, temperature, ..., as far as they are known.
    provenance : mapping
        Where the trace comes from, as far as it can be written as JSON.

    Examples
    --------
    >>> from regrain.report import Source
    >>> print(Source(label="fine", frames=102, times=(0.0, 101.0), system="2180 W"))
    fine: 2180 W; 102 frames, times 0 to 101
    """

    label: str
    frames: int
    times: tuple[float, float]
    system: str
    state: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        first, last = self.times
        return f"{self.label}: {self.system}; {self.frames} frames, times {first:g} to {last:g}"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists, strings and numbers."""
        return {
            "label": self.label,
            "frames": self.frames,
            "times": list(self.times),
            "system": self.system,
            "state": dict(self.state),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Source:
        """The source that ``to_dict`` wrote."""
        first, last = fields["times"]
        return cls(**{**fields, "times": (first, last)})


@dataclass(frozen=True, kw_only=True)
class History:
    """How a fit got to its model: numbers per iteration, and a curve per iteration.

    Parameters
    ----------
    method : str
        The fit, as its constructor call.
    columns : mapping of str to sequence of float or None
        Name of a number -> its value at each iteration.
    curves : mapping of str to estimate
        Name of a potential -> Estimate with coordinates (iteration, x).

    Examples
    --------
    >>> from regrain.report import History
    >>> History(method="IBI()", columns={"rms": [0.2, 0.05]}).iterations
    2
    """

    method: str
    columns: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    curves: Mapping[str, Estimate] = field(default_factory=dict)

    @property
    def iterations(self) -> int:
        """How many iterations there are."""
        return max((len(column) for column in self.columns.values()), default=0)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists, strings and numbers."""
        return {
            "method": self.method,
            "columns": {k: list(v) for k, v in self.columns.items()},
            "curves": {k: v.to_dict() for k, v in self.curves.items()},
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> History:
        """The history that ``to_dict`` wrote."""
        curves = {k: Estimate.from_dict(v) for k, v in fields["curves"].items()}
        return cls(method=fields["method"], columns=fields["columns"], curves=curves)


def jsonable(value: Any) -> Any:
    """A value as JSON can hold it; what cannot be held is written out as text."""
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(v) for v in value]
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
