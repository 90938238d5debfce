"""The kernel of attention's gradients: a task is a group of blocks of keys.

Whoever takes a group meets every block of queries with each of its blocks of keys, and so sums the
gradients of these keys and values alone. Those of queries are summed over all keys: with several
groups each has a part of its own, and :func:`rows.sum_module` adds the parts up in their order.
"""

from __future__ import annotations

from rushlight.compiler.llvm.attention.blocks import Blocks
from rushlight.compiler.llvm.attention.form import Form, Sizes
from rushlight.compiler.llvm.attention.product import product_function
from rushlight.compiler.llvm.attention.scratch import Areas
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.llvm.maths.exponential import exp_of_negative
from rushlight.compiler.llvm.text import Module, Value, i64


def backward_module(form: Form, name: str, machine: Machine) -> Module:
    """The kernel."""
    module = Module(machine)
    for each in form.needs(backward=True):
        product_function(module, form.tile, each)
    f = module.function(name, KERNEL)
    kernel = _Backward(form, f, backward=True)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        kernel.task(task)
    f.ret()
    return module


def backward_scratch(form: Form, sizes: Sizes) -> Areas:
    """The scratch memory of a thread."""
    tile = form.tile
    areas = Areas.of(form, sizes)
    areas.add("q", sizes.block_i(tile) * areas.whole(sizes.width))
    areas.add("g", sizes.block_i(tile) * areas.whole(sizes.values))
    areas.add("s", sizes.block_i(tile) * sizes.block_j(tile))
    areas.add("p", sizes.block_i(tile) * sizes.block_j(tile))
    areas.add("rows", 2 * sizes.block_i(tile))
    return areas


class _Backward(Blocks):
    """Writes the kernel. ``s`` and ``p`` hold scores, then weights, and their gradients."""

    def task(self, task: Value) -> None:
        """One group of keys."""
        f, s = self.f, self.s
        self.enter(f.binary("udiv", task, s["groups"]))
        group = f.binary("urem", task, s["groups"])
        self._queries_part(group)
        self.clear(self.part, self.part_pitch, s["queries"], s["width"])
        start = f.mul(group, s["group"])
        limit = f.intrinsic("smin", s["keys"], f.add(start, s["group"]))
        with f.loop(start, limit, s["block_j"]) as j0:
            self.keys(j0, limit)
            self.clear(self.m["dk"].row(j0), self.m["dk"].pitch, self.count_j, s["width"])
            self.clear(self.m["dv"].row(j0), self.m["dv"].pitch, self.count_j, s["values"])
            first = i64(0)
            if self.form.causal:  # those before do not look so far
                first = f.binary("udiv", j0, s["block_i"])
            with f.loop(first, s["blocks_i"]) as block:
                self.queries(block)
                self._blocks()

    def _queries_part(self, group: Value) -> None:
        """Where the gradients of all queries are summed."""
        f, s, dq = self.f, self.s, self.m["dq"]
        self.part, self.part_pitch = dq.here, dq.pitch
        if self.form.parted:
            number = f.add(f.mul(self.number, s["groups"]), group)
            size = f.mul(s["queries"], s["width"])
            self.part = f.at(s.pointer("partial"), f.mul(number, size), self.element)
            self.part_pitch = f.mul(s["width"], i64(self.bytes))

    def _blocks(self) -> None:
        """A block of keys and a block of queries."""
        self.pack("q", "q", self.s["width"], self.scale)
        self.pack("g", "g", self.s["values"])
        self.pack_mask()
        self._keep_rows()
        with self.piece():
            self._pair()

    def _pair(self) -> None:
        """A piece of them."""
        f, s, form, rows = self.f, self.s, self.form, self.rows
        dk, dv, i0 = self.m["dk"], self.m["dv"], f.add(self.i0, self.first)
        self.turned_scores("k", "s", "q", s["width"])
        self.turned_scores("v", "p", "g", s["values"])
        self.draw()
        with f.loop(self.first, self.end, self.tile.lanes * self.side) as i:
            self._weigh(i)
        self.add_product(
            form.along("rows", 1), "s", self.seen, rows, ("g", i0), (dv.row(self.j0), dv.pitch),
            s["values"],
        )  # fmt: skip
        self.add_product(
            form.along("rows", 0), "p", self.seen, rows, ("q", i0), (dk.row(self.j0), dk.pitch),
            s["width"],
        )  # fmt: skip
        dq = f.at(self.part, f.mul(i0, self.part_pitch), "i8")
        self.add_product(
            form.along("panel", 0), "p", rows, self.seen, ("k", self.j0), (dq, self.part_pitch),
            s["width"],
        )  # fmt: skip

    def _keep_rows(self) -> None:
        """Copies what is known of each query of the block, with zeros behind its end."""
        f, s = self.f, self.s
        at = f.add(f.mul(self.number, s["queries"]), self.i0)
        with f.loop(i64(0), self.wide, self.tile.lanes) as i:
            mask = f.lanes_below(f.sub(self.count_i, i), self.tile.lanes)
            for which, name in enumerate(("total", "dot")):
                place = f.at(s.pointer(name), f.add(at, i), self.element)
                self.store(self.load(place, mask), self._row(which, i))

    def _row(self, which: int, i: Value) -> Value:
        f = self.f
        first = f.mul(self.s["block_i"], i64(which))
        return f.at(self.area["rows"], f.add(first, i), self.element)

    def _weigh(self, i: Value) -> None:
        """Scores become weights, and the gradients of weights those of scores."""
        f, tile = self.f, self.tile
        sides = [f.add(i, i64(tile.lanes * v)) for v in range(self.side)]
        totals = [self.load(self._row(0, side)) for side in sides]
        dots = [self.load(self._row(1, side)) for side in sides]
        scale = f.splat(self.scale, tile.lanes)
        for first, end, ahead in self.each_key():
            with f.loop(first, end) as j:
                for side, total, dot in zip(sides, totals, dots, strict=True):
                    at_s, at_p = self.own("s", j, side), self.own("p", j, side)
                    score = self.unseen(self.load(at_s), j, side, ahead)
                    weight = exp_of_negative(f, f.sub(total, score))
                    slope = f.mul(f.sub(self.kept(self.load(at_p), j, side), dot), scale)
                    self.store(self.kept(weight, j, side), at_s)
                    self.store(f.mul(weight, slope), at_p)
