"""What a user writes in a TOML file, checked and made into objects before any work begins."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

from regrain.errors import RegrainError, unknown
from regrain.maps import Beads, Map

__all__ = ["Config", "frames_of", "make"]

SECTIONS = ("input", "map", "fit", "run", "report")
# What a table of settings becomes when it does not say: forms to be fitted.
FORMS = {
    "pairs": "Table",
    "bonds": "TableBond",
    "angles": "TableAngle",
    "dihedrals": "TableDihedral",
}
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

    Notes
    -----
    The sections of the file and their keys are the arguments of what they stand for:

    ``[input]``
        ``trajectory`` (relative to the file), and the arguments of ``rg.load``; ``frames`` is a
        string such as ``"100:"``. ``example`` instead of both files names a shipped one.
    ``[map]``
        The arguments of ``Beads``, or ``file``, a mapping file.
    ``[fit]``
        ``method`` (``HNCGN`` when omitted) and its arguments. Interactions are tables named by
        types, ``[fit.pairs.A-B]`` (``"A,B"`` if names contain hyphens): the form to be fitted, or
        a ``potential`` with its parameters, or ``false`` for none.
    ``[run]``
        The arguments of ``ForceField.run``; ``dynamics`` and ``barostat`` are tables with ``kind``.
    ``[report]``
        ``observables``, tables by name; ``export``, names of table files for other engines;
        ``known``, values such as ``pressure = [-60.0, 20.0]``; the arguments of ``rg.compare``.

    Examples
    --------
    >>> from regrain.workflow import Config
    >>> Config.from_dict({"input": {"example": "spce"}, "fit": {}, "runs": {}})
    Traceback (most recent call last):
        ...
    regrain.errors.RegrainError: section: got 'runs', expected one of fit, input, map, report, run;
    did you mean 'run'?
    """

    load: dict[str, Any]
    mapping: Map
    fit: Any
    run: dict[str, Any]
    observables: tuple[Any, ...] = ()
    compare: dict[str, Any] = field(default_factory=dict)
    export: tuple[str, ...] = ("model.table",)

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
        observables, compare, export = _report(parts["report"])
        return cls(
            load=_input(parts["input"], Path(base)),
            mapping=_map(parts["map"], Path(base)),
            fit=_fit(parts["fit"]),
            run=_run(parts["run"]),
            observables=observables,
            compare=compare,
            export=export,
        )


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
    parameters = {
        name: p
        for name, p in inspect.signature(kind).parameters.items()
        if name not in fixed and name not in ("self", "_") and p.kind is not p.VAR_KEYWORD
    }
    for key in given:
        if key not in parameters:
            raise unknown(f"key of {where}", key, parameters)
    for name, parameter in parameters.items():
        if name not in given and parameter.default is parameter.empty:
            raise RegrainError(f"{where}: {name} is missing")


def _named(module: str, name: Any, where: str, allowed: Sequence[str] | None = None) -> Any:
    """A class of a module by its public name."""
    home = import_module(module)
    names = allowed
    if names is None:
        names = [n for n in home.__all__ if _is_settings(getattr(home, n))]
    if name not in names:
        raise unknown(where, name, names)
    return getattr(home, name)


def _is_settings(value: Any) -> bool:
    """Whether it is a fit or an observable: a class whose objects are called with a trace."""
    if not inspect.isclass(value) or inspect.isabstract(value) or value.__name__ == "Observable":
        return False
    return any("__call__" in vars(part) for part in value.__mro__)


def _input(given: dict[str, Any], base: Path) -> dict[str, Any]:
    io = import_module("regrain.io")
    if "example" in given:
        files = io.example(given.pop("example"))
        given = {"trajectory": files.trajectory, "topology": files.topology, **given}
    keys = {("source" if k == "trajectory" else k): v for k, v in given.items()}
    if "source" not in keys:
        for key in given:
            _check_keys(io.load, {key: None}, "[input]", {"source": None})
        raise RegrainError("[input]: trajectory is missing")
    _check_keys(io.load, keys, "[input]", {})
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
    method = _named("regrain.fits", given.pop("method", "HNCGN"), "method of [fit]")
    for kind, form in FORMS.items():
        if kind in given:
            given[kind] = _interactions(given[kind], kind, form)
    return make(method, given, "[fit]")


def _interactions(given: Any, kind: str, form: str) -> dict[tuple[str, ...], Any]:
    if not isinstance(given, Mapping):
        raise RegrainError(f"[fit]: {kind} holds {given!r}, expected tables like [fit.{kind}.A-B]")
    width = {"pairs": 2, "bonds": 2, "angles": 3, "dihedrals": 4}[kind]
    found: dict[tuple[str, ...], Any] = {}
    for key, settings in given.items():
        where = f"[fit.{kind}.{key}]"
        types = tuple(part.strip() for part in key.split("," if "," in key else "-"))
        if len(types) != width or not all(types):
            raise RegrainError(
                f"{where}: {key!r} names {len(types)} types, expected {width}; join them with "
                'hyphens, or with commas if they contain hyphens ("NA-1,CL")'
            )
        found[types] = None if settings is False else _potential(settings, form, where)
    return found


def _potential(given: Any, form: str, where: str) -> Any:
    if not isinstance(given, Mapping):
        raise RegrainError(f"{where} holds {given!r}, expected a table of settings, or false")
    settings = dict(given)
    particles = import_module("regrain.particles")
    names = [
        name
        for name in particles.__all__
        if inspect.isclass(getattr(particles, name)) and hasattr(getattr(particles, name), "u")
    ]
    kind = _named(
        "regrain.particles", settings.pop("potential", form), f"potential of {where}", names
    )
    return make(kind, settings, where)


def _run(given: dict[str, Any]) -> dict[str, Any]:
    run = import_module("regrain.particles").ForceField.run
    fixed = {"self": None, "state": None, "checkpoint": None, "progress": None}
    _check_keys(run, given, "[run]", fixed)
    for key, names in MOVERS.items():
        if key in given:
            settings = given[key]
            if not isinstance(settings, Mapping):
                settings = {"kind": settings}
            settings = dict(settings)
            kind = settings.pop("kind", names[0])
            mover = _named("regrain.particles", kind, f"kind of [run.{key}]", names)
            given[key] = make(mover, settings, f"[run.{key}]")
    return given


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
    if isinstance(given.get("known"), Mapping):  # TOML has no tuples
        told = given["known"].items()
        given["known"] = {k: tuple(v) if isinstance(v, list) else v for k, v in told}
    return tuple(observables), given, tuple(export)
