"""The kernel of a convolution and of the gradient of its data, on channels-last images.

Every row of a tile is a position of the image. Its elements for one tap are the channels of one
pixel, which lie side by side, so the micro-kernel reads the image itself: a record for each tap
holds the addresses of the pixels of all rows. Pixels outside of the image are a run of zeros, and
a tap that no row of a tile can reach is left out. Weights are packed (:mod:`weights`).
"""

from __future__ import annotations

from dataclasses import dataclass

from rushlight.compiler.llvm.contract.finish import hand_over, waiting_place, waiting_rows
from rushlight.compiler.llvm.contract.micro import arguments_of, micro_name
from rushlight.compiler.llvm.contract.operand import Writer
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import HEAD, Tile
from rushlight.compiler.llvm.text import I8, I64, VOID, Function, Module, Type, Value, const, i64

DIGITS = ("image", "d", "h", "w")
SIZES = Layout([
    "images", "channels", "columns", "groups", "tile_rows", "block_m", "block_n", "blocks_m",
    "blocks_n", "taps_block", "records", "zeros", "partial", "grids", "taps",
])  # fmt: skip
SOURCE = Layout([
    "place", "offset", "group", "stride_image", "stride_d", "stride_h", "stride_w",
    "size_d", "size_h", "size_w", "step_d", "step_h", "step_w",
])  # fmt: skip
WEIGHTS = Layout(["place", "offset", "row", "panel", "group"])
TARGET = Layout(["place", "offset", "group", "stride_image", "stride_d", "stride_h", "stride_w"])
PIXEL = Layout(["image", "d", "h", "w"])
# Of bytes alone: the place of the byte outside of images.
PADDING = Layout(["place"])
# Tables that follow the parameters: grids, then taps.
GRID = Layout(["block", "rows", "d", "h", "w", "target", "pixel", "tap", "taps"])
TAP = Layout(["d", "h", "w", "source", "weights"])


@dataclass(frozen=True)
class ConvolutionStructure:
    """What decides the code.

    Attributes:
        images_last: whether neighbouring rows of a tile are neighbouring images at one position
            rather than positions of one image: then taps outside of a small image are left out.
        writer: what is done with the sums, m being the number of the target's pixel.
    """

    tile: Tile
    images_last: bool
    writer: Writer | None = None

    @property
    def layouts(self) -> list[Layout]:
        """The parameters of a call, part after part; the two tables follow."""
        target = TARGET if self.writer is None else self.writer.layout
        padding = [PADDING] if self.tile.quads else []
        return [SIZES, SOURCE, WEIGHTS, PIXEL, target, *padding]

    @property
    def form(self) -> str:
        """The form of the micro-kernel."""
        return "rows_quads" if self.tile.quads else "rows"


def convolution_module(structure: ConvolutionStructure, name: str) -> Module:
    """The kernel. Its axis: groups, blocks of channels, blocks of positions of all grids."""
    module = Module(structure.tile.machine)
    types = [type for _, type in arguments_of(structure.form)]
    module.declare(micro_name(structure.tile, structure.form), VOID, types)
    f = module.function(name, KERNEL)
    kernel = _Convolution(structure, f)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        kernel.block(task)
    f.ret()
    return module


