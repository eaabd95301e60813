"""The installed package is whole."""

import importlib.metadata

import regrain


def test_version_is_the_one_of_the_distribution():
    assert regrain.__version__ == importlib.metadata.version("regrain")
