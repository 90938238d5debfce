"""Elements in order."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import COMPLEX, bool_, int64
from rushlight.base.errors import DTypeError, OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec


def order(x: Any, dim: int, descending: bool) -> Any:
    """Places of the elements in order along a dimension; equal ones as they stand, NaN largest."""
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    # Turned around twice, so that equal elements are not.
    turned = np.argsort(np.flip(x, dim), axis=dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(turned, dim)


class Ordering(Op):
    """Elements taken along a dimension in an order that depends on their values. Abstract.

    The results are the elements and their places.
    """

    def infer(self, x: Spec, *, dim: int, **attrs: Any) -> tuple[Spec, Spec]:
        return x, x.with_dtype(int64)

    def vjp(self, g: Any, y: Node, x: Node, *, dim: int, **attrs: Any) -> tuple[Node | None, ...]:
        return (ops.scatter_from.record((ops.zeros(x.spec), ops.part(y, 1), g[0]), dim),)

    def sortable(self, x: Node) -> None:
        """Refuses complex numbers, which have no order."""
        if x.dtype in COMPLEX:
            raise DTypeError(
                self.name, f" {self.name.title()} does not support complex dtypes on CPU"
            )


class Sort(Ordering):
    """The elements along a dimension in order, and their places before; NaN is the largest.

    Equal elements stay in the order in which they stood, with ``stable`` or without.

    Example:
        >>> import rushlight as rl
        >>> values, places = rl.tensor([3, 1, 2]).sort()
        >>> places
        tensor([1, 2, 0])
    """

    name, attrs = "sort", ("dim", "descending")
    batched = "dims"
    torch = (
        "sort(Tensor self, int dim=-1, bool descending=False, *, bool? stable=None)"
        " -> (Tensor values, Tensor indices)"
    )

    def __call__(
        self, x: Node, dim: int = -1, descending: bool = False, *, stable: bool | None = None
    ) -> tuple[Node, ...]:
        self.sortable(x)
        return ops.parts(self.record((x,), shapes.axis("sort", dim, x.ndim), bool(descending)))

    def ref(self, x: Any, *, dim: int, descending: bool) -> Any:
        if not x.ndim:
            return x, np.zeros((), np.int64)
        places = order(x, dim, descending)
        return np.take_along_axis(x, places, dim), places

    def onnx(self, to: Any, x: Any, *, dim: int, descending: bool) -> Any:
        if not x.ndim or x.dtype is bool_:
            return None
        count = to.sizes([x.shape[dim]])
        return to("TopK", x, count, results=2, axis=dim, largest=descending, sorted=1)

    def samples(self, make: Any) -> Any:
        yield make(3, 5)
        yield make(3, 5), 0, True
        yield make(5, 3).T, {"dim": -1, "stable": True}
        yield make.int(20, low=-3, high=3), {"stable": True, "descending": True}
        yield make.bool(9), {"stable": True}
        yield make(0, 3)
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make.complex(3)), RuntimeError, "does not support complex"


class Argsort(Composite):
    """The places of the elements along a dimension in order.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([3, 1, 2]).argsort(descending=True)
        tensor([0, 2, 1])
    """

    name, differentiable = "argsort", False
    torch = "argsort(Tensor self, int dim=-1, bool descending=False, bool stable=False) -> Tensor"

    def __call__(
        self, x: Node, dim: int = -1, descending: bool = False, stable: bool = False
    ) -> Node:
        return ops.sort(x, dim, descending)[1]

    def samples(self, make: Any) -> Any:
        yield make(3, 5)
        yield make(3, 5), 0, True
        yield make.int(20, low=-3, high=3), {"stable": True}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 1), IndexError, "Dimension out of range"


class Msort(Composite):
    """The elements along the first dimension in order."""

    name, torch = "msort", "msort(Tensor self) -> Tensor"

    def __call__(self, x: Node) -> Node:
        return ops.sort(x, 0)[0]

    def samples(self, make: Any) -> Any:
        yield make(5, 3)
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make.complex(3)), RuntimeError, "does not support complex"


class Topk(Ordering):
    """The ``k`` largest (or smallest) elements along a dimension, in order, and their places.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([3, 1, 2]).topk(2).values
        tensor([3, 2])
    """

    name, attrs = "topk", ("k", "dim", "largest")
    batched = "dims"
    torch = (
        "topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True)"
        " -> (Tensor values, Tensor indices)"
    )

    def __call__(
        self, x: Node, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
    ) -> tuple[Node, ...]:
        self.sortable(x)
        dim = shapes.axis("topk", dim, x.ndim)
        size = x.shape[dim] if x.ndim else 1
        if not 0 <= k <= size:
            raise OperationError(
                "topk",
                "selected index k out of range",
                rule=f"k is {k}, dimension {dim} has {size} elements.",
            )
        return ops.parts(self.record((x,), int(k), dim, bool(largest)))

    def infer(self, x: Spec, *, dim: int, k: int, largest: bool) -> tuple[Spec, Spec]:
        if not x.ndim:
            return x, x.with_dtype(int64)
        values = x.with_shape((*x.shape[:dim], k, *x.shape[dim + 1 :]))
        return values, values.with_dtype(int64)

    def ref(self, x: Any, *, k: int, dim: int, largest: bool) -> Any:
        if not x.ndim:
            return x, np.zeros((), np.int64)
        places = np.take(order(x, dim, largest), np.arange(k), axis=dim)
        return np.take_along_axis(x, places, dim), places

    def onnx(self, to: Any, x: Any, *, k: int, dim: int, largest: bool) -> Any:
        if not x.ndim or x.dtype is bool_:
            return None
        return to("TopK", x, [k], results=2, axis=dim, largest=largest, sorted=1)

    def samples(self, make: Any) -> Any:
        yield make(3, 5), 2
        yield make(3, 5), 3, 0, False
        yield make(5, 3).T, 5, {"dim": 1}
        yield make(3, 5), 0
        yield make(), 1

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 4), RuntimeError, "selected index k out of range"
        yield lambda: make.call(make(3), -1), RuntimeError, "selected index k out of range"
        yield lambda: make.call(make(3), 1, 1), IndexError, "Dimension out of range"


sort = Sort()
argsort = Argsort()
msort = Msort()
topk = Topk()
