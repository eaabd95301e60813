"""The command ``regrain``: the main job and its obvious single steps."""

from __future__ import annotations

import argparse
import csv
import inspect
import os
import platform
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from regrain.errors import RegrainError, unknown

if TYPE_CHECKING:
    from regrain.observables import Estimate

__all__ = ["main"]

EXTRAS = {
    "MDAnalysis": "io",
    "gsd": "io",
    "matplotlib": "plot",
    "tqdm": "progress",
    "xarray": "xarray",
    "pymbar": "reweighting",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    0 if all went well, 2 for what the user can mend (one line on stderr says what), 130 when
    interrupted.

    Examples
    --------
    >>> from regrain.cli import main
    >>> main(["run", "missing.toml"])
    2
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            given = _parser().parse_args(arguments)
            if getattr(given, "threads", None):
                import_module("regrain._core").set_threads(given.threads)
            given.do(given)
        sys.stdout.flush()
    except RegrainError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        print("regrain: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of stdout has gone: nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(f"{error.filename or 'the system'}: {error.strerror or error}")
    return 0


def _fail(message: str) -> int:
    print(f"regrain: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"regrain: note: {' '.join(str(message).split())}", file=sys.stderr)


# ------------------------------------------------------------------- the words


class _Parser(argparse.ArgumentParser):
    """One whose errors are those of everything else: one line."""

    def error(self, message: str) -> NoReturn:
        raise RegrainError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    from regrain import __version__

    parser = _Parser(
        prog="regrain", description="Choose the grain. Keep the physics. Know what you lost."
    )
    parser.add_argument("--version", action="version", version=f"regrain {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)

    def command(name: str, do: Any, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
        made.set_defaults(do=do)
        return made

    demo = command("demo", _demo, "the whole square on atomistic water that comes with regrain")
    demo.add_argument("-o", "--workdir", default="regrain-demo", help="folder of all results")
    run = command("run", _run, "the whole square on your files, said in a TOML file")
    run.add_argument("config", help="settings; `regrain demo --config` prints an example")
    run.add_argument("-o", "--workdir", help="folder of all results; the name of the config")
    demo.add_argument("--config", action="store_true", help="print the settings and stop")
    for each in (demo, run):
        text = "what runs the model, such as lammps; regrain itself if omitted"
        each.add_argument("--engine", help=text)
        each.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
        _add_threads(each)

    map_ = command("map", _map, "map a trajectory to beads and write it")
    map_.add_argument("-o", "--output", required=True, help="a .gsd or .xyz file")
    rdf = command("rdf", _rdf, "radial distribution functions, as a table and a plot")
    rdf.add_argument("--r-max", type=float, help="largest distance; 0.48 of the box if omitted")
    rdf.add_argument("--bins", type=int, default=200)
    rdf.add_argument("--pairs", nargs="+", metavar="A-B", help="pairs of types; all if omitted")
    rdf.add_argument("--exclude", type=int, default=0, help="leave out pairs so many bonds apart")
    rdf.add_argument("-o", "--output", help="a .csv file; stdout if omitted")
    rdf.add_argument("--plot", help="an image: .png, .pdf, .svg")
    for each in (map_, rdf):
        _add_input(each)
        _add_mapping(each)
        _add_threads(each)

    fits = command("fits", _fits, "the methods that a coarse model can be fitted with")
    fits.add_argument("method", nargs="?", help="one of them, to be told all about it")
    command("info", _info, "versions, threads, instruction set, optional packages")
    command("cmake-dir", _cmake_dir, "where the C++ library is, for -Dregrain_ROOT")
    return parser


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=_count, help="cores to use; all if omitted")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number of at least 1")
    return int(text)


def _add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trajectory", help="anything MDAnalysis reads, a GSD or an XYZ file")
    parser.add_argument("-t", "--topology", help="what the atoms are")
    parser.add_argument("--select", help='a selection of MDAnalysis, such as "resname SOL"')
    parser.add_argument("--frames", help="start:stop:step, as in Python")
    parser.add_argument("--types", help="what becomes the type of an atom: types, names, resnames")


def _add_mapping(parser: argparse.ArgumentParser) -> None:
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--by", choices=("residue", "molecule"), help="one bead for each")
    way.add_argument("--mapping", help="a mapping file, .toml or .json")
    parser.add_argument("--weights", choices=("mass", "geometric", "charge"))
    parser.add_argument("--name", help="name of the beads; that of the residue if omitted")


# ---------------------------------------------------------------- what they do


def _load(given: argparse.Namespace) -> Any:
    from regrain.workflow.config import frames_of

    settings = {k: getattr(given, k) for k in ("topology", "select", "types")}
    settings = {k: v for k, v in settings.items() if v is not None}
    return import_module("regrain.io").load(
        given.trajectory, frames=frames_of(given.frames), **settings
    )


class _Tick:
    """Lets states pass and moves a bar on."""

    def __init__(self, bar: Any) -> None:
        self.bar = bar

    def __call__(self, state: Any) -> Any:
        self.bar.update()
        return state


def _shown(trace: Any) -> Any:
    """The trace, with a bar on stderr as it is read, if someone is there to see it."""
    if not sys.stderr.isatty():
        return trace
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return trace
    return trace.map(_Tick(tqdm(total=len(trace), unit="frame", leave=False)))


def _mapping(given: argparse.Namespace) -> Any:
    """The mapping that the options say, None if they say none."""
    from regrain.maps import Beads

    settings = {k: getattr(given, k) for k in ("by", "weights", "name")}
    settings = {k: v for k, v in settings.items() if v is not None}
    if given.mapping is None:
        return Beads(**settings) if settings else None
    if settings:
        raise RegrainError(
            f"--mapping says everything about the beads; leave out --{' --'.join(settings)}"
        )
    return Beads.read(given.mapping)


def _map(given: argparse.Namespace) -> None:
    mapping = _mapping(given)
    if mapping is None:
        raise RegrainError("say what the beads are: --by residue, --by molecule or --mapping FILE")
    fine = _load(given)
    print(mapping.bind(fine[0]), flush=True)
    written = import_module("regrain.io").save(_shown(mapping(fine)), given.output)
    print(f"{len(fine)} frames in {written}")


def _rdf(given: argparse.Namespace) -> None:
    from regrain.workflow.run import usual

    trace = _load(given)
    mapping = _mapping(given)
    if mapping is not None:
        trace = mapping(trace)
    kind = import_module("regrain.observables").RDF
    pairs = None if given.pairs is None else [_pair(text) for text in given.pairs]
    r_max = usual(trace)[0].r_max if given.r_max is None else given.r_max
    g = kind(r_max=r_max, bins=given.bins, pairs=pairs, exclude=given.exclude)(_shown(trace))
    if given.output is None:
        _write_csv(g, sys.stdout)
    else:
        with Path(given.output).open("w", newline="", encoding="utf-8") as file:
            _write_csv(g, file)
    if given.plot is not None:
        axes = g.plot()
        axes.figure.savefig(given.plot)


def _pair(text: str) -> tuple[str, str]:
    first, _, second = text.partition("," if "," in text else "-")
    return first, second


def _write_csv(g: Estimate, file: Any) -> None:
    """r, then g and its standard error for every pair."""
    pairs = [str(pair) for pair in g.coords["pair"]]
    unit = g.coord_units.get("r", "")
    writer = csv.writer(file, lineterminator="\n")
    titles = [title for pair in pairs for title in (f"g {pair}", f"error {pair}")]
    writer.writerow([f"r / {unit}" if unit else "r", *titles])
    for k, r in enumerate(g.coords["r"].tolist()):
        columns = [f"{r:.9g}"]
        for p in range(len(pairs)):
            error = "" if g.error is None else f"{g.error[p, k]:.6g}"
            columns += [f"{g.value[p, k]:.9g}", error]
        writer.writerow(columns)


def _run(given: argparse.Namespace) -> None:
    workdir = given.workdir or Path(given.config).stem
    _square(given.config, workdir, given)


def _demo(given: argparse.Namespace) -> None:
    config = import_module("regrain.io").example("spce").readme.with_name("demo.toml")
    if given.config:
        print(config.read_text(encoding="utf-8"), end="")
    else:
        _square(config, given.workdir, given)


def _square(file: str | Path, workdir: str | Path, given: argparse.Namespace) -> None:
    from regrain.workflow import Config, square
    from regrain.workflow.config import engine_of

    config = Config.read(file)
    if given.engine is not None:
        engine = {"engine": engine_of(given.engine, "--engine")}
        moved = None if config.transfer is None else {**config.transfer, **engine}
        config = replace(config, run={**config.run, **engine}, transfer=moved)
    done = square(config, workdir=workdir, progress=not given.quiet)
    print(f"{done.report}\n")
    width = max(len(what) for what in done.files)
    for what, file in done.files.items():
        print(f"{what:<{width}}  {file}")


def _fits(given: argparse.Namespace) -> None:
    from regrain.workflow.config import methods

    known = methods()
    if given.method is None:
        width = max(map(len, known))
        for name, fit in known.items():
            print(f"{name:<{width}}  {(fit.__doc__ or '').strip().splitlines()[0]}")
    elif given.method in known:
        print(f"{inspect.getdoc(known[given.method])}\n\nAll settings")
        print("------------")
        for name, setting in inspect.signature(known[given.method]).parameters.items():
            needed = setting.default is setting.empty
            shown = "{}" if str(setting.default) == "<factory>" else repr(setting.default)
            print(f"{name:<18} {'must be given' if needed else shown}")
    else:
        raise unknown("method", given.method, known)


def _info(_: argparse.Namespace) -> None:
    core = import_module("regrain._core")
    rows = [
        ("regrain", core.__version__),
        ("Python", platform.python_version()),
        ("system", platform.platform()),
        ("threads", f"{core.threads()} of {os.cpu_count()} cores"),
        ("instructions", core.simd_level()),
        ("numpy", metadata.version("numpy")),
        ("scipy", metadata.version("scipy")),
    ]
    for package, extra in EXTRAS.items():
        try:
            rows.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            rows.append((package, f'not installed: pip install "regrain[{extra}]"'))
    for name, value in rows:
        print(f"{name:<13} {value}")


def _cmake_dir(_: argparse.Namespace) -> None:
    print(import_module("regrain.cmake").prefix())


if __name__ == "__main__":
    sys.exit(main())
