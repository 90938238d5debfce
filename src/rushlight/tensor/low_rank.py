"""Singular values and main components, approximated from a random basis."""

from __future__ import annotations

from rushlight.base.errors import ArgValueError

from .functions import public
from .random import randn
from .tensor import Tensor


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """About the ``q`` largest singular values, and their vectors, of ``A - M``.

    Args:
        niter: how often a random basis is improved.
    Shape:
        A (*, m, n); results (*, m, q), (*, q), (*, n, q).
    Reference:
        Halko, Martinsson & Tropp 2009, "Finding structure with randomness", algorithm 5.1,
        arXiv:0909.4061.
    Example:
        >>> import rushlight as rl
        >>> u, s, v = rl.svd_lowrank(rl.ones(4, 3), q=1)
        >>> round(s.item(), 4)
        3.4641
    """
    if A.ndim < 2:
        raise ArgValueError("svd_lowrank", "svd_lowrank(): A must have at least 2 dimensions")
    difference = A if M is None else A - M.broadcast_to(A.shape)
    wide = A.shape[-2] < A.shape[-1]
    tall = difference.mH if wide else difference
    basis = _basis(tall, 6 if q is None else q, 2 if niter is None else niter)
    u, s, vh = public["linalg"]["svd"](basis.mH @ tall, full_matrices=False)
    u, v = basis @ u, vh.mH
    return (v, s, u) if wide else (u, s, v)


def _basis(a: Tensor, q: int, niter: int) -> Tensor:
    """Orthonormal columns that span about what the first ``q`` singular vectors span."""
    factors = public["linalg"]["qr"]
    drawn = randn(a.shape[-1], q, dtype=a.dtype)
    basis: Tensor = factors(a @ drawn).Q
    for _ in range(niter):
        basis = factors(a @ factors(a.mH @ basis).Q).Q
    return basis


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """The main components of rows of data: :func:`svd_lowrank` of ``A`` less its mean row.

    Args:
        q: how many; the smallest of 6 and the sizes when it is not given.
        center: whether the mean is taken off.
    Raises:
        ValueError: ``q`` is not within 0 and the smaller size, or ``niter`` is negative.
    """
    if A.ndim < 2:
        raise ArgValueError("pca_lowrank", "pca_lowrank(): A must have at least 2 dimensions")
    most = min(A.shape[-2:])
    q = min(6, most) if q is None else q
    if not 0 <= q <= most:
        raise ArgValueError(
            "pca_lowrank",
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={most}",
        )
    if niter < 0:
        raise ArgValueError("pca_lowrank", f"niter(={niter}) must be non-negative integer")
    data = A - A.mean(-2, keepdim=True) if center else A
    return svd_lowrank(data, q, niter)
