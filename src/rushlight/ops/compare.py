"""Comparisons, logic, and choosing between two values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import ALL, bool_
from rushlight.base.errors import DTypeError
from rushlight.graph.node import Node
from rushlight.graph.spec import Spec

from .binary import Arithmetic
from .elementwise import PAIR, Elementwise, Plan
from .unary import REAL, Unary


class Comparison(Arithmetic):
    """True where two inputs stand in a relation. Abstract."""

    numbers = ("other",)
    result = "bool"
    dtypes = REAL
    differentiable = False

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make.int(3, 4, low=-2, high=2), make.int(4, low=-2, high=2)
        yield make.bool(5), make.bool(5)


class Eq(Comparison):
    """``input == other``."""

    name, torch, dtypes = "eq", "eq(Tensor self, Tensor other) -> Tensor", ALL

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.eq(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.equal(a, b)


class Ne(Comparison):
    """``input != other``."""

    name, torch, dtypes = "ne", (f"ne{PAIR}", f"not_equal{PAIR}"), ALL

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.ne(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.not_equal(a, b)


class Lt(Comparison):
    """``input < other``."""

    name, torch = "lt", (f"lt{PAIR}", f"less{PAIR}")

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.lt(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.less(a, b)


class Le(Comparison):
    """``input <= other``."""

    name, torch = "le", (f"le{PAIR}", f"less_equal{PAIR}")

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.le(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.less_equal(a, b)


class Gt(Comparison):
    """``input > other``."""

    name, torch = "gt", (f"gt{PAIR}", f"greater{PAIR}")

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.gt(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.greater(a, b)


class Ge(Comparison):
    """``input >= other``."""

    name, torch = "ge", (f"ge{PAIR}", f"greater_equal{PAIR}")

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.ge(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.greater_equal(a, b)


class Logical(Arithmetic):
    """Logic on truth values; every number but 0 is true. Abstract."""

    numbers = ()
    result = "bool"
    differentiable = False

    def samples(self, make: Any) -> Any:
        yield make.bool(3, 4), make.bool(4)
        yield make.int(3, 4, low=0, high=2), make.int(3, 1, low=0, high=2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make.bool(2), make.bool(3)), RuntimeError, "must match"


class LogicalAnd(Logical):
    """Whether both are true."""

    name, torch = "logical_and", "logical_and(Tensor self, Tensor other) -> Tensor"

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.and_(b.cast(x, bool_), b.cast(y, bool_))

    def ref(self, a: Any, b: Any) -> Any:
        return np.logical_and(a, b)


class LogicalOr(Logical):
    """Whether one or both are true."""

    name, torch = "logical_or", "logical_or(Tensor self, Tensor other) -> Tensor"

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.or_(b.cast(x, bool_), b.cast(y, bool_))

    def ref(self, a: Any, b: Any) -> Any:
        return np.logical_or(a, b)


class LogicalXor(Logical):
    """Whether exactly one is true."""

    name, torch = "logical_xor", "logical_xor(Tensor self, Tensor other) -> Tensor"

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.xor(b.cast(x, bool_), b.cast(y, bool_))

    def ref(self, a: Any, b: Any) -> Any:
        return np.logical_xor(a, b)


class Predicate(Unary):
    """A truth about each element. Abstract."""

    result = "bool"
    differentiable = False
    inplace = False


class LogicalNot(Predicate):
    """Whether it is false."""

    name, torch = "logical_not", "logical_not(Tensor self) -> Tensor"
    inplace = True

    def lower(self, b: Any, x: Any) -> Any:
        return b.not_(b.cast(x, bool_))

    def ref(self, x: Any) -> Any:
        return np.logical_not(x)


class Isnan(Predicate):
    """Whether it is not a number."""

    name, torch = "isnan", "isnan(Tensor self) -> Tensor"

    def lower(self, b: Any, x: Any) -> Any:
        return b.isnan(x)

    def ref(self, x: Any) -> Any:
        return np.isnan(x)


class Isinf(Predicate):
    """Whether it is infinite."""

    name, torch = "isinf", "isinf(Tensor self) -> Tensor"

    def lower(self, b: Any, x: Any) -> Any:
        if x.dtype.kind != "float":
            return b.const(False, bool_)
        return b.eq(b.abs(x), math.inf)

    def ref(self, x: Any) -> Any:
        return np.isinf(x)


class Isfinite(Predicate):
    """Whether it is neither infinite nor NaN."""

    name, torch = "isfinite", "isfinite(Tensor self) -> Tensor"

    def lower(self, b: Any, x: Any) -> Any:
        if x.dtype.kind != "float":
            return b.const(True, bool_)
        return b.lt(b.abs(x), math.inf)

    def ref(self, x: Any) -> Any:
        return np.isfinite(x)


class BitwiseNot(Unary):
    """``~input``: bit by bit on integers, logically on bools."""

    name, torch = "bitwise_not", "bitwise_not(Tensor self) -> Tensor"
    dtypes = tuple(dtype for dtype in ALL if dtype.kind in ("bool", "int"))
    differentiable = False

    def lower(self, b: Any, x: Any) -> Any:
        return b.not_(x)

    def ref(self, x: Any) -> Any:
        return np.bitwise_not(x)

    def samples(self, make: Any) -> Any:
        yield make.int(3, 4)
        yield make.bool(3)


class Where(Elementwise):
    """``input`` where the condition is true, ``other`` elsewhere."""

    name = "where"
    torch = "where(Tensor condition, Tensor self, Tensor other) -> Tensor"
    numbers = ("self", "other")
    inplace = False

    def __call__(self, condition: Any, x: Any = None, y: Any = None) -> Any:
        return super().__call__(condition, x, y)

    def _plan(self, args: tuple[Any, ...]) -> Plan:
        condition = args[0]
        if not isinstance(condition, Node) or condition.dtype is not bool_:
            found = type(condition).__name__
            if isinstance(condition, Node):
                name = ops.TORCH_NAMES[condition.dtype.name].strip("'")
                found = f"a tensor with dtype {name}"
            raise DTypeError(
                "where",
                f"where expected condition to be a boolean tensor, but got {found}",
                hint="Compare first, as in condition != 0.",
            )
        # The condition decides nothing about the dtype: it takes part as a 0-d bool.
        plan = super()._plan(args)
        return plan._replace(casts=(False, *plan.casts[1:]))

    def infer(self, *specs: Spec) -> Spec:
        return super().infer(*specs).with_dtype(specs[1].dtype)

    def vjp(self, g: Node, y: Node, c: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return (
            None,
            ops.where(c, g, 0.0) if a.requires_grad else None,
            ops.where(c, 0.0, g) if b.requires_grad else None,
        )

    def lower(self, b: Any, c: Any, x: Any, y: Any) -> Any:
        return b.select(c, x, y)

    def ref(self, c: Any, a: Any, b: Any) -> Any:
        return np.where(c, a, b)

    def samples(self, make: Any) -> Any:
        yield make.bool(3, 4), make(3, 4), make(4)
        yield make.bool(3, 1), make(3, 4), 0.5
        yield make.bool(0), make(0), make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(3), make(3)), RuntimeError, "boolean"
        yield lambda: make.call(make.bool(3), make(2), make(3)), RuntimeError, "must match"


eq = Eq()
ne = Ne()
lt = Lt()
le = Le()
gt = Gt()
ge = Ge()
logical_and = LogicalAnd()
logical_or = LogicalOr()
logical_xor = LogicalXor()
logical_not = LogicalNot()
isnan = Isnan()
isinf = Isinf()
isfinite = Isfinite()
bitwise_not = BitwiseNot()
where = Where()
