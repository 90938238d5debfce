"""One tensor into several: views of its parts.

Each function returns a tuple of views of the input, so what is written to a part is written to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import OperationError, RangeError, ShapeError
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite

Parts = tuple[Node, ...]


def pieces(x: Node, sizes: Sequence[int], dim: int) -> Parts:
    """Slices of these sizes, one behind the other."""
    found, start = [], 0
    for size in sizes:
        found.append(ops.slice_.at(x, number(start), dim, size, 1))
        start += size
    return tuple(found)


def between(x: Node, places: Sequence[int], dim: int) -> Parts:
    """Slices that end and begin at these places, as Python slices."""
    ends = [*places, None]
    return tuple(
        ops.slice_(x, dim, start, end) for start, end in zip([0, *places], ends, strict=True)
    )


def _not_scalar(operation: str, x: Node) -> None:
    if not x.ndim:
        raise ShapeError(operation, f"{operation} expects at least a 1-dimensional tensor")


class SplitWithSizes(Composite):
    """Parts of the sizes given along a dimension.

    Example:
        >>> import rushlight as rl
        >>> rl.arange(5).split_with_sizes([1, 4])
        (tensor([0]), tensor([1, 2, 3, 4]))
    """

    name = "split_with_sizes"
    torch = "split_with_sizes(Tensor(a) self, int[1] split_sizes, int dim=0) -> Tensor(a)[]"

    def __call__(self, x: Node, split_sizes: Sequence[int], dim: int = 0) -> Parts:
        _not_scalar("split_with_sizes", x)
        dim, sizes = shapes.axis("split_with_sizes", dim, x.ndim), [int(n) for n in split_sizes]
        if any(n < 0 for n in sizes):
            raise OperationError(
                "split_with_sizes",
                "split_with_sizes expects split_sizes have only non-negative entries, but got"
                f" split_sizes={sizes}",
            )
        if sum(sizes) != x.shape[dim]:
            raise OperationError(
                "split_with_sizes",
                f"split_with_sizes expects split_sizes to sum exactly to {x.shape[dim]} (input"
                f" tensor's size at dimension {dim}), but got split_sizes={sizes}",
            )
        return pieces(x, sizes, dim)

    def samples(self, make: Any) -> Any:
        yield make(5, 3), [2, 0, 3]
        yield make(3, 5).T, (4, 1), -2
        yield make(3, 0), [0], 1

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(5), [2, 2]), RuntimeError, "to sum exactly to 5"
        yield lambda: make.call(make(5), [-1, 6]), RuntimeError, "non-negative entries"
        yield lambda: make.call(make(), [0]), RuntimeError, "at least a 1-dimensional"


class Split(Composite):
    """Parts of one size (the last may be smaller), or of the sizes given.

    Example:
        >>> import rushlight as rl
        >>> rl.arange(5).split(2)
        (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """

    name = "split"
    torch = (
        "split(Tensor(a) self, Any split_size, int dim=0) -> Tensor(a)[]",
        "unsafe_split(Tensor(a) self, Any split_size, int dim=0) -> Tensor(a)[]",
    )

    def __call__(self, x: Node, split_size: int | Sequence[int], dim: int = 0) -> Parts:
        if not isinstance(split_size, int):
            return ops.split_with_sizes(x, split_size, dim)
        _not_scalar("split", x)
        dim = shapes.axis("split", dim, x.ndim)
        size = x.shape[dim]
        if split_size < 0:
            raise OperationError(
                "split",
                f"split expects split_size be non-negative, but got split_size={split_size}",
            )
        if split_size == 0:
            if size:
                raise OperationError(
                    "split",
                    "split_size can only be 0 if dimension size is 0, but got dimension size of"
                    f" {size}",
                )
            return pieces(x, [0], dim)
        starts = range(0, size, split_size) if size else (0,)
        return pieces(x, [min(split_size, size - start) for start in starts], dim)

    def samples(self, make: Any) -> Any:
        yield make(5, 3), 2
        yield make(3, 5).T, 5
        yield make(2, 6), 4, 1
        yield make(5, 3), [1, 4]
        yield make(0, 3), 2

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(5), 0), RuntimeError, "split_size can only be 0"
        yield lambda: make.call(make(5), -1), RuntimeError, "be non-negative"
        yield lambda: make.call(make(5), 1, 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make(), 1), RuntimeError, "at least a 1-dimensional"


class Chunk(Composite):
    """At most so many parts of equal size; the last may be smaller, and there may be fewer.

    Example:
        >>> import rushlight as rl
        >>> rl.arange(5).chunk(2)
        (tensor([0, 1, 2]), tensor([3, 4]))
    """

    name = "chunk"
    torch = (
        "chunk(Tensor(a) self, int chunks, int dim=0) -> Tensor(a)[]",
        "unsafe_chunk(Tensor(a) self, int chunks, int dim=0) -> Tensor(a)[]",
    )

    def __call__(self, x: Node, chunks: int, dim: int = 0) -> Parts:
        _not_scalar("chunk", x)
        if chunks <= 0:
            raise OperationError(
                "chunk", f"chunk expects `chunks` to be greater than 0, got: {chunks}"
            )
        dim = shapes.axis("chunk", dim, x.ndim)
        size = x.shape[dim]
        if not size:
            return pieces(x, [0] * chunks, dim)
        return ops.split(x, -(-size // chunks), dim)

    def samples(self, make: Any) -> Any:
        yield make(6, 3), 4
        yield make(3, 5).T, 2
        yield make(2, 6), 3, -1
        yield make(0, 3), 2

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(5), 0), RuntimeError, "to be greater than 0"
        yield lambda: make.call(make(5), 1, 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make(), 1), RuntimeError, "at least a 1-dimensional"


MOST_SECTIONS = 1 << 24  # each is a view of its own, of some hundred bytes


class TensorSplit(Composite):
    """So many parts whose sizes differ by 1 at most, or parts that end at the places given.

    Example:
        >>> import rushlight as rl
        >>> rl.arange(5).tensor_split((1, 3))
        (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """

    name = "tensor_split"
    torch = "tensor_split(Tensor(a) self, int[1] indices_or_sections, int dim=0) -> Tensor(a)[]"

    def __call__(self, x: Node, indices_or_sections: int | Sequence[int], dim: int = 0) -> Parts:
        if not x.ndim:
            raise ShapeError(
                "tensor_split",
                "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0"
                " dims",
            )
        dim = shapes.axis("tensor_split", dim, x.ndim)
        if not isinstance(indices_or_sections, int):
            return between(x, [int(n) for n in indices_or_sections], dim)
        count = indices_or_sections
        if not 0 < count <= MOST_SECTIONS:
            wanted = "larger than 0" if count <= 0 else f"at most {MOST_SECTIONS}"
            raise OperationError(
                "tensor_split", f"number of sections must be {wanted}, got {count}"
            )
        least, more = divmod(x.shape[dim], count)
        return pieces(x, [least + (k < more) for k in range(count)], dim)

    def samples(self, make: Any) -> Any:
        yield make(7, 3), 3
        yield make(3, 5).T, (1, 3)
        yield make(2, 6), (2, -1, 9), 1
        yield make(2), 4

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(5), 0), RuntimeError, "must be larger than 0"
        yield lambda: make.call(make(5), 1, 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make(), 1), RuntimeError, "at least a 1-dimensional"


class Along(Composite):
    """:func:`tensor_split` into equal parts along a dimension of its own. Abstract."""

    rank = 1

    def dim(self, x: Node) -> int:
        """The dimension to split."""
        return self.rank - 1

    def __call__(self, x: Node, indices_or_sections: int | Sequence[int]) -> Parts:
        if x.ndim < self.rank:
            raise ShapeError(
                self.name,
                f"torch.{self.name} requires a tensor with at least {self.rank} dimension"
                f"{'s' if self.rank > 1 else ''}, but got a tensor with {x.ndim} dimensions!",
            )
        dim, count = self.dim(x), indices_or_sections
        if isinstance(count, int) and (count <= 0 or x.shape[dim] % count):
            raise OperationError(
                self.name,
                f"torch.{self.name} attempted to split along dimension {dim}, but the size of the"
                f" dimension {x.shape[dim]} is not divisible by the split_size {count}!",
            )
        return ops.tensor_split(x, count, dim)

    def samples(self, make: Any) -> Any:
        yield make(2, 4, 6), 2
        yield make(2, 4, 6), (1, 2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(5, 5, 5), 2), RuntimeError, "is not divisible"
        yield lambda: make.call(make(), 1), RuntimeError, "requires a tensor with at least"


class Hsplit(Along):
    """Parts side by side: along dimension 1, of a vector along 0."""

    name = "hsplit"
    torch = "hsplit(Tensor(a) self, int[1] indices_or_sections) -> Tensor(a)[]"

    def dim(self, x: Node) -> int:
        return 0 if x.ndim == 1 else 1

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make(4), 2


class Vsplit(Along):
    """Parts one below the other: along dimension 0."""

    name, rank = "vsplit", 2
    torch = "vsplit(Tensor(a) self, int[1] indices_or_sections) -> Tensor(a)[]"

    def dim(self, x: Node) -> int:
        return 0


class Dsplit(Along):
    """Parts one behind the other in depth: along dimension 2."""

    name, rank = "dsplit", 3
    torch = "dsplit(Tensor(a) self, int[1] indices_or_sections) -> Tensor(a)[]"


class Unbind(Composite):
    """The parts along a dimension, which disappears.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 2], [3, 4]]).unbind(1)
        (tensor([1, 3]), tensor([2, 4]))
    """

    name, torch = "unbind", "unbind(Tensor(a) self, int dim=0) -> Tensor(a)[]"

    def __call__(self, x: Node, dim: int = 0) -> Parts:
        if not x.ndim:
            raise RangeError("unbind", f"Dimension specified as {dim} but tensor has no dimensions")
        dim = shapes.axis("unbind", dim, x.ndim)
        return tuple(ops.select.record((x, number(k)), dim) for k in range(x.shape[dim]))

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(4, 3).T, -1
        yield make(3, 0)
        yield make(0, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make()), IndexError, "tensor has no dimensions"


split_with_sizes = SplitWithSizes()
split = Split()
chunk = Chunk()
tensor_split = TensorSplit()
hsplit = Hsplit()
vsplit = Vsplit()
dsplit = Dsplit()
unbind = Unbind()
