"""Factors of matrices by elimination with row exchanges: ``A = P @ L @ U``."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import int32, int64
from rushlight.base.errors import DTypeError, Fault, NoKernelError, OperationError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .elementwise import TORCH_NAMES
from .factor import product
from .solve import LinAlgError, adjoint, strong

BLOCK = 32
"""Columns that are eliminated before the rest of the matrix is changed, in one product."""

_TROUBLE = {
    "linalg.lu_factor": "U[{0},{0}] is zero and using it on lu_solve would result in a division by"
    " zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or"
    " linalg.lu_factor_ex(A, pivot)",
    "linalg.inv_ex": "The diagonal element {0} is zero, the inversion could not be completed"
    " because the input matrix is singular.",
    "linalg.solve_ex": "The solver failed because the input matrix is singular.",
}
_TROUBLE["linalg.lu_factor_ex"] = _TROUBLE["linalg.lu_factor"]
"""What a pivot of 0 means for each function."""


class LuFactorEx(Op):
    """``L`` and ``U`` in one matrix, which rows were exchanged, and which pivot was 0.

    ``pivots[k]`` counts from 1: row ``k`` was exchanged with it. ``info`` is 0, or the number of
    the first pivot that is 0, which ``check_errors`` refuses.

    Reference:
        Golub & Van Loan, "Matrix Computations", algorithm 3.4.1, in blocks of columns.
    """

    name, module, backward = "linalg_lu_factor_ex", "linalg", "LinalgLuFactorEx"
    batched = "front"
    attrs = ("checked",)
    torch = (
        "lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False)"
        " -> (Tensor LU, Tensor pivots, Tensor info)"
    )
    ulp = 256

    def __call__(
        self, a: Node, *, pivot: bool = True, check_errors: bool = False
    ) -> tuple[Node, ...]:
        return self.factors(a, pivot, "linalg.lu_factor_ex" if check_errors else "")

    def factors(self, a: Node, pivot: bool = True, checked: str = "") -> tuple[Node, ...]:
        """The factors; ``checked`` is the function that refuses pivots of 0."""
        eliminable(a)
        if not pivot:
            raise OperationError(
                "linalg.lu_factor",
                "linalg.lu_factor: LU without pivoting is not implemented on the CPU",
            )
        return ops.parts(self.record((a,), checked))

    def infer(self, a: Spec, *, checked: str) -> tuple[Spec, Spec, Spec]:
        batch = a.shape[:-2]
        pivots = a.with_shape((*batch, min(a.shape[-2:]))).with_dtype(int32)
        return a, pivots, a.with_shape(batch).with_dtype(int32)

    def vjp(self, g: Any, y: Node, a: Node, *, checked: str) -> tuple[Node | None, ...]:
        if g[0] is None:
            return (None,)
        turned = _gradient(g[0], ops.part(y, 0), *a.shape[-2:])
        order = ops.argsort(lu_permutation.record((ops.part(y, 1),), a.shape[-2]))
        return (exchanged(turned, order),)

    def ref(self, a: Any, *, checked: str) -> Any:
        lu, pivots, info = factored(a)
        if checked and info.any():
            raise _refusal(checked, info)
        return lu, pivots, info

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield make(2, 3, 5)
        yield make(2, 5, 3)
        yield make(0, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "2 or more dimensions"
        yield lambda: make.call(make.int(3, 3)), NotImplementedError, "not implemented for 'Long'"
        yield lambda: make.call(make(3, 3), pivot=False), RuntimeError, "without pivoting"
        zeros = make(2, 3, 3) * 0
        yield lambda: make.call(zeros, check_errors=True), RuntimeError, r"0\): U\[1,1\] is zero"


def eliminable(a: Node) -> None:
    """Refuses what are not matrices of single or double precision."""
    if a.ndim < 2:
        raise ShapeError(
            "lu_factor",
            "torch.lu_factor: Expected tensor with 2 or more dimensions."
            f" Got size: {list(a.shape)} instead",
        )
    if not a.dtype.is_differentiable or a.dtype.is_half:
        raise NoKernelError("lu", f'"lu_cpu" not implemented for {TORCH_NAMES[a.dtype.name]}')


def _refusal(operation: str, info: Any) -> Fault:
    position = int(np.flatnonzero(info)[0])
    pivot = int(info.reshape(-1)[position])
    batch = f"(Batch element {position}): " if info.ndim else ""
    return LinAlgError(operation, f"{operation}: {batch}{_TROUBLE[operation].format(pivot)}")


def _gradient(g: Node, lu: Node, rows: int, columns: int) -> Node:
    """The gradient of ``P.mT @ A`` from that of both factors in one matrix."""
    inner, last = min(rows, columns), lu.ndim - 1
    square = ops.slice_(ops.slice_(lu, last - 1, 0, inner), last, 0, inner)
    own = ops.slice_(ops.slice_(g, last - 1, 0, inner), last, 0, inner)
    lower, upper = ops.tril(square, -1), ops.triu(square)
    below = ops.tril(own, -1)
    left = ops.tril(below + product(adjoint(lower), below), -1)  # L has ones on its diagonal
    right = ops.triu(product(ops.triu(own), adjoint(upper)))
    if columns > rows:
        wide_u, wide_g = ops.slice_(lu, last, rows, columns), ops.slice_(g, last, rows, columns)
        left = left - ops.tril(product(wide_g, adjoint(wide_u)), -1)
    if rows > columns:
        long_l = ops.slice_(lu, last - 1, columns, rows)
        long_g = ops.slice_(g, last - 1, columns, rows)
        right = right - ops.triu(product(adjoint(long_l), long_g))
    both = left + right
    if rows > columns:
        first = _solved_left(lower, both)
        whole = ops.cat((first, long_g), -2)
        return _solved_right(upper, whole)
    if columns > rows:
        whole = ops.cat((_solved_right(upper, both), wide_g), -1)
        return _solved_left(lower, whole)
    return _solved_left(lower, _solved_right(upper, both))


def _solved_left(lower: Node, x: Node) -> Node:
    """``L.mH`` taken away from the left; ``lower`` is L without its ones."""
    return ops.linalg_solve_triangular(adjoint(lower), x, upper=True, unitriangular=True)


def _solved_right(upper: Node, x: Node) -> Node:
    """``U.mH`` taken away from the right."""
    return ops.linalg_solve_triangular(adjoint(upper), x, upper=False, left=False)


class LuPermutation(Op):
    """The order of rows that exchanges lead to: row ``k`` of ``L @ U`` is row ``order[k]`` of A."""

    name, attrs, differentiable = "lu_permutation", ("rows",), False
    batched = "front"

    def infer(self, pivots: Spec, *, rows: int) -> Spec:
        return pivots.with_shape((*pivots.shape[:-1], rows)).with_dtype(int64)

    def ref(self, pivots: Any, *, rows: int) -> Any:
        if pivots.size and (pivots.min() < 1 or pivots.max() > rows):
            raise OperationError(
                "lu_unpack",
                "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
                "Did you properly pass the result of lu_factor?",
            )
        count = int(np.prod(pivots.shape[:-1]))
        flat = pivots.reshape(count, pivots.shape[-1]) - 1
        order = np.empty((count, rows), np.int64)
        order[...] = np.arange(rows)
        batch = np.arange(len(order))
        for k in range(flat.shape[-1]):
            here, there = order[:, k].copy(), order[batch, flat[:, k]]
            order[:, k], order[batch, flat[:, k]] = there, here
        return order.reshape(*pivots.shape[:-1], rows)


def exchanged(x: Node, order: Node) -> Node:
    """The rows of matrices in another order; batches broadcast."""
    batch = np.broadcast_shapes(x.shape[:-2], order.shape[:-1])
    shape: Shape = (*batch, *x.shape[-2:])
    index = ops.expand(ops.unsqueeze(order, -1), shape)
    return ops.gather(ops.expand(x, shape), -2, index)


def factored(a: Any) -> tuple[Any, Any, Any]:
    """Both factors in one array, the pivots from 1 and the first pivot that is 0."""
    *batch, rows, columns = a.shape
    inner = min(rows, columns)
    lu = np.array(a, order="C").reshape(int(np.prod(batch)), rows, columns)
    pivots = np.ones((len(lu), inner), np.int32)
    info = np.zeros(len(lu), np.int32)
    for start in range(0, inner, BLOCK):
        end = min(start + BLOCK, inner)
        _eliminate(lu, start, end, pivots, info)
        for k in range(start + 1, end):
            lu[:, k, end:] -= (lu[:, k : k + 1, start:k] @ lu[:, start:k, end:])[:, 0]
        lu[:, end:, end:] -= lu[:, end:, start:end] @ lu[:, start:end, end:]
    return lu.reshape(a.shape), pivots.reshape(*batch, inner), info.reshape(batch)


def _eliminate(lu: Any, start: int, end: int, pivots: Any, info: Any) -> None:
    """Columns ``start`` to ``end`` of ``L`` and ``U``, with the exchanges of whole rows."""
    batch = np.arange(len(lu))
    for k in range(start, end):
        size = np.abs(lu[:, k:, k].real) + np.abs(lu[:, k:, k].imag)  # as LAPACK compares them
        best = k + np.argmax(size, axis=1)
        pivots[:, k] = best + 1
        row = lu[batch, best]
        lu[batch, best], lu[:, k] = lu[:, k].copy(), row
        pivot = lu[:, k, k]
        zero = pivot == 0
        info[zero & (info == 0)] = k + 1
        lu[:, k + 1 :, k] /= np.where(zero, 1, pivot)[:, None]
        lu[:, k + 1 :, k + 1 : end] -= lu[:, k + 1 :, k, None] * lu[:, k, None, k + 1 : end]


class LuFactor(Composite):
    """:func:`lu_factor_ex` without ``info``; a pivot of 0 is refused."""

    name, module = "linalg_lu_factor", "linalg"
    torch = "lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)"
    ulp = 256

    def __call__(self, a: Node, *, pivot: bool = True) -> tuple[Node, ...]:
        return ops.linalg_lu_factor_ex.factors(a, pivot, "linalg.lu_factor")[:2]

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield make(2, 5, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "2 or more dimensions"
        yield lambda: make.call(make(2, 2) * 0), RuntimeError, r"U\[1,1\] is zero"


class Lu(Composite):
    """``P``, ``L`` and ``U`` of :func:`lu_factor`, as matrices."""

    name, module = "linalg_lu", "linalg"
    torch = "lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)"
    ulp = 256

    def __call__(self, a: Node, *, pivot: bool = True) -> tuple[Node, ...]:
        lu, pivots, _ = ops.linalg_lu_factor_ex.factors(a, pivot)
        return (permutation(pivots, lu), *triangles(lu))

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield make(2, 3, 5)
        yield make(2, 5, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "2 or more dimensions"
        yield lambda: make.call(make(3, 3), pivot=False), RuntimeError, "without pivoting"


def permutation(pivots: Node, lu: Node) -> Node:
    """``P`` as matrices of the dtype of ``lu``."""
    rows = lu.shape[-2]
    order = lu_permutation.record((ops.detach(pivots),), rows)
    numbers = ops.reshape(ops.arange(0, 1, rows, int64), (rows, 1))
    return ops.cast(ops.eq(ops.unsqueeze(order, -2), numbers), lu.dtype)


def triangles(lu: Node) -> tuple[Node, Node]:
    """``L`` with its ones, and ``U``."""
    inner, last = min(lu.shape[-2:]), lu.ndim - 1
    left, right = ops.slice_(lu, last, 0, inner), ops.slice_(lu, last - 1, 0, inner)
    return ops.tril(left, -1) + ops.eye(lu.shape[-2], inner, lu.dtype), ops.triu(right)


_WithInfo = namedtuple("linalg_lu_factor_ex", ("LU", "pivots", "info"))  # type: ignore[name-match]


class OlderLu(Composite):
    """:func:`lu_factor` under PyTorch's first name: factors and pivots, and ``info`` on demand."""

    name, torch, ulp = (
        "lu",
        "lu(Tensor self, bool pivot=True, bool get_infos=False) -> Tensor[]",
        256,
    )

    def __call__(self, a: Node, pivot: bool = True, get_infos: bool = False) -> tuple[Node, ...]:
        found = ops.linalg_lu_factor_ex.factors(a, pivot)
        return _WithInfo(*found) if get_infos else found[:2]

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield make(2, 3, 4), True, True

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "2 or more dimensions"


