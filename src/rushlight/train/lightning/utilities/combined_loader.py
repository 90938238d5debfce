"""Lightning's name of several loaders together."""

from ...combined import CombinedLoader

__all__ = ["CombinedLoader"]
