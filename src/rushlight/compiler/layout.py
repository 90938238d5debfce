"""Layout: in which order the dimensions of a value lie in memory.

A value that only this program sees takes the order of what it is computed from. So a chain that
begins at a convolution, whose result has its channels last, stays that way to the next convolution,
and every kernel between them walks through memory from one end to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .expr import Expr, parts
from .index import Atom, Axis, Index, Looked, Quotient

Order = tuple[int, ...]


def natural(body: Expr, axes: Sequence[Axis], weight: Callable[[int], float]) -> Order:
    """The dimensions of a value, outermost first, as the largest thing that it reads lies.

    Args:
        body: an element of the value.
        axes: its place, an axis for each dimension.
        weight: how much the order of a buffer counts.
    """
    own = [axis for axis in axes if axis.extent > 1]
    best, found = 0.0, tuple(range(len(axes)))
    for x in parts(body):
        if x.op != "load" or not x.axes.issuperset(own) or weight(x.attrs[0]) <= best:
            continue
        strides = [_stride(x.attrs[1], axis) for axis in axes]
        # What is the same along an axis, which only a condition has, says nothing of its place.
        if all(stride for stride, axis in zip(strides, axes, strict=True) if axis.extent > 1):
            best = weight(x.attrs[0])
            found = tuple(sorted(range(len(axes)), key=lambda k: -_known(strides[k], axes[k])))
    return found if _matters(found, axes) else tuple(range(len(axes)))


def _known(stride: float | None, axis: Axis) -> float:
    return stride if stride is not None and axis.extent > 1 else 0.0


def _matters(order: Order, axes: Sequence[Axis]) -> bool:
    """Whether memory in an order is any different: dimensions with one place have none in it."""
    kept = [k for k in order if axes[k].extent > 1]
    return kept != sorted(kept)


def strides_in(order: Order, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Elements from one place to the next in each dimension, if memory has no gaps."""
    strides = [0] * len(shape)
    step = 1
    for k in reversed(order):
        strides[k] = step
        step *= max(1, shape[k])
    return tuple(strides)


def _stride(index: Index, axis: Axis) -> float | None:
    """About how far apart neighbours along an axis are; None if nobody can tell."""
    total = 0.0
    for atom, factor in index.terms:
        if axis in set(Index(((atom, 1),)).axes()):
            inner = _inside(atom, axis)
            if inner is None:
                return None
            total += abs(factor) * inner
    return total


def _inside(atom: Atom, axis: Axis) -> float | None:
    if isinstance(atom, Axis):
        return 1.0
    if isinstance(atom, Looked):
        return None
    inner = _stride(atom.whole, axis)
    return inner / atom.by if inner is not None and isinstance(atom, Quotient) else inner


def same_memory(a: Sequence[int], b: Sequence[int], shape: Sequence[int]) -> bool:
    """Whether strides mean the same for a shape."""
    return all(x == y or n <= 1 for x, y, n in zip(a, b, shape, strict=True))
