"""Sums of products that are rounded once, for machines without an instruction for them.

LLVM would call ``fma`` of the C library for every lane. Here the operation is written out: single
precision through double precision, in which the product is exact; double precision by splitting
(Dekker 1971, "A floating-point technique for extending the available precision").
"""

from __future__ import annotations

import re

from .machine import Machine
from .text import Function, Module, Type, Value, const

_CALLED = re.compile(r"@llvm\.fma\.((?:v(\d+))?(f32|f64))\(")
_SPLITTER = 2.0**27 + 1
"""Halves of 53 bits: Veltkamp's constant."""


def has_fused(machine: Machine) -> bool:
    """Whether a machine has an instruction for ``x * y + z`` that rounds once."""
    return machine.has("fma") or machine.triple.startswith(("aarch64", "arm64"))


def without_fused(text: str) -> str:
    """A module's text with ``llvm.fma`` written out."""
    wanted = {match[1]: (match[2], match[3]) for match in _CALLED.finditer(text)}
    if not wanted:
        return text
    kept = [line for line in text.splitlines() if "declare" not in line or "@llvm.fma." not in line]
    module = Module()
    for suffix, (lanes, short) in wanted.items():
        element = "float" if short == "f32" else "double"
        _define(module, f"fused.{suffix}", Type(element, int(lanes or 0)))
    made = "\n".join(kept).replace("@llvm.fma.", "@fused.")
    return f"{made}\n{module}"


def _define(module: Module, name: str, type: Type) -> None:
    arguments = [(label, type) for label in "xyz"]
    f = module.function(name, arguments, type, "nounwind alwaysinline", "internal")
    x, y, z = (f.arguments[label] for label in "xyz")
    f.ret((_through_double if type.element == "float" else _by_halves)(f, x, y, z))


def _through_double(f: Function, x: Value, y: Value, z: Value) -> Value:
    x, y, z = (f.convert("fpext", each, "double") for each in (x, y, z))
    total = f.binary("fadd", f.binary("fmul", x, y), z)
    return f.convert("fptrunc", total, "float")


def _by_halves(f: Function, x: Value, y: Value, z: Value) -> Value:
    product = f.binary("fmul", x, y)
    plain = f.binary("fadd", product, z)
    (a, b), (c, d) = _halves(f, x), _halves(f, y)
    lost = f.binary("fsub", f.binary("fmul", a, c), product)
    for left, right in ((a, d), (b, c), (b, d)):
        lost = f.binary("fadd", lost, f.binary("fmul", left, right))
    # What the sum of product and z loses, exactly.
    other = f.binary("fsub", plain, product)
    rest = f.binary("fsub", product, f.binary("fsub", plain, other))
    rest = f.binary("fadd", rest, f.binary("fsub", z, other))
    better = f.binary("fadd", plain, f.binary("fadd", rest, lost))
    # Splitting a number near the largest, or infinity, gives NaN.
    return f.select(f.compare("uno", better, better), plain, better)


def _halves(f: Function, x: Value) -> tuple[Value, Value]:
    scaled = f.binary("fmul", x, const(_SPLITTER, x.type))
    high = f.binary("fsub", scaled, f.binary("fsub", scaled, x))
    return high, f.binary("fsub", x, high)
