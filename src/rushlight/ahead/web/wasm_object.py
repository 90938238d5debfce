"""A relocatable object file of WebAssembly, read: what LLVM writes of one module.

The format is that of the WebAssembly specification, sections 5.1 to 5.5, with the custom sections
of the tool conventions' ``Linking.md``, version 2, whose names and numbers are kept here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from rushlight.base.errors import InternalError

from .leb import Reader

MAGIC = b"\0asm\1\0\0\0"
CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT = range(8)
START, ELEMENT, CODE, DATA, DATA_COUNT = range(8, 13)
SEGMENT_INFO, INIT_FUNCS, COMDAT_INFO, SYMBOL_TABLE = 5, 6, 7, 8
OF_FUNCTION, OF_DATA, OF_GLOBAL, OF_SECTION, OF_TAG, OF_TABLE = range(6)
UNDEFINED, EXPLICIT_NAME = 0x10, 0x40
I32_CONST, END = 0x41, 0x0B

# Relocations: those with an addend are the memory's and those into a function or section.
FUNCTION_INDEX, MEMORY_LEB, MEMORY_SLEB, MEMORY_I32, TYPE_INDEX, GLOBAL_INDEX = 0, 3, 4, 5, 6, 7
WITH_ADDEND = (MEMORY_LEB, MEMORY_SLEB, MEMORY_I32)


class Import(NamedTuple):
    """Something that the object does not hold."""

    kind: int
    name: str
    type: int = 0


class Symbol(NamedTuple):
    """What a relocation names.

    Attributes:
        index: of the function or global, or of the data segment, None if that is elsewhere.
        offset: in the data segment.
    """

    kind: int
    name: str
    index: int | None
    offset: int = 0


class Relocation(NamedTuple):
    """A place in a section's content that depends on where things end up."""

    kind: int
    offset: int
    index: int
    addend: int


class Segment(NamedTuple):
    """Data that belongs together: a constant, or a variable with its first value."""

    content: bytes
    start: int
    """Where in the section the content begins, as relocations count."""
    align: int


@dataclass
class Object:
    """What there is in an object file.

    Attributes:
        types: each as it is written.
        functions: the type of each function that is held.
        code: the section's content, its number of functions included.
    """

    types: list[bytes] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    code: bytes = b""
    segments: list[Segment] = field(default_factory=list)
    symbols: list[Symbol] = field(default_factory=list)
    relocations: dict[int, list[Relocation]] = field(default_factory=dict)

    def imported(self, kind: int) -> list[Import]:
        """What of one kind is elsewhere, in the order in which it is numbered."""
        return [each for each in self.imports if each.kind == kind]


def read(data: bytes) -> Object:
    """An object file.

    Raises:
        InternalError: there is something in it that this does not know.
    """
    try:
        return _Reading(data).object
    except (ValueError, IndexError) as error:
        raise InternalError(
            f"LLVM's object file for WebAssembly is not as expected: {error}"
        ) from error


class _Reading:
    def __init__(self, data: bytes) -> None:
        self.object = Object()
        self._aligns: list[int] = []
        self._order: list[int] = []  # the section of each number, as relocations count sections
        reader = Reader(data)
        if reader.bytes(len(MAGIC)) != MAGIC:
            raise ValueError("it does not begin as one")
        while reader:
            kind, content = reader.byte(), reader.part()
            self._order.append(kind)
            self._section(kind, content)
        if self._aligns:
            pairs = zip(self.object.segments, self._aligns, strict=True)
            self.object.segments = [each._replace(align=align) for each, align in pairs]

    def _section(self, kind: int, content: Reader) -> None:
        known = {
            CUSTOM: self._custom, TYPE: self._types, IMPORT: self._imports,
            FUNCTION: self._functions, CODE: self._code, DATA: self._data,
            DATA_COUNT: lambda content: None,
        }  # fmt: skip
        if kind not in known:
            raise ValueError(f"a section of kind {kind}")
        known[kind](content)

    def _types(self, content: Reader) -> None:
        for _ in range(content.unsigned()):
            start = content.at
            if content.byte() != 0x60:
                raise ValueError("a type that is not a function's")
            content.bytes(content.unsigned())
            content.bytes(content.unsigned())
            self.object.types.append(content.data[start : content.at])

    def _imports(self, content: Reader) -> None:
        for _ in range(content.unsigned()):
            content.name()
            name, kind, type = content.name(), content.byte(), 0
            if kind == 0:  # a function
                type = content.unsigned()
            elif kind == 2:  # memory
                if content.byte() & 1:
                    content.unsigned()
                content.unsigned()
            elif kind == 3:  # a global
                content.bytes(2)
            else:
                raise ValueError(f"{name} of kind {kind} is elsewhere")
            self.object.imports.append(Import(kind, name, type))

    def _functions(self, content: Reader) -> None:
        self.object.functions = [content.unsigned() for _ in range(content.unsigned())]

    def _code(self, content: Reader) -> None:
        self.object.code = content.bytes(content.end - content.at)

    def _data(self, content: Reader) -> None:
        first = content.at
        for _ in range(content.unsigned()):
            if content.byte() != 0 or content.byte() != I32_CONST:
                raise ValueError("a data segment that is not the memory's")
            content.signed()
            if content.byte() != END:
                raise ValueError("a data segment whose place is not a number")
            size = content.unsigned()
            start = content.at - first
            self.object.segments.append(Segment(content.bytes(size), start, 1))

    def _custom(self, content: Reader) -> None:
        name = content.name()
        if name == "linking":
            self._linking(content)
        elif name.startswith("reloc."):
            self._relocations(content)
        elif name not in ("producers", "target_features", "name"):
            raise ValueError(f"a section {name}")

    def _linking(self, content: Reader) -> None:
        if content.unsigned() != 2:
            raise ValueError("another version of linking")
        while content:
            kind, part = content.byte(), content.part()
            if kind == SYMBOL_TABLE:
                self.object.symbols = [self._symbol(part) for _ in range(part.unsigned())]
            elif kind == SEGMENT_INFO:
                for _ in range(part.unsigned()):
                    part.name()
                    self._aligns.append(1 << part.unsigned())
                    part.unsigned()
            else:
                raise ValueError(f"a part {kind} of linking")

    def _symbol(self, part: Reader) -> Symbol:
        kind, flags = part.byte(), part.unsigned()
        if kind == OF_DATA:
            name = part.name()
            if flags & UNDEFINED:
                return Symbol(kind, name, None)
            segment, offset, _ = part.unsigned(), part.unsigned(), part.unsigned()
            return Symbol(kind, name, segment, offset)
        if kind not in (OF_FUNCTION, OF_GLOBAL):
            raise ValueError(f"a symbol of kind {kind}")
        index = part.unsigned()
        if flags & UNDEFINED and not flags & EXPLICIT_NAME:
            place = 0 if kind == OF_FUNCTION else 3
            return Symbol(kind, self.object.imported(place)[index].name, index)
        return Symbol(kind, part.name(), index)

    def _relocations(self, content: Reader) -> None:
        section = self._order[content.unsigned()]
        found = []
        for _ in range(content.unsigned()):
            kind, offset, index = content.byte(), content.unsigned(), content.unsigned()
            if kind not in (FUNCTION_INDEX, TYPE_INDEX, GLOBAL_INDEX, *WITH_ADDEND):
                raise ValueError(f"a relocation of type {kind}")
            addend = content.signed() if kind in WITH_ADDEND else 0
            found.append(Relocation(kind, offset, index, addend))
        self.object.relocations[section] = found
