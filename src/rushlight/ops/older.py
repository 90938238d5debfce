"""Functions of ``linalg`` under the names that PyTorch had for them first."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.errors import OperationError, ShapeError
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

    autocast = "wide"
    name, torch, of = "inverse", "inverse(Tensor self) -> Tensor", "linalg_inv"


class Pinverse(Older):
    """The Moore-Penrose inverse of matrices."""

    autocast = "wide"
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

    autocast = "wide"
    name, of = "cholesky", "linalg_cholesky"
    torch = "cholesky(Tensor self, bool upper=False) -> Tensor"

    def __call__(self, a: Node, upper: bool = False) -> Node:
        return ops.linalg_cholesky(a, upper=upper)


class Qr(Older):
    """``Q`` with orthonormal columns and triangular ``R``; a square ``Q`` without ``some``."""

    autocast = "wide"
    name, of = "qr", "linalg_qr"
    torch = "qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)"

    def __call__(self, a: Node, some: bool = True) -> tuple[Node, ...]:
        return ops.linalg_qr(a, "reduced" if some else "complete")

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"


class Svd(Older):
    """``U``, ``S`` and ``V`` (not its conjugate transpose) of the singular value decomposition."""

    autocast = "wide"
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


class ChainMatmul(Composite):
    """:func:`linalg.multi_dot` of matrices given one by one; a single one is returned."""

    name, torch, ulp = "chain_matmul", "chain_matmul(Tensor[] *matrices) -> Tensor", 256

    def __call__(self, matrices: tuple[Node, ...]) -> Node:
        if not matrices:
            raise OperationError("chain_matmul", "chain_matmul(): Expected one or more matrices")
        for x in matrices:
            if x.ndim != 2:
                raise ShapeError(
                    "chain_matmul", f"Tensor dimension is {x.ndim}, expected 2 instead."
                )
        return matrices[0] if len(matrices) == 1 else ops.linalg_multi_dot(matrices)

    def samples(self, make: Any) -> Any:
        yield make(2, 3), make(3, 4), make(4, 2)
        yield (make(2, 3),)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(), RuntimeError, "one or more matrices"
        yield lambda: make.call(make(2), make(2, 2)), RuntimeError, "expected 2 instead"
        yield lambda: make.call(make(2, 3), make(2, 3)), RuntimeError, "cannot be multiplied"


class NuclearNorm(Composite):
    """The sum of the singular values of the matrices in two dimensions, the last by default."""

    name, ulp = "nuclear_norm", 256
    torch = "nuclear_norm(Tensor input, int[2] dim=[-2,-1], bool keepdim=False) -> Tensor"

    def __call__(self, a: Node, dim: Any = (-2, -1), keepdim: bool = False) -> Node:
        return ops.linalg_matrix_norm(a, "nuc", dim, keepdim)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(2, 3, 4), (0, 2), True

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "at least 2 dimensions"
        yield lambda: make.call(make(3, 3), (0, 0)), RuntimeError, "must be different"


class FrobeniusNorm(Composite):
    """The 2-norm of the elements in one dimension or two."""

    name, ulp = "frobenius_norm", 16
    torch = "frobenius_norm(Tensor input, int[1] dim, bool keepdim=False) -> Tensor"

    def __call__(self, a: Node, dim: Any, keepdim: bool = False) -> Node:
        count = 1 if isinstance(dim, int) else len(dim)
        if count > 2:
            raise OperationError(
                "frobenius_norm",
                f"Expected at most 2 dimensions, but got {count} dimensions instead.",
            )
        return ops.linalg_vector_norm(a, 2, dim, keepdim)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 1
        yield make(2, 3, 4), (0, 2), True

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 2, 2), (0, 1, 2)), RuntimeError, "at most 2 dimensions"
        yield lambda: make.call(make(2), 1), IndexError, "Dimension out of range"


det = Det()
chain_matmul = ChainMatmul()
nuclear_norm = NuclearNorm()
frobenius_norm = FrobeniusNorm()
slogdet = Slogdet()
inverse = Inverse()
pinverse = Pinverse()
matrix_power = MatrixPower()
matrix_exp = MatrixExp()
cholesky = Cholesky()
qr = Qr()
svd = Svd()
