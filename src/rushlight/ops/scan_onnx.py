"""Cumulative operations and order statistics in ONNX; ``to`` is the export's writer."""

from __future__ import annotations

from typing import Any

import numpy as np

LONGEST = 1024
"""Elements along a dimension up to which all that stand before each are reduced anew."""


def before_each(to: Any, x: Any, dim: int, neutral: float) -> Any:
    """The elements up to each, in a dimension behind ``dim``; ``neutral`` in the place of others.

    None where there are too many, or it is not known how many.
    """
    count = x.shape[dim] if x.ndim else None
    if not isinstance(count, int) or count > LONGEST or not x.dtype.is_floating_point:
        return None
    seen = np.tri(count, dtype=bool).reshape(count, count, *(1,) * (x.ndim - dim - 1))
    return to("Where", seen, to("Unsqueeze", x, [dim]), to.like(neutral, x))


def running(to: Any, x: Any, dim: int, largest: bool) -> Any:
    """The largest (or smallest) element up to each, and the place of the last such one."""
    seen = before_each(to, x, dim, -np.inf if largest else np.inf)
    if seen is None:
        return None
    values, places = ("ReduceMax", "ArgMax") if largest else ("ReduceMin", "ArgMin")
    found = to(places, seen, axis=dim + 1, keepdims=0, select_last_index=1)
    return to.axes(values, seen, [dim + 1], keepdims=0), found


def smallest(to: Any, x: Any, k: Any, dim: int, keepdim: bool) -> Any:
    """The ``k``-th smallest element along a dimension, and its place."""
    if not x.ndim or not isinstance(k, int) or x.dtype.name == "bool":
        return None
    found = to("TopK", x, [k], results=2, axis=dim, largest=0, sorted=1)
    index = np.array([k - 1]) if keepdim else np.array(k - 1)
    return tuple(to("Gather", each, index, axis=dim) for each in found)


def places_in(to: Any, sequence: Any, values: Any, right: bool) -> Any:
    """How many elements of a sorted sequence are less than each value (or equal, with right)."""
    if sequence.ndim > 1:  # of its own for each row of values
        sequence = to("Unsqueeze", sequence, [-2])
    each = to("Unsqueeze", values, [-1])
    less = to("LessOrEqual" if right else "Less", sequence, each)
    return to("ReduceSum", to.cast(less, to.result.dtype), [-1], keepdims=0)
