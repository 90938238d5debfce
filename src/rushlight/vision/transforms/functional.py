"""Functions on PIL images and tensors: those of ``v2.functional``, under their first names."""

from __future__ import annotations

from typing import Any

from .v2.functional import (
    get_size,
)  # fmt: skip


def get_image_size(img: Any) -> list[int]:
    """``[width, height]`` of an image."""
    return get_size(img)[::-1]
