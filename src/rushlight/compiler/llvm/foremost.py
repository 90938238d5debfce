"""Foremost: where in a row the first greatest or least number is."""

from __future__ import annotations

from math import prod

from rushlight.base.dtypes import DType
from rushlight.compiler.expr import Expr
from rushlight.compiler.index import Index

from .elementary import ELEMENTS
from .emit import Emitter
from .maths.real import some_lane
from .text import Function, Type, Value, const, vector


class Foremost:
    """The place of an extremum: of NaN, if there is one, and of the first among equals.

    Every lane goes through its places in order, so only what is better than all before counts.
    Several copies do so in turn, since a comparison waits for the one before it.

    Attributes:
        copies: how many there are.
    """

    def __init__(self, emit: Emitter, x: Expr, copies: int) -> None:
        self.emit, self.body, self.axes = emit, x.args[0], x.attrs[1]
        self.dtype = self.body.dtype
        self.greatest = x.attrs[0] == "argmax"
        # Inside of rows the lanes are of one row; along rows each lane is a row of its own.
        self._across = emit.along is None
        self.copies = copies if self._across else 1
        f, lanes = emit.f, emit.lanes
        self._type = Type(ELEMENTS[self.dtype], lanes)
        count = prod(axis.extent for axis in self.axes)
        self._number = Type("i32" if count + lanes * copies < 1 << 31 else "i64", lanes)
        worst = const(worst_of(self.dtype, self.greatest), self._type)
        self._bests = [f.variable(worst) for _ in range(self.copies)]
        # What nothing is better than is where each lane begins.
        self._places = [f.variable(self._first(k)) for k in range(self.copies)]

    def _first(self, copy: int) -> Value:
        if not self._across:
            return const(0, self._number)
        lanes = self.emit.lanes
        return vector(range(copy * lanes, (copy + 1) * lanes), self._number.element)

    def take(self, turn: int) -> None:
        """Looks at one vector."""
        emit, f, copy = self.emit, self.emit.f, turn % self.copies
        value = emit.wide(emit(self.body))
        best = f.get(self._bests[copy], self._type)
        better = f.compare(self._way("u"), value, best)
        if value.type.is_float:  # NaN is better than any number, and nothing than NaN
            better = f.binary("and", better, f.compare("ord", best, best))
        if emit.mask is not None and self._across:
            better = f.binary("and", better, emit.mask)
        place = f.get(self._places[copy], self._number)
        f.set(self._bests[copy], f.select(better, value, best))
        f.set(self._places[copy], f.select(better, self._here(), place))

    def _way(self, ordering: str) -> str:
        """The comparison with what is worse; ``ordering`` of floats, which NaN passes or not."""
        way = "gt" if self.greatest else "lt"
        if self.dtype.kind == "float":
            return ordering + way
        return ("s" if self.dtype.is_signed else "u") + way

    def _here(self) -> Value:
        """The place in the row of each lane."""
        emit, f = self.emit, self.emit.f
        place = Index()
        for axis in self.axes:
            place = place * axis.extent + axis
        first = emit.index(place, first=True)
        if self._number.element == "i32":
            first = f.convert("trunc", first, "i32")
        here = f.splat(first, emit.lanes)
        return f.add(here, self._first(0)) if self._across else here

    def result(self) -> Value:
        """The place: one number for a row, or one in each lane for a vector of rows."""
        f = self.emit.f
        places = [f.get(slot, self._number) for slot in self._places]
        if not self._across:
            return _wide(f, places[0])
        bests = [f.get(slot, self._type) for slot in self._bests]
        best = self._best(bests)
        last = const((1 << (self._number.bits - 1)) - 1, self._number)
        nan = self._nan(bests)
        found = last
        for value, place in zip(bests, places, strict=True):
            equal = f.compare("oeq" if value.type.is_float else "eq", value, best)
            if nan is not None:
                equal = f.select(nan, f.compare("uno", value, value), equal)
            found = f.intrinsic("smin", found, f.select(equal, place, last))
        name = f"llvm.vector.reduce.smin.{self._number.suffix}"
        return _wide(f, f.call(name, Type(self._number.element), found))

    def _best(self, values: list[Value]) -> Value:
        """The extremum of all lanes, in every lane; anything where there is NaN."""
        f, lanes = self.emit.f, self.emit.lanes
        value = values[0]
        for other in values[1:]:
            value = self._better(value, other)
        half = lanes
        while half > 1:
            half //= 2
            value = self._better(value, f.shuffle(value, value, [k ^ half for k in range(lanes)]))
        return value

    def _better(self, x: Value, y: Value) -> Value:
        f = self.emit.f
        return f.select(f.compare(self._way("o"), x, y), x, y)

    def _nan(self, values: list[Value]) -> Value | None:
        """Whether there is NaN in any lane."""
        f = self.emit.f
        if not self._type.is_float:
            return None
        found = f.compare("uno", values[0], values[0])
        for other in values[1:]:
            found = f.binary("or", found, f.compare("uno", other, other))
        return some_lane(f, found)


def worst_of(dtype: DType, greatest: bool) -> float | int | bool:
    """What every number of a type is at least as great as, or at most as great as."""
    if dtype.kind == "float":
        return float("-inf") if greatest else float("inf")
    if dtype.kind == "bool":
        return not greatest
    bits = dtype.itemsize * 8 - dtype.is_signed
    if not greatest:
        return (1 << bits) - 1
    return -(1 << bits) if dtype.is_signed else 0


def _wide(f: Function, place: Value) -> Value:
    return f.convert("sext", place, "i64") if place.type.element == "i32" else place
