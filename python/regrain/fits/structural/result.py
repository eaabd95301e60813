"""What a fit gives: the model, how it was reached, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.forms import Free
from regrain.fits.problem import Potentials, Problem
from regrain.fits.structural.records import Iteration, compressibility, kirkwood_buff
from regrain.fits.structural.sampling import Sampling
from regrain.observables import Estimate
from regrain.observables.text import number
from regrain.particles import ForceField
from regrain.plotting import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["History", "Result"]

Floats = NDArray[np.float64]


class History(Sequence[Iteration]):
    """The iterations of a fit; prints as a table, the target on top.

    Columns: RMS difference of the distributions, χ² (1 when only noise is left), pressure,
    isothermal compressibility and Kirkwood-Buff integrals from g(r), largest change of the
    potential, length of the run, and seconds. Where there are several states, every iteration has a
    line for each, and `at` picks those of one.

    Examples
    --------
    >>> from regrain.fits.structural.result import History
    >>> print(History([], targets=[{}]))
    no coarse run was made
    """

    def __init__(self, records: Sequence[Iteration], *, targets: Sequence[dict[str, Any]]) -> None:
        self.records, self.targets = list(records), list(targets)

    def at(self, state: int) -> History:
        """The runs at one of several states.

        Raises
        ------
        RegrainError
            There is no such state.
        """
        if not 0 <= state < len(self.targets):
            raise RegrainError(
                f"history: there is no state {state}; the fit has {len(self.targets)}, counted "
                "from 0"
            )
        own = [record for record in self.records if record.state == state]
        return History([replace(record, state=0) for record in own], targets=[self.targets[state]])

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: Any) -> Any:
        return self.records[index]

    def column(self, name: str) -> Floats:
        """A number of every iteration, such as ``"rms"``, ``"chi2"`` or ``"pressure"``."""
        return np.array([getattr(record, name) for record in self.records], dtype=float)

    @property
    def head(self) -> str:
        """The line of titles, and the target (of each state)."""
        return "\n".join(self._lines()[: 1 + len(self.targets)])

    def line(self, index: int) -> str:
        """The line of one iteration."""
        return self._lines()[1 + len(self.targets) :][index]

    def _lines(self) -> list[str]:
        pairs = list(dict.fromkeys(p for t in self.targets for p in t.get("kirkwood_buff", {})))
        units = self.targets[0].get("units", {})
        several = len(self.targets) > 1
        scores = list(dict.fromkeys(name for r in self.records for name in r.scores))
        scores = [name for name in scores if not name.endswith("_error")]

        def titled(name: str, unit: str) -> str:
            return f"{name} / {units[unit]}" if units.get(unit) else name

        states = ["state", titled("T", "temperature")] if several else []
        heads = ["run", *states, "RMS", "chi2", titled("pressure", "pressure"),
                 titled("compressibility", "compressibility"),
                 *(titled(f"KB {p.removeprefix('pair ')}", "volume") for p in pairs),
                 titled("max |dU|", "energy"), *scores, titled("time", "time"), "s"]  # fmt: skip
        rows = [heads]
        for k, target in enumerate(self.targets):
            names = [str(k), f"{target['temperature']:g}"] if several else []
            rows.append(self._target_row(target, pairs, names, [""] * len(scores)))
        for k, r in enumerate(self.records):
            names = [str(r.state), f"{self.targets[r.state]['temperature']:g}"] if several else []
            rows.append([str(k // len(self.targets) + 1), *names, f"{r.rms:.4f}", f"{r.chi2:.3g}",
                         number(r.pressure, r.pressure_error), _short(r.compressibility),
                         *(_short(r.kirkwood_buff.get(p)) for p in pairs),
                         f"{r.change:.3g}", *(_score(r.scores, name) for name in scores),
                         f"{r.time:.4g}", f"{r.seconds:.1f}"])  # fmt: skip
        widths = [max(max(map(len, column)), 7) for column in zip(*rows, strict=True)]
        return ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]

    @staticmethod
    def _target_row(
        target: dict[str, Any], pairs: list[str], names: list[str], scores: list[str]
    ) -> list[str]:
        wanted = target.get("pressure")
        integrals = (_short(target.get("kirkwood_buff", {}).get(pair)) for pair in pairs)
        return [
            "target", *names, "", "",
            "" if wanted is None else f"{wanted:g}",
            _short(target.get("compressibility")),
            *integrals, "", *scores, "", "",
        ]  # fmt: skip

    def __str__(self) -> str:
        return "\n".join(self._lines()) if self.records else "no coarse run was made"

    __repr__ = __str__


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _score(scores: Mapping[str, Any], name: str) -> str:
    value = scores.get(name)
    if isinstance(value, str) or value is None:
        return value or ""
    return number(value, scores[f"{name}_error"]) if f"{name}_error" in scores else f"{value:.3g}"


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A fitted model, and how it was reached.

    Attributes
    ----------
    model : ForceField
        Of the best iteration; it was run, its numbers are in the history. Its temperature is that
        of the first state.
    history : History
        One entry per coarse run.
    converged : bool
        Whether the best iteration cannot be told from the target, and has the pressure asked for.
    reason : str
        Why the fit stopped.
    errors : dict of str to ndarray
        Standard errors of what was fitted, by label: of the energies at the nodes of tables, of
        coefficients, of free parameters. They are from the errors of the distributions: what
        smoothing, cutoff and form leave out is not in them.
    best : int
        Index in the history of the run the model is from (of several states, the one that is
        furthest off).
    estimates : tuple of Estimate
        What the method measured of the fit as a whole; most have none.
    sampling : Sampling
        How the coarse runs were made; the model keeps its pressure with this ``dt``, and with a
        longer one it may not. Where there are several states, ``samplings`` has one for each.
    problem : Problem
        What was asked: ``problem.target`` holds the distributions of the target. ``problems`` has
        one for each state.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> rng = np.random.default_rng(1)
    >>> gas = [rg.particles.Particles(rng.random((200, 3)) * 5, box=[5, 5, 5]) for _ in range(20)]
    >>> form = rg.particles.Table(r_min=0.0, r_max=2.0, points=21)
    >>> fit = rg.fits.BoltzmannInversion(pairs={("A", "A"): form}, temperature=1.0)
    >>> result = fit(rg.Trace(gas, times=np.arange(20)))
    >>> result.converged, len(result.history), result.reason
    (False, 0, 'no coarse run was asked for')
    """

    problems: tuple[Problem, ...]
    history: History
    converged: bool
    reason: str
    errors: Potentials
    best: int
    samplings: tuple[Sampling, ...]
    estimates: tuple[Estimate, ...]
    _final: Potentials = field(repr=False)

    @property
    def problem(self) -> Problem:
        """That of the first state."""
        return self.problems[0]

    @property
    def sampling(self) -> Sampling:
        """That of the first state."""
        return self.samplings[0]

    @property
    def model(self) -> ForceField:
        """The force field of the best iteration."""
        return self.problem.model(self._final)

    @property
    def potentials(self) -> list[dict[str, Any]]:
        """The tables of every coarse run, by label."""
        steps = [record.potentials for record in self.history] or [self._final]
        return [{t.label: t.potential(step[t.label]) for t in self.problem.terms} for step in steps]

    def __str__(self) -> str:
        state = "converged" if self.converged else "not converged"
        best = self.best // len(self.problems) + 1
        chosen = f"; the model is that of run {best}" if len(self.history) else ""
        lines = [str(self.history), *self._parameters(), *map(str, self.estimates)]
        return "\n".join([*lines, f"{state}: {self.reason}{chosen}"])

    def _parameters(self) -> list[str]:
        """A line per parameter that was set free."""
        return [
            f"{name} of {term.label} = {number(value, error)}"
            for term in self.problem.terms
            if isinstance(term.form, Free)
            for name, value, error in zip(
                term.form.names, self._final[term.label], self.errors[term.label], strict=True
            )
        ]

    __repr__ = __str__

    def plot(self, ax: Axes | None = None, *, label: str | None = None) -> Axes:
        """Draw a potential by iteration, the last one of a table with a band of its error.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        label : str, optional
            Which interaction; the first one when omitted.

        Raises
        ------
        RegrainError
            No such interaction.
        """
        labels = [term.label for term in self.problem.terms]
        label = labels[0] if label is None else label
        if label not in labels:
            raise RegrainError(f"there is no {label!r} in this fit; it has {', '.join(labels)}")
        ax = axes(ax)
        term = self.problem.terms[labels.index(label)]
        runs = self.history[:: len(self.problems)]
        steps = [record.potentials[label] for record in runs] or [self._final[label]]
        for k, values in enumerate(steps):
            shade = 0.15 + 0.6 * k / len(steps)
            ax.plot(term.nodes, term.energies(values), color=str(0.9 - shade), linewidth=0.8)
        final, error = term.energies(self._final[label]), self.errors[label]
        ax.plot(term.nodes, final, label=label)
        if term.form.missing == "energy":  # the others are correlated
            ax.fill_between(term.nodes, final - error, final + error, alpha=0.3, linewidth=0)
        seen = np.isfinite(final) & (term.nodes > np.quantile(term.nodes, 0.05))
        low, high = float(final.min()), float(np.median(final[seen]))
        reach = max(high - low, self.problem.kt)
        ax.set_ylim(low - 0.2 * reach, high + 2.0 * reach)
        names = self.problem.units
        x = {"pair": "r", "bond": "r", "angle": "theta", "dihedral": "phi"}[term.kind]
        unit = names.length if x == "r" else "rad"
        ax.set_xlabel(f"{x} / {unit}" if unit else x)
        ax.set_ylabel(f"u / {names.energy}" if names.energy else "u")
        ax.legend()
        return ax


def target_numbers(problem: Problem) -> dict[str, Any]:
    """What the target has in the columns of the history."""
    names = problem.units
    integrals = {
        t.label: kirkwood_buff(problem.target[t.label], problem.state.volume)
        for t in problem.of_kind("pair")
    }
    return {
        "temperature": problem.temperature,
        "pressure": problem.pressure,
        "kirkwood_buff": integrals,
        "compressibility": compressibility(problem, integrals),
        "units": {
            "pressure": names.pressure,
            "temperature": names.temperature,
            "compressibility": f"1/{names.pressure}" if names.pressure else "",
            "volume": f"{names.length}^3" if names.length else "",
            "energy": names.energy,
            "time": names.time,
        },
    }
