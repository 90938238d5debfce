"""Running sums, products and extremes along a dimension, and the recurrence behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import COMPLEX, DType, int64
from rushlight.base.errors import DTypeError, NoKernelError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .scan_onnx import before_each, running


def shifted(x: Node, dim: int, first: float) -> Node:
    """``first`` in front of all elements but the last along ``dim``."""
    if not x.ndim:
        return ops.full((), first, x.dtype)
    size = x.shape[dim]
    if not size:
        return x
    edge = ops.full((*x.shape[:dim], 1, *x.shape[dim + 1 :]), first, x.dtype)
    return ops.cat((edge, ops.slice_(x, dim, 0, size - 1)), dim)


def reversed_recurrence(a: Node, b: Node, dim: int) -> Node:
    """``y[k] = a[k + 1] * y[k + 1] + b[k]``, from the last element to the first."""
    turned = shifted(ops.flip(a, (dim,)), dim, 0)
    return ops.flip(ops.linear_recurrence.record((turned, ops.flip(b, (dim,))), dim), (dim,))


class Scan(Op):
    """A result for each element from it and all before it along ``dim``. Abstract."""

    attrs = ("dim",)
    batched = "dims"

    def infer(self, x: Spec, *, dim: int) -> Any:
        return x

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 0
        yield make(4, 3).T, -1
        yield make(2, 3, 4), 1
        yield make(0, 3), 0
        yield make(), 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 2), IndexError, "Dimension out of range"


class Recurrence(Scan):
    """``y[k] = a[k] * y[k - 1] + b[k]`` along ``dim``, from ``y[-1] = 0``."""

    name = "linear_recurrence"

    def infer(self, a: Spec, b: Spec, *, dim: int) -> Spec:
        return b

    def vjp(self, g: Node, y: Node, a: Node, b: Node, *, dim: int) -> tuple[Node | None, ...]:
        gb = reversed_recurrence(ops.conj(a), g, dim)
        return gb * ops.conj(shifted(y, dim, 0)) if a.requires_grad else None, gb

    def ref(self, a: Any, b: Any, *, dim: int) -> Any:
        result = b.copy()
        if b.ndim:
            steps, factors = np.moveaxis(result, dim, 0), np.moveaxis(a, dim, 0)
            for k in range(1, len(steps)):
                steps[k] += factors[k] * steps[k - 1]
        return result


class Cumsum(Scan):
    """The sum of each element and all before it; integers and bools are added as int64.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1, 2, 3]).cumsum(0)
        tensor([1, 3, 6])
    """

    name = "cumsum"
    torch = "cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor"
    inplace = True
    ulp = 8

    def __call__(self, x: Node, dim: int, *, dtype: DType | None = None) -> Node:
        if dtype is None and x.dtype.kind in ("bool", "int"):
            dtype = int64
        dim = shapes.axis("cumsum", dim, x.ndim)
        return self.record((x if dtype is None else ops.cast(x, dtype),), dim)

    def vjp(self, g: Node, y: Node, x: Node, *, dim: int) -> tuple[Node | None, ...]:
        return (ops.flip(self.record((ops.flip(g, (dim,)),), dim), (dim,)),)

    def ref(self, x: Any, *, dim: int) -> Any:
        return np.cumsum(x, axis=dim, dtype=x.dtype) if x.ndim else x

    def onnx(self, to: Any, x: Any, *, dim: int) -> Any:
        return to("CumSum", x, np.int64(dim)) if x.ndim else x

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make.bool(3, 4), 1
        yield make.int(3, 4), 0


class Cumprod(Scan):
    """The product of each element and all before it; integers and bools are multiplied as int64.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1, 2, 3]).cumprod(0)
        tensor([1, 2, 6])
    """

    name = "cumprod"
    torch = "cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor"
    inplace = True
    ulp = 8

    def __call__(self, x: Node, dim: int, *, dtype: DType | None = None) -> Node:
        if dtype is None and x.dtype.kind in ("bool", "int"):
            dtype = int64
        dim = shapes.axis("cumprod", dim, x.ndim)
        return self.record((x if dtype is None else ops.cast(x, dtype),), dim)

    def vjp(self, g: Node, y: Node, x: Node, *, dim: int) -> tuple[Node | None, ...]:
        # What follows x[k] in each later product is a recurrence, so no division by a 0.
        behind = reversed_recurrence(ops.conj(x), g, dim)
        return (behind * ops.conj(shifted(y, dim, 1)),)

    def ref(self, x: Any, *, dim: int) -> Any:
        return np.cumprod(x, axis=dim, dtype=x.dtype) if x.ndim else x

    def onnx(self, to: Any, x: Any, *, dim: int) -> Any:
        if to.opset >= 26 and x.ndim:
            return to("CumProd", x, np.int64(dim))
        seen = before_each(to, x, dim, 1.0)
        return seen and to.axes("ReduceProd", seen, [dim + 1], keepdims=0)

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make.bool(3, 4), 1


class Logcumsumexp(Scan):
    """The logarithm of the sum of the exponentials of each element and all before it.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(3).logcumsumexp(0)
        tensor([0.0000, 0.6931, 1.0986])
    """

    name = "logcumsumexp"
    torch = "logcumsumexp(Tensor self, int dim) -> Tensor"
    ulp = 16

    def __call__(self, x: Node, dim: int) -> Node:
        if not x.dtype.is_differentiable:
            raise NoKernelError(
                "logcumsumexp",
                f'"logcumsumexp_out_cpu" not implemented for {ops.TORCH_NAMES[x.dtype.name]}',
            )
        return self.record((x,), shapes.axis("logcumsumexp", dim, x.ndim))

    def vjp(self, g: Node, y: Node, x: Node, *, dim: int) -> tuple[Node | None, ...]:
        # With s[k] = sum of g[i] exp(y[k] - y[i]) for i >= k, no exponent is above 0.
        decay = ops.exp(_difference(shifted(y, dim, 0), y))
        return (ops.exp(_difference(x, y)) * reversed_recurrence(decay, g, dim),)

    def ref(self, x: Any, *, dim: int) -> Any:
        if not x.ndim:
            return x
        if x.dtype.kind == "c":
            return _logs_of_sums(x, dim)
        return np.logaddexp.accumulate(x, axis=dim, dtype=x.dtype)

    def onnx(self, to: Any, x: Any, *, dim: int) -> Any:
        seen = before_each(to, x, dim, -np.inf)
        return seen and to.axes("ReduceLogSumExp", seen, [dim + 1], keepdims=0)

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make.int(3), 0), RuntimeError, "not implemented for 'Long'"


def _logs_of_sums(x: Any, dim: int) -> Any:
    """Running sums of complex exponentials, each scaled by the larger magnitude of its terms."""
    made = np.moveaxis(x.copy(), dim, 0)
    for k in range(1, len(made)):
        top = np.maximum(made[k - 1].real, made[k].real)
        top = np.where(np.isfinite(top), top, 0)
        made[k] = top + np.log(np.exp(made[k - 1] - top) + np.exp(made[k] - top))
    return np.moveaxis(made, 0, dim)


def _difference(a: Node, b: Node) -> Node:
    """``a - b``, 0 also where both are the same infinity."""
    result: Node = ops.where(ops.eq(a, b), 0.0, a - b)
    return result


class Running(Scan):
    """The extreme of each element and all before it, and where it stands. Abstract.

    Of equal ones the last counts; a NaN stays until another NaN.
    """

    def __call__(self, x: Node, dim: int) -> tuple[Node, ...]:
        if x.dtype in COMPLEX:
            raise DTypeError(self.name, f"{self.name}: complex tensors are not ordered")
        return ops.parts(self.record((x,), shapes.axis(self.name, dim, x.ndim)))

    def infer(self, x: Spec, *, dim: int) -> tuple[Spec, Spec]:
        return x, x.with_dtype(int64)

    def vjp(self, g: Any, y: Node, x: Node, *, dim: int) -> tuple[Node | None, ...]:
        places = ops.part(y, 1)
        return (ops.scatter_add.record((ops.zeros(x.spec), places, g[0]), dim),)

    def ref(self, x: Any, *, dim: int) -> Any:
        if not x.ndim:
            return x, np.zeros((), np.int64)
        values = self.extreme.accumulate(x, axis=dim)
        line: Shape = tuple(-1 if d == dim else 1 for d in range(x.ndim))
        own = np.arange(x.shape[dim]).reshape(line)
        chosen = (x == values) | (x != x)
        return values, np.maximum.accumulate(np.where(chosen, own, 0), axis=dim)

    @property
    def extreme(self) -> np.ufunc:
        """NumPy's function of two values."""
        raise NotImplementedError

    def onnx(self, to: Any, x: Any, *, dim: int) -> Any:
        return running(to, x, dim, self.name == "cummax")

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make.complex(3), 0), RuntimeError, "complex"


class Cummax(Running):
    """The largest of each element and all before it, and where it stands.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1, 3, 2]).cummax(0).values
        tensor([1, 3, 3])
    """

    name = "cummax"
    torch = "cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)"

    @property
    def extreme(self) -> np.ufunc:
        return np.maximum


class Cummin(Running):
    """The smallest of each element and all before it, and where it stands.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([2, 1, 3]).cummin(0).values
        tensor([2, 1, 1])
    """

    name = "cummin"
    torch = "cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)"

    @property
    def extreme(self) -> np.ufunc:
        return np.minimum


linear_recurrence = Recurrence()
cumsum = Cumsum()
cumprod = Cumprod()
logcumsumexp = Logcumsumexp()
cummax = Cummax()
cummin = Cummin()
