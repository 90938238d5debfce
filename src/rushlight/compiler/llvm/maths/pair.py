"""Numbers of twice the precision: the unevaluated sum of two, the second a rest of the first.

Dekker 1971, "A floating-point technique for extending the available precision".
"""

from __future__ import annotations

from typing import NamedTuple

from ..text import Function, Value
from .real import minus, plus, times


class Pair(NamedTuple):
    """``high + low``, where ``high`` is the sum rounded."""

    high: Value
    low: Value


def fast_sum(f: Function, x: Value, y: Value) -> Pair:
    """``x + y`` exactly, for \\|x\\| >= \\|y\\|."""
    total = plus(f, x, y)
    return Pair(total, minus(f, y, minus(f, total, x)))


def exact_sum(f: Function, x: Value, y: Value) -> Pair:
    """``x + y`` exactly."""
    total = plus(f, x, y)
    other = minus(f, total, x)
    lost = plus(f, minus(f, x, minus(f, total, other)), minus(f, y, other))
    return Pair(total, lost)


def exact_product(f: Function, x: Value, y: Value) -> Pair:
    """``x y`` exactly."""
    product = times(f, x, y)
    return Pair(product, f.fma(x, y, f.neg(product)))


def product(f: Function, x: Pair, y: Pair) -> Pair:
    """``x y`` to nearly twice the precision."""
    high = times(f, x.high, y.high)
    low = f.fma(x.high, y.high, f.neg(high))
    low = f.fma(x.high, y.low, f.fma(x.low, y.high, low))
    return fast_sum(f, high, low)


def total(f: Function, x: Pair, y: Pair) -> Pair:
    """``x + y`` to nearly twice the precision."""
    high, low = exact_sum(f, x.high, y.high)
    return fast_sum(f, high, plus(f, low, plus(f, x.low, y.low)))
