"""Where the windows of a pooling lie along one dimension, and pooling along it, in NumPy.

A *tap* is one element of every window at once: which windows have it, and where it lies in the
input. Pooling goes over the taps of one dimension after another, so its work grows with the sum of
the window's sizes and not with their product.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rushlight.base.dtypes import bool_, int64

Places = slice | np.ndarray
Tap = tuple[int, Places, Places]
"""A tap's number, the windows that have it, and its places in the input."""


class Sliding(NamedTuple):
    """``outputs`` windows of ``kernel`` elements, ``stride`` apart; beyond the input is nothing."""

    kernel: int
    stride: int
    padding: int
    dilation: int
    outputs: int

    def taps(self, size: int) -> list[Tap]:
        """The taps that are not empty."""
        found: list[Tap] = []
        for k in range(self.kernel):
            shift = k * self.dilation - self.padding
            first = max(0, -(shift // self.stride))
            last = min(self.outputs - 1, (size - 1 - shift) // self.stride)
            if first <= last:
                start, end = first * self.stride + shift, last * self.stride + shift
                found.append((k, slice(first, last + 1), slice(start, end + 1, self.stride)))
        return found

    @property
    def spacing(self) -> int:
        """From one tap to the next."""
        return self.dilation

    def start(self, window: Any, size: int) -> Any:
        """Where a window starts, which may be before the input."""
        return window * self.stride - self.padding

    def starts(self, size: int) -> Any:
        """Where each window starts."""
        return self.start(np.arange(self.outputs), size)

    def lengths(self, size: int, *, padded: bool) -> Any:
        """How many elements each window has, with or without what lies in the padding."""
        start = self.starts(size)
        end = np.minimum(start + self.kernel, size + self.padding)
        return end - start if padded else np.minimum(end, size) - np.maximum(start, 0)

    # For kernels, whose places are index expressions -------------------------------------------

    def reach(self, size: int) -> int:
        """How many taps there are."""
        return self.kernel

    def holds(self, b: Any, window: Any, place: Any, size: int) -> Any:
        """Whether a tap of a window that lies at a place is in the input."""
        return b.inside(place, 0, size)

    def length(self, b: Any, window: Any, size: int, *, padded: bool) -> Any:
        """How many elements a window has, with or without what lies in the padding."""
        start = self.start(window, size)
        before, behind = (self.padding, self.padding) if padded else (0, 0)
        low, high = start.limits
        if low >= -before and high + self.kernel <= size + behind:
            return b.const(self.kernel, int64)
        first = b.value(start) if padded else b.maximum(b.value(start), 0)
        return b.sub(b.minimum(b.value(start + self.kernel), size + behind), first)

    def overlap(self, size: int) -> int:
        """How many windows at most have one place."""
        return (self.kernel - 1) * self.dilation // self.stride + 1

    def having(self, b: Any, place: Any, k: Any, size: int) -> tuple[Any, Any]:
        """The ``k``-th of the windows that may have a place, and whether it does."""
        window = (place + self.padding) // self.stride - k
        distance = (place + self.padding) % self.stride + k * self.stride
        within = b.inside(distance, 0, (self.kernel - 1) * self.dilation + 1)
        met = b.inside(distance % self.dilation, 0, 1)
        return window, b.all([b.inside(window, 0, self.outputs), within, met])


class Adaptive(NamedTuple):
    """``outputs`` windows of nearly equal size that cover the input; they may overlap by one."""

    outputs: int

    @property
    def spacing(self) -> int:
        """From one tap to the next."""
        return 1

    def taps(self, size: int) -> list[Tap]:
        """The taps that are not empty."""
        if self.outputs and size % self.outputs == 0:
            step = size // self.outputs
            return [(k, slice(0, self.outputs), slice(k, size, step)) for k in range(step)]
        start, length = self.starts(size), self.lengths(size, padded=False)
        windows = [np.flatnonzero(length > k) for k in range(max(length, default=0))]
        return [(k, some, start[some] + k) for k, some in enumerate(windows)]

    def lengths(self, size: int, *, padded: bool) -> Any:
        """How many elements each window has."""
        window = np.arange(1, self.outputs + 1)
        return -(-window * size // max(self.outputs, 1)) - self.starts(size)

    def start(self, window: Any, size: int) -> Any:
        """Where a window starts."""
        return window * size // max(self.outputs, 1)

    def starts(self, size: int) -> Any:
        """Where each window starts."""
        return self.start(np.arange(self.outputs), size)

    # For kernels, whose places are index expressions -------------------------------------------

    def _end(self, window: Any, size: int) -> Any:
        return ((window + 1) * size + self.outputs - 1) // max(self.outputs, 1)

    def reach(self, size: int) -> int:
        """How many taps the longest window has."""
        return int(max(self.lengths(size, padded=False), default=0))

    def holds(self, b: Any, window: Any, place: Any, size: int) -> Any:
        """Whether a tap of a window that lies at a place belongs to it."""
        if size % max(self.outputs, 1) == 0:
            return b.const(True, bool_)
        return b.lt(b.value(place), b.value(self._end(window, size)))

    def length(self, b: Any, window: Any, size: int, *, padded: bool) -> Any:
        """How many elements a window has."""
        return b.value(self._end(window, size) - self.start(window, size))

    def overlap(self, size: int) -> int:
        """How many windows at most have one place."""
        places, n = np.arange(size), self.outputs
        return int(max(-((places + 1) * -n // size) - places * n // size, default=0))

    def having(self, b: Any, place: Any, k: Any, size: int) -> tuple[Any, Any]:
        """The ``k``-th of the windows that may have a place, and whether it does."""
        window = place * self.outputs // size + k
        left = (place + 1) * self.outputs - window * size
        return window, b.inside(left, 1, self.outputs + size)


Windows = tuple[Sliding | Adaptive, ...]
"""The windows along each of the last dimensions."""


def _along(axis: int, places: Places) -> tuple[Any, ...]:
    """An index of ``places`` in a dimension counted from the end."""
    return (..., places, *(slice(None),) * (-1 - axis))


def largest(x: Any, windows: Windows) -> tuple[Any, Any]:
    """The largest element of each window, and its place in the flattened windowed dimensions.

    Of equal ones it is the first; a NaN is larger than everything.
    """
    size = x.shape[-len(windows) :]
    has_nan = x.dtype.kind == "f" and x.size > 0 and bool(np.isnan(x.min()))
    taken: list[Any] = []  # which tap each window took, for the last dimension first
    for axis in range(-1, -1 - len(windows), -1):
        x, *taken = _largest_along(axis, windows[axis], x, taken, has_nan)
    places: Any = 0
    step = 1
    for axis, tap in zip(range(-1, -1 - len(windows), -1), taken, strict=True):
        window = windows[axis]
        start = window.starts(size[axis]).reshape(-1, *(1,) * (-1 - axis))
        places = places + (start + tap.astype(np.int64) * window.spacing) * step
        step *= size[axis]
    return x, places


def _largest_along(
    axis: int, window: Sliding | Adaptive, x: Any, taken: list[Any], has_nan: bool
) -> tuple[Any, ...]:
    """The largest of each window along one dimension, what else it took, and which tap that was.

    Choosing by arithmetic is several times as fast as choosing by a random mask: taps come in
    rising order, and ``old + m (new - old)`` is exact in unsigned numbers.
    """
    taps = window.taps(x.shape[axis])
    first, place = np.zeros((2, window.outputs), np.intp)
    for k, outs, ins in reversed(taps):
        first[outs], place[outs] = k, np.arange(x.shape[axis])[ins]
    best, *carried = (np.take(array, place, axis) for array in (x, *taken))
    number = np.min_scalar_type(len(taps)).type
    tap = np.empty(best.shape, number)
    tap[...] = first.reshape(-1, *(1,) * (-1 - axis))
    for k, outs, ins in taps[1:] if not first.any() else taps:
        here, there = _along(axis, outs), _along(axis, ins)
        new, old = np.ascontiguousarray(x[there]), best[here]
        better = new > old
        if has_nan:
            better |= np.isnan(new)
        best[here] = np.maximum(old, new)
        chosen = better.view(np.uint8)
        tap[here] = np.maximum(tap[here], chosen * number(k))
        for kept, array in zip(carried, taken, strict=True):
            kept[here] += chosen * (array[there] - kept[here])
    return best, *carried, tap


def total(x: Any, windows: Windows) -> Any:
    """The sum over each window."""
    for axis, window in zip(range(-len(windows), 0), windows, strict=True):
        shape = list(x.shape)
        shape[axis] = window.outputs
        result = np.zeros(shape, x.dtype)
        for _, outs, ins in window.taps(x.shape[axis]):
            result[_along(axis, outs)] += x[_along(axis, ins)]
        x = result
    return x


def untotal(g: Any, windows: Windows, size: tuple[int, ...]) -> Any:
    """The transpose of :func:`total`: each window's value added to all its elements."""
    for axis, window in zip(range(-len(windows), 0), windows, strict=True):
        shape = list(g.shape)
        shape[axis] = size[axis]
        result = np.zeros(shape, g.dtype)
        for _, outs, ins in window.taps(size[axis]):
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


def taps_of(
    b: Any, windows: Windows, index: tuple[Any, ...], taps: tuple[Any, ...], size: tuple[int, ...]
) -> tuple[tuple[Any, ...], Any]:
    """The places of a window's taps, one for each dimension, and whether they are in the input."""
    places, conditions = [], []
    for window, i, k, n in zip(windows, index, taps, size, strict=True):
        place = window.start(i, n) + k * window.spacing
        places.append(place)
        conditions.append(window.holds(b, i, place, n))
    return tuple(places), b.all(conditions)


def windows_having(
    b: Any, windows: Windows, place: tuple[Any, ...], which: tuple[Any, ...], size: tuple[int, ...]
) -> tuple[tuple[Any, ...], Any]:
    """One of the windows that may have a place, and whether it does."""
    found = [
        window.having(b, p, k, n)
        for window, p, k, n in zip(windows, place, which, size, strict=True)
    ]
    return tuple(window for window, _ in found), b.all([condition for _, condition in found])
