"""Squares: reads whose neighbours lie along another axis than the vectors, transposed in registers.

The transpose of a matrix is written along its rows and read along its columns. One lane at a time
that takes an instruction for each number. Here a square, as many vectors as each has lanes, is read
as it lies, turned around in registers, and kept on the stack, where the kernel's expressions find
one vector after the other.
"""

from __future__ import annotations

from rushlight.compiler.expr import Expr, parts
from rushlight.compiler.index import Axis
from rushlight.compiler.kernel import Kernel

from .contract.transpose import transposed
from .elementary import MEMORY
from .emit import Emitter, stride_along
from .text import Function, Type, Value, const, i64

LEAST = 4
"""Places along either axis below which most of a square would be empty."""

MOST = 4
"""Reads of one kernel that have squares: they share a first-level cache."""


def crossing(kernel: Kernel) -> tuple[Axis, list[Expr]] | None:
    """The row axis that most strided reads lie along, and these; None if there are none."""
    *others, last = kernel.rows
    found: dict[Axis, list[Expr]] = {}
    for x in parts(*(root.body for root in kernel.roots)):
        if x.op != "load" or x.args or x.attrs[0] in kernel.buffers or last.extent < LEAST:
            continue
        index = x.attrs[1]
        if stride_along(index, last) not in (None, 0, 1):
            for axis in others:
                if axis.extent >= LEAST and stride_along(index, axis) == 1:
                    found.setdefault(axis, []).append(x)
    if not found:
        return None
    axis = max(found, key=lambda axis: len(found[axis]))
    return axis, found[axis][:MOST]


class Squares:
    """The squares of some reads, beside each other on the stack.

    Args:
        reads: loads of the kernel.
        last: the vector axis.
        width: how many places of it fit.
    """

    def __init__(self, emit: Emitter, reads: list[Expr], last: Axis, width: int) -> None:
        self.emit, self.reads, self.last, self.width = emit, reads, last, width
        self._slots = [emit.f.array(MEMORY[x.dtype], emit.lanes * width) for x in reads]

    def fill(self, across: Value, along: Value, place: Value) -> None:
        """Reads one square of each from where the axes stand.

        Args:
            across, along: how many places are left along the axis of the reads and the vectors'.
            place: of the square, along the vector axis.
        """
        emit, f = self.emit, self.emit.f
        final = f.sub(along, i64(1))  # rows beyond it are never looked at
        rows = [f.intrinsic("smin", final, i64(k)) for k in range(emit.lanes)]
        for number, (x, slot) in enumerate(zip(self.reads, self._slots, strict=True)):
            buffer, index = x.attrs
            stride = stride_along(index, self.last)
            assert stride is not None
            step = emit.arguments.integer(stride, ("step", number))
            element = MEMORY[x.dtype]
            start = f.at(emit.arguments.pointer(buffer), emit.index(index, first=True), element)
            places = [f.at(start, f.mul(row, step), element) for row in rows]
            self._turn(places, across, Type(element), f.at(slot, place, element))

    def _turn(self, places: list[Value], across: Value, kind: Type, slot: Value) -> None:
        """Transposes what lies from some places on into a slot."""
        f, lanes = self.emit.f, self.emit.lanes
        side = lanes if kind.bits <= 32 else lanes // 2  # of the squares that fit into registers
        type = Type(kind.element, side)
        for left in range(0, lanes, side):
            mask = f.lanes_below(f.sub(across, i64(left)) if left else across, side)
            for top in range(0, lanes, side):
                rows = [
                    f.masked_load(f.at(place, left, kind.element), type, mask, const(0, type))
                    for place in places[top : top + side]
                ]
                for k, column in enumerate(_columns(f, rows)):
                    f.store(column, f.at(slot, (left + k) * self.width + top, kind.element))

    def show(self, across: Value, along: Value) -> None:
        """Has the reads find their vectors here.

        Args:
            across: which place along the axis of the reads, counted from the squares' first.
            along: where the squares begin on the vector axis.
        """
        f = self.emit.f
        offset = f.sub(f.mul(across, i64(self.width)), along)
        for x, slot in zip(self.reads, self._slots, strict=True):
            self.emit.turned[x] = slot, offset

    def hide(self) -> None:
        """Has them read memory again."""
        self.emit.turned.clear()


def _columns(f: Function, rows: list[Value]) -> list[Value]:
    """Vectors transposed; those of small elements as wider ones."""
    kind = rows[0].type
    if kind.bits >= 32:
        return transposed(f, rows)
    bits = f"i{kind.bits}"
    wide = [f.convert("zext", f.convert("bitcast", row, bits), "i32") for row in rows]
    narrow = [f.convert("trunc", column, bits) for column in transposed(f, wide)]
    return [f.convert("bitcast", column, kind.element) for column in narrow]
