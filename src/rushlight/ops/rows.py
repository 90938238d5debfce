"""Whole slices along one dimension, named by a list of places."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import int32, int64
from rushlight.base.errors import DTypeError, Fault, OperationError, RangeError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, number
from rushlight.graph.spec import Spec

from .index_onnx import put_along
from .places import Picking, add_rows, long_name
from .scalar import filling


def along(dim: int, places: Any) -> tuple[Any, ...]:
    """NumPy's key for the slices at ``places``."""
    return (slice(None),) * dim + (places,)


class Rows(Picking):
    """An operation on the slices that a vector of places names. Abstract."""

    batched = "rows"

    def vector(self, x: Node, dim: int, index: Node) -> tuple[int, Node]:
        """The dimension and the places, as a vector of int64."""
        dim = shapes.axis(self.name, dim, x.ndim)
        if index.ndim > 1:
            raise RangeError(self.name, f"{self.name}(): Index is supposed to be a vector")
        places = self.taken(index)
        return dim, ops.reshape(places, (-1,)) if index.ndim != 1 else places

    def checked(self, result: Node, index: Node) -> Node:
        """The recorded result, unless a place is known to be outside."""
        dim: Any = result.attrs[0]
        x = result.inputs[0]
        self.foresee(index, dim, x.shape[dim] if x.ndim else 1)
        return result

    def fits(self, x: Spec, index: Spec, source: Spec, dim: int) -> None:
        """Refuses a source that does not hold one slice for each place."""
        if 0 < source.ndim <= dim:
            raise OperationError(
                self.name,
                f"{self.name}_(): Indexing dim {dim} is out of bounds of the source tensor with dim"
                f" {source.ndim}",
            )
        count = source.shape[dim] if source.ndim else 1
        if index.shape[0] != count:
            raise ShapeError(
                self.name,
                f"{self.name}_(): Number of indices ({index.shape[0]}) should be equal to"
                f" source.size(dim): ({count}), for dim: {dim}",
            )
        if _other(x.shape, dim) != _other(source.shape, dim):
            raise ShapeError(
                self.name,
                "source tensor shape must match self tensor shape, excluding the specified"
                f" dimension. Got self.shape = {list(x.shape)} source.shape = {list(source.shape)}",
            )

    def scattered(self, x: Any, index: Any, *rest: Any, dim: int) -> Shape:
        return (*x.shape[:dim], *index.shape, *x.shape[dim + 1 :])

    def same_dtype(self, x: Node, source: Node) -> None:
        """Refuses a source of another dtype."""
        if source.dtype is not x.dtype:
            raise DTypeError(
                self.name,
                f"{self.name}_(): self ({long_name(x.dtype)}) and source"
                f" ({long_name(source.dtype)}) must have the same scalar type",
            )


def _other(shape: Shape, dim: int) -> Shape:
    return (*shape[:dim], *shape[dim + 1 :])


