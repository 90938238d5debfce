"""Affine maps and rotations."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Mask

from .borders import Fill, pil_fill
from .modes import NEAREST, Interpolation, as_mode, pil_modes_mapping
from .registry import PIXELS, Picture, kernel, on_planes, serves
from .sample import check_sampling, grid_dtype, moved_boxes, sampled, with_ones
from .sizes import get_size

Pair = Sequence[float]


def affine(
    inpt: Any,
    angle: float,
    translate: Pair,
    scale: float,
    shear: Pair | float,
    interpolation: Interpolation = NEAREST,
    fill: Fill = None,
    center: Pair | None = None,
) -> Any:
    """Turns, moves, scales and shears, with the centre where it is but for the move.

    Args:
        angle: in degrees, clockwise.
        translate: pixels to the right and down.
        scale: factor, positive.
        shear: degrees along x and along y, or along x alone.
        interpolation: nearest or bilinear; PIL images bicubic too. Masks are read as nearest.
        fill: the value beyond the image, or one for each channel.
        center: x and y in pixels from the upper left corner; None is the middle.
    Raises:
        TypeError, ValueError: arguments that are none.
    Example:
        >>> import rushlight as rl
        >>> affine(rl.tensor([[[1.0, 2.0]]]), 0, [1, 0], 1.0, 0.0)
        tensor([[[0., 1.]]])
    """
    return kernel(affine, inpt)(
        inpt,
        angle=angle,
        translate=translate,
        scale=scale,
        shear=shear,
        interpolation=interpolation,
        fill=fill,
        center=center,
    )


def rotate(
    inpt: Any,
    angle: float,
    interpolation: Interpolation = NEAREST,
    expand: bool = False,
    center: Pair | None = None,
    fill: Fill = None,
) -> Any:
    """Turns by ``angle`` degrees, counter-clockwise.

    Args:
        expand: whether the result is as large as the turned image; for the middle as centre.
        center: x and y in pixels from the upper left corner; None is the middle.
    Raises:
        ValueError: a mode or a fill that cannot be.
    """
    return kernel(rotate, inpt)(
        inpt,
        angle=angle,
        interpolation=interpolation,
        expand=expand,
        center=center,
        fill=fill,
    )


# Matrices ----------------------------------------------------------------------------------------


def _checked(
    angle: Any, translate: Any, scale: Any, shear: Any, center: Any
) -> tuple[float, list[float], float, list[float]]:
    """Angle, move, scale and shear in one form each."""
    if not isinstance(angle, int | float):
        raise TypeError("Argument angle should be int or float")
    if not isinstance(translate, list | tuple):
        raise TypeError("Argument translate should be a sequence")
    if len(translate) != 2:
        raise ValueError("Argument translate should be a sequence of length 2")
    if scale <= 0.0:
        raise ValueError("Argument scale should be positive")
    if not isinstance(shear, numbers.Number | list | tuple):
        raise TypeError("Shear should be either a single value or a sequence of two values")
    if center is not None and not isinstance(center, list | tuple):
        raise TypeError("Argument center should be a sequence")
    shears = [shear, 0.0] if isinstance(shear, numbers.Number) else list(shear)
    shears = shears * 2 if len(shears) == 1 else shears
    if len(shears) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    return float(angle), [float(t) for t in translate], scale, shears


def _matrix(
    center: Pair, angle: float, translate: Pair, scale: float, shear: Pair, inverted: bool = True
) -> list[float]:
    """Two rows of a map, or of its inverse: from places in the result to places in the image.

    The map is move . centre . rotation . shear y . shear x . scale . centre^-1.
    """
    turn, sx, sy = (math.radians(degrees) for degrees in (angle, *shear))
    a, c = math.cos(turn - sy) / math.cos(sy), math.sin(turn - sy) / math.cos(sy)
    b, d = -(a * math.tan(sx) + math.sin(turn)), math.cos(turn) - c * math.tan(sx)
    (cx, cy), (tx, ty) = center, translate
    if inverted:  # the determinant of rotation and shears is 1
        a, b, c, d = d / scale, -b / scale, -c / scale, a / scale
        from_x, from_y, to_x, to_y = cx + tx, cy + ty, cx, cy
    else:
        a, b, c, d = (v * scale for v in (a, b, c, d))
        from_x, from_y, to_x, to_y = cx, cy, cx + tx, cy + ty
    return [
        a, b, to_x - a * from_x - b * from_y,
        c, d, to_y - c * from_x - d * from_y,
    ]  # fmt: skip


def _expanded(matrix: list[float], width: int, height: int) -> tuple[int, int]:
    """Width and height of an image whose middle is mapped by the inverse of ``matrix``."""
    x, y = 0.5 * width, 0.5 * height
    corners = np.array([[-x, -y, 1], [-x, y, 1], [x, y, 1], [x, -y, 1]], np.float32)
    places = corners @ np.array(matrix, np.float32).reshape(2, 3).T
    half = np.array([x, y], np.float32)
    # A ten-thousandth of a pixel is rounding, and no reason for another pixel.
    fine = np.float32(1e4)
    high = np.ceil(np.trunc((places.max(0) + half) * fine) * np.float32(1e-4))
    low = np.floor(np.trunc((places.min(0) + half) * fine) * np.float32(1e-4))
    w, h = high - low
    return int(w), int(h)


def _grid(matrix: list[float], size: Sequence[int], result: Sequence[int], dtype: Any) -> Tensor:
    """The grid (1, H, W, 2) of a map around the middle; sizes are heights and widths."""
    height, width = result
    x = rl.linspace((1.0 - width) * 0.5, (width - 1.0) * 0.5, width)
    y = rl.linspace((1.0 - height) * 0.5, (height - 1.0) * 0.5, height)
    shape = (height, width)
    places = (x.expand(shape), y[:, None].expand(shape), rl.ones(shape))
    base = rl.stack(places, dim=-1).to(dtype)
    theta = rl.tensor(matrix, dtype=dtype).view(2, 3).T
    theta = theta / rl.tensor([0.5 * size[1], 0.5 * size[0]], dtype=dtype)
    return (base.view(1, -1, 3) @ theta).view(1, height, width, 2)


def _from_middle(center: Pair | None, size: Sequence[int]) -> list[float]:
    """The centre relative to the middle of an image."""
    if center is None:
        return [0.0, 0.0]
    return [center[0] - size[1] * 0.5, center[1] - size[0] * 0.5]


def _from_corner(center: Pair | None, size: Sequence[int]) -> list[float]:
    """The centre relative to the upper left corner."""
    return [size[1] * 0.5, size[0] * 0.5] if center is None else [float(c) for c in center]


# Images ------------------------------------------------------------------------------------------


@serves(affine, *PIXELS)
def affine_image(
    image: Tensor,
    angle: float,
    translate: Pair,
    scale: float,
    shear: Pair | float,
    interpolation: Interpolation = NEAREST,
    fill: Fill = None,
    center: Pair | None = None,
) -> Tensor:
    """:func:`affine` for tensors (..., C, H, W)."""
    how = _checked(angle, translate, scale, shear, center)
    size = image.shape[-2:]
    matrix = _matrix(_from_middle(center, size), *how)
    return _mapped(image, matrix, size, interpolation, fill)


@serves(rotate, *PIXELS)
def rotate_image(
    image: Tensor,
    angle: float,
    interpolation: Interpolation = NEAREST,
    expand: bool = False,
    center: Pair | None = None,
    fill: Fill = None,
) -> Tensor:
    """:func:`rotate` for tensors (..., C, H, W)."""
    angle, size = angle % 360, image.shape[-2:]
    if center is None:
        if angle in (0, 180):
            return image.clone() if angle == 0 else image.flip(-2, -1)
        if angle in (90, 270) and (expand or size[0] == size[1]):
            return rl.rot90(image, k=int(angle) // 90, dims=(-2, -1))
    matrix = _matrix(_from_middle(center, size), -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    result = _expanded(matrix, size[1], size[0])[::-1] if expand else size
    return _mapped(image, matrix, result, interpolation, fill)


def _mapped(
    image: Tensor,
    matrix: list[float],
    result: Sequence[int],
    interpolation: Interpolation,
    fill: Fill,
) -> Tensor:
    mode = as_mode(interpolation)
    check_sampling(image, mode, fill)
    grid = _grid(matrix, image.shape[-2:], result, grid_dtype(image))
    return sampled(image, grid, mode, fill)


@serves(affine, Picture)
def _affine_pil(
    image: Any,
    angle: float,
    translate: Pair,
    scale: float,
    shear: Pair | float,
    interpolation: Interpolation,
    fill: Fill,
    center: Pair | None,
) -> Any:
    how = _checked(angle, translate, scale, shear, center)
    matrix = _matrix(_from_corner(center, get_size(image)), *how)
    resample = pil_modes_mapping[as_mode(interpolation)]
    # Pillow's AFFINE is 0.
    return image.transform(image.size, 0, matrix, resample, fillcolor=pil_fill(fill, image))


@serves(rotate, Picture)
def _rotate_pil(
    image: Any,
    angle: float,
    interpolation: Interpolation,
    expand: bool,
    center: Pair | None,
    fill: Fill,
) -> Any:
    resample = pil_modes_mapping[as_mode(interpolation)]
    return image.rotate(angle, resample, expand, center, fillcolor=pil_fill(fill, image))


@serves(affine, Mask)
def affine_mask(
    mask: Tensor,
    angle: float,
    translate: Pair,
    scale: float,
    shear: Pair | float,
    fill: Fill = None,
    center: Pair | None = None,
) -> Tensor:
    """:func:`affine` for masks (..., H, W), to the nearest pixel."""
    how = (angle, translate, scale, shear, NEAREST, fill, center)
    return on_planes(affine_image, mask, *how)


@serves(rotate, Mask)
def rotate_mask(
    mask: Tensor,
    angle: float,
    expand: bool = False,
    center: Pair | None = None,
    fill: Fill = None,
) -> Tensor:
    """:func:`rotate` for masks (..., H, W), to the nearest pixel."""
    return on_planes(rotate_image, mask, angle, NEAREST, expand, center, fill)


# Points and boxes --------------------------------------------------------------------------------


class _Map:
    """An affine map of points on a canvas, and the canvas after it."""

    def __init__(
        self, canvas_size: tuple[int, int], how: Any, center: Pair | None, expand: bool = False
    ) -> None:
        middle = _from_corner(center, canvas_size)
        self.rows = np.array(_matrix(middle, *how, inverted=False)).reshape(2, 3)
        self.canvas_size = canvas_size
        if expand:
            height, width = canvas_size
            inverse = _matrix(middle, *how)
            corners = np.array([[0, 0, 1], [0, height, 1], [width, height, 1], [width, 0, 1]])
            self.rows[:, 2] -= (corners @ self.rows.T).min(0)
            self.canvas_size = _expanded(inverse, width, height)[::-1]

    def __call__(self, points: Tensor) -> Tensor:
        dtype = points.dtype if points.dtype.is_floating_point else rl.float32
        return with_ones(points, dtype) @ rl.tensor(self.rows, dtype=dtype).T


def _points_moved(points: Tensor, move: _Map) -> Tensor:
    return move(points.reshape(-1, 2)).reshape(points.shape).to(points.dtype)


@serves(affine, KeyPoints)
def affine_keypoints(
    keypoints: Tensor,
    canvas_size: tuple[int, int],
    angle: float,
    translate: Pair,
    scale: float,
    shear: Pair | float,
    center: Pair | None = None,
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`affine` for points (..., 2); also the canvas size."""
    how = _checked(angle, translate, scale, shear, center)
    return _points_moved(keypoints, _Map(canvas_size, how, center)), canvas_size


