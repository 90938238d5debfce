"""Convolutions with a channel to itself in each group: vectors along the channels, nothing packed
but weights.

Every position lists the taps that are inside of the image; its channels are then summed over that
list.
"""

from __future__ import annotations

from dataclasses import dataclass

from rushlight.compiler.llvm.contract.convolution import GRID, SOURCE, TAP, TARGET
from rushlight.compiler.llvm.contract.correlation import RUNS, SIDE, SUMS
from rushlight.compiler.llvm.contract.operand import Writer
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.text import I64, PTR, Function, Module, Value, const, i64

SIZES = Layout(["images", "channels", "block", "grids"])
WEIGHTS = Layout(["place", "offset"])
PIXEL = Layout(["image", "d", "h", "w"])
DIGITS = ("image", "d", "h", "w")
SUM_SIZES = Layout(["channels", "blocks", "parts", "taps"])
# Vectors of channels that are summed over pixels at a time.
WIDTH = 4


@dataclass(frozen=True)
class DepthwiseStructure:
    """What decides the code; ``writer`` gets the pixel as m and the channel as n."""

    tile: Tile
    writer: Writer | None = None

    @property
    def layouts(self) -> list[Layout]:
        """The parameters of a call, part after part; tables of grids and taps follow."""
        target = TARGET if self.writer is None else self.writer.layout
        return [SIZES, SOURCE, WEIGHTS, PIXEL, target]


def depthwise_module(structure: DepthwiseStructure, name: str) -> Module:
    """The kernel. Its axis: blocks of positions of all grids."""
    module = Module(structure.tile.machine)
    f = module.function(name, KERNEL)
    kernel = _Depthwise(structure, f)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        kernel.block(task)
    f.ret()
    return module


class _Depthwise:
    """Writes the body of the kernel."""

    def __init__(self, structure: DepthwiseStructure, f: Function) -> None:
        self.structure, self.tile, self.f = structure, structure.tile, f
        parts, first = [], 0
        for layout in structure.layouts:
            parts.append(Params(f, layout, first))
            first += len(layout)
        self.sizes, self.source, weights, self.pixel, self.target = parts
        self.grids = f.at(f.arguments["params"], first, "i64")
        self.taps = f.at(self.grids, f.mul(self.sizes["grids"], i64(len(GRID))), "i64")
        self.source_base = f.at(self.source.pointer("place"), self.source["offset"], "i8")
        self.weights = f.at(weights.pointer("place"), weights["offset"], "i8")
        if structure.writer is not None:
            structure.writer.begin(f, self.target)
        else:
            self.target_base = f.at(self.target.pointer("place"), self.target["offset"], "i8")

    def block(self, task: Value) -> None:
        """One block of positions."""
        f = self.f
        chosen = f.variable(i64(0))
        with f.loop(i64(1), self.sizes["grids"]) as g:
            first = f.load(f.at(self.grids, f.mul(g, i64(len(GRID))), "i64"), I64)
            with f.when(f.compare("sge", task, first)):
                f.set(chosen, g)
        row = f.at(self.grids, f.mul(f.get(chosen, I64), i64(len(GRID))), "i64")
        self.grid = {name: f.load(f.at(row, GRID.slot(name), "i64"), I64) for name in GRID.names}
        start = f.mul(f.sub(task, self.grid["block"]), self.sizes["block"])
        stop = f.intrinsic("smin", f.add(start, self.sizes["block"]), self.grid["rows"])
        with f.loop(start, stop) as m:
            self._position(m)

    def _position(self, m: Value) -> None:
        f, tile = self.f, self.tile
        now, rest = {}, m
        for name in ("w", "h", "d"):
            now[name] = f.binary("urem", rest, self.grid[name])
            rest = f.binary("udiv", rest, self.grid[name])
        now["image"] = rest
        count = self._list_taps(now)
        channels = self.sizes["channels"]
        with f.loop(i64(0), channels, tile.lanes) as c:
            mask = f.lanes_below(f.sub(channels, c), tile.lanes)
            total = f.variable(const(0, tile.vector))
            with f.loop(i64(0), count) as t:
                pair = f.at(f.arguments["scratch"], f.mul(t, i64(2)), "ptr")
                x, w = (
                    f.masked_load(
                        f.at(f.load(f.at(pair, i, "ptr"), PTR), c, tile.element), tile.vector,
                        mask, const(0, tile.vector),
                    )
                    for i in range(2)
                )  # fmt: skip
                f.set(total, f.intrinsic("fmuladd", x, w, f.get(total, tile.vector)))
            self._write(now, c, f.get(total, tile.vector), mask)

    def _list_taps(self, now: dict[str, Value]) -> Value:
        """Writes the addresses of pixel and weights for each tap inside; how many there are."""
        f, source = self.f, self.source
        places = {name: f.mul(now[name], source[f"step_{name}"]) for name in "dhw"}
        at = f.mul(now["image"], source["stride_image"])
        for name in "dhw":
            at = f.add(at, f.mul(places[name], source[f"stride_{name}"]))
        count = f.variable(i64(0))
        with f.loop(i64(0), self.grid["taps"]) as t:
            row = f.at(self.taps, f.mul(f.add(t, self.grid["tap"]), i64(len(TAP))), "i64")
            tap = {name: f.load(f.at(row, TAP.slot(name), "i64"), I64) for name in TAP.names}
            inside = Value("true", f.compare("eq", t, t).type)
            for name in "dhw":
                pixel = f.add(places[name], tap[name])
                within = f.compare("ult", pixel, source[f"size_{name}"])
                inside = f.binary("and", inside, within)
            pair = f.at(f.arguments["scratch"], f.mul(f.get(count, I64), i64(2)), "ptr")
            offset = f.add(at, tap["source"])
            f.store(f.emit(f"getelementptr i8, {self.source_base}, {offset}", PTR), pair)
            f.store(f.at(self.weights, tap["weights"], "i8"), f.at(pair, 1, "ptr"))
            f.set(count, f.add(f.get(count, I64), f.convert("zext", inside, "i64")))
        return f.get(count, I64)

    def _write(self, now: dict[str, Value], c: Value, value: Value, mask: Value) -> None:
        f, writer = self.f, self.structure.writer
        if writer is None:
            at = self.grid["target"]
            for name in DIGITS:
                at = f.add(at, f.mul(now[name], self.target[f"stride_{name}"]))
            place = f.at(self.target_base, f.add(at, f.mul(c, i64(self.tile.bytes))), "i8")
            f.masked_store(value, place, mask)
            return
        number = self.grid["pixel"]
        for name in DIGITS:
            number = f.add(number, f.mul(now[name], self.pixel[name]))
        writer.write(f, i64(0), number, c, value, mask)


