"""Transforms of images: the first generation, on single PIL images and tensors.

:mod:`rushlight.vision.transforms.v2` is the second one, which also transforms videos, masks, boxes
and points, in samples of any nesting. Both are the same computation.
"""

from . import functional
from .transforms import *  # noqa: F403
from .v2.functional.modes import InterpolationMode
