"""Rows: what is done in one row of a kernel, or in several rows side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from rushlight.compiler.expr import Expr, parts
from rushlight.compiler.index import Axis
from rushlight.compiler.kernel import Kernel, Loop, Root

from .accumulate import Accumulator
from .emit import Bank, Emitter
from .foremost import Foremost
from .text import Value, i64

Gathering = Accumulator | Foremost


class Rows:
    """Writes the phases of a kernel's rows.

    Args:
        emit: where the row axes stand, and which of them the vectors lie along, if any.
    """

    def __init__(self, kernel: Kernel, emit: Emitter) -> None:
        self.kernel, self.emit = kernel, emit
        self.f, self.arguments, self.lanes = emit.f, emit.arguments, emit.lanes
        self.phases = kernel.phases()

    def vectors(
        self, axis: Axis, start: Value, stop: Value, copies: int,
        body: Callable[[list[Bank]], None], *, short: bool,
    ) -> None:  # fmt: skip
        """Runs ``body`` for every vector of an axis: several at once, then the rest with masks."""
        f, emit, lanes = self.f, self.emit, self.lanes
        rest = start
        if not short:
            whole = f.sub(stop, start)
            step = lanes * copies
            whole = f.sub(whole, f.binary("urem", whole, i64(step)))
            rest = f.add(start, whole)
            with f.loop(start, rest, step) as i, emit.scope():
                places = [f.add(i, i64(k * lanes)) if k else i for k in range(copies)]
                body([emit.bank(axis, place) for place in places])
        with f.loop(rest, stop, lanes) as i:
            emit.mask = f.lanes_below(f.sub(stop, i), lanes)
            with emit.scope():
                body([emit.bank(axis, i)])
            emit.mask = None

    def fitting(self, copies: int, axis: Axis) -> int:
        """At most so many vectors in turn as an axis has."""
        while copies > 1 and axis.extent < copies * self.lanes:
            copies //= 2
        return copies

    def write(self, banks: list[Bank]) -> None:
        """All phases at one place of the row axes, or at some vectors of places."""
        if not any(phase.loops for phase in self.phases):
            for bank in banks:
                with self.emit.within(bank):
                    for phase in self.phases:
                        for root in phase.numbers:
                            self._write(root)
            return
        for phase in self.phases:
            for bank in banks:
                with self.emit.within(bank):
                    for root in phase.numbers:
                        self._write(root)
            for loop in phase.loops:
                if loop.reductions:
                    self._reduced(loop, banks)
            for loop in phase.loops:
                if loop.roots and not loop.reductions:
                    self._inner(loop, banks, [])

    def _reduced(self, loop: Loop, banks: list[Bank]) -> None:
        emit, copies = self.emit, 1
        if emit.along is None and loop.axes[-1].extent >= 8 * self.lanes:
            size = sum(x.args[0].size for x in loop.reductions)
            copies = 4 if size < 8 else 2 if size < 40 else 1
        gathered = [
            [
                (Foremost if x.attrs[0].startswith("arg") else Accumulator)(emit, x, copies)
                for x in loop.reductions
            ]
            for _ in banks
        ]
        self._inner(loop, banks, gathered)
        for bank, accumulators in zip(banks, gathered, strict=True):
            with emit.within(bank):
                for x, accumulator in zip(loop.reductions, accumulators, strict=True):
                    emit.know(x, accumulator.result())

    def _write(self, root: Root) -> None:
        value = self.emit(root.body)
        self.emit.forward(value, root.dtype, root.buffer, root.place)
        if root.buffer in self.kernel.kept:
            self.emit.store(value, root.dtype, root.buffer, root.place)

    def _inner(
        self, loop: Loop, banks: list[Bank], gathered: list[list[Gathering]]
    ) -> None:  # fmt: skip
        """A loop inside of a row, or of a row in each bank."""
        f, emit = self.f, self.emit
        bodies = [*(x.args[0] for x in loop.reductions), *(r.body for r in loop.roots)]
        for bank in banks:
            with emit.within(bank):
                self.hoist(bodies, set(loop.axes))
        nested = loop.axes if emit.along is not None else loop.axes[:-1]
        with ExitStack() as stack:
            for axis in nested:
                extent = self.arguments.integer(axis.extent, ("extent", axis))
                emit.axes[axis] = stack.enter_context(f.loop(i64(0), extent))
                stack.enter_context(emit.scope())
            if emit.along is None:
                self._along_inner(loop, banks[0], gathered[0] if gathered else [])
                return
            for k, bank in enumerate(banks):
                with emit.within(bank), emit.scope():
                    self._turn(loop, gathered[k] if gathered else [], 0)

    def _along_inner(self, loop: Loop, bank: Bank, accumulators: list[Gathering]) -> None:
        """The last loop inside of a row, by vectors."""
        last, size = loop.axes[-1], sum(root.body.size for root in loop.roots)
        copies = max((each.copies for each in accumulators), default=0)
        copies = copies or self.fitting(4 if size < 12 else 2 if size < 40 else 1, last)

        def body(vectors: list[Bank]) -> None:
            for turn, vector in enumerate(vectors):
                with self.emit.within(vector):
                    self._turn(loop, accumulators, turn)

        extent = self.arguments.integer(last.extent, ("extent", last))
        short = last.extent <= self.lanes
        with self.emit.within(bank):
            self.emit.along = last
            self.vectors(last, i64(0), extent, copies, body, short=short)
            self.emit.along = None

    def _turn(self, loop: Loop, accumulators: list[Gathering], turn: int) -> None:
        """One vector of a loop."""
        for root in loop.roots:
            self._write(root)
        for accumulator in accumulators:  # after the results, which they may be of
            accumulator.take(turn)

    def hoist(self, bodies: Sequence[Expr], axes: set[Axis]) -> None:
        """Computes what does not change in a loop before it: LLVM cannot move loads past stores."""
        bound = set(axes)
        for x in parts(*bodies):
            if x.op == "reduce":
                bound.update(x.attrs[1])
        stack = list(bodies)
        seen: set[Expr] = set()
        while stack:
            x = stack.pop()
            if x in seen or x.op in ("const", "reduce"):
                continue
            seen.add(x)
            if bound.isdisjoint(x.axes) and not self._depends_on_later(x):
                self.emit(x)
            else:
                stack.extend(x.args)

    def _depends_on_later(self, x: Expr) -> bool:
        """Whether an expression reads something that this kernel makes and has not made yet."""
        own = self.kernel.buffers
        for part in parts(x):
            if part.op == "reduce":
                return True
            if part.op == "load" and part.attrs[0] in own:
                return (part.attrs[0], part.attrs[1]) not in self.emit.forwarded
        return False