class IndexSelect(Rows):
    """The slices of ``input`` along ``dim`` at the places that a vector names.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 2], [3, 4], [5, 6]]).index_select(0, rl.tensor([2, 0]))
        tensor([[5, 6],
                [1, 2]])
    """

    name = "index_select"
    torch = "index_select(Tensor self, int dim, Tensor index) -> Tensor"
    fault = RangeError

    def __call__(self, x: Node, dim: int, index: Node) -> Node:
        dim, places = self.vector(x, dim, index)
        if not x.ndim and places.shape[0] != 1:
            raise OperationError(
                self.name,
                f"index_select(): Index to scalar can have only 1 value, got {places.shape[0]}"
                " value(s)",
            )
        return self.checked(self.record((x, places), dim), index)

    def infer(self, x: Spec, index: Spec, *, dim: int) -> Spec:
        if not x.ndim:
            return x
        return x.with_shape((*x.shape[:dim], index.shape[0], *x.shape[dim + 1 :]))

    def vjp(self, g: Node, y: Node, x: Node, index: Node, *, dim: int) -> tuple[Node | None, ...]:
        return ops.index_add.record((ops.zeros(x.spec), index, g), dim), None

    def ref(self, x: Any, index: Any, *, dim: int) -> Any:
        if not x.ndim:
            self.places(index, 0, 1)
            return x
        return x[along(dim, self.places(index, dim, x.shape[dim]))]

    def element(self, b: Any, index: Any, x: Any, places: Any, *, dim: int) -> Any:
        if not x.ndim:
            return self.only(b, x, places.at(0)) if places.shape[0] else x.at()
        place = self.place(b, places.at(index[dim]), x.shape[dim])
        return x.at(*index[:dim], place, *index[dim + 1 :])

    def outside(self, place: int, dim: int, size: int) -> Fault:
        return out_of_range(self.name, place, dim, size)

    def taken(self, index: Node) -> Node:
        if index.dtype not in (int32, int64):
            raise DTypeError(
                "index_select", "index_select(): Expected dtype int32 or int64 for index"
            )
        return ops.cast(index, int64)

    def onnx(self, to: Any, x: Any, index: Any, *, dim: int) -> Any:
        return to("Gather", x, index, axis=dim) if x.ndim else None

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 0, make.int(5, low=0, high=2)
        yield make(4, 3).T, 1, make.int(2, low=0, high=3)
        yield make(2, 3, 4), -1, make.int(low=0, high=3)
        yield make(3, 4), 0, make.int(0, low=0, high=2)
        yield make.bool(3, 4), 0, make.int(2, low=0, high=2)

    def errors(self, make: Any) -> Any:
        x = make(3, 4)
        yield lambda: make.call(x, 0, make.int(1, low=3, high=4)), IndexError, "index out of range"
        yield lambda: make.call(x, 0, make.int(1, low=-2, high=-1)), IndexError, "out of range"
        yield lambda: make.call(x, 0, make.int(1, 1, low=0, high=0)), IndexError, "be a vector"
        yield lambda: make.call(x, 0, make(1)), RuntimeError, "int32 or int64"
        several = make.int(3, low=0, high=0)
        yield lambda: make.call(make(), 0, several), RuntimeError, "can have only 1 value, got 3"


def out_of_range(name: str, place: int, dim: int, size: int) -> Fault:
    """PyTorch's refusal in lookups."""
    return RangeError(
        name,
        f"index out of range in self: index {place}, dimension {dim} has size {size}.",
        rule=f"Places go from 0 to {size - 1}." if size else "",
    )


class IndexAdd(Rows):
    """``input`` with the slices of ``source`` added at the places that a vector names.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(3).index_add(0, rl.tensor([0, 0, 2]), rl.ones(3))
        tensor([2., 0., 1.])
    """

    name = "index_add"
    torch = (
        "index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor"
    )
    inplace = True
    ulp = 8

    def __call__(self, x: Node, dim: int, index: Node, source: Node, *, alpha: Any = 1) -> Node:
        dim, places = self.vector(x, dim, index)
        self.same_dtype(x, source)
        source = source if alpha == 1 else ops.mul(source, alpha)
        return self.checked(self.record((x, places, source), dim), index)

    def infer(self, x: Spec, index: Spec, source: Spec, *, dim: int) -> Spec:
        self.fits(x, index, source, dim)
        return x

    def vjp(
        self, g: Node, y: Node, x: Node, index: Node, source: Node, *, dim: int
    ) -> tuple[Node | None, ...]:
        if not source.requires_grad:
            return g, None, None
        return g, None, ops.reshape(ops.index_select.record((g, index), dim), source.shape)

    def ref(self, x: Any, index: Any, source: Any, *, dim: int) -> Any:
        if not x.ndim:
            return x + np.sum(source, dtype=x.dtype)
        places = self.places(index, dim, x.shape[dim])
        turned = np.moveaxis(x.copy(), dim, 0)
        if turned.size:
            rows = np.ascontiguousarray(turned).reshape(turned.shape[0], -1)
            moved = np.moveaxis(source, dim, 0) if source.ndim else source
            add_rows(rows, places, np.ascontiguousarray(moved).reshape(places.size, rows.shape[1]))
            turned = rows.reshape(turned.shape)
        return np.moveaxis(turned, 0, dim)

    def scatter(
        self, b: Any, place: Any, x: Any, index: Any, source: Any, *, dim: int
    ) -> tuple[str, Any, Any]:
        value = source.at(*place[: source.ndim])
        return "sum", *self.reached(b, place, x, index.at(place[dim]), value, dim)

    def onnx(self, to: Any, x: Any, index: Any, source: Any, *, dim: int) -> Any:
        return put_along(to, x, index, source, source.shape, dim, "add")

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 0, make.int(5, low=0, high=2), make(5, 4)
        yield make(3, 4), 1, make.int(2, low=0, high=3), make(3, 2), {"alpha": 2.5}
        yield make(3, 4), 0, make.int(0, low=0, high=2), make(0, 4)
        yield make.int(3), 0, make.int(4, low=0, high=2), make.int(4)

    def errors(self, make: Any) -> Any:
        x, one = make(3, 4), make.int(1, low=0, high=0)
        yield (
            lambda: make.call(x, 0, make.int(1, low=3, high=4), make(1, 4)),
            RuntimeError,
            "out of bounds for dimension 0 with size 3|index out of range",
        )
        yield lambda: make.call(x, 0, one, make(2, 4)), RuntimeError, r"Number of indices \(1\)"
        yield lambda: make.call(x, 0, one, make(1, 3)), RuntimeError, "must match self tensor shape"
        yield lambda: make.call(x, 0, one, make.int(1, 4)), RuntimeError, "same scalar type"


