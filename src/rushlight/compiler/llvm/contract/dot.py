"""Products with few rows: every element of the result is a dot product along k.

For one row, or a handful, packing B would cost more than it saves, and B that runs along k is read
fastest along k: as many columns as a vector has lanes are summed at a time, each in a register of
its own, and their registers are transposed and added at the end.
"""

from __future__ import annotations

from rushlight.compiler.llvm.contract.operand import Reader, Writer
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.contract.transpose import transposed
from rushlight.compiler.llvm.text import Function, Module, Value, const, i64

DOT = Layout(["m", "n", "k", "blocks"])


def dot_module(tile: Tile, a: Reader, b: Reader, writer: Writer, name: str) -> Module:
    """The kernel. Its axis: products, then blocks of as many columns as a vector has lanes."""
    module = Module()
    f = module.function(name, KERNEL)
    sizes = Params(f, DOT)
    first = len(DOT)
    for part in (a, b, writer):
        part.begin(f, Params(f, part.layout, first))
        first += len(part.layout)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        batch = f.binary("udiv", task, sizes["blocks"])
        n = f.mul(f.binary("urem", task, sizes["blocks"]), i64(tile.lanes))
        left = f.sub(sizes["n"], n)
        with f.loop(i64(0), sizes["m"]) as m:
            sums = _sums(f, tile, a, b, (batch, m, n, left, sizes["k"]))
            mask = f.lanes_below(left, tile.lanes)
            writer.write(f, batch, m, n, _across(f, sums), mask)
    f.ret()
    return module


def _sums(
    f: Function, tile: Tile, a: Reader, b: Reader, at: tuple[Value, Value, Value, Value, Value]
) -> list[Value]:
    """For each column, a vector whose lanes add up to its dot product."""
    batch, m, n, left, length = at
    slots = [f.variable(const(0, tile.vector)) for _ in range(tile.lanes)]
    nothing = f.lanes_below(i64(0), tile.lanes)
    here = [f.compare("sgt", left, i64(j)) for j in range(tile.lanes)]
    with f.loop(i64(0), length, tile.lanes) as k:
        within = f.lanes_below(f.sub(length, k), tile.lanes)
        x = a.read(f, batch, k, m, within)
        for j, slot in enumerate(slots):
            y = b.read(f, batch, k, f.add(n, i64(j)), f.select(here[j], within, nothing))
            f.set(slot, f.fma(x, y, f.get(slot, tile.vector)))
    return [f.get(slot, tile.vector) for slot in slots]


def _across(f: Function, sums: list[Value]) -> Value:
    """The sum of the lanes of each vector, as the lanes of one."""
    parts = transposed(f, sums)
    while len(parts) > 1:
        parts = [f.add(x, y) for x, y in zip(parts[::2], parts[1::2])]
    return parts[0]
