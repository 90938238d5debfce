"""Powers: pow and hypot for real numbers.

``x**y = exp(y log|x|)``. An exponential of a large number wants its argument to far more places
than a format has, so the logarithm and the product are pairs.
"""

from __future__ import annotations

from fractions import Fraction

from ..text import Function, Value, const
from . import polynomials as P
from .exponential import HIGHEST, LOWEST, exp_small, reduced
from .pair import Pair, exact_product, fast_sum, product, total
from .real import (
    LN2,
    at_least,
    at_most,
    magnitude,
    mantissa_and_exponent,
    minus,
    plus,
    polynomial,
    scaled,
    signed,
    split,
    times,
)

_REST = {"float": P.ATANH_REST_FLOAT, "double": P.ATANH_REST_DOUBLE}
# An exponent beyond this gives 0, 1 or infinity for every base.
_LARGEST_EXPONENT = {"float": 2.0**36, "double": 2.0**70}

# Between these, squares neither overflow nor lose what counts; and the power of two to get there.
_SQUARES = {"float": (2.0**-30, 2.0**62, 90), "double": (2.0**-200, 2.0**510, 600)}


def pow(f: Function, x: Value, y: Value) -> Value:
    """``x**y``, with all special values of C99."""
    element = x.type.element
    zero, one, infinity = (const(number, x.type) for number in (0, 1, float("inf")))
    a = magnitude(f, x)
    m, k = mantissa_and_exponent(f, a)
    most = _LARGEST_EXPONENT[element]
    bounded = at_most(f, at_least(f, y, -most), most)
    finite = f.compare("one", magnitude(f, k), infinity)
    log = _log(f, m, f.select(finite, k, zero))
    high = times(f, bounded, log.high)
    low = f.fma(bounded, log.low, f.fma(bounded, log.high, f.neg(high)))
    # Of 0 and infinity the exponent alone is the logarithm.
    high = f.select(finite, high, times(f, bounded, k))
    found = _exp(f, high, low)
    found = f.select(_or(f, f.compare("oeq", y, zero), f.compare("oeq", x, one)), one, found)
    return _with_sign(f, x, y, found)


def _log(f: Function, m: Value, k: Value) -> Pair:
    """``log(m) + k log(2)``."""
    element = m.type.element
    one, two = const(1, m.type), const(2, m.type)
    # s = u / (2 + u) with u = m - 1, which is exact; 2 + u is not.
    u = minus(f, m, one)
    below, below_rest = fast_sum(f, two, u)
    inverse = f.binary("fdiv", one, below)
    s = times(f, u, inverse)
    left = f.fma(f.neg(s), below_rest, f.fma(f.neg(s), below, u))
    s_pair = fast_sum(f, s, times(f, left, inverse))
    # log(m) = 2 s + s**3 (2 / 3 + s**2 R(s**2)), in which only R may be rounded.
    square = product(f, s_pair, s_pair)
    third, third_rest = (const(part, m.type) for part in split(Fraction(2, 3), element))
    more = times(f, square.high, polynomial(f, square.high, _REST[element]))
    factor = fast_sum(f, third, plus(f, more, third_rest))
    cube = product(f, product(f, square, factor), s_pair)
    twice = Pair(plus(f, s_pair.high, s_pair.high), plus(f, s_pair.low, s_pair.low))
    of_m = total(f, twice, cube)
    ln2, ln2_rest = (const(part, m.type) for part in split(LN2, element))
    whole, whole_low = exact_product(f, k, ln2)
    return total(f, Pair(whole, f.fma(k, ln2_rest, whole_low)), of_m)


def _exp(f: Function, high: Value, low: Value) -> Value:
    """``exp(high + low)``."""
    element = high.type.element
    inside = f.compare("olt", magnitude(f, high), const(-2 * LOWEST[element], high.type))
    low = f.select(inside, low, const(0, high.type))  # far outside it may be anything
    high = at_most(f, at_least(f, high, LOWEST[element]), HIGHEST[element])
    n, r = reduced(f, high, low)
    return scaled(f, exp_small(f, r), n)


def _or(f: Function, x: Value, y: Value) -> Value:
    return f.binary("or", x, y)


def _with_sign(f: Function, x: Value, y: Value, found: Value) -> Value:
    """The power of ``x`` from that of its magnitude: negative, or NaN, for some exponents."""
    zero, infinity = const(0, x.type), const(float("inf"), x.type)
    half = times(f, y, const(0.5, y.type))
    whole = f.compare("oeq", f.intrinsic("rint", y), y)
    odd = f.binary("and", whole, f.compare("one", f.intrinsic("rint", half), half))
    found = f.select(odd, signed(f, found, x), found)
    # Only finite numbers below 0 have no power between the whole ones.
    negative = f.binary("and", f.compare("olt", x, zero), f.compare("one", x, f.neg(infinity)))
    broken = f.binary("and", f.compare("one", f.intrinsic("rint", y), y), negative)
    return f.select(broken, const(float("nan"), x.type), found)


def hypot(f: Function, x: Value, y: Value) -> Value:
    """``sqrt(x**2 + y**2)``, without overflow; infinite if either is, even beside NaN."""
    x, y = magnitude(f, x), magnitude(f, y)
    infinity = const(float("inf"), x.type)
    first = f.compare("ogt", x, y)
    large, small = f.select(first, x, y), f.select(first, y, x)
    least, most, shift = _SQUARES[x.type.element]
    up, down, one = (const(number, x.type) for number in (2.0**shift, 2.0**-shift, 1))
    scale = f.select(f.compare("ogt", large, const(most, x.type)), down, one)
    scale = f.select(f.compare("olt", large, const(least, x.type)), up, scale)
    back = f.select(f.compare("oeq", scale, down), up, one)
    back = f.select(f.compare("oeq", scale, up), down, back)
    large, small = times(f, large, scale), times(f, small, scale)
    root = f.intrinsic("sqrt", f.fma(large, large, times(f, small, small)))
    either = _or(f, f.compare("oeq", x, infinity), f.compare("oeq", y, infinity))
    return f.select(either, infinity, times(f, root, back))
