"""Images read at other places: what rotations, affine and perspective maps have in common.

A grid (1, H, W, 2) says for each pixel of the result where in the image it comes from, in x and y,
from -1 at the left and upper edge to 1 at the right and lower one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.nn.functional import grid_sample
from rushlight.vision.tv_tensors import BoundingBoxFormat, is_rotated_bounding_format

from .borders import Fill
from .boxes import XYXY, clamped, converted
from .modes import InterpolationMode
from .rotated import CORNERS, rectangles

_MODES = (InterpolationMode.NEAREST, InterpolationMode.BILINEAR)


def check_sampling(image: Tensor, mode: InterpolationMode, fill: Any) -> None:
    """Refuses modes that tensors cannot be read with, and fills that fit no image."""
    if isinstance(fill, tuple | list):
        if len(fill) not in (0, 1, image.shape[-3]):
            raise ValueError(
                "The number of elements in 'fill' cannot broadcast to match the number of channels"
                f" of the image ({len(fill)} != {image.shape[-3]})"
            )
    elif fill is not None and not isinstance(fill, int | float):
        raise ValueError("Argument fill should be either int, float, tuple or list")
    if mode not in _MODES:
        raise ValueError(f"Interpolation mode '{mode.value}' is unsupported with Tensor input")


def sampled(image: Tensor, grid: Tensor, mode: InterpolationMode, fill: Fill) -> Tensor:
    """An image (..., C, H, W) read at a grid; beyond it, it is ``fill``."""
    shape = (*image.shape[:-2], *grid.shape[1:3])
    if not image.numel():
        return image.reshape(shape)
    flat = image.reshape(-1, *image.shape[-3:]).to(grid.dtype)
    grid = grid.expand(flat.shape[0], -1, -1, -1)
    if mode is InterpolationMode.NEAREST and not any(_values(fill)):
        fill = None  # beyond the image, 0 is read anyway
    if fill is not None:  # how much of a pixel comes from the image is read along with it
        flat = rl.cat((flat, rl.ones_like(flat[:, :1])), dim=1)
    read = grid_sample(flat, grid, mode=mode.value, padding_mode="zeros", align_corners=False)
    if fill is not None:
        read = _filled(read[:, :-1], read[:, -1:], mode, fill)
    result = read if image.dtype is grid.dtype else read.round().to(image.dtype)
    return result.reshape(shape)


def _filled(image: Tensor, inside: Tensor, mode: InterpolationMode, fill: Any) -> Tensor:
    color = rl.tensor(_values(fill), dtype=image.dtype).view(1, -1, 1, 1)
    if mode is InterpolationMode.NEAREST:
        return rl.where(inside < 0.5, color, image)
    return (image - color) * inside + color


def _values(fill: Any) -> list[float]:
    if fill is None:
        return []
    return list(fill) if isinstance(fill, Sequence) else [float(fill)]


def grid_dtype(image: Tensor) -> Any:
    """The dtype that places in an image are computed in."""
    return image.dtype if image.is_floating_point() else rl.float32


# Boxes -------------------------------------------------------------------------------------------

Move = Callable[[Tensor], Tensor]


def with_ones(points: Tensor, dtype: Any) -> Tensor:
    """Points (N, 2) with a third coordinate, 1."""
    points = points.to(dtype)
    return rl.cat((points, rl.ones_like(points[:, :1])), dim=-1)


def moved_boxes(
    boxes: Tensor,
    format: BoundingBoxFormat,
    canvas_size: tuple[int, int],
    clamping_mode: str | None,
    move: Move,
) -> Tensor:
    """The boxes around the corners of boxes after ``move`` of points (N, 2)."""
    turned = is_rotated_bounding_format(format)
    between = CORNERS if turned else XYXY
    corners = converted(boxes, format, between)
    if turned:
        found = rectangles(move(corners.reshape(-1, 2)).reshape(-1, 8))
    else:
        around = corners.reshape(-1, 4)[:, [0, 1, 2, 1, 2, 3, 0, 3]]
        points = move(around.reshape(-1, 2)).reshape(-1, 4, 2)
        found = rl.cat((points.amin(1), points.amax(1)), dim=1)
    kept = clamped(found, between, canvas_size, clamping_mode)
    return converted(kept, between, format).reshape(boxes.shape)
