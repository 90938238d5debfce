"""Lengths of vectors."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import DType
from rushlight.base.errors import (
    ArgTypeError,
    ArgValueError,
    DTypeError,
    OperationError,
    ShapeError,
)  # fmt: skip
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite
from rushlight.graph.spec import Spec

from .reduce import Dims, Reduction, respread


class VectorNorm(Reduction):
    """``sum(abs(x) ** ord) ** (1 / ord)``; the extreme of ``abs(x)`` for an infinite ``ord``.

    ``ord=0`` counts what is not 0.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.vector_norm(rl.tensor([3.0, 4.0]))
        tensor(5.)
        >>> rl.linalg.vector_norm(rl.tensor([3.0, 4.0]), 1)
        tensor(7.)
    """

    name = "linalg_vector_norm"
    module = "linalg"
    attrs = ("ord", "dims", "keepdim")
    torch = (
        "vector_norm(Tensor x, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *,"
        " ScalarType? dtype=None) -> Tensor"
    )
    ulp = 16

    def __call__(
        self, x: Node, ord: Any = 2, dim: Dims = None, keepdim: bool = False, *,
        dtype: DType | None = None,
    ) -> Node:  # fmt: skip
        if isinstance(ord, str):
            raise ArgTypeError(
                "linalg.vector_norm",
                "linalg_vector_norm(): argument 'ord' (position 2) must be Number, not str",
            )
        if not x.dtype.is_differentiable:
            raise DTypeError(
                "linalg.vector_norm",
                "linalg.vector_norm: Expected a floating point or complex tensor as input. Got"
                f" {ops.TORCH_NAMES[x.dtype.name][1:-1]}",
            )
        if dtype is not None:
            x = ops.cast(x, dtype)
        dims = shapes.axes("linalg.vector_norm", dim, x.ndim)
        if (ord == inf or ord < 0) and any(x.shape[d] == 0 for d in dims):
            raise OperationError(
                "linalg.vector_norm",
                f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the"
                " operation does not have an identity",
            )
        return self.record((x,), float(ord), dims, bool(keepdim))

    def infer(self, x: Spec, *, ord: float, dims: Shape, keepdim: bool) -> Spec:
        return x.with_shape(shapes.reduced(x.shape, dims, keepdim)).with_dtype(x.dtype.to_real())

    def vjp(
        self, g: Node, y: Node, x: Node, *, ord: float, dims: Shape, keepdim: bool
    ) -> tuple[Node | None, ...]:
        if ord == 0:
            return (ops.zeros(x.spec),)
        g = respread(g, x.shape, dims, keepdim)
        y = respread(y, x.shape, dims, keepdim)
        if ord == 1:
            return (g * ops.sgn(x),)
        if ord == 2:
            # In this order 0 / 0 is left out, and what follows from it in the next gradient is not.
            return (g * over_norm(x, y),)
        if abs(ord) == inf:
            chosen = ops.eq(ops.abs(x), y)
            count = ops.sum(ops.cast(chosen, g.dtype), dims, True)
            return (ops.sgn(x) * ops.where(chosen, g / count, 0.0),)
        return (_power_gradient(g, y, x, ord),)

    def ref(self, x: Any, *, ord: float, dims: Shape, keepdim: bool) -> Any:
        size = np.abs(x)
        if ord == 0:
            return np.sum(size != 0, axis=dims, keepdims=keepdim)
        if abs(ord) == inf:
            extreme = np.max if ord > 0 else np.min
            return extreme(size, axis=dims, keepdims=keepdim)
        if ord == 1:
            return np.sum(size, axis=dims, keepdims=keepdim)
        if ord == 2:
            return np.sqrt(np.sum(size * size, axis=dims, keepdims=keepdim))
        power = size.dtype.type(ord)
        return np.sum(size**power, axis=dims, keepdims=keepdim) ** (1 / power)

    def expand(self, x: Node, *, ord: float, dims: Shape, keepdim: bool) -> Node:
        def total(terms: Node) -> Node:
            return ops.sum.record((terms,), dims, keepdim)

        if ord == 0:
            return total(ops.cast(ops.ne(x, 0), x.dtype))
        if ord == 2:
            return ops.sqrt(total(x * x))
        size = ops.abs(x)
        if abs(ord) == inf:
            return (ops.amax if ord > 0 else ops.amin).record((size,), dims, keepdim)
        if ord == 1:
            return total(size)
        return ops.pow(total(ops.pow(size, ord)), 1 / ord)

    def samples(self, make: Any) -> Any:
        for ord in (2, 1, 3, 1.5, 0.5, -1, 0, inf, -inf):
            yield make(3, 4), ord, 1
        yield make(2, 3, 4)
        yield make(2, 3, 4), 2, (0, -1), True
        yield make(4, 3).T, {"dim": 0}
        yield make.complex(3, 4), 3
        yield make(0, 3), {"dim": 0}
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 2, 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make.int(3)), RuntimeError, "floating point or complex"
        yield lambda: make.call(make(0), inf), RuntimeError, "does not have an identity"
        yield lambda: make.call(make(3), "fro"), TypeError, "must be Number, not str"


def over_norm(g: Node, norm: Node) -> Node:
    """``g / norm``, 0 where the norm is 0; what is asked further of it there has no answer."""
    quotient: Node = ops.where(ops.eq(norm, 0), 0.0, g / norm)
    return quotient


def _power_gradient(g: Node, y: Node, x: Node, ord: float) -> Node:
    """The gradient for a finite power other than 0, 1 and 2."""
    if ord > 2:
        smooth: Node = x * ops.pow(ops.abs(x), ord - 2) * over_norm(g, ops.pow(y, ord - 1))
        return smooth
    steep = ops.where(ops.eq(x, 0), 0.0, ops.pow(ops.abs(x), ord - 1))
    scale = g * ops.pow(y, 1 - ord) if ord < 1 else over_norm(g, ops.pow(y, ord - 1))
    sharp: Node = ops.sgn(x) * steep * scale
    return sharp


class Norm(Composite):
    """The length of vectors, or a norm of matrices for ``"nuc"``; ``"fro"`` is the 2-norm.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[3.0, 0.0], [0.0, 4.0]]).norm()
        tensor(5.)
    """

    name = "norm"
    torch = (
        "norm(Tensor self, Any p='fro', int[1]? dim=None, bool keepdim=False,"
        " ScalarType? dtype=None) -> Tensor"
    )
    ulp = 16

    def __call__(
        self, x: Node, p: Any = "fro", dim: Any = None, keepdim: bool = False,
        dtype: DType | None = None,
    ) -> Node:  # fmt: skip
        if p == "fro" or p is None:
            return ops.linalg_vector_norm(x, 2, dim, keepdim, dtype=dtype)
        if isinstance(p, str):
            dims = tuple(range(x.ndim)) if dim is None else dim
            return ops.linalg_matrix_norm(x, p, dims, keepdim, dtype=dtype)
        return ops.linalg_vector_norm(x, p, dim, keepdim, dtype=dtype)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(3, 4), 1
        yield make(2, 3, 4), "fro", (0, 1)
        yield make(3, 4), {"p": 3, "dim": 1, "keepdim": True}
        yield make(3, 4), "nuc"
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), "foo"), RuntimeError, "Order foo not supported"
        yield lambda: make.call(make.int(3)), RuntimeError, "floating point or complex"


class Dist(Composite):
    """The ``p``-norm of the difference of two tensors."""

    name, torch, ulp = "dist", "dist(Tensor self, Tensor other, Scalar p=2) -> Tensor", 16

    def __call__(self, x: Node, other: Node, p: Any = 2) -> Node:
        return ops.linalg_vector_norm(x - other, p)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4)
        yield make(3, 4), make(4), 3

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(4)), RuntimeError, "must match the size"
        yield lambda: make.call(make.int(3), make.int(3)), RuntimeError, "floating point or complex"


class Cdist(Composite):
    """The ``p``-norm of the difference of each row of ``x1`` and each row of ``x2``.

    Example:
        >>> import rushlight as rl
        >>> rl.cdist(rl.zeros(1, 2), rl.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[5., 1.]])
    """

    autocast = "wide"
    name, ulp = "cdist", 16
    torch = "cdist(Tensor x1, Tensor x2, float p=2.0, str? compute_mode=None) -> Tensor"

    def __call__(self, x1: Node, x2: Node, p: float = 2.0, compute_mode: str | None = None) -> Node:
        for x, who in ((x1, "X1"), (x2, "X2")):
            if x.ndim < 2:
                raise ShapeError(
                    "cdist", f"cdist only supports at least 2D tensors, {who} got: {x.ndim}D"
                )
            if not x.dtype.is_floating_point:
                raise DTypeError(
                    "cdist",
                    f"cdist only supports floating-point dtypes, {who} got:"
                    f" {ops.TORCH_NAMES[x.dtype.name][1:-1]}",
                )
        if x1.shape[-1] != x2.shape[-1]:
            raise ShapeError(
                "cdist",
                "X1 and X2 must have the same number of columns. X1:"
                f" {x1.shape[-1]} X2: {x2.shape[-1]}",
            )
        if p < 0:
            raise OperationError("cdist", "cdist only supports non-negative p values")
        if compute_mode not in (None, *MODES):
            raise ArgValueError("cdist", f"{compute_mode} is not a valid value for compute_mode")
        shapes.broadcast("cdist", x1.shape[:-2], x2.shape[:-2])
        if not x1.shape[-1]:  # no columns, no distance
            return ops.sum(ops.unsqueeze(x1, -2) - ops.unsqueeze(x2, -3), -1)
        return ops.linalg_vector_norm(ops.unsqueeze(x1, -2) - ops.unsqueeze(x2, -3), p, -1)

    def samples(self, make: Any) -> Any:
        for p in (2.0, 1.0, 0.5, 3.0, inf):
            yield make(3, 4), make(5, 4), p
        yield make(2, 3, 4), make(5, 4)
        yield make(3, 0), make(2, 0)

    def errors(self, make: Any) -> Any:
        x = make(3, 4)
        yield lambda: make.call(x, make(4)), RuntimeError, "at least 2D tensors, X2 got: 1D"
        yield lambda: make.call(x, make(3, 2)), RuntimeError, "same number of columns"
        yield lambda: make.call(x, x, -1.0), RuntimeError, "non-negative p values"
        yield lambda: make.call(x, make.int(3, 4)), RuntimeError, "X2 got: Long"
        yield lambda: make.call(x, x, compute_mode="fast"), ValueError, "not a valid value"


MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist",
)  # fmt: skip
"""PyTorch's choices of how to compute; the result is the same."""

linalg_vector_norm = VectorNorm()
dist = Dist()
cdist = Cdist()
norm = Norm()
