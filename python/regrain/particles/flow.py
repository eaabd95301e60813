"""Cells that change in a prescribed way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regrain.particles.dynamics import Context

__all__ = ["Flow"]


class Flow:
    """What a run takes as ``flow``: the base of all.

    Examples
    --------
    >>> from regrain.particles.flow import Flow
    >>> isinstance(None, Flow)
    False
    """

    def _engine(self, context: Context) -> Any:
        """What the core has of it."""
        raise NotImplementedError
