"""The template ``loops``: a kernel of elementwise operations and reductions as a function."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

from rushlight.compiler.expr import Expr
from rushlight.compiler.index import Axis
from rushlight.compiler.kernel import Kernel
from rushlight.compiler.segments import segments

from .code import Code
from .emit import Arguments, Emitter
from .machine import Machine
from .place import Place
from .rows import Rows
from .squares import Squares, crossing
from .text import I64, PTR, Module, Value, i64

ARGUMENTS = (("table", PTR), ("params", PTR), ("begin", I64), ("end", I64), ("scratch", PTR))

TILE = 8192
"""Elements of a row axis that are done at once: 32 kB of float32, a first-level cache."""


ACROSS, ALONG = 64, 128
"""Places of a tile whose reads lie along another axis than its vectors: a few lines of memory."""

NEAR = 1 << 17
"""Numbers that are reduced to a tile of results: half a megabyte, part of a second-level cache."""


@dataclass
class Span:
    """How an axis is cut into steps.

    Attributes:
        length: how many places a step has; the last may have fewer.
    """

    axis: Axis
    length: int

    @property
    def count(self) -> int:
        """How many steps there are."""
        return -(-self.axis.extent // self.length)

    @staticmethod
    def even(axis: Axis, most: int) -> Span:
        """Steps of at most so many places, nearly equal."""
        count = -(-axis.extent // max(1, most))
        return Span(axis, -(-axis.extent // count))


def write(kernel: Kernel, machine: Machine) -> Code:
    """The code of a kernel whose axes are settled."""
    return _Writer(kernel, machine).code()


class _Writer:
    def __init__(self, kernel: Kernel, machine: Machine) -> None:
        self.kernel = kernel
        self.module = Module(machine)
        self.f = f = self.module.function("kernel", ARGUMENTS, attributes="nounwind")
        given = f.arguments
        self.begin, self.end = given["begin"], given["end"]
        self.arguments = Arguments(f, given["params"], given["table"])
        self.emit = Emitter(f, self.arguments, machine.lanes())
        self.scratch = 0
        for buffer, size in kernel.local.items():
            self.emit.local[buffer] = f.at(given["scratch"], self.scratch, "i8")
            self.scratch += -(-size // 64) * 64
        self.rows = Rows(kernel, self.emit)
        self.lanes = machine.lanes()
        self.reductions = [x for root in kernel.roots for x in root.reductions()]
        # Those read across the vectors: the axis that their neighbours lie along, and the reads.
        self.crossing: tuple[Axis, list[Expr]] | None = None
        # Of the vector axis: where each begins, its own axis and its rows.
        self.segments: list[tuple[int, Axis, Rows]] = []

    def code(self) -> Code:
        f = self.f
        spans = self._spans()
        cut = {span.axis for span in spans}
        outer = [axis for axis in self.kernel.rows if axis not in cut]
        counts = [*(axis.extent for axis in outer), *(span.count for span in spans)]
        place = Place(f, self.arguments, self.begin, counts)
        with f.loop(self.begin, self.end) as step, self.emit.scope():
            places = place.at(step)
            self.emit.axes.update(zip(outer, places[: len(outer)], strict=True))
            if not spans:
                self.rows.write([self.emit.bank()])
            else:
                self._tile(spans, places[len(outer) :])
            place.move()
        f.ret()
        return self._finished(prod(counts))

    def _finished(self, extent: int) -> Code:
        text = str(self.module)
        name = "loops_" + hashlib.sha256(text.encode()).hexdigest()[:16]
        text = text.replace("@kernel(", f"@{name}(")
        values, buffers = self.arguments.values, set(self.arguments.buffers)

        def params(place: Mapping[int, int]) -> tuple[int, ...]:
            return tuple(place[v] if k in buffers else v for k, v in enumerate(values))

        return Code(
            name=name, text=lambda: text, params=params, extent=extent, work=self._work(extent),
            buffers=tuple(values[k] for k in sorted(buffers)), fault=self.kernel.fault,
            scratch=self.scratch,
        )  # fmt: skip

    def _work(self, extent: int) -> float:
        """A guess: a vector operation a nanosecond."""
        total = 0.0
        for root in self.kernel.roots:
            count = prod(axis.extent for axis in root.axes)
            total += count * (root.body.size + 2)
        return total / self.lanes / 2 / max(1, extent)

    # Vectors along the last row axis ---------------------------------------------------------

    def _spans(self) -> list[Span]:
        """The axes that a step goes through by itself, the vector axis last; none without one."""
        kernel = self.kernel
        if not kernel.along_rows():
            return []
        *others, last = kernel.rows
        if self.reductions:
            count = max(prod(axis.extent for axis in x.attrs[1]) for x in self.reductions)
            side = 4 * self.lanes
            return [Span(last, min(TILE, max(side, NEAR // max(1, count) // side * side)))]
        self.crossing = crossing(kernel)
        if self.crossing is not None:
            return [Span(self.crossing[0], ACROSS), Span(last, ALONG)]
        for offset, own, roots in segments(kernel.roots, last):
            part = replace(kernel, rows=(*others, own), roots=roots)
            self.segments.append((offset, own, Rows(part, self.emit)))
        if others and last.extent <= TILE // 4:
            return [Span.even(others[-1], TILE // 2 // last.extent), Span(last, TILE)]
        return [Span(last, TILE)]

    def _tile(self, spans: list[Span], places: list[Value]) -> None:
        """A step: all places of its part of some axes."""
        emit, last = self.emit, spans[-1].axis
        emit.along = last
        bodies = [root.body for root in self.kernel.roots]
        self.rows.hoist(bodies, {span.axis for span in spans})
        *before, (start, stop) = map(self._ends, spans, places)
        if not before:
            self._vectors(last, start, stop)
        elif self.crossing is not None:
            self._squares(before[0], (start, stop))
        else:
            with self.f.loop(*before[0]) as i, emit.scope():
                emit.axes[spans[0].axis] = i
                self.rows.hoist(bodies, {last})
                self._vectors(last, start, stop)
        emit.along = None

    def _ends(self, span: Span, place: Value) -> tuple[Value, Value]:
        """Where a step's part of an axis begins and ends."""
        f = self.f
        extent = self.arguments.integer(span.axis.extent, ("extent", span.axis))
        if span.count == 1:
            return i64(0), extent
        length = self.arguments.integer(span.length, ("length", span.axis))
        start = f.mul(place, length)
        return start, f.intrinsic("smin", f.add(start, length), extent)

    def _vectors(self, last: Axis, start: Value, stop: Value) -> None:
        """A part of the vector axis, its segments in turn."""
        f, emit = self.f, self.emit
        if not self.segments:
            self._segment(self.rows, last, start, stop)
        for offset, own, rows in self.segments:
            emit.along = own
            extent = self.arguments.integer(own.extent, ("extent", own))
            low, high = i64(0), extent
            if (
                last.extent > TILE
            ):  # a step has a part of the axis, and perhaps none of this segment
                moved = self.arguments.integer(offset, ("offset", own))
                low = f.intrinsic("smax", f.sub(start, moved), low)
                high = f.intrinsic("smax", f.intrinsic("smin", f.sub(stop, moved), extent), low)
            with emit.scope():
                rows.hoist([root.body for root in rows.kernel.roots], {own})
                self._segment(rows, own, low, high)
            emit.along = last

    def _segment(self, rows: Rows, axis: Axis, start: Value, stop: Value) -> None:
        """A part of the vector axis in which every vector is computed alike."""
        size = sum(root.body.size for root in rows.kernel.roots)
        copies = 4 if size < 12 else 2 if size < 40 else 1
        if self.reductions:  # accumulators of several vectors: memory is read in longer runs
            inner = sum(x.args[0].size for x in self.reductions)
            copies = 4 if inner < 24 and len(self.reductions) < 4 else 1
        short = axis.extent <= self.lanes
        rows.vectors(axis, start, stop, rows.fitting(copies, axis), rows.write, short=short)

    def _squares(self, across: tuple[Value, Value], along: tuple[Value, Value]) -> None:
        """A tile, by squares of what is read across the vectors."""
        assert self.crossing is not None
        f, emit, lanes = self.f, self.emit, self.lanes
        cross, last = self.crossing[0], self.kernel.rows[-1]
        squares = Squares(emit, self.crossing[1], last, ALONG)
        with f.loop(*across, lanes) as top:
            with f.loop(*along, lanes) as left, emit.scope():
                emit.axes[cross], emit.axes[last] = top, left
                squares.fill(f.sub(across[1], top), f.sub(along[1], left), f.sub(left, along[0]))
            count = f.intrinsic("smin", f.sub(across[1], top), i64(lanes))
            with f.loop(i64(0), count) as k, emit.scope():
                emit.axes[cross] = f.add(top, k)
                squares.show(k, along[0])
                self._vectors(last, *along)
                squares.hide()
