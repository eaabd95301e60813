"""What a fit of bonded forms gives: a table, a model, and which bonds are better constrained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.bonded_terms.simple import Simple, measure_of
from regrain.observables import Estimate
from regrain.observables.blocks import Summary
from regrain.observables.text import number
from regrain.particles import ForceField, HarmonicAngle, HarmonicBond, HarmonicDihedral, Potential
from regrain.plotting import axes
from regrain.units import Units

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BondedResult", "FittedTerm"]

Floats = NDArray[np.float64]
Types = tuple[str, ...]

#: A valley between two maxima counts when it is deeper than this part of the lower one, by so many
#: standard errors.
DEPTH, SURE = 0.8, 5.0
#: RMS difference of the distributions, in parts of the maximum, from which on a form misses them.
POOR = 0.1
MISSES = "the form misses the distribution"
#: Steps per period below which a bond is better constrained: where grompp of GROMACS warns.
STEPS_PER_PERIOD = 10.0


@dataclass(frozen=True, eq=False)
class FittedTerm:
    """One kind of bonded term with its potential.

    Attributes
    ----------
    kind : {"bond", "angle", "dihedral"}
    types : tuple of str
    potential : Potential or None
        None where the term does not move at all: then it is a constraint.
    numbers : dict of str to Estimate
        What was fitted, with errors; angles in radians.
    mean : float
        Of the values, of bonds the length of a constraint.
    count : int
        Values that were seen: terms times frames.
    x, measured, fitted : ndarray, shape (bins,)
        Centres of bins, and the probability densities in them.
    rms : float
        Root mean square of their difference, in parts of the maximum.
    period : float or None
        Of the vibration of a bond, 2π √(μ/k) with the lightest reduced mass.
    constrain : bool
        Whether the period is shorter than ten time steps.
    flags : tuple of str
        What a reader must know.

    Examples
    --------
    See `BondedForms`.

    >>> from regrain.fits.bonded_terms.bonded_result import FittedTerm
    >>> FittedTerm.rigid("bond", ("A", "B"), [1.0, 1.0], 2, 0.02).flags
    ('rigid: constrain',)
    """

    kind: str
    types: Types
    potential: Potential | None
    numbers: Mapping[str, Estimate]
    mean: float
    count: int
    x: Floats
    measured: Floats
    fitted: Floats
    rms: float
    period: float | None
    constrain: bool
    flags: tuple[str, ...]

    @classmethod
    def rigid(cls, kind: str, types: Types, x: Any, count: int, dt: float | None) -> FittedTerm:
        """A term that does not move."""
        where, one = np.array([float(np.mean(x))]), np.ones(1)
        flag = "rigid: constrain" if kind == "bond" else "rigid: no potential"
        return cls(kind, types, None, {}, float(where[0]), count, where, one, one,
                   rms=0.0, period=None, constrain=kind == "bond", flags=(flag,))  # fmt: skip

    @classmethod
    def of(
        cls,
        kind: str,
        types: Types,
        simple: Simple,
        found: Summary,
        x: Floats,
        weight: Floats,
        density: Callable[[Floats], Floats],
        *,
        count: int,
        n_eff: float,
        kt: float,
        reduced: float,
        dt: float | None,
        system: Units,
    ) -> FittedTerm:
        """From the most likely form and a sample of values."""
        label = f"{kind} {'-'.join(types)}"
        error, dof = cast(Floats, found.error), cast(Floats, found.dof)
        numbers = {
            name: Estimate(
                f"{name} of {label}",
                simple.values[i],
                error[i],
                unit=_unit(name, simple.potential, system),
                n_eff=n_eff,
                dof=dof[i],
                tier="T2",
                method="maximum likelihood",
                flags=found.flags,
            )
            for i, name in enumerate(simple.names)
        }
        edges = _edges(kind, x, n_eff)
        shares = np.histogram(x, edges, weights=weight)[0] / weight.sum()
        fine = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(8) + 0.5) / 8
        fitted = density(fine.reshape(-1)).reshape(fine.shape).mean(axis=1)
        measured = shares / np.diff(edges)
        rms = float(np.sqrt(np.mean((measured - fitted) ** 2)) / measured.max())
        k = float(simple.values[0])
        period = 2.0 * np.pi * np.sqrt(reduced / k) if kind == "bond" and k * reduced > 0 else None
        stiff = period is not None and dt is not None and period < STEPS_PER_PERIOD * dt
        flags = ["few frames: errors are uncertain"] if found.flags else []
        if kind != "dihedral" and bimodal(kind, edges, shares, n_eff):
            flags.append("bimodal")
        noise = np.mean(shares * (1.0 - shares) / n_eff / np.diff(edges) ** 2) / measured.max() ** 2
        if rms**2 - noise > POOR**2:  # beyond the scatter of counts
            flags.append(MISSES)
        if _soft(simple.potential, kind, x, kt):
            flags.append("too soft: less than kT")
        if simple.at_limit:
            flags.append(f"{simple.names[1]} at its limit")
        if stiff:
            flags.append("stiff: constrain")
        centres = 0.5 * (edges[1:] + edges[:-1])
        mean = float(np.average(x, weights=weight))
        return cls(kind, types, simple.potential, numbers, mean, count, centres, measured, fitted,
                   rms=rms, period=period, constrain=stiff, flags=tuple(flags))  # fmt: skip


def _unit(name: str, potential: Potential, system: Units) -> str:
    if not name.startswith("k"):
        return system.length if name == "r0" else "rad"
    per: dict[type[Potential], str] = {
        HarmonicBond: f"/{system.length}^2",
        HarmonicAngle: "/rad^2",
        HarmonicDihedral: "/rad^2",
    }
    return f"{system.energy}{per.get(type(potential), '')}" if system.energy else ""


def _edges(kind: str, x: Floats, n: float) -> Floats:
    if kind == "dihedral":
        return np.linspace(-np.pi, np.pi, 73 if n > 5000 else 37)
    width = 3.5 * float(x.std()) / np.cbrt(max(n, 2.0))  # Scott 1979
    bins = int(np.clip(np.ptp(x) / max(width, 1e-300), 10, 60))
    return np.linspace(x.min(), x.max(), bins + 1)


def bimodal(kind: str, edges: Floats, shares: Floats, n: float) -> bool:
    """Whether the potential of mean force has two minima, beyond noise.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.bonded_terms.bonded_result import bimodal
    >>> bimodal("bond", np.linspace(1, 2, 6), np.array([0.1, 0.3, 0.1, 0.4, 0.1]), n=1000)
    True
    """
    measure = measure_of(kind, 0.5 * (edges[1:] + edges[:-1]))
    density, variance = shares / measure, np.maximum(shares, 1.0 / n) / n / measure**2
    for valley in range(1, len(shares) - 1):
        sides = [
            int(np.argmax(density[:valley])),
            valley + 1 + int(np.argmax(density[valley + 1 :])),
        ]
        low = min(sides, key=lambda k: density[k])
        gap = density[low] - density[valley]
        if density[valley] < DEPTH * density[low] and gap > SURE * np.sqrt(
            variance[low] + variance[valley]
        ):
            return True
    return False


def _soft(potential: Potential, kind: str, x: Floats, kt: float) -> bool:
    """Whether the potential varies by less than kT over what free particles would see."""
    low, high = {"angle": (0.0, np.pi), "dihedral": (-np.pi, np.pi)}.get(kind, (0.0, x.max()))
    return bool(np.ptp(potential.u(np.linspace(low, high, 181))) < kt)


class BondedResult:
    """Simple bonded potentials; prints as a table.

    Attributes
    ----------
    terms : dict of str to FittedTerm
        By label, as in "bond A-B".
    model : ForceField
        With all of them, those that were kept, and the pairs that were given.
    errors : dict of str to ndarray
        Standard errors of the numbers of each term, in the order of ``terms[label].numbers``.
    history : tuple
        One entry, which has ``rms``, the mean over all terms.
    converged : bool
        Whether no form misses its distribution or is bimodal.
    reason : str

    Examples
    --------
    See `BondedForms`, which makes them.

    >>> from regrain.fits.bonded_terms.bonded_result import BondedResult
    >>> BondedResult.converged.__doc__
    'Whether every distribution has the form that was fitted.'
    """

    def __init__(self, terms: dict[str, FittedTerm], model: ForceField, system: Units) -> None:
        self.terms, self.model, self._system = terms, model, system
        self.errors = {
            label: np.array([float(cast(Floats, e.error)) for e in term.numbers.values()])
            for label, term in terms.items()
        }
        self.history = (Fitting(float(np.mean([term.rms for term in terms.values()]))),)

    @property
    def potentials(self) -> list[dict[str, Potential]]:
        """The potentials by label; one entry, as of a fit with one iteration."""
        return [{k: t.potential for k, t in self.terms.items() if t.potential is not None}]

    @property
    def constraints(self) -> dict[Types, float]:
        """Lengths of the bonds that are better constrained, by types."""
        return {t.types: t.mean for t in self.terms.values() if t.kind == "bond" and t.constrain}

    @property
    def converged(self) -> bool:
        """Whether every distribution has the form that was fitted."""
        return not self._poor()

    @property
    def reason(self) -> str:
        """Which terms have no simple form."""
        poor = self._poor()
        return f"no simple form: {', '.join(poor)}" if poor else "all distributions are described"

    def _poor(self) -> list[str]:
        return [k for k, t in self.terms.items() if {"bimodal", MISSES} & set(t.flags)]

    def __str__(self) -> str:
        rows = [("kind", "types", "form", "number", "value", "terms", "RMS", "flags")]
        for term in self.terms.values():
            form = "" if term.potential is None else type(term.potential).__name__
            head = (term.kind, "-".join(term.types), form)
            tail = (str(term.count), f"{term.rms:.3f}", "; ".join(term.flags))
            lines = [(name, self._number(term, name)) for name in term.numbers]
            if not lines and term.kind == "bond":
                lines = [("length", f"{term.mean:.6g} {self._system.length}".strip())]
            lines = lines or [("angle", f"{np.rad2deg(term.mean):.6g} deg")]
            rows.append((*head, *lines[0], *tail))
            rows += [("", "", "", *line, "", "", "") for line in lines[1:]]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join(
            "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    __repr__ = __str__

    def _number(self, term: FittedTerm, name: str) -> str:
        """With its unit; angles in degrees, as tables have them."""
        found = term.numbers[name]
        value, error = float(found), float(cast(Floats, found.error))
        if found.unit == "rad":
            return f"{number(np.rad2deg(value), np.rad2deg(error))} deg"
        return f"{number(value, error)} {found.unit}".strip()

    def plot(self, ax: Axes | None = None, *, label: str | None = None) -> Axes:
        """Draw a distribution as it was measured and as its form has it.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        label : str, optional
            Which term; the first one when omitted.

        Raises
        ------
        RegrainError
            No such term.
        """
        label = next(iter(self.terms)) if label is None else label
        if label not in self.terms:
            raise RegrainError(f"there is no {label!r} in this fit; it has {', '.join(self.terms)}")
        ax = axes(ax)
        term = self.terms[label]
        ax.plot(term.x, term.measured, drawstyle="steps-mid", color="0.6", label="measured")
        ax.plot(term.x, term.fitted, label=f"{label}: {type(term.potential).__name__}")
        x, unit = {"bond": ("r", self._system.length), "angle": ("theta", "rad"),
                   "dihedral": ("phi", "rad")}[term.kind]  # fmt: skip
        ax.set_xlabel(f"{x} / {unit}" if unit else x)
        ax.set_ylabel("probability density")
        ax.legend()
        return ax


@dataclass(frozen=True)
class Fitting:
    """What the history says of a fit that needs no runs.

    Examples
    --------
    >>> from regrain.fits.bonded_terms.bonded_result import Fitting
    >>> Fitting(rms=0.01)
    Fitting(rms=0.01)
    """

    rms: float
