"""Convolutions with kernels of 3x3 in fewer multiplications.

Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", F(2x2, 3x3),
arXiv:1509.09308. Two by two positions of the result need 16 products of transformed pixels and
transformed weights, where the definition has 36. The transforms only add, subtract and halve, so
the error stays near that of the plain sum.

A block of tiles (of 2x2 positions) is transformed into scratch memory, multiplied by each of the
16 transformed weights with the micro-kernel, and transformed back, without leaving the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rushlight.compiler.llvm.contract.micro import arguments_of, micro_name
from rushlight.compiler.llvm.contract.operand import Writer
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.taps import read_taps
from rushlight.compiler.llvm.contract.tile import HEAD, Tile
from rushlight.compiler.llvm.text import PTR, VOID, Function, Module, Type, Value, const, i64

SIZES = Layout([
    "channels", "columns", "down", "across", "tiles", "block", "blocks", "block_n", "blocks_n",
    "source_plane", "target_plane", "zeros", "source", "target",
])  # fmt: skip
SOURCE = Layout([
    "place", "offset", "stride_image", "stride_h", "stride_w", "size_h", "size_w", "start_h",
    "start_w",
])  # fmt: skip
WEIGHTS = Layout(["place", "offset", "row", "panel", "plane"])
TARGET = Layout(["size_h", "size_w"])
OUT = Layout(["place", "offset", "stride_image", "stride_h", "stride_w"])
PACK = Layout([
    "place", "offset", "from", "from_offset", "rows", "columns", "pitch", "panel", "plane",
    "panels", "pieces", "piece", "stride_row", "stride_column",
])  # fmt: skip

Square = list[list[Value]]


def transformed_input(f: Function, d: Square) -> Square:
    """Pixels of 4x4 as the products want them."""

    def line(x: Sequence[Value]) -> list[Value]:
        return [f.sub(x[0], x[2]), f.add(x[1], x[2]), f.sub(x[2], x[1]), f.sub(x[1], x[3])]

    return both(d, line)


def transformed_weights(f: Function, g: Square) -> Square:
    """Weights of 3x3 as the products want them."""

    def line(x: Sequence[Value]) -> list[Value]:
        half = const(0.5, x[0].type)
        outer, middle = f.mul(half, f.add(x[0], x[2])), f.mul(half, x[1])
        return [x[0], f.add(outer, middle), f.sub(outer, middle), x[2]]

    return both(g, line)


def transformed_output(f: Function, m: Square) -> Square:
    """The 2x2 results of 4x4 sums of products."""

    def line(x: Sequence[Value]) -> list[Value]:
        return [f.add(f.add(x[0], x[1]), x[2]), f.sub(f.sub(x[1], x[2]), x[3])]

    return both(m, line)


def both(square: Square, line: Callable[[Sequence[Value]], list[Value]]) -> Square:
    """Transforms columns, then rows."""
    columns = [line(column) for column in zip(*square)]
    return [line(row) for row in zip(*columns)]


def pack_module(tile: Tile, element: str, turned: bool, name: str) -> Module:
    """The kernel that transforms and packs weights. Its axis: panels, then pieces of rows.

    Args:
        element: of the weights in memory.
        turned: for the gradient of the data: the taps are taken from the other end.
    """
    module = Module()
    f = module.function(name, KERNEL)
    p = Params(f, PACK)
    packed = f.at(p.pointer("place"), p["offset"], "i8")
    weights = f.at(p.pointer("from"), p["from_offset"], "i8")
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        piece, panel = f.binary("urem", task, p["pieces"]), f.binary("udiv", task, p["pieces"])
        start = f.mul(piece, p["piece"])
        stop = f.intrinsic("smin", f.add(start, p["piece"]), p["rows"])
        column = f.mul(panel, i64(tile.columns))
        width = f.intrinsic("smin", f.sub(p["columns"], column), i64(tile.columns))
        here = f.at(packed, f.mul(panel, p["panel"]), "i8")
        with f.loop(i64(0), width, tile.lanes) as v, f.loop(start, stop) as row:
            at = f.add(f.mul(f.add(column, v), p["stride_column"]), f.mul(row, p["stride_row"]))
            left, row_at = f.sub(width, v), f.at(weights, at, "i8")
            taps = read_taps(f, tile, element, row_at, p["stride_column"], left, 9)
            taps = taps[::-1] if turned else taps
            place = f.at(f.at(here, f.mul(row, p["pitch"]), "i8"), v, tile.element)
            planes = transformed_weights(f, [taps[0:3], taps[3:6], taps[6:9]])
            for i, value in enumerate(x for line in planes for x in line):
                f.store(value, f.at(place, f.mul(p["plane"], i64(i)), "i8"))
    f.ret()
    return module


@dataclass(frozen=True)
class WinogradStructure:
    """What decides the code; ``writer`` gets the pixel as m."""

    tile: Tile
    writer: Writer | None = None

    @property
    def layouts(self) -> list[Layout]:
        """The parameters of a call, part after part."""
        out = OUT if self.writer is None else self.writer.layout
        return [SIZES, SOURCE, WEIGHTS, TARGET, out]


def winograd_module(structure: WinogradStructure, name: str) -> Module:
    """The kernel. Its axis: blocks of channels of the result, then blocks of tiles."""
    module = Module(structure.tile.machine)
    types = [type for _, type in arguments_of("rows")]
    module.declare(micro_name(structure.tile, "rows"), VOID, types)
    f = module.function(name, KERNEL)
    kernel = _Winograd(structure, f)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        kernel.block(task)
    f.ret()
    return module


class _Winograd:
    """Writes the body of the kernel."""

    def __init__(self, structure: WinogradStructure, f: Function) -> None:
        self.structure, self.tile, self.f = structure, structure.tile, f
        parts, first = [], 0
        for layout in structure.layouts:
            parts.append(Params(f, layout, first))
            first += len(layout)
        self.sizes, self.source, self.weights, self.limits, self.out = parts
        scratch, s = f.arguments["scratch"], self.sizes
        self.records = scratch
        self.zeros = f.at(scratch, s["zeros"], "i8")
        self.before, self.after = (f.at(scratch, s[x], "i8") for x in ("source", "target"))
        self.source_base = f.at(self.source.pointer("place"), self.source["offset"], "i8")
        self.weights_base = f.at(self.weights.pointer("place"), self.weights["offset"], "i8")
        if structure.writer is not None:
            structure.writer.begin(f, self.out)
        else:
            self.out_base = f.at(self.out.pointer("place"), self.out["offset"], "i8")
        self.pitch = f.mul(s["channels"], i64(self.tile.bytes))
        self.pitch_n = f.mul(s["block_n"], i64(self.tile.bytes))
        with f.loop(i64(0), s["channels"], self.tile.lanes) as c:
            f.store(const(0, self.tile.vector), f.at(self.zeros, c, self.tile.element))

    def block(self, task: Value) -> None:
        """One block of tiles and channels."""
        f, s = self.f, self.sizes
        block, block_n = (f.binary(op, task, s["blocks"]) for op in ("urem", "udiv"))
        self.t0, self.n0 = f.mul(block, s["block"]), f.mul(block_n, s["block_n"])
        t1 = f.intrinsic("smin", f.add(self.t0, s["block"]), s["tiles"])
        self.n1 = f.intrinsic("smin", f.add(self.n0, s["block_n"]), s["columns"])
        with f.loop(self.t0, t1) as t:
            self._enter(t)
        self._multiply(f.sub(t1, self.t0))
        with f.loop(self.t0, t1) as t:
            self._leave(t)

    def _place(self, t: Value) -> tuple[Value, Value, Value]:
        """Image, row and column of a tile's first position."""
        f, s = self.f, self.sizes
        rest, across = (f.binary(op, t, s["across"]) for op in ("udiv", "urem"))
        image, down = (f.binary(op, rest, s["down"]) for op in ("udiv", "urem"))
        return image, f.mul(down, i64(2)), f.mul(across, i64(2))

    def _enter(self, t: Value) -> None:
        """Transforms the pixels of one tile."""
        f, tile, p = self.f, self.tile, self.source
        image, down, across = self._place(t)
        row, column = f.add(down, p["start_h"]), f.add(across, p["start_w"])
        base = f.at(self.source_base, f.mul(image, p["stride_image"]), "i8")
        rows, columns = [], []
        for i in range(4):
            h, w = f.add(row, i64(i)), f.add(column, i64(i))
            rows.append((f.mul(h, p["stride_h"]), f.compare("ult", h, p["size_h"])))
            columns.append((f.mul(w, p["stride_w"]), f.compare("ult", w, p["size_w"])))
        pixels = []
        for at_h, in_h in rows:
            for at_w, in_w in columns:
                at = f.emit(f"getelementptr i8, {base}, {f.add(at_h, at_w)}", PTR)
                pixels.append(f.select(f.binary("and", in_h, in_w), at, self.zeros))
        to = f.at(self.before, f.mul(f.sub(t, self.t0), self.pitch), "i8")
        with f.loop(i64(0), self.sizes["channels"], tile.lanes) as c:
            found = [f.load(f.at(pixel, c, tile.element), tile.vector) for pixel in pixels]
            square = transformed_input(f, [found[i : i + 4] for i in range(0, 16, 4)])
            here = f.at(to, c, tile.element)
            for i, value in enumerate(x for line in square for x in line):
                f.store(value, f.at(here, f.mul(self.sizes["source_plane"], i64(i)), "i8"))

    def _multiply(self, tiles: Value) -> None:
        """The 16 products. A panel of weights is used for all tiles before the next is read."""
        f, tile, s = self.f, self.tile, self.sizes
        pitch = (tile.record + tile.rows) * 8
        with f.loop(i64(0), tiles, tile.rows) as m:
            record = f.at(
                self.records, f.mul(f.binary("udiv", m, i64(tile.rows)), i64(pitch)), "i8"
            )
            f.store(i64(0), record)
            f.store(s["channels"], f.at(record, 1, "i64"))
            self._addresses(self.before, self.pitch, m, f.at(record, HEAD, "i64"))
            self._addresses(self.after, self.pitch_n, m, f.at(record, tile.record, "i64"))
        with f.loop(i64(0), i64(16)) as x, f.loop(self.n0, self.n1, tile.columns) as n:
            width = f.intrinsic("smin", f.sub(self.n1, n), i64(tile.columns))
            panel = f.mul(f.binary("udiv", n, i64(tile.columns)), self.weights["panel"])
            b = f.at(self.weights_base, f.add(f.mul(x, self.weights["plane"]), panel), "i8")
            column = f.mul(f.sub(n, self.n0), i64(tile.bytes))
            column = f.add(column, f.mul(x, s["target_plane"]))
            shift = f.mul(x, s["source_plane"])
            with f.loop(i64(0), tiles, tile.rows) as m:
                number = f.binary("udiv", m, i64(tile.rows))
                record = f.at(self.records, f.mul(number, i64(pitch)), "i8")
                rows = f.intrinsic("smin", f.sub(tiles, m), i64(tile.rows))
                f.invoke(
                    micro_name(tile, "rows"), VOID, record, i64(1), b, self.weights["row"],
                    f.at(record, tile.record, "i64"), column, rows, width, i64(0), shift,
                )  # fmt: skip

    def _addresses(self, base: Value, pitch: Value, m: Value, slots: Value) -> None:
        f = self.f
        for i in range(self.tile.rows):
            at = f.at(base, f.mul(f.add(m, i64(i)), pitch), "i8")
            f.store(at, f.at(slots, i, "ptr"))

    def _leave(self, t: Value) -> None:
        """Transforms the sums of one tile back, and writes them."""
        f, tile, limits = self.f, self.tile, self.limits
        image, down, across = self._place(t)
        base = f.at(self.after, f.mul(f.sub(t, self.t0), self.pitch_n), "i8")
        pixels = []
        for i in range(2):
            for j in range(2):
                h, w = f.add(down, i64(i)), f.add(across, i64(j))
                inside = f.binary(
                    "and", f.compare("ult", h, limits["size_h"]),
                    f.compare("ult", w, limits["size_w"]),
                )  # fmt: skip
                pixels.append((h, w, inside))
        with f.loop(self.n0, self.n1, tile.lanes) as n:
            here = f.at(base, f.sub(n, self.n0), tile.element)
            planes = [f.mul(self.sizes["target_plane"], i64(i)) for i in range(16)]
            found = [f.load(f.at(here, plane, "i8"), tile.vector) for plane in planes]
            square = transformed_output(f, [found[i : i + 4] for i in range(0, 16, 4)])
            self._write(image, n, pixels, [x for line in square for x in line])

    def _write(
        self, image: Value, n: Value, pixels: list[tuple[Value, Value, Value]], values: list[Value]
    ) -> None:
        f, tile, out, writer = self.f, self.tile, self.out, self.structure.writer
        if writer is None:
            for (h, w, inside), value in zip(pixels, values):
                with f.when(inside):
                    at = f.add(f.mul(h, out["stride_h"]), f.mul(w, out["stride_w"]))
                    at = f.add(at, f.mul(image, out["stride_image"]))
                    place = f.at(self.out_base, f.add(at, f.mul(n, i64(tile.bytes))), "i8")
                    f.store(value, place)
            return
        # The writer's code once, for all four: they wait on the stack.
        waiting = [f.variable(value) for value in values]
        numbers = []
        for h, w, inside in pixels:
            row = f.add(f.mul(image, self.limits["size_h"]), h)
            number = f.add(f.mul(row, self.limits["size_w"]), w)
            numbers.append(f.select(inside, number, i64(-1)))
        everywhere = const(True, Type("i1", tile.lanes))
        with f.loop(i64(0), i64(4)) as i:
            value, number = f.get(waiting[0], tile.vector), numbers[0]
            for k in range(1, 4):
                chosen = f.compare("eq", i, i64(k))
                value = f.select(chosen, f.get(waiting[k], tile.vector), value)
                number = f.select(chosen, numbers[k], number)
            with f.when(f.compare("sge", number, i64(0))):
                writer.write(f, i64(0), number, n, value, everywhere)
