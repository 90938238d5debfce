"""Matrices with zeros on one side of a diagonal."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base.errors import ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec


class Triangle(Op):
    """A matrix with zeros on one side of a diagonal. Abstract."""

    attrs = ("diagonal",)
    batched = "front"
    inplace = True

    def __call__(self, x: Node, diagonal: int = 0) -> Node:
        if x.ndim < 2:
            raise ShapeError(
                self.name,
                f"{self.name}: input tensor must have at least 2 dimensions",
                rule=f"It is {x.shape}.",
            )
        return self.record((x,), int(diagonal))

    def infer(self, x: Spec, *, diagonal: int) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node, *, diagonal: int) -> tuple[Node | None, ...]:
        return (self.record((g,), diagonal),)

    def onnx(self, to: Any, x: Any, *, diagonal: int) -> Any:
        return to("Trilu", x, np.int64(diagonal), upper=self.name == "triu")

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(2, 4, 3), 1
        yield make(4, 3).T, -1
        yield make(3, 3), 7
        yield make.bool(3, 3)
        yield make(0, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "at least 2 dimensions"


class Tril(Triangle):
    """The lower triangle of matrices: zeros above the diagonal.

    Example:
        >>> import rushlight as rl
        >>> rl.ones(2, 3).tril()
        tensor([[1., 0., 0.],
                [1., 1., 0.]])
    """

    name, torch = "tril", "tril(Tensor self, int diagonal=0) -> Tensor"

    def ref(self, x: Any, *, diagonal: int) -> Any:
        return np.tril(x, diagonal)

    def element(self, b: Any, index: Any, x: Any, *, diagonal: int) -> Any:
        above = b.value(index[-1] - index[-2])
        return b.select(b.le(above, diagonal), x.at(*index), 0)


class Triu(Triangle):
    """The upper triangle of matrices: zeros below the diagonal.

    Example:
        >>> import rushlight as rl
        >>> rl.ones(2, 3).triu(1)
        tensor([[0., 1., 1.],
                [0., 0., 1.]])
    """

    name, torch = "triu", "triu(Tensor self, int diagonal=0) -> Tensor"

    def ref(self, x: Any, *, diagonal: int) -> Any:
        return np.triu(x, diagonal)

    def element(self, b: Any, index: Any, x: Any, *, diagonal: int) -> Any:
        above = b.value(index[-1] - index[-2])
        return b.select(b.ge(above, diagonal), x.at(*index), 0)


tril = Tril()
triu = Triu()
