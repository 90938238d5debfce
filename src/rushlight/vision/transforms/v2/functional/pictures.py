"""PIL images, and the way between them, NumPy arrays and tensors.

Pillow is imported by what makes a PIL image. What is given one finds it imported already.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.vision import pillow
from rushlight.vision.tv_tensors import Image

# NumPy's type for the pixels of those modes of Pillow's that are not bytes.
_WIDE = {"I": np.int32, "I;16" if sys.byteorder == "little" else "I;16B": np.int16, "F": np.float32}
# Pillow's modes by number of channels; the first is what bytes are when nobody says.
_MODES = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}
_SINGLE = {
    np.dtype(np.uint8): "L",
    np.dtype(np.int16): "I;16" if sys.byteorder == "little" else "I;16B",
    np.dtype(np.int32): "I",
    np.dtype(np.float32): "F",
}


def is_pil_image(value: Any) -> bool:
    """Whether ``value`` is a PIL image; Pillow is not imported for that."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def bands(image: Any) -> int:
    """The number of channels of a PIL image."""
    return len(image.getbands())


def _channels_first(pixels: np.ndarray) -> Tensor:
    """Pixels (H, W) or (H, W, C) as a tensor (C, H, W)."""
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    if planes.dtype == np.uint16:
        planes = planes.astype(np.int32)
    # What is computed from them runs along the planes, so they are laid out once, here.
    return rl.tensor(np.ascontiguousarray(planes))


def pil_to_tensor(pic: Any) -> Tensor:
    """A PIL image as a tensor (C, H, W) of the same type; no value is changed.

    Unsigned values of 16 bits become int32, the smallest dtype that holds them.

    Raises:
        TypeError: no PIL image.
    Example:
        >>> from PIL import Image
        >>> pil_to_tensor(Image.new("RGB", (3, 2), (1, 2, 3)))[:, 0, 0]
        tensor([1, 2, 3], dtype=torch.uint8)
    """
    if not is_pil_image(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    return _channels_first(np.asarray(pic))


def to_tensor(pic: Any) -> Tensor:
    """A PIL image or an array (H, W, C) as a tensor (C, H, W).

    Bytes become numbers from 0 to 1 of the default dtype; other types keep their values.

    Raises:
        TypeError: neither an image nor an array.
        ValueError: an array of other than two or three dimensions.
    Example:
        >>> from PIL import Image
        >>> to_tensor(Image.new("L", (2, 1), 51))
        tensor([[[0.2000, 0.2000]]])
    """
    if is_pil_image(pic):
        pixels = np.asarray(pic, _WIDE.get(pic.mode, np.uint8))
        pixels = 255 * pixels if pic.mode == "1" else pixels
    elif not isinstance(pic, np.ndarray):
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    elif pic.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
    else:
        pixels = pic
    image = _channels_first(pixels)
    return image.to(rl.get_default_dtype()).div(255) if image.dtype is rl.uint8 else image


def to_image(inpt: Any) -> Image:
    """A PIL image, an array (H, W, C) or a tensor as a ``tv_tensors.Image``; no value is changed.

    Raises:
        TypeError: anything else.
    """
    if isinstance(inpt, np.ndarray):
        return Image(_channels_first(np.atleast_3d(inpt)))
    if is_pil_image(inpt):
        return Image(pil_to_tensor(inpt))
    if isinstance(inpt, Tensor):
        return Image(inpt)
    raise TypeError(
        "Input can either be a pure Tensor, a numpy array, or a PIL image, but got"
        f" {type(inpt)} instead."
    )


def to_pil_image(pic: Tensor | np.ndarray, mode: str | None = None) -> Any:
    """A tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W), as a PIL image.

    Floating numbers are taken to be from 0 to 1 and become bytes, except with mode ``"F"``.

    Args:
        mode: Pillow's mode; when None it is found from type and number of channels.
    Raises:
        TypeError: neither tensor nor array, or a type that no mode has.
        ValueError: other dimensions, more than four channels, or a mode that does not fit.
    Example:
        >>> import rushlight as rl
        >>> to_pil_image(rl.full((1, 1, 1), 0.5)).getpixel((0, 0))
        127
    """
    pixels = _pixels(pic)
    if np.issubdtype(pixels.dtype, np.floating) and mode != "F":
        pixels = (pixels * 255).astype(np.uint8)
    channels = pixels.shape[2]
    mode = _single_mode(pixels, mode) if channels == 1 else _color_mode(pixels, mode)
    if mode is None:
        raise TypeError(f"Input type {pixels.dtype} is not supported")
    return picture(pixels[:, :, 0] if channels == 1 else pixels, mode)


def _pixels(pic: Any) -> np.ndarray:
    """What is to become an image, as an array (H, W, C)."""
    if isinstance(pic, Tensor):
        pic = (pic.permute(1, 2, 0) if pic.ndim == 3 else pic).numpy(force=True)
    elif not isinstance(pic, np.ndarray):
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if pic.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
    pixels: np.ndarray = pic[:, :, None] if pic.ndim == 2 else pic
    if pixels.shape[-1] > 4:
        raise ValueError(f"pic should not have > 4 channels. Got {pixels.shape[-1]} channels.")
    return pixels


def _single_mode(pixels: np.ndarray, mode: str | None) -> str | None:
    fitting = _SINGLE.get(pixels.dtype)
    if mode is not None and mode != fitting:
        raise ValueError(
            f"Incorrect mode ({mode}) supplied for input type {pixels.dtype}. Should be {fitting}"
        )
    return fitting


def _color_mode(pixels: np.ndarray, mode: str | None) -> str | None:
    channels = pixels.shape[2]
    fitting = _MODES.get(channels, ())
    if mode is not None and mode not in fitting:
        raise ValueError(f"Only modes {list(fitting)} are supported for {channels}D inputs")
    if mode is None and pixels.dtype == np.uint8 and fitting:
        return fitting[0]
    return mode


def picture(pixels: np.ndarray, mode: str) -> Any:
    """An array of one of Pillow's modes as a PIL image."""
    library = pillow.library("making an image")
    return library.frombytes(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes())


def through_tensor(kernel: Any, image: Any, *args: Any, **kwargs: Any) -> Any:
    """Does to a PIL image what a kernel for tensors does."""
    return to_pil_image(kernel(pil_to_tensor(image), *args, **kwargs), mode=image.mode)
