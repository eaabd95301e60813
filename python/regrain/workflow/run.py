"""The whole square on a user's files: load, map, fit, run, compare."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from regrain.errors import RegrainError
from regrain.particles import Particles
from regrain.report.transferability import check_fine
from regrain.trace import Trace
from regrain.workflow.config import Config

__all__ = ["Square", "square", "usual"]


@dataclass(frozen=True)
class Square:
    """What the square left behind.

    Attributes
    ----------
    target, coarse : Trace
        The mapped fine trace, and that of the coarse model.
    result : Result
        Of the fit.
    report : Report
    files : dict of str to Path
        What was written, by what it is.

    Examples
    --------
    See `square`, which makes them.

    >>> from regrain.workflow import Square
    >>> list(Square.__dataclass_fields__)
    ['target', 'result', 'coarse', 'report', 'files']
    """

    target: Trace[Any]
    result: Any
    coarse: Trace[Any]
    report: Any
    files: dict[str, Path]


def square(
    config: Config | Mapping[str, Any] | str | PathLike[str],
    *,
    workdir: str | PathLike[str],
    progress: bool | None = None,
) -> Square:
    """Load, map, fit, run and compare; what is interrupted goes on where it was.

    Parameters
    ----------
    config : Config, mapping or path
        The settings: see `Config`.
    workdir : path
        Gets ``fit/`` (one file per iteration), ``coarse.npz`` (the checkpoint of the coarse run),
        ``transfer/`` (those of runs at other temperatures), and at the end ``model.json``,
        ``coarse.gsd``, ``report.html``, ``report.json`` and the tables for other engines.
    progress : bool, optional
        Tell on stderr what is going on; when stderr is a terminal, if omitted.

    Returns
    -------
    Square

    Raises
    ------
    RegrainError
        Settings that are wrong (before any work), files that cannot be read, a fit or run that goes
        wrong, or a workdir of other settings.

    Examples
    --------
    >>> from regrain.workflow import square
    >>> wrong = {"input": {"example": "spce"}, "map": {"wieghts": "mass"}, "fit": {}, "run": {}}
    >>> square(wrong, workdir="water")
    Traceback (most recent call last):
        ...
    regrain.errors.RegrainError: key of [map]: got 'wieghts', expected one of ...;
    did you mean 'weights'?
    """
    if not isinstance(config, Config):
        config = Config.from_dict(config) if isinstance(config, Mapping) else Config.read(config)
    show = sys.stderr.isatty() if progress is None else progress
    home = Path(workdir)
    if home.exists() and not home.is_dir():
        raise RegrainError(f"workdir: {home} is a file; give a directory")
    io, reports = import_module("regrain.io"), import_module("regrain.report")

    def tell(text: str) -> None:
        if show:
            print(text, file=sys.stderr, flush=True)

    fine = io.load(**config.load)
    tell(f"fine: {fine!r}, {fine[0]!r}")
    target = config.mapping(fine)
    tell(f"target: {target[0]!r}")
    others = _others(config, target)
    home.mkdir(parents=True, exist_ok=True)
    tell(f"fit: {type(config.fit).__name__}, kept in {home / 'fit'}")
    asked = inspect.signature(config.fit.__call__).parameters
    given = {"workdir": home / "fit", "progress": show}
    result = config.fit(target, **{k: v for k, v in given.items() if k in asked})
    result.model.save(home / "model.json")
    tell("run: the coarse model")
    # Other engines have no checkpoints: what was run in one is run again.
    checkpoint = None if config.run.get("engine") else home / "coarse.npz"
    coarse = result.model.run(target[0], **config.run, checkpoint=checkpoint, progress=show)
    tell("report: both traces are measured")
    observables = config.observables or usual(target)
    report = reports.compare(target, coarse, observables, fit=result, **config.compare)
    if config.transfer is not None:
        tell("transfer: the same model at other temperatures")
        moving = {**config.transfer, "fine": others}
        moving = _elsewhere(moving, target, result.model, config.compare.get("known", {}))
        moved = reports.transfer(
            result.model,
            observables=observables,
            workdir=home / "transfer",
            progress=show,
            **moving,
        )
        report = report.with_section(moved)
    return Square(target, result, coarse, report, _write(config, home, result, coarse, report))


def _others(config: Config, target: Trace[Any]) -> dict[float, Trace[Any]]:
    """The mapped fine traces at other temperatures, looked at before any work begins."""
    io, found = import_module("regrain.io"), {}
    for t, load in ({} if config.transfer is None else config.transfer["fine"]).items():
        try:
            found[t] = config.mapping(io.load(**load))
            check_fine(found[t], target[0], f"{t:g}")
        except RegrainError as error:
            raise RegrainError(f"[transfer.fine.{t:g}]: {error}") from error
    return found


def _elsewhere(
    settings: Mapping[str, Any],
    target: Trace[Any],
    model: Any,
    known: Mapping[str, Any],
) -> dict[str, Any]:
    """Arguments of ``rg.transfer``: where the model was fitted, the target is the fine side."""
    found = {**settings, "fine": dict(settings["fine"]), "known": dict(settings["known"])}
    if model.temperature in settings["temperatures"]:
        found["fine"].setdefault(model.temperature, target)
        here = {k: v for k, v in known.items() if k not in ("wall_time", "temperature")}
        found["known"].setdefault(model.temperature, here)
    # A fine trace has the density of its temperature.
    starts = {t: found["fine"].get(t, target)[0] for t in settings["temperatures"]}
    return {**found, "state": starts}


def usual(target: Trace[Particles]) -> list[Any]:
    """The observables of a report that names none: structure, pressure and dynamics.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.particles import Particles
    >>> from regrain.workflow.run import usual
    >>> state = Particles(np.zeros((1, 3)), box=[5.0, 5.0, 5.0])
    >>> usual(Trace([state], times=[0.0]))[0]
    RDF(r_max=2.4, bins=None, dr=None, pairs=None, exclude=0)
    """
    observables = import_module("regrain.observables")
    heights = 1.0 / np.linalg.norm(np.linalg.inv(target[0].box), axis=0)
    # A little inside half the box, which may breathe.
    found = [observables.RDF(r_max=round(0.48 * float(heights.min()), 2))]
    topology = target[0].topology
    if len(topology.bonds):
        found.append(observables.BondLengths())
    if len(topology.angles):
        found.append(observables.BondAngles())
    return [*found, observables.Pressure(), observables.Diffusion()]


def _write(config: Config, home: Path, result: Any, coarse: Any, report: Any) -> dict[str, Path]:
    io = import_module("regrain.io")
    files = {"model": home / "model.json", "trajectory": io.save(coarse, home / "coarse.gsd")}
    files["report"] = report.save(home / "report.html")
    files["report, for programs"] = report.save(home / "report.json")
    for name in config.export:
        for written in io.export(result.model, home / name):
            files[f"table {written.name}"] = written
    return files
