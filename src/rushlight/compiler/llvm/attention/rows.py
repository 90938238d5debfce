"""What is done with the rows of matrices beside the gradients' kernel."""

from __future__ import annotations

from rushlight.compiler.llvm.attention.blocks import Matrix
from rushlight.compiler.llvm.attention.form import MATRIX
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.contract.transpose import transposed
from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.llvm.text import Function, Module, Value, const, i64

SUM = Layout(["partial", "queries", "width", "groups"])
DOT = Layout(["dot", "queries", "values", "blocks"])


def dot_module(tile: Tile, name: str, machine: Machine) -> Module:
    """A kernel for the sum of a row times another, for as many rows as a vector has lanes.

    Its parameters are :data:`DOT` and the two matrices.
    """
    module = Module(machine)
    f = module.function(name, KERNEL)
    p = Params(f, DOT)
    sides = [Matrix(f, Params(f, MATRIX, len(DOT) + k * len(MATRIX)), tile.element) for k in (0, 1)]
    dot, lanes = p.pointer("dot"), tile.lanes
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        number = f.binary("udiv", task, p["blocks"])
        first = f.mul(f.binary("urem", task, p["blocks"]), i64(lanes))
        for side in sides:
            side.enter(number)
        last = f.sub(p["queries"], i64(1))
        rows = [f.intrinsic("smin", f.add(first, i64(k)), last) for k in range(lanes)]
        sums = _sums(f, tile, sides, rows, p["values"])
        at = f.add(f.mul(number, p["queries"]), first)
        mask = f.lanes_below(f.sub(p["queries"], first), lanes)
        f.masked_store(sums, f.at(dot, at, tile.element), mask)
    f.ret()
    return module


def _sums(f: Function, tile: Tile, sides: list[Matrix], rows: list[Value], width: Value) -> Value:
    """A vector of the sums of rows: each is summed lane by lane, and then all are turned."""
    zero = const(0, tile.vector)
    sums = [f.variable(zero) for _ in rows]
    places = [[side.row(row) for side in sides] for row in rows]
    with f.loop(i64(0), width, tile.lanes) as c:
        mask = f.lanes_below(f.sub(width, c), tile.lanes)
        for starts, slot in zip(places, sums, strict=True):
            x, y = (
                f.masked_load(f.at(start, c, tile.element), tile.vector, mask, zero)
                for start in starts
            )
            f.set(slot, f.intrinsic("fmuladd", x, y, f.get(slot, tile.vector)))
    columns = transposed(f, [f.get(slot, tile.vector) for slot in sums])
    while len(columns) > 1:
        columns = [f.add(x, y) for x, y in zip(columns[::2], columns[1::2], strict=True)]
    return columns[0]


def sum_module(tile: Tile, name: str, machine: Machine) -> Module:
    """A kernel that adds up the parts of the gradients of queries; its axis: their rows."""
    module = Module(machine)
    f = module.function(name, KERNEL)
    p = Params(f, SUM)
    out = Matrix(f, Params(f, MATRIX, len(SUM)), tile.element)
    partial, size = p.pointer("partial"), f.mul(p["queries"], p["width"])
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        number, i = f.binary("udiv", task, p["queries"]), f.binary("urem", task, p["queries"])
        out.enter(number)
        row = out.row(i)
        first = f.add(f.mul(f.mul(number, p["groups"]), size), f.mul(i, p["width"]))
        with f.loop(i64(0), p["width"], tile.lanes) as c:
            mask = f.lanes_below(f.sub(p["width"], c), tile.lanes)
            total = f.variable(const(0, tile.vector))
            with f.loop(i64(0), p["groups"]) as group:
                at = f.add(f.add(first, f.mul(group, size)), c)
                place = f.at(partial, at, tile.element)
                part = f.masked_load(place, tile.vector, mask, const(0, tile.vector))
                f.set(total, f.add(f.get(total, tile.vector), part))
            f.masked_store(f.get(total, tile.vector), f.at(row, c, tile.element), mask)
    f.ret()
    return module
