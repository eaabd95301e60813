"""Settings of maps in TOML and JSON files."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from regrain.errors import RegrainError

__all__ = ["read", "write"]

T = TypeVar("T")


def read(path: str | PathLike[str], make: Callable[[dict[str, Any]], T]) -> T:
    """What ``make`` makes of the settings in a file; its errors name the file.

    Examples
    --------
    >>> from regrain.maps.files import read, write
    >>> write("mapping.toml", {"by": "residue", "name": {"SOL": "W"}})
    >>> read("mapping.toml", dict)
    {'by': 'residue', 'name': {'SOL': 'W'}}
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise RegrainError(f"cannot read {file}: {error.strerror}; give a mapping file") from error
    except UnicodeDecodeError as error:
        raise RegrainError(f"{file} is not a text file; give TOML or JSON") from error
    try:
        settings = json.loads(text) if _is_json(file) else tomllib.loads(text)
    except ValueError as error:
        raise RegrainError(f"{file}: {error}") from error
    if not isinstance(settings, dict):
        raise RegrainError(f"{file} holds {type(settings).__name__}, expected settings by name")
    try:
        return make(settings)
    except RegrainError as error:
        raise RegrainError(f"{file}: {error}") from error


def write(path: str | PathLike[str], settings: Mapping[str, Any]) -> None:
    """Write settings to a file, TOML or JSON by its suffix.

    Examples
    --------
    >>> from pathlib import Path
    >>> from regrain.maps.files import write
    >>> write("mapping.toml", {"beads": [{"name": "W", "atoms": [0, 1, 2]}]})
    >>> print(Path("mapping.toml").read_text())
    [[beads]]
    name = "W"
    atoms = [0, 1, 2]
    <BLANKLINE>
    """
    file = Path(path)
    text = json.dumps(settings, indent=2) + "\n" if _is_json(file) else _toml(settings)
    file.write_text(text, encoding="utf-8")


def _is_json(file: Path) -> bool:
    if file.suffix not in (".json", ".toml"):
        raise RegrainError(f"{file}: the suffix of a mapping file must be .toml or .json")
    return file.suffix == ".json"


def _toml(settings: Mapping[str, Any]) -> str:
    """TOML of nested tables and lists of tables; what is neither comes first in its table."""
    blocks: list[str] = []

    def table(head: str, content: Mapping[str, Any], path: tuple[str, ...]) -> None:
        nested = {k: v for k, v in content.items() if _is_table(v)}
        lines = [f"{_key(k)} = {_value(v)}" for k, v in content.items() if k not in nested]
        if lines or not nested:
            blocks.append("\n".join([head, *lines] if head else lines) + "\n")
        for key, value in nested.items():
            inner = (*path, _key(key))
            for item in value if isinstance(value, list) else [value]:
                mark = "[[{}]]" if isinstance(value, list) else "[{}]"
                table(mark.format(".".join(inner)), item, inner)

    table("", settings, ())
    return "\n".join(blocks)


def _is_table(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, Mapping) for item in value)
    return isinstance(value, Mapping)


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    # JSON writes numbers, booleans and strings as TOML does, but for the character DEL.
    return json.dumps(value).replace("\x7f", "\\u007F")
