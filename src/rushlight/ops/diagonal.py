"""Views of diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import OperationError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Op, View
from rushlight.graph.spec import Spec

from .slicing import Places


class Diagonal(View):
    """The elements where two dimensions have the same place, as a last dimension."""

    name, attrs = "diagonal", ("offset", "dim1", "dim2")
    batched = "dims"
    torch = "diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)"

    def __call__(self, x: Node, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Node:
        a = shapes.axis("diagonal", dim1, x.ndim)
        b = shapes.axis("diagonal", dim2, x.ndim)
        if a == b:
            raise OperationError(
                "diagonal", f"diagonal dimensions cannot be identical {dim1}, {dim2}"
            )
        return self.record((x,), int(offset), a, b)

    def infer(self, x: Spec, *, offset: int, dim1: int, dim2: int) -> Spec:
        rows = x.shape[dim1] + min(offset, 0)
        columns = x.shape[dim2] - max(offset, 0)
        kept = shapes.reduced(x.shape, (dim1, dim2), False)
        return x.with_shape((*kept, max(0, min(rows, columns))))

    def vjp(
        self, g: Node, y: Node, x: Node, *, offset: int, dim1: int, dim2: int
    ) -> tuple[Node | None, ...]:
        return (undiagonal.record((g,), x.shape, offset, dim1, dim2),)

    def ref(self, x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
        return np.diagonal(x, offset, dim1, dim2)

    def element(self, b: Any, index: Any, x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
        *kept, along = index
        rest = iter(kept)
        here = {dim1: along - min(offset, 0), dim2: along + max(offset, 0)}
        return x.at(*(here[d] if d in here else next(rest) for d in range(x.ndim)))

    def put(self, whole: Node, part: Node, *, offset: int, dim1: int, dim2: int) -> Node:
        return diagonal_scatter.record((whole, part), offset, dim1, dim2)

    def strides(
        self, old: Shape, strides: Shape, start: int, *, offset: int, dim1: int, dim2: int
    ) -> Places:
        kept = shapes.reduced(strides, (dim1, dim2), False)
        first = offset * strides[dim2] if offset > 0 else -offset * strides[dim1]
        if old[dim1] + min(offset, 0) <= 0 or old[dim2] - max(offset, 0) <= 0:
            first = 0  # there is no element
        return (*kept, strides[dim1] + strides[dim2]), start + first

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(3, 4), 1
        yield make(2, 3, 4), -1, 0, 2
        yield make(3, 4), 9

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 3), 0, 1, 1), RuntimeError, "identical"
        yield lambda: make.call(make(3)), IndexError, "Dimension out of range"


def _diagonal_of(array: Any, offset: int, dim1: int, dim2: int) -> Any:
    """A writable view of a diagonal."""
    view = np.diagonal(array, offset, dim1, dim2)
    view.flags.writeable = True
    return view


def _on_diagonal(
    b: Any, index: Any, part: Any, offset: int, dim1: int, dim2: int
) -> tuple[Any, Any]:
    """The element of a diagonal that lies at a place of the whole, and whether there is one."""
    row, column = index[dim1], index[dim2]
    inside = b.inside(column - row, offset, offset + 1)
    kept = shapes.reduced(index, (dim1, dim2), False)
    return part.at(*kept, row if offset >= 0 else column, when=inside), inside


class Undiagonal(Op):
    """Zeros with the input laid on a diagonal: the gradient of :class:`Diagonal`."""

    name, attrs = "undiagonal", ("shape", "offset", "dim1", "dim2")
    batched = "dims"

    def infer(self, part: Spec, *, shape: Shape, offset: int, dim1: int, dim2: int) -> Spec:
        return part.with_shape(shape)

    def vjp(
        self, g: Node, y: Node, part: Node, *, shape: Shape, offset: int, dim1: int, dim2: int
    ) -> tuple[Node | None, ...]:
        return (diagonal.record((g,), offset, dim1, dim2),)

    def ref(self, part: Any, *, shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
        result = np.zeros(shape, part.dtype)
        _diagonal_of(result, offset, dim1, dim2)[...] = part
        return result

    def element(
        self, b: Any, index: Any, part: Any, *, shape: Shape, offset: int, dim1: int, dim2: int
    ) -> Any:
        return _on_diagonal(b, index, part, offset, dim1, dim2)[0]


class DiagonalScatter(Op):
    """A whole with one diagonal replaced."""

    name, attrs = "diagonal_scatter", ("offset", "dim1", "dim2")
    batched = "dims"

    def infer(self, whole: Spec, part: Spec, *, offset: int, dim1: int, dim2: int) -> Spec:
        return whole

    def vjp(
        self, g: Node, y: Node, whole: Node, part: Node, *, offset: int, dim1: int, dim2: int
    ) -> tuple[Node | None, ...]:
        inside = diagonal.record((g,), offset, dim1, dim2)
        return self.record((g, ops.zeros(inside.spec)), offset, dim1, dim2), inside

    def ref(self, whole: Any, part: Any, *, offset: int, dim1: int, dim2: int) -> Any:
        result = whole.copy()
        _diagonal_of(result, offset, dim1, dim2)[...] = part
        return result

    def element(
        self, b: Any, index: Any, whole: Any, part: Any, *, offset: int, dim1: int, dim2: int
    ) -> Any:
        new, inside = _on_diagonal(b, index, part, offset, dim1, dim2)
        return b.select(inside, new, whole.at(*index))


diagonal = Diagonal()
undiagonal = Undiagonal()
diagonal_scatter = DiagonalScatter()
