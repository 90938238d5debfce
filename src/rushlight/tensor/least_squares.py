"""Least squares, whose results' shapes depend on values."""

from __future__ import annotations

from typing import Any

from rushlight.base.dtypes import int64
from rushlight.base.errors import DTypeError, OperationError, ShapeError

from .arguments import results, unwrapped
from .creation import empty
from .functions import public
from .look import array_of
from .region import autocasts
from .tensor import Tensor

DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@autocasts("wide")
def lstsq(
    input: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None
) -> Any:
    """``X`` for which ``norm(A @ X - B)`` is smallest, and itself the smallest such.

    Singular values of at most ``rcond`` times the largest count as 0; the precision times the
    larger size when it is not given.

    Args:
        driver: ``"gelsy"`` (also by default), ``"gels"`` (takes ``A`` to have full rank),
            ``"gelsd"`` or ``"gelss"``: which of the other results there are, as in PyTorch.
    Shape:
        input (*, m, n); b (*, m, k) or (*, m); solution (*, n, k) or (*, n); residuals (*, k) when
        ``m > n`` and every rank is ``n``, with every driver but ``"gelsy"``, and empty otherwise;
        rank (*) but with ``"gels"``; singular_values (*, min(m, n)) with ``"gelsd"``, ``"gelss"``.
    Raises:
        RuntimeError: the shapes or dtypes do not fit, or there is no such driver.
    Reference:
        Golub & Van Loan, "Matrix Computations", section 5.5.
    Example:
        >>> import rushlight as rl
        >>> a = rl.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
        >>> rl.linalg.lstsq(a, rl.tensor([[1.0], [3.0], [5.0]])).solution
        tensor([[1.0000],
                [2.0000]])
    """
    unwrapped(input, "lstsq", "input", 1)
    unwrapped(b, "lstsq", "b", 2)
    vector = _check(input, b, driver)
    driver = driver or "gelsy"
    columns = b.unsqueeze(-1) if vector else b
    rows, size = input.shape[-2:]
    linalg = public["linalg"]
    solution = linalg["pinv"](input, rtol=0.0 if driver == "gels" else rcond) @ columns
    rank = empty(0, dtype=int64)
    values = empty(0, dtype=input.real.dtype)
    full = driver == "gels"
    if driver != "gels":
        rank = linalg["matrix_rank"](input, rtol=rcond)
    if driver in ("gelsd", "gelss"):
        values = linalg["svdvals"](input.detach())
        full = rows > size and bool((array_of(rank) == size).all())
    residuals = solution.flatten()[:0].abs()
    if full and rows > size and driver != "gelsy":
        apart = (input @ solution - columns).abs()
        residuals = (apart * apart).sum(-2)
    shown = solution.squeeze(-1) if vector else solution
    fields = ("solution", "residuals", "rank", "singular_values")
    return results("linalg_lstsq", fields)(shown, residuals, rank, values)


def _check(a: Tensor, b: Tensor, driver: str | None) -> bool:
    """Whether ``b`` holds a vector for each matrix."""
    what = ""
    vector = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    if a.ndim < 2:
        what = "input must have at least 2 dimensions."
    elif b.ndim < 1:
        what = "other must have at least 1 dimension."
    elif not 0 <= a.ndim - b.ndim <= 1:
        what = (
            "input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim())"
            " <= 1"
        )
    elif b.shape[-1 if vector else -2] != a.shape[-2]:
        what = f"input.size(-2) should match other.size({-1 if vector else -2})"
    if what:
        raise ShapeError("linalg.lstsq", f"torch.linalg.lstsq: {what}")
    if a.dtype is not b.dtype:
        raise DTypeError(
            "linalg.lstsq",
            "torch.linalg.lstsq: Expected input and other to have the same dtype, but got input's"
            f" dtype {a.dtype} and other's dtype {b.dtype}",
        )
    if driver is not None and driver not in DRIVERS:
        raise OperationError(
            "linalg.lstsq",
            "torch.linalg.lstsq: parameter `driver` should be one of"
            f" ({', '.join(DRIVERS)}), not {driver}",
        )
    return vector
