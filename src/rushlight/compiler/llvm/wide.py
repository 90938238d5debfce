"""Products of 128 bits, for machines that have none of 64 bits by 64.

Integers that are wider than the machine's are cut by LLVM, but for their products it calls
``__multi3`` of the compiler's library, which an exported model does not bring.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .machine import Machine
from .text import I64, PTR, Function, Module, Value, i64

NAME = "__multi3"
_USED = re.compile(r"\bmul (?:nsw |nuw )*i(?:6[5-9]|[7-9]\d|\d{3,})\b")


def needs_wide(texts: Iterable[str], machine: Machine) -> bool:
    """Whether modules have a product that the machine needs the function for."""
    return machine.triple.startswith("wasm") and any(map(_USED.search, texts))


def wide_module() -> Module:
    """The function: the lower 128 bits of a product, by halves of 32 bits."""
    module = Module()
    labels = ("a", "a_high", "b", "b_high")
    f = module.function(NAME, [("out", PTR), *((label, I64) for label in labels)])
    out, (a, a_high, b, b_high) = f.arguments["out"], (f.arguments[label] for label in labels)
    parts = {(i, j): f.mul(x, y) for i, x in enumerate(_halves(f, a))
             for j, y in enumerate(_halves(f, b))}  # fmt: skip
    (low, carried), (one, one_up), (other, other_up) = (
        _halves(f, parts[key]) for key in ((0, 0), (0, 1), (1, 0))
    )
    middle = f.add(f.add(carried, one), other)
    f.store(f.binary("or", low, f.binary("shl", middle, i64(32))), out)
    high = f.add(parts[1, 1], f.binary("lshr", middle, i64(32)))
    for more in (one_up, other_up, f.mul(a, b_high), f.mul(a_high, b)):
        high = f.add(high, more)
    f.store(high, f.at(out, 1, "i64"))
    f.ret()
    return module


def _halves(f: Function, x: Value) -> tuple[Value, Value]:
    return f.binary("and", x, i64((1 << 32) - 1)), f.binary("lshr", x, i64(32))
