"""The trajectories that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from regrain.errors import RegrainError

__all__ = ["Example", "example"]

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Example:
    """The files of a shipped trajectory.

    Attributes
    ----------
    trajectory, topology, readme : pathlib.Path

    Examples
    --------
    >>> from regrain.io import example
    >>> example("spce").trajectory.name
    'spce.trr'
    """

    trajectory: Path
    topology: Path
    readme: Path


def example(name: str) -> Example:
    """The files of a trajectory that is shipped with the package.

    Parameters
    ----------
    name : str
        ``"spce"``: 2180 molecules of SPC/E water at 300 K, 34 frames with forces.

    Raises
    ------
    RegrainError
        There is none of this name.

    Examples
    --------
    >>> from regrain.io import example
    >>> example("spce").topology.name
    'spce.gro'
    """
    home = DATA / name
    if not name.isidentifier() or not home.is_dir():
        known = ", ".join(sorted(path.name for path in DATA.iterdir() if path.is_dir()))
        raise RegrainError(f"example: got {name!r}, expected one of: {known}")
    return Example(home / f"{name}.trr", home / f"{name}.gro", home / "README.md")
