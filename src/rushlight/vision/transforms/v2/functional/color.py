"""Colour: brightness, contrast, saturation, gamma, grey, and what single values become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor

from .pictures import picture, through_tensor
from .registry import PIXELS, Picture, kernel, serves
from .values import max_value, to_dtype_image, value_bits


def channels_of(image: Tensor) -> int:
    """The number of channels of a grey or coloured image.

    Raises:
        TypeError: neither 1 nor 3.
    """
    channels = image.shape[-3]
    if channels not in (1, 3):
        raise TypeError(
            f"Input image tensor permitted channel values are 1 or 3, but found {channels}"
        )
    return channels


def _check_factor(factor: float, name: str) -> None:
    if factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")


def in_range(values: Tensor, dtype: Any) -> Tensor:
    """Values between black and white, in the dtype of an image."""
    return values.clamp(0, max_value(dtype)).to(dtype)


def blended(image: Tensor, other: Tensor, ratio: float) -> Tensor:
    """``ratio`` of an image and the rest of another one; what is beyond black and white is cut."""
    return in_range(image * ratio + other * (1.0 - ratio), image.dtype)


# Grey --------------------------------------------------------------------------------------------


def rgb_to_grayscale(inpt: Any, num_output_channels: int = 1) -> Any:
    """Coloured images to grey ones, by the luma weights of ITU-R 601-2.

    Args:
        num_output_channels: 1, or 3 equal ones.
    Raises:
        ValueError: another number.
    """
    return kernel(rgb_to_grayscale, inpt)(inpt, num_output_channels=num_output_channels)


to_grayscale = rgb_to_grayscale


def luma(image: Tensor) -> Tensor:
    """Grey (..., 1, H, W) of colours, in floating numbers."""
    red, green, blue = image.unbind(-3)
    return (red * 0.2989 + green * 0.587 + blue * 0.114).unsqueeze(-3)


def _check_outputs(number: int) -> None:
    if number not in (1, 3):
        raise ValueError(f"num_output_channels must be 1 or 3, got {number}.")


@serves(rgb_to_grayscale, *PIXELS)
def rgb_to_grayscale_image(image: Tensor, num_output_channels: int = 1) -> Tensor:
    """:func:`rgb_to_grayscale` for tensors (..., C, H, W) of one or three channels."""
    _check_outputs(num_output_channels)
    if image.shape[-3] == 1:
        gray = image.clone()
    else:
        gray = luma(image).to(image.dtype)
    return gray if num_output_channels == 1 else rl.cat((gray, gray, gray), dim=-3)


@serves(rgb_to_grayscale, Picture)
def _rgb_to_grayscale_pil(image: Any, num_output_channels: int) -> Any:
    _check_outputs(num_output_channels)
    gray = image.convert("L")
    if num_output_channels == 1:
        return gray
    pixels = np.asarray(gray)
    return picture(np.dstack([pixels] * 3), "RGB")


def grayscale_to_rgb(inpt: Any) -> Any:
    """Grey images to coloured ones that look the same; coloured ones stay."""
    return kernel(grayscale_to_rgb, inpt)(inpt)


@serves(grayscale_to_rgb, *PIXELS)
def grayscale_to_rgb_image(image: Tensor) -> Tensor:
    """:func:`grayscale_to_rgb` for tensors (..., C, H, W)."""
    return image if image.shape[-3] >= 3 else rgb_to_grayscale_image(image, 3)


@serves(grayscale_to_rgb, Picture)
def _grayscale_to_rgb_pil(image: Any) -> Any:
    return image.convert(mode="RGB")


# Light -------------------------------------------------------------------------------------------


def adjust_brightness(inpt: Any, brightness_factor: float) -> Any:
    """Makes lighter or darker: 0 is black, 1 the image, 2 twice as light.

    Raises:
        ValueError: a negative factor.
        TypeError: neither one nor three channels.
    """
    return kernel(adjust_brightness, inpt)(inpt, brightness_factor=brightness_factor)


@serves(adjust_brightness, *PIXELS)
def adjust_brightness_image(image: Tensor, brightness_factor: float) -> Tensor:
    """:func:`adjust_brightness` for tensors (..., C, H, W)."""
    _check_factor(brightness_factor, "brightness_factor")
    channels_of(image)
    return in_range(image * float(brightness_factor), image.dtype)


def adjust_contrast(inpt: Any, contrast_factor: float) -> Any:
    """More or less contrast: 0 is grey, 1 the image.

    Raises:
        ValueError: a negative factor.
        TypeError: neither one nor three channels.
    """
    return kernel(adjust_contrast, inpt)(inpt, contrast_factor=contrast_factor)


@serves(adjust_contrast, *PIXELS)
def adjust_contrast_image(image: Tensor, contrast_factor: float) -> Tensor:
    """:func:`adjust_contrast` for tensors (..., C, H, W)."""
    _check_factor(contrast_factor, "contrast_factor")
    mean = _whole_grey(image).mean(dim=(-3, -2, -1), keepdim=True)
    return blended(image, mean, contrast_factor)


def _whole_grey(image: Tensor) -> Tensor:
    """Grey in floating numbers; of integer images, in whole ones."""
    if channels_of(image) == 1:
        return image if image.is_floating_point() else image.float()
    gray = luma(image)
    return gray if image.is_floating_point() else gray.floor()


def adjust_saturation(inpt: Any, saturation_factor: float) -> Any:
    """More or less colour: 0 is grey, 1 the image, 2 twice as much.

    Raises:
        ValueError: a negative factor.
        TypeError: neither one nor three channels.
    """
    return kernel(adjust_saturation, inpt)(inpt, saturation_factor=saturation_factor)


@serves(adjust_saturation, *PIXELS)
def adjust_saturation_image(image: Tensor, saturation_factor: float) -> Tensor:
    """:func:`adjust_saturation` for tensors (..., C, H, W)."""
    _check_factor(saturation_factor, "saturation_factor")
    if channels_of(image) == 1:
        return image
    return blended(image, _whole_grey(image), saturation_factor)


def _enhanced(image: Any, what: str, factor: float) -> Any:
    """What Pillow's enhancer of that name makes of an image."""
    from PIL import ImageEnhance

    return getattr(ImageEnhance, what)(image).enhance(factor)


