"""Reads the taps of weights as vectors over channels."""

from __future__ import annotations

from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.contract.transpose import transposed
from rushlight.compiler.llvm.text import Function, Value, const, i64


def read_taps(f: Function, tile: Tile, place: Value, stride: Value, taps: int) -> list[Value]:
    """For each tap, a vector of one element from each of as many rows as a vector has lanes.

    Args:
        place: of the first row's first tap; a row's taps lie side by side.
        stride: bytes from row to row.
    """
    found: list[Value] = []
    for first in range(0, taps, tile.lanes):
        count = min(tile.lanes, taps - first)
        mask = f.lanes_below(i64(count), tile.lanes)
        rows = []
        for lane in range(tile.lanes):
            at = f.at(place, f.mul(stride, i64(lane)), "i8")
            at = f.at(at, first, tile.element)
            rows.append(f.masked_load(at, tile.vector, mask, const(0, tile.vector)))
        found += transposed(f, rows)[:count]
    return found
