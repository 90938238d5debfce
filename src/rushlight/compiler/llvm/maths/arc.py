"""Inverse functions of angles: asin, acos, atan, atan2."""

from __future__ import annotations

from ..text import Function, Value, const
from . import polynomials as P
from .real import (
    FORMATS,
    HALF_PI,
    magnitude,
    minus,
    plus,
    polynomial,
    signed,
    split,
    times,
    to_bits,
)

_ASIN = {"float": P.ASIN_FLOAT, "double": P.ASIN_DOUBLE}
_ATAN = {"float": P.ATAN_FLOAT, "double": P.ATAN_DOUBLE}
_EIGHTH = 0.41421356237309503  # tan(pi / 8)


def _asin_half(f: Function, a: Value) -> tuple[Value, Value]:
    """asin(a) for a up to 1/2, above that asin(sqrt((1 - a) / 2)); and where it is the second.

    The two are related by ``asin(a) = pi / 2 - 2 asin(sqrt((1 - a) / 2))``.
    """
    half = const(0.5, a.type)
    above = f.compare("ogt", a, half)
    other = times(f, minus(f, const(1, a.type), a), half)
    square = f.select(above, other, times(f, a, a))
    s = f.select(above, f.intrinsic("sqrt", other), a)
    p = polynomial(f, square, _ASIN[a.type.element])
    return f.fma(times(f, square, s), p, s), above


def asin(f: Function, x: Value) -> Value:
    """The angle whose sine is ``x``; NaN outside of -1 to 1."""
    p, above = _asin_half(f, magnitude(f, x))
    high, low = (const(part, x.type) for part in split(HALF_PI, x.type.element))
    far = plus(f, f.fma(p, const(-2, x.type), high), low)
    return signed(f, f.select(above, far, p), x)


def acos(f: Function, x: Value) -> Value:
    """The angle whose cosine is ``x``; NaN outside of -1 to 1."""
    p, above = _asin_half(f, magnitude(f, x))
    high, low = (const(part, x.type) for part in split(HALF_PI, x.type.element))
    zero = const(0, x.type)
    below = f.compare("olt", x, zero)
    twice = plus(f, p, p)
    # 2 p, or pi - 2 p below -1/2; pi / 2 - p in between.
    near_pi = plus(f, minus(f, plus(f, high, high), minus(f, twice, low)), low)
    far = f.select(below, near_pi, twice)
    between = plus(f, minus(f, high, signed(f, p, x)), low)
    return f.select(above, far, between)


def _atan_of_quotient(f: Function, n: Value, d: Value) -> Value:
    """``atan(n / d)`` for ``0 <= n <= d``."""
    # Above pi / 8 the angle from pi / 4 is found.
    above = f.compare("ogt", n, times(f, d, const(_EIGHTH, d.type)))
    n, d = f.select(above, minus(f, n, d), n), f.select(above, plus(f, n, d), d)
    t = f.binary("fdiv", n, d)
    square = times(f, t, t)
    p = f.fma(times(f, square, t), polynomial(f, square, _ATAN[t.type.element]), t)
    quarter = const(float(HALF_PI / 2), t.type)
    return f.select(above, plus(f, p, quarter), p)


def atan(f: Function, x: Value) -> Value:
    """The angle whose tangent is ``x``."""
    a, one = magnitude(f, x), const(1, x.type)
    over = f.compare("ogt", a, one)
    infinite = f.compare("oeq", a, const(float("inf"), x.type))
    n, d = f.select(over, one, a), f.select(over, a, one)
    # n + d is finite for all that is; an infinite number is a division by it.
    angle = _atan_of_quotient(
        f, f.select(infinite, const(0, x.type), n), f.select(infinite, one, d)
    )
    high, low = (const(part, x.type) for part in split(HALF_PI, x.type.element))
    return signed(f, f.select(over, plus(f, minus(f, high, angle), low), angle), x)


def atan2(f: Function, y: Value, x: Value) -> Value:
    """The angle of the point ``(x, y)``, between -pi and pi, with all special values of C."""
    type = x.type
    a, b = magnitude(f, y), magnitude(f, x)
    steep = f.compare("ogt", a, b)
    n, d = f.select(steep, b, a), f.select(steep, a, b)
    n, d = _tamed(f, n, d)
    angle = _atan_of_quotient(f, n, d)
    bits = to_bits(f, x)
    left = f.compare("slt", bits, const(0, bits.type))
    # angle, pi / 2 - angle, pi - angle or pi / 2 + angle.
    flipped = f.select(f.binary("xor", steep, left), f.neg(angle), angle)
    high, low = split(HALF_PI, type.element)
    zero = const(0, type)
    flat_high = f.select(left, const(2 * high, type), zero)
    flat_low = f.select(left, const(2 * low, type), zero)
    start = f.select(steep, const(high, type), flat_high)
    rest = f.select(steep, const(low, type), flat_low)
    found = signed(f, plus(f, start, plus(f, flipped, rest)), y)
    broken = f.compare("uno", x, y)
    return f.select(broken, const(float("nan"), type), found)


def _tamed(f: Function, n: Value, d: Value) -> tuple[Value, Value]:
    """A quotient of the same value that does not overflow nor divide 0 by 0, or infinities."""
    type = n.type
    zero, one, infinity = (const(number, type) for number in (0, 1, float("inf")))
    both = f.compare("oeq", n, infinity)  # the lesser of the two
    n, d = f.select(both, one, n), f.select(both, one, d)
    d = f.select(f.compare("oeq", d, zero), one, d)
    large = f.compare("ogt", d, const(2.0 ** (FORMATS[type.element].bias - 2), type))
    scale = f.select(large, const(0.25, type), one)
    infinite = f.compare("oeq", d, infinity)
    n, d = f.select(infinite, zero, times(f, n, scale)), f.select(infinite, one, times(f, d, scale))
    return n, d
