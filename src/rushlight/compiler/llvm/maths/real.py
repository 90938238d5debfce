"""What the functions are made of: formats, constants in parts, polynomials, powers of two."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ..text import I1, Function, Type, Value, const


class Format(NamedTuple):
    """How a floating point element lies in its bits.

    Attributes:
        integer: the integer element with as many bits.
        mantissa: bits of the fraction.
        bias: of the exponent.
    """

    integer: str
    mantissa: int
    bias: int

    @property
    def shifter(self) -> float:
        """Adding it rounds a small number to an integer, which then is in the lowest bits."""
        return 1.5 * 2.0**self.mantissa


FORMATS = {"float": Format("i32", 23, 127), "double": Format("i64", 52, 1023)}


def nearest(number: Fraction, element: str) -> float:
    """The number of a format that is closest."""
    if element == "double":
        return float(number)
    return float(struct.unpack("<f", struct.pack("<f", float(number)))[0])


def split(number: Fraction, element: str, count: int = 2) -> tuple[float, ...]:
    """A number as a sum of numbers of a format, each the nearest to what the ones before leave."""
    parts = []
    for _ in range(count):
        parts.append(nearest(number, element))
        number -= Fraction(parts[-1])
    return tuple(parts)


def split_down(number: Fraction, element: str, count: int = 2) -> tuple[float, ...]:
    """As :func:`split` for a positive number, with parts that are all positive."""
    parts = []
    for _ in range(count):
        _, exponent = math.frexp(number)
        step = Fraction(2) ** (exponent - FORMATS[element].mantissa - 1)
        parts.append(float(number // step * step))
        number -= Fraction(parts[-1])
    return tuple(parts)


LN2 = Fraction("0.69314718055994530941723212145817656807550013436025525412068")
LOG2E = Fraction("1.44269504088896340735992468100189213742664595415298593413545")
HALF_PI = Fraction("1.57079632679489661923132169163975144209858469968755291048747")


def polynomial(f: Function, x: Value, coefficients: Sequence[float]) -> Value:
    """The sum of ``coefficients[k] * x**k`` by Horner's rule."""
    total = const(coefficients[-1], x.type)
    for coefficient in reversed(coefficients[:-1]):
        total = f.intrinsic("fmuladd", total, x, const(coefficient, x.type))
    return total


def at_most(f: Function, x: Value, limit: float) -> Value:
    """The lesser of ``x`` and a limit; NaN stays NaN."""
    bound = const(limit, x.type)
    return f.select(f.compare("olt", bound, x), bound, x)


def at_least(f: Function, x: Value, limit: float) -> Value:
    """The greater of ``x`` and a limit; NaN stays NaN."""
    bound = const(limit, x.type)
    return f.select(f.compare("ogt", bound, x), bound, x)


def magnitude(f: Function, x: Value) -> Value:
    """``|x|``."""
    return f.intrinsic("fabs", x)


def signed(f: Function, x: Value, sign: Value) -> Value:
    """``x`` with the sign bit of another number."""
    return f.intrinsic("copysign", x, sign)


def plus(f: Function, x: Value, y: Value) -> Value:
    """``x + y``, never fused with what made an operand."""
    return f.binary("fadd", x, y)


def minus(f: Function, x: Value, y: Value) -> Value:
    """``x - y``, never fused with what made an operand."""
    return f.binary("fsub", x, y)


def times(f: Function, x: Value, y: Value) -> Value:
    """``x * y``, rounded before it is used."""
    return f.binary("fmul", x, y)


def some_lane(f: Function, condition: Value) -> Value:
    """Whether a condition holds in some lane."""
    if not condition.type.lanes:
        return condition
    return f.call(f"llvm.vector.reduce.or.{condition.type.suffix}", I1, condition)


def any_lane(f: Function, condition: Value) -> Value:
    """Whether a condition that hardly ever holds does so in some lane."""
    return f.call("llvm.expect.i1", I1, some_lane(f, condition), const(False, I1))


def to_bits(f: Function, x: Value) -> Value:
    """The bits of a number as an integer."""
    return f.convert("bitcast", x, FORMATS[x.type.element].integer)


def scaled(f: Function, x: Value, n: Value) -> Value:
    """``x * 2**n``, rounded once, for an integer ``n`` that is a float of a few hundred at most."""
    if has_registers(f, x.type):
        return _by_register(f, "scalef", x, n)
    form = FORMATS[x.type.element]
    shifter = const(form.shifter, x.type)
    whole = f.sub(to_bits(f, plus(f, n, shifter)), to_bits(f, shifter))
    half = f.binary("ashr", whole, const(1, whole.type))
    # 2**n alone may not be a normal number; the first product is exact, so rounding happens once.
    first = times(f, x, power_of_two(f, half, x.type.element))
    return times(f, first, power_of_two(f, f.sub(whole, half), x.type.element))


