"""Instructions for every function that an expression may hold, one entry each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight.base.dtypes import ALL, DType, bfloat16, bool_, float16, float32
from rushlight.compiler.body import FUNCTIONS as OF_ONE
from rushlight.compiler.expr import Expr

from . import maths
from .text import I1, Function, Value, const

ELEMENTS: dict[Any, str] = {}
"""The element in which a dtype is computed with; bfloat16 only passes through, as bits."""

MEMORY: dict[Any, str] = {}
"""The element in which a dtype lies in memory."""


_SHORT = {"float32": "float", "float64": "double", "float16": "half", "bfloat16": "i16"}
for _dtype in ALL:
    if not _dtype.is_complex:
        MEMORY[_dtype] = _SHORT.get(_dtype.name) or f"i{_dtype.itemsize * 8}"
        ELEMENTS[_dtype] = "i1" if _dtype is bool_ else MEMORY[_dtype]

Write = Callable[..., Value]
"""Takes the function being written, the expression and its operands."""

FUNCTIONS: dict[str, Write] = {}


def writes(*names: str) -> Callable[[Write], Write]:
    """Enters a function into the table."""

    def enter(write: Write) -> Write:
        FUNCTIONS.update(dict.fromkeys(names, write))
        return write

    return enter


# Arithmetic -------------------------------------------------------------------------------------


@writes("add")
def _add(f: Function, x: Expr, a: Value, b: Value) -> Value:
    return f.binary("or", a, b) if x.dtype is bool_ else f.add(a, b)


@writes("sub")
def _sub(f: Function, x: Expr, a: Value, b: Value) -> Value:
    return f.binary("xor", a, b) if x.dtype is bool_ else f.sub(a, b)


@writes("mul")
def _mul(f: Function, x: Expr, a: Value, b: Value) -> Value:
    return f.binary("and", a, b) if x.dtype is bool_ else f.mul(a, b)


@writes("div")
def _div(f: Function, x: Expr, a: Value, b: Value) -> Value:
    return f.binary("fdiv", a, b)


@writes("fma")
def _fma(f: Function, x: Expr, a: Value, b: Value, c: Value) -> Value:
    return f.fma(a, b, c)


@writes("rounded")
def _rounded(f: Function, x: Expr, a: Value) -> Value:
    return f.intrinsic("arithmetic.fence", a) if a.type.is_float else a


@writes("neg")
def _neg(f: Function, x: Expr, a: Value) -> Value:
    return f.neg(a)


@writes("abs")
def _abs(f: Function, x: Expr, a: Value) -> Value:
    if a.type.is_float:
        return f.intrinsic("fabs", a)
    if not x.dtype.is_signed:
        return a
    return f.call(f"llvm.abs.{a.type.suffix}", a.type, a, const(False, I1))


@writes("minimum", "maximum")
def _extremum(f: Function, x: Expr, a: Value, b: Value) -> Value:
    if a.type.is_float:  # the intrinsics of the same name give NaN if either is
        return f.intrinsic(x.op, a, b)
    if x.dtype is bool_:
        return f.binary("and" if x.op == "minimum" else "or", a, b)
    sign = "s" if x.dtype.is_signed else "u"
    return f.intrinsic(sign + x.op[:3], a, b)


@writes("fmin", "fmax")
def _number_extremum(f: Function, x: Expr, a: Value, b: Value) -> Value:
    return f.intrinsic("minnum" if x.op == "fmin" else "maxnum", a, b)


# Integers and bits ------------------------------------------------------------------------------


@writes("and_", "or_", "xor")
def _bits(f: Function, x: Expr, a: Value, b: Value) -> Value:
    return f.binary(x.op.rstrip("_"), a, b)


@writes("not_")
def _not(f: Function, x: Expr, a: Value) -> Value:
    return f.binary("xor", a, const(True if x.dtype is bool_ else -1, a.type))


@writes("shl", "shr")
def _shift(f: Function, x: Expr, a: Value, b: Value) -> Value:
    op = "shl" if x.op == "shl" else "ashr" if x.dtype.is_signed else "lshr"
    bits = a.type.bits
    inside = f.compare("ult", b, const(bits, b.type))
    shifted = f.binary(op, a, f.select(inside, b, const(0, b.type)))
    if op == "ashr":
        return f.select(inside, shifted, f.binary(op, a, const(bits - 1, a.type)))
    return f.select(inside, shifted, const(0, a.type))


@writes("mulhi32")
def _mulhi32(f: Function, x: Expr, a: Value, b: Value) -> Value:
    low = const(0xFFFFFFFF, a.type)
    product = f.mul(f.binary("and", a, low), f.binary("and", b, low))
    return f.binary("lshr", product, const(32, a.type))


@writes("floordiv", "truncdiv", "mod", "rem")
def _divided(f: Function, x: Expr, a: Value, b: Value) -> Value:
    """Integer division. The processor traps at a divisor of 0, and at -1 for the least integer."""
    one, zero = const(1, a.type), const(0, a.type)
    divisor = f.select(f.compare("eq", b, zero), one, b)
    if not x.dtype.is_signed:
        return f.binary("udiv" if x.op in ("floordiv", "truncdiv") else "urem", a, divisor)
    negates = f.compare("eq", b, const(-1, a.type))
    divisor = f.select(negates, one, divisor)
    quotient = f.binary("sdiv", a, divisor)
    rest = f.sub(a, f.mul(quotient, divisor))
    quotient = f.select(negates, f.neg(a), quotient)
    if x.op in ("truncdiv", "rem"):
        return quotient if x.op == "truncdiv" else rest
    apart = f.compare("slt", f.binary("xor", rest, b), zero)
    uneven = f.binary("and", f.compare("ne", rest, zero), apart)
    if x.op == "mod":
        return f.select(uneven, f.add(rest, b), rest)
    return f.select(uneven, f.sub(quotient, one), quotient)


# Choices ----------------------------------------------------------------------------------------

_ORDERS = {"eq": "oeq", "ne": "une", "lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge"}


@writes(*_ORDERS)
def _compare(f: Function, x: Expr, a: Value, b: Value) -> Value:
    if a.type.is_float:
        return f.compare(_ORDERS[x.op], a, b)
    signed = x.args[0].dtype.is_signed
    how = x.op if x.op in ("eq", "ne") else ("s" if signed else "u") + x.op
    return f.compare(how, a, b)


@writes("select")
def _select(f: Function, x: Expr, condition: Value, a: Value, b: Value) -> Value:
    return f.select(condition, a, b)


# Conversions ------------------------------------------------------------------------------------


@writes("cast")
def _cast(f: Function, x: Expr, a: Value) -> Value:
    return convert(f, a, x.args[0].dtype, x.dtype)


@writes("bits")
def _reinterpreted(f: Function, x: Expr, a: Value) -> Value:
    return f.convert("bitcast", a, ELEMENTS[x.dtype])


def convert(f: Function, a: Value, old: DType, new: DType) -> Value:
    """A number in another type; out of range as the processor has it, as PyTorch."""
    if old is new:
        return a
    if old is bfloat16:
        wide = f.convert("zext", a, "i32")
        shifted = f.binary("shl", wide, const(16, wide.type))
        a, old = f.convert("bitcast", shifted, "float"), float32
        return convert(f, a, old, new)
    if new is bfloat16:
        return _to_bfloat16(f, convert(f, a, old, float32))
    element = ELEMENTS[new]
    if new is bool_:
        return f.compare("une" if a.type.is_float else "ne", a, const(0, a.type))
    if a.type.is_float and new.kind == "float":
        wider = const(0, a.type.of(element)).type.bits > a.type.bits
        return f.convert("fpext" if wider else "fptrunc", a, element)
    if a.type.is_float:
        return _to_integer(f, a, new)
    if new.kind == "float":
        return f.convert("sitofp" if old.is_signed else "uitofp", a, element)
    if a.type.bits == new.itemsize * 8:
        return a
    if a.type.bits > new.itemsize * 8:
        return f.convert("trunc", a, element)
    return f.convert("sext" if old.is_signed else "zext", a, element)


def _to_integer(f: Function, a: Value, new: DType) -> Value:
    """Towards zero. Through 64 bits where there are fewer than 32, as C compilers do it.

    What does not fit is the least integer, as the processor's instruction has it.
    """
    element = "i32" if new.itemsize <= 4 and new.is_signed else "i64"
    least, most = (-(2.0**31), 2.0**31) if element == "i32" else (-(2.0**63), 2.0**63)
    fits = f.binary(
        "and", f.compare("oge", a, const(least, a.type)), f.compare("olt", a, const(most, a.type))
    )
    safe = f.select(fits, a, const(0, a.type))
    found = f.convert("fptosi", safe, element)
    lowest = -(1 << 31) if element == "i32" else -(1 << 63)
    found = f.select(fits, found, const(lowest, found.type))
    own = ELEMENTS[new]
    return found if own == element else f.convert("trunc", found, own)


def _to_bfloat16(f: Function, a: Value) -> Value:
    """The upper half of a float's bits, rounded to the nearest, ties to even; NaN stays NaN."""
    whole = f.convert("bitcast", a, "i32")
    sixteen = const(16, whole.type)
    odd = f.binary("and", f.binary("lshr", whole, sixteen), const(1, whole.type))
    rounded = f.add(whole, f.add(odd, const(0x7FFF, whole.type)))
    quiet = f.binary("or", whole, const(0x400000, whole.type))
    chosen = f.select(f.compare("uno", a, a), quiet, rounded)
    return f.convert("trunc", f.binary("lshr", chosen, sixteen), "i16")


def stored(f: Function, a: Value, dtype: DType) -> Value:
    """A result as memory holds it."""
    if dtype is bool_:
        return f.convert("zext", a, "i8")
    if dtype is float16 and a.type.element == "float":
        return f.convert("fptrunc", a, "half")
    if dtype is bfloat16 and a.type.element == "float":
        return _to_bfloat16(f, a)
    return a


@writes("sqrt", "floor", "ceil", "trunc", "rint")
def _exact(f: Function, x: Expr, a: Value) -> Value:
    return f.intrinsic(x.op, a) if a.type.is_float else a


# Functions of mathematics -----------------------------------------------------------------------


@writes("pow")
def _pow(f: Function, x: Expr, a: Value, b: Value) -> Value:
    return maths.pow(f, a, b) if a.type.is_float else maths.integer_power(f, a, b)


def _mathematical(name: str) -> Write:
    def write(f: Function, x: Expr, *operands: Value) -> Value:
        return getattr(maths, name)(f, *operands)  # type: ignore[no-any-return]

    return write


for _name in (*OF_ONE, "fmod", "atan2", "hypot", "copysign"):
    FUNCTIONS.setdefault(_name, _mathematical(_name))
