"""Packing: a weight in the order in which the product at every step reads it.

Kernels of their own, whose axis runs over panels::

    turn   the transpose of a weight (gates * units, k): vectors of the same units stand side by
           side, one for each gate
    copy   a weight (k, units) as it lies

Units that do not exist get 0. The parts of the last panel that no vector fills are left as they
are: nobody reads what is made of them.
"""

from __future__ import annotations

from rushlight.compiler.llvm.contract import Layout, Params
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.transpose import transposed
from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.llvm.scan.product import Block
from rushlight.compiler.llvm.text import Function, Module, Value, const, i64

LAYOUT = Layout(["w", "packed", "units", "k", "gates", "panel"])


def packing_module(block: Block, way: str, name: str, machine: Machine) -> Module:
    """The kernel; ``way`` is ``turn`` or ``copy``."""
    module = Module(machine)
    f = module.function(name, KERNEL)
    packing = _Packing(block, f)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as panel:
        first = f.mul(panel, i64(block.vectors))
        last = f.intrinsic("smin", f.add(first, i64(block.vectors)), packing.count)
        base = f.at(packing.packed, f.mul(panel, packing.p["panel"]), "i8")
        with f.loop(first, last) as vector:
            place = f.at(base, f.mul(f.sub(vector, first), i64(block.align)), "i8")
            getattr(packing, way)(vector, place)
    f.ret()
    return module


class _Packing:
    def __init__(self, block: Block, f: Function) -> None:
        self.block, self.f = block, f
        self.p = p = Params(f, LAYOUT)
        self.w, self.packed = p.pointer("w"), p.pointer("packed")
        lanes = i64(block.lanes)
        across = f.binary("udiv", f.add(p["units"], i64(block.lanes - 1)), lanes)
        self.count = f.mul(across, p["gates"])

    def turn(self, vector: Value, place: Value) -> None:
        """Transposes the rows of as many units as a vector has lanes."""
        f, p, block = self.f, self.p, self.block
        lanes, element = block.lanes, block.element
        first = f.mul(f.binary("udiv", vector, p["gates"]), i64(lanes))
        gate = f.binary("urem", vector, p["gates"])
        left = f.sub(p["units"], first)
        here = [f.compare("sgt", left, i64(j)) for j in range(lanes)]
        nothing = f.lanes_below(i64(0), lanes)
        row = f.add(f.mul(gate, p["units"]), first)
        starts = [f.mul(f.add(row, i64(j)), p["k"]) for j in range(lanes)]
        with f.loop(i64(0), p["k"], lanes) as k:
            within = f.lanes_below(f.sub(p["k"], k), lanes)
            rows = []
            for j, start in enumerate(starts):
                at = f.at(self.w, f.add(start, k), element)
                mask = f.select(here[j], within, nothing)
                rows.append(f.masked_load(at, block.vector, mask, const(0, block.vector)))
            for j, column in enumerate(transposed(f, rows)):
                f.store(column, self._step(place, f.add(k, i64(j))))

    def copy(self, vector: Value, place: Value) -> None:
        """Copies a vector of every row."""
        f, p, block = self.f, self.p, self.block
        first = f.mul(vector, i64(block.lanes))
        mask = f.lanes_below(f.sub(p["units"], first), block.lanes)
        with f.loop(i64(0), p["k"]) as k:
            at = f.at(self.w, f.add(f.mul(k, p["units"]), first), block.element)
            value = f.masked_load(at, block.vector, mask, const(0, block.vector))
            f.store(value, self._step(place, k))

    def _step(self, place: Value, k: Value) -> Value:
        return self.f.at(place, self.f.mul(k, i64(self.block.vectors * self.block.align)), "i8")
