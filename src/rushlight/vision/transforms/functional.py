"""Functions on PIL images and tensors: those of ``v2.functional``, under their first names."""

# ruff: noqa: F401 - public names of other modules
from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .v2 import functional as F
from .v2.functional.modes import InterpolationMode, pil_modes_mapping
from .v2.functional.pictures import pil_to_tensor, to_pil_image, to_tensor
from .v2.functional.values import convert_image_dtype


def _renamed(function: Callable[..., Any], first: str) -> Callable[..., Any]:
    """A function with another name for its first parameter."""
    signature = inspect.signature(function)
    image, *others = signature.parameters.values()

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) if args else function(kwargs.pop(first), **kwargs)

    parameters = [image.replace(name=first), *others]
    called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return called


adjust_brightness = _renamed(F.adjust_brightness, "img")
adjust_contrast = _renamed(F.adjust_contrast, "img")
adjust_gamma = _renamed(F.adjust_gamma, "img")
adjust_hue = _renamed(F.adjust_hue, "img")
adjust_saturation = _renamed(F.adjust_saturation, "img")
adjust_sharpness = _renamed(F.adjust_sharpness, "img")
affine = _renamed(F.affine, "img")
autocontrast = _renamed(F.autocontrast, "img")
center_crop = _renamed(F.center_crop, "img")
crop = _renamed(F.crop, "img")
elastic_transform = _renamed(F.elastic_transform, "img")
equalize = _renamed(F.equalize, "img")
erase = _renamed(F.erase, "img")
five_crop = _renamed(F.five_crop, "img")
gaussian_blur = _renamed(F.gaussian_blur, "img")
get_dimensions = _renamed(F.get_dimensions, "img")
get_image_num_channels = _renamed(F.get_image_num_channels, "img")
hflip = _renamed(F.hflip, "img")
invert = _renamed(F.invert, "img")
pad = _renamed(F.pad, "img")
perspective = _renamed(F.perspective, "img")
posterize = _renamed(F.posterize, "img")
resize = _renamed(F.resize, "img")
resized_crop = _renamed(F.resized_crop, "img")
rgb_to_grayscale = _renamed(F.rgb_to_grayscale, "img")
rotate = _renamed(F.rotate, "img")
solarize = _renamed(F.solarize, "img")
ten_crop = _renamed(F.ten_crop, "img")
to_grayscale = _renamed(F.to_grayscale, "img")
vflip = _renamed(F.vflip, "img")
normalize = _renamed(F.normalize, "tensor")


def get_image_size(img: Any) -> list[int]:
    """``[width, height]`` of an image."""
    return F.get_size(img)[::-1]
