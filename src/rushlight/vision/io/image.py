"""Image files to tensors and back, by Pillow.

A decoded image is (C, H, W) uint8. Errors are ``RuntimeError``, as torchvision's.
"""

from __future__ import annotations

import io
import os
from enum import Enum
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.base import extras
from rushlight.vision import pillow

FilePath = str | os.PathLike[str]


class ImageReadMode(Enum):
    """What to convert an image to. Wherever one is taken, its name will do: ``mode="RGB"``."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = RGB_ALPHA


Mode = ImageReadMode | str
UNCHANGED = ImageReadMode.UNCHANGED
PILLOW_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}
# What a format's decoder of torchvision converts to; others it refuses.
CONVERTED = {
    "JPEG": {ImageReadMode.GRAY, ImageReadMode.RGB},
    "PNG": set(PILLOW_MODES),
    "GIF": {ImageReadMode.RGB},
    "WEBP": {ImageReadMode.RGB, ImageReadMode.RGB_ALPHA},
    "AVIF": {ImageReadMode.RGB, ImageReadMode.RGB_ALPHA},
}


# Bytes.


def read_file(path: FilePath) -> Tensor:
    """The bytes of a file, (N,) uint8.

    Raises:
        RuntimeError: there is no such file, or it is empty.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise RuntimeError(f"[Errno {error.errno}] {error.strerror}: '{path}'") from error
    if not data:
        raise RuntimeError(f"Expected a non empty file: {path}")
    return _bytes(data)


def write_file(filename: FilePath, data: Tensor) -> None:
    """Writes (N,) uint8 to a file.

    Raises:
        RuntimeError: ``data`` is something else, or the file cannot be written.
    """
    content = _content(data)
    try:
        with open(filename, "wb") as file:
            file.write(content)
    except OSError as error:
        raise RuntimeError(f"[Errno {error.errno}] {error.strerror}: '{filename}'") from error


def _bytes(data: bytes) -> Tensor:
    return rl.frombuffer(bytearray(data), dtype=rl.uint8)


def _content(data: Tensor) -> bytes:
    if data.dtype != rl.uint8:
        raise RuntimeError(f"Input tensor data type should be uint8, got {data.dtype}")
    if data.dim() != 1 or data.numel() == 0:
        raise RuntimeError("Input data should be a non-empty 1-dimensional tensor")
    return data.numpy().tobytes()


# Decoding.


def decode_image(
    input: Tensor | FilePath, mode: Mode = UNCHANGED, apply_exif_orientation: bool = False
) -> Tensor:
    """An image from a file, or from the bytes of one: JPEG, PNG, GIF or WebP.

    Args:
        input: a path, or (N,) uint8.
        mode: what to convert to; not all formats convert to all.
        apply_exif_orientation: turns it as the camera was held (JPEG and PNG).
    Shape:
        output (C, H, W) uint8, of a GIF with several pictures (N, C, H, W).
    Raises:
        RuntimeError: damaged, no image, or a mode that the format has not.
    Example:
        >>> decode_image(encode_png(rl.zeros(3, 2, 4, dtype=rl.uint8))).shape
        torch.Size([3, 2, 4])
    """
    data = input if isinstance(input, Tensor) else read_file(input)
    return _decoded(data, mode, apply_exif_orientation, ("JPEG", "PNG", "GIF", "WEBP"))


def read_image(
    path: FilePath, mode: Mode = UNCHANGED, apply_exif_orientation: bool = False
) -> Tensor:
    """An image from a file; see :func:`decode_image`."""
    return decode_image(read_file(path), mode, apply_exif_orientation)


def decode_png(
    input: Tensor, mode: Mode = UNCHANGED, apply_exif_orientation: bool = False
) -> Tensor:
    """An image from the bytes of a PNG file; see :func:`decode_image`."""
    return _decoded(input, mode, apply_exif_orientation, ("PNG",))


def decode_jpeg(
    input: Tensor | list[Tensor],
    mode: Mode = UNCHANGED,
    device: Any = "cpu",
    apply_exif_orientation: bool = False,
) -> Tensor | list[Tensor]:
    """An image, or a list of them, from the bytes of JPEG files; see :func:`decode_image`.

    Raises:
        ValueError: an empty list, or one of something else.
    """
    if isinstance(input, list):
        if not input:
            raise ValueError("Input list must contain at least one element")
        if not all(isinstance(one, Tensor) for one in input):
            raise ValueError("All elements of the input list must be tensors.")
        return [_jpeg(one, mode, device, apply_exif_orientation) for one in input]
    return _jpeg(input, mode, device, apply_exif_orientation)


def _jpeg(input: Tensor, mode: Mode, device: Any, turn: bool) -> Tensor:
    return _decoded(input, mode, turn, ("JPEG",)).to(device)


def decode_gif(input: Tensor) -> Tensor:
    """The pictures of a GIF file, in RGB.

    Shape:
        output (3, H, W) uint8, or (N, 3, H, W) when there are several.
    """
    return _decoded(input, ImageReadMode.RGB, False, ("GIF",))


