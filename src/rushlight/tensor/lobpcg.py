"""A few of the largest or smallest eigenvalues of large Hermitian matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.errors import ArgValueError, MissingError, ShapeError
from rushlight.graph.node import Node, known
from rushlight.ops.solve import matrices

from .arguments import unwrapped
from .look import array_of
from .random import randn
from .tensor import Tensor

Array = Any


def lobpcg(
    A: Tensor, k: int | None = None, B: Tensor | None = None, X: Tensor | None = None,
    n: int | None = None, iK: Tensor | None = None, niter: int | None = None,
    tol: float | None = None, largest: bool | None = None, method: str | None = None,
    tracker: Any = None, ortho_iparams: Any = None, ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """``k`` eigenvalues ``E`` and vectors ``X`` with ``A @ X = B @ X @ diag(E)``, from the extreme.

    ``A`` and ``B`` are Hermitian and ``B`` is positive definite, the identity when not given. The
    basis is kept orthonormal whatever ``method`` says, so the parameters of that have no effect.

    Args:
        X: vectors to start from; ``n`` random ones (at least ``k``) when not given.
        iK: a preconditioner, about the inverse of ``A``.
        niter: the most iterations, 1000 by default.
        tol: the residual that is small enough; the root of the precision by default.
        largest: whether the largest eigenvalues are wanted, as by default, or the smallest.
    Shape:
        A, B, iK (*, m, m); X (*, m, n); results (*, k) and (*, m, k).
    Raises:
        ValueError: ``m`` is smaller than ``3 * n``, or ``method`` is unknown.
        NotImplementedError: a gradient is to go through ``B``, or a ``tracker`` to be called.
    Reference:
        Knyazev 2001, "Toward the optimal preconditioned eigensolver", SIAM J. Sci. Comput. 23.
    Example:
        >>> import rushlight as rl
        >>> values, _ = rl.lobpcg(rl.arange(1.0, 7.0).diag(), k=1)
        >>> round(values.item(), 3)
        6.0
    """
    unwrapped(A, "lobpcg", "A", 1)
    _check(A, B, method, tracker)
    size = A.shape[-1]
    k = k or (X.shape[-1] if X is not None else 1)
    count = n or (X.shape[-1] if X is not None else k)
    if size < 3 * count:
        raise ArgValueError(
            "lobpcg",
            f"LOBPCG algorithm is not applicable when the number of A rows (={size}) is smaller"
            f" than 3 x the number of requested eigenpairs (={count})",
        )
    start = randn(*A.shape[:-1], count, dtype=A.dtype) if X is None else X
    precise = float(np.finfo(A.dtype.numpy).eps)
    search = _Search(
        1000 if niter is None else niter,
        precise**0.5 if tol is None else tol,
        largest is None or largest,
    )
    given = [None if x is None else array_of(x) for x in (A, B, iK, start)]
    batch = A.shape[:-2]
    values = np.empty((*batch, k), given[0].real.dtype)
    vectors = np.empty((*batch, size, k), given[0].dtype)
    for place in np.ndindex(*batch):
        one = [None if x is None else x[place] if x.ndim > 2 else x for x in given]
        values[place], vectors[place] = search.found(k, *one)
    nodes = (A.node, _node(values, A.real.dtype), _node(vectors, A.dtype))
    pair = ops.parts(ops.eigenpairs.record(nodes))
    return Tensor(pair[0]), Tensor(pair[1])


def _check(A: Tensor, B: Tensor | None, method: str | None, tracker: Any) -> None:
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ShapeError("lobpcg", f"lobpcg: A must be square matrices, but is {A.shape}")
    matrices("lobpcg", A)
    if method not in (None, "basic", "ortho"):
        raise ArgValueError("lobpcg", f"lobpcg: unknown method {method!r}; basic and ortho are")
    if tracker is not None:
        raise MissingError("lobpcg", "lobpcg: a tracker is not there yet")
    if B is not None and (B.requires_grad or A.requires_grad):
        raise MissingError("lobpcg", "lobpcg has no gradient when B is given")


def _node(values: Array, dtype: Any) -> Node:
    return known(Buffer.of(values, dtype))


class _Search:
    """The iteration for one matrix.

    Args:
        most: how many iterations there may be.
        tol: the residual that is small enough.
        largest: whether the largest eigenvalues are wanted.
    """

    def __init__(self, most: int, tol: float, largest: bool) -> None:
        self.most = most
        self.tol = tol
        self.largest = largest

    def found(
        self, k: int, a: Array, b: Array | None, inverse: Array | None, start: Array
    ) -> tuple[Array, Array]:
        """The ``k`` first eigenvalues and their vectors."""
        count = start.shape[-1]
        values, x = self._best(_orthonormal(start, b), a, count)
        size_a, size_b = np.linalg.norm(a), 1.0 if b is None else np.linalg.norm(b)
        direction = np.empty((len(a), 0), a.dtype)
        for _ in range(self.most):
            other = x if b is None else b @ x
            residual = a @ x - other * values
            scale = np.linalg.norm(x, axis=0) * (size_a + np.abs(values) * size_b)
            if (np.linalg.norm(residual, axis=0)[:k] <= self.tol * scale[:k]).all():
                break
            step = residual if inverse is None else inverse @ residual
            basis = _orthonormal(np.concatenate([x, step, direction], 1), b)
            values, improved = self._best(basis, a, count)
            direction = improved - x @ (other.conj().T @ improved)
            x = improved
        return values[:k], x[:, :k]

    def _best(self, basis: Array, a: Array, count: int) -> tuple[Array, Array]:
        """The best eigenvalues and vectors within a basis (Rayleigh and Ritz)."""
        values, inside = np.linalg.eigh(basis.conj().T @ a @ basis)
        order = slice(None, -count - 1, -1) if self.largest else slice(count)
        return values[order], basis @ inside[:, order]


def _orthonormal(x: Array, b: Array | None) -> Array:
    """A basis of what the columns span that is orthonormal by ``b``, without what is rounding."""
    for _ in range(2):  # what rounding spoils the first time is small the second time
        x = x / np.maximum(np.linalg.norm(x, axis=0), np.finfo(x.dtype).tiny)
        values, vectors = np.linalg.eigh(x.conj().T @ (x if b is None else b @ x))
        kept = values > 4 * len(values) * np.finfo(x.dtype).eps * values[-1]
        x = (x @ vectors[:, kept]) / np.sqrt(values[kept])
    return x
