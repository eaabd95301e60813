"""What must hold if a report is to be believed, read off its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from regrain.observables import Estimate
from regrain.report.rows import Check, Row

FEWEST_SAMPLES = 10.0


def of_rows(rows: Sequence[Row]) -> tuple[Check, ...]:
    """All self-checks of some rows.

    Examples
    --------
    >>> from regrain.observables import Estimate
    >>> from regrain.report import Row
    >>> from regrain.report.checks import of_rows
    >>> memory = Estimate("memory", -0.5, 0.1, unit="nats")
    >>> for check in of_rows([Row(name="M", losses=[memory], within={"memory": (0.0, None)})]):
    ...     print(check)
    [FAILED] range: M: memory = -0.5 ± 0.1 nats is below 0
    """
    return (*_ranges(rows), *_samples(rows), *_scatter(rows))


def _ranges(rows: Iterable[Row]) -> list[Check]:
    """Losses that cannot be what they are, by more than three standard errors."""
    bad, judged = [], 0
    for row in rows:
        for loss in row.losses:
            if not loss.defined or loss.name not in row.within:
                continue
            judged += 1
            slack = 0.0 if loss.error is None else 3.0 * float(loss.error)
            low, high = row.within[loss.name]
            if low is not None and float(loss) < low - slack:
                bad.append(f"{row.name}: {loss} is below {low:g}")
            if high is not None and float(loss) > high + slack:
                bad.append(f"{row.name}: {loss} is above {high:g}")
    if bad:
        return [Check("range", False, "; ".join(bad))]
    return [Check("range", True, f"{judged} losses are where they can be")] if judged else []


def _samples(rows: Iterable[Row]) -> list[Check]:
    """Error bars from very few independent samples are guesses."""
    thin, judged = [], 0
    for row in rows:
        for side, label in ((row.fine, "fine"), (row.coarse, "coarse")):
            if side is None or not side.defined or side.n_eff is None:
                continue
            judged += 1
            if side.n_eff < FEWEST_SAMPLES:
                thin.append(f"{row.name} ({label}: {side.n_eff:.1f})")
    if thin:
        text = f"fewer than {FEWEST_SAMPLES:g}, so the error bar is a guess: {', '.join(thin)}"
        return [Check("independent samples", False, text)]
    text = f"at least {FEWEST_SAMPLES:g} behind each of {judged} estimates"
    return [Check("independent samples", True, text)] if judged else []


def _scatter(rows: Iterable[Row]) -> list[Check]:
    """Curves that agree far better than their errors allow: the errors are wrong."""
    judged = [row for row in rows if row.get("chi2") is not None and _points(row.fine) >= 20]
    tight = [
        f"{row.name} ({row.get('chi2'):.2g})" for row in judged if (row.get("chi2") or 0) < 0.1
    ]
    if tight:
        text = f"χ² per point below 0.1, so errors are too wide or data shared: {', '.join(tight)}"
        return [Check("scatter", False, text)]
    text = f"χ² per point of {len(judged)} functions is not too good to be true"
    return [Check("scatter", True, text)] if judged else []


def _points(estimate: Estimate | None) -> int:
    return 0 if estimate is None or not estimate.defined else estimate.value.size
