"""The report: what a coarse-graining step kept, what it lost, and where not to use its result."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrain.errors import RegrainError
from regrain.report import checks, words
from regrain.report.page import fragment, page
from regrain.report.rows import SLOTS, Check, History, Row, Section, Source
from regrain.report.statistics import adjusted, verdict
from regrain.report.text import as_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Report"]


def share(tolerance: float) -> float:
    """A tolerance that is a share of something, checked."""
    if not 0.0 <= tolerance < 1.0:
        raise RegrainError(
            f"tolerance: got {tolerance}, expected a share of the fine value such as 0.05"
        )
    return tolerance


@dataclass(frozen=True, kw_only=True)
class Report:
    """Fine beside coarse, section by section, each number with its error. Made by ``rg.compare``.

    Prints as a table; ``save`` writes one HTML page, JSON or text by the ending of the name.

    Parameters
    ----------
    title : str
    fine, coarse : Source
        What the two sides were computed from.
    sections : sequence of Section
        The questions answered; printed in the order of ``SLOTS``.
    checks : sequence of Check
        What was checked on the traces themselves; ``check()`` adds what follows from the rows.
    history : History, optional
        How the coarse model was fitted.
    tolerance : float
        A significant difference smaller than this share of the fine value (of its spread over the
        coordinate, for a function) is called "close", not "different".
    units : str
        Unit tag of both traces.
    version : str
        Of the regrain that made it.

    Raises
    ------
    RegrainError
        Two sections for one slot, or a tolerance that is not in [0, 1).

    Examples
    --------
    >>> from regrain.observables import Estimate
    >>> from regrain.report import Report, Row, Section, Source
    >>> side = {"frames": 100, "times": (0.0, 99.0), "system": "2 spins"}
    >>> report = Report(
    ...     title="A spin",
    ...     fine=Source(label="fine", **side),
    ...     coarse=Source(label="coarse", **side),
    ...     sections=[Section("memory", [Row(name="M", losses=[Estimate("M", 0.12, 0.01)])])])
    >>> report["M"]["M"]
    M = 0.12 ± 0.01
    >>> Report.from_json(report.to_json()) == report
    True
    """

    title: str
    fine: Source
    coarse: Source
    sections: Sequence[Section]
    checks: Sequence[Check] = ()
    history: History | None = None
    tolerance: float = 0.05
    units: str = "reduced"
    version: str = ""

    def __post_init__(self) -> None:
        order = list(SLOTS)
        ordered = tuple(sorted(self.sections, key=lambda section: order.index(section.slot)))
        object.__setattr__(self, "sections", ordered)
        object.__setattr__(self, "checks", tuple(self.checks))
        slots = [section.slot for section in ordered]
        if len(set(slots)) < len(slots):
            raise RegrainError(f"two sections for one slot: {', '.join(slots)}; join their rows")
        share(self.tolerance)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Report) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows of all sections."""
        return tuple(row for section in self.sections for row in section.rows)

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        have = ", ".join(row.name for row in self.rows) or "none"
        raise RegrainError(f"the report has no row {name!r}; it has {have}")

    def section(self, slot: str) -> Section:
        """The section of a slot.

        Raises
        ------
        RegrainError
            The report does not have it.
        """
        for section in self.sections:
            if section.slot == slot:
                return section
        have = ", ".join(section.slot for section in self.sections) or "none"
        raise RegrainError(f"the report has no section {slot!r}; it has {have}")

    def with_section(self, section: Section) -> Report:
        """The same report with one more section, or with the section of that slot replaced."""
        others = [s for s in self.sections if s.slot != section.slot]
        return replace(self, sections=[*others, section])

    @cached_property
    def adjusted(self) -> Mapping[str, float]:
        """Name -> p-value of every row that has one, adjusted together by Holm (1979)."""
        return adjusted(self.rows)

    def verdict(self, row: Row) -> str:
        """What to call the difference of a row.

        Returns
        -------
        str
            ``"same"``: within the errors. ``"close"``: different beyond doubt, but by less than
            the tolerance. ``"different"``. ``"undecided"``: would be called different if it were
            the only row, but among so many, with so few samples, chance may have done it.
            ``"undefined"``: a side or its error is missing. Empty for a row that compares nothing.
        """
        return verdict(row, self.adjusted, self.tolerance)

    @property
    def worst(self) -> Row | None:
        """The row that differs most: the smallest p-value, then the largest number of sigmas."""
        judged = [row for row in self.rows if row.p is not None]
        return min(judged, key=lambda row: (row.p, -abs(row.get("sigmas") or 0.0)), default=None)

    @property
    def headline(self) -> tuple[str, ...]:
        """The report in a few lines: what was kept, what was lost, clock and cost."""
        return words.headline(self)

    @property
    def limits(self) -> tuple[str, ...]:
        """Where this model must not be used, as far as the report can tell."""
        return words.limits(self)

    def check(self) -> tuple[Check, ...]:
        """Everything that must hold if the report is to be believed."""
        of_sections = [check for section in self.sections for check in section.checks]
        return (*self.checks, *of_sections, *checks.of_rows(self.rows))

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        rows = ", ".join(f"{len(s.rows)} {s.slot}" for s in self.sections)
        return f"Report({self.title!r}: {rows})"

    def _repr_html_(self) -> str:
        return fragment(self)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Every compared row in sigmas, the significant ones marked.

        Rows draw themselves: ``report["rdf W-W"].plot()``.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when omitted.

        Raises
        ------
        MissingPackageError
            matplotlib is not installed.
        """
        from regrain.report.figures import overview

        return overview(self, ax)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists, strings and numbers."""
        return {
            "format": "regrain report 1",
            "version": self.version,
            "title": self.title,
            "units": self.units,
            "tolerance": self.tolerance,
            "fine": self.fine.to_dict(),
            "coarse": self.coarse.to_dict(),
            "sections": [section.to_dict() for section in self.sections],
            "checks": [vars(check) for check in self.checks],
            "history": None if self.history is None else self.history.to_dict(),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Report:
        """The report that ``to_dict`` wrote.

        Raises
        ------
        RegrainError
            The fields are not those of a report of this version.
        """
        if not isinstance(fields, Mapping) or fields.get("format") != "regrain report 1":
            raise RegrainError('this is not a report: "format" is not "regrain report 1"')
        try:
            history = fields["history"]
            return cls(
                version=fields["version"],
                title=fields["title"],
                units=fields["units"],
                tolerance=fields["tolerance"],
                fine=Source.from_dict(fields["fine"]),
                coarse=Source.from_dict(fields["coarse"]),
                sections=[Section.from_dict(section) for section in fields["sections"]],
                checks=[Check(**check) for check in fields["checks"]],
                history=None if history is None else History.from_dict(history),
            )
        except (KeyError, TypeError) as error:
            raise RegrainError(f"the report is incomplete or damaged: {error!r}") from error

    def to_json(self) -> str:
        """The report as JSON; ``from_json`` gives it back, bit for bit."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that ``to_json`` wrote.

        Raises
        ------
        RegrainError
            Not JSON, or not a report.
        """
        try:
            fields = json.loads(text)
        except json.JSONDecodeError as error:
            raise RegrainError(f"this is not a report: not JSON ({error})") from error
        return cls.from_dict(fields)

    def save(self, path: str | Path) -> Path:
        """Write the report: ``.html`` (one self-contained page), ``.json`` or ``.txt``.

        Returns
        -------
        Path
            The file written.

        Raises
        ------
        RegrainError
            Another ending, or a folder that is not there.
        """
        path = Path(path)
        writers: dict[str, Callable[[Report], str]] = {
            ".html": page,
            ".json": Report.to_json,
            ".txt": lambda report: f"{report}\n",
        }
        if path.suffix not in writers:
            raise RegrainError(
                f"a report cannot be saved as {path.name!r}; end the name in {', '.join(writers)}"
            )
        if not path.parent.is_dir():
            raise RegrainError(f"the folder {path.parent} is not there; create it first")
        path.write_text(writers[path.suffix](self), encoding="utf-8")
        return path
