"""Transposes squares of vectors in registers."""

from __future__ import annotations

from collections.abc import Sequence

from rushlight.compiler.llvm.text import Function, Value


def transposed(f: Function, rows: Sequence[Value]) -> list[Value]:
    """The columns of as many vectors as each has lanes.

    First inside blocks of 128 bits, where every processor interleaves quickly, then of whole
    blocks.
    """
    lanes = rows[0].type.lanes
    block = min(lanes, 128 // rows[0].type.bits)
    groups = [_within_blocks(f, rows[i : i + block], block) for i in range(0, lanes, block)]
    columns: list[Value | None] = [None] * lanes
    for j in range(block):
        whole = _whole_blocks(f, [group[j] for group in groups], block)
        for i, value in enumerate(whole):
            columns[i * block + j] = value
    return [column for column in columns if column is not None]


def _within_blocks(f: Function, rows: Sequence[Value], block: int) -> list[Value]:
    """Transposes each square of ``block`` rows and one block of lanes."""
    lanes = rows[0].type.lanes
    low, high = _interleaving(lanes, block, 1)
    if block == 1:
        return list(rows)
    if block == 2:
        return [f.shuffle(rows[0], rows[1], low), f.shuffle(rows[0], rows[1], high)]
    a, b = (f.shuffle(rows[0], rows[1], order) for order in (low, high))
    c, d = (f.shuffle(rows[2], rows[3], order) for order in (low, high))
    low, high = _interleaving(lanes, block, 2)
    return [
        f.shuffle(a, c, low), f.shuffle(a, c, high), f.shuffle(b, d, low), f.shuffle(b, d, high),
    ]  # fmt: skip


def _interleaving(lanes: int, block: int, run: int) -> tuple[list[int], list[int]]:
    """Lanes that interleave the lower, and the upper, halves of each block of two vectors."""
    halves: tuple[list[int], list[int]] = ([], [])
    for half, order in enumerate(halves):
        for start in range(0, lanes, block):
            for i in range(0, block // 2, run):
                place = start + half * (block // 2) + i
                order += range(place, place + run)
                order += range(lanes + place, lanes + place + run)
    return halves


def _whole_blocks(f: Function, rows: Sequence[Value], block: int) -> list[Value]:
    """Transposes blocks: block i of row j becomes block j of row i."""
    count = len(rows)
    if count == 1:
        return list(rows)
    lanes = count * block
    even, odd = ([
        lane for start in range(part * block, 2 * lanes, 2 * block)
        for lane in range(start, start + block)
    ] for part in (0, 1))  # fmt: skip
    while_even = [f.shuffle(x, y, even) for x, y in zip(rows[::2], rows[1::2])]
    while_odd = [f.shuffle(x, y, odd) for x, y in zip(rows[::2], rows[1::2])]
    if count == 2:
        return [*while_even, *while_odd]
    # Four rows: blocks 0 and 2 of each pair of rows stand together now, and 1 and 3.
    (a, b), (c, d) = while_even, while_odd
    pairs = [
        f.shuffle(a, b, even),
        f.shuffle(c, d, even),
        f.shuffle(a, b, odd),
        f.shuffle(c, d, odd),
    ]
    return pairs
