"""Channels that become places, and places that become channels."""

from __future__ import annotations

from operator import index
from typing import Any

from rushlight import ops
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite


class PixelShuffle(Composite):
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
        >>> rl.nn.functional.pixel_shuffle(rl.tensor([1.0, 2.0, 3.0, 4.0]).view(4, 1, 1), 2)
        tensor([[[1., 2.],
                 [3., 4.]]])
    """

    name = "pixel_shuffle"
    torch = "pixel_shuffle(Tensor self, int upscale_factor) -> Tensor"

    def __call__(self, x: Node, upscale_factor: int) -> Node:
        r = _checked("pixel_shuffle", x, upscale_factor, "upscale_factor")
        *outer, channels, height, width = x.shape
        if channels % (r * r):
            raise OperationError(
                "pixel_shuffle",
                "pixel_shuffle expects its input's 'channel' dimension to be divisible by the"
                f" square of upscale_factor, but input.size(-3)={channels} is not divisible by"
                f" {r * r}",
            )
        n = len(outer)
        split = ops.reshape(x, (*outer, channels // (r * r), r, r, height, width))
        # (*, C, r, r, H, W) -> (*, C, H, r, W, r)
        turned = ops.permute(split, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
        return ops.reshape(turned, (*outer, channels // (r * r), height * r, width * r))

    def samples(self, make: Any) -> Any:
        yield make(2, 8, 3, 2), 2
        yield make(9, 1, 2), 3
        yield make(2, 1, 4, 1, 1), 2

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 2), RuntimeError, "at least 3 dimensions"
        yield lambda: make.call(make(3, 2, 2), 2), RuntimeError, "is not divisible by 4"
        yield lambda: make.call(make(4, 2, 2), 0), RuntimeError, "a positive upscale_factor"


class PixelUnshuffle(Composite):
    """Squares of ``r`` by ``r`` pixels stacked as channels: the inverse of :func:`pixel_shuffle`.

    Shape:
        input (*, C, H * r, W * r); output (*, C * r * r, H, W), with r the ``downscale_factor``.
    Raises:
        RuntimeError: there are fewer than three dimensions, or the squares do not fit.
    Reference:
        Shi et al. 2016, arXiv:1609.05158.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.pixel_unshuffle(rl.zeros(1, 4, 6), 2).shape
        torch.Size([4, 2, 3])
    """

    name = "pixel_unshuffle"
    torch = "pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor"

    def __call__(self, x: Node, downscale_factor: int) -> Node:
        r = _checked("pixel_unshuffle", x, downscale_factor, "downscale_factor")
        *outer, channels, height, width = x.shape
        for side, size, dim in (("height", height, -2), ("width", width, -1)):
            if size % r:
                raise OperationError(
                    "pixel_unshuffle",
                    f"pixel_unshuffle expects {side} to be divisible by downscale_factor, but"
                    f" input.size({dim})={size} is not divisible by {r}",
                )
        n = len(outer)
        split = ops.reshape(x, (*outer, channels, height // r, r, width // r, r))
        # (*, C, H, r, W, r) -> (*, C, r, r, H, W)
        turned = ops.permute(split, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
        return ops.reshape(turned, (*outer, channels * r * r, height // r, width // r))

    def samples(self, make: Any) -> Any:
        yield make(2, 2, 4, 6), 2
        yield make(1, 3, 3), 3

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 2), RuntimeError, "at least 3 dimensions"
        yield lambda: make.call(make(3, 3, 2), 2), RuntimeError, "height to be divisible"
        yield lambda: make.call(make(3, 2, 3), 2), RuntimeError, "width to be divisible"
        yield lambda: make.call(make(4, 2, 2), -1), RuntimeError, "a positive downscale_factor"


def _checked(name: str, x: Node, factor: int, parameter: str) -> int:
    if x.ndim < 3:
        raise OperationError(
            name,
            f"{name} expects input to have at least 3 dimensions, but got input with {x.ndim}"
            " dimension(s)",
        )
    factor = int(index(factor))
    if factor <= 0:
        raise OperationError(name, f"{name} expects a positive {parameter}, but got {factor}")
    return factor


class ChannelShuffle(Composite):
    """The channels of ``groups`` groups taken in turn, one of each group.

    Shape:
        input (N, C, *); output the same.
    Raises:
        RuntimeError: there are fewer than three dimensions, or ``groups`` does not divide C.
    Reference:
        Zhang et al. 2017, "ShuffleNet", arXiv:1707.01083.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.channel_shuffle(rl.arange(4).view(1, 4, 1), 2).flatten()
        tensor([0, 2, 1, 3])
    """

    name = "channel_shuffle"
    torch = (
        "channel_shuffle(Tensor input, int groups) -> Tensor",
        "native_channel_shuffle(Tensor input, int groups) -> Tensor",
    )

    def __call__(self, x: Node, groups: int) -> Node:
        name = "channel_shuffle"
        if x.ndim < 3:
            raise OperationError(
                name,
                f"channel_shuffle expects input with > 2 dims, but got input with sizes"
                f" {list(x.shape)}",
            )
        if groups <= 0:
            raise OperationError(
                name,
                f"Number of groups to divide channels in must be positive. Value of"
                f" groups:{groups}",
            )
        count, channels, *rest = x.shape
        if channels % groups:
            raise OperationError(
                name,
                f"Number of channels must be divisible by groups. Got {channels} channels and"
                f" {groups} groups.",
            )
        split = ops.reshape(x, (count, groups, channels // groups, *rest))
        return ops.reshape(ops.transpose(split, 1, 2), x.shape)

    def samples(self, make: Any) -> Any:
        yield make(2, 6, 2, 2), 3
        yield make(1, 4, 3), 2
        yield make(1, 4, 3), 1
        yield make(0, 4, 3), 2

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 4), 2), RuntimeError, "expects input with > 2 dims"
        yield lambda: make.call(make(2, 3, 2), 2), RuntimeError, "3 channels and 2 groups"
        yield lambda: make.call(make(2, 3, 2), 0), RuntimeError, "groups:0"


pixel_shuffle = PixelShuffle()
pixel_unshuffle = PixelUnshuffle()
channel_shuffle = ChannelShuffle()
