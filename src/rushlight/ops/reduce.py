"""Sums, means and products over dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import DType, int64
from rushlight.base.errors import DTypeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

Dims = int | Sequence[int] | None


class Reduction(Op):
    """One value from all the elements along some dimensions. Abstract."""

    attrs = ("dims", "keepdim")

    def infer(self, x: Spec, *, dims: Shape, keepdim: bool) -> Spec:
        return x.with_shape(shapes.reduced(x.shape, dims, keepdim))

    def over(self, x: Node, dim: Dims, keepdim: bool) -> Node:
        """Records the reduction over PyTorch's ``dim``; None and ``()`` are all dimensions."""
        return self.record((x,), shapes.axes(self.name, dim, x.ndim), bool(keepdim))

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(2, 3, 4), {"dim": 1}
        yield make(2, 3, 4), {"dim": (0, -1), "keepdim": True}
        yield make(4, 3).T, {"dim": 0}
        yield make(3, 0), {"dim": 1}
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), dim=2), IndexError, "Dimension out of range"
        yield lambda: make.call(make(3, 4), dim=(0, 0)), RuntimeError, "appears multiple times"


def respread(g: Node, shape: Shape, dims: Shape, keepdim: bool) -> Node:
    """A reduced value laid out again over the dimensions that were reduced."""
    if not keepdim:
        g = ops.reshape(g, shapes.reduced(shape, dims, True))
    return ops.expand(g, shape)


class Sum(Reduction):
    """The sum; integers and bools are added as int64."""

    name = "sum"
    torch = (
        "sum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor"
    )
    ulp = 8

    def __call__(
        self, x: Node, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None
    ) -> Node:
        if dtype is None and x.dtype.kind in ("bool", "int"):
            dtype = int64
        return self.over(x if dtype is None else ops.cast(x, dtype), dim, keepdim)

    def vjp(
        self, g: Node, y: Node, x: Node, *, dims: Shape, keepdim: bool
    ) -> tuple[Node | None, ...]:
        return (respread(g, x.shape, dims, keepdim),)

    def ref(self, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return np.sum(x, axis=dims, keepdims=keepdim, dtype=x.dtype)


class Mean(Reduction):
    """The mean of floating point numbers."""

    name = "mean"
    torch = (
        "mean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None)"
        " -> Tensor"
    )
    ulp = 8

    def __call__(
        self, x: Node, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None
    ) -> Node:
        x = x if dtype is None else ops.cast(x, dtype)
        if not x.dtype.is_differentiable:
            raise DTypeError(
                "mean",
                "mean(): could not infer output dtype. Input dtype must be either a floating point"
                f" or complex dtype. Got: {ops.TORCH_NAMES[x.dtype.name][1:-1]}",
                hint="Convert first, as in x.float().mean().",
            )
        return self.over(x, dim, keepdim)

    def vjp(
        self, g: Node, y: Node, x: Node, *, dims: Shape, keepdim: bool
    ) -> tuple[Node | None, ...]:
        count = shapes.prod(tuple(x.shape[d] for d in dims))
        return (respread(g, x.shape, dims, keepdim) / count,)

    def ref(self, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        count = shapes.prod(tuple(x.shape[d] for d in dims))
        return np.sum(x, axis=dims, keepdims=keepdim, dtype=x.dtype) / x.dtype.type(count)

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make.int(3)), RuntimeError, "could not infer output dtype"


sum = Sum()
mean = Mean()
