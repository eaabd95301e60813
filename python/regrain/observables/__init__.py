"""Named measurements on a trace, each an Estimate with an error bar."""

from regrain.observables.estimate import Estimate

__all__ = ["Estimate"]
