"""The kernels of the gradient of a convolution's weights, on channels-last images.

For one tap it is a product of two images seen as matrices: the output's gradient, transposed, and
the input moved by the tap. Both lie side by side in *runs* of pixels (a row of the image, or one
position of all images), so each run is a segment of the micro-kernel, and nothing is copied. The
runs of one tap are those inside of the image: padding takes no time.

Images can be large and weights small; then the runs are shared between *parts*, chosen by size
alone, whose sums are added in order by a second kernel, which also brings them to the order
(output, input, tap).
"""

from __future__ import annotations

from rushlight.compiler.llvm.contract.micro import arguments_of, micro_name
from rushlight.compiler.llvm.contract.operand import Writer
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import HEAD, Tile
from rushlight.compiler.llvm.text import (
    I64,
    VOID,
    Function,
    Module,
    Type,
    Value,
    const,
    i64,
    vector,
)

SIZES = Layout([
    "m", "n", "block_m", "block_n", "blocks_m", "blocks_n", "parts", "groups", "taps", "runs_block",
    "records",
])  # fmt: skip
# A step of a run, and of the three digits that number the runs, the first being the slowest.
SIDE = Layout(["place", "offset", "group", "run", "digit0", "digit1", "digit2"])
SUMS = Layout(["place", "offset"])
# For each tap: its runs, their length, two of their three extents, and where the first begins.
RUNS = Layout(["runs", "count", "extent1", "extent2", "a", "b"])
FINISH = Layout(["m", "n", "parts", "part", "group", "row", "column", "tap", "taps"])


def correlation_module(tile: Tile, form: str, name: str) -> Module:
    """The kernel that sums. Its axis: parts, groups, taps, blocks of the two kinds of channels."""
    module = Module()
    types = [type for _, type in arguments_of(form)]
    module.declare(micro_name(tile, form), VOID, types)
    f = module.function(name, KERNEL)
    kernel = _Correlation(tile, form, f)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        kernel.block(task)
    f.ret()
    return module


class _Correlation:
    """Writes the body of the kernel."""

    def __init__(self, tile: Tile, form: str, f: Function) -> None:
        self.tile, self.form, self.f = tile, form, f
        parts, first = [], 0
        for layout in (SIZES, SIDE, SIDE, SUMS):
            parts.append(Params(f, layout, first))
            first += len(layout)
        self.sizes, self.a, self.b, self.sums = parts
        self.table = f.at(f.arguments["params"], first, "i64")
        self.outs = f.arguments["scratch"]
        self.records = f.at(f.arguments["scratch"], self.sizes["records"], "i8")
        bases = [f.at(p.pointer("place"), p["offset"], "i8") for p in parts[1:]]
        self.a_base, self.b_base, self.sums_base = bases

    def block(self, task: Value) -> None:
        """One block of one tap's sums, over one part of the runs."""
        f, s = self.f, self.sizes
        rest = task
        digits = {}
        for name in ("blocks_m", "blocks_n", "taps", "groups"):
            digits[name] = f.binary("urem", rest, s[name])
            rest = f.binary("udiv", rest, s[name])
        part, tap, group = rest, digits["taps"], digits["groups"]
        row = f.at(self.table, f.mul(tap, i64(len(RUNS))), "i64")
        self.tap = {name: f.load(f.at(row, RUNS.slot(name), "i64"), I64) for name in RUNS.names}
        bounds = [
            f.binary("udiv", f.mul(p, self.tap["runs"]), s["parts"])
            for p in (part, f.add(part, i64(1)))
        ]
        m0, n0 = (f.mul(digits[f"blocks_{x}"], s[f"block_{x}"]) for x in "mn")
        m1, n1 = (
            f.intrinsic("smin", f.add(start, s[f"block_{x}"]), s[x])
            for start, x in ((m0, "m"), (n0, "n"))
        )
        number = f.add(f.mul(f.add(f.mul(part, s["groups"]), group), s["taps"]), tap)
        size = f.mul(f.mul(s["m"], s["n"]), i64(self.tile.bytes))
        out = f.at(self.sums_base, f.mul(number, size), "i8")
        a = f.at(self.a_base, f.add(self.tap["a"], f.mul(group, self.a["group"])), "i8")
        b = f.at(self.b_base, f.add(self.tap["b"], f.mul(group, self.b["group"])), "i8")
        # Without runs the sums are zeros: one block of none.
        stop = f.intrinsic("smax", bounds[1], f.add(bounds[0], i64(1)))
        with f.loop(bounds[0], stop, s["runs_block"]) as first:
            last = f.intrinsic("smin", f.add(first, s["runs_block"]), bounds[1])
            self._fill_records(first, last, a)
            add = f.convert("zext", f.compare("ne", first, bounds[0]), "i64")
            with f.loop(m0, m1, self.tile.rows) as m:
                self._row_of_tiles(m, m1, (n0, n1), f.sub(last, first), b, out, add)

    def _fill_records(self, first: Value, last: Value, a: Value) -> None:
        """A record for each run."""
        f, tile = self.f, self.tile
        with f.loop(first, last) as run:
            digit2 = f.binary("urem", run, self.tap["extent2"])
            rest = f.binary("udiv", run, self.tap["extent2"])
            digits = (
                f.binary("udiv", rest, self.tap["extent1"]),
                f.binary("urem", rest, self.tap["extent1"]),
                digit2,
            )
            record = f.at(self.records, f.mul(f.sub(run, first), i64(tile.record)), "i64")
            f.store(self._offset(digits, self.b), record)
            f.store(self.tap["count"], f.at(record, 1, "i64"))
            f.store(f.at(a, self._offset(digits, self.a), "i8"), f.at(record, HEAD, "ptr"))

    def _offset(self, digits: tuple[Value, Value, Value], side: Params) -> Value:
        f = self.f
        products = [f.mul(digit, side[f"digit{i}"]) for i, digit in enumerate(digits)]
        return f.add(f.add(products[0], products[1]), products[2])

    def _row_of_tiles(
        self, m: Value, m1: Value, columns: tuple[Value, Value], runs: Value, b: Value, out: Value,
        add: Value,
    ) -> None:  # fmt: skip
        f, tile, s = self.f, self.tile, self.sizes
        pitch = f.mul(s["n"], i64(tile.bytes))
        first = f.at(out, f.mul(m, pitch), "i8")
        for i in range(tile.rows):
            f.store(f.at(first, f.mul(pitch, i64(i)), "i8"), f.at(self.outs, i, "ptr"))
        rows = f.intrinsic("smin", f.sub(m1, m), i64(tile.rows))
        with f.loop(*columns, tile.columns) as n:
            width = f.intrinsic("smin", f.sub(columns[1], n), i64(tile.columns))
            column = f.mul(n, i64(tile.bytes))
            f.invoke(
                micro_name(tile, self.form), VOID, self.records, runs, f.at(b, column, "i8"),
                self.b["run"], self.outs, column, rows, width, add, f.mul(m, i64(tile.bytes)),
                self.a["run"],
            )  # fmt: skip


