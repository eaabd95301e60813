"""Every public name has a docstring, and every example in one runs."""

import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import regrain
from regrain.fits import StructureFit
from regrain.maps import Map
from regrain.observables import Observable
from regrain.particles import ForceField, Potential

MODULES = sorted(
    {"regrain"}
    | {
        module.name
        for module in pkgutil.walk_packages(regrain.__path__, "regrain.")
        if not module.name.rpartition(".")[2].startswith("_")
    }
)
# Whatever approximates says what it drops: laws, maps, measurements and fits.
APPROXIMATE = (Potential, ForceField, Map, Observable, StructureFit)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def public(module: ModuleType) -> list[tuple[str, object]]:
    """The names a module offers, where it is the module that defines them."""
    names = [(name, getattr(module, name)) for name in getattr(module, "__all__", ())]
    return [
        (f"{module.__name__}.{name}", value)
        for name, value in names
        if getattr(value, "__module__", None) == module.__name__
        and (inspect.isclass(value) or inspect.isroutine(value))
    ]


def members(name: str, value: type) -> list[tuple[str, object]]:
    """The public methods and properties that a class defines itself."""
    return [
        (f"{name}.{member}", item)
        for member, item in vars(value).items()
        if not member.startswith("_")
        and (inspect.isroutine(item) or isinstance(item, property | classmethod | staticmethod))
    ]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    results = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert results.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_documented_with_an_example(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    bare, unshown = [], []
    for path, value in public(module):
        documentation = inspect.getdoc(value) or ""
        if not documentation:
            bare.append(path)
        elif ">>>" not in documentation and not without_example(value):
            unshown.append(path)
        if inspect.isclass(value):
            bare += [path for path, item in members(path, value) if not inspect.getdoc(item)]
    assert not bare, f"no docstring: {', '.join(bare)}"
    assert not unshown, f"no example: {', '.join(unshown)}"


def test_approximations_say_what_they_lose() -> None:
    approximate = [
        (path, value)
        for name in MODULES
        for path, value in public(importlib.import_module(name))
        if inspect.isclass(value)
        and issubclass(value, APPROXIMATE)
        and (value not in APPROXIMATE or value is ForceField)
    ]
    assert len(approximate) > 20
    silent = [
        path for path, value in approximate if "Loses / Assumes\n---" not in inspect.getdoc(value)
    ]
    assert not silent


def without_example(value: object) -> bool:
    """Errors and protocols are not called, so they need not be shown."""
    return inspect.isclass(value) and (
        issubclass(value, Exception) or getattr(value, "_is_protocol", False)
    )
