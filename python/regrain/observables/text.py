"""Numbers with errors, and tables of them, as a reader wants them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import floor, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["number", "table"]


def number(value: float, error: float | None) -> str:
    """``value ± error`` with two digits of the error, one where that is enough.

    Examples
    --------
    >>> from regrain.observables.text import number
    >>> number(33.41723, 0.01234), number(-48213.7, 1250.0), number(1.0, 0.0), number(2 / 3, None)
    ('33.417 ± 0.012', '-48200 ± 1200', '1 ± 0', '0.666667')
    """
    if error is None:
        return f"{value:.6g}"
    if error == 0.0:
        return f"{value:.6g} ± 0"
    size = max(abs(value), error)
    if size >= 1e6 or size < 1e-4:
        power = floor(log10(size))
        return f"({number(value / 10.0**power, error / 10.0**power)})e{power}"
    digits = 1 - floor(log10(error))
    shown = f"{error:.{max(digits, 0)}f}" if digits >= 0 else f"{round(error, digits):.0f}"
    if shown.endswith("0") and "." in shown:  # 0.40 says no more than 0.4
        shown, digits = shown[:-1].rstrip("."), digits - 1
    digits = min(digits, 12)
    return f"{round(value, digits):.{max(digits, 0)}f} ± {shown}"


def table(
    coords: Mapping[str, NDArray[Any]],
    units: Mapping[str, str],
    value: NDArray[np.float64],
    error: NDArray[np.float64] | None,
    rows: int = 14,
) -> str:
    """A function as a table: down the last axis, one column per entry of the others.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.observables.text import table
    >>> print(table({"r": np.arange(40.0)}, {"r": "nm"}, np.arange(40.0), None, rows=4))
      r / nm  value
           0      0
           1      1
         ...    ...
          38     38
          39     39
    """
    *across, (down, where) = coords.items()
    columns = list(product(*(axis.tolist() for _, axis in across)))
    heads = [" ".join(map(str, c)) if c else "value" for c in columns]
    body = value.reshape(len(columns), len(where))
    spread = None if error is None else error.reshape(body.shape)
    unit = units.get(down, "")
    lines = [[f"{down} / {unit}" if unit else down, *heads]]
    for i in _shortened(len(where), rows):
        if i is None:
            lines.append(["..."] * (len(columns) + 1))
            continue
        cells = (
            number(body[k, i], None if spread is None else spread[k, i])
            for k in range(len(columns))
        )
        lines.append([_label(where[i]), *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  " + "  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in lines
    )


def _shortened(n: int, rows: int) -> list[int | None]:
    if n <= rows:
        return list(range(n))
    return [*range(rows // 2), None, *range(n - rows // 2, n)]


def _label(entry: Any) -> str:
    return str(entry) if isinstance(entry, str) else f"{entry:.6g}"
