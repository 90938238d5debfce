"""Accumulators: how a reduction gathers its numbers in registers, and what comes out."""

from __future__ import annotations

from rushlight.base.dtypes import DType
from rushlight.base.errors import InternalError
from rushlight.compiler.expr import Expr

from .elementary import ELEMENTS
from .emit import Emitter
from .maths.real import some_lane
from .text import I64, Function, Type, Value, const


class Accumulator:
    """One reduction of a row.

    Several copies are summed in turn, since an addition waits for the one before it. They, and
    then the lanes of the vector, come together in a fixed order, so the bits do not depend on
    who computes a row.

    Attributes:
        copies: how many there are.
    """

    def __init__(self, emit: Emitter, x: Expr, copies: int) -> None:
        self.emit, self.how, self.body = emit, x.attrs[0], x.args[0]
        self.dtype = self.body.dtype
        self.arg = self.how.startswith("arg")
        self.axes = x.attrs[1]
        self.copies = 1 if self.arg else copies
        self._type = Type(ELEMENTS[self.dtype], emit.lanes)
        # Inside of rows the lanes are of one row; along rows each lane is a row of its own.
        self._across = emit.along is None
        f = emit.f
        start = const(self._identity(), self._type)
        self._slots = [f.variable(start) for _ in range(self.copies)]
        if self.arg:
            self._place = f.variable(const(-1, Type("i64", emit.lanes)))
        # The processor's extremum forgets NaN, and asking each time takes longer than noting it.
        self._notes_nan = self.how in ("min", "max") and self.dtype.kind == "float"
        if self._notes_nan:
            self._nan = f.variable(const(False, Type("i1", emit.lanes)))

    def take(self, turn: int) -> None:
        """Gathers the numbers of one vector."""
        emit, f = self.emit, self.emit.f
        value = emit.wide(emit(self.body))
        if self.arg:
            self._take_place(value)
            return
        if emit.mask is not None and self._across:
            value = f.select(emit.mask, value, const(self._identity(), value.type))
        slot = self._slots[turn % self.copies]
        if self._notes_nan:
            seen = f.get(self._nan, self._type.of("i1"))
            f.set(self._nan, f.binary("or", seen, f.compare("uno", value, value)))
        f.set(slot, self._combined(f.get(slot, self._type), value))

    def _combined(self, x: Value, y: Value) -> Value:
        """Two parts as one; NaN is noted elsewhere."""
        f = self.emit.f
        if self._notes_nan:
            return f.select(f.compare("ogt" if self.how == "max" else "olt", x, y), x, y)
        return combined(f, self.how, self.dtype, x, y)

    def result(self) -> Value:
        """What was gathered: one number for a row, or one in each lane for a vector of rows."""
        f = self.emit.f
        if self.arg:
            return self._found_place()
        parts = [f.get(slot, self._type) for slot in self._slots]
        while len(parts) > 1:
            parts = [self._combined(parts[k], parts[k + 1]) for k in range(0, len(parts), 2)]
        value = parts[0]
        if self._notes_nan:
            nan = f.get(self._nan, value.type.of("i1"))
            nan = some_lane(f, nan) if self._across else nan
            value = f.select(nan, const(float("nan"), value.type), value)
        if not self._across:
            return value
        lanes = self.emit.lanes
        while lanes > 1:
            lanes //= 2
            low = f.shuffle(value, value, range(lanes))
            high = f.shuffle(value, value, range(lanes, 2 * lanes))
            value = self._combined(low, high)
        return f.extract(value, 0)

    def _identity(self) -> float | int | bool:
        """What changes nothing."""
        if self.how in ("sum", "any"):
            return False if self.dtype.kind == "bool" else 0
        if self.how in ("prod", "all"):
            return True if self.dtype.kind == "bool" else 1
        greatest = self.how in ("min", "argmin")
        if self.dtype.kind == "float":
            return float("inf") if greatest else float("-inf")
        if self.dtype.kind == "bool":
            return greatest
        bits = self.dtype.itemsize * 8 - self.dtype.is_signed
        if greatest:
            return (1 << bits) - 1
        return -(1 << bits) if self.dtype.is_signed else 0

    # The place of an extremum ----------------------------------------------------------------

    def _take_place(self, value: Value) -> None:
        emit, f = self.emit, self.emit.f
        index = self._linear()
        best, place = f.get(self._slots[0], self._type), f.get(self._place, index.type)
        better = self._better(value, index, best, place)
        if emit.mask is not None and self._across:
            better = f.binary("and", better, emit.mask)
        f.set(self._slots[0], f.select(better, value, best))
        f.set(self._place, f.select(better, index, place))

    def _linear(self) -> Value:
        from rushlight.compiler.index import Index

        place = Index()
        for axis in self.axes:
            place = place * axis.extent + axis
        return self.emit.wide(self.emit.index(place))

    def _better(self, value: Value, index: Value, best: Value, place: Value) -> Value:
        """Whether a number comes before the best so far: NaN, then the extremum, then order."""
        f = self.emit.f
        never = f.compare("slt", place, const(0, place.type))
        if value.type.is_float:
            way = "ogt" if self.how == "argmax" else "olt"
            beats = f.compare(way, value, best)
            new_nan, old_nan = f.compare("uno", value, value), f.compare("uno", best, best)
            first = f.binary("and", new_nan, f.binary("xor", old_nan, const(True, old_nan.type)))
            beats = f.binary("or", beats, first)
            tie = f.binary("or", f.compare("oeq", value, best), f.binary("and", new_nan, old_nan))
        else:
            sign = "s" if self.dtype.is_signed else "u"
            way = sign + ("gt" if self.how == "argmax" else "lt")
            beats = f.compare(way, value, best)
            tie = f.compare("eq", value, best)
        earlier = f.binary("and", tie, f.compare("slt", index, place))
        return f.binary("or", never, f.binary("or", beats, earlier))

    def _found_place(self) -> Value:
        f = self.emit.f
        value = f.get(self._slots[0], self._type)
        place = f.get(self._place, Type("i64", self.emit.lanes))
        if not self._across:
            return place
        best, where = f.extract(value, 0), f.extract(place, 0)
        for lane in range(1, self.emit.lanes):
            other, index = f.extract(value, lane), f.extract(place, lane)
            # A lane that has seen nothing has no place.
            seen = f.compare("sge", index, const(0, I64))
            better = f.binary("and", seen, self._better(other, index, best, where))
            best, where = f.select(better, other, best), f.select(better, index, where)
        return where


def combined(f: Function, how: str, dtype: DType, x: Value, y: Value) -> Value:
    """Two parts of a reduction as one."""
    if how == "sum":
        return f.add(x, y) if dtype.kind != "bool" else f.binary("or", x, y)
    if how == "prod":
        return f.mul(x, y) if dtype.kind != "bool" else f.binary("and", x, y)
    if how in ("any", "all"):
        return f.binary("or" if how == "any" else "and", x, y)
    if how in ("min", "max"):
        if dtype.kind == "float":
            return f.intrinsic(how + "imum", x, y)
        if dtype.kind == "bool":
            return f.binary("and" if how == "min" else "or", x, y)
        return f.intrinsic(("s" if dtype.is_signed else "u") + how, x, y)
    raise InternalError(f"no reduction is called {how}")
