"""Exponentials, and what is made of one: exp, exp2, expm1, sigmoid, sinh, cosh, tanh.

``x = n log(2) + r`` with an integer n and \\|r\\| <= log(2) / 2; then ``exp(x) = 2**n exp(r)``, and
exp(r) is a polynomial.
"""

from __future__ import annotations

import math

from ..text import Function, Value, const
from . import polynomials as P
from .pieces import looks_up, odd_by_pieces
from .real import (
    FORMATS,
    LN2,
    LOG2E,
    at_least,
    at_most,
    magnitude,
    minus,
    plus,
    polynomial,
    scaled,
    signed,
    split,
    times,
    to_bits,
)  # fmt: skip
from .tables import TANH, TANH_REST

_TANH = {"float": P.TANH_FLOAT, "double": P.TANH_DOUBLE}
_EXPM1 = {"float": P.EXPM1_FLOAT, "double": P.EXPM1_DOUBLE}

# Beyond these exp is 0, or infinite; a little further out, so that rounding decides.
LOWEST = {"float": -104.0, "double": -746.0}
HIGHEST = {"float": 89.0, "double": 710.0}
# Below these sigmoid is 0; and the factor c of its formula.
_SIGMOID = {"float": (-104.0, 2.0**-64), "double": (-746.0, 2.0**-512)}
# Beyond these tanh is 1.
_TANH_ONE = {"float": 9.1, "double": 19.1}
# From here on expm1 is -1.
_EXPM1_LOWEST = {"float": -18.0, "double": -38.0}


def reduced(f: Function, x: Value, rest: Value | None = None) -> tuple[Value, Value]:
    """``n``, an integer, and ``r`` with ``x + rest = n log(2) + r`` and \\|r\\| <= log(2) / 2."""
    n = f.intrinsic("rint", times(f, x, const(float(LOG2E), x.type)))
    # The first product and difference are exact: x and the product have the same last place.
    high, low = (const(-part, x.type) for part in split(LN2, x.type.element))
    r = f.fma(n, high, x)
    return n, f.fma(n, low, r) if rest is None else plus(f, r, f.fma(n, low, rest))


def reduced_to_power(f: Function, x: Value, by: int = 1, scale: float = 1.0) -> tuple[Value, Value]:
    """``scale 2**n``, which must be a normal number, and ``r`` with ``by x = n log(2) + by r``."""
    form = FORMATS[x.type.element]
    # The lowest bits of `shifted` are n + bias, so moving them up makes 2**n.
    shifter = const(form.shifter + form.bias + math.log2(scale), x.type)
    shifted = f.fma(x, const(by * float(LOG2E), x.type), shifter)
    n = minus(f, shifted, shifter)
    high, low = split(LN2 / by, x.type.element)
    r = f.fma(n, const(-high, x.type), x)
    r = f.fma(n, const(-low, x.type), r)
    bits = to_bits(f, shifted)
    power = f.binary("shl", bits, const(form.mantissa, bits.type))
    return f.convert("bitcast", power, x.type.element), r


def exp_small(f: Function, r: Value) -> Value:
    """``exp(r)`` for \\|r\\| <= log(2) / 2."""
    return polynomial(f, r, (1.0, 1.0, *_EXPM1[r.type.element]))


def expm1_small(f: Function, r: Value) -> Value:
    """``exp(r) - 1`` for \\|r\\| <= log(2) / 2."""
    return f.fma(times(f, r, r), polynomial(f, r, _EXPM1[r.type.element]), r)


def exp(f: Function, x: Value) -> Value:
    """``e**x``."""
    x = at_most(f, at_least(f, x, LOWEST[x.type.element]), HIGHEST[x.type.element])
    n, r = reduced(f, x)
    return scaled(f, exp_small(f, r), n)


def exp2(f: Function, x: Value) -> Value:
    """``2**x``."""
    bias, mantissa = FORMATS[x.type.element].bias, FORMATS[x.type.element].mantissa
    x = at_most(f, at_least(f, x, -bias - mantissa - 2.0), bias + 2.0)
    n = f.intrinsic("rint", x)
    r = times(f, minus(f, x, n), const(float(LN2), x.type))
    return scaled(f, exp_small(f, r), n)


