"""Where the largest and the smallest of elements stand."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base import shapes
from rushlight.base.dtypes import COMPLEX, bool_, int32, int64
from rushlight.base.errors import DTypeError, RangeError
from rushlight.base.shapes import prod
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .extremum import not_empty
from .row_major import unflattened


class Place(Op):
    """Where the extreme stands, along a dimension or among all. Abstract."""

    attrs = ("dim", "keepdim")
    batched = "dims"
    differentiable = False

    def __call__(self, x: Node, dim: int | None = None, keepdim: bool = False) -> Node:
        if x.dtype is bool_ or x.dtype in COMPLEX:
            kind = "bool" if x.dtype is bool_ else "complex"
            raise DTypeError(self.name, f"{self.name}(): does not support {kind} input")
        if dim is not None:
            dim = shapes.axis(self.name, dim, x.ndim)
            not_empty(self.name, x, dim)
        elif not x.spec.numel:
            raise RangeError(
                self.name,
                f"{self.name}(): Expected reduction dim to be specified for input.numel() == 0.",
            )
        return self.record((x,), dim, bool(keepdim))

    def infer(self, x: Spec, *, dim: int | None, keepdim: bool) -> Spec:
        dims = tuple(range(x.ndim)) if dim is None else (dim,)
        return x.with_shape(shapes.reduced(x.shape, dims, keepdim)).with_dtype(int64)

    def element(self, b: Any, index: Any, x: Any, *, dim: int | None, keepdim: bool) -> Any:
        if not x.ndim:
            return b.const(0, int64)

        def along(place: Any) -> Any:
            if dim is None:
                here = unflattened(place, x.shape)
            else:
                here = (*index[:dim], place, *index[dim + keepdim :])
            return b.cast(x.at(*here), int32) if x.dtype is bool_ else x.at(*here)

        return b.reduce(self.name, [prod(x.shape) if dim is None else x.shape[dim]], along)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(2, 3, 4), 1
        yield make(4, 3).T, {"dim": -1, "keepdim": True}
        yield make(3, 4), {"keepdim": True}
        yield make.int(20, low=-2, high=2)
        yield make(3, 0), 0
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(0)), IndexError, "Expected reduction dim to be specified"
        yield lambda: make.call(make(0, 3), 0), IndexError, "dim 0 to have non-zero size"
        yield lambda: make.call(make(3), 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make.bool(3)), RuntimeError, "does not support bool"


def placed(to: Any, kind: str, x: Any, dim: int | None, keepdim: bool) -> Any:
    """ONNX's place of the largest or the smallest."""
    if not x.ndim:
        return None
    if dim is not None:
        return to(kind, x, axis=dim, keepdims=keepdim)
    place = to(kind, to("Reshape", x, [-1]), axis=0, keepdims=0)
    return to("Reshape", place, [1] * x.ndim) if keepdim else place


class Argmax(Place):
    """Where the first of the largest elements stands.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 5], [3, 2]]).argmax(1)
        tensor([1, 0])
    """

    name = "argmax"
    torch = "argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor"

    def ref(self, x: Any, *, dim: int | None, keepdim: bool) -> Any:
        return np.argmax(x, axis=dim if x.ndim else None, keepdims=keepdim)

    def onnx(self, to: Any, x: Any, *, dim: int | None, keepdim: bool) -> Any:
        return placed(to, "ArgMax", x, dim, keepdim)


class Argmin(Place):
    """Where the first of the smallest elements stands."""

    name = "argmin"
    torch = "argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor"

    def ref(self, x: Any, *, dim: int | None, keepdim: bool) -> Any:
        return np.argmin(x, axis=dim if x.ndim else None, keepdims=keepdim)

    def onnx(self, to: Any, x: Any, *, dim: int | None, keepdim: bool) -> Any:
        return placed(to, "ArgMin", x, dim, keepdim)


argmax = Argmax()
argmin = Argmin()
