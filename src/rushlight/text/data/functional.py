"""Datasets of one style as the other, and lines of text replaced."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rushlight.utils.data import Dataset

from .utils import custom_replace

__all__ = ["custom_replace", "to_map_style_dataset"]


class Kept(Dataset):
    """All that an iterable gave, by number."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = list(items)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Any:
        return self._items[index]


def to_map_style_dataset(iter_data: Iterable[Any]) -> Dataset:
    """A dataset with a length, whose items have numbers, of one that can only be gone through.

    Example:
        >>> from rushlight.text.data import to_map_style_dataset
        >>> to_map_style_dataset(iter("abc"))[1]
        'b'
    """
    return Kept(iter_data)
