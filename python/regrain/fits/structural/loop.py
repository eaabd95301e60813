"""The one loop of all structural fits: run, measure, compare, update, until only noise is left."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from time import monotonic
from typing import Any, ClassVar

import numpy as np

from regrain.engines import find as find_engine
from regrain.errors import RegrainError
from regrain.fits.beside import beside, check_beside, settle_beside, warn_forgotten
from regrain.fits.problem import Potentials, Problem
from regrain.fits.states import pose_all
from regrain.fits.structural.records import (
    Iteration,
    chi_squared,
    compressibility,
    kirkwood_buff_of,
    rms,
)
from regrain.fits.structural.result import History, Result, target_numbers
from regrain.fits.structural.sampling import Sampling
from regrain.fits.structural.update import Update
from regrain.fits.structural.workdir import Workdir
from regrain.fits.structure import Interaction, measure_structure
from regrain.observables import Pressure
from regrain.particles.charges import Coulomb
from regrain.particles.terms import KINDS

__all__ = ["StructureFit", "Update"]

Types = tuple[str, ...]

#: A pressure agrees when it is this many standard errors off, or less.
AGREES = 2.0
#: Runs become longer for the sake of the pressure by at most this factor at a time.
LONGER = 4.0
#: Relative excess of the kinetic temperature that shows too long a time step; it is halved then.
HOT = 0.02
#: Change of a potential (in kT) beyond which something is wrong.
TOO_MUCH = 50.0
# Not part of what makes a fit what it is: a resumed fit may go on for longer.
_NOT_KEPT = ("iterations",)


@dataclass(frozen=True, kw_only=True)
class StructureFit(ABC):
    """Potentials from distributions; the settings that all structural fits share.

    Parameters
    ----------
    pairs : mapping of (str, str) to Table
        Forms to be fitted, by types; potentials with parameters are kept as they are, None says no
        interaction. Every pair of types of the target must be named.
    bonds, angles, dihedrals : mapping of tuple of str to TableBond, TableAngle, TableDihedral
        Likewise, for all that the target has.
    triples : mapping of (str, str, str) to potential
    charges : Ewald or ReactionField, optional
    external : mapping of str to fields and walls, optional
    biases : sequence of Restraint or FormulaBias, optional
        What is known besides, as of `ForceField`, and acts in every coarse run; the pairs make up
        for the rest.
    temperature : float
    pressure : float, optional
        Wanted of the coarse model; unconstrained when omitted. A `StatePoint` may have its own.
    seed : int
        The same seed and target give the same bits, also when the fit was interrupted.
    iterations : int
        Coarse runs at most (at each state).
    tolerance : float
        χ² at which the structure counts as reached. 1 is noise alone; a little more lets the
        scatter of χ² pass.
    pressure_error : float, optional
        Standard error that the pressure must have before it counts as reached; runs become longer
        until it has. 2 % of ρ kT when omitted.
    smoothing : float, optional
        Features of a potential narrower than this fraction of its range (of r_max for pairs) are
        taken for noise. What suits the target best, by cross-validation, when omitted.
    exclude : int
        Pairs up to so many bonds apart feel no pair potential and do not count in g(r).
    time, dt, equilibration, every, friction : float, optional
        Of every coarse run (Langevin dynamics). When omitted: a time step of 0.15 / Ω, with Ω the
        fastest of the Einstein frequency, those of bonded terms, and 3 crossings of the mean
        distance per time; 8e7 particle steps but from 5 000 to 500 000 steps; a tenth of that
        before; frames every 25 steps or more; friction 0.2 Ω. They hold in any units. When a run
        is too hot for its thermostat, the time step of the following ones is halved.
    engine : str or Engine, optional
        What makes the coarse runs, as in ``ForceField.run``: ``"lammps"``, for example.

    Raises
    ------
    RegrainError
        Settings that make no sense; on calling, a target that does not fit them.

    Examples
    --------
    >>> import regrain as rg
    >>> form = rg.particles.Table(r_min=0.9, r_max=2.5, points=161)
    >>> isinstance(rg.fits.IBI(pairs={("A", "A"): form}, temperature=1.0), rg.fits.StructureFit)
    True

    Notes
    -----
    A new method is a subclass whose ``_update(problems)`` gives an `Update`; problems are one per
    state, each with its target, temperature, pressure and weight.
    """

    #: What forms may miss: `Law.missing` of those that the method can fit.
    fills: ClassVar[tuple[str, ...]] = ("energy",)

    pairs: Mapping[Types, Any] = field(default_factory=dict)
    temperature: float
    pressure: float | None = None
    bonds: Mapping[Types, Any] = field(default_factory=dict)
    angles: Mapping[Types, Any] = field(default_factory=dict)
    dihedrals: Mapping[Types, Any] = field(default_factory=dict)
    triples: Mapping[Types, Any] = field(default_factory=dict)
    charges: Coulomb | None = None
    external: Any = None
    biases: Any = None
    seed: int = 0
    iterations: int = 10
    tolerance: float = 1.25
    pressure_error: float | None = None
    smoothing: float | None = None
    exclude: int = 2
    time: float | None = None
    dt: float | None = None
    equilibration: float | None = None
    every: float | None = None
    friction: float | None = None
    engine: Any = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        for key in (
            "temperature",
            "tolerance",
            "pressure_error",
            "time",
            "dt",
            "every",
            "friction",
        ):
            value = getattr(self, key)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise RegrainError(f"{name}: {key} is {value}; give a positive number")
        for key in ("smoothing", "iterations", "exclude", "equilibration", "seed"):
            value = getattr(self, key)
            if value is not None and not (np.isfinite(value) and value >= 0):
                raise RegrainError(f"{name}: {key} is {value}; give a number of 0 or more")
        if self.engine is not None:
            find_engine(self.engine)
        for key in ("iterations", "exclude", "seed"):
            if int(getattr(self, key)) != getattr(self, key):
                raise RegrainError(f"{name}: {key} is {getattr(self, key)}; give a whole number")
        settle_beside(self)
        if self.pressure is not None and not np.isfinite(self.pressure):
            raise RegrainError(
                f"{name}: pressure is {self.pressure}; give a finite number, or None"
            )

    @abstractmethod
    def _update(self, problems: Sequence[Problem]) -> Update:
        """The method, set up for the problems of all states; refuses what it cannot do."""

    # ------------------------------------------------------------------ the loop

    def __call__(
        self,
        target: Any,
        *,
        workdir: str | os.PathLike[str] | None = None,
        progress: bool | None = None,
    ) -> Result:
        """Fit.

        Parameters
        ----------
        target : Trace, or sequence of StatePoint
            Of coarse particles: what a map made of a fine trace. With several state points the
            potentials are those that suit all of them.
        workdir : path, optional
            Directory that keeps every iteration; a fit that finds itself there resumes.
        progress : bool, optional
            Write each line of the history to stderr as it is made, with a bar for the runs; when
            stderr is a terminal, if omitted.

        Returns
        -------
        Result

        Raises
        ------
        RegrainError
            A target that does not fit the settings, a workdir of another fit, or a coarse run that
            went wrong (the iteration is named).
        """
        show = sys.stderr.isatty() if progress is None else progress
        problems = self._problems(target)
        update = self._update(problems)
        kept = None if workdir is None else Workdir(workdir, self._settings(problems))
        records = [] if kept is None else kept.load()[: self.iterations * len(problems)]
        wanted = [target_numbers(problem) for problem in problems]
        first = update.first()
        samplings = tuple(Sampling.plan(self, problem, first) for problem in problems)
        if records:
            self._tell(show, History(records, targets=wanted), None)
        while (reason := self._stop(problems, records)) is None:
            state = len(records) % len(problems)
            rounds = records[: len(records) - state]
            if state:
                potentials = records[-1].potentials
            else:
                potentials = update.next(rounds) if rounds else first
            new = self._run(
                problems, samplings, update, rounds, potentials, state=state, progress=show
            )
            if state == len(problems) - 1:
                new = replace(new, scores=update.scores([*records, new]))
            records.append(new)
            if kept is not None:
                kept.save(len(records) - 1, new)
            self._tell(show, History(records, targets=wanted), len(records) - 1)
        best = self._best(problems, records)
        final = records[best].potentials if records else first
        whole = best - best % len(problems) + len(problems)
        last = records[whole - len(problems) : whole]
        return Result(
            problems=problems,
            history=History(records, targets=wanted),
            converged=bool(records) and self._worst(problems, last)[1] <= 1.0,
            reason=reason,
            errors=update.errors(records[:whole]),
            estimates=tuple(update.estimates(records[:whole])),
            best=best,
            samplings=samplings,
            _final=final,
        )

    def _problems(self, target: Any) -> tuple[Problem, ...]:
        forms = {kind: getattr(self, f"{kind}s") for kind in KINDS}
        problems = pose_all(
            target,
            forms,
            temperature=self.temperature,
            pressure=self.pressure,
            exclude=self.exclude,
        )
        problems = tuple(replace(problem, **beside(self)) for problem in problems)
        for problem in problems:
            check_beside(type(self).__name__, problem)
            if problem.trace is not None:
                warn_forgotten(self, problem.trace)
        for term in problems[0].terms:
            if term.kind == "triple":
                raise RegrainError(
                    f"{type(self).__name__}: {term.label} is a form, but distributions of pairs do "
                    "not tell triples; give a potential with numbers, or use ForceMatching"
                )
            if term.form.missing not in self.fills:
                raise RegrainError(
                    f"{type(self).__name__} fits tables, {term.label} is {term.form!r}; give a "
                    "table without energies, or use RelativeEntropy"
                )
        for problem in problems:
            if problem.pressure is not None and not problem.of_kind("pair"):
                raise RegrainError(
                    f"{type(self).__name__}: the pressure is constrained through pair potentials, "
                    "but none is fitted; give a pair form, or pressure=None"
                )
        return problems

    def _run(
        self,
        problems: Sequence[Problem],
        samplings: Sequence[Sampling],
        update: Update,
        rounds: list[Iteration],
        potentials: Potentials,
        *,
        state: int,
        progress: bool,
    ) -> Iteration:
        """Run at one state, measure, compare."""
        start = monotonic()
        index = len(rounds) + state
        problem, sampling = problems[state], samplings[state]
        change = self._change(problem, rounds[-1].potentials if rounds else None, potentials)
        before = rounds[state :: len(problems)]
        time = sampling.time * self._stretch(problem, before)
        refine = 2.0 ** sum(too_hot(problem, record) for record in before)
        try:
            trace = sampling.run(
                problem, potentials, index, time=time, refine=refine, progress=progress
            )
        except RegrainError as error:
            free = not rounds and any(term.form.missing == "parameters" for term in problem.terms)
            hint = "; or start from parameters under which the target has no overlaps"
            raise RegrainError(
                f"coarse run {index + 1} of the fit: {error}{hint if free else ''}"
            ) from error
        measured, (pressure,) = measure_structure(
            trace,
            problem.interactions,
            exclude=self.exclude,
            reach=problem.reach,
            extra=[Pressure()],
        )
        integrals = kirkwood_buff_of(problem, trace)
        return Iteration(
            potentials=potentials,
            measured=measured,
            pressure=float(pressure),
            pressure_error=0.0 if pressure.error is None else float(pressure.error),
            rms=rms(problem, measured),
            chi2=chi_squared(problem, measured),
            kirkwood_buff=integrals,
            compressibility=compressibility(problem, integrals),
            change=change,
            temperature=float(np.mean(trace.log["temperature"])),
            time=time,
            seconds=round(monotonic() - start, 2),
            extra=update.measure(trace, problem),
            state=state,
        )

    def _change(self, problem: Problem, old: Potentials | None, new: Potentials) -> float:
        changes = [
            self._change_of(
                term, problem, None if old is None else old[term.label], new[term.label]
            )
            for term in problem.interactions
        ]
        return float(max(changes))

    def _change_of(self, term: Interaction, problem: Problem, old: Any, new: Any) -> float:
        distribution = problem.target[term.label]
        seen = distribution.x[distribution.sampled(term.kind)]
        x = term.nodes[(term.nodes >= seen[0]) & (term.nodes <= seen[-1])]
        finite = bool(np.all(np.isfinite(new)))
        now = term.potential(new).u(x) if finite else np.inf
        before = 0.0 if old is None else term.potential(old).u(x)
        worst = float(np.max(np.abs(now - before)))
        far = old is not None and worst > TOO_MUCH * problem.kt
        if not finite or (far and term.form.missing == "energy"):
            raise RegrainError(
                f"{term.label}: the next update changes the potential by {worst:.3g} "
                f"({worst / problem.kt:.3g} kT), so the fit diverges; the target may not be one "
                "homogeneous phase at this temperature, or the pressure out of reach: try "
                "pressure=None, longer runs or a longer table"
            )
        return worst

    # ------------------------------------------------------------------ when to stop

    def _pressure_error(self, problem: Problem) -> float:
        if self.pressure_error is not None:
            return self.pressure_error
        ideal = sum(problem.densities.values()) * problem.kt * problem.units.pressure_factor
        return 0.02 * ideal

    def _violation(self, problem: Problem, record: Iteration, *, fine: bool = True) -> float:
        """How far the worse of structure and pressure is from what is asked; 1 is reached.

        Without ``fine`` a pressure that is known better than it has to be counts no more for that.
        """
        structure = record.chi2 / self.tolerance
        if too_hot(problem, record):
            return max(structure, 1.0) * record.temperature / problem.temperature
        if problem.pressure is None:
            return structure
        needed = self._pressure_error(problem)
        error = max(record.pressure_error, 1e-300 if fine else needed)
        miss = abs(record.pressure - problem.pressure) / (AGREES * error)
        return max(structure, miss, record.pressure_error / needed)

    def _stretch(self, problem: Problem, records: list[Iteration]) -> float:
        """By how much runs have to be longer than planned, for the error of the pressure."""
        factor = 1.0
        if problem.pressure is not None:
            for record in records:
                excess = (record.pressure_error / self._pressure_error(problem)) ** 2
                factor *= min(max(excess, 1.0), LONGER)
        return factor

    def _worst(
        self, problems: Sequence[Problem], runs: Sequence[Iteration], *, fine: bool = True
    ) -> tuple[int, float]:
        """Which state of a round is furthest off, and its violation."""
        each = [
            self._violation(problem, record, fine=fine)
            for problem, record in zip(problems, runs, strict=True)
        ]
        return int(np.argmax(each)), max(each)

    def _stop(self, problems: Sequence[Problem], records: list[Iteration]) -> str | None:
        count = len(problems)
        if len(records) % count:
            return None
        if records and self._worst(problems, records[-count:])[1] <= 1.0:
            return self._agreement(problems, records[-count:])
        if len(records) >= self.iterations * count:
            return (
                f"{len(records)} coarse runs were made"
                if records
                else ("no coarse run was asked for")
            )
        return None

    def _agreement(self, problems: Sequence[Problem], runs: Sequence[Iteration]) -> str:
        """What the last round of a fit that has converged shows."""
        count, pressed = len(problems), any(problem.pressure is not None for problem in problems)
        return (
            "structure"
            + (" and pressure agree" if pressed else " agrees")
            + (" with the target" if count == 1 else f" with the targets at {count} states")
            + " within their errors"
        )

    def _best(self, problems: Sequence[Problem], records: list[Iteration]) -> int:
        """Index of the worst run of the best round."""
        if not records:
            return 0
        count = len(problems)
        rounds = [records[k : k + count] for k in range(0, len(records), count)]
        if self._worst(problems, rounds[-1])[1] <= 1.0:
            best = len(rounds) - 1
        else:
            best = int(np.argmin([self._worst(problems, r, fine=False)[1] for r in rounds]))
        return best * count + self._worst(problems, rounds[best], fine=False)[0]

    # ------------------------------------------------------------------ keeping and telling

    def _settings(self, problems: Sequence[Problem]) -> dict[str, Any]:
        """What must be the same for a fit to be resumed."""
        settings: dict[str, Any] = {"method": type(self).__name__}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in _NOT_KEPT:
                continue
            if item.name == "engine" and value is not None:
                value = repr(value)
            if isinstance(value, Mapping):
                value = {"-".join(key): _plain(kept) for key, kept in value.items()}
            settings[item.name] = _plain(value)
        states = [[p.temperature, p.pressure, p.weight, p.fingerprint()] for p in problems]
        if len(states) == 1 and states[0][:3] == [self.temperature, self.pressure, 1.0]:
            settings["target"] = states[0][3]
        else:
            settings["states"] = states
        return settings

    @staticmethod
    def _tell(show: bool, history: History, index: int | None) -> None:
        if show:
            if index is None or index == 0:  # with the first line its columns are known
                print(history.head, file=sys.stderr)
            if index is not None:
                print(history.line(index), file=sys.stderr)


def too_hot(problem: Problem, record: Iteration) -> bool:
    """Whether the time step heated a run, beyond the scatter of its kinetic temperature.

    Examples
    --------
    >>> from regrain.fits.structural.loop import too_hot  # every fit asks
    """
    return record.temperature > problem.temperature * (1.0 + HOT)


def _plain(value: Any) -> Any:
    """JSON-able."""
    return value.to_dict() if hasattr(value, "to_dict") else value
