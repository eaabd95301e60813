"""Other programs that run a model: the way to outgrow one machine."""

from regrain.engines.engine import Engine, find
from regrain.engines.lammps import Lammps

__all__ = ["Engine", "Lammps", "find"]
