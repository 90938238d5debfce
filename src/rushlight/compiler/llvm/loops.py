"""The template ``loops``: a kernel of elementwise operations and reductions as a function."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from rushlight.compiler.expr import Expr, parts
from rushlight.compiler.index import Axis
from rushlight.compiler.kernel import Kernel, Loop, Phase, Root

from .accumulate import Accumulator
from .code import Code
from .emit import Arguments, Emitter
from .machine import Machine
from .text import I64, PTR, Function, Module, Value, i64

ARGUMENTS = (("table", PTR), ("params", PTR), ("begin", I64), ("end", I64), ("scratch", PTR))

TILE = 8192
"""Elements of a row axis that are done at once: 32 kB of float32, what a first-level cache holds."""


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
        self.phases = kernel.phases()
        self.lanes = machine.lanes()

    def code(self) -> Code:
        kernel, f = self.kernel, self.f
        upright = kernel.along_rows()
        outer = kernel.rows[:-1] if upright else kernel.rows
        last = kernel.rows[-1] if upright else None
        tiles = 1 if last is None else -(-last.extent // TILE)
        extent = tiles
        for axis in outer:
            extent *= axis.extent
        with f.loop(self.begin, self.end) as step, self.emit.scope():
            row = self._tiled(step, tiles)
            self._stand(outer, row)
            if last is None:
                self._row()
            else:
                self._along_rows(last, step, tiles)
        f.ret()
        text = str(self.module)
        name = "loops_" + hashlib.sha256(text.encode()).hexdigest()[:16]
        text = text.replace("@kernel(", f"@{name}(")
        values, buffers = self.arguments.values, set(self.arguments.buffers)

        def params(place: Mapping[int, int]) -> tuple[int, ...]:
            return tuple(place[v] if k in buffers else v for k, v in enumerate(values))

        return Code(
            name=name, text=lambda: text, params=params, extent=extent, work=self._work(extent),
            buffers=tuple(values[k] for k in sorted(buffers)), fault=kernel.fault,
        )  # fmt: skip

    def _work(self, extent: int) -> float:
        """A guess: a vector operation a nanosecond."""
        total = 0.0
        for root in self.kernel.roots:
            count = 1.0
            for axis in root.axes:
                count *= axis.extent
            total += count * (root.body.size + 2)
        return total / self.lanes / 2 / max(1, extent)

    def _tiled(self, step: Value, tiles: int) -> Value:
        if tiles == 1:
            return step
        return self.f.binary("udiv", step, self.arguments.integer(tiles, "tiles"))

    def _stand(self, axes: Sequence[Axis], row: Value) -> None:
        """Where each of the outer axes stands in a row."""
        f = self.f
        for axis in reversed(axes[1:]):
            extent = self.arguments.integer(axis.extent, ("extent", axis))
            self.emit.axes[axis] = f.binary("urem", row, extent)
            row = f.binary("udiv", row, extent)
        if axes:
            self.emit.axes[axes[0]] = row

    # Vectors along the last row axis ---------------------------------------------------------

    def _along_rows(self, last: Axis, step: Value, tiles: int) -> None:
        f, emit = self.f, self.emit
        extent = self.arguments.integer(last.extent, ("extent", last))
        start, stop = i64(0), extent
        if tiles > 1:
            tile = f.binary("urem", step, self.arguments.integer(tiles, "tiles"))
            start = f.mul(tile, i64(TILE))
            stop = f.intrinsic("smin", f.add(start, i64(TILE)), extent)
        emit.along = last
        self._hoist([root.body for root in self.kernel.roots], {last})
        size = sum(root.body.size for root in self.kernel.roots)
        plain = not any(root.reductions() for root in self.kernel.roots)
        copies = (4 if size < 12 else 2 if size < 40 else 1) if plain else 1
        self._vectors(last, start, stop, copies, self._row, short=last.extent <= self.lanes)
        emit.along = None

    def _vectors(
        self, axis: Axis, start: Value, stop: Value, copies: int, body: Callable[[], None],
        *, short: bool,
    ) -> None:  # fmt: skip
        """Runs ``body`` for every vector of an axis: several in turn, then the rest with masks."""
        f, emit, lanes = self.f, self.emit, self.lanes
        rest = start
        if not short:
            whole = f.sub(stop, start)
            step = lanes * copies
            whole = f.sub(whole, f.binary("urem", whole, i64(step)))
            rest = f.add(start, whole)
            with f.loop(start, rest, step) as i:
                for copy in range(copies):
                    emit.axes[axis] = f.add(i, i64(copy * lanes)) if copy else i
                    with emit.scope():
                        body()
        with f.loop(rest, stop, lanes) as i:
            emit.axes[axis] = i
            emit.mask = f.lanes_below(f.sub(stop, i), lanes)
            with emit.scope():
                body()
            emit.mask = None

    # A row -----------------------------------------------------------------------------------

    def _row(self) -> None:
        """All phases at one place of the row axes, or at a vector of places."""
        for phase in self.phases:
            for root in phase.numbers:
                self._write(root)
            self._reduced(phase)
            for loop in phase.loops:
                if loop.roots and not loop.reductions:
                    self._inner(loop, [])

    def _reduced(self, phase: Phase) -> None:
        for loop in phase.loops:
            if not loop.reductions:
                continue
            copies = 1
            if self.emit.along is None and loop.axes[-1].extent >= 8 * self.lanes:
                size = sum(x.args[0].size for x in loop.reductions)
                copies = 4 if size < 8 else 2 if size < 40 else 1
            gathered = [
                Accumulator(self.emit, x, copies, vector=self._is_vector(loop))
                for x in loop.reductions
            ]
            self._inner(loop, gathered)
            for x, accumulator in zip(loop.reductions, gathered, strict=True):
                self.emit.know(x, accumulator.result())

    def _is_vector(self, loop: Loop) -> bool:
        return True

    def _write(self, root: Root) -> None:
        value = self.emit(root.body)
        self.emit.forward(value, root.dtype, root.buffer, root.place)
        if root.buffer in self.kernel.kept:
            self.emit.store(value, root.dtype, root.buffer, root.place)

    def _inner(self, loop: Loop, gathered: list[Accumulator]) -> None:
        """A loop inside of a row."""
        f, emit = self.f, self.emit
        upright = emit.along is not None
        self._hoist([*(x.args[0] for x in loop.reductions), *(r.body for r in loop.roots)],
                    set(loop.axes))
        copies = max((accumulator.copies for accumulator in gathered), default=0)
        turn = [0]

        def body() -> None:
            for root in loop.roots:
                self._write(root)
            for accumulator in gathered:  # after the results, which they may be of
                accumulator.take(turn[0])
            turn[0] = (turn[0] + 1) % max(1, copies)

        with ExitStack() as stack:
            nested = loop.axes if upright else loop.axes[:-1]
            for axis in nested:
                extent = self.arguments.integer(axis.extent, ("extent", axis))
                emit.axes[axis] = stack.enter_context(f.loop(i64(0), extent))
                stack.enter_context(emit.scope())
            if upright:
                body()
                return
            last = loop.axes[-1]
            emit.along = last
            size = sum(root.body.size for root in loop.roots)
            copies = copies or (4 if size < 12 else 2 if size < 40 else 1)
            extent = self.arguments.integer(last.extent, ("extent", last))
            short = last.extent <= self.lanes
            self._vectors(last, i64(0), extent, copies, body, short=short)
            emit.along = None

    def _hoist(self, bodies: Sequence[Expr], axes: set[Axis]) -> None:
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


__all__ = ["Code", "Function", "write"]
