"""Convolutions, transposed ones, deformed ones, and columns put back into an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import rushlight as rl
from rushlight.base.errors import MissingError
from rushlight.nn import functional as F

from .registry import node
from .sliding import Window, window

CONV: dict[int, Callable[..., rl.Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
CONV_TRANSPOSE: dict[int, Callable[..., rl.Tensor]] = {
    1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d,
}  # fmt: skip


def by_rank(functions: dict[int, Callable[..., Any]], rank: int, what: str) -> Callable[..., Any]:
    """The function for that many dimensions of space."""
    if rank not in functions:
        raise MissingError(
            what, f"{rank} spatial dimensions", rule="There may be 1, 2 or 3.",
            hint="Fold the others into the batch.",
        )  # fmt: skip
    return functions[rank]


def convolved(
    x: rl.Tensor, w: rl.Tensor, b: rl.Tensor | None, group: int, view: Window
) -> rl.Tensor:
    """Convolution as ONNX places its window; padding that is not the same on both sides is added
    before."""
    conv = by_rank(CONV, x.ndim - 2, "Conv")
    if view.symmetric:
        return conv(x, w, b, view.strides, view.before, view.dilations, group)
    return conv(view.pad(x, 0.0), w, b, view.strides, 0, view.dilations, group)


@node("Conv")
def conv(
    x: rl.Tensor, w: rl.Tensor, b: rl.Tensor | None = None, *, auto_pad: str = "NOTSET",
    dilations: Sequence[int] | None = None, group: int = 1,
    kernel_shape: Sequence[int] | None = None, pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> rl.Tensor:  # fmt: skip
    view = window(x.shape[2:], w.shape[2:], strides, pads, dilations, auto_pad)
    return convolved(x, w, b, group, view)


@node("ConvTranspose")
def conv_transpose(
    x: rl.Tensor, w: rl.Tensor, b: rl.Tensor | None = None, *, auto_pad: str = "NOTSET",
    dilations: Sequence[int] | None = None, group: int = 1,
    kernel_shape: Sequence[int] | None = None, output_padding: Sequence[int] | None = None,
    output_shape: Sequence[int] | None = None, pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> rl.Tensor:  # fmt: skip
    rank = x.ndim - 2
    stride, dilation = list(strides or [1] * rank), list(dilations or [1] * rank)
    more = list(output_padding or [0] * rank)
    full = [
        s * (size - 1) + d * (k - 1) + 1
        for s, size, d, k in zip(stride, x.shape[2:], dilation, w.shape[2:], strict=True)
    ]
    if output_shape is None and auto_pad.startswith("SAME"):
        output_shape = [size * s for size, s in zip(x.shape[2:], stride, strict=True)]
    if output_shape is not None:
        total = [f + m - o for f, m, o in zip(full, more, output_shape[-rank:], strict=True)]
        halves = [one // 2 for one in total]
        rest = [one - half for one, half in zip(total, halves, strict=True)]
        pads = halves + rest if auto_pad == "SAME_UPPER" else rest + halves
    pads = list(pads or [0] * (2 * rank))
    function = by_rank(CONV_TRANSPOSE, rank, "ConvTranspose")
    if (
        pads[:rank] == pads[rank:]
        and min(pads) >= 0
        and all(m < max(s, d) for m, s, d in zip(more, stride, dilation, strict=True))
    ):
        return function(x, w, b, stride, pads[:rank], more, group, dilation)
    # Sides that differ are cut off afterwards; what is added has no input, so it is the bias.
    result = function(x, w, None, stride, 0, 0, group, dilation)
    around: list[int] = []
    for at in reversed(range(rank)):
        around += [-pads[at], more[at] - pads[rank + at]]
    result = F.pad(result, around)
    return result if b is None else result + b.reshape((-1,) + (1,) * rank)


@node("ConvInteger")
def conv_integer(
    x: rl.Tensor, w: rl.Tensor, x_zero: rl.Tensor | None = None,
    w_zero: rl.Tensor | None = None, *, auto_pad: str = "NOTSET",
    dilations: Sequence[int] | None = None, group: int = 1,
    kernel_shape: Sequence[int] | None = None, pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> rl.Tensor:  # fmt: skip
    view = window(x.shape[2:], w.shape[2:], strides, pads, dilations, auto_pad)
    return convolved_integers(x, w, x_zero, w_zero, group, view).to(rl.int32)


def convolved_integers(
    x: rl.Tensor, w: rl.Tensor, x_zero: rl.Tensor | None, w_zero: rl.Tensor | None, group: int,
    view: Window,
) -> rl.Tensor:  # fmt: skip
    """Sums of products of integers, exact: float64 holds them up to 2**53."""
    wide = x.to(rl.float64) - (0 if x_zero is None else x_zero.to(rl.float64))
    weight = w.to(rl.float64)
    if w_zero is not None:
        weight = weight - w_zero.to(rl.float64).reshape((-1,) + (1,) * (w.ndim - 1))
    return convolved(wide, weight, None, group, view)


@node("Col2Im")
def col2im(
    x: rl.Tensor, image_shape: rl.Tensor, block_shape: rl.Tensor, *,
    dilations: Sequence[int] | None = None, pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> rl.Tensor:  # fmt: skip
    """Adds up columns in the image they were taken from, as `Fold` does, in any dimension."""
    sizes, kernel = image_shape.tolist(), block_shape.tolist()
    view = window(sizes, kernel, strides, pads, dilations, "NOTSET")
    N, count = x.shape[0], view.elements
    C = x.shape[1] // count
    wide = [
        size + before + after
        for size, before, after in zip(sizes, view.before, view.after, strict=True)
    ]
    columns = x.reshape(N, C, count, *view.sizes)
    total = rl.zeros((N, C, *wide), dtype=x.dtype)
    for at, place in enumerate(view.places()):
        total[(slice(None), slice(None), *place)] += columns[:, :, at]
    inside = [slice(b, b + size) for b, size in zip(view.before, sizes, strict=True)]
    return total[(slice(None), slice(None), *inside)]


@node("DeformConv")
def deform_conv(
    x: rl.Tensor, w: rl.Tensor, offset: rl.Tensor, b: rl.Tensor | None = None,
    mask: rl.Tensor | None = None, *, dilations: Sequence[int] | None = None, group: int = 1,
    kernel_shape: Sequence[int] | None = None, offset_group: int = 1,
    pads: Sequence[int] | None = None, strides: Sequence[int] | None = None,
) -> rl.Tensor:  # fmt: skip
    from rushlight.vision.ops import deform_conv2d

    view = window(x.shape[2:], w.shape[2:], strides, pads, dilations, "NOTSET")
    padding = view.before
    if not view.symmetric:
        x, padding = view.pad(x, 0.0), (0, 0)
    return deform_conv2d(x, offset, w, b, view.strides, padding, view.dilations, mask)
