"""Rounding to whole numbers, for machines without an instruction for that (x86-64 before SSE4.1).

LLVM would call ``rintf`` of the C library for every lane. A number below 2**23 (2**52 for doubles)
that this is added to loses its fraction, rounded to even; larger ones have none.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .machine import Machine
from .text import Function, Module, Type, Value, const

_CALLED = re.compile(
    r"@llvm\.(rint|nearbyint|roundeven|floor|ceil|trunc)\.((?:v(\d+))?(f32|f64))\("
)
_WHOLE = {"float": float(2**23), "double": float(2**52)}
"""From here on every number is whole."""


def rounds(machine: Machine) -> bool:
    """Whether a machine has instructions that round to whole numbers."""
    return not machine.triple.startswith("x86_64") or machine.has("sse4.1")


def without_rounding(text: str) -> str:
    """A module's text with LLVM's functions that round written out."""
    wanted = {(match[1], match[2]): match for match in _CALLED.finditer(text)}
    if not wanted:
        return text
    module = Module()
    for (how, suffix), match in wanted.items():
        element = "float" if match[4] == "f32" else "double"
        type = Type(element, int(match[3] or 0))
        f = module.function(
            f"whole.{how}.{suffix}", [("x", type)], type, "nounwind alwaysinline", "internal"
        )
        f.ret(_HOW.get(how, _rint)(f, f.arguments["x"]))
    declared = set(str(module).splitlines())
    kept = [line for line in text.splitlines() if not _is_stale(line, declared)]
    called = _CALLED.sub(r"@whole.\1.\2(", "\n".join(kept))
    return f"{called}\n{module}"


def _is_stale(line: str, declared: set[str]) -> bool:
    """Whether a line declares what is written out, or is declared again."""
    return line.startswith("declare") and (line in declared or bool(_CALLED.search(line)))


def _rint(f: Function, x: Value) -> Value:
    size = f.intrinsic("fabs", x)
    large = const(_WHOLE[x.type.element], x.type)
    near = f.binary("fsub", f.binary("fadd", size, large), large)
    return f.select(f.compare("olt", size, large), f.intrinsic("copysign", near, x), x)


def _floor(f: Function, x: Value) -> Value:
    near = _rint(f, x)
    lower = f.binary("fsub", near, const(1, x.type))
    return f.intrinsic("copysign", f.select(f.compare("ogt", near, x), lower, near), x)


def _ceil(f: Function, x: Value) -> Value:
    return f.neg(_floor(f, f.neg(x)))


def _trunc(f: Function, x: Value) -> Value:
    return f.intrinsic("copysign", _floor(f, f.intrinsic("fabs", x)), x)


_HOW: dict[str, Callable[[Function, Value], Value]] = {
    "floor": _floor,
    "ceil": _ceil,
    "trunc": _trunc,
}
