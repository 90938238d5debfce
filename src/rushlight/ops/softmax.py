"""Softmax and its logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import FLOATS, DType
from rushlight.base.errors import NoKernelError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec


class Normalized(Op):
    """Positive numbers that add up to 1 along a dimension, or their logarithms. Abstract."""

    attrs = ("dim",)
    batched = "dims"
    ulp = 8

    def __call__(self, x: Node, dim: int, dtype: DType | None = None) -> Node:
        return self.record((x if dtype is None else ops.cast(x, dtype),), self._axis(x, dim))

    def _axis(self, x: Node, dim: int) -> int:
        return shapes.axis(self.name, dim, x.ndim)

    def infer(self, x: Spec, *, dim: int) -> Spec:
        if x.dtype not in FLOATS:
            raise NoKernelError(
                self.name,
                f'"{self.name}" not implemented for {ops.TORCH_NAMES[x.dtype.name]}',
                hint="Convert first, or give dtype=.",
            )
        return x

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 1
        yield make(3, 4), 0
        yield make(2, 3, 4, low=-50, high=50), -2
        yield make(4, 3).T, -1
        yield make(3, 0), 1
        yield make(0, 3), 1
        yield make(), 0
        yield make.int(3, 4), 1, {"dtype": make(1).dtype}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 2), IndexError, "Dimension out of range"
        yield lambda: make.call(make.int(3), 0), RuntimeError, "not implemented for 'Long'"


class Softmax(Normalized):
    r"""Positive numbers that add up to 1: :math:`y_i = e^{x_i} / \sum_j e^{x_j}` along ``dim``.

    Args:
        dtype: the input is converted to it first.
    Shape:
        input (*) floating; output (*) same dtype. A slice that is all ``-inf`` gives ``nan``.
    Raises:
        IndexError: there is no such dimension.
        RuntimeError: the input is not floating point.
    Example:
        >>> import rushlight as rl
        >>> rl.softmax(rl.tensor([0.0, 0.0, 1.0]), dim=0)
        tensor([0.2119, 0.2119, 0.5761])
    """

    name = "softmax"
    torch = "softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node, *, dim: int) -> tuple[Node | None, ...]:
        return (y * (g - ops.sum(g * y, dim, True)),)

    def ref(self, x: Any, *, dim: int) -> Any:
        return softmax_of(x, dim)

    def expand(self, x: Node, *, dim: int) -> Node:
        if not x.spec.numel:
            return ops.clone(x)
        dims = (dim,) if x.ndim else ()
        y = ops.exp(x - ops.amax.record((x,), dims, True))
        share: Node = y * ops.reciprocal(ops.sum.record((y,), dims, True))  # one division a row
        return share

    def onnx(self, to: Any, x: Any, *, dim: int) -> Any:
        return to("Softmax", x, axis=dim) if x.ndim else None


class LogSoftmax(Normalized):
    r"""The logarithm of :func:`softmax`: :math:`y_i = x_i - \log \sum_j e^{x_j}` along ``dim``.

    Exact where the softmax itself would round to 0.

    Args:
        dtype: the input is converted to it first.
    Shape:
        input (*) floating; output (*) same dtype.
    Raises:
        IndexError: there is no such dimension.
        RuntimeError: the input is not floating point.
    Example:
        >>> import rushlight as rl
        >>> rl.log_softmax(rl.tensor([0.0, 0.0, 1.0]), dim=0)
        tensor([-1.5514, -1.5514, -0.5514])
    """

    name = "log_softmax"
    torch = "log_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node, *, dim: int) -> tuple[Node | None, ...]:
        return (g - ops.exp(y) * ops.sum(g, dim, True),)

    def ref(self, x: Any, *, dim: int) -> Any:
        return log_softmax_of(x, dim)

    def expand(self, x: Node, *, dim: int) -> Node:
        if not x.spec.numel:
            return ops.clone(x)
        dims = (dim,) if x.ndim else ()
        y = x - ops.amax.record((x,), dims, True)
        return y - ops.log(ops.sum.record((ops.exp(y),), dims, True))

    def onnx(self, to: Any, x: Any, *, dim: int) -> Any:
        return to("LogSoftmax", x, axis=dim) if x.ndim else None


def softmax_of(x: Any, dim: int) -> Any:
    """Softmax of an array."""
    if not x.ndim:
        return np.exp(x - x)
    y = np.exp(x - x.max(axis=dim, keepdims=True, initial=-np.inf))
    y /= y.sum(axis=dim, keepdims=True)
    return y


def log_softmax_of(x: Any, dim: int) -> Any:
    """The logarithm of softmax of an array."""
    if not x.ndim:
        return x - x
    y = x - x.max(axis=dim, keepdims=True, initial=-np.inf)
    y -= np.log(np.exp(y).sum(axis=dim, keepdims=True))
    return y


softmax = Softmax()
log_softmax = LogSoftmax()
