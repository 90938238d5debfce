"""Pooling: one value from each window of the last dimensions, and the gradients of that.

Each operation's gradient is another one of this file: the largest elements are picked by their
places and laid back there; an average and its spreading over the window are each other's transpose.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import DType, int32, int64
from rushlight.base.shapes import Shape, prod
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .pool_onnx import averaged, max_pooled
from .row_major import flattened, unflattened
from .windows import (
    Sliding,
    Windows,
    largest,
    lengths,
    taps_of,
    total,
    untotal,
    windows_having,
)  # fmt: skip


def pooled(x: Spec, windows: Windows) -> Spec:
    """The type of one value for each window."""
    return x.with_shape((*x.shape[: -len(windows)], *(window.outputs for window in windows)))


def grad_name(kind: str, windows: Any) -> str:
    """PyTorch's name; it pools signals as images of height 1, and squeezes the result."""
    rank = len(windows)
    if rank == 1:
        return "SqueezeBackward1"
    if isinstance(windows[0], Sliding):
        return f"{kind}Pool{rank}D{'WithIndices' if kind == 'Max' else ''}Backward0"
    return f"Adaptive{kind}Pool{rank}DBackward0"


class MaxPool(Op):
    """The largest element of each window, and its place in the windowed dimensions as one."""

    name, attrs, joint = "max_pool", ("windows",), True
    batched = "merge"

    def infer(self, x: Spec, *, windows: Windows) -> tuple[Spec, Spec]:
        result = pooled(x, windows)
        return result, result.with_dtype(int64)

    def vjp(self, g: Any, y: Node, x: Node, *, windows: Windows) -> tuple[Node | None, ...]:
        size = x.shape[-len(windows) :]
        if g[0] is None:
            return (None,)
        return (unpool.record((g[0], ops.part(y, 1)), size, windows),)

    def ref(self, x: Any, *, windows: Windows) -> tuple[Any, Any]:
        return largest(x, windows)

    def expand(self, x: Node, *, windows: Windows) -> tuple[Node, Node]:
        values = largest_of.record((x,), windows)
        return values, place_of_largest.record((x, values), windows)

    def onnx(self, to: Any, x: Any, *, windows: Windows) -> Any:
        return max_pooled(to, x, windows)

    def grad_name(self, node: Node) -> str:
        return grad_name("Max", node.attrs[0])


class LargestOf(Op):
    """The largest element of each window; NaN where there is one."""

    name, attrs, differentiable = "largest_of", ("windows",), False

    def infer(self, x: Spec, *, windows: Windows) -> Spec:
        return pooled(x, windows)

    def ref(self, x: Any, *, windows: Windows) -> Any:
        return largest(x, windows)[0]

    def element(self, b: Any, index: Any, x: Any, *, windows: Windows) -> Any:
        return b.reduce("max", reaches(x, windows), taken(b, index, x, windows, least(x.dtype)))

    def onnx(self, to: Any, x: Any, *, windows: Windows) -> Any:
        found = max_pooled(to, x, windows)
        return None if found is None else found[0]


class PlaceOfLargest(Op):
    """The place of the largest element of each window in the windowed dimensions as one.

    It is the first of equal ones, and the last NaN where there is one, as in PyTorch.
    """

    name, attrs, differentiable = "place_of_largest", ("windows",), False

    def infer(self, x: Spec, values: Spec, *, windows: Windows) -> Spec:
        return values.with_dtype(int64)

    def ref(self, x: Any, values: Any, *, windows: Windows) -> Any:
        return largest(x, windows)[1]

    def element(self, b: Any, index: Any, x: Any, values: Any, *, windows: Windows) -> Any:
        outer, inner = index[: -len(windows)], index[-len(windows) :]
        size, best = x.shape[-len(windows) :], values.at(*index)
        narrow = int32 if prod(size) < 1 << 31 else int64

        # Of these numbers the greatest is wanted: 0, -1, ... for what is equal, 1, 2, ... for NaN.
        def rank(*taps: Any) -> Any:
            places, inside = taps_of(b, windows, inner, taps, size)
            value, place = x.at(*outer, *places, when=inside), flattened(places, size)
            chosen = b.all([inside, b.eq(value, best)])
            found = b.select(chosen, b.value(-place, narrow), least(narrow))
            if value.dtype.kind != "float":
                return found
            return b.select(b.isnan(value), b.value(place + 1, narrow), found)

        found = b.reduce("max", reaches(x, windows), rank)
        return b.cast(b.select(b.gt(found, 0), b.sub(found, 1), b.neg(found)), int64)


