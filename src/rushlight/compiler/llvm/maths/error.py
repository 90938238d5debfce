"""The error function and its relatives: erf, erfc, erfinv."""

from __future__ import annotations

from fractions import Fraction

from ..text import Function, Value, const
from . import polynomials as P
from .exponential import exp_of_negative, expm1_small, reduced, reduced_to_power
from .logarithm import log
from .pieces import looks_up, odd_by_pieces
from .real import (
    at_most,
    magnitude,
    minus,
    plus,
    polynomial,
    scaled,
    signed,
    split,
    times,
)  # fmt: skip
from .tables import ERF, ERF_REST

TWO_OVER_ROOT_PI = Fraction("1.12837916709551257389615890312154517168810125865799771368817")
_SMALL = {"float": P.ERF_SMALL_FLOAT, "double": P.ERF_SMALL_DOUBLE}
_ERFC = {"float": P.ERFC_FLOAT, "double": P.ERFC_DOUBLE}
_ERFINV = {"float": P.ERFINV_FLOAT, "double": P.ERFINV_DOUBLE}
_ERFINV_TAIL = {"float": P.ERFINV_TAIL_FLOAT, "double": P.ERFINV_TAIL_DOUBLE}
# Beyond these erfc is 0.
_LARGEST = {"float": 10.2, "double": 27.3}


def erf(f: Function, x: Value) -> Value:
    """The error function."""
    if x.type.element == "double":
        a = magnitude(f, x)
        large = minus(f, const(1, x.type), _erfc_of_large(f, a))
        near = f.compare("olt", a, const(1, x.type))
        return signed(f, f.select(near, _erf_small(f, a), large), x)
    most = 3.95  # 1 from here on
    if looks_up(f, x.type):
        return odd_by_pieces(f, x, ERF, ERF_REST, most)
    a = at_most(f, magnitude(f, x), most)
    # erf(a) = 1 - exp(y) with y = a (-2 / sqrt(pi) + a P(a)), the constant in two parts.
    high, low = split(-TWO_OVER_ROOT_PI, "float")
    rest = f.fma(a, polynomial(f, a, P.ERF_FLOAT), const(low, x.type))
    y = f.fma(a, const(high, x.type), times(f, a, rest))
    power, r = reduced_to_power(f, y)
    return signed(f, f.fma(power, expm1_small(f, r), minus(f, power, const(1, x.type))), x)


def _erf_small(f: Function, x: Value) -> Value:
    """``erf(x)`` for \\|x\\| <= 1."""
    return f.fma(x, polynomial(f, times(f, x, x), _SMALL[x.type.element]), x)


def _erfc_of_large(f: Function, a: Value) -> Value:
    """``erfc(a)`` for a from 1 on."""
    a = at_most(f, a, _LARGEST[a.type.element])
    three = const(3, a.type)
    below, one = plus(f, a, three), const(1, a.type)
    inverse = f.binary("fdiv", one, below)
    # What follows is steep: one step of Newton's takes back the errors of sum and quotient.
    left = f.fma(f.neg(below), inverse, one)
    left = f.fma(minus(f, minus(f, below, three), a), inverse, left)
    inverse = f.fma(left, inverse, inverse)
    t = times(f, minus(f, a, three), inverse)
    bent = times(f, polynomial(f, t, _ERFC[a.type.element]), inverse)
    # exp(-a**2), with what rounding took from a**2 put back.
    square = times(f, a, a)
    n, r = reduced(f, f.neg(square), f.fma(f.neg(a), a, square))
    return scaled(f, f.fma(bent, expm1_small(f, r), bent), n)


def erfc(f: Function, x: Value) -> Value:
    """``1 - erf(x)``, exact where that is nearly 0."""
    a = magnitude(f, x)
    tail = _erfc_of_large(f, a)
    below = f.compare("olt", x, const(0, x.type))
    far = f.select(below, minus(f, const(2, x.type), tail), tail)
    # 1 - erf(x) without rounding erf(x), which would be seen where it is nearly 1.
    one, square = const(1, x.type), times(f, x, x)
    more = polynomial(f, square, _SMALL[x.type.element])
    middle = f.fma(f.neg(x), more, minus(f, one, x))
    return f.select(f.compare("olt", a, one), middle, far)


def erfinv(f: Function, x: Value) -> Value:
    """The number whose error function is ``x``; infinite at -1 and 1, NaN beyond.

    ``erfinv(x) / x`` is a polynomial in ``w = -log(1 - x**2)``, and far out in its root
    (Giles 2010, "Approximating the erfinv function").
    """
    one = const(1, x.type)
    w = f.neg(log(f, f.fma(f.neg(x), x, one)))
    near = polynomial(f, plus(f, w, const(-2.5, x.type)), _ERFINV[x.type.element])
    root = plus(f, f.intrinsic("sqrt", w), const(-3, x.type))
    tail = polynomial(f, root, _ERFINV_TAIL[x.type.element])
    found = times(f, f.select(f.compare("ogt", w, const(5, x.type)), tail, near), x)
    if x.type.element == "double":
        found = _nearer(f, x, found)
    infinite = f.compare("oeq", magnitude(f, x), one)
    return f.select(infinite, signed(f, const(float("inf"), x.type), x), found)


def _nearer(f: Function, x: Value, y: Value) -> Value:
    """One step of Halley's method towards ``erf(y) = x``, from 20 right bits to all of them."""
    one, zero = const(1, x.type), const(0, x.type)
    a, b = magnitude(f, x), magnitude(f, y)
    beyond = f.compare("oge", b, one)
    left = minus(f, minus(f, one, a), _erfc_of_large(f, b))
    error = f.select(beyond, left, minus(f, _erf_small(f, b), a))
    slope = times(f, exp_of_negative(f, times(f, b, b)), const(float(TWO_OVER_ROOT_PI), x.type))
    step = f.binary("fdiv", error, slope)
    step = f.binary("fdiv", step, f.fma(b, step, one))
    moved = minus(f, b, step)
    return signed(f, f.select(f.compare("ogt", b, zero), moved, b), x)
