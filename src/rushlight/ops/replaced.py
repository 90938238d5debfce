"""Copies of a tensor in which what a view would show is replaced."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import ShapeError
from rushlight.base.shapes import axis
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, View


class Replaced(Composite):
    """A copy of ``input`` with a part of it replaced by ``src``. Abstract."""

    def replaced(self, whole: Node, view: Node, part: Node) -> Node:
        """``whole`` with ``part`` where ``view`` of it lies."""
        if part.shape != view.shape:
            raise ShapeError(
                self.name,
                "expected src to have a size equal to the slice of self. src size ="
                f" {list(part.shape)}, slice size = {list(view.shape)}",
            )
        assert isinstance(view.op, View)
        part = ops.cast(part, whole.dtype)
        return view.op.put(whole, part, *view.inputs[1:], **view.keywords)


class SelectReplaced(Replaced):
    """A copy of ``input`` with ``src`` at place ``index`` of dimension ``dim``.

    Example:
        >>> import rushlight as rl
        >>> rl.select_scatter(rl.zeros(2, 2), rl.ones(2), 0, 1)
        tensor([[0., 0.],
                [1., 1.]])
    """

    name = "select_replaced"
    torch = "select_scatter(Tensor self, Tensor src, int dim, int index) -> Tensor"

    def __call__(self, x: Node, src: Node, dim: int, index: int) -> Node:
        return self.replaced(x, ops.select(x, dim, index), src)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(4), 0, 1
        yield make(4, 3).T, make(3), -1, -2
        yield make.int(3), make.int(), 0, 2

    def errors(self, make: Any) -> Any:
        call, x = make.call, make(3, 4)
        yield lambda: call(x, make(3), 0, 1), RuntimeError, r"src size = \[3\], slice size = \[4\]"
        yield lambda: call(x, make(4), 0, 3), IndexError, "out of range"
        yield lambda: call(x, make(4), 2, 0), IndexError, "Dimension out of range"


class SliceReplaced(Replaced):
    """A copy of ``input`` with ``src`` at the places ``start:end:step`` of dimension ``dim``.

    Example:
        >>> import rushlight as rl
        >>> rl.slice_scatter(rl.zeros(4), rl.ones(2), 0, 1, 4, 2)
        tensor([0., 1., 0., 1.])
    """

    name = "slice_replaced"
    torch = (
        "slice_scatter(Tensor self, Tensor src, int dim=0, int? start=None, int? end=None,"
        " int step=1) -> Tensor"
    )

    def __call__(
        self, x: Node, src: Node, dim: int = 0, start: int | None = None, end: int | None = None,
        step: int = 1,
    ) -> Node:  # fmt: skip
        return self.replaced(x, ops.slice_(x, axis(self.name, dim, x.ndim), start, end, step), src)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(2, 4), 0, 1
        yield make(6, 3).T, make(3, 2), -1, -5, 99, 3
        yield make(3, 4), make(3, 4)
        yield make.int(5), make.int(0), 0, 4, 2

    def errors(self, make: Any) -> Any:
        call, x = make.call, make(3, 4)
        yield lambda: call(x, make(4), 0, 0, 1), RuntimeError, "expected src to have a size equal"
        yield lambda: call(x, x, 0, step=0), RuntimeError, "slice step must be positive"
        yield lambda: call(x, x, 2), IndexError, "Dimension out of range"


class DiagonalReplaced(Replaced):
    """A copy of ``input`` with ``src`` on a diagonal.

    Example:
        >>> import rushlight as rl
        >>> rl.diagonal_scatter(rl.zeros(2, 2), rl.ones(2))
        tensor([[1., 0.],
                [0., 1.]])
    """

    name = "diagonal_replaced"
    torch = (
        "diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor"
    )

    def __call__(self, x: Node, src: Node, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Node:
        return self.replaced(x, ops.diagonal(x, offset, dim1, dim2), src)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3)
        yield make(3, 4, 2), make(4, 2), 0, 2, 0
        yield make(4, 3).T, make(2), -1
        yield make.bool(3, 3), make.bool(1), 2

    def errors(self, make: Any) -> Any:
        call, x = make.call, make(3, 4)
        yield lambda: call(x, make(4)), RuntimeError, r"slice size = \[3\]"
        yield lambda: call(x, make(3), 0, 1, 1), RuntimeError, "cannot be identical"


select_replaced = SelectReplaced()
slice_replaced = SliceReplaced()
diagonal_replaced = DiagonalReplaced()
