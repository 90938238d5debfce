"""Windows that slide along a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import int64
from rushlight.base.errors import OperationError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, known
from rushlight.graph.op import View
from rushlight.graph.spec import Spec

from .laid import refold
from .slicing import Places


class Unfold(View):
    """Windows of ``size`` elements every ``step`` along a dimension, as a new last dimension.

    Example:
        >>> import rushlight as rl
        >>> rl.arange(5).unfold(0, 3, 2)
        tensor([[0, 1, 2],
                [2, 3, 4]])
    """

    name, attrs = "unfold", ("dim", "size", "step")
    batched = "dims"
    torch = "unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)"

    def __call__(self, x: Node, dimension: int, size: int, step: int) -> Node:
        dim = shapes.axis("unfold", dimension, x.ndim)
        there = x.shape[dim] if x.ndim else 1
        if size < 0:
            raise OperationError("unfold", f"size is {size} but must be >= 0")
        if size > there:
            raise ShapeError(
                "unfold",
                f"maximum size for tensor at dimension {dim} is {there} but size is {size}",
            )
        if step <= 0:
            raise OperationError("unfold", f"step is {step} but must be > 0")
        if not x.ndim:
            return ops.slice_(ops.reshape(x, (1,)), 0, 0, size)
        return self.record((x,), dim, int(size), int(step))

    def infer(self, x: Spec, *, dim: int, size: int, step: int) -> Spec:
        count = (x.shape[dim] - size) // step + 1
        return x.with_shape((*x.shape[:dim], count, *x.shape[dim + 1 :], size))

    def vjp(
        self, g: Node, y: Node, x: Node, *, dim: int, size: int, step: int
    ) -> tuple[Node | None, ...]:
        return (refold.record((g,), dim, x.shape[dim], step),)

    def put(self, whole: Node, part: Node, *, dim: int, size: int, step: int) -> Node:
        places = np.arange(part.shape[dim])[:, None] * step + np.arange(size)
        index = known(Buffer(places, int64))
        windows = ops.movedim(part, -1, dim + 1)
        return ops.index_put(whole, (*[None] * dim, index), windows)

    def ref(self, x: Any, *, dim: int, size: int, step: int) -> Any:
        windows = np.lib.stride_tricks.sliding_window_view(x, size, dim)
        return windows[(slice(None),) * dim + (slice(None, None, step),)]

    def element(self, b: Any, index: Any, x: Any, *, dim: int, size: int, step: int) -> Any:
        return x.at(*index[:dim], index[dim] * step + index[-1], *index[dim + 1 : -1])

    def strides(
        self, old: Shape, strides: Shape, offset: int, *, dim: int, size: int, step: int
    ) -> Places:
        steps = (*strides[:dim], strides[dim] * step, *strides[dim + 1 :])
        return (*steps, strides[dim]), offset

    def samples(self, make: Any) -> Any:
        yield make(7), 0, 3, 2
        yield make(4, 6), 1, 2, 1
        yield make(6, 4).T, -1, 2, 3
        yield make(3), 0, 0, 1

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 0, 4, 1), RuntimeError, "but size is 4"
        yield lambda: make.call(make(3), 0, 1, 0), RuntimeError, "step is 0 but must be > 0"
        yield lambda: make.call(make(3), 1, 1, 1), IndexError, "Dimension out of range"


unfold = Unfold()
