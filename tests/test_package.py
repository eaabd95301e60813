"""The installed package is whole, and has one version."""

import importlib
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import regrain

ROOT = Path(__file__).parents[1]


def test_version_is_the_one_of_the_distribution() -> None:
    assert regrain.__version__ == importlib.metadata.version("regrain")


def test_citation_names_this_version() -> None:
    (version,) = re.findall(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert version == regrain.__version__


@pytest.mark.parametrize("name", regrain.__all__)
def test_every_name_of_the_vocabulary_resolves(name: str) -> None:
    assert getattr(regrain, name) is not None


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
        regrain.no_such_thing  # noqa: B018


def test_an_error_of_the_core_is_a_regrain_error() -> None:
    core = importlib.import_module("regrain._core")
    with pytest.raises(regrain.RegrainError, match="expected at least 1"):
        core.set_threads(0)


def test_import_loads_neither_the_core_nor_numpy() -> None:
    # CMake's entry point imports the package in builds where neither may be there.
    code = "import sys, regrain; print([m for m in ('numpy', 'regrain._core') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
