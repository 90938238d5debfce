"""Numbers that tell of many: sums, extremes, statistics, counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import rushlight as rl

Array = rl.Tensor
DType = rl.dtype
Axis = int | tuple[int, ...] | None


def _axes(x: Array, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def _over(function: Callable[..., Array], x: Array, axis: Axis, keepdims: bool) -> Array:
    """A reduction that takes one dimension, over several.

    The last goes first, so that those before it keep their numbers.
    """
    if not x.ndim:
        return function(x[None], 0)
    for each in sorted((a % x.ndim for a in _axes(x, axis)), reverse=True):
        x = function(x, each, keepdim=keepdims)
    return x


def _summed(x: Array, dtype: DType | None) -> DType:
    """The type of a sum: whole numbers are added in the widest."""
    if dtype is not None:
        return dtype
    return x.dtype if x.is_floating_point() or x.is_complex() else rl.int64


def sum(
    x: Array, /, *, axis: Axis = None, dtype: DType | None = None, keepdims: bool = False
) -> Array:
    """Sums; those of no dimensions are the elements themselves."""
    axes, kept = _axes(x, axis), _summed(x, dtype)
    return rl.sum(x, axes, keepdim=keepdims, dtype=kept) if axes else x.to(kept, copy=True)


def prod(
    x: Array, /, *, axis: Axis = None, dtype: DType | None = None, keepdims: bool = False
) -> Array:
    """Products."""
    kept = _summed(x, dtype)
    return _over(partial(rl.prod, dtype=kept), x.to(kept), axis, keepdims)


def mean(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Means."""
    axes = _axes(x, axis)
    return rl.mean(x, axes, keepdim=keepdims) if axes else x.clone()


def var(
    x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Array:
    """Variances, of ``n - correction`` degrees of freedom."""
    axes = _axes(x, axis)
    if not axes:
        return x - x  # zero, but of NaN and infinities
    return rl.var(x, axes, correction=correction, keepdim=keepdims)


def std(
    x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Array:
    """Standard deviations, of ``n - correction`` degrees of freedom."""
    return rl.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def max(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest elements."""
    axes = _axes(x, axis)
    return rl.amax(x, axes, keepdim=keepdims) if axes else x.clone()


def min(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Smallest elements."""
    axes = _axes(x, axis)
    return rl.amin(x, axes, keepdim=keepdims) if axes else x.clone()


def all(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether every element is true, or not zero."""
    return _over(rl.all, x != 0, axis, keepdims)


def any(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether some element is true, or not zero."""
    return _over(rl.any, x != 0, axis, keepdims)


def count_nonzero(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """How many elements are not zero."""
    return sum((x != 0).to(rl.int64), axis=axis, keepdims=keepdims)


def argmax(x: Array, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Where the first of the largest elements is, in the flat array without an axis."""
    return rl.argmax(x, axis, keepdims)


def argmin(x: Array, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Where the first of the smallest elements is, in the flat array without an axis."""
    return rl.argmin(x, axis, keepdims)


def cumulative_sum(
    x: Array, /, *, axis: int | None = None, dtype: DType | None = None,
    include_initial: bool = False,
) -> Array:  # fmt: skip
    """Sums of everything up to each element."""
    return _cumulative(rl.cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Array, /, *, axis: int | None = None, dtype: DType | None = None,
    include_initial: bool = False,
) -> Array:  # fmt: skip
    """Products of everything up to each element."""
    return _cumulative(rl.cumprod, 1, x, axis, dtype, include_initial)


def _cumulative(
    function: Any, first: int, x: Array, axis: int | None, dtype: DType | None, include: bool
) -> Array:
    if axis is None:
        if x.ndim != 1:
            raise ValueError("axis must be specified when x is not one-dimensional")
        axis = 0
    found: Array = function(x, axis, dtype=_summed(x, dtype))
    if not include:
        return found
    shape = list(x.shape)
    shape[axis] = 1
    return rl.cat([rl.full(shape, first, dtype=found.dtype, device=x.device), found], axis)


__all__ = [
    "all", "any", "argmax", "argmin", "count_nonzero", "cumulative_prod", "cumulative_sum",
    "max", "mean", "min", "prod", "std", "sum", "var",
]  # fmt: skip
