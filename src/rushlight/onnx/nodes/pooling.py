"""Poolings, local and over all of space."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import rushlight as rl
from rushlight.nn import functional as F

from .convolution import by_rank
from .registry import Here, node
from .sliding import Window, window

AVERAGE: dict[int, Callable[..., rl.Tensor]] = {
    1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d,
}  # fmt: skip
LARGEST: dict[int, Callable[..., rl.Tensor]] = {
    1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d,
}  # fmt: skip


@node("AveragePool")
def average_pool(
    x: rl.Tensor, *, auto_pad: str = "NOTSET", ceil_mode: int = 0, count_include_pad: int = 0,
    dilations: Sequence[int] | None = None, kernel_shape: Sequence[int],
    pads: Sequence[int] | None = None, strides: Sequence[int] | None = None,
) -> rl.Tensor:  # fmt: skip
    view = window(x.shape[2:], kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    function = AVERAGE.get(x.ndim - 2)
    small = all(2 * pad <= k for pad, k in zip(view.before, view.kernel, strict=True))
    if function is not None and view.symmetric and small and set(view.dilations) == {1}:
        counted = bool(count_include_pad)
        return function(x, view.kernel, view.strides, view.before, False, counted)
    # Counted are the elements that are there, which are summed the same way.
    ones = rl.ones((1, 1, *x.shape[2:]), dtype=x.dtype)
    there = view.pad(ones, float(count_include_pad), beyond=False)
    total = view.total(view.pad(x, 0.0))
    return total / view.total(view.pad_beyond(there, 0.0))


@node("LpPool")
def lp_pool(
    x: rl.Tensor, *, auto_pad: str = "NOTSET", ceil_mode: int = 0,
    dilations: Sequence[int] | None = None, kernel_shape: Sequence[int], p: float = 2,
    pads: Sequence[int] | None = None, strides: Sequence[int] | None = None,
) -> rl.Tensor:  # fmt: skip
    view = window(x.shape[2:], kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    return view.total(view.pad(rl.abs(x) ** p, 0.0)) ** (1.0 / p)


@node("MaxPool")
def max_pool(
    x: rl.Tensor, *, auto_pad: str = "NOTSET", ceil_mode: int = 0,
    dilations: Sequence[int] | None = None, kernel_shape: Sequence[int],
    pads: Sequence[int] | None = None, storage_order: int = 0,
    strides: Sequence[int] | None = None, here: Here,
) -> rl.Tensor | tuple[rl.Tensor, rl.Tensor]:  # fmt: skip
    view = window(x.shape[2:], kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    function = by_rank(LARGEST, x.ndim - 2, "MaxPool")
    whole = not x.is_floating_point()
    real = x.to(rl.float32) if whole else x  # 8-bit integers, which floats hold exactly
    small = all(2 * pad <= k for pad, k in zip(view.before, view.kernel, strict=True))
    fits = view.symmetric and small
    padded = real if fits else view.pad(real, float("-inf"))
    padding = view.before if fits else 0
    if here.outputs == 1:
        found = function(padded, view.kernel, view.strides, padding, view.dilations)
        return found.to(x.dtype)
    found, places = function(
        padded, view.kernel, view.strides, padding, view.dilations, return_indices=True
    )
    begin = (0,) * (x.ndim - 2) if fits else view.before
    return found.to(x.dtype), _numbered(x, places, padded.shape[2:], begin, bool(storage_order))


def _numbered(
    x: rl.Tensor, places: rl.Tensor, space: Sequence[int], begin: Sequence[int], columns: bool
) -> rl.Tensor:
    """ONNX numbers the elements of the whole input; PyTorch those of a padded channel."""
    coordinates: list[rl.Tensor] = []
    for size, first in zip(reversed(space), reversed(begin), strict=True):
        coordinates.append(places % size - first)
        places = rl.div(places, size, rounding_mode="floor")
    inside = list(zip(reversed(x.shape[2:]), coordinates, strict=True))  # last dimension first
    number, step = rl.zeros_like(places), 1
    for size, place in reversed(inside) if columns else inside:
        number, step = number + place * step, step * size
    rows = rl.arange(x.shape[0] * x.shape[1]).reshape((*x.shape[:2],) + (1,) * (x.ndim - 2))
    return number + rows * step


@node("MaxUnpool")
def max_unpool(
    x: rl.Tensor, places: rl.Tensor, output_shape: rl.Tensor | None = None, *,
    kernel_shape: Sequence[int], pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> rl.Tensor:  # fmt: skip
    rank = x.ndim - 2
    stride, around = list(strides or [1] * rank), list(pads or [0] * (2 * rank))
    sizes = [
        (x.shape[2 + at] - 1) * stride[at] + kernel_shape[at] - around[at] - around[rank + at]
        for at in range(rank)
    ]
    # The places are numbers within the smallest input that gives this; others only add a margin.
    pooled = (*x.shape[:2], *sizes)
    flat = rl.zeros(math.prod(pooled), dtype=x.dtype)
    result = flat.scatter(0, places.reshape(-1), x.reshape(-1))
    result = result.reshape(pooled)
    if output_shape is None:
        return result
    more: list[int] = []
    for size, old in zip(reversed(output_shape.tolist()), reversed(pooled), strict=True):
        more += [0, size - old]
    return F.pad(result, more)


def _space(x: rl.Tensor) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


@node("GlobalAveragePool")
def global_average_pool(x: rl.Tensor) -> rl.Tensor:
    return x.mean(_space(x), keepdim=True)


@node("GlobalMaxPool")
def global_max_pool(x: rl.Tensor) -> rl.Tensor:
    return x.amax(_space(x), keepdim=True)


@node("GlobalLpPool")
def global_lp_pool(x: rl.Tensor, *, p: float = 2) -> rl.Tensor:
    return (rl.abs(x) ** p).sum(_space(x), keepdim=True) ** (1.0 / p)


@node("LRN")
def local_response_normalization(
    x: rl.Tensor, *, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0, size: int
) -> rl.Tensor:
    return F.local_response_norm(x, size, alpha, beta, bias)


__all__ = ["Window", "average_pool", "lp_pool", "max_pool", "max_unpool"]
