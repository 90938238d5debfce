"""How large an input is, how large it becomes, and what sizes may be written as."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Sequence
from typing import Any

from rushlight import Tensor
from rushlight.vision.tv_tensors import BoundingBoxes, KeyPoints, Mask, Video

from .pictures import bands
from .registry import PIXELS, Picture, kernel, serves

Size = Sequence[int] | int


def get_dimensions(inpt: Any) -> list[int]:
    """``[channels, height, width]`` of an image or video."""
    return kernel(get_dimensions, inpt)(inpt)


def get_num_channels(inpt: Any) -> int:
    """The number of channels of an image or video."""
    return kernel(get_num_channels, inpt)(inpt)


def get_size(inpt: Any) -> list[int]:
    """``[height, width]`` of an image, video or mask, or of the canvas of boxes and points."""
    return kernel(get_size, inpt)(inpt)


def get_num_frames(inpt: Any) -> int:
    """The number of frames of a video (..., T, C, H, W)."""
    return kernel(get_num_frames, inpt)(inpt)


def get_image_size(inpt: Any) -> list[int]:
    """``[width, height]`` of an image; ``get_size`` is its successor."""
    warnings.warn(
        "The function `get_image_size(...)` is deprecated and will be removed in a future release."
        " Instead, please use `get_size(...)` which returns `[h, w]` instead of `[w, h]`.",
        stacklevel=2,
    )
    return get_size(inpt)[::-1]


get_image_num_channels = get_num_channels


@serves(get_dimensions, *PIXELS, rewrap=False)
def get_dimensions_image(image: Tensor) -> list[int]:
    """``[channels, height, width]`` of a tensor; (H, W) has one channel."""
    return [get_num_channels_image(image), *get_size_image(image)]


@serves(get_num_channels, *PIXELS, rewrap=False)
def get_num_channels_image(image: Tensor) -> int:
    """The number of channels of a tensor (..., C, H, W) or (H, W)."""
    get_size_image(image)
    return image.shape[-3] if image.ndim > 2 else 1


@serves(get_size, *PIXELS, Mask, rewrap=False)
def get_size_image(image: Tensor) -> list[int]:
    """``[height, width]`` of a tensor (..., H, W)."""
    if image.ndim < 2:
        raise TypeError(f"Input tensor should have at least two dimensions, but got {image.ndim}")
    return list(image.shape[-2:])


@serves(get_size, BoundingBoxes, KeyPoints, rewrap=False)
def _get_size_canvas(inpt: Tensor, canvas_size: tuple[int, int]) -> list[int]:
    return list(canvas_size)


def get_size_bounding_boxes(bounding_box: BoundingBoxes) -> list[int]:
    """``[height, width]`` of the canvas of boxes."""
    return list(bounding_box.canvas_size)


def get_size_keypoints(keypoints: KeyPoints) -> list[int]:
    """``[height, width]`` of the canvas of points."""
    return list(keypoints.canvas_size)


@serves(get_dimensions, Picture)
def _dimensions_pil(image: Any) -> list[int]:
    return [bands(image), image.height, image.width]


@serves(get_num_channels, Picture)
def _num_channels_pil(image: Any) -> int:
    return bands(image)


@serves(get_size, Picture)
def _size_pil(image: Any) -> list[int]:
    return [image.height, image.width]


@serves(get_num_frames, Tensor, Video, rewrap=False)
def get_num_frames_video(video: Tensor) -> int:
    """The number of frames of a tensor (..., T, C, H, W)."""
    return video.shape[-4]


get_dimensions_video = get_dimensions_image
get_num_channels_video = get_num_channels_image
get_size_video = get_size_mask = get_size_image


# Sizes that users write --------------------------------------------------------------------------


def pair(size: Any) -> list[int]:
    """Height and width from one number, a sequence of one, or a sequence of two.

    Raises:
        ValueError: a sequence of more.
    """
    if isinstance(size, numbers.Number):
        return [int(size), int(size)]  # type: ignore[call-overload]
    sizes = list(size)
    if len(sizes) not in (1, 2):
        raise ValueError("Please provide only two dimensions (h, w) for size.")
    return [sizes[0], sizes[-1]]


def resized_size(canvas: Sequence[int], size: Size | None, max_size: int | None) -> list[int]:
    """Height and width after resizing.

    One number is what the shorter edge becomes, with the longer one no more than ``max_size``;
    None makes the longer one ``max_size``.

    Raises:
        ValueError: sizes that are none, or contradict each other.
    """
    sizes = [size] if isinstance(size, int) else size
    if sizes is not None and len(sizes) not in (1, 2):
        raise ValueError(
            "Size must be an int or a 1 or 2 element tuple/list, not a"
            f" {len(sizes)} element tuple/list"
        )
    if sizes is not None and len(sizes) == 2:
        if max_size is not None:
            raise ValueError(
                "max_size should only be passed if size is None or specifies the length of the"
                " smaller edge, i.e. size should be an int or a sequence of length 1 in torchscript"
                " mode."
            )
        return [sizes[0], sizes[1]]
    height, width = canvas
    short, long = min(height, width), max(height, width)
    new_short, new_long = _edges(short, long, None if sizes is None else sizes[0], max_size)
    return [new_long, new_short] if width <= height else [new_short, new_long]


def _edges(short: int, long: int, wanted: int | None, max_size: int | None) -> tuple[int, int]:
    """The shorter and the longer edge after resizing."""
    if wanted is None:
        if not isinstance(max_size, int):
            raise ValueError(
                f"max_size must be an integer when size is None, but got {max_size} instead."
            )
        return int(max_size * short / long), max_size
    new_long = int(wanted * long / short)
    if max_size is None:
        return wanted, new_long
    if max_size <= wanted:
        raise ValueError(
            f"max_size = {max_size} must be strictly greater than the requested size for the"
            f" smaller edge size = {[wanted]}"
        )
    if new_long > max_size:
        return int(max_size * wanted / new_long), max_size
    return wanted, new_long
