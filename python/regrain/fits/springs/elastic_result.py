"""What making an elastic network gives: springs, a model, and how the beads should move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.springs.modes import covariance, floppy
from regrain.particles import ForceField, Network
from regrain.plotting import axes
from regrain.units import Units

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["NetworkResult"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class NetworkResult:
    """An elastic network; prints what it is.

    Attributes
    ----------
    network : Network
    model : ForceField
        With the network.
    errors : dict of str to ndarray
        "network": standard errors of the force constants; zero where they were given.
    beads : ndarray, shape (n,)
        Particles that were joined.
    places : ndarray, shape (n, 3)
        Their places in the structure.
    measured : ndarray, shape (n,), or None
        Root mean square fluctuations of the trace, laid over its first frame.
    unused : ndarray, shape (l, 2)
        Pairs within the cutoff for which no spring is best.
    history : tuple
        Empty: no coarse run was made.
    converged : bool
    reason : str

    Examples
    --------
    See `ElasticNetwork`, which makes them.

    >>> from regrain.fits.springs.elastic_result import NetworkResult
    >>> NetworkResult.history
    ()
    """

    network: Network
    model: ForceField
    errors: dict[str, Floats]
    beads: Ints
    places: Floats
    measured: Floats | None
    kt: float | None
    unused: Ints
    units: Units
    history = ()

    @property
    def _springs(self) -> Ints:
        return np.searchsorted(self.beads, self.network.pairs)

    @property
    def floppy(self) -> int:
        """Motions that cost the network no energy, beside those of a rigid body."""
        return floppy(self.places, self._springs, self.network.k)[0]

    @property
    def predicted(self) -> Floats:
        """Root mean square fluctuation of each bead by the network alone, shape (n,).

        In the harmonic approximation, without the motions of the whole.

        Raises
        ------
        RegrainError
            No temperature was given, or the network is floppy.
        """
        if self.kt is None:
            raise RegrainError(
                "fluctuations need a temperature; give ElasticNetwork(temperature=…)"
            )
        whole = covariance(self.places, self._springs, self.network.k, kt=self.kt)
        return np.asarray(np.sqrt(np.diag(whole).reshape(-1, 3).sum(axis=1)))

    @property
    def b_factors(self) -> Floats:
        """8π²/3 <u²> of each bead, by the network alone."""
        return np.asarray(8.0 * np.pi**2 / 3.0 * self.predicted**2)

    @property
    def correlation(self) -> float:
        """Pearson's, between the predicted and the measured fluctuations of the beads.

        Raises
        ------
        RegrainError
            There is nothing to compare with: the network is from one structure.
        """
        if self.measured is None:
            raise RegrainError("one structure has no fluctuations to compare with; give a trace")
        return float(np.corrcoef(self.predicted, self.measured)[0, 1])

    @property
    def converged(self) -> bool:
        """Always: there is one answer, and it is found exactly."""
        return True

    @property
    def reason(self) -> str:
        """What was done."""
        given = not np.any(self.errors["network"])
        return "force constants as given" if given else "all fluctuations are matched"

    @property
    def potentials(self) -> list[dict[str, Any]]:
        """None: springs are no matter of types."""
        return []

    def __str__(self) -> str:
        k, r0, unit = self.network.k, self.network.r0, self.units
        length = f" {unit.length}" if unit.length else ""
        stiffness = f" {unit.energy}/{unit.length}^2" if unit.energy else ""
        lines = [
            f"{len(k)} springs between {len(self.beads)} beads, lengths {r0.min():.3g} to "
            f"{r0.max():.3g}{length}",
            f"k {k.min():.4g}{stiffness}"
            if np.ptp(k) == 0
            else f"k {k.min():.4g} to {k.max():.4g}, median {np.median(k):.4g}{stiffness}",
        ]
        if len(self.unused):
            lines.append(f"{len(self.unused)} more pairs need no spring")
        if np.any(self.errors["network"]):
            relative = float(np.median(self.errors["network"] / k))
            lines.append(f"standard error of k: {100 * relative:.2g} % (median)")
        if self.measured is not None and self.kt is not None and not self.floppy:
            lines.append(
                f"fluctuations of the beads: {self.predicted.mean():.3g}{length} by the network, "
                f"{self.measured.mean():.3g}{length} in the trace, correlation "
                f"{self.correlation:.2f}"
            )
        if self.floppy:
            lines.append(f"  ! floppy by itself: {self.floppy} motions cost no energy")
        return "\n".join(lines)

    __repr__ = __str__

    def plot(self, ax: Axes | None = None, *, label: str | None = None) -> Axes:
        """Draw the fluctuations of the beads, or where none are known, k against the length.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        label : str, optional
            "fluctuations" or "springs".

        Raises
        ------
        RegrainError
            Another label.
        """
        known = self.measured is not None and self.kt is not None and not self.floppy
        label = ("fluctuations" if known else "springs") if label is None else label
        if label not in ("fluctuations", "springs"):
            raise RegrainError(f"there is no {label!r} in this fit; it has fluctuations, springs")
        ax = axes(ax)
        length = f" / {self.units.length}" if self.units.length else ""
        if label == "springs":
            ax.plot(self.network.r0, self.network.k, ".")
            ax.set_xlabel(f"length{length}")
            ax.set_ylabel("k")
            return ax
        ax.plot(self.beads, self.predicted, label="network")
        if self.measured is not None:
            ax.plot(self.beads, self.measured, label="trace")
        ax.set_xlabel("particle")
        ax.set_ylabel(f"fluctuation{length}")
        ax.legend()
        return ax
