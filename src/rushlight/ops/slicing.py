"""Views of some elements: slices, single entries, diagonals.

Where a slice starts is an input, not an attribute: ``x[i : i + 32]`` is one graph for every ``i``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import OperationError, RangeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, number
from rushlight.graph.op import Op, View
from rushlight.graph.spec import Spec

from .index_onnx import ends, put_along, run_of

Places = tuple[tuple[int, ...], int]


def _window(start: Any, dim: int, length: int, step: int) -> tuple[slice, ...]:
    first = int(start)
    return (slice(None),) * dim + (slice(first, first + (length - 1) * step + 1, step),)


def _first(b: Any, start: Any, room: int) -> Any:
    """Where a slice starts that may start at ``room`` places."""
    return b.index(start.at(), room) if room > 1 else 0


def _within(
    b: Any, index: Any, part: Any, start: Any, dim: int, size: int, step: int
) -> tuple[Any, Any]:
    """The element of a slice that lies at a place of the whole, and whether there is one."""
    length = part.shape[dim]
    reach = (length - 1) * step + 1
    beyond = index[dim] - _first(b, start, size - reach + 1)
    inside = b.inside(beyond, 0, reach)
    if step > 1:
        inside = b.all([inside, b.eq(b.value(beyond % step), 0)])
    return part.at(*index[:dim], beyond // step, *index[dim + 1 :], when=inside), inside


class Slice(View):
    """Every ``step``-th element from ``start`` along one dimension, ``length`` of them."""

    name, attrs = "slice", ("dim", "length", "step")
    batched = "dims"

    def __call__(
        self, x: Node, dim: int, start: int | None, end: int | None, step: int = 1
    ) -> Node:
        """Slices like Python: out-of-range ends are cut off."""
        if step <= 0:
            raise OperationError("slice", "slice step must be positive")
        first, last, _ = slice(start, end, 1).indices(x.shape[dim])
        length = max(0, (last - first + step - 1) // step)
        if length == x.shape[dim]:
            first = 0
        return self.at(x, number(first), dim, length, step)

    def at(self, x: Node, start: Node, dim: int, length: int, step: int) -> Node:
        """The slice from a recorded start."""
        return self.record((x, start), dim, length, step)

    def infer(self, x: Spec, start: Spec, *, dim: int, length: int, step: int) -> Spec:
        return x.with_shape((*x.shape[:dim], length, *x.shape[dim + 1 :]))

    def vjp(
        self, g: Node, y: Node, x: Node, start: Node, *, dim: int, length: int, step: int
    ) -> tuple[Node | None, ...]:
        return unslice.record((g, start), dim, x.shape[dim], step), None

    def ref(self, x: Any, start: Any, *, dim: int, length: int, step: int) -> Any:
        if length == 0:
            return np.empty((*x.shape[:dim], 0, *x.shape[dim + 1 :]), x.dtype)
        return x[_window(start, dim, length, step)]

    def element(
        self, b: Any, index: Any, x: Any, start: Any, *, dim: int, length: int, step: int
    ) -> Any:
        first = _first(b, start, x.shape[dim] - (length - 1) * step)
        return x.at(*index[:dim], first + index[dim] * step, *index[dim + 1 :])

    def put(
        self, whole: Node, part: Node, start: Node, *, dim: int, length: int, step: int
    ) -> Node:
        return slice_scatter.record((whole, part, start), dim, step)

    def strides(
        self, old: Shape, strides: Shape, offset: int, start: int, *,
        dim: int, length: int, step: int,
    ) -> Places:  # fmt: skip
        steps = (*strides[:dim], strides[dim] * step, *strides[dim + 1 :])
        return steps, offset + start * strides[dim]

    def onnx(self, to: Any, x: Any, start: Any, *, dim: int, length: int, step: int) -> Any:
        return to("Slice", x, *ends(to, start, length, step), [dim], [step])


class Unslice(Op):
    """Zeros with the input laid into a slice: the gradient of :class:`Slice`."""

    name, attrs = "unslice", ("dim", "size", "step")
    batched = "dims"

    def infer(self, part: Spec, start: Spec, *, dim: int, size: int, step: int) -> Spec:
        return part.with_shape((*part.shape[:dim], size, *part.shape[dim + 1 :]))

    def vjp(
        self, g: Node, y: Node, part: Node, start: Node, *, dim: int, size: int, step: int
    ) -> tuple[Node | None, ...]:
        return slice_.at(g, start, dim, part.shape[dim], step), None

    def ref(self, part: Any, start: Any, *, dim: int, size: int, step: int) -> Any:
        result = np.zeros((*part.shape[:dim], size, *part.shape[dim + 1 :]), part.dtype)
        if part.shape[dim]:
            result[_window(start, dim, part.shape[dim], step)] = part
        return result

    def element(
        self, b: Any, index: Any, part: Any, start: Any, *, dim: int, size: int, step: int
    ) -> Any:
        return _within(b, index, part, start, dim, size, step)[0]


class SliceScatter(Op):
    """A whole with one slice replaced."""

    name, attrs = "slice_scatter", ("dim", "step")
    batched = "dims"

    def infer(self, whole: Spec, part: Spec, start: Spec, *, dim: int, step: int) -> Spec:
        return whole

    def vjp(
        self, g: Node, y: Node, whole: Node, part: Node, start: Node, *, dim: int, step: int
    ) -> tuple[Node | None, ...]:
        length = part.shape[dim]
        inside = slice_.at(g, start, dim, length, step)
        zeros = ops.zeros(inside.spec)
        return slice_scatter.record((g, zeros, start), dim, step), inside, None

    def ref(self, whole: Any, part: Any, start: Any, *, dim: int, step: int) -> Any:
        result = whole.copy()
        if part.shape[dim]:
            result[_window(start, dim, part.shape[dim], step)] = part
        return result

    def element(
        self, b: Any, index: Any, whole: Any, part: Any, start: Any, *, dim: int, step: int
    ) -> Any:
        new, inside = _within(b, index, part, start, dim, whole.shape[dim], step)
        return b.select(inside, new, whole.at(*index))

    def onnx(self, to: Any, whole: Any, part: Any, start: Any, *, dim: int, step: int) -> Any:
        places = run_of(to, start, part.shape[dim], step)
        return put_along(to, whole, places, part, part.shape, dim)


class Select(View):
    """The elements at one place of a dimension, which disappears."""

    name, attrs = "select", ("dim",)
    batched = "dims"
    torch = "select(Tensor(a) self, int dim, int index) -> Tensor(a)"

    def __call__(self, x: Node, dim: int, index: int) -> Node:
        if not x.ndim:
            raise RangeError("select", "select() cannot be applied to a 0-dim tensor.")
        dim = shapes.axis("select", dim, x.ndim)
        size, place = x.shape[dim], int(index)
        if not -size <= place < size:
            raise RangeError(
                "select",
                f"select(): index {place} out of range for tensor of size {list(x.shape)} at"
                f" dimension {dim}",
                rule=f"Places go from {-size} to {size - 1}.",
            )
        return self.at(x, dim, place % size)

    def at(self, x: Node, dim: int, place: int) -> Node:
        """The elements at a place that is known to exist."""
        return self.record((x, number(place)), dim)

    def infer(self, x: Spec, index: Spec, *, dim: int) -> Spec:
        return x.with_shape(x.shape[:dim] + x.shape[dim + 1 :])

    def vjp(self, g: Node, y: Node, x: Node, index: Node, *, dim: int) -> tuple[Node | None, ...]:
        return unselect.record((g, index), dim, x.shape[dim]), None

    def ref(self, x: Any, index: Any, *, dim: int) -> Any:
        return x[(slice(None),) * dim + (int(index),)]

    def element(self, b: Any, index: Any, x: Any, place: Any, *, dim: int) -> Any:
        return x.at(*index[:dim], b.index(place.at(), x.shape[dim]), *index[dim:])

    def put(self, whole: Node, part: Node, index: Node, *, dim: int) -> Node:
        return select_scatter.record((whole, part, index), dim)

    def strides(self, old: Shape, strides: Shape, offset: int, index: int, *, dim: int) -> Places:
        return strides[:dim] + strides[dim + 1 :], offset + index * strides[dim]

    def onnx(self, to: Any, x: Any, index: Any, *, dim: int) -> Any:
        return to("Gather", x, index, axis=dim)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 0, 1
        yield make(3, 4), -1, -2
        yield make(3, 0), 0, 2

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 0, 3), IndexError, "out of (bounds|range)"
        yield lambda: make.call(make(3), 1, 0), IndexError, "Dimension out of range"
        yield lambda: make.call(make(), 0, 0), IndexError, "0-dim"


class Unselect(Op):
    """Zeros with the input at one place of a new dimension: the gradient of :class:`Select`."""

    name, attrs = "unselect", ("dim", "size")
    batched = "dims"

    def infer(self, part: Spec, index: Spec, *, dim: int, size: int) -> Spec:
        return part.with_shape((*part.shape[:dim], size, *part.shape[dim:]))

    def vjp(
        self, g: Node, y: Node, part: Node, index: Node, *, dim: int, size: int
    ) -> tuple[Node | None, ...]:
        return select.record((g, index), dim), None

    def ref(self, part: Any, index: Any, *, dim: int, size: int) -> Any:
        result = np.zeros((*part.shape[:dim], size, *part.shape[dim:]), part.dtype)
        result[(slice(None),) * dim + (int(index),)] = part
        return result

    def element(self, b: Any, index: Any, part: Any, place: Any, *, dim: int, size: int) -> Any:
        here = b.eq(b.value(index[dim]), place.at())
        return part.at(*index[:dim], *index[dim + 1 :], when=here)


class SelectScatter(Op):
    """A whole with the elements at one place of a dimension replaced."""

    name, attrs = "select_scatter", ("dim",)
    batched = "dims"

    def infer(self, whole: Spec, part: Spec, index: Spec, *, dim: int) -> Spec:
        return whole

    def vjp(
        self, g: Node, y: Node, whole: Node, part: Node, index: Node, *, dim: int
    ) -> tuple[Node | None, ...]:
        inside = select.record((g, index), dim)
        return select_scatter.record((g, ops.zeros(inside.spec), index), dim), inside, None

    def ref(self, whole: Any, part: Any, index: Any, *, dim: int) -> Any:
        result = whole.copy()
        result[(slice(None),) * dim + (int(index),)] = part
        return result

    def element(self, b: Any, index: Any, whole: Any, part: Any, place: Any, *, dim: int) -> Any:
        here = b.eq(b.value(index[dim]), place.at())
        new = part.at(*index[:dim], *index[dim + 1 :], when=here)
        return b.select(here, new, whole.at(*index))

    def onnx(self, to: Any, whole: Any, part: Any, index: Any, *, dim: int) -> Any:
        shape = (*part.shape[:dim], 1, *part.shape[dim:])
        return put_along(to, whole, index, to("Unsqueeze", part, [dim]), shape, dim)


slice_ = Slice()
unslice = Unslice()
slice_scatter = SliceScatter()
select = Select()
unselect = Unselect()
select_scatter = SelectScatter()