def decode_webp(input: Tensor, mode: Mode = UNCHANGED) -> Tensor:
    """An image from the bytes of a WebP file; see :func:`decode_image`."""
    return _decoded(input, mode, False, ("WEBP",))


def decode_avif(input: Tensor, mode: Mode = UNCHANGED) -> Tensor:
    """An image from the bytes of an AVIF file; see :func:`decode_image`."""
    return _decoded(input, mode, False, ("AVIF",))


def decode_heic(input: Tensor, mode: Mode = UNCHANGED) -> Tensor:
    """Refused: Pillow does not read HEIC."""
    raise RuntimeError("rushlight does not read HEIC images: convert them to JPEG or PNG first")


def _decoded(input: Tensor, mode: Mode, turn: bool, formats: tuple[str, ...]) -> Tensor:
    wanted = ImageReadMode[mode.upper()] if isinstance(mode, str) else mode
    content = _content(input)
    try:
        with pillow.library("decoding an image").open(io.BytesIO(content), "r", formats) as image:
            return _tensor(image, wanted, turn)
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow's readers raise
        named = " or ".join(formats)
        raise RuntimeError(f"the data is damaged or no {named} image ({error})") from error


def _tensor(image: Any, mode: ImageReadMode, turn: bool) -> Tensor:
    if mode is not UNCHANGED and mode not in CONVERTED[image.format]:
        raise RuntimeError(f"The provided mode is not supported for {image.format} files: {mode}")
    if image.format == "GIF":
        return _pictures(image)
    if image.format == "JPEG" and mode is ImageReadMode.GRAY:
        image.draft("L", image.size)  # the brightness as it is stored
    if turn:
        image = extras.load("PIL.ImageOps", "vision", "turning an image").exif_transpose(image)
    if image.mode.startswith("I"):
        raise RuntimeError(
            "the image has 16 bits a channel, which need uint16: rushlight has no such dtype; "
            "PIL.Image.open and numpy.asarray give its values"
        )
    return _planes(image.convert(PILLOW_MODES.get(mode, "L" if image.mode == "1" else image.mode)))


def _pictures(image: Any) -> Tensor:
    frames = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        frames.append(_planes(image.convert("RGB")))
    return frames[0] if len(frames) == 1 else rl.stack(frames)


def _planes(image: Any) -> Tensor:
    pixels = np.array(image)  # (H, W) or (H, W, C)
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return rl.tensor(np.ascontiguousarray(planes))


# Encoding.


def encode_png(input: Tensor, compression_level: int = 6) -> Tensor:
    """The bytes of a PNG file, (N,) uint8.

    Args:
        compression_level: 0 (none) to 9.
    Shape:
        input (C, H, W) uint8 with C of 1 or 3.
    Raises:
        RuntimeError: another input or level.
    """
    if not 0 <= compression_level <= 9:
        raise RuntimeError("Compression level should be between 0 and 9")
    return _encoded(input, "PNG", compress_level=compression_level)


def encode_jpeg(input: Tensor | list[Tensor], quality: int = 75) -> Tensor | list[Tensor]:
    """The bytes of a JPEG file, (N,) uint8; a list of them for a list.

    Args:
        quality: 1 to 100.
    Shape:
        input (C, H, W) uint8 with C of 1 or 3.
    Raises:
        ValueError: another quality, or an empty list.
        RuntimeError: another input.
    """
    if quality < 1 or quality > 100:
        raise ValueError("Image quality should be a positive number between 1 and 100")
    if isinstance(input, list):
        if not input:
            raise ValueError("encode_jpeg requires at least one input tensor when a list is passed")
        return [_encoded(one, "JPEG", quality=quality) for one in input]
    return _encoded(input, "JPEG", quality=quality)


def write_png(input: Tensor, filename: FilePath, compression_level: int = 6) -> None:
    """Writes a PNG file; see :func:`encode_png`."""
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input: Tensor, filename: FilePath, quality: int = 75) -> None:
    """Writes a JPEG file; see :func:`encode_jpeg`."""
    if quality < 1 or quality > 100:
        raise ValueError("Image quality should be a positive number between 1 and 100")
    write_file(filename, _encoded(input, "JPEG", quality=quality))


def _encoded(input: Tensor, format: str, **options: int) -> Tensor:
    if input.dtype != rl.uint8:
        raise RuntimeError(f"Input tensor dtype should be uint8, got {input.dtype}")
    if input.dim() != 3 or input.numel() == 0:
        raise RuntimeError("Input data should be a non-empty 3-dimensional tensor")
    if input.shape[0] not in (1, 3):
        raise RuntimeError(f"The number of channels should be 1 or 3, got: {input.shape[0]}")
    planes = input.numpy()
    image = pillow.from_array(planes[0] if len(planes) == 1 else planes.transpose(1, 2, 0))
    out = io.BytesIO()
    image.save(out, format, **options)
    return _bytes(out.getvalue())
