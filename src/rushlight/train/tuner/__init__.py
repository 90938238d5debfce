"""Trying settings out before a run: learning rates and batch sizes."""

from .lr_finder import LRFinder
from .tuning import Tuner

__all__ = ["LRFinder", "Tuner"]
