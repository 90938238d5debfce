"""The gradient of a convolution's weights, from sums by planes to the order of the weights.

The sums stand in planes (output, input): one for each tap, or 16 that are transformed to the taps
first; there may be several parts to add. The weights' order is (output, input, tap).
"""

from __future__ import annotations

from rushlight.compiler.llvm.contract.operand import Writer
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.contract.transpose import transposed
from rushlight.compiler.llvm.contract.winograd_weights import transformed_sums
from rushlight.compiler.llvm.text import I64, Function, Module, Value, const, i64

SETTLE = Layout(["outputs", "inputs", "parts", "part", "group", "place", "offset"])


def settle_module(tile: Tile, taps: int, squares: bool, writer: Writer, name: str) -> Module:
    """The kernel. Its axis: groups, then outputs.

    The writer gets the group as batch, the output as m, and input and tap, counted together, as n.

    Args:
        squares: whether the sums are 16 planes to be transformed to 9 taps.
    """
    module = Module(tile.machine)
    f = module.function(name, KERNEL)
    s = Params(f, SETTLE)
    writer.begin(f, Params(f, writer.layout, len(SETTLE)))
    base = f.at(s.pointer("place"), s["offset"], "i8")
    row_bytes = f.mul(s["inputs"], i64(tile.bytes))
    plane = f.mul(s["outputs"], row_bytes)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        group, m = (f.binary(op, task, s["outputs"]) for op in ("udiv", "urem"))
        start = f.add(f.mul(group, s["group"]), f.mul(m, row_bytes))
        with f.loop(i64(0), s["inputs"], tile.lanes) as c:
            left = f.intrinsic("smin", f.sub(s["inputs"], c), i64(tile.lanes))
            here = f.at(f.at(base, start, "i8"), c, tile.element)
            planes = _summed(f, tile, here, plane, 16 if squares else taps, left, s)
            if squares:
                square = transformed_sums(f, [planes[i : i + 4] for i in range(0, 16, 4)])
                planes = [x for line in square for x in line]
            _put_side_by_side(f, tile, planes)
            end = f.mul(left, i64(taps))
            with f.loop(i64(0), end, tile.lanes) as n:
                value = f.load(f.at(f.arguments["scratch"], n, tile.element), tile.vector)
                mask = f.lanes_below(f.sub(end, n), tile.lanes)
                writer.write(f, group, m, f.add(f.mul(c, i64(taps)), n), value, mask)
    f.ret()
    return module


def _summed(
    f: Function, tile: Tile, here: Value, plane: Value, count: int, left: Value, s: Params
) -> list[Value]:
    """For each plane, the parts added in order."""
    mask = f.lanes_below(left, tile.lanes)
    zero = const(0, tile.vector)
    sums = [f.variable(zero) for _ in range(count)]
    part = f.variable(i64(0))
    with f.loop(i64(0), s["parts"]):
        at = f.at(here, f.get(part, I64), "i8")
        for i, slot in enumerate(sums):
            place = f.at(at, f.mul(plane, i64(i)), "i8")
            value = f.masked_load(place, tile.vector, mask, zero)
            f.set(slot, f.add(f.get(slot, tile.vector), value))
        f.set(part, f.add(f.get(part, I64), s["part"]))
    return [f.get(slot, tile.vector) for slot in sums]


def _put_side_by_side(f: Function, tile: Tile, taps: list[Value]) -> None:
    """Writes the taps of each input after those of the input before, to scratch memory."""
    rows: list[list[Value]] = [[] for _ in range(tile.lanes)]
    for first in range(0, len(taps), tile.lanes):
        square = taps[first : first + tile.lanes]
        square += [square[0]] * (tile.lanes - len(square))
        for row, value in zip(rows, transposed(f, square)):
            row.append(value)
    # In the order of memory, so that what a vector has too much is written over by the next.
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            place = i * len(taps) + j * tile.lanes
            f.store(value, f.at(f.arguments["scratch"], place, tile.element))
