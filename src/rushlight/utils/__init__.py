"""Tools beside the tensors: :mod:`rushlight.utils.data` reads and batches data."""

from rushlight.utils import data

__all__ = ["data"]
