"""Powers of integers."""

from __future__ import annotations

from ..text import Function, Value, const
from .real import some_lane


def integer_power(f: Function, x: Value, y: Value) -> Value:
    """``x**y`` for ``y >= 0`` by squaring, as many turns as the largest exponent has bits."""
    zero, one = const(0, x.type), const(1, x.type)
    found, base, left = f.variable(one), f.variable(x), f.variable(y)
    head, body, done = f.fresh("power"), f.fresh("body"), f.fresh("done")
    f.jump(head)
    f.label(head)
    exponent = f.get(left, y.type)
    f.branch(some_lane(f, f.compare("ne", exponent, zero)), body, done)
    f.label(body)
    square, so_far = f.get(base, x.type), f.get(found, x.type)
    odd = f.compare("ne", f.binary("and", exponent, one), zero)
    f.set(found, f.select(odd, f.mul(so_far, square), so_far))
    f.set(base, f.mul(square, square))
    f.set(left, f.binary("lshr", exponent, one))
    f.jump(head)
    f.label(done)
    return f.get(found, x.type)
