"""Advanced indexing: elements named by a tensor of places for each of several dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import int64
from rushlight.base.errors import DTypeError, RangeError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.spec import Spec

from .index_onnx import named_shape, named_together
from .places import Indexing, add_rows, long_name

Gathers = Sequence[Node | None]


class Advanced(Indexing):
    """Elements that several index tensors name together. Abstract.

    The indices broadcast to one shape, which stands where the indexed dimensions stood; in front
    when other dimensions lie between those. ``dims`` are the indexed dimensions.
    """

    wraps = True

    def read(self, x: Node, gathers: Gathers) -> tuple[Shape, tuple[Node, ...]]:
        """The indexed dimensions and their indices from one entry (or None) per dimension."""
        if len(gathers) > x.ndim:
            raise RangeError(
                self.name,
                f"too many indices for tensor of dimension {x.ndim} (got {len(gathers)})",
            )
        dims = tuple(dim for dim, index in enumerate(gathers) if index is not None)
        for dim in dims:
            self.foresee(gathers[dim], dim, x.shape[dim])  # type: ignore[arg-type]
        return dims, tuple(ops.cast(index, int64) for index in gathers if index is not None)

    def shape(self, x: Spec, indices: tuple[Spec, ...], dims: Shape) -> Shape:
        """The shape of the elements named."""
        kept = shapes.reduced(x.shape, dims, False)
        front, _ = self.stands(indices, dims)
        return (*kept[:front], *_together(indices), *kept[front:])

    def stands(self, indices: tuple[Any, ...], dims: Shape) -> tuple[int, int]:
        """Where the indices' shape stands in the result, and how many dimensions it has."""
        return dims[0] if _adjacent(dims) else 0, max(index.ndim for index in indices)

    def named(
        self, b: Any, index: Any, x: Any, places: tuple[Any, ...], dims: Shape
    ) -> tuple[Any, ...]:
        """Where in ``x`` a kernel finds the element at ``index`` of those named."""
        front, count = self.stands(places, dims)
        rest = iter(index[:front] + index[front + count :])
        here = {
            dim: self.place(b, each.spread(index[front : front + count]), x.shape[dim])
            for dim, each in zip(dims, places, strict=True)
        }
        return tuple(here[d] if d in here else next(rest) for d in range(x.ndim))

    def key(self, shape: Shape, arrays: tuple[Any, ...], dims: Shape) -> tuple[Any, ...]:
        """NumPy's key for the elements named."""
        key: list[Any] = [slice(None)] * len(shape)
        for dim, array in zip(dims, arrays, strict=True):
            key[dim] = self.places(array, dim, shape[dim])
        return tuple(key)


def _together(indices: tuple[Spec, ...]) -> Shape:
    """The shape that indices broadcast to."""
    try:
        return np.broadcast_shapes(*(index.shape for index in indices))
    except ValueError:
        raise RangeError(
            "index",
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            + ", ".join(str(list(index.shape)) for index in indices),
        ) from None


def _adjacent(dims: Shape) -> bool:
    return dims == tuple(range(dims[0], dims[0] + len(dims)))


class Index(Advanced):
    """``x[i, j, ...]`` with tensors of integers."""

    name, attrs = "index", ("dims",)

    def __call__(self, x: Node, gathers: Gathers) -> Node:
        dims, indices = self.read(x, gathers)
        return self.record((x, *indices), dims)

    def infer(self, x: Spec, *indices: Spec, dims: Shape) -> Spec:
        return x.with_shape(self.shape(x, indices, dims))

    def vjp(
        self, g: Node, y: Node, x: Node, *indices: Node, dims: Shape
    ) -> tuple[Node | None, ...]:
        gx = index_put.record((ops.zeros(x.spec), g, *indices), dims, True)
        return (gx, *[None] * len(indices))

    def ref(self, x: Any, *arrays: Any, dims: Shape) -> Any:
        return x[self.key(x.shape, arrays, dims)]

    def element(self, b: Any, index: Any, x: Any, *places: Any, dims: Shape) -> Any:
        return x.at(*self.named(b, index, x, places, dims))

    def onnx(self, to: Any, x: Any, *indices: Any, dims: Shape) -> Any:
        """One index is a Gather; several are laid side by side, their dimensions in front."""
        if len(dims) == 1:
            return to("Gather", x, indices[0], axis=dims[0])
        order, together = named_together(to, x, indices, dims)
        found = to("GatherND", to("Transpose", x, perm=order), together)
        front, count = self.stands(indices, dims)
        kept = list(range(count, count + x.ndim - len(dims)))
        turned = [*kept[:front], *range(count), *kept[front:]]
        return to("Transpose", found, perm=turned) if front else found


