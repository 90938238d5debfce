"""The linker: from LLVM's object file to a module that a browser runs.

LLVM's wheel for Python writes relocatable object files and holds no linker. What is needed here is
little: all code is in one object, nothing is imported, and memory begins with the stack, so that
one that grows too far runs out of memory instead of into data. What this does not know it refuses.

Memory, from address 0: the stack, which grows down; constants; and from ``__heap_base`` on what the
page puts there.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack

from rushlight.base.errors import InternalError

from . import leb
from .wasm_object import (
    CODE,
    DATA,
    END,
    EXPORT,
    FUNCTION,
    FUNCTION_INDEX,
    GLOBAL,
    GLOBAL_INDEX,
    I32_CONST,
    MAGIC,
    MEMORY,
    MEMORY_I32,
    MEMORY_SLEB,
    OF_DATA,
    OF_FUNCTION,
    TYPE,
    TYPE_INDEX,
    Object,
    Relocation,
    read,
)

PAGE = 1 << 16
STACK = 1 << 16
"""Bytes for the stack: kernels keep a few vectors there."""
I32 = 0x7F


def link(data: bytes, exports: Sequence[str]) -> bytes:
    """A module of WebAssembly: an object file whose functions are exported, and ``memory``.

    Where the page's part of memory begins is the exported global ``__heap_base``.

    Raises:
        InternalError: the code calls a function that is not in it, an export is not in it, or there
            is something that this linker does not know.
    """
    return _Linking(read(data), exports).module()


class _Linking:
    def __init__(self, given: Object, exports: Sequence[str]) -> None:
        self.object, self.exports = given, exports
        if missing := given.imported(0):
            names = ", ".join(each.name for each in missing)
            raise InternalError(f"code for WebAssembly calls {names}, which it does not hold")
        self._places = []
        end = STACK
        for segment in given.segments:
            start = _up(end, segment.align)
            self._places.append(start)
            end = start + len(segment.content)
        self.heap = _up(end, 64)

    def module(self) -> bytes:
        """All sections."""
        given = self.object
        functions = [leb.unsigned(type) for type in given.functions]
        pages = leb.unsigned(-(-self.heap // PAGE))
        sections = [
            (TYPE, leb.listed(given.types)),
            (FUNCTION, leb.listed(functions)),
            (MEMORY, leb.listed([b"\0" + pages])),
            (GLOBAL, leb.listed([self._global(1, STACK), self._global(0, self.heap)])),
            (EXPORT, leb.listed(self._exported())),
            (CODE, self._code()),
            (DATA, leb.listed(self._data())),
        ]
        return MAGIC + b"".join(bytes([kind]) + leb.sized(content) for kind, content in sections)

    def _global(self, changes: int, value: int) -> bytes:
        return bytes([I32, changes, I32_CONST]) + leb.signed(value) + bytes([END])

    def _exported(self) -> list[bytes]:
        held = {s.name: s.index for s in self.object.symbols if s.kind == OF_FUNCTION}
        if lost := [name for name in self.exports if name not in held]:
            raise InternalError(f"there is no function {lost[0]} in this object code")
        made = [leb.name("memory") + b"\2\0", leb.name("__heap_base") + b"\3\1"]
        for name in self.exports:
            made.append(leb.name(name) + b"\0" + leb.unsigned(held[name] or 0))
        return made

    # What depends on where things are ----------------------------------------------------------

    def _code(self) -> bytes:
        content = bytearray(self.object.code)
        for each in self.object.relocations.get(CODE, ()):
            self._relocate(content, each.offset, each)
        return bytes(content)

    def _data(self) -> list[bytes]:
        contents = [bytearray(segment.content) for segment in self.object.segments]
        for each in self.object.relocations.get(DATA, ()):
            for segment, content in zip(self.object.segments, contents, strict=True):
                if 0 <= each.offset - segment.start < len(content):
                    self._relocate(content, each.offset - segment.start, each)
        return [
            bytes([0, I32_CONST]) + leb.signed(place) + bytes([END]) + leb.sized(bytes(content))
            for place, content in zip(self._places, contents, strict=True)
            if any(content)  # memory is zeros at first
        ]

    def _relocate(self, content: bytearray, at: int, each: Relocation) -> None:
        value = self._value(each)
        if each.kind == MEMORY_I32:
            written = pack("<I", value)
        else:
            written = leb.padded(value)
        content[at : at + len(written)] = written

    def _value(self, each: Relocation) -> int:
        if each.kind == TYPE_INDEX:
            return each.index
        symbol = self.object.symbols[each.index]
        if symbol.index is None:
            raise InternalError(f"code for WebAssembly reads {symbol.name}, which it does not hold")
        if each.kind == FUNCTION_INDEX:
            return symbol.index
        if each.kind == GLOBAL_INDEX:
            if symbol.name != "__stack_pointer":
                raise InternalError(f"code for WebAssembly has a global {symbol.name}")
            return 0
        if symbol.kind != OF_DATA:
            raise InternalError(f"code for WebAssembly takes the address of {symbol.name}")
        value = self._places[symbol.index] + symbol.offset + each.addend
        if each.kind == MEMORY_SLEB and value >= 1 << 31:
            raise InternalError("constants of more than two gigabytes")
        return value


def _up(number: int, step: int) -> int:
    return -(-number // step) * step
