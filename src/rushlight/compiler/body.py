"""Body: the vocabulary in which an operation says how an element of its result is computed.

``op.lower(b, *values)`` of an elementwise operation gets expressions and returns one;
``op.element(b, index, *inputs, **attrs)`` of any other gets the place of an element, one Index for
each dimension, and reads its inputs with ``x.at(...)``. ``b`` is a Body.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from rushlight.base.dtypes import DType, bool_, float32, int64

from .expr import Expr, constant, position
from .index import Axis, Index, Like, Looked

Number = bool | int | float
Operand: TypeAlias = Expr | bool | int | float

ARITHMETIC = (
    "add", "sub", "mul", "div", "floordiv", "truncdiv", "mod", "rem", "pow", "minimum", "maximum",
    "fmin", "fmax", "fmod", "atan2", "hypot", "copysign", "and_", "or_", "xor", "shl", "shr",
    "mulhi32",
)  # fmt: skip
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
FUNCTIONS = (
    "neg", "abs", "not_", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt",
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
    "sigmoid", "erf", "erfc", "erfinv", "floor", "ceil", "trunc", "rint", "rounded",
)  # fmt: skip
REDUCTIONS = ("sum", "prod", "min", "max", "any", "all", "argmin", "argmax")


class Body:
    """Makes expressions.

    Operands are expressions of one dtype; a Python number takes the dtype of the others. What a
    function means for special values is what PyTorch's operation of the same name does: minimum and
    maximum give NaN if either is, fmin and fmax do not; floordiv and mod round down, truncdiv and
    rem towards zero; div is of floating point; shifts are arithmetic; a power of integers wants an
    exponent of at least 0; and_, or_, xor, not_ take bools and integers; mulhi32 is the upper half
    of the product of two numbers of 32 bits, which 64-bit integers hold. Integer division by 0
    gives an unspecified number and no trap. A product may be added to something without being
    rounded before, except where it is ``rounded``.
    """

    def __init__(self) -> None:
        # Every lookup is checked, one whose result is known anyway included.
        self.lookups: list[Looked] = []

    # Constants and conversions ---------------------------------------------------------------

    def const(self, number: Number, dtype: DType) -> Expr:
        """A constant."""
        return constant(number, dtype)

    def cast(self, x: Expr, dtype: DType) -> Expr:
        """A number in another type, as ``Tensor.to``: towards zero, wrapping, not 0 is True."""
        return x if x.dtype is dtype else Expr.of("cast", dtype, (x,))

    def bits(self, x: Expr, dtype: DType) -> Expr:
        """The same bits as another type of the same size."""
        return x if x.dtype is dtype else Expr.of("bits", dtype, (x,))

    # Functions -------------------------------------------------------------------------------

    def fma(self, x: Operand, y: Operand, z: Operand) -> Expr:
        """``x * y + z``, rounded once."""
        args = _alike(x, y, z)
        return Expr.of("fma", args[0].dtype, args)

    def select(self, condition: Operand, x: Operand, y: Operand) -> Expr:
        """``x`` where the condition holds, else ``y``; both are computed."""
        x, y = _alike(x, y)
        if not isinstance(condition, Expr):
            return x if condition else y
        if condition.op == "const":
            return x if condition.attrs[0] else y
        if x.op == "select" and x.args[0] is condition:  # what was read under the same condition
            x = x.args[1]
        return x if x is y else Expr.of("select", x.dtype, (condition, x, y))

    def isnan(self, x: Expr) -> Expr:
        """Whether a number is NaN."""
        return Expr.of("ne", bool_, (x, x))

    def checked(self, x: Expr, condition: Expr) -> Expr:
        """``x``, where a condition must hold; else the operation's reference is run to refuse it.

        It is an index that is out of range where the condition fails, since those are checked.
        """
        fault = self.select(condition, constant(0, int64), constant(1, int64))
        if fault.op == "const":
            return x
        nothing = position(self.index(fault, 1))
        return self.select(Expr.of("eq", bool_, (nothing, constant(0, int64))), x, 0)

    # Indices ---------------------------------------------------------------------------------

    def value(self, index: Like, dtype: DType = int64) -> Expr:
        """An index as a number."""
        return self.cast(position(Index.of(index)), dtype)

    def index(self, x: Expr, size: int) -> Index:
        """A number as an index; the operation has checked that it is 0 <= x < size."""
        if x.op == "const":
            return Index((), int(x.attrs[0]))
        if x.op == "index":
            return x.attrs[0]  # type: ignore[no-any-return]
        if x.reductions:  # short ones, or they would be in memory; an index has no loops
            from .reductions import written_out

            x = written_out(x, loops=False)
        looked = Looked(x, size)
        self.lookups.append(looked)
        return Index(((looked, 1),))

    def inside(self, index: Like, low: int, high: int) -> Expr:
        """Whether ``low <= index < high``; a constant when that is always or never so."""
        index = Index.of(index)
        least, most = index.limits
        if high <= low or most < low or least >= high:
            return constant(False, bool_)
        place = position(index)
        if high == low + 1:
            same = Expr.of("eq", bool_, (place, constant(low, int64)))
            return constant(True, bool_) if least == most else same
        conditions = []
        if least < low:
            conditions.append(Expr.of("ge", bool_, (place, constant(low, int64))))
        if most >= high:
            conditions.append(Expr.of("lt", bool_, (place, constant(high, int64))))
        return self.all(conditions)

    def all(self, conditions: Sequence[Expr]) -> Expr:
        """Whether every condition holds."""
        together = constant(True, bool_)
        for condition in conditions:
            together = _both(together, condition)
        return together

    # Reductions ------------------------------------------------------------------------------

    def reduce(self, how: str, extents: Sequence[int], body: Callable[..., Expr]) -> Expr:
        """``body`` over every combination of indices, brought together.

        Args:
            how: ``sum``, ``prod``, ``min``, ``max`` (NaN wins), ``any``, ``all``, or ``argmin``,
                ``argmax`` over one axis: the index, int64, of the first least or greatest or NaN.
            extents: how far each index runs.
            body: gets one Index for each extent.
        """
        loops = [Axis(extent, "r") if extent != 1 else None for extent in extents]
        inner = body(*(Index() if axis is None else Index.of(axis) for axis in loops))
        axes = tuple(axis for axis in loops if axis is not None)
        if not axes:
            return constant(0, int64) if how.startswith("arg") else inner
        dtype = int64 if how.startswith("arg") else inner.dtype
        return Expr.of("reduce", dtype, (inner,), (how, axes))

    def __getattr__(self, name: str) -> Callable[..., Expr]:
        raise AttributeError(f"a Body has no function {name}")


def _alike(*operands: Operand) -> tuple[Expr, ...]:
    """Operands as expressions of one dtype."""
    dtype = next((x.dtype for x in operands if isinstance(x, Expr)), float32)
    return tuple(x if isinstance(x, Expr) else constant(x, dtype) for x in operands)


def _both(x: Expr, y: Expr) -> Expr:
    """``x and y``, simplified when one is known."""
    for known, other in ((x, y), (y, x)):
        if known.op == "const":
            return other if known.attrs[0] else known
    return x if x is y else Expr.of("and_", bool_, (x, y))


def _function(name: str, arity: int, *, compares: bool) -> Callable[..., Expr]:
    def apply(self: Body, *operands: Operand) -> Expr:
        if len(operands) != arity:
            raise TypeError(f"{name} takes {arity} operands, got {len(operands)}")
        args = _alike(*operands)
        return Expr.of(name, bool_ if compares else args[0].dtype, args)

    apply.__name__ = name
    return apply


for _name in ARITHMETIC:
    setattr(Body, _name, _function(_name, 2, compares=False))
for _name in COMPARISONS:
    setattr(Body, _name, _function(_name, 2, compares=True))
for _name in FUNCTIONS:
    setattr(Body, _name, _function(_name, 1, compares=False))
