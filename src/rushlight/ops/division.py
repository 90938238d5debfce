"""Division with a whole result, and what is left of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS, INTEGERS
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node

from .binary import Arithmetic


class IntegerDivision(Arithmetic):
    """Division with a whole result. Abstract."""

    dtypes = (*INTEGERS, *FLOATS)

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return (  # a staircase: flat wherever it has a derivative
            ops.zeros(a.spec) if a.requires_grad else None,
            ops.zeros(b.spec) if b.requires_grad else None,
        )

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=-9, high=9), make(4, low=0.5, high=3)
        yield make.int(3, 4, low=-9, high=9), make.int(4, low=1, high=5)
        yield make.int(3, 4, low=-9, high=9), -3
        yield make(0, 3), 2.0

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield (
            lambda: make.call(make.int(3), make.int(3) * 0),
            RuntimeError,
            "ZeroDivisionError",
        )

    def element(self, b: Any, index: Any, *inputs: Any) -> Any:
        x, y = (each.spread(index) for each in inputs)
        if y.dtype.kind == "int":
            y = b.checked(y, b.ne(y, 0))
        return self.lower(b, x, y)

    def checked(self, b: Any) -> None:
        """Refuses an integer division by zero, as PyTorch does."""
        if b.dtype.kind in "iu" and not np.all(b):
            raise OperationError(
                self.name, "ZeroDivisionError", rule="The divisor is an integer 0 somewhere."
            )


class FloorQuotient(IntegerDivision):
    """``input / other`` rounded down."""

    name = "floor_quotient"

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        if x.dtype.kind == "int":
            return b.floordiv(x, y)
        rest = b.fmod(x, y)
        whole = b.div(b.sub(x, rest), y)
        whole = b.select(_rounds_up(b, rest, y), b.sub(whole, 1), whole)
        # The quotient of what was subtracted is whole up to rounding.
        near = b.floor(whole)
        near = b.select(b.gt(b.sub(whole, near), 0.5), b.add(near, 1), near)
        quotient = b.div(x, y)
        near = b.select(b.eq(whole, 0), b.copysign(b.const(0, x.dtype), quotient), near)
        return b.select(b.eq(y, 0), quotient, near)

    def ref(self, a: Any, b: Any) -> Any:
        self.checked(b)
        return np.floor_divide(a, b)


class FloorDivide(FloorQuotient):
    """``input / other`` rounded down; no gradient flows through it."""

    name = "floor_divide"
    torch = "floor_divide(Tensor self, Tensor other) -> Tensor"
    needs_tensor = False
    differentiable = False


def _rounds_up(b: Any, rest: Any, divisor: Any) -> Any:
    """Where cutting towards zero gives a larger quotient than rounding down."""
    return b.and_(b.ne(rest, 0), b.xor(b.lt(rest, 0), b.lt(divisor, 0)))


class TruncDivide(IntegerDivision):
    """``input / other`` rounded towards zero."""

    name = "trunc_divide"

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.truncdiv(x, y) if x.dtype.kind == "int" else b.trunc(b.div(x, y))

    def ref(self, a: Any, b: Any) -> Any:
        self.checked(b)
        if a.dtype.kind in "iu":
            down = np.floor_divide(a, b)
            return down + ((np.remainder(a, b) != 0) & ((a < 0) != (b < 0)))
        return np.trunc(np.true_divide(a, b))


class Remainder(IntegerDivision):
    """What is left of ``input`` after division by ``other``, with the sign of ``other``."""

    name = "remainder"
    torch = "remainder(Tensor self, Tensor other) -> Tensor"

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return g, -g * ops.floor_quotient(a, b) if b.requires_grad else None

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        if x.dtype.kind == "int":
            return b.mod(x, y)
        rest = b.fmod(x, y)
        rest = b.select(_rounds_up(b, rest, y), b.add(rest, y), rest)
        return b.select(b.eq(rest, 0), b.copysign(rest, y), rest)

    def ref(self, a: Any, b: Any) -> Any:
        self.checked(b)
        return np.remainder(a, b)


class Fmod(IntegerDivision):
    """What is left of ``input`` after division by ``other``, with the sign of ``input``."""

    name = "fmod"
    torch = "fmod(Tensor self, Tensor other) -> Tensor"
    numbers = ("other",)

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return g, -g * ops.trunc_divide(a, b) if b.requires_grad else None

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.rem(x, y) if x.dtype.kind == "int" else b.fmod(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        self.checked(b)
        return np.fmod(a, b)


floor_quotient = FloorQuotient()
floor_divide = FloorDivide()
trunc_divide = TruncDivide()
remainder = Remainder()
fmod = Fmod()
