"""Accumulators: how a reduction gathers its numbers in registers, and what comes out."""

from __future__ import annotations

from rushlight.base.dtypes import DType
from rushlight.base.errors import InternalError
from rushlight.compiler.expr import Expr

from .elementary import ELEMENTS
from .emit import Emitter
from .foremost import worst_of
from .maths.real import some_lane
from .text import Function, Type, Value, const


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
        self.copies = copies
        self._type = Type(ELEMENTS[self.dtype], emit.lanes)
        # Inside of rows the lanes are of one row; along rows each lane is a row of its own.
        self._across = emit.along is None
        f = emit.f
        start = const(self._identity(), self._type)
        self._slots = [f.variable(start) for _ in range(self.copies)]
        # The processor's extremum forgets NaN, and asking each time takes longer than noting it.
        self._notes_nan = self.how in ("min", "max") and self.dtype.kind == "float"
        if self._notes_nan:
            self._nan = f.variable(const(False, Type("i1", emit.lanes)))

    def take(self, turn: int) -> None:
        """Gathers the numbers of one vector."""
        emit, f = self.emit, self.emit.f
        value = emit.wide(emit(self.body))
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
        return worst_of(self.dtype, greatest=self.how == "max")


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
