"""The largest, the smallest and the middle of elements."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import COMPLEX, bool_, int32, int64
from rushlight.base.errors import Fault, NoKernelError, OperationError, RangeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .laid import lay_one
from .reduce import Dims, Reduction, respread

MaxResult = namedtuple("max", ("values", "indices"))  # type: ignore[name-match]
MinResult = namedtuple("min", ("values", "indices"))  # type: ignore[name-match]


def ordered(operation: str, x: Node) -> None:
    """Refuses complex numbers, which have no order."""
    if x.dtype in COMPLEX:
        raise NoKernelError(
            operation,
            f'"{operation}" not implemented for {ops.TORCH_NAMES[x.dtype.name]}',
            rule="Complex numbers have no order.",
        )


def not_empty(operation: str, x: Node, dim: int) -> None:
    """Refuses a dimension of size 0, which has no extreme."""
    if x.ndim and x.shape[dim] == 0:
        raise _empty(operation, dim)


def _empty(operation: str, dim: int) -> Fault:
    return RangeError(
        operation, f"{operation}(): Expected reduction dim {dim} to have non-zero size."
    )


class Shared(Reduction):
    """One of the elements; equal ones share the gradient. Abstract."""

    def checked(self, x: Node, dim: Dims, keepdim: bool, said: str = "") -> Node:
        """Records the reduction unless there is nothing to choose from."""
        said = said or self.name
        ordered(said, x)
        dims = shapes.axes(said, dim, x.ndim)
        if not x.spec.numel:
            if len(dims) == x.ndim and (dim is None or dim == ()):
                raise OperationError(
                    said,
                    f"{said}(): Expected reduction dim to be specified for input.numel() == 0."
                    " Specify the reduction dim with the 'dim' argument.",
                )
            for each in dims:
                not_empty(said, x, each)
        return self.record((x,), dims, bool(keepdim))

    def vjp(
        self, g: Node, y: Node, x: Node, *, dims: Shape, keepdim: bool
    ) -> tuple[Node | None, ...]:
        chosen = ops.eq(x, respread(y, x.shape, dims, keepdim))
        count = ops.sum(ops.cast(chosen, g.dtype), dims, keepdim)
        return (ops.where(chosen, respread(g / count, x.shape, dims, keepdim), 0.0),)

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(0, 3)), RuntimeError, "Expected reduction dim to be specified"
        yield lambda: make.call(make(0, 3), 0), IndexError, "dim 0 to have non-zero size"
        yield lambda: make.call(make.complex(3)), RuntimeError, "not implemented for 'Complex"

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(2, 3, 4), 1
        yield make(2, 3, 4), (0, -1), True
        yield make(4, 3).T, {"dim": 0}
        yield make(3, 1).expand(3, 4), 1
        yield make.int(3, 4), 1
        yield make(0, 3), 1
        yield make()


def extreme(to: Any, kind: str, x: Any, dims: Shape, keepdim: bool) -> Any:
    """A reduction of ONNX's to the largest or the smallest; truth values are 0 and 1."""
    if not dims:
        return x
    if x.dtype is not bool_:
        return to.axes(kind, x, dims, keepdims=keepdim)
    return to.cast(to.axes(kind, to.cast(x, int32), dims, keepdims=keepdim), bool_)


