"""Write python/regrain/_core.pyi from the signatures that pybind11 puts into the docstrings.

Run it in an environment where regrain is installed: ``python cpp/bindings/stub.py``.
"""

import ast
import enum
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

TARGET = Path(__file__).parents[2] / "python" / "regrain" / "_core.pyi"

HEAD = '''"""Types of the compiled core; written by cpp/bindings/stub.py, do not edit."""

import collections.abc
import enum
import typing

import numpy
import numpy.typing

'''

# Members that every pybind11 class or enum has, and that a stub need not repeat.
INHERITED = (
    "__doc__ __module__ __new__ __dict__ __weakref__ __entries __members__ __reduce__ "
    "__reduce_ex__ __getstate__ __setstate__ __annotations__ __firstlineno__ __static_attributes__"
)


def signatures(name: str, doc: str | None) -> list[str]:
    """The signatures of a function, one for each overload, as Python that parses."""
    lines = (doc or "").splitlines()
    if len(lines) > 1 and lines[1] == "Overloaded function.":
        found = [line.partition(". ")[2] for line in lines if re.match(rf"\d+\. {name}\(", line)]
    else:
        found = lines[:1]
    return [readable(line) for line in found if line.startswith(f"{name}(")]


def readable(signature: str) -> str:
    """Replace what is no Python: the repr of a default."""
    if signature.startswith("__eq__("):
        signature = "__eq__(self, other: object, /) -> bool"  # mypy insists on any object
    signature = re.sub(r"= ?<[^>]*>", "= ...", signature)
    try:
        ast.parse(f"def {signature}: ...")
    except SyntaxError:
        raise SystemExit(f"bind the types before what uses them: {signature}") from None
    return signature


def function(name: str, doc: str | None, indent: str = "", static: bool = False) -> Iterator[str]:
    found = signatures(name, doc)
    for signature in found:
        if len(found) > 1:
            yield f"{indent}@typing.overload"
        if static:
            yield f"{indent}@staticmethod"
        yield f"{indent}def {signature}: ..."


def property_(name: str, value: property) -> Iterator[str]:
    returned = re.search(r"-> (.*)$", (value.fget.__doc__ or "").partition("\n")[0])
    kind = returned[1] if returned else "typing.Any"
    yield "    @property"
    yield f"    def {name}(self) -> {kind}: ..."
    if value.fset:
        yield f"    @{name}.setter"
        yield f"    def {name}(self, value: {kind}) -> None: ..."


def class_(cls: type) -> Iterator[str]:
    bases = [base.__name__ for base in cls.__bases__ if base.__module__ == cls.__module__]
    if issubclass(cls, enum.Enum):
        bases = ["enum.Enum"]
    yield f"class {cls.__name__}({', '.join(bases)}):" if bases else f"class {cls.__name__}:"
    body = [line for name, value in vars(cls).items() for line in member(cls, name, value)]
    yield from body or ["    ..."]


def member(cls: type, name: str, value: Any) -> Iterator[str]:
    if name in INHERITED.split() or name.startswith("_pybind11"):
        return
    if isinstance(value, property):
        yield from property_(name, value)
    elif isinstance(value, staticmethod):
        yield from function(name, value.__func__.__doc__, indent="    ", static=True)
    elif callable(value):
        yield from function(name, value.__doc__, indent="    ")
    elif isinstance(value, cls):
        yield f"    {name} = ..."


def render(module: ModuleType) -> str:
    """The whole stub, in the order of the names."""
    lines = []
    for name, value in sorted(vars(module).items()):
        if inspect.isclass(value):
            lines += [*class_(value), ""]
        elif callable(value):
            lines += function(name, value.__doc__)
        elif name == "__version__" or not name.startswith("_"):
            lines.append(f"{name}: {type(value).__name__}")
    body = "\n".join(lines).rstrip().replace(f"{module.__name__}.", "")
    return f"{HEAD}{body}\n"


if __name__ == "__main__":
    from regrain import _core

    TARGET.write_text(render(_core))
    sys.stdout.write(f"{TARGET}\n")
