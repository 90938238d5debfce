"""Large angles: what is left of them after whole quarters of a turn.

``x 2 / pi`` modulo 4 is wanted, for an x of up to 2**1024, to more places than there are in x. Of
2 / pi only the bits count that meet the bits of x with a weight between 2 and a small fraction
(Payne & Hanek 1983, "Radian reduction for trigonometric functions"): 192 of them, of which the
product with the 53 bits of x loses the lowest 53. No double is closer to a multiple of pi / 2 than
2**-62, so that at least 70 right ones remain.
"""

from __future__ import annotations

from ..text import DOUBLE, I64, PTR, Function, Module, Type, Value, const, i64
from .real import HALF_PI, any_lane, magnitude, plus, power_of_two, split, times

_NAME = "far_angle"
_BITS = 1216  # of 2 / pi: enough for the greatest exponent
_WINDOW = 192
_WIDE = Type(f"i{_WINDOW}")


def reduced_far(
    f: Function, x: Value, least: float, r: Value, quadrant: Value
) -> tuple[Value, Value]:
    """``r`` and ``quadrant`` done again in those lanes where x is ``least`` or more."""
    far = f.compare("oge", magnitude(f, x), const(least, x.type))
    found_r, found_quadrant = f.variable(r), f.variable(quadrant)
    with f.when(any_lane(f, far)):
        _write_far_angle(f.module)
        # In memory, where a loop can reach each lane; the variables stay in registers otherwise.
        places = [f.variable(value) for value in (x, r, quadrant)]
        with f.loop(i64(0), i64(max(1, x.type.lanes))) as lane:
            _lane(f, lane, least, x.type.element, quadrant.type.element, places)
        f.set(found_r, f.get(places[1], r.type))
        f.set(found_quadrant, f.get(places[2], quadrant.type))
    return f.get(found_r, r.type), f.get(found_quadrant, quadrant.type)


def _lane(
    f: Function, lane: Value, least: float, real: str, integer: str, places: list[Value]
) -> None:
    """Does one lane again if it needs that."""
    x = f.load(f.at(places[0], lane, real), Type(real))
    a = magnitude(f, x)
    large = f.compare("oge", a, const(least, a.type))
    finite = f.compare("olt", a, const(float("inf"), a.type))
    with f.when(f.binary("and", large, finite)):
        rest = f.variable(const(0, DOUBLE))
        wide = f.convert("fpext", x, "double") if real == "float" else x
        quadrant = f.invoke(_NAME, I64, wide, rest)
        r = f.get(rest, DOUBLE)
        narrow = f.convert("fptrunc", r, "float") if real == "float" else r
        f.store(narrow, f.at(places[1], lane, real))
        count = f.convert("trunc", quadrant, integer) if integer != "i64" else quadrant
        f.store(count, f.at(places[2], lane, integer))


def _two_over_pi() -> int:
    """The first bits of 2 / pi as an integer: pi by Machin's formula."""
    one = 1 << (_BITS + 64)

    def arctan_of_inverse(n: int) -> int:
        term, total, k = one // n, 0, 1
        while term:
            total += term // k if k % 4 == 1 else -(term // k)
            term, k = term // (n * n), k + 2
        return total

    pi = 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))
    return 2 * one * (1 << _BITS) // pi


def _table(module: Module) -> Value:
    number = _two_over_pi()
    count = _BITS // 64 + 1  # and a word of zeros above
    words = ", ".join(f"i64 {number >> 64 * k & (1 << 64) - 1}" for k in range(count))
    return module.constant("two_over_pi", f"private constant [{count} x i64] [{words}], align 8")


def _write_far_angle(module: Module) -> None:
    """A function from ``x``, of 2**17 or more, to a quadrant; what is left goes to memory."""
    if module.has(_NAME):
        return
    arguments = [("x", DOUBLE), ("rest", PTR)]
    f = module.function(_NAME, arguments, I64, "nounwind noinline cold", "internal")
    x, rest = f.arguments["x"], f.arguments["rest"]
    bits = f.convert("bitcast", magnitude(f, x), "i64")
    mantissa = f.binary("or", f.binary("and", bits, i64((1 << 52) - 1)), i64(1 << 52))
    exponent = f.sub(f.binary("lshr", bits, i64(52)), i64(1075))  # x = mantissa 2**exponent
    window = _window(f, f.sub(i64(_BITS - _WINDOW + 2), exponent))
    # Modulo 4: two bits before the point.
    product = f.mul(f.convert("zext", mantissa, _WIDE.element), window)
    fraction = f.binary("shl", product, const(2, _WIDE))
    negative = f.compare("slt", fraction, const(0, _WIDE))
    whole = f.convert("trunc", f.binary("lshr", product, const(_WINDOW - 2, _WIDE)), "i64")
    whole = f.add(whole, f.convert("zext", negative, "i64"))
    r = _angle(f, f.select(negative, f.neg(fraction), fraction))
    below = f.compare("slt", f.convert("bitcast", x, "i64"), i64(0))
    flipped = f.binary("xor", negative, below)
    f.store(f.select(flipped, f.neg(r), r), rest)
    f.ret(f.select(below, f.neg(whole), whole))


def _window(f: Function, start: Value) -> Value:
    """192 bits of the table from bit ``start``."""
    table = _table(f.module)
    first = f.binary("lshr", start, i64(6))
    by = f.binary("and", start, i64(63))
    words = [f.load(f.at(table, f.add(first, i64(k)), "i64"), I64) for k in range(4)]
    total = const(0, _WIDE)
    for k in range(3):
        word = f.call("llvm.fshr.i64", I64, words[k + 1], words[k], by)
        wide = f.convert("zext", word, _WIDE.element)
        total = f.binary("or", total, f.binary("shl", wide, const(64 * k, _WIDE)))
    return total


def _angle(f: Function, fraction: Value) -> Value:
    """``fraction / 2**192`` quarters of a turn in radians."""
    zeros = f.call(f"llvm.ctlz.{_WIDE}", _WIDE, fraction, Value("true", Type("i1")))
    top = f.binary("lshr", f.binary("shl", fraction, zeros), const(_WINDOW - 64, _WIDE))
    leading = f.convert("trunc", top, "i64")
    # 53 bits exactly, and the other 11.
    high = f.convert("uitofp", f.binary("lshr", leading, i64(11)), "double")
    low = f.convert("uitofp", f.binary("and", leading, i64((1 << 11) - 1)), "double")
    low = times(f, low, const(2.0**-11, DOUBLE))
    pi, pi_rest = (const(part, DOUBLE) for part in split(HALF_PI, "double"))
    main = times(f, high, pi)
    lost = f.fma(high, pi, f.neg(main))
    lost = f.fma(low, pi, f.fma(high, pi_rest, lost))
    scale = power_of_two(f, f.sub(i64(-53), f.convert("trunc", zeros, "i64")), "double")
    return times(f, plus(f, main, lost), scale)
