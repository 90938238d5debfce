"""Cells on vectors: the arithmetic of :mod:`rushlight.ops.recurrence` as instructions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight.compiler.llvm import maths
from rushlight.compiler.llvm.text import Function, Value, const


class Lanes:
    """A vector of numbers with Python's operators, each of which writes an instruction."""

    __slots__ = ("f", "value")

    def __init__(self, f: Function, value: Value) -> None:
        self.f, self.value = f, value

    @property
    def shape(self) -> tuple[int, ...]:
        """So wide is a piece of a state here."""
        return (self.value.type.lanes,)

    def of(self, value: Value) -> Lanes:
        """Another vector of the same function."""
        return Lanes(self.f, value)

    def _number(self, other: Lanes | float) -> Value:
        return other.value if isinstance(other, Lanes) else const(other, self.value.type)

    def __add__(self, other: Lanes | float) -> Lanes:
        return self.of(self.f.add(self.value, self._number(other)))

    def __sub__(self, other: Lanes | float) -> Lanes:
        return self.of(self.f.sub(self.value, self._number(other)))

    def __rsub__(self, other: float) -> Lanes:
        return self.of(self.f.sub(self._number(other), self.value))

    def __mul__(self, other: Lanes | float) -> Lanes:
        return self.of(self.f.mul(self.value, self._number(other)))


class Gates:
    """The parts of a product, one for each gate."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Lanes]) -> None:
        self.parts = list(parts)

    def __add__(self, other: Gates) -> Gates:
        return Gates([x + y for x, y in zip(self.parts, other.parts, strict=True)])


class OnVectors:
    """What the cells need beyond the operators, for vectors."""

    @staticmethod
    def tanh(x: Lanes) -> Lanes:
        return x.of(maths.tanh(x.f, x.value))

    @staticmethod
    def sigmoid(x: Lanes) -> Lanes:
        return x.of(maths.sigmoid(x.f, x.value))

    @staticmethod
    def relu(x: Lanes) -> Lanes:
        return x.of(x.f.intrinsic("maximum", x.value, const(0, x.value.type)))

    @staticmethod
    def positive(y: Lanes, g: Lanes) -> Lanes:
        zero = const(0, y.value.type)
        return y.of(y.f.select(y.f.compare("ogt", y.value, zero), g.value, zero))

    @staticmethod
    def split(x: Gates, width: int) -> list[Lanes]:
        return x.parts

    @staticmethod
    def join(parts: Sequence[Lanes]) -> Gates:
        return Gates(parts)


def gates_of(parts: Sequence[Lanes]) -> Any:
    """What a cell takes for a product: its parts, or the one that it has."""
    return Gates(parts) if len(parts) > 1 else parts[0]


def parts_of(gates: Any) -> list[Lanes]:
    """The parts of what a cell gives for a product."""
    return gates.parts if isinstance(gates, Gates) else [gates]
