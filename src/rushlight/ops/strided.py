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

from .row_major import flattened, unflattened
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


def _first(b: Any, offset: Any, shape: Shape, size: Shape, stride: Shape) -> Any:
    """Where in memory of ``shape`` what the strides show begins."""
    room = shapes.prod(shape) - extent(size, stride) + 1
    return b.index(offset.at(), room) if room > 1 else 0


class Showing:
    """Where the strides show an element of memory: the other way round than usual.

    The largest stride goes as often into the distance from the first element as its dimension
    says, as long as all smaller ones together do not reach as far; if they do, or the stride is 0,
    there are several ``choices``, and the element may be shown several times.
    """

    def __init__(self, size: Shape, stride: Shape) -> None:
        self.size = size
        self.steps = sorted(zip(stride, range(len(size)), strict=True), reverse=True)
        self.choices: list[int] = []
        for k, (step, dim) in enumerate(self.steps):
            reach = sum((size[other] - 1) * less for less, other in self.steps[k + 1 :])
            self.choices.append(reach // step + 1 if step else size[dim])

    @property
    def several(self) -> list[int]:
        """How many choices there are where there is more than one."""
        return [count for count in self.choices if count > 1]

    def at(self, b: Any, distance: Any, chosen: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
        """The place at which an element is shown, and whether it is shown there at all."""
        rest, free = distance, iter(chosen)
        places: list[Any] = [0] * len(self.size)
        conditions = []
        for (step, dim), count in zip(self.steps, self.choices, strict=True):
            if not step:
                places[dim] = next(free) if count > 1 else 0
                continue
            if self.size[dim] == 1:
                continue
            places[dim] = rest // step - (next(free) if count > 1 else 0)
            rest = rest - places[dim] * step
            conditions.append(b.inside(places[dim], 0, self.size[dim]))
        return tuple(places), b.all([*conditions, b.inside(rest, 0, 1)])


class Alias(View):
    """The same memory once more."""

    name, transparent = "alias", True
    batched = "front"

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

    def element(
        self, b: Any, index: Any, x: Any, offset: Any, *, size: Shape, stride: Shape
    ) -> Any:
        place = _first(b, offset, x.shape, size, stride)
        for each, step in zip(index, stride, strict=True):
            place = place + each * step
        return x.at(*unflattened(place, x.shape))

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

    def element(
        self, b: Any, index: Any, part: Any, offset: Any, *, shape: Shape, stride: Shape
    ) -> Any:
        showing = Showing(part.shape, stride)
        distance = flattened(index, shape) - _first(b, offset, shape, part.shape, stride)

        def one(*chosen: Any) -> Any:
            places, shown = showing.at(b, distance, chosen)
            return part.at(*places, when=shown)

        return b.reduce("sum", showing.several, one)


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

    def element(
        self, b: Any, index: Any, whole: Any, part: Any, offset: Any, *, stride: Shape
    ) -> Any:
        showing = Showing(part.shape, stride)
        first = _first(b, offset, whole.shape, part.shape, stride)
        distance = flattened(index, whole.shape) - first
        places, shown = showing.at(b, distance, (0,) * len(showing.several))
        if showing.several:  # the last that is written stays

            def one(*chosen: Any) -> Any:
                places, shown = showing.at(b, distance, chosen)
                return b.select(shown, b.value(flattened(places, part.shape)), -1)

            last = b.reduce("max", showing.several, one)
            shown = b.ge(last, 0)
            flat = b.index(b.maximum(last, 0), shapes.prod(part.shape))
            places = unflattened(flat, part.shape)
        return b.select(shown, part.at(*places, when=shown), whole.at(*index))


alias = Alias()
as_strided = AsStrided()
unstrided = Unstrided()
strided_scatter = StridedScatter()