def power_of_two(f: Function, n: Value, element: str) -> Value:
    """``2**n`` of an integer, where that is a normal number."""
    form = FORMATS[element]
    biased = f.add(n, const(form.bias, n.type))
    bits = f.binary("shl", biased, const(form.mantissa, n.type))
    return f.convert("bitcast", bits, element)


def mantissa_and_exponent(f: Function, x: Value) -> tuple[Value, Value]:
    """``m`` between 3/4 and 3/2 and ``k``, an integer, with ``x = m * 2**k``, for ``x > 0``.

    Of 0, infinity, NaN and negative numbers the two make ``log(m) + k * log(2)`` what it should be.
    """
    if has_registers(f, x.type):
        m = _by_register(f, "getmant", x)
        return m, minus(f, _by_register(f, "getexp", x), _by_register(f, "getexp", m))
    form = FORMATS[x.type.element]
    least = const(2.0 ** (1 - form.bias), x.type)
    tiny = f.compare("olt", x, least)
    normal = f.select(tiny, times(f, x, const(2.0**form.mantissa, x.type)), x)
    bits = to_bits(f, normal)
    start = const(0.75, x.type)
    steps = f.sub(bits, to_bits(f, start))
    high = f.binary("and", steps, const(-1 << form.mantissa, bits.type))
    m = f.convert("bitcast", f.sub(bits, high), x.type.element)
    k = _small_integer(f, f.binary("ashr", steps, const(form.mantissa, bits.type)), x.type)
    k = minus(f, k, f.select(tiny, const(form.mantissa, x.type), const(0, x.type)))
    infinity = const(float("inf"), x.type)
    k = f.select(f.compare("oeq", x, infinity), infinity, k)
    k = f.select(f.compare("oeq", x, const(0, x.type)), const(float("-inf"), x.type), k)
    k = f.select(f.compare("ult", x, const(0, x.type)), const(float("nan"), x.type), k)
    return f.select(f.compare("one", f.intrinsic("fabs", k), infinity), m, const(1, x.type)), k


def _small_integer(f: Function, n: Value, type: Type) -> Value:
    """A small integer as a float; not every processor converts vectors of 64-bit integers."""
    shifter = const(FORMATS[type.element].shifter, type)
    moved = f.add(n, to_bits(f, shifter))
    return minus(f, f.convert("bitcast", moved, type.element), shifter)


# AVX-512 has instructions for scaling and for taking numbers apart, zeros, infinities and denormal
# numbers included. LLVM knows them for one register at a time.

_REGISTER = 512
_CURRENT_ROUNDING = Value("4", Type("i32"))
_IMMEDIATE = {"getmant": (Value("11", Type("i32")),)}  # 3/4 to 3/2, and NaN of a negative number


def has_registers(f: Function, type: Type) -> bool:
    """Whether a vector fills registers of AVX-512."""
    machine = f.module.machine
    whole = type.lanes > 0 and type.lanes * type.bits % _REGISTER == 0
    return whole and machine is not None and machine.has("avx512f")


def _by_register(f: Function, name: str, *operands: Value) -> Value:
    """An instruction of AVX-512 on every register of a wide vector."""
    type = operands[0].type
    lanes = _REGISTER // type.bits
    form = "ps" if type.element == "float" else "pd"
    part, everywhere = Type(type.element, lanes), Value("-1", Type(f"i{lanes}"))
    results = []
    for own in zip(*(registers_of(f, x) for x in operands)):
        listed = [*own, *_IMMEDIATE.get(name, ()), const(0, part), everywhere, _CURRENT_ROUNDING]
        results.append(f.call(f"llvm.x86.avx512.mask.{name}.{form}.512", part, *listed))
    return joined(f, results)


def registers_of(f: Function, x: Value) -> list[Value]:
    """The registers that hold a wide vector."""
    lanes = _REGISTER // x.type.bits
    starts = range(0, x.type.lanes, lanes)
    return [f.shuffle(x, x, range(start, start + lanes)) for start in starts]


def joined(f: Function, parts: list[Value]) -> Value:
    """Vectors one after the other, a power of two of them."""
    while len(parts) > 1:
        pairs = range(0, len(parts), 2)
        lanes = range(2 * parts[0].type.lanes)
        parts = [f.shuffle(parts[k], parts[k + 1], lanes) for k in pairs]
    return parts[0]
