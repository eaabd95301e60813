"""The square from one file of settings: what ``regrain run`` and ``regrain demo`` do."""

from regrain.workflow.config import Config
from regrain.workflow.run import Square, square

__all__ = ["Config", "Square", "square"]
