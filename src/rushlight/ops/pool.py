"""Pooling: one value from each window of the last dimensions, and the gradients of that.

Each operation's gradient is another one of this file: the largest elements are picked by their
places and laid back there; an average and its spreading over the window are each other's transpose.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import int64
from rushlight.base.shapes import Shape, prod
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .windows import Sliding, Windows, largest, lengths, total, untotal


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

    name, attrs = "max_pool", ("windows",)

    def infer(self, x: Spec, *, windows: Windows) -> tuple[Spec, Spec]:
        result = pooled(x, windows)
        return result, result.with_dtype(int64)

    def vjp(self, g: Any, y: Node, x: Node, *, windows: Windows) -> tuple[Node | None, ...]:
        size = x.shape[-len(windows) :]
        return (None if g[0] is None else unpool.record((g[0], ops.part(y, 1)), size),)

    def ref(self, x: Any, *, windows: Windows) -> tuple[Any, Any]:
        return largest(x, windows)

    def grad_name(self, node: Node) -> str:
        return grad_name("Max", node.attrs[0])


class Unpool(Op):
    """Values added up at their places in dimensions of ``size``, zeros elsewhere."""

    name, attrs = "unpool", ("size",)

    def infer(self, values: Spec, places: Spec, *, size: Shape) -> Spec:
        return values.with_shape((*values.shape[: -len(size)], *size))

    def vjp(
        self, g: Node, y: Node, values: Node, places: Node, *, size: Shape
    ) -> tuple[Node | None, ...]:
        return pick.record((g, places), len(size)), None

    def ref(self, values: Any, places: Any, *, size: Shape) -> Any:
        outer, wide = values.shape[: -len(size)], prod(size)
        rows = np.arange(prod(outer)).reshape(*outer, *(1,) * len(size))
        flat = (places + rows * wide).reshape(-1)
        # Counting adds in double precision, and several times as fast as np.add.at.
        sums = np.bincount(flat, values.reshape(-1), prod(outer) * wide)
        return sums.astype(values.dtype).reshape(*outer, *size)


class Pick(Op):
    """The elements at places in the last ``rank`` dimensions taken as one."""

    name, attrs = "pick", ("rank",)

    def infer(self, x: Spec, places: Spec, *, rank: int) -> Spec:
        return x.with_shape(places.shape)

    def vjp(self, g: Node, y: Node, x: Node, places: Node, *, rank: int) -> tuple[Node | None, ...]:
        return unpool.record((g, places), x.shape[-rank:]), None

    def ref(self, x: Any, places: Any, *, rank: int) -> Any:
        outer = x.shape[:-rank]
        flat = x.reshape(*outer, prod(x.shape[-rank:]))
        return np.take_along_axis(
            flat, places.reshape(*outer, prod(places.shape[-rank:])), -1
        ).reshape(places.shape)


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


class AvgPool(Averaging):
    """The average of each window; of whole numbers, cut towards zero."""

    name, attrs = "avg_pool", ("windows", "divisor")

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


max_pool = MaxPool()
unpool = Unpool()
pick = Pick()
avg_pool = AvgPool()
avg_unpool = AvgUnpool()
