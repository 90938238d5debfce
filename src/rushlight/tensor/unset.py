"""What memory holds that nobody has written."""

from __future__ import annotations

from typing import Any

from rushlight.base.dtypes import DType, bool_


class _Memory:
    """What is asked of it.

    Attributes:
        deterministic: whether :func:`rushlight.use_deterministic_algorithms` is on.
        fills: whether it is filled then with what nobody takes for a result.
    """

    deterministic = False
    fills = True


memory = _Memory()


def unset(dtype: DType) -> Any:
    """The number that stands where nothing was written: 0, or one that stands out.

    That is nan for floats and complex numbers, True, or the largest of the whole numbers.
    """
    if not (memory.deterministic and memory.fills):
        return 0
    if dtype.is_floating_point or dtype.is_complex:
        return float("nan")
    if dtype is bool_:
        return True
    return 2 ** (8 * dtype.itemsize - dtype.is_signed) - 1
