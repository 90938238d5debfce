"""Functions of ``linalg`` under the names that PyTorch had for them first."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight import ops
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op

from .solve import adjoint, strong


class Older(Composite):
    """A function of ``linalg`` under another name. Abstract."""

    of: ClassVar[str]
    ulp = 256

    @property
    def now(self) -> Op:
        """The function of ``linalg``."""
        found: Op = getattr(ops, self.of)
        return found

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        return self.now(*inputs, **attrs)

    def samples(self, make: Any) -> Any:
        yield from self.now.samples(make)

    def errors(self, make: Any) -> Any:
        yield from self.now.errors(make)


class Det(Older):
    """The determinant of square matrices."""

    name, torch, of = "det", "det(Tensor self) -> Tensor", "linalg_det"


class Slogdet(Older):
    """The sign of the determinant and the logarithm of its absolute value."""

    name, of = "slogdet", "linalg_slogdet"
    torch = "slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)"


class Inverse(Older):
    """The inverse of square matrices."""

    name, torch, of = "inverse", "inverse(Tensor self) -> Tensor", "linalg_inv"


class Pinverse(Older):
    """The Moore-Penrose inverse of matrices."""

    name, of = "pinverse", "linalg_pinv"
    torch = "pinverse(Tensor self, float rcond=1e-15) -> Tensor"

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield make(2, 3, 4), 0.1

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"


class MatrixPower(Older):
    """A whole power of square matrices; negative ones of the inverse."""

    name, of = "matrix_power", "linalg_matrix_power"
    torch = "matrix_power(Tensor self, int n) -> Tensor"


class MatrixExp(Older):
    """The exponential of square matrices."""

    name, of = "matrix_exp", "linalg_matrix_exp"
    torch = "matrix_exp(Tensor self) -> Tensor"


class Cholesky(Older):
    """The triangular ``L`` with ``L @ L.mH = A``; with ``upper`` its conjugate transpose."""

    name, of = "cholesky", "linalg_cholesky"
    torch = "cholesky(Tensor self, bool upper=False) -> Tensor"

    def __call__(self, a: Node, upper: bool = False) -> Node:
        return ops.linalg_cholesky(a, upper=upper)


class Qr(Older):
    """``Q`` with orthonormal columns and triangular ``R``; a square ``Q`` without ``some``."""

    name, of = "qr", "linalg_qr"
    torch = "qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)"

    def __call__(self, a: Node, some: bool = True) -> tuple[Node, ...]:
        return ops.linalg_qr(a, "reduced" if some else "complete")

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"


class Svd(Older):
    """``U``, ``S`` and ``V`` (not its conjugate transpose) of the singular value decomposition."""

    name, of = "svd", "linalg_svd"
    torch = (
        "svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)"
    )

    def __call__(self, a: Node, some: bool = True, compute_uv: bool = True) -> tuple[Node, ...]:
        if not compute_uv:
            *batch, rows, columns = a.shape
            left, right = ((*batch, size, size) for size in (rows, columns))
            return ops.full(left, 0, a.dtype), ops.linalg_svdvals(a), ops.full(right, 0, a.dtype)
        u, s, vh = ops.linalg_svd(a, not some)
        return u, s, adjoint(vh)

    def samples(self, make: Any) -> Any:
        yield (make(3, 3) * 0 + 1).tril().triu()
        yield make(4, 3).detach(), True, False


det = Det()
slogdet = Slogdet()
inverse = Inverse()
pinverse = Pinverse()
matrix_power = MatrixPower()
matrix_exp = MatrixExp()
cholesky = Cholesky()
qr = Qr()
svd = Svd()
