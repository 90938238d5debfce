"""From an expression to instructions: each part once, scalar where it is the same in every lane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rushlight.base.dtypes import DType, bool_
from rushlight.base.errors import InternalError
from rushlight.compiler.expr import Expr
from rushlight.compiler.index import Axis, Index, Looked, Quotient, Remainder

from . import elementary
from .elementary import ELEMENTS, MEMORY
from .text import I64, PTR, Function, Type, Value, const, i64, vector


class Arguments:
    """The integers that a kernel is called with, in the order in which its code asks for them.

    A size or a stride is an argument, so the same code serves every size. Equal numbers that mean
    different things get arguments of their own; otherwise code would depend on chance.

    Args:
        order: where each argument is, if code that asks for the same has told before; this code may
            then ask in another order, or for fewer.
    Attributes:
        values: what to call the kernel with; buffers as their numbers.
        buffers: which of ``values`` are buffers, whose places in the table a program knows.
    """

    def __init__(
        self, f: Function, params: Value, table: Value, first: int = 0,
        order: Mapping[object, int] | None = None,
    ) -> None:  # fmt: skip
        self.f, self._params, self._table, self._first = f, params, table, first
        self._is_known = order is not None
        self.order: dict[object, int] = dict(order or {})
        self.values: list[int] = []
        self.buffers: list[int] = []
        self._pointers: dict[int, Value] = {}
        self._integers: dict[object, Value] = {}

    def integer(self, number: int, meaning: object) -> Value:
        """An argument. The same meaning asked for again is the same argument."""
        known = self._integers.get((number, meaning))
        if known is None:
            known = self._integers[number, meaning] = self._next(number, (number, meaning))
        return known

    def pointer(self, buffer: int) -> Value:
        """The address of a buffer."""
        known = self._pointers.get(buffer)
        if known is None:
            self.buffers.append(len(self.values))
            place = self._next(buffer, ("buffer", buffer))
            with self.f.at_entry():
                known = self.f.load(self.f.at(self._table, place, "ptr"), PTR)
            self._pointers[buffer] = known
        return known

    def _next(self, number: int, key: object) -> Value:
        if not self._is_known:
            self.order[key] = len(self.values)
        at = self._first + self.order[key]
        with self.f.at_entry():
            value = self.f.load(self.f.at(self._params, at, "i64"), I64)
        self.values.append(number)
        return value


@dataclass
class Scope:
    """What is known in a block and in those inside of it."""

    values: dict[Expr, Value] = field(default_factory=dict)
    indices: dict[object, Value] = field(default_factory=dict)


@dataclass
class Bank:
    """What is known of one vector of several that are computed side by side.

    Attributes:
        axis, place: the vector axis, and where its first lane stands; None where all is scalar.
        scope, forwarded: what has been computed for it.
    """

    axis: Axis | None
    place: Value | None
    scope: Scope
    forwarded: dict[tuple[int, Index], Value]


class Emitter:
    """Writes expressions into a function.

    Attributes:
        lanes: how many consecutive positions along the vector axis are computed at once.
        along: the vector axis, or None where everything is scalar.
        mask: the lanes that exist, or None for all.
        axes: where each axis stands (the first lane, for the vector axis).
        forwarded: values that this kernel has just computed, by buffer and place.
        local: where buffers are that a thread has for itself.
        turned: for loads that have been read: memory, and where the vector axis begins in it.
    """

    def __init__(self, f: Function, arguments: Arguments, lanes: int) -> None:
        self.f, self.arguments, self.lanes = f, arguments, lanes
        self.along: Axis | None = None
        self.mask: Value | None = None
        self.axes: dict[Axis, Value] = {}
        self.forwarded: dict[tuple[int, Index], Value] = {}
        self.local: dict[int, Value] = {}
        self.turned: dict[Expr, tuple[Value, Value]] = {}
        self._scopes = [Scope()]

    @contextmanager
    def scope(self) -> Iterator[None]:
        """A block: what is computed in it is forgotten after it."""
        self._scopes.append(Scope())
        forwarded = dict(self.forwarded)
        yield
        self.forwarded = forwarded
        self._scopes.pop()

    def bank(self, axis: Axis | None = None, place: Value | None = None) -> Bank:
        """A vector of which nothing is known yet but what is known here."""
        return Bank(axis, place, Scope(), dict(self.forwarded))

    @contextmanager
    def within(self, bank: Bank) -> Iterator[None]:
        """Goes on with one vector of several."""
        self._scopes.append(bank.scope)
        before, self.forwarded = self.forwarded, bank.forwarded
        if bank.axis is not None and bank.place is not None:
            self.axes[bank.axis] = bank.place
        yield
        bank.forwarded, self.forwarded = self.forwarded, before
        self._scopes.pop()

    # Expressions -----------------------------------------------------------------------------

    def __call__(self, x: Expr) -> Value:
        """The value of an expression: a vector if it varies along the vector axis."""
        for scope in reversed(self._scopes):
            if x in scope.values:
                return scope.values[x]
        value = self._written(x)
        self._scopes[-1].values[x] = value
        return value

    def know(self, x: Expr, value: Value) -> None:
        """Notes what an expression is in this block."""
        self._scopes[-1].values[x] = value

    def wide(self, x: Value) -> Value:
        """A value as a vector."""
        return x if x.type.lanes or self.along is None else self.f.splat(x, self.lanes)

    def _written(self, x: Expr) -> Value:
        if x.op == "const":
            return const(x.attrs[0], Type(ELEMENTS[x.dtype]))
        if x.op == "index":
            return self.index(x.attrs[0])
        if x.op == "load":
            return self._load(x)
        if x.op == "reduce":
            raise InternalError(f"a reduction inside of an expression: {x}")
        args = [self(arg) for arg in x.args]
        if any(arg.type.lanes for arg in args):
            args = [self.wide(arg) for arg in args]
        write = elementary.FUNCTIONS.get(x.op)
        if write is None:
            raise InternalError(f"no instructions for {x.op}")
        return write(self.f, x, *args)

    # Memory ----------------------------------------------------------------------------------

    def pointer(self, buffer: int) -> Value:
        """The address of a buffer, or of this thread's own."""
        return self.local.get(buffer) or self.arguments.pointer(buffer)

    def _load(self, x: Expr) -> Value:
        buffer, index = x.attrs
        forwarded = self.forwarded.get((buffer, index))
        if forwarded is not None:
            return forwarded
        element = MEMORY[x.dtype]
        if x in self.turned and self.along is not None:
            slot, start = self.turned[x]
            place = self.f.add(start, self.axes[self.along])
            loaded = self.f.load(self.f.at(slot, place, element), Type(element, self.lanes))
        else:
            guard = self(x.args[0]) if x.args else None
            pointer = self.pointer(buffer)
            loaded = self._read(pointer, index, element, guard)
        if x.dtype is bool_:
            return self.f.compare("ne", loaded, const(0, loaded.type))
        return loaded

    def _read(self, pointer: Value, index: Index, element: str, guard: Value | None) -> Value:
        f, along = self.f, self.along
        step = 0 if along is None else stride_along(index, along)
        if step == 0 and (guard is None or not guard.type.lanes):
            return self._read_one(pointer, index, element, guard)
        type = Type(element, self.lanes)
        if step == 1:
            place = f.at(pointer, self.index(index, first=True), element)
            if guard is not None and not guard.type.lanes:
                place, guard = self._guarded(place, guard), None
            mask = self._together(guard)
            if mask is None:
                return f.load(place, type)
            return f.masked_load(place, type, mask, const(0, type))
        if step == -1:
            last = f.at(pointer, self.index(index, first=True), element)
            return self._backwards(f.at(last, 1 - self.lanes, element), type, guard)
        if step in (2, 3, 4) and guard is None and self.mask is None:
            return self._every(step, f.at(pointer, self.index(index, first=True), element), type)
        everywhere = self._together(guard) or const(True, type.of("i1"))
        pointers = self._addresses(pointer, index, element, step)
        return f.gather(pointers, type, everywhere, const(0, type))

    def _every(self, step: int, place: Value, type: Type) -> Value:
        """Every so many elements, picked from vectors that end at the last of them."""
        f, lanes = self.f, self.lanes
        end = (lanes - 1) * step + 1
        starts = [min(k * lanes, end - lanes) for k in range(step)]
        found, *others = [f.load(f.at(place, start, type.element), type) for start in starts]
        of = [min(lane * step // lanes, step - 1) for lane in range(lanes)]
        for number, (more, start) in enumerate(zip(others, starts[1:], strict=True), 1):
            before = [lane * step if number == 1 else lane for lane in range(lanes)]
            chosen = [
                lane * step - start + lanes if of[lane] == number
                else before[lane] if of[lane] < number else -1
                for lane in range(lanes)
            ]  # fmt: skip
            found = f.shuffle(found, more, chosen)
        return found

    def _backwards(self, place: Value, type: Type, guard: Value | None) -> Value:
        """A vector that lies in memory from its last lane to its first."""
        f, turned = self.f, range(self.lanes - 1, -1, -1)
        if guard is not None and not guard.type.lanes:
            place, guard = self._guarded(place, guard), None
        mask = self._together(guard)
        if mask is None:
            loaded = f.load(place, type)
        else:
            loaded = f.masked_load(place, type, f.shuffle(mask, mask, turned), const(0, type))
        return f.shuffle(loaded, loaded, turned)

    def _read_one(self, pointer: Value, index: Index, element: str, guard: Value | None) -> Value:
        f = self.f
        place = f.at(pointer, self.index(index, first=True), element)
        return f.load(place if guard is None else self._guarded(place, guard), Type(element))

    def _guarded(self, place: Value, guard: Value) -> Value:
        """An address, or that of zeros where a guard does not hold."""
        zeros = f"private constant [{8 * self.lanes} x i8] zeroinitializer, align 64"
        nothing = self.f.module.constant("nothing", zeros)
        return self.f.select(guard, place, nothing)

    def _addresses(self, pointer: Value, index: Index, element: str, step: int | None) -> Value:
        f, lanes = self.f, self.lanes
        if step is None:
            places = self.wide(self.index(index))
        else:
            first = f.splat(self.index(index, first=True), lanes)
            places = f.add(first, vector([lane * step for lane in range(lanes)], "i64"))
        return f.emit(f"getelementptr {element}, {pointer}, {places}", Type("ptr", lanes))

    def _together(self, guard: Value | None) -> Value | None:
        """The lanes that exist and for which a guard holds."""
        if guard is None:
            return self.mask
        guard = self.wide(guard)
        return guard if self.mask is None else self.f.binary("and", guard, self.mask)

    def forward(self, x: Value, dtype: DType, buffer: int, place: Index) -> None:
        """Notes a result, so that whoever loads it gets the register."""
        if dtype.is_half:  # in memory's form, as a load gives it
            x = elementary.stored(self.f, x, dtype)
        self.forwarded[buffer, place] = x

    def store(self, x: Value, dtype: DType, buffer: int, index: Index) -> None:
        """Writes a result to memory."""
        f = self.f
        pointer = self.pointer(buffer)
        x = elementary.stored(f, x, dtype)
        element = MEMORY[dtype]
        step = 0 if self.along is None else stride_along(index, self.along)
        if step == 0:
            if x.type.lanes:
                raise InternalError("a vector is stored where one number belongs")
            f.store(x, f.at(pointer, self.index(index, first=True), element))
            return
        x = self.wide(x)
        if step == 1:
            place = f.at(pointer, self.index(index, first=True), element)
            if self.mask is None:
                f.store(x, place)
            else:
                f.masked_store(x, place, self.mask)
            return
        pointers = self._addresses(pointer, index, element, step)
        f.scatter(x, pointers, self.mask or const(True, x.type.of("i1")))

    # Indices ---------------------------------------------------------------------------------

    def index(self, index: Index, first: bool = False) -> Value:
        """An index as a number: a vector if it varies along the vector axis.

        Args:
            first: of the first lane only, a scalar.
        """
        key = index, first
        for scope in reversed(self._scopes):
            if key in scope.indices:
                return scope.indices[key]
        value = self._index(index, first)
        self._scopes[-1].indices[key] = value
        return value

    def _index(self, index: Index, first: bool) -> Value:
        f = self.f
        total: Value | None = None
        for position, (atom, factor) in enumerate(index.terms):
            part = self._atom(atom, first)
            if factor != 1:
                by = self._factor(factor, index, position)
                part = f.emit(
                    f"mul nsw {part}, {(f.splat(by, self.lanes) if part.type.lanes else by).name}",
                    part.type,
                )
            total = part if total is None else self._sum(total, part)
        if total is None:
            return self._constant(index.constant)
        return self._sum(total, self._constant(index.constant)) if index.constant else total

    def _factor(self, factor: int, index: Index, position: int) -> Value:
        if abs(factor) <= 1:
            return i64(factor)
        return self.arguments.integer(factor, ("factor", index, position))

    def _constant(self, number: int) -> Value:
        return i64(number) if -16 <= number <= 16 else self.arguments.integer(number, "constant")

    def _sum(self, x: Value, y: Value) -> Value:
        if x.type.lanes or y.type.lanes:
            x, y = self.wide(x), self.wide(y)
        return self.f.emit(f"add nsw {x}, {y.name}", x.type)

    def _atom(self, atom: Axis | Quotient | Remainder | Looked, first: bool) -> Value:
        f = self.f
        if isinstance(atom, Axis):
            value = self.axes[atom]
            if atom is self.along and not first:
                numbers = vector(range(self.lanes), "i64")
                return f.add(f.splat(value, self.lanes), numbers)
            return value
        if isinstance(atom, Looked):
            if atom.size == 1:  # it has been checked
                return i64(0)
            value = self(atom.value)
            if value.type.element != "i64":
                value = f.convert("sext", value, "i64")
            return f.extract(value, 0) if first and value.type.lanes else value
        whole = self.index(atom.whole, first)
        op = "udiv" if isinstance(atom, Quotient) else "urem"
        low, high = atom.whole.limits
        # Processors round towards zero, so a negative number is moved up by whole multiples.
        moved = max(0, -(low // atom.by))
        if moved:
            whole = f.add(whole, const(moved * atom.by, whole.type))
        if high + moved * atom.by < 1 << 31 and whole.type.lanes:
            narrow = f.convert("trunc", whole, "i32")
            divided = f.binary(op, narrow, const(atom.by, narrow.type))
            divided = f.convert("zext", divided, "i64")
        else:
            divided = f.binary(op, whole, const(atom.by, whole.type))
        if op == "urem" or not moved:
            return divided
        return f.sub(divided, const(moved, divided.type))


def stride_along(index: Index, axis: Axis) -> int | None:
    """By how much an index grows along an axis; None if not evenly."""
    step = 0
    for atom, factor in index.terms:
        if atom is axis:
            step = factor
        elif not isinstance(atom, Axis) and axis in set(Index(((atom, 1),)).axes()):
            return None
    return step
