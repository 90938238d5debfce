"""Views that rearrange all elements: reshaping and permuting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from rushlight.base import shapes
from rushlight.base.errors import OperationError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import View
from rushlight.graph.spec import Spec

from .row_major import regrouped

Places = tuple[tuple[int, ...], int]


class Reshape(View):
    """The same elements in row-major order, in another shape."""

    name, attrs, backward = "reshape", ("shape",), "View"
    batched = "shape"
    torch = (
        "reshape(Tensor(a) self, int[] shape) -> Tensor(a)",
        "view(Tensor(a) self, int[] size) -> Tensor(a)",
    )

    def __call__(self, x: Node, shape: Sequence[int]) -> Node:
        return self.record((x,), shapes.reshaped("reshape", x.shape, tuple(shape)))

    def infer(self, x: Spec, *, shape: Shape) -> Spec:
        return x.with_shape(shape)

    def vjp(self, g: Node, y: Node, x: Node, *, shape: Shape) -> tuple[Node | None, ...]:
        return (reshape(g, x.shape),)

    def ref(self, x: Any, *, shape: Shape) -> Any:
        return np.reshape(x, shape)

    def element(self, b: Any, index: Any, x: Any, *, shape: Shape) -> Any:
        return x.at(*regrouped(index, shape, x.shape))

    def put(self, whole: Node, part: Node, *, shape: Shape) -> Node:
        return reshape(part, whole.shape)

    def strides(self, old: Shape, strides: Shape, offset: int, *, shape: Shape) -> Places:
        found = strides_of_view(old, strides, shape)
        if found is None:
            raise ShapeError(
                "view",
                "view size is not compatible with input tensor's size and stride (at least one"
                " dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
            )
        return found, offset

    def onnx(self, to: Any, x: Any, *, shape: Shape) -> Any:
        """One size that varies is left for ONNX to work out."""
        varying = [k for k, n in enumerate(shape) if not isinstance(n, int)]
        if len(varying) == 1 and 0 not in shape:
            return to("Reshape", x, [-1 if k in varying else n for k, n in enumerate(shape)])
        return to("Reshape", x, shape, allowzero=1 if 0 in shape else None)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), (2, 6)
        yield make(3, 4), (-1,)
        yield make(4, 3).T, (3, 4, 1)
        yield make(0, 3), (3, 0)
        yield make(), (1, 1)

    def errors(self, make: Any) -> Any:
        yield lambda: make(3, 4).reshape(5, 2), RuntimeError, r"shape '\[5, 2\]' is invalid"
        yield lambda: make(3, 4).reshape(-1, -1), RuntimeError, "only one dimension"
        yield lambda: make(0).reshape(0, -1), RuntimeError, "ambiguous"
        yield lambda: make(3, 4).t().view(-1), RuntimeError, "view size is not compatible"


def strides_of_view(old: Shape, strides: Shape, new: Shape) -> Shape | None:
    """Strides with which ``new`` shows the same memory; None when a copy would be needed.

    Dimensions that follow each other in memory make one run, which the new dimensions divide up.
    One of size 1 belongs to the run in front of which it stands, as in PyTorch.
    """
    if shapes.prod(old) == 0:
        return strides if old == new else shapes.contiguous_strides(new)
    result: list[int] = []
    left = list(new)
    for elements, step in _runs(old, strides):
        taken = 1
        while left and (taken < elements or left[-1] == 1):
            result.append(taken * step)
            taken *= left.pop()
        if taken != elements:
            return None
    return None if left else tuple(reversed(result))


def _runs(shape: Shape, strides: Shape) -> list[tuple[int, int]]:
    """Dimensions merged where they follow each other in memory, from the last to the first.

    Returns:
        For each run the number of elements and the step between them.
    """
    runs: list[tuple[int, int]] = []
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if runs and (size == 1 or stride == runs[-1][0] * runs[-1][1]):
            elements, step = runs[-1]
            runs[-1] = (elements * size, step)
        else:
            runs.append((size, stride))
    return runs or [(1, 1)]


class Permute(View):
    """The dimensions in another order."""

    name, attrs = "permute", ("dims",)
    batched = "permute"
    torch = "permute(Tensor(a) self, int[] dims) -> Tensor(a)"

    def __call__(self, x: Node, dims: Sequence[int]) -> Node:
        if len(dims) != x.ndim:
            raise OperationError(
                "permute",
                "permute: number of dimensions in the tensor input does not match the length of the"
                f" desired ordering of dimensions i.e. input.dim() = {x.ndim} is not equal to"
                f" len(dims) = {len(dims)}",
            )
        order = tuple(shapes.axis("permute", dim, x.ndim) for dim in dims)
        if len(set(order)) != len(order):
            raise OperationError("permute", "permute(): duplicate dims are not allowed.")
        return self.record((x,), order)

    def infer(self, x: Spec, *, dims: Shape) -> Spec:
        return x.with_shape(tuple(x.shape[dim] for dim in dims))

    def vjp(self, g: Node, y: Node, x: Node, *, dims: Shape) -> tuple[Node | None, ...]:
        return (self.record((g,), _inverse(dims)),)

    def ref(self, x: Any, *, dims: Shape) -> Any:
        return np.transpose(x, dims)

    def element(self, b: Any, index: Any, x: Any, *, dims: Shape) -> Any:
        return x.at(*(index[place] for place in _inverse(dims)))

    def put(self, whole: Node, part: Node, *, dims: Shape) -> Node:
        return permute(part, _inverse(dims))

    def strides(self, old: Shape, strides: Shape, offset: int, *, dims: Shape) -> Places:
        return tuple(strides[dim] for dim in dims), offset

    def onnx(self, to: Any, x: Any, *, dims: Shape) -> Any:
        return to("Transpose", x, perm=dims) if dims else x

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 4), (2, 0, 1)
        yield make(2, 3), (-1, 0)
        yield make(0, 3), (1, 0)
        yield make(), ()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 3), (0,)), RuntimeError, "number of dimensions"
        yield lambda: make.call(make(2, 3), (0, 0)), RuntimeError, "duplicate|repeated"
        yield lambda: make.call(make(2, 3), (0, 2)), IndexError, "Dimension out of range"


def _inverse(order: Shape) -> Shape:
    result = [0] * len(order)
    for place, dim in enumerate(order):
        result[dim] = place
    return tuple(result)


class Transpose(View):
    """Two dimensions swapped."""

    name, attrs = "transpose", ("dim0", "dim1")
    batched = "dims"
    torch: ClassVar[str | tuple[str, ...]] = (
        "transpose(Tensor(a) self, int dim0, int dim1) -> Tensor(a)",
        "swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)",
        "swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)",
    )

    def __call__(self, x: Node, dim0: int, dim1: int) -> Node:
        a = shapes.axis("transpose", dim0, x.ndim)
        b = shapes.axis("transpose", dim1, x.ndim)
        return self.record((x,), a, b)

    def infer(self, x: Spec, *, dim0: int, dim1: int) -> Spec:
        return x.with_shape(_swapped(x.shape, dim0, dim1))

    def vjp(self, g: Node, y: Node, x: Node, *, dim0: int, dim1: int) -> tuple[Node | None, ...]:
        return (self.record((g,), dim0, dim1),)

    def ref(self, x: Any, *, dim0: int, dim1: int) -> Any:
        return np.swapaxes(x, dim0, dim1) if x.ndim else x

    def element(self, b: Any, index: Any, x: Any, *, dim0: int, dim1: int) -> Any:
        return x.at(*_swapped(index, dim0, dim1))

    def put(self, whole: Node, part: Node, *, dim0: int, dim1: int) -> Node:
        return self.record((part,), dim0, dim1)

    def strides(self, old: Shape, strides: Shape, offset: int, *, dim0: int, dim1: int) -> Places:
        return _swapped(strides, dim0, dim1), offset

    def onnx(self, to: Any, x: Any, *, dim0: int, dim1: int) -> Any:
        dims = list(range(x.ndim))
        if dims:
            dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
        return to("Transpose", x, perm=dims) if dims else x

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 4), 0, -1
        yield make(), 0, 0
        yield make(0, 3), 0, 1

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 3), 0, 2), IndexError, "Dimension out of range"


def _swapped(values: Shape, a: int, b: int) -> Shape:
    result = list(values)
    if result:
        result[a], result[b] = result[b], result[a]
    return tuple(result)


class T(Transpose):
    """The transpose of a matrix; a vector or a 0-d tensor is returned as it is."""

    name = "t"
    torch: ClassVar[str | tuple[str, ...]] = "t(Tensor(a) self) -> Tensor(a)"

    def __call__(self, x: Node) -> Node:
        if x.ndim > 2:
            raise OperationError(
                "t", f"t() expects a tensor with <= 2 dimensions, but self is {x.ndim}D"
            )
        return self.record((x,), 0, x.ndim - 1 if x.ndim else 0)

    def samples(self, make: Any) -> Any:
        yield make(2, 3)
        yield make(3)
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 3, 4)), RuntimeError, "<= 2 dimensions"


class Squeeze(View):
    """Dimensions of size 1 taken out."""

    name, attrs = "squeeze", ("dims",)
    batched = "dims"
    torch = "squeeze(Tensor(a) self, int[]? dim=None) -> Tensor(a)"

    def __call__(self, x: Node, dim: int | Sequence[int] | None = None) -> Node:
        dims = shapes.axes("squeeze", dim, x.ndim) if dim != () else ()
        return self.record((x,), tuple(d for d in dims if x.ndim and x.shape[d] == 1))

    def infer(self, x: Spec, *, dims: Shape) -> Spec:
        return x.with_shape(shapes.reduced(x.shape, dims, False))

    def vjp(self, g: Node, y: Node, x: Node, *, dims: Shape) -> tuple[Node | None, ...]:
        return (reshape(g, x.shape),)

    def ref(self, x: Any, *, dims: Shape) -> Any:
        return np.squeeze(x, dims)

    def element(self, b: Any, index: Any, x: Any, *, dims: Shape) -> Any:
        kept = iter(index)
        return x.at(*(0 if d in dims else next(kept) for d in range(x.ndim)))

    def put(self, whole: Node, part: Node, *, dims: Shape) -> Node:
        return reshape(part, whole.shape)

    def strides(self, old: Shape, strides: Shape, offset: int, *, dims: Shape) -> Places:
        return shapes.reduced(strides, dims, False), offset

    def onnx(self, to: Any, x: Any, *, dims: Shape) -> Any:
        return to("Squeeze", x, list(dims)) if dims else x

    def samples(self, make: Any) -> Any:
        yield make(1, 3, 1)
        yield make(1, 3, 1), 0
        yield make(1, 3, 1), 1
        yield make(1, 3, 1), (0, -1)
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 1), IndexError, "Dimension out of range"


class Unsqueeze(View):
    """A dimension of size 1 put in."""

    name, attrs = "unsqueeze", ("dim",)
    batched = "dims"
    torch = "unsqueeze(Tensor(a) self, int dim) -> Tensor(a)"

    def __call__(self, x: Node, dim: int) -> Node:
        return self.record((x,), shapes.axis("unsqueeze", dim, x.ndim + 1))

    def infer(self, x: Spec, *, dim: int) -> Spec:
        return x.with_shape((*x.shape[:dim], 1, *x.shape[dim:]))

    def vjp(self, g: Node, y: Node, x: Node, *, dim: int) -> tuple[Node | None, ...]:
        return (reshape(g, x.shape),)

    def ref(self, x: Any, *, dim: int) -> Any:
        return np.expand_dims(x, dim)

    def element(self, b: Any, index: Any, x: Any, *, dim: int) -> Any:
        return x.at(*index[:dim], *index[dim + 1 :])

    def put(self, whole: Node, part: Node, *, dim: int) -> Node:
        return reshape(part, whole.shape)

    def strides(self, old: Shape, strides: Shape, offset: int, *, dim: int) -> Places:
        step = old[dim] * strides[dim] if dim < len(old) else 1
        return (*strides[:dim], step, *strides[dim:]), offset

    def onnx(self, to: Any, x: Any, *, dim: int) -> Any:
        return to("Unsqueeze", x, [dim])

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 0
        yield make(3, 4), -1
        yield make(), 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 3), IndexError, "Dimension out of range"


reshape = Reshape()
permute = Permute()
transpose = Transpose()
t = T()
squeeze = Squeeze()
unsqueeze = Unsqueeze()
