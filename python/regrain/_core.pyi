"""Types of the compiled core; written by cpp/bindings/stub.py, do not edit."""

import collections.abc
import enum
import typing

import numpy
import numpy.typing

__version__: str
def set_threads(count: typing.SupportsInt | typing.SupportsIndex) -> None: ...
def threads() -> int: ...
