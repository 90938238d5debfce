"""Norms of matrices, and what is told from their singular values."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgTypeError, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .solve import matrices, square, strong

ORDERS = ("fro", "nuc", 1, -1, 2, -2, inf, -inf)


class MatrixNorm(Composite):
    """A norm of the matrices in two dimensions.

    ``ord`` is ``"fro"`` (the 2-norm of all elements), ``"nuc"`` (the sum of the singular values),
    2 and -2 (the largest and the smallest of them), 1, -1 and infinities (of sums of columns and
    rows).

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.matrix_norm(rl.tensor([[3.0, 0.0], [0.0, 4.0]]), 2)
        tensor(4.)
    """

    name, module = "linalg_matrix_norm", "linalg"
    torch = (
        "matrix_norm(Tensor A, Any ord='fro', int[2] dim=[-2,-1], bool keepdim=False, *,"
        " ScalarType? dtype=None) -> Tensor"
    )
    ulp = 64

    def __call__(
        self, a: Node, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *,
        dtype: DType | None = None,
    ) -> Node:  # fmt: skip
        if ord not in ORDERS:
            raise OperationError(
                "linalg.matrix_norm", f"linalg.matrix_norm: Order {ord} not supported."
            )
        matrices("linalg.matrix_norm", a, half=True)
        if isinstance(dim, int) or len(dim) != 2:
            raise OperationError(
                "linalg.matrix_norm", f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}"
            )
        rows, columns = (shapes.axis("linalg.matrix_norm", d, a.ndim) for d in dim)
        if rows == columns:
            raise OperationError(
                "linalg.matrix_norm",
                f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})",
            )
        a = a if dtype is None else ops.cast(a, dtype)
        if ord == "fro":
            return ops.linalg_vector_norm(a, 2, (rows, columns), keepdim)
        if ord in ("nuc", 2, -2):
            return self._of_singular_values(a, ord, rows, columns, keepdim)
        if ord in (1, -1):
            rows, columns = columns, rows
        sums = ops.linalg_vector_norm(a, 1, columns, True)
        extreme = ops.amax(sums, rows, True) if ord > 0 else ops.amin(sums, rows, True)
        return extreme if keepdim else ops.squeeze(extreme, (rows, columns))

    def _of_singular_values(
        self, a: Node, ord: Any, rows: int, columns: int, keepdim: bool
    ) -> Node:
        values = ops.linalg_svdvals(ops.movedim(a, (rows, columns), (-2, -1)))
        reduce = {"nuc": ops.sum, 2: ops.amax, -2: ops.amin}[ord]
        norm: Node = reduce(values, -1)
        for dim in sorted((rows, columns)) if keepdim else ():
            norm = ops.unsqueeze(norm, dim)
        return norm

    def samples(self, make: Any) -> Any:
        for ord in ORDERS:
            yield make(3, 4), ord
            yield make(4, 2, 3), {"ord": ord, "dim": (0, 2), "keepdim": True}
        yield make(2, 3, 3)

    def errors(self, make: Any) -> Any:
        a = make(3, 4)
        yield lambda: make.call(a, 3), RuntimeError, "Order 3 not supported"
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"
        yield lambda: make.call(a, dim=(0, -2)), RuntimeError, "dims must be different"
        yield lambda: make.call(a, dim=(0,)), RuntimeError, "must be a 2-tuple"


class LinalgNorm(Composite):
    """A norm of the vectors or matrices in ``dim``, or of a whole vector or matrix.

    Without ``ord`` it is the 2-norm of all elements.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.norm(rl.tensor([3.0, 4.0]))
        tensor(5.)
    """

    name, module = "linalg_norm", "linalg"
    torch = (
        "norm(Tensor A, Any ord=None, int[1]? dim=None, bool keepdim=False, *,"
        " ScalarType? dtype=None) -> Tensor"
    )
    ulp = 64

    def __call__(
        self, a: Node, ord: Any = None, dim: Any = None, keepdim: bool = False, *,
        dtype: DType | None = None,
    ) -> Node:  # fmt: skip
        count = None if dim is None else 1 if isinstance(dim, int) else len(dim)
        if count not in (None, 1, 2) and ord is not None:
            raise OperationError(
                "linalg.norm",
                f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dim)}",
            )
        if ord is None:
            return ops.linalg_vector_norm(a, 2, dim, keepdim, dtype=dtype)
        if dim is None:
            if a.ndim not in (1, 2):
                raise ShapeError(
                    "linalg.norm",
                    "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D."
                    f" Got {a.ndim}D.",
                )
            dim, count = (-2, -1)[2 - a.ndim :], a.ndim
        if count == 2:
            return ops.linalg_matrix_norm(a, ord, dim, keepdim, dtype=dtype)
        return ops.linalg_vector_norm(a, ord, dim, keepdim, dtype=dtype)

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 4)
        yield make(4), 3
        yield make(3, 4), "nuc"
        yield make(2, 3, 4), 1, (0, 1), True
        yield make(2, 3, 4), {"ord": inf, "dim": 1}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 3, 4), 2), RuntimeError, "must be 1D or 2D. Got 3D"
        yield lambda: make.call(make(3, 4), 3), RuntimeError, "Order 3 not supported"
        yield lambda: make.call(make(2, 3, 4), 2, (0, 1, 2)), RuntimeError, "of length 1 or 2"


class Cond(Composite):
    """The condition number of matrices: how much a solution magnifies a change of the input."""

    autocast = "wide"
    name, module = "linalg_cond", "linalg"
    torch = "cond(Tensor self, Any p=None) -> Tensor"
    ulp = 256

    def __call__(self, a: Node, p: Any = None) -> Node:
        matrices("linalg.cond", a)
        if p in (None, 2, -2):
            values = ops.linalg_svdvals(a)
            first, last = ops.select(values, -1, 0), ops.select(values, -1, -1)
            ratio: Node = last / first if p == -2 else first / last
            return ratio
        square("linalg.cond", a)
        size = ops.linalg_matrix_norm
        condition: Node = size(a, p) * size(ops.linalg_inv(a), p)
        return condition

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield strong(make, 3, 3), -2
        for p in ("fro", "nuc", 1, inf):
            yield strong(make, 3, 3).detach(), p
        yield make(2, 4, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"
        yield lambda: make.call(make(3, 4), 1), RuntimeError, "3 by 4 matrices"


class MatrixRank(Composite):
    """How many singular values of matrices are above ``max(atol, rtol * largest)``.

    ``rtol`` is the precision times the larger size when neither is given.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.matrix_rank(rl.ones(3, 3))
        tensor(1)
    """

    autocast = "wide"
    name, module, differentiable = "linalg_matrix_rank", "linalg", False
    torch = (
        "matrix_rank(Tensor A, Any tol=None, *, Any atol=None, Any rtol=None,"
        " bool hermitian=False) -> Tensor"
    )

    def __call__(
        self, a: Node, tol: Any = None, *, atol: Any = None, rtol: Any = None,
        hermitian: bool = False,
    ) -> Node:  # fmt: skip
        matrices("linalg.matrix_rank", a)
        for limit in (tol, atol, rtol):
            if not isinstance(limit, (Node, int, float, type(None))):
                raise ArgTypeError(
                    "linalg.matrix_rank",
                    f"tolerances must be Tensor or float, not {type(limit).__name__}",
                )
        atol, rtol = (tol, 0.0) if tol is not None else (atol, rtol)
        a = ops.detach(a)
        values = ops.abs(ops.linalg_eigvalsh(a)) if hermitian else ops.linalg_svdvals(a)
        if rtol is None:
            precise = float(np.finfo(values.dtype.numpy).eps) * max(a.shape[-2:])
            rtol = precise if atol is None else 0.0
        if 0 in values.shape:
            return ops.full(values.shape[:-1], 0, ops.sum(ops.gt(values, 0), -1).dtype)
        limit = ops.amax(values, -1, True) * _last(rtol)
        if atol is not None:
            limit = ops.maximum(limit, _tensor_like(_last(atol), limit))
        return ops.sum(ops.gt(values, limit), -1)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(2, 3, 1) @ make(2, 1, 3)
        yield make(4, 4), 1.0
        yield make(4, 4), {"atol": 0.5, "rtol": 0.1}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"


def _last(value: Any) -> Any:
    """A tolerance for each matrix, to compare its singular values with."""
    return ops.unsqueeze(value, -1) if isinstance(value, Node) else value


def _tensor_like(value: Any, like: Node) -> Node:
    if isinstance(value, Node):
        return ops.cast(value, like.dtype)
    return ops.full(like.shape, value, like.dtype)


linalg_matrix_norm = MatrixNorm()
linalg_norm = LinalgNorm()
linalg_cond = Cond()
linalg_matrix_rank = MatrixRank()
