"""Masked reads and writes as functions, for machines without instructions for them.

LLVM writes such an access out as a branch for each lane, wherever it stands. As functions that are
called they are written out once.
"""

from __future__ import annotations

import re

from .machine import Machine

_DECLARED = re.compile(
    r"^declare (?P<result>.+) @llvm\.(?P<name>masked\.(?:load|store|gather|scatter)\.[\w.]+)"
    r"\((?P<arguments>.+)\)$",
    re.MULTILINE,
)
_CALLED = re.compile(r"@llvm\.(masked\.(?:load|store|gather|scatter)\.[\w.]+)\(")
_BYTES = {"f64": 8, "i64": 8, "f32": 4, "i32": 4, "f16": 2, "bf16": 2, "i16": 2, "i8": 1, "i1": 1}


def has_masks(machine: Machine) -> bool:
    """Whether a machine reads and writes chosen lanes with an instruction."""
    return not machine.triple.startswith("wasm")


def with_shared_masks(text: str) -> str:
    """A module's text in which each kind of masked access is a function."""
    found = list(_DECLARED.finditer(text))
    if not found:
        return text
    body = _CALLED.sub(r"@\1(", _DECLARED.sub("", text))
    return body + "\n".join(_defined(match) for match in found) + "\n"


def _defined(match: re.Match[str]) -> str:
    """The function for one intrinsic; its alignment, a constant, is that of the element."""
    types = _parts(match["arguments"])
    align = _BYTES[re.match(r"masked\.\w+\.v\d+([a-z]+\d+)", match["name"])[1]]  # type: ignore[index]
    given = ", ".join(f"{type} %a{k}" for k, type in enumerate(types))
    passed = ", ".join(
        f"i32 {align}" if type == "i32" else f"{type} %a{k}" for k, type in enumerate(types)
    )
    call = f"call {match['result']} @llvm.{match['name']}({passed})"
    head = f"define internal {match['result']} @{match['name']}({given}) nounwind noinline {{"
    last = "ret void" if match["result"] == "void" else f"ret {match['result']} %r"
    made = call if match["result"] == "void" else f"%r = {call}"
    return "\n".join([match[0], head, f"  {made}", f"  {last}", "}"])


def _parts(arguments: str) -> list[str]:
    return re.findall(r"<[^>]*>|\w+", arguments)
