"""Tensors that are said by the places of their elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight.base import dtypes
from rushlight.base.dtypes import DType
from rushlight.base.errors import OperationError

from .creation import empty
from .data import tensor
from .tensor import Tensor


def _triangle(name: str, low: bool, doc: str) -> Any:
    def function(
        row: int, col: int, offset: int = 0, *, dtype: DType = dtypes.int64, layout: Any = None,
        device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
    ) -> Tensor:  # fmt: skip
        for what, size in (("row", row), ("col", col)):
            if size < 0:
                raise OperationError(name, f"{what} must be non-negative, got{size}")
        if dtype not in (dtypes.int32, dtypes.int64):
            raise OperationError(name, f'"{name}" not implemented for {dtype}')
        inside = np.tri(row, col, offset if low else offset - 1, bool)
        places = np.nonzero(inside if low else ~inside)
        return tensor(np.stack(places), dtype=dtype, device=device)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


tril_indices = _triangle(
    "tril_indices", True,
    """Rows and columns of the places on and below a diagonal of a matrix, as (2, N).

    Args:
        row, col: the matrix's size.
        offset: the diagonal, 0 the main one and negative below it.
    Raises:
        RuntimeError: a size is negative, or the dtype is neither int32 nor int64.
    """,
)  # fmt: skip
triu_indices = _triangle(
    "triu_indices", False,
    """Rows and columns of the places on and above a diagonal of a matrix, as (2, N).

    Args:
        row, col: the matrix's size.
        offset: the diagonal, 0 the main one and negative below it.
    Raises:
        RuntimeError: a size is negative, or the dtype is neither int32 nor int64.
    """,
)  # fmt: skip


def empty_permuted(
    size: Sequence[int],
    physical_layout: Sequence[int],
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor whose dimensions lie in memory in another order, the outermost named first.

    Its values mean nothing; here they are zeros.

    Raises:
        RuntimeError: ``physical_layout`` names a dimension that there is not, or one twice, or not
            as many as there are.
    """
    size, order = tuple(size), tuple(physical_layout)
    if len(size) != len(order):
        raise OperationError(
            "empty_permuted",
            "Number of dimensions in size does not match the length of the physical_layout; i.e."
            f" len(size) = {len(size)} is not equal to len(physical_layout) = {len(order)}",
        )
    for position, dim in enumerate(order):
        if not 0 <= dim < len(size):
            raise OperationError(
                "empty_permuted",
                f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got"
                f" {dim} at index {position}). NB: negative dims not currently supported; file an"
                " issue if you want it.",
            )
        if dim in order[:position]:
            raise OperationError("empty_permuted", "Duplicate dim not allowed")
    memory = empty([size[dim] for dim in order], dtype=dtype, device=device)
    return memory.permute(*np.argsort(order).tolist()).requires_grad_(requires_grad)
