"""Lists of tokens and numbers changed; :mod:`rushlight.text.transforms` are modules of the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.nn.utils.rnn import pad_sequence

__all__ = ["add_token", "str_to_int", "to_tensor", "truncate"]


def _nested(input: Any) -> bool:
    return bool(input) and isinstance(input[0], (list, tuple))


def each(change: Callable[[list[Any]], list[Any]], input: Any) -> Any:
    """A change of one list, or of each of several."""
    if not isinstance(input, (list, tuple)):
        raise TypeError(f"Input type not supported: {type(input).__name__}")
    return [change(list(row)) for row in input] if _nested(input) else change(list(input))


def to_tensor(input: Any, padding_value: int | None = None, dtype: rl.dtype = rl.int64) -> Tensor:
    """Numbers as a tensor.

    Args:
        padding_value: what fills the shorter of several lists; None when all are as long.
    Example:
        >>> from rushlight.text import functional as F
        >>> F.to_tensor([[1, 2], [3]], padding_value=0)
        tensor([[1, 2],
                [3, 0]])
    """
    if padding_value is None or not _nested(input):
        return rl.tensor(input, dtype=dtype)
    rows = [rl.tensor(row, dtype=dtype) for row in input]
    return pad_sequence(rows, batch_first=True, padding_value=float(padding_value))


def truncate(input: Any, max_seq_len: int) -> Any:
    """The first ``max_seq_len`` items of a list, or of each of several."""
    return each(lambda row: row[:max_seq_len], input)


def add_token(input: Any, token_id: int | str, begin: bool = True) -> Any:
    """A token in front of a list, or at its end, or of each of several."""
    return each(lambda row: [token_id, *row] if begin else [*row, token_id], input)


def str_to_int(input: Any) -> Any:
    """Numbers that are written out as numbers."""
    return each(lambda row: [int(item) for item in row], input)


def to_index(input: Any, numbers: Mapping[str, int]) -> Any:
    """The number of a label, or of each of several."""
    return [numbers[item] for item in input] if isinstance(input, list) else numbers[input]