def least(dtype: DType) -> Any:
    """What is never larger than an element."""
    return -inf if dtype.kind == "float" else int(np.iinfo(dtype.numpy).min)


def reaches(x: Any, windows: Windows) -> Shape:
    """How many taps there are in each windowed dimension."""
    sizes = x.shape[-len(windows) :]
    return tuple(window.reach(n) for window, n in zip(windows, sizes, strict=True))


def taken(b: Any, index: Any, x: Any, windows: Windows, otherwise: Any) -> Any:
    """A function from taps of a window to elements, ``otherwise`` for those not in the input."""
    outer, inner = index[: -len(windows)], index[-len(windows) :]

    def element(*taps: Any) -> Any:
        places, inside = taps_of(b, windows, inner, taps, x.shape[-len(windows) :])
        return x.at(*outer, *places, when=inside, otherwise=otherwise)

    return element


class Unpool(Op):
    """Values added up at their places in dimensions of ``size``, zeros elsewhere.

    A kernel looks, for each place, at the windows that have it.
    """

    name, attrs = "unpool", ("size", "windows")

    def infer(self, values: Spec, places: Spec, *, size: Shape, windows: Windows) -> Spec:
        return values.with_shape((*values.shape[: -len(size)], *size))

    def vjp(
        self, g: Node, y: Node, values: Node, places: Node, *, size: Shape, windows: Windows
    ) -> tuple[Node | None, ...]:
        return pick.record((g, places), windows), None

    def ref(self, values: Any, places: Any, *, size: Shape, windows: Windows) -> Any:
        outer, wide = values.shape[: -len(size)], prod(size)
        rows = np.arange(prod(outer)).reshape(*outer, *(1,) * len(size))
        flat = (places + rows * wide).reshape(-1)
        # Counting adds in double precision, and several times as fast as np.add.at.
        sums = np.bincount(flat, values.reshape(-1), prod(outer) * wide)
        return sums.astype(values.dtype).reshape(*outer, *size)

    def element(
        self, b: Any, index: Any, values: Any, places: Any, *, size: Shape, windows: Windows
    ) -> Any:
        outer, place = index[: -len(size)], index[-len(size) :]
        here = b.value(flattened(place, size))

        def one(*which: Any) -> Any:
            window, has = windows_having(b, windows, place, which, size)
            found = places.at(*outer, *window, when=has, otherwise=-1)
            return b.select(b.eq(found, here), values.at(*outer, *window, when=has), 0)

        return b.reduce("sum", overlaps(windows, size), one)


def overlaps(windows: Windows, size: Shape) -> list[int]:
    """How many windows may have one place, in each dimension."""
    return [window.overlap(n) for window, n in zip(windows, size, strict=True)]


class Pick(Op):
    """The elements at places in the windowed dimensions taken as one."""

    name, attrs = "pick", ("windows",)

    def infer(self, x: Spec, places: Spec, *, windows: Windows) -> Spec:
        return x.with_shape(places.shape)

    def vjp(
        self, g: Node, y: Node, x: Node, places: Node, *, windows: Windows
    ) -> tuple[Node | None, ...]:
        return unpool.record((g, places), x.shape[-len(windows) :], windows), None

    def ref(self, x: Any, places: Any, *, windows: Windows) -> Any:
        rank = len(windows)
        outer = x.shape[:-rank]
        flat = x.reshape(*outer, prod(x.shape[-rank:]))
        return np.take_along_axis(
            flat, places.reshape(*outer, prod(places.shape[-rank:])), -1
        ).reshape(places.shape)

    def element(self, b: Any, index: Any, x: Any, places: Any, *, windows: Windows) -> Any:
        size = x.shape[-len(windows) :]
        place = b.index(places.at(*index), prod(size))
        return x.at(*index[: -len(windows)], *unflattened(place, size))


