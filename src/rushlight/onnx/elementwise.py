"""Operations that compute each element from one element of their inputs.

Such an operation says how a kernel computes an element (``lower`` or ``element``); the same
expression over whole tensors is what it is in ONNX.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rushlight.base.dtypes import DType, bool_
from rushlight.compiler.body import Body
from rushlight.compiler.expr import Expr, parts
from rushlight.compiler.index import Axis, Index
from rushlight.graph.op import Op

from .values import Value
from .writer import Declined, Writer

NAMES = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "pow": "Pow", "minimum": "Min",
    "maximum": "Max", "eq": "Equal", "lt": "Less", "le": "LessOrEqual", "gt": "Greater",
    "ge": "GreaterOrEqual", "neg": "Neg", "abs": "Abs", "exp": "Exp", "log": "Log", "sqrt": "Sqrt",
    "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan",
    "sinh": "Sinh", "cosh": "Cosh", "tanh": "Tanh", "asinh": "Asinh", "acosh": "Acosh",
    "atanh": "Atanh", "sigmoid": "Sigmoid", "erf": "Erf", "floor": "Floor", "ceil": "Ceil",
    "rint": "Round", "select": "Where", "rounded": "Identity", "mod": "Mod",
}  # fmt: skip
"""Functions of kernels that are ONNX operators."""


class Given:
    """An input of an operation as its rule sees it: its elements stand for the whole."""

    def __init__(self, place: int, value: Value, index: tuple[Index, ...]) -> None:
        self.shape, self.dtype, self.ndim = value.shape, value.dtype, value.ndim
        self._index = index
        self._expr = Expr.of("given", value.dtype, (), (place,))

    def at(self, *index: Any, when: Any = None, otherwise: float = 0) -> Expr:
        """Its element at the result's own place; any other is no matter of whole tensors."""
        if (
            when is not None
            or tuple(map(Index.of, index)) != self._index[len(self._index) - len(index) :]
        ):
            raise Declined("an element is made of elements at other places")
        return self._expr

    def spread(self, index: Any) -> Expr:
        """Its element where a broadcast result has ``index``."""
        if tuple(index) != self._index:
            raise Declined("an element is made of elements at other places")
        return self._expr


def by_element(
    to: Writer, op: Op, values: Sequence[Value], shape: Sequence[Any], attrs: dict[str, Any]
) -> str:
    """Writes an operation by the expression of its elements."""
    if broadcast([x.shape for x in values]) != tuple(shape):
        raise Declined("it has no counterpart there")
    index = tuple(Index.of(Axis(1 << 30)) for _ in shape)
    given = [Given(k, value, index) for k, value in enumerate(values)]
    expr: Expr = op.element(Whole(), index, *given, **attrs)
    written: str = Expression(to, values).written(expr)
    read = [values[part.attrs[0]].shape for part in parts(expr) if part.op == "given"]
    return written if broadcast(read) == tuple(shape) else to("Expand", written, shape)


class Whole(Body):
    """The vocabulary of kernels, but nothing is checked: who runs ONNX does that."""

    def checked(self, x: Expr, condition: Expr) -> Expr:
        return x


