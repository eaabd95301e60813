"""Where to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from regrain.errors import need

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["axes"]


def axes(given: Axes | None) -> Axes:
    """The axes that a ``plot(ax=None)`` draws on: those given, or those of a new figure.

    Raises
    ------
    MissingPackageError
        matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from regrain.plotting import axes
    >>> drawn = axes(None)
    >>> axes(drawn) is drawn
    True
    """
    if given is not None:
        return given
    pyplot = need("matplotlib.pyplot", extra="plot", purpose="a plot")
    return cast("Axes", pyplot.figure().add_subplot())
