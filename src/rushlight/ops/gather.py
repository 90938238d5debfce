"""Elements picked along one dimension by an index of the result's shape, and put back."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import int64
from rushlight.base.errors import DTypeError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite
from rushlight.graph.spec import Spec

from .laid import lay_one
from .places import Picking, flat_places


def _sizes(shape: Shape) -> Shape:
    """A 0-d tensor counts as one of a single element."""
    return shape or (1,)


def _no_larger(index: Shape, other: Shape, dim: int | None) -> bool:
    return all(
        n <= m or d == dim
        for d, (n, m) in enumerate(zip(_sizes(index), _sizes(other), strict=True))
    )


def _window(index: Shape) -> tuple[slice, ...]:
    """The part of a tensor that an index of this shape reaches."""
    return tuple(slice(n) for n in index)


def _one_each(shape: Shape, index: Shape, dim: int) -> bool:
    """Whether an index names one element of each line of a tensor."""
    return index == (*shape[:dim], 1, *shape[dim + 1 :]) and bool(shape)


class Gather(Picking):
    """``result[i][j] = input[index[i][j]][j]`` for ``dim=0``, and likewise for other dimensions.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 2], [3, 4]]).gather(1, rl.tensor([[0], [1]]))
        tensor([[1],
                [4]])
    """

    name = "gather"
    apart: ClassVar[bool] = True  # what out= names shares no memory with an input
    torch = "gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor"

    def __call__(self, x: Node, dim: int, index: Node, *, sparse_grad: bool = False) -> Node:
        dim = shapes.axis("gather", dim, x.ndim)
        result = self.record((x, self.taken(index)), dim)
        self.foresee(index, dim, _sizes(x.shape)[dim])
        return result

    def infer(self, x: Spec, index: Spec, *, dim: int) -> Spec:
        if not index.numel:
            return x.with_shape(index.shape)
        if (x.ndim or 1) != (index.ndim or 1):
            raise ShapeError(
                "gather",
                "Index tensor must have the same number of dimensions as input tensor",
                rule=f"The input is {x.shape}, the index is {index.shape}.",
            )
        if not _no_larger(index.shape, x.shape, dim):
            wrong = next(d for d in range(x.ndim) if d != dim and index.shape[d] > x.shape[d])
            raise ShapeError(
                "gather",
                f"Size does not match at dimension {wrong} expected index {list(index.shape)} to be"
                f" no larger than self {list(x.shape)} apart from dimension {dim}",
            )
        return x.with_shape(index.shape)

    def vjp(self, g: Node, y: Node, x: Node, index: Node, *, dim: int) -> tuple[Node | None, ...]:
        if _one_each(x.shape, index.shape, dim):
            return lay_one.record((index, g), dim, x.shape[dim]), None
        return ops.scatter_add.record((ops.zeros(x.spec), index, g), dim), None

    def ref(self, x: Any, index: Any, *, dim: int) -> Any:
        if not index.size:
            return np.empty(index.shape, x.dtype)
        shape = _sizes(x.shape)
        places = self.places(index.reshape(_sizes(index.shape)), dim, shape[dim])
        return x.reshape(-1)[flat_places(places, dim, shape)].reshape(index.shape)

    def element(self, b: Any, index: Any, x: Any, places: Any, *, dim: int) -> Any:
        if 0 in places.shape:  # of any number of dimensions
            return b.const(0, x.dtype)
        if not x.ndim:
            return self.only(b, x, places.at(*index))
        place = self.place(b, places.at(*index), x.shape[dim])
        return x.at(*index[:dim], place, *index[dim + 1 :])

    def onnx(self, to: Any, x: Any, index: Any, *, dim: int) -> Any:
        if not x.ndim or not index.ndim:
            return None
        return to("GatherElements", x, to.cast(index, int64), axis=dim)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 0, make.int(2, 4, low=0, high=2)
        yield make(3, 4), -1, make.int(3, 6, low=0, high=3)
        yield make(4, 3).T, 1, make.int(2, 2, low=0, high=3)
        yield make(3, 4), 1, make.int(3, 0, low=0, high=3)
        yield make(), 0, make.int(low=0, high=0)
        yield make.int(5), 0, make.int(2, low=0, high=4)

    def errors(self, make: Any) -> Any:
        x = make(3, 4)
        yield (
            lambda: make.call(x, 0, make.int(1, 1, low=3, high=4)),
            RuntimeError,
            r"index \d is out of bounds for dimension 0 with size 3",
        )
        yield (
            lambda: make.call(x, 0, make.int(1, 1, low=-2, high=-1)),
            RuntimeError,
            r"index -\d is out of bounds for dimension 0 with size 3",
        )
        yield lambda: make.call(x, 0, make.int(3)), RuntimeError, "same number of dimensions"
        yield lambda: make.call(x, 0, make.int(1, 5)), RuntimeError, "to be no larger than self"
        yield lambda: make.call(x, 0, make(1, 1)), RuntimeError, "Expected dtype int32/int64"
        yield lambda: make.call(x, 2, make.int(1, 1)), IndexError, "Dimension out of range"


_REDUCTIONS = {"set": "none", "sum": "add", "prod": "mul", "max": "max", "min": "min"}
"""The names of ``how`` in ONNX."""


class Scattering(Picking):
    """A tensor changed at the places that an index names along one dimension. Abstract.

    Inputs are the tensor, the index and a source at least as large as the index.

    Attributes:
        how: what a kernel does with two numbers that meet: ``"set"`` or the name of a reduction.
    """

    how: ClassVar[str] = ""

    def __call__(self, x: Node, dim: int, index: Node, src: Node) -> Node:
        dim = shapes.axis(self.name, dim, x.ndim)
        places = self.taken(index)
        if src.dtype is not x.dtype:
            raise DTypeError(
                self.name,
                f"{self.name}(): Expected self.dtype to be equal to src.dtype",
                rule=f"self is {x.dtype}, src is {src.dtype}.",
            )
        result = self.record((x, places, src), dim)
        self.foresee(index, dim, _sizes(x.shape)[dim])
        return result

    def infer(self, x: Spec, index: Spec, source: Spec, *, dim: int, **attrs: Any) -> Spec:
        if not index.numel:
            return x
        ranks = {spec.ndim or 1 for spec in (x, index, source)}
        if len(ranks) > 1:
            raise ShapeError(
                self.name,
                "Index tensor must have the same number of dimensions as"
                f" {'self' if (x.ndim or 1) != (index.ndim or 1) else 'src'} tensor",
                rule=f"self is {x.shape}, the index is {index.shape}, src is {source.shape}.",
            )
        fits = _no_larger(index.shape, x.shape, dim) and _no_larger(index.shape, source.shape, None)
        if not fits:
            raise ShapeError(
                self.name,
                f"Expected index {list(index.shape)} to be no larger than self {list(x.shape)}"
                f" apart from dimension {dim} and to be no larger size than src"
                f" {list(source.shape)}",
            )
        return x

    def ref(self, x: Any, index: Any, source: Any, *, dim: int, **attrs: Any) -> Any:
        # In rows, so that it is changed through its flat form; x.copy() of a 0-d array that was
        # widened is no array.
        result = np.array(x, order="C")
        if index.size:
            shape = _sizes(x.shape)
            index = index.reshape(_sizes(index.shape))
            places = flat_places(self.places(index, dim, shape[dim]), dim, shape)
            values = source.reshape(_sizes(source.shape))[_window(index.shape)].reshape(-1)
            self.put(result.reshape(-1), places, values, **attrs)
        return result

    def put(self, result: Any, places: Any, values: Any, **attrs: Any) -> None:
        """Changes the flat ``result`` at flat places."""
        raise NotImplementedError

    def scattered(self, x: Any, index: Any, source: Any, **attrs: Any) -> Shape:
        return _sizes(index.shape)

    def scatter(
        self, b: Any, place: Any, x: Any, index: Any, source: Any, *, dim: int
    ) -> tuple[str, Any, Any]:
        if 0 in index.shape:  # of any number of dimensions
            return self.how, (0,) * x.ndim, b.const(0, x.dtype)
        number, value = (each.at(*place[: each.ndim]) for each in (index, source))
        return self.how, *self.reached(b, place, x, number, value, dim)

    def source_grad(self, g: Node, index: Node, source: Node, dim: int) -> Node | None:
        """What arrives at the elements of the source that were read."""
        return self.source_padded(ops.gather.record((g, index), dim), source)

    def source_padded(self, read: Node, source: Node) -> Node | None:
        """A gradient of the part that was read, with zeros for the rest of the source."""
        if not source.requires_grad:
            return None
        return _padded(read, source.shape) if read.spec.numel else ops.zeros(source.spec)

    def onnx(self, to: Any, x: Any, index: Any, source: Any, *, dim: int) -> Any:
        """The source may be larger than the index, of which ONNX knows nothing."""
        if not x.ndim or not index.ndim or not source.ndim:  # one element, as vectors
            if any(each.ndim for each in (x, index, source)):
                return None
            x, index, source = (to("Reshape", each, [1]) for each in (x, index, source))
            made = to("ScatterElements", x, index, source, reduction=_REDUCTIONS[self.how])
            return to("Reshape", made, [])
        if source.shape != index.shape:
            dims = list(range(x.ndim))
            source = to("Slice", source, [0] * x.ndim, index.shape, dims)
        if self.how in ("max", "min"):
            to.needs(18, f"ScatterElements with {self.how}")
        return to(
            "ScatterElements",
            x,
            to.cast(index, int64),
            source,
            axis=dim,
            reduction=_REDUCTIONS[self.how],
        )

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 0, make.int(2, 4, low=0, high=2), make(2, 4)
        yield make(3, 4), 1, make.int(2, 3, low=0, high=3), make(2, 3)
        yield make.int(3, 4), 1, make.int(2, 3, low=0, high=3), make.int(3, 5)
        yield make(3, 4), -1, make.int(3, 0, low=0, high=3), make(3, 0)
        yield make(), 0, make.int(low=0, high=0), make()

    def errors(self, make: Any) -> Any:
        x = make(3, 4)
        yield (
            lambda: make.call(x, 0, make.int(1, 1, low=3, high=4), make(1, 1)),
            RuntimeError,
            r"index \d is out of bounds for dimension 0 with size 3",
        )
        yield (
            lambda: make.call(x, 0, make.int(1, 2, low=0, high=0), make(1, 1)),
            RuntimeError,
            "no larger size than src",
        )
        yield (
            lambda: make.call(x, 0, make(1, 1), make(1, 1)),
            RuntimeError,
            "Expected dtype int32/int64",
        )
        yield (
            lambda: make.call(x, 0, make.int(1, 1, low=0, high=0), make.int(1, 1)),
            RuntimeError,
            "Expected self.dtype to be equal to src.dtype",
        )


def _padded(x: Node, shape: Shape) -> Node:
    """Zeros put behind the elements of each dimension until it has its size."""
    if x.ndim != len(shape):  # a 0-d tensor and a vector of one element
        x = ops.reshape(x, (1,) * len(shape))
    for dim, size in enumerate(shape):
        if x.shape[dim] < size:
            x = ops.unslice.record((x, number(0)), dim, size, 1)
    return x


class ScatterFrom(Scattering):
    """``input`` with ``result[index[i][j]][j] = src[i][j]`` for ``dim=0``; the last one stays."""

    name, backward, how = "scatter_from", "Scatter", "set"

    def vjp(
        self, g: Node, y: Node, x: Node, index: Node, source: Node, *, dim: int
    ) -> tuple[Node | None, ...]:
        zeros = ops.zeros(index.spec.with_dtype(g.dtype))
        gx = self.record((g, index, zeros), dim) if x.requires_grad else None
        return gx, None, self.source_grad(g, index, source, dim)

    def put(self, result: Any, places: Any, values: Any, **attrs: Any) -> None:
        result[places] = values


class ScatterAdd(Scattering):
    """``input`` with ``result[index[i][j]][j] += src[i][j]`` for ``dim=0``.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(3).scatter_add(0, rl.tensor([0, 2, 0]), rl.tensor([1.0, 2.0, 3.0]))
        tensor([4., 0., 2.])
    """

    name, how = "scatter_add", "sum"
    torch = "scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor"
    inplace = True
    ulp = 8

    def vjp(
        self, g: Node, y: Node, x: Node, index: Node, source: Node, *, dim: int
    ) -> tuple[Node | None, ...]:
        return g, None, self.source_grad(g, index, source, dim)

    def put(self, result: Any, places: Any, values: Any, **attrs: Any) -> None:
        np.add.at(result, places, values)


class TakeAlongDim(Composite):
    """:func:`gather` with an index that broadcasts; flat when there is no ``dim``.

    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([[3, 1, 2]])
        >>> rl.take_along_dim(x, x.argsort(), 1)
        tensor([[1, 2, 3]])
    """

    name = "take_along_dim"
    torch = "take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor"

    def __call__(self, x: Node, indices: Node, dim: int | None = None) -> Node:
        if indices.dtype is not int64:
            raise DTypeError(
                "take_along_dim",
                "torch.take_along_dim(): dtype of indices should be Long but got"
                f" {ops.TORCH_NAMES[indices.dtype.name][1:-1]}",
            )
        if dim is None:
            return ops.gather(ops.reshape(x, (-1,)), 0, ops.reshape(indices, (-1,)))
        if x.ndim != indices.ndim:
            raise ShapeError(
                "take_along_dim",
                "torch.take_along_dim(): input and indices should have the same number of"
                f" dimensions, but got {x.ndim} dimensions for input, and {indices.ndim} dimensions"
                " for indices",
            )
        dim = shapes.axis("take_along_dim", dim, x.ndim)
        one_x = _with(x.shape, dim, 1)
        both = shapes.broadcast("take_along_dim", one_x, _with(indices.shape, dim, 1))
        x = ops.expand(x, _with(both, dim, x.shape[dim]))
        places = ops.remainder(indices, x.shape[dim])  # any number has a place, as in PyTorch
        return ops.gather(x, dim, ops.expand(places, _with(both, dim, indices.shape[dim])))

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make.int(3, 2, low=0, high=3), 1
        yield make(3, 4), make.int(1, 4, low=-5, high=4), 0
        yield make(3, 4), make.int(5, low=0, high=11)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), make.int(2), 0), RuntimeError, "same number of dim"
        yield lambda: make.call(make(3, 4), make(2)), RuntimeError, "should be Long"


def _with(shape: Shape, dim: int, size: int) -> Shape:
    return (*shape[:dim], size, *shape[dim + 1 :])


gather = Gather()
scatter_from = ScatterFrom()
scatter_add = ScatterAdd()
take_along_dim = TakeAlongDim()
