"""Progress of long work, where there is somebody to see it."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["progress_bar"]


def progress_bar(total: int, done: int, *, unit: str = "step") -> Any:
    """A progress bar, where there is somebody to see it; else None.

    Examples
    --------
    >>> from regrain.progress import progress_bar
    >>> progress_bar(1000, 0)  # of tqdm, in a terminal
    """
    if not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    return tqdm(total=total, initial=done, unit=unit, leave=False)