class IndexCopy(Rows):
    """``input`` with its slices at the places that a vector names replaced by ``source``'s.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(3).index_copy(0, rl.tensor([2, 0]), rl.tensor([1.0, 2.0]))
        tensor([2., 0., 1.])
    """

    autocast = "widest"
    name = "index_copy"
    torch = "index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor"
    inplace = True
    fault = RangeError

    def __call__(self, x: Node, dim: int, index: Node, source: Node) -> Node:
        dim, places = self.vector(x, dim, index)
        self.same_dtype(x, source)
        return self.checked(self.record((x, places, source), dim), index)

    def fits(self, x: Spec, index: Spec, source: Spec, dim: int) -> None:
        count = source.shape[dim] if source.ndim else 1
        if index.shape[0] != count:
            raise RangeError(
                "index_copy",
                f"index_copy_(): Number of indices ({index.shape[0]}) should be equal to"
                f" source.size(dim) ({count})",
            )
        if source.ndim and _other(x.shape, dim) != _other(source.shape, dim):
            raise ShapeError(
                "index_copy",
                "index_copy_(): Source/destination tensor must have same slice shapes. Destination"
                f" slice shape: {list(_other(x.shape, dim))} at dimension {dim} and source slice"
                f" shape: {list(_other(source.shape, dim))} at dimension {dim}.",
            )

    def infer(self, x: Spec, index: Spec, source: Spec, *, dim: int) -> Spec:
        self.fits(x, index, source, dim)
        return x

    def vjp(
        self, g: Node, y: Node, x: Node, index: Node, source: Node, *, dim: int
    ) -> tuple[Node | None, ...]:
        gx = gs = None
        if x.requires_grad:
            gx = self.record((g, index, ops.zeros(source.spec)), dim)
        if source.requires_grad:
            gs = ops.reshape(ops.index_select.record((g, index), dim), source.shape)
        return gx, None, gs

    def ref(self, x: Any, index: Any, source: Any, *, dim: int) -> Any:
        result = x.copy().reshape(x.shape or (1,))
        result[along(dim, self.places(index, dim, result.shape[dim]))] = source
        return result.reshape(x.shape)

    def scatter(
        self, b: Any, place: Any, x: Any, index: Any, source: Any, *, dim: int
    ) -> tuple[str, Any, Any]:
        value = source.at(*place[: source.ndim])
        return "set", *self.reached(b, place, x, index.at(place[dim]), value, dim)

    def outside(self, place: int, dim: int, size: int) -> Fault:
        return RangeError(
            "index_copy",
            f"index_copy_(): index {place} is out of bounds for dimension {dim} with size {size}",
        )

    def onnx(self, to: Any, x: Any, index: Any, source: Any, *, dim: int) -> Any:
        return put_along(to, x, index, source, source.shape, dim)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 1, make.int(1, low=0, high=3), make(3, 1)
        yield make(3, 4), 0, make.int(0, low=0, high=2), make(0, 4)
        yield make(), 0, make.int(1, low=0, high=0), make()

    def errors(self, make: Any) -> Any:
        x, one = make(3, 4), make.int(1, low=0, high=0)
        yield (
            lambda: make.call(x, 0, make.int(1, low=3, high=4), make(1, 4)),
            IndexError,
            "out of bounds for dimension 0 with size 3",
        )
        yield lambda: make.call(x, 0, one, make(2, 4)), IndexError, r"Number of indices \(1\)"
        yield lambda: make.call(x, 0, one, make(1, 3)), RuntimeError, "same slice shapes"
        yield lambda: make.call(x, 0, one, make.int(1, 4)), RuntimeError, "same scalar type"