def expm1(f: Function, x: Value) -> Value:
    """``e**x - 1``, exact near 0."""
    element = x.type.element
    inside = at_most(f, at_least(f, x, _EXPM1_LOWEST[element]), HIGHEST[element])
    n, r = reduced(f, inside)
    # 2**n itself overflows where expm1 may not: half of everything, and twice that at the end.
    half = scaled(f, const(0.5, x.type), n)
    found = f.fma(half, expm1_small(f, r), minus(f, half, const(0.5, x.type)))
    return signed(f, plus(f, found, found), x)


def sigmoid(f: Function, x: Value) -> Value:
    """``1 / (1 + exp(-x))``; written ``c / (c + c exp(-x))``, where nothing overflows."""
    element = x.type.element
    low, c = _SIGMOID[element]
    x = at_most(f, at_least(f, x, low), 40.0)  # above 40 it is 1
    power, r = reduced_to_power(f, f.neg(x), scale=c)
    # A power of two plus c is exact, or c does not count; the sum is rounded once.
    whole = f.fma(power, expm1_small(f, r), plus(f, power, const(c, x.type)))
    # Only where c is half of the last place of the power it is lost and counts: in the numerator.
    digits = FORMATS[element].mantissa + 1
    lost = f.compare("oeq", power, const(c * 2.0**digits, x.type))
    above = f.select(lost, const(c * (1 - 2.0**-digits), x.type), const(c, x.type))
    return f.binary("fdiv", above, whole)


def exp_of_negative(f: Function, x: Value) -> Value:
    """``exp(-x)`` for x from 0 on."""
    n, r = reduced(f, at_least(f, f.neg(x), LOWEST[x.type.element]))
    return scaled(f, exp_small(f, r), n)


def tanh(f: Function, x: Value) -> Value:
    """Hyperbolic tangent: an odd polynomial below 0.55, else ``1 - 2 / (1 + exp(2 |x|))``."""
    element = x.type.element
    if looks_up(f, x.type):
        return odd_by_pieces(f, x, TANH, TANH_REST, _TANH_ONE[element])
    a = at_most(f, magnitude(f, x), _TANH_ONE[element])
    power, r = reduced_to_power(f, a, by=2)
    doubled = [c * 2.0**k for k, c in enumerate((1.0, 1.0, *_EXPM1[element]))]
    one = const(1, x.type)
    whole = f.fma(power, polynomial(f, r, doubled), one)
    large = minus(f, one, f.binary("fdiv", const(2, x.type), whole))
    square = times(f, a, a)
    small = f.fma(times(f, square, a), polynomial(f, square, _TANH[element]), a)
    return signed(f, f.select(f.compare("ogt", a, const(0.55, x.type)), large, small), x)


def sinh(f: Function, x: Value) -> Value:
    """Hyperbolic sine: ``2 (h + h / (4 h + 1))`` with ``h = expm1(|x|) / 4``, which is finite."""
    n, r = reduced(f, at_most(f, magnitude(f, x), HIGHEST[x.type.element] + 0.5))
    quarter, four = const(0.25, x.type), const(4, x.type)
    power = scaled(f, quarter, n)
    h = f.fma(power, expm1_small(f, r), minus(f, power, quarter))
    half = plus(f, h, f.binary("fdiv", h, f.fma(h, four, const(1, x.type))))
    return signed(f, plus(f, half, half), x)


def cosh(f: Function, x: Value) -> Value:
    """Hyperbolic cosine: ``e + 1 / (4 e)`` with ``e = exp(|x|) / 2``."""
    n, r = reduced(f, at_most(f, magnitude(f, x), HIGHEST[x.type.element] + 0.5))
    e = scaled(f, times(f, exp_small(f, r), const(0.5, x.type)), n)
    return plus(f, e, f.binary("fdiv", const(0.25, x.type), e))
