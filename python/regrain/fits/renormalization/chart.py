"""Variables that vanish where a coupling is infinite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log

__all__ = ["Chart"]


@dataclass(frozen=True)
class Chart:
    """A variable that vanishes where a coupling is infinite, in which the flow is smooth there.

    Parameters
    ----------
    name : str
        As it is to be printed, with {} for the coupling.
    of : callable
        The variable as a function of the coupling.
    back : callable
        The coupling as a function of the variable.
    small : float
        A value that is small, but whose coupling still flows without rounding.

    Examples
    --------
    >>> from regrain.fits.renormalization.chart import Chart
    >>> chart = Chart.exponential(2.0)
    >>> chart.name.format("nn"), round(chart.back(chart.of(1.5)), 12)
    ('exp(-2 nn)', 1.5)
    """

    name: str
    of: Callable[[float], float]
    back: Callable[[float], float]
    small: float

    @staticmethod
    def exponential(rate: float) -> Chart:
        """exp(-rate K): what is left of thermal excitations of a finite energy."""
        shown = f"exp(-{rate:g} {{}})" if rate != 1 else "exp(-{})"
        return Chart(shown, lambda k: exp(-rate * k), lambda u: -log(u) / rate, 1e-4)

    @staticmethod
    def inverse() -> Chart:
        """1/K: the temperature."""
        return Chart("1/{}", lambda k: 1 / k, lambda u: 1 / u, 1e-3)
