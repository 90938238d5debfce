"""Linear equations, inverses and determinants."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import DTypeError, Fault, NoKernelError, OperationError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .elementwise import TORCH_NAMES

Matrix = Any
BLOCK = 32
"""Rows that are solved for one by one; what is known is taken off all of them in one product."""


class LinAlgError(OperationError):
    """Linear algebra that cannot be done with the values given, such as a singular inverse."""


def matrices(operation: str, x: Any, *, half: bool = False, whole: bool = False) -> None:
    """Refuses what are not matrices of single or double precision.

    Args:
        half, whole: whether half precision or whole numbers are taken too.
    """
    if x.ndim < 2:
        raise ShapeError(
            operation,
            f"{operation}: The input tensor A must have at least 2 dimensions.",
            rule=f"It is {x.shape}.",
        )
    name = TORCH_NAMES[x.dtype.name][1:-1]
    if not (x.dtype.is_differentiable or whole):
        raise NoKernelError(
            operation,
            f"{operation}: Expected a floating point or complex tensor as input. Got {name}",
        )
    if x.dtype.is_half and not half:
        raise NoKernelError(
            operation, f"{operation}: Low precision dtypes not supported. Got {name}"
        )


def square(operation: str, x: Any, *, half: bool = False, whole: bool = False) -> None:
    """Refuses what are not square :func:`matrices`."""
    matrices(operation, x, half=half, whole=whole)
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(
            operation,
            f"{operation}: A must be batches of square matrices, but they are"
            f" {x.shape[-2]} by {x.shape[-1]} matrices",
        )


def adjoint(x: Node) -> Node:
    """The conjugate transpose of matrices."""
    return ops.transpose(ops.conj(x), -2, -1)


def wide(x: Node) -> Node:
    """A number for each matrix, to multiply matrices with."""
    return ops.unsqueeze(ops.unsqueeze(x, -1), -1)


def bad_made(make: Any) -> Any:
    """Uses that every function of square matrices refuses."""
    yield lambda: make.call(make(3, 4)), RuntimeError, "but they are 3 by 4 matrices"
    yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"
    yield lambda: make.call(make.int(3, 3)), RuntimeError, "floating point or complex"


def strong(make: Any, *shape: int) -> Any:
    """Matrices far from singular."""
    return make(*shape) + 5 * _eye_like(make, shape[-1])


def _eye_like(make: Any, size: int) -> Any:
    return make(size, size, low=1, high=1).tril().triu()


class Inv(Op):
    """The inverse of square matrices.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.inv(rl.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """

    autocast = "wide"
    name, module, backward = "linalg_inv", "linalg", "LinalgInvEx"
    batched = "front"
    torch = "inv(Tensor A) -> Tensor"
    ulp = 256

    def __call__(self, a: Node) -> Node:
        square("linalg.inv", a)
        return self.record((a,))

    def infer(self, a: Spec) -> Spec:
        return a

    def vjp(self, g: Node, y: Node, a: Node) -> tuple[Node | None, ...]:
        turned = adjoint(y)
        return (-ops.matmul.product(turned, ops.matmul.product(g, turned)),)

    def ref(self, a: Any) -> Any:
        try:
            return np.linalg.inv(a)
        except np.linalg.LinAlgError:
            raise _singular("linalg.inv", a) from None

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield strong(make, 2, 3, 3)
        yield make(0, 0)

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)
        yield lambda: make.call(make(3, 3) * 0), RuntimeError, "diagonal element 1 is zero"


def _singular(operation: str, a: Matrix) -> Fault:
    """The refusal of the first singular matrix of a batch."""
    for position, each in enumerate(a.reshape(-1, *a.shape[-2:])):
        pivot = _zero_pivot(each)
        if pivot:
            batch = f"(Batch element {position}): " if a.ndim > 2 else ""
            return LinAlgError(
                operation,
                f"{operation}: {batch}The diagonal element {pivot} is zero, the inversion could not"
                " be completed because the input matrix is singular.",
            )
    return LinAlgError(operation, f"{operation}: the input matrix is singular.")


def _zero_pivot(a: Matrix) -> int:
    """Which pivot of the elimination is 0, counted from 1; 0 when none is."""
    a = a.copy()
    for k in range(len(a)):
        best = k + int(np.argmax(np.abs(a[k:, k])))
        if a[best, k] == 0:
            return k + 1
        a[[k, best]] = a[[best, k]]
        a[k + 1 :] -= np.outer(a[k + 1 :, k] / a[k, k], a[k])
    return 0


class Solve(Op):
    """``X`` in ``A @ X = B``, or in ``X @ A = B`` without ``left``, for square matrices ``A``.

    ``B`` may be a vector for each matrix.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.solve(rl.tensor([[2.0, 0.0], [0.0, 4.0]]), rl.tensor([2.0, 2.0]))
        tensor([1.0000, 0.5000])
    """

    autocast = "wide"
    name, module, backward = "linalg_solve", "linalg", "LinalgSolveEx"
    torch = "solve(Tensor A, Tensor B, *, bool left=True) -> Tensor"
    ulp = 256

    def __call__(self, a: Node, b: Node, *, left: bool = True) -> Node:
        square("linalg.solve", a)
        if b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1]):
            return ops.squeeze(self(a, ops.unsqueeze(b, -1)), -1)
        matrices("linalg.solve", b)
        if not left:
            turned = self.record((ops.transpose(a, -2, -1), ops.transpose(b, -2, -1)))
            return ops.transpose(turned, -2, -1)
        return self.record((a, b))

    def infer(self, a: Spec, b: Spec) -> Spec:
        return b.with_shape(solved("linalg.solve", a, b))

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        gb = self.record((adjoint(a), g))
        return -ops.matmul.product(gb, adjoint(y)) if a.requires_grad else None, gb

    def ref(self, a: Any, b: Any) -> Any:
        try:
            return np.linalg.solve(a, b)
        except np.linalg.LinAlgError:
            raise LinAlgError(
                "linalg.solve",
                "torch.linalg.solve: The solver failed because the input matrix is singular.",
            ) from None

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3), make(3, 2)
        yield strong(make, 3, 3), make(3)
        yield strong(make, 2, 3, 3), make(3, 4)
        yield strong(make, 2, 3, 3), make(2, 3)
        yield strong(make, 3, 3), make(4, 3), {"left": False}

    def errors(self, make: Any) -> Any:
        a = make(3, 3)
        yield lambda: make.call(make(3, 4), make(3, 2)), RuntimeError, "3 by 4 matrices"
        yield lambda: make.call(a, make(4, 2)), RuntimeError, "Incompatible shapes of A and B"
        yield lambda: make.call(a * 0, make(3)), RuntimeError, "the input matrix is singular"
        yield lambda: make.call(a, make(3).double()), RuntimeError, "same dtype"


def solved(operation: str, a: Spec, b: Spec) -> Shape:
    """The shape of a solution."""
    if a.dtype is not b.dtype:
        raise DTypeError(
            operation,
            f"{operation}: Expected A and B to have the same dtype, but found A of type"
            f" {TORCH_NAMES[a.dtype.name][1:-1]} and B of type"
            f" {TORCH_NAMES[b.dtype.name][1:-1]} instead",
        )
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            operation,
            f"{operation}: Incompatible shapes of A and B for the equation AX = B"
            f" ({a.shape[-2]}x{a.shape[-1]} and {b.shape[-2]}x{b.shape[-1]})",
        )
    return (*shapes.broadcast(operation, a.shape[:-2], b.shape[:-2]), *b.shape[-2:])


class SolveTriangular(Op):
    """:func:`solve` for triangular matrices; what is on the other side of ``A`` is not read.

    Example:
        >>> import rushlight as rl
        >>> a = rl.tensor([[2.0, 0.0], [2.0, 4.0]])
        >>> rl.linalg.solve_triangular(a, rl.tensor([[2.0], [6.0]]), upper=False)
        tensor([[1.],
                [1.]])
    """

    name, module = "linalg_solve_triangular", "linalg"
    batched = "front"
    attrs = ("upper", "unitriangular")
    torch = (
        "solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True,"
        " bool unitriangular=False) -> Tensor"
    )
    ulp = 64

    def __call__(
        self, a: Node, b: Node, *, upper: bool, left: bool = True, unitriangular: bool = False
    ) -> Node:
        square("linalg.solve_triangular", a)
        matrices("linalg.solve_triangular", b)
        rank = max(a.ndim, b.ndim)  # as many dimensions in front of both
        a, b = (ops.reshape(x, (1,) * (rank - x.ndim) + x.shape) for x in (a, b))
        if left:
            return self.record((a, b), bool(upper), bool(unitriangular))
        turned = ops.transpose(a, -2, -1), ops.transpose(b, -2, -1)
        return ops.transpose(self.record(turned, not upper, bool(unitriangular)), -2, -1)

    def infer(self, a: Spec, b: Spec, *, upper: bool, unitriangular: bool) -> Spec:
        return b.with_shape(solved("linalg.solve_triangular", a, b))

    def vjp(
        self, g: Node, y: Node, a: Node, b: Node, *, upper: bool, unitriangular: bool
    ) -> tuple[Node | None, ...]:
        gb = self.record((adjoint(a), g), not upper, unitriangular)
        if not a.requires_grad:
            return None, gb
        full = -ops.matmul.product(gb, adjoint(y))
        off = int(unitriangular)
        return (ops.triu(full, off) if upper else ops.tril(full, -off)), gb

    def ref(self, a: Any, b: Any, *, upper: bool, unitriangular: bool) -> Any:
        shape = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        x = np.array(np.broadcast_to(b, (*shape, *b.shape[-2:])))
        size = a.shape[-1]
        for first in range(0, size, BLOCK):
            rows = slice(first, min(first + BLOCK, size))
            if upper:
                rows = slice(max(size - first - BLOCK, 0), size - first)
            known = slice(rows.stop, size) if upper else slice(0, rows.start)
            x[..., rows, :] -= a[..., rows, known] @ x[..., known, :]
            _substitute(a[..., rows, rows], x[..., rows, :], upper, unitriangular)
        return x

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3), make(3, 2), {"upper": True}
        yield strong(make, 2, 3, 3), make(3, 2), {"upper": False}
        yield strong(make, 3, 3), make(2, 3), {"upper": True, "left": False}
        yield make(3, 3), make(3, 2), {"upper": False, "unitriangular": True}

    def errors(self, make: Any) -> Any:
        a = make(3, 3)
        yield lambda: make.call(make(3, 4), a, upper=True), RuntimeError, "3 by 4 matrices"
        yield lambda: make.call(a, make(4, 2), upper=True), RuntimeError, "Incompatible shapes"


def _substitute(a: Matrix, x: Matrix, upper: bool, unitriangular: bool) -> None:
    """Solves for the rows of a triangular block in place, one after the other."""
    size = a.shape[-1]
    for k in reversed(range(size)) if upper else range(size):
        known = slice(k + 1, size) if upper else slice(0, k)
        row = a[..., k : k + 1, known] @ x[..., known, :]
        x[..., k, :] -= row[..., 0, :]
        if not unitriangular:
            x[..., k, :] /= a[..., k, k, None]


class CholeskySolve(Composite):
    """``X`` in ``A @ X = B`` from the Cholesky factor of ``A``."""

    autocast = "wide"
    name, torch = (
        "cholesky_solve",
        "cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor",
    )
    ulp = 256

    def __call__(self, b: Node, factor: Node, upper: bool = False) -> Node:
        for x, who in ((b, "b"), (factor, "u")):
            if x.ndim < 2:
                raise ShapeError(
                    "cholesky_solve",
                    f"{who} should have at least 2 dimensions, but has {x.ndim} dimensions instead",
                )
        lower = adjoint(factor) if upper else factor
        half = ops.linalg_solve_triangular(lower, b, upper=False)
        return ops.linalg_solve_triangular(adjoint(lower), half, upper=True)

    def samples(self, make: Any) -> Any:
        yield make(3, 2), strong(make, 3, 3).detach()
        yield make(2, 3, 2), strong(make, 3, 3).detach(), True

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(3, 3)), RuntimeError, "b should have at least 2"
        yield lambda: make.call(make(3, 2), make(2, 2)), RuntimeError, "Incompatible shapes"


linalg_inv = Inv()
linalg_solve = Solve()
linalg_solve_triangular = SolveTriangular()
cholesky_solve = CholeskySolve()
