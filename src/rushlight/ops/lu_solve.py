"""Equations and inverses from factors, and the variants that tell instead of refusing."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import int32
from rushlight.base.errors import DTypeError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .elementwise import TORCH_NAMES
from .factor import cholesky_gradient, indefinite, positive
from .lu import exchanged, lu_permutation
from .solve import adjoint as adjoint_of
from .solve import bad_made, matrices, solved, square, strong


class LuSolve(Composite):
    """``X`` in ``A @ X = B`` from the results of :func:`lu_factor` of ``A``.

    Without ``left`` it is ``X @ A = B``; with ``adjoint`` ``A.mH`` stands for ``A``.
    """

    name, module = "linalg_lu_solve", "linalg"
    torch = (
        "lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False)"
        " -> Tensor"
    )
    ulp = 256

    def __call__(
        self, lu: Node, pivots: Node, b: Node, *, left: bool = True, adjoint: bool = False
    ) -> Node:
        self._check(lu, pivots, b, left)
        order = lu_permutation.record((ops.detach(pivots),), lu.shape[-2])
        if left:
            return _solved(lu, order, b, adjoint)
        return adjoint_of(_solved(lu, order, adjoint_of(b), not adjoint))

    def _check(self, lu: Node, pivots: Node, b: Node, left: bool) -> None:
        square("torch.linalg.lu_solve", lu)
        matrices("linalg.lu_solve", b)
        what = ""
        if pivots.dtype is not int32:
            what = "pivots should be a Tensor of scalar type torch.int32"
        elif not pivots.ndim or pivots.shape[-1] != lu.shape[-1]:
            what = "Number of pivots per batch should be same as the dimension of the matrix"
        elif pivots.shape != lu.shape[:-1]:
            what = (
                "Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape"
                f" {list(pivots.shape)} instead"
            )
        if what:
            raise ShapeError("linalg.lu_solve", f"linalg.lu_solve: {what}")
        if b.dtype is not lu.dtype:
            names = [TORCH_NAMES[x.dtype.name][1:-1] for x in (lu, b)]
            raise DTypeError(
                "linalg.lu_solve",
                "linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type"
                f" {names[0]} and B of type {names[1]} instead",
            )
        side = b.spec if left else b.spec.with_shape((*b.shape[:-2], b.shape[-1], b.shape[-2]))
        solved("linalg.lu_solve", lu.spec, side)

    def samples(self, make: Any) -> Any:
        pivots = make.int(3, low=3, high=3, dtype=int32)
        yield strong(make, 3, 3), pivots, make(3, 2)
        yield strong(make, 3, 3), pivots, make(2, 3, 1), {"adjoint": True}
        yield strong(make, 3, 3), pivots, make(2, 3), {"left": False}
        yield strong(make, 3, 3), pivots, make(2, 3), {"left": False, "adjoint": True}

    def errors(self, make: Any) -> Any:
        a, b = make(3, 3), make(3, 2)
        pivots = make.int(3, low=3, high=3, dtype=int32)
        yield lambda: make.call(a, make.int(3), b), RuntimeError, "scalar type torch.int32"
        yield lambda: make.call(a, pivots[:2], b), RuntimeError, "Number of pivots"
        yield lambda: make.call(a, pivots.expand(2, 3), b), RuntimeError, "to be the same"
        yield lambda: make.call(a, pivots, b.double()), RuntimeError, "the same dtype"
        yield lambda: make.call(a, pivots, make(2, 2)), RuntimeError, "Incompatible shapes"
        yield lambda: make.call(make(3, 2), pivots, b), RuntimeError, "3 by 2 matrices"


def _solved(lu: Node, order: Node, b: Node, turned: bool) -> Node:
    """The solution for ``A``, or for ``A.mH``."""
    solve = ops.linalg_solve_triangular
    if not turned:
        half = solve(lu, exchanged(b, order), upper=False, unitriangular=True)
        return solve(lu, half, upper=True)
    other = adjoint_of(lu)
    half = solve(other, solve(other, b, upper=False), upper=True, unitriangular=True)
    return exchanged(half, ops.argsort(order))


class OlderLuSolve(Composite):
    """:func:`linalg.lu_solve` under PyTorch's first name."""

    autocast = "wide"
    name, ulp = "lu_solve", 256
    torch = "lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor"

    def __call__(self, b: Node, lu: Node, pivots: Node) -> Node:
        return ops.linalg_lu_solve(lu, pivots, b)

    def samples(self, make: Any) -> Any:
        pivots = make.int(3, low=3, high=3, dtype=int32)
        yield make(3, 2), strong(make, 3, 3), pivots

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 2), make(3, 3), make.int(3)), RuntimeError, "torch.int32"


class InvEx(Composite):
    """The inverse, and 0 or the number of the first pivot that is 0 in ``info``."""

    autocast = "wide"
    name, module = "linalg_inv_ex", "linalg"
    torch = "inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)"
    ulp = 256

    def __call__(self, a: Node, *, check_errors: bool = False) -> tuple[Node, Node]:
        square("linalg.inv_ex", a)
        checked = "linalg.inv_ex" if check_errors else ""
        lu, pivots, info = ops.linalg_lu_factor_ex.factors(a, checked=checked)
        ones = ops.eye(a.shape[-1], a.shape[-1], a.dtype)
        return ops.linalg_lu_solve(lu, pivots, ones), info

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield strong(make, 2, 3, 3)
        yield make(0, 0)

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)
        zeros = make(2, 3, 3) * 0
        yield lambda: make.call(zeros, check_errors=True), RuntimeError, "diagonal element 1 is"


