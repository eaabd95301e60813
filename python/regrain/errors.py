"""The one error class of the package."""

__all__ = ["RegrainError"]


class RegrainError(ValueError):
    """Something given to regrain is wrong: the message says what, and what to do."""
