"""Inverse hyperbolic functions: asinh, acosh, atanh, all by log1p."""

from __future__ import annotations

from ..text import Function, Value, const
from .logarithm import log1p
from .real import FORMATS, LN2, magnitude, minus, plus, signed, times


def _with_ln2(f: Function, found: Value, where: Value) -> Value:
    ln2 = const(float(LN2), found.type)
    return plus(f, found, f.select(where, ln2, const(0, found.type)))


def asinh(f: Function, x: Value) -> Value:
    """``log(x + sqrt(x**2 + 1))``."""
    a, one = magnitude(f, x), const(1, x.type)
    # Far out it is log(2 a), where the square might overflow.
    large = f.compare("ogt", a, const(2.0 ** (FORMATS[x.type.element].mantissa + 2.0), x.type))
    square = times(f, a, a)
    root = f.intrinsic("sqrt", f.fma(a, a, one))
    more = f.binary("fdiv", square, plus(f, root, one))
    u = f.select(large, a, plus(f, a, more))
    return signed(f, _with_ln2(f, log1p(f, u), large), x)


def acosh(f: Function, x: Value) -> Value:
    """``log(x + sqrt(x**2 - 1))`` for x from 1 on; NaN below."""
    one = const(1, x.type)
    large = f.compare("ogt", x, const(2.0 ** (FORMATS[x.type.element].mantissa + 2.0), x.type))
    t = minus(f, x, one)
    more = f.intrinsic("sqrt", f.fma(t, t, plus(f, t, t)))
    found = _with_ln2(f, log1p(f, f.select(large, t, plus(f, t, more))), large)
    return f.select(f.compare("olt", x, one), const(float("nan"), x.type), found)


def atanh(f: Function, x: Value) -> Value:
    """``log((1 + x) / (1 - x)) / 2``."""
    a, one = magnitude(f, x), const(1, x.type)
    u = f.binary("fdiv", plus(f, a, a), minus(f, one, a))
    return signed(f, times(f, log1p(f, u), const(0.5, x.type)), x)
