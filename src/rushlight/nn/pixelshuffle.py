"""Layers that turn channels into places, and places into channels."""

from __future__ import annotations

from typing import Any

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module


class PixelShuffle(Module):
    """Groups of ``r * r`` channels laid out as squares of ``r`` by ``r`` pixels.

    Shape:
        input (*, C * r * r, H, W); output (*, C, H * r, W * r), with r the ``upscale_factor``.
    Raises:
        RuntimeError: there are fewer than three dimensions, or the channels make no squares.
    Reference:
        Shi et al. 2016, "Real-Time Single Image and Video Super-Resolution Using an Efficient
        Sub-Pixel Convolutional Neural Network", arXiv:1609.05158.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.PixelShuffle(3)(rl.zeros(1, 9, 4, 4)).shape
        torch.Size([1, 1, 12, 12])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Any:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Squares of ``r`` by ``r`` pixels stacked as channels: the inverse of ``PixelShuffle``.

    Shape:
        input (*, C, H * r, W * r); output (*, C * r * r, H, W), with r the ``downscale_factor``.
    Raises:
        RuntimeError: there are fewer than three dimensions, or the squares do not fit.
    Reference:
        Shi et al. 2016, arXiv:1609.05158.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.PixelUnshuffle(3)(rl.zeros(1, 1, 12, 12)).shape
        torch.Size([1, 9, 4, 4])
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Any:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """The channels of ``groups`` groups taken in turn, one of each group.

    Shape:
        input (N, C, *); output the same.
    Raises:
        RuntimeError: there are fewer than three dimensions, or ``groups`` does not divide C.
    Reference:
        Zhang et al. 2017, "ShuffleNet", arXiv:1707.01083.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.ChannelShuffle(2)(rl.arange(4).view(1, 4, 1)).flatten()
        tensor([0, 2, 1, 3])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Any:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