@serves(rotate, KeyPoints)
def rotate_keypoints(
    keypoints: Tensor,
    canvas_size: tuple[int, int],
    angle: float,
    expand: bool = False,
    center: Pair | None = None,
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`rotate` for points (..., 2); also the canvas size."""
    if not keypoints.numel():
        return keypoints, canvas_size
    move = _Map(canvas_size, (-angle, [0.0, 0.0], 1.0, [0.0, 0.0]), center, expand)
    return _points_moved(keypoints, move), move.canvas_size


@serves(affine, BoundingBoxes)
def affine_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat,
    canvas_size: tuple[int, int],
    angle: float,
    translate: Pair,
    scale: float,
    shear: Pair | float,
    center: Pair | None = None,
    clamping_mode: str | None = "soft",
) -> Tensor:
    """:func:`affine` for boxes."""
    how = _checked(angle, translate, scale, shear, center)
    return _boxes_moved(bounding_boxes, format, _Map(canvas_size, how, center), clamping_mode)


@serves(rotate, BoundingBoxes)
def rotate_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat,
    canvas_size: tuple[int, int],
    angle: float,
    expand: bool = False,
    center: Pair | None = None,
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`rotate` for boxes; also the canvas size."""
    if not bounding_boxes.numel():
        return bounding_boxes, canvas_size
    move = _Map(canvas_size, (-angle, [0.0, 0.0], 1.0, [0.0, 0.0]), center, expand)
    return _boxes_moved(bounding_boxes, format, move, clamping_mode), move.canvas_size


def _boxes_moved(
    boxes: Tensor, format: BoundingBoxFormat, move: _Map, clamping_mode: str | None
) -> Tensor:
    if not boxes.numel():
        return boxes
    floats = boxes if boxes.dtype.is_floating_point else boxes.float()
    return moved_boxes(floats, format, move.canvas_size, clamping_mode, move).to(boxes.dtype)


affine_video, rotate_video = affine_image, rotate_image