def depthwise_sums_module(tile: Tile, name: str) -> Module:
    """The kernel of the weights' gradient. Its axis: parts, taps, blocks of channels.

    Its sums stand in planes, one for each tap, of all channels.
    """
    module = Module()
    f = module.function(name, KERNEL)
    parts, first = [], 0
    for layout in (SUM_SIZES, SIDE, SIDE, SUMS):
        parts.append(Params(f, layout, first))
        first += len(layout)
    s, a, b = parts[:3]
    table = f.at(f.arguments["params"], first, "i64")
    bases = [f.at(p.pointer("place"), p["offset"], "i8") for p in parts[1:]]
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        rest, block = (f.binary(op, task, s["blocks"]) for op in ("udiv", "urem"))
        part, number = (f.binary(op, rest, s["taps"]) for op in ("udiv", "urem"))
        row = f.at(table, f.mul(number, i64(len(RUNS))), "i64")
        tap = {name: f.load(f.at(row, RUNS.slot(name), "i64"), I64) for name in RUNS.names}
        channel = f.mul(block, i64(WIDTH * tile.lanes))
        masks = [
            f.lanes_below(f.sub(s["channels"], f.add(channel, i64(v * tile.lanes))), tile.lanes)
            for v in range(WIDTH)
        ]
        totals = [f.variable(const(0, tile.vector)) for _ in masks]
        bounds = [
            f.binary("udiv", f.mul(p, tap["runs"]), s["parts"]) for p in (part, f.add(part, i64(1)))
        ]
        sides = [
            (f.at(f.at(base, tap[which], "i8"), channel, tile.element), side)
            for which, base, side in (("a", bases[0], a), ("b", bases[1], b))
        ]
        with f.loop(*bounds) as run:
            _add_run(f, tile, run, tap, sides, (masks, totals))
        plane = f.mul(f.add(f.mul(part, s["taps"]), number), s["channels"])
        out = f.at(bases[2], f.add(plane, channel), tile.element)
        for v, (mask, total) in enumerate(zip(masks, totals)):
            f.masked_store(f.get(total, tile.vector), f.at(out, v * tile.lanes, tile.element), mask)
    f.ret()
    return module


def _add_run(
    f: Function, tile: Tile, run: Value, tap: dict[str, Value], sides: list[tuple[Value, Params]],
    sums: tuple[list[Value], list[Value]],
) -> None:  # fmt: skip
    """Adds the products along one run of pixels."""
    digit2, rest = (f.binary(op, run, tap["extent2"]) for op in ("urem", "udiv"))
    digit1, digit0 = (f.binary(op, rest, tap["extent1"]) for op in ("urem", "udiv"))
    starts = []
    for base, side in sides:
        place = f.mul(digit0, side["digit0"])
        place = f.add(place, f.mul(digit1, side["digit1"]))
        place = f.add(place, f.mul(digit2, side["digit2"]))
        starts.append((f.at(base, place, "i8"), side["run"]))
    with f.loop(i64(0), tap["count"]) as k:
        pixels = [f.at(start, f.mul(k, step), "i8") for start, step in starts]
        for v, (mask, total) in enumerate(zip(*sums)):
            x, y = (
                f.masked_load(
                    f.at(pixel, v * tile.lanes, tile.element), tile.vector, mask,
                    const(0, tile.vector),
                )
                for pixel in pixels
            )  # fmt: skip
            f.set(total, f.intrinsic("fmuladd", x, y, f.get(total, tile.vector)))
