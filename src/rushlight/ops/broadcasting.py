"""Broadcasting: one element shown in many places, and the sum over them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import int64
from rushlight.base.errors import OperationError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op, View
from rushlight.graph.spec import Spec

from .view import Places


class Expand(View):
    """Dimensions of size 1 repeated, and new ones in front, without copying."""

    name, attrs = "expand", ("size",)
    batched = "shape"
    torch = (
        "expand(Tensor(a) self, int[] size, *, bool implicit=False) -> Tensor(a)",
        "broadcast_to(Tensor(a) self, int[] size) -> Tensor(a)",
    )

    def __call__(self, x: Node, size: Sequence[int], *, implicit: bool = False) -> Node:
        return self.record((x,), shapes.expanded("expand", x.shape, tuple(size)))

    def infer(self, x: Spec, *, size: Shape) -> Spec:
        return x.with_shape(size)

    def vjp(self, g: Node, y: Node, x: Node, *, size: Shape) -> tuple[Node | None, ...]:
        return (g,)  # the walk sums a gradient over what was broadcast

    def ref(self, x: Any, *, size: Shape) -> Any:
        return np.broadcast_to(x, size)

    def element(self, b: Any, index: Any, x: Any, *, size: Shape) -> Any:
        return x.spread(index)

    def put(self, whole: Node, part: Node, *, size: Shape) -> Node:
        if part.spec.numel == whole.spec.numel:
            return ops.reshape(part, whole.shape)
        if part.op is ops.full:  # one number everywhere, so it does not matter how often
            return ops.full.record(part.inputs, whole.shape)
        raise OperationError(
            "expand",
            "unsupported operation: more than one element of the written-to tensor refers to a"
            " single memory location. Please clone() the tensor before performing the operation.",
        )

    def strides(self, old: Shape, strides: Shape, offset: int, *, size: Shape) -> Places:
        if not old:
            return (0,) * len(size), offset
        extra = len(size) - len(old)
        result: list[int] = []
        for dim in reversed(range(len(size))):
            if dim >= extra:
                step = strides[dim - extra]
                repeated = old[dim - extra] != size[dim]
            else:  # a new dimension of size 1 steps over all that follows
                step = size[dim + 1] * result[-1] if result else 1
                repeated = size[dim] != 1
            result.append(0 if repeated else step)
        return tuple(reversed(result)), offset

    def onnx(self, to: Any, x: Any, *, size: Shape) -> Any:
        return None if 0 in size and 0 not in x.shape else to("Expand", x, size)

    def samples(self, make: Any) -> Any:
        yield make(3, 1), (3, 4)
        yield make(3, 1), (2, -1, 4)
        yield make(), (2,)
        yield make(1, 3), (0, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 2), (3, 4)), RuntimeError, "must match the existing size"
        yield lambda: make.call(make(3, 2), (2,)), RuntimeError, "number of sizes provided"
        yield lambda: make.call(make(3), (-1, 3)), RuntimeError, "leading, non-existing dimension"


class SumTo(Op):
    """The sum over what broadcasting had repeated: the inverse of ``expand`` for gradients."""

    name, attrs = "sum_to", ("shape",)
    batched = "shape"

    def __call__(self, x: Node, shape: Shape) -> Node:
        return x if x.shape == shape else self.record((x,), shape)

    def infer(self, x: Spec, *, shape: Shape) -> Spec:
        return x.with_shape(shape)

    def vjp(self, g: Node, y: Node, x: Node, *, shape: Shape) -> tuple[Node | None, ...]:
        return (ops.expand(g, x.shape),)

    def ref(self, x: Any, *, shape: Shape) -> Any:
        lost = _repeated(x.shape, shape)
        return np.reshape(np.sum(x, axis=lost, dtype=x.dtype), shape)

    def element(self, b: Any, index: Any, x: Any, *, shape: Shape) -> Any:
        lost = _repeated(x.shape, shape)
        extra = x.ndim - len(shape)

        def inner(*places: Any) -> Any:
            here = dict(zip(lost, places, strict=True))
            return x.at(*(here[d] if d in here else index[d - extra] for d in range(x.ndim)))

        return b.reduce("sum", [x.shape[d] for d in lost], inner)

    def onnx(self, to: Any, x: Any, *, shape: Shape) -> Any:
        extra = x.ndim - len(shape)
        ones = [k + extra for k, n in enumerate(shape) if n == 1 and x.shape[k + extra] != 1]
        y = to("ReduceSum", x, [*range(extra), *ones], keepdims=1) if extra or ones else x
        return to("Squeeze", y, list(range(extra))) if extra else y


def _repeated(wide: Shape, shape: Shape) -> Shape:
    """The dimensions of ``wide`` along which ``shape`` was broadcast to it."""
    extra = len(wide) - len(shape)
    return tuple(d for d, n in enumerate(wide) if d < extra or (shape[d - extra] == 1 != n))


class SumToSize(Composite):
    """The sum over what broadcasting ``size`` to the input's shape would repeat.

    Raises:
        RuntimeError: ``size`` cannot be broadcast to the input's shape.
    Example:
        >>> import rushlight as rl
        >>> rl.ones(2, 3).sum_to_size(1, 3)
        tensor([[2., 2., 2.]])
    """

    name = "sum_to_size"
    torch = "sum_to_size(Tensor self, int[] size) -> Tensor"

    def __call__(self, x: Node, size: Sequence[int]) -> Node:
        shape = tuple(size)
        extra = x.ndim - len(shape)
        if extra < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[extra:], strict=True)):
            raise ShapeError(
                "sum_to_size",
                f"size {{{list(shape)}}} is not expandable to size {{{list(x.shape)}}}.",
            )
        if (x.shape != shape or not shape) and x.dtype.kind in ("bool", "int"):
            x = ops.cast(x, int64)
        return ops.sum_to(x, shape)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), (1, 4)
        yield make(2, 3, 4), (3, 1)
        yield make(2, 3), ()
        yield make(2, 3), (2, 3)
        yield make.bool(2, 3), (2, 3)
        yield make.bool(2, 3), (2, 1)
        yield make.bool(), ()
        yield make(0, 3), (1, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 3), (2,)), RuntimeError, "is not expandable to size"
        yield lambda: make.call(make(3), (1, 3)), RuntimeError, "is not expandable to size"


expand = Expand()
sum_to = SumTo()
sum_to_size = SumToSize()
