"""Sums, means and products over dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import DType, int64
from rushlight.base.errors import DTypeError
from rushlight.base.promotion import default_dtype
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

Dims = int | Sequence[int] | None


class Reduction(Op):
    """One value from all the elements along some dimensions. Abstract."""

    attrs: ClassVar[tuple[str, ...]] = ("dims", "keepdim")
    batched = "dims"

    def infer(self, x: Spec, *, dims: Shape, keepdim: bool) -> Spec:
        return x.with_shape(shapes.reduced(x.shape, dims, keepdim))

    def folded(
        self, b: Any, how: str, index: Any, x: Any, dims: Shape, keepdim: bool,
        value: Callable[[Any], Any] = lambda element: element,
    ) -> Any:  # fmt: skip
        """One element for a kernel: ``value`` of every element brought together by ``how``."""
        kept = [i for d, i in enumerate(index) if not (keepdim and d in dims)]

        def inner(*places: Any) -> Any:
            rest, here = iter(kept), iter(places)
            return value(x.at(*(next(here if d in dims else rest) for d in range(x.ndim))))

        return b.reduce(how, [x.shape[d] for d in dims], inner)

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
        "sum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None)"
        " -> Tensor"
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

    def element(self, b: Any, index: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return self.folded(b, "sum", index, x, dims, keepdim)

    def onnx(self, to: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return to("ReduceSum", x, list(dims), keepdims=keepdim) if dims else x


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

    def element(self, b: Any, index: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        count = shapes.prod(tuple(x.shape[d] for d in dims))
        return b.div(self.folded(b, "sum", index, x, dims, keepdim), count)

    def onnx(self, to: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return to.axes("ReduceMean", x, dims, keepdims=keepdim) if dims else x

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make.int(3)), RuntimeError, "could not infer output dtype"


class Prod(Reduction):
    """The product; integers and bools are multiplied as int64.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([2.0, 3.0, 4.0]).prod()
        tensor(24.)
    """

    autocast = "wide"
    name = "prod"
    torch = (
        "prod(Tensor self, int? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor"
    )
    ulp = 8

    def __call__(
        self, x: Node, dim: int | None = None, keepdim: bool = False, *, dtype: DType | None = None
    ) -> Node:
        if dtype is None and x.dtype.kind in ("bool", "int"):
            dtype = int64
        place = None if dim is None else shapes.axis("prod", dim, x.ndim)
        return self.over(x if dtype is None else ops.cast(x, dtype), place, keepdim)

    def vjp(
        self, g: Node, y: Node, x: Node, *, dims: Shape, keepdim: bool
    ) -> tuple[Node | None, ...]:
        # The product of all the others, also when some are 0: of those before times those behind.
        line, dim = (x, dims[0]) if len(dims) == 1 else (ops.reshape(x, (-1,)), 0)
        before = ops.shifted(ops.cumprod(line, dim), dim, 1)
        behind = ops.shifted(ops.cumprod(ops.flip(line, (dim,)), dim), dim, 1)
        others = before * ops.flip(behind, (dim,))
        return (respread(g, x.shape, dims, keepdim) * ops.conj(ops.reshape(others, x.shape)),)

    def ref(self, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return np.prod(x, axis=dims, keepdims=keepdim, dtype=x.dtype)

    def element(self, b: Any, index: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return self.folded(b, "prod", index, x, dims, keepdim)

    def onnx(self, to: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return to.axes("ReduceProd", x, dims, keepdims=keepdim) if dims else x

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(2, 3, 4), 1
        yield make(4, 3).T, {"dim": -1, "keepdim": True}
        yield make.int(3, 2)
        yield make(3, 0), 1
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 2), IndexError, "Dimension out of range"
        yield lambda: make.call(make(3, 4), (0, 1)), TypeError, "must be int, not tuple"


class Nansum(Composite):
    """The sum of what is not NaN.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1.0, float("nan"), 2.0]).nansum()
        tensor(3.)
    """

    name = "nansum"
    torch = (
        "nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None)"
        " -> Tensor"
    )
    ulp = 8

    def __call__(
        self, x: Node, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None
    ) -> Node:
        if x.dtype.kind == "float":
            x = ops.where(ops.isnan(x), 0.0, x)
        return ops.sum(x, dim, keepdim, dtype=dtype)

    def samples(self, make: Any) -> Any:
        yield make(3, 4).sqrt()
        yield make(2, 3, 4).sqrt(), (0, -1), True
        yield make.int(3, 4), 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 2), IndexError, "Dimension out of range"


class Nanmean(Composite):
    """The mean of what is not NaN.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1.0, float("nan"), 2.0]).nanmean()
        tensor(1.5000)
    """

    name = "nanmean"
    torch = (
        "nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None)"
        " -> Tensor"
    )
    ulp = 8

    def __call__(
        self, x: Node, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None
    ) -> Node:
        if not x.dtype.is_differentiable:
            raise DTypeError(
                "nanmean",
                "nanmean(): expected input to have floating point or complex dtype but got"
                f" {ops.TORCH_NAMES[x.dtype.name][1:-1]}",
            )
        count = ops.sum(ops.logical_not(ops.isnan(x)), dim, keepdim)
        mean: Node = ops.div(ops.nansum(x, dim, keepdim, dtype=dtype), count)
        return mean

    def samples(self, make: Any) -> Any:
        yield make(3, 4).sqrt()
        yield make(2, 3, 4).sqrt(), (0, -1), True

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make.int(3)), RuntimeError, "expected input to have floating point"


class Logsumexp(Reduction):
    """The logarithm of the sum of the exponentials, without overflow on the way.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1000.0, 1000.0]).logsumexp(0)
        tensor(1000.6932)
    """

    name = "logsumexp"
    torch = "logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor"
    ulp = 8

    def __call__(self, x: Node, dim: Dims, keepdim: bool = False) -> Node:
        if not x.dtype.is_differentiable:
            x = ops.cast(x, default_dtype())
        return self.over(x, dim, keepdim)

    def vjp(
        self, g: Node, y: Node, x: Node, *, dims: Shape, keepdim: bool
    ) -> tuple[Node | None, ...]:
        shares = ops.exp(x - respread(y, x.shape, dims, keepdim))
        return (respread(g, x.shape, dims, keepdim) * ops.conj(shares),)

    def ref(self, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        top = np.max(x.real, axis=dims, keepdims=True, initial=-np.inf)
        top = np.where(np.isfinite(top), top, 0).astype(x.real.dtype)
        total = np.log(np.sum(np.exp(x - top), axis=dims, keepdims=True)) + top
        return total if keepdim else np.squeeze(total, dims)

    def expand(self, x: Node, *, dims: Shape, keepdim: bool) -> Node:
        shape = shapes.reduced(x.shape, dims, keepdim)
        if not x.spec.numel:
            return ops.full(shape, -np.inf, x.dtype)
        top = ops.amax.record((x,), dims, True)
        top = ops.where(ops.isfinite(top), top, 0.0)
        total: Node = ops.log(ops.sum.record((ops.exp(x - top),), dims, True)) + top
        return ops.reshape(total, shape)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 1
        yield make(2, 3, 4) * 100, (0, -1), True
        yield make.int(3, 4), 0
        yield make(3, 0), 1
        yield make(), 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 2), IndexError, "Dimension out of range"


sum = Sum()
mean = Mean()
prod = Prod()
nansum = Nansum()
nanmean = Nanmean()
logsumexp = Logsumexp()
