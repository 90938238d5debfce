"""How elements that indices name are read and written in ONNX.

Called by what the operations say beside themselves; ``to`` is the export's writer, sizes may be
integers that vary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight.base.shapes import Shape


def ends(to: Any, start: Any, length: Any, step: int) -> tuple[Any, Any]:
    """Where a slice starts and ends, as lists of one."""
    reach = (length - 1) * step + 1 if length != 0 else 0
    if start.number is not None:
        return [start.number], [start.number + reach]
    first = to("Reshape", start, [1])
    return first, to("Add", first, [reach])


def run_of(to: Any, start: Any, count: Any, step: int) -> Any:
    """Places ``step`` apart, ``count`` of them."""
    run = to("Range", np.int64(0), to.scalar(count), np.int64(1))
    return to("Add", to("Reshape", start, []), to("Mul", run, np.int64(step)))


def put_along(
    to: Any, whole: Any, places: Any, part: Any, shape: Sequence[Any], dim: int, how: str = "none"
) -> Any:
    """``part``, which has a shape, put at the places of a vector along a dimension."""
    if not shape:
        return None
    beside = [1] * len(shape)
    beside[dim] = -1
    where = to("Expand", to("Reshape", places, beside), shape)
    return to("ScatterElements", whole, where, part, axis=dim, reduction=how)


def named_together(to: Any, x: Any, indices: Sequence[Any], dims: Shape) -> tuple[list[int], Any]:
    """The order that brings indexed dimensions to the front, and the indices side by side."""
    order = [*dims, *(k for k in range(x.ndim) if k not in dims)]
    shape = _together(indices)
    each = [to("Unsqueeze", to("Expand", index, shape), [-1]) for index in indices]
    return order, to("Concat", *each, axis=-1) if len(each) > 1 else each[0]


def named_shape(x: Any, indices: Sequence[Any], dims: Shape, front: int) -> list[Any]:
    """The shape of the elements that are named."""
    kept = [n for k, n in enumerate(x.shape) if k not in dims]
    return [*kept[:front], *_together(indices), *kept[front:]]


def _together(indices: Sequence[Any]) -> list[Any]:
    """The shape that indices broadcast to."""
    rank = max(index.ndim for index in indices)
    wide = [(1,) * (rank - index.ndim) + tuple(index.shape) for index in indices]
    return [next((n for n in sizes if n != 1), 1) for sizes in zip(*wide, strict=True)]
