"""How values of several ranks become one, always in the order of the ranks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np

from rushlight.base.dtypes import DType
from rushlight.base.half import narrow, widen


class ReduceOp(Enum):
    """What a reduction does; ``AVG`` is the sum divided by how many ranks there are."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7

    def __str__(self) -> str:
        return f"ReduceOp.{self.name}"


_FUNCTIONS = {
    ReduceOp.SUM: np.add,
    ReduceOp.AVG: np.add,
    ReduceOp.PRODUCT: np.multiply,
    ReduceOp.MIN: np.minimum,
    ReduceOp.MAX: np.maximum,
    ReduceOp.BAND: np.bitwise_and,
    ReduceOp.BOR: np.bitwise_or,
    ReduceOp.BXOR: np.bitwise_xor,
}


def check(op: ReduceOp, dtype: DType, operation: str) -> None:
    """Checks that values of a dtype can be reduced so.

    Raises:
        TypeError: ``op`` is no ReduceOp.
        RuntimeError: there is no such reduction of that dtype.
    """
    if not isinstance(op, ReduceOp):
        raise TypeError(f"{operation}: op must be a ReduceOp, not {type(op).__name__}")
    if op in (ReduceOp.BAND, ReduceOp.BOR, ReduceOp.BXOR) and dtype.kind in ("float", "complex"):
        raise RuntimeError(f"Cannot use {op} with non-integral dtype: {operation} of {dtype}")
    if op in (ReduceOp.MIN, ReduceOp.MAX, ReduceOp.PRODUCT) and dtype.is_complex:
        raise RuntimeError(f"{operation} does not support {op} on complex tensors")


def reduced(op: ReduceOp, parts: Sequence[np.ndarray], dtype: DType) -> np.ndarray:
    """The values of all ranks brought together, the first rank's first.

    Args:
        parts: the elements as memory holds them, one array for each rank, of one shape.
    """
    function = _FUNCTIONS[op]
    total = widen(parts[0], dtype).copy()
    for part in parts[1:]:
        function(total, widen(part, dtype), out=total)
    if op is ReduceOp.AVG:
        count = len(parts)
        if dtype.kind in ("float", "complex"):
            total /= count
        else:
            total = np.trunc(total / count).astype(total.dtype)
    stored: np.ndarray = narrow(total, dtype)
    return stored
