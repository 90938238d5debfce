"""Places along a dimension: what operations that take indices share."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import DType, int32, int64
from rushlight.base.errors import DTypeError, Fault, OperationError, RangeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Op

from .elementwise import TORCH_NAMES

Bounds = tuple[int, int]


class Indexing(Op):
    """An operation that takes places along dimensions. Abstract.

    A place that does not exist is refused while recording when the index is known by then, and
    otherwise when the values are computed.

    Attributes:
        wraps: whether -1 is the last place.
        fault: the type of the refusal: PyTorch has both.
    """

    wraps: ClassVar[bool] = False
    fault: ClassVar[type[Fault]] = RangeError

    def outside(self, place: int, dim: int, size: int) -> Fault:
        """What to say of a place that does not exist."""
        return self.fault(
            self.name,
            f"index {place} is out of bounds for dimension {dim} with size {size}",
            rule=f"Places go from {-size if self.wraps else 0} to {size - 1}." if size else "",
        )

    def foresee(self, index: Node, dim: int, size: int) -> None:
        """Refuses places that are known to be outside already."""
        bounds = known_bounds(index)
        if bounds is not None:
            self._check(bounds, dim, size)

    def places(self, index: Any, dim: int, size: int) -> Any:
        """The places in an array, counted from the front."""
        low, high = bounds_of(index)
        self._check((low, high), dim, size)
        return np.where(index < 0, index + size, index) if low < 0 else index

    def place(self, b: Any, number: Any, size: int) -> Any:
        """A place for a kernel, counted from the front."""
        if self.wraps:
            number = b.select(b.lt(number, 0), b.add(number, size), number)
        return b.index(number, size)

    def only(self, b: Any, x: Any, number: Any) -> Any:
        """The one element of a 0-d tensor, once its place is seen to be 0."""
        return x.at(when=b.eq(b.value(self.place(b, number, 1)), 0))

    def _check(self, bounds: Bounds, dim: int, size: int) -> None:
        low, high = bounds
        if low < (-size if self.wraps else 0):
            raise self.outside(low, dim, size)
        if high >= size:
            raise self.outside(high, dim, size)


class Picking(Indexing):
    """An operation on elements that an index names along one dimension. Abstract."""

    fault: ClassVar[type[Fault]] = OperationError
    attrs = ("dim",)
    batched = "dims"

    def taken(self, index: Node) -> Node:
        """An index as int64.

        Raises:
            DTypeError: it is neither int32 nor int64.
        """
        if index.dtype not in (int32, int64) and index.spec.numel:
            raise DTypeError(
                self.name,
                f"{self.name}(): Expected dtype int32/int64 for index",
                rule=f"This index is {index.dtype}.",
                hint="Convert it, as in index.long().",
            )
        return ops.cast(index, int64)

    def reached(
        self, b: Any, place: Any, x: Any, number: Any, value: Any, dim: int
    ) -> tuple[Any, Any]:  # fmt: skip
        """The element of ``x`` that a place of a source goes to, and the value that goes there.

        A 0-d tensor counts as one of a single element.
        """
        here = self.place(b, number, x.shape[dim] if x.ndim else 1)
        return (*place[:dim], here, *place[dim + 1 :]) if x.ndim else (), value


def long_name(dtype: DType) -> str:
    """PyTorch's old name of a dtype, as its messages use it."""
    return TORCH_NAMES[dtype.name][1:-1]


def bounds_of(index: Any) -> Bounds:
    """The smallest and the largest element of an array; (0, -1) when it is empty."""
    return (int(index.min()), int(index.max())) if index.size else (0, -1)


def known_bounds(index: Node) -> Bounds | None:
    """The bounds of an index whose elements are in memory already, perhaps in another layout."""
    while index.buffer is None and index.op in (ops.cast, ops.reshape, ops.permute, ops.expand):
        index = index.inputs[0]
    buffer = index.buffer
    if isinstance(buffer, Buffer) and index.dtype.kind == "int":
        return buffer.bounds()
    return None


def flat_places(index: Any, dim: int, shape: Shape) -> Any:
    """Where in row-major memory of ``shape`` each element of an index along ``dim`` points."""
    place: Any = 0
    step = 1
    for d in reversed(range(len(shape))):
        along = (-1,) + (1,) * (len(shape) - d - 1)
        here = index if d == dim else np.arange(index.shape[d]).reshape(along)
        place = place + here * step
        step *= shape[d]
    return np.broadcast_to(place, index.shape).reshape(-1)


def add_rows(target: Any, places: Any, rows: Any) -> None:
    """Adds each row to the target's row at its place, always in the same order."""
    if not rows.size:
        return
    if rows.shape[1] == 1:
        np.add.at(target[:, 0], places, rows[:, 0])
        return
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    target[ordered[starts]] += np.add.reduceat(rows[order], starts, axis=0, dtype=rows.dtype)