class SolveEx(Composite):
    """:func:`solve`, and 0 or the number of the first pivot that is 0 in ``info``."""

    name, module = "linalg_solve_ex", "linalg"
    torch = (
        "solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False)"
        " -> (Tensor result, Tensor info)"
    )
    ulp = 256

    def __call__(
        self, a: Node, b: Node, *, left: bool = True, check_errors: bool = False
    ) -> tuple[Node, Node]:
        square("linalg.solve_ex", a)
        vector = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
        checked = "linalg.solve_ex" if check_errors else ""
        lu, pivots, info = ops.linalg_lu_factor_ex.factors(a, checked=checked)
        columns = ops.unsqueeze(b, -1) if vector else b
        result = ops.linalg_lu_solve(lu, pivots, columns, left=left or vector)
        return ops.squeeze(result, -1) if vector else result, info

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3), make(3, 2)
        yield strong(make, 2, 3, 3), make(2, 3)
        yield strong(make, 2, 3, 3), make(4, 3), {"left": False}

    def errors(self, make: Any) -> Any:
        a = make(3, 3)
        yield lambda: make.call(make(3, 4), make(3, 2)), RuntimeError, "3 by 4 matrices"
        yield lambda: make.call(a, make(4, 2)), RuntimeError, "Incompatible shapes"
        wrong = a * 0, make(3)
        yield lambda: make.call(*wrong, check_errors=True), RuntimeError, "is singular"


class CholeskyEx(Op):
    """:func:`cholesky`, and 0 or the order of the first minor that is not positive in ``info``.

    What stands in ``L`` from that order on is not told.
    """

    autocast = "wide"
    name, module, backward = "linalg_cholesky_ex", "linalg", "LinalgCholeskyEx"
    batched = "front"
    attrs = ("upper", "checked")
    torch = (
        "cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False)"
        " -> (Tensor L, Tensor info)"
    )
    ulp = 64

    def __call__(
        self, a: Node, *, upper: bool = False, check_errors: bool = False
    ) -> tuple[Node, ...]:
        square("linalg.cholesky_ex", a)
        return ops.parts(self.record((a,), bool(upper), bool(check_errors)))

    def infer(self, a: Spec, *, upper: bool, checked: bool) -> tuple[Spec, Spec]:
        return a, a.with_shape(a.shape[:-2]).with_dtype(int32)

    def vjp(
        self, g: Any, y: Node, a: Node, *, upper: bool, checked: bool
    ) -> tuple[Node | None, ...]:
        return (None if g[0] is None else cholesky_gradient(g[0], ops.part(y, 0), upper),)

    def ref(self, a: Any, *, upper: bool, checked: bool) -> Any:
        factors, info = self._lower(np.swapaxes(a.conj(), -1, -2) if upper else a, checked)
        return np.swapaxes(factors.conj(), -1, -2) if upper else factors, info

    def _lower(self, a: Any, checked: bool) -> tuple[Any, Any]:
        try:
            return np.linalg.cholesky(a), np.zeros(a.shape[:-2])
        except np.linalg.LinAlgError:
            if checked:
                raise indefinite("linalg.cholesky_ex", a) from None
        factors = np.tril(a).reshape(int(np.prod(a.shape[:-2])), *a.shape[-2:])
        info = [_columns(each) for each in factors]
        return factors.reshape(a.shape), np.reshape(info, a.shape[:-2])

    def samples(self, make: Any) -> Any:
        yield positive(make, 3, 3)
        yield positive(make, 2, 3, 3), {"upper": True}
        yield positive(make, 2, 2, 2).detach() * -1
        yield make(0, 0)

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)
        zeros = make(2, 2, 2) * 0
        yield lambda: make.call(zeros, check_errors=True), RuntimeError, "order 1 is not positive"


def _columns(a: Any) -> int:
    """Changes a lower triangle into its factor, and tells the order at which that fails, or 0."""
    for k in range(len(a)):
        row = a[k, :k]
        pivot = (a[k, k] - (row * row.conj()).sum()).real
        if not pivot > 0:
            a[k, k] = pivot
            return k + 1
        a[k, k] = root = np.sqrt(pivot)
        a[k + 1 :, k] = (a[k + 1 :, k] - a[k + 1 :, :k] @ row.conj()) / root
    return 0


class CholeskyInverse(Composite):
    """The inverse of ``A`` from its Cholesky factor: ``L``, or ``L.mH`` with ``upper``."""

    autocast = "wide"
    name, ulp = "cholesky_inverse", 256
    torch = "cholesky_inverse(Tensor self, bool upper=False) -> Tensor"

    def __call__(self, factor: Node, upper: bool = False) -> Node:
        square("cholesky_inverse", factor)
        ones = ops.eye(factor.shape[-1], factor.shape[-1], factor.dtype)
        return ops.cholesky_solve(ones, factor, upper)

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3).detach().tril()
        yield strong(make, 2, 3, 3).detach(), True

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)


linalg_lu_solve = LuSolve()
lu_solve = OlderLuSolve()
linalg_inv_ex = InvEx()
linalg_solve_ex = SolveEx()
linalg_cholesky_ex = CholeskyEx()
cholesky_inverse = CholeskyInverse()
