"""What a user writes in a TOML file, checked and made into objects before any work begins."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

from regrain.errors import RegrainError, unknown
from regrain.maps import Beads, Map
from regrain.particles import NVE, Langevin
from regrain.particles.run import Settings
from regrain.particles.terms import KINDS
from regrain.report.known import Known
from regrain.report.transferability import by_temperature, temperatures_of

__all__ = ["Config", "engine_of", "frames_of", "make", "methods"]

SECTIONS = ("input", "map", "fit", "run", "report", "transfer")
MOVERS = {"dynamics": ("Langevin", "NVE", "NoseHoover"), "barostat": ("CellRescale",)}


def frames_of(text: str | Sequence[int] | int | None) -> slice | Sequence[int] | int | None:
    """Which frames: ``"start:stop:step"`` as in Python, or indices.

    Raises
    ------
    RegrainError
        Neither.

    Examples
    --------
    >>> from regrain.workflow.config import frames_of
    >>> frames_of("10::2")
    slice(10, None, 2)
    """
    if not isinstance(text, str):
        return text
    try:
        parts = [int(part) if part.strip() else None for part in text.split(":")]
    except ValueError:
        parts = []
    if not 2 <= len(parts) <= 3:
        raise RegrainError(f'frames: got {text!r}, expected "start:stop" or "start:stop:step"')
    return slice(*parts)


@dataclass(frozen=True)
class Config:
    """The settings of a square, checked; everything is made before the work begins.

    Attributes
    ----------
    load : dict
        Arguments of ``rg.load``.
    mapping : Map
    fit : Fit
    run : dict
        Arguments of ``ForceField.run``.
    observables : tuple of Observable
        Those of a liquid when empty.
    compare : dict
        Arguments of ``rg.compare``.
    export : tuple of str
        Names of the files of tables for other engines.
    transfer : dict or None
        Arguments of ``rg.transfer``, where ``fine`` has those of ``rg.load`` for each temperature;
        None when there is no such section.

    Notes
    -----
    The sections of the file and their keys are the arguments of what they stand for:

    ``[input]``
        ``trajectory`` (relative to the file), and the arguments of ``rg.load``; ``frames`` is a
        string such as ``"100:"``. ``example`` instead of both files names a shipped one.
    ``[map]``
        The arguments of ``Beads``, or ``file``, a mapping file.
    ``[fit]``
        ``method`` (any fit; ``HNCGN`` when omitted) and its arguments. Interactions are tables
        named by types, ``[fit.pairs.A-B]`` (``"A,B"`` if names contain hyphens): the form to be
        fitted (a table if it has ``points``, a B-spline if it has ``functions``, or the one named
        by ``potential``), a ``potential`` with its parameters, of which those in ``free`` are
        fitted, a name alone where a method takes classes, or ``false`` for none. Other tables with
        a ``kind`` are objects of that name.
    ``[run]``
        The arguments of ``ForceField.run``; ``dynamics``, ``barostat`` and ``engine`` are tables
        with ``kind``, or names.
    ``[report]``
        ``observables``, tables by name; ``export``, names of table files for other engines;
        ``known``, values such as ``pressure = [-60.0, 20.0]``; the arguments of ``rg.compare``.
    ``[transfer]``
        The arguments of ``rg.transfer``; what is not said is as in ``[run]``, and the observables
        are those of the report. ``[transfer.fine.280]`` says where the fine trace at 280 is, with
        the keys of ``[input]``; ``[transfer.known.280]`` what is known there.

    Examples
    --------
    >>> from regrain.workflow import Config
    >>> Config.from_dict({"input": {"example": "spce"}, "fit": {}, "runs": {}})
    Traceback (most recent call last):
        ...
    regrain.errors.RegrainError: section: got 'runs', expected one of fit, input, map, report, run,
    transfer; did you mean 'run'?
    """

    load: dict[str, Any]
    mapping: Map
    fit: Any
    run: dict[str, Any]
    observables: tuple[Any, ...] = ()
    compare: dict[str, Any] = field(default_factory=dict)
    export: tuple[str, ...] = ("model.table",)
    transfer: dict[str, Any] | None = None

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Config:
        """The settings in a TOML file; its errors name the file.

        Raises
        ------
        RegrainError
            No such file, not TOML, settings that are not known or wrong.
        """
        file = Path(path)
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise RegrainError(f"cannot read {file}: {error.strerror}") from error
        except ValueError as error:
            raise RegrainError(f"{file} is not TOML: {error}") from error
        try:
            return cls.from_dict(given, base=file.parent)
        except RegrainError as error:
            raise RegrainError(f"{file}: {error}") from error

    @classmethod
    def from_dict(cls, given: Mapping[str, Any], *, base: str | PathLike[str] = ".") -> Config:
        """The same from nested mappings; paths are relative to ``base``.

        Raises
        ------
        RegrainError
            Settings that are not known, missing or wrong.
        """
        for name in given:
            if name not in SECTIONS:
                raise unknown("section", name, SECTIONS)
            if not isinstance(given[name], Mapping):
                raise RegrainError(f"[{name}] holds {given[name]!r}, expected a table of settings")
        parts = {name: dict(given.get(name, {})) for name in SECTIONS}
        for name in ("input", "fit", "run"):
            if name not in given:
                raise RegrainError(f"the section [{name}] is missing")
        home = Path(base)
        load, mapping = _input(parts["input"], home), _map(parts["map"], home)
        fit, run = _fit(parts["fit"]), _run(parts["run"])
        _check_thermostat(fit, run)
        observables, compare, export = _report(parts["report"])
        _check_known(compare.get("known"), observables, "[report.known]")
        transfer = None
        if "transfer" in given:
            transfer = _transfer(parts["transfer"], run, home)
            for t, told in transfer["known"].items():
                _check_known(told, observables, f"[transfer.known.{t:g}]")
        return cls(load, mapping, fit, run, observables, compare, export, transfer)


def make(kind: Callable[..., Any], given: Mapping[str, Any], where: str, **fixed: Any) -> Any:
    """``kind(**given, **fixed)``, where a wrong key is answered with the nearest right one.

    Examples
    --------
    >>> from regrain.maps import Beads
    >>> from regrain.workflow.config import make
    >>> make(Beads, {"by": "residue"}, "[map]")
    Beads(by='residue')
    """
    _check_keys(kind, given, where, fixed)
    try:
        return kind(**given, **fixed)
    except TypeError as error:  # a value of another type, found only where it is used
        raise RegrainError(f"{where}: {error}") from error
    except RegrainError as error:
        raise RegrainError(f"{where}: {error}") from error


def _check_keys(
    kind: Callable[..., Any], given: Mapping[str, Any], where: str, fixed: Mapping[str, Any]
) -> None:
    parameters = {name: p for name, p in _parameters(kind).items() if name not in fixed}
    for key in given:
        if key not in parameters:
            raise unknown(f"key of {where}", key, parameters)
    for name, parameter in parameters.items():
        if name not in given and parameter.default is parameter.empty:
            raise RegrainError(f"{where}: {name} is missing")


def _parameters(kind: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return {
        name: p
        for name, p in inspect.signature(kind).parameters.items()
        if name not in ("self", "_") and p.kind is not p.VAR_KEYWORD
    }


def _named(module: str, name: Any, where: str, allowed: Collection[str] | None = None) -> Any:
    """A class of a module by its public name."""
    home = import_module(module)
    names = allowed
    if names is None:
        names = [n for n in home.__all__ if _is_settings(getattr(home, n))]
    if name not in names:
        raise unknown(where, name, names)
    return getattr(home, name)


def methods() -> dict[str, Any]:
    """The fits by name.

    Examples
    --------
    >>> from regrain.workflow.config import methods
    >>> "HNCGN" in methods()
    True
    """
    home = import_module("regrain.fits")
    found = {
        name: getattr(home, name) for name in home.__all__ if _is_settings(getattr(home, name))
    }
    # Others are called without a trace: they fit what is no part of a square.
    return {name: fit for name, fit in found.items() if "target" in _parameters(fit.__call__)}


def _is_settings(value: Any) -> bool:
    """Whether it is a fit or an observable: a class whose objects are called with a trace."""
    if not inspect.isclass(value) or inspect.isabstract(value) or value.__name__ == "Observable":
        return False
    return any("__call__" in vars(part) for part in value.__mro__)


def _input(given: Mapping[str, Any], base: Path, where: str = "[input]") -> dict[str, Any]:
    io = import_module("regrain.io")
    if "example" in given:
        files = io.example(given["example"])
        others = {key: value for key, value in given.items() if key != "example"}
        given = {"trajectory": files.trajectory, "topology": files.topology, **others}
    names = {"source": "trajectory"}  # as a file of settings calls it
    known = ["example", *(names.get(name, name) for name in _parameters(io.load))]
    for key in given:
        if key not in known:
            raise unknown(f"key of {where}", key, known)
    if "trajectory" not in given:
        raise RegrainError(f"{where}: trajectory is missing")
    keys = {("source" if k == "trajectory" else k): v for k, v in given.items()}
    for key in ("source", "topology"):
        if key in keys:
            keys[key] = base / keys[key]
    if "frames" in keys:
        keys["frames"] = frames_of(keys["frames"])
    return keys


def _map(given: dict[str, Any], base: Path) -> Map:
    if "file" not in given:
        mapping: Beads = make(Beads, given, "[map]")
        return mapping
    if len(given) > 1:
        other = ", ".join(key for key in given if key != "file")
        raise RegrainError(f"[map]: file says everything; leave out {other}")
    return Beads.read(base / given["file"])


def _fit(given: dict[str, Any]) -> Any:
    name = given.pop("method", "HNCGN")
    method = _named("regrain.fits", name, "method of [fit]", methods())
    widths = {f"{kind}s": width for kind, width in KINDS.items()}
    known = ["method", *_parameters(method)]
    for key, value in given.items():
        if key not in known:
            raise unknown("key of [fit]", key, known)
        if key in widths:
            given[key] = _interactions(value, key, widths[key])
        elif isinstance(value, Mapping) and "kind" in value:
            given[key] = _object(value, f"[fit.{key}]")
    return make(method, given, "[fit]")


def _object(given: Mapping[str, Any], where: str) -> Any:
    """Of the class of particles that is named by ``kind``."""
    settings = dict(given)
    particles = import_module("regrain.particles")
    names = [name for name in particles.__all__ if inspect.isclass(getattr(particles, name))]
    kind = _named("regrain.particles", settings.pop("kind"), f"kind of {where}", names)
    return make(kind, settings, where)


def _interactions(given: Any, kind: str, width: int) -> dict[tuple[str, ...], Any]:
    if not isinstance(given, Mapping):
        example = "-".join("ABCD"[:width])
        raise RegrainError(
            f"[fit]: {kind} holds {given!r}, expected tables like [fit.{kind}.{example}]"
        )
    found: dict[tuple[str, ...], Any] = {}
    for key, settings in given.items():
        where = f"[fit.{kind}.{key}]"
        types = tuple(part.strip() for part in key.split("," if "," in key else "-"))
        if len(types) != width or not all(types):
            raise RegrainError(
                f"{where}: {key!r} names {len(types)} types, expected {width}; join them with "
                'hyphens, or with commas if they contain hyphens ("NA-1,CL")'
            )
        found[types] = None if settings is False else _potential(settings, kind[:-1], where)
    return found


def _potential(given: Any, kind: str, where: str) -> Any:
    """A form, a potential some of whose parameters may be free, or names of classes."""
    home = import_module("regrain.particles")
    laws = {n: getattr(home, n) for n in home.__all__ if inspect.isclass(getattr(home, n))}
    laws = {name: law for name, law in laws.items() if getattr(law, "kind", None) == kind}
    names = [given] if isinstance(given, str) else given
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        found = tuple(_named("regrain.particles", n, f"potential of {where}", laws) for n in names)
        return found[0] if isinstance(given, str) else found
    if not isinstance(given, Mapping):
        raise RegrainError(f"{where} holds {given!r}, expected a table of settings, or false")
    settings = dict(given)
    free = settings.pop("free", None)
    name = settings.pop("potential", None)
    if name is None:
        name = _form(settings, laws)
    law = _named("regrain.particles", name, f"potential of {where}", laws)
    potential = make(law, settings, where)
    if free is None:
        return potential
    free = [free] if isinstance(free, str) else free
    fits = import_module("regrain.fits")
    try:
        return fits.Free(potential, *free)
    except (RegrainError, TypeError) as error:
        raise RegrainError(f"{where}: {error}") from error


def _form(settings: Mapping[str, Any], laws: Mapping[str, Any]) -> str:
    """The form that has most of these keys: points make a table, functions a B-spline."""

    def fitting(name: str) -> tuple[int, bool]:
        return len(set(settings) & set(_parameters(laws[name]))), name.startswith("Table")

    forms = [n for n, law in laws.items() if set(law.fitted) & set(_parameters(law))]
    return max(forms, key=fitting, default="")


def _run(given: dict[str, Any]) -> dict[str, Any]:
    run = import_module("regrain.particles").ForceField.run
    fixed = {"self": None, "state": None, "checkpoint": None, "progress": None}
    _check_keys(run, given, "[run]", fixed)
    given = _movers(given, "run")
    if "engine" in given:
        given["engine"] = engine_of(given["engine"], "[run.engine]")
    _check_lengths(given, "[run]")
    return given


def engine_of(given: Any, where: str) -> Any:
    """An engine by its name, or from a table with ``kind``; it must be here.

    Examples
    --------
    >>> from regrain.workflow.config import engine_of
    >>> engine_of("gromacs", "--engine")
    Traceback (most recent call last):
        ...
    regrain.errors.RegrainError: --engine: engine: got 'gromacs', expected one of lammps
    """
    home = import_module("regrain.engines")
    if isinstance(given, Mapping):
        settings = {"kind": "Lammps", **given}
        names = [n for n in home.__all__ if hasattr(getattr(home, n), "check")]
        kind = _named("regrain.engines", settings.pop("kind"), f"kind of {where}", names)
        given = make(kind, settings, where)
    try:
        engine = home.find(given)
        if hasattr(engine, "check"):
            engine.check()
    except RegrainError as error:
        raise type(error)(f"{where}: {error}") from error
    return engine


def _check_thermostat(fit: Any, run: Mapping[str, Any]) -> None:
    """A fit that does without a temperature leaves a model that cannot run without one."""
    dynamics = run.get("dynamics", Langevin())
    own = getattr(fit, "temperature", None) or getattr(dynamics, "temperature", None)
    if own is None and not isinstance(dynamics, NVE):
        raise RegrainError("[fit]: temperature is missing; the coarse run needs it")


def _check_lengths(given: Mapping[str, Any], where: str) -> None:
    """Stop for times that make no run, long before it begins."""
    kept = {k: v for k, v in given.items() if k in _parameters(Settings)}
    try:
        Settings(**{"every": kept["time"], **kept})
    except (RegrainError, TypeError) as error:
        raise RegrainError(f"{where}: {error}") from error


def _movers(given: dict[str, Any], section: str) -> dict[str, Any]:
    """The settings with dynamics and barostat made into objects."""
    for key, names in MOVERS.items():
        if key in given:
            settings = given[key]
            if not isinstance(settings, Mapping):
                settings = {"kind": settings}
            settings = dict(settings)
            kind = settings.pop("kind", names[0])
            mover = _named("regrain.particles", kind, f"kind of [{section}.{key}]", names)
            given[key] = make(mover, settings, f"[{section}.{key}]")
    return given


def _transfer(given: dict[str, Any], run: Mapping[str, Any], base: Path) -> dict[str, Any]:
    reports = import_module("regrain.report")
    ours = ("model", "state", "observables", "workdir", "executor", "progress")
    shared = {k: v for k, v in run.items() if k in _parameters(reports.transfer)}
    _check_keys(reports.transfer, {**shared, **given}, "[transfer]", dict.fromkeys(ours))
    given = {**shared, **_movers(given, "transfer")}
    _check_lengths(given, "[transfer]")
    try:
        points = temperatures_of(given["temperatures"])
        fine = by_temperature("fine", given.get("fine"), points)
        known = by_temperature("known", given.get("known"), points)
    except RegrainError as error:
        raise RegrainError(f"[transfer]: {error}") from error
    for name, tables in (("fine", fine), ("known", known)):
        for t, told in tables.items():
            if not isinstance(told, Mapping):
                raise RegrainError(
                    f"[transfer.{name}.{t:g}] holds {told!r}, expected a table of settings"
                )
    loads = {t: _input(own, base, f"[transfer.fine.{t:g}]") for t, own in fine.items()}
    return {**given, "fine": loads, "known": {t: _pairs(told) for t, told in known.items()}}


def _report(given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any], tuple[str, ...]]:
    named = given.pop("observables", {})
    export = given.pop("export", ["model.table"])
    if not isinstance(named, Mapping):
        raise RegrainError(
            f"[report]: observables holds {named!r}, expected tables such as RDF = {{r_max = 1.0}}"
        )
    if not isinstance(export, list) or not all(isinstance(name, str) for name in export):
        raise RegrainError(f"[report]: export holds {export!r}, expected a list of file names")
    observables = []
    for name, settings in named.items():
        where = f"[report.observables.{name}]"
        kind = _named("regrain.observables", name, "observable of [report]")
        for each in settings if isinstance(settings, list) else [settings]:
            if not isinstance(each, Mapping):
                raise RegrainError(f"{where} holds {each!r}, expected a table of settings")
            observables.append(make(kind, each, where))
    compare = import_module("regrain.report").compare
    fixed = {"fine": None, "coarse": None, "observables": None, "fit": None}
    _check_keys(compare, given, "[report], besides observables and export", fixed)
    if isinstance(given.get("known"), Mapping):
        given["known"] = _pairs(given["known"])
    return tuple(observables), given, tuple(export)


def _check_known(told: Any, observables: Sequence[Any], where: str) -> None:
    """Stop for values of observables that are not in the report; what is usual always has names."""
    if observables:
        try:
            Known(told, observables)
        except RegrainError as error:
            raise RegrainError(f"{where}: {error}") from error


def _pairs(known: Mapping[str, Any]) -> dict[str, Any]:
    """TOML has no tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
