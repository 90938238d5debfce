"""The kernel of attention: a task is a block of queries."""

from __future__ import annotations

from rushlight.compiler.llvm import maths
from rushlight.compiler.llvm.attention.blocks import LOWEST, Blocks
from rushlight.compiler.llvm.attention.form import Form, Sizes
from rushlight.compiler.llvm.attention.product import product_function
from rushlight.compiler.llvm.attention.scratch import Areas
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.llvm.maths.exponential import exp_of_negative
from rushlight.compiler.llvm.text import Module, Value, const, i64


def forward_module(form: Form, name: str, machine: Machine) -> Module:
    """The kernel."""
    module = Module(machine)
    for each in form.needs(backward=False):
        product_function(module, form.tile, each)
    f = module.function(name, KERNEL)
    kernel = _Forward(form, f, backward=False)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        kernel.task(task)
    f.ret()
    return module


def forward_scratch(form: Form, sizes: Sizes) -> Areas:
    """The scratch memory of a thread."""
    tile = form.tile
    areas = Areas.of(form, sizes)
    areas.add("q", sizes.block_i(tile) * areas.whole(sizes.width))
    areas.add("s", sizes.block_i(tile) * sizes.block_j(tile))
    areas.add("rows", 3 * sizes.block_i(tile))
    return areas


class _Forward(Blocks):
    """Writes the kernel.

    Of each query are known: the largest score so far, the sum of the exponentials of what scores
    are below it, and by what the last block has made older weights smaller.
    """

    def task(self, task: Value) -> None:
        """One block of queries, those that see most first."""
        f, s = self.f, self.s
        self.enter(f.binary("udiv", task, s["blocks_i"]))
        last = f.sub(s["blocks_i"], i64(1))
        self.queries(f.sub(last, f.binary("urem", task, s["blocks_i"])))
        out, columns = self.m["out"], s["values"]
        self.clear(out.row(self.i0), out.pitch, self.count_i, columns)
        with f.loop(i64(0), self.wide, self.tile.lanes) as i:
            self.store(const(LOWEST, self.vector), self._most(i))
            self.store(const(0, self.vector), self._sum(i))
        self.pack("q", "q", s["width"], self.scale)
        limit = s["keys"]
        if self.form.causal:
            limit = f.intrinsic("smin", limit, f.add(self.i0, self.count_i))
        with f.loop(i64(0), limit, s["block_j"]) as j0:
            self.keys(j0, limit)
            self.pack_mask()
            with self.piece():
                self._pair()
        with f.loop(i64(0), self.wide, self.tile.lanes) as i:
            self._finish(i)
        self.scale_rows(out, i64(0), self.count_i, columns, self._factor(i64(0)))

    def _pair(self) -> None:
        """A piece of a block of keys and the block of queries."""
        f, s, out, rows = self.f, self.s, self.m["out"], self.rows
        self.turned_scores("k", "s", "q", s["width"])
        self.draw()
        with f.loop(self.first, self.end, self.tile.lanes * self.side) as i:
            self._weigh(i)
        stop = f.add(self.first, rows)
        self.scale_rows(out, self.first, stop, s["values"], self._factor(i64(0)))
        place = out.row(f.add(self.i0, self.first))
        self.add_product(
            self.form.along("panel", 1), "s", rows, self.seen, ("v", self.j0),
            (place, out.pitch), s["values"],
        )  # fmt: skip

    def _place(self, which: int, i: Value) -> Value:
        f = self.f
        first = f.mul(self.s["block_i"], i64(which))
        return f.at(self.area["rows"], f.add(first, i), self.element)

    def _most(self, i: Value) -> Value:
        return self._place(0, i)

    def _sum(self, i: Value) -> Value:
        return self._place(1, i)

    def _factor(self, i: Value) -> Value:
        return self._place(2, i)

    def _weigh(self, i: Value) -> None:
        """The softmax of a block of scores, of a few vectors of queries; scores become weights."""
        f, type = self.f, self.vector
        sides = [f.add(i, i64(self.tile.lanes * v)) for v in range(self.side)]
        before = [self.load(self._most(side)) for side in sides]
        most = [f.variable(x) for x in before]
        for first, end, ahead in self.each_key():
            with f.loop(first, end) as j:
                for side, slot in zip(sides, most, strict=True):
                    score = self.load(self.own("s", j, side))
                    seen = self.unseen(score, j, side, ahead)
                    if seen is not score:
                        self.store(seen, self.own("s", j, side))
                    # A NaN may be passed over here: its weight is NaN all the same.
                    old = f.get(slot, type)
                    f.set(slot, f.select(f.compare("ogt", seen, old), seen, old))
        bases, sums = [], []
        for side, old, slot in zip(sides, before, most, strict=True):
            new = f.get(slot, type)
            blind = f.compare("oeq", new, const(LOWEST, type))
            base = f.select(blind, const(0, type), new)
            factor = maths.exp(f, f.sub(old, base))
            self.store(new, self._most(side))
            self.store(factor, self._factor(side))
            bases.append(base)
            sums.append(f.variable(f.mul(self.load(self._sum(side)), factor)))
        with f.loop(i64(0), self.seen) as j:
            for side, base, slot in zip(sides, bases, sums, strict=True):
                place = self.own("s", j, side)
                weight = exp_of_negative(f, f.sub(base, self.load(place)))
                self.store(self.kept(weight, j, side), place)
                f.set(slot, f.add(f.get(slot, type), weight))
        for side, slot in zip(sides, sums, strict=True):
            self.store(f.get(slot, type), self._sum(side))

    def _finish(self, i: Value) -> None:
        """The logarithms that a gradient needs, and the factors that make weights add up to 1."""
        f, type = self.f, self.vector
        found, most = self.load(self._sum(i)), self.load(self._most(i))
        none = f.compare("oeq", found, const(0, type))
        one, zero = const(1, type), const(0, type)
        total = f.select(none, zero, f.add(most, maths.log(f, found)))
        share = f.select(none, zero, f.binary("fdiv", one, found))
        self.store(share, self._factor(i))
        at = f.mul(self.number, self.s["queries"])
        at = f.add(f.add(at, self.i0), i)
        mask = f.lanes_below(f.sub(self.count_i, i), self.tile.lanes)
        self.store(total, f.at(self.s.pointer("total"), at, self.element), mask)