class Amax(Shared):
    """The largest element.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 5], [3, 2]]).amax(1)
        tensor([5, 3])
    """

    name = "amax"
    torch: ClassVar[str | tuple[str, ...]] = (
        "amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor"
    )

    def __call__(self, x: Node, dim: Dims = (), keepdim: bool = False) -> Node:
        return self.checked(x, dim, keepdim)

    def ref(self, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return np.max(x, axis=dims, keepdims=keepdim)

    def element(self, b: Any, index: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        how = "any" if x.dtype is bool_ else "max"
        return self.folded(b, how, index, x, dims, keepdim)

    def onnx(self, to: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return extreme(to, "ReduceMax", x, dims, keepdim)


class Amin(Shared):
    """The smallest element."""

    name = "amin"
    torch: ClassVar[str | tuple[str, ...]] = (
        "amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor"
    )

    def __call__(self, x: Node, dim: Dims = (), keepdim: bool = False) -> Node:
        return self.checked(x, dim, keepdim)

    def ref(self, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return np.min(x, axis=dims, keepdims=keepdim)

    def element(self, b: Any, index: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        how = "all" if x.dtype is bool_ else "min"
        return self.folded(b, how, index, x, dims, keepdim)

    def onnx(self, to: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return extreme(to, "ReduceMin", x, dims, keepdim)


class LargestOfAll(Amax):
    """``max()`` of all elements; it has a name of its own for ``grad_fn``."""

    name = "max_all"
    torch: ClassVar[tuple[str, ...]] = ()

    def grad_name(self, node: Node) -> str:
        return "MaxBackward1"


class SmallestOfAll(Amin):
    """``min()`` of all elements; it has a name of its own for ``grad_fn``."""

    name = "min_all"
    torch: ClassVar[tuple[str, ...]] = ()

    def grad_name(self, node: Node) -> str:
        return "MinBackward1"


class Choice(Op):
    """One element along a dimension, and its place; the gradient goes to it alone. Abstract."""

    attrs: ClassVar[tuple[str, ...]] = ("dim", "keepdim")
    batched = "dims"

    def chosen(self, x: Node, dim: int, keepdim: bool, *attrs: Any) -> tuple[Node, Node]:
        """Records the choice with PyTorch's arguments."""
        said = self.name.removesuffix("_along")
        ordered(said, x)
        dim = shapes.axis(said, dim, x.ndim)
        not_empty(said, x, dim)
        values, indices = ops.parts(self.record((x,), dim, bool(keepdim), *attrs))
        return values, indices

    def infer(self, x: Spec, *, dim: int, keepdim: bool, **attrs: Any) -> tuple[Spec, Spec]:
        values = x.with_shape(shapes.reduced(x.shape, (dim,), keepdim))
        return values, values.with_dtype(int64)

    def vjp(
        self, g: Any, y: Node, x: Node, *, dim: int, keepdim: bool, **attrs: Any
    ) -> tuple[Node | None, ...]:
        values, places = g[0], ops.part(y, 1)
        if not x.ndim:
            return (values,)
        if not keepdim:
            values, places = ops.unsqueeze(values, dim), ops.unsqueeze(places, dim)
        return (lay_one.record((places, values), dim, x.shape[dim]),)

    def ref(self, x: Any, *, dim: int, keepdim: bool, **attrs: Any) -> Any:
        if not x.ndim:
            return x, np.zeros((), np.int64)
        places = np.expand_dims(self.places(x, dim, **attrs), dim)
        values = np.take_along_axis(x, places, dim)
        if keepdim:
            return values, places
        return np.squeeze(values, dim), np.squeeze(places, dim)

    def places(self, x: Any, dim: int, **attrs: Any) -> Any:
        """Which element along ``dim`` is chosen."""
        raise NotImplementedError

    def grad_name(self, node: Node) -> str:
        return f"{self.name.removesuffix('_along').title()}Backward0"


class MaxAlong(Choice):
    """The first of the largest elements along a dimension."""

    name = "max_along"

    def places(self, x: Any, dim: int, **attrs: Any) -> Any:
        return np.argmax(x, axis=dim)

    def expand(self, x: Node, *, dim: int, keepdim: bool) -> tuple[Node, Node]:
        dims = (dim,) if x.ndim else ()
        return ops.amax.record((x,), dims, keepdim), ops.argmax.record((x,), dim, keepdim)


class MinAlong(Choice):
    """The first of the smallest elements along a dimension."""

    name = "min_along"

    def places(self, x: Any, dim: int, **attrs: Any) -> Any:
        return np.argmin(x, axis=dim)

    def expand(self, x: Node, *, dim: int, keepdim: bool) -> tuple[Node, Node]:
        dims = (dim,) if x.ndim else ()
        return ops.amin.record((x,), dims, keepdim), ops.argmin.record((x,), dim, keepdim)


class Overloaded(Composite):
    """PyTorch's three functions in one: of all, along a dimension, or of two tensors. Abstract."""

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(2, 3, 4), 1
        yield make(2, 3, 4), {"dim": -1, "keepdim": True}
        yield make(4, 3).T, 0
        yield make.int(3, 4)
        yield make.int(3, 4), 1
        yield make(), 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(0, 3), 0), IndexError, "dim 0 to have non-zero size"
        yield lambda: make.call(make(3), 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make(3), "0"), TypeError, "must be int, not str"


class Max(Overloaded):
    """The largest element; with ``dim`` also its place; of two tensors the larger elements.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1.0, 5.0, 3.0]).max(0).indices
        tensor(1)
        >>> rl.tensor([1.0, 5.0, 3.0]).max()
        tensor(5.)
    """

    name = "max"
    torch = "max(Tensor self, Any dim=None, bool keepdim=False, *, Any other=None) -> Tensor"

    def __call__(
        self, x: Node, dim: Any = None, keepdim: bool = False, *, other: Node | None = None
    ) -> Any:
        if isinstance(dim, Node) or other is not None:
            return ops.maximum(x, dim if other is None else other)
        if dim is None:
            return max_all.checked(x, None, False, "max")
        return MaxResult(*max_along.chosen(x, dim, keepdim))

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make(3, 4), make(4)

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(0)), RuntimeError, "Specify the reduction dim"


class Min(Overloaded):
    """The smallest element; with ``dim`` also its place; of two tensors the smaller elements."""

    name = "min"
    torch = "min(Tensor self, Any dim=None, bool keepdim=False, *, Any other=None) -> Tensor"

    def __call__(
        self, x: Node, dim: Any = None, keepdim: bool = False, *, other: Node | None = None
    ) -> Any:
        if isinstance(dim, Node) or other is not None:
            return ops.minimum(x, dim if other is None else other)
        if dim is None:
            return min_all.checked(x, None, False, "min")
        return MinResult(*min_along.chosen(x, dim, keepdim))

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make(3, 4), make(4)

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(0)), RuntimeError, "Specify the reduction dim"


class Aminmax(Composite):
    """The smallest and the largest element."""

    name = "aminmax"
    apart: ClassVar[bool] = True
    torch = "aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)"

    def __call__(
        self, x: Node, *, dim: int | None = None, keepdim: bool = False
    ) -> tuple[Node, Node]:
        if dim is None and not x.spec.numel:
            raise OperationError(
                "aminmax",
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no"
                " identity.",
            )
        return (
            ops.amin.checked(x, dim, keepdim, "aminmax"),
            ops.amax.checked(x, dim, keepdim, "aminmax"),
        )

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(3, 4), {"dim": 1, "keepdim": True}
        yield make.int(3, 4), {"dim": 0}
        yield make(), {"dim": 0}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(0)), RuntimeError, "no identity"
        yield lambda: make.call(make(0), dim=0), IndexError, "to have non-zero size"


amax = Amax()
amin = Amin()
max_all = LargestOfAll()
min_all = SmallestOfAll()
max_along = MaxAlong()
min_along = MinAlong()
max = Max()
min = Min()
aminmax = Aminmax()
