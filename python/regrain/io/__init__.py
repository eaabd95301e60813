"""Files: trajectories in, trajectories out, and force fields for other engines."""

from regrain.io._frames import FileError
from regrain.io.exporting import export
from regrain.io.loading import load
from regrain.io.saving import save
from regrain.io.shipped import Example, example

__all__ = ["Example", "FileError", "example", "export", "load", "save"]
