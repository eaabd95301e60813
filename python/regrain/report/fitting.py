"""The history of a fit, as far as its result tells it."""

from __future__ import annotations

from typing import Any

from regrain.errors import RegrainError
from regrain.report.rows import History


def history_of(fit: Any) -> History:
    """What a report shows of a fit.

    Examples
    --------
    >>> from regrain.report import History
    >>> from regrain.report.fitting import history_of
    >>> history_of(History(method="IBI()", columns={"rms": [0.1]})).iterations
    1
    """
    if isinstance(fit, History):
        return fit
    raise RegrainError(f"fit: got {type(fit).__name__}, expected the Result of a fit, or a History")
