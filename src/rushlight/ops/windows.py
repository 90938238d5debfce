"""Where the windows of a pooling lie along one dimension, and pooling along it, in NumPy.

A *tap* is one element of every window at once: which windows have it, and where it lies in the
input. Pooling goes over the taps of one dimension after another, so its work grows with the sum of
the window's sizes and not with their product.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Places = slice | np.ndarray


class Sliding(NamedTuple):
    """``outputs`` windows of ``kernel`` elements, ``stride`` apart; beyond the input is nothing."""

    kernel: int
    stride: int
    padding: int
    dilation: int
    outputs: int

    def taps(self, size: int) -> list[tuple[Places, Places]]:
        """For each element of a window: the windows that have it, and its places in the input."""
        found: list[tuple[Places, Places]] = []
        for k in range(self.kernel):
            shift = k * self.dilation - self.padding
            first = max(0, -(shift // self.stride))
            last = min(self.outputs - 1, (size - 1 - shift) // self.stride)
            if first <= last:
                start, end = first * self.stride + shift, last * self.stride + shift
                found.append((slice(first, last + 1), slice(start, end + 1, self.stride)))
        return found

    def lengths(self, size: int, *, padded: bool) -> Any:
        """How many elements each window has, with or without what lies in the padding."""
        start = np.arange(self.outputs) * self.stride - self.padding
        end = np.minimum(start + self.kernel, size + self.padding)
        return end - start if padded else np.minimum(end, size) - np.maximum(start, 0)


class Adaptive(NamedTuple):
    """``outputs`` windows of nearly equal size that cover the input; they may overlap by one."""

    outputs: int

    def taps(self, size: int) -> list[tuple[Places, Places]]:
        """For each element of a window: the windows that have it, and its places in the input."""
        if self.outputs and size % self.outputs == 0:
            step = size // self.outputs
            return [(slice(0, self.outputs), slice(k, size, step)) for k in range(step)]
        start, length = self._starts(size), self.lengths(size, padded=False)
        windows = [np.flatnonzero(length > k) for k in range(max(length, default=0))]
        return [(some, start[some] + k) for k, some in enumerate(windows)]

    def lengths(self, size: int, *, padded: bool) -> Any:
        """How many elements each window has."""
        window = np.arange(1, self.outputs + 1)
        return -(-window * size // max(self.outputs, 1)) - self._starts(size)

    def _starts(self, size: int) -> Any:
        return np.arange(self.outputs) * size // max(self.outputs, 1)


Windows = tuple[Sliding | Adaptive, ...]
"""The windows along each of the last dimensions."""


def _along(axis: int, places: Places) -> tuple[Any, ...]:
    """An index of ``places`` in a dimension counted from the end."""
    return (..., places, *(slice(None),) * (-1 - axis))


def largest(x: Any, windows: Windows) -> tuple[Any, Any]:
    """The largest element of each window, and its place in the flattened windowed dimensions.

    Of equal ones it is the first; a NaN is larger than everything.
    """
    rank = len(windows)
    step = 1
    places: Any = 0
    for axis in range(-1, -1 - rank, -1):
        own = np.arange(x.shape[axis], dtype=np.int64) * step
        step *= x.shape[axis]
        places = np.broadcast_to(places + own.reshape(-1, *(1,) * (-1 - axis)), x.shape)
        x, places = _largest_along(axis, x, places, windows[axis])
    return x, places


def _largest_along(axis: int, x: Any, places: Any, window: Sliding | Adaptive) -> tuple[Any, Any]:
    taps = window.taps(x.shape[axis])
    first = np.zeros(window.outputs, np.intp)
    for outs, ins in reversed(taps):
        first[outs] = np.arange(x.shape[axis])[ins]
    best, where = np.take(x, first, axis), np.take(places, first, axis)
    for outs, ins in taps:
        here, there = _along(axis, outs), _along(axis, ins)
        old, new = best[here], x[there]
        better = (new > old) | (new != new)
        best[here] = np.where(better, new, old)
        where[here] = np.where(better, places[there], where[here])
    return best, where


def total(x: Any, windows: Windows) -> Any:
    """The sum over each window."""
    for axis, window in zip(range(-len(windows), 0), windows, strict=True):
        shape = list(x.shape)
        shape[axis] = window.outputs
        result = np.zeros(shape, x.dtype)
        for outs, ins in window.taps(x.shape[axis]):
            result[_along(axis, outs)] += x[_along(axis, ins)]
        x = result
    return x


def untotal(g: Any, windows: Windows, size: tuple[int, ...]) -> Any:
    """The transpose of :func:`total`: each window's value added to all its elements."""
    for axis, window in zip(range(-len(windows), 0), windows, strict=True):
        shape = list(g.shape)
        shape[axis] = size[axis]
        result = np.zeros(shape, g.dtype)
        for outs, ins in window.taps(size[axis]):
            there, here = _along(axis, ins), _along(axis, outs)
            if isinstance(ins, slice):
                result[there] += g[here]
            else:  # of more windows than elements, several have the same one
                np.add.at(result, there, g[here])
        g = result
    return g


def lengths(windows: Windows, size: tuple[int, ...], *, padded: bool) -> Any:
    """How many elements each window has: an array with a dimension for each of the windows'."""
    result: Any = 1
    for window, n in zip(windows, size, strict=True):
        result = np.multiply.outer(result, window.lengths(n, padded=padded))
    return result
