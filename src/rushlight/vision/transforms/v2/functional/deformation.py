"""Elastic deformation: each pixel is moved by itself."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.vision.tv_tensors import (
    BoundingBoxes,
    BoundingBoxFormat,
    KeyPoints,
    Mask,
    is_rotated_bounding_format,
)

from .borders import Fill
from .boxes import clamped, converted
from .modes import BILINEAR, NEAREST, Interpolation, as_mode
from .pictures import through_tensor
from .registry import PIXELS, Picture, kernel, on_planes, serves
from .rotated import CXCYWHR
from .sample import grid_dtype, moved_boxes, sampled


def elastic(
    inpt: Any,
    displacement: Tensor,
    interpolation: Interpolation = BILINEAR,
    fill: Fill = None,
) -> Any:
    """Reads each pixel of the result from another place.

    Args:
        displacement: (1, H, W, 2), how far in x and y, where the image is 2 wide and 2 high.
        fill: the value beyond the image, or one for each channel.
    Raises:
        TypeError: the displacement is no tensor.
        ValueError: it has another shape.
    """
    return kernel(elastic, inpt)(
        inpt, displacement=displacement, interpolation=interpolation, fill=fill
    )


elastic_transform = elastic


def _checked(displacement: Any, height: int, width: int) -> Tensor:
    if not isinstance(displacement, Tensor):
        raise TypeError("Argument displacement should be a Tensor")
    wanted = (1, height, width, 2)
    if displacement.shape != wanted:
        raise ValueError(
            f"Argument displacement shape should be {wanted}, but given {displacement.shape}"
        )
    return displacement


def _places(height: int, width: int, dtype: Any) -> Tensor:
    """The grid (1, H, W, 2) that changes nothing."""
    x = rl.linspace((1 - width) / width, (width - 1) / width, width, dtype=dtype)
    y = rl.linspace((1 - height) / height, (height - 1) / height, height, dtype=dtype)
    size = (height, width)
    return rl.stack((x.expand(size), y[:, None].expand(size)), dim=-1)[None]


@serves(elastic, *PIXELS)
def elastic_image(
    image: Tensor,
    displacement: Tensor,
    interpolation: Interpolation = BILINEAR,
    fill: Fill = None,
) -> Tensor:
    """:func:`elastic` for tensors (..., C, H, W)."""
    height, width = image.shape[-2:]
    _checked(displacement, height, width)
    if image.dtype is rl.float16:
        return elastic_image(image.float(), displacement, interpolation, fill).to(rl.float16)
    dtype = grid_dtype(image)
    grid = _places(height, width, dtype) + displacement.to(dtype)
    return sampled(image, grid, as_mode(interpolation), fill)


@serves(elastic, Picture)
def _elastic_pil(image: Any, displacement: Tensor, interpolation: Interpolation, fill: Fill) -> Any:
    return through_tensor(elastic_image, image, displacement, interpolation, fill)


@serves(elastic, Mask)
def elastic_mask(mask: Tensor, displacement: Tensor, fill: Fill = None) -> Tensor:
    """:func:`elastic` for masks (..., H, W), to the nearest pixel."""
    return on_planes(elastic_image, mask, displacement, NEAREST, fill)


class _Nearest:
    """Where points go: about as far against the displacement as the pixel that they are in."""

    def __init__(self, canvas_size: tuple[int, int], displacement: Any, dtype: Any) -> None:
        self.height, self.width = canvas_size
        shift = _checked(displacement, *canvas_size).to(dtype)
        self.grid = _places(self.height, self.width, dtype) - shift

    def __call__(self, points: Tensor) -> Tensor:
        x = points[:, 0].long().clamp(0, self.width - 1)
        y = points[:, 1].long().clamp(0, self.height - 1)
        half = rl.tensor([0.5 * self.width, 0.5 * self.height], dtype=self.grid.dtype)
        return ((self.grid[0, y, x] + 1) * half - 0.5).to(points.dtype)


@serves(elastic, KeyPoints)
def elastic_keypoints(
    keypoints: Tensor, canvas_size: tuple[int, int], displacement: Tensor
) -> Tensor:
    """:func:`elastic` for points (..., 2)."""
    move = _Nearest(canvas_size, displacement, grid_dtype(keypoints))
    if not keypoints.numel():
        return keypoints
    return move(keypoints.reshape(-1, 2)).reshape(keypoints.shape)


@serves(elastic, BoundingBoxes)
def elastic_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat,
    canvas_size: tuple[int, int],
    displacement: Tensor,
    clamping_mode: str | None = "soft",
) -> Tensor:
    """:func:`elastic` for boxes; of rotated ones, the centre moves."""
    nearest = _Nearest(canvas_size, displacement, grid_dtype(bounding_boxes))
    if not bounding_boxes.numel():
        return bounding_boxes

    def move(points: Tensor) -> Tensor:
        return nearest(points.ceil() if points.dtype.is_floating_point else points)

    if not is_rotated_bounding_format(format):
        return moved_boxes(bounding_boxes, format, canvas_size, clamping_mode, move)
    boxes = converted(bounding_boxes, format, CXCYWHR).reshape(-1, 5)
    boxes = rl.cat((move(boxes[:, :2]), boxes[:, 2:]), dim=1)
    kept = clamped(boxes, CXCYWHR, canvas_size, clamping_mode)
    return converted(kept, CXCYWHR, format).reshape(bounding_boxes.shape)


elastic_video = elastic_image
