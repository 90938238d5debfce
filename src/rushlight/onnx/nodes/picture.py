"""Pictures in a file's bytes."""

from __future__ import annotations

import io

import numpy as np

import rushlight as rl
from rushlight.base import extras

from .registry import node


@node("ImageDecoder")
def image_decoder(data: rl.Tensor, *, pixel_format: str = "RGB") -> rl.Tensor:
    """The pixels (H, W, C) of an encoded picture, by Pillow."""
    Image = extras.load("PIL.Image", "vision", "decoding a picture of an ONNX model")
    with Image.open(io.BytesIO(data.numpy().tobytes())) as picture:
        pixels = np.array(picture.convert("L" if pixel_format == "Grayscale" else "RGB"))
    if pixel_format == "Grayscale":
        pixels = pixels[:, :, None]
    return rl.tensor(np.ascontiguousarray(pixels[:, :, ::-1] if pixel_format == "BGR" else pixels))
