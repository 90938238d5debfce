"""Logarithms: log, log2, log10, log1p.

``x = m 2**k`` with m between 3/4 and 3/2 and an integer k; then ``log(x) = k log(2) + log(m)``.
"""

from __future__ import annotations

from fractions import Fraction

from ..text import Function, Value, const
from . import polynomials as P
from .real import (
    FORMATS,
    LN2,
    LOG2E,
    magnitude,
    mantissa_and_exponent,
    minus,
    plus,
    polynomial,
    power_of_two,
    split,
    split_down,
    times,
    to_bits,
)  # fmt: skip

LOG10_2 = Fraction("0.30102999566398119521373889472449302676818988146210854131")
LOG10_E = Fraction("0.43429448190325182765112891891660508229439700580366656611445")


def log_near_1(f: Function, u: Value) -> tuple[Value, Value]:
    """``log(1 + u)`` for u between -1/4 and 1/2, as ``u`` and what is to be added to it."""
    if u.type.element == "float":
        return u, times(f, times(f, u, u), polynomial(f, u, P.LOG_FLOAT))
    # log(1 + u) = 2 atanh(s) with s = u / (2 + u), and 2 s = u - s u exactly.
    s = f.binary("fdiv", u, plus(f, u, const(2, u.type)))
    square = times(f, s, s)
    tail = times(f, square, polynomial(f, square, P.ATANH_DOUBLE))
    # s u is u**2 / 2 - s u**2 / 2, whose first part is nearly exact.
    half = times(f, times(f, u, u), const(0.5, u.type))
    return u, f.fma(s, plus(f, half, tail), f.neg(half))


def _log(f: Function, k: Value, u: Value) -> Value:
    """``k log(2) + log(1 + u)``."""
    first, rest = log_near_1(f, u)
    high, low = split(LN2, u.type.element)
    if u.type.element == "float":  # log(2) is so close to a float that its rest does not count
        return f.fma(k, const(high, u.type), plus(f, first, rest))
    rest = f.fma(k, const(low, u.type), rest)
    return f.fma(k, const(high, u.type), plus(f, first, rest))


def log(f: Function, x: Value) -> Value:
    """The natural logarithm; -inf of 0, NaN below."""
    m, k = mantissa_and_exponent(f, x)
    return _log(f, k, minus(f, m, const(1, x.type)))


def log2(f: Function, x: Value) -> Value:
    """The logarithm to base 2."""
    m, k = mantissa_and_exponent(f, x)
    y = plus(f, *log_near_1(f, minus(f, m, const(1, x.type))))
    high, low = split(LOG2E, x.type.element)
    return f.fma(y, const(high, x.type), f.fma(y, const(low, x.type), k))


def log10(f: Function, x: Value) -> Value:
    """The logarithm to base 10."""
    m, k = mantissa_and_exponent(f, x)
    y = plus(f, *log_near_1(f, minus(f, m, const(1, x.type))))
    # Both parts are positive, so that an infinite k stays what it is.
    high, low = split_down(LOG10_2, x.type.element)
    factor, more = split(LOG10_E, x.type.element)
    rest = f.fma(y, const(more, x.type), times(f, k, const(low, x.type)))
    rest = f.fma(y, const(factor, x.type), rest)
    return f.fma(k, const(high, x.type), rest)


def log1p(f: Function, x: Value) -> Value:
    """``log(1 + x)``, exact near 0."""
    one = const(1, x.type)
    total = plus(f, x, one)
    m, k = mantissa_and_exponent(f, total)
    # What rounding took from 1 + x, found exactly by starting from the greater of the two.
    from_one, from_x = minus(f, x, minus(f, total, one)), minus(f, one, minus(f, total, x))
    lost = f.select(f.compare("olt", x, one), from_one, from_x)
    # It goes back into m in its scale, 2**-k; without any where k is large or not finite.
    element = x.type.element
    form = FORMATS[element]
    close = f.compare("olt", magnitude(f, k), const(form.mantissa + 2.0, x.type))
    safe = f.select(close, k, const(0, x.type))
    shifter = const(form.shifter, x.type)
    whole = f.sub(to_bits(f, shifter), to_bits(f, plus(f, safe, shifter)))
    lost = f.select(close, times(f, lost, power_of_two(f, whole, element)), const(0, x.type))
    u = plus(f, minus(f, m, one), lost)
    # 1 + x forgets the sign of a zero, and of denormal numbers everything.
    tiny = f.compare("oeq", total, one)
    return f.select(tiny, x, _log(f, k, u))