@serves(adjust_brightness, Picture)
def _brightness_pil(image: Any, brightness_factor: float) -> Any:
    return _enhanced(image, "Brightness", brightness_factor)


@serves(adjust_contrast, Picture)
def _contrast_pil(image: Any, contrast_factor: float) -> Any:
    return _enhanced(image, "Contrast", contrast_factor)


@serves(adjust_saturation, Picture)
def _saturation_pil(image: Any, saturation_factor: float) -> Any:
    return _enhanced(image, "Color", saturation_factor)


def adjust_gamma(inpt: Any, gamma: float, gain: float = 1) -> Any:
    """``gain * value ** gamma``, where white is 1.

    Raises:
        ValueError: a negative gamma.
    """
    return kernel(adjust_gamma, inpt)(inpt, gamma=gamma, gain=gain)


def _check_gamma(gamma: float) -> None:
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")


@serves(adjust_gamma, *PIXELS)
def adjust_gamma_image(image: Tensor, gamma: float, gain: float = 1.0) -> Tensor:
    """:func:`adjust_gamma` for tensors."""
    _check_gamma(gamma)
    floats = image if image.is_floating_point() else to_dtype_image(image, rl.float32, scale=True)
    result = floats.pow(gamma)
    if gain != 1.0:
        result = (result * gain).clamp(0.0, 1.0)
    return to_dtype_image(result, image.dtype, scale=True)


@serves(adjust_gamma, Picture)
def _gamma_pil(image: Any, gamma: float, gain: float = 1.0) -> Any:
    _check_gamma(gamma)
    table = [int((255 + 1 - 0.001) * gain * pow(level / 255.0, gamma)) for level in range(256)]
    return image.convert("RGB").point(table * 3).convert(image.mode)


