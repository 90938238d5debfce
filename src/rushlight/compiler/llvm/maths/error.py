"""The error function and its relatives."""

from __future__ import annotations

from fractions import Fraction

from ..text import Function, Value, const
from . import polynomials as P
from .exponential import expm1_small, reduced_to_power
from .real import at_most, magnitude, minus, polynomial, signed, split, times

TWO_OVER_ROOT_PI = Fraction("1.12837916709551257389615890312154517168810125865799771368817")


def erf(f: Function, x: Value) -> Value:
    """The error function."""
    a = at_most(f, magnitude(f, x), 3.95)
    # erf(a) = 1 - exp(y) with y = a (-2 / sqrt(pi) + a P(a)), the constant in two parts.
    high, low = split(-TWO_OVER_ROOT_PI, "float")
    rest = f.fma(a, polynomial(f, a, P.ERF_FLOAT), const(low, x.type))
    y = f.fma(a, const(high, x.type), times(f, a, rest))
    power, r = reduced_to_power(f, y)
    return signed(f, f.fma(power, expm1_small(f, r), minus(f, power, const(1, x.type))), x)
