"""Reads the taps of weights as vectors over channels."""

from __future__ import annotations

from rushlight.compiler.llvm.contract.operand import IN_MEMORY, widened
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.contract.transpose import transposed
from rushlight.compiler.llvm.text import Function, Type, Value, const, i64


def read_taps(
    f: Function, tile: Tile, element: str, place: Value, stride: Value, left: Value, taps: int
) -> list[Value]:
    """For each tap, a vector of one element from each of as many rows as a vector has lanes.

    Args:
        element: of the memory.
        place: of the first row's first tap; a row's taps lie side by side.
        stride: bytes from row to row.
        left: how many rows there are; further ones repeat the last.
    """
    found: list[Value] = []
    memory = Type(IN_MEMORY.get(element, element), tile.lanes)
    last = f.sub(left, i64(1))
    places = [
        f.at(place, f.mul(stride, f.intrinsic("smin", i64(lane), last)), "i8")
        for lane in range(tile.lanes)
    ]
    for first in range(0, taps, tile.lanes):
        count = min(tile.lanes, taps - first)
        mask = f.lanes_below(i64(count), tile.lanes)
        rows = []
        for row in places:
            value = f.masked_load(f.at(row, first, memory.element), memory, mask, const(0, memory))
            rows.append(widened(f, value, element, tile))
        found += transposed(f, rows)[:count]
    return found
