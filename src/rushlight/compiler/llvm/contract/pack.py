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
PACK = Layout([
    "place", "offset", "k", "n", "pitch", "panels", "panel_bytes", "pieces", "piece", "group",
])  # fmt: skip


# k counts (channel, tap) where weights lie, and (tap, channel) where they are packed.
TAPS = Layout(["taps", "channels"])


def pack_module(tile: Tile, reader: Reader, name: str, by_taps: bool = False) -> Module:
    """A kernel that packs B. Its axis: products, then groups of panels, then pieces of k.

    A row of B that is contiguous is read as far as the panels of a group reach; else they are
    packed one after the other.

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
        rest = f.binary("udiv", task, params["pieces"])
        groups = f.add(params["panels"], f.sub(params["group"], i64(1)))
        groups = f.binary("udiv", groups, params["group"])
        batch = f.binary("udiv", rest, groups)
        first = f.mul(f.binary("urem", rest, groups), params["group"])
        last = f.intrinsic("smin", f.add(first, params["group"]), params["panels"])
        reader.enter(f, batch)
        start = f.mul(piece, params["piece"])
        stop = f.intrinsic("smin", f.add(start, params["piece"]), params["k"])
        here = f.at(packed, f.mul(f.mul(batch, params["panels"]), params["panel_bytes"]), "i8")
        if reader.along == "i":
            _pack_rows(f, tile, reader, params, batch, (first, last), (start, stop), here)
        else:
            with f.loop(first, last) as panel:
                at = f.at(here, f.mul(panel, params["panel_bytes"]), "i8")
                row = f.at(at, f.mul(start, params["pitch"]), "i8") if order is None else at
                column = f.mul(panel, i64(tile.columns))
                left = f.sub(params["n"], column)
                width = f.intrinsic("smin", left, i64(tile.columns))
                with f.loop(i64(0), width, tile.lanes) as v:
                    place, i = f.at(row, v, tile.element), f.add(column, v)
                    strip = Strip(tile, reader, batch, i, f.sub(left, v), params["pitch"], order)
                    strip.copy(f, start, stop, place)
    f.ret()
    return module


def _pack_rows(
    f: Function, tile: Tile, reader: Reader, params: Params, batch: Value,
    panels: tuple[Value, Value], steps: tuple[Value, Value], here: Value,
) -> None:  # fmt: skip
    """Copies rows of B, a part to each panel."""
    with f.loop(*steps) as k, f.loop(*panels) as panel:
        at = f.at(here, f.mul(panel, params["panel_bytes"]), "i8")
        row = f.at(at, f.mul(k, params["pitch"]), "i8")
        column = f.mul(panel, i64(tile.columns))
        for v in range(tile.vectors):
            i = f.add(column, i64(v * tile.lanes))
            left = f.sub(params["n"], i)
            with f.when(f.compare("sgt", left, i64(0))):
                value = reader.read(f, batch, k, i, f.lanes_below(left, tile.lanes))
                f.store(value, f.at(row, v * tile.lanes, tile.element))


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
