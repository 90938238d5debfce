"""Where every buffer of a schedule lives: one arena for what exists only while a program runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ALIGNMENT = 64


@dataclass(frozen=True)
class Span:
    """A piece of memory that is needed from one call to another.

    Attributes:
        buffer: whose it is.
        size: in bytes.
        first, last: the calls between which it holds a value, both included.
    """

    buffer: int
    size: int
    first: int
    last: int


def arranged(spans: Iterable[Span]) -> tuple[dict[int, int], int]:
    """Offsets in the arena by buffer, and the arena's size in bytes.

    The largest come first, each at the lowest place that is free while it is needed.
    """
    placed: list[tuple[int, Span]] = []
    offsets: dict[int, int] = {}
    total = 0
    for span in sorted(spans, key=lambda each: (-each.size, each.first, each.buffer)):
        size = -(-span.size // ALIGNMENT) * ALIGNMENT
        at = 0
        for offset, other in sorted(placed, key=lambda each: each[0]):
            if other.first > span.last or other.last < span.first:
                continue
            if at + size <= offset:
                break
            at = max(at, offset + -(-other.size // ALIGNMENT) * ALIGNMENT)
        placed.append((at, span))
        offsets[span.buffer] = at
        total = max(total, at + size)
    return offsets, total
