"""The gradient of 3x3 weights in fewer multiplications.

The transposed form of :mod:`winograd`: tiles of 4x4 pixels and of 2x2 gradients are transformed,
16 products sum over tiles, and the sums are transformed to the 9 taps (:mod:`settle`).
"""

from __future__ import annotations

from collections.abc import Sequence

from rushlight.compiler.llvm.contract.micro import arguments_of, micro_name
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import HEAD, Tile
from rushlight.compiler.llvm.contract.winograd import Square, both, transformed_input
from rushlight.compiler.llvm.text import PTR, VOID, Function, Module, Value, const, i64

SIZES = Layout([
    "m", "n", "down", "across", "tiles", "block", "parts", "block_m", "blocks_m", "block_n",
    "blocks_n", "zeros", "source_a", "source_b", "plane_a", "plane_b",
])  # fmt: skip
# An image, cut into tiles that begin at ``start`` and advance by 2.
SIDE = Layout([
    "place", "offset", "stride_image", "stride_h", "stride_w", "size_h", "size_w", "start_h",
    "start_w",
])  # fmt: skip
SUMS = Layout(["place", "offset"])


def transformed_gradient(f: Function, y: Square) -> Square:
    """Gradients of 2x2 positions as the products want them."""

    def line(x: Sequence[Value]) -> list[Value]:
        return [x[0], f.add(x[0], x[1]), f.sub(x[0], x[1]), f.neg(x[1])]

    return both(y, line)


def transformed_sums(f: Function, s: Square) -> Square:
    """The 3x3 taps of 4x4 sums."""

    def line(x: Sequence[Value]) -> list[Value]:
        half = const(0.5, x[0].type)
        even, odd = f.mul(half, f.add(x[1], x[2])), f.mul(half, f.sub(x[1], x[2]))
        return [f.add(x[0], even), odd, f.add(even, x[3])]

    return both(s, line)


def winograd_weights_module(tile: Tile, form: str, name: str) -> Module:
    """The kernel. Its axis: parts of the tiles, then blocks of inputs, then of outputs."""
    module = Module()
    module.declare(micro_name(tile, form), VOID, [type for _, type in arguments_of(form)])
    f = module.function(name, KERNEL)
    kernel = _Weights(tile, form, f)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        kernel.block(task)
    f.ret()
    return module


