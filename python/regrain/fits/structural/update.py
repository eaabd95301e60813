"""What methods of fitting differ in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from regrain.fits.problem import Potentials, Problem
from regrain.fits.structural.records import Iteration
from regrain.observables import Estimate
from regrain.particles import Particles
from regrain.trace import Trace

__all__ = ["Update"]


class Update(ABC):
    """What a method does between runs; what it evaluates once belongs into its constructor.

    It keeps nothing between calls: all it may use are the iterations so far. That is what makes
    every fit resumable. Where there are several states, records come in rounds of one run at each
    of them, all with the same potentials.

    Examples
    --------
    >>> from regrain.fits.structural.update import Update
    >>> class Nothing(Update):
    ...     def __init__(self, guess):
    ...         self.guess = guess
    ...     def first(self):
    ...         return self.guess
    ...     def next(self, records):
    ...         return records[-1].potentials
    ...     def errors(self, records):
    ...         return {label: 0 * energy for label, energy in self.guess.items()}
    """

    @abstractmethod
    def first(self) -> Potentials:
        """Potentials to begin with."""

    @abstractmethod
    def next(self, records: list[Iteration]) -> Potentials:
        """Potentials of the next run, from all runs so far."""

    @abstractmethod
    def errors(self, records: list[Iteration]) -> Potentials:
        """Standard errors of the potentials of the last of these runs."""

    def measure(self, trace: Trace[Particles], problem: Problem) -> dict[str, Any]:
        """What the method needs of a coarse run besides distributions; kept as `Iteration.extra`.

        Arrays by names of its own; the run is at the state of ``problem``.
        """
        return {}

    def scores(self, records: list[Iteration]) -> dict[str, Any]:
        """Numbers and words on the last round by names of its own, further columns of the history.

        With ``x`` and ``x_error`` the error is shown beside the number.
        """
        return {}

    def estimates(self, records: list[Iteration]) -> list[Estimate]:
        """What the method measured of the fit as a whole; they become `Result.estimates`."""
        return []
