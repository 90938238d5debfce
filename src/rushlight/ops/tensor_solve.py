"""Equations whose unknowns are tensors, matrices of powers, and triangular equations' old name."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index
from typing import Any

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import int64
from rushlight.base.errors import DTypeError, NoKernelError, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .elementwise import TORCH_NAMES
from .solve import matrices, square, strong


class TensorInv(Composite):
    """The inverse for :func:`tensordot` over ``ind`` dimensions: ``A`` as a square matrix inverted.

    The first ``ind`` dimensions and the others must have as many elements.
    """

    autocast = "wide"
    name, module = "linalg_tensorinv", "linalg"
    torch = "tensorinv(Tensor self, int ind=2) -> Tensor"
    ulp = 256

    def __call__(self, a: Node, ind: int = 2) -> Node:
        if ind <= 0:
            raise OperationError(
                "linalg.tensorinv",
                f"Expected a strictly positive integer for 'ind', but got {ind}",
            )
        first, last = a.shape[:ind], a.shape[ind:]
        if ind > a.ndim or prod(first) != prod(last):
            raise ShapeError(
                "linalg.tensorinv",
                "Expected self to satisfy the requirement prod(self.shape[ind:]) =="
                f" prod(self.shape[:ind]), but got {prod(last)} != {prod(first)}",
            )
        inverse = ops.linalg_inv(ops.reshape(a, (prod(last), prod(first))))
        return ops.reshape(inverse, (*last, *first))

    def samples(self, make: Any) -> Any:
        yield strong(make, 6, 6).reshape(2, 3, 3, 2)
        yield strong(make, 4, 4).reshape(4, 2, 2), 1

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 2), 0), RuntimeError, "strictly positive integer"
        yield lambda: make.call(make(2, 3, 4), 1), RuntimeError, "but got 12 != 2"
        yield lambda: make.call(make(2, 3), 5), RuntimeError, "to satisfy the requirement"


class TensorSolve(Composite):
    """``X`` with ``tensordot(A, X, X.ndim) = B``; ``dims`` of ``A`` are first moved to its end."""

    autocast = "wide"
    name, module = "linalg_tensorsolve", "linalg"
    torch = "tensorsolve(Tensor self, Tensor other, int[1]? dims=None) -> Tensor"
    ulp = 256

    def __call__(self, a: Node, b: Node, dims: int | Sequence[int] | None = None) -> Node:
        if dims is not None:
            given = (dims,) if isinstance(dims, int) else tuple(dims)
            moved = [shapes.axis("linalg.tensorsolve", d, a.ndim) for d in given]
            a = ops.permute(a, (*(d for d in range(a.ndim) if d not in moved), *moved))
        shape = a.shape[b.ndim :]
        size = prod(shape)
        if size != prod(a.shape[: b.ndim]):
            raise ShapeError(
                "linalg.tensorsolve",
                "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) =="
                f" prod(self.shape[:other.ndim]), but got {size} != {prod(a.shape[: b.ndim])}",
            )
        found = ops.linalg_solve(ops.reshape(a, (size, size)), ops.reshape(b, (-1,)))
        return ops.reshape(found, shape)

    def samples(self, make: Any) -> Any:
        yield strong(make, 6, 6).reshape(2, 3, 6), make(2, 3)
        yield strong(make, 6, 6).reshape(6, 2, 3), make(6), (1, 2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 3, 6), make(3)), RuntimeError, "but got 18 != 2"
        yield lambda: make.call(make(2, 2), make(2), (7,)), IndexError, "Dimension out of range"


class LinalgVander(Composite):
    """The powers 0 to ``N - 1`` of each element, in a new last dimension; as many as elements.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.vander(rl.tensor([1, 2, 3]))
        tensor([[1, 1, 1],
                [1, 2, 4],
                [1, 3, 9]])
    """

    name, module, ulp = "linalg_vander", "linalg", 16
    torch = "vander(Tensor x, *, int? N=None) -> Tensor"

    def __call__(self, x: Node, *, N: int | None = None) -> Node:
        kind = TORCH_NAMES[x.dtype.name][1:-1]
        if x.dtype.kind == "bool" or x.dtype.is_half:
            raise DTypeError(
                "linalg.vander",
                "linalg.vander supports floating point, complex, and integer tensors, but got"
                f" {kind}",
            )
        count = (x.shape[-1] if x.ndim else 1) if N is None else index(N)
        if count <= 1:
            raise OperationError("linalg.vander", "N must be greater than 1.")
        x = ops.cast(x, int64) if x.dtype.kind == "int" else x
        return _powers(x if x.ndim else ops.unsqueeze(x, 0), count)

    def samples(self, make: Any) -> Any:
        yield make(3)
        yield make(2, 3), {"N": 5}
        yield make.int(4), {"N": 2}
        yield make.complex(3)
        yield make(), {"N": 3}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make.bool(3)), RuntimeError, "but got Bool"
        yield lambda: make.call(make(1)), RuntimeError, "greater than 1"
        yield lambda: make.call(make(3), N=1), RuntimeError, "greater than 1"


def _powers(x: Node, count: int) -> Node:
    """The powers 0 to ``count - 1`` along a new last dimension."""
    ones = ops.full((*x.shape, 1), 1, x.dtype)
    if count == 1:
        return ones
    columns = ops.expand(ops.unsqueeze(x, -1), (*x.shape, count - 1))
    return ops.cat((ones, ops.cumprod(columns, -1)), -1)


class Vander(Composite):
    """The powers of a vector's elements as columns, the highest first unless ``increasing``."""

    name, ulp = "vander", 16
    torch = "vander(Tensor x, int? N=None, bool increasing=False) -> Tensor"

    def __call__(self, x: Node, N: int | None = None, increasing: bool = False) -> Node:
        if x.ndim != 1:
            raise ShapeError(
                "vander", "x must be a one-dimensional tensor.", rule=f"It is {x.shape}."
            )
        count = x.shape[0] if N is None else index(N)
        if count < 0:
            raise OperationError("vander", "N must be non-negative.")
        if x.dtype.kind in ("bool", "int"):
            x = ops.cast(x, int64)
        if not count:
            return ops.full((x.shape[0], 0), 1, x.dtype)
        powers = _powers(x, count)
        return powers if increasing else ops.flip(powers, (1,))

    def samples(self, make: Any) -> Any:
        yield make(3).detach()  # PyTorch's own gradient fails
        yield make.int(3), 2, True
        yield make(3), 0
        yield make(3), 1

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 2)), RuntimeError, "one-dimensional"
        yield lambda: make.call(make(2), -1), RuntimeError, "must be non-negative"