class _Weights:
    """Writes the body of the kernel."""

    def __init__(self, tile: Tile, form: str, f: Function) -> None:
        self.tile, self.form, self.f = tile, form, f
        parts, first = [], 0
        for layout in (SIZES, SIDE, SIDE, SUMS):
            parts.append(Params(f, layout, first))
            first += len(layout)
        self.sizes, self.a, self.b, self.sums = parts
        scratch, s = f.arguments["scratch"], self.sizes
        self.record, self.outs = scratch, f.at(scratch, self.tile.record, "i64")
        self.zeros = f.at(scratch, s["zeros"], "i8")
        self.to_a, self.to_b = (f.at(scratch, s[x], "i8") for x in ("source_a", "source_b"))
        bases = [f.at(p.pointer("place"), p["offset"], "i8") for p in parts[1:]]
        self.a_base, self.b_base, self.sums_base = bases
        most = f.intrinsic("smax", s["m"], s["n"])
        with f.loop(i64(0), most, tile.lanes) as c:
            f.store(const(0, tile.vector), f.at(self.zeros, c, tile.element))

    def block(self, task: Value) -> None:
        """The sums of one block of outputs and inputs over one part of the tiles."""
        f, s = self.f, self.sizes
        block_m, rest = (f.binary(op, task, s["blocks_m"]) for op in ("urem", "udiv"))
        block_n, part = (f.binary(op, rest, s["blocks_n"]) for op in ("urem", "udiv"))
        m0, n0 = f.mul(block_m, s["block_m"]), f.mul(block_n, s["block_n"])
        m = f.intrinsic("smin", f.sub(s["m"], m0), s["block_m"])
        n = f.intrinsic("smin", f.sub(s["n"], n0), s["block_n"])
        first, last = (
            f.binary("udiv", f.mul(p, s["tiles"]), s["parts"]) for p in (part, f.add(part, i64(1)))
        )
        bytes = i64(self.tile.bytes)
        plane = f.mul(f.mul(s["m"], s["n"]), bytes)
        out = f.at(self.sums_base, f.mul(f.mul(part, i64(16)), plane), "i8")
        out = f.at(out, f.mul(f.add(f.mul(m0, s["n"]), n0), bytes), "i8")
        with f.loop(first, last, s["block"]) as t0:
            t1 = f.intrinsic("smin", f.add(t0, s["block"]), last)
            with f.loop(t0, t1) as t:
                self._enter(t, f.sub(t, t0), (m0, m), (n0, n))
            add = f.convert("zext", f.compare("ne", t0, first), "i64")
            self._multiply(f.sub(t1, t0), m, n, out, plane, add)

    def _enter(
        self, t: Value, place: Value, outputs: tuple[Value, Value], inputs: tuple[Value, Value]
    ) -> None:
        """Transforms one tile of both images."""
        f, s = self.f, self.sizes
        rest, across = (f.binary(op, t, s["across"]) for op in ("udiv", "urem"))
        image, down = (f.binary(op, rest, s["down"]) for op in ("udiv", "urem"))
        corner = f.mul(down, i64(2)), f.mul(across, i64(2))
        sides = (
            (self.a, self.a_base, 2, outputs, self.to_a, s["block_m"], s["plane_a"]),
            (self.b, self.b_base, 4, inputs, self.to_b, s["block_n"], s["plane_b"]),
        )
        for p, base, size, (first, count), to, width, plane in sides:
            pixels = self._pixels(p, base, image, corner, size)
            to = f.at(to, f.mul(f.mul(place, width), i64(self.tile.bytes)), "i8")
            with f.loop(i64(0), count, self.tile.lanes) as c:
                self._transform(pixels, f.add(first, c), f.at(to, c, self.tile.element), plane)

    def _pixels(
        self, p: Params, base: Value, image: Value, corner: tuple[Value, Value], size: int
    ) -> list[list[Value]]:
        """The addresses of a tile's pixels; zeros where there is none."""
        f = self.f
        base = f.at(base, f.mul(image, p["stride_image"]), "i8")
        lines = []
        for at, axis in zip(corner, "hw"):
            places = [f.add(f.add(at, p[f"start_{axis}"]), i64(i)) for i in range(size)]
            lines.append([
                (f.mul(x, p[f"stride_{axis}"]), f.compare("ult", x, p[f"size_{axis}"]))
                for x in places
            ])  # fmt: skip
        rows = []
        for at_h, in_h in lines[0]:
            row = []
            for at_w, in_w in lines[1]:
                place = f.emit(f"getelementptr i8, {base}, {f.add(at_h, at_w)}", PTR)
                row.append(f.select(f.binary("and", in_h, in_w), place, self.zeros))
            rows.append(row)
        return rows

    def _transform(self, pixels: list[list[Value]], c: Value, to: Value, plane: Value) -> None:
        f, tile = self.f, self.tile
        square = [[f.load(f.at(x, c, tile.element), tile.vector) for x in row] for row in pixels]
        transform = transformed_gradient if len(square) == 2 else transformed_input
        for i, value in enumerate(x for line in transform(f, square) for x in line):
            f.store(value, f.at(to, f.mul(plane, i64(i)), "i8"))

    def _multiply(
        self, tiles: Value, m: Value, n: Value, out: Value, plane: Value, add: Value
    ) -> None:
        """The 16 products of transformed tiles."""
        f, tile, s = self.f, self.tile, self.sizes
        bytes = i64(tile.bytes)
        pitch = f.mul(s["n"], bytes)
        f.store(i64(0), self.record)
        f.store(tiles, f.at(self.record, 1, "i64"))
        with f.loop(i64(0), i64(16)) as x, f.loop(i64(0), m, tile.rows) as row:
            a = f.at(self.to_a, f.mul(x, s["plane_a"]), "i8")
            f.store(f.at(a, row, tile.element), f.at(self.record, HEAD, "i64"))
            first = f.at(f.at(out, f.mul(x, plane), "i8"), f.mul(row, pitch), "i8")
            for i in range(tile.rows):
                f.store(f.at(first, f.mul(pitch, i64(i)), "i8"), f.at(self.outs, i, "ptr"))
            rows = f.intrinsic("smin", f.sub(m, row), i64(tile.rows))
            b = f.at(self.to_b, f.mul(x, s["plane_b"]), "i8")
            with f.loop(i64(0), n, tile.columns) as column:
                columns = f.intrinsic("smin", f.sub(n, column), i64(tile.columns))
                f.invoke(
                    micro_name(tile, self.form), VOID, self.record, i64(1),
                    f.at(b, column, tile.element), f.mul(s["block_n"], bytes), self.outs,
                    f.mul(column, bytes), rows, columns, add, i64(0), f.mul(s["block_m"], bytes),
                )  # fmt: skip
