"""Images of several sizes as one tensor."""

from __future__ import annotations

from typing import Any

from rushlight import Tensor


class ImageList:
    """A padded batch and the sizes that its images had before.

    Args:
        tensors: (N, C, H, W).
        image_sizes: (height, width) of each.
    """

    def __init__(self, tensors: Tensor, image_sizes: list[tuple[int, int]]) -> None:
        self.tensors = tensors
        self.image_sizes = image_sizes

    def to(self, device: Any) -> ImageList:
        """The same on a device."""
        return ImageList(self.tensors.to(device), self.image_sizes)