def finish_module(tile: Tile, writer: Writer, name: str) -> Module:
    """The kernel that adds the parts and hands them to the writer, in the order of the weights.

    Its axis: groups, then outputs. The writer gets the output as m, and input and tap, counted
    together, as n.
    """
    module = Module(tile.machine)
    f = module.function(name, KERNEL)
    s = Params(f, FINISH)
    sums = Params(f, SUMS, len(FINISH))
    writer.begin(f, Params(f, writer.layout, len(FINISH) + len(SUMS)))
    base = f.at(sums.pointer("place"), sums["offset"], "i8")
    wide = Type("i64", tile.lanes)
    lanes = vector(range(tile.lanes), "i64")
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        group, m = f.binary("udiv", task, s["m"]), f.binary("urem", task, s["m"])
        start = f.add(f.mul(group, s["group"]), f.mul(m, s["row"]))
        with f.loop(i64(0), s["n"], tile.lanes) as n:
            mask = f.lanes_below(f.sub(s["n"], n), tile.lanes)
            numbers = f.add(f.splat(n, tile.lanes), lanes)
            column, tap = _divided(f, numbers, s["taps"])
            offsets = f.add(
                f.mul(column, f.splat(s["column"], tile.lanes)),
                f.mul(tap, f.splat(s["tap"], tile.lanes)),
            )
            total = f.variable(const(0, tile.vector))
            with f.loop(i64(0), s["parts"]) as part:
                here = f.at(base, f.add(start, f.mul(part, s["part"])), "i8")
                text = f"getelementptr i8, {here}, {offsets}"
                places = f.emit(text, Type("ptr", wide.lanes))
                value = f.gather(places, tile.vector, mask, const(0, tile.vector))
                f.set(total, f.add(f.get(total, tile.vector), value))
            writer.write(f, group, m, n, f.get(total, tile.vector), mask)
    f.ret()
    return module


def _divided(f: Function, numbers: Value, divisor: Value) -> tuple[Value, Value]:
    """Quotients and remainders of whole numbers below 2**52, in double precision."""
    wide = numbers.type.of("double")
    x = f.convert("sitofp", numbers, "double")
    y = f.splat(f.emit(f"sitofp {divisor} to double", Type("double")), wide.lanes)
    # The quotient of two whole numbers plus a half is never within rounding of the next.
    half = f.add(x, const(0.5, wide))
    whole = f.emit(f"fdiv {wide} {half.name}, {y.name}", wide)
    quotient = f.convert("fptosi", whole, "i64")
    return quotient, f.sub(numbers, f.mul(quotient, f.splat(divisor, wide.lanes)))
