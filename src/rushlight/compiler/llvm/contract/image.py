"""Where channels-last images lie."""

from __future__ import annotations

from dataclasses import dataclass

from rushlight.compiler.llvm.contract.window import Triple


@dataclass
class Image:
    """Where channels-last images lie.

    Attributes:
        place: of the buffer in the table.
        strides: bytes between images, and between pixels in each of three dimensions. Channels
            are contiguous.
        offset: bytes from the buffer's beginning to the first element.
        element: of the memory.
    """

    place: int
    strides: tuple[int, int, int, int]
    offset: int = 0
    element: str = "float"


def packed_images(place: int, size: Triple, channels: int, bytes: int = 4) -> Image:
    """Images without gaps."""
    w = channels * bytes
    h = w * size[2]
    d = h * size[1]
    return Image(place, (d * size[0], d, h, w))
