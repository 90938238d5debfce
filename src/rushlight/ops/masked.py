"""Writing where a mask is true."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import bool_, int64
from rushlight.base.errors import DTypeError, OperationError
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .scalar import filling


def _bool_only(operation: str, mask: Node) -> None:
    if mask.dtype is not bool_:
        raise DTypeError(
            operation,
            f"{operation}_ only supports boolean masks, but got mask with dtype"
            f" {ops.TORCH_NAMES[mask.dtype.name][1:-1]}",
            hint="Compare, as in mask != 0.",
        )


class MaskedFill(Op):
    """``input`` with one number where the mask is true; the two broadcast.

    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([1.0, -2.0, 3.0])
        >>> x.masked_fill(x < 0, 0.0)
        tensor([1., 0., 3.])
    """

    name = "masked_fill"
    batched = "align"
    torch = "masked_fill(Tensor self, Tensor mask, Any value) -> Tensor"
    inplace = True

    def __call__(self, x: Node, mask: Node, value: Any) -> Node:
        _bool_only("masked_fill", mask)
        return self.record((x, mask, filling("masked_fill", value, x.dtype)))

    def infer(self, x: Spec, mask: Spec, value: Spec) -> Spec:
        return x.with_shape(shapes.broadcast("masked_fill", x.shape, mask.shape))

    def vjp(self, g: Node, y: Node, x: Node, mask: Node, value: Node) -> tuple[Node | None, ...]:
        return (
            self.record((g, mask, number(0, g.dtype))) if x.requires_grad else None,
            None,
            ops.where(mask, g, 0.0) if value.requires_grad else None,
        )

    def ref(self, x: Any, mask: Any, value: Any) -> Any:
        return np.where(mask, value, x)

    def element(self, b: Any, index: Any, x: Any, mask: Any, value: Any) -> Any:
        return b.select(mask.spread(index), value.at(), x.spread(index))

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make.bool(3, 4), -1.5
        yield make(3, 4), make.bool(4), make()
        yield make(4), make.bool(3, 1), -99
        yield make.int(3, 4), make.bool(3, 4), 1.5
        yield make(0, 3), make.bool(3), 0
        yield make(), make.bool(), 2

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(3), 0.0), RuntimeError, "only supports boolean masks"
        yield lambda: make.call(make(3), make.bool(3), make(1)), RuntimeError, "0-dimensional"
        yield lambda: make.call(make(3, 4), make.bool(3), 0), RuntimeError, "must match the size"
        yield lambda: make.call(make.int(3), make.bool(3), 1e30), RuntimeError, "without overflow"
        yield lambda: make.call(make(3), make.bool(3), 1j), RuntimeError, "without overflow"


class MaskedScatter(Composite):
    """``input`` with the elements of ``source``, in order, where the mask is true.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(3).masked_scatter(rl.tensor([True, False, True]), rl.tensor([1.0, 2.0]))
        tensor([1., 0., 2.])
    """

    name = "masked_scatter"
    torch = "masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor"
    inplace = True

    def __call__(self, x: Node, mask: Node, source: Node) -> Node:
        _bool_only("masked_scatter", mask)
        if source.dtype is not x.dtype:
            raise DTypeError(
                "masked_scatter",
                "masked_scatter: expected self and source to have same dtypes but got"
                f" {ops.TORCH_NAMES[x.dtype.name][1:-1]} and"
                f" {ops.TORCH_NAMES[source.dtype.name][1:-1]}",
            )
        size = shapes.broadcast("masked_scatter", x.shape, mask.shape)
        x, mask = ops.expand(x, size), ops.expand(mask, size)
        rank = ops.cumsum(ops.reshape(ops.cast(mask, int64), (-1,)), 0)
        places = unmasked_places.record((ops.reshape(rank, size), mask, number(source.spec.numel)))
        elements = ops.index(ops.reshape(_padded(source), (-1,)), (places,))
        result: Node = ops.where(mask, elements, x)
        return result

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make.bool(3, 4), make(12)
        yield make(3, 4), make.bool(4), make(4, 5)
        yield make(4), make.bool(3, 1), make(12)
        yield make(0), make.bool(0), make(0)

    def errors(self, make: Any) -> Any:
        yield (
            lambda: make.call(make(3), make(3) < 9, make(2)),
            RuntimeError,
            "Number of elements of source < number of ones in mask",
        )
        yield lambda: make.call(make(3), make(3), make(3)), RuntimeError, "boolean masks"
        yield lambda: make.call(make(3), make.bool(3), make.int(3)), RuntimeError, "same dtypes"


def _padded(source: Node) -> Node:
    """A source of at least one element, so that a place that nobody reads exists."""
    return source if source.spec.numel else ops.zeros(source.spec.with_shape((1,)))


class UnmaskedPlaces(Op):
    """Which element of a source goes where: one less than how many are true so far, at least 0."""

    name = "unmasked_places"
    differentiable = False

    def infer(self, rank: Spec, mask: Spec, count: Spec) -> Spec:
        return rank

    def ref(self, rank: Any, mask: Any, count: Any) -> Any:
        if mask.sum() > count:
            raise OperationError(
                "masked_scatter", "Number of elements of source < number of ones in mask"
            )
        return np.maximum(rank - 1, 0)

    def element(self, b: Any, index: Any, rank: Any, mask: Any, count: Any) -> Any:
        needed = rank.at(*(n - 1 for n in rank.shape))
        enough = b.value(b.index(b.cast(b.gt(needed, count.at()), int64), 1))
        return b.maximum(b.sub(rank.at(*index), 1), enough)


masked_fill = MaskedFill()
masked_scatter = MaskedScatter()
unmasked_places = UnmaskedPlaces()
