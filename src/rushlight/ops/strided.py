"""Memory shown once more, or with any sizes and strides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight.base import shapes
from rushlight.base.errors import OperationError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, number
from rushlight.graph.op import Op, View
from rushlight.graph.spec import Spec

from .slicing import Places


def shown(flat: Any, size: Shape, stride: Shape, offset: Any) -> Any:
    """A view of a one-dimensional array."""
    steps = [step * flat.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(flat[int(offset) :], size, steps)


def extent(size: Shape, stride: Shape) -> int:
    """How many elements of memory lie between the first and the last, both included."""
    if 0 in size:
        return 0
    return 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))


class Alias(View):
    """The same memory once more."""

    name, transparent = "alias", True

    def infer(self, x: Spec) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g,)

    def ref(self, x: Any) -> Any:
        return x

    def put(self, whole: Node, part: Node) -> Node:
        return part

    def strides(self, old: Shape, strides: Shape, offset: int) -> Places:
        return strides, offset


class AsStrided(View):
    """Elements of a row-major input, ``stride`` apart in its memory, from an offset on.

    Which memory the strides count in is for the caller to say: the input is all of it.
    """

    name, attrs = "as_strided", ("size", "stride")

    def __call__(self, x: Node, size: Sequence[int], stride: Sequence[int], offset: int) -> Node:
        size, stride = shapes.whole("as_strided", size, "size"), tuple(stride)
        check(size, stride, offset)
        return self.record((x, number(offset)), size, stride)

    def infer(self, x: Spec, offset: Spec, *, size: Shape, stride: Shape) -> Spec:
        return x.with_shape(size)

    def vjp(
        self, g: Node, y: Node, x: Node, offset: Node, *, size: Shape, stride: Shape
    ) -> tuple[Node | None, ...]:
        return unstrided.record((g, offset), x.shape, stride), None

    def ref(self, x: Any, offset: Any, *, size: Shape, stride: Shape) -> Any:
        if 0 in size:
            return np.empty(size, x.dtype)
        return shown(np.ascontiguousarray(x).reshape(-1), size, stride, offset)

    def put(self, whole: Node, part: Node, offset: Node, *, size: Shape, stride: Shape) -> Node:
        if any(step == 0 and n > 1 for n, step in zip(size, stride, strict=True)):
            raise OperationError(
                "as_strided",
                "unsupported operation: more than one element of the written-to tensor refers to a"
                " single memory location. Please clone() the tensor before performing the"
                " operation.",
            )
        return strided_scatter.record((whole, part, offset), stride)

    def strides(
        self, old: Shape, strides: Shape, start: int, offset: int, *, size: Shape, stride: Shape
    ) -> Places:
        return stride, start + offset


def check(size: Shape, stride: Shape, offset: int) -> None:
    """Refuses sizes and strides that no memory has.

    Raises:
        OperationError: their numbers differ, or one is negative.
    """
    if len(size) != len(stride):
        raise ShapeError("as_strided", "mismatch in length of strides and shape")
    if any(step < 0 for step in stride):
        raise OperationError(
            "as_strided",
            "as_strided: Negative strides are not supported at the moment, got strides:"
            f" {list(stride)}",
        )
    if offset < 0:
        raise OperationError("as_strided", f"Tensor: invalid storage offset {offset}")
    if any(n < 0 for n in size):
        raise OperationError(
            "as_strided",
            f"Storage size calculation overflowed with sizes={list(size)} and"
            f" strides={list(stride)}",
        )


class Unstrided(Op):
    """Zeros to which each element is added where it is shown: the gradient of AsStrided."""

    name, attrs = "unstrided", ("shape", "stride")

    def infer(self, part: Spec, offset: Spec, *, shape: Shape, stride: Shape) -> Spec:
        return part.with_shape(shape)

    def vjp(
        self, g: Node, y: Node, part: Node, offset: Node, *, shape: Shape, stride: Shape
    ) -> tuple[Node | None, ...]:
        return as_strided.record((g, offset), part.shape, stride), None

    def ref(self, part: Any, offset: Any, *, shape: Shape, stride: Shape) -> Any:
        flat = np.zeros(shapes.prod(shape), part.dtype)
        places = shown(np.arange(flat.size), part.shape, stride, offset) if part.size else 0
        if part.size:
            np.add.at(flat, places, part)
        return flat.reshape(shape)


class StridedScatter(Op):
    """A whole with what strides show of it replaced."""

    name, attrs = "strided_scatter", ("stride",)

    def infer(self, whole: Spec, part: Spec, offset: Spec, *, stride: Shape) -> Spec:
        return whole

    def vjp(
        self, g: Node, y: Node, whole: Node, part: Node, offset: Node, *, stride: Shape
    ) -> tuple[Node | None, ...]:
        from .create import zeros

        inside = as_strided.record((g, offset), part.shape, stride)
        return self.record((g, zeros(inside.spec), offset), stride), inside, None

    def ref(self, whole: Any, part: Any, offset: Any, *, stride: Shape) -> Any:
        flat = np.array(whole).reshape(-1)
        if part.size:
            shown(flat, part.shape, stride, offset)[...] = part
        return flat.reshape(whole.shape)


alias = Alias()
as_strided = AsStrided()
unstrided = Unstrided()
strided_scatter = StridedScatter()
