"""Diagonals as vectors and vectors as diagonals; products that fill blocks."""

from __future__ import annotations

from operator import index
from typing import Any

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import bool_
from rushlight.base.errors import NoKernelError, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .join import together


class DiagEmbed(Composite):
    """The last dimension laid on a diagonal of matrices, zeros elsewhere.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1, 2]).diag_embed(1)
        tensor([[0, 1, 0],
                [0, 0, 2],
                [0, 0, 0]])
    """

    name = "diag_embed"
    torch = "diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor"

    def __call__(self, x: Node, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Node:
        first = shapes.axis("diag_embed", dim1, x.ndim + 1)
        second = shapes.axis("diag_embed", dim2, x.ndim + 1)
        if first == second:
            raise OperationError(
                "diag_embed", f"diagonal dimensions cannot be identical {dim1}, {dim2}"
            )
        size = x.shape[-1] + abs(index(offset))
        rest = iter(x.shape[:-1])
        shape = tuple(size if d in (first, second) else next(rest) for d in range(x.ndim + 1))
        return ops.undiagonal.record((x,), shape, int(offset), first, second)

    def samples(self, make: Any) -> Any:
        yield make(3)
        yield make(2, 3), 1
        yield make(2, 3), -2, 0, 2
        yield make(2, 0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 0, 1, -1), RuntimeError, "cannot be identical"
        yield lambda: make.call(make(3), 0, 0, 2), IndexError, "Dimension out of range"


class Diag(Composite):
    """A vector as the diagonal of a matrix, or the diagonal of a matrix as a vector.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([1, 2]).diag()
        tensor([[1, 0],
                [0, 2]])
    """

    name, torch = "diag", "diag(Tensor self, int diagonal=0) -> Tensor"

    def __call__(self, x: Node, diagonal: int = 0) -> Node:
        if x.ndim not in (1, 2):
            raise ShapeError("diag", f"diag(): Supports 1D or 2D tensors. Got {x.ndim}D")
        if x.ndim == 1:
            return ops.diag_embed(x, diagonal)
        return ops.clone(ops.diagonal(x, diagonal))

    def samples(self, make: Any) -> Any:
        yield make(3)
        yield make(3), -1
        yield make(3, 4), 1
        yield make(4, 3).T

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make()), RuntimeError, "Supports 1D or 2D tensors. Got 0D"


class Diagflat(Composite):
    """All elements as the diagonal of a matrix."""

    name, torch = "diagflat", "diagflat(Tensor self, int offset=0) -> Tensor"

    def __call__(self, x: Node, offset: int = 0) -> Node:
        return ops.diag_embed(ops.reshape(x, (-1,)), offset)

    def samples(self, make: Any) -> Any:
        yield make(2, 2)
        yield make(3), 1
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call([1.0]), TypeError, "must be Tensor, not list"


class Trace(Composite):
    """The sum of the diagonal of a matrix.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 2], [3, 4]]).trace()
        tensor(5)
    """

    autocast = "wide"
    name, torch = "trace", "trace(Tensor self) -> Tensor"

    def __call__(self, x: Node) -> Node:
        if x.ndim != 2:
            raise ShapeError("trace", f"trace: expected a matrix, but got tensor with dim {x.ndim}")
        if x.dtype is bool_:
            raise NoKernelError("trace", "\"trace\" not implemented for 'Bool'")
        return ops.sum(ops.diagonal(x))

    def samples(self, make: Any) -> Any:
        yield make(3, 3)
        yield make(4, 3).T
        yield make.int(2, 2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "expected a matrix"
        yield lambda: make.call(make.bool(2, 2)), NotImplementedError, "for 'Bool'"


class Kron(Composite):
    """Each element of ``input`` times all of ``other``, as blocks of one tensor.

    Example:
        >>> import rushlight as rl
        >>> rl.kron(rl.eye(2), rl.tensor([[1.0, 2.0]]))
        tensor([[1., 2., 0., 0.],
                [0., 0., 1., 2.]])
    """

    name, torch = "kron", "kron(Tensor self, Tensor other) -> Tensor"

    def __call__(self, x: Node, other: Node) -> Node:
        rank = max(x.ndim, other.ndim)
        a = (1,) * (rank - x.ndim) + x.shape
        b = (1,) * (rank - other.ndim) + other.shape
        left = ops.reshape(x, tuple(n for size in a for n in (size, 1)))
        right = ops.reshape(other, tuple(n for size in b for n in (1, size)))
        return ops.reshape(left * right, tuple(m * n for m, n in zip(a, b, strict=True)))

    def samples(self, make: Any) -> Any:
        yield make(2, 3), make(3, 2)
        yield make(2), make(2, 2)
        yield make.int(2), make(3)
        yield make(), make(2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), 3), TypeError, "must be Tensor, not int"


class BlockDiag(Composite):
    """Matrices as the blocks on the diagonal of one; vectors are rows.

    Example:
        >>> import rushlight as rl
        >>> rl.block_diag(rl.tensor([[1]]), rl.tensor([[2, 3]]))
        tensor([[1, 0, 0],
                [0, 2, 3]])
    """

    name, torch = "block_diag", "block_diag(Tensor[] *tensors) -> Tensor"

    def __call__(self, tensors: tuple[Node, ...]) -> Node:
        for position, x in enumerate(tensors):
            if x.ndim > 2:
                raise ShapeError(
                    "block_diag",
                    "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input"
                    f" {position} has {x.ndim} dimensions",
                )
        blocks = together(tuple(x if x.ndim == 2 else ops.atleast_2d((x,)) for x in tensors))
        width = sum(x.shape[1] for x in blocks)
        rows, start = [], 0
        for x in blocks:
            left = ops.full((x.shape[0], start), 0, x.dtype)
            start += x.shape[1]
            right = ops.full((x.shape[0], width - start), 0, x.dtype)
            rows.append(ops.cat((left, x, right), 1))
        return ops.cat(tuple(rows), 0)

    def samples(self, make: Any) -> Any:
        yield make(2, 3), make(1, 2)
        yield make(2), make(), make.int(2, 2)
        yield (make(2, 2),)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 2, 2)), RuntimeError, "2 or fewer dimensions"


diag_embed = DiagEmbed()
diag = Diag()
diagflat = Diagflat()
trace = Trace()
kron = Kron()
block_diag = BlockDiag()
