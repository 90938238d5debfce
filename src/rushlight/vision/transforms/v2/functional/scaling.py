"""Other sizes."""

from __future__ import annotations

import warnings
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.nn.functional import interpolate
from rushlight.vision.tv_tensors import (
    BoundingBoxes,
    BoundingBoxFormat,
    KeyPoints,
    Mask,
    is_rotated_bounding_format,
)

from .modes import BILINEAR, Interpolation, InterpolationMode, as_mode, pil_modes_mapping
from .registry import PIXELS, Picture, kernel, on_planes, serves
from .rotated import resize_rotated
from .sizes import Size, resized_size

_SMOOTH = (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC, InterpolationMode.LANCZOS)
_NEAREST = (InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT)
# What ``interpolate`` computes as exactly as the result is wanted.
_EXACT = (rl.float32, rl.float64, rl.uint8)


def resize(
    inpt: Any,
    size: Size | None,
    interpolation: Interpolation = BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """Changes the size of images, videos, masks, boxes and points.

    Args:
        size: height and width; or one number, for the shorter edge; or None, for a longer edge of
            ``max_size``.
        interpolation: masks are always resized to the nearest pixel.
        max_size: no longer edge, where ``size`` is one number.
        antialias: for tensors and smooth modes; PIL images always are.
    Raises:
        ValueError: sizes or a mode that cannot be.
    Example:
        >>> import rushlight as rl
        >>> resize(rl.zeros(3, 20, 10), 5).shape
        torch.Size([3, 10, 5])
    """
    return kernel(resize, inpt)(
        inpt, size=size, interpolation=interpolation, max_size=max_size, antialias=antialias
    )


@serves(resize, *PIXELS)
def resize_image(
    image: Tensor,
    size: Size | None,
    interpolation: Interpolation = BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Tensor:
    """:func:`resize` for tensors (..., C, H, W); the dtype stays."""
    mode = as_mode(interpolation)
    if mode is InterpolationMode.LANCZOS and not antialias:
        raise ValueError("InterpolationMode.LANCZOS requires antialias=True")
    shape = image.shape
    new = resized_size(shape[-2:], size, max_size)
    if new == list(shape[-2:]):
        return image
    if image.numel():
        image = _interpolated(image.reshape(-1, *shape[-3:]), new, mode, bool(antialias))
    return image.reshape(*shape[:-2], *new)


def _interpolated(image: Tensor, size: list[int], mode: InterpolationMode, smooth: bool) -> Tensor:
    dtype, ours = image.dtype, image.dtype in _EXACT
    options: dict[str, Any] = {}
    if mode in _SMOOTH:
        options = {"align_corners": False, "antialias": smooth}
    result = interpolate(image if ours else image.float(), size=size, mode=mode.value, **options)
    if ours:
        return result
    return (result if dtype.is_floating_point else result.round()).to(dtype)


@serves(resize, Picture)
def _resize_pil(
    image: Any,
    size: Size | None,
    interpolation: Interpolation = BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    if antialias is False:
        warnings.warn(
            "Anti-alias option is always applied for PIL Image input. Argument antialias is"
            " ignored.",
            stacklevel=3,
        )
    mode = as_mode(interpolation)
    height, width = resized_size((image.height, image.width), size, max_size)
    if (width, height) == image.size:
        return image
    return image.resize((width, height), resample=pil_modes_mapping[mode])


@serves(resize, Mask)
def resize_mask(
    mask: Tensor,
    size: Size | None,
    interpolation: Interpolation = BILINEAR,
    max_size: int | None = None,
) -> Tensor:
    """:func:`resize` for masks (..., H, W), always to the nearest pixel."""
    mode = as_mode(interpolation)
    mode = mode if mode in _NEAREST else InterpolationMode.NEAREST
    return on_planes(resize_image, mask, size=size, interpolation=mode, max_size=max_size)


@serves(resize, KeyPoints)
def resize_keypoints(
    keypoints: Tensor, size: Size | None, canvas_size: tuple[int, int], max_size: int | None = None
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`resize` for points (..., 2); also the new canvas size."""
    new, ratios = _ratios(canvas_size, size, max_size)
    if new == tuple(canvas_size):
        return keypoints, canvas_size
    return keypoints.mul(rl.tensor(ratios)).to(keypoints.dtype), new


@serves(resize, BoundingBoxes)
def resize_bounding_boxes(
    bounding_boxes: Tensor,
    canvas_size: tuple[int, int],
    size: Size | None,
    max_size: int | None = None,
    format: BoundingBoxFormat = BoundingBoxFormat.XYXY,
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`resize` for boxes; also the new canvas size."""
    new, ratios = _ratios(canvas_size, size, max_size)
    if new == tuple(canvas_size):
        return bounding_boxes, canvas_size
    if is_rotated_bounding_format(format):
        return resize_rotated(bounding_boxes, ratios, new, format, clamping_mode), new
    return bounding_boxes.mul(rl.tensor(ratios * 2)).to(bounding_boxes.dtype), new


def _ratios(
    canvas_size: tuple[int, int], size: Size | None, max_size: int | None
) -> tuple[tuple[int, int], list[float]]:
    """The new canvas size, and the factors of x and y."""
    height, width = resized_size(canvas_size, size, max_size)
    return (height, width), [width / canvas_size[1], height / canvas_size[0]]


resize_video = resize_image
