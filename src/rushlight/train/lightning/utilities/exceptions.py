"""Lightning's exceptions."""

from ...notes import MisconfigurationException

__all__ = ["MisconfigurationException"]