class _Convolution:
    """Writes the body of the kernel."""

    def __init__(self, structure: ConvolutionStructure, f: Function) -> None:
        self.structure, self.tile, self.f = structure, structure.tile, f
        parts, first = [], 0
        for layout in structure.layouts:
            parts.append(Params(f, layout, first))
            first += len(layout)
        self.sizes, self.source, self.weights, self.pixel, self.target, *padding = parts
        self.grids = f.at(f.arguments["params"], first, "i64")
        self.taps = f.at(self.grids, f.mul(self.sizes["grids"], i64(len(GRID))), "i64")
        # As many lanes as a tile has rows, rounded up to a power of two.
        self.lanes = 1 << (self.tile.rows - 1).bit_length()
        scratch = f.arguments["scratch"]
        arrays = [f.at(scratch, i * self.lanes, "i64") for i in range(6)]
        self.outs, self.pixels, self.base = arrays[:3]
        self.places = arrays[3:]
        self.records = f.at(scratch, self.sizes["records"], "i8")
        self.zeros = f.at(scratch, self.sizes["zeros"], "i8")
        self.partial = f.at(scratch, self.sizes["partial"], "i8")
        self.source_base = f.at(self.source.pointer("place"), self.source["offset"], "i8")
        self.weights_base = f.at(self.weights.pointer("place"), self.weights["offset"], "i8")
        if structure.writer is not None:
            structure.writer.begin(f, self.target)
        else:
            self.target_base = f.at(self.target.pointer("place"), self.target["offset"], "i8")
        outside = const(0, self.tile.vector)
        self.counts: Value | None = None  # whether what lies outside of images is not 0
        if padding:
            byte = f.convert("zext", f.load(padding[0].pointer("place"), I8), "i32")
            self.counts = f.compare("ne", byte, const(0, byte.type))
            outside = f.splat(f.mul(byte, const(0x01010101, byte.type)), self.tile.lanes)
        with f.loop(i64(0), self.sizes["channels"], self.tile.lanes) as k:
            f.store(outside, f.at(self.zeros, k, self.tile.element))

    def block(self, task: Value) -> None:
        """One block of positions and channels."""
        f, s = self.f, self.sizes
        block = f.binary("urem", task, s["blocks_m"])
        rest = f.binary("udiv", task, s["blocks_m"])
        block_n = f.binary("urem", rest, s["blocks_n"])
        self.group = f.binary("udiv", rest, s["blocks_n"])
        self._find_grid(block)
        self.n0 = f.mul(block_n, s["block_n"])
        self.n1 = f.intrinsic("smin", f.add(self.n0, s["block_n"]), s["columns"])
        self.m0 = f.mul(f.sub(block, self.grid["block"]), s["block_m"])
        self.m1 = f.intrinsic("smin", f.add(self.m0, s["block_m"]), self.grid["rows"])
        source = f.mul(self.group, self.source["group"])
        self.source_here = f.at(self.source_base, source, "i8")
        weights = f.mul(self.group, self.weights["group"])
        self.weights_here = f.at(self.weights_base, weights, "i8")
        taps = self.grid["taps"]
        # A grid without taps is one block of none, which writes zeros.
        last = f.intrinsic("smax", taps, i64(1))
        with f.loop(i64(0), last, s["taps_block"]) as first:
            self.first = first
            self.stop = f.intrinsic("smin", f.add(first, s["taps_block"]), taps)
            self.is_last = f.compare("sge", f.add(first, s["taps_block"]), last)
            self.is_only = f.compare("sge", s["taps_block"], last)
            with f.loop(self.m0, self.m1, s["tile_rows"]) as m:
                self._row_of_tiles(m)

    def _find_grid(self, block: Value) -> None:
        """The grid that a block of positions belongs to."""
        f = self.f
        chosen = f.variable(i64(0))
        with f.loop(i64(1), self.sizes["grids"]) as g:
            first = f.load(f.at(self.grids, f.mul(g, i64(len(GRID))), "i64"), I64)
            with f.when(f.compare("sge", block, first)):
                f.set(chosen, g)
        row = f.at(self.grids, f.mul(f.get(chosen, I64), i64(len(GRID))), "i64")
        self.grid = {name: f.load(f.at(row, GRID.slot(name), "i64"), I64) for name in GRID.names}

    # Rows ------------------------------------------------------------------------------------

    def _positions(self, m: Value, rows: Value) -> None:
        """Works out each row's position: its pixel of the source, and where its result goes."""
        f, grid = self.f, self.grid
        extents = {"image": self.sizes["images"], "d": grid["d"], "h": grid["h"], "w": grid["w"]}
        order = ["w", "h", "d", "image"]
        if self.structure.images_last:
            order = ["image", "w", "h", "d"]
        digits, rest = {}, m
        for name in order[:-1]:
            digits[name] = f.variable(f.binary("urem", rest, extents[name]))
            rest = f.binary("udiv", rest, extents[name])
        digits[order[-1]] = f.variable(rest)
        with f.loop(i64(0), i64(self.lanes)) as i:
            now = {name: f.get(digits[name], I64) for name in DIGITS}
            self._position(i, now, f.compare("slt", i, rows))
            carry = i64(1)
            for name in order:
                more = f.add(now[name], carry)
                full = f.compare("eq", more, extents[name])
                f.set(digits[name], f.select(full, i64(0), more))
                carry = f.convert("zext", full, "i64")

    def _position(self, i: Value, now: dict[str, Value], counts: Value) -> None:
        f, source = self.f, self.source
        place = f.mul(now["image"], source["stride_image"])
        for name, array in zip("dhw", self.places):
            pixel = f.mul(now[name], source[f"step_{name}"])
            place = f.add(place, f.mul(pixel, source[f"stride_{name}"]))
            # A row that is not there is outside of every image.
            seen = f.select(counts, pixel, i64(-(1 << 40)))
            f.store(seen, f.at(array, i, "i64"))
        f.store(f.at(self.source_here, place, "i8"), f.at(self.base, i, "ptr"))
        if self.structure.writer is None:
            at = self._dot(now, {name: self.target[f"stride_{name}"] for name in DIGITS})
            at = f.add(f.add(at, self.grid["target"]), f.mul(self.group, self.target["group"]))
            f.store(f.at(self.target_base, at, "i8"), f.at(self.outs, i, "ptr"))
        else:
            at = self._dot(now, {name: self.pixel[name] for name in DIGITS})
            f.store(f.add(at, self.grid["pixel"]), f.at(self.pixels, i, "i64"))

    def _dot(self, now: dict[str, Value], strides: dict[str, Value]) -> Value:
        f = self.f
        total = i64(0)
        for name in DIGITS:
            total = f.add(total, f.mul(now[name], strides[name]))
        return total

    def _fill_records(self) -> Value:
        """A record for each tap of this block that a row can reach; how many there are."""
        f, tile = self.f, self.tile
        wide = Type("i64", self.lanes)
        addresses = Type("ptr", self.lanes)
        base = f.convert("inttoptr", f.load(self.base, wide), "ptr")  # slots of 8 bytes
        places = [f.load(array, wide) for array in self.places]
        zeros = f.splat(self.zeros, self.lanes)
        count = f.variable(i64(0))
        with f.loop(self.first, self.stop) as t:
            number = f.add(t, self.grid["tap"])
            row = f.at(self.taps, f.mul(number, i64(len(TAP))), "i64")
            tap = {name: f.load(f.at(row, TAP.slot(name), "i64"), I64) for name in TAP.names}
            inside: Value | None = None
            for name, place in zip("dhw", places):
                pixel = f.add(place, f.splat(tap[name], self.lanes))
                size = f.splat(self.source[f"size_{name}"], self.lanes)
                within = f.compare("ult", pixel, size)
                inside = within if inside is None else f.binary("and", inside, within)
            assert inside is not None
            text = f"getelementptr i8, {base}, {tap['source']}"
            pointers = f.select(inside, f.emit(text, addresses), zeros)
            record = f.at(self.records, f.mul(f.get(count, I64), i64(tile.record)), "i64")
            f.store(tap["weights"], record)
            f.store(self.sizes["channels"], f.at(record, 1, "i64"))
            f.store(f.convert("ptrtoint", pointers, "i64"), f.at(record, HEAD, "i64"))
            bits = Type(f"i{self.lanes}")
            reached = f.emit(f"bitcast {inside} to {bits}", bits)
            some = f.compare("ne", reached, Value("0", bits))
            if self.counts is not None:
                some = f.binary("or", some, self.counts)
            f.set(count, f.add(f.get(count, I64), f.convert("zext", some, "i64")))
        return f.get(count, I64)

    # Tiles -----------------------------------------------------------------------------------

    def _row_of_tiles(self, m: Value) -> None:
        """All tiles of this block that begin at row ``m``."""
        f, tile, s = self.f, self.tile, self.sizes
        rows = f.intrinsic("smin", f.sub(self.m1, m), s["tile_rows"])
        self._positions(m, rows)
        if self.structure.writer is not None:
            waiting_rows(f, tile, self.partial, self.outs)
        segments = self._fill_records()
        add = f.convert("zext", f.compare("ne", self.first, i64(0)), "i64")
        down = f.binary("udiv", f.sub(m, self.m0), s["tile_rows"])
        with f.loop(self.n0, self.n1, tile.columns) as n:
            columns = f.intrinsic("smin", f.sub(self.n1, n), i64(tile.columns))
            panel = f.binary("udiv", n, i64(tile.columns))
            b = f.at(self.weights_here, f.mul(panel, self.weights["panel"]), "i8")
            column = f.mul(n, i64(tile.bytes))
            if self.structure.writer is not None:
                across = f.sub(n, self.n0)
                column = waiting_place(f, tile, down, across, s["block_n"], self.is_only)
            f.invoke(
                micro_name(tile, self.structure.form), VOID, self.records, segments, b,
                self.weights["row"], self.outs, column, rows, columns, add, i64(0),
            )  # fmt: skip
            if self.structure.writer is not None:
                with f.when(self.is_last):
                    sums = f.at(self.partial, column, "i8")
                    hand_over(
                        f, tile, self.structure.writer, self.group, self._pixel_of, n, rows,
                        columns, sums,
                    )  # fmt: skip

    def _pixel_of(self, i: Value) -> Value:
        return self.f.load(self.f.at(self.pixels, i, "i64"), I64)
