"""sin, cos and tan.

``x = n pi / 2 + r`` with an integer n and \\|r\\| <= pi / 4. The sine of r and the cosine of r are
polynomials; the lowest two bits of n tell which of the two is wanted, and its sign.
"""

from __future__ import annotations

from ..text import Function, Value, const
from . import polynomials as P
from .circle import reduced_far
from .real import FORMATS, HALF_PI, minus, polynomial, signed, split_down, times

_SIN = {"float": P.SIN_FLOAT, "double": P.SIN_DOUBLE}
_COS = {"float": P.COS_FLOAT, "double": P.COS_DOUBLE}

# Up to here three parts of pi / 2 are enough for all numbers of the format.
_NEAR = {"float": 2.0**17, "double": 2.0**30}


def _reduced(f: Function, x: Value) -> tuple[Value, Value]:
    """``r``, and an integer with the lowest bits of ``n``."""
    element = x.type.element
    form = FORMATS[element]
    shifter = const(form.shifter, x.type)
    shifted = f.fma(x, const(float(1 / HALF_PI), x.type), shifter)
    n = minus(f, shifted, shifter)
    r = x  # positive parts, lest -0 become 0
    for part in split_down(HALF_PI, element, 3):
        r = f.fma(n, const(-part, x.type), r)
    quadrant = f.convert("bitcast", shifted, form.integer)
    return reduced_far(f, x, _NEAR[element], r, quadrant)


def _sine(f: Function, r: Value) -> Value:
    square = times(f, r, r)
    cube = times(f, square, r)
    found = f.fma(cube, polynomial(f, square, _SIN[r.type.element]), r)
    return signed(f, found, r)  # -0 for -0


def _cosine(f: Function, r: Value) -> Value:
    square = times(f, r, r)
    return polynomial(f, square, (1.0, -0.5, *_COS[r.type.element]))


def _of_quadrant(f: Function, r: Value, quadrant: Value) -> Value:
    """The sine of ``r + quadrant pi / 2``."""
    one, element = const(1, quadrant.type), r.type.element
    odd = f.compare("ne", f.binary("and", quadrant, one), const(0, quadrant.type))
    found = f.select(odd, _cosine(f, r), _sine(f, r))
    # The second bit is the sign.
    top = const(quadrant.type.bits - 2, quadrant.type)
    second = f.binary("and", quadrant, const(2, quadrant.type))
    sign = f.binary("shl", second, top)
    bits = f.convert("bitcast", found, quadrant.type.element)
    return f.convert("bitcast", f.binary("xor", bits, sign), element)


def sin(f: Function, x: Value) -> Value:
    """The sine of an angle in radians."""
    r, quadrant = _reduced(f, x)
    return _of_quadrant(f, r, quadrant)


def cos(f: Function, x: Value) -> Value:
    """The cosine of an angle in radians."""
    r, quadrant = _reduced(f, x)
    return _of_quadrant(f, r, f.add(quadrant, const(1, quadrant.type)))


def tan(f: Function, x: Value) -> Value:
    """The tangent of an angle in radians."""
    r, quadrant = _reduced(f, x)
    sine, cosine = _sine(f, r), _cosine(f, r)
    odd = f.compare(
        "ne", f.binary("and", quadrant, const(1, quadrant.type)), const(0, quadrant.type)
    )
    above = f.select(odd, f.neg(cosine), sine)
    return f.binary("fdiv", above, f.select(odd, sine, cosine))