# Single values -----------------------------------------------------------------------------------


def posterize(inpt: Any, bits: int) -> Any:
    """Keeps the highest ``bits`` of each value.

    Args:
        bits: from 0 to 8.
    Raises:
        TypeError: another number.
    """
    return kernel(posterize, inpt)(inpt, bits=bits)


@serves(posterize, *PIXELS)
def posterize_image(image: Tensor, bits: int) -> Tensor:
    """:func:`posterize` for tensors."""
    if not isinstance(bits, int) or not 0 <= bits <= 8:
        raise TypeError(f"bits must be a positive integer in the range [0, 8], got {bits} instead.")
    if image.is_floating_point():
        levels = 1 << bits
        return (image * levels).floor().clamp(0, levels - 1) * (1.0 / levels)
    whole = value_bits(image.dtype)
    return image if bits >= whole else image & (((1 << bits) - 1) << (whole - bits))


@serves(posterize, Picture)
def _posterize_pil(image: Any, bits: int) -> Any:
    return _operation(image, "posterize", bits)


def _operation(image: Any, what: str, *args: Any) -> Any:
    """What Pillow's operation of that name makes of an image."""
    from PIL import ImageOps

    return getattr(ImageOps, what)(image, *args)


def solarize(inpt: Any, threshold: float) -> Any:
    """Inverts all values from ``threshold`` on.

    Raises:
        TypeError: the threshold is beyond white.
    """
    return kernel(solarize, inpt)(inpt, threshold=threshold)


@serves(solarize, *PIXELS)
def solarize_image(image: Tensor, threshold: float) -> Tensor:
    """:func:`solarize` for tensors."""
    if threshold > max_value(image.dtype):
        raise TypeError(
            f"Threshold should be less or equal the maximum value of the dtype, but got {threshold}"
        )
    return rl.where(image >= threshold, invert_image(image), image)


@serves(solarize, Picture)
def _solarize_pil(image: Any, threshold: float) -> Any:
    return _operation(image, "solarize", threshold)


def invert(inpt: Any) -> Any:
    """Black for white and white for black.

    Example:
        >>> import rushlight as rl
        >>> invert(rl.tensor([[[0, 55, 255]]], dtype=rl.uint8))
        tensor([[[255, 200,   0]]], dtype=torch.uint8)
    """
    return kernel(invert, inpt)(inpt)


@serves(invert, *PIXELS)
def invert_image(image: Tensor) -> Tensor:
    """:func:`invert` for tensors."""
    if image.is_floating_point():
        return 1.0 - image
    return image ^ max_value(image.dtype)


@serves(invert, Picture)
def _invert_pil(image: Any) -> Any:
    return _operation(image, "invert")


def permute_channels(inpt: Any, permutation: Sequence[int] | Tensor) -> Any:
    """Channels in another order.

    Args:
        permutation: the number of each new channel among the old ones.
    Raises:
        ValueError: another length than there are channels.
    """
    return kernel(permute_channels, inpt)(inpt, permutation=permutation)


@serves(permute_channels, *PIXELS)
def permute_channels_image(image: Tensor, permutation: Sequence[int] | Tensor) -> Tensor:
    """:func:`permute_channels` for tensors (..., C, H, W)."""
    if len(permutation) != image.shape[-3]:
        raise ValueError(
            "Length of permutation does not match number of channels:"
            f" {len(permutation)} != {image.shape[-3]}"
        )
    return image.index_select(-3, rl.as_tensor(permutation))


@serves(permute_channels, Picture)
def _permute_channels_pil(image: Any, permutation: Sequence[int] | Tensor) -> Any:
    return through_tensor(permute_channels_image, image, permutation)


rgb_to_grayscale_video = rgb_to_grayscale_image
adjust_brightness_video = adjust_brightness_image
adjust_contrast_video = adjust_contrast_image
adjust_saturation_video = adjust_saturation_image
adjust_gamma_video = adjust_gamma_image
posterize_video, solarize_video, invert_video = posterize_image, solarize_image, invert_image
permute_channels_video = permute_channels_image
