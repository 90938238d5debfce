"""Elements in another order, repeated, or cut to a triangle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import OperationError, RangeError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

Dims = int | Sequence[int]


def ints(values: Dims) -> Shape:
    """One int or several as a tuple."""
    return (values,) if isinstance(values, int) else tuple(int(n) for n in values)


class Flip(Op):
    """The elements along some dimensions from the last to the first.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 2], [3, 4]]).flip(1)
        tensor([[2, 1],
                [4, 3]])
    """

    name, attrs = "flip", ("dims",)
    batched = "dims"
    torch = "flip(Tensor self, int[] dims) -> Tensor"

    def __call__(self, x: Node, dims: Dims) -> Node:
        dims = ints(dims)
        return self.record((x,), shapes.axes("flip", dims, x.ndim) if dims else ())

    def infer(self, x: Spec, *, dims: Shape) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node, *, dims: Shape) -> tuple[Node | None, ...]:
        return (self.record((g,), dims),)

    def ref(self, x: Any, *, dims: Shape) -> Any:
        return np.flip(x, dims)

    def element(self, b: Any, index: Any, x: Any, *, dims: Shape) -> Any:
        return x.at(*(x.shape[d] - 1 - i if d in dims else i for d, i in enumerate(index)))

    def onnx(self, to: Any, x: Any, *, dims: Shape) -> Any:
        if not dims or not x.ndim:
            return x
        count = len(dims)
        ends = [np.iinfo(np.int64).min] * count
        return to("Slice", x, [-1] * count, ends, list(dims), [-1] * count)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), (0,)
        yield make(2, 3, 4), (0, -1)
        yield make(4, 3).T, (1,)
        yield make(0, 3), (0,)
        yield make(3), ()
        yield make(), (0,)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), (1,)), IndexError, "Dimension out of range"
        yield lambda: make.call(make(3), (0, 0)), RuntimeError, "appears multiple times"


class Fliplr(Composite):
    """The columns from the last to the first."""

    name, torch = "fliplr", "fliplr(Tensor self) -> Tensor"

    def __call__(self, x: Node) -> Node:
        if x.ndim < 2:
            raise ShapeError("fliplr", "Input must be >= 2-d.", rule=f"It is {x.ndim}-d.")
        return ops.flip(x, (1,))

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(2, 3, 4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "Input must be >= 2-d"


class Flipud(Composite):
    """The rows from the last to the first."""

    name, torch = "flipud", "flipud(Tensor self) -> Tensor"

    def __call__(self, x: Node) -> Node:
        if x.ndim < 1:
            raise ShapeError("flipud", "Input must be >= 1-d.", rule="It is 0-d.")
        return ops.flip(x, (0,))

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make()), RuntimeError, "Input must be >= 1-d"


class Roll(Op):
    """The elements moved along; what leaves at the end comes back at the front.

    Without ``dims`` the tensor is moved along as one vector.

    Example:
        >>> import rushlight as rl
        >>> rl.arange(4).roll(1)
        tensor([3, 0, 1, 2])
    """

    name, attrs = "roll", ("shifts", "dims")
    batched = "dims"
    torch = "roll(Tensor self, int[1] shifts, int[1] dims=[]) -> Tensor"

    def __call__(self, x: Node, shifts: Dims, dims: Dims = ()) -> Node:
        shifts, dims = ints(shifts), ints(dims)
        if not shifts:
            raise OperationError("roll", "`shifts` required")
        if not dims and len(shifts) == 1:
            flat = ops.reshape(x, (-1,))
            return ops.reshape(self.record((flat,), shifts, (0,)), x.shape)
        if len(shifts) != len(dims):
            raise OperationError(
                "roll",
                f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}",
            )
        if not x.ndim:
            raise RangeError(
                "roll", f"Dimension specified as {dims[0]} but tensor has no dimensions"
            )
        places = tuple(shapes.axis("roll", dim, x.ndim) for dim in dims)
        return self.record((x,), shifts, places)

    def infer(self, x: Spec, *, shifts: Shape, dims: Shape) -> Spec:
        return x

    def vjp(
        self, g: Node, y: Node, x: Node, *, shifts: Shape, dims: Shape
    ) -> tuple[Node | None, ...]:
        return (self.record((g,), tuple(-n for n in shifts), dims),)

    def ref(self, x: Any, *, shifts: Shape, dims: Shape) -> Any:
        return np.roll(x, shifts, dims)

    def element(self, b: Any, index: Any, x: Any, *, shifts: Shape, dims: Shape) -> Any:
        places = list(index)
        for shift, dim in zip(shifts, dims, strict=True):
            size = max(x.shape[dim], 1)
            places[dim] = (places[dim] - shift % size) % size
        return x.at(*places)

    def onnx(self, to: Any, x: Any, *, shifts: Shape, dims: Shape) -> Any:
        y = x
        most = np.iinfo(np.int64).max
        for shift, dim in zip(shifts, dims, strict=True):
            if x.shape[dim] == 0:
                continue
            if not isinstance(x.shape[dim], int) and shift < 0:
                return None
            cut = -(shift % x.shape[dim]) if isinstance(x.shape[dim], int) else -shift
            if cut:
                last = to("Slice", y, [cut], [most], [dim])
                first = to("Slice", y, [0], [cut], [dim])
                y = to("Concat", last, first, axis=dim)
        return y

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 1
        yield make(3, 4), -2, 1
        yield make(2, 3, 4), (1, 5), (0, -1)
        yield make(3, 4), (1, 1), (0, 0)
        yield make(0, 3), 1, 0
        yield make(), 1

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), (1, 2), (0,)), RuntimeError, "must align. shifts: 2"
        yield lambda: make.call(make(3), 1, 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make(3), ()), RuntimeError, "`shifts` required"
        yield lambda: make.call(make(), 1, 0), IndexError, "tensor has no dimensions"


class Rot90(Composite):
    """The plane of two dimensions turned by ``k`` right angles, from the first to the second.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 2], [3, 4]]).rot90()
        tensor([[2, 4],
                [1, 3]])
    """

    name = "rot90"
    torch = "rot90(Tensor self, int k=1, int[] dims=[0,1]) -> Tensor"

    def __call__(self, x: Node, k: int = 1, dims: Sequence[int] = (0, 1)) -> Node:
        self._check(x, dims)
        a, b = (shapes.axis("rot90", dim, x.ndim) for dim in dims)
        turns = k % 4
        if turns == 0:
            return ops.clone(x)
        if turns == 2:
            return ops.flip(x, (a, b))
        return (
            ops.transpose(ops.flip(x, (b,)), a, b)
            if turns == 1
            else ops.flip(ops.transpose(x, a, b), (b,))
        )

    def _check(self, x: Node, dims: Sequence[int]) -> None:
        if len(dims) != 2:
            raise OperationError(
                "rot90", f"expected total rotation dims == 2, but got dims = {len(dims)}"
            )
        if x.ndim < 2:
            raise OperationError(
                "rot90", f"expected total dims >= 2, but got total dims = {x.ndim}"
            )
        if dims[0] == dims[1] or abs(dims[0] - dims[1]) == x.ndim:
            raise OperationError(
                "rot90",
                "expected rotation dims to be different, but got dim0 ="
                f" {dims[0]} and dim1 = {dims[1]}",
            )

    def samples(self, make: Any) -> Any:
        for k in (0, 1, 2, 3, -1, 5):
            yield make(3, 4), k
        yield make(2, 3, 4), 1, (-1, 0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 1, (0,)), RuntimeError, "rotation dims == 2"
        yield lambda: make.call(make(3, 4), 1, (0, -2)), RuntimeError, "to be different"
        yield lambda: make.call(make(3), 1), RuntimeError, "expected total dims >= 2"
        yield lambda: make.call(make(3, 4), 1, (0, 3)), IndexError, "Dimension out of range"


class Repeat(Composite):
    """The tensor laid out again and again along each dimension, new ones in front.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1, 2]).repeat(2, 2)
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
    """

    name, torch = "repeat", "repeat(Tensor self, int[] repeats) -> Tensor"

    def __call__(self, x: Node, repeats: Dims) -> Node:
        repeats = ints(repeats)
        extra = len(repeats) - x.ndim
        if extra < 0:
            raise ShapeError(
                "repeat",
                "Number of dimensions of repeat dims can not be smaller than number of dimensions"
                " of tensor",
                rule=f"The tensor is {x.shape}, repeats are {repeats}.",
            )
        old = (1,) * extra + x.shape
        if any(n < 0 for n in repeats):
            new = [n * times for n, times in zip(old, repeats, strict=True)]
            bad = next(n * times for n, times in zip(old, repeats, strict=True) if times < 0)
            raise ShapeError(
                "repeat", f"Trying to create tensor with negative dimension {bad}: {new}"
            )
        apart = tuple(n for size in old for n in (1, size))
        spread = tuple(n for pair in zip(repeats, old, strict=True) for n in pair)
        size = tuple(n * times for n, times in zip(old, repeats, strict=True))
        return ops.reshape(ops.expand(ops.reshape(x, apart), spread), size)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), (2, 1)
        yield make(3), (2, 3)
        yield make(4, 3).T, (1, 2)
        yield make(3), (0,)
        yield make(), (2, 2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 3), (2,)), RuntimeError, "can not be smaller"
        yield lambda: make.call(make(3), (-1,)), RuntimeError, "negative dimension -3"


class Tile(Composite):
    """:func:`repeat` that takes 1 for dimensions in front that ``dims`` does not name.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1, 2]).tile(2)
        tensor([1, 2, 1, 2])
    """

    name, torch = "tile", "tile(Tensor self, int[] dims) -> Tensor"

    def __call__(self, x: Node, dims: Dims) -> Node:
        dims = ints(dims)
        return ops.repeat(x, (1,) * (x.ndim - len(dims)) + dims)

    def samples(self, make: Any) -> Any:
        yield make(2, 3), (2,)
        yield make(3), (2, 1)
        yield make(), (2,)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), (-1,)), RuntimeError, "negative dimension -3"


class RepeatEach(Composite):
    """Each element several times in a row, along ``dim`` or of the flat tensor."""

    name = "repeat_each"

    def __call__(self, x: Node, repeats: int, dim: int | None = None) -> Node:
        if repeats < 0:
            raise OperationError("repeat_interleave", "Repeats must be non-negative")
        if dim is None:
            x, dim = ops.reshape(x, (-1,)), 0
        dim = shapes.axis("repeat_interleave", dim, x.ndim)
        if not x.ndim:
            x = ops.reshape(x, (1,))
        size = (*x.shape[: dim + 1], repeats, *x.shape[dim + 1 :])
        spread = ops.expand(ops.unsqueeze(x, dim + 1), size)
        return ops.reshape(spread, (*x.shape[:dim], x.shape[dim] * repeats, *x.shape[dim + 1 :]))


flip = Flip()
fliplr = Fliplr()
flipud = Flipud()
roll = Roll()
rot90 = Rot90()
repeat = Repeat()
tile = Tile()
repeat_each = RepeatEach()
