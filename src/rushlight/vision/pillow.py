"""Pillow, which reads and makes images, and is imported when the first one is."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from rushlight.base import extras


def library(purpose: str = "reading an image") -> Any:
    """The module ``PIL.Image``.

    Raises:
        ModuleNotFoundError: Pillow is not installed; the sentence names the extra.
    """
    return extras.load("PIL.Image", "vision", purpose)


def opened(path: str | os.PathLike[str], mode: str | None = "RGB") -> Any:
    """The image in a file, with its pixels read; converted to ``mode`` unless that is None.

    Raises:
        OSError: there is no such file, it is damaged, or no image.
    """
    image = library()
    try:
        with open(path, "rb") as file:
            found = image.open(file)
            found.load()
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow's readers raise
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise OSError(f"{os.fspath(path)} is damaged or no image ({error})") from error
    return found if mode is None else found.convert(mode)


def from_array(pixels: np.ndarray) -> Any:
    """The image of (H, W) or (H, W, 3) bytes."""
    return library("making an image").fromarray(np.ascontiguousarray(pixels))
