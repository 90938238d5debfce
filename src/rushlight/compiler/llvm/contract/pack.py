"""Packing: an operand copied into the order in which the micro-kernel reads it.

B is packed in *panels* as wide as a tile: the row of each k stands after that of k - 1, so the
micro-kernel walks through memory. A operand that runs along k is read in squares that are
transposed in registers.
"""

from __future__ import annotations

from rushlight.compiler.llvm.contract.operand import Reader
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.contract.transpose import transposed
from rushlight.compiler.llvm.text import I64, PTR, Function, Module, Value, i64

KERNEL = [("table", PTR), ("params", PTR), ("begin", I64), ("end", I64), ("scratch", PTR)]
PACK = Layout(["place", "offset", "k", "n", "pitch", "panels", "panel_bytes", "pieces", "piece"])


# k counts (channel, tap) where weights lie, and (tap, channel) where they are packed.
TAPS = Layout(["taps", "channels"])


def pack_module(tile: Tile, reader: Reader, name: str, by_taps: bool = False) -> Module:
    """A kernel that packs B. Its axis: products, then panels, then pieces of k.

    Args:
        by_taps: whether k is reordered, as the weights of a convolution are.
    """
    module = Module()
    f = module.function(name, KERNEL)
    params = Params(f, PACK)
    order = Params(f, TAPS, len(PACK)) if by_taps else None
    own = len(PACK) + (len(TAPS) if by_taps else 0)
    reader.begin(f, Params(f, reader.layout, own))
    packed = f.at(params.pointer("place"), params["offset"], "i8")
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        piece = f.binary("urem", task, params["pieces"])
        panels = f.binary("udiv", task, params["pieces"])
        panel = f.binary("urem", panels, params["panels"])
        batch = f.binary("udiv", panels, params["panels"])
        reader.enter(f, batch)
        start = f.mul(piece, params["piece"])
        stop = f.intrinsic("smin", f.add(start, params["piece"]), params["k"])
        column = f.mul(panel, i64(tile.columns))
        left = f.sub(params["n"], column)
        panel_at = f.at(packed, f.mul(panels, params["panel_bytes"]), "i8")
        row = f.at(panel_at, f.mul(start, params["pitch"]), "i8") if order is None else panel_at
        width = f.intrinsic("smin", left, i64(tile.columns))
        with f.loop(i64(0), width, tile.lanes) as v:
            place, first = f.at(row, v, tile.element), f.add(column, v)
            strip = Strip(tile, reader, batch, first, f.sub(left, v), params["pitch"], order)
            strip.copy(f, start, stop, place)
    f.ret()
    return module


class Strip:
    """As many columns of B (or rows of A) as a vector has lanes, to be copied side by side."""

    def __init__(
        self, tile: Tile, reader: Reader, batch: Value, first: Value, left: Value, pitch: Value,
        order: Params | None = None,
    ) -> None:  # fmt: skip
        self.order = order
        self.tile, self.reader, self.batch = tile, reader, batch
        self.first, self.left, self.pitch = first, left, pitch

    def copy(self, f: Function, start: Value, stop: Value, place: Value) -> None:
        """Copies the steps ``start`` to ``stop``; the first goes to ``place``."""
        if self.reader.along == "i":
            self._copy_rows(f, start, stop, place)
        else:
            self._copy_squares(f, start, stop, place)

    def _copy_rows(self, f: Function, start: Value, stop: Value, place: Value) -> None:
        mask = f.lanes_below(self.left, self.tile.lanes)
        with f.loop(start, stop) as k:
            value = self.reader.read(f, self.batch, k, self.first, mask)
            f.store(value, f.at(place, f.mul(f.sub(k, start), self.pitch), "i8"))

    def _copy_squares(self, f: Function, start: Value, stop: Value, place: Value) -> None:
        lanes = self.tile.lanes
        with f.loop(start, stop, lanes) as k:
            left = f.sub(stop, k)
            within = f.lanes_below(left, lanes)
            nothing = f.lanes_below(i64(0), lanes)
            rows = []
            for j in range(lanes):
                here = f.compare("sgt", self.left, i64(j))
                mask = f.select(here, within, nothing)
                i = f.add(self.first, i64(j))
                rows.append(self.reader.read(f, self.batch, k, i, mask))
            columns = transposed(f, rows)
            if self.order is not None:
                self._store_by_taps(f, columns, k, stop, place)
            else:
                # Rows beyond the end are written too: a panel has room for whole squares.
                first = f.at(place, f.mul(f.sub(k, start), self.pitch), "i8")
                for j, column in enumerate(columns):
                    f.store(column, f.at(first, f.mul(self.pitch, i64(j)), "i8"))

    def _store_by_taps(
        self, f: Function, columns: list[Value], k: Value, stop: Value, place: Value
    ) -> None:
        """Stores rows (channel, tap) from k on where (tap, channel) belongs."""
        assert self.order is not None
        taps, channels = self.order["taps"], self.order["channels"]
        channel, tap = f.binary("udiv", k, taps), f.binary("urem", k, taps)
        # What is beyond the end goes to a row that nobody reads.
        nowhere = f.mul(taps, channels)
        for j, column in enumerate(columns):
            row = f.add(f.mul(tap, channels), channel)
            row = f.select(f.compare("slt", f.add(k, i64(j)), stop), row, nowhere)
            f.store(column, f.at(place, f.mul(row, self.pitch), "i8"))
            tap = f.add(tap, i64(1))
            full = f.compare("eq", tap, taps)
            tap = f.select(full, i64(0), tap)
            channel = f.add(channel, f.convert("zext", full, "i64"))


def copy_along_k(
    f: Function, tile: Tile, reader: Reader, batch: Value, rows: tuple[Value, Value],
    steps: tuple[Value, Value], place: Value, pitch: Value,
) -> None:  # fmt: skip
    """Copies a block of A row by row, ``pitch`` bytes apart; k stays contiguous."""
    with f.loop(*rows) as i:
        row = f.at(place, f.mul(f.sub(i, rows[0]), pitch), "i8")
        with f.loop(*steps, tile.lanes) as k:
            mask = f.lanes_below(f.sub(steps[1], k), tile.lanes)
            value = reader.read(f, batch, k, i, mask)
            f.store(value, f.at(row, f.sub(k, steps[0]), tile.element))
