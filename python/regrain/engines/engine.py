"""What an engine is, and where those that have a name are found."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from regrain.engines.lammps import Lammps
from regrain.errors import RegrainError, unknown
from regrain.particles import ForceField, Particles
from regrain.particles.run import Settings
from regrain.trace import Trace

__all__ = ["Engine", "find"]

NAMES: dict[str, Any] = {"lammps": Lammps}


@runtime_checkable
class Engine(Protocol):
    """Anything that runs a force field: what ``ForceField.run(engine=...)`` takes."""

    def run(
        self, model: ForceField, state: Particles, settings: Settings, *, progress: bool
    ) -> Trace[Particles]:
        """Move the particles of a state as the settings say; the trace that regrain would give."""
        ...


def find(engine: str | Engine) -> Engine:
    """The engine of a name; one that is an engine already is given back.

    Raises
    ------
    RegrainError
        No engine has this name, or it is none.

    Examples
    --------
    >>> from regrain.engines import find
    >>> find("lammps")
    Lammps()
    """
    if isinstance(engine, str):
        if engine.lower() not in NAMES:
            raise unknown("engine", engine, NAMES)
        found: Engine = NAMES[engine.lower()]()
        return found
    if not isinstance(engine, Engine) or isinstance(engine, type):
        raise RegrainError(
            f"engine: got {engine!r}, expected one of {', '.join(NAMES)} or an object with "
            "run(model, state, settings, progress=...), such as regrain.engines.Lammps()"
        )
    return engine
