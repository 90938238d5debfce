"""Multiplying and adding with one rounding, for machines without an instruction for that.

There LLVM would call C's ``fma`` for each lane. What kernels need of it is the exact product: the
rules of mathematics take what a rounded product lost as ``fma(x, y, -(x * y))``. So a float is
computed as a double, which holds the product of two floats exactly (the sum is rounded twice), and
a double as a sum of two doubles (Dekker 1971, doi:10.1007/BF01397083, and Knuth's two-sum), which
is right but for the last bit, and for factors above 2**970.
"""

from __future__ import annotations

import re

from .machine import Machine
from .text import Function, Module, Type, Value, const

SPLIT = float(2**27 + 1)  # halves the 53 bits of a double

_CALL = re.compile(r"@llvm\.fma\.((?:v(\d+))?f(32|64))\(")


def fuses(machine: Machine) -> bool:
    """Whether a machine multiplies and adds with one rounding."""
    if machine.triple.startswith(("aarch64", "arm64")):
        return True
    return machine.has("fma") or machine.has("avx512f")


def without_fma(text: str, machine: Machine) -> str:
    """A module's text in terms of what the machine has."""
    if fuses(machine):
        return text
    found = {match[1]: match for match in _CALL.finditer(text)}
    if not found:
        return text
    module = Module()
    for suffix, match in found.items():
        element = "float" if match[3] == "32" else "double"
        _write(module, suffix, Type(element, int(match[2] or 0)))
    declared = [line for line in text.split("\n") if not line.startswith("declare")]
    kept = [line for line in text.split("\n") if line.startswith("declare")]
    kept = [line for line in kept if not _CALL.search(line)]
    body = _CALL.sub(lambda match: f"@rl.fma.{match[1]}(", "\n".join(declared))
    return "\n".join([body, str(module), *kept])


def _write(module: Module, suffix: str, type: Type) -> None:
    arguments = (("x", type), ("y", type), ("z", type))
    attributes = "nounwind alwaysinline"
    f = module.function(f"rl.fma.{suffix}", arguments, type, attributes, "internal")
    x, y, z = f.arguments.values()
    f.ret(_by_doubles(f, x, y, z) if type.element == "float" else _by_two(f, x, y, z))


def _by_doubles(f: Function, x: Value, y: Value, z: Value) -> Value:
    wide = [f.convert("fpext", each, "double") for each in (x, y, z)]
    exact = f.binary("fmul", wide[0], wide[1])
    return f.convert("fptrunc", f.binary("fadd", exact, wide[2]), "float")


def _by_two(f: Function, x: Value, y: Value, z: Value) -> Value:
    high = f.binary("fmul", x, y)
    (x1, x0), (y1, y0) = _halves(f, x), _halves(f, y)
    low = f.binary("fsub", f.binary("fmul", x1, y1), high)
    low = f.binary("fadd", low, f.binary("fmul", x1, y0))
    low = f.binary("fadd", low, f.binary("fmul", x0, y1))
    low = f.binary("fadd", low, f.binary("fmul", x0, y0))
    total = f.binary("fadd", high, z)
    part = f.binary("fsub", total, high)
    lost = f.binary("fsub", high, f.binary("fsub", total, part))
    lost = f.binary("fadd", lost, f.binary("fsub", z, part))
    found = f.binary("fadd", total, f.binary("fadd", lost, low))
    # Where the product is infinite or no number, its halves say nothing.
    finite = f.compare("ord", f.binary("fsub", found, found), found)
    return f.select(finite, found, total)


def _halves(f: Function, x: Value) -> tuple[Value, Value]:
    scaled = f.binary("fmul", x, const(SPLIT, x.type))
    high = f.binary("fsub", scaled, f.binary("fsub", scaled, x))
    return high, f.binary("fsub", x, high)
