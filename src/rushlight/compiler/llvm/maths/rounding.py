"""Rounding to integers, signs and extrema."""

from __future__ import annotations

from ..text import Function, Value


def floor(f: Function, x: Value) -> Value:
    """The greatest integer that is not more."""
    return f.intrinsic("floor", x)


def ceil(f: Function, x: Value) -> Value:
    """The least integer that is not less."""
    return f.intrinsic("ceil", x)


def trunc(f: Function, x: Value) -> Value:
    """The nearest integer towards 0."""
    return f.intrinsic("trunc", x)


def rint(f: Function, x: Value) -> Value:
    """The nearest integer, the even one of two."""
    return f.intrinsic("rint", x)


def copysign(f: Function, x: Value, sign: Value) -> Value:
    """``x`` with the sign of another number."""
    return f.intrinsic("copysign", x, sign)


def minimum(f: Function, x: Value, y: Value) -> Value:
    """The lesser; NaN if either is."""
    return f.intrinsic("minimum", x, y)


def maximum(f: Function, x: Value, y: Value) -> Value:
    """The greater; NaN if either is."""
    return f.intrinsic("maximum", x, y)


def fmin(f: Function, x: Value, y: Value) -> Value:
    """The lesser; the other one if one is NaN."""
    return f.intrinsic("minnum", x, y)


def fmax(f: Function, x: Value, y: Value) -> Value:
    """The greater; the other one if one is NaN."""
    return f.intrinsic("maxnum", x, y)
