"""Linear algebra: the standard's extension, and its functions that stand in the main namespace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl

from .promotion import promoted
from .reductions import sum as total
from .shaping import matrix_transpose

Array = rl.Tensor


def matmul(x1: Array, x2: Array, /) -> Array:
    """Matrix products."""
    return rl.matmul(*promoted(x1, x2))


def tensordot(
    x1: Array, x2: Array, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2
) -> Array:
    """Sums of products over some dimensions of both."""
    return rl.tensordot(*promoted(x1, x2), dims=axes)


def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """Sums of products along a dimension; the first are conjugated.

    Raises:
        ValueError: the dimension has other sizes.
    """
    if x1.shape[axis] != x2.shape[axis]:
        raise ValueError(f"vectors have {x1.shape[axis]} and {x2.shape[axis]} elements")
    first, second = promoted(x1, x2)
    return total(first.conj() * second, axis=axis, dtype=first.dtype)


def cholesky(x: Array, /, *, upper: bool = False) -> Array:
    """The triangular matrix whose product with its adjoint is ``x``."""
    return rl.linalg.cholesky(x, upper=upper)


def cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """Cross products of vectors with three elements."""
    return rl.linalg.cross(*rl.broadcast_tensors(*promoted(x1, x2)), dim=axis)


def det(x: Array, /) -> Array:
    """Determinants."""
    return rl.linalg.det(x)


def diagonal(x: Array, /, *, offset: int = 0) -> Array:
    """Diagonals of matrices."""
    return rl.diagonal(x, offset=offset, dim1=-2, dim2=-1)


def eigh(x: Array, /) -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices."""
    return rl.linalg.eigh(x)


def eigvalsh(x: Array, /) -> Array:
    """Eigenvalues of Hermitian matrices."""
    return rl.linalg.eigvalsh(x)


def inv(x: Array, /) -> Array:
    """Inverses."""
    return rl.linalg.inv(x)


def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: float | str | None = "fro") -> Array:
    """Norms of matrices; ``None`` is that of their elements, as ``"fro"``."""
    return rl.linalg.matrix_norm(x, ord="fro" if ord is None else ord, keepdim=keepdims)


def matrix_power(x: Array, n: int, /) -> Array:
    """Powers of matrices."""
    return rl.linalg.matrix_power(x, n)


def matrix_rank(x: Array, /, *, rtol: float | Array | None = None) -> Array:
    """Ranks: how many singular values are above ``rtol`` times the largest."""
    if rtol is None:
        return rl.linalg.matrix_rank(x)
    return rl.linalg.matrix_rank(x, rtol=rtol, atol=0.0)


def outer(x1: Array, x2: Array, /) -> Array:
    """Products of each element of one vector with each of another."""
    return rl.outer(*promoted(x1, x2))


def pinv(x: Array, /, *, rtol: float | Array | None = None) -> Array:
    """Pseudo-inverses; singular values up to ``rtol`` times the largest count as zero."""
    return rl.linalg.pinv(x) if rtol is None else rl.linalg.pinv(x, rtol=rtol, atol=0.0)


def qr(x: Array, /, *, mode: str = "reduced") -> Any:
    """An orthonormal and a triangular matrix whose product is ``x``."""
    return rl.linalg.qr(x, mode=mode)


def slogdet(x: Array, /) -> Any:
    """Determinants as sign and logarithm of the absolute value."""
    return rl.linalg.slogdet(x)


def solve(x1: Array, x2: Array, /) -> Array:
    """What ``x1`` makes ``x2`` of; that is a vector only if it has one dimension."""
    matrix, given = promoted(x1, x2)
    if given.ndim == 1:
        return rl.linalg.solve(matrix, given[:, None])[..., 0]
    lead = rl.broadcast_shapes(matrix.shape[:-2], given.shape[:-2])
    return rl.linalg.solve(matrix, given.expand(*lead, *given.shape[-2:]))


def svd(x: Array, /, *, full_matrices: bool = True) -> Any:
    """Singular values between two orthonormal matrices."""
    return rl.linalg.svd(x, full_matrices=full_matrices)


def svdvals(x: Array, /) -> Array:
    """Singular values."""
    return rl.linalg.svdvals(x)


def trace(x: Array, /, *, offset: int = 0, dtype: rl.dtype | None = None) -> Array:
    """Sums of diagonals."""
    return total(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vector_norm(
    x: Array, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False,
    ord: float = 2,
) -> Array:  # fmt: skip
    """Norms of vectors; of all elements without an axis."""
    if axis == ():
        return rl.abs(x) if ord else (x != 0).to(rl.abs(x).dtype)
    return rl.linalg.vector_norm(x, ord=ord, dim=axis, keepdim=keepdims)


__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve",
    "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip
