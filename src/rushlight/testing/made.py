"""Tensors of any type, shape and layout, for tests."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import rushlight as rl

_WHOLE = (rl.bool, rl.uint8, rl.int8, rl.int16, rl.int32, rl.int64)


def make_tensor(
    *shape: Any, dtype: rl.dtype, device: Any, low: float | None = None, high: float | None = None,
    requires_grad: bool = False, noncontiguous: bool = False, exclude_zero: bool = False,
    memory_format: Any = None,
) -> rl.Tensor:  # fmt: skip
    """Numbers drawn uniformly from ``[low, high)``.

    Args:
        shape: sizes, or one sequence of them.
        low, high: what the dtype cannot hold becomes its nearest limit; [-9, 9) when None,
            [-9, 10) for integers, [0, 10) for unsigned ones, [0, 2) for bools.
        requires_grad: whether a gradient is collected.
        noncontiguous: whether neighbours are apart in memory, if there are two elements or more.
        exclude_zero: whether zeros become 1, or the smallest normal number of a floating type.
        memory_format: the order of dimensions in memory.
    Raises:
        ValueError: ``low`` is not below ``high``, one of them is NaN or both are out of range;
            whole numbers should require gradients; two layouts are asked for.
    Example:
        >>> import rushlight as rl
        >>> x = rl.testing.make_tensor(2, 3, dtype=rl.int64, device="cpu", low=5, high=6)
        >>> x.tolist()
        [[5, 5, 5], [5, 5, 5]]
    """
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    sizes = tuple(given)
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got"
            f" {noncontiguous=} and {memory_format=}"
        )
    if requires_grad and dtype in _WHOLE:
        raise ValueError(
            "`requires_grad=True` is not supported for boolean and integral dtypes, but got"
            f" {dtype=}"
        )
    if apart := noncontiguous and math.prod(sizes) > 1:
        sizes = (*sizes[:-1], 2 * sizes[-1])
    limits = _limits(dtype, low, high)
    result = _drawn(sizes, dtype, device, *limits)
    if apart:
        result = result[..., 1::2]  # and not at the start of its memory
    elif memory_format is not None:
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        result[result == 0] = 1 if dtype in _WHOLE else rl.finfo(dtype).tiny
    return result.requires_grad_(requires_grad) if requires_grad else result


def _drawn(sizes: tuple[int, ...], dtype: rl.dtype, device: Any, low: Any, high: Any) -> rl.Tensor:
    if dtype in _WHOLE:
        return rl.randint(math.ceil(low), math.ceil(high), sizes, device=device, dtype=dtype)
    result = rl.empty(sizes, device=device, dtype=dtype)
    parts = rl.view_as_real(result) if dtype.is_complex else result
    if high - low >= rl.finfo(dtype).max:  # the range has to be a number of that type
        parts.uniform_(low / 2, high / 2).mul_(2)
    else:
        parts.uniform_(low, high)
    return result


def _limits(dtype: rl.dtype, low: float | None, high: float | None) -> tuple[float, float]:
    least, most, first, last = _range(dtype)
    low, high = first if low is None else low, last if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low == high and dtype not in _WHOLE:
        warnings.warn(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is"
            " deprecated since 2.1 and will be removed in 2.3. Use `torch.full(...)` instead.",
            FutureWarning,
            stacklevel=4,
        )
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    elif high < least or low >= most:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), but {dtype} only"
            f" supports [{least}, {most})"
        )
    return min(max(low, least), most), min(max(high, least), most)


def _range(dtype: rl.dtype) -> tuple[float, float, float, float]:
    """The least that a type holds, what is above it all, and the limits when none are given."""
    if dtype is rl.bool:
        return 0, 2, 0, 2
    if dtype in _WHOLE:
        known = rl.iinfo(dtype)
        return known.min, known.max + (dtype is not rl.int64), -9, 10
    return rl.finfo(dtype).min, rl.finfo(dtype).max, -9, 9
