"""Files that a kill at any moment leaves whole: the old one or the new one, never half of one."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError

__all__ = ["load_arrays", "load_json", "save_arrays", "save_json", "write_atomically"]

_META = "__meta__"


def write_atomically(path: str | os.PathLike[str], write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file beside ``path``, and move it over ``path`` when it is on the disk.

    Parameters
    ----------
    path : path
        The file; its directory must exist. The file beside it is named ``<path>.part``: one that a
        killed process left is overwritten by the next write.
    write : callable
        Is given the open binary file.

    Raises
    ------
    RegrainError
        The directory does not exist or cannot be written to.

    Examples
    --------
    >>> from pathlib import Path
    >>> from regrain.checkpoint import write_atomically
    >>> write_atomically("note.txt", lambda file: file.write(b"kept"))
    >>> Path("note.txt").read_text()
    'kept'
    """
    target = Path(path)
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too, must survive a power cut
        finally:
            os.close(folder)
    except OSError as error:
        raise RegrainError(
            f"{target} cannot be written: {error.strerror}; give a path in a directory that exists "
            "and has space"
        ) from error


def save_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write JSON atomically; floats keep all their bits, NaN is refused.

    Examples
    --------
    >>> from regrain.checkpoint import load_json, save_json
    >>> save_json("settings.json", {"seed": 7})
    >>> load_json("settings.json")
    {'seed': 7}
    """
    text = json.dumps(content, indent=1, allow_nan=False)
    write_atomically(path, lambda file: file.write(text.encode()))


def load_json(path: str | os.PathLike[str]) -> Any:
    """Read JSON.

    Raises
    ------
    RegrainError
        There is no such file, or it is not JSON.

    Examples
    --------
    >>> from regrain.checkpoint import load_json, save_json
    >>> save_json("x.json", [1.5])
    >>> load_json("x.json")
    [1.5]
    """
    try:
        return json.loads(Path(path).read_text())
    except OSError as error:
        raise RegrainError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise RegrainError(f"{path} is not JSON: {error}; delete it or restore a copy") from error


def save_arrays(
    path: str | os.PathLike[str],
    arrays: Mapping[str, NDArray[Any]],
    *,
    meta: Mapping[str, Any] | None = None,
) -> None:
    """Write arrays and JSON-able ``meta`` into one NPZ file, atomically.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.checkpoint import load_arrays, save_arrays
    >>> save_arrays("step.npz", {"g": np.ones(2)}, meta={"iteration": 3})
    >>> arrays, meta = load_arrays("step.npz")
    >>> arrays["g"], meta
    (array([1., 1.]), {'iteration': 3})
    """
    text = np.array(json.dumps(dict(meta or {}), allow_nan=False))
    filled: dict[str, Any] = {**arrays, _META: text}
    write_atomically(path, lambda file: np.savez(file, **filled))


def load_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what `save_arrays` wrote: the arrays and the meta.

    Raises
    ------
    RegrainError
        There is no such file, or it is damaged or of another kind.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.checkpoint import load_arrays, save_arrays
    >>> save_arrays("empty.npz", {})
    >>> load_arrays("empty.npz")
    ({}, {})
    """
    try:
        with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(str(arrays.pop(_META)))
    except FileNotFoundError as error:
        raise RegrainError(f"{path} cannot be read: {error.strerror}") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RegrainError(
            f"{path} is damaged or not a file of regrain ({error}); delete it or restore a copy"
        ) from error
    return arrays, meta
