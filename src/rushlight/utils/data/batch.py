"""Making a batch in one go, where nobody can tell that it was not made sample by sample.

PyTorch knows two ways to ask a dataset for the samples of a batch: ``__getitem__``, one at a time,
and ``__getitems__``, a list for a list of indices. Both then collate the list. A third way is ours:

    ``__getbatch__(self, indices)`` returns what ``default_collate`` would make of the samples at
    ``indices``, or ``NotImplemented`` when it cannot do so for these.

:class:`TensorDataset` has it, and gathers a batch with one operation for each of its tensors
instead of taking 64 rows apart and stacking them again. It is used when the samples would go
through ``default_collate`` unchanged, and never against a class that says otherwise: when a
subclass redefines ``__getitem__`` or ``__getitems__``, that is what its samples are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_WAYS = ("__getitem__", "__getitems__")
_INTEGERS = frozenset((int, np.int8, np.int16, np.int32, np.int64))


def samples(dataset: Any, indices: Sequence[Any]) -> Sequence[Any]:
    """The samples at ``indices``, by ``__getitems__`` if the dataset has it."""
    together = getattr(dataset, "__getitems__", None)
    if callable(together):
        found: Sequence[Any] = together(indices)
        return found
    return [dataset[index] for index in indices]


def whole_batch(dataset: Any, indices: Sequence[Any]) -> Any:
    """``default_collate(samples(dataset, indices))`` in one go, or ``NotImplemented``."""
    for cls in type(dataset).__mro__:
        names = cls.__dict__
        if "__getbatch__" in names:
            return names["__getbatch__"](dataset, indices)
        if any(way in names for way in _WAYS):
            break
    return NotImplemented


def row_numbers(indices: Sequence[Any], size: int) -> np.ndarray | None:
    """``indices`` as row numbers from 0, int64, of something that has ``size`` rows.

    None where a row each is not what indexing would give: an empty batch, masks, slices, indices
    that are tensors, and indices out of range, for which indexing has an error to raise.
    """
    if type(indices) is not list or not _INTEGERS.issuperset(map(type, indices)):
        return None
    rows = np.asarray(indices)
    if not rows.size or rows.dtype.kind != "i":  # an int beyond 64 bits gives another kind
        return None
    low, high = rows.min(), rows.max()
    if low < -size or high >= size:
        return None
    rows = rows.astype(np.int64, copy=False)
    return rows if low >= 0 else np.where(rows < 0, rows + size, rows)