class Averaging(Op):
    """What averaging and its transpose share: the number that a window's sum is divided by.

    ``divisor`` is that number, or ``"inside"`` for how many elements of the window lie in the
    input, or ``"padded"`` for how many lie in the padded input. Abstract.
    """

    def divisors(self, dtype: Any, windows: Windows, size: Shape, divisor: int | str) -> Any:
        """What each window's sum is divided by."""
        if isinstance(divisor, str):
            divisor = lengths(windows, size, padded=divisor == "padded")
        return np.asarray(divisor, dtype)

    def divided(
        self, b: Any, total: Any, window: Any, windows: Windows, size: Shape, divisor: int | str
    ) -> Any:
        """A window's sum divided by that number; of whole numbers, cut towards zero."""
        count = b.const(1 if isinstance(divisor, str) else divisor, int64)
        if isinstance(divisor, str):
            for each, i, n in zip(windows, window, size, strict=True):
                count = b.mul(count, each.length(b, i, n, padded=divisor == "padded"))
        count = b.cast(count, total.dtype)
        return b.truncdiv(total, count) if total.dtype.kind == "int" else b.div(total, count)


class AvgPool(Averaging):
    """The average of each window; of whole numbers, cut towards zero."""

    name, attrs, joint = "avg_pool", ("windows", "divisor"), True

    def infer(self, x: Spec, *, windows: Windows, divisor: int | str) -> Spec:
        return pooled(x, windows)

    def vjp(
        self, g: Node, y: Node, x: Node, *, windows: Windows, divisor: int | str
    ) -> tuple[Node | None, ...]:
        return (avg_unpool.record((g,), x.shape[-len(windows) :], windows, divisor),)

    def ref(self, x: Any, *, windows: Windows, divisor: int | str) -> Any:
        sums = total(x, windows)
        mean = sums / self.divisors(x.dtype, windows, x.shape[-len(windows) :], divisor)
        return np.trunc(mean) if x.dtype.kind == "i" else mean

    def element(self, b: Any, index: Any, x: Any, *, windows: Windows, divisor: int | str) -> Any:
        rank = len(windows)
        total = b.reduce("sum", reaches(x, windows), taken(b, index, x, windows, 0))
        return self.divided(b, total, index[-rank:], windows, x.shape[-rank:], divisor)

    def onnx(self, to: Any, x: Any, *, windows: Windows, divisor: int | str) -> Any:
        return averaged(to, x, windows, divisor)

    def grad_name(self, node: Node) -> str:
        return grad_name("Avg", node.attrs[0])


class AvgUnpool(Averaging):
    """Each value spread evenly over its window: the transpose of :class:`AvgPool`."""

    name, attrs = "avg_unpool", ("size", "windows", "divisor")

    def infer(self, g: Spec, *, size: Shape, windows: Windows, divisor: int | str) -> Spec:
        return g.with_shape((*g.shape[: -len(size)], *size))

    def vjp(
        self, g: Node, y: Node, value: Node, *, size: Shape, windows: Windows, divisor: int | str
    ) -> tuple[Node | None, ...]:
        return (avg_pool.record((g,), windows, divisor),)

    def ref(self, g: Any, *, size: Shape, windows: Windows, divisor: int | str) -> Any:
        return untotal(g / self.divisors(g.dtype, windows, size, divisor), windows, size)

    def element(
        self, b: Any, index: Any, g: Any, *, size: Shape, windows: Windows, divisor: int | str
    ) -> Any:
        outer, place = index[: -len(size)], index[-len(size) :]

        def one(*which: Any) -> Any:
            window, has = windows_having(b, windows, place, which, size)
            value = g.at(*outer, *window, when=has)
            return b.select(has, self.divided(b, value, window, windows, size, divisor), 0)

        return b.reduce("sum", overlaps(windows, size), one)


max_pool = MaxPool()
largest_of = LargestOf()
place_of_largest = PlaceOfLargest()
unpool = Unpool()
pick = Pick()
avg_pool = AvgPool()
avg_unpool = AvgUnpool()
