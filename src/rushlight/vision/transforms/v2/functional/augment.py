"""Erased rectangles, traces of JPEG, fewer frames."""

from __future__ import annotations

import io
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.vision import pillow
from rushlight.vision.tv_tensors import Video

from .pictures import pil_to_tensor, through_tensor, to_pil_image
from .registry import PIXELS, Picture, kernel, serves


def erase(inpt: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """Writes values over a rectangle.

    Args:
        i, j: the upper left corner, y before x.
        h, w: height and width.
        v: what is written; broadcasts to (..., C, h, w).
        inplace: whether the input itself is changed; not for PIL images.
    """
    return kernel(erase, inpt)(inpt, i=i, j=j, h=h, w=w, v=v, inplace=inplace)


@serves(erase, *PIXELS)
def erase_image(
    image: Tensor, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False
) -> Tensor:
    """:func:`erase` for tensors (..., C, H, W)."""
    if isinstance(v, Tensor) and v.ndim > 1 and v.shape[-2:] != (1, 1):  # of that rectangle's size
        result = image if inplace else image.clone()
        result[..., i : i + h, j : j + w] = v
        return result
    values = v.to(image.dtype) if isinstance(v, Tensor) else rl.tensor(v, dtype=image.dtype)
    erased = rl.where(rectangle(image, i, j, h, w), values, image)
    return image.copy_(erased) if inplace else erased


def rectangle(image: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """Which pixels (H, W) of an image are in a rectangle.

    Its sizes are no shapes here, so one graph serves all of them.
    """
    y, x = rl.arange(image.shape[-2])[:, None], rl.arange(image.shape[-1])
    rows = (y >= top) & (y < top + height)
    return rows & (x >= left) & (x < left + width)


@serves(erase, Picture)
def _erase_pil(image: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    return through_tensor(erase_image, image, i, j, h, w, v)


def jpeg(image: Any, quality: int) -> Any:
    """The image after it was a JPEG file.

    Args:
        image: bytes, of one or three channels.
        quality: from 1 to 100.
    Raises:
        ModuleNotFoundError: Pillow is not installed.
    """
    return kernel(jpeg, image)(image, quality=quality)


@serves(jpeg, Picture)
def _jpeg_pil(image: Any, quality: int) -> Any:
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=quality)
    return pillow.library("jpeg").open(file).copy()


@serves(jpeg, *PIXELS)
def jpeg_image(image: Tensor, quality: int) -> Tensor:
    """:func:`jpeg` for tensors (..., C, H, W) of bytes."""
    if not image.numel():
        return image.clone()
    flat = image.reshape(-1, *image.shape[-3:])
    after = [pil_to_tensor(_jpeg_pil(to_pil_image(one), quality)) for one in flat.unbind()]
    return rl.stack(after).reshape(image.shape)


def uniform_temporal_subsample(inpt: Any, num_samples: int) -> Any:
    """Frames at equal distances in time, of a video (..., T, C, H, W)."""
    return kernel(uniform_temporal_subsample, inpt)(inpt, num_samples=num_samples)


@serves(uniform_temporal_subsample, Tensor, Video)
def uniform_temporal_subsample_video(video: Tensor, num_samples: int) -> Tensor:
    """:func:`uniform_temporal_subsample` for tensors (..., T, C, H, W)."""
    frames = rl.linspace(0, video.shape[-4] - 1, num_samples).long()
    return video.index_select(-4, frames)


erase_video, jpeg_video = erase_image, jpeg_image
