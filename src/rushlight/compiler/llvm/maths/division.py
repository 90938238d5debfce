"""Remainders of real division, exact."""

from __future__ import annotations

from ..text import Function, Value, const
from .real import FORMATS, any_lane, magnitude, plus, signed, times


def fmod(f: Function, x: Value, y: Value) -> Value:
    """``x - n y`` with the integer n that is nearest towards 0, exactly; NaN for ``y = 0``."""
    zero, infinity = const(0, x.type), const(float("inf"), x.type)
    a, b = magnitude(f, x), magnitude(f, y)
    quotient = f.binary("fdiv", a, b)
    # The quotient may have been rounded up to an integer, so the rest may be negative once.
    rest = f.fma(f.neg(f.intrinsic("trunc", quotient)), b, a)
    most = const(2.0 ** FORMATS[x.type.element].mantissa, x.type)
    valid = f.binary("and", f.compare("ogt", b, zero), f.compare("olt", a, infinity))
    far = f.binary("and", valid, f.compare("oge", quotient, most))
    found = f.variable(rest)
    with f.when(any_lane(f, far)):
        f.set(found, _far(f, a, b, far, rest))
    rest = f.get(found, x.type)
    rest = f.select(f.compare("olt", rest, zero), plus(f, rest, b), rest)
    return signed(f, f.select(f.compare("olt", a, b), a, rest), x)


def _far(f: Function, a: Value, b: Value, far: Value, rest: Value) -> Value:
    """The rest again in lanes whose quotient has more places than the format.

    A rounded quotient of so many places is an integer, and what is left after subtracting that many
    divisors is a number of the format. Each turn takes off as many places as the format has.
    """
    most = const(2.0 ** FORMATS[a.type.element].mantissa, a.type)
    left = f.variable(f.select(far, a, rest))
    head, body, done = f.fresh("far"), f.fresh("body"), f.fresh("done")
    f.jump(head)
    f.label(head)
    now = f.get(left, a.type)
    going = f.binary("and", far, f.compare("oge", magnitude(f, now), b))
    f.branch(any_lane(f, going), body, done)
    f.label(body)
    divisor = _comparable(f, now, b)
    quotient = f.binary("fdiv", now, divisor)
    small = f.compare("olt", magnitude(f, quotient), most)
    quotient = f.select(small, f.intrinsic("trunc", quotient), quotient)
    f.set(left, f.select(going, f.fma(f.neg(quotient), divisor, now), now))
    f.jump(head)
    f.label(done)
    return now


def _comparable(f: Function, x: Value, b: Value) -> Value:
    """``b`` times a power of two such that ``x / b`` is finite."""
    infinity = const(float("inf"), x.type)
    step = const(2.0 ** FORMATS[x.type.element].bias, x.type)
    for _ in range(2):
        wide = f.compare("oeq", magnitude(f, f.binary("fdiv", x, b)), infinity)
        b = f.select(wide, times(f, b, step), b)
    return b
