"""Products with few rows: every element of the result is a dot product along k.

For one row, or a handful, packing B would cost more than it saves, and B that runs along k is read
fastest along k. Four columns are summed at a time, in long runs of k; when as many columns are
done as a vector has lanes, their sums are transposed and added to one vector of the result.
"""

from __future__ import annotations

from dataclasses import dataclass

from rushlight.compiler.llvm.contract.operand import Reader, Writer
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.contract.transpose import transposed
from rushlight.compiler.llvm.text import Function, Module, Value, const, i64

DOT = Layout(["m", "n", "k", "blocks"])
# Columns that are summed together, and sums in registers in all.
COLUMNS = 4
SUMS = 16


@dataclass(frozen=True)
class DotStructure:
    """What decides the code.

    Attributes:
        rows: that share what is read of B: 1, 2 or 4.
    """

    tile: Tile
    rows: int
    a: Reader
    b: Reader
    writer: Writer

    @property
    def name(self) -> str:
        """The kernel's."""
        keys = "_".join((self.a.key, self.b.key, self.writer.key))
        return f"dot{self.rows}_{keys}_{self.tile.suffix}"


def dot_module(structure: DotStructure) -> Module:
    """The kernel. Its axis: products, then blocks of as many columns as a vector has lanes."""
    module = Module(structure.tile.machine)
    f = module.function(structure.name, KERNEL)
    kernel = _Dot(structure, f)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        kernel.block(task)
    f.ret()
    return module


class _Dot:
    """Writes the body of the kernel."""

    def __init__(self, structure: DotStructure, f: Function) -> None:
        self.structure, self.tile, self.f = structure, structure.tile, f
        self.sizes = Params(f, DOT)
        first = len(DOT)
        for part in (structure.a, structure.b, structure.writer):
            part.begin(f, Params(f, part.layout, first))
            first += len(part.layout)
        zero = const(0, self.tile.vector)
        places = range(structure.rows * self.tile.lanes)
        # In memory, one vector for each dot product: too many for registers.
        self.done = [f.variable(zero) for _ in places]

    def block(self, task: Value) -> None:
        """All rows of one block of columns."""
        f, tile, s = self.f, self.tile, self.sizes
        batch = f.binary("udiv", task, s["blocks"])
        self.structure.a.enter(f, batch)
        self.structure.b.enter(f, batch)
        n = f.mul(f.binary("urem", task, s["blocks"]), i64(tile.lanes))
        mask = f.lanes_below(f.sub(s["n"], n), tile.lanes)
        with f.loop(i64(0), s["m"], self.structure.rows) as m:
            for first in range(0, tile.lanes, COLUMNS):
                self._sum(batch, m, n, first)
            for i in range(self.structure.rows):
                row = f.add(m, i64(i))
                slots = self.done[i * tile.lanes : (i + 1) * tile.lanes]
                sums = self._across([f.get(slot, tile.vector) for slot in slots])
                with f.when(f.compare("slt", row, s["m"])):
                    self.structure.writer.write(f, batch, row, n, sums, mask)

    def _sum(self, batch: Value, m: Value, n: Value, first: int) -> None:
        """The products of all rows with a few columns, as vectors whose lanes are to be added."""
        f, tile, s, rows = self.f, self.tile, self.sizes, self.structure.rows
        run = SUMS // (rows * COLUMNS)
        zero = const(0, tile.vector)
        sums = [
            [[f.variable(zero) for _ in range(run)] for _ in range(COLUMNS)] for _ in range(rows)
        ]
        # What is beyond the end repeats the last row or column, and is not written.
        last_m, last_n = f.sub(s["m"], i64(1)), f.sub(s["n"], i64(1))
        at_m = [f.intrinsic("smin", f.add(m, i64(i)), last_m) for i in range(rows)]
        at_n = [f.intrinsic("smin", f.add(n, i64(first + j)), last_n) for j in range(COLUMNS)]

        def step(k: Value, u: int, mask: Value) -> None:
            x = [self.structure.a.read(f, batch, k, i, mask) for i in at_m]
            for j, column in enumerate(at_n):
                y = self.structure.b.read(f, batch, k, column, mask)
                for i in range(rows):
                    slot = sums[i][j][u]
                    f.set(slot, f.intrinsic("fmuladd", x[i], y, f.get(slot, tile.vector)))

        stride = run * tile.lanes
        whole = f.sub(s["k"], f.binary("urem", s["k"], i64(stride)))
        everywhere = const(True, f.lanes_below(i64(0), tile.lanes).type)
        with f.loop(i64(0), whole, stride) as k:
            for u in range(run):
                step(f.add(k, i64(u * tile.lanes)), u, everywhere)
        with f.loop(whole, s["k"], tile.lanes) as k:
            step(k, 0, f.lanes_below(f.sub(s["k"], k), tile.lanes))
        for i in range(rows):
            for j in range(COLUMNS):
                total = self._added([f.get(slot, tile.vector) for slot in sums[i][j]])
                f.set(self.done[i * tile.lanes + first + j], total)

    def _across(self, sums: list[Value]) -> Value:
        """The sum of the lanes of each vector, as the lanes of one."""
        return self._added(transposed(self.f, sums))

    def _added(self, parts: list[Value]) -> Value:
        while len(parts) > 1:
            parts = [self.f.add(x, y) for x, y in zip(parts[::2], parts[1::2])]
        return parts[0]
