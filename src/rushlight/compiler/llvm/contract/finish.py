"""Finished tiles: where sums wait between blocks of k, and how they are handed to a writer."""

from __future__ import annotations

from collections.abc import Callable

from rushlight.compiler.llvm.contract.operand import Writer
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.text import Function, Value, i64


def waiting_place(
    f: Function, tile: Tile, row: Value, column: Value, block_n: Value, alone: Value
) -> Value:
    """Bytes to the sums of the tile at ``row`` (a number of tiles) and ``column`` of a block.

    With a single block of k (``alone``) no tile waits, and one place serves all.
    """
    across = f.binary("udiv", f.add(block_n, i64(tile.columns - 1)), i64(tile.columns))
    number = f.add(f.mul(row, across), f.binary("udiv", column, i64(tile.columns)))
    return f.select(alone, i64(0), f.mul(number, i64(tile.rows * tile.columns * tile.bytes)))


def waiting_rows(f: Function, tile: Tile, first: Value, slots: Value) -> None:
    """Fills in the addresses of a waiting tile's rows."""
    for i in range(tile.rows):
        row = f.at(first, i * tile.columns, tile.element)
        f.store(row, f.at(slots, i, "ptr"))


def hand_over(
    f: Function, tile: Tile, writer: Writer, batch: Value, row_of: Callable[[Value], Value],
    n: Value, rows: Value, columns: Value, sums: Value,
) -> None:  # fmt: skip
    """Gives the sums of one tile to the writer; ``row_of`` tells m of each of the tile's rows."""
    with f.loop(i64(0), rows) as i:
        m = row_of(i)
        row = f.at(sums, f.mul(i, i64(tile.columns)), tile.element)
        for v in range(tile.vectors):
            left = f.sub(columns, i64(v * tile.lanes))
            with f.when(f.compare("sgt", left, i64(0))):
                value = f.load(f.at(row, v * tile.lanes, tile.element), tile.vector)
                mask = f.lanes_below(left, tile.lanes)
                writer.write(f, batch, m, f.add(n, i64(v * tile.lanes)), value, mask)
