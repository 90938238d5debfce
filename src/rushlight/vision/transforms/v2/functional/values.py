"""What numbers mean: dtypes and their ranges, means and deviations."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.vision.tv_tensors import BoundingBoxes, KeyPoints, Mask

from .registry import PIXELS, kernel, serves

_BITS = {rl.uint8: 8, rl.int8: 7, rl.int16: 15, rl.int32: 31, rl.int64: 63}
Statistics = Sequence[float] | float | Tensor


def value_bits(dtype: Any) -> int:
    """How many bits of an integer dtype hold a pixel's value.

    Raises:
        TypeError: no such dtype.
    """
    if dtype not in _BITS:
        raise TypeError(
            f"Number of value bits is only defined for integer dtypes, but got {dtype}."
        )
    return _BITS[dtype]


def max_value(dtype: Any) -> int:
    """What white is in a dtype: its largest integer, or 1 for floating ones."""
    return (1 << _BITS[dtype]) - 1 if dtype in _BITS else 1


def to_dtype(inpt: Any, dtype: Any = rl.float32, scale: bool = False) -> Any:
    """Changes the dtype.

    Args:
        scale: whether values of images and videos are scaled to the range of the new dtype.
    Raises:
        RuntimeError: floating values do not fit into the integers.
    Example:
        >>> import rushlight as rl
        >>> to_dtype(rl.tensor([0, 255], dtype=rl.uint8), scale=True)
        tensor([0., 1.])
    """
    return kernel(to_dtype, inpt)(inpt, dtype=dtype, scale=scale)


@serves(to_dtype, *PIXELS)
def to_dtype_image(image: Tensor, dtype: Any = rl.float32, scale: bool = False) -> Tensor:
    """:func:`to_dtype` for tensors."""
    if image.dtype is dtype:
        return image
    if not scale or (image.is_floating_point() and dtype.is_floating_point):
        return image.to(dtype)
    if image.is_floating_point():
        return _to_integers(image, dtype)
    if dtype.is_floating_point:
        return image.to(dtype).mul(1.0 / max_value(image.dtype))
    more = value_bits(dtype) - value_bits(image.dtype)
    return (image >> -more).to(dtype) if more < 0 else image.to(dtype) << more


def _to_integers(image: Tensor, dtype: Any) -> Tensor:
    """Values from 0 to 1 as integers; all integers have equally many values, but for 1."""
    if (image.dtype is rl.float32 and dtype in (rl.int32, rl.int64)) or (
        image.dtype is rl.float64 and dtype is rl.int64
    ):
        raise RuntimeError(
            f"The conversion from {image.dtype} to {dtype} cannot be performed safely."
        )
    return image.mul(float(max_value(dtype)) + 1.0 - 1e-3).to(dtype)


@serves(to_dtype, Mask, BoundingBoxes, KeyPoints)
def _to_dtype_unscaled(inpt: Tensor, dtype: Any) -> Tensor:
    return inpt.to(dtype)


def convert_image_dtype(image: Tensor, dtype: Any = rl.float32) -> Tensor:
    """Changes the dtype of a tensor and scales its values to the range of the new one.

    Raises:
        TypeError: no tensor.
        RuntimeError: floating values do not fit into the integers.
    """
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    return to_dtype_image(image, dtype, scale=True)


def normalize(inpt: Any, mean: Statistics, std: Statistics, inplace: bool = False) -> Any:
    """``(input - mean) / std`` for each channel.

    Args:
        inpt: floating, (..., C, H, W).
        mean, std: one number for each channel.
        inplace: whether the input itself is changed.
    Raises:
        TypeError: the input is not floating.
        ValueError: it has fewer than three dimensions, or a deviation is 0.
    Example:
        >>> import rushlight as rl
        >>> normalize(rl.ones(1, 1, 1), [0.5], [0.25])
        tensor([[[2.]]])
    """
    return kernel(normalize, inpt)(inpt, mean=mean, std=std, inplace=inplace)


@serves(normalize, *PIXELS)
def normalize_image(
    image: Tensor, mean: Statistics, std: Statistics, inplace: bool = False
) -> Tensor:
    """:func:`normalize` for tensors (..., C, H, W)."""
    if not image.is_floating_point():
        raise TypeError(f"Input tensor should be a float tensor. Got {image.dtype}.")
    if image.ndim < 3:
        raise ValueError(
            f"Expected tensor to be a tensor image of size (..., C, H, W). Got {image.shape}."
        )
    deviation = _by_channel(std, image.dtype)
    if not isinstance(std, Tensor) and not all(std if isinstance(std, Sequence) else [std]):
        raise ValueError("std evaluated to zero, leading to division by zero.")
    result = image.sub(_by_channel(mean, image.dtype)).div(deviation)
    return image.copy_(result) if inplace else result


def _by_channel(values: Statistics, dtype: Any) -> Tensor:
    """One number for each channel, as it broadcasts with (..., C, H, W)."""
    if isinstance(values, Tensor):
        return values.to(dtype).view(-1, 1, 1) if values.ndim == 1 else values.to(dtype)
    return _column(tuple(values) if isinstance(values, Sequence) else (values,), dtype)


@functools.lru_cache(64)  # a few that come with every image
def _column(values: tuple[float, ...], dtype: Any) -> Tensor:
    return rl.tensor(values, dtype=dtype).view(-1, 1, 1)


to_dtype_video = to_dtype_image
normalize_video = normalize_image