def broadcast(shapes: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    """The shape that tensors of these shapes broadcast to."""
    rank = max((len(shape) for shape in shapes), default=0)
    columns = zip(*[(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes], strict=True)
    return tuple(next((n for n in sizes if n != 1), 1) for sizes in columns)


class Expression:
    """Writes an expression of a kernel with whole tensors in the place of their elements."""

    def __init__(self, to: Writer, values: Sequence[Value]) -> None:
        self.to, self.values = to, values
        self._done: dict[Expr, str] = {}

    def written(self, x: Expr) -> str:
        """The name of the result."""
        if x not in self._done:
            self._done[x] = self._one(x)
        return self._done[x]

    def special(self, x: Expr) -> str | None:
        """What is not a function of elements."""
        return None

    def _one(self, x: Expr) -> str:
        if x.op == "given":
            return self.values[x.attrs[0]].name
        if x.op == "const":
            return self.to.constant(np.asarray(x.attrs[0]).astype(x.dtype.numpy))
        special = self.special(x)
        if special is not None:
            return special
        args = [self.written(each) for each in x.args]
        if x.op == "cast":
            return self.to.cast(args[0], x.dtype)
        if x.op == "ne" and x.args[0] is x.args[1]:
            return self.to("IsNaN", args[0])
        kind = x.args[0].dtype if x.args else x.dtype
        made = PARTS[x.op](self.to, kind, *args) if x.op in PARTS else None
        if made is None:
            if x.op not in NAMES:
                raise Declined(f"ONNX has no {x.op} of {kind}")
            made = self.to(NAMES[x.op], *args)
        return made


# Functions by parts. Each is called with the writer, the dtype of the operands and their names, and
# gives None where ONNX has an operator of its own for this dtype.

Part = Callable[..., str | None]


def _const(to: Writer, dtype: DType, number: float) -> np.ndarray:
    if dtype.is_half:
        raise Declined(f"a constant of {dtype} is not written yet")
    return np.asarray(number).astype(dtype.numpy)


def _truth(names: dict[str, str], bits: str) -> Part:
    def part(to: Writer, dtype: DType, *args: str) -> str | None:
        if dtype is bool_:
            return to(names["bool"], *args)
        to.needs(18, bits)
        return to(bits, *args)

    return part


def _arithmetic(kind: str, of_bools: str) -> Part:
    def part(to: Writer, dtype: DType, *args: str) -> str | None:
        return to(of_bools if dtype is bool_ else kind, *args)

    return part


def _ne(to: Writer, dtype: DType, x: str, y: str) -> str:
    return to("Not", to("Equal", x, y))


def _trunc(to: Writer, dtype: DType, x: str) -> str:
    below = to("Less", x, _const(to, dtype, 0))
    return to("Where", below, to("Ceil", x), to("Floor", x))


def _truncdiv(to: Writer, dtype: DType, x: str, y: str) -> str:
    quotient: str = to("Div", x, y)
    return quotient if dtype.kind == "int" else _trunc(to, dtype, quotient)


def _floordiv(to: Writer, dtype: DType, x: str, y: str) -> str:
    quotient = to("Div", x, y)
    if dtype.kind != "int":
        return to("Floor", quotient)
    zero = _const(to, dtype, 0)
    rest = to("Sub", x, to("Mul", quotient, y))
    apart = to("Xor", to("Less", rest, zero), to("Less", y, zero))
    down = to("And", to("Not", to("Equal", rest, zero)), apart)
    lower = to("Sub", quotient, _const(to, dtype, 1))
    return to("Where", down, lower, quotient)


def _fmod(to: Writer, dtype: DType, x: str, y: str) -> str:
    return to("Mod", x, y, fmod=1)


def _mod(to: Writer, dtype: DType, x: str, y: str) -> str | None:
    if dtype.kind == "int":
        return None
    rest, zero = _fmod(to, dtype, x, y), _const(to, dtype, 0)
    apart = to("Xor", to("Less", rest, zero), to("Less", y, zero))
    up = to("And", to("Not", to("Equal", rest, zero)), apart)
    return to("Where", up, to("Add", rest, y), rest)


def _without_nan(kind: str) -> Part:
    def part(to: Writer, dtype: DType, x: str, y: str) -> str:
        made: str = to(kind, x, y)
        if dtype.kind != "float":
            return made
        made = to("Where", to("IsNaN", x), y, made)
        return to("Where", to("IsNaN", y), x, made)

    return part


def _small(to: Writer, dtype: DType, x: str) -> str:
    """Whether a number is near 0, where a difference from 1 has lost its digits."""
    return to("Less", to("Abs", x), _const(to, dtype, 0.5))


def _expm1(to: Writer, dtype: DType, x: str) -> str:
    # 2 t / (1 - t) with t = tanh(x / 2)
    half = to("Tanh", to("Mul", x, _const(to, dtype, 0.5)))
    one = _const(to, dtype, 1)
    near = to("Div", to("Add", half, half), to("Sub", one, half))
    return to("Where", _small(to, dtype, x), near, to("Sub", to("Exp", x), one))


def _log1p(to: Writer, dtype: DType, x: str) -> str:
    # 2 atanh(x / (x + 2))
    near = to("Atanh", to("Div", x, to("Add", x, _const(to, dtype, 2))))
    far = to("Log", to("Add", x, _const(to, dtype, 1)))
    return to("Where", _small(to, dtype, x), to("Add", near, near), far)


def _log_to(base: float) -> Part:
    def part(to: Writer, dtype: DType, x: str) -> str:
        return to("Mul", to("Log", x), _const(to, dtype, 1 / math.log(base)))

    return part


def _exp2(to: Writer, dtype: DType, x: str) -> str:
    return to("Pow", _const(to, dtype, 2), x)


def _rsqrt(to: Writer, dtype: DType, x: str) -> str:
    return to("Reciprocal", to("Sqrt", x))


def _erfc(to: Writer, dtype: DType, x: str) -> str:
    return to("Sub", _const(to, dtype, 1), to("Erf", x))


def _negative(to: Writer, dtype: DType, x: str) -> str:
    """Whether the sign is minus, that of -0 included."""
    zero = _const(to, dtype, 0)
    if dtype.kind != "float":
        return to("Less", x, zero)
    minus_zero = to("And", to("Equal", x, zero), to("Less", to("Reciprocal", x), zero))
    return to("Or", to("Less", x, zero), minus_zero)


def _copysign(to: Writer, dtype: DType, x: str, y: str) -> str:
    size = to("Abs", x)
    return to("Where", _negative(to, dtype, y), to("Neg", size), size)


def _atan2(to: Writer, dtype: DType, y: str, x: str) -> str:
    zero = _const(to, dtype, 0)
    plain = to("Atan", to("Div", y, x))
    turn = _copysign(to, dtype, to("Identity", _const(to, dtype, math.pi)), y)
    left = to("Where", _negative(to, dtype, x), to("Add", plain, turn), plain)
    beside = to("Mul", turn, _const(to, dtype, 0.5))
    none = to("Where", _negative(to, dtype, x), turn, y)
    upright = to("Where", to("Equal", y, zero), none, beside)
    return to("Where", to("Equal", x, zero), upright, left)


def _hypot(to: Writer, dtype: DType, x: str, y: str) -> str:
    return to("Sqrt", to("Add", to("Mul", x, x), to("Mul", y, y)))


def _fma(to: Writer, dtype: DType, x: str, y: str, z: str) -> str:
    return to("Add", to("Mul", x, y), z)


def _compared(kind: str) -> Part:
    """Order of truth values, for which ONNX has none."""

    def part(to: Writer, dtype: DType, x: str, y: str) -> str | None:
        if dtype is not bool_:
            return None
        numbers = [to.cast(each, _INT32) for each in (x, y)]
        made = to(kind, *numbers)
        return to.cast(made, bool_) if kind in ("Min", "Max") else made

    return part


def _shifted(sign: int) -> Part:
    """Shifts are multiplications by powers of 2; those to the right round down."""

    def part(to: Writer, dtype: DType, x: str, y: str) -> str:
        power = to.cast(to("Pow", _const(to, _FLOAT64, 2), to.cast(y, _FLOAT64)), dtype)
        return to("Mul", x, power) if sign > 0 else _floordiv(to, dtype, x, power)

    return part


from rushlight.base.dtypes import float64 as _FLOAT64  # noqa: E402
from rushlight.base.dtypes import int32 as _INT32  # noqa: E402

PARTS: dict[str, Part] = {
    "add": _arithmetic("Add", "Or"), "mul": _arithmetic("Mul", "And"),
    "and_": _truth({"bool": "And"}, "BitwiseAnd"), "or_": _truth({"bool": "Or"}, "BitwiseOr"),
    "xor": _truth({"bool": "Xor"}, "BitwiseXor"), "not_": _truth({"bool": "Not"}, "BitwiseNot"),
    "ne": _ne, "trunc": _trunc, "truncdiv": _truncdiv, "floordiv": _floordiv, "fmod": _fmod,
    "rem": _fmod, "mod": _mod, "fmin": _without_nan("Min"), "fmax": _without_nan("Max"),
    "expm1": _expm1, "log1p": _log1p, "log2": _log_to(2), "log10": _log_to(10), "exp2": _exp2,
    "rsqrt": _rsqrt, "erfc": _erfc, "copysign": _copysign, "atan2": _atan2, "hypot": _hypot,
    "fma": _fma, "shl": _shifted(1), "shr": _shifted(-1), "lt": _compared("Less"),
    "le": _compared("LessOrEqual"), "gt": _compared("Greater"), "ge": _compared("GreaterOrEqual"),
    "minimum": _compared("Min"), "maximum": _compared("Max"),
}  # fmt: skip