class IndexPut(Advanced):
    """A tensor with the elements at ``[i, j, ...]`` replaced, or added to with ``accumulate``."""

    name, attrs = "index_put", ("dims", "accumulate")

    def __call__(self, x: Node, gathers: Gathers, values: Node, accumulate: bool = False) -> Node:
        dims, indices = self.read(x, gathers)
        if values.dtype is not x.dtype:
            names = [long_name(dtype) for dtype in (x.dtype, values.dtype)]
            raise DTypeError(
                "index_put",
                "Index put requires the source and destination dtypes match, got"
                f" {names[0]} for the destination and {names[1]} for the source.",
            )
        return self.record((x, values, *indices), dims, bool(accumulate))

    def infer(self, x: Spec, values: Spec, *indices: Spec, dims: Shape, accumulate: bool) -> Spec:
        target = self.shape(x, indices, dims)
        extra = max(0, values.ndim - len(target))
        sizes = (*((1,) * (len(target) - values.ndim)), *values.shape[extra:])
        fits = all(have in (1, want) for have, want in zip(sizes, target, strict=True))
        if not fits or any(n != 1 for n in values.shape[:extra]):
            raise ShapeError(
                "index_put",
                f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast"
                f" to indexing result of shape {list(target)}",
            )
        return x

    def vjp(
        self, g: Node, y: Node, x: Node, values: Node, *indices: Node,
        dims: Shape, accumulate: bool,
    ) -> tuple[Node | None, ...]:  # fmt: skip
        gx = gv = None
        if x.requires_grad:
            zero = ops.full((), 0, g.dtype)
            gx = g if accumulate else self.record((g, zero, *indices), dims, False)
        if values.requires_grad:
            gv = index.record((g, *indices), dims)
            if values.ndim > gv.ndim:  # the walk sums over what was broadcast otherwise
                gv = ops.sum_to(gv, _without_ones(values.shape, gv.ndim))
                gv = ops.reshape(gv, values.shape)
        return (gx, gv, *[None] * len(indices))

    def ref(self, x: Any, values: Any, *arrays: Any, dims: Shape, accumulate: bool) -> Any:
        key = self.key(x.shape, arrays, dims)
        result = x.copy()
        values = values.reshape(_without_ones(values.shape, result[key].ndim))
        if accumulate:
            _add(result, key, values, dims)
        else:
            result[key] = values
        return result

    def scattered(self, x: Any, values: Any, *places: Any, dims: Shape, **attrs: Any) -> Shape:
        return self.shape(x, places, dims)

    def scatter(
        self, b: Any, place: Any, x: Any, values: Any, *places: Any, dims: Shape, accumulate: bool
    ) -> tuple[str, Any, Any]:
        ones = (0,) * (values.ndim - len(place))  # before the dimensions that there are
        value = values.spread((*ones, *place))
        return "sum" if accumulate else "set", self.named(b, place, x, places, dims), value

    def onnx(
        self, to: Any, x: Any, values: Any, *indices: Any, dims: Shape, accumulate: bool
    ) -> Any:
        if any(n == 0 for n in x.shape):
            return x
        order, together = named_together(to, x, indices, dims)
        front, count = self.stands(indices, dims)
        shape = named_shape(x, indices, dims, front)
        extra = max(0, values.ndim - len(shape))
        given = to("Squeeze", values, list(range(extra))) if extra else values
        given = to("Expand", given, shape)
        turned = [*range(front, front + count), *range(front), *range(front + count, len(shape))]
        kind = "add" if accumulate else "none"
        put = to(
            "ScatterND", to("Transpose", x, perm=order), together,
            to("Transpose", given, perm=turned), reduction=kind,
        )  # fmt: skip
        return to("Transpose", put, perm=[order.index(k) for k in range(x.ndim)])


def _without_ones(shape: Shape, rank: int) -> Shape:
    """A shape of at most ``rank`` dimensions: what stands before them is 1."""
    return shape[max(0, len(shape) - rank) :]


def _add(result: Any, key: tuple[Any, ...], values: Any, dims: Shape) -> None:
    """Adds values to the elements that a key names; one named twice is added to twice."""
    indices = np.broadcast_arrays(*(key[dim] for dim in dims))
    together, count = indices[0].shape, len(dims)
    values = np.broadcast_to(values, result[key].shape)
    front = dims[0] if _adjacent(dims) else 0
    values = np.moveaxis(values, range(front, front + len(together)), range(len(together)))
    sizes = tuple(result.shape[dim] for dim in dims)
    if not values.size:
        return
    places = np.ravel_multi_index(tuple(i.reshape(-1) for i in indices), sizes)
    turned = np.moveaxis(result, dims, range(count))
    target = np.ascontiguousarray(turned).reshape(shapes.prod(sizes), -1)
    add_rows(target, places, values.reshape(places.size, -1))
    turned[...] = target.reshape(turned.shape)


index = Index()
index_put = IndexPut()
