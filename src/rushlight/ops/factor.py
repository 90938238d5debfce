"""Factors of matrices: Cholesky, QR, eigenvalues and singular values."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import Fault, GradError, OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .singular import singular
from .solve import LinAlgError, adjoint, bad_made, matrices, square, strong


def product(*factors: Node) -> Node:
    """The product of several matrices."""
    result = factors[0]
    for factor in factors[1:]:
        result = ops.matmul(result, factor)
    return result


def on_diagonal(x: Node) -> Node:
    """Vectors as diagonal matrices."""
    return ops.diag_embed(x)


def positive(make: Any, *shape: int) -> Any:
    """Positive definite matrices."""
    a = strong(make, *shape)
    return a @ a.mT


class Cholesky(Op):
    """The triangular ``L`` with ``L @ L.mH = A`` for positive definite matrices.

    Only the lower triangle of ``A`` is read; with ``upper`` the upper one, and ``L.mH`` returned.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.cholesky(rl.tensor([[4.0, 0.0], [0.0, 9.0]]))
        tensor([[2., 0.],
                [0., 3.]])
    """

    autocast = "wide"
    name, module, backward = "linalg_cholesky", "linalg", "LinalgCholeskyEx"
    batched = "front"
    torch, attrs = "cholesky(Tensor self, *, bool upper=False) -> Tensor", ("upper",)
    ulp = 64

    def __call__(self, a: Node, *, upper: bool = False) -> Node:
        square("linalg.cholesky", a)
        return self.record((a,), bool(upper))

    def infer(self, a: Spec, *, upper: bool) -> Spec:
        return a

    def vjp(self, g: Node, y: Node, a: Node, *, upper: bool) -> tuple[Node | None, ...]:
        return (cholesky_gradient(g, y, upper),)

    def ref(self, a: Any, *, upper: bool) -> Any:
        a = np.swapaxes(a.conj(), -1, -2) if upper else a
        try:
            factor = np.linalg.cholesky(a)
        except np.linalg.LinAlgError:
            raise indefinite("linalg.cholesky", a) from None
        return np.swapaxes(factor.conj(), -1, -2) if upper else factor

    def samples(self, make: Any) -> Any:
        yield positive(make, 3, 3)
        yield positive(make, 2, 3, 3), {"upper": True}

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)
        yield lambda: make.call(make(2, 2) * 0), RuntimeError, "leading minor of order 1 is not"


def cholesky_gradient(g: Node, factor: Node, upper: bool) -> Node:
    """The gradient of a matrix from that of its Cholesky factor."""
    g, factor = (adjoint(g), adjoint(factor)) if upper else (g, factor)
    turned = ops.tril(product(adjoint(factor), g))
    half = 0.5 * (turned + adjoint(ops.tril(turned, -1)))
    right = ops.linalg_solve_triangular(factor, half, upper=False, left=False)
    return ops.linalg_solve_triangular(adjoint(factor), right, upper=True)


def indefinite(operation: str, a: Any) -> Fault:
    """The refusal of the first matrix of a batch that is not positive definite."""
    matrices = a.reshape(-1, *a.shape[-2:])
    position = next(k for k, each in enumerate(matrices) if not _definite(each))
    first = matrices[position]
    order = next(k for k in range(1, len(first) + 1) if not _definite(first[:k, :k]))
    batch = f"(Batch element {position}): " if a.ndim > 2 else ""
    return LinAlgError(
        operation,
        f"{operation}: {batch}The factorization could not be completed because the input is not"
        f" positive-definite (the leading minor of order {order} is not positive-definite).",
    )


def _definite(a: Any) -> bool:
    try:
        np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return False
    return True


class Qr(Op):
    """``Q`` with orthonormal columns and triangular ``R`` with ``Q @ R = A``.

    ``mode`` is ``"reduced"``, ``"complete"`` (a square ``Q``) or ``"r"`` (an empty ``Q``).
    """

    autocast = "wide"
    name, module, attrs = "linalg_qr", "linalg", ("mode",)
    batched = "front"
    torch = "qr(Tensor A, str mode='reduced') -> (Tensor Q, Tensor R)"
    ulp = 256

    def __call__(self, a: Node, mode: str = "reduced") -> tuple[Node, ...]:
        if mode not in ("reduced", "complete", "r"):
            raise OperationError(
                "linalg.qr",
                f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default),"
                " 'r', or 'complete'",
            )
        matrices("linalg.qr", a)
        return ops.parts(self.record((a,), mode))

    def infer(self, a: Spec, *, mode: str) -> tuple[Spec, Spec]:
        *batch, rows, columns = a.shape
        inner = rows if mode == "complete" else min(rows, columns)
        q = (0,) if mode == "r" else (*batch, rows, inner)
        return a.with_shape(q), a.with_shape((*batch, inner, columns))

    def vjp(self, g: Any, y: Node, a: Node, *, mode: str) -> tuple[Node | None, ...]:
        rows, columns = a.shape[-2:]
        if mode == "r" or (mode == "complete" and rows > columns):
            raise GradError(
                "linalg.qr",
                "The QR decomposition is not differentiable when mode='complete' and nrows > ncols,"
                " nor when mode='r'.",
            )
        q, r = ops.part(y, 0), ops.part(y, 1)
        gq, gr = g[0], g[1]
        if rows >= columns:
            return (_qr_gradient(gq, gr, q, r),)
        # The right part of R is Q.mH @ A: its gradient goes on to Q and to that part of A.
        right = ops.slice_(r, r.ndim - 1, rows, columns)
        g_right = None if gr is None else ops.slice_(gr, r.ndim - 1, rows, columns)
        g_left = None if gr is None else ops.slice_(gr, r.ndim - 1, 0, rows)
        if g_right is not None:
            through = product(q, right, adjoint(g_right))
            gq = through if gq is None else gq + through
        left = _qr_gradient(gq, g_left, q, ops.slice_(r, r.ndim - 1, 0, rows))
        rest = ops.zeros(right.spec) if g_right is None else g_right
        return (ops.cat((left, product(q, rest)), -1),)

    def ref(self, a: Any, *, mode: str) -> Any:
        if mode == "r":
            return np.zeros(0, a.dtype), np.linalg.qr(a, "r")
        factored: Any = np.linalg.qr
        return tuple(factored(a, mode))

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield make(5, 3)
        yield make(2, 3, 5)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 3), "full"), RuntimeError, "unrecognized mode 'full'"
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"
        yield lambda: make.call(make.int(3, 3)), RuntimeError, "floating point or complex"


def _qr_gradient(gq: Node | None, gr: Node | None, q: Node, r: Node) -> Node:
    """The gradient of a matrix with at least as many rows as columns."""
    inner = None if gr is None else product(gr, adjoint(r))
    if gq is not None:
        turned = product(adjoint(q), gq)
        inner = -turned if inner is None else inner - turned
    assert inner is not None
    above = ops.triu(inner, 1)
    diagonal = ops.real(ops.diagonal(inner, 0, -2, -1))  # that of R stays real
    hermitian = above + adjoint(above) + on_diagonal(ops.cast(diagonal, r.dtype))
    total = product(q, hermitian)
    if gq is not None:
        total = total + gq
    return ops.linalg_solve_triangular(adjoint(r), total, upper=False, left=False)


class Eigh(Op):
    """The eigenvalues, smallest first, and orthonormal eigenvectors of Hermitian matrices.

    Only the triangle that ``UPLO`` names is read. A gradient through eigenvectors needs eigenvalues
    that differ, and a function that does not depend on their signs.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.eigh(rl.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
        tensor([1., 2.])
    """

    autocast = "wide"
    name, module, attrs = "linalg_eigh", "linalg", ("lower",)
    batched = "front"
    torch = "eigh(Tensor A, str UPLO='L') -> (Tensor eigenvalues, Tensor eigenvectors)"
    ulp = 256

    def __call__(self, a: Node, UPLO: str = "L") -> tuple[Node, ...]:
        square("linalg.eigh", a)
        if UPLO.upper() not in ("L", "U"):
            raise OperationError(
                "linalg.eigh", f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}"
            )
        return ops.parts(self.record((a,), UPLO.upper() == "L"))

    def infer(self, a: Spec, *, lower: bool) -> tuple[Spec, Spec]:
        return a.with_shape(a.shape[:-1]).with_dtype(a.dtype.to_real()), a

    def vjp(self, g: Any, y: Node, a: Node, *, lower: bool) -> tuple[Node | None, ...]:
        values, vectors = ops.part(y, 0), ops.part(y, 1)
        inner = None if g[0] is None else on_diagonal(ops.cast(g[0], a.dtype))
        if g[1] is not None:
            gaps = _gaps(values)
            turned = _off_diagonal(0.5 * _skew(product(adjoint(vectors), g[1]))) / gaps
            inner = turned if inner is None else inner + turned
        assert inner is not None
        return (product(vectors, inner, adjoint(vectors)),)

    def ref(self, a: Any, *, lower: bool) -> Any:
        return tuple(np.linalg.eigh(a, "L" if lower else "U"))

    def samples(self, make: Any) -> Any:
        yield (make(3, 3) * 0 + 1).tril().triu()
        yield (make(2, 2, 2) * 0 + 2).tril().triu(), "U"

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)
        yield lambda: make.call(make(3, 3), "X"), RuntimeError, "to be 'L' or 'U', but got X"


def _gaps(values: Node) -> Node:
    """``values[j] - values[i]``, 1 on the diagonal."""
    size = values.shape[-1]
    gaps = ops.unsqueeze(values, -2) - ops.unsqueeze(values, -1)
    return gaps + ops.cast(ops.eye(size, size, values.dtype), values.dtype)


def _off_diagonal(x: Node) -> Node:
    """Matrices without their diagonal."""
    return ops.tril(x, -1) + ops.triu(x, 1)


class Eigvalsh(Composite):
    """The eigenvalues of Hermitian matrices, smallest first."""

    autocast = "wide"
    name, module = "linalg_eigvalsh", "linalg"
    torch = "eigvalsh(Tensor A, str UPLO='L') -> Tensor"
    ulp = 256

    def __call__(self, a: Node, UPLO: str = "L") -> Node:
        square("linalg.eigvalsh", a)
        values: Node = ops.linalg_eigh(a, UPLO)[0]
        return values

    def samples(self, make: Any) -> Any:
        yield positive(make, 3, 3).detach()
        yield make(2, 3, 3).detach(), "U"

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)


class Svd(Op):
    """``U``, the singular values ``S`` from the largest, and ``Vh`` with ``U @ diag(S) @ Vh = A``.

    Without ``full_matrices`` ``U`` and ``Vh`` hold only the vectors of singular values. A gradient
    through them needs singular values that differ, and a function that does not depend on signs.
    """

    autocast = "wide"
    name, module, attrs = "linalg_svd", "linalg", ("full_matrices",)
    batched = "front"
    torch = "svd(Tensor A, bool full_matrices=True) -> (Tensor U, Tensor S, Tensor Vh)"
    ulp = 256

    def __call__(self, a: Node, full_matrices: bool = True) -> tuple[Node, ...]:
        matrices("linalg.svd", a)
        return ops.parts(self.record((a,), bool(full_matrices)))

    def infer(self, a: Spec, *, full_matrices: bool) -> tuple[Spec, Spec, Spec]:
        *batch, rows, columns = a.shape
        inner = min(rows, columns)
        u = (*batch, rows, rows if full_matrices else inner)
        vh = (*batch, columns if full_matrices else inner, columns)
        s = a.with_shape((*batch, inner)).with_dtype(a.dtype.to_real())
        return a.with_shape(u), s, a.with_shape(vh)

    def vjp(self, g: Any, y: Node, a: Node, *, full_matrices: bool) -> tuple[Node | None, ...]:
        inner = min(a.shape[-2:])
        u, s, vh = (ops.part(y, k) for k in range(3))
        gu, gs, gvh = g
        last = a.ndim - 1
        if full_matrices:
            u, vh = ops.slice_(u, last, 0, inner), ops.slice_(vh, last - 1, 0, inner)
            gu = None if gu is None else ops.slice_(gu, last, 0, inner)
            gvh = None if gvh is None else ops.slice_(gvh, last - 1, 0, inner)
        return (_svd_gradient(gu, gs, gvh, u, s, vh, a),)

    def ref(self, a: Any, *, full_matrices: bool) -> Any:
        return singular("linalg.svd", a, full_matrices)

    def samples(self, make: Any) -> Any:
        yield (make(3, 3) * 0 + 1).tril().triu()
        yield (make(2, 2, 3) * 0 + 1).tril().triu(), False

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"
        yield lambda: make.call(make.int(3, 3)), RuntimeError, "floating point or complex"


def _svd_gradient(
    gu: Node | None, gs: Node | None, gvh: Node | None, u: Node, s: Node, vh: Node, a: Node
) -> Node:
    """The gradient of a matrix from those of its reduced factors."""
    terms: list[Node] = []
    if gs is not None:
        terms.append(product(u * ops.unsqueeze(ops.cast(gs, a.dtype), -2), vh))
    if a.dtype.is_complex and gu is not None and gvh is not None:  # both phases turn as one
        phases = ops.diagonal(_skew(product(adjoint(u), gu)), 0, -2, -1) / (2.0 * s)
        terms.append(product(u * ops.unsqueeze(phases, -2), vh))
    squares = s * s
    if gu is not None:
        turned = _skew(product(adjoint(u), gu)) / _gaps(squares)
        terms.append(product(u, turned * ops.unsqueeze(s, -2), vh))
        if u.shape[-2] > u.shape[-1]:
            outside = gu / ops.unsqueeze(s, -2)
            terms.append(product(outside - product(u, adjoint(u), outside), vh))
    if gvh is not None:
        turned = _skew(product(vh, adjoint(gvh))) / _gaps(squares)
        terms.append(product(u, ops.unsqueeze(s, -1) * turned, vh))
        if vh.shape[-1] > vh.shape[-2]:
            outside = gvh / ops.unsqueeze(s, -1)
            terms.append(product(u, outside - product(outside, adjoint(vh), vh)))
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _skew(x: Node) -> Node:
    return x - adjoint(x)


class Svdvals(Composite):
    """The singular values of matrices, largest first.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.svdvals(rl.tensor([[3.0, 0.0], [0.0, 4.0]]))
        tensor([4., 3.])
    """

    autocast = "wide"
    name, module = "linalg_svdvals", "linalg"
    torch = "svdvals(Tensor A) -> Tensor"
    ulp = 256

    def __call__(self, a: Node) -> Node:
        matrices("linalg.svdvals", a)
        values: Node = ops.linalg_svd(a, False)[1]
        return values

    def samples(self, make: Any) -> Any:
        yield make(3, 3)
        yield make(2, 5, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"


linalg_cholesky = Cholesky()
linalg_qr = Qr()
linalg_eigh = Eigh()
linalg_eigvalsh = Eigvalsh()
linalg_svd = Svd()
linalg_svdvals = Svdvals()
