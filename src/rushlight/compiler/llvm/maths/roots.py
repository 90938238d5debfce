"""Square roots."""

from __future__ import annotations

from ..text import Function, Value, const


def sqrt(f: Function, x: Value) -> Value:
    """The square root, rounded correctly; NaN below 0."""
    return f.intrinsic("sqrt", x)


def rsqrt(f: Function, x: Value) -> Value:
    """``1 / sqrt(x)``; inf at 0, NaN below."""
    return f.binary("fdiv", const(1, x.type), sqrt(f, x))
