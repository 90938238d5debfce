"""Names and types as C has them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rushlight.base.dtypes import DType
from rushlight.base.errors import MissingError

TYPES = {
    "float32": "float", "float64": "double", "float16": "uint16_t", "bfloat16": "uint16_t",
    "int8": "int8_t", "int16": "int16_t", "int32": "int32_t", "int64": "int64_t",
    "uint8": "uint8_t", "uint16": "uint16_t", "uint32": "uint32_t", "uint64": "uint64_t",
    "bool": "uint8_t",
}  # fmt: skip

_WORDS = frozenset({
    "auto", "batch", "break", "case", "char", "const", "continue", "default", "do", "double",
    "else", "enum", "extern", "float", "for", "goto", "if", "inline", "inputs", "int", "long",
    "outputs", "register", "restrict", "return", "short", "signed", "sizeof", "state", "static",
    "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "weights", "while",
    "workspace",
})  # fmt: skip


def type_of(dtype: DType) -> str:
    """C's type of an element.

    Raises:
        MissingError: C has none.
    """
    if dtype.name not in TYPES:
        raise MissingError("export", f"C has no type for {dtype}.",
                           hint="Take complex numbers apart with torch.view_as_real.")  # fmt: skip
    return TYPES[dtype.name]


def names_in_c(names: Iterable[str]) -> list[str]:
    """Names for C, each another one."""
    found: list[str] = []
    for name in names:
        text = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "value"
        text = f"{text}_" if text in _WORDS else f"_{text}" if text[0].isdigit() else text
        free, k = text, 1
        while free in found:
            free, k = f"{text}_{k}", k + 1
        found.append(free)
    return found