class TriangularSolve(Composite):
    """``X`` in ``A @ X = B`` for triangular ``A`` (its transpose with ``transpose``), and ``A``."""

    autocast = "wide"
    name, ulp = "triangular_solve", 256
    torch = (
        "triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False,"
        " bool unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)"
    )

    def __call__(
        self, b: Node, a: Node, upper: bool = True, transpose: bool = False,
        unitriangular: bool = False,
    ) -> tuple[Node, Node]:  # fmt: skip
        for x, name in ((b, "b"), (a, "A")):
            if x.ndim < 2:
                raise ShapeError(
                    "triangular_solve",
                    f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it"
                    f" has {x.ndim} dimensions instead",
                )
        if not a.dtype.is_differentiable:
            kind = TORCH_NAMES[a.dtype.name]
            raise NoKernelError(
                "triangular_solve", f'"triangular_solve_cpu" not implemented for {kind}'
            )
        square("triangular_solve", a)
        matrices("triangular_solve", b)
        used = ops.transpose(a, -2, -1) if transpose else a
        solution = ops.linalg_solve_triangular(
            used, b, upper=upper != transpose, unitriangular=unitriangular
        )
        batch = shapes.broadcast("triangular_solve", a.shape[:-2], b.shape[:-2])
        return solution, ops.clone(ops.expand(a, (*batch, *a.shape[-2:])))

    def samples(self, make: Any) -> Any:
        yield make(3, 2), strong(make, 3, 3)
        yield make(3, 2), strong(make, 2, 3, 3), False
        yield make(3, 2), strong(make, 3, 3), True, True
        yield make(3, 2), make(3, 3), False, True, True

    def errors(self, make: Any) -> Any:
        a = make(3, 3)
        yield lambda: make.call(make(3), a), RuntimeError, "Expected b to have at least 2"
        yield lambda: make.call(make(3, 2), make(2, 3)), RuntimeError, "2 by 3 matrices"
        yield lambda: make.call(make(2, 2), a), RuntimeError, "Incompatible shapes"
        yield lambda: make.call(make(3, 2), a.double()), RuntimeError, "same dtype"


linalg_tensorinv = TensorInv()
linalg_tensorsolve = TensorSolve()
linalg_vander = LinalgVander()
vander = Vander()
triangular_solve = TriangularSolve()