class IndexFill(Rows):
    """``input`` with one number in the slices at the places that a vector names.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(3).index_fill(0, rl.tensor([0, -1]), 5)
        tensor([5., 0., 5.])
    """

    name = "index_fill"
    torch = "index_fill(Tensor self, int dim, Tensor index, Any value) -> Tensor"
    inplace = True
    wraps = True
    fault = RangeError

    def __call__(self, x: Node, dim: int, index: Node, value: Any) -> Node:
        dim, places = self.vector(x, dim, index)
        value = filling("index_fill", value, x.dtype)
        return self.checked(self.record((x, places, value), dim), index)

    def infer(self, x: Spec, index: Spec, value: Spec, *, dim: int) -> Spec:
        return x

    def vjp(
        self, g: Node, y: Node, x: Node, index: Node, value: Node, *, dim: int
    ) -> tuple[Node | None, ...]:
        gx = gv = None
        if x.requires_grad:
            gx = self.record((g, index, number(0, g.dtype)), dim)
        if value.requires_grad:
            # A place named twice is filled once: what is left of the gradient went to the value.
            left = self.record((g, index, number(0, g.dtype)), dim)
            gv = ops.sum(g - left)
        return gx, None, gv

    def ref(self, x: Any, index: Any, value: Any, *, dim: int) -> Any:
        result = x.copy().reshape(x.shape or (1,))
        result[along(dim, self.places(index, dim, result.shape[dim]))] = value
        return result.reshape(x.shape)

    def scatter(
        self, b: Any, place: Any, x: Any, index: Any, value: Any, *, dim: int
    ) -> tuple[str, Any, Any]:
        return "set", *self.reached(b, place, x, index.at(place[dim]), value.at(), dim)

    def onnx(self, to: Any, x: Any, index: Any, value: Any, *, dim: int) -> Any:
        if not x.ndim or not index.ndim:
            return None
        shape = (*x.shape[:dim], index.shape[0], *x.shape[dim + 1 :])
        return put_along(to, x, index, to("Expand", value, shape), shape, dim)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 0, make.int(2, low=0, high=2), 1.5
        yield make(3, 4), 1, make.int(2, low=0, high=3), make()
        yield make.int(3, 4), 1, make.int(2, low=-4, high=-1), 7
        yield make(), 0, make.int(1, low=0, high=0), 2
        yield make.int(3, 4), 0, make.int(1, low=0, high=2), 1.5

    def errors(self, make: Any) -> Any:
        yield (
            lambda: make.call(make(3), 0, make.int(1, low=3, high=4), 1.0),
            IndexError,
            "out of bounds for dimension 0 with size 3",
        )
        one = make.int(1, low=0, high=0)
        yield lambda: make.call(make(3), 0, one, make(2)), RuntimeError, "0-dimensional"


index_select = IndexSelect()
index_add = IndexAdd()
index_copy = IndexCopy()
index_fill = IndexFill()
