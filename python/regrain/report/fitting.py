"""The history of a fit, as far as its result tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regrain.errors import RegrainError
from regrain.observables import Estimate
from regrain.report.rows import History
from regrain.units import units

# Numbers of an iteration that a report shows, and what they are called.
COLUMNS = {
    "rms": "RMS",
    "chi2": "χ²",
    "pressure": "pressure",
    "compressibility": "compressibility",
    "change": "largest change",
    "time": "time",
    "seconds": "wall time",
}
AXES = {"pair": "r", "bond": "r", "angle": "theta", "dihedral": "phi", "triple": "theta"}


def history_of(fit: Any) -> History:
    """What a report shows of a fit: its numbers and its potentials by iteration.

    Parameters
    ----------
    fit : Result or History
        A result has ``history`` (records with some of the numbers above), ``potentials`` (label ->
        table, for each record), ``model`` and ``reason``.

    Raises
    ------
    RegrainError
        Something else.

    Examples
    --------
    >>> from regrain.report import History
    >>> from regrain.report.fitting import history_of
    >>> history_of(History(method="IBI()", columns={"rms": [0.1]})).iterations
    1
    """
    if isinstance(fit, History):
        return fit
    if not all(hasattr(fit, name) for name in ("history", "potentials", "model", "reason")):
        raise RegrainError(
            f"fit: got {type(fit).__name__}, expected the Result of a fit, or a History"
        )
    names = units(getattr(fit.model, "units", "reduced"))
    symbols = {
        "pressure": names.pressure,
        "compressibility": f"1/{names.pressure}" if names.pressure else "",
        "change": names.energy,
        "time": names.time,
        "seconds": "s",
    }
    columns = {
        f"{title} / {symbols[name]}" if symbols.get(name) else title: column
        for name, title in COLUMNS.items()
        if any(column := _column(fit.history, name))
    }
    state = "converged" if getattr(fit, "converged", False) else "not converged"
    labels = fit.potentials[0] if fit.potentials else ()  # a search has parameters, no potentials
    curves = {label: _curve(label, fit.potentials, names) for label in labels}
    return History(method=f"{state}: {fit.reason}", columns=columns, curves=curves)


def _column(records: Sequence[Any], name: str) -> list[float | None]:
    values = [getattr(record, name, None) for record in records]
    return [None if v is None or not np.isfinite(v) else float(v) for v in values]


def _curve(label: str, steps: Sequence[Any], names: Any) -> Estimate:
    """A potential by iteration."""
    last = steps[-1][label]
    if label.startswith("triple "):
        grid, of = np.linspace(0.0, np.pi, 181), "f"  # what is fitted of three particles
    else:
        grid, of = _grid(last), "u"
    axis = AXES.get(label.split(" ")[0], "x")
    return Estimate(
        label,
        [np.asarray(getattr(step[label], of)(grid)) for step in steps],
        unit=names.energy,
        coords={"iteration": list(range(1, len(steps) + 1)), axis: grid},
        coord_units={axis: names.length if axis == "r" else "rad"},
    )


def _grid(potential: Any) -> Any:
    if hasattr(potential, "grid"):
        return np.asarray(potential.grid)
    low, high = potential.domain()
    return np.linspace(low, high, 201)
