"""Singular values of matrices whose elements may be anything."""

from __future__ import annotations

from typing import Any

import numpy as np

from .solve import LinAlgError


def singular(
    operation: str, a: Any, full_matrices: bool = True, *, refuses: bool = True
) -> tuple[Any, Any, Any]:
    """``U``, ``S`` and ``Vh`` of matrices (*, m, n).

    Those of a matrix with an infinite element are NaN, which LAPACK is not asked for: it may not
    come to an end.

    Args:
        operation: whose values are refused.
        refuses: whether NaN is refused, as PyTorch does; else it gives NaN, too.
    Raises:
        LinAlgError: an element is NaN.
    """
    whole = np.isfinite(a).all((-2, -1))
    if whole.all():
        u, s, vh = np.linalg.svd(a, full_matrices)
        return u, s, vh
    if refuses and np.isnan(a).any():
        raise LinAlgError(
            operation,
            f"{operation}: The algorithm failed to converge because the input matrix contained"
            " non-finite values.",
        )
    u, s, vh = np.linalg.svd(np.where(whole[..., None, None], a, 0), full_matrices)
    for each in (u, s, vh):
        each[~whole] = np.nan
    return u, s, vh
