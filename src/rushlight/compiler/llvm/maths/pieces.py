"""Functions by pieces: a polynomial for each piece, its coefficients looked up in registers.

Where a processor can pick from 32 numbers in registers with one instruction, that costs less than
the division or the exponential of a formula that is good everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..text import Function, Type, Value, const, vector
from .real import at_most, has_registers, joined, magnitude, minus, registers_of, signed, to_bits

Table = Sequence[Sequence[float]]

_SHIFT = 21  # what remains of a float's bits: exponent, and a quarter of the octave
_FIRST = 495  # all below 1/8


def looks_up(f: Function, type: Type) -> bool:
    """Whether this machine looks up floats in registers."""
    return type.element == "float" and has_registers(f, type)


def odd_by_pieces(f: Function, x: Value, table: Table, rest: float, most: float) -> Value:
    """An odd function that does not grow any more beyond ``most``: ``rest x`` and a polynomial."""
    a = at_most(f, magnitude(f, x), most)
    bits = to_bits(f, a)
    piece = f.binary("lshr", bits, const(_SHIFT, bits.type))
    piece = f.intrinsic("smax", piece, const(_FIRST, bits.type))
    centre, *coefficients = (_looked_up(f, row, piece) for row in table)
    t = minus(f, a, centre)
    if rest:
        coefficients[0] = f.fma(a, const(rest, a.type), coefficients[0])
    total = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = f.intrinsic("fmuladd", total, t, coefficient)
    return signed(f, total, x)


def _looked_up(f: Function, row: Sequence[float], piece: Value) -> Value:
    """``row[piece % 32]`` in every lane."""
    low, high = vector(row[:16], "float"), vector(row[16:], "float")
    name = "llvm.x86.avx512.vpermi2var.ps.512"
    return joined(f, [f.call(name, low.type, low, own, high) for own in registers_of(f, piece)])
