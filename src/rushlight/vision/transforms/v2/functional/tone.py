"""Colour by looking at more than one value: hue, sharpness, autocontrast, equalised histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor

from .color import _enhanced, _operation, channels_of, in_range
from .pictures import picture
from .registry import PIXELS, Picture, kernel, serves
from .values import max_value, to_dtype_image


def adjust_hue(inpt: Any, hue_factor: float) -> Any:
    """Turns the hues.

    Args:
        hue_factor: from -0.5 to 0.5, in turns.
    Raises:
        ValueError: another factor.
        TypeError: neither one nor three channels.
    """
    return kernel(adjust_hue, inpt)(inpt, hue_factor=hue_factor)


def _check_turn(hue_factor: float) -> None:
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")


@serves(adjust_hue, *PIXELS)
def adjust_hue_image(image: Tensor, hue_factor: float) -> Tensor:
    """:func:`adjust_hue` for tensors (..., C, H, W)."""
    _check_turn(hue_factor)
    if channels_of(image) == 1 or not image.numel():
        return image
    hue, saturation, value = _hsv(to_dtype_image(image, rl.float32, scale=True))
    turned = _rgb((hue + hue_factor) % 1.0, saturation, value)
    return to_dtype_image(turned, image.dtype, scale=True)


def _hsv(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in turns, saturation and value of colours from 0 to 1."""
    red, green, _ = image.unbind(-3)
    low, high = image.amin(-3), image.amax(-3)
    grey, span = high == low, high - low
    one = rl.ones_like(high)
    saturation = span / rl.where(grey, one, high)
    # How far each channel is below the highest one, in parts of the span.
    below = (high.unsqueeze(-3) - image) / rl.where(grey, one, span).unsqueeze(-3)
    r, g, b = below.unbind(-3)
    sixths = rl.where(high == red, b - g, rl.where(high == green, r + 2.0 - b, g + 4.0 - r))
    return (sixths * (1.0 / 6.0) + 1.0).fmod(1.0), saturation, high


# Where red, green and blue come from in each sixth of the circle: value, p, q or t.
_SOURCES = ((0, 2, 1, 1, 3, 0), (3, 0, 0, 2, 1, 1), (1, 1, 3, 0, 0, 2))


def _rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    sixths = hue * 6
    sector = sixths.floor()
    part = saturation * (sixths - sector)
    rest = 1.0 - saturation
    p = (rest * value).clamp(0.0, 1.0)
    q = ((1.0 - part) * value).clamp(0.0, 1.0)
    t = ((part + rest) * value).clamp(0.0, 1.0)
    which = sector.to(rl.int32) % 6
    candidates = (value, p, q, t)
    return rl.stack([_picked(which, [candidates[i] for i in row]) for row in _SOURCES], dim=-3)


def _picked(which: Tensor, choices: list[Tensor]) -> Tensor:
    """Of six tensors, at each place the one of that number."""
    result = choices[5]
    for number in range(5):
        result = rl.where(which == number, choices[number], result)
    return result


@serves(adjust_hue, Picture)
def _hue_pil(image: Any, hue_factor: float) -> Any:
    _check_turn(hue_factor)
    if image.mode in ("L", "1", "I", "F"):
        return image
    from PIL import Image

    hue, saturation, value = image.convert("HSV").split()
    turned = np.array(hue) + np.int32(hue_factor * 255).astype(np.uint8)
    parts = (picture(turned, "L"), saturation, value)
    return Image.merge("HSV", parts).convert(image.mode)


def adjust_sharpness(inpt: Any, sharpness_factor: float) -> Any:
    """Sharper or softer: 0 is blurred, 1 the image, 2 twice as sharp.

    Raises:
        ValueError: a negative factor.
        TypeError: neither one nor three channels.
    """
    return kernel(adjust_sharpness, inpt)(inpt, sharpness_factor=sharpness_factor)


@serves(adjust_sharpness, *PIXELS)
def adjust_sharpness_image(image: Tensor, sharpness_factor: float) -> Tensor:
    """:func:`adjust_sharpness` for tensors (..., C, H, W); the outermost pixels stay."""
    channels_of(image)
    if sharpness_factor < 0:
        raise ValueError(f"sharpness_factor ({sharpness_factor}) is not non-negative.")
    if not image.numel() or image.shape[-2] <= 2 or image.shape[-1] <= 2:
        return image
    floats = image if image.is_floating_point() else image.float()
    inner = floats[..., 1:-1, 1:-1]
    around = floats.unfold(-1, 3, 1).sum(-1).unfold(-2, 3, 1).sum(-1)
    soft = (around + inner * 4.0) * (1.0 / 13.0)  # the centre counts five times
    soft = soft if image.is_floating_point() else soft.round()
    result = floats.clone()
    result[..., 1:-1, 1:-1] = inner + (soft - inner) * (1.0 - sharpness_factor)
    return in_range(result, image.dtype)


@serves(adjust_sharpness, Picture)
def _sharpness_pil(image: Any, sharpness_factor: float) -> Any:
    return _enhanced(image, "Sharpness", sharpness_factor)


def autocontrast(inpt: Any) -> Any:
    """Stretches the values of each channel from black to white.

    Raises:
        TypeError: neither one nor three channels.
    """
    return kernel(autocontrast, inpt)(inpt)


@serves(autocontrast, *PIXELS)
def autocontrast_image(image: Tensor) -> Tensor:
    """:func:`autocontrast` for tensors (..., C, H, W)."""
    channels_of(image)
    if not image.numel():
        return image
    floats = image if image.is_floating_point() else image.float()
    low, high = floats.amin((-2, -1), keepdim=True), floats.amax((-2, -1), keepdim=True)
    flat = low == high
    span = rl.where(flat, rl.ones_like(low), (high - low) * (1.0 / max_value(image.dtype)))
    return in_range((floats - rl.where(flat, rl.zeros_like(low), low)) / span, image.dtype)


@serves(autocontrast, Picture)
def _autocontrast_pil(image: Any) -> Any:
    return _operation(image, "autocontrast")


def equalize(inpt: Any) -> Any:
    """Values so that all are about equally frequent, in each channel."""
    return kernel(equalize, inpt)(inpt)


@serves(equalize, *PIXELS)
def equalize_image(image: Tensor) -> Tensor:
    """:func:`equalize` for tensors (..., H, W); other types than bytes lose values on the way."""
    if not image.numel():
        return image
    levels = to_dtype_image(image, rl.uint8, scale=True)
    flat = levels.flatten(-2).long()
    counts = rl.zeros(*levels.shape[:-2], 256, dtype=rl.int32)
    counts = counts.scatter_add(-1, flat, rl.ones_like(flat, dtype=rl.int32))
    below = counts.cumsum(-1, dtype=rl.int32)
    # The pixels of the highest level that occurs do not count.
    last = counts.gather(-1, below.argmax(-1, keepdim=True))
    step = (flat.shape[-1] - last).div(255, rounding_mode="floor")
    table = (below[..., :-1] + step // 2).div(step.clamp(min=1), rounding_mode="floor")
    table = rl.cat((rl.zeros_like(table[..., :1]), table.clamp(0, 255)), dim=-1).to(rl.uint8)
    equal = table.gather(-1, flat).view(levels.shape)
    result = rl.where((step != 0)[..., None], equal, levels)
    return to_dtype_image(result, image.dtype, scale=True)


@serves(equalize, Picture)
def _equalize_pil(image: Any) -> Any:
    return _operation(image, "equalize")


adjust_hue_video = adjust_hue_image
adjust_sharpness_video = adjust_sharpness_image
autocontrast_video = autocontrast_image
equalize_video = equalize_image
