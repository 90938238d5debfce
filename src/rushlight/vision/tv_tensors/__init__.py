"""Tensors that know what they are: images, videos, masks, bounding boxes, key points.

The transforms of :mod:`rushlight.vision.transforms.v2` treat each as what it is.
"""

from .base import TVTensor, set_return_type, wrap
from .image import Image, Mask, Video
from .points import BoundingBoxes, BoundingBoxFormat, KeyPoints, is_rotated_bounding_format

__all__ = [
    "BoundingBoxFormat",
    "BoundingBoxes",
    "Image",
    "KeyPoints",
    "Mask",
    "TVTensor",
    "Video",
    "is_rotated_bounding_format",
    "set_return_type",
    "wrap",
]
