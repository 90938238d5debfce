"""Numbers that layers take once for all dimensions or for each of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Ints = int | tuple[int, ...]


def each(value: Any, count: int) -> tuple[Any, ...]:
    """A value for each of ``count`` dimensions; a sequence as it is."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * count
