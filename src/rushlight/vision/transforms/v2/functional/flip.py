"""Mirrored images, boxes and points."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Mask

from .boxes import CXCYWH, XYWH, XYXY
from .registry import PIXELS, Picture, kernel, serves
from .rotated import CORNERS, XYWHR


def horizontal_flip(inpt: Any) -> Any:
    """Mirrors left and right.

    Example:
        >>> import rushlight as rl
        >>> horizontal_flip(rl.tensor([[[1, 2]]]))
        tensor([[[2, 1]]])
    """
    return kernel(horizontal_flip, inpt)(inpt)


def vertical_flip(inpt: Any) -> Any:
    """Mirrors top and bottom."""
    return kernel(vertical_flip, inpt)(inpt)


hflip, vflip = horizontal_flip, vertical_flip


@serves(horizontal_flip, *PIXELS, Mask)
def horizontal_flip_image(image: Tensor) -> Tensor:
    """:func:`horizontal_flip` for tensors (..., H, W)."""
    return image.flip(-1)


@serves(vertical_flip, *PIXELS, Mask)
def vertical_flip_image(image: Tensor) -> Tensor:
    """:func:`vertical_flip` for tensors (..., H, W)."""
    return image.flip(-2)


@serves(horizontal_flip, Picture)
def _horizontal_flip_pil(image: Any) -> Any:
    return image.transpose(0)  # Pillow's FLIP_LEFT_RIGHT


@serves(vertical_flip, Picture)
def _vertical_flip_pil(image: Any) -> Any:
    return image.transpose(1)  # Pillow's FLIP_TOP_BOTTOM


@serves(horizontal_flip, KeyPoints)
def horizontal_flip_keypoints(keypoints: Tensor, canvas_size: tuple[int, int]) -> Tensor:
    """:func:`horizontal_flip` for points (..., 2)."""
    x, y = keypoints.unbind(-1)
    return rl.stack((canvas_size[1] - 1 - x, y), -1)


@serves(vertical_flip, KeyPoints)
def vertical_flip_keypoints(keypoints: Tensor, canvas_size: tuple[int, int]) -> Tensor:
    """:func:`vertical_flip` for points (..., 2)."""
    x, y = keypoints.unbind(-1)
    return rl.stack((x, canvas_size[0] - 1 - y), -1)


@serves(horizontal_flip, BoundingBoxes)
def horizontal_flip_bounding_boxes(
    bounding_boxes: Tensor, format: BoundingBoxFormat, canvas_size: tuple[int, int]
) -> Tensor:
    """:func:`horizontal_flip` for boxes (..., K)."""
    return _flipped(bounding_boxes, format, canvas_size[1], 0)


@serves(vertical_flip, BoundingBoxes)
def vertical_flip_bounding_boxes(
    bounding_boxes: Tensor, format: BoundingBoxFormat, canvas_size: tuple[int, int]
) -> Tensor:
    """:func:`vertical_flip` for boxes (..., K)."""
    return _flipped(bounding_boxes, format, canvas_size[0], 1)


def _flipped(boxes: Tensor, format: BoundingBoxFormat, edge: int, axis: int) -> Tensor:
    """Boxes mirrored along x (axis 0) or y (axis 1) of a canvas of ``edge`` pixels."""
    parts = list(boxes.unbind(-1))
    if format is XYXY:
        parts[axis], parts[axis + 2] = edge - parts[axis + 2], edge - parts[axis]
    elif format is XYWH:
        parts[axis] = edge - (parts[axis] + parts[axis + 2])
    elif format is CXCYWH:
        parts[axis] = edge - parts[axis]
    elif format is CORNERS:
        parts[axis::2] = [edge - part for part in parts[axis::2]]
        parts = [parts[i] for i in (2, 3, 0, 1, 6, 7, 4, 5)]
    else:
        parts = _flipped_at_angle(parts, format, edge, axis)
    return rl.stack(parts, -1)


def _flipped_at_angle(
    parts: list[Tensor], format: BoundingBoxFormat, edge: int, axis: int
) -> list[Tensor]:
    x, y, w, h, r = parts
    if format is XYWHR:  # the corner that the box is drawn from becomes the one beside it
        radians = r * (rl.pi / 180)
        x, y = x + w * radians.cos(), y - w * radians.sin()
    return [edge - x, y, w, h, -r] if axis == 0 else [x, edge - y, w, h, 180 - r]


horizontal_flip_video = horizontal_flip_mask = horizontal_flip_image
vertical_flip_video = vertical_flip_mask = vertical_flip_image
