"""A directory in which a fit keeps its iterations, so that it can be killed at any moment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from regrain.checkpoint import load_arrays, load_json, save_arrays, save_json
from regrain.errors import RegrainError
from regrain.fits.structural.records import Iteration
from regrain.fits.structure import Distribution

__all__ = ["Workdir"]

_PARTS = ("x", "value", "error", "dof")


class Workdir:
    """``settings.json``, written once, and ``iteration-001.npz`` and so on.

    Parameters
    ----------
    path : path
        Made when it is not there.
    settings : mapping
        JSON-able; those of the directory must be the same.

    Raises
    ------
    RegrainError
        The path is a file, or holds a fit of other settings or another target.

    Examples
    --------
    >>> from regrain.fits.structural.workdir import Workdir
    >>> Workdir("fit", {"seed": 1}).load()
    []
    """

    def __init__(self, path: str | os.PathLike[str], settings: dict[str, Any]) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise RegrainError(f"workdir: {self.path} is a file; give a directory")
        self.path.mkdir(parents=True, exist_ok=True)
        kept = self.path / "settings.json"
        if not kept.exists():
            if any(self.path.glob("iteration-*.npz")):
                raise RegrainError(
                    f"workdir: {self.path} holds iterations but no settings.json; give another "
                    "directory, or delete this one"
                )
            save_json(kept, settings)
            return
        found = load_json(kept)
        other = sorted(k for k in {*found, *settings} if found.get(k) != settings.get(k))
        if other:
            said = "; ".join(f"{k} was {_short(found.get(k))}, is {_short(settings.get(k))}"
                             for k in other)  # fmt: skip
            raise RegrainError(
                f"workdir: {self.path} holds another fit ({said}); give the same settings to "
                "resume it, another directory, or delete this one"
            )

    def _file(self, index: int) -> Path:
        return self.path / f"iteration-{index + 1:03d}.npz"

    def load(self) -> list[Iteration]:
        """The iterations that were finished."""
        records: list[Iteration] = []
        while self._file(len(records)).exists():
            records.append(self._read(self._file(len(records))))
        return records

    def save(self, index: int, record: Iteration) -> None:
        """Keep an iteration; atomic."""
        arrays = {f"u/{label}": energy for label, energy in record.potentials.items()}
        for label, distribution in record.measured.items():
            arrays.update({f"{part}/{label}": getattr(distribution, part) for part in _PARTS})
        arrays.update({f"extra/{name}": array for name, array in record.extra.items()})
        save_arrays(self._file(index), arrays, meta=record.numbers())

    @staticmethod
    def _read(path: Path) -> Iteration:
        arrays, numbers = load_arrays(path)
        groups: dict[str, dict[str, Any]] = {}
        for name, array in arrays.items():
            group, label = name.split("/", 1)
            groups.setdefault(group, {})[label] = array
        measured = {
            label: Distribution(*(groups[part][label] for part in _PARTS)) for label in groups["x"]
        }
        extra = groups.get("extra", {})
        return Iteration(potentials=groups["u"], measured=measured, extra=extra, **numbers)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
