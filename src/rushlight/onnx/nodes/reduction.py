"""Sums, products and extremes over dimensions, and where the extremes are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import rushlight as rl

from .registry import node

Dims = tuple[int, ...]


def _sum(x: rl.Tensor, dims: Dims, keep: bool) -> rl.Tensor:
    return rl.sum(x, dims, keepdim=keep, dtype=x.dtype)


def _product(x: rl.Tensor, dims: Dims, keep: bool) -> rl.Tensor:
    for dim in sorted(dims, reverse=True):
        x = rl.prod(x, dim, keepdim=keep, dtype=x.dtype)
    return x


def _average(x: rl.Tensor, dims: Dims, keep: bool) -> rl.Tensor:
    if x.is_floating_point():
        return rl.mean(x, dims, keepdim=keep)
    count = math.prod(x.shape[dim] for dim in dims)
    return rl.div(_sum(x, dims, keep), count, rounding_mode="trunc")


def _extreme(
    function: Callable[..., rl.Tensor], bound: str
) -> Callable[[rl.Tensor, Dims, bool], rl.Tensor]:
    def extreme(x: rl.Tensor, dims: Dims, keep: bool) -> rl.Tensor:
        if all(x.shape[dim] for dim in dims):
            return function(x, dims, keepdim=keep)
        return rl.full(_without(x.shape, dims, keep), _limit(x.dtype, bound), dtype=x.dtype)

    return extreme


def _limit(dtype: rl.dtype, bound: str) -> Any:
    """The extreme of no numbers: the other end of what the type holds."""
    if dtype.is_floating_point:
        return float("inf") if bound == "max" else float("-inf")
    if dtype is rl.bool:
        return bound == "max"
    return getattr(rl.iinfo(dtype), bound)


def _without(shape: Sequence[int], dims: Dims, keep: bool) -> list[int]:
    kept = [1 if at in dims else size for at, size in enumerate(shape)]
    return kept if keep else [size for at, size in enumerate(shape) if at not in dims]


def _log_sum(x: rl.Tensor, dims: Dims, keep: bool) -> rl.Tensor:
    return rl.log(_sum(x, dims, keep))


def _log_sum_exp(x: rl.Tensor, dims: Dims, keep: bool) -> rl.Tensor:
    if all(x.shape[dim] for dim in dims):
        return rl.logsumexp(x, dims, keepdim=keep)
    return rl.log(_sum(rl.exp(x), dims, keep))


def _norm1(x: rl.Tensor, dims: Dims, keep: bool) -> rl.Tensor:
    return _sum(rl.abs(x), dims, keep)


def _norm2(x: rl.Tensor, dims: Dims, keep: bool) -> rl.Tensor:
    if x.is_floating_point():
        return rl.linalg.vector_norm(x, 2, dims, keepdim=keep)
    return rl.sqrt(_squares(x, dims, keep)).to(x.dtype)


def _squares(x: rl.Tensor, dims: Dims, keep: bool) -> rl.Tensor:
    return _sum(x * x, dims, keep)


# Name, what it does, and the opset version that made its axes an input.
REDUCTIONS: tuple[tuple[str, Callable[[rl.Tensor, Dims, bool], rl.Tensor], int], ...] = (
    ("ReduceSum", _sum, 13),
    ("ReduceProd", _product, 18),
    ("ReduceMean", _average, 18),
    ("ReduceMax", _extreme(rl.amax, "min"), 18),
    ("ReduceMin", _extreme(rl.amin, "max"), 18),
    ("ReduceLogSum", _log_sum, 18),
    ("ReduceLogSumExp", _log_sum_exp, 18),
    ("ReduceL1", _norm1, 18),
    ("ReduceL2", _norm2, 18),
    ("ReduceSumSquare", _squares, 18),
)


def _reduced(function: Callable[[rl.Tensor, Dims, bool], rl.Tensor], x: rl.Tensor,
             axes: Sequence[int] | None, keep: int, empty_is_none: int) -> rl.Tensor:  # fmt: skip
    if not axes and empty_is_none:
        # No dimension is reduced, but what is done to each element is done.
        return function(x.unsqueeze(0), (0,), False)
    dims = tuple(axis % x.ndim for axis in axes) if axes else tuple(range(x.ndim))
    if not dims:
        return function(x.reshape(1), (0,), False)
    return function(x, dims, bool(keep))


def _register(
    name: str, function: Callable[[rl.Tensor, Dims, bool], rl.Tensor], since: int
) -> None:
    @node(name)
    def by_attribute(
        x: rl.Tensor, *, axes: Sequence[int] | None = None, keepdims: int = 1
    ) -> rl.Tensor:
        return _reduced(function, x, axes, keepdims, 0)

    @node(name, since=since)
    def by_input(
        x: rl.Tensor, axes: rl.Tensor | None = None, *, keepdims: int = 1,
        noop_with_empty_axes: int = 0,
    ) -> rl.Tensor:  # fmt: skip
        given = None if axes is None else axes.tolist()
        return _reduced(function, x, given, keepdims, noop_with_empty_axes)


for _name, _function, _since in REDUCTIONS:
    _register(_name, _function, _since)


def _place(
    function: Callable[..., rl.Tensor],
) -> Callable[..., rl.Tensor]:
    def place(
        x: rl.Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
    ) -> rl.Tensor:
        if not select_last_index:
            return function(x, axis, keepdim=bool(keepdims))
        found = function(x.flip(axis), axis, keepdim=bool(keepdims))
        return x.shape[axis] - 1 - found

    return place


node("ArgMax")(_place(rl.argmax))
node("ArgMin")(_place(rl.argmin))


@node("TopK")
def top_k_fixed(x: rl.Tensor, *, k: int, axis: int = -1) -> tuple[rl.Tensor, rl.Tensor]:
    return tuple(rl.topk(x, k, axis))


@node("TopK", since=10, carried="move")
def top_k(
    x: rl.Tensor, k: rl.Tensor, *, axis: int = -1, largest: int = 1, sorted: int = 1
) -> tuple[rl.Tensor, rl.Tensor]:
    # Of equal elements ONNX takes the first; a stable sort keeps their order.
    values, places = rl.sort(x, dim=axis, descending=bool(largest), stable=True)
    count = int(k.item())
    return values.narrow(axis, 0, count), places.narrow(axis, 0, count)
