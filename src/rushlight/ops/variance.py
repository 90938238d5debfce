"""Variance and standard deviation."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import ArgTypeError, DTypeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite
from rushlight.graph.spec import Spec

from .reduce import Reduction, respread

Correction = int | float


def correction_of(dim: Any, unbiased: Any, correction: Any) -> tuple[Any, Correction]:
    """Dimensions and correction from PyTorch's overloads: ``x.var(False)`` is ``unbiased``."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    if not isinstance(correction, (int, float)):
        raise ArgTypeError(
            "var",
            f"var(): argument 'correction' must be Number, not {type(correction).__name__}",
        )
    return dim, correction


class Spread(Reduction):
    """How far elements are from their mean. Abstract.

    ``correction`` is taken from the number of elements that the sum is divided by.
    """

    attrs = ("dims", "correction", "keepdim")
    ulp = 16

    def __call__(
        self, x: Node, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *,
        correction: Any = None,
    ) -> Node:  # fmt: skip
        if not x.dtype.is_differentiable:
            raise DTypeError(
                self.name,
                "std and var only support floating point and complex dtypes",
                hint=f"Convert first, as in x.float().{self.name}().",
            )
        dim, correction = correction_of(dim, unbiased, correction)
        return self.record((x,), shapes.axes(self.name, dim, x.ndim), correction, bool(keepdim))

    def infer(self, x: Spec, *, dims: Shape, correction: Correction, keepdim: bool) -> Spec:
        return x.with_shape(shapes.reduced(x.shape, dims, keepdim)).with_dtype(x.dtype.to_real())

    def gradient(
        self, g: Node, x: Node, dims: Shape, correction: Correction, keepdim: bool
    ) -> Node:
        """The gradient of the variance."""
        free = shapes.prod(tuple(x.shape[d] for d in dims)) - correction
        scale = 2 / free if free else inf
        distance = x - ops.mean(x, dims, True)
        return respread(scale * g, x.shape, dims, keepdim) * distance

    def variance(self, x: Any, dims: Shape, correction: Correction, keepdim: bool) -> Any:
        """The variance in NumPy."""
        count = shapes.prod(tuple(x.shape[d] for d in dims))
        distance = x - np.mean(x, axis=dims, keepdims=True)
        squares = distance.real**2 + distance.imag**2 if np.iscomplexobj(x) else distance**2
        total = np.sum(squares, axis=dims, keepdims=keepdim)
        return total / np.asarray(max(0, count - correction), total.dtype)

    def expanded(self, x: Node, dims: Shape, correction: Correction, keepdim: bool) -> Node:
        """The variance in simpler operations."""
        count = shapes.prod(tuple(x.shape[d] for d in dims))
        distance = x - ops.mean.record((x,), dims, True)
        total = ops.sum.record((distance * distance,), dims, keepdim)
        return total / max(0, count - correction)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(3, 4), False
        yield make(2, 3, 4), 1
        yield make(2, 3, 4), (0, 2), False, True
        yield make(4, 3).T, {"dim": 0, "correction": 2}
        yield make(3, 0), 0
        yield make.complex(3, 4), 1

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make.int(3)), RuntimeError, "only support floating point"


class Var(Spread):
    """The variance.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1.0, 2.0, 3.0]).var()
        tensor(1.)
        >>> rl.tensor([1.0, 2.0, 3.0]).var(correction=0)
        tensor(0.6667)
    """

    name = "var"
    torch = (
        "var(Tensor self, Any dim=None, Any unbiased=None, bool keepdim=False, *,"
        " Any correction=None) -> Tensor"
    )

    def vjp(
        self, g: Node, y: Node, x: Node, *, dims: Shape, correction: Correction, keepdim: bool
    ) -> tuple[Node | None, ...]:
        return (self.gradient(g, x, dims, correction, keepdim),)

    def ref(self, x: Any, *, dims: Shape, correction: Correction, keepdim: bool) -> Any:
        return self.variance(x, dims, correction, keepdim)

    def expand(self, x: Node, *, dims: Shape, correction: Correction, keepdim: bool) -> Node:
        return self.expanded(x, dims, correction, keepdim)


class Std(Spread):
    """The standard deviation; its gradient is 0 where it is 0.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1.0, 2.0, 3.0]).std()
        tensor(1.)
    """

    name = "std"
    torch = (
        "std(Tensor self, Any dim=None, Any unbiased=None, bool keepdim=False, *,"
        " Any correction=None) -> Tensor"
    )

    def vjp(
        self, g: Node, y: Node, x: Node, *, dims: Shape, correction: Correction, keepdim: bool
    ) -> tuple[Node | None, ...]:
        flat = ops.eq(y, 0)
        g = ops.where(flat, 0.0, g / (2 * ops.where(flat, 1.0, y)))
        return (self.gradient(g, x, dims, correction, keepdim),)

    def ref(self, x: Any, *, dims: Shape, correction: Correction, keepdim: bool) -> Any:
        return np.sqrt(self.variance(x, dims, correction, keepdim))

    def expand(self, x: Node, *, dims: Shape, correction: Correction, keepdim: bool) -> Node:
        root: Node = ops.sqrt(self.expanded(x, dims, correction, keepdim))
        return root


class WithMean(Composite):
    """A spread and the mean together. Abstract."""

    def both(
        self, spread: Spread, x: Node, dim: Any, unbiased: Any, keepdim: bool, correction: Any
    ) -> tuple[Node, Node]:
        """The spread and the mean."""
        dim, correction = correction_of(dim, unbiased, correction)
        return (
            spread(x, dim, keepdim=keepdim, correction=correction),
            ops.mean(x, dim, keepdim),
        )

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(2, 3, 4), 1, False
        yield make(2, 3, 4), (0, 2), {"correction": 2, "keepdim": True}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 2), IndexError, "Dimension out of range"
        yield lambda: make.call(make.int(3)), RuntimeError, "only support floating point"


class VarMean(WithMean):
    """The variance and the mean.

    Example:
        >>> import rushlight as rl
        >>> rl.var_mean(rl.tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))
    """

    name = "var_mean"
    torch = (
        "var_mean(Tensor input, Any dim=None, Any unbiased=None, bool keepdim=False, *,"
        " Any correction=None) -> Tensor"
    )
    ulp = 16

    def __call__(
        self, x: Node, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *,
        correction: Any = None,
    ) -> tuple[Node, Node]:  # fmt: skip
        return self.both(ops.var, x, dim, unbiased, keepdim, correction)


class StdMean(WithMean):
    """The standard deviation and the mean.

    Example:
        >>> import rushlight as rl
        >>> rl.std_mean(rl.tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))
    """

    name = "std_mean"
    torch = (
        "std_mean(Tensor input, Any dim=None, Any unbiased=None, bool keepdim=False, *,"
        " Any correction=None) -> Tensor"
    )
    ulp = 16

    def __call__(
        self, x: Node, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *,
        correction: Any = None,
    ) -> tuple[Node, Node]:  # fmt: skip
        return self.both(ops.std, x, dim, unbiased, keepdim, correction)


var = Var()
std = Std()
var_mean = VarMean()
std_mean = StdMean()
