"""Top-down: the parameters of a model that make an observable what an experiment found."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.checkpoint import load_json, save_json
from regrain.errors import RegrainError
from regrain.fits.top_down.search import Search
from regrain.fits.top_down.target_result import Evaluation, TargetResult

__all__ = ["Target"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Target:
    """Parameters of any model so that any observable is what it should be.

    The model is made and run at chosen parameters, each time with another seed. Around the best
    point so far the observable is a quadratic with slopes from regression over all runs nearby;
    its root is the next point. Runs are placed as far apart as their noise asks, and made until
    the error of the observable is half of that of the target, or less.

    Parameters
    ----------
    make : callable
        ``make(**parameters)`` gives a model.
    parameters : mapping of str to (float, float)
        The bracket of each parameter, low and high.
    observable : callable, or mapping of str to callable
        ``observable(trace)`` gives an `Estimate`, a pair (value, error), or a number (then the
        noise is taken from the scatter of the runs). Several targets are several names.
    value, error : float, or mapping of str to float
        What it should be, and how well that is known: the error of the experiment, or how close
        is close enough.
    run : callable
        ``run(model, seed)`` gives what the observable is called on, as a rule a trace.
    seed : int
        The same seed gives the same bits, with any executor, also when interrupted.
    evaluations : int
        Runs at most.

    Raises
    ------
    RegrainError
        Settings that make no sense; on calling, a run that fails or an observable that is no
        finite number (the parameters are named).

    Loses / Assumes
    ---------------
    One number fixes one parameter and says nothing else about the model: whatever was not asked
    for is not there. Runs are long enough to be in equilibrium and their errors are honest (a
    scatter that is larger is believed instead). Of several roots in a bracket only one is found;
    a hint is given where others were seen. Errors of several observables of one run are taken as
    independent.

    Notes
    -----
    One parameter begins with a scan of five points over its bracket, several parameters with a star
    in the middle. A feature narrower than a quarter of the bracket can be missed.

    Examples
    --------
    The spring whose mean square extension is 0.5 kT:

    >>> import numpy as np
    >>> import regrain as rg
    >>> def run(model, seed):
    ...     return np.random.default_rng(seed).normal(0, 1 / np.sqrt(model.k), 400)
    >>> def square(x):
    ...     return np.mean(x**2), np.std(x**2) / 20
    >>> fit = rg.fits.Target(
    ...     make=lambda k: rg.particles.HarmonicBond(k=k, r0=0.0), parameters={"k": (0.5, 8.0)},
    ...     observable=square, value=0.5, error=0.05, run=run, seed=1,
    ... )
    >>> result = fit()
    >>> result.converged
    True
    >>> low, high = result.parameters["k"].interval(0.95)
    >>> bool(low < 2.0 < high)
    True
    """

    make: Callable[..., Any]
    parameters: Mapping[str, tuple[float, float]]
    observable: Any
    value: Any
    error: Any
    run: Callable[[Any, int], Any]
    seed: int = 0
    evaluations: int = 60

    def __post_init__(self) -> None:
        if not self.parameters:
            raise RegrainError('Target: give parameters, as in {"epsilon": (0.5, 2.0)}')
        for name, bracket in self.parameters.items():
            ends = np.asarray(bracket, dtype=float)
            if ends.shape != (2,) or not np.all(np.isfinite(ends)) or ends[0] >= ends[1]:
                raise RegrainError(
                    f"Target: the bracket of {name} is {bracket}; give (low, high) with low < high"
                )
        names = self._several(self.observable)
        for what, given in (("value", self.value), ("error", self.error)):
            if self._several(given) != names:
                other = _names(self._several(given))
                raise RegrainError(
                    f"Target: observable names {_names(names)}, {what} {other}; give one of each "
                    "for every target"
                )
            for name, number in self._by_name(given).items():
                good = isinstance(number, int | float | np.number) and np.isfinite(number)
                if not good or (what == "error" and number <= 0):
                    raise RegrainError(
                        f"Target: {what} of {name} is {number!r}; give a "
                        + ("positive number: the error of the experiment, or how close is close "
                           "enough" if what == "error" else "finite number")
                    )  # fmt: skip
        if len(self.goals) < len(self.parameters):
            raise RegrainError(
                f"Target: {len(self.goals)} observable cannot fix {len(self.parameters)} parameters"
                "; give as many targets, or fewer parameters"
            )
        for what in ("make", "run"):
            if not callable(getattr(self, what)):
                raise RegrainError(f"Target: {what} is {getattr(self, what)!r}, not a function")
        for name, observable in self._by_name(self.observable).items():
            if not callable(observable):
                raise RegrainError(f"Target: observable {name} is {observable!r}, not a function")
        if self.evaluations < 8 or self.evaluations != int(self.evaluations):
            raise RegrainError(f"Target: evaluations is {self.evaluations}; give 8 or more")
        if self.seed < 0 or self.seed != int(self.seed):
            raise RegrainError(f"Target: seed is {self.seed}; give a whole number of 0 or more")

    @staticmethod
    def _several(given: Any) -> tuple[str, ...] | None:
        return tuple(sorted(given)) if isinstance(given, Mapping) else None

    def _by_name(self, given: Any) -> dict[str, Any]:
        if isinstance(given, Mapping):
            return {name: given[name] for name in self.observable}
        return {getattr(self.observable, "name", None) or "observable": given}

    @property
    def goals(self) -> dict[str, tuple[float, float]]:
        """What is wanted, by name: value and error."""
        values, errors = self._by_name(self.value), self._by_name(self.error)
        return {name: (float(values[name]), float(errors[name])) for name in values}

    # ------------------------------------------------------------------ the search

    def __call__(
        self,
        *,
        workdir: str | os.PathLike[str] | None = None,
        executor: Executor | None = None,
    ) -> TargetResult:
        """Search.

        Parameters
        ----------
        workdir : path, optional
            Directory that keeps every run's numbers; a search that finds itself there resumes.
        executor : concurrent.futures.Executor, optional
            Makes the runs of a round at the same time. One of processes needs functions that
            pickle, which lambdas do not.

        Raises
        ------
        RegrainError
            A run that fails, an observable that is no finite number, or a workdir of another
            search.
        """
        kept = None if workdir is None else Kept(Path(workdir), self._settings())
        low = np.array([ends[0] for ends in self.parameters.values()], dtype=float)
        high = np.array([ends[1] for ends in self.parameters.values()], dtype=float)
        goals = np.array(list(self.goals.values()))
        search = Search(goals[:, 0], goals[:, 1], dimensions=len(low), budget=self.evaluations)
        history: list[Evaluation] = []
        while len(points := search.wanted()):
            batch = self._evaluate(low + points * (high - low), len(history), kept, executor)
            history += batch
            search.add(points, batch)
        return TargetResult.of(self, search.found(), history, low, high)

    def _evaluate(
        self, points: Floats, first: int, kept: Kept | None, executor: Executor | None
    ) -> list[Evaluation]:
        """The runs of a round, those that a workdir has from there."""
        done: dict[int, Evaluation] = {}
        tasks: dict[int, tuple[dict[str, float], int]] = {}
        for i, point in enumerate(points, first):
            given = dict(zip(self.parameters, map(float, point), strict=True))
            before = None if kept is None else kept.load(i, given)
            if before is not None:
                done[i] = before
            else:
                seed = int(np.random.SeedSequence([int(self.seed), i]).generate_state(1)[0])
                tasks[i] = (given, seed)
        work = (self.make, self.run, self._by_name(self.observable))
        results: dict[int, Callable[[], Any]]
        if executor is None:
            results = {i: partial(evaluate, *work, *task) for i, task in tasks.items()}
        else:
            try:
                futures = {i: executor.submit(evaluate, *work, *t) for i, t in tasks.items()}
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                raise _not_pickled(error) from error
            results = {i: future.result for i, future in futures.items()}
        for i, result in results.items():
            given, seed = tasks[i]
            where = ", ".join(f"{name} = {value:.6g}" for name, value in given.items())
            try:
                values, errors, seconds = result()
            except (pickle.PicklingError, AttributeError) as error:
                if executor is not None and "pickle" in str(error).lower():
                    raise _not_pickled(error) from error
                raise
            except RegrainError as error:
                raise RegrainError(f"run {i + 1} ({where}): {error}") from error
            done[i] = Evaluation(i, given, values, errors, seed, seconds)
            if kept is not None:
                kept.save(done[i])
        return [done[i] for i in sorted(done)]

    def _settings(self) -> dict[str, Any]:
        """What must be the same for a search to be resumed; functions cannot be compared."""
        return {
            "method": "Target",
            "parameters": {k: [float(x) for x in v] for k, v in self.parameters.items()},
            "goals": {name: list(goal) for name, goal in self.goals.items()},
            "seed": int(self.seed),
        }


def _names(names: tuple[str, ...] | None) -> str:
    return "one number" if names is None else ", ".join(names)


def _not_pickled(error: Exception) -> RegrainError:
    return RegrainError(
        f"the executor cannot send the functions to other processes ({error}); give functions that "
        "a module defines, or a ThreadPoolExecutor"
    )


def evaluate(
    make: Callable[..., Any],
    run: Callable[[Any, int], Any],
    observables: Mapping[str, Any],
    parameters: Mapping[str, float],
    seed: int,
) -> tuple[dict[str, float], dict[str, float | None], float]:
    """One run: the values of the observables, their errors (None: not known), and seconds.

    Raises
    ------
    RegrainError
        An observable that is undefined, or no finite number.

    Examples
    --------
    >>> from regrain.fits.top_down.target import evaluate
    >>> evaluate(lambda a: a, lambda model, seed: model, {"b": lambda x: 2 * x}, {"a": 1.5}, 0)[:2]
    ({'b': 3.0}, {'b': None})
    """
    start = monotonic()
    trace = run(make(**parameters), seed)
    values: dict[str, float] = {}
    errors: dict[str, float | None] = {}
    for name, observable in observables.items():
        found = observable(trace)
        if isinstance(found, tuple):
            value, error = found
        else:
            value, error = found, getattr(found, "error", None)
        try:
            values[name] = float(value)
            errors[name] = None if error is None else float(error)
        except (TypeError, ValueError) as wrong:
            if isinstance(wrong, RegrainError):  # an estimate says why itself
                raise
            raise RegrainError(
                f"{name} gave {found!r}; expected an Estimate, (value, error) or a number"
            ) from wrong
        if not np.isfinite(values[name]) or not (errors[name] is None or errors[name] >= 0):  # type: ignore[operator]
            raise RegrainError(
                f"{name} is {value} ± {error}, which is no finite number; narrow the bracket, or "
                "make the run longer"
            )
    return values, errors, round(monotonic() - start, 3)


class Kept:
    """The runs of a search in a directory, one file each.

    Examples
    --------
    >>> from pathlib import Path
    >>> from regrain.fits.top_down.target import Kept
    >>> Kept(Path("search"), {"seed": 1}).load(0, {"k": 1.0}) is None
    True
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        if path.exists() and not path.is_dir():
            raise RegrainError(f"workdir: {path} is a file; give a directory")
        path.mkdir(parents=True, exist_ok=True)
        file = path / "settings.json"
        if file.exists() and load_json(file) != settings:
            raise RegrainError(
                f"workdir: {path} holds another search ({load_json(file)}); give the same settings "
                "to resume it, another directory, or delete this one"
            )
        save_json(file, settings)

    def _file(self, index: int) -> Path:
        return self.path / f"run-{index + 1:03d}.json"

    def load(self, index: int, parameters: dict[str, float]) -> Evaluation | None:
        """The run if it was made."""
        if not self._file(index).exists():
            return None
        content = load_json(self._file(index))
        if content["parameters"] != parameters:
            raise RegrainError(
                f"workdir: {self._file(index)} was made at {content['parameters']}, not at "
                f"{parameters}: earlier runs were changed; give another directory"
            )
        return Evaluation(**content)

    def save(self, run: Evaluation) -> None:
        """Keep a run; atomic."""
        save_json(self._file(run.index), run.to_dict())