class LuUnpack(Composite):
    """``P``, ``L`` and ``U`` from :func:`lu_factor`'s results; empty ones for what is not asked."""

    name, ulp = "lu_unpack", 256
    torch = (
        "lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True,"
        " bool unpack_pivots=True) -> (Tensor P, Tensor L, Tensor U)"
    )

    def __call__(
        self, lu: Node, pivots: Node, unpack_data: bool = True, unpack_pivots: bool = True
    ) -> tuple[Node, ...]:
        if unpack_pivots and pivots.dtype is not int32:
            raise DTypeError(
                "lu_unpack",
                "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32"
                " dtype.",
            )
        if lu.ndim < 2:
            raise ShapeError("lu_unpack", "lu_unpack: LU_data must have at least 2 dimensions.")
        fits = pivots.ndim == lu.ndim - 1 and pivots.shape[-1] <= lu.shape[-2]
        if unpack_pivots and not fits:
            raise ShapeError(
                "lu_unpack",
                "lu_unpack: LU_pivots must have one dimension less than LU_data, and a place for"
                f" each row at most, but they are {pivots.shape} and {lu.shape}.",
            )
        none = ops.full((0,), 0, lu.dtype)
        p = permutation(pivots, lu) if unpack_pivots else none
        return (p, *(triangles(lu) if unpack_data else (none, none)))

    def samples(self, make: Any) -> Any:
        pivots = make.int(2, 3, low=3, high=3, dtype=int32)
        yield make(2, 3, 3), pivots
        yield make(2, 3, 4), pivots, False, True
        yield make(2, 3, 4), pivots, True, False

    def errors(self, make: Any) -> Any:
        a = make(3, 3)
        yield lambda: make.call(a, make.int(3)), RuntimeError, "torch.int32"
        zeros = make.int(3, low=0, high=0, dtype=int32)
        yield lambda: make.call(a, zeros), RuntimeError, "between 1 and"


linalg_lu_factor_ex = LuFactorEx()
lu_permutation = LuPermutation()
linalg_lu_factor = LuFactor()
linalg_lu = Lu()
lu = OlderLu()
lu_unpack = LuUnpack()
