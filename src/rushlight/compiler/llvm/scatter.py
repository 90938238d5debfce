"""The template ``scatter``: elements that are looked up are changed one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from math import prod

from rushlight.compiler.expr import parts
from rushlight.compiler.index import Axis
from rushlight.compiler.scatter import Scatter

from .code import Code
from .emit import Arguments, Emitter
from .loops import ARGUMENTS
from .machine import Machine
from .place import Place
from .text import Module, Value, i64

COPIES = 4
"""Vectors of a row that are changed in one turn, for which its index is looked up once."""


def write(scatter: Scatter, machine: Machine) -> Code:
    """The code of a scatter."""
    return _Writer(scatter, machine).code()


class _Writer:
    def __init__(self, scatter: Scatter, machine: Machine) -> None:
        self.scatter, self.lanes = scatter, machine.lanes()
        self.module = Module(machine)
        self.f = f = self.module.function("kernel", ARGUMENTS, attributes="nounwind")
        self.arguments = Arguments(f, f.arguments["params"], f.arguments["table"])
        self.emit = Emitter(f, self.arguments, self.lanes)
        self.along = scatter.along()
        self.tile = 1 if self.along is None else self._copies(self.along) * self.lanes

    def _copies(self, along: Axis) -> int:
        """How many vectors to change in a turn: such that there are tiles for several threads."""
        copies = COPIES
        while copies > 1 and along.extent < 2 * copies * self.lanes:
            copies //= 2
        return copies

    def code(self) -> Code:
        f, emit = self.f, self.emit
        outer = [axis for axis in self.scatter.rows if axis is not self.along]
        tiles = 1 if self.along is None else -(-self.along.extent // self.tile)
        extents = [*(axis.extent for axis in outer), tiles]
        begin, end = f.arguments["begin"], f.arguments["end"]
        place = Place(f, self.arguments, begin, extents)
        with f.loop(begin, end) as step, emit.scope():
            *places, tile = place.at(step)
            emit.axes.update(zip(outer, places, strict=True))
            if self.along is None:
                self._turns([None])
            else:
                self._along(self.along, tile)
            place.move()
        f.ret()
        return self._code(prod(extents))

    def _code(self, extent: int) -> Code:
        text = str(self.module)
        name = "scatter_" + hashlib.sha256(text.encode()).hexdigest()[:16]
        text = text.replace("@kernel(", f"@{name}(")
        values, buffers = self.arguments.values, set(self.arguments.buffers)

        def params(place: Mapping[int, int]) -> tuple[int, ...]:
            return tuple(place[v] if k in buffers else v for k, v in enumerate(values))

        return Code(
            name=name, text=lambda: text, params=params, extent=extent, work=self._work() / extent,
            buffers=tuple(values[k] for k in sorted(buffers)),
        )  # fmt: skip

    def _work(self) -> float:
        """A guess: two vectors are read and one is written in about two nanoseconds."""
        changes = self.scatter.count / (1 if self.along is None else self.lanes)
        return changes * (2 + self.scatter.body.size / 2)

    def _along(self, along: Axis, tile: Value) -> None:
        """One tile of the axis of vectors: all of it at once, or its vectors one by one."""
        f, emit, lanes = self.f, self.emit, self.lanes
        extent = self.arguments.integer(along.extent, ("extent", along))
        start = f.mul(tile, i64(self.tile))
        stop = f.intrinsic("smin", f.add(start, i64(self.tile)), extent)
        whole = f.compare("eq", f.sub(stop, start), i64(self.tile))
        emit.along = along
        with f.when(whole), emit.scope():
            self._turns([f.add(start, i64(k)) for k in range(0, self.tile, lanes)])
        if along.extent % self.tile:
            with f.loop(f.select(whole, stop, start), stop, lanes) as i:
                emit.mask = f.lanes_below(f.sub(stop, i), lanes)
                with emit.scope():
                    self._turns([i])
                emit.mask = None
        emit.along = None

    def _turns(self, places: Sequence[Value | None]) -> None:
        """All changes in order, of elements or of vectors at some places."""
        turns = self.scatter.turns
        self._hoist({*turns})
        with ExitStack() as stack:
            for axis in turns:
                extent = self.arguments.integer(axis.extent, ("extent", axis))
                self.emit.axes[axis] = stack.enter_context(self.f.loop(i64(0), extent))
                stack.enter_context(self.emit.scope())
            self._hoist(set())
            self._changed(places)

    def _changed(self, places: Sequence[Value | None]) -> None:
        """One turn. Everything is read before anything is written: vectors are independent."""
        scatter, emit = self.scatter, self.emit
        banks = [emit.bank(self.along, place) for place in places]
        found = []
        for bank in banks:
            with emit.within(bank):
                found.append(emit(scatter.body))
        for bank, value in zip(banks, found, strict=True):
            with emit.within(bank):
                emit.store(value, scatter.dtype, scatter.outputs[0], scatter.place)

    def _hoist(self, moving: set[Axis]) -> None:
        """Computes what depends on no moving axis and no vector, before anything is written."""
        own = self.scatter.outputs[0]
        bound = moving if self.along is None else moving | {self.along}
        for x in parts(self.scatter.element, self.scatter.body):
            if x.op != "const" and bound.isdisjoint(x.axes) and own not in x.reads:
                self.emit(x)
